package parser

import (
	"strconv"
	"strings"
	"time"
)

// calendar summarises the first text/calendar part (RFC 5545), nil for none.
func (p *parse) calendar() *Calendar {
	var c *Calendar
	p.root.each(false, func(q *part) bool {
		if c == nil && (q.is("text/calendar") || q.is("application/ics")) {
			label := q.ctype.params["charset"]
			if label == "" {
				label = "utf-8" // RFC 5545 section 3.1.4
			}
			text, _ := decodeText(q.content()[:min(len(q.content()), p.lim.Text)], label)
			c = readCalendar(newlines(text))
			if c.Method == "" {
				c.Method = strings.ToUpper(q.ctype.params["method"])
			}
		}
		return c == nil
	})
	return c
}

// readCalendar reads the first VEVENT of an iCalendar object.
func readCalendar(text string) *Calendar {
	c := &Calendar{}
	event, nested, done := false, 0, false
	lines := unfoldCalendar(text)
	zones := readZones(lines)
	for _, line := range lines {
		name, params, value := calendarLine(line)
		switch {
		case name == "METHOD" && c.Method == "":
			c.Method = strings.ToUpper(strings.TrimSpace(value))
		case name == "BEGIN" && value == "VEVENT" && !done:
			event = true
		case name == "BEGIN" && event:
			nested++ // an alarm has a summary and times of its own
		case name == "END" && nested > 0:
			nested--
		case name == "END" && value == "VEVENT":
			event, done = false, true
		case event && nested == 0:
			c.property(zones, name, params, value)
		}
	}
	return c
}

// unfoldCalendar joins folded lines (RFC 5545 section 3.1).
func unfoldCalendar(text string) []string {
	var out []string
	for _, l := range strings.Split(text, "\n") {
		if len(l) > 0 && (l[0] == ' ' || l[0] == '\t') && len(out) > 0 {
			if len(out[len(out)-1]) < 10_000 {
				out[len(out)-1] += l[1:]
			}
			continue
		}
		if len(out) >= 20_000 {
			break
		}
		out = append(out, l)
	}
	return out
}

// calendarLine takes "NAME;PARAM=x:value" apart.
func calendarLine(line string) (name, params, value string) {
	head, value := cutAny(line, ":")
	name, params, _ = strings.Cut(head, ";")
	return strings.ToUpper(strings.TrimSpace(name)), params, strings.TrimSpace(value)
}

// property takes over one property of the event.
func (c *Calendar) property(zones calendarZones, name, params, value string) {
	switch name {
	case "SUMMARY":
		set(&c.Summary, calendarText(value))
	case "LOCATION":
		set(&c.Location, calendarText(value))
	case "ORGANIZER":
		if len(value) > 7 && strings.EqualFold(value[:7], "mailto:") {
			value = value[7:]
		}
		set(&c.Organizer, value)
	case "DTSTART":
		c.Start = zones.calendarTime(params, value)
	case "DTEND":
		c.End = zones.calendarTime(params, value)
	}
}

var calendarEscapes = strings.NewReplacer(`\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";", `\\`, `\`)

// calendarText undoes the escapes of TEXT (RFC 5545 section 3.3.11).
func calendarText(v string) string {
	return calendarEscapes.Replace(clip(v, 2000))
}

// calendarTime reads DATE-TIME and DATE (RFC 5545 section 3.3.5) in the zone
// that params name; an unknown zone is taken as UTC.
func (z calendarZones) calendarTime(params, value string) time.Time {
	for _, layout := range []string{"20060102T150405Z", "20060102T150405", "20060102"} {
		t, err := time.Parse(layout, value)
		if err != nil {
			continue
		}
		for _, p := range strings.Split(params, ";") {
			if k, v, ok := strings.Cut(p, "="); ok && strings.EqualFold(k, "TZID") && layout == "20060102T150405" {
				offset := z[strings.Trim(v, `"`)].offset(t)
				return t.Add(-time.Duration(offset) * time.Second).In(time.FixedZone("", offset))
			}
		}
		return t
	}
	return time.Time{}
}

// calendarZones are the VTIMEZONEs of an object by TZID. They are used and not
// the machine's zone files: this package does no I/O, and names in mail are
// often Microsoft's.
type calendarZones map[string]*calendarZone

// calendarZone is what a VTIMEZONE says: offsets in seconds east and the rules
// by which they begin.
type calendarZone struct {
	standard, daylight zoneRule
}

type zoneRule struct {
	set          bool
	offset       int
	month, nth   int // n-th weekday of the month, -1 the last
	weekday      time.Weekday
	hour, minute int
}

// offset returns the seconds east that hold at local time t.
func (z *calendarZone) offset(t time.Time) int {
	if z == nil || !z.standard.set && !z.daylight.set {
		return 0
	}
	if !z.daylight.set || z.daylight.month == 0 || z.standard.month == 0 {
		if z.standard.set {
			return z.standard.offset
		}
		return z.daylight.offset
	}
	on, off := z.daylight.begins(t.Year()), z.standard.begins(t.Year())
	summer := !t.Before(on) && t.Before(off)
	if off.Before(on) { // southern half
		summer = !t.Before(on) || t.Before(off)
	}
	if summer {
		return z.daylight.offset
	}
	return z.standard.offset
}

// begins returns the local time at which the rule takes effect in a year.
func (r zoneRule) begins(year int) time.Time {
	first := time.Date(year, time.Month(r.month), 1, r.hour, r.minute, 0, 0, time.UTC)
	day := (int(r.weekday) - int(first.Weekday()) + 7) % 7
	if r.nth > 0 {
		return first.AddDate(0, 0, day+7*(r.nth-1))
	}
	last := first.AddDate(0, 0, day)
	for next := last; next.Month() == first.Month(); next = next.AddDate(0, 0, 7) {
		last = next
	}
	return last
}

// readZones reads the VTIMEZONEs of unfolded lines.
func readZones(lines []string) calendarZones {
	zones := calendarZones{}
	var z *calendarZone
	var rule *zoneRule
	for _, line := range lines {
		name, _, value := calendarLine(line)
		switch {
		case name == "BEGIN" && value == "VTIMEZONE" && len(zones) < 50:
			z = &calendarZone{}
		case name == "END" && value == "VTIMEZONE":
			z, rule = nil, nil
		case z == nil:
		case name == "TZID":
			zones[strings.Trim(value, `"`)] = z
		case name == "BEGIN" && value == "STANDARD":
			rule = &z.standard
		case name == "BEGIN" && value == "DAYLIGHT":
			rule = &z.daylight
		case rule != nil:
			rule.property(name, value)
		}
	}
	return zones
}

// property takes over one property of a STANDARD or DAYLIGHT rule.
func (r *zoneRule) property(name, value string) {
	switch name {
	case "TZOFFSETTO":
		if len(value) >= 5 && isDigits(value[1:5]) {
			h, _ := strconv.Atoi(value[1:3])
			m, _ := strconv.Atoi(value[3:5])
			r.offset, r.set = h*3600+m*60, true
			if value[0] == '-' {
				r.offset = -r.offset
			}
		}
	case "DTSTART":
		if t, err := time.Parse("20060102T150405", value); err == nil {
			r.hour, r.minute = t.Hour(), t.Minute()
		}
	case "RRULE":
		for _, p := range strings.Split(value, ";") {
			k, v, _ := strings.Cut(p, "=")
			switch strings.ToUpper(k) {
			case "BYMONTH":
				if m, err := strconv.Atoi(v); err == nil && m >= 1 && m <= 12 {
					r.month = m
				}
			case "BYDAY":
				r.byDay(strings.ToUpper(v))
			}
		}
	}
}

// byDay reads "-1SU", "2SU".
func (r *zoneRule) byDay(v string) {
	if len(v) < 3 {
		return
	}
	day := strings.Index("SUMOTUWETHFRSA", v[len(v)-2:])
	n, err := strconv.Atoi(v[:len(v)-2])
	if day >= 0 && day%2 == 0 && err == nil && n >= -1 && n <= 5 && n != 0 {
		r.weekday, r.nth = time.Weekday(day/2), n
	}
}
