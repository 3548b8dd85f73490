package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// sink is an SMTP server that throws away what it accepts, and remembers whom
// it was for and when. Ideal and desk send to the same one.
type sink struct {
	server *smtp.Server
	port   int

	mu      sync.Mutex
	got     map[string]int // letters by recipient
	last    time.Time      // when a customer got his first letter, the last one of those
	served  int            // customers with a letter
	letters int
	want    int
	reached chan struct{} // closed when served reaches want
}

// newSink listens on loopback until the section ends.
func newSink(t *section) *sink {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("sink: %v", err)
	}
	s := &sink{port: l.Addr().(*net.TCPAddr).Port}
	s.reset(0)
	s.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &sinkSession{s: s}, nil }))
	s.server.Domain, s.server.EnableSMTPUTF8, s.server.ErrorLog = "sink.example", true, log.New(io.Discard, "", 0)
	go func() { _ = s.server.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = s.server.Close() })
	return s
}

// reset forgets everything and waits for so many customers.
func (s *sink) reset(want int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got, s.served, s.letters, s.want, s.last, s.reached = map[string]int{}, 0, 0, want, time.Time{}, make(chan struct{})
}

// wait returns when the last of the customers had his letter.
func (s *sink) wait(limit time.Duration) (time.Time, error) {
	s.mu.Lock()
	reached := s.reached
	s.mu.Unlock()
	select {
	case <-reached:
	case <-time.After(limit):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.served < s.want {
		return time.Time{}, fmt.Errorf("%d of %d customers have a letter after %v", s.served, s.want, limit)
	}
	return s.last, nil
}

// doubled returns the customers who got more than one letter.
func (s *sink) doubled() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for to, n := range s.got {
		if n > 1 && !ofDesk(to) {
			list = append(list, to)
		}
	}
	return list
}

// ofDesk reports whether an address belongs to an agent.
func ofDesk(address string) bool { return strings.HasSuffix(address, "@perf.example") }

func (s *sink) accepted(to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letters++
	s.got[to]++
	if s.got[to] > 1 || ofDesk(to) {
		return
	}
	s.served++
	s.last = time.Now()
	if s.served == s.want {
		close(s.reached)
	}
}

type sinkSession struct {
	s  *sink
	to []string
}

func (x *sinkSession) Reset()                               { x.to = x.to[:0] }
func (x *sinkSession) Logout() error                        { return nil }
func (x *sinkSession) Mail(string, *smtp.MailOptions) error { return nil }
func (x *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.to = append(x.to, to)
	return nil
}

func (x *sinkSession) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	for _, to := range x.to {
		x.s.accepted(to)
	}
	return nil
}
