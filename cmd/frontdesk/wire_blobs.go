package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"frontdesk/blobs"
	"frontdesk/config"
	"frontdesk/store"
	"frontdesk/tickets"
)

// blobPlace is a place of blobs that remembers whether it answers.
type blobPlace struct {
	checkedBlobs
	mu  sync.Mutex
	why error // of the last failure, nil when the last was well
}

type checkedBlobs interface {
	store.Blobs
	Check(ctx context.Context) error
}

func (s *blobPlace) note(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why = err; errors.Is(err, fs.ErrNotExist) { // it answers
		s.why = nil
	}
	return err
}

func (s *blobPlace) trouble() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

func (s *blobPlace) Put(ctx context.Context, name string, data []byte) error {
	return s.note(s.checkedBlobs.Put(ctx, name, data))
}

func (s *blobPlace) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := s.checkedBlobs.Get(ctx, name)
	return r, s.note(err)
}

func (s *blobPlace) Check(ctx context.Context) error { return s.note(s.checkedBlobs.Check(ctx)) }

// blobPlaces are the places of blobs of a configuration, by name. A folder that
// nothing is put into any more stays readable.
type blobPlaces map[string]*blobPlace

func blobPlacesOf(cfg *config.Config) (blobPlaces, error) {
	out := blobPlaces{string(config.BlobsFolder): {checkedBlobs: blobs.NewFolder(cfg.Blobs.Folder)}}
	if b := cfg.Blobs.S3; b != nil {
		s, err := blobs.OpenS3(blobs.S3Options{
			Endpoint: b.Endpoint, Bucket: b.Bucket, Region: b.Region, Prefix: b.Prefix,
			AccessKey: b.AccessKey, SecretKey: b.SecretKey.Reveal(), PathStyle: b.PathStyle,
		})
		if err != nil {
			return nil, err
		}
		out[string(config.BlobsS3)] = &blobPlace{checkedBlobs: s}
	}
	return out, nil
}

// options are what the store is told.
func (s blobPlaces) options(cfg *config.Config) store.BlobOptions {
	places := map[string]store.Blobs{}
	for name, p := range s {
		places[name] = p
	}
	return store.BlobOptions{Places: places, Place: string(cfg.Blobs.Store), LargerThan: int64(cfg.Blobs.LargerThan)}
}

// prepare makes the folder for a database that has nothing in it.
func (s blobPlaces) prepare(ctx context.Context, db *store.DB, to string) error {
	f, ok := s[string(config.BlobsFolder)].checkedBlobs.(*blobs.Folder)
	if to != string(config.BlobsFolder) || !ok {
		return nil
	}
	used, err := db.UsesBlobs(ctx, to)
	if err != nil || used {
		return err
	}
	return f.Prepare()
}

// used are the places that new bytes go to or that rows name.
func (d *desk) usedPlaces(ctx context.Context) (map[string]*blobPlace, error) {
	out := map[string]*blobPlace{}
	for name, s := range d.places {
		used, err := d.db.UsesBlobs(ctx, name)
		if err != nil {
			return nil, err
		}
		if used || string(d.cfg.Blobs.Store) == name {
			out[name] = s
		}
	}
	return out, nil
}

const (
	blobsEvery   = time.Minute    // what is nobody's is deleted so soon
	collectEvery = 24 * time.Hour // what was put and belongs to no row is looked for
	collectAfter = 48 * time.Hour // and is so old then
)

// sweepBlobs deletes what is nobody's any more, until ctx ends. Of several nodes
// each does: to delete twice does no harm.
func (dm *daemon) sweepBlobs(ctx context.Context) error {
	tick := time.NewTicker(blobsEvery)
	defer tick.Stop()
	failing, collected := "", time.Now().Add(-collectEvery+10*time.Minute)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, s := range dm.current.Load().places {
			if s.trouble() != nil { // nobody may need it for hours: is it over?
				_ = s.Check(ctx)
			}
		}
		_, err := dm.db.SweepBlobs(ctx)
		if err == nil && time.Since(collected) >= collectEvery {
			collected = time.Now()
			err = dm.collectBlobs(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			failing = ""
		case err.Error() != failing:
			dm.log.Warn("blobs not deleted", "err", err)
			failing = err.Error()
		}
	}
}

func (dm *daemon) collectBlobs(ctx context.Context) error {
	for name := range dm.current.Load().places {
		used, err := dm.db.UsesBlobs(ctx, name)
		if err != nil || !used {
			return err
		}
		n, err := dm.db.CollectBlobs(ctx, name, now().Add(-collectAfter), false)
		if err != nil {
			return strayHint(err)
		}
		if n > 0 {
			dm.log.Info("abandoned blobs deleted", "place", name, "count", n)
		}
	}
	return nil
}

func strayHint(err error) error {
	if errors.Is(err, store.ErrManyStrays) {
		return fmt.Errorf("%w\nhint: does another desk keep its blobs there, or was an old backup restored? If neither: frontdesk blobs collect --force", err)
	}
	return err
}

// storage is the condition of places of blobs that do not answer.
func (dm *daemon) storage(context.Context, time.Time) []tickets.Condition {
	var out []tickets.Condition
	for _, name := range sortedKeys(dm.current.Load().places) {
		if dm.current.Load().places[name].trouble() != nil {
			out = append(out, tickets.BlobsDown(dm.host(), name))
		}
	}
	return out
}

// examineBlobs tries the places out.
func (d *desk) examineBlobs(ctx context.Context, _ time.Time, found func(hint, format string, args ...any)) error {
	used, err := d.usedPlaces(ctx)
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(used) {
		if err := used[name].Check(ctx); err != nil {
			found("large mail waits until it answers: look at blobs in the configuration, then at the storage", "%s: %v", name, err)
		}
	}
	return nil
}

// sameBlobs compares what a running desk cannot change.
func sameBlobs(a, b config.Blobs) bool {
	if (a.S3 == nil) != (b.S3 == nil) {
		return false
	}
	if a.S3 != nil {
		x, y := *a.S3, *b.S3
		same := x.SecretKey.Reveal() == y.SecretKey.Reveal()
		x.SecretKey, y.SecretKey = config.Secret{}, config.Secret{}
		if !same || x != y {
			return false
		}
	}
	return a.Store == b.Store && a.LargerThan == b.LargerThan && a.Folder == b.Folder
}
