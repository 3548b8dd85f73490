package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"frontdesk/tickets"
)

// selectSurveys, with a condition, gives the rows that surveyRow takes.
const selectSurveys = `
		SELECT
			id,
			brand,
			ticket,
			person,
			address,
			agent,
			category,
			kind,
			due,
			follow_up,
			asked,
			answered,
			score,
			comment,
			why
		FROM surveys WHERE `

func surveyRow(list *[]tickets.Survey) rowFunc {
	return func(scan func(...any) error) error {
		var s tickets.Survey
		err := scan(&s.ID, &s.Brand, &s.Ticket, &s.Person, &s.Address, &s.Agent, &s.Category, &s.Kind, timeDest{&s.Due}, timeDest{&s.FollowUp},
			timeDest{&s.Asked}, timeDest{&s.Answered}, &s.Score, &s.Comment, &s.Why)
		*list = append(*list, s)
		return err
	}
}

func surveys(ctx context.Context, q querier, where string, args ...any) (list []tickets.Survey, err error) {
	err = q.each(ctx, selectSurveys+where, args, surveyRow(&list))
	return list, err
}

func oneSurvey(ctx context.Context, q querier, where string, args ...any) (tickets.Survey, error) {
	list, err := surveys(ctx, q, where, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return tickets.Survey{}, err
	}
	return list[0], nil
}

// Survey loads one survey (ErrNotFound).
func (db *DB) Survey(ctx context.Context, id int64) (tickets.Survey, error) {
	s, err := oneSurvey(ctx, db.read, `id = $1`, id)
	if err != nil {
		return s, fmt.Errorf("load survey %d: %w", id, err)
	}
	return s, nil
}

// Survey is DB.Survey within the transaction.
func (tx *Tx) Survey(ctx context.Context, id int64) (tickets.Survey, error) {
	s, err := oneSurvey(ctx, tx, `id = $1`, id)
	if err != nil {
		return s, fmt.Errorf("load survey %d: %w", id, err)
	}
	return s, nil
}

// SurveyOfTicket loads what is or was to be asked after a ticket (ErrNotFound).
func (db *DB) SurveyOfTicket(ctx context.Context, ticket int64) (tickets.Survey, error) {
	// Served by the unique index of ticket.
	s, err := oneSurvey(ctx, db.read, `ticket = $1`, ticket)
	if err != nil {
		return s, fmt.Errorf("load the survey of ticket %d: %w", ticket, err)
	}
	return s, nil
}

// SurveysOf lists what a person was asked, newest first.
func (db *DB) SurveysOf(ctx context.Context, person int64) ([]tickets.Survey, error) {
	// Served by surveys_person, backwards.
	list, err := surveys(ctx, db.read, `asked > 0 AND person = $1 ORDER BY asked DESC, id DESC`, person)
	if err != nil {
		return nil, fmt.Errorf("list surveys of person %d: %w", person, err)
	}
	return list, nil
}

// SurveysDue lists surveys of a brand whose time has come, the longest waiting
// first, at most n.
func (db *DB) SurveysDue(ctx context.Context, brand string, now time.Time, n int) ([]int64, error) {
	// Served by surveys_due.
	ids, err := idList(ctx, db.read, `SELECT id FROM surveys WHERE due > 0 AND brand = $1 AND due <= $2 ORDER BY due, id LIMIT $3`, brand, ms(now), int64(n))
	if err != nil {
		return nil, fmt.Errorf("list surveys of brand %q that are due: %w", brand, err)
	}
	return ids, nil
}

// FollowUpsDue lists what of a brand is to be followed up, like SurveysDue.
func (db *DB) FollowUpsDue(ctx context.Context, brand string, now time.Time, n int) ([]int64, error) {
	// Served by surveys_follow_up.
	ids, err := idList(ctx, db.read, `SELECT id FROM surveys WHERE follow_up > 0 AND brand = $1 AND follow_up <= $2 ORDER BY follow_up, id LIMIT $3`, brand, ms(now), int64(n))
	if err != nil {
		return nil, fmt.Errorf("list follow-ups of brand %q that are due: %w", brand, err)
	}
	return ids, nil
}

// Customer tells what a decision to write to a person of its own accord needs.
// It locks the person's addresses, over all brands, until the transaction ends:
// who else wants to ask the same customer waits, and then sees that it was done.
func (tx *Tx) Customer(ctx context.Context, brand string, person int64) (tickets.Customer, error) {
	var c tickets.Customer
	p, err := onePerson(ctx, tx, `p.id = $1`, person)
	if errors.Is(err, ErrNotFound) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("load person %d: %w", person, err)
	}
	c.Person = &p
	for _, way := range p.Ways() { // sorted: two that lock the same rows do it in one order
		var at time.Time
		err := tx.get(ctx, `
			INSERT INTO surveyed (address, at) VALUES ($1, 0)
			ON CONFLICT (address) DO UPDATE SET at = surveyed.at
			RETURNING at`, []any{way}, timeDest{&at})
		if err != nil {
			return c, fmt.Errorf("look when %q was asked: %w", way, err)
		}
		if at.After(c.Recent) {
			c.Recent = at
		}
	}
	// Served by surveys_asked, backwards.
	err = tx.get(ctx, `SELECT kind FROM surveys WHERE asked > 0 AND brand = $1 ORDER BY asked DESC LIMIT 1`, []any{brand}, &c.Last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return c, fmt.Errorf("look what brand %q asked last: %w", brand, err)
	}
	return c, nil
}

// surveys saves what is due after closures, what was asked and what was answered.
func (s *saver) surveys(ctx context.Context) error {
	for _, v := range s.c.Surveys {
		if v.ID == 0 {
			if err := s.newSurvey(ctx, v); err != nil {
				return fmt.Errorf("survey of ticket %d: %w", v.Ticket, err)
			}
			continue
		}
		if err := s.changedSurvey(ctx, v); err != nil {
			return fmt.Errorf("survey %d: %w", v.ID, err)
		}
	}
	return nil
}

// newSurvey notes what is due. A ticket that was reopened and closed once more
// is asked about only when it was not asked about before.
func (s *saver) newSurvey(ctx context.Context, v tickets.Survey) error {
	if v.Brand == "" {
		v.Brand = s.c.Brand
	}
	return s.tx.later(ctx, `
		INSERT INTO surveys (
			brand,
			ticket,
			person,
			address,
			agent,
			category,
			kind,
			due,
			follow_up
		) VALUES ($1, $2, $3, '', '', '', '', $4, $5)
		ON CONFLICT (ticket) DO UPDATE SET
			person = excluded.person,
			due = CASE WHEN surveys.asked = 0 THEN excluded.due ELSE 0 END,
			follow_up = excluded.follow_up`,
		v.Brand, v.Ticket, v.Person, ms(v.Due), ms(v.FollowUp))
}

func (s *saver) changedSurvey(ctx context.Context, v tickets.Survey) error {
	n, err := s.tx.exec(ctx, `
		UPDATE surveys SET
			address = $2,
			agent = $3,
			category = $4,
			kind = $5,
			due = $6,
			follow_up = $7,
			asked = $8,
			answered = $9,
			score = $10,
			comment = $11,
			why = $12
		WHERE id = $1 AND brand = $13`,
		v.ID, v.Address, v.Agent, v.Category, string(v.Kind), ms(v.Due), ms(v.FollowUp), ms(v.Asked), ms(v.Answered), int64(v.Score), v.Comment, v.Why, s.c.Brand)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrNotFound
	}
	if v.Asked.IsZero() || !v.Answered.IsZero() {
		return nil
	}
	p, err := onePerson(ctx, s.tx, `p.id = $1`, v.Person)
	if err != nil {
		return fmt.Errorf("person %d: %w", v.Person, err)
	}
	for _, way := range append(p.Ways(), v.Address) {
		err := s.tx.later(ctx, `
			INSERT INTO surveyed (address, at) VALUES ($1, $2)
			ON CONFLICT (address) DO UPDATE SET at = excluded.at WHERE surveyed.at < excluded.at`, way, ms(v.Asked))
		if err != nil {
			return err
		}
	}
	return nil
}

// survey finds the survey that is answered, and what the one who was asked has
// earned so far.
func (f *finder) survey(ctx context.Context) error {
	var s tickets.Survey
	var err error = ErrNotFound
	switch l := tickets.AnsweredLetter(f.keys.Cites, f.found.Letters); {
	case f.keys.Survey != 0:
		s, err = oneSurvey(ctx, f.tx, `id = $1 AND brand = $2`, f.keys.Survey, f.keys.Brand)
	case f.keys.Asked != "":
		// Served by surveys_address, backwards.
		s, err = oneSurvey(ctx, f.tx, `asked > 0 AND address = $2 AND asked > $1 AND brand = $3 ORDER BY asked DESC, id DESC`+limit(1),
			ms(f.keys.Now.Add(-tickets.SurveyText)), tickets.NormalAddress(f.keys.Asked), f.keys.Brand)
	case l != nil && l.Kind == tickets.LetterSurvey:
		s, err = oneSurvey(ctx, f.tx, `ticket = $1 AND brand = $2`, l.Ticket, f.keys.Brand)
	}
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	f.found.Survey = &s
	f.want[s.Ticket] = true
	f.found.Points, f.found.Code, err = f.tx.Earned(ctx, s.Person)
	return err
}
