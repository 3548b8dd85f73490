package schedules

import "time"

// TimeOfDay is a time on the clock of a place.
type TimeOfDay struct {
	Hour, Minute int
	Location     *time.Location // nil: UTC
}

// latest returns the newest occurrence at or before now: its day as
// 2006-01-02, which names it for ever, and the instant.
//
// Missed days collapse into it: whoever was away for a week asks once.
func (t TimeOfDay) latest(now time.Time) (day string, at time.Time) {
	zone := t.zone()
	y, m, d := now.In(zone).Date()
	// A gap at midnight may push an occurrence into the next day.
	for back := 0; ; back++ {
		if at = t.on(y, m, d-back); !at.After(now) || back == 2 {
			return time.Date(y, m, d-back, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), at
		}
	}
}

// on returns the instant of the occurrence on a day. Where the clock is put
// forward over it, it is the first instant after the gap; where the clock is
// put back and shows the time twice, the first of the two (as Debian's cron).
func (t TimeOfDay) on(y int, m time.Month, d int) time.Time {
	zone := t.zone()
	at := time.Date(y, m, d, t.Hour, t.Minute, 0, 0, zone)
	start, end := at.ZoneBounds()
	_, offset := at.Zone()
	want := time.Date(y, m, d, t.Hour, t.Minute, 0, 0, time.UTC)
	switch shown := wall(at); {
	case shown.After(want): // the offset before the gap was used: at lies behind it
		return start.In(zone)
	case shown.Before(want): // the offset after the gap was used: at lies before it
		return end.In(zone)
	}
	if start.IsZero() {
		return at
	}
	_, before := start.Add(-time.Nanosecond).Zone()
	if first := at.Add(time.Duration(offset-before) * time.Second); first.Before(start) && wall(first).Equal(want) {
		return first
	}
	return at
}

func (t TimeOfDay) zone() *time.Location {
	if t.Location == nil {
		return time.UTC
	}
	return t.Location
}

// wall is what a clock shows at t, as if it were UTC: to be compared.
func wall(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}
