package store

import (
	"context"
	"fmt"

	"frontdesk/tickets"
)

// maxIncident bounds the tickets of an incident that one decision concerns.
const maxIncident = 1000

// parent finds, when the ticket of History is part of an incident, the others of
// it that are open, each with the newest message of a customer and its clocks.
func (f *finder) parent(ctx context.Context) error {
	t := f.livesOn(f.keys.History)
	if t == nil || t.Incident == 0 {
		return nil
	}
	// Served by tickets_incident.
	list, err := loadTickets(ctx, f.tx, `incident > 0 AND incident = $1 AND id <> $3 AND brand = $2 AND `+openOnly+` ORDER BY id`+limit(maxIncident),
		[]any{t.Incident, f.keys.Brand, t.ID})
	if err != nil || len(list) == 0 {
		return err
	}
	index := make(map[int64]int, len(list))
	ids := make([]int64, len(list))
	f.found.Parent = make([]tickets.IncidentTicket, len(list))
	for i := range list {
		ids[i], index[list[i].ID] = list[i].ID, i
		f.tx.rememberTicket(&list[i])
		f.found.Parent[i].Ticket = list[i]
	}
	return chunks(ids, maxIn, func(ids []int64) error {
		if err := f.logs(ctx, ids); err != nil {
			return err
		}
		return f.lastMessages(ctx, ids, func(m tickets.Message) { f.found.Parent[index[m.Ticket]].Last = m })
	})
}

// lastMessages tells the newest message of a customer on each ticket.
func (f *finder) lastMessages(ctx context.Context, ids []int64, last func(tickets.Message)) error {
	list, args := in(nil, ids)
	var messages []tickets.Message
	row := messageRow(&messages)
	// One seek in the unique (ticket, seq) for each ticket, backwards.
	return f.tx.eachLater(ctx, selectMessages+`id IN (
			SELECT (
				SELECT m.id FROM messages m
				WHERE m.ticket = t.id AND m.direction = 'in' AND m.author_kind = 'customer'
				ORDER BY m.seq DESC LIMIT 1
			) FROM tickets t WHERE t.id IN `+list+`
		)`, args,
		func(scan func(...any) error) error {
			if err := row(scan); err != nil {
				return err
			}
			last(messages[len(messages)-1])
			return nil
		})
}

// joins makes stored tickets part of an incident, or none. The ticket is looked
// at at once: its customer is told that others have it too.
func (s *saver) joins(ctx context.Context) error {
	for _, j := range s.c.Join {
		detail := "left"
		if j.Incident != 0 {
			detail = fmt.Sprintf("#%d", j.Incident)
		}
		if j.Why != "" {
			detail += ": " + j.Why
		}
		err := s.tx.get(ctx, `
			UPDATE tickets SET
				incident = CAST($3 AS BIGINT),
				watch = CASE WHEN CAST($3 AS BIGINT) > 0 THEN $4 ELSE watch END
			WHERE id = $1 AND brand = $2
			RETURNING id`, []any{j.Ticket, s.c.Brand, j.Incident, ms(s.now)}, new(int64))
		if err != nil {
			return fmt.Errorf("ticket %d to #%d: %w", j.Ticket, j.Incident, notFound(err))
		}
		s.tx.keepIncident(s.c.Brand, j.Ticket, j.Incident)
		event := tickets.Event{At: s.now, Who: j.By, What: "incident", Detail: detail}
		if err := s.tx.saveEvents(ctx, j.Ticket, s.saved.Change, []tickets.Event{event}, s.now); err != nil {
			return err
		}
	}
	return nil
}
