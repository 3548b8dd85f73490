package sla

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for _, test := range []struct {
		text string
		want Duration
		out  string
	}{
		{"24 hours", Duration{24, Hour}, "24 hours"},
		{"4 business hours", Duration{4, BusinessHour}, "4 business hours"},
		{" 5  Working   Days ", Duration{5, WorkingDay}, "5 working days"},
		{"1 business day", Duration{1, WorkingDay}, "1 working day"},
		{"1 working hour", Duration{1, BusinessHour}, "1 business hour"},
		{"immediately", Duration{0, Immediately}, "immediately"},
		{"never", Duration{0, Never}, "never"},
		{"30m", Duration{30, Minute}, "30 minutes"},
		{"90 sec", Duration{90, Second}, "90 seconds"},
		{"1h30m", Duration{90, Minute}, "90 minutes"},
		{"2h0m", Duration{2, Hour}, "2 hours"},
		{"3d", Duration{3, Day}, "3 days"},
		{"2 weeks", Duration{2, Week}, "2 weeks"},
		{"100000 business hours", Duration{100_000, BusinessHour}, "100000 business hours"},
	} {
		got, err := ParseDuration(test.text)
		if err != nil || got != test.want || got.String() != test.out {
			t.Errorf("%q: got %+v (%s), %v, want %+v (%s)", test.text, got, got, err, test.want, test.out)
		}
	}
	for _, text := range []string{"", "0 hours", "-1 hour", "4", "hours", "4 fortnights", "100001 working days", "5300 weeks", "500ms", "1.5 hours", "4 ms", "1h 30m", "999999999999 h", "immediately 3"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, got)
		}
	}
}

func TestDurationOutOfBounds(t *testing.T) {
	for _, d := range []Duration{{}, {0, Never}, {-1, Hour}, {1 << 40, Hour}, {1 << 40, BusinessHour}, {0, WorkingDay}, {1, "fortnight"}, {3, Immediately}} {
		if at, ok := d.From(time.Unix(0, 0), Always(nil)); ok || d.Set() {
			t.Errorf("%+v: set %v, due %s", d, d.Set(), at)
		}
		if span, ok := d.Elapsed(); ok && d.Unit != Immediately {
			t.Errorf("%+v: elapsed %s", d, span)
		}
	}
}

func FuzzDuration(f *testing.F) {
	for _, text := range []string{"24 hours", "4 business hours", "5 working days", "immediately", "1h30m", "3 weeks", "90s"} {
		f.Add(text)
	}
	c, err := NewCalendar(seedHours("Europe/Berlin"))
	if err != nil {
		f.Fatal(err)
	}
	from := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			return
		}
		again, err := ParseDuration(d.String())
		if err != nil || again != d {
			t.Fatalf("%q: %+v is written %q and read %+v, %v", text, d, d, again, err)
		}
		due, ok := d.From(from, c)
		if _, elapsed := d.Elapsed(); ok && due.Before(from) || !ok && elapsed {
			t.Fatalf("%q: due %s, %v", text, due, ok)
		}
	})
}
