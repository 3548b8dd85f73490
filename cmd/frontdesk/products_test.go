package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"frontdesk/sla"
	"frontdesk/tickets"
)

func productsOf(t *testing.T, text string, change ...func(*lineReader)) *lineReader {
	t.Helper()
	r := &lineReader{country: "DE", today: sla.Date{Year: 2026, Month: 3, Day: 2}}
	for _, f := range change {
		f(r)
	}
	if err := readProducts([]byte(text), r); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return r
}

// The same list, as many programs write it.
func TestProductListsOfManyPrograms(t *testing.T) {
	t.Parallel()
	want := []tickets.Product{
		{Serial: "A1", Model: "LX; 300, tab", Kind: tickets.KindLaser, Bought: sla.Date{Year: 2025, Month: 2, Day: 1}},
		{Serial: "B2"},
	}
	layout, err := dateLayout("DD.MM.YYYY")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"commas":             "serial,model,kind,bought\na1,\"LX; 300, tab\",laser,2025-02-01\nB2,,,\n",
		"semicolons":         "serial;model;kind;bought\na1;\"LX; 300, tab\";laser;01.02.2025\nB2;;;\n",
		"tabs":               "serial\tmodel\tkind\tbought\na1\tLX; 300, tab\tlaser\t1.2.2025\nB2\n",
		"byte order mark":    "\uFEFFserial;model;kind;bought\r\na1;\"LX; 300, tab\";laser;2025-02-01\r\nB2;;;\r\n",
		"Excel's head":       "sep=;\r\nSerial; Model ;KIND;Bought\r\na1;\"LX; 300, tab\";Laser;2025-02-01 00:00:00\r\n\r\nB2\r\n;;;\r\n",
		"other order":        "bought,kind,model,serial,\n2025-02-01T00:00:00Z,LASER,\"LX; 300, tab\", a 1 ,\n,,,B2,\n",
		"no line at the end": "serial,model,kind,bought\na1,\"LX; 300, tab\",laser,2025-02-01\nB2",
		"old Macintosh":      "serial,model,kind,bought\ra1,\"LX; 300, tab\",laser,2025-02-01\rB2,,,",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := productsOf(t, text, func(r *lineReader) { r.layout = layout })
			var got []tickets.Product
			for _, l := range r.lines {
				got = append(got, l.product)
			}
			if d := cmp.Diff(want, got); d != "" || len(r.errors) > 0 {
				t.Errorf("errors %v, products (-want +got)\n%s", r.errors, d)
			}
		})
	}
}

// Each mistake is said at its line and column, and spoils no other line.
func TestMistakesInProductLists(t *testing.T) {
	t.Parallel()
	const head = "serial,model,kind,customer,name,bought,warranty_until,pages,pages_on,serviced_pages,serviced_on,retired\n"
	for line, want := range map[string]string{
		",LX":                                  "2: serial: missing",
		"A1,,plotter":                          `2: kind: "plotter": laser, inkjet or other`,
		"A1,,,@nowhere":                        `2: customer: "@nowhere" is not a mail address`,
		"A1,,,a b@c.example":                   `2: customer: "a b@c.example" is not a mail address`,
		"A1,,,12":                              `2: customer: "12" is neither a mail address nor a telephone number (as in +49 30 1234567)`,
		"A1,,,,Anna":                           "2: customer: missing: a name alone does not say who it is",
		"A1,,,,,2026-02-30":                    `2: bought: "2026-02-30" is not a day (as in 2026-12-31; --dates says other forms)`,
		"A1,,,,,1026-02-03":                    "2: bought: 1026-02-03 is not a likely year",
		"A1,,,,,2026-02-03,2026-02-02":         "2: warranty_until: 2026-02-02 is before the purchase on 2026-02-03",
		"A1,,,,,,,12x,2026-01-01":              `2: pages: "12x" is not a number of pages`,
		"A1,,,,,,,12":                          "2: pages_on: missing: when was the meter read?",
		"A1,,,,,,,,2026-01-01":                 "2: pages: missing: what did the meter show?",
		"A1,,,,,,,12,2026-03-03":               "2: pages_on: 2026-03-03 is still to come",
		"A1,,,,,,,12,2026-01-02,13,2026-01-02": "2: pages: 12 is less than 13 at the service on 2026-01-02",
		"A1,,,,,,,,,,2026-03-03":               "2: serviced_on: 2026-03-03 is still to come",
		"A1,,,,,,,,,,,perhaps":                 `2: retired: "perhaps": yes or no`,
		"A1,,,,,,,,,,,,too much":               "2: 13 cells, and the first line names 12 columns",
		`A1,"LX`:                               `2: a quote " is opened and not closed`,
		`A1,L"X"`:                              `2: cannot be split into cells: bare " in non-quoted-field`,
		"A1,\xff\xfe":                          "2: not UTF-8: save the file as CSV in UTF-8",
		strings.Repeat("A", 101):               "2: serial: 101 characters: no serial number is longer than 100",
		"A1," + strings.Repeat("x", 2001):      "2: model: 2001 bytes: more than 2000",
		"Z9":                                   `3: serial: "Z9" stands in line 2 already`,
	} {
		r := productsOf(t, head+line+"\nz9,last\n")
		var got []string
		for _, e := range r.errors {
			got = append(got, e.String())
		}
		if d := cmp.Diff([]string{want}, got); d != "" {
			t.Errorf("%q (-want +got)\n%s", line, d)
		}
		if len(r.lines) != 1 || r.lines[0].product.Serial != "Z9" {
			t.Errorf("%q spoils others: %v", line, r.lines)
		}
	}
	for text, want := range map[string]string{
		"":                    "1: the file is empty: its first line names the columns",
		"\n\n":                "1: the file is empty: its first line names the columns",
		"model,kind\nA1,":     "1: serial: this column is missing",
		"serial,color\n":      "1: color: no such column (one of serial, ",
		"\nserial,serial\n":   "2: serial: this column comes twice",
		"\xff\xfes\x00e\x00":  "1: the file is UTF-16",
		"serial,\"model\nA1,": `1: a quote " is opened and not closed`,
	} {
		err := readProducts([]byte(text), &lineReader{})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestDateLayouts(t *testing.T) {
	t.Parallel()
	for form, day := range map[string]string{"DD.MM.YYYY": "3.2.2026", "D.M.YY": "03.02.26", "MM/DD/YYYY": "02/03/2026", "yyyy/mm/dd": "2026/2/3", "YYYYMMDD": ""} {
		layout, err := dateLayout(form)
		if err != nil {
			if day != "" {
				t.Errorf("%s: %v", form, err)
			}
			continue
		}
		if day == "" {
			continue
		}
		var got sla.Date
		r := lineReader{layout: layout}
		if err := r.day(day, &got); err != nil || got.String() != "2026-02-03" {
			t.Errorf("%s: %q is %v, %v", form, day, got, err)
		}
	}
	for _, form := range []string{"DD.MM", "x", "YYYY", "MM/YYYY"} {
		if _, err := dateLayout(form); err == nil {
			t.Errorf("%q is taken", form)
		}
	}
}

// No file stops the reader, and each line is a product, a mistake, or empty.
func FuzzReadProducts(f *testing.F) {
	for _, seed := range []string{"serial,model\nA1,LX\n", "sep=;\nserial;pages;pages_on\nA;1;2026-01-01\n\"", "serial\n\"a\nb\"\n\xff", "serial\tbought\nA\t1.2.26\n"} {
		f.Add(seed, "DD.MM.YY")
	}
	f.Fuzz(func(t *testing.T, text, form string) {
		layout, err := dateLayout(form)
		if err != nil {
			layout = ""
		}
		r := &lineReader{layout: layout, country: "DE", today: sla.Date{Year: 2026, Month: 3, Day: 2}}
		if readProducts([]byte(text), r) != nil {
			return
		}
		last := strings.Count(strings.ReplaceAll(text, "\r", "\n"), "\n") + 1
		said := map[int]bool{}
		for _, e := range r.errors {
			if e.Line < 1 || e.Line > last {
				t.Fatalf("line %d of %d: %s", e.Line, last, e.What)
			}
			said[e.Line] = true
		}
		for _, l := range r.lines {
			if said[l.line] || l.product.Serial == "" || l.line > last {
				t.Fatalf("line %d is taken: %+v, mistakes %v", l.line, l.product, r.errors)
			}
		}
	})
}

// importDesk is a folder with a configuration, and frontdesk in it.
func importDesk(t *testing.T) (folder string, run func(args ...string) (stdout, stderr string, err error)) {
	t.Helper()
	folder = t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("secret", "0123456789abcdef0123456789abcdef")
	write("frontdesk.yaml", `
data_dir: data
secret_file: secret
brands:
  baleyo:
    name: Baleyo
    country: DE
    mailboxes:
      - address: support@baleyo.example
        smtp: {host: 127.0.0.1, tls: none}
agents:
  - {email: asha@team.example, name: Asha}
`)
	return folder, func(args ...string) (string, string, error) {
		var stdout, stderr bytes.Buffer
		cmd := rootCommand()
		cmd.SetArgs(append([]string{"--config", filepath.Join(folder, "frontdesk.yaml")}, args...))
		cmd.SetOut(&stdout)
		cmd.SetErr(&stderr)
		err := cmd.ExecuteContext(t.Context())
		return stdout.String(), stderr.String(), err
	}
}

// A long list of which 20 lines are bad: 20 errors, the rest is in; a second run
// changes nothing, and a changed line is one change. With TORTURE=1 it has 50,000
// lines; the log says how long they take.
func TestImportFiftyThousand(t *testing.T) {
	t.Parallel()
	n, bad := 5_000, 20
	if os.Getenv("TORTURE") != "" {
		n = 50_000
	}
	folder, run := importDesk(t)
	file := filepath.Join(folder, "sold.csv")
	list := func(model string) {
		var b bytes.Buffer
		b.WriteString("\uFEFFserial;model;kind;customer;name;bought;warranty_until;contract_until;contract;pages;pages_on\r\n")
		for i := range n {
			bought, name := "2025-02-03", fmt.Sprintf("Customer %d", i/3)
			if i%(n/bad) == 7 {
				bought = "2025-02-30"
			}
			this := "LX-300"
			if i == n/2 {
				this = model
			}
			fmt.Fprintf(&b, "SN-%06d;%s;laser;c%d@customer.example;\"%s; Ltd\";%s;2028-02-03;2027-01-31;Care;%d;2026-01-05\r\n", i, this, i/3, name, bought, i)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what, want string, args ...string) {
		t.Helper()
		start := time.Now()
		stdout, stderr, err := run(append([]string{"products", "import", file}, args...)...)
		var coded *exitError
		if !errors.As(err, &coded) || coded.code != exitFailed {
			t.Fatalf("%s: %v\n%s", what, err, stderr)
		}
		if got := strings.TrimSpace(stdout); got != want {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if len(lines) != bad {
			t.Errorf("%s: %d lines of errors:\n%s", what, len(lines), stderr)
		}
		for i, line := range lines {
			if want := fmt.Sprintf(`%s:%d: bought: "2025-02-30" is not a day`, file, 2+7+i*(n/bad)); !strings.HasPrefix(line, want) {
				t.Errorf("%s: got %q, want %s", what, line, want)
			}
		}
		t.Logf("%s: %d lines in %v", what, n, time.Since(start))
	}
	list("LX-300")
	in := n - bad
	check("dry run", fmt.Sprintf("lines=%d new=%d changed=0 unchanged=0 refused=%d (dry run: nothing was changed)", n, in, bad), "--dry-run")
	check("first", fmt.Sprintf("lines=%d new=%d changed=0 unchanged=0 refused=%d", n, in, bad))
	check("again", fmt.Sprintf("lines=%d new=0 changed=0 unchanged=%d refused=%d", n, in, bad))
	list("LX-301")
	check("one changed", fmt.Sprintf("lines=%d new=0 changed=1 unchanged=%d refused=%d", n, in-1, bad))
	check("and again", fmt.Sprintf("lines=%d new=0 changed=0 unchanged=%d refused=%d", n, in, bad))
	stdout, _, err := run("products", "list", "--search", "lx-301", "--json")
	if err != nil || strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, fmt.Sprintf(`"serial":"SN-%06d","model":"LX-301"`, n/2)) {
		t.Errorf("%v: %s", err, stdout)
	}
}
