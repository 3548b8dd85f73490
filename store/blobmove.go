package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
)

// MoveBlobs brings the bytes of rows above a size to a place: PlaceDatabase, or
// one of BlobOptions.Places. Each is read, compared with its hash, put, and then
// its row says so: at any time it is in one whole place, and a move that was
// broken off is gone on with by the next. moved is called after each row.
func (db *DB) MoveBlobs(ctx context.Context, to string, largerThan int64, moved func(ledger int64)) error {
	if to != PlaceDatabase {
		if _, err := db.place(to); err != nil {
			return err
		}
	}
	largerThan = max(largerThan, MinBlob)
	for last := int64(0); ; {
		ids, err := db.elsewhere(ctx, to, largerThan, last)
		if err != nil {
			return fmt.Errorf("look for rows to move: %w", err)
		}
		if len(ids) == 0 {
			break
		}
		for _, id := range ids {
			last = id
			did, err := db.moveBlob(ctx, id, to)
			if err != nil {
				return fmt.Errorf("move the bytes of ledger row %d to %s: %w", id, to, err)
			}
			if did {
				moved(id)
			}
		}
	}
	_, err := db.SweepBlobs(ctx)
	return err
}

// elsewhere lists rows above an id whose bytes are to be moved.
func (db *DB) elsewhere(ctx context.Context, to string, largerThan, above int64) ([]int64, error) {
	if to == PlaceDatabase {
		return idList(ctx, db.read, `SELECT ledger FROM blobs WHERE ledger > 0 AND ledger > $1 ORDER BY ledger LIMIT 256`, above)
	}
	// All rows of the ledger, once.
	return idList(ctx, db.read, `
		SELECT l.id FROM ledger l
		WHERE l.id > $1 AND l.size > $2
		AND NOT EXISTS (SELECT 1 FROM blobs b WHERE b.ledger = l.id AND b.ledger > 0 AND b.place = $3)
		ORDER BY l.id LIMIT 256`, above, largerThan, to)
}

func (db *DB) moveBlob(ctx context.Context, id int64, to string) (moved bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, putLimit)
	defer cancel()
	from, packed, err := db.packed(ctx, id)
	if err != nil || packed == nil {
		return false, err
	}
	name := ""
	if to != PlaceDatabase {
		name = newBlobName(from.sum)
		if err := db.putBlob(ctx, to, name, packed); err != nil {
			return false, err
		}
	}
	err = db.write(ctx, func(tx *Tx) error {
		// What was erased or moved meanwhile stays so.
		n, err := tx.exec(ctx, `UPDATE blobs SET ledger = 0 WHERE ledger > 0 AND ledger = $1 AND name = $2`, id, from.name)
		if err == nil && from.name == "" {
			if n, err = tx.exec(ctx, `DELETE FROM raw WHERE ledger = $1`, id); err == nil {
				err = tx.dropRaw(ctx, []int64{id}) // the other pieces
			}
		}
		if moved = n > 0; err != nil || !moved {
			return err
		}
		if name == "" {
			return tx.appendRaw(ctx, id, packedBytes(packed))
		}
		return tx.later(ctx, `INSERT INTO blobs (name, place, ledger) VALUES ($1, $2, $3)`, name, to, id)
	})
	return moved && err == nil, err
}

// packed returns the stored bytes of a row, of which it is sure, and where they
// are: name "" the database. nil when there are none any more.
func (db *DB) packed(ctx context.Context, id int64) (from blob, packed []byte, err error) {
	from, err = db.blobOf(ctx, id)
	switch {
	case err == nil:
		packed, err = db.getBlob(ctx, from)
	case errors.Is(err, sql.ErrNoRows):
		from = blob{ledger: id, place: PlaceDatabase}
		r := &rawReader{ctx: ctx, read: db.read, ledger: id}
		if err = r.open(); noRow(err) {
			return from, nil, nil
		}
		if err == nil {
			packed, err = io.ReadAll(r)
		}
		if err == nil {
			err = db.read.get(ctx, `SELECT size, sha256 FROM ledger WHERE id = $1`, []any{id}, &from.size, sumDest{&from.sum})
		}
	}
	if err != nil {
		return from, nil, err
	}
	data, err := db.raw.unpack(packed)
	if err != nil {
		return from, nil, err
	}
	if int64(len(data)) != from.size || sha256.Sum256(data) != from.sum {
		return from, nil, errors.New("its bytes are not those that came in\nhint: frontdesk blobs verify")
	}
	return from, packed, nil
}
