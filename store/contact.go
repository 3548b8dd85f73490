package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// ContactRow is one row of a contact.
type ContactRow struct {
	ID       int64
	Key      string
	Brand    string
	Mailbox  string
	Received time.Time
	SHA256   [32]byte
	Size     int // of the bytes, whether Data is here or not
	Data     []byte
	Decided  bool
	Waiting  bool // a file it named is still to be fetched
}

// maxContactData is the size of a row whose bytes come with its contact.
// Webhooks are a few kilobytes, recordings are not wanted.
const maxContactData = 256 << 10

// Contact returns all rows of a contact, decided or not, in order of arrival.
// Data of rows larger than 256 KB (recordings) is left nil.
func (tx *Tx) Contact(ctx context.Context, contact string) ([]ContactRow, error) {
	var rows []ContactRow
	if contact == "" { // rows without one belong to nothing
		return nil, nil
	}
	// Served by ledger_contact, the primary key of raw, blobs_ledger and fetches_ledger.
	err := tx.each(ctx, `
		SELECT
			l.id,
			l.key,
			l.brand,
			l.mailbox,
			l.received,
			l.sha256,
			l.size,
			CASE WHEN l.size <= $2 THEN r.data END,
			l.disposition <> '',
			EXISTS (SELECT 1 FROM fetches f WHERE f.ledger = l.id)
		FROM ledger l LEFT JOIN raw r ON r.ledger = l.id
		WHERE l.contact <> '' AND l.contact = $1
		AND (r.ledger IS NOT NULL OR EXISTS (SELECT 1 FROM blobs b WHERE b.ledger > 0 AND b.ledger = l.id))
		ORDER BY l.id`, []any{contact, int64(maxContactData)},
		func(scan func(...any) error) error {
			var row ContactRow
			var packed sql.RawBytes
			err := scan(&row.ID, &row.Key, &row.Brand, &row.Mailbox, timeDest{&row.Received}, sumDest{&row.SHA256}, &row.Size, &packed, &row.Decided, &row.Waiting)
			if err == nil && packed != nil {
				row.Data, err = tx.db.raw.unpack(packed)
			}
			rows = append(rows, row)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("load the rows of contact %q: %w", contact, err)
	}
	return rows, nil
}

// LetGo lets the undecided rows of a contact be claimed at once: what they
// waited for has come. A worker that has one of them in hand loses it: it has
// not seen what came.
func (db *DB) LetGo(ctx context.Context, contact string) error {
	if contact == "" {
		return nil
	}
	err := db.write(ctx, func(tx *Tx) error {
		// Served by ledger_contact.
		return tx.later(ctx, `UPDATE ledger SET`+letGo+` WHERE contact <> '' AND contact = $1 AND disposition = ''`, contact)
	})
	if err != nil {
		return fmt.Errorf("let the rows of contact %q go: %w", contact, err)
	}
	return nil
}

// letGo makes a row claimable at once and takes it from whoever has it.
const letGo = `
			claimed_until = 0,
			epoch = epoch + 1`

// deferred puts the decision on a claimed row off until then. It is no failed
// attempt. ErrLost as in decided.
func (s *saver) deferred(ctx context.Context) error {
	args := []any{s.ledger, ms(s.c.Defer)}
	claimed := ``
	if s.epoch != 0 {
		claimed, args = ` AND epoch = $3`, append(args, s.epoch)
	}
	n, err := s.tx.exec(ctx, `
		UPDATE ledger SET
			claimed_until = $2,
			attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END
		WHERE id = $1 AND disposition = ''`+claimed, args...)
	if err == nil && n == 0 {
		err = ErrLost
	}
	return err
}
