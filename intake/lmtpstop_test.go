package intake

import (
	"context"
	"net"
	"testing"
	"time"
)

// TestLMTPStoppedAtItsStart: a stop that comes before the library has begun to
// listen must not leave it listening for ever.
func TestLMTPStoppedAtItsStart(t *testing.T) {
	t.Parallel()
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		served := make(chan error, 1)
		go func() { served <- NewLMTP(LMTPOptions{}).Serve(stopped, l) }()
		select {
		case err := <-served:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("it listens on")
		}
	}
}
