package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Quarantine lists quarantined rows that are neither released nor dropped,
// oldest first.
func (db *DB) Quarantine(ctx context.Context) ([]Entry, error) {
	list, err := db.entries(ctx, `disposition = 'quarantined'`) // ledger_quarantined
	if err != nil {
		return nil, fmt.Errorf("list the quarantine: %w", err)
	}
	return list, nil
}

// ReleaseQuarantined hands rows back to the worker, in the name of by.
// DropQuarantined ends them as discarded. Both return how many it met, and
// leave rows that are not quarantined alone.
func (db *DB) ReleaseQuarantined(ctx context.Context, ids []int64, by string, now time.Time) (met int, err error) {
	err = db.write(ctx, func(tx *Tx) error { met, err = tx.release(ctx, ids, by); return err })
	if err != nil {
		return 0, fmt.Errorf("release %d quarantined rows: %w", len(ids), err)
	}
	return met, nil
}

// DropQuarantined is described at ReleaseQuarantined.
func (db *DB) DropQuarantined(ctx context.Context, ids []int64, by string, now time.Time) (met int, err error) {
	err = db.write(ctx, func(tx *Tx) error { met, err = tx.drop(ctx, ids, by, now); return err })
	if err != nil {
		return 0, fmt.Errorf("drop %d quarantined rows: %w", len(ids), err)
	}
	return met, nil
}

// release makes rows undecided again. Their attempts start anew, or a row that
// was quarantined for too many of them could never be tried. The epoch moves
// on: what a late worker found before the release no longer counts.
//
// released grows by REASON=WHO, so that the decision knows which checks were
// answered: a mail that was held for two of them is released twice.
func (tx *Tx) release(ctx context.Context, ids []int64, by string) (met int, err error) {
	if by = strings.Join(strings.Fields(by), "_"); by == "" {
		by = "operator" // "" would say never released
	}
	err = chunks(ids, maxIn, func(ids []int64) error {
		list, args := in([]any{by}, ids)
		n, err := tx.exec(ctx, `
			UPDATE ledger SET
				disposition = '',
				released = released || ' ' || reason || '=' || $1,
				epoch = epoch + 1,
				reason = '',
				detail = '',
				claimed_until = 0,
				attempts = 0,
				decided = 0
			WHERE disposition = 'quarantined' AND id IN `+list, args...)
		met += int(n)
		return err
	})
	return met, err
}

// answered reads what release wrote: the reasons, and who released it last.
func answered(released string) (reasons []string, by string) {
	for _, f := range strings.Fields(released) {
		i := strings.IndexByte(f, '=')
		if i > 0 {
			reasons = append(reasons, f[:i])
		}
		by = f[i+1:]
	}
	return reasons, by
}

func (tx *Tx) drop(ctx context.Context, ids []int64, by string, now time.Time) (met int, err error) {
	err = chunks(ids, maxIn, func(ids []int64) error {
		list, args := in([]any{"by " + by, ms(now)}, ids)
		n, err := tx.exec(ctx, `
			UPDATE ledger SET
				disposition = 'discarded',
				reason = 'dropped',
				detail = $1,
				decided = $2
			WHERE disposition = 'quarantined' AND id IN `+list, args...)
		met += int(n)
		return err
	})
	return met, err
}
