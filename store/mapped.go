package store

import (
	"context"
	"io"
	"sync"
)

// Mapped are the bytes of a ledger row while they are looked at. Those of a
// large mail are read from a file, page by page, and its reader tells how far it
// is: they are never in memory as a whole.
type Mapped struct {
	Data []byte // not to be changed, nor kept beyond Close
	file mapping
	gone sync.Once
}

// Passed lets go of the pages that were read so far. They may be read again.
func (m *Mapped) Passed() { m.file.passed() }

// Close ends it. It may be called again.
func (m *Mapped) Close() {
	m.gone.Do(func() {
		m.Data = nil
		m.file.close()
	})
}

// Open returns the bytes of a ledger row for a while. Its errors are those of
// [DB.Raw].
func (db *DB) Open(ctx context.Context, ledger int64) (*Mapped, error) {
	m := &Mapped{}
	err := db.readAgain(ctx, ledger, func(packed io.Reader, size int64) (err error) {
		m.Data, m.file, err = db.mapped(packed, size)
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// mapped unpacks a large mail into a file and maps it. Where there is no file to
// be had it is in memory.
func (db *DB) mapped(packed io.Reader, size int64) ([]byte, mapping, error) {
	if size <= LargeMail {
		data, err := db.unpackAll(packed, size)
		return data, mapping{}, err
	}
	f, err := db.spool()
	if err != nil {
		data, err := unpackFrom(packed, size)
		return data, mapping{}, err
	}
	defer f.Close() // the mapping keeps it
	collectEagerly()
	defer collectAsUsual()
	if err := unpackInto(f, packed, size); err != nil {
		return nil, mapping{}, err
	}
	return mapFile(f, size)
}
