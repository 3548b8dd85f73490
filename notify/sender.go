package notify

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// outbox is what the sender asks of the store; *store.DB is one.
type outbox interface {
	ClaimLetters(ctx context.Context, c store.LetterClaim) ([]store.Outgoing, error)
	NextLetter(ctx context.Context) (time.Time, error)
	LettersWait(ctx context.Context, mailbox string) (bool, error)
	MarkDot(ctx context.Context, id, epoch int64, r *store.Rendering, now time.Time) error
	Mark(ctx context.Context, results []store.Result) (lost int, err error)
	NoteSent(r store.Result) bool
	LetterIDs(ctx context.Context, ticket int64, to string) ([]string, error)
	LetterTickets(ctx context.Context, ids []int64, whole bool) (map[int64]*tickets.Ticket, error)
	Message(ctx context.Context, id int64) (tickets.Message, error)

	// Of texts and calls.
	LetterByID(ctx context.Context, id int64) (tickets.Letter, store.LetterInfo, []byte, error)
	SetLetter(ctx context.Context, id int64, state, by string, now time.Time) error
	SentTexts(ctx context.Context, to string, since time.Time) ([]string, error)
	SpentOn(ctx context.Context, day string) (store.Spent, error)
	Stopped(ctx context.Context, address, line string) (bool, error)
	Spend(ctx context.Context, day string, more, limit store.Spent) (bool, error)
}

const (
	pollEvery  = 5 * time.Second
	claimLease = 10 * time.Minute
	leaseRest  = 30 * time.Second // kept back of a lease: no wait for a server goes into it
	chunk      = 32               // letters of one claim
	claimFew   = 4                // so many letters in one claim, and more are being written:
	claimRest  = 40 * time.Millisecond
	laneRoom   = 2 * chunk        // claimed letters a mailbox holds at most
	storeLimit = 15 * time.Second // for one call of the store
	stopGrace  = 20 * time.Second // for the letters in hand when the desk is stopped
	markGroup  = 100              // results of one Mark
	markWait   = 100 * time.Millisecond
	noRoute    = 10 * time.Minute // until a letter of a mailbox that is configured no more is looked at again
)

// Sender is the loop that empties the outbox.
type Sender struct {
	opt       Options
	db        outbox
	dial      dialer
	templates atomic.Pointer[Templates]
	log       *slog.Logger
	lease     time.Duration
	exchange  *exchange
	hand      hand

	lanes   map[string]*lane // by mailbox; only the loop touches the map
	work    sync.WaitGroup   // the lanes' workers
	news    chan struct{}    // a lane has room again, or its server is back
	results chan outcome     // to the marker
	beat    atomic.Int64
	more    atomic.Bool // the last claim was full: there is a backlog
	rest    time.Time   // calls wait until then; of the loop
	counts  counters

	sick     sync.Mutex
	troubles map[string]Trouble // by mailbox
}

// Stats counts what became of letters since New.
type Stats struct {
	Sent     int64 // accepted by an SMTP server
	Deferred int64 // put off: 4xx, connection lost
	Failed   int64 // refused for good, or too old
	Held     int64 // in doubt, with InDoubt hold
	Doubts   int64 // final dot sent, answer not seen
	Resent   int64 // sent again after doubt: a second copy is possible
	Lost     int64 // claims that somebody else had taken
	Dialled  int64 // connections opened
}

type counters struct {
	sent, deferred, failed, held, doubts, resent, lost, dialled atomic.Int64
}

// New prepares a sender; it starts nothing. The error joins what is wrong with
// the templates of Options.LettersDir.
func New(opt Options) (*Sender, error) {
	return newSender(opt, opt.DB)
}

func newSender(opt Options, db outbox) (*Sender, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.InDoubt == "" {
		opt.InDoubt = "resend"
	}
	if opt.InDoubt != "resend" && opt.InDoubt != "hold" {
		return nil, fmt.Errorf("in doubt %q: not resend nor hold", opt.InDoubt)
	}
	if opt.Expire == 0 {
		opt.Expire = 5 * 24 * time.Hour
	}
	if opt.Connections <= 0 {
		opt.Connections = 2
	}
	s := &Sender{
		opt: opt, db: db, log: opt.Log, lease: claimLease, exchange: newExchange(),
		dial:  (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext,
		lanes: map[string]*lane{}, troubles: map[string]Trouble{},
		news:    make(chan struct{}, 1),
		results: make(chan outcome, markGroup),
	}
	s.beat.Store(time.Now().UnixNano())
	return s, s.Reload()
}

// Reload reads the templates again. When one is broken the old ones stay.
func (s *Sender) Reload() error {
	t, err := LoadTemplates(s.opt.LettersDir)
	if err != nil {
		return err
	}
	s.templates.Store(t)
	return nil
}

// Beat returns when the loop last made progress: the watchdog's question.
func (s *Sender) Beat() time.Time { return time.Unix(0, s.beat.Load()) }

// Stats returns the counters.
func (s *Sender) Stats() Stats {
	c := &s.counts
	return Stats{c.sent.Load(), c.deferred.Load(), c.failed.Load(), c.held.Load(), c.doubts.Load(),
		c.resent.Load(), c.lost.Load(), c.dialled.Load()}
}

// Run sends letters until ctx ends, and returns when its goroutines have ended.
// The letters in hand are finished first, for at most 20 seconds; those that
// were claimed and not begun are given back. It may be called once.
func (s *Sender) Run(ctx context.Context) error {
	var marking sync.WaitGroup
	marking.Go(func() { s.marker(ctx) })
	s.loop(ctx)
	s.work.Wait()
	for _, l := range s.lanes {
		s.giveBack(l.drain())
	}
	close(s.results)
	marking.Wait()
	return nil
}

// loop claims letters and hands them to the lanes.
func (s *Sender) loop(ctx context.Context) {
	wake := s.opt.Wake
	timer := time.NewTimer(0)
	defer timer.Stop()
	look := true // claim without asking first whether anything is due
	failing := ""
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-wake:
			if !ok {
				wake = nil
			}
			look = true
			if rest := time.Until(s.rest); rest > 0 {
				timer.Reset(rest)
				continue
			}
		case <-s.news:
			look = true
		case <-timer.C:
		}
		wait, err := s.pass(ctx, look)
		switch {
		case err == nil && failing != "":
			s.log.Info("outbox readable again")
			failing = ""
		case err != nil && ctx.Err() == nil && failing != err.Error():
			s.log.Warn("outbox not readable", "err", err)
			failing = err.Error() // told once: a full disk lasts for hours
		}
		look = wait == 0
		s.beat.Store(time.Now().UnixNano())
		timer.Reset(wait)
	}
}

// desk is the configuration as one pass read it.
type desk struct {
	rules  tickets.Rules
	brands map[string]Brand
	routes map[string]Route // by normal address
	lines  map[string]Line  // by normal address
}

// leaves lists everything that letters leave from: mailboxes and lines.
func (d *desk) leaves() []string {
	return append(slices.Sorted(maps.Keys(d.routes)), slices.Sorted(maps.Keys(d.lines))...)
}

func (d *desk) has(mailbox string) bool {
	_, route := d.routes[mailbox]
	_, line := d.lines[mailbox]
	return route || line
}

// pass claims once what the lanes can take, and returns how long the loop may
// wait when nobody calls: 0 when there is more to claim right now.
func (s *Sender) pass(ctx context.Context, look bool) (time.Duration, error) {
	wait := pollEvery
	d := &desk{rules: s.opt.Rules(), brands: s.opt.Brands(), routes: map[string]Route{}, lines: map[string]Line{}}
	for mailbox, r := range s.opt.Routes() {
		d.routes[tickets.NormalAddress(mailbox)] = r
	}
	if s.opt.Phone != nil {
		for line, l := range s.opt.Phone.Lines() {
			d.lines[tickets.NormalAddress(line)] = l
		}
	}
	ready, probes, down := s.sortLanes(d)
	for _, at := range down {
		wait = min(wait, max(time.Until(at), 10*time.Millisecond))
	}
	if err := s.probeEmpty(ctx, d, probes); err != nil {
		return wait, err
	}
	if !look {
		next, err := s.next(ctx)
		if err != nil {
			return wait, err
		}
		until := next.Sub(s.opt.Now())
		if next.IsZero() || until > 0 {
			if !next.IsZero() {
				wait = min(wait, until)
			}
			return wait, nil
		}
	}
	for _, mailbox := range probes {
		if _, err := s.claim(ctx, d, []string{mailbox}, 1); err != nil {
			return wait, err
		}
	}
	if len(ready) == 0 {
		return wait, nil
	}
	if len(ready) == len(d.routes)+len(d.lines) {
		ready = nil // all, also letters of mailboxes that are configured no more
	}
	n, err := s.claim(ctx, d, ready, chunk)
	// A claim that left lanes out says nothing about theirs.
	s.more.Store(n == chunk || ready != nil && s.more.Load())
	switch {
	case err == nil && n == chunk:
		wait = 0
	case n >= claimFew:
		s.rest = time.Now().Add(claimRest)
	}
	return wait, err
}

// probeEmpty looks after servers that are away and have no letter by which to see
// whether they are back: it was dropped, or is too old. Their trouble would be told
// for ever.
func (s *Sender) probeEmpty(ctx context.Context, d *desk, probes []string) error {
	for _, mailbox := range probes {
		call, cancel := context.WithTimeout(ctx, storeLimit)
		wait, err := s.db.LettersWait(call, mailbox)
		cancel()
		if err != nil {
			return err
		}
		if !wait {
			s.lanes[mailbox].probeEmpty(ctx, d)
		}
	}
	return nil
}

func (s *Sender) next(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	return s.db.NextLetter(ctx)
}

// sortLanes makes the lanes that the routes want and tells those that can take
// a chunk, those whose server is tried again with one letter, and when others
// will be.
func (s *Sender) sortLanes(d *desk) (ready, probes []string, down []time.Time) {
	for _, mailbox := range d.leaves() {
		l, ok := s.lanes[mailbox]
		if !ok {
			l = newLane(s, mailbox)
			s.lanes[mailbox] = l
		}
		switch state, at := l.state(); state {
		case laneReady:
			ready = append(ready, mailbox)
		case laneProbe:
			probes = append(probes, mailbox)
		case laneDown:
			down = append(down, at)
		}
	}
	for mailbox, l := range s.lanes {
		if !d.has(mailbox) && l.ended() {
			delete(s.lanes, mailbox)
		}
	}
	return ready, probes, down
}

// claim claims up to limit letters and hands them to their lanes.
func (s *Sender) claim(ctx context.Context, d *desk, mailboxes []string, limit int) (int, error) {
	machine := time.Now() // before the other: a claim must not end later by the timer
	now := s.opt.Now()
	// A stop does not end a claim halfway: the database may have stored it, and
	// nobody would give the letters back.
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeLimit)
	defer cancel()
	letters, err := s.db.ClaimLetters(call, store.LetterClaim{Now: now, Until: now.Add(s.lease), Mailboxes: mailboxes, Limit: limit, Except: s.hand.kept(now, machine)})
	if err != nil {
		return 0, err
	}
	s.hand.take(letters, now.Add(s.lease), machine.Add(s.lease))
	until := time.Now().Add(s.lease - leaseRest)
	jobs := make(map[*lane][]job, 1)
	for _, out := range letters {
		mailbox := tickets.NormalAddress(out.Letter.Mailbox)
		if d.has(mailbox) {
			l := s.lanes[mailbox]
			jobs[l] = append(jobs[l], job{out: out, desk: d, until: until})
			continue
		}
		s.stranded(out, now)
	}
	for l, list := range jobs {
		l.push(ctx, list)
	}
	return len(letters), nil
}

// stranded puts off a letter that nothing is configured to carry.
func (s *Sender) stranded(out store.Outgoing, now time.Time) {
	r := store.Result{ID: out.Letter.ID, Epoch: out.Epoch, State: store.LetterQueued, Next: now.Add(noRoute), At: now}
	if tickets.Number(out.Letter.Mailbox) != "" {
		s.log.Warn("letter of a number that is not configured", "letter", out.Letter.ID, "mailbox", out.Letter.Mailbox)
		r.Detail = "no telephone account is configured for " + out.Letter.Mailbox
		if out.State == store.LetterDot {
			r.State = store.LetterDot
		}
	} else {
		s.log.Warn("letter of a mailbox without SMTP server", "letter", out.Letter.ID, "mailbox", out.Letter.Mailbox)
		r.Detail = "no SMTP server is configured for " + out.Letter.Mailbox
	}
	s.result(r)
}

// giveBack returns letters that were claimed and not begun.
func (s *Sender) giveBack(jobs []job) {
	now := s.opt.Now()
	for _, j := range jobs {
		if j.out.State == store.LetterDot {
			continue // stays in doubt; the claim runs out
		}
		s.result(store.Result{ID: j.out.Letter.ID, Epoch: j.out.Epoch, State: store.LetterQueued, Next: now, At: now})
	}
}

// outcome is a result on its way to the marker.
type outcome struct {
	store.Result
	stored  chan struct{} // closed when it is stored, or given up; nil: nobody waits
	patient bool          // it is noted, and the next one is on its way
}

func (s *Sender) result(r store.Result) { s.results <- outcome{Result: r} }

// tell lets the loop look again.
func (s *Sender) tell() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// marker stores results: each at once when the desk is idle, in groups when
// they come faster than the database commits, or when all that is to be stored
// is noted and more is coming. A result that cannot be stored is tried again and
// again, for a letter that was sent and is not marked would be sent twice.
func (s *Sender) marker(ctx context.Context) {
	for r := range s.results {
		group := s.gather(r)
		results := make([]store.Result, len(group))
		for i := range group {
			results[i] = group[i].Result
		}
		s.store(ctx, results)
		for _, r := range group {
			if r.stored != nil {
				close(r.stored)
			}
		}
	}
}

// gather collects what is stored together with a result.
func (s *Sender) gather(r outcome) []outcome {
	group, patient := []outcome{r}, r.patient
	late := time.NewTimer(markWait)
	defer late.Stop()
	for len(group) < markGroup {
		var ok bool
		select {
		case r, ok = <-s.results:
		default:
			if !patient {
				return group
			}
			select {
			case r, ok = <-s.results:
			case <-late.C:
			}
		}
		if !ok {
			return group
		}
		group, patient = append(group, r), patient && r.patient
	}
	return group
}

func (s *Sender) store(ctx context.Context, group []store.Result) {
	keep := context.WithoutCancel(ctx)
	for try := 0; ; try++ {
		call, cancel := context.WithTimeout(keep, storeLimit)
		lost, err := s.db.Mark(call, group)
		cancel()
		if err == nil {
			s.hand.drop(group)
			s.counts.lost.Add(int64(lost))
			if lost > 0 {
				s.log.Warn("letters claimed by somebody else meanwhile", "count", lost)
			}
			return
		}
		s.log.Error("results not stored", "err", err, "count", len(group), "attempt", try+1)
		select {
		case <-time.After(min(time.Second<<min(try, 3), 5*time.Second)):
		case <-ctx.Done():
			if try > 3 { // the claims run out, the letters are in doubt
				return
			}
		}
	}
}
