package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/report"
	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/tickets"
)

// reportFormats are the words of --format.
var reportFormats = []string{"text", "html", "json", "csv"}

type reportFlags struct {
	from, to, brand, format, out, language string
}

func reportCommand() *cobra.Command {
	var flags reportFlags
	cmd := &cobra.Command{
		Use:   "report [weekly|monthly] [--from DAY] [--to DAY] [--brand B] [--format F] [--out FILE]",
		Short: "what the desk did in a week, a month or other days",
		Long: `Report counts what came in, what was answered and resolved and how long it took,
promises kept and broken, satisfaction, agents, and what came up again, and
compares it with the time before.

weekly is the newest whole week, Monday to Sunday, monthly the newest whole month
of the calendar; without either, and without --from, it is the week. --from and
--to name any days, both included; the time before is as many days. Days begin at
midnight in the brand's time zone, without --brand in that of the first brand.

The formats: text of 80 columns, html (one page with its charts in it), json (all
figures; the names of its fields do not change), csv (one number a line, for a
spreadsheet). docs/reports.md says what each figure counts.`,
		Example: "  frontdesk report monthly --brand example\n  frontdesk report --from 2026-10-01 --to 2026-12-31 --format html --out quarter.html",
		Args:    cobra.MaximumNArgs(1), ValidArgs: []string{string(tickets.Weekly), string(tickets.Monthly)},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(reportFormats, flags.format) {
				return fmt.Errorf("--format %q: no such format (one of %s)", flags.format, strings.Join(reportFormats, ", "))
			}
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			return d.report(cmd, args, flags)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.from, "from", "", "first day, as 2026-10-01")
	f.StringVar(&flags.to, "to", "", "last day; default: yesterday")
	f.StringVar(&flags.brand, "brand", "", "of this brand alone")
	f.StringVar(&flags.format, "format", "text", "text, html, json or csv")
	f.StringVar(&flags.out, "out", "", "file to write, in place of standard output")
	f.StringVar(&flags.language, "language", "", "en or de; default: the brand's")
	return cmd
}

func (d *desk) report(cmd *cobra.Command, args []string, flags reportFlags) error {
	q, period, err := d.reportQuery(args, flags)
	if err != nil {
		return err
	}
	f, err := figuresOf(cmd.Context(), d.db, q, d.rules)
	if err != nil {
		return failed(err)
	}
	f.Title = string(period)
	text, err := d.writeReport(f, flags)
	if err != nil {
		return failed(err)
	}
	if flags.out == "" {
		_, err = cmd.OutOrStdout().Write(text)
		return failed(err)
	}
	return failed(replaceFile(flags.out, text))
}

// replaceFile writes a file as a whole, or leaves what was there.
func replaceFile(name string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".report-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Chmod(0o640), tmp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(tmp.Name(), name)
}

// writeReport writes the figures in a format.
func (d *desk) writeReport(f tickets.Figures, flags reportFlags) ([]byte, error) {
	language, color := flags.language, ""
	for _, b := range d.cfg.Brands {
		if b.ID == flags.brand || flags.brand == "" && color == "" {
			color = b.Color
			if flags.language == "" {
				language = b.Language
			}
		}
	}
	switch flags.format {
	case "html":
		page, err := report.HTML(f, language, color)
		return []byte(page), err
	case "json":
		return report.JSON(f)
	case "csv":
		return report.CSV(f)
	}
	return []byte(report.Text(f, language)), nil
}

// reportQuery says which days are meant.
func (d *desk) reportQuery(args []string, flags reportFlags) (q store.FiguresQuery, period tickets.ReportPeriod, err error) {
	if _, ok := d.rules.Brands[flags.brand]; flags.brand != "" && !ok {
		return q, "", fmt.Errorf("--brand %q: no such brand (one of %s)", flags.brand, strings.Join(sortedKeys(d.rules.Brands), ", "))
	}
	zone := zoneOfBrand(d.rules, flags.brand)
	q = store.FiguresQuery{Brand: flags.brand, Now: now(), Zone: zone}
	if flags.from == "" {
		if flags.to != "" {
			return q, "", fmt.Errorf("--to %q without --from", flags.to)
		}
		period = tickets.Weekly
		if len(args) > 0 {
			period = tickets.ReportPeriod(args[0])
		}
		if period != tickets.Weekly && period != tickets.Monthly {
			return q, "", fmt.Errorf("%q is no period (weekly or monthly)", args[0])
		}
		q.Before, q.From, q.To = period.Last(q.Now, zone)
		return q, period, nil
	}
	if len(args) > 0 {
		return q, "", fmt.Errorf("either %s or --from", args[0])
	}
	q.Before, q.From, q.To, err = daysOf(flags, zone, q.Now)
	return q, "", err
}

// mostDays bounds a report: ten years.
const mostDays = 3660

// daysOf reads --from and --to.
func daysOf(flags reportFlags, zone *time.Location, now time.Time) (before, from, to time.Time, err error) {
	first, err := sla.ParseDate(flags.from)
	if err != nil {
		return before, from, to, fmt.Errorf("--from: %w", err)
	}
	last := sla.DateOf(now.In(zone)).Add(-1)
	if flags.to != "" {
		if last, err = sla.ParseDate(flags.to); err != nil {
			return before, from, to, fmt.Errorf("--to: %w", err)
		}
	}
	days := last.Since(first) + 1
	switch {
	case days < 1:
		return before, from, to, fmt.Errorf("--to %s is before --from %s", last, first)
	case days > mostDays:
		return before, from, to, fmt.Errorf("%d days from %s to %s: at most %d", days, first, last, mostDays)
	}
	return first.Add(-days).At(0, zone), first.At(0, zone), last.Add(1).At(0, zone), nil
}
