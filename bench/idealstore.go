package main

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // registers "sqlite"
)

// idealSQLite is the ideal's store: prepared statements, WAL, FULL.
type idealSQLite struct {
	db                                                         *sql.DB
	known, ticket, touch, message, index, outbox, cursor, sent *sql.Stmt
}

func openIdealSQLite(ctx context.Context, path string) idealStore {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate")
	check(err)
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, `
		CREATE TABLE tickets (id INTEGER PRIMARY KEY, subject TEXT, requester TEXT, status INT DEFAULT 0, created INT, updated INT, messages INT DEFAULT 1);
		CREATE INDEX tickets_status ON tickets (status, updated);
		CREATE INDEX tickets_requester ON tickets (requester);
		CREATE TABLE messages (id INTEGER PRIMARY KEY, ticket INT NOT NULL, mailbox INT, uid INT, message_id TEXT NOT NULL, in_reply_to TEXT, author TEXT, subject TEXT, received INT, body TEXT, files INT, raw BLOB);
		CREATE UNIQUE INDEX messages_id ON messages (message_id);
		CREATE INDEX messages_ticket ON messages (ticket, received);
		CREATE UNIQUE INDEX messages_uid ON messages (mailbox, uid);
		CREATE INDEX messages_author ON messages (author);
		CREATE INDEX messages_received ON messages (received);
		CREATE TABLE outbox (id INTEGER PRIMARY KEY, ticket INT, recipient TEXT, body TEXT, state INT DEFAULT 0, due INT);
		CREATE INDEX outbox_due ON outbox (state, due);
		CREATE TABLE mailbox (id INTEGER PRIMARY KEY, uid INT);
		CREATE VIRTUAL TABLE search USING fts5 (subject, body, content = 'messages', content_rowid = 'id')`)
	check(err)
	prepare := func(text string) *sql.Stmt {
		s, err := db.PrepareContext(ctx, text)
		check(err)
		return s
	}
	return &idealSQLite{
		db:      db,
		known:   prepare(`SELECT ticket FROM messages WHERE message_id = ?`),
		ticket:  prepare(`INSERT INTO tickets (subject, requester, created, updated) VALUES (?, ?, ?, ?)`),
		touch:   prepare(`UPDATE tickets SET updated = ?, messages = messages + 1 WHERE id = ?`),
		message: prepare(`INSERT INTO messages (ticket, mailbox, uid, message_id, in_reply_to, author, subject, received, body, files, raw) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
		index:   prepare(`INSERT INTO search (rowid, subject, body) VALUES (?, ?, ?)`),
		outbox:  prepare(`INSERT INTO outbox (ticket, recipient, body, due) VALUES (?, ?, ?, ?)`),
		cursor:  prepare(`INSERT INTO mailbox (id, uid) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET uid = excluded.uid`),
		sent:    prepare(`UPDATE outbox SET state = 1 WHERE id = ?`),
	}
}

func (s *idealSQLite) close() { _ = s.db.Close() }

func (s *idealSQLite) save(ctx context.Context, group []simple) (acks []ticketAck) {
	tx, err := s.db.BeginTx(ctx, nil)
	check(err)
	exec := func(stmt *sql.Stmt, args ...any) int64 {
		res, err := tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
		check(err)
		id, err := res.LastInsertId()
		check(err)
		return id
	}
	ticketOf := func(id string) (ticket int64) {
		if err := tx.StmtContext(ctx, s.known).QueryRowContext(ctx, id).Scan(&ticket); !errors.Is(err, sql.ErrNoRows) {
			check(err)
		}
		return ticket
	}
	for _, m := range group {
		if ticketOf(m.id) != 0 {
			continue
		}
		var ticket int64
		for _, ref := range append(m.refs, m.parent) {
			if ref != "" && ticket == 0 {
				ticket = ticketOf(ref)
			}
		}
		fresh := ticket == 0
		if fresh {
			ticket = exec(s.ticket, m.subject, m.from, m.date, m.date)
		} else {
			exec(s.touch, m.date, ticket)
		}
		id := exec(s.message, ticket, int64(m.uid), m.id, m.parent, m.from, m.subject, m.date, m.text, m.files, m.raw)
		exec(s.index, id, m.subject, m.text)
		if fresh {
			acks = append(acks, ticketAck{exec(s.outbox, ticket, m.from, "acknowledgement", m.date), ticket, m.from})
		}
	}
	exec(s.cursor, int64(group[len(group)-1].uid))
	check(tx.Commit())
	return acks
}

func (s *idealSQLite) mark(ctx context.Context, ids []int64) {
	tx, err := s.db.BeginTx(ctx, nil)
	check(err)
	for _, id := range ids {
		_, err := tx.StmtContext(ctx, s.sent).ExecContext(ctx, id)
		check(err)
	}
	check(tx.Commit())
}

// idealPostgres is the same on PostgreSQL: it gives the numbers itself, so that
// a group is two trips to the server, one that asks and one that writes.
type idealPostgres struct {
	store, marks *pgx.Conn // marks are not held up by a group
	last         int64
}

func openIdealPostgres(ctx context.Context, url string) idealStore {
	connect := func() *pgx.Conn {
		c, err := pgx.Connect(ctx, url)
		check(err)
		return c
	}
	s := &idealPostgres{store: connect(), marks: connect()}
	_, err := s.store.Exec(ctx, `
		CREATE TABLE tickets (id BIGINT PRIMARY KEY, subject TEXT, requester TEXT, status INT DEFAULT 0, created BIGINT, updated BIGINT, messages INT DEFAULT 1);
		CREATE INDEX ON tickets (status, updated);
		CREATE INDEX ON tickets (requester);
		CREATE TABLE messages (id BIGINT PRIMARY KEY, ticket BIGINT NOT NULL, mailbox INT, uid BIGINT, message_id TEXT NOT NULL UNIQUE, in_reply_to TEXT, author TEXT, subject TEXT, received BIGINT, body TEXT, files INT, raw BYTEA, words TSVECTOR);
		CREATE INDEX ON messages (ticket, received);
		CREATE UNIQUE INDEX ON messages (mailbox, uid);
		CREATE INDEX ON messages (author);
		CREATE INDEX ON messages (received);
		CREATE INDEX ON messages USING GIN (words);
		CREATE TABLE outbox (id BIGINT PRIMARY KEY, ticket BIGINT, recipient TEXT, body TEXT, state INT DEFAULT 0, due BIGINT);
		CREATE INDEX ON outbox (state, due);
		CREATE TABLE mailbox (id INT PRIMARY KEY, uid BIGINT)`)
	check(err)
	return s
}

func (s *idealPostgres) close() {
	_ = s.store.Close(context.Background())
	_ = s.marks.Close(context.Background())
}

func (s *idealPostgres) save(ctx context.Context, group []simple) (acks []ticketAck) {
	var ids []string
	for _, m := range group {
		ids = append(append(ids, m.id, m.parent), m.refs...)
	}
	known := map[string]int64{}
	rows, err := s.store.Query(ctx, `SELECT message_id, ticket FROM messages WHERE message_id = ANY ($1)`, ids)
	check(err)
	for rows.Next() {
		var id string
		var ticket int64
		check(rows.Scan(&id, &ticket))
		known[id] = ticket
	}
	check(rows.Err())
	var b pgx.Batch
	b.Queue(`BEGIN`)
	for _, m := range group {
		if known[m.id] != 0 {
			continue
		}
		s.last++
		ticket := known[m.parent]
		if ticket == 0 {
			ticket = s.last
			b.Queue(`INSERT INTO tickets (id, subject, requester, created, updated) VALUES ($1, $2, $3, $4, $5)`, ticket, m.subject, m.from, m.date, m.date)
			b.Queue(`INSERT INTO outbox (id, ticket, recipient, body, due) VALUES ($1, $2, $3, $4, $5)`, ticket, ticket, m.from, "acknowledgement", m.date)
			acks = append(acks, ticketAck{ticket, ticket, m.from})
		} else {
			b.Queue(`UPDATE tickets SET updated = $1, messages = messages + 1 WHERE id = $2`, m.date, ticket)
		}
		known[m.id] = ticket
		b.Queue(`INSERT INTO messages (id, ticket, mailbox, uid, message_id, in_reply_to, author, subject, received, body, files, raw, words)
			VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, to_tsvector('simple', $7 || ' ' || $9))`,
			s.last, ticket, int64(m.uid), m.id, m.parent, m.from, m.subject, m.date, m.text, m.files, m.raw)
	}
	b.Queue(`INSERT INTO mailbox (id, uid) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET uid = excluded.uid`, int64(group[len(group)-1].uid))
	b.Queue(`COMMIT`)
	check(s.store.SendBatch(ctx, &b).Close())
	return acks
}

func (s *idealPostgres) mark(ctx context.Context, ids []int64) {
	_, err := s.marks.Exec(ctx, `UPDATE outbox SET state = 1 WHERE id = ANY ($1)`, ids)
	check(err)
}
