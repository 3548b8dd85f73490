package tickets

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/sla"
)

func assignRules() Rules {
	r := rulesForTest()
	r.Assign = AssignRules{Skill: true, Stick: true}
	q := r.Queues["support"]
	q.Assign = true
	r.Queues["support"] = q
	r.Severities = map[string]Severity{
		"critical": {Key: "critical", Weight: 8}, "high": {Key: "high", Weight: 4},
		"medium": {Key: "medium", Weight: 2}, "low": {Key: "low", Weight: 1},
	}
	return r
}

func withAgent(r *Rules, address string, change func(*Agent)) {
	a := r.Agents[address]
	change(&a)
	r.Agents[address] = a
}

// TestChoose says who gets a ticket and why.
func TestChoose(t *testing.T) {
	t.Parallel()
	const asha, bikram = "asha@baleyo.test", "bikram@baleyo.test"
	now := time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC) // a Wednesday
	ticket := Ticket{Brand: "baleyo", Queue: "support", Category: "technical", Severity: "medium", Language: "en"}
	nights, err := sla.NewCalendar(sla.Hours{Week: [7][]sla.Span{time.Wednesday: {{Open: 20 * 60, Close: 23 * 60}}}})
	if err != nil {
		t.Fatal(err)
	}
	busy := func(n int) Desk {
		return Desk{Load: map[string]Load{asha: {Open: n, Severity: map[string]int{"medium": n}}}}
	}
	for _, c := range []struct {
		name   string
		change func(*Rules)
		desk   Desk
		want   string
		why    string
	}{
		{"nothing sets them apart: the ticket decides", nil, Desk{}, asha, "work 0"},
		{"less work", nil, busy(1), bikram, "the least of 2"},
		{"weights count, not numbers", nil, Desk{Load: map[string]Load{asha: {1, map[string]int{"critical": 1}}, bikram: {3, map[string]int{"low": 3}}}}, bikram, "work 3"},
		{"skill of the category", func(r *Rules) {
			withAgent(r, asha, func(a *Agent) { a.Skills = []string{"billing"} })
			withAgent(r, bikram, func(a *Agent) { a.Skills = []string{"technical"} })
		}, Desk{}, bikram, "skill technical; not Asha: no skill technical"},
		{"a skill that nobody has is not asked for", func(r *Rules) {
			withAgent(r, asha, func(a *Agent) { a.Skills = []string{"billing"} })
			withAgent(r, bikram, func(a *Agent) { a.Skills = []string{"billing"} })
		}, Desk{}, asha, "work 0"},
		{"language", func(r *Rules) {
			withAgent(r, asha, func(a *Agent) { a.Skills = []string{"de"} })
			withAgent(r, bikram, func(a *Agent) { a.Skills = []string{"en"} })
		}, Desk{}, bikram, "skill en"},
		{"who names no language takes all", func(r *Rules) {
			withAgent(r, asha, func(a *Agent) { a.Skills = []string{"technical"} })
			withAgent(r, bikram, func(a *Agent) { a.Skills = []string{"technical", "de"} })
		}, busy(4), asha, "the only one"},
		{"away", nil, Desk{Away: map[string]time.Time{asha: now.Add(time.Hour)}}, bikram, "Asha: away"},
		{"back again", nil, Desk{Away: map[string]time.Time{asha: now}}, asha, ""},
		{"not at work", func(r *Rules) { withAgent(r, asha, func(a *Agent) { a.Calendar = nights }) }, Desk{}, bikram, "Asha: not at work now"},
		{"full", func(r *Rules) { withAgent(r, bikram, func(a *Agent) { a.MaxOpen = 1 }) },
			Desk{Load: map[string]Load{asha: {9, map[string]int{"high": 9}}, bikram: {1, map[string]int{"low": 1}}}}, asha, "Bikram: has as many as max_open allows"},
		{"not their brand", func(r *Rules) { withAgent(r, asha, func(a *Agent) { a.Brands = []string{"zephyr"} }) }, Desk{}, bikram, "Asha: not for this brand"},
		{"knows the customer", nil, Desk{Load: busy(1).Load, Knows: map[string]int{asha: 3}}, asha, "knows the customer from 3 tickets"},
		{"knows the customer, but has much more to do", nil, Desk{Load: busy(2).Load, Knows: map[string]int{asha: 3}}, bikram, "work 0"},
		{"nobody", nil, Desk{Away: map[string]time.Time{asha: now.Add(time.Hour), bikram: now.Add(time.Hour)}}, "", "Asha, Bikram: away"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rules := assignRules()
			rules.Agents = maps.Clone(rules.Agents)
			if c.change != nil {
				c.change(&rules)
			}
			got, why := rules.Choose(ticket, c.desk, now)
			if got.Address != c.want || !strings.Contains(why, c.why) {
				t.Errorf("Choose = %q, %q; want %q, …%q…", got.Address, why, c.want, c.why)
			}
		})
	}
}

// TestAssignmentSimulation gives 2,000 tickets to 12 agents with skills, hours
// and leave, and looks at every step for what must never be: somebody who is
// not there, cannot do it or has enough gets a ticket while another could take
// it. What came out is kept.
func TestAssignmentSimulation(t *testing.T) {
	t.Parallel()
	s := newSimulation(t)
	for s.step() {
	}
	got := s.report()
	const golden = "testdata/assignment.golden"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("simulation:\n%s\nwant:\n%s", got, want)
	}
	if s.spread > 0.10 {
		t.Errorf("work is spread within %.1f %%, want 10 %%", 100*s.spread)
	}
	if n := len(s.waiting); n > 0 {
		t.Errorf("%d tickets are left unassigned", n)
	}
}

// simulation is a desk in which every agent works off what is assigned, worst
// first, while at work.
type simulation struct {
	t       *testing.T
	rng     *rand.Rand
	rules   Rules
	now     time.Time
	end     time.Time
	left    int // tickets still to come
	waiting []Ticket
	desk    Desk
	open    map[string][]Ticket      // by agent, in queue order
	done    map[string]time.Duration // work on the first of them
	leave   map[string][2]time.Time
	knows   map[int64]map[string]int // by customer

	given    map[string]int // tickets
	weights  map[string]int // of them
	worked   map[string]time.Duration
	moved    int
	waited   int
	hot      int // tickets that were assigned to who knows the customer
	atWork   map[string]int
	loadSum  map[string]float64
	spread   float64
	sequence int64
}

const simulationStep = 5 * time.Minute

func newSimulation(t *testing.T) *simulation {
	s := &simulation{
		t: t, rng: rand.New(rand.NewPCG(1, 2)), rules: assignRules(), left: 2000,
		now: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), end: time.Date(2026, 5, 8, 0, 0, 0, 0, time.UTC),
		open: map[string][]Ticket{}, done: map[string]time.Duration{}, leave: map[string][2]time.Time{}, knows: map[int64]map[string]int{},
		given: map[string]int{}, weights: map[string]int{}, worked: map[string]time.Duration{}, atWork: map[string]int{}, loadSum: map[string]float64{},
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	var tier []string
	for i := range 12 {
		early, late := 8*60, 16*60
		if i%2 == 1 {
			early, late = 10*60, 18*60
		}
		week := [7][]sla.Span{}
		for day := time.Monday; day <= time.Friday; day++ {
			if i%6 != 5 || day != time.Friday { // two agents work four days
				week[day] = []sla.Span{{Open: early, Close: late}}
			}
		}
		calendar, err := sla.NewCalendar(sla.Hours{Location: berlin, Week: week})
		if err != nil {
			t.Fatal(err)
		}
		a := Agent{
			ID: int64(100 + i), Name: fmt.Sprintf("Agent %c", 'A'+i), Address: fmt.Sprintf("%c@desk.test", 'a'+i), Role: RoleAgent,
			Skills: [][]string{{"technical", "en"}, {"technical", "billing", "en", "de"}, {"billing", "en"}, nil}[i%4], MaxOpen: []int{18, 20, 24}[i%3], Calendar: calendar,
		}
		s.rules.Agents[a.Address] = a
		tier = append(tier, a.Address)
		if i%3 == 0 { // a week's leave
			from := s.now.AddDate(0, 0, 7+i)
			s.leave[a.Address] = [2]time.Time{from, from.AddDate(0, 0, 7)}
		}
	}
	q := s.rules.Queues["support"]
	q.Tiers = [][]string{tier}
	s.rules.Queues["support"] = q
	s.desk = Desk{Load: map[string]Load{}, Away: map[string]time.Time{}}
	return s
}

// step plays five minutes.
func (s *simulation) step() bool {
	s.now = s.now.Add(simulationStep)
	s.comeAndGo()
	busy := 0.02
	if h := s.now.Hour(); h >= 7 && h < 18 {
		busy = 0.22
	}
	for s.left > 0 && s.rng.Float64() < busy {
		s.arrive()
	}
	s.retry()
	for _, address := range sortedKeys(s.rules.Agents) {
		s.work(s.rules.Agents[address])
	}
	return s.now.Before(s.end)
}

// comeAndGo begins and ends leave; what an agent has in hand goes to others.
func (s *simulation) comeAndGo() {
	for _, a := range sortedKeys(s.leave) {
		l := s.leave[a]
		if s.now.Before(l[0]) || !s.now.Before(l[1]) {
			delete(s.desk.Away, a)
			continue
		}
		if s.desk.Away[a].IsZero() {
			s.desk.Away[a] = l[1]
			s.moved += len(s.open[a])
			s.waiting = append(s.waiting, s.open[a]...)
			s.open[a], s.done[a] = nil, 0
			s.count(a)
		}
	}
}

func (s *simulation) arrive() {
	s.left--
	s.sequence++
	pick := func(list ...string) string { return list[s.rng.IntN(len(list))] }
	s.waiting = append(s.waiting, Ticket{
		ID: s.sequence, Brand: "baleyo", Queue: "support", Status: StatusNew, Requester: int64(s.rng.IntN(1500)), Opened: s.now,
		Category: pick("technical", "technical", "technical", "billing", "billing", ""), Language: pick("en", "en", "en", "de"),
		Severity: pick("critical", "high", "high", "medium", "medium", "medium", "medium", "low", "low", "low"),
	})
}

// retry assigns what waits, as the watch over tickets does.
func (s *simulation) retry() {
	var still []Ticket
	for _, t := range s.waiting {
		s.desk.Knows = s.knows[t.Requester]
		a, why := s.rules.Choose(t, s.desk, s.now)
		if a.Address == "" {
			s.nobodyCould(t, why)
			still = append(still, t)
			continue
		}
		s.couldHave(a, t)
		s.take(a, t, why)
	}
	s.waiting = still
}

func (s *simulation) take(a Agent, t Ticket, why string) {
	if s.now.Sub(t.Opened) > simulationStep {
		s.waited++
	}
	if strings.HasPrefix(why, "knows") {
		s.hot++
	}
	s.given[a.Address]++
	s.weights[a.Address] += s.rules.weight(t.Severity)
	s.open[a.Address] = append(s.open[a.Address], t)
	slices.SortStableFunc(s.open[a.Address], func(x, y Ticket) int { return s.rules.weight(y.Severity) - s.rules.weight(x.Severity) })
	s.count(a.Address)
	if s.knows[t.Requester] == nil {
		s.knows[t.Requester] = map[string]int{}
	}
	s.knows[t.Requester][a.Address]++
}

func (s *simulation) count(agent string) {
	l := Load{Open: len(s.open[agent]), Severity: map[string]int{}}
	for _, t := range s.open[agent] {
		l.Severity[t.Severity]++
	}
	s.desk.Load[agent] = l
}

// work spends five minutes on the worst ticket of an agent at work.
func (s *simulation) work(a Agent) {
	if a.Calendar == nil || !a.Calendar.Open(s.now) || s.desk.Away[a.Address].After(s.now) {
		return
	}
	s.atWork[a.Address]++
	s.loadSum[a.Address] += float64(s.rules.weigh(s.desk.Load[a.Address]))
	if len(s.open[a.Address]) == 0 {
		return
	}
	s.worked[a.Address] += simulationStep
	s.done[a.Address] += simulationStep
	if first := s.open[a.Address][0]; s.done[a.Address] >= time.Duration(s.rules.weight(first.Severity))*33*time.Minute {
		s.open[a.Address], s.done[a.Address] = s.open[a.Address][1:], 0
		s.count(a.Address)
	}
}

// qualified is written a second time, from the promise and not from the code.
func (s *simulation) qualified(a Agent, t Ticket) bool {
	there := a.Calendar.Open(s.now) && !s.desk.Away[a.Address].After(s.now)
	category := t.Category == "" || a.Skills == nil || slices.Contains(a.Skills, t.Category)
	language := a.Skills == nil || slices.Contains(a.Skills, t.Language)
	return there && category && language
}

func (s *simulation) full(a Agent) bool { return a.MaxOpen > 0 && len(s.open[a.Address]) >= a.MaxOpen }

func (s *simulation) couldHave(a Agent, t Ticket) {
	if !s.qualified(a, t) || s.full(a) {
		s.t.Errorf("%s: ticket %d (%s, %s) went to %s, who has %d open", s.now, t.ID, t.Category, t.Language, a.Name, len(s.open[a.Address]))
	}
}

func (s *simulation) nobodyCould(t Ticket, why string) {
	for _, address := range s.rules.Queues["support"].Tiers[0] {
		if a := s.rules.Agents[address]; s.qualified(a, t) && !s.full(a) {
			s.t.Errorf("%s: ticket %d stays unassigned (%s) while %s is free", s.now, t.ID, why, a.Name)
		}
	}
}

// report is what came out, and sets spread: how far the work that agents were
// given, by weight and for each hour at work, is apart.
func (s *simulation) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-8s %-26s %8s %7s %7s %6s %9s %10s\n", "agent", "skills", "max_open", "tickets", "weight", "hours", "an hour", "open work")
	var least, most, sum float64
	tier := s.rules.Queues["support"].Tiers[0]
	for i, address := range tier {
		a := s.rules.Agents[address]
		hours := float64(s.atWork[address]) * simulationStep.Hours()
		load := float64(s.weights[address]) / hours
		if i == 0 || load < least {
			least = load
		}
		most, sum = max(most, load), sum+load
		fmt.Fprintf(&b, "%-8s %-26s %8d %7d %7d %6.0f %9.3f %10.2f\n", a.Name, strings.Join(a.Skills, " "), a.MaxOpen,
			s.given[address], s.weights[address], hours, load, s.loadSum[address]/float64(s.atWork[address]))
	}
	mean := sum / float64(len(tier))
	s.spread = max(most-mean, mean-least) / mean
	fmt.Fprintf(&b, "waited for somebody: %d, moved by leave: %d, to who knows the customer: %d\n", s.waited, s.moved, s.hot)
	fmt.Fprintf(&b, "given in an hour at work: %.3f on average, all within %.1f %%\n", mean, 100*s.spread)
	return b.String()
}
