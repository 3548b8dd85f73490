package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"frontdesk/parser"
	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

// WorkerOptions describe the worker of one brand.
type WorkerOptions struct {
	Brand  string
	DB     *store.DB
	Rules  func() tickets.Rules               // read at the start of each pass
	Auth   func(mailbox string) Authenticator // how mail to a mailbox is authenticated
	Parser func() parser.Options              // what is looked for in the brand's mail; read for each mail
	Log    *slog.Logger
	Now    func() time.Time
	Wake   <-chan struct{} // rows were added: look now
	// Lease says whether this node decides for the brand now; nil: it does. What
	// it decides is refused once another has taken over.
	Lease   func() (store.Fence, bool)
	Decided func()              // called after a pass that saved decisions: letters may be waiting
	Took    func(time.Duration) // called for each row that was decided: since it came in

	// Plans say what callers of our numbers hear, by number in E.164: a call is
	// read with the plan that it followed.
	Plans func() map[string]phone.Plan
	// Transcript reports whether a transcript of a recording is to be expected.
	Transcript func(phone.Recording) bool

	// Group is how many rows share a transaction under backlog, default 50.
	Group int
	// Attempts is how often a row is tried before it is quarantined, default 3.
	Attempts int
	// Crashes is how often a row is claimed without an outcome before it is
	// quarantined unread, default 5: it took the process down each time, with
	// others once and then alone. A kill from outside may hit an innocent row in
	// the moment that it is worked on, hardly ever the same one four times.
	Crashes int
	// Claim is how long a claimed row is ours, default one minute.
	Claim time.Duration
	// Poll is how often rows are looked for without a wake, default 5 s.
	Poll time.Duration

	// Parse replaces parser.Parse in tests of poison mail; nil otherwise.
	Parse func([]byte, parser.Options) *parser.Mail
}

// Worker turns the ledger rows of one brand into decisions, in order of arrival.
type Worker struct {
	opt  WorkerOptions
	beat atomic.Int64
	// Counts of decided rows by disposition, for the metrics.
	mu     sync.Mutex
	counts map[tickets.Disposition]int64
	alerts map[string]time.Time // when each alert was logged last

	fence   store.Fence     // of the last pass; it belongs to whoever calls Pass
	failing string          // why the last pass failed, "" when it did not
	owed    []store.Claimed // rows of a pass that failed: they are given back before others are claimed
	next    chan readied    // the group that is read ahead, nil none

	// When mails were first tried whose proof could not be had, by row. A restart
	// forgets it: they wait the longer.
	proof   sync.Mutex
	waiting map[int64]time.Time

	looked time.Time // when what came in lately was last decided before a backlog
}

// NewWorker prepares a worker; it starts nothing.
func NewWorker(opt WorkerOptions) *Worker {
	if opt.Group == 0 {
		opt.Group = 50
	}
	if opt.Attempts == 0 {
		opt.Attempts = 3
	}
	if opt.Crashes == 0 {
		opt.Crashes = 5
	}
	if opt.Claim == 0 {
		opt.Claim = time.Minute
	}
	if opt.Poll == 0 {
		opt.Poll = 5 * time.Second
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Parser == nil {
		opt.Parser = func() parser.Options { return parser.Options{} }
	}
	if opt.Parse == nil {
		opt.Parse = parser.Parse
	}
	if opt.Auth == nil {
		opt.Auth = func(string) Authenticator { return Authenticator{} }
	}
	if opt.Decided == nil {
		opt.Decided = func() {}
	}
	if opt.Took == nil {
		opt.Took = func(time.Duration) {}
	}
	if opt.Plans == nil {
		opt.Plans = func() map[string]phone.Plan { return nil }
	}
	if opt.Lease == nil {
		opt.Lease = func() (store.Fence, bool) { return store.Fence{}, true }
	}
	if opt.Transcript == nil {
		opt.Transcript = func(phone.Recording) bool { return false }
	}
	w := &Worker{opt: opt, counts: map[tickets.Disposition]int64{}, alerts: map[string]time.Time{}, waiting: map[int64]time.Time{}}
	w.beat.Store(time.Now().UnixNano())
	return w
}

// Beat returns when the loop last made progress: the watchdog's question.
func (w *Worker) Beat() time.Time { return time.Unix(0, w.beat.Load()) }

// Counts returns how many rows this worker decided, by disposition.
func (w *Worker) Counts() map[tickets.Disposition]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[tickets.Disposition]int64{}
	for k, v := range w.counts {
		out[k] = v
	}
	return out
}

// Run decides until ctx ends. The group in hand is finished first.
func (w *Worker) Run(ctx context.Context) error {
	tick := time.NewTicker(w.opt.Poll)
	defer tick.Stop()
	defer w.leave(ctx)
	for {
		n, err := w.Pass(ctx)
		w.beat.Store(time.Now().UnixNano())
		switch {
		case ctx.Err() != nil:
			return nil
		case w.fails(err):
		case n > 0:
			continue // there may be more: suspects are claimed one by one
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.opt.Wake:
		case <-tick.C:
		}
	}
}

// leave gives back what was not begun, so that whoever decides next need not
// wait for claims to run out.
func (w *Worker) leave(ctx context.Context) {
	w.letGo()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := w.giveBack(ctx); err != nil {
		w.opt.Log.Warn("claims not given back", "brand", w.opt.Brand, "err", err)
	}
}

// fails logs that passes fail, and that they do no more, once each: a full disk
// lasts for hours. It belongs to Run's goroutine.
func (w *Worker) fails(err error) bool {
	switch {
	case err == nil && w.failing != "":
		w.opt.Log.Info("decides again", "brand", w.opt.Brand)
		w.failing = ""
	case err != nil && w.failing != err.Error():
		w.opt.Log.Error("decide", "brand", w.opt.Brand, "err", err)
		w.failing = err.Error()
	}
	return err != nil
}

// Pass decides one group of rows and returns how many it claimed. Without the
// lease it does nothing.
func (w *Worker) Pass(ctx context.Context) (int, error) {
	fence, has := w.opt.Lease()
	if !has || fence != w.fence {
		w.letGo()
	}
	if !has {
		return 0, nil
	}
	if fence != w.fence {
		if err := w.opt.DB.TakeOver(ctx, w.opt.Brand); err != nil {
			return 0, err
		}
		w.fence = fence
	}
	n, err := w.group(store.Fenced(ctx, fence))
	if errors.Is(err, store.ErrLost) { // frozen, or cut off: the rows are the other node's now
		w.opt.Log.Info("brand decided by somebody else", "brand", w.opt.Brand)
		return 0, nil
	}
	return n, err
}

// group is a pass under the lease.
func (w *Worker) group(ctx context.Context) (int, error) {
	now := w.opt.Now()
	if err := w.giveBack(ctx); err != nil {
		return 0, err
	}
	g := w.take(ctx, now)
	if g.err != nil || len(g.rows) == 0 {
		return 0, g.err
	}
	ctx = context.WithoutCancel(ctx)
	if w.behind(g.rows, now) {
		if err := w.ahead(ctx, now); err != nil {
			w.owed = append(w.owed, g.rows...)
			return 0, err
		}
	}
	if len(g.rows) == w.opt.Group {
		w.readAhead(ctx)
	}
	err := w.settle(ctx, g, now)
	if err != nil {
		w.letGo()
	}
	return len(g.rows), err
}

// What came in lately is decided beside a backlog, not after it: after an outage
// of days, who writes now is answered now. The backlog itself goes in order of
// arrival.
const (
	late       = 10 * time.Minute // a full group whose first row is older is a backlog
	aheadEvery = time.Second
)

func (w *Worker) behind(rows []store.Claimed, now time.Time) bool {
	if len(rows) < w.opt.Group/2 || now.Sub(rows[0].Received) < late || time.Since(w.looked) < aheadEvery {
		return false
	}
	w.looked = time.Now()
	return true
}

// ahead decides what came in lately.
func (w *Worker) ahead(ctx context.Context, now time.Time) error {
	rows, err := w.opt.DB.ClaimFresh(ctx, w.opt.Brand, w.opt.Group, now.Add(-late), now, now.Add(w.opt.Claim))
	if err != nil || len(rows) == 0 {
		return err
	}
	return w.settle(ctx, readied{rows: rows, contacts: w.understandAll(ctx, rows)}, now)
}

// settle decides a group.
func (w *Worker) settle(ctx context.Context, g readied, now time.Time) error {
	rules := w.opt.Rules()
	g, waiting := readable(g)
	if len(waiting) > 0 {
		for _, c := range waiting {
			w.opt.Log.Warn("mail waits: its bytes cannot be read", "brand", w.opt.Brand, "source", c.Key)
		}
		if err := w.opt.DB.PutOffLedger(ctx, waiting, now.Add(blobPause)); err != nil {
			w.owed = append(append(w.owed, g.rows...), waiting...)
			return err
		}
	}
	open, err := w.openTickets(ctx, g.contacts, rules)
	if err != nil {
		w.owed = append(w.owed, g.rows...)
		return err
	}
	for rest := g.contacts; len(rest) > 0; {
		done, err := w.together(ctx, rest, rules, open)
		if err != nil {
			w.owed = append(w.owed, g.rows[len(g.rows)-len(rest):]...)
			return fmt.Errorf("decide %d rows of %s: %w", len(rest), w.opt.Brand, err)
		}
		w.report(done, now)
		w.opt.Decided()
		rest = rest[len(done):]
	}
	return nil
}

// blobPause is how long a row waits whose bytes cannot be had.
const blobPause = time.Minute

// readable leaves out the rows whose bytes are outside of the database and cannot
// be had now: they wait, and the others do not wait for them.
func readable(g readied) (left readied, waiting []store.Claimed) {
	left, left.rows, left.contacts = g, nil, nil
	for _, c := range g.contacts {
		if errors.Is(c.err, store.ErrBlobs) {
			waiting = append(waiting, c.row)
			continue
		}
		left.rows, left.contacts = append(left.rows, c.row), append(left.contacts, c)
	}
	return left, waiting
}

// giveBack returns the rows of a pass that failed with the database. A full disk
// that took claims and no decisions would otherwise count them as attempts, until
// every row were poison.
func (w *Worker) giveBack(ctx context.Context) error {
	if len(w.owed) == 0 {
		return nil
	}
	if err := w.opt.DB.ReturnLedger(ctx, w.owed); err != nil {
		return err
	}
	w.owed = nil
	return nil
}

// slice is how long decisions share a transaction. Whoever else writes waits for
// its end: a webhook that comes within a burst is to be answered soon.
const slice = 40 * time.Millisecond

// together decides the first of the contacts in one transaction: all, or as many
// as a slice of time allows.
func (w *Worker) together(ctx context.Context, contacts []contact, rules tickets.Rules, open []tickets.Ticket) (done []decided, err error) {
	err = w.opt.DB.Decide(ctx, w.opt.Brand, func(tx *store.Tx) error {
		done = done[:0] // the store may run this again after a conflict
		for i, began := 0, time.Now(); i < len(contacts) && (i == 0 || time.Since(began) < slice); i++ {
			d, err := w.decide(ctx, tx, &contacts[i], rules, open)
			if errors.Is(err, errDatabase) {
				return err
			}
			done = append(done, d)
		}
		return nil
	})
	return done, err
}

// contact is a row with what it was understood to be.
type contact struct {
	row store.Claimed
	in  tickets.Inbound
	err error // it could not be understood

	unfetched string          // why the server would not hand it out, "" when it did
	heard     *heard          // of a row that came by telephone
	held      *tickets.Change // what becomes of it without asking: nil for nearly all
}

type decided struct {
	contact *contact
	change  tickets.Change
	saved   store.Saved
	err     error
}

// claimed renews the claims while f works: a group of mails whose keys a slow
// name server is asked for takes longer than a claim lasts, and another node
// would begin it, too. It stops before the decision, which locks the rows.
func (w *Worker) claimed(ctx context.Context, rows []store.Claimed, f func() []contact) []contact {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(w.opt.Claim / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			err := w.opt.DB.RenewLedger(ctx, rows, w.opt.Now().Add(w.opt.Claim))
			if err != nil && ctx.Err() == nil {
				w.opt.Log.Warn("claims not renewed", "brand", w.opt.Brand, "err", err)
			}
		}
	})
	defer wg.Wait()
	defer cancel()
	return f()
}

// parallel is how many mails are parsed at the same time.
const parallel = 4

// understandAll parses and authenticates a group, outside any transaction, while
// the claims on it are renewed.
func (w *Worker) understandAll(ctx context.Context, rows []store.Claimed) []contact {
	rules := w.opt.Rules()
	return w.claimed(ctx, rows, func() []contact { return w.understand(ctx, rows, rules) })
}

func (w *Worker) understand(ctx context.Context, rows []store.Claimed, rules tickets.Rules) []contact {
	out := make([]contact, len(rows))
	var wg sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i, row := range rows {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			out[i] = w.understandOne(ctx, row, rules)
		})
	}
	wg.Wait()
	return out
}

// largeFile is the size above which the content of an attachment is hashed and
// not kept.
const largeFile = 256 << 10

func (w *Worker) understandOne(ctx context.Context, row store.Claimed, rules tickets.Rules) (c contact) {
	c.row = row
	defer func() {
		if p := recover(); p != nil {
			c.err = fmt.Errorf("panic: %v", p)
		}
	}()
	if row.Attempts >= w.opt.Crashes {
		c.err = fmt.Errorf("the program ended %d times while it was handled", row.Attempts)
		return c
	}
	passed := func() {}
	if row.Data == nil && row.Size > 0 { // large, or outside of the database
		free, err := w.opt.DB.Large(ctx, row.Size)
		if err != nil {
			c.err = err
			return c
		}
		defer free()
		mail, err := w.opt.DB.Open(ctx, row.ID)
		if err != nil {
			c.err = err
			return c
		}
		defer mail.Close()
		// A disk that cannot be read is an error of this mail, not the end.
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		row.Data, passed = mail.Data, mail.Passed
	}
	if row.Channel == tickets.ChannelWeb {
		c.in, c.err = pressed(row)
		return c
	}
	if ofPhone(row.Channel) {
		c.heard, c.held, c.err = hear(row, rules)
		return c
	}
	if why, ok := unfetched(row.Data); ok {
		c.unfetched = why
		return c
	}
	opt := w.opt.Parser()
	opt.Large, opt.Passed = largeFile, passed
	m := w.opt.Parse(row.Data, opt)
	authenticator := w.opt.Auth(row.Mailbox)
	authenticator.Passed = passed
	auth := authenticator.Authenticate(ctx, m, row.Data)
	c.in = inbound(row, m, auth, rules)
	c.in.Tried = w.tried(row.ID, auth.Later)
	c.in.Sorted = tickets.SortAhead(c.in, rules)
	return c
}

// tried returns when a mail that is to wait for its proof was tried first.
func (w *Worker) tried(row int64, later bool) time.Time {
	w.proof.Lock()
	defer w.proof.Unlock()
	if !later {
		delete(w.waiting, row)
		return time.Time{}
	}
	now := w.opt.Now()
	first, ok := w.waiting[row]
	if !ok || first.After(now) {
		first = now
		maps.DeleteFunc(w.waiting, func(_ int64, at time.Time) bool { return now.Sub(at) > 2*time.Hour })
		w.waiting[row] = first
	}
	return first
}

// openTickets reads the queue once for a group that asks for it with #list.
func (w *Worker) openTickets(ctx context.Context, contacts []contact, rules tickets.Rules) ([]tickets.Ticket, error) {
	asked := slices.ContainsFunc(contacts, func(c contact) bool {
		return slices.ContainsFunc(c.in.Commands, func(s string) bool { return len(s) >= 5 && s[:5] == "#list" })
	})
	if !asked {
		return nil, nil
	}
	open, err := w.opt.DB.Tickets(ctx, store.TicketQuery{Brand: w.opt.Brand, Order: rules.Order, Limit: 100})
	return tickets.QueueOrder(open, rules), err
}

// errDatabase marks a failure of the database itself, which ends the group.
var errDatabase = errors.New("database")

// decide settles one row under a savepoint: one bad mail spoils no other.
func (w *Worker) decide(ctx context.Context, tx *store.Tx, c *contact, rules tickets.Rules, open []tickets.Ticket) (d decided, err error) {
	d.contact = c
	now := w.opt.Now()
	wrong := c.err // of this run only: the store may run the decision again
	if wrong == nil {
		wrong = tx.Try(ctx, func() error {
			in, err := c.in, error(nil)
			if c.heard != nil {
				if in, err = w.inContact(ctx, tx, c, rules); err != nil {
					return err
				}
			}
			switch {
			case c.held != nil:
				d.change = *c.held
			case c.unfetched != "":
				d.change = notFetched(c, w.opt.Brand)
			default:
				found, err := tx.Find(ctx, in.Keys(rules))
				if err != nil {
					return err
				}
				found.Open = open
				d.change = tickets.Receive(found, in, rules, now)
			}
			ctx := ctx
			if c.heard != nil { // what no webhook brought is a row since today, of a call of yesterday
				ctx = store.Caused(ctx, in.Date)
			}
			d.saved, err = tx.SaveClaimed(ctx, c.row, in.From.Address, in.Subject, d.change, now)
			return err
		})
	}
	if diskFull(wrong) {
		return d, errors.Join(errDatabase, wrong) // says nothing about the mail
	}
	if wrong == nil || errors.Is(wrong, store.ErrLost) || c.row.Attempts+1 < w.opt.Attempts {
		d.err = wrong
		return d, nil
	}
	d.change = poison(c, wrong, w.opt.Brand)
	err = tx.Try(ctx, func() (err error) {
		d.saved, err = tx.SaveClaimed(ctx, c.row, c.in.From.Address, c.in.Subject, d.change, now)
		return err
	})
	switch {
	case errors.Is(err, store.ErrLost):
		d.err = err
	case err != nil:
		return d, errors.Join(errDatabase, err)
	}
	return d, nil
}

// poison is what becomes of a row that could not be decided.
func poison(c *contact, wrong error, brand string) tickets.Change {
	return tickets.Change{
		Brand: brand, Disposition: tickets.DisposeQuarantined, Reason: "poison",
		Detail: fmt.Sprintf("could not be handled: %v", wrong),
		Trace:  []tickets.Step{{Rule: "I3", Value: fmt.Sprintf("%d attempts", c.row.Attempts+1), Verdict: "quarantined: " + wrong.Error()}},
	}
}

// notFetched is what becomes of a mail that the IMAP server lists and does not
// hand out.
func notFetched(c *contact, brand string) tickets.Change {
	return tickets.Change{
		Brand: brand, Disposition: tickets.DisposeQuarantined, Reason: "unfetched",
		Detail: "the IMAP server does not hand it out: " + c.unfetched,
		Trace:  []tickets.Step{{Rule: "I3", Value: c.row.Key, Verdict: "quarantined: not fetched: " + c.unfetched}},
	}
}

// report logs what was decided, one line a row.
func (w *Worker) report(done []decided, now time.Time) {
	for _, d := range done {
		if errors.Is(d.err, store.ErrLost) {
			w.opt.Log.Info("decided by somebody else", "source", d.contact.row.Key)
			continue
		}
		if d.err != nil {
			w.opt.Log.Warn("undecided, tried again later", "source", d.contact.row.Key, "attempt", d.contact.row.Attempts+1, "err", d.err)
			continue
		}
		if !d.change.Defer.IsZero() {
			w.opt.Log.Debug("waits", "source", d.contact.row.Key, "due", d.change.Defer.UTC().Format(time.RFC3339))
			continue
		}
		w.mu.Lock()
		w.counts[d.change.Disposition]++
		w.mu.Unlock()
		w.opt.Took(now.Sub(d.contact.row.Received))
		keys := []any{"source", d.contact.row.Key, "mailbox", d.contact.row.Mailbox, "outcome", d.change.Disposition, "took", now.Sub(d.contact.row.Received).Round(time.Millisecond)}
		if i := slices.IndexFunc(d.saved.Tickets, func(n int64) bool { return n != 0 }); i >= 0 {
			keys = append(keys, "ticket", d.saved.Tickets[i])
		}
		if d.change.Reason != "" {
			keys = append(keys, "reason", d.change.Reason)
		}
		level := slog.LevelInfo
		if d.change.Disposition == tickets.DisposeQuarantined {
			level = slog.LevelWarn
		}
		w.opt.Log.Log(context.Background(), level, "decided", keys...)
		w.alert(d.change.Alerts, now)
	}
}

// alert logs what concerns the operator, each at most once an hour.
func (w *Worker) alert(alerts []string, now time.Time) {
	for _, a := range alerts {
		if last, ok := w.alerts[a]; ok && now.Sub(last) < time.Hour {
			continue
		}
		w.alerts[a] = now
		w.opt.Log.Warn("limit reached", "brand", w.opt.Brand, "reason", a)
	}
}
