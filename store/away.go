package store

import (
	"context"

	"frontdesk/tickets"
)

// away notes who goes away and who is back. An agent has one absence: a new one
// takes the place of the one before.
func (s *saver) away(ctx context.Context) error {
	for _, a := range s.c.Away {
		agent := tickets.NormalAddress(a.Agent)
		if agent == "" {
			continue
		}
		s.tx.cache.desk = nil
		if a.Until.IsZero() {
			if err := s.tx.later(ctx, `DELETE FROM away WHERE agent = $1`, agent); err != nil {
				return err
			}
			continue
		}
		err := s.tx.later(ctx, `
			INSERT INTO away (agent, since, until) VALUES ($1, $2, $3)
			ON CONFLICT (agent) DO UPDATE SET since = excluded.since, until = excluded.until`, agent, ms(a.Since), ms(a.Until))
		if err != nil {
			return err
		}
	}
	return nil
}
