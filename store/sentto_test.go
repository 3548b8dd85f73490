package store_test

import (
	"slices"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// What a person was sent: not what went to others or to agents, nor what is held
// or was dropped.
func TestSentTo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		c := opened("maria@example.org", "Printer", "offline", noon)
		for range 3 {
			answer := c.Tickets[0].Messages[0]
			answer.Direction = tickets.DirectionOut
			c.Tickets[0].Messages = append(c.Tickets[0].Messages, answer)
		}
		letter := func(carry int, to, key, held string, agent bool) tickets.Letter {
			l := ack(to, key)
			l.Carry, l.Held, l.Agent = carry, held, agent
			return l
		}
		c.Tickets[0].Letters = []tickets.Letter{
			letter(2, "maria@example.org", "a", "", false), letter(2, "tom@example.org", "b", "", false),
			letter(3, "maria@example.org", "c", "window", false), letter(4, "tom@example.org", "d", "", false),
			letter(1, "asha@example.org", "e", "", true), letter(0, "maria@example.org", "f", "", false),
		}
		saved := save(t, db, 0, c)
		tk := must(db.Ticket(t.Context(), saved.Tickets[0]))(t)
		about := []int64{tk.ID, tk.ID + 100}
		if got, want := must(db.SentTo(t.Context(), tk.Requester, about...))(t), []int64{saved.Messages[1]}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v of %v", got, want, saved.Messages)
		}
		if got := must(db.SentTo(t.Context(), tk.Requester, tk.ID+100))(t); len(got) != 0 {
			t.Errorf("of another ticket: %v", got)
		}
	})
}

// A letter in doubt that is looked at again stays in doubt, with its rendering
// and without another attempt, and is handed out when it is due.
func TestMarkStillInDoubt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		id := save(t, db, 0, tickets.Change{Brand: "acme", Letters: []tickets.Letter{ack("tel:+4915112345678", "k")}}).Letters[0]
		o := claimLetters(t, db, noon)[0]
		if err := db.MarkDot(t.Context(), id, o.Epoch, &store.Rendering{Raw: []byte(`{"text":{}}`)}, noon); err != nil {
			t.Fatal(err)
		}
		mark(t, db, store.Result{ID: id, Epoch: o.Epoch, State: store.LetterDot, Next: noon.Add(5 * time.Second), Detail: "in doubt"})
		if got := claimLetters(t, db, noon.Add(4*time.Second)); len(got) != 0 {
			t.Fatalf("too early: %+v", got)
		}
		got := claimLetters(t, db, noon.Add(5*time.Second))
		if len(got) != 1 || got[0].State != store.LetterDot || string(got[0].Raw) != `{"text":{}}` || got[0].Attempts != 1 {
			t.Fatalf("%+v", got)
		}
	})
}
