package schedules

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// onceName names the daily list in the store's record of what happened.
const onceName = "supervisor-mail"

// mostHeld bounds the list: a flood is read in the shell, not in a letter.
const mostHeld = 200

// heldMail sends the daily list of quarantined mail, once for each day: the
// record that it happened and the letters are one transaction. A day without
// held mail is recorded too, or the first mail held after the hour would be
// listed at once.
func (s *Sweep) heldMail(ctx context.Context, rules tickets.Rules, now time.Time) error {
	when, brands := s.opt.Supervisor(), slices.Sorted(maps.Keys(rules.Brands))
	if when == nil || len(brands) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	day, at := when.latest(now)
	if day == s.listed.Load() {
		return nil // this process has seen to it; the row says the same
	}
	held, err := s.opt.DB.Quarantine(ctx)
	if err != nil {
		return err
	}
	change := tickets.DailyQuarantine(s.views(held), rules, day)
	wrote := false
	err = s.opt.DB.Decide(context.WithoutCancel(ctx), brands[0], func(tx *store.Tx) error {
		wrote = false
		first, err := firstOf(ctx, tx, onceName, day)
		if err != nil || !first || len(change.Letters) == 0 {
			return err
		}
		wrote = true
		_, err = tx.Save(store.Caused(ctx, at), 0, "", "", change, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("list held mail of %s: %w", day, err)
	}
	s.listed.Store(day)
	if wrote {
		s.opt.Log.Info("held mail listed", "count", len(held), "due", at)
		s.opt.Wrote()
	}
	return nil
}

// firstOf records the occurrence and reports whether it is the first time. The
// day before counts as done from then on: a clock that is set back over the
// hour would otherwise find yesterday open, on a desk that was not running
// then, and send a second list.
func firstOf(ctx context.Context, tx *store.Tx, name, day string) (bool, error) {
	is, err := tx.Once(ctx, name, day)
	if err != nil || !is {
		return false, err
	}
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return false, err
	}
	_, err = tx.Once(ctx, name, d.AddDate(0, 0, -1).Format(time.DateOnly))
	return true, err
}

// views shows the newest of the held rows, oldest first.
func (s *Sweep) views(held []store.Entry) []tickets.HeldMail {
	if n := len(held); n > mostHeld {
		s.opt.Log.Warn("list of held mail cut", "count", n)
		held = held[n-mostHeld:]
	}
	out := make([]tickets.HeldMail, 0, len(held))
	for _, e := range held {
		out = append(out, tickets.HeldMail{ID: e.ID, At: e.Received, From: e.From, Subject: e.Subject, Reason: e.Reason, Detail: e.Detail})
	}
	return out
}
