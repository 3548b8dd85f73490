package intake

import (
	"bytes"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"frontdesk/internal/testmail"
)

// TestBigMailbox: a look at a folder of thousands of mails costs what one at a
// small folder costs: the same commands, and no more bytes. The first reading
// holds a group of mails in memory, not the folder. With TORTURE=1 it has a
// hundred thousand.
func TestBigMailbox(t *testing.T) {
	t.Parallel()
	big := 5_000
	if os.Getenv("TORTURE") == "1" {
		big = 100_000
	}
	r := testmail.StartRig(t)
	small := &bench{t: t, db: openLedger(t), wake: make(chan struct{}, 1), log: &logBuffer{}}
	large := &bench{t: t, db: openLedger(t), wake: make(chan struct{}, 1), log: &logBuffer{}}
	cost := map[*bench]traffic{}
	for _, c := range []struct {
		b    *bench
		user string
		n    int
	}{{small, "sales@baleyo.test", 300}, {large, supportUser, big}} {
		began := time.Now()
		r.FillAt(c.user, c.n, func(i int) ([]byte, time.Time) {
			return []byte(mailText(i)), began.Add(time.Duration(i-c.n) * time.Second)
		})
		wire := newMeter(t, r.IMAPPort())
		c.b.opt = c.b.options(wire.port)
		c.b.opt.Username, c.b.opt.Password, c.b.opt.TLS = c.user, r.Password(c.user), "none"
		m := c.b.mailbox()
		var before, peak runtime.MemStats
		runtime.ReadMemStats(&before)
		began = time.Now()
		if n, err := m.Poll(t.Context()); n != c.n || err != nil {
			t.Fatalf("first reading of %d mails: %d, %v", c.n, n, err)
		}
		runtime.ReadMemStats(&peak)
		first := wire.take()
		t.Logf("%d mails: first reading %s, %d commands, %d KB, heap in use %d MB more", c.n, time.Since(began).Round(time.Millisecond),
			first.commands, first.down>>10, (int64(peak.HeapInuse)-int64(before.HeapInuse))>>20)
		// After a start that knows nothing but the cursor, and again.
		for range 2 {
			m = c.b.mailbox()
			if n, err := m.Poll(t.Context()); n != 0 || err != nil {
				t.Fatalf("a look at %d known mails: %d, %v", c.n, n, err)
			}
			cost[c.b] = wire.take()
		}
		t.Logf("%d mails: a look costs %+v", c.n, cost[c.b])
	}
	a, b := cost[small], cost[large]
	if b.commands > a.commands || b.down > a.down+1024 || b.up > a.up+256 {
		t.Errorf("a look at %d mails costs %+v, at 300 %+v", big, b, a)
	}
}

// traffic is what crossed a connection.
type traffic struct {
	commands int64 // lines of the client
	up, down int64 // bytes
}

// meter is a proxy that counts.
type meter struct {
	port            int
	lines, up, down atomic.Int64
}

func newMeter(t *testing.T, to int) *meter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{port: l.Addr().(*net.TCPAddr).Port}
	var open sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); open.Wait() })
	open.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(to)))
			if err != nil {
				_ = in.Close()
				continue
			}
			open.Go(func() { m.copy(out, in, &m.up, true); _ = out.Close() })
			open.Go(func() { m.copy(in, out, &m.down, false); _ = in.Close() })
		}
	})
	return m
}

func (m *meter) copy(to io.Writer, from io.Reader, n *atomic.Int64, lines bool) {
	buf := make([]byte, 32<<10)
	for {
		k, err := from.Read(buf)
		n.Add(int64(k))
		if lines {
			m.lines.Add(int64(bytes.Count(buf[:k], []byte("\n"))))
		}
		if _, werr := to.Write(buf[:k]); err != nil || werr != nil {
			return
		}
	}
}

// take returns what was counted and begins anew.
func (m *meter) take() traffic {
	return traffic{m.lines.Swap(0), m.up.Swap(0), m.down.Swap(0)}
}
