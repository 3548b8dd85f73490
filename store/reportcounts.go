package store

import (
	"context"
	"slices"
	"time"

	"frontdesk/sla"
	"frontdesk/tickets"
)

// reportBacklog counts what is open when the report is made.
func (db *DB) reportBacklog(ctx context.Context, r *report) error {
	end := min(r.to, ms(r.q.Now))
	// Served by tickets_open: what is open is little beside all.
	return db.read.each(ctx, `
		SELECT
			brand,
			queue,
			category,
			channel,
			assignee,
			opened
		FROM tickets
		WHERE status IN ('new', 'open', 'pending', 'on_hold') AND opened < $2 AND (CAST($1 AS TEXT) = '' OR brand = $1)`, []any{r.q.Brand, r.until},
		func(scan func(...any) error) error {
			f := &fact{}
			if err := scan(&f.brand, &f.queue, &f.category, &f.channel, &f.assignee, &f.opened); err != nil {
				return err
			}
			f.heaps = r.heaps(f)
			r.open++
			if f.opened < end {
				r.ages = append(r.ages, time.Duration(end-f.opened)*time.Millisecond)
			}
			for _, g := range r.with(f, f.assignee) {
				g.tally[0].Backlog++
			}
			return nil
		})
}

// reportSurveys adds what customers answered.
func (db *DB) reportSurveys(ctx context.Context, r *report) error {
	for p, period := range [2][2]time.Time{{r.q.From, r.q.To}, {r.q.Before, r.q.From}} {
		for _, by := range []string{"total", "brand", "category", "agent"} {
			q := SurveyQuery{From: period[0], To: period[1], Brand: r.q.Brand, ByBrand: by == "brand", ByCat: by == "category", ByAgent: by == "agent"}
			list, err := db.SurveyTallies(ctx, q)
			if err != nil {
				return err
			}
			for _, s := range list {
				if by == "agent" && s.Group == "" || s.Kind == "" {
					continue // who was resolved by nobody
				}
				t := &r.group(by, s.Group).tally[p]
				t.Surveys = append(t.Surveys, tickets.SurveyFigures{Kind: s.Kind, Asked: s.Asked, Answered: s.N, Mean: s.Mean, Good: s.Good, Bad: s.Bad, Scores: s.Scores})
			}
		}
	}
	return nil
}

// reportLetters counts what left and came by the way of the outbox and the ledger.
func (db *DB) reportLetters(ctx context.Context, r *report) error {
	var ids [3]int64
	for i, at := range []int64{r.before, r.from, r.to} {
		var err error
		if ids[i], err = db.letterAt(ctx, at); err != nil {
			return err
		}
	}
	for p, span := range [2][2]int64{{ids[1], ids[2]}, {ids[0], ids[1]}} {
		if err := db.countLetters(ctx, r, p, span); err != nil {
			return err
		}
	}
	for p, span := range [2][2]int64{{r.from, r.to}, {r.before, r.from}} {
		if err := db.countCame(ctx, r, p, span); err != nil {
			return err
		}
	}
	return nil
}

// letterAt returns the first letter written at a time or later, by halving: the
// ids of letters grow with the time, and no index on it has to be kept for the
// sake of reports. Where the clock was set back it may be off by those letters.
func (db *DB) letterAt(ctx context.Context, at int64) (int64, error) {
	var low, high int64 = 1, 0
	if err := db.read.get(ctx, `SELECT COALESCE(MAX(id), 0) + 1 FROM letters`, nil, &high); err != nil {
		return 0, err
	}
	for low < high {
		middle := (low + high) / 2
		var queued int64
		// By the primary key, one row.
		err := db.read.get(ctx, `SELECT COALESCE((SELECT queued FROM letters WHERE id >= $1 ORDER BY id LIMIT 1), 0)`, []any{middle}, &queued)
		if err != nil {
			return 0, err
		}
		if queued < at {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

func (db *DB) countLetters(ctx context.Context, r *report, p int, ids [2]int64) error {
	// By the primary key, the letters of the period.
	return db.read.each(ctx, `
		SELECT brand, to_domain = '', kind, state, report, COUNT(*)
		FROM letters
		WHERE id >= $2 AND id < $3 AND (CAST($1 AS TEXT) = '' OR brand = $1)
		GROUP BY 1, 2, 3, 4, 5`, []any{r.q.Brand, ids[0], ids[1]},
		func(scan func(...any) error) error {
			var brand, state, reported string
			var kind tickets.LetterKind
			var phone bool
			var n int
			if err := scan(&brand, &phone, &kind, &state, &reported, &n); err != nil {
				return err
			}
			for _, g := range []*heap{r.group("total", ""), r.group("brand", brand)} {
				g.tally[p].Letters.Count(phone, kind, state, reported, n)
			}
			return nil
		})
}

// countCame counts texts, calls and what is held.
func (db *DB) countCame(ctx context.Context, r *report, p int, span [2]int64) error {
	add := func(text string, to func(o *tickets.Outgoing, channel tickets.Channel, n int)) error {
		return db.read.each(ctx, text, []any{r.q.Brand, span[0], span[1]}, func(scan func(...any) error) error {
			var brand string
			var channel tickets.Channel
			var n int
			if err := scan(&brand, &channel, &n); err != nil {
				return err
			}
			for _, g := range []*heap{r.group("total", ""), r.group("brand", brand)} {
				to(&g.tally[p].Letters, channel, n)
			}
			return nil
		})
	}
	// Served by messages_phone.
	err := add(`
		SELECT brand, channel, COUNT(*) FROM messages
		WHERE direction = 'in' AND channel IN ('voice', 'sms', 'whatsapp') AND received >= $2 AND received < $3 AND (CAST($1 AS TEXT) = '' OR brand = $1)
		GROUP BY 1, 2`, func(o *tickets.Outgoing, channel tickets.Channel, n int) {
		if channel == tickets.ChannelVoice {
			o.CallsIn += n
		} else {
			o.TextsIn += n
		}
	})
	if err != nil {
		return err
	}
	// Served by ledger_quarantined: what is held is little.
	return add(`
		SELECT brand, channel, COUNT(*) FROM ledger
		WHERE disposition = 'quarantined' AND received >= $2 AND received < $3 AND (CAST($1 AS TEXT) = '' OR brand = $1)
		GROUP BY 1, 2`, func(o *tickets.Outgoing, _ tickets.Channel, n int) { o.Quarantined += n })
}

// reportBreaches says which tickets they are on.
func (db *DB) reportBreaches(ctx context.Context, r *report) error {
	slices.Reverse(r.missed)
	r.out.Breaches = append([]tickets.BreachFigures{}, r.missed[:min(len(r.missed), tickets.MostBreaches)]...)
	if len(r.out.Breaches) == 0 {
		return nil
	}
	var ids []int64
	for _, b := range r.out.Breaches {
		ids = append(ids, b.Ticket)
	}
	list, args := in(nil, ids)
	return db.read.each(ctx, `SELECT id, subject, severity, assignee FROM tickets WHERE id IN `+list, args, func(scan func(...any) error) error {
		var id int64
		var subject, severity, assignee string
		err := scan(&id, &subject, &severity, &assignee)
		for i := range r.out.Breaches {
			if b := &r.out.Breaches[i]; b.Ticket == id {
				b.Subject, b.Severity, b.Assignee = subject, severity, assignee
			}
		}
		return err
	})
}

// dateIn is the day of an instant in a zone.
func dateIn(t time.Time, zone *time.Location) sla.Date { return sla.DateOf(t.In(zone)) }
