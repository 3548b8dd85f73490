package store

import (
	"context"
	"fmt"
	"maps"

	"frontdesk/sla"
	"frontdesk/tickets"
)

// storedClock is a clock event as JSON. Its instant is the event's.
type storedClock struct {
	Kind     sla.Kind `json:"kind"`
	Status   string   `json:"status,omitempty"`
	Customer string   `json:"customer,omitempty"`
	Severity string   `json:"severity,omitempty"`
	Category string   `json:"category,omitempty"`
	Brand    string   `json:"brand,omitempty"`
}

func clockArg(e *sla.Event) string {
	if e == nil {
		return ""
	}
	return mustJSON(storedClock{e.Kind, e.Status, e.Facts.Customer, e.Facts.Severity, e.Facts.Category, e.Facts.Brand})
}

// clockDest scans the clock event of a log entry whose instant was scanned
// before.
type clockDest struct{ event *tickets.Event }

func (d clockDest) Scan(v any) error {
	var c storedClock
	if err := (jsonDest{&c}).Scan(v); err != nil || c.Kind == "" {
		return err
	}
	d.event.Clock = &sla.Event{At: d.event.At, Kind: c.Kind, Status: c.Status,
		Facts: sla.Facts{Customer: c.Customer, Severity: c.Severity, Category: c.Category, Brand: c.Brand}}
	return nil
}

// Log returns a ticket's clock events, oldest first.
func (db *DB) Log(ctx context.Context, ticket int64) (list []tickets.Event, err error) {
	// Served by events_clock.
	list, err = loadEvents(ctx, db.read, `ticket = $1 AND clock <> '' ORDER BY id`, ticket)
	if err != nil {
		return nil, fmt.Errorf("load clock events of ticket %d: %w", ticket, err)
	}
	return list, nil
}

// logs asks for the clock events of tickets, together with the tickets.
func (f *finder) logs(ctx context.Context, ids []int64) error {
	list, args := in(nil, ids)
	// Served by events_clock.
	return f.tx.eachLater(ctx, `
		SELECT
			ticket,
			at,
			clock
		FROM events WHERE clock <> '' AND ticket IN `+list+`
		ORDER BY ticket, id`, args,
		func(scan func(...any) error) error {
			var e tickets.Event
			if err := scan(&e.Ticket, timeDest{&e.At}, clockDest{&e}); err != nil {
				return err
			}
			if e.Clock != nil {
				f.found.Log[e.Ticket] = append(f.found.Log[e.Ticket], *e.Clock)
			}
			return nil
		})
}

// ownLogs drops the clock events of tickets that were not found: those of other
// brands.
func (f *finder) ownLogs(context.Context) error {
	maps.DeleteFunc(f.found.Log, func(ticket int64, _ []sla.Event) bool { return f.found.Tickets[ticket] == nil })
	return nil
}
