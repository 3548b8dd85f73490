package main

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"frontdesk/store"
	"frontdesk/tickets"
)

func customersExportCommand() *cobra.Command {
	var brand, file string
	cmd := &cobra.Command{
		Use:   "export ID|ADDRESS [--out FILE]",
		Short: "everything that is kept about a customer, for the customer",
		Long: `Export writes one zip archive to hand out (articles 15 and 20 GDPR): the profile
with preferences, products and readings, tickets with what the customer wrote and
was sent, mails as they came, recordings and files, letters as they left, what
the log says of the customer, answers to surveys, points and reminders.
index.html shows it, data.json is for programs.

There is nothing in it that was said between the desk and somebody else on a
ticket, and no notes of the team: "tickets show" has those.`,
		Example: "  frontdesk customers export maria@keller.example --out maria.zip",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f, ok := cmd.OutOrStdout().(*os.File); ok && file == "" && isatty.IsTerminal(f.Fd()) {
				return failed(errors.New("an archive is not for the eye\nhint: --out FILE"))
			}
			return withCustomer(cmd, args[0], brand, func(d *desk, p tickets.Person) error {
				return toFile(cmd.OutOrStdout(), file, func(w io.Writer) error { return d.export(cmd.Context(), w, p) })
			})
		},
	}
	cmd.Flags().StringVar(&brand, "brand", "", "brand, where the address is known to several")
	cmd.Flags().StringVar(&file, "out", "", "write to this file, readable by you only")
	return cmd
}

// exported is data.json.
type exported struct {
	Exported    string               `json:"exported"`
	Brand       string               `json:"brand"`
	Customer    personJSON           `json:"customer"`
	Preferences tickets.Preferences  `json:"preferences"`
	Tickets     []exportedTicket     `json:"tickets"`
	Letters     []exportedLetter     `json:"letters"`
	Mails       []exportedMail       `json:"mails"`
	Products    []tickets.Product    `json:"products"`
	Surveys     []tickets.Survey     `json:"surveys"`
	Points      []tickets.PointEntry `json:"points"`
	Referral    string               `json:"referral_code,omitempty"`
	Reminders   []tickets.Due        `json:"reminders"`
}

type exportedTicket struct {
	Number   int64             `json:"number"`
	Subject  string            `json:"subject,omitempty"` // of the customer's own tickets
	Status   string            `json:"status"`
	Category string            `json:"category,omitempty"`
	Opened   string            `json:"opened"`
	Closed   string            `json:"closed,omitempty"`
	Facts    map[string]string `json:"facts,omitempty"`
	Messages []exportedMessage `json:"messages"`
	Events   []exportedEvent   `json:"events"`
}

type exportedMessage struct {
	At      string   `json:"at"`
	From    string   `json:"from"` // "customer" or "desk"
	Channel string   `json:"channel"`
	Subject string   `json:"subject,omitempty"`
	Text    string   `json:"text"`
	Files   []string `json:"files,omitempty"` // in the archive
}

type exportedEvent struct {
	At     string `json:"at"`
	Who    string `json:"who"` // "customer" or "desk"
	What   string `json:"what"`
	Detail string `json:"detail,omitempty"` // of the customer's own acts
}

type exportedLetter struct {
	Kind  string `json:"kind"`
	To    string `json:"to"`
	State string `json:"state"`
	At    string `json:"at"`
	File  string `json:"file,omitempty"` // in the archive; none when it never left
}

type exportedMail struct {
	At      string `json:"at"`
	Subject string `json:"subject,omitempty"`
	File    string `json:"file,omitempty"` // none when it is kept no longer
}

// archive is an export in the making: files leave as they are read, so that
// somebody's years of mail need no more memory than one of them.
type archive struct {
	*desk
	zip    *zip.Writer
	person tickets.Person
	traces store.Traces
	out    exported
}

func (d *desk) export(ctx context.Context, w io.Writer, p tickets.Person) error {
	t, err := d.db.Traces(ctx, p.ID)
	if err != nil {
		return err
	}
	a := &archive{desk: d, zip: zip.NewWriter(w), person: p, traces: t, out: exported{
		Exported: stamp(now()), Brand: d.rules.Brands[p.Brand].Name, Customer: personToJSON(p), Preferences: p.Prefs,
		Tickets: []exportedTicket{}, Letters: []exportedLetter{}, Mails: []exportedMail{},
	}}
	for _, step := range []func(context.Context) error{a.tickets, a.mails, a.letters, a.remembered} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(a.out, "", "  ")
	if err != nil {
		return err
	}
	if err := a.file("data.json", append(data, '\n')); err != nil {
		return err
	}
	f, err := a.zip.Create("index.html")
	if err != nil {
		return err
	}
	return errors.Join(exportPage.Execute(f, a.out), a.zip.Close())
}

func (a *archive) file(name string, data []byte) error {
	f, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: now()})
	if err == nil {
		_, err = f.Write(data)
	}
	return err
}

func (a *archive) is(name string) bool {
	return name != "" && slices.Contains(a.traces.Names, tickets.NormalAddress(name))
}

func (a *archive) tickets(ctx context.Context) error {
	for _, id := range slices.Sorted(slices.Values(slices.Concat(a.traces.Own, a.traces.Others))) {
		t, err := a.db.Ticket(ctx, id)
		if err != nil {
			return err
		}
		out, err := a.ticket(ctx, t, slices.Contains(a.traces.Own, id))
		if err != nil {
			return fmt.Errorf("ticket %d: %w", id, err)
		}
		a.out.Tickets = append(a.out.Tickets, out)
	}
	return nil
}

func (a *archive) ticket(ctx context.Context, t tickets.Ticket, own bool) (exportedTicket, error) {
	out := exportedTicket{Number: t.ID, Status: string(t.Status), Opened: stamp(t.Opened), Messages: []exportedMessage{}, Events: []exportedEvent{}}
	if !t.Closed.IsZero() {
		out.Closed = stamp(t.Closed)
	}
	if own {
		out.Subject, out.Category, out.Facts = t.Subject, t.Category, t.Facts
	}
	// What the customer's page would show: the customer's own words, and what was
	// sent to the customer.
	sent, err := a.db.SentTo(ctx, a.person.ID, t.ID)
	if err != nil {
		return out, err
	}
	messages, err := a.db.Messages(ctx, t.ID)
	if err != nil {
		return out, err
	}
	for _, m := range messages {
		mine := m.Direction == tickets.DirectionIn && (m.Author.Person == a.person.ID || a.is(m.Author.Address.Address))
		if !mine && !(m.Direction == tickets.DirectionOut && slices.Contains(sent, m.ID)) {
			continue
		}
		x, err := a.message(ctx, m, mine)
		if err != nil {
			return out, err
		}
		out.Messages = append(out.Messages, x)
	}
	events, err := a.db.Events(ctx, t.ID)
	for _, e := range events {
		switch {
		case a.is(e.Who):
			out.Events = append(out.Events, exportedEvent{stamp(e.At), "customer", e.What, e.Detail})
		case own && slices.Contains([]string{"status", "erased", "passcode sent"}, e.What):
			out.Events = append(out.Events, exportedEvent{stamp(e.At), "desk", e.What, e.Detail})
		}
	}
	return out, err
}

func (a *archive) message(ctx context.Context, m tickets.Message, mine bool) (exportedMessage, error) {
	from := "desk"
	if mine {
		from = "customer"
	}
	out := exportedMessage{At: stamp(m.At), From: from, Channel: string(m.Channel), Subject: m.Subject, Text: m.Text}
	for i, f := range m.Attachments {
		if !mine || f.Refused != "" {
			continue // files of an answer are in its letter
		}
		ledger := m.Ledger
		if f.Ledger != 0 {
			ledger = f.Ledger
		}
		data, err := attachmentsOf(a.db)(ctx, ledger, f.Part)
		if errors.Is(err, store.ErrNotFound) {
			continue // kept no longer
		}
		if err != nil {
			return out, err
		}
		name := fmt.Sprintf("files/%d-%d-%s", m.ID, i+1, plainFile(f.Filename))
		if err := a.file(name, data); err != nil {
			return out, err
		}
		out.Files = append(out.Files, name)
	}
	return out, nil
}

// plainFile is a name that is a file's name everywhere, and leads nowhere else.
func plainFile(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // would turn "gpj.exe" around
			return -1
		case r >= 0x7f && r < 0xa0:
			return '_'
		}
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.Trim(strings.ToValidUTF8(name, ""), ". "))
	if name == "" {
		return "file"
	}
	if r := []rune(name); len(r) > 80 {
		name = string(r[len(r)-80:])
	}
	return name
}

// mails are what the customer sent, as it came: those that were held, too.
func (a *archive) mails(ctx context.Context) error {
	for _, id := range a.traces.Rows {
		e, err := a.db.Entry(ctx, id)
		if err != nil {
			return err
		}
		if !a.is(e.From) {
			continue
		}
		out := exportedMail{At: stamp(e.Received), Subject: e.Subject}
		data, err := a.db.Raw(ctx, id)
		switch {
		case errors.Is(err, store.ErrNotFound): // kept no longer
		case err != nil:
			return err
		default:
			suffix := "eml"
			if e.Channel != tickets.ChannelMail {
				suffix = "txt"
			}
			out.File = fmt.Sprintf("mails/%d.%s", id, suffix)
			if err := a.file(out.File, data); err != nil {
				return err
			}
		}
		a.out.Mails = append(a.out.Mails, out)
	}
	return nil
}

// letters are what the customer was sent, as it left.
func (a *archive) letters(ctx context.Context) error {
	ids, err := a.db.LettersTo(ctx, a.person.ID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		l, info, raw, err := a.db.LetterByID(ctx, id)
		if err != nil {
			return err
		}
		out := exportedLetter{Kind: string(l.Kind), To: info.To, State: info.State, At: stamp(info.Queued)}
		if len(raw) > 0 && info.State != store.LetterDropped {
			suffix := "eml"
			if tickets.Number(info.To) != "" {
				suffix = "txt"
			}
			if raw, err = wholeLetter(ctx, a.db, raw, info); err != nil {
				return err
			}
			out.File = fmt.Sprintf("letters/%d-%s.%s", id, l.Kind, suffix)
			if err := a.file(out.File, raw); err != nil {
				return err
			}
		}
		a.out.Letters = append(a.out.Letters, out)
	}
	return nil
}

// remembered is what the desk knows beside the tickets.
func (a *archive) remembered(ctx context.Context) (err error) {
	products, err := a.db.Products(ctx, store.ProductQuery{Brand: a.person.Brand, Person: a.person.ID, Retired: true, Limit: 100_000})
	if err != nil {
		return err
	}
	a.out.Products = list(products)
	if a.out.Surveys, err = a.db.SurveysOf(ctx, a.person.ID); err != nil {
		return err
	}
	if a.out.Points, err = a.db.Points(ctx, a.person.ID); err != nil {
		return err
	}
	if _, a.out.Referral, err = a.db.Earned(ctx, a.person.ID); err != nil {
		return err
	}
	for _, p := range products {
		dues, err := a.db.DuesOf(ctx, p.ID)
		if err != nil {
			return err
		}
		a.out.Reminders = append(a.out.Reminders, dues...)
	}
	a.out.Surveys, a.out.Points, a.out.Reminders = list(a.out.Surveys), list(a.out.Points), list(a.out.Reminders)
	return nil
}

var exportPage = template.Must(template.New("index").Funcs(template.FuncMap{
	"day": func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
}).Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{.Brand}}: data of {{.Customer.Name}}</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
pre { white-space: pre-wrap; font: inherit; margin: .25rem 0 } article { border-left: 3px solid; padding-left: 1rem; margin: 1rem 0 } table { border-collapse: collapse } th, td { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top }
</style>
</head>
<body>
<main>
<h1>What {{.Brand}} keeps about {{or .Customer.Name "you"}}</h1>
<p>As of {{.Exported}}. The same stands in <a href="data.json">data.json</a> for programs.</p>
<h2>Profile</h2>
<table>
<tr><th scope="row">Name</th><td>{{.Customer.Name}}</td></tr>
{{range .Customer.Addresses}}<tr><th scope="row">Address</th><td>{{.}}</td></tr>
{{end}}{{range .Customer.Phones}}<tr><th scope="row">Phone</th><td>{{.}}</td></tr>
{{end}}{{with .Customer.Org}}<tr><th scope="row">Organisation</th><td>{{.}}</td></tr>
{{end}}{{with .Customer.Language}}<tr><th scope="row">Language</th><td>{{.}}</td></tr>
{{end}}{{with .Customer.Notes}}<tr><th scope="row">Notes</th><td>{{.}}</td></tr>
{{end}}{{with .Referral}}<tr><th scope="row">Referral code</th><td>{{.}}</td></tr>{{end}}
</table>
{{if .Products}}<h2>Products</h2>
<ul>{{range .Products}}<li>{{.Model}} {{.Serial}}{{range .Readings}}<br>{{day .At}}: {{.Pages}} pages{{end}}</li>{{end}}</ul>{{end}}
<h2>Requests</h2>
{{range .Tickets}}<section>
<h3>#{{.Number}} {{.Subject}}</h3>
<p>{{.Status}}, opened {{.Opened}}{{with .Closed}}, closed {{.}}{{end}}</p>
{{range .Messages}}<article><p><strong>{{if eq .From "customer"}}You{{else}}{{$.Brand}}{{end}}</strong>, {{.At}}, {{.Channel}}</p><pre>{{.Text}}</pre>{{range .Files}}<p><a href="{{.}}">{{.}}</a></p>{{end}}</article>
{{end}}</section>
{{else}}<p>None.</p>
{{end}}
{{if .Mails}}<h2>What you sent, as it came</h2>
<ul>{{range .Mails}}<li>{{.At}} {{.Subject}} {{with .File}}<a href="{{.}}">{{.}}</a>{{end}}</li>
{{end}}</ul>{{end}}
{{if .Letters}}<h2>What you were sent</h2>
<ul>{{range .Letters}}<li>{{.At}} {{.Kind}} to {{.To}} {{with .File}}<a href="{{.}}">{{.}}</a>{{else}}({{.State}}){{end}}</li>
{{end}}</ul>{{end}}
{{if .Surveys}}<h2>Your answers</h2>
<ul>{{range .Surveys}}<li>{{.Kind}} about #{{.Ticket}}: {{if .Answered.IsZero}}not answered{{else}}{{.Score}} {{.Comment}}{{end}}</li>
{{end}}</ul>{{end}}
{{if .Points}}<h2>Points</h2>
<ul>{{range .Points}}<li>{{day .At}}: {{.Points}}, {{.Why}}</li>
{{end}}</ul>{{end}}
{{if .Reminders}}<h2>Reminders</h2>
<ul>{{range .Reminders}}<li>{{.Schedule}} {{.Occurrence}}: {{.State}}</li>
{{end}}</ul>{{end}}
</main>
</body>
</html>
`))
