package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Lease takes or renews the named lease for this node until until, and reports
// whether the node has it. Leases of other nodes that have run out at now are
// taken over.
func (db *DB) Lease(ctx context.Context, name string, now, until time.Time) (has bool, err error) {
	err = db.write(ctx, func(tx *Tx) error {
		err := tx.get(ctx, `
			INSERT INTO leases (name, node, until) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET node = excluded.node, until = excluded.until
			WHERE leases.node = excluded.node OR leases.until <= $4
			RETURNING name`, []any{name, db.node, ms(until), ms(now)}, new(string))
		has = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("lease %q: %w", name, err)
	}
	return has, nil
}

// Unlease gives the lease back; one that another node has stays.
func (db *DB) Unlease(ctx context.Context, name string) error {
	err := db.write(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `DELETE FROM leases WHERE name = $1 AND node = $2`, name, db.node)
		return err
	})
	if err != nil {
		return fmt.Errorf("give lease %q back: %w", name, err)
	}
	return nil
}

// Once records that the named occurrence happened and reports whether this was
// the first time: what makes a daily letter leave once.
func (tx *Tx) Once(ctx context.Context, name, occurrence string) (bool, error) {
	n, err := tx.exec(ctx, `INSERT INTO once (name, occurrence) VALUES ($1, $2) ON CONFLICT DO NOTHING`, name, occurrence)
	if err != nil {
		return false, fmt.Errorf("record %s %q: %w", name, occurrence, err)
	}
	return n == 1, nil
}
