// Package schedules acts when a time has come: resolved tickets nobody
// answered, tickets put off until a date, the daily list of held mail, and the
// search index in idle time.
//
// The state is in rows, never in memory: an hour or a week of downtime delays
// an act, and can neither double nor lose it.
package schedules

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// Options of New.
type Options struct {
	DB    *store.DB
	Rules func() tickets.Rules // read at the start of each pass
	Log   *slog.Logger
	Now   func() time.Time
	Every time.Duration // default one minute
	Wrote func()        // letters may be waiting
	// Supervisor is when the daily list of held mail goes out, in Location;
	// nil: never.
	Supervisor func() *TimeOfDay
}

// TimeOfDay is a time on the clock of a place.
type TimeOfDay struct {
	Hour, Minute int
	Location     *time.Location
}

// Sweep is the loop.
type Sweep struct{ opt Options }

// New prepares the loop; it starts nothing.
func New(opt Options) *Sweep { return &Sweep{opt} }

// Run sweeps until ctx ends.
func (s *Sweep) Run(ctx context.Context) error { return errors.New("not built") }

// Pass does once what is due now.
func (s *Sweep) Pass(ctx context.Context) error { return errors.New("not built") }

// Beat returns when the loop last made progress: the watchdog's question.
func (s *Sweep) Beat() time.Time { return time.Time{} }
