package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
)

// rawPiece is how much of a large row's stored bytes is written and read at a
// time: a large value would be in memory four times, the file's pages, the
// database's, the driver's and ours. Older rows have pieces of 2 MB.
const rawPiece = 256 << 10

// wholeRaw is the size of stored bytes that are in one piece: those of all rows
// that are loaded with others, up to LargeMail, though they do not compress.
const wholeRaw = LargeMail + 64<<10

// appendRaw stores the packed bytes of a new ledger row: the first piece in raw,
// which is all there is of nearly every mail, the others beside it.
func (tx *Tx) appendRaw(ctx context.Context, ledger int64, packed *io.SectionReader) error {
	size, piece := packed.Size(), int64(rawPiece)
	if size <= wholeRaw {
		piece = size
	} else if err := tx.session.spare(ctx); err != nil {
		return err
	}
	for n, at := int64(0), int64(0); n == 0 || at < size; n++ {
		data := make([]byte, min(piece, size-at))
		if _, err := packed.ReadAt(data, at); err != nil && err != io.EOF {
			return fmt.Errorf("read the packed bytes of ledger row %d: %w", ledger, err)
		}
		at += int64(len(data))
		if n == 0 {
			if err := tx.later(ctx, `INSERT INTO raw (ledger, data) VALUES ($1, $2)`, ledger, data); err != nil {
				return err
			}
			continue
		}
		if err := tx.later(ctx, `INSERT INTO raw_pieces (ledger, piece, data) VALUES ($1, $2, $3)`, ledger, n, data); err != nil {
			return err
		}
		if err := tx.flush(ctx); err != nil { // or all pieces wait beside each other
			return err
		}
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
func (db *DB) Raw(ctx context.Context, ledger int64) (data []byte, err error) {
	err = db.readAgain(ctx, ledger, func(packed io.Reader, size int64) (err error) {
		data, err = db.unpackAll(packed, size)
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

func (db *DB) unpackAll(packed io.Reader, size int64) ([]byte, error) {
	if size > LargeMail {
		return unpackFrom(packed, size)
	}
	all, err := io.ReadAll(packed)
	if err != nil {
		return nil, err
	}
	return db.raw.unpack(all)
}

// readAgain is readRaw for bytes that may be moved meanwhile.
func (db *DB) readAgain(ctx context.Context, ledger int64, take func(packed io.Reader, size int64) error) error {
	err := db.readRaw(ctx, ledger, take)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if db.readRaw(ctx, ledger, take) == nil { // it was moved under our eyes
		return nil
	}
	return fmt.Errorf("load the bytes of ledger row %d: %w", ledger, notFound(err))
}

// readRaw hands the stored bytes of a row to take, and the size of the raw ones.
func (db *DB) readRaw(ctx context.Context, ledger int64, take func(packed io.Reader, size int64) error) error {
	r := &rawReader{ctx: ctx, read: db.read, ledger: ledger}
	err := r.open()
	switch {
	case noRow(err):
		b, err := db.blobOf(ctx, ledger)
		if err != nil {
			return err
		}
		packed, err := db.getBlob(ctx, b)
		if err != nil {
			return err
		}
		if err := take(bytes.NewReader(packed), b.size); err != nil {
			return fmt.Errorf("blob %s in %s: %w", b.name, b.place, err)
		}
		return nil
	case err != nil:
		return err
	case r.size > LargeMail:
		spare, release, err := db.engine.spare(ctx)
		if err != nil {
			return err
		}
		defer release()
		r.read = reader{spare}
	}
	return take(r, r.size)
}

// rawReader reads the stored bytes of a ledger row.
type rawReader struct {
	ctx    context.Context
	read   querier
	ledger int64
	size   int64 // of the raw bytes
	left   []byte
	piece  int64 // that left is of
}

func (r *rawReader) open() error {
	return r.read.get(r.ctx, `
		SELECT l.size, r.data
		FROM raw r JOIN ledger l ON l.id = r.ledger
		WHERE r.ledger = $1`, []any{r.ledger}, &r.size, &r.left)
}

func (r *rawReader) Read(b []byte) (int, error) {
	if len(r.left) == 0 {
		r.piece++
		err := r.read.get(r.ctx, `SELECT data FROM raw_pieces WHERE ledger = $1 AND piece = $2`, []any{r.ledger, r.piece}, &r.left)
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
