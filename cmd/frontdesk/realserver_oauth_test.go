package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"frontdesk/internal/testmail"
)

const tokenUser = "support@baleyo.test"

// tokenConfig serves one mailbox with tokens both ways.
func tokenConfig(r *testmail.Rig, p *testmail.OAuth) string {
	return fmt.Sprintf(`data_dir: data
database: sqlite
secret_file: secret
http: {public_url: "", admin_listen: ""}
acknowledge: {per_sender_hour: 100, per_sender_day: 100}
oauth:
  mail:
    provider: custom
    client_id: desk
    client_secret_file: app.secret
    auth_url: %[1]s
    token_url: %[2]s
    scopes: [mail]
brands:
  baleyo:
    name: Baleyo
    mailboxes:
      - address: support@baleyo.test
        imap: {host: localhost, port: %[3]d, ca_file: %[4]s, auth: xoauth2}
        smtp: {host: localhost, port: %[5]d, tls: starttls, ca_file: %[4]s, auth: oauthbearer}
        trusted_authserv_ids: [%[6]s]
agents:
  - {name: Asha, email: asha@baleyo.test}
`, p.URL("authorize"), p.URL("token"), r.IMAPSPort(), r.CAFile(), r.SubmissionPort(), testmail.RigHost)
}

// tokenDesk is a desk whose mailbox takes tokens, on real servers.
type tokenDesk struct {
	*realDesk
	t *testing.T
	r *testmail.Rig
	p *testmail.OAuth
}

// cut ends what the desk has open, so that it has to log in again, both ways.
func (d *tokenDesk) cut() {
	d.r.Kick(tokenUser)
	d.r.Stop("postfix")
	d.r.Start("postfix")
}

// trouble waits until the mailbox's error matches, and returns it.
func (d *tokenDesk) trouble(pattern string) string {
	d.t.Helper()
	said, want := "", regexp.MustCompile(pattern)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if said = d.json("mailbox", "list")[0]["error"].(string); want.MatchString(said) {
			return said
		}
		<-time.After(50 * time.Millisecond)
	}
	d.t.Fatalf("mailbox list says %q, want %s", said, pattern)
	return ""
}

// obey runs the command that an error names, letter by letter.
func (d *tokenDesk) obey(said string) {
	d.t.Helper()
	command := regexp.MustCompile(`frontdesk (mailbox login \S+)$`).FindStringSubmatch(said)
	if command == nil {
		d.t.Fatalf("no command at the end of %q", said)
	}
	out, err := d.run(strings.Fields(command[1])...)
	if err != nil || strings.Count(out, "\nok ") != 2 {
		d.t.Fatalf("%s: %v\n%s", command[0], err, out)
	}
}

func (d *tokenDesk) write(file, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.Dir, file), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// TestTokensEndAndComeBack: whatever happens to the tokens of a mailbox on real
// servers, either mail flows again by itself, or the error says exactly what to
// do, and when that is done mail flows again without a restart. No mail that
// came meanwhile is lost, and no refresh token is ever used twice.
func TestTokensEndAndComeBack(t *testing.T) {
	t.Parallel()
	p, err := testmail.NewOAuth("desk", "app-secret")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	r := testmail.StartOAuthRig(t, p)
	real := newDeskProcess(t, map[string]string{
		"frontdesk.yaml": tokenConfig(r, p), "secret": "a secret of tests, forty characters long", "app.secret": "app-secret"})
	real.Env = []string{"BROWSER=follow"}
	d := &tokenDesk{real, t, r, p}

	for _, c := range []struct {
		name   string
		breaks func()
		says   string // what mailbox list says; "" it heals before anybody looks
		heals  func(said string)
	}{
		{"nobody logged in", func() {}, `^nobody has logged in to .* yet\nhint: run: frontdesk mailbox login support@baleyo.test$`, d.obey},
		{"expired", func() { p.Expire(tokenUser) }, "", nil},
		{"short and rotated", func() { p.SetTTL(time.Second); p.Expire(tokenUser) }, "", func(string) {
			for range 3 {
				<-time.After(600 * time.Millisecond) // half of its time and more: the next login fetches
				d.cut()
			}
			p.SetTTL(time.Hour)
		}},
		{"revoked", func() { p.Revoke(tokenUser) }, `has ended \(invalid_grant: Token has been expired or revoked\.\)\nhint: log in again: frontdesk mailbox login support@baleyo.test$`, d.obey},
		{"slow", func() { p.SetMode(testmail.OAuthSlow); p.Revoke("nobody"); p.Expire(tokenUser) }, "", func(string) {
			for p.Count("slow") == 0 {
				<-time.After(10 * time.Millisecond)
			}
			p.SetMode(testmail.OAuthWell)
		}},
		{"500", func() { p.SetMode(testmail.OAuth500); p.Expire(tokenUser) }, `gives no token now \(500 Internal Server Error\)\nhint: it is tried again by itself`,
			func(string) { p.SetMode(testmail.OAuthWell) }},
		{"wrong scope", func() { p.SetScope("profile"); p.Expire(tokenUser) }, `(?s)granted were profile; .*\nhint: grant it the scope mail there, then: frontdesk mailbox login support@baleyo.test$`,
			func(said string) { p.SetScope(""); d.obey(said) }},
		{"secret expired", func() { p.SetSecret("app-secret of next year"); p.Expire(tokenUser) },
			`(?s)invalid_client: AADSTS7000222: .*\nhint: .* write it into "app.secret" \(client_secret_file of oauth.mail\), then: systemctl reload frontdesk$`,
			func(string) {
				d.write("app.secret", "app-secret of next year")
				if err := syscall.Kill(d.PID(), syscall.SIGHUP); err != nil { // what systemctl reload does
					t.Error(err)
				}
			}},
	} {
		ok := t.Run(c.name, func(t *testing.T) {
			d.t = t
			d.r = r.For(t)
			d.realDesk = real.commandsFor(t)
			real.mustStart() // a desk that failed a minute ago waits longer than a test should
			d.realDesk = real
			c.breaks()
			d.cut()
			id := fmt.Sprintf("<%d@cust.test>", time.Now().UnixNano())
			d.r.Send("anna@cust.test", []string{tokenUser}, mailText("The printer shows an error.", "From: Anna <anna@cust.test>", "To: "+tokenUser,
				"Subject: printer, "+c.name, "Message-ID: "+id))
			said := ""
			if c.says != "" {
				said = d.trouble(c.says)
			}
			if c.heals != nil {
				c.heals(said)
			}
			d.r.Wait("anna@cust.test", 40*time.Second, "acknowledgement", func(raw []byte) bool {
				return strings.Contains(string(raw), "In-Reply-To: "+id)
			})
			d.trouble("^$")
			if err := real.stop(); err != nil {
				t.Errorf("the daemon ended with %v", err)
			}
		})
		if !ok {
			return
		}
	}
	if n := p.Count("reused"); n != 0 {
		t.Errorf("%d refresh tokens were used again", n)
	}
	for _, rec := range real.json("reconcile") {
		if rec["server"] != 8.0 || rec["ledger"] != 8.0 || rec["undecided"] != 0.0 {
			t.Errorf("reconcile: %v", rec)
		}
	}
	if out, err := real.run("doctor"); err != nil || !strings.Contains(out, "ok logins") {
		t.Errorf("doctor: %v\n%s", err, out)
	}
}
