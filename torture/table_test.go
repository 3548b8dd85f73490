package torture

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
)

// long reports that tests run at full length.
var long = os.Getenv("TORTURE") == "1"

// pick returns the number for a run of this length.
func pick[T any](short, full T) T {
	if long {
		return full
	}
	return short
}

// row is what one test did and found.
type row struct {
	name    string // case of docs/requirements.md and what was done, "A01 killed at random, LMTP"
	faults  int    // that were injected
	in      int    // items accepted
	out     int    // messages and letters that belong to them, each counted once
	lost    int    // accepted, and nothing came of it
	doubled int    // came of it twice, and no doubt excuses it
	doubt   int    // second copies of letters in doubt: allowed, and the same bytes
}

var table struct {
	sync.Mutex
	rows []row
}

// record adds a row, or adds to the row of that name, and fails the test when anything was lost or doubled.
func record(t *testing.T, r row) {
	t.Helper()
	if r.lost != 0 || r.doubled != 0 {
		t.Errorf("%s: lost %d, doubled %d", r.name, r.lost, r.doubled)
	}
	t.Logf("%s: faults %d, in %d, out %d, lost %d, doubled %d, in doubt %d", r.name, r.faults, r.in, r.out, r.lost, r.doubled, r.doubt)
	table.Lock()
	defer table.Unlock()
	i := slices.IndexFunc(table.rows, func(have row) bool { return have.name == r.name })
	if i < 0 {
		table.rows = append(table.rows, row{name: r.name})
		i = len(table.rows) - 1
	}
	table.rows[i].add(r)
}

func (r *row) add(other row) {
	r.faults += other.faults
	r.in += other.in
	r.out += other.out
	r.lost += other.lost
	r.doubled += other.doubled
	r.doubt += other.doubt
}

// printed is the table, aligned, in order of the cases, with its sums.
func printed(rows []row) string {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.name, b.name) })
	sum := row{name: "all"}
	for _, r := range rows {
		sum.add(r)
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "faults\tin\tout\tlost\tdoubled\tin doubt\t  case\t")
	for _, r := range append(rows, sum) {
		fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t\t%s\n", r.faults, r.in, r.out, r.lost, r.doubled, r.doubt, r.name)
	}
	_ = w.Flush() // into memory
	return b.String()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if len(table.rows) > 0 {
		text := printed(table.rows)
		fmt.Print(text)
		if file := os.Getenv("TORTURE_TABLE"); file != "" {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = max(code, 1)
			}
		}
	}
	os.Exit(code)
}
