package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"frontdesk/tickets"
)

// maxLesson bounds the text of a lesson, in bytes: more of a mail than its
// beginning teaches nothing about its category.
const maxLesson = 16_000

// lessons notes how people sorted a ticket. Who sorts it anew corrects what was
// noted before.
func (s *saver) lessons(ctx context.Context) error {
	for _, l := range s.c.Lessons {
		err := s.tx.later(ctx, `
			INSERT INTO lessons (
				ticket,
				text,
				language,
				category,
				severity,
				at
			) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (ticket) DO UPDATE SET
				text = excluded.text,
				language = excluded.language,
				category = excluded.category,
				severity = excluded.severity,
				at = excluded.at`,
			s.lessonTicket(l), cut(l.Text, maxLesson), l.Language, l.Category, l.Severity, ms(l.At))
		if err != nil {
			return fmt.Errorf("ticket %d: %w", l.Ticket, err)
		}
	}
	return nil
}

// lessonTicket is the ticket that a lesson is about: with 0 the first one of
// the change, which may have been numbered just now.
func (s *saver) lessonTicket(l tickets.Lesson) int64 {
	if l.Ticket == 0 && len(s.saved.Tickets) > 0 {
		return s.saved.Tickets[0]
	}
	return l.Ticket
}

// cut returns at most n bytes of s, whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// Lessons returns what people sorted since a time, newest first, at most n.
func (db *DB) Lessons(ctx context.Context, since time.Time, n int) (list []tickets.Lesson, err error) {
	// Served by lessons_at, backwards.
	err = db.read.each(ctx, `
		SELECT
			ticket,
			text,
			language,
			category,
			severity,
			at
		FROM lessons WHERE at >= $1
		ORDER BY at DESC, ticket DESC LIMIT $2`, []any{ms(since), int64(n)},
		func(scan func(...any) error) error {
			var l tickets.Lesson
			err := scan(&l.Ticket, &l.Text, &l.Language, &l.Category, &l.Severity, timeDest{&l.At})
			list = append(list, l)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("load lessons since %v: %w", since, err)
	}
	return list, nil
}
