package main

import (
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// stockAddress is the customer of the k-th stored message, stockMessageID its
// Message-ID: in no order, as those of real mail.
func stockAddress(k int) string { return fmt.Sprintf("c%d@customer.example", k) }

func stockMessageID(k int) string {
	return fmt.Sprintf("%x.%d@customer.example", k*2654435761%1000003, k)
}

// fillStock fills a database that the desk has made with n closed tickets of a
// message and an acknowledgement each, of the 25 days that ended two days ago:
// an answer opens its ticket again. The first thousand people are agents'.
func fillStock(t *section, path string, n int) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-400000)&_pragma=temp_store(MEMORY)")
	if err != nil {
		t.Fatalf("fill %s: %v", path, err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	last := time.Now().Add(-48 * time.Hour).UnixMilli()
	fill := strings.NewReplacer("@from@", fmt.Sprint(1), "@to@", fmt.Sprint(n), "@last@", fmt.Sprint(last),
		"@step@", fmt.Sprint(25*24*time.Hour.Milliseconds()/int64(n)), "@mailbox@", deskAddress, "@brand@", deskBrand)
	// Nothing of it need be undone or last: without a journal it is written once.
	for statement := range strings.SplitSeq(stock, ";\n") {
		if _, err := db.ExecContext(t.ctx, fill.Replace(statement)); err != nil {
			t.Fatalf("fill %s: %v in %s", path, err, statement)
		}
	}
}

// tickets counts them.
func tickets(t *section, path string) (n int) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err == nil {
		defer db.Close()
		err = db.QueryRowContext(t.ctx, `SELECT COUNT(*) FROM tickets`).Scan(&n)
	}
	if err != nil {
		t.Fatalf("count tickets in %s: %v", path, err)
	}
	return n
}

// stock is written into the tables at once: by way of decisions a million
// messages would take ten minutes. The smoke test answers some of them.
const stock = `BEGIN;
CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (SELECT @from@ UNION ALL SELECT i + 1 FROM c WHERE i < @to@) SELECT i, @last@ - (@to@ - i) * @step@ AS at FROM c;
INSERT INTO people (id, brand, name, folded, phones, language, org, blocked, notes, changed)
	SELECT i + 1000, '@brand@', 'Customer', 'customer', '', '', '', FALSE, '', 0 FROM n;
INSERT INTO addresses (brand, address, person, position) SELECT '@brand@', 'c' || i || '@customer.example', i + 1000, 0 FROM n;
INSERT INTO tickets (id, brand, mailbox, queue, channel, status, subject, subject_core, language, thread_root, requester,
	assignee, severity, category, impact, urgency, tags, facts, links, merged_into, version, opened, updated, answered, resolved, closed,
	pending_until, due, followed_up, worked_min)
	SELECT i, '@brand@', '@mailbox@', 'support', 'email', 'closed', 'printer', 'printer', 'en', '', i + 1000, '', '', '', 0, 0, '', '', '', 0, 1,
	at, at, 0, 0, at, 0, 0, 0, 0 FROM n;
INSERT INTO participants (ticket, address, person, name, role, position, subject_core)
	SELECT i, 'c' || i || '@customer.example', i + 1000, 'Customer', 'requester', 0, 'printer' FROM n;
INSERT INTO ledger (id, key, brand, mailbox, folder, uidvalidity, uid, queue, channel, sender, recipients, received, sha256, size,
	disposition, author, subject, ticket, message, decided)
	SELECT i, 'imap:@mailbox@:INBOX:1:' || i, '@brand@', '@mailbox@', 'INBOX', 1, i, 'support', 'email', NULL, '', at, randomblob(32), 5000,
	'message', 'c' || i || '@customer.example', 'printer', i, i, at FROM n;
INSERT INTO raw (ledger, data) SELECT i, randomblob(300) FROM n;
INSERT INTO messages (id, brand, ticket, seq, version, ledger, direction, channel, kind, author_kind, person, author_name, author, message_id,
	in_reply_to, cites, subject, body, attachments, content, thread_root, received, day, dated, commands, flags)
	SELECT i, '@brand@', i, 1, 1, i, 'in', 'email', 'message', 'customer', i + 1000, 'Customer', 'c' || i || '@customer.example',
	printf('%x.%d@customer.example', i * 2654435761 % 1000003, i), '', '', 'printer', printf('my printer %d is on fire %.*c', i, 400, 'x'), '',
	randomblob(32), '', at, at / 86400000, 0, '', '' FROM n;
INSERT INTO search (rowid, words) SELECT i, printf('my printer %d is on fire word%d word%d word%d', i, i * 7919 % 30011, i * 104729 % 30011, i * 1299709 % 30011) FROM n;
INSERT INTO events (ticket, change, at, who, what, detail, outcome) SELECT i, i, at, 'c' || i || '@customer.example', 'opened', '', '' FROM n;
INSERT INTO letters (id, key, ticket, brand, mailbox, kind, language, to_address, to_domain, subject_core, person, agent, message, version, auto,
	priority, not_after, data, state, queued, due, message_id)
	SELECT i, 'ack:' || i, i, '@brand@', '@mailbox@', 'acknowledgement', 'en', 'c' || i || '@customer.example', 'customer.example', 'printer', i + 1000,
	FALSE, 0, 0, 'auto-replied', 1, 0, '{}', 'sent', at, 0, printf('%x.l%d@perf.example', i * 40503 % 65537, i) FROM n;
INSERT INTO renderings (letter, data) SELECT i, randomblob(200) FROM n;
DROP TABLE n;
COMMIT;
PRAGMA journal_mode = WAL`
