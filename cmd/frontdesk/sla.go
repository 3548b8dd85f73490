package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/sla"
	"frontdesk/tickets"
)

func slaCommand() *cobra.Command {
	return group("sla", "what was promised, and how it stands",
		`The clocks of a ticket: first response, next response, next update, resolution.`,
		"  frontdesk sla explain 1234",
		slaExplainCommand())
}

func slaExplainCommand() *cobra.Command {
	var clock string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain TICKET [--clock NAME] [--json]",
		Short: "each clock's pieces: started, paused, closed hours, due",
		Long: `Explain prints how each due time of a ticket comes about: when the clock began,
what counted and what did not (closed hours, holidays, waiting for the customer),
when it warned, when it is or was due, and which rule of the configuration made
the promise. It reads the ticket's log with the configuration as it is now: the
same log gives the same answer, however often the desk was restarted.

Times are those of the brand's clock.`,
		Example: "  frontdesk sla explain 1234\n  frontdesk sla explain 1234 --clock resolution --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ns, err := numbers(args)
			if err != nil {
				return err
			}
			only, err := clocksNamed(clock)
			if err != nil {
				return err
			}
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			e, err := d.explainClocks(cmd.Context(), ns[0], only)
			if err != nil {
				return noTicket(ns[0], err)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), e)
			}
			if len(e.Clocks) == 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "#%d has no clock: nothing in its log began one\n", ns[0])
			}
			return failed(e.print(cmd.OutOrStdout()))
		},
	}
	cmd.Flags().StringVar(&clock, "clock", "", "only this clock: first response, next response, next update or resolution")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// clockReport is what "sla explain --json" prints. A clock that ran several
// times, as the next response does with each message, is there several times,
// the oldest run first.
type clockReport struct {
	Ticket   int64             `json:"ticket"`
	Brand    string            `json:"brand"`
	Status   tickets.Status    `json:"status"`
	Severity string            `json:"severity,omitempty"`
	Category string            `json:"category,omitempty"`
	Contract string            `json:"contract,omitempty"`
	Now      time.Time         `json:"now"`
	Zone     string            `json:"zone"`
	Clocks   []sla.Explanation `json:"clocks"`
}

// clocksNamed returns the clocks that a word names: all for "", one for its name
// or the beginning of it, with "-" or a space within.
func clocksNamed(word string) ([]sla.Clock, error) {
	if word == "" {
		return sla.Clocks[:], nil
	}
	var names []string
	plain := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(word), "-", " "))
	for _, c := range sla.Clocks {
		if plain != "" && plain != "next" && strings.HasPrefix(string(c), plain) {
			return []sla.Clock{c}, nil
		}
		names = append(names, string(c))
	}
	return nil, fmt.Errorf("no clock %q (one of %s)", word, strings.Join(names, ", "))
}

// explainClocks reads a ticket's log.
func (d *desk) explainClocks(ctx context.Context, n int64, only []sla.Clock) (clockReport, error) {
	t, err := d.db.Ticket(ctx, n)
	if err != nil {
		return clockReport{}, err
	}
	brand, ok := d.rules.Brands[t.Brand]
	if !ok {
		return clockReport{}, fmt.Errorf("ticket %d: its brand %q is not in %s: nobody knows its hours", n, t.Brand, d.cfg.Path)
	}
	log, err := d.db.Log(ctx, n)
	if err != nil {
		return clockReport{}, fmt.Errorf("read the log of ticket %d: %w", n, err)
	}
	return reportClocks(t, brand, d.rules.Policy, clockEvents(log), only, now()), nil
}

// clockEvents are the entries of a log that move a clock.
func clockEvents(log []tickets.Event) []sla.Event {
	var out []sla.Event
	for _, e := range log {
		if e.Clock != nil {
			event := *e.Clock
			event.At = e.At
			out = append(out, event)
		}
	}
	return out
}

// reportClocks reads the clocks at a time, or at the end of the log when that
// lies after it: a clock of the machine that was set back undoes nothing.
func reportClocks(t tickets.Ticket, brand tickets.Brand, policy sla.Policy, log []sla.Event, only []sla.Clock, at time.Time) clockReport {
	out := clockReport{
		Ticket: t.ID, Brand: t.Brand, Status: t.Status, Severity: t.Severity, Category: t.Category,
		Zone: brand.Calendar.Location().String(), Clocks: []sla.Explanation{},
	}
	for _, e := range log {
		if e.At.After(at) {
			at = e.At
		}
		if e.Kind == sla.Opened || e.Kind == sla.FactsChanged {
			out.Contract = e.Facts.Customer
		}
	}
	out.Now = at.In(brand.Calendar.Location())
	if len(log) == 0 {
		return out
	}
	for _, r := range sla.Read(log, brand.Calendar, policy, at) {
		if slices.Contains(only, r.Clock) {
			out.Clocks = append(out.Clocks, r.ExplainAll(brand.Calendar)...)
		}
	}
	return out
}

func (r clockReport) print(w io.Writer) error {
	f := facts{w}
	f.line("ticket", fmt.Sprintf("#%d (%s)", r.Ticket, r.Status))
	f.line("severity", r.Severity)
	f.line("category", r.Category)
	f.line("contract", r.Contract)
	f.line("clock", r.Now.Format("Monday 2 January 2006 15:04")+", "+r.Zone)
	var err error
	for _, e := range r.Clocks {
		_, err = fmt.Fprintf(w, "\n%s\n", shown(e.String()))
		if e.Rule != "" && err == nil {
			_, err = fmt.Fprintf(w, "  promised by %s\n", shown(e.Rule))
		}
		if err != nil {
			return err
		}
	}
	return err
}
