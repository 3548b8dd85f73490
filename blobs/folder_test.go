package blobs_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"frontdesk/blobs"
)

func prepared(t *testing.T, dir string) *blobs.Folder {
	t.Helper()
	f := blobs.NewFolder(dir)
	if err := f.Prepare(); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "deep", "blobs")
	f := prepared(t, dir)
	keeps(t, f)
	if err := f.Put(t.Context(), name(1), []byte("stays")); err != nil {
		t.Fatal(err)
	}
	again := prepared(t, dir)
	r, err := again.Get(t.Context(), name(1))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(r)
	if r.Close(); string(got) != "stays" {
		t.Errorf("%q", got)
	}
	info, err := os.Stat(filepath.Join(dir, name(1)[:2], name(1)))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: others may read it", info, err)
	}
}

// What a crash left half written is never a blob, and goes after a day.
func TestHalfWrittenFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := prepared(t, dir)
	old, fresh := filepath.Join(dir, "aa", "1.part"), filepath.Join(dir, "aa", "2.part")
	if err := os.MkdirAll(filepath.Dir(old), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{old, fresh, filepath.Join(dir, "aa", "README"), filepath.Join(dir, "aa", name(0xbb))} {
		if err := os.WriteFile(p, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := walk(t, f); len(got) != 0 {
		t.Errorf("listed: %v", got)
	}
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that nobody writes any more is there: %v", err)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("a file that may be being written is gone: %v", err)
	}
}

// A disk that is not mounted leaves an empty folder: nothing is put there, and
// nothing is taken for missing.
func TestFolderNotMounted(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "blobs")
	f := prepared(t, dir)
	if err := f.Put(t.Context(), name(1), []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".elsewhere"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.Put(t.Context(), name(2), []byte("x")); err == nil {
		t.Error("put into the folder below the mount point")
	}
	if _, err := f.Get(t.Context(), name(1)); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("get: %v", err)
	}
	if err := f.Delete(t.Context(), name(1)); err == nil {
		t.Error("deleted, it says")
	}
	if err := f.Walk(t.Context(), func(string, int64, time.Time) error { return nil }); err == nil {
		t.Error("the empty folder was listed as if it were ours")
	}
}

// A folder of other things is not taken.
func TestFolderOfOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letter.odt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := blobs.NewFolder(dir).Prepare(); err == nil {
		t.Error("taken")
	}
}
