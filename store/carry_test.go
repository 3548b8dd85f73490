package store_test

import (
	"errors"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// What a transaction left behind is not believed once somebody else has written:
// another one of this process, another process, or one that was undone.
func TestCarriedOnlyWhileTrue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db, other := open(), open()
		keys := tickets.Keys{Brand: "acme", Opens: true, Now: noon, LikeSince: noon.Add(-time.Hour)}
		look := func(what string, want ...string) {
			t.Helper()
			for range 2 { // the second time with what the first left behind
				diff(t, what, like(find(t, db, keys)), want)
			}
		}
		anna := save(t, db, 0, opened("anna@x", "No internet", "down", noon)).Tickets[0]
		look("one", `anna@x "No internet\ndown"  new #0`)

		save(t, other, 0, opened("bob@x", "Internet", "gone", noon))
		look("one of another process", `bob@x "Internet\ngone"  new #0`, `anna@x "No internet\ndown"  new #0`)

		stored := must(db.Ticket(t.Context(), anna))(t)
		stored.Status = tickets.StatusOpen
		save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: stored}}})
		look("changed by another transaction", `bob@x "Internet\ngone"  new #0`, `anna@x "No internet\ndown"  open #0`)

		undone := errors.New("undone")
		err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
			if _, err := tx.Find(t.Context(), keys); err != nil {
				return err
			}
			if _, err := tx.Save(t.Context(), 0, "", "", opened("carl@x", "Wifi", "gone", noon), noon); err != nil {
				return err
			}
			return undone
		})
		if !errors.Is(err, undone) {
			t.Fatalf("decided: %v", err)
		}
		look("after one that was undone", `bob@x "Internet\ngone"  new #0`, `anna@x "No internet\ndown"  open #0`)
	})
}
