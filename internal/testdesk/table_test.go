package testdesk

import (
	"path/filepath"
	"testing"
)

func TestTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "table")
	t.Setenv("TORTURE_TABLE", file)
	Record(t, Row{Name: "B01 b", Faults: 1, In: 2, Out: 2})
	Record(t, Row{Name: "A01 a", Faults: 10, In: 20, Out: 20, Doubt: 3})
	Record(t, Row{Name: "B01 b", Faults: 1, In: 2, Out: 2})
	got, err := Table(file)
	const want = `  faults  in  out  lost  doubled  in doubt    case
      10  20   20     0        0         3        A01 a
       2   4    4     0        0         0        B01 b
      12  24   24     0        0         3        all
`
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
}
