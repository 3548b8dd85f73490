package store

import (
	"errors"
	"fmt"
	"sync"

	sqlitelib "modernc.org/sqlite/lib"
)

// ErrUntrusted is why nothing is written any more: the disk refused to write or
// to sync, or a page turned out to be damaged. After a failed sync the kernel
// takes what it could not write for written, and says "done" the next time:
// whoever goes on commits on top of a hole. The daemon ends, and the next start
// looks at what is there.
var ErrUntrusted = errors.New("the database is not written any more until the next start")

// trust is whether a file may be written on. It is lost once.
type trust struct {
	once sync.Once
	lost chan struct{} // closed when it is lost
	why  error         // then: why
}

func newTrust() *trust { return &trust{lost: make(chan struct{})} }

// met is told each failure of the writing connection.
func (t *trust) met(err error) {
	if !unforgivable(err) {
		return
	}
	t.once.Do(func() {
		t.why = fmt.Errorf("%w: %w", ErrUntrusted, sqliteError(err))
		close(t.lost)
	})
}

// ask returns why the file is not to be written on, nil when it may be.
func (t *trust) ask() error {
	select {
	case <-t.lost:
		return t.why
	default:
		return nil
	}
}

// unforgivable: what is on disk is not what SQLite believes. A full disk is
// none of these, and passes.
func unforgivable(err error) bool {
	switch sqliteFullCode(err) {
	case sqlitelib.SQLITE_IOERR_FSYNC, sqlitelib.SQLITE_IOERR_DIR_FSYNC, sqlitelib.SQLITE_IOERR_WRITE, sqlitelib.SQLITE_IOERR_TRUNCATE:
		return true
	}
	switch sqliteCode(err) {
	case sqlitelib.SQLITE_CORRUPT, sqlitelib.SQLITE_NOTADB:
		return true
	}
	return false
}

// Untrusted is closed when the database must not be written on any more;
// WhyUntrusted tells why then, and is nil before. With PostgreSQL it never is:
// the server looks after its own disk.
func (db *DB) Untrusted() <-chan struct{} {
	if t := db.engine.trusted(); t != nil {
		return t.lost
	}
	return nil
}

// WhyUntrusted is described at Untrusted.
func (db *DB) WhyUntrusted() error {
	if t := db.engine.trusted(); t != nil {
		return t.ask()
	}
	return nil
}
