package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

func importCSVCommand() *cobra.Command {
	products := productsImportCommand()
	products.Use = strings.Replace(products.Use, "import", "products", 1)
	products.Short = "products and contracts (as products import)"
	products.Example = strings.ReplaceAll(products.Example, "products import", "import csv products")
	return group("csv", "customers, products and tickets of CSV files",
		`The first line of a file names the columns, in English or German; cells stand
between commas, semicolons or tabs. A line with a mistake is left out and said
on standard error, as FILE:LINE: COLUMN: what; all others are taken.`,
		"  frontdesk import csv customers people.csv --dry-run",
		importCustomersCommand(), importTicketsCommand(), products)
}

// csvColumn is a column of a file, with the other names it goes by.
type csvColumn struct {
	name  string
	also  string // "|" between them
	says  string
	needs bool
}

// csvFile is a file of records by column.
type csvFile struct {
	columns []csvColumn
	maps    columnMap // nil: the first line has our names

	places [][]string // names of the columns at each place
	rows   []csvRow
	errors []lineError
}

type csvRow struct {
	line  int
	cells map[string]string
}

// read reads a file in any of the charsets that spreadsheets write.
func (c *csvFile) read(data []byte) error {
	return readRecords(textOf(data), recordReader{head: c.head, row: c.row, wrong: c.wrong})
}

// textOf makes UTF-8 of a file: UTF-16 by its mark, Windows-1252 when it is
// nothing else.
func textOf(data []byte) []byte {
	if bytes.HasPrefix(data, []byte{0xFF, 0xFE}) || bytes.HasPrefix(data, []byte{0xFE, 0xFF}) {
		if text, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(data); err == nil {
			return text
		}
	}
	if utf8.Valid(data) {
		return data
	}
	if text, err := charmap.Windows1252.NewDecoder().Bytes(data); err == nil {
		return text
	}
	return data
}

func (c *csvFile) head(fields []string) error {
	found := map[string]bool{}
	for _, f := range fields {
		names, err := c.namesOf(f)
		if err != nil {
			return err
		}
		for _, name := range names {
			if found[name] {
				return fmt.Errorf("%s: this column comes twice", f)
			}
			found[name] = true
		}
		c.places = append(c.places, names)
	}
	var missing []string
	for _, name := range sortedKeys(c.maps) {
		if !found[name] {
			return fmt.Errorf("%s: there is no column %q, which --map names", name, c.maps[name])
		}
	}
	for _, col := range c.columns {
		if col.needs && !found[col.name] {
			missing = append(missing, col.name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s: missing: the first line names the columns (%s), or --map does", strings.Join(missing, ", "), c.names())
	}
	return nil
}

// namesOf are the columns that a field of the first line stands for. With
// --map what is not named is passed over.
func (c *csvFile) namesOf(field string) (names []string, err error) {
	name := columnWord(field)
	if c.maps != nil {
		for _, ours := range sortedKeys(c.maps) {
			if columnWord(c.maps[ours]) == name {
				names = append(names, ours)
			}
		}
		return names, nil
	}
	i := slices.IndexFunc(c.columns, func(col csvColumn) bool {
		return col.name == name || slices.Contains(strings.Split(col.also, "|"), name)
	})
	switch {
	case name == "":
		return nil, nil
	case i < 0:
		return nil, fmt.Errorf("%s: no such column (one of %s)\nhint: --map names columns that are called otherwise", field, c.names())
	}
	return []string{c.columns[i].name}, nil
}

func columnWord(s string) string {
	return strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(s)))
}

// columnMap says what columns of ours are called in a file.
type columnMap map[string]string

// knownMaps are those of other programs.
var knownMaps = map[string]columnMap{
	// The columns of osTicket's ticket export unless somebody chose others:
	// getExportableFields in its include/class.queue.php.
	"osticket": {
		"number": "Ticket Number", "subject": "Subject", "customer": "From Email", "name": "From", "at": "Date Created",
		"text": "Subject", "status": "Current Status", "closed": "Closed Date", "agent": "Agent Assigned",
	},
}

// columnMapOf reads --map.
func columnMapOf(columns []csvColumn, pairs []string) (columnMap, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	m := columnMap{}
	for _, pair := range pairs {
		ours, theirs, ok := strings.Cut(pair, "=")
		known := knownMaps[strings.ToLower(pair)]
		switch {
		case known != nil:
			maps.Copy(m, known)
		case !ok:
			return nil, fmt.Errorf("--map %q: COLUMN=THEIRS, or one of %s", pair, strings.Join(sortedKeys(knownMaps), ", "))
		case !slices.ContainsFunc(columns, func(c csvColumn) bool { return c.name == ours }):
			return nil, fmt.Errorf("--map %q: no such column (one of %s)", pair, (&csvFile{columns: columns}).names())
		case theirs == "":
			delete(m, ours)
		default:
			m[ours] = theirs
		}
	}
	return m, nil
}

func (c *csvFile) names() string {
	var out []string
	for _, col := range c.columns {
		out = append(out, col.name)
	}
	return strings.Join(out, ", ")
}

func (c *csvFile) wrong(line int, column, format string, args ...any) {
	c.errors = append(c.errors, lineError{line, column, fmt.Sprintf(format, args...)})
}

func (c *csvFile) row(line int, fields []string) {
	r := csvRow{line, map[string]string{}}
	for i, f := range fields {
		f = strings.TrimSpace(f)
		switch {
		case f == "":
		case i >= len(c.places):
			c.wrong(line, "", "%d cells, and the first line names %d columns", len(fields), len(c.places))
			return
		default:
			for _, name := range c.places[i] {
				r.cells[name] = f
			}
		}
	}
	if len(r.cells) > 0 {
		c.rows = append(c.rows, r)
	}
}

// long describes the columns.
func (c *csvFile) long() string {
	var b strings.Builder
	for _, col := range c.columns {
		also := ""
		if col.also != "" {
			also = " (" + strings.ReplaceAll(col.also, "|", ", ") + ")"
		}
		fmt.Fprintf(&b, "\n  %-13s %s%s", col.name, col.says, also)
	}
	return b.String()
}

// refused says what is wrong and counts the lines that were left out.
func (c *csvFile) refused(cmd *cobra.Command, name string) int {
	slices.SortStableFunc(c.errors, func(a, b lineError) int { return a.Line - b.Line })
	n := 0
	for i, e := range c.errors {
		if i == 0 || c.errors[i-1].Line != e.Line {
			n++
		}
		if i < mostErrors {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s:%s\n", name, shown(e.String()))
		}
	}
	return n
}

func customerColumns() []csvColumn {
	return []csvColumn{
		{"email", "e_mail|mail|e_mail_adresse", "mail address; it or phone is needed", false},
		{"name", "full_name|vollständiger_name", "name", false},
		{"first_name", "firstname|vorname", "first name, when there is no name", false},
		{"last_name", "lastname|surname|nachname", "last name, when there is no name", false},
		{"phone", "telephone|telefon|tel|mobile|mobil", "telephone number", false},
		{"language", "sprache", "de, en", false},
		{"organisation", "organization|company|firma|organisation", "organisation", false},
		{"contract", "vertrag", "key of a contract of the configuration", false},
		{"vip", "", "yes or no", false},
		{"notes", "note|notizen|bemerkung", "what the team should know", false},
	}
}

func importCustomersCommand() *cobra.Command {
	var brand string
	var dryRun, strict, asJSON bool
	cmd := &cobra.Command{
		Use:   "customers FILE [--brand B] [--dry-run] [--strict]",
		Short: "profiles",
		Long: `Customers reads a CSV file of profiles; "-" reads standard input. Columns:
` + (&csvFile{columns: customerColumns()}).long() + `

A customer who is known by the address, or the number, gets what the file says
beyond; an empty cell leaves what is known. Running it twice changes nothing.
--strict takes nothing when a line has a mistake.`,
		Example: "  frontdesk import csv customers people.csv --dry-run",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, name, err := importFile(cmd, args[0])
			if err != nil {
				return failed(err)
			}
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			b, err := d.brand(brand)
			if err != nil {
				return failed(err)
			}
			file := &csvFile{columns: customerColumns()}
			if err := file.read(data); err != nil {
				return failed(fmt.Errorf("%s:%w", name, err))
			}
			people := customersOf(file, b, d.rules)
			im := &customerImport{db: d.db, brand: b.Key, dry: dryRun}
			if !strict || len(file.errors) == 0 {
				bar := newBar(cmd, len(people), "import")
				err = im.run(cmd.Context(), people, func(n int) { _ = bar.Add(n) })
				_ = bar.Finish()
			}
			if err != nil {
				return failed(fmt.Errorf("import %s: %w\nhint: run it again: what is in changes nothing", name, err))
			}
			return reportLines(cmd, file, name, im.count, dryRun, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringVar(&brand, "brand", "", "brand whose customers they are")
	f.BoolVar(&dryRun, "dry-run", false, "say what would be done and change nothing")
	f.BoolVar(&strict, "strict", false, "take nothing when a line has a mistake")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// reportLines says what became of the lines of a file.
func reportLines(cmd *cobra.Command, file *csvFile, name string, count importCount, dry, asJSON bool) error {
	refused := file.refused(cmd, name)
	var err error
	if asJSON {
		err = printJSON(cmd.OutOrStdout(), struct {
			File string `json:"file"`
			Dry  bool   `json:"dry_run"`
			importCount
			Refused int         `json:"refused"`
			Errors  []lineError `json:"errors"`
		}{name, dry, count, refused, list(file.errors)})
	} else {
		would := ""
		if dry {
			would = " (dry run: nothing was changed)"
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "new=%d changed=%d unchanged=%d refused=%d%s\n", count.New, count.Changed, count.Unchanged, refused, would)
	}
	if err == nil && refused > 0 {
		err = errors.New(plural(refused, "line was", "lines were") + " left out")
	}
	return failed(err)
}

// customersOf makes profiles of the lines of a file.
func customersOf(file *csvFile, b tickets.Brand, rules tickets.Rules) []tickets.Person {
	var out []tickets.Person
	seen := map[string]int{}
	for _, r := range file.rows {
		p := tickets.Person{
			Brand: b.Key, Language: strings.ToLower(r.cells["language"]), Org: r.cells["organisation"], Notes: r.cells["notes"], Contract: r.cells["contract"],
			Name: cmp.Or(r.cells["name"], strings.TrimSpace(r.cells["first_name"]+" "+r.cells["last_name"])),
		}
		before := len(file.errors)
		if v := r.cells["email"]; v != "" {
			if a, err := customerAddress(v, b.Country); err != nil || !strings.Contains(a, "@") {
				file.wrong(r.line, "email", "%q is not a mail address", v)
			} else {
				p.Addresses = []string{a}
			}
		}
		if v := r.cells["phone"]; v != "" {
			if n := phone.ParseParty(v, b.Country); n.Known() {
				p.Phones = []string{n.Number}
			} else {
				file.wrong(r.line, "phone", "%q is not a telephone number (as in +49 30 1234567)", v)
			}
		}
		if v := r.cells["vip"]; v != "" {
			yes, err := yesNo(v)
			if p.VIP = yes; err != nil {
				file.wrong(r.line, "vip", "%v", err)
			}
		}
		if _, known := rules.Contracts[p.Contract]; p.Contract != "" && !known {
			file.wrong(r.line, "contract", "there is no contract %q in the configuration", p.Contract)
		}
		if len(p.Addresses) == 0 && len(p.Phones) > 0 {
			p.Addresses = []string{tickets.TelAddress(p.Phones[0])}
		}
		switch {
		case len(file.errors) > before:
			continue
		case len(p.Addresses) == 0:
			file.wrong(r.line, "email", "missing, and phone too: nothing says who it is")
			continue
		case seen[p.Addresses[0]] > 0:
			file.wrong(r.line, "email", "%q stands in line %d already", tickets.Number(p.Addresses[0])+mailOnly(p.Addresses[0]), seen[p.Addresses[0]])
			continue
		}
		seen[p.Addresses[0]] = r.line
		out = append(out, p)
	}
	return out
}

func mailOnly(address string) string {
	if strings.Contains(address, "@") {
		return address
	}
	return ""
}

// customerImport takes profiles in.
type customerImport struct {
	db    *store.DB
	brand string
	dry   bool
	count importCount
}

func (im *customerImport) run(ctx context.Context, people []tickets.Person, done func(int)) error {
	for batch := range slices.Chunk(people, importBatch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		var count importCount
		err := im.db.Decide(ctx, im.brand, func(tx *store.Tx) error {
			count = importCount{}
			c := tickets.Change{Brand: im.brand}
			for _, p := range batch {
				owners, err := tx.Owners(ctx, im.brand, p.Addresses)
				if err != nil {
					return err
				}
				if ids := owners[p.Addresses[0]]; len(ids) > 0 {
					have, err := tx.Person(ctx, ids[0])
					if err != nil {
						return err
					}
					news := have.With(p)
					if reflect.DeepEqual(news, have) {
						count.Unchanged++
						continue
					}
					count.Changed++
					c.People = append(c.People, news)
					continue
				}
				count.New++
				c.People = append(c.People, p)
			}
			if im.dry || len(c.People) == 0 {
				return nil
			}
			_, err := tx.Save(ctx, 0, "", "", c, now())
			return err
		})
		if err != nil {
			return err
		}
		im.count.New += count.New
		im.count.Changed += count.Changed
		im.count.Unchanged += count.Unchanged
		done(len(batch))
	}
	return nil
}

func ticketColumns() []csvColumn {
	return []csvColumn{
		{"number", "ticket|ticket_number|nummer|ticketnummer", "what the other desk called it; lines with one number are messages of one ticket", true},
		{"subject", "title|betreff|titel", "subject", true},
		{"customer", "email|e_mail|mail|kunde|kunden_email", "mail address of the customer", true},
		{"name", "customer_name|kundenname", "name of the customer", false},
		{"at", "date|created|created_at|opened|datum|erstellt", "when: 2024-01-31 15:04, UTC", true},
		{"text", "body|message|description|nachricht|beschreibung", "what was said", true},
		{"from", "author|von|absender", "who said it; empty: the customer", false},
		{"status", "state|zustand", "where the ticket stood in the end: new, open, pending, on_hold, resolved, closed, spam", false},
		{"closed", "closed_at|geschlossen", "when it was closed", false},
		{"queue", "group|gruppe|warteschlange", "a queue of the configuration", false},
		{"agent", "owner|assignee|bearbeiter|besitzer", "mail address of the agent who had it", false},
		{"tags", "schlagworte", "words, blanks between them", false},
	}
}

func importTicketsCommand() *cobra.Command {
	var f historyFlags
	var strict bool
	var pairs []string
	cmd := &cobra.Command{
		Use:   "tickets FILE --mailbox ADDRESS [--map COLUMN=THEIRS] [--dry-run] [--strict]",
		Short: "tickets with their messages",
		Long: `Tickets reads a CSV file of messages; "-" reads standard input. Columns:
` + (&csvFile{columns: ticketColumns()}).long() + `

--map number="Case ID" says what a column is called in the file; then columns
that are not named are passed over. --map osticket names those of osTicket's
export, which has no messages: the text is the subject.

Nobody is written to. The numbers lead customers' later mails ("[Ticket#4711]")
to the tickets. Running it twice adds nothing.`,
		Example: "  frontdesk import csv tickets tickets.csv --mailbox support@example.com --dry-run\n  frontdesk import csv tickets export.csv --mailbox support@example.com --map osticket --map queue=Department",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			named, err := columnMapOf(ticketColumns(), pairs)
			if err != nil {
				return err
			}
			return f.run(cmd, func(h *historyImport, since time.Time) (history, func(), error) {
				data, name, err := importFile(cmd, args[0])
				if err != nil {
					return nil, nil, err
				}
				file := &csvFile{columns: ticketColumns(), maps: named}
				if err := file.read(data); err != nil {
					return nil, nil, fmt.Errorf("%s:%w", name, err)
				}
				contacts := ticketsOf(file, name, h, since)
				for _, e := range file.errors {
					h.problems = append(h.problems, problem{fmt.Sprintf("%s:%d", name, e.Line), strings.TrimPrefix(e.Column+": "+e.What, ": "), true})
				}
				if strict && len(file.errors) > 0 {
					contacts = nil
				}
				return contacts, func() {}, nil
			})
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&strict, "strict", false, "take nothing when a line has a mistake")
	cmd.Flags().StringArrayVar(&pairs, "map", nil, "COLUMN=THEIRS: what a column is called in the file; osticket: all of osTicket's (may be repeated)")
	return cmd
}

// contactList is a history that fits in memory.
type contactList []oldContact

func (l contactList) Len() int { return len(l) }

func (l contactList) Load(i int) (c oldContact, err error) {
	if c = l[i]; c.make != nil {
		c.raw, err = c.make()
	}
	return c, err
}

func (l contactList) sort() contactList {
	slices.SortStableFunc(l, func(a, b oldContact) int { return a.at.Compare(b.at) })
	return l
}

// ticketsOf makes contacts of the lines of a file.
func ticketsOf(file *csvFile, name string, h *historyImport, since time.Time) contactList {
	var out contactList
	last := map[string]csvRow{} // what is known of a ticket is filled in from line to line
	for _, r := range file.rows {
		before := len(file.errors)
		number := strings.ToLower(r.cells["number"])
		if number == "" {
			file.wrong(r.line, "number", "missing")
			continue
		}
		for _, c := range []string{"subject", "customer", "name", "status", "closed", "queue", "agent", "tags"} {
			if r.cells[c] == "" && last[number].cells != nil {
				r.cells[c] = last[number].cells[c]
			}
		}
		customer, err := customerAddress(r.cells["customer"], "")
		if err != nil || !strings.Contains(customer, "@") {
			file.wrong(r.line, "customer", "%q is not a mail address", r.cells["customer"])
		}
		at, ok := whenSaid(r.cells["at"])
		if !ok {
			file.wrong(r.line, "at", "%q is not a time (as in 2024-01-31 15:04)", r.cells["at"])
		}
		closed, ok := whenSaid(r.cells["closed"])
		if !ok && r.cells["closed"] != "" {
			file.wrong(r.line, "closed", "%q is not a time (as in 2024-01-31 15:04)", r.cells["closed"])
		}
		status, ok := statusOf(r.cells["status"])
		if !ok {
			file.wrong(r.line, "status", "%q: new, open, pending, on_hold, resolved, closed or spam", r.cells["status"])
		}
		if _, ok := h.rules.Queues[r.cells["queue"]]; !ok && r.cells["queue"] != "" {
			file.wrong(r.line, "queue", "there is no queue %q in the configuration", r.cells["queue"])
		}
		if len(file.errors) > before {
			continue
		}
		last[number] = r
		if at.Before(since) {
			continue
		}
		p := pastMail{
			from: r.cells["from"], to: h.to.Mailbox, subject: r.cells["subject"], at: at, text: r.cells["text"],
		}
		requester := tickets.Address{Name: r.cells["name"], Address: customer}
		if p.from == "" || tickets.SameAddress(p.from, customer) {
			p.from, p.fromName = customer, requester.Name
		} else {
			p.to = customer
		}
		past := tickets.Past{Source: "csv", Numbers: []string{number}, Ticket: &tickets.PastTicket{
			Subject: r.cells["subject"], Status: status, Requester: requester, Closed: closed,
			Queue: r.cells["queue"], Tags: strings.Fields(r.cells["tags"]), Assignee: h.agent(r.cells["agent"]),
		}}
		if p.to == customer {
			past.Direction = tickets.DirectionOut
		} else {
			past.Direction = tickets.DirectionIn
		}
		raw := p.bytes()
		sum := sha256.Sum256(append([]byte(h.to.Brand+"\x00"+number+"\x00"), raw...))
		out = append(out, oldContact{where: fmt.Sprintf("%s:%d", name, r.line), at: at, raw: raw, key: "import:csv:" + hex.EncodeToString(sum[:]), past: past})
	}
	return out.sort()
}

// agent is the agent of today for an address or a name of then, "" for none.
func (h *historyImport) agent(address string) string {
	if !strings.Contains(address, "@") {
		return h.agentNamed(address)
	}
	if a, ok := h.rules.Agent(address); ok && a.ID != 0 {
		return a.Address
	}
	return ""
}

// agentNamed is the agent of that name, "" when there is not exactly one.
func (h *historyImport) agentNamed(name string) (address string) {
	for _, key := range sortedKeys(h.rules.Agents) {
		if a := h.rules.Agents[key]; a.ID != 0 && name != "" && strings.EqualFold(a.Name, name) && a.Address != address {
			if address != "" {
				return ""
			}
			address = a.Address
		}
	}
	return address
}

// whenSaid reads a time, in UTC when it does not say.
func whenSaid(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly, "02.01.2006 15:04:05", "02.01.2006 15:04", "02.01.2006"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1985 && t.Before(now().Add(24*time.Hour)) {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// statusOf puts other desks' words into ours. "" says nothing.
func statusOf(word string) (tickets.Status, bool) {
	switch strings.NewReplacer("-", " ", "_", " ").Replace(strings.ToLower(strings.TrimSpace(word))) {
	case "":
		return "", true
	case "new", "neu":
		return tickets.StatusNew, true
	case "open", "active", "offen", "in bearbeitung":
		return tickets.StatusOpen, true
	case "pending", "pending reminder", "pending close", "waiting", "wartend", "warten auf erinnerung", "warten auf schließen":
		return tickets.StatusPending, true
	case "on hold", "stalled", "hold", "angehalten":
		return tickets.StatusHold, true
	case "resolved", "solved", "gelöst":
		return tickets.StatusResolved, true
	case "closed", "geschlossen", "merged", "zusammengefasst", "rejected", "removed", "deleted", "archived":
		return tickets.StatusClosed, true
	case "spam":
		return tickets.StatusSpam, true
	}
	return "", false
}
