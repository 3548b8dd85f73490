package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"frontdesk/store"
	"frontdesk/tickets"
)

func customersMergeCommand() *cobra.Command {
	var brand string
	cmd := &cobra.Command{
		Use:   "merge ID|ADDRESS INTO",
		Short: "join two profiles of one person",
		Long: `Merge moves the addresses, numbers, tickets and products of one profile into another of
the same brand. The first profile stays, empty. It cannot be taken back.`,
		Example: "  frontdesk customers merge mk@home.example maria@keller.example",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withCustomer(cmd, args[0], brand, func(d *desk, from tickets.Person) error {
				into, err := d.customer(cmd.Context(), args[1], from.Brand)
				if err != nil {
					return err
				}
				n, err := d.mergeCustomers(cmd.Context(), from, into)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "customer %d is now customer %d: addresses=%d tickets=%d\n", from.ID, into.ID, len(from.Addresses), n)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&brand, "brand", "", "brand, where the address is known to several")
	return cmd
}

// mergeCustomers moves everything of one profile to another in one transaction.
func (d *desk) mergeCustomers(ctx context.Context, from, into tickets.Person) (moved int, err error) {
	switch {
	case from.ID == into.ID:
		return 0, errors.New("both are the same customer")
	case from.Brand != into.Brand:
		return 0, fmt.Errorf("customer %d is of %s, customer %d of %s: brands are kept apart", from.ID, from.Brand, into.ID, into.Brand)
	}
	list, err := d.ticketsOf(ctx, from)
	if err != nil {
		return 0, err
	}
	sold, err := d.db.Products(ctx, store.ProductQuery{Brand: from.Brand, Person: from.ID, Retired: true, Limit: 100_000})
	if err != nil {
		return 0, err
	}
	by, at := d.byOperator(), now()
	err = d.db.Decide(ctx, into.Brand, func(tx *store.Tx) error {
		c := tickets.Change{Brand: into.Brand, People: []tickets.Person{emptied(from, into), joinedPerson(from, into)}}
		for _, t := range list {
			current, err := tx.Ticket(ctx, t.ID) // as it is inside the transaction
			if err != nil {
				return err
			}
			c.Tickets = append(c.Tickets, handed(*current, from, into, by))
		}
		for _, p := range sold {
			p, err := tx.Product(ctx, p.ID)
			if err != nil {
				return err
			}
			p.Person, p.Owner = into.ID, tickets.Address{}
			c.Products = append(c.Products, p)
		}
		if _, err := tx.Save(ctx, 0, "", "", c, at); err != nil {
			return err
		}
		return tx.HandOver(ctx, from.ID, into.ID)
	})
	return len(list), err
}

// emptied is what is left of a profile.
func emptied(from, into tickets.Person) tickets.Person {
	return tickets.Person{ID: from.ID, Brand: from.Brand, Name: from.Name, Notes: fmt.Sprintf("merged into customer %d", into.ID)}
}

// joinedPerson is the profile with what the other knew beyond it.
func joinedPerson(from, into tickets.Person) tickets.Person {
	p := into
	p.Addresses = plusMinus(into.Addresses, from.Addresses, nil)
	p.Phones = plusMinus(into.Phones, from.Phones, nil)
	p.Blocked = into.Blocked || from.Blocked
	p.VIP = into.VIP || from.VIP
	p.Prefs = joinedWishes(from.Prefs, into.Prefs)
	for _, f := range []struct{ to, other *string }{{&p.Name, &from.Name}, {&p.Language, &from.Language}, {&p.Org, &from.Org}, {&p.Notes, &from.Notes}, {&p.Contract, &from.Contract}} {
		if *f.to == "" {
			*f.to = *f.other
		}
	}
	return p
}

// handed is a ticket on which the one person is now the other.
func handed(t tickets.Ticket, from, into tickets.Person, by string) tickets.TicketChange {
	if t.Requester == from.ID {
		t.Requester = into.ID
	}
	for i := range t.Participants {
		if t.Participants[i].Person == from.ID {
			t.Participants[i].Person = into.ID
		}
	}
	return tickets.TicketChange{Ticket: t, Events: []tickets.Event{{
		Ticket: t.ID, At: now(), Who: by, What: "customer merged", Detail: fmt.Sprintf("%d into %d", from.ID, into.ID),
	}}}
}

// toFile writes to a new file, or to w without one.
func toFile(w io.Writer, file string, write func(io.Writer) error) (err error) {
	if file == "" {
		return write(w)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if closing := f.Close(); err == nil {
			err = closing
		}
	}()
	return write(f)
}
