package throttle

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// mostSources bounds the sources that are remembered: two megabytes. Above it
// the one that was quiet longest is forgotten, which is what its quiet earns it.
const mostSources = 8192

// Sources counts what each source asks.
type Sources struct {
	mu     sync.Mutex
	most   int
	places map[netip.Prefix]*list.Element
	order  *list.List // of *source, the quietest first
}

type source struct {
	of    netip.Prefix
	limit *rate.Limiter
}

// NewSources returns counts of nobody.
func NewSources() *Sources {
	return &Sources{most: mostSources, places: map[netip.Prefix]*list.Element{}, order: list.New()}
}

// Take counts one more from a source that may ask perMinute times in a minute,
// a third of it at once. It returns 0 when that is within the limit, and else how
// long the source has to wait; it is not counted then. No limit is 0, and no
// source (see [Source]) has none.
func (s *Sources) Take(a netip.Addr, perMinute int, now time.Time) (wait time.Duration) {
	l := s.limiter(a, perMinute)
	if l == nil {
		return 0
	}
	r := l.ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// Wait is Take without counting.
func (s *Sources) Wait(a netip.Addr, perMinute int, now time.Time) time.Duration {
	l := s.limiter(a, perMinute)
	if l == nil {
		return 0
	}
	if missing := 1 - l.TokensAt(now); missing > 0 {
		return time.Duration(missing / float64(l.Limit()) * float64(time.Second))
	}
	return 0
}

// Len is how many sources are remembered.
func (s *Sources) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.places)
}

// limiter is the source's bucket, moved to the end of the order.
func (s *Sources) limiter(a netip.Addr, perMinute int) *rate.Limiter {
	if !a.IsValid() || perMinute <= 0 {
		return nil
	}
	of, each := network(a), rate.Limit(float64(perMinute)/60)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.places[of]; e != nil {
		s.order.MoveToBack(e)
		if l := e.Value.(*source).limit; l.Limit() == each {
			return l
		}
		s.order.Remove(e) // a reload changed it
	} else if len(s.places) >= s.most {
		delete(s.places, s.order.Remove(s.order.Front()).(*source).of)
	}
	l := rate.NewLimiter(each, max(1, perMinute/3))
	s.places[of] = s.order.PushBack(&source{of, l})
	return l
}

// network is who stands behind an address: in IPv6 one customer has 64 bits of
// them at least (RFC 6177).
func network(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}
