package store

import (
	"context"
	"fmt"
	"time"

	"frontdesk/sla"
	"frontdesk/tickets"
)

// Run is how far a schedule of a brand is.
type Run struct {
	Brand    string
	Schedule string
	At       time.Time // the last occurrence that was seen to
	Doubted  time.Time // when the clock first claimed a gap that is hard to believe; zero: it did not
}

// Runs lists how far the schedules of a brand are, by their keys.
func (db *DB) Runs(ctx context.Context, brand string) (map[string]Run, error) {
	return runs(ctx, db.read, brand)
}

// Runs lists how far the schedules of a brand are, for a decision.
func (tx *Tx) Runs(ctx context.Context, brand string) (map[string]Run, error) {
	return runs(ctx, tx, brand)
}

func runs(ctx context.Context, q querier, brand string) (map[string]Run, error) {
	out := map[string]Run{}
	// Served by the primary key of runs.
	err := q.each(ctx, `SELECT schedule, at, doubted FROM runs WHERE brand = $1`, []any{brand}, func(scan func(...any) error) error {
		r := Run{Brand: brand}
		err := scan(&r.Schedule, timeDest{&r.At}, timeDest{&r.Doubted})
		out[r.Schedule] = r
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the runs of brand %q: %w", brand, err)
	}
	return out, nil
}

// SaveRun notes how far a schedule is.
func (tx *Tx) SaveRun(ctx context.Context, r Run) error {
	err := tx.later(ctx, `
		INSERT INTO runs (brand, schedule, at, doubted) VALUES ($1, $2, $3, $4)
		ON CONFLICT (brand, schedule) DO UPDATE SET at = excluded.at, doubted = excluded.doubted`,
		r.Brand, r.Schedule, ms(r.At), ms(r.Doubted))
	if err != nil {
		return fmt.Errorf("save the run of %s: %w", r.Schedule, err)
	}
	return nil
}

// dues notes what is due. What is found once more stays as it is; of an
// occurrence that was stopped as a whole nothing waits.
func (s *saver) dues(ctx context.Context) error {
	for _, d := range s.c.Dues {
		if d.Brand == "" {
			d.Brand = s.c.Brand
		}
		save := s.tx.insertDue
		if d.ID != 0 {
			save = s.tx.updateDue
		}
		if err := save(ctx, d, s.now); err != nil {
			return fmt.Errorf("%s of %s: %w", d.Schedule, d.Subject, err)
		}
	}
	return nil
}

func (tx *Tx) insertDue(ctx context.Context, d tickets.Due, now time.Time) error {
	if d.Next.IsZero() && d.State == tickets.DueWaiting {
		d.Next = d.Found
	}
	// Served by the unique (brand, schedule, occurrence, subject).
	return tx.later(ctx, `
		INSERT INTO due (
			brand,
			schedule,
			occurrence,
			subject,
			person,
			product,
			date,
			days,
			pages,
			day,
			found,
			state,
			why,
			next,
			settled,
			told,
			letter
		) SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT), CAST($6 AS BIGINT),
			CAST($7 AS TEXT), CAST($8 AS BIGINT), CAST($9 AS BIGINT), CAST($10 AS TEXT), CAST($11 AS BIGINT),
			CASE WHEN stop.id IS NULL THEN CAST($12 AS TEXT) ELSE 'stopped' END,
			CASE WHEN stop.id IS NULL THEN CAST($13 AS TEXT) ELSE stop.why END,
			CAST($14 AS BIGINT), CAST($15 AS BIGINT), '', ''
		FROM (SELECT 1 AS one) a
		LEFT JOIN due stop ON stop.brand = $1 AND stop.schedule = $2 AND stop.occurrence = $3 AND stop.subject = $16 AND stop.state = 'stopped'
		WHERE TRUE
		ON CONFLICT (brand, schedule, occurrence, subject) DO NOTHING`,
		d.Brand, d.Schedule, d.Occurrence, d.Subject, d.Person, d.Product, dateArg(d.Date), int64(d.Days), int64(d.Pages), dateArg(d.Day),
		ms(d.Found), string(d.State), d.Why, ms(d.Next), ms(now), tickets.DueSubject(d.Product))
}

func (tx *Tx) updateDue(ctx context.Context, d tickets.Due, now time.Time) error {
	// Only what still waits changes: an answer may have stopped it meanwhile.
	return tx.later(ctx, `
		UPDATE due SET
			state = $2,
			why = $3,
			next = $4,
			settled = $5,
			told = $6,
			letter = $7
		WHERE id = $1 AND state = 'waiting'`,
		d.ID, string(d.State), d.Why, ms(d.Next), ms(now), dateArg(d.Told), d.Letter)
}

// stopDues ends what waits of a product's occurrences, and what would be found
// of them later.
func (s *saver) stopDues(ctx context.Context) error {
	for _, d := range s.c.StopDues {
		d.Subject, d.State = tickets.DueSubject(d.Product), tickets.DueStopped
		if d.Brand == "" {
			d.Brand = s.c.Brand
		}
		if d.Found.IsZero() {
			d.Found = s.now
		}
		// Served by due_product.
		err := s.tx.later(ctx, `
			UPDATE due SET state = 'stopped', why = $5, next = 0, settled = $6
			WHERE product = $1 AND schedule = $2 AND occurrence = $3 AND brand = $4 AND state = 'waiting'`,
			d.Product, d.Schedule, d.Occurrence, d.Brand, d.Why, ms(s.now))
		if err != nil {
			return err
		}
		if err := s.tx.insertDue(ctx, d, s.now); err != nil {
			return fmt.Errorf("%s of %s: %w", d.Schedule, d.Subject, err)
		}
	}
	return nil
}

const dueColumns = `
			id,
			brand,
			schedule,
			occurrence,
			subject,
			person,
			product,
			date,
			days,
			pages,
			day,
			found,
			state,
			why,
			next,
			told,
			letter`

func dueRow(list *[]tickets.Due) rowFunc {
	return func(scan func(...any) error) error {
		var d tickets.Due
		err := scan(&d.ID, &d.Brand, &d.Schedule, &d.Occurrence, &d.Subject, &d.Person, &d.Product, dateDest{&d.Date}, &d.Days, &d.Pages,
			dateDest{&d.Day}, timeDest{&d.Found}, &d.State, &d.Why, timeDest{&d.Next}, dateDest{&d.Told}, &d.Letter)
		*list = append(*list, d)
		return err
	}
}

// DuePersons lists up to n customers of a brand for whom something waits that
// wants to be looked at by now, those first who have waited longest.
func (db *DB) DuePersons(ctx context.Context, brand string, now time.Time, n int) ([]int64, error) {
	// Served by due_waiting.
	ids, err := idList(ctx, db.read, `
		SELECT person FROM due
		WHERE state = 'waiting' AND brand = $1 AND next <= $2
		GROUP BY person ORDER BY MIN(next), person LIMIT $3`, brand, ms(now), int64(n))
	if err != nil {
		return nil, fmt.Errorf("list who is to be reminded in brand %q: %w", brand, err)
	}
	return ids, nil
}

// Waiting lists what waits in a brand, in order of customer.
func (db *DB) Waiting(ctx context.Context, brand string) (list []tickets.Due, err error) {
	// Served by due_waiting.
	err = db.read.each(ctx, `SELECT`+dueColumns+` FROM due WHERE state = 'waiting' AND brand = $1 AND next >= 0 ORDER BY person, id`, []any{brand}, dueRow(&list))
	if err != nil {
		return nil, fmt.Errorf("list what waits in brand %q: %w", brand, err)
	}
	return list, nil
}

// DuesOf lists all that was ever found due of a product, oldest first.
func (db *DB) DuesOf(ctx context.Context, product int64) (list []tickets.Due, err error) {
	// Served by due_product.
	err = db.read.each(ctx, `SELECT`+dueColumns+` FROM due WHERE product = $1 ORDER BY id`, []any{product}, dueRow(&list))
	if err != nil {
		return nil, fmt.Errorf("list what is due of product %d: %w", product, err)
	}
	return list, nil
}

// RemindedSince counts the reminders of a brand since a time, up to until: a
// clock that was once wrong counts for nothing.
func (db *DB) RemindedSince(ctx context.Context, brand string, since, until time.Time) (n int, err error) {
	// Served by due_sent, without its rows.
	err = db.read.get(ctx, `
		SELECT COUNT(DISTINCT letter) FROM due WHERE state = 'sent' AND brand = $1 AND settled >= $2 AND settled <= $3`,
		[]any{brand, ms(since), ms(until)}, &n)
	if err != nil {
		return 0, fmt.Errorf("count the reminders of brand %q: %w", brand, err)
	}
	return n, nil
}

// Reminded loads a customer with all that waits to be told. Of a customer who is
// gone it returns what waits, and ErrNotFound.
func (tx *Tx) Reminded(ctx context.Context, brand string, person int64) (tickets.Reminded, error) {
	return reminded(ctx, tx, brand, person)
}

// Reminded is what the decision of the same name would load.
func (db *DB) Reminded(ctx context.Context, brand string, person int64) (tickets.Reminded, error) {
	return reminded(ctx, db.read, brand, person)
}

func reminded(ctx context.Context, q querier, brand string, person int64) (r tickets.Reminded, err error) {
	r.Products = map[int64]tickets.Product{}
	for _, load := range []func() error{
		func() error { // served by due_person
			return q.each(ctx, `SELECT`+dueColumns+` FROM due WHERE person = $1 AND state = 'waiting' AND brand = $2 ORDER BY id`, []any{person, brand}, dueRow(&r.Dues))
		},
		func() error { r.Person, err = onePerson(ctx, q, `p.id = $1`, person); return err },
		func() error { return toldDays(ctx, q, person, &r.Told) },
		func() error { return dueProducts(ctx, q, &r) },
		func() error { return suppressedOf(ctx, q, &r) },
		func() error { return stopsOf(ctx, q, &r) },
	} {
		if err := load(); err != nil {
			return r, fmt.Errorf("load what waits for person %d: %w", person, err)
		}
	}
	return r, nil
}

// toldDays are the newest days on which a reminder left for the person.
func toldDays(ctx context.Context, q querier, person int64, days *[]sla.Date) error {
	// Served by due_person, backwards and without its rows.
	return q.each(ctx, `
		SELECT DISTINCT told FROM due WHERE person = $1 AND state = 'sent' ORDER BY told DESC`+limit(60), []any{person},
		func(scan func(...any) error) error {
			var d sla.Date
			err := scan(dateDest{&d})
			*days = append(*days, d)
			return err
		})
}

func dueProducts(ctx context.Context, q querier, r *tickets.Reminded) error {
	var ids []int64
	for _, d := range r.Dues {
		ids = append(ids, d.Product)
	}
	list, err := productsByID(ctx, q, ids)
	for _, p := range list {
		r.Products[p.ID] = p
	}
	return err
}

// suppressedOf are the person's addresses that bounced.
func suppressedOf(ctx context.Context, q querier, r *tickets.Reminded) error {
	if len(r.Person.Addresses) == 0 {
		return nil
	}
	values, args := in(nil, r.Person.Addresses)
	// Served by the primary key of suppressed.
	return q.each(ctx, `SELECT address FROM suppressed WHERE address IN `+values, args, func(scan func(...any) error) error {
		var a string
		err := scan(&a)
		r.Suppressed = append(r.Suppressed, a)
		return err
	})
}

// stopsOf are the lines from which the person's numbers want no texts.
func stopsOf(ctx context.Context, q querier, r *tickets.Reminded) error {
	var numbers []string
	for _, n := range r.Person.Phones {
		numbers = append(numbers, tickets.TelAddress(n))
	}
	if len(numbers) == 0 {
		return nil
	}
	values, args := in(nil, numbers)
	// Served by the primary key of stops.
	return q.each(ctx, `SELECT number, line FROM stops WHERE number IN `+values, args, func(scan func(...any) error) error {
		var c tickets.LineConsent
		err := scan(&c.Number, &c.Line)
		r.Stopped = append(r.Stopped, c)
		return err
	})
}
