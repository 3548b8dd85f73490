package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/intake"
	"frontdesk/parser"
	"frontdesk/phone"
	"frontdesk/tickets"
)

func decideCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "decide [--json]",
		Short: "decide what is in the ledger now, without the daemon",
		Long: `Decide takes the mail that is in the ledger and makes tickets of it, exactly as
the daemon does, until nothing is undecided. Letters it causes wait in the
outbox for the daemon. It may run beside the daemon: they share the work.

Exit code 1: something stays undecided (it is tried again in a minute).`,
		Example: "  frontdesk deliver --mailbox support@example.com < mail.eml && frontdesk decide",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			return decideAll(cmd, d, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// decidedJSON is what "decide --json" prints.
type decidedJSON struct {
	Decided       int                         `json:"decided"`
	Undecided     int                         `json:"undecided"`
	ByDisposition map[tickets.Disposition]int `json:"by_disposition"`
}

func decideAll(cmd *cobra.Command, d *desk, asJSON bool) error {
	out := decidedJSON{ByDisposition: map[tickets.Disposition]int{}}
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	for _, brand := range d.cfg.Brands {
		counts, err := d.decide(cmd.Context(), brand.ID, log)
		if err != nil {
			return failed(err)
		}
		for disposition, n := range counts {
			out.ByDisposition[disposition] += int(n)
			out.Decided += int(n)
		}
	}
	tally, err := d.db.Tally(cmd.Context(), "")
	if err != nil {
		return failed(err)
	}
	out.Undecided = tally.Undecided
	if asJSON {
		err = printJSON(cmd.OutOrStdout(), out)
	} else {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "decided=%d undecided=%d%s\n", out.Decided, out.Undecided, sums(out.ByDisposition))
	}
	if err == nil && out.Undecided > 0 {
		return &exitError{code: exitFailed}
	}
	return failed(err)
}

// sums is " message=3 quarantined=1", in a fixed order.
func sums(by map[tickets.Disposition]int) string {
	var b strings.Builder
	for _, disposition := range dispositions {
		if n := by[disposition]; n > 0 {
			fmt.Fprintf(&b, " %s=%d", disposition, n)
		}
	}
	return b.String()
}

var dispositions = []tickets.Disposition{
	tickets.DisposeMessage, tickets.DisposeRecorded, tickets.DisposeDuplicate, tickets.DisposeQuarantined, tickets.DisposeDiscarded,
}

// decide runs the worker of a brand until it finds no row.
func (d *desk) decide(ctx context.Context, brand string, log *slog.Logger) (map[tickets.Disposition]int64, error) {
	w := intake.NewWorker(intake.WorkerOptions{
		Parse: parse,
		Brand: brand, DB: d.db, Log: log, Now: now,
		Rules: func() tickets.Rules { return d.rules }, Auth: authenticatorsOf(d.cfg),
		Parser: func() parser.Options { return parserOf(d.cfg, brand) },
		Plans:  func() map[string]phone.Plan { return plansOf(d.cfg) }, Transcript: func(r phone.Recording) bool { return transcribed(d.cfg, r) },
	})
	for {
		n, err := w.Pass(ctx)
		if err != nil || n == 0 || ctx.Err() != nil {
			return w.Counts(), err
		}
	}
}
