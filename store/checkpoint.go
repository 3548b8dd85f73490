package store

import (
	"context"
	"database/sql"
	"os"
	"sync"
)

const (
	// checkpointStep is how much is added to the WAL from one copy into the
	// database, beside the writer, to the next: a page that is written again and
	// again need not be copied with each commit.
	checkpointStep = 16 << 20
	// checkpointNow is the size at which the writer waits until the WAL starts
	// anew: under a load without a pause it would grow for ever.
	checkpointNow = 64 << 20
)

// checkpointer copies the WAL into the database on a connection of its own.
// SQLite by itself lets every so many commits do it: with a million messages
// each of them then waits for a thousand pages that lie all over the disk.
type checkpointer struct {
	wal  string
	wake chan struct{} // holds one
	stop context.CancelFunc
	done sync.WaitGroup
	size int64 // of the WAL when it was copied last; of who has the turn to write
}

// startCheckpoints is called once the engine is open; the writer must not
// checkpoint by itself then.
func (e *sqliteEngine) startCheckpoints(ctx context.Context) error {
	if err := (sqliteTx{e}).run(ctx, `PRAGMA wal_autocheckpoint = 0`); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", sqliteName(e.path, true, false))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	c := &checkpointer{wal: e.path + "-wal", wake: make(chan struct{}, 1), stop: stop}
	e.checkpoints = c
	c.done.Go(func() {
		defer db.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case <-c.wake:
				e.checkpoint(ctx, db)
			}
		}
	})
	return nil
}

// settle copies the WAL that a process before this one left into the file, and
// syncs it. Where a sync had failed the kernel may show what is not on disk:
// written anew it gets there. It is the daemon's start: nobody else writes.
func (e *sqliteEngine) settle(ctx context.Context) error {
	if walSize(e.path+"-wal") == 0 {
		return nil
	}
	// A command that reads may hold it up: then the WAL stays, and goes later.
	for _, text := range []string{`PRAGMA busy_timeout = 500`, `PRAGMA wal_checkpoint(TRUNCATE)`, `PRAGMA busy_timeout = 10000`} {
		if err := (sqliteTx{e}).run(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// checkpoint copies what it can without waiting for anybody; then, when the WAL
// has grown too long, the rest while nobody writes. A failure is no loss: the
// WAL keeps what was not copied, and the next call tries again; but for one of
// the disk, which ends all writing.
func (e *sqliteEngine) checkpoint(ctx context.Context, db *sql.DB) {
	_, err := db.ExecContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`)
	e.trust.met(err)
	if walSize(e.checkpoints.wal) < checkpointNow {
		return
	}
	select {
	case <-e.turn:
	case <-ctx.Done():
		return
	}
	_ = sqliteTx{e}.run(ctx, `PRAGMA wal_checkpoint(RESTART)`)
	e.turn <- struct{}{}
}

func walSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// committed is called after each commit, by who has the turn to write.
func (c *checkpointer) committed() {
	if c == nil {
		return
	}
	size := walSize(c.wal)
	if size < c.size { // it began anew
		c.size = 0
	}
	if size < c.size+checkpointStep {
		return
	}
	c.size = size
	select {
	case c.wake <- struct{}{}:
	default: // it is about to
	}
}

// close stops it and waits.
func (c *checkpointer) close() {
	if c != nil {
		c.stop()
		c.done.Wait()
	}
}
