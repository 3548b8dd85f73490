package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"

	"pgregory.net/rapid"
)

// given is a new ticket of somebody's.
func given(from, assignee, severity string, status tickets.Status) tickets.Change {
	c := newTicket(from, "printer", from+assignee+severity+string(status))
	t := &c.Tickets[0].Ticket
	t.Assignee, t.Severity, t.Status = assignee, severity, status
	c.Tickets[0].Letters = nil
	return c
}

func ofBrand(brand string, c tickets.Change) tickets.Change {
	c.Brand, c.Tickets[0].Ticket.Brand = brand, brand
	return c
}

// The open work is that of all brands, by agent and severity; what waits for
// others, is done or is nobody's is not work.
func TestDeskCountsOpenWork(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		diff(t, "an empty desk", must(db.Desk(t.Context(), noon))(t), tickets.Desk{})
		for i, c := range []tickets.Change{
			given("a@x", "bikram@example.org", "high", tickets.StatusNew),
			given("b@x", "bikram@example.org", "high", tickets.StatusOpen),
			given("c@x", "bikram@example.org", "", tickets.StatusOpen),
			ofBrand("zenith", given("d@x", "bikram@example.org", "low", tickets.StatusOpen)),
			given("e@x", "Asha@Example.org", "low", tickets.StatusNew),
			given("f@x", "asha@example.org", "high", tickets.StatusPending),
			given("g@x", "asha@example.org", "high", tickets.StatusHold),
			given("h@x", "asha@example.org", "high", tickets.StatusResolved),
			given("i@x", "asha@example.org", "high", tickets.StatusClosed),
			given("j@x", "", "high", tickets.StatusNew),
		} {
			c.Tickets[0].Messages[0].MessageID = fmt.Sprint(i)
			save(t, db, 0, c)
		}
		want := tickets.Desk{Load: map[string]tickets.Load{
			"bikram@example.org": {Open: 4, Severity: map[string]int{"high": 2, "": 1, "low": 1}},
			"asha@example.org":   {Open: 1, Severity: map[string]int{"low": 1}},
		}}
		diff(t, "the desk", must(db.Desk(t.Context(), noon))(t), want)
		diff(t, "as found", *find(t, db, tickets.Keys{Opens: true}).Desk, want)
		if f := find(t, db, tickets.Keys{}); f.Desk != nil {
			t.Errorf("asked for by nobody: %+v", f.Desk)
		}
	})
}

func TestAway(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		day := 24 * time.Hour
		save(t, db, 0, tickets.Change{Brand: "acme", Away: []tickets.Absence{
			{Agent: "Bikram@example.org", Since: noon, Until: noon.Add(day)},
			{Agent: "asha@example.org", Since: noon.Add(-day), Until: noon.Add(7 * day)},
			{Agent: "chen@example.org", Since: noon.Add(-day), Until: noon.Add(day)},
			{Agent: "dora@example.org", Since: noon.Add(2 * day), Until: noon.Add(3 * day)},
		}})
		save(t, db, 0, tickets.Change{Brand: "acme", Away: []tickets.Absence{
			{Agent: "chen@example.org"},
			{Agent: "asha@example.org", Since: noon, Until: noon.Add(2 * day)},
		}})
		for _, c := range []struct {
			now  time.Time
			want map[string]time.Time
		}{
			{noon.Add(-time.Hour), nil},
			{noon, map[string]time.Time{"bikram@example.org": noon.Add(day), "asha@example.org": noon.Add(2 * day)}},
			{noon.Add(day), map[string]time.Time{"asha@example.org": noon.Add(2 * day)}},
			{noon.Add(2 * day), map[string]time.Time{"dora@example.org": noon.Add(3 * day)}},
			{noon.Add(3 * day), nil},
		} {
			diff(t, c.now.String(), must(db.Desk(t.Context(), c.now))(t).Away, c.want)
		}

		// An absence that the same transaction noted counts at once.
		err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
			if f := must(tx.Find(t.Context(), tickets.Keys{Brand: "acme", Opens: true, Now: noon}))(t); len(f.Desk.Away) != 2 {
				t.Errorf("away: %v, want two", f.Desk.Away)
			}
			back := tickets.Change{Brand: "acme", Away: []tickets.Absence{{Agent: "asha@example.org"}}}
			if _, err := tx.Save(t.Context(), 0, "", "", back, noon); err != nil {
				return err
			}
			if f := must(tx.Find(t.Context(), tickets.Keys{Brand: "acme", Opens: true, Now: noon}))(t); len(f.Desk.Away) != 1 {
				t.Errorf("away after one is back: %v, want one", f.Desk.Away)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// Who answered a customer's tickets or has them knows the customer, for half a
// year.
func TestWhoKnowsTheCustomer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		answered := func(from, msgid, by string, when time.Time) tickets.Message {
			m := message(by, "Re: printer", msgid)
			m.Direction, m.Author.Kind, m.At = tickets.DirectionOut, tickets.AuthorAgent, when
			return m
		}
		had := func(c tickets.Change, when time.Time, messages ...tickets.Message) {
			c.Tickets[0].Ticket.Updated = when
			c.Tickets[0].Messages = append(c.Tickets[0].Messages, messages...)
			save(t, db, 0, c)
		}
		old := noon.AddDate(0, 0, -181)
		anna := "anna@customer.example"
		// Bikram has one and answered it twice, and answered another; Asha had one
		// long ago, and answered one lately that Chen has.
		had(given(anna, "bikram@example.org", "high", tickets.StatusClosed), noon, answered(anna, "b1", "bikram@example.org", noon), answered(anna, "b2", "Bikram@example.org", noon))
		had(given(anna, "", "low", tickets.StatusClosed), noon, answered(anna, "b3", "bikram@example.org", noon.AddDate(0, 0, -179)))
		had(given(anna, "asha@example.org", "", tickets.StatusClosed), old, answered(anna, "a1", "asha@example.org", old))
		had(given(anna, "chen@example.org", "", tickets.StatusOpen), noon, answered(anna, "a2", "asha@example.org", noon))
		// Not hers: another customer's, another brand's, and one that she follows.
		had(given("bob@customer.example", "dora@example.org", "", tickets.StatusOpen), noon)
		had(ofBrand("zenith", given(anna, "dora@example.org", "", tickets.StatusOpen)), noon)
		followed := given("carl@customer.example", "dora@example.org", "", tickets.StatusOpen)
		followed.Tickets[0].Ticket.Participants = append(followed.Tickets[0].Ticket.Participants,
			tickets.Participant{Address: tickets.Address{Address: anna}, Role: tickets.PartyFollower})
		had(followed, noon)

		diff(t, "of Anna", find(t, db, tickets.Keys{Sender: anna, Opens: true}).Desk.Knows,
			map[string]int{"bikram@example.org": 2, "asha@example.org": 1, "chen@example.org": 1})
		diff(t, "of a stranger", find(t, db, tickets.Keys{Sender: "new@customer.example", Opens: true}).Desk.Knows, map[string]int{})
	})
}

// Whatever one transaction saves, undoes and looks up, the desk it sees is the
// one that a count would give: fifty tickets given out in it see each other.
func TestDeskWithinATransaction(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	agents := []string{"", "asha@example.org", "bikram@example.org"}
	severities := []string{"", "high", "low"}
	statuses := []tickets.Status{tickets.StatusNew, tickets.StatusOpen, tickets.StatusPending, tickets.StatusClosed}
	n := 0
	var known []int64
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		var made []int64
		var last *tickets.Desk
		err := db.Decide(ctx, "acme", func(tx *store.Tx) error {
			made = nil // it may run again, from its start
			step := func(rt *rapid.T) error {
				var c tickets.Change
				if all := append(known, made...); len(all) > 0 && rapid.Bool().Draw(rt, "change") {
					stored, err := db.Ticket(ctx, rapid.SampledFrom(all).Draw(rt, "ticket"))
					if errors.Is(err, store.ErrNotFound) || rapid.Bool().Draw(rt, "load it") {
						t, err := tx.Ticket(ctx, rapid.SampledFrom(all).Draw(rt, "loaded"))
						if err != nil {
							return err
						}
						stored = *t
					}
					c = tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: stored}}}
				} else {
					n++
					c = newTicket(fmt.Sprintf("c%d@customer.example", n%20), "printer", fmt.Sprintf("%d@x", n))
					c.Tickets[0].Letters = nil
				}
				ticket := &c.Tickets[0].Ticket
				ticket.Assignee = rapid.SampledFrom(agents).Draw(rt, "agent")
				ticket.Severity = rapid.SampledFrom(severities).Draw(rt, "severity")
				ticket.Status = rapid.SampledFrom(statuses).Draw(rt, "status")
				isNew := ticket.ID == 0
				undone := rapid.IntRange(0, 9).Draw(rt, "undo") == 0
				err := tx.Try(ctx, func() error {
					if rapid.Bool().Draw(rt, "look before") {
						if _, err := tx.Find(ctx, tickets.Keys{Brand: "acme", Opens: true, Now: noon}); err != nil {
							return err
						}
					}
					saved, err := tx.Save(ctx, 0, "", "", c, noon)
					if err == nil && undone {
						err = errors.New("undone")
					}
					if err == nil && isNew {
						made = append(made, saved.Tickets[0])
					}
					return err
				})
				if undone {
					return nil
				}
				return err
			}
			for range rapid.IntRange(1, 12).Draw(rt, "steps") {
				if err := step(rt); err != nil {
					return err
				}
			}
			f, err := tx.Find(ctx, tickets.Keys{Brand: "acme", Opens: true, Now: noon})
			last = f.Desk
			return err
		})
		if err != nil {
			rt.Fatal(err)
		}
		known = append(known, made...)
		counted, err := db.Desk(ctx, noon)
		if err != nil {
			rt.Fatal(err)
		}
		if got, want := fmt.Sprint(*last), fmt.Sprint(counted); got != want {
			rt.Fatalf("seen in the transaction:\n%s\ncounted after it:\n%s", got, want)
		}
	})
}
