package sla

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestExplain(t *testing.T) {
	c := mustCalendar(t, seedHours("Asia/Kathmandu"))
	resume := seedPolicy()
	resume.Reopen = ReopenResume
	resume.Rules[0].Targets[FirstResponse] = Target{Within: Duration{4, BusinessHour}, AtMost: Duration{24, Hour}, Pause: []string{"pending"}}
	for _, test := range []struct {
		name   string
		policy Policy
		clock  int
		events string
		now    string
		want   string
	}{
		{"over the weekend", seedPolicy(), 0, "2026-01-03 13:29 opened medium/technical", "2026-01-04 12:00", `
first response within 2 business hours: running, 1h59m left
  started Saturday 3 January 2026 13:29
  counted Saturday 13:29–13:30, 1m
  closed Saturday 13:30–Monday 10:00
  counted Monday 10:00–11:59, 1h59m
  warning Monday 11:29
  due Monday 11:59`},
		{"late", seedPolicy(), 0, "2026-01-05 10:00 opened medium/technical\n2026-01-05 13:30 answered", "2026-01-06 12:00", `
first response within 2 business hours: breached by 1h30m
  started Monday 5 January 2026 10:00
  counted Monday 10:00–13:30, 3h30m
  warning Monday 11:30
  breached Monday 12:00
  stopped Monday 13:30 (breached)`},
		{"paused", seedPolicy(), 3, "2026-01-05 10:00 opened high/technical\n2026-01-05 13:30 status pending", "2026-01-16 12:00", `
resolution within 48 hours: paused, 44h30m left when it resumes
  started Monday 5 January 2026 10:00
  counted Monday 10:00–13:30, 3h30m
  paused Monday 13:30–Friday 16 January 12:00 (pending)`},
		{"changed, resolved, reopened and resumed", resume, 3, `2026-12-30 10:00 opened medium/technical
			2026-12-30 12:00 facts high/technical
			2026-12-30 13:00 status resolved
			2026-12-30 14:00 status open
			2026-12-30 15:00 status on_hold
			2026-12-30 16:00 status open`, "2026-12-30 17:00", `
resolution within 48 hours: running, 43h left
  started Wednesday 30 December 2026 10:00
  counted Wednesday 10:00–13:00, 3h
  promised Wednesday 12:00 (48 hours instead of 72 hours)
  done Wednesday 13:00–14:00 (resolved)
  counted Wednesday 14:00–15:00, 1h
  paused Wednesday 15:00–16:00 (on_hold)
  counted Wednesday 16:00–Friday 12:00, 44h
  warning Friday 08:00
  due Friday 12:00`},
		{"never later than", resume, 0, "2026-01-03 13:00 opened medium/billing", "2026-01-03 13:00", `
first response within 4 business hours, never later than 24 hours: running, 24h left
  started Saturday 3 January 2026 13:00
  counted Saturday 13:00–Sunday 13:00, 24h
  due Sunday 13:00`},
		{"nothing promised", seedPolicy(), 2, "2026-01-03 13:00 opened medium/billing", "2026-01-03 13:00", `
next update: not set`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := Read(script(t, c, test.events), c, test.policy, local(t, c, test.now))[test.clock]
			if got := "\n" + r.Explain(c).String(); got != test.want {
				t.Errorf("got:%s\nwant:%s", got, test.want)
			}
		})
	}
}

func TestExplainJSON(t *testing.T) {
	c := mustCalendar(t, seedHours("Asia/Kathmandu"))
	r := Read(script(t, c, "2026-01-03 13:29 opened medium/technical"), c, seedPolicy(), local(t, c, "2026-01-04 12:00"))[0]
	got, err := json.Marshal(r.Explain(c))
	const want = `{"clock":"first response","state":"running","promise":"2 business hours","rule":"technical","counts":"open","remaining":7140,` +
		`"due":"2026-01-05T11:59:00+05:45","pieces":[{"what":"started","from":"2026-01-03T13:29:00+05:45"},` +
		`{"what":"counted","from":"2026-01-03T13:29:00+05:45","to":"2026-01-03T13:30:00+05:45","counted":60},` +
		`{"what":"closed","from":"2026-01-03T13:30:00+05:45","to":"2026-01-05T10:00:00+05:45"},` +
		`{"what":"counted","from":"2026-01-05T10:00:00+05:45","to":"2026-01-05T11:59:00+05:45","counted":7140},` +
		`{"what":"warning","from":"2026-01-05T11:29:00+05:45"},{"what":"due","from":"2026-01-05T11:59:00+05:45"}]}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
}

// TestExplainAddsUp: what the pieces count is what was used and what remains.
func TestExplainAddsUp(t *testing.T) {
	for seed := range uint64(500) {
		r := newRand(seed)
		w := worlds()[r.IntN(len(worlds()))]
		events, now := randomEvents(r)
		for _, reading := range Read(plain(events), w.calendar, randomPolicy(r, true), at(now)) {
			e := reading.Explain(w.calendar)
			var sum time.Duration
			for _, p := range e.Pieces {
				sum += time.Duration(p.Counted)
			}
			if e.State != StateRunning || len(reading.Changes) > 0 {
				continue
			}
			allowed, ok := reading.Target.Within.From(reading.Started, w.calendar)
			if !ok || reading.Target.AtMost.Set() {
				continue
			}
			want := allowed.Sub(reading.Started)
			if reading.Counts == CountsOpen {
				want = w.calendar.Between(reading.Started, allowed)
			}
			if sum != want {
				t.Fatalf("sequence %d: pieces count %s of %s\n%s", seed, sum, want, e)
			}
		}
	}
}

func TestLongRunsHaveFewPieces(t *testing.T) {
	c := mustCalendar(t, seedHours("Europe/Berlin"))
	p := Policy{Rules: []Rule{{Targets: first(Duration{3000, BusinessHour})}}}
	opened := script(t, c, "2026-01-05 10:00 opened")
	e := Read(opened, c, p, opened[0].At)[0].Explain(c)
	if len(e.Pieces) > 2*maxSplit+10 || !strings.Contains(e.String(), "2027") {
		t.Errorf("%d pieces:\n%s", len(e.Pieces), e)
	}
}

func TestAmount(t *testing.T) {
	for text, d := range map[string]time.Duration{
		"0m": 0, "45s": 45 * time.Second, "1m30s": 90 * time.Second, "2h": 2*time.Hour + 20*time.Second,
		"1h20m": 80 * time.Minute, "-20m": -20 * time.Minute, "100h": 100 * time.Hour,
	} {
		if got := Amount(d).String(); got != text {
			t.Errorf("%s: got %q, want %q", d, got, text)
		}
	}
}
