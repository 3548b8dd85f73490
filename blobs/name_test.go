package blobs

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzBlobName: a name is refused by all that a folder does, and touches nothing;
// or it is one file within the folder, and comes back by its name alone.
func FuzzBlobName(f *testing.F) {
	for _, s := range []string{"", "a", "ab", "abc", "../../etc/passwd", "ab/../../x", "..", "...", "ab\x00c", "AB1", "abc.part", marker, "-rf", strings.Repeat("a", 300), "é3b", "a\\b", "con", "ab:c"} {
		f.Add(s)
	}
	top := f.TempDir()
	folder := NewFolder(filepath.Join(top, "blobs"))
	if err := folder.Prepare(); err != nil {
		f.Fatal(err)
	}
	files := func() (list []string) {
		_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				list = append(list, path)
			}
			return err
		})
		return list
	}
	f.Fuzz(func(t *testing.T, name string) {
		ctx := context.Background()
		if checkName(name) != nil {
			_, get := folder.Get(ctx, name)
			put, del := folder.Put(ctx, name, []byte("x")), folder.Delete(ctx, name)
			if get == nil || put == nil || del == nil {
				t.Errorf("%q is taken: get %v, put %v, delete %v", name, get, put, del)
			}
		} else {
			path := folder.path(name)
			if rel, err := filepath.Rel(folder.dir, path); err != nil || !filepath.IsLocal(rel) || filepath.Base(path) != name || filepath.Dir(filepath.Dir(path)) != folder.dir {
				t.Errorf("%q lies in %q", name, path)
			}
			if err := folder.Put(ctx, name, []byte(name)); err != nil { // too long for a file system
				if len(name) <= 255 {
					t.Errorf("%q: %v", name, err)
				}
				return
			}
			if now := files(); len(now) != 2 {
				t.Errorf("%q: files %q", name, now)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != name {
				t.Errorf("%q: %q, %v", name, got, err)
			}
			if err := folder.Delete(ctx, name); err != nil {
				t.Errorf("%q: %v", name, err)
			}
		}
		if now := files(); len(now) != 1 || now[0] != filepath.Join(folder.dir, marker) {
			t.Fatalf("%q left %q", name, now)
		}
	})
}
