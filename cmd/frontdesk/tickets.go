package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/store"
	"frontdesk/tickets"
)

func ticketsCommand() *cobra.Command {
	return group("tickets", "the queue from the shell",
		`Tickets lists and shows tickets, logs walk-ins, and does what an agent does by
mail: answer, note, set, merge, split. Whatever is done goes the way of an
agent's mail: it is checked as a whole, logged in the ticket's events, and
letters leave through the outbox.`,
		"  frontdesk tickets list --status new\n  frontdesk tickets show 1234 --events",
		ticketsListCommand(), ticketsShowCommand(), ticketsNewCommand(), ticketsSetCommand(),
		ticketsMergeCommand(), ticketsSplitCommand(), ticketsRecurringCommand(), ticketsNoteCommand(), ticketsReplyCommand())
}

func ticketsListCommand() *cobra.Command {
	var q store.TicketQuery
	var statuses []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [--brand B] [--queue Q] [--assignee A] [--status S,…] [--search WORDS] [--customer ADDRESS] [--limit N]",
		Short: "which tickets there are",
		Long: `List prints tickets in the order of the queue: worst first, then by status, then
oldest first. Without --status it lists what is not closed; "all" lists
everything. --search finds words in subjects and messages, in any script, and
ticket numbers. --assignee none lists what nobody has taken.`,
		Example: "  frontdesk tickets list --queue support --assignee none\n  frontdesk tickets list --status all --search 'paper jam' --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if q.Statuses, err = statusesOf(statuses); err != nil {
				return err
			}
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			list, err := d.tickets(cmd, q)
			if err != nil {
				return failed(err)
			}
			return printTickets(cmd, asJSON, list)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.Brand, "brand", "", "of this brand")
	f.StringVar(&q.Queue, "queue", "", "in this queue")
	f.StringVar(&q.Assignee, "assignee", "", "of this agent (address, name, or none)")
	f.StringSliceVar(&statuses, "status", nil, "in these statuses, comma-separated, or all")
	f.StringVar(&q.Search, "search", "", "with these words")
	f.StringVar(&q.Customer, "customer", "", "on which this address takes part")
	f.IntVar(&q.Limit, "limit", 100, "at most so many")
	f.BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// allStatuses are the words of --status.
var allStatuses = []tickets.Status{
	tickets.StatusNew, tickets.StatusOpen, tickets.StatusPending, tickets.StatusHold,
	tickets.StatusResolved, tickets.StatusClosed, tickets.StatusMerged, tickets.StatusSpam,
}

func statusesOf(words []string) ([]tickets.Status, error) {
	var out []tickets.Status
	for _, w := range words {
		s := tickets.Status(strings.ToLower(strings.TrimSpace(w)))
		switch {
		case s == "all":
			return allStatuses, nil
		case !slices.Contains(allStatuses, s):
			return nil, fmt.Errorf("--status %q: no such status (one of %s, all)", w, joined(allStatuses))
		}
		out = append(out, s)
	}
	return out, nil
}

func joined[S ~string](list []S) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// tickets runs a query; the assignee may be named as in #assign, or be none.
func (d *desk) tickets(cmd *cobra.Command, q store.TicketQuery) ([]tickets.Ticket, error) {
	if q.Assignee == "" {
		return d.db.Tickets(cmd.Context(), q)
	}
	if q.Assignee != "none" {
		a, err := d.agent(q.Assignee)
		if err != nil {
			return nil, err
		}
		q.Assignee = a.Address
		return d.db.Tickets(cmd.Context(), q)
	}
	// The store asks for one agent's or for everybody's: nobody's are sorted
	// out here, from as many as a queue ever holds.
	limit := q.Limit
	q.Assignee, q.Limit = "", 100_000
	list, err := d.db.Tickets(cmd.Context(), q)
	list = slices.DeleteFunc(list, func(t tickets.Ticket) bool { return t.Assignee != "" })
	if limit > 0 && len(list) > limit {
		list = list[:limit]
	}
	return list, err
}

// agent finds somebody of the team by address, the part before the @, or name.
func (d *desk) agent(who string) (tickets.Agent, error) {
	var known []string
	for _, a := range agentsOf(d.cfg) {
		local, _, _ := strings.Cut(a.Address, "@")
		if tickets.SameAddress(who, a.Address) || strings.EqualFold(who, local) || strings.EqualFold(who, a.Name) {
			found, _ := d.rules.Agent(a.Address)
			return found, nil
		}
		known = append(known, a.Address)
	}
	return tickets.Agent{}, fmt.Errorf("nobody in the team is called %q\nhint: one of %s", who, strings.Join(known, ", "))
}

func printTickets(cmd *cobra.Command, asJSON bool, list []tickets.Ticket) error {
	records := make([]ticketJSON, len(list))
	for i := range list {
		records[i] = ticketToJSON(&list[i])
	}
	return printList(cmd, asJSON, records,
		column[ticketJSON]{"NUMBER", func(t ticketJSON) string { return fmt.Sprint(t.ID) }},
		column[ticketJSON]{"STATUS", func(t ticketJSON) string { return string(t.Status) }},
		column[ticketJSON]{"SEVERITY", func(t ticketJSON) string { return t.Severity }},
		column[ticketJSON]{"BRAND", func(t ticketJSON) string { return t.Brand }},
		column[ticketJSON]{"QUEUE", func(t ticketJSON) string { return t.Queue }},
		column[ticketJSON]{"ASSIGNEE", func(t ticketJSON) string { return t.Assignee }},
		column[ticketJSON]{"UPDATED", func(t ticketJSON) string { return minute(t.updated) }},
		column[ticketJSON]{"FROM", func(t ticketJSON) string { return t.Requester.Address }},
		column[ticketJSON]{"SUBJECT", func(t ticketJSON) string { return t.Subject }})
}
