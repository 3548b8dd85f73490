package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/notify"
	"frontdesk/store"
	"frontdesk/tickets"
)

func lettersCommand() *cobra.Command {
	return group("letters", "the texts that are sent",
		`Letters lists the templates of all letters and shows how one looks. A file in
letters_dir, [brand/]language/NAME.md, stands before the built-in text.`,
		"  frontdesk letters list\n  frontdesk letters preview resolution --ticket 1234 --language de",
		lettersListCommand(), lettersPreviewCommand())
}

// letterJSON is one line of "letters list --json".
type letterJSON struct {
	Name   tickets.LetterKind `json:"name"`
	To     string             `json:"to"` // "customer" or "agent"
	Source map[string]string  `json:"source"`
}

func lettersListCommand() *cobra.Command {
	var brand string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list [--brand B]",
		Short:   "which letters there are, and where their texts come from",
		Long:    "List prints the name of each letter, who gets it, and the template it is made from in each language.",
		Example: "  frontdesk letters list --brand example",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			b, err := d.anyBrand(brand)
			if err != nil {
				return failed(err)
			}
			templates, err := notify.LoadTemplates(d.cfg.LettersDir)
			if err != nil {
				return failed(err)
			}
			return printTemplates(cmd, asJSON, templates, b.Key)
		},
	}
	cmd.Flags().StringVar(&brand, "brand", "", "whose letters (default the first brand's)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

func printTemplates(cmd *cobra.Command, asJSON bool, templates *notify.Templates, brand string) error {
	var letters []letterJSON
	for _, kind := range notify.Kinds {
		l := letterJSON{Name: kind, To: "customer", Source: map[string]string{}}
		if toAgent(kind) {
			l.To = "agent"
		}
		for _, lang := range letterLanguages {
			if t, ok := templates.Find(brand, lang, kind); ok {
				l.Source[lang] = t.Source
			}
		}
		letters = append(letters, l)
	}
	return printList(cmd, asJSON, letters,
		column[letterJSON]{"NAME", func(l letterJSON) string { return string(l.Name) }},
		column[letterJSON]{"TO", func(l letterJSON) string { return l.To }},
		column[letterJSON]{"ENGLISH", func(l letterJSON) string { return l.Source["en"] }},
		column[letterJSON]{"GERMAN", func(l letterJSON) string { return l.Source["de"] }})
}

func toAgent(kind tickets.LetterKind) bool {
	return strings.HasPrefix(string(kind), "agent-") || kind == tickets.LetterRingText
}

// anyBrand finds a brand by its key; "" is the first of the configuration.
func (d *desk) anyBrand(key string) (tickets.Brand, error) {
	if key == "" {
		key = d.cfg.Brands[0].ID
	}
	return d.brand(key)
}

// preview are the flags of "letters preview".
type preview struct {
	ticket          int64
	brand, language string
	html, raw, text bool
}

func lettersPreviewCommand() *cobra.Command {
	var p preview
	cmd := &cobra.Command{
		Use:   "preview NAME [--ticket N] [--brand B] [--language L] [--html]",
		Short: "how a letter looks",
		Long: `Preview renders a letter as it would leave and sends nothing. With --ticket it is
about that ticket, its customer and newest message; else about an invented one.
--text shows it as it goes to a telephone, and how many segments that costs;
letters that go to telephones alone are always shown so.`,
		Example: "  frontdesk letters preview closed --text\n  frontdesk letters preview acknowledgement --language de\n  frontdesk letters preview agent-new --ticket 1234 --html > letter.html",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			kind := tickets.LetterKind(args[0])
			if !slices.Contains(notify.Kinds, kind) {
				return failed(fmt.Errorf("no letter %q\nhint: one of %s", kind, joined(notify.Kinds)))
			}
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			l, err := d.letterFor(cmd.Context(), kind, p)
			if err != nil {
				return failed(err)
			}
			return d.preview(cmd.Context(), cmd.OutOrStdout(), l, p)
		},
	}
	f := cmd.Flags()
	f.Int64Var(&p.ticket, "ticket", 0, "ticket that it is about")
	f.StringVar(&p.brand, "brand", "", "brand, without --ticket (default the first)")
	f.StringVar(&p.language, "language", "", "language, en or de (default the ticket's or the brand's)")
	f.BoolVar(&p.html, "html", false, "print the HTML part")
	f.BoolVar(&p.raw, "raw", false, "print the whole mail as it would be sent")
	f.BoolVar(&p.text, "text", false, "as a text to a telephone")
	return cmd
}

func (d *desk) preview(ctx context.Context, w io.Writer, l tickets.Letter, p preview) error {
	if p.raw {
		mail, err := d.render(ctx, l)
		if err == nil {
			_, err = w.Write(mail)
		}
		return failed(err)
	}
	m, err := d.material(ctx, l)
	if err != nil {
		return failed(err)
	}
	if tickets.Number(l.To.Address) != "" {
		return failed(previewText(w, l, m))
	}
	parts, err := notify.Compose(l, m)
	if err != nil {
		return failed(err)
	}
	if p.html {
		_, err = fmt.Fprintln(w, parts.HTML)
		return failed(err)
	}
	f := facts{w}
	f.line("template", parts.Source)
	f.line("from", l.Mailbox)
	f.line("to", showPerson(l.To))
	f.line("subject", parts.Subject)
	_, err = fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(shown(parts.Plain)))
	return failed(err)
}

// previewText shows a letter as a telephone does.
func previewText(w io.Writer, l tickets.Letter, m notify.Material) error {
	if m.Line.Template == "" {
		m.Line.Template = "(none)" // the words are shown all the same
	}
	text, err := notify.ComposeText(l, m)
	if err != nil {
		return err
	}
	f := facts{w}
	f.line("template", text.Source)
	f.line("to", showPerson(l.To))
	f.line("cost", notify.ShowCount(text.Count))
	_, err = fmt.Fprintf(w, "\n%s\n", shown(text.Text))
	return err
}

// byPhone makes a sample letter one to a telephone. A brand without numbers shows
// what it would send.
func (d *desk) byPhone(l *tickets.Letter) {
	line := "+49301234567"
	if b := d.rules.Brands[l.Brand]; len(b.Phones) > 0 {
		line = b.Phones[0].Number
	}
	l.Mailbox = tickets.TelAddress(line)
	if tickets.Number(l.To.Address) == "" {
		l.To.Address = tickets.TelAddress(l.Data.Number)
	}
}

// letterFor makes a letter of the kind, about a real ticket or a sample one.
func (d *desk) letterFor(ctx context.Context, kind tickets.LetterKind, p preview) (tickets.Letter, error) {
	l := notify.Sample(kind)
	b, err := d.anyBrand(p.brand)
	if err != nil {
		return l, err
	}
	l.Brand, l.Mailbox, l.Language, l.Agent = b.Key, b.Mailboxes[0].Address, b.Language, toAgent(kind)
	if p.ticket != 0 {
		if err := d.aboutTicket(ctx, &l, p.ticket); err != nil {
			return l, err
		}
	}
	if l.Agent {
		l.To, l.Person = someAgent(d.rules)
	}
	if p.language != "" {
		l.Language = p.language
	}
	if p.text || notify.TextOnly(kind) {
		d.byPhone(&l)
	}
	return l, nil
}

// someAgent is who a previewed letter to an agent goes to.
func someAgent(r tickets.Rules) (tickets.Address, int64) {
	for _, k := range sortedKeys(r.Agents) {
		return tickets.Address{Name: r.Agents[k].Name, Address: k}, r.Agents[k].ID
	}
	return tickets.Address{}, 0
}

// aboutTicket puts a ticket's own data into a sample letter.
func (d *desk) aboutTicket(ctx context.Context, l *tickets.Letter, n int64) error {
	t, err := d.db.Ticket(ctx, n)
	if err != nil {
		return noTicket(n, err)
	}
	messages, err := d.db.Messages(ctx, n)
	if err != nil {
		return err
	}
	l.Ticket, l.Brand, l.Mailbox, l.Subject, l.Version = t.ID, t.Brand, t.Mailbox, t.Subject, t.Version
	l.To, l.Person = requesterOf(&t), t.Requester
	if t.Language != "" {
		l.Language = t.Language
	}
	l.Data.From = showPerson(l.To)
	l.Data.Problem = t.Subject
	for i := range messages {
		m := &messages[i]
		switch m.Direction {
		case tickets.DirectionIn:
			l.Data.Text, l.Data.Author, l.Data.At = m.Text, showPerson(m.Author.Address), m.At
			l.Data.Summary = m.Text
		case tickets.DirectionOut:
			l.Data.Solution = m.Text
		}
	}
	return nil
}

// render makes the mail of a letter as the daemon would now.
func (d *desk) render(ctx context.Context, l tickets.Letter) ([]byte, error) {
	m, err := d.material(ctx, l)
	if err != nil {
		return nil, err
	}
	mail, _, err := notify.Render(l, m)
	return mail, err
}

// material gathers what a rendering needs besides the letter.
func (d *desk) material(ctx context.Context, l tickets.Letter) (notify.Material, error) {
	templates, err := notify.LoadTemplates(d.cfg.LettersDir)
	if err != nil {
		return notify.Material{}, err
	}
	box, _ := d.rules.Brands[l.Brand].Mailbox(l.Mailbox)
	m := notify.Material{
		Templates: templates, Brand: letterBrands(d.cfg)[l.Brand], Keys: d.rules.Keys, Separator: box.Subaddressing,
		Agents: d.rules.Agents, PublicURL: d.cfg.HTTP.PublicURL, Now: now(), Report: writeReport,
		Line: phoneRoutesOf(d.cfg)[tickets.NormalAddress(l.Mailbox)], Segments: d.rules.Texting.Segments, Email: d.rules.Brands[l.Brand].Mailboxes[0].Address,
	}
	if m.Files, err = d.files(ctx, l.Message); err != nil || l.Ticket == 0 {
		return m, err
	}
	if l.Kind == tickets.LetterAnswer {
		m.Attached = len(m.Files)
	}
	t, err := d.db.Ticket(ctx, l.Ticket)
	switch {
	case errors.Is(err, store.ErrNotFound): // a sample, or erased
		return m, nil
	case err != nil:
		return m, err
	}
	m.Ticket = &t
	if l.Agent {
		m.Earlier, err = d.db.LetterIDs(ctx, l.Ticket, l.To.Address)
	}
	return m, err
}

// files are the attachments of the message that a letter carries.
func (d *desk) files(ctx context.Context, message int64) ([]notify.File, error) {
	if message == 0 {
		return nil, nil
	}
	msg, err := d.db.Message(ctx, message)
	if err != nil {
		return nil, err
	}
	var out []notify.File
	open := attachmentsOf(d.db)
	for _, a := range msg.Attachments {
		ledger := msg.Ledger
		if a.Ledger != 0 {
			ledger = a.Ledger
		}
		if a.Refused != "" || ledger == 0 {
			continue
		}
		data, err := open(ctx, ledger, a.Part)
		if err != nil {
			return nil, fmt.Errorf("attachment %q: %w", a.Filename, err)
		}
		out = append(out, notify.File{Name: a.Filename, ContentType: a.ContentType, Data: data})
	}
	return out, nil
}
