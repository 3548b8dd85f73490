package schedules

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"frontdesk/store"
	"frontdesk/tickets"
)

func mustCron(t testing.TB, line string, zone *time.Location) cronLine {
	t.Helper()
	c, err := readCron(line, zone)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustTime(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// The clock is put forward at 02:00 and back at 03:00; months have no 31st; a
// year has no 29 February.
func TestCronLinesAtTheEdgesOfTheCalendar(t *testing.T) {
	t.Parallel()
	berlin := mustZone(t, "Europe/Berlin")
	for _, c := range []struct {
		name, line, from string
		want             []string
	}{
		{"a skipped time runs after the gap", "30 2 * * 0", "2027-03-27T12:00:00Z",
			[]string{"2027-03-28T01:00:00Z", "2027-04-04T00:30:00Z"}},
		{"a repeated time runs the first time", "30 2 25 10 *", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T00:30:00Z", "2027-10-25T00:30:00Z"}},
		{"each hour of the short day", "0 1-4 28 3 *", "2027-03-27T12:00:00Z",
			[]string{"2027-03-28T00:00:00Z", "2027-03-28T01:00:00Z", "2027-03-28T02:00:00Z", "2028-03-27T23:00:00Z"}},
		{"eight in the morning", "0 8 * * *", "2026-10-24T12:00:00Z",
			[]string{"2026-10-25T07:00:00Z", "2026-10-26T07:00:00Z"}},
		{"on the 31st", "0 8 31 * *", "2026-10-31T12:00:00Z",
			[]string{"2026-12-31T07:00:00Z", "2027-01-31T07:00:00Z", "2027-03-31T06:00:00Z"}},
		{"on 29 February", "0 8 29 2 *", "2026-01-01T00:00:00Z",
			[]string{"2028-02-29T07:00:00Z", "2032-02-29T07:00:00Z"}},
		{"in a zone of its own", "TZ=Asia/Kathmandu 0 8 * * mon", "2026-11-20T00:00:00Z",
			[]string{"2026-11-23T02:15:00Z", "2026-11-30T02:15:00Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			line, at := mustCron(t, c.line, berlin), mustTime(t, c.from)
			for _, want := range c.want {
				if at = line.next(at); at.UTC().Format(time.RFC3339) != want {
					t.Fatalf("%s, want %s", at.UTC().Format(time.RFC3339), want)
				}
			}
		})
	}
}

// A rule for every hour runs by the hours that there are.
func TestEveryHourOfAShortAndALongDay(t *testing.T) {
	t.Parallel()
	line := mustCron(t, "0 * * * *", mustZone(t, "Europe/Berlin"))
	for day, want := range map[string]int{"2027-03-28": 23, "2026-10-25": 25, "2026-11-22": 24} {
		start, err := time.ParseInLocation(time.DateOnly, day, line.zone)
		if err != nil {
			t.Fatal(err)
		}
		end := start.AddDate(0, 0, 1)
		if got := len(line.between(start.Add(-time.Second), end.Add(-time.Second))); got != want {
			t.Errorf("%s: %d times, want %d", day, got, want)
		}
	}
}

// What cannot be read is an error; nothing runs by UTC because a zone is not
// known.
func TestCronLinesThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"", "0 8 * *", "TZ=Europe/Berln 0 8 * * *", "TZ= 0 8 * * *", "TZ=Local 0 8 * * *", "TZ=0", "@daily", "0 25 * * *", "TZ=UTC"} {
		if c, err := readCron(line, time.UTC); err == nil {
			t.Errorf("%q: next %s", line, c.next(time.Unix(0, 0)))
		}
	}
	if c, err := readCron("0 8 31 2 *", time.UTC); err != nil || !c.next(time.Unix(0, 0)).IsZero() {
		t.Errorf("30 February comes: %v", err)
	}
}

// In every zone a daily line comes once a day, whatever the clock does there.
func TestADailyLineComesOncePerDay(t *testing.T) {
	t.Parallel()
	zones := []string{"Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Auckland", "UTC"}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		minute, hour := rapid.IntRange(0, 59).Draw(t, "minute"), rapid.IntRange(0, 23).Draw(t, "hour")
		c, err := readCron(time.Date(0, 1, 1, hour, minute, 0, 0, time.UTC).Format("4 15")+" * * *", zone)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 1, 1, 12, 0, 0, 0, zone).AddDate(0, 0, rapid.IntRange(0, 700).Draw(t, "day"))
		at = c.next(at)
		for range 30 {
			next := c.next(at)
			if days := next.Sub(at).Hours() / 24; days < 0.95 || days > 1.05 {
				t.Fatalf("%s, then %s", at, next)
			}
			at = next
		}
	})
}

func TestWhatPassedDuringAStandstill(t *testing.T) {
	t.Parallel()
	daily := mustCron(t, "0 8 * * *", time.UTC)
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		name, catchUp string
		last, now     time.Time
		want          []time.Time // At, Since, At, Since, …
		then          time.Time   // how far it is afterwards
	}{
		{"nothing yet", "latest", at(10, 8), at(11, 7), nil, at(10, 8)},
		{"on time", "latest", at(10, 8), at(11, 8), []time.Time{at(11, 8), at(10, 8)}, at(11, 8)},
		{"the latest, for all", "latest", at(10, 8), at(13, 9), []time.Time{at(13, 8), at(10, 8)}, at(13, 8)},
		{"without a word the latest", "", at(10, 8), at(13, 9), []time.Time{at(13, 8), at(10, 8)}, at(13, 8)},
		{"each of them", "all", at(10, 8), at(13, 9), []time.Time{at(11, 8), at(10, 8), at(12, 8), at(11, 8), at(13, 8), at(12, 8)}, at(13, 8)},
		{"none", "none", at(10, 8), at(13, 12), nil, at(13, 8)},
		{"none but today's", "none", at(10, 8), at(13, 8).Add(time.Minute), []time.Time{at(13, 8), at(12, 8)}, at(13, 8)},
		{"two hours back", "latest", at(10, 8), at(10, 6), nil, at(10, 8)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := planned(daily, tickets.Schedule{Key: "x", CatchUp: c.catchUp}, store.Run{Brand: "b", At: c.last}, c.now)
			var got []time.Time
			for _, o := range p.do {
				got = append(got, o.At, o.Since)
			}
			if !slices.Equal(got, c.want) || !p.run.At.Equal(c.then) || p.alert != "" {
				t.Errorf("%v, then at %s (%q), want %v, at %s", got, p.run.At, p.alert, c.want, c.then)
			}
		})
	}
}

func TestEachOfAYearOfOccurrencesIsTooMany(t *testing.T) {
	t.Parallel()
	hourly := mustCron(t, "0 * * * *", time.UTC)
	last := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	p := planned(hourly, tickets.Schedule{CatchUp: "all"}, store.Run{At: last}, last.Add(50*24*time.Hour))
	if len(p.do) != mostCaughtUp || !p.do[0].Since.Equal(last) {
		t.Errorf("%d occurrences from %v", len(p.do), p.do[0].Since)
	}
}

// A clock that jumps ahead by a year is not believed at once, and forgotten when
// it comes back; one that stays there is believed after a day.
func TestAClockThatJumpsAYearAheadAndBack(t *testing.T) {
	t.Parallel()
	daily := mustCron(t, "0 8 * * *", time.UTC)
	s := tickets.Schedule{Key: "x"}
	now := time.Date(2026, 11, 10, 9, 0, 0, 0, time.UTC)
	run := store.Run{At: now.Add(-time.Hour)}
	step := func(now time.Time, do int, alert bool) {
		t.Helper()
		p := planned(daily, s, run, now)
		if len(p.do) != do || (p.alert != "") != alert {
			t.Errorf("%s: %d runs, alert %q, want %d, %t", now, len(p.do), p.alert, do, alert)
		}
		if p.save {
			run = p.run
		}
	}
	year := now.AddDate(0, 0, 400)
	step(year, 0, true)
	step(year.Add(30*time.Second), 0, false)
	step(year.Add(23*time.Hour), 0, false)
	step(now.Add(time.Hour), 0, false) // back: as if nothing had been
	step(now.Add(23*time.Hour), 1, false)
	step(year, 0, true)
	step(year.Add(25*time.Hour), 1, false) // it has stayed: a desk that slept for a year
	step(year.Add(48*time.Hour), 1, false)
	step(now.Add(48*time.Hour), 1, true) // and was wrong nevertheless
	step(now.Add(49*time.Hour), 0, false)
	step(now.Add(72*time.Hour), 1, false)
}
