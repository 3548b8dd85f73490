package torture

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"frontdesk/internal/testdesk"
	"frontdesk/internal/testmail"
)

// The tests here are about one promise: whatever instant the daemon is killed
// at, each mail becomes one message and gets one acknowledgement.

// pollOften is for tests that wait for mail again and again. On a machine without a
// free inotify instance (128 for all rigs together) Dovecot's IDLE says nothing for
// half a minute, and the desk looks by itself each minute.
const pollOften = "poll_every: 3s"

// killed starts the daemon, lets it work for a while, and kills it.
func (b *bench) killed(work time.Duration) {
	b.t.Helper()
	if err := b.d.Start(); err != nil && !errors.Is(err, testdesk.ErrEndedEarly) {
		b.t.Fatal(err)
	}
	if how, ended := b.d.Ends(work); ended {
		b.t.Fatalf("the daemon ended with %v; its log:\n%s", how, b.d.Log(20))
	}
	b.d.Kill()
	b.faults++
}

// TestRealServersKilledAtRandomMoments: A01 by IMAP. The daemon is killed again
// and again while mail comes in.
func TestRealServersKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	mails, kills := pick(60, 1000), pick(6, 50)
	b := newBench(t, benchOptions{rig: testmail.StartRig(t), imap: pollOften})
	early := 0
	for k := range kills {
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			b.send(mails*k/kills, mails*(k+1)/kills)
		}()
		b.killed(rand.N(300 * time.Millisecond))
		if len(b.acknowledged()) < mails*(k+1)/kills {
			early++
		}
		<-sent
		b.mails = mails * (k + 1) / kills
	}
	b.intoTheWork(early, kills)
	waitForMails(t, b.opt.rig, mails)
	b.finish("A01 killed at random, IMAP")
}

// TestKilledAtRandomMomentsLMTP: A01 by LMTP. A mail whose connection broke
// after the final dot is brought again, as an MTA does.
func TestKilledAtRandomMomentsLMTP(t *testing.T) {
	t.Parallel()
	mails, kills := pick(100, 2000), pick(5, 100)
	b := newBench(t, benchOptions{})
	released := make(chan int) // a round's mails, up to this one
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		low := 0
		for high := range released {
			b.queue.deliver(t.Context(), low, high, 2)
			low = high
		}
	}()
	early := 0
	for k := range kills {
		select {
		case released <- mails * (k + 1) / kills:
		default: // the round before is not through: its mails are tried again
		}
		b.killed(rand.N(300 * time.Millisecond))
		if len(b.acknowledged()) < mails*(k+1)/kills {
			early++
		}
	}
	b.d.MustStart()
	released <- mails
	close(released)
	<-sent
	b.d.Kill()
	b.intoTheWork(early, kills)
	b.finish("A01 killed at random, LMTP")
}

// intoTheWork fails a test whose kills all came too late to hit anything.
func (b *bench) intoTheWork(early, kills int) {
	b.t.Helper()
	b.t.Logf("%d of %d kills fell into the work", early, kills)
	if early == 0 {
		b.t.Error("no kill fell into the work")
	}
}

// TestRealServersKilledAtEachSync kills the daemon in the moment of its N-th
// sync of a file, for one N after the other, over the same twenty mails.
func TestRealServersKilledAtEachSync(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "dovecot", "strace")
	const mails = 20
	r := testmail.StartRig(t)
	newBench(t, benchOptions{rig: r}).send(0, mails)
	waitForMails(t, r, mails)
	atEachSync(t, "A01 killed at each sync, IMAP", func(t *testing.T) *bench {
		b := newBench(t, benchOptions{rig: r.For(t), imap: pollOften})
		b.mails = mails
		return b
	}, func(*bench) {})
}

// TestKilledAtEachSyncLMTP: the same for mails that come by LMTP.
func TestKilledAtEachSyncLMTP(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "strace")
	atEachSync(t, "A01 killed at each sync, LMTP", func(t *testing.T) *bench { return newBench(t, benchOptions{}) },
		func(b *bench) { b.queue.deliver(b.t.Context(), 0, 12, 2) })
}

// atEachSync runs fresh desks, each killed at a later sync than the one before,
// until one has done its work and lives. send brings the mails in, if they are
// not there already; it returns when all are accepted.
func atEachSync(t *testing.T, name string, fresh func(*testing.T) *bench, send func(*bench)) {
	step := func(n int) int { return n * 4 } // 1, 4, 16, 64
	if long {
		step = func(n int) int { return n + 1 }
	}
	for n, survived := 1, false; !survived; n = step(n) {
		if n > 400 {
			t.Fatal("still killed at its 400th sync")
		}
		ok := t.Run(fmt.Sprintf("sync%d", n), func(t *testing.T) {
			b := fresh(t)
			sent := make(chan struct{})
			go func() { defer close(sent); send(b) }()
			survived = b.killedAt("fdatasync,fsync", n, sent)
			b.d.MustStart()
			<-sent
			b.d.Kill()
			b.finish(name)
		})
		if !ok {
			return
		}
	}
}

// killedAt runs the daemon until one of its threads enters the n-th of these
// system calls, which kills it, or until all that was sent is acknowledged.
func (b *bench) killedAt(calls string, n int, sent <-chan struct{}) (survived bool) {
	b.t.Helper()
	err := b.d.Start(straced(b, "-e", "trace="+calls, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", calls, n))...)
	if err != nil && !errors.Is(err, testdesk.ErrEndedEarly) {
		b.t.Fatal(err)
	}
	began, limit, released := time.Now(), time.Now().Add(time.Minute), false
	for {
		if !released && time.Since(began) > 10*time.Second { // what waits, waits for an operator
			released = true
			b.release()
		}
		if _, ended := b.d.Ends(50 * time.Millisecond); ended {
			b.d.Kill()
			b.faults++
			return false
		}
		select {
		case <-sent:
			if len(b.acknowledged()) >= b.accepted() && b.waiting() == 0 {
				b.d.Kill()
				return true
			}
		default:
		}
		if time.Now().After(limit) {
			b.t.Fatalf("neither killed at call %d nor done within a minute: %d accepted, %d acknowledged, %d letters wait", n, b.accepted(), len(b.acknowledged()), b.waiting())
		}
	}
}

// straced is the command that the daemon is wrapped in. It dies with strace,
// which would let it go.
func straced(b *bench, args ...string) []string {
	wrap := append([]string{"strace", "-f", "-qq", "-o", filepath.Join(b.d.Dir, "strace")}, args...)
	return append(wrap, "setpriv", "--pdeathsig", "KILL")
}

// TestKilledAtEachWrite: A03. Killed at its N-th write to a socket (or to its
// log), while it marks mails as read or moves them away: each is one message.
// One desk for all kills: what one leaves behind, the next finds.
func TestKilledAtEachWrite(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "dovecot", "strace")
	for _, c := range []struct{ name, keys string }{
		{"A03 killed at each write, STORE", "mark_seen: true"},
		{"A03 killed at each write, MOVE", "processed_folder: Processed"},
	} {
		t.Run(c.keys, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, benchOptions{rig: testmail.StartRig(t), imap: c.keys + "\n        " + pollOften})
			next := func(n int) int { return n + pick(7, 1) }
			for n, survived := 1, false; !survived; n = next(n) {
				b.send(b.mails, b.mails+2)
				b.mails += 2
				there := make(chan struct{})
				close(there)
				survived = b.killedAt("write,sendto,sendmsg", n, there)
				if n > 600 {
					t.Fatal("still killed at its 600th write")
				}
			}
			b.finish(c.name)
		})
	}
}
