package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		want    Duration
		says    string
		elapsed time.Duration // 0: needs a calendar
	}{
		{"2 business hours", Duration{2, UnitBusinessHour}, "2 business hours", 0},
		{"1 business hour", Duration{1, UnitBusinessHour}, "1 business hour", 0},
		{"4 working hours", Duration{4, UnitBusinessHour}, "4 business hours", 0},
		{"5 working days", Duration{5, UnitWorkingDay}, "5 working days", 0},
		{"5 Business  Days", Duration{5, UnitWorkingDay}, "5 working days", 0},
		{"24 hours", Duration{24, UnitHour}, "24 hours", 24 * time.Hour},
		{"24h", Duration{24, UnitHour}, "24 hours", 24 * time.Hour},
		{"30m", Duration{30, UnitMinute}, "30 minutes", 30 * time.Minute},
		{"1h30m", Duration{90, UnitMinute}, "90 minutes", 90 * time.Minute},
		{" 60s ", Duration{60, UnitSecond}, "60 seconds", time.Minute},
		{"3 days", Duration{3, UnitDay}, "3 days", 72 * time.Hour},
		{"1 week", Duration{1, UnitWeek}, "1 week", 168 * time.Hour},
	} {
		got, err := ParseDuration(c.text)
		if err != nil || got != c.want || got.String() != c.says {
			t.Errorf("%q: got %+v %q, %v; want %+v %q", c.text, got, got, err, c.want, c.says)
		}
		if span, ok := got.Elapsed(); span != c.elapsed || ok != (c.elapsed != 0) {
			t.Errorf("%q: elapsed %v, %v; want %v", c.text, span, ok, c.elapsed)
		}
		if again, err := ParseDuration(got.String()); err != nil || again != got {
			t.Errorf("%q: %q reads as %+v, %v", c.text, got, again, err)
		}
	}
	for _, text := range []string{"", "soon", "0 hours", "-1 hours", "2", "2 fortnights", "1.5 hours", "999999999 weeks", "100000 weeks", "40000 days", "2 business", "1ms", "300000h"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, got)
		}
	}
	if never, err := ParseDuration("Never"); err != nil || never != (Duration{0, UnitNever}) || never.String() != "never" {
		t.Errorf("never: %+v, %v", never, err)
	}
	if _, ok := (Duration{0, UnitNever}).Elapsed(); ok {
		t.Error("never has elapsed")
	}
	if now, err := ParseDuration("immediately"); err != nil || now.IsZero() || now.String() != "immediately" {
		t.Errorf("immediately: %+v, %v", now, err)
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want Size
		says string
	}{
		{"25MB", 25 << 20, "25 MB"}, {"25 mb", 25 << 20, "25 MB"}, {"1GiB", 1 << 30, "1 GB"},
		{"512KB", 512 << 10, "512 KB"}, {"1500", 1500, "1500 B"}, {"1500B", 1500, "1500 B"},
	} {
		if got, err := ParseSize(c.text); err != nil || got != c.want || got.String() != c.says {
			t.Errorf("%q: got %d %q, %v; want %d %q", c.text, int64(got), got, err, int64(c.want), c.says)
		}
	}
	for _, text := range []string{"", "MB", "-1MB", "1.5MB", "25 megs", "99999999999MB"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func TestHours(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{`{mon-fri: "09:00-12:00, 13:00-17:00"}`, "[[] [09:00-12:00 13:00-17:00] [09:00-12:00 13:00-17:00] [09:00-12:00 13:00-17:00] [09:00-12:00 13:00-17:00] [09:00-12:00 13:00-17:00] []]"},
		{`{mon: ["13:00-17:00", "09:00-12:00"], tue: closed}`, "[[] [09:00-12:00 13:00-17:00] [] [] [] [] []]"},
		{`{sat-mon: "00:00-24:00"}`, "[[00:00-24:00] [00:00-24:00] [] [] [] [] [00:00-24:00]]"},
		{`{Monday: "9:00-10:00", "tue, thurs": "09:00-10:00"}`, "[[] [09:00-10:00] [09:00-10:00] [] [09:00-10:00] [] []]"},
		{`{mon-sun: "00:00-24:00"}`, "[[00:00-24:00] [00:00-24:00] [00:00-24:00] [00:00-24:00] [00:00-24:00] [00:00-24:00] [00:00-24:00]]"},
	} {
		cfg := mustLoad(t, openFolder(t), strings.Replace(sound, "name: Example", "name: Example\n    hours: "+c.text, 1), nil)
		if got := fmt.Sprint(cfg.Brands[0].Hours); got != c.want {
			t.Errorf("%s: got %s, want %s", c.text, got, c.want)
		}
	}
}

func TestElapsedKeysTakeWhatTestsNeed(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, openFolder(t), sound+"closing: {remind_after: 200ms, close_after: 2 days}\n", nil)
	if cfg.Closing.RemindAfter != 200*time.Millisecond || cfg.Closing.CloseAfter != 48*time.Hour {
		t.Errorf("got %+v", cfg.Closing)
	}
}
