package notify

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/store"
	"frontdesk/tickets"
)

// rig is a durable SQLite store and a sender to an SMTP server on loopback.
type rig struct {
	b      *testing.B
	db     *store.DB
	smtp   *testmail.SMTP
	sender *Sender
	wake   chan struct{}
}

func newRig(b *testing.B) *rig {
	b.Helper()
	s, err := testmail.NewSMTP(testmail.SMTPOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	db, err := store.Open(context.Background(), store.Options{Database: b.TempDir() + "/desk.db", Daemon: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	r := &rig{b: b, db: db, smtp: s, wake: make(chan struct{}, 1)}
	r.sender, err = New(Options{DB: db, Wake: r.wake,
		Rules:  func() tickets.Rules { return tickets.Rules{Keys: testKeys} },
		Brands: func() map[string]Brand { return map[string]Brand{"baleyo": {Name: "Baleyo", Domain: "baleyo.example"}} },
		Routes: func() map[string]Route {
			return map[string]Route{supportBox: {Host: "127.0.0.1", Port: s.Port(), TLS: "none"}}
		}})
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// run starts the sender; it ends with the benchmark.
func (r *rig) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = r.sender.Run(ctx) }()
	r.b.Cleanup(func() { cancel(); <-done })
}

func (r *rig) queue(letters []tickets.Letter) {
	r.b.Helper()
	err := r.db.Decide(context.Background(), "baleyo", func(tx *store.Tx) error {
		_, err := tx.Save(context.Background(), 0, "", "", tickets.Change{Brand: "baleyo", Letters: letters}, time.Now())
		return err
	})
	if err != nil {
		r.b.Fatal(err)
	}
}

func (r *rig) wait(n int) {
	r.b.Helper()
	if _, err := r.smtp.Wait(n, time.Minute); err != nil {
		r.b.Fatal(err)
	}
}

// BenchmarkBacklog empties an outbox of b.N letters.
func BenchmarkBacklog(b *testing.B) {
	r := newRig(b)
	var letters []tickets.Letter
	for i := range b.N {
		letters = append(letters, letterTo(fmt.Sprintf("c%d@keller.example", i)))
	}
	for part := range slices.Chunk(letters, 500) {
		r.queue(part)
	}
	b.ResetTimer()
	began := processor(b)
	r.run()
	r.wait(b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "letters/s")
	b.ReportMetric(float64(processor(b)-began)/float64(b.N), "cpu-ns/op")
}

// BenchmarkOneLetter is an idle desk: from the committed decision to the
// server's acceptance, a letter at a time.
func BenchmarkOneLetter(b *testing.B) {
	r := newRig(b)
	r.run()
	b.ResetTimer()
	for i := range b.N {
		b.StopTimer()
		r.queue([]tickets.Letter{letterTo("maria@keller.example")})
		b.StartTimer()
		r.wake <- struct{}{}
		r.wait(i + 1)
	}
}

// BenchmarkRender writes one acknowledgement.
func BenchmarkRender(b *testing.B) {
	m := testMaterial(b, "en")
	l := testLetter(tickets.LetterAcknowledgement, "en")
	began := processor(b)
	for b.Loop() {
		if _, _, err := Render(l, m); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(processor(b)-began)/float64(b.N), "cpu-ns/op")
}

// processor is the time that the process has computed for: what a busy machine
// does not make longer.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
