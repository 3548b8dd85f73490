package throttle

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func request(method, peer string, forwarded ...string) *http.Request {
	r := httptest.NewRequest(method, "/t/x", nil)
	r.RemoteAddr = peer
	for _, f := range forwarded {
		r.Header.Add("X-Forwarded-For", f)
	}
	return r
}

func TestSource(t *testing.T) {
	t.Parallel()
	proxies := append([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, loopback...)
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"nobody forwards", "203.0.113.9:1", nil, "203.0.113.9"},
		{"a stranger's field is not read", "203.0.113.9:1", []string{"198.51.100.1"}, "203.0.113.9"},
		{"of a proxy the nearest", "127.0.0.1:1", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		{"proxies behind each other", "127.0.0.1:1", []string{"198.51.100.1, 203.0.113.7, 10.1.2.3"}, "203.0.113.7"},
		{"two fields are one list", "127.0.0.1:1", []string{"203.0.113.7", "10.1.2.3"}, "203.0.113.7"},
		{"with a port", "127.0.0.1:1", []string{"203.0.113.7:4711"}, "203.0.113.7"},
		{"IPv6 with a port", "[::1]:1", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		{"IPv6 in brackets", "[::1]:1", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv4 written as IPv6", "[::ffff:203.0.113.9]:1", nil, "203.0.113.9"},
		{"a proxy written as IPv6", "[::ffff:127.0.0.1]:1", []string{"203.0.113.7"}, "203.0.113.7"},
		{"a proxy that tells nothing", "127.0.0.1:1", nil, ""},
		{"a proxy that tells nonsense", "127.0.0.1:1", []string{"198.51.100.1, unknown"}, ""},
		{"nonsense farther away", "127.0.0.1:1", []string{"unknown, 203.0.113.7"}, "203.0.113.7"},
		{"an empty element", "127.0.0.1:1", []string{"203.0.113.7,"}, ""},
		{"commas alone", "127.0.0.1:1", []string{",,,"}, ""},
		{"only proxies", "127.0.0.1:1", []string{"10.0.0.1"}, ""},
		{"no peer", "@", []string{"203.0.113.7"}, ""},
	} {
		want := netip.Addr{}
		if c.want != "" {
			want = netip.MustParseAddr(c.want)
		}
		if got := Source(request("GET", c.peer, c.forwarded...), proxies); got != want {
			t.Errorf("%s: got %s, want %q", c.name, got, c.want)
		}
	}
}

func FuzzSource(f *testing.F) {
	for _, s := range []string{"203.0.113.7", "a, b", "[::1%eth0]:1", ",", "10.0.0.1,10.0.0.2", "::ffff:10.0.0.1"} {
		f.Add("127.0.0.1:1", s)
	}
	f.Fuzz(func(t *testing.T, peer, forwarded string) {
		got := Source(request("GET", peer, forwarded), loopback)
		if got.IsValid() && (within(got, loopback) || got != plain(got)) {
			t.Errorf("source %s", got)
		}
		if at, err := netip.ParseAddrPort(peer); err == nil && !within(plain(at.Addr()), loopback) && got != plain(at.Addr()) {
			t.Errorf("%s is a stranger, and is taken for %s", peer, got)
		}
	})
}

func TestSourcesWait(t *testing.T) {
	t.Parallel()
	s, now := NewSources(), time.Unix(1_800_000_000, 0)
	a, neighbour, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff"), netip.MustParseAddr("203.0.113.7")
	for i := range 20 {
		if wait := s.Take(a, 60, now); wait != 0 {
			t.Fatalf("request %d waits %s", i, wait)
		}
	}
	if wait := s.Take(neighbour, 60, now); wait != time.Second {
		t.Errorf("the 21st of a network waits %s, want 1s", wait)
	}
	if wait := s.Wait(a, 60, now); wait != time.Second {
		t.Errorf("Wait = %s, want 1s", wait)
	}
	if wait := s.Take(b, 60, now); wait != 0 {
		t.Errorf("another source waits %s", wait)
	}
	if wait := s.Take(a, 60, now.Add(time.Second)); wait != 0 {
		t.Errorf("after the wait it waits %s", wait)
	}
	if wait := s.Take(a, 120, now); wait != 0 {
		t.Errorf("after a reload it waits %s", wait)
	}
	if s.Take(netip.Addr{}, 1, now) != 0 || s.Take(a, 0, now) != 0 || s.Len() != 2 {
		t.Errorf("no source or no limit is counted: %d sources", s.Len())
	}
}

func TestSourcesAreBounded(t *testing.T) {
	t.Parallel()
	s, now := NewSources(), time.Unix(1_800_000_000, 0)
	first := netip.MustParseAddr("10.0.0.0")
	busy := netip.MustParseAddr("203.0.113.7")
	for range 2 {
		s.Take(busy, 3, now)
	}
	for a, i := first, 0; i < 3*mostSources; a, i = a.Next(), i+1 {
		s.Take(a, 3, now)
		if s.Take(busy, 3, now) == 0 {
			t.Fatalf("after %d others the busy one is forgotten", i)
		}
	}
	if s.Len() != mostSources {
		t.Errorf("%d sources are remembered, want %d", s.Len(), mostSources)
	}
	if s.Wait(first, 3, now) != 0 {
		t.Error("the first one is still remembered")
	}
}

// gate is one before a handler that answers what "code" in the query says.
func gate(limits Limits) (*Gate, *[]string) {
	var seen []string
	g := NewGate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.RemoteAddr)
		if code, err := strconv.Atoi(r.URL.Query().Get("code")); err == nil {
			w.WriteHeader(code)
		}
	}), func(r *http.Request) Kind {
		switch {
		case r.URL.Query().Has("code"):
			return Signed
		case r.Method == http.MethodPost:
			return Press
		}
		return Page
	}, func() Limits { return limits })
	now := time.Unix(1_800_000_000, 0)
	g.Now = func() time.Time { return now }
	return g, &seen
}

func do(g http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

func TestGateRefusesWithARetryAfter(t *testing.T) {
	t.Parallel()
	g, seen := gate(Limits{Pages: 30, Presses: 6})
	for i := range 4 {
		w := do(g, request("POST", "203.0.113.7:9"))
		if want := []int{200, 200, 429, 429}[i]; w.Code != want {
			t.Fatalf("press %d: %d, want %d", i, w.Code, want)
		}
		if w.Code == 429 && (w.Header().Get("Retry-After") != "10" || w.Header().Get("Connection") != "close") {
			t.Errorf("headers of a refusal: %v", w.Header())
		}
	}
	for i := range 7 {
		if w, want := do(g, request("GET", "203.0.113.7:9")), []int{200, 429}[i/6]; w.Code != want {
			t.Errorf("page %d: %d, want %d", i, w.Code, want)
		}
	}
	if w := do(g, request("GET", "203.0.113.8:9")); w.Code != 200 {
		t.Errorf("another source: %d", w.Code)
	}
	if g.Refused(Press) != 2 || g.Refused(Page) != 1 || g.Refused(Signed) != 0 {
		t.Errorf("counted %d, %d, %d", g.Refused(Press), g.Refused(Page), g.Refused(Signed))
	}
	if got := (*seen)[0]; got != "203.0.113.7:0" {
		t.Errorf("the handler sees %q", got)
	}
}

// A signature that is right is never too many; those that are wrong end it.
func TestGateCountsForgedWebhooksAlone(t *testing.T) {
	t.Parallel()
	g, _ := gate(Limits{Pages: 3, Presses: 3, Forged: 9})
	hook := func(code int) int {
		r := request("POST", "203.0.113.7:9")
		r.URL.RawQuery = fmt.Sprint("code=", code)
		return do(g, r).Code
	}
	for range 100 {
		if code := hook(200); code != 200 {
			t.Fatalf("a signed one got %d", code)
		}
	}
	for i, want := range []int{403, 403, 403, 429, 429} {
		if code := hook(403); code != want {
			t.Errorf("forged %d: %d, want %d", i, code, want)
		}
	}
	if w := do(g, request("GET", "203.0.113.7:9")); w.Code != 200 {
		t.Errorf("a page after forged webhooks: %d", w.Code)
	}
}

// TestGateForwardedFields: case H04. Who is no proxy changes its address by no
// field; a proxy's word counts.
func TestGateForwardedFields(t *testing.T) {
	t.Parallel()
	g, _ := gate(Limits{Trusted: loopback, Pages: 3})
	ask := func(peer, forwarded string) int { return do(g, request("GET", peer, forwarded)).Code }
	if a, b := ask("203.0.113.7:1", "198.51.100.1"), ask("203.0.113.7:1", "198.51.100.2"); a != 200 || b != 429 {
		t.Errorf("a stranger with two stories: %d, %d; want 200, 429", a, b)
	}
	if a, b := ask("127.0.0.1:1", "198.51.100.1"), ask("127.0.0.1:1", "198.51.100.2"); a != 200 || b != 200 {
		t.Errorf("two customers through a proxy: %d, %d", a, b)
	}
	if code := ask("127.0.0.1:1", "1.1.1.1, 198.51.100.1"); code != 429 {
		t.Errorf("a customer who writes the field before the proxy does: %d, want 429", code)
	}
}

// serve answers on a Conns of most connections.
func serve(t *testing.T, most int, h http.Handler) (*Conns, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := Limit(l, most)
	s := &http.Server{Handler: c.Handler(h), ConnContext: c.Context}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(c) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return c, l.Addr().String()
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

// closed waits until the server has closed the connection.
func closed(c net.Conn) bool {
	_, err := io.Copy(io.Discard, c)
	ne, timeout := err.(net.Error)
	return !timeout || !ne.Timeout()
}

func ask(t *testing.T, addr string) string {
	t.Helper()
	c := dial(t, addr)
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	b, _ := io.ReadAll(c)
	return string(b)
}

func TestConnsSilentOneMakesRoom(t *testing.T) {
	t.Parallel()
	l, addr := serve(t, 3, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	silent := []net.Conn{dial(t, addr), dial(t, addr), dial(t, addr)}
	fmt.Fprint(silent[1], "GET / HTTP/1.1\r\nHo")
	for range 20 {
		if got := ask(t, addr); !strings.HasSuffix(got, "hello") {
			t.Fatalf("got %q", got)
		}
	}
	if n := l.Len(); n > 3 {
		t.Errorf("%d connections", n)
	}
	if !closed(silent[0]) {
		t.Error("the oldest silent connection is still open")
	}
}

// While all are being answered, the one that takes longest makes room, and none
// that is answered does before one that waits.
func TestConnsBusyOnes(t *testing.T) {
	t.Parallel()
	release, entered := make(chan bool), make(chan bool, 10)
	l, addr := serve(t, 2, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			entered <- true
			<-release
		}
		fmt.Fprint(w, "hello")
	}))
	defer close(release)
	slow := func() net.Conn {
		c := dial(t, addr)
		fmt.Fprint(c, "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		<-entered
		return c
	}
	first, silent := slow(), dial(t, addr)
	second := slow() // in the place of silent
	if !closed(silent) {
		t.Error("the silent one is still there")
	}
	third := slow() // in the place of first
	if !closed(first) {
		t.Error("the slowest is still there")
	}
	release <- true // first's, whoever takes it
	release <- true
	release <- true
	for _, c := range []net.Conn{second, third} {
		if b, _ := io.ReadAll(c); !strings.HasSuffix(string(b), "hello") {
			t.Errorf("got %q", b)
		}
	}
	for range 1000 { // closed by the server a moment after the last byte
		if l.Len() == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d connections are left in the books", l.Len())
}
