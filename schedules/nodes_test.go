package schedules

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// Two nodes whose clocks are five minutes apart sweep one database at the same
// time: each ticket is asked about once and closed once, and there is one list
// of held mail a day.
func TestTwoNodesSweepWithClocksApart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		start := time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC) // daylight saving begins on the 29th
		clock := start
		var mu sync.Mutex
		now := func(ahead time.Duration) func() time.Time {
			return func() time.Time { mu.Lock(); defer mu.Unlock(); return clock.Add(ahead) }
		}
		at := &TimeOfDay{Hour: 2, Minute: 30, Location: mustZone(t, "Europe/Berlin")}
		node := func(ahead time.Duration) (*store.DB, *Sweep) {
			db := open()
			return db, New(Options{DB: db, Rules: func() tickets.Rules { return rules }, Now: now(ahead), Supervisor: func() *TimeOfDay { return at }})
		}
		db, one := node(0)
		_, two := node(5 * time.Minute)
		d := &desk{t: t, db: db, sweep: one, rules: rules, clock: now(0)}
		ids := []int64{d.resolved(), d.resolved(), d.resolved()}
		d.hold(1)
		for clock.Before(start.Add(9 * day)) {
			var wg sync.WaitGroup
			for _, s := range []*Sweep{one, two} {
				wg.Go(func() {
					if err := s.Pass(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			mu.Lock()
			clock = clock.Add(2 * time.Hour)
			mu.Unlock()
		}
		for _, id := range ids {
			d.want(id, tickets.StatusClosed, "closed", "silence")
		}
		all := d.letters(0)
		lists := slices.DeleteFunc(slices.Clone(all), func(k string) bool { return k != string(tickets.LetterQuarantine) })
		// The first pass finds the day's hour past: one at once, then one each night.
		if len(lists) != 10 {
			t.Errorf("%d lists of held mail in nine nights and a start, want 10: %s", len(lists), fmt.Sprint(all))
		}
	})
}
