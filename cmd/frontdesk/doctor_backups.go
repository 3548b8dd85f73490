package main

import (
	"context"
	"os"
	"time"

	"frontdesk/store"
)

const (
	oldBackup = 8 * 24 * time.Hour  // of a weekly backup that is a day late
	oldCopy   = 30 * 24 * time.Hour // from before an upgrade: it holds what was erased since
)

// examineBackups looks at what frontdesk backup left word of. With PostgreSQL
// backups are made by others, and nobody knows here.
func (d *desk) examineBackups(ctx context.Context, now time.Time, found func(string, string, ...any)) error {
	if d.cfg.Database.IsPostgres() {
		return nil
	}
	if err := d.examineCopies(now, found); err != nil {
		return err
	}
	last, err := lastBackup(d.cfg.DataDir)
	if err != nil {
		found("frontdesk backup FOLDER --verify writes it anew", "%s cannot be read: %v", backupNoteFile, err)
		return nil
	}
	const timer = "systemctl enable --now frontdesk-backup.timer; or frontdesk backup FOLDER --verify --keep 14"
	switch {
	case last.Time.IsZero():
		first, err := d.db.FirstArrival(ctx)
		if err == nil && !first.IsZero() && now.Sub(first) > oldBackup {
			found(timer, "there is mail since %s, and no backup was ever made", stamp(first))
		}
		return err
	case now.Sub(last.Time) > oldBackup:
		found(timer, "the newest backup is of %s", stamp(last.Time))
	case !last.Verified:
		found("frontdesk backup FOLDER --verify", "the newest backup, of %s, was not verified", stamp(last.Time))
	}
	return nil
}

func (d *desk) examineCopies(now time.Time, found func(string, string, ...any)) error {
	copies, err := store.CopiesBefore(databaseOf(d.cfg))
	if err != nil {
		return err
	}
	for _, name := range copies {
		if info, err := os.Stat(name); err == nil && now.Sub(info.ModTime()) > oldCopy {
			found("rm "+name, "%s is from before an upgrade, of %s: it holds what was erased since", name, stamp(info.ModTime()))
		}
	}
	return nil
}
