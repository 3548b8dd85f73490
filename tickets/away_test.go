package tickets

import (
	"strings"
	"testing"
	"time"
)

// TestAwayByMail writes #away in a mail about nothing: the absence is noted, the
// agent has one receipt, and #back ends it.
func TestAwayByMail(t *testing.T) {
	t.Parallel()
	loose := func(command string) Change {
		in := fromAgent(bikram, 0, []string{command}, "", func(in *Inbound) {
			in.To, in.Recipients = []Address{{Address: "support@baleyo.test"}}, []string{"support@baleyo.test"}
			in.Subject, in.SubjectCore, in.ReplyPrefix = "holidays", "holidays", false
		})
		return Receive(foundWith(), in, rulesForTest(), noon)
	}
	c := loose("#away until 2099-01-05")
	if len(c.Away) != 1 || c.Away[0].Agent != bikram.Address || !c.Away[0].Until.Equal(time.Date(2099, 1, 5, 0, 0, 0, 0, rulesForTest().Brands["baleyo"].Location)) {
		t.Errorf("#away noted %+v", c.Away)
	}
	want(t, "letters", letters(c), "agent-receipt→"+bikram.Address)
	if done := letter(t, c, LetterReceipt).Data.Done; len(done) != 1 || !strings.Contains(done[0], "away until 2099-01-05") {
		t.Errorf("receipt says %q", done)
	}
	c = loose("#back")
	if len(c.Away) != 1 || !c.Away[0].Until.IsZero() {
		t.Errorf("#back noted %+v", c.Away)
	}
	c = loose("#away")
	want(t, "letters of a mistake", letters(c), "agent-held→"+bikram.Address)
	want(t, "absences of a mistake", len(c.Away), 0)
}

// TestReassignedOnLeave takes what an agent has in hand and gives it to another,
// or to the tier where nobody else is there.
func TestReassignedOnLeave(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		away     map[string]time.Time
		status   Status
		assignee string
		told     string
	}{
		{"a colleague is there", map[string]time.Time{asha.Address: noon.Add(48 * time.Hour)}, StatusOpen, bikram.Address, "agent-new→" + bikram.Address},
		{"nobody is there", map[string]time.Time{asha.Address: noon.Add(48 * time.Hour), bikram.Address: noon.Add(time.Hour)}, StatusOpen, "", "agent-new→" + asha.Address + " agent-new→" + bikram.Address},
		{"the customer's turn: it waits", map[string]time.Time{asha.Address: noon.Add(48 * time.Hour)}, StatusPending, asha.Address, ""},
		{"back already", map[string]time.Time{asha.Address: noon}, StatusOpen, asha.Address, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ticket := stored(func(t *Ticket) { t.Status = c.status })
			found := foundWith(ticket)
			found.Desk = &Desk{Away: c.away}
			d := &decision{found: found, rules: assignRules(), now: noon, in: Inbound{Brand: "baleyo", Mailbox: ticket.Mailbox}}
			d.brand = d.rules.Brands["baleyo"]
			tc := d.ticket(ticket)
			d.reassign(tc)
			want(t, "assignee", tc.Ticket.Assignee, c.assignee)
			want(t, "letters", letters(Change{Tickets: []TicketChange{*tc}}), c.told)
		})
	}
}

// TestNewTicketIsAssigned assigns in the decision that opens a ticket: the tier
// hears of it, in a quiet queue the assignee alone, and the log says why.
func TestNewTicketIsAssigned(t *testing.T) {
	t.Parallel()
	for _, quiet := range []bool{false, true} {
		rules := assignRules()
		q := rules.Queues["support"]
		q.Quiet = quiet
		rules.Queues["support"] = q
		found := foundWith()
		found.Desk = &Desk{Load: map[string]Load{asha.Address: {3, map[string]int{"high": 3}}}}
		c := Receive(found, mail(), rules, noon)
		tc := c.Tickets[0]
		want(t, "assignee", tc.Ticket.Assignee, bikram.Address)
		want(t, "status", tc.Ticket.Status, StatusNew)
		told := "acknowledgement→maria@example.org agent-new→asha@baleyo.test agent-new→bikram@baleyo.test"
		if quiet {
			told = "acknowledgement→maria@example.org agent-new→bikram@baleyo.test"
		}
		want(t, "letters", letters(c), told)
		if !strings.Contains(tc.Ticket.Promises.Assigned, "the least of 2") {
			t.Errorf("why: %q", tc.Ticket.Promises.Assigned)
		}
	}
}
