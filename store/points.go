package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"frontdesk/tickets"
)

// Earned returns the points of a person and the person's referral code, "" when
// there is none yet.
func (tx *Tx) Earned(ctx context.Context, person int64) (points int, code string, err error) {
	return earned(ctx, tx, person)
}

// Earned is Tx.Earned outside a transaction.
func (db *DB) Earned(ctx context.Context, person int64) (points int, code string, err error) {
	return earned(ctx, db.read, person)
}

func earned(ctx context.Context, q querier, person int64) (points int, code string, err error) {
	// Served by points_person.
	if err = q.get(ctx, `SELECT COALESCE(SUM(points), 0) FROM points WHERE person = $1`, []any{person}, &points); err != nil {
		return 0, "", fmt.Errorf("sum points of person %d: %w", person, err)
	}
	// Served by the unique index of person.
	err = q.get(ctx, `SELECT code FROM referral_codes WHERE person = $1`, []any{person}, &code)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, "", fmt.Errorf("look up the referral code of person %d: %w", person, err)
	}
	return points, code, nil
}

// Points is a person's ledger of points, oldest first.
func (db *DB) Points(ctx context.Context, person int64) (list []tickets.PointEntry, err error) {
	// Served by points_person.
	err = db.read.each(ctx, `SELECT brand, person, points, why, key, at FROM points WHERE person = $1 ORDER BY id`, []any{person},
		func(scan func(...any) error) error {
			var p tickets.PointEntry
			err := scan(&p.Brand, &p.Person, &p.Points, &p.Why, &p.Key, timeDest{&p.At})
			list = append(list, p)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list points of person %d: %w", person, err)
	}
	return list, nil
}

// Recommended finds whose referral code it is, and of which brand (ErrNotFound).
func (db *DB) Recommended(ctx context.Context, code string) (brand string, person int64, err error) {
	err = db.read.get(ctx, `SELECT brand, person FROM referral_codes WHERE code = $1`, []any{code}, &brand, &person)
	if err != nil {
		return "", 0, fmt.Errorf("look up referral code %q: %w", code, notFound(err))
	}
	return brand, person, nil
}

// SaveCode gives a person a referral code, unless the person has one, and
// returns the one that holds.
func (db *DB) SaveCode(ctx context.Context, brand string, c tickets.ReferralCode) (code string, err error) {
	err = db.write(ctx, func(tx *Tx) error {
		if err := tx.saveCode(ctx, brand, c); err != nil {
			return err
		}
		_, code, err = tx.Earned(ctx, c.Person)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("save referral code %q: %w", c.Code, err)
	}
	return code, nil
}

func (tx *Tx) saveCode(ctx context.Context, brand string, c tickets.ReferralCode) error {
	return tx.later(ctx, `INSERT INTO referral_codes (code, person, brand) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, c.Code, c.Person, brand)
}

// points saves what was earned, each entry once for ever, and who came by whose
// word.
func (s *saver) points(ctx context.Context) error {
	for _, p := range s.c.Points {
		if p.At.IsZero() {
			p.At = s.now
		}
		err := s.tx.later(ctx, `INSERT INTO points (key, brand, person, points, why, at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key) DO NOTHING`,
			p.Key, s.c.Brand, p.Person, int64(p.Points), p.Why, ms(p.At))
		if err != nil {
			return fmt.Errorf("%s: %w", p.Key, err)
		}
	}
	for _, c := range s.c.Codes {
		if err := s.tx.saveCode(ctx, s.c.Brand, c); err != nil {
			return fmt.Errorf("code %s: %w", c.Code, err)
		}
	}
	for _, r := range s.c.Referrals {
		if err := s.referral(ctx, r); err != nil {
			return fmt.Errorf("referral with code %q: %w", r.Code, err)
		}
	}
	return nil
}

// referral notes who came, or how it ended. Whoever has come once does not come
// again.
func (s *saver) referral(ctx context.Context, r tickets.Referral) error {
	if r.State != "open" {
		return s.tx.later(ctx, `UPDATE referrals SET state = $2, ended = $3 WHERE person = $1 AND state = 'open'`, r.Person, r.State, ms(s.now))
	}
	if r.Ticket == 0 && len(s.saved.Tickets) > 0 {
		r.Ticket, r.Person = s.saved.Tickets[0], s.c.Tickets[0].Ticket.Requester
	}
	if r.Person == 0 || r.Person == r.By {
		return nil
	}
	return s.tx.later(ctx, `
		INSERT INTO referrals (person, brand, referrer, ticket, at, state) VALUES ($1, $2, $3, $4, $5, 'open')
		ON CONFLICT (person) DO NOTHING`, r.Person, s.c.Brand, r.By, r.Ticket, ms(s.now))
}

// referral finds whose code the mail names.
func (f *finder) referral(ctx context.Context) error {
	if len(f.keys.Codes) == 0 {
		return nil
	}
	list, args := in([]any{f.keys.Brand}, f.keys.Codes)
	// Served by the primary key of referral_codes.
	return f.tx.eachLater(ctx, `SELECT code, person FROM referral_codes WHERE brand = $1 AND code IN `+list+` ORDER BY code`+limit(1), args,
		func(scan func(...any) error) error {
			var c tickets.ReferralCode
			err := scan(&c.Code, &c.Person)
			f.found.Referral = &c
			return err
		})
}

// ReferralsDone lists who came by somebody's word and whose ticket is done, at
// most n.
func (db *DB) ReferralsDone(ctx context.Context, brand string, n int) ([]int64, error) {
	// Served by referrals_open: few are.
	ids, err := idList(ctx, db.read, `
		SELECT r.person FROM referrals r JOIN tickets t ON t.id = r.ticket
		WHERE r.state = 'open' AND r.brand = $1 AND t.status IN ('resolved', 'closed', 'merged', 'spam')
		ORDER BY r.ticket LIMIT $2`, brand, int64(n))
	if err != nil {
		return nil, fmt.Errorf("list referrals of brand %q: %w", brand, err)
	}
	return ids, nil
}

// Referral loads how a person came (ErrNotFound).
func (tx *Tx) Referral(ctx context.Context, person int64) (tickets.Referral, error) {
	r := tickets.Referral{Person: person}
	err := tx.get(ctx, `SELECT referrer, ticket, state FROM referrals WHERE person = $1`, []any{person}, &r.By, &r.Ticket, &r.State)
	if err != nil {
		return r, fmt.Errorf("load the referral of person %d: %w", person, notFound(err))
	}
	return r, nil
}

// Came tells by whom a person came, and how many came by the person's word and
// were accepted.
func (db *DB) Came(ctx context.Context, person int64) (by int64, brought int, err error) {
	err = db.read.get(ctx, `SELECT referrer FROM referrals WHERE person = $1`, []any{person}, &by)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, 0, fmt.Errorf("load the referral of person %d: %w", person, err)
	}
	// Served by referrals_referrer.
	if err = db.read.get(ctx, `SELECT COUNT(*) FROM referrals WHERE referrer = $1 AND state = 'accepted'`, []any{person}, &brought); err != nil {
		return 0, 0, fmt.Errorf("count who came by person %d: %w", person, err)
	}
	return by, brought, nil
}

// Person loads one person (ErrNotFound).
func (tx *Tx) Person(ctx context.Context, id int64) (tickets.Person, error) {
	p, err := onePerson(ctx, tx, `p.id = $1`, id)
	if err != nil {
		return p, fmt.Errorf("load person %d: %w", id, err)
	}
	return p, nil
}

// LastTicket is the newest ticket of a person that is no spam and was not
// merged; 0 none.
func (tx *Tx) LastTicket(ctx context.Context, person int64) (id int64, err error) {
	// Served by participants_person.
	err = tx.get(ctx, `
		SELECT COALESCE(MAX(t.id), 0) FROM participants p JOIN tickets t ON t.id = p.ticket
		WHERE p.person = $1 AND t.requester = $1 AND t.status NOT IN ('merged', 'spam')`, []any{person}, &id)
	if err != nil {
		return 0, fmt.Errorf("find the newest ticket of person %d: %w", person, err)
	}
	return id, nil
}

// HandOver makes what one person was asked and has earned that of another, who
// keeps the own code.
func (tx *Tx) HandOver(ctx context.Context, from, into int64) error {
	for _, text := range []string{
		`UPDATE surveys SET person = $2 WHERE person = $1`,
		`UPDATE points SET person = $2 WHERE person = $1`,
		`UPDATE referrals SET referrer = $2 WHERE referrer = $1`,
		`UPDATE referral_codes SET person = $2 WHERE person = $1 AND NOT EXISTS (SELECT 1 FROM referral_codes o WHERE o.person = $2)`,
	} {
		if _, err := tx.exec(ctx, text, from, into); err != nil {
			return fmt.Errorf("hand over from person %d to %d: %w", from, into, err)
		}
	}
	return nil
}
