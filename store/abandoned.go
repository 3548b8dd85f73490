package store

import (
	"context"
	"fmt"
)

// abandoned ends every claim and lease of a daemon that died. Whoever holds the
// lock of an SQLite store is alone with it, so that nothing found claimed at
// the start can still be in anybody's hands: without this a restart would wait
// for the claims to run out. With PostgreSQL other nodes may be at work, and
// claims run out by themselves.
func (db *DB) abandoned(ctx context.Context) error {
	err := db.write(ctx, func(tx *Tx) error {
		for _, text := range []string{
			// Served by ledger_undecided. A row that nobody claimed yet waits for
			// its files (Item.Hold). One whose decision was put off goes early: it
			// is put off again.
			`UPDATE ledger SET claimed_until = 0 WHERE disposition = '' AND claimed_until > 0 AND epoch > 0`,
			// The files that are still to be fetched: few.
			`UPDATE fetches SET claimed_until = 0 WHERE claimed_until > 0`,
			// Served by letters_waiting.
			`UPDATE letters SET claimed_until = 0 WHERE state IN ('queued', 'dot') AND claimed_until > 0`,
			`DELETE FROM leases`,
		} {
			if _, err := tx.exec(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("end the claims of a daemon that died: %w", err)
	}
	return nil
}
