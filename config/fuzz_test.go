package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// FuzzLoad: any text gives a configuration or findings, each with a line of the
// file, and never a panic. The machine behind it holds one secret file.
func FuzzLoad(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	broken, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range append(seeds, broken...) {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add(Sample())
	machine := fstest.MapFS{"secret": {Data: []byte(strings.Repeat("s", 40)), Mode: 0o600}}
	inside := func(name string) string { return strings.TrimPrefix(name, "/etc/desk/") }
	f.Fuzz(func(t *testing.T, text []byte) {
		l := &loader{
			file:     "/etc/desk/frontdesk.yaml",
			env:      func(name string) (string, bool) { return "value", name == "SET" },
			stat:     func(name string) (os.FileInfo, error) { return machine.Stat(inside(name)) },
			readFile: func(name string) ([]byte, error) { return machine.ReadFile(inside(name)) },
		}
		cfg := l.parse(text)
		if cfg == nil && len(l.findings) == 0 {
			t.Fatal("neither a configuration nor a finding")
		}
		lines := strings.Count(string(text), "\n") + strings.Count(string(text), "\r") + 1
		for _, finding := range l.findings.sorted() {
			if finding.Reason == "" || finding.Line < 1 || finding.Line > lines {
				t.Errorf("finding without a place or reason (%d lines): %+v", lines, finding)
			}
		}
	})
}
