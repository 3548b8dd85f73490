package tickets

import (
	"fmt"
	"slices"
	"strings"
)

// delivered decides about a report on a text that the desk sent. Reports come
// in any order: what has arrived does not fail any more.
func (d *decision) delivered(x Delivery) {
	l := d.found.Letter
	if l == nil {
		l = d.found.Letters[x.Sid]
	}
	if l == nil {
		d.trace("letter", x.Sid, "no text of ours")
		d.end(DisposeDiscarded, "unknown-text", "a report about a text that no letter sent")
		return
	}
	d.trace("letter", x.Sid, "letter %d to %s", l.ID, l.To)
	d.end(DisposeRecorded, "delivery", "letter %d: %s", l.ID, x.Status)
	switch {
	case x.Failed && (l.Report == "delivered" || l.Report == "read" || l.Report == "bounced"):
		d.trace("delivery", x.Status, "late: it is %s", l.Report)
	case x.Failed:
		d.undelivered(*l, x)
	case x.Status == "delivered" && l.Report != "read" && l.Report != "delivered", x.Status == "read" && l.Report != "read":
		d.arrived(*l, x)
	default:
		d.trace("delivery", x.Status, "on its way")
	}
}

// arrived notes that a text arrived.
func (d *decision) arrived(l SentLetter, x Delivery) {
	d.c.Bounces = append(d.c.Bounces, LetterBounce{Letter: l.ID, State: x.Status, At: d.now, Sid: x.Sid})
	if t := d.followed(d.found.Tickets[l.Ticket]); t != nil {
		d.ticket(t).event(d.now, "desk", x.Status, "%s to %s", l.Kind, Number(l.To))
	}
}

// undelivered notes that a text did not arrive, and tells the agents why.
func (d *decision) undelivered(l SentLetter, x Delivery) {
	why := d.whyNot(x)
	b := LetterBounce{Letter: l.ID, State: "bounced", Detail: why, At: d.now, Sid: x.Sid}
	if x.Code != 0 {
		b.Status = fmt.Sprint(x.Code)
	}
	d.c.Bounces = append(d.c.Bounces, b)
	to := NormalAddress(l.To)
	dead := !l.Agent && slices.Contains(deadNumber, x.Reason)
	if dead {
		d.c.Suppress = append(d.c.Suppress, to)
	}
	t := d.followed(d.found.Tickets[l.Ticket])
	if x.Reason == "stopped" && !l.Agent {
		d.c.Stop = append(d.c.Stop, LineConsent{Number: to, Line: d.lineOfReport(t)})
	}
	if t == nil {
		return
	}
	tc := d.ticket(t)
	tc.event(d.now, "desk", "bounced", "%s to %s: %s", l.Kind, Number(to), why)
	tc.Events[len(tc.Events)-1].Outcome = "bounced: " + reasonWord(x)
	switch {
	case l.Agent:
		return
	case x.Reason == "window":
		d.waitForCustomer(tc, l)
	}
	for _, a := range d.audience(&tc.Ticket) {
		data := d.view(tc, 0)
		data.Bounce, data.Dead, data.Text = fmt.Sprintf("%s (%s): %s", Number(to), l.Kind, why), dead, carried(l.Data)
		d.toAgent(tc, a, LetterBounced, 0, data)
	}
}

// reasonWord is the constant word for the log.
func reasonWord(x Delivery) string {
	if x.Reason != "" {
		return x.Reason
	}
	return strings.TrimSpace(fmt.Sprintf("%s %d", x.Status, x.Code))
}

// carried are the words that a letter carried.
func carried(data LetterData) string {
	if data.Text != "" {
		return data.Text
	}
	return data.Solution
}

// lineOfReport is the line that a reported text left from.
func (d *decision) lineOfReport(t *Ticket) string {
	if d.line == "" && t != nil {
		return t.Line
	}
	return d.line
}

// waitForCustomer writes an answer that came too late for WhatsApp once more,
// to leave when the customer writes, and asks them to. A notice of the desk's
// own is not worth that.
func (d *decision) waitForCustomer(tc *TicketChange, l SentLetter) {
	person := l.Kind == LetterAnswer || l.Kind == LetterResolution || l.Kind == LetterMissing
	if words := carried(l.Data); words == "" && len(l.Data.Missing) == 0 {
		return
	}
	if !person || !d.rules.Texting.Template || ChannelOf(l.To) != ChannelWhatsApp {
		return
	}
	to := Address{Address: l.To}
	again := d.customerLetter(tc, to, l.Kind, l.Data)
	again.Held, again.Key = flagWindow, fmt.Sprintf("again:%d", l.ID)
	tc.Letters = append(tc.Letters, again)
	d.knock(tc, to)
	d.about = append(d.about, "it waits now until the customer writes; the template asks them to")
}

// whyNot says in words of people why a text did not arrive, in the language of
// the desk.
func (d *decision) whyNot(x Delivery) string {
	words, ok := whyNots[d.deskLanguage()][x.Reason]
	if !ok {
		words = whyNots[d.deskLanguage()][""]
	}
	if x.Code != 0 {
		return fmt.Sprintf("%s (%s, %d)", words, x.Status, x.Code)
	}
	return fmt.Sprintf("%s (%s)", words, x.Status)
}

var whyNots = map[string]map[string]string{
	"en": {
		"":            "the text did not arrive, and the network does not say why",
		"stopped":     "the customer wants no texts from us (STOP)",
		"landline":    "the customer's telephone takes no texts: a landline",
		"no-such":     "nobody has this number",
		"bad-number":  "this number cannot be texted",
		"unreachable": "the customer's telephone was switched off or out of reach",
		"filtered":    "a network took the text for spam",
		"window":      "WhatsApp takes free words only within 24 hours of the customer's last message",
		"too-long":    "the text was too long",
		"region":      "texts to this country are not enabled",
		"sender":      "our line cannot send such texts",
	},
	"de": {
		"":            "die Nachricht kam nicht an, und das Netz sagt nicht, warum",
		"stopped":     "der Kunde möchte keine Nachrichten von uns (STOP)",
		"landline":    "das Telefon des Kunden nimmt keine Nachrichten an: ein Festnetzanschluss",
		"no-such":     "diese Nummer hat niemand",
		"bad-number":  "an diese Nummer lässt sich nicht schreiben",
		"unreachable": "das Telefon des Kunden war ausgeschaltet oder nicht erreichbar",
		"filtered":    "ein Netz hielt die Nachricht für Spam",
		"window":      "WhatsApp nimmt freie Worte nur in den 24 Stunden nach der letzten Nachricht des Kunden an",
		"too-long":    "die Nachricht war zu lang",
		"region":      "Nachrichten in dieses Land sind nicht freigegeben",
		"sender":      "unsere Nummer kann solche Nachrichten nicht senden",
	},
}
