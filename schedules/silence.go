package schedules

import (
	"context"
	"errors"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// silent follows resolved tickets that nobody answered: one more question,
// then the closure with a notice. Which of the two, if any, tickets.Silence
// says; the questions here only find the candidates.
func (s *Sweep) silent(ctx context.Context, brand string, rules tickets.Rules, now time.Time) error {
	c := rules.Closing
	decide := func(ctx context.Context, tx *store.Tx, t tickets.Ticket, now time.Time) (tickets.Change, bool, error) {
		found, err := tx.Find(ctx, tickets.Keys{
			Brand: brand, Sender: requester(t), History: t.ID, Tickets: []int64{t.ID}, Now: now,
		})
		if err != nil {
			return tickets.Change{}, false, err
		}
		change, due := tickets.Silence(t, found, rules, now)
		return change, due, nil
	}
	remind := func() error {
		ids, err := s.opt.DB.Silent(ctx, brand, after(now, c.RemindAfter), false, atOnce)
		if err != nil {
			return err
		}
		return s.each(ctx, brand, "remind", ids, now, decide)
	}
	closing := func() error {
		// Without a reminder the closure comes to those never asked.
		asked := c.RemindAfter > 0
		ids, err := s.opt.DB.Silent(ctx, brand, after(now, c.CloseAfter), asked, atOnce)
		if err != nil {
			return err
		}
		return s.each(ctx, brand, "close", ids, now, decide)
	}
	if c.RemindAfter <= 0 {
		return closing()
	}
	return errors.Join(remind(), closing())
}

// after turns "waited at least d" into the store's "resolved before": times in
// the store are whole milliseconds.
func after(now time.Time, d time.Duration) time.Time {
	return now.Add(-d).Add(time.Millisecond)
}

func requester(t tickets.Ticket) string {
	for _, p := range t.Participants {
		if p.Role == tickets.PartyRequester {
			return tickets.NormalAddress(p.Address.Address)
		}
	}
	return ""
}

// due opens tickets whose date has come.
func (s *Sweep) due(ctx context.Context, brand string, rules tickets.Rules, now time.Time) error {
	ids, err := s.opt.DB.Due(ctx, brand, now, atOnce)
	if err != nil {
		return err
	}
	return s.each(ctx, brand, "wake", ids, now, func(_ context.Context, _ *store.Tx, t tickets.Ticket, now time.Time) (tickets.Change, bool, error) {
		change, due := tickets.Wake(t, rules, now)
		return change, due, nil
	})
}
