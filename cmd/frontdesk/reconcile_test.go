package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// openFilledIMAP starts a mail server in memory whose inbox holds mails.
func openFilledIMAP(t *testing.T, user, password string, mails ...string) int {
	t.Helper()
	l, port := listenLoopback(t)
	memory := imapmemserver.New()
	account := imapmemserver.NewUser(user, password)
	if err := account.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	for _, m := range mails {
		raw := bytes.NewReader([]byte(strings.ReplaceAll(m, "\n", "\r\n")))
		if _, err := account.Append("INBOX", raw, &imap.AppendOptions{Time: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	memory.AddUser(account)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return memory.NewSession(), nil, nil
		},
		InsecureAuth: true,
	})
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return port
}

// mustRun runs one command line in this process.
func mustRun(t *testing.T, wantCode int, args ...string) (stdout string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &out, &errs); code != wantCode {
		t.Fatalf("frontdesk %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, wantCode, out.String(), errs.String())
	}
	return out.String()
}

// TestReconcileFindsWhatIsMissing: the sums agree only after the mails of the
// server were taken.
func TestReconcileFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	mail := "From: maria@keller.example\nTo: support@example.com\nSubject: Printer %d\nMessage-ID: <%d@keller.example>\n\nIt is off.\n"
	port := openFilledIMAP(t, "support@example.com", "hunter2", fmt.Sprintf(mail, 1, 1), fmt.Sprintf(mail, 2, 2))
	cfg := mustConfig(t, port, 1, "INBOX")

	if got, want := mustRun(t, exitFailed, "reconcile", "--config", cfg.Path), "support@example.com: server=2 ledger=0 undecided=0 missing=[1 2]\n"; got != want {
		t.Errorf("before: got %q, want %q", got, want)
	}
	if got, want := mustRun(t, exitDone, "mailbox", "poll", "--config", cfg.Path, "support@example.com"), "support@example.com: added=2\n"; got != want {
		t.Errorf("poll: got %q, want %q", got, want)
	}
	if got, want := mustRun(t, exitDone, "reconcile", "--config", cfg.Path), "support@example.com: server=2 ledger=2 undecided=2\n"; got != want {
		t.Errorf("polled: got %q, want %q", got, want)
	}
	mustRun(t, exitDone, "decide", "--config", cfg.Path)
	if got, want := mustRun(t, exitDone, "reconcile", "--config", cfg.Path, "--mailbox", "support@example.com"), "support@example.com: server=2 ledger=2 undecided=0 message=2\n"; got != want {
		t.Errorf("decided: got %q, want %q", got, want)
	}
	if got, want := mustRun(t, exitDone, "reconcile", "--config", cfg.Path, "--json"), `"server":2,"ledger":2,"undecided":0,"rows":2,"by_disposition":{"message":2}}`; !strings.Contains(got, want) {
		t.Errorf("json: got %q, want %q in it", got, want)
	}
	if list := mustRun(t, exitDone, "mailbox", "list", "--config", cfg.Path); !strings.Contains(list, "imap") {
		t.Errorf("mailbox list:\n%s", list)
	}
}

// TestReconcileOverADeadLine: a server that takes the connection and says nothing
// is one that cannot be read, soon, and the ledger's side is told all the same.
func TestReconcileOverADeadLine(t *testing.T) {
	t.Parallel()
	l, port := listenLoopback(t)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
	cfg := mustConfig(t, port, 1, "INBOX")
	began := time.Now()
	out := mustRun(t, exitFailed, "reconcile", "--config", cfg.Path, "--timeout", "300ms")
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	for _, want := range []string{"support@example.com: cannot be read: connect to imap server 127.0.0.1:", "no answer for 300ms; rows=0", "\nhint: "} {
		if !strings.Contains(out, want) {
			t.Errorf("got %q, want %q in it", out, want)
		}
	}
	if got, want := mustRun(t, exitFailed, "reconcile", "--json", "--config", cfg.Path, "--timeout", "300ms"), `no answer for 300ms"`; !strings.Contains(got, want) {
		t.Errorf("json: got %q, want %q in it", got, want)
	}
	mustRun(t, exitUsage, "reconcile", "--config", cfg.Path, "--timeout", "0s")
}
