package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Span is one opening of a day, in minutes since midnight: Open < Close ≤ 1440.
type Span struct {
	Open, Close int
}

// String returns "10:00-17:40".
func (s Span) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", s.Open/60, s.Open%60, s.Close/60, s.Close%60)
}

// Hours is when a brand is open: the spans of each day, indexed by
// time.Weekday, sorted and free of overlap. An empty day is closed.
type Hours [7][]Span

var dayNames = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// weekday returns the day for "mon", "Monday", "mon." and so on.
func weekday(text string) (time.Weekday, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	for d := time.Sunday; d <= time.Saturday; d++ {
		long := strings.ToLower(d.String())
		if len(text) >= 3 && strings.HasPrefix(long, text) {
			return d, true
		}
	}
	return 0, false
}

// daysOf reads "mon", "mon-fri", "sat-mon", "mon, wed".
func daysOf(text string) ([]time.Weekday, error) {
	var out []time.Weekday
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, ok := weekday(first)
		to, ok2 := from, true
		if isRange {
			to, ok2 = weekday(last)
		}
		if !ok || !ok2 {
			return nil, fmt.Errorf("%q is not a day (allowed: %s, mon-fri)", text, strings.Join(dayNames, ", "))
		}
		out = append(out, from)
		for d := from; d != to; {
			d = (d + 1) % 7
			out = append(out, d)
		}
	}
	return out, nil
}

// spansOf reads "09:00-12:00, 13:00-17:00"; "closed" and "" are no span.
func spansOf(text string) ([]Span, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "closed" {
		return nil, nil
	}
	var out []Span
	for part := range strings.SplitSeq(text, ",") {
		from, to, ok := strings.Cut(part, "-")
		if !ok {
			return nil, fmt.Errorf("%q is not a span (allowed: 09:00-17:00, several separated by commas, closed)", strings.TrimSpace(part))
		}
		open, err := minuteOfDay(from)
		if err != nil {
			return nil, err
		}
		shut, err := minuteOfDay(to)
		if err != nil {
			return nil, err
		}
		if open >= shut {
			return nil, fmt.Errorf("%q ends before it begins: write a night as two days, 22:00-24:00 and 00:00-06:00", strings.TrimSpace(part))
		}
		out = append(out, Span{open, shut})
	}
	slices.SortFunc(out, func(a, b Span) int { return cmp.Compare(a.Open, b.Open) })
	for i := 1; i < len(out); i++ {
		if out[i].Open < out[i-1].Close {
			return nil, fmt.Errorf("%s and %s overlap", out[i-1], out[i])
		}
	}
	return out, nil
}

// defaultHours is what an absent key means; the tag of Brand.Hours says the same.
func defaultHours() Hours {
	var h Hours
	for d := time.Monday; d <= time.Friday; d++ {
		h[d] = []Span{{9 * 60, 17 * 60}}
	}
	return h
}

func (h *Hours) decode(l *loader, path string, n *node) {
	if n.kind == kindScalar && n.line == 0 { // the default of the tag
		*h = defaultHours()
		return
	}
	if n.kind != kindMapping {
		l.wrongShape(path, n, kindMapping)
		return
	}
	seen, open := map[time.Weekday]string{}, false
	for _, e := range n.entries {
		key := join(path, e.key)
		l.lines[key] = e.line
		days, err := daysOf(e.key)
		if err != nil {
			l.add(key, "%v", err)
			continue
		}
		text, ok := l.spansText(key, e.value)
		if !ok {
			continue
		}
		spans, err := spansOf(text)
		if err != nil {
			l.add(key, "%v", err)
			continue
		}
		for _, d := range days {
			if other, twice := seen[d]; twice {
				l.add(key, "%s is in %q too", strings.ToLower(d.String()), other)
				break
			}
			seen[d], h[d] = e.key, spans
		}
		open = open || len(spans) > 0
	}
	if !open && !l.faulty(path) {
		l.add(path, "never open: business hours would not end (example: {mon-fri: \"09:00-17:00\"})")
	}
}

// spansText returns the text of one day's spans; a list is joined by commas.
func (l *loader) spansText(key string, n *node) (string, bool) {
	switch n.kind {
	case kindNull:
		return "", true
	case kindSequence:
		var parts []string
		for _, item := range n.items {
			text, ok := l.scalar(key, item)
			if !ok {
				return "", false
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, ","), true
	}
	return l.scalar(key, n)
}

// Date is a day of the calendar.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// String returns "2026-12-25".
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// MarshalText returns String.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Holidays are the days on which a brand is closed.
type Holidays struct {
	Dates []Date   // sorted, each once
	Files []string // absolute names of .ics files that exist
}

func (h *Holidays) decode(l *loader, path string, n *node) {
	items := n.items
	switch {
	case n.kind == kindScalar && n.text == "":
		return
	case n.kind == kindScalar:
		items = []*node{n}
	case n.kind != kindSequence:
		l.wrongShape(path, n, kindSequence)
		return
	}
	for i, item := range items {
		key := path
		if n.kind == kindSequence {
			key = fmt.Sprintf("%s[%d]", path, i)
			l.lines[key] = item.line
		}
		if text, ok := l.scalar(key, item); ok {
			h.add(l, key, text)
		}
	}
	slices.SortFunc(h.Dates, func(a, b Date) int { return cmp.Compare(a.String(), b.String()) })
	h.Dates = slices.Compact(h.Dates)
}

func (h *Holidays) add(l *loader, key, text string) {
	if strings.EqualFold(filepath.Ext(text), ".ics") {
		file := l.absolute(text)
		if info, err := l.stat(file); err != nil || !info.Mode().IsRegular() {
			l.add(key, "%q: no such file", text)
			return
		}
		h.Files = append(h.Files, file)
		return
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		l.add(key, "%q is not a day (allowed: 2026-12-25, or an .ics file)", text)
		return
	}
	h.Dates = append(h.Dates, Date{day.Year(), day.Month(), day.Day()})
}
