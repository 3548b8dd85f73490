package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// webhook is a row of a call or a text as intake appends it.
func webhook(key, contact string, ch tickets.Channel, fetch ...store.Fetch) store.Item {
	data := []byte("webhook " + key)
	return store.Item{Key: key, Brand: "acme", Mailbox: "tel:+4930900", Channel: ch, Received: noon, SHA256: sha256.Sum256(data), Data: data,
		Contact: contact, Fetch: fetch}
}

func media(n int) store.Fetch {
	return store.Fetch{Key: fmt.Sprint("media:MM1:", n), URL: fmt.Sprint("https://api.twilio.com/", n), ContentType: "image/jpeg", Filename: fmt.Sprint(n, ".jpg")}
}

func add(t testing.TB, db *store.DB, items ...store.Item) int {
	t.Helper()
	return must(db.Append(t.Context(), items, nil))(t)
}

func claimFetches(t testing.TB, db *store.DB, n int, now time.Time) []store.Download {
	t.Helper()
	return must(db.ClaimFetches(t.Context(), n, now, now.Add(time.Minute)))(t)
}

func file(d store.Download) store.Item {
	it := webhook(d.Key, "", tickets.ChannelSMS)
	it.Data = []byte("file " + d.Key)
	return it
}

func keysOf(rows []store.Claimed) (keys []string) {
	for _, r := range rows {
		keys = append(keys, r.Key)
	}
	return keys
}

// A row waits for its files, and goes when the last of them is there or given
// up; not before.
func TestRowWaitsForItsFiles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		row := webhook("sms:MM1", "text:MM1", tickets.ChannelSMS, media(0), media(1))
		row.Hold = noon.Add(10 * time.Minute)
		if n := add(t, db, row, item(1)); n != 2 {
			t.Fatalf("added %d rows, want 2", n)
		}
		if again := add(t, db, webhook("sms:MM1", "text:MM1", tickets.ChannelSMS, media(7))); again != 0 {
			t.Fatalf("a known key added %d rows", again)
		}
		diff(t, "claimed while files are fetched", keysOf(claim(t, db, 9, noon)), []string{item(1).Key})
		if next := must(db.NextFetch(ctx))(t); !next.Equal(noon) {
			t.Errorf("next file at %v, want now", next)
		}

		downloads := claimFetches(t, db, 9, noon)
		if len(downloads) != 2 {
			t.Fatalf("claimed %+v, want the two files of the first delivery", downloads)
		}
		want := store.Download{ID: downloads[0].ID, Fetch: media(0), Ledger: downloads[0].Ledger, Brand: "acme", Contact: "text:MM1", Since: noon, Epoch: 1}
		diff(t, "file", downloads[0], want)
		if more := claimFetches(t, db, 9, noon); len(more) != 0 {
			t.Errorf("claimed files were handed out again: %+v", more)
		}
		if next := must(db.NextFetch(ctx))(t); !next.Equal(noon.Add(time.Minute)) {
			t.Errorf("next file at %v, want when the claim runs out", next)
		}

		if err := db.Fetched(ctx, downloads[0], file(downloads[0])); err != nil {
			t.Fatal(err)
		}
		diff(t, "claimed after one file", keysOf(claim(t, db, 9, noon)), []string{media(0).Key})
		if err := db.Fetched(ctx, downloads[0], file(downloads[0])); !errors.Is(err, store.ErrLost) {
			t.Errorf("fetched twice: %v, want ErrLost", err)
		}
		if err := db.FetchFailed(ctx, downloads[1], "404", noon.Add(5*time.Second)); err != nil {
			t.Fatal(err)
		}
		if early := claimFetches(t, db, 9, noon.Add(4*time.Second)); len(early) != 0 {
			t.Errorf("tried again too early: %+v", early)
		}
		again := claimFetches(t, db, 9, noon.Add(5*time.Second))
		if len(again) != 1 || again[0].Attempts != 1 || again[0].Key != media(1).Key {
			t.Fatalf("second attempt: %+v", again)
		}
		if err := db.FetchFailed(ctx, downloads[1], "late", time.Time{}); !errors.Is(err, store.ErrLost) {
			t.Errorf("the first worker gave up: %v, want ErrLost", err)
		}
		if err := db.FetchFailed(ctx, again[0], "gone", time.Time{}); err != nil {
			t.Fatal(err)
		}
		diff(t, "claimed after all files", keysOf(claim(t, db, 9, noon)), []string{"sms:MM1"})
		if next := must(db.NextFetch(ctx))(t); !next.IsZero() {
			t.Errorf("next file at %v of none", next)
		}
	})
}

// The row goes by itself when its time is over.
func TestHoldRunsOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		row := webhook("sms:MM1", "text:MM1", tickets.ChannelSMS, media(0))
		row.Hold = noon.Add(time.Minute)
		add(t, db, row)
		if early := claim(t, db, 9, noon.Add(59*time.Second)); len(early) != 0 {
			t.Errorf("claimed %+v before its time", early)
		}
		late := claim(t, db, 9, noon.Add(time.Minute))
		if len(late) != 1 || late[0].Contact != "text:MM1" || late[0].Attempts != 0 {
			t.Errorf("claimed %+v", late)
		}
	})
}

// A file that is in the ledger, or that another row waits for, is fetched once.
func TestFileIsFetchedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		add(t, db, webhook("a", "", tickets.ChannelSMS, media(0)), webhook("b", "", tickets.ChannelSMS, media(0), media(0)))
		list := claimFetches(t, db, 9, noon)
		if len(list) != 1 {
			t.Fatalf("to fetch: %+v, want one", list)
		}
		if err := db.Fetched(t.Context(), list[0], file(list[0])); err != nil {
			t.Fatal(err)
		}
		add(t, db, webhook("c", "", tickets.ChannelSMS, media(0)))
		if list = claimFetches(t, db, 9, noon); len(list) != 0 {
			t.Errorf("fetched again: %+v", list)
		}
		// The reconciler may have brought the file meanwhile.
		add(t, db, webhook("d", "", tickets.ChannelSMS, media(1)))
		list = claimFetches(t, db, 9, noon)
		add(t, db, file(list[0]))
		if err := db.Fetched(t.Context(), list[0], file(list[0])); err != nil {
			t.Error(err)
		}
		if tally := must(db.Tally(t.Context(), ""))(t); tally.Total != 6 {
			t.Errorf("%d rows, want 4 and 2 files", tally.Total)
		}
	})
}

func TestFetchesInOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for i, ago := range []int{1, 3, 2} {
			row := webhook(fmt.Sprint("row", i), "", tickets.ChannelSMS, media(i))
			row.Received = noon.Add(-time.Duration(ago) * time.Minute)
			add(t, db, row)
		}
		got := ""
		for range 3 {
			got += claimFetches(t, db, 1, noon)[0].Key + " "
		}
		if want := "media:MM1:1 media:MM1:2 media:MM1:0 "; got != want {
			t.Errorf("fetched %s, want %s", got, want)
		}
	})
}

// Two nodes fetch the files of many rows: each file is handed out once, and
// each row goes when its last file is there, whoever fetched it.
func TestFetchRace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		nodes := []*store.DB{open(), open()}
		const rows, each = 25, 3
		for r := range rows {
			row := webhook(fmt.Sprint("row", r), "", tickets.ChannelSMS)
			row.Hold = noon.Add(time.Hour)
			for i := range each {
				f := media(i)
				f.Key = fmt.Sprint("media:", r, ":", i)
				row.Fetch = append(row.Fetch, f)
			}
			add(t, nodes[0], row)
		}
		var mu sync.Mutex
		seen := make(map[string]int)
		var wg sync.WaitGroup
		for i := range 6 {
			db := nodes[i%2]
			wg.Go(func() {
				for {
					mu.Lock()
					done := len(seen) >= rows*each
					mu.Unlock()
					if done {
						return
					}
					list, err := db.ClaimFetches(t.Context(), 2, noon, noon.Add(time.Minute))
					if err != nil {
						t.Error(err)
						return
					}
					for _, d := range list {
						mu.Lock()
						seen[d.Key]++
						mu.Unlock()
						if err := db.Fetched(t.Context(), d, file(d)); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		for key, n := range seen {
			if n != 1 {
				t.Errorf("file %s was handed out %d times", key, n)
			}
		}
		if got := claim(t, nodes[0], 1000, noon); len(got) != rows*each+rows {
			t.Errorf("%d rows may be decided, want %d rows and their %d files", len(got), rows, rows*each)
		}
	})
}

// A restart hands out what a dead daemon had claimed, but a row that waits for
// its files goes on waiting.
func TestRestartKeepsHeldRows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "desk.db")
	db := must(openAt(t, path, true))(t)
	row := webhook("sms:MM1", "text:MM1", tickets.ChannelSMS, media(0))
	row.Hold = noon.Add(time.Minute)
	add(t, db, row, item(1))
	if got := len(claim(t, db, 9, noon)) + len(claimFetches(t, db, 9, noon)); got != 2 {
		t.Fatalf("claimed %d, want a row and a file", got)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = must(openAt(t, path, true))(t)
	defer db.Close()
	diff(t, "claimed after a restart", keysOf(claim(t, db, 9, noon)), []string{item(1).Key})
	if list := claimFetches(t, db, 9, noon); len(list) != 1 {
		t.Errorf("files to fetch after a restart: %+v, want one", list)
	}
}
