package store

import (
	"context"
	"fmt"
	"time"

	"frontdesk/tickets"
)

// Kept says before which times what is kept goes; zero: it stays.
type Kept struct {
	RawMail, Recordings, ClosedTickets time.Time // compared with the closure of the ticket
	Quarantine                         time.Time // with the arrival
	LedgerDetails                      time.Time // with the decision
	SurveyComments                     time.Time // with the answer
}

// retention is the erasure under which everything that is kept no longer is
// marked: a mailbox still has it, and it must not come in anew.
const retention = "retention"

// Retain removes what is kept no longer, at most n of each kind, and returns how
// many there were: 0 when nothing is left to do. An open ticket loses nothing.
func (db *DB) Retain(ctx context.Context, k Kept, n int, now time.Time) (removed int, err error) {
	for _, kind := range []struct {
		what   string
		before time.Time
		remove func(context.Context, time.Time, int, time.Time) (int, error)
	}{
		{"closed tickets", k.ClosedTickets, db.retainTickets},
		{"mails", k.RawMail, db.retainMails},
		{"recordings", k.Recordings, db.retainRecordings},
		{"held mail", k.Quarantine, db.retainQuarantine},
		{"details of the ledger", k.LedgerDetails, db.retainDetails},
		{"comments", k.SurveyComments, db.retainComments},
	} {
		if kind.before.IsZero() {
			continue
		}
		m, err := kind.remove(ctx, kind.before, n, now)
		removed += m
		if err != nil {
			return removed, fmt.Errorf("remove %s kept no longer: %w", kind.what, err)
		}
	}
	return removed, nil
}

func (db *DB) retainTickets(ctx context.Context, before time.Time, n int, now time.Time) (int, error) {
	// Served by tickets_kept.
	ids, err := idList(ctx, db.read, `
		SELECT id FROM tickets
		WHERE status IN ('closed', 'spam', 'merged') AND erased = 0 AND closed > 0 AND closed < $1
		ORDER BY closed LIMIT $2`, ms(before), int64(n))
	for i, id := range ids {
		if err := db.retainTicket(ctx, id, now); err != nil {
			return i, fmt.Errorf("ticket %d: %w", id, err)
		}
	}
	return len(ids), err
}

func (db *DB) retainTicket(ctx context.Context, id int64, now time.Time) error {
	ticket, err := oneTicket(ctx, db.read, id)
	if err != nil {
		return err
	}
	t := Traces{Person: tickets.Person{Brand: ticket.Brand}, Own: []int64{id}, Names: []string{""}}
	for _, p := range ticket.Participants {
		t.Names = append(t.Names, tickets.NormalAddress(p.Address.Address))
	}
	for _, step := range []func(context.Context, *Traces) error{db.traceRows, db.traceLetters, db.traceMarks} {
		if err := step(ctx, &t); err != nil {
			return err
		}
	}
	if err := db.Entomb(ctx, Erasure{ID: retention, At: now, Marks: t.Marks}); err != nil {
		return err
	}
	return db.erasePiece(ctx, ticket.Brand, func(tx *Tx) error {
		// It may have been opened again meanwhile.
		if again, err := oneTicket(ctx, tx, id); err != nil || again.Status.Open() {
			return err
		}
		if err := tx.eraseTicket(ctx, id, t, now); err != nil {
			return err
		}
		if err := tx.emptyLedger(ctx, t.Rows); err != nil {
			return err
		}
		if err := tx.eraseLetters(ctx, t.Letters); err != nil {
			return err
		}
		return tx.queueRedactions(ctx, t.Sids, now)
	})
}

// closedRows are ledger rows with bytes, of tickets closed before $1. Served by
// tickets_kept and ledger_ticket.
const closedRows = `
		SELECT l.id FROM tickets t JOIN ledger l ON l.ticket = t.id
		WHERE t.status IN ('closed', 'spam', 'merged') AND t.erased = 0 AND t.closed > 0 AND t.closed < $1
		AND l.ticket > 0 AND l.size > 0 AND l.disposition <> '' AND `

func (db *DB) retainMails(ctx context.Context, before time.Time, n int, now time.Time) (int, error) {
	ids, err := idList(ctx, db.read, closedRows+`l.channel IN ('email', 'shell', 'web') LIMIT $2`, ms(before), int64(n))
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return len(ids), db.dropBytes(ctx, ids, nil, now)
}

func (db *DB) retainRecordings(ctx context.Context, before time.Time, n int, now time.Time) (int, error) {
	ids, err := idList(ctx, db.read, closedRows+`l.key LIKE 'media:%' LIMIT $2`, ms(before), int64(n))
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	t := Traces{Rows: ids}
	if err := db.traceMarks(ctx, &t); err != nil {
		return 0, err
	}
	return len(ids), db.dropBytes(ctx, ids, t.Sids, now)
}

// dropBytes removes bytes and leaves all that is known of them: their hash, too,
// by which a mailbox is recognised under a new UIDVALIDITY.
func (db *DB) dropBytes(ctx context.Context, ids []int64, sids []string, now time.Time) error {
	return db.write(ctx, func(tx *Tx) error {
		err := chunks(ids, maxIn, func(ids []int64) error {
			if err := tx.dropRaw(ctx, ids); err != nil {
				return err
			}
			values, args := in(nil, ids)
			return tx.later(ctx, `UPDATE ledger SET size = 0 WHERE id IN `+values, args...)
		})
		if err != nil {
			return err
		}
		return tx.queueRedactions(ctx, sids, now)
	})
}

func (db *DB) retainQuarantine(ctx context.Context, before time.Time, n int, now time.Time) (int, error) {
	// Served by ledger_quarantined.
	ids, err := idList(ctx, db.read, `SELECT id FROM ledger WHERE disposition = 'quarantined' AND received < $1 ORDER BY id LIMIT $2`, ms(before), int64(n))
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	t := Traces{Rows: ids}
	if err := db.traceMarks(ctx, &t); err != nil {
		return 0, err
	}
	if err := db.Entomb(ctx, Erasure{ID: retention, At: now, Marks: t.Marks}); err != nil {
		return 0, err
	}
	return len(ids), db.write(ctx, func(tx *Tx) error {
		// What was released meanwhile is decided again, and stays.
		still, err := idList(ctx, tx, `SELECT id FROM ledger WHERE disposition = 'quarantined' AND received < $1 ORDER BY id LIMIT $2`, ms(before), int64(n))
		if err != nil {
			return err
		}
		return tx.emptyLedger(ctx, still)
	})
}

func (db *DB) retainDetails(ctx context.Context, before time.Time, n int, _ time.Time) (removed int, err error) {
	err = db.write(ctx, func(tx *Tx) error {
		// All rows, once a night.
		ids, err := idList(ctx, tx, `
			SELECT l.id FROM ledger l
			WHERE l.decided > 0 AND l.decided < $1 AND l.trace <> '' AND l.disposition <> 'quarantined'
			AND NOT EXISTS (SELECT 1 FROM tickets t WHERE t.id = l.ticket AND t.status IN ('new', 'open', 'pending', 'on_hold', 'resolved'))
			ORDER BY l.id LIMIT $2`, ms(before), int64(n))
		removed = len(ids)
		if err != nil {
			return err
		}
		return chunks(ids, maxIn, func(ids []int64) error {
			values, args := in(nil, ids)
			return tx.later(ctx, `UPDATE ledger SET sender = NULL, recipients = '', detail = '', trace = '', author = '', subject = '' WHERE id IN `+values, args...)
		})
	})
	return removed, err
}

func (db *DB) retainComments(ctx context.Context, before time.Time, n int, _ time.Time) (removed int, err error) {
	err = db.write(ctx, func(tx *Tx) error {
		// Served by surveys_answered.
		ids, err := idList(ctx, tx, `SELECT id FROM surveys WHERE answered > 0 AND answered < $1 AND comment <> '' ORDER BY answered LIMIT $2`, ms(before), int64(n))
		removed = len(ids)
		if err != nil {
			return err
		}
		return chunks(ids, maxIn, func(ids []int64) error {
			values, args := in(nil, ids)
			return tx.later(ctx, `UPDATE surveys SET comment = '' WHERE id IN `+values, args...)
		})
	})
	return removed, err
}
