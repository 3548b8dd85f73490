package tickets

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// verdict is where a mail belongs.
type verdict struct {
	ticket   *Ticket // nil: a new ticket
	rule     string
	stranger bool    // the sender is not on the ticket: an unverified third party
	related  *Ticket // for a new ticket: an older one it has to do with
	link     string  // the kind of that link
	forged   string  // a relay address that is not to be believed: nothing else is tried
}

// thread finds the ticket of a mail by the rules T1 to T9, first accepted hit
// wins; each tried rule is traced.
func (d *decision) thread() verdict {
	v := d.candidates()
	if v.ticket == nil {
		if v.forged == "" && v.related == nil {
			d.suggest(&v)
		}
		return v
	}
	return d.settle(v)
}

// candidates tries T1 to T7.
func (d *decision) candidates() verdict {
	rules := []func() (verdict, bool){d.byRelay, d.byTwin, d.byOwnID, d.byForeignID, d.bySharedCite, d.byThreadIndex, d.byTag, d.byForeignTag, d.bySubject}
	for _, try := range rules {
		if v, hit := try(); hit {
			return v
		}
	}
	return verdict{}
}

// byRelay is T1: a signed relay address in any recipient.
func (d *decision) byRelay() (verdict, bool) {
	if len(d.ev.relays) == 0 {
		d.trace("T1", "", "no relay address")
		return verdict{}, false
	}
	for _, h := range d.ev.relays {
		if h.err != nil {
			d.trace("T1", h.String(), "refused")
			continue
		}
		t := d.found.Tickets[h.relay.Ticket]
		switch {
		case t == nil:
			d.trace("T1", h.String(), "no such ticket in %s", d.in.Brand)
		case h.relay.Role != RelayCustomer:
			d.trace("T1", h.String(), "an agent's address, used by %s", d.in.From.Address)
			if d.letThrough("relay-role", "not-an-agent", "relay-person", "agent-unproven") {
				continue
			}
			return verdict{forged: "relay-role"}, true
		default:
			v := verdict{ticket: t, rule: "T1", stranger: !d.on(t)}
			d.trace("T1", h.String(), "accepted%s", v.who())
			return v, true
		}
	}
	for _, h := range d.ev.relays {
		if h.err != nil && !d.letThrough("relay-forged") {
			return verdict{forged: "relay-forged"}, true
		}
	}
	return verdict{}, false
}

func (v verdict) who() string {
	if v.stranger {
		return ", sender is not on the ticket: unverified third party"
	}
	return ""
}

// byTwin is I2 for a mail that was sent to two of our addresses and changed a
// little on its way: its Message-ID, sender, subject and text are on a ticket.
// The id alone says nothing: some scanners give every mail the same.
func (d *decision) byTwin() (verdict, bool) {
	m := d.found.SameID
	if m == nil {
		return verdict{}, false
	}
	t := d.found.Tickets[m.Ticket]
	if t == nil || !d.on(t) || !d.twin(m) {
		d.trace("I2", d.in.MessageID, "message %d has the same Message-ID, but is another mail", m.ID)
		return verdict{}, false
	}
	d.trace("I2", d.in.MessageID, "accepted: message %d of #%d says the same", m.ID, t.ID)
	return verdict{ticket: t, rule: "I2"}, true
}

func (d *decision) twin(m *Message) bool {
	text := squash(d.in.Reply)
	return SameAddress(m.Author.Address.Address, d.in.From.Address) &&
		squash(m.Subject) == squash(d.in.Subject) && text != "" && squash(m.Text) == text
}

// byOwnID is T2: our signed Message-ID among the cited ones, the envelope sender
// of a letter of ours, or the id that the SMTP server gave one. Who has any of
// them has seen our letter.
func (d *decision) byOwnID() (verdict, bool) {
	for _, o := range d.ev.ours {
		t := d.found.Tickets[o.ticket]
		if t == nil {
			d.trace("T2", o.id, "signed by us, but no such ticket in %s", d.in.Brand)
			continue
		}
		v := verdict{ticket: t, rule: "T2", stranger: !d.on(t)}
		d.trace("T2", o.id, "accepted%s", v.who())
		return v, true
	}
	if l := d.found.Letter; d.ev.verpErr == nil && l != nil && d.found.Tickets[l.Ticket] != nil {
		v := verdict{ticket: d.found.Tickets[l.Ticket], rule: "T2"}
		v.stranger = !d.on(v.ticket)
		d.trace("T2", d.ev.verp, "accepted: the envelope sender of letter %d%s", l.ID, v.who())
		return v, true
	}
	for _, id := range d.ev.cites {
		for _, h := range d.found.ByMessageID[id] {
			if t := d.found.Tickets[h.Ticket]; t != nil && h.Letter != 0 {
				v := verdict{ticket: t, rule: "T2", stranger: !d.on(t)}
				d.trace("T2", id, "accepted: the id our letter was given on its way%s", v.who())
				return v, true
			}
		}
	}
	d.trace("T2", fmt.Sprintf("%d cited", len(d.ev.cites)), "none of ours")
	return verdict{}, false
}

// byForeignID is T3: an id of somebody else's mail that is on a ticket. A
// stranger who cites it (an answer to a newsletter) gets a ticket of his own,
// linked; but what comes over the mailing list that the ticket came over is
// the list's conversation, whoever writes.
func (d *decision) byForeignID() (verdict, bool) {
	var related *Ticket
	for _, id := range d.ev.cites {
		for _, h := range d.found.ByMessageID[id] {
			t := d.found.Tickets[h.Ticket]
			if t == nil {
				continue
			}
			if d.on(t) {
				d.trace("T3", id, "accepted: cites a mail of #%d", t.ID)
				return verdict{ticket: t, rule: "T3"}, true
			}
			if list := d.sameList(t); list != "" {
				v := verdict{ticket: t, rule: "T3", stranger: true}
				d.trace("T3", id, "accepted: cites a mail of #%d, both over the list %s%s", t.ID, list, v.who())
				return v, true
			}
			if related == nil {
				related = t
			}
		}
	}
	if related != nil {
		d.trace("T3", fmt.Sprintf("#%d", related.ID), "known thread, but %s is not on it: a new ticket, linked", d.in.From.Address)
		return verdict{related: related, link: "related"}, true
	}
	d.trace("T3", fmt.Sprintf("%d cited", len(d.ev.cites)), "none known")
	return verdict{}, false
}

// bySharedCite is T4: two mails cite the same id, which nobody here ever saw.
func (d *decision) bySharedCite() (verdict, bool) {
	for _, id := range d.ev.cites {
		for _, n := range d.found.ByCited[id] {
			if t := d.found.Tickets[n]; t != nil && d.on(t) {
				d.trace("T4", id, "accepted: #%d has a mail that cites it too", n)
				return verdict{ticket: t, rule: "T4"}, true
			}
		}
	}
	d.trace("T4", "", "no")
	return verdict{}, false
}

// byThreadIndex is T5: Outlook's Thread-Index, for clients that drop References.
func (d *decision) byThreadIndex() (verdict, bool) {
	for _, n := range d.found.ByThread {
		if t := d.found.Tickets[n]; t != nil && d.on(t) {
			d.trace("T5", d.in.ThreadRoot, "accepted: same root, same participant")
			return verdict{ticket: t, rule: "T5"}, true
		}
	}
	d.trace("T5", d.in.ThreadRoot, "no")
	return verdict{}, false
}

// byTag is T6: the number in the subject, for participants, never alone. Of
// others it takes the number, the subject, and a sign that they belong to the
// requester: then they are heard as an unverified third party.
func (d *decision) byTag() (verdict, bool) {
	for _, n := range d.ev.tags {
		t := d.found.Tickets[n]
		switch {
		case t == nil:
			d.trace("T6", fmt.Sprintf("#%d", n), "no such ticket in %s", d.in.Brand)
		case !d.on(t):
			if v, hit := d.byKin(t); hit {
				return v, true
			}
			d.trace("T6", fmt.Sprintf("#%d", n), "%s is not on it: a tag alone proves nothing", d.in.From.Address)
		default:
			d.trace("T6", fmt.Sprintf("#%d", n), "accepted")
			return verdict{ticket: t, rule: "T6"}, true
		}
	}
	if len(d.ev.tags) == 0 {
		d.trace("T6", "", "no tag")
	}
	return verdict{}, false
}

// byForeignTag counts another desk's addresses and tags like T6.
func (d *decision) byForeignTag() (verdict, bool) {
	if d.rules.Foreign == nil && len(d.found.Foreign) == 0 {
		return verdict{}, false
	}
	for _, n := range slices.Concat(d.ev.foreign, d.found.Foreign) {
		t := d.found.Tickets[n]
		switch {
		case t == nil:
		case d.on(t):
			d.trace("T6", fmt.Sprintf("#%d", n), "accepted: another desk's mark")
			return verdict{ticket: t, rule: "T6"}, true
		default:
			if v, hit := d.byKin(t); hit {
				return v, true
			}
		}
	}
	d.trace("T6", "", "no mark of another desk")
	return verdict{}, false
}

// byKin accepts, on a ticket that a mark names, somebody who is not on it but
// belongs to the one who is: the subject is the ticket's, and the sender writes
// from the requester's organisation or under the requester's name. None of
// this is proof, so the sender stays an unverified third party.
func (d *decision) byKin(t *Ticket) (verdict, bool) {
	if !sameCore(d.in.SubjectCore, t.SubjectCore) {
		return verdict{}, false
	}
	why := kinship(d.in.From, requester(t))
	if why == "" {
		return verdict{}, false
	}
	v := verdict{ticket: t, rule: "T6", stranger: true}
	d.trace("T6", fmt.Sprintf("#%d", t.ID), "accepted: its subject, and %s%s", why, v.who())
	return v, true
}

// bySubject is T7: a reply by its prefix, with nothing else to go by.
func (d *decision) bySubject() (verdict, bool) {
	if !d.in.ReplyPrefix || d.in.SubjectCore == "" {
		d.trace("T7", d.in.SubjectCore, "not a reply by its subject")
		return verdict{}, false
	}
	for _, n := range d.found.BySubject {
		if t := d.followed(d.found.Tickets[n]); t != nil && d.samePerson(t) && (t.Status.Open() || d.reopens(t)) {
			d.trace("T7", d.in.SubjectCore, "accepted: #%d has the same subject and participant", n)
			return verdict{ticket: t, rule: "T7"}, true
		}
	}
	d.trace("T7", d.in.SubjectCore, "no ticket of %s with it", d.in.From.Address)
	return verdict{}, false
}

// samePerson reports whether the sender is on the ticket and writes for
// himself. A market place or a form on a web site sends many people's mail from
// one address under one subject: there Reply-To says who it is.
func (d *decision) samePerson(t *Ticket) bool {
	if !d.on(t) {
		return false
	}
	for _, a := range d.in.ReplyTo {
		if n := NormalAddress(a.Address); n != "" && !SameAddress(n, d.in.From.Address) && !d.rules.Ours(n) && !t.Verified(n) {
			return false
		}
	}
	return true
}

// suggestWithin is how long a second mail with the same subject is suggested
// to be a duplicate.
const suggestWithin = 24 * time.Hour

// suggest is T8: a new ticket; the same sender and subject of late is only
// suggested as a duplicate, never joined.
func (d *decision) suggest(v *verdict) {
	for _, n := range d.found.BySubject {
		t := d.found.Tickets[n]
		if t != nil && d.in.SubjectCore != "" && d.now.Sub(t.Opened) < suggestWithin && d.samePerson(t) {
			d.trace("T8", fmt.Sprintf("#%d", n), "new ticket; same sender and subject within a day: perhaps a duplicate")
			v.related, v.link = t, "duplicate?"
			return
		}
	}
	d.trace("T8", "", "new ticket")
}

// settle is T9: merged tickets lead to their target, closed ones reopen within
// the window, and a clearly new subject on a closed one is a new matter.
func (d *decision) settle(v verdict) verdict {
	for range 20 { // a chain that long is a ring
		if v.ticket.Status != StatusMerged {
			break
		}
		to := d.found.Tickets[v.ticket.MergedInto]
		if to == nil {
			d.trace("T9", fmt.Sprintf("#%d", v.ticket.ID), "merged into #%d, which is gone: new ticket", v.ticket.MergedInto)
			return verdict{}
		}
		d.trace("T9", fmt.Sprintf("#%d", v.ticket.ID), "merged into #%d", to.ID)
		v.ticket = to
		v.stranger = !d.on(to) // who was taken off this one does not come back by the old one
	}
	t := v.ticket
	if t.Status != StatusClosed && t.Status != StatusSpam {
		return v
	}
	old := *t
	switch {
	case d.in.Kind == KindAutoReply:
	case t.Status == StatusClosed && !d.reopens(t):
		d.trace("T9", fmt.Sprintf("#%d", t.ID), "closed longer than the reopen window: a new ticket, linked")
		return verdict{related: &old, link: "follows"}
	case v.rule != "T1" && v.rule != "T6" && d.newMatter(t):
		d.trace("T9", fmt.Sprintf("#%d", t.ID), "closed, and a new subject: a new ticket, linked")
		return verdict{related: &old, link: "follows"}
	}
	return v
}

func (d *decision) reopens(t *Ticket) bool {
	return t.Status == StatusClosed && d.now.Sub(t.Closed) < d.rules.Closing.ReopenWindow
}

// newMatter reports whether the subject is clearly another than the ticket's.
func (d *decision) newMatter(t *Ticket) bool {
	a, b := strings.ToLower(d.in.SubjectCore), strings.ToLower(t.SubjectCore)
	return a != "" && b != "" && a != b && !strings.Contains(a, b) && !strings.Contains(b, a)
}

// supported reports whether letters exist in the language.
func supported(language string) bool { return slices.Contains([]string{"en", "de"}, language) }

// on reports whether the sender may join and read the ticket: by the address,
// or because it is another address of a person who is on it. An address that
// was taken off stays off.
func (d *decision) on(t *Ticket) bool {
	from := d.in.From.Address
	if p, listed := t.Participant(from); listed && p.Role == PartyRemoved {
		return false
	}
	if t.Verified(from) {
		return true
	}
	return slices.ContainsFunc(t.Participants, func(p Participant) bool {
		return d.is(p.Person) && t.Verified(p.Address.Address)
	})
}
