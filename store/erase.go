package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontdesk/tickets"
)

// Traces are what is kept of one customer, as an erasure finds it.
type Traces struct {
	Person  tickets.Person
	Names   []string // addresses and tel:…, whatsapp:… of the numbers, normal form
	Own     []int64  // tickets of theirs: these lose their content
	Others  []int64  // tickets of others on which they take part: these lose their words
	Rows    []int64  // ledger rows: mails, texts, calls, recordings
	Sids    []string // copies at the telephone company
	Letters []int64  // letters to them, and all about their own tickets
	Marks   []string // tombstones of all of it

	Messages, Products, Surveys, Points, Waiting int // counts
}

// Traces looks for everything that is kept of a person. It reads the ledger
// whole: mail that was held or dropped belongs to no ticket.
func (db *DB) Traces(ctx context.Context, person int64) (Traces, error) {
	t, err := db.traces(ctx, person)
	if err != nil {
		return Traces{}, fmt.Errorf("look for what is kept of person %d: %w", person, err)
	}
	return t, nil
}

func (db *DB) traces(ctx context.Context, person int64) (t Traces, err error) {
	if t.Person, err = onePerson(ctx, db.read, `p.id = $1`, person); err != nil {
		return t, err
	}
	if t.Person.Brand == "" {
		return t, fmt.Errorf("person %d is an agent", person)
	}
	t.Names = namesOf(t.Person)
	for _, step := range []func(context.Context, *Traces) error{db.traceTickets, db.traceRows, db.traceLetters, db.traceCounts, db.traceMarks} {
		if err := step(ctx, &t); err != nil {
			return t, err
		}
	}
	return t, nil
}

// LettersTo returns the letters that were written to a customer.
func (db *DB) LettersTo(ctx context.Context, person int64) (ids []int64, err error) {
	// All letters: one about no ticket is found by nothing else.
	ids, err = idList(ctx, db.read, `SELECT id FROM letters WHERE agent = FALSE AND person = $1 ORDER BY id`, person)
	if err != nil {
		return nil, fmt.Errorf("list letters to person %d: %w", person, err)
	}
	return ids, nil
}

// namesOf are the ways in which mails, letters and logs name a person.
func namesOf(p tickets.Person) []string {
	names := slices.Clone(p.Addresses)
	for _, n := range p.Phones {
		names = append(names, tickets.TelAddress(n), tickets.WhatsAppAddress(n))
	}
	for i := range names {
		names[i] = tickets.NormalAddress(names[i])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (db *DB) traceTickets(ctx context.Context, t *Traces) error {
	// Served by participants_person and the primary key of tickets. A shared
	// number is not enough to make another's ticket theirs: the person counts.
	return db.read.each(ctx, `
		SELECT DISTINCT t.id, t.requester
		FROM participants p JOIN tickets t ON t.id = p.ticket
		WHERE p.person = $1 AND t.brand = $2
		ORDER BY t.id`, []any{t.Person.ID, t.Person.Brand}, func(scan func(...any) error) error {
		var id, requester int64
		err := scan(&id, &requester)
		if requester == t.Person.ID {
			t.Own = append(t.Own, id)
		} else {
			t.Others = append(t.Others, id)
		}
		return err
	})
}

func (db *DB) traceRows(ctx context.Context, t *Traces) error {
	rows := map[int64]bool{}
	add := func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		rows[id] = true
		return err
	}
	err := chunks(t.Own, maxIn, func(ids []int64) error {
		list, args := in(nil, ids)
		// Served by ledger_ticket; files by the contact of their call or text.
		return db.read.each(ctx, `
			SELECT id FROM ledger WHERE ticket > 0 AND ticket IN `+list+`
			UNION SELECT ledger FROM messages WHERE ledger > 0 AND ticket IN `+list+`
			UNION SELECT f.id FROM ledger l JOIN ledger f ON f.contact = l.contact AND f.contact <> ''
			WHERE l.ticket > 0 AND l.contact <> '' AND l.ticket IN `+list, args, add)
	})
	if err != nil {
		return err
	}
	err = chunks(t.Others, maxIn, func(ids []int64) error {
		list, args := in([]any{t.Person.ID}, ids)
		return db.read.each(ctx, `
			SELECT ledger FROM messages
			WHERE ledger > 0 AND direction = 'in' AND person = $1 AND ticket IN `+list, args, add)
	})
	if err == nil && t.Person.ID != 0 {
		err = db.traceNames(ctx, t, rows)
	}
	for id := range rows {
		t.Rows = append(t.Rows, id)
	}
	slices.Sort(t.Rows)
	return err
}

// traceNames finds mail that became no message: held, dropped, or recorded on
// nothing.
func (db *DB) traceNames(ctx context.Context, t *Traces, rows map[int64]bool) error {
	// All rows.
	return db.read.each(ctx, `
		SELECT id, author, sender FROM ledger
		WHERE brand = $1 AND disposition <> 'message' AND (author <> '' OR sender IS NOT NULL)`, []any{t.Person.Brand},
		func(scan func(...any) error) error {
			var id int64
			var author string
			var sender sql.NullString
			err := scan(&id, &author, &sender)
			name := tickets.NormalAddress(author)
			if name == "" { // undecided
				name = tickets.NormalAddress(sender.String)
			}
			if name != "" && slices.Contains(t.Names, name) {
				rows[id] = true
			}
			return err
		})
}

func (db *DB) traceLetters(ctx context.Context, t *Traces) error {
	take := func(scan func(...any) error) error {
		var id int64
		var state, message, domain string
		if err := scan(&id, &state, &message, &domain); err != nil {
			return err
		}
		t.Letters = append(t.Letters, id)
		if state == LetterQueued || state == LetterDot || state == LetterHeld {
			t.Waiting++
		}
		if domain == "" {
			t.Sids = append(t.Sids, message)
		}
		return nil
	}
	if t.Person.ID != 0 {
		list, args := in([]any{t.Person.ID, t.Person.Brand}, t.Names)
		// All letters: one about no ticket is found by nothing else.
		err := db.read.each(ctx, `
			SELECT id, state, message_id, to_domain FROM letters
			WHERE brand = $2 AND agent = FALSE AND (person = $1 OR person = 0 AND to_address IN `+list+`)`, args, take)
		if err != nil {
			return err
		}
	}
	return chunks(t.Own, maxIn, func(ids []int64) error {
		list, args := in([]any{t.Person.ID}, ids)
		// Served by letters_ticket.
		return db.read.each(ctx, `
			SELECT id, state, message_id, to_domain FROM letters
			WHERE ticket IN `+list+` AND (agent = TRUE OR person <> $1 OR person = 0)`, args, take)
	})
}

func (db *DB) traceCounts(ctx context.Context, t *Traces) error {
	err := chunks(t.Own, maxIn, func(ids []int64) error {
		list, args := in(nil, ids)
		var n int
		err := db.read.get(ctx, `SELECT COUNT(*) FROM messages WHERE ticket IN `+list, args, &n)
		t.Messages += n
		return err
	})
	if err != nil {
		return err
	}
	err = chunks(t.Others, maxIn, func(ids []int64) error {
		list, args := in([]any{t.Person.ID}, ids)
		var n int
		err := db.read.get(ctx, `SELECT COUNT(*) FROM messages WHERE person = $1 AND ticket IN `+list, args, &n)
		t.Messages += n
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		text string
		to   *int
	}{
		{`SELECT COUNT(*) FROM products WHERE owner = $1`, &t.Products},
		{`SELECT COUNT(*) FROM surveys WHERE person = $1 AND asked > 0`, &t.Surveys},
		{`SELECT COUNT(*) FROM points WHERE person = $1`, &t.Points},
	} {
		if err := db.read.get(ctx, c.text, []any{t.Person.ID}, c.to); err != nil {
			return err
		}
	}
	return nil
}

// traceMarks makes the tombstones, and finds the copies at the telephone company
// by the keys of the rows.
func (db *DB) traceMarks(ctx context.Context, t *Traces) error {
	mark := func(kind, value string) {
		if m := db.keys.Mark(kind, value); m != "" && value != "" {
			t.Marks = append(t.Marks, m)
		}
	}
	for _, a := range t.Person.Addresses {
		mark(tickets.MarkAddress, markedName(t.Person.Brand, a))
	}
	err := chunks(t.Rows, maxIn, func(ids []int64) error {
		list, args := in(nil, ids)
		err := db.read.each(ctx, `SELECT key, sha256 FROM ledger WHERE id IN `+list, args, func(scan func(...any) error) error {
			var key string
			var sum [32]byte
			err := scan(&key, sumDest{&sum})
			mark(tickets.MarkKey, key)
			if sum != ([32]byte{}) {
				mark(tickets.MarkContent, hex.EncodeToString(sum[:]))
			}
			t.Sids = append(t.Sids, sidOf(key))
			return err
		})
		if err != nil {
			return err
		}
		// Served by messages_ledger.
		return db.read.each(ctx, `SELECT message_id FROM messages WHERE ledger > 0 AND message_id <> '' AND ledger IN `+list, args, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			mark(tickets.MarkMail, id)
			return err
		})
	})
	slices.Sort(t.Letters)
	t.Letters = slices.Compact(t.Letters)
	slices.Sort(t.Sids)
	t.Sids = slices.DeleteFunc(slices.Compact(t.Sids), func(s string) bool { return !hasCopy(s) })
	slices.Sort(t.Marks)
	t.Marks = slices.Compact(t.Marks)
	return err
}

// sidOf is what a ledger row is called at the telephone company, "" when it is
// not from there: of "media:RE…", "recording:RE…:completed", "message:SM…".
func sidOf(key string) string {
	for _, kind := range []string{"media:", "recording:", "message:", "lost:"} {
		if rest, ok := strings.CutPrefix(key, kind); ok {
			return rest[:min(34, len(rest))]
		}
	}
	return ""
}

// hasCopy reports whether the telephone company has something of it that can be
// emptied: a recording, or the words of a text.
func hasCopy(sid string) bool {
	return len(sid) == 34 && (strings.HasPrefix(sid, "RE") || strings.HasPrefix(sid, "SM") || strings.HasPrefix(sid, "MM"))
}

// Erase removes all that Traces found, a ticket in a transaction. The erasure
// was recorded before ([DB.Entomb]); one that was broken off is gone on with by
// calling Traces and Erase again. step is called after each piece.
//
// Tickets keep their numbers, dates, statuses and clocks, and messages that they
// were; the ledger keeps keys. What other people wrote on their own tickets
// stays, although it may speak of the person.
func (db *DB) Erase(ctx context.Context, t Traces, now time.Time, step func()) error {
	for _, id := range t.Own {
		if err := db.erasePiece(ctx, t.Person.Brand, func(tx *Tx) error { return tx.eraseTicket(ctx, id, t, now) }); err != nil {
			return fmt.Errorf("erase ticket %d: %w", id, err)
		}
		step()
	}
	for _, id := range t.Others {
		if err := db.erasePiece(ctx, t.Person.Brand, func(tx *Tx) error { return tx.eraseWords(ctx, id, t) }); err != nil {
			return fmt.Errorf("erase words on ticket %d: %w", id, err)
		}
		step()
	}
	pieces := []struct {
		what string
		run  func(*Tx) error
	}{
		{"what came in", func(tx *Tx) error { return tx.emptyLedger(ctx, t.Rows) }},
		{"letters", func(tx *Tx) error { return tx.eraseLetters(ctx, t.Letters) }},
		{"the profile", func(tx *Tx) error { return tx.erasePerson(ctx, t, now) }},
	}
	for _, p := range pieces {
		if err := db.erasePiece(ctx, t.Person.Brand, p.run); err != nil {
			return fmt.Errorf("erase %s of person %d: %w", p.what, t.Person.ID, err)
		}
		step()
	}
	return nil
}

// erasePiece runs one piece in the order of the brand's decisions: what a worker
// has in hand is decided before or after it.
func (db *DB) erasePiece(ctx context.Context, brand string, f func(*Tx) error) error {
	return db.Decide(ctx, brand, func(tx *Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		return tx.flush(ctx)
	})
}

// eraseTicket takes the content off a ticket. One that is open is closed: nobody
// is left to be answered.
func (tx *Tx) eraseTicket(ctx context.Context, id int64, t Traces, now time.Time) error {
	ids, err := idList(ctx, tx, `SELECT id FROM messages WHERE ticket = $1`, id)
	if err != nil {
		return err
	}
	if err := tx.eraseMessages(ctx, ids); err != nil {
		return err
	}
	list, args := in([]any{id}, t.Names)
	for _, s := range []statement{
		{text: `UPDATE alarms SET state = 'stopped', ended = $2 WHERE ticket = $1 AND state = 'ringing'`, args: []any{id, ms(now)}},
		{text: `UPDATE alarms SET why = '' WHERE ticket = $1`, args: []any{id}},
		{text: `DELETE FROM participants WHERE ticket = $1`, args: []any{id}},
		{text: `DELETE FROM lately WHERE ticket = $1`, args: []any{id}},
		{text: `DELETE FROM foreign_numbers WHERE ticket = $1`, args: []any{id}},
		{text: `DELETE FROM lessons WHERE ticket = $1`, args: []any{id}},
		{text: `DELETE FROM passcodes WHERE ticket = $1`, args: []any{id}},
		{text: `UPDATE surveys SET person = 0, address = '', comment = '', due = 0, follow_up = 0 WHERE ticket = $1`, args: []any{id}},
		// What figures are made of stays: agents, and what became of the ticket.
		{text: `
			UPDATE events SET
				who = CASE WHEN who IN ` + list + ` OR who LIKE 'tel:%' OR who LIKE 'whatsapp:%' THEN 'customer' ELSE who END,
				detail = CASE WHEN what IN ('status', 'time', 'breached', 'assigned', 'escalated') THEN detail ELSE '' END,
				outcome = ''
			WHERE ticket = $1`, args: args},
		{text: `
			UPDATE tickets SET
				closed = CASE WHEN status IN ('new', 'open', 'pending', 'on_hold', 'resolved') THEN $2 ELSE closed END,
				status = CASE WHEN status IN ('new', 'open', 'pending', 'on_hold', 'resolved') THEN 'closed' ELSE status END,
				subject = '',
				subject_core = '',
				thread_root = '',
				requester = 0,
				tags = '',
				facts = '',
				guess = '',
				returned = '',
				identity = '',
				line = '',
				product = 0,
				watch = 0,
				next_due = 0,
				pending_until = 0,
				erased = $2
			WHERE id = $1`, args: []any{id, ms(now)}},
	} {
		if err := tx.later(ctx, s.text, s.args...); err != nil {
			return err
		}
	}
	return tx.saveEvents(ctx, id, tx.nextChange(), []tickets.Event{{At: now, Who: "desk", What: "erased"}}, now)
}

// eraseWords takes a person off a ticket that is somebody else's.
func (tx *Tx) eraseWords(ctx context.Context, id int64, t Traces) error {
	ids, err := idList(ctx, tx, `SELECT id FROM messages WHERE ticket = $1 AND direction = 'in' AND person = $2`, id, t.Person.ID)
	if err != nil {
		return err
	}
	if err := tx.eraseMessages(ctx, ids); err != nil {
		return err
	}
	list, args := in([]any{id}, t.Names)
	err = tx.later(ctx, `UPDATE events SET who = 'customer', detail = '', outcome = '' WHERE ticket = $1 AND who IN `+list, args...)
	if err != nil {
		return err
	}
	for _, n := range t.Names { // other events that name the person: proposed, third party, removed
		err := tx.later(ctx, `UPDATE events SET detail = '', outcome = '' WHERE ticket = $1 AND (detail LIKE $2 ESCAPE '!' OR outcome LIKE $2 ESCAPE '!')`, id, containing(n))
		if err != nil {
			return err
		}
	}
	return tx.later(ctx, `DELETE FROM participants WHERE ticket = $1 AND person = $2`, id, t.Person.ID)
}

// eraseMessages leaves of messages that they were.
func (tx *Tx) eraseMessages(ctx context.Context, ids []int64) error {
	return chunks(ids, maxIn, func(ids []int64) error {
		values, args := in(nil, ids)
		for _, text := range []string{
			`DELETE FROM ` + tx.db.engine.search().table + ` IN ` + values,
			`DELETE FROM unindexed WHERE message IN ` + values,
			`DELETE FROM cites WHERE message IN ` + values,
			`UPDATE messages SET
				person = 0,
				author_name = '',
				author = CASE WHEN author_kind = 'agent' THEN author ELSE '' END,
				message_id = '',
				in_reply_to = '',
				cites = '',
				subject = '',
				body = '',
				attachments = '',
				content = NULL,
				thread_root = '',
				dated = 0,
				commands = '',
				flags = ''
			WHERE id IN ` + values,
		} {
			if err := tx.later(ctx, text, slices.Clone(args)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// eraseLetters leaves of letters that they were sent. What waits is dropped.
func (tx *Tx) eraseLetters(ctx context.Context, ids []int64) error {
	return chunks(ids, maxIn, func(ids []int64) error {
		values, args := in(nil, ids)
		for _, text := range []string{
			`DELETE FROM renderings WHERE letter IN ` + values,
			`DELETE FROM server_ids WHERE letter IN ` + values,
			`UPDATE letters SET
				key = NULL,
				to_address = CASE WHEN agent THEN to_address ELSE '' END,
				to_domain = CASE WHEN agent THEN to_domain ELSE '' END,
				person = CASE WHEN agent THEN person ELSE 0 END,
				subject_core = '',
				data = '',
				message_id = '',
				detail = '',
				epoch = epoch + 1,
				claimed_until = 0,
				state = CASE WHEN state IN ('queued', 'dot', 'held') THEN 'dropped' ELSE state END
			WHERE id IN ` + values,
		} {
			if err := tx.later(ctx, text, slices.Clone(args)...); err != nil {
				return err
			}
		}
		return nil
	})
}

// erasePerson removes the profile and what hangs on it, and queues the copies at
// the telephone company.
func (tx *Tx) erasePerson(ctx context.Context, t Traces, now time.Time) error {
	id := t.Person.ID
	products, err := idList(ctx, tx, `SELECT id FROM products WHERE owner = $1`, id)
	if err != nil {
		return err
	}
	for _, p := range products {
		for _, text := range []string{
			`UPDATE tickets SET product = 0 WHERE product = $1 AND product > 0`,
			`DELETE FROM readings WHERE product = $1`,
			`DELETE FROM due WHERE product = $1`,
			`DELETE FROM products WHERE id = $1`,
		} {
			if err := tx.later(ctx, text, p); err != nil {
				return err
			}
		}
	}
	for _, text := range []string{
		`DELETE FROM due WHERE person = $1`,
		`UPDATE surveys SET person = 0, address = '', comment = '', due = 0, follow_up = 0 WHERE person = $1`,
		`DELETE FROM points WHERE person = $1`,
		`DELETE FROM referral_codes WHERE person = $1`,
		`DELETE FROM referrals WHERE person = $1 OR referrer = $1`,
		`DELETE FROM participants WHERE person = $1`,
		`DELETE FROM phones WHERE person = $1`,
		`DELETE FROM addresses WHERE person = $1`,
		`DELETE FROM people WHERE id = $1`,
	} {
		if err := tx.later(ctx, text, id); err != nil {
			return err
		}
	}
	for _, n := range t.Names {
		for _, text := range []string{`DELETE FROM suppressed WHERE address = $1`, `DELETE FROM surveyed WHERE address = $1`} {
			if err := tx.later(ctx, text, n); err != nil {
				return err
			}
		}
	}
	return tx.queueRedactions(ctx, t.Sids, now)
}

func (tx *Tx) queueRedactions(ctx context.Context, sids []string, now time.Time) error {
	for _, sid := range sids {
		err := tx.later(ctx, `INSERT INTO redactions (sid, due, since) VALUES ($1, $2, $2) ON CONFLICT (sid) DO NOTHING`, sid, ms(now))
		if err != nil {
			return err
		}
	}
	return nil
}

// markedName is what stands for an address in a tombstone: one brand may forget
// who is another's customer. A number that several people share marks nobody.
func markedName(brand, address string) string { return brand + " " + tickets.NormalAddress(address) }

// MarkedPeople returns the customers one of whose addresses is among the marks:
// whom an older backup brought back. All addresses are read.
func (db *DB) MarkedPeople(ctx context.Context, marks []string) (ids []int64, err error) {
	want := make(map[string]bool, len(marks))
	for _, m := range marks {
		want[m] = true
	}
	seen := map[int64]bool{}
	err = db.read.each(ctx, `SELECT person, brand, address FROM addresses WHERE brand <> ''`, nil,
		func(scan func(...any) error) error {
			var id int64
			var brand, name string
			if err := scan(&id, &brand, &name); err != nil || seen[id] {
				return err
			}
			for _, m := range db.keys.Marks(tickets.MarkAddress, markedName(brand, name)) {
				seen[id] = seen[id] || want[m]
			}
			if seen[id] {
				ids = append(ids, id)
			}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("look for people who were erased: %w", err)
	}
	return ids, nil
}

// EraseMarkedRows empties the ledger rows whose keys are among the marks: what
// an older backup brought back and no profile leads to.
func (db *DB) EraseMarkedRows(ctx context.Context, brand string, marks []string) error {
	want := make(map[string]bool, len(marks))
	for _, m := range marks {
		want[m] = true
	}
	var rows []int64
	err := db.read.each(ctx, `SELECT id, key FROM ledger WHERE brand = $1 AND size > 0`, []any{brand}, func(scan func(...any) error) error {
		var id int64
		var key string
		if err := scan(&id, &key); err != nil {
			return err
		}
		for _, m := range db.keys.Marks(tickets.MarkKey, key) {
			if want[m] {
				rows = append(rows, id)
				break
			}
		}
		return nil
	})
	if err == nil && len(rows) > 0 {
		err = db.erasePiece(ctx, brand, func(tx *Tx) error { return tx.emptyLedger(ctx, rows) })
	}
	if err != nil {
		return fmt.Errorf("empty the rows of what was erased: %w", err)
	}
	return nil
}
