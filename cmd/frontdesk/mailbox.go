package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/config"
	"frontdesk/intake"
	"frontdesk/oauth"
	"frontdesk/store"
)

func mailboxCommand() *cobra.Command {
	return group("mailbox", "the state of each mailbox",
		"Mailbox lists the addresses that customers write to, how far each was read, and what went wrong last.",
		"  frontdesk mailbox list\n  frontdesk mailbox poll support@example.com",
		mailboxListCommand(), mailboxPollCommand(), mailboxLoginCommand())
}

// mailboxJSON is one mailbox as "mailbox list --json" prints it.
type mailboxJSON struct {
	Address     string `json:"address"`
	Brand       string `json:"brand"`
	Intake      string `json:"intake"`
	Folder      string `json:"folder,omitempty"`
	UIDValidity uint32 `json:"uidvalidity,omitempty"`
	UID         uint32 `json:"uid,omitempty"`  // highest UID whose mail is in the ledger
	Polled      string `json:"polled"`         // "" never
	Error       string `json:"error"`          // of the last poll, "" when well
	Node        string `json:"node,omitempty"` // of several, the one that reads it
	Rows        int    `json:"rows"`
	Undecided   int    `json:"undecided"`
	Quarantined int    `json:"quarantined"`

	Login *loginJSON `json:"login,omitempty"` // when it logs in with tokens

	cursor store.Cursor
	poll   config.Mailbox
}

func mailboxListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "which mailboxes there are, and how they are",
		Long:    "List prints each mailbox with its cursor (the last mail that was taken), when it was last looked at, the last error, and how many mails came. An error that is too long for its row stands whole below it.",
		Example: "  frontdesk mailbox list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			boxes, err := d.mailboxes(cmd.Context())
			if err != nil {
				return failed(err)
			}
			return printRows(cmd, asJSON, boxes, mailboxJSON.whole, mailboxColumns()...)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

func mailboxColumns() []column[mailboxJSON] {
	return []column[mailboxJSON]{
		{"ADDRESS", func(m mailboxJSON) string { return m.Address }},
		{"BRAND", func(m mailboxJSON) string { return m.Brand }},
		{"INTAKE", func(m mailboxJSON) string { return m.Intake }},
		{"MAILS", func(m mailboxJSON) string { return fmt.Sprint(m.Rows) }},
		{"UNDECIDED", func(m mailboxJSON) string { return fmt.Sprint(m.Undecided) }},
		{"UID", func(m mailboxJSON) string { return orZero(int64(m.UID)) }},
		{"POLLED", func(m mailboxJSON) string { return minute(m.cursor.Polled) }},
		{"LOGIN", func(m mailboxJSON) string { short, _ := longCell(m.Login.String()); return short }},
		{"ERROR", func(m mailboxJSON) string { short, _ := longCell(m.wrong()); return short }},
	}
}

// wrong is the last error: of the folder, or of the login that letters need.
func (m mailboxJSON) wrong() string {
	if m.Error == "" && m.Login != nil {
		return m.Login.Error
	}
	return m.Error
}

// whole is what is too long for the row, below it: what to do about an error
// stands at its end.
func (m mailboxJSON) whole() string {
	_, login := longCell(m.Login.String())
	_, wrong := longCell(m.wrong())
	return strings.TrimSpace(login + "\n" + wrong)
}

// mailboxes looks up the state of every configured mailbox.
func (d *desk) mailboxes(ctx context.Context) ([]mailboxJSON, error) {
	var out []mailboxJSON
	readers, err := d.holders(ctx)
	if err != nil {
		return nil, err
	}
	for _, b := range d.cfg.Brands {
		for _, m := range b.Mailboxes {
			box := mailboxJSON{Address: m.Address, Brand: b.ID, Intake: string(m.Intake), poll: m}
			tally, err := d.db.Tally(ctx, m.Address)
			if err != nil {
				return nil, err
			}
			box.Rows, box.Undecided, box.Quarantined = tally.Total, tally.Undecided, tally.ByDisposition["quarantined"]
			if m.IMAP != nil {
				if box.cursor, err = d.db.Cursor(ctx, m.Address, m.IMAP.Folder); err != nil {
					return nil, err
				}
				box.Folder, box.UIDValidity, box.UID = m.IMAP.Folder, box.cursor.UIDValidity, box.cursor.UID
				box.Polled, box.Error = stamp(box.cursor.Polled), box.cursor.Error
				box.Node = readers[mailboxLease(m.Address, m.IMAP.Folder)]
			}
			if box.Login, err = d.loginOf(ctx, m); err != nil {
				return nil, err
			}
			out = append(out, box)
		}
	}
	return out, nil
}

func mailboxPollCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "poll ADDRESS",
		Short: "fetch now",
		Long: `Poll looks into one IMAP mailbox now and takes what is new into the ledger, over
a connection of its own. The daemon, or decide, then decides about it.`,
		Example: "  frontdesk mailbox poll support@example.com",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			opt, err := d.folder(cmd, args[0])
			if err != nil {
				return failed(err)
			}
			added, err := intake.NewMailbox(opt).Poll(cmd.Context())
			var token *oauth.Error // says itself what to do
			if errors.As(err, &token) {
				return failed(err)
			}
			if err != nil {
				return failed(fmt.Errorf("%w\nhint: frontdesk check --connect", err))
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: added=%d\n", opt.Address, added)
			return failed(err)
		},
	}
}

// folder finds the IMAP folder of a mailbox.
func (d *desk) folder(cmd *cobra.Command, address string) (intake.MailboxOptions, error) {
	to, err := d.mailbox(address)
	if err != nil {
		return intake.MailboxOptions{}, err
	}
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	var known []string
	for _, opt := range mailboxesOf(d.cfg, d.db, d.accounts, log) {
		if opt.Address == to.Mailbox {
			opt.Full = newRoom(func() *config.Config { return d.cfg }).full
			return opt, nil
		}
		known = append(known, opt.Address)
	}
	hint := "its mail server hands mail over by itself"
	if len(known) > 0 {
		hint = "those that are: " + strings.Join(known, ", ")
	}
	return intake.MailboxOptions{}, fmt.Errorf("%s is not read by IMAP: there is nothing to fetch\nhint: %s", to.Mailbox, hint)
}
