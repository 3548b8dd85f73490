package main

import (
	"os"
	"strings"
	"sync"
	"time"
)

// now is the desk's one clock: what decisions, letters and schedules take for
// the present. Deadlines of connections and the watchdog go by the machine's.
var now = clock(os.Getenv)

// clock is the machine's, unless FRONTDESK_TESTING=1 says that this is a test
// and FRONTDESK_TEST_CLOCK names a file: then it is the RFC 3339 time in that
// file, read again at each use, so that a test can put a running daemon into
// next week. A file that cannot be read leaves the clock where it was.
func clock(env func(string) string) func() time.Time {
	file := env("FRONTDESK_TEST_CLOCK")
	if env("FRONTDESK_TESTING") != "1" || file == "" {
		return time.Now
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
