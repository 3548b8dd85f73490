package torture

import (
	"context"
	"fmt"
	"testing"
	"time"

	"frontdesk/internal/testmail"
)

// TestBadLineToSMTP: B03, B06 and what else a line to the mail server can do. It
// ends before the final dot, is reset after it and before the answer, stays open
// when the server closes, carries little, or nothing at all. Each letter arrives;
// a second copy only where the answer to the dot was lost, and the same bytes.
func TestBadLineToSMTP(t *testing.T) {
	t.Parallel()
	sink, err := testmail.NewSMTP(testmail.SMTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sink.Close() })
	line := newToxic(t, sink.Addr())
	b := newBench(t, benchOptions{sink: sink, smtpPort: line.port(), wait: 2 * time.Minute, clock: newClock(t)})
	b.d.MustStart()
	n := pick(3, 25)
	round := func(what string) {
		t.Helper()
		t.Logf("%s: %s", time.Now().Format(time.TimeOnly), what)
		low := b.accepted()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		b.queue.deliver(ctx, low, low+n, 2)
		b.faults++
	}
	inDoubt := func() int { return b.times("letter in doubt") }
	arrived := func(limit time.Duration, what string) {
		t.Helper()
		waitUntil(t, limit, fmt.Sprintf("%d customers are answered: %s", b.accepted(), what), func() bool { return len(b.acknowledged()) >= b.accepted() })
		line.clear()
	}
	none := func(had int, what string) {
		t.Helper()
		if got := len(b.acknowledged()); got != had {
			t.Errorf("%s: %d letters arrived", what, got-had)
		}
	}
	// What is in doubt is sent again when its claim has run out: ten minutes by the
	// machine's timer, whatever the clock says, but for a desk that was started
	// since, which goes by the clock.
	over := func() {
		t.Helper()
		line.clear()
		line.heal()
		b.opt.clock.step(11 * time.Minute)
		if err := b.d.Stop(); err != nil {
			t.Errorf("the daemon ended with %v", err)
		}
		b.d.MustStart()
	}

	// The server is cut off before the dot: nobody there has the letter, and the
	// desk cannot know, for it has sent all of it.
	line.add("limit_data", "upstream", `"bytes": 900`) // EHLO to DATA take 200
	had, doubts := len(b.acknowledged()), inDoubt()
	round("the line ends before the dot")
	waitUntil(t, time.Minute, "letters are in doubt", func() bool { return inDoubt() > doubts })
	none(had, "a line that ends before the dot")
	over()
	arrived(time.Minute, "the line ended before the dot")

	// The desk sees the end before it sends the dot: there is no doubt.
	had, doubts = len(b.acknowledged()), inDoubt()
	line.add("limit_data", "downstream", `"bytes": 40`) // the greeting takes 35
	round("the line ends before the body")
	<-time.After(pick(time.Second, 10*time.Second))
	none(had, "a line that ends before the body")
	if now := inDoubt(); now != doubts {
		t.Errorf("%d letters are in doubt that had no dot", now-doubts)
	}
	over()
	arrived(time.Minute, "the line ended before the body")

	// The server has the letter and takes its time over the answer.
	doubts = inDoubt()
	sink.On(testmail.StageDot, "", n, testmail.Act{Delay: 3 * time.Second})
	had = len(sink.Mails())
	round("reset after the dot")
	waitUntil(t, time.Minute, "the server has a letter", func() bool { return len(sink.Mails()) > had })
	line.sever()
	waitUntil(t, time.Minute, "letters are in doubt", func() bool { return inDoubt() > doubts })
	sink.Clear()
	over()
	arrived(2*time.Minute, "reset after the dot")

	for _, bad := range []struct{ kind, stream, attributes string }{
		{"slow_close", "downstream", `"delay": 2000`},
		{"latency", "downstream", fmt.Sprintf(`"latency": %d, "jitter": 100`, pick(150, 2000))},
		{"slicer", "upstream", `"average_size": 40, "size_variation": 20, "delay": 50`},
		{"bandwidth", "upstream", fmt.Sprintf(`"rate": %d`, pick(20, 2))},
	} {
		line.add(bad.kind, bad.stream, bad.attributes)
		round(bad.kind)
		arrived(10*time.Minute, bad.kind)
	}
	if long {
		line.add("timeout", "downstream", `"timeout": 0`)
		line.add("timeout", "upstream", `"timeout": 0`)
		round("a dead line")
		<-time.After(20 * time.Second)
		over()
		arrived(2*time.Minute, "a dead line")

		line.sever()
		round("nobody listens")
		<-time.After(20 * time.Second)
		over()
		arrived(2*time.Minute, "nobody listened")
	}
	over()
	b.settle()
	b.d.Kill()
	b.finish("B03, B06 a bad line to the SMTP server")
}
