// Package storetest opens stores for tests. Each runs a test on SQLite and on
// a real PostgreSQL server that it starts for the test binary.
//
// A package whose tests call Each has
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
package storetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"frontdesk/store"
	"frontdesk/tickets"
)

// Keys mark what tests erase.
var Keys = tickets.Keyring{Current: tickets.Key{ID: 'k', Secret: []byte("a secret of tests, 32 bytes long")}}

// Each runs f on each database, as parallel subtests. open opens the test's
// database, an empty one at first; called again it opens the same database
// once more, as another node does. All are closed at the end of the test.
func Each(t *testing.T, f func(t *testing.T, open func() *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, opener(t, filepath.Join(t.TempDir(), "desk.db")))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, opener(t, Postgres(t)))
	})
}

// SQLite opens a new SQLite store that is fast and thrown away.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	return opener(t, filepath.Join(t.TempDir(), "desk.db"))()
}

var nodes atomic.Int64

func opener(t testing.TB, database string) func() *store.DB {
	return func() *store.DB {
		t.Helper()
		node := fmt.Sprintf("node%d", nodes.Add(1))
		db, err := store.Open(context.Background(), store.Options{Database: database, Fast: true, Node: node, Keys: Keys})
		if err != nil {
			t.Fatalf("open the store: %v", err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Errorf("close the store: %v", err)
			}
		})
		return db
	}
}

// Main runs the tests and stops what they started.
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is Main for a package whose TestMain has more to do: it returns the exit
// code.
func Run(m *testing.M) int {
	defer stopPostgres()
	return m.Run()
}
