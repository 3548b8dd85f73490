package store

import (
	"context"
	"fmt"
	"time"
)

// CodeRestored is the code of letters that are held since a restore, or because
// of one: they may have left in the time that the backup does not know of.
const CodeRestored = "restored"

// NoteRestore notes that the database was put back from a backup, and holds
// every letter that it takes for unsent. From the next Open on, what is decided
// about what came before now, or was due before now, is decided as ever, but
// its letters are held: the desk may have written them before. It returns how
// many letters were waiting.
func (db *DB) NoteRestore(ctx context.Context, now time.Time) (held int, err error) {
	err = db.write(ctx, func(tx *Tx) error {
		// A command of an operator, once in a lifetime: no index serves it.
		_, err := tx.exec(ctx, `
			INSERT INTO restores (at, newest)
			SELECT CAST($1 AS BIGINT), COALESCE(MAX(at), 0) FROM (
				SELECT MAX(received) AS at FROM ledger
				UNION ALL
				SELECT MAX(queued) FROM letters
			) AS known WHERE TRUE
			ON CONFLICT (at) DO NOTHING`, ms(now))
		return err
	})
	if err == nil {
		held, err = db.holdAll(ctx, now)
	}
	if err != nil {
		return held, fmt.Errorf("note the restore: %w", err)
	}
	return held, nil
}

// holdAll holds the letters that wait. Those that were held until the customer
// writes may have left since the backup: they wait for the operator, too.
func (db *DB) holdAll(ctx context.Context, now time.Time) (held int, err error) {
	last := int64(0)
	for {
		var list []LetterInfo
		err := db.read.each(ctx, `SELECT`+infoColumns+` FROM letters WHERE state IN ('queued', 'dot', 'held') AND id > $1 ORDER BY id LIMIT 1000`,
			[]any{last}, func(scan func(...any) error) error {
				var l LetterInfo
				err := scan(infoDest(&l)...)
				list = append(list, l)
				return err
			})
		if err != nil || len(list) == 0 {
			return held, err
		}
		for _, l := range list {
			if err := db.setLetterCode(ctx, l.ID, LetterHeld, CodeRestored, "restore", now); err != nil {
				return held, err
			}
			if l.State != LetterHeld {
				held++
			}
			last = l.ID
		}
	}
}

// loadRestored reads when the database was put back last.
func (db *DB) loadRestored(ctx context.Context) error {
	if err := db.read.get(ctx, `SELECT COALESCE(MAX(at), 0) FROM restores`, nil, timeDest{&db.restored}); err != nil {
		return fmt.Errorf("read when the database was restored: %w", err)
	}
	return nil
}

// Restored is when the database was put back from a backup last, zero never.
func (db *DB) Restored() time.Time { return db.restored }

type causeKey struct{}

// Caused returns a context under which Save takes what it saves for caused at
// that time: a date that came, a call that ended. See NoteRestore.
func Caused(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, causeKey{}, at)
}

// mayHaveLeft reports whether the letters of a decision may have left before:
// what caused it lies before the restore. Zero times are unknown.
func (db *DB) mayHaveLeft(ctx context.Context, received time.Time) bool {
	cause, _ := ctx.Value(causeKey{}).(time.Time)
	for _, at := range []time.Time{received, cause} {
		if !at.IsZero() && !at.After(db.restored) {
			return true
		}
	}
	return false
}
