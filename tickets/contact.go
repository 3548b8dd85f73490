package tickets

import "time"

// PhoneContact is a contact by telephone: one webhook of a call, one text, one
// report about a text of ours, or one key pressed on a call of ours. Exactly one
// of Call, Text, Delivery, Pressed and File is set.
type PhoneContact struct {
	Line   string // our number: tel:+… or whatsapp:+…
	Number string // the other end's, E.164; "" withheld, unknown or not a number
	Kind   string // of the other end: "number", "withheld", "shortcode", "sip", "client", "name"
	Caller string // name that the network or the sender gives: proves nothing

	Call     *Call
	Text     *Text
	Delivery *Delivery
	Pressed  *Pressed
	File     *File
}

// Call is what all that is known of one call makes together, the row in hand
// included. Rows of a call come in any order, late and often; Receive decides
// about each with the whole call in view, so that the order does not matter.
type Call struct {
	Sid   string
	Open  bool   // the desk was open when it began
	Queue string // chosen by key, "" none
	Want  Want
	Ref   string // digits keyed: a ticket's number or a meter reading

	Began     time.Time
	Ended     time.Time // received time of the final status; zero while it lasts
	Duration  time.Duration
	Answered  bool   // an agent took it with a key
	Agent     string // address of that agent, "" unknown
	Spam      bool   // the network says that the number is false
	Voicemail bool   // a recording is ready at the telephone company

	// Recordings are the fetched ones: Ledger is set, Part is WholeRow.
	Recordings []Attachment
	Lost       int // recordings that were announced and could not be fetched
	// Awaits is until when it is worth waiting before anything is told: for a
	// recording to be ready and fetched, for a transcript. Zero: for nothing.
	Awaits     time.Time
	Transcript string // what a machine understood; not what was said
}

// Want is what a caller asked for by key.
type Want string

// The wants.
const (
	WantNothing  Want = ""         // to talk or to leave a message
	WantTicket   Want = "ticket"   // about the ticket Call.Ref
	WantCallback Want = "callback" // to be called back
	WantMeter    Want = "meter"    // to report the reading Call.Ref
)

// Text is an SMS, MMS or WhatsApp message that came. Words are in Inbound.Reply,
// fetched media in Inbound.Attachments (Ledger set, Part WholeRow).
type Text struct {
	Sid     string
	Consent Consent
	Lost    int // media that could not be fetched
}

// Consent is what the sender of a text wants of further ones.
type Consent string

// The wishes.
const (
	ConsentNone  Consent = ""
	ConsentStop  Consent = "stop"
	ConsentStart Consent = "start"
	ConsentHelp  Consent = "help"
)

// Delivery is what became of a text that the desk sent.
type Delivery struct {
	Letter int64 // of the outbox, as the callback's path says; 0: found by Sid
	Sid    string
	Status string // Twilio's word: "delivered", "undelivered", "failed", "read", …
	Failed bool
	Code   int    // Twilio's error
	Reason string // what the code means: "stopped", "landline", "no-such", "window", "unreachable", "filtered", …; "" unknown
}

// Pressed is news of a call that the desk placed: to ring somebody for a
// critical ticket (#alarm) or to connect an agent with a customer (#call).
type Pressed struct {
	Letter int64 // of the outbox that placed it
	Sid    string
	// Verdict is "acknowledged" (1 was pressed), "passed" (2, or nothing twice),
	// "connected" (the customer answered), "unanswered" (the customer did not),
	// or "" (a status alone).
	Verdict  string
	Status   string // Twilio's word for the call: "busy", "no-answer", "completed", …
	Ended    bool   // Status is final
	Duration time.Duration
}

// File is a recording or picture that came after what it belongs to had been
// decided, or just now.
type File struct {
	Contact    string // Item.Contact of the row it belongs to
	Attachment Attachment
}
