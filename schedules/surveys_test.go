package schedules

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"frontdesk/store"
	"frontdesk/tickets"
)

// asking are rules by which customers are asked.
func asking() tickets.Rules {
	r := rules
	r.Brands = map[string]tickets.Brand{}
	for _, key := range []string{"baleyo", "zephyr"} {
		b := rules.Brands["baleyo"]
		b.Key = key
		r.Brands[key] = b
	}
	r.Surveys = tickets.SurveyRules{
		Kinds: []tickets.SurveyKind{tickets.SurveyCSAT, tickets.SurveyCES, tickets.SurveyNPS},
		After: 24 * time.Hour, Window: 10 * 24 * time.Hour, FollowUp: 14 * 24 * time.Hour,
	}
	r.Rewards = tickets.RewardRules{Feedback: 10, Referral: 50, Levels: []tickets.Level{{Key: "silver", Title: "Silver", Points: 50}}}
	return r
}

// closing stores a ticket of a customer that was closed, as a confirmation does.
func (d *desk) closing(brand, address string) (ticket int64) {
	now := d.now()
	t := tickets.Ticket{
		Brand: brand, Mailbox: "support@baleyo.example", Queue: "support", Channel: tickets.ChannelMail, Status: tickets.StatusClosed,
		Subject: "Printer", SubjectCore: "Printer", Language: "en", Opened: now, Updated: now, Resolved: now, Closed: now, Version: 1,
		Participants: []tickets.Participant{{Address: tickets.Address{Name: "Maria", Address: address}, Role: tickets.PartyRequester}},
	}
	saved := d.decide(tickets.Change{Brand: brand, Tickets: []tickets.TicketChange{{Ticket: t}}})
	stored, err := d.db.Ticket(context.Background(), saved.Tickets[0])
	if err != nil {
		panic(err)
	}
	d.decide(tickets.Change{Brand: brand, Surveys: []tickets.Survey{{Ticket: stored.ID, Person: stored.Requester,
		Due: now.Add(d.rules.Surveys.After), FollowUp: now.Add(d.rules.Surveys.FollowUp)}}})
	return stored.ID
}

func (d *desk) decide(c tickets.Change) (saved store.Saved) {
	err := d.db.Decide(context.Background(), c.Brand, func(tx *store.Tx) (err error) {
		saved, err = tx.Save(context.Background(), 0, "", "", c, d.now())
		return err
	})
	if err != nil {
		panic(err)
	}
	return saved
}

// Whatever the order of closures, over which brands, addresses and restarts, and
// however the clock is set: nobody is asked twice within the window, no ticket
// twice at all, and each letter has its row.
func TestNobodyIsAskedTwiceWithinTheWindow(t *testing.T) {
	t.Parallel()
	folder, run := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		now := time.Date(2026, 3, 20, 8, 0, 0, 0, time.UTC)
		d := &desk{t: t, path: filepath.Join(folder, fmt.Sprint(run)), rules: asking(), clock: func() time.Time { return now }}
		d.start()
		defer func() { _ = d.db.Close() }()
		brands := []string{"baleyo", "zephyr"}
		for range rapid.IntRange(4, 14).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0, 1:
				d.closing(rapid.SampledFrom(brands).Draw(rt, "brand"), rapid.SampledFrom([]string{"a@x.example", "b@x.example"}).Draw(rt, "who"))
			case 2, 3:
				now = now.Add(time.Duration(rapid.IntRange(1, 200).Draw(rt, "hours")) * time.Hour)
			case 4:
				now = now.Add(-time.Duration(rapid.IntRange(1, 100).Draw(rt, "back")) * time.Hour)
			case 5:
				d.restart()
			}
			for range 2 {
				if err := d.sweep.Pass(context.Background()); err != nil {
					rt.Fatal(err)
				}
			}
		}
		d.checkAsked(rt)
	})
}

// checkAsked compares the letters with the window, by brute force.
func (d *desk) checkAsked(t *rapid.T) {
	letters, err := d.db.LettersWhere(context.Background(), []string{store.LetterQueued}, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string][]time.Time{}
	seen := map[string]bool{}
	for _, l := range letters {
		if seen[fmt.Sprint(l.Kind, l.Ticket)] {
			t.Errorf("ticket %d has %s twice", l.Ticket, l.Kind)
		}
		seen[fmt.Sprint(l.Kind, l.Ticket)] = true
		if l.Kind != tickets.LetterSurvey {
			continue
		}
		s, err := d.db.SurveyOfTicket(context.Background(), l.Ticket)
		if err != nil || s.Asked.IsZero() || s.Kind == "" {
			t.Errorf("letter about ticket %d: %+v, %v", l.Ticket, s, err)
		}
		for _, other := range asked[l.To] {
			if between := s.Asked.Sub(other).Abs(); between < d.rules.Surveys.Window {
				t.Errorf("%s was asked at %s and at %s", l.To, other, s.Asked)
			}
		}
		asked[l.To] = append(asked[l.To], s.Asked)
	}
}

// A quarter with three days' downtime and a change of the clocks: asked once,
// followed up not at all, because a survey was asked.
func TestSurveyAndFollowUpAfterAClosure(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 27, 9, 0, 0, 0, time.UTC)
	d := openDesk(t)
	d.rules, d.clock = asking(), func() time.Time { return now }
	asked := d.closing("baleyo", customer)
	count := func(kind tickets.LetterKind) (n int) {
		letters, err := d.db.LettersWhere(t.Context(), []string{store.LetterQueued}, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range letters {
			if l.Kind == kind {
				n++
			}
		}
		return n
	}
	d.pass()
	now = now.Add(24*time.Hour - time.Second)
	d.pass()
	if n := count(tickets.LetterSurvey); n != 0 {
		t.Errorf("%d surveys before the time", n)
	}
	now = now.Add(3 * 24 * time.Hour) // the desk stood still
	d.restart()
	d.pass()
	d.pass()
	if n := count(tickets.LetterSurvey); n != 1 {
		t.Errorf("%d surveys, want 1", n)
	}
	s, err := d.db.SurveyOfTicket(t.Context(), asked)
	if err != nil || s.Kind != tickets.SurveyCSAT || !s.Asked.Equal(now) {
		t.Errorf("%+v, %v", s, err)
	}
	// Another ticket of hers within the window is not asked about; when the window
	// is over at its time, it is followed up.
	second := d.closing("zephyr", customer)
	for range 60 {
		now = now.Add(12 * time.Hour)
		d.pass()
	}
	s, err = d.db.SurveyOfTicket(t.Context(), second)
	if err != nil || !s.Asked.IsZero() || s.Why == "" {
		t.Errorf("asked about the second: %+v, %v", s, err)
	}
	if n := count(tickets.LetterSurvey); n != 1 {
		t.Errorf("%d surveys in all, want 1", n)
	}
	if n := count(tickets.LetterFollowUp); n != 2 {
		t.Errorf("%d follow-ups, want 2: the window of ten days was over", n)
	}
}

func TestReferralIsAcceptedWhenTheTicketIsResolved(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 27, 9, 0, 0, 0, time.UTC)
	d := openDesk(t)
	d.rules, d.clock = asking(), func() time.Time { return now }
	first := d.closing("baleyo", customer)
	kaya, err := d.db.Ticket(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	came := tickets.Ticket{
		Brand: "baleyo", Mailbox: "support@baleyo.example", Queue: "support", Channel: tickets.ChannelMail, Status: tickets.StatusOpen,
		Subject: "New", SubjectCore: "New", Language: "en", Opened: now, Updated: now, Version: 1,
		Participants: []tickets.Participant{{Address: tickets.Address{Address: "new@x.example"}, Role: tickets.PartyRequester}},
	}
	saved := d.decide(tickets.Change{Brand: "baleyo", Tickets: []tickets.TicketChange{{Ticket: came}}, Referrals: []tickets.Referral{{By: kaya.Requester, Code: "MARIA-7Q2F", State: "open"}}})
	d.pass()
	if points, _, err := d.db.Earned(t.Context(), kaya.Requester); points != 0 || err != nil {
		t.Errorf("%d points before it is resolved, %v", points, err)
	}
	came, err = d.db.Ticket(t.Context(), saved.Tickets[0])
	if err != nil {
		t.Fatal(err)
	}
	came.Status, came.Resolved = tickets.StatusResolved, now
	d.decide(tickets.Change{Brand: "baleyo", Tickets: []tickets.TicketChange{{Ticket: came}}})
	d.pass()
	d.restart()
	d.pass()
	points, code, err := d.db.Earned(t.Context(), kaya.Requester)
	if points != 50 || code == "" || err != nil {
		t.Errorf("%d points, code %q, %v", points, code, err)
	}
	letters, err := d.db.LettersWhere(t.Context(), []string{store.LetterQueued}, 0, 100)
	if err != nil || len(letters) != 1 || letters[0].Kind != tickets.LetterReward || letters[0].To != customer {
		t.Errorf("letters %+v, %v", letters, err)
	}
}
