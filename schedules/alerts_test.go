package schedules

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// watched is a store with alerts over it, and what they posted.
type watched struct {
	*desk
	alerts *Alerts
	is     []tickets.Condition // what others see
	posted []string
	sent   []tickets.Letter
	step   time.Duration
	refuse error
}

func openWatched(t *testing.T) *watched {
	d := openDesk(t)
	w := &watched{desk: d}
	b := rules.Brands["baleyo"]
	b.Mailboxes = append([]tickets.Mailbox{}, b.Mailboxes[0], tickets.Mailbox{Address: "sales@baleyo.example", Queue: "support"})
	d.rules.Brands = map[string]tickets.Brand{"baleyo": b}
	w.begin()
	return w
}

// begin makes alerts that remember nothing, as a start does.
func (w *watched) begin() {
	w.alerts = NewAlerts(AlertOptions{
		DB: w.db, Rules: func() tickets.Rules { return w.desk.rules }, Now: w.now, Node: "node", Every: time.Minute,
		Settings: func() tickets.Alerting {
			return tickets.Alerting{Mail: []string{"ops@elsewhere.example"}, Repeat: 6 * time.Hour}
		},
		Mailboxes: func() ([]tickets.WatchedMailbox, time.Duration) {
			return []tickets.WatchedMailbox{{Address: "support@baleyo.example", Folder: "INBOX", Poll: time.Minute}}, 15 * time.Minute
		},
		Watch:   []func(context.Context, time.Time) []tickets.Condition{func(context.Context, time.Time) []tickets.Condition { return w.is }},
		Targets: func() []string { return []string{"webhook"} },
		Post: func(_ context.Context, target string, body []byte) error {
			if w.refuse != nil {
				return w.refuse
			}
			var p posted
			if err := json.Unmarshal(body, &p); err != nil {
				return err
			}
			key, _, _ := strings.Cut(p.Condition, " ")
			w.posted = append(w.posted, key+":"+string(p.Event))
			return nil
		},
	})
}

func (w *watched) polled(fail string) {
	w.t.Helper()
	c := store.Cursor{Mailbox: "support@baleyo.example", Folder: "INBOX", UIDValidity: 1, UID: 1, Polled: w.now(), Error: fail}
	if fail != "" {
		old, err := w.db.Cursor(w.t.Context(), c.Mailbox, c.Folder)
		if err != nil {
			w.t.Fatal(err)
		}
		c.Polled = old.Polled
	}
	if err := w.db.SetCursor(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
}

// for_ passes each minute of the bubble's time.
func (w *watched) for_(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(max(w.step, time.Minute))
		w.alerts.Pass(w.t.Context())
		w.send()
	}
}

// send empties the outbox, as a sender does; a store that is closed has none.
func (w *watched) send() {
	now := w.now()
	list, _ := w.db.ClaimLetters(w.t.Context(), store.LetterClaim{Now: now, Until: now.Add(time.Minute), Limit: 10})
	for _, o := range list {
		w.sent = append(w.sent, o.Letter)
		_, err := w.db.Mark(w.t.Context(), []store.Result{{ID: o.Letter.ID, Epoch: o.Epoch, State: store.LetterSent, At: now}})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *watched) took(what, want string) {
	w.t.Helper()
	if got := strings.Join(w.posted, " "); got != want {
		w.t.Errorf("%s: posted %q, want %q", what, got, want)
	}
	w.posted = nil
}

// A mailbox whose password is refused for a day: one alert by another mailbox
// that says what to do, another each six hours, one word when it is read again;
// restarts in between tell nothing anew.
func TestDeadMailboxIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := openWatched(t)
		w.polled("")
		w.for_(10 * time.Minute)
		w.polled("log in as support@baleyo.example: imap: NO [AUTHENTICATIONFAILED] no")
		w.took("while it is well", "")
		w.for_(4 * time.Minute)
		w.took("before its time", "")
		w.for_(3 * time.Minute)
		w.took("after 15 minutes", "mailbox:raised")
		list := w.sent
		if len(list) != 1 || list[0].Mailbox != "sales@baleyo.example" || list[0].To.Address != "ops@elsewhere.example" || list[0].Kind != tickets.LetterAlert {
			t.Fatalf("letters %+v, want one by the other mailbox", list)
		}
		if c := list[0].Data.Conditions; len(c) != 1 || !strings.Contains(c[0].Text, "AUTHENTICATIONFAILED") || !strings.Contains(c[0].Hint, "password_file") {
			t.Errorf("it says %+v", c)
		}
		for range 5 {
			w.begin() // a restart: its silence counts from then
			w.for_(20 * time.Minute)
		}
		w.begin()
		w.step = 10 * time.Minute
		w.for_(22 * time.Hour)
		w.step = 0
		w.took("within a day", "mailbox:repeated mailbox:repeated mailbox:repeated")
		w.polled("")
		w.for_(2 * time.Minute)
		w.took("when it is read again", "mailbox:recovered")
		if n := len(w.sent); n != 5 {
			t.Errorf("%d letters, want 5", n)
		}
	})
}

// TestEndingSecretIsToldOnceAStage: an app's secret that ends is told of 30, 7 and
// 1 days before and at its end, once each over restarts, by a mailbox that does not
// need it; with a new secret nothing more is said.
func TestEndingSecretIsToldOnceAStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := openWatched(t)
		w.step = 6 * time.Hour
		end := time.Now().Add(40 * 24 * time.Hour)
		live := func(days int) {
			t.Helper()
			for range days {
				w.is = nil
				c, is := tickets.Ends(tickets.Ending{Key: "secret oauth.mail", What: "The secret", Left: time.Until(end), Hint: "make a new one", Mailboxes: []string{"support@baleyo.example"}})
				if is {
					w.is = append(w.is, c)
				}
				w.polled("")
				w.begin()
				w.for_(24 * time.Hour)
			}
		}
		only := func() {
			kept := w.posted[:0]
			for _, p := range w.posted {
				if strings.HasPrefix(p, "secret") {
					kept = append(kept, p)
				}
			}
			w.posted = kept
		}
		for _, c := range []struct {
			days int
			want string
		}{{9, ""}, {20, "secret:raised"}, {5, "secret:repeated"}, {3, ""}, {3, "secret:repeated"}, {7, "secret:repeated"}} {
			live(c.days)
			only()
			w.took(time.Until(end).String()+" before its end", c.want)
		}
		for _, l := range w.sent {
			for _, c := range l.Data.Conditions {
				if strings.HasPrefix(c.Text, "The secret") && (l.Mailbox != "sales@baleyo.example" || c.Hint != "make a new one") {
					t.Errorf("by %s: %+v", l.Mailbox, c)
				}
			}
		}
		end = time.Now().Add(400 * 24 * time.Hour)
		live(2)
		only()
		w.took("with a new secret", "")
	})
}

// An alert that the webhook does not take is kept, over a restart, until it does.
func TestAlertIsKeptUntilItIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := openWatched(t)
		w.polled("")
		w.is = []tickets.Condition{tickets.DiskLow("node", "/data", 500<<20)}
		w.refuse = errors.New("HTTP 500")
		w.for_(10 * time.Minute)
		w.begin()
		w.took("refused", "")
		w.refuse = nil
		w.polled("")
		w.for_(16 * time.Minute)
		w.took("taken", "disk:raised")
	})
}

// A database that takes nothing is told of at once and without a row, once an
// hour, and so is its end.
func TestEmergencyNeedsNoDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := openWatched(t)
		w.polled("")
		w.for_(2 * time.Minute)
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		w.for_(30 * time.Minute)
		w.took("a database that is gone", "database:raised")
		w.for_(70 * time.Minute)
		w.took("and stays so", "database:repeated")
		w.is = []tickets.Condition{tickets.DiskLow("node", "/data", 500<<20)}
		w.for_(10 * time.Minute)
		w.took("for the disk is full: one more cause, one more word", "disk:raised")
		db, err := store.Open(context.Background(), store.Options{Database: w.path, Fast: true, Node: "node"})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		w.db, w.alerts.opt.DB = db, db
		w.is = nil
		w.polled("")
		w.for_(5 * time.Minute)
		w.took("all is well", "database:recovered disk:recovered")
	})
}

// A clock that jumps is told of once; time that passes is no jump.
func TestClockThatJumpsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := openWatched(t)
		w.polled("")
		w.for_(14 * time.Minute)
		w.took("no jump", "")
		w.ahead = 2 * time.Hour
		w.polled("")
		w.for_(5 * time.Minute)
		w.took("two hours forward", "clock:raised")
		w.ahead = 0
		w.polled("")
		w.for_(14 * time.Minute)
		if got := strings.Join(w.posted, " "); strings.Contains(got, "recovered") {
			t.Errorf("posted %q: a jump is no condition that ends", got)
		}
	})
}

// A desk that is well writes nothing for its alerts.
func TestHealthyDeskWritesNoAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := openWatched(t)
		w.polled("")
		w.for_(14 * time.Minute)
		if list, err := w.db.Alerts(t.Context(), time.Time{}); err != nil || len(list) != 0 {
			t.Errorf("rows %+v, %v", list, err)
		}
		if n := len(w.sent); n != 0 {
			t.Errorf("%d letters", n)
		}
	})
}
