package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/store"
)

func blobsCommand() *cobra.Command {
	return group("blobs", "bytes of large mails outside of the database",
		`Blobs are the bytes of mails, recordings and files that are larger than
blobs.larger_than, where blobs.store keeps them in a folder or a bucket.`,
		"  frontdesk blobs list\n  frontdesk blobs verify\n  frontdesk blobs move --to s3",
		blobsListCommand(), blobsVerifyCommand(), blobsMoveCommand(), blobsCollectCommand())
}

func blobsListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [--json]",
		Short: "how much is where",
		Long: `List counts the rows whose bytes are outside of the database, by place: their
number, their size before compression, and how many blobs are nobody's any more
and about to be deleted.`,
		Example: "  frontdesk blobs list",
		Args:    cobra.NoArgs,
		RunE: withDesk(func(cmd *cobra.Command, d *desk) error {
			list, err := d.db.CountBlobs(cmd.Context())
			if err != nil {
				return err
			}
			return printList(cmd, asJSON, list,
				column[store.BlobCount]{"PLACE", func(c store.BlobCount) string { return c.Place }},
				column[store.BlobCount]{"ROWS", func(c store.BlobCount) string { return fmt.Sprint(c.Rows) }},
				column[store.BlobCount]{"BYTES", func(c store.BlobCount) string { return fmt.Sprint(c.Bytes) }},
				column[store.BlobCount]{"GONE", func(c store.BlobCount) string { return fmt.Sprint(c.Gone) }})
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// badBlob is one finding of "blobs verify".
type badBlob struct {
	Ledger int64  `json:"ledger"`
	Error  string `json:"error"`
}

func blobsVerifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify [--json]",
		Short: "read every blob and compare it with its hash",
		Long: `Verify reads the bytes of every row that are outside of the database and compares
them with the hash of what came in. It names each row whose bytes are missing or
are others.

Exit code 1: at least one row.`,
		Example: "  frontdesk blobs verify",
		Args:    cobra.NoArgs,
		RunE: withDesk(func(cmd *cobra.Command, d *desk) error {
			n, bad := 0, []badBlob{}
			err := d.db.CheckBlobs(cmd.Context(), func() { n++ }, func(ledger int64, err error) { bad = append(bad, badBlob{ledger, err.Error()}) })
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), map[string]any{"verified": n - len(bad), "bad": bad})
			} else {
				for _, b := range bad {
					fmt.Fprintln(cmd.OutOrStdout(), shown(b.Error))
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "blobs verified: %d, bad: %d\n", n-len(bad), len(bad))
			}
			if err == nil && len(bad) > 0 {
				return &exitError{code: exitFailed}
			}
			return err
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func blobsMoveCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use:   "move --to database|folder|s3",
		Short: "bring bytes to another place, while the desk runs",
		Long: `Move brings the bytes of all rows above blobs.larger_than to one place: each is
read, compared with its hash, put, and then its row says so. It may run beside the
desk, and when it is broken off the next one goes on. Set blobs.store first, so
that new mail goes there at once, and keep the configuration of the old place
until move is done.`,
		Example: "  frontdesk blobs move --to s3",
		Args:    cobra.NoArgs,
		RunE: withDesk(func(cmd *cobra.Command, d *desk) error {
			if to == "" {
				return &exitError{exitUsage, errors.New("where to? --to database, folder or s3")}
			}
			if err := d.places.prepare(cmd.Context(), d.db, to); err != nil {
				return err
			}
			bar, n := newBar(cmd, -1, "blobs"), 0
			err := d.db.MoveBlobs(cmd.Context(), to, int64(d.cfg.Blobs.LargerThan), func(int64) { n++; _ = bar.Add(1) })
			_ = bar.Finish()
			fmt.Fprintf(cmd.OutOrStdout(), "moved to %s: %d\n", to, n)
			return err
		}),
	}
	cmd.Flags().StringVar(&to, "to", "", "database, folder or s3")
	return cmd
}

func blobsCollectCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "collect [--force]",
		Short: "delete blobs that belong to no row",
		Long: `Collect deletes what was put more than two days ago and belongs to no row of the
database: a process that ends between the two leaves it behind. The running desk
does so once a day. When that is more than a tenth of all it deletes nothing
without --force: two desks may share the place, or an old backup was restored.`,
		Example: "  frontdesk blobs collect",
		Args:    cobra.NoArgs,
		RunE: withDesk(func(cmd *cobra.Command, d *desk) error {
			used, err := d.usedPlaces(cmd.Context())
			if err != nil {
				return err
			}
			for _, name := range sortedKeys(used) {
				n, err := d.db.CollectBlobs(cmd.Context(), name, time.Now().Add(-collectAfter), force)
				if err != nil {
					return strayHint(err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "deleted from %s: %d\n", name, n)
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&force, "force", false, "whatever share of all it is")
	return cmd
}

// withDesk opens the desk around a command.
func withDesk(f func(cmd *cobra.Command, d *desk) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		d, err := openDesk(cmd, false)
		if err != nil {
			return err
		}
		defer d.Close()
		return failed(f(cmd, d))
	}
}
