package intake

import (
	"context"
	"time"

	"frontdesk/store"
)

// readied is a group of rows that are claimed and understood.
type readied struct {
	rows     []store.Claimed
	contacts []contact
	err      error
}

// ready claims a group and understands it.
func (w *Worker) ready(ctx context.Context, now time.Time) (g readied) {
	g.rows, g.err = w.opt.DB.ClaimLedger(ctx, w.opt.Brand, w.opt.Group, now, now.Add(w.opt.Claim))
	if g.err != nil || len(g.rows) == 0 {
		return g
	}
	// A group that was begun is ended: a stop in the middle would only leave
	// claims to run out.
	ctx = context.WithoutCancel(ctx)
	g.contacts = w.understandAll(ctx, g.rows)
	return g
}

// readAhead readies the next group while the one in hand is decided: decisions
// of a brand follow each other, reading mail need not wait for them. It is begun
// under a backlog only; a mail that comes alone is claimed when it comes.
func (w *Worker) readAhead(ctx context.Context) {
	next := make(chan readied, 1)
	now := w.opt.Now()
	go func() { next <- w.ready(ctx, now) }()
	w.next = next
}

// take returns the group that was read ahead, or readies one.
func (w *Worker) take(ctx context.Context, now time.Time) readied {
	if w.next == nil {
		return w.ready(ctx, now)
	}
	g := <-w.next
	w.next = nil
	if g.err == nil && len(g.rows) == 0 {
		return w.ready(ctx, now) // since then some may have come
	}
	return g
}

// letGo owes the rows back that were read ahead: what comes before them failed,
// or is not ours any more.
func (w *Worker) letGo() {
	if w.next == nil {
		return
	}
	w.owed = append(w.owed, (<-w.next).rows...)
	w.next = nil
}
