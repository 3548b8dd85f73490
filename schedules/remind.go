package schedules

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/tickets"
)

// mostAnHour bounds the reminders of a brand: a wrong import must not become a
// thousand letters before somebody sees it. What is more waits for the next hour.
const mostAnHour = 500

// remind is the job of all reminders: what it finds due it notes, the letters
// are gathered from that.
func (s *Sweep) remind(ctx context.Context, _ *store.Tx, o Occurrence, rules tickets.Rules, _ time.Time) (tickets.Change, error) {
	dues, err := found(ctx, s.opt.DB, o, rules, owners{})
	return tickets.Change{Brand: o.Brand, Dues: dues}, err
}

// owners are customers that were looked up.
type owners map[int64]tickets.Person

func (w owners) of(ctx context.Context, db *store.DB, id int64) (tickets.Person, error) {
	if p, ok := w[id]; ok {
		return p, nil
	}
	p, err := db.Person(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	w[id] = p
	return p, err
}

// found lists what an occurrence finds due: of the days since the run before, its
// own and the next one, for the clocks of some customers are ahead. Each is told
// at the schedule's time of day on the customer's own clock.
func found(ctx context.Context, db *store.DB, o Occurrence, rules tickets.Rules, who owners) ([]tickets.Due, error) {
	products, err := candidates(ctx, db, o, rules)
	if err != nil {
		return nil, err
	}
	from, to := o.days()
	var out []tickets.Due
	for _, p := range products {
		if p.Person == 0 {
			continue
		}
		owner, err := who.of(ctx, db, p.Person)
		if err != nil {
			return nil, err
		}
		zone := owner.Zone(rules.Brands[o.Brand])
		for _, d := range tickets.Reminders(o.Schedule, []tickets.Product{p}, from, to, o.At, rules.Reminders) {
			d.Next = d.Day.At(o.Clock, zone)
			out = append(out, d)
		}
	}
	return out, nil
}

// days are those that an occurrence looks at, on the schedule's own clock.
func (o Occurrence) days() (from, to sla.Date) {
	return sla.DateOf(o.Since.In(o.At.Location())).Add(1), sla.DateOf(o.At).Add(1)
}

// everything is a limit for lists that must be whole.
const everything = math.MaxInt32

// candidates are the products that an occurrence may find something due of.
func candidates(ctx context.Context, db *store.DB, o Occurrence, rules tickets.Rules) ([]tickets.Product, error) {
	switch o.Schedule.Key {
	case tickets.WarrantyReminder, tickets.WarrantyExtension:
		return ending(ctx, db, o, store.EndingWarranty, o.Schedule.DaysBefore)
	case tickets.WarrantyExpired:
		return ending(ctx, db, o, store.EndingWarranty, []int{-1})
	case tickets.RenewalReminder:
		return ending(ctx, db, o, store.EndingContract, o.Schedule.DaysBefore)
	case tickets.ServiceReminder:
		var list []tickets.Product
		for _, kind := range []tickets.ProductKind{tickets.KindLaser, tickets.KindInkjet} {
			some, err := db.ProductsWorn(ctx, o.Brand, kind, rules.Reminders.Span(kind), everything)
			if err != nil {
				return nil, err
			}
			list = append(list, some...)
		}
		return list, nil
	case tickets.MeterReminder:
		return db.Products(ctx, store.ProductQuery{Brand: o.Brand, Limit: everything})
	}
	return nil, nil
}

// ending are the products of which a day lies so many days after those that an
// occurrence looks at.
func ending(ctx context.Context, db *store.DB, o Occurrence, what store.Ending, days []int) (list []tickets.Product, err error) {
	seen := map[int64]bool{}
	for _, n := range days {
		from, to := o.days()
		some, err := db.ProductsEnding(ctx, o.Brand, what, from.Add(n), to.Add(n), everything)
		if err != nil {
			return nil, err
		}
		for _, p := range some {
			if !seen[p.ID] {
				seen[p.ID] = true
				list = append(list, p)
			}
		}
	}
	return list, nil
}

// gather writes the reminders of everybody for whom something waits.
func (s *Sweep) gather(ctx context.Context, brand string, rules tickets.Rules, now time.Time) error {
	persons, err := s.opt.DB.DuePersons(ctx, brand, now, atOnce)
	if err != nil || len(persons) == 0 {
		return err
	}
	wrote, err := s.opt.DB.RemindedSince(ctx, brand, now.Add(-time.Hour), now.Add(ahead))
	if err != nil {
		return err
	}
	for _, id := range persons {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if wrote >= mostAnHour {
			return s.flood(ctx, brand, now)
		}
		told, err := s.gatherOne(context.WithoutCancel(ctx), brand, id, rules, now)
		s.alive()
		switch {
		case err != nil:
			s.failed.Store(true)
			s.opt.Log.Error("remind", "brand", brand, "person", id, "err", err)
		case told > 0:
			wrote += told
			s.opt.Log.Info("reminded", "brand", brand, "person", id)
			s.opt.Wrote()
		}
	}
	return nil
}

// gatherOne decides what one customer is told, and saves it with the letter.
func (s *Sweep) gatherOne(ctx context.Context, brand string, person int64, rules tickets.Rules, now time.Time) (told int, err error) {
	err = s.opt.DB.Decide(ctx, brand, func(tx *store.Tx) error {
		told = 0
		return tx.Try(ctx, func() error {
			c, due, err := reminded(ctx, tx, brand, person, rules, now)
			if err != nil || !due {
				return err
			}
			told = len(c.Letters)
			ctx, err := s.restored(ctx, tx, told > 0, func(ctx context.Context, tx *store.Tx, at time.Time) (tickets.Change, bool, error) {
				c, due, err := reminded(ctx, tx, brand, person, rules, at)
				return c, due && len(c.Letters) > 0, err
			})
			if err != nil {
				return err
			}
			_, err = tx.Save(ctx, 0, "", "", c, now)
			return err
		})
	})
	return told, err
}

// reminded decides what one customer is told. What waits for somebody who is
// gone ends.
func reminded(ctx context.Context, tx *store.Tx, brand string, person int64, rules tickets.Rules, now time.Time) (tickets.Change, bool, error) {
	r, err := tx.Reminded(ctx, brand, person)
	if errors.Is(err, store.ErrNotFound) {
		c := tickets.Change{Brand: brand}
		for _, d := range r.Dues {
			d.State, d.Why, d.Next = tickets.DueStopped, "the customer is not known any more", time.Time{}
			c.Dues = append(c.Dues, d)
		}
		return c, true, nil
	}
	if err != nil {
		return tickets.Change{}, false, err
	}
	c, due := tickets.Gather(r, rules, now)
	return c, due, nil
}

// flood tells the operator, once an hour, that reminders wait because there are
// too many.
func (s *Sweep) flood(ctx context.Context, brand string, now time.Time) error {
	is := false
	err := s.opt.DB.Decide(context.WithoutCancel(ctx), brand, func(tx *store.Tx) (err error) {
		is, err = tx.Once(ctx, "reminders-held:"+brand, now.UTC().Format("2006-01-02T15"))
		return err
	})
	if err == nil && is {
		s.opt.Log.Error("reminders wait", "brand", brand, "count", mostAnHour, "err", fmt.Sprintf("more than %d reminders in an hour: the rest waits", mostAnHour))
	}
	return err
}
