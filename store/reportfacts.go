package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontdesk/sla"
	"frontdesk/tickets"
)

const factColumns = `
			id,
			brand,
			queue,
			category,
			channel,
			assignee,
			status,
			opened,
			answered,
			promises`

// counted leaves out what counts nowhere.
const counted = `status NOT IN ('merged', 'spam') AND (CAST($1 AS TEXT) = '' OR brand = $1)`

// reportOpened loads what was opened in the periods, and since.
func (db *DB) reportOpened(ctx context.Context, r *report) error {
	// Served by tickets_opened.
	return db.read.each(ctx, `SELECT`+factColumns+` FROM tickets WHERE `+counted+` AND opened >= $2 AND opened < $3`,
		[]any{r.q.Brand, r.before, r.until}, r.fact)
}

// reportTouched loads the older tickets to which something happened since.
func (db *DB) reportTouched(ctx context.Context, r *report) error {
	var missing []int64
	// Served by events_report alone.
	err := db.read.each(ctx, `SELECT DISTINCT ticket FROM events WHERE `+reported+` AND at >= $1 AND at < $2`, []any{r.before, r.until},
		func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			if r.facts[id] == nil {
				missing = append(missing, id)
			}
			return err
		})
	if err != nil {
		return err
	}
	slices.Sort(missing)
	return chunks(missing, maxIn, func(ids []int64) error {
		list, args := in([]any{r.q.Brand}, ids)
		return db.read.each(ctx, `SELECT`+factColumns+` FROM tickets WHERE `+counted+` AND id IN `+list, args, r.fact)
	})
}

// fact takes a row of factColumns.
func (r *report) fact(scan func(...any) error) error {
	f := &fact{}
	var id int64
	var status tickets.Status
	var p struct {
		Clocks []struct {
			Clock   sla.Clock
			State   sla.State
			Stopped time.Time
		}
	}
	err := scan(&id, &f.brand, &f.queue, &f.category, &f.channel, &f.assignee, &status, &f.opened, &f.answered, jsonDest{&p})
	if err != nil {
		return fmt.Errorf("ticket %d: %w", id, err)
	}
	for _, s := range []*string{&f.brand, &f.queue, &f.category, &f.channel, &f.assignee} {
		*s = r.intern(*s)
	}
	f.heaps = r.heaps(f)
	f.working = works(status)
	for _, c := range p.Clocks {
		if c.State == sla.StateMet && !c.Stopped.IsZero() {
			f.kept = append(f.kept, keptPromise{clockIndex(c.Clock), ms(c.Stopped)})
		}
	}
	r.facts[id] = f
	return nil
}

func clockIndex(c sla.Clock) uint8 { return uint8(slices.Index(sla.Clocks[:], c)) } // #nosec G115 -- one of sla.Clocks

// works reports whether the desk still owes a solution.
func works(s tickets.Status) bool {
	switch s {
	case tickets.StatusNew, tickets.StatusOpen, tickets.StatusPending, tickets.StatusHold:
		return true
	}
	return false
}

// reported are the events that are counted: the condition of events_report.
const reported = `what IN ('answered', 'breached', 'status', 'time')`

// reportEvents notes what happened to each ticket.
func (db *DB) reportEvents(ctx context.Context, r *report) error {
	// Served by events_report.
	return db.read.each(ctx, `SELECT ticket, at, who, what, detail FROM events WHERE `+reported+` AND at >= $1 AND at < $2 ORDER BY at, id`,
		[]any{r.before, r.until},
		func(scan func(...any) error) error {
			var ticket, at int64
			var who, what, detail string
			if err := scan(&ticket, &at, &who, &what, &detail); err != nil {
				return err
			}
			f := r.facts[ticket]
			if f == nil {
				return nil
			}
			who = r.intern(who)
			p := r.period(at)
			switch {
			case what == "status":
				r.moved(f, at, p, who, detail)
			case p < 0:
			case what == "answered":
				r.answeredBy(f, at, p, who)
			case what == "time":
				r.worked(f, p, who, detail)
			case what == "breached":
				r.broke(ticket, f, at, p, detail)
			}
			return nil
		})
}

// moved notes a change of status, "open → resolved".
func (r *report) moved(f *fact, at int64, p int, who, detail string) {
	a, b, _ := strings.Cut(detail, " → ")
	from, to := tickets.Status(a), tickets.Status(b)
	if !f.changed {
		f.changed, f.began = true, works(from)
	}
	if day := r.day(at); day >= 0 {
		r.flow[day] += count(works(to)) - count(works(from))
	}
	if p < 0 {
		return
	}
	done := to == tickets.StatusResolved || to == tickets.StatusClosed
	d := &f.did[p]
	if works(from) && done {
		d.resolved, d.resolvedBy = at, who
	}
	d.closed = d.closed || to == tickets.StatusClosed
	d.reopened = d.reopened || works(to) && (from == tickets.StatusResolved || from == tickets.StatusClosed)
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// answeredBy counts an answer, and the first response when it is that.
func (r *report) answeredBy(f *fact, at int64, p int, who string) {
	who = r.agent(who)
	for _, g := range r.with(f, who) {
		g.tally[p].Answered++
	}
	if f.replied || f.answered == 0 || at < f.answered || r.period(f.answered) != p {
		return
	}
	f.replied = true
	took, open := r.took(f, f.answered)
	for _, g := range r.with(f, who) {
		g.first[p] = append(g.first[p], took)
		if r.q.Business != nil {
			g.firstWork[p] = append(g.firstWork[p], open)
		}
	}
	if p == 0 {
		r.firsts = append(r.firsts, took)
	}
}

// took is how long it was from the opening until a time, by the clock and in
// business time.
func (r *report) took(f *fact, until int64) (elapsed, open time.Duration) {
	elapsed = time.Duration(max(until-f.opened, 0)) * time.Millisecond
	if r.q.Business != nil && elapsed > 0 {
		open = r.q.Business(f.brand, at(f.opened), at(until))
	}
	return elapsed, open
}

// worked counts minutes: "none → 30 min, 90 in all".
func (r *report) worked(f *fact, p int, who, detail string) {
	_, said, _ := strings.Cut(detail, " → ")
	var minutes int
	if _, err := fmt.Sscanf(said, "%d min", &minutes); err != nil {
		return
	}
	for _, g := range r.with(f, r.agent(who)) {
		g.tally[p].Worked += minutes
	}
}

// broke notes a broken promise: "resolution within 48 hours was due …".
func (r *report) broke(ticket int64, f *fact, when int64, p int, detail string) {
	i := slices.IndexFunc(sla.Clocks[:], func(c sla.Clock) bool { return strings.HasPrefix(detail, string(c)+" within ") })
	if i < 0 {
		return
	}
	f.did[p].broken |= 1 << i
	if p != 0 {
		return
	}
	r.missed = append(r.missed, tickets.BreachFigures{Ticket: ticket, Clock: sla.Clocks[i], At: at(when), Detail: detail})
	if len(r.missed) > 2*tickets.MostBreaches { // the newest are kept
		r.missed = slices.Delete(r.missed, 0, tickets.MostBreaches)
	}
}

// sum counts what happened to each ticket into its groups.
func (r *report) sum() {
	for _, f := range r.facts {
		r.sumOpened(f)
		for p := range f.did {
			r.sumDid(f, p)
			r.sumPromises(f, p)
		}
	}
}

func (r *report) sumOpened(f *fact) {
	began := f.working
	if f.changed {
		began = f.began
	}
	if day := r.day(f.opened); day >= 0 {
		r.flow[day] += count(began)
	}
	p := r.period(f.opened)
	if p < 0 {
		return
	}
	for _, g := range r.with(f, f.assignee) {
		g.tally[p].Opened++
		g.tally[p].Responded += count(f.answered > 0)
	}
	if p == 0 {
		r.out.Days[r.day(f.opened)].Opened[tickets.Channel(f.channel)]++
	}
}

func (r *report) sumDid(f *fact, p int) {
	d := &f.did[p]
	agent := r.agent(d.resolvedBy)
	if agent == "" {
		agent = f.assignee
	}
	for _, g := range r.with(f, f.assignee) {
		g.tally[p].Closed += count(d.closed)
		g.tally[p].Reopened += count(d.reopened)
	}
	if d.resolved == 0 {
		return
	}
	took, open := r.took(f, d.resolved)
	for _, g := range r.with(f, agent) {
		g.tally[p].Resolved++
		g.solved[p] = append(g.solved[p], took)
		if r.q.Business != nil {
			g.solvedWork[p] = append(g.solvedWork[p], open)
		}
	}
	if p == 0 {
		r.out.Days[r.day(d.resolved)].Resolved++
	}
}

func (r *report) sumPromises(f *fact, p int) {
	broken := f.did[p].broken
	var kept uint8
	for _, k := range f.kept {
		if r.period(k.stopped) == p {
			kept |= 1 << k.clock
		}
	}
	if kept|broken == 0 {
		return
	}
	for _, g := range r.with(f, f.assignee) {
		for i := range sla.Clocks {
			is := broken>>i&1 == 1
			g.broken[p][i] += count(is)
			g.kept[p][i] += count(!is && kept>>i&1 == 1)
		}
	}
}

// finish makes the tally of a period out of what was collected.
func (g *heap) finish(p int) {
	t := &g.tally[p]
	t.FirstResponse, t.FirstResponseBusiness = tickets.SpreadOf(g.first[p]), tickets.SpreadOf(g.firstWork[p])
	t.Resolution, t.ResolutionBusiness = tickets.SpreadOf(g.solved[p]), tickets.SpreadOf(g.solvedWork[p])
	t.Promises = []tickets.PromiseFigures{}
	for i, c := range sla.Clocks {
		if g.kept[p][i]+g.broken[p][i] > 0 {
			t.Promises = append(t.Promises, tickets.PromiseFigures{Clock: c, Kept: g.kept[p][i], Broken: g.broken[p][i]})
		}
	}
	if t.Surveys == nil {
		t.Surveys = []tickets.SurveyFigures{}
	}
}
