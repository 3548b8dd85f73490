package torture

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"frontdesk/internal/testmail"
)

// meter is a line to a server that counts what comes from it.
type meter struct {
	net.Listener
	down atomic.Int64 // bytes
}

func newMeter(t testing.TB, upstream string) *meter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{Listener: l}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go m.carry(client, upstream)
		}
	}()
	return m
}

func (m *meter) carry(client net.Conn, upstream string) {
	defer client.Close()
	server, err := net.Dial("tcp", upstream)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(io.MultiWriter(client, m), server)
}

// Write counts.
func (m *meter) Write(b []byte) (int, error) {
	m.down.Add(int64(len(b)))
	return len(b), nil
}

func (m *meter) port() int { return m.Addr().(*net.TCPAddr).Port }

// TestRealServersOversizedMail: C13. A mail of 60 MB, where 50 are the limit. In
// the mailbox of a real Dovecot it becomes a ticket with its first 256 KB, the
// customer and the agent are told, and it is never fetched again, neither at the
// next polls nor by the next daemon. By LMTP it is refused for good, and the mail
// server tells the customer. Memory stays within bounds.
func TestRealServersOversizedMail(t *testing.T) {
	t.Parallel()
	const size = 60 << 20
	rig := testmail.StartRig(t)
	line := newMeter(t, fmt.Sprintf("127.0.0.1:%d", rig.IMAPPort()))
	b := newBench(t, benchOptions{rig: rig, imapPort: line.port(), imap: "poll_every: 1s", wait: time.Minute})
	from, raw := request(0, imapBox)
	whole := append(raw, strings.Repeat("A line of a film of a printer, which is offline.......................\r\n", size/72)...)
	rig.FillAt(imapBox, 1, func(int) ([]byte, time.Time) { return whole, time.Now() })
	b.mails, b.faults = 1, 1
	b.d.MustStart()
	b.taken(2 * time.Minute)
	waitUntil(t, time.Minute, "an acknowledgement, and the agent's letter", func() bool {
		return len(b.acknowledged()) == 1 && b.waiting() == 0
	})
	if ack := string(b.acknowledged()[from][0]); !strings.Contains(ack, "it is larger than we can take") {
		t.Errorf("the acknowledgement does not tell:\n%s", ack)
	}
	told := false
	for _, m := range b.sink.Mails() {
		text := string(m.Raw)
		told = told || m.To[0] == "asha@baleyo.test" && strings.Contains(text, "request 0") && strings.Contains(text, "60")
	}
	if !told {
		t.Error("no letter to the agent tells of 60 MB")
	}
	stored, err := b.d.Run("tickets", "show", "1", "--raw")
	if err != nil {
		t.Fatal(err)
	}
	const keeps = 256 << 10
	solid := strings.NewReplacer("\r", "", "\n", "", " ", "") // the command indents
	stored = solid.Replace(stored)
	if want := fmt.Sprintf("X-Frontdesk-Oversize:%d%s", len(whole), solid.Replace(string(whole[:keeps]))); !strings.Contains(stored, want) {
		t.Errorf("the first 256 KB are not stored: %.200q", stored)
	}
	if strings.Contains(stored, solid.Replace(string(whole[:keeps+80]))) {
		t.Error("more than 256 KB are stored")
	}

	// By LMTP.
	if most := peak(t, b.d.PID()); most > 256 {
		t.Errorf("memory rose to %d MB", most)
	}
	for _, says := range []int{0, len(whole)} { // MAIL with and without SIZE
		began := time.Now()
		err := oversizeByLMTP(b.lmtp, from, whole, says)
		if code := codeOf(err); code != 552 {
			t.Errorf("by LMTP (SIZE=%d): %v, want 552", says, err)
		}
		t.Logf("by LMTP (SIZE=%d): %v after %s", says, err, time.Since(began).Round(time.Millisecond))
	}
	if most := peak(t, b.d.PID()); most > 256 {
		t.Errorf("memory rose to %d MB", most)
	}

	// Never again: not at the next polls, not with new mail, not by the next daemon.
	had := line.down.Load()
	quiet := func(what string) {
		t.Helper()
		b.send(b.mails, b.mails+1)
		b.mails++
		b.taken(time.Minute)
		<-time.After(pick(1500*time.Millisecond, 10*time.Second)) // polls
		if more := line.down.Load() - had; more > 1<<20 {
			t.Errorf("%s: %d bytes were fetched again", what, more)
		}
	}
	quiet("polls")
	b.d.Kill()
	b.d.MustStart()
	quiet("the next daemon")
	t.Logf("%d MB came over the line for it, %d KB in all polls since; memory at most %d MB", had>>20, (line.down.Load()-had)>>10, peak(t, b.d.PID()))
	if err := b.d.Stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	b.finish("C13 a mail of 60 MB")
}

// oversizeByLMTP brings one mail and returns how it ended.
func oversizeByLMTP(addr, from string, raw []byte, says int) error {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return err
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	c.CommandTimeout, c.SubmissionTimeout = time.Minute, 2*time.Minute
	if err := c.Mail(from, &smtp.MailOptions{Size: int64(says)}); err != nil {
		return err
	}
	if err := c.Rcpt(lmtpBox, nil); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	_, err = w.CloseWithLMTPResponse()
	return err
}
