package store_test

import (
	"fmt"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"

	"pgregory.net/rapid"
)

// The database sorts the queue as the rules do, whatever severities there are.
func TestQueueOrderIsThatOfTheRules(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		severities := []string{"", "critical", "high", "medium", "low", "odd"}
		statuses := []tickets.Status{tickets.StatusNew, tickets.StatusOpen, tickets.StatusPending, tickets.StatusHold, tickets.StatusResolved}
		var c tickets.Change
		for i := range 60 {
			one := opened(fmt.Sprintf("c%d@x", i), "printer", "", noon.Add(-time.Duration(i*7%5)*time.Hour))
			one.Tickets[0].Ticket.Severity, one.Tickets[0].Ticket.Status = severities[i%6], statuses[i%5]
			c.Tickets = append(c.Tickets, one.Tickets...)
		}
		c.Brand = "acme"
		save(t, db, 0, c)
		rapid.Check(t, func(rt *rapid.T) {
			order := rapid.Permutation([]string{"critical", "high", "medium", "low", "blocker"}).Draw(rt, "order")
			order = order[:rapid.IntRange(1, 5).Draw(rt, "severities")]
			list, err := db.Tickets(t.Context(), store.TicketQuery{Order: order})
			if err != nil {
				rt.Fatal(err)
			}
			if got, want := ids(list), ids(tickets.QueueOrder(list, tickets.Rules{Order: order})); len(list) != 60 || fmt.Sprint(got) != fmt.Sprint(want) {
				rt.Fatalf("order %v: got\n%v, want\n%v", order, got, want)
			}
		})
	})
}

func ids(list []tickets.Ticket) (out []int64) {
	for _, t := range list {
		out = append(out, t.ID)
	}
	return out
}

// The lists of the morning: what one agent has, what nobody has, and what is
// promised for today.
func TestMorningLists(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		asha, nobody := "asha@example.org", ""
		one := func(brand, queue, assignee, severity string, status tickets.Status, due time.Time) int64 {
			c := ofBrand(brand, promised(fmt.Sprint(brand, queue, assignee, severity, status, due), noon, due))
			t0 := &c.Tickets[0].Ticket
			t0.Queue, t0.Assignee, t0.Severity, t0.Status = queue, assignee, severity, status
			return save(t, db, 0, c).Tickets[0]
		}
		today, tomorrow := noon.Add(time.Hour), noon.Add(24*time.Hour)
		a := one("acme", "support", asha, "low", tickets.StatusOpen, today)
		b := one("zenith", "support", asha, "critical", tickets.StatusPending, tomorrow)
		c := one("acme", "support", nobody, "low", tickets.StatusNew, tomorrow)
		d := one("acme", "sales", nobody, "high", tickets.StatusNew, today)
		e := one("zenith", "support", nobody, "high", tickets.StatusNew, time.Time{})
		one("acme", "support", asha, "high", tickets.StatusClosed, today)
		one("acme", "support", nobody, "high", tickets.StatusSpam, today)
		for _, q := range []struct {
			what string
			q    store.TicketQuery
			want []int64
		}{
			{"an agent's", store.TicketQuery{Assignee: asha}, []int64{b, a}},
			{"an agent's of a brand", store.TicketQuery{Assignee: asha, Brand: "acme"}, []int64{a}},
			{"nobody's", store.TicketQuery{Unassigned: true}, []int64{d, e, c}},
			{"nobody's of a queue", store.TicketQuery{Unassigned: true, Queue: "support"}, []int64{e, c}},
			{"nobody's of a brand and queue", store.TicketQuery{Unassigned: true, Brand: "acme", Queue: "support"}, []int64{c}},
			{"promised for today", store.TicketQuery{Promised: tomorrow}, []int64{d, a}},
			{"promised up to tomorrow", store.TicketQuery{Promised: tomorrow.Add(1)}, []int64{d, a}},
			{"promised by the day after", store.TicketQuery{Promised: tomorrow.Add(time.Second)}, []int64{b, d, c, a}},
			{"an agent's promised for today", store.TicketQuery{Assignee: asha, Promised: tomorrow}, []int64{a}},
		} {
			diff(t, q.what, ids(must(db.Tickets(t.Context(), q.q))(t)), q.want)
		}
	})
}
