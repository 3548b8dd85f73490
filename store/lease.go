package store

import (
	"context"
	"time"
)

// Lease takes or renews the named lease for this node until until, and reports
// whether the node has it. Leases of other nodes that have run out at now are
// taken over.
func (db *DB) Lease(ctx context.Context, name string, now, until time.Time) (bool, error) {
	return false, errUnbuilt
}

// Unlease gives the lease back.
func (db *DB) Unlease(ctx context.Context, name string) error { return errUnbuilt }

// Once records that the named occurrence happened and reports whether this was
// the first time: what makes a daily letter leave once.
func (tx *Tx) Once(ctx context.Context, name, occurrence string) (bool, error) {
	return false, errUnbuilt
}
