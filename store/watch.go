package store

import (
	"context"
	"time"

	"frontdesk/tickets"
)

// Watching returns tickets of a brand whose clocks want to be looked at at now,
// the longest waiting first, at most n.
func (db *DB) Watching(ctx context.Context, brand string, now time.Time, n int) ([]int64, error) {
	return nil, errNotBuilt
}

// NextWatch returns when the next ticket of any brand wants to be looked at,
// zero never.
func (db *DB) NextWatch(ctx context.Context) (time.Time, error) { return time.Time{}, errNotBuilt }

// Look fills Found for a decision about a stored ticket that no contact caused:
// its Log, History, Alarm, Desk, Letters' Acks to the requester, Suppressed.
func (tx *Tx) Look(ctx context.Context, t tickets.Ticket, now time.Time) (tickets.Found, error) {
	return tickets.Found{}, errNotBuilt
}

// Log returns a ticket's clock events, oldest first.
func (db *DB) Log(ctx context.Context, ticket int64) (_ []tickets.Event, _ error) {
	return nil, errNotBuilt
}

// Desk returns how busy everybody is.
func (db *DB) Desk(ctx context.Context, now time.Time) (tickets.Desk, error) {
	return tickets.Desk{}, errNotBuilt
}

// Lessons returns what people sorted since a time, newest first, at most n.
func (db *DB) Lessons(ctx context.Context, since time.Time, n int) ([]tickets.Lesson, error) {
	return nil, errNotBuilt
}

// Recurring is a matter that came up more than once.
type Recurring struct {
	Requester string // "" across customers
	Words     string // what the tickets have in common
	Product   string
	Tickets   []int64
	Last      time.Time
}
