package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

// This file prints records: a table for people, JSON for scripts.

// column is one column of a table.
type column[T any] struct {
	head string
	cell func(T) string
}

// below stands in a cell whose text is too long for it: it follows the row.
const below = "see below"

// longCell splits text that matters to its end, such as an error with its hint:
// what stands in the cell, and what stands below the row, "" nothing.
func longCell(s string) (short, long string) {
	s = strings.TrimSpace(s)
	if short = cell(s); !strings.Contains(s, "\n") && len([]rune(s)) <= cellWidth {
		return short, ""
	}
	return below, s
}

// printList prints records: a table, or one JSON object a line. An empty table
// is said on standard error, so that a pipe gets nothing.
func printList[T any](cmd *cobra.Command, asJSON bool, list []T, columns ...column[T]) error {
	return printRows(cmd, asJSON, list, nil, columns...)
}

// printRows is printList with a text below each row, "" none.
func printRows[T any](cmd *cobra.Command, asJSON bool, list []T, under func(T) string, columns ...column[T]) error {
	if asJSON {
		for _, record := range list {
			if err := encoder(cmd.OutOrStdout()).Encode(record); err != nil {
				return failed(err)
			}
		}
		return nil
	}
	if len(list) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "none")
		return nil
	}
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	heads := make([]string, len(columns))
	for i, c := range columns {
		heads[i] = c.head
	}
	fmt.Fprintln(w, strings.Join(heads, "\t"))
	for _, record := range list {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = cell(c.cell(record))
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	if err := w.Flush(); err != nil {
		return failed(err)
	}
	if under == nil {
		_, err := table.WriteTo(cmd.OutOrStdout())
		return failed(err)
	}
	for i, line := range slices.Collect(strings.Lines(table.String())) { // a cell is one line
		if i > 0 {
			line += indented(under(list[i-1]))
		}
		if _, err := io.WriteString(cmd.OutOrStdout(), line); err != nil {
			return failed(err)
		}
	}
	return nil
}

// printJSON prints one JSON document.
func printJSON(w io.Writer, v any) error {
	enc := encoder(w)
	enc.SetIndent("", "  ")
	return failed(enc.Encode(v))
}

// encoder leaves HTML readable.
func encoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc
}

// facts prints "key: value" lines, aligned, leaving out what is empty.
type facts struct{ w io.Writer }

func (f facts) line(key, value string) {
	if value != "" {
		fmt.Fprintf(f.w, "%-13s %s\n", key+":", cell(value))
	}
}

// cell makes text fit for one cell of a table.
func cell(s string) string {
	s = strings.Join(strings.Fields(shown(s)), " ")
	if s == "" {
		return "-"
	}
	return shorten(s, cellWidth)
}

// cellWidth is how many characters of a text a table shows.
const cellWidth = 80

// shown takes out what a mail could do to the terminal it is read on: escape
// sequences and marks that turn the direction of writing.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F:
			return -1
		}
		return r
	}, s)
}

// indented is text below a heading.
func indented(s string) string {
	s = strings.TrimSpace(shown(s))
	if s == "" {
		return ""
	}
	return "    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n"
}

// minute is a time for people, in the zone of the machine.
func minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

// dash is text, or "-" for none.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// orZero is a number, or "" for none.
func orZero(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// group is a command that only holds others. A word that none of them has is a
// mistake, not a request for help.
func group(use, short, long, example string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Example: example,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			names := []string{}
			for _, c := range cmd.Commands() {
				names = append(names, c.Name())
			}
			slices.Sort(names)
			return fmt.Errorf("unknown command %q for %q (one of %s)", args[0], cmd.CommandPath(), strings.Join(names, ", "))
		},
	}
	cmd.AddCommand(commands...)
	return cmd
}

// numbers reads the numbers that a command names, "#" before them or not.
func numbers(args []string) ([]int64, error) {
	var out []int64
	for _, arg := range args {
		n, err := strconv.ParseInt(strings.TrimPrefix(arg, "#"), 10, 64)
		if err != nil || n <= 0 {
			return nil, fmt.Errorf("%q is not a number", arg)
		}
		out = append(out, n)
	}
	return out, nil
}

// words reads a text: the argument, or standard input for "-".
func words(cmd *cobra.Command, arg string) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	text, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxMail))
	return strings.ToValidUTF8(strings.TrimSpace(string(text)), "\uFFFD"), failed(err)
}

// isTerminal reports whether somebody looks at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
