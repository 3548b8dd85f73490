// Package arrows holds the table of who may import whom. It has no code: the
// test below reads the import lines of the whole project itself, because a test
// that asks "go list" stays "ok (cached)" when an arrow breaks.
package arrows

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "frontdesk/"

// arrows is the table: room → rooms it may import. What is not listed imports
// no room at all. Test files may import more, see fromTests.
var arrows = map[string][]string{
	"bench":              {"internal/testmail", "internal/twiliosim", "store/storetest"},
	"blobs":              {},
	"config":             {},
	"knowledge":          {},
	"oauth":              {},
	"parser":             {},
	"phone":              {},
	"sla":                {},
	"systemd":            {},
	"throttle":           {},
	"tickets":            {"sla"},
	"store":              {"tickets", "sla"},
	"store/storetest":    {"store", "tickets", "sla"},
	"intake":             {"oauth", "parser", "phone", "tickets", "store"},
	"nodes":              {"store"},
	"notify":             {"oauth", "phone", "tickets", "store"},
	"report":             {"sla", "tickets"},
	"schedules":          {"sla", "tickets", "store"},
	"web":                {"tickets", "store"},
	"internal/arrows":    {},
	"internal/testdesk":  {},
	"internal/testmail":  {},
	"internal/twiliosim": {},
	"packaging":          {},
	"torture":            {"parser"},            // tests alone; the rest they see from outside
	"torture/table":      {"internal/testdesk"}, // prints what the tests wrote
	"cmd/frontdesk":      {"blobs", "config", "intake", "knowledge", "nodes", "notify", "oauth", "parser", "phone", "report", "schedules", "sla", "store", "systemd", "throttle", "tickets", "web"},
}

// fromTests are the rooms that exist for tests. Any test file may import them;
// other files may not, but for the demo, which is a test that people watch.
var fromTests = []string{"internal/testdesk", "internal/testmail", "internal/twiliosim", "store/storetest"}

// pure are the rooms that decide: no input or output, no log, no context. What
// is listed may not be imported outside of tests, nor anything below it.
var pure = map[string][]string{
	"sla":     {"net/http", "context", "log", "database/sql", "os", "github.com/emersion/go-imap"},
	"tickets": {"net/http", "context", "log", "database/sql", "os", "github.com/emersion/go-imap"},
}

// imported is one import line.
type imported struct {
	file string // path below the root of the project
	line int
	path string
}

// room returns the folder of the file.
func (i imported) room() string { return filepath.ToSlash(filepath.Dir(i.file)) }

// isTest reports whether the file is only there for tests: by its name, or
// because it is the demo and imports the mail server that tests use.
func (i imported) isTest() bool { return strings.HasSuffix(i.file, "_test.go") }

func (i imported) isDemo() bool {
	return i.room() == "cmd/frontdesk" && strings.HasPrefix(filepath.Base(i.file), "demo")
}

// broken returns what is wrong with an import, "" when nothing is.
func broken(i imported) string {
	room := i.room()
	target, ours := strings.CutPrefix(i.path, module)
	if !ours {
		return brokenOutside(i)
	}
	known, ok := arrows[room]
	switch {
	case !ok:
		return "this folder has no row in the table of arrows"
	case strings.HasPrefix(target, "cmd/"):
		return "nobody imports cmd"
	case target == room, strings.HasPrefix(target, room+"/internal/"):
		return "" // an external test package imports its own room
	case slices.Contains(fromTests, target):
		if i.isTest() || i.isDemo() && strings.HasPrefix(target, "internal/") || slices.Contains(known, target) {
			return ""
		}
		return target + " is for tests"
	case slices.Contains(known, target):
		return ""
	}
	return "no arrow " + room + " → " + target
}

func brokenOutside(i imported) string {
	if i.isTest() {
		return ""
	}
	for _, path := range pure[i.room()] {
		if i.path == path || strings.HasPrefix(i.path, path+"/") {
			return i.room() + " decides and does nothing else: no " + path
		}
	}
	return ""
}

// root is the folder of go.mod.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// importsOf reads the import lines of every Go file below dir.
func importsOf(t *testing.T, dir string) []imported {
	t.Helper()
	var out []imported
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != dir && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			out = append(out, imported{name, files.Position(spec.Pos()).Line, target})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestArrows(t *testing.T) {
	t.Parallel()
	all := importsOf(t, root(t))
	if len(all) < 10 {
		t.Fatalf("%d imports seen", len(all))
	}
	for _, i := range all {
		if why := broken(i); why != "" {
			t.Errorf("%s:%d: import %q: %s", i.file, i.line, i.path, why)
		}
	}
}

// TestNoVagueRooms: a folder called by nothing that it holds collects everything.
func TestNoVagueRooms(t *testing.T) {
	t.Parallel()
	never := []string{"model", "models", "util", "utils", "common", "core", "types", "helpers", "misc", "shared"}
	rooms := map[string]bool{}
	for _, i := range importsOf(t, root(t)) {
		rooms[i.room()] = true
	}
	for _, room := range slices.Sorted(maps.Keys(rooms)) {
		if slices.Contains(never, filepath.Base(room)) {
			t.Errorf("folder %s: name it after what it holds", room)
		}
	}
}

func TestBroken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, path string
		fine       bool
	}{
		{"store/ticket.go", "frontdesk/tickets", true},
		{"store/ticket.go", "database/sql", true},
		{"tickets/receive.go", "frontdesk/sla", true},
		{"tickets/receive.go", "frontdesk/store", false},
		{"tickets/receive.go", "context", false},
		{"tickets/receive.go", "log/slog", false},
		{"tickets/receive_test.go", "context", true},
		{"tickets/receive_test.go", "frontdesk/store", false},
		{"sla/clock.go", "database/sql", false},
		{"intake/worker.go", "frontdesk/notify", false},
		{"notify/sender.go", "frontdesk/config", false},
		{"web/server.go", "frontdesk/cmd/frontdesk", false},
		{"cmd/frontdesk/wire.go", "frontdesk/config", true},
		{"cmd/frontdesk/wire.go", "frontdesk/internal/testmail", false},
		{"cmd/frontdesk/demo_story.go", "frontdesk/internal/testmail", true},
		{"cmd/frontdesk/demo.go", "frontdesk/store/storetest", false},
		{"intake/mailbox_test.go", "frontdesk/internal/testmail", true},
		{"store/store_test.go", "frontdesk/store/storetest", true},
		{"store/storetest/each.go", "frontdesk/store", true},
		{"store/sqlite.go", "frontdesk/store/storetest", false},
		{"parser/parse_test.go", "frontdesk/parser", true},
		{"helpers/text.go", "frontdesk/parser", false},
	} {
		why := broken(imported{c.file, 1, c.path})
		if (why == "") != c.fine {
			t.Errorf("%s imports %s: fine=%v wanted, got %q", c.file, c.path, c.fine, why)
		}
	}
}
