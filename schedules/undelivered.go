package schedules

import (
	"context"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// told is how far back a failed letter is looked for: a desk that was down
// longer has told its operator otherwise.
const told = 30 * 24 * time.Hour

// undelivered tells the agents of a ticket which letter to the customer the
// mail server refused, or was given up, once for each letter.
func (s *Sweep) undelivered(ctx context.Context, brand string, rules tickets.Rules, now time.Time) error {
	letters, err := s.opt.DB.Untold(ctx, brand, now.Add(-told), atOnce)
	if err != nil {
		return err
	}
	for _, l := range letters {
		decide := func(ctx context.Context, tx *store.Tx, t tickets.Ticket, now time.Time) (tickets.Change, bool, error) {
			first, err := tx.Told(ctx, l.ID)
			if err != nil || !first {
				return tickets.Change{}, false, err
			}
			return tickets.Undelivered(t, tickets.SentLetter{ID: l.ID, Ticket: l.Ticket, Kind: l.Kind, To: l.To, State: l.State}, l.Code, l.Detail, rules, now), true, nil
		}
		if err := s.each(ctx, brand, "undelivered", []int64{l.Ticket}, now, decide); err != nil {
			return err
		}
	}
	return nil
}
