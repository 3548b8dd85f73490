package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/parser"
)

// Both tests here are about one promise: whatever instant the daemon is killed
// at, each mail becomes one message and gets one acknowledgement. TORTURE=1
// runs them at full length: 1,000 mails and 50 kills, and every sync there is.

// flood sends the mails low to high-1, each of another customer, to
// support@baleyo.test.
func flood(r *testmail.Rig, low, high int) {
	for i := low; i < high; i++ {
		from := fmt.Sprintf("customer%d@flood.test", i)
		r.Send(from, []string{"support@baleyo.test"}, fmt.Appendf(nil,
			"From: %s\r\nTo: support@baleyo.test\r\nSubject: request %d\r\nDate: %s\r\nMessage-ID: <%d.%d@flood.test>\r\n\r\nMy printer number %d is offline.\r\n",
			from, i, time.Now().Format(time.RFC1123Z), i, time.Now().UnixNano(), i))
	}
}

// killBench is a desk between a real Dovecot and a server that counts letters.
type killBench struct {
	t     *testing.T
	r     *testmail.Rig
	sink  *testmail.SMTP
	d     *realDesk
	mails int
}

// newKillBench makes a desk with an empty store.
func newKillBench(t *testing.T, r *testmail.Rig, mails int) *killBench {
	t.Helper()
	sink, err := testmail.NewSMTP(testmail.SMTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sink.Close() })
	config := storyConfig(r, sink.Port()) + "acknowledge: {per_domain_hour: 100000, global_hour: 100000}\nincidents: {customers: 0}\n"
	return &killBench{t: t, r: r, sink: sink, d: newRealDesk(t, config, r), mails: mails}
}

// finish lets the daemon end its work and checks every sum.
func (b *killBench) finish() {
	b.t.Helper()
	b.d.mustStart()
	limit := time.Now().Add(2*time.Minute + time.Duration(b.mails)*100*time.Millisecond)
	for !b.settled() {
		if time.Now().After(limit) {
			b.t.Fatalf("not settled: %v, outbox %v, %d acknowledged", b.d.json("reconcile"), b.d.json("outbox", "list"), len(b.acknowledged()))
		}
		<-time.After(200 * time.Millisecond)
	}
	if err := b.d.stop(); err != nil {
		b.t.Errorf("the daemon ended with %v", err)
	}
	rec := b.d.json("reconcile", "--mailbox", "support@baleyo.test")[0]
	n := float64(b.mails)
	if rec["server"] != n || rec["ledger"] != n || rec["undecided"] != 0.0 || rec["rows"] != n {
		b.t.Errorf("reconcile: %v, want server=%v ledger=%v rows=%v undecided=0", rec, n, n, n)
	}
	if by, _ := rec["by_disposition"].(map[string]any); by["message"] != n {
		b.t.Errorf("by disposition: %v, want %v messages", by, n)
	}
	b.checkAcknowledgements()
}

// settled reports that no row and no letter waits.
func (b *killBench) settled() bool {
	rec := b.d.json("reconcile", "--mailbox", "support@baleyo.test")[0]
	return rec["ledger"] == float64(b.mails) && rec["undecided"] == 0.0 && len(b.acknowledged()) >= b.mails && b.waiting() == 0
}

// waiting counts letters that are on their way.
func (b *killBench) waiting() (n int) {
	for _, l := range b.d.json("outbox", "list") {
		if l["state"] == "queued" || l["state"] == "dot" {
			n++
		}
	}
	return n
}

// acknowledged returns what each customer got, by address.
func (b *killBench) acknowledged() map[string][][]byte {
	got := map[string][][]byte{}
	for _, m := range b.sink.Mails() {
		if to := m.To[0]; bytes.HasSuffix([]byte(to), []byte("@flood.test")) {
			got[to] = append(got[to], m.Raw)
		}
	}
	return got
}

// checkAcknowledgements wants one for each customer. A second copy is allowed
// where the desk was killed between the final dot and the answer: the same
// bytes, and so the same Message-ID.
func (b *killBench) checkAcknowledgements() {
	b.t.Helper()
	got, copies := b.acknowledged(), 0
	if len(got) != b.mails {
		b.t.Errorf("%d customers have an acknowledgement, want %d", len(got), b.mails)
	}
	for to, letters := range got {
		copies += len(letters) - 1
		for _, l := range letters[1:] {
			if !bytes.Equal(l, letters[0]) {
				b.t.Errorf("%s has two different letters, %s and %s", to,
					parser.Parse(letters[0], parser.Options{}).MessageID, parser.Parse(l, parser.Options{}).MessageID)
			}
		}
	}
	doubts := 0
	for _, l := range b.d.json("outbox", "list", "--all", "--limit", "100000") {
		n, _ := l["doubts"].(float64)
		doubts += int(n)
	}
	if copies > doubts {
		b.t.Errorf("%d second copies, but only %d letters were in doubt", copies, doubts)
	}
	b.t.Logf("%d mails, %d acknowledged, %d second copies of %d letters in doubt", b.mails, len(got), copies, doubts)
}

// TestRealServersKilledAtRandomMoments kills the daemon with SIGKILL again and
// again while mail comes in.
func TestRealServersKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	mails, kills := 120, 12
	switch {
	case os.Getenv("TORTURE") == "1":
		mails, kills = 1000, 50
	case testing.Short():
		mails, kills = 30, 4
	}
	b := newKillBench(t, testmail.StartRig(t), mails)
	early := 0
	for k := range kills {
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			flood(b.r, mails*k/kills, mails*(k+1)/kills)
		}()
		if err := b.d.start(); err != nil && !errors.Is(err, errEndedEarly) {
			t.Fatal(err)
		}
		select {
		case err := <-b.d.done: // ended by itself: that it must not
			t.Fatalf("the daemon ended with %v", err)
		case <-time.After(rand.N(300 * time.Millisecond)):
		}
		if len(b.acknowledged()) < mails*(k+1)/kills {
			early++
		}
		b.d.kill()
		<-sent
	}
	t.Logf("%d of %d kills fell into the work", early, kills)
	if early == 0 {
		t.Error("no kill fell into the work")
	}
	b.finish()
}

// TestRealServersKilledAtEachSync kills the daemon in the moment of its N-th
// sync of a file, for one N after the other, over the same twenty mails.
func TestRealServersKilledAtEachSync(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "dovecot", "strace")
	const mails = 20
	r := testmail.StartRig(t)
	flood(r, 0, mails)
	waitForMails(t, r, mails)
	step := func(n int) int { return n + n/2 + 1 } // 1, 2, 4, 7, 11, 17, 26 …
	if os.Getenv("TORTURE") == "1" {
		step = func(n int) int { return n + 1 }
	}
	for n, survived := 1, false; !survived; n = step(n) {
		if n > 300 {
			t.Fatal("still killed at its 300th sync")
		}
		ok := t.Run(fmt.Sprintf("sync%d", n), func(t *testing.T) {
			b := newKillBench(t, r.For(t), mails)
			survived = b.killedAt(n)
			b.finish()
		})
		if !ok || testing.Short() {
			break
		}
	}
}

// waitForMails waits until Postfix has delivered them all.
func waitForMails(t *testing.T, r *testmail.Rig, n int) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); len(r.Mails("support@baleyo.test")) < n; {
		if time.Now().After(limit) {
			t.Fatalf("%d mails delivered, want %d", len(r.Mails("support@baleyo.test")), n)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// killedAt runs the daemon until one of its threads makes its n-th sync, which
// kills it, or until its work is done.
func (b *killBench) killedAt(n int) (survived bool) {
	b.t.Helper()
	err := b.d.start("strace", "-f", "-qq", "-o", filepath.Join(b.d.dir, "strace"), "-e", "trace=fdatasync,fsync",
		"-e", fmt.Sprintf("inject=fdatasync,fsync:signal=KILL:when=%d", n))
	if err != nil && !errors.Is(err, errEndedEarly) {
		b.t.Fatal(err)
	}
	for limit := time.Now().Add(time.Minute); ; {
		select {
		case err := <-b.d.done:
			b.d.done <- err
			b.d.kill()
			return false
		case <-time.After(100 * time.Millisecond):
		}
		if len(b.acknowledged()) >= b.mails && b.waiting() == 0 || time.Now().After(limit) {
			b.d.kill()
			return true
		}
	}
}
