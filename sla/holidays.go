package sla

import (
	"fmt"
	"slices"
	"time"
)

// Date is a day of the calendar, in no zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads "2026-12-25".
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a day (allowed: 2026-12-25)", text)
	}
	return dateOf(t), nil
}

// String returns "2026-12-25".
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// MarshalText returns String.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote: ParseDate, or the zero Date.
func (d *Date) UnmarshalText(text []byte) (err error) {
	if string(text) == (Date{}).String() {
		*d = Date{}
		return nil
	}
	*d, err = ParseDate(string(text))
	return err
}

// IsZero reports whether no day is set.
func (d Date) IsZero() bool { return d == Date{} }

func dateOf(t time.Time) Date {
	y, m, day := t.Date()
	return Date{y, m, day}
}

// number returns the days since 1970-01-01.
func (d Date) number() int {
	return floorDiv(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Unix(), secondsOfDay)
}

// dayOf returns the number of the date that t's wall clock shows.
func dayOf(t time.Time) int { return dateOf(t).number() }

// numbered returns the date of a day number.
func numbered(day int) Date { return dateOf(time.Unix(int64(day)*secondsOfDay, 0).UTC()) }

// valid reports whether there is such a day: 30 February is none.
func (d Date) valid() bool { return !d.IsZero() && numbered(d.number()) == d }

func floorDiv(a int64, b int64) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return int(q)
}

// weekdayOf returns the weekday of a day number; 1970-01-01 was a Thursday.
func weekdayOf(day int) time.Weekday { return time.Weekday(((day+4)%7 + 7) % 7) }

// Holidays are days on which a desk is closed.
type Holidays struct {
	Dates  []Date   // in any order
	Yearly []Yearly // come back without end
}

// With returns the holidays of both.
func (h Holidays) With(other Holidays) Holidays {
	return Holidays{
		Dates:  slices.Concat(h.Dates, other.Dates),
		Yearly: slices.Concat(h.Yearly, other.Yearly),
	}
}

// Yearly is a holiday that comes back without end on the same date, or on the
// same weekday of its month: the fourth Thursday of November. Calendars know it
// until the year 2200.
type Yearly struct {
	First  Date   // the first one begins
	Days   int    // how many days it lasts; 0 is 1
	Every  int    // years from one to the next; 0 is 1
	Except []Date // beginnings that are left out

	// Nth is which Weekday of First's month: 1 the first, -1 the last. 0 is
	// First's month and day; 29 February then comes in leap years only.
	Nth     int
	Weekday time.Weekday
}

// maxHolidayDays is the longest holiday: more is a mistake in a file.
const maxHolidayDays = 366

func (y Yearly) check() error {
	switch {
	case !y.First.valid():
		return fmt.Errorf("yearly holiday: %s: no such day", y.First)
	case y.Days < 0 || y.Days > maxHolidayDays || y.Every < 0 || y.Nth < -5 || y.Nth > 5 || y.Weekday < 0 || y.Weekday > time.Saturday:
		return fmt.Errorf("yearly holiday from %s: days, years or weekday out of bounds", y.First)
	}
	return nil
}

// in returns the day on which the holiday begins in a year.
func (y Yearly) in(year int) (Date, bool) {
	if year < y.First.Year || (year-y.First.Year)%max(y.Every, 1) != 0 {
		return Date{}, false
	}
	d := Date{year, y.First.Month, y.First.Day}
	if y.Nth != 0 {
		d.Day = nthWeekday(year, y.First.Month, y.Nth, y.Weekday)
	}
	ok := d.valid() && d.Month == y.First.Month && d.number() >= y.First.number() && !slices.Contains(y.Except, d)
	return d, ok
}

// nthWeekday returns the day of the month of its n-th weekday, counted from the
// end when n is negative. It may lie outside of the month: there is not always
// a fifth one.
func nthWeekday(year int, month time.Month, n int, weekday time.Weekday) int {
	if n > 0 {
		first := weekdayOf(Date{year, month, 1}.number())
		return 1 + int(weekday-first+7)%7 + (n-1)*7
	}
	length := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	last := weekdayOf(Date{year, month, length}.number())
	return length - int(last-weekday+7)%7 + (n+1)*7
}

// Yearly holidays are laid out for these years; the search for open time looks
// a hundred years ahead of today.
const (
	firstYear = 1970
	lastYear  = 2200
)

// maxYearlyDays bounds what is laid out for each year. More days than a year
// has cannot be told apart from never opening.
const maxYearlyDays = 1000

// setHolidays closes the days.
func (c *Calendar) setHolidays(h Holidays) error {
	for _, d := range h.Dates {
		if !d.valid() {
			return fmt.Errorf("holiday %s: no such day", d)
		}
		c.days[d.number()] = nil
	}
	days := 0
	for _, y := range h.Yearly {
		if err := y.check(); err != nil {
			return err
		}
		if days += max(y.Days, 1); days > maxYearlyDays {
			return fmt.Errorf("yearly holidays: more than %d days a year", maxYearlyDays)
		}
		c.closeYearly(y)
	}
	return nil
}

func (c *Calendar) closeYearly(y Yearly) {
	for year := max(y.First.Year, firstYear-1); year <= lastYear; year++ {
		first, ok := y.in(year)
		for n := 0; ok && n < max(y.Days, 1); n++ {
			c.days[first.number()+n] = nil
		}
	}
}
