package intake

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// badServer is an IMAP server that answers as a script says: what real servers
// and networks do to a client on a bad day.
type badServer struct {
	t *testing.T
	net.Listener
	n  atomic.Int32
	wg sync.WaitGroup

	// answer may take over a command ("UID FETCH" …); false leaves it to the
	// server. conn counts from 1.
	answer func(c *badConn, conn int, command, args string) (done bool)

	mu    sync.Mutex
	mails map[uint32]string
}

type badConn struct {
	net.Conn
	r   *bufio.Reader
	tag string
	bye bool
}

func (c *badConn) say(format string, a ...any) { _, _ = fmt.Fprintf(c.Conn, format, a...) }

func (c *badConn) ok() { c.say("%s OK done\r\n", c.tag) }

func newBadServer(t *testing.T, mails map[uint32]string, answer func(c *badConn, conn int, command, args string) bool) *badServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &badServer{t: t, Listener: l, answer: answer, mails: mails}
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			n := int(s.n.Add(1))
			s.wg.Go(func() { s.serve(conn, n) })
			t.Cleanup(func() { _ = conn.Close() })
		}
	})
	t.Cleanup(func() { // runs after the mailbox has ended
		_ = l.Close()
	})
	return s
}

func (s *badServer) port() int { return s.Addr().(*net.TCPAddr).Port }

func (s *badServer) add(uid uint32, raw string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails[uid] = raw
}

func (s *badServer) serve(conn net.Conn, n int) {
	defer func() { _ = conn.Close() }()
	c := &badConn{Conn: conn, r: bufio.NewReader(conn)}
	c.say("* OK [CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS] ready\r\n")
	for !c.bye {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return
		}
		var command, args string
		c.tag, command, _ = strings.Cut(strings.TrimSpace(line), " ")
		command, args, _ = strings.Cut(command, " ")
		if command == "UID" {
			command, args, _ = strings.Cut(args, " ")
			command = "UID " + command
		}
		if s.answer != nil && s.answer(c, n, command, args) {
			continue
		}
		s.usual(c, command, args)
	}
}

// usual answers as a good server does.
func (s *badServer) usual(c *badConn, command, args string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch command {
	case "CAPABILITY":
		c.say("* CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS\r\n")
	case "SELECT":
		c.say("* %d EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 1000] x\r\n", len(s.mails))
	case "UID SEARCH":
		c.say("* SEARCH")
		for uid := range s.mails {
			c.say(" %d", uid)
		}
		c.say("\r\n")
	case "UID FETCH":
		for uid := uint32(1); uid < 1000; uid++ {
			if raw, ok := s.mails[uid]; ok && named(args, uid) {
				c.say("* %d FETCH (UID %d RFC822.SIZE %d BODY[]<0> {%d}\r\n%s)\r\n", uid, uid, len(raw), len(raw), raw)
			}
		}
	case "IDLE":
		c.say("+ idling\r\n")
		_, _ = c.r.ReadString('\n')
	case "LOGOUT":
		c.say("* BYE\r\n")
		c.bye = true
	}
	c.ok()
}

// named reports whether a FETCH asks for uid.
func named(args string, uid uint32) bool {
	set, _, _ := strings.Cut(args, " ")
	for part := range strings.SplitSeq(set, ",") {
		low, high, isRange := strings.Cut(part, ":")
		var a, b uint32
		_, _ = fmt.Sscan(low, &a)
		if b = a; isRange {
			_, _ = fmt.Sscan(high, &b)
		}
		if a <= uid && uid <= b {
			return true
		}
	}
	return false
}

// badBench is a bench on a bad server.
func badBench(t *testing.T, mails map[uint32]string, answer func(c *badConn, conn int, command, args string) bool) (*bench, *badServer) {
	t.Helper()
	s := newBadServer(t, mails, answer)
	b := &bench{t: t, db: openLedger(t), wake: make(chan struct{}, 1), log: &logBuffer{}}
	b.opt = b.options(s.port())
	return b, s
}

func three() map[uint32]string {
	return map[uint32]string{1: mailText(1), 2: mailText(2), 3: mailText(3)}
}

func TestDroppedInsideALiteral(t *testing.T) {
	t.Parallel()
	b, _ := badBench(t, three(), func(c *badConn, conn int, command, _ string) bool {
		if command != "UID FETCH" || conn > 1 {
			return false
		}
		c.say("* 1 FETCH (UID 1 BODY[]<0> {%d}\r\n%s)\r\n", len(mailText(1)), mailText(1))
		c.say("* 2 FETCH (UID 2 BODY[]<0> {1000}\r\nabc")
		c.bye = true
		return true
	})
	m := b.mailbox()
	if n, err := m.Poll(t.Context()); err == nil || n != 1 {
		t.Errorf("Poll = %d, %v; want the one complete mail and an error", n, err)
	}
	if rows := b.data(); len(rows) != 1 || rows[0] != mailText(1) {
		t.Errorf("rows = %q", rows)
	}
	b.run(m)
	b.waitRows(3)
	if rows := b.data(); rows[1] != mailText(2) && rows[2] != mailText(2) {
		t.Errorf("rows = %q, want the whole mail 2", rows)
	}
}

func TestLiteralShorterThanTheMail(t *testing.T) {
	t.Parallel()
	b, _ := badBench(t, three(), func(c *badConn, conn int, command, _ string) bool {
		if command == "UID FETCH" && conn == 1 {
			c.say("* 1 FETCH (UID 1 BODY[]<0> {10}\r\n%s)\r\n%s OK done\r\n", mailText(1), c.tag)
			return true
		}
		return false
	})
	m := b.mailbox()
	if n, err := m.Poll(t.Context()); err == nil || n != 0 {
		t.Errorf("Poll = %d, %v; want nothing and an error", n, err)
	}
	b.run(m)
	b.waitRows(3)
}

func TestByeAndNo(t *testing.T) {
	t.Parallel()
	b, _ := badBench(t, three(), func(c *badConn, conn int, command, _ string) bool {
		switch {
		case conn == 1 && command == "LOGIN":
			c.say("* BYE [UNAVAILABLE] shutting down\r\n")
			c.bye = true
		case conn == 2 && command == "SELECT":
			c.say("%s NO [NONEXISTENT] no such mailbox\r\n", c.tag)
		case conn == 3 && command == "UID SEARCH":
			c.say("%s BAD what\r\n", c.tag)
		case conn == 4 && command == "UID SEARCH":
			c.say("* XFOO some extension nobody knows\r\n")
			return false
		default:
			return false
		}
		return true
	})
	b.run(b.mailbox())
	b.waitRows(3)
	if w, i := b.log.count("level=WARN"), b.log.count("mailbox read again"); w != 1 || i > 1 {
		t.Errorf("%d warnings and %d recoveries, want one of each:\n%s", w, i, b.log)
	}
}

// One mail that the server does not hand out must not hold up the others, and
// ends as a row of what could be had.
func TestRefusedMail(t *testing.T) {
	t.Parallel()
	mails := three()
	b, s := badBench(t, mails, func(c *badConn, _ int, command, args string) bool {
		switch {
		case command != "UID FETCH" || !named(args, 2):
			return false
		case strings.Contains(args, "HEADER"):
			c.say("* 2 FETCH (UID 2 BODY[HEADER]<0> {14}\r\nSubject: x\r\n\r\n)\r\n")
			c.ok()
			return true
		}
		c.say("%s NO [SERVERBUG] cannot read it\r\n", c.tag)
		return true
	})
	m := b.mailbox()
	m.giveUp, m.giveUpAge = 3, 0
	m.backoff = func(int) time.Duration { return 0 }
	b.poll(m, 2)
	if c, _ := b.db.Cursor(t.Context(), supportUser, "INBOX"); c.UID != 1 {
		t.Errorf("cursor at %d, want 1: uid 2 is not in", c.UID)
	}
	s.add(4, mailText(4))
	b.poll(m, 1)
	b.poll(m, 1) // the third time
	b.poll(m, 0)
	b.poll(b.mailbox(), 0)
	if c, _ := b.db.Cursor(t.Context(), supportUser, "INBOX"); c.UID != 4 {
		t.Errorf("cursor at %d, want 4", c.UID)
	}
	rows := b.data()
	got := rows[len(rows)-1]
	if why, ok := unfetched([]byte(got)); !ok || !strings.Contains(why, "cannot read it") || !strings.HasSuffix(got, "\r\nSubject: x\r\n\r\n") {
		t.Errorf("last row = %q", got)
	}
	if _, ok := unfetched([]byte(mailText(1))); ok {
		t.Error("a mail is taken for one that could not be fetched")
	}
}

// The same with a mail at which the connection breaks each time.
func TestMailThatBreaksTheConnection(t *testing.T) {
	t.Parallel()
	b, _ := badBench(t, three(), func(c *badConn, _ int, command, args string) bool {
		if command == "UID FETCH" && named(args, 2) {
			c.say("* 2 FETCH (UID 2 X-GM-WHATEVER 5 BODY[]<0> {3}\r\nabc)\r\n")
			return true
		}
		return false
	})
	m := b.mailbox()
	m.giveUp, m.giveUpAge = 3, 0
	b.opt.Poll = 10 * time.Millisecond
	m.opt.Poll = b.opt.Poll
	b.run(m)
	b.waitRows(3)
	for _, row := range b.data() {
		if strings.HasPrefix(row, UnfetchedField) && strings.HasSuffix(row, "\r\n\r\n") {
			return
		}
	}
	t.Errorf("rows = %q, want one of the mail that could not be had", b.data())
}

func TestSilentServer(t *testing.T) {
	t.Parallel()
	for _, silent := range []string{"LOGIN", "SELECT", "UID SEARCH", "UID FETCH"} {
		t.Run(silent, func(t *testing.T) {
			t.Parallel()
			b, _ := badBench(t, three(), func(_ *badConn, conn int, command, _ string) bool {
				return conn == 1 && command == silent
			})
			b.opt.Command = 100 * time.Millisecond
			m := b.mailbox()
			if _, err := m.Poll(t.Context()); err == nil || !strings.Contains(err.Error(), "no answer for 100ms") {
				t.Fatalf("Poll = %v, want its deadline", err)
			}
			b.run(m)
			b.waitRows(3)
		})
	}
}

// A slow line is no dead one: each byte counts.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	b, _ := badBench(t, map[uint32]string{1: mailText(1)}, func(c *badConn, _ int, command, _ string) bool {
		if command != "UID FETCH" {
			return false
		}
		raw := mailText(1)
		c.say("* 1 FETCH (UID 1 BODY[]<0> {%d}\r\n", len(raw))
		tick := time.NewTicker(6 * time.Millisecond)
		defer tick.Stop()
		for i := range len(raw) {
			<-tick.C
			c.say("%s", raw[i:i+1])
		}
		c.say(")\r\n")
		c.ok()
		return true
	})
	b.opt.Command = 400 * time.Millisecond // the mail takes longer
	m := b.mailbox()
	n, err := m.Poll(t.Context())
	if n != 1 {
		t.Errorf("Poll = %d, %v; want the slow mail", n, err)
	}
}

// A connection that died unseen while it was idle is found by the poll.
func TestDeadIdle(t *testing.T) {
	t.Parallel()
	b, s := badBench(t, three(), func(c *badConn, conn int, command, _ string) bool {
		if command != "IDLE" || conn > 1 {
			return false
		}
		c.say("+ idling\r\n")
		_, _ = io.Copy(io.Discard, c.r) // hears DONE, says nothing ever again
		return true
	})
	b.opt.Poll, b.opt.Command = 50*time.Millisecond, 100*time.Millisecond
	b.run(b.mailbox())
	b.waitRows(3)
	s.add(9, mailText(9))
	b.waitRows(4)
}

// Some servers say EXISTS each time IDLE begins. That is no news.
func TestExistsWithoutNews(t *testing.T) {
	t.Parallel()
	var searches atomic.Int32
	idled := make(chan struct{}, 100)
	b, _ := badBench(t, three(), func(c *badConn, _ int, command, _ string) bool {
		switch command {
		case "UID SEARCH":
			searches.Add(1)
		case "IDLE":
			c.say("+ idling\r\n* 3 EXISTS\r\n* 3 EXISTS\r\n")
			idled <- struct{}{}
			_, _ = c.r.ReadString('\n')
			c.ok()
			return true
		}
		return false
	})
	b.opt.Poll = 100 * time.Millisecond
	stop := b.run(b.mailbox())
	for range 3 {
		<-idled
	}
	stop()
	if n := searches.Load(); n > 4 {
		t.Errorf("%d passes in three idles", n)
	}
}

// A server restored from a backup hands UIDs out again that the ledger knows
// for other mails.
func TestServerRestoredFromBackup(t *testing.T) {
	t.Parallel()
	var next atomic.Int32
	next.Store(4)
	b, s := badBench(t, three(), func(c *badConn, _ int, command, _ string) bool {
		if command == "SELECT" {
			c.say("* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT %d] x\r\n", next.Load())
			c.ok()
			return true
		}
		return false
	})
	b.poll(b.mailbox(), 3)
	next.Store(3)
	s.mu.Lock()
	delete(s.mails, 3) // lost with the backup
	s.mu.Unlock()
	b.poll(b.mailbox(), 0)
	next.Store(4)
	s.add(3, mailText(33)) // another mail, the same UID
	b.poll(b.mailbox(), 1)
	b.poll(b.mailbox(), 0)
	if rows := b.data(); len(rows) != 4 || rows[3] != mailText(33) {
		t.Errorf("rows = %q", rows)
	}
}
