package tickets

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"frontdesk/sla"
)

// A ticket climbs the tiers of its queue: by its severity, at once or after a
// time; when the first response or the resolution was missed; when nobody took
// the last step in hand (Queue.AckWithin); and by #escalate. On the last tier
// the managers are told, too.

// escalations are the steps up that time causes. Several that are due at once
// make one step.
func (d *decision) escalations(tc *TicketChange, log []sla.Event, readings []sla.Reading) []step {
	t := &tc.Ticket
	if t.partOfIncident() {
		return nil // its first ticket climbs for all of them
	}
	var out []step
	add := func(at time.Time, key, format string, args ...any) {
		out = append(out, step{at, "escalated:" + key, func() { d.stepUp(tc, fmt.Sprintf(format, args...)) }})
	}
	if since, ok := d.rose(log); ok && t.Severity != "" {
		span := d.rules.Severities[t.Severity].Escalate
		at, ok := span.From(since, d.brand.calendar())
		// A ticket that waits for somebody else does not climb for its age.
		if ok && span.Set() && (span.Unit == sla.Immediately || t.Status == StatusNew || t.Status == StatusOpen) {
			why := "severity " + t.Severity
			if span.Unit != sla.Immediately {
				why += ", for " + span.String()
			}
			add(at, stepKey(since, "severity", t.Severity), "%s", why)
		}
	}
	for _, r := range readings {
		if (r.Clock == sla.FirstResponse || r.Clock == sla.Resolution) && late(r.Run) {
			add(r.Breached.Add(time.Millisecond), stepKey(r.Breached, "breach", string(r.Clock)), "%s within %s was missed", r.Clock, within(r.Target))
		}
	}
	if at, within, ok := d.unacknowledged(t, log); ok {
		key := stepKey(t.Promises.Escalated, "escalated", "unacknowledged")
		out = append(out, step{at, key, func() { d.nobodyTookIt(tc, within) }})
	}
	return out
}

// rose is when the ticket got the severity that it has, if it was a rise: the
// first one, or one worse than before.
func (d *decision) rose(log []sla.Event) (since time.Time, ok bool) {
	severity, first := "", true
	for _, e := range log {
		if e.Kind != sla.Opened && e.Kind != sla.FactsChanged {
			continue
		}
		if first || e.Facts.Severity != severity {
			since, ok = e.At, d.rules.worse(e.Facts.Severity, severity)
			severity, first = e.Facts.Severity, false
		}
	}
	return since, ok
}

// worse reports whether severity a is worse than b; any is worse than none.
func (r Rules) worse(a, b string) bool {
	if a == "" || b == "" {
		return a != ""
	}
	i, j := slices.Index(r.Order, a), slices.Index(r.Order, b)
	return i < 0 || j < 0 || i < j
}

// unacknowledged is when a step up counts as not taken in hand: nobody
// acknowledged it, took the ticket or answered the customer.
func (d *decision) unacknowledged(t *Ticket, log []sla.Event) (at time.Time, within sla.Duration, ok bool) {
	p, within := &t.Promises, d.rules.Queues[t.Queue].AckWithin
	if p.Escalated.IsZero() || !within.Set() || !p.Acknowledged.Before(p.Escalated) || t.Status != StatusNew && t.Status != StatusOpen {
		return at, within, false
	}
	for _, e := range log {
		if e.Kind == sla.Answered && !e.At.Before(p.Escalated) {
			return at, within, false
		}
	}
	at, ok = within.From(p.Escalated, d.brand.calendar())
	return at, within, ok
}

// nobodyTookIt goes on to the next tier; from the last one to the managers.
func (d *decision) nobodyTookIt(tc *TicketChange, within sla.Duration) {
	t := &tc.Ticket
	why := "nobody acknowledged it within " + within.String()
	if t.Tier < d.rules.lastTier(t.Queue) {
		d.stepUp(tc, why)
		return
	}
	tc.event(d.now, "desk", "escalated", "to the managers: %s", why)
	d.hand(tc, d.managers(t.Brand), why)
}

// stepUp takes the ticket up, once for everything that is due at this look.
func (d *decision) stepUp(tc *TicketChange, why string) {
	if tc.Ticket.Promises.Escalated.Equal(d.now) {
		tc.event(d.now, "desk", "escalated", "by the same step: %s", why)
		return
	}
	d.escalate(tc, "desk", why)
}

// lastTier is the index of the queue's last tier, 0 when it has none.
func (r Rules) lastTier(queue string) int { return max(0, len(r.Queues[queue].Tiers)-1) }

// team names a tier for people.
func (r Rules) team(queue string, tier int) string {
	if names := r.Queues[queue].Teams; tier < len(names) {
		return names[tier]
	}
	return fmt.Sprintf("tier %d", tier+1)
}

// escalate takes the ticket one tier up: its people get the whole history, the
// requester is told, whoever had it gets a receipt, and the people's phones
// ring where the severity asks for it. On the last tier it stays there, and the
// managers get it, too.
func (d *decision) escalate(tc *TicketChange, who, why string) string {
	t := &tc.Ticket
	from, last := t.Tier, d.rules.lastTier(t.Queue)
	t.Tier = min(from+1, last)
	p := &t.Promises
	p.Escalated, p.Acknowledged, p.AckedBy = d.now, time.Time{}, ""
	team := d.rules.team(t.Queue, t.Tier)
	tc.event(d.now, who, "escalated", "%s → %s: %s", d.rules.team(t.Queue, from), team, why)
	former := d.release(tc, who, team, why)
	people := d.present(d.rules.tier(*t))
	if from == t.Tier || len(people) == 0 {
		for _, m := range d.managers(t.Brand) {
			if !slices.ContainsFunc(people, func(a Agent) bool { return a.Address == m.Address }) {
				people = append(people, m)
			}
		}
	}
	d.hand(tc, people, why)
	if former.Address != "" {
		data := d.view(tc, 0)
		data.Done = []string{fmt.Sprintf("escalated to %s: %s; it is not yours any more", team, why)}
		d.toAgent(tc, former, LetterReceipt, 0, data)
	}
	if from != t.Tier {
		d.tellStep(tc, team)
	}
	if d.rules.Severities[t.Severity].Call {
		d.ring(tc, t.Tier, why)
	}
	return "escalated to " + team
}

// release takes the ticket from an agent who is not of the new tier, for one who
// is to be chosen. It returns the agent who is to hear of it.
func (d *decision) release(tc *TicketChange, who, team, why string) (former Agent) {
	t := &tc.Ticket
	if slices.ContainsFunc(d.rules.tier(*t), func(a Agent) bool { return SameAddress(a.Address, t.Assignee) }) {
		return former
	}
	had := t.Assignee
	if had != "" {
		t.Assignee = ""
		tc.event(d.now, who, "assigned to", "%s → none: escalated to %s", had, team)
	}
	d.assign(tc)
	if former, _ = d.rules.Agent(had); SameAddress(had, who) {
		return Agent{} // the receipt of the command says it
	}
	return former
}

// present leaves out who is away, unless all are.
func (d *decision) present(list []Agent) []Agent {
	if d.found.Desk == nil {
		return list
	}
	here := slices.DeleteFunc(slices.Clone(list), func(a Agent) bool { return d.found.Desk.Away[a.Address].After(d.now) })
	if len(here) == 0 {
		return list
	}
	return here
}

// hand gives people the ticket with its history in one readable letter, and
// the mails themselves.
func (d *decision) hand(tc *TicketChange, people []Agent, why string) {
	t := &tc.Ticket
	data := d.view(tc, 0)
	history := d.historyOf(t)
	data.Why, data.Team, data.Newer, data.Attach = why, d.rules.team(t.Queue, t.Tier), views(history), mails(history)
	for _, a := range people {
		d.toAgent(tc, a, LetterEscalation, 0, data)
	}
}

// mails are the ledger rows of the messages that came by mail, oldest first.
func mails(history []Message) []int64 {
	var out []int64
	for _, m := range history {
		if m.Ledger != 0 && (m.Channel == ChannelMail || m.Channel == "") && !slices.Contains(out, m.Ledger) {
			out = append(out, m.Ledger)
		}
	}
	return out
}

// stepQuiet is how long after one step the requester is not told of the next.
const stepQuiet = time.Hour

// tellStep tells the requester who has it now.
func (d *decision) tellStep(tc *TicketChange, team string) {
	p := &tc.Ticket.Promises
	if !p.StepTold.IsZero() && d.now.Sub(p.StepTold) < stepQuiet {
		return
	}
	p.StepTold = d.now
	d.notice(tc, LetterEscalated, LetterData{Team: team, Severity: tc.Ticket.Severity})
}

// notice writes a letter that no mail in hand asked for. It reports whether it
// was written.
func (d *decision) notice(tc *TicketChange, kind LetterKind, data LetterData) bool {
	n := len(tc.Letters)
	d.automatic(tc, kind, data)
	if len(tc.Letters) == n {
		return false
	}
	tc.Letters[n].Auto, tc.Letters[n].NullSender = AutoGenerated, false
	return true
}

// escalateBy is what #escalate does.
func (d *decision) escalateBy(tc *TicketChange, agent Agent, why string) string {
	if why = strings.TrimSpace(why); why == "" {
		why = "asked for by " + agent.Name
	} else {
		why = agent.Name + ": " + why
	}
	return d.escalate(tc, agent.Address, why)
}
