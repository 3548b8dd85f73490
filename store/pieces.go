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

// dropRaw removes the stored bytes of rows. What is outside of the database is
// nobody's then, and deleted by [DB.SweepBlobs].
func (tx *Tx) dropRaw(ctx context.Context, rows []int64) error {
	return chunks(rows, maxIn, func(ids []int64) error {
		for _, text := range []string{`DELETE FROM raw_pieces WHERE ledger IN `, `DELETE FROM raw WHERE ledger IN `} {
			values, args := in(nil, ids)
			if err := tx.later(ctx, text+values, args...); err != nil {
				return err
			}
		}
		values, args := in(nil, ids)
		return tx.later(ctx, `UPDATE blobs SET ledger = 0 WHERE ledger > 0 AND ledger IN `+values, args...) // blobs_ledger
	})
}

// Raw returns the bytes of a ledger row: ErrNotFound when there are none,
// ErrBlobs when they are outside of the database and cannot be had now.
func (db *DB) Raw(ctx context.Context, ledger int64) ([]byte, error) {
	data, err := db.readRaw(ctx, ledger)
	if err == nil || ctx.Err() != nil {
		return data, err
	}
	if data, again := db.readRaw(ctx, ledger); again == nil { // it was moved under our eyes
		return data, nil
	}
	return nil, fmt.Errorf("load the bytes of ledger row %d: %w", ledger, notFound(err))
}

func (db *DB) readRaw(ctx context.Context, ledger int64) ([]byte, error) {
	r := &rawReader{ctx: ctx, db: db, ledger: ledger}
	err := r.open()
	switch {
	case noRow(err):
		b, err := db.blobOf(ctx, ledger)
		if err != nil {
			return nil, err
		}
		return db.load(ctx, b)
	case err != nil:
		return nil, err
	case len(r.left) < rawPiece:
		return db.raw.unpack(r.left)
	}
	return unpackFrom(r, r.size)
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
