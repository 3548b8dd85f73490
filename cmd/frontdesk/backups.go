package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// The backups in a folder, and the note of the newest that doctor and the
// metrics read.

// backupName names a backup by its time, so that names sort as times do.
func backupName(at time.Time) string {
	return "frontdesk-" + at.UTC().Format("20060102-150405") + ".db"
}

var isBackupName = regexp.MustCompile(`^frontdesk-[0-9]{8}-[0-9]{6}\.db$`).MatchString

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// removeOld removes all backups in dir but the newest keep, and nothing that has
// another name.
func removeOld(dir string, keep int) (removed []string, err error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return !e.Type().IsRegular() || !isBackupName(e.Name()) })
	for _, e := range entries[:max(0, len(entries)-keep)] {
		name := filepath.Join(dir, e.Name())
		if err := os.Remove(name); err != nil {
			return removed, err
		}
		removed = append(removed, name)
	}
	return removed, nil
}

// backupNote says of the newest backup when it was made, where it is, and
// whether it was restored and compared.
type backupNote struct {
	Time     time.Time `json:"time"`
	File     string    `json:"file"`
	Verified bool      `json:"verified"`
}

// backupNoteFile lies in data_dir, not in the database: a restored database
// does not forget the backups that were made since.
const backupNoteFile = "last-backup.json"

func (d *desk) noteBackup(n backupNote) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	file := filepath.Join(d.cfg.DataDir, backupNoteFile)
	fresh := file + ".new"
	if err := os.WriteFile(fresh, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, file)
}

// lastBackup reads the note; its time is zero when there is none.
func lastBackup(dataDir string) (n backupNote, err error) {
	text, err := os.ReadFile(filepath.Join(dataDir, backupNoteFile))
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &n)
	}
	return n, err
}
