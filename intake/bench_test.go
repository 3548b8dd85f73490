package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/store"
)

const (
	supportUser = "support@baleyo.test"
	supportPass = "pw-support"
)

// bench is one mailbox on an IMAP server within the process, with a ledger.
type bench struct {
	t    *testing.T
	srv  *testmail.IMAP
	db   *faulty
	wake chan struct{}
	log  *logBuffer
	opt  MailboxOptions
}

// faulty is the real store, with a hook before each Append.
type faulty struct {
	*store.DB
	mu     sync.Mutex
	before func(items []store.Item) error
}

func (f *faulty) Append(ctx context.Context, items []store.Item, c *store.Cursor) (int, error) {
	f.mu.Lock()
	before := f.before
	f.mu.Unlock()
	if before != nil {
		if err := before(items); err != nil {
			return 0, err
		}
	}
	return f.DB.Append(ctx, items, c)
}

func (f *faulty) hook(before func([]store.Item) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = before
}

// logBuffer is a log that tests read.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// count returns how many lines hold text.
func (l *logBuffer) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func openLedger(t *testing.T) *faulty {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Database: filepath.Join(t.TempDir(), "frontdesk.db"), Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &faulty{DB: db}
}

func newBench(t *testing.T, opt testmail.IMAPOptions) *bench {
	t.Helper()
	opt.Users = map[string]string{supportUser: supportPass}
	srv, err := testmail.NewIMAP(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	b := &bench{t: t, srv: srv, db: openLedger(t), wake: make(chan struct{}, 1), log: &logBuffer{}}
	b.opt = b.options(srv.Port())
	return b
}

func (b *bench) options(port int) MailboxOptions {
	return MailboxOptions{
		Brand: "baleyo", Address: supportUser, Queue: "support",
		Host: "127.0.0.1", Port: port, TLS: "none", Username: supportUser, Password: supportPass,
		Poll: time.Hour, Command: 20 * time.Second, MaxSize: 1 << 20,
		Log: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Wake: func() {
			select {
			case b.wake <- struct{}{}:
			default:
			}
		},
	}
}

// mailbox makes a mailbox that does not wait long after a failure.
func (b *bench) mailbox() *Mailbox {
	m := NewMailbox(b.opt)
	m.db = b.db
	m.backoff = func(int) time.Duration { return 10 * time.Millisecond }
	return m
}

// run runs m until the test ends.
func (b *bench) run(m *Mailbox) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := m.Run(ctx); err != nil {
			b.t.Errorf("Run = %v, want nil at the end of ctx", err)
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	b.t.Cleanup(stop)
	return stop
}

func (b *bench) append(raw string) uint32 {
	b.t.Helper()
	uid, err := b.srv.Append(supportUser, "INBOX", []byte(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	return uid
}

func (b *bench) poll(m *Mailbox, want int) {
	b.t.Helper()
	got, err := m.Poll(b.t.Context())
	if err != nil || got != want {
		b.t.Fatalf("Poll = %d, %v; want %d", got, err, want)
	}
}

func (b *bench) rows() int {
	b.t.Helper()
	tally, err := b.db.Tally(b.t.Context(), supportUser)
	if err != nil {
		b.t.Fatal(err)
	}
	return tally.Total
}

// waitRows waits until the ledger has n rows.
func (b *bench) waitRows(n int) {
	b.t.Helper()
	deadline := time.After(30 * time.Second)
	for b.rows() < n {
		select {
		case <-b.wake:
		case <-deadline:
			b.t.Fatalf("%d rows after 30 s, want %d; log:\n%s", b.rows(), n, b.log)
		}
	}
	if got := b.rows(); got != n {
		b.t.Fatalf("%d rows, want %d", got, n)
	}
}

// data returns the bytes of all rows, in order.
func (b *bench) data() (all []string) {
	b.t.Helper()
	// By number, not by a claim: rows that were claimed before come one by one.
	for id := int64(1); ; id++ {
		data, err := b.db.Raw(b.t.Context(), id)
		if errors.Is(err, store.ErrNotFound) {
			break
		}
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, string(data))
	}
	return all
}

func (b *bench) mails(folder string) []testmail.Mail {
	b.t.Helper()
	mails, err := b.srv.Mails(supportUser, folder)
	if err != nil {
		b.t.Fatal(err)
	}
	return mails
}

func mailText(n int) string {
	return fmt.Sprintf("From: customer%d@cust.test\r\nTo: support@baleyo.test\r\nSubject: mail %d\r\nMessage-ID: <%d@cust.test>\r\n\r\nHello %d\r\n", n, n, n, n)
}

var errDisk = errors.New("injected: disk gone")
