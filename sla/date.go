package sla

import "time"

// DateOf returns the day that t's wall clock shows, in t's zone.
func DateOf(t time.Time) Date { return dateOf(t) }

// Add returns the day so many days later, or earlier when days is negative.
func (d Date) Add(days int) Date { return numbered(d.number() + days) }

// Since returns the days from e to d: 1 when d is the day after e.
func (d Date) Since(e Date) int { return d.number() - e.number() }

// Before reports whether d comes before e.
func (d Date) Before(e Date) bool { return d.number() < e.number() }

// After reports whether d comes after e.
func (d Date) After(e Date) bool { return d.number() > e.number() }
