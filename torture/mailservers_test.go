package torture

import (
	"bytes"
	"testing"
	"time"

	"frontdesk/internal/testmail"
)

// TestRealServersRestarted: A15. Dovecot and Postfix are stopped and started in
// the middle of the work, Dovecot ends connections, and refuses the login for a
// while. Operators are told once, and once that it is over; nothing is lost.
func TestRealServersRestarted(t *testing.T) {
	t.Parallel()
	rig := testmail.StartRig(t)
	clock := newClock(t)
	b := newBench(t, benchOptions{rig: rig, imap: "processed_folder: Processed\n        poll_every: 2s", clock: clock, wait: 2 * time.Minute,
		more: "alerts: {mail_to: [ops@elsewhere.test], mailbox_silent_for: 1 minute}\n"})
	told := func() (n int) {
		for _, m := range b.sink.Mails() {
			if m.To[0] == "ops@elsewhere.test" && bytes.Contains(m.Raw, []byte(imapBox)) {
				n++
			}
		}
		return n
	}
	b.d.MustStart()
	n := pick(8, 150)
	for _, server := range []string{"dovecot", "postfix", "both"} {
		for range pick(1, 2) {
			b.send(b.mails, b.mails+n)
			b.mails += n
			for _, s := range []string{"dovecot", "postfix"} {
				if server == s || server == "both" {
					rig.Stop(s)
				}
			}
			b.faults++
			<-time.After(pick(300*time.Millisecond, 3*time.Second))
			for _, s := range []string{"dovecot", "postfix"} {
				if server == s || server == "both" {
					rig.Start(s)
				}
			}
		}
	}
	for range pick(2, 4) { // BYE, while it moves mails away
		b.send(b.mails, b.mails+n)
		b.mails += n
		rig.Kick(imapBox)
		b.faults++
	}
	rig.Flush()
	b.taken(3 * time.Minute)

	// The login is refused.
	already := told()
	good := rig.Password(imapBox)
	rig.SetPassword(imapBox, "another")
	rig.Kick(imapBox)
	b.faults++
	b.send(b.mails, b.mails+n)
	b.mails += n
	// After so many sessions that were cut off the next try may be minutes away.
	waitUntil(t, pick(time.Minute, 6*time.Minute), "the log tells of the login", func() bool { return b.logged("level=WARN", "mailbox not read", "AUTHENTICATIONFAILED") })
	if long {
		waitUntil(t, 3*time.Minute, "operators are told of the login", func() bool { return told() > already })
		for range 6 { // an hour
			clock.step(10 * time.Minute)
			<-time.After(12 * time.Second)
		}
		if got := told(); got != already+1 {
			t.Errorf("operators were told %d times within the hour", got-already)
		}
	}
	had := b.tickets()
	if had != b.mails-n {
		t.Errorf("%d tickets while the login is refused, want %d", had, b.mails-n)
	}
	rig.SetPassword(imapBox, good)
	healed := time.Now()
	b.taken(6 * time.Minute)
	t.Logf("mail was taken %s after the password was right again", time.Since(healed).Round(time.Second))
	if long {
		waitUntil(t, 2*time.Minute, "operators are told that it is over", func() bool { return told() == already+2 })
	}
	b.d.Kill()
	b.finish("A15 mail servers are restarted, and refuse the login")
}

// TestRealServersRenumber: A08. Dovecot gives the folder a new UIDVALIDITY with
// its old mails in it, twice, the second time while the first is being worked
// on: no mail comes in again.
func TestRealServersRenumber(t *testing.T) {
	t.Parallel()
	mails := pick(60, 500)
	rig := testmail.StartRig(t)
	b := newBench(t, benchOptions{rig: rig, imap: "poll_every: 2s", wait: time.Minute})
	now := time.Now()
	rig.FillAt(imapBox, mails, func(i int) ([]byte, time.Time) {
		_, raw := request(i, imapBox)
		return raw, now.Add(time.Duration(i-mails) * time.Second)
	})
	b.mails = mails
	b.d.MustStart()
	b.taken(2 * time.Minute)
	again := func(what string) {
		t.Helper()
		rig.UIDReset(imapBox)
		b.faults++
		b.send(b.mails, b.mails+1)
		b.mails++
		if what == "" { // and once more, at any moment of the work that the first makes
			return
		}
		b.taken(2 * time.Minute)
	}
	again("idle")
	again("")
	again("twice")
	if lines := b.times("folder renumbered"); lines == 0 || lines > b.faults {
		t.Errorf("%d lines of the log about %d new UIDVALIDITYs", lines, b.faults)
	}
	b.d.Kill()
	b.d.MustStart()
	again("restarted")
	b.d.Kill()
	b.finish("A08 a new UIDVALIDITY")
}
