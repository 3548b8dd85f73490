package torture

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testdesk"
	"frontdesk/internal/testmail"
)

// past is n conversations of two mails, the customer's and the desk's answer,
// in order of time, the last one three days ago.
func past(n int, box string) (mails [][]byte, at []time.Time) {
	began := time.Now().Add(-time.Duration(n)*time.Minute - 3*24*time.Hour).UTC().Truncate(time.Second)
	for i := range n {
		when := began.Add(time.Duration(i) * time.Minute)
		who := fmt.Sprintf("past%d@flood.test", i)
		mails = append(mails,
			fmt.Appendf(nil, "From: %s\nTo: %s\nSubject: matter %d\nDate: %s\nMessage-ID: <q%d@flood.test>\n\nMy printer number %d is offline.\n", who, box, i, when.Format(time.RFC1123Z), i, i),
			fmt.Appendf(nil, "From: %s\nTo: %s\nSubject: Re: matter %d\nDate: %s\nMessage-ID: <a%d@baleyo.test>\nIn-Reply-To: <q%d@flood.test>\n\nSwitch printer number %d on.\n", box, who, i, when.Add(30*time.Second).Format(time.RFC1123Z), i, i, i))
		at = append(at, when, when.Add(30*time.Second))
	}
	return mails, at
}

// mbox writes mails into an mbox file of the desk's folder.
func (b *bench) mbox(name string, mails [][]byte, at []time.Time) string {
	b.t.Helper()
	var f bytes.Buffer
	for i, raw := range mails {
		fmt.Fprintf(&f, "From x@flood.test %s\n%s\n", at[i].Format(time.ANSIC), raw)
	}
	name = filepath.Join(b.d.Dir, name)
	if err := os.WriteFile(name, f.Bytes(), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return name
}

// history says of each ticket what it is about and how many messages it has.
func (b *bench) history() (out []string) {
	for _, tk := range b.d.JSON("tickets", "list", "--status", "all", "--limit", "1000000") {
		text, err := b.d.Run("tickets", "show", fmt.Sprint(tk["id"]))
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s: %v, %d asked, %d answered", tk["subject"], tk["status"], strings.Count(text, "My printer"), strings.Count(text, "Switch printer")))
	}
	slices.Sort(out)
	return out
}

// TestImportKilled: F6. The process of an import is killed again and again at
// random moments; run once more, each mail is there once, with its ticket.
func TestImportKilled(t *testing.T) {
	t.Parallel()
	conversations, kills := pick(500, 10_000), pick(4, 40)
	mails, at := past(conversations, lmtpBox)
	b := newBench(t, benchOptions{})
	file := b.mbox("old.mbox", mails, at)
	bin, err := testdesk.Binary()
	if err != nil {
		t.Fatal(err)
	}
	inTheMiddle, left := 0, 0
	for range kills * 4 {
		cmd := exec.Command(bin, "import", "mbox", file, "--mailbox", lmtpBox, "--config", b.d.Config())
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if err := b.killAfter(cmd, 2+rand.IntN(4)); err != nil {
			t.Errorf("import: %v", err)
		}
		n := b.messages()
		if n > 0 && n < len(mails) && n > left {
			inTheMiddle++
		}
		if left = n; inTheMiddle >= kills || n == len(mails) {
			break
		}
	}
	if inTheMiddle < 2 {
		t.Errorf("of %d kills %d left it in the middle", b.faults, inTheMiddle)
	}
	if out, err := b.d.Run("import", "mbox", file, "--mailbox", lmtpBox); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	out, err := b.d.Run("import", "mbox", file, "--mailbox", lmtpBox)
	if err != nil || !strings.Contains(out, fmt.Sprintf("read=%d messages=0 tickets=0 customers=0 known=%[1]d ", len(mails))) {
		t.Errorf("once more: %s %v", out, err)
	}
	s := b.reconcile()
	lost, doubled := 0, 0
	if n := b.messages(); n < len(mails) {
		lost = len(mails) - n
	} else {
		doubled = n - len(mails)
	}
	if n := b.tickets(); n != conversations || s.rows != len(mails) || s.undecided != 0 {
		t.Errorf("%d tickets of %d conversations, %+v", n, conversations, s)
	}
	if n := len(b.d.JSON("outbox", "list", "--limit", "10")); n != 0 {
		t.Errorf("%d letters were written", n)
	}
	t.Logf("%d kills left the import in the middle", inTheMiddle)
	testdesk.Record(t, testdesk.Row{Name: "F6 an import is killed at random moments", Faults: b.faults, In: len(mails), Out: b.messages(), Lost: lost, Doubled: doubled})
}

// killAfter kills a command when the database was seen to change so often, and
// reports how one ended that was done before.
func (b *bench) killAfter(cmd *exec.Cmd, changes int) error {
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	wal := b.database() + "-wal"
	for was := (time.Time{}); ; {
		select {
		case err := <-ended:
			return err
		case <-time.After(time.Millisecond):
		}
		if info, err := os.Stat(wal); err == nil && info.Size() > 0 && info.ModTime() != was {
			was = info.ModTime()
			changes--
		}
		if changes < 0 {
			_ = cmd.Process.Kill()
			<-ended
			b.faults++
			return nil
		}
	}
}

// messages counts the messages of all tickets.
func (b *bench) messages() (n int) {
	b.t.Helper()
	for _, r := range b.d.JSON("reconcile") {
		by, _ := r["by_disposition"].(map[string]any)
		if m, ok := by["message"].(float64); ok {
			n += int(m)
		}
	}
	return n
}

// TestRealServersImportThenIMAP: F6. What was imported from an mbox file and a
// Maildir is in the mailbox that Dovecot serves, too: nothing comes twice and
// nobody gets a letter for it. An answer to an old mail goes to the old ticket.
func TestRealServersImportThenIMAP(t *testing.T) {
	t.Parallel()
	conversations := pick(20, 500)
	rig := testmail.StartRig(t)
	b := newBench(t, benchOptions{rig: rig, imap: "poll_every: 2s"})
	mails, at := past(conversations, imapBox)
	half := conversations // of twice as many mails
	file := b.mbox("old.mbox", mails[:half], at[:half])
	folder := filepath.Join(b.d.Dir, "Maildir", "cur")
	for _, dir := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(b.d.Dir, "Maildir", dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i := half - 2; i < len(mails); i++ { // two stand in both
		name := filepath.Join(folder, fmt.Sprintf("%d.M%d.host:2,S", at[i].Unix(), i))
		if err := os.WriteFile(name, mails[i], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"mbox", file}, {"maildir", filepath.Join(b.d.Dir, "Maildir")}} {
		if out, err := b.d.Run("import", args[0], args[1], "--mailbox", imapBox, "--leave-open", "14"); err != nil {
			t.Fatalf("%s %v", out, err)
		}
	}
	want := b.history()
	if len(want) != conversations {
		t.Fatalf("%d tickets of %d conversations: %q", len(want), conversations, want)
	}
	rig.FillAt(imapBox, len(mails), func(i int) ([]byte, time.Time) { return mails[i], at[i] })
	b.d.MustStart()
	waitUntil(t, time.Minute, "the mailbox was read", func() bool { s := b.reconcile(); return s.rows >= 2*len(mails) && s.undecided == 0 })
	if got := b.history(); !slices.Equal(got, want) {
		t.Errorf("after IMAP:\n%s\nbefore:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	rig.Send("past3@flood.test", []string{imapBox}, []byte("From: past3@flood.test\r\nTo: "+imapBox+"\r\nSubject: another subject\r\nMessage-ID: <late@flood.test>\r\nIn-Reply-To: <a3@baleyo.test>\r\n\r\nMy printer number 3 is offline again.\r\n"))
	waitUntil(t, time.Minute, "the answer was read", func() bool { s := b.reconcile(); return s.rows > 2*len(mails) && s.undecided == 0 })
	b.d.Kill()
	want[slices.IndexFunc(want, func(s string) bool { return strings.HasPrefix(s, "matter 3:") })] = "matter 3: open, 2 asked, 1 answered"
	if got := b.history(); !slices.Equal(got, want) {
		t.Errorf("after an answer:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for to := range b.acknowledged() {
		if to != "past3@flood.test" {
			t.Errorf("%s got a letter", to)
		}
	}
	testdesk.Record(t, testdesk.Row{Name: "F6 imported mail comes again by IMAP", Faults: 1, In: len(mails), Out: b.messages() - 1, Lost: max(0, len(mails)+1-b.messages()), Doubled: max(0, b.messages()-len(mails)-1)})
}

// TestImportDryRunWritesNothing: F6. Not a byte of the database changes.
func TestImportDryRunWritesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, benchOptions{})
	mails, at := past(50, lmtpBox)
	b.mails = 0
	if out, err := b.d.Run("import", "mbox", b.mbox("first.mbox", mails[:40], at[:40]), "--mailbox", lmtpBox); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	file := b.mbox("old.mbox", mails, at)
	before := b.stored()
	out, err := b.d.Run("import", "mbox", file, "--mailbox", lmtpBox, "--dry-run")
	if err != nil || !strings.Contains(out, "read=100 messages=60 tickets=30 ") || !strings.Contains(out, "known=40 ") {
		t.Errorf("%s %v", out, err)
	}
	if after := b.stored(); after != before {
		t.Errorf("a dry run changed the database: %s, before %s", after, before)
	}
	if out, err := b.d.Run("import", "mbox", file, "--mailbox", lmtpBox); err != nil || !strings.Contains(out, "messages=60 tickets=30 ") {
		t.Errorf("for good: %s %v", out, err)
	}
	if b.stored() == before {
		t.Error("an import did not change what is compared here")
	}
}

// stored is a sum of the bytes of the database.
func (b *bench) stored() string {
	b.t.Helper()
	out := ""
	files, err := filepath.Glob(b.database() + "*")
	if err != nil || len(files) == 0 {
		b.t.Fatalf("no database: %v", err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			b.t.Fatal(err)
		}
		if strings.HasSuffix(f, "-shm") {
			continue // an index of the WAL, made anew by whoever opens it
		}
		out += fmt.Sprintf("%s %d %x ", filepath.Base(f), len(data), sha256.Sum256(data))
	}
	return out
}

// TestImportShowsABar: on a terminal there is a bar, in a pipe there is none.
func TestImportShowsABar(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "script")
	b := newBench(t, benchOptions{})
	mails, at := past(200, lmtpBox)
	file := b.mbox("old.mbox", mails, at)
	bin, err := testdesk.Binary()
	if err != nil {
		t.Fatal(err)
	}
	line := fmt.Sprintf("%s import mbox %s --mailbox %s --dry-run --config %s", bin, file, lmtpBox, b.d.Config())
	shown, err := exec.Command("script", "-qec", line, "/dev/null").CombinedOutput()
	if err != nil || !bytes.Contains(shown, []byte("/400")) || !bytes.Contains(shown, []byte("import")) {
		t.Errorf("on a terminal: %q, %v", shown, err)
	}
	piped, err := exec.Command("sh", "-c", line).CombinedOutput()
	if err != nil || bytes.ContainsAny(piped, "\r\x1b%") || bytes.Count(piped, []byte("\n")) != 1 {
		t.Errorf("in a pipe: %q, %v", piped, err)
	}
}
