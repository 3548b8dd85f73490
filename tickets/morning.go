package tickets

import (
	"slices"
	"time"
)

// Morning writes the morning letters of a day ("2026-03-30"): to each agent the
// own queue, in its order, with what is overdue and what is due today; to each
// team what nobody has and what is at risk, and the matters that came up again
// (lines made by the caller). open are the open tickets of all brands. Who does
// not work on that day or is away gets none, nor who has nothing to read.
func Morning(open []Ticket, again []string, desk Desk, rules Rules, day string, now time.Time) Change {
	keys := sortedKeys(rules.Brands)
	if len(keys) == 0 {
		return Change{}
	}
	c := Change{Brand: keys[0]}
	open = QueueOrder(open, rules)
	for _, address := range sortedKeys(rules.Agents) {
		a := rules.Agents[address]
		b, works := rules.firstBrand(a)
		if !works || desk.Away[address].After(now) || !workday(a, b, now) {
			continue
		}
		if parts := agentParts(a, open, b, now); len(parts) > 0 {
			c.Letters = append(c.Letters, looseLetter(a, b, "", LetterMorning, "morning:"+day+":"+a.Address, rules.redact(LetterData{Queues: parts}, a)))
		}
		for _, q := range rules.queuesOf(a) {
			parts := teamParts(q.Key, open, b, now)
			if len(parts) == 0 {
				continue
			}
			data := LetterData{Team: q.name(), Queues: parts, Known: again}
			c.Letters = append(c.Letters, looseLetter(a, b, "", LetterTeam, "team:"+day+":"+q.Key+":"+a.Address, rules.redact(data, a)))
		}
	}
	return c
}

// firstBrand is the brand in whose name and language an agent is written to.
func (r Rules) firstBrand(a Agent) (Brand, bool) {
	for _, k := range sortedKeys(r.Brands) {
		if b := r.Brands[k]; a.WorksFor(k) && r.worksFor(a, b) {
			return b, true
		}
	}
	return Brand{}, false
}

// queuesOf are the queues in whose first tier an agent is.
func (r Rules) queuesOf(a Agent) []Queue {
	var out []Queue
	for _, k := range sortedKeys(r.Queues) {
		if q := r.Queues[k]; len(q.Tiers) > 0 && slices.Contains(q.Tiers[0], a.Address) {
			out = append(out, q)
		}
	}
	return out
}

// name is the first tier's, or the queue's.
func (q Queue) name() string {
	if len(q.Teams) > 0 && q.Teams[0] != "" {
		return q.Teams[0]
	}
	return q.Key
}

// workday reports whether the agent works on the day of now, by the own hours or
// else the brand's.
func workday(a Agent, b Brand, now time.Time) bool {
	calendar := a.Calendar
	if calendar == nil {
		calendar = b.Calendar
	}
	if calendar == nil {
		return true
	}
	end := dayEnd(now, b)
	opens, ok := calendar.NextOpening(now)
	return ok && opens.Before(end)
}

// dayEnd is the midnight that ends the day of now in the brand's zone.
func dayEnd(now time.Time, b Brand) time.Time {
	loc := b.Location
	if loc == nil {
		loc = time.UTC
	}
	y, m, d := now.In(loc).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, loc)
}

// agentParts sorts an agent's own tickets by what they want today.
func agentParts(a Agent, open []Ticket, b Brand, now time.Time) []QueueView {
	overdue, today, rest, waiting := QueueView{Title: "overdue"}, QueueView{Title: "due today"}, QueueView{Title: "open"}, QueueView{Title: "waiting"}
	end := dayEnd(now, b)
	for i := range open {
		t := &open[i]
		if t.Assignee != a.Address || t.Status == StatusResolved {
			continue
		}
		part, due := &rest, t.Promises.NextDue()
		switch {
		case t.Status == StatusPending || t.Status == StatusHold:
			part = &waiting
		case t.Promises.late() || !due.IsZero() && due.Before(now):
			part = &overdue
		case !due.IsZero() && due.Before(end):
			part = &today
		}
		part.Tickets = append(part.Tickets, ticketViews([]Ticket{*t})...)
	}
	return filled(overdue, today, rest, waiting)
}

// teamParts lists what a queue's team has to look after together.
func teamParts(queue string, open []Ticket, b Brand, now time.Time) []QueueView {
	nobody, risk := QueueView{Title: "unassigned"}, QueueView{Title: "at risk"}
	end := dayEnd(now, b)
	for i := range open {
		t := &open[i]
		if t.Queue != queue || t.Status != StatusNew && t.Status != StatusOpen {
			continue
		}
		view := ticketViews([]Ticket{*t})
		if t.Assignee == "" {
			nobody.Tickets = append(nobody.Tickets, view...)
		}
		if due := t.Promises.NextDue(); t.Promises.late() || t.Promises.warned() || !due.IsZero() && due.Before(end) {
			risk.Tickets = append(risk.Tickets, view...)
		}
	}
	return filled(nobody, risk)
}

// mostShown bounds a part of a morning letter: nobody reads more.
const mostShown = 50

func filled(parts ...QueueView) []QueueView {
	var out []QueueView
	for _, p := range parts {
		if len(p.Tickets) > 0 {
			p.Tickets = p.Tickets[:min(len(p.Tickets), mostShown)]
			out = append(out, p)
		}
	}
	return out
}

// late reports whether a promise was missed and is still owed.
func (p Promises) late() bool {
	return slices.ContainsFunc(p.Clocks, func(v ClockView) bool { return !v.Breached.IsZero() && v.Waits() })
}

// warned reports whether a promise that still can be kept was warned of.
func (p Promises) warned() bool {
	return slices.ContainsFunc(p.Clocks, func(v ClockView) bool { return v.Warned && v.Breached.IsZero() && v.Waits() })
}
