package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"frontdesk/phone"
	"frontdesk/sla"
	"frontdesk/tickets"
)

// This file reads a list of products: text → lines, each with its product or
// with what is wrong with it. It does no input or output.

// lineError is what is wrong with one cell of a file.
type lineError struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"` // "" the line as a whole
	What   string `json:"what"`
}

// String is "12: bought: …", to be put behind the name of the file.
func (e lineError) String() string {
	if e.Column == "" {
		return fmt.Sprintf("%d: %s", e.Line, e.What)
	}
	return fmt.Sprintf("%d: %s: %s", e.Line, e.Column, e.What)
}

// productLine is one product of a file.
type productLine struct {
	line    int
	product tickets.Product // Owner.Address: a mail address, or tel:+…
	retired *bool           // nil: the file says nothing
}

// productColumn is a column of the file, what it says, and what reads a cell.
type productColumn struct {
	name string
	says string
	read func(r *lineReader, value string, l *productLine) error
}

// productColumns are the columns of the file, in the order in which they are
// documented.
var productColumns = []productColumn{
	{"serial", "serial number; the only column that is needed", nil},
	{"model", "LX-300", func(_ *lineReader, v string, l *productLine) error { l.product.Model = v; return nil }},
	{"kind", "laser, inkjet or other", func(_ *lineReader, v string, l *productLine) (err error) {
		l.product.Kind, err = productKind(v)
		return
	}},
	{"customer", "mail address or telephone number of who has it", func(r *lineReader, v string, l *productLine) (err error) {
		l.product.Owner.Address, err = customerAddress(v, r.country)
		return
	}},
	{"name", "name of a customer who is not known yet", func(_ *lineReader, v string, l *productLine) error { l.product.Owner.Name = v; return nil }},
	{"bought", "day of purchase", func(r *lineReader, v string, l *productLine) error { return r.day(v, &l.product.Bought) }},
	{"warranty_until", "last day of the warranty", func(r *lineReader, v string, l *productLine) error { return r.day(v, &l.product.WarrantyUntil) }},
	{"contract_until", "last day of the contract", func(r *lineReader, v string, l *productLine) error { return r.day(v, &l.product.ContractUntil) }},
	{"contract", "what the contract is called", func(_ *lineReader, v string, l *productLine) error { l.product.Contract = v; return nil }},
	{"pages", "meter reading, with pages_on", func(_ *lineReader, v string, l *productLine) error {
		n, err := pageCount(v)
		l.reading().Pages = n
		return err
	}},
	{"pages_on", "day of that reading", func(r *lineReader, v string, l *productLine) error {
		var d sla.Date
		err := r.past(v, &d)
		l.reading().At = noonOf(d)
		return err
	}},
	{"serviced_pages", "meter reading at the last service", func(_ *lineReader, v string, l *productLine) (err error) {
		l.product.ServicedAt, err = pageCount(v)
		return
	}},
	{"serviced_on", "day of the last service", func(r *lineReader, v string, l *productLine) error { return r.past(v, &l.product.ServicedOn) }},
	{"retired", "yes: not in use any more", func(_ *lineReader, v string, l *productLine) error {
		yes, err := yesNo(v)
		l.retired = &yes
		return err
	}},
	{"notes", "what the team should know", func(_ *lineReader, v string, l *productLine) error { l.product.Notes = v; return nil }},
}

// reading is the reading of the line, to be filled in.
func (l *productLine) reading() *tickets.Reading {
	if len(l.product.Readings) == 0 {
		l.product.Readings = []tickets.Reading{{By: "import"}}
	}
	return &l.product.Readings[0]
}

// noonOf is the moment of a reading of which only the day is known: at noon in
// UTC it is that day nearly everywhere.
func noonOf(d sla.Date) time.Time {
	if d.IsZero() {
		return time.Time{}
	}
	return time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC)
}

// lineReader reads the lines of one file.
type lineReader struct {
	country string   // whose numbers are written without country code
	layout  string   // of days, beside 2026-12-31; "" none
	today   sla.Date // nothing was read or serviced after it

	columns []string // by their place; "" one without a name
	serials map[string]int
	lines   []productLine
	errors  []lineError
}

// readProducts reads a file. The error is about the file as a whole.
func readProducts(data []byte, r *lineReader) error {
	r.serials = make(map[string]int)
	return readRecords(data, recordReader{head: r.head, row: r.row, wrong: r.wrong})
}

// recordReader is told the records of a file.
type recordReader struct {
	head  func(fields []string) error // the first one, which names the columns
	row   func(line int, fields []string)
	wrong func(line int, column, format string, args ...any)
}

// readRecords reads a file of records. The error is about the file as a whole.
func readRecords(data []byte, r recordReader) error {
	if bytes.HasPrefix(data, []byte{0xFF, 0xFE}) || bytes.HasPrefix(data, []byte{0xFE, 0xFF}) {
		return errors.New("1: the file is UTF-16: save it as CSV in UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n"), "\n")
	delimiter, headed := rune(0), false
	for n := 0; n < len(lines); {
		if strings.TrimSpace(lines[n]) == "" {
			n++
			continue
		}
		if said, ok := strings.CutPrefix(lines[n], "sep="); ok && delimiter == 0 && len(said) == 1 { // Excel
			delimiter = rune(said[0])
			n++
			continue
		}
		if delimiter == 0 {
			delimiter = sniff(lines[n])
		}
		fields, used, err := record(lines[n:], delimiter)
		switch {
		case err != nil && !headed:
			return fmt.Errorf("%d: %w", n+1, err)
		case err != nil:
			r.wrong(n+1, "", "%v", err)
		case !headed:
			if err := r.head(fields); err != nil {
				return fmt.Errorf("%d: %w", n+1, err)
			}
			headed = true
		default:
			r.row(n+1, fields)
		}
		n += used
	}
	if !headed {
		return errors.New("1: the file is empty: its first line names the columns")
	}
	return nil
}

// sniff finds the delimiter of a head line: the one of , ; and tab that it has
// most of.
func sniff(head string) rune {
	return slices.MaxFunc([]rune{',', ';', '\t'}, func(a, b rune) int {
		return strings.Count(head, string(a)) - strings.Count(head, string(b))
	})
}

// longestRecord is how many lines a quoted cell may span. One quote too many
// would else swallow the rest of the file.
const longestRecord = 20

// record reads the first record of lines and says how many lines it has.
func record(lines []string, delimiter rune) (fields []string, used int, err error) {
	text := lines[0]
	used = 1
	for strings.Count(text, `"`)%2 == 1 {
		if used == longestRecord || used == len(lines) {
			return nil, 1, errors.New(`a quote " is opened and not closed`)
		}
		text += "\n" + lines[used]
		used++
	}
	if !utf8.ValidString(text) {
		return nil, used, errors.New("not UTF-8: save the file as CSV in UTF-8")
	}
	in := csv.NewReader(strings.NewReader(text))
	in.Comma, in.FieldsPerRecord = delimiter, -1
	if fields, err = in.Read(); err != nil {
		var place *csv.ParseError
		if errors.As(err, &place) {
			err = place.Err
		}
		return nil, 1, fmt.Errorf("cannot be split into cells: %w", err)
	}
	return fields, used, nil
}

// head reads the line that names the columns.
func (r *lineReader) head(fields []string) error {
	for _, f := range fields {
		name := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(f)), " ", "_")
		known := slices.ContainsFunc(productColumns, func(c productColumn) bool { return c.name == name })
		switch {
		case name == "":
		case !known:
			return fmt.Errorf("%s: no such column (one of %s)", name, columnNames())
		case slices.Contains(r.columns, name):
			return fmt.Errorf("%s: this column comes twice", name)
		}
		r.columns = append(r.columns, name)
	}
	if !slices.Contains(r.columns, "serial") {
		return fmt.Errorf("serial: this column is missing: the first line names the columns (%s)", columnNames())
	}
	return nil
}

func columnNames() string {
	names := make([]string, len(productColumns))
	for i, c := range productColumns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

func (r *lineReader) wrong(line int, column, format string, args ...any) {
	r.errors = append(r.errors, lineError{line, column, fmt.Sprintf(format, args...)})
}

// longestCell is in bytes: a cell that is longer is the wrong column.
const longestCell = 2000

// row reads one line. All that is wrong with it is said, and then it is left
// out.
func (r *lineReader) row(line int, fields []string) {
	cells := make(map[string]string, len(r.columns))
	for i, f := range fields {
		f = strings.TrimSpace(f)
		if i >= len(r.columns) {
			if f != "" {
				r.wrong(line, "", "%d cells, and the first line names %d columns", len(fields), len(r.columns))
				return
			}
			continue
		}
		cells[r.columns[i]] = f
	}
	if !slices.ContainsFunc(fields, func(f string) bool { return strings.TrimSpace(f) != "" }) {
		return // a line of delimiters, as spreadsheets leave behind
	}
	before := len(r.errors)
	l := productLine{line: line}
	l.product.Serial = r.serial(line, cells["serial"])
	for _, c := range productColumns {
		value := cells[c.name]
		if value == "" || c.read == nil {
			continue
		}
		if len(value) > longestCell {
			r.wrong(line, c.name, "%d bytes: more than %d", len(value), longestCell)
		} else if err := c.read(r, value, &l); err != nil {
			r.wrong(line, c.name, "%v", err)
		}
	}
	if before == len(r.errors) {
		r.agree(line, cells, &l)
	}
	if before == len(r.errors) {
		r.serials[l.product.Serial] = line
		r.lines = append(r.lines, l)
	}
}

const longestSerial = 100

func (r *lineReader) serial(line int, value string) string {
	serial := tickets.NormalSerial(value)
	switch first := r.serials[serial]; {
	case serial == "":
		r.wrong(line, "serial", "missing")
	case len(serial) > longestSerial:
		r.wrong(line, "serial", "%d characters: no serial number is longer than %d", len(serial), longestSerial)
	case first > 0:
		r.wrong(line, "serial", "%q stands in line %d already", serial, first)
	}
	return serial
}

// agree looks at cells that say something only together.
func (r *lineReader) agree(line int, cells map[string]string, l *productLine) {
	p := &l.product
	together := func(column, with, why string) {
		if cells[column] != "" && cells[with] == "" {
			r.wrong(line, with, "missing: %s", why)
		}
	}
	together("pages", "pages_on", "when was the meter read?")
	together("pages_on", "pages", "what did the meter show?")
	together("name", "customer", "a name alone does not say who it is")
	if !p.Bought.IsZero() && !p.WarrantyUntil.IsZero() && p.WarrantyUntil.Before(p.Bought) {
		r.wrong(line, "warranty_until", "%v is before the purchase on %v", p.WarrantyUntil, p.Bought)
	}
	if last, ok := p.LastReading(); ok && !p.ServicedOn.IsZero() && !sla.DateOf(last.At).Before(p.ServicedOn) && last.Pages < p.ServicedAt {
		r.wrong(line, "pages", "%d is less than %d at the service on %v", last.Pages, p.ServicedAt, p.ServicedOn)
	}
}

// day reads a day: 2026-12-31, also with a time of day behind it, or in the
// form that was given.
func (r *lineReader) day(value string, to *sla.Date) error {
	text := value
	if len(text) > len(time.DateOnly) && (text[len(time.DateOnly)] == ' ' || text[len(time.DateOnly)] == 'T') {
		text = text[:len(time.DateOnly)]
	}
	d, err := sla.ParseDate(text)
	if err != nil && r.layout != "" {
		var t time.Time
		if t, err = time.Parse(r.layout, value); err == nil {
			d = sla.DateOf(t)
		}
	}
	switch {
	case err != nil && r.layout == "":
		return fmt.Errorf("%q is not a day (as in 2026-12-31; --dates says other forms)", value)
	case err != nil:
		return fmt.Errorf("%q is not a day (as in %s)", value, time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC).Format(r.layout))
	case d.Year < 1970 || d.Year > 2200:
		return fmt.Errorf("%v is not a likely year", d)
	}
	*to = d
	return nil
}

// past is day for what has happened.
func (r *lineReader) past(value string, to *sla.Date) error {
	if err := r.day(value, to); err != nil {
		return err
	}
	if r.today.Before(*to) {
		return fmt.Errorf("%v is still to come", *to)
	}
	return nil
}

func pageCount(value string) (int, error) {
	n, ok := tickets.ParsePages(value)
	if !ok {
		return 0, fmt.Errorf("%q is not a number of pages", value)
	}
	return n, nil
}

func productKind(value string) (tickets.ProductKind, error) {
	switch k := tickets.ProductKind(strings.ToLower(value)); k {
	case tickets.KindLaser, tickets.KindInkjet, tickets.KindOther:
		return k, nil
	}
	return "", fmt.Errorf("%q: laser, inkjet or other", value)
}

func yesNo(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "yes", "y", "true", "1", "x", "ja", "wahr":
		return true, nil
	case "no", "n", "false", "0", "nein", "falsch":
		return false, nil
	}
	return false, fmt.Errorf("%q: yes or no", value)
}

// customerAddress is a mail address in normal form, or tel:+… of a number.
func customerAddress(value, country string) (string, error) {
	if local, domain, ok := strings.Cut(value, "@"); ok {
		if local == "" || domain == "" || strings.ContainsAny(value, " \t<>,;\"") || strings.Contains(domain, "@") {
			return "", fmt.Errorf("%q is not a mail address", value)
		}
		return tickets.NormalAddress(value), nil
	}
	if p := phone.ParseParty(value, country); p.Known() {
		return tickets.TelAddress(p.Number), nil
	}
	return "", fmt.Errorf("%q is neither a mail address nor a telephone number (as in +49 30 1234567)", value)
}

// dateLayout turns DD.MM.YYYY, M/D/YY and the like into a layout of package
// time.
func dateLayout(form string) (string, error) {
	layout := strings.ToUpper(form)
	for _, token := range []struct{ from, to string }{{"YYYY", "2006"}, {"YY", "06"}, {"MM", "M"}, {"DD", "D"}, {"M", "1"}, {"D", "2"}} {
		layout = strings.Replace(layout, token.from, token.to, 1)
	}
	example := time.Date(2031, 11, 23, 0, 0, 0, 0, time.UTC)
	got, err := time.Parse(layout, example.Format(layout))
	if err != nil || !got.Equal(example) {
		return "", fmt.Errorf("--dates %q: year, month and day are needed, as in DD.MM.YYYY", form)
	}
	return layout, nil
}
