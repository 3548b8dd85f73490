package store

import (
	"context"
	"maps"
	"slices"

	"frontdesk/tickets"
)

// passcodes finds the codes that were sent on the tickets.
func (f *finder) passcodes(ctx context.Context) error {
	ids := slices.Sorted(maps.Keys(f.found.Tickets))
	return chunks(ids, maxIn, func(ids []int64) error {
		list, args := in(nil, ids)
		// Served by the primary key of passcodes.
		return f.tx.each(ctx, `
			SELECT
				ticket,
				hash,
				to_address,
				issued,
				count,
				tries,
				proven
			FROM passcodes WHERE ticket IN `+list, args,
			func(scan func(...any) error) error {
				var p tickets.Passcode
				err := scan(&p.Ticket, &p.Hash, &p.To, timeDest{&p.Issued}, &p.Count, &p.Tries, timeDest{&p.Proven})
				if f.found.Passcodes == nil {
					f.found.Passcodes = make(map[int64]tickets.Passcode)
				}
				f.found.Passcodes[p.Ticket] = p
				return err
			})
	})
}

// passcodes saves codes that were sent or answered.
func (s *saver) passcodes(ctx context.Context) error {
	for _, p := range s.c.Passcodes {
		if p.Ticket == 0 && len(s.saved.Tickets) > 0 {
			p.Ticket = s.saved.Tickets[0]
		}
		err := s.tx.later(ctx, `
			INSERT INTO passcodes (
				ticket,
				hash,
				to_address,
				issued,
				count,
				tries,
				proven
			) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (ticket) DO UPDATE SET
				hash = excluded.hash,
				to_address = excluded.to_address,
				issued = excluded.issued,
				count = excluded.count,
				tries = excluded.tries,
				proven = excluded.proven`,
			p.Ticket, p.Hash, p.To, ms(p.Issued), int64(p.Count), int64(p.Tries), ms(p.Proven))
		if err != nil {
			return err
		}
	}
	return nil
}
