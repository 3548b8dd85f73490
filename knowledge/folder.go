package knowledge

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// MaxArticles bounds a folder.
const MaxArticles = 5000

// Folder is the articles of a folder as they were when it was last looked at.
type Folder struct {
	dir  string
	base atomic.Pointer[Base]

	mu    sync.Mutex
	files map[string]*file // by name below the folder
}

// file is what is known of one file.
type file struct {
	size    int64
	changed time.Time
	article *Article // as last read well, nil never
}

// Open reads a folder. The error joins what is wrong with its files; the folder
// is there all the same, with those that are well, unless it cannot be read at
// all.
func Open(dir string) (*Folder, error) {
	f := &Folder{dir: dir, files: map[string]*file{}}
	f.base.Store(New(nil))
	_, err := f.Look()
	return f, err
}

// Base returns the articles. It never waits.
func (f *Folder) Base() *Base { return f.base.Load() }

// Look reads what changed since the last look: files whose size or time is
// another, new ones, and those that are gone. A file that is broken now keeps
// what it said before; the error names it once, until it changes again. changed
// reports whether anything that is found may be another.
func (f *Folder) Look() (changed bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	names, err := f.list()
	if err != nil {
		return false, err
	}
	var wrong []error
	for name := range f.files {
		if _, there := names[name]; !there {
			delete(f.files, name)
			changed = true
		}
	}
	for _, name := range slices.Sorted(keys(names)) {
		info, have := names[name], f.files[name]
		if have != nil && have.size == info.Size() && have.changed.Equal(info.ModTime()) {
			continue
		}
		if have == nil {
			have = &file{}
			f.files[name] = have
		}
		have.size, have.changed = info.Size(), info.ModTime()
		a, err := f.read(name, info.Size())
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		have.article, changed = &a, true
	}
	if changed {
		wrong = append(wrong, f.index()...)
	}
	return changed, errors.Join(wrong...)
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// list names the articles' files: *.md at any depth, but for README.md and what
// begins with a dot or an underscore.
func (f *Folder) list() (map[string]fs.FileInfo, error) {
	out := map[string]fs.FileInfo{}
	err := filepath.WalkDir(f.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		hidden := p != f.dir && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_"))
		switch {
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden, d.IsDir(), path.Ext(name) != ".md", strings.EqualFold(name, "README.md"):
			return nil
		}
		info, err := os.Stat(p)
		if errors.Is(err, fs.ErrNotExist) { // gone meanwhile, or a link that leads nowhere
			return nil
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		below, err := filepath.Rel(f.dir, p)
		if err != nil {
			return err
		}
		if out[filepath.ToSlash(below)] = info; len(out) > MaxArticles {
			return fmt.Errorf("more than %d articles", MaxArticles)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the articles in %s: %w", f.dir, err)
	}
	return out, nil
}

func (f *Folder) read(name string, size int64) (Article, error) {
	if size > MaxFile {
		return Article{}, Problem{name, 1, fmt.Sprintf("size %d above limit %d", size, MaxFile)}
	}
	text, err := os.ReadFile(filepath.Join(f.dir, filepath.FromSlash(name)))
	if err != nil {
		return Article{}, fmt.Errorf("%s: %w", name, err)
	}
	return Parse(name, text)
}

// index makes the base anew. Of two files with one id the first by name counts.
func (f *Folder) index() []error {
	var list []Article
	var wrong []error
	first := map[string]string{}
	for _, name := range slices.Sorted(keys(f.files)) {
		a := f.files[name].article
		switch {
		case a == nil:
		case first[a.ID] != "":
			wrong = append(wrong, Problem{name, 1, fmt.Sprintf("id: %q is that of %s already", a.ID, first[a.ID])})
		default:
			first[a.ID] = name
			list = append(list, *a)
		}
	}
	f.base.Store(New(list))
	return wrong
}
