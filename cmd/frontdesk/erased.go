package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"frontdesk/config"
	"frontdesk/store"
)

// erasedFile remembers each erasure, a line of JSON each, outside of the
// database: a backup that is put back does not know of those made since. It is
// only added to. There are keyed hashes in it, and nothing else of a person.
func erasedFile(cfg *config.Config) string { return filepath.Join(cfg.DataDir, "erased") }

// rememberErasure adds a line, on disk when it returns. A line that a power cut
// left half is ended first.
func rememberErasure(cfg *config.Config, e store.Erasure) (err error) {
	name := erasedFile(cfg)
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if size, err := f.Seek(0, 2); err == nil && size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return syncFolder(cfg.DataDir)
}

// rememberedErasures reads the file. A line that is cut off was never acted on
// and is passed over; any other that cannot be read is an error: somebody's data
// would come back.
func rememberedErasures(cfg *config.Config) (list []store.Erasure, err error) {
	data, err := os.ReadFile(erasedFile(cfg))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for n := 1; lines.Scan(); n++ {
		var e store.Erasure
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := json.Unmarshal(line, &e); err != nil {
			var syntax *json.SyntaxError
			if errors.As(err, &syntax) && syntax.Error() == "unexpected end of JSON input" {
				continue
			}
			return nil, fmt.Errorf("%s:%d: %w", erasedFile(cfg), n, err)
		}
		list = append(list, e)
	}
	return list, lines.Err()
}

// eraseAgain brings a database up to the erasures of the file: those that it
// does not know, because it is older, and those that were broken off. It returns
// how many customers it erased.
func eraseAgain(ctx context.Context, db *store.DB, cfg *config.Config) (people int, err error) {
	list, err := rememberedErasures(cfg)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	done, err := db.Erasures(ctx)
	if err != nil {
		return 0, err
	}
	for _, e := range list {
		if done[e.ID] {
			continue
		}
		n, err := eraseMarked(ctx, db, cfg, e)
		if err != nil {
			return people, fmt.Errorf("erase again what was erased on %s: %w", e.At.Format("2006-01-02"), err)
		}
		people += n
	}
	return people, nil
}

// eraseMarked makes one remembered erasure in a database.
func eraseMarked(ctx context.Context, db *store.DB, cfg *config.Config, e store.Erasure) (people int, err error) {
	if err := db.Entomb(ctx, e); err != nil {
		return 0, err
	}
	ids, err := db.MarkedPeople(ctx, e.Marks)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		t, err := db.Traces(ctx, id)
		if err != nil {
			return people, err
		}
		if err := db.Erase(ctx, t, now(), func() {}); err != nil {
			return people, err
		}
		people++
	}
	for _, b := range cfg.Brands {
		if err := db.EraseMarkedRows(ctx, b.ID, e.Marks); err != nil {
			return people, err
		}
	}
	if err := db.Erased(ctx, e.ID); err != nil {
		return people, err
	}
	return people, db.Scrub(ctx)
}
