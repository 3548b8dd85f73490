package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestPlainFile: files of an export lie where they belong, whatever they are called.
func TestPlainFile(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", ".", "..", "../../etc/passwd", `..\..\windows\system.ini`, "/etc/passwd", `C:\x`, "a\r\nb", "a\x00b", "a\x7f\u0085b", "\u202egpj.exe", "a\u2066b",
		strings.Repeat("ü", 300) + ".pdf", "bad\xff.txt", "...", "a:b|c?*",
	} {
		got := plainFile(name)
		if got == "" || got != filepath.Base(got) || !filepath.IsLocal(got) || strings.ContainsAny(got, "/\\:\r\n\x00\x7f\u0085\u202e\u2066") || len([]rune(got)) > 80 {
			t.Errorf("%q becomes %q", name, got)
		}
	}
}
