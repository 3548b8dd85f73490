package sla

import (
	"testing"
	"time"
)

func benchCalendar(b *testing.B) (*Calendar, time.Time) {
	c := mustCalendar(b, seedHours("Europe/Berlin"))
	return c, local(b, c, "2026-01-02 17:00")
}

func BenchmarkAdd4Hours(b *testing.B) {
	c, from := benchCalendar(b)
	for b.Loop() {
		c.Add(from, 4*time.Hour)
	}
}

func BenchmarkAdd5WorkingDays(b *testing.B) {
	c, from := benchCalendar(b)
	for b.Loop() {
		c.AddWorkingDays(from, 5)
	}
}

func BenchmarkBetweenOneYear(b *testing.B) {
	c, from := benchCalendar(b)
	for b.Loop() {
		c.Between(from, from.AddDate(1, 0, 0))
	}
}

// BenchmarkNeverOpens is the longest any search takes.
func BenchmarkNeverOpens(b *testing.B) {
	c := mustCalendar(b, Hours{Location: mustZone("Europe/Berlin")})
	for b.Loop() {
		c.NextOpening(simStart)
	}
}

func BenchmarkRead(b *testing.B) {
	c, _ := benchCalendar(b)
	events := script(b, c, `2026-01-05 10:00 opened low/technical
		2026-01-05 11:00 answered
		2026-01-05 11:00 status pending
		2026-01-06 09:00 wrote
		2026-01-06 09:00 status open
		2026-01-06 12:00 facts high/technical
		2026-01-06 15:00 updated
		2026-01-07 10:00 answered
		2026-01-07 10:00 status resolved`)
	p, now := seedPolicy(), local(b, c, "2026-01-08 10:00")
	for b.Loop() {
		Read(events, c, p, now)
	}
}
