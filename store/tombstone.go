package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"frontdesk/tickets"
)

// Erasure is one erasure as it is remembered: in the database, and in a file
// beside it that no backup is older than.
type Erasure struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	Marks []string  `json:"marks"` // tombstones: tickets.Keyring.Marks
}

// Entomb records an erasure that begins: from its commit on nothing that is
// marked is taken in again. One that is recorded stays as it is.
func (db *DB) Entomb(ctx context.Context, e Erasure) error {
	err := db.write(ctx, func(tx *Tx) error {
		err := tx.later(ctx, `INSERT INTO erasures (id, at, done) VALUES ($1, $2, FALSE) ON CONFLICT (id) DO NOTHING`, e.ID, ms(e.At))
		if err != nil {
			return err
		}
		return chunks(e.Marks, maxIn, func(marks []string) error {
			var args []any
			for _, m := range marks {
				args = append(args, m, e.ID)
			}
			return tx.later(ctx, `INSERT INTO tombstones (mark, erasure) VALUES `+rowsOf(len(marks), 2)+` ON CONFLICT (mark) DO NOTHING`, args...)
		})
	})
	if err != nil {
		return fmt.Errorf("record erasure %s: %w", e.ID, err)
	}
	return nil
}

// Erased ends an erasure: everything is gone.
func (db *DB) Erased(ctx context.Context, id string) error {
	err := db.write(ctx, func(tx *Tx) error {
		return tx.later(ctx, `UPDATE erasures SET done = TRUE WHERE id = $1`, id)
	})
	if err != nil {
		return fmt.Errorf("end erasure %s: %w", id, err)
	}
	return nil
}

// Erasures lists the erasures that the database knows, and which are done.
func (db *DB) Erasures(ctx context.Context) (done map[string]bool, err error) {
	done = make(map[string]bool)
	err = db.read.each(ctx, `SELECT id, done FROM erasures`, nil, func(scan func(...any) error) error {
		var id string
		var is bool
		err := scan(&id, &is)
		done[id] = is
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list erasures: %w", err)
	}
	return done, nil
}

// buried returns those of the values that were erased. Served by the primary key
// of tombstones.
func (db *DB) buried(ctx context.Context, q querier, kind string, values []string) (map[string]bool, error) {
	of := make(map[string]string, len(values))
	var marks []string
	for _, v := range values {
		for _, m := range db.keys.Marks(kind, v) {
			of[m] = v
			marks = append(marks, m)
		}
	}
	found := make(map[string]bool)
	err := chunks(marks, maxIn, func(part []string) error {
		list, args := in(nil, part)
		return q.each(ctx, `SELECT mark FROM tombstones WHERE mark IN `+list, args, func(scan func(...any) error) error {
			var mark string
			err := scan(&mark)
			found[of[mark]] = true
			return err
		})
	})
	return found, err
}

// barred returns which of the items were erased before, by key or by content.
// They become rows without content: whatever compares the ledger with a mailbox
// or with the telephone company finds them.
func (tx *Tx) barred(ctx context.Context, items []Item) (map[int]bool, error) {
	var some bool
	if err := tx.get(ctx, `SELECT EXISTS (SELECT 1 FROM tombstones)`, nil, &some); err != nil || !some {
		return nil, err // spares nearly every desk the hashes
	}
	keys, sums := make([]string, len(items)), make([]string, len(items))
	for i := range items {
		keys[i], sums[i] = items[i].Key, hex.EncodeToString(items[i].SHA256[:])
	}
	byKey, err := tx.db.buried(ctx, tx, tickets.MarkKey, keys)
	if err != nil {
		return nil, err
	}
	byContent, err := tx.db.buried(ctx, tx, tickets.MarkContent, sums)
	if err != nil {
		return nil, err
	}
	out := make(map[int]bool)
	for i := range items {
		if byKey[keys[i]] || byContent[sums[i]] {
			out[i] = true
		}
	}
	return out, nil
}

// appendErased notes that something came that was erased before, and nothing of it.
func (tx *Tx) appendErased(ctx context.Context, it *Item) (isNew bool, err error) {
	uidvalidity, uid := imapKey(it.Key)
	n, err := tx.exec(ctx, `
		INSERT INTO ledger (
			key,
			brand,
			mailbox,
			folder,
			uidvalidity,
			uid,
			queue,
			channel,
			recipients,
			received,
			sha256,
			size,
			disposition,
			reason,
			decided
		) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', $9, $10, 0, 'discarded', $11, $9)
		ON CONFLICT (key) DO NOTHING`,
		it.Key, it.Brand, tickets.NormalAddress(it.Mailbox), it.Folder, int64(uidvalidity), int64(uid), it.Queue, string(it.Channel),
		ms(it.Received), make([]byte, 32), tickets.ReasonErased)
	return n > 0, err
}

// erased notes whether the mail in hand was erased before, by its Message-ID: it
// may come again by another mailbox, with other lines at its head.
func (f *finder) erased(ctx context.Context) error {
	if f.keys.MessageID == "" || len(f.tx.db.keys.Current.Secret) == 0 {
		return nil
	}
	marks := f.tx.db.keys.Marks(tickets.MarkMail, f.keys.MessageID)
	list, args := in(nil, marks)
	// Served by the primary key of tombstones.
	return f.tx.eachLater(ctx, `SELECT 1 FROM tombstones WHERE mark IN `+list+limit(1), args, func(scan func(...any) error) error {
		f.found.Erased = true
		return nil
	})
}

// forgets empties the row of what was erased before.
func (s *saver) forgets(ctx context.Context) error {
	if s.c.Reason != tickets.ReasonErased || s.ledger == 0 {
		return nil
	}
	return s.tx.emptyLedger(ctx, []int64{s.ledger})
}

// emptyLedger leaves of rows their keys and what became of them.
func (tx *Tx) emptyLedger(ctx context.Context, rows []int64) error {
	return chunks(rows, maxIn, func(ids []int64) error {
		if err := tx.dropRaw(ctx, ids); err != nil {
			return err
		}
		values, args := in(nil, ids)
		if err := tx.later(ctx, `DELETE FROM fetches WHERE ledger IN `+values, args...); err != nil { // fetches_ledger
			return err
		}
		values, args = in([]any{make([]byte, 32), tickets.ReasonErased, int64(1)}, ids)
		return tx.later(ctx, `
			UPDATE ledger SET
				sender = NULL,
				recipients = '',
				sha256 = $1,
				size = 0,
				detail = '',
				trace = '',
				author = '',
				subject = '',
				contact = '',
				reason = CASE WHEN disposition IN ('', 'quarantined', 'discarded') THEN CAST($2 AS TEXT) ELSE reason END,
				decided = CASE WHEN disposition = '' THEN received ELSE decided END,
				epoch = epoch + $3,
				disposition = CASE WHEN disposition IN ('', 'quarantined') THEN 'discarded' ELSE disposition END
			WHERE id IN `+values, args...)
	})
}

// Redaction is a copy at the telephone company that is to be deleted there.
type Redaction struct {
	Sid      string // RE…: a recording; SM…, MM…: a text
	Attempts int    // before this one
	Since    time.Time
}

// ClaimRedactions hands out at most n copies that are to be deleted at now.
func (db *DB) ClaimRedactions(ctx context.Context, n int, now, until time.Time) (list []Redaction, err error) {
	err = db.write(ctx, func(tx *Tx) error {
		list = nil
		// Served by redactions_due. The condition stands twice as in claimLedger.
		return tx.each(ctx, `
			UPDATE redactions SET
				claimed_until = $2,
				attempts = attempts + 1
			WHERE due <= $1 AND claimed_until <= $1 AND sid IN (
				SELECT sid FROM redactions WHERE due <= $1 AND claimed_until <= $1 ORDER BY due, sid LIMIT $3
			)
			RETURNING sid, attempts - 1, since`, []any{ms(now), ms(until), int64(n)},
			func(scan func(...any) error) error {
				var r Redaction
				err := scan(&r.Sid, &r.Attempts, timeDest{&r.Since})
				list = append(list, r)
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("claim %d copies to delete: %w", n, err)
	}
	return list, nil
}

// Redacted notes that a copy is gone (next zero), or when it is tried again.
func (db *DB) Redacted(ctx context.Context, sid, why string, next time.Time) error {
	err := db.write(ctx, func(tx *Tx) error {
		if next.IsZero() {
			return tx.later(ctx, `DELETE FROM redactions WHERE sid = $1`, sid)
		}
		return tx.later(ctx, `UPDATE redactions SET due = $2, claimed_until = 0, error = $3 WHERE sid = $1`, sid, ms(next), why)
	})
	if err != nil {
		return fmt.Errorf("note what became of copy %q: %w", sid, err)
	}
	return nil
}

// Redactions counts the copies that wait to be deleted.
func (db *DB) Redactions(ctx context.Context) (n int, err error) {
	if err := db.read.get(ctx, `SELECT COUNT(*) FROM redactions`, nil, &n); err != nil {
		return 0, fmt.Errorf("count the copies to delete: %w", err)
	}
	return n, nil
}

// Scrub takes what was deleted out of the database file as far as it can be
// done while the desk runs. On SQLite deleted bytes are overwritten at once
// (secure_delete); the words of the search index are merged away and the log is
// written back and cut here. PostgreSQL keeps old versions of rows until its own
// vacuum, and its log as long as the server is told to.
func (db *DB) Scrub(ctx context.Context) error {
	if err := db.engine.scrub(ctx); err != nil {
		return fmt.Errorf("scrub the database: %w", err)
	}
	return nil
}

func (e *postgresEngine) scrub(ctx context.Context) error {
	_, err := e.db.ExecContext(ctx, `VACUUM raw, raw_pieces, blobs, renderings, messages, search, ledger, letters, events, people`)
	return err
}

func (e *sqliteEngine) scrub(ctx context.Context) error {
	select {
	case <-e.turn:
	case <-e.ended:
		return errors.New("the database is closed")
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { e.turn <- struct{}{} }()
	t := sqliteTx{e}
	if err := t.run(ctx, `INSERT INTO search (search) VALUES ('optimize')`); err != nil {
		return sqliteError(err)
	}
	// Another process that reads may keep the log from being cut: it is written
	// over later.
	return t.each(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`, nil, func(func(...any) error) error { return nil })
}
