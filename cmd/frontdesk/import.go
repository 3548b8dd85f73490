package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/tickets"
)

func importCommand() *cobra.Command {
	return group("import", "take in what another desk or mailbox has",
		`Import takes in history: mails of files and folders, customers, products and
tickets of CSV files, conversations of other desks. Nobody is written to, no
clock is started, nobody is assigned. What is in already is passed over, so an
import that was stopped is run again, and goes on.`,
		"  frontdesk import mbox old.mbox --mailbox support@example.com --dry-run\n  frontdesk import csv customers people.csv",
		importMboxCommand(), importMaildirCommand(), importCSVCommand(), importZammadCommand(), importFreeScoutCommand(), importRTCommand())
}

// historyFlags are the flags of all imports of conversations.
type historyFlags struct {
	brand, mailbox, tag string
	since               string
	own, agents         []string
	leaveOpen           int
	dryRun, asJSON      bool
}

func (f *historyFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.mailbox, "mailbox", "", "mailbox of the configuration whose history it is")
	fs.StringVar(&f.brand, "brand", "", "brand of the mailbox, to be sure")
	fs.StringArrayVar(&f.own, "own", nil, "another address that the desk wrote from (may be repeated)")
	fs.StringArrayVar(&f.agents, "agent", nil, "OLD=NEW: who wrote as OLD is agent NEW now; OLD alone: was an agent (may be repeated)")
	fs.StringVar(&f.since, "since", "", "leave out what was received before this day, 2024-01-31")
	fs.IntVar(&f.leaveOpen, "leave-open", 0, "days: conversations with a contact in the last so many stay open")
	fs.BoolVar(&f.dryRun, "dry-run", false, "say what would come and change nothing")
	fs.BoolVar(&f.asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("mailbox")
}

const historyHelp = `
Each message is put into a conversation by the rules that the desk uses for new
mail, at the time it was received; what the mailbox itself, one of the agents,
--own or --agent wrote goes out. Conversations are closed as of their last
message, but for --leave-open. Automatic mail that belongs to none is left out.

--dry-run says what would come. Running it twice adds nothing; Ctrl-C finishes
what is in hand (exit code 75), and running it again goes on.`

func importMboxCommand() *cobra.Command {
	var f historyFlags
	cmd := &cobra.Command{
		Use:   "mbox FILE… --mailbox ADDRESS [--dry-run]",
		Short: "mails of mbox files",
		Long: `Mbox takes in the mails of mbox files (RFC 4155; mboxo, mboxrd, mboxcl and
mboxcl2), also packed with gzip.` + "\n" + historyHelp,
		Example: "  frontdesk import mbox Inbox.mbox Sent.mbox --mailbox support@example.com --dry-run",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, func(h *historyImport, since time.Time) (history, func(), error) {
				return mboxHistory(cmd, h, args, since)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.tag, "tag", "", "subject tags of the other desk, [Ticket#{id}]: they lead to the conversation from now on")
	return cmd
}

func importMaildirCommand() *cobra.Command {
	var f historyFlags
	cmd := &cobra.Command{
		Use:   "maildir DIR… --mailbox ADDRESS [--dry-run]",
		Short: "mails of Maildirs and folders",
		Long: `Maildir takes in the mails of Maildirs with their subfolders, and of plain
folders with one mail in each file.` + "\n" + historyHelp,
		Example: "  frontdesk import maildir /home/support/Maildir --mailbox support@example.com --dry-run",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, func(h *historyImport, since time.Time) (history, func(), error) {
				return dirHistory(cmd, h, args, since)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.tag, "tag", "", "subject tags of the other desk, [Ticket#{id}]: they lead to the conversation from now on")
	return cmd
}

// run opens the desk and takes in what open finds.
func (f *historyFlags) run(cmd *cobra.Command, open func(h *historyImport, since time.Time) (history, func(), error)) error {
	since, err := f.sinceTime()
	if err != nil {
		return err
	}
	tag, err := foreignPattern("--tag", f.tag)
	if err != nil {
		return err
	}
	d, err := openDesk(cmd, false)
	if err != nil {
		return err
	}
	defer d.Close()
	h, closeDry, err := f.prepare(cmd.Context(), d, tag)
	if err != nil {
		return failed(err)
	}
	defer closeDry()
	a, done, err := open(h, since)
	if err != nil {
		return failed(err)
	}
	defer done()
	bar := newBar(cmd, a.Len(), "import")
	err = h.run(cmd.Context(), a, func(n int) { _ = bar.Add(n) })
	_ = bar.Finish()
	if err != nil {
		return failed(fmt.Errorf("import: %w\nhint: run it again: what is in is passed over", err))
	}
	return h.report(cmd, f.asJSON)
}

func (f *historyFlags) sinceTime() (time.Time, error) {
	if f.since == "" {
		return time.Time{}, nil
	}
	d, err := sla.ParseDate(f.since)
	if err != nil {
		return time.Time{}, fmt.Errorf("--since %q is not a day (as in 2024-01-31)", f.since)
	}
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC), nil
}

// prepare makes the import. A dry run has a store of its own, which is thrown
// away.
func (f *historyFlags) prepare(ctx context.Context, d *desk, tag *regexp.Regexp) (h *historyImport, done func(), err error) {
	to, err := d.mailbox(f.mailbox)
	if err != nil {
		return nil, nil, err
	}
	if f.brand != "" && f.brand != to.Brand {
		return nil, nil, fmt.Errorf("%s is a mailbox of brand %s, not %s", to.Mailbox, to.Brand, f.brand)
	}
	h = &historyImport{db: d.db, real: d.db, parser: parserOf(d.cfg, to.Brand), to: to, tag: tag, dry: f.dryRun}
	if h.rules, err = f.rules(d.rules, to.Brand); err != nil {
		return nil, nil, err
	}
	h.openSince = now().AddDate(0, 0, -f.leaveOpen)
	if f.leaveOpen <= 0 {
		h.openSince = now().AddDate(100, 0, 0)
	}
	if !f.dryRun {
		return h, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "frontdesk-import-")
	if err != nil {
		return nil, nil, err
	}
	if h.db, err = store.Open(ctx, store.Options{Database: filepath.Join(dir, "dry.db"), Fast: true, Keys: keyringOf(d.cfg)}); err != nil {
		_ = os.RemoveAll(dir)
		return nil, nil, err
	}
	done = func() { _, _ = h.db.Close(), os.RemoveAll(dir) }
	if _, _, err = h.db.Agents(ctx, agentsOf(d.cfg)); err != nil {
		done()
		return nil, nil, err
	}
	return h, done, nil
}

// rules are the desk's, with the addresses that only its past knows.
func (f *historyFlags) rules(r tickets.Rules, brand string) (tickets.Rules, error) {
	r.Agents, r.Brands = maps.Clone(r.Agents), maps.Clone(r.Brands)
	for _, pair := range f.agents {
		old, new, mapped := strings.Cut(pair, "=")
		old, new = tickets.NormalAddress(old), tickets.NormalAddress(new)
		a, known := r.Agents[new]
		switch {
		case !strings.Contains(old, "@"):
			return r, fmt.Errorf("--agent %q: OLD=NEW or OLD, both mail addresses", pair)
		case mapped && !known:
			return r, fmt.Errorf("--agent %q: there is no agent %q in the configuration\nhint: one of %s", pair, new, strings.Join(sortedKeys(r.Agents), ", "))
		case !mapped:
			a = tickets.Agent{Address: old}
		}
		r.Agents[old] = a
	}
	b := r.Brands[brand]
	b.Mailboxes = slices.Clone(b.Mailboxes)
	for _, own := range f.own {
		if !strings.Contains(own, "@") {
			return r, fmt.Errorf("--own %q is not a mail address", own)
		}
		b.Mailboxes = append(b.Mailboxes, tickets.Mailbox{Address: tickets.NormalAddress(own)})
	}
	r.Brands[brand] = b
	return r, nil
}

// wrong notes what is odd about a contact that is imported all the same.
func (h *historyImport) wrong(where, format string, args ...any) {
	h.problems = append(h.problems, problem{Where: where, What: fmt.Sprintf(format, args...)})
}

// report says what became of it.
func (h *historyImport) report(cmd *cobra.Command, asJSON bool) error {
	for i, p := range h.problems {
		if i == mostErrors {
			fmt.Fprintf(cmd.ErrOrStderr(), "and %d more\n", len(h.problems)-mostErrors)
			break
		}
		fmt.Fprintln(cmd.ErrOrStderr(), shown(p.Where+": "+p.What))
	}
	c := h.count
	if asJSON {
		err := printJSON(cmd.OutOrStdout(), struct {
			Mailbox string `json:"mailbox"`
			Dry     bool   `json:"dry_run"`
			historyCount
			Problems []problem `json:"problems"`
		}{h.to.Mailbox, h.dry, c, list(h.problems)})
		if err != nil {
			return err
		}
	} else {
		why := ""
		for i, reason := range slices.Sorted(maps.Keys(c.Discarded)) {
			why += cmp.Or(map[bool]string{true: " ("}[i == 0], ", ") + fmt.Sprintf("%s=%d", reason, c.Discarded[reason])
		}
		if why != "" {
			why += ")"
		}
		would := ""
		if h.dry {
			would = " (dry run: nothing was changed)"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "read=%d messages=%d tickets=%d customers=%d known=%d left_out=%d%s failed=%d%s\n",
			c.Read, c.Messages, c.Tickets, c.Customers, c.Known, c.discarded, why, c.Failed, would)
	}
	switch {
	case c.Unfinished:
		return &exitError{exitRetry, fmt.Errorf("stopped before the end\nhint: run it again: it goes on where it stopped")}
	case h.lost() > 0:
		return failed(fmt.Errorf("%s left out", plural(h.lost(), "message was", "messages were")))
	}
	return nil
}

// lost counts what is not imported.
func (h *historyImport) lost() (n int) {
	for _, p := range h.problems {
		if p.Lost {
			n++
		}
	}
	return n
}

// mboxMails are the mails of mbox files, in order of time.
type mboxMails struct {
	files []*mboxFile
	spots []spot
}

func (a *mboxMails) Len() int { return len(a.spots) }

func (a *mboxMails) Load(i int) (oldContact, error) {
	s := a.spots[i]
	f := a.files[s.file]
	c := oldContact{where: fmt.Sprintf("%s:%d", f.name, s.off), at: time.Unix(s.at, 0).UTC(), past: tickets.Past{Source: "mail"}}
	if f.sent {
		c.past.Direction = tickets.DirectionOut
	}
	if s.size > maxMail {
		return c, fmt.Errorf("it has %d bytes: more than %d MB", s.size, maxMail>>20)
	}
	var err error
	c.raw, err = f.load(s)
	return c, err
}

func mboxHistory(cmd *cobra.Command, h *historyImport, names []string, since time.Time) (history, func(), error) {
	a := &mboxMails{}
	closeAll := func() {
		for _, f := range a.files {
			_ = f.done()
		}
	}
	for i, name := range names {
		f, err := openMbox(name)
		if f != nil {
			a.files = append(a.files, f)
		}
		if err != nil && f != nil {
			h.problems = append(h.problems, problem{name, "the file ends too early: " + err.Error(), true})
		} else if err != nil {
			closeAll()
			return nil, nil, err
		}
		bar := newBar(cmd, -1, "reading "+filepath.Base(name))
		err = f.scan(int32(i), 0, func(s spot) error {
			_ = bar.Add(1)
			if s.at >= since.Unix() || since.IsZero() {
				a.spots = append(a.spots, s)
			}
			return cmd.Context().Err()
		}, func(off int64, format string, args ...any) { h.wrong(fmt.Sprintf("%s:%d", name, off), format, args...) })
		_ = bar.Finish()
		if err != nil {
			closeAll()
			return nil, nil, err
		}
	}
	slices.SortStableFunc(a.spots, func(x, y spot) int { return cmp.Compare(x.at, y.at) })
	return a, closeAll, nil
}

// dirMails are the mails of folders, in order of time.
type dirMails struct{ files []dirFile }

func (a *dirMails) Len() int { return len(a.files) }

func (a *dirMails) Load(i int) (oldContact, error) {
	f := a.files[i]
	c := oldContact{where: f.path, at: time.Unix(f.at, 0).UTC(), past: tickets.Past{Source: "mail"}}
	if f.sent {
		c.past.Direction = tickets.DirectionOut
	}
	info, err := os.Stat(f.path)
	switch {
	case err != nil:
		return c, err
	case info.Size() > maxMail:
		return c, fmt.Errorf("it has %d bytes: more than %d MB", info.Size(), maxMail>>20)
	case info.Size() == 0:
		return c, fmt.Errorf("the file is empty")
	}
	c.raw, err = os.ReadFile(f.path)
	return c, err
}

func dirHistory(cmd *cobra.Command, h *historyImport, dirs []string, since time.Time) (history, func(), error) {
	a := &dirMails{}
	bar := newBar(cmd, -1, "reading")
	defer func() { _ = bar.Finish() }()
	for _, dir := range dirs {
		err := maildirFiles(dir, func(f dirFile) error {
			_ = bar.Add(1)
			if f.at >= since.Unix() || since.IsZero() {
				a.files = append(a.files, f)
			}
			return cmd.Context().Err()
		}, func(path, format string, args ...any) { h.wrong(path, format, args...) })
		if err != nil {
			return nil, nil, err
		}
	}
	slices.SortStableFunc(a.files, func(x, y dirFile) int { return cmp.Compare(x.at, y.at) })
	return a, func() {}, nil
}
