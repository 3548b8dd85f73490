package store

import (
	"context"
	"time"

	"frontdesk/tickets"
)

// Tx is one decision's transaction. It must not be used after Decide returns.
type Tx struct{}

// Decide runs f in one write transaction that holds the brand's change number.
// It commits when f returns nil.
func (db *DB) Decide(ctx context.Context, brand string, f func(*Tx) error) error { return errUnbuilt }

// Try runs f under a savepoint: when f fails (or panics) what it did is undone
// and the transaction goes on; the error is returned. A failure of the
// database itself is returned too and ends the transaction.
func (tx *Tx) Try(ctx context.Context, f func() error) error { return errUnbuilt }

// Find looks up everything that keys name.
func (tx *Tx) Find(ctx context.Context, keys tickets.Keys) (tickets.Found, error) {
	return tickets.Found{}, errUnbuilt
}

// Saved tells the ids that a Change was given.
type Saved struct {
	Change   int64   // the brand's change number
	Tickets  []int64 // by index of Change.Tickets
	Messages []int64 // of all tickets, in order
	Letters  []int64 // of all tickets and the loose ones, in order; 0 for one whose Key was known
}

// Save writes a decision about the ledger row (0: none, an operator's act).
func (tx *Tx) Save(ctx context.Context, ledger int64, from, subject string, c tickets.Change, now time.Time) (Saved, error) {
	return Saved{}, errUnbuilt
}

// Ticket loads one ticket of any brand for a decision (ErrNotFound).
func (tx *Tx) Ticket(ctx context.Context, id int64) (*tickets.Ticket, error) { return nil, errUnbuilt }

// Messages loads the newest n messages of a ticket, oldest first.
func (tx *Tx) Messages(ctx context.Context, ticket int64, n int) ([]tickets.Message, error) {
	return nil, errUnbuilt
}
