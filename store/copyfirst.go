package store

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// copiesKept is how many copies from before a change of the schema stay.
const copiesKept = 2

// copyOf writes the database as it is, with schema have, beside itself: what an
// operator goes back to when the new version is no good.
func (e *sqliteEngine) copyOf(ctx context.Context, have int64) error {
	name := e.path + ".schema-" + strconv.FormatInt(have, 10)
	half := name + ".half" // of a start that was cut off
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	size, _ := e.size(ctx)
	err := e.backup(ctx, half)
	if err == nil {
		err = os.Rename(half, name)
	}
	if err == nil {
		err = syncDir(filepath.Dir(name))
	}
	if err != nil {
		_ = os.RemoveAll(half)
		return fmt.Errorf("copy the database (%d MB) to %q first: %w\nhint: make room; or take a backup elsewhere, then frontdesk migrate --no-copy", size>>20+1, name, err)
	}
	return e.dropCopies()
}

// dropCopies removes all but the newest copies.
func (e *sqliteEngine) dropCopies() error {
	copies, err := CopiesBefore(e.path)
	if err != nil {
		return err
	}
	for _, c := range copies[:max(0, len(copies)-copiesKept)] {
		if err := os.Remove(c); err != nil {
			return err
		}
	}
	return nil
}

// CopiesBefore lists the copies that CopyFirst made of an SQLite database, the
// oldest first.
func CopiesBefore(database string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(database))
	if err != nil {
		return nil, fmt.Errorf("list the copies of %q: %w", database, err)
	}
	made := map[string]time.Time{}
	for _, entry := range entries {
		n, ok := strings.CutPrefix(entry.Name(), filepath.Base(database)+".schema-")
		if _, err := strconv.Atoi(n); !ok || err != nil {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return nil, fmt.Errorf("list the copies of %q: %w", database, err)
		}
		made[filepath.Join(filepath.Dir(database), entry.Name())] = info.ModTime()
	}
	// By time, not by schema: after a step back the newest has the lower one.
	return slices.SortedFunc(maps.Keys(made), func(a, b string) int { return made[a].Compare(made[b]) }), nil
}
