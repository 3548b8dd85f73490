package notify

import (
	"slices"
	"sync"
	"time"

	"frontdesk/store"
)

// hand is what this process has claimed, by its own timer. A claim in the store
// ends by the clock: when that is set forward, all that is in hand seems to be
// abandoned, and what is on its way to a server would leave a second time. What
// this process knows to be in its hands it does not take from itself.
type hand struct {
	mu   sync.Mutex
	held map[int64]grip // by letter
}

// grip is one claim.
type grip struct {
	epoch int64
	until time.Time // by the desk's clock, as the store has it
	ends  time.Time // by the machine's timer
}

// take notes claimed letters.
func (h *hand) take(letters []store.Outgoing, until, ends time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held == nil {
		h.held = map[int64]grip{}
	}
	for _, o := range letters {
		h.held[o.Letter.ID] = grip{epoch: o.Epoch, until: until, ends: ends}
	}
}

// drop forgets letters whose result is stored.
func (h *hand) drop(results []store.Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range results {
		if h.held[r.ID].epoch == r.Epoch {
			delete(h.held, r.ID)
		}
	}
}

// kept lists the letters whose claims have run out by the desk's clock alone, in
// order: none, while that clock goes as time does.
func (h *hand) kept(now, machine time.Time) (ids []int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, g := range h.held {
		switch {
		case !machine.Before(g.ends):
			delete(h.held, id)
		case !now.Before(g.until):
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
