package tickets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ringForDefault is how long one attempt lasts when nothing is configured.
const ringForDefault = time.Minute

// ring begins to ring the people of a tier about a ticket: one after the other,
// in the order of the tier, until a key is pressed or #ack comes. The first
// attempt is begun by the sweep, at once. A ticket has one alarm at a time.
func (d *decision) ring(tc *TicketChange, tier int, why string) {
	t := &tc.Ticket
	people := d.ringable(t, tier)
	begun := slices.ContainsFunc(d.c.Alarms, func(a Alarm) bool { return a.Ticket == t.ID && a.State == AlarmRinging })
	switch a := d.found.Alarm; {
	case begun, a != nil && a.State == AlarmRinging && a.Ticket == t.ID:
		tc.event(d.now, "desk", "ringing", "goes on; %s", why)
		return
	case len(people) == 0:
		tc.event(d.now, "desk", "nobody to ring", "nobody of %s has a telephone number; %s", d.rules.team(t.Queue, tier), why)
		return
	case d.voiceLine(t) == "":
		tc.event(d.now, "desk", "nobody rung", "%s has no telephone line", d.brand.Name)
		return
	case t.ID == 0 && tc != &d.c.Tickets[0]: // an alarm of a ticket without number is the first one's
		tc.event(d.now, "desk", "nobody rung", "the ticket is new beside another")
		return
	}
	d.c.Alarms = append(d.c.Alarms, Alarm{
		Ticket: t.ID, Brand: t.Brand, Tier: tier, Why: why, People: people, State: AlarmRinging,
		Most: len(people) * max(1, d.rules.Texting.RingAgain), Due: d.now, Started: d.now,
	})
	tc.event(d.now, "desk", "ringing", "%s, until somebody takes it: %s", strings.Join(people, ", "), why)
}

// ringable are the people of a tier that have a telephone: those present first
// in line, in the order of the tier.
func (d *decision) ringable(t *Ticket, tier int) []string {
	at := *t
	at.Tier = tier
	var list []Agent
	for _, a := range d.rules.tier(at) {
		if a.Phone != "" && a.WorksFor(t.Brand) {
			list = append(list, a)
		}
	}
	var out []string
	for _, a := range d.present(list) {
		out = append(out, a.Address)
	}
	return out
}

// Ring says what is to be done about a ringing alarm whose Due has come: the
// next attempt, or its end because nobody took it, or because the ticket needs
// it no more. It returns false when nothing is due. found has the ticket's
// Alarm and Rings.
func Ring(a Alarm, t Ticket, found Found, rules Rules, now time.Time) (Change, bool) {
	d := &decision{found: found, rules: rules, brand: rules.Brands[t.Brand], now: now, cause: fmt.Sprintf("alarm%d.%d", a.ID, a.Attempt)}
	d.in = Inbound{Brand: t.Brand, Mailbox: t.Mailbox}
	d.c.Brand = t.Brand
	d.c.Tickets = make([]TicketChange, 0, maxTickets)
	if a.State != AlarmRinging || now.Before(a.Due) {
		return d.c, false
	}
	d.found.Alarm = &a
	tc := d.ticket(&t)
	switch p := t.Promises; {
	case !p.Acknowledged.IsZero() && !p.Acknowledged.Before(a.Started):
		d.endAlarm(tc, AlarmAcknowledged, p.AckedBy, 0)
	case t.Status != StatusNew && t.Status != StatusOpen && t.Status != StatusPending && t.Status != StatusHold:
		d.endAlarm(tc, AlarmStopped, "desk", 0)
		tc.event(now, "desk", "ringing stopped", "the ticket is %s", t.Status)
	default:
		d.nextAttempt(tc, a)
	}
	return d.done(), true
}

// nextAttempt rings the next person, or gives up.
func (d *decision) nextAttempt(tc *TicketChange, a Alarm) {
	for a.Attempt < a.Most && len(a.People) > 0 {
		a.Attempt++
		agent, ok := d.rules.Agent(a.person(a.Attempt))
		if !ok || agent.Phone == "" { // left the team since
			tc.event(d.now, "desk", "ring", "attempt %d of %d: %s has no telephone any more", a.Attempt, a.Most, a.person(a.Attempt))
			continue
		}
		a.Due = d.now.Add(d.ringFor())
		d.c.Alarms = append(d.c.Alarms, a)
		tc.Letters = append(tc.Letters, d.ringLetters(tc, a, agent)...)
		tc.event(d.now, "desk", "ring", "rings %s, attempt %d of %d", agent.Name, a.Attempt, a.Most)
		return
	}
	d.exhaust(tc, a)
}

func (d *decision) ringFor() time.Duration {
	if x := d.rules.Texting.RingFor; x > 0 {
		return x
	}
	return ringForDefault
}

// person is who is rung by attempt n, from 1.
func (a Alarm) person(n int) string {
	if len(a.People) == 0 || n < 1 {
		return ""
	}
	return a.People[(n-1)%len(a.People)]
}

// ringLetters are the call and the text of one attempt. The call is not worth
// placing once the next one has begun.
func (d *decision) ringLetters(tc *TicketChange, a Alarm, agent Agent) []Letter {
	t := &tc.Ticket
	data := LetterData{Alarm: a.ID, Attempt: a.Attempt, Why: a.Why, From: d.view(tc, 0).From, Severity: t.Severity}
	call := d.agentCall(tc, agent, LetterRing, fmt.Sprintf("ring:alarm%d.%d", a.ID, a.Attempt), data)
	call.NotAfter = a.Due
	text := d.agentCall(tc, agent, LetterRingText, fmt.Sprintf("ring-text:alarm%d.%d", a.ID, a.Attempt), data)
	text.Mailbox, text.NotAfter = d.lineTo(t, text.To.Address), a.Due
	if text.Mailbox == "" {
		return []Letter{call}
	}
	return []Letter{call, text}
}

// exhaust gives up: nobody took it, and the supervisors hear of it.
func (d *decision) exhaust(tc *TicketChange, a Alarm) {
	d.found.Alarm = &a
	d.endAlarm(tc, AlarmExhausted, "desk", 0)
	why := fmt.Sprintf("nobody pressed a key: rang %s, %d attempts", strings.Join(a.People, ", "), a.Attempt)
	tc.event(d.now, "desk", "ringing ended", "%s", why)
	for _, s := range d.supervisors() {
		data := d.view(tc, 0)
		data.Why, data.Team = why, d.rules.team(tc.Ticket.Queue, a.Tier)
		d.toAgent(tc, s, LetterEscalation, 0, data)
		tc.Letters[len(tc.Letters)-1].Key = fmt.Sprintf("exhausted:alarm%d:%s", a.ID, s.Address)
	}
}

// endAlarm ends the alarm in hand: what waits to ring is dropped, and calls
// that still ring are hung up, but for the letter of who pressed the key.
func (d *decision) endAlarm(tc *TicketChange, state AlarmState, by string, pressed int64) {
	a := *d.found.Alarm
	a.State, a.By, a.Ended = state, by, d.now
	d.c.Alarms = append(d.c.Alarms, a)
	d.found.Alarm = nil
	for _, l := range d.found.Rings {
		switch {
		case l.ID == pressed:
		case l.State == "queued":
			d.c.Cancel = append(d.c.Cancel, l.ID)
		case l.Kind == LetterRing && l.Data.Attempt == a.Attempt && state != AlarmExhausted:
			d.hangUp(tc, l)
		}
	}
}

// hangUp ends a call that may still ring.
func (d *decision) hangUp(tc *TicketChange, l SentLetter) {
	t := &tc.Ticket
	tc.Letters = append(tc.Letters, Letter{
		Ticket: t.ID, Brand: t.Brand, Mailbox: d.voiceLine(t), Kind: LetterHangUp, Language: d.deskLanguage(),
		To: Address{Address: l.To}, Agent: true, Person: d.agentOf(l).ID, Key: fmt.Sprintf("hang-up:%d", l.ID), Auto: AutoGenerated,
		Version: t.Version, NotAfter: d.now.Add(10 * time.Minute), Data: LetterData{HangUp: l.ID},
	})
}

// agentOf is the agent whose telephone a letter rang. Several may share one on
// duty: then the attempt says who was meant.
func (d *decision) agentOf(l SentLetter) Agent {
	if a := d.found.Alarm; a != nil && l.Data.Alarm == a.ID {
		if agent, ok := d.rules.Agent(a.person(l.Data.Attempt)); ok && agent.Phone == Number(l.To) {
			return agent
		}
	}
	agent, ok := d.rules.agentByPhone(Number(l.To))
	if !ok {
		agent = Agent{Name: Number(l.To), Address: NormalAddress(l.To)}
	}
	return agent
}

// pressed decides about news of a call that the desk placed.
func (d *decision) pressed(p Pressed) {
	l := d.found.Letter
	if l == nil {
		d.trace("letter", fmt.Sprint(p.Letter), "no such call of ours")
		d.end(DisposeDiscarded, "unknown-call", "news of a call that no letter placed")
		return
	}
	t := d.followed(d.found.Tickets[l.Ticket])
	if t == nil {
		d.end(DisposeRecorded, "call", "its ticket is gone")
		return
	}
	tc := d.ticket(t)
	d.end(DisposeRecorded, "call", "call of letter %d: %s %s", l.ID, p.Verdict, p.Status)
	if l.Kind == LetterBridge {
		d.bridged(tc, *l, p)
		return
	}
	d.rung(tc, *l, p)
}

// rung decides about a call that rang somebody for an alarm. Only a key says
// that a person took it: "completed" may be a voicemail box.
func (d *decision) rung(tc *TicketChange, l SentLetter, p Pressed) {
	agent, a := d.agentOf(l), d.found.Alarm
	if p.Verdict == "acknowledged" {
		tc.event(d.now, agent.Address, "acknowledged", "%s pressed the key", agent.Name)
		d.inHand(tc, agent, l.ID)
		return
	}
	outcome := p.outcome()
	if outcome == "" {
		d.trace("ring", p.Status, "goes on")
		return
	}
	current := a != nil && l.Data.Alarm == a.ID && l.Data.Attempt == a.Attempt
	if a == nil && p.Verdict == "" {
		d.trace("ring", p.Status, "the alarm is over")
		return
	}
	if !current && p.Verdict == "" && p.Status == "completed" {
		d.trace("ring", p.Status, "of an older attempt, whose outcome is told")
		return
	}
	tc.event(d.now, "desk", "rang", "%s: %s", agent.Name, outcome)
	if !current {
		d.trace("ring", p.Status, "of an older attempt: changes nothing")
		return
	}
	next := *a
	next.Due = d.now // the next person at once
	d.c.Alarms = append(d.c.Alarms, next)
}

// outcome is how a call without an acknowledgement ended, in words of people;
// "" while it goes on.
func (p Pressed) outcome() string {
	switch {
	case p.Verdict == "passed":
		return "passed it on, or pressed no key"
	case !p.Ended:
		return ""
	}
	switch p.Status {
	case "busy":
		return "busy"
	case "no-answer":
		return "no answer"
	case "failed":
		return "the call failed"
	case "canceled":
		return "hung up by the desk"
	}
	return "no key (a voicemail box, or nobody)"
}

// inHand notes that somebody has a ticket in hand, and stops what rings for it.
// While it rings, whoever has the ticket by the desk's choice has not taken it:
// the one who does gets it.
func (d *decision) inHand(tc *TicketChange, agent Agent, letter int64) {
	t := &tc.Ticket
	tier, rings := t.Tier, false
	if a := d.found.Alarm; a != nil && a.State == AlarmRinging {
		tier, rings = a.Tier, true
		d.endAlarm(tc, AlarmAcknowledged, agent.Address, letter)
	}
	t.Promises.Acknowledged, t.Promises.AckedBy = d.now, agent.Address
	if _, member := d.rules.Agent(agent.Address); member && (rings || t.Assignee == "" || d.tierOf(t, t.Assignee) < tier) && t.Assignee != agent.Address {
		tc.event(d.now, agent.Address, "assigned to", "%s → %s, who acknowledged", orNone(t.Assignee), agent.Address)
		t.Assignee = agent.Address
	}
	d.takenUp(tc, agent)
}

// tierOf is the first tier of the ticket's queue that an agent belongs to; -1 none.
func (d *decision) tierOf(t *Ticket, address string) int {
	return slices.IndexFunc(d.rules.Queues[t.Queue].Tiers, func(tier []string) bool { return slices.Contains(tier, address) })
}

// ackByMail is #ack.
func (d *decision) ackByMail(tc *TicketChange, agent Agent) string {
	rings := d.found.Alarm != nil && d.found.Alarm.State == AlarmRinging
	tc.event(d.now, agent.Address, "acknowledged", "by mail")
	d.inHand(tc, agent, 0)
	if rings {
		return "acknowledged: the telephones stop ringing"
	}
	return "acknowledged"
}

// bridged decides about a call that connects an agent with a customer (#call).
func (d *decision) bridged(tc *TicketChange, l SentLetter, p Pressed) {
	agent := d.agentOf(l)
	number := cmp.Or(l.Data.Number, customerNumber(&tc.Ticket))
	switch {
	case p.Verdict == "connected" && len(d.found.Contact) > 0:
		d.trace("bridge", p.Sid, "told already")
	case p.Verdict == "connected":
		w := wordsIn(d.ticketLanguage(&tc.Ticket))
		m := d.message(DirectionOut, Author{Kind: AuthorAgent, Person: agent.ID, Address: Address{Name: agent.Name, Address: agent.Address}}, fmt.Sprintf(w.bridged, lasted(p.Duration)))
		m.Channel, m.Flags, m.Attachments = ChannelVoice, []string{flagBridge}, nil
		tc.add(m, true)
		tc.event(d.now, agent.Address, "answered", "by telephone with %s%s", number, lasted(p.Duration))
		d.answeredBy(tc, agent)
		d.end(DisposeMessage, "", "a call of %s on #%d", agent.Address, tc.Ticket.ID)
	case p.Verdict == "unanswered":
		tc.event(d.now, agent.Address, "called", "%s did not answer", number)
	case p.Verdict == "passed", p.Ended && p.Status != "completed":
		tc.event(d.now, "desk", "rang", "%s, to call %s: %s", agent.Name, number, p.outcome())
	}
}
