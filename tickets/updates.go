package tickets

import (
	"slices"
	"time"

	"frontdesk/sla"
)

// updates are the steps that keep a customer informed: the status update at the
// promised beat, the agent being asked for its words before, and the notice
// before a promise is missed.
func (d *decision) updates(tc *TicketChange, log []sla.Event, readings []sla.Reading) []step {
	var out []step
	for _, r := range readings {
		switch r.Clock {
		case sla.NextUpdate:
			out = append(out, d.beat(tc, r.Run)...)
		case sla.FirstResponse, sla.Resolution:
			out = append(out, d.delay(tc, log, r)...)
		}
	}
	return out
}

// updateEarly is how long before its due time an update leaves at most, so that
// it is there in time and not a moment later.
const updateEarly = time.Minute

// beat is the next status update. Nothing is due while its clock stands still.
func (d *decision) beat(tc *TicketChange, r sla.Run) []step {
	due := r.Due
	if late(r) {
		due = r.Breached
	}
	if due.IsZero() || r.State != sla.StateRunning && !late(r) {
		return nil
	}
	at := due.Add(-min(updateEarly, due.Sub(r.Started)/10)).Truncate(time.Millisecond)
	out := []step{{at, stepKey(due, "update"), func() { d.update(tc) }}}
	p := &tc.Ticket.Promises
	ask := ahead(r, due, d.rules.Update.RemindBefore, d.brand.calendar())
	if d.rules.Update.RemindBefore.Set() && p.UpdateNote == "" && !tc.Ticket.partOfIncident() && ask.Before(at) && d.now.Before(at) {
		out = append(out, step{ask, stepKey(due, "ask"), func() { d.ask(tc, r, due) }})
	}
	return out
}

// ask reminds those who have the ticket that the customer waits for news.
func (d *decision) ask(tc *TicketChange, r sla.Run, due time.Time) {
	tc.Ticket.Promises.UpdateAsked = d.now
	tc.event(d.now, "desk", "asked for an update", "due %s", d.shown(due))
	data := d.view(tc, 0)
	data.Clock, data.Promise, data.Due, data.Left = string(sla.NextUpdate), within(r.Target), due, sla.Amount(r.Remaining).String()
	for _, a := range d.audience(&tc.Ticket) {
		d.toAgent(tc, a, LetterAskUpdate, 0, data)
	}
}

// update tells the customer how it stands: in the agent's words when there are
// some, else that work goes on.
func (d *decision) update(tc *TicketChange) {
	p := &tc.Ticket.Promises
	note := p.UpdateNote
	if !d.notice(tc, LetterUpdate, LetterData{Text: note, At: d.now, Severity: tc.Ticket.Severity, Due: p.Clock(sla.Resolution).Due}) {
		return // the log says why; the note stays for another way
	}
	p.UpdateNote = ""
	said := "work goes on"
	if note != "" {
		said = excerpt(note, 200)
	}
	tc.event(d.now, "desk", "updated", "%s", said)
	tc.mark(sla.Updated)
}

// delay is the notice before a promise is missed, once for each promise. Who
// heard from the desk not long before needs none, and after an outage nobody is
// told of a promise that was missed too long ago to be acknowledged.
func (d *decision) delay(tc *TicketChange, log []sla.Event, r sla.Reading) []step {
	span := d.rules.Update.DelayBefore
	due := r.Due
	if late(r.Run) {
		due = r.Breached
	}
	if !span.Set() || due.IsZero() || r.State != sla.StateRunning && !late(r.Run) {
		return nil
	}
	at := ahead(r.Run, due, span, d.brand.calendar())
	key := stepKey(r.Started, "delay", string(r.Clock), within(r.Target))
	return []step{{at, key, func() {
		if heard := lastNews(log); heard.After(at.Add(at.Sub(due))) {
			d.trace("delay", string(r.Clock), "no notice: the customer heard from the desk at %s", d.shown(heard))
			return
		}
		if most := d.rules.Ack.MaxAge; most > 0 && d.now.Sub(at) > most {
			d.trace("delay", string(r.Clock), "no notice: it would be %s late", d.now.Sub(at).Round(time.Minute))
			return
		}
		tc.Ticket.Promises.Delayed = due
		if d.notice(tc, LetterDelay, LetterData{Clock: string(r.Clock), Promise: within(r.Target), Due: due, Left: leftOf(r)}) {
			tc.event(d.now, "desk", "told of a delay", "%s within %s, due %s", r.Clock, within(r.Target), d.shown(due))
			tc.mark(sla.Updated)
		}
	}}}
}

// leftOf is what is left of a promise, "" when it is overdue.
func leftOf(r sla.Reading) string {
	if r.Remaining <= 0 || late(r.Run) {
		return ""
	}
	return sla.Amount(r.Remaining).String()
}

// lastNews is when the customer heard from the desk last, zero never.
func lastNews(log []sla.Event) (at time.Time) {
	for _, e := range slices.Backward(log) {
		if e.Kind == sla.Answered || e.Kind == sla.Updated {
			return e.At
		}
	}
	return at
}

// noteUpdate keeps an agent's words for the next status update.
func (d *decision) noteUpdate(tc *TicketChange, agent Agent, words string) string {
	p := &tc.Ticket.Promises
	p.UpdateNote = words
	tc.event(d.now, agent.Address, "update noted", "%s", excerpt(words, 200))
	if due := p.Clock(sla.NextUpdate).Due; !due.IsZero() {
		return "the status update that is due " + d.shown(due) + " says: " + excerpt(words, 200)
	}
	return "the next status update says: " + excerpt(words, 200)
}
