package sla

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

var icsWeekdays = map[string]time.Weekday{
	"SU": time.Sunday, "MO": time.Monday, "TU": time.Tuesday, "WE": time.Wednesday,
	"TH": time.Thursday, "FR": time.Friday, "SA": time.Saturday,
}

// repeat takes the recurrence rule (RFC 5545 section 3.3.10) into the holiday
// and returns where it ends: after the day until, or after count times; neither
// means never.
func (y *Yearly) repeat(rule string) (until Date, count int, err error) {
	parts := map[string]string{}
	for part := range strings.SplitSeq(strings.ToUpper(rule), ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if _, twice := parts[name]; twice || !ok {
			return until, 0, fmt.Errorf("%q cannot be read", part)
		}
		parts[name] = value
	}
	if parts["FREQ"] != "YEARLY" {
		return until, 0, fmt.Errorf("not supported (allowed: FREQ=YEARLY)")
	}
	for name, value := range parts {
		switch name {
		case "FREQ", "WKST", "BYDAY":
		case "INTERVAL":
			y.Every, err = ruleNumber(value, 1, 1000)
		case "COUNT":
			count, err = ruleNumber(value, 1, maxICSRepeat)
		case "UNTIL":
			until, err = ruleUntil(value)
		case "BYMONTH":
			err = same(value, int(y.First.Month))
		case "BYMONTHDAY":
			err = same(value, y.First.Day)
		default:
			err = fmt.Errorf("not supported")
		}
		if err != nil {
			return until, 0, fmt.Errorf("%s: %w", name, err)
		}
	}
	if byDay, ok := parts["BYDAY"]; ok {
		err = y.byDay(byDay, parts)
	}
	return until, count, err
}

// byDay reads 4TH and -1MO. Without BYMONTH they would count through the year.
func (y *Yearly) byDay(value string, parts map[string]string) error {
	_, inMonth := parts["BYMONTH"]
	_, onDay := parts["BYMONTHDAY"]
	split := max(len(value)-2, 0)
	weekday, known := icsWeekdays[value[split:]]
	nth, err := strconv.Atoi(value[:split])
	if !known || err != nil || nth == 0 || nth < -5 || nth > 5 || !inMonth || onDay {
		return fmt.Errorf("BYDAY: not supported (allowed: one such as 4TH or -1MO, with BYMONTH)")
	}
	y.Nth, y.Weekday = nth, weekday
	if nthWeekday(y.First.Year, y.First.Month, nth, weekday) != y.First.Day {
		return fmt.Errorf("BYDAY: %s is not that day", y.First)
	}
	return nil
}

func ruleNumber(value string, low, high int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%q is not a number from %d to %d", value, low, high)
	}
	return n, nil
}

// ruleUntil reads the last day; a time behind the date adds nothing to a whole
// day.
func ruleUntil(value string) (Date, error) {
	day, _, _ := strings.Cut(value, "T")
	t, err := time.Parse("20060102", day)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a day", value)
	}
	return dateOf(t), nil
}

// same refuses a rule that names other days than the event begins on.
func same(value string, want int) error {
	if n, err := strconv.Atoi(value); err != nil || n != want {
		return fmt.Errorf("%q is not where the event begins", value)
	}
	return nil
}
