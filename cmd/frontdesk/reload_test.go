package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"frontdesk/config"
)

// TestRefusedReloadChangesNothing: whatever refuses a file refuses it before
// anything of it is in use.
func TestRefusedReloadChangesNothing(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test")
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("secret", "secret of this test, long enough for a key")
	write("secret.new", "another secret of this test, long enough")
	write("password", demoPassword)
	yaml := oneBrand(o, "One", "one.test", "letters_dir: letters\n")
	write("letters/en/acknowledgement.md", "Subject: hello\n\nhello\n")
	write("frontdesk.yaml", yaml)
	file := filepath.Join(folder, "frontdesk.yaml")
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	d, err := deskOf(t.Context(), cfg, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	dm, err := newDaemon(d, logger(io.Discard, cfg.Log))
	if err != nil {
		t.Fatal(err)
	}
	alone := strings.NewReplacer("asha@one.test, bikram@one.test", "asha@one.test", "  - {name: Bikram, email: bikram@one.test}\n", "").Replace(yaml)
	write("letters/en/acknowledgement.md", "Subject: {{.Nothing\n\nhello\n")
	for name, text := range map[string]string{
		"a broken letter":     alone,
		"other outbox":        alone + "outbox: {in_doubt: hold}\n",
		"other letters":       strings.Replace(alone, "letters_dir: letters\n", "", 1),
		"another secret":      strings.Replace(alone, "secret_file: secret\n", "secret_file: secret.new\nold_secret_files: [secret]\n", 1),
		"another data folder": strings.Replace(alone, "data_dir: data", "data_dir: elsewhere", 1),
	} {
		write("frontdesk.yaml", text)
		if err := dm.reload(t.Context(), file); err == nil {
			t.Errorf("%s: taken", name)
		}
		if n := len(dm.rules().Agents); n != 3 {
			t.Errorf("%s: refused, and %d agents are in use, want the old 3", name, n)
		}
	}
	write("letters/en/acknowledgement.md", "Subject: hello\n\nhello\n")
	write("frontdesk.yaml", alone)
	if err := dm.reload(t.Context(), file); err != nil || len(dm.rules().Agents) != 2 {
		t.Errorf("a good file: %v, %s", err, fmt.Sprint(dm.rules().Agents))
	}
}
