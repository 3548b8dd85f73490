package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/store"
)

// recurringJSON is a matter that came up more than once.
type recurringJSON struct {
	Brand     string  `json:"brand"`
	Matter    string  `json:"matter"` // words that the subjects share
	Product   string  `json:"product,omitempty"`
	Category  string  `json:"category,omitempty"`
	Customer  string  `json:"customer,omitempty"` // "" across customers
	Customers int     `json:"customers"`
	Tickets   []int64 `json:"tickets"` // oldest first
	Last      string  `json:"last"`
}

func ticketsRecurringCommand() *cobra.Command {
	var brand string
	var days, limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "recurring [--brand B] [--days N] [--limit N]",
		Short: "matters that came up again",
		Long: `Recurring lists what came up more than once of late: two tickets of one customer
about the same, or three customers with the same matter. The same is a product
with its category, or the words that subjects share.`,
		Example: "  frontdesk tickets recurring --days 90\n  frontdesk tickets recurring --json | jq .tickets",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			var list []recurringJSON
			for _, b := range d.cfg.Brands {
				if brand != "" && b.ID != brand {
					continue
				}
				matters, err := d.db.Recurring(cmd.Context(), b.ID, now().AddDate(0, 0, -days), limit)
				if err != nil {
					return failed(err)
				}
				for _, m := range matters {
					list = append(list, recurringToJSON(b.ID, m))
				}
			}
			return printList(cmd, asJSON, list,
				column[recurringJSON]{"BRAND", func(r recurringJSON) string { return r.Brand }},
				column[recurringJSON]{"MATTER", func(r recurringJSON) string { return strings.TrimSpace(r.Product + " " + r.Matter) }},
				column[recurringJSON]{"WHO", func(r recurringJSON) string {
					if r.Customer != "" {
						return r.Customer
					}
					return strconv.Itoa(r.Customers) + " customers"
				}},
				column[recurringJSON]{"TICKETS", func(r recurringJSON) string { return numbersOf(r.Tickets) }},
				column[recurringJSON]{"LAST", func(r recurringJSON) string { return r.Last }},
			)
		},
	}
	f := cmd.Flags()
	f.StringVar(&brand, "brand", "", "of this brand")
	f.IntVar(&days, "days", 30, "among the tickets of so many days")
	f.IntVar(&limit, "limit", 20, "at most so many a brand")
	f.BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

func recurringToJSON(brand string, m store.Recurring) recurringJSON {
	return recurringJSON{Brand: brand, Matter: m.Words, Product: m.Product, Category: m.Category, Customer: m.Requester,
		Customers: m.Customers, Tickets: m.Tickets, Last: m.Last.UTC().Format(time.RFC3339)}
}

// numbersOf shows at most eight numbers, the newest.
func numbersOf(list []int64) string {
	var out []string
	for _, n := range list[max(0, len(list)-8):] {
		out = append(out, fmt.Sprintf("#%d", n))
	}
	if len(list) > 8 {
		return fmt.Sprintf("%d: … %s", len(list), strings.Join(out, " "))
	}
	return strings.Join(out, " ")
}
