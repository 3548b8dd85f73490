package notify

import (
	"context"
	"errors"
	"sync"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

const (
	idleClose  = time.Minute      // a connection without work is closed after this
	idleCheck  = 10 * time.Second // a connection idle for so long is asked whether it lives
	probeFirst = 5 * time.Second  // a server that is away is tried again after this, doubling
	probeLast  = time.Minute
	dropsAway  = 3 // so many connections lost in a row count as a server that is away
)

// lane is one mailbox: its claimed letters, and up to Options.Connections
// workers with a connection each. One whose server is away waits for itself;
// the others go on.
type lane struct {
	s       *Sender
	mailbox string
	phone   bool // a number of ours: one worker, no connection
	jobs    chan job

	mu       sync.Mutex
	workers  int
	idle     int       // workers that wait for a job
	failures int       // failed connections in a row
	drops    int       // connections lost in a transaction, in a row
	down     time.Time // not before
	probing  bool      // one letter is out to see whether the server is back
	warned   bool      // of AUTH that is not offered
}

// job is a claimed letter on its way.
type job struct {
	out    store.Outgoing
	desk   *desk
	until  time.Time // the wait for a server ends here: the claim would run out
	about  *about    // nil: not yet looked for
	mail   *prepared // nil: not yet
	marked bool      // the store knows that its final dot may go out
	more   bool      // there is another one behind it
}

func newLane(s *Sender, mailbox string) *lane {
	return &lane{s: s, mailbox: mailbox, phone: tickets.Number(mailbox) != "", jobs: make(chan job, laneRoom+1)}
}

// The states of a lane, as the loop sees them.
const (
	laneReady = iota // takes a chunk
	laneFull         // has enough to do
	laneProbe        // takes one letter: the server was away
	laneDown         // until a time
)

func (l *lane) state() (int, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.failures > 0 && time.Now().Before(l.down):
		return laneDown, l.down
	case l.failures > 0 && l.probing:
		return laneFull, time.Time{}
	case l.failures > 0:
		return laneProbe, time.Time{}
	case len(l.jobs) > laneRoom-chunk:
		return laneFull, time.Time{}
	}
	return laneReady, time.Time{}
}

// push takes claimed letters, and starts workers when too few wait for them. All
// are there before a worker looks what it can mark together. It never blocks: the
// loop claims no more than state allows.
func (l *lane) push(ctx context.Context, jobs []job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failures > 0 {
		l.probing = true
	}
	most := l.s.opt.Connections
	if l.phone {
		most = 1
	}
	for _, j := range jobs {
		l.jobs <- j
		if len(l.jobs) > l.idle && l.workers < most && (l.failures == 0 || l.workers == 0) {
			l.workers++
			l.s.work.Go(func() { l.worker(ctx) })
		}
	}
}

// drain takes back what no worker has begun.
func (l *lane) drain() []job {
	var jobs []job
	for {
		select {
		case j := <-l.jobs:
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
}

func (l *lane) ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.workers == 0 && len(l.jobs) == 0
}

// worker sends letters over one connection until it has had none for a minute.
func (l *lane) worker(ctx context.Context) {
	var sub *submission
	for {
		j, ok := l.next(ctx)
		if !ok {
			break
		}
		if l.s.more.Load() && len(l.jobs) <= laneRoom-chunk {
			l.s.tell()
		}
		group := l.ahead(ctx, j)
		for i, j := range group {
			if i > 0 && ctx.Err() != nil {
				l.s.giveBack(group[i:])
				break
			}
			j.more = i < len(group)-1 || len(l.jobs) > 0
			sub = l.handle(ctx, j, sub)
		}
	}
	if sub != nil {
		sub.quit()
	}
}

// markLag bounds how long a letter waits for the one before it to be stored as
// sent: while the database is away, letters are not held up for it.
const markLag = time.Second

// awaitMark waits until the letter before is stored as sent, unless it is noted.
// Who is killed leaves one letter in doubt that the server took, not all that it
// took in the time of a commit.
func (s *submission) awaitMark() {
	if s.marking == nil {
		return
	}
	t := time.NewTimer(markLag)
	defer t.Stop()
	select {
	case <-s.marking:
	case <-t.C:
	}
	s.marking = nil
}

// aheadMost is how many letters a worker marks together.
const aheadMost = 16

// ahead takes along what waits behind a letter: written and marked together, in
// one commit, before the first one is sent. Without it each letter of a backlog
// waits twice for a disk that intake keeps busy. A letter that comes alone is
// marked as late as can be, after its body.
//
// What is marked and then not sent is given back like any other. Only when the
// desk is killed in between are the letters of a group in doubt, and sent again
// with the same bytes; who wants doubts held for a person gets no groups. Nor do
// several nodes on one database: there a mark just before the dot is what stops
// a node that is cut off, and what it marked is out of the others' reach.
func (l *lane) ahead(ctx context.Context, first job) []job {
	group := []job{first}
	shared := l.s.opt.DB != nil && l.s.opt.DB.Shared()
	if l.phone || shared || l.s.opt.InDoubt == "hold" || l.isDown() {
		return group
	}
more:
	for len(group) < aheadMost {
		select {
		case j := <-l.jobs:
			group = append(group, j)
		default:
			break more
		}
	}
	if len(group) == 1 {
		return group
	}
	_ = l.s.lookUpTickets(context.WithoutCancel(ctx), group) // prepare tries again
	var marking sync.WaitGroup
	for i := range group {
		j := &group[i]
		mail, err := l.s.prepare(context.WithoutCancel(ctx), *j)
		if err != nil {
			continue // handle meets it again, and says what becomes of the letter
		}
		j.mail = mail
		marking.Go(func() { j.marked = l.s.markDot(ctx, j.out, mail) == nil }) // calls share a commit
	}
	marking.Wait()
	return group
}

// next waits for a job. When it returns none, the worker is counted out.
func (l *lane) next(ctx context.Context) (job, bool) {
	timer := time.NewTimer(idleClose)
	defer timer.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if ctx.Err() != nil {
			l.workers--
			return job{}, false
		}
		select {
		case j := <-l.jobs:
			return j, true
		default:
		}
		l.idle++
		l.mu.Unlock()
		j, ok, ended := job{}, false, false
		select {
		case j = <-l.jobs:
			ok = true
		case <-ctx.Done():
		case <-timer.C:
			ended = true
		}
		l.mu.Lock()
		l.idle--
		if ok {
			return j, true
		}
		if ended && len(l.jobs) == 0 {
			l.workers--
			return job{}, false
		}
	}
}

// handle makes one attempt at a letter and stores how it ended. It returns the
// connection to go on with.
func (l *lane) handle(ctx context.Context, j job, sub *submission) *submission {
	s, out := l.s, j.out
	defer l.probed()
	if time.Now().After(j.until) || l.isDown() { // the claim is about to end, or was made just before the server went
		s.giveBack([]job{j})
		return sub
	}
	if l.phone {
		l.telephone(ctx, j)
		return sub
	}
	if out.State == store.LetterDot && s.opt.InDoubt == "hold" {
		s.counts.held.Add(1)
		s.finish(out, store.Result{State: store.LetterHeld, Detail: "in doubt: the server may have it"}, nil)
		return sub
	}
	mail := j.mail
	if mail == nil {
		var err error
		if mail, err = s.prepare(context.WithoutCancel(ctx), j); err != nil {
			s.refuse(out, mail, err)
			return sub
		}
	}
	if out.State == store.LetterDot {
		s.counts.resent.Add(1)
	}
	began := time.Now()
	text, sub, err := l.submit(ctx, j, mail, sub)
	if err != nil {
		l.unsent(ctx, j, mail, err)
		return sub
	}
	l.back()
	s.counts.sent.Add(1)
	s.log.Info("letter sent", "letter", out.Letter.ID, "ticket", out.Letter.Ticket, "msgid", mail.id,
		"attempt", out.Attempts+1, "took", time.Since(began).Round(time.Millisecond))
	sub.marking = s.accepted(out, text, j.more)
	return sub
}

// submit sends the mail over sub, or over a new connection when there is none
// or the server has closed it meanwhile.
func (l *lane) submit(ctx context.Context, j job, mail *prepared, sub *submission) (string, *submission, error) {
	whole, err := l.s.open(ctx, mail, j.until)
	if err != nil {
		return "", sub, err
	}
	defer whole.close()
	if sub != nil && sub.usable() && time.Since(sub.last) > idleCheck {
		sub.healthy()
	}
	for {
		reused := sub != nil && sub.usable()
		if !reused {
			var err error
			if sub, err = l.connect(ctx, j.desk.routes[l.mailbox]); err != nil {
				return "", nil, &awayError{err}
			}
		}
		hurry := sub
		stop := context.AfterFunc(ctx, func() { hurry.hurry(time.Now().Add(stopGrace)) })
		text, err := sub.sendMail(mail.envelope, whole, j.until, func() error {
			hurry.awaitMark()
			if j.marked {
				return nil
			}
			return l.s.markDot(ctx, j.out, mail)
		})
		stop()
		// Servers close idle connections, and busy ones after so many
		// letters: that is not an attempt.
		var f *failure
		if reused && errors.As(err, &f) && f.class == ClassConnection && !f.doubt {
			sub.cut()
			continue
		}
		return text, sub, err
	}
}

// awayError says that there was no connection to try the letter on.
type awayError struct{ err error }

func (e *awayError) Error() string { return e.err.Error() }
func (e *awayError) Unwrap() error { return e.err }

func (l *lane) connect(ctx context.Context, r Route) (*submission, error) {
	l.s.counts.dialled.Add(1)
	return open(ctx, l.s.dial, r, func(what string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.warned {
			l.warned = true
			l.s.log.Warn(what, "mailbox", l.mailbox)
		}
	})
}

// unsent stores why a letter did not leave.
func (l *lane) unsent(ctx context.Context, j job, mail *prepared, err error) {
	s, out := l.s, j.out
	now := s.opt.Now()
	var away *awayError
	var f *failure
	switch {
	case errors.As(err, &away) && ctx.Err() != nil: // being stopped, not tried
		s.giveBack([]job{j})
	case errors.As(err, &away):
		l.away(err)
		s.counts.deferred.Add(1)
		// Due at once: the lane holds it back, and when its server is back the
		// letters go out in their order.
		s.finish(out, store.Result{State: store.LetterQueued, Next: now, Code: replyCode(err), Detail: oneLine(err.Error(), 500)}, mail.fresh)
		s.giveBack(l.drain())
	case errors.Is(err, store.ErrLost):
		s.counts.lost.Add(1)
		s.log.Warn("letter claimed by somebody else", "letter", out.Letter.ID)
	case errors.As(err, &f) && f.doubt:
		l.doubt(out, f)
	case errors.As(err, &f) && f.class == ClassPermanent:
		l.back()
		s.counts.failed.Add(1)
		s.log.Warn("letter refused", "letter", out.Letter.ID, "ticket", out.Letter.Ticket, "err", f)
		s.finish(out, store.Result{State: store.LetterFailed, Code: f.code, Detail: f.detail}, mail.fresh)
	case errors.As(err, &f):
		if f.class == ClassConnection {
			l.dropped(err)
		} else {
			l.back()
		}
		s.put(out, f, mail.fresh)
	default: // the store did not answer before the dot: nothing was sent
		s.put(out, &failure{class: ClassConnection, detail: oneLine(err.Error(), 500)}, mail.fresh)
	}
}

// doubt leaves a letter whose final dot went out without an answer: its claim
// runs out and it is sent again with the same bytes, or it is held.
func (l *lane) doubt(out store.Outgoing, f *failure) {
	l.s.counts.doubts.Add(1)
	l.s.log.Warn("letter in doubt", "letter", out.Letter.ID, "ticket", out.Letter.Ticket, "err", f)
	if l.s.opt.InDoubt == "hold" {
		l.s.counts.held.Add(1)
		l.s.finish(out, store.Result{State: store.LetterHeld, Detail: "in doubt: " + f.detail}, nil)
	}
}

// away notes that there is no connection to be had. The first of a row is logged.
func (l *lane) away(err error) { l.awayFor(err, 0) }

// awayFor is away for at least so long.
func (l *lane) awayFor(err error, least time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failures > 0 && time.Now().Before(l.down) {
		return // another worker was faster
	}
	l.failures++
	l.s.trouble(l.mailbox, err)
	l.down = time.Now().Add(max(least, min(probeFirst<<min(l.failures-1, 8), probeLast)))
	switch {
	case l.failures > 1:
	case l.phone:
		l.s.log.Warn("telephone company away", "mailbox", l.mailbox, "err", err)
	default:
		l.s.log.Warn("SMTP server away", "mailbox", l.mailbox, "err", err)
	}
}

func (l *lane) isDown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failures > 0 && time.Now().Before(l.down)
}

// dropped notes a connection lost in a transaction: after some in a row the
// server counts as away.
func (l *lane) dropped(err error) {
	l.mu.Lock()
	l.drops++
	away := l.drops >= dropsAway
	l.mu.Unlock()
	if away {
		l.away(err)
	}
}

// back notes that the server answers.
func (l *lane) back() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drops = 0
	if l.failures == 0 {
		return
	}
	if l.phone {
		l.s.log.Info("telephone company back", "mailbox", l.mailbox, "attempt", l.failures+1)
	} else {
		l.s.log.Info("SMTP server back", "mailbox", l.mailbox, "attempt", l.failures+1)
	}
	l.failures = 0
	l.s.trouble(l.mailbox, nil)
	l.s.tell()
}

// probeEmpty sees whether the server is back without a letter: by a connection.
// Of a telephone company nobody knows before the next text; nothing waits for it.
func (l *lane) probeEmpty(ctx context.Context, d *desk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.phone {
		l.failures = 0
		l.s.trouble(l.mailbox, nil)
		return
	}
	l.probing = true
	l.s.work.Go(func() {
		defer l.probed()
		sub, err := l.connect(ctx, d.routes[l.mailbox])
		switch {
		case ctx.Err() != nil:
		case err != nil:
			l.away(err)
		default:
			l.back()
		}
		if sub != nil {
			sub.quit()
		}
	})
}

// probed notes that the letter that was out as a probe is done with.
func (l *lane) probed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.probing = false
	if l.failures > 0 {
		l.s.tell()
	}
}
