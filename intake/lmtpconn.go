package intake

import (
	"bytes"
	"net"
	"os"
	"sync"
	"time"
)

// drainListener hands out connections that can be asked to end between two
// mails, and mends what the library's reader of DATA does not know.
type drainListener struct {
	net.Listener
	mu       sync.Mutex
	conns    map[*lmtpConn]bool
	most     int
	draining bool
}

func newDrainListener(l net.Listener, most int) *drainListener {
	return &drainListener{Listener: l, conns: map[*lmtpConn]bool{}, most: most}
}

func (l *drainListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if conn := l.take(c); conn != nil {
			return conn, nil
		}
		// RFC 5321 section 3.8: the client keeps its mail and comes again. A few
		// bytes into a new connection's buffer do not wait for it.
		_ = c.SetDeadline(time.Now().Add(time.Second))
		_, _ = c.Write([]byte("421 4.3.2 too many connections, try again later\r\n"))
		_ = c.Close()
	}
}

// take returns the connection as ours, nil where it is one too many.
func (l *drainListener) take(c net.Conn) *lmtpConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) >= l.most {
		return nil
	}
	conn := &lmtpConn{Conn: c, l: l, draining: l.draining}
	l.conns[conn] = true
	return conn
}

// drain ends the connections where no mail is on its way; the others end after
// the answer to it.
func (l *drainListener) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draining = true
	for c := range l.conns {
		c.drain()
	}
}

// cut closes what is left.
func (l *drainListener) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		_ = c.Conn.Close()
	}
}

// lmtpConn knows whether a mail is on its way: from our 354 to our answer.
//
// Within a mail it reads a run of CRs before LF as one: CR CR LF . CR LF ends
// the mail for an MTA (the last five bytes are the mark, RFC 5321 section
// 4.1.1.4), not for the library, which would wait for ever and take the next
// command for text. RFC 5321 section 2.3.8 allows no CR apart from CR LF, so
// no mail says anything by it.
type lmtpConn struct {
	net.Conn
	l *drainListener

	mu       sync.Mutex
	mail     bool
	draining bool

	crs  int // held back, Read only
	held []byte
}

// Write watches for the answer that begins a mail, and the next one.
func (c *lmtpConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.mail = bytes.HasPrefix(b, []byte("354 "))
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *lmtpConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	mail, draining := c.mail, c.draining
	c.mu.Unlock()
	if mail {
		// The library sets one deadline for a whole mail: this is one for each
		// sign of life.
		_ = c.Conn.SetReadDeadline(time.Now().Add(lmtpTimeout))
		return c.readMail(b)
	}
	if len(c.held) > 0 || c.crs > 0 { // commands that came along with the mail
		return c.readMail(b)
	}
	if draining {
		return 0, os.ErrDeadlineExceeded // the library says 421 and goodbye
	}
	return c.Conn.Read(b)
}

// readMail reads with runs of CRs collapsed. What does not fit into b waits.
func (c *lmtpConn) readMail(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for len(c.held) == 0 {
		buf := make([]byte, len(b))
		n, err := c.Conn.Read(buf)
		c.held = c.collapse(c.held, buf[:n])
		if err != nil {
			if len(c.held) > 0 {
				break
			}
			return 0, err
		}
	}
	n := copy(b, c.held)
	c.held = c.held[n:]
	return n, nil
}

// collapse appends in to out without the CRs that stand before CR LF.
func (c *lmtpConn) collapse(out, in []byte) []byte {
	for _, x := range in {
		if x == '\r' {
			c.crs++
			continue
		}
		if c.crs > 0 && x == '\n' {
			c.crs = 1
		}
		for ; c.crs > 0; c.crs-- {
			out = append(out, '\r')
		}
		out = append(out, x)
	}
	return out
}

// SetReadDeadline keeps the past deadline of a drain.
func (c *lmtpConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining && !c.mail {
		t = time.Unix(1, 0)
	}
	return c.Conn.SetReadDeadline(t)
}

// drain ends a connection that waits for a command.
func (c *lmtpConn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	if !c.mail {
		_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
	}
}

func (c *lmtpConn) Close() error {
	c.l.mu.Lock()
	delete(c.l.conns, c)
	c.l.mu.Unlock()
	return c.Conn.Close()
}
