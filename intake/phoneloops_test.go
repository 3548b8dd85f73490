package intake

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"frontdesk/internal/twiliosim"
	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

// running starts a loop and returns what ends it and waits.
func running(t *testing.T, loop func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- loop(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// The loop fetches at a word, and what failed when its time has come, without
// one.
func TestFetcherLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newPhoneDesk(t, twiliosim.Config{RecordingLag: 3})
		woken := make(chan struct{}, 1)
		f := NewFetcher(FetcherOptions{DB: d.db, Client: func() *phone.Client { return d.client }, Limit: func() int64 { return 1 << 20 }, Woken: woken})
		stop := running(t, f.Run)
		synctest.Wait()
		d.twilio.opt.Now, d.sim.Now = time.Now, time.Now
		if _, err := d.sim.Dial(twiliosim.Inbound{From: annaNumber, To: ourNumber, Script: []twiliosim.Step{press("2"), leaves(12)}}); err != nil {
			t.Fatal(err)
		}
		d.sim.Wait()
		woken <- struct{}{}
		synctest.Wait()
		if got := f.Counts(); got["later"] != 1 {
			t.Errorf("at the word: %v", got)
		}
		time.Sleep(2*time.Second + 5*time.Second + 15*time.Second + time.Second)
		synctest.Wait()
		if got := f.Counts(); got["later"] != 3 || got["stored"] != 1 {
			t.Errorf("%v", got)
		}
		if since := time.Since(f.Beat()); since > 30*time.Second {
			t.Errorf("last beat %s ago", since)
		}
		stop()
	})
}

// Of two nodes one looks for lost webhooks; when it is gone the other does.
func TestReconcilerLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newPhoneDesk(t, twiliosim.Config{})
		d.sim.Now = time.Now
		path := filepath.Join(t.TempDir(), "desk.db")
		node := func(name string) *TwilioReconciler {
			db, err := store.Open(context.Background(), store.Options{Database: path, Fast: true, Node: name})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			return NewTwilioReconciler(TwilioReconcilerOptions{DB: db, Client: func() *phone.Client { return d.client }, Rules: func() tickets.Rules { return d.rules },
				Every: func() time.Duration { return 15 * time.Minute }, Days: func() int { return 3 }})
		}
		passes := func() (n int) {
			for _, e := range d.sim.Find("rest", "") {
				if strings.HasSuffix(e.URL, "/Recordings.json") {
					n++
				}
			}
			return n
		}
		d.sim.Lose("", -1)
		if _, err := d.sim.Text(twiliosim.Text{From: annaNumber, To: ourNumber, Body: "lost"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(onTheWay)
		a, b := node("a"), node("b")
		stopA := running(t, a.Run)
		synctest.Wait()
		stopB := running(t, b.Run)
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		if n := passes(); n != 5 || a.Brought() != 1 || b.Brought() != 0 {
			t.Errorf("%d passes in an hour, want 5; %d and %d brought", n, a.Brought(), b.Brought())
		}
		stopA()
		if _, err := d.sim.Text(twiliosim.Text{From: annaNumber, To: ourNumber, Body: "lost, too"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if b.Brought() != 1 {
			t.Errorf("the other node brought %d", b.Brought())
		}
		stopB()
	})
}
