package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/emersion/go-message"

	"frontdesk/internal/testmail"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// These tests run in synctest bubbles: a real SQLite store, a real SMTP server
// on net.Pipe, and fake time, so that five minutes of waiting take none.

const (
	supportBox = "support@baleyo.example"
	salesBox   = "sales@acme.example"
)

// pipes is a listener whose connections are made by its dial.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// bench is a desk's outgoing side: store, sender, and an SMTP server each for
// two mailboxes of two brands.
type bench struct {
	t      *testing.T
	db     *store.DB
	smtp   map[string]*testmail.SMTP // by mailbox
	pipes  map[string]*pipes
	away   map[string]error // what dialling a mailbox's server returns
	routes map[string]Route
	wake   chan struct{}
	log    *logbook
	sender *Sender
	box    outbox
	opt    Options
	mu     sync.Mutex
	stop   func()
}

// logbook keeps log lines.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logbook) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

func newBench(t *testing.T, smtpOpt testmail.SMTPOptions) *bench {
	t.Helper()
	b := &bench{t: t, db: storetest.SQLite(t), smtp: map[string]*testmail.SMTP{}, pipes: map[string]*pipes{}, away: map[string]error{},
		routes: map[string]Route{}, wake: make(chan struct{}, 1), log: &logbook{}}
	b.box = b.db
	for host, mailbox := range map[string]string{"smtp.baleyo.test": supportBox, "smtp.acme.test": salesBox} {
		p := newPipes()
		opt := smtpOpt
		opt.Listener = p
		s, err := testmail.NewSMTP(opt)
		if err != nil {
			t.Fatal(err)
		}
		b.pipes[host], b.smtp[mailbox] = p, s
		b.routes[mailbox] = Route{Host: host, Port: 25, TLS: "none"}
		t.Cleanup(func() { _ = s.Close() })
	}
	rules := tickets.Rules{Keys: testKeys, Agents: map[string]tickets.Agent{"asha@baleyo.example": {Address: "asha@baleyo.example"}},
		Brands: map[string]tickets.Brand{
			"baleyo": {Key: "baleyo", Mailboxes: []tickets.Mailbox{{Address: supportBox, Subaddressing: "+"}}},
			"acme":   {Key: "acme", Mailboxes: []tickets.Mailbox{{Address: salesBox}}}}}
	b.opt = Options{
		Rules: func() tickets.Rules { return rules },
		Brands: func() map[string]Brand {
			return map[string]Brand{"baleyo": {Key: "baleyo", Name: "Baleyo", Language: "en", Domain: "baleyo.example"},
				"acme": {Key: "acme", Name: "Acme", Language: "de", Domain: "acme.example"}}
		},
		Routes: func() map[string]Route { return b.routes },
		Wake:   b.wake,
		Log:    slog.New(slog.NewTextHandler(b.log, nil)),
	}
	return b
}

// start runs the sender until the test ends or stop is called.
func (b *bench) start() {
	b.t.Helper()
	s, err := newSender(b.opt, b.box)
	if err != nil {
		b.t.Fatal(err)
	}
	s.dial = func(ctx context.Context, _, address string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(address)
		b.mu.Lock()
		err := b.away[host]
		b.mu.Unlock()
		if err != nil {
			return nil, err
		}
		return b.pipes[host].dial(ctx)
	}
	b.sender = s
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx); err != nil {
			b.t.Errorf("run: %v", err)
		}
	}()
	b.stop = sync.OnceFunc(func() { cancel(); <-done })
	b.t.Cleanup(b.stop)
}

func (b *bench) setAway(host string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away[host] = err
}

// queue stores letters on a new ticket and wakes the sender.
func (b *bench) queue(letters ...tickets.Letter) (ids []int64) {
	b.t.Helper()
	c := tickets.Change{Brand: "baleyo", Tickets: []tickets.TicketChange{{
		Ticket: tickets.Ticket{Brand: "baleyo", Mailbox: supportBox, Channel: tickets.ChannelMail, Status: tickets.StatusOpen, Subject: "Printer", Opened: time.Now(), Updated: time.Now(),
			Participants: []tickets.Participant{{Address: tickets.Address{Address: "maria@keller.example"}, Role: tickets.PartyRequester}}},
		Letters: letters}}}
	err := b.db.Decide(context.Background(), c.Brand, func(tx *store.Tx) error {
		saved, err := tx.Save(context.Background(), 0, "", "", c, time.Now())
		ids = saved.Letters
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return ids
}

var letterKeys atomic.Int64

func letterTo(to string) tickets.Letter {
	key := letterKeys.Add(1)
	return tickets.Letter{Brand: "baleyo", Mailbox: supportBox, Kind: tickets.LetterAnswer, Language: "en",
		To: tickets.Address{Name: "Maria", Address: to}, Key: fmt.Sprint("key", key), Subject: "Printer", Reply: true,
		Data: tickets.LetterData{Text: "Please try the other port."}}
}

func (b *bench) info(id int64) store.LetterInfo {
	b.t.Helper()
	_, info, _, err := b.db.LetterByID(context.Background(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return info
}

func (b *bench) wantState(id int64, state string, attempts int) store.LetterInfo {
	b.t.Helper()
	i := b.info(id)
	if i.State != state || i.Attempts != attempts {
		b.t.Errorf("letter %d: %s after %d attempts (%s %s), want %s after %d\n%s", id, i.State, i.Attempts, i.Code, i.Detail, state, attempts, b.log.b.String())
	}
	return i
}

func (b *bench) wantMails(mailbox string, n int) []testmail.Accepted {
	b.t.Helper()
	mails := b.smtp[mailbox].Mails()
	if len(mails) != n {
		b.t.Fatalf("%d mails, want %d\n%s", len(mails), n, b.log.b.String())
	}
	return mails
}

func inBubble(t *testing.T, opt testmail.SMTPOptions, f func(t *testing.T, b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		f(t, newBench(t, opt))
	})
}

func TestAnIdleDeskSendsAtOnce(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.start()
		synctest.Wait()
		began := time.Now()
		id := b.queue(letterTo("maria@keller.example"))[0]
		synctest.Wait()
		if d := time.Since(began); d != 0 {
			t.Errorf("waited %v for a timer", d)
		}
		m := b.wantMails(supportBox, 1)[0]
		i := b.wantState(id, store.LetterSent, 1)
		if tk, msg, err := testKeys.ParseMessageID(i.MessageID); err != nil || tk != i.Ticket || msg != fmt.Sprintf("l%d", id) {
			t.Errorf("Message-ID %q: %d %q %v", i.MessageID, tk, msg, err)
		}
		if n, err := testKeys.ParseEnvelopeSender(m.From, supportBox, "+"); err != nil || n != id {
			t.Errorf("envelope sender %q: letter %d, %v", m.From, n, err)
		}
		if !slices.Equal(m.To, []string{"maria@keller.example"}) || checkWire(m.Raw) != nil {
			t.Errorf("to %v, wire %v", m.To, checkWire(m.Raw))
		}
		if time.Since(b.sender.Beat()) > pollEvery || b.sender.Stats().Sent != 1 {
			t.Errorf("beat %v, stats %+v", b.sender.Beat(), b.sender.Stats())
		}
	})
}

func TestNullSender(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		l := letterTo("maria@keller.example")
		l.NullSender, l.Kind, l.Auto = true, tickets.LetterAcknowledgement, tickets.AutoReplied
		b.queue(l)
		b.start()
		synctest.Wait()
		if m := b.wantMails(supportBox, 1)[0]; m.From != "" {
			t.Errorf("envelope sender %q, want null", m.From)
		}
	})
}

// B01: three temporary refusals, then accepted: one letter, the same Message-ID.
func TestTemporaryRefusals(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.smtp[supportBox].On(testmail.StageRcpt, "", 3, testmail.Act{Code: 450, Text: "4.2.1 busy"})
		b.start()
		id := b.queue(letterTo("maria@keller.example"))[0]
		synctest.Wait()
		first := b.wantState(id, store.LetterQueued, 1)
		if first.Code != "450 4.2.1" || first.MessageID == "" {
			t.Errorf("after the first attempt: %+v", first)
		}
		if want := time.Now().Add(Backoff(ClassTemporary, 1, id)); !first.Next.Equal(want.Truncate(time.Millisecond)) {
			t.Errorf("next attempt at %v, want %v", first.Next, want)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		last := b.wantState(id, store.LetterSent, 4)
		b.wantMails(supportBox, 1)
		if last.MessageID != first.MessageID {
			t.Error("another Message-ID")
		}
		if n := b.smtp[supportBox].Connections(); n > 4 {
			t.Errorf("%d connections", n)
		}
	})
}

// B02: refused for good: failed, told on the ticket, not tried again.
func TestRefusedForGood(t *testing.T) {
	for stage, act := range map[testmail.Stage]testmail.Act{
		testmail.StageMail: {Code: 553, Text: "5.1.8 bad sender"}, testmail.StageRcpt: {Code: 550, Text: "5.1.1 no such user"},
		testmail.StageDot: {Code: 554, Text: "5.7.1 looks like spam"},
	} {
		t.Run(string(stage), func(t *testing.T) {
			inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
				b.smtp[supportBox].On(stage, "", 0, act)
				b.start()
				id := b.queue(letterTo("maria@keller.example"))[0]
				time.Sleep(3 * time.Hour)
				i := b.wantState(id, store.LetterFailed, 1)
				if !strings.HasPrefix(i.Code, fmt.Sprint(act.Code)) || b.sender.Stats().Failed != 1 {
					t.Errorf("%+v, %+v", i, b.sender.Stats())
				}
				events, err := b.db.Events(context.Background(), i.Ticket)
				if err != nil || len(events) != 1 || !strings.Contains(events[0].Outcome, fmt.Sprint(act.Code)) {
					t.Errorf("events %+v, %v", events, err)
				}
				b.smtp[supportBox].Clear() // the connection goes on
				b.queue(letterTo("other@keller.example"))
				synctest.Wait()
				b.wantMails(supportBox, 1)
			})
		})
	}
}

// B03: closed before the final dot: queued, sent once.
func TestClosedBeforeTheDot(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.smtp[supportBox].On(testmail.StageData, "", 2, testmail.Act{Close: true})
		b.start()
		id := b.queue(letterTo("maria@keller.example"))[0]
		synctest.Wait()
		b.wantState(id, store.LetterQueued, 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		b.wantMails(supportBox, 1)
		b.wantState(id, store.LetterSent, 3)
		if b.sender.Stats().Doubts != 0 {
			t.Error("in doubt although the dot never left")
		}
	})
}

// B06: a slow answer is waited for; one that never comes leaves the letter in
// doubt, and it goes out once more with the same bytes.
func TestSlowAnswerToTheDot(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.smtp[supportBox].On(testmail.StageDot, "", 1, testmail.Act{Delay: 299 * time.Second})
		b.start()
		id := b.queue(letterTo("maria@keller.example"))[0]
		time.Sleep(time.Hour)
		b.wantState(id, store.LetterSent, 1)
		b.wantMails(supportBox, 1)
	})
}

// TestClockSetForwardWhileALetterLeaves: the claim of a letter seemed to have run
// out, and it left a second time while the server still thought about the first.
func TestClockSetForwardWhileALetterLeaves(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		var ahead atomic.Int64
		b.opt.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		b.smtp[supportBox].On(testmail.StageDot, "", 1, testmail.Act{Delay: 2 * time.Minute})
		b.start()
		id := b.queue(letterTo("maria@keller.example"))[0]
		time.Sleep(30 * time.Second)
		b.wantState(id, store.LetterDot, 0)
		for _, step := range []time.Duration{time.Hour, -2 * time.Hour, 400 * 24 * time.Hour} {
			ahead.Add(int64(step))
			b.wake <- struct{}{}
			time.Sleep(20 * time.Second)
		}
		time.Sleep(time.Hour)
		b.wantMails(supportBox, 1)
		b.wantState(id, store.LetterSent, 1)
		if st := b.sender.Stats(); st.Resent != 0 || st.Lost != 0 || b.info(id).Doubts != 0 {
			t.Errorf("%+v, %d doubts", st, b.info(id).Doubts)
		}
	})
}

// TestDoubtAfterAClockSetForward: what nobody has in hand any more is looked at
// again after the time of a claim, no sooner and no later.
func TestDoubtAfterAClockSetForward(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		var ahead atomic.Int64
		b.opt.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		b.smtp[supportBox].On(testmail.StageDot, "", 1, testmail.Act{Close: true})
		b.start()
		id := b.queue(letterTo("maria@keller.example"))[0]
		time.Sleep(30 * time.Second)
		ahead.Add(int64(time.Hour))
		time.Sleep(claimLease - time.Minute)
		b.wantMails(supportBox, 0)
		time.Sleep(2 * time.Minute)
		b.wantMails(supportBox, 1)
		b.wantState(id, store.LetterSent, 2)
	})
}

func TestInDoubtOnce(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.smtp[supportBox].On(testmail.StageDot, "", 1, testmail.Act{Delay: 2 * time.Hour})
		b.start()
		id := b.queue(letterTo("maria@keller.example"))[0]
		time.Sleep(6 * time.Minute)
		b.wantState(id, store.LetterDot, 0)
		time.Sleep(3 * time.Hour)
		i := b.wantState(id, store.LetterSent, 2)
		m := b.wantMails(supportBox, 2)
		if !bytes.Equal(m[0].Raw, m[1].Raw) || !bytes.Contains(m[0].Raw, []byte("Message-ID: <"+i.MessageID+">")) {
			t.Error("the second copy differs")
		}
		if st := b.sender.Stats(); i.Doubts != 1 || st.Doubts != 1 || st.Resent != 1 {
			t.Errorf("doubts %d, stats %+v", i.Doubts, st)
		}
	})
}

func TestInDoubtHeld(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.opt.InDoubt = "hold"
		b.smtp[supportBox].On(testmail.StageDot, "", 1, testmail.Act{Close: true, Commit: true})
		b.start()
		id := b.queue(letterTo("maria@keller.example"))[0]
		time.Sleep(time.Hour)
		b.wantState(id, store.LetterHeld, 1)
		b.wantMails(supportBox, 1)
	})
}

// B07: one letter has one recipient: who has got it does not get it again.
func TestOneRefusedOneAccepted(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.smtp[supportBox].On(testmail.StageRcpt, "gone@keller.example", 0, testmail.Act{Code: 550, Text: "5.1.1 gone"})
		b.start()
		ids := b.queue(letterTo("gone@keller.example"), letterTo("maria@keller.example"))
		time.Sleep(time.Hour)
		b.wantState(ids[0], store.LetterFailed, 1)
		b.wantState(ids[1], store.LetterSent, 1)
		if m := b.wantMails(supportBox, 1); m[0].To[0] != "maria@keller.example" {
			t.Errorf("to %v", m[0].To)
		}
	})
}

// B08: without the TLS that is configured nothing is sent; the error is kept
// on the letter and logged once.
func TestNoTLSNoLetter(t *testing.T) {
	t.Run("stripped", func(t *testing.T) {
		inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
			b.routes[supportBox] = Route{Host: "smtp.baleyo.test", Port: 587, TLS: "starttls", Username: "u", Password: "secret"}
			b.start()
			id := b.queue(letterTo("maria@keller.example"))[0]
			time.Sleep(time.Hour)
			if i := b.info(id); i.State != store.LetterQueued || !strings.Contains(i.Detail, "does not offer STARTTLS") {
				t.Errorf("%+v", i)
			}
			b.wantMails(supportBox, 0)
			if n := b.log.count("SMTP server away"); n != 1 {
				t.Errorf("logged %d times", n)
			}
			wantTrouble(t, b, "cannot be encrypted", "encryption")
		})
	})
	t.Run("wrong certificate", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cert, _, err := testmail.Cert("smtp.baleyo.test")
			if err != nil {
				t.Fatal(err)
			}
			b := newBench(t, testmail.SMTPOptions{Certificate: &cert})
			b.routes[supportBox] = Route{Host: "smtp.baleyo.test", Port: 587, TLS: "starttls"}
			b.start()
			id := b.queue(letterTo("maria@keller.example"))[0]
			time.Sleep(time.Hour)
			if i := b.info(id); i.State != store.LetterQueued || !strings.Contains(i.Detail, "certificate") {
				t.Errorf("%+v", i)
			}
			wantTrouble(t, b, "certificate is wrong", "certificate")
			b.wantMails(supportBox, 0)
		})
	})
	t.Run("no password in the clear", func(t *testing.T) {
		inBubble(t, testmail.SMTPOptions{Users: map[string]string{"u": "secret"}}, func(t *testing.T, b *bench) {
			b.routes[supportBox] = Route{Host: "smtp.baleyo.test", Port: 25, TLS: "none", Username: "u", Password: "secret"}
			b.start()
			id := b.queue(letterTo("maria@keller.example"))[0]
			time.Sleep(time.Minute)
			if i := b.info(id); !strings.Contains(i.Detail, "without TLS") || strings.Contains(i.Detail, "secret") {
				t.Errorf("%+v", i)
			}
			b.wantMails(supportBox, 0)
		})
	})
}

func TestTLSAndAuth(t *testing.T) {
	for _, implicit := range []bool{false, true} {
		t.Run(fmt.Sprint("implicit=", implicit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cert, ca, err := testmail.Cert("smtp.baleyo.test")
				if err != nil {
					t.Fatal(err)
				}
				caFile := t.TempDir() + "/ca.pem"
				mustWrite(t, caFile, ca)
				b := newBench(t, testmail.SMTPOptions{Certificate: &cert, Implicit: implicit, Users: map[string]string{"u": "secret"}})
				mode := "starttls"
				if implicit {
					mode = "implicit"
				}
				b.routes[supportBox] = Route{Host: "smtp.baleyo.test", Port: 587, TLS: mode, Username: "u", Password: "secret", CAFile: caFile}
				b.start()
				id := b.queue(letterTo("maria@keller.example"))[0]
				time.Sleep(time.Second)
				b.wantState(id, store.LetterSent, 1)
				if m := b.wantMails(supportBox, 1)[0]; m.User != "u" || (!m.TLS && !implicit) {
					t.Errorf("user %q, TLS %v", m.User, m.TLS)
				}
			})
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			cert, ca, err := testmail.Cert("smtp.baleyo.test")
			if err != nil {
				t.Fatal(err)
			}
			caFile := t.TempDir() + "/ca.pem"
			mustWrite(t, caFile, ca)
			b := newBench(t, testmail.SMTPOptions{Certificate: &cert, Users: map[string]string{"u": "secret"}})
			b.routes[supportBox] = Route{Host: "smtp.baleyo.test", Port: 587, TLS: "starttls", Username: "u", Password: "wrong-password", CAFile: caFile}
			b.start()
			id := b.queue(letterTo("maria@keller.example"))[0]
			time.Sleep(time.Minute)
			if i := b.info(id); i.State != store.LetterQueued || i.Code != "535 5.7.8" || strings.Contains(i.Detail, "wrong-password") {
				t.Errorf("%+v", i)
			}
			if b.log.count("wrong-password") > 0 {
				t.Error("password in the log")
			}
		})
	})
}

func TestConnectionsAreReused(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.start()
		var letters []tickets.Letter
		for i := range 200 {
			letters = append(letters, letterTo(fmt.Sprintf("c%d@keller.example", i)))
		}
		b.queue(letters...)
		time.Sleep(time.Second)
		b.wantMails(supportBox, 200)
		if n := b.smtp[supportBox].Connections(); n != 2 {
			t.Errorf("%d connections for 200 letters, want 2", n)
		}
		time.Sleep(50 * time.Second)
		b.queue(letterTo("maria@keller.example"))
		synctest.Wait()
		if n := b.smtp[supportBox].Connections(); n != 2 {
			t.Errorf("%d connections after an idle time, want still 2", n)
		}
		time.Sleep(2 * time.Minute) // closed
		b.queue(letterTo("maria@keller.example"))
		synctest.Wait()
		b.wantMails(supportBox, 202)
		if n := b.smtp[supportBox].Connections(); n != 3 {
			t.Errorf("%d connections after closing, want 3", n)
		}
	})
}

// A server that closes a connection after some letters is not an attempt.
func TestServerClosesABusyConnection(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.opt.Connections = 1
		b.start()
		b.queue(letterTo("maria@keller.example"))
		synctest.Wait()
		b.smtp[supportBox].On(testmail.StageMail, "", 1, testmail.Act{Code: 421, Text: "4.7.0 too many messages"})
		id := b.queue(letterTo("maria@keller.example"))[0]
		synctest.Wait()
		b.wantState(id, store.LetterSent, 1)
		b.wantMails(supportBox, 2)
	})
}

// A server that is away holds up its own mailbox only; it is logged once, and
// when it is back the letters leave in their order.
func TestOutageOfOneMailbox(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.opt.Connections = 1
		b.setAway("smtp.baleyo.test", errors.New("connection refused"))
		b.start()
		var letters []tickets.Letter
		for i := range 100 {
			l := letterTo(fmt.Sprintf("c%d@keller.example", i))
			l.Priority = 2 - i%3
			letters = append(letters, l)
		}
		ids := b.queue(letters...)
		sales := letterTo("kunde@acme.example")
		sales.Brand, sales.Mailbox = "acme", salesBox
		b.queue(sales)
		synctest.Wait()
		b.wantMails(salesBox, 1)
		time.Sleep(2 * time.Hour)
		sales.Key = "another"
		began := time.Now()
		b.queue(sales)
		synctest.Wait()
		if b.wantMails(salesBox, 2); time.Since(began) != 0 {
			t.Error("the other mailbox waited")
		}
		tried := 0
		for _, id := range ids {
			if b.info(id).Attempts > 0 {
				tried++
			}
		}
		if tried > 1 {
			t.Errorf("%d letters were tried without a server, one is enough", tried)
		}
		b.setAway("smtp.baleyo.test", nil)
		time.Sleep(probeLast + pollEvery)
		synctest.Wait()
		mails := b.wantMails(supportBox, 100)
		var order []int
		for _, m := range mails {
			var n int
			fmt.Sscanf(m.To[0], "c%d@", &n)
			order = append(order, 2-n%3)
		}
		if !slices.IsSorted(order) {
			t.Errorf("priorities left as %v", order)
		}
		if b.log.count("SMTP server away") != 1 || b.log.count("SMTP server back") != 1 {
			t.Errorf("log:\n%s", b.log.b.String())
		}
	})
}

// TestTroubleOfADroppedLetter: the only letter that a sick server kept from leaving
// is dropped. Trouble was told for ever, for no other letter came to end it; it
// ends when the server answers.
func TestTroubleOfADroppedLetter(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.setAway("smtp.baleyo.test", errors.New("connection refused"))
		b.start()
		ids := b.queue(letterTo("maria@keller.example"))
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if err := b.db.SetLetter(t.Context(), ids[0], store.LetterDropped, "asha", time.Now()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if list := b.sender.Troubles(); len(list) != 1 || list[0].Mailbox != supportBox {
			t.Errorf("the server is still away, and its troubles are %+v", list)
		}
		b.setAway("smtp.baleyo.test", nil)
		time.Sleep(probeLast + pollEvery)
		synctest.Wait()
		if list := b.sender.Troubles(); len(list) != 0 {
			t.Errorf("the server is back, and its troubles are %+v", list)
		}
		b.wantMails(supportBox, 0)
		if b.log.count("SMTP server away") != 1 || b.log.count("SMTP server back") != 1 {
			t.Errorf("log:\n%s", b.log.b.String())
		}
		began := time.Now()
		b.queue(letterTo("jon@ash.example"))
		synctest.Wait()
		if b.wantMails(supportBox, 1); time.Since(began) != 0 {
			t.Error("the next letter waited")
		}
	})
}

// B09: what is too old is not sent.
func TestExpiry(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.setAway("smtp.baleyo.test", errors.New("connection refused"))
		b.start()
		ack := letterTo("maria@keller.example")
		ack.NotAfter = time.Now().Add(time.Hour)
		answer := letterTo("maria@keller.example")
		ids := b.queue(ack, answer)
		time.Sleep(2 * time.Hour)
		b.setAway("smtp.baleyo.test", nil)
		time.Sleep(2 * time.Minute)
		if i := b.info(ids[0]); i.State != store.LetterFailed || i.Code != "expired" {
			t.Errorf("acknowledgement: %+v", i)
		}
		if i := b.info(ids[1]); i.State != store.LetterSent {
			t.Errorf("answer: %+v", i)
		}
		b.wantMails(supportBox, 1)
	})
}

func TestALetterThatCannotBeWritten(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.start()
		bad := letterTo("maria@keller.example>\r\nRCPT TO:<victim@elsewhere.example")
		unknown := letterTo("maria@keller.example")
		unknown.Kind = "no-such-letter"
		ids := b.queue(bad, unknown, letterTo("jürgen@keller.example"), letterTo("maria@keller.example"))
		time.Sleep(time.Minute)
		for _, id := range ids[:3] {
			b.wantState(id, store.LetterFailed, 1)
		}
		b.wantState(ids[3], store.LetterSent, 1)
		b.wantMails(supportBox, 1)
	})
}

func TestSMTPUTF8OnlyWhenNeeded(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{UTF8: true}, func(t *testing.T, b *bench) {
		b.start()
		b.queue(letterTo("jürgen@bücher.example"))
		synctest.Wait()
		b.queue(letterTo("maria@bücher.example"))
		synctest.Wait()
		m := b.wantMails(supportBox, 2)
		if !m[0].UTF8 || m[0].To[0] != "jürgen@xn--bcher-kva.example" || m[1].UTF8 || m[1].To[0] != "maria@xn--bcher-kva.example" {
			t.Errorf("%v %v, %v %v", m[0].To, m[0].UTF8, m[1].To, m[1].UTF8)
		}
	})
}

// Stopping finishes the letter in hand and gives the others back.
func TestStopFinishesTheLetterInHand(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.opt.Connections = 1
		b.smtp[supportBox].On(testmail.StageDot, "", 0, testmail.Act{Delay: 3 * time.Second})
		b.start()
		ids := b.queue(letterTo("a@keller.example"), letterTo("b@keller.example"), letterTo("c@keller.example"))
		time.Sleep(time.Second)
		began := time.Now()
		b.stop()
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("stopping took %v", d)
		}
		b.wantState(ids[0], store.LetterSent, 1)
		b.wantState(ids[1], store.LetterQueued, 0)
		next, err := b.db.NextLetter(context.Background())
		if err != nil || next.After(time.Now()) {
			t.Errorf("the next letter is due %v, %v: a restart would wait", next, err)
		}
	})
}

// Letters that wait for one another are marked together, before the first one
// of them is sent; who holds doubts for a person has one in doubt at a time.
func TestABacklogIsMarkedTogether(t *testing.T) {
	for inDoubt, want := range map[string]string{"resend": store.LetterDot, "hold": store.LetterQueued} {
		t.Run(inDoubt, func(t *testing.T) {
			inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
				b.opt.Connections, b.opt.InDoubt = 1, inDoubt
				b.smtp[supportBox].On(testmail.StageDot, "", 0, testmail.Act{Delay: 3 * time.Second})
				b.start()
				ids := b.queue(letterTo("a@keller.example"), letterTo("b@keller.example"), letterTo("c@keller.example"))
				time.Sleep(4 * time.Second) // the second one is at its dot
				b.wantMails(supportBox, 2)
				b.wantState(ids[1], store.LetterDot, 0)
				b.wantState(ids[2], want, 0)
				b.stop()
				b.wantState(ids[1], store.LetterSent, 1)
				b.wantState(ids[2], store.LetterQueued, 0) // given back: it was not sent
			})
		})
	}
}

// What befalls one of a group befalls no other, and none of them is in doubt
// but the one whose answer is missing.
func TestAGroupIsSettledLetterByLetter(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.opt.Connections = 1
		s := b.smtp[supportBox]
		s.On(testmail.StageDot, "first@keller.example", 1, testmail.Act{Delay: time.Second}) // the others gather behind it
		s.On(testmail.StageRcpt, "gone@keller.example", 1, testmail.Act{Code: 550, Text: "5.1.1 no such user"})
		s.On(testmail.StageRcpt, "later@keller.example", 1, testmail.Act{Code: 451, Text: "4.7.1 greylisted"})
		s.On(testmail.StageRcpt, "cut@keller.example", 2, testmail.Act{Close: true})
		s.On(testmail.StageDot, "doubt@keller.example", 1, testmail.Act{Close: true, Commit: true})
		b.start()
		var letters []tickets.Letter
		for _, who := range []string{"first", "gone", "fine", "later", "cut", "doubt", "last"} {
			letters = append(letters, letterTo(who+"@keller.example"))
		}
		ids := b.queue(letters...)
		time.Sleep(3 * time.Second)
		for i, want := range []string{store.LetterSent, store.LetterFailed, store.LetterSent, store.LetterQueued, store.LetterQueued, store.LetterDot, store.LetterSent} {
			if got := b.info(ids[i]).State; got != want {
				t.Errorf("%s: %s, want %s", letters[i].To.Address, got, want)
			}
		}
		time.Sleep(2 * time.Hour)
		for i, l := range letters {
			want := store.LetterSent
			if i == 1 {
				want = store.LetterFailed
			}
			if got := b.info(ids[i]).State; got != want {
				t.Errorf("two hours later: %s: %s, want %s", l.To.Address, got, want)
			}
		}
		b.wantMails(supportBox, 7) // six, and one in doubt twice
	})
}

func TestStopDoesNotWaitForASilentServer(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.smtp[supportBox].On(testmail.StageDot, "", 0, testmail.Act{Delay: time.Hour})
		b.start()
		id := b.queue(letterTo("a@keller.example"))[0]
		time.Sleep(time.Second)
		began := time.Now()
		b.stop()
		if d := time.Since(began); d > stopGrace+5*time.Second {
			t.Errorf("stopping took %v", d)
		}
		b.wantState(id, store.LetterDot, 0)
	})
}

// faulty is a store whose MarkDot fails.
type faulty struct {
	*store.DB
	err error
}

func (f faulty) MarkDot(context.Context, int64, int64, *store.Rendering, time.Time) error {
	return f.err
}

func TestNoDotWithoutTheStore(t *testing.T) {
	for _, c := range []error{fmt.Errorf("mark: %w", store.ErrLost), errors.New("disk full")} {
		t.Run(c.Error(), func(t *testing.T) {
			inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
				b.box = faulty{b.db, c}
				b.start()
				id := b.queue(letterTo("a@keller.example"))[0]
				time.Sleep(time.Second)
				if i := b.info(id); i.State != store.LetterQueued {
					t.Errorf("%+v", i)
				}
				b.wantMails(supportBox, 0)
			})
		})
	}
}

func TestLetterOfAMailboxThatIsGone(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		l := letterTo("a@keller.example")
		l.Mailbox = "old@baleyo.example"
		b.start()
		ids := b.queue(l, letterTo("b@keller.example"))
		time.Sleep(time.Minute)
		if i := b.wantState(ids[0], store.LetterQueued, 1); !strings.Contains(i.Detail, "no SMTP server") {
			t.Errorf("%+v", i)
		}
		b.wantMails(supportBox, 1)
	})
}

// A server on loopback may go without AUTH, as a local Postfix does: the
// letter is sent, and the operator is told once.
func TestLoopbackWithoutAuth(t *testing.T) {
	s, err := testmail.NewSMTP(testmail.SMTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b := &bench{t: t, db: storetest.SQLite(t), wake: make(chan struct{}, 1)}
	log := &logbook{}
	sender, err := New(Options{DB: b.db, Wake: b.wake, Log: slog.New(slog.NewTextHandler(log, nil)),
		Rules:  func() tickets.Rules { return tickets.Rules{Keys: testKeys} },
		Brands: func() map[string]Brand { return nil },
		Routes: func() map[string]Route {
			return map[string]Route{supportBox: {Host: "127.0.0.1", Port: s.Port(), TLS: "none", Username: "u", Password: "secret"}}
		}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = sender.Run(ctx) }()
	b.queue(letterTo("a@keller.example"), letterTo("b@keller.example"), letterTo("c@keller.example"))
	if _, err := s.Wait(3, 20*time.Second); err != nil {
		t.Error(err)
	}
	cancel()
	<-done
	if n := log.count("does not offer AUTH"); n != 1 {
		t.Errorf("warned %d times", n)
	}
}

// What the store knows comes into the letter: the files of the message that it
// carries, and the earlier letters of an agent's thread.
func TestCarriedMessageAndThread(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		b.opt.Open = func(_ context.Context, ledger int64, part int) ([]byte, error) {
			return fmt.Appendf(nil, "bytes of part %d", part), nil
		}
		b.start()
		agent := letterTo("asha@baleyo.example")
		agent.Kind, agent.Agent, agent.Carry = tickets.LetterNewTicket, true, 1
		c := tickets.Change{Brand: "baleyo", Tickets: []tickets.TicketChange{{
			Ticket: tickets.Ticket{Brand: "baleyo", Mailbox: supportBox, Channel: tickets.ChannelMail, Status: tickets.StatusOpen, Subject: "Printer",
				Participants: []tickets.Participant{{Address: tickets.Address{Name: "Maria", Address: "maria@keller.example"}, Role: tickets.PartyRequester}}},
			Messages: []tickets.Message{{Direction: tickets.DirectionIn, Channel: tickets.ChannelMail, Kind: tickets.KindMessage, MessageID: "a@b", Text: "help",
				Author: tickets.Author{Kind: tickets.AuthorCustomer, Address: tickets.Address{Address: "maria@keller.example"}},
				Attachments: []tickets.Attachment{{Filename: "log.bin", ContentType: "application/octet-stream", Part: 0},
					{Filename: "film.mov", ContentType: "video/quicktime", Part: 1, Refused: "size"}}}},
			Letters: []tickets.Letter{agent}}}}
		var ticket tickets.Ticket
		decide := func() {
			t.Helper()
			err := b.db.Decide(context.Background(), "baleyo", func(tx *store.Tx) error {
				saved, err := tx.Save(context.Background(), 0, "", "", c, time.Now())
				if err == nil && ticket.ID == 0 {
					ticket.ID = saved.Tickets[0]
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			b.wake <- struct{}{}
			synctest.Wait()
		}
		decide()
		first := readable(t, b.wantMails(supportBox, 1)[0].Raw)
		if !strings.Contains(first, "bytes of part 0") || strings.Contains(first, "bytes of part 1") {
			t.Errorf("files:\n%s", first)
		}
		ticket, err := b.db.Ticket(context.Background(), ticket.ID)
		if err != nil {
			t.Fatal(err)
		}
		second := letterTo("asha@baleyo.example")
		second.Kind, second.Agent = tickets.LetterReceipt, true
		c = tickets.Change{Brand: "baleyo", Tickets: []tickets.TicketChange{{Ticket: ticket, Letters: []tickets.Letter{second}}}}
		decide()
		id := func(raw []byte, field string) string {
			_, h, _ := bytes.Cut(raw, []byte("\r\n"+field+": "))
			v, _, _ := bytes.Cut(h, []byte("\r\n"))
			return string(v)
		}
		mails := b.wantMails(supportBox, 2)
		if got, want := id(mails[1].Raw, "In-Reply-To"), id(mails[0].Raw, "Message-ID"); got != want || got == "" {
			t.Errorf("In-Reply-To %q, want %q", got, want)
		}
	})
}

// wantTrouble wants the operator to be told at once of the one server that is sick.
func wantTrouble(t *testing.T, b *bench, what, hint string) {
	t.Helper()
	list := b.sender.Troubles()
	if len(list) != 1 || list[0].Mailbox != supportBox {
		t.Errorf("troubles of a server that %s: %+v", what, list)
		return
	}
	c, is := tickets.SilentServer(list[0].Mailbox, "node", list[0].Why, list[0].Since, list[0].Since)
	if !is || !c.Sending || !strings.Contains(c.Hint, hint) {
		t.Errorf("condition of a server that %s: %v %+v", what, is, c)
	}
}

// A large file is read from the ledger while its letter is sent; the rendering
// is kept without it, and a second try sends the same bytes: those that a letter
// with the file in it would have.
func TestLargeFileIsReadWhileSent(t *testing.T) {
	pdf := bytes.Repeat([]byte("%PDF\x00\x01\r\n.\r\n"), 150_000)
	eml := []byte(strings.Repeat("Subject: x\r\n.\r\n.dot\nlines\n", 60_000) + "no end")
	latin := append(bytes.Clone(eml), 0xe9)
	files := [][]byte{pdf, eml, latin, []byte("small")}
	attached := []tickets.Attachment{{Filename: "a.pdf", ContentType: "application/pdf", Part: 0}, {Filename: "b.eml", ContentType: "message/rfc822", Part: 1},
		{Filename: "c.eml", ContentType: "message/rfc822", Part: 2}, {Filename: "d.txt", ContentType: "text/plain", Part: 3}}
	for i := range attached {
		attached[i].Size, attached[i].SHA256 = len(files[i]), sha256.Sum256(files[i])
	}
	inBubble(t, testmail.SMTPOptions{MaxBytes: 100 << 20}, func(t *testing.T, b *bench) {
		var mu sync.Mutex
		open, lost := 0, error(nil)
		b.opt.Open = func(_ context.Context, _ int64, part int) ([]byte, error) { return files[part], nil }
		b.opt.OpenFile = func(_ context.Context, ledger int64, part int) (*OpenedFile, error) {
			mu.Lock()
			defer mu.Unlock()
			if lost != nil {
				return nil, lost
			}
			open++
			data := files[part]
			return &OpenedFile{Size: int64(len(data)), SHA256: sha256.Sum256(data), Read: func() io.Reader { return iotest.HalfReader(bytes.NewReader(data)) },
				Close: func() { mu.Lock(); open--; mu.Unlock() }}, nil
		}
		b.setAway("smtp.baleyo.test", errors.New("connection refused"))
		b.start()
		agent := letterTo("asha@baleyo.example")
		agent.Kind, agent.Agent, agent.Carry = tickets.LetterNewTicket, true, 1
		decide := func() int64 {
			t.Helper()
			var id int64
			agent.Key += "+"
			c := tickets.Change{Brand: "baleyo", Tickets: []tickets.TicketChange{{
				Ticket: tickets.Ticket{Brand: "baleyo", Mailbox: supportBox, Channel: tickets.ChannelMail, Status: tickets.StatusOpen, Subject: "Printer",
					Participants: []tickets.Participant{{Address: tickets.Address{Name: "Maria", Address: "maria@keller.example"}, Role: tickets.PartyRequester}}},
				Messages: []tickets.Message{{Direction: tickets.DirectionIn, Channel: tickets.ChannelMail, Kind: tickets.KindMessage, Text: "help",
					Author: tickets.Author{Kind: tickets.AuthorCustomer, Address: tickets.Address{Address: "maria@keller.example"}}, Attachments: attached}},
				Letters: []tickets.Letter{agent}}}}
			err := b.db.Decide(context.Background(), "baleyo", func(tx *store.Tx) error {
				saved, err := tx.Save(context.Background(), 0, "", "", c, time.Now())
				if err == nil {
					id = saved.Letters[0]
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			b.wake <- struct{}{}
			synctest.Wait()
			return id
		}
		id := decide()
		_, info, raw, err := b.db.LetterByID(context.Background(), id)
		if err != nil || len(info.Files) != 3 || len(raw) > 100<<10 {
			t.Fatalf("the rendering has %d bytes and %d files, %v", len(raw), len(info.Files), err)
		}
		var whole bytes.Buffer
		if err := WriteWhole(context.Background(), &whole, raw, info.Files, b.opt.OpenFile); err != nil {
			t.Fatal(err)
		}
		b.setAway("smtp.baleyo.test", nil)
		time.Sleep(2 * probeLast)
		synctest.Wait()
		sent := b.wantMails(supportBox, 1)[0].Raw
		if !bytes.Equal(sent, whole.Bytes()) {
			t.Errorf("%d bytes were sent of %d", len(sent), whole.Len())
		}
		// As it would be with the files in it.
		m := Material{}
		for i, a := range attached {
			m.Files = append(m.Files, File{Name: a.Filename, ContentType: a.ContentType, Data: files[i]})
		}
		for _, f := range m.Files {
			var part bytes.Buffer
			w, err := message.CreateWriter(&part, message.HeaderFromMap(map[string][]string{"Content-Type": {"multipart/mixed; boundary=b"}}))
			if err == nil {
				_, err = attach(&part, w, f)
			}
			if err != nil {
				t.Fatal(err)
			}
			_, body, _ := bytes.Cut(part.Bytes(), []byte("--b\r\n"))
			if !bytes.Contains(sent, body) {
				t.Errorf("%s does not stand in the letter as it would whole", f.Name)
			}
		}
		mu.Lock()
		lost = fmt.Errorf("load: %w", store.ErrNotFound)
		mu.Unlock()
		b.setAway("smtp.baleyo.test", nil)
		files[1], attached = nil, attached[:1]
		id = decide()
		b.wantState(id, store.LetterFailed, 1)
		mu.Lock()
		lost = nil
		mu.Unlock()
		files[0] = files[0][1:]
		id = decide()
		if i := b.wantState(id, store.LetterFailed, 1); !strings.Contains(i.Detail, "not what it was") {
			t.Errorf("another file: %+v", i)
		}
		mu.Lock()
		defer mu.Unlock()
		if open != 0 {
			t.Errorf("%d files are open still", open)
		}
	})
}
