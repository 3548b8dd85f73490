package tickets

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// report handles delivery reports, receipts and complaints: they are recorded
// on the letter they answer, never a ticket, never answered.
func (d *decision) report() bool {
	switch d.in.Kind {
	case KindBounce, KindDelayed, KindComplaint, KindFeedback, KindReadReceipt:
	default:
		if d.ev.verpErr == nil {
			// A vacation note or other answer to the envelope sender: it names
			// the letter, but reports no failure.
			d.trace("verp", d.ev.verp, "answer to the envelope sender of letter %d", d.ev.letter)
		}
		return false
	}
	l := d.reported()
	if l == nil && d.letThrough("report-unmatched", "verp-forged") {
		return false
	}
	if l == nil {
		return d.unmatchedReport()
	}
	state := map[Kind]string{KindBounce: "bounced", KindDelayed: "delayed", KindComplaint: "complained", KindFeedback: "reported on", KindReadReceipt: "read"}[d.in.Kind]
	b := LetterBounce{Letter: l.ID, State: state, At: d.now}
	if d.in.Bounce != nil {
		b.Status, b.Detail = d.in.Bounce.Status, excerpt(d.in.Bounce.Diagnostic, 300)
	}
	if state == "bounced" || state == "delayed" || state == "complained" {
		d.c.Bounces = append(d.c.Bounces, b)
	}
	d.noteReport(l, state, b)
	return d.end(DisposeRecorded, string(d.in.Kind), "letter %d to %s: %s", l.ID, l.To, state)
}

// reported finds the letter a report is about: by the VERP address (certain),
// else by our Message-ID in it.
func (d *decision) reported() *SentLetter {
	switch {
	case d.ev.verpErr == nil && d.found.Letter != nil:
		d.trace("verp", d.ev.verp, "letter %d", d.found.Letter.ID)
		return d.found.Letter
	case errors.Is(d.ev.verpErr, ErrForged), errors.Is(d.ev.verpErr, ErrUnknown):
		d.trace("verp", d.ev.verp, "%v: no state changes", d.ev.verpErr)
		return nil
	}
	for _, id := range d.ev.cites {
		l := d.found.Letters[id]
		if l == nil {
			continue
		}
		if _, _, err := d.rules.Keys.ParseMessageID(id); err != nil {
			continue // an id that a server gave is no proof
		}
		l = d.copyOf(l, id)
		d.trace("original", id, "letter %d", l.ID)
		return l
	}
	d.trace("original", fmt.Sprintf("%d cited", len(d.ev.cites)), "no letter of ours")
	return nil
}

// copyOf finds, among the copies of a message that share a msg-id, the one
// that a report is about: its recipient's.
func (d *decision) copyOf(l *SentLetter, id string) *SentLetter {
	if d.in.Bounce == nil || d.in.Bounce.Recipient == "" || SameAddress(l.To, d.in.Bounce.Recipient) {
		return l
	}
	c := *l
	for _, h := range d.found.ByMessageID[id] {
		if h.Letter != 0 && SameAddress(h.To, d.in.Bounce.Recipient) {
			c.ID, c.Ticket, c.To, c.Agent = h.Letter, h.Ticket, h.To, h.Agent
			return &c
		}
	}
	d.doubtful = true
	return &c
}

func (d *decision) unmatchedReport() bool {
	switch {
	case errors.Is(d.ev.verpErr, ErrForged), errors.Is(d.ev.verpErr, ErrUnknown):
		return d.quarantine("verp-forged", "a report to an altered envelope address: %v", d.ev.verpErr)
	case d.in.Kind == KindReadReceipt:
		d.trace("disposition", "receipt", "discarded: about no letter of ours")
		return d.end(DisposeDiscarded, "receipt-unmatched", "a receipt about no letter of ours")
	}
	return d.quarantine("report-unmatched", "a %s about no letter of ours", d.in.Kind)
}

// noteReport writes the report into the ticket's log, marks a dead address and
// tells the agents what did not arrive.
func (d *decision) noteReport(l *SentLetter, state string, b LetterBounce) {
	dead := d.in.Kind == KindBounce && d.in.Bounce != nil && d.in.Bounce.Hard && deadAddress(b.Status) && !l.Agent
	if dead && d.doubtful {
		d.trace("suppress", l.To, "no: the report is about %s, and came to no envelope address of ours", d.in.Bounce.Recipient)
		dead = false
	}
	if dead {
		d.c.Suppress = append(d.c.Suppress, NormalAddress(l.To))
		d.trace("suppress", l.To, "no further automatic mail: %s", b.Status)
	}
	t := d.found.Tickets[l.Ticket]
	if t == nil {
		return
	}
	tc := d.ticket(t)
	tc.event(d.now, "desk", state, "letter %d (%s) to %s: %s %s", l.ID, l.Kind, l.To, b.Status, b.Detail)
	if d.in.Kind != KindBounce || l.Agent {
		return
	}
	for _, a := range d.audience(t) {
		data := d.view(tc, 0)
		data.Bounce, data.Dead = fmt.Sprintf("%s (%s): %s %s", l.To, l.Kind, b.Status, b.Detail), dead
		d.toAgent(tc, a, LetterBounced, 0, data)
	}
}

// deadAddress reports whether a permanent failure speaks against the address,
// as all do but these: the mailbox is full or the mail too large (5.2.2, 5.2.3,
// 5.3.4), its form or its words were refused (5.6.x, 5.7.x). Those pass, and a
// customer who made room again must get letters again.
func deadAddress(status string) bool {
	return !slices.ContainsFunc([]string{"5.2.2", "5.2.3", "5.3.4", "5.6.", "5.7."}, func(s string) bool { return strings.HasPrefix(status, s) })
}
