package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Folder keeps each blob in a file, in subfolders named after the first two
// characters.
type Folder struct {
	dir string
}

// marker is a file in each folder of blobs: without it the disk that holds them
// is not mounted, and the folder that is seen is the empty one below.
const marker = "frontdesk-blobs"

// partly is the end of the names of files that are being written.
const partly = ".part"

// NewFolder returns the folder; it touches nothing.
func NewFolder(dir string) *Folder { return &Folder{dir: dir} }

// Prepare makes the folder where there is none. An existing one must be empty or
// have been made by Prepare. It is for a database that names no blobs there yet:
// one that does, and finds none, waits for its disk.
func (f *Folder) Prepare() error {
	if err := f.prepare(); err != nil {
		return fmt.Errorf("prepare the folder of blobs: %w", err)
	}
	return nil
}

func (f *Folder) prepare() error {
	if _, err := mkdir(f.dir); err != nil {
		return err
	}
	if f.mounted() == nil {
		return nil
	}
	names, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		if n.Name() != "lost+found" && !strings.HasSuffix(n.Name(), partly) {
			return fmt.Errorf("%s holds other things, and no file %s\nhint: name an empty folder under blobs.folder", f.dir, marker)
		}
	}
	return f.write(filepath.Join(f.dir, marker), []byte("Blobs of a frontdesk. Its database names them; delete nothing here.\n"))
}

// mounted says what is wrong with the folder as a whole.
func (f *Folder) mounted() error {
	_, err := os.Stat(filepath.Join(f.dir, marker))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has no file %s: is the disk mounted?\nhint: mount it, or put back what was there", f.dir, marker)
	}
	return err
}

func (f *Folder) path(name string) string { return filepath.Join(f.dir, name[:2], name) }

// Put writes the file under another name, syncs it, renames it, and syncs the
// folder.
func (f *Folder) Put(_ context.Context, name string, data []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := f.mounted(); err != nil {
		return err
	}
	if _, err := mkdir(filepath.Dir(f.path(name))); err != nil {
		return err
	}
	return f.write(f.path(name), data)
}

func (f *Folder) write(path string, data []byte) (err error) {
	part, err := os.CreateTemp(filepath.Dir(path), "*"+partly) // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(part.Name())
		}
	}()
	_, err = part.Write(data)
	if err == nil {
		err = part.Sync()
	}
	if closing := part.Close(); err == nil { // after a sync that failed nothing else counts
		err = closing
	}
	if err != nil {
		return err
	}
	if err := os.Rename(part.Name(), path); err != nil {
		return err
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		_ = os.Remove(path) // nobody will name it
		return err
	}
	return nil
}

// Get opens the file.
func (f *Folder) Get(_ context.Context, name string) (io.ReadCloser, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	file, err := os.Open(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		if err := f.mounted(); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	return file, nil
}

// Delete removes the file; the removal is synced.
func (f *Folder) Delete(_ context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	err := os.Remove(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return f.mounted()
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(f.path(name)))
}

// abandoned is how old a file is that nobody writes any more.
const abandoned = 24 * time.Hour

// Walk calls fn for each file. What was begun and never ended is removed on the
// way.
func (f *Folder) Walk(ctx context.Context, fn func(name string, size int64, put time.Time) error) error {
	if err := f.mounted(); err != nil {
		return err
	}
	return filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || !d.Type().IsRegular() || d.Name() == marker {
			return ignoreGone(err)
		}
		info, err := d.Info()
		if err != nil {
			return ignoreGone(err)
		}
		if strings.HasSuffix(path, partly) {
			if time.Since(info.ModTime()) > abandoned {
				return ignoreGone(os.Remove(path)) // #nosec G122 -- the desk's own folder; a symbolic link in it is not followed
			}
			return nil
		}
		if checkName(d.Name()) != nil || path != f.path(d.Name()) {
			return nil // not ours
		}
		return fn(d.Name(), info.Size(), info.ModTime())
	})
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// checkName keeps everything else than names of blobs out of paths and requests.
func checkName(name string) error {
	if len(name) < 3 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("%q is no name of a blob", name)
	}
	return nil
}

// mkdir makes a folder and its parents, so that they survive a power cut.
func mkdir(dir string) (made bool, err error) {
	if _, err := os.Stat(dir); err == nil {
		return false, nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if _, err := mkdir(parent); err != nil {
			return false, err
		}
	}
	err = os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err != nil {
		return false, err
	}
	return true, syncFolder(parent)
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
