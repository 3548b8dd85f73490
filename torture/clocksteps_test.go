package torture

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"frontdesk/parser"
)

// TestClockSteps: G04. The clock of the machine is set back two hours, forward
// two, forward 400 days and back, while mail comes in. Each mail is one ticket
// with one acknowledgement, no letter is written twice, and a clock that is
// 400 days wrong for a while is no flood.
func TestClockSteps(t *testing.T) {
	t.Parallel()
	per := pick(5, 100)
	const day = 24 * time.Hour
	clock := newClock(t)
	b := newBench(t, benchOptions{clock: clock, more: "alerts: {mail_to: [ops@elsewhere.test]}\n", wait: time.Minute})
	b.d.MustStart()
	all := func() int { return len(b.sink.Mails()) }
	for _, step := range []struct {
		by      time.Duration
		restart bool
	}{
		{0, false}, {-2 * time.Hour, false}, {2 * time.Hour, false}, {2 * time.Hour, true}, {-2 * time.Hour, true},
		{400 * day, false}, {-400 * day, false}, {400 * day, true}, {-400 * day, true},
	} {
		if step.restart {
			if err := b.d.Stop(); err != nil {
				t.Fatal(err)
			}
		}
		had, tickets := all(), b.accepted()
		clock.step(step.by)
		if step.by != 0 {
			b.faults++
		}
		if step.restart {
			b.d.MustStart()
		}
		<-time.After(pick(time.Second, 40*time.Second)) // schedules look around
		more := all() - had
		t.Logf("clock %+d h: %d more letters of %d tickets", int(step.by.Hours()), more, tickets)
		low := b.accepted()
		b.queue.deliver(t.Context(), low, low+per, 2)
		waitUntil(t, time.Minute, fmt.Sprintf("answered after the clock was set by %s", step.by), func() bool { return len(b.thanked()) >= b.accepted() })
	}
	b.settleLetters(time.Minute)
	if err := b.d.Stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}

	s := b.reconcile()
	r := row{name: "G04 the clock is set", faults: b.faults, in: b.accepted()}
	subjects := map[string]int{}
	for _, tk := range b.d.JSON("tickets", "list", "--status", "all", "--limit", "1000000") {
		subjects[fmt.Sprint(tk["subject"])]++
	}
	thanked := b.thanked()
	for n := range b.accepted() {
		tickets, letters := subjects[fmt.Sprintf("request %d", n)], thanked[fmt.Sprintf("customer%d@flood.test", n)]
		if tickets == 0 || len(letters) == 0 {
			r.lost++
		} else {
			r.out++
		}
		if tickets > 1 || len(letters) > 1 {
			r.doubled++
		}
	}
	if s.by["message"] != b.accepted() || s.undecided != 0 {
		t.Errorf("%d mails became %+v", b.accepted(), s)
	}
	kinds := map[string]int{} // the same letter about the same ticket to the same person
	ops := 0
	for _, m := range b.sink.Mails() {
		mail := parser.Parse(m.Raw, parser.Options{})
		if m.To[0] == "ops@elsewhere.test" {
			ops++
			if bytes.Contains(m.Raw, []byte("clock")) {
				kinds["alerts of the clock"]++
			}
			continue
		}
		kinds[m.To[0]+" "+mail.MessageID]++
	}
	told := kinds["alerts of the clock"]
	delete(kinds, "alerts of the clock")
	for key, n := range kinds {
		if n > 1 {
			t.Errorf("letter %s left %d times", key, n)
			r.doubled++
		}
	}
	t.Logf("%d letters in all to %d customers, one agent and operators (%d, %d of the clock)", all(), b.accepted(), ops, told)
	if long && told == 0 {
		t.Error("operators are not told of the clock")
	}
	// Beside the two letters of each ticket at most three of what is late: of the
	// answer, the resolution, and the day's list.
	if most := 5*b.accepted() + 60; all() > most {
		t.Errorf("%d letters of %d tickets: a flood", all(), b.accepted())
	}
	record(t, r)
}

// settleLetters waits until no letter is on its way.
func (b *bench) settleLetters(limit time.Duration) {
	b.t.Helper()
	waitUntil(b.t, limit, "no letter waits", func() bool { return b.waiting() == 0 })
}
