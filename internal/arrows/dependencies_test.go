package arrows

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// modulesOf returns the modules that go.mod requires.
func modulesOf(t *testing.T, dir string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	require := regexp.MustCompile(`(?m)^\s*(?:require )?([a-z0-9.-]+\.[a-z]+/\S+) v\S+`)
	var out []string
	for _, m := range require.FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	return out
}

// rowsOf returns the first cells of the tables in a Markdown file.
func rowsOf(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	scan := bufio.NewScanner(f)
	for scan.Scan() {
		cells := strings.Split(scan.Text(), "|")
		if len(cells) < 3 || strings.HasPrefix(cells[1], "-") {
			continue
		}
		if cell := strings.TrimSpace(cells[1]); cell != "module" && cell != "key" {
			out = append(out, cell)
		}
	}
	return out
}

// moduleOf returns the module of an import path: the longest that begins it.
func moduleOf(path string, modules []string) string {
	best := ""
	for _, m := range modules {
		if (path == m || strings.HasPrefix(path, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

// TestEveryDependencyHasAReason compares docs/dependencies.md with the sources.
func TestEveryDependencyHasAReason(t *testing.T) {
	t.Parallel()
	dir := root(t)
	modules, rows := modulesOf(t, dir), rowsOf(t, filepath.Join(dir, "docs", "dependencies.md"))
	if len(modules) < 5 || len(rows) < 5 {
		t.Fatalf("%d modules, %d rows", len(modules), len(rows))
	}
	for _, row := range rows {
		if !slices.Contains(modules, row) {
			t.Errorf("docs/dependencies.md: %s is not in go.mod", row)
		}
	}
	for _, i := range importsOf(t, dir) {
		if m := moduleOf(i.path, modules); m != "" && !slices.Contains(rows, m) {
			t.Errorf("%s:%d: %s has no row in docs/dependencies.md: why this one, and its licence", i.file, i.line, m)
		}
	}
}

// logKey is a key of a log line in the sources.
type logKey struct {
	file string
	line int
	key  string
}

// logKeysOf reads the constant keys of calls like log.Info("text", "key", value).
func logKeysOf(t *testing.T, dir string) []logKey {
	t.Helper()
	var out []logKey
	seen := map[string]bool{}
	for _, i := range importsOf(t, dir) {
		if i.isTest() || seen[i.file] || i.path != "log/slog" {
			continue
		}
		seen[i.file] = true
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, filepath.Join(dir, i.file), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				for _, arg := range keysOfCall(call) {
					key, err := strconv.Unquote(arg.Value)
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, logKey{i.file, files.Position(arg.Pos()).Line, key})
				}
			}
			return true
		})
	}
	return out
}

// keysOfCall returns the constant keys of one call to a logger.
func keysOfCall(call *ast.CallExpr) []*ast.BasicLit {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	skip, ok := map[string]int{"Debug": 1, "Info": 1, "Warn": 1, "Error": 1, "With": 0, "Log": 3}[method.Sel.Name]
	if !ok || len(call.Args) < skip {
		return nil
	}
	var keys []*ast.BasicLit
	for n := skip; n < len(call.Args); n += 2 {
		key, ok := call.Args[n].(*ast.BasicLit)
		if !ok || key.Kind != token.STRING {
			return keys
		}
		if n+1 < len(call.Args) {
			keys = append(keys, key)
		}
	}
	return keys
}

// TestLogKeysAreListed compares docs/logging.md with the sources.
func TestLogKeysAreListed(t *testing.T) {
	t.Parallel()
	dir := root(t)
	rows := rowsOf(t, filepath.Join(dir, "docs", "logging.md"))
	if !slices.IsSorted(rows) {
		t.Errorf("docs/logging.md: keys are not sorted: %v", rows)
	}
	for _, k := range logKeysOf(t, dir) {
		if !slices.Contains(rows, k.key) {
			t.Errorf("%s:%d: log key %q is not in docs/logging.md", k.file, k.line, k.key)
		}
	}
}
