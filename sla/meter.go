package sla

import "time"

// meter measures one promise: how much time it allows, how much was used, and
// when it runs out.
type meter struct {
	cal  *Calendar // whose open time counts
	open bool      // open time counts; else all that elapses

	allowed time.Duration
	used    time.Duration
	due     time.Time // if the clock runs on; farFuture when the desk is not open for so long
	warn    time.Time // likewise; zero is no warning
}

// farFuture stands for a due time that does not come.
var farFuture = time.Date(9999, time.December, 31, 0, 0, 0, 0, time.UTC)

// newMeter returns the meter of a promise that counts from start.
func newMeter(d Duration, w Warn, c *Calendar, start time.Time) meter {
	m := meter{cal: c, open: d.Open()}
	due, ok := d.From(start, c)
	if !ok {
		m.due = farFuture
		if d.Unit == BusinessHour {
			m.allowed = time.Duration(d.Count) * time.Hour
		}
		return m
	}
	m.due, m.allowed = due, m.between(start, due)
	if at, ok := w.after(m.allowed); ok {
		// What remains until the warning is none: it comes with the due time,
		// which may lie behind closed hours.
		if m.warn = m.add(start, at); at == m.allowed {
			m.warn = due
		}
	}
	return m
}

func (m *meter) between(a, b time.Time) time.Duration {
	if !m.open {
		return b.Sub(a)
	}
	return m.cal.Between(a, b)
}

func (m *meter) add(t time.Time, d time.Duration) time.Time {
	if !m.open {
		return t.Add(d)
	}
	if at, ok := m.cal.Add(t, d); ok {
		return at
	}
	return farFuture
}

// pause moves what has not come yet behind a pause, by its length in the time
// that counts. It does not come within the pause: when nothing was left, it
// comes as soon as time counts again.
func (m *meter) pause(from, to time.Time, warned bool) {
	if m.due.Equal(farFuture) {
		return
	}
	long := m.between(from, to)
	if m.due = m.add(m.due, long); !m.due.After(to) {
		m.due = m.resumes(to)
	}
	if !warned && !m.warn.IsZero() {
		m.warn = later(m.add(m.warn, long), to)
	}
}

// resumes returns the first instant from t on at which time counts.
func (m *meter) resumes(t time.Time) time.Time {
	if opens, ok := m.cal.NextOpening(t); ok && m.open {
		return opens
	}
	return t
}

// left is what remains; negative when overdue.
func (m *meter) left() time.Duration { return m.allowed - m.used }
