package main

import (
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/tickets"
)

// productPair takes product=SERIAL out of KEY=VALUE words; nil when it is not
// among them.
func productPair(pairs []string) (product *string, rest []string) {
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if ok && strings.EqualFold(strings.TrimSpace(key), "product") {
			value = strings.TrimSpace(value)
			product = &value
			continue
		}
		rest = append(rest, pair)
	}
	return product, rest
}

// setTicketProduct says what a ticket is about, and does commands with it.
func setTicketProduct(cmd *cobra.Command, n int64, as, serial string, commands []string, asJSON bool) error {
	d, err := openDesk(cmd, false)
	if err != nil {
		return err
	}
	defer d.Close()
	t, err := d.db.Ticket(cmd.Context(), n)
	if err != nil {
		return noTicket(n, err)
	}
	by, err := d.operator(as)
	if err != nil {
		return failed(err)
	}
	var p tickets.Product
	if serial != "" && !strings.EqualFold(serial, "none") {
		if p, err = d.product(cmd.Context(), serial, t.Brand); err != nil {
			return failed(err)
		}
	}
	out, err := d.operate(cmd.Context(), tickets.Operation{By: by, Brand: t.Brand, Ticket: n, Commands: commands, Product: &p})
	if err != nil {
		return failed(err)
	}
	return printOperated(cmd, out, asJSON)
}
