package tickets

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Past is what is known of an old contact beside the mail itself.
type Past struct {
	Direction Direction // "": by who wrote it
	OpenSince time.Time // conversations whose last contact is older are closed

	// Numbers are what the other desk called the conversation; Source is which
	// desk that was. What the mail itself says is not among them.
	Source  string
	Numbers []string

	// Ticket is where the other desk kept the contact: then nothing is guessed
	// from the mail. nil: the rules of threading say.
	Ticket *PastTicket
}

// PastTicket is a conversation as another desk tells it.
type PastTicket struct {
	ID        int64 // of the ticket here, 0 none yet
	Subject   string
	Status    Status
	Requester Address
	Assignee  string // agent's address, "" nobody
	Queue     string // "" the mailbox's
	Tags      []string
	Opened    time.Time
	Closed    time.Time // zero: with its last contact
}

// TagImported is on every ticket that was made of another desk's history.
const TagImported = "imported"

// ReasonKnown discards a mail that was imported before and became no message.
const ReasonKnown = "imported"

// historyWho is who did what the import of a history does.
const historyWho = "import"

// ForeignNumber is what another desk called a conversation.
type ForeignNumber struct {
	Source string
	Number string
	Ticket int // index in Change.Tickets
}

// Known is what became of a mail when it was imported.
type Known struct {
	Ledger  int64
	Message int64 // 0: it became none
}

// HistoryKeys says what has to be looked up before History decides about in.
// Nothing is wanted that only new tickets need.
func (in Inbound) HistoryKeys(past Past, rules Rules) Keys {
	k := in.Keys(rules)
	k.Opens, k.Words, k.LikeSince, k.Serial, k.Codes, k.Old = false, "", time.Time{}, "", nil, false
	if in.direction(past, rules) == DirectionOut {
		k.Sender = NormalAddress(in.customers(rules).Address)
	}
	if past.Ticket != nil && past.Ticket.ID != 0 {
		k.Tickets = append(k.Tickets, past.Ticket.ID)
	}
	return k
}

// History decides what an old contact means: as Receive does, at the time it
// was received (Inbound.Received), and with nothing that reaches anybody. It
// writes no letter, starts no clock, assigns nobody, asks nobody.
//
// A conversation is closed as of its last contact unless that is younger than
// Past.OpenSince. One that lives here already only gets the message. A delivery
// report or an automatic mail that belongs to nothing is discarded by name.
func History(found Found, in Inbound, past Past, rules Rules) Change {
	d := &decision{in: in, found: found, rules: rules, brand: rules.Brands[in.Brand], ev: read(in, rules), now: in.Received}
	d.c.Brand = in.Brand
	d.c.Tickets = make([]TicketChange, 0, maxTickets)
	direction := in.direction(past, rules)
	d.trace("import", string(direction), "history: nobody is written to")
	d.trace("kind", strings.Join(in.Signals, " "), "%s", in.Kind)
	switch {
	case d.erased(), d.sameAgain():
	case NormalAddress(in.From.Address) == "" && past.Ticket == nil:
		d.end(DisposeDiscarded, "no-sender", "the mail has no From address")
	case d.ev.self == nil:
		d.end(DisposeDiscarded, "own-letter", "a letter of this desk")
	case past.Ticket != nil:
		d.toldWhere(past, direction)
	case direction == DirectionOut:
		d.sentOnce(past)
	default:
		d.cameOnce(past)
	}
	return d.c
}

// direction is which way the contact went.
func (in Inbound) direction(past Past, rules Rules) Direction {
	_, agent := rules.Agent(in.From.Address)
	switch {
	case past.Direction != "":
		return past.Direction
	case rules.Ours(in.From.Address):
		return DirectionOut
	case agent && in.customers(rules).Address != "":
		return DirectionOut
	}
	return DirectionIn
}

// customers is the first of those the mail is to who is neither the desk nor of
// its team; the zero Address when there is none.
func (in Inbound) customers(rules Rules) Address {
	for _, a := range slices.Concat(in.To, in.Cc) {
		if _, agent := rules.Agent(a.Address); NormalAddress(a.Address) != "" && !agent && !rules.Ours(a.Address) {
			return a
		}
	}
	return Address{}
}

// sameAgain joins what the desk has already, from another file or its mailbox.
func (d *decision) sameAgain() bool {
	if d.duplicate() {
		return true
	}
	if m := d.found.SameID; m != nil && d.twin(m) {
		d.trace("I2", d.in.MessageID, "message %d has the same Message-ID and says the same", m.ID)
		d.c.Duplicate = m.ID
		return d.end(DisposeDuplicate, "duplicate", "says the same as message %d of #%d", m.ID, m.Ticket)
	}
	return false
}

// isReport reports whether the mail tells of another one.
func (k Kind) isReport() bool {
	switch k {
	case KindBounce, KindDelayed, KindComplaint, KindFeedback, KindReadReceipt:
		return true
	}
	return false
}

// historyReason names why automatic mail of a history is left out.
func (k Kind) historyReason() string { return "history-" + strings.ReplaceAll(string(k), "_", "-") }

// cameOnce puts a mail to the desk where it belongs.
func (d *decision) cameOnce(past Past) {
	if d.in.Kind.isReport() {
		if t := d.cited(); t != nil {
			d.relive(d.ticket(t), past, DirectionIn)
			return
		}
		d.end(DisposeDiscarded, "history-report", "a %s about a mail that is not here", d.in.Kind)
		return
	}
	v := d.thread()
	switch {
	case v.forged != "":
		d.end(DisposeDiscarded, v.forged, "a relay address of ours that is altered, expired or not this sender's")
	case v.ticket != nil:
		tc := d.ticket(v.ticket)
		if v.stranger {
			d.third(tc)
		} else {
			d.moreParticipants(tc, false)
		}
		d.relive(tc, past, DirectionIn)
		if v.stranger {
			tc.Messages[0].Author.Kind = AuthorThird
			tc.Messages[0].Flags = append(tc.Messages[0].Flags, "unverified")
		}
	case d.in.Kind == KindAutoReply && d.answersSomething(), d.in.Kind == KindBulk && !d.rules.Ack.Bulk, d.in.Kind == KindCalendar:
		d.end(DisposeDiscarded, d.in.Kind.historyReason(), "belongs to no conversation")
	default:
		tc := d.newTicket(d.in.From, titleOf(d.in), d.in.SubjectCore)
		tc.Ticket.Participants = append(tc.Ticket.Participants, d.proposed()...)
		if v.related != nil {
			tc.Ticket.Links = append(tc.Ticket.Links, Link{v.link, v.related.ID})
		}
		d.relive(tc, past, DirectionIn)
	}
}

// sentOnce puts a mail of the desk, or of one of its agents, where it belongs:
// the desk itself needs no proof that it may write there.
func (d *decision) sentOnce(past Past) {
	to := d.in.customers(d.rules)
	t := d.answers(to)
	switch {
	case t != nil:
		tc := d.ticket(t)
		d.wroteTo(tc)
		d.relive(tc, past, DirectionOut)
	case to.Address == "":
		d.end(DisposeDiscarded, "history-internal", "the desk's own mail, to nobody outside")
	case d.in.Kind != KindMessage && d.in.Kind != KindBulk:
		d.end(DisposeDiscarded, d.in.Kind.historyReason(), "the desk's own automatic mail, which answers nothing")
	default:
		d.trace("T8", "", "new ticket: the desk wrote first")
		tc := d.newTicket(to, titleOf(d.in), d.in.SubjectCore)
		d.wroteTo(tc)
		d.relive(tc, past, DirectionOut)
	}
}

// cited is the first ticket with a mail that this one cites.
func (d *decision) cited() *Ticket {
	for _, o := range d.ev.ours {
		if t := d.found.Tickets[o.ticket]; t != nil {
			return t
		}
	}
	for _, id := range d.ev.cites {
		for _, h := range d.found.ByMessageID[id] {
			if t := d.found.Tickets[h.Ticket]; t != nil {
				d.trace("T3", id, "accepted: cites a mail of #%d", t.ID)
				return t
			}
		}
	}
	return nil
}

// answers is the ticket on which the desk wrote to somebody.
func (d *decision) answers(to Address) *Ticket {
	if t := d.cited(); t != nil {
		return d.livesIn(t)
	}
	with := func(t *Ticket) bool { return t != nil && t.Verified(to.Address) }
	for _, n := range d.ev.tags {
		if t := d.found.Tickets[n]; with(t) {
			d.trace("T6", fmt.Sprintf("#%d", n), "accepted")
			return d.livesIn(t)
		}
	}
	for _, n := range slices.Concat(d.found.Foreign, d.ev.foreign) {
		if t := d.found.Tickets[n]; with(t) {
			d.trace("T6", fmt.Sprintf("#%d", n), "accepted: another desk's mark")
			return d.livesIn(t)
		}
	}
	if !d.in.ReplyPrefix || d.in.SubjectCore == "" {
		return nil
	}
	for _, n := range d.found.BySubject {
		if t := d.followed(d.found.Tickets[n]); with(t) && (t.Status.Open() || d.reopens(t)) {
			d.trace("T7", d.in.SubjectCore, "accepted: #%d has the same subject and is with %s", n, to.Address)
			return t
		}
	}
	return nil
}

// livesIn follows a merged ticket.
func (d *decision) livesIn(t *Ticket) *Ticket {
	if to := d.followed(t); to != nil {
		return to
	}
	return t
}

// wroteTo lets in those to whom the desk wrote.
func (d *decision) wroteTo(tc *TicketChange) {
	parties := &tc.Ticket.Participants
	for _, a := range slices.Concat(d.in.To, d.in.Cc) {
		if _, agent := d.rules.Agent(a.Address); NormalAddress(a.Address) == "" || agent || d.rules.Ours(a.Address) {
			continue
		}
		i := slices.IndexFunc(*parties, func(p Participant) bool { return SameAddress(p.Address.Address, a.Address) })
		switch {
		case i < 0:
			*parties = append(*parties, Participant{Address: a, Role: PartyFollower})
		case (*parties)[i].Role == PartyProposed || (*parties)[i].Role == PartyThird:
			(*parties)[i].Role = PartyFollower
		}
	}
}

// toldWhere puts a contact where the other desk had it.
func (d *decision) toldWhere(past Past, direction Direction) {
	p := past.Ticket
	var tc *TicketChange
	if t := d.found.Tickets[p.ID]; p.ID != 0 && t != nil {
		tc = d.ticket(d.livesIn(t))
	} else {
		tc = d.newTicket(p.Requester, cmp.Or(strings.TrimSpace(p.Subject), titleOf(d.in)), d.in.SubjectCore)
		t := &tc.Ticket
		t.Queue, t.Assignee, t.Tags = cmp.Or(p.Queue, t.Queue), p.Assignee, slices.Clone(p.Tags)
		if !p.Opened.IsZero() && p.Opened.Before(t.Opened) {
			t.Opened = p.Opened
		}
	}
	d.trace("import", strings.Join(past.Numbers, " "), "where the other desk had it")
	if direction == DirectionOut {
		d.wroteTo(tc)
	}
	d.relive(tc, past, direction)
}

// relive adds the contact and moves the ticket as if it had happened then. What
// happened on the ticket later stays as it is.
func (d *decision) relive(tc *TicketChange, past Past, direction Direction) {
	t := &tc.Ticket
	isNew := t.ID == 0
	if isNew && !slices.Contains(t.Tags, TagImported) {
		t.Tags = append(t.Tags, TagImported)
	}
	last := isNew || slices.Contains(t.Tags, TagImported) && !t.Updated.After(d.now)
	silent := d.in.Kind != KindMessage && d.in.Kind != KindBulk || direction == DirectionNote
	by := d.wroteIt(direction)
	tc.add(d.message(direction, by, d.in.Reply), last && !silent)
	who := cmp.Or(NormalAddress(by.Address.Address), historyWho)
	what := "message"
	if isNew {
		what = "opened"
	}
	tc.event(d.now, who, what, "imported")
	if isNew && !t.Opened.IsZero() {
		tc.Events[0].At = t.Opened
	}
	if last && !silent && direction == DirectionOut && !isNew && t.Answered.IsZero() {
		t.Answered = d.now
		tc.event(d.now, who, "answered", "imported")
	}
	for _, n := range past.Numbers {
		d.c.Numbers = append(d.c.Numbers, ForeignNumber{past.Source, n, slices.IndexFunc(d.c.Tickets, func(o TicketChange) bool { return o.Ticket.ID == t.ID })})
	}
	if last && (!silent || isNew) {
		d.stands(tc, past, direction)
	}
	d.end(DisposeMessage, "", "imported")
}

// wroteIt says whose words the contact is.
func (d *decision) wroteIt(direction Direction) Author {
	agent, is := d.rules.Agent(d.in.From.Address)
	switch {
	case direction == DirectionIn:
		return d.customer()
	case is:
		return Author{Kind: AuthorAgent, Person: agent.ID, Address: Address{Name: agent.Name, Address: agent.Address}}
	}
	return Author{Kind: AuthorDesk, Address: d.in.From}
}

// stands says how the ticket stands after its last contact. The one event that
// closes a ticket moves with it: see Change.Reclosed.
func (d *decision) stands(tc *TicketChange, past Past, direction Direction) {
	t := &tc.Ticket
	t.Updated = d.now
	to, at := StatusOpen, d.now
	switch p := past.Ticket; {
	case p != nil && p.Status != "":
		to = p.Status
		if !p.Closed.IsZero() && p.Closed.After(d.now) {
			at = p.Closed
		}
	case d.now.Before(past.OpenSince):
		to = StatusClosed
	case direction == DirectionOut:
		to = StatusPending
	}
	was := t.Status
	t.Status = to
	switch to {
	case StatusClosed, StatusSpam, StatusResolved:
		t.Resolved, t.Closed = at, at
		if to == StatusResolved {
			t.Closed = time.Time{}
		}
		if to == was {
			d.c.Reclosed = append(d.c.Reclosed, Reclosed{t.ID, at})
			return
		}
	default:
		t.Resolved, t.Closed = time.Time{}, time.Time{}
	}
	if to != was {
		tc.event(at, historyWho, "status", "%s → %s", was, to)
	}
}

// Reclosed moves the event that closed an imported ticket to a later time.
type Reclosed struct {
	Ticket int64
	At     time.Time
}

// foreignMark finds numbers that another desk may have put into a subject:
// [Ticket#4711], [#4711], [desk.example #4711], Ticket#4711. They count only
// when they were imported.
var foreignMark = regexp.MustCompile(`(?i)#\s*([0-9][0-9a-z._-]{0,39})|\[[^\[\]]{0,60}?([0-9][0-9a-z._-]{0,39})\s*\]`)

// ForeignNumbers lists the numbers in a subject by which another desk may have
// known the conversation, in lower case.
func ForeignNumbers(subject string) []string {
	if !strings.ContainsAny(subject, "#[") {
		return nil
	}
	var out []string
	for _, m := range foreignMark.FindAllStringSubmatch(subject, 5) {
		n := strings.TrimRight(strings.ToLower(cmp.Or(m[1], m[2])), "._-")
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
