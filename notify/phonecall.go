package notify

import (
	"fmt"
	"strings"
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
		o.URL = m.publicURL() + phone.AlarmPath{Brand: l.Brand, Letter: l.ID, Ticket: l.Ticket, Language: code, Customer: spokenName(l, m)}.String()
	case tickets.LetterBridge:
		o.RingFor = ringBridge
		if l.Data.Number == "" {
			return o, fmt.Errorf("call: no number of the customer")
		}
		o.URL = m.publicURL() + phone.BridgePath{Brand: l.Brand, Letter: l.ID, Ticket: l.Ticket, Language: code,
			Customer: l.Data.Number, Line: o.From, Name: spokenName(l, m)}.String()
	default:
		return o, fmt.Errorf("letter %q places no call", l.Kind)
	}
	o.Callback = o.URL + "/" + string(phone.AlarmStatus) + phone.Retries
	return o, nil
}

// spokenName is the name of who has the problem, "" when only an address or a
// number is known: nobody wants those read aloud at night.
func spokenName(l tickets.Letter, m Material) string {
	if m.Ticket != nil {
		for _, p := range m.Ticket.Participants {
			if name := properName(p.Address.Name); p.Role == tickets.PartyRequester && name != "" {
				return name
			}
		}
	}
	name, _, _ := strings.Cut(l.Data.From, "<")
	if strings.Contains(name, "+") {
		return ""
	}
	return properName(strings.Trim(name, ` "`))
}
