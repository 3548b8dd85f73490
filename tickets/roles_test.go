package tickets

import (
	"strings"
	"testing"
)

func refusals(c Change) string {
	var out []string
	for _, tc := range c.Tickets {
		for _, e := range tc.Events {
			if e.What == "refused" {
				out = append(out, e.Who+" "+e.Detail+" ("+e.Outcome+")")
			}
		}
	}
	return strings.Join(out, "; ")
}

// TestRoleIsNotEnough refuses a command above an agent's role: a receipt that
// says so, an event for the audit, and nothing of the mail is done or sent.
func TestRoleIsNotEnough(t *testing.T) {
	t.Parallel()
	denying := func(r *Rules) { r.Roles = map[Role]Rights{RoleAgent: {Denied: []string{"block"}}} }
	elsewhere := func(r *Rules) {
		agents := map[string]Agent{}
		for k, a := range r.Agents {
			agents[k] = a
		}
		a := agents[bikram.Address]
		a.Brands = []string{"zephyr"}
		agents[a.Address] = a
		r.Agents = agents
	}
	for _, c := range []struct {
		name    string
		change  func(*Rules)
		command string
		problem string
		event   string
	}{
		{"a supervisor's command", func(*Rules) {}, "#release 17", "only for a supervisor or above", "bikram@baleyo.test #release: the role agent does not allow it (refused)"},
		{"denied by the configuration", denying, "#block", "not for the role agent here", "bikram@baleyo.test #block: the role agent does not allow it (refused)"},
		{"another brand's ticket", elsewhere, "#severity low", "you do not work for Baleyo", "bikram@baleyo.test does not work for baleyo (refused)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rules := rulesForTest()
			c.change(&rules)
			got := Receive(foundWith(stored()), fromAgent(bikram, 2, []string{c.command}, "and tell her hello"), rules, noon)
			want(t, "letters", letters(got), "agent-held→"+bikram.Address)
			if p := letter(t, got, LetterHeld).Data.Problems; !strings.Contains(strings.Join(p, "; "), c.problem) {
				t.Errorf("receipt says %q, want …%s…", p, c.problem)
			}
			want(t, "audit", refusals(got), c.event)
			want(t, "severity", got.Tickets[0].Ticket.Severity, "")
			want(t, "blocked", len(got.Block), 0)
		})
	}
}

// TestHiddenCustomerData keeps from a role what the configuration hides.
func TestHiddenCustomerData(t *testing.T) {
	t.Parallel()
	rules := rulesForTest()
	rules.Roles = map[Role]Rights{RoleAgent: {Hidden: []string{"email", "organisation"}}}
	c := Receive(foundWith(), mail(), rules, noon)
	data := letter(t, c, LetterNewTicket).Data
	want(t, "customer", data.From, "Maria Lopez")
	want(t, "author", data.Author, "Maria Lopez")
	redacted := rules.redact(LetterData{
		From: "maria@example.org", Known: []string{"queue: support", "organisation: Acme", "mail: maria@example.org", "phone: +4930"},
		Newer:    []MessageView{{Author: `"Maria Lopez" <maria@example.org>`}, {Author: "Asha <" + asha.Address + ">"}, {Author: "tel:+49301234"}},
		Proposed: []string{"boss@example.org"}, Attach: []int64{1}, Tickets: []TicketView{{From: "Maria <m@x.test>"}},
	}, asha)
	want(t, "bare address", redacted.From, "a customer")
	want(t, "known", strings.Join(redacted.Known, "; "), "queue: support; phone: +4930")
	want(t, "authors", redacted.Newer[0].Author+", "+redacted.Newer[1].Author+", "+redacted.Newer[2].Author, "Maria Lopez, Asha <"+asha.Address+">, a customer")
	want(t, "list", redacted.Tickets[0].From, "Maria")
	want(t, "whole mails", len(redacted.Attach), 0)
	if strings.Contains(redacted.Proposed[0], "@") {
		t.Errorf("proposed: %q", redacted.Proposed)
	}
	if got := rules.redact(LetterData{From: "maria@example.org"}, chandra).From; got != "maria@example.org" {
		t.Errorf("a senior sees %q", got)
	}
}
