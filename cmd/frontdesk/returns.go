package main

import (
	"time"

	"github.com/spf13/cobra"

	"frontdesk/tickets"
)

func returnsCommand() *cobra.Command {
	return group("returns", "goods that customers send back",
		`A return is opened by an agent with #rma on a ticket, and taken on with #rma
received, inspected, replaced, refunded or refused.`,
		"  frontdesk returns list --open",
		returnsListCommand())
}

// returnJSON is what "returns list --json" prints, one object a line.
type returnJSON struct {
	Ticket int64  `json:"ticket"`
	Brand  string `json:"brand"`
	From   string `json:"from"`
	tickets.Return
}

func returnsListCommand() *cobra.Command {
	var brand string
	var open, asJSON bool
	var limit int
	cmd := &cobra.Command{
		Use:   "list [--open] [--brand B] [--limit N] [--json]",
		Short: "which returns there are, newest first",
		Long: `List prints the returns with the ticket each is on, how far it is since when, and
until when it may be sent. --open leaves out those that were replaced, refunded
or refused.`,
		Example: "  frontdesk returns list --open",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			found, err := d.db.Returns(cmd.Context(), brand, open, limit)
			if err != nil {
				return failed(err)
			}
			var list []returnJSON
			for i := range found {
				t := &found[i]
				list = append(list, returnJSON{t.ID, t.Brand, requesterOf(t).Address, *t.Return})
			}
			return printList(cmd, asJSON, list,
				column[returnJSON]{"NUMBER", func(r returnJSON) string { return r.Number }},
				column[returnJSON]{"STATUS", func(r returnJSON) string { return string(r.Status) }},
				column[returnJSON]{"SINCE", func(r returnJSON) string { return r.At.UTC().Format(time.DateOnly) }},
				column[returnJSON]{"UNTIL", func(r returnJSON) string { return r.Until.String() }},
				column[returnJSON]{"BRAND", func(r returnJSON) string { return r.Brand }},
				column[returnJSON]{"FROM", func(r returnJSON) string { return r.From }},
				column[returnJSON]{"PRODUCT", func(r returnJSON) string { return r.Product + " " + r.Serial }})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&open, "open", false, "only those that are not over")
	f.StringVar(&brand, "brand", "", "of this brand")
	f.IntVar(&limit, "limit", 100, "at most so many")
	f.BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}
