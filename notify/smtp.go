package notify

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

const (
	dialTimeout    = 30 * time.Second
	defaultTimeout = 5 * time.Minute // RFC 5321 section 4.5.3.2
)

// submission is one connection to an SMTP server, ready for MAIL. It is used
// by one goroutine; only hurry may be called from another.
//
// go-mail's client does the greeting, STARTTLS and AUTH. The transaction is
// written here on its textproto.Conn: it is pipelined, and the store must be
// asked between the body and the final dot. Deadlines are set on the net.Conn,
// because the client knows none.
type submission struct {
	client  *smtp.Client
	conn    net.Conn
	limit   time.Duration   // for one command
	used    int             // letters it has tried
	last    time.Time       // end of the last one
	marking <-chan struct{} // closed when the last one is stored as sent; nil: it is, or is noted
	hard    atomic.Int64    // no wait goes beyond this time (Unix nanoseconds), 0 none
}

// dialer opens the TCP connection; tests replace it.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// open connects, secures and authenticates. warn is told what an operator
// should know although the connection is used.
func open(ctx context.Context, dial dialer, r Route, warn func(string)) (s *submission, err error) {
	if r.Tokens == nil {
		return openWith(ctx, dial, r, "", warn)
	}
	err = r.Tokens.LogIn(ctx, func(token string) error {
		s, err = openWith(ctx, dial, r, token, warn)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openWith is open with a token, "" the password.
func openWith(ctx context.Context, dial dialer, r Route, token string, warn func(string)) (*submission, error) {
	dialling, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := dial(dialling, "tcp", net.JoinHostPort(r.Host, strconv.Itoa(r.Port)))
	if err != nil {
		return nil, err // "dial tcp 127.0.0.1:25: …"
	}
	s := &submission{conn: conn, limit: r.Timeout}
	if s.limit <= 0 {
		s.limit = defaultTimeout
	}
	// Nothing is lost by leaving in the middle of a greeting.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := s.greet(r, token, warn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

func (s *submission) greet(r Route, token string, warn func(string)) error {
	_ = s.conn.SetDeadline(time.Now().Add(s.limit))
	config, err := tlsConfig(r)
	if err != nil {
		return err
	}
	wire := s.conn
	if r.TLS == "implicit" {
		wire = tls.Client(s.conn, config)
	}
	if s.client, err = smtp.NewClient(wire, r.Host); err != nil {
		return fmt.Errorf("greeting of %s: %w", r.Host, err)
	}
	if err := s.client.Hello(hello()); err != nil {
		return fmt.Errorf("EHLO to %s: %w", r.Host, err)
	}
	if r.TLS == "starttls" {
		// A server that has lost its STARTTLS may be somebody in between
		// (RFC 3207 section 6): nothing is sent in the clear.
		if ok, _ := s.client.Extension("STARTTLS"); !ok {
			return fmt.Errorf("%s does not offer STARTTLS, and the configuration asks for it", r.Host)
		}
		if err := s.client.StartTLS(config); err != nil {
			return fmt.Errorf("STARTTLS with %s: %w", r.Host, err)
		}
	}
	return s.authenticate(r, token, warn)
}

func (s *submission) authenticate(r Route, token string, warn func(string)) error {
	if r.Username == "" {
		return nil
	}
	offered, mechanisms := s.client.Extension("AUTH")
	if !offered {
		if !loopback(s.conn) {
			return fmt.Errorf("%s does not offer AUTH, and the configuration has a username", r.Host)
		}
		warn("SMTP server on loopback does not offer AUTH, sending without")
		return nil
	}
	// PLAIN and LOGIN show the password to whoever listens.
	if r.TLS != "starttls" && r.TLS != "implicit" && !loopback(s.conn) {
		return fmt.Errorf("no password is sent to %s without TLS", r.Host)
	}
	var auth smtp.Auth
	switch offers := strings.Fields(strings.ToUpper(mechanisms)); {
	case token != "":
		return s.bearer(r, token, offers)
	case slices.Contains(offers, "PLAIN"):
		auth = smtp.PlainAuth("", r.Username, r.Password, r.Host, true)
	case slices.Contains(offers, "LOGIN"):
		auth = smtp.LoginAuth(r.Username, r.Password, r.Host, true)
	default:
		return fmt.Errorf("%s offers AUTH %s, of which none is spoken here (PLAIN, LOGIN)", r.Host, mechanisms)
	}
	if err := s.client.Auth(auth); err != nil {
		return fmt.Errorf("AUTH at %s: %w", r.Host, err)
	}
	return nil
}

func tlsConfig(r Route) (*tls.Config, error) {
	c := &tls.Config{ServerName: r.Host, MinVersion: tls.VersionTLS12}
	if r.CAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(r.CAFile)
	if err != nil {
		return nil, err
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in it", r.CAFile)
	}
	return c, nil
}

// hello is the name in EHLO: the host's, when it is one that RFC 5321 section
// 4.1.4 allows.
func hello() string {
	name, err := os.Hostname()
	if err != nil || name == "" || !ascii(name) || strings.ContainsAny(name, " \t_") || hasControl(name) {
		return "localhost"
	}
	return name
}

func loopback(c net.Conn) bool {
	a, ok := c.RemoteAddr().(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

// envelope is what SMTP is told about a letter.
type envelope struct {
	from string // "" is the null reverse-path
	to   string
	utf8 bool // needs SMTPUTF8 (RFC 6531)
}

// errAbandoned is what beforeDot's error becomes: the letter is not ours to send any more.
var errAbandoned = errors.New("abandoned before the final dot")

// send hands one letter over. beforeDot is called when everything but the
// final dot has left: its error cuts the connection, so that the server cannot
// take the letter. until is when the claim on the letter ends; no wait goes
// beyond it. text is the server's answer.
//
// After an error that is not a reply (class connection, doubt, abandoned) the
// connection is closed.
func (s *submission) send(e envelope, raw []byte, until time.Time, beforeDot func() error) (text string, err error) {
	return s.sendMail(e, content{raw: raw}, until, beforeDot)
}

// sendMail is send for a mail with large files.
func (s *submission) sendMail(e envelope, mail content, until time.Time, beforeDot func() error) (text string, err error) {
	s.used++
	defer func() { s.last = time.Now() }()
	if e.utf8 {
		if ok, _ := s.client.Extension("SMTPUTF8"); !ok {
			return "", &failure{class: ClassPermanent, code: "553 5.6.7",
				detail: "the address needs SMTPUTF8, which the server does not offer"}
		}
	}
	if err := s.transaction(e, mail.size(), until); err != nil {
		return "", err
	}
	return s.data(mail, until, beforeDot)
}

// transaction speaks MAIL, RCPT and DATA, in one packet where the server lets
// it (RFC 2920).
func (s *submission) transaction(e envelope, size int64, until time.Time) error {
	commands := []struct {
		stage, line string
		want        int
	}{{"MAIL", s.mail(e, size), 25}, {"RCPT", "RCPT TO:<" + e.to + ">", 25}, {"DATA", "DATA", 354}}
	for _, c := range commands {
		if _, err := checked("command", c.line); err != nil {
			return &failure{class: ClassPermanent, detail: err.Error()}
		}
	}
	pipelining, _ := s.client.Extension("PIPELINING")
	t := s.client.Text
	if pipelining {
		s.deadline(until)
		for _, c := range commands {
			fmt.Fprintf(t.W, "%s\r\n", c.line)
		}
		if err := t.W.Flush(); err != nil {
			s.cut()
			return failed("MAIL", err)
		}
	}
	var first *failure
	for _, c := range commands {
		if !pipelining {
			s.deadline(until)
			if err := t.PrintfLine("%s", c.line); err != nil {
				s.cut()
				return failed(c.stage, err)
			}
		}
		s.deadline(until)
		_, _, err := t.ReadResponse(c.want)
		switch {
		case err == nil && first != nil && c.stage == "DATA":
			// The server wants a body although it has no recipient: it gets
			// an empty one, which it has to refuse (RFC 2920 section 3.1).
			_ = t.PrintfLine(".")
			if code, _, err := t.ReadResponse(0); err != nil || code/100 == 2 {
				s.cut()
			}
		case err == nil:
		case !isReply(err):
			s.cut()
			if first != nil {
				return first
			}
			return failed(c.stage, err)
		case first == nil:
			if first = failed(c.stage, err); !pipelining {
				return s.reset(first, until)
			}
		}
	}
	if first != nil {
		return s.reset(first, until)
	}
	return nil
}

func (s *submission) mail(e envelope, size int64) string {
	line := "MAIL FROM:<" + e.from + ">"
	if ok, _ := s.client.Extension("SIZE"); ok {
		line += " SIZE=" + strconv.FormatInt(size, 10) // RFC 1870: too large is said before the body
	}
	if e.utf8 {
		line += " SMTPUTF8"
	}
	return line
}

// reset clears a refused transaction, so that the connection can go on.
func (s *submission) reset(f *failure, until time.Time) error {
	if f.class == ClassConnection {
		s.cut()
		return f
	}
	s.deadline(until)
	if err := s.client.Reset(); err != nil {
		s.cut()
	}
	return f
}

// data sends the body, asks beforeDot, sends the dot and reads the answer.
func (s *submission) data(mail content, until time.Time, beforeDot func() error) (string, error) {
	t := s.client.Text
	s.deadline(until)
	// Lines already end in CRLF; only dots at their start are doubled (RFC
	// 5321 section 4.5.2). textproto's DotWriter would turn a bare LF into a
	// CRLF, and so change what was stored.
	err := mail.write(stuffed{t.W})
	if err == nil {
		err = t.W.Flush()
	}
	if err != nil {
		s.cut()
		return "", failed("body", err)
	}
	if err := beforeDot(); err != nil {
		s.cut()
		return "", fmt.Errorf("%w: %w", errAbandoned, err)
	}
	s.deadline(until)
	_, err = t.W.WriteString(".\r\n")
	if err == nil {
		err = t.W.Flush()
	}
	var text string
	if err == nil {
		_, text, err = t.ReadResponse(250)
	}
	switch {
	case err == nil:
		_, text = enhancedStatus(text)
		return text, nil
	case isReply(err):
		f := failed("end of data", err)
		if f.class == ClassConnection { // 421
			s.cut()
		}
		return "", f
	}
	s.cut()
	f := failed("answer to the final dot", err)
	f.doubt = true
	return "", f
}

// stuffed doubles dots at the start of lines. Each Write begins a line.
type stuffed struct{ w *bufio.Writer }

func (s stuffed) Write(b []byte) (n int, err error) {
	for n < len(b) {
		line := b[n:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		if line[0] == '.' {
			if err := s.w.WriteByte('.'); err != nil {
				return n, err
			}
		}
		k, err := s.w.Write(line)
		if n += k; err != nil {
			return n, err
		}
	}
	return n, nil
}

func isReply(err error) bool {
	var reply *textproto.Error
	return errors.As(err, &reply)
}

// deadline bounds the next wait: one command's limit, and never past until.
func (s *submission) deadline(until time.Time) {
	d := time.Now().Add(s.limit)
	if !until.IsZero() && until.Before(d) {
		d = until
	}
	if h := s.hard.Load(); h != 0 && h < d.UnixNano() {
		d = time.Unix(0, h)
	}
	_ = s.conn.SetDeadline(d)
}

// hurry ends all waiting at the latest at a time: the desk is being stopped.
// It may be called from any goroutine.
func (s *submission) hurry(at time.Time) {
	s.hard.Store(at.UnixNano())
	_ = s.conn.SetDeadline(at)
}

// cut closes the connection without a word.
func (s *submission) cut() {
	_ = s.conn.Close()
	s.client = nil
}

func (s *submission) usable() bool { return s.client != nil }

// healthy reports whether an idle connection still answers.
func (s *submission) healthy() bool {
	_ = s.conn.SetDeadline(time.Now().Add(10 * time.Second))
	if err := s.client.Noop(); err != nil {
		s.cut()
		return false
	}
	return true
}

// quit says good-bye and closes.
func (s *submission) quit() {
	if !s.usable() {
		return
	}
	_ = s.conn.SetDeadline(time.Now().Add(5 * time.Second))
	_ = s.client.Quit()
	_ = s.conn.Close()
	s.client = nil
}
