package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"frontdesk/tickets"
)

// tickets numbers the new tickets, so that every ticket has its id before
// anything refers to it.
func (s *saver) tickets(ctx context.Context) error {
	s.c.Tickets = slices.Clone(s.c.Tickets) // the caller's stays as it was
	for i := range s.c.Tickets {
		t := &s.c.Tickets[i].Ticket
		if t.Brand == "" {
			t.Brand = s.c.Brand
		}
		if err := s.parties(ctx, t); err != nil {
			return err
		}
		if t.ID == 0 {
			id, err := s.tx.insertTicket(ctx, t)
			if err != nil {
				return fmt.Errorf("new ticket: %w", err)
			}
			s.saved.Tickets[i] = id
		} else {
			s.saved.Tickets[i] = t.ID
		}
	}
	return nil
}

// contents saves the tickets that were there before, the links, and all that
// hangs on each ticket.
func (s *saver) contents(ctx context.Context) error {
	for i := range s.c.Tickets {
		c := &s.c.Tickets[i]
		isNew := c.Ticket.ID == 0
		c.Ticket.ID = s.saved.Tickets[i]
		for _, j := range slices.Sorted(maps.Keys(c.LinkNew)) {
			c.Ticket.Links = append(slices.Clip(c.Ticket.Links), tickets.Link{Kind: c.LinkNew[j], To: s.saved.Tickets[j]})
		}
		if err := s.contentsOf(ctx, c, isNew); err != nil {
			return fmt.Errorf("ticket %d: %w", c.Ticket.ID, err)
		}
	}
	return nil
}

func (s *saver) contentsOf(ctx context.Context, c *tickets.TicketChange, isNew bool) error {
	t := &c.Ticket
	if !isNew || len(c.LinkNew) > 0 {
		if err := s.tx.updateTicket(ctx, t); err != nil {
			return err
		}
	}
	s.tx.countWork(t, isNew)
	if err := s.tx.saveParticipants(ctx, t, isNew); err != nil {
		return err
	}
	if isNew {
		if err := s.tx.noteLately(ctx, t, c.Messages, s.now); err != nil {
			return fmt.Errorf("what it is about: %w", err)
		}
	} else {
		s.tx.keepLike(t)
	}
	ids, err := s.messages(ctx, t, isNew, c.Messages)
	if err != nil {
		return err
	}
	for _, m := range c.MoveFrom {
		if err := s.tx.move(ctx, t, m); err != nil {
			return fmt.Errorf("move messages from ticket %d: %w", m.Ticket, err)
		}
	}
	if err := s.tx.saveEvents(ctx, t.ID, s.saved.Change, c.Events, s.now); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	if err := s.tx.saveArticleUses(ctx, t, c.Articles, s.now); err != nil {
		return fmt.Errorf("what articles did: %w", err)
	}
	for _, l := range c.Letters {
		if l.Carry > 0 && l.Carry <= len(ids) {
			l.Message = ids[l.Carry-1]
		}
		if l.Ticket == 0 {
			l.Ticket = t.ID
		}
		if l.Mailbox == "" {
			l.Mailbox = lineOf(t, l.To.Address)
		}
		if err := s.letter(ctx, l, t.SubjectCore, t.Participants); err != nil {
			return err
		}
	}
	return nil
}

// parties turns addresses into persons of the ticket's brand.
func (s *saver) parties(ctx context.Context, t *tickets.Ticket) error {
	given := t.Participants
	t.Participants = make([]tickets.Participant, 0, len(given))
	for _, p := range given {
		p.Address.Address = tickets.NormalAddress(p.Address.Address)
		if p.Address.Address == "" || slices.ContainsFunc(t.Participants, func(q tickets.Participant) bool { return q.Address.Address == p.Address.Address }) {
			continue
		}
		if p.Person == 0 {
			var err error
			if p.Person, _, err = s.tx.person(ctx, t.Brand, p.Address); err != nil {
				return err
			}
		}
		if t.Requester == 0 && p.Role == tickets.PartyRequester {
			t.Requester = p.Person
		}
		t.Participants = append(t.Participants, p)
	}
	return nil
}

// ticketArgs are a ticket's columns in the order of the statements below.
func ticketArgs(t *tickets.Ticket) []any {
	return []any{
		t.Brand, t.Mailbox, t.Queue, string(t.Channel), string(t.Status), t.Subject, t.SubjectCore, t.Language, t.ThreadRoot,
		t.Requester, tickets.NormalAddress(t.Assignee), t.Severity, t.Category, int64(t.Impact), int64(t.Urgency),
		jsonArg(t.Tags), mapArg(t.Facts), jsonArg(t.Links), t.MergedInto, int64(t.Version),
		ms(t.Opened), ms(t.Updated), ms(t.Answered), ms(t.Resolved), ms(t.Closed), ms(t.PendingUntil), ms(t.Due), ms(t.FollowedUp),
		int64(t.WorkedMin),
		int64(t.Tier), t.Incident, ms(t.Promises.Watch), ms(t.Promises.NextDue()), objectArg(t.Promises), guessArg(t.Guess),
		tickets.NormalAddress(t.Line),
		t.Product, returnArg(t.Return), t.Identity,
	}
}

func guessArg(g *tickets.Guess) string {
	if g == nil {
		return ""
	}
	return objectArg(g)
}

func returnArg(r *tickets.Return) string {
	if r == nil {
		return ""
	}
	return mustJSON(r)
}

func (tx *Tx) insertTicket(ctx context.Context, t *tickets.Ticket) (int64, error) {
	return tx.insert(ctx, `
		INSERT INTO tickets (
			brand,
			mailbox,
			queue,
			channel,
			status,
			subject,
			subject_core,
			language,
			thread_root,
			requester,
			assignee,
			severity,
			category,
			impact,
			urgency,
			tags,
			facts,
			links,
			merged_into,
			version,
			opened,
			updated,
			answered,
			resolved,
			closed,
			pending_until,
			due,
			followed_up,
			worked_min,
			tier,
			incident,
			watch,
			next_due,
			promises,
			guess,
			line,
			product,
			returned,
			identity
		) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39)`, ticketArgs(t))
}

// updateTicket writes the row of a ticket. SQLite changes the entries of an
// index in which a column that is set stands, be it to the value it has; so
// columns that hardly ever change are set only when they have: the index of when
// a ticket was opened has a page of its own for each of many tickets.
func (tx *Tx) updateTicket(ctx context.Context, t *tickets.Ticket) error {
	args := ticketArgs(t)
	update := updateAll
	if was, loaded := tx.cache.settled[t.ID]; loaded && was == settledOf(t) {
		update = updateSettled
		args = slices.Delete(args, openedArg, openedArg+1)
		args = slices.Delete(args, threadRootArg, threadRootArg+1)
	}
	n, err := tx.exec(ctx, update, append(args, t.ID)...)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	delete(tx.cache.settled, t.ID) // it is no more as it was loaded
	return err
}

// settled is what a ticket keeps for life, as a rule.
type settled struct {
	opened     int64
	threadRoot string
}

func settledOf(t *tickets.Ticket) settled { return settled{ms(t.Opened), t.ThreadRoot} }

// Where ticketArgs has them.
const (
	threadRootArg = 8
	openedArg     = 20
)

var (
	updateAll     = updateText("thread_root", "opened")
	updateSettled = updateText()
)

// updateText sets what changes, and with it the columns given, in the order of
// ticketArgs.
func updateText(with ...string) string {
	var b strings.Builder
	n := 1 // brand
	for _, column := range []string{
		"mailbox", "queue", "channel", "status", "subject", "subject_core", "language", "thread_root", "requester", "assignee",
		"severity", "category", "impact", "urgency", "tags", "facts", "links", "merged_into", "version", "opened", "updated",
		"answered", "resolved", "closed", "pending_until", "due", "followed_up", "worked_min", "tier", "incident", "watch",
		"next_due", "promises", "guess", "line", "product", "returned", "identity",
	} {
		if (column == "thread_root" || column == "opened") && !slices.Contains(with, column) {
			continue
		}
		n++
		fmt.Fprintf(&b, ", %s = $%d", column, n)
	}
	return fmt.Sprintf("UPDATE tickets SET %s WHERE id = $%d AND brand = $1", b.String()[2:], n+1)
}

// saveParticipants makes the ticket's participants those given. What was
// loaded in this transaction and has stayed is not written again.
func (tx *Tx) saveParticipants(ctx context.Context, t *tickets.Ticket, isNew bool) error {
	if !isNew {
		was, known := tx.cache.participants[t.ID]
		if known && slices.Equal(was, t.Participants) && tx.cache.cores[t.ID] == repeated(t) {
			return nil
		}
		if err := tx.later(ctx, `DELETE FROM participants WHERE ticket = $1`, t.ID); err != nil {
			return fmt.Errorf("participants: %w", err)
		}
	}
	var args []any
	for i, p := range t.Participants {
		args = append(args, t.ID, p.Address.Address, p.Person, p.Address.Name, string(p.Role), int64(i), t.SubjectCore, tickets.NormalAddress(t.Line))
	}
	err := tx.insertRows(ctx, `
		INSERT INTO participants (
			ticket,
			address,
			person,
			name,
			role,
			position,
			subject_core,
			line
		) VALUES`, ``, 8, args)
	if err != nil {
		return fmt.Errorf("participants: %w", err)
	}
	tx.rememberTicket(t)
	return nil
}

// messages saves a ticket's new messages and returns their ids.
func (s *saver) messages(ctx context.Context, t *tickets.Ticket, isNew bool, list []tickets.Message) (ids []int64, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	var last int64
	if !isNew {
		// Served by the unique (ticket, seq).
		if err := s.tx.get(ctx, `SELECT COALESCE(MAX(seq), 0) FROM messages WHERE ticket = $1`, []any{t.ID}, &last); err != nil {
			return nil, err
		}
	}
	for i := range list {
		m := list[i]
		m.Ticket, m.Seq = t.ID, int(last)+1+i
		if m.Version == 0 {
			m.Version = t.Version
		}
		if m.Ledger == 0 {
			m.Ledger = s.ledger
		}
		if m.At.IsZero() {
			m.At = s.now
		}
		if m.Author.Person == 0 {
			if m.Author.Person, err = s.author(ctx, t, m.Author); err != nil {
				return nil, err
			}
		}
		id, err := s.tx.insertMessage(ctx, t.Brand, &m)
		if err != nil {
			return nil, fmt.Errorf("message: %w", err)
		}
		ids = append(ids, id)
	}
	s.saved.Messages = append(s.saved.Messages, ids...)
	return ids, nil
}

// author returns the person who wrote: an agent is one of no brand, the desk
// itself is nobody. Whose a number is, the ticket knows.
func (s *saver) author(ctx context.Context, t *tickets.Ticket, a tickets.Author) (id int64, err error) {
	brand := t.Brand
	switch a.Kind {
	case tickets.AuthorDesk:
		return 0, nil
	case tickets.AuthorAgent:
		if tickets.Number(a.Address.Address) != "" {
			return 0, nil // a telephone is no agent
		}
		brand = ""
	default:
		if id := party(t.Participants, a.Address.Address); id != 0 {
			return id, nil
		}
	}
	id, _, err = s.tx.person(ctx, brand, a.Address)
	return id, err
}

func (tx *Tx) insertMessage(ctx context.Context, brand string, m *tickets.Message) (id int64, err error) {
	id, err = tx.insert(ctx, `
		INSERT INTO messages (
			brand,
			ticket,
			seq,
			version,
			ledger,
			direction,
			channel,
			kind,
			author_kind,
			person,
			author_name,
			author,
			message_id,
			in_reply_to,
			cites,
			subject,
			body,
			attachments,
			content,
			thread_root,
			received,
			day,
			dated,
			commands,
			flags
		) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`,
		[]any{brand, m.Ticket, int64(m.Seq), int64(m.Version), m.Ledger, string(m.Direction), string(m.Channel), string(m.Kind),
			string(m.Author.Kind), m.Author.Person, m.Author.Address.Name, m.Author.Address.Address,
			m.MessageID, jsonArg(m.InReplyTo), jsonArg(m.Cites), m.Subject, m.Text, attachmentsArg(m.Attachments),
			sumArg(m.Content), m.ThreadRoot, ms(m.At), dayOf(m.At), ms(m.Date), jsonArg(m.Commands), jsonArg(m.Flags)})
	if err != nil {
		return 0, err
	}
	if err := tx.later(ctx, `INSERT INTO unindexed (message) VALUES ($1)`, id); err != nil {
		return 0, err
	}
	return id, tx.saveCites(ctx, brand, id, m.Cites)
}

// saveCites notes the cited msg-ids that nothing carries. Those that are known
// are found by themselves, so a long thread adds no rows.
func (tx *Tx) saveCites(ctx context.Context, brand string, message int64, cites []string) error {
	var unknown, unasked []string
	for i, id := range cites {
		if id == "" || slices.Contains(cites[:i], id) || len(unknown)+len(unasked) >= maxCites {
			continue
		}
		if known, asked := tx.cache.known[id]; !asked {
			unasked = append(unasked, id)
		} else if !known {
			unknown = append(unknown, id)
		}
	}
	unasked, err := tx.uncarried(ctx, brand, unasked)
	if err != nil {
		return fmt.Errorf("cited msg-ids: %w", err)
	}
	var args []any
	for _, id := range append(unknown, unasked...) {
		args = append(args, brand, id, message)
	}
	if err := tx.insertRows(ctx, `INSERT INTO cites (brand, cited, message) VALUES`, `ON CONFLICT DO NOTHING`, 3, args); err != nil {
		return fmt.Errorf("cited msg-ids: %w", err)
	}
	return nil
}

// uncarried returns the msg-ids that no message and no letter carries.
func (tx *Tx) uncarried(ctx context.Context, brand string, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, args := in([]any{brand}, ids)
	// Served by messages_msgid, letters_msgid and the key of server_ids.
	err := tx.each(ctx, `
		SELECT message_id FROM messages WHERE message_id <> '' AND brand = $1 AND message_id IN `+list+`
		UNION
		SELECT message_id FROM letters WHERE message_id <> '' AND brand = $1 AND message_id IN `+list+`
		UNION
		SELECT s.message_id FROM server_ids s JOIN letters l ON l.id = s.letter WHERE l.brand = $1 AND s.message_id IN `+list, args,
		func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			ids = slices.DeleteFunc(ids, func(have string) bool { return have == id })
			return err
		})
	return ids, err
}

// move takes messages from another ticket of the brand and numbers the target
// anew in order of arrival; the source keeps its numbers, with gaps. Letters
// that carry a moved message and the ledger rows go with it. What was moved is
// news on the target: it gets the version the target has now.
func (tx *Tx) move(ctx context.Context, t *tickets.Ticket, m tickets.Move) error {
	ids := m.Messages
	if ids == nil {
		var err error
		if ids, err = idList(ctx, tx, `SELECT id FROM messages WHERE ticket = $1 AND brand = $2`, m.Ticket, t.Brand); err != nil {
			return err
		}
	}
	var free int64 // numbers below all others: (ticket, seq) is unique
	if err := tx.get(ctx, `SELECT COALESCE(MIN(seq), 0) FROM messages WHERE ticket = $1`, []any{t.ID}, &free); err != nil {
		return err
	}
	for _, id := range ids {
		free = min(free, 0) - 1
		n, err := tx.exec(ctx, `UPDATE messages SET ticket = $1, seq = $2, version = $3 WHERE id = $4 AND ticket = $5 AND brand = $6`,
			t.ID, free, int64(t.Version), id, m.Ticket, t.Brand)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("message %d: %w", id, ErrNotFound)
		}
		if err := tx.later(ctx, `UPDATE letters SET ticket = $1 WHERE message = $2 AND message > 0`, t.ID, id); err != nil { // letters_message
			return err
		}
		err = tx.later(ctx, `UPDATE ledger SET ticket = $1 WHERE ticket > 0 AND id = (SELECT ledger FROM messages WHERE id = $2)`, t.ID, id)
		if err != nil {
			return err
		}
	}
	if m.Messages == nil {
		if err := tx.moveAlarms(ctx, m.Ticket, t.ID); err != nil {
			return err
		}
	}
	return tx.renumber(ctx, t.ID)
}

// renumber counts a ticket's messages from 1 in order of arrival. It goes by
// way of negative numbers: (ticket, seq) is unique at every step.
func (tx *Tx) renumber(ctx context.Context, ticket int64) error {
	ids, err := idList(ctx, tx, `SELECT id FROM messages WHERE ticket = $1 ORDER BY received, id`, ticket)
	if err != nil {
		return err
	}
	var lowest int64
	if err := tx.get(ctx, `SELECT COALESCE(MIN(seq), 0) FROM messages WHERE ticket = $1`, []any{ticket}, &lowest); err != nil {
		return err
	}
	base := min(lowest, 0) - 1
	for i, id := range ids {
		if err := tx.later(ctx, `UPDATE messages SET seq = $1 WHERE id = $2`, base-int64(i), id); err != nil {
			return err
		}
	}
	return tx.later(ctx, `UPDATE messages SET seq = $1 - seq WHERE ticket = $2`, base+1, ticket)
}
