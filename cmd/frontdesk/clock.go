package main

import (
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// now is the desk's one clock: what decisions, letters and schedules take for
// the present. Deadlines of connections and the watchdog go by the machine's.
//
// Of several nodes each goes by the clock of the database they share: a node
// whose own is five minutes ahead would take letters from the hands of the
// others, and send reminders before their time.
var (
	machine = clock(os.Getenv)
	now     = corrected(machine, &ahead)
	ahead   atomic.Int64 // nanoseconds by which the database's clock is ahead
)

// corrected adds what is known of another clock.
func corrected(clock func() time.Time, ahead *atomic.Int64) func() time.Time {
	return func() time.Time { return clock().Add(time.Duration(ahead.Load())) }
}

// toldTime reports that a test says what time it is.
func toldTime() bool {
	return os.Getenv("FRONTDESK_TESTING") == "1" && os.Getenv("FRONTDESK_TEST_CLOCK") != ""
}

// clockStep is the least that a clock is corrected by. What is less is the time
// that the question took, and would only make the clock tremble.
const clockStep = time.Second

// correct follows the database's clock, and reports whether it made a step.
func correct(ahead *atomic.Int64, by time.Duration) (step bool) {
	had := time.Duration(ahead.Load())
	if by.Abs() < clockStep {
		by = 0
	}
	if (by - had).Abs() < clockStep/2 {
		return false
	}
	ahead.Store(int64(by))
	return true
}

// clock is the machine's, unless FRONTDESK_TESTING=1 says that this is a test
// and FRONTDESK_TEST_CLOCK names a file: then it is the RFC 3339 time in that
// file, read again at each use, so that a test can put a running daemon into
// next week. A file that cannot be read leaves the clock where it was.
// FRONTDESK_TEST_SKEW makes a clock that is wrong by so much, as 5m.
func clock(env func(string) string) func() time.Time {
	file := env("FRONTDESK_TEST_CLOCK")
	if env("FRONTDESK_TESTING") != "1" {
		return time.Now
	}
	if file == "" {
		wrong, _ := time.ParseDuration(env("FRONTDESK_TEST_SKEW"))
		return func() time.Time { return time.Now().Add(wrong) }
	}
	var mu sync.Mutex
	last := time.Now()
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		if text, err := os.ReadFile(file); err == nil {
			if t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(text))); err == nil {
				last = t
			}
		}
		return last
	}
}
