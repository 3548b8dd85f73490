package tickets

import (
	"slices"
	"time"

	"frontdesk/sla"
)

// The clocks of a ticket are a function of its log: of the events that carry a
// Clock. Who writes such an event marks it here; nothing else moves a clock.
//
//   - Opened: the first contact, at the time the desk took it. A ticket that was
//     split off begins at the split: nobody promised anything for it before.
//   - Wrote: a customer of the ticket, by any way. Not a third party, not
//     automatic mail, not a bare "thank you" that closes.
//   - Answered: a person's words to the customer, never an acknowledgement.
//   - Updated: the desk told the customer how it stands.
//   - StatusChanged: merged and spam end the clocks without a verdict. Where a
//     merged ticket lives on, the other's clocks go on as they were, and what
//     came in unanswered counts as a message of the customer, at the merge.
//   - FactsChanged: severity, category or contract; found by comparison, so that
//     it does not matter who changed them.
//
// The log's time never goes back: an event that is older than the one before it
// (a clock that was set back, a mail decided late) counts at the same instant.

// mark makes the newest event one for the clocks.
func (tc *TicketChange) mark(kind sla.Kind) {
	tc.Events[len(tc.Events)-1].Clock = &sla.Event{Kind: kind}
}

// answered marks the event that says that a person answered, or writes one.
func (tc *TicketChange) answered(now time.Time, agent Agent) {
	for i := len(tc.Events) - 1; i >= 0; i-- {
		if e := &tc.Events[i]; e.What == "answered" && e.Clock == nil {
			e.Clock = &sla.Event{Kind: sla.Answered}
			return
		}
	}
	tc.event(now, agent.Address, "answered", "")
	tc.mark(sla.Answered)
}

// wrote makes an event one of a customer's message, received at a time.
func (d *decision) wrote(e *Event) {
	if at := d.in.Received; !at.IsZero() && at.Before(d.now) {
		e.At = at
	}
	e.Clock = &sla.Event{Kind: sla.Wrote}
}

// log returns the ticket's clock events, those of this decision last. It is
// false when the store was not asked for them.
func (d *decision) log(tc *TicketChange) ([]sla.Event, bool) {
	t := &tc.Ticket
	if t.ID == 0 {
		d.opens(tc)
		return d.settled(tc, nil), true
	}
	if d.found.Log == nil {
		d.unseen(tc)
		return nil, false
	}
	if len(d.found.Log[t.ID]) == 0 {
		d.begins(tc)
	}
	log := d.settled(tc, d.found.Log[t.ID])
	if facts, ok := lastFacts(log); ok && facts != d.facts(t) {
		d.factsChanged(tc)
		log = d.settled(tc, d.found.Log[t.ID])
	}
	return log, true
}

// opens makes sure that a new ticket's log begins with its opening.
func (d *decision) opens(tc *TicketChange) {
	if len(tc.Events) == 0 {
		tc.event(d.now, "desk", "opened", "")
	}
	first := &tc.Events[0]
	if first.Clock == nil || first.Clock.Kind != sla.Opened {
		first.Clock = &sla.Event{Kind: sla.Opened, Status: string(tc.Ticket.Status)}
		for _, e := range tc.Events {
			if e.Clock != nil && e.Clock.Kind == sla.StatusChanged {
				first.Clock.Status = string(StatusNew)
			}
		}
		split := slices.ContainsFunc(tc.Ticket.Links, func(l Link) bool { return l.Kind == "split from" })
		if at := tc.Ticket.Opened; !split && !at.IsZero() && at.Before(first.At) {
			first.At = at
		}
	}
	first.Clock.Facts = d.facts(&tc.Ticket) // as they are in the end
}

// begins starts the clocks of an imported ticket when its customer writes again:
// nothing was promised before.
func (d *decision) begins(tc *TicketChange) {
	for i := range tc.Events {
		if c := tc.Events[i].Clock; c != nil && c.Kind == sla.Wrote && slices.Contains(tc.Ticket.Tags, TagImported) {
			tc.Events[i].Clock = &sla.Event{Kind: sla.Opened, Status: string(tc.Ticket.Status), Facts: d.facts(&tc.Ticket)}
			return
		}
	}
}

// settled gives the decision's clock events their times, and returns them after
// the stored ones.
func (d *decision) settled(tc *TicketChange, stored []sla.Event) []sla.Event {
	log := slices.Clone(stored)
	for i := range tc.Events {
		e := &tc.Events[i]
		if e.Clock == nil {
			continue
		}
		e.At = e.At.UTC().Truncate(time.Millisecond) // as the store keeps it
		if n := len(log); n > 0 && e.At.Before(log[n-1].At) {
			e.At = log[n-1].At
		}
		e.Clock.At = e.At
		log = append(log, *e.Clock)
	}
	return log
}

// factsChanged notes the facts, at the event that says why they changed.
func (d *decision) factsChanged(tc *TicketChange) {
	facts := d.facts(&tc.Ticket)
	for i := len(tc.Events) - 1; i >= 0; i-- {
		if e := &tc.Events[i]; sorted(e) && (e.Clock == nil || e.Clock.Kind == sla.FactsChanged) {
			e.Clock = &sla.Event{Kind: sla.FactsChanged, Facts: facts}
			return
		}
	}
	tc.event(d.now, "desk", "terms", "contract: %s", orNone(facts.Customer))
	tc.Events[len(tc.Events)-1].Clock = &sla.Event{Kind: sla.FactsChanged, Facts: facts}
}

// unseen notes changed facts where the log is not known. Facts that are the
// same as before change nothing.
func (d *decision) unseen(tc *TicketChange) {
	if slices.ContainsFunc(tc.Events, func(e Event) bool { return sorted(&e) }) {
		d.factsChanged(tc)
	}
	d.settled(tc, nil)
}

func sorted(e *Event) bool { return e.What == "severity" || e.What == "category" }

func lastFacts(log []sla.Event) (facts sla.Facts, ok bool) {
	for _, e := range log {
		if e.Kind == sla.Opened || e.Kind == sla.FactsChanged {
			facts, ok = e.Facts, true
		}
	}
	return facts, ok
}

// facts are what the choice of promises depends on.
func (d *decision) facts(t *Ticket) sla.Facts {
	return sla.Facts{Customer: d.contract(t), Severity: t.Severity, Category: t.Category, Brand: t.Brand}
}

// contract is the key of the requester's contract: their own, else that of the
// organisation whose mail domain they write from; "" none.
func (d *decision) contract(t *Ticket) string {
	who := requester(t).Address
	if t.Profile.Contract != "" {
		return t.Profile.Contract
	}
	if p := d.found.Person; t.ID == 0 && p != nil && p.Contract != "" && slices.Contains(p.Addresses, NormalAddress(who)) {
		return p.Contract
	}
	domain := Domain(who)
	for _, o := range d.rules.Organisations {
		if domain != "" && slices.Contains(o.Domains, domain) || t.Profile.Org != "" && (o.Key == t.Profile.Org || o.Name == t.Profile.Org) {
			return o.Contract
		}
	}
	return ""
}

// clockNow is the time of the log: never before its last event.
func (d *decision) clockNow(log []sla.Event) time.Time {
	now := d.now.UTC()
	for _, e := range log {
		if now.Before(e.At) {
			now = e.At
		}
	}
	return now
}

func (d *decision) read(log []sla.Event) []sla.Reading {
	return sla.Read(log, d.brand.calendar(), d.rules.Policy, d.clockNow(log))
}

// calendar is when the brand's desk is open.
func (b Brand) calendar() *sla.Calendar {
	if b.Calendar != nil {
		return b.Calendar
	}
	return neverClosed
}

var neverClosed = func() *sla.Calendar {
	var h sla.Hours
	for day := range h.Week {
		h.Week[day] = []sla.Span{{Open: 0, Close: 24 * 60}}
	}
	c, err := sla.NewCalendar(h)
	if err != nil {
		panic(err)
	}
	return c
}()

// times puts into an acknowledgement what was promised and when that is due,
// and when the desk opens, if it is closed.
func (d *decision) times(tc *TicketChange, data *LetterData) {
	log, _ := d.log(tc)
	for _, r := range d.read(log) {
		switch {
		case r.State == sla.StateNotSet:
		case r.Clock == sla.FirstResponse:
			data.RespondWithin, data.Due = within(r.Target), r.Due
		case r.Clock == sla.Resolution:
			data.ResolveWithin, data.SolveBy = within(r.Target), r.Due
		}
	}
	if opens, ok := d.brand.calendar().NextOpening(d.now); ok && opens.After(d.now) {
		data.Opens = opens
	}
}

// promise looks at what a ticket's clocks say after this decision, and when
// they want to be looked at again.
func (d *decision) promise(tc *TicketChange) {
	t, p := &tc.Ticket, &tc.Ticket.Promises
	before := p.Watch
	log, known := d.log(tc)
	if !known {
		p.Watch = d.now // the watch asks for the log
		return
	}
	readings := d.read(log)
	p.Clocks = clockViews(readings)
	p.Watch = time.Time{}
	soonest := func(at time.Time) {
		at = at.Add(time.Millisecond - 1).Truncate(time.Millisecond) // as the store keeps it
		if p.Watch.IsZero() || at.Before(p.Watch) {
			p.Watch = at
		}
	}
	for _, r := range readings {
		if at, ok := r.Wake(); ok && t.Status.watched() {
			soonest(at)
		}
	}
	switch {
	case t.Assignee != "" || !t.Status.working():
	case d.found.Desk == nil: // what the last look found out holds
		if before.After(d.now) {
			soonest(before)
		}
	case d.rules.Queues[t.Queue].Assign:
		if at := d.rules.assignableAt(*t, *d.found.Desk, d.now); at.After(d.now) {
			soonest(at)
		}
	}
	for _, s := range d.steps(tc, log, readings) {
		soonest(s.at)
	}
	if !p.Watch.IsZero() && p.Watch.Before(d.now) {
		p.Watch = d.now
	}
}

// watched reports whether time can cause anything on the ticket.
func (s Status) watched() bool { return s != StatusMerged && s != StatusSpam }

// working reports whether the desk still owes a solution.
func (s Status) working() bool {
	return s == StatusNew || s == StatusOpen || s == StatusPending || s == StatusHold
}

// clockViews are the clocks that promise something.
func clockViews(readings []sla.Reading) []ClockView {
	var out []ClockView
	for _, r := range readings {
		if r.State == sla.StateNotSet {
			continue
		}
		out = append(out, ClockView{
			Clock: r.Clock, State: r.State, Within: within(r.Target), Due: r.Due,
			Warned: r.Warned, Breached: r.Breached, Stopped: r.Stopped,
		})
	}
	return out
}

// within is the promise in words: "2 business hours".
func within(t sla.Target) string {
	if t.Within.Set() {
		return t.Within.String()
	}
	return t.AtMost.String()
}
