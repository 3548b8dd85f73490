package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/store"
	"frontdesk/tickets"
)

func ticketsShowCommand() *cobra.Command {
	var events, raw, asJSON bool
	cmd := &cobra.Command{
		Use:   "show N [--events] [--raw]",
		Short: "one ticket with everything on it",
		Long: `Show prints a ticket: what is known of it, who is on it, its messages and the
letters it caused. --events adds its log: who did what and when. --raw prints
each mail as it came, headers and all, instead of its text.`,
		Example: "  frontdesk tickets show 1234 --events",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ns, err := numbers(args)
			if err != nil {
				return err
			}
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			t, err := d.wholeTicket(cmd.Context(), ns[0], raw)
			if err != nil {
				return noTicket(ns[0], err)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), t)
			}
			showTicket(cmd.OutOrStdout(), t, events)
			return nil
		},
	}
	cmd.Flags().BoolVar(&events, "events", false, "print the log, too")
	cmd.Flags().BoolVar(&raw, "raw", false, "print the mails as they came")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// noTicket says what to do about a number that is none.
func noTicket(n int64, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return failed(fmt.Errorf("there is no ticket %d\nhint: frontdesk tickets list --status all", n))
	}
	return failed(err)
}

// wholeTicket loads a ticket with everything on it.
func (d *desk) wholeTicket(ctx context.Context, n int64, raw bool) (wholeTicket, error) {
	t, err := d.db.Ticket(ctx, n)
	if err != nil {
		return wholeTicket{}, err
	}
	out := wholeTicket{ticketJSON: ticketToJSON(&t), Messages: []messageJSON{}, Events: []eventJSON{}}
	messages, err := d.db.Messages(ctx, n)
	if err != nil {
		return out, err
	}
	for i := range messages {
		m := messageToJSON(&messages[i])
		if raw && m.Ledger != 0 {
			data, err := d.db.Raw(ctx, m.Ledger)
			if err != nil && !errors.Is(err, store.ErrNotFound) { // erased, or kept no longer
				return out, err
			}
			m.Raw = strings.ToValidUTF8(string(data), "\uFFFD")
		}
		out.Messages = append(out.Messages, m)
	}
	events, err := d.db.Events(ctx, n)
	if err != nil {
		return out, err
	}
	for _, e := range events {
		out.Events = append(out.Events, eventToJSON(e))
	}
	letters, err := d.db.LettersWhere(ctx, letterStates, n, 10_000)
	out.Letters = list(letters)
	if err != nil {
		return out, err
	}
	survey, err := d.db.SurveyOfTicket(ctx, n)
	switch {
	case err == nil:
		s := surveyToJSON(survey)
		out.Survey = &s
	case !errors.Is(err, store.ErrNotFound):
		return out, err
	}
	return out, nil
}

// letterStates are all states of a letter.
var letterStates = []string{
	store.LetterQueued, store.LetterDot, store.LetterHeld, store.LetterFailed,
	store.LetterSent, store.LetterBounced, store.LetterDropped,
}

func showTicket(w io.Writer, t wholeTicket, events bool) {
	showTicketHead(w, t.ticketJSON)
	if t.Survey != nil {
		facts{w}.line("survey", t.Survey.line()+after("; resolved by ", t.Survey.Agent))
	}
	for _, m := range t.Messages {
		showMessage(w, m)
	}
	if len(t.Letters) > 0 {
		fmt.Fprintf(w, "\nletters\n")
		for _, l := range t.Letters {
			fmt.Fprintf(w, "    %d  %s  %s  to %s  %s\n", l.ID, minute(l.Queued), l.Kind, cell(l.To), l.State)
		}
	}
	if events {
		fmt.Fprintf(w, "\nevents\n")
		for _, e := range t.Events {
			fmt.Fprintf(w, "    %s  %s  %s%s\n", e.At, cell(e.Who), e.What, after(": ", shown(e.Detail))+after("  ", shown(e.Outcome)))
		}
	}
}

// after is s with what parts it from the words before, or nothing.
func after(sep, s string) string {
	if s == "" {
		return ""
	}
	return sep + strings.Join(strings.Fields(s), " ")
}

func showTicketHead(w io.Writer, t ticketJSON) {
	f := facts{w}
	fmt.Fprintf(w, "#%d %s\n", t.ID, cell(t.Subject))
	f.line("status", string(t.Status)+into(t.MergedInto))
	f.line("brand", t.Brand+", "+t.Mailbox)
	f.line("queue", t.Queue)
	f.line("line", t.Line)
	f.line("assignee", t.Assignee+after(": ", t.AssignedWhy))
	f.line("unassigned", t.Unassigned)
	if t.Tier > 0 {
		f.line("tier", fmt.Sprint(t.Tier+1))
	}
	f.line("acknowledged", t.Acked+after(" by ", t.AckedBy))
	f.line("severity", t.Severity)
	f.line("category", t.Category)
	f.line("impact", orZero(int64(t.Impact)))
	f.line("urgency", orZero(int64(t.Urgency)))
	if t.Incident != 0 {
		f.line("incident", fmt.Sprintf("#%d", t.Incident))
	}
	for _, c := range t.Clocks {
		f.line(c.Clock, fmt.Sprintf("%s, %s%s", c.Promise, c.State, after(", due ", c.Due)))
	}
	f.line("asked", strings.Join(t.Asked, ", "))
	f.line("tags", strings.Join(t.Tags, " "))
	f.line("opened", t.Opened+" by "+string(t.Channel))
	f.line("answered", t.Answered)
	f.line("resolved", t.Resolved)
	f.line("closed", t.Closed)
	f.line("until", t.PendingUntil)
	f.line("due", t.Due)
	f.line("worked", after("", minutesWorked(t.WorkedMin)))
	for _, k := range sortedKeys(t.Facts) {
		f.line(k, t.Facts[k])
	}
	for _, l := range t.Links {
		f.line(l.Kind, fmt.Sprintf("#%d", l.To))
	}
	for _, p := range t.Participants {
		f.line(string(p.Role), showPerson(tickets.Address{Name: p.Name, Address: p.Address}))
	}
}

func into(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" into #%d", n)
}

func minutesWorked(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d min", n)
}

func showPerson(a tickets.Address) string {
	if a.Name == "" {
		return a.Address
	}
	return a.Name + " <" + a.Address + ">"
}

func showMessage(w io.Writer, m messageJSON) {
	arrow := map[tickets.Direction]string{
		tickets.DirectionIn: "from", tickets.DirectionOut: "sent by", tickets.DirectionNote: "note by", tickets.DirectionHeld: "held, by",
	}[m.Direction]
	fmt.Fprintf(w, "\n%d  %s  %s %s", m.Seq, m.Received, arrow, cell(showPerson(tickets.Address{Name: m.Author.Name, Address: m.Author.Address})))
	if m.Kind != tickets.KindMessage {
		fmt.Fprintf(w, "  [%s]", m.Kind)
	}
	for _, f := range m.Flags {
		fmt.Fprintf(w, "  [%s]", f)
	}
	fmt.Fprintln(w)
	if m.Raw != "" {
		fmt.Fprint(w, indented(strings.ReplaceAll(m.Raw, "\r\n", "\n")))
		return
	}
	fmt.Fprint(w, indented(m.Text))
	for _, a := range m.Attachments {
		fmt.Fprintf(w, "    attachment %s, %s, %d bytes%s\n", cell(a.Filename), a.ContentType, a.Size, after(", refused: ", a.Refused))
	}
}
