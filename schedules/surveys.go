package schedules

import (
	"context"
	"errors"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// surveys asks customers whose tickets were closed how it was, and later
// whether it still works; and gives points for those who came by somebody's
// word. What is due stands in rows that the closures wrote: what became of it is
// saved in the same transaction as the letter.
func (s *Sweep) surveys(ctx context.Context, brand string, rules tickets.Rules, now time.Time) error {
	db := s.opt.DB
	return errors.Join(
		s.aftercare(ctx, brand, "survey", db.SurveysDue, rules, now, tickets.AskSurvey),
		s.aftercare(ctx, brand, "follow-up", db.FollowUpsDue, rules, now, tickets.FollowUp),
		s.referrals(ctx, brand, rules, now),
	)
}

type (
	listed    func(ctx context.Context, brand string, now time.Time, n int) ([]int64, error)
	aftercare func(tickets.Survey, tickets.Ticket, tickets.Customer, tickets.Found, tickets.Rules, time.Time) (tickets.Change, bool)
)

func (s *Sweep) aftercare(ctx context.Context, brand, what string, list listed, rules tickets.Rules, now time.Time, decide aftercare) error {
	ids, err := list(ctx, brand, now, atOnce)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var ticket int64
		told, err := s.one(context.WithoutCancel(ctx), brand, now, func(ctx context.Context, tx *store.Tx, now time.Time) (tickets.Change, bool, error) {
			survey, err := tx.Survey(ctx, id)
			if err != nil {
				return tickets.Change{}, false, err
			}
			ticket = survey.Ticket
			who, err := tx.Customer(ctx, brand, survey.Person)
			if err != nil {
				return tickets.Change{}, false, err
			}
			t, found, err := lookAt(ctx, tx, survey.Ticket, now)
			if err != nil {
				return tickets.Change{}, false, err
			}
			change, due := decide(survey, t, who, found, rules, now)
			return change, due, nil
		})
		s.report(ticket, what, told, err)
	}
	return nil
}

// lookAt loads a ticket with what an automatic letter to its requester needs.
func lookAt(ctx context.Context, tx *store.Tx, ticket int64, now time.Time) (tickets.Ticket, tickets.Found, error) {
	t, err := tx.Ticket(ctx, ticket)
	if err != nil {
		return tickets.Ticket{}, tickets.Found{}, err
	}
	found, err := tx.Find(ctx, tickets.Keys{Brand: t.Brand, Sender: requester(*t), History: t.ID, Tickets: []int64{t.ID}, Now: now})
	return *t, found, err
}

func (s *Sweep) referrals(ctx context.Context, brand string, rules tickets.Rules, now time.Time) error {
	ids, err := s.opt.DB.ReferralsDone(ctx, brand, atOnce)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var ticket int64
		told, err := s.one(context.WithoutCancel(ctx), brand, now, func(ctx context.Context, tx *store.Tx, now time.Time) (tickets.Change, bool, error) {
			r, err := tx.Referral(ctx, id)
			if err != nil || r.State != "open" {
				return tickets.Change{}, false, err
			}
			ticket = r.Ticket
			return referral(ctx, tx, r, rules, now)
		})
		s.report(ticket, "referral", told, err)
	}
	return nil
}

// referral decides about one of them within the transaction.
func referral(ctx context.Context, tx *store.Tx, r tickets.Referral, rules tickets.Rules, now time.Time) (c tickets.Change, due bool, err error) {
	t, _, err := lookAt(ctx, tx, r.Ticket, now)
	for hops := 0; err == nil && t.Status == tickets.StatusMerged && hops < 20; hops++ {
		t, _, err = lookAt(ctx, tx, t.MergedInto, now)
	}
	if err != nil {
		return c, false, err
	}
	by, err := somebody(ctx, tx, r.By)
	if err != nil {
		return c, false, err
	}
	who, err := somebody(ctx, tx, r.Person)
	if err != nil {
		return c, false, err
	}
	var found tickets.Found
	var last *tickets.Ticket
	id, err := tx.LastTicket(ctx, r.By)
	if err != nil {
		return c, false, err
	}
	if id != 0 {
		var l tickets.Ticket
		if l, found, err = lookAt(ctx, tx, id, now); err != nil {
			return c, false, err
		}
		last = &l
	}
	if found.Points, found.Code, err = tx.Earned(ctx, r.By); err != nil {
		return c, false, err
	}
	c, due = tickets.AcceptReferral(r, t, by, who, last, found, rules, now)
	return c, due, nil
}

// somebody loads a person, nil when there is none any more.
func somebody(ctx context.Context, tx *store.Tx, id int64) (*tickets.Person, error) {
	p, err := tx.Person(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return &p, err
}
