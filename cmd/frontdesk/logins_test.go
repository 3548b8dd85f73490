package main

import (
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
