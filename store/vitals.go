package store

import (
	"context"
	"fmt"
	"time"
)

// Vitals are the figures that a monitor asks for again and again: none of them
// costs more when the store holds more history.
type Vitals struct {
	Undecided       int       // ledger rows
	OldestUndecided time.Time // when it came in, zero none
	Quarantined     int
	OldestHeld      time.Time // mail in quarantine
	Waiting         int       // letters queued or in doubt
	OldestWaiting   time.Time // when it was queued; letters for a later time not counted
	Held, Failed    int       // letters
	Open            map[string]OpenTickets
	Fetches         int // recordings and pictures that are still to be fetched
	Size            int64
}

// OpenTickets are those of one brand that are not resolved.
type OpenTickets struct {
	Open, Unassigned int
	Overdue          int // a promise is missed and not kept since
}

// Vitals reads them.
func (db *DB) Vitals(ctx context.Context, now time.Time) (v Vitals, err error) {
	// By ledger_undecided, ledger_quarantined, letters_waiting (twice),
	// letters_trouble (twice; it is taken for its own condition alone) and
	// fetches: what they hold is little.
	err = db.read.get(ctx, `
		SELECT
			(SELECT COUNT(*) FROM ledger WHERE disposition = ''),
			COALESCE((SELECT MIN(received) FROM ledger WHERE disposition = ''), 0),
			(SELECT COUNT(*) FROM ledger WHERE disposition = 'quarantined'),
			COALESCE((SELECT MIN(received) FROM ledger WHERE disposition = 'quarantined'), 0),
			(SELECT COUNT(*) FROM letters WHERE state IN ('queued', 'dot')),
			COALESCE((SELECT MIN(queued) FROM letters WHERE state IN ('queued', 'dot') AND (due <= $1 OR attempts > 0)), 0),
			(SELECT COUNT(*) FROM letters WHERE state IN ('held', 'failed') AND state = 'held'),
			(SELECT COUNT(*) FROM letters WHERE state IN ('held', 'failed') AND state = 'failed'),
			(SELECT COUNT(*) FROM fetches)`, []any{ms(now)},
		&v.Undecided, timeDest{&v.OldestUndecided}, &v.Quarantined, timeDest{&v.OldestHeld},
		&v.Waiting, timeDest{&v.OldestWaiting}, &v.Held, &v.Failed, &v.Fetches)
	if err != nil {
		return v, fmt.Errorf("read the vitals: %w", err)
	}
	v.Open = map[string]OpenTickets{}
	// By tickets_open, which is taken for its own condition alone.
	err = db.read.each(ctx, `
		SELECT
			brand,
			COUNT(*),
			COALESCE(SUM(CASE WHEN assignee = '' THEN 1 ELSE 0 END), 0),
			COALESCE(SUM(CASE WHEN next_due > 0 AND next_due <= $1 THEN 1 ELSE 0 END), 0)
		FROM tickets
		WHERE status IN ('new', 'open', 'pending', 'on_hold', 'resolved') AND status <> 'resolved'
		GROUP BY brand`, []any{ms(now)},
		func(scan func(...any) error) error {
			var brand string
			var o OpenTickets
			err := scan(&brand, &o.Open, &o.Unassigned, &o.Overdue)
			v.Open[brand] = o
			return err
		})
	if err != nil {
		return v, fmt.Errorf("count the open tickets: %w", err)
	}
	v.Size, err = db.Size(ctx)
	return v, err
}

// Size is how many bytes the database takes on disk.
func (db *DB) Size(ctx context.Context) (int64, error) {
	n, err := db.engine.size(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask for the size of the database: %w", err)
	}
	return n, nil
}
