package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"frontdesk/tickets"
)

// lessonsForTest is history enough to learn from.
func lessonsForTest() []tickets.Lesson {
	var out []tickets.Lesson
	for i := range 120 {
		l := tickets.Lesson{Ticket: int64(i), Text: fmt.Sprintf("Invoice %d\nThe amount is wrong.", i), Category: "billing", Severity: "medium"}
		if i%2 == 0 {
			l.Text, l.Category, l.Severity = fmt.Sprintf("Machine %d\nIt stands.", i), "technical", "high"
		}
		out = append(out, l)
	}
	return out
}

// The configuration may not import the domain: the default is written twice.
func TestDefaultMatrixIsOne(t *testing.T) {
	t.Parallel()
	if got := mustRules(t, mustConfig(t, 1143, 1025, "INBOX")).Matrix; !maps.Equal(got, tickets.DefaultMatrix()) {
		t.Errorf("the configuration's default is %v\nwant %v", got, tickets.DefaultMatrix())
	}
}

func TestLearnsAtStartAndEachNight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex // the loop's goroutine and the test's look at the same
		var loads int
		load := func(_ context.Context, since time.Time, n int) ([]tickets.Lesson, error) {
			mu.Lock()
			defer mu.Unlock()
			if loads++; loads == 2 {
				return nil, errors.New("the database is away")
			}
			if got := time.Since(since); got != lessonsSince {
				t.Errorf("lessons of the last %v, want %v", got, lessonsSince)
			}
			return lessonsForTest(), nil
		}
		var models []*tickets.Model
		done := make(chan error)
		go func() {
			done <- learnLoop(ctx, slog.New(slog.DiscardHandler), load, func(m *tickets.Model) {
				mu.Lock()
				defer mu.Unlock()
				models = append(models, m)
			}, time.Now, learnEvery)
		}()
		for _, at := range []struct {
			after         time.Duration
			loads, models int
		}{
			{0, 1, 1},
			{2 * time.Hour, 1, 1},             // synctest begins at midnight UTC
			{time.Hour + time.Minute, 2, 1},   // at three, but the database is away
			{10 * time.Minute, 3, 2},          // tried again in the next turn
			{20 * time.Hour, 3, 2},            // not again on the same day
			{4*time.Hour + time.Minute, 4, 3}, // next night
		} {
			time.Sleep(at.after)
			synctest.Wait()
			mu.Lock()
			if loads != at.loads || len(models) != at.models {
				t.Errorf("at %v: %d loads, %d models; want %d, %d", time.Now().UTC().Format(time.DateTime), loads, len(models), at.loads, at.models)
			}
			mu.Unlock()
		}
		for _, m := range models {
			if m == nil || m.Lessons != 120 {
				t.Errorf("model of %v, want 120 lessons", m)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}
