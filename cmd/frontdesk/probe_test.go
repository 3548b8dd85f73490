package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"frontdesk/config"
	"frontdesk/internal/testmail"
)

func TestProbePostgresTellsNoPassword(t *testing.T) {
	t.Parallel()
	closed, port := listenLoopback(t)
	closed.Close()
	for _, url := range []string{
		fmt.Sprintf("postgres://u:hunter2@127.0.0.1:%d/desk?sslmode=disable", port),
		fmt.Sprintf("postgres://u@127.0.0.1:%d/desk?password=hunter2", port),
		"postgres://u:hunter2@127.0.0.1:none/desk",
	} {
		_, err := probePostgres(t.Context(), url)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	}
}

func TestProbeSQLite(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "100% sure? #1") // a URI would cut it short
	if found, err := probeSQLite(t.Context(), dir); err != nil || !strings.Contains(found, "will be made") {
		t.Errorf("no folder yet: %q, %v", found, err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the probe made the folder")
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "frontdesk.db")
	db, err := sql.Open("sqlite", "file:"+uriPath(file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (x)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if found, err := probeSQLite(t.Context(), dir); err != nil || found != file+", tables=1" {
		t.Errorf("database: %q, %v", found, err)
	}
	if err := os.WriteFile(file, []byte("this is not a database, however long it may be"), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := probeSQLite(t.Context(), dir); err == nil {
		t.Errorf("no database: %q", found)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("the probe left something: %v, %v", left, err)
	}
}

// TestProbeSMTPWithoutLogin: a relay on this machine that asks for no login is
// well, as it is for the sender, even where a username is configured.
func TestProbeSMTPWithoutLogin(t *testing.T) {
	t.Parallel()
	s, err := testmail.NewSMTP(testmail.SMTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	found, err := probeSMTP(t.Context(), config.SMTP{Host: "127.0.0.1", Port: s.Port(), TLS: config.TLSNone, Username: "support@one.test", Password: config.NewSecret("x")})
	if err != nil || !strings.Contains(found, "offers no login") {
		t.Errorf("got %q, %v", found, err)
	}
}
