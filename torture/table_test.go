package torture

import (
	"os"
	"testing"

	"frontdesk/internal/testdesk"
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

// row is a row of the table.
type row struct {
	name                                  string
	faults, in, out, lost, doubled, doubt int
}

// record adds a row, or adds to the row of that name, and fails the test when anything was lost or doubled.
func record(t *testing.T, r row) {
	t.Helper()
	testdesk.Record(t, testdesk.Row{Name: r.name, Faults: r.faults, In: r.in, Out: r.out, Lost: r.lost, Doubled: r.doubled, Doubt: r.doubt})
}
