package sla

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// sequences is how many random tickets are lived through: FUZZ_SEQUENCES, or
// 10,000 (1,000 with -short).
func sequences(t *testing.T) int {
	if text := os.Getenv("FUZZ_SEQUENCES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("FUZZ_SEQUENCES=%q: %v", text, err)
		}
		return n
	}
	if testing.Short() {
		return 1_000
	}
	return 10_000
}

var simStatuses = []string{"open", "open", "pending", "on_hold", "open", "resolved", "closed", "merged"}

// randomTarget draws a target; open ones alone when elapsed is false.
func randomTarget(r *rand.Rand, elapsed bool) Target {
	within := []Duration{{1, BusinessHour}, {2, BusinessHour}, {4, BusinessHour}, {30, BusinessHour}, {1, WorkingDay}, {2, WorkingDay}, {5, WorkingDay}, {0, Immediately}, {}, {0, Never}}
	if elapsed {
		within = append(within, Duration{1, Hour}, Duration{24, Hour}, Duration{48, Hour}, Duration{72, Hour})
	} else {
		within = slices.DeleteFunc(within, func(d Duration) bool { return d.Unit == Immediately })
	}
	t := Target{
		Within: within[r.IntN(len(within))],
		Warn:   []Warn{{}, {Percent: 80}, {Percent: 75}, {Before: 30 * time.Minute}, {Percent: 50, Before: 3 * time.Hour}}[r.IntN(5)],
		Pause:  [][]string{nil, {"pending"}, {"pending", "on_hold"}}[r.IntN(3)],
		Change: []Change{ChangeFromStart, ChangeAnew}[r.IntN(2)],
	}
	if elapsed && r.IntN(4) == 0 {
		t.AtMost = Duration{24, Hour}
	}
	return t
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 3)) }

func randomPolicy(r *rand.Rand, elapsed bool) Policy {
	targets := func() map[Clock]Target {
		out := map[Clock]Target{}
		for _, clock := range Clocks {
			if r.IntN(5) > 0 {
				out[clock] = randomTarget(r, elapsed)
			}
		}
		return out
	}
	return Policy{
		Rules: []Rule{
			{Name: "all", Targets: targets()},
			{Name: "critical", If: Facts{Severity: "critical"}, Targets: targets()},
			{Name: "contract", If: Facts{Customer: "gold"}, Targets: targets()},
		},
		Done:   []string{"resolved", "closed"},
		Void:   []string{"merged"},
		Reopen: []Reopen{ReopenRestart, ReopenResume}[r.IntN(2)],
	}
}

func randomFacts(r *rand.Rand) Facts {
	return Facts{
		Severity: []string{"", "critical", "low"}[r.IntN(3)],
		Customer: []string{"", "gold"}[r.IntN(2)],
	}
}

// randomEvents draws a ticket's log that begins within the two years, and now.
func randomEvents(r *rand.Rand) (events []simEvent, now int) {
	const years = simYears * 365 * 24 * 60
	m := 24*60 + r.IntN(years)
	if r.IntN(6) == 0 { // around the changes of the clocks, which are at night
		m = changeOfClocks[r.IntN(len(changeOfClocks))] - 300 + r.IntN(600)
	}
	add := func(e Event) {
		e.At = at(m)
		events = append(events, simEvent{e, m})
	}
	add(Event{Kind: Opened, Status: "new", Facts: randomFacts(r)})
	pace := []int{30, 300, 1500, 6000}[r.IntN(4)]
	for n := r.IntN(12); n > 0; n-- {
		switch r.IntN(6) {
		case 0: // at the same instant
		case 1:
			m += 60 * r.IntN(30)
		default:
			m += r.IntN(pace)
		}
		switch r.IntN(9) {
		case 0, 1:
			add(Event{Kind: Wrote})
		case 2:
			add(Event{Kind: Answered})
		case 3:
			add(Event{Kind: Updated})
		case 4:
			add(Event{Kind: FactsChanged, Facts: randomFacts(r)})
		default:
			add(Event{Kind: StatusChanged, Status: simStatuses[r.IntN(len(simStatuses))]})
		}
	}
	return events, m + r.IntN(2*pace)
}

// changeOfClocks are minutes at which a clock of one of the worlds changes.
var changeOfClocks = func() (out []int) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Beirut"} {
		for t := simStart.In(mustZone(zone)); ; {
			_, t = t.ZoneBounds()
			m := int(t.Sub(simStart) / time.Minute)
			if t.IsZero() || m > simYears*365*24*60 {
				break
			}
			out = append(out, max(m, 24*60))
		}
	}
	return out
}()

func plain(events []simEvent) []Event {
	out := make([]Event, len(events))
	for i, e := range events {
		out[i] = e.Event
	}
	return out
}

// TestSequences lives through random tickets with the simulator and compares
// every clock, warning and breach of it with Read.
func TestSequences(t *testing.T) {
	everySequence(t, func(seed uint64) error {
		r := rand.New(rand.NewPCG(seed, 1))
		w := worlds()[r.IntN(len(worlds()))]
		p := randomPolicy(r, true)
		events, now := randomEvents(r)
		sim := &simulator{w: w, p: p}
		sim.live(events, now)
		got, want := Read(plain(events), w.calendar, p, at(now)), sim.read(now)
		if a, b := describe(got), describe(want); a != b {
			return fmt.Errorf("%s, now %s\n%s\npolicy %+v\ngot:\n%s\nsimulated:\n%s", w.name, at(now), listed(events), p, a, b)
		}
		return nil
	})
}

// TestShiftSequences moves each event of random tickets within the closed hours
// it lies in: what remains stays the same.
func TestShiftSequences(t *testing.T) {
	everySequence(t, func(seed uint64) error {
		r := rand.New(rand.NewPCG(seed, 2))
		w := worlds()[r.IntN(len(worlds()))]
		p := randomPolicy(r, false)
		events, now := randomEvents(r)
		moved := shift(r, w, events, now)
		a, b := Read(plain(events), w.calendar, p, at(now)), Read(plain(moved), w.calendar, p, at(now))
		for i := range a {
			if a[i].Remaining != b[i].Remaining {
				return fmt.Errorf("%s: %s: %s left, after moving %s\n%s\n%s", w.name, a[i].Clock, a[i].Remaining, b[i].Remaining, listed(events), listed(moved))
			}
		}
		return nil
	})
}

// shift moves events within closed hours without changing their order.
func shift(r *rand.Rand, w *world, events []simEvent, now int) []simEvent {
	out := slices.Clone(events)
	for i := range out {
		low, high := 0, now
		if i > 0 {
			low = out[i-1].minute
		}
		if i+1 < len(out) {
			high = out[i+1].minute
		}
		m := out[i].minute
		if w.open[m] || w.open[m-1] { // what runs out at closing is due at closing
			continue
		}
		for n := r.IntN(600); n > 0 && m > low && !w.open[m-1] && !w.open[m-2]; n-- {
			m--
		}
		for n := r.IntN(1200); n > 0 && m < high && !w.open[m+1]; n-- {
			m++
		}
		out[i].minute, out[i].At = m, at(m)
	}
	return out
}

// everySequence runs a check for each seed, on all processors.
func everySequence(t *testing.T, check func(seed uint64) error) {
	t.Helper()
	worlds()
	n := uint64(sequences(t))
	var next atomic.Uint64
	var failed atomic.Bool
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for seed := next.Add(1); seed <= n && !failed.Load(); seed = next.Add(1) {
				if err := check(seed); err != nil && failed.CompareAndSwap(false, true) {
					t.Errorf("sequence %d: %v", seed, err)
				}
			}
		})
	}
	wait.Wait()
}

func describe(readings []Reading) string {
	var b strings.Builder
	for _, r := range readings {
		for _, run := range append(r.Earlier, r.Run) {
			fmt.Fprintf(&b, "%s: %s started %s stopped %s due %s remaining %s warn %v %s breached %s\n", r.Clock, run.State,
				when(run.Started), when(run.Stopped), when(run.Due), run.Remaining, run.Warned, when(run.WarnAt), when(run.Breached))
		}
	}
	return b.String()
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("060102 15:04:05")
}

func listed(events []simEvent) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "  %s %s %s %+v\n", when(e.At), e.Kind, e.Status, e.Facts)
	}
	return b.String()
}
