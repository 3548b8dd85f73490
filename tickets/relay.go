package tickets

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// capability is the ticket that a mail may act on as an agent: from a relay
// address or, where the provider has no subaddressing, from our Message-ID of a
// letter to that agent. It is half of an agent's power; a proven From is the
// other half, and either alone does nothing.
type capability struct {
	ticket  *Ticket // nil for letters about no ticket
	version int     // what the agent saw
	how     string
}

// agentMail handles mail in an agent's name. It returns false for everybody
// else's, and for an agent who writes as a customer.
func (d *decision) agentMail() bool {
	agent, isAgent := d.rules.Agent(d.in.From.Address)
	power, why := d.capability(agent)
	switch {
	case why != "":
		return d.refuseAgent(agent, isAgent, why)
	case !isAgent:
		return false
	case d.in.Kind == KindAutoReply:
		d.trace("agent", agent.Address, "an agent's automatic reply is never relayed")
		return d.end(DisposeDiscarded, "agent-auto-reply", "automatic reply of %s", agent.Address)
	case d.in.Kind != KindMessage && d.in.Kind != KindBulk:
		return false
	case !d.proven() && d.waitsForProof():
		return true
	case !d.proven():
		return d.refuseAgent(agent, true, "agent-unproven")
	}
	if !d.in.Auth.Pass && !d.rules.AddressOnly {
		d.vouched = true
	}
	d.in.Auth.Pass = true
	d.trace("agent", agent.Address, "%s: %s %s", agent.Role, d.in.Auth.Method, d.in.Auth.Detail)
	if power != nil {
		d.trace("T1", power.how, "accepted: may act")
		d.act(agent, power)
		return true
	}
	return d.agentWithout(agent)
}

// An agent's mail whose proof cannot be had waits for it: a name server that is
// away for a minute would otherwise hold the answers of a whole team.
const (
	proofWithin = 30 * time.Minute
	proofSoon   = 30 * time.Second // between two tries, doubling
)

// waitsForProof puts a mail off whose keys could not be asked for. The tries are
// as far apart as the mail is old.
func (d *decision) waitsForProof() bool {
	since := d.in.Tried
	if since.IsZero() || since.After(d.now) {
		since = d.now
	}
	if !d.in.Auth.Later || d.now.Sub(since) >= proofWithin {
		return false
	}
	next := d.now.Add(max(proofSoon, d.now.Sub(since)))
	if last := since.Add(proofWithin); next.After(last) {
		next = last
	}
	d.trace("agent", NormalAddress(d.in.From.Address), "waits until %s: %s", next.UTC().Format(time.RFC3339), d.in.Auth.Detail)
	d.c.Defer = next
	return true
}

func (d *decision) proven() bool {
	return d.in.Auth.Pass || d.rules.AddressOnly || d.letThrough("agent-unproven")
}

// capability looks for the ticket and checks that the power was given to this
// agent. why names what is wrong with it.
func (d *decision) capability(agent Agent) (power *capability, why string) {
	for _, h := range d.ev.relays {
		switch {
		case h.err != nil:
			why = "relay-forged" // unless a good one stands beside it
			continue
		case h.relay.Role != RelayAgent:
			continue
		case agent.Address == "":
			d.trace("T1", h.String(), "an agent's address, but %s is not in the team", d.in.From.Address)
			if d.letThrough("not-an-agent", "relay-role") {
				continue
			}
			return nil, "not-an-agent"
		case h.relay.Person != agent.ID && !d.letThrough("relay-person"):
			d.trace("T1", h.String(), "given to another agent")
			return nil, "relay-person"
		}
		t := d.found.Tickets[h.relay.Ticket]
		if t == nil && h.relay.Ticket != 0 {
			d.trace("T1", h.String(), "no such ticket in %s", d.in.Brand)
			if d.letThrough("relay-ticket") {
				continue
			}
			return nil, "relay-ticket"
		}
		return &capability{ticket: d.followed(t), version: h.relay.Version, how: h.String()}, ""
	}
	if why != "" && agent.Address != "" && !d.letThrough(why) {
		d.trace("T1", "", "an altered relay address, and no good one beside it: refused")
		return nil, why
	}
	return d.capabilityByID(agent), ""
}

// capabilityByID is the fallback for providers without subaddressing.
func (d *decision) capabilityByID(agent Agent) *capability {
	if agent.Address == "" {
		return nil
	}
	for _, o := range d.ev.ours {
		for _, h := range d.found.ByMessageID[o.id] {
			if h.Agent && SameAddress(h.To, agent.Address) {
				return &capability{ticket: d.followed(d.found.Tickets[o.ticket]), version: h.Version, how: "our letter " + o.id}
			}
		}
	}
	return nil
}

// followed leads a merged ticket to the one it lives on in.
func (d *decision) followed(t *Ticket) *Ticket {
	for i := 0; t != nil && t.Status == StatusMerged && i < 20; i++ {
		t = d.found.Tickets[t.MergedInto]
	}
	return t
}

// refuseAgent holds a mail in an agent's name that is not trusted, and tells
// the agent and the supervisors, at most once an hour.
func (d *decision) refuseAgent(agent Agent, isAgent bool, reason string) bool {
	said := map[string]string{
		"relay-forged":   "it was sent to a reply address that is altered or out of date",
		"relay-person":   "it was sent to a reply address that belongs to a colleague",
		"relay-ticket":   "it was sent to the reply address of a ticket that is not there",
		"agent-unproven": "the From address is not proven (" + d.in.Auth.Method + ": " + d.in.Auth.Detail + ")",
		"agent-no-relay": "it names a ticket but was not sent to a reply address of the desk",
		"not-an-agent":   d.in.From.Address + " used an agent's reply address without being in the team",
	}[reason]
	d.quarantine(reason, "%s", said)
	told := d.supervisors()
	if isAgent && !slices.ContainsFunc(told, func(a Agent) bool { return a.Address == agent.Address }) {
		told = append(told, agent)
	}
	hour := d.now.UTC().Format("2006-01-02T15")
	for _, a := range told {
		d.loose(a, LetterRefusal, fmt.Sprintf("refusal:%s:%s:%s", NormalAddress(d.in.From.Address), a.Address, hour), LetterData{
			Problems: []string{said}, From: d.in.From.Address,
			Quarantine: []HeldMail{{ID: d.in.Ledger, At: d.in.Received, From: d.in.From.Address, Reason: reason, Detail: said}},
		})
	}
	return true
}

// agentWithout handles an agent's mail that carries no power over a ticket.
func (d *decision) agentWithout(agent Agent) bool {
	if d.recordOwnClient(agent) {
		return true
	}
	from, other := d.onBehalf()
	switch {
	case other:
		d.logFor(agent, from)
		return true
	case (len(d.ev.ours) > 0 || len(d.ev.tags) > 0) && !d.letThrough("agent-no-relay"):
		return d.refuseAgent(agent, true, "agent-no-relay")
	case len(d.in.Commands) > 0:
		d.act(agent, &capability{how: "no ticket"})
		return true
	}
	return false
}

// recordOwnClient is T10: an agent wrote to the customer from his own client
// with the mailbox in Cc or Bcc. It is recorded; the customer has it already.
func (d *decision) recordOwnClient(agent Agent) bool {
	var outside []Address
	for _, a := range slices.Concat(d.in.To, d.in.Cc) {
		if _, colleague := d.rules.Agent(a.Address); a.Address != "" && !colleague && !d.rules.Ours(a.Address) {
			outside = append(outside, a)
		}
	}
	if len(outside) == 0 {
		d.trace("T10", agent.Address, "not written to anybody outside")
		return false
	}
	for _, t := range d.citedTickets() {
		if !slices.ContainsFunc(outside, func(a Address) bool { return t.Verified(a.Address) }) {
			continue
		}
		tc := d.ticket(t)
		by := Author{Kind: AuthorAgent, Person: agent.ID, Address: Address{Name: agent.Name, Address: agent.Address}}
		tc.add(d.message(DirectionOut, by, strings.TrimSpace(d.in.Reply)), true)
		tc.event(d.now, agent.Address, "answered", "from the agent's own mail client")
		d.answeredBy(tc, agent)
		d.trace("T10", fmt.Sprintf("#%d", t.ID), "recorded as %s's message", agent.Address)
		return d.end(DisposeMessage, "", "an agent's own mail, recorded on #%d", t.ID)
	}
	d.trace("T10", agent.Address, "cites no ticket of the addressee")
	return false
}

// citedTickets lists tickets that the mail names in any way, best first.
func (d *decision) citedTickets() []*Ticket {
	var out []*Ticket
	add := func(n int64) {
		if t := d.followed(d.found.Tickets[n]); t != nil && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	for _, o := range d.ev.ours {
		add(o.ticket)
	}
	for _, id := range d.ev.cites {
		for _, h := range d.found.ByMessageID[id] {
			add(h.Ticket)
		}
	}
	for _, n := range d.ev.tags {
		add(n)
	}
	return out
}

// onBehalf says whose request an agent logs: #from, or a forwarded mail's author.
func (d *decision) onBehalf() (Address, bool) {
	for _, line := range d.in.Commands {
		if name, arg, _ := strings.Cut(line, " "); strings.EqualFold(name, "#from") {
			return Address{Address: strings.Trim(strings.TrimSpace(arg), "<>")}, true
		}
	}
	if f := d.in.Forwarded; f != nil && plausible(f.From.Address) && !d.rules.Ours(f.From.Address) {
		if _, colleague := d.rules.Agent(f.From.Address); !colleague {
			return f.From, true
		}
	}
	return Address{}, false
}

// loggable are the commands that can be carried out on a request while it is
// being logged.
var loggable = []string{"from", "take", "assign", "note", "severity", "impact", "urgency", "category", "queue", "tag", "cc", "due", "time", "pending", "hold"}

// logFor opens a ticket in somebody else's name (a walk-in, a forwarded mail).
func (d *decision) logFor(agent Agent, requester Address) {
	commands, problems := ParseCommands(d.in.Commands, agent, d.rules, d.localNow())
	for _, c := range commands {
		if !slices.Contains(loggable, c.Name) {
			problems = append(problems, fmt.Sprintf("#%s: the request is only being logged; reply to its mail", c.Name))
		}
	}
	if len(problems) > 0 {
		d.holdLoose(agent, problems)
		return
	}
	text, comment, subject := strings.TrimSpace(d.in.Reply), "", d.in.SubjectCore
	if f := d.in.Forwarded; f != nil && SameAddress(f.From.Address, requester.Address) {
		text, comment = strings.TrimSpace(f.Text), text
		if f.Subject != "" {
			subject = f.Subject
		}
	}
	tc := d.newTicket(requester, subject, d.in.SubjectCore)
	m := d.message(DirectionIn, Author{Kind: AuthorCustomer, Address: requester}, text)
	m.MessageID, m.InReplyTo, m.Cites = "", nil, nil // the agent's client's, not the customer's
	carry := tc.add(m, true)
	tc.event(d.now, agent.Address, "logged", "for %s", requester.Address)
	if comment != "" {
		d.note(tc, agent, comment)
	}
	d.logProduct(tc, agent)
	d.sort(tc)
	done := d.apply(tc, agent, commands)
	d.lesson(tc, commands, false)
	d.outbreak(tc)
	d.assign(tc)
	done = append(done, d.finish(tc, agent, slices.DeleteFunc(slices.Clone(commands), func(c Command) bool { return c.Name != "pending" && c.Name != "hold" }))...)
	d.acknowledge(tc, carry)
	d.tellAgents(tc, LetterNewTicket, carry, false)
	if !slices.ContainsFunc(tc.Letters, func(l Letter) bool { return l.Agent && SameAddress(l.To.Address, agent.Address) }) {
		data := d.view(tc, carry)
		data.Done = append([]string{"logged for " + requester.Address}, done...)
		d.toAgent(tc, agent, LetterReceipt, 0, data)
	}
	d.end(DisposeMessage, "", "logged by %s for %s", agent.Address, requester.Address)
}

func (d *decision) localNow() time.Time {
	if d.brand.Location == nil {
		return d.now
	}
	return d.now.In(d.brand.Location)
}

// errNothing is what an empty mail of an agent is told.
var errNothing = errors.New("the mail has no text, no command and no attachment: nothing was sent")
