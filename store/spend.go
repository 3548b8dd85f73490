package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Spent is what a day used of its budget.
type Spent struct {
	Segments, Calls int
}

// Spend adds to what the day ("2026-03-29") has used, when the sum stays within
// limit, and reports whether it did. What is not asked for (0) is not compared:
// a day without segments left may still call. It commits before it returns, so
// that a crash spends rather too much than too little.
func (db *DB) Spend(ctx context.Context, day string, more, limit Spent) (ok bool, err error) {
	if more.Segments > limit.Segments && more.Segments > 0 || more.Calls > limit.Calls && more.Calls > 0 {
		return false, nil
	}
	err = db.write(ctx, func(tx *Tx) error {
		// The condition is asked of the row as it is locked: two that spend the
		// last of the day do not both succeed.
		n, err := tx.exec(ctx, `
			INSERT INTO spent (day, segments, calls) VALUES ($1, $2, $3)
			ON CONFLICT (day) DO UPDATE SET
				segments = spent.segments + excluded.segments,
				calls = spent.calls + excluded.calls
			WHERE (excluded.segments <= 0 OR spent.segments + excluded.segments <= $4)
				AND (excluded.calls <= 0 OR spent.calls + excluded.calls <= $5)`,
			day, int64(more.Segments), int64(more.Calls), int64(limit.Segments), int64(limit.Calls))
		ok = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("spend %+v on %s: %w", more, day, err)
	}
	return ok, nil
}

// SpentOn returns what a day has used.
func (db *DB) SpentOn(ctx context.Context, day string) (s Spent, err error) {
	err = db.read.get(ctx, `SELECT segments, calls FROM spent WHERE day = $1`, []any{day}, &s.Segments, &s.Calls)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Spent{}, fmt.Errorf("load what was spent on %s: %w", day, err)
	}
	return s, nil
}
