package schedules

import (
	"context"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// alarms begins the next attempt of each alarm whose time has come, or ends it.
func (s *Sweep) alarms(ctx context.Context, brand string, rules tickets.Rules, now time.Time) error {
	ids, err := s.opt.DB.Alarms(ctx, brand, now, atOnce)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var ticket int64
		told, err := s.one(context.WithoutCancel(ctx), brand, now, func(ctx context.Context, tx *store.Tx, now time.Time) (tickets.Change, bool, error) {
			a, err := tx.Alarm(ctx, id)
			if err != nil {
				return tickets.Change{}, false, err
			}
			ticket = a.Ticket
			t, err := tx.Ticket(ctx, a.Ticket)
			if err != nil {
				return tickets.Change{}, false, err
			}
			found, err := tx.Look(ctx, *t, now)
			if err != nil {
				return tickets.Change{}, false, err
			}
			c, due := tickets.Ring(a, *t, found, rules, now)
			return c, due, nil
		})
		s.report(ticket, "alarm", told, err)
	}
	return nil
}
