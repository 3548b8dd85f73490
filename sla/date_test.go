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

// A time that the clock never shows is the first instant after the gap; one that
// it shows twice is the first of the two.
func TestATimeOfADayAtTheChangesOfTheClock(t *testing.T) {
	t.Parallel()
	zone := func(name string) *time.Location {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	for _, c := range []struct {
		zone    string
		day     sla.Date
		minutes int
		want    string
	}{
		{"Europe/Berlin", sla.Date{Year: 2027, Month: 3, Day: 28}, 2*60 + 30, "2027-03-28T01:00:00Z"},
		{"Europe/Berlin", sla.Date{Year: 2026, Month: 10, Day: 25}, 2*60 + 30, "2026-10-25T00:30:00Z"},
		{"Europe/Berlin", sla.Date{Year: 2026, Month: 10, Day: 25}, 8 * 60, "2026-10-25T07:00:00Z"},
		{"America/Santiago", sla.Date{Year: 2026, Month: 9, Day: 6}, 0, "2026-09-06T04:00:00Z"},    // midnight is skipped
		{"Pacific/Apia", sla.Date{Year: 2011, Month: 12, Day: 30}, 8 * 60, "2011-12-30T10:00:00Z"}, // the day is
		{"Asia/Kathmandu", sla.Date{Year: 2026, Month: 11, Day: 22}, 8 * 60, "2026-11-22T02:15:00Z"},
		{"UTC", sla.Date{Year: 2028, Month: 2, Day: 29}, 23*60 + 59, "2028-02-29T23:59:00Z"},
	} {
		if got := c.day.At(c.minutes, zone(c.zone)).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s %d minutes in %s: %s, want %s", c.day, c.minutes, c.zone, got, c.want)
		}
	}
}
