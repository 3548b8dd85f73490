package testdesk

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
)

// Row is what one test did to a desk and found.
type Row struct {
	Name    string // case of docs/requirements.md and what was done, "A01 killed at random, LMTP"
	Faults  int    // that were injected
	In      int    // items accepted
	Out     int    // messages and letters that belong to them, each counted once
	Lost    int    // accepted, and nothing came of it
	Doubled int    // came of it twice, and no doubt excuses it
	Doubt   int    // second copies of letters in doubt: allowed, and the same bytes
}

var tableFile sync.Mutex

// Record says what a test found and fails it when anything was lost or doubled.
// The row goes at once to the end of the file that TORTURE_TABLE names, one JSON
// document a line: it is there whatever becomes of the test process. Rows of one
// name are added up by Table.
func Record(t testing.TB, r Row) {
	t.Helper()
	if r.Lost != 0 || r.Doubled != 0 {
		t.Errorf("%s: lost %d, doubled %d", r.Name, r.Lost, r.Doubled)
	}
	t.Logf("%s: faults %d, in %d, out %d, lost %d, doubled %d, in doubt %d", r.Name, r.Faults, r.In, r.Out, r.Lost, r.Doubled, r.Doubt)
	file := os.Getenv("TORTURE_TABLE")
	if file == "" {
		return
	}
	tableFile.Lock()
	defer tableFile.Unlock()
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(append(line, '\n'))
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Table reads such a file and returns the table: aligned, in order of the cases,
// with its sums.
func Table(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var rows []Row
	for s := bufio.NewScanner(f); s.Scan(); {
		var r Row
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			return "", fmt.Errorf("%s: %q: %w", file, s.Text(), err)
		}
		i := slices.IndexFunc(rows, func(have Row) bool { return have.Name == r.Name })
		if i < 0 {
			rows, i = append(rows, Row{Name: r.Name}), len(rows)
		}
		rows[i].add(r)
	}
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.Name, b.Name) })
	sum := Row{Name: "all"}
	for _, r := range rows {
		sum.add(r)
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "faults\tin\tout\tlost\tdoubled\tin doubt\t  case\t")
	for _, r := range append(rows, sum) {
		fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t\t%s\n", r.Faults, r.In, r.Out, r.Lost, r.Doubled, r.Doubt, r.Name)
	}
	_ = w.Flush() // into memory
	return b.String(), nil
}

func (r *Row) add(other Row) {
	r.Faults += other.Faults
	r.In += other.In
	r.Out += other.Out
	r.Lost += other.Lost
	r.Doubled += other.Doubled
	r.Doubt += other.Doubt
}
