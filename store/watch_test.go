package store_test

import (
	"context"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// promised is a ticket that wants to be looked at, and is due.
func promised(from string, watch, due time.Time) tickets.Change {
	c := newTicket(from, "printer", from)
	c.Tickets[0].Ticket.Promises = tickets.Promises{Watch: watch, Clocks: []tickets.ClockView{
		{Clock: sla.FirstResponse, State: sla.StateMet, Due: noon.Add(-time.Hour)},
		{Clock: sla.Resolution, State: sla.StateRunning, Due: due},
	}}
	return c
}

func TestWatching(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		next := func(want time.Time) {
			t.Helper()
			if got := must(db.NextWatch(ctx))(t); !got.Equal(want) {
				t.Errorf("next: %v, want %v", got, want)
			}
		}
		next(time.Time{})
		a := save(t, db, 0, promised("a@x", noon, noon)).Tickets[0]
		b := save(t, db, 0, promised("b@x", noon.Add(-time.Minute), noon)).Tickets[0]
		save(t, db, 0, promised("c@x", noon.Add(time.Millisecond), noon))
		save(t, db, 0, promised("d@x", time.Time{}, noon))
		e := save(t, db, 0, ofBrand("zenith", promised("e@x", noon.Add(-time.Hour), noon))).Tickets[0]
		diff(t, "of acme", must(db.Watching(ctx, "acme", noon, 10))(t), []int64{b, a})
		diff(t, "the first of acme", must(db.Watching(ctx, "acme", noon, 1))(t), []int64{b})
		diff(t, "of zenith", must(db.Watching(ctx, "zenith", noon, 10))(t), []int64{e})
		next(noon.Add(-time.Hour))

		// The look saves when the next one is.
		for _, id := range []int64{b, e} {
			stored := must(db.Ticket(ctx, id))(t)
			stored.Promises.Watch = time.Time{}
			save(t, db, 0, tickets.Change{Brand: stored.Brand, Tickets: []tickets.TicketChange{{Ticket: stored}}})
		}
		diff(t, "looked at", must(db.Watching(ctx, "acme", noon, 10))(t), []int64{a})
		next(noon)
	})
}

// clocked adds events to a ticket.
func clocked(c tickets.Change, events ...sla.Event) tickets.Change {
	for _, e := range events {
		c.Tickets[0].Events = append(c.Tickets[0].Events, tickets.Event{At: e.At, Who: "desk", What: string(e.Kind), Clock: &e})
	}
	return c
}

// The log of the clocks comes back as it was written, in order, without what
// means nothing to them, and with the tickets that are found by any way.
func TestClockEvents(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		log := []sla.Event{
			{At: noon, Kind: sla.Opened, Status: "new", Facts: sla.Facts{Customer: "gold", Severity: "high", Category: "technical", Brand: "acme"}},
			{At: noon.Add(time.Hour), Kind: sla.Answered},
			{At: noon.Add(time.Hour), Kind: sla.StatusChanged, Status: "pending"},
			{At: noon.Add(30 * time.Minute), Kind: sla.FactsChanged, Facts: sla.Facts{Severity: "low"}},
		}
		id := save(t, db, 0, clocked(newTicket("anna@x", "printer", "a@x"), log...)).Tickets[0]
		other := save(t, db, 0, clocked(newTicket("bob@x", "printer", "b@x"), log[:1]...)).Tickets[0]
		foreign := save(t, db, 0, ofBrand("zenith", clocked(newTicket("zoe@x", "printer", "z@x"), log[:1]...))).Tickets[0]
		none := save(t, db, 0, newTicket("carl@x", "printer", "c@x")).Tickets[0]

		events := must(db.Events(ctx, id))(t)
		if len(events) != 5 || events[0].Clock != nil {
			t.Fatalf("events: %+v, want five, the first without a clock", events)
		}
		clocks := must(db.Log(ctx, id))(t)
		diff(t, "log", clocks, events[1:])
		for i := range clocks {
			diff(t, "clock event", *clocks[i].Clock, log[i])
		}
		diff(t, "by msg-id", find(t, db, tickets.Keys{Cites: []string{"a@x"}}).Log, map[int64][]sla.Event{id: log})
		diff(t, "by number", find(t, db, tickets.Keys{Tickets: []int64{other, foreign, none}}).Log, map[int64][]sla.Event{other: log[:1]})
		if f := find(t, db, tickets.Keys{Sender: "anna@x"}); len(f.Log) != 0 || f.Log == nil {
			t.Errorf("no ticket named: %#v", f.Log)
		}

		// A merged ticket's clocks, and those of where it lives on.
		stored := must(db.Ticket(ctx, other))(t)
		stored.Status, stored.MergedInto = tickets.StatusMerged, id
		save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: stored}}})
		diff(t, "merged", find(t, db, tickets.Keys{Tickets: []int64{other}}).Log, map[int64][]sla.Event{id: log, other: log[:1]})
	})
}

// Every field of a clock event is stored.
func TestClockEventFields(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	n := 0
	var e sla.Event
	fill(reflect.ValueOf(&e).Elem(), &n)
	id := save(t, db, 0, clocked(newTicket("anna@x", "printer", "a@x"), e)).Tickets[0]
	diff(t, "clock event", *must(db.Log(t.Context(), id))(t)[0].Clock, e)
}

// A look finds what a decision about a ticket needs that no contact caused.
func TestLook(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		opened := sla.Event{At: noon, Kind: sla.Opened}
		c := clocked(newTicket("anna@customer.example", "printer", "a@x"), opened)
		c.Tickets[0].Ticket.Assignee = "asha@example.org"
		c.Suppress = []string{"anna@customer.example"}
		id := save(t, db, 0, c).Tickets[0]
		var found tickets.Found
		err := db.Decide(ctx, "acme", func(tx *store.Tx) error {
			stored, err := tx.Ticket(ctx, id)
			if err != nil {
				return err
			}
			found, err = tx.Look(ctx, *stored, noon.Add(time.Minute))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "ticket", *found.Tickets[id], must(db.Ticket(ctx, id))(t))
		diff(t, "log", found.Log, map[int64][]sla.Event{id: {opened}})
		diff(t, "history", found.History, must(db.Messages(ctx, id))(t))
		diff(t, "load", found.Desk.Load["asha@example.org"].Open, 1)
		diff(t, "knows", found.Desk.Knows, map[string]int{"asha@example.org": 1})
		if !found.Suppressed || found.Acks.SenderHour != 1 || found.Person == nil || found.Person.ID != found.Tickets[id].Requester {
			t.Errorf("suppressed %t, acks %+v, person %+v", found.Suppressed, found.Acks, found.Person)
		}
	})
}

func TestLessons(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		a := save(t, db, 0, newTicket("a@x", "printer", "a@x")).Tickets[0]
		b := save(t, db, 0, newTicket("b@x", "printer", "b@x")).Tickets[0]
		n := 10
		var first, second, again tickets.Lesson
		for _, l := range []*tickets.Lesson{&first, &second, &again} {
			fill(reflect.ValueOf(l).Elem(), &n)
		}
		first.Ticket, second.Ticket, again.Ticket = a, b, a
		save(t, db, 0, tickets.Change{Brand: "acme", Lessons: []tickets.Lesson{first, second}})
		diff(t, "lessons", must(db.Lessons(t.Context(), noon, 10))(t), []tickets.Lesson{second, first})
		diff(t, "since", must(db.Lessons(t.Context(), second.At, 10))(t), []tickets.Lesson{second})
		diff(t, "one", must(db.Lessons(t.Context(), noon, 1))(t), []tickets.Lesson{second})
		// Who sorts a ticket anew corrects the lesson; a lesson of ticket 0 is about the new one.
		c := newTicket("c@x", "printer", "c@x")
		fresh := tickets.Lesson{Text: "x", Category: "billing", At: again.At.Add(time.Hour)}
		c.Lessons = []tickets.Lesson{again, fresh}
		fresh.Ticket = save(t, db, 0, c).Tickets[0]
		diff(t, "corrected", must(db.Lessons(t.Context(), noon, 10))(t), []tickets.Lesson{fresh, again, second})
	})
}

// Every field of a person is stored, by a command and by a decision.
func TestEveryFieldOfAPersonIsStored(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := context.Background()
		n := 0
		var p tickets.Person
		fill(reflect.ValueOf(&p).Elem(), &n)
		p.ID, p.Brand, p.Phones = 0, "acme", []string{"+9771400000", "+9771400001"}
		id := must(db.SavePerson(ctx, p, noon))(t)
		p.ID = id
		diff(t, "new", must(db.Person(ctx, id))(t), p)
		p.VIP, p.Contract, p.Name = false, "", "other"
		must(db.SavePerson(ctx, p, noon))(t)
		diff(t, "changed", must(db.Person(ctx, id))(t), p)
		// A decision adds what it knows.
		save(t, db, 0, tickets.Change{Brand: "acme", People: []tickets.Person{{Addresses: p.Addresses[:1], VIP: true, Contract: "gold"}}})
		p.VIP, p.Contract = true, "gold"
		diff(t, "added to", must(db.Person(ctx, id))(t), p)
	})
}

// A backup holds all of it, and the desk goes on from there.
func TestBackupHoldsPromises(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := storetest.SQLite(t)
	c := clocked(promised("anna@x", noon, noon), sla.Event{At: noon, Kind: sla.Opened})
	c.Tickets[0].Ticket.Assignee = "asha@example.org"
	c.Away = []tickets.Absence{{Agent: "asha@example.org", Since: noon, Until: noon.Add(time.Hour)}}
	c.Lessons = []tickets.Lesson{{Category: "billing", At: noon}}
	id := save(t, db, 0, c).Tickets[0]
	path := filepath.Join(t.TempDir(), "backup.db")
	if err := db.Backup(ctx, path); err != nil {
		t.Fatal(err)
	}
	restored := must(openAt(t, path, false))(t)
	defer restored.Close()
	diff(t, "ticket", must(restored.Ticket(ctx, id))(t), must(db.Ticket(ctx, id))(t))
	diff(t, "watching", must(restored.Watching(ctx, "acme", noon, 9))(t), []int64{id})
	diff(t, "log", must(restored.Log(ctx, id))(t), must(db.Log(ctx, id))(t))
	diff(t, "lessons", must(restored.Lessons(ctx, noon, 9))(t), must(db.Lessons(ctx, noon, 9))(t))
	diff(t, "desk", must(restored.Desk(ctx, noon))(t), tickets.Desk{
		Load: map[string]tickets.Load{"asha@example.org": {Open: 1, Severity: map[string]int{"": 1}}},
		Away: map[string]time.Time{"asha@example.org": noon.Add(time.Hour)},
	})
	diff(t, "like", find(t, restored, tickets.Keys{Opens: true, LikeSince: noon}).Like, find(t, db, tickets.Keys{Opens: true, LikeSince: noon}).Like)
}
