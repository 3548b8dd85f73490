package throttle

import (
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"
)

// Kind is what a request wants, for its limit.
type Kind int

// The kinds of requests.
const (
	Page   Kind = iota // something to read
	Press              // a form that was posted
	Signed             // proves itself: counts only where it could not, and got 403
)

// Limits are how much one source may ask in a minute; 0 is no limit.
type Limits struct {
	Trusted []netip.Prefix // proxies whose X-Forwarded-For is believed
	Pages   int            // requests of all kinds but Signed
	Presses int            // of them, posted forms
	Forged  int            // signed requests that were forged
}

// Gate lets requests through as far as their source's limits allow.
type Gate struct {
	Limits func() Limits // asked at each request: a reload counts at once
	Kind   func(*http.Request) Kind
	Now    func() time.Time // nil: time.Now
	Next   http.Handler

	pages, presses, forged *Sources
	refused                [3]atomic.Int64
}

// NewGate returns a gate before next.
func NewGate(next http.Handler, kind func(*http.Request) Kind, limits func() Limits) *Gate {
	return &Gate{Next: next, Kind: kind, Limits: limits, Now: time.Now, pages: NewSources(), presses: NewSources(), forged: NewSources()}
}

// Refused counts what was refused, by kind.
func (g *Gate) Refused(k Kind) int64 { return g.refused[k].Load() }

// ServeHTTP answers 429 above a limit. Next sees the request with the source's
// address as its RemoteAddr, where a trusted proxy told it.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	limits, kind, now := g.Limits(), g.Kind(r), g.Now()
	from := Source(r, limits.Trusted)
	if from.IsValid() {
		r.RemoteAddr = net.JoinHostPort(from.String(), "0")
	}
	var wait time.Duration
	switch kind {
	case Signed:
		if wait = g.forged.Wait(from, limits.Forged, now); wait == 0 {
			seen := &statusOf{ResponseWriter: w}
			g.Next.ServeHTTP(seen, r)
			if seen.status == http.StatusForbidden {
				g.forged.Take(from, limits.Forged, now)
			}
			return
		}
	case Press:
		wait = max(g.pages.Take(from, limits.Pages, now), g.presses.Take(from, limits.Presses, now))
	default:
		wait = g.pages.Take(from, limits.Pages, now)
	}
	if wait > 0 {
		g.refused[kind].Add(1)
		tooMany(w, wait)
		return
	}
	g.Next.ServeHTTP(w, r)
}

// tooMany is RFC 6585 section 4. The connection ends: a body that nobody wants
// is not read.
func tooMany(w http.ResponseWriter, wait time.Duration) {
	h := w.Header()
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close")
	http.Error(w, "Too many requests from your address. Please try again in a minute.", http.StatusTooManyRequests)
}

// statusOf remembers the status.
type statusOf struct {
	http.ResponseWriter
	status int
}

func (s *statusOf) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (s *statusOf) Unwrap() http.ResponseWriter { return s.ResponseWriter }
