package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// opened is a new ticket of the time.
func opened(from, subject, text string, when time.Time) tickets.Change {
	c := newTicket(from, subject, from+subject+when.String())
	c.Tickets[0].Ticket.Opened, c.Tickets[0].Messages[0].Text = when, text
	c.Tickets[0].Letters = nil
	return c
}

func like(f tickets.Found) (list []string) {
	for _, l := range f.Like {
		list = append(list, fmt.Sprintf("%s %q %s %s #%d", l.Requester, l.Words, l.Product, l.Status, l.Incident))
	}
	return list
}

func TestTicketsOpenedLately(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ago := func(m int) time.Time { return noon.Add(-time.Duration(m) * time.Minute) }
		save(t, db, 0, opened("old@x", "No internet", "down", ago(31)))
		product := opened("anna@x", "No internet", "The line is down.\nRegards", ago(20))
		product.Tickets[0].Ticket.Facts = map[string]string{"product": "router", "room": "12"}
		first := save(t, db, 0, product).Tickets[0]
		bob := save(t, db, 0, opened("Bob@x", "Internet", "down", ago(10))).Tickets[0]
		save(t, db, 0, ofBrand("zenith", opened("zoe@x", "Internet", "down", ago(5))))

		keys := tickets.Keys{Brand: "acme", Opens: true, Now: noon, LikeSince: ago(30)}
		annas := `anna@x "No internet\nThe line is down.\nRegards" router new #0`
		diff(t, "found", like(find(t, db, keys)), []string{`bob@x "Internet\ndown"  new #0`, annas})
		for _, k := range []tickets.Keys{{Opens: true}, {LikeSince: ago(30)}} {
			if f := find(t, db, k); f.Like != nil {
				t.Errorf("%+v: %v, want nothing", k, f.Like)
			}
		}

		// What the same transaction opens, changes and joins is in it.
		var seen tickets.Found
		err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
			before := must(tx.Find(t.Context(), keys))(t)
			stored := must(tx.Ticket(t.Context(), bob))(t)
			stored.Status, stored.Facts = tickets.StatusOpen, map[string]string{"product": "modem"}
			change := tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: *stored}},
				Join: []tickets.IncidentJoin{{Ticket: first, Incident: first}}}
			if _, err := tx.Save(t.Context(), 0, "", "", change, noon); err != nil {
				return err
			}
			if len(before.Like) != 2 || before.Like[0].Product != "" || before.Like[1].Incident != 0 {
				t.Errorf("what was handed out has changed: %v", like(before))
			}
			if _, err := tx.Save(t.Context(), 0, "", "", opened("carl@x", "Wifi", "gone", noon), noon); err != nil {
				return err
			}
			seen = must(tx.Find(t.Context(), keys))(t)
			later := keys
			later.LikeSince = ago(15)
			if f := must(tx.Find(t.Context(), later))(t); len(f.Like) != 2 {
				t.Errorf("of 15 minutes: %v, want two", like(f))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{`carl@x "Wifi\ngone"  new #0`, `bob@x "Internet\ndown" modem open #0`, strings.Replace(annas, "#0", fmt.Sprint("#", first), 1)}
		diff(t, "within the transaction", like(seen), want)
		diff(t, "after it", like(find(t, db, keys)), want)
		// A longer time is asked for anew.
		err = db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
			must(tx.Find(t.Context(), keys))(t)
			longer := keys
			longer.LikeSince = ago(40)
			if f := must(tx.Find(t.Context(), longer))(t); len(f.Like) != 4 {
				t.Errorf("of 40 minutes: %v, want four", like(f))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// What a ticket is about is kept for some days, and in few words.
func TestLatelyIsPruned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		long := tickets.Change{Brand: "acme"}
		for i := range 200 {
			c := opened(fmt.Sprintf("c%d@x", i), "printer", strings.Repeat("ä", 1000), noon.Add(-50*time.Hour))
			long.Tickets = append(long.Tickets, c.Tickets...)
		}
		for range 3 { // 600, and then enough for the pruning to come by
			save(t, db, 0, long)
		}
		keys := tickets.Keys{Opens: true, LikeSince: noon.Add(-60 * time.Hour)}
		if n := len(find(t, db, keys).Like); n >= 400 {
			t.Errorf("%d rows older than two days are left of 600", n)
		}
		young := opened("new@x", "printer", strings.Repeat("ä", 1000), noon)
		for range 64 {
			save(t, db, 0, young)
		}
		keys.LikeSince = noon.Add(-time.Minute)
		found := find(t, db, keys).Like
		if len(found) != 64 {
			t.Errorf("%d rows of today, want 64", len(found))
		}
		if n := len(found[0].Words); n > 400 || n < 390 {
			t.Errorf("%d bytes of words", n)
		}
	})
}
