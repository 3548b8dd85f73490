package sla

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// minutesOfDay is midnight at the end of a day.
const minutesOfDay = 24 * 60

// Span is one opening of a day, in minutes since midnight on the wall clock:
// 0 ≤ Open < 1440 and Open < Close ≤ Open + 1440. A Close above 1440 lies in
// the next day: 22:00–06:00 is {1320, 1800}.
type Span struct {
	Open, Close int
}

// String returns "10:00-17:40"; "22:00-06:00" for a span across midnight.
func (s Span) String() string {
	shut := s.Close
	if shut > minutesOfDay {
		shut -= minutesOfDay
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.Open/60, s.Open%60, shut/60, shut%60)
}

// Hours is when a desk is open. The zero value is a desk that never opens.
type Hours struct {
	// Location is the zone of the wall clock; nil is UTC.
	Location *time.Location

	// Week holds the spans of each day, indexed by time.Weekday, in any order.
	// A span across midnight is the same as two spans, the second on the day
	// after: a holiday cuts it at midnight.
	Week [7][]Span

	// Holidays are closed from midnight to midnight.
	Holidays Holidays

	// Days replaces what Week and Holidays say of a date: other hours, or none
	// at all (closed). The spans must end by midnight; write a night as two
	// dates.
	Days map[Date][]Span
}

// Calendar is opening hours made ready for arithmetic. It is read-only and may
// be used by several goroutines. A nil Calendar never opens.
type Calendar struct {
	loc  *time.Location
	week [7][]Span      // sorted, apart, within the day
	days map[int][]Span // by day number, instead of the week's; nil is closed
}

// NewCalendar checks the hours and returns their calendar. A desk that never
// opens is no error: the functions then report ok = false.
func NewCalendar(h Hours) (*Calendar, error) {
	c := &Calendar{loc: h.Location, days: map[int][]Span{}}
	if c.loc == nil {
		c.loc = time.UTC
	}
	for d, spans := range h.Week {
		for _, s := range spans {
			if !s.valid() || s.Close > s.Open+minutesOfDay {
				return nil, fmt.Errorf("hours of %s: span of minutes %d to %d is not one (allowed: 0 ≤ open < 1440, open < close ≤ open + 1440)", time.Weekday(d), s.Open, s.Close)
			}
			c.addWeekly(d, s)
		}
	}
	for d := range c.week {
		if err := tidy(c.week[d]); err != nil {
			return nil, fmt.Errorf("hours of %s: %w", time.Weekday(d), err)
		}
	}
	if err := c.setHolidays(h.Holidays); err != nil {
		return nil, err
	}
	for date, spans := range h.Days {
		if err := c.setDay(date, spans); err != nil {
			return nil, fmt.Errorf("hours of %s: %w", date, err)
		}
	}
	return c, nil
}

// Always returns the calendar of a desk that never closes. The location says
// which days are working days' dates; nil is UTC.
func Always(loc *time.Location) *Calendar {
	if loc == nil {
		loc = time.UTC
	}
	c := &Calendar{loc: loc}
	for d := range c.week {
		c.week[d] = []Span{{0, minutesOfDay}}
	}
	return c
}

// Location returns the zone of the calendar's wall clock.
func (c *Calendar) Location() *time.Location {
	if c == nil {
		return time.UTC
	}
	return c.loc
}

func (s Span) valid() bool { return s.Open >= 0 && s.Open < minutesOfDay && s.Close > s.Open }

// addWeekly adds the span to its day, and what lies behind midnight to the next.
func (c *Calendar) addWeekly(day int, s Span) {
	c.week[day] = append(c.week[day], Span{s.Open, min(s.Close, minutesOfDay)})
	if rest := s.Close - minutesOfDay; rest > 0 {
		next := (day + 1) % 7
		c.week[next] = append(c.week[next], Span{0, rest})
	}
}

func (c *Calendar) setDay(date Date, spans []Span) error {
	if !date.valid() {
		return fmt.Errorf("no such day")
	}
	var own []Span // the caller keeps theirs
	for _, s := range spans {
		if !s.valid() || s.Close > minutesOfDay {
			return fmt.Errorf("span of minutes %d to %d is not one (allowed: 0 ≤ open < close ≤ 1440)", s.Open, s.Close)
		}
		own = append(own, s)
	}
	c.days[date.number()] = own
	return tidy(own)
}

// tidy sorts the spans of one day and reports an overlap.
func tidy(spans []Span) error {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.Open, b.Open) })
	for i := 1; i < len(spans); i++ {
		if spans[i].Open < spans[i-1].Close {
			return fmt.Errorf("%s and %s overlap", spans[i-1], spans[i])
		}
	}
	return nil
}

// spansOn returns the spans of a day, by its number.
func (c *Calendar) spansOn(day int) []Span {
	if spans, ok := c.days[day]; ok {
		return spans
	}
	return c.week[weekdayOf(day)]
}
