package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/store"
)

func backupCommand() *cobra.Command {
	var verify, asJSON bool
	var keep int
	cmd := &cobra.Command{
		Use:   "backup FILE|FOLDER [--verify] [--keep N]",
		Short: "one consistent snapshot, while the desk runs",
		Long: `Backup writes everything that the desk keeps, mails, tickets and letters, into
FILE: one SQLite database, on disk when the command ends. FILE must not exist.
Keep the configuration and the secret with it.

In a FOLDER that is there the file is named by the time, in UTC; --keep N then
removes all but the newest N of that name, after the new one is whole.

--verify restores it into a temporary folder, checks the database, compares the
counts and hashes of all mails, messages, events, letters and tickets with the
running desk, and unpacks every mail and compares it with its hash.

With PostgreSQL use pg_dump.`,
		Example: "  frontdesk backup /backup/frontdesk-$(date +%F).db --verify",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			if keep != 0 && (keep < 0 || !isFolder(args[0])) {
				return errors.New("--keep wants a number of backups to keep, and a folder that they are in")
			}
			return d.backup(cmd, args[0], keep, verify, asJSON)
		},
	}
	cmd.Flags().BoolVar(&verify, "verify", false, "restore it elsewhere and compare")
	cmd.Flags().IntVar(&keep, "keep", 0, "in a folder: how many of the newest stay (0 all)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// backupJSON is what "backup --json" prints.
type backupJSON struct {
	File     string           `json:"file"`
	Size     int64            `json:"size"`
	Verified bool             `json:"verified"`
	Rows     map[string]int64 `json:"rows,omitempty"` // by table, when verified
	Removed  []string         `json:"removed,omitempty"`
}

func (d *desk) backup(cmd *cobra.Command, target string, keep int, verify, asJSON bool) error {
	if d.cfg.Database.IsPostgres() {
		return failed(errors.New("the desk's database is PostgreSQL\nhint: pg_dump --format=custom --file=FILE URL"))
	}
	file, made := target, now()
	if isFolder(target) {
		file = filepath.Join(target, backupName(made))
	}
	if err := d.db.Backup(cmd.Context(), file); err != nil {
		return failed(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return failed(err)
	}
	out := backupJSON{File: file, Size: info.Size()}
	if verify {
		if out.Rows, err = d.verify(cmd, file); err != nil {
			return failed(fmt.Errorf("%s is no good: %w", file, err))
		}
		out.Verified = true
	}
	if keep > 0 {
		if out.Removed, err = removeOld(target, keep); err != nil {
			return failed(err)
		}
	}
	if err := d.noteBackup(backupNote{made.UTC().Truncate(time.Second), file, out.Verified}); err != nil {
		return failed(err)
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), out)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes\n", file, out.Size)
	if verify {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "verified: mails=%d tickets=%d messages=%d events=%d letters=%d\n",
			out.Rows["ledger"], out.Rows["tickets"], out.Rows["messages"], out.Rows["events"], out.Rows["letters"])
	}
	for _, old := range out.Removed {
		fmt.Fprintf(cmd.OutOrStdout(), "removed %s\n", old)
	}
	return failed(err)
}

// verify restores a backup into a temporary folder and compares it with the
// store it was made of.
func (d *desk) verify(cmd *cobra.Command, file string) (map[string]int64, error) {
	ctx := cmd.Context()
	dir, err := os.MkdirTemp(d.cfg.DataDir, "verify-") // as much room, and as private, as the original
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	restored := filepath.Join(dir, "frontdesk.db")
	if err := copyFile(file, restored); err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Options{Database: restored, Daemon: true, Blobs: d.places.options(d.cfg)}) // as a daemon: it is checked
	if err != nil {
		return nil, err
	}
	defer db.Close()
	has, err := db.Sums(ctx, nil)
	if err != nil {
		return nil, err
	}
	rows, err := d.compareSums(ctx, has)
	if err != nil {
		return nil, err
	}
	bar := newBar(cmd, int(rows["ledger"]), "mails")
	defer func() { _ = bar.Finish() }()
	return rows, db.CheckRaw(ctx, func() { _ = bar.Add(1) })
}

// compareSums compares a copy with the store, as far as the copy goes.
func (d *desk) compareSums(ctx context.Context, has map[string]store.Sum) (map[string]int64, error) {
	want, err := d.db.Sums(ctx, has)
	if err != nil {
		return nil, err
	}
	rows := map[string]int64{}
	for _, table := range sortedKeys(has) {
		a, b := has[table], want[table]
		rows[table] = a.Rows
		switch {
		case a.Last == 0: // empty: there is no bound to compare up to
		case a.Rows != b.Rows:
			return nil, fmt.Errorf("%s: %d rows, the desk has %d", table, a.Rows, b.Rows)
		case a.Hash != b.Hash:
			return nil, fmt.Errorf("%s: the same %d rows, but other contents", table, a.Rows)
		}
	}
	return rows, nil
}

// copyFile copies a file that must not exist yet, and syncs the copy.
func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if closing := out.Close(); err == nil {
			err = closing
		}
	}()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Sync()
}
