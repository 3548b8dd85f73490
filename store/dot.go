package store

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// MarkDot commits, just before the final dot, that the letter may have been
// handed over, with its rendering (nil: stored before). ErrLost when the claim
// is not ours any more: then nothing may be sent.
//
// Calls that wait for the same turn to write share one commit: with several
// connections to the SMTP server the disk is not the bound. Once begun it does
// not stop for ctx.
func (db *DB) MarkDot(ctx context.Context, id, epoch int64, r *Rendering, now time.Time) error {
	err := ctx.Err()
	if err == nil {
		d := &dot{id: id, epoch: epoch, render: r, packed: db.packRendering(r), done: make(chan error, 1)}
		if db.dots.join(d) {
			db.markDots(context.WithoutCancel(ctx))
		}
		err = <-d.done
	}
	if err != nil {
		return fmt.Errorf("mark letter %d before the final dot: %w", id, err)
	}
	return nil
}

// dot is one call of MarkDot.
type dot struct {
	id, epoch int64
	render    *Rendering
	packed    []byte
	lost      error // ErrLost
	done      chan error
}

// dots are the calls that wait for the next commit.
type dots struct {
	mu      sync.Mutex
	waiting []*dot
}

// join adds a call and reports whether it is the first: it commits for all.
func (l *dots) join(d *dot) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, d)
	return len(l.waiting) == 1
}

// take ends the group: who comes now is first of the next.
func (l *dots) take() []*dot {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.waiting
	l.waiting = nil
	return list
}

// markDots commits a group. It is closed when the transaction has begun, so
// that those who came while it waited for its turn are in it.
func (db *DB) markDots(ctx context.Context) {
	var group []*dot
	err := db.write(ctx, func(tx *Tx) error {
		if group == nil {
			group = db.dots.take()
		}
		for _, d := range group {
			if err := tx.markDot(ctx, d); err != nil {
				return err
			}
		}
		return nil
	})
	if group == nil { // the transaction did not even begin
		group = db.dots.take()
	}
	for _, d := range group {
		if err != nil {
			d.done <- err
		} else {
			d.done <- d.lost
		}
	}
}

func (tx *Tx) markDot(ctx context.Context, d *dot) error {
	d.lost = nil
	n, err := tx.exec(ctx, `
		UPDATE letters SET
			doubts = doubts + CASE WHEN state = 'dot' THEN 1 ELSE 0 END,
			state = 'dot'
		WHERE id = $1 AND epoch = $2 AND state IN ('queued', 'dot')`, d.id, d.epoch)
	if err != nil {
		return err
	}
	if n == 0 {
		d.lost = ErrLost
		return nil
	}
	return tx.saveRendering(ctx, d.id, d.render, d.packed)
}

// saveRendering keeps the first rendering; a later one changes nothing.
func (tx *Tx) saveRendering(ctx context.Context, id int64, r *Rendering, packed []byte) error {
	if r == nil {
		return nil
	}
	n, err := tx.exec(ctx, `INSERT INTO renderings (letter, data) VALUES ($1, $2) ON CONFLICT (letter) DO NOTHING`, id, packed)
	if err != nil || n == 0 {
		return err
	}
	return tx.later(ctx, `UPDATE letters SET message_id = $2 WHERE id = $1 AND $2 <> ''`, id, r.MessageID)
}
