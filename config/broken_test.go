package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBrokenConfigurations: each file of testdata/broken is named after its
// mistake; .want lists every finding.
func TestBrokenConfigurations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := openFolder(t)
			mustWrite(t, filepath.Join(dir, "open.secret"), strings.Repeat("s", 40), 0o644)
			mustWrite(t, filepath.Join(dir, "short.secret"), "too short", 0o600)
			mustWrite(t, filepath.Join(dir, "empty.secret"), "\n", 0o600)
			mustWrite(t, filepath.Join(dir, "copy.secret"), strings.Repeat("s", 40)+"\n", 0o600)
			mustWrite(t, filepath.Join(dir, "blank-first"), " hunter2\n", 0o600)
			mustWrite(t, filepath.Join(dir, "blank-last"), "hunter2 \n", 0o600)
			mustWrite(t, filepath.Join(dir, "blank-within"), "hun ter2\n", 0o600)
			mustWrite(t, filepath.Join(dir, "two-lines"), "hunter2\n\n", 0o600)
			mustWrite(t, filepath.Join(dir, "two-words"), "hun\nter2", 0o600)
			mustWrite(t, filepath.Join(dir, "marked"), "\uFEFFhunter2\r\n", 0o600)
			mustWrite(t, filepath.Join(dir, "escaped"), "hunter2\x1b", 0o600)
			_, findings := loadText(t, dir, string(text), nil)
			if len(findings) == 0 {
				t.Fatal("no finding")
			}
			got := strings.ReplaceAll(findings.Error()+"\n", dir+"/", "")
			if strings.Contains(got, "hunter2") {
				t.Errorf("leaks a password: %s", got)
			}
			mustGolden(t, strings.TrimSuffix(file, ".yaml")+".want", got)
		})
	}
}
