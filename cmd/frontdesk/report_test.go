package main

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"frontdesk/notify"
	"frontdesk/schedules"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// The weekly report is written once for each week, at its hour of the brand's
// clock: after restarts, a clock that is set back, weeks of standstill and the
// end of summer time. What it says is of the whole week before.
func TestWeeklyReportOnceAWeek(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	db := storetest.SQLite(t)
	rules := reportRules(berlin)
	at := func(text string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	reportTicket(t, db, at("2026-10-20 10:00"))
	for _, c := range []struct {
		now     string
		restart bool
		letters int // in all
		what    string
	}{
		{"2026-10-24 12:00", true, 0, "the desk begins"},
		{"2026-10-26 07:59", false, 0, "a minute too early, on the day after the clocks went back"},
		{"2026-10-26 08:00", false, 1, "the hour"},
		{"2026-10-26 08:01", false, 1, "again"},
		{"2026-10-26 09:00", true, 1, "another process"},
		{"2026-10-26 07:30", true, 1, "the clock was set back"},
		{"2026-10-26 08:30", true, 1, "and comes by again"},
		{"2026-11-17 11:00", true, 2, "three weeks later: one letter, of the newest week"},
		{"2026-11-23 08:00", false, 3, "and on"},
	} {
		now := at(c.now)
		sweep := schedules.New(schedules.Options{DB: db, Rules: func() tickets.Rules { return rules }, Now: func() time.Time { return now }, Jobs: reportJobs(db)})
		if err := sweep.Pass(t.Context()); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if list := reports(t, db); len(list) != c.letters {
			t.Fatalf("%s, %s: %d letters, want %d", c.now, c.what, len(list), c.letters)
		}
	}
	list := reports(t, db)
	for i, want := range []struct {
		from   string
		hours  int
		opened int
	}{{"2026-10-19", 169, 1}, {"2026-11-09", 168, 0}, {"2026-11-16", 168, 0}} {
		var f tickets.Figures
		if err := json.Unmarshal(list[i].Data.Figures, &f); err != nil {
			t.Fatal(err)
		}
		if from := f.From.In(berlin).Format(time.DateOnly); from != want.from || f.To.Sub(f.From) != time.Duration(want.hours)*time.Hour || f.Total.Period.Opened != want.opened {
			t.Errorf("letter %d: from %s, %s, %d opened; want %+v", i, from, f.To.Sub(f.From), f.Total.Period.Opened, want)
		}
	}
	reportIsReadable(t, list[0], rules)
}

// reportIsReadable renders a report as the sender does.
func reportIsReadable(t *testing.T, l tickets.Letter, rules tickets.Rules) {
	t.Helper()
	templates, err := notify.LoadTemplates("")
	if err != nil {
		t.Fatal(err)
	}
	raw, _, err := notify.Render(l, notify.Material{
		Templates: templates, Keys: rules.Keys, Report: writeReport, Now: time.Unix(0, 0),
		Brand: notify.Brand{Key: "baleyo", Name: "Baleyo", Color: "#b03060", Language: "en", Domain: "baleyo.test"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Weekly report", "multipart/related", "Content-Type: image/png", "This is the first report"} {
		if !bytes.Contains(raw, []byte(want)) {
			t.Errorf("the mail lacks %q:\n%s", want, raw[:min(len(raw), 4000)])
		}
	}
}

func reportRules(zone *time.Location) tickets.Rules {
	return tickets.Rules{
		Keys:      tickets.Keyring{Current: tickets.Key{ID: 'a', Secret: bytes.Repeat([]byte{1}, 32)}},
		Brands:    map[string]tickets.Brand{"baleyo": {Key: "baleyo", Name: "Baleyo", Language: "en", Location: zone, Mailboxes: []tickets.Mailbox{{Address: "support@baleyo.test", Queue: "support"}}}},
		Queues:    map[string]tickets.Queue{"support": {Key: "support", Tiers: [][]string{{"devi@baleyo.test"}}}},
		Agents:    map[string]tickets.Agent{"devi@baleyo.test": {Name: "Devi", Address: "devi@baleyo.test", Role: tickets.RoleManager}},
		Reminders: tickets.ReminderRules{Schedules: []tickets.Schedule{{Key: "weekly_report", Cron: "0 8 * * mon", CatchUp: "latest", To: []string{"devi@baleyo.test"}}}},
	}
}

func reportTicket(t *testing.T, db *store.DB, at time.Time) {
	t.Helper()
	c := tickets.Change{Brand: "baleyo", Tickets: []tickets.TicketChange{{
		Ticket: tickets.Ticket{Brand: "baleyo", Queue: "support", Channel: tickets.ChannelMail, Status: tickets.StatusNew, Subject: "Printer offline", Opened: at.UTC(), Updated: at.UTC(),
			Participants: []tickets.Participant{{Address: tickets.Address{Address: "maria@keller.example"}, Role: tickets.PartyRequester}}},
		Events: []tickets.Event{{At: at, Who: "maria@keller.example", What: "opened"}},
	}}}
	err := db.Decide(t.Context(), "baleyo", func(tx *store.Tx) error {
		_, err := tx.Save(t.Context(), 0, "", "", c, at)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// reports are the letters of reports, oldest first.
func reports(t *testing.T, db *store.DB) (list []tickets.Letter) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	for id := int64(1); ; id++ {
		l, _, _, err := db.LetterByID(ctx, id)
		if err != nil {
			return list
		}
		if l.Kind == tickets.LetterReport {
			list = append(list, l)
		}
	}
}
