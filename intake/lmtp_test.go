package intake

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/store"
)

// lmtpBench is a listener with its ledger.
type lmtpBench struct {
	t    *testing.T
	addr string
	db   *faulty
	stop context.CancelFunc
	done chan struct{}
	log  *logBuffer
}

func newLMTPBench(t *testing.T) *lmtpBench {
	t.Helper()
	return newLMTPBenchUpTo(t, 100_000)
}

// newLMTPBenchUpTo is one that takes mails of so many bytes.
func newLMTPBenchUpTo(t *testing.T, size int64) *lmtpBench {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &lmtpBench{t: t, addr: l.Addr().String(), db: openLedger(t), done: make(chan struct{}), log: &logBuffer{}}
	s := NewLMTP(LMTPOptions{
		Addresses: []Address{
			{Brand: "baleyo", Mailbox: "support@baleyo.test", Queue: "support", Subaddressing: "+"},
			{Brand: "baleyo", Mailbox: "plain@baleyo.test", Queue: "support"},
			{Brand: "sahara", Mailbox: "hilfe@sahara.test", Queue: "hilfe", Subaddressing: "-"},
		},
		MaxSize: size, Hostname: "desk.baleyo.test", DB: b.db.DB,
		Log: slog.New(slog.NewTextHandler(b.log, nil)),
	})
	s.db = b.db
	ctx, cancel := context.WithCancel(context.Background())
	b.stop = cancel
	go func() {
		defer close(b.done)
		if err := s.Serve(ctx, l); err != nil {
			t.Errorf("Serve = %v", err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-b.done
	})
	return b
}

// lmtpClient speaks LMTP line by line.
type lmtpClient struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (b *lmtpBench) dial() *lmtpClient {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	c := &lmtpClient{t: b.t, Conn: conn, r: bufio.NewReader(conn)}
	c.want("220 ")
	c.say("LHLO mta.baleyo.test\r\n")
	c.want("250 ")
	return c
}

func (c *lmtpClient) say(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, s); err != nil {
		c.t.Fatal(err)
	}
}

// want reads one answer and returns its last line.
func (c *lmtpClient) want(prefix string) string {
	c.t.Helper()
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatalf("no answer %q: %v", prefix, err)
		}
		if len(line) > 3 && line[3] == '-' {
			continue
		}
		if !strings.HasPrefix(line, prefix) {
			c.t.Fatalf("answer %q, want %q", strings.TrimSpace(line), prefix)
		}
		return line
	}
}

// envelope begins a mail up to 354.
func (c *lmtpClient) envelope(from string, to ...string) {
	c.t.Helper()
	c.say("MAIL FROM:<" + from + ">\r\n")
	c.want("250 ")
	for _, rcpt := range to {
		c.say("RCPT TO:<" + rcpt + ">\r\n")
		c.want("250 ")
	}
	c.say("DATA\r\n")
	c.want("354 ")
}

func (b *lmtpBench) rows() []store.Claimed {
	b.t.Helper()
	var all []store.Claimed
	for _, brand := range []string{"baleyo", "sahara"} {
		rows, err := b.db.ClaimLedger(b.t.Context(), brand, 1000, time.Unix(1, 0), time.Unix(1, 0))
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, rows...)
	}
	return all
}

func TestLMTPRowForEachMailbox(t *testing.T) {
	t.Parallel()
	b := newLMTPBench(t)
	c := b.dial()
	c.envelope("", "support@baleyo.test", "Support+T4711@Baleyo.test", "hilfe-x@sahara.test")
	c.say(mailText(1) + ".\r\n")
	for range 3 {
		c.want("250 ")
	}
	rows := b.rows()
	if len(rows) != 2 {
		t.Fatalf("%d rows, want 2", len(rows))
	}
	for i, want := range []struct{ mailbox, queue, rcpts string }{
		{"support@baleyo.test", "support", "[support@baleyo.test Support+T4711@Baleyo.test]"},
		{"hilfe@sahara.test", "hilfe", "[hilfe-x@sahara.test]"},
	} {
		r := rows[i]
		if r.Mailbox != want.mailbox || r.Queue != want.queue || fmt.Sprint(r.Recipients) != want.rcpts {
			t.Errorf("row %d = %s %s %v, want %+v", i, r.Mailbox, r.Queue, r.Recipients, want)
		}
		if r.Sender == nil || *r.Sender != "" {
			t.Errorf("row %d: sender %v, want the null reverse-path", i, r.Sender)
		}
		head, rest, _ := strings.Cut(string(r.Data), "+0000\r\n")
		if rest != mailText(1) && !strings.HasSuffix(string(r.Data), mailText(1)) {
			t.Errorf("row %d: mail changed: %q", i, r.Data)
		}
		if !strings.HasPrefix(head, "Received: from mta.baleyo.test ([127.0.0.1])\r\n\tby desk.baleyo.test with LMTP;") {
			t.Errorf("row %d begins with %q", i, head)
		}
		if !(Authenticator{}).internal(strings.ReplaceAll(head[len("Received: "):], "\r\n", "")) {
			t.Errorf("our own field %q is taken for the border", head)
		}
	}
}

func TestLMTPUnknownRecipient(t *testing.T) {
	t.Parallel()
	c := newLMTPBench(t).dial()
	c.say("MAIL FROM:<c@cust.test>\r\n")
	c.want("250 ")
	for _, rcpt := range []string{"nobody@baleyo.test", "support@sahara.test", "plain+x@baleyo.test", "supportive@baleyo.test", "hilfe+x@sahara.test"} {
		c.say("RCPT TO:<" + rcpt + ">\r\n")
		c.want("550 5.1.1")
	}
	c.say("RCPT TO:<plain@baleyo.test>\r\n")
	c.want("250 ")
}

func TestLMTPAnswersAfterTheCommit(t *testing.T) {
	t.Parallel()
	b := newLMTPBench(t)
	c := b.dial()
	for _, f := range []struct {
		err  error
		want string
	}{
		{errors.New("connection refused"), "451 4.3.0"},
		{fmt.Errorf("write: %w", syscall.ENOSPC), "452 4.3.1"},
	} {
		b.db.hook(func([]store.Item) error { return f.err })
		c.envelope("c@cust.test", "support@baleyo.test")
		c.say(mailText(1) + ".\r\n")
		if answer := c.want(f.want); strings.Contains(answer, "refused") {
			t.Errorf("the answer shows internals: %q", answer)
		}
	}
	began, goOn := make(chan struct{}), make(chan struct{})
	b.db.hook(func([]store.Item) error {
		close(began)
		<-goOn
		return nil
	})
	c.envelope("c@cust.test", "support@baleyo.test")
	c.say(mailText(1) + ".\r\n")
	<-began
	if n := c.r.Buffered(); n != 0 {
		t.Error("answered before the commit")
	}
	close(goOn)
	c.want("250 ")
	if n := len(b.rows()); n != 1 {
		t.Errorf("%d rows after two failures and a success, want 1", n)
	}
}

func TestLMTPTooLarge(t *testing.T) {
	t.Parallel()
	b := newLMTPBench(t)
	c := b.dial()
	c.say("MAIL FROM:<c@cust.test> SIZE=200000\r\n")
	c.want("552 5.3.4")
	head := "Subject: x\r\n\r\n"
	c.envelope("c@cust.test", "support@baleyo.test")
	c.say(head + strings.Repeat("x", 100_000-len(head)-1) + "\r\n.\r\n") // one byte too many
	c.want("552 5.3.4")
	c.envelope("c@cust.test", "support@baleyo.test")
	c.say(head + strings.Repeat("x", 100_000-len(head)-2) + "\r\n.\r\n") // one line, as large as allowed
	c.want("250 ")
	if n := len(b.rows()); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestLMTPClientGoneBeforeTheDot(t *testing.T) {
	t.Parallel()
	b := newLMTPBench(t)
	c := b.dial()
	c.envelope("c@cust.test", "support@baleyo.test")
	c.say("Subject: half\r\n\r\nhal")
	_ = c.Close()
	c = b.dial() // and the whole mail again
	c.envelope("c@cust.test", "support@baleyo.test")
	c.say(mailText(1) + ".\r\n")
	c.want("250 ")
	if rows := b.rows(); len(rows) != 1 || !strings.HasSuffix(string(rows[0].Data), mailText(1)) {
		t.Errorf("%d rows, want the whole mail only", len(rows))
	}
}

// No line end but CRLF ends a mail (RFC 5321 section 2.3.8), and what does end
// one ends it after odd lines, too: nobody gets a second mail in.
func TestLMTPSmuggling(t *testing.T) {
	t.Parallel()
	inner := "MAIL FROM:<ceo@baleyo.test>\r\nRCPT TO:<support@baleyo.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nhi\r\n"
	for _, c := range []struct{ name, end string }{
		{"LF dot LF", "\n.\n"},
		{"CRLF dot LF", "\r\n.\n"},
		{"LF dot CRLF", "\n.\r\n"},
		{"CR dot CR", "\r.\r"},
		{"CRLF dot CR", "\r\n.\r"},
		{"LF dot CR CRLF", "\n.\r\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newLMTPBench(t)
			m := b.dial()
			m.envelope("c@cust.test", "support@baleyo.test")
			m.say("Subject: outer\r\n\r\nhello" + c.end + inner + ".\r\n")
			m.want("250 ")
			m.say("NOOP\r\n")
			m.want("250 2.0.0 I have") // the next answer is NOOP's, not a second mail's
			if rows := b.rows(); len(rows) != 1 || !strings.Contains(string(rows[0].Data), "smuggled") {
				t.Errorf("%d rows, want one mail with all of it", len(rows))
			}
		})
	}
}

func TestLMTPBareCRBeforeTheEnd(t *testing.T) {
	t.Parallel()
	b := newLMTPBench(t)
	c := b.dial()
	c.envelope("c@cust.test", "support@baleyo.test")
	for _, part := range []string{"Subject: x\r\n\r\na\rb\r", "\r\n.\r\n"} { // CR CR LF over two packets
		c.say(part)
	}
	c.want("250 ")
	if rows := b.rows(); len(rows) != 1 || !strings.HasSuffix(string(rows[0].Data), "\r\n\r\na\rb\r\n") {
		t.Errorf("rows = %+v", rows)
	}
}

func TestLMTPDrain(t *testing.T) {
	t.Parallel()
	b := newLMTPBench(t)
	idle, busy := b.dial(), b.dial()
	busy.envelope("c@cust.test", "support@baleyo.test")
	busy.say("Subject: x\r\n\r\n")
	b.stop()
	idle.want("421 ") // told to go, though it said nothing
	busy.say("the rest\r\n.\r\n")
	busy.want("250 ")
	busy.want("421 ")
	select {
	case <-b.done:
	case <-time.After(10 * time.Second):
		t.Error("Serve goes on")
	}
	if n := len(b.rows()); n != 1 {
		t.Errorf("%d rows, want the mail that was on its way", n)
	}
}

// A real Postfix hands over, is told to wait, and comes again.
func TestLMTPFromPostfix(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "postfix")
	b := newLMTPBench(t)
	r := testmail.StartRig(t)
	_, port, _ := net.SplitHostPort(b.addr)
	n, _ := strconv.Atoi(port)
	r.Route("sahara.test", n)
	var tries atomic.Int32
	b.db.hook(func([]store.Item) error {
		if tries.Add(1) == 1 {
			return fmt.Errorf("write: %w", syscall.ENOSPC)
		}
		return nil
	})
	raw := mailText(1) + ".\r\n..dots\r\n" + strings.Repeat("x", 5000) + "\r\n"
	r.Send("anna@cust.test", []string{"hilfe@sahara.test", "hilfe-t1@sahara.test", "nobody@sahara.test"}, []byte(raw))
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.Log(20))
		}
	})
	waitUntil(t, func() bool { return len(b.rows()) == 1 })
	row := b.rows()[0]
	if *row.Sender != "anna@cust.test" || len(row.Recipients) == 0 || row.Mailbox != "hilfe@sahara.test" {
		t.Errorf("row from %s to %v in %s", *row.Sender, row.Recipients, row.Mailbox)
	}
	if !strings.Contains(string(row.Data), "\r\n.\r\n..dots\r\n") {
		t.Errorf("dots changed:\n%.900s", row.Data)
	}
	r.Wait("anna@cust.test", 20*time.Second, "bounce of the unknown address", func(raw []byte) bool {
		return strings.Contains(string(raw), "nobody@sahara.test") && strings.Contains(string(raw), "5.1.1")
	})
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	db := openLedger(t)
	to := Address{Brand: "baleyo", Mailbox: "support@baleyo.test", Queue: "support"}
	sender := "c@cust.test"
	if err := Deliver(t.Context(), db.DB, to, "support+x@baleyo.test", &sender, []byte(mailText(1)), time.Now()); err != nil {
		t.Fatal(err)
	}
	rows, err := db.ClaimLedger(t.Context(), "baleyo", 10, time.Now(), time.Now())
	if err != nil || len(rows) != 1 || string(rows[0].Data) != mailText(1) || rows[0].Recipients[0] != "support+x@baleyo.test" ||
		!strings.HasPrefix(rows[0].Key, "pipe:") || *rows[0].Sender != sender {
		t.Errorf("rows = %+v, %v", rows, err)
	}
	db.hook(func([]store.Item) error { return errDisk })
	if err := deliver(t.Context(), db, to, "", nil, nil, time.Now()); !errors.Is(err, errDisk) {
		t.Errorf("deliver = %v, want the ledger's error", err)
	}
}

func TestLMTPConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	b := newLMTPBench(t)
	var held []net.Conn
	greeting := func() (string, net.Conn) {
		c, err := net.Dial("tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		line, _ := bufio.NewReader(c).ReadString('\n')
		return line, c
	}
	for i := range 100 {
		line, c := greeting()
		if !strings.HasPrefix(line, "220 ") {
			t.Fatalf("connection %d: %q", i, line)
		}
		held = append(held, c)
	}
	if line, _ := greeting(); !strings.HasPrefix(line, "421 4.3.2 ") {
		t.Errorf("one too many gets %q", line)
	}
	for _, c := range held {
		_ = c.Close()
	}
	for range 1000 { // the listener hears of it a moment later
		if line, _ := greeting(); strings.HasPrefix(line, "220 ") {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("no connection is taken after the others have gone")
}
