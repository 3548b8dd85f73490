package schedules

import (
	"testing"
	"time"
	_ "time/tzdata"
)

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestTimeOfDayOverClockChanges(t *testing.T) {
	for _, c := range []struct {
		name, zone   string
		hour, minute int
		day          string // whose occurrence
		want         string // instant, UTC
	}{
		{"ordinary winter day", "Europe/Berlin", 8, 0, "2026-01-15", "2026-01-15T07:00:00Z"},
		{"ordinary summer day", "Europe/Berlin", 8, 0, "2026-07-15", "2026-07-15T06:00:00Z"},
		{"skipped: first instant after the gap", "Europe/Berlin", 2, 30, "2026-03-29", "2026-03-29T01:00:00Z"},
		{"before the gap", "Europe/Berlin", 1, 59, "2026-03-29", "2026-03-29T00:59:00Z"},
		{"end of the gap", "Europe/Berlin", 3, 0, "2026-03-29", "2026-03-29T01:00:00Z"},
		{"repeated: the first time", "Europe/Berlin", 2, 30, "2026-10-25", "2026-10-25T00:30:00Z"},
		{"repeated: its first minute", "Europe/Berlin", 2, 0, "2026-10-25", "2026-10-25T00:00:00Z"},
		{"after the repetition", "Europe/Berlin", 3, 0, "2026-10-25", "2026-10-25T02:00:00Z"},
		{"midnight skipped", "America/Sao_Paulo", 0, 0, "2018-11-04", "2018-11-04T03:00:00Z"},
		{"half an hour skipped", "Australia/Lord_Howe", 2, 15, "2026-10-04", "2026-10-03T15:30:00Z"},
		{"half an hour repeated", "Australia/Lord_Howe", 1, 45, "2026-04-05", "2026-04-04T14:45:00Z"},
		{"west of Greenwich, skipped", "America/New_York", 2, 30, "2026-03-08", "2026-03-08T07:00:00Z"},
		{"west of Greenwich, repeated", "America/New_York", 1, 30, "2026-11-01", "2026-11-01T05:30:00Z"},
		{"no daylight saving", "Asia/Kolkata", 8, 0, "2026-03-29", "2026-03-29T02:30:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			day, err := time.Parse(time.DateOnly, c.day)
			if err != nil {
				t.Fatal(err)
			}
			at := TimeOfDay{c.hour, c.minute, mustZone(t, c.zone)}
			y, m, d := day.Date()
			got := at.on(y, m, d)
			if got.UTC().Format(time.RFC3339) != c.want {
				t.Errorf("%02d:%02d in %s on %s = %s, want %s", c.hour, c.minute, c.zone, c.day, got.UTC().Format(time.RFC3339), c.want)
			}
		})
	}
}

// Each day of a year has one occurrence, and minute by minute it never goes back.
func TestTimeOfDayIsOnceADayAllYear(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"} {
		for _, year := range []int{2011, 2018, 2026} {
			at := TimeOfDay{2, 15, mustZone(t, zone)}
			days, last := map[string]bool{}, ""
			start := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
			for now := start; now.Before(start.AddDate(1, 0, 0)); now = now.Add(15 * time.Minute) {
				day, when := at.latest(now)
				if when.After(now) {
					t.Fatalf("%s at %s: the occurrence %s is in the future", zone, now, when)
				}
				if day < last {
					t.Fatalf("%s at %s: day %s after %s", zone, now, day, last)
				}
				last = day
				days[day] = true
			}
			if n := len(days); n < 365 || n > 367 {
				t.Errorf("%s %d: %d days", zone, year, n)
			}
		}
	}
}
