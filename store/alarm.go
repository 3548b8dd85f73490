package store

import (
	"context"
	"fmt"
	"time"

	"frontdesk/tickets"
)

// Alarms returns the ringing alarms of a brand whose Due has come, by id, the
// longest due first, at most n.
func (db *DB) Alarms(ctx context.Context, brand string, now time.Time, n int) ([]int64, error) {
	// Served by alarms_ringing.
	ids, err := idList(ctx, db.read, `
		SELECT id FROM alarms
		WHERE state = 'ringing' AND brand = $1 AND due <= $2
		ORDER BY due, id LIMIT $3`, brand, ms(now), int64(n))
	if err != nil {
		return nil, fmt.Errorf("list due alarms of brand %q: %w", brand, err)
	}
	return ids, nil
}

// NextAlarm returns when the next attempt of a ringing alarm of any brand is
// due, zero never.
func (db *DB) NextAlarm(ctx context.Context) (time.Time, error) {
	var next time.Time
	// Served by alarms_ringing: few ring at a time.
	err := db.read.get(ctx, `SELECT MIN(due) FROM alarms WHERE state = 'ringing'`, nil, timeDest{&next})
	if err != nil {
		return time.Time{}, fmt.Errorf("look for the next alarm: %w", err)
	}
	return next, nil
}

// Alarm loads one alarm for a decision (ErrNotFound).
func (tx *Tx) Alarm(ctx context.Context, id int64) (tickets.Alarm, error) {
	var list []tickets.Alarm
	err := tx.each(ctx, selectAlarms+`id = $1`, []any{id}, alarmRow(&list))
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return tickets.Alarm{}, fmt.Errorf("load alarm %d: %w", id, err)
	}
	return list[0], nil
}

// selectAlarms, with a condition, gives the rows that alarmRow appends.
const selectAlarms = `
		SELECT
			id,
			ticket,
			brand,
			tier,
			why,
			people,
			state,
			attempt,
			most,
			due,
			ended_by,
			started,
			ended
		FROM alarms WHERE `

func alarmRow(list *[]tickets.Alarm) rowFunc {
	return func(scan func(...any) error) error {
		var a tickets.Alarm
		err := scan(&a.ID, &a.Ticket, &a.Brand, &a.Tier, &a.Why, jsonDest{&a.People}, &a.State, &a.Attempt, &a.Most,
			timeDest{&a.Due}, &a.By, timeDest{&a.Started}, timeDest{&a.Ended})
		*list = append(*list, a)
		return err
	}
}

// alarms begins and updates alarms. The tickets have their numbers by now, the
// letters that ring are written after it.
func (s *saver) alarms(ctx context.Context) error {
	s.saved.Alarms = make([]int64, len(s.c.Alarms))
	for i, a := range s.c.Alarms {
		if a.Brand == "" {
			a.Brand = s.c.Brand
		}
		if a.ID != 0 {
			s.saved.Alarms[i] = a.ID
			if err := s.tx.updateAlarm(ctx, a); err != nil {
				return fmt.Errorf("alarm %d: %w", a.ID, err)
			}
			continue
		}
		var err error
		if a.Ticket, err = s.ticketOf(a); err == nil {
			s.saved.Alarms[i], err = s.tx.insertAlarm(ctx, a)
		}
		if err != nil {
			return fmt.Errorf("new alarm: %w", err)
		}
	}
	return nil
}

// ticketOf is the ticket of an alarm: 0 is the first one of the change.
func (s *saver) ticketOf(a tickets.Alarm) (int64, error) {
	switch {
	case a.Ticket != 0:
		return a.Ticket, nil
	case len(s.saved.Tickets) > 0:
		return s.saved.Tickets[0], nil
	}
	return 0, fmt.Errorf("it is about no ticket")
}

// alarmOf is the alarm that a letter of the same change rings for: Data.Alarm
// of -n is the n-th of Change.Alarms, whose id was not known.
func (s *saver) alarmOf(l *tickets.Letter) {
	if n := -l.Data.Alarm; n > 0 && n <= int64(len(s.saved.Alarms)) {
		l.Data.Alarm = s.saved.Alarms[n-1]
	}
}

func (tx *Tx) insertAlarm(ctx context.Context, a tickets.Alarm) (id int64, err error) {
	err = tx.get(ctx, `
		INSERT INTO alarms (
			ticket,
			brand,
			tier,
			why,
			people,
			state,
			attempt,
			most,
			due,
			ended_by,
			started,
			ended
		) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		RETURNING id`,
		[]any{a.Ticket, a.Brand, int64(a.Tier), a.Why, jsonArg(a.People), string(a.State), int64(a.Attempt), int64(a.Most),
			ms(a.Due), a.By, ms(a.Started), ms(a.Ended)}, &id)
	return id, err
}

// updateAlarm leaves an alarm that has ended alone: whoever rings for it is
// late. Its ticket stays: a merge moves it.
func (tx *Tx) updateAlarm(ctx context.Context, a tickets.Alarm) error {
	return tx.later(ctx, `
		UPDATE alarms SET
			tier = $3,
			why = $4,
			people = $5,
			state = $6,
			attempt = $7,
			most = $8,
			due = $9,
			ended_by = $10,
			started = $11,
			ended = $12
		WHERE id = $1 AND brand = $2 AND state = 'ringing'`,
		a.ID, a.Brand, int64(a.Tier), a.Why, jsonArg(a.People), string(a.State), int64(a.Attempt), int64(a.Most),
		ms(a.Due), a.By, ms(a.Started), ms(a.Ended))
}

// moveAlarms hands what rings for one ticket to the one it was merged into.
func (tx *Tx) moveAlarms(ctx context.Context, from, to int64) error {
	// Served by alarms_ticket.
	return tx.later(ctx, `UPDATE alarms SET ticket = $2 WHERE state = 'ringing' AND ticket = $1`, from, to)
}
