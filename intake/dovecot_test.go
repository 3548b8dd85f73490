package intake

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testmail"
)

// dovecotBench is a bench on a real Dovecot.
func dovecotBench(t *testing.T) (*bench, *testmail.Rig) {
	t.Helper()
	r := testmail.StartRig(t)
	b := &bench{t: t, db: openLedger(t), wake: make(chan struct{}, 1), log: &logBuffer{}}
	b.opt = b.options(r.IMAPSPort())
	b.opt.Host, b.opt.TLS, b.opt.CAFile = "localhost", "implicit", r.CAFile()
	return b, r
}

func deliverTo(r *testmail.Rig, n int) {
	r.Send(fmt.Sprintf("customer%d@cust.test", n), []string{supportUser}, []byte(mailText(n)))
}

func TestDovecot(t *testing.T) {
	t.Parallel()
	b, r := dovecotBench(t)
	run := b.run(b.mailbox())

	// Mail is taken at once over TLS and IDLE.
	for i := range 3 {
		deliverTo(r, i)
		b.waitRows(i + 1)
	}

	// A mail without Message-ID stays one mail over five restarts.
	r.Send("c@cust.test", []string{supportUser}, []byte("From: c@cust.test\r\nSubject: no id\r\n\r\nhello\r\n"))
	b.waitRows(4)
	run()
	for range 5 {
		stop := b.run(b.mailbox())
		b.poll(b.mailbox(), 0)
		stop()
	}

	// The server drops us, and restarts; mail of that time is taken afterwards.
	m := b.mailbox()
	run = b.run(m)
	r.Kick(supportUser)
	deliverTo(r, 4)
	b.waitRows(5)
	r.Stop("dovecot")
	deliverTo(r, 5) // Postfix keeps it
	r.Start("dovecot")
	b.waitRows(6)
	run()

	// New UIDs for old mail: nothing new, nothing lost.
	for i := range 60 {
		deliverTo(r, 100+i)
	}
	rows := func() int {
		if _, err := b.mailbox().Poll(t.Context()); err != nil {
			t.Error(err)
		}
		return b.rows()
	}
	waitUntil(t, func() bool { return rows() == 66 })
	r.UIDReset(supportUser)
	b.poll(b.mailbox(), 0)
	deliverTo(r, 200)
	waitUntil(t, func() bool { return rows() == 67 })
	rec, err := b.mailbox().Reconcile(t.Context())
	if err != nil || rec.Server != 67 || rec.Ledger != 67 || rec.Missing != nil {
		t.Errorf("Reconcile = %+v, %v; want server=67 ledger=67", rec, err)
	}
	if n := b.log.count("folder renumbered"); n != 1 {
		t.Errorf("%d log lines about the new UIDVALIDITY, want 1", n)
	}

	// Moves with the server's own MOVE, into a folder that is not there yet.
	b.opt.ProcessedFolder, b.opt.MarkSeen = "Done", true
	b.poll(b.mailbox(), 0)
	if left := r.Mails(supportUser); len(left) != 0 {
		t.Errorf("%d mails left in INBOX", len(left))
	}

	// STARTTLS, too.
	b.opt.Port, b.opt.TLS = r.IMAPPort(), "starttls"
	b.poll(b.mailbox(), 0)

	// And a certificate that nobody vouches for is refused.
	b.opt.CAFile = ""
	if _, err := b.mailbox().Poll(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("Poll = %v, want the certificate refused", err)
	}
}

func TestDovecotRefusesTheLogin(t *testing.T) {
	t.Parallel()
	b, r := dovecotBench(t)
	r.SetPassword(supportUser, "changed")
	deliverTo(r, 1)
	m := b.mailbox()
	tries := make(chan struct{}, 1000)
	m.backoff = func(int) time.Duration {
		tries <- struct{}{}
		return 20 * time.Millisecond
	}
	b.run(m)
	for range 5 {
		<-tries
	}
	r.SetPassword(supportUser, supportPass)
	b.waitRows(1)
	waitUntil(t, func() bool { return b.log.count("mailbox read again") > 0 })
	if w, i := b.log.count("level=WARN"), b.log.count("mailbox read again"); w != 1 || i != 1 {
		t.Errorf("%d warnings and %d recoveries, want one of each:\n%s", w, i, b.log)
	}
}

// waitUntil waits for what other programs do.
func waitUntil(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("not within 30 s")
		}
	}
}
