package tickets

import (
	"slices"
	"strings"
	"time"

	"frontdesk/sla"
)

// step is one thing that time causes on a ticket. Its key is noted in
// Promises.Told when it was done, so that it is done once.
type step struct {
	at  time.Time
	key string
	do  func()
}

// most bounds the steps of one look: more are the sign of a mistake, and come
// with the next look.
const most = 50

// Watch says what is to be done about a ticket because time has passed: warn,
// report a breach, escalate, keep the customer informed, find somebody who has
// it. found has the ticket's Log, History, Desk and Alarm.
//
// Everything is done once, in the order in which it came due, however late the
// look is: a desk that was down for hours tells each warning, breach and step
// up, but of the updates for the customer only one. It returns false when the
// ticket stays as it is; otherwise its Promises.Watch lies after now, or is
// zero.
func Watch(t Ticket, found Found, rules Rules, now time.Time) (Change, bool) {
	d := &decision{found: found, rules: rules, brand: rules.Brands[t.Brand], now: now}
	d.in = Inbound{Brand: t.Brand, Mailbox: t.Mailbox, From: requester(&t)}
	d.c.Brand = t.Brand
	d.c.Tickets = make([]TicketChange, 0, maxTickets)
	if d.found.Log == nil {
		d.found.Log = map[int64][]sla.Event{}
	}
	tc := d.ticket(&t)
	d.manned(tc)
	d.cause = "incident"
	d.joined(tc)
	for range most {
		s, ok := d.nextStep(tc)
		if !ok {
			break
		}
		d.cause = s.key
		tc.tell(s.key)
		s.do()
	}
	d.cause = ""
	d.done()
	if w := &tc.Ticket.Promises.Watch; !w.IsZero() && !w.After(now) {
		*w = now.Add(time.Minute)
	}
	same := tc.Ticket.Promises.same(t.Promises) && tc.Ticket.Assignee == t.Assignee
	return d.c, !same || len(tc.Events) > 0 || len(tc.Letters) > 0
}

// nextStep is the step that has been due longest.
func (d *decision) nextStep(tc *TicketChange) (step, bool) {
	log, _ := d.log(tc)
	now := d.clockNow(log)
	list := d.steps(tc, log, d.read(log))
	slices.SortStableFunc(list, func(a, b step) int { return a.at.Compare(b.at) })
	if len(list) == 0 || list[0].at.After(now) {
		return step{}, false
	}
	return list[0], true
}

// steps lists what time causes on a ticket and was not done, in no order; of
// those at the same time the first comes first.
func (d *decision) steps(tc *TicketChange, log []sla.Event, readings []sla.Reading) []step {
	t := &tc.Ticket
	if !t.Status.watched() {
		return nil
	}
	var out []step
	for _, r := range readings {
		if t.Status.working() {
			out = append(out, d.warnings(tc, r)...)
		}
		for _, run := range append(slices.Clone(r.Earlier), r.Run) {
			out = append(out, d.breaches(tc, r.Clock, run)...)
		}
	}
	if t.Status.working() {
		out = append(out, d.escalations(tc, log, readings)...)
		out = append(out, d.updates(tc, log, readings)...)
	}
	return slices.DeleteFunc(out, func(s step) bool { return slices.Contains(t.Promises.Told, s.key) })
}

// stepKey names a step: "warned:resolution:2026-01-02T10:00:00Z".
func stepKey(at time.Time, words ...string) string {
	return strings.Join(append(words, at.UTC().Format(time.RFC3339Nano)), ":")
}

// tell notes that a step was done. Of those that come again with each update
// only the last is kept.
func (tc *TicketChange) tell(key string) {
	p := &tc.Ticket.Promises
	told := slices.Clone(p.Told)
	if what, _, _ := strings.Cut(key, ":"); what == "ask" || what == "update" {
		told = slices.DeleteFunc(told, func(k string) bool { return strings.HasPrefix(k, what+":") })
	}
	if !slices.Contains(told, key) {
		told = append(told, key)
	}
	p.Told = told
}

// late reports whether a run was missed and has not ended.
func late(r sla.Run) bool { return r.State == sla.StateBreached && r.Stopped.IsZero() }

// warnings is the step that warns of a running promise. One that was missed
// meanwhile is noted, and told by the report of the breach alone. Of the next
// update the agent is reminded instead.
func (d *decision) warnings(tc *TicketChange, r sla.Reading) []step {
	running := r.State == sla.StateRunning || r.State == sla.StatePaused && r.Warned || late(r.Run)
	if r.Clock == sla.NextUpdate || r.WarnAt.IsZero() || !running {
		return nil
	}
	return []step{{r.WarnAt, stepKey(r.WarnAt, "warned", string(r.Clock)), func() {
		tc.event(d.now, "desk", "warned", "%s within %s is due %s", r.Clock, within(r.Target), d.shown(r.Due))
		if !late(r.Run) && !tc.Ticket.partOfIncident() {
			d.tellClock(tc, LetterWarning, r.Clock, r.Run)
		}
	}}}
}

// breaches is the step that reports a missed promise, whether it was kept later
// or not.
func (d *decision) breaches(tc *TicketChange, clock sla.Clock, r sla.Run) []step {
	at := r.Breached
	if at.IsZero() {
		return nil // Reading.Wake says when to look
	}
	return []step{{at.Add(time.Millisecond), stepKey(at, "breached", string(clock)), func() {
		tc.event(d.now, "desk", "breached", "%s within %s was due %s", clock, within(r.Target), d.shown(at))
		if clock != sla.NextUpdate && !tc.Ticket.partOfIncident() { // the update itself goes now
			d.tellClock(tc, LetterBreach, clock, r)
		}
	}}}
}

// tellClock tells those who have the ticket, and the managers, about a clock.
func (d *decision) tellClock(tc *TicketChange, kind LetterKind, clock sla.Clock, r sla.Run) {
	data := d.view(tc, 0)
	data.Clock, data.Promise, data.Due = string(clock), within(r.Target), r.Due
	if kind == LetterBreach {
		data.Due = r.Breached
	} else if r.Remaining > 0 {
		data.Left = sla.Amount(r.Remaining).String()
	}
	for _, a := range d.concerned(tc) {
		d.toAgent(tc, a, kind, 0, data)
	}
}

// concerned are those who have the ticket, and the managers.
func (d *decision) concerned(tc *TicketChange) []Agent {
	out := d.audience(&tc.Ticket)
	for _, m := range d.managers(tc.Ticket.Brand) {
		if !slices.ContainsFunc(out, func(a Agent) bool { return a.Address == m.Address }) {
			out = append(out, m)
		}
	}
	return out
}

// managers are the managers of a brand; the supervisors and those above where
// it has none.
func (d *decision) managers(brand string) []Agent {
	var managers, others []Agent
	for _, k := range sortedKeys(d.rules.Agents) {
		a := d.rules.Agents[k]
		switch {
		case !a.WorksFor(brand):
		case a.Role == RoleManager:
			managers = append(managers, a)
		case a.Role.AtLeast(RoleSupervisor):
			others = append(others, a)
		}
	}
	if len(managers) > 0 {
		return managers
	}
	return others
}

// manned looks for somebody who has the ticket: whoever had it went away, or
// nobody could take it before.
func (d *decision) manned(tc *TicketChange) {
	t := &tc.Ticket
	d.cause = "manned:" + d.now.UTC().Format(time.RFC3339Nano)
	d.reassign(tc)
	if t.Assignee != "" || t.Status != StatusNew && t.Status != StatusOpen {
		return
	}
	d.assign(tc)
	if a, ok := d.rules.Agent(t.Assignee); ok {
		d.handTo(tc, a, "given to you: "+t.Promises.Assigned)
	}
}

// handTo sends an agent a ticket with its history.
func (d *decision) handTo(tc *TicketChange, a Agent, why string) {
	data := d.view(tc, 0)
	for _, m := range d.historyOf(&tc.Ticket) {
		if m.Direction == DirectionIn {
			data.Text, data.Author, data.At = m.Text, show(m.Author.Address), m.At
		}
	}
	data.Newer, data.Done = views(d.historyOf(&tc.Ticket)), []string{why}
	d.toAgent(tc, a, LetterNewTicket, 0, data)
}

// historyOf are the newest messages of a ticket, oldest first, those of this
// decision last.
func (d *decision) historyOf(t *Ticket) []Message {
	out := slices.DeleteFunc(slices.Clone(d.found.History), func(m Message) bool { return m.Ticket != t.ID })
	for i := range d.c.Tickets {
		if tc := &d.c.Tickets[i]; &tc.Ticket == t {
			out = append(out, tc.Messages...)
		}
	}
	return out
}

// shown writes a time for the log, in the brand's zone.
func (d *decision) shown(at time.Time) string {
	if at.IsZero() {
		return "later"
	}
	return at.In(d.localNow().Location()).Format("Mon 2006-01-02 15:04")
}

// before is the latest time from which a span ends no later than due; due
// itself for a span that counts nothing.
func before(due time.Time, span sla.Duration, c *sla.Calendar) time.Time {
	if x, ok := span.Elapsed(); ok {
		return due.Add(-x)
	}
	if !span.Set() {
		return due
	}
	fits := func(t time.Time) bool {
		end, ok := span.From(t, c)
		return ok && !end.After(due)
	}
	long := 24 * time.Hour
	for !fits(due.Add(-long)) && long < 400*24*time.Hour {
		long *= 2
	}
	from, to := due.Add(-long), due // fits, does not
	for to.Sub(from) > time.Millisecond {
		if mid := from.Add(to.Sub(from) / 2); fits(mid) {
			from = mid
		} else {
			to = mid
		}
	}
	return from.Truncate(time.Millisecond)
}

// ahead is when to act so long before a due time, but never before half of the
// time has passed: nobody wants to hear at the start that it may take longer.
func ahead(r sla.Run, due time.Time, span sla.Duration, c *sla.Calendar) time.Time {
	at, half := before(due, span, c), r.Started.Add(due.Sub(r.Started)/2).Truncate(time.Millisecond)
	if at.Before(half) {
		return half
	}
	return at
}

// same reports whether two states of the promises are the same.
func (p Promises) same(o Promises) bool {
	return p.Watch.Equal(o.Watch) && slices.EqualFunc(p.Clocks, o.Clocks, ClockView.same) && slices.Equal(p.Told, o.Told) &&
		p.Unassigned == o.Unassigned && p.Assigned == o.Assigned
}

func (v ClockView) same(o ClockView) bool {
	return v.Clock == o.Clock && v.State == o.State && v.Within == o.Within && v.Warned == o.Warned &&
		v.Due.Equal(o.Due) && v.Breached.Equal(o.Breached) && v.Stopped.Equal(o.Stopped)
}
