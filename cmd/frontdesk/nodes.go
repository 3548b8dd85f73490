package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/nodes"
)

func nodesCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "nodes [--json]",
		Short: "which node does what",
		Long: `Nodes lists the daemons that share this desk's PostgreSQL, what each of them has
in hand (the mailboxes that it reads, the brands that it decides for, the
schedules), since when, and until when it keeps it without a word. A lease that
nobody holds is listed too: it is taken by a node within moments, or no node is
running.

On SQLite there is one daemon, which does everything.`,
		Example: "  frontdesk nodes\n  frontdesk nodes --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			if !d.db.Shared() && !asJSON {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "one node: the database is SQLite")
				return failed(err)
			}
			list, err := d.leaseList(cmd)
			if err != nil {
				return failed(err)
			}
			return printList(cmd, asJSON, list,
				column[leaseJSON]{"NODE", func(l leaseJSON) string { return l.Node }},
				column[leaseJSON]{"HAS", func(l leaseJSON) string { return l.Lease }},
				column[leaseJSON]{"EPOCH", func(l leaseJSON) string { return fmt.Sprint(l.Epoch) }},
				column[leaseJSON]{"SINCE", func(l leaseJSON) string { return l.Since }},
				column[leaseJSON]{"RUNS OUT IN", func(l leaseJSON) string { return l.left.Round(time.Second).String() }},
				column[leaseJSON]{"VERSION", func(l leaseJSON) string { return l.Version }})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// leaseJSON is one lease as "nodes --json" prints it.
type leaseJSON struct {
	Node    string `json:"node"`  // "" nobody has it
	Lease   string `json:"lease"` // mailbox:<address>/<folder>, brand:<id>, schedules, twilio; alive for the node itself
	Epoch   int64  `json:"epoch"` // rises with each holder
	Since   string `json:"since"`
	Until   string `json:"until"`
	Version string `json:"version,omitempty"` // of a node

	left time.Duration
}

// holders says which node holds each lease, by its name.
func (d *desk) holders(ctx context.Context) (map[string]string, error) {
	if !d.db.Shared() {
		return nil, nil
	}
	rows, _, err := d.db.Leases(ctx, machine())
	out := map[string]string{}
	for _, r := range rows {
		if r.Held {
			out[r.Name] = r.Node
		}
	}
	return out, err
}

// leaseList reads who has what: nodes first, each with its version.
func (d *desk) leaseList(cmd *cobra.Command) ([]leaseJSON, error) {
	rows, clock, err := d.db.Leases(cmd.Context(), machine())
	if err != nil {
		return nil, err
	}
	versions := map[string]string{}
	for _, p := range nodes.Living(rows) {
		versions[p.Node] = p.Version
	}
	var alive, rest []leaseJSON
	for _, r := range rows {
		l := leaseJSON{Node: r.Node, Lease: r.Name, Epoch: r.Epoch, Since: stamp(r.Since), Until: stamp(r.Until), left: max(r.Until.Sub(clock), 0)}
		if version, ok := versions[r.Node]; ok && r.Name == "node:"+r.Node {
			l.Lease, l.Version = "alive", version
			alive = append(alive, l)
			continue
		}
		if strings.HasPrefix(r.Name, "node:") {
			continue // gone: the others see to it
		}
		if !r.Held {
			l.Node, l.Since, l.Until = "", "", ""
		}
		rest = append(rest, l)
	}
	return append(alive, rest...), nil
}
