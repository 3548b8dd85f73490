package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

func claimLetters(t testing.TB, db *store.DB, now time.Time) []store.Outgoing {
	t.Helper()
	return must(db.ClaimLetters(t.Context(), store.LetterClaim{Now: now, Until: now.Add(time.Minute), Limit: 100}))(t)
}

func mark(t testing.TB, db *store.DB, results ...store.Result) int {
	t.Helper()
	for i := range results {
		results[i].At = noon
	}
	return must(db.Mark(t.Context(), results))(t)
}

func TestLetterKeyOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		c := tickets.Change{Brand: "acme", Letters: []tickets.Letter{ack("a@x.example", "k"), ack("a@x.example", "k"), ack("a@x.example", ""), ack("a@x.example", "")}}
		first := save(t, db, 0, c)
		if first.Letters[0] == 0 || first.Letters[1] != 0 || first.Letters[2] == 0 || first.Letters[3] == 0 {
			t.Errorf("letters %v, want only the second known", first.Letters)
		}
		if again := save(t, db, 0, c); again.Letters[0] != 0 {
			t.Errorf("letters again %v, want the key known", again.Letters)
		}
	})
}

func TestLettersLeaveInOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		var letters []tickets.Letter
		for i, p := range []int{2, 1, 0, 1, 0} {
			l := ack("a@x.example", fmt.Sprint(i))
			l.Priority, l.Mailbox = p, []string{"one@example.org", "two@example.org"}[i%2]
			letters = append(letters, l)
		}
		save(t, db, 0, tickets.Change{Brand: "acme", Letters: letters})
		if next := must(db.NextLetter(t.Context()))(t); !next.Equal(noon) {
			t.Errorf("next letter at %v, want %v", next, noon)
		}
		if kept := must(db.ClaimLetters(t.Context(), store.LetterClaim{Now: noon, Until: noon, Limit: 9, Except: []int64{1, 2, 3, 5}}))(t); len(kept) != 1 || kept[0].Letter.ID != 4 {
			t.Errorf("all but 1, 2, 3 and 5: %+v", kept)
		}
		two := must(db.ClaimLetters(t.Context(), store.LetterClaim{Now: noon, Until: noon.Add(time.Minute), Mailboxes: []string{"Two@example.org"}, Limit: 9}))(t)
		got := ""
		for _, o := range append(two, claimLetters(t, db, noon)...) {
			got += o.Letter.Key + " "
		}
		if got != "1 3 2 4 0 " {
			t.Errorf("claimed %q, want of two@ 1 3, then 2 4 0", got)
		}
		if none := must(db.ClaimLetters(t.Context(), store.LetterClaim{Now: noon.Add(time.Hour), Until: noon.Add(2 * time.Hour), Mailboxes: []string{}, Limit: 9}))(t); len(none) != 0 {
			t.Errorf("no mailbox got %d letters", len(none))
		}
		if next := must(db.NextLetter(t.Context()))(t); !next.Equal(noon.Add(time.Minute)) {
			t.Errorf("next letter at %v, want when the claim runs out", next)
		}
	})
}

func TestLetterLife(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		saved := save(t, db, 0, newTicket("anna@customer.example", "printer", "a@x"))
		one := claimLetters(t, db, noon)[0]
		render := &store.Rendering{MessageID: "ours@acme", Raw: []byte("Subject: hello\r\n\r\nhello\r\n")}

		// Deferred before the dot: same bytes, later.
		mark(t, db, store.Result{ID: one.Letter.ID, Epoch: one.Epoch, State: store.LetterQueued, Next: noon.Add(time.Hour), Code: "450 4.2.1", Detail: "busy", Render: render})
		if early := claimLetters(t, db, noon.Add(59*time.Minute)); len(early) != 0 {
			t.Fatal("a deferred letter left early")
		}
		two := claimLetters(t, db, noon.Add(time.Hour))[0]
		if two.Attempts != 1 || two.State != store.LetterQueued || string(two.Raw) != string(render.Raw) || two.MessageID != "ours@acme" {
			t.Fatalf("second attempt: %+v", two)
		}

		// The first worker is late: it may not send, and what it says is lost.
		if err := db.MarkDot(ctx, one.Letter.ID, one.Epoch, nil, noon); !errors.Is(err, store.ErrLost) {
			t.Errorf("late dot: %v, want ErrLost", err)
		}
		if lost := mark(t, db, store.Result{ID: one.Letter.ID, Epoch: one.Epoch, State: store.LetterFailed}, store.Result{ID: 999, State: store.LetterSent}); lost != 2 {
			t.Errorf("late marks: %d lost, want 2", lost)
		}

		// Another rendering does not replace the first; then the worker dies.
		if err := db.MarkDot(ctx, two.Letter.ID, two.Epoch, &store.Rendering{MessageID: "later@acme", Raw: []byte("later")}, noon); err != nil {
			t.Fatal(err)
		}
		three := claimLetters(t, db, noon.Add(2*time.Hour))[0]
		if three.State != store.LetterDot || three.Attempts != 2 || string(three.Raw) != string(render.Raw) {
			t.Fatalf("in doubt: %+v", three)
		}
		if err := db.MarkDot(ctx, three.Letter.ID, three.Epoch, nil, noon); err != nil {
			t.Fatal(err)
		}
		mark(t, db, store.Result{ID: three.Letter.ID, Epoch: three.Epoch, State: store.LetterSent, Code: "250 2.0.0"})
		_, info, _, err := db.LetterByID(ctx, saved.Letters[0])
		if err != nil || info.State != store.LetterSent || info.Doubts != 1 || info.Attempts != 3 || !info.Sent.Equal(noon) || !info.Next.IsZero() {
			t.Errorf("sent: %+v, %v", info, err)
		}
		if next := must(db.NextLetter(ctx))(t); !next.IsZero() {
			t.Errorf("next letter at %v of an empty outbox", next)
		}
		diff(t, "tally", must(db.OutboxTally(ctx))(t), map[string]int{store.LetterSent: 1})
		if err := db.SetLetter(ctx, saved.Letters[0], store.LetterQueued, "boss", noon); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("retry of a sent letter: %v, want ErrNotFound", err)
		}
	})
}

func TestGivenBackIsNoAttempt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		save(t, db, 0, newTicket("anna@customer.example", "printer", "a@x"))
		one := claimLetters(t, db, noon)[0]
		mark(t, db, store.Result{ID: one.Letter.ID, Epoch: one.Epoch, State: store.LetterQueued, Next: noon})
		if two := claimLetters(t, db, noon); len(two) != 1 || two[0].Attempts != 0 {
			t.Errorf("claimed: %+v, want attempt 0", two)
		}
	})
}

func TestFailedLetterAndOperator(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		saved := save(t, db, 0, newTicket("anna@customer.example", "printer", "a@x"))
		ticket, id := saved.Tickets[0], saved.Letters[0]
		one := claimLetters(t, db, noon)[0]
		mark(t, db, store.Result{ID: id, Epoch: one.Epoch, State: store.LetterFailed, Code: "550 5.1.1", Detail: "no such user"})
		events := must(db.Events(ctx, ticket))(t)
		if last := events[len(events)-1]; last.What != "letter failed" || last.Outcome != "failed: 550 5.1.1 no such user" || last.Change != saved.Change+1 {
			t.Errorf("last event: %+v", last)
		}
		list := must(db.LettersWhere(ctx, nil, ticket, 0))(t)
		if len(list) != 1 || list[0].State != store.LetterFailed || list[0].Code != "550 5.1.1" {
			t.Errorf("letters: %+v", list)
		}
		if err := db.SetLetter(ctx, id, store.LetterQueued, "boss@example.org", noon); err != nil {
			t.Fatal(err)
		}
		two := claimLetters(t, db, noon)
		if len(two) != 1 {
			t.Fatal("a retried letter is not due")
		}
		if err := db.SetLetter(ctx, id, store.LetterDropped, "boss@example.org", noon); err != nil {
			t.Fatal(err)
		}
		if err := db.MarkDot(ctx, id, two[0].Epoch, nil, noon); !errors.Is(err, store.ErrLost) {
			t.Errorf("dot of a dropped letter: %v, want ErrLost", err)
		}
		if err := db.SetLetter(ctx, id, store.LetterSent, "boss", noon); err == nil {
			t.Error("an operator set a letter to sent")
		}
		if list = must(db.LettersWhere(ctx, []string{store.LetterDropped}, 0, 0))(t); len(list) != 1 {
			t.Errorf("dropped: %+v", list)
		}
		if _, _, _, err := db.LetterByID(ctx, 999); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown letter: %v, want ErrNotFound", err)
		}
	})
}

func TestLetterClaimRace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		const total = 200
		var letters []tickets.Letter
		for i := range total {
			letters = append(letters, ack("a@x.example", fmt.Sprint(i)))
		}
		save(t, db, 0, tickets.Change{Brand: "acme", Letters: letters})
		var mu sync.Mutex
		sent := make(map[int64]int)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					mu.Lock()
					done := len(sent) >= total
					mu.Unlock()
					if done {
						return
					}
					out, err := db.ClaimLetters(t.Context(), store.LetterClaim{Now: noon, Until: noon.Add(time.Minute), Limit: 9})
					if err != nil {
						t.Error(err)
						return
					}
					var results []store.Result
					mu.Lock()
					for _, o := range out {
						sent[o.Letter.ID]++
						results = append(results, store.Result{ID: o.Letter.ID, Epoch: o.Epoch, State: store.LetterSent, At: noon})
					}
					mu.Unlock()
					if lost, err := db.Mark(t.Context(), results); lost != 0 || err != nil {
						t.Errorf("mark: %d lost, %v", lost, err)
					}
				}
			})
		}
		wg.Wait()
		for id, n := range sent {
			if n != 1 {
				t.Errorf("letter %d was handed out %d times", id, n)
			}
		}
		diff(t, "tally", must(db.OutboxTally(t.Context()))(t), map[string]int{store.LetterSent: total})
	})
}

// Calls that share a commit each get their own answer.
func TestDotsTogether(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		var letters []tickets.Letter
		for i := range 60 {
			letters = append(letters, ack("a@x.example", fmt.Sprint(i)))
		}
		save(t, db, 0, tickets.Change{Brand: "acme", Letters: letters})
		out := claimLetters(t, db, noon)
		var wg sync.WaitGroup
		for i, o := range out {
			wg.Go(func() {
				epoch, want := o.Epoch, error(nil)
				if i%3 == 0 {
					epoch, want = epoch-1, store.ErrLost
				}
				err := db.MarkDot(t.Context(), o.Letter.ID, epoch, &store.Rendering{MessageID: fmt.Sprint(i, "@acme"), Raw: []byte{byte(i)}}, noon)
				if !errors.Is(err, want) {
					t.Errorf("letter %d: %v, want %v", i, err, want)
				}
			})
		}
		wg.Wait()
		for i, o := range out {
			_, info, raw, err := db.LetterByID(t.Context(), o.Letter.ID)
			if err != nil {
				t.Fatal(err)
			}
			if isDot := info.State == store.LetterDot; isDot != (i%3 != 0) || isDot != (len(raw) == 1 && raw[0] == byte(i)) || isDot != (info.MessageID == fmt.Sprint(i, "@acme")) {
				t.Errorf("letter %d: %+v, raw %v", i, info, raw)
			}
		}
	})
}

// TestLetterTickets: letters to customers get of their tickets what they say of
// them, letters to agents all.
func TestLetterTickets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		var ids []int64
		for i := range 3 {
			err := db.Decide(ctx, "acme", func(tx *store.Tx) error {
				saved, err := tx.Save(ctx, 0, "", "", tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: tickets.Ticket{
					Brand: "acme", Mailbox: "support@acme.test", Channel: tickets.ChannelMail, Status: tickets.StatusOpen, Severity: fmt.Sprint("s", i), Queue: "q", Opened: noon,
				}}}}, noon)
				ids = append(ids, saved.Tickets...)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, whole := range []bool{false, true} {
			got := must(db.LetterTickets(ctx, []int64{ids[2], ids[0], 4711}, whole))(t)
			if len(got) != 2 {
				t.Fatalf("%d tickets, want 2", len(got))
			}
			for i, id := range map[int]int64{0: ids[0], 2: ids[2]} {
				want := must(db.Ticket(ctx, id))(t)
				if !whole {
					want = tickets.Ticket{ID: want.ID, Brand: want.Brand, Mailbox: want.Mailbox, Status: want.Status, Severity: want.Severity}
				}
				if want.Severity != fmt.Sprint("s", i) {
					t.Errorf("severity %q", want.Severity)
				}
				diff(t, "ticket", *got[id], want)
			}
		}
	})
}
