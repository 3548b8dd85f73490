package store_test

import (
	"fmt"
	"testing"
	"time"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// A month of 100,000 tickets, and half of one before.
func BenchmarkFigures(b *testing.B) {
	db := storetest.SQLite(b)
	w := newWorld(1)
	const month, batch = 100_000, 500
	for n := 0; n < month*3/2; n += batch {
		err := db.Decide(b.Context(), "acme", func(tx *store.Tx) error {
			var c tickets.Change
			c.Brand = "acme"
			for i := range batch {
				at := w.from.Add(time.Duration(n+i-month/2) * (31 * 24 * time.Hour / month))
				c.Tickets = append(c.Tickets, busy(w, n+i, at))
			}
			_, err := tx.Save(b.Context(), 0, "", "", c, lastOpened(c))
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	q := w.query("acme")
	for b.Loop() {
		f, err := db.Figures(b.Context(), q)
		if err != nil {
			b.Fatal(err)
		}
		if f.Total.Period.Opened < month*9/10 {
			b.Fatalf("%d opened", f.Total.Period.Opened)
		}
	}
}

func lastOpened(c tickets.Change) time.Time { return c.Tickets[len(c.Tickets)-1].Ticket.Opened }

// busy is a ticket as they are: answered, resolved, closed, with clocks.
func busy(w *world, n int, at time.Time) tickets.TicketChange {
	agent := w.agents[n%3]
	s := story{t: tickets.Ticket{
		Brand: "acme", Mailbox: "support@example.org", Queue: "support", Channel: tickets.ChannelMail, Category: []string{"technical", "billing", ""}[n%3],
		Subject: fmt.Sprintf("Printer %d makes stripes", n%900), SubjectCore: fmt.Sprintf("printer %d makes stripes", n%900), Language: "en", Status: tickets.StatusNew, Assignee: agent,
		Opened: at.UTC(), Updated: at.UTC(), Participants: []tickets.Participant{{Address: tickets.Address{Address: fmt.Sprintf("c%d@customer.example", n%5000)}, Role: tickets.PartyRequester}},
	}}
	s.event(at, "customer@x", "opened", "by email to support@example.org", &sla.Event{Kind: sla.Opened})
	s.event(at, "desk", "assigned to", "none → "+agent, nil)
	answered, resolved := at.Add(time.Hour), at.Add(20*time.Hour)
	s.t.Answered = answered.UTC()
	s.event(answered, agent, "answered", "answer to customer@x", &sla.Event{Kind: sla.Answered})
	s.status(answered, agent, tickets.StatusPending)
	s.event(resolved, agent, "answered", "resolution to customer@x", &sla.Event{Kind: sla.Answered})
	s.status(resolved, agent, tickets.StatusResolved)
	s.status(resolved.Add(time.Hour), "customer@x", tickets.StatusClosed)
	s.kept(sla.FirstResponse, answered)
	s.kept(sla.NextUpdate, resolved)
	s.kept(sla.Resolution, resolved)
	s.t.Promises.Told = []string{"warned:resolution:2026-10-01T10:00:00Z"}
	return tickets.TicketChange{Ticket: s.t, Events: s.events}
}
