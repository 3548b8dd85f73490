package schedules

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

const (
	morningName = "morning"
	// morningLate is how long after its time a morning letter still is one. After
	// a longer standstill the day goes without: the next morning says more.
	morningLate = 4 * time.Hour
	mostOpen    = 5000                // open tickets that are looked at
	againSince  = 30 * 24 * time.Hour // of matters that came up again
	againMost   = 5                   // of them, a brand
)

// morning writes the morning letters, once for each day: the record that it
// happened and the letters are one transaction.
func (s *Sweep) morning(ctx context.Context, rules tickets.Rules, now time.Time) error {
	when, brands := s.opt.Morning(), slices.Sorted(maps.Keys(rules.Brands))
	if when == nil || len(brands) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	day, at := when.latest(now)
	if day == s.greeted.Load() {
		return nil // this process has seen to it; the row says the same
	}
	// What the letters say takes ten thousand tickets to find out: not after each
	// restart.
	if done, err := s.opt.DB.Happened(ctx, morningName, day); err != nil {
		return err
	} else if done {
		s.greeted.Store(day)
		return nil
	}
	var change tickets.Change
	if now.Sub(at) <= morningLate {
		var err error
		if change, err = s.mornings(ctx, rules, brands, day, now); err != nil {
			return err
		}
	}
	wrote := false
	err := s.opt.DB.Decide(context.WithoutCancel(ctx), brands[0], func(tx *store.Tx) error {
		wrote = false
		is, err := firstOf(ctx, tx, morningName, day)
		if err != nil || !is || len(change.Letters) == 0 {
			return err
		}
		wrote = true
		_, err = tx.Save(store.Caused(ctx, at), 0, "", "", change, now)
		return err
	})
	if err != nil {
		return fmt.Errorf("morning letters of %s: %w", day, err)
	}
	s.greeted.Store(day)
	if wrote {
		s.opt.Log.Info("morning letters written", "count", len(change.Letters), "due", at)
		s.opt.Wrote()
	}
	return nil
}

func (s *Sweep) mornings(ctx context.Context, rules tickets.Rules, brands []string, day string, now time.Time) (tickets.Change, error) {
	open, err := s.opt.DB.Tickets(ctx, store.TicketQuery{Order: rules.Order, Limit: mostOpen})
	if err != nil {
		return tickets.Change{}, err
	}
	desk, err := s.opt.DB.Desk(ctx, now)
	if err != nil {
		return tickets.Change{}, err
	}
	var again []string
	for _, brand := range brands {
		list, err := s.opt.DB.Recurring(ctx, brand, now.Add(-againSince), againMost)
		if err != nil {
			return tickets.Change{}, err
		}
		for _, r := range list {
			again = append(again, recurring(r))
		}
	}
	return tickets.Morning(open, again, desk, rules, day, now), nil
}

// recurring says a matter that came up again in a line: what, whose, which.
func recurring(r store.Recurring) string {
	what := r.Words
	if r.Product != "" {
		what = r.Product + ": " + what
	}
	var numbers []string
	for _, n := range r.Tickets[max(0, len(r.Tickets)-8):] {
		numbers = append(numbers, "#"+strconv.FormatInt(n, 10))
	}
	whose := r.Requester
	if whose == "" {
		whose = fmt.Sprintf("%d customers", r.Customers)
	}
	return fmt.Sprintf("%s (%s, %d tickets: %s)", what, whose, len(r.Tickets), strings.Join(numbers, " "))
}
