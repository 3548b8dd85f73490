package tickets

import (
	"fmt"
	"strings"
	"time"
)

// Undelivered tells a ticket's agents that a letter to the customer did not
// leave: the mail server refused it, or it was given up. code is the SMTP reply
// code with its enhanced status ("550 5.1.1"), "" when there was no answer. An
// address that the server says is not there (5.1.x) gets no further automatic
// letters.
func Undelivered(t Ticket, l SentLetter, code, detail string, rules Rules, now time.Time) Change {
	d := &decision{rules: rules, brand: rules.Brands[t.Brand], now: now}
	d.in = Inbound{Brand: t.Brand, Mailbox: t.Mailbox}
	d.c.Brand = t.Brand
	tc := d.ticket(&t)
	dead := strings.HasPrefix(code, "5") && strings.Contains(code, " 5.1.")
	if dead {
		d.c.Suppress = append(d.c.Suppress, NormalAddress(l.To))
		tc.event(now, "desk", "address dead", "%s: no further automatic letters (%s)", l.To, code)
	}
	for _, a := range d.audience(&t) {
		data := d.view(tc, 0)
		data.Dead = dead
		data.Bounce = strings.TrimSpace(fmt.Sprintf("%s (%s): %s %s", l.To, l.Kind, code, excerpt(detail, 300)))
		d.toAgent(tc, a, LetterBounced, 0, data)
		tc.Letters[len(tc.Letters)-1].Key = fmt.Sprintf("undelivered:%d:%s", l.ID, a.Address)
	}
	return d.done()
}
