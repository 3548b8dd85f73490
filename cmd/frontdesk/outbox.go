package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/notify"
	"frontdesk/store"
	"frontdesk/tickets"
)

func outboxCommand() *cobra.Command {
	return group("outbox", "letters waiting, sent, failed",
		`Outbox holds every letter of the desk: queued, in doubt ("dot": the connection
broke after the last byte), sent, held for a person, failed, bounced or dropped.`,
		"  frontdesk outbox list\n  frontdesk outbox retry 77",
		outboxListCommand(), outboxShowCommand(),
		outboxSetCommand("retry", "send letters now", store.LetterQueued, "queued again",
			`Retry queues letters again that failed or are held, or that wait for a later
attempt. One that was rendered before is sent with the same bytes.`),
		outboxSetCommand("drop", "never send letters", store.LetterDropped, "dropped",
			`Drop takes letters out of the queue for good; the ticket's log says so. A letter
that was sent cannot be dropped.`),
		outboxHoldCommand())
}

func outboxHoldCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "hold",
		Short: "hold every letter that waits, after a restore",
		Long: `Hold holds every letter that waits to leave, as restore does by itself: a
database that was put back does not know what left since. What the desk will write
about mail that came before now is held, too. It is for those who restore
PostgreSQL with its own tools. Run it before the first daemon starts; then look
at "outbox list" and end it with "outbox retry --restored" or "outbox drop
--restored".`,
		Example: "  pg_restore --dbname=$URL desk.dump && frontdesk outbox hold && systemctl start frontdesk",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			held, err := d.db.NoteRestore(cmd.Context(), now())
			if err != nil {
				return failed(err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "letters held=%d\n", held)
			return failed(err)
		},
	}
}

func outboxListCommand() *cobra.Command {
	var all, asJSON bool
	var ticket int64
	var limit int
	cmd := &cobra.Command{
		Use:   "list [--all] [--ticket N] [--limit N]",
		Short: "which letters there are, oldest first",
		Long: `List prints letters that are not sent: queued, in doubt, held and failed ones.
--all adds those sent, bounced and dropped.`,
		Example: "  frontdesk outbox list --ticket 1234 --all",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			var states []string
			if all {
				states = letterStates
			}
			letters, err := d.db.LettersWhere(cmd.Context(), states, ticket, limit)
			if err != nil {
				return failed(err)
			}
			return printLetters(cmd, asJSON, letters)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "letters that were sent, bounced or dropped, too")
	cmd.Flags().Int64Var(&ticket, "ticket", 0, "only those about this ticket")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

func printLetters(cmd *cobra.Command, asJSON bool, letters []store.LetterInfo) error {
	type info = store.LetterInfo
	return printList(cmd, asJSON, letters,
		column[info]{"ID", func(l info) string { return fmt.Sprint(l.ID) }},
		column[info]{"STATE", func(l info) string { return l.State }},
		column[info]{"QUEUED", func(l info) string { return minute(l.Queued) }},
		column[info]{"TICKET", func(l info) string { return orZero(l.Ticket) }},
		column[info]{"LETTER", func(l info) string { return string(l.Kind) }},
		column[info]{"TO", func(l info) string { return l.To }},
		column[info]{"TRIES", func(l info) string { return orZero(int64(l.Attempts)) }},
		column[info]{"ANSWER", func(l info) string { return strings.TrimSpace(l.Code + " " + l.Detail) }})
}

func outboxShowCommand() *cobra.Command {
	var raw, asJSON bool
	cmd := &cobra.Command{
		Use:   "show ID [--raw]",
		Short: "one letter: its state and the mail itself",
		Long: `Show prints the state of a letter and the mail, or the text with its segments.
Before the first attempt there is none yet: it is shown as it would be rendered
now. --raw prints the bytes.`,
		Example: "  frontdesk outbox show 77",
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
			letter, info, mail, err := d.db.LetterByID(cmd.Context(), ids[0])
			if err != nil {
				return noLetter(ids[0], err)
			}
			rendered := mail != nil
			if mail, err = wholeLetter(cmd.Context(), d.db, mail, info); err != nil {
				return failed(err)
			}
			if !rendered && letter.Kind != tickets.LetterHangUp {
				if mail, err = d.render(cmd.Context(), letter); err != nil {
					return failed(err)
				}
			}
			return printLetter(cmd.OutOrStdout(), letter, info, mail, rendered, raw, asJSON)
		},
	}
	cmd.Flags().BoolVar(&raw, "raw", false, "print the mail's bytes")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// shownLetter is what "outbox show --json" prints.
type shownLetter struct {
	store.LetterInfo
	Key      string `json:"key"`
	Rendered bool   `json:"rendered"` // false: Mail is how it would be rendered now
	Mail     string `json:"mail"`
}

func printLetter(w io.Writer, l tickets.Letter, info store.LetterInfo, mail []byte, rendered, raw, asJSON bool) error {
	switch {
	case raw:
		_, err := w.Write(mail)
		return failed(err)
	case asJSON:
		return printJSON(w, shownLetter{info, l.Key, rendered, strings.ToValidUTF8(string(mail), "\uFFFD")})
	}
	f := facts{w}
	f.line("letter", fmt.Sprintf("%d %s to %s", info.ID, info.Kind, showPerson(l.To)))
	f.line("state", info.State)
	f.line("ticket", orZero(info.Ticket))
	f.line("from", info.Mailbox)
	f.line("queued", stamp(info.Queued))
	f.line("next attempt", stamp(info.Next))
	f.line("sent", stamp(info.Sent))
	f.line("attempts", orZero(int64(info.Attempts)))
	f.line("answer", strings.TrimSpace(info.Code+" "+info.Detail))
	f.line("sent again", orZero(int64(info.Doubts)))
	if !rendered {
		f.line("mail", "not rendered yet; it would be:")
	}
	text, err := shownMail(l, mail)
	if err != nil {
		return failed(err)
	}
	_, err = fmt.Fprintf(w, "\n%s", indented(text))
	return failed(err)
}

// shownMail is what leaves of a letter, for people: the mail, or the text with
// what it costs.
func shownMail(l tickets.Letter, mail []byte) (string, error) {
	switch {
	case l.Kind == tickets.LetterHangUp:
		return fmt.Sprintf("ends the call of letter %d\n", l.Data.HangUp), nil
	case tickets.Number(l.To.Address) != "":
		return notify.ShowPosted(mail)
	}
	return strings.ReplaceAll(string(mail), "\r\n", "\n"), nil
}

func noLetter(id int64, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return failed(fmt.Errorf("there is no letter %d\nhint: frontdesk outbox list --all", id))
	}
	return failed(err)
}

// outboxSetCommand is retry or drop.
func outboxSetCommand(name, short, state, done, long string) *cobra.Command {
	var allHeld, restored bool
	cmd := &cobra.Command{
		Use:     name + " ID…|--held|--restored",
		Short:   short,
		Long:    long,
		Example: "  frontdesk outbox " + name + " 77 78",
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := numbers(args)
			if err != nil {
				return err
			}
			if (allHeld || restored) == (len(ids) > 0) {
				return errors.New("which letters? name their numbers, or --held for all that are held, or --restored for those held since a restore")
			}
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			if allHeld || restored {
				if ids, err = d.held(cmd.Context(), !allHeld); err != nil {
					return failed(err)
				}
			}
			for _, id := range ids {
				if err := d.db.SetLetter(cmd.Context(), id, state, d.byOperator(), now()); err != nil {
					return d.cannotSet(cmd, id, name, err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "letter %d %s\n", id, done)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&allHeld, "held", false, "all letters that are held")
	cmd.Flags().BoolVar(&restored, "restored", false, "all letters that are held since a restore, and because of it")
	return cmd
}

// held lists the letters that wait for a person, all or those of a restore.
func (d *desk) held(ctx context.Context, restored bool) (ids []int64, err error) {
	letters, err := d.db.LettersWhere(ctx, []string{store.LetterHeld}, 0, math.MaxInt32)
	for _, l := range letters {
		if !restored || l.Code == store.CodeRestored {
			ids = append(ids, l.ID)
		}
	}
	return ids, err
}

// cannotSet says why a letter cannot be retried or dropped.
func (d *desk) cannotSet(cmd *cobra.Command, id int64, name string, err error) error {
	if !errors.Is(err, store.ErrNotFound) {
		return failed(err)
	}
	_, info, _, err := d.db.LetterByID(cmd.Context(), id)
	if err != nil {
		return noLetter(id, err)
	}
	return failed(fmt.Errorf("letter %d is %s: it cannot be %s\nhint: frontdesk outbox show %d", id, info.State, map[string]string{"retry": "sent again", "drop": "dropped"}[name], id))
}
