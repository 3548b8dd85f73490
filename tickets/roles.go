package tickets

import (
	"fmt"
	"slices"
	"strings"
)

// What agents may do is in the table of commands (a least role), in the
// configuration (commands denied to a role, brands of an agent) and nowhere
// else. A refusal holds the whole mail like any other mistake, and is an event
// of its own on the ticket.

// denied says why an agent may not use a command, "" when he may.
func (r Rules) denied(who Agent, name string, min Role) string {
	switch {
	case min != "" && !who.Role.AtLeast(min):
		return fmt.Sprintf("#%s: only for a %s or above; you are %s", name, min, who.Role)
	case slices.Contains(r.Roles[who.Role].Denied, name):
		return fmt.Sprintf("#%s: not for the role %s here; ask a supervisor", name, who.Role)
	}
	return ""
}

// refusedCommands lists the command lines that the agent's role does not allow.
func (r Rules) refusedCommands(lines []string, who Agent) []string {
	var out []string
	for _, line := range lines {
		name, _, _ := strings.Cut(strings.TrimLeft(strings.TrimSpace(line), "#"), " ")
		name = strings.ToLower(strings.TrimRight(name, ":.,;!?"))
		if spec, ok := commandSpecs[name]; ok && r.denied(who, name, spec.min) != "" {
			out = append(out, "#"+name)
		}
	}
	return out
}

// audit notes on the ticket that a role was not enough.
func (d *decision) audit(tc *TicketChange, agent Agent) {
	for _, c := range d.rules.refusedCommands(d.in.Commands, agent) {
		tc.event(d.now, agent.Address, "refused", "%s: the role %s does not allow it", c, agent.Role)
		tc.Events[len(tc.Events)-1].Outcome = "refused"
		d.trace("role", c, "refused: %s is %s", agent.Address, agent.Role)
	}
	if !agent.WorksFor(tc.Ticket.Brand) {
		tc.event(d.now, agent.Address, "refused", "does not work for %s", tc.Ticket.Brand)
		tc.Events[len(tc.Events)-1].Outcome = "refused"
	}
}

// redact takes out of a letter what the role of its reader may not see of
// customers. Words that people wrote stay as they are.
func (r Rules) redact(data LetterData, reader Agent) LetterData {
	hidden := r.Roles[reader.Role].Hidden
	if len(hidden) == 0 {
		return data
	}
	hide := func(what string) bool { return slices.Contains(hidden, what) }
	if hide("email") || hide("phone") {
		person := func(s string) string { return r.nameOnly(s) }
		data.From, data.Author = person(data.From), person(data.Author)
		data.Newer, data.Tickets = slices.Clone(data.Newer), slices.Clone(data.Tickets)
		for i := range data.Newer {
			data.Newer[i].Author = person(data.Newer[i].Author)
		}
		for i := range data.Tickets {
			data.Tickets[i].From = person(data.Tickets[i].From)
		}
		data.Attach = nil // whole mails show their addresses
		data.Number = ""
		if len(data.Proposed) > 0 {
			data.Proposed = []string{fmt.Sprintf("%d addresses that your role does not show", len(data.Proposed))}
		}
	}
	data.Known = slices.DeleteFunc(slices.Clone(data.Known), func(line string) bool {
		name, _, _ := strings.Cut(line, ":")
		return slices.Contains(hidden, knownKinds[name])
	})
	return data
}

// knownKinds says to which kind of customer data a line of LetterData.Known
// belongs; other lines are about the ticket.
var knownKinds = map[string]string{
	"mail": "email", "may be": "email", "profile": "email", "phone": "phone", "number": "phone", "caller": "phone",
	"organisation": "organisation", "product": "products", "products": "products", "serial": "products", "warranty": "products", "notes": "notes",
}

// nameOnly keeps the name of "Maria Lopez <maria@example.org>"; colleagues stay
// as they are, a bare address becomes "a customer".
func (r Rules) nameOnly(s string) string {
	name, rest, found := strings.Cut(s, "<")
	address := s
	if found {
		address = strings.TrimRight(rest, "> ")
	}
	if _, colleague := r.Agent(address); colleague || s == "" {
		return s
	}
	if name = strings.TrimSpace(strings.Trim(strings.TrimSpace(name), `"`)); found && name != "" {
		return name
	}
	if strings.ContainsAny(s, "@") || Number(s) != "" || strings.HasPrefix(s, "+") {
		return "a customer"
	}
	return s
}
