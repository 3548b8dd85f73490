package intake

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"frontdesk/phone"
	"frontdesk/store"
)

// RedactorOptions describe the loop that deletes copies at the telephone company.
type RedactorOptions struct {
	DB *store.DB
	// Client is the account; it returns nil when the desk has no telephone.
	Client func() *phone.Client
	Log    *slog.Logger
	Now    func() time.Time
	Poll   time.Duration // default 30 s
}

// Redactor deletes recordings and the words of texts at the telephone company
// after a customer was erased or their time was over. What is gone there already
// is done; anything else is tried until it is. Numbers and times in the
// company's own log of calls and texts stay.
type Redactor struct {
	opt  RedactorOptions
	beat atomic.Int64
}

// NewRedactor prepares a redactor; it starts nothing.
func NewRedactor(opt RedactorOptions) *Redactor {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Poll == 0 {
		opt.Poll = 30 * time.Second
	}
	r := &Redactor{opt: opt}
	r.beat.Store(time.Now().UnixNano())
	return r
}

// Beat returns when the loop last made progress: the watchdog's question.
func (r *Redactor) Beat() time.Time { return time.Unix(0, r.beat.Load()) }

// Run deletes until ctx ends.
func (r *Redactor) Run(ctx context.Context) error {
	failing := ""
	for {
		n, err := r.Pass(ctx)
		r.beat.Store(time.Now().UnixNano())
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && err.Error() != failing:
			r.opt.Log.Error("delete copies", "err", err)
			failing = err.Error()
		case err == nil && n > 0:
			continue
		case err == nil:
			failing = ""
		}
		timer := time.NewTimer(r.opt.Poll)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

const (
	redactedAtOnce = 10
	// redactClaim is above what ten requests take with the client's own retries.
	redactClaim = 10 * time.Minute
)

// Pass deletes what is due, at most ten, and returns how many it tried. The
// error is the database's.
func (r *Redactor) Pass(ctx context.Context) (int, error) {
	client := r.opt.Client()
	if client == nil {
		return 0, nil
	}
	now := r.opt.Now()
	list, err := r.opt.DB.ClaimRedactions(ctx, redactedAtOnce, now, now.Add(redactClaim))
	if err != nil {
		return 0, err
	}
	for _, c := range list {
		err := redact(ctx, client, c.Sid)
		if ctx.Err() != nil {
			return 0, nil // stopping: the claim runs out, and it is tried again
		}
		why, next := "", time.Time{}
		if err != nil {
			why, next = err.Error(), now.Add(fetchPause(c.Attempts+3))
			r.opt.Log.Warn("copy not deleted, tried again later", "source", c.Sid, "attempt", c.Attempts+1, "err", err)
		}
		if err := r.opt.DB.Redacted(context.WithoutCancel(ctx), c.Sid, why, next); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}

func redact(ctx context.Context, client *phone.Client, sid string) error {
	if strings.HasPrefix(sid, "RE") {
		return client.DeleteRecording(ctx, sid)
	}
	return client.RedactMessage(ctx, sid)
}
