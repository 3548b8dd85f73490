package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"frontdesk/tickets"
)

// Alerts lists the alerts that last, and those that operators were told of since.
func (db *DB) Alerts(ctx context.Context, since time.Time) ([]tickets.Alert, error) {
	return alerts(ctx, db.read, since)
}

// Alerts is DB.Alerts within a decision.
func (tx *Tx) Alerts(ctx context.Context, since time.Time) ([]tickets.Alert, error) {
	return alerts(ctx, tx, since)
}

func alerts(ctx context.Context, q querier, since time.Time) (list []tickets.Alert, err error) {
	// A few rows: one for each thing that was ever wrong.
	err = q.each(ctx, `
		SELECT
			key,
			text,
			hint,
			node,
			mailbox,
			sending,
			passing,
			since,
			told,
			times,
			cleared
		FROM alerts WHERE cleared = 0 OR told >= $1 ORDER BY key`, []any{ms(since)},
		func(scan func(...any) error) error {
			var a tickets.Alert
			err := scan(&a.Key, &a.Text, &a.Hint, &a.Node, &a.Mailbox, &a.Sending, &a.Passing,
				timeDest{&a.Since}, timeDest{&a.Told}, &a.Times, timeDest{&a.Cleared})
			list = append(list, a)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	return list, nil
}

// SaveAlert writes the row of an alert.
func (tx *Tx) SaveAlert(ctx context.Context, a tickets.Alert) error {
	err := tx.later(ctx, `
		INSERT INTO alerts (
			key,
			text,
			hint,
			node,
			mailbox,
			sending,
			passing,
			since,
			told,
			times,
			cleared
		) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (key) DO UPDATE SET
			text = excluded.text,
			hint = excluded.hint,
			node = excluded.node,
			mailbox = excluded.mailbox,
			sending = excluded.sending,
			passing = excluded.passing,
			since = excluded.since,
			told = excluded.told,
			times = excluded.times,
			cleared = excluded.cleared`,
		a.Key, a.Text, a.Hint, a.Node, a.Mailbox, a.Sending, a.Passing, ms(a.Since), ms(a.Told), int64(a.Times), ms(a.Cleared))
	if err != nil {
		return fmt.Errorf("save alert %q: %w", a.Key, err)
	}
	return nil
}

// AlertPost is an alert for a webhook or a program.
type AlertPost struct {
	ID       int64
	Target   string // "webhook" or "command"
	Body     string // JSON
	Since    time.Time
	Attempts int // before this one
}

// AddAlertPost keeps an alert until its target has taken it.
func (tx *Tx) AddAlertPost(ctx context.Context, target, body string, now time.Time) error {
	err := tx.later(ctx, `INSERT INTO alert_posts (target, body, since, due) VALUES ($1, $2, $3, $3)`, target, body, ms(now))
	if err != nil {
		return fmt.Errorf("keep alert for the %s: %w", target, err)
	}
	return nil
}

// ClaimAlertPost hands out the oldest post that is due, until until; ok is false
// when none is.
func (db *DB) ClaimAlertPost(ctx context.Context, now, until time.Time) (p AlertPost, ok bool, err error) {
	var due []int64
	// The table holds what is not taken yet: mostly nothing.
	err = db.read.each(ctx, `SELECT id FROM alert_posts WHERE due <= $1 ORDER BY id LIMIT 1`, []any{ms(now)}, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		due = append(due, id)
		return err
	})
	if err == nil && len(due) > 0 {
		err = db.write(ctx, func(tx *Tx) error {
			ok = false
			return tx.each(ctx, `
				UPDATE alert_posts SET due = $3, attempts = attempts + 1
				WHERE id = $1 AND due <= $2
				RETURNING id, target, body, since, attempts - 1`, []any{due[0], ms(now), ms(until)}, func(scan func(...any) error) error {
				ok = true
				return scan(&p.ID, &p.Target, &p.Body, timeDest{&p.Since}, &p.Attempts)
			})
		})
	}
	if err != nil {
		return p, false, fmt.Errorf("look for alerts to hand over: %w", err)
	}
	return p, ok, nil
}

// EndAlertPost forgets a post that was taken or given up.
func (db *DB) EndAlertPost(ctx context.Context, id int64) error {
	err := db.write(ctx, func(tx *Tx) error { return tx.later(ctx, `DELETE FROM alert_posts WHERE id = $1`, id) })
	if err != nil {
		return fmt.Errorf("end alert post %d: %w", id, err)
	}
	return nil
}

// DelayAlertPost says when a post that was not taken is tried again.
func (db *DB) DelayAlertPost(ctx context.Context, id int64, due time.Time) error {
	err := db.write(ctx, func(tx *Tx) error {
		return tx.later(ctx, `UPDATE alert_posts SET due = $2 WHERE id = $1`, id, ms(due))
	})
	if err != nil {
		return fmt.Errorf("delay alert post %d: %w", id, err)
	}
	return nil
}

// Poisoned counts the mails in quarantine that could not be handled or fetched,
// and names the newest.
func (db *DB) Poisoned(ctx context.Context) (n int, last int64, err error) {
	// Served by ledger_quarantined.
	err = db.read.get(ctx, `
		SELECT COUNT(*), COALESCE(MAX(id), 0) FROM ledger
		WHERE disposition = 'quarantined' AND reason IN ('poison', 'unfetched')`, nil, &n, &last)
	if err != nil {
		return 0, 0, fmt.Errorf("count poisoned mails: %w", err)
	}
	return n, last, nil
}

// OldestLetter returns the letter that has been in the outbox longest of those
// that are to leave before soon, and since when; 0 none.
func (db *DB) OldestLetter(ctx context.Context, soon time.Time) (id int64, queued time.Time, err error) {
	// Served by letters_waiting, the index of what is not sent yet. The sum keeps
	// SQLite from looking for the least id in the order of the table: with nothing
	// waiting that is all of it.
	err = db.read.get(ctx, `
		SELECT id, queued FROM letters
		WHERE id = (SELECT MIN(id + 0) FROM letters WHERE state IN ('queued', 'dot') AND due <= $1)`, []any{ms(soon)}, &id, timeDest{&queued})
	if errors.Is(err, sql.ErrNoRows) {
		return 0, time.Time{}, nil
	}
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("look for the oldest letter: %w", err)
	}
	return id, queued, nil
}
