package sla

import (
	"slices"
	"time"
)

// Kind is what happened to a ticket, as far as its clocks care.
type Kind string

// The kinds of events.
const (
	Opened   Kind = "opened"   // the first contact; with Facts, and Status if it has one
	Wrote    Kind = "wrote"    // the customer, again
	Answered Kind = "answered" // a person of the desk wrote to the customer
	Updated  Kind = "updated"  // the customer was told how it stands, by a person or the desk

	StatusChanged Kind = "status" // the ticket has another Status
	FactsChanged  Kind = "facts"  // the ticket has other Facts: all of them, not the new ones alone
)

// Event is one entry of a ticket's log.
type Event struct {
	At     time.Time
	Kind   Kind
	Status string // of Opened and StatusChanged
	Facts  Facts  // of Opened and FactsChanged
}

// Reading is how one clock of a ticket stands. The Run is the latest one; it
// is the zero Run, in StateNotSet, when nothing has begun.
type Reading struct {
	Clock Clock
	Run
	Earlier []Run // those before it, oldest first
}

// Wake returns when the reading changes though nothing happens, by a warning or
// a breach; ok is false when there is none. A schedule that reads again then,
// and no sooner, misses nothing. A breach is seen a millisecond after the due
// time, the grain in which times are stored.
func (r Reading) Wake() (at time.Time, ok bool) {
	switch {
	case r.State != StateRunning:
		return time.Time{}, false
	case !r.Warned && !r.WarnAt.IsZero():
		return r.WarnAt, true
	case r.Due.IsZero():
		return time.Time{}, false
	}
	return r.Due.Add(time.Millisecond), true // at Due it is still in time
}

// Read replays the events up to and including now and returns the readings of
// the four clocks, in the order of [Clocks].
//
// Events may come in any order; those of the same instant count in the order
// given. What happened before the first Opened, and a second Opened, do not
// count. The rules:
//
//   - First response starts at Opened and stops at the first Answered.
//   - Next response starts when the customer wrote and nothing is open: a second
//     message does not restart it. It stops at Answered. Before the first answer
//     the first response covers all messages.
//   - Next update starts at Opened; each Answered or Updated stops it and starts
//     the next one.
//   - Resolution starts at Opened.
//   - A Done status stops all four; a Void status ends them without a verdict.
//     Leaving either is a reopening: resolution starts again, or resumes, by
//     Policy.Reopen (after a Void status it always starts again), updates start
//     again, a message that came meanwhile starts its next response at the
//     reopening, and a first response that was never given starts again after a
//     Void status.
//   - While the status is one of the target's Pause, a clock stands still; its
//     due time then moves by the time paused, in the time that the target
//     counts.
//   - Another choice of the policy, after FactsChanged, holds for what has not ended:
//     see Change. A clock that had no promise begins where it would have begun.
//     A run that is breached keeps its promise.
func Read(events []Event, c *Calendar, p Policy, now time.Time) []Reading {
	log := &replay{cal: c, policy: p}
	for i, clock := range Clocks {
		log.clocks[i] = &history{clock: clock}
	}
	for _, e := range inOrder(events) {
		if e.At.After(now) {
			break
		}
		log.take(e)
	}
	readings := make([]Reading, len(Clocks))
	for i, h := range log.clocks {
		readings[i] = h.read(now)
	}
	return readings
}

// inOrder returns the events by time.
func inOrder(events []Event) []Event {
	byTime := func(a, b Event) int { return a.At.Compare(b.At) }
	if slices.IsSortedFunc(events, byTime) {
		return events
	}
	events = slices.Clone(events)
	slices.SortStableFunc(events, byTime)
	return events
}

// history is the runs of one clock.
type history struct {
	clock Clock
	runs  []*run
}

// current returns the run that has not ended, nil when there is none.
func (h *history) current() *run {
	if n := len(h.runs); n > 0 && h.runs[n-1].running() {
		return h.runs[n-1]
	}
	return nil
}

// read brings the last run up to now and tells what is promised of the runs.
func (h *history) read(now time.Time) Reading {
	out := Reading{Clock: h.clock, Run: Run{State: StateNotSet}}
	for i, r := range h.runs {
		r.advance(now.UTC())
		if !r.set() {
			continue
		}
		if last := i == len(h.runs)-1; last {
			out.Run = r.read()
		} else {
			out.Earlier = append(out.Earlier, r.read())
		}
	}
	return out
}

// replay is the state of a ticket while its events are replayed.
type replay struct {
	cal    *Calendar
	policy Policy
	clocks [len(Clocks)]*history // by position in Clocks

	opened   bool
	facts    Facts
	status   string
	answered bool // by a person, or by being done
	waiting  bool // the customer wrote and was not answered since
}

func (l *replay) history(clock Clock) *history {
	return l.clocks[slices.Index(Clocks[:], clock)]
}

func (l *replay) take(e Event) {
	at := e.At.UTC()
	if e.Kind == Opened && !l.opened {
		l.open(e, at)
		return
	}
	if !l.opened {
		return
	}
	for _, h := range l.clocks {
		if r := h.current(); r != nil {
			r.advance(at)
		}
	}
	switch e.Kind {
	case Wrote:
		l.waiting = true
		l.startNext(at)
	case Answered:
		l.answer(at)
		l.news(at)
	case Updated:
		l.news(at)
	case StatusChanged:
		l.move(e.Status, at)
	case FactsChanged:
		l.facts = e.Facts
		for _, h := range l.clocks {
			if r := h.current(); r != nil {
				r.change(l.policy.Choose(h.clock, l.facts), at)
			}
		}
	}
}

func (l *replay) open(e Event, at time.Time) {
	l.opened, l.facts, l.status = true, e.Facts, e.Status
	l.answered = l.done()
	if l.over() {
		return
	}
	for _, clock := range []Clock{FirstResponse, NextUpdate, Resolution} {
		l.start(clock, at)
	}
}

// over reports whether the ticket's status ends its clocks.
func (l *replay) over() bool { return l.done() || l.void() }
func (l *replay) done() bool { return slices.Contains(l.policy.Done, l.status) }
func (l *replay) void() bool { return slices.Contains(l.policy.Void, l.status) }

func (l *replay) start(clock Clock, at time.Time) {
	h := l.history(clock)
	h.runs = append(h.runs, startRun(l.policy.Choose(clock, l.facts), l.cal, at, l.status))
}

func (l *replay) stop(clock Clock, at time.Time) {
	if r := l.history(clock).current(); r != nil {
		r.stop(at)
	}
}

// startNext starts the next response when the customer waits for one.
func (l *replay) startNext(at time.Time) {
	if l.waiting && l.answered && !l.over() && l.history(NextResponse).current() == nil {
		l.start(NextResponse, at)
	}
}

func (l *replay) answer(at time.Time) {
	l.stop(FirstResponse, at)
	l.stop(NextResponse, at)
	l.answered, l.waiting = true, false
}

// news ends the wait for an update, and begins the next one.
func (l *replay) news(at time.Time) {
	if l.history(NextUpdate).current() != nil {
		l.stop(NextUpdate, at)
		l.start(NextUpdate, at)
	}
}

// move takes the ticket to another status.
func (l *replay) move(status string, at time.Time) {
	wasOver := l.over()
	l.status = status
	for _, h := range l.clocks {
		r := h.current()
		switch {
		case r == nil:
		case l.void():
			r.drop(at)
		case l.done():
			r.stop(at)
			r.status = status
		default:
			r.status = status
		}
	}
	switch {
	case l.done():
		l.answered, l.waiting = true, l.waiting && wasOver
	case wasOver && !l.over():
		l.reopen(at)
	}
}

// reopen starts what a reopening starts.
func (l *replay) reopen(at time.Time) {
	if !l.answered {
		l.start(FirstResponse, at)
	}
	l.startNext(at)
	l.start(NextUpdate, at)
	h := l.history(Resolution)
	if n := len(h.runs); n > 0 && !h.runs[n-1].void && l.policy.Reopen == ReopenResume {
		h.runs[n-1].resume(at)
		h.runs[n-1].status = l.status
		return
	}
	l.start(Resolution, at)
}
