package schedules

import (
	"context"
	"fmt"
	"time"

	"frontdesk/store"
)

// Bounds of what is removed: of each kind in one pass, and in all in one night,
// so that a desk that begins to forget years of mail works meanwhile.
const (
	removedAtOnce = 100
	removedANight = 20_000
)

// keep removes what is kept no longer, at night and piece by piece. What is left
// to do is in the rows, so that a restart goes on where it was.
func (s *Sweep) keep(ctx context.Context, now time.Time) error {
	at, kept := s.opt.Keep(now)
	if at == nil || kept == (store.Kept{}) || ctx.Err() != nil {
		return ctx.Err()
	}
	s.keeping.Lock()
	defer s.keeping.Unlock()
	day, _ := at.latest(now)
	if day == s.kept.day && (s.kept.done || s.kept.removed >= removedANight) {
		return nil
	}
	if day != s.kept.day {
		s.kept.day, s.kept.done, s.kept.removed = day, false, 0
	}
	n, err := s.opt.DB.Retain(context.WithoutCancel(ctx), kept, removedAtOnce, now)
	s.kept.removed += n
	if err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	if n > 0 {
		s.opt.Log.Info("kept no longer", "count", n)
		return nil
	}
	s.kept.done = true
	if s.kept.removed > 0 {
		return s.opt.DB.Scrub(ctx)
	}
	return nil
}

// keeping is how far the night's work is. Pass may be called while Run runs: the
// lease is one node's, but both are this node.
type keeping struct {
	day     string
	done    bool
	removed int
}
