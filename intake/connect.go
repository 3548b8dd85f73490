package intake

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"frontdesk/oauth"
	"frontdesk/store"
)

// session is one logged-in connection with the folder selected.
type session struct {
	m           *Mailbox
	wire        *wire
	client      *imapclient.Client
	stop        func() bool
	uidvalidity uint32
	uidnext     uint32        // 0: not said, or no longer true
	exists      atomic.Int64  // messages in the folder, as the server last said
	news        chan struct{} // holds one token when messages came
}

// open connects, logs in and selects the folder.
func (m *Mailbox) open(ctx context.Context) (s *session, err error) {
	if m.opt.Tokens == nil {
		return m.openWith(ctx, "")
	}
	m.alive()
	err = m.opt.Tokens.LogIn(ctx, func(token string) error {
		s, err = m.openWith(ctx, token)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openWith is open with a token, "" the password.
func (m *Mailbox) openWith(ctx context.Context, token string) (*session, error) {
	m.alive()
	s := &session{m: m, news: make(chan struct{}, 1)}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	if err := s.login(token); err != nil {
		s.close()
		return nil, err
	}
	if err := s.selectFolder(); err != nil {
		s.close()
		return nil, err
	}
	m.alive()
	return s, nil
}

// connect dials and brings TLS up as configured.
func (s *session) connect(ctx context.Context) error {
	opt := &s.m.opt
	addr := net.JoinHostPort(opt.Host, strconv.Itoa(opt.Port))
	dialer := net.Dialer{
		Timeout:         opt.Command,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 4},
	}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("connect to imap server %s: %w", addr, err)
	}
	s.wire = &wire{Conn: conn, stall: opt.Command, alive: s.m.alive}
	// When the daemon stops, a command may finish, but not hold it up.
	s.stop = context.AfterFunc(ctx, func() { s.wire.closeIn(2 * time.Second) })
	s.client, err = s.start(ctx)
	if err == nil {
		err = s.do("greeting of "+addr, s.client.WaitGreeting)
	}
	if err != nil {
		s.close()
		return fmt.Errorf("connect to imap server %s: %w", addr, err)
	}
	return nil
}

// start makes the client on the wire.
func (s *session) start(ctx context.Context) (client *imapclient.Client, err error) {
	opt := imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				s.count(int64(*d.NumMessages))
			}
		},
		Expunge: func(uint32) { s.exists.Add(-1) },
	}}
	if s.m.opt.TLS == "none" {
		return imapclient.New(s.wire, &opt), nil
	}
	if opt.TLSConfig, err = s.m.opt.tls(); err != nil {
		return nil, err
	}
	if s.m.opt.TLS == "starttls" {
		err = s.do("starttls", func() error {
			client, err = imapclient.NewStartTLS(s.wire, &opt)
			return err
		})
		return client, err
	}
	conn := tls.Client(s.wire, opt.TLSConfig)
	if err := s.do("tls handshake", func() error { return conn.HandshakeContext(ctx) }); err != nil {
		return nil, err
	}
	return imapclient.New(conn, &opt), nil
}

// tls reads the roots each time: certificates are renewed while we run.
func (opt *MailboxOptions) tls() (*tls.Config, error) {
	c := &tls.Config{ServerName: opt.Host, MinVersion: tls.VersionTLS12}
	if opt.CAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(opt.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read roots: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read roots: no certificate in %q", opt.CAFile)
	}
	return c, nil
}

func (s *session) login(token string) error {
	opt := &s.m.opt
	if token != "" {
		return s.do("log in as "+opt.Username, func() error { return s.bearer(token) })
	}
	return s.do("log in as "+opt.Username, func() error {
		caps := s.client.Caps()
		// RFC 9051 section 6.2.3: LOGIN must not be sent where it is disabled.
		if caps.Has(imap.CapLoginDisabled) && caps.Has(imap.AuthCap(sasl.Plain)) {
			return s.client.Authenticate(sasl.NewPlainClient("", opt.Username, opt.Password))
		}
		return s.client.Login(opt.Username, opt.Password).Wait()
	})
}

// bearer logs in with a token. After a refusal the connection is of no use.
func (s *session) bearer(token string) error {
	opt := &s.m.opt
	if !s.client.Caps().Has(imap.AuthCap(opt.Mechanism)) {
		return fmt.Errorf("%s does not offer %s: set auth to what it offers", opt.Host, opt.Mechanism)
	}
	b := &oauth.Bearer{Mechanism: opt.Mechanism, Username: opt.Username, Token: token, Host: opt.Host, Port: opt.Port}
	err := s.client.Authenticate(b)
	var no *imap.Error
	if errors.As(err, &no) {
		return b.Refused(err)
	}
	return err
}

func (s *session) selectFolder() error {
	return s.do("select "+strconv.Quote(s.m.opt.Folder), func() error {
		d, err := s.client.Select(s.m.opt.Folder, nil).Wait()
		if err != nil {
			return err
		}
		if d.UIDValidity == 0 {
			// RFC 9051 section 6.3.2 wants it; without it UIDs mean nothing.
			return errors.New("the server names no UIDVALIDITY")
		}
		s.uidvalidity, s.uidnext = d.UIDValidity, uint32(d.UIDNext)
		s.exists.Store(int64(d.NumMessages))
		return nil
	})
}

// wentBack reports that the folder's UIDs were handed out anew under the same
// UIDVALIDITY: a server restored from a backup. Above the cursor there would
// be nothing for a while, and new mail below it.
func (s *session) wentBack(cur store.Cursor) bool {
	return s.uidnext != 0 && s.uidnext <= cur.UID
}

// count notes the size of the folder and raises news when it grew. Some
// servers repeat EXISTS each time IDLE begins: only growth is news.
func (s *session) count(n int64) {
	if s.exists.Swap(n) >= n {
		return
	}
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// do runs one command under the deadline and says what was being done.
func (s *session) do(what string, f func() error) error {
	s.wire.arm()
	err := f()
	s.wire.disarm()
	if err == nil {
		s.m.alive()
		return nil
	}
	if s.wire.stalled.Load() {
		err = fmt.Errorf("no answer for %s", s.wire.stall)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// close says goodbye where that is possible, and waits until the client's
// goroutine has ended.
func (s *session) close() {
	s.stop()
	s.wire.closeIn(2 * time.Second)
	if s.client != nil {
		if s.client.State() == imap.ConnStateAuthenticated || s.client.State() == imap.ConnStateSelected {
			_ = s.client.Logout().Wait()
		}
	}
	s.wire.shut()
	if s.client != nil {
		<-s.client.Closed()
	}
}

// wire is the connection below the IMAP client. The client sets read deadlines
// of its own (30 s for a response, five minutes for a literal, none while it
// waits for a response to begin), wrong for slow links and dead ones alike.
// They are ignored; instead an armed wire closes itself when nothing was read
// for stall. A large mail over a slow line is not cut, a dead peer is noticed.
type wire struct {
	net.Conn
	stall   time.Duration
	alive   func() // called when something was read
	stalled atomic.Bool
	shutOne sync.Once

	mu    sync.Mutex
	timer *time.Timer // nil: not armed
	limit *time.Timer // nil: nobody wants it closed
	gone  bool
}

// Read counts as a sign of life.
func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if n > 0 {
		w.alive()
		w.mu.Lock()
		if w.timer != nil {
			w.timer.Reset(w.stall)
		}
		w.mu.Unlock()
	}
	return n, err
}

// SetReadDeadline does nothing, see wire.
func (w *wire) SetReadDeadline(time.Time) error { return nil }

// SetDeadline sets the write deadline only, see wire.
func (w *wire) SetDeadline(t time.Time) error { return w.SetWriteDeadline(t) }

// arm starts the watch over the server's silence; disarm ends it.
func (w *wire) arm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer == nil && !w.gone {
		w.timer = time.AfterFunc(w.stall, func() {
			w.stalled.Store(true)
			w.shut()
		})
	}
}

func (w *wire) disarm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}

// closeIn closes the wire after d, whatever goes on.
func (w *wire) closeIn(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.limit == nil && !w.gone {
		w.limit = time.AfterFunc(d, w.shut)
	}
}

// shut closes the connection and stops the timers.
func (w *wire) shut() {
	w.shutOne.Do(func() {
		w.disarm()
		w.mu.Lock()
		w.gone = true
		if w.limit != nil {
			w.limit.Stop()
		}
		w.mu.Unlock()
		_ = w.Conn.Close()
	})
}

// Close is shut, for the client.
func (w *wire) Close() error {
	w.shut()
	return nil
}
