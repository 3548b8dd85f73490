package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/tickets"
)

// largestImport is in bytes: the file is read whole.
const largestImport = 256 << 20

// importBatch is how many lines one transaction takes: mails that come
// meanwhile wait for one batch, not for the file.
const importBatch = 250

// mostErrors bounds the lines of errors that are printed.
const mostErrors = 200

func productsImportCommand() *cobra.Command {
	var brand, dates string
	var dryRun, asJSON bool
	var columns strings.Builder
	for _, c := range productColumns {
		fmt.Fprintf(&columns, "\n  %-15s %s", c.name, c.says)
	}
	cmd := &cobra.Command{
		Use:   "import FILE [--brand B] [--dates FORM] [--dry-run]",
		Short: "take in a list of products",
		Long: `Import reads a CSV file in UTF-8 whose first line names the columns; cells stand
between commas, semicolons or tabs. "-" reads standard input.
` + columns.String() + `

A product that is known by its serial number gets what the file says beyond; an
empty cell leaves what is known. Days are written 2026-12-31 or in the form that
--dates names. A line with a mistake is left out and said on standard error, as
FILE:LINE: COLUMN: what; all other lines are taken. The exit code is then 1.

Importing a file twice changes nothing. --dry-run changes nothing at all.`,
		Example: "  frontdesk products import sold.csv --dry-run\n  frontdesk products import sold.csv --dates DD.MM.YYYY",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			layout := ""
			if dates != "" {
				var err error
				if layout, err = dateLayout(dates); err != nil {
					return err
				}
			}
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
			at := now()
			in := &lineReader{country: b.Country, layout: layout, today: sla.DateOf(at.In(zoneOf(b)))}
			if err := readProducts(data, in); err != nil {
				return failed(fmt.Errorf("%s:%w", name, err))
			}
			im := &productImport{db: d.db, brand: b.Key, dry: dryRun, at: at, errors: in.errors}
			bar := newBar(cmd, len(in.lines), "import")
			err = im.run(cmd.Context(), in.lines, func(n int) { _ = bar.Add(n) })
			_ = bar.Finish()
			if err != nil {
				return failed(fmt.Errorf("import %s: %w\nhint: run it again: what is in changes nothing", name, err))
			}
			return im.report(cmd, name, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringVar(&brand, "brand", "", "brand that sold them")
	f.StringVar(&dates, "dates", "", "how days are written beside 2026-12-31: DD.MM.YYYY, MM/DD/YYYY, …")
	f.BoolVar(&dryRun, "dry-run", false, "say what would be done and change nothing")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// zoneOf is the zone of a brand's calendar.
func zoneOf(b tickets.Brand) *time.Location {
	if b.Location == nil {
		return time.UTC
	}
	return b.Location
}

// importFile reads a file, or standard input for "-". name is what errors call it.
func importFile(cmd *cobra.Command, file string) (data []byte, name string, err error) {
	in, name := cmd.InOrStdin(), "-"
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, file, err
		}
		defer f.Close()
		in, name = f, filepath.ToSlash(file)
	}
	data, err = io.ReadAll(io.LimitReader(in, largestImport+1))
	if err == nil && len(data) > largestImport {
		err = fmt.Errorf("%s is larger than %d MB: split it", name, largestImport>>20)
	}
	return data, name, err
}

// productImport takes lines in.
type productImport struct {
	db     *store.DB
	brand  string
	dry    bool
	at     time.Time
	errors []lineError

	imported importCount
}

// importCount is what became of the lines.
type importCount struct {
	New       int `json:"new"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
}

// run takes the lines in, a batch at a time; done hears how many were looked at.
func (im *productImport) run(ctx context.Context, lines []productLine, done func(int)) error {
	for batch := range slices.Chunk(lines, importBatch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		var count importCount
		var wrong []lineError
		err := im.db.Decide(ctx, im.brand, func(tx *store.Tx) error {
			c := tickets.Change{Brand: im.brand}
			var err error
			if c.Products, count, wrong, err = im.compare(ctx, tx, batch); err != nil || len(c.Products) == 0 || im.dry {
				return err
			}
			_, err = tx.Save(ctx, 0, "", "", c, im.at)
			return err
		})
		if err != nil {
			return err
		}
		im.imported.New += count.New
		im.imported.Changed += count.Changed
		im.imported.Unchanged += count.Unchanged
		im.errors = append(im.errors, wrong...)
		done(len(batch))
	}
	slices.SortStableFunc(im.errors, func(a, b lineError) int { return a.Line - b.Line })
	return nil
}

// compare says which products of a batch are to be saved, and what is wrong
// with its lines in the light of what is known.
func (im *productImport) compare(ctx context.Context, tx *store.Tx, batch []productLine) (save []tickets.Product, count importCount, wrong []lineError, err error) {
	var serials, addresses []string
	for _, l := range batch {
		serials = append(serials, l.product.Serial)
		if a := l.product.Owner.Address; a != "" && !slices.Contains(addresses, a) {
			addresses = append(addresses, a)
		}
	}
	have, err := tx.ProductsBySerial(ctx, im.brand, serials)
	if err != nil {
		return nil, count, nil, err
	}
	owners, err := tx.Owners(ctx, im.brand, addresses)
	if err != nil {
		return nil, count, nil, err
	}
	for _, l := range batch {
		known, is := have[l.product.Serial]
		p, mistake := l.onto(known, owners[l.product.Owner.Address])
		switch {
		case mistake != nil:
			wrong = append(wrong, *mistake)
		case !is:
			count.New++
			save = append(save, p)
		case reflect.DeepEqual(p, known):
			count.Unchanged++
		default:
			count.Changed++
			save = append(save, p)
		}
	}
	return save, count, wrong, nil
}

// onto is the known product (the zero one when there is none) with what the
// line says; owners have the line's address.
func (l productLine) onto(known tickets.Product, owners []int64) (tickets.Product, *lineError) {
	news := l.product
	switch {
	case news.Owner.Address == "":
	case len(owners) > 1:
		return known, &lineError{l.line, "customer", fmt.Sprintf("%d customers have %s: name one by the mail address", len(owners), tickets.Number(news.Owner.Address))}
	case len(owners) == 1 && owners[0] == known.Person:
		news.Owner = tickets.Address{}
	case len(owners) == 1:
		news.Person = owners[0]
	}
	for _, r := range news.Readings {
		if wrong := known.Implausible(r); wrong != "" {
			return known, &lineError{l.line, "pages", fmt.Sprintf("%d cannot be: %s", r.Pages, wrong)}
		}
	}
	p := known.With(news)
	if known.ID == 0 {
		p.Serial = news.Serial
	}
	if p.Kind == "" {
		p.Kind = tickets.KindOther
	}
	if news.Kind != "" {
		p.Kind = news.Kind
	}
	if l.retired != nil {
		p.Retired = *l.retired
	}
	return p, nil
}

// report says what became of the lines.
func (im *productImport) report(cmd *cobra.Command, name string, asJSON bool) error {
	n := im.imported.New + im.imported.Changed + im.imported.Unchanged
	refused := 0
	for i, e := range im.errors {
		if i == 0 || im.errors[i-1].Line != e.Line {
			refused++
		}
	}
	for i, e := range im.errors {
		if i == mostErrors {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: and %d more mistakes\n", name, len(im.errors)-mostErrors)
			break
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "%s:%s\n", name, shown(e.String()))
	}
	if asJSON {
		err := printJSON(cmd.OutOrStdout(), struct {
			File  string `json:"file"`
			Brand string `json:"brand"`
			Dry   bool   `json:"dry_run"`
			Lines int    `json:"lines"`
			importCount
			Refused int         `json:"refused"`
			Errors  []lineError `json:"errors"`
		}{name, im.brand, im.dry, n + refused, im.imported, refused, list(im.errors)})
		if err != nil {
			return err
		}
	} else {
		would := ""
		if im.dry {
			would = " (dry run: nothing was changed)"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "lines=%d new=%d changed=%d unchanged=%d refused=%d%s\n", n+refused, im.imported.New, im.imported.Changed, im.imported.Unchanged, refused, would)
	}
	if refused > 0 {
		return failed(errors.New(plural(refused, "line was", "lines were") + " left out"))
	}
	return nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
