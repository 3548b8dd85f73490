package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"frontdesk/tickets"
)

// FiguresQuery says of what figures are made.
type FiguresQuery struct {
	Brand            string    // "" all
	Before, From, To time.Time // the period is [From, To), the one before it [Before, From)
	Now              time.Time // the backlog is that of To, or of now when To is later
	Zone             *time.Location
	// Agents are the addresses of those who work here: what a customer closed by
	// a button is the assignee's.
	Agents map[string]bool
	// Business is the open time between two instants, by brand; nil: business
	// times stay zero.
	Business func(brand string, a, b time.Time) time.Duration
	Most     int // of matters, articles and incidents
}

// Figures counts what the desk did: see tickets.Figures. It reads what was
// opened and what happened in both periods once, in order, and counts in
// memory, about 400 bytes a ticket. It is people, or the calendar once a week,
// who ask.
func (db *DB) Figures(ctx context.Context, q FiguresQuery) (tickets.Figures, error) {
	r := newReport(q)
	for _, step := range []struct {
		what string
		do   func(context.Context, *report) error
	}{
		{"tickets", db.reportOpened}, {"tickets of events", db.reportTouched}, {"events", db.reportEvents}, {"backlog", db.reportBacklog},
		{"surveys", db.reportSurveys}, {"letters", db.reportLetters}, {"breaches", db.reportBreaches}, {"matters", db.reportMatters}, {"incidents", db.reportIncidents},
	} {
		if err := step.do(ctx, r); err != nil {
			return tickets.Figures{}, fmt.Errorf("figures: %s: %w", step.what, err)
		}
	}
	return r.figures(), nil
}

// fact is a ticket as far as it is counted.
type fact struct {
	brand, queue, category, channel, assignee string
	heaps                                     [5]*heap

	opened, answered int64 // ms
	kept             []keptPromise
	working          bool // now
	began            bool // working when the first change of status was seen; meaningful when changed
	changed          bool
	replied          bool // the first answer was seen
	did              [2]did
}

// did is what happened to a ticket in a period.
type did struct {
	resolved         int64 // the last time
	resolvedBy       string
	closed, reopened bool
	broken           uint8 // a bit for each clock
}

type keptPromise struct {
	clock   uint8 // index in sla.Clocks
	stopped int64
}

// report is the counting of one set of figures. Of the arrays with two, the
// first is the period, the second the one before it.
type report struct {
	q                FiguresQuery
	before, from, to int64
	until            int64 // where the counting of events ends: the backlog goes back from there
	facts            map[int64]*fact
	interned         map[string]string
	groups           map[string]map[string]*heap // by kind and key
	days             []int64                     // begins of the days of the period, and To
	flow             []int                       // change of the backlog on each day; the last: after To
	open             int                         // backlog now
	missed           []tickets.BreachFigures
	out              tickets.Figures
	firsts           []time.Duration // of the period, for the distribution
	ages             []time.Duration
}

// heap is what is counted of one group.
type heap struct {
	tally              [2]tickets.Tally
	first, firstWork   [2][]time.Duration
	solved, solvedWork [2][]time.Duration
	kept, broken       [2][8]int
}

func newReport(q FiguresQuery) *report {
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	if q.To.After(q.Now) {
		q.Now = latest(q.Now, q.From)
	}
	r := &report{
		q: q, before: ms(q.Before), from: ms(q.From), to: ms(q.To), until: max(ms(q.To), ms(q.Now)+1),
		facts: map[int64]*fact{}, interned: map[string]string{}, groups: map[string]map[string]*heap{},
	}
	for d := dateIn(q.From, q.Zone); ; d = d.Add(1) {
		at := ms(d.At(0, q.Zone))
		if at >= r.to {
			break
		}
		r.days = append(r.days, max(at, r.from))
		r.out.Days = append(r.out.Days, tickets.DayFigures{Date: d, Opened: map[tickets.Channel]int{}})
	}
	r.days = append(r.days, r.to)
	r.flow = make([]int, len(r.days))
	r.group("total", "")
	r.out.Brand, r.out.Zone, r.out.Made, r.out.From, r.out.To, r.out.Before = q.Brand, q.Zone.String(), q.Now.UTC(), q.From.UTC(), q.To.UTC(), q.Before.UTC()
	return r
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// period is 0 in the period, 1 in the one before, -1 in neither.
func (r *report) period(at int64) int {
	switch {
	case at >= r.from && at < r.to:
		return 0
	case at >= r.before && at < r.from:
		return 1
	}
	return -1
}

// day is the index of a day of the period, len(days)-1 for what came after it,
// -1 for what was before.
func (r *report) day(at int64) int {
	i, found := slices.BinarySearch(r.days, at)
	if !found {
		i--
	}
	return i
}

func (r *report) group(by, key string) *heap {
	m := r.groups[by]
	if m == nil {
		m = map[string]*heap{}
		r.groups[by] = m
	}
	g := m[key]
	if g == nil {
		g = &heap{}
		m[key] = g
	}
	return g
}

// heaps are those that a ticket counts in, but for those of agents.
func (r *report) heaps(f *fact) [5]*heap {
	return [5]*heap{r.group("total", ""), r.group("brand", f.brand), r.group("queue", f.queue), r.group("category", f.category), r.group("channel", f.channel)}
}

// with adds the group of an agent, when there is one.
func (r *report) with(f *fact, agent string) []*heap {
	if agent == "" {
		return f.heaps[:]
	}
	return append(f.heaps[:len(f.heaps):len(f.heaps)], r.group("agent", agent))
}

// intern keeps one copy of a text: queues and agents are few.
func (r *report) intern(s string) string {
	if have, ok := r.interned[s]; ok {
		return have
	}
	r.interned[s] = s
	return s
}

// agent is who works here, "" somebody else.
func (r *report) agent(address string) string {
	if r.q.Agents[address] {
		return address
	}
	return ""
}

// figures puts together what was counted.
func (r *report) figures() tickets.Figures {
	r.sum()
	f := r.out
	backlog := r.open - r.flow[len(r.flow)-1]
	for i := len(f.Days) - 1; i >= 0; i-- {
		f.Days[i].Backlog = backlog
		backlog -= r.flow[i]
	}
	f.OpenByTime = r.open
	f.Total = r.groupOf("total", "")
	f.Total.Period.Backlog, f.Total.Before.Backlog = r.open-r.flow[len(r.flow)-1], backlog
	f.Brands, f.Queues, f.Categories, f.Channels, f.Agents = r.list("brand"), r.list("queue"), r.list("category"), r.list("channel"), r.list("agent")
	f.Answers = tickets.SharesOf(r.firsts, tickets.AnswerBounds)
	f.Ages = tickets.SharesOf(r.ages, tickets.AgeBounds)
	return f
}

func (r *report) list(by string) []tickets.Group {
	out := []tickets.Group{}
	for key := range r.groups[by] {
		out = append(out, r.groupOf(by, key))
	}
	tickets.SortGroups(out)
	return out
}

func (r *report) groupOf(by, key string) tickets.Group {
	g := r.group(by, key)
	for i := range g.tally {
		g.finish(i)
	}
	return tickets.Group{Key: key, Period: g.tally[0], Before: g.tally[1]}
}

// reportMatters lists what came up again, what articles did, and whether there
// was anything before.
func (db *DB) reportMatters(ctx context.Context, r *report) error {
	brands := []string{r.q.Brand}
	if r.q.Brand == "" {
		var err error
		if brands, err = db.brands(ctx); err != nil {
			return err
		}
	}
	articles := map[string]*tickets.ArticleFigure{}
	r.out.Again, r.out.Articles = []tickets.MatterFigures{}, []tickets.ArticleFigure{}
	for _, brand := range brands {
		list, err := db.recurring(ctx, brand, r.q.From, r.q.To, r.q.Most)
		if err != nil {
			return err
		}
		for _, m := range list {
			r.out.Again = append(r.out.Again, matterFigures(m))
		}
		counts, err := db.TopArticles(ctx, brand, r.q.From, r.q.To, 1000)
		if err != nil {
			return err
		}
		for _, c := range counts {
			a := articles[c.Article]
			if a == nil {
				a = &tickets.ArticleFigure{Article: c.Article}
				articles[c.Article] = a
			}
			a.Shown, a.Inserted, a.Solved = a.Shown+c.Shown, a.Inserted+c.Inserted, a.Solved+c.Solved
		}
	}
	for _, a := range articles {
		r.out.Articles = append(r.out.Articles, *a)
	}
	slices.SortFunc(r.out.Articles, func(a, b tickets.ArticleFigure) int {
		return cmp.Or(cmp.Compare(b.Solved, a.Solved), cmp.Compare(b.Inserted, a.Inserted), cmp.Compare(b.Shown, a.Shown), cmp.Compare(a.Article, b.Article))
	})
	slices.SortStableFunc(r.out.Again, func(a, b tickets.MatterFigures) int { return cmp.Compare(len(b.Tickets), len(a.Tickets)) })
	r.out.Again = r.out.Again[:min(len(r.out.Again), r.q.Most)]
	r.out.Articles = r.out.Articles[:min(len(r.out.Articles), r.q.Most)]
	return db.reportNew(ctx, r)
}

func matterFigures(m Recurring) tickets.MatterFigures {
	what := m.Words
	if m.Product != "" && what != "" {
		what = m.Product + ": " + what
	} else if m.Product != "" {
		what = m.Product
	}
	return tickets.MatterFigures{What: what, Requester: m.Requester, Category: m.Category, Customers: m.Customers, Tickets: m.Tickets}
}

// brands lists the brands that ever decided anything.
func (db *DB) brands(ctx context.Context) (list []string, err error) {
	err = db.read.each(ctx, `SELECT brand FROM brands ORDER BY brand`, nil, func(scan func(...any) error) error {
		var b string
		err := scan(&b)
		list = append(list, b)
		return err
	})
	return list, err
}

// reportNew looks whether anything was opened before the period.
func (db *DB) reportNew(ctx context.Context, r *report) error {
	var id int64
	// Served by tickets_opened, from its begin.
	err := db.read.get(ctx, `
		SELECT id FROM tickets
		WHERE opened < $1 AND (CAST($2 AS TEXT) = '' OR brand = $2)
		ORDER BY opened, brand LIMIT 1`, []any{r.from, r.q.Brand}, &id)
	r.out.New = errors.Is(err, sql.ErrNoRows)
	if r.out.New {
		return nil
	}
	return err
}

// reportIncidents lists the major incidents of the period.
func (db *DB) reportIncidents(ctx context.Context, r *report) error {
	r.out.Incidents = []tickets.IncidentView{}
	// Served by tickets_opened for the first, by tickets_incident for the others.
	return db.read.each(ctx, `
		SELECT
			t.id,
			t.subject,
			t.opened,
			t.status,
			(SELECT COUNT(*) FROM tickets o WHERE o.incident > 0 AND o.incident = t.id)
		FROM tickets t
		WHERE t.opened >= $1 AND t.opened < $2 AND t.incident > 0 AND t.incident = t.id AND (CAST($3 AS TEXT) = '' OR t.brand = $3)
		ORDER BY t.opened, t.brand, t.id LIMIT $4`, []any{r.from, r.to, r.q.Brand, int64(r.q.Most)},
		func(scan func(...any) error) error {
			var v tickets.IncidentView
			err := scan(&v.Ticket, &v.Subject, timeDest{&v.Opened}, &v.Status, &v.Tickets)
			r.out.Incidents = append(r.out.Incidents, v)
			return err
		})
}
