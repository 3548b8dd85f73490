package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"frontdesk/store"
)

// ofTheFirst makes an SQLite database as the first release left it.
func ofTheFirst(t *testing.T) (path string) {
	t.Helper()
	tokens := strings.NewReplacer("@identity@", "INTEGER PRIMARY KEY", "@number@", "INTEGER PRIMARY KEY AUTOINCREMENT", "@rowid@", "INTEGER PRIMARY KEY")
	path = filepath.Join(t.TempDir(), "desk.db")
	var statements []string
	for _, name := range []string{"001_start.sql", "001_sqlite.sql"} {
		statements = append(statements, tokens.Replace(string(must(os.ReadFile(filepath.Join("testdata", "first", name)))(t))))
	}
	raw(t, "sqlite", path, append(statements,
		`CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))`,
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1)`, oldTicket, oldEvent, oldPeople)...)
	return path
}

func schemaOf(t *testing.T, path string) (n int) {
	t.Helper()
	db := must(sql.Open("sqlite", path))(t)
	defer db.Close()
	if err := db.QueryRow(`SELECT MAX(version_id) FROM goose_db_version`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Before the schema changes there is a copy of what was; once it has, there is
// nothing more to copy.
func TestCopyBeforeTheSchemaChanges(t *testing.T) {
	t.Parallel()
	path := ofTheFirst(t)
	for range 2 {
		db, err := store.Open(t.Context(), store.Options{Database: path, Daemon: true, Fast: true, CopyFirst: true})
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
	diff(t, "copies", must(store.CopiesBefore(path))(t), []string{path + ".schema-1"})
	if info := must(os.Stat(path + ".schema-1"))(t); info.Mode().Perm() != 0o600 {
		t.Errorf("the copy has mode %v", info.Mode())
	}
	if got := schemaOf(t, path+".schema-1"); got != 1 {
		t.Errorf("the copy has schema %d", got)
	}
	if got := schemaOf(t, path); got < 9 {
		t.Errorf("the database has schema %d", got)
	}
	useFirst(t, path+".schema-1") // it opens, with all that was in it

	// A fresh database has nothing to copy.
	fresh := filepath.Join(t.TempDir(), "desk.db")
	db, err := store.Open(t.Context(), store.Options{Database: fresh, Fast: true, CopyFirst: true})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	diff(t, "copies of a fresh one", must(store.CopiesBefore(fresh))(t), []string(nil))
}

// Without the copy nothing is changed.
func TestNoCopyNoChange(t *testing.T) {
	t.Parallel()
	path := ofTheFirst(t)
	if err := os.MkdirAll(filepath.Join(path+".schema-1", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), store.Options{Database: path, Daemon: true, Fast: true, CopyFirst: true})
	if err == nil || !strings.Contains(err.Error(), "hint: make room") || !strings.Contains(err.Error(), "copy the database (1 MB)") {
		t.Fatalf("got %v, want what the copy needs", err)
	}
	if got := schemaOf(t, path); got != 1 {
		t.Errorf("schema %d, want the old one", got)
	}
	if left, _ := filepath.Glob(path + "*.half"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNewestCopiesStay(t *testing.T) {
	t.Parallel()
	path := ofTheFirst(t)
	for i, n := range []string{"2", "0", "10"} { // in order of their age
		if err := os.WriteFile(path+".schema-"+n, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		at := noon.AddDate(-3+i, 0, 0)
		if err := os.Chtimes(path+".schema-"+n, at, at); err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open(t.Context(), store.Options{Database: path, Daemon: true, Fast: true, CopyFirst: true})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	diff(t, "copies", must(store.CopiesBefore(path))(t), []string{path + ".schema-10", path + ".schema-1"})
}
