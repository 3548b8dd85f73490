package phone

import "fmt"

// words are the sentences that are spoken when the configuration has none of
// its own, in one language.
type words struct {
	locale    string // of <Say language>
	welcome   func(brand string) string
	closed    func(brand string) string
	choice    func(c Choice) string
	again     string // after a key that means nothing
	askTicket string
	askMeter  string
	reading   func(digits string) string
	callback  string
	ringing   string
	busy      string // no agent took the call
	trouble   string // after a fault of ours
	consent   string
	leave     string
	thanks    string
	nothing   string
	missed    string // where no messages are taken
	whisper   func(brand, queue, ref string) string

	alarm        func(brand, ticket, customer string) string
	alarmKeys    string
	acknowledged func(ticket string) string
	passed       string
	unheard      string

	connectAsk func(brand, customer, ticket string) string
	connecting string
	noAnswer   string
}

// wordsOf returns the sentences of a language, the English ones for a language
// that has none.
func wordsOf(language string) words {
	if len(language) >= 2 && (language[:2] == "de" || language[:2] == "DE") {
		return german
	}
	return english
}

var english = words{ // #nosec G101 -- sentences
	locale:  "en-GB",
	welcome: func(brand string) string { return fmt.Sprintf("Thank you for calling %s.", or(brand, "us")) },
	closed: func(brand string) string {
		return fmt.Sprintf("Thank you for calling %s. Our office is closed at the moment.", or(brand, "us"))
	},
	choice: func(c Choice) string {
		switch c.Want {
		case PurposeTicket:
			return fmt.Sprintf("If you have a ticket number, press %s.", keyName(c.Key, "star", "hash"))
		case PurposeCallback:
			return fmt.Sprintf("To be called back, press %s.", keyName(c.Key, "star", "hash"))
		case PurposeMeter:
			return fmt.Sprintf("To report a meter reading, press %s.", keyName(c.Key, "star", "hash"))
		}
		return fmt.Sprintf("For %s, press %s.", or(c.Label, c.Queue), keyName(c.Key, "star", "hash"))
	},
	again:     "Sorry, we did not understand that.",
	askTicket: "Please key in your ticket number, then press the hash key.",
	askMeter:  "Please key in the meter reading, then press the hash key.",
	reading: func(digits string) string {
		return fmt.Sprintf("Thank you. We have noted the reading %s. Goodbye.", spell(digits))
	},
	callback: "Thank you. We will call you back at the number you are calling from. Goodbye.",
	ringing:  "Please hold while we connect you.",
	busy:     "Nobody is free to take your call right now.",
	trouble:  "We are sorry, something went wrong on our side.",
	consent:  "Your message will be recorded and kept with your request.",
	leave:    "Please leave a message after the tone, and press the hash key when you have finished.",
	thanks:   "Thank you for your message. We will get back to you. Goodbye.",
	nothing:  "We heard nothing. We have noted your call. Goodbye.",
	missed:   "We have noted your call. Goodbye.",
	whisper: func(brand, queue, ref string) string {
		text := "Call"
		if brand != "" {
			text += " for " + brand
		}
		if queue != "" {
			text += ", " + queue
		}
		if ref != "" {
			text += ", the caller keyed ticket " + spell(ref)
		}
		return text + ". Press 1 to accept."
	},
	alarm: func(brand, ticket, customer string) string {
		text := fmt.Sprintf("Critical ticket %s", spell(ticket))
		if brand != "" {
			text += " of " + brand
		}
		if customer != "" {
			text += ", from " + customer
		}
		return text + "."
	},
	alarmKeys:    "Press 1 to acknowledge, 2 to pass it on.",
	acknowledged: func(ticket string) string { return fmt.Sprintf("Ticket %s is yours. Goodbye.", spell(ticket)) },
	passed:       "It is passed on. Goodbye.",
	unheard:      "No key was pressed. It is passed on. Goodbye.",
	connectAsk: func(brand, customer, ticket string) string {
		text := "You asked to call"
		if customer == "" {
			customer = "a customer"
		}
		text += " " + customer
		if brand != "" {
			text += " for " + brand
		}
		if ticket != "" {
			text += ", ticket " + spell(ticket)
		}
		return text + ". Press 1 to be connected."
	},
	connecting: "One moment, please.",
	noAnswer:   "The customer did not answer. Goodbye.",
}

var german = words{ // #nosec G101 -- sentences
	locale: "de-DE",
	welcome: func(brand string) string {
		return fmt.Sprintf("Vielen Dank für Ihren Anruf bei %s.", or(brand, "uns"))
	},
	closed: func(brand string) string {
		return fmt.Sprintf("Vielen Dank für Ihren Anruf bei %s. Unser Büro ist zur Zeit nicht besetzt.", or(brand, "uns"))
	},
	choice: func(c Choice) string {
		key := keyName(c.Key, "Stern-Taste", "Raute-Taste")
		switch c.Want {
		case PurposeTicket:
			return fmt.Sprintf("Wenn Sie eine Ticketnummer haben, drücken Sie die %s.", key)
		case PurposeCallback:
			return fmt.Sprintf("Für einen Rückruf drücken Sie die %s.", key)
		case PurposeMeter:
			return fmt.Sprintf("Um einen Zählerstand zu melden, drücken Sie die %s.", key)
		}
		return fmt.Sprintf("Für %s drücken Sie die %s.", or(c.Label, c.Queue), key)
	},
	again:     "Das haben wir leider nicht verstanden.",
	askTicket: "Bitte geben Sie Ihre Ticketnummer ein und drücken Sie dann die Raute-Taste.",
	askMeter:  "Bitte geben Sie den Zählerstand ein und drücken Sie dann die Raute-Taste.",
	reading: func(digits string) string {
		return fmt.Sprintf("Vielen Dank. Wir haben den Stand %s notiert. Auf Wiederhören.", spell(digits))
	},
	callback: "Vielen Dank. Wir rufen Sie unter der Nummer zurück, von der Sie anrufen. Auf Wiederhören.",
	ringing:  "Bitte warten Sie, wir verbinden Sie.",
	busy:     "Zur Zeit kann leider niemand Ihren Anruf annehmen.",
	trouble:  "Es tut uns leid, bei uns ist ein Fehler aufgetreten.",
	consent:  "Ihre Nachricht wird aufgezeichnet und mit Ihrer Anfrage gespeichert.",
	leave:    "Bitte sprechen Sie nach dem Ton und drücken Sie am Ende die Raute-Taste.",
	thanks:   "Vielen Dank für Ihre Nachricht. Wir melden uns bei Ihnen. Auf Wiederhören.",
	nothing:  "Wir haben nichts gehört. Ihr Anruf ist notiert. Auf Wiederhören.",
	missed:   "Ihr Anruf ist notiert. Auf Wiederhören.",
	whisper: func(brand, queue, ref string) string {
		text := "Anruf"
		if brand != "" {
			text += " für " + brand
		}
		if queue != "" {
			text += ", " + queue
		}
		if ref != "" {
			text += ", eingegeben wurde Ticket " + spell(ref)
		}
		return text + ". Drücken Sie die 1, um ihn anzunehmen."
	},
	alarm: func(brand, ticket, customer string) string {
		text := fmt.Sprintf("Kritisches Ticket %s", spell(ticket))
		if brand != "" {
			text += " von " + brand
		}
		if customer != "" {
			text += ", Kunde " + customer
		}
		return text + "."
	},
	alarmKeys: "Drücken Sie die 1, um es zu übernehmen, die 2, um es weiterzugeben.",
	acknowledged: func(ticket string) string {
		return fmt.Sprintf("Ticket %s gehört Ihnen. Auf Wiederhören.", spell(ticket))
	},
	passed:  "Es wird weitergegeben. Auf Wiederhören.",
	unheard: "Es wurde keine Taste gedrückt. Es wird weitergegeben. Auf Wiederhören.",
	connectAsk: func(brand, customer, ticket string) string {
		if customer == "" {
			customer = "einen Kunden"
		}
		text := "Sie wollten " + customer + " anrufen"
		if brand != "" {
			text += ", für " + brand
		}
		if ticket != "" {
			text += ", Ticket " + spell(ticket)
		}
		return text + ". Drücken Sie die 1, um verbunden zu werden."
	},
	connecting: "Einen Moment, bitte.",
	noAnswer:   "Der Kunde hat nicht abgenommen. Auf Wiederhören.",
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func keyName(key, star, hash string) string {
	switch key {
	case "*":
		return star
	case "#":
		return hash
	}
	return key
}
