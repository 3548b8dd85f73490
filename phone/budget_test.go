package phone

import (
	"testing"
	"time"
)

// F09: toll fraud.
func TestLimits(t *testing.T) {
	t.Parallel()
	l := Limits{Prefixes: []string{"+49", "+1415", "+97"}, Denied: []string{"+4932"}, Segments: 10, Calls: 2}
	for _, c := range []struct {
		to       string
		segments int
		spent    Spent
		text     Refusal
		call     Refusal
	}{
		{"+4915112345678", 1, Spent{}, Allowed, Allowed},
		{"whatsapp:+4915112345678", 1, Spent{}, Allowed, Allowed},
		{"+14155552671", 3, Spent{Segments: 7, Calls: 1}, Allowed, Allowed},
		{"+14155552671", 4, Spent{Segments: 7, Calls: 2}, RefusedSegments, RefusedCalls},
		{"+4915112345678", 0, Spent{Segments: 10}, RefusedSegments, Allowed},
		{"+12125551234", 1, Spent{}, RefusedPrefix, RefusedPrefix},
		{"+960300000", 1, Spent{}, RefusedPrefix, RefusedPrefix},
		{"+493212345678", 1, Spent{}, RefusedPrefix, RefusedPrefix},
		{"+499001123456", 1, Spent{}, RefusedPremium, RefusedPremium},
		{"+4990011234567", 1, Spent{}, RefusedPremium, RefusedPremium},   // one digit too many
		{"+499001123456789", 1, Spent{}, RefusedPremium, RefusedPremium}, // three
		{"+979123456789", 1, Spent{}, RefusedPremium, RefusedPremium},
		{"+266696687", 1, Spent{}, RefusedNumber, RefusedNumber},
		{"anonymous", 1, Spent{}, RefusedNumber, RefusedNumber},
		{"72345", 1, Spent{}, RefusedNumber, RefusedNumber},
		{"sip:a@b", 1, Spent{}, RefusedNumber, RefusedNumber},
	} {
		to := ParseParty(c.to, "")
		if got := l.Text(to, c.segments, c.spent); got != c.text {
			t.Errorf("text to %s after %+v: got %q, want %q", c.to, c.spent, got, c.text)
		}
		if got := l.Call(to, c.spent); got != c.call {
			t.Errorf("call to %s after %+v: got %q, want %q", c.to, c.spent, got, c.call)
		}
	}
}

func TestLimitsFailClosed(t *testing.T) {
	t.Parallel()
	to := ParseParty("+4915112345678", "")
	for _, prefixes := range [][]string{nil, {""}, {"+"}, {"49"}, {"+49x"}, {"4"}} {
		l := Limits{Prefixes: prefixes, Segments: 10, Calls: 10}
		if got := l.Text(to, 1, Spent{}); got != RefusedPrefix || got.Budget() {
			t.Errorf("%q: %q", prefixes, got)
		}
	}
	if got := (Limits{Prefixes: []string{"+49"}}).Call(to, Spent{}); got != RefusedCalls || !got.Budget() {
		t.Error(got)
	}
}

// Five hundred requests spend one day's budget and no more.
func TestBudgetOfADay(t *testing.T) {
	t.Parallel()
	l := Limits{Prefixes: []string{"+49"}, Segments: 100}
	to, sent := ParseParty("+4915112345678", ""), 0
	for range 500 {
		if l.Text(to, 3, Spent{Segments: sent}) == Allowed {
			sent += 3
		}
	}
	if sent != 99 {
		t.Error(sent)
	}
}

func TestDay(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   string
		zone *time.Location
		want string
	}{
		{"2026-03-28T22:59:59Z", berlin, "2026-03-28"},
		{"2026-03-28T23:00:00Z", berlin, "2026-03-29"},
		{"2026-03-29T21:59:59Z", berlin, "2026-03-29"}, // 23 hours
		{"2026-03-29T22:00:00Z", berlin, "2026-03-30"},
		{"2026-03-28T23:00:00Z", nil, "2026-03-28"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := Day(at, c.zone); got != c.want {
			t.Errorf("%s: got %s, want %s", c.at, got, c.want)
		}
	}
}
