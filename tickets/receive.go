package tickets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// customerMail decides about a mail that is not an agent's and not a report.
func (d *decision) customerMail() {
	from := NormalAddress(d.in.From.Address)
	switch p := d.found.Person; {
	case from == "":
		d.quarantine("no-sender", "the mail has no From address")
		return
	case p != nil && p.Blocked && !d.letThrough("blocked"):
		d.quarantine("blocked", "%s was blocked", from)
		return
	}
	d.restore(from)
	if d.votedByMail() || d.unwants() {
		return
	}
	v := d.thread()
	switch {
	case v.forged != "":
		d.quarantine(v.forged, "a relay address of ours that is altered, expired or not this sender's")
	case v.ticket != nil:
		d.join(v)
	case d.in.Kind == KindAutoReply && d.answersSomething() && !d.letThrough("auto-reply"):
		d.quarantine("auto-reply", "an automatic reply that belongs to no ticket")
	case d.in.Kind == KindBulk && !d.rules.Ack.Bulk && !d.letThrough("bulk"):
		d.quarantine("bulk", "list or bulk mail that belongs to no ticket")
	case d.in.Kind == KindCalendar && !d.letThrough("calendar"):
		d.quarantine("calendar", "an answer to an invitation that belongs to no ticket")
	default:
		d.open(v)
	}
}

// restore lifts what a bounce put on an address, when a person proves to write
// from it.
func (d *decision) restore(from string) {
	if d.found.Suppressed && d.in.Auth.Pass && d.in.Kind == KindMessage {
		d.found.Suppressed = false
		d.c.Restore = append(d.c.Restore, from)
		d.trace("suppress", from, "lifted: proven mail came from it")
	}
}

// answersSomething reports whether an automatic mail is an answer (a vacation
// note), as against a machine's own message (a monitoring alert), which opens
// a ticket like any other.
func (d *decision) answersSomething() bool {
	return len(d.ev.cites) > 0 || d.in.ReplyPrefix || slices.ContainsFunc(d.in.Signals, func(s string) bool {
		return strings.Contains(strings.ToLower(s), "auto-replied") || strings.Contains(strings.ToLower(s), "vacation")
	})
}

// open makes a new ticket of the mail.
func (d *decision) open(v verdict) {
	in := d.in
	by := d.customer()
	tc := d.newTicket(in.From, titleOf(in), in.SubjectCore)
	tc.Ticket.Promises.Unproven = in.Channel == ChannelMail && !in.Auth.Pass
	tc.Ticket.Participants = append(tc.Ticket.Participants, d.proposed()...)
	if v.related != nil {
		tc.Ticket.Links = append(tc.Ticket.Links, Link{v.link, v.related.ID})
	}
	carry := tc.add(d.message(DirectionIn, by, in.Reply), true)
	tc.event(d.now, NormalAddress(in.From.Address), "opened", "by %s to %s", in.Channel, cmp.Or(Number(d.line), in.Mailbox))
	d.refuse(tc, carry, false)
	d.refer(tc)
	d.aboutProduct(tc)
	d.answersReminder(tc)
	d.sort(tc)
	d.outbreak(tc)
	d.assign(tc)
	d.acknowledge(tc, carry)
	d.missing(tc)
	d.checkIdentity(tc)
	d.tellAgents(tc, LetterNewTicket, carry, false)
	d.end(DisposeMessage, "", "opened a ticket")
}

// titleOf is the subject of a new ticket: without the prefixes and tags that
// belong to another conversation; a mail without one is named by its words.
func titleOf(in Inbound) string {
	switch {
	case in.SubjectCore != "":
		return in.SubjectCore
	case strings.TrimSpace(in.Subject) != "":
		return strings.TrimSpace(in.Subject)
	}
	return excerpt(in.Reply, 60)
}

// newTicket begins a ticket for a requester.
func (d *decision) newTicket(requester Address, subject, core string) *TicketChange {
	in := d.in
	t := Ticket{
		Brand: in.Brand, Mailbox: in.Mailbox, Queue: in.Queue, Channel: in.Channel, Status: StatusNew,
		Subject: subject, SubjectCore: core, Language: d.language(), ThreadRoot: in.ThreadRoot,
		Facts: in.Facts,
		Line:  d.line, Opened: in.Received, Updated: d.now,
	}
	if requester.Address != "" { // somebody who hides their number is nobody's profile
		t.Participants = []Participant{{Person: d.person, Address: requester, Role: PartyRequester}}
	}
	d.c.Tickets = append(d.c.Tickets, TicketChange{Ticket: t})
	return &d.c.Tickets[len(d.c.Tickets)-1]
}

// language of the letters to the sender: what the profile prefers, else the brand's.
func (d *decision) language() string {
	if p := d.found.Person; p != nil && supported(p.Language) {
		return p.Language
	}
	if supported(d.brand.Language) {
		return d.brand.Language
	}
	return "en"
}

// proposed are the outside addresses in To and Cc: on the ticket, but without
// letters until an agent accepts them (the leak guard).
func (d *decision) proposed() []Participant {
	var out []Participant
	seen := map[string]bool{NormalAddress(d.in.From.Address): true}
	for _, a := range slices.Concat(d.in.To, d.in.Cc) {
		n := NormalAddress(a.Address)
		if _, agent := d.rules.Agent(n); n == "" || seen[n] || agent || d.rules.Ours(n) {
			continue
		}
		seen[n] = true
		out = append(out, Participant{Address: a, Role: PartyProposed})
	}
	return out
}

// join adds the mail to the ticket it belongs to.
func (d *decision) join(v verdict) {
	in, tc := d.in, d.ticket(v.ticket)
	by := d.customer()
	who := NormalAddress(in.From.Address)
	if v.stranger {
		by.Kind = AuthorThird
		d.third(tc)
	}
	m := d.message(DirectionIn, by, in.Reply)
	if v.stranger {
		m.Flags = append(m.Flags, "unverified")
	}
	if in.Kind != KindMessage && in.Kind != KindBulk {
		tc.add(m, false)
		tc.event(d.now, who, "automatic mail", "kept on the ticket; changes nothing")
		d.trace("effect", string(in.Kind), "recorded; status stays %s", tc.Ticket.Status)
		d.end(DisposeMessage, "", "automatic mail on #%d", tc.Ticket.ID)
		return
	}
	carry := tc.add(m, true)
	tc.event(d.now, who, "message", "by %s, rule %s", in.Channel, v.rule)
	message := len(tc.Events) - 1
	d.moreParticipants(tc, v.stranger)
	if in.Phone != nil {
		d.takesPart(tc, in.From)
	}
	if !v.stranger {
		d.told(tc)
		tc.Ticket.Promises.Unproven = tc.Ticket.Promises.Unproven && !in.Auth.Pass
		d.aboutProduct(tc)
		d.checkIdentity(tc)
	}
	d.refuse(tc, carry, v.stranger)
	if closed := d.customerAnswered(tc, v, who); !closed {
		d.tellAgents(tc, LetterMessage, carry, v.stranger)
		if !v.stranger {
			d.wrote(&tc.Events[message])
		}
	}
	d.end(DisposeMessage, "", "message on #%d by rule %s", tc.Ticket.ID, v.rule)
}

// third notes a sender who is not on the ticket: agents see the mail, nothing
// is relayed to or from the sender until an agent accepts.
func (d *decision) third(tc *TicketChange) {
	if p, ok := tc.Ticket.Participant(d.in.From.Address); ok && (p.Role == PartyThird || p.Role == PartyRemoved) {
		return
	}
	tc.Ticket.Participants = append(tc.Ticket.Participants, Participant{Address: d.in.From, Role: PartyThird})
	tc.event(d.now, NormalAddress(d.in.From.Address), "third party", "wrote without being on the ticket; unverified")
}

// moreParticipants proposes addresses that a participant put in Cc. A third
// party proposes nobody.
func (d *decision) moreParticipants(tc *TicketChange, stranger bool) {
	if stranger {
		return
	}
	for _, p := range d.proposed() {
		if _, known := tc.Ticket.Participant(p.Address.Address); !known {
			tc.Ticket.Participants = append(tc.Ticket.Participants, p)
			tc.event(d.now, NormalAddress(d.in.From.Address), "proposed", "%s in Cc", p.Address.Address)
		}
	}
}

// customerAnswered moves the status and reports whether the mail was nothing
// but a confirmation, which agents need not see as a new message.
func (d *decision) customerAnswered(tc *TicketChange, v verdict, who string) (closed bool) {
	t := &tc.Ticket
	switch t.Status {
	case StatusPending, StatusHold:
		tc.status(d.now, who, StatusOpen)
	case StatusResolved:
		if v.stranger {
			return false
		}
		answer := ReadConfirmation(d.in.Reply, d.in.From)
		d.trace("confirmation", excerpt(d.in.Reply, 60), "%s", answer)
		if answer == ConfirmYes && len(d.in.Attachments) == 0 {
			d.confirm(tc, who)
			return true
		}
		d.reopen(tc, who)
	case StatusClosed:
		if v.stranger {
			return false
		}
		if ReadConfirmation(d.in.Reply, d.in.From) == ConfirmYes && len(d.in.Attachments) == 0 {
			d.trace("confirmation", excerpt(d.in.Reply, 60), "thanks after the closure: stays closed")
			return true
		}
		d.reopen(tc, who)
	case StatusSpam:
		if !v.stranger {
			tc.status(d.now, who, StatusOpen)
		}
	}
	return false
}

// confirm closes a resolved ticket on the customer's word.
func (d *decision) confirm(tc *TicketChange, who string) {
	tc.status(d.now, who, StatusClosed)
	tc.event(d.now, who, "confirmed", "the customer confirmed the resolution")
	d.aftercare(tc, true)
	d.automatic(tc, LetterConfirmed, LetterData{})
}

// reopen opens a resolved or closed ticket again.
func (d *decision) reopen(tc *TicketChange, who string) {
	tc.status(d.now, who, StatusOpen)
	tc.event(d.now, who, "reopened", "the customer wrote again")
	d.automatic(tc, LetterReopened, LetterData{})
}

// refuse marks attachments that go no further and tells the sender, in the
// acknowledgement of a new ticket or by a letter of its own.
func (d *decision) refuse(tc *TicketChange, carry int, stranger bool) {
	m := &tc.Messages[carry-1]
	m.Attachments = slices.Clone(m.Attachments)
	var refused []Refusal
	for i, a := range m.Attachments {
		why := a.Refused // intake could not even take it in
		if why == "" {
			why = d.refusal(a)
		}
		if why == "" {
			continue
		}
		m.Attachments[i].Refused = why
		name := a.Filename
		if !d.in.Auth.Pass && tc.Ticket.ID != 0 {
			name = plainName(name) // the address may be forged: no words of a stranger's
		}
		refused = append(refused, Refusal{name, a.Size, why})
		tc.event(d.now, "desk", "refused attachment", "%s: %s", a.Filename, why)
	}
	if len(refused) > 0 && tc.Ticket.ID != 0 && !stranger {
		d.automaticTo(tc, d.in.From, LetterRefused, LetterData{Refused: refused, SizeLimit: d.rules.MessageSize, Types: d.rules.AttachmentTypes})
	}
}

func (d *decision) refusal(a Attachment) string {
	if d.rules.MessageSize > 0 && int64(a.Size) > d.rules.MessageSize {
		return "size"
	}
	if len(d.rules.AttachmentTypes) > 0 && !slices.ContainsFunc(d.rules.AttachmentTypes, func(p string) bool { return typeMatches(p, a.ContentType) }) {
		return "type"
	}
	return ""
}

// typeMatches compares a media type with a pattern such as image/* or
// application/vnd.*; messages forwarded whole are always taken.
func typeMatches(pattern, contentType string) bool {
	if contentType == "message/rfc822" {
		return true
	}
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(contentType, prefix)
	}
	return pattern == contentType
}

// tellAgents writes to those who should know: the assignee, else the first tier.
func (d *decision) tellAgents(tc *TicketChange, kind LetterKind, carry int, unverified bool) {
	for _, a := range d.audience(&tc.Ticket) {
		data := d.view(tc, carry)
		data.Unverified = unverified
		if kind == LetterNewTicket {
			data.Articles = d.forAgents(tc, carry)
		}
		d.toAgent(tc, a, kind, carry, data)
	}
}

// audience lists the agents a ticket concerns, by address: the assignee, or its
// tier. What the desk itself assigned and nobody has taken up yet concerns both,
// unless the queue is Quiet: a colleague who is quicker may answer.
func (d *decision) audience(t *Ticket) []Agent {
	a, assigned := d.rules.Agent(t.Assignee)
	q := d.rules.Queues[t.Queue]
	if assigned && (t.Status != StatusNew || t.Promises.Assigned == "" || q.Quiet) {
		return []Agent{a}
	}
	out := d.rules.tier(*t)
	out = slices.DeleteFunc(out, func(b Agent) bool { return !b.WorksFor(t.Brand) })
	if assigned && !slices.ContainsFunc(out, func(b Agent) bool { return b.Address == a.Address }) {
		out = append(out, a)
	}
	if len(out) > 0 {
		return out
	}
	return d.supervisors()
}

// supervisors lists agents of the brand who may release quarantined mail.
func (d *decision) supervisors() []Agent {
	var out []Agent
	for _, k := range sortedKeys(d.rules.Agents) {
		if a := d.rules.Agents[k]; a.Role.AtLeast(RoleSupervisor) && a.WorksFor(d.brand.Key) {
			out = append(out, a)
		}
	}
	return out
}

// view describes a ticket and one of its messages for an agent's letter.
func (d *decision) view(tc *TicketChange, carry int) LetterData {
	t := &tc.Ticket
	data := LetterData{Known: slices.Concat(d.about, d.identityLines(t), d.productLines(t), d.beside(t, known(t, d.rules)))}
	if t.Channel == ChannelVoice || t.Channel == ChannelSMS {
		data.From = "withheld number"
	}
	for _, p := range t.Participants {
		switch p.Role {
		case PartyRequester:
			data.From = show(p.Address)
		case PartyProposed:
			if Number(p.Address.Address) != "" {
				continue // a number of somebody who is on the ticket
			}
			data.Proposed = append(data.Proposed, p.Address.Address)
		}
	}
	if carry > 0 {
		m := tc.Messages[carry-1]
		data.Text, data.Author, data.At = m.Text, show(m.Author.Address), m.At
		for _, a := range m.Attachments {
			data.Names = append(data.Names, fileLine(a))
		}
	}
	return data
}

func fileLine(a Attachment) string {
	name := a.Filename
	if name == "" {
		name = a.ContentType
	}
	if a.Refused != "" {
		return fmt.Sprintf("%s (%d KB, not passed on: %s)", name, (a.Size+1023)/1024, a.Refused)
	}
	return fmt.Sprintf("%s (%d KB)", name, (a.Size+1023)/1024)
}

// known lists what an agent should see at a glance, a line each.
func known(t *Ticket, rules Rules) []string {
	var out []string
	add := func(name, value string) {
		if value != "" {
			out = append(out, name+": "+value)
		}
	}
	add("queue", t.Queue)
	add("status", string(t.Status))
	add("severity", t.Severity)
	add("category", rules.Categories[t.Category].Title)
	add("assigned to", t.Assignee)
	add("tags", strings.Join(t.Tags, " "))
	if r := t.Return; r != nil {
		add("return", r.Number+", "+string(r.Status))
	}
	for _, l := range t.Links {
		out = append(out, fmt.Sprintf("%s #%d", l.Kind, l.To))
	}
	for _, k := range sortedKeys(t.Facts) {
		add(k, t.Facts[k])
	}
	return out
}
