package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// TestClaimsOfADeadDaemonEnd: the daemon that takes the lock finds nothing
// claimed, a command beside it leaves claims alone.
func TestClaimsOfADeadDaemonEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	file := filepath.Join(t.TempDir(), "desk.db")
	open := func(daemon bool) *store.DB {
		t.Helper()
		db, err := store.Open(t.Context(), store.Options{Database: file, Daemon: daemon, Node: "n"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	db := open(true)
	if _, err := db.Append(t.Context(), []store.Item{{Key: "k", Brand: "b", Mailbox: "m@b.test", Channel: tickets.ChannelMail, Received: now, Data: []byte("x")}}, nil); err != nil {
		t.Fatal(err)
	}
	claim := func(db *store.DB) int {
		t.Helper()
		rows, err := db.ClaimLedger(t.Context(), "b", 10, now, now.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return len(rows)
	}
	if got := claim(db); got != 1 {
		t.Fatalf("first claim: %d rows, want 1", got)
	}
	if err := db.Close(); err != nil { // as far as the lock goes, a death
		t.Fatal(err)
	}
	if got := claim(open(false)); got != 0 {
		t.Errorf("a command took %d claimed rows, want 0", got)
	}
	if got := claim(open(true)); got != 1 {
		t.Errorf("the next daemon found %d rows, want 1", got)
	}
}

// TestWriteAfterCloseFails: it waited for a turn that nobody gives.
func TestWriteAfterCloseFails(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), store.Options{Database: filepath.Join(t.TempDir(), "desk.db")})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Decide(t.Context(), "b", func(*store.Tx) error { return nil }); err == nil {
		t.Error("a decision was taken on a closed store")
	}
}
