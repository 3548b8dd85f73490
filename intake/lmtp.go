package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"frontdesk/store"
)

// Address says where mail for one configured mailbox belongs.
type Address struct{ Brand, Mailbox, Queue, Subaddressing string }

// LMTPOptions describe the LMTP listener (RFC 2033).
type LMTPOptions struct {
	Addresses []Address
	Current   func() []Address // asked at each recipient, for they may change; nil: Addresses
	MaxSize   int64            // default 50 MB; larger mail is refused for good (552 5.3.4)
	Hostname  string
	DB        *store.DB
	Log       *slog.Logger     // nil: nothing is logged
	Now       func() time.Time // nil: time.Now
	Wake      func()           // called after rows were committed; nil: nobody is
	Full      func() error     // says why nothing may come in now; nil: never
	// Connections is how many are served at a time, default 100; more get 421.
	Connections int
}

// LMTP takes mail from an MTA and answers 250 only after the commit.
//
// Each configured mailbox among the recipients gets one ledger row with all its
// recipients; the rows of one mail are committed together, so that all
// recipients get the same answer. A recipient may carry a subaddress (RFC
// 5233); others than the configured addresses get 550 5.1.1. A ledger that
// does not take the mail answers 451 4.3.0, a full disk 452 4.3.1: the MTA
// keeps it and tries again.
type LMTP struct {
	opt   LMTPOptions
	db    ledger
	drain time.Duration // how long sessions in hand may take at the end
}

const (
	maxRecipients = 1000
	largeUnknown  = 16 << 20        // room for a large mail whose size was not announced
	lmtpTimeout   = 5 * time.Minute // RFC 5321 section 4.5.3.2.7
	commitTimeout = time.Minute
)

// NewLMTP prepares the listener.
func NewLMTP(opt LMTPOptions) *LMTP {
	if opt.MaxSize <= 0 {
		opt.MaxSize = 50 << 20
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Wake == nil {
		opt.Wake = func() {}
	}
	if opt.Full == nil {
		opt.Full = neverFull
	}
	if opt.Current == nil {
		opt.Current = func() []Address { return opt.Addresses }
	}
	if opt.Connections <= 0 {
		opt.Connections = 100
	}
	if opt.Hostname == "" {
		opt.Hostname = "localhost"
	}
	return &LMTP{opt: opt, db: opt.DB, drain: 15 * time.Second}
}

// Serve answers on l until ctx ends; sessions in hand end first, bounded. It
// closes l.
func (s *LMTP) Serve(ctx context.Context, l net.Listener) error {
	commits, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &lmtpSession{s: s, ctx: commits, conn: c}, nil
	}))
	srv.LMTP = true
	srv.Domain = s.opt.Hostname
	srv.MaxRecipients = maxRecipients
	// One more than allowed: the library refuses at the limit, not above it.
	srv.MaxMessageBytes = s.opt.MaxSize + 1
	// A limit on lines would refuse mails, not only commands: lines of many
	// megabytes exist, and the MTA has taken them already.
	srv.MaxLineLength = int(s.opt.MaxSize) + 1000
	srv.ReadTimeout, srv.WriteTimeout = lmtpTimeout, lmtpTimeout
	srv.ErrorLog = lmtpLog{s.opt.Log}

	dl := newDrainListener(l, s.opt.Connections)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(dl) }()
	select {
	case err := <-served:
		_ = srv.Close()
		return fmt.Errorf("serve lmtp on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	dl.drain()
	_ = dl.Close() // Shutdown does not know it while Serve has only just begun
	bounded, stop := context.WithTimeout(context.WithoutCancel(ctx), s.drain)
	defer stop()
	err := srv.Shutdown(bounded)
	if errors.Is(err, context.DeadlineExceeded) {
		s.opt.Log.Warn("lmtp sessions cut", "after", s.drain)
		cancel()
		dl.cut()
	}
	<-served
	return nil
}

// find returns the configured mailbox that rcpt belongs to. Local parts are
// compared without case, as all MTAs of today do.
func (s *LMTP) find(rcpt string) (Address, bool) {
	for _, a := range s.opt.Current() {
		if a.takes(rcpt) {
			return a, true
		}
	}
	return Address{}, false
}

// takes reports whether rcpt is the mailbox's address, subaddressed or not.
func (a Address) takes(rcpt string) bool {
	i, j := strings.LastIndexByte(rcpt, '@'), strings.LastIndexByte(a.Mailbox, '@')
	if i < 0 || j < 0 || !strings.EqualFold(rcpt[i:], a.Mailbox[j:]) {
		return false
	}
	local, own := rcpt[:i], a.Mailbox[:j]
	if strings.EqualFold(local, own) {
		return true
	}
	if a.Subaddressing == "" || len(local) <= len(own) || !strings.EqualFold(local[:len(own)], own) {
		return false
	}
	return strings.HasPrefix(local[len(own):], a.Subaddressing)
}

// lmtpSession is one connection of an MTA.
type lmtpSession struct {
	s    *LMTP
	ctx  context.Context // of commits: ends after Serve's
	conn *smtp.Conn

	from  string
	size  int64 // as announced, 0 when not
	rcpts []recipient
}

// recipient is an accepted RCPT with the mailbox it was accepted for: the
// configuration may be another when the mail has come.
type recipient struct {
	address string
	to      Address
}

func (t *lmtpSession) Reset()        { t.from, t.size, t.rcpts = "", 0, nil }
func (t *lmtpSession) Logout() error { return nil }

func (t *lmtpSession) Mail(from string, opt *smtp.MailOptions) error {
	if t.s.opt.Full() != nil {
		return errNoRoom // before the mail crosses the wire
	}
	t.from, t.size = from, opt.Size
	return nil
}

func (t *lmtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	a, ok := t.s.find(to)
	if !ok {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox here"}
	}
	t.rcpts = append(t.rcpts, recipient{to, a})
	return nil
}

// Data is asked for by the interface; LMTPData takes its place.
func (t *lmtpSession) Data(r io.Reader) error { return t.take(r) }

// LMTPData takes the mail. All recipients get the same answer.
func (t *lmtpSession) LMTPData(r io.Reader, _ smtp.StatusCollector) error { return t.take(r) }

func (t *lmtpSession) take(r io.Reader) error {
	now := t.s.opt.Now()
	var buf bytes.Buffer
	buf.WriteString(t.received(now))
	n, err := buf.ReadFrom(io.LimitReader(r, min(store.LargeMail, t.s.opt.MaxSize+1)))
	if err != nil {
		return err // the client went away, or the library says what is wrong
	}
	var pack *store.Pack
	if n == store.LargeMail {
		free, err := t.s.opt.DB.Large(t.ctx, max(t.size, largeUnknown))
		if err != nil {
			return notStored(err)
		}
		pack = t.s.opt.DB.NewPack()
		defer func() { pack.Drop(); free() }()
		if _, err = buf.WriteTo(pack); err != nil {
			return notStored(err)
		}
		buf = bytes.Buffer{}
		rest, err := io.Copy(pack, io.LimitReader(r, t.s.opt.MaxSize+1-n))
		if _, full := errors.AsType[*fs.PathError](err); full {
			return notStored(err)
		}
		if err != nil {
			return err
		}
		n += rest
		if err := pack.Close(); err != nil {
			return notStored(err)
		}
	}
	if n > t.s.opt.MaxSize {
		return smtp.ErrDataTooLarge
	}
	if t.s.opt.Full() != nil {
		return errNoRoom
	}
	items := t.items(buf.Bytes(), now)
	if pack != nil {
		for i := range items {
			items[i].Data, items[i].Pack, items[i].SHA256 = nil, pack, pack.Sum()
		}
	}
	ctx, cancel := context.WithTimeout(t.ctx, commitTimeout)
	defer cancel()
	added, err := t.s.db.Append(ctx, items, nil)
	if err != nil {
		t.s.opt.Log.Error("lmtp mail not stored", "mailbox", items[0].Mailbox, "size", n, "err", err)
		return notStored(err)
	}
	if added > 0 {
		t.s.opt.Wake()
	}
	return nil
}

// items makes one row for each configured mailbox among the recipients.
func (t *lmtpSession) items(raw []byte, now time.Time) []store.Item {
	var items []store.Item
	from, at := t.from, map[string]int{}
	for _, rcpt := range t.rcpts {
		a := rcpt.to
		i, ok := at[a.Mailbox]
		if !ok {
			i = len(items)
			at[a.Mailbox] = i
			items = append(items, newItem("lmtp:", a, &from, raw, now))
		}
		items[i].Recipients = append(items[i].Recipients, rcpt.address)
	}
	return items
}

// received is the trace field that we put on top (RFC 5321 section 4.4, RFC
// 2033 for the protocol's name): whatever the client wrote stands below it.
func (t *lmtpSession) received(now time.Time) string {
	addr := t.conn.Conn().RemoteAddr().String()
	if host, _, err := net.SplitHostPort(addr); err == nil {
		addr = host
	}
	return fmt.Sprintf("Received: from %s ([%s])\r\n\tby %s with LMTP;\r\n\t%s\r\n",
		traceWord(t.conn.Hostname()), traceWord(addr), traceWord(t.s.opt.Hostname), now.Format(time.RFC1123Z))
}

// traceWord makes s safe within a trace field.
func traceWord(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(".-_:[]", r):
			return r
		}
		return '?'
	}, s)
	if s == "" {
		return "unknown"
	}
	return s[:min(len(s), 255)]
}

// errNoRoom is RFC 5321 section 4.2.3, with RFC 3463's mail system full.
var errNoRoom = &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "storage is full, try again later"}

// notStored tells the MTA to keep the mail. Its text holds no internals.
func notStored(err error) error {
	if diskFull(err) {
		return errNoRoom
	}
	return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "storage is not available, try again later"}
}

// lmtpLog brings the library's complaints into our log.
type lmtpLog struct{ log *slog.Logger }

func (l lmtpLog) Printf(format string, v ...any) {
	l.log.Warn("lmtp session", "err", fmt.Sprintf(format, v...))
}

func (l lmtpLog) Println(v ...any) {
	l.log.Warn("lmtp session", "err", strings.TrimSuffix(fmt.Sprintln(v...), "\n"))
}
