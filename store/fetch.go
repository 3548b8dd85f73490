package store

import (
	"context"
	"errors"
	"time"
)

// errNotBuilt marks what is declared and not written yet.
var errNotBuilt = errors.New("not built yet")

// Download is a claimed Fetch.
type Download struct {
	ID int64
	Fetch
	Ledger   int64 // row that asked for it
	Brand    string
	Contact  string // of that row
	Attempts int    // before this one
	Since    time.Time
	Epoch    int64
}

// ClaimFetches hands out at most n files that are to be fetched at now, the
// oldest first; a claim lasts until until.
func (db *DB) ClaimFetches(ctx context.Context, n int, now, until time.Time) ([]Download, error) {
	return nil, errNotBuilt
}

// NextFetch returns when the next file is to be fetched, zero when none is.
func (db *DB) NextFetch(ctx context.Context) (time.Time, error) { return time.Time{}, errNotBuilt }

// Fetched puts the file into the ledger (item.Key is d.Key) and, when it was the
// last one that d.Ledger waited for, lets that row be claimed at once. All in
// one transaction; ErrLost when somebody else has fetched it.
func (db *DB) Fetched(ctx context.Context, d Download, item Item) error { return errNotBuilt }

// FetchFailed puts the next attempt off until next; zero gives up, and d.Ledger
// waits for it no more.
func (db *DB) FetchFailed(ctx context.Context, d Download, why string, next time.Time) error {
	return errNotBuilt
}

// ContactRow is one row of a contact.
type ContactRow struct {
	ID       int64
	Key      string
	Brand    string
	Mailbox  string
	Received time.Time
	SHA256   [32]byte
	Size     int // of the bytes, whether Data is here or not
	Data     []byte
	Decided  bool
	Waiting  bool // a file it named is still to be fetched
}

// Contact returns all rows of a contact, decided or not, in order of arrival.
// Data of rows larger than 256 KB (recordings) is left nil.
func (tx *Tx) Contact(ctx context.Context, contact string) ([]ContactRow, error) {
	return nil, errNotBuilt
}

// LetGo lets the undecided rows of a contact be claimed at once: what they
// waited for has come.
func (db *DB) LetGo(ctx context.Context, contact string) error { return errNotBuilt }

// Spent is what a day used of its budget.
type Spent struct {
	Segments, Calls int
}

// Spend adds to what the day ("2026-03-29") has used, when the sum stays within
// limit, and reports whether it did. It commits before it returns, so that a
// crash spends rather too much than too little.
func (db *DB) Spend(ctx context.Context, day string, more, limit Spent) (ok bool, err error) {
	return false, errNotBuilt
}

// SpentOn returns what a day has used.
func (db *DB) SpentOn(ctx context.Context, day string) (Spent, error) { return Spent{}, errNotBuilt }

// SentTexts returns the MessageSids (CallSids) of letters to an address that
// left since a time: what a lookup at the telephone company must not take for
// another letter.
func (db *DB) SentTexts(ctx context.Context, to string, since time.Time) ([]string, error) {
	return nil, errNotBuilt
}

// Alarms returns the ringing alarms of a brand whose Due has come, by id.
func (db *DB) Alarms(ctx context.Context, brand string, now time.Time, n int) ([]int64, error) {
	return nil, errNotBuilt
}
