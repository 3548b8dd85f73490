package store

import (
	"context"
	"strings"
	"sync/atomic"
)

// What a transaction looked up about tickets opened lately is carried into the
// next one of the same process: under a backlog each would read the same five
// hundred rows. On a database that other nodes write nothing is carried.
//
// It is carried only if nothing was written to tickets in between: not by
// another transaction of this process, which touched notices, nor by another
// process, which data_version of SQLite tells.

// carrier holds what the last transaction left behind.
type carrier struct {
	turns   atomic.Int64 // write transactions begun
	touched atomic.Int64 // the last of them that had to do with tickets
	left    atomic.Pointer[carried]
}

// carried belongs to whoever takes it: lists grow in place.
type carried struct {
	touched int64 // as carrier.touched was
	version int64 // of the database, for other processes
	like    map[string]*likeCache
}

// maxCarried bounds a list that grows from transaction to transaction.
const maxCarried = 4 * maxLike

// touches notes a statement that has to do with tickets.
func (tx *Tx) touches(text string) {
	if !tx.touched && (strings.Contains(text, "tickets") || strings.Contains(text, "lately")) {
		tx.touched = true
		tx.before = tx.db.carry.touched.Swap(tx.turn)
	}
}

// carryOn takes what the transaction before left behind.
func (tx *Tx) carryOn(ctx context.Context) error {
	if tx.carried || tx.db.shared || tx.careful {
		return nil
	}
	tx.carried = true
	if !tx.touched {
		tx.before = tx.db.carry.touched.Load()
	}
	if err := tx.get(ctx, `PRAGMA data_version`, nil, &tx.version); err != nil {
		return err
	}
	if c := tx.db.carry.left.Swap(nil); c != nil && c.touched == tx.before && c.version == tx.version {
		tx.cache.like = c.like
	}
	return nil
}

// leave leaves behind what is true after the commit.
func (tx *Tx) leave() {
	if !tx.carried || len(tx.cache.like) == 0 {
		return
	}
	for _, c := range tx.cache.like {
		if len(c.room) > maxCarried {
			return
		}
	}
	touched := tx.before // the last before this one
	if tx.touched {
		touched = tx.turn
	}
	tx.db.carry.left.Store(&carried{touched, tx.version, tx.cache.like})
}
