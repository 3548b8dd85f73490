package tickets

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// assign gives a ticket that nobody has to an agent of its tier, and says why;
// where nobody can take it, the ticket says why not and stays with the tier.
func (d *decision) assign(tc *TicketChange) {
	t := &tc.Ticket
	if t.Assignee != "" || !t.Status.Open() || d.found.Desk == nil || !d.rules.Queues[t.Queue].Assign {
		return
	}
	a, why := d.rules.Choose(*t, *d.found.Desk, d.now)
	if a.Address == "" {
		if t.Promises.Unassigned != why {
			d.trace("assign", t.Queue, "nobody: %s", why)
			tc.event(d.now, "desk", "not assigned", "%s", why)
		}
		t.Promises.Unassigned = why
		return
	}
	t.Assignee, t.Promises.Assigned, t.Promises.Unassigned = a.Address, why, ""
	d.trace("assign", a.Address, "%s", why)
	tc.event(d.now, "desk", "assigned to", "none → %s: %s", a.Address, why)
	d.found.Desk.add(a.Address, t.Severity)
}

// add counts a ticket that this decision gave to an agent.
func (k *Desk) add(agent, severity string) {
	if k.Load == nil {
		k.Load = map[string]Load{}
	}
	l := k.Load[agent]
	severities := map[string]int{severity: 1}
	for s, n := range l.Severity {
		severities[s] += n
	}
	k.Load[agent] = Load{Open: l.Open + 1, Severity: severities}
}

// Choose picks who of the ticket's tier gets it. Asked for are the brand, that
// the agent works now, is not away and has room (max_open), and the skills: who
// names categories, languages or brands among the skills gets no others, where
// anybody of the tier has what is wanted. Of those the one with the least work
// gets it, work being counted by severity; one who knows the customer is
// preferred while that costs no more balance than the ticket itself weighs. The same
// desk always gives the same answer. why says how it came about; for nobody the
// Agent is the zero Agent.
func (r Rules) Choose(t Ticket, desk Desk, now time.Time) (_ Agent, why string) {
	var able []Agent
	not := map[string][]string{} // reason → names
	for _, a := range r.tier(t) {
		if reason := r.unable(a, t, desk, now); reason != "" {
			not[reason] = append(not[reason], a.Name)
			continue
		}
		able = append(able, a)
	}
	if len(able) == 0 {
		return Agent{}, reasons(not)
	}
	loads := make(map[string]int, len(able))
	least := 0
	for i, a := range able {
		loads[a.Address] = r.weigh(desk.Load[a.Address])
		if i == 0 || loads[a.Address] < least {
			least = loads[a.Address]
		}
	}
	knows := func(a Agent) int {
		if !r.Assign.Stick || loads[a.Address] > least+r.weight(t.Severity) {
			return 0
		}
		return desk.Knows[a.Address]
	}
	slices.SortStableFunc(able, func(a, b Agent) int {
		return cmp.Or(-cmp.Compare(knows(a), knows(b)), cmp.Compare(loads[a.Address], loads[b.Address]),
			cmp.Compare(desk.Load[a.Address].Open, desk.Load[b.Address].Open), cmp.Compare(turn(a, t), turn(b, t)), cmp.Compare(a.Address, b.Address))
	})
	best := able[0]
	return best, r.because(best, t, loads[best.Address], knows(best), len(able), not)
}

// turn decides between agents who have as much to do: by the ticket, so that on
// a quiet day not the first of the team gets everything (rendezvous hashing).
func turn(a Agent, t Ticket) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %s", t.Opened.UnixMilli(), t.Subject, a.Address)
	return h.Sum64()
}

// tier lists the agents whom the ticket is with now, in the order of the team.
func (r Rules) tier(t Ticket) []Agent {
	tiers := r.Queues[t.Queue].Tiers
	if len(tiers) == 0 {
		return nil
	}
	var out []Agent
	for _, address := range tiers[min(t.Tier, len(tiers)-1)] {
		if a, ok := r.Agent(address); ok {
			out = append(out, a)
		}
	}
	return out
}

// unable says why an agent cannot take a ticket now, "" when he can.
func (r Rules) unable(a Agent, t Ticket, desk Desk, now time.Time) string {
	switch {
	case !a.WorksFor(t.Brand):
		return "not for this brand"
	case desk.Away[a.Address].After(now):
		return "away"
	case a.Calendar != nil && !a.Calendar.Open(now):
		return "not at work now"
	}
	if lacks := r.lacks(a, t); lacks != "" {
		return "no skill " + lacks
	}
	if a.MaxOpen > 0 && desk.Load[a.Address].Open >= a.MaxOpen {
		return "has as many as max_open allows"
	}
	return ""
}

// lacks names the skill that the ticket wants and the agent does not have.
func (r Rules) lacks(a Agent, t Ticket) string {
	if !r.Assign.Skill {
		return ""
	}
	for _, want := range []struct {
		skill string
		kind  func(string) bool
	}{
		{t.Category, func(s string) bool { _, ok := r.Categories[s]; return ok }},
		{t.Brand, func(s string) bool { _, ok := r.Brands[s]; return ok }},
		{t.Language, r.languageSkill},
	} {
		if want.skill == "" || slices.Contains(a.Skills, want.skill) || !slices.ContainsFunc(a.Skills, want.kind) {
			continue // has it, or names nothing of the kind and takes all
		}
		if slices.ContainsFunc(r.tier(t), func(b Agent) bool {
			return slices.Contains(b.Skills, want.skill) || !slices.ContainsFunc(b.Skills, want.kind)
		}) {
			return want.skill
		}
	}
	return ""
}

// languageSkill reports whether a skill is a language: two letters (ISO 639-1)
// that name neither a category nor a brand.
func (r Rules) languageSkill(s string) bool {
	_, category := r.Categories[s]
	_, brand := r.Brands[s]
	return len(s) == 2 && !category && !brand
}

// weigh is the work of open tickets: a critical one keeps busier than a small one.
func (r Rules) weigh(l Load) int {
	sum := 0
	for s, n := range l.Severity {
		sum += n * r.weight(s)
	}
	return sum
}

func (r Rules) weight(severity string) int {
	if s, ok := r.Severities[severity]; ok && s.Weight > 0 {
		return s.Weight
	}
	return 1
}

func (r Rules) because(a Agent, t Ticket, load, knows, of int, not map[string][]string) string {
	parts := []string{fmt.Sprintf("work %d, the least of %d who can take it", load, of)}
	if of == 1 {
		parts[0] = "the only one who can take it"
	}
	if knows > 0 {
		parts[0] = fmt.Sprintf("knows the customer from %d tickets, work %d", knows, load)
	}
	for _, skill := range []string{t.Category, t.Language, t.Brand} {
		if skill != "" && slices.Contains(a.Skills, skill) {
			parts = append(parts, "skill "+skill)
		}
	}
	if len(not) > 0 {
		parts = append(parts, "not "+reasons(not))
	}
	return strings.Join(parts, "; ")
}

// reasons joins who cannot take a ticket and why, in a fixed order.
func reasons(not map[string][]string) string {
	if len(not) == 0 {
		return "nobody is in the tier"
	}
	var out []string
	for _, reason := range sortedKeys(not) {
		out = append(out, strings.Join(not[reason], ", ")+": "+reason)
	}
	return strings.Join(out, "; ")
}

// assignableAt is when it is worth looking again for somebody: the next time an
// agent of the tier comes to work or back; zero when that is not known.
func (r Rules) assignableAt(t Ticket, desk Desk, now time.Time) time.Time {
	var next time.Time
	for _, a := range r.tier(t) {
		at := now
		if until := desk.Away[a.Address]; until.After(now) {
			at = until
		}
		if a.Calendar != nil {
			opens, ok := a.Calendar.NextOpening(at)
			if !ok {
				continue
			}
			at = opens
		}
		if at.After(now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}
