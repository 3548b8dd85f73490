// Package store holds all SQL. It keeps the ledger (what came in, raw), the
// tickets with their messages and events, and the outbox (what goes out), in
// SQLite or PostgreSQL, from one SQL text.
//
// What it guarantees:
//   - Append returns after the rows and the cursor are on disk (WAL,
//     synchronous=FULL), and adds each source key once.
//   - One Decide is one transaction. It begins by taking the brand's next
//     change number, which serialises the decisions of a brand.
//   - A claim is not ownership: it runs out, and its epoch tells a late worker
//     that somebody else has the row.
//
// It decides nothing: it looks up tickets.Keys and saves a tickets.Change.
// No statement reads the database's clock, but for those of leases (see clock in
// lease.go); callers pass the time.
package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"frontdesk/tickets"
)

// Errors a caller decides on.
var (
	ErrLocked   = errors.New("another frontdesk daemon uses this data folder")
	ErrNewer    = errors.New("the database was written by a newer frontdesk")
	ErrCorrupt  = errors.New("the database file is damaged: restore a backup")
	ErrLost     = errors.New("the claim was lost") // epoch moved on: somebody else has the row
	ErrNotFound = errors.New("no such row")
)

// Options of Open.
type Options struct {
	// Database is "postgres://…", or the path of an SQLite file; ":memory:"
	// style names are not supported, use a temporary file.
	Database string
	// Daemon takes the exclusive lock beside the SQLite file (ErrLocked when
	// another daemon holds it). Commands leave it false.
	Daemon bool
	// Fast trades durability for speed (synchronous=OFF): for databases that
	// are thrown away.
	Fast bool
	// CopyFirst copies an SQLite database to DATABASE.schema-N before its schema
	// N is changed, and changes nothing when it cannot. The newest two copies
	// stay. PostgreSQL has its own ways.
	CopyFirst bool
	// Keys mark what is erased, so that it does not come back; without a secret
	// nothing is kept out.
	Keys tickets.Keyring
	// Blobs are kept outside of the database; the zero value keeps all within.
	Blobs BlobOptions
	// Node names this process in claims and leases; "" is the host name and pid.
	Node string
	// Spool is the folder for files of large mails on their way; "" is that of the
	// SQLite file, or the system's for temporary files.
	Spool string
	// Idle bounds how long PostgreSQL waits for the next statement of a
	// transaction, default 15 s. A node that is frozen (or whose machine has
	// gone) in the middle of one holds the brand's row, and would keep all others
	// from deciding for as long as it sleeps.
	Idle time.Duration
}

// DB is an open store. It is safe for many goroutines.
type DB struct {
	engine engine
	read   querier
	node   string
	shared bool // other nodes may work on it
	notes  []string
	raw    codec
	blobs  BlobOptions
	large  large
	spools string // Options.Spool
	dots   dots
	carry  carrier
	sent   *sentNotes // nil: nothing is noted
	keys   tickets.Keyring

	restored time.Time // see NoteRestore

	closing sync.Once
	closed  error // what closing gave
}

// engine is what differs between the databases: how they are opened, how a
// write transaction begins, which failures mean "again" and which "no more",
// and the search index.
type engine interface {
	reader() runner
	// spare is a reader for much that is read once: it keeps nothing in memory.
	spare(ctx context.Context) (r runner, release func(), err error)
	// begin starts a write transaction. One of which nothing must last need not
	// be on disk when commit returns, if all that it is good for ends with what
	// would take it away: the computer.
	begin(ctx context.Context, lasting bool) (session, error)
	// again reports that the whole transaction is worth another attempt.
	again(err error) bool
	// fatal reports that the failure ended the transaction, or that the
	// database itself has failed: going on after a savepoint makes no sense.
	fatal(err error) bool
	migrate(ctx context.Context) error
	search() searchDialect
	backup(ctx context.Context, path string) error
	// size is Size.
	size(ctx context.Context) (int64, error)
	// trusted is nil for a database that looks after its own disk.
	trusted() *trust
	// scrub is Scrub.
	scrub(ctx context.Context) error
	close() error
	// clock is the SQL for the present in milliseconds; param is the caller's.
	clock(param string) string
}

// session is a write transaction. Statements may be put off with later: over a
// network they then share a round trip with the next one whose answer is
// needed. An error is returned by whatever sent the statement.
type session interface {
	// each and exec send what was put off, then the statement.
	each(ctx context.Context, text string, args []any, f rowFunc) error
	exec(ctx context.Context, text string, args []any) (int64, error)
	later(ctx context.Context, s statement) error
	flush(ctx context.Context) error
	// spare says that much is to be written: it shall not stay in memory until
	// the transaction ends.
	spare(ctx context.Context) error

	// savepoint, release and undo nest. undo forgets what was put off since.
	savepoint(ctx context.Context) error
	release(ctx context.Context) error
	undo(ctx context.Context) error

	commit(ctx context.Context) error
	rollback() error // forgets what was put off
}

// rowFunc is called with the Scan of each row.
type rowFunc = func(scan func(...any) error) error

// statement is one to be run, now or with the next. Of rows, met and id one may
// be set; met is told how many rows the statement met, id the id of the row that
// an INSERT added, if it did.
type statement struct {
	text string
	args []any
	rows rowFunc
	met  func(n int64) error
	id   func(id int64)
}

// Open opens the database, migrates it to this version and checks it. The
// errors to decide on are ErrLocked, ErrNewer and ErrCorrupt.
func Open(ctx context.Context, opt Options) (*DB, error) {
	db := &DB{node: opt.Node, keys: opt.Keys, blobs: opt.Blobs, spools: opt.Spool}
	if db.spools == "" && !isPostgres(opt.Database) {
		db.spools = filepath.Dir(opt.Database)
	}
	db.blobs.LargerThan = max(db.blobs.LargerThan, MinBlob)
	if db.blobs.Place == PlaceDatabase {
		db.blobs.Place = ""
	}
	if db.node == "" {
		host, _ := os.Hostname()
		db.node = fmt.Sprintf("%s:%d", host, os.Getpid())
	}
	db.shared = isPostgres(opt.Database)
	var err error
	if isPostgres(opt.Database) {
		db.engine, err = openPostgres(ctx, opt)
	} else {
		db.engine, db.notes, err = openSQLite(ctx, opt)
	}
	if err != nil {
		return nil, err
	}
	db.read = reader{db.engine.reader()}
	if err := db.loadRestored(ctx); err != nil {
		_ = db.engine.close()
		return nil, err
	}
	if opt.Daemon && !isPostgres(opt.Database) {
		err := db.recallSent(ctx, opt.Database)
		if err == nil {
			err = db.abandoned(ctx)
		}
		if err != nil {
			_ = db.engine.close()
			return nil, errors.Join(err, db.sent.close())
		}
	}
	return db, nil
}

func isPostgres(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

// Notes says what Open did not check, a line each: worth a line in the log.
func (db *DB) Notes() []string { return slices.Clone(db.notes) }

// Close waits for running transactions and closes the database. It may be
// called again, and returns the same.
func (db *DB) Close() error {
	db.closing.Do(func() {
		if err := errors.Join(db.engine.close(), db.sent.close()); err != nil {
			db.closed = fmt.Errorf("close the database: %w", err)
		}
	})
	return db.closed
}

// Ping runs one trivial query, and asks whether the database is written on: the
// watchdog's question.
func (db *DB) Ping(ctx context.Context) error {
	var n int
	if err := db.read.get(ctx, `SELECT 1`, nil, &n); err != nil {
		return fmt.Errorf("ping the database: %w", err)
	}
	return db.WhyUntrusted()
}

// Agents makes a person (brand "") for each address that has none, and returns
// the person ids by normal address. New lists those that were made now: they
// get the guide.
func (db *DB) Agents(ctx context.Context, agents []tickets.Agent) (ids map[string]int64, made []string, err error) {
	err = db.write(ctx, func(tx *Tx) error {
		ids, made = make(map[string]int64, len(agents)), nil
		for _, a := range agents {
			id, isNew, err := tx.person(ctx, "", tickets.Address{Name: a.Name, Address: a.Address})
			if err != nil {
				return err
			}
			address := tickets.NormalAddress(a.Address)
			ids[address] = id
			if isNew {
				made = append(made, address)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("make persons for %d agents: %w", len(agents), err)
	}
	return ids, made, nil
}
