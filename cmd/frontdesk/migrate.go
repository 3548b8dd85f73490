package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"frontdesk/config"
	"frontdesk/store"
)

func migrateCommand() *cobra.Command {
	var noCopy bool
	cmd := &cobra.Command{
		Use:   "migrate [--no-copy]",
		Short: "bring the database to this version",
		Long: `Migrate brings the database to what this version of frontdesk expects. run and
every other command do so, too; migrate is for those who want to see it done
before they start the daemon. A database of a newer version is refused.

An SQLite database is copied beside itself first, as frontdesk.db.schema-N with
the number that it had; the newest two of these copies stay. --no-copy leaves
that out, for a disk that has no room and a backup that lies elsewhere.`,
		Example: "  frontdesk backup before.db --verify && frontdesk migrate",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if noCopy {
				if err := migrateWithoutCopy(cmd); err != nil {
					return failed(err)
				}
			}
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			name := databaseOf(d.cfg)
			if d.cfg.Database.IsPostgres() {
				name = "the database" // its URL may hold a password
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "ok %s is what frontdesk %s expects\n", name, currentBuild().Version)
			return failed(err)
		},
	}
	cmd.Flags().BoolVar(&noCopy, "no-copy", false, "make no copy of an SQLite database first")
	return cmd
}

func migrateWithoutCopy(cmd *cobra.Command) error {
	cfg, err := config.Load(configFile(cmd))
	if err != nil {
		return fmt.Errorf("%w\nhint: frontdesk check --config %s", err, configFile(cmd))
	}
	db, err := store.Open(cmd.Context(), store.Options{Database: databaseOf(cfg), Keys: keyringOf(cfg)})
	if err != nil {
		return err
	}
	return db.Close()
}
