package store_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"frontdesk/store"
	"frontdesk/store/storetest"
)

func TestSpendStaysWithinItsLimit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		nodes := []*store.DB{open(), open()}
		limit := store.Spent{Segments: 100, Calls: 2}
		var ok atomic.Int64
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 10 {
					did, err := nodes[i%2].Spend(t.Context(), "2026-03-29", store.Spent{Segments: 3}, limit)
					if err != nil {
						t.Error(err)
					}
					if did {
						ok.Add(1)
					}
				}
			})
		}
		wg.Wait()
		got := must(nodes[0].SpentOn(t.Context(), "2026-03-29"))(t)
		if ok.Load() != 33 || got != (store.Spent{Segments: 99}) {
			t.Errorf("spent %d times, in all %+v, want 33 times 3 of 100", ok.Load(), got)
		}
	})
}

func TestSpend(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for i, c := range []struct {
			day         string
			more, limit store.Spent
			ok          bool
			after       store.Spent
		}{
			{"a", store.Spent{Segments: 4}, store.Spent{Segments: 3, Calls: 9}, false, store.Spent{}},
			{"a", store.Spent{Segments: 3}, store.Spent{Segments: 3, Calls: 1}, true, store.Spent{Segments: 3}},
			{"a", store.Spent{Segments: 1}, store.Spent{Segments: 3, Calls: 1}, false, store.Spent{Segments: 3}},
			{"a", store.Spent{Calls: 1}, store.Spent{Segments: 1, Calls: 1}, true, store.Spent{Segments: 3, Calls: 1}}, // the limit was lowered
			{"a", store.Spent{Calls: 1}, store.Spent{Segments: 9, Calls: 1}, false, store.Spent{Segments: 3, Calls: 1}},
			{"a", store.Spent{Segments: 1, Calls: 1}, store.Spent{Segments: 9, Calls: 1}, false, store.Spent{Segments: 3, Calls: 1}},
			{"b", store.Spent{Segments: 1}, store.Spent{}, false, store.Spent{}},
			{"b", store.Spent{}, store.Spent{}, true, store.Spent{}},
			{"b", store.Spent{Segments: 1, Calls: 2}, store.Spent{Segments: 1, Calls: 2}, true, store.Spent{Segments: 1, Calls: 2}},
		} {
			ok := must(db.Spend(t.Context(), c.day, c.more, c.limit))(t)
			after := must(db.SpentOn(t.Context(), c.day))(t)
			if ok != c.ok || after != c.after {
				t.Errorf("%d: spend %+v of %+v on %s: %v, then %+v, want %v, %+v", i, c.more, c.limit, c.day, ok, after, c.ok, c.after)
			}
		}
	})
}
