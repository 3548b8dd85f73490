package throttle

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
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
}

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
	l.mu.Lock()
	var last *conn
	if l.waiting.Len()+l.busy.Len() >= l.most {
		e := l.waiting.Front()
		if e == nil {
			e = l.busy.Front()
		}
		last = e.Value.(*conn)
		last.leave()
	}
	c.enter(l.waiting)
	l.mu.Unlock()
	if last != nil {
		_ = last.Conn.Close()
	}
	return c, nil
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

func (c *conn) enter(l *list.List) { c.in, c.place = l, l.PushBack(c) }

func (c *conn) leave() {
	if c.in != nil {
		c.in.Remove(c.place)
		c.in, c.place = nil, nil
	}
}
