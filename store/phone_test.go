package store_test

import (
	"fmt"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

func savePerson(t testing.TB, db *store.DB, p tickets.Person) tickets.Person {
	t.Helper()
	if p.Brand == "" {
		p.Brand = "acme"
	}
	id := must(db.SavePerson(t.Context(), p, noon))(t)
	return must(db.Person(t.Context(), id))(t)
}

func names(people []tickets.Person) (list []string) {
	for _, p := range people {
		list = append(list, p.Name)
	}
	return list
}

// who is what a caller's keys find: the candidates, and the one that is meant.
func who(t testing.TB, db *store.DB, sender string) string {
	t.Helper()
	found := find(t, db, tickets.Keys{Number: tickets.Number(sender), Line: line, Sender: sender})
	person := "nobody"
	if found.Person != nil {
		person = found.Person.Name
	}
	return fmt.Sprint(names(found.Callers), " ", person)
}

// A caller is the only one who has the number; of several nobody is meant but
// the profile that the number made itself.
func TestWhoCalls(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		check := func(what, sender, want string) {
			t.Helper()
			if got := who(t, db, sender); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		check("nobody", caller, "[] nobody")
		c := text(caller, line, "1")
		c.Tickets[0].Ticket.Participants[0].Address.Name = "Bare"
		save(t, db, 0, c)
		check("called before", caller, "[Bare] Bare")
		check("the same number by WhatsApp", waCaller, "[Bare] Bare")

		anna := savePerson(t, db, tickets.Person{Name: "Anna", Addresses: []string{"anna@customer.example"}, Phones: []string{"+49 (151) 1-1", "015111"}})
		check("one profile", caller, "[Anna] Anna")
		savePerson(t, db, tickets.Person{Name: "Zoe", Brand: "zenith", Addresses: []string{"zoe@customer.example"}, Phones: []string{number}})
		check("a profile of another brand", caller, "[Anna] Anna")
		bert := savePerson(t, db, tickets.Person{Name: "Bert", Addresses: []string{"bert@customer.example"}, Phones: []string{"+4930777", number, number}})
		check("shared", caller, "[Anna Bert] Bare")
		for i := range 12 {
			savePerson(t, db, tickets.Person{Name: fmt.Sprint(i), Phones: []string{number}})
		}
		check("a switchboard", caller, "[Anna Bert 0 1 2 3 4 5 6 7] Bare")

		other := find(t, db, tickets.Keys{Number: "+4930777"})
		if other.Person == nil || other.Person.Name != "Bert" || len(other.Person.Phones) != 3 {
			t.Errorf("by the other number: %+v", other.Person)
		}
		bert.Phones = []string{"+4930778"}
		savePerson(t, db, bert)
		if other = find(t, db, tickets.Keys{Number: "+4930777"}); other.Person != nil || other.Callers != nil {
			t.Errorf("by a number that was taken off: %+v", other.Person)
		}
		check("withheld", "", "[] nobody")
		_ = anna
	})
}

// A profile that has the number as an address of its own, by a merge of
// profiles, is meant when several have the number.
func TestNumberThatWasMerged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		save(t, db, 0, text(caller, line, "1"))
		bare := must(db.PersonByAddress(t.Context(), "acme", caller))(t)
		if fmt.Sprint(bare.Phones) != "["+number+"]" {
			t.Errorf("phones %v, want the number", bare.Phones)
		}
		anna := savePerson(t, db, tickets.Person{Name: "Anna", Addresses: []string{"anna@customer.example"}})
		from, into := tickets.Person{ID: bare.ID, Brand: "acme", Name: "empty"}, anna
		into.Addresses, into.Phones = append(anna.Addresses, bare.Addresses...), bare.Phones
		save(t, db, 0, tickets.Change{Brand: "acme", People: []tickets.Person{from, into}})
		savePerson(t, db, tickets.Person{Name: "Bert", Addresses: []string{"bert@customer.example"}, Phones: []string{number}})
		if got, want := who(t, db, caller), "[Anna Bert] Anna"; got != want {
			t.Errorf("found %s, want %s", got, want)
		}
	})
}

// Who called and writes by WhatsApp is one profile.
func TestBothWaysAreOneProfile(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		first := save(t, db, 0, text(caller, line, "1"))
		second := save(t, db, 0, text(waCaller, waLine, "2"))
		a, b := must(db.Ticket(t.Context(), first.Tickets[0]))(t), must(db.Ticket(t.Context(), second.Tickets[0]))(t)
		if a.Requester != b.Requester {
			t.Errorf("requesters %d and %d, want one", a.Requester, b.Requester)
		}
		p := must(db.Person(t.Context(), a.Requester))(t)
		diff(t, "addresses", p.Addresses, []string{caller, waCaller})
		diff(t, "phones", p.Phones, []string{number})
	})
}

// The profile of a caller stays on the ticket, its messages and letters though
// the number is none of its addresses, and whose it is on one ticket says
// nothing about another.
func TestCallerIsLinked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		anna := savePerson(t, db, tickets.Person{Name: "Anna Keller", Org: "Keller AG", Addresses: []string{waCaller, "anna@customer.example", "ak@home.example"},
			Phones: []string{number, "+4930777"}, VIP: true, Contract: "gold"})
		linked, unlinked := text(caller, line, "1"), text(caller, line, "2")
		linked.Tickets[0].Ticket.Participants[0].Person = anna.ID
		save(t, db, 0, tickets.Change{Brand: "acme", People: []tickets.Person{{ID: anna.ID, Brand: "acme", Name: anna.Name, Org: anna.Org, VIP: true, Contract: "gold",
			Addresses: []string{"anna@customer.example", "ak@home.example"}, Phones: anna.Phones}}})
		var saved [2]store.Saved
		err := db.Decide(t.Context(), "acme", func(tx *store.Tx) (err error) {
			for i, c := range []tickets.Change{linked, unlinked} {
				if saved[i], err = tx.Save(t.Context(), 0, "", "", c, noon); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		first, second := must(db.Ticket(t.Context(), saved[0].Tickets[0]))(t), must(db.Ticket(t.Context(), saved[1].Tickets[0]))(t)
		if first.Requester != anna.ID || second.Requester == anna.ID {
			t.Errorf("requesters %d and %d, want %d and another", first.Requester, second.Requester, anna.ID)
		}
		for i, want := range []int64{anna.ID, second.Requester} {
			m := must(db.Message(t.Context(), saved[i].Messages[0]))(t)
			l, _, _, err := db.LetterByID(t.Context(), saved[i].Letters[0])
			if err != nil || m.Author.Person != want || l.Person != want || l.Mailbox != line {
				t.Errorf("ticket %d: message of %d, letter to %d from %q, %v, want %d from the line", i, m.Author.Person, l.Person, l.Mailbox, err, want)
			}
		}
		diff(t, "profile", first.Profile, tickets.Profile{Name: "Anna Keller", Org: "Keller AG", Address: "anna@customer.example", Phone: number, VIP: true, Contract: "gold"})
		diff(t, "bare profile", second.Profile, tickets.Profile{Name: "Anna", Phone: number})
		list := must(db.Tickets(t.Context(), store.TicketQuery{Person: anna.ID, Brand: "acme"}))(t)
		if len(list) != 1 || list[0].ID != first.ID {
			t.Errorf("tickets of the person: %+v, want the first", list)
		}
	})
}

func TestTextsOfANumber(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		var ids []int64
		for i := range 12 {
			c := text(caller, line, fmt.Sprint(i))
			c.Tickets[0].Messages[0].At = noon.Add(time.Duration(i%5) * time.Hour)
			ids = append(ids, save(t, db, 0, c).Tickets[0])
		}
		save(t, db, 0, text(caller, "tel:+4930901", "other line"))
		save(t, db, 0, text("tel:+4915112", line, "other number"))
		save(t, db, 0, text(waCaller, waLine, "other way"))
		save(t, db, 0, newTicket("anna@customer.example", "mail", "a@x"))
		foreign := text(caller, line, "foreign")
		foreign.Brand, foreign.Tickets[0].Ticket.Brand, foreign.Tickets[0].Letters = "zenith", "zenith", nil
		save(t, db, 0, foreign)

		merged := must(db.Ticket(t.Context(), ids[11]))(t)
		merged.Status, merged.MergedInto = tickets.StatusMerged, ids[0]
		taken := must(db.Ticket(t.Context(), ids[10]))(t)
		taken.Participants[0].Role = tickets.PartyRemoved
		moved := must(db.Ticket(t.Context(), ids[9]))(t)
		moved.Line = ""
		save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: merged}, {Ticket: taken}, {Ticket: moved}}})

		found := find(t, db, tickets.Keys{Number: number, Line: line})
		diff(t, "texts", found.Texts, []int64{ids[8], ids[7], ids[6], ids[5], ids[4], ids[3], ids[2], ids[1], ids[0]})
		for _, id := range found.Texts {
			if found.Tickets[id] == nil || found.Tickets[id].Line != line {
				t.Errorf("ticket %d: %+v, want it with its line", id, found.Tickets[id])
			}
		}
		if !found.LastIn.Equal(noon.Add(4 * time.Hour)) {
			t.Errorf("last in at %v, want 16:00", found.LastIn)
		}
		for range 5 {
			save(t, db, 0, text(caller, line, ""))
		}
		if found = find(t, db, tickets.Keys{Number: number, Line: line}); len(found.Texts) != 10 {
			t.Errorf("%d texts, want at most 10", len(found.Texts))
		}
		if found = find(t, db, tickets.Keys{Line: line}); found.Texts != nil || !found.LastIn.IsZero() {
			t.Errorf("a withheld number has tickets %v", found.Texts)
		}
		// Until he writes by WhatsApp, the window is that of the last time there.
		if found = find(t, db, tickets.Keys{Number: number, Line: waLine}); !found.LastIn.Equal(noon) || len(found.Texts) != 1 {
			t.Errorf("by WhatsApp: last in at %v, texts %v", found.LastIn, found.Texts)
		}
	})
}

// An answer of ours and a note are no word of the customer.
func TestLastInIsTheCustomers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		c := text(waCaller, waLine, "1")
		mail := message("anna@customer.example", "by mail", "m@x")
		out := c.Tickets[0].Messages[0]
		out.Direction = tickets.DirectionOut
		mail.At, out.At = noon.Add(time.Hour), noon.Add(2*time.Hour)
		c.Tickets[0].Messages = append(c.Tickets[0].Messages, mail, out)
		ticket := save(t, db, 0, c).Tickets[0]
		if got := find(t, db, tickets.Keys{Number: number, Line: waLine}).LastIn; !got.Equal(noon) {
			t.Errorf("last in at %v, want the WhatsApp message's %v", got, noon)
		}
		// Merged into a ticket that has no line yet, it still counts.
		into := newTicket("anna@customer.example", "mail", "a@x")
		into.Tickets[0].MoveFrom = []tickets.Move{{Ticket: ticket}}
		save(t, db, 0, into)
		if got := find(t, db, tickets.Keys{Number: number, Line: waLine}).LastIn; !got.Equal(noon) {
			t.Errorf("last in after a merge at %v, want %v", got, noon)
		}
	})
}

// What became of the rows of a call is found with each further row of it.
func TestFindContact(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		add(t, db, webhook("call:CA1/0", "call:CA1", tickets.ChannelVoice), webhook("call:CA1/1", "call:CA1", tickets.ChannelVoice),
			webhook("call:CA1/2", "call:CA1", tickets.ChannelVoice), webhook("call:CA2/0", "call:CA2", tickets.ChannelVoice))
		rows := claim(t, db, 9, noon)
		first := save(t, db, rows[1].ID, text(caller, line, "1"))
		ticket := must(db.Ticket(t.Context(), first.Tickets[0]))(t)
		second := save(t, db, rows[0].ID, tickets.Change{Brand: "acme", Disposition: tickets.DisposeMessage, Tickets: []tickets.TicketChange{
			{Ticket: ticket, Messages: []tickets.Message{message(caller, "transcript", "")}}}})
		save(t, db, rows[3].ID, text(caller, line, "2"))
		found := find(t, db, tickets.Keys{Contact: "call:CA1"})
		var got []int64
		for _, m := range found.Contact {
			got = append(got, m.ID)
		}
		diff(t, "messages", got, []int64{first.Messages[0], second.Messages[0]})
		if found.Tickets[ticket.ID] == nil {
			t.Error("the ticket of the call is not among those found")
		}
		if found = find(t, db, tickets.Keys{Contact: "call:CA9"}); found.Contact != nil {
			t.Errorf("messages of an unknown call: %+v", found.Contact)
		}
	})
}

// Whatever profiles there are with a number: nobody is meant whom another could
// be, and of candidates none is bare.
func TestWhoCallsNeverGuesses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for n := range 32 {
			num := fmt.Sprintf("+49301%04d", n)
			tel, wa := tickets.TelAddress(num), tickets.WhatsAppAddress(num)
			var named []string
			for bit, p := range []tickets.Person{
				{Name: "bare", Addresses: []string{tel}},
				{Name: "bare by WhatsApp", Addresses: []string{wa}},
				{Name: "a", Addresses: []string{fmt.Sprint("a", n, "@x.example")}},
				{Name: "b", Addresses: []string{fmt.Sprint("b", n, "@x.example"), fmt.Sprint("tel:+4999", n)}},
				{Name: "c"},
			} {
				if n>>bit&1 == 1 {
					p.Phones = []string{num}
					savePerson(t, db, p)
					if bit > 1 {
						named = append(named, p.Name)
					}
				}
			}
			bare := n&1 == 1
			want := fmt.Sprint(named, " nobody")
			switch {
			case len(named) == 1:
				want = fmt.Sprint(named, " ", named[0])
			case bare && len(named) == 0:
				want = "[bare] bare"
			case bare:
				want = fmt.Sprint(named, " bare")
			case n&2 == 2 && len(named) == 0:
				want = "[bare by WhatsApp] bare by WhatsApp"
			case n&2 == 2:
				want = fmt.Sprint(named, " bare by WhatsApp")
			}
			if got := who(t, db, tel); got != want {
				t.Errorf("profiles %05b: %s, want %s", n, got, want)
			}
		}
	})
}
