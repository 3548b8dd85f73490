package sla_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"frontdesk/sla"
)

// Days go by the calendar: February, leap days and the turn of the year.
func TestDatesAreCountedByTheCalendar(t *testing.T) {
	t.Parallel()
	day := func(y int, m time.Month, d int) sla.Date { return sla.Date{Year: y, Month: m, Day: d} }
	for _, c := range []struct {
		from sla.Date
		days int
		want sla.Date
	}{
		{day(2028, 2, 28), 1, day(2028, 2, 29)},
		{day(2028, 2, 29), 1, day(2028, 3, 1)},
		{day(2027, 2, 28), 1, day(2027, 3, 1)},
		{day(2027, 1, 1), -1, day(2026, 12, 31)},
		{day(2026, 12, 31), -30, day(2026, 12, 1)},
	} {
		if got := c.from.Add(c.days); got != c.want || got.Since(c.from) != c.days {
			t.Errorf("%s + %d = %s (%d days on), want %s", c.from, c.days, got, got.Since(c.from), c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := day(2026, 1, 1).Add(rapid.IntRange(-40000, 40000).Draw(t, "day"))
		n := rapid.IntRange(-40000, 40000).Draw(t, "days")
		if e := d.Add(n); e.Since(d) != n || e.Before(d) != (n < 0) || e.After(d) != (n > 0) {
			t.Fatalf("%s + %d = %s", d, n, e)
		}
	})
}
