package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"frontdesk/tickets"
)

// Watching returns tickets of a brand whose clocks want to be looked at at now,
// the longest waiting first, at most n.
func (db *DB) Watching(ctx context.Context, brand string, now time.Time, n int) ([]int64, error) {
	// Served by tickets_watch.
	ids, err := idList(ctx, db.read, `
		SELECT id FROM tickets
		WHERE watch > 0 AND brand = $1 AND watch <= $2
		ORDER BY watch, id LIMIT $3`, brand, ms(now), int64(n))
	if err != nil {
		return nil, fmt.Errorf("list tickets of brand %q to look at: %w", brand, err)
	}
	return ids, nil
}

// NextWatch returns when the next ticket of any brand wants to be looked at,
// zero never.
func (db *DB) NextWatch(ctx context.Context) (time.Time, error) {
	var next time.Time
	// One seek in tickets_watch for each brand.
	err := db.read.get(ctx, `
		SELECT MIN((SELECT MIN(t.watch) FROM tickets t WHERE t.watch > 0 AND t.brand = b.brand))
		FROM brands b`, nil, timeDest{&next})
	if err != nil {
		return time.Time{}, fmt.Errorf("look for the next clock: %w", err)
	}
	return next, nil
}

// Look fills Found for a decision about a stored ticket that no contact caused:
// its Log, History, Alarm, Desk, Parent, Letters' Acks to the requester,
// Suppressed.
func (tx *Tx) Look(ctx context.Context, t tickets.Ticket, now time.Time) (tickets.Found, error) {
	keys := tickets.Keys{Brand: t.Brand, Tickets: []int64{t.ID}, History: t.ID, Opens: true, Now: now}
	if i := slices.IndexFunc(t.Participants, func(p tickets.Participant) bool { return p.Role == tickets.PartyRequester }); i >= 0 {
		keys.Sender = t.Participants[i].Address.Address
	}
	found, err := tx.Find(ctx, keys)
	if err != nil {
		return tickets.Found{}, fmt.Errorf("look at ticket %d: %w", t.ID, err)
	}
	return found, nil
}
