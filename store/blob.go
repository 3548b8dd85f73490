package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// ErrBlobs says that bytes outside of the database cannot be had or put now:
// whatever wanted them is to be tried again later, and is not at fault.
var ErrBlobs = errors.New("the store of blobs does not answer")

// Blobs is a place outside of the database where bytes of large rows are kept
// under names of lower-case letters, digits and hyphens. A name that was put is
// never put again.
type Blobs interface {
	// Put returns after the bytes would survive a power cut.
	Put(ctx context.Context, name string, data []byte) error
	// Get opens what was put; fs.ErrNotExist when there is none.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// Delete removes it; there may be none.
	Delete(ctx context.Context, name string) error
	// Walk calls f for each that there is, with its size and when it was put.
	Walk(ctx context.Context, f func(name string, size int64, put time.Time) error) error
}

// BlobOptions say where the bytes of large rows are.
type BlobOptions struct {
	Places map[string]Blobs // by the name that rows say: "folder", "s3"
	Place  string           // where new ones are put, "" the database
	// LargerThan is the size in bytes above which a row is put there; it is
	// raised to MinBlob.
	LargerThan int64
}

// MinBlob is the least that is kept outside of the database: what is smaller is
// faster there, and decisions read it within a transaction.
const MinBlob = maxContactData

// PlaceDatabase is the place of bytes that are in the database.
const PlaceDatabase = "database"

// putLimit bounds the time between the first byte of a blob and the commit of
// its row, by the clock that nobody sets: what [DB.CollectBlobs] takes for
// abandoned has to be much older.
const putLimit = time.Hour

// newBlobName names bytes by their hash, and by a random number: no two rows
// share a blob. So whoever erases a row need not ask who else has the same
// bytes, and no writer can meet a collector that is about to delete them.
func newBlobName(sum [32]byte) string {
	var salt [8]byte
	_, _ = rand.Read(salt[:]) // never fails
	return hex.EncodeToString(sum[:]) + "-" + hex.EncodeToString(salt[:])
}

// stowed are the packed bytes of an item on their way into a row: data, or the
// name under which they were put.
type stowed struct {
	data *io.SectionReader
	name string
}

// stow packs what items bring and puts what is large outside of the database,
// before the transaction. Under the context that it returns the rows have to be
// committed.
func (db *DB) stow(ctx context.Context, items []Item) (_ context.Context, cancel context.CancelFunc, out []stowed, err error) {
	out, cancel = make([]stowed, len(items)), func() {}
	var large []int
	for i := range items {
		if p := items[i].Pack; p != nil {
			out[i].data = p.packed()
		} else {
			out[i].data = packedBytes(db.raw.pack(items[i].Data))
		}
		if db.blobs.Place != "" && items[i].size() > db.blobs.LargerThan { // #nosec G602 -- there is one out for each item
			large = append(large, i)
		}
	}
	if len(large) == 0 {
		return ctx, cancel, out, nil
	}
	keys := make([]string, len(large))
	for n, i := range large {
		keys[n] = items[i].Key
	}
	// Asked first: what is known is not put again, and of a database that is down
	// nothing is left behind by everybody who tries.
	known, err := db.HasKeys(ctx, keys)
	if err != nil {
		return ctx, cancel, nil, err
	}
	ctx, cancel = context.WithTimeout(ctx, putLimit)
	for _, i := range large {
		if known[items[i].Key] {
			continue
		}
		name := newBlobName(items[i].SHA256)
		data := make([]byte, out[i].data.Size())
		_, err := io.ReadFull(out[i].data, data)
		if err == nil {
			err = db.putBlob(ctx, db.blobs.Place, name, data)
		}
		if err != nil {
			return ctx, cancel, nil, fmt.Errorf("item %q: %w", items[i].Key, err)
		}
		out[i] = stowed{name: name}
	}
	return ctx, cancel, out, nil
}

// insertBytes gives a new ledger row its bytes.
func (tx *Tx) insertBytes(ctx context.Context, ledger int64, s stowed) error {
	if s.name != "" {
		return tx.later(ctx, `INSERT INTO blobs (name, place, ledger) VALUES ($1, $2, $3)`, s.name, tx.db.blobs.Place, ledger)
	}
	return tx.appendRaw(ctx, ledger, s.data)
}

// unstow deletes at once what was put and no row took: the item was known
// already, or was erased before. Only after the commit.
func (db *DB) unstow(ctx context.Context, names []string) {
	for _, name := range names {
		// One that stays is found by CollectBlobs.
		_ = db.blobs.Places[db.blobs.Place].Delete(ctx, name)
	}
}

func (db *DB) putBlob(ctx context.Context, place, name string, data []byte) error {
	p, err := db.place(place)
	if err == nil {
		err = p.Put(ctx, name, data)
	}
	return blobError(err, "put", place, name)
}

func (db *DB) place(name string) (Blobs, error) {
	if p := db.blobs.Places[name]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("the configuration has no such place\nhint: name it under blobs; rows in the database say %q", name)
}

func blobError(err error, doing, place, name string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s blob %s in %s: %w: %w", doing, name, place, ErrBlobs, err)
}

// blob is where the bytes of a row are.
type blob struct {
	name, place string
	ledger      int64
	size        int64    // of the raw bytes
	sum         [32]byte // of the raw bytes
}

const blobColumns = `b.name, b.place, b.ledger, l.size, l.sha256`

func scanBlob(scan func(...any) error) (b blob, err error) {
	return b, scan(&b.name, &b.place, &b.ledger, &b.size, sumDest{&b.sum})
}

// blobOf returns where the bytes of a row are; sql.ErrNoRows when they are not
// outside of the database.
func (db *DB) blobOf(ctx context.Context, ledger int64) (b blob, err error) {
	// Served by blobs_ledger.
	err = db.read.get(ctx, `
		SELECT `+blobColumns+`
		FROM blobs b JOIN ledger l ON l.id = b.ledger
		WHERE b.ledger = $1 AND b.ledger > 0`, []any{ledger}, &b.name, &b.place, &b.ledger, &b.size, sumDest{&b.sum})
	return b, err
}

// load reads a blob and returns the raw bytes.
func (db *DB) load(ctx context.Context, b blob) ([]byte, error) {
	packed, err := db.getBlob(ctx, b)
	if err != nil {
		return nil, err
	}
	data, err := unpackFrom(bytes.NewReader(packed), b.size)
	if err != nil {
		return nil, fmt.Errorf("blob %s in %s: %w", b.name, b.place, err)
	}
	return data, nil
}

// getBlob returns the bytes as they were put.
func (db *DB) getBlob(ctx context.Context, b blob) (packed []byte, err error) {
	p, err := db.place(b.place)
	if err != nil {
		return nil, blobError(err, "get", b.place, b.name)
	}
	r, err := p.Get(ctx, b.name)
	if err != nil {
		return nil, blobError(err, "get", b.place, b.name)
	}
	packed, err = io.ReadAll(io.LimitReader(r, maxRaw))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, blobError(err, "get", b.place, b.name)
	}
	return packed, nil
}

// check reads a blob and compares it with what came in.
func (db *DB) check(ctx context.Context, b blob) error {
	data, err := db.load(ctx, b)
	if err != nil {
		return fmt.Errorf("ledger row %d: %w", b.ledger, err)
	}
	if sha256.Sum256(data) != b.sum {
		return fmt.Errorf("ledger row %d: its bytes are not those that came in: blob %s in %s", b.ledger, b.name, b.place)
	}
	return nil
}

// blobsAfter lists blobs of rows above a ledger id, in order.
func (db *DB) blobsAfter(ctx context.Context, ledger int64, n int) (list []blob, err error) {
	// Served by blobs_ledger.
	err = db.read.each(ctx, `
		SELECT `+blobColumns+`
		FROM blobs b JOIN ledger l ON l.id = b.ledger
		WHERE b.ledger > 0 AND b.ledger > $1
		ORDER BY b.ledger LIMIT $2`, []any{ledger, int64(n)},
		func(scan func(...any) error) error {
			b, err := scanBlob(scan)
			list = append(list, b)
			return err
		})
	return list, err
}

// CheckBlobs reads the bytes of every row that are outside of the database and
// compares them with their hash. bad is called for each row whose bytes are
// missing or others; seen after each row.
func (db *DB) CheckBlobs(ctx context.Context, seen func(), bad func(ledger int64, err error)) error {
	for last := int64(0); ; {
		list, err := db.blobsAfter(ctx, last, 256)
		if err != nil {
			return fmt.Errorf("check the blobs: %w", err)
		}
		if len(list) == 0 {
			return nil
		}
		for _, b := range list {
			last = b.ledger
			if err := db.check(ctx, b); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if now, lookErr := db.blobOf(ctx, b.ledger); lookErr != nil || now.name != b.name {
					seen() // erased or moved meanwhile
					continue
				}
				bad(b.ledger, err)
			}
			seen()
		}
	}
}

// BlobCount tells how much is kept in one place.
type BlobCount struct {
	Place string `json:"place"` // PlaceDatabase: rows above the limit that are in the database
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"` // raw, before compression
	Gone  int64  `json:"gone"`  // nobody's any more, and to be deleted
}

// CountBlobs counts what is outside of the database, by place.
func (db *DB) CountBlobs(ctx context.Context) (list []BlobCount, err error) {
	// All rows of blobs: people ask.
	err = db.read.each(ctx, `
		SELECT
			b.place,
			COUNT(l.id),
			CAST(COALESCE(SUM(l.size), 0) AS BIGINT),
			SUM(CASE WHEN b.ledger = 0 THEN 1 ELSE 0 END)
		FROM blobs b LEFT JOIN ledger l ON l.id = b.ledger
		GROUP BY b.place ORDER BY b.place`, nil,
		func(scan func(...any) error) error {
			var c BlobCount
			err := scan(&c.Place, &c.Rows, &c.Bytes, &c.Gone)
			list = append(list, c)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("count the blobs: %w", err)
	}
	return list, nil
}

// SweepBlobs deletes blobs that are nobody's any more: those of rows that were
// erased, emptied by retention, or moved. The error is that of the first place
// that did not do it; the others are swept.
func (db *DB) SweepBlobs(ctx context.Context) (deleted int, err error) {
	for place, p := range db.blobs.Places {
		for {
			// Served by blobs_gone.
			var names []string
			e := db.read.each(ctx, `SELECT name FROM blobs WHERE ledger = 0 AND place = $1 ORDER BY name LIMIT 256`, []any{place}, func(scan func(...any) error) error {
				var name string
				err := scan(&name)
				names = append(names, name)
				return err
			})
			if e != nil {
				return deleted, fmt.Errorf("look for blobs to delete: %w", e)
			}
			if len(names) == 0 {
				break
			}
			n, e := db.sweep(ctx, p, names)
			deleted += n
			if e != nil {
				err = errors.Join(err, blobError(e, "delete", place, names[n]))
				break
			}
		}
	}
	return deleted, err
}

func (db *DB) sweep(ctx context.Context, p Blobs, names []string) (n int, err error) {
	for n < len(names) {
		if err = p.Delete(ctx, names[n]); err != nil {
			break
		}
		n++
	}
	if n == 0 {
		return 0, err
	}
	forget := db.write(ctx, func(tx *Tx) error {
		values, args := in(nil, names[:n])
		return tx.later(ctx, `DELETE FROM blobs WHERE ledger = 0 AND name IN `+values, args...)
	})
	if err == nil && forget != nil {
		return max(n-1, 0), forget
	}
	return n, err
}

// ErrManyStrays says that a place holds so much which no row names that it looks
// like another desk's.
var ErrManyStrays = errors.New("more than a tenth of what is there belongs to no row of this database")

// CollectBlobs deletes what was put into a place before a time and belongs to no
// row: its writer ended before the commit. before must be more than a day ago.
// When that is more than a tenth of all, and not just a few, it deletes nothing
// and returns ErrManyStrays, unless force: a bucket that two desks share, or an
// old backup, must not end in an empty bucket.
func (db *DB) CollectBlobs(ctx context.Context, place string, before time.Time, force bool) (deleted int, err error) {
	p, err := db.place(place)
	if err != nil {
		return 0, err
	}
	all, strays, err := db.strays(ctx, p, before)
	if err != nil {
		return 0, fmt.Errorf("look for abandoned blobs in %s: %w", place, err)
	}
	if len(strays) > fewStrays && len(strays)*10 > all && !force {
		return 0, fmt.Errorf("collect blobs in %s: %d of %d: %w", place, len(strays), all, ErrManyStrays)
	}
	for _, name := range strays {
		if err := p.Delete(ctx, name); err != nil {
			return deleted, blobError(err, "delete", place, name)
		}
		deleted++
	}
	return deleted, nil
}

// fewStrays are deleted whatever share they are.
const fewStrays = 50

func (db *DB) strays(ctx context.Context, p Blobs, before time.Time) (all int, strays []string, err error) {
	var batch []string
	ask := func() error {
		if len(batch) == 0 {
			return nil
		}
		known := map[string]bool{}
		values, args := in(nil, batch)
		// Served by the primary key of blobs.
		err := db.read.each(ctx, `SELECT name FROM blobs WHERE name IN `+values, args, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			known[name] = true
			return err
		})
		for _, name := range batch {
			if !known[name] {
				strays = append(strays, name)
			}
		}
		batch = batch[:0]
		return err
	}
	err = p.Walk(ctx, func(name string, _ int64, put time.Time) error {
		all++
		if !put.Before(before) || !isBlobName(name) {
			return nil
		}
		if batch = append(batch, name); len(batch) < maxIn {
			return nil
		}
		return ask()
	})
	if err == nil {
		err = ask()
	}
	return all, strays, err
}

// isBlobName keeps the collector's hands off what is not the desk's.
func isBlobName(name string) bool {
	return len(name) == 64+1+16 && name[64] == '-' && strings.Trim(name, "0123456789abcdef-") == ""
}

// noRow reports that a row, or its bytes, are not where they were looked for.
func noRow(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// UsesBlobs reports whether any row, or what is left of one, names a place.
func (db *DB) UsesBlobs(ctx context.Context, place string) (used bool, err error) {
	// The first row that does: nearly always all do, or there is none.
	if err := db.read.get(ctx, `SELECT EXISTS (SELECT 1 FROM blobs WHERE place = $1)`, []any{place}, &used); err != nil {
		return false, fmt.Errorf("look for blobs in %s: %w", place, err)
	}
	return used, nil
}
