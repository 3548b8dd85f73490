package sla

import "time"

// DateOf returns the day that t's wall clock shows, in t's zone.
func DateOf(t time.Time) Date { return dateOf(t) }

// Add returns the day so many days later, or earlier when days is negative.
func (d Date) Add(days int) Date { return numbered(d.number() + days) }

// Since returns the days from e to d: 1 when d is the day after e.
func (d Date) Since(e Date) int { return d.number() - e.number() }

// Before reports whether d comes before e.
func (d Date) Before(e Date) bool { return d.number() < e.number() }

// After reports whether d comes after e.
func (d Date) After(e Date) bool { return d.number() > e.number() }

// At returns the first instant of the day at which a clock in the zone shows so
// many minutes after midnight. Where clocks are put forward over that time it is
// the first instant after the gap; where they are put back and show it twice,
// the first of the two: the rules of Debian's cron.
func (d Date) At(minutes int, zone *time.Location) time.Time {
	at := time.Date(d.Year, d.Month, d.Day, 0, minutes, 0, 0, zone)
	want := time.Date(d.Year, d.Month, d.Day, 0, minutes, 0, 0, time.UTC)
	start, end := at.ZoneBounds()
	switch shown := shownBy(at); {
	case shown.After(want): // the offset before the gap was used: at lies behind it
		return start.In(zone)
	case shown.Before(want): // the offset after the gap was used: at lies before it
		return end.In(zone)
	}
	if start.IsZero() {
		return at
	}
	_, offset := at.Zone()
	_, before := start.Add(-time.Nanosecond).Zone()
	if first := at.Add(time.Duration(offset-before) * time.Second); first.Before(start) && shownBy(first).Equal(want) {
		return first
	}
	return at
}

// shownBy is what a clock shows at t, as if it were UTC: to be compared.
func shownBy(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}
