package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

func customersCommand() *cobra.Command {
	return group("customers", "profiles and the law",
		`Customers lists, shows and changes the profiles of those who write, joins two
profiles of one person, and hands out what is kept about somebody.`,
		"  frontdesk customers list --search keller\n  frontdesk customers export maria@keller.example --out maria.zip",
		customersListCommand(), customersShowCommand(), customersSetCommand(),
		customersMergeCommand(), customersExportCommand(), customersEraseCommand())
}

// personJSON is a profile as "customers --json" prints it.
type personJSON struct {
	ID        int64    `json:"id"`
	Brand     string   `json:"brand"`
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
	Phones    []string `json:"phones"`
	Language  string   `json:"language"`
	Org       string   `json:"organisation"`
	Blocked   bool     `json:"blocked"`
	Notes     string   `json:"notes"`
	VIP       bool     `json:"vip"`
	Contract  string   `json:"contract,omitempty"`

	Preferences preferencesJSON `json:"preferences"`
}

func personToJSON(p tickets.Person) personJSON {
	return personJSON{p.ID, p.Brand, p.Name, list(p.Addresses), list(p.Phones), p.Language, p.Org, p.Blocked, p.Notes, p.VIP, p.Contract, preferencesToJSON(p.Prefs)}
}

func customersListCommand() *cobra.Command {
	var brand, search string
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list [--brand B] [--search TEXT] [--limit N]",
		Short:   "which customers there are",
		Long:    "List prints profiles, oldest first. --search finds a part of a name or an address.",
		Example: "  frontdesk customers list --search @keller.example",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			people, err := d.db.People(cmd.Context(), brand, search, limit)
			if err != nil {
				return failed(err)
			}
			records := make([]personJSON, len(people))
			for i, p := range people {
				records[i] = personToJSON(p)
			}
			return printList(cmd, asJSON, records,
				column[personJSON]{"ID", func(p personJSON) string { return fmt.Sprint(p.ID) }},
				column[personJSON]{"BRAND", func(p personJSON) string { return p.Brand }},
				column[personJSON]{"NAME", func(p personJSON) string { return p.Name }},
				column[personJSON]{"ADDRESSES", func(p personJSON) string { return strings.Join(p.Addresses, " ") }},
				column[personJSON]{"ORGANISATION", func(p personJSON) string { return p.Org }},
				column[personJSON]{"LANGUAGE", func(p personJSON) string { return p.Language }},
				column[personJSON]{"BLOCKED", func(p personJSON) string { return yes(p.Blocked) }})
		},
	}
	f := cmd.Flags()
	f.StringVar(&brand, "brand", "", "of this brand")
	f.StringVar(&search, "search", "", "with this in name or address")
	f.IntVar(&limit, "limit", 100, "at most so many")
	f.BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// customer finds a profile by number or address. An address may belong to a
// customer of several brands, who are then several customers.
func (d *desk) customer(ctx context.Context, who, brand string) (tickets.Person, error) {
	if id, err := strconv.ParseInt(who, 10, 64); err == nil {
		p, err := d.db.Person(ctx, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && p.Brand == "" {
			return p, fmt.Errorf("there is no customer %d\nhint: frontdesk customers list", id)
		}
		return p, err
	}
	var found []tickets.Person
	for _, b := range sortedKeys(d.rules.Brands) {
		if brand != "" && b != brand {
			continue
		}
		p, err := d.db.PersonByAddress(ctx, b, who)
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
		return tickets.Person{}, fmt.Errorf("there is no customer %q\nhint: frontdesk customers list --search TEXT", who)
	case 1:
		return found[0], nil
	}
	return tickets.Person{}, fmt.Errorf("%q is a customer of several brands: which is meant?\nhint: --brand, or the number from frontdesk customers list", who)
}

// ticketsOf lists all tickets on which the person takes part, by one of the
// addresses or, as a caller, by a number that is none of them.
func (d *desk) ticketsOf(ctx context.Context, p tickets.Person) ([]tickets.Ticket, error) {
	queries := []store.TicketQuery{{Person: p.ID}}
	for _, address := range p.Addresses {
		queries = append(queries, store.TicketQuery{Customer: address})
	}
	var out []tickets.Ticket
	for _, q := range queries {
		q.Brand, q.Statuses, q.Limit = p.Brand, allStatuses, 100_000
		list, err := d.db.Tickets(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			if !slices.ContainsFunc(out, func(have tickets.Ticket) bool { return have.ID == t.ID }) {
				out = append(out, t)
			}
		}
	}
	slices.SortFunc(out, func(a, b tickets.Ticket) int { return int(a.ID - b.ID) })
	return out, nil
}

// withCustomer is the frame of a command on one profile.
func withCustomer(cmd *cobra.Command, who, brand string, f func(*desk, tickets.Person) error) error {
	d, err := openDesk(cmd, false)
	if err != nil {
		return err
	}
	defer d.Close()
	p, err := d.customer(cmd.Context(), who, brand)
	if err != nil {
		return failed(err)
	}
	return failed(f(d, p))
}

func customersShowCommand() *cobra.Command {
	var brand string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show ID|ADDRESS",
		Short:   "one profile with its tickets",
		Long:    "Show prints what is known of a customer, and the tickets on which the customer takes part.",
		Example: "  frontdesk customers show maria@keller.example",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withCustomer(cmd, args[0], brand, func(d *desk, p tickets.Person) error {
				list, err := d.ticketsOf(cmd.Context(), p)
				if err != nil {
					return err
				}
				e, err := d.earnedBy(cmd.Context(), p)
				if err != nil {
					return err
				}
				return showCustomer(cmd, p, list, e, asJSON)
			})
		},
	}
	cmd.Flags().StringVar(&brand, "brand", "", "brand, where the address is known to several")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func showCustomer(cmd *cobra.Command, p tickets.Person, list []tickets.Ticket, e earned, asJSON bool) error {
	if asJSON {
		out := struct {
			personJSON
			Tickets []ticketJSON `json:"tickets"`
			earned
		}{personToJSON(p), []ticketJSON{}, e}
		for i := range list {
			out.Tickets = append(out.Tickets, ticketToJSON(&list[i]))
		}
		return printJSON(cmd.OutOrStdout(), out)
	}
	f := facts{cmd.OutOrStdout()}
	f.line("customer", fmt.Sprint(p.ID))
	f.line("brand", p.Brand)
	f.line("name", p.Name)
	for _, a := range p.Addresses {
		f.line("address", a)
	}
	for _, n := range p.Phones {
		f.line("phone", n)
	}
	f.line("organisation", p.Org)
	f.line("language", p.Language)
	f.line("blocked", yes(p.Blocked))
	f.line("VIP", yes(p.VIP))
	f.line("contract", p.Contract)
	showPreferences(f, p.Prefs)
	f.line("notes", p.Notes)
	e.show(cmd.OutOrStdout())
	fmt.Fprintln(cmd.OutOrStdout())
	return printTickets(cmd, false, list)
}

// profile are the flags of "customers set".
type profile struct {
	name, language, org, notes                       string
	addAddress, removeAddress, addPhone, removePhone []string
	block, unblock                                   bool

	wishes wishes
}

func customersSetCommand() *cobra.Command {
	var brand string
	var change profile
	cmd := &cobra.Command{
		Use:   "set ID|ADDRESS [--name NAME] [--language L] [--org O] [--add-address A] [--block] …",
		Short: "change a profile",
		Long: `Set changes what is known of a customer. The first address is where letters go.
Mail of a blocked customer goes to quarantine. What a customer prefers concerns
letters that the desk sends of its own accord; answers always leave at once.`,
		Example: "  frontdesk customers set maria@keller.example --language de --add-address mk@home.example",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withCustomer(cmd, args[0], brand, func(d *desk, p tickets.Person) error {
				if err := change.apply(&p, cmd.Flags().Changed, d.rules.Brands[p.Brand].Country); err != nil {
					return err
				}
				if err := change.wishes.apply(&p, cmd.Flags().Changed, d.rules); err != nil {
					return err
				}
				if _, err := d.db.SavePerson(cmd.Context(), p, now()); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "customer %d saved\n", p.ID)
				return err
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&brand, "brand", "", "brand, where the address is known to several")
	f.StringVar(&change.name, "name", "", "name")
	f.StringVar(&change.language, "language", "", "language of letters: en, de, or \"\" for the brand's")
	f.StringVar(&change.org, "org", "", "organisation")
	f.StringVar(&change.notes, "notes", "", "what the team should know")
	f.StringSliceVar(&change.addAddress, "add-address", nil, "another mail address")
	f.StringSliceVar(&change.removeAddress, "remove-address", nil, "an address that is no longer the customer's")
	f.StringSliceVar(&change.addPhone, "add-phone", nil, "a phone number, with + or as the brand's country writes it")
	f.StringSliceVar(&change.removePhone, "remove-phone", nil, "a number that is no longer the customer's")
	f.BoolVar(&change.block, "block", false, "mail goes to quarantine from now on")
	f.BoolVar(&change.unblock, "unblock", false, "mail is handled again")
	cmd.MarkFlagsMutuallyExclusive("block", "unblock")
	change.wishes.flags(cmd)
	return cmd
}

// apply changes a profile; given tells which flags were given, country whose
// numbers need no +.
func (c profile) apply(p *tickets.Person, given func(string) bool, country string) error {
	for _, f := range []struct {
		name  string
		value string
		to    *string
	}{{"name", c.name, &p.Name}, {"language", c.language, &p.Language}, {"org", c.org, &p.Org}, {"notes", c.notes, &p.Notes}} {
		if given(f.name) {
			*f.to = strings.TrimSpace(f.value)
		}
	}
	if p.Language != "" && !slices.Contains(letterLanguages, p.Language) {
		return fmt.Errorf("--language %q: letters exist in %s", p.Language, strings.Join(letterLanguages, ", "))
	}
	for i, a := range c.addAddress {
		if c.addAddress[i] = tickets.NormalAddress(a); !strings.Contains(a, "@") {
			return fmt.Errorf("--add-address %q: not an address", a)
		}
	}
	for i, a := range c.removeAddress {
		c.removeAddress[i] = tickets.NormalAddress(a)
	}
	p.Addresses = plusMinus(p.Addresses, c.addAddress, c.removeAddress)
	if len(p.Addresses) == 0 {
		return errors.New("a customer needs an address: mail from an unknown one makes a new customer")
	}
	for i, n := range c.addPhone {
		if c.addPhone[i] = phone.ParseParty(n, country).Number; c.addPhone[i] == "" {
			return fmt.Errorf("--add-phone %q: not a phone number; write it with + and the code of its country", n)
		}
	}
	for _, n := range c.removePhone {
		c.removePhone = append(c.removePhone, phone.ParseParty(n, country).Number)
	}
	p.Phones = plusMinus(p.Phones, c.addPhone, c.removePhone)
	p.Blocked = (p.Blocked || c.block) && !c.unblock
	return nil
}

// plusMinus adds and removes, keeping the order.
func plusMinus(have, add, remove []string) []string {
	out := slices.Clone(have)
	for _, s := range add {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return slices.Contains(remove, s) })
}
