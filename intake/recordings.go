package intake

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"frontdesk/phone"
	"frontdesk/store"
)

// FetcherOptions describe the loop that fetches recordings and pictures.
type FetcherOptions struct {
	DB *store.DB
	// Client is the account; it returns nil when the desk has no telephone.
	Client func() *phone.Client
	// Limit is the most bytes of one file.
	Limit func() int64
	// Delete reports whether a recording is deleted at the telephone company once
	// it is stored here.
	Delete func() bool
	// Stored is told of each recording that was stored; nil: nobody asks.
	Stored func(Recorded)
	Wake   func(brand string) // rows were added
	Woken  <-chan struct{}    // files are named: look now
	Log    *slog.Logger
	Now    func() time.Time
	// Poll is how often files are looked for without a word, default 30 s.
	Poll time.Duration
}

// Recorded is a recording that was stored.
type Recorded struct {
	Sid     string
	Brand   string
	Contact string // of its call
	Ledger  int64  // row that announced it
	Data    []byte // mp3
}

// Fetcher fetches what webhooks name and puts it into the ledger. A file is
// fetched with our credentials from our own account alone: recordings by their
// Sid, pictures from an address that [phone.Client.Media] proves to be of it.
//
// A file that is not ready or cannot be had is tried again for a day.
type Fetcher struct {
	opt    FetcherOptions
	beat   atomic.Int64
	counts [4]atomic.Int64
}

// Outcomes of an attempt, as they are counted.
const (
	fetchStored = iota
	fetchLater  // tried again
	fetchGivenUp
	fetchLost // somebody else stored it
)

// NewFetcher prepares a fetcher; it starts nothing.
func NewFetcher(opt FetcherOptions) *Fetcher {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Wake == nil {
		opt.Wake = func(string) {}
	}
	if opt.Stored == nil {
		opt.Stored = func(Recorded) {}
	}
	if opt.Delete == nil {
		opt.Delete = func() bool { return false }
	}
	if opt.Poll == 0 {
		opt.Poll = 30 * time.Second
	}
	f := &Fetcher{opt: opt}
	f.beat.Store(time.Now().UnixNano())
	return f
}

// Beat returns when the loop last made progress: the watchdog's question.
func (f *Fetcher) Beat() time.Time { return time.Unix(0, f.beat.Load()) }

// Counts returns how many attempts were made, by outcome: stored, later,
// given-up, lost.
func (f *Fetcher) Counts() map[string]int64 {
	return map[string]int64{"stored": f.counts[fetchStored].Load(), "later": f.counts[fetchLater].Load(),
		"given-up": f.counts[fetchGivenUp].Load(), "lost": f.counts[fetchLost].Load()}
}

// Run fetches until ctx ends.
func (f *Fetcher) Run(ctx context.Context) error {
	failing := ""
	for {
		n, err := f.Pass(ctx)
		f.beat.Store(time.Now().UnixNano())
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && err.Error() != failing:
			f.opt.Log.Error("fetch files", "err", err)
			failing = err.Error()
		case err == nil && n > 0:
			continue
		case err == nil:
			failing = ""
		}
		timer := time.NewTimer(f.rest(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-f.opt.Woken:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// rest is how long nothing is to be done, at most Poll.
func (f *Fetcher) rest(ctx context.Context) time.Duration {
	next, err := f.opt.DB.NextFetch(ctx)
	if err != nil || next.IsZero() {
		return f.opt.Poll
	}
	return min(f.opt.Poll, max(next.Sub(f.opt.Now()), 100*time.Millisecond))
}

const (
	// together is how many files are fetched at the same time.
	together = 4
	// fetchClaim is above the longest that the client takes for one file with its
	// own retries.
	fetchClaim = 5 * time.Minute
)

// Pass fetches the files that are due, at most four at once, and returns how
// many it tried.
func (f *Fetcher) Pass(ctx context.Context) (int, error) {
	client := f.opt.Client()
	if client == nil {
		return 0, nil
	}
	now := f.opt.Now()
	list, err := f.opt.DB.ClaimFetches(ctx, together, now, now.Add(fetchClaim))
	if err != nil {
		return 0, err
	}
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, d := range list {
		wg.Go(func() { errs[i] = f.one(ctx, client, d) })
	}
	wg.Wait()
	return len(list), errors.Join(errs...)
}

// one fetches a file and stores it. The error is the database's.
func (f *Fetcher) one(ctx context.Context, client *phone.Client, d store.Download) error {
	file, err := fetchFile(ctx, client, d, f.opt.Limit())
	if ctx.Err() != nil {
		return nil // stopping: the claim runs out, and it is tried again
	}
	if err != nil {
		return f.failed(ctx, d, err)
	}
	it, err := f.item(ctx, d, file)
	if err != nil {
		return err
	}
	// What was fetched is stored although the desk stops.
	switch err = f.opt.DB.Fetched(context.WithoutCancel(ctx), d, it); {
	case errors.Is(err, store.ErrLost):
		f.counts[fetchLost].Add(1)
		return nil
	case err != nil:
		return err
	}
	f.counts[fetchStored].Add(1)
	f.opt.Log.Info("file fetched", "source", d.Key, "size", len(file.Data))
	f.opt.Wake(d.Brand)
	if d.RecordingSid != "" {
		f.recorded(ctx, client, d, file)
	}
	return nil
}

func fetchFile(ctx context.Context, client *phone.Client, d store.Download, limit int64) (phone.File, error) {
	if d.RecordingSid != "" {
		return client.Recording(ctx, d.RecordingSid, phone.MP3, limit)
	}
	return client.Media(ctx, d.URL, limit)
}

func (f *Fetcher) item(ctx context.Context, d store.Download, file phone.File) (store.Item, error) {
	row, err := f.opt.DB.Entry(ctx, d.Ledger)
	if err != nil {
		return store.Item{}, err
	}
	return store.Item{
		Key: d.Key, Brand: d.Brand, Mailbox: row.Mailbox, Channel: row.Channel, Contact: d.Contact,
		Received: f.opt.Now(), SHA256: sha256.Sum256(file.Data), Data: file.Data,
	}, nil
}

// recorded is what follows after a recording is on disk. A crash before it, or a
// failure, leaves the recording at the telephone company: the reconciler deletes
// what it finds there and here.
func (f *Fetcher) recorded(ctx context.Context, client *phone.Client, d store.Download, file phone.File) {
	if f.opt.Delete() {
		if err := client.DeleteRecording(ctx, d.RecordingSid); err != nil {
			f.opt.Log.Warn("recording not deleted, tried again later", "source", d.Key, "err", err)
		}
	}
	f.opt.Stored(Recorded{Sid: d.RecordingSid, Brand: d.Brand, Contact: d.Contact, Ledger: d.Ledger, Data: file.Data})
}

// failed plans the next attempt, or gives up.
func (f *Fetcher) failed(ctx context.Context, d store.Download, why error) error {
	now := f.opt.Now()
	next := now.Add(fetchPause(d.Attempts))
	if !phone.Temporary(why) || next.Sub(d.Since) > fetchFor {
		next = time.Time{}
	}
	if next.IsZero() && d.RecordingSid != "" {
		if err := f.tellLost(ctx, d); err != nil {
			return err
		}
	}
	err := f.opt.DB.FetchFailed(ctx, d, why.Error(), next)
	switch {
	case errors.Is(err, store.ErrLost):
		f.counts[fetchLost].Add(1)
		return nil
	case err != nil:
		return err
	case next.IsZero():
		f.counts[fetchGivenUp].Add(1)
		f.opt.Log.Error("file given up", "source", d.Key, "attempt", d.Attempts+1, "err", why)
		f.opt.Wake(d.Brand) // the row waits for it no more
		return nil
	}
	f.counts[fetchLater].Add(1)
	f.opt.Log.Info("file not fetched yet", "source", d.Key, "attempt", d.Attempts+1, "retry", next.Sub(now), "err", why)
	return nil
}

// tellLost adds a row to the call which says that the recording will not come:
// agents are told. It is the announcement again, under another key. A crash
// after it leads here once more.
func (f *Fetcher) tellLost(ctx context.Context, d store.Download) error {
	row, err := f.opt.DB.Entry(ctx, d.Ledger)
	if err != nil {
		return err
	}
	data, err := f.opt.DB.Raw(ctx, d.Ledger)
	if err != nil {
		return err
	}
	_, err = f.opt.DB.Append(ctx, []store.Item{{
		Key: lostKey(d.RecordingSid), Brand: d.Brand, Mailbox: row.Mailbox, Channel: row.Channel, Contact: d.Contact,
		Received: f.opt.Now(), SHA256: sha256.Sum256(data), Data: data,
	}}, nil)
	return err
}

// fetchFor is how long a file is tried.
const fetchFor = 24 * time.Hour

// fetchPauses are short at first: a recording that is announced may answer 404
// for some seconds. Then there is an outage, and no hurry.
var fetchPauses = []time.Duration{2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute}

func fetchPause(attempts int) time.Duration {
	return fetchPauses[min(attempts, len(fetchPauses)-1)]
}
