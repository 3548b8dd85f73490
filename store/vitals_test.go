package store_test

import (
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// Vitals of a store with one of each: a row that waits, one in quarantine, a
// ticket with its letters.
func TestVitals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		v := must(db.Vitals(t.Context(), noon))(t)
		if v.Undecided+v.Quarantined+v.Waiting+v.Held+v.Failed+v.Fetches+len(v.Open) != 0 || !v.OldestUndecided.IsZero() || !v.OldestWaiting.IsZero() || v.Size == 0 {
			t.Errorf("of an empty store: %+v", v)
		}
		if _, err := db.Append(t.Context(), items(1, 3), nil); err != nil {
			t.Fatal(err)
		}
		rows := claim(t, db, 3, noon)
		save(t, db, rows[0].ID, tickets.Change{Brand: "acme", Disposition: tickets.DisposeQuarantined, Reason: "spam"})
		save(t, db, rows[1].ID, newTicket("anna@customer.example", "printer", "a@x"))
		later := noon.Add(time.Hour)
		v = must(db.Vitals(t.Context(), later))(t)
		if v.Undecided != 1 || !v.OldestUndecided.Equal(rows[2].Received) || v.Quarantined != 1 || !v.OldestHeld.Equal(rows[0].Received) {
			t.Errorf("ledger: %+v, want row %v undecided and %v held", v, rows[2].Received, rows[0].Received)
		}
		if v.Waiting != 1 || v.OldestWaiting.IsZero() || v.OldestWaiting.After(later) {
			t.Errorf("outbox: %+v", v)
		}
		if got := v.Open["acme"]; got.Open != 1 || got.Unassigned != 1 || got.Overdue != 0 {
			t.Errorf("tickets: %+v", got)
		}
	})
}
