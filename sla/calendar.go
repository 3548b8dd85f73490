package sla

import (
	"iter"
	"time"
)

// horizon is how many days a search for open time looks ahead: a hundred
// years. Nobody promises more, and a calendar that never opens ends there.
const horizon = 36_525

// opening is one stretch of open time on one day.
type opening struct {
	day       int // number
	from, end time.Time
}

// openings yields the openings that end after t, in order, day by day; those
// that meet at midnight or at noon are not joined. It ends at the horizon.
func (c *Calendar) openings(t time.Time) iter.Seq[opening] {
	return func(yield func(opening) bool) {
		if c == nil {
			return
		}
		w := wallClock{loc: c.loc}
		first := dayOf(t.In(c.loc))
		for day := first; day <= first+horizon; day++ {
			midnight := int64(day) * secondsOfDay
			for _, s := range c.spansOn(day) {
				from, end := w.instant(midnight+int64(s.Open)*60), w.instant(midnight+int64(s.Close)*60)
				if from == end { // the clock skipped it
					continue
				}
				o := opening{day, time.Unix(from, 0), time.Unix(end, 0)}
				if o.end.After(t) && !yield(o) {
					return
				}
			}
		}
	}
}

// Open reports whether the desk is open at t. It is open at the instant of
// opening and closed at the instant of closing.
func (c *Calendar) Open(t time.Time) bool {
	opens, ok := c.NextOpening(t)
	return ok && opens.Equal(t)
}

// NextOpening returns the first instant at or after t at which the desk is
// open: t itself when it is. ok is false when it does not open again.
func (c *Calendar) NextOpening(t time.Time) (opens time.Time, ok bool) {
	for o := range c.openings(t) {
		return later(o.from, t).UTC(), true
	}
	return time.Time{}, false
}

// NextClosing returns the first instant at or after t at which the desk is
// closed: t itself when it is. ok is false when it does not close again.
func (c *Calendar) NextClosing(t time.Time) (closes time.Time, ok bool) {
	at := t
	for o := range c.openings(t) {
		if o.from.After(at) {
			return at.UTC(), true
		}
		at = o.end
	}
	if c.runsOn(at) {
		return time.Time{}, false
	}
	return at.UTC(), true
}

// runsOn reports whether at lies at the horizon of a desk that is still open
// there, and not at the end of its last opening.
func (c *Calendar) runsOn(at time.Time) bool {
	for o := range c.openings(at) {
		return !o.from.After(at)
	}
	return false
}

// Add returns the instant at which the desk has been open for d since t: the
// first such instant, so that time that runs out at closing is due at closing
// and not at the next opening. With d = 0 it is t itself. ok is false for d < 0
// and when there is not so much open time within a hundred years.
func (c *Calendar) Add(t time.Time, d time.Duration) (at time.Time, ok bool) {
	if d <= 0 {
		return t.UTC(), d == 0
	}
	for o := range c.openings(t) {
		from := later(o.from, t)
		long := o.end.Sub(from)
		if d <= long {
			return from.Add(d).UTC(), true
		}
		d -= long
	}
	return time.Time{}, false
}

// Between returns how long the desk is open from a to b; negative when b lies
// before a. What lies more than a hundred years after the earlier of the two is
// not counted.
func (c *Calendar) Between(a, b time.Time) time.Duration {
	if b.Before(a) {
		return -c.Between(b, a)
	}
	var sum time.Duration
	for o := range c.openings(a) {
		if !o.from.Before(b) {
			break
		}
		sum += earlier(o.end, b).Sub(later(o.from, a))
	}
	return sum
}

// AddWorkingDays returns the end of n working days from t. A working day is a
// date on which the desk opens.
//
// It begins at the next opening when t lies in closed hours, and ends n working
// days later at the same time of day: what begins on Wednesday at 11:00 ends,
// after 5 working days from Monday to Saturday, on Tuesday at 11:00. When the
// desk is closed at that time of day it is the last closing before it on that
// day, or else the first opening. With n = 0 it is t itself. ok is false for
// n < 0 and when there are not so many working days within a hundred years.
func (c *Calendar) AddWorkingDays(t time.Time, n int) (at time.Time, ok bool) {
	if n <= 0 {
		return t.UTC(), n == 0
	}
	var begin time.Time
	var first, last int // days by number; last is the one counted last
	begun := false
	for o := range c.openings(t) {
		switch {
		case !begun:
			begun, begin, first, last = true, later(o.from, t), o.day, o.day
		case o.day != last:
			last = o.day
			if n--; n == 0 {
				return c.sameTime(begin, first, last), true
			}
		}
	}
	return time.Time{}, false
}

// sameTime returns the instant on day on at which the clock shows what it
// showed at begin on day first, moved into the opening hours of that day.
func (c *Calendar) sameTime(begin time.Time, first, on int) time.Time {
	w := wallClock{loc: c.loc}
	wall := w.shown(begin) - int64(first)*secondsOfDay
	rest := time.Duration(begin.Nanosecond())
	clipped := int64(-1)
	for _, s := range c.spansOn(on) {
		from, end := int64(s.Open)*60, int64(s.Close)*60
		if wall >= from && wall < end {
			return time.Unix(w.instant(int64(on)*secondsOfDay+wall), 0).Add(rest).UTC()
		}
		if clipped < 0 {
			clipped = from
		}
		if wall >= end {
			clipped = end
		}
	}
	return time.Unix(w.instant(int64(on)*secondsOfDay+clipped), 0).UTC()
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
