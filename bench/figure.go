package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// figure is one line of the table.
type figure struct {
	Section string    `json:"section"`
	What    string    `json:"what"`
	Unit    string    `json:"unit"`
	Rounds  []float64 `json:"rounds"` // in the order they were measured
	Min     float64   `json:"min"`
	Median  float64   `json:"median"`
	Max     float64   `json:"max"`
	Must    float64   `json:"must,omitempty"` // 0: no target
	Aim     float64   `json:"aim,omitempty"`
	Less    bool      `json:"less,omitempty"` // the targets are upper limits
	Kept    *bool     `json:"kept,omitempty"` // the median keeps must; none without
}

// newFigure makes one of the values of its rounds.
func newFigure(section, what, unit string, rounds []float64) *figure {
	sorted := slices.Sorted(slices.Values(rounds))
	f := &figure{Section: section, What: what, Unit: unit, Rounds: rounds}
	if n := len(sorted); n > 0 {
		f.Min, f.Median, f.Max = sorted[0], median(sorted), sorted[n-1]
	}
	return f
}

// median of sorted values.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// percentile of sorted values, by nearest rank.
func percentile(sorted []float64, p float64) float64 {
	return sorted[max(0, int(math.Ceil(p/100*float64(len(sorted))))-1)]
}

// atLeast and atMost set targets; aim 0 is none.
func (f *figure) atLeast(must, aim float64) { f.target(must, aim, false) }
func (f *figure) atMost(must, aim float64)  { f.target(must, aim, true) }

func (f *figure) target(must, aim float64, less bool) {
	f.Must, f.Aim, f.Less = must, aim, less
	kept := f.Median >= must
	if less {
		kept = f.Median <= must
	}
	f.Kept = &kept
}

// number prints three significant digits, and whole numbers whole.
func number(v float64) string {
	switch a := math.Abs(v); {
	case v == 0:
		return "0"
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func (f *figure) limits() (must, aim, kept string) {
	sign := "≥ "
	if f.Less {
		sign = "≤ "
	}
	if f.Must != 0 {
		must = sign + number(f.Must)
	}
	if f.Aim != 0 {
		aim = sign + number(f.Aim)
	}
	switch {
	case f.Kept == nil:
	case *f.Kept:
		kept = "yes"
	default:
		kept = "NO"
	}
	return must, aim, kept
}

// printTable prints figures for people.
func printTable(w io.Writer, list []*figure) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	section := ""
	for _, f := range list {
		if f.Section != section {
			section = f.Section
			fmt.Fprintf(t, "%s\tmin\tmedian\tmax\tunit\tmust\taim\tkept\n", strings.ToUpper(section))
		}
		must, aim, kept := f.limits()
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.What, number(f.Min), number(f.Median), number(f.Max), f.Unit, must, aim, kept)
	}
	return t.Flush()
}

// printJSON prints them for scripts.
func printJSON(w io.Writer, list []*figure) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(list)
}
