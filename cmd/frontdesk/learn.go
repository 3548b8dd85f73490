package main

import (
	"context"
	"log/slog"
	"time"

	"frontdesk/tickets"
)

// Lessons that are learned from: the newest of the last two years.
const (
	lessonsSince = 2 * 365 * 24 * time.Hour
	lessonsMost  = 5000
	learnHour    = 3                // of the day, UTC: when a desk is quiet
	learnEvery   = 10 * time.Minute // how often it is asked whether a night began
)

// lessons loads what people sorted (store.DB.Lessons).
type lessons func(ctx context.Context, since time.Time, n int) ([]tickets.Lesson, error)

// learnLoop learns at the start and once each night, and gives every new model
// to use; nil while there is too little to learn from. Nothing waits for it:
// until the first model is there, rules sort alone, and a failure is logged and
// tried again in the next turn.
func learnLoop(ctx context.Context, log *slog.Logger, load lessons, use func(*tickets.Model), now func() time.Time, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var learned time.Time
	for {
		if at := now().UTC(); learned.IsZero() || learnAgain(learned, at) {
			list, err := load(ctx, at.Add(-lessonsSince), lessonsMost)
			switch {
			case ctx.Err() != nil:
				return nil
			case err != nil:
				log.Warn("nothing learned", "err", err)
			default:
				use(tickets.Learn(list))
				learned = at
				log.Debug("learned", "count", len(list))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// learnAgain reports whether a night began since the last time. A clock that
// was set back learns once more and no harm is done.
func learnAgain(last, now time.Time) bool {
	night := func(t time.Time) string { return t.Add(-learnHour * time.Hour).Format(time.DateOnly) }
	return night(last) != night(now)
}
