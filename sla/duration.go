package sla

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Unit is what a Duration counts.
type Unit string

// The units.
const (
	Immediately  Unit = "immediately"   // Count is 0: due when it begins
	Never        Unit = "never"         // Count is 0: no promise, where a rule takes one away
	Second       Unit = "second"        // elapsed
	Minute       Unit = "minute"        // elapsed
	Hour         Unit = "hour"          // elapsed
	Day          Unit = "day"           // elapsed: 24 hours
	Week         Unit = "week"          // elapsed: 7 × 24 hours
	BusinessHour Unit = "business hour" // counts while the desk is open
	WorkingDay   Unit = "working day"   // counts dates on which the desk opens
)

// elapsedUnits are the units that a clock on the wall can count, largest first.
var elapsedUnits = []struct {
	unit Unit
	long time.Duration
}{
	{Week, 7 * 24 * time.Hour},
	{Day, 24 * time.Hour},
	{Hour, time.Hour},
	{Minute, time.Minute},
	{Second, time.Second},
}

// Duration is a span of time as people promise it: "2 business hours", "24
// hours", "5 working days". The zero value means that no span is set.
type Duration struct {
	Count int
	Unit  Unit
}

// maxCount keeps a span far from the end of time.Duration: the largest are
// 100,000 business hours, and 36,500 of the elapsed days in hundred years.
const (
	maxCount   = 100_000
	maxElapsed = 36_500 * 24 * time.Hour
)

var unitWords = map[string]Unit{
	"s": Second, "sec": Second, "second": Second,
	"m": Minute, "min": Minute, "minute": Minute,
	"h": Hour, "hour": Hour,
	"d": Day, "day": Day,
	"w": Week, "week": Week,
	"business hour": BusinessHour, "working hour": BusinessHour,
	"working day": WorkingDay, "business day": WorkingDay,
}

var countAndUnit = regexp.MustCompile(`^([0-9]{1,9})\s*([a-z]+(?:\s+[a-z]+)?)$`)

// ParseDuration reads "2 business hours", "24 hours", "5 working days", "30m",
// "1h30m", "immediately" and "never". Spans are whole seconds, at least one,
// and at most a hundred years or 100,000 business hours or working days.
func ParseDuration(text string) (Duration, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if unit := Unit(text); unit == Immediately || unit == Never {
		return Duration{0, unit}, nil
	}
	d, ok := countedDuration(text)
	if !ok {
		d, ok = compactDuration(text)
	}
	if !ok || !d.valid() {
		return Duration{}, fmt.Errorf("%q is not a span of time (allowed: 30m, 24 hours, 3 days, 2 business hours, 5 working days, immediately)", text)
	}
	return d, nil
}

// countedDuration reads a number and a unit.
func countedDuration(text string) (Duration, bool) {
	m := countAndUnit.FindStringSubmatch(text)
	if m == nil {
		return Duration{}, false
	}
	word := strings.Join(strings.Fields(m[2]), " ")
	unit, ok := unitWords[word]
	if !ok && len(word) > 2 { // "ms" is no plural
		unit, ok = unitWords[strings.TrimSuffix(word, "s")]
	}
	count, err := strconv.Atoi(m[1])
	return Duration{count, unit}, ok && err == nil
}

// compactDuration reads 1h30m, in the largest unit that divides it, hours at most.
func compactDuration(text string) (Duration, bool) {
	span, err := time.ParseDuration(text)
	if err != nil || span <= 0 || span%time.Second != 0 {
		return Duration{}, false
	}
	for _, u := range elapsedUnits[2:] {
		if span%u.long == 0 {
			return Duration{int(span / u.long), u.unit}, true
		}
	}
	return Duration{}, false
}

// valid reports whether the span is one that ParseDuration returns.
func (d Duration) valid() bool {
	switch d.Unit {
	case Immediately, Never:
		return d.Count == 0
	case BusinessHour, WorkingDay:
		return d.Count > 0 && d.Count <= maxCount
	}
	for _, u := range elapsedUnits {
		if u.unit == d.Unit {
			return d.Count > 0 && int64(d.Count) <= int64(maxElapsed/u.long)
		}
	}
	return false
}

// IsZero reports whether no span is set.
func (d Duration) IsZero() bool { return d.Unit == "" }

// Set reports whether the span promises anything: it is neither zero, nor Never,
// nor out of bounds.
func (d Duration) Set() bool { return d.Unit != Never && d.valid() }

// Open reports whether the span counts open time, and not all that elapses.
func (d Duration) Open() bool { return d.Unit == BusinessHour || d.Unit == WorkingDay }

// Elapsed returns the span on the wall clock; ok is false for business hours
// and working days, which only a calendar can turn into time, and for spans
// that promise nothing.
func (d Duration) Elapsed() (span time.Duration, ok bool) {
	if d.Unit == Immediately {
		return 0, true
	}
	for _, u := range elapsedUnits {
		if u.unit == d.Unit && d.valid() {
			return time.Duration(d.Count) * u.long, true
		}
	}
	return 0, false
}

// From returns when the span that begins at t has passed. ok is false for a
// span that promises nothing or is out of bounds, and when the desk is not open
// for so long within a hundred years.
func (d Duration) From(t time.Time, c *Calendar) (due time.Time, ok bool) {
	switch {
	case !d.valid():
		return time.Time{}, false
	case d.Unit == BusinessHour:
		return c.Add(t, time.Duration(d.Count)*time.Hour)
	case d.Unit == WorkingDay:
		return c.AddWorkingDays(t, d.Count)
	}
	span, ok := d.Elapsed()
	return t.Add(span).UTC(), ok
}

// String returns the span as ParseDuration reads it; "" for the zero value.
func (d Duration) String() string {
	switch {
	case d.Unit == "" || d.Unit == Immediately || d.Unit == Never:
		return string(d.Unit)
	case d.Count == 1:
		return "1 " + string(d.Unit)
	}
	return fmt.Sprintf("%d %ss", d.Count, d.Unit)
}

// MarshalText returns String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDuration reads, and "" as the zero value.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*d = Duration{}
		return nil
	}
	*d, err = ParseDuration(string(text))
	return err
}
