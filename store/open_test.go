package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"frontdesk/store"
	"frontdesk/store/storetest"
)

// raw runs statements on a database that no store has open, or beside one.
func raw(t testing.TB, driver, name string, statements ...string) {
	t.Helper()
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func openAt(t testing.TB, path string, daemon bool) (*store.DB, error) {
	t.Helper()
	return store.Open(context.Background(), store.Options{Database: path, Daemon: daemon, Fast: true})
}

func TestSecondDaemonIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "desk.db")
	first := must(openAt(t, path, true))(t)
	if _, err := openAt(t, path, true); !errors.Is(err, store.ErrLocked) {
		t.Errorf("second daemon: %v, want ErrLocked", err)
	}
	command := must(openAt(t, path, false))(t) // a command works beside it
	save(t, command, 0, newTicket("anna@customer.example", "printer", "a@x"))
	if err := errors.Join(command.Close(), first.Close()); err != nil {
		t.Fatal(err)
	}
	again := must(openAt(t, path, true))(t) // and the lock goes with the daemon
	if list := must(again.Tickets(t.Context(), store.TicketQuery{}))(t); len(list) != 1 {
		t.Errorf("%d tickets, want 1", len(list))
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := must(openAt(t, filepath.Join(dir, "desk.db"), true))(t)
	defer db.Close()
	save(t, db, 0, newTicket("anna@customer.example", "printer", "a@x"))
	entries := must(os.ReadDir(dir))(t)
	for _, e := range entries {
		info := must(e.Info())(t)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
	if len(entries) < 3 {
		t.Errorf("%d files, want the database, -wal, -shm and .lock", len(entries))
	}
}

func TestOddPath(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a?b#c%20d&_pragma=synchronous(OFF) é.db")
	db := must(openAt(t, path, false))(t)
	defer db.Close()
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	save(t, db, 0, newTicket("anna@customer.example", "printer", "a@x"))
	if info := must(os.Stat(path + "-wal"))(t); info.Size() == 0 {
		t.Error("the store wrote to another file")
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	const newer = `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)`
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "desk.db")
		if err := must(openAt(t, path, false))(t).Close(); err != nil {
			t.Fatal(err)
		}
		raw(t, "sqlite", path, newer)
		if _, err := openAt(t, path, true); !errors.Is(err, store.ErrNewer) {
			t.Errorf("open: %v, want ErrNewer", err)
		}
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := storetest.Postgres(t)
		if err := must(openAt(t, url, false))(t).Close(); err != nil {
			t.Fatal(err)
		}
		raw(t, "pgx", url, newer)
		if _, err := openAt(t, url, true); !errors.Is(err, store.ErrNewer) {
			t.Errorf("open: %v, want ErrNewer", err)
		}
	})
}

func TestSeveralNodesStartAtOnce(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	errs := make(chan error)
	for range 4 {
		go func() {
			db, err := store.Open(context.Background(), store.Options{Database: url})
			if err == nil {
				err = db.Close()
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// filled makes a closed database file with some tickets.
func filled(t testing.TB, n int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "desk.db")
	db := must(openAt(t, path, true))(t)
	for i := range n {
		c := newTicket("anna@customer.example", "printer", strings.Repeat("x", i)+"@x")
		c.Tickets[0].Messages[0].Text = strings.Repeat("text ", 500)
		save(t, db, 0, c)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDamagedFileIsRefused(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(data []byte) []byte{
		"overwritten in the middle": func(data []byte) []byte {
			copy(data[len(data)/2&^4095:], bytes.Repeat([]byte{0xA5}, 4096))
			return data
		},
		"overwritten at the start": func(data []byte) []byte { copy(data, bytes.Repeat([]byte{0}, 4096)); return data },
		"not a database":           func([]byte) []byte { return bytes.Repeat([]byte("hello "), 2000) },
		"cut off":                  func(data []byte) []byte { return data[:len(data)/2&^4095] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filled(t, 100)
			data := damage(must(os.ReadFile(path))(t))
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := openAt(t, path, true)
			if err == nil {
				db.Close()
			}
			if !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("open: %v, want ErrCorrupt", err)
			}
		})
	}
}

// crashed copies the files of a running store, as a power cut leaves them.
func crashed(t testing.TB, drop func(dir string)) (path string) {
	t.Helper()
	from, to := t.TempDir(), t.TempDir()
	db := must(openAt(t, filepath.Join(from, "desk.db"), true))(t)
	defer db.Close()
	for i := range 3 {
		save(t, db, 0, newTicket("anna@customer.example", "printer", strings.Repeat("x", i)+"@x"))
	}
	for _, name := range []string{"desk.db", "desk.db-wal", "desk.db-shm"} {
		data := must(os.ReadFile(filepath.Join(from, name)))(t)
		if err := os.WriteFile(filepath.Join(to, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	drop(to)
	return filepath.Join(to, "desk.db")
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		drop func(dir string)
		want int // tickets at least
	}{
		"power cut": {func(string) {}, 3},
		"no -shm":   {func(dir string) { os.Remove(filepath.Join(dir, "desk.db-shm")) }, 3},
		"cut-off WAL": {func(dir string) {
			wal := filepath.Join(dir, "desk.db-wal")
			info, _ := os.Stat(wal)
			os.Truncate(wal, info.Size()-100)
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := must(openAt(t, crashed(t, tt.drop), true))(t)
			defer db.Close()
			if list := must(db.Tickets(t.Context(), store.TicketQuery{}))(t); len(list) < tt.want {
				t.Errorf("%d tickets are left, want %d", len(list), tt.want)
			}
		})
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	for i := range 20 {
		save(t, db, 0, newTicket("anna@customer.example", "printer", strings.Repeat("x", i)+"@x"))
	}
	if _, err := db.Index(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "it's a backup.db")
	if err := db.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := db.Backup(t.Context(), path); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second backup over the first: %v, want ErrExist", err)
	}
	if info := must(os.Stat(path))(t); info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has mode %v", info.Mode())
	}
	save(t, db, 0, newTicket("anna@customer.example", "later", "later@x"))
	backup := must(openAt(t, path, true))(t)
	defer backup.Close()
	query := store.TicketQuery{Search: "fire"}
	got, want := must(backup.Tickets(t.Context(), query))(t), must(db.Tickets(t.Context(), query))(t)
	diff(t, "tickets of the backup", got, want[:20])
	diff(t, "tally of the backup", must(backup.OutboxTally(t.Context()))(t), map[string]int{store.LetterQueued: 20})
}

func TestBackupOfPostgres(t *testing.T) {
	t.Parallel()
	db := must(openAt(t, storetest.Postgres(t), false))(t)
	defer db.Close()
	if err := db.Backup(t.Context(), filepath.Join(t.TempDir(), "b")); err == nil || !strings.Contains(err.Error(), "pg_dump") {
		t.Errorf("backup: %v, want one that names pg_dump", err)
	}
}

func TestBadDatabaseNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "/no/such/folder/desk.db", t.TempDir(), "postgres://user:secret@[::1/x"} {
		db, err := openAt(t, name, false)
		if err == nil {
			db.Close()
			t.Errorf("%q was opened", name)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error holds the password: %v", name, err)
		}
	}
}
