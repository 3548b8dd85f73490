package store_test

import (
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
)

func TestLease(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		a, b := open(), open()
		lease := func(db *store.DB, after time.Duration) bool {
			now := noon.Add(after)
			return must(db.Lease(t.Context(), "sweep", now, now.Add(time.Minute)))(t)
		}
		for i, got := range []bool{
			lease(a, 0),                // taken
			!lease(b, 30*time.Second),  // held by a
			lease(a, 40*time.Second),   // renewed
			!lease(b, 99*time.Second),  // still held
			lease(b, 100*time.Second),  // run out, taken over
			!lease(a, 101*time.Second), // and lost
		} {
			if !got {
				t.Errorf("step %d went wrong", i)
			}
		}
		if err := a.Unlease(t.Context(), "sweep"); err != nil { // not a's to give back
			t.Fatal(err)
		}
		if lease(a, 102*time.Second) {
			t.Error("a gave b's lease back")
		}
		if err := b.Unlease(t.Context(), "sweep"); err != nil {
			t.Fatal(err)
		}
		if !lease(a, 103*time.Second) {
			t.Error("a lease given back is not free")
		}
	})
}

func TestOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		got := ""
		for _, day := range []string{"2026-10-05", "2026-10-05", "2026-10-06"} {
			err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
				first, err := tx.Once(t.Context(), "quarantine letter", day)
				if first {
					got += day + " "
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if got != "2026-10-05 2026-10-06 " {
			t.Errorf("happened: %s", got)
		}
	})
}
