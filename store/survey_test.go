package store_test

import (
	"errors"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// closedTicket stores a ticket of a brand whose closure makes a survey due.
func closedTicket(t testing.TB, db *store.DB, brand, from, msgid string, due time.Time) (tickets.Ticket, tickets.Survey) {
	t.Helper()
	c := newTicket(from, "printer", msgid)
	c.Brand, c.Tickets[0].Ticket.Brand, c.Tickets[0].Ticket.Status = brand, brand, tickets.StatusClosed
	for i := range c.Tickets[0].Letters {
		c.Tickets[0].Letters[i].Brand = brand
	}
	saved := save(t, db, 0, c)
	ticket := must(db.Ticket(t.Context(), saved.Tickets[0]))(t)
	save(t, db, 0, tickets.Change{Brand: brand, Surveys: []tickets.Survey{{Ticket: ticket.ID, Person: ticket.Requester, Due: due, FollowUp: due.Add(time.Hour)}}})
	return ticket, must(db.SurveyOfTicket(t.Context(), ticket.ID))(t)
}

// answer saves that a survey was asked at a time and answered an hour later.
func answer(t testing.TB, db *store.DB, s tickets.Survey, kind tickets.SurveyKind, at time.Time, score int) tickets.Survey {
	t.Helper()
	s.Kind, s.Asked, s.Due, s.Address, s.Agent, s.Category = kind, at, time.Time{}, "anna@customer.example", "asha@example.org", "billing"
	save(t, db, 0, tickets.Change{Brand: s.Brand, Surveys: []tickets.Survey{s}})
	s.Answered, s.Score, s.Comment = at.Add(time.Hour), score, "fine"
	save(t, db, 0, tickets.Change{Brand: s.Brand, Surveys: []tickets.Survey{s}})
	return s
}

func customer(t testing.TB, db *store.DB, brand string, person int64) tickets.Customer {
	t.Helper()
	var c tickets.Customer
	err := db.Decide(t.Context(), brand, func(tx *store.Tx) (err error) {
		c, err = tx.Customer(t.Context(), brand, person)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSurveyIsStored(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db, ctx := open(), t.Context()
		ticket, s := closedTicket(t, db, "acme", "anna@customer.example", "a@x", noon)
		for now, want := range map[time.Time]int{noon.Add(-time.Millisecond): 0, noon: 1} {
			if got := must(db.SurveysDue(ctx, "acme", now, 9))(t); len(got) != want {
				t.Errorf("at %s: due %v", now, got)
			}
		}
		if got := must(db.FollowUpsDue(ctx, "acme", noon.Add(time.Hour), 9))(t); len(got) != 1 || got[0] != s.ID {
			t.Errorf("to be followed up: %v", got)
		}
		if got := must(db.SurveysDue(ctx, "other", noon, 9))(t); len(got) != 0 {
			t.Errorf("of another brand: %v", got)
		}
		s = answer(t, db, s, tickets.SurveyNPS, noon, 9)
		diff(t, "answered", must(db.Survey(ctx, s.ID))(t), s)
		diff(t, "of the person", must(db.SurveysOf(ctx, ticket.Requester))(t), []tickets.Survey{s})
		if got := must(db.SurveysDue(ctx, "acme", noon, 9))(t); len(got) != 0 {
			t.Errorf("due after it was asked: %v", got)
		}
		// The ticket is closed once more: it is not asked about again.
		save(t, db, 0, tickets.Change{Brand: "acme", Surveys: []tickets.Survey{{Ticket: ticket.ID, Person: ticket.Requester, Due: noon}}})
		if got := must(db.SurveysDue(ctx, "acme", noon, 9))(t); len(got) != 0 {
			t.Errorf("due a second time: %v", got)
		}
		if _, err := db.Survey(ctx, 99); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("no such: %v", err)
		}
		// Another brand cannot answer it.
		s.Score = 1
		err := db.Decide(ctx, "other", func(tx *store.Tx) error {
			_, err := tx.Save(ctx, 0, "", "", tickets.Change{Brand: "other", Surveys: []tickets.Survey{s}}, noon)
			return err
		})
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another brand's: %v", err)
		}
	})
}

// Whoever was asked counts as asked by each address and number of theirs, in
// every brand.
func TestCustomerWasAsked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db, ctx := open(), t.Context()
		one, s := closedTicket(t, db, "acme", "anna@customer.example", "a@x", noon)
		two, _ := closedTicket(t, db, "other", "anna@home.example", "b@x", noon)
		three, _ := closedTicket(t, db, "other", "anna@customer.example", "c@x", noon)
		four, _ := closedTicket(t, db, "acme", "whatsapp:+491511234567", "d@x", noon)
		nobody, _ := closedTicket(t, db, "acme", "bert@customer.example", "e@x", noon)
		for _, id := range []int64{one.Requester, two.Requester} {
			p := must(db.Person(ctx, id))(t)
			p.Phones = []string{"+491511234567"}
			must(db.SavePerson(ctx, p, noon))(t)
		}
		if c := customer(t, db, "acme", one.Requester); !c.Recent.IsZero() || c.Last != "" {
			t.Errorf("before: %+v", c)
		}
		answer(t, db, s, tickets.SurveyCES, noon, 5)
		for _, ticket := range []tickets.Ticket{one, two, three, four} {
			if c := customer(t, db, ticket.Brand, ticket.Requester); !c.Recent.Equal(noon) {
				t.Errorf("person %d of %s: asked %v", ticket.Requester, ticket.Brand, c.Recent)
			}
		}
		if c := customer(t, db, "acme", nobody.Requester); !c.Recent.IsZero() || c.Last != tickets.SurveyCES {
			t.Errorf("somebody else: %+v", c)
		}
		if c := customer(t, db, "acme", 999); c.Person != nil {
			t.Errorf("nobody: %+v", c)
		}
	})
}

func TestFindSurvey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ticket, s := closedTicket(t, db, "acme", "anna@customer.example", "a@x", noon)
		s.Kind, s.Asked, s.Address = tickets.SurveyCSAT, noon, "tel:+491511234567"
		letter := ack("anna@customer.example", "survey:1")
		letter.Kind, letter.Ticket = tickets.LetterSurvey, ticket.ID
		save(t, db, 0, tickets.Change{
			Brand: "acme", Surveys: []tickets.Survey{s}, Tickets: []tickets.TicketChange{{Ticket: ticket, Letters: []tickets.Letter{letter}}},
			Points: []tickets.PointEntry{{Person: s.Person, Points: 7, Why: "feedback", Key: "k"}}, Codes: []tickets.ReferralCode{{Person: s.Person, Code: "ANNA-AAAA"}},
		})
		for _, o := range claimLetters(t, db, noon) {
			id := "other@x"
			if o.Letter.Kind == tickets.LetterSurvey {
				id = "survey@x"
			}
			if err := db.MarkDot(t.Context(), o.Letter.ID, o.Epoch, &store.Rendering{MessageID: id}, noon); err != nil {
				t.Fatal(err)
			}
		}
		for name, c := range map[string]struct {
			keys tickets.Keys
			want bool
		}{
			"page":            {tickets.Keys{Survey: s.ID}, true},
			"reply":           {tickets.Keys{Cites: []string{"unknown@x", "survey@x", "other@x"}}, true},
			"reply to other":  {tickets.Keys{Cites: []string{"other@x", "survey@x"}}, false},
			"text":            {tickets.Keys{Asked: "tel:+491511234567", Now: noon.Add(time.Hour)}, true},
			"text too late":   {tickets.Keys{Asked: "tel:+491511234567", Now: noon.Add(8 * 24 * time.Hour)}, false},
			"another's text":  {tickets.Keys{Asked: "tel:+4915199999", Now: noon}, false},
			"another's brand": {tickets.Keys{Survey: s.ID, Brand: "other"}, false},
			"nothing":         {tickets.Keys{}, false},
		} {
			f := find(t, db, c.keys)
			if got := f.Survey != nil; got != c.want {
				t.Errorf("%s: found %v", name, got)
			}
			if c.want && (f.Survey.ID != s.ID || f.Points != 7 || f.Code != "ANNA-AAAA" || f.Tickets[ticket.ID] == nil) {
				t.Errorf("%s: %+v %d %q", name, f.Survey, f.Points, f.Code)
			}
		}
		if f := find(t, db, tickets.Keys{Codes: []string{"HP-4250", "ANNA-AAAA"}}); f.Referral == nil || f.Referral.Person != s.Person {
			t.Errorf("code: %+v", f.Referral)
		}
		if f := find(t, db, tickets.Keys{Codes: []string{"ANNA-AAAA"}, Brand: "other"}); f.Referral != nil {
			t.Errorf("another brand's code: %+v", f.Referral)
		}
	})
}

func TestPoints(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db, ctx := open(), t.Context()
		one, s := closedTicket(t, db, "acme", "anna@customer.example", "a@x", noon)
		two, _ := closedTicket(t, db, "acme", "bert@customer.example", "b@x", noon)
		c := tickets.Change{Brand: "acme", Points: []tickets.PointEntry{{Person: one.Requester, Points: 10, Why: "feedback", Key: "survey:1"}},
			Codes: []tickets.ReferralCode{{Person: one.Requester, Code: "ANNA-AAAA"}}}
		save(t, db, 0, c)
		save(t, db, 0, c)
		c.Codes[0].Code, c.Points[0].Key, c.Points[0].Points = "ANN-AAAA", "survey:2", 5
		save(t, db, 0, c)
		if points, code, err := db.Earned(ctx, one.Requester); points != 15 || code != "ANNA-AAAA" || err != nil {
			t.Errorf("%d %q %v", points, code, err)
		}
		if list := must(db.Points(ctx, one.Requester))(t); len(list) != 2 || list[0].Key != "survey:1" || !list[0].At.Equal(noon) || list[0].Brand != "acme" {
			t.Errorf("%+v", list)
		}
		if brand, person, err := db.Recommended(ctx, "ANNA-AAAA"); brand != "acme" || person != one.Requester || err != nil {
			t.Errorf("%s %d %v", brand, person, err)
		}
		if code := must(db.SaveCode(ctx, "acme", tickets.ReferralCode{Person: two.Requester, Code: "BERT-BBBB"}))(t); code != "BERT-BBBB" {
			t.Error(code)
		}
		err := db.Decide(ctx, "acme", func(tx *store.Tx) error { return tx.HandOver(ctx, one.Requester, two.Requester) })
		if err != nil {
			t.Fatal(err)
		}
		if points, code, err := db.Earned(ctx, two.Requester); points != 15 || code != "BERT-BBBB" || err != nil {
			t.Errorf("after the merge: %d %q %v", points, code, err)
		}
		if s = must(db.Survey(ctx, s.ID))(t); s.Person != two.Requester {
			t.Errorf("survey of person %d", s.Person)
		}
	})
}

func TestReferral(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db, ctx := open(), t.Context()
		anna, _ := closedTicket(t, db, "acme", "anna@customer.example", "a@x", noon)
		c := newTicket("new@customer.example", "printer", "b@x")
		c.Referrals = []tickets.Referral{{By: anna.Requester, Code: "ANNA-AAAA", State: "open"}}
		saved := save(t, db, 0, c)
		came := must(db.Ticket(ctx, saved.Tickets[0]))(t)
		// Whoever came once does not come again, and nobody by himself.
		again := newTicket("new@customer.example", "toner", "c@x")
		again.Referrals = []tickets.Referral{{By: 77, State: "open"}}
		save(t, db, 0, again)
		self := newTicket("anna@customer.example", "toner", "d@x")
		self.Referrals = []tickets.Referral{{By: anna.Requester, State: "open"}}
		save(t, db, 0, self)
		if got := must(db.ReferralsDone(ctx, "acme", 9))(t); len(got) != 0 {
			t.Errorf("before it is resolved: %v", got)
		}
		came.Status = tickets.StatusResolved
		save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: came}}})
		got := must(db.ReferralsDone(ctx, "acme", 9))(t)
		if len(got) != 1 || got[0] != came.Requester {
			t.Fatalf("done: %v", got)
		}
		err := db.Decide(ctx, "acme", func(tx *store.Tx) error {
			r, err := tx.Referral(ctx, got[0])
			if r.By != anna.Requester || r.Ticket != came.ID || r.State != "open" {
				t.Errorf("%+v", r)
			}
			last, err2 := tx.LastTicket(ctx, anna.Requester)
			if last == 0 || last == came.ID {
				t.Errorf("last ticket %d", last)
			}
			return errors.Join(err, err2)
		})
		if err != nil {
			t.Fatal(err)
		}
		save(t, db, 0, tickets.Change{Brand: "acme", Referrals: []tickets.Referral{{Person: got[0], State: "accepted"}}})
		if got := must(db.ReferralsDone(ctx, "acme", 9))(t); len(got) != 0 {
			t.Errorf("after it ended: %v", got)
		}
		if by, _, err := db.Came(ctx, came.Requester); by != anna.Requester || err != nil {
			t.Errorf("came by %d %v", by, err)
		}
		if by, brought, err := db.Came(ctx, anna.Requester); by != 0 || brought != 1 || err != nil {
			t.Errorf("%d %d %v", by, brought, err)
		}
	})
}

func TestSurveyTallies(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db, ctx := open(), t.Context()
		scores := map[tickets.SurveyKind][]int{tickets.SurveyNPS: {10, 9, 9, 7, 0}, tickets.SurveyCSAT: {5, 1}}
		n := 0
		for kind, list := range scores {
			for _, score := range list {
				n++
				from := string(rune('a'+n)) + "@customer.example"
				_, s := closedTicket(t, db, "acme", from, from, noon)
				answer(t, db, s, kind, noon, score)
			}
		}
		_, s := closedTicket(t, db, "acme", "silent@customer.example", "s@x", noon)
		s.Kind, s.Asked, s.Agent, s.Category, s.Address = tickets.SurveyNPS, noon, "asha@example.org", "billing", "silent@customer.example"
		save(t, db, 0, tickets.Change{Brand: "acme", Surveys: []tickets.Survey{s}})
		q := store.SurveyQuery{From: noon.Add(-time.Hour), To: noon.Add(2 * time.Hour), Brand: "acme"}
		list := must(db.SurveyTallies(ctx, q))(t)
		if len(list) != 2 || list[0].Kind != tickets.SurveyCSAT || list[0].N != 2 || list[0].Mean != 3 || list[0].Good != 0.5 {
			t.Fatalf("%+v", list)
		}
		if nps := list[1]; nps.N != 5 || nps.Asked != 6 || nps.Mean != 7 || nps.NPS() != 40 || nps.Scores[9] != 2 {
			t.Errorf("%+v, NPS %v", nps, nps.NPS())
		}
		for _, c := range []struct {
			edit func(*store.SurveyQuery)
			n    int
		}{
			{func(q *store.SurveyQuery) { q.Brand = "other" }, 0},
			{func(q *store.SurveyQuery) { q.Brand = "" }, 5},
			{func(q *store.SurveyQuery) { q.Agent = "asha@example.org" }, 5},
			{func(q *store.SurveyQuery) { q.Agent = "bikram@example.org" }, 0},
			{func(q *store.SurveyQuery) { q.Category = "billing" }, 5},
			{func(q *store.SurveyQuery) { q.To = noon.Add(time.Hour) }, 0},
			{func(q *store.SurveyQuery) { q.ByAgent = true }, 5},
			{func(q *store.SurveyQuery) { q.ByCat = true }, 5},
			{func(q *store.SurveyQuery) { q.ByBrand = true }, 5},
		} {
			q := q
			c.edit(&q)
			n := 0
			for _, l := range must(db.SurveyTallies(ctx, q))(t) {
				if l.Kind == tickets.SurveyNPS {
					n += l.N
				}
				if (q.ByAgent || q.ByCat || q.ByBrand) && l.Group == "" {
					t.Errorf("%+v: no group", l)
				}
			}
			if n != c.n {
				t.Errorf("%+v: %d answers, want %d", q, n, c.n)
			}
		}
	})
}
