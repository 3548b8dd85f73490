package schedules

import (
	"context"
	"fmt"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// What to do about occurrences that passed while the desk was not running; any
// other word is latest.
const (
	catchAll  = "all"  // each, the newest mostCaughtUp of them
	catchNone = "none" // none that is later than lateRun
)

const (
	mostCaughtUp = 31
	// lateRun is how late an occurrence may be noticed without counting as missed.
	lateRun = time.Hour
	// A clock that says that something is overdue for longer than unlikely is
	// believed when it still says so after a while: one that is set to another
	// year and back must not send a year's letters.
	unlikely     = 60 * 24 * time.Hour
	believeAfter = 24 * time.Hour
	// A clock that was ahead by more than ahead is known to have been wrong: what
	// it saw to is looked at once more, from lookBack before now. What had
	// happened has rows that say so.
	ahead    = 26 * time.Hour
	lookBack = 7 * 24 * time.Hour
)

// Occurrence is one time at which a schedule of a brand runs.
type Occurrence struct {
	Brand    string
	Schedule tickets.Schedule
	At       time.Time
	Since    time.Time // the run before: what came due after it is this one's
	Clock    int       // the time of day that At stands for, minutes since midnight
}

// Job decides what an occurrence does, before the transaction that notes that it
// happened: it may take seconds, in which nobody waits for it. It may be called
// for an occurrence that another node has come first with: what it decided is
// then dropped.
type Job func(ctx context.Context, o Occurrence, rules tickets.Rules, now time.Time) (tickets.Change, error)

// job is what an occurrence does within its transaction. It may be called again
// for the same one when the database asks for it.
type job func(ctx context.Context, tx *store.Tx, o Occurrence, rules tickets.Rules, now time.Time) (tickets.Change, error)

// plan is what is to be done about a schedule now.
type plan struct {
	run   store.Run // to be saved
	save  bool
	do    []Occurrence
	alert string // to the operator, once
}

// planned says which occurrences of a schedule are to be run, from how far it is
// and the time alone.
func planned(c cronLine, s tickets.Schedule, was store.Run, now time.Time) plan {
	p := plan{run: was}
	if was.At.IsZero() { // met for the first time: it begins with the next occurrence
		p.run.At, p.save = c.latest(now), true
		return p
	}
	if was.At.After(now.Add(ahead)) {
		was.At, was.Doubted = now.Add(-lookBack), time.Time{}
		p.run, p.save = was, true
		p.alert = "the clock was ahead: the last days are looked at once more"
	}
	first := c.next(was.At)
	if first.IsZero() || first.After(now) {
		p.save = p.save || !was.Doubted.IsZero()
		p.run.Doubted = time.Time{}
		return p
	}
	if now.Sub(first) > unlikely {
		switch {
		case was.Doubted.IsZero() || was.Doubted.After(now):
			p.run.Doubted, p.save = now, true
			p.alert = fmt.Sprintf("the clock says that it is overdue since %s: if the clock is right, it runs in a day", first.UTC().Format(time.DateOnly))
			return p
		case now.Sub(was.Doubted) < believeAfter:
			return p
		}
	}
	missed := c.between(was.At, now)
	p.run.At, p.run.Doubted, p.save = missed[len(missed)-1], time.Time{}, true
	p.do = caughtUp(missed, s, was, now)
	for i := range p.do {
		p.do[i].Clock = c.clock(p.do[i].At)
	}
	return p
}

// caughtUp chooses among the occurrences that have passed, of which there is at
// least one.
func caughtUp(missed []time.Time, s tickets.Schedule, was store.Run, now time.Time) []Occurrence {
	last := len(missed) - 1
	of := func(i int) Occurrence {
		o := Occurrence{Brand: was.Brand, Schedule: s, At: missed[i], Since: was.At}
		if i > 0 {
			o.Since = missed[i-1]
		}
		return o
	}
	switch s.CatchUp {
	case catchAll:
		var out []Occurrence
		for i := max(0, last-mostCaughtUp+1); i <= last; i++ {
			out = append(out, of(i))
		}
		out[0].Since = was.At
		return out
	case catchNone:
		if now.Sub(missed[last]) > lateRun {
			return nil
		}
		return []Occurrence{of(last)}
	}
	o := of(last)
	o.Since = was.At
	return []Occurrence{o}
}

// runs does what the schedules of a brand have to do now.
func (s *Sweep) runs(ctx context.Context, brand string, rules tickets.Rules, now time.Time) error {
	if len(rules.Reminders.Schedules) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	far, err := s.opt.DB.Runs(ctx, brand)
	if err != nil {
		return err
	}
	for _, sched := range rules.Reminders.Schedules {
		if !sched.IsReminder() && s.opt.Jobs[sched.Key] == nil {
			continue
		}
		line, err := readCron(sched.Cron, rules.Brands[brand].Location)
		if err == nil {
			was := far[sched.Key]
			was.Brand = brand
			p := planned(line, sched, was, now)
			if !p.save {
				continue
			}
			ctx := context.WithoutCancel(ctx)
			var do job
			if do, err = s.job(ctx, sched, p.do, rules, now); err == nil {
				err = s.run(ctx, line, sched, do, brand, rules, now)
			}
		}
		if err != nil {
			return fmt.Errorf("schedule %s of brand %s: %w", sched.Key, brand, err)
		}
		s.alive()
	}
	return nil
}

// job is what a schedule does in its transaction. What others than reminders do
// is decided here, before it.
func (s *Sweep) job(ctx context.Context, sched tickets.Schedule, ahead []Occurrence, rules tickets.Rules, now time.Time) (job, error) {
	if sched.IsReminder() {
		return s.remind, nil
	}
	decide := s.opt.Jobs[sched.Key]
	ready := make(map[time.Time]tickets.Change, len(ahead))
	for _, o := range ahead {
		c, err := decide(ctx, o, rules, now)
		if err != nil {
			return nil, err
		}
		ready[o.At] = c
		s.alive()
	}
	return func(ctx context.Context, _ *store.Tx, o Occurrence, rules tickets.Rules, now time.Time) (tickets.Change, error) {
		if c, ok := ready[o.At]; ok {
			return c, nil
		}
		return decide(ctx, o, rules, now) // the plan was changed meanwhile: by another node, or nobody
	}, nil
}

// run is one transaction: how far the schedule is, what its occurrences found or
// wrote, and the record that they happened. A crash leaves all of it or nothing.
func (s *Sweep) run(ctx context.Context, line cronLine, sched tickets.Schedule, job job, brand string, rules tickets.Rules, now time.Time) error {
	var p plan
	wrote := 0
	err := s.opt.DB.Decide(ctx, brand, func(tx *store.Tx) error {
		wrote = 0
		far, err := tx.Runs(ctx, brand)
		if err != nil {
			return err
		}
		was := far[sched.Key] // another node may have come first
		was.Brand, was.Schedule = brand, sched.Key
		if p = planned(line, sched, was, now); !p.save {
			return nil
		}
		for _, o := range p.do {
			n, err := s.occur(ctx, tx, o, job, rules, now)
			if err != nil {
				return err
			}
			wrote += n
		}
		return tx.SaveRun(ctx, p.run)
	})
	if err != nil {
		return err
	}
	if p.alert != "" {
		s.opt.Log.Error("schedule in doubt", "reminder", sched.Key, "brand", brand, "err", p.alert)
	}
	if len(p.do) > 0 {
		s.opt.Log.Info("schedule ran", "reminder", sched.Key, "brand", brand, "due", p.do[len(p.do)-1].At, "count", wrote)
		s.opt.Wrote()
	}
	return nil
}

// occur runs one occurrence, once for ever. It returns how much was found or
// written.
func (s *Sweep) occur(ctx context.Context, tx *store.Tx, o Occurrence, job job, rules tickets.Rules, now time.Time) (int, error) {
	is, err := tx.Once(ctx, "schedule:"+o.Brand+":"+o.Schedule.Key, o.At.UTC().Format(time.RFC3339))
	if err != nil || !is {
		return 0, err
	}
	c, err := job(ctx, tx, o, rules, now)
	if err != nil {
		return 0, err
	}
	if c.Brand == "" {
		c.Brand = o.Brand
	}
	_, err = tx.Save(store.Caused(ctx, o.At), 0, "", "", c, now)
	return len(c.Dues) + len(c.Letters), err
}
