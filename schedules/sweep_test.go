package schedules

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

const (
	customer   = "maria@keller.example"
	supervisor = "asha@baleyo.example"
)

var rules = tickets.Rules{
	Keys:   tickets.Keyring{Current: tickets.Key{ID: 'a', Secret: []byte("0123456789abcdef0123456789abcdef")}},
	Brands: map[string]tickets.Brand{"baleyo": {Key: "baleyo", Name: "Baleyo", Domain: "baleyo.example", Language: "en", Mailboxes: []tickets.Mailbox{{Address: "support@baleyo.example", Queue: "support", Subaddressing: "+"}}}},
	Agents: map[string]tickets.Agent{supervisor: {Name: "Asha", Address: supervisor, Role: tickets.RoleSupervisor}},
	Queues: map[string]tickets.Queue{"support": {Key: "support", Tiers: [][]string{{supervisor}}}},
	Ack:    tickets.AckLimits{SenderHour: 5, SenderDay: 20, Subject3h: 2, DomainHour: 50, GlobalHour: 500, Ticket10min: 10},
	Closing: tickets.Closing{
		RemindAfter: 3 * 24 * time.Hour, CloseAfter: 7 * 24 * time.Hour, ReopenWindow: 30 * 24 * time.Hour,
	},
}

// desk is a store with a sweep over it, whose clock tests may set.
type desk struct {
	t     *testing.T
	path  string
	db    *store.DB
	sweep *Sweep
	ahead time.Duration // of the bubble's clock
	every time.Duration
	wrote int
	at    *TimeOfDay
	early *TimeOfDay // of morning letters
	rules tickets.Rules
	wake  chan struct{}
	clock func() time.Time // in place of the bubble's, where there is none
}

func openDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, path: filepath.Join(t.TempDir(), "desk.db"), rules: rules, every: 30 * time.Minute, wake: make(chan struct{}, 1)}
	d.start()
	t.Cleanup(func() { _ = d.db.Close() })
	return d
}

// start opens the store and makes a sweep that remembers nothing.
func (d *desk) start() {
	d.t.Helper()
	db, err := store.Open(context.Background(), store.Options{Database: d.path, Fast: true, Node: "node"})
	if err != nil {
		d.t.Fatal(err)
	}
	d.db = db
	d.sweep = New(Options{
		DB: db, Rules: func() tickets.Rules { return d.rules }, Now: d.now, Every: d.every,
		Wrote: func() { d.wrote++ }, Supervisor: func() *TimeOfDay { return d.at },
		Morning: func() *TimeOfDay { return d.early }, Wake: d.wake,
	})
}

func (d *desk) restart() {
	d.t.Helper()
	if err := d.db.Close(); err != nil {
		d.t.Fatal(err)
	}
	d.start()
}

func (d *desk) now() time.Time {
	if d.clock != nil {
		return d.clock()
	}
	return time.Now().Add(d.ahead)
}

func (d *desk) pass() {
	d.t.Helper()
	if err := d.sweep.Pass(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

// run lets the loop run for some time on the bubble's clock, with a pass at the end.
func (d *desk) run(for_ time.Duration) {
	d.t.Helper()
	d.loop(for_)
	d.pass()
}

func (d *desk) loop(for_ time.Duration) {
	d.t.Helper()
	ctx, cancel := context.WithCancel(d.t.Context())
	done := make(chan error, 1)
	go func() { done <- d.sweep.Run(ctx) }()
	time.Sleep(for_) // the bubble's time: it takes none
	cancel()
	if err := <-done; err != nil {
		d.t.Fatal(err)
	}
}

// save stores a change and returns the first ticket's number.
func (d *desk) save(c tickets.Change) int64 {
	d.t.Helper()
	var saved store.Saved
	err := d.db.Decide(d.t.Context(), c.Brand, func(tx *store.Tx) (err error) {
		saved, err = tx.Save(d.t.Context(), 0, "", "", c, d.now())
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return saved.Tickets[0]
}

func (d *desk) ticket(edit func(*tickets.Ticket)) int64 {
	d.t.Helper()
	t := tickets.Ticket{
		Brand: "baleyo", Mailbox: "support@baleyo.example", Queue: "support", Channel: tickets.ChannelMail,
		Status: tickets.StatusOpen, Subject: "Printer offline", SubjectCore: "Printer offline", Language: "en",
		Participants: []tickets.Participant{{Address: tickets.Address{Name: "Maria", Address: customer}, Role: tickets.PartyRequester}},
		Opened:       d.now(), Updated: d.now(), Version: 1,
	}
	edit(&t)
	m := tickets.Message{Direction: tickets.DirectionIn, Channel: tickets.ChannelMail, Kind: tickets.KindMessage, Version: 1,
		Author: tickets.Author{Kind: tickets.AuthorCustomer, Address: t.Participants[0].Address}, MessageID: "q@keller.example", Text: "It is offline.", At: d.now()}
	return d.save(tickets.Change{Brand: "baleyo", Tickets: []tickets.TicketChange{{Ticket: t, Messages: []tickets.Message{m}}}})
}

func (d *desk) resolved() int64 {
	d.t.Helper()
	return d.ticket(func(t *tickets.Ticket) { t.Status, t.Resolved = tickets.StatusResolved, d.now() })
}

// letters lists the kinds of a ticket's letters (0: all), sorted.
func (d *desk) letters(ticket int64) []string {
	d.t.Helper()
	list, err := d.db.LettersWhere(d.t.Context(), nil, ticket, 10000)
	if err != nil {
		d.t.Fatal(err)
	}
	var kinds []string
	for _, l := range list {
		kinds = append(kinds, string(l.Kind))
	}
	slices.Sort(kinds)
	return kinds
}

func (d *desk) want(ticket int64, status tickets.Status, letters ...string) {
	d.t.Helper()
	t, err := d.db.Ticket(d.t.Context(), ticket)
	if err != nil {
		d.t.Fatal(err)
	}
	if got := d.letters(ticket); t.Status != status || !slices.Equal(got, letters) {
		d.t.Errorf("at %s #%d is %s with letters %q, want %s with %q", d.now().Format(time.DateTime), ticket, t.Status, got, status, letters)
	}
}

const day = 24 * time.Hour

func TestSilenceAsksOnceAndClosesOnceInTenDaysOfMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		d.every = tick
		d.restart()
		id := d.resolved()
		d.run(3*day - time.Minute)
		d.want(id, tickets.StatusResolved)
		d.run(2 * time.Minute)
		d.want(id, tickets.StatusResolved, "silence")
		d.run(4*day - 2*time.Minute)
		d.want(id, tickets.StatusResolved, "silence")
		d.run(2 * time.Minute)
		d.want(id, tickets.StatusClosed, "closed", "silence")
		d.run(3 * day)
		d.want(id, tickets.StatusClosed, "closed", "silence")
		if d.wrote != 2 {
			t.Errorf("the sender was woken %d times, want 2", d.wrote)
		}
	})
}

func TestSilenceSurvivesRestartsAndAClockSetBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		id := d.resolved()
		d.run(3*day + time.Minute)
		d.want(id, tickets.StatusResolved, "silence")
		for _, ahead := range []time.Duration{-2 * time.Hour, 0, 2 * time.Hour, -2 * time.Hour, 0} {
			d.restart()
			d.ahead = ahead
			d.run(10 * time.Minute)
			d.want(id, tickets.StatusResolved, "silence")
		}
		d.run(4 * day)
		d.restart()
		d.ahead = -2 * time.Hour
		d.run(day)
		d.want(id, tickets.StatusClosed, "closed", "silence")
	})
}

func TestAfterLongDowntimeTheCustomerStillHasTimeToAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		id := d.resolved()
		time.Sleep(20 * day) // nobody sweeps
		d.run(time.Minute)
		d.want(id, tickets.StatusResolved, "silence")
		d.run(4*day - 2*time.Minute)
		d.want(id, tickets.StatusResolved, "silence")
		d.run(5 * time.Minute)
		d.want(id, tickets.StatusClosed, "closed", "silence")
	})
}

func TestClosesWithoutAskingWhereNoReminderIsWanted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		d.rules.Closing.RemindAfter = 0
		id := d.resolved()
		d.run(7*day + time.Minute)
		d.want(id, tickets.StatusClosed, "closed")
	})
}

func TestDueTicketOpensOnceAndTellsTheAgent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		id := d.ticket(func(t *tickets.Ticket) {
			t.Status, t.PendingUntil = tickets.StatusPending, d.now().Add(2*day)
		})
		d.run(2*day - time.Minute)
		d.want(id, tickets.StatusPending)
		d.run(2 * time.Minute)
		d.want(id, tickets.StatusOpen, "agent-receipt")
		d.restart()
		d.ahead = -2 * time.Hour
		d.run(day)
		d.want(id, tickets.StatusOpen, "agent-receipt")
	})
}

// A brand that is gone from the configuration, a ticket that cannot be
// decided: the others go on.
func TestOneBadTicketStopsNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		bad, good := d.resolved(), d.resolved()
		s := d.sweep
		err := s.each(t.Context(), "baleyo", "test", []int64{bad, 999, good}, d.now(),
			func(_ context.Context, _ *store.Tx, tk tickets.Ticket, _ time.Time) (tickets.Change, bool, error) {
				if tk.ID == bad {
					panic("a hole in a rule")
				}
				c, due := tickets.Silence(tk, tickets.Found{}, rules, d.now().Add(4*day))
				return c, due, nil
			})
		if err != nil {
			t.Fatal(err)
		}
		d.want(bad, tickets.StatusResolved)
		d.want(good, tickets.StatusResolved, "silence")
	})
}

func TestAnswerDuringThePassIsSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		id := d.ticket(func(t *tickets.Ticket) { t.Status = tickets.StatusOpen })
		// The list of candidates is older than the decision.
		if err := d.sweep.each(t.Context(), "baleyo", "remind", []int64{id}, d.now(), func(_ context.Context, _ *store.Tx, tk tickets.Ticket, _ time.Time) (tickets.Change, bool, error) {
			c, due := tickets.Silence(tk, tickets.Found{}, rules, d.now().Add(30*day))
			return c, due, nil
		}); err != nil {
			t.Fatal(err)
		}
		d.want(id, tickets.StatusOpen)
	})
}

func TestOnlyTheHolderOfTheLeaseSweeps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		id := d.resolved()
		other, err := store.Open(t.Context(), store.Options{Database: d.path, Fast: true, Node: "other"})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		time.Sleep(4 * day)
		if has, err := other.Lease(t.Context(), leaseName, d.now(), d.now().Add(leaseFor)); !has || err != nil {
			t.Fatal(has, err)
		}
		d.pass()
		d.want(id, tickets.StatusResolved)
		time.Sleep(leaseFor) // the other node has died
		d.pass()
		d.want(id, tickets.StatusResolved, "silence")
	})
}

func TestRunGivesTheLeaseBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		d.loop(time.Minute)
		other, err := store.Open(t.Context(), store.Options{Database: d.path, Fast: true, Node: "other"})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		if has, err := other.Lease(t.Context(), leaseName, d.now(), d.now().Add(leaseFor)); !has || err != nil {
			t.Errorf("lease after Run: %v %v, want it free", has, err)
		}
	})
}

func TestBeatMovesAndAClosedStoreIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		before := d.sweep.Beat()
		d.run(5 * time.Minute)
		if got := d.sweep.Beat().Sub(before); got < 4*time.Minute {
			t.Errorf("beat moved by %s in five minutes", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := d.sweep.Pass(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("a pass that was stopped: %v", err)
		}
	})
}

func TestIndexesNewMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		id := d.resolved()
		d.pass()
		found, err := d.db.Tickets(t.Context(), store.TicketQuery{Search: "offline"})
		if err != nil || len(found) != 1 || found[0].ID != id {
			t.Errorf("search after a pass: %v, %v", found, err)
		}
	})
}
