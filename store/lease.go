package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// LeaseRow is a lease as it is kept.
type LeaseRow struct {
	Name  string
	Node  string // who has it, or had it last
	Epoch int64  // rises with each holder
	Since time.Time
	Until time.Time
	Held  bool   // had not run out when it was read
	Data  string // what the holder says with it
}

// Shared reports whether other nodes may work on this database.
func (db *DB) Shared() bool { return db.shared }

// Node is the name of this process in claims and leases.
func (db *DB) Node() string { return db.node }

// clock is the SQL for the present, in milliseconds; param names the argument
// that holds the caller's. Leases are the one thing that goes by the database's
// clock: a lease that one node wrote and another reads means nothing when their
// clocks differ, and the database is what all of them have in common. On SQLite
// there is one node, and its clock is the database's.
func (db *DB) clock(param string) string { return db.engine.clock(param) }

// Leases lists all leases by name, and says what time it is for them.
func (db *DB) Leases(ctx context.Context, now time.Time) (list []LeaseRow, clock time.Time, err error) {
	err = db.read.get(ctx, `SELECT `+db.clock("$1"), []any{ms(now)}, timeDest{&clock})
	if err == nil {
		err = db.read.each(ctx, `
			SELECT
				name,
				node,
				epoch,
				since,
				until,
				data
			FROM leases ORDER BY name`, nil,
			func(scan func(...any) error) error {
				var l LeaseRow
				err := scan(&l.Name, &l.Node, &l.Epoch, timeDest{&l.Since}, timeDest{&l.Until}, &l.Data)
				l.Held = l.Until.After(clock)
				list = append(list, l)
				return err
			})
	}
	if err != nil {
		return nil, clock, fmt.Errorf("list leases: %w", err)
	}
	return list, clock, nil
}

// TakeLease takes a lease that nobody holds, or this node itself, for the time
// life; ok is false when another node holds it. Each time it is taken its epoch
// rises: what was written under the one before is refused from now on.
func (db *DB) TakeLease(ctx context.Context, name, data string, life time.Duration, now time.Time) (f Fence, ok bool, err error) {
	err = db.write(ctx, func(tx *Tx) error {
		f = Fence{Lease: name}
		clock := db.clock("$5")
		err := tx.get(ctx, `
			INSERT INTO leases (name, node, data, epoch, since, until)
			VALUES ($1, $2, $3, 1, `+clock+`, `+clock+` + $4)
			ON CONFLICT (name) DO UPDATE SET
				node = excluded.node,
				data = excluded.data,
				epoch = leases.epoch + 1,
				since = excluded.since,
				until = excluded.until
			WHERE leases.node = excluded.node OR leases.until <= `+clock+`
			RETURNING epoch`, []any{name, db.node, data, life.Milliseconds(), ms(now)}, &f.Epoch)
		ok = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return Fence{}, false, fmt.Errorf("take lease %q: %w", name, err)
	}
	return f, ok, nil
}

// RenewLeases makes leases last for life from now on, and returns which of them
// are still this node's. One that has run out is not renewed: what happened
// meanwhile nobody knows.
func (db *DB) RenewLeases(ctx context.Context, fences []Fence, life time.Duration, now time.Time) (kept []Fence, err error) {
	err = db.write(ctx, func(tx *Tx) error {
		kept = nil
		for _, f := range fences {
			put := statement{
				text: `UPDATE leases SET until = ` + db.clock("$5") + ` + $4
					WHERE name = $1 AND node = $2 AND epoch = $3 AND until > ` + db.clock("$5"),
				args: []any{f.Lease, db.node, f.Epoch, life.Milliseconds(), ms(now)},
				met: func(n int64) error {
					if n == 1 {
						kept = append(kept, f)
					}
					return nil
				},
			}
			if err := tx.note(tx.session.later(ctx, put)); err != nil {
				return err
			}
		}
		return tx.flush(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("renew %d leases: %w", len(fences), err)
	}
	return kept, nil
}

// EndLeases gives leases back at once; those that another node has stay. Their
// rows stay too, for their epochs.
func (db *DB) EndLeases(ctx context.Context, fences []Fence) error {
	err := db.write(ctx, func(tx *Tx) error {
		for _, f := range fences {
			if err := tx.later(ctx, `UPDATE leases SET until = 0 WHERE name = $1 AND node = $2 AND epoch = $3`, f.Lease, db.node, f.Epoch); err != nil {
				return err
			}
		}
		return tx.flush(ctx)
	})
	if err != nil {
		return fmt.Errorf("give %d leases back: %w", len(fences), err)
	}
	return nil
}

// NoteLease changes what the holder says with a lease.
func (db *DB) NoteLease(ctx context.Context, f Fence, data string) error {
	err := db.write(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `UPDATE leases SET data = $4 WHERE name = $1 AND node = $2 AND epoch = $3`, f.Lease, db.node, f.Epoch, data)
		return err
	})
	if err != nil {
		return fmt.Errorf("note with lease %q: %w", f.Lease, err)
	}
	return nil
}

// ForgetLease removes the row of a lease that ran out and that nobody will take
// again under its name.
func (db *DB) ForgetLease(ctx context.Context, name string, now time.Time) error {
	err := db.write(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `DELETE FROM leases WHERE name = $1 AND until <= `+db.clock("$2"), name, ms(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("forget lease %q: %w", name, err)
	}
	return nil
}

// Lease takes or renews the named lease for this node from now until until, and
// reports whether the node has it: for loops that have one lease and hold no
// epoch.
func (db *DB) Lease(ctx context.Context, name string, now, until time.Time) (has bool, err error) {
	_, has, err = db.TakeLease(ctx, name, "", until.Sub(now), now)
	return has, err
}

// Unlease gives the lease back; one that another node has stays.
func (db *DB) Unlease(ctx context.Context, name string) error {
	err := db.write(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `UPDATE leases SET until = 0 WHERE name = $1 AND node = $2`, name, db.node)
		return err
	})
	if err != nil {
		return fmt.Errorf("give lease %q back: %w", name, err)
	}
	return nil
}

// Once records that the named occurrence happened and reports whether this was
// the first time: what makes a daily letter leave once.
func (tx *Tx) Once(ctx context.Context, name, occurrence string) (bool, error) {
	n, err := tx.exec(ctx, `INSERT INTO once (name, occurrence) VALUES ($1, $2) ON CONFLICT DO NOTHING`, name, occurrence)
	if err != nil {
		return false, fmt.Errorf("record %s %q: %w", name, occurrence, err)
	}
	return n == 1, nil
}

// Happened reports whether the named occurrence is recorded: a look before work
// that Once would find done.
func (db *DB) Happened(ctx context.Context, name, occurrence string) (is bool, err error) {
	// Served by the primary key of once.
	err = db.read.each(ctx, `SELECT 1 FROM once WHERE name = $1 AND occurrence = $2`, []any{name, occurrence}, func(func(...any) error) error {
		is = true
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("look whether %s %q happened: %w", name, occurrence, err)
	}
	return is, nil
}
