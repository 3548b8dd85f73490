package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/config"
	"frontdesk/internal/testmail"
	"frontdesk/oauth"
	"frontdesk/store"
	"frontdesk/store/storetest"
)

// TestNodesShareALogin: three nodes on one database, with eight that want a
// token at once each, over several expiries. The provider ends the login when a
// refresh token is used twice; it sees each once.
func TestNodesShareALogin(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		p, err := testmail.NewOAuth("desk", "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close() })
		p.SetTTL(time.Minute)
		app := oauth.App{Key: "oauth.mail", Provider: "example", Grant: oauth.GrantCode, ClientID: "desk", TokenURL: p.URL("token"), Scopes: []string{"mail"}}
		var mu sync.Mutex
		clock := time.Now()
		at := func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
		var nodes []*oauth.Account
		for range 3 {
			nodes = append(nodes, oauth.NewAccount(oauth.Options{Name: "support@example.com", App: app, Vault: vault{open(), app}, Now: at}))
		}
		access, refresh := p.Grant("support@example.com", "mail")
		if err := (vault{open(), app}).Put(t.Context(), "support@example.com", oauth.Token{Access: access, Refresh: refresh, Expires: at()}, at()); err != nil {
			t.Fatal(err)
		}
		const rounds = 4
		for round := range rounds {
			var wait sync.WaitGroup
			seen := make([]string, 24)
			for i := range seen {
				wait.Go(func() {
					var err error
					if seen[i], err = nodes[i%3].Token(t.Context()); err != nil {
						t.Errorf("round %d: %v", round, err)
					}
				})
			}
			wait.Wait()
			for _, s := range seen {
				if s != seen[0] || s == access {
					t.Fatalf("round %d: not one new token: %q", round, seen)
				}
			}
			access = seen[0]
			mu.Lock()
			clock = clock.Add(70 * time.Second)
			mu.Unlock()
		}
		if p.Count("refresh_token") != rounds || p.Count("reused") != 0 {
			t.Errorf("%d fetches, %d tokens used again", p.Count("refresh_token"), p.Count("reused"))
		}
	})
}

// TestReloadKeepsAccounts: a reload makes a new account only where the app
// changed, so that connections and what is waited for survive the others.
func TestReloadKeepsAccounts(t *testing.T) {
	t.Parallel()
	a := newAccounts(nil)
	m := config.Mailbox{Address: "support@example.com", OAuth: "mail", SMTP: config.SMTP{Auth: config.AuthXOAuth2}}
	cfg := func(secret string) *config.Config {
		return &config.Config{OAuth: []config.OAuthApp{{ID: "mail", Provider: config.ProviderGoogle, Grant: config.GrantCode, ClientID: "desk", ClientSecret: config.NewSecret(secret)}}}
	}
	first := a.of(cfg("one"), m)
	if a.of(cfg("one"), m) != first {
		t.Error("the same app makes a new account")
	}
	second := a.of(cfg("two"), m)
	if second == first {
		t.Error("a new secret does not reach the account")
	}
	m.SMTP.Auth = config.AuthPassword
	if a.of(cfg("two"), m) != nil {
		t.Error("a password makes an account")
	}
}

// TestProvidersByName: what a few words of the configuration stand for.
func TestProvidersByName(t *testing.T) {
	t.Parallel()
	google := appOf(config.OAuthApp{ID: "g", Provider: config.ProviderGoogle, Grant: config.GrantCode, ClientID: "x"})
	if google.TokenURL != "https://oauth2.googleapis.com/token" || google.Scopes[0] != "https://mail.google.com/" || google.Params["access_type"] != "offline" {
		t.Errorf("google: %+v", google)
	}
	person := appOf(config.OAuthApp{ID: "m", Provider: config.ProviderMicrosoft, Grant: config.GrantCode, ClientID: "x"})
	if person.AuthURL != "https://login.microsoftonline.com/common/oauth2/v2.0/authorize" || len(person.Scopes) != 3 {
		t.Errorf("microsoft: %+v", person)
	}
	itself := appOf(config.OAuthApp{ID: "m", Provider: config.ProviderMicrosoft, Grant: config.GrantCredentials, Tenant: "example.onmicrosoft.com", ClientID: "x"})
	if itself.TokenURL != "https://login.microsoftonline.com/example.onmicrosoft.com/oauth2/v2.0/token" || itself.Scopes[0] != "https://outlook.office365.com/.default" {
		t.Errorf("microsoft, by itself: %+v", itself)
	}
	own := appOf(config.OAuthApp{ID: "c", Provider: config.ProviderMicrosoft, Grant: config.GrantCode, ClientID: "x", TokenURL: "https://login.example.com/t", Scopes: []string{"mail"}})
	if own.TokenURL != "https://login.example.com/t" || own.Scopes[0] != "mail" || own.DeviceURL == "" {
		t.Errorf("with addresses of its own: %+v", own)
	}
}

// TestSecretIsForetold: from thirty days before, and after the last day.
func TestSecretIsForetold(t *testing.T) {
	t.Parallel()
	day := func(text string) *config.Day {
		d, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return &config.Day{Time: d}
	}
	now := time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)
	for until, want := range map[string]string{
		"2027-10-05": "", "2026-11-05": "",
		"2026-11-04": "the client secret expires in 30 days",
		"2026-10-06": "the client secret expires in 1 day",
		"2026-10-05": "the client secret expires today",
		"2026-10-04": "the client secret has expired on 2026-10-04",
	} {
		if got := secretEnds(config.OAuthApp{SecretExpires: day(until)}, now); got != want {
			t.Errorf("%s: got %q, want %q", until, got, want)
		}
	}
	if secretEnds(config.OAuthApp{}, now) != "" {
		t.Error("a secret of which nothing is known is foretold")
	}
}

// TestEndsAreWatched: the alerts of a daemon are told of a secret and of a login
// that end, with what to type; of a mailbox with passwords there is nothing.
func TestEndsAreWatched(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	yaml := `data_dir: data
secret_file: secret
http: {admin_listen: ""}
oauth:
  mail: {provider: microsoft, client_id: x, client_secret_file: app.secret, secret_expires: ` + time.Now().UTC().AddDate(0, 0, 5).Format(time.DateOnly) + `}
  idle: {provider: google, client_id: x, client_secret_file: app.secret, secret_expires: 2020-01-01}
brands:
  one:
    name: One
    mailboxes:
      - {address: support@one.test, oauth: mail, imap: {host: 127.0.0.1, tls: none, username: support@one.test, auth: xoauth2}, smtp: {host: 127.0.0.1, tls: none, username: support@one.test, auth: xoauth2}}
      - {address: sales@one.test, imap: {host: 127.0.0.1, tls: none, password_file: app.secret}, smtp: {host: 127.0.0.1, tls: none}}
agents: [{email: asha@one.test}]
`
	for name, text := range map[string]string{"frontdesk.yaml": yaml, "secret": "a secret of tests, forty characters long", "app.secret": "app-secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := config.Load(filepath.Join(dir, "frontdesk.yaml"))
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
	if err := d.db.PutLogin(t.Context(), store.Login{Account: "support@one.test", Ends: time.Now().Add(20 * time.Hour), Since: time.Now()}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, watch := range dm.alertOptions().Watch {
		for _, c := range watch(t.Context(), time.Now()) {
			got = append(got, c.Key+": "+c.Text+" "+c.Hint)
		}
	}
	want := []string{
		"login support@one.test: The login of support@one.test at microsoft ends within a day. Then mail of support@one.test waits on its server and their letters in the outbox; none is lost. frontdesk mailbox login support@one.test",
		"secret oauth.mail: The client secret of oauth.mail ends within 7 days: on " + cfg.OAuth[0].SecretExpires.String() + ". Then mail of support@one.test waits on its server and their letters in the outbox; none is lost. make a new one at entra.microsoft.com, write it into \"app.secret\" (client_secret_file of oauth.mail), set secret_expires of oauth.mail to its last day, then: systemctl reload frontdesk",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
