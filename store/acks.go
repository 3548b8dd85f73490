package store

import (
	"context"
	"time"

	"frontdesk/tickets"
)

// ackKey is a count of automatic letters of the last hour: to a domain, or all
// ("").
type ackKey struct {
	domain string
	since  int64
}

// acks counts the automatic letters already written. The outbox is the
// counter: a restart forgets nothing. The limits by domain and in all are
// about letters to customers; what agents are told does not count there.
func (f *finder) acks(ctx context.Context) error {
	a := &f.found.Acks
	a.Ticket10min = make(map[int64]int)
	if f.keys.Sender == "" {
		return nil
	}
	if err := f.acksToSender(ctx, a); err != nil {
		return err
	}
	for _, key := range f.ackKeys() {
		if err := f.tx.ackCount(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// ackKeys are the limits that concern the sender. Decisions of one group share
// a count: up to a minute more is counted.
func (f *finder) ackKeys() []ackKey {
	since := ms(f.keys.Now.Add(-time.Hour))
	since -= since % time.Minute.Milliseconds()
	return []ackKey{{tickets.Domain(f.keys.Sender), since}, {"", since}}
}

// takeAcks hands the counts out. It comes after what earlier decisions of the
// transaction put off, which is counted in.
func (f *finder) takeAcks(context.Context) error {
	if f.keys.Sender == "" {
		return nil
	}
	keys := f.ackKeys()
	if keys[0].domain != "" {
		f.found.Acks.DomainHour = f.tx.cache.acks[keys[0]]
	}
	f.found.Acks.GlobalHour = f.tx.cache.acks[keys[1]]
	return nil
}

func (f *finder) acksToSender(ctx context.Context, a *tickets.AckCounts) error {
	ago := func(d time.Duration) int64 { return ms(f.keys.Now.Add(-d)) }
	hour, hours3, minutes10 := ago(time.Hour), ago(3*time.Hour), ago(10*time.Minute)
	// Served by letters_auto_to alone: the rows are not touched.
	return f.tx.eachLater(ctx, `
		SELECT
			queued,
			subject_core,
			ticket
		FROM letters
		WHERE auto <> '' AND to_address = $1 AND queued > $2`, []any{f.keys.Sender, ago(24 * time.Hour)},
		func(scan func(...any) error) error {
			var queued, ticket int64
			var core string
			if err := scan(&queued, &core, idDest{&ticket}); err != nil {
				return err
			}
			a.SenderDay++
			if queued > hour {
				a.SenderHour++
			}
			if queued > hours3 && core == f.keys.Subject {
				a.Subject3h++
			}
			if queued > minutes10 && ticket != 0 {
				a.Ticket10min[ticket]++
			}
			return nil
		})
}

// ackCount counts letters since a time. In a transaction of many decisions at
// about one time it is counted once in the database and kept up by hand.
func (tx *Tx) ackCount(ctx context.Context, key ackKey) error {
	if _, ok := tx.cache.acks[key]; ok {
		return nil
	}
	counted := func(scan func(...any) error) error {
		if tx.cache.acks == nil {
			tx.cache.acks = make(map[ackKey]int)
		}
		n := 0
		err := scan(&n)
		tx.cache.acks[key] = n
		return err
	}
	// Served by letters_auto_domain and letters_auto, without the rows. With a
	// bare to_domain = $1 SQLite asks of each value whether letters_texts would
	// serve it, and plans anew; the CAST hides it.
	if key.domain == "" {
		return tx.eachLater(ctx, `SELECT COUNT(*) FROM letters WHERE auto <> '' AND agent = FALSE AND queued > $1`, []any{key.since}, counted)
	}
	return tx.eachLater(ctx, `SELECT COUNT(*) FROM letters WHERE auto <> '' AND agent = FALSE AND to_domain = CAST($1 AS TEXT) AND queued > $2`,
		[]any{key.domain, key.since}, counted)
}

// countAck keeps the counts of this transaction up.
func (tx *Tx) countAck(domain string, queued int64) {
	for key := range tx.cache.acks {
		if (key.domain == "" || key.domain == domain) && queued > key.since {
			tx.cache.acks[key]++
		}
	}
}
