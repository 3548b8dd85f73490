package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"frontdesk/store"
	"frontdesk/tickets"
)

// erasing are the flags of "customers erase".
type erasing struct {
	brand       string
	yes, dryRun bool
}

func customersEraseCommand() *cobra.Command {
	var o erasing
	cmd := &cobra.Command{
		Use:   "erase ID|ADDRESS [--yes] [--dry-run]",
		Short: "forget a customer",
		Long: `Erase removes what is kept about a customer (article 17 GDPR): the profile with
addresses, numbers, products and points, mails as they came, texts, recordings
and files, the words of all messages, the search index, letters and their
copies, and what the log says of the person. It says first what there is, and
asks. Export before, if the customer wants to have it.

Tickets keep their numbers, dates, statuses and agents, so that figures stay what
they were. An open one is closed. On tickets of other people the customer's own
words go; what others wrote there stays, although it may speak of the customer.
A number that refused texts stays on the list of those.

Nothing comes back: what was erased is known by hashes that only this desk's
secret can make, here and in data_dir/erased, so that neither a rescan of the
mailbox nor an older backup brings it back. Whoever writes again is a new
customer. Words of texts and recordings at Twilio are deleted by the running
desk; Twilio's own log of calls and texts keeps numbers and times. Mail stays in
the mailbox until you delete it there, and in the agents' own mail.

On disk: SQLite overwrites what is deleted. Databases that were moved aside by
restore, and backups, keep it until you delete them. PostgreSQL gives the space
free with its vacuum; its log is kept as long as you set.`,
		Example: "  frontdesk customers export maria@keller.example --out maria.zip\n  frontdesk customers erase maria@keller.example",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withCustomer(cmd, args[0], o.brand, func(d *desk, p tickets.Person) error { return d.erase(cmd, p, o) })
		},
	}
	cmd.Flags().StringVar(&o.brand, "brand", "", "brand, where the address is known to several")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would be erased, and change nothing")
	return cmd
}

// erase removes a customer: what is marked first cannot come back meanwhile, and
// an erasure that breaks off is gone on with at the next start of the desk.
func (d *desk) erase(cmd *cobra.Command, p tickets.Person, o erasing) error {
	ctx := cmd.Context()
	t, err := d.db.Traces(ctx, p.ID)
	if err != nil {
		return err
	}
	sayTraces(cmd.OutOrStdout(), t)
	if o.dryRun {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "nothing was changed")
		return err
	}
	if err := confirmErase(cmd, p, o.yes); err != nil {
		return err
	}
	e := store.Erasure{ID: strings.ToLower(rand.Text()), At: now().UTC(), Marks: t.Marks}
	if err := rememberErasure(d.cfg, e); err != nil {
		return err
	}
	if err := d.db.Entomb(ctx, e); err != nil {
		return err
	}
	if t, err = d.markRest(ctx, e, t); err != nil {
		return err
	}
	bar := newBar(cmd, len(t.Own)+len(t.Others)+3, "pieces")
	if err := d.db.Erase(ctx, t, now(), func() { _ = bar.Add(1) }); err != nil {
		return fmt.Errorf("%w\nhint: run it again, or restart the desk: it goes on where it broke off", err)
	}
	_ = bar.Finish()
	if err := d.db.Erased(ctx, e.ID); err != nil {
		return err
	}
	if err := d.db.Scrub(ctx); err != nil {
		return err
	}
	if _, err := d.db.SweepBlobs(ctx); err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "files are deleted by the running desk as soon as it can: %v\n", err)
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "customer %d erased\n", p.ID); err != nil {
		return err
	}
	if n := len(t.Sids); n > 0 {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "copies that the running desk deletes at Twilio: %d\n", n)
	}
	return err
}

// markRest looks again, now that nothing of what is marked comes in any more: a
// mail may have come while the question was answered.
func (d *desk) markRest(ctx context.Context, e store.Erasure, before store.Traces) (store.Traces, error) {
	t, err := d.db.Traces(ctx, before.Person.ID)
	if err != nil || slices.Equal(t.Marks, before.Marks) {
		return t, err
	}
	e.Marks = t.Marks
	if err := rememberErasure(d.cfg, e); err != nil {
		return t, err
	}
	return t, d.db.Entomb(ctx, e)
}

// sayTraces says what there is, before anything is asked.
func sayTraces(w io.Writer, t store.Traces) {
	f := facts{w}
	f.line("customer", fmt.Sprintf("%d %s", t.Person.ID, t.Person.Name))
	for _, a := range t.Person.Addresses {
		f.line("address", a)
	}
	for _, n := range t.Person.Phones {
		f.line("phone", n)
	}
	for _, c := range []struct {
		name string
		n    int
	}{
		{"own tickets", len(t.Own)}, {"tickets of others", len(t.Others)}, {"messages", t.Messages}, {"mails and files", len(t.Rows)},
		{"letters", len(t.Letters)}, {"of them waiting", t.Waiting}, {"products", t.Products}, {"surveys", t.Surveys}, {"entries of points", t.Points},
		{"copies at Twilio", len(t.Sids)},
	} {
		f.line(c.name, fmt.Sprint(c.n))
	}
}

// confirmErase asks on a terminal; anywhere else --yes must say it.
func confirmErase(cmd *cobra.Command, p tickets.Person, yes bool) error {
	if yes {
		return nil
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !isatty.IsTerminal(in.Fd()) {
		return errors.New("nothing was erased: it cannot be undone\nhint: --yes, or --dry-run")
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "This cannot be undone. Type the number of the customer (%d) to erase: ", p.ID)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if strings.TrimSpace(answer) != fmt.Sprint(p.ID) {
		return errors.New("nothing was erased")
	}
	return nil
}
