package torture

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// testClock is the time that a desk is told: it goes on as time does, and can be
// set. Connections and the desk's own waits go by the machine's.
type testClock struct {
	t    testing.TB
	file string

	mu    sync.Mutex
	ahead time.Duration
}

// newClock starts a clock that is right; it stops with the test.
func newClock(t testing.TB) *testClock {
	t.Helper()
	c := &testClock{t: t, file: filepath.Join(t.TempDir(), "clock")}
	c.step(0)
	ticker := time.NewTicker(100 * time.Millisecond)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ticker.C:
				c.step(0)
			case <-done:
				return
			}
		}
	}()
	t.Cleanup(func() { ticker.Stop(); close(done); <-ended })
	return c
}

// env makes a daemon and its commands go by the clock.
func (c *testClock) env() []string {
	return []string{"FRONTDESK_TESTING=1", "FRONTDESK_TEST_CLOCK=" + c.file}
}

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// step sets the clock by so much, forward or back.
func (c *testClock) step(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += by
	fresh := c.file + ".new" // in one step: it is read all the time
	err := os.WriteFile(fresh, []byte(time.Now().Add(c.ahead).Format(time.RFC3339Nano)), 0o600)
	if err == nil {
		err = os.Rename(fresh, c.file)
	}
	if err != nil {
		c.t.Error(err)
	}
}
