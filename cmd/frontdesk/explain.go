package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/intake"
	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

func explainCommand() *cobra.Command {
	var mailbox string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain TICKET|FILE|- [--mailbox ADDRESS]",
		Short: "why a message went where it did",
		Long: `Explain prints, for each mail of a ticket, every threading and loop rule that was
tried, the value it saw and its verdict, as they were logged when it was decided.

Given a file it says what would become of that mail if it came in now: the rules
run on the real tickets and nothing is written. --mailbox says where it would
have come to; left out, it is the first of the desk's addresses in To, Cc and
Delivered-To. Without a configuration the rules run on an empty desk.`,
		Example: "  frontdesk explain 1234\n  frontdesk explain --mailbox support@example.com mail.eml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if ns, err := numbers(args); err == nil {
				return explainTicket(cmd, ns[0], asJSON)
			}
			return explainFile(cmd, args[0], mailbox, asJSON)
		},
	}
	cmd.Flags().StringVar(&mailbox, "mailbox", "", "mailbox that the file would have come to")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: one object a mail")
	return cmd
}

// explanation is one mail and what became, or would become, of it.
type explanation struct {
	Ledger      int64               `json:"ledger,omitempty"` // 0: not stored
	Received    string              `json:"received"`
	Mailbox     string              `json:"mailbox"`
	From        string              `json:"from"`
	Subject     string              `json:"subject"`
	Disposition tickets.Disposition `json:"disposition"`
	Reason      string              `json:"reason,omitempty"`
	Detail      string              `json:"detail,omitempty"`
	Ticket      int64               `json:"ticket,omitempty"` // 0: none, or a new one
	Message     int64               `json:"message,omitempty"`
	Trace       []tickets.Step      `json:"trace"`
	Notes       []string            `json:"notes,omitempty"`
}

func explainTicket(cmd *cobra.Command, n int64, asJSON bool) error {
	d, err := openDesk(cmd, false)
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := d.db.Ticket(cmd.Context(), n); err != nil {
		return noTicket(n, err)
	}
	entries, err := d.db.EntriesOfTicket(cmd.Context(), n)
	if err != nil {
		return failed(err)
	}
	if len(entries) == 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "#%d came in by no mail: see frontdesk tickets show %d --events\n", n, n)
	}
	for _, e := range entries {
		if err := explain(cmd.OutOrStdout(), explained(e), asJSON); err != nil {
			return err
		}
	}
	return nil
}

func explained(e store.Entry) explanation {
	return explanation{
		Ledger: e.ID, Received: stamp(e.Received), Mailbox: e.Mailbox, From: e.From, Subject: e.Subject,
		Disposition: e.Disposition, Reason: e.Reason, Detail: e.Detail, Ticket: e.Ticket, Message: e.Message, Trace: list(e.Trace),
	}
}

func explain(w io.Writer, e explanation, asJSON bool) error {
	if asJSON {
		return failed(encoder(w).Encode(e))
	}
	if e.Ledger != 0 {
		fmt.Fprintf(w, "ledger row %d\n", e.Ledger)
	}
	f := facts{w}
	f.line("received", e.Received)
	f.line("mailbox", e.Mailbox)
	f.line("from", e.From)
	f.line("subject", e.Subject)
	if err := printTrace(w, e.Trace); err != nil {
		return failed(err)
	}
	f.line("disposition", strings.TrimSpace(dash(string(e.Disposition))+" "+e.Reason))
	f.line("ticket", orZero(e.Ticket))
	f.line("detail", e.Detail)
	for _, n := range e.Notes {
		f.line("note", n)
	}
	_, err := fmt.Fprintln(w)
	return failed(err)
}

// printTrace prints the rules tried, in order.
func printTrace(w io.Writer, steps []tickets.Step) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range steps {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", s.Rule, shorten(strings.Join(strings.Fields(shown(dash(s.Value))), " "), 60), strings.Join(strings.Fields(shown(s.Verdict)), " "))
	}
	return t.Flush()
}

func explainFile(cmd *cobra.Command, file, mailbox string, asJSON bool) error {
	raw, err := readMail(cmd.InOrStdin(), file)
	if err != nil {
		return failed(fmt.Errorf("%w\nhint: a ticket is named by its number, as in frontdesk explain 1234", err))
	}
	m := parser.Parse(raw, parser.Options{})
	var e explanation
	if unconfigured(cmd) {
		e = explainAlone(m, mailbox)
	} else if e, err = explainHere(cmd, m, raw, mailbox); err != nil {
		return failed(err)
	}
	return explain(cmd.OutOrStdout(), e, asJSON)
}

// unconfigured reports whether no configuration was named and none is where
// packages put it.
func unconfigured(cmd *cobra.Command) bool {
	_, err := os.Stat(configFile(cmd))
	flag := cmd.Flag("config")
	return errors.Is(err, os.ErrNotExist) && os.Getenv("FRONTDESK_CONFIG") == "" && (flag == nil || flag.Value.String() == "")
}

// explainAlone runs the rules on an empty desk.
func explainAlone(m *parser.Mail, mailbox string) explanation {
	if mailbox == "" && len(m.To) > 0 {
		mailbox = m.To[0].Address
	}
	rules := tickets.Rules{Brands: map[string]tickets.Brand{"desk": {
		Key: "desk", Name: "Desk", Language: "en", Mailboxes: []tickets.Mailbox{{Address: mailbox, Subaddressing: "+"}},
	}}}
	row := claimed(intake.Address{Brand: "desk", Mailbox: mailbox}, now())
	in := intake.Understand(row, m, tickets.Auth{Method: "none", Detail: "not looked at"}, rules)
	c := tickets.Receive(tickets.Found{}, in, rules, row.Received)
	e := foreseen(in, c)
	e.Notes = []string{"there is no configuration: no tickets, agents or signatures were known to the rules; name one with --config FILE"}
	return e
}

// errNothingWritten rolls an explanation back.
var errNothingWritten = errors.New("nothing is written")

// explainHere runs the rules on the real tickets, in a transaction that is
// rolled back.
func explainHere(cmd *cobra.Command, m *parser.Mail, raw []byte, mailbox string) (explanation, error) {
	d, err := openDesk(cmd, false)
	if err != nil {
		return explanation{}, err
	}
	defer d.Close()
	to, note, err := d.wouldComeTo(m, mailbox)
	if err != nil {
		return explanation{}, err
	}
	auth := authenticatorsOf(d.cfg)(to.Mailbox).Authenticate(cmd.Context(), m, raw)
	row := claimed(to, now())
	in := intake.Understand(row, m, auth, d.rules)
	c, err := d.foresee(cmd.Context(), in)
	if err != nil {
		return explanation{}, err
	}
	e := foreseen(in, c)
	if note != "" {
		e.Notes = append(e.Notes, note)
	}
	return e, nil
}

// foresee decides about a mail and takes the decision back.
func (d *desk) foresee(ctx context.Context, in tickets.Inbound) (c tickets.Change, err error) {
	err = d.db.Decide(ctx, in.Brand, func(tx *store.Tx) error {
		found, err := tx.Find(ctx, in.Keys(d.rules))
		if err != nil {
			return err
		}
		c = tickets.Receive(found, in, d.rules, in.Received)
		return errNothingWritten
	})
	if errors.Is(err, errNothingWritten) {
		err = nil
	}
	return c, err
}

func claimed(to intake.Address, now time.Time) store.Claimed {
	return store.Claimed{Item: store.Item{Brand: to.Brand, Mailbox: to.Mailbox, Queue: to.Queue, Channel: tickets.ChannelMail, Received: now}}
}

func foreseen(in tickets.Inbound, c tickets.Change) explanation {
	e := explanation{
		Received: stamp(in.Received), Mailbox: in.Mailbox, From: in.From.Address, Subject: in.Subject,
		Disposition: c.Disposition, Reason: c.Reason, Detail: c.Detail, Trace: list(c.Trace),
		Notes: []string{"foreseen: nothing was written"},
	}
	if len(c.Tickets) > 0 {
		e.Ticket = c.Tickets[0].Ticket.ID
	}
	return e
}

// wouldComeTo finds the mailbox of a mail: the one named, else the first of the
// desk's in its address fields, else the first there is.
func (d *desk) wouldComeTo(m *parser.Mail, mailbox string) (intake.Address, string, error) {
	all := addressesOf(d.cfg)
	if mailbox != "" {
		to, err := d.mailbox(mailbox)
		return to, "", err
	}
	named := slices.Clone(m.DeliveredTo)
	for _, a := range slices.Concat(m.To, m.Cc) {
		named = append(named, a.Address)
	}
	for _, address := range named {
		for _, a := range all {
			if tickets.SameAddress(a.Mailbox, tickets.StripSubaddress(address, a.Subaddressing)) {
				return a, "", nil
			}
		}
	}
	return all[0], fmt.Sprintf("no address of the desk in To, Cc and Delivered-To: taken as if it came to %s (--mailbox)", all[0].Mailbox), nil
}

// mailbox finds a configured mailbox, by its address with or without a subaddress.
func (d *desk) mailbox(address string) (intake.Address, error) {
	var known []string
	for _, a := range addressesOf(d.cfg) {
		if tickets.SameAddress(a.Mailbox, tickets.StripSubaddress(address, a.Subaddressing)) {
			return a, nil
		}
		known = append(known, a.Mailbox)
	}
	return intake.Address{}, fmt.Errorf("no mailbox %q in %s\nhint: one of %s", address, d.cfg.Path, strings.Join(known, ", "))
}
