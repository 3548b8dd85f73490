package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"frontdesk/tickets"
)

// consents notes who wants no texts from which line, and who wants them again.
func (s *saver) consents(ctx context.Context) error {
	for _, c := range s.c.Start {
		err := s.tx.later(ctx, `DELETE FROM stops WHERE number = $1 AND line = $2`, tickets.NormalAddress(c.Number), tickets.NormalAddress(c.Line))
		if err != nil {
			return err
		}
	}
	for _, c := range s.c.Stop {
		if c.Number == "" {
			continue
		}
		err := s.tx.later(ctx, `INSERT INTO stops (number, line, at) VALUES ($1, $2, $3) ON CONFLICT (number, line) DO NOTHING`,
			tickets.NormalAddress(c.Number), tickets.NormalAddress(c.Line), ms(s.now))
		if err != nil {
			return err
		}
	}
	return nil
}

// Stopped reports whether an address (tel:…, whatsapp:…) wants no texts from a
// line.
func (db *DB) Stopped(ctx context.Context, address, line string) (bool, error) {
	var at int64
	// Served by the primary key of stops.
	err := db.read.get(ctx, `SELECT at FROM stops WHERE number = $1 AND line = $2`, []any{tickets.NormalAddress(address), tickets.NormalAddress(line)}, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look whether a number wants texts: %w", err)
	}
	return true, nil
}

// unhold lets letters go that the desk kept back until the customer wrote.
func (s *saver) unhold(ctx context.Context) error {
	for _, h := range s.c.Unhold {
		// Served by letters_ticket.
		err := s.tx.later(ctx, `
			UPDATE letters SET
				state = 'queued',
				held = '',
				code = '',
				due = $3,
				claimed_until = 0,
				epoch = epoch + 1
			WHERE ticket = $1 AND to_address = $2 AND state = 'held' AND held <> '' AND brand = $4`,
			h.Ticket, tickets.NormalAddress(h.To), ms(s.now), s.c.Brand)
		if err != nil {
			return err
		}
	}
	return nil
}

// cancel drops letters that nobody wants any more. One in doubt stays: it may
// have left. A worker that has one in hand loses it.
func (s *saver) cancel(ctx context.Context) error {
	for _, id := range s.c.Cancel {
		err := s.tx.later(ctx, `
			UPDATE letters SET
				state = 'dropped',
				claimed_until = 0,
				epoch = epoch + 1
			WHERE id = $1 AND brand = $2 AND (state = 'queued' OR state = 'held' AND held <> '')`, id, s.c.Brand)
		if err != nil {
			return err
		}
	}
	return nil
}
