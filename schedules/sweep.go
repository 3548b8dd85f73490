// Package schedules acts when a time has come: resolved tickets nobody
// answered, tickets put off until a date, the daily list of held mail, and the
// search index in idle time.
//
// The state is in rows, never in memory: an hour or a week of downtime delays
// an act, and can neither double nor lose it. Whatever is due is looked up with
// the time of the pass, decided by the pure functions of tickets on the row as
// it is then, and saved in the same transaction as its letters.
//
// One node of several sweeps: the one that holds the lease "schedules".
package schedules

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// Options of New.
type Options struct {
	DB    *store.DB
	Rules func() tickets.Rules // read at the start of each pass
	Log   *slog.Logger         // nil: none
	Now   func() time.Time     // nil: time.Now; read once a pass
	// Wake says that a decision was saved: what time causes at once (an
	// escalation, an alarm) is looked for now, and nothing else; nil: with the
	// next pass.
	Wake <-chan struct{}
	// Every is how often the clock on the wall is read again, default 30 s. A
	// clock that was set or a machine that slept is noticed within it.
	Every time.Duration
	// Lease says whether this node sweeps now; what it saves is refused once
	// another does. nil: the sweep keeps a lease of its own.
	Lease func() (store.Fence, bool)
	Wrote func() // letters may be waiting; nil: nobody asks
	// Supervisor is when the daily list of held mail goes out, in Location;
	// nil: never.
	Supervisor func() *TimeOfDay
	// Morning is when agents and teams are sent what the day brings; nil: never.
	Morning func() *TimeOfDay
	// Keep says when what is kept no longer is removed, and what that is at now;
	// nil: never.
	Keep func(now time.Time) (*TimeOfDay, store.Kept)
	// Jobs are what the schedules do that are no reminders, by their keys: run for
	// each brand. A schedule without a job does nothing.
	Jobs map[string]Job
}

const (
	leaseName = "schedules"
	// leaseFor is how long the lease outlives a pass: a node that died is
	// replaced after it.
	leaseFor = 3 * time.Minute
	// atOnce bounds how many tickets one question of a pass returns; the rest
	// comes with the next pass.
	atOnce = 500
)

// Sweep is the loop.
type Sweep struct {
	opt     Options
	beat    atomic.Int64
	failed  atomic.Bool  // a ticket could not be decided
	fails   atomic.Value // fault: why passes fail
	greeted atomic.Value // day whose morning letters are known to be recorded
	keeping sync.Mutex
	kept    keeping
	listed  atomic.Value // day whose list of held mail is known to be recorded: spares a transaction a pass
}

// New prepares the loop; it starts nothing.
func New(opt Options) *Sweep {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Every <= 0 {
		opt.Every = 30 * time.Second
	}
	if opt.Wrote == nil {
		opt.Wrote = func() {}
	}
	if opt.Supervisor == nil {
		opt.Supervisor = func() *TimeOfDay { return nil }
	}
	if opt.Keep == nil {
		opt.Keep = func(time.Time) (*TimeOfDay, store.Kept) { return nil, store.Kept{} }
	}
	if opt.Morning == nil {
		opt.Morning = func() *TimeOfDay { return nil }
	}
	s := &Sweep{opt: opt}
	s.alive()
	return s
}

// Run sweeps until ctx ends, and then gives the lease back. The ticket in hand
// is finished first. It returns nil: what goes wrong is logged and tried again.
func (s *Sweep) Run(ctx context.Context) error {
	tick := time.NewTicker(s.opt.Every)
	defer tick.Stop()
	failing := ""
	pass := s.Pass
	for {
		switch err := pass(ctx); {
		case err == nil && failing != "":
			s.opt.Log.Info("sweeps again")
			failing = ""
			s.fails.Store(fault{})
		case err != nil && ctx.Err() == nil && failing != err.Error():
			s.opt.Log.Error("sweep", "err", err)
			was, _ := s.fails.Load().(fault)
			if failing == "" {
				was.since = s.opt.Now()
			}
			failing = err.Error() // told once: a full disk lasts for hours
			s.fails.Store(fault{was.since, failing})
		}
		soon := time.NewTimer(s.nextLook(ctx))
		select {
		case <-ctx.Done():
			soon.Stop()
			return s.leave(ctx)
		case <-tick.C:
			pass = s.Pass
		case <-s.opt.Wake:
			pass = s.Look
		case <-soon.C:
			pass = s.Look
		}
		soon.Stop()
	}
}

// fault is why passes fail, and since when.
type fault struct {
	since time.Time
	why   string
}

// Failing says why passes fail and since when; "" they do not.
func (s *Sweep) Failing() (why string, since time.Time) {
	f, _ := s.fails.Load().(fault)
	return f.why, f.since
}

// leave lets another node begin at once. Where the database does not answer,
// the lease runs out by itself.
func (s *Sweep) leave(ctx context.Context) error {
	if s.opt.Lease != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := s.opt.DB.Unlease(ctx, leaseName); err != nil {
		s.opt.Log.Warn("lease kept until it runs out", "err", err)
	}
	return nil
}

// lease says whether this node sweeps, and gives the context to do it under.
func (s *Sweep) lease(ctx context.Context, now time.Time) (context.Context, bool, error) {
	if s.opt.Lease != nil {
		fence, has := s.opt.Lease()
		return store.Fenced(ctx, fence), has, nil
	}
	has, err := s.opt.DB.Lease(ctx, leaseName, now, now.Add(leaseFor))
	return ctx, has, err
}

// Pass does once what is due now. Without the lease it does nothing. What went
// wrong with one ticket is logged and left for the next pass; the error is of
// the pass as a whole. It may be called while Run runs.
func (s *Sweep) Pass(ctx context.Context) error {
	defer s.alive()
	now := s.opt.Now()
	ctx, has, err := s.lease(ctx, now)
	if err != nil || !has {
		return err
	}
	s.failed.Store(false)
	rules := s.opt.Rules()
	var errs []error
	for _, brand := range slices.Sorted(maps.Keys(rules.Brands)) {
		errs = append(errs, s.silent(ctx, brand, rules, now), s.due(ctx, brand, rules, now), s.undelivered(ctx, brand, rules, now), s.surveys(ctx, brand, rules, now))
		errs = append(errs, s.watch(ctx, brand, rules, now), s.alarms(ctx, brand, rules, now))
		errs = append(errs, s.runs(ctx, brand, rules, now), s.gather(ctx, brand, rules, now))
	}
	errs = append(errs, s.heldMail(ctx, rules, now), s.morning(ctx, rules, now), s.keep(ctx, now), s.index(ctx))
	return errors.Join(errs...)
}

// Beat returns when the loop last made progress: the watchdog's question.
func (s *Sweep) Beat() time.Time { return time.Unix(0, s.beat.Load()) }

// alive notes the machine's time, not the desk's: the watchdog compares with it.
func (s *Sweep) alive() { s.beat.Store(time.Now().UnixNano()) }

// decision looks at a ticket within the transaction and says what to save at a
// time; false: nothing is due then.
type decision func(context.Context, *store.Tx, tickets.Ticket, time.Time) (tickets.Change, bool, error)

// each decides one ticket after the other, each in a transaction of its own:
// one that cannot be decided keeps no other waiting.
func (s *Sweep) each(ctx context.Context, brand, what string, ids []int64, now time.Time, decide decision) error {
	for _, id := range ids {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		told, err := s.one(context.WithoutCancel(ctx), brand, now, func(ctx context.Context, tx *store.Tx, now time.Time) (tickets.Change, bool, error) {
			t, err := tx.Ticket(ctx, id)
			if err != nil {
				return tickets.Change{}, false, err
			}
			return decide(ctx, tx, *t, now)
		})
		s.report(id, what, told, err)
	}
	return nil
}

// report logs what became of one ticket.
func (s *Sweep) report(ticket int64, what string, told bool, err error) {
	s.alive()
	switch {
	case err != nil:
		s.failed.Store(true)
		s.opt.Log.Error("sweep ticket", "ticket", ticket, "kind", what, "err", err)
	case told:
		s.opt.Log.Info("swept", "ticket", ticket, "kind", what)
		s.opt.Wrote()
	}
}

// one saves one decision. told is false when nothing came of it that anybody is
// told of.
func (s *Sweep) one(ctx context.Context, brand string, now time.Time, decide due) (told bool, err error) {
	err = s.opt.DB.Decide(ctx, brand, func(tx *store.Tx) error {
		told = false                      // the store may run this again after a conflict
		return tx.Try(ctx, func() error { // a panic becomes an error of this ticket
			c, due, err := decide(ctx, tx, now)
			if err != nil || !due {
				return err
			}
			told = tells(c)
			ctx, err := s.restored(ctx, tx, told, decide)
			if err != nil {
				return err
			}
			_, err = tx.Save(ctx, 0, "", "", c, now)
			return err
		})
	})
	return told && err == nil, err
}

// due says what to save at a time; false: nothing is due then.
type due func(context.Context, *store.Tx, time.Time) (tickets.Change, bool, error)

// restored says so in the context when what is decided was due already before
// the database was put back from a backup: it may have been told then.
func (s *Sweep) restored(ctx context.Context, tx *store.Tx, told bool, decide due) (context.Context, error) {
	at := s.opt.DB.Restored()
	if at.IsZero() || !told {
		return ctx, nil
	}
	_, was, err := decide(ctx, tx, at)
	if was {
		ctx = store.Caused(ctx, at)
	}
	return ctx, err
}

// tells reports whether anything but a ticket's next time is saved.
func tells(c tickets.Change) bool {
	return len(c.Letters) > 0 || len(c.Alarms) > 0 || len(c.Cancel) > 0 || slices.ContainsFunc(c.Tickets, func(tc tickets.TicketChange) bool {
		return len(tc.Events) > 0 || len(tc.Letters) > 0
	})
}

// Bounds of indexing in one pass: a large import is indexed over several, and
// what is due meanwhile is not late for it.
const (
	indexStep   = 100
	indexRounds = 100
)

// index adds new messages to the search index, after everything that is due.
func (s *Sweep) index(ctx context.Context) error {
	for range indexRounds {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n, err := s.opt.DB.Index(ctx, indexStep)
		s.alive()
		if err != nil {
			return fmt.Errorf("index messages: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
	return nil
}
