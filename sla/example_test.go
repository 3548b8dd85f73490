package sla_test

import (
	"fmt"
	"time"
	_ "time/tzdata"

	"frontdesk/sla"
)

// shop opens Mon–Fri 10:00–17:40 and Sat 09:30–13:30 in Kathmandu.
func shop() *sla.Calendar {
	kathmandu, err := time.LoadLocation("Asia/Kathmandu")
	if err != nil {
		panic(err)
	}
	h := sla.Hours{Location: kathmandu}
	for d := time.Monday; d <= time.Friday; d++ {
		h.Week[d] = []sla.Span{{Open: 10 * 60, Close: 17*60 + 40}}
	}
	h.Week[time.Saturday] = []sla.Span{{Open: 9*60 + 30, Close: 13*60 + 30}}
	h.Holidays.Dates = []sla.Date{{Year: 2026, Month: time.December, Day: 25}}
	c, err := sla.NewCalendar(h)
	if err != nil {
		panic(err)
	}
	return c
}

func ExampleCalendar_Add() {
	c := shop()
	friday := time.Date(2026, time.January, 2, 17, 0, 0, 0, c.Location())
	due, ok := c.Add(friday, 4*time.Hour)
	fmt.Println(due.In(c.Location()).Format("Monday 15:04"), ok)
	// Output: Saturday 12:50 true
}

func ExampleCalendar_AddWorkingDays() {
	c := shop()
	wednesday := time.Date(2026, time.December, 23, 11, 0, 0, 0, c.Location())
	due, ok := c.AddWorkingDays(wednesday, 5) // Friday is a holiday
	fmt.Println(due.In(c.Location()).Format("Monday 2 January 15:04"), ok)
	// Output: Wednesday 30 December 11:00 true
}

func ExampleCalendar_NextOpening() {
	c := shop()
	sunday := time.Date(2026, time.January, 4, 12, 0, 0, 0, c.Location())
	opens, ok := c.NextOpening(sunday)
	fmt.Println(opens.In(c.Location()).Format("Monday 15:04"), ok)
	// Output: Monday 10:00 true
}

func ExampleParseDuration() {
	for _, text := range []string{"24 hours", "4 business hours", "5 working days", "1h30m", "immediately", "4 fortnights"} {
		fmt.Println(sla.ParseDuration(text))
	}
	// Output:
	// 24 hours <nil>
	// 4 business hours <nil>
	// 5 working days <nil>
	// 90 minutes <nil>
	// immediately <nil>
	//  "4 fortnights" is not a span of time (allowed: 30m, 24 hours, 3 days, 2 business hours, 5 working days, immediately)
}

func ExampleParseICS() {
	holidays, err := sla.ParseICS([]byte("BEGIN:VCALENDAR\r\n" +
		"BEGIN:VEVENT\r\nSUMMARY:Christmas\r\nDTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\nEND:VEVENT\r\n" +
		"END:VCALENDAR\r\n"))
	fmt.Println(holidays.Dates, err)
	// Output: [2026-12-25 2026-12-26] <nil>
}

func ExampleRead() {
	c := shop()
	policy := sla.Policy{
		Rules: []sla.Rule{
			{Name: "desk", Targets: map[sla.Clock]sla.Target{
				sla.FirstResponse: {Within: sla.Duration{Count: 4, Unit: sla.BusinessHour}, Warn: sla.Warn{Percent: 75}},
			}},
			{Name: "technical", If: sla.Facts{Category: "technical"}, Targets: map[sla.Clock]sla.Target{
				sla.FirstResponse: {Within: sla.Duration{Count: 2, Unit: sla.BusinessHour}},
			}},
		},
		Done: []string{"resolved", "closed"},
	}
	opened := time.Date(2026, time.January, 3, 13, 29, 0, 0, c.Location())
	events := []sla.Event{{At: opened, Kind: sla.Opened, Facts: sla.Facts{Category: "technical"}}}
	readings := sla.Read(events, c, policy, opened.Add(24*time.Hour))
	fmt.Println(readings[0].Explain(c))
	// Output:
	// first response within 2 business hours: running, 1h59m left
	//   started Saturday 3 January 2026 13:29
	//   counted Saturday 13:29–13:30, 1m
	//   closed Saturday 13:30–Monday 10:00
	//   counted Monday 10:00–11:59, 1h59m
	//   warning Monday 11:29
	//   due Monday 11:59
}
