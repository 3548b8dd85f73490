package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"frontdesk/oauth"
	"frontdesk/store"
)

// MailboxOptions describe one IMAP folder to read.
type MailboxOptions struct {
	Brand, Address, Queue string // Address is the configured mailbox
	Host                  string
	Port                  int
	TLS                   string // "none", "starttls", "implicit"
	Username, Password    string
	Mechanism             string         // oauth.XOAUTH2 or oauth.OAuthBearer with Tokens
	Tokens                *oauth.Account // logs in with tokens instead of Password; nil: none
	CAFile                string         // PEM file of roots; "" the system's
	Folder                string         // default INBOX
	ProcessedFolder       string         // move there after the commit; "" leave
	MarkSeen              bool           // set \Seen after the commit
	Poll                  time.Duration  // default 60 s; IDLE or not, a pass at least this often
	Command               time.Duration  // longest silence of the server within one command, default 60 s
	MaxSize               int64          // default 50 MB; of larger mails the row holds the first part only (see fetch.go)

	DB   *store.DB
	Log  *slog.Logger     // nil: nothing is logged
	Now  func() time.Time // nil: time.Now
	Wake func()           // called after rows were committed; nil: nobody is
	Full func() error     // says why nothing may come in now: the folder is left as it is; nil: never
}

// ledger is what intake needs of the store; tests fail it on purpose.
type ledger interface {
	Append(ctx context.Context, items []store.Item, cursor *store.Cursor) (added int, err error)
	Cursor(ctx context.Context, mailbox, folder string) (store.Cursor, error)
	SetCursor(ctx context.Context, c store.Cursor) error
	Known(ctx context.Context, mailbox, folder string, sums [][32]byte) (map[[32]byte]int, error)
	LedgerUIDs(ctx context.Context, mailbox, folder string, uidvalidity, low uint32) (map[uint32]bool, error)
	Tally(ctx context.Context, mailbox string) (store.Tally, error)
}

// Mailbox reads one IMAP folder into the ledger, for ever.
//
// The cursor (UIDVALIDITY and UID, in the store) says how far the folder was
// read; flags and folders on the server say nothing, so people may read, flag
// and move mail in the same folder. A pass asks for the UIDs above the cursor
// and, on each connection and poll, for the tail below it: a UID that became
// visible late is found there. Rows and cursor are committed together, and only
// then is a mail marked or moved.
type Mailbox struct {
	opt MailboxOptions
	db  ledger

	beat atomic.Int64 // unix nanoseconds
	down atomic.Int64 // since when it cannot be read, unix nanoseconds; 0 it can

	pass    sync.Mutex          // held during a pass: guards what follows
	fails   map[uint32]*failure // UIDs of uidvalidity that could not be fetched
	matched map[uint32]bool     // UIDs of uidvalidity whose mail has a row under an older one
	unset   map[uint32]bool     // UIDs whose mark or move is still to be made
	markErr string              // why marking failed last, "" when it did not
	valid   uint32              // UIDVALIDITY that the maps are about
	checked bool                // marks that a crash left out were looked for

	// Tests shorten these.
	backoff   func(n int) time.Duration // before try n+1, n from 1
	giveUp    int                       // failures of one UID before it is recorded as it is
	giveUpAge time.Duration             // and how long ago the first one was, at least
}

// failure counts how often one UID could not be fetched.
type failure struct {
	n           int
	first, next time.Time
	err         error
}

const (
	tailWindow = 200             // UIDs below the cursor that are looked at again
	idleLimit  = 9 * time.Minute // RFC 2177 says 29; some servers drop at 10
	beatEvery  = 10 * time.Second
)

// NewMailbox prepares a mailbox; it starts nothing.
func NewMailbox(opt MailboxOptions) *Mailbox {
	if opt.Folder == "" {
		opt.Folder = "INBOX"
	}
	if opt.Poll <= 0 {
		opt.Poll = time.Minute
	}
	if opt.Command <= 0 {
		opt.Command = time.Minute
	}
	if opt.MaxSize <= 0 {
		opt.MaxSize = 50 << 20
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	opt.Log = opt.Log.With("mailbox", opt.Address, "folder", opt.Folder)
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Full == nil {
		opt.Full = neverFull
	}
	if opt.Wake == nil {
		opt.Wake = func() {}
	}
	m := &Mailbox{opt: opt, db: opt.DB, backoff: backoff, giveUp: 5, giveUpAge: time.Hour}
	m.alive()
	return m
}

// backoff is 1 s doubling to 5 min, up to a fifth less or more: many mailboxes
// on one server must not come back in step.
func backoff(n int) time.Duration {
	d := 5 * time.Minute
	if n < 10 {
		d = min(d, time.Second<<(max(n, 1)-1))
	}
	return d*4/5 + rand.N(d*2/5+1) // #nosec G404 -- a pause, not a secret
}

// failedTries is how many tries in a row came to nothing, after a session that
// worked (well) or not. One that worked is no failure, however short: a server
// that drops its clients every few seconds would else end up being read every
// five minutes. It is not stormed with logins either.
func failedTries(n int, well bool, lasted time.Duration) int {
	switch {
	case well && lasted > 30*time.Second:
		return 0
	case well:
		return min(n, 2)
	}
	return n
}

// Run reads until ctx ends, and returns when its goroutines have ended. What
// fails meanwhile is logged, kept in the cursor row and tried again; the error
// is always nil.
func (m *Mailbox) Run(ctx context.Context) error {
	var out outage
	for n := 0; ctx.Err() == nil; {
		began := time.Now()
		well, err := m.session(ctx, &out)
		if ctx.Err() != nil {
			break
		}
		n = failedTries(n, well, time.Since(began)) + 1
		wait := m.backoff(n)
		m.failed(ctx, &out, well, err, wait)
		m.sleep(ctx, wait)
	}
	return nil
}

// session connects and reads until the connection or ctx ends. well says that
// at least one pass succeeded; err is why it ended.
func (m *Mailbox) session(ctx context.Context, out *outage) (well bool, err error) {
	s, err := m.open(ctx)
	if err != nil {
		return false, err
	}
	defer s.close()
	for tail := true; ; {
		if _, err := m.once(ctx, s, tail); err != nil {
			return well, err
		}
		well = true
		m.recovered(out)
		due, err := s.wait(ctx)
		if err != nil || ctx.Err() != nil {
			return well, err
		}
		tail = due
	}
}

// Poll makes one pass now, over its own connection, and returns how many rows
// it added. It may be called while Run runs.
func (m *Mailbox) Poll(ctx context.Context) (int, error) {
	s, err := m.open(ctx)
	if err != nil {
		return 0, err
	}
	defer s.close()
	return m.once(ctx, s, true)
}

// Reach connects, logs in, selects the folder and leaves again: whether it could
// be read from here.
func (m *Mailbox) Reach(ctx context.Context) error {
	s, err := m.open(ctx)
	if err == nil {
		s.close()
	}
	return err
}

// Down is how long the folder could not be read while Run runs, by the
// machine's clock; 0 when it can.
func (m *Mailbox) Down() time.Duration {
	since := m.down.Load()
	if since == 0 {
		return 0
	}
	return time.Since(time.Unix(0, since))
}

// Beat returns when the loop last made progress: the watchdog's question.
func (m *Mailbox) Beat() time.Time { return time.Unix(0, m.beat.Load()) }

func (m *Mailbox) alive() { m.beat.Store(time.Now().UnixNano()) }

// sleep waits d or until ctx ends, and shows life meanwhile.
func (m *Mailbox) sleep(ctx context.Context, d time.Duration) {
	end := time.NewTimer(d)
	defer end.Stop()
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		m.alive()
		select {
		case <-ctx.Done():
			return
		case <-end.C:
			return
		case <-tick.C:
		}
	}
}

// outage remembers what was said about a mailbox that cannot be read.
type outage struct {
	since time.Time // zero: none
	text  string
}

// failed notes why a session ended. A session that had worked may end at any
// time (a server restarts, drops idle clients): it is an outage only when the
// next one does not come about.
func (m *Mailbox) failed(ctx context.Context, out *outage, well bool, err error, wait time.Duration) {
	if err == nil {
		err = errors.New("the server ended the connection")
	}
	if well {
		m.opt.Log.Debug("imap connection ended", "err", err)
		return
	}
	if out.since.IsZero() {
		m.down.Store(time.Now().UnixNano())
		out.since = m.opt.Now()
		m.opt.Log.Warn("mailbox not read", "err", err, "retry", wait.Round(time.Second))
	}
	if text := err.Error(); text != out.text {
		out.text = text
		m.keepError(ctx, text)
	}
}

// recovered ends an outage.
func (m *Mailbox) recovered(out *outage) {
	m.down.Store(0)
	if out.since.IsZero() {
		return
	}
	m.opt.Log.Info("mailbox read again", "took", m.opt.Now().Sub(out.since).Round(time.Second))
	*out = outage{}
}

// keepError writes what is wrong into the cursor row, where the commands see it.
func (m *Mailbox) keepError(ctx context.Context, text string) {
	c, err := m.db.Cursor(ctx, m.opt.Address, m.opt.Folder)
	if err == nil {
		c.Mailbox, c.Folder, c.Error = m.opt.Address, m.opt.Folder, text
		err = m.db.SetCursor(ctx, c)
	}
	if err != nil && ctx.Err() == nil {
		m.opt.Log.Warn("mailbox error not kept", "err", err)
	}
}

// once makes one pass over s: what is new becomes rows. tail: look at the
// UIDs below the cursor, too.
func (m *Mailbox) once(ctx context.Context, s *session, tail bool) (added int, err error) {
	m.pass.Lock()
	defer m.pass.Unlock()
	if err := m.opt.Full(); err != nil {
		m.opt.Log.Debug("mailbox left alone", "err", err)
		m.alive()
		return 0, nil
	}
	cur, err := m.db.Cursor(ctx, m.opt.Address, m.opt.Folder)
	if err != nil {
		return 0, fmt.Errorf("read cursor of %s %s: %w", m.opt.Address, m.opt.Folder, err)
	}
	cur.Mailbox, cur.Folder = m.opt.Address, m.opt.Folder
	if m.valid != s.uidvalidity {
		m.fails, m.matched, m.unset = map[uint32]*failure{}, map[uint32]bool{}, map[uint32]bool{}
		m.valid, m.checked = s.uidvalidity, false
	}
	p := pass{session: s, cur: cur, stored: cur.UID}
	switch {
	case cur.UIDValidity == 0: // never read
		p.cur.UIDValidity, p.cur.UID = s.uidvalidity, 0
		err = p.run(ctx, false)
	case cur.UIDValidity != s.uidvalidity, s.wentBack(cur):
		err = p.rescan(ctx)
	default:
		err = p.run(ctx, tail)
	}
	s.uidnext = 0 // said at SELECT, true for the first pass only
	if err != nil {
		return p.added, err
	}
	m.repairMarks(ctx, s)
	m.alive()
	return p.added, p.polled(ctx)
}

// polled keeps the time of an uneventful pass, seldom enough not to cost a
// disk write each time.
func (p *pass) polled(ctx context.Context) error {
	now := p.m.opt.Now()
	if p.cur.UID == p.stored && p.cur.Error == "" && p.cur.Polled.Add(p.m.opt.Poll/2).After(now) {
		return nil
	}
	p.cur.Error, p.cur.Polled = "", now
	if err := p.m.db.SetCursor(ctx, p.cur); err != nil {
		return fmt.Errorf("keep poll time of %s: %w", p.m.opt.Address, err)
	}
	return nil
}
