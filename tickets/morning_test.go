package tickets

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"frontdesk/sla"
)

// shown lists morning letters as "kind→address: part 1 2; part 3".
func shown(c Change) []string {
	var out []string
	for _, l := range c.Letters {
		var parts []string
		for _, p := range l.Data.Queues {
			line := p.Title
			for _, t := range p.Tickets {
				line += fmt.Sprintf(" %d", t.ID)
			}
			parts = append(parts, line)
		}
		out = append(out, string(l.Kind)+"→"+l.To.Address+": "+strings.Join(parts, "; "))
	}
	return out
}

// TestMorning sorts what is open by what it wants today, for each agent and team.
func TestMorning(t *testing.T) {
	t.Parallel()
	rules := rulesForTest()
	rules.Order = []string{"critical", "high", "medium", "low"}
	now := time.Date(2026, 3, 4, 2, 0, 0, 0, time.UTC) // a Wednesday; 07:45 in Kathmandu
	due := func(state sla.State, at time.Time) Promises {
		v := ClockView{Clock: sla.Resolution, State: state, Due: at}
		if state == sla.StateBreached {
			v.Breached = at
		}
		return Promises{Clocks: []ClockView{v}}
	}
	ticket := func(id int64, assignee, severity string, status Status, p Promises) Ticket {
		return *stored(func(x *Ticket) {
			x.ID, x.Assignee, x.Severity, x.Status, x.Promises, x.Opened = id, assignee, severity, status, p, now.Add(-time.Duration(id)*time.Hour)
		})
	}
	open := []Ticket{
		ticket(1, asha.Address, "low", StatusOpen, due(sla.StateRunning, now.Add(100*time.Hour))),
		ticket(2, asha.Address, "high", StatusOpen, due(sla.StateRunning, now.Add(3*time.Hour))),
		ticket(3, asha.Address, "low", StatusOpen, due(sla.StateRunning, now.Add(2*time.Hour))),
		ticket(4, asha.Address, "high", StatusOpen, due(sla.StateBreached, now.Add(-time.Hour))),
		ticket(5, asha.Address, "high", StatusPending, due(sla.StatePaused, time.Time{})),
		ticket(6, asha.Address, "high", StatusResolved, Promises{}),
		ticket(7, "", "high", StatusNew, due(sla.StateRunning, now.Add(50*time.Hour))),
		ticket(8, "", "low", StatusNew, Promises{}),
	}
	for _, c := range []struct {
		name string
		desk Desk
		want []string
	}{
		{"everybody at work", Desk{}, []string{
			"agent-morning→asha@baleyo.test: overdue 4; due today 2 3; open 1; waiting 5",
			"agent-team→asha@baleyo.test: unassigned 7 8; at risk 4 2 3",
			"agent-team→bikram@baleyo.test: unassigned 7 8; at risk 4 2 3",
		}},
		{"one is away", Desk{Away: map[string]time.Time{asha.Address: now.Add(time.Hour)}}, []string{
			"agent-team→bikram@baleyo.test: unassigned 7 8; at risk 4 2 3",
		}},
	} {
		got := shown(Morning(open, []string{"printer: offline"}, c.desk, rules, "2026-03-04", now))
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	if c := Morning(nil, []string{"printer: offline"}, Desk{}, rules, "2026-03-04", now); len(c.Letters) != 0 {
		t.Errorf("nothing is open, and letters go: %q", shown(c))
	}
	closed, err := sla.NewCalendar(sla.Hours{Week: [7][]sla.Span{time.Thursday: {{Open: 540, Close: 1020}}}})
	if err != nil {
		t.Fatal(err)
	}
	b := rules.Brands["baleyo"]
	b.Calendar = closed
	rules.Brands["baleyo"] = b
	if c := Morning(open, nil, Desk{}, rules, "2026-03-04", now); len(c.Letters) != 0 {
		t.Errorf("the desk is closed all day, and letters go: %q", shown(c))
	}
}
