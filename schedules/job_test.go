package schedules

import (
	"context"
	"errors"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// A report is counted for seconds: nobody who writes waits for it, and it is
// written once although it is counted before its transaction.
func TestNobodyWaitsForAJob(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		now := mustTime(t, "2026-10-24T12:00:00Z")
		rules := tickets.Rules{
			Brands:    map[string]tickets.Brand{"acme": {Key: "acme", Location: time.UTC}},
			Reminders: tickets.ReminderRules{Schedules: []tickets.Schedule{{Key: "weekly_report", Cron: "0 8 * * mon", CatchUp: "latest"}}},
		}
		counted := 0
		count := func(ctx context.Context, o Occurrence, _ tickets.Rules, now time.Time) (tickets.Change, error) {
			counted++
			if o.Brand != "acme" || o.Schedule.Key != "weekly_report" {
				t.Errorf("asked for %+v", o)
			}
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			if err := db.Decide(ctx, "acme", func(*store.Tx) error { return nil }); err != nil {
				t.Errorf("a decision beside the job: %v", err)
			}
			if counted == 1 {
				return tickets.Change{}, errors.New("could not be counted")
			}
			return tickets.Change{Letters: []tickets.Letter{{Brand: "acme", Mailbox: "support@example.org", Kind: tickets.LetterReport, To: tickets.Address{Address: "devi@example.org"}, Key: "report:" + o.At.String()}}}, nil
		}
		pass := func(at string) error {
			now = mustTime(t, at)
			s := New(Options{DB: db, Rules: func() tickets.Rules { return rules }, Now: func() time.Time { return now }, Jobs: map[string]Job{"weekly_report": count}})
			return s.runs(t.Context(), "acme", rules, now)
		}
		for _, c := range []struct {
			at      string
			fails   bool
			counted int
			letters int
		}{
			{"2026-10-24T12:00:00Z", false, 0, 0},
			{"2026-10-26T08:00:00Z", true, 1, 0},
			{"2026-10-26T08:01:00Z", false, 2, 1},
			{"2026-10-26T08:02:00Z", false, 2, 1},
		} {
			if err := pass(c.at); (err != nil) != c.fails {
				t.Fatalf("%s: %v", c.at, err)
			}
			tally, err := db.OutboxTally(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if letters := tally[store.LetterQueued]; counted != c.counted || letters != c.letters {
				t.Errorf("%s: counted %d times, %d letters; want %d and %d", c.at, counted, letters, c.counted, c.letters)
			}
		}
	})
}
