package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

func TestInterruptedDecisionLeavesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		if _, err := db.Append(t.Context(), items(1, 1), nil); err != nil {
			t.Fatal(err)
		}
		row := claim(t, db, 1, noon)[0]
		stop := errors.New("interrupted")
		decide := func(end func() error) error {
			return db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
				if _, err := tx.Save(t.Context(), row.ID, "", "", newTicket("anna@customer.example", "printer", "a@x"), noon); err != nil {
					return err
				}
				return end()
			})
		}
		if err := decide(func() error { return stop }); !errors.Is(err, stop) {
			t.Fatalf("decide: %v", err)
		}
		func() {
			defer func() {
				if v := recover(); v != "boom" {
					t.Errorf("recovered %v, want boom", v)
				}
			}()
			_ = decide(func() error { panic("boom") })
		}()
		tally := must(db.Tally(t.Context(), ""))(t)
		if tally.Undecided != 1 || tally.Messages != 0 || len(must(db.OutboxTally(t.Context()))(t)) != 0 {
			t.Errorf("left behind: %+v", tally)
		}
		if people := must(db.People(t.Context(), "", "", 0))(t); len(people) != 0 {
			t.Errorf("left behind: %+v", people)
		}
		if err := decide(func() error { return nil }); err != nil { // and the store still works
			t.Fatal(err)
		}
	})
}

func TestTryUndoesOneDecision(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		var saved [4]store.Saved
		err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
			for i := range saved {
				err := tx.Try(t.Context(), func() (err error) {
					c := newTicket("anna@customer.example", fmt.Sprint("printer ", i), fmt.Sprint(i, "@x"))
					if i == 1 {
						c.Tickets[0].Ticket.Status = "lost" // refused by the schema
					}
					saved[i], err = tx.Save(t.Context(), 0, "", "", c, noon)
					if i == 2 {
						panic("boom")
					}
					return err
				})
				if (err != nil) != (i == 1 || i == 2) {
					t.Errorf("try %d: %v", i, err)
				}
				if p, ok := errors.AsType[*store.PanicError](err); ok != (i == 2) || ok && (p.Value != "boom" || len(p.Stack) == 0) {
					t.Errorf("try %d: %v, want a panic only in 2", i, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if list := must(db.Tickets(t.Context(), store.TicketQuery{}))(t); len(list) != 2 {
			t.Errorf("%d tickets, want 2", len(list))
		}
		// Change numbers follow on each other, without the undone ones.
		if saved[3].Change != saved[0].Change+1 {
			t.Errorf("changes %d and %d, want neighbours", saved[0].Change, saved[3].Change)
		}
		if next := save(t, db, 0, newTicket("b@customer.example", "x", "9@x")); next.Change != saved[3].Change+1 {
			t.Errorf("next change %d after %d", next.Change, saved[3].Change)
		}
	})
}

// Two mails of one thread that arrive together must meet: without the brand's
// row first, eight workers open several tickets for one thread.
func TestThreadRace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		const threads, mails, workers = 100, 4, 8
		db := open()
		work := make(chan int)
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for i := range work {
					if err := decideThread(t, db, i%threads, i/threads); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for i := range threads * mails { // the mails of a thread lie threads apart …
			work <- i
		}
		for i := range threads { // … and here side by side
			for k := range 2 {
				work <- i + (mails+k)*threads
			}
		}
		close(work)
		wg.Wait()
		list := must(db.Tickets(t.Context(), store.TicketQuery{Limit: 1000}))(t)
		if len(list) != threads {
			t.Errorf("%d tickets for %d threads", len(list), threads)
		}
		for _, ticket := range list {
			messages := must(db.Messages(t.Context(), ticket.ID))(t)
			if len(messages) != mails+2 || messages[mails+1].Seq != mails+2 {
				t.Errorf("ticket %d has %d messages, want %d", ticket.ID, len(messages), mails+2)
			}
		}
	})
}

// decideThread adds mail k of a thread to its ticket, or opens it.
func decideThread(t *testing.T, db *store.DB, thread, k int) error {
	root := fmt.Sprintf("root%d@x", thread)
	return db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
		found, err := tx.Find(t.Context(), tickets.Keys{Brand: "acme", Cites: []string{root}, Now: noon})
		if err != nil {
			return err
		}
		c := newTicket(fmt.Sprintf("c%d@customer.example", thread), "printer", fmt.Sprintf("%d.%d@x", thread, k))
		c.Tickets[0].Messages[0].Cites = []string{root}
		if ids := found.ByCited[root]; len(ids) > 0 {
			c.Tickets[0].Ticket = *found.Tickets[ids[0]]
		}
		_, err = tx.Save(t.Context(), 0, "", "", c, noon)
		return err
	})
}

func TestBrandsCountForThemselves(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		one := save(t, db, 0, newTicket("a@customer.example", "x", "1@x"))
		other := newTicket("a@customer.example", "x", "2@x")
		other.Brand, other.Tickets[0].Ticket.Brand = "zenith", "zenith"
		two := save(t, db, 0, other)
		if one.Change != 1 || two.Change != 1 {
			t.Errorf("first changes %d and %d, want 1 and 1", one.Change, two.Change)
		}
	})
}

func TestTryNests(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		for _, tt := range []struct {
			name         string
			inner, outer bool // whether they fail
			want         int  // tickets
		}{
			{"both succeed", false, false, 4}, {"inner fails", true, false, 3}, {"outer fails", false, true, 1}, {"both fail", true, true, 1},
		} {
			t.Run(tt.name, func(t *testing.T) {
				db, n := open(), 0
				add := func(tx *store.Tx, fail bool) error {
					n++
					_, err := tx.Save(t.Context(), 0, "", "", newTicket("anna@customer.example", "printer", fmt.Sprint(n, "@x")), noon)
					if fail {
						err = errors.New("undo")
					}
					return err
				}
				before := len(must(db.Tickets(t.Context(), store.TicketQuery{}))(t))
				err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
					_ = tx.Try(t.Context(), func() error {
						if err := add(tx, false); err != nil {
							return err
						}
						_ = tx.Try(t.Context(), func() error { return add(tx, tt.inner) })
						if err := add(tx, false); err != nil {
							return err
						}
						if tt.outer {
							return errors.New("undo")
						}
						return nil
					})
					return add(tx, false)
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := len(must(db.Tickets(t.Context(), store.TicketQuery{}))(t)) - before; got != tt.want {
					t.Errorf("%d tickets, want %d", got, tt.want)
				}
			})
		}
	})
}

// A statement that fails and whose error is swallowed must not be followed by a
// commit of the half that went well.
func TestSwallowedFailure(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		c := newTicket("anna@customer.example", "printer", "a@x")
		c.Tickets[0].Ticket.Status = "lost"
		err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
			_, _ = tx.Save(t.Context(), 0, "", "", c, noon)
			return nil
		})
		if people := must(db.People(t.Context(), "", "", 0))(t); err == nil || len(people) != 0 {
			t.Errorf("committed half a decision: %v, %+v", err, people)
		}
	})
}

// A row that somebody else decided meanwhile is told of late, when its decision
// shares a round trip: neither is anything of it kept, nor does it take the
// decisions beside it along.
func TestLostAmongOthers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		for lost := range 3 {
			db := open()
			if _, err := db.Append(t.Context(), items(3*lost+1, 3*lost+3), nil); err != nil {
				t.Fatal(err)
			}
			rows := claim(t, db, 3, noon)
			before := must(db.Tally(t.Context(), ""))(t)
			tickets0 := len(must(db.Tickets(t.Context(), store.TicketQuery{}))(t))
			save(t, db, rows[lost].ID, tickets.Change{Brand: "acme", Disposition: tickets.DisposeRecorded})
			errs := make([]error, 3)
			saved := make([]store.Saved, 3)
			err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
				for i, row := range rows {
					errs[i] = tx.Try(t.Context(), func() (err error) {
						c := newTicket("anna@customer.example", "printer", fmt.Sprint(lost, i, "@x"))
						c.Tickets[0].Letters = append(c.Tickets[0].Letters, ack("anna@customer.example", fmt.Sprint(lost, i)))
						saved[i], err = tx.SaveClaimed(t.Context(), row, "", "", c, noon)
						return err
					})
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for i, err := range errs {
				if errors.Is(err, store.ErrLost) != (i == lost) || err != nil && i != lost {
					t.Errorf("%d lost: try %d: %v", lost, i, err)
				}
				if i != lost && saved[i].Letters[len(saved[i].Letters)-1] == 0 {
					t.Errorf("%d lost: the letters of %d have no ids: %v", lost, i, saved[i].Letters)
				}
			}
			after := must(db.Tally(t.Context(), ""))(t)
			if n := len(must(db.Tickets(t.Context(), store.TicketQuery{}))(t)) - tickets0; n != 2 || after.Messages != before.Messages+2 {
				t.Errorf("%d lost: %d tickets and %d messages, want 2 and 2", lost, n, after.Messages-before.Messages)
			}
		}
	})
}
