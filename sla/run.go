package sla

import (
	"slices"
	"time"
)

// State is how a clock stands.
type State string

// The states.
const (
	StateNotSet   State = "not set"  // nothing is promised, or nothing has begun
	StateRunning  State = "running"  // counts; nothing is late
	StatePaused   State = "paused"   // stands still
	StateMet      State = "met"      // stopped in time
	StateBreached State = "breached" // was not stopped in time, whether it is by now or not
	StateVoid     State = "void"     // ended without a verdict
)

// Run is one promise from its start to its end. Instants are UTC and zero when
// they are not known or have not come.
type Run struct {
	State   State
	Target  Target // as promised last
	Rule    string // of the policy
	Started time.Time
	Stopped time.Time // in time, late or void

	// Due is the last instant in time: what happens later is late. It is zero
	// while the clock is paused, because it moves, and when the desk is not
	// open for so long within a hundred years.
	Due time.Time
	// Counts is what Remaining counts: open time, or all that elapses.
	Counts Counts
	// Remaining is what is left of the time allowed, at the stop or now;
	// negative when overdue.
	Remaining time.Duration
	WarnAt    time.Time // when the warning comes or came; zero while paused before it
	Warned    bool      // it has come
	// Breached is the due time that was not kept.
	Breached time.Time

	Segments []Segment // from the start to the stop or now
	Changes  []Changed // of the promise meanwhile
}

// Counts is the kind of time that a promise counts.
type Counts string

// The kinds of time.
const (
	CountsElapsed Counts = "elapsed"
	CountsOpen    Counts = "open"
)

// Segment is a stretch of a run in which its clock ran or stood still. To is
// after From.
type Segment struct {
	From, To time.Time
	Paused   bool
	Status   string // of the ticket
	Done     bool   // between a resolution and the reopening
}

// Changed says that another promise was made while the clock ran.
type Changed struct {
	At       time.Time
	From, To Duration
	// Warned is when the promise before was warned of, if it was and the new
	// one has a warning of its own.
	Warned time.Time
}

// run is a Run while it is replayed.
type run struct {
	cal     *Calendar
	choice  Choice
	start   time.Time
	meters  []meter // of Within and AtMost; none when nothing is promised
	at      time.Time
	status  string
	done    bool // stopped, and may resume
	void    bool
	stopped time.Time
	warned  time.Time
	broken  time.Time // the due time that was not kept

	segments []Segment
	changes  []Changed
}

func startRun(choice Choice, c *Calendar, at time.Time, status string) *run {
	r := &run{cal: c, choice: choice, start: at.UTC(), at: at.UTC(), status: status}
	r.setMeters(at)
	return r
}

func (r *run) setMeters(from time.Time) {
	r.meters = nil
	for _, d := range []Duration{r.choice.Within, r.choice.AtMost} {
		if d.Set() {
			r.meters = append(r.meters, newMeter(d, r.choice.Warn, r.cal, from))
		}
	}
}

func (r *run) set() bool { return len(r.meters) > 0 }

func (r *run) running() bool { return r.stopped.IsZero() }

// paused reports whether the clock stands still in the ticket's status.
func (r *run) paused() bool { return r.done || slices.Contains(r.choice.Pause, r.status) }

// first returns the meter that is due first.
func (r *run) first() *meter {
	m := &r.meters[0]
	for i := range r.meters {
		if r.meters[i].due.Before(m.due) {
			m = &r.meters[i]
		}
	}
	return m
}

// warnAt returns when the first warning comes; zero is never.
func (r *run) warnAt() time.Time {
	var at time.Time
	for i := range r.meters {
		if w := r.meters[i].warn; !w.IsZero() && (at.IsZero() || w.Before(at)) {
			at = w
		}
	}
	return at
}

// advance replays the time up to an instant, in the status that holds.
func (r *run) advance(to time.Time) {
	if !r.running() {
		return
	}
	if r.paused() {
		r.stand(to)
	} else {
		r.count(to)
	}
	r.extend(to)
	r.at = to
}

// count lets the clock run. A warning comes at its instant; a breach comes
// after its instant, because who answers at the due time is in time. Both hold
// whatever else is found to have happened at that instant.
func (r *run) count(to time.Time) {
	for i := range r.meters {
		r.meters[i].used += r.meters[i].between(r.at, to)
	}
	if !r.set() || !r.broken.IsZero() {
		return
	}
	if at := r.warnAt(); r.warned.IsZero() && !at.IsZero() && !at.After(to) {
		r.warned = at
	}
	if due := r.first().due; due.Before(to) {
		r.broken = due
	}
}

// stand lets the clock stand still.
func (r *run) stand(to time.Time) {
	if !r.broken.IsZero() {
		return
	}
	for i := range r.meters {
		r.meters[i].pause(r.at, to, !r.warned.IsZero())
	}
}

// extend records the time up to an instant.
func (r *run) extend(to time.Time) {
	if !to.After(r.at) {
		return
	}
	s := Segment{From: r.at, To: to, Paused: r.paused(), Status: r.status, Done: r.done}
	if n := len(r.segments); n > 0 {
		last := &r.segments[n-1]
		if last.Paused == s.Paused && last.Status == s.Status && last.Done == s.Done {
			last.To = to
			return
		}
	}
	r.segments = append(r.segments, s)
}

// stop ends the run; advance has been called.
func (r *run) stop(at time.Time) {
	if r.running() {
		r.stopped = at
	}
}

// drop ends the run without a verdict; a breach stays one.
func (r *run) drop(at time.Time) {
	if r.running() {
		r.stopped, r.void = at, true
	}
}

// resume takes the stop back: the clock has stood still since.
func (r *run) resume(at time.Time) {
	r.stopped, r.done = time.Time{}, true
	r.advance(at)
	r.done = false
}

// change takes another promise; advance has been called. A promise that was
// broken stays as it was, so that one run is broken once at most.
func (r *run) change(choice Choice, at time.Time) {
	if !r.broken.IsZero() || r.choice.equal(choice.Target) {
		return
	}
	change := Changed{At: at, From: r.choice.Within, To: choice.Within}
	r.choice = choice
	if choice.Change == ChangeAnew {
		r.setMeters(at)
	} else {
		r.setMeters(r.start)
		for i := range r.meters {
			r.meters[i].catchUp(r, at)
		}
	}
	// Nobody is warned twice of the same due time, and of another one anew.
	if r.warnAt().After(at) {
		change.Warned, r.warned = r.warned, time.Time{}
	}
	r.changes = append(r.changes, change)
}

// catchUp replays the run for a promise made now. What would be over by then
// comes now.
func (m *meter) catchUp(r *run, now time.Time) {
	for _, s := range r.segments {
		paused := s.Done || slices.Contains(r.choice.Pause, s.Status)
		switch {
		case !paused:
			m.used += m.between(s.From, s.To)
		case !m.due.Before(s.From):
			m.pause(s.From, s.To, m.warn.Before(s.From))
		}
	}
	if m.due.Before(now) {
		m.due, m.allowed = m.resumes(now), m.used
	}
	if !m.warn.IsZero() {
		m.warn = later(m.warn, now)
	}
}

// read tells how the run stands.
func (r *run) read() Run {
	out := Run{
		State: r.state(), Target: r.choice.Target, Rule: r.choice.Rule,
		Started: r.start, Stopped: r.stopped, Breached: r.broken,
		Warned: !r.warned.IsZero(), WarnAt: r.warned,
		Segments: slices.Clone(r.segments), Changes: slices.Clone(r.changes),
	}
	if !r.set() {
		return out
	}
	m := r.first()
	out.Remaining, out.Counts = m.left(), CountsElapsed
	if m.open {
		out.Counts = CountsOpen
	}
	if out.State == StatePaused {
		return out
	}
	if out.Due = m.due; m.due.Equal(farFuture) {
		out.Due = time.Time{}
	}
	if !out.Warned && r.running() && out.State == StateRunning {
		out.WarnAt = r.warnAt()
	}
	return out
}

func (r *run) state() State {
	switch {
	case !r.set():
		return StateNotSet
	case !r.broken.IsZero():
		return StateBreached
	case r.void:
		return StateVoid
	case !r.running():
		return StateMet
	case r.paused():
		return StatePaused
	}
	return StateRunning
}
