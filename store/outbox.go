package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"frontdesk/tickets"
)

// The states of a letter. queued → (claimed) → dot → sent; queued again with a
// later time when it was deferred; failed when refused for good or too old.
const (
	LetterQueued  = "queued"
	LetterDot     = "dot"     // the final dot may have gone out: in doubt until an answer is stored
	LetterSent    = "sent"    // accepted by the SMTP server
	LetterFailed  = "failed"  // refused, or given up
	LetterHeld    = "held"    // in doubt with outbox.in_doubt: hold, or held by an operator
	LetterDropped = "dropped" // by an operator
	LetterBounced = "bounced" // sent, and came back
)

// Outgoing is a claimed letter.
type Outgoing struct {
	Letter    tickets.Letter
	State     string // LetterQueued, or LetterDot when its last attempt is in doubt
	Attempts  int    // SMTP attempts before this one
	Epoch     int64
	Queued    time.Time
	Raw       []byte // the first rendering, nil before it
	Files     []PlacedFile
	MessageID string
}

// LetterClaim selects what ClaimLetters hands out.
type LetterClaim struct {
	Now, Until time.Time // the claim lasts until Until
	Mailboxes  []string  // letters that leave from these; nil all
	Limit      int
	Except     []int64 // not these: the caller knows that they are in its hands
}

// ClaimLetters hands out due letters, smallest Priority first, then oldest. A
// letter in doubt is handed out when its claim has run out.
func (db *DB) ClaimLetters(ctx context.Context, c LetterClaim) ([]Outgoing, error) {
	var list []Outgoing
	err := db.claim(ctx, func(tx *Tx) error {
		var err error
		list, err = tx.claimLetters(ctx, c)
		if err != nil {
			return err
		}
		return tx.loadRenderings(ctx, list)
	})
	if err != nil {
		return nil, fmt.Errorf("claim %d letters: %w", c.Limit, err)
	}
	return list, nil
}

func (tx *Tx) claimLetters(ctx context.Context, c LetterClaim) (list []Outgoing, err error) {
	args := []any{ms(c.Now), ms(c.Until), int64(c.Limit), tx.db.node}
	from := ""
	if c.Mailboxes != nil {
		if len(c.Mailboxes) == 0 {
			return nil, nil
		}
		boxes := make([]string, len(c.Mailboxes))
		for i, m := range c.Mailboxes {
			boxes[i] = tickets.NormalAddress(m)
		}
		var values string
		values, args = in(args, boxes)
		from = " AND mailbox IN " + values
	}
	if len(c.Except) > 0 { // seldom: after the clock was set forward
		var values string
		values, args = in(args, c.Except)
		from += " AND id NOT IN " + values
	}
	// Served by letters_waiting, whose order is that of the claim. The
	// condition stands twice as in claimLedger. The attempt of a letter in
	// doubt was never counted: it is now.
	err = tx.each(ctx, `
		UPDATE letters SET
			claimed_until = $2,
			epoch = epoch + 1,
			node = $4,
			attempts = attempts + CASE WHEN state = 'dot' THEN 1 ELSE 0 END
		WHERE state IN ('queued', 'dot') AND due <= $1 AND claimed_until <= $1 AND id IN (
			SELECT id FROM letters
			WHERE state IN ('queued', 'dot') AND due <= $1 AND claimed_until <= $1`+from+`
			ORDER BY priority, id LIMIT $3
		)
		RETURNING`+letterColumns+`,
			state,
			attempts,
			epoch,
			queued,
			message_id`, args,
		func(scan func(...any) error) error {
			var o Outgoing
			err := scanLetter(scan, &o.Letter, &o.State, &o.Attempts, &o.Epoch, timeDest{&o.Queued}, &o.MessageID)
			list = append(list, o)
			return err
		})
	slices.SortFunc(list, func(a, b Outgoing) int {
		if a.Letter.Priority != b.Letter.Priority {
			return a.Letter.Priority - b.Letter.Priority
		}
		return int(a.Letter.ID - b.Letter.ID)
	})
	return list, err
}

// loadRenderings fills in Raw of the letters that were rendered before.
func (tx *Tx) loadRenderings(ctx context.Context, list []Outgoing) error {
	byID := make(map[int64]*Outgoing)
	var ids []int64
	for i := range list {
		if list[i].MessageID != "" || list[i].State == LetterDot || list[i].Attempts > 0 {
			ids = append(ids, list[i].Letter.ID)
			byID[list[i].Letter.ID] = &list[i]
		}
	}
	return chunks(ids, maxIn, func(ids []int64) error {
		values, args := in(nil, ids)
		return tx.each(ctx, `SELECT letter, data FROM renderings WHERE letter IN `+values, args, func(scan func(...any) error) error {
			var id int64
			var packed sql.RawBytes
			if err := scan(&id, &packed); err != nil {
				return err
			}
			raw, files, err := tx.db.unpackRendering(packed)
			if err != nil {
				return fmt.Errorf("letter %d: %w", id, err)
			}
			byID[id].Raw, byID[id].Files = raw, files
			return nil
		})
	})
}

// NextLetter returns when the next letter is due, zero when the outbox is
// empty. A claimed letter is due when its claim runs out.
func (db *DB) NextLetter(ctx context.Context) (time.Time, error) {
	var next time.Time
	// The rows of letters_waiting: what is not sent yet.
	err := db.read.get(ctx, `
		SELECT COALESCE(MIN(CASE WHEN claimed_until > due THEN claimed_until ELSE due END), 0)
		FROM letters WHERE state IN ('queued', 'dot')`, nil, timeDest{&next})
	if err != nil {
		return time.Time{}, fmt.Errorf("look for the next letter: %w", err)
	}
	return next, nil
}

// LettersWait reports whether any letter of a mailbox or number is still to leave.
func (db *DB) LettersWait(ctx context.Context, mailbox string) (wait bool, err error) {
	// The rows of letters_waiting.
	err = db.read.get(ctx, `SELECT EXISTS (SELECT 1 FROM letters WHERE state IN ('queued', 'dot') AND mailbox = $1)`,
		[]any{tickets.NormalAddress(mailbox)}, &wait)
	if err != nil {
		return false, fmt.Errorf("look for letters of %q: %w", mailbox, err)
	}
	return wait, nil
}

// Result is how an attempt ended.
type Result struct {
	ID, Epoch int64
	State     string     // LetterSent, LetterQueued (deferred), LetterDot (in doubt, looked at again), LetterFailed, LetterHeld
	Next      time.Time  // for LetterQueued and LetterDot: not before
	Code      string     // SMTP reply code and enhanced status, "550 5.1.1"
	Detail    string     // what the server said, or what went wrong
	ServerIDs []string   // ids the server gave the mail (its rewritten Message-ID)
	Render    *Rendering // kept for the next attempt, when it was not stored before
	MessageID string     // MessageSid or CallSid that Twilio gave the letter; "" keeps what is stored
	At        time.Time
}

// Mark stores results in one transaction, with an event on the ticket for a
// failed letter. A result whose epoch is old is skipped and counted in lost.
// LetterQueued without Code and Detail gives a letter back that was not tried.
// LetterHeld with a Code keeps it until Change.Unhold lets it go, without one
// until an operator does.
func (db *DB) Mark(ctx context.Context, results []Result) (lost int, err error) {
	packed := make([][]byte, len(results))
	for i := range results {
		packed[i] = db.packRendering(results[i].Render)
	}
	write := db.write
	if acceptedOnly(results) {
		write = db.claim
	}
	err = write(ctx, func(tx *Tx) error {
		lost = 0
		changes, err := tx.lockFailed(ctx, results)
		if err != nil {
			return err
		}
		for i := range results {
			ok, err := tx.markOne(ctx, &results[i], packed[i], changes)
			if err != nil {
				return fmt.Errorf("letter %d: %w", results[i].ID, err)
			}
			if !ok {
				lost++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("mark %d letters: %w", len(results), err)
	}
	db.sent.stored(results)
	return lost, nil
}

// acceptedOnly reports that a mail server took all of them. That need not be on
// disk: a process that is killed leaves it in the WAL, and after a power cut the
// letters are in doubt, as they would be had it come a moment earlier. So it
// waits for no disk, and few letters are in doubt when the process is killed.
// Texts and calls cost money.
func acceptedOnly(results []Result) bool {
	return !slices.ContainsFunc(results, func(r Result) bool {
		return r.State != LetterSent || r.MessageID != "" || r.Render != nil
	})
}

// lockFailed takes a change number for each brand with a failed letter, in
// order of brand and before any letter is touched: decisions lock the same way.
func (tx *Tx) lockFailed(ctx context.Context, results []Result) (map[string]int64, error) {
	var ids []int64
	for _, r := range results {
		if r.State == LetterFailed {
			ids = append(ids, r.ID)
		}
	}
	changes := make(map[string]int64)
	var brands []string
	err := chunks(ids, maxIn, func(ids []int64) error {
		values, args := in(nil, ids)
		return tx.each(ctx, `SELECT DISTINCT brand FROM letters WHERE id IN `+values, args, func(scan func(...any) error) error {
			var brand string
			err := scan(&brand)
			brands = append(brands, brand)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(brands)
	for _, brand := range slices.Compact(brands) {
		if err := tx.takeNumber(ctx, brand); err != nil {
			return nil, err
		}
		changes[brand] = tx.change
	}
	return changes, nil
}

func (tx *Tx) markOne(ctx context.Context, r *Result, packed []byte, changes map[string]int64) (ok bool, err error) {
	tried := int64(1)
	if r.State == LetterDot || r.State == LetterQueued && r.Code == "" && r.Detail == "" { // a claim counts the attempt of one in doubt
		tried = 0
	}
	var sent int64
	if r.State == LetterSent {
		sent = ms(r.At)
	}
	var ticket int64
	var brand, kind, to string
	err = tx.get(ctx, `
		UPDATE letters SET
			state = $3,
			due = CASE WHEN $3 IN ('queued', 'dot') THEN $4 ELSE due END,
			claimed_until = 0,
			attempts = attempts + $5,
			code = $6,
			detail = $7,
			sent = $8,
			message_id = CASE WHEN $9 = '' THEN message_id ELSE $9 END,
			held = CASE WHEN $3 = 'held' THEN $6 ELSE '' END
		WHERE id = $1 AND epoch = $2 AND state IN ('queued', 'dot')
		RETURNING ticket, brand, kind, to_address`,
		[]any{r.ID, r.Epoch, r.State, ms(r.Next), tried, r.Code, r.Detail, sent, r.MessageID}, idDest{&ticket}, &brand, &kind, &to)
	if errors.Is(err, sql.ErrNoRows) {
		return tx.markReported(ctx, r)
	}
	if err != nil {
		return false, err
	}
	if err := tx.saveRendering(ctx, r.ID, r.Render, packed); err != nil {
		return false, err
	}
	for _, id := range r.ServerIDs {
		if id == "" {
			continue
		}
		if err := tx.later(ctx, `INSERT INTO server_ids (message_id, letter) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id, r.ID); err != nil {
			return false, err
		}
	}
	if r.State != LetterFailed || ticket == 0 {
		return true, nil
	}
	e := tickets.Event{Who: "desk", What: "letter failed", Detail: kind + " to " + to, Outcome: outcome(LetterFailed, r.Code, r.Detail)}
	return true, tx.saveEvents(ctx, ticket, changes[brand], []tickets.Event{e}, r.At)
}

// markReported keeps the id of a text whose report was faster than the answer
// to its POST: it has its state from the report.
func (tx *Tx) markReported(ctx context.Context, r *Result) (ok bool, err error) {
	if r.MessageID == "" {
		return false, nil
	}
	n, err := tx.exec(ctx, `
		UPDATE letters SET message_id = $3, attempts = attempts + 1
		WHERE id = $1 AND epoch = $2 AND report <> '' AND message_id = ''`, r.ID, r.Epoch, r.MessageID)
	return n == 1, err
}

// LetterInfo is a letter as operators see it.
type LetterInfo struct {
	ID        int64              `json:"id"`
	Ticket    int64              `json:"ticket"`
	Brand     string             `json:"brand"`
	Mailbox   string             `json:"mailbox"`
	Kind      tickets.LetterKind `json:"kind"`
	To        string             `json:"to"`
	State     string             `json:"state"`
	Attempts  int                `json:"attempts"`
	Queued    time.Time          `json:"queued"`
	Next      time.Time          `json:"next,omitzero"`
	Sent      time.Time          `json:"sent,omitzero"`
	MessageID string             `json:"message_id,omitempty"`
	Code      string             `json:"code,omitempty"`
	Detail    string             `json:"detail,omitempty"`
	Doubts    int                `json:"doubts"` // times it was sent again after doubt

	Files []PlacedFile `json:"-"` // of the rendering; only LetterByID says it
}

// infoColumns and infoDest load a LetterInfo.
const infoColumns = `
			id,
			ticket,
			brand,
			mailbox,
			kind,
			to_address,
			state,
			attempts,
			queued,
			CASE WHEN state IN ('queued', 'dot') THEN due ELSE 0 END,
			sent,
			message_id,
			code,
			detail,
			doubts`

func infoDest(l *LetterInfo) []any {
	return []any{&l.ID, idDest{&l.Ticket}, &l.Brand, &l.Mailbox, &l.Kind, &l.To, &l.State, &l.Attempts, timeDest{&l.Queued},
		timeDest{&l.Next}, timeDest{&l.Sent}, &l.MessageID, &l.Code, &l.Detail, &l.Doubts}
}

// LettersWhere lists letters: in the states given (nil: queued, dot, held,
// failed), of one ticket (0: all), oldest first, at most limit (0: 100).
func (db *DB) LettersWhere(ctx context.Context, states []string, ticket int64, limit int) ([]LetterInfo, error) {
	if len(states) == 0 {
		states = []string{LetterQueued, LetterDot, LetterHeld, LetterFailed}
	}
	if limit <= 0 {
		limit = 100
	}
	values, args := in([]any{int64(limit)}, states)
	where := `state IN ` + values
	if ticket != 0 {
		args = append(args, ticket)
		where += fmt.Sprintf(` AND ticket = $%d`, len(args)) // letters_ticket
	}
	var list []LetterInfo
	err := db.read.each(ctx, `SELECT`+infoColumns+` FROM letters WHERE `+where+` ORDER BY id LIMIT $1`, args,
		func(scan func(...any) error) error {
			var l LetterInfo
			err := scan(infoDest(&l)...)
			list = append(list, l)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list letters: %w", err)
	}
	return list, nil
}

// LetterByID returns a letter, its state and its rendering (nil before the
// first attempt); ErrNotFound.
func (db *DB) LetterByID(ctx context.Context, id int64) (tickets.Letter, LetterInfo, []byte, error) {
	l, info, raw, err := db.letterByID(ctx, id)
	if err != nil {
		return tickets.Letter{}, LetterInfo{}, nil, fmt.Errorf("load letter %d: %w", id, notFound(err))
	}
	return l, info, raw, nil
}

func (db *DB) letterByID(ctx context.Context, id int64) (l tickets.Letter, info LetterInfo, raw []byte, err error) {
	var packed []byte
	found := false
	err = db.read.each(ctx, `SELECT`+letterColumns+`,`+infoColumns+`,
			(SELECT data FROM renderings WHERE letter = letters.id)
		FROM letters WHERE id = $1`, []any{id},
		func(scan func(...any) error) error {
			found = true
			return scanLetter(scan, &l, append(infoDest(&info), &packed)...)
		})
	switch {
	case err != nil:
	case !found:
		err = ErrNotFound
	case packed != nil:
		raw, info.Files, err = db.unpackRendering(packed)
	}
	return l, info, raw, err
}

// SetLetter lets an operator retry (LetterQueued), hold or drop a letter that
// is not sent; ErrNotFound when there is none in such a state.
//
// Its epoch moves on: a worker that has it in hand loses it.
func (db *DB) SetLetter(ctx context.Context, id int64, state, by string, now time.Time) error {
	return db.setLetterCode(ctx, id, state, "", by, now)
}

// setLetterCode is SetLetter with a code that says why.
func (db *DB) setLetterCode(ctx context.Context, id int64, state, code, by string, now time.Time) error {
	err := db.write(ctx, func(tx *Tx) error {
		var brand string
		if err := tx.get(ctx, `SELECT brand FROM letters WHERE id = $1`, []any{id}, &brand); err != nil {
			return notFound(err)
		}
		if err := tx.takeNumber(ctx, brand); err != nil { // before the letter, as decisions do
			return err
		}
		return tx.setLetter(ctx, id, state, code, by, now)
	})
	if err != nil {
		return fmt.Errorf("set letter %d to %q: %w", id, state, err)
	}
	return nil
}

func (tx *Tx) setLetter(ctx context.Context, id int64, state, code, by string, now time.Time) error {
	what, ok := map[string]string{LetterQueued: "letter retried", LetterHeld: "letter held", LetterDropped: "letter dropped"}[state]
	if !ok {
		return errors.New("an operator sets queued, held or dropped")
	}
	var ticket int64
	var kind, to string
	err := tx.get(ctx, `
		UPDATE letters SET
			state = $2,
			due = $3,
			held = '',
			code = CASE WHEN $4 <> '' THEN $4 WHEN code = '`+CodeRestored+`' THEN '' ELSE code END,
			claimed_until = 0,
			epoch = epoch + 1
		WHERE id = $1 AND state IN ('queued', 'dot', 'held', 'failed')
		RETURNING ticket, kind, to_address`, []any{id, state, ms(now), code}, idDest{&ticket}, &kind, &to)
	if err != nil || ticket == 0 {
		return notFound(err)
	}
	e := tickets.Event{Who: by, What: what, Detail: kind + " to " + to}
	return tx.saveEvents(ctx, ticket, tx.change, []tickets.Event{e}, now)
}

// LetterIDs returns the msg-ids of the letters about a ticket that were
// rendered for the addressee (normal form), oldest first: what the next one
// to them cites in References. An id that the SMTP server gave in place of
// ours follows it: it is the one the addressee's client knows.
func (db *DB) LetterIDs(ctx context.Context, ticket int64, to string) (ids []string, err error) {
	// Served by letters_ticket and server_ids_letter.
	err = db.read.each(ctx, `
		SELECT l.message_id, COALESCE(s.message_id, '')
		FROM letters l LEFT JOIN server_ids s ON s.letter = l.id
		WHERE l.ticket = $1 AND l.to_address = $2 AND l.message_id <> ''
		ORDER BY l.id`, []any{ticket, tickets.NormalAddress(to)},
		func(scan func(...any) error) error {
			var ours, server string
			err := scan(&ours, &server)
			for _, id := range []string{ours, server} {
				if id != "" && !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list msg-ids of letters about ticket %d: %w", ticket, err)
	}
	return ids, nil
}

// LetterTickets loads the tickets that letters are about, by id; one that is
// erased is missing. Whole ones are for letters to agents. Letters to customers
// want ID, Brand, Mailbox, Status and Severity, and get no more.
func (db *DB) LetterTickets(ctx context.Context, ids []int64, whole bool) (map[int64]*tickets.Ticket, error) {
	found := make(map[int64]*tickets.Ticket, len(ids))
	err := chunks(ids, maxIn, func(ids []int64) error {
		values, args := in(nil, ids) // the primary key
		if whole {
			list, err := loadTickets(ctx, db.read, `id IN `+values, args)
			for i := range list {
				found[list[i].ID] = &list[i]
			}
			return err
		}
		return db.read.each(ctx, `SELECT id, brand, mailbox, status, severity FROM tickets WHERE id IN `+values, args,
			func(scan func(...any) error) error {
				var t tickets.Ticket
				err := scan(&t.ID, &t.Brand, &t.Mailbox, &t.Status, &t.Severity)
				found[t.ID] = &t
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("load the tickets of %d letters: %w", len(ids), err)
	}
	return found, nil
}

// OutboxTally counts letters by state.
func (db *DB) OutboxTally(ctx context.Context) (map[string]int, error) {
	tally := make(map[string]int)
	err := db.read.each(ctx, `SELECT state, COUNT(*) FROM letters GROUP BY state`, nil, func(scan func(...any) error) error {
		var state string
		var n int
		err := scan(&state, &n)
		tally[state] = n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count letters: %w", err)
	}
	return tally, nil
}
