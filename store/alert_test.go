package store_test

import (
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// An alert comes back as it was saved; one that was over long ago is not listed.
func TestAlertsAreKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		a := tickets.Alert{
			Condition: tickets.Condition{Key: "smtp a@b node", Text: "away", Hint: "look", Node: "node", Mailbox: "a@b", Sending: true, Passing: true},
			Since:     noon, Told: noon.Add(time.Minute), Times: 3,
		}
		save := func(a tickets.Alert) {
			t.Helper()
			if err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error { return tx.SaveAlert(t.Context(), a) }); err != nil {
				t.Fatal(err)
			}
		}
		save(a)
		list := must(db.Alerts(t.Context(), noon.Add(time.Hour)))(t)
		if len(list) != 1 || !list[0].Since.Equal(a.Since) || !list[0].Told.Equal(a.Told) || list[0].Condition != a.Condition || list[0].Times != 3 {
			t.Errorf("got %+v, want %+v", list, a)
		}
		a.Cleared = noon.Add(2 * time.Minute)
		save(a)
		if list := must(db.Alerts(t.Context(), noon))(t); len(list) != 1 || !list[0].Cleared.Equal(a.Cleared) {
			t.Errorf("over, told lately: %+v", list)
		}
		if list := must(db.Alerts(t.Context(), noon.Add(time.Hour)))(t); len(list) != 0 {
			t.Errorf("over long ago: %+v", list)
		}
	})
}

// A post is handed out once until its time is over, and is gone when it was
// taken.
func TestAlertPostsAreClaimed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		if _, ok, err := db.ClaimAlertPost(t.Context(), noon, noon); ok || err != nil {
			t.Fatalf("of nothing: %v, %v", ok, err)
		}
		err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error { return tx.AddAlertPost(t.Context(), "webhook", `{"a":1}`, noon) })
		if err != nil {
			t.Fatal(err)
		}
		p, ok, err := db.ClaimAlertPost(t.Context(), noon, noon.Add(time.Minute))
		if !ok || err != nil || p.Target != "webhook" || p.Body != `{"a":1}` || p.Attempts != 0 || !p.Since.Equal(noon) {
			t.Fatalf("claimed %+v, %v, %v", p, ok, err)
		}
		if _, again, _ := db.ClaimAlertPost(t.Context(), noon, noon); again {
			t.Error("claimed twice")
		}
		if p, ok, _ = db.ClaimAlertPost(t.Context(), noon.Add(time.Minute), noon.Add(2*time.Minute)); !ok || p.Attempts != 1 {
			t.Errorf("after its time: %+v, %v", p, ok)
		}
		if err := db.DelayAlertPost(t.Context(), p.ID, noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, ok, _ = db.ClaimAlertPost(t.Context(), noon.Add(30*time.Minute), noon); ok {
			t.Error("claimed before it is due")
		}
		if err := db.EndAlertPost(t.Context(), p.ID); err != nil {
			t.Fatal(err)
		}
		if _, ok, _ = db.ClaimAlertPost(t.Context(), noon.Add(2*time.Hour), noon); ok {
			t.Error("claimed after it was taken")
		}
		if id, _, err := db.OldestLetter(t.Context(), noon); id != 0 || err != nil {
			t.Errorf("oldest letter of none: %d, %v", id, err)
		}
		if n, _, err := db.Poisoned(t.Context()); n != 0 || err != nil {
			t.Errorf("poisoned: %d, %v", n, err)
		}
	})
}
