package store

import (
	"context"
	"time"

	"frontdesk/tickets"
)

// Item is one thing that came in, before anybody looked at it.
type Item struct {
	Key        string // unique for ever: "imap:support@x:INBOX:<uidvalidity>:<uid>", "lmtp:<ulid>", "web:…", "shell:…"
	Brand      string
	Mailbox    string // configured address
	Folder     string // IMAP folder, else ""
	Queue      string
	Channel    tickets.Channel
	Sender     *string  // envelope sender; nil unknown, "" null reverse-path
	Recipients []string // envelope recipients, when known
	Received   time.Time
	SHA256     [32]byte // of Data
	Data       []byte   // raw bytes (a mail; for web and shell a JSON command)
}

// Cursor is how far an IMAP folder has been read.
type Cursor struct {
	Mailbox     string
	Folder      string
	UIDValidity uint32
	UID         uint32 // highest UID whose row is committed
	Polled      time.Time
	Error       string // last failure of this mailbox, "" when well
}

// Append adds items and moves the cursor (nil: none) in one transaction and
// returns how many were new. An item whose Key is known is skipped. It returns
// after the commit is on disk.
func (db *DB) Append(ctx context.Context, items []Item, cursor *Cursor) (added int, err error) {
	return 0, errUnbuilt
}

// Cursor returns the stored cursor; the zero UIDValidity when there is none.
func (db *DB) Cursor(ctx context.Context, mailbox, folder string) (Cursor, error) {
	return Cursor{}, errUnbuilt
}

// SetCursor stores a cursor alone (poll time, error, nothing new).
func (db *DB) SetCursor(ctx context.Context, c Cursor) error { return errUnbuilt }

// Cursors lists all cursors.
func (db *DB) Cursors(ctx context.Context) ([]Cursor, error) { return nil, errUnbuilt }

// Known returns, of the hashes, those that the ledger has for this mailbox and
// folder under any UIDVALIDITY, with how many rows carry each: a UIDVALIDITY
// change is survived by matching content.
func (db *DB) Known(ctx context.Context, mailbox, folder string, sums [][32]byte) (map[[32]byte]int, error) {
	return nil, errUnbuilt
}

// LedgerUIDs returns, for one mailbox, folder and UIDVALIDITY, the UIDs from
// low on that have a row.
func (db *DB) LedgerUIDs(ctx context.Context, mailbox, folder string, uidvalidity, low uint32) (map[uint32]bool, error) {
	return nil, errUnbuilt
}

// Claimed is a ledger row handed to a worker.
type Claimed struct {
	ID int64
	Item
	Attempts int    // times it was claimed before
	Released string // who released it from quarantine, "" never
	Epoch    int64
}

// ClaimLedger hands out at most n undecided rows of the brand in order of
// arrival, whose claim (if any) has run out at now; the claim lasts until until.
func (db *DB) ClaimLedger(ctx context.Context, brand string, n int, now, until time.Time) ([]Claimed, error) {
	return nil, errUnbuilt
}

// Raw returns the bytes of a ledger row.
func (db *DB) Raw(ctx context.Context, ledger int64) ([]byte, error) { return nil, errUnbuilt }

// Entry is a ledger row without its bytes, with what became of it.
type Entry struct {
	ID          int64               `json:"id"`
	Key         string              `json:"key"`
	Brand       string              `json:"brand"`
	Mailbox     string              `json:"mailbox"`
	Channel     tickets.Channel     `json:"channel"`
	Received    time.Time           `json:"received"`
	Disposition tickets.Disposition `json:"disposition"` // "" undecided
	Reason      string              `json:"reason,omitempty"`
	Detail      string              `json:"detail,omitempty"`
	Ticket      int64               `json:"ticket,omitempty"`
	Message     int64               `json:"message,omitempty"`
	Trace       []tickets.Step      `json:"trace,omitempty"`
	Attempts    int                 `json:"attempts"`
	Size        int64               `json:"size"`
	From        string              `json:"from,omitempty"`    // as Quarantine needs it; set when decided
	Subject     string              `json:"subject,omitempty"` // set when decided
}

// Entry returns one ledger row (ErrNotFound).
func (db *DB) Entry(ctx context.Context, id int64) (Entry, error) { return Entry{}, errUnbuilt }

// EntriesOfTicket returns the rows that became messages of a ticket (or were
// recorded on it), oldest first.
func (db *DB) EntriesOfTicket(ctx context.Context, ticket int64) ([]Entry, error) {
	return nil, errUnbuilt
}

// Quarantine lists quarantined rows that are neither released nor dropped,
// oldest first.
func (db *DB) Quarantine(ctx context.Context) ([]Entry, error) { return nil, errUnbuilt }

// ReleaseQuarantined hands rows back to the worker, in the name of by.
// DropQuarantined ends them as discarded. Both return how many it met, and
// leave rows that are not quarantined alone.
func (db *DB) ReleaseQuarantined(ctx context.Context, ids []int64, by string, now time.Time) (int, error) {
	return 0, errUnbuilt
}

// DropQuarantined is described at ReleaseQuarantined.
func (db *DB) DropQuarantined(ctx context.Context, ids []int64, by string, now time.Time) (int, error) {
	return 0, errUnbuilt
}

// Tally counts ledger rows: the sum that reconcile proves.
type Tally struct {
	Total         int
	Undecided     int
	ByDisposition map[tickets.Disposition]int
	Messages      int // rows of the messages table that came from the ledger
}

// Tally counts the rows of a mailbox, or of all when mailbox is "".
func (db *DB) Tally(ctx context.Context, mailbox string) (Tally, error) { return Tally{}, errUnbuilt }
