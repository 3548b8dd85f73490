package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "bring the database to this version",
		Long: `Migrate brings the database to what this version of frontdesk expects. run and
every other command do so, too; migrate is for those who want to see it done
before they start the daemon. A database of a newer version is refused.`,
		Example: "  frontdesk backup before.db --verify && frontdesk migrate",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
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
}
