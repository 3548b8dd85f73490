package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
)

// rawPiece is how much of a row's stored bytes is written and read at a time: a
// large value would be in memory three times, the database's, the driver's and
// ours.
const rawPiece = 2 << 20

// appendRaw stores the packed bytes of a new ledger row: the first piece in raw,
// which is all there is of nearly every mail, the others beside it.
func (tx *Tx) appendRaw(ctx context.Context, ledger int64, packed []byte) error {
	first := packed[:min(len(packed), rawPiece)]
	if err := tx.later(ctx, `INSERT INTO raw (ledger, data) VALUES ($1, $2)`, ledger, first); err != nil {
		return err
	}
	for n, rest := int64(1), packed[len(first):]; len(rest) > 0; n++ {
		piece := rest[:min(len(rest), rawPiece)]
		if err := tx.later(ctx, `INSERT INTO raw_pieces (ledger, piece, data) VALUES ($1, $2, $3)`, ledger, n, piece); err != nil {
			return err
		}
		if err := tx.flush(ctx); err != nil { // or all pieces wait beside each other
			return err
		}
		rest = rest[len(piece):]
	}
	return nil
}

// dropRaw removes the stored bytes of rows.
func (tx *Tx) dropRaw(ctx context.Context, rows []int64) error {
	return chunks(rows, maxIn, func(ids []int64) error {
		for _, text := range []string{`DELETE FROM raw_pieces WHERE ledger IN `, `DELETE FROM raw WHERE ledger IN `} {
			values, args := in(nil, ids)
			if err := tx.later(ctx, text+values, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Raw returns the bytes of a ledger row (ErrNotFound).
func (db *DB) Raw(ctx context.Context, ledger int64) ([]byte, error) {
	r := &rawReader{ctx: ctx, db: db, ledger: ledger}
	var data []byte
	err := r.open()
	switch {
	case err != nil:
	case len(r.left) < rawPiece:
		data, err = db.raw.unpack(r.left)
	default:
		data, err = unpackFrom(r, r.size)
	}
	if err != nil {
		return nil, fmt.Errorf("load the bytes of ledger row %d: %w", ledger, notFound(err))
	}
	return data, nil
}

// rawReader reads the stored bytes of a ledger row.
type rawReader struct {
	ctx    context.Context
	db     *DB
	ledger int64
	size   int64 // of the raw bytes
	left   []byte
	piece  int64 // that left is of
}

func (r *rawReader) open() error {
	return r.db.read.get(r.ctx, `
		SELECT l.size, r.data
		FROM raw r JOIN ledger l ON l.id = r.ledger
		WHERE r.ledger = $1`, []any{r.ledger}, &r.size, &r.left)
}

func (r *rawReader) Read(b []byte) (int, error) {
	if len(r.left) == 0 {
		r.piece++
		err := r.db.read.get(r.ctx, `SELECT data FROM raw_pieces WHERE ledger = $1 AND piece = $2`, []any{r.ledger, r.piece}, &r.left)
		if errors.Is(err, sql.ErrNoRows) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
	}
	n := copy(b, r.left)
	r.left = r.left[n:]
	return n, nil
}
