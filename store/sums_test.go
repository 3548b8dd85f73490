package store_test

import (
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
)

func TestSumsCompareUpToTheLastRow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		if _, err := db.Append(t.Context(), items(1, 5), nil); err != nil {
			t.Fatal(err)
		}
		save(t, db, 1, newTicket("maria@keller.example", "Printer offline", "one@keller.example"))
		before := must(db.Sums(t.Context(), nil))(t)
		if got := before["ledger"].Rows; got != 5 {
			t.Errorf("ledger: %d rows, want 5", got)
		}
		if before["tickets"].Rows != 1 || before["messages"].Rows != 1 {
			t.Errorf("got %v, want one ticket with one message", before)
		}
		if _, err := db.Append(t.Context(), items(6, 9), nil); err != nil {
			t.Fatal(err)
		}
		diff(t, "sums up to the old last rows", must(db.Sums(t.Context(), before))(t), before)
		if after := must(db.Sums(t.Context(), nil))(t); after["ledger"].Rows != 9 || after["ledger"].Hash == before["ledger"].Hash {
			t.Errorf("four more rows left the sum at %v", after["ledger"])
		}
	})
}

func TestCheckRawFindsDamage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		bad := items(1, 3)
		if _, err := db.Append(t.Context(), bad[:2], nil); err != nil {
			t.Fatal(err)
		}
		seen := 0
		if err := db.CheckRaw(t.Context(), func() { seen++ }); err != nil || seen != 2 {
			t.Fatalf("saw %d rows, %v, want 2", seen, err)
		}
		bad[2].SHA256[0] ^= 1
		if _, err := db.Append(t.Context(), bad[2:], nil); err != nil {
			t.Fatal(err)
		}
		if err := db.CheckRaw(t.Context(), func() {}); err == nil {
			t.Error("bytes that are not those of the hash were taken for good")
		}
	})
}

func TestArrivals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		undecided, newest, err := db.Arrivals(t.Context())
		if err != nil || !undecided.IsZero() || !newest.IsZero() {
			t.Fatalf("an empty ledger: got %v, %v, %v", undecided, newest, err)
		}
		list := items(1, 2)
		list[0].Received, list[1].Received = noon, noon.Add(time.Hour)
		if _, err := db.Append(t.Context(), list, nil); err != nil {
			t.Fatal(err)
		}
		undecided, newest, err = db.Arrivals(t.Context())
		if err != nil || !undecided.Equal(noon) || !newest.Equal(noon.Add(time.Hour)) {
			t.Errorf("got %v, %v, %v", undecided, newest, err)
		}
		save(t, db, 1, newTicket("maria@keller.example", "Printer offline", "one@keller.example"))
		if undecided, _, _ = db.Arrivals(t.Context()); !undecided.Equal(noon.Add(time.Hour)) {
			t.Errorf("the oldest undecided row is of %v, want the second", undecided)
		}
	})
}
