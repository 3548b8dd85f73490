package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontdesk/tickets"
)

// Item is one thing that came in, before anybody looked at it.
type Item struct {
	Key        string // unique for ever: "imap:support@x:INBOX:<uidvalidity>:<uid>", "lmtp:<ulid>", "web:…", "shell:…"
	Brand      string
	Mailbox    string // configured address
	Folder     string // IMAP folder, else ""
	Queue      string
	Channel    tickets.Channel
	Sender     *string  // envelope sender; nil unknown, "" null reverse-path
	Recipients []string // envelope recipients, when known
	Received   time.Time
	SHA256     [32]byte // of Data
	Data       []byte   // raw bytes (a mail; for web and shell a JSON command; for phone channels a webhook)
	Pack       *Pack    // in place of Data: a large mail that was compressed while it came

	// Contact ties rows that belong together before anybody decided about them:
	// "call:CA…" for everything of one call; "" nothing.
	Contact string
	// Hold keeps the row from being claimed before then: its files are being
	// fetched. Zero: at once.
	Hold time.Time
	// Fetch are files that the row names and the telephone company has.
	Fetch []Fetch
}

// Fetch is a file to be fetched from the telephone company and put into the
// ledger as a row of its own.
type Fetch struct {
	Key          string // of the row it becomes: "media:RE…", "media:MM…:0"
	RecordingSid string // of a recording, else ""
	URL          string // of other media, as the webhook named it
	ContentType  string // as announced
	Filename     string // for people
}

// imapKey returns the UIDVALIDITY and UID in an IMAP item's key, zeros for any
// other key. The folder may hold colons: the numbers are the last two fields.
func imapKey(key string) (uidvalidity, uid uint32) {
	if !strings.HasPrefix(key, "imap:") {
		return 0, 0
	}
	f := strings.Split(key, ":")
	if len(f) < 5 {
		return 0, 0
	}
	v, err := strconv.ParseUint(f[len(f)-2], 10, 32)
	u, err2 := strconv.ParseUint(f[len(f)-1], 10, 32)
	if err != nil || err2 != nil {
		return 0, 0
	}
	return uint32(v), uint32(u)
}

// Append adds items and moves the cursor (nil: none) in one transaction and
// returns how many were new. Under a context of Fenced it writes nothing and
// returns ErrLost once a newer epoch has written the cursor. An item whose Key is known is skipped. It returns
// after the commit is on disk.
func (db *DB) Append(ctx context.Context, items []Item, cursor *Cursor) (added int, err error) {
	var unused []string
	within, cancel, packed, err := db.stow(ctx, items) // before the transaction: it must be short
	defer cancel()
	if err != nil {
		return 0, fmt.Errorf("append %d items to the ledger: %w", len(items), err)
	}
	err = db.write(within, func(tx *Tx) error {
		ctx := within
		added, unused = 0, nil
		barred, err := tx.barred(ctx, items)
		if err != nil {
			return err
		}
		for i := range items {
			put := func() (bool, error) { return tx.appendItem(ctx, &items[i], packed[i]) }
			if barred[i] {
				put = func() (bool, error) { return tx.appendErased(ctx, &items[i]) }
			}
			isNew, err := put()
			if err != nil {
				return fmt.Errorf("item %q: %w", items[i].Key, err)
			}
			if isNew {
				added++
			}
			if packed[i].name != "" && (!isNew || barred[i]) {
				unused = append(unused, packed[i].name)
			}
		}
		if cursor != nil {
			return tx.setCursor(ctx, *cursor)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("append %d items to the ledger: %w", len(items), err)
	}
	db.unstow(ctx, unused)
	return added, nil
}

// size is that of the raw bytes.
func (it *Item) size() int64 {
	if it.Pack != nil {
		return it.Pack.Size()
	}
	return int64(len(it.Data))
}

func (tx *Tx) appendItem(ctx context.Context, it *Item, packed stowed) (isNew bool, err error) {
	_, err = tx.insertItem(ctx, it, packed)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// insertItem returns sql.ErrNoRows for an item whose Key is known.
func (tx *Tx) insertItem(ctx context.Context, it *Item, packed stowed) (id int64, err error) {
	uidvalidity, uid := imapKey(it.Key)
	var sender any
	if it.Sender != nil {
		sender = *it.Sender
	}
	id, err = tx.insert(ctx, `
		INSERT INTO ledger (
			key,
			brand,
			mailbox,
			folder,
			uidvalidity,
			uid,
			queue,
			channel,
			sender,
			recipients,
			received,
			sha256,
			size,
			contact,
			claimed_until
		) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (key) DO NOTHING`,
		[]any{it.Key, it.Brand, tickets.NormalAddress(it.Mailbox), it.Folder, int64(uidvalidity), int64(uid), it.Queue,
			string(it.Channel), sender, jsonArg(it.Recipients), ms(it.Received), it.SHA256[:], it.size(), it.Contact, ms(it.Hold)})
	if err != nil {
		return 0, err
	}
	if err := tx.insertBytes(ctx, id, packed); err != nil {
		return 0, err
	}
	return id, tx.appendFetches(ctx, id, it)
}

// Cursor is how far an IMAP folder has been read.
type Cursor struct {
	Mailbox     string
	Folder      string
	UIDValidity uint32
	UID         uint32 // highest UID whose row is committed
	Polled      time.Time
	Error       string // last failure of this mailbox, "" when well
}

// Cursor returns the stored cursor; the zero UIDValidity when there is none.
func (db *DB) Cursor(ctx context.Context, mailbox, folder string) (Cursor, error) {
	list, err := db.cursors(ctx, `WHERE mailbox = $1 AND folder = $2`, tickets.NormalAddress(mailbox), folder)
	if err != nil {
		return Cursor{}, fmt.Errorf("load cursor of %q in %q: %w", folder, mailbox, err)
	}
	if len(list) == 0 {
		return Cursor{Mailbox: mailbox, Folder: folder}, nil
	}
	return list[0], nil
}

// Cursors lists all cursors.
func (db *DB) Cursors(ctx context.Context) ([]Cursor, error) {
	list, err := db.cursors(ctx, ``)
	if err != nil {
		return nil, fmt.Errorf("list cursors: %w", err)
	}
	return list, nil
}

func (db *DB) cursors(ctx context.Context, where string, args ...any) (list []Cursor, err error) {
	err = db.read.each(ctx, `
		SELECT
			mailbox,
			folder,
			uidvalidity,
			uid,
			polled,
			error
		FROM cursors `+where+` ORDER BY mailbox, folder`, args,
		func(scan func(...any) error) error {
			var c Cursor
			list = append(list, c)
			p := &list[len(list)-1]
			return scan(&p.Mailbox, &p.Folder, &p.UIDValidity, &p.UID, timeDest{&p.Polled}, &p.Error)
		})
	return list, err
}

// SetCursor stores a cursor alone (poll time, error, nothing new).
func (db *DB) SetCursor(ctx context.Context, c Cursor) error {
	err := db.write(ctx, func(tx *Tx) error { return tx.setCursor(ctx, c) })
	if err != nil {
		return fmt.Errorf("store cursor of %q in %q: %w", c.Folder, c.Mailbox, err)
	}
	return nil
}

func (tx *Tx) setCursor(ctx context.Context, c Cursor) error {
	// Without a fence (one node, or a command beside it) the epoch 0 passes, and
	// leaves the highest that is known.
	epoch := fenceOf(ctx).Epoch
	text := `
		INSERT INTO cursors (
			mailbox,
			folder,
			uidvalidity,
			uid,
			polled,
			error,
			epoch
		) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (mailbox, folder) DO UPDATE SET
			uidvalidity = excluded.uidvalidity,
			uid = excluded.uid,
			polled = excluded.polled,
			error = excluded.error,
			epoch = CASE WHEN excluded.epoch > 0 THEN excluded.epoch ELSE cursors.epoch END
		WHERE excluded.epoch = 0 OR excluded.epoch >= cursors.epoch`
	args := []any{tickets.NormalAddress(c.Mailbox), c.Folder, int64(c.UIDValidity), int64(c.UID), ms(c.Polled), c.Error, epoch}
	if epoch == 0 {
		return tx.later(ctx, text, args...)
	}
	n, err := tx.exec(ctx, text, args...) // not later: put off, it would be sent together with COMMIT
	if err == nil && n == 0 {
		return ErrLost
	}
	return err
}

// Known returns, of the hashes, those that the ledger has for this mailbox and
// folder under any UIDVALIDITY, with how many rows carry each: a UIDVALIDITY
// change is survived by matching content.
func (db *DB) Known(ctx context.Context, mailbox, folder string, sums [][32]byte) (map[[32]byte]int, error) {
	known := make(map[[32]byte]int)
	err := chunks(sums, maxIn, func(part [][32]byte) error {
		values := make([][]byte, len(part))
		for i := range part {
			values[i] = part[i][:]
		}
		list, args := in([]any{tickets.NormalAddress(mailbox), folder}, values)
		// Served by ledger_content: one seek for each hash.
		return db.read.each(ctx, `
			SELECT sha256, COUNT(*) FROM ledger
			WHERE uid > 0 AND mailbox = $1 AND folder = $2 AND sha256 IN `+list+`
			GROUP BY sha256`, args,
			func(scan func(...any) error) error {
				var sum [32]byte
				var n int
				err := scan(sumDest{&sum}, &n)
				known[sum] = n
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("look up %d hashes of %q in %q: %w", len(sums), folder, mailbox, err)
	}
	return known, nil
}

// LedgerUIDs returns, for one mailbox, folder and UIDVALIDITY, the UIDs from
// low on that have a row.
func (db *DB) LedgerUIDs(ctx context.Context, mailbox, folder string, uidvalidity, low uint32) (map[uint32]bool, error) {
	uids := make(map[uint32]bool)
	// Served by ledger_uid, without touching the rows.
	err := db.read.each(ctx, `
		SELECT uid FROM ledger
		WHERE uid > 0 AND mailbox = $1 AND folder = $2 AND uidvalidity = $3 AND uid >= $4`,
		[]any{tickets.NormalAddress(mailbox), folder, int64(uidvalidity), int64(low)},
		func(scan func(...any) error) error {
			var uid uint32
			err := scan(&uid)
			uids[uid] = true
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list uids of %q in %q from %d: %w", folder, mailbox, low, err)
	}
	return uids, nil
}

// Claimed is a ledger row handed to a worker.
type Claimed struct {
	ID int64
	Item
	Size     int64    // of the raw bytes; Data is nil above LargeMail: Raw has it
	Attempts int      // times it was claimed before
	Released string   // who released it from quarantine last, "" never
	Answered []string // the reasons that it was held for and released
	Epoch    int64
}

// ClaimLedger hands out at most n undecided rows of the brand in order of
// arrival, whose claim (if any) has run out at now; the claim lasts until until.
// A row that was claimed before and came to nothing is handed out alone: it may
// be what ended the process, and the rows beside it must not be blamed.
func (db *DB) ClaimLedger(ctx context.Context, brand string, n int, now, until time.Time) ([]Claimed, error) {
	var rows []Claimed
	err := db.claim(ctx, func(tx *Tx) error {
		together, err := tx.unsuspected(ctx, brand, n, now)
		if err != nil {
			return err
		}
		rows, err = tx.claimLedger(ctx, brand, together, now, until, time.Time{})
		return err
	})
	if err == nil {
		err = db.loadRaw(ctx, rows)
	}
	if err != nil {
		return nil, fmt.Errorf("claim %d ledger rows of brand %q: %w", n, brand, err)
	}
	return rows, nil
}

// unsuspected returns how many of the next n rows may be claimed together: those
// before the first suspect, or that one.
func (tx *Tx) unsuspected(ctx context.Context, brand string, n int, now time.Time) (int, error) {
	ahead, suspect := 0, false
	// Served by ledger_undecided, over the rows that are claimed next.
	err := tx.each(ctx, `
		SELECT attempts FROM ledger
		WHERE disposition = '' AND brand = $1 AND claimed_until <= $2
		ORDER BY id LIMIT $3`, []any{brand, ms(now), int64(n)},
		func(scan func(...any) error) error {
			var attempts int
			err := scan(&attempts)
			suspect = suspect || attempts > 0
			if !suspect {
				ahead++
			}
			return err
		})
	if suspect {
		return max(ahead, 1), err
	}
	return n, err
}

// ClaimFresh is ClaimLedger of rows that were received at or after since and were
// never tried, past all that waits before them: what comes in while a backlog is
// decided does not wait for its end.
func (db *DB) ClaimFresh(ctx context.Context, brand string, n int, since, now, until time.Time) ([]Claimed, error) {
	var rows []Claimed
	err := db.claim(ctx, func(tx *Tx) (err error) {
		rows, err = tx.claimLedger(ctx, brand, n, now, until, since)
		return err
	})
	if err == nil {
		err = db.loadRaw(ctx, rows)
	}
	if err != nil {
		return nil, fmt.Errorf("claim %d fresh ledger rows of brand %q: %w", n, brand, err)
	}
	return rows, nil
}

// claimLedger claims rows in order of arrival; with since, those alone that
// ClaimFresh is about.
func (tx *Tx) claimLedger(ctx context.Context, brand string, n int, now, until, since time.Time) (rows []Claimed, err error) {
	args, fresh := []any{brand, ms(now), ms(until), int64(n), tx.db.node}, ``
	if !since.IsZero() { // reads what waits: some thousands of rows, once a second
		args, fresh = append(args, ms(since)), ` AND received >= $6 AND attempts = 0`
	}
	// Served by ledger_undecided. The condition stands twice: on PostgreSQL
	// the outer one is asked again of a row that somebody else had locked, and
	// is what keeps two workers from claiming it.
	err = tx.each(ctx, `
		UPDATE ledger SET
			claimed_until = $3,
			epoch = epoch + 1,
			node = $5,
			attempts = attempts + 1
		WHERE disposition = '' AND claimed_until <= $2 AND id IN (
			SELECT id FROM ledger
			WHERE disposition = '' AND brand = $1 AND claimed_until <= $2`+fresh+`
			ORDER BY id LIMIT $4
		)
		RETURNING
			id,
			key,
			brand,
			mailbox,
			folder,
			queue,
			channel,
			sender,
			recipients,
			received,
			sha256,
			size,
			attempts - 1,
			released,
			contact,
			epoch`,
		args,
		func(scan func(...any) error) error {
			var c Claimed
			var sender sql.NullString
			var released string
			err := scan(&c.ID, &c.Key, &c.Brand, &c.Mailbox, &c.Folder, &c.Queue, &c.Channel, &sender,
				jsonDest{&c.Recipients}, timeDest{&c.Received}, sumDest{&c.SHA256}, &c.Size, &c.Attempts, &released, &c.Contact, &c.Epoch)
			c.Answered, c.Released = answered(released)
			if sender.Valid {
				c.Sender = &sender.String
			}
			rows = append(rows, c)
			return err
		})
	slices.SortFunc(rows, func(a, b Claimed) int { return int(a.ID - b.ID) })
	return rows, err
}

// RenewLedger makes claims last until until, but for those that somebody else
// has taken over.
func (db *DB) RenewLedger(ctx context.Context, rows []Claimed, until time.Time) error {
	err := db.claim(ctx, func(tx *Tx) error {
		for _, r := range rows {
			err := tx.later(ctx, `UPDATE ledger SET claimed_until = $3 WHERE id = $1 AND epoch = $2 AND disposition = ''`, r.ID, r.Epoch, ms(until))
			if err != nil {
				return err
			}
		}
		return tx.flush(ctx)
	})
	if err != nil {
		return fmt.Errorf("renew the claims on %d ledger rows: %w", len(rows), err)
	}
	return nil
}

// ReturnLedger gives claimed rows back at once, as if they had not been claimed:
// what failed was the database, and says nothing about them. Rows that somebody
// else has taken over, or that are decided, are left alone.
func (db *DB) ReturnLedger(ctx context.Context, rows []Claimed) error {
	return db.PutOffLedger(ctx, rows, time.Time{})
}

// PutOffLedger is ReturnLedger, but nobody claims the rows before until: their
// bytes cannot be had now.
func (db *DB) PutOffLedger(ctx context.Context, rows []Claimed, until time.Time) error {
	err := db.write(ctx, func(tx *Tx) error {
		for _, r := range rows {
			err := tx.later(ctx, `
				UPDATE ledger SET
					claimed_until = $3,
					attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END
				WHERE id = $1 AND epoch = $2 AND disposition = ''`, r.ID, r.Epoch, ms(until))
			if err != nil {
				return err
			}
		}
		return tx.flush(ctx)
	})
	if err != nil {
		return fmt.Errorf("give %d ledger rows back: %w", len(rows), err)
	}
	return nil
}

// loadRaw fills in Data of all but large mails and what is outside of the
// database: whoever needs that asks for it. It reads after the claim, so that
// nobody's transaction waits while mails are unpacked. When that fails the rows
// are given back: it is no attempt at them.
func (db *DB) loadRaw(ctx context.Context, rows []Claimed) error {
	byID := make(map[int64]*Claimed, len(rows))
	ids := make([]int64, 0, len(rows))
	for i := range rows {
		if rows[i].Size <= LargeMail {
			ids, byID[rows[i].ID] = append(ids, rows[i].ID), &rows[i]
		}
	}
	err := chunks(ids, maxIn, func(ids []int64) error {
		list, args := in(nil, ids)
		return db.read.each(ctx, `SELECT ledger, data FROM raw WHERE ledger IN `+list, args, func(scan func(...any) error) error {
			var id int64
			var packed sql.RawBytes
			if err := scan(&id, &packed); err != nil {
				return err
			}
			data, err := db.raw.unpack(packed)
			if err != nil {
				return fmt.Errorf("ledger row %d: %w", id, err)
			}
			byID[id].Data = data
			return nil
		})
	})
	if err != nil {
		return errors.Join(err, db.ReturnLedger(context.WithoutCancel(ctx), rows))
	}
	return nil
}

// notFound turns database/sql's word for no row into ours.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// Entry is a ledger row without its bytes, with what became of it.
type Entry struct {
	ID          int64               `json:"id"`
	Key         string              `json:"key"`
	Brand       string              `json:"brand"`
	Mailbox     string              `json:"mailbox"`
	Channel     tickets.Channel     `json:"channel"`
	Received    time.Time           `json:"received"`
	Disposition tickets.Disposition `json:"disposition"` // "" undecided
	Reason      string              `json:"reason,omitempty"`
	Detail      string              `json:"detail,omitempty"`
	Ticket      int64               `json:"ticket,omitempty"`
	Message     int64               `json:"message,omitempty"`
	Trace       []tickets.Step      `json:"trace,omitempty"`
	Attempts    int                 `json:"attempts"`
	Size        int64               `json:"size"`
	From        string              `json:"from,omitempty"`    // as Quarantine needs it; set when decided
	Subject     string              `json:"subject,omitempty"` // set when decided
}

func (db *DB) entries(ctx context.Context, where string, args ...any) (list []Entry, err error) {
	err = db.read.each(ctx, `
		SELECT
			id,
			key,
			brand,
			mailbox,
			channel,
			received,
			disposition,
			reason,
			detail,
			ticket,
			message,
			trace,
			attempts,
			size,
			author,
			subject
		FROM ledger WHERE `+where+` ORDER BY id`, args,
		func(scan func(...any) error) error {
			var e Entry
			err := scan(&e.ID, &e.Key, &e.Brand, &e.Mailbox, &e.Channel, timeDest{&e.Received}, &e.Disposition, &e.Reason, &e.Detail,
				&e.Ticket, &e.Message, jsonDest{&e.Trace}, &e.Attempts, &e.Size, &e.From, &e.Subject)
			list = append(list, e)
			return err
		})
	return list, err
}

// Entry returns one ledger row (ErrNotFound).
func (db *DB) Entry(ctx context.Context, id int64) (Entry, error) {
	list, err := db.entries(ctx, `id = $1`, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Entry{}, fmt.Errorf("load ledger row %d: %w", id, err)
	}
	return list[0], nil
}

// EntriesOfTicket returns the rows that became messages of a ticket (or were
// recorded on it), oldest first.
func (db *DB) EntriesOfTicket(ctx context.Context, ticket int64) ([]Entry, error) {
	list, err := db.entries(ctx, `ticket = $1 AND ticket > 0`, ticket) // ledger_ticket
	if err != nil {
		return nil, fmt.Errorf("list ledger rows of ticket %d: %w", ticket, err)
	}
	return list, nil
}

// Tally counts ledger rows: the sum that reconcile proves.
type Tally struct {
	Total         int
	Undecided     int
	ByDisposition map[tickets.Disposition]int
	ByChannel     map[tickets.Channel]int
	Messages      int // ledger rows that the messages table refers to
}

// Tally counts the rows of a mailbox, or of all when mailbox is "".
func (db *DB) Tally(ctx context.Context, mailbox string) (Tally, error) {
	t := Tally{ByDisposition: make(map[tickets.Disposition]int), ByChannel: make(map[tickets.Channel]int)}
	mailbox = tickets.NormalAddress(mailbox)
	// One statement, so that all figures are of one moment.
	err := db.read.each(ctx, `
		SELECT disposition, channel, COUNT(*) FROM ledger
		WHERE $1 = '' OR mailbox = $1
		GROUP BY disposition, channel
		UNION ALL
		SELECT 'messages', '', COUNT(DISTINCT m.ledger) FROM messages m
		JOIN ledger l ON l.id = m.ledger
		WHERE m.ledger > 0 AND ($1 = '' OR l.mailbox = $1)`, []any{mailbox},
		func(scan func(...any) error) error {
			var what string
			var channel tickets.Channel
			var n int
			if err := scan(&what, &channel, &n); err != nil {
				return err
			}
			switch what {
			case "messages":
				t.Messages = n
				return nil
			case "":
				t.Undecided += n
			default:
				t.ByDisposition[tickets.Disposition(what)] += n
			}
			t.ByChannel[channel] += n
			t.Total += n
			return nil
		})
	if err != nil {
		return Tally{}, fmt.Errorf("count the ledger: %w", err)
	}
	return t, nil
}
