package notify

import (
	"fmt"
	"time"

	"frontdesk/phone"
	"frontdesk/tickets"
)

// How long a telephone rings: an agent's is given up before most voicemail boxes
// answer.
const (
	ringAlarm  = 20 * time.Second
	ringBridge = 25 * time.Second
)

// composeCall makes the call of a letter. What is said when somebody answers
// stands in its URL; the webhook speaks it.
func composeCall(l tickets.Letter, m Material) (phone.Outcall, error) {
	o := phone.Outcall{From: tickets.Number(l.Mailbox), To: tickets.Number(l.To.Address), RingFor: ringAlarm}
	switch {
	case o.From == "" || o.To == "":
		return o, fmt.Errorf("call from %q to %q: no number", l.Mailbox, l.To.Address)
	case m.PublicURL == "":
		return o, fmt.Errorf("call: http.public_url is not set, and a call has to ask for what it says")
	}
	code := letterLanguage(l, m.Brand)
	switch l.Kind {
	case tickets.LetterRing:
		o.URL = m.publicURL() + phone.AlarmPath{Brand: l.Brand, Letter: l.ID, Ticket: l.Ticket, Language: code, Customer: customerName(l, m)}.String()
	case tickets.LetterBridge:
		o.RingFor = ringBridge
		if l.Data.Number == "" {
			return o, fmt.Errorf("call: no number of the customer")
		}
		o.URL = m.publicURL() + phone.BridgePath{Brand: l.Brand, Letter: l.ID, Ticket: l.Ticket, Language: code,
			Customer: l.Data.Number, Line: o.From, Name: customerName(l, m)}.String()
	default:
		return o, fmt.Errorf("letter %q places no call", l.Kind)
	}
	o.Callback = o.URL + "/" + string(phone.AlarmStatus) + phone.Retries
	return o, nil
}
