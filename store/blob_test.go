package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// place is a store of blobs in memory that can be told to misbehave.
type place struct {
	mu   sync.Mutex
	has  map[string][]byte
	put  map[string]time.Time
	down error
	puts int
}

func newPlace() *place { return &place{has: map[string][]byte{}, put: map[string]time.Time{}} }

func (p *place) set(down error) { p.mu.Lock(); p.down = down; p.mu.Unlock() }

func (p *place) names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for n := range p.has {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func (p *place) Put(_ context.Context, name string, data []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.puts++
	if p.down != nil {
		return p.down
	}
	if p.has[name] != nil {
		return fmt.Errorf("%s was put before", name)
	}
	p.has[name], p.put[name] = bytes.Clone(data), noon
	return nil
}

func (p *place) Get(_ context.Context, name string) (io.ReadCloser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down != nil {
		return nil, p.down
	}
	data, ok := p.has[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (p *place) Delete(_ context.Context, name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down == nil {
		delete(p.has, name)
	}
	return p.down
}

func (p *place) Walk(_ context.Context, f func(string, int64, time.Time) error) error {
	for _, n := range p.names() {
		if err := f(n, 1, p.put[n]); err != nil {
			return err
		}
	}
	return nil
}

// eachWithBlobs runs a test on both databases with a store of blobs.
func eachWithBlobs(t *testing.T, f func(t *testing.T, db *store.DB, p *place, open func(store.BlobOptions) *store.DB)) {
	for name, database := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "desk.db") },
		"postgres": func(t *testing.T) string { return storetest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, p := database(t), newPlace()
			open := func(b store.BlobOptions) *store.DB {
				db, err := store.Open(context.Background(), store.Options{Database: url, Fast: true, Keys: storetest.Keys, Blobs: b})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = db.Close() })
				return db
			}
			f(t, open(store.BlobOptions{Places: map[string]store.Blobs{"shelf": p}, Place: "shelf"}), p, open)
		})
	}
}

// mail is an item of n bytes that no compression makes small.
func mail(key string, n int) store.Item {
	it := items(1, 1)[0]
	it.Key, it.Data = key, make([]byte, n)
	for i := range it.Data {
		it.Data[i] = byte(rand.Uint32())
	}
	it.SHA256 = sha256.Sum256(it.Data)
	return it
}

const large = store.MinBlob + 1

func TestLargeBytesAreOutsideOfTheDatabase(t *testing.T) {
	t.Parallel()
	eachWithBlobs(t, func(t *testing.T, db *store.DB, p *place, _ func(store.BlobOptions) *store.DB) {
		ctx := t.Context()
		list := []store.Item{mail("a", store.MinBlob), mail("b", large), mail("c", 3<<20), mail("d", 5<<20)}
		list[3].Pack = db.NewPack()
		must(list[3].Pack.Write(list[3].Data))(t)
		if err := list[3].Pack.Close(); err != nil {
			t.Fatal(err)
		}
		data := list[3].Data
		list[3].Data = nil
		if n := must(db.Append(ctx, list, nil))(t); n != 4 {
			t.Fatalf("%d new rows", n)
		}
		list[3].Data = data
		if n := len(p.names()); n != 3 {
			t.Errorf("%d blobs for 3 mails above the limit, and one at it", n)
		}
		for i, name := range p.names() { // named by their hash
			if !slices.ContainsFunc(list[1:], func(it store.Item) bool { return strings.HasPrefix(name, fmt.Sprintf("%x-", it.SHA256)) }) {
				t.Errorf("blob %d is called %s", i, name)
			}
		}
		rows := claim(t, db, 4, noon)
		for i, r := range rows {
			got := must(db.Raw(ctx, r.ID))(t)
			if !bytes.Equal(got, list[i].Data) {
				t.Errorf("row %q: %d other bytes", r.Key, len(got))
			}
			if (r.Data != nil) != (i == 0) {
				t.Errorf("row %q was claimed with %d bytes: a claim reads nothing outside of the database", r.Key, len(r.Data))
			}
		}
		if n := must(db.Append(ctx, list, nil))(t); n != 0 || p.puts != 3 {
			t.Errorf("known rows: %d new, %d puts", n, p.puts)
		}
		found := must(db.Written(ctx, []string{"a", "b", "nobody"}))(t)
		if len(found) != 2 || !bytes.Equal(found["b"], list[1].Data) {
			t.Errorf("written: %d rows", len(found))
		}
		seen := 0
		if err := db.CheckRaw(ctx, func() { seen++ }); err != nil || seen != 4 {
			t.Errorf("check: %d rows, %v", seen, err)
		}
		p.mu.Lock()
		for name := range p.has { // one bit of each
			p.has[name][len(p.has[name])/2] ^= 1
		}
		p.mu.Unlock()
		if err := db.CheckRaw(ctx, func() {}); err == nil {
			t.Error("damaged blobs pass the check")
		}
		var bad []int64
		if err := db.CheckBlobs(ctx, func() {}, func(id int64, _ error) { bad = append(bad, id) }); err != nil || len(bad) != 3 {
			t.Errorf("%d damaged rows are named, %v", len(bad), err)
		}
	})
}

// Without the place nothing comes in, and nothing is lost: whoever brings the
// mail keeps it.
func TestBlobsAreDown(t *testing.T) {
	t.Parallel()
	eachWithBlobs(t, func(t *testing.T, db *store.DB, p *place, open func(store.BlobOptions) *store.DB) {
		ctx := t.Context()
		must(db.Append(ctx, []store.Item{mail("early", large)}, nil))(t)
		p.set(errors.New("503 slow down"))
		cursor := store.Cursor{Mailbox: "support@example.org", Folder: "INBOX", UIDValidity: 7, UID: 9}
		_, err := db.Append(ctx, []store.Item{mail("small", 10), mail("large", large)}, &cursor)
		if !errors.Is(err, store.ErrBlobs) {
			t.Errorf("append: %v", err)
		}
		if c := must(db.Cursor(ctx, cursor.Mailbox, cursor.Folder))(t); c.UID != 0 {
			t.Errorf("the cursor moved to %d", c.UID)
		}
		if have := must(db.HasKeys(ctx, []string{"small", "large"}))(t); len(have) != 0 {
			t.Errorf("rows without bytes: %v", have)
		}
		rows := claim(t, db, 1, noon)
		if _, err := db.Raw(ctx, rows[0].ID); !errors.Is(err, store.ErrBlobs) {
			t.Errorf("read: %v", err)
		}
		if err := db.PutOffLedger(ctx, rows, noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if again := must(db.ClaimLedger(ctx, "acme", 1, noon.Add(time.Minute), noon.Add(2*time.Minute)))(t); len(again) != 0 {
			t.Error("a row that waits was claimed")
		}
		p.set(nil)
		again := must(db.ClaimLedger(ctx, "acme", 1, noon.Add(time.Hour), noon.Add(2*time.Hour)))(t)
		if len(again) != 1 || again[0].Attempts != 0 {
			t.Errorf("a row that waited: %+v", again)
		}
		if n := must(db.Append(ctx, []store.Item{mail("small", 10), mail("large", large)}, &cursor))(t); n != 2 {
			t.Errorf("%d rows come in afterwards", n)
		}
		// A configuration that lost its place reads what is in the database, and says
		// what is missing.
		bare := open(store.BlobOptions{})
		if _, err := bare.Raw(ctx, rows[0].ID); !errors.Is(err, store.ErrBlobs) || !strings.Contains(err.Error(), "hint: ") {
			t.Errorf("read without the place: %v", err)
		}
		p.mu.Lock()
		clear(p.has)
		p.mu.Unlock()
		if _, err := db.Raw(ctx, rows[0].ID); !errors.Is(err, store.ErrBlobs) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("read of what is missing: %v", err)
		}
	})
}

// What is erased or kept no longer goes from the place, too; what could not be
// deleted at once is deleted later.
func TestErasedBlobsAreDeleted(t *testing.T) {
	t.Parallel()
	eachWithBlobs(t, func(t *testing.T, db *store.DB, p *place, _ func(store.BlobOptions) *store.DB) {
		ctx := t.Context()
		same := mail("anna", large)
		twin := same
		twin.Key = "bert"
		must(db.Append(ctx, []store.Item{same, twin}, nil))(t)
		rows := claim(t, db, 2, noon)
		save(t, db, rows[0].ID, newTicket("anna@customer.example", "printer", "a@x"))
		save(t, db, rows[1].ID, newTicket("bert@customer.example", "printer", "b@x"))
		anna := must(db.PersonByAddress(ctx, "acme", "anna@customer.example"))(t)
		p.set(errors.New("connection reset"))
		if err := db.Erase(ctx, must(db.Traces(ctx, anna.ID))(t), noon, func() {}); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Raw(ctx, rows[0].ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("read of what was erased: %v", err)
		}
		if n, err := db.SweepBlobs(ctx); n != 0 || !errors.Is(err, store.ErrBlobs) {
			t.Errorf("sweep while the place is down: %d, %v", n, err)
		}
		if c := must(db.CountBlobs(ctx))(t); len(c) != 1 || c[0].Rows != 1 || c[0].Gone != 1 || c[0].Bytes != large {
			t.Errorf("count: %+v", c)
		}
		p.set(nil)
		if n, err := db.SweepBlobs(ctx); n != 1 || err != nil || len(p.names()) != 1 {
			t.Errorf("sweep: %d, %v; left %v", n, err, p.names())
		}
		if got := must(db.Raw(ctx, rows[1].ID))(t); !bytes.Equal(got, twin.Data) {
			t.Error("the same bytes of somebody else are gone, too")
		}
		must(db.Retain(ctx, store.Kept{Quarantine: noon}, 10, noon))(t)
		bert := must(db.PersonByAddress(ctx, "acme", "bert@customer.example"))(t)
		if err := db.Erase(ctx, must(db.Traces(ctx, bert.ID))(t), noon, func() {}); err != nil {
			t.Fatal(err)
		}
		if n, err := db.SweepBlobs(ctx); n != 1 || err != nil || len(p.names()) != 0 {
			t.Errorf("sweep: %d, %v; left %v", n, err, p.names())
		}
		if c := must(db.CountBlobs(ctx))(t); len(c) != 0 {
			t.Errorf("count afterwards: %+v", c)
		}
	})
}

// A writer that died between the blob and its row leaves a blob that belongs to
// nobody: it is collected, after a time in which its row could still come.
func TestAbandonedBlobsAreCollected(t *testing.T) {
	t.Parallel()
	eachWithBlobs(t, func(t *testing.T, db *store.DB, p *place, open func(store.BlobOptions) *store.DB) {
		ctx := t.Context()
		kept := mail("kept", large)
		must(db.Append(ctx, []store.Item{kept}, nil))(t)
		stray := func(n int) string { return fmt.Sprintf("%064x-%016x", n, n) }
		for _, name := range []string{stray(1), stray(2), "check-abc"} {
			if err := p.Put(ctx, name, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		p.put[stray(2)] = noon.Add(time.Hour)
		if n, err := db.CollectBlobs(ctx, "shelf", noon.Add(time.Minute), false); n != 1 || err != nil {
			t.Errorf("%d collected, %v", n, err)
		}
		if left := p.names(); len(left) != 3 || slices.Contains(left, stray(1)) {
			t.Errorf("left: %v", left)
		}
		// The database of another desk, or an old backup, must not empty the bucket.
		for n := range 60 {
			if err := p.Put(ctx, stray(10+n), []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := db.CollectBlobs(ctx, "shelf", noon.Add(time.Minute), false); n != 0 || !errors.Is(err, store.ErrManyStrays) {
			t.Errorf("%d collected of what may be another desk's, %v", n, err)
		}
		if n, err := db.CollectBlobs(ctx, "shelf", noon.Add(time.Minute), true); n != 60 || err != nil {
			t.Errorf("%d collected by force, %v", n, err)
		}
		if got := must(db.Raw(ctx, claim(t, db, 1, noon)[0].ID))(t); !bytes.Equal(got, kept.Data) {
			t.Error("what a row names was collected")
		}
	})
}

// Bytes move between all places, and are the same in each.
func TestMoveBlobs(t *testing.T) {
	t.Parallel()
	eachWithBlobs(t, func(t *testing.T, db *store.DB, p *place, open func(store.BlobOptions) *store.DB) {
		ctx := t.Context()
		list := []store.Item{mail("a", 100), mail("b", large), mail("c", 3<<20)}
		inside := open(store.BlobOptions{})
		must(inside.Append(ctx, list, nil))(t)
		cloud := newPlace()
		both := open(store.BlobOptions{Places: map[string]store.Blobs{"shelf": p, "cloud": cloud}, Place: "cloud"})
		rows := claim(t, both, 3, noon)
		for _, step := range []struct {
			to           string
			moved        int
			shelf, cloud int
		}{{"shelf", 2, 2, 0}, {"shelf", 0, 2, 0}, {"cloud", 2, 0, 2}, {"database", 2, 0, 0}, {"cloud", 2, 0, 2}} {
			moved := 0
			if err := both.MoveBlobs(ctx, step.to, 0, func(int64) { moved++ }); err != nil {
				t.Fatalf("to %s: %v", step.to, err)
			}
			if moved != step.moved || len(p.names()) != step.shelf || len(cloud.names()) != step.cloud {
				t.Errorf("to %s: moved %d; shelf %d, cloud %d", step.to, moved, len(p.names()), len(cloud.names()))
			}
			for i, r := range rows {
				if got := must(both.Raw(ctx, r.ID))(t); !bytes.Equal(got, list[i].Data) {
					t.Errorf("to %s: row %q has other bytes", step.to, r.Key)
				}
			}
		}
		// A place that fails in the middle leaves each row in one whole place.
		p.set(errors.New("no space left"))
		if err := both.MoveBlobs(ctx, "shelf", 0, func(int64) {}); !errors.Is(err, store.ErrBlobs) {
			t.Errorf("move to a full place: %v", err)
		}
		if err := both.CheckRaw(ctx, func() {}); err != nil {
			t.Error(err)
		}
		if err := both.MoveBlobs(ctx, "attic", 0, func(int64) {}); err == nil {
			t.Error("moved to a place that there is not")
		}
	})
}

// What was erased before leaves no blob.
func TestErasedMailLeavesNoBlob(t *testing.T) {
	t.Parallel()
	eachWithBlobs(t, func(t *testing.T, db *store.DB, p *place, _ func(store.BlobOptions) *store.DB) {
		ctx := t.Context()
		it := mail("again", large)
		marks := storetest.Keys.Marks(tickets.MarkKey, it.Key)
		if err := db.Entomb(ctx, store.Erasure{ID: "one", At: noon, Marks: marks[:1]}); err != nil {
			t.Fatal(err)
		}
		must(db.Append(ctx, []store.Item{it}, nil))(t)
		if p.puts != 1 || len(p.names()) != 0 {
			t.Errorf("%d puts, left %v", p.puts, p.names())
		}
	})
}
