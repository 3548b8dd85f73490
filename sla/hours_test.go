package sla

import (
	"testing"
	"time"
)

func mustCalendar(t testing.TB, h Hours) *Calendar {
	t.Helper()
	c, err := NewCalendar(h)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// local reads "2006-01-02 15:04" in the calendar's zone.
func local(t testing.TB, c *Calendar, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, c.Location())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func mustDuration(t testing.TB, text string) Duration {
	t.Helper()
	d, err := ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestSeedNumbers is the promises of the procedure documents: 4 and 2 business
// hours, 24, 48 and 72 hours, 5 working days, from Mon–Fri 10:00–17:40 and
// Sat 09:30–13:30.
func TestSeedNumbers(t *testing.T) {
	kathmandu, berlin := seedHours("Asia/Kathmandu"), seedHours("Europe/Berlin")
	for _, h := range []*Hours{&kathmandu, &berlin} {
		h.Holidays.Dates = []Date{{2026, 12, 25}}
	}
	for _, test := range []struct {
		name   string
		hours  Hours
		from   string
		within string
		want   string
	}{
		{"Friday 17:00", kathmandu, "2026-01-02 17:00", "4 business hours", "2026-01-03 12:50"},
		{"Friday 17:00", kathmandu, "2026-01-02 17:00", "2 business hours", "2026-01-03 10:50"},
		{"Saturday 13:29", kathmandu, "2026-01-03 13:29", "4 business hours", "2026-01-05 13:59"},
		{"Saturday 13:29", kathmandu, "2026-01-03 13:29", "2 business hours", "2026-01-05 11:59"},
		{"Sunday", kathmandu, "2026-01-04 12:00", "4 business hours", "2026-01-05 14:00"},
		{"Sunday", kathmandu, "2026-01-04 12:00", "2 business hours", "2026-01-05 12:00"},
		{"holiday, a Friday", kathmandu, "2026-12-25 11:00", "4 business hours", "2026-12-26 13:30"},
		{"holiday, a Friday", kathmandu, "2026-12-25 11:00", "2 business hours", "2026-12-26 11:30"},
		{"evening before the holiday", kathmandu, "2026-12-24 17:30", "4 business hours", "2026-12-26 13:20"},
		{"until closing", kathmandu, "2026-01-05 13:40", "4 business hours", "2026-01-05 17:40"},
		{"a minute later", kathmandu, "2026-01-05 13:41", "4 business hours", "2026-01-06 10:01"},
		{"before opening", kathmandu, "2026-01-05 03:00", "4 business hours", "2026-01-05 14:00"},

		{"Friday 17:00, clock put forward on Sunday", berlin, "2026-03-27 17:00", "4 business hours", "2026-03-28 12:50"},
		{"Saturday 13:29, clock put forward", berlin, "2026-03-28 13:29", "4 business hours", "2026-03-30 13:59"},
		{"Sunday in the skipped hour's night", berlin, "2026-03-29 03:30", "2 business hours", "2026-03-30 12:00"},
		{"Saturday 13:29, clock put back", berlin, "2026-10-24 13:29", "2 business hours", "2026-10-26 11:59"},
		{"Sunday of the clock put back", berlin, "2026-10-25 12:00", "4 business hours", "2026-10-26 14:00"},

		{"critical", kathmandu, "2026-01-03 20:00", "24 hours", "2026-01-04 20:00"},
		{"high", kathmandu, "2026-01-03 20:00", "48 hours", "2026-01-05 20:00"},
		{"medium", kathmandu, "2026-01-03 20:00", "72 hours", "2026-01-06 20:00"},
		{"critical, clock put forward", berlin, "2026-03-28 20:00", "24 hours", "2026-03-29 21:00"},
		{"medium, clock put back", berlin, "2026-10-24 20:00", "72 hours", "2026-10-27 19:00"},

		{"low, Wednesday", kathmandu, "2026-01-07 11:00", "5 working days", "2026-01-13 11:00"},
		{"low, Friday 17:00: Thursday", kathmandu, "2026-01-02 17:00", "5 working days", "2026-01-08 17:00"},
		{"low, Monday 17:00: Saturday closes before", kathmandu, "2026-01-05 17:00", "5 working days", "2026-01-10 13:30"},
		{"low, Saturday 09:45: Friday opens later", kathmandu, "2026-01-03 09:45", "5 working days", "2026-01-09 10:00"},
		{"low, after closing counts from the next opening", kathmandu, "2026-01-02 18:30", "5 working days", "2026-01-09 10:00"},
		{"low, Sunday counts from Monday 10:00", kathmandu, "2026-01-04 12:00", "5 working days", "2026-01-10 10:00"},
		{"low, over the holiday", kathmandu, "2026-12-23 11:00", "5 working days", "2026-12-30 11:00"},
		{"low, clock put forward", berlin, "2026-03-25 11:00", "5 working days", "2026-03-31 11:00"},
		{"at once", kathmandu, "2026-01-04 12:00", "immediately", "2026-01-04 12:00"},
	} {
		t.Run(test.name+", "+test.within, func(t *testing.T) {
			t.Parallel()
			c := mustCalendar(t, test.hours)
			from, want := local(t, c, test.from), local(t, c, test.want)
			got, ok := mustDuration(t, test.within).From(from, c)
			if !ok || !got.Equal(want) {
				t.Errorf("%s from %s: got %s, %v, want %s", test.within, from, got.In(c.Location()), ok, want)
			}
		})
	}
}

// TestClockChanges holds what the package says of skipped and repeated hours.
func TestClockChanges(t *testing.T) {
	berlin := mustZone("Europe/Berlin")
	c := mustCalendar(t, Hours{Location: berlin, Week: everyDay(Span{2*60 + 30, 4 * 60})})
	night := mustCalendar(t, Hours{Location: berlin, Week: everyDay(Span{2*60 + 10, 2*60 + 50})})
	until := mustCalendar(t, Hours{Location: berlin, Week: everyDay(Span{60, 2*60 + 30})})
	utc := func(text string) time.Time { return local(t, Always(nil), text) }
	for _, test := range []struct {
		name      string
		c         *Calendar
		from      string // UTC
		opens     string
		closes    string
		openHours time.Duration
	}{
		{"skipped opening: first instant after the gap", c, "2026-03-29 00:00", "2026-03-29 01:00", "2026-03-29 02:00", time.Hour},
		{"skipped as a whole: the day after", night, "2026-03-29 00:00", "2026-03-30 00:10", "2026-03-30 00:50", 40 * time.Minute},
		{"repeated opening: the first", c, "2026-10-24 23:00", "2026-10-25 00:30", "2026-10-25 03:00", 150 * time.Minute},
		{"repeated closing: the first", until, "2026-10-24 22:00", "2026-10-24 23:00", "2026-10-25 00:30", 90 * time.Minute},
		{"not open a second time", night, "2026-10-25 00:55", "2026-10-26 01:10", "2026-10-26 01:50", 40 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			opens, ok := test.c.NextOpening(utc(test.from))
			if !ok || !opens.Equal(utc(test.opens)) {
				t.Fatalf("opens %s, %v, want %s", opens, ok, test.opens)
			}
			closes, ok := test.c.NextClosing(opens)
			if !ok || !closes.Equal(utc(test.closes)) {
				t.Errorf("closes %s, %v, want %s", closes, ok, test.closes)
			}
			if got := test.c.Between(opens, closes); got != test.openHours {
				t.Errorf("open for %s, want %s", got, test.openHours)
			}
		})
	}
}

func TestNextClosingJoinsSpans(t *testing.T) {
	h := Hours{Location: mustZone("Europe/Berlin")}
	h.Week[time.Friday] = []Span{{9 * 60, 12 * 60}, {12 * 60, 17 * 60}, {22 * 60, 30 * 60}}
	h.Week[time.Saturday] = []Span{{6 * 60, 8 * 60}}
	c := mustCalendar(t, h)
	for _, test := range []struct{ from, want string }{
		{"2026-01-02 09:30", "2026-01-02 17:00"},
		{"2026-01-02 23:00", "2026-01-03 08:00"},
		{"2026-01-02 18:00", "2026-01-02 18:00"},
		{"2026-01-02 17:00", "2026-01-02 17:00"},
	} {
		if got, ok := c.NextClosing(local(t, c, test.from)); !ok || !got.Equal(local(t, c, test.want)) {
			t.Errorf("from %s: closes %s, %v, want %s", test.from, got.In(c.Location()), ok, test.want)
		}
	}
}

// TestHolidayCutsNight: a holiday is closed from midnight to midnight, whether
// the night is written as one span or as two.
func TestHolidayCutsNight(t *testing.T) {
	for name, week := range map[string][7][]Span{
		"one span":  everyDay(Span{22 * 60, 30 * 60}),
		"two spans": everyDay(Span{0, 6 * 60}, Span{22 * 60, 24 * 60}),
	} {
		c := mustCalendar(t, Hours{Week: week, Holidays: Holidays{Dates: []Date{{2026, 12, 25}}}})
		if got := c.Between(local(t, c, "2026-12-24 12:00"), local(t, c, "2026-12-26 12:00")); got != 8*time.Hour {
			t.Errorf("%s: open for %s around the holiday, want 8h", name, got)
		}
	}
}

func TestNeverEnds(t *testing.T) {
	var closed []Date
	for d := range 7 {
		closed = append(closed, Date{2026, 1, 1 + d})
	}
	dying := Hours{Days: map[Date][]Span{{2026, 1, 5}: {{600, 660}}}}
	for name, c := range map[string]*Calendar{
		"nil":            nil,
		"no hours":       mustCalendar(t, Hours{}),
		"a last opening": mustCalendar(t, dying),
		"closed for good": mustCalendar(t, Hours{Week: everyDay(Span{0, 1440}),
			Holidays: Holidays{Yearly: []Yearly{{First: Date{1970, 1, 1}, Days: 366}}}}),
	} {
		from := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
		if at, ok := c.NextOpening(from); ok {
			t.Errorf("%s: opens at %s", name, at)
		}
		if at, ok := c.Add(from, time.Minute); ok {
			t.Errorf("%s: a minute ends at %s", name, at)
		}
		if at, ok := c.AddWorkingDays(from, 1); ok {
			t.Errorf("%s: a working day ends at %s", name, at)
		}
		if at, ok := c.NextClosing(from); !ok || !at.Equal(from) {
			t.Errorf("%s: closes at %s, %v", name, at, ok)
		}
		if d := c.Between(from, from.AddDate(50, 0, 0)); d != 0 {
			t.Errorf("%s: open for %s", name, d)
		}
	}
	if at, ok := Always(nil).NextClosing(closed[0].time()); ok {
		t.Errorf("always open: closes at %s", at)
	}
	if at, ok := Always(nil).Add(closed[0].time(), 1<<62); ok {
		t.Errorf("146 years of open time end at %s", at)
	}
}

func (d Date) time() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

func TestAddAndBetweenAgree(t *testing.T) {
	for _, w := range worlds() {
		for m := 24 * 60; m < simMinutes/2; m += 7919 {
			from := at(m)
			for _, d := range []time.Duration{time.Nanosecond, 90 * time.Second, time.Hour, 40 * time.Hour} {
				end, ok := w.calendar.Add(from, d)
				if back := w.calendar.Between(from, end); !ok || back != d {
					t.Fatalf("%s: %s + %s = %s, %v; between them %s", w.name, from, d, end, ok, back)
				}
				if almost := w.calendar.Between(from, end.Add(-1)); almost != d-1 {
					t.Fatalf("%s: %s + %s = %s is not the first such instant", w.name, from, d, end)
				}
				if back := w.calendar.Between(end, from); back != -d {
					t.Fatalf("%s: back from %s: %s, want -%s", w.name, end, back, d)
				}
			}
			if w.calendar.Open(from) != w.open[m] {
				t.Fatalf("%s: open at %s: %v", w.name, from, !w.open[m])
			}
		}
	}
}

// TestCalendarsAgainstWorlds compares the arithmetic with walking.
func TestCalendarsAgainstWorlds(t *testing.T) {
	for _, w := range worlds() {
		r := newRand(4)
		for range 300 {
			m, _ := randomEvents(r)
			from, minutes, n := m[0].minute, 1+r.IntN(3000), 1+r.IntN(6)
			if got, ok := w.calendar.Add(at(from), time.Duration(minutes)*time.Minute); !ok || !got.Equal(at(w.add(from, minutes))) {
				t.Fatalf("%s: %s and %d minutes: got %s, %v, want %s", w.name, at(from), minutes, got, ok, at(w.add(from, minutes)))
			}
			if got, want := w.calendar.Between(at(from), at(from+minutes)), time.Duration(w.between(from, from+minutes))*time.Minute; got != want {
				t.Fatalf("%s: %s and %d minutes: open for %s, want %s", w.name, at(from), minutes, got, want)
			}
			if got, ok := w.calendar.AddWorkingDays(at(from), n); !ok || !got.Equal(at(w.workingDays(from, n))) {
				t.Fatalf("%s: %s and %d working days: got %s, %v, want %s", w.name, at(from), n, got, ok, at(w.workingDays(from, n)))
			}
		}
	}
}

func TestApiaHadNoFriday(t *testing.T) {
	c := mustCalendar(t, Hours{Location: mustZone("Pacific/Apia"), Week: everyDay(Span{9 * 60, 17 * 60})})
	from := local(t, c, "2011-12-29 12:00")
	if got, ok := c.AddWorkingDays(from, 1); !ok || !got.Equal(local(t, c, "2011-12-31 12:00")) {
		t.Errorf("a working day after %s: %s, %v", from, got.In(c.Location()), ok)
	}
}

func TestNewCalendarRefuses(t *testing.T) {
	for name, h := range map[string]Hours{
		"backwards":           {Week: everyDay(Span{600, 600})},
		"before midnight":     {Week: everyDay(Span{-1, 600})},
		"after midnight":      {Week: everyDay(Span{1440, 1500})},
		"longer than a day":   {Week: everyDay(Span{600, 600 + 1441})},
		"overlap":             {Week: everyDay(Span{600, 720}, Span{700, 800})},
		"overlap at night":    {Week: everyDay(Span{0, 360}, Span{1320, 1700})},
		"no such holiday":     {Holidays: Holidays{Dates: []Date{{2026, 2, 30}}}},
		"no such yearly":      {Holidays: Holidays{Yearly: []Yearly{{First: Date{2026, 13, 1}}}}},
		"yearly for ever":     {Holidays: Holidays{Yearly: []Yearly{{First: Date{2026, 1, 1}, Days: 367}}}},
		"day over midnight":   {Days: map[Date][]Span{{2026, 1, 1}: {{600, 1500}}}},
		"day that is not one": {Days: map[Date][]Span{{2026, 0, 1}: nil}},
		"day with an overlap": {Days: map[Date][]Span{{2026, 1, 1}: {{600, 700}, {650, 800}}}},
	} {
		if _, err := NewCalendar(h); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestCalendarKeepsItsHours: what was given may be changed afterwards.
func TestCalendarKeepsItsHours(t *testing.T) {
	spans := []Span{{600, 660}}
	c := mustCalendar(t, Hours{Week: everyDay(Span{0, 1440}), Days: map[Date][]Span{{2026, 1, 1}: spans}})
	spans[0] = Span{0, 1440}
	if got := c.Between(Date{2026, 1, 1}.time(), Date{2026, 1, 2}.time()); got != time.Hour {
		t.Errorf("open for %s, want 1h", got)
	}
}
