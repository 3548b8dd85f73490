package store_test

import (
	"testing"
	"time"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// What is due is noted once for ever; what was stopped as a whole is not found
// again; a decision that comes late changes nothing of what has ended.
func TestWhatIsDueIsNotedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db, ctx := open(), t.Context()
		put := func(c tickets.Change) {
			t.Helper()
			c.Brand = "acme"
			if err := db.Decide(ctx, "acme", func(tx *store.Tx) error {
				_, err := tx.Save(ctx, 0, "", "", c, noon)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		put(tickets.Change{Products: []tickets.Product{{Owner: tickets.Address{Address: "anna@customer.example"}, Serial: "RX-5", ContractUntil: sla.Date{Year: 2026, Month: 12, Day: 1}}}})
		product := must(db.ProductBySerial(ctx, "acme", "RX-5"))(t)
		due := func(days int) tickets.Due {
			list := tickets.Reminders(tickets.Schedule{Key: tickets.RenewalReminder, DaysBefore: []int{days}}, []tickets.Product{product},
				product.ContractUntil.Add(-days), product.ContractUntil.Add(-days), noon, tickets.ReminderRules{})
			if len(list) != 1 {
				t.Fatalf("due %+v", list)
			}
			list[0].Next = noon
			return list[0]
		}
		put(tickets.Change{Dues: []tickets.Due{due(30)}})
		put(tickets.Change{Dues: []tickets.Due{due(30), due(7)}})
		r := must(db.Reminded(ctx, "acme", product.Person))(t)
		if len(r.Dues) != 2 || r.Dues[0].Days != 30 || r.Dues[0].Date != product.ContractUntil || r.Products[product.ID].Serial != "RX-5" || r.Person.Addresses[0] != "anna@customer.example" {
			t.Fatalf("waits %+v", r)
		}
		if ids := must(db.DuePersons(ctx, "acme", noon, 10))(t); len(ids) != 1 || ids[0] != product.Person {
			t.Errorf("persons %v", ids)
		}
		if ids := must(db.DuePersons(ctx, "acme", noon.Add(-time.Hour), 10))(t); len(ids) != 0 {
			t.Errorf("persons an hour before %v", ids)
		}
		sent := r.Dues[0]
		sent.State, sent.Told, sent.Letter = tickets.DueSent, sla.DateOf(noon), "reminder:1"
		put(tickets.Change{Dues: []tickets.Due{sent}})
		stop := tickets.Due{Schedule: tickets.RenewalReminder, Occurrence: product.ContractUntil.String(), Product: product.ID, Date: product.ContractUntil, Why: "renewed"}
		put(tickets.Change{StopDues: []tickets.Due{stop}})
		put(tickets.Change{Dues: []tickets.Due{due(1)}}) // found after it was stopped
		late := r.Dues[1]
		late.State = tickets.DueSent
		put(tickets.Change{Dues: []tickets.Due{late}}) // decided before it was stopped
		states := map[int]tickets.DueState{}
		for _, d := range must(db.DuesOf(ctx, product.ID))(t) {
			if d.Subject != tickets.DueSubject(product.ID) {
				states[d.Days] = d.State
			}
		}
		if states[30] != tickets.DueSent || states[7] != tickets.DueStopped || states[1] != tickets.DueStopped || len(states) != 3 {
			t.Errorf("states %v", states)
		}
		if r := must(db.Reminded(ctx, "acme", product.Person))(t); len(r.Dues) != 0 || len(r.Told) != 1 || r.Told[0] != sla.DateOf(noon) {
			t.Errorf("waits %+v", r)
		}
		if n := must(db.RemindedSince(ctx, "acme", noon.Add(-time.Hour), noon))(t); n != 1 {
			t.Errorf("%d reminders in the hour", n)
		}
		if n := must(db.RemindedSince(ctx, "acme", noon.Add(time.Second), noon.Add(time.Hour)))(t); n != 0 {
			t.Errorf("%d reminders in the next hour", n)
		}
		if list := must(db.Waiting(ctx, "acme"))(t); len(list) != 0 {
			t.Errorf("waiting %+v", list)
		}
	})
}

// How far a schedule is stays as it was noted last, for each brand by itself.
func TestHowFarASchedulesIsNoted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db, ctx := open(), t.Context()
		put := func(r store.Run) {
			t.Helper()
			if err := db.Decide(ctx, r.Brand, func(tx *store.Tx) error { return tx.SaveRun(ctx, r) }); err != nil {
				t.Fatal(err)
			}
		}
		first := store.Run{Brand: "acme", Schedule: "x", At: noon}
		then := store.Run{Brand: "acme", Schedule: "x", At: noon.Add(time.Hour), Doubted: noon.Add(2 * time.Hour)}
		put(first)
		put(store.Run{Brand: "other", Schedule: "x", At: noon.Add(-time.Hour)})
		if got := must(db.Runs(ctx, "acme"))(t); len(got) != 1 || got["x"] != first {
			t.Errorf("runs %+v", got)
		}
		put(then)
		if got := must(open().Runs(ctx, "acme"))(t); len(got) != 1 || got["x"] != then {
			t.Errorf("runs %+v", got)
		}
	})
}

// useReminders runs the statements of reminders, for their plans.
func useReminders(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	d := tickets.Due{Schedule: "x", Occurrence: "y", Subject: "z", Person: 1, Product: 1, State: tickets.DueWaiting, Found: noon}
	was := d
	was.ID = 1
	err := db.Decide(ctx, "acme", func(tx *store.Tx) error {
		if _, err := tx.Save(ctx, 0, "", "", tickets.Change{Brand: "acme", Dues: []tickets.Due{d, was}, StopDues: []tickets.Due{d}}, noon); err != nil {
			return err
		}
		return tx.SaveRun(ctx, store.Run{Brand: "acme", Schedule: "x", At: noon})
	})
	if err != nil {
		t.Fatal(err)
	}
	must(db.Runs(ctx, "acme"))(t)
	must(db.DuePersons(ctx, "acme", noon, 5))(t)
	must(db.Waiting(ctx, "acme"))(t)
	must(db.DuesOf(ctx, 1))(t)
	must(db.RemindedSince(ctx, "acme", noon, noon))(t)
	must(db.Reminded(ctx, "acme", 1))(t)
}
