package store_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"frontdesk/store"
)

// More goes through a daemon's WAL than it may hold, with readers beside.
func TestCheckpointsBesideTheWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "desk.db")
	db := must(openAt(t, path, true))(t)
	random := rand.NewChaCha8([32]byte{1})
	sums := make(map[int64][32]byte)
	for i := range 96 {
		it := store.Item{Key: fmt.Sprint("lmtp:", i), Brand: "acme", Channel: "email", Received: noon, Data: make([]byte, 1<<20)}
		random.Read(it.Data)
		it.SHA256 = sha256.Sum256(it.Data)
		sums[int64(i+1)] = it.SHA256
		if _, err := db.Append(t.Context(), []store.Item{it}, nil); err != nil {
			t.Fatal(err)
		}
		if id := int64(i/2 + 1); sha256.Sum256(must(db.Raw(t.Context(), id))(t)) != sums[id] {
			t.Fatalf("row %d has other bytes", id)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Error("the WAL is left after Close")
	}
	again := must(openAt(t, path, true))(t)
	defer again.Close()
	seen := 0
	if err := again.CheckRaw(t.Context(), func() { seen++ }); err != nil || seen != len(sums) {
		t.Errorf("%d whole rows, %v, want %d", seen, err, len(sums))
	}
}
