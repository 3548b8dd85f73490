package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/config"
	"frontdesk/store"
)

// TestMailboxListShowsErrorsWhole: errors were cut at 80 characters, before what
// to do about them.
func TestMailboxListShowsErrorsWhole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetOut(&out)
	wrong := "log in as support@example.com: XOAUTH2: the token of oauth.mail is refused by imap.example.com (status 400; wants scope mail)\nhint: frontdesk mailbox login support@example.com"
	since := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	day := config.Day{Time: time.Now().AddDate(0, 0, 12)}
	boxes := []mailboxJSON{
		{Address: "support@example.com", Error: wrong},
		{Address: "sales@example.com", Error: "no answer for 1m0s"},
		{Address: "care@example.com", Login: &loginJSON{Provider: "microsoft", Error: "x\x1b[31m", app: config.OAuthApp{SecretExpires: &day}, login: store.Login{Since: since, Failed: since, Ends: time.Now().Add(100 * time.Hour)}}},
	}
	if err := printRows(cmd, false, boxes, mailboxJSON.whole, mailboxColumns()...); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	for _, want := range []string{
		"refused by imap.example.com (status 400; wants scope mail)\n    hint: frontdesk mailbox login support@example.com\nsales@example.com ",
		" no answer for 1m0s\ncare@example.com ",
		"; the client secret expires in 12 days; the login ends in 4 days\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	lines := strings.Split(got, "\n")
	if at := strings.Index(lines[0], "ERROR"); at < 0 || lines[1][at:] != below || strings.Contains(got, "\x1b") {
		t.Errorf("columns do not stand below their heads:\n%s", got)
	}
}
