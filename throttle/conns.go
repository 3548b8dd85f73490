package throttle

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Conns is a listener that holds a bounded number of connections. Where a new
// one is too many, the one that has waited longest for its next request is
// closed; while all are being answered, the one that takes longest. So clients
// that open connections and say nothing, or one byte a second, displace each
// other, and who asks at once is answered.
type Conns struct {
	net.Listener
	most int

	mu            sync.Mutex
	waiting, busy *list.List // of *conn; who came there first stands first
}

type conn struct {
	net.Conn
	of    *Conns
	in    *list.List // nil when closed
	place *list.Element
	since time.Time // in that list
}

// What a connection has in any case until its request, and for the answer. A
// thousand that are accepted in one go would else close each other before their
// requests are read.
const (
	grace     = 50 * time.Millisecond
	busyGrace = 500 * time.Millisecond
)

// Limit returns l with at most that many connections at a time.
func Limit(l net.Listener, most int) *Conns {
	return &Conns{Listener: l, most: max(1, most), waiting: list.New(), busy: list.New()}
}

// Accept takes the next connection, and ends another where it is one too many.
func (l *Conns) Accept() (net.Conn, error) {
	got, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: got, of: l}
	for {
		last, wait := l.enter(c)
		if last != nil {
			_ = last.Conn.Close()
		}
		if wait <= 0 {
			return c, nil
		}
		time.Sleep(wait)
	}
}

// enter takes a connection into the books. It returns the one that made room for
// it, or how long there will be none.
func (l *Conns) enter(c *conn) (last *conn, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting.Len()+l.busy.Len() >= l.most {
		if last, wait = l.longest(); wait > 0 {
			return nil, wait
		}
		last.leave()
	}
	c.enter(l.waiting)
	return last, 0
}

// longest is the connection that has to make room: of those that wait the first,
// if it had its time, else of those that are answered.
func (l *Conns) longest() (c *conn, wait time.Duration) {
	wait = busyGrace
	for _, in := range []struct {
		list  *list.List
		grace time.Duration
	}{{l.waiting, grace}, {l.busy, busyGrace}} {
		e := in.list.Front()
		if e == nil {
			continue
		}
		c := e.Value.(*conn)
		left := in.grace - time.Since(c.since)
		if left <= 0 {
			return c, 0
		}
		wait = min(wait, left)
	}
	return nil, wait
}

// Len is how many connections are held.
func (l *Conns) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting.Len() + l.busy.Len()
}

type key struct{}

// Context is for http.Server.ConnContext.
func (l *Conns) Context(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, key{}, c)
}

// Handler returns next with its connections known as busy while it answers.
func (l *Conns) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(key{}).(*conn); ok {
			c.move(l.busy)
			defer c.move(l.waiting)
		}
		next.ServeHTTP(w, r)
	})
}

// Close ends the connection, once.
func (c *conn) Close() error {
	c.of.mu.Lock()
	c.leave()
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// move puts the connection at the end of a list, unless it is closed.
func (c *conn) move(to *list.List) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if c.in != nil {
		c.leave()
		c.enter(to)
	}
}

func (c *conn) enter(l *list.List) { c.in, c.place, c.since = l, l.PushBack(c), time.Now() }

func (c *conn) leave() {
	if c.in != nil {
		c.in.Remove(c.place)
		c.in, c.place = nil, nil
	}
}
