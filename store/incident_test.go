package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// The parent of an incident is found with the open tickets of it, what each
// customer wrote last, and their clocks.
func TestIncidentIsFoundByAnyOfIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		var ids []int64
		for i := range 5 {
			c := clocked(newTicket(fmt.Sprintf("c%d@x", i), "no internet", fmt.Sprintf("%d@x", i)), sla.Event{At: noon, Kind: sla.Opened})
			again := message(fmt.Sprintf("c%d@x", i), "no internet", fmt.Sprintf("%d-again@x", i))
			again.At = noon.Add(time.Minute)
			answer := message("asha@example.org", "Re: no internet", fmt.Sprintf("%d-answer@x", i))
			answer.Direction, answer.Author.Kind = tickets.DirectionOut, tickets.AuthorAgent
			third := message("eve@x", "no internet", fmt.Sprintf("%d-third@x", i))
			third.Author.Kind = tickets.AuthorThird
			note := message(fmt.Sprintf("c%d@x", i), "she called", fmt.Sprintf("%d-note@x", i))
			note.Direction = tickets.DirectionNote
			c.Tickets[0].Messages = append(c.Tickets[0].Messages, again, answer, third, note)
			ids = append(ids, save(t, db, 0, c).Tickets[0])
		}
		parent := ids[0]
		var joins []tickets.IncidentJoin
		for _, id := range ids[:4] {
			joins = append(joins, tickets.IncidentJoin{Ticket: id, Incident: parent, By: "desk", Why: "four customers"})
		}
		save(t, db, 0, tickets.Change{Brand: "acme", Join: joins})
		closed := must(db.Ticket(ctx, ids[3]))(t)
		if closed.Incident != parent {
			t.Fatalf("incident %d, want %d", closed.Incident, parent)
		}
		closed.Status = tickets.StatusClosed
		save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: closed}}})

		found := find(t, db, tickets.Keys{History: parent})
		if len(found.Parent) != 2 {
			t.Fatalf("%d tickets, want the two open ones beside the parent: %+v", len(found.Parent), found.Parent)
		}
		for i, p := range found.Parent {
			diff(t, "ticket", p.Ticket, must(db.Ticket(ctx, ids[i+1]))(t))
			if want := fmt.Sprintf("%d-again@x", i+1); p.Last.MessageID != want {
				t.Errorf("last message of a customer: %q, want %q", p.Last.MessageID, want)
			}
			if len(found.Log[p.Ticket.ID]) != 1 {
				t.Errorf("clocks of ticket %d: %+v", p.Ticket.ID, found.Log[p.Ticket.ID])
			}
		}
		var others []int64 // any ticket of it stands for all: an agent answers the one in hand
		for _, p := range find(t, db, tickets.Keys{History: ids[1]}).Parent {
			others = append(others, p.Ticket.ID)
		}
		diff(t, "the others of ticket 2", others, []int64{parent, ids[2]})
		if f := find(t, db, tickets.Keys{History: ids[4]}); f.Parent != nil {
			t.Errorf("ticket %d is part of no incident: %+v", ids[4], f.Parent)
		}

		// A parent that was merged stands for the one it lives on in.
		merged := must(db.Ticket(ctx, ids[4]))(t)
		merged.Status, merged.MergedInto = tickets.StatusMerged, parent
		save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: merged}}})
		if f := find(t, db, tickets.Keys{History: ids[4]}); len(f.Parent) != 2 {
			t.Errorf("by a ticket merged into the parent: %d tickets, want 2", len(f.Parent))
		}
	})
}

// Who joins is looked at at once and has it in the log; who leaves is not.
func TestJoinAnIncident(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		a := save(t, db, 0, promised("a@x", noon.Add(time.Hour), noon.Add(time.Hour))).Tickets[0]
		b := save(t, db, 0, promised("b@x", noon.Add(time.Hour), noon.Add(time.Hour))).Tickets[0]
		saved := save(t, db, 0, tickets.Change{Brand: "acme", Join: []tickets.IncidentJoin{
			{Ticket: a, Incident: b, By: "desk", Why: "like it"}, {Ticket: b, By: "asha@example.org"},
		}})
		diff(t, "watching", must(db.Watching(ctx, "acme", noon, 10))(t), []int64{a})
		events := must(db.Events(ctx, a))(t)
		last := events[len(events)-1]
		last.ID = 0
		diff(t, "event", last, tickets.Event{Ticket: a, Change: saved.Change, At: noon, Who: "desk", What: "incident", Detail: fmt.Sprintf("#%d: like it", b)})
		if got := must(db.Ticket(ctx, b))(t); got.Incident != 0 {
			t.Errorf("incident of who left: %d", got.Incident)
		}
		err := db.Decide(ctx, "zenith", func(tx *store.Tx) error {
			_, err := tx.Save(ctx, 0, "", "", tickets.Change{Brand: "zenith", Join: []tickets.IncidentJoin{{Ticket: a, Incident: a}}}, noon)
			return err
		})
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a ticket of another brand: %v, want ErrNotFound", err)
		}
	})
}
