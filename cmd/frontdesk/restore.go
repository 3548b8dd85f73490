package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"frontdesk/config"
	"frontdesk/store"
)

func restoreCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "restore FILE [--force]",
		Short: "put a backup in place",
		Long: `Restore puts a backup into data_dir. Stop the daemon first. When a database is
there already nothing is done, unless --force moves it aside (it is kept).

The backup does not know what was sent after it was made. So that nobody gets a
letter twice, every letter that was not sent then is held. Mail that came since is
fetched again from the mailboxes and becomes tickets again; what the desk would
write about mail that came, and about dates that passed, before the restore is
held, too. Look at "outbox list", then let them go with "outbox retry --restored",
or have them never sent with "outbox drop --restored", which is right when the
desk worked until the restore. Mail that comes from now on is answered as ever.

Customers who were erased since the backup are erased again, before anything is
in place: data_dir/erased remembers them. Keep that file when you move the desk.`,
		Example: "  systemctl stop frontdesk\n  frontdesk restore /backup/frontdesk-2026-11-21.db --force",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config.Load(configFile(cmd))
			if err != nil {
				return failed(fmt.Errorf("%w\nhint: frontdesk check --config %s", err, configFile(cmd)))
			}
			return failed(restore(cmd, cfg, args[0], force))
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "move a database that is there aside")
	return cmd
}

func restore(cmd *cobra.Command, cfg *config.Config, file string, force bool) error {
	if cfg.Database.IsPostgres() {
		return errors.New("the desk's database is PostgreSQL\nhint: pg_restore --clean --if-exists --dbname=URL FILE, then frontdesk outbox hold before the daemon starts")
	}
	if err := os.MkdirAll(cfg.DataDir, 0o750); err != nil {
		return err
	}
	target := databaseOf(cfg)
	aside, err := makeRoom(cmd.Context(), target, force)
	if err != nil {
		return err
	}
	held, erased, err := putInPlace(cmd.Context(), cfg, file, target)
	if err != nil {
		return err
	}
	if aside != "" {
		fmt.Fprintf(cmd.OutOrStdout(), "the old database is now %s\n", aside)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "restored %s: letters held=%d\n", target, held)
	if erased > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "customers erased since the backup, and erased again: %d\n", erased)
	}
	if held > 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "hint: frontdesk outbox list, then frontdesk outbox retry for those that were never sent")
	}
	return err
}

// makeRoom moves a database that is there aside, or refuses. A running daemon
// keeps its own.
func makeRoom(ctx context.Context, target string, force bool) (aside string, err error) {
	if _, err := os.Stat(target); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if !force {
		return "", fmt.Errorf("%s is there: nothing was done\nhint: --force moves it aside", target)
	}
	db, err := store.Open(ctx, store.Options{Database: target, Daemon: true})
	switch {
	case errors.Is(err, store.ErrLocked):
		return "", fmt.Errorf("%w\nhint: systemctl stop frontdesk", err)
	case err == nil:
		if err := db.Close(); err != nil { // writes the log back into the file
			return "", err
		}
	}
	aside = fmt.Sprintf("%s.%s", target, now().Format("20060102-150405"))
	for _, suffix := range []string{"-wal", "-shm", ".sent", ""} {
		err := os.Rename(target+suffix, aside+suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	return aside, nil
}

// putInPlace restores file beside the target, checks it and holds its letters,
// and only then gives it its name: a power cut leaves no half of it.
func putInPlace(ctx context.Context, cfg *config.Config, file, target string) (held, erased int, err error) {
	dir, err := os.MkdirTemp(filepath.Dir(target), "restore-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir)
	fresh := filepath.Join(dir, "frontdesk.db")
	if err := copyFile(file, fresh); err != nil {
		return 0, 0, err
	}
	if held, erased, err = prepareRestored(ctx, cfg, fresh); err != nil {
		return 0, 0, fmt.Errorf("%s: %w", file, err)
	}
	if err := os.Rename(fresh, target); err != nil {
		return 0, 0, err
	}
	return held, erased, syncFolder(filepath.Dir(target))
}

// prepareRestored opens a restored database, erases again what was erased since
// the backup, and holds every letter that it takes for unsent.
func prepareRestored(ctx context.Context, cfg *config.Config, file string) (held, erased int, err error) {
	db, err := store.Open(ctx, store.Options{Database: file, Daemon: true, Keys: keyringOf(cfg)})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if erased, err = eraseAgain(ctx, db, cfg); err != nil {
		return 0, 0, err
	}
	held, err = db.NoteRestore(ctx, now())
	return held, erased, err
}

// syncFolder makes a new name in a folder survive a power cut.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
