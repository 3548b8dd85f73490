package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"hash"
	"time"
)

// Sum is what two copies of a table are compared by.
type Sum struct {
	Rows int64    // how many
	Last int64    // the highest id
	Hash [32]byte // over the columns that never change, in order of id
}

// summed are the tables that only grow, with columns that never change once
// they are written. Everything else follows from these or is state.
var summed = []struct{ table, columns string }{
	{"ledger", `key, sha256, received`},
	{"messages", `message_id, content, received, body`},
	// Only the end of an imported ticket moves, while its history comes in.
	{"events", `CASE WHEN who = 'import' THEN 0 ELSE at END, who, what, detail`},
	{"letters", `kind, to_address, queued`},
	{"tickets", `brand, opened`},
}

// Sums sums up what the store holds, by table, up to the ids given as Last (nil
// or 0: all). A backup is whole when its sums are those of the store it was
// made of, up to the backup's last ids.
func (db *DB) Sums(ctx context.Context, upTo map[string]Sum) (map[string]Sum, error) {
	out := make(map[string]Sum)
	for _, t := range summed {
		s, err := db.sum(ctx, t.table, t.columns, upTo[t.table].Last)
		if err != nil {
			return nil, fmt.Errorf("sum up %s: %w", t.table, err)
		}
		out[t.table] = s
	}
	return out, nil
}

func (db *DB) sum(ctx context.Context, table, columns string, last int64) (s Sum, err error) {
	h := sha256.New()
	// By the primary key, all rows.
	err = db.read.each(ctx, `SELECT id, `+columns+` FROM `+table+` WHERE CAST($1 AS BIGINT) = 0 OR id <= $1 ORDER BY id`, []any{last},
		func(scan func(...any) error) error {
			var id int64
			var a, b, c, d sql.RawBytes
			dest := []any{&id, &a, &b, &c, &d}[:2+commas(columns)]
			if err := scan(dest...); err != nil {
				return err
			}
			s.Rows, s.Last = s.Rows+1, id
			hashFields(h, id, a, b, c, d)
			return nil
		})
	copy(s.Hash[:], h.Sum(nil))
	return s, err
}

func commas(s string) (n int) {
	for _, r := range s {
		if r == ',' {
			n++
		}
	}
	return n
}

// hashFields writes fields with their lengths, so that none can stand for two.
func hashFields(h hash.Hash, id int64, fields ...sql.RawBytes) {
	fmt.Fprintf(h, "%d", id)
	for _, f := range fields {
		fmt.Fprintf(h, ",%d:", len(f))
		h.Write(f)
	}
}

// CheckRaw unpacks the bytes of every ledger row and compares them with their
// hash. seen is called after each row; the error names the first bad one.
func (db *DB) CheckRaw(ctx context.Context, seen func()) error {
	err := db.read.each(ctx, `
		SELECT
			l.id,
			l.sha256,
			l.size,
			CASE WHEN l.size <= $1 THEN r.data END
		FROM ledger l LEFT JOIN raw r ON r.ledger = l.id
		ORDER BY l.id`, []any{int64(LargeMail)},
		func(scan func(...any) error) error {
			var id, size int64
			var sum [32]byte
			var packed sql.RawBytes
			if err := scan(&id, sumDest{&sum}, &size, &packed); err != nil {
				return err
			}
			if size == 0 && packed == nil { // erased, or kept no longer
				seen()
				return nil
			}
			data, err := db.unpackOrLoad(ctx, id, packed)
			switch {
			case errors.Is(err, ErrNotFound):
				return fmt.Errorf("ledger row %d has no bytes", id)
			case err != nil:
				return fmt.Errorf("ledger row %d: %w", id, err)
			case int64(len(data)) != size || sha256.Sum256(data) != sum:
				return fmt.Errorf("ledger row %d: its bytes are not those that came in", id)
			}
			seen()
			return nil
		})
	if err != nil {
		return fmt.Errorf("check the raw mails: %w", err)
	}
	return nil
}

// unpackOrLoad unpacks the bytes of a row, or loads those of a large mail.
func (db *DB) unpackOrLoad(ctx context.Context, ledger int64, packed []byte) ([]byte, error) {
	if packed == nil {
		return db.Raw(ctx, ledger)
	}
	return db.raw.unpack(packed)
}

// Arrivals returns when the oldest undecided row and the newest row of all came
// in; zero when there is none.
func (db *DB) Arrivals(ctx context.Context) (undecided, newest time.Time, err error) {
	// The first by ledger_undecided; the second reads one row at the end.
	err = db.read.get(ctx, `
		SELECT
			COALESCE((SELECT MIN(received) FROM ledger WHERE disposition = ''), 0),
			COALESCE((SELECT received FROM ledger ORDER BY id DESC LIMIT 1), 0)`, nil, timeDest{&undecided}, timeDest{&newest})
	if err != nil {
		return undecided, newest, fmt.Errorf("look for the oldest undecided row: %w", err)
	}
	return undecided, newest, nil
}

// FirstArrival returns when the first row of all came in, zero when there is
// none.
func (db *DB) FirstArrival(ctx context.Context) (first time.Time, err error) {
	err = db.read.get(ctx, `SELECT COALESCE((SELECT received FROM ledger ORDER BY id LIMIT 1), 0)`, nil, timeDest{&first})
	if err != nil {
		return first, fmt.Errorf("look for the first row: %w", err)
	}
	return first, nil
}
