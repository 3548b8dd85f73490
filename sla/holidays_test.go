package sla

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func ics(events ...string) []byte {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
	for _, e := range events {
		b.WriteString("BEGIN:VEVENT\r\n" + strings.ReplaceAll(e, "\n", "\r\n") + "\r\nEND:VEVENT\r\n")
	}
	b.WriteString("END:VCALENDAR\r\n")
	return []byte(b.String())
}

func days(texts ...string) (out []Date) {
	for _, text := range texts {
		d, err := ParseDate(text)
		if err != nil {
			panic(err)
		}
		out = append(out, d)
	}
	return out
}

func TestParseICS(t *testing.T) {
	for _, test := range []struct {
		name  string
		event string
		want  Holidays
	}{
		{"one day", "DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261226\nSUMMARY:Christmas", Holidays{Dates: days("2026-12-25")}},
		{"no end", "DTSTART;VALUE=DATE:20261225", Holidays{Dates: days("2026-12-25")}},
		{"end on the same day", "DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261225", Holidays{Dates: days("2026-12-25")}},
		{"duration", "DTSTART;VALUE=DATE:20261225\nDURATION:P2D", Holidays{Dates: days("2026-12-25", "2026-12-26")}},
		{"over the year", "DTSTART;VALUE=DATE:20261231\nDTEND;VALUE=DATE:20270102", Holidays{Dates: days("2026-12-31", "2027-01-01")}},
		{"midnight to midnight", "DTSTART;TZID=\"Europe: Berlin\":20261225T000000\nDTEND;TZID=x:20261226T000000", Holidays{Dates: days("2026-12-25")}},
		{"folded", "DTSTART;VALUE=DA\n TE:2026\n\t1225", Holidays{Dates: days("2026-12-25")}},
		{"cancelled", "DTSTART;VALUE=DATE:20261225\nSTATUS:CANCELLED", Holidays{}},
		{"alarm with a trigger", "DTSTART;VALUE=DATE:20261225\nBEGIN:VALARM\nDURATION:PT5M\nEND:VALARM", Holidays{Dates: days("2026-12-25")}},
		{"yearly", "DTSTART;VALUE=DATE:20001225\nDTEND;VALUE=DATE:20001227\nRRULE:FREQ=YEARLY", Holidays{Yearly: []Yearly{{First: Date{2000, 12, 25}, Days: 2}}}},
		{"yearly, every fourth", "DTSTART;VALUE=DATE:20000229\nRRULE:FREQ=YEARLY;INTERVAL=4;WKST=MO;BYMONTH=2;BYMONTHDAY=29", Holidays{Yearly: []Yearly{{First: Date{2000, 2, 29}, Days: 1, Every: 4}}}},
		{"yearly, three times", "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;COUNT=3", Holidays{Dates: days("2026-01-01", "2027-01-01", "2028-01-01")}},
		{"yearly, until", "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;UNTIL=20270101T235959Z", Holidays{Dates: days("2026-01-01", "2027-01-01")}},
		{"yearly, but one", "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;COUNT=3\nEXDATE;VALUE=DATE:20270101", Holidays{Dates: days("2026-01-01", "2028-01-01")}},
		{"fourth Thursday", "DTSTART;VALUE=DATE:20261126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=3", Holidays{Dates: days("2026-11-26", "2027-11-25", "2028-11-23")}},
		{"last Monday", "DTSTART;VALUE=DATE:20260525\nRRULE:FREQ=YEARLY;BYDAY=-1MO;BYMONTH=5;COUNT=3", Holidays{Dates: days("2026-05-25", "2027-05-31", "2028-05-29")}},
		{"29 February counts when it is", "DTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY;COUNT=2", Holidays{Dates: days("2024-02-29", "2028-02-29")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseICS(ics(test.event))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
}

func TestParseICSRefuses(t *testing.T) {
	for _, test := range []struct {
		name, want string
		data       []byte
	}{
		{"not a calendar", "no BEGIN:VCALENDAR", []byte("Date,Name\n2026-12-25,Christmas\n")},
		{"empty", "no BEGIN:VCALENDAR", nil},
		{"cut off", "cut off", []byte("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225")},
		{"too big", "limit", bytes.Repeat([]byte("x"), maxICS+1)},
		{"too many", "more than 10000 events", ics(slices.Repeat([]string{"DTSTART:20261225"}, maxICSEvents+1)...)},
		{"too many days", "more than 100000 holidays", ics(slices.Repeat([]string{"DTSTART:20260101\nDTEND:20270101"}, 300)...)},
		{"nested", "too deep", bytes.Repeat([]byte("BEGIN:VCALENDAR\n"), 20)},
		{"end alone", "line 2", []byte("BEGIN:VCALENDAR\nEND:VEVENT\n")},
		{"no start", "without DTSTART", ics("SUMMARY:x")},
		{"at a time", "line 4: \"20261225T090000\" is not a whole day", ics("DTSTART:20261225T090000")},
		{"no such day", "not a whole day", ics("DTSTART:20260230")},
		{"ends before", "before it begins", ics("DTSTART:20261225\nDTEND:20261224")},
		{"hours", "not whole days", ics("DTSTART:20261225\nDURATION:PT8H")},
		{"weekly", "FREQ=YEARLY", ics("DTSTART:20261225\nRRULE:FREQ=WEEKLY")},
		{"two rules", "second RRULE", ics("DTSTART:20261225\nRRULE:FREQ=YEARLY\nRRULE:FREQ=YEARLY")},
		{"dates", "RDATE", ics("DTSTART:20261225\nRDATE:20261226")},
		{"by week", "BYWEEKNO: not supported", ics("DTSTART:20261225\nRRULE:FREQ=YEARLY;BYWEEKNO=20")},
		{"two days", "BYDAY", ics("DTSTART:20261126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH,4FR")},
		{"weekday of the year", "BYDAY", ics("DTSTART:20261126\nRRULE:FREQ=YEARLY;BYDAY=20MO")},
		{"not that Thursday", "is not that day", ics("DTSTART:20261119\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH")},
		{"other month", "BYMONTH", ics("DTSTART:20261225\nRRULE:FREQ=YEARLY;BYMONTH=11")},
		{"count", "COUNT", ics("DTSTART:20261225\nRRULE:FREQ=YEARLY;COUNT=0")},
		{"long", "not a holiday", ics("DTSTART:20260101\nDTEND:20280101")},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseICS(test.data)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestYearlyHolidays(t *testing.T) {
	thanksgiving := Yearly{First: Date{2020, 11, 26}, Nth: 4, Weekday: time.Thursday, Days: 2}
	c := mustCalendar(t, Hours{Week: everyDay(Span{600, 660}), Holidays: Holidays{Yearly: []Yearly{
		thanksgiving,
		{First: Date{2000, 12, 31}, Days: 2},
		{First: Date{2000, 2, 29}},
		{First: Date{2025, 7, 1}, Every: 2, Except: days("2027-07-01")},
	}}})
	for _, test := range []struct {
		day    string
		closed bool
	}{
		{"2026-11-26", true}, {"2026-11-27", true}, {"2026-11-28", false}, {"2019-11-28", false},
		{"2026-12-31", true}, {"2027-01-01", true}, {"2027-01-02", false}, {"2000-01-01", false},
		{"2028-02-29", true}, {"2027-02-28", false}, {"2027-03-01", false},
		{"2025-07-01", true}, {"2026-07-01", false}, {"2027-07-01", false}, {"2029-07-01", true},
		{"2126-11-28", true},
	} {
		d := days(test.day)[0]
		if got := c.Between(d.time(), d.time().AddDate(0, 0, 1)) == 0; got != test.closed {
			t.Errorf("%s: closed %v, want %v", test.day, got, test.closed)
		}
	}
}

func TestHolidaysWith(t *testing.T) {
	a := Holidays{Dates: days("2026-01-01"), Yearly: []Yearly{{First: Date{2000, 5, 1}}}}
	got := a.With(Holidays{Dates: days("2026-12-25")})
	if len(got.Dates) != 2 || len(got.Yearly) != 1 || len(a.Dates) != 1 {
		t.Errorf("got %+v of %+v", got, a)
	}
}

func FuzzParseICS(f *testing.F) {
	f.Add(ics("DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261226\nSUMMARY:Christmas"))
	f.Add(ics("DTSTART:20261126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=3\nEXDATE:20271125"))
	f.Add(ics("DTSTART:20000229\nDURATION:P1W\nRRULE:FREQ=YEARLY;INTERVAL=4"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := ParseICS(data)
		if err != nil {
			return
		}
		if len(h.Dates) > maxICSDays {
			t.Fatalf("%d dates", len(h.Dates))
		}
		c, err := NewCalendar(Hours{Week: everyDay(Span{540, 1020}), Holidays: h})
		if err != nil {
			return // too many days a year
		}
		for _, d := range h.Dates {
			if c.Between(d.time(), d.time().AddDate(0, 0, 1)) != 0 {
				t.Fatalf("open on %s", d)
			}
		}
	})
}
