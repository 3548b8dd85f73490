package sla

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// seedPolicy is what the procedure documents promise.
func seedPolicy() Policy {
	severity := func(name string, resolve, update Duration) Rule {
		return Rule{Name: name, If: Facts{Severity: name}, Targets: map[Clock]Target{
			Resolution: {Within: resolve},
			NextUpdate: {Within: update},
		}}
	}
	response := Target{Within: Duration{4, BusinessHour}, Warn: Warn{Percent: 75}}
	return Policy{
		Rules: []Rule{
			{Name: "desk", Targets: map[Clock]Target{
				FirstResponse: response,
				NextResponse:  response,
				Resolution:    {Within: Duration{72, Hour}, Warn: Warn{Before: 4 * time.Hour}, Pause: []string{"pending", "on_hold"}},
				NextUpdate:    {Pause: []string{"pending"}, Change: ChangeAnew},
			}},
			{Name: "technical", If: Facts{Category: "technical"}, Targets: first(Duration{2, BusinessHour})},
			severity("critical", Duration{24, Hour}, Duration{2, Hour}),
			severity("high", Duration{48, Hour}, Duration{8, Hour}),
			severity("low", Duration{5, WorkingDay}, Duration{}),
		},
		Done: []string{"resolved", "closed"},
		Void: []string{"merged", "spam"},
	}
}

// script reads lines "2006-01-02 15:04 kind word", the word being the status,
// or the facts as severity/category.
func script(t testing.TB, c *Calendar, text string) (events []Event) {
	t.Helper()
	for line := range strings.Lines(strings.TrimSpace(text)) {
		f := append(strings.Fields(line), "", "")
		e := Event{At: local(t, c, f[0]+" "+f[1]), Kind: Kind(f[2])}
		switch e.Kind {
		case Opened, FactsChanged:
			e.Facts.Severity, e.Facts.Category, _ = strings.Cut(f[3], "/")
		case StatusChanged:
			e.Status = f[3]
		}
		events = append(events, e)
	}
	return events
}

// tell writes a run in the calendar's zone.
func tell(r Run, c *Calendar) string {
	t := func(at time.Time) string { return at.In(c.Location()).Format("Mon 15:04") }
	out := string(r.State)
	if !r.Due.IsZero() {
		out += " due " + t(r.Due)
	}
	if r.Warned {
		out += " warned " + t(r.WarnAt)
	}
	if !r.Breached.IsZero() && !r.Breached.Equal(r.Due) {
		out += " breached " + t(r.Breached)
	}
	return fmt.Sprintf("%s left %s", out, Amount(r.Remaining))
}

func TestRead(t *testing.T) {
	c := mustCalendar(t, seedHours("Asia/Kathmandu"))
	resume := seedPolicy()
	resume.Reopen = ReopenResume
	for _, test := range []struct {
		name   string
		policy Policy
		events string
		now    string
		want   map[Clock]string
	}{
		{"a new ticket on Friday evening", seedPolicy(), `
			2026-01-02 17:00 opened medium/technical`, "2026-01-03 09:00", map[Clock]string{
			FirstResponse: "running due Sat 10:50 left 1h20m",
			NextResponse:  "not set left 0m",
			NextUpdate:    "not set left 0m",
			Resolution:    "running due Mon 17:00 left 56h",
		}},
		{"exactly at the due time it is in time", seedPolicy(), `
			2026-01-02 17:00 opened medium/technical
			2026-01-03 10:50 answered`, "2026-01-03 12:00", map[Clock]string{
			FirstResponse: "met due Sat 10:50 warned Sat 10:20 left 0m",
		}},
		{"a minute later it is late", seedPolicy(), `
			2026-01-02 17:00 opened medium/technical
			2026-01-03 10:51 answered`, "2026-01-03 12:00", map[Clock]string{
			FirstResponse: "breached due Sat 10:50 warned Sat 10:20 left -1m",
		}},
		{"a breach is read at its due time", seedPolicy(), `
			2026-01-02 17:00 opened medium/technical`, "2026-01-05 10:00", map[Clock]string{
			FirstResponse: "breached due Sat 10:50 warned Sat 10:20 left -2h40m",
		}},
		{"the second message does not restart the next response", seedPolicy(), `
			2026-01-05 10:00 opened medium/billing
			2026-01-05 10:30 wrote
			2026-01-05 11:00 answered
			2026-01-05 12:00 wrote
			2026-01-05 13:00 wrote`, "2026-01-05 14:00", map[Clock]string{
			FirstResponse: "met due Mon 14:00 left 3h",
			NextResponse:  "running due Mon 16:00 left 2h",
		}},
		{"pending stops the resolution and not the response", seedPolicy(), `
			2026-01-05 10:00 opened medium/billing
			2026-01-05 11:00 answered
			2026-01-05 11:00 status pending
			2026-01-06 11:00 wrote`, "2026-01-06 12:00", map[Clock]string{
			NextResponse: "running due Tue 15:00 left 3h",
			Resolution:   "paused left 71h",
		}},
		{"and goes on from there", seedPolicy(), `
			2026-01-05 10:00 opened medium/billing
			2026-01-05 11:00 status pending
			2026-01-06 11:00 status open`, "2026-01-06 12:00", map[Clock]string{
			Resolution: "running due Fri 10:00 left 70h",
		}},
		{"working days move by open time", seedPolicy(), `
			2026-01-05 11:00 opened low
			2026-01-06 16:40 status on_hold
			2026-01-07 11:00 status open`, "2026-01-07 11:00", map[Clock]string{
			Resolution: "running due Sat 13:00 left 25h30m",
		}},
		{"updates every two hours, a run each", seedPolicy(), `
			2026-01-05 10:00 opened critical/technical
			2026-01-05 11:30 updated
			2026-01-05 14:00 answered`, "2026-01-05 15:00", map[Clock]string{
			NextUpdate: "running due Mon 16:00 left 1h",
			Resolution: "running due Tue 10:00 left 19h",
		}},
		{"a raised severity counts from the start", seedPolicy(), `
			2026-01-05 10:00 opened medium/technical
			2026-01-05 20:00 facts critical/technical`, "2026-01-05 21:00", map[Clock]string{
			Resolution: "running due Tue 10:00 left 13h",
			NextUpdate: "running due Mon 22:00 left 1h",
		}},
		{"but is not broken before it was made", seedPolicy(), `
			2026-01-05 10:00 opened medium/technical
			2026-01-07 10:00 facts critical/technical`, "2026-01-07 10:00", map[Clock]string{
			Resolution: "running due Wed 10:00 warned Wed 10:00 left 0m",
		}},
		{"a lowered severity gives more time", seedPolicy(), `
			2026-01-05 10:00 opened critical/technical
			2026-01-06 09:00 facts low/technical`, "2026-01-06 09:00", map[Clock]string{
			Resolution: "running due Sat 10:00 left 31h10m",
			NextUpdate: "breached due Mon 12:00 left -21h",
		}},
		{"a reopened ticket gets the whole time", seedPolicy(), `
			2026-01-05 10:00 opened high/billing
			2026-01-06 10:00 status resolved
			2026-01-07 10:00 wrote
			2026-01-07 10:00 status open`, "2026-01-07 11:00", map[Clock]string{
			FirstResponse: "breached due Mon 14:00 warned Mon 13:00 left -3h40m",
			NextResponse:  "running due Wed 14:00 left 3h",
			NextUpdate:    "running due Wed 18:00 left 7h",
			Resolution:    "running due Fri 10:00 left 47h",
		}},
		{"or resumes", resume, `
			2026-01-05 10:00 opened high/billing
			2026-01-06 10:00 status resolved
			2026-01-06 12:00 status closed
			2026-01-07 10:00 status open`, "2026-01-07 11:00", map[Clock]string{
			NextResponse: "not set left 0m",
			Resolution:   "running due Thu 10:00 left 23h",
		}},
		{"merged has no verdict", seedPolicy(), `
			2026-01-05 10:00 opened high/billing
			2026-01-05 11:00 status merged`, "2026-01-07 11:00", map[Clock]string{
			FirstResponse: "void due Mon 14:00 left 3h",
			Resolution:    "void due Wed 10:00 left 47h",
		}},
		{"not spam after all", seedPolicy(), `
			2026-01-05 10:00 opened high/billing
			2026-01-05 11:00 status spam
			2026-01-06 11:00 status new`, "2026-01-06 12:00", map[Clock]string{
			FirstResponse: "running due Tue 15:00 left 3h",
			Resolution:    "running due Thu 11:00 left 47h",
		}},
		{"events to come, before the opening, and out of order", seedPolicy(), `
			2026-01-05 12:00 answered
			2026-01-05 09:00 status closed
			2026-01-05 10:00 opened high/billing`, "2026-01-05 11:00", map[Clock]string{
			FirstResponse: "running due Mon 14:00 left 3h",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			events := script(t, c, test.events)
			before := slices.Clone(events)
			for _, r := range Read(events, c, test.policy, local(t, c, test.now)) {
				want, ok := test.want[r.Clock]
				if got := tell(r.Run, c); ok && got != want {
					t.Errorf("%s: got %q, want %q", r.Clock, got, want)
				}
			}
			if !slices.Equal(events, before) {
				t.Error("the caller's events were moved")
			}
		})
	}
}

func TestNeverLaterThan(t *testing.T) {
	c := mustCalendar(t, seedHours("Asia/Kathmandu"))
	p := Policy{Rules: []Rule{{Targets: map[Clock]Target{FirstResponse: {
		Within: Duration{4, BusinessHour}, AtMost: Duration{24, Hour}, Warn: Warn{Percent: 50}}}}}}
	for _, test := range []struct{ opened, want string }{
		{"2026-01-05 10:00", "running due Mon 14:00 left 4h"},
		{"2026-01-03 13:00", "running due Sun 13:00 left 24h"},
	} {
		opened := script(t, c, test.opened+" opened")
		got := Read(opened, c, p, opened[0].At)[0]
		if text := tell(got.Run, c); text != test.want {
			t.Errorf("opened %s: got %q, want %q", test.opened, text, test.want)
		}
	}
}

func TestCalendarThatNeverOpens(t *testing.T) {
	c := mustCalendar(t, Hours{})
	events := script(t, c, "2026-01-05 10:00 opened low/technical\n2026-01-06 10:00 status pending\n2026-01-07 10:00 status open")
	for _, r := range Read(events, c, seedPolicy(), local(t, c, "2026-02-05 10:00")) {
		if r.Clock == FirstResponse && (r.State != StateRunning || !r.Due.IsZero() || r.Remaining != 2*time.Hour) {
			t.Errorf("%s: %s", r.Clock, tell(r.Run, c))
		}
		if at, ok := r.Wake(); ok {
			t.Errorf("%s: wakes at %s", r.Clock, at)
		}
		_ = r.Explain(c).String()
	}
}

// TestWake: reading at Wake alone shows every warning and breach, in order.
func TestWake(t *testing.T) {
	c := mustCalendar(t, seedHours("Asia/Kathmandu"))
	events := script(t, c, "2026-01-02 17:00 opened medium/technical")
	var told []string
	now := events[0].At
	for range 10 {
		r := Read(events, c, seedPolicy(), now)[0]
		told = append(told, fmt.Sprintf("%s warned %v", r.State, r.Warned))
		next, ok := r.Wake()
		if !ok {
			break
		}
		if !next.After(now) {
			t.Fatalf("at %s it wakes at %s", now, next)
		}
		now = next
	}
	want := []string{"running warned false", "running warned true", "breached warned true"}
	if !slices.Equal(told, want) {
		t.Errorf("got %q, want %q", told, want)
	}
}

// TestWhatHappenedStays reads random tickets minute after minute with the
// events known by then: a breach is never taken back nor moved, and a warning
// only by another promise.
func TestWhatHappenedStays(t *testing.T) {
	everySequence(t, func(seed uint64) error {
		if seed > 60 {
			return nil
		}
		r := newRand(seed)
		w := worlds()[r.IntN(len(worlds()))]
		p := randomPolicy(r, true)
		events, end := randomEvents(r)
		type key struct {
			clock   Clock
			started time.Time
			n       int
		}
		seen := map[key]Run{}
		for i := range 40 {
			now := at(events[0].minute + (end-events[0].minute)*i/39)
			for _, reading := range Read(plain(events), w.calendar, p, now) {
				for n, run := range append(reading.Earlier, reading.Run) {
					k := key{reading.Clock, run.Started, n}
					was := seen[k]
					seen[k] = run
					if !was.Breached.IsZero() && !was.Breached.Equal(run.Breached) {
						return fmt.Errorf("%s, breached %s, by %s %s", reading.Clock, was.Breached, now, run.Breached)
					}
					if was.Warned && len(was.Changes) == len(run.Changes) && !was.WarnAt.Equal(run.WarnAt) {
						return fmt.Errorf("%s, warned %s, by %s %s", reading.Clock, was.WarnAt, now, run.WarnAt)
					}
				}
			}
		}
		return nil
	})
}
