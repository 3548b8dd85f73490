package tickets

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"frontdesk/sla"
)

// decision is a Change in the making, with what it is made from.
type decision struct {
	in    Inbound
	found Found
	rules Rules
	brand Brand
	ev    evidence
	now   time.Time
	c     Change

	cause string // key of the step that time caused, "" when a contact did

	line    string   // of a contact by telephone: the line on which it goes on
	person  int64    // of a contact by telephone: whose number it is, 0 nobody's for certain
	remarks []string // what the agent's receipt says beyond what was done
	about   []string // of a contact by telephone: what agents should know of who called, a line each

	suggested *[]Article // what the knowledge base says to the new request; nil not asked yet

	doubtful bool // the report names another recipient than the letter's
	vouched  bool // From is not proven: whoever released the mail vouches for the agent
}

// Receive decides what a contact means. It looks at nothing but its arguments
// and always ends in exactly one disposition.
func Receive(found Found, in Inbound, rules Rules, now time.Time) Change {
	d := &decision{in: in, found: found, rules: rules, brand: rules.Brands[in.Brand], ev: read(in, rules), now: now}
	d.c.Brand = in.Brand
	d.c.Tickets = make([]TicketChange, 0, maxTickets+len(found.Parent)) // pointers into it stay good
	if in.Button != nil {
		d.button()
		return d.done()
	}
	if in.Phone != nil {
		d.phone()
		return d.done()
	}
	d.trace("kind", strings.Join(in.Signals, " "), "%s", in.Kind)
	switch {
	case d.erased(), d.loop(), d.duplicate():
	case d.report():
	case d.agentMail():
	default:
		d.customerMail()
	}
	return d.done()
}

// done ends every decision that may have touched a ticket: what it promises is
// looked at again with the new events.
func (d *decision) done() Change {
	for i := range d.c.Tickets {
		d.promise(&d.c.Tickets[i])
	}
	return d.c
}

func (d *decision) trace(rule, value, format string, args ...any) {
	d.c.Trace = append(d.c.Trace, Step{rule, value, fmt.Sprintf(format, args...)})
}

func (d *decision) end(disposition Disposition, reason, format string, args ...any) bool {
	d.c.Disposition, d.c.Reason, d.c.Detail = disposition, reason, fmt.Sprintf(format, args...)
	return true
}

func (d *decision) quarantine(reason, format string, args ...any) bool {
	d.trace("disposition", reason, "quarantined")
	return d.end(DisposeQuarantined, reason, format, args...)
}

// letThrough reports that a person let the mail through after it was held for
// one of these reasons: that check is skipped, and no other.
func (d *decision) letThrough(reasons ...string) bool {
	for _, r := range reasons {
		if slices.Contains(d.in.Answered, r) {
			d.trace("released", r, "let through by %s", d.in.Released)
			return true
		}
	}
	return false
}

// maxHops is how many Received fields a mail may carry: RFC 5321 section 6.3
// asks for at least 100 in a relay; a mail that reached a desk over more than
// thirty went in circles.
const maxHops = 30

// loop stops letters of our own that come back, and mail that goes in circles.
func (d *decision) loop() bool {
	switch {
	case d.letThrough("loop"):
	case d.ev.self == nil:
		d.trace("own", d.in.MessageID, "signed by this desk")
		return d.quarantine("loop", "a letter of this desk came back to %s", d.in.Mailbox)
	case d.in.Hops > maxHops:
		d.trace("hops", fmt.Sprint(d.in.Hops), "more than %d", maxHops)
		return d.quarantine("loop", "%d Received fields", d.in.Hops)
	}
	d.trace("own", d.in.MessageID, "no")
	return false
}

// erased keeps out what a customer had erased and an old copy brings back.
func (d *decision) erased() bool {
	if !d.found.Erased {
		return false
	}
	d.trace(ReasonErased, "", "a mail with this Message-ID was erased")
	return d.end(DisposeDiscarded, ReasonErased, "erased before")
}

// duplicate joins one mail seen by two ways (rule I2).
func (d *decision) duplicate() bool {
	if m := d.found.Duplicate; m != nil {
		d.trace("I2", fmt.Sprintf("message %d", m.ID), "same content within 7 days: a second delivery")
		d.c.Duplicate = m.ID
		return d.end(DisposeDuplicate, "duplicate", "same content as message %d of #%d", m.ID, m.Ticket)
	}
	if k := d.found.Known; k != nil {
		d.trace("I2", fmt.Sprintf("row %d", k.Ledger), "same content as a mail that was imported")
		if k.Message == 0 {
			return d.end(DisposeDiscarded, ReasonKnown, "row %d has it", k.Ledger)
		}
		d.c.Duplicate = k.Message
		return d.end(DisposeDuplicate, "duplicate", "imported as message %d", k.Message)
	}
	return false
}

// ticket starts a TicketChange from a stored ticket, or returns the one begun.
func (d *decision) ticket(t *Ticket) *TicketChange {
	for i := range d.c.Tickets {
		if d.c.Tickets[i].Ticket.ID == t.ID && t.ID != 0 {
			return &d.c.Tickets[i]
		}
	}
	c := *t
	c.Participants = slices.Clone(t.Participants)
	c.Tags = slices.Clone(t.Tags)
	c.Links = slices.Clone(t.Links)
	d.c.Tickets = append(d.c.Tickets, TicketChange{Ticket: c})
	return &d.c.Tickets[len(d.c.Tickets)-1]
}

func (tc *TicketChange) event(now time.Time, who, what, format string, args ...any) {
	tc.Events = append(tc.Events, Event{Ticket: tc.Ticket.ID, At: now, Who: who, What: what, Detail: fmt.Sprintf(format, args...)})
}

// status moves the ticket and notes it, when it moves at all.
func (tc *TicketChange) status(now time.Time, who string, to Status) {
	t := &tc.Ticket
	if t.Status == to {
		return
	}
	tc.event(now, who, "status", "%s → %s", t.Status, to)
	tc.Events[len(tc.Events)-1].Clock = &sla.Event{Kind: sla.StatusChanged, Status: string(to)}
	t.Status = to
	t.Updated = now
	switch to {
	case StatusResolved:
		t.Resolved, t.FollowedUp = now, time.Time{}
	case StatusClosed, StatusSpam:
		t.Closed = now
	case StatusNew, StatusOpen:
		t.Resolved, t.Closed, t.FollowedUp, t.PendingUntil = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	}
}

// message makes the mail in hand a message of a ticket.
func (d *decision) message(direction Direction, by Author, text string) Message {
	in := d.in
	m := Message{
		Ledger: in.Ledger, Direction: direction, Channel: in.Channel, Author: by, Kind: in.Kind,
		MessageID: in.MessageID, InReplyTo: in.InReplyTo, Cites: d.ev.cites,
		Subject: in.Subject, Text: text, Attachments: in.Attachments, Content: in.Content,
		ThreadRoot: in.ThreadRoot, At: in.Received, Date: in.Date,
	}
	if d.found.SameID != nil {
		m.Flags = append(m.Flags, "duplicate-id")
	}
	return m
}

// add appends a message; visible ones move the ticket's version.
func (tc *TicketChange) add(m Message, visible bool) int {
	if visible {
		tc.Ticket.Version++
	}
	m.Version = tc.Ticket.Version
	tc.Messages = append(tc.Messages, m)
	return len(tc.Messages)
}

// maxTickets bounds the tickets one mail can touch (itself, a merge, a split, links).
const maxTickets = 16
