package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"frontdesk/tickets"
)

// ImportKey is the ledger key of an old mail of a file: its content, however
// many files and folders hold it.
func ImportKey(brand string, content [32]byte) string {
	return "import:" + brand + ":" + hex.EncodeToString(content[:])
}

// Imported says which of the keys the ledger has.
func (db *DB) Imported(ctx context.Context, keys []string) (map[string]bool, error) {
	known := make(map[string]bool)
	err := chunks(keys, maxIn, func(part []string) error {
		list, args := in(nil, part)
		// Served by the unique key.
		return db.read.each(ctx, `SELECT key FROM ledger WHERE key IN `+list, args, func(scan func(...any) error) error {
			var key string
			err := scan(&key)
			known[key] = true
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("look up %d imported items: %w", len(keys), err)
	}
	return known, nil
}

// TakeIn adds an item to the ledger within the decision about it, so that nobody
// else ever sees it undecided. The row is 0 for one whose Key is known, and for
// one that was erased before, of which a note is kept and nothing else.
func (tx *Tx) TakeIn(ctx context.Context, it Item) (row int64, err error) {
	barred, err := tx.barred(ctx, []Item{it})
	if err != nil {
		return 0, fmt.Errorf("take %q in: %w", it.Key, err)
	}
	if barred[0] {
		_, err := tx.appendErased(ctx, &it)
		return 0, err
	}
	// Within a transaction nothing is put outside of the database: MoveBlobs does.
	row, err = tx.insertItem(ctx, &it, stowed{data: packedBytes(tx.db.raw.pack(it.Data))})
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("take %q in: %w", it.Key, err)
	}
	return row, nil
}

// ForeignTicket returns the ticket that a desk called by the number, 0 for none.
func (tx *Tx) ForeignTicket(ctx context.Context, brand, source, number string) (ticket int64, err error) {
	// Served by the primary key.
	err = tx.each(ctx, `SELECT ticket FROM foreign_numbers WHERE brand = $1 AND number = $2 AND source = $3`,
		[]any{brand, clean(strings.ToLower(number)), clean(source)},
		func(scan func(...any) error) error { return scan(&ticket) })
	if err != nil {
		return 0, fmt.Errorf("find %s's ticket %q: %w", source, number, err)
	}
	return ticket, nil
}

// numbers notes what another desk called the tickets. The first who had a number
// keeps it.
func (s *saver) numbers(ctx context.Context) error {
	for _, n := range s.c.Numbers {
		if n.Number == "" || n.Ticket < 0 || n.Ticket >= len(s.saved.Tickets) {
			continue
		}
		err := s.tx.later(ctx, `
			INSERT INTO foreign_numbers (brand, number, source, ticket) VALUES ($1, $2, $3, $4)
			ON CONFLICT (brand, number, source) DO NOTHING`,
			s.c.Brand, clean(strings.ToLower(n.Number)), clean(n.Source), s.saved.Tickets[n.Ticket])
		if err != nil {
			return err
		}
	}
	return nil
}

// reclosed moves the event that closed an imported ticket.
func (s *saver) reclosed(ctx context.Context) error {
	for _, r := range s.c.Reclosed {
		// Served by events_ticket.
		err := s.tx.later(ctx, `UPDATE events SET at = $2 WHERE ticket = $1 AND what = 'status' AND who = 'import' AND at < $2`, r.Ticket, ms(r.At))
		if err != nil {
			return err
		}
	}
	return nil
}

// known notes what became of the mail when it was imported.
func (f *finder) known(ctx context.Context) error {
	if !f.keys.Old || f.keys.Content == ([32]byte{}) {
		return nil
	}
	// Served by the unique key.
	return f.tx.eachLater(ctx, `SELECT id, message FROM ledger WHERE key = $1 AND disposition <> ''`,
		[]any{ImportKey(f.keys.Brand, f.keys.Content)},
		func(scan func(...any) error) error {
			f.found.Known = &tickets.Known{}
			return scan(&f.found.Known.Ledger, &f.found.Known.Message)
		})
}

// foreign finds tickets by the numbers that another desk gave them.
func (f *finder) foreign(ctx context.Context) error {
	if len(f.keys.Foreign) == 0 {
		return nil
	}
	list, args := in([]any{f.keys.Brand}, f.keys.Foreign)
	// Served by the primary key of foreign_numbers.
	return f.near(ctx, &f.found.Foreign, `
		SELECT ticket FROM foreign_numbers
		WHERE brand = $1 AND number IN `+list+`
		ORDER BY ticket DESC`+limit(maxNear), args...)
}
