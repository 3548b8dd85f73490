package store

import (
	"context"
	"fmt"
	"time"
)

// TakeOver ends the claims of other nodes on the undecided rows of a brand:
// whoever decides for the brand from now on finds them in order of arrival, and
// what a late one makes of them is refused.
func (db *DB) TakeOver(ctx context.Context, brand string) error {
	err := db.write(ctx, func(tx *Tx) error {
		// Served by ledger_undecided. A row that nobody claimed waits for its
		// files (Item.Hold); one that was put off goes early, and is put off again.
		_, err := tx.exec(ctx, `
			UPDATE ledger SET claimed_until = 0, epoch = epoch + 1
			WHERE disposition = '' AND brand = $1 AND claimed_until > 0 AND epoch > 0 AND node <> $2`, brand, db.node)
		return err
	})
	if err != nil {
		return fmt.Errorf("take over brand %q: %w", brand, err)
	}
	return nil
}

// Bury ends the claims of a node that is gone on letters that it had not begun
// to send, and returns how many. A letter in doubt keeps its claim: the mail
// server may be about to answer, and whoever sent it may be about to wake up.
func (db *DB) Bury(ctx context.Context, node string, now time.Time) (letters int64, err error) {
	err = db.write(ctx, func(tx *Tx) error {
		// Served by letters_waiting.
		letters, err = tx.exec(ctx, `
			UPDATE letters SET claimed_until = 0, epoch = epoch + 1
			WHERE state IN ('queued', 'dot') AND state = 'queued' AND claimed_until > $2 AND node = $1`, node, ms(now))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("end the claims of node %q: %w", node, err)
	}
	return letters, nil
}
