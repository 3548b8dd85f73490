package tickets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CodeStopped is the code of a text that did not leave because its customer had
// sent STOP meanwhile.
const CodeStopped = "stopped"

// Undelivered tells a ticket's agents that a letter to the customer did not
// leave: the server refused it, or it was given up. code is the SMTP reply code
// with its enhanced status ("550 5.1.1"), or the telephone company's error with
// what it means ("twilio 21610 stopped"), "" when there was no answer. An address
// that the server says is not there (5.1.x), or a number that takes no texts, gets
// no further automatic letters; one that wants none is not texted again.
func Undelivered(t Ticket, l SentLetter, code, detail string, rules Rules, now time.Time) Change {
	d := &decision{rules: rules, brand: rules.Brands[t.Brand], now: now}
	d.in = Inbound{Brand: t.Brand, Mailbox: t.Mailbox}
	d.c.Brand = t.Brand
	tc := d.ticket(&t)
	dead := strings.HasPrefix(code, "5") && strings.Contains(code, " 5.1.")
	to, why := l.To, code+" "+excerpt(detail, 300)
	if x, ok := refusedText(code); ok {
		dead = slices.Contains(deadNumber, x.Reason)
		to, why = Number(l.To), d.whyNot(x)
		if x.Reason == "stopped" && code != CodeStopped && ChannelOf(t.Line) == ChannelOf(l.To) {
			d.c.Stop = append(d.c.Stop, LineConsent{Number: NormalAddress(l.To), Line: t.Line})
			tc.event(now, "desk", "no more texts", "%s does not want them", to)
		}
		if x.Reason == "stopped" && ownAccord(l.Kind) {
			tc.event(now, "desk", "not sent", "%s to %s: stopped", l.Kind, to)
			return d.done()
		}
	}
	if dead {
		d.c.Suppress = append(d.c.Suppress, NormalAddress(l.To))
		tc.event(now, "desk", "address dead", "%s: no further automatic letters (%s)", l.To, code)
	}
	for _, a := range d.audience(&t) {
		data := d.view(tc, 0)
		data.Dead = dead
		data.Bounce = strings.TrimSpace(fmt.Sprintf("%s (%s): %s", to, l.Kind, strings.TrimSpace(why)))
		d.toAgent(tc, a, LetterBounced, 0, data)
		tc.Letters[len(tc.Letters)-1].Key = fmt.Sprintf("undelivered:%d:%s", l.ID, a.Address)
	}
	return d.done()
}

// deadNumber are the reasons for which a number gets no further texts.
var deadNumber = []string{"landline", "no-such", "bad-number"}

// refusedText reads the code of a text that the telephone company refused.
func refusedText(code string) (Delivery, bool) {
	if code == CodeStopped {
		return Delivery{Status: "not sent", Failed: true, Reason: "stopped"}, true
	}
	f := strings.Fields(code)
	if len(f) < 2 || f[0] != "twilio" {
		return Delivery{}, false
	}
	n, err := strconv.Atoi(f[1])
	x := Delivery{Status: "failed", Failed: true, Code: n}
	if len(f) > 2 {
		x.Reason = f[2]
	}
	return x, err == nil
}

// ownAccord reports whether letters of a kind go to customers of the desk's own
// accord: nobody waits for one.
func ownAccord(k LetterKind) bool {
	return k == LetterSurvey || k == LetterFollowUp || k == LetterReward || k == LetterReminder
}
