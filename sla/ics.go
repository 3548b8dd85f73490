package sla

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Limits of an .ics file. A country's holidays of ten years take 100 KB.
const (
	maxICS       = 1 << 20 // bytes
	maxICSEvents = 10_000
	maxICSRepeat = 1_000 // occurrences of one event that has an end, and its exceptions
	maxICSDays   = 100_000
)

// ParseICS reads the holidays of an iCalendar file (RFC 5545): its all-day
// events, once or FREQ=YEARLY (INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY, one
// BYDAY such as 4TH or -1MO; EXDATE). Cancelled events are left out.
//
// What would make a holiday come on other days than the file says is an error
// with its line: other recurrences, events with a time of day, more than 1 MB
// or 10,000 events. Everything else in the file is not looked at.
func ParseICS(data []byte) (Holidays, error) {
	if len(data) > maxICS {
		return Holidays{}, fmt.Errorf("%d bytes are above the limit of %d", len(data), maxICS)
	}
	r := icsReader{}
	for _, l := range unfold(string(data)) {
		if err := r.line(l); err != nil {
			return Holidays{}, fmt.Errorf("line %d: %w", l.number, err)
		}
	}
	switch {
	case !r.calendar:
		return Holidays{}, fmt.Errorf("no BEGIN:VCALENDAR: not an .ics file")
	case len(r.open) > 0:
		return Holidays{}, fmt.Errorf("no END:%s: the file is cut off", r.open[len(r.open)-1])
	}
	return r.found, nil
}

// icsLine is one content line, and where it begins.
type icsLine struct {
	number int // 1 is the first
	text   string
}

// unfold joins continued lines. RFC 5545 section 3.1
func unfold(text string) []icsLine {
	text = strings.TrimPrefix(text, "\ufeff")
	var out []icsLine
	var parts []string // of the last line
	flush := func() {
		if len(out) > 0 {
			out[len(out)-1].text = strings.Join(parts, "")
		}
	}
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		line = strings.TrimSuffix(line, "\r")
		if len(out) > 0 && (strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")) {
			parts = append(parts, line[1:])
			continue
		}
		if line != "" {
			flush()
			out, parts = append(out, icsLine{number: number}), append(parts[:0], line)
		}
	}
	flush()
	return out
}

// property splits NAME;PARAM=VALUE:value; a quoted parameter may hold a colon.
func (l icsLine) property() (name, params, value string) {
	quoted := false
	for i, r := range l.text {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ':' && !quoted:
			name, params, _ = strings.Cut(l.text[:i], ";")
			return strings.ToUpper(strings.TrimSpace(name)), strings.ToUpper(params), strings.TrimSpace(l.text[i+1:])
		}
	}
	return "", "", ""
}

// icsReader collects the events of a file.
type icsReader struct {
	found    Holidays
	calendar bool
	open     []string // components that have begun and not ended
	events   int
	event    icsEvent
}

// icsEvent is what is known of the event being read.
type icsEvent struct {
	start, end icsDay
	days       int // by DURATION; 0 not given
	rule       string
	except     []Date
	cancelled  bool
}

// icsDay is a date, or midnight in local time, which is how Outlook writes one.
type icsDay struct {
	date Date
	set  bool
}

func (r *icsReader) line(l icsLine) error {
	name, params, value := l.property()
	switch name {
	case "BEGIN":
		return r.begin(strings.ToUpper(value))
	case "END":
		return r.end(strings.ToUpper(value))
	}
	// Alarms within an event, and the rules of a time zone, have dates too.
	if len(r.open) == 0 || r.open[len(r.open)-1] != "VEVENT" {
		return nil
	}
	return r.event.set(name, params, value)
}

func (r *icsReader) begin(component string) error {
	if component == "VCALENDAR" {
		r.calendar = true
	}
	if component == "VEVENT" {
		if r.events++; r.events > maxICSEvents {
			return fmt.Errorf("more than %d events", maxICSEvents)
		}
		r.event = icsEvent{}
	}
	if len(r.open) >= 8 {
		return fmt.Errorf("BEGIN:%s: nested too deep", component)
	}
	r.open = append(r.open, component)
	return nil
}

func (r *icsReader) end(component string) error {
	if n := len(r.open); n == 0 || r.open[n-1] != component {
		return fmt.Errorf("END:%s without its BEGIN", component)
	}
	r.open = r.open[:len(r.open)-1]
	if component != "VEVENT" || r.event.cancelled {
		return nil
	}
	return r.event.addTo(&r.found)
}

func (e *icsEvent) set(name, params, value string) (err error) {
	switch name {
	case "DTSTART":
		e.start, err = parseICSDay(params, value)
	case "DTEND":
		e.end, err = parseICSDay(params, value)
	case "DURATION":
		e.days, err = parseICSDays(value)
	case "RRULE":
		if e.rule != "" {
			return fmt.Errorf("a second RRULE: not supported")
		}
		e.rule = value
	case "RDATE", "EXRULE":
		return fmt.Errorf("%s: not supported", name)
	case "EXDATE":
		for part := range strings.SplitSeq(value, ",") {
			day, err := parseICSDay(params, part)
			if err != nil {
				return err
			}
			if e.except = append(e.except, day.date); len(e.except) > maxICSRepeat {
				return fmt.Errorf("more than %d exceptions", maxICSRepeat)
			}
		}
	case "STATUS":
		e.cancelled = strings.EqualFold(value, "CANCELLED")
	}
	return err
}

func parseICSDay(params, value string) (icsDay, error) {
	text := strings.TrimSpace(value)
	if !strings.Contains(params, "VALUE=DATE") || strings.Contains(params, "VALUE=DATE-TIME") {
		text = strings.TrimSuffix(text, "T000000")
	}
	t, err := time.Parse("20060102", text)
	if err != nil {
		return icsDay{}, fmt.Errorf("%q is not a whole day (allowed: 20261225)", value)
	}
	return icsDay{dateOf(t), true}, nil
}

// parseICSDays reads P1D and P2W. RFC 5545 section 3.3.6
func parseICSDays(value string) (int, error) {
	for unit, days := range map[string]int{"D": 1, "W": 7} {
		count, ok := strings.CutSuffix(strings.TrimPrefix(value, "+"), unit)
		count, ok2 := strings.CutPrefix(count, "P")
		n, err := strconv.ParseUint(count, 10, 8)
		if ok && ok2 && err == nil && n > 0 {
			return int(n) * days, nil
		}
	}
	return 0, fmt.Errorf("duration %q is not whole days (allowed: P1D)", value)
}

// addTo adds the event's days.
func (e *icsEvent) addTo(h *Holidays) error {
	if !e.start.set {
		return fmt.Errorf("an event without DTSTART")
	}
	y := Yearly{First: e.start.date, Days: max(e.days, 1), Except: e.except}
	if e.end.set {
		// The end is the day after (section 3.6.1); some write the same day.
		y.Days = max(e.end.date.number()-e.start.date.number(), 1)
		if e.end.date.number() < e.start.date.number() {
			return fmt.Errorf("an event ends on %s, before it begins on %s", e.end.date, e.start.date)
		}
	}
	if y.Days > maxHolidayDays {
		return fmt.Errorf("an event of %d days: not a holiday", y.Days)
	}
	if e.rule == "" {
		return h.addDays(y.First, y.Days)
	}
	until, count, err := y.repeat(e.rule)
	if err != nil {
		return fmt.Errorf("RRULE:%s: %w", e.rule, err)
	}
	if until.IsZero() && count == 0 {
		h.Yearly = append(h.Yearly, y)
		return nil
	}
	return h.expand(y, until, count)
}

func (h *Holidays) addDays(first Date, days int) error {
	if len(h.Dates)+days > maxICSDays {
		return fmt.Errorf("more than %d holidays", maxICSDays)
	}
	for n := range days {
		h.Dates = append(h.Dates, numbered(first.number()+n))
	}
	return nil
}

// expand adds each occurrence of a holiday that ends. What EXDATE leaves out
// is counted by COUNT all the same (section 3.3.10).
func (h *Holidays) expand(y Yearly, until Date, count int) error {
	all := y
	all.Except = nil
	seen := 0
	for year := y.First.Year; year <= 9999; year++ {
		d, ok := all.in(year)
		if !until.IsZero() && year > until.Year || ok && !until.IsZero() && d.number() > until.number() {
			return nil
		}
		if !ok {
			continue
		}
		if seen++; seen > maxICSRepeat {
			return fmt.Errorf("an event that comes more than %d times", maxICSRepeat)
		}
		if _, ok := y.in(year); ok {
			if err := h.addDays(d, max(y.Days, 1)); err != nil {
				return err
			}
		}
		if seen == count {
			return nil
		}
	}
	return nil
}
