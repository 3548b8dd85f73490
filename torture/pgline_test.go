package torture

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"frontdesk/store/storetest"
)

// flood brings requests low to high-1 to a node as an MTA does, until all are
// accepted; wait returns then.
func (n *node) flood(q *mta, low, high int) (wait func()) {
	var bringing sync.WaitGroup
	bringing.Go(func() { q.deliver(n.c.t.Context(), low, high, 4) })
	return bringing.Wait
}

// queue is the MTA of a node.
func (n *node) queue() *mta {
	q := newMTA(n.lmtp)
	q.retry = 100 * time.Millisecond
	q.box = func(k int) string { return brandBox(k / 2 % n.c.brands) }
	return q
}

// resting waits until nothing leaves any more for a while.
func (c *cluster) resting() {
	c.t.Helper()
	had, since := c.sent(), time.Now()
	c.until("resting", 3*time.Minute, func() bool {
		if n := c.sent(); n != had {
			had, since = n, time.Now()
		}
		return time.Since(since) > pick(2*time.Second, 5*time.Second)
	})
}

// TestBadLineToPostgreSQL: the line to the database is slow, ends in the middle
// of an answer or a question, is reset, dead for a while, or away, while mail
// comes in and letters leave. What was accepted is a ticket with its letters.
func TestBadLineToPostgreSQL(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 5*time.Second, 3)
	clock := newClock(t)
	a := c.add("a", 0, clock.env()...)
	way := newToxic(t, a.line.l.Addr().String())
	a.dsn = fmt.Sprintf("postgres://postgres@%s%s?sslmode=disable", way.addr(), c.url.Path)
	a.rewrite()
	a.MustStart()
	c.spread(a)
	q := a.queue()
	per, faults, mails := pick(20, 100), 0, 0
	for range pick(1, 3) {
		for i, f := range []func(){
			func() { way.add("latency", "downstream", `"latency": 15, "jitter": 10`) },
			func() { way.add("limit_data", "downstream", fmt.Sprintf(`"bytes": %d`, 2000+rand.N(20_000))) },
			func() { way.add("limit_data", "upstream", fmt.Sprintf(`"bytes": %d`, 2000+rand.N(20_000))) },
			func() { way.add("reset_peer", "downstream", `"timeout": 100`) },
			func() {
				way.add("timeout", "downstream", `"timeout": 0`)
				way.add("timeout", "upstream", `"timeout": 0`)
			},
			way.sever,
		} {
			wait := a.flood(q, mails, mails+per)
			mails += per
			<-time.After(50 * time.Millisecond)
			f()
			faults++
			<-time.After(pick(700*time.Millisecond, 8*time.Second))
			way.clear()
			way.heal()
			began := time.Now()
			wait()
			t.Logf("fault %d: all accepted %s after it was over", i, time.Since(began).Round(time.Millisecond))
		}
	}
	c.resting()
	clock.step(11 * time.Minute) // claims of rows and letters whose end the desk could not write down run out
	c.settle(a, mails, 4*time.Minute)
	t.Logf("%d attempts of the mail server ended without an answer, %v answers", q.doubts(), q.answers)
	c.account("G11 a bad line to PostgreSQL", a, mails, faults)
	if err := a.Stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
}

// TestPostgreSQLStopsAndIsPromoted: B12. The database is stopped at once and
// started again, and at last its synchronous standby is promoted, all while mail
// comes in and letters leave. What was accepted is a ticket with its letters, and
// no letter that was not in doubt left twice.
func TestPostgreSQLStopsAndIsPromoted(t *testing.T) {
	t.Parallel()
	pair := storetest.StartReplicated(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(pair.Log(20))
		}
	})
	c := &cluster{t: t, lease: 5 * time.Second, brands: 3}
	clock := newClock(t)
	a := c.add("a", 30*time.Millisecond, clock.env()...)
	a.dsn = pair.URL()
	a.rewrite()
	a.MustStart()
	c.spread(a)
	q := a.queue()
	per, faults, mails := pick(120, 600), 0, 0
	for range pick(1, 4) {
		wait := a.flood(q, mails, mails+per)
		c.until("in the middle", time.Minute, func() bool { return q.accepted() > mails+per/8 && c.sent() > mails })
		mails += per
		pair.Stop(0)
		faults++
		<-time.After(rand.N(pick(time.Second, 5*time.Second)))
		pair.Start(0)
		wait()
	}
	wait := a.flood(q, mails, mails+per)
	c.until("in the middle", time.Minute, func() bool { return q.accepted() > mails+per/8 && c.sent() > mails })
	mails += per
	pair.Stop(0)
	cut := time.Now()
	faults++
	pair.Promote()
	had := q.accepted()
	c.until("accepted again", time.Minute, func() bool { return q.accepted() > had || had == mails })
	t.Logf("mail was accepted again %s after the primary was stopped", time.Since(cut).Round(time.Millisecond))
	wait()
	c.resting()
	clock.step(11 * time.Minute) // claims of rows and letters whose end the desk could not write down run out
	c.settle(a, mails, 4*time.Minute)
	c.account("B12 PostgreSQL stopped, and a standby promoted", a, mails, faults)
	if err := a.Stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
}
