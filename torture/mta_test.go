package torture

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// mta hands mail over by LMTP, as Postfix does: what is not answered with a 250
// stays in its queue and is tried again. It keeps the account: of each mail,
// when it was accepted, and whether it may have been twice.
type mta struct {
	addr  string
	retry time.Duration      // between two attempts
	body  map[int]string     // what more is in the body of a request
	box   func(n int) string // whom request n is for; nil: lmtpBox

	mu      sync.Mutex
	raw     map[int][]byte    // each mail as it was brought first: the same ever after
	taken   map[int]time.Time // by number of the request: when the 250 came
	unsure  int               // attempts that ended after the final dot without an answer
	answers map[int]int       // answers to the final dot, by code
	early   map[int]int       // refusals before it, by code
}

func newMTA(addr string) *mta {
	return &mta{addr: addr, retry: 20 * time.Millisecond, taken: map[int]time.Time{}, answers: map[int]int{}, early: map[int]int{}, raw: map[int][]byte{}}
}

func (m *mta) accepted() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.taken)
}

func (m *mta) doubts() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.unsure
}

// answered counts the answers to the final dot with this code.
func (m *mta) answered(code int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.answers[code]
}

// refused counts what was refused before the final dot with this code.
func (m *mta) refused(code int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.early[code]
}

// before returns the mails whose 250 had come at that time.
func (m *mta) before(at time.Time) map[int]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[int]bool{}
	for n, t := range m.taken {
		if t.Before(at) {
			out[n] = true
		}
	}
	return out
}

// deliver brings requests low to high-1, over several connections, until all
// are accepted or ctx ends.
func (m *mta) deliver(ctx context.Context, low, high, connections int) {
	work := make(chan int)
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			var c *smtp.Client
			for n := range work {
				from, raw := m.mail(n)
				for ctx.Err() == nil && !m.attempt(&c, n, from, raw) {
					select {
					case <-time.After(m.retry):
					case <-ctx.Done():
					}
				}
			}
			if c != nil {
				_ = c.Close()
			}
		})
	}
	for n := low; n < high && ctx.Err() == nil; n++ {
		select {
		case work <- n:
		case <-ctx.Done():
		}
	}
	close(work)
	wg.Wait()
}

func (m *mta) to(n int) string {
	if m.box != nil {
		return m.box(n)
	}
	return lmtpBox
}

// mail is request n, with a body of its own if it has one.
func (m *mta) mail(n int) (from string, raw []byte) {
	from, raw = request(n, m.to(n))
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.raw[n] == nil {
		m.raw[n] = append(raw, m.body[n]...)
	}
	return from, m.raw[n]
}

// attempt brings one mail over the connection, or a new one; what fails closes it.
func (m *mta) attempt(c **smtp.Client, n int, from string, raw []byte) bool {
	err := func() error {
		if *c == nil {
			conn, err := net.DialTimeout("tcp", m.addr, time.Second)
			if err != nil {
				return err
			}
			*c = smtp.NewClientLMTP(conn)
			(*c).CommandTimeout, (*c).SubmissionTimeout = 30*time.Second, 90*time.Second
		}
		return m.transact(*c, n, from, raw)
	}()
	if err == nil {
		return true
	}
	if *c != nil {
		_ = (*c).Close()
		*c = nil
	}
	return false
}

func (m *mta) transact(c *smtp.Client, n int, from string, raw []byte) error {
	w, err := m.begin(c, n, from)
	if err != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		if code := codeOf(err); code != 0 {
			m.early[code]++
		}
		return err
	}
	if _, err := w.Write(raw); err != nil {
		_ = w.Close()
		return err
	}
	_, err = w.CloseWithLMTPResponse()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		m.taken[n] = time.Now()
		m.answers[250]++
		return nil
	}
	code := codeOf(err)
	if code != 0 {
		m.answers[code]++
	}
	if code == 0 || code == 451 { // no answer, or a sync that failed: it may have been stored
		m.unsure++
	}
	return err
}

func (m *mta) begin(c *smtp.Client, n int, from string) (*smtp.DataCommand, error) {
	if err := c.Mail(from, nil); err != nil {
		return nil, err
	}
	if err := c.Rcpt(m.to(n), nil); err != nil {
		return nil, err
	}
	return c.Data()
}

// codeOf is the reply code in an error of the LMTP client, 0 when the
// connection broke.
func codeOf(err error) int {
	var one *smtp.SMTPError
	if errors.As(err, &one) {
		return one.Code
	}
	var each smtp.LMTPDataError
	if errors.As(err, &each) {
		for _, e := range each {
			return e.Code
		}
	}
	if strings.Contains(err.Error(), "421") {
		return 421
	}
	return 0
}
