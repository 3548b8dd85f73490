package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"frontdesk/tickets"
)

// Saved tells the ids that a Change was given.
type Saved struct {
	Change   int64   // the brand's change number
	Tickets  []int64 // by index of Change.Tickets
	Messages []int64 // of all tickets, in order
	Letters  []int64 // of all tickets and the loose ones, in order; 0 for one whose Key was known
	Alarms   []int64 // by index of Change.Alarms
	Products []int64 // by index of Change.Products
}

// saver writes one Change.
type saver struct {
	tx     *Tx
	ledger int64
	epoch  int64 // of the claim on the ledger row, 0 when nobody claimed it
	now    time.Time
	c      tickets.Change
	saved  Saved

	received time.Time // of the ledger row, zero unknown
	restored bool      // its letters may have left before
}

// Save writes a decision about the ledger row (0: none, an operator's act). A
// row that somebody else has decided meanwhile is ErrLost. After an error the
// transaction holds half a decision: it must be undone, by Try or as a whole.
func (tx *Tx) Save(ctx context.Context, ledger int64, from, subject string, c tickets.Change, now time.Time) (Saved, error) {
	return (&saver{tx: tx, ledger: ledger, now: now, c: c}).save(ctx, from, subject)
}

// SaveClaimed is Save for a claimed row. A row that somebody else has claimed
// or released since is ErrLost: what this worker found out about it is old.
func (tx *Tx) SaveClaimed(ctx context.Context, row Claimed, from, subject string, c tickets.Change, now time.Time) (Saved, error) {
	return (&saver{tx: tx, ledger: row.ID, epoch: row.Epoch, now: now, c: c, received: row.Received}).save(ctx, from, subject)
}

func (s *saver) save(ctx context.Context, from, subject string) (Saved, error) {
	tx, ledger := s.tx, s.ledger
	if !s.c.Defer.IsZero() {
		if err := s.deferred(ctx); err != nil {
			return Saved{}, fmt.Errorf("put the decision on ledger row %d off: %w", ledger, err)
		}
		return Saved{}, nil
	}
	s.restored = tx.db.mayHaveLeft(ctx, s.received)
	s.saved.Change = tx.nextChange()
	s.saved.Tickets = make([]int64, len(s.c.Tickets))
	for _, step := range []struct {
		what string
		run  func(context.Context) error
	}{
		{"people", s.people},
		{"tickets", s.tickets},
		{"products", s.products},
		{"passcodes", s.passcodes},
		{"alarms", s.alarms},
		{"letters to be dropped", s.cancel},
		{"letters to be let go", s.unhold},
		{"contents", s.contents},
		{"surveys", s.surveys},
		{"points", s.points},
		{"tickets of an incident", s.joins},
		{"letters about no ticket", s.looseLetters},
		{"what is not to be told of", s.stopDues},
		{"what is due", s.dues},
		{"reports on letters", s.bounces},
		{"suppressed addresses", s.suppress},
		{"who wants no texts", s.consents},
		{"absences", s.away},
		{"lessons", s.lessons},
		{"quarantine", s.quarantine},
		{"another desk's numbers", s.numbers},
		{"when imported tickets ended", s.reclosed},
	} {
		if err := step.run(ctx); err != nil {
			return Saved{}, fmt.Errorf("save %s: %w", step.what, err)
		}
	}
	if err := s.decided(ctx, from, subject); err != nil {
		return Saved{}, fmt.Errorf("save the decision on ledger row %d: %w", ledger, err)
	}
	if err := s.forgets(ctx); err != nil {
		return Saved{}, fmt.Errorf("empty ledger row %d: %w", ledger, err)
	}
	if tx.bold {
		return s.saved, nil // an answer that is refused later undoes everything
	}
	if err := tx.flush(ctx); err != nil {
		return Saved{}, fmt.Errorf("save the decision on ledger row %d: %w", ledger, err)
	}
	return s.saved, nil
}

// people creates or updates persons. One with ID 0 whose first address is
// known is that person: what is given of it is added.
func (s *saver) people(ctx context.Context) error {
	for _, p := range s.c.People {
		if p.ID == 0 && len(p.Addresses) > 0 {
			if p.Brand == "" {
				p.Brand = s.c.Brand
			}
			have, err := personByAddress(ctx, s.tx, p.Brand, p.Addresses[0])
			if err == nil {
				p = have.With(p)
			} else if !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		if _, err := s.tx.savePerson(ctx, p, s.now); err != nil {
			return err
		}
	}
	for _, id := range s.c.Block {
		err := s.tx.later(ctx, `UPDATE people SET blocked = TRUE, changed = $3 WHERE id = $1 AND brand = $2`, id, s.c.Brand, ms(s.now))
		if err != nil {
			return fmt.Errorf("block person %d: %w", id, err)
		}
	}
	return nil
}

// decided ends the ledger row. Only an undecided row is met: of two workers
// that decide it, the second is undone.
func (s *saver) decided(ctx context.Context, from, subject string) error {
	if s.ledger == 0 {
		return nil
	}
	if s.c.Disposition == "" {
		return errors.New("the decision has no disposition")
	}
	ticket, message, err := s.refersTo(ctx)
	if err != nil {
		return err
	}
	args := []any{s.ledger, string(s.c.Disposition), s.c.Reason, s.c.Detail, jsonArg(s.c.Trace), from, subject, ticket, message, ms(s.now)}
	claimed := ``
	if s.epoch != 0 {
		claimed, args = ` AND epoch = $11`, append(args, s.epoch)
	}
	err = s.tx.session.later(ctx, statement{text: `
		UPDATE ledger SET
			disposition = $2,
			reason = $3,
			detail = $4,
			trace = $5,
			author = $6,
			subject = $7,
			ticket = $8,
			message = $9,
			decided = $10
		WHERE id = $1 AND disposition = ''` + claimed,
		args: args,
		met: func(n int64) error {
			if n == 0 {
				return ErrLost
			}
			return nil
		}})
	return s.tx.note(err)
}

// refersTo says which ticket and message the ledger row became: the message of
// a duplicate (the row is then its second delivery record), else the first
// message saved, else the ticket that was changed or whose letter it answers.
func (s *saver) refersTo(ctx context.Context) (ticket, message int64, err error) {
	switch {
	case s.c.Duplicate != 0:
		err = s.tx.get(ctx, `SELECT ticket FROM messages WHERE id = $1`, []any{s.c.Duplicate}, &ticket)
		return ticket, s.c.Duplicate, notFound(err)
	case len(s.saved.Messages) > 0:
		message = s.saved.Messages[0]
		for i := range s.c.Tickets {
			if len(s.c.Tickets[i].Messages) > 0 {
				return s.saved.Tickets[i], message, nil
			}
		}
	case len(s.saved.Tickets) > 0:
		return s.saved.Tickets[0], 0, nil
	case len(s.c.Bounces) > 0:
		err = s.tx.get(ctx, `SELECT ticket FROM letters WHERE id = $1`, []any{s.c.Bounces[0].Letter}, idDest{&ticket})
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
	}
	return ticket, 0, err
}

func (s *saver) suppress(ctx context.Context) error {
	for _, a := range s.c.Restore {
		if err := s.tx.later(ctx, `DELETE FROM suppressed WHERE address = $1`, tickets.NormalAddress(a)); err != nil {
			return err
		}
	}
	for _, a := range s.c.Suppress {
		if a = tickets.NormalAddress(a); a == "" {
			continue
		}
		err := s.tx.later(ctx, `INSERT INTO suppressed (address, at) VALUES ($1, $2) ON CONFLICT (address) DO NOTHING`, a, ms(s.now))
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *saver) quarantine(ctx context.Context) error {
	if _, err := s.tx.release(ctx, s.c.Release, s.c.ReleaseBy); err != nil {
		return err
	}
	_, err := s.tx.drop(ctx, s.c.Drop, s.c.ReleaseBy, s.now)
	return err
}

// bounces records delivery reports on the letters they answer, with an event
// on the ticket unless the decision wrote events there itself.
func (s *saver) bounces(ctx context.Context) error {
	for _, b := range s.c.Bounces {
		var ticket int64
		var kind, to string
		// A bounced letter is not sent again; a delayed one is still on its way;
		// a text that arrived was sent, even when nobody heard the answer to its
		// POST or gave it up. A report that comes late says less than the last one.
		err := s.tx.get(ctx, `
			UPDATE letters SET
				state = CASE WHEN $2 = 'bounced' THEN 'bounced' WHEN $2 IN ('delivered', 'read') THEN 'sent' ELSE state END,
				sent = CASE WHEN $2 IN ('delivered', 'read') AND sent = 0 THEN $7 ELSE sent END,
				message_id = CASE WHEN message_id = '' THEN CAST($8 AS TEXT) ELSE message_id END,
				report = $2,
				code = $3,
				detail = $4
			WHERE id = $1 AND brand = $5 AND `+reportRank+` <= $6
			RETURNING ticket, kind, to_address`,
			[]any{b.Letter, b.State, b.Status, b.Detail, s.c.Brand, reportRanks[b.State], ms(reportedAt(b, s.now)), b.Sid}, idDest{&ticket}, &kind, &to)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return fmt.Errorf("letter %d: %w", b.Letter, err)
		}
		if ticket == 0 || s.hasEvents(ticket) {
			continue
		}
		e := tickets.Event{At: b.At, Who: "desk", What: "letter " + b.State, Detail: kind + " to " + to, Outcome: outcome(b.State, b.Status, b.Detail)}
		if err := s.tx.saveEvents(ctx, ticket, s.saved.Change, []tickets.Event{e}, s.now); err != nil {
			return err
		}
	}
	return nil
}

// reportRanks say which report is further on; reportRank is the same of the one
// that is stored.
var reportRanks = map[string]int64{"delayed": 1, "complained": 1, "bounced": 2, "delivered": 3, "read": 4}

const reportRank = `CASE report WHEN 'delayed' THEN 1 WHEN 'complained' THEN 1 WHEN 'bounced' THEN 2 WHEN 'delivered' THEN 3 WHEN 'read' THEN 4 ELSE 0 END`

func reportedAt(b tickets.LetterBounce, now time.Time) time.Time {
	if b.At.IsZero() {
		return now
	}
	return b.At
}

func (s *saver) hasEvents(ticket int64) bool {
	for i, id := range s.saved.Tickets {
		if id == ticket && len(s.c.Tickets[i].Events) > 0 {
			return true
		}
	}
	return false
}

// outcome joins a state, an SMTP code and what the server said.
func outcome(state, code, detail string) string {
	text := state + ":"
	for _, part := range []string{code, detail} {
		if part != "" {
			text += " " + part
		}
	}
	return text
}

// saveEvents appends to a ticket's log.
func (tx *Tx) saveEvents(ctx context.Context, ticket, change int64, events []tickets.Event, now time.Time) error {
	var args []any
	for _, e := range events {
		if e.At.IsZero() {
			e.At = now
		}
		args = append(args, ticket, change, ms(e.At), e.Who, e.What, e.Detail, e.Outcome, clockArg(e.Clock))
	}
	return tx.insertRows(ctx, `
		INSERT INTO events (
			ticket,
			change,
			at,
			who,
			what,
			detail,
			outcome,
			clock
		) VALUES`, ``, 8, args)
}
