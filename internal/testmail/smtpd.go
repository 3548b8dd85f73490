// Package testmail holds mail servers for tests and the demo: in this process, on
// loopback, scriptable, gone when it ends. Nothing that runs a desk imports it.
package testmail

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// SMTP is a scriptable SMTP server on loopback: it keeps every mail that it
// accepts, and does what a script says before it answers. It stands in for a
// provider's submission server in tests and in the demo.
type SMTP struct {
	opt      SMTPOptions
	server   *smtp.Server
	listener net.Listener
	done     chan struct{}
	closing  chan struct{} // ends delays
	close    func()

	mu      sync.Mutex
	mails   []Accepted
	scripts []*script
	conns   int
	sent    int // answers that named a queue id
	changed chan struct{}
}

// SMTPOptions of NewSMTP; the zero value listens on loopback, takes
// everything, and offers neither STARTTLS nor AUTH.
type SMTPOptions struct {
	Addr        string                      // default 127.0.0.1:0
	Listener    net.Listener                // instead of Addr
	Certificate *tls.Certificate            // offers STARTTLS
	Implicit    bool                        // TLS from the first byte, with Certificate
	Users       map[string]string           // offers AUTH PLAIN and LOGIN, and refuses mail without it
	Tokens      *OAuth                      // offers AUTH XOAUTH2 and OAUTHBEARER too, with Users
	UTF8        bool                        // offers SMTPUTF8
	MaxBytes    int64                       // offers SIZE
	LogFile     string                      // each accepted mail is appended as a line of JSON and synced before the 250
	Known       func(recipient string) bool // nil takes every recipient; else 550 5.1.1 for those unknown
	Deliver     func(Accepted) error
}

// Accepted is one mail that the server answered with 250, or would have.
type Accepted struct {
	From string    `json:"from"`
	To   []string  `json:"to"`
	Raw  []byte    `json:"raw"` // as sent, dots unstuffed
	At   time.Time `json:"at"`
	TLS  bool      `json:"tls"`
	User string    `json:"user,omitempty"`
	Conn int       `json:"conn"` // counts connections from 1
	UTF8 bool      `json:"utf8,omitempty"`
}

// Stage is where in a transaction a script acts.
type Stage string

// The stages. Data is after the 354, with the body still to come; Dot is after
// the final dot.
const (
	StageConnect Stage = "connect"
	StageMail    Stage = "mail"
	StageRcpt    Stage = "rcpt"
	StageData    Stage = "data"
	StageDot     Stage = "dot"
)

// Act is what a script does in place of the usual answer.
type Act struct {
	Code   int           // reply code, 0 the usual
	Text   string        // of the reply; may begin with an enhanced status code
	Delay  time.Duration // before the reply
	Close  bool          // closes the connection instead of a reply
	Commit bool          // at StageDot: the mail is kept although the answer is not a 250
}

type script struct {
	stage     Stage
	recipient string
	times     int
	act       Act
}

// NewSMTP starts a server; Close ends it.
func NewSMTP(opt SMTPOptions) (*SMTP, error) {
	s := &SMTP{opt: opt, done: make(chan struct{}), changed: make(chan struct{}), closing: make(chan struct{})}
	s.close = sync.OnceFunc(func() { close(s.closing) })
	if s.listener = opt.Listener; s.listener == nil {
		addr := opt.Addr
		if addr == "" {
			addr = "127.0.0.1:0"
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, err
		}
		s.listener = l
	}
	s.server = smtp.NewServer(smtp.BackendFunc(s.session))
	s.server.Domain = "smtp.test"
	s.server.AllowInsecureAuth = true
	s.server.EnableSMTPUTF8 = opt.UTF8
	s.server.MaxMessageBytes = opt.MaxBytes
	s.server.MaxLineLength = 1000 // RFC 5321 section 4.5.3.1.6, with CRLF: a longer line is the client's fault
	s.server.ErrorLog = log.New(io.Discard, "", 0)
	if c := opt.Certificate; c != nil {
		config := &tls.Config{Certificates: []tls.Certificate{*c}}
		if opt.Implicit {
			s.listener = tls.NewListener(s.listener, config)
		} else {
			s.server.TLSConfig = config
		}
	}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(s.listener) // ends with Close
	}()
	return s, nil
}

// Close closes the listener and all connections, and waits for the accept loop.
func (s *SMTP) Close() error {
	s.close()
	err := s.server.Close()
	_ = s.listener.Close() // the server closes it too, unless Serve has not begun
	<-s.done
	return err
}

// Addr is host:port of the server.
func (s *SMTP) Addr() string { return s.listener.Addr().String() }

// Port is the port of Addr.
func (s *SMTP) Port() int {
	if a, ok := s.listener.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

// On makes the server act so the next times that stage is reached; recipient
// "" means any, times 0 for ever. Scripts are tried in the order they were given.
func (s *SMTP) On(stage Stage, recipient string, times int, act Act) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if times == 0 {
		times = -1
	}
	s.scripts = append(s.scripts, &script{stage, strings.ToLower(recipient), times, act})
}

// Clear forgets all scripts.
func (s *SMTP) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts = nil
}

// Mails returns what was accepted so far, in order.
func (s *SMTP) Mails() []Accepted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Connections counts the connections that were made.
func (s *SMTP) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// Wait returns when at least n mails were accepted, or after limit with an
// error that says how many there are.
func (s *SMTP) Wait(n int, limit time.Duration) ([]Accepted, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		s.mu.Lock()
		mails, changed := slices.Clone(s.mails), s.changed
		s.mu.Unlock()
		if len(mails) >= n {
			return mails, nil
		}
		select {
		case <-changed:
		case <-timer.C:
			return mails, fmt.Errorf("%d mails after %v, want %d", len(mails), limit, n)
		}
	}
}

// scripted returns the act for a stage, if a script has one left.
func (s *SMTP) scripted(stage Stage, recipients ...string) (Act, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sc := range s.scripts {
		if sc.stage != stage || sc.times == 0 {
			continue
		}
		if sc.recipient != "" && !slices.ContainsFunc(recipients, func(r string) bool { return strings.EqualFold(r, sc.recipient) }) {
			continue
		}
		if sc.times > 0 {
			sc.times--
		}
		return sc.act, true
	}
	return Act{}, false
}

// keep commits a mail: to the log file first, as a server that answers 250 has it on disk.
func (s *SMTP) keep(m Accepted) error {
	if s.opt.LogFile != "" {
		if err := appendSynced(s.opt.LogFile, m); err != nil {
			return err
		}
	}
	if s.opt.Deliver != nil {
		if err := s.opt.Deliver(m); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.mails = append(s.mails, m)
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	return nil
}

func appendSynced(path string, m Accepted) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}

func (s *SMTP) session(c *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	s.conns++
	n := s.conns
	s.mu.Unlock()
	ss := &smtpSession{s: s, c: c, n: n}
	return ss, ss.act(StageConnect)
}

// smtpSession is one connection; after STARTTLS go-smtp makes a new one.
type smtpSession struct {
	s    *SMTP
	c    *smtp.Conn
	n    int
	user string
	from string
	utf8 bool
	to   []string
}

var errClosed = errors.New("closed by script")

// act does what a script says for the stage: nil for the usual answer.
func (ss *smtpSession) act(stage Stage, recipients ...string) error {
	a, ok := ss.s.scripted(stage, recipients...)
	if !ok {
		return nil
	}
	return ss.do(a)
}

func (ss *smtpSession) do(a Act) error {
	if a.Delay > 0 {
		timer := time.NewTimer(a.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ss.s.closing:
		}
	}
	if a.Close {
		_ = ss.c.Conn().Close()
		return errClosed
	}
	if a.Code == 0 {
		return nil
	}
	return reply(a.Code, a.Text)
}

// reply makes a reply of a code and a text that may begin with an enhanced
// status code (RFC 2034).
func reply(code int, text string) *smtp.SMTPError {
	e := &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: text}
	var ec smtp.EnhancedCode
	word, rest, _ := strings.Cut(text, " ")
	if n, err := fmt.Sscanf(word, "%d.%d.%d", &ec[0], &ec[1], &ec[2]); n == 3 && err == nil {
		e.EnhancedCode, e.Message = ec, rest
	}
	return e
}

func (ss *smtpSession) AuthMechanisms() []string {
	if len(ss.s.opt.Users) == 0 {
		return nil
	}
	if ss.s.opt.Tokens != nil {
		return []string{sasl.Plain, sasl.Login, XOAUTH2, sasl.OAuthBearer}
	}
	return []string{sasl.Plain, sasl.Login}
}

func (ss *smtpSession) Auth(mech string) (sasl.Server, error) {
	check := func(user, password string) error {
		if want, ok := ss.s.opt.Users[user]; !ok || want != password {
			return smtp.ErrAuthFailed
		}
		ss.user = user
		return nil
	}
	switch {
	case len(ss.s.opt.Users) == 0:
		return nil, smtp.ErrAuthUnsupported
	case mech == sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
	case mech == sasl.Login:
		return &loginServer{check: check}, nil
	case ss.s.opt.Tokens != nil && (mech == XOAUTH2 || mech == sasl.OAuthBearer):
		return ss.s.opt.Tokens.bearer(mech, func(user string) error { return check(user, ss.s.opt.Users[user]) }), nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// loginServer is the server's side of AUTH LOGIN, which go-sasl has no more.
type loginServer struct {
	step  int
	user  string
	check func(user, password string) error
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	l.step++
	switch {
	case l.step == 1 && response == nil:
		return []byte("Username:"), false, nil
	case l.step <= 2 && l.user == "":
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.user, string(response))
}

func (ss *smtpSession) Mail(from string, opts *smtp.MailOptions) error {
	if len(ss.s.opt.Users) > 0 && ss.user == "" {
		return smtp.ErrAuthRequired
	}
	ss.from, ss.to, ss.utf8 = from, nil, opts != nil && opts.UTF8
	return ss.act(StageMail)
}

func (ss *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if known := ss.s.opt.Known; known != nil && !known(to) {
		return reply(550, "5.1.1 no such user here")
	}
	if err := ss.act(StageRcpt, to); err != nil {
		return err
	}
	ss.to = append(ss.to, to)
	return nil
}

func (ss *smtpSession) Data(r io.Reader) error {
	if err := ss.act(StageData, ss.to...); err != nil {
		return err
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	_, secure := ss.c.TLSConnectionState()
	m := Accepted{From: ss.from, To: ss.to, Raw: raw, At: time.Now(), TLS: secure, User: ss.user, Conn: ss.n, UTF8: ss.utf8}
	if a, ok := ss.s.scripted(StageDot, ss.to...); ok {
		if a.Commit || (!a.Close && a.Code/100 <= 2) {
			if err := ss.s.keep(m); err != nil {
				return reply(451, "4.3.0 "+err.Error())
			}
		}
		if err := ss.do(a); err != nil {
			return err
		}
		return reply(250, "2.0.0 Ok")
	}
	if err := ss.s.keep(m); err != nil {
		return reply(451, "4.3.0 "+err.Error())
	}
	ss.s.mu.Lock()
	ss.s.sent++
	id := ss.s.sent
	ss.s.mu.Unlock()
	return reply(250, fmt.Sprintf("2.0.0 Ok: queued as T%06X", id))
}

func (ss *smtpSession) Reset()        { ss.from, ss.to = "", nil }
func (ss *smtpSession) Logout() error { return nil }
