package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// taker takes leases as a node does. The database's clock decides about them, so
// that one "runs out" here by being taken for no time.
type taker struct {
	t  *testing.T
	db *store.DB
}

func (k taker) take(name string, life time.Duration) (store.Fence, bool) {
	k.t.Helper()
	f, ok, err := k.db.TakeLease(k.t.Context(), name, "", life, noon)
	if err != nil {
		k.t.Fatal(err)
	}
	return f, ok
}

func (k taker) mustTake(name string, life time.Duration) store.Fence {
	k.t.Helper()
	f, ok := k.take(name, life)
	if !ok {
		k.t.Fatalf("%s does not get the lease %q", k.db.Node(), name)
	}
	return f
}

func (k taker) renews(f store.Fence) bool {
	k.t.Helper()
	return len(must(k.db.RenewLeases(k.t.Context(), []store.Fence{f}, time.Hour, noon))(k.t)) == 1
}

func TestLease(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		a, b := taker{t, open()}, taker{t, open()}
		first := a.mustTake("x", time.Hour)
		if _, ok := b.take("x", time.Hour); ok {
			t.Fatal("b gets a lease that a holds")
		}
		if !a.renews(first) || b.renews(first) {
			t.Error("its holder renews a lease, and nobody else")
		}
		again := a.mustTake("x", 0) // what a node does that started anew under its name
		if again.Epoch <= first.Epoch || a.renews(first) {
			t.Errorf("taken again with epoch %d after %d", again.Epoch, first.Epoch)
		}
		if a.renews(again) {
			t.Error("a lease that has run out is renewed")
		}
		second := b.mustTake("x", time.Hour)
		if second.Epoch <= again.Epoch {
			t.Errorf("epoch %d after %d: it has to rise", second.Epoch, again.Epoch)
		}
		if err := a.db.EndLeases(t.Context(), []store.Fence{again}); err != nil {
			t.Fatal(err)
		}
		if err := a.db.Unlease(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		if _, ok := a.take("x", time.Hour); ok {
			t.Error("a gave b's lease back")
		}
		if err := b.db.EndLeases(t.Context(), []store.Fence{second}); err != nil {
			t.Fatal(err)
		}
		if third := a.mustTake("x", time.Hour); third.Epoch <= second.Epoch {
			t.Errorf("epoch %d after a lease was given back at %d", third.Epoch, second.Epoch)
		}
		rows, _, err := b.db.Leases(t.Context(), noon)
		if err != nil || len(rows) != 1 || rows[0].Node != a.db.Node() || !rows[0].Held {
			t.Errorf("leases: %+v, %v", rows, err)
		}
	})
}

// Two nodes ask at the same time, again and again: one gets it.
func TestLeaseRace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		nodes := []taker{{t, open()}, {t, open()}, {t, open()}}
		for round := range 20 {
			got := make(chan bool, len(nodes))
			for _, k := range nodes {
				go func() {
					_, ok, err := k.db.TakeLease(context.Background(), "race", "", time.Hour, noon)
					got <- ok && err == nil
				}()
			}
			n := 0
			for range nodes {
				if <-got {
					n++
				}
			}
			if n != 1 {
				t.Fatalf("round %d: %d nodes have the lease", round, n)
			}
			for _, k := range nodes {
				if err := k.db.Unlease(t.Context(), "race"); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// A decision in the name of a lease is refused once somebody else has it; and
// nothing of it is kept.
func TestDecisionOfAnOldEpochIsRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		a, b := taker{t, open()}, taker{t, open()}
		old := a.mustTake("brand:acme", 0)
		decide := func(k taker, f store.Fence, occurrence string) error {
			return k.db.Decide(store.Fenced(t.Context(), f), "acme", func(tx *store.Tx) error {
				_, err := tx.Once(t.Context(), "letter", occurrence)
				return err
			})
		}
		if err := decide(a, old, "before"); err != nil { // it ran out, and nobody took it: no harm
			t.Fatal(err)
		}
		fence := b.mustTake("brand:acme", time.Hour)
		if err := decide(a, old, "late"); !errors.Is(err, store.ErrLost) {
			t.Errorf("decided late: %v, want ErrLost", err)
		}
		empty := a.db.Decide(store.Fenced(t.Context(), old), "acme", func(*store.Tx) error { return nil })
		if !errors.Is(empty, store.ErrLost) {
			t.Errorf("a decision without statements: %v, want ErrLost", empty)
		}
		if err := decide(b, fence, "late"); err != nil {
			t.Fatal(err)
		}
		if err := decide(a, store.Fence{Lease: "never taken", Epoch: 1}, "x"); !errors.Is(err, store.ErrLost) {
			t.Errorf("a lease that was never taken: %v", err)
		}
		first := true
		err := a.db.Decide(t.Context(), "acme", func(tx *store.Tx) (err error) {
			first, err = tx.Once(t.Context(), "letter", "late")
			return err
		})
		if err != nil || first {
			t.Errorf("the decision of the holder is not there: %v", err)
		}
	})
}

// A node that lost a mailbox moves its cursor no more, and the rows that came
// with it are left to the holder.
func TestCursorOfAnOldEpochIsRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		a, b := taker{t, open()}, taker{t, open()}
		const name = "mailbox:support@acme.example/INBOX"
		cursor := func(uid uint32) store.Cursor {
			return store.Cursor{Mailbox: "support@acme.example", Folder: "INBOX", UIDValidity: 7, UID: uid}
		}
		put := func(k taker, f store.Fence, uid uint32) error {
			c := cursor(uid)
			it := store.Item{Key: "imap:support@acme.example:INBOX:7:" + string(rune('0'+uid)), Brand: "acme", Mailbox: "support@acme.example", Folder: "INBOX", Channel: tickets.ChannelMail, Received: noon, Data: []byte("x")}
			_, err := k.db.Append(store.Fenced(t.Context(), f), []store.Item{it}, &c)
			return err
		}
		old := a.mustTake(name, 0)
		if err := put(a, old, 1); err != nil {
			t.Fatal(err)
		}
		fence := b.mustTake(name, time.Hour)
		if err := put(a, old, 2); err != nil { // until the new holder has written, the old one may
			t.Fatal(err)
		}
		if err := put(b, fence, 3); err != nil {
			t.Fatal(err)
		}
		if err := put(a, old, 4); !errors.Is(err, store.ErrLost) {
			t.Errorf("late rows with a cursor: %v, want ErrLost", err)
		}
		if err := a.db.SetCursor(store.Fenced(t.Context(), old), cursor(1)); !errors.Is(err, store.ErrLost) {
			t.Errorf("late cursor: %v, want ErrLost", err)
		}
		if c := must(b.db.Cursor(t.Context(), "support@acme.example", "INBOX"))(t); c.UID != 3 {
			t.Errorf("cursor at %d, want 3", c.UID)
		}
		if n := must(b.db.Tally(t.Context(), ""))(t).Total; n != 3 {
			t.Errorf("%d rows, want 3", n)
		}
		if err := a.db.SetCursor(t.Context(), cursor(5)); err != nil { // a command, which holds no lease
			t.Fatal(err)
		}
		if err := a.db.SetCursor(store.Fenced(t.Context(), old), cursor(1)); !errors.Is(err, store.ErrLost) {
			t.Errorf("late cursor after a command: %v, want ErrLost", err)
		}
	})
}

// What a node had claimed when it died is free at once, and what it makes of it
// when it was only frozen is refused.
func TestClaimsOfANodeThatIsGone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		a, b := open(), open()
		save(t, a, 0, tickets.Change{Brand: "acme", Letters: []tickets.Letter{ack("a@x.example", "1"), ack("b@x.example", "2"), ack("c@x.example", "3")}})
		claim := func(db *store.DB) []store.Outgoing {
			return must(db.ClaimLetters(t.Context(), store.LetterClaim{Now: noon, Until: noon.Add(time.Hour), Limit: 10}))(t)
		}
		mine := claim(a)
		if len(mine) != 3 || len(claim(b)) != 0 {
			t.Fatalf("%d letters claimed, want 3", len(mine))
		}
		doubt := mine[0]
		if err := a.MarkDot(t.Context(), doubt.Letter.ID, doubt.Epoch, &store.Rendering{MessageID: "x@y", Raw: []byte("x")}, noon); err != nil {
			t.Fatal(err)
		}
		if n := must(b.Bury(t.Context(), a.Node(), noon))(t); n != 2 {
			t.Errorf("%d claims ended, want 2: the one in doubt stays", n)
		}
		// Freed and not claimed yet: the node that wakes up now sends nothing either.
		late := mine[1]
		if err := a.MarkDot(t.Context(), late.Letter.ID, late.Epoch, nil, noon); !errors.Is(err, store.ErrLost) {
			t.Errorf("late dot: %v, want ErrLost", err)
		}
		if got := claim(b); len(got) != 2 {
			t.Errorf("%d letters for the other node, want 2", len(got))
		}
		lost := must(a.Mark(t.Context(), []store.Result{{ID: late.Letter.ID, Epoch: late.Epoch, State: store.LetterSent, At: noon}, {ID: doubt.Letter.ID, Epoch: doubt.Epoch, State: store.LetterSent, At: noon}}))(t)
		if lost != 1 {
			t.Errorf("%d late results refused, want 1", lost)
		}
	})
}

// Who takes a brand over gets its rows in order of arrival, the ones in a dead
// node's hands first.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		a, b := open(), open()
		for _, key := range []string{"shell:1", "shell:2", "shell:3"} {
			it := store.Item{Key: key, Brand: "acme", Mailbox: "m@acme.example", Channel: tickets.ChannelMail, Received: noon, Data: []byte(key)}
			must(a.Append(t.Context(), []store.Item{it}, nil))(t)
		}
		hold := store.Item{Key: "shell:4", Brand: "acme", Mailbox: "m@acme.example", Channel: tickets.ChannelMail, Received: noon, Data: []byte("4"), Hold: noon.Add(time.Hour)}
		must(a.Append(t.Context(), []store.Item{hold}, nil))(t)
		mine := must(a.ClaimLedger(t.Context(), "acme", 2, noon, noon.Add(time.Hour)))(t)
		if err := b.TakeOver(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
		// What was in the dead node's hands may be what killed it: it comes alone.
		var got []string
		for range 4 {
			for _, r := range must(b.ClaimLedger(t.Context(), "acme", 10, noon, noon.Add(time.Hour)))(t) {
				got = append(got, r.Key)
			}
		}
		if !slices.Equal(got, []string{"shell:1", "shell:2", "shell:3"}) {
			t.Fatalf("claimed %v, want three rows from the first on", got)
		}
		err := a.Decide(t.Context(), "acme", func(tx *store.Tx) error {
			_, err := tx.SaveClaimed(t.Context(), mine[0], "", "", tickets.Change{Brand: "acme", Disposition: tickets.DisposeDiscarded, Reason: "x"}, noon)
			return err
		})
		if !errors.Is(err, store.ErrLost) {
			t.Errorf("late decision: %v, want ErrLost", err)
		}
		if err := b.TakeOver(t.Context(), "acme"); err != nil { // its own stay
			t.Fatal(err)
		}
		if again := must(b.ClaimLedger(t.Context(), "acme", 10, noon, noon.Add(time.Hour)))(t); len(again) != 0 {
			t.Errorf("claimed again: %+v", again)
		}
	})
}

func TestOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		got := ""
		for _, day := range []string{"2026-10-05", "2026-10-05", "2026-10-06"} {
			err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
				first, err := tx.Once(t.Context(), "quarantine letter", day)
				if first {
					got += day + " "
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if got != "2026-10-05 2026-10-06 " {
			t.Errorf("happened: %s", got)
		}
	})
}
