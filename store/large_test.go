package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
)

// What was packed while it came is read as it was: at sizes around the pieces
// in which it is loaded, and whether it compresses or not.
func TestPack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		noise := make([]byte, 5<<20)
		rand.NewChaCha8([32]byte{1}).Read(noise)
		var want [][]byte
		for _, data := range [][]byte{
			noise, noise[:2<<20-300], noise[:2<<20], noise[:4<<20-200], noise[:4<<20+1], noise[:store.LargeMail+1], noise[:store.LargeMail+80<<10], noise[:store.LargeMail+256<<10],
			bytes.Repeat([]byte("The printer is offline.\r\n"), 1<<17),
		} {
			p := db.NewPack()
			for part := data; len(part) > 0; {
				n := min(len(part), 32<<10)
				if _, err := p.Write(part[:n]); err != nil {
					t.Fatal(err)
				}
				part = part[n:]
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			it := item(len(want) + 1)
			if it.SHA256 = p.Sum(); it.SHA256 != sha256.Sum256(data) {
				t.Errorf("%d bytes: another hash", len(data))
			}
			it.Data, it.Pack = nil, p
			if _, err := db.Append(t.Context(), []store.Item{it}, nil); err != nil {
				t.Fatal(err)
			}
			p.Drop()
			want = append(want, data)
		}
		rows := must(db.ClaimLedger(t.Context(), "acme", 50, noon, noon.Add(time.Minute)))(t)
		if len(rows) != len(want) {
			t.Fatalf("%d rows of %d", len(rows), len(want))
		}
		for i, row := range rows {
			if row.Data != nil || row.Size != int64(len(want[i])) {
				t.Errorf("row %d: claimed with %d bytes, size %d, want 0 and %d", row.ID, len(row.Data), row.Size, len(want[i]))
			}
			if got := must(db.Raw(t.Context(), row.ID))(t); !bytes.Equal(got, want[i]) {
				t.Errorf("row %d: %d bytes, want %d", row.ID, len(got), len(want[i]))
			}
			m := must(db.Open(t.Context(), row.ID))(t)
			m.Passed()
			if !bytes.Equal(m.Data, want[i]) {
				t.Errorf("row %d: %d bytes mapped, want %d", row.ID, len(m.Data), len(want[i]))
			}
			m.Passed()
			m.Close()
			m.Close()
		}
		if err := db.CheckRaw(t.Context(), func() {}); err != nil {
			t.Error(err)
		}
		if _, err := db.Raw(t.Context(), 1<<40); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("bytes of no row: %v", err)
		}
	})
}

// Whoever has a large mail in hand keeps others waiting, but none that is small.
func TestLargeTakesTurns(t *testing.T) {
	t.Parallel()
	db := &store.DB{}
	free := must(db.Large(t.Context(), 25<<20))(t)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := db.Large(short, 25<<20); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second one: %v", err)
	}
	must(db.Large(t.Context(), store.LargeMail))(t)()
	next := make(chan error, 1)
	go func() {
		free, err := db.Large(t.Context(), 1<<30)
		if err == nil {
			free()
		}
		next <- err
	}()
	free()
	free() // a second time is none
	if err := <-next; err != nil {
		t.Error(fmt.Errorf("one above all room: %w", err))
	}
}

// Without a folder for files a large mail is in memory, and is taken in and read.
func TestLargeMailWithoutFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := must(store.Open(t.Context(), store.Options{Database: filepath.Join(dir, "desk.db"), Spool: filepath.Join(dir, "nowhere"), Fast: true}))(t)
	defer db.Close()
	data := bytes.Repeat([]byte("The printer is offline.\r\n"), 1<<17)
	p := db.NewPack()
	must(p.Write(data))(t)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	it := item(1)
	it.Data, it.Pack, it.SHA256 = nil, p, p.Sum()
	must(db.Append(t.Context(), []store.Item{it}, nil))(t)
	p.Drop()
	m := must(db.Open(t.Context(), 1))(t)
	defer m.Close()
	m.Passed()
	if !bytes.Equal(m.Data, data) {
		t.Errorf("%d bytes of %d", len(m.Data), len(data))
	}
}

// What was being done leaves no file behind, whoever holds it.
func TestLargeMailLeavesNoFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := must(store.Open(t.Context(), store.Options{Database: filepath.Join(dir, "desk.db"), Fast: true}))(t)
	defer db.Close()
	before := must(os.ReadDir(dir))(t)
	p := db.NewPack()
	defer p.Drop()
	must(p.Write(make([]byte, 3<<20)))(t)
	if after := must(os.ReadDir(dir))(t); len(after) != len(before) {
		t.Errorf("%d files beside the database, %d before", len(after), len(before))
	}
}
