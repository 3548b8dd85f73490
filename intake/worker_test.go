package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// workerDesk is a ledger with n mails and rules to decide them by.
func workerDesk(t *testing.T, n int) (*store.DB, tickets.Rules) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Database: filepath.Join(t.TempDir(), "desk.db"), Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	var items []store.Item
	for i := range n {
		raw := fmt.Appendf(nil, "From: maria@example.org\r\nSubject: %d\r\nMessage-ID: <%d@example.org>\r\n\r\nPlease help with %d.\r\n", i, i, i)
		items = append(items, newItem("test:", Address{Brand: "baleyo", Mailbox: "support@baleyo.test"}, nil, raw, time.Now()))
	}
	if _, err := db.Append(t.Context(), items, nil); err != nil {
		t.Fatal(err)
	}
	rules := tickets.Rules{
		Keys:   tickets.Keyring{Current: tickets.Key{ID: 'k', Secret: make([]byte, 32)}},
		Brands: map[string]tickets.Brand{"baleyo": {Key: "baleyo", Name: "Baleyo", Domain: "baleyo.test", Mailboxes: []tickets.Mailbox{{Address: "support@baleyo.test"}}}},
	}
	return db, rules
}

// understood claims rows as a worker does and reads them.
func understood(t *testing.T, w *Worker, now time.Time, rules tickets.Rules) []contact {
	t.Helper()
	rows, err := w.opt.DB.ClaimLedger(t.Context(), "baleyo", 10, now, now.Add(w.opt.Claim))
	if err != nil {
		t.Fatal(err)
	}
	return w.understand(t.Context(), rows, rules)
}

// decideAll decides contacts in one transaction and returns what went wrong with each.
func decideAll(ctx context.Context, w *Worker, contacts []contact, rules tickets.Rules) (errs []error, err error) {
	err = w.opt.DB.Decide(context.WithoutCancel(ctx), "baleyo", func(tx *store.Tx) error {
		errs = nil
		for i := range contacts {
			d, err := w.decide(ctx, tx, &contacts[i], rules, nil)
			if err != nil {
				return err
			}
			errs = append(errs, d.err)
		}
		return nil
	})
	return errs, err
}

// TestDecisionRunAgainStartsAfresh: PostgreSQL asks for a transaction to be run
// again after a deadlock. What had failed the first time was kept, and on the
// third claim a good mail went into quarantine as poison.
func TestDecisionRunAgainStartsAfresh(t *testing.T) {
	t.Parallel()
	db, rules := workerDesk(t, 2)
	w := NewWorker(WorkerOptions{Brand: "baleyo", DB: db, Rules: func() tickets.Rules { return rules }})
	contacts := understood(t, w, time.Now(), rules)
	for i := range contacts {
		contacts[i].row.Attempts = 2
	}
	broken, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := decideAll(broken, w, contacts, rules); err == nil {
		t.Fatal("a transaction that broke was committed")
	}
	errs, err := decideAll(t.Context(), w, contacts, rules)
	if err != nil || fmt.Sprint(errs) != "[<nil> <nil>]" {
		t.Fatalf("run again: %v, %v", errs, err)
	}
	tally, err := db.Tally(t.Context(), "")
	if err != nil || tally.ByDisposition[tickets.DisposeMessage] != 2 {
		t.Errorf("%+v, %v", tally, err)
	}
}

// TestFullDiskIsNoPoison: a disk that was full at the third attempt says nothing
// about the mail, which waits for space.
func TestFullDiskIsNoPoison(t *testing.T) {
	t.Parallel()
	db, rules := workerDesk(t, 1)
	w := NewWorker(WorkerOptions{Brand: "baleyo", DB: db, Rules: func() tickets.Rules { return rules }})
	contacts := understood(t, w, time.Now(), rules)
	contacts[0].row.Attempts = 2
	contacts[0].err = fmt.Errorf("save: %w", syscall.ENOSPC)
	if _, err := decideAll(t.Context(), w, contacts, rules); !errors.Is(err, errDatabase) {
		t.Fatalf("full: %v", err)
	}
	contacts[0].err = nil
	if errs, err := decideAll(t.Context(), w, contacts, rules); err != nil || errs[0] != nil {
		t.Fatalf("with space again: %v, %v", errs, err)
	}
	if tally, err := db.Tally(t.Context(), ""); err != nil || tally.ByDisposition[tickets.DisposeMessage] != 1 {
		t.Errorf("%+v, %v", tally, err)
	}
}

// TestLastingFailureIsToldOnce: a disk that is full for a while is one line in
// the log, not one every five seconds.
func TestLastingFailureIsToldOnce(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	w := NewWorker(WorkerOptions{Brand: "baleyo", Log: slog.New(slog.NewTextHandler(&log, nil))})
	full := errors.New("database or disk is full (13)")
	for _, err := range []error{full, full, full, nil, nil} {
		if w.fails(err) != (err != nil) {
			t.Errorf("%v is taken for the opposite", err)
		}
	}
	if n := strings.Count(log.String(), "msg=decide"); n != 1 {
		t.Errorf("told %d times:\n%s", n, log.String())
	}
	if n := strings.Count(log.String(), "decides again"); n != 1 {
		t.Errorf("its end was told %d times:\n%s", n, log.String())
	}
}

// TestLateDecisionIsNotSaved: a claim ran out while a worker was at it, and
// another node took the rows. The late one saves nothing, quarantines nothing
// and does not spoil its group.
func TestLateDecisionIsNotSaved(t *testing.T) {
	t.Parallel()
	db, rules := workerDesk(t, 1)
	w := NewWorker(WorkerOptions{Brand: "baleyo", DB: db, Rules: func() tickets.Rules { return rules }})
	now := time.Now()
	late := understood(t, w, now, rules)
	late[0].row.Attempts = 2
	second := understood(t, w, now.Add(2*w.opt.Claim), rules)
	if len(second) != 1 {
		t.Fatalf("claimed %d rows after the claim ran out", len(second))
	}
	if errs, err := decideAll(t.Context(), w, late, rules); err != nil || errs[0] == nil {
		t.Errorf("late, while somebody else works: %v, %v", errs, err)
	}
	if errs, err := decideAll(t.Context(), w, second, rules); err != nil || errs[0] != nil {
		t.Errorf("in time: %v, %v", errs, err)
	}
	if errs, err := decideAll(t.Context(), w, late, rules); err != nil || errs[0] == nil {
		t.Errorf("late, after the decision: %v, %v", errs, err)
	}
	tally, err := db.Tally(t.Context(), "")
	if err != nil || tally.Messages != 1 || tally.ByDisposition[tickets.DisposeMessage] != 1 {
		t.Errorf("%+v, %v", tally, err)
	}
}

// TestClaimsAreRenewed: nobody takes rows over while they are being read.
func TestClaimsAreRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, rules := workerDesk(t, 1)
		w := NewWorker(WorkerOptions{Brand: "baleyo", DB: db, Rules: func() tickets.Rules { return rules }, Claim: time.Minute})
		began := time.Now()
		rows, err := db.ClaimLedger(t.Context(), "baleyo", 10, began, began.Add(w.opt.Claim))
		if err != nil || len(rows) != 1 {
			t.Fatal(len(rows), err)
		}
		w.claimed(t.Context(), rows, func() []contact {
			time.Sleep(5 * w.opt.Claim) // the bubble's time: it takes none
			return nil
		})
		again, err := db.ClaimLedger(t.Context(), "baleyo", 10, began.Add(5*w.opt.Claim), began.Add(time.Hour))
		if err != nil || len(again) != 0 {
			t.Errorf("claimed again: %d, %v", len(again), err)
		}
	})
}

// What comes in while a backlog of days is decided is decided beside it; the
// backlog goes in order of arrival, and without one so does everything.
func TestFreshMailDoesNotWaitForABacklog(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		age   time.Duration
		early bool
	}{"backlog": {9 * 24 * time.Hour, true}, "burst": {time.Minute, false}} {
		db, rules := workerDesk(t, 0)
		w := NewWorker(WorkerOptions{Brand: "baleyo", DB: db, Rules: func() tickets.Rules { return rules }, Group: 20})
		var items []store.Item
		for i := range 101 {
			raw := fmt.Appendf(nil, "From: c%d@example.org\r\nSubject: %d\r\nMessage-ID: <%d@example.org>\r\n\r\nPlease help with %d.\r\n", i, i, i, i)
			at := time.Now().Add(-c.age + time.Duration(i)*time.Second)
			if i == 100 {
				at = time.Now()
			}
			items = append(items, newItem("test:", Address{Brand: "baleyo", Mailbox: "support@baleyo.test"}, nil, raw, at))
		}
		if _, err := db.Append(t.Context(), items, nil); err != nil {
			t.Fatal(err)
		}
		if n, err := w.Pass(t.Context()); n != 20 || err != nil {
			t.Fatalf("%s: %d rows, %v", name, n, err)
		}
		e, err := db.Entry(t.Context(), 101)
		if err != nil || (e.Disposition == tickets.DisposeMessage) != c.early {
			t.Errorf("%s: after one group the newest is %q, %v; want it decided: %v", name, e.Disposition, err, c.early)
		}
		for n := 20; n > 0; {
			if n, err = w.Pass(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		list, err := db.Tickets(t.Context(), store.TicketQuery{Limit: 200})
		if err != nil || len(list) != 101 {
			t.Fatalf("%s: %d tickets, %v", name, len(list), err)
		}
		subjects := map[int64]string{}
		for _, tk := range list {
			subjects[tk.ID] = tk.Subject
		}
		last := -1
		for id := int64(1); id <= 101; id++ {
			var n int
			if _, err := fmt.Sscan(subjects[id], &n); err != nil || n < last && n != 100 {
				t.Fatalf("%s: ticket %d is of mail %q, after one of %d", name, id, subjects[id], last)
			}
			if n != 100 {
				last = n
			}
		}
	}
}
