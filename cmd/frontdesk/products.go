package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/tickets"
)

func productsCommand() *cobra.Command {
	return group("products", "what was sold: warranties, contracts, meter readings",
		`Products lists, shows, changes and takes in what was sold to customers. A
product is named by its serial number. Agents see it in their letters when a
customer names the number; reminders are made of it.`,
		"  frontdesk products import sold.csv --dry-run\n  frontdesk products show LX-4711",
		productsListCommand(), productsShowCommand(), productsSetCommand(), productsImportCommand())
}

// productJSON is a product as "products --json" prints it.
type productJSON struct {
	ID            int64         `json:"id"`
	Brand         string        `json:"brand"`
	Serial        string        `json:"serial"`
	Model         string        `json:"model"`
	Kind          string        `json:"kind"`
	Customer      int64         `json:"customer,omitempty"`
	Name          string        `json:"name,omitempty"`
	Address       string        `json:"address,omitempty"`
	Bought        sla.Date      `json:"bought,omitzero"`
	WarrantyUntil sla.Date      `json:"warranty_until,omitzero"`
	ContractUntil sla.Date      `json:"contract_until,omitzero"`
	Contract      string        `json:"contract,omitempty"`
	Readings      []readingJSON `json:"readings"`
	ServicedPages int           `json:"serviced_pages,omitempty"`
	ServicedOn    sla.Date      `json:"serviced_on,omitzero"`
	Retired       bool          `json:"retired"`
	Notes         string        `json:"notes,omitempty"`
}

type readingJSON struct {
	At    string `json:"at"`
	Pages int    `json:"pages"`
	By    string `json:"by"`
}

func productToJSON(p tickets.Product) productJSON {
	j := productJSON{
		ID: p.ID, Brand: p.Brand, Serial: p.Serial, Model: p.Model, Kind: string(p.Kind), Customer: p.Person, Name: p.Owner.Name, Address: p.Owner.Address,
		Bought: p.Bought, WarrantyUntil: p.WarrantyUntil, ContractUntil: p.ContractUntil, Contract: p.Contract, Readings: []readingJSON{},
		ServicedPages: p.ServicedAt, ServicedOn: p.ServicedOn, Retired: p.Retired, Notes: p.Notes,
	}
	for _, r := range p.Readings {
		j.Readings = append(j.Readings, readingJSON{stamp(r.At), r.Pages, r.By})
	}
	return j
}

// dateText is a day, or "" for none.
func dateText(d sla.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

func productsListCommand() *cobra.Command {
	var q store.ProductQuery
	var customer string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [--brand B] [--customer ID|ADDRESS] [--search TEXT] [--retired] [--limit N]",
		Short: "which products there are",
		Long: `List prints products, oldest first, without those that are not in use any more.
--search finds a part of serial number, model, contract, or of the customer's
name or address.`,
		Example: "  frontdesk products list --customer maria@keller.example",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			if customer != "" {
				p, err := d.customer(cmd.Context(), customer, q.Brand)
				if err != nil {
					return failed(err)
				}
				q.Person = p.ID
			}
			found, err := d.db.Products(cmd.Context(), q)
			if err != nil {
				return failed(err)
			}
			records := make([]productJSON, len(found))
			for i, p := range found {
				records[i] = productToJSON(p)
			}
			return printList(cmd, asJSON, records,
				column[productJSON]{"SERIAL", func(p productJSON) string { return p.Serial }},
				column[productJSON]{"MODEL", func(p productJSON) string { return p.Model }},
				column[productJSON]{"KIND", func(p productJSON) string { return p.Kind }},
				column[productJSON]{"CUSTOMER", func(p productJSON) string { return p.Address }},
				column[productJSON]{"WARRANTY", func(p productJSON) string { return dateText(p.WarrantyUntil) }},
				column[productJSON]{"CONTRACT", func(p productJSON) string { return dateText(p.ContractUntil) }},
				column[productJSON]{"PAGES", func(p productJSON) string {
					if n := len(p.Readings); n > 0 {
						return fmt.Sprint(p.Readings[n-1].Pages)
					}
					return ""
				}})
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.Brand, "brand", "", "sold by this brand")
	f.StringVar(&customer, "customer", "", "of this customer")
	f.StringVar(&q.Search, "search", "", "with this in serial number, model, contract or customer")
	f.BoolVar(&q.Retired, "retired", false, "also those that are not in use any more")
	f.IntVar(&q.Limit, "limit", 100, "at most so many")
	f.BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// product finds a product by its serial number. Several brands may have sold one
// with the same number.
func (d *desk) product(ctx context.Context, serial, brand string) (tickets.Product, error) {
	var found []tickets.Product
	for _, b := range sortedKeys(d.rules.Brands) {
		if brand != "" && b != brand {
			continue
		}
		p, err := d.db.ProductBySerial(ctx, b, serial)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return p, err
		default:
			found = append(found, p)
		}
	}
	switch len(found) {
	case 0:
		return tickets.Product{}, fmt.Errorf("%w with the serial number %q\nhint: frontdesk products list --search TEXT", errNoProduct, serial)
	case 1:
		return found[0], nil
	}
	return tickets.Product{}, fmt.Errorf("several brands have %q: which is meant?\nhint: --brand, one of %s", serial, strings.Join(sortedKeys(d.rules.Brands), ", "))
}

var errNoProduct = errors.New("there is no product")

func productsShowCommand() *cobra.Command {
	var brand string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show SERIAL",
		Short:   "one product with its readings and tickets",
		Long:    "Show prints what is known of a product, its meter readings, and the tickets that are about it.",
		Example: "  frontdesk products show LX-4711",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			p, err := d.product(cmd.Context(), args[0], brand)
			if err != nil {
				return failed(err)
			}
			about, err := d.db.Tickets(cmd.Context(), store.TicketQuery{Brand: p.Brand, Product: p.ID, Statuses: allStatuses, Limit: 1000})
			if err != nil {
				return failed(err)
			}
			return showProduct(cmd, p, about, asJSON)
		},
	}
	cmd.Flags().StringVar(&brand, "brand", "", "brand, where several have the serial number")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func showProduct(cmd *cobra.Command, p tickets.Product, about []tickets.Ticket, asJSON bool) error {
	if asJSON {
		out := struct {
			productJSON
			Tickets []ticketJSON `json:"tickets"`
		}{productToJSON(p), []ticketJSON{}}
		for i := range about {
			out.Tickets = append(out.Tickets, ticketToJSON(&about[i]))
		}
		return printJSON(cmd.OutOrStdout(), out)
	}
	f := facts{cmd.OutOrStdout()}
	f.line("serial", p.Serial)
	f.line("model", p.Model)
	f.line("kind", string(p.Kind))
	f.line("brand", p.Brand)
	if p.Person != 0 {
		f.line("customer", strings.TrimSpace(fmt.Sprintf("%d %s %s", p.Person, p.Owner.Name, p.Owner.Address)))
	}
	f.line("bought", dateText(p.Bought))
	f.line("warranty", dateText(p.WarrantyUntil))
	f.line("contract", p.Contract)
	f.line("until", dateText(p.ContractUntil))
	f.line("serviced", strings.TrimSpace(dateText(p.ServicedOn)+" "+pagesText(p.ServicedAt)))
	f.line("retired", yes(p.Retired))
	f.line("notes", p.Notes)
	for _, r := range p.Readings {
		f.line("reading", fmt.Sprintf("%s %d pages, by %s", r.At.UTC().Format(time.DateOnly), r.Pages, r.By))
	}
	if len(about) == 0 {
		return nil
	}
	fmt.Fprintln(cmd.OutOrStdout())
	return printTickets(cmd, false, about)
}

func pagesText(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("at %d pages", n)
}

// productChange are the flags of "products set".
type productChange struct {
	brand, model, kind, customer, name, contract, notes                        string
	bought, warrantyUntil, contractUntil, pages, on, servicedPages, servicedOn string
	retired, inUse, anyway                                                     bool
	given                                                                      func(string) bool
}

func productsSetCommand() *cobra.Command {
	var c productChange
	cmd := &cobra.Command{
		Use:   "set SERIAL [--model M] [--customer A] [--warranty-until D] [--pages N] [--retired] …",
		Short: "change a product, or make it",
		Long: `Set changes what is known of a product; one that is not known is made. An empty
value forgets what was known: --contract-until "".

--pages adds a meter reading of today, or of --on. One that runs backwards is
refused unless --anyway says that the meter was replaced.`,
		Example: "  frontdesk products set LX-4711 --model LX-300 --kind laser --customer maria@keller.example --warranty-until 2028-03-01\n  frontdesk products set LX-4711 --pages 12345 --serviced-pages 12345 --serviced-on 2026-11-20",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.given = cmd.Flags().Changed
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			made, err := d.setProduct(cmd.Context(), args[0], c)
			if err != nil {
				return failed(err)
			}
			what := "saved"
			if made {
				what = "made"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "product %s %s\n", tickets.NormalSerial(args[0]), what)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.brand, "brand", "", "brand that sold it")
	f.StringVar(&c.model, "model", "", "model")
	f.StringVar(&c.kind, "kind", "", "laser, inkjet or other: how it is serviced")
	f.StringVar(&c.customer, "customer", "", "who has it: number, mail address or telephone number; \"\" nobody")
	f.StringVar(&c.name, "name", "", "name of a customer who is not known yet")
	f.StringVar(&c.bought, "bought", "", "day of purchase, 2026-12-31")
	f.StringVar(&c.warrantyUntil, "warranty-until", "", "last day of the warranty")
	f.StringVar(&c.contractUntil, "contract-until", "", "last day of the contract")
	f.StringVar(&c.contract, "contract", "", "what the contract is called")
	f.StringVar(&c.pages, "pages", "", "what the meter shows")
	f.StringVar(&c.on, "on", "", "day of that reading (default today)")
	f.StringVar(&c.servicedPages, "serviced-pages", "", "what the meter showed at the last service")
	f.StringVar(&c.servicedOn, "serviced-on", "", "day of the last service")
	f.StringVar(&c.notes, "notes", "", "what the team should know")
	f.BoolVar(&c.retired, "retired", false, "not in use any more: nothing is reminded of")
	f.BoolVar(&c.inUse, "in-use", false, "in use again")
	f.BoolVar(&c.anyway, "anyway", false, "take a reading that runs backwards")
	cmd.MarkFlagsMutuallyExclusive("retired", "in-use")
	return cmd
}

// setProduct changes a product in one transaction, or makes it.
func (d *desk) setProduct(ctx context.Context, serial string, c productChange) (made bool, err error) {
	p, err := d.product(ctx, serial, c.brand)
	if errors.Is(err, errNoProduct) {
		b, wrong := d.brand(c.brand)
		if wrong != nil {
			return false, wrong
		}
		p, made, err = tickets.Product{Brand: b.Key, Serial: tickets.NormalSerial(serial), Kind: tickets.KindOther}, true, nil
		if p.Serial == "" || len(p.Serial) > longestSerial {
			return false, fmt.Errorf("%q is no serial number", serial)
		}
	}
	if err != nil {
		return false, err
	}
	at := now()
	err = d.db.Decide(ctx, p.Brand, func(tx *store.Tx) error {
		p := p
		if !made {
			if p, err = tx.Product(ctx, p.ID); err != nil { // as it is inside the transaction
				return err
			}
		}
		if err := c.apply(&p, d, at); err != nil {
			return err
		}
		if err := d.giveTo(ctx, tx, &p, c); err != nil {
			return err
		}
		_, err := tx.Save(ctx, 0, "", "", tickets.Change{Brand: p.Brand, Products: []tickets.Product{p}}, at)
		return err
	})
	return made, err
}

// apply changes a product by the flags that were given.
func (c productChange) apply(p *tickets.Product, d *desk, at time.Time) error {
	zone := zoneOf(d.rules.Brands[p.Brand])
	r := lineReader{today: sla.DateOf(at.In(zone))}
	for _, f := range []struct {
		name, value string
		to          *string
	}{{"model", c.model, &p.Model}, {"contract", c.contract, &p.Contract}, {"notes", c.notes, &p.Notes}} {
		if c.given(f.name) {
			*f.to = strings.TrimSpace(f.value)
		}
	}
	for _, f := range []struct {
		name, value string
		to          *sla.Date
		read        func(string, *sla.Date) error
	}{
		{"bought", c.bought, &p.Bought, r.day}, {"warranty-until", c.warrantyUntil, &p.WarrantyUntil, r.day},
		{"contract-until", c.contractUntil, &p.ContractUntil, r.day}, {"serviced-on", c.servicedOn, &p.ServicedOn, r.past},
	} {
		if !c.given(f.name) {
			continue
		}
		*f.to = sla.Date{}
		if f.value != "" {
			if err := f.read(f.value, f.to); err != nil {
				return fmt.Errorf("--%s: %w", f.name, err)
			}
		}
	}
	if c.given("kind") {
		k, err := productKind(c.kind)
		if err != nil {
			return fmt.Errorf("--kind %w", err)
		}
		p.Kind = k
	}
	if c.given("serviced-pages") {
		n, err := pageCount(cmp.Or(c.servicedPages, "0"))
		if err != nil {
			return fmt.Errorf("--serviced-pages: %w", err)
		}
		p.ServicedAt = n
	}
	p.Retired = (p.Retired || c.retired) && !c.inUse
	return c.read(p, &r, d, at)
}

// read adds the meter reading.
func (c productChange) read(p *tickets.Product, r *lineReader, d *desk, at time.Time) error {
	if !c.given("pages") {
		if c.given("on") {
			return errors.New("--on: goes with --pages")
		}
		return nil
	}
	n, err := pageCount(c.pages)
	if err != nil {
		return fmt.Errorf("--pages: %w", err)
	}
	reading := tickets.Reading{At: at, Pages: n, By: d.byOperator()}
	if c.on != "" {
		var day sla.Date
		if err := r.past(c.on, &day); err != nil {
			return fmt.Errorf("--on: %w", err)
		}
		reading.At = noonOf(day)
	}
	if wrong := p.Implausible(reading); wrong != "" && !c.anyway {
		return fmt.Errorf("--pages %d: %s\nhint: --anyway when the meter was replaced", n, wrong)
	}
	*p = p.With(tickets.Product{Readings: []tickets.Reading{reading}})
	return nil
}

// giveTo hands a product to the customer that was named.
func (d *desk) giveTo(ctx context.Context, tx *store.Tx, p *tickets.Product, c productChange) error {
	switch {
	case !c.given("customer") && c.given("name"):
		return errors.New("--name: goes with --customer")
	case !c.given("customer"):
		return nil
	case c.customer == "":
		p.Person, p.Owner = 0, tickets.Address{}
		return nil
	}
	if n, err := numbers([]string{c.customer}); err == nil && !strings.HasPrefix(c.customer, "+") && !strings.HasPrefix(c.customer, "0") {
		who, err := d.customer(ctx, fmt.Sprint(n[0]), p.Brand)
		if err == nil && who.Brand != p.Brand {
			err = fmt.Errorf("customer %d is of %s, the product of %s", who.ID, who.Brand, p.Brand)
		}
		p.Person, p.Owner = who.ID, tickets.Address{}
		return err
	}
	address, err := customerAddress(c.customer, d.rules.Brands[p.Brand].Country)
	if err != nil {
		return fmt.Errorf("--customer %w", err)
	}
	owners, err := tx.Owners(ctx, p.Brand, []string{address})
	if err != nil {
		return err
	}
	switch ids := owners[address]; len(ids) {
	case 0:
		p.Person, p.Owner = 0, tickets.Address{Name: strings.TrimSpace(c.name), Address: address}
	case 1:
		p.Person, p.Owner = ids[0], tickets.Address{}
	default:
		return fmt.Errorf("--customer %s: %d customers have the number: name one by the mail address", c.customer, len(ids))
	}
	return nil
}
