package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"frontdesk/internal/testmail"
	"frontdesk/store"
)

func TestBacklogOf1000(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	for i := range 1000 {
		b.append(mailText(i))
	}
	m := b.mailbox()
	b.poll(m, 1000)
	b.poll(m, 0)
	for i, got := range b.data() {
		if want := mailText(i); got != want {
			t.Fatalf("row %d holds %q, want %q", i, got, want)
		}
	}
	r, err := m.Reconcile(t.Context())
	if err != nil || r.Server != 1000 || r.Ledger != 1000 || r.Undecided != 1000 || r.Missing != nil {
		t.Errorf("Reconcile = %+v, %v; want server=1000 ledger=1000 undecided=1000", r, err)
	}
}

func TestNewMailWakesAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{}) // polls once an hour: only IDLE brings what follows
	b.run(b.mailbox())
	for i := range 5 {
		b.append(mailText(i))
		b.waitRows(i + 1)
	}
}

// What the desk takes out of the folder itself makes it smaller: the next mail is
// news although there are no more than before.
func TestNewMailWakesAtOnceWhereMailIsMoved(t *testing.T) {
	t.Parallel()
	for name, without := range map[string][]imap.Cap{"MOVE": nil, "COPY and UID EXPUNGE": {imap.CapMove}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testmail.IMAPOptions{Folders: []string{"Done"}, Without: without}) // polls once an hour
			b.opt.ProcessedFolder = "Done"
			b.run(b.mailbox())
			for i := range 4 {
				b.append(mailText(i))
				b.waitRows(i + 1)
				for end := time.Now().Add(20 * time.Second); len(b.mails("Done")) <= i || len(b.mails("INBOX")) > 0; {
					if time.Now().After(end) {
						t.Fatalf("mail %d is not moved", i)
					}
					<-time.After(5 * time.Millisecond)
				}
			}
		})
	}
}

func TestPollWithoutIdle(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	b.opt.Poll = 20 * time.Millisecond
	m := b.mailbox()
	b.run(m)
	b.append(mailText(1))
	b.waitRows(1)
	if since := time.Since(m.Beat()); since > 10*time.Second {
		t.Errorf("last beat %s ago", since)
	}
}

func TestRestartsAddNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	b.append("From: c@cust.test\r\nSubject: no message-id\r\n\r\nhello\r\n")
	for range 5 {
		stop := b.run(b.mailbox())
		b.waitRows(1)
		stop()
	}
	b.poll(b.mailbox(), 0)
}

func TestSeenByPeopleIsStillTaken(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	uid := b.append(mailText(1))
	if err := b.srv.AddFlags(supportUser, "INBOX", []imap.Flag{imap.FlagSeen, imap.FlagFlagged, "$Label1"}, uid); err != nil {
		t.Fatal(err)
	}
	m := b.mailbox()
	b.poll(m, 1)
	if got := b.mails("INBOX")[0]; !slices.Contains(got.Flags, imap.FlagFlagged) {
		t.Errorf("flags are %v, a person's are gone", got.Flags)
	}
	// A mail that a person takes away is nobody's loss: its row is there.
	if err := b.srv.Expunge(supportUser, "INBOX", uid); err != nil {
		t.Fatal(err)
	}
	b.poll(m, 0)
}

func TestUnseenStaysUnseen(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	b.append(mailText(1))
	b.poll(b.mailbox(), 1)
	if b.mails("INBOX")[0].Seen() {
		t.Error("reading set \\Seen")
	}
}

func TestTwoEqualMailsAreTwoRows(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	b.append(mailText(1))
	b.append(mailText(1))
	b.poll(b.mailbox(), 2)
}

func TestSeenOnlyAfterCommit(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	b.opt.MarkSeen = true
	b.append(mailText(1))
	b.db.hook(func([]store.Item) error {
		if b.mails("INBOX")[0].Seen() {
			t.Error("\\Seen before the commit")
		}
		return errDisk
	})
	m := b.mailbox()
	if _, err := m.Poll(t.Context()); !errors.Is(err, errDisk) {
		t.Fatalf("Poll = %v, want the ledger's error", err)
	}
	if b.mails("INBOX")[0].Seen() {
		t.Error("\\Seen without a row")
	}
	b.db.hook(nil)
	b.poll(m, 1)
	if !b.mails("INBOX")[0].Seen() {
		t.Error("not \\Seen after the commit")
	}
}

func TestMarkThatACrashLeftOut(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{Folders: []string{"Done"}})
	b.append(mailText(1))
	b.poll(b.mailbox(), 1) // marks nothing: the state between commit and mark
	b.opt.MarkSeen = true
	b.poll(b.mailbox(), 0)
	if !b.mails("INBOX")[0].Seen() {
		t.Error("\\Seen not made up for")
	}
	b.opt.ProcessedFolder = "Done"
	b.poll(b.mailbox(), 0)
	if n := len(b.mails("Done")); n != 1 || len(b.mails("INBOX")) != 0 {
		t.Errorf("%d mails in Done, want 1, and none in INBOX", n)
	}
}

func TestMove(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		without []imap.Cap
		folders []string
		left    int
	}{
		{"MOVE", nil, []string{"Done"}, 0},
		{"folder is made", nil, nil, 0},
		{"COPY and UID EXPUNGE", []imap.Cap{imap.CapMove}, []string{"Done"}, 0},
		{"COPY only", []imap.Cap{imap.CapMove, imap.CapUIDPlus}, []string{"Done"}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testmail.IMAPOptions{Folders: c.folders, Without: c.without})
			b.opt.ProcessedFolder = "Done"
			for i := range 3 {
				b.append(mailText(i))
			}
			b.poll(b.mailbox(), 3)
			b.poll(b.mailbox(), 0)
			if n := len(b.mails("Done")); n != 3 {
				t.Errorf("%d mails in Done, want 3", n)
			}
			left := b.mails("INBOX")
			if len(left) != c.left {
				t.Errorf("%d mails left in INBOX, want %d", len(left), c.left)
			}
			for _, m := range left {
				if !slices.Contains(m.Flags, imap.FlagDeleted) {
					t.Errorf("uid %d is left without \\Deleted: %v", m.UID, m.Flags)
				}
			}
			r, err := b.mailbox().Reconcile(t.Context())
			if err != nil || r.Server != 3 || r.Ledger != 3 || r.Missing != nil {
				t.Errorf("Reconcile = %+v, %v; want server=3 ledger=3", r, err)
			}
		})
	}
}

func TestCopyRefusedLosesNothing(t *testing.T) {
	t.Parallel()
	no := &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeOverQuota, Text: "quota"}
	b := newBench(t, testmail.IMAPOptions{
		Folders: []string{"Done"}, Without: []imap.Cap{imap.CapMove},
		Before: func(_, command string) error {
			if command == "COPY" {
				return no
			}
			return nil
		},
	})
	b.opt.ProcessedFolder = "Done"
	b.append(mailText(1))
	b.poll(b.mailbox(), 1)
	if n := len(b.mails("INBOX")); n != 1 {
		t.Errorf("%d mails in INBOX, want 1: COPY was refused", n)
	}
}

func TestRenumbered(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	for i := range 500 {
		b.append(mailText(i))
	}
	b.append(mailText(0)) // twice the same bytes
	m := b.mailbox()
	b.run(m)
	b.waitRows(501)
	if err := b.srv.Renumber(supportUser, "INBOX"); err != nil {
		t.Fatal(err)
	}
	b.append(mailText(1000))
	b.append(mailText(0)) // a third one of them is new
	b.waitRows(503)
	// The rows stand before the cursor is moved and the line is written.
	for end := time.After(10 * time.Second); b.log.count("folder renumbered") == 0; {
		select {
		case <-end:
			t.Fatalf("no log line about it:\n%s", b.log)
		case <-time.After(5 * time.Millisecond):
		}
	}
	if n := b.log.count("folder renumbered"); n != 1 {
		t.Errorf("%d log lines about it, want 1:\n%s", n, b.log)
	}
	for range 3 { // nor does a restart find anything new
		b.poll(b.mailbox(), 0)
	}
	r, err := b.mailbox().Reconcile(t.Context())
	if err != nil || r.Server != 503 || r.Ledger != 503 {
		t.Errorf("Reconcile = %+v, %v; want server=503 ledger=503", r, err)
	}
}

func TestRenumberedTwiceOverInterrupted(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	for i := range 120 {
		b.append(mailText(i))
	}
	b.poll(b.mailbox(), 120)
	for i := range 120 { // arrived while we were away
		b.append(mailText(1000 + i))
	}
	if err := b.srv.Renumber(supportUser, "INBOX"); err != nil {
		t.Fatal(err)
	}
	var n atomic.Int32
	b.db.hook(func([]store.Item) error {
		if n.Add(1) > 1 {
			return errDisk
		}
		return nil
	})
	if _, err := b.mailbox().Poll(t.Context()); !errors.Is(err, errDisk) {
		t.Fatalf("Poll = %v, want the ledger's error", err)
	}
	b.db.hook(nil)
	if _, err := b.mailbox().Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.rows(); got != 240 {
		t.Errorf("%d rows, want 240", got)
	}
	b.poll(b.mailbox(), 0)
}

func TestExpungeBetweenSearchAndFetch(t *testing.T) {
	t.Parallel()
	var b *bench
	var once atomic.Bool
	b = newBench(t, testmail.IMAPOptions{Before: func(_, command string) error {
		if command == "FETCH" && once.CompareAndSwap(false, true) {
			return b.srv.Expunge(supportUser, "INBOX", 2)
		}
		return nil
	}})
	for i := range 3 {
		b.append(mailText(i))
	}
	m := b.mailbox()
	b.poll(m, 2)
	b.poll(m, 0)
	if n := b.log.count("level=WARN"); n != 0 {
		t.Errorf("warned:\n%s", b.log)
	}
}

func TestOversize(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	big := mailText(1) + strings.Repeat("0123456789abcdef\r\n", 1<<16)
	b.append(big)
	b.append(mailText(2))
	m := b.mailbox()
	b.poll(m, 2)
	b.poll(m, 0)
	b.poll(b.mailbox(), 0)
	got := b.data()[0]
	head, rest, _ := strings.Cut(got, "\r\n")
	if want := fmt.Sprintf("%s: %d", OversizeField, len(big)); head != want || len(rest) != keepBytes || !strings.HasPrefix(big, rest) {
		t.Errorf("row begins with %q and holds %d bytes of the mail, want %q and %d", head, len(rest), want, keepBytes)
	}
}

func TestOutageIsLoggedOnceAndKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	b.append(mailText(1))
	b.opt.Password = "wrong"
	m := b.mailbox()
	tried := make(chan struct{}, 100)
	m.backoff = func(int) time.Duration {
		tried <- struct{}{}
		return time.Millisecond
	}
	stop := b.run(m)
	for range 5 {
		<-tried
	}
	stop()
	if n := b.log.count("level=WARN"); n != 1 {
		t.Errorf("%d warnings, want 1:\n%s", n, b.log)
	}
	if b.log.count("wrong") != 0 {
		t.Error("the log holds the password")
	}
	c, err := b.db.Cursor(t.Context(), supportUser, "INBOX")
	if err != nil || !strings.Contains(c.Error, "log in as "+supportUser) {
		t.Errorf("cursor = %+v, %v; want the error in it", c, err)
	}
	b.opt.Password = supportPass
	b.poll(b.mailbox(), 1)
	if c, err = b.db.Cursor(t.Context(), supportUser, "INBOX"); err != nil || c.Error != "" || c.UID != 1 {
		t.Errorf("cursor = %+v, %v; want no error and uid 1", c, err)
	}
}

func TestServerRestart(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	b.run(b.mailbox())
	for i := range 5 {
		b.append(mailText(i))
		b.waitRows(i + 1)
		b.srv.Kick()
	}
	b.append(mailText(5))
	b.waitRows(6)
	if n := b.log.count("level=WARN"); n != 0 {
		t.Errorf("warned of connections that came back at once:\n%s", b.log)
	}
}

// TestBackoffOfAServerThatDropsEveryClient: sessions that work are no failures,
// so a server that ends each of them soon is read again within seconds. The wait
// grew to five minutes.
func TestBackoffOfAServerThatDropsEveryClient(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	m := b.mailbox()
	waits := make(chan time.Duration, 100)
	m.backoff = func(n int) time.Duration {
		waits <- backoff(n)
		return time.Millisecond
	}
	b.run(m)
	for i := range 12 {
		b.append(mailText(i))
		b.waitRows(i + 1)
		b.srv.Kick()
		if wait := <-waits; wait > 5*time.Second {
			t.Errorf("after session %d, which worked, the next one comes after %s", i+1, wait)
		}
	}
}

func TestFailedTries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n      int
		well   bool
		lasted time.Duration
		want   int
	}{
		{0, false, time.Minute, 0}, {7, false, time.Hour, 7}, // nothing worked, however long it took
		{0, true, time.Second, 0}, {1, true, time.Second, 1}, {9, true, time.Second, 2},
		{9, true, time.Minute, 0},
	} {
		if got := failedTries(c.n, c.well, c.lasted); got != c.want {
			t.Errorf("failedTries(%d, %v, %s) = %d, want %d", c.n, c.well, c.lasted, got, c.want)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.mailbox().Run(ctx) }()
	b.append(mailText(1))
	b.waitRows(1)
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Run = %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("Run did not end within 5 s")
	}
}
