package store

import "context"

// Fence is a lease at one epoch: the right to write as its holder. The zero
// Fence asks for nothing.
type Fence struct {
	Lease string
	Epoch int64
}

type fenceKey struct{}

// Fenced returns a context under which Decide and the writes of a cursor are
// refused with ErrLost once the lease has another holder, or a newer epoch. It
// travels with the context so that no write of a loop can be forgotten: a node
// that was frozen past its lease wakes up in the middle of anything.
func Fenced(ctx context.Context, f Fence) context.Context {
	return context.WithValue(ctx, fenceKey{}, f)
}

func fenceOf(ctx context.Context) Fence {
	f, _ := ctx.Value(fenceKey{}).(Fence)
	return f
}

// guard reads the epoch of the lease, together with the next statement; passed
// says at the end whether it was the right one.
//
// It stands behind takeNumber, and locks nothing: a holder that comes later
// waits for the brand's row until this transaction has ended, and finds what it
// decided. Without the brand's row it would have to lock the lease.
func (tx *Tx) guard(ctx context.Context, f Fence, found *int64) error {
	*found = 0
	if f.Lease == "" {
		return nil
	}
	return tx.eachLater(ctx, `SELECT epoch FROM leases WHERE name = $1`, []any{f.Lease}, func(scan func(...any) error) error {
		return scan(found)
	})
}

func (tx *Tx) passed(ctx context.Context, f Fence, found *int64) error {
	if f.Lease == "" {
		return nil
	}
	if *found == 0 { // not sent yet, or there is no such lease any more
		if err := tx.flush(ctx); err != nil {
			return err
		}
	}
	if *found != f.Epoch {
		return ErrLost
	}
	return nil
}
