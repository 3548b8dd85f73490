package schedules

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// soonest is how long the loop rests at least between two looks that nobody
// asked for. A ticket that cannot be decided waits for the next pass.
const soonest = time.Second

// Look does what a pass does about promises and alarms, and nothing else. It
// only reads when nothing is due.
func (s *Sweep) Look(ctx context.Context) error {
	defer s.alive()
	now := s.opt.Now()
	if next, err := s.next(ctx); err != nil || next.IsZero() || next.After(now) {
		return err
	}
	s.failed.Store(false)
	ctx, has, err := s.lease(ctx, now)
	if err != nil || !has {
		return err
	}
	rules := s.opt.Rules()
	var errs []error
	for _, brand := range slices.Sorted(maps.Keys(rules.Brands)) {
		errs = append(errs, s.watch(ctx, brand, rules, now), s.alarms(ctx, brand, rules, now))
	}
	return errors.Join(errs...)
}

// nextLook is how long until a clock or an alarm wants to be looked at; the
// tick comes first when it is longer.
func (s *Sweep) nextLook(ctx context.Context) time.Duration {
	next, err := s.next(ctx)
	if err != nil || next.IsZero() || s.failed.Load() { // the pass tells of the error, and tries again
		return 2 * s.opt.Every
	}
	return max(next.Sub(s.opt.Now()), soonest)
}

// next is when the first clock or alarm wants to be looked at, zero never.
func (s *Sweep) next(ctx context.Context) (time.Time, error) {
	watch, err := s.opt.DB.NextWatch(ctx)
	if err != nil {
		return watch, err
	}
	alarm, err := s.opt.DB.NextAlarm(ctx)
	if watch.IsZero() || !alarm.IsZero() && alarm.Before(watch) {
		return alarm, err
	}
	return watch, err
}

// watch does what time causes on tickets: warnings, reports of breaches,
// escalations, news for the customer.
func (s *Sweep) watch(ctx context.Context, brand string, rules tickets.Rules, now time.Time) error {
	ids, err := s.opt.DB.Watching(ctx, brand, now, atOnce)
	if err != nil {
		return err
	}
	return s.each(ctx, brand, "watch", ids, now, func(ctx context.Context, tx *store.Tx, t tickets.Ticket, now time.Time) (tickets.Change, bool, error) {
		found, err := tx.Look(ctx, t, now)
		if err != nil {
			return tickets.Change{}, false, err
		}
		c, due := tickets.Watch(t, found, rules, now)
		return c, due, nil
	})
}
