package store

import (
	"context"
	"fmt"
	"time"

	"frontdesk/tickets"
)

const (
	knowsFor = 180 // days for which an agent knows a customer
	maxKnows = 20  // newest tickets of a customer that are looked at for it
)

// loadKey names a count of open work.
type loadKey struct{ agent, severity string }

// deskCache is how busy everybody is, kept up by what the transaction saves:
// of 50 tickets given out in one transaction each sees the ones before.
type deskCache struct {
	load map[loadKey]int
	away []absence
}

type absence struct {
	agent        string
	since, until int64
}

// desk returns what the cache knows, as a Desk of its own: who decides may
// count on in it.
func (c *deskCache) desk(now time.Time) *tickets.Desk {
	d := &tickets.Desk{Load: make(map[string]tickets.Load), Away: make(map[string]time.Time), Knows: make(map[string]int)}
	for key, n := range c.load {
		if n == 0 {
			continue
		}
		l, ok := d.Load[key.agent]
		if !ok {
			l.Severity = make(map[string]int)
		}
		l.Open += n
		l.Severity[key.severity] += n
		d.Load[key.agent] = l
	}
	for _, a := range c.away {
		if a.since <= ms(now) && ms(now) < a.until {
			d.Away[a.agent] = at(a.until)
		}
	}
	return d
}

// selectDesk gives the rows that deskCache.row takes: the open work of each
// agent by severity, then the absences. Two seeks in tickets_open for each
// brand, counted in its order and without the tickets; few agents are away.
const selectDesk = `
	SELECT
		assignee,
		severity,
		COUNT(*),
		0,
		0
	FROM tickets
	WHERE brand IN (SELECT brand FROM brands) AND status IN ('new', 'open') AND assignee > '' AND ` + openOnly + `
	GROUP BY brand, status, assignee, severity
	UNION ALL
	SELECT agent, '', 0, since, until FROM away`

func (c *deskCache) row(scan func(...any) error) error {
	var key loadKey
	var a absence
	var n int
	if err := scan(&key.agent, &key.severity, &n, &a.since, &a.until); err != nil {
		return err
	}
	if n > 0 {
		c.load[key] += n
		return nil
	}
	a.agent = key.agent
	c.away = append(c.away, a)
	return nil
}

// Desk returns how busy everybody is, over all brands. Nobody knows anybody in
// it: that is asked of one customer.
func (db *DB) Desk(ctx context.Context, now time.Time) (tickets.Desk, error) {
	c := &deskCache{load: make(map[loadKey]int)}
	if err := db.read.each(ctx, selectDesk, nil, c.row); err != nil {
		return tickets.Desk{}, fmt.Errorf("look how busy the desk is: %w", err)
	}
	return *c.desk(now), nil
}

// desk asks how busy everybody is, once in a transaction.
func (f *finder) desk(ctx context.Context) error {
	if !f.keys.Opens || f.tx.cache.desk != nil {
		return nil
	}
	c := &deskCache{load: make(map[loadKey]int)}
	f.tx.cache.desk = c
	return f.tx.eachLater(ctx, selectDesk, nil, c.row)
}

// takeDesk hands the answer out and asks who knows the sender. A person without
// tickets is known to nobody, and is not asked for.
func (f *finder) takeDesk(ctx context.Context) error {
	if !f.keys.Opens {
		return nil
	}
	f.found.Desk = f.tx.cache.desk.desk(f.keys.Now)
	if f.found.Person == nil {
		return nil
	}
	since := ms(f.keys.Now.AddDate(0, 0, -knowsFor))
	type known struct {
		ticket int64
		agent  string
	}
	seen := make(map[known]bool)
	know := func(ticket int64, agent string) {
		if k := (known{ticket, tickets.NormalAddress(agent)}); k.agent != "" && !seen[k] {
			seen[k] = true
			f.found.Desk.Knows[k.agent]++
		}
	}
	// The newest tickets by participants_person, their messages by the unique
	// (ticket, seq).
	return f.tx.eachLater(ctx, `
		SELECT DISTINCT
			t.id,
			CASE WHEN t.updated >= $2 THEN t.assignee ELSE '' END,
			COALESCE(m.author, '')
		FROM tickets t
		LEFT JOIN messages m ON m.ticket = t.id AND m.direction = 'out' AND m.author_kind = 'agent' AND m.received >= $2
		WHERE t.id IN (
			SELECT ticket FROM participants WHERE person = $1 AND role = 'requester' ORDER BY ticket DESC`+limit(maxKnows)+`
		)`, []any{f.found.Person.ID, since},
		func(scan func(...any) error) error {
			var ticket int64
			var assignee, author string
			err := scan(&ticket, &assignee, &author)
			know(ticket, assignee)
			know(ticket, author)
			return err
		})
}

// work is what of a ticket is counted: whose it is, when it is new or open.
func work(t *tickets.Ticket) loadKey {
	if t.Status != tickets.StatusNew && t.Status != tickets.StatusOpen {
		return loadKey{}
	}
	return loadKey{tickets.NormalAddress(t.Assignee), t.Severity}
}

// rememberWork notes whose work a loaded ticket is.
func (tx *Tx) rememberWork(t *tickets.Ticket) {
	if tx.cache.work == nil {
		tx.cache.work = make(map[int64]loadKey)
	}
	tx.cache.work[t.ID] = work(t)
}

// countWork keeps the count of the open work up, after a ticket was saved. Of a
// ticket that was not loaded before nobody knows whose it was: then all is
// counted anew when it is asked for.
func (tx *Tx) countWork(t *tickets.Ticket, isNew bool) {
	was, known := tx.cache.work[t.ID]
	if desk := tx.cache.desk; desk != nil {
		switch {
		case !isNew && !known:
			tx.cache.desk = nil
		default:
			if was.agent != "" {
				desk.load[was]--
			}
			if now := work(t); now.agent != "" {
				desk.load[now]++
			}
		}
	}
	tx.rememberWork(t)
}
