package arrows

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestRequirementsAreShown compares docs/requirements.md with the sources: each
// row stands there once and in order, and every test that it names exists. So a
// test that is renamed or dropped takes its row along.
func TestRequirementsAreShown(t *testing.T) {
	t.Parallel()
	file := filepath.Join(root(t), "docs", "requirements.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, found := readRows(string(text))
	for _, f := range found {
		t.Errorf("%s:%s", file, f)
	}
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.id)
	}
	if want := wantedRows(); !slices.Equal(ids, want) {
		t.Errorf("the rows are\n%q\nwant\n%q", ids, want)
	}
	shown := testsOf(t, root(t))
	for _, r := range rows {
		for _, name := range r.tests {
			if !shown[name] {
				t.Errorf("%s:%d: %s: there is no test %s", file, r.line, r.id, name)
			}
		}
	}
}

// wantedRows are the ids in the order of the document: requirements,
// guarantees, cases.
func wantedRows() []string {
	var ids []string
	for _, part := range []struct {
		letter string
		last   int
	}{{"A", 11}, {"B", 11}, {"C", 8}, {"D", 6}, {"E", 5}, {"F", 6}, {"G", 16}} {
		for n := range part.last {
			ids = append(ids, part.letter+strconv.Itoa(n+1))
		}
	}
	for _, part := range []struct {
		letter  string
		numbers []int
	}{
		{"A", []int{1, 3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 17, 18, 19, 21, 22}},
		{"B", []int{1, 2, 3, 6, 7, 8, 9, 12, 13, 15, 16}},
		{"C", []int{2, 3, 5, 6, 8, 9, 10, 11, 13, 14}},
		{"D", []int{2, 4, 5, 6, 8, 9, 10, 11, 12}},
		{"E", []int{3, 4, 5, 7, 8, 9, 10}},
		{"F", []int{1, 2, 5, 7, 8, 9, 10}},
		{"G", []int{2, 4, 5, 6, 8}},
		{"H", []int{2, 3, 4, 5, 6, 8}},
	} {
		for _, n := range part.numbers {
			ids = append(ids, fmt.Sprintf("case %s%02d", part.letter, n))
		}
	}
	return ids
}

// row is one line of a table: id, where it lives, the tests that show it.
type row struct {
	id    string
	tests []string // none: the last cell is a dash
	line  int
}

var (
	rowID    = regexp.MustCompile(`^(case )?[A-H][0-9]+$`)
	testName = regexp.MustCompile("^`((?:Test|Fuzz)[A-Z]\\w*|[a-z-]+\\.txtar)`$")
)

// readRows returns the rows of the document and what is wrong with their form,
// as line: what.
func readRows(text string) (rows []row, wrong []string) {
	for i, line := range strings.Split(text, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 3 || !rowID.MatchString(strings.TrimSpace(cells[1])) {
			continue
		}
		r := row{id: strings.TrimSpace(cells[1]), line: i + 1}
		if len(cells) != 5 || cells[0] != "" || cells[4] != "" || strings.TrimSpace(cells[2]) == "" {
			wrong = append(wrong, fmt.Sprintf("%d: %s: three cells that say something", i+1, r.id))
			continue
		}
		if last := strings.TrimSpace(cells[3]); last != "–" {
			for _, name := range strings.Split(last, ", ") {
				m := testName.FindStringSubmatch(name)
				if m == nil {
					wrong = append(wrong, fmt.Sprintf("%d: %s: %q is neither a test nor a script", i+1, r.id, name))
					continue
				}
				r.tests = append(r.tests, m[1])
			}
		}
		rows = append(rows, r)
	}
	return rows, wrong
}

var testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Z]\w*)\(`)

// testsOf returns the names of all tests and scripts below dir.
func testsOf(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != dir && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case strings.HasSuffix(path, ".txtar"):
			names[entry.Name()] = true
		case strings.HasSuffix(path, "_test.go"):
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range testFunc.FindAllSubmatch(source, -1) {
				names[string(m[1])] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestReadRows(t *testing.T) {
	t.Parallel()
	rows, wrong := readRows("| row | where | tests |\n|---|---|---|\n| A1 | `config` | `TestX`, `brands.txtar` |\n| A3 | – | – |\n| case B02 | x | TestX |\n| A2 | | – |\n| A4 | x | `TestX` | more |\n")
	if len(rows) != 3 || !slices.Equal(rows[0].tests, []string{"TestX", "brands.txtar"}) || rows[1].tests != nil || rows[1].line != 4 {
		t.Errorf("rows %+v", rows)
	}
	if len(wrong) != 3 || !strings.HasPrefix(wrong[0], "5: case B02: ") {
		t.Errorf("wrong: %q", wrong)
	}
}
