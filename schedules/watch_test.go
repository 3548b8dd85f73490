package schedules

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"frontdesk/sla"
	"frontdesk/tickets"
)

const (
	senior  = "boris@baleyo.example"
	manager = "carla@baleyo.example"
)

// promising are rules with a ladder: a critical ticket is solved in 24 hours,
// escalated at once, rung for, and its customer hears from the desk every two.
func promising() tickets.Rules {
	r := rules
	r.Agents = map[string]tickets.Agent{
		supervisor: rules.Agents[supervisor],
		senior:     {Name: "Boris", Address: senior, Role: tickets.RoleSenior, Phone: "+4930111"},
		manager:    {Name: "Carla", Address: manager, Role: tickets.RoleManager},
	}
	b := r.Brands["baleyo"]
	b.Phones = []tickets.Phone{{Number: "+4930999", Queue: "support", Texts: true}}
	r.Brands = map[string]tickets.Brand{"baleyo": b}
	r.Queues = map[string]tickets.Queue{"support": {Key: "support", Teams: []string{"first-line", "senior"}, Tiers: [][]string{{supervisor}, {senior}}}}
	r.Order = []string{"critical"}
	r.Severities = map[string]tickets.Severity{"critical": {Key: "critical", Escalate: sla.Duration{Unit: sla.Immediately}, Call: true}}
	hours := func(n int) sla.Duration { return sla.Duration{Count: n, Unit: sla.Hour} }
	r.Policy = sla.Policy{
		Rules: []sla.Rule{{Name: "critical", If: sla.Facts{Severity: "critical"}, Targets: map[sla.Clock]sla.Target{
			sla.Resolution: {Within: hours(24), Warn: sla.Warn{Percent: 75}}, sla.NextUpdate: {Within: hours(2)},
		}}},
		Done: []string{"resolved", "closed"}, Void: []string{"merged", "spam"},
	}
	r.Texting = tickets.Texting{Segments: 3, RingAgain: 3, RingFor: time.Minute}
	return r
}

// critical logs a critical request.
func (d *desk) critical() int64 {
	d.t.Helper()
	c, _, problems := tickets.Operate(tickets.Found{}, tickets.Operation{
		By: tickets.Agent{Name: "root", Address: "root@baleyo.example", Role: tickets.RoleAdmin}, Brand: "baleyo",
		Commands: []string{"#severity critical"}, Text: "Everything is down.",
		New: &tickets.NewRequest{From: tickets.Address{Name: "Maria", Address: customer}, Subject: "Down"},
	}, d.rules, d.now())
	if len(problems) > 0 {
		d.t.Fatal(problems)
	}
	return d.save(c)
}

// told counts a ticket's letters by kind: "agent-breach 2, update 11".
func (d *desk) told(ticket int64) string {
	d.t.Helper()
	counts := map[string]int{}
	for _, k := range d.letters(ticket) {
		counts[k]++
	}
	var out []string
	for k, n := range counts {
		out = append(out, fmt.Sprintf("%s %d", k, n))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// TestEscalationLeavesWithinASecond: a decision wakes the loop, whose next pass
// is half an hour away; and so do the attempts of the alarm, by the minute.
func TestEscalationLeavesWithinASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		d.rules = promising()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- d.sweep.Run(ctx) }()
		time.Sleep(time.Minute)
		id := d.critical()
		d.wake <- struct{}{}
		time.Sleep(time.Second)
		if got, want := d.told(id), "acknowledgement 1, agent-escalation 1, agent-new 1, escalated 1, ring 1, ring-text 1"; got != want {
			t.Errorf("after a second: %s, want %s", got, want)
		}
		time.Sleep(2 * time.Minute)
		if got, want := d.told(id), "ring 3, ring-text 3"; !strings.Contains(got, want) {
			t.Errorf("after two minutes: %s, want %s", got, want)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestLadderSurvivesRestarts: a day and more of it, with the desk ended and
// started at odd times, the clock set back, and once down for hours: each step
// is told once, and of the updates whose time passed meanwhile only one.
func TestLadderSurvivesRestarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		d.rules = promising()
		id := d.critical()
		d.run(10 * time.Second)
		for _, step := range []time.Duration{time.Hour, 90 * time.Minute, 3 * time.Hour} {
			d.restart()
			d.run(step)
		}
		d.ahead = -2 * time.Hour // the clock was set back
		d.run(time.Hour)
		d.ahead = 0
		before := strings.Count(strings.Join(d.letters(id), " "), "update")
		time.Sleep(10 * time.Hour) // nobody was there
		d.restart()
		d.run(time.Minute)
		if n := strings.Count(strings.Join(d.letters(id), " "), "update"); n != before+1 {
			t.Errorf("%d updates after ten hours of standstill, want one more than %d", n, before)
		}
		d.run(12 * time.Hour)
		letters := d.told(id)
		// Boris and Carla are told: warning, breach. Boris gets both steps up, and
		// Carla the second, as it was on the last tier by then; twice nobody
		// answered the telephone, of which Asha and Carla hear. The customer hears
		// of the step to another tier alone.
		for _, want := range []string{"agent-warning 2", "agent-breach 2", "agent-escalation 7", "escalated 1", "acknowledgement 1"} {
			if !strings.Contains(letters, want) {
				t.Errorf("%s\nwant %s in it", letters, want)
			}
		}
	})
}

// TestWatchIsQuiet: a ticket that wants nothing is not saved again and again.
func TestWatchIsQuiet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		d.rules = promising()
		id := d.ticket(func(*tickets.Ticket) {})
		d.run(time.Minute)
		if ids, err := d.db.Watching(t.Context(), "baleyo", d.now(), 10); err != nil || len(ids) > 0 {
			t.Errorf("still to be looked at: %v, %v", ids, err)
		}
		if got := d.told(id); got != "" {
			t.Errorf("told: %s", got)
		}
	})
}
