package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"frontdesk/intake"
	"frontdesk/tickets"
)

func reconcileCommand() *cobra.Command {
	var mailbox string
	var asJSON bool
	var silence time.Duration
	cmd := &cobra.Command{
		Use:   "reconcile [--mailbox ADDRESS] [--timeout DURATION] [--json]",
		Short: "compare each mailbox and the telephone with the ledger",
		Long: `Reconcile counts the mails in each IMAP folder and those of them that have a row
in the ledger, and says what became of all rows of the mailbox. Where server and
ledger are equal nothing is missing. Mailboxes without IMAP have rows only. For
the telephone it counts what Twilio lists of the last days (twilio.reconcile_days)
for our numbers: texts, ended calls, recordings. It changes nothing, neither here
nor there; the daemon takes in what is missing of the telephone by itself.

A mail server that says nothing for --timeout counts as one that cannot be read;
the other mailboxes are compared all the same.

Exit code 1: something on a server has no row, or could not be read.`,
		Example: "  frontdesk reconcile --mailbox support@example.com",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			if silence <= 0 {
				return &exitError{exitUsage, fmt.Errorf("--timeout %s: it must be longer than nothing", silence)}
			}
			return d.reconcile(cmd, mailbox, silence, asJSON)
		},
	}
	cmd.Flags().StringVar(&mailbox, "mailbox", "", "only this one")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a mailbox")
	cmd.Flags().DurationVar(&silence, "timeout", 20*time.Second, "longest silence of a mail server")
	return cmd
}

// reconciled is one mailbox with the sums of its rows.
type reconciled struct {
	intake.Reconciliation
	Rows          int                         `json:"rows"` // of the mailbox, all folders
	ByDisposition map[tickets.Disposition]int `json:"by_disposition"`
	Error         string                      `json:"error,omitempty"`
	imap          bool
}

func (d *desk) reconcile(cmd *cobra.Command, mailbox string, silence time.Duration, asJSON bool) error {
	addresses := addressesOf(d.cfg)
	if mailbox != "" {
		to, err := d.mailbox(mailbox)
		if err != nil {
			return failed(err)
		}
		addresses = []intake.Address{to}
	}
	folders := map[string]intake.MailboxOptions{}
	for _, opt := range mailboxesOf(d.cfg, d.db, d.accounts, slog.New(slog.DiscardHandler)) {
		opt.Command = silence // somebody waits for the answer, unlike of the daemon
		folders[opt.Address] = opt
	}
	bar := newBar(cmd, len(addresses), "mailboxes")
	var results []reconciled
	for _, a := range addresses {
		opt, isIMAP := folders[a.Mailbox]
		r, err := d.reconcileOne(cmd.Context(), a.Mailbox, opt, isIMAP)
		if err != nil {
			return failed(err)
		}
		results = append(results, r)
		_ = bar.Add(1) // a bar that cannot be drawn stops nothing
	}
	_ = bar.Finish()
	err := printReconciled(cmd, results, asJSON)
	if mailbox != "" || d.cfg.Twilio == nil {
		return err
	}
	return errors.Join(err, d.reconcileTwilio(cmd, asJSON))
}

// reconcileOne compares one mailbox; that it cannot be read is a result, too.
func (d *desk) reconcileOne(ctx context.Context, mailbox string, opt intake.MailboxOptions, isIMAP bool) (reconciled, error) {
	r := reconciled{imap: isIMAP, Reconciliation: intake.Reconciliation{Mailbox: mailbox}}
	if isIMAP {
		compared, err := intake.NewMailbox(opt).Reconcile(ctx)
		r.Reconciliation = compared
		if err != nil {
			r.Error = err.Error()
		}
	}
	tally, err := d.db.Tally(ctx, mailbox)
	r.Rows, r.ByDisposition, r.Undecided = tally.Total, tally.ByDisposition, tally.Undecided
	return r, err
}

// twilioReconciled is the telephone's line of "reconcile --json".
type twilioReconciled struct {
	Source string `json:"source"` // "twilio"
	intake.TwilioReconciliation
	Error string `json:"error,omitempty"`
}

// reconcileTwilio compares what the telephone company lists with the ledger.
func (d *desk) reconcileTwilio(cmd *cobra.Command, asJSON bool) error {
	r := twilioReconciled{Source: "twilio"}
	client, err := newPhoneClient(d.cfg)
	if err == nil {
		r.TwilioReconciliation, err = intake.CompareTwilio(cmd.Context(), d.db, client, d.rules, now(), d.cfg.Twilio.ReconcileDays)
	}
	if err != nil {
		r.Error = err.Error()
	}
	if asJSON {
		if err := encoder(cmd.OutOrStdout()).Encode(r); err != nil {
			return failed(err)
		}
	} else {
		fmt.Fprintln(cmd.OutOrStdout(), r)
	}
	if r.Error != "" || len(r.Missing) > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}

// String is one line, and the keys of what is missing.
func (r twilioReconciled) String() string {
	if r.Error != "" {
		return "twilio cannot be read: " + shown(r.Error)
	}
	text := fmt.Sprintf("twilio listed=%d ledger=%d missing=%d", r.Listed, r.Ledger, len(r.Missing))
	for _, key := range r.Missing {
		text += "\n  " + key
	}
	return text
}

func printReconciled(cmd *cobra.Command, results []reconciled, asJSON bool) error {
	wrong := false
	for _, r := range results {
		wrong = wrong || r.Error != "" || len(r.Missing) > 0
		if asJSON {
			if err := encoder(cmd.OutOrStdout()).Encode(r); err != nil {
				return failed(err)
			}
			continue
		}
		fmt.Fprintln(cmd.OutOrStdout(), r)
	}
	if wrong {
		return &exitError{code: exitFailed}
	}
	return nil
}

// String is one line: the comparison, then what became of the rows.
func (r reconciled) String() string {
	text := r.Mailbox + ": "
	switch {
	case r.Error != "":
		text += fmt.Sprintf("cannot be read: %s; rows=%d", shown(r.Error), r.Rows)
	case r.imap:
		text += fmt.Sprintf("server=%d ledger=%d", r.Server, r.Ledger)
	default:
		text += fmt.Sprintf("ledger=%d", r.Rows)
	}
	text += fmt.Sprintf(" undecided=%d%s", r.Undecided, sums(r.ByDisposition))
	if len(r.Missing) > 0 {
		text += fmt.Sprintf(" missing=%v", r.Missing)
	}
	if r.Error != "" {
		text += "\nhint: \"frontdesk check --connect\" says how far one gets; for a server that is only slow, a longer --timeout"
	}
	return text
}

// newBar is a progress bar on standard error when somebody looks at it.
func newBar(cmd *cobra.Command, n int, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions(n,
		progressbar.OptionSetWriter(cmd.ErrOrStderr()), progressbar.OptionSetDescription(what),
		progressbar.OptionSetVisibility(isTerminal(cmd.ErrOrStderr())), progressbar.OptionClearOnFinish(),
		progressbar.OptionShowCount(), progressbar.OptionFullWidth())
}
