package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Unit is what a Duration counts.
type Unit string

const (
	UnitNow          Unit = "immediately"   // Count is 0
	UnitNever        Unit = "never"         // Count is 0: nothing is promised
	UnitSecond       Unit = "second"        // elapsed
	UnitMinute       Unit = "minute"        // elapsed
	UnitHour         Unit = "hour"          // elapsed
	UnitDay          Unit = "day"           // elapsed: 24 hours
	UnitWeek         Unit = "week"          // elapsed: 7 × 24 hours
	UnitBusinessHour Unit = "business hour" // counts while the brand is open
	UnitWorkingDay   Unit = "working day"   // counts days on which the brand opens
)

// elapsedUnits are the units that a clock on the wall can count, largest first.
var elapsedUnits = []struct {
	unit Unit
	long time.Duration
}{
	{UnitWeek, 7 * 24 * time.Hour},
	{UnitDay, 24 * time.Hour},
	{UnitHour, time.Hour},
	{UnitMinute, time.Minute},
	{UnitSecond, time.Second},
}

// Duration is a time span as people promise it: "2 business hours", "24 hours",
// "5 working days". The zero value means that no span is set.
type Duration struct {
	Count int
	Unit  Unit
}

// IsZero reports whether no span is set.
func (d Duration) IsZero() bool { return d.Unit == "" }

// Elapsed returns the span on the wall clock; ok is false for business hours
// and working days, which only a calendar can turn into time.
func (d Duration) Elapsed() (span time.Duration, ok bool) {
	if d.Unit == UnitNow {
		return 0, true
	}
	for _, u := range elapsedUnits {
		if u.unit == d.Unit {
			return time.Duration(d.Count) * u.long, true
		}
	}
	return 0, false
}

// String returns the span as ParseDuration reads it; "" for the zero value.
func (d Duration) String() string {
	switch {
	case d.IsZero():
		return ""
	case d.Unit == UnitNow || d.Unit == UnitNever:
		return string(d.Unit)
	case d.Count == 1:
		return "1 " + string(d.Unit)
	}
	return fmt.Sprintf("%d %ss", d.Count, d.Unit)
}

// MarshalText returns String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

const durationForms = "allowed: 30m, 24 hours, 3 days, 2 business hours, 5 working days"

// maxCount keeps a span far from the end of time.Duration.
const maxCount = 100_000

var unitWords = map[string]Unit{
	"s": UnitSecond, "sec": UnitSecond, "second": UnitSecond,
	"m": UnitMinute, "min": UnitMinute, "minute": UnitMinute,
	"h": UnitHour, "hour": UnitHour,
	"d": UnitDay, "day": UnitDay,
	"w": UnitWeek, "week": UnitWeek,
	"business hour": UnitBusinessHour, "working hour": UnitBusinessHour,
	"working day": UnitWorkingDay, "business day": UnitWorkingDay,
}

var countAndUnit = regexp.MustCompile(`^([0-9]{1,9})\s*([a-z]+(?:\s+[a-z]+)?)$`)

// ParseDuration reads "2 business hours", "24 hours", "5 working days", "30m",
// "1h30m", "immediately" and "never".
func ParseDuration(text string) (Duration, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == string(UnitNow) || text == string(UnitNever) {
		return Duration{0, Unit(text)}, nil
	}
	if m := countAndUnit.FindStringSubmatch(text); m != nil {
		word := strings.Join(strings.Fields(m[2]), " ")
		unit, ok := unitWords[word]
		if !ok && len(word) > 2 { // "ms" is no plural
			unit, ok = unitWords[strings.TrimSuffix(word, "s")]
		}
		count, err := strconv.Atoi(m[1])
		if d := (Duration{count, unit}); ok && err == nil && count > 0 && count <= maxCount && !d.endless() {
			return d, nil
		}
	}
	if span, err := time.ParseDuration(text); err == nil && span > 0 && span%time.Second == 0 && span <= maxCount*time.Second {
		return inUnits(span), nil
	}
	return Duration{}, fmt.Errorf("not a span of time (%s)", durationForms)
}

// endless reports whether the span is longer than any calendar that is kept.
func (d Duration) endless() bool {
	for _, u := range elapsedUnits {
		if u.unit == d.Unit {
			return int64(d.Count) > int64(maxElapsed/u.long)
		}
	}
	return false
}

// inUnits writes whole seconds in the largest unit that divides them, hours at most.
func inUnits(span time.Duration) Duration {
	for _, u := range elapsedUnits[2:] {
		if span%u.long == 0 {
			return Duration{int(span / u.long), u.unit}
		}
	}
	return Duration{}
}

func (d *Duration) decode(l *loader, path string, n *node) {
	text, ok := l.scalar(path, n)
	if !ok {
		return
	}
	parsed, err := ParseDuration(text)
	if err != nil {
		l.add(path, "%q: %v", n.text, err)
		return
	}
	*d = parsed
}

// maxElapsed is about a hundred years: no sum of times overflows.
const maxElapsed = 36_500 * 24 * time.Hour

// elapsed decodes a span that must not need a calendar.
func (l *loader) elapsed(path string, n *node, target *time.Duration) {
	text, ok := l.scalar(path, n)
	if !ok {
		return
	}
	span, err := time.ParseDuration(strings.TrimSpace(text)) // also what people do not write: 200ms
	if err != nil {
		d, _ := ParseDuration(text)
		span, _ = d.Elapsed()
	}
	if span <= 0 || span > maxElapsed {
		l.add(path, "%q: not a span of elapsed time (allowed: 60s, 30m, 24 hours, 3 days)", n.text)
		return
	}
	*target = span
}

// Size is a number of bytes.
type Size int64

var sizeForm = regexp.MustCompile(`^([0-9]{1,9})\s*(?i:(b|kb|kib|mb|mib|gb|gib)?)$`)

// ParseSize reads "25MB", "512 KB", "1GB" or plain bytes. 1 KB is 1024 bytes,
// because that is what a person's file manager says of a file.
func ParseSize(text string) (Size, error) {
	m := sizeForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return 0, fmt.Errorf("not a size (allowed: 25MB, 512KB, 1GB)")
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("not a size: %w", err)
	}
	shift := map[byte]int{'b': 0, 'k': 10, 'm': 20, 'g': 30}[(strings.ToLower(m[2]) + "b")[0]]
	return Size(n << shift), nil
}

// String returns the size as people write it: "25 MB".
func (s Size) String() string {
	for _, u := range []struct {
		shift int
		name  string
	}{{30, "GB"}, {20, "MB"}, {10, "KB"}} {
		if s > 0 && s%(1<<u.shift) == 0 {
			return fmt.Sprintf("%d %s", s>>u.shift, u.name)
		}
	}
	return fmt.Sprintf("%d B", int64(s))
}

func (s *Size) decode(l *loader, path string, n *node) {
	text, ok := l.scalar(path, n)
	if !ok {
		return
	}
	size, err := ParseSize(text)
	switch {
	case err != nil:
		l.add(path, "%q: %v", n.text, err)
	case size < 1<<10 || size > 1<<30:
		l.add(path, "%q is out of bounds (allowed: 1KB to 1GB)", n.text)
	default:
		*s = size
	}
}

// TimeOfDay is a time on the wall clock, 00:00 to 23:59.
type TimeOfDay struct {
	Hour, Minute int
}

// String returns "08:00".
func (t TimeOfDay) String() string { return fmt.Sprintf("%02d:%02d", t.Hour, t.Minute) }

// MarshalText returns String.
func (t TimeOfDay) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// minuteOfDay reads HH:MM; 24:00 is the end of the day.
func minuteOfDay(text string) (int, error) {
	hour, minute, ok := strings.Cut(strings.TrimSpace(text), ":")
	h, errH := strconv.ParseUint(hour, 10, 8)
	m, errM := strconv.ParseUint(minute, 10, 8)
	if !ok || errH != nil || errM != nil || len(minute) != 2 || m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, fmt.Errorf("%q is not a time of day (allowed: 00:00 to 24:00)", strings.TrimSpace(text))
	}
	return int(h)*60 + int(m), nil
}

// timeOfDay decodes HH:MM; "off" and "" are nil.
func (l *loader) timeOfDay(path string, n *node, target **TimeOfDay) {
	text, ok := l.scalar(path, n)
	if !ok || text == "" || text == "off" {
		return
	}
	minute, err := minuteOfDay(text)
	if err != nil || minute == 24*60 {
		l.add(path, "%q is not a time of day (allowed: 00:00 to 23:59, off for never)", n.text)
		return
	}
	*target = &TimeOfDay{minute / 60, minute % 60}
}

// location decodes the name of a time zone.
func (l *loader) location(path string, n *node, target **time.Location) {
	text, ok := l.scalar(path, n)
	if !ok {
		return
	}
	zone, err := time.LoadLocation(text)
	if err != nil || text == "" || text == "Local" {
		l.add(path, "unknown time zone %q (allowed: Area/City as in Europe/Berlin, or UTC)", n.text)
		return
	}
	*target = zone
}

// DSN names the database: "sqlite" or a postgres:// URL. It prints without its
// password; string(dsn) is the whole.
type DSN string

// IsPostgres reports whether the database is PostgreSQL; otherwise it is SQLite.
func (d DSN) IsPostgres() bool { return d != "sqlite" && d != "" }

func (d DSN) String() string {
	if !d.IsPostgres() {
		return string(d)
	}
	u, err := url.Parse(string(d))
	if err != nil {
		return redacted
	}
	if q := u.Query(); q.Has("password") {
		q.Set("password", "xxxxx")
		u.RawQuery = q.Encode()
	}
	return u.Redacted()
}

func (d DSN) GoString() string             { return strconv.Quote(d.String()) }
func (d DSN) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
func (d DSN) LogValue() slog.Value         { return slog.StringValue(d.String()) }

func (d *DSN) decode(l *loader, path string, n *node) {
	text, ok := l.scalar(path, n)
	if !ok {
		return
	}
	const allowed = "(allowed: sqlite, postgres://user@host:5432/name)"
	if text == "sqlite" {
		*d = "sqlite"
		return
	}
	// The value may hold a password: no finding quotes it.
	u, err := url.Parse(text)
	switch {
	case err != nil:
		l.add(path, "not a database URL %s", allowed)
	case u.Scheme != "postgres" && u.Scheme != "postgresql":
		l.add(path, "unknown database %s", allowed)
	case strings.Trim(u.Path, "/") == "":
		l.add(path, "no database name in the URL %s", allowed)
	default:
		*d = DSN(text)
	}
}
