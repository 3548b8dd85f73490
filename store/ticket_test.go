package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// thread makes a ticket with n messages, an hour apart.
func thread(t testing.TB, db *store.DB, name string, n int, start time.Time) (ticket int64, messages []int64) {
	t.Helper()
	c := newTicket("anna@customer.example", name, name+"0@x")
	c.Tickets[0].Messages = nil
	for i := range n {
		m := message("anna@customer.example", name, fmt.Sprintf("%s%d@x", name, i))
		m.At = start.Add(time.Duration(i) * time.Hour)
		c.Tickets[0].Messages = append(c.Tickets[0].Messages, m)
	}
	c.Tickets[0].Letters[0].Carry = n
	saved := save(t, db, 0, c)
	return saved.Tickets[0], saved.Messages
}

// order is a ticket's messages by subject and number, oldest first.
func order(t testing.TB, db *store.DB, ticket int64) string {
	t.Helper()
	var list []string
	for _, m := range must(db.Messages(t.Context(), ticket))(t) {
		list = append(list, fmt.Sprintf("%s@%d", strings.TrimSuffix(m.MessageID, "@x"), m.Seq))
	}
	return strings.Join(list, " ")
}

func TestMerge(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		a, _ := thread(t, db, "a", 3, noon)
		b, moved := thread(t, db, "b", 2, noon.Add(30*time.Minute))
		target, source := must(db.Ticket(ctx, a))(t), must(db.Ticket(ctx, b))(t)
		target.Version = 7
		source.Status, source.MergedInto = tickets.StatusMerged, a
		save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{
			{Ticket: target, MoveFrom: []tickets.Move{{Ticket: b}}, Events: []tickets.Event{{What: "merged"}}},
			{Ticket: source, Events: []tickets.Event{{What: "merged"}}},
		}})
		if got := order(t, db, a); got != "a0@1 b0@2 a1@3 b1@4 a2@5" {
			t.Errorf("target: %s", got)
		}
		if got := order(t, db, b); got != "" {
			t.Errorf("source: %s", got)
		}
		if found := find(t, db, tickets.Keys{History: b, Now: noon}); len(found.History) != 5 || found.History[0].MessageID != "a0@x" {
			t.Errorf("history of the source: %+v", found.History)
		}
		if m := must(db.Message(ctx, moved[0]))(t); m.Version != 7 || m.Ticket != a {
			t.Errorf("moved message: ticket %d, version %d, want %d and 7", m.Ticket, m.Version, a)
		}
		// The letter that carried a moved message went with it.
		found := find(t, db, tickets.Keys{Cites: []string{"b1@x"}, Tickets: []int64{b}})
		if hits := found.ByMessageID["b1@x"]; len(hits) != 1 || hits[0].Ticket != a || found.Tickets[b].MergedInto != a {
			t.Errorf("hits: %+v", hits)
		}
		if list := must(db.LettersWhere(ctx, nil, a, 0))(t); len(list) != 2 {
			t.Errorf("%d letters about the target, want 2", len(list))
		}
	})
}

func TestSplit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		if _, err := db.Append(t.Context(), items(1, 1), nil); err != nil {
			t.Fatal(err)
		}
		row := claim(t, db, 1, noon)[0]
		saved := save(t, db, row.ID, newTicket("anna@customer.example", "z", "z0@x"))
		a := saved.Tickets[0]
		ticket := must(db.Ticket(t.Context(), a))(t)
		more := tickets.TicketChange{Ticket: ticket, Messages: []tickets.Message{message("anna@customer.example", "z", "z1@x"), message("anna@customer.example", "z", "z2@x")}}
		save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{more}})

		part := newTicket("anna@customer.example", "split", "note@x").Tickets[0]
		part.Messages, part.Letters = nil, nil
		part.MoveFrom = []tickets.Move{{Ticket: a, Messages: saved.Messages}}
		split := save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{
			{Ticket: ticket, LinkNew: map[int]string{1: "related"}}, part,
		}})
		b := split.Tickets[1]
		if got := order(t, db, a) + " | " + order(t, db, b); got != "z1@2 z2@3 | z0@1" {
			t.Errorf("messages: %s", got)
		}
		diff(t, "links", must(db.Ticket(t.Context(), a))(t).Links, []tickets.Link{{Kind: "related", To: b}})
		if e := must(db.Entry(t.Context(), row.ID))(t); e.Ticket != b {
			t.Errorf("the ledger row is on ticket %d, want %d", e.Ticket, b)
		}
		// The next message of the source gets a number of its own.
		save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: ticket, Messages: []tickets.Message{message("anna@customer.example", "z", "z3@x")}}}})
		if got := order(t, db, a); got != "z1@2 z2@3 z3@4" {
			t.Errorf("messages after: %s", got)
		}
	})
}

func TestMoveStaysInTheBrand(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		_, messages := thread(t, db, "a", 1, noon)
		c := newTicket("eve@customer.example", "x", "e@x")
		c.Brand, c.Tickets[0].Ticket.Brand = "zenith", "zenith"
		c.Tickets[0].MoveFrom = []tickets.Move{{Ticket: 1, Messages: messages}}
		err := db.Decide(t.Context(), "zenith", func(tx *store.Tx) error {
			_, err := tx.Save(t.Context(), 0, "", "", c, noon)
			return err
		})
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a message went to another brand: %v", err)
		}
		c.Tickets[0].Ticket.ID, c.Tickets[0].MoveFrom = 1, nil
		err = db.Decide(t.Context(), "zenith", func(tx *store.Tx) error {
			_, err := tx.Save(t.Context(), 0, "", "", c, noon)
			return err
		})
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a ticket of another brand was changed: %v", err)
		}
	})
}

func TestTicketsInQueueOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for i, s := range []struct {
			severity string
			status   tickets.Status
		}{{"low", "new"}, {"critical", "open"}, {"", "closed"}, {"critical", "new"}, {"medium", "new"}, {"medium", "new"}} {
			c := newTicket("anna@customer.example", fmt.Sprint(i), fmt.Sprint(i, "@x"))
			c.Tickets[0].Ticket.Severity, c.Tickets[0].Ticket.Status = s.severity, s.status
			c.Tickets[0].Ticket.Opened = noon.Add(-time.Duration(i) * time.Hour)
			if i%2 == 0 {
				c.Tickets[0].Ticket.Assignee = "Max@example.org"
			}
			save(t, db, 0, c)
		}
		for _, tt := range []struct {
			name string
			q    store.TicketQuery
			want string
		}{
			{"all open", store.TicketQuery{}, "3 1 5 4 0 "},
			{"closed", store.TicketQuery{Statuses: []tickets.Status{tickets.StatusClosed}}, "2 "},
			{"of an agent", store.TicketQuery{Assignee: "max@example.org"}, "4 0 "},
			{"of a brand", store.TicketQuery{Brand: "acme", Queue: "support", Limit: 2}, "3 1 "},
			{"of another brand", store.TicketQuery{Brand: "zenith"}, ""},
			{"of a customer", store.TicketQuery{Customer: "Anna@customer.example", Limit: 1}, "3 "},
			{"of nobody", store.TicketQuery{Customer: "bert@customer.example"}, ""},
		} {
			got := ""
			for _, ticket := range must(db.Tickets(t.Context(), tt.q))(t) {
				got += ticket.Subject + " "
			}
			if got != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
		}
	})
}

func TestSweeps(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		var ids []int64
		for i := range 4 {
			c := newTicket("anna@customer.example", fmt.Sprint(i), fmt.Sprint(i, "@x"))
			k := &c.Tickets[0].Ticket
			switch i {
			case 0, 1:
				k.Status, k.Resolved = tickets.StatusResolved, noon.Add(-time.Hour)
				if i == 1 {
					k.FollowedUp = noon
				}
			case 2:
				k.Status, k.PendingUntil = tickets.StatusPending, noon
			case 3:
				k.Status, k.PendingUntil = tickets.StatusHold, noon.Add(time.Hour)
			}
			ids = append(ids, save(t, db, 0, c).Tickets[0])
		}
		ctx := t.Context()
		diff(t, "silent", must(db.Silent(ctx, "acme", noon, false, 9))(t), []int64{ids[0]})
		diff(t, "silent, followed up", must(db.Silent(ctx, "acme", noon, true, 9))(t), []int64{ids[1]})
		diff(t, "silent, too young", must(db.Silent(ctx, "acme", noon.Add(-time.Hour), false, 9))(t), []int64{})
		diff(t, "due", must(db.Due(ctx, "acme", noon, 9))(t), []int64{ids[2]})
		diff(t, "due of another brand", must(db.Due(ctx, "zenith", noon.Add(9*time.Hour), 9))(t), []int64{})
	})
}

func TestPersonWithTwoAddresses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		save(t, db, 0, newTicket("anna@customer.example", "printer", "a@x"))
		anna := must(db.PersonByAddress(ctx, "acme", "anna@customer.example"))(t)
		anna.Addresses = append(anna.Addresses, "Anna@Home.example")
		anna.Phones, anna.Org = []string{"+4930123456"}, "Müller & Söhne"
		if _, err := db.SavePerson(ctx, anna, noon); err != nil {
			t.Fatal(err)
		}
		second := save(t, db, 0, newTicket("anna@home.example", "screen", "b@x"))
		ticket := must(db.Ticket(ctx, second.Tickets[0]))(t)
		if ticket.Requester != anna.ID {
			t.Errorf("requester %d, want %d", ticket.Requester, anna.ID)
		}
		if found := find(t, db, tickets.Keys{Sender: "ANNA@home.example"}); found.Person == nil || found.Person.ID != anna.ID || len(found.Person.Addresses) != 2 {
			t.Errorf("person: %+v", found.Person)
		}
		// In another brand the address is somebody else.
		if _, err := db.PersonByAddress(ctx, "zenith", "anna@home.example"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("in another brand: %v, want ErrNotFound", err)
		}
		bert := tickets.Person{Brand: "acme", Name: "Bert", Addresses: []string{"anna@home.example"}}
		if _, err := db.SavePerson(ctx, bert, noon); err == nil || !strings.Contains(err.Error(), `"Anna"`) || !strings.Contains(err.Error(), fmt.Sprint("person ", anna.ID)) {
			t.Errorf("a taken address: %v, want an error that names Anna", err)
		}
		bert.Addresses = []string{"bert@customer.example"}
		id := must(db.SavePerson(ctx, bert, noon))(t)
		// By a decision: what it knows is added.
		save(t, db, 0, tickets.Change{Brand: "acme", People: []tickets.Person{
			{Addresses: []string{"bert@customer.example", "b2@customer.example"}, Phones: []string{"+49301"}, Blocked: true},
			{Addresses: []string{"carl@customer.example"}, Name: "Carl 100%"},
		}})
		got := must(db.Person(ctx, id))(t)
		diff(t, "bert", got, tickets.Person{ID: id, Brand: "acme", Name: "Bert", Addresses: []string{"bert@customer.example", "b2@customer.example"}, Phones: []string{"+49301"}, Blocked: true})

		ids, made, err := db.Agents(ctx, []tickets.Agent{{Name: "Max", Address: "Max@example.org"}, {Name: "Eva", Address: "eva@example.org"}})
		if err != nil || len(ids) != 2 || len(made) != 2 || ids["max@example.org"] == 0 {
			t.Fatalf("agents: %v, %v, %v", ids, made, err)
		}
		if again, made, err := db.Agents(ctx, []tickets.Agent{{Address: "max@example.org"}}); err != nil || len(made) != 0 || again["max@example.org"] != ids["max@example.org"] {
			t.Errorf("agents again: %v, %v, %v", again, made, err)
		}
		for match, want := range map[string]int{"": 3, "ann": 1, "ANNA": 1, "b2@": 1, "100%": 1, "%": 1, "_": 0, "max": 0} {
			if list := must(db.People(ctx, "acme", match, 0))(t); len(list) != want {
				t.Errorf("people like %q: %+v, want %d", match, list, want)
			}
		}
	})
}

// What mail holds and PostgreSQL does not take as text.
func TestHostileText(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		c := newTicket("anna@customer.example", "nul \x00 bad \xff utf-8", "a\x00@x")
		c.Tickets[0].Messages[0].Text = "\xc3\x28 \x00 \U0001F600 \u202e"
		c.Tickets[0].Letters[0].Data.Text = "\x00\xff"
		saved := save(t, db, 0, c)
		if got := must(db.Ticket(t.Context(), saved.Tickets[0]))(t).Subject; got != "nul \uFFFD bad \uFFFD utf-8" {
			t.Errorf("subject %q", got)
		}
		if got := must(db.Message(t.Context(), saved.Messages[0]))(t).Text; got != "\uFFFD( \uFFFD \U0001F600 \u202e" {
			t.Errorf("text %q", got)
		}
		found := find(t, db, tickets.Keys{Cites: []string{"a\x00@x"}, Sender: "\x00\xff", Subject: "\xff"})
		if len(found.Tickets) != 1 {
			t.Errorf("found: %+v", found)
		}
	})
}
