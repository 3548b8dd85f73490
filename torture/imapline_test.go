package torture

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testmail"
)

// long mails have a body that ends with a word of their own: whoever has half
// of one does not have it.
const lastLine = "this is the last line of request "

// bulky is the n-th customer's mail with a body of so many bytes, at least.
func bulky(n, size int) (from string, raw []byte) {
	from, raw = request(n, imapBox)
	raw = append(raw, strings.Repeat("A line of a long mail about a printer that is offline.\r\n", size/56+1)...)
	return from, append(raw, lastLine+strconv.Itoa(n)+".\r\n"...)
}

// mailIn hands n more bulky mails to the rig and waits until Dovecot has them.
func (b *bench) mailIn(n, size int) {
	b.t.Helper()
	for range n {
		from, raw := bulky(b.mails, size)
		b.opt.rig.Send(from, []string{imapBox}, raw)
		b.mails++
	}
	waitForMails(b.t, b.opt.rig, b.mails)
}

// tickets counts them. It asks no mail server, unlike reconcile.
func (b *bench) tickets() int {
	return len(b.d.JSON("tickets", "list", "--status", "all", "--limit", "1000000"))
}

// taken waits until the desk has all mails that were sent.
func (b *bench) taken(limit time.Duration) {
	b.t.Helper()
	waitUntil(b.t, limit, fmt.Sprintf("%d mails are tickets", b.accepted()), func() bool { return b.tickets() >= b.accepted() })
}

// whole fails the test for each stored mail that lacks its end.
func (b *bench) whole() {
	b.t.Helper()
	for _, tk := range b.d.JSON("tickets", "list", "--limit", "1000000") {
		_, n, _ := strings.Cut(fmt.Sprint(tk["subject"]), "request ")
		raw, err := b.d.Run("tickets", "show", fmt.Sprint(tk["id"]), "--raw")
		if err != nil {
			b.t.Fatal(err)
		}
		if !strings.Contains(raw, lastLine+n+".") {
			b.t.Errorf("request %s is stored without its end", n)
		}
	}
}

// TestRealServersBadLineToIMAP: A13, A14. The line to Dovecot ends within a mail,
// is reset within one, carries a few bytes at a time, or nothing at all in
// either direction. No mail is stored in part, none twice, and all come in.
func TestRealServersBadLineToIMAP(t *testing.T) {
	t.Parallel()
	rig := testmail.StartRig(t)
	line := newToxic(t, fmt.Sprintf("127.0.0.1:%d", rig.IMAPPort()))
	ops := "alerts: {mail_to: [ops@elsewhere.test], mailbox_silent_for: 1 minute}\n"
	b := newBench(t, benchOptions{rig: rig, imapPort: line.port(), imap: "mark_seen: true\n        poll_every: 5s", more: ops, wait: time.Minute})
	b.d.MustStart()
	b.mailIn(2, 1000)
	b.taken(time.Minute)
	const size = 60_000

	line.add("limit_data", "downstream", `"bytes": 20000`)
	b.mailIn(2, size)
	waitUntil(t, time.Minute, "the line ended within a mail", func() bool { return b.logged("mailbox not read") })
	b.faults++
	if n := b.tickets(); n != b.mails-2 {
		t.Errorf("%d tickets while no mail came whole, want %d", n, b.mails-2)
	}
	line.clear()
	b.taken(time.Minute)

	line.add("bandwidth", "downstream", fmt.Sprintf(`"rate": %d`, pick(40, 10))) // KB/s
	for range pick(1, 4) {
		b.mailIn(1, size)
		<-time.After(800 * time.Millisecond) // into the literal
		line.add("reset_peer", "downstream", `"timeout": 0`)
		b.faults++
		<-time.After(200 * time.Millisecond)
		line.drop("reset_peer")
	}
	b.taken(2 * time.Minute)
	line.clear()

	line.add("slicer", "downstream", `"average_size": 7, "size_variation": 5, "delay": 20`)
	b.mailIn(1, 5000)
	b.faults++
	b.taken(time.Minute)
	line.clear()

	if long {
		line.add("bandwidth", "downstream", `"rate": 1`)
		b.mailIn(1, 30_000)
		b.faults++
		b.taken(3 * time.Minute)
		line.clear()
	}
	b.blackHole(line)
	b.d.Kill()
	b.whole()
	b.finish("A13, A14 a bad line to the IMAP server")
}

// blackHole keeps the line open and carries nothing, both ways, while the desk idles.
func (b *bench) blackHole(line *toxic) {
	b.t.Helper()
	line.add("timeout", "downstream", `"timeout": 0`)
	line.add("timeout", "upstream", `"timeout": 0`)
	began := time.Now()
	b.faults++
	b.mailIn(2, 1000)
	told := func() (n int) {
		for _, m := range b.sink.Mails() {
			if m.To[0] == "ops@elsewhere.test" && bytes.Contains(m.Raw, []byte(imapBox)) {
				n++
			}
		}
		return n
	}
	if long {
		waitUntil(b.t, 5*time.Minute, "operators are told of a mailbox that is not read", func() bool { return told() == 1 })
		b.t.Logf("operators were told %s after the line went dead", time.Since(began).Round(time.Second))
	} else {
		<-time.After(time.Until(began.Add(3 * time.Second)))
	}
	if n := b.tickets(); n != b.mails-2 {
		b.t.Errorf("%d tickets over a dead line, want %d", n, b.mails-2)
	}
	line.clear()
	healed := time.Now()
	b.taken(5 * time.Minute)
	b.t.Logf("the mails were taken %s after the line was healed", time.Since(healed).Round(time.Millisecond))
	if long {
		waitUntil(b.t, 2*time.Minute, "operators are told that it is over", func() bool { return told() == 2 })
	}
}
