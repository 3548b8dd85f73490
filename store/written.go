package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Written returns the bytes of the rows with these keys, of those that there are.
func (db *DB) Written(ctx context.Context, keys []string) (map[string][]byte, error) {
	found := make(map[string][]byte, len(keys))
	err := chunks(keys, maxIn, func(part []string) error {
		list, args := in(nil, part)
		// Served by the unique index of ledger(key), then by raw's primary key.
		return db.read.each(ctx, `SELECT l.key, r.data FROM ledger l JOIN raw r ON r.ledger = l.id WHERE l.key IN `+list, args,
			func(scan func(...any) error) error {
				var key string
				var packed sql.RawBytes
				if err := scan(&key, &packed); err != nil {
					return err
				}
				data, err := db.raw.unpack(packed)
				if err != nil {
					return fmt.Errorf("ledger row %q: %w", key, err)
				}
				found[key] = data
				return nil
			})
	})
	if err != nil {
		return nil, fmt.Errorf("look up %d ledger rows: %w", len(keys), err)
	}
	return found, db.writtenOutside(ctx, keys, found)
}

// writtenOutside adds the rows whose bytes are outside of the database: rare, what
// is looked up by key is small.
func (db *DB) writtenOutside(ctx context.Context, keys []string, found map[string][]byte) error {
	if len(db.blobs.Places) == 0 || len(found) == len(keys) {
		return nil
	}
	outside := map[string]int64{}
	err := chunks(keys, maxIn, func(part []string) error {
		list, args := in(nil, part)
		// Served by the unique index of ledger(key), then by blobs_ledger.
		return db.read.each(ctx, `SELECT l.key, l.id FROM ledger l JOIN blobs b ON b.ledger > 0 AND b.ledger = l.id WHERE l.key IN `+list, args,
			func(scan func(...any) error) error {
				var key string
				var id int64
				err := scan(&key, &id)
				outside[key] = id
				return err
			})
	})
	if err != nil {
		return fmt.Errorf("look up %d ledger rows: %w", len(keys), err)
	}
	for key, id := range outside {
		if found[key], err = db.Raw(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// HasKeys returns those of the keys that have a row.
func (db *DB) HasKeys(ctx context.Context, keys []string) (map[string]bool, error) {
	found := make(map[string]bool, len(keys))
	err := chunks(keys, maxIn, func(part []string) error {
		list, args := in(nil, part)
		// Served by the unique index of ledger(key), without touching the rows.
		return db.read.each(ctx, `SELECT key FROM ledger WHERE key IN `+list, args,
			func(scan func(...any) error) error {
				var key string
				err := scan(&key)
				found[key] = true
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("look up %d keys of the ledger: %w", len(keys), err)
	}
	return found, nil
}
