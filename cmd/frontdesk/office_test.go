package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"frontdesk/config"
	"frontdesk/internal/testmail"
	"frontdesk/parser"
	"frontdesk/store"
)

// These helpers run whole desks in this process against one provider, the way
// the demo does: real IMAP and SMTP connections, real database, no shortcut.

// openOffice starts a provider with the users, all with the demo's password.
func openOffice(t *testing.T, users ...string) *testmail.Office {
	t.Helper()
	passwords := map[string]string{}
	for _, u := range users {
		passwords[u] = demoPassword
	}
	o, err := testmail.NewOffice("mx.office.test", passwords)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

// liveDesk is a running daemon.
type liveDesk struct {
	t      *testing.T
	office *testmail.Office
	*desk
	daemon    *daemon
	mailboxes []string
	stop      func()
	sweepNow  func(context.Context) error // what the clockwork does at its next tick
	reload    func(yaml string) error     // SIGHUP with another file
	admin     http.Handler                // what http.admin_listen serves
	pages     http.Handler                // what http.listen serves
}

// oneBrand is a desk named name that answers at support@domain; agents are
// asha@domain and bikram@domain, chandra@domain supervises. more is appended.
func oneBrand(o *testmail.Office, name, domain, more string) string {
	return fmt.Sprintf(`data_dir: data
secret_file: secret
http: {public_url: "", admin_listen: ""}
brands:
  one:
    name: %[1]s
    mailboxes:
      - address: support@%[2]s
        imap: {host: 127.0.0.1, port: %[3]d, tls: none, username: support@%[2]s, password_file: password}
        smtp: {host: 127.0.0.1, port: %[4]d, tls: none, username: support@%[2]s, password_file: password}
        trusted_authserv_ids: [mx.office.test]
queues:
  support: {team: first, tiers: [first]}
teams:
  first: {members: [asha@%[2]s, bikram@%[2]s]}
agents:
  - {name: Asha, email: asha@%[2]s}
  - {name: Bikram, email: bikram@%[2]s}
  - {name: Chandra, email: chandra@%[2]s, role: supervisor}
%[5]s`, name, domain, o.IMAP.Port(), o.SMTP.Port(), more)
}

// openDeskAt starts a daemon with that configuration in a folder of its own.
func openDeskAt(t *testing.T, o *testmail.Office, yaml string) *liveDesk {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{"frontdesk.yaml": yaml, "secret": "secret of " + folder + ", long enough for a key", "password": demoPassword} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := config.Load(filepath.Join(folder, "frontdesk.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := deskOf(t.Context(), cfg, true)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	dm, err := newDaemon(d, logger(&log, cfg.Log))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	up, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- dm.run(ctx, func() { close(up) }, func() {}) }()
	select {
	case <-up:
	case err := <-ended:
		t.Fatalf("the desk did not start: %v\n%s", err, log.String())
	}
	l := &liveDesk{t: t, office: o, desk: d, daemon: dm, sweepNow: dm.sweep.Pass, admin: dm.admin(), pages: dm.public()}
	l.reload = func(yaml string) error {
		if err := os.WriteFile(filepath.Join(folder, "frontdesk.yaml"), []byte(yaml), 0o600); err != nil {
			return err
		}
		return dm.reload(t.Context(), filepath.Join(folder, "frontdesk.yaml"))
	}
	for _, b := range cfg.Brands {
		for _, m := range b.Mailboxes {
			l.mailboxes = append(l.mailboxes, m.Address)
		}
	}
	l.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the desk did not end well: %v", err)
		}
		if t.Failed() {
			t.Logf("log of %s:\n%s", cfg.Brands[0].Name, log.String())
		}
	}
	t.Cleanup(func() { l.stop() })
	return l
}

// mailText makes a mail; fields are lines without CRLF.
func mailText(body string, fields ...string) []byte {
	return []byte(strings.Join(fields, "\r\n") + "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + strings.ReplaceAll(body, "\n", "\r\n") + "\r\n")
}

// post submits a mail as user, who is logged in; from is the From field.
func post(t *testing.T, o *testmail.Office, user, from, to string, raw []byte) {
	t.Helper()
	raw = append([]byte(fmt.Sprintf("From: %s\r\nTo: %s\r\n", from, to)), raw...)
	if err := o.Send(user, demoPassword, []string{to}, raw); err != nil {
		t.Fatalf("send as %s to %s: %v", user, to, err)
	}
}

// waitMail returns the first mail of a user's inbox that ok accepts.
func waitMail(t *testing.T, o *testmail.Office, user, what string, ok func(*parser.Mail) bool) *parser.Mail {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var got *parser.Mail
	_, err := o.IMAP.Wait(ctx, user, "INBOX", func(m testmail.Mail) bool {
		got = parser.Parse(m.Raw, parser.Options{})
		return ok(got)
	})
	if err != nil {
		t.Fatalf("%s did not reach %s: %v\nthere is: %s", what, user, err, strings.Join(subjects(t, o, user), " | "))
	}
	return got
}

func subject(part string) func(*parser.Mail) bool {
	return func(m *parser.Mail) bool { return strings.Contains(m.Subject, part) }
}

func text(part string) func(*parser.Mail) bool {
	return func(m *parser.Mail) bool { return strings.Contains(m.Text, part) }
}

// inboxOf parses all mails of a user.
func inboxOf(t *testing.T, o *testmail.Office, user string) []*parser.Mail {
	t.Helper()
	mails, err := o.IMAP.Mails(user, "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	var out []*parser.Mail
	for _, m := range mails {
		out = append(out, parser.Parse(m.Raw, parser.Options{}))
	}
	return out
}

func subjects(t *testing.T, o *testmail.Office, user string) []string {
	t.Helper()
	var out []string
	for _, m := range inboxOf(t, o, user) {
		out = append(out, m.Subject)
	}
	return out
}

// settle waits until every mail in the desks' mailboxes is decided and every
// letter has left, and answers have stopped coming. busy, when not nil, says
// that somebody outside still has something to do.
func settle(t *testing.T, busy func() bool, desks ...*liveDesk) {
	t.Helper()
	limit := time.Now().Add(60 * time.Second)
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for quiet := 0; quiet < 3; {
		if time.Now().After(limit) {
			t.Fatal("the desks do not come to rest")
		}
		<-tick.C
		quiet++
		if busy != nil && busy() {
			quiet = 0
		}
		for _, d := range desks {
			if !d.idle() {
				quiet = 0
			}
		}
	}
}

func (d *liveDesk) idle() bool {
	ctx := d.t.Context()
	tally, err := d.db.Tally(ctx, "")
	if err != nil || tally.Undecided > 0 {
		return false
	}
	outbox, err := d.db.OutboxTally(ctx)
	if err != nil || outbox[store.LetterDot] > 0 || outbox[store.LetterQueued] > 0 {
		return false
	}
	there := 0
	for _, m := range d.mailboxes {
		mails, err := d.office.IMAP.Mails(m, "INBOX")
		if err != nil {
			return false
		}
		there += len(mails)
	}
	return there == tally.Total
}
