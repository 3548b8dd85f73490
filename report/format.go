package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"frontdesk/sla"
	"frontdesk/tickets"
)

// span shows how long something took, in the two largest units: "45 min", "1 h
// 20 min", "2 d 4 h".
func span(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	days, hours, rest := minutes/1440, minutes/60%24, minutes%60
	join := func(a int, unit string, b int, small string) string {
		if b == 0 {
			return fmt.Sprintf("%d %s", a, unit)
		}
		return fmt.Sprintf("%d %s %d %s", a, unit, b, small)
	}
	switch {
	case days > 0:
		return join(days, "d", hours, "h")
	case hours > 0:
		return join(hours, "h", rest, "min")
	case minutes == 0 && d > 0:
		return "< 1 min"
	}
	return fmt.Sprintf("%d min", rest)
}

// spread is the median, "–" of nothing.
func spread(s tickets.Spread) string {
	if s.Count == 0 {
		return "–"
	}
	return span(s.Median)
}

func (w *words) percent(share float64, ok bool) string {
	if !ok {
		return "–"
	}
	return strconv.Itoa(int(math.Round(100*share))) + " %"
}

// number shows one place behind the point.
func (w *words) number(x float64) string {
	s := strconv.FormatFloat(x, 'f', 1, 64)
	if s == "-0.0" {
		s = "0.0"
	}
	return strings.Replace(s, ".", w.decimal, 1)
}

// day shows a date: "16 November 2026".
func (w *words) day(d sla.Date) string {
	return fmt.Sprintf(w.date, d.Day, w.months[d.Month-1], d.Year)
}

// period shows the days of [from, to): "16–22 November 2026", "28 September – 4
// October 2026".
func (w *words) period(from, to time.Time, zone *time.Location) string {
	a, b := sla.DateOf(from.In(zone)), sla.DateOf(to.Add(-time.Nanosecond).In(zone))
	switch {
	case a == b:
		return w.day(a)
	case a.Year == b.Year && a.Month == b.Month:
		return fmt.Sprintf(w.nth, a.Day) + "–" + w.day(b)
	case a.Year == b.Year:
		return fmt.Sprintf(w.nth, a.Day) + " " + w.months[a.Month-1] + " – " + w.day(b)
	}
	return w.day(a) + " – " + w.day(b)
}

// hours shows time that was worked.
func hours(minutes int) string {
	switch {
	case minutes < 60:
		return fmt.Sprintf("%d min", minutes)
	case minutes%60 == 0:
		return fmt.Sprintf("%d h", minutes/60)
	}
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}

func zoneOf(f tickets.Figures) *time.Location {
	if zone, err := time.LoadLocation(f.Zone); err == nil {
		return zone
	}
	return time.UTC
}

// Arrows of a change; the words beside them say the same to those who do not see.
const (
	up   = "▲"
	down = "▼"
)

// change compares two amounts: "▲ 20 % more". up and down are the names of the
// words for more and less.
func (w *words) change(now, before float64, more, less string) string {
	switch {
	case now == before:
		return w.say("same")
	case before == 0:
		return up + " " + w.say("new")
	case now > before:
		return fmt.Sprintf("%s %s %s", up, rise(now, before), w.say(more))
	}
	return fmt.Sprintf("%s %s %s", down, rise(now, before), w.say(less))
}

// rise is by how much of before something changed, never 0 %.
func rise(now, before float64) string {
	p := math.Abs(now-before) / math.Abs(before) * 100
	if p < 0.5 {
		return "< 1 %"
	}
	return fmt.Sprintf("%.0f %%", p)
}

// points compares two shares in percentage points.
func (w *words) points(now, before float64) string {
	switch p := math.Round(now) - math.Round(before); {
	case p > 0:
		return fmt.Sprintf("%s %.0f %s %s", up, p, w.say("points"), w.say("higher"))
	case p < 0:
		return fmt.Sprintf("%s %.0f %s %s", down, -p, w.say("points"), w.say("lower"))
	}
	return w.say("same")
}
