package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/store"
	"frontdesk/tickets"
)

// operated is what an operator's act came to.
type operated struct {
	Ticket   int64    `json:"ticket,omitempty"`
	Done     []string `json:"done"`
	Problems []string `json:"problems,omitempty"`
}

// errRefused rolls an act back that has problems.
var errRefused = errors.New("refused")

// operate decides and saves an operator's act in one transaction. When there
// are problems nothing is saved.
func (d *desk) operate(ctx context.Context, op tickets.Operation) (operated, error) {
	var out operated
	at := now()
	err := d.db.Decide(ctx, op.Brand, func(tx *store.Tx) error {
		found, err := tx.Find(ctx, op.Keys(at))
		if err != nil {
			return err
		}
		change, done, problems := tickets.Operate(found, op, d.rules, at)
		out = operated{Ticket: op.Ticket, Done: list(done), Problems: problems}
		if len(problems) > 0 {
			return errRefused
		}
		switch {
		case op.New != nil:
			out.Done = append([]string{"opened for " + op.New.From.Address}, logged(change)...)
		case len(done) == 0:
			out.Done = sentTo(change)
		}
		saved, err := tx.Save(ctx, 0, "", "", change, at)
		if err == nil && op.New != nil && len(saved.Tickets) > 0 {
			out.Ticket = saved.Tickets[0]
		}
		return err
	})
	if errors.Is(err, errRefused) {
		return out, nil
	}
	return out, err
}

// sentTo names the letters to customers of an act without commands, of which
// the rules say nothing by themselves.
func sentTo(c tickets.Change) []string {
	out := []string{}
	for _, tc := range c.Tickets {
		for _, l := range tc.Letters {
			if !l.Agent {
				out = append(out, fmt.Sprintf("%s to %s", l.Kind, l.To.Address))
			}
		}
	}
	return out
}

// logged says what became of a new ticket, in the words of its log.
func logged(c tickets.Change) []string {
	var out []string
	for _, tc := range c.Tickets {
		for _, e := range tc.Events {
			if e.What != "logged" {
				out = append(out, e.What+": "+e.Detail)
			}
		}
	}
	return append(out, sentTo(c)...)
}

// operateOn does commands and a text on one ticket, for a subcommand.
func operateOn(cmd *cobra.Command, n int64, as string, commands []string, text string, asJSON bool) error {
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
	out, err := d.operate(cmd.Context(), tickets.Operation{By: by, Brand: t.Brand, Ticket: n, Commands: commands, Text: text})
	if err != nil {
		return failed(err)
	}
	return printOperated(cmd, out, asJSON)
}

// printOperated says what was done, or what spoke against it: then the exit
// code is 1.
func printOperated(cmd *cobra.Command, out operated, asJSON bool) error {
	if asJSON {
		if err := printJSON(cmd.OutOrStdout(), out); err != nil {
			return err
		}
	} else {
		for _, line := range out.Done {
			if len(out.Problems) == 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "#%d %s\n", out.Ticket, shown(line))
			}
		}
	}
	if len(out.Problems) == 0 {
		return nil
	}
	err := errors.New(strings.Join(out.Problems, "\nfrontdesk: ") + "\nhint: nothing was done")
	return failed(err)
}

// operator is who acts: the agent named, else whoever is logged in on this
// machine, who may do everything here anyway.
func (d *desk) operator(as string) (tickets.Agent, error) {
	if as != "" {
		return d.agent(as)
	}
	name := "operator"
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	return tickets.Agent{Name: name, Address: tickets.NormalAddress(name + "@" + host), Role: tickets.RoleAdmin}, nil
}

// byOperator is the operator's address, for logs of what has no ticket.
func (d *desk) byOperator() string {
	a, err := d.operator("")
	if err != nil {
		return "operator"
	}
	return a.Address
}
