package store

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// undelivered is the name under which Once notes that agents were told.
const undelivered = "undelivered"

// Untold lists letters to customers of the brand that failed since and that
// nobody was told about yet, oldest first, at most n.
func (db *DB) Untold(ctx context.Context, brand string, since time.Time, n int) ([]LetterInfo, error) {
	var list []LetterInfo
	// Served by letters_trouble, which the condition of that index has to name:
	// without it SQLite reads all letters. The key of once is read for each failed
	// one.
	err := db.read.each(ctx, `SELECT`+infoColumns+`
		FROM letters
		WHERE state IN ('held', 'failed') AND state = 'failed' AND brand = $1 AND agent = FALSE AND ticket IS NOT NULL AND queued >= $2
			AND NOT EXISTS (SELECT 1 FROM once WHERE name = $3 AND occurrence = CAST(letters.id AS TEXT))
		ORDER BY id LIMIT $4`, []any{brand, ms(since), undelivered, int64(n)},
		func(scan func(...any) error) error {
			var l LetterInfo
			err := scan(infoDest(&l)...)
			list = append(list, l)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list failed letters of %s: %w", brand, err)
	}
	return list, nil
}

// Told notes that agents are told of a failed letter, and reports whether this
// is the first time.
func (tx *Tx) Told(ctx context.Context, letter int64) (bool, error) {
	return tx.Once(ctx, undelivered, strconv.FormatInt(letter, 10))
}
