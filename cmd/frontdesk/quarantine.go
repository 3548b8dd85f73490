package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

func quarantineCommand() *cobra.Command {
	return group("quarantine", "mail that could not be handled or trusted",
		`Quarantine holds mail that was not made a message of a ticket, with the reason:
forged or unproven senders, loops, reports about no letter of ours, mail that
could not be read. Nothing is lost there: each can be released or dropped.`,
		"  frontdesk quarantine list\n  frontdesk quarantine release 42",
		quarantineListCommand(), quarantineShowCommand(),
		quarantineEndCommand("release", "let mail through after all",
			`Release hands mail back to be decided again: the check that held it is passed
over, and no other. Where a mail in an agent's name is held because its From is
not proven, you vouch for the sender, and the ticket's log says so.`),
		quarantineEndCommand("drop", "end mail in quarantine for good",
			`Drop ends quarantined mail: it becomes no message, and is listed no more. The raw
mail stays in the ledger.`))
}

func quarantineListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "what is held, oldest first",
		Long:    "List prints the mail in quarantine, oldest first, each with the reason.",
		Example: "  frontdesk quarantine list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			entries, err := d.db.Quarantine(cmd.Context())
			if err != nil {
				return failed(err)
			}
			return printList(cmd, asJSON, entries,
				column[store.Entry]{"ID", func(e store.Entry) string { return fmt.Sprint(e.ID) }},
				column[store.Entry]{"RECEIVED", func(e store.Entry) string { return minute(e.Received) }},
				column[store.Entry]{"MAILBOX", func(e store.Entry) string { return e.Mailbox }},
				column[store.Entry]{"FROM", func(e store.Entry) string { return e.From }},
				column[store.Entry]{"REASON", func(e store.Entry) string { return e.Reason }},
				column[store.Entry]{"SUBJECT", func(e store.Entry) string { return e.Subject }})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

func quarantineShowCommand() *cobra.Command {
	var raw, asJSON bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "one mail, and why it is held",
		Long: `Show prints why a mail is held, every rule that was tried on it, its headers and
its text. --raw prints the mail as it came and nothing else.`,
		Example: "  frontdesk quarantine show 42\n  frontdesk quarantine show 42 --raw > mail.eml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := numbers(args)
			if err != nil {
				return err
			}
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			entry, err := d.db.Entry(cmd.Context(), ids[0])
			if err != nil {
				return noEntry(ids[0], err)
			}
			data, err := d.db.Raw(cmd.Context(), ids[0])
			if err != nil {
				return failed(err)
			}
			switch {
			case raw:
				_, err = cmd.OutOrStdout().Write(data)
				return failed(err)
			case asJSON:
				return printJSON(cmd.OutOrStdout(), heldMail{entry, mailToJSON(parser.Parse(data, parser.Options{}))})
			}
			return showHeld(cmd.OutOrStdout(), entry, data)
		},
	}
	cmd.Flags().BoolVar(&raw, "raw", false, "print the mail as it came")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// heldMail is what "quarantine show --json" prints: the row, and the mail as
// "parse --json" prints it.
type heldMail struct {
	store.Entry
	Mail mailJSON `json:"mail"`
}

func noEntry(id int64, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return failed(fmt.Errorf("there is no mail %d in the ledger\nhint: frontdesk quarantine list", id))
	}
	return failed(err)
}

func showHeld(w io.Writer, e store.Entry, data []byte) error {
	m := parser.Parse(data, parser.Options{})
	if err := explain(w, explained(e), false); err != nil {
		return err
	}
	for _, f := range m.Header {
		fmt.Fprintf(w, "%s: %s\n", shown(f.Name), shorten(shown(strings.TrimSpace(f.Value)), 300))
	}
	fmt.Fprintf(w, "\n%s", indented(m.Text))
	for _, a := range m.Attachments {
		fmt.Fprintf(w, "    attachment %s, %s, %d bytes\n", cell(a.Filename), a.ContentType, a.Size)
	}
	return nil
}

// quarantineEndCommand is release or drop.
func quarantineEndCommand(name, short, long string) *cobra.Command {
	return &cobra.Command{
		Use:     name + " ID…",
		Short:   short,
		Long:    long,
		Example: "  frontdesk quarantine " + name + " 42 43",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := numbers(args)
			if err != nil {
				return err
			}
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			return d.endQuarantine(cmd, name, ids)
		},
	}
}

// endQuarantine releases or drops, and names what it could not.
func (d *desk) endQuarantine(cmd *cobra.Command, name string, ids []int64) error {
	end, done := d.db.ReleaseQuarantined, "released: the daemon decides about it again, or frontdesk decide"
	if name == "drop" {
		end, done = d.db.DropQuarantined, "dropped"
	}
	var wrong []string
	for _, id := range ids {
		met, err := end(cmd.Context(), []int64{id}, d.byOperator(), now())
		switch {
		case err != nil:
			return failed(err)
		case met == 0:
			wrong = append(wrong, d.notHeld(cmd, id))
		default:
			fmt.Fprintf(cmd.OutOrStdout(), "%d %s\n", id, done)
		}
	}
	if len(wrong) > 0 {
		return failed(errors.New(strings.Join(wrong, "\nfrontdesk: ") + "\nhint: frontdesk quarantine list"))
	}
	return nil
}

// notHeld says what else a row is.
func (d *desk) notHeld(cmd *cobra.Command, id int64) string {
	e, err := d.db.Entry(cmd.Context(), id)
	switch {
	case err != nil:
		return fmt.Sprintf("there is no mail %d in the ledger", id)
	case e.Disposition == "":
		return fmt.Sprintf("mail %d is not in quarantine: it is not decided yet", id)
	case e.Disposition == tickets.DisposeMessage:
		return fmt.Sprintf("mail %d is not in quarantine: it is a message of #%d", id, e.Ticket)
	}
	return fmt.Sprintf("mail %d is not in quarantine: it is %s", id, e.Disposition)
}
