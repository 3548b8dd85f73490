package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/tickets"
)

// newTicket are the flags of "tickets new".
type newTicket struct {
	brand, mailbox, from, name, subject, text, queue, as string
	severity, category, assignee                         string
	asJSON                                               bool
}

func ticketsNewCommand() *cobra.Command {
	var n newTicket
	cmd := &cobra.Command{
		Use:   "new --from ADDRESS --subject SUBJECT [--text TEXT|-] [--brand B] [--name NAME] [--queue Q] [--as AGENT] [--severity S]",
		Short: "log a request that somebody brought in person",
		Long: `New opens a ticket in the name of a customer who came to the counter, wrote a
letter or told an agent. The customer gets the usual acknowledgement, the team
the usual notice. --brand may be left out where there is only one. "--text -"
reads the text from standard input.`,
		Example: `  frontdesk tickets new --from maria@keller.example --name "Maria Keller" \
      --subject "Printer offline" --text "Offline since this morning." --severity high`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := words(cmd, n.text)
			if err != nil {
				return err
			}
			n.text = text
			return n.run(cmd)
		},
	}
	f := cmd.Flags()
	f.StringVar(&n.brand, "brand", "", "brand that is asked for help")
	f.StringVar(&n.mailbox, "mailbox", "", "mailbox that its letters come from (default the brand's first)")
	f.StringVar(&n.from, "from", "", "the customer's mail address")
	f.StringVar(&n.name, "name", "", "the customer's name")
	f.StringVar(&n.subject, "subject", "", "what it is about, in a few words")
	f.StringVar(&n.text, "text", "", "what the customer said, or - for standard input")
	f.StringVar(&n.queue, "queue", "", "queue (default the mailbox's)")
	f.StringVar(&n.severity, "severity", "", "how bad it is")
	f.StringVar(&n.category, "category", "", "what it is about")
	f.StringVar(&n.assignee, "assignee", "", "who takes it")
	f.StringVar(&n.as, "as", "", "agent in whose name it is logged")
	f.BoolVar(&n.asJSON, "json", false, "print one JSON document")
	for _, name := range []string{"from", "subject"} {
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}

func (n *newTicket) run(cmd *cobra.Command) error {
	d, err := openDesk(cmd, false)
	if err != nil {
		return err
	}
	defer d.Close()
	op, err := n.operation(d)
	if err != nil {
		return failed(err)
	}
	out, err := d.operate(cmd.Context(), op)
	if err != nil {
		return failed(err)
	}
	return printOperated(cmd, out, n.asJSON)
}

func (n *newTicket) operation(d *desk) (tickets.Operation, error) {
	brand, err := d.brand(n.brand)
	if err != nil {
		return tickets.Operation{}, err
	}
	if _, ok := d.rules.Queues[n.queue]; n.queue != "" && !ok {
		return tickets.Operation{}, fmt.Errorf("no queue %q\nhint: one of %s", n.queue, strings.Join(sortedKeys(d.rules.Queues), ", "))
	}
	if _, ok := brand.Mailbox(n.mailbox); n.mailbox != "" && !ok {
		return tickets.Operation{}, fmt.Errorf("%s has no mailbox %q", brand.Key, n.mailbox)
	}
	by, err := d.operator(n.as)
	if err != nil {
		return tickets.Operation{}, err
	}
	op := tickets.Operation{
		By: by, Brand: brand.Key, Mailbox: tickets.NormalAddress(n.mailbox), Text: n.text,
		New: &tickets.NewRequest{From: tickets.Address{Name: n.name, Address: n.from}, Subject: n.subject, Queue: n.queue},
	}
	for _, c := range []struct{ word, value string }{{"severity", n.severity}, {"category", n.category}, {"assign", n.assignee}} {
		if c.value != "" {
			op.Commands = append(op.Commands, "#"+c.word+" "+c.value)
		}
	}
	return op, nil
}

// brand finds a brand by its key; "" is the only one there is.
func (d *desk) brand(key string) (tickets.Brand, error) {
	keys := sortedKeys(d.rules.Brands)
	if key == "" && len(keys) == 1 {
		key = keys[0]
	}
	b, ok := d.rules.Brands[key]
	switch {
	case ok:
		return b, nil
	case key == "":
		return b, fmt.Errorf("which brand?\nhint: --brand, one of %s", strings.Join(keys, ", "))
	}
	return b, fmt.Errorf("no brand %q\nhint: one of %s", key, strings.Join(keys, ", "))
}
