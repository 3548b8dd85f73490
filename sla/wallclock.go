package sla

import (
	"math"
	"time"
)

const secondsOfDay = 24 * 60 * 60

// wallClock maps times on the wall of a place to instants. It remembers the
// last stretch without a change of the clock, which answers nearly every
// question; it is for one goroutine.
type wallClock struct {
	loc        *time.Location
	start, end int64 // Unix seconds, the stretch is [start, end)
	offset     int64 // seconds east of UTC within it
}

// instant returns the first instant (Unix seconds) at which the clock shows
// wall or later. wall is written as Unix seconds, as if the place were UTC.
//
// This is the one place that knows about clocks that change: a skipped time
// becomes the first instant after the gap, a repeated one the first of the two.
func (w *wallClock) instant(wall int64) int64 {
	// Two days behind a change, nothing before it can have shown this time.
	const safe = 2 * secondsOfDay
	if at := wall - w.offset; w.end != 0 && at-safe >= w.start && at < w.end {
		return at
	}
	for w.seek(wall - safe); ; w.seek(w.end) {
		if at := max(w.start, wall-w.offset); at < w.end {
			return at
		}
	}
}

// seek remembers the stretch that holds the instant.
func (w *wallClock) seek(at int64) {
	t := time.Unix(at, 0).In(w.loc)
	start, end := t.ZoneBounds()
	_, offset := t.Zone()
	w.start, w.end, w.offset = math.MinInt64/2, math.MaxInt64, int64(offset)
	if !start.IsZero() {
		w.start = start.Unix()
	}
	if !end.IsZero() {
		w.end = end.Unix()
	}
}

// shown returns the latest time the clock has shown up to t, as instant takes
// it. After the clock was put back that is the time at which it was.
func (w *wallClock) shown(t time.Time) int64 {
	at := t.Unix()
	w.seek(at)
	wall := at + w.offset
	if w.start < 0 {
		return wall
	}
	_, before := time.Unix(w.start-1, 0).In(w.loc).Zone()
	return max(wall, w.start+int64(before))
}
