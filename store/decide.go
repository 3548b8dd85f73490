package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"frontdesk/tickets"
)

// Tx is one decision's transaction. It must not be used after Decide returns.
type Tx struct {
	db      *DB
	session session
	dead    error // the failure that ended the transaction

	failed   error // the last statement that failed
	failures int   // how many failed and were not undone by Try

	careful bool // Try sets savepoints
	bold    bool // Try ran without one
	gaveUp  bool // and what it ran failed

	brand  string
	change int64 // the last change number taken
	saved  bool  // whether change was given to a Save already
	first  int64 // the change number that the brand's row has

	cache cache

	turn    int64 // which write transaction of the process this is
	touched bool  // it had to do with tickets
	before  int64 // the turn that had before
	carried bool  // asked for what was left behind
	version int64 // of the database then
}

// cache holds what was looked up in this transaction and is still true.
type cache struct {
	known        map[string]bool                 // msg-ids asked for by Find: whether something carries them
	persons      map[personKey]int64             // resolved addresses
	participants map[int64][]tickets.Participant // as loaded, to save only what changed
	cores        map[int64]string                // what the participants of loaded tickets repeat of them
	settled      map[int64]settled               // of loaded tickets, as in the database
	acks         map[ackKey]int                  // automatic letters of the last hour, those saved here counted in
	work         map[int64]loadKey               // whose work loaded tickets are
	desk         *deskCache                      // how busy everybody is
	like         map[string]*likeCache           // by brand: tickets opened lately
}

// attempts bounds how often a transaction that the database asks to repeat is run.
const attempts = 6

// Decide runs f in one write transaction that holds the brand's change number.
// It commits when f returns nil. When f panics the transaction is rolled back
// and the panic goes on.
//
// Under a context of Fenced it commits only while the lease is still the
// caller's, and returns ErrLost when it is not.
//
// PostgreSQL may ask for a transaction to be repeated (a deadlock): then f is
// run again from its start, so it must not keep what an earlier run found.
func (db *DB) Decide(ctx context.Context, brand string, f func(*Tx) error) error {
	fence := fenceOf(ctx)
	var epoch int64
	err := db.write(ctx, func(tx *Tx) error {
		if err := tx.takeNumber(ctx, brand); err != nil {
			return err
		}
		if err := tx.guard(ctx, fence, &epoch); err != nil {
			return err
		}
		if err := f(tx); err != nil {
			return err
		}
		if err := tx.passed(ctx, fence, &epoch); err != nil {
			return err
		}
		return tx.storeNumber(ctx)
	})
	if err != nil {
		return fmt.Errorf("decide for brand %q: %w", brand, err)
	}
	return nil
}

// takeNumber takes the brand's next change number, making the row of a brand
// that has none. Whoever comes second waits here until the first has committed
// and then sees what it did: without it two mails of one thread, decided at
// the same time, open two tickets.
func (tx *Tx) takeNumber(ctx context.Context, brand string) error {
	tx.brand = brand
	err := tx.get(ctx, `
		INSERT INTO brands (brand, change) VALUES ($1, 1)
		ON CONFLICT (brand) DO UPDATE SET change = brands.change + 1
		RETURNING change`, []any{brand}, &tx.change)
	if err != nil {
		return fmt.Errorf("take the next change number: %w", err)
	}
	tx.first = tx.change
	return nil
}

// nextChange gives each Save of the transaction a number of its own. The row
// is locked, so they are counted here and stored at the end.
func (tx *Tx) nextChange() int64 {
	if tx.saved {
		tx.change++
	}
	tx.saved = true
	return tx.change
}

func (tx *Tx) storeNumber(ctx context.Context) error {
	if tx.change == tx.first {
		return nil
	}
	return tx.later(ctx, `UPDATE brands SET change = $2 WHERE brand = $1`, tx.brand, tx.change)
}

// errCarefully asks for a transaction to be run again, with savepoints.
var errCarefully = errors.New("a decision among others failed")

// write runs f in a write transaction, again when the database asks for it, and
// with savepoints when what a Try ran has failed without one.
func (db *DB) write(ctx context.Context, f func(*Tx) error) error {
	return db.writeSo(ctx, true, f)
}

// claim is write for claims of this process. They survive it, so that what ended
// it is known, but need not survive the computer.
func (db *DB) claim(ctx context.Context, f func(*Tx) error) error {
	return db.writeSo(ctx, false, f)
}

func (db *DB) writeSo(ctx context.Context, lasting bool, f func(*Tx) error) error {
	careful := false
	for try := 1; ; try++ {
		err := db.writeOnce(ctx, lasting, careful, f)
		if !careful && errors.Is(err, errCarefully) {
			careful = true
			continue
		}
		if err == nil || try == attempts || !db.engine.again(err) || ctx.Err() != nil {
			return err
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// pause waits a little before another attempt, longer each time and never
// twice the same: those who collided must not meet again.
func pause(ctx context.Context, try int) error {
	t := time.NewTimer(time.Duration(1<<try) * time.Millisecond * time.Duration(50+rand.IntN(100)) / 100) // #nosec G404 -- a pause, not a secret
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (db *DB) writeOnce(ctx context.Context, lasting, careful bool, f func(*Tx) error) error {
	session, err := db.engine.begin(ctx, lasting)
	if err != nil {
		return err
	}
	tx := &Tx{db: db, session: session, careful: careful, turn: db.carry.turns.Add(1)}
	done := false
	defer func() {
		if !done {
			_ = session.rollback() // nothing was kept: its failure changes nothing
		}
	}()
	if err := tx.run(f); err != nil {
		return err
	}
	if tx.dead != nil {
		return tx.dead
	}
	if tx.failures > 0 {
		return tx.doubtful(tx.failed) // f kept silent about it
	}
	done = true
	if err := session.commit(ctx); err != nil {
		return tx.doubtful(err)
	}
	tx.leave()
	return nil
}

// run runs f. Of a Try that gave up it makes an error.
func (tx *Tx) run(f func(*Tx) error) (err error) {
	defer func() {
		if tx.gaveUp {
			_ = recover()
			err = errCarefully
		}
	}()
	if err := f(tx); err != nil {
		if tx.failures > 0 {
			err = tx.doubtful(err)
		}
		return err
	}
	return nil
}

// doubtful is the failure of a statement that may have been put off by a Try
// which had no savepoint to go back to.
func (tx *Tx) doubtful(err error) error {
	if err == nil || !tx.bold || tx.dead != nil || tx.db.engine.fatal(err) {
		return err
	}
	return errors.Join(errCarefully, err)
}

// PanicError is what Try returns for a panic.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Try runs f so that when it fails (or panics) what it did is undone and the
// transaction goes on; the error is returned (a *PanicError for a panic). A
// failure of the database itself is returned too and ends the transaction:
// Decide then returns it whatever its function says.
//
// Failures are rare and savepoints cost (each page that is changed under one is
// kept a second time; PostgreSQL makes a transaction of each). So Decide runs
// its function without them first. At the first failure it undoes everything
// and runs the function again, from its start, with a savepoint for each Try.
func (tx *Tx) Try(ctx context.Context, f func() error) error {
	if tx.dead != nil {
		return tx.dead
	}
	if !tx.careful {
		return tx.boldly(f)
	}
	if err := tx.session.savepoint(ctx); err != nil {
		return tx.die(err)
	}
	change, saved, failures := tx.change, tx.saved, tx.failures
	err := caught(f)
	if err == nil {
		err = tx.flush(ctx) // what was put off belongs to f
	}
	if err == nil && tx.failures > failures {
		err = tx.failed // f kept silent about it
	}
	if tx.dead != nil {
		return errors.Join(err, tx.dead)
	}
	if err == nil {
		if err = tx.session.release(ctx); err != nil {
			return tx.die(err)
		}
		return nil
	}
	tx.change, tx.saved, tx.failures, tx.cache = change, saved, failures, cache{}
	if undo := tx.session.undo(context.WithoutCancel(ctx)); undo != nil {
		return errors.Join(err, tx.die(undo))
	}
	return err
}

// boldly is Try without a savepoint. When f fails it does not return: the panic
// ends in run, past whatever else f's caller had in mind for this transaction.
func (tx *Tx) boldly(f func() error) error {
	tx.bold = true
	failures := tx.failures
	err := caught(f)
	if tx.gaveUp { // within f
		panic(errCarefully)
	}
	if err == nil && tx.failures > failures {
		err = tx.failed // f kept silent about it
	}
	if tx.dead != nil {
		return errors.Join(err, tx.dead)
	}
	if err == nil {
		return nil
	}
	tx.gaveUp = true
	panic(errCarefully)
}

func caught(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// die ends the transaction with err.
func (tx *Tx) die(err error) error {
	if tx.dead == nil {
		tx.dead = fmt.Errorf("the transaction has ended: %w", err)
	}
	return err
}

// note takes note of a statement that failed: what it was part of must be
// undone, and after some failures everything.
func (tx *Tx) note(err error) error {
	switch {
	case err == nil || errors.Is(err, sql.ErrNoRows):
	case tx.db.engine.fatal(err):
		return tx.die(err)
	default:
		tx.failed, tx.failures = err, tx.failures+1
	}
	return err
}

func (tx *Tx) each(ctx context.Context, text string, args []any, f rowFunc) error {
	tx.touches(text)
	return tx.note(tx.session.each(ctx, text, args, f))
}

func (tx *Tx) get(ctx context.Context, text string, args []any, dest ...any) error {
	tx.touches(text)
	return tx.note(get(ctx, tx.session, text, args, dest))
}

// exec returns how many rows were met.
func (tx *Tx) exec(ctx context.Context, text string, args ...any) (int64, error) {
	tx.touches(text)
	n, err := tx.session.exec(ctx, text, args)
	return n, tx.note(err)
}

// later runs a statement whose answer nobody waits for.
func (tx *Tx) later(ctx context.Context, text string, args ...any) error {
	tx.touches(text)
	return tx.note(tx.session.later(ctx, statement{text: text, args: args}))
}

// eachLater is each for rows that are not needed before flush.
func (tx *Tx) eachLater(ctx context.Context, text string, args []any, f rowFunc) error {
	tx.touches(text)
	return tx.note(tx.session.later(ctx, statement{text: text, args: args, rows: f}))
}

// insert adds one row and returns its id; sql.ErrNoRows when ON CONFLICT kept
// it out.
func (tx *Tx) insert(ctx context.Context, text string, args []any) (id int64, err error) {
	found := false
	err = tx.insertLater(ctx, text, args, func(n int64) { id, found = n, true })
	if err == nil {
		err = tx.flush(ctx)
	}
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	return id, err
}

// insertLater is insert for an id that is not needed before flush. It is told
// of a row that was added.
func (tx *Tx) insertLater(ctx context.Context, text string, args []any, id func(int64)) error {
	tx.touches(text)
	return tx.note(tx.session.later(ctx, statement{text: text, args: args, id: id}))
}

// flush waits for all that was put off.
func (tx *Tx) flush(ctx context.Context) error { return tx.note(tx.session.flush(ctx)) }

// insertRows inserts rows of k columns each, many in one statement. The head
// is "INSERT INTO t (a, b) VALUES", the tail what follows the values.
func (tx *Tx) insertRows(ctx context.Context, head, tail string, k int, args []any) error {
	for n := len(args) / k; n > 0; n = len(args) / k {
		if n > 8 {
			n = 8
		}
		if err := tx.later(ctx, head+" "+rowsOf(n, k)+" "+tail, args[:n*k]...); err != nil {
			return err
		}
		args = args[n*k:]
	}
	return nil
}
