package torture

import (
	"path/filepath"
	"testing"
	"time"

	"frontdesk/internal/testmail"
)

// TestRestoreOfAnOldBackup: G12. A backup is put back that does not know of the
// last mails, nor that they were acknowledged. They are on the IMAP server
// still: they become tickets again, and what the desk would write to their
// customers a second time waits for the operator. Who writes after the restore
// has an answer at once.
func TestRestoreOfAnOldBackup(t *testing.T) {
	t.Parallel()
	const before, since, later = 20, 20, 3
	b := newBench(t, benchOptions{rig: testmail.StartRig(t)})
	b.d.MustStart()
	b.send(0, before)
	b.mails = before
	b.settle()
	backup := filepath.Join(b.d.Dir, "backup.db")
	if out, err := b.d.Run("backup", backup, "--verify"); err != nil {
		t.Fatal(err, out)
	}
	b.send(before, before+since)
	b.mails += since
	b.settle()
	if err := b.d.Stop(); err != nil {
		t.Fatal(err)
	}
	had := len(b.sink.Mails())
	if out, err := b.d.Run("restore", backup, "--force"); err != nil {
		t.Fatal(err, out)
	}
	b.faults++
	restored := time.Now()
	b.d.MustStart()
	waitUntil(t, time.Minute, "all mails are tickets again", func() bool {
		s := b.reconcile()
		return s.undecided == 0 && s.by["message"] == b.mails && len(s.wrong) == 0 && b.waiting() == 0
	})
	held := 0
	for _, l := range b.d.JSON("outbox", "list", "--limit", "100000") {
		if l["state"] != "held" || l["code"] != "restored" {
			t.Errorf("after the restore: letter %v", l)
		}
		if l["kind"] == "acknowledgement" {
			held++
		}
	}
	if held != since {
		t.Errorf("%d acknowledgements are held, want %d", held, since)
	}

	// The IMAP server tells whole seconds: of what comes in the second of the
	// restore nobody knows whether it came before.
	waitUntil(t, 2*time.Second, "the next second", func() bool { return time.Now().Unix() > restored.Unix() })
	b.send(b.mails, b.mails+later)
	b.mails += later
	waitUntil(t, 30*time.Second, "new mail is acknowledged at once", func() bool { return len(b.acknowledged()) == b.mails })
	b.settle()
	for _, m := range b.sink.Mails()[had:] {
		if to := m.To[0]; to != "asha@baleyo.test" && !newCustomer(to, b.mails-later, b.mails) {
			t.Errorf("a letter left for %s before anybody confirmed", to)
		}
	}
	if out, err := b.d.Run("outbox", "drop", "--restored"); err != nil {
		t.Fatal(err, out)
	}
	if err := b.d.Stop(); err != nil {
		t.Fatal(err)
	}
	for to, letters := range b.acknowledged() {
		if len(letters) != 1 {
			t.Errorf("%s has %d acknowledgements", to, len(letters))
		}
	}
	b.finish("G12 old backup restored")
}

// newCustomer reports whether the address is that of one of the requests low to high-1.
func newCustomer(address string, low, high int) bool {
	for n := low; n < high; n++ {
		if from, _ := request(n, imapBox); from == address {
			return true
		}
	}
	return false
}
