package intake

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/store"
)

// heard is a ledger that only remembers.
type rememberer struct {
	ledger // nil: nothing else of it is used
	mu     sync.Mutex
	items  []store.Item
}

func (h *rememberer) Append(_ context.Context, items []store.Item, _ *store.Cursor) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.items = append(h.items, items...)
	return len(items), nil
}

// FuzzLMTPMail: what an MTA hands over as one mail is one row with its bytes, for
// the mailbox it named, whatever is in it: no line in it is a command, and the
// next command is none of its lines.
func FuzzLMTPMail(f *testing.F) {
	inner := "MAIL FROM:<ceo@baleyo.test>\r\nRCPT TO:<support@baleyo.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nhi\r\n.\r\n"
	for _, end := range []string{"\r\n.\r\n", "\n.\n", "\r\n.\n", "\n.\r\n", "\r.\r", "\n.\r\r\n", "\r\r\n.\r\r\n", "\r\n..\r\n", "\x00.\r\n", "\r"} {
		f.Add([]byte("Subject: outer\r\n\r\nhello"+end+inner), uint8(7))
	}
	f.Add([]byte(""), uint8(0))
	f.Fuzz(func(t *testing.T, mail []byte, cut uint8) {
		if len(mail) > 50_000 {
			return
		}
		ledger, log := &rememberer{}, &logBuffer{}
		s := NewLMTP(LMTPOptions{
			Addresses: []Address{{Brand: "baleyo", Mailbox: "support@baleyo.test", Queue: "support", Subaddressing: "+"}},
			MaxSize:   100_000, Hostname: "desk.baleyo.test", Log: slog.New(slog.NewTextHandler(log, nil)),
		})
		s.db, s.opt.DB = ledger, nil
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx, l) }()
		defer func() { stop(); <-served }()
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		r := bufio.NewReader(conn)
		say := func(line, want string) {
			if line != "" {
				if _, err := conn.Write([]byte(line)); err != nil {
					t.Fatal(err)
				}
			}
			for {
				answer, err := r.ReadString('\n')
				if err != nil || !strings.HasPrefix(answer, want) {
					t.Fatalf("%q is answered %q, %v; want %s", line, answer, err, want)
				}
				if answer[3] == ' ' {
					return
				}
			}
		}
		say("", "220")
		say("LHLO mta.test\r\n", "250")
		say("MAIL FROM:<c@cust.test>\r\n", "250")
		say("RCPT TO:<support+x@baleyo.test>\r\n", "250")
		say("DATA\r\n", "354")
		// As an MTA does it (RFC 5321 section 4.5.2): a dot before a dot at the
		// beginning of a line, and lines end with CRLF.
		wire := strings.ReplaceAll("\r\n"+string(mail), "\r\n.", "\r\n..")[2:]
		for tail := "\r\r\n."; strings.Contains("\r\n"+wire, tail); { // CR CR LF is read as CR LF: see lmtpConn
			return
		}
		if !strings.HasSuffix(wire, "\r\n") {
			wire += "\r\n"
		}
		at := int(cut) % (len(wire) + 1)
		if _, err := conn.Write([]byte(wire[:at])); err != nil {
			t.Fatal(err)
		}
		say(wire[at:]+".\r\n", "250")
		say("NOOP\r\n", "250")
		say("VRFY x\r\n", "252") // not what NOOP says: no answer is one too late
		say("QUIT\r\n", "221")
		if len(ledger.items) != 1 {
			t.Fatalf("%d rows of %q", len(ledger.items), wire)
		}
		item := ledger.items[0]
		head, rest, ok := strings.Cut(string(item.Data), " with LMTP;\r\n\t")
		_, got, _ := strings.Cut(rest, "\r\n")
		want := strings.ReplaceAll("\r\n"+wire, "\r\n..", "\r\n.")[2:]
		for strings.Contains(want, "\r\r\n") {
			want = strings.ReplaceAll(want, "\r\r\n", "\r\n")
		}
		if !ok || !strings.HasPrefix(head, "Received: from mta.test (") || got != want {
			t.Errorf("%q is kept as %q", want, item.Data)
		}
		if item.Mailbox != "support@baleyo.test" || len(item.Recipients) != 1 || item.Recipients[0] != "support+x@baleyo.test" || log.count("panic") > 0 {
			t.Errorf("%+v; %s", item, log)
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			t.Error("ended early")
		}
	})
}
