package tickets

import (
	"strings"
	"testing"
)

// TestReleaseAnswersOneCheck: a released mail skips the check that held it, and
// no other.
func TestReleaseAnswersOneCheck(t *testing.T) {
	t.Parallel()
	keys := Keyring{Current: secret}
	released := func(reasons ...string) func(*Inbound) {
		return func(in *Inbound) { in.Released, in.Answered = chandra.Address, reasons }
	}
	unproven := func(in *Inbound) { in.Auth = Auth{Method: "none"} }
	others := keys.RelayAddress("support@baleyo.test", "+", Relay{42, bikram.ID, RelayAgent, 2})
	forged := strings.Replace(others, "-", "-1", 1)
	agent := func(f ...func(*Inbound)) Inbound { return fromAgent(asha, 2, nil, "Try now.", f...) }
	to := func(a string) func(*Inbound) {
		return func(in *Inbound) { in.To, in.Recipients, in.Subject, in.ReplyPrefix = nil, []string{a}, "x", false }
	}
	for _, c := range []struct {
		name        string
		in          Inbound
		found       func(*Found)
		disposition Disposition
		reason      string
		letters     string
	}{
		{name: "unproven agent", in: agent(unproven, released("agent-unproven")), disposition: DisposeMessage, letters: "answer→maria@example.org"},
		{name: "unproven agent, held for something else", in: agent(unproven, released("relay-person")), disposition: DisposeQuarantined, reason: "agent-unproven"},
		{name: "a colleague's relay address, proven", in: agent(to(others), released("relay-person")), disposition: DisposeMessage, letters: "answer→maria@example.org"},
		{name: "a colleague's relay address, unproven", in: agent(to(others), unproven, released("relay-person")), disposition: DisposeQuarantined, reason: "agent-unproven"},
		{name: "both answered", in: agent(to(others), unproven, released("relay-person", "agent-unproven")), disposition: DisposeMessage, letters: "answer→maria@example.org"},
		{name: "unproven agent at a colleague's address", in: agent(to(others), unproven, released("agent-unproven")), disposition: DisposeQuarantined, reason: "relay-person"},
		{name: "altered relay address", in: agent(to(forged), released("relay-forged")), disposition: DisposeMessage, letters: "acknowledgement→asha@baleyo.test agent-new→asha@baleyo.test agent-new→bikram@baleyo.test"},
		{name: "agent who names a ticket becomes its unverified reader", in: agent(to("support@baleyo.test"), released("agent-no-relay"), func(in *Inbound) { in.InReplyTo = []string{keys.MessageID(42, "m2", "baleyo.test")} }), disposition: DisposeMessage, letters: "agent-message→asha@baleyo.test"},
		{name: "stranger at an agent's relay address", in: mail(to(others), released("not-an-agent")), disposition: DisposeMessage, letters: "acknowledgement→maria@example.org agent-new→asha@baleyo.test agent-new→bikram@baleyo.test"},
		{name: "loop", in: mail(func(in *Inbound) { in.Hops = 40 }, released("loop")), disposition: DisposeMessage, letters: "acknowledgement→maria@example.org agent-new→asha@baleyo.test agent-new→bikram@baleyo.test"},
		{name: "automatic reply", in: mail(func(in *Inbound) { in.Kind, in.ReplyPrefix = KindAutoReply, true }, released("auto-reply")), disposition: DisposeMessage, letters: "agent-new→asha@baleyo.test agent-new→bikram@baleyo.test"},
		{name: "report about no letter", in: mail(func(in *Inbound) { in.Kind, in.Bounce = KindBounce, &Bounce{} }, released("report-unmatched")), disposition: DisposeMessage, letters: "agent-new→asha@baleyo.test agent-new→bikram@baleyo.test"},
		{name: "blocked", in: mail(released("blocked")), found: func(f *Found) { f.Person = &Person{ID: 7, Blocked: true} }, disposition: DisposeMessage, letters: "acknowledgement→maria@example.org agent-new→asha@baleyo.test agent-new→bikram@baleyo.test"},
		{name: "blocked, held for something else", in: mail(released("loop")), found: func(f *Found) { f.Person = &Person{ID: 7, Blocked: true} }, disposition: DisposeQuarantined, reason: "blocked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found := foundWith(stored())
			if c.found != nil {
				c.found(&found)
			}
			got := Receive(found, c.in, rulesForTest(), noon)
			want(t, "disposition", got.Disposition, c.disposition)
			want(t, "reason", got.Reason, c.reason)
			if got.Disposition != DisposeQuarantined {
				want(t, "letters", letters(got), c.letters)
			}
		})
	}
	c := Receive(foundWith(stored()), agent(unproven, released("agent-unproven")), rulesForTest(), noon)
	said := false
	for _, e := range c.Tickets[0].Events {
		said = said || e.What == "released" && strings.Contains(e.Detail, chandra.Address) && strings.Contains(e.Detail, asha.Address)
	}
	want(t, "the ticket's log says who vouched for whom", said, true)
}
