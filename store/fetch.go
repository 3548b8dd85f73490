package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"frontdesk/tickets"
)

// Download is a claimed Fetch.
type Download struct {
	ID int64
	Fetch
	Ledger   int64 // row that asked for it
	Brand    string
	Contact  string // of that row
	Attempts int    // before this one
	Since    time.Time
	Epoch    int64
}

// appendFetches notes the files that a new ledger row names. One that is in
// the ledger, or is being fetched for another row, is not fetched again.
func (tx *Tx) appendFetches(ctx context.Context, ledger int64, it *Item) error {
	for _, f := range it.Fetch {
		// Served by the unique key of the ledger.
		err := tx.later(ctx, `
			INSERT INTO fetches (
				key,
				ledger,
				brand,
				contact,
				sid,
				url,
				content_type,
				filename,
				due,
				since
			) SELECT
				CAST($1 AS TEXT),
				CAST($2 AS BIGINT),
				CAST($3 AS TEXT),
				CAST($4 AS TEXT),
				CAST($5 AS TEXT),
				CAST($6 AS TEXT),
				CAST($7 AS TEXT),
				CAST($8 AS TEXT),
				CAST($9 AS BIGINT),
				CAST($9 AS BIGINT)
			WHERE NOT EXISTS (SELECT 1 FROM ledger WHERE key = $1)
			ON CONFLICT (key) DO NOTHING`,
			f.Key, ledger, it.Brand, it.Contact, f.RecordingSid, f.URL, f.ContentType, f.Filename, ms(it.Received))
		if err != nil {
			return err
		}
	}
	return nil
}

// ClaimFetches hands out at most n files that are to be fetched at now, the
// longest due first; a claim lasts until until.
func (db *DB) ClaimFetches(ctx context.Context, n int, now, until time.Time) (list []Download, err error) {
	err = db.write(ctx, func(tx *Tx) error { list, err = tx.claimFetches(ctx, n, now, until); return err })
	if err != nil {
		return nil, fmt.Errorf("claim %d files to fetch: %w", n, err)
	}
	return list, nil
}

func (tx *Tx) claimFetches(ctx context.Context, n int, now, until time.Time) (list []Download, err error) {
	due := make(map[int64]int64)
	// Served by fetches_due. The condition stands twice as in claimLedger.
	err = tx.each(ctx, `
		UPDATE fetches SET
			claimed_until = $2,
			epoch = epoch + 1,
			attempts = attempts + 1
		WHERE due <= $1 AND claimed_until <= $1 AND id IN (
			SELECT id FROM fetches
			WHERE due <= $1 AND claimed_until <= $1
			ORDER BY due, id LIMIT $3
		)
		RETURNING
			id,
			key,
			ledger,
			brand,
			contact,
			sid,
			url,
			content_type,
			filename,
			attempts - 1,
			since,
			epoch,
			due`, []any{ms(now), ms(until), int64(n)},
		func(scan func(...any) error) error {
			var d Download
			var at int64
			err := scan(&d.ID, &d.Key, &d.Ledger, &d.Brand, &d.Contact, &d.RecordingSid, &d.URL, &d.ContentType, &d.Filename,
				&d.Attempts, timeDest{&d.Since}, &d.Epoch, &at)
			list, due[d.ID] = append(list, d), at
			return err
		})
	slices.SortFunc(list, func(a, b Download) int {
		return cmp.Or(cmp.Compare(due[a.ID], due[b.ID]), cmp.Compare(a.ID, b.ID))
	})
	return list, err
}

// NextFetch returns when the next file is to be fetched, zero when none is. A
// claimed one is to be fetched when its claim runs out.
func (db *DB) NextFetch(ctx context.Context) (next time.Time, err error) {
	// All rows: what is fetched is gone.
	err = db.read.get(ctx, `SELECT COALESCE(MIN(CASE WHEN claimed_until > due THEN claimed_until ELSE due END), 0) FROM fetches`, nil, timeDest{&next})
	if err != nil {
		return time.Time{}, fmt.Errorf("look for the next file to fetch: %w", err)
	}
	return next, nil
}

// Fetched puts the file into the ledger (item.Key is d.Key) and, when it was the
// last one that d.Ledger waited for, lets that row be claimed at once. All in
// one transaction; ErrLost when somebody else has fetched it.
func (db *DB) Fetched(ctx context.Context, d Download, item Item) error {
	within, cancel, packed, err := db.stow(ctx, []Item{item})
	defer cancel()
	if err != nil {
		return fmt.Errorf("store file %q: %w", d.Key, err)
	}
	err = db.write(within, func(tx *Tx) error {
		ctx := within
		if err := tx.endFetch(ctx, d); err != nil {
			return err
		}
		_, err := tx.appendItem(ctx, &item, packed[0])
		return err
	})
	if err != nil {
		return fmt.Errorf("store file %q: %w", d.Key, err)
	}
	return nil
}

// FetchFailed puts the next attempt off until next; zero gives up, and d.Ledger
// waits for it no more. ErrLost when somebody else has it in hand.
func (db *DB) FetchFailed(ctx context.Context, d Download, why string, next time.Time) error {
	err := db.write(ctx, func(tx *Tx) error {
		if next.IsZero() {
			return tx.endFetch(ctx, d)
		}
		return lost(tx.exec(ctx, `UPDATE fetches SET due = $3, claimed_until = 0, error = $4 WHERE id = $1 AND epoch = $2`,
			d.ID, d.Epoch, ms(next), why))
	})
	if err != nil {
		return fmt.Errorf("note that file %q was not fetched: %w", d.Key, err)
	}
	return nil
}

// lost turns a claim that met no row into ErrLost.
func lost(met int64, err error) error {
	if err == nil && met == 0 {
		return ErrLost
	}
	return err
}

// endFetch forgets a file and lets the row go that waited for it and waits for
// no other. The ledger row is locked first: of two that end the last two files
// at once, the second sees what the first did.
func (tx *Tx) endFetch(ctx context.Context, d Download) error {
	var brand string
	err := tx.get(ctx, `UPDATE ledger SET brand = brand WHERE id = $1 RETURNING brand`, []any{d.Ledger}, &brand)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err := lost(tx.exec(ctx, `DELETE FROM fetches WHERE id = $1 AND epoch = $2`, d.ID, d.Epoch)); err != nil {
		return err
	}
	if d.Contact != "" {
		// Another row of the call may have been put off for the sake of the file.
		// Served by ledger_contact and fetches_ledger.
		return tx.later(ctx, `UPDATE ledger SET`+letGo+`
			WHERE contact <> '' AND contact = $2 AND disposition = '' AND NOT EXISTS (SELECT 1 FROM fetches WHERE ledger = $1)`, d.Ledger, d.Contact)
	}
	// Served by fetches_ledger.
	return tx.later(ctx, `UPDATE ledger SET`+letGo+`
		WHERE id = $1 AND disposition = '' AND NOT EXISTS (SELECT 1 FROM fetches WHERE ledger = $1)`, d.Ledger)
}

// SentTexts returns the MessageSids (CallSids) of letters to an address that
// left since a time: what a lookup at the telephone company must not take for
// another letter.
func (db *DB) SentTexts(ctx context.Context, to string, since time.Time) (sids []string, err error) {
	// Served by letters_texts: a letter to a number has no domain.
	err = db.read.each(ctx, `
		SELECT message_id FROM letters
		WHERE to_domain = '' AND to_address = $1 AND message_id <> '' AND (sent = 0 OR sent >= $2)
		ORDER BY id`, []any{tickets.NormalAddress(to), ms(since)},
		func(scan func(...any) error) error {
			var sid string
			err := scan(&sid)
			sids = append(sids, sid)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list texts and calls to a number: %w", err)
	}
	return sids, nil
}
