package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

var sqliteDialect = dialect{
	name:  "sqlite",
	goose: goose.DialectSQLite3,
	tokens: strings.NewReplacer(
		"@identity@", "INTEGER PRIMARY KEY",
		"@number@", "INTEGER PRIMARY KEY AUTOINCREMENT",
		"@rowid@", "INTEGER PRIMARY KEY",
	),
}

const (
	sqliteReaders = 4
	// checkUpTo is the size of a file that is read whole at start, checkFor
	// the time that may take: the desk must be up within a second.
	checkUpTo = 256 << 20
	checkFor  = 700 * time.Millisecond

	// Page caches of a connection, in KB as SQLite wants them: of the one that
	// writes, of those that read, and of either while it moves a large mail, which
	// would push everything else out and stay.
	writerPages = "-16000"
	readerPages = "-4000"
	sparePages  = "-512"
)

// sqliteEngine has one connection that writes and a few that read.
type sqliteEngine struct {
	path    string
	copies  bool // Options.CopyFirst
	fast    bool // nothing is synced
	lock    *os.File
	writers *sql.DB
	readers *sql.DB
	prepare *preparing // readers, with prepared statements

	// The writing connection is held for life, with its prepared statements;
	// turn holds a token for whoever may use it.
	turn        chan struct{}
	ended       chan struct{} // closed with it: nobody waits for a turn any more
	conn        *sql.Conn
	checkpoints *checkpointer
	statements  map[string]*sql.Stmt
	trust       *trust
	passing     bool // its commits are not synced
	sparing     bool // its page cache is small until the transaction ends
}

// useOFDLocks makes SQLite's locks belong to the open file: POSIX locks are
// dropped when anything in the process closes the database file. It must run
// before the first open; where it cannot, the POSIX locks stay.
var useOFDLocks = sync.OnceFunc(func() { _, _ = sqlite.OFDLocking(true) })

func openSQLite(ctx context.Context, opt Options) (engine, []string, error) {
	useOFDLocks()
	path, err := filepath.Abs(opt.Database)
	if err != nil || opt.Database == "" {
		return nil, nil, fmt.Errorf("open database %q: no such path", opt.Database)
	}
	e := &sqliteEngine{path: path, copies: opt.CopyFirst, fast: opt.Fast, turn: make(chan struct{}, 1), ended: make(chan struct{}), statements: map[string]*sql.Stmt{}, trust: newTrust()}
	notes, err := e.open(ctx, opt)
	if err != nil {
		err = errors.Join(err, e.close())
		return nil, nil, fmt.Errorf("open database %q: %w", opt.Database, sqliteError(err))
	}
	return e, notes, nil
}

func (e *sqliteEngine) open(ctx context.Context, opt Options) (notes []string, err error) {
	if opt.Daemon {
		if e.lock, err = lockFile(e.path + ".lock"); err != nil {
			return nil, err
		}
	}
	if err := createPrivate(e.path); err != nil {
		return nil, err
	}
	if e.writers, err = sql.Open("sqlite", sqliteName(e.path, true, opt.Fast)); err != nil {
		return nil, err
	}
	e.writers.SetMaxOpenConns(1)
	if e.readers, err = sql.Open("sqlite", sqliteName(e.path, false, opt.Fast)); err != nil {
		return nil, err
	}
	e.readers.SetMaxOpenConns(sqliteReaders)
	e.readers.SetMaxIdleConns(sqliteReaders)
	e.prepare = &preparing{DB: e.readers, statements: make(map[string]*sql.Stmt)}
	if opt.Daemon {
		if notes, err = e.check(ctx); err != nil {
			return nil, err
		}
	}
	if err := e.migrate(ctx); err != nil {
		return nil, err
	}
	if e.conn, err = e.writers.Conn(ctx); err != nil {
		return nil, err
	}
	if opt.Daemon {
		if err := e.settle(ctx); err != nil {
			return nil, err
		}
		if err := e.startCheckpoints(ctx); err != nil {
			return nil, err
		}
	}
	e.turn <- struct{}{}
	return notes, nil
}

// createPrivate makes the file readable by its owner only; SQLite gives -wal
// and -shm the same mode.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// sqliteName returns the driver's name for the file. Nothing in it but the
// escaped path comes from outside.
func sqliteName(path string, write, fast bool) string {
	q := url.Values{}
	add := func(pragma string) { q.Add("_pragma", pragma) }
	add("busy_timeout(10000)")
	add("journal_mode(WAL)")
	add("foreign_keys(1)")
	add("temp_store(MEMORY)")
	if fast {
		add("synchronous(OFF)")
	} else {
		add("synchronous(FULL)")
	}
	if write {
		add("cache_size(" + writerPages + ")")
		add("secure_delete(1)")            // what is erased is overwritten
		add("journal_size_limit(4194304)") // of what a WAL that starts anew keeps: its size tells how long it is
		q.Set("_txlock", "immediate")
	} else {
		add("cache_size(" + readerPages + ")")
		add("query_only(1)")
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	return u.String()
}

// check looks for damage before anything is served. A file too large to be
// read whole within the time is only asked for its schema, which the note says.
func (e *sqliteEngine) check(ctx context.Context) (notes []string, err error) {
	info, err := os.Stat(e.path)
	if err != nil {
		return nil, err
	}
	var n int
	if err := e.writers.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_schema`).Scan(&n); err != nil {
		return nil, err
	}
	if info.Size() > checkUpTo {
		return []string{fmt.Sprintf("database of %d MB: only its schema was checked; run PRAGMA integrity_check on a backup", info.Size()>>20)}, nil
	}
	limited, cancel := context.WithTimeout(ctx, checkFor)
	defer cancel()
	var said string
	err = e.writers.QueryRowContext(limited, `PRAGMA quick_check(1)`).Scan(&said)
	switch {
	case err != nil && limited.Err() != nil && ctx.Err() == nil:
		return []string{fmt.Sprintf("database of %d MB: the check was stopped after %s", info.Size()>>20, checkFor)}, nil
	case err != nil:
		return nil, err
	case said != "ok":
		return nil, fmt.Errorf("%w: %s", ErrCorrupt, said)
	}
	return nil, nil
}

func (e *sqliteEngine) migrate(ctx context.Context) error {
	p, err := sqliteDialect.provider(e.writers)
	if err != nil {
		return err
	}
	var held *os.File
	err = migrateUp(ctx, p, func(have int64) error {
		if e.lock == nil { // a command must not change the schema under a running daemon
			if held, err = lockFile(e.path + ".lock"); err != nil {
				return err
			}
		}
		if e.copies && have > 0 {
			return e.copyOf(ctx, have)
		}
		return nil
	})
	if held != nil {
		_ = held.Close()
	}
	return err
}

func (e *sqliteEngine) reader() runner { return e.prepare }

// spare takes one of the readers for a while.
func (e *sqliteEngine) spare(ctx context.Context) (runner, func(), error) {
	c, err := e.readers.Conn(ctx)
	if err == nil {
		if _, err = c.ExecContext(ctx, `PRAGMA cache_size = `+sparePages); err != nil {
			_ = c.Close()
		}
	}
	if err != nil {
		return nil, nil, err
	}
	return c, func() {
		_, _ = c.ExecContext(context.WithoutCancel(ctx), `PRAGMA cache_size = `+readerPages)
		_ = c.Close()
	}, nil
}

func (e *sqliteEngine) clock(param string) string { return param }

// size is that of the file and of what waits to be written into it.
func (e *sqliteEngine) size(context.Context) (int64, error) {
	info, err := os.Stat(e.path)
	if err != nil {
		return 0, err
	}
	return info.Size() + walSize(e.path+"-wal"), nil
}

// preparing is a pool whose statements are prepared once for each connection.
type preparing struct {
	*sql.DB
	mu         sync.Mutex
	statements map[string]*sql.Stmt
}

// maxPrepared bounds the statements kept: those with lists come in lengths.
const maxPrepared = 200

func (p *preparing) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return p.DB.QueryContext(ctx, text, args...)
	}
	return s.QueryContext(ctx, args...)
}

// statement returns nil for one too many.
func (p *preparing) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.statements[text]
	if ok || len(p.statements) >= maxPrepared {
		return s, nil
	}
	s, err := p.DB.PrepareContext(ctx, text)
	if err == nil {
		p.statements[text] = s
	}
	return s, err
}

func (e *sqliteEngine) trusted() *trust { return e.trust }

func (e *sqliteEngine) close() error {
	var errs []error
	e.checkpoints.close()
	if e.trust.ask() != nil {
		// The last connection to close would copy the WAL into the file and
		// remove it: both stay as they are for the next start.
		if e.lock != nil {
			return e.lock.Close()
		}
		return nil
	}
	if e.conn != nil {
		<-e.turn // waits for the running transaction; nobody gets another
		close(e.ended)
		for _, s := range e.statements {
			errs = append(errs, s.Close())
		}
		errs = append(errs, e.conn.Close())
	}
	// Readers first: the last connection to close checkpoints the WAL, and
	// only one that may write can.
	for _, db := range []*sql.DB{e.readers, e.writers} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	return errors.Join(errs...)
}

// sqliteTx is a transaction on the writing connection.
type sqliteTx struct{ e *sqliteEngine }

// begin: a transaction that need not last is on disk with the next one that
// must: the WAL keeps their order.
func (e *sqliteEngine) begin(ctx context.Context, lasting bool) (session, error) {
	select {
	case <-e.turn:
	case <-e.ended:
		return nil, sql.ErrConnDone
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := e.trust.ask(); err != nil {
		e.turn <- struct{}{}
		return nil, err
	}
	t := sqliteTx{e}
	err := t.sync(lasting)
	if err == nil {
		err = t.run(ctx, `BEGIN IMMEDIATE`)
	}
	if err != nil {
		e.turn <- struct{}{}
		return nil, sqliteError(err)
	}
	return t, nil
}

// sync says whether commits are synced from now on. A prepared statement would
// say it only once: when it is prepared.
func (t sqliteTx) sync(lasting bool) error {
	if t.e.fast || t.e.passing == !lasting {
		return nil
	}
	how := "FULL"
	if !lasting {
		how = "NORMAL"
	}
	_, err := t.e.conn.ExecContext(context.Background(), `PRAGMA synchronous = `+how)
	if err == nil {
		t.e.passing = !lasting
	}
	return err
}

func (t sqliteTx) commit(ctx context.Context) error {
	err := t.run(ctx, `COMMIT`)
	if err != nil {
		return errors.Join(sqliteError(err), t.rollback())
	}
	t.spared()
	t.e.checkpoints.committed()
	t.e.turn <- struct{}{}
	return nil
}

func (t sqliteTx) rollback() error {
	// It fails when SQLite has rolled back by itself, which is what is wanted.
	_ = t.run(context.Background(), `ROLLBACK`)
	t.spared()
	t.e.turn <- struct{}{}
	return nil
}

// spare makes SQLite write pages to the WAL before the commit.
func (t sqliteTx) spare(ctx context.Context) error {
	if t.e.sparing {
		return nil
	}
	_, err := t.e.conn.ExecContext(ctx, `PRAGMA cache_size = `+sparePages)
	t.e.sparing = err == nil
	return err
}

func (t sqliteTx) spared() {
	if t.e.sparing {
		_, err := t.e.conn.ExecContext(context.Background(), `PRAGMA cache_size = `+writerPages)
		t.e.sparing = err != nil
	}
}

func (t sqliteTx) savepoint(ctx context.Context) error { return t.run(ctx, `SAVEPOINT try`) }
func (t sqliteTx) release(ctx context.Context) error   { return t.run(ctx, `RELEASE SAVEPOINT try`) }

func (t sqliteTx) undo(ctx context.Context) error {
	if err := t.run(ctx, `ROLLBACK TO SAVEPOINT try`); err != nil {
		return err
	}
	return t.release(ctx)
}

func (t sqliteTx) run(ctx context.Context, text string) error {
	_, err := t.exec(ctx, text, nil)
	return err
}

// Here is no network: nothing is put off.

func (t sqliteTx) flush(context.Context) error { return nil }

func (t sqliteTx) later(ctx context.Context, s statement) error {
	if s.rows != nil {
		return t.each(ctx, s.text, s.args, s.rows)
	}
	result, err := t.result(ctx, s.text, s.args)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	switch {
	case err != nil:
	case s.met != nil:
		err = s.met(n)
	case s.id != nil && n > 0: // RETURNING would make a table for the one id
		var id int64
		id, err = result.LastInsertId()
		s.id(id)
	}
	return err
}

// prepared returns the statement, prepared once for the life of the connection.
func (t sqliteTx) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	if s, ok := t.e.statements[text]; ok {
		return s, nil
	}
	s, err := t.e.conn.PrepareContext(ctx, text)
	if err == nil {
		t.e.statements[text] = s
	}
	return s, err
}

// Statements of a transaction are short: the context is asked between them.
// Handing it to the driver costs a goroutine for each, to interrupt it.

func (t sqliteTx) each(ctx context.Context, text string, args []any, f rowFunc) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	s, err := t.prepared(ctx, text)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(ctx, bind(args)...)
	if err == nil {
		err = eachRow(rows, f)
	}
	t.e.trust.met(err)
	return err
}

func (t sqliteTx) exec(ctx context.Context, text string, args []any) (int64, error) {
	result, err := t.result(ctx, text, args)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t sqliteTx) result(ctx context.Context, text string, args []any) (sql.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	s, err := t.prepared(ctx, text)
	if err != nil {
		return nil, err
	}
	result, err := s.ExecContext(ctx, bind(args)...)
	if err != nil {
		t.e.trust.met(err)
	}
	return result, err
}

// again: a writer of another process held the lock for all of busy_timeout.
func (e *sqliteEngine) again(err error) bool { return sqliteCode(err) == sqlitelib.SQLITE_BUSY }

// fatal: anything but a refused row or a wrong statement.
func (e *sqliteEngine) fatal(err error) bool {
	switch sqliteCode(err) {
	case 0, sqlitelib.SQLITE_CONSTRAINT, sqlitelib.SQLITE_ERROR, sqlitelib.SQLITE_TOOBIG, sqlitelib.SQLITE_MISMATCH, sqlitelib.SQLITE_RANGE:
		return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	}
	return true
}

// sqliteCode returns the primary result code in err, 0 when there is none.
func sqliteCode(err error) int { return sqliteFullCode(err) & 0xff }

// sqliteFullCode returns the extended result code.
func sqliteFullCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// sqliteError marks a damaged file as such.
func sqliteError(err error) error {
	switch sqliteCode(err) {
	case sqlitelib.SQLITE_CORRUPT, sqlitelib.SQLITE_NOTADB:
		return fmt.Errorf("%w (%w)", ErrCorrupt, err)
	}
	return err
}
