package intake

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/oauth"
	"frontdesk/store/storetest"
)

// tokenShelf is a vault for one account in memory.
type tokenShelf struct {
	mu     sync.Mutex
	record oauth.Record
}

func (s *tokenShelf) Load(context.Context, string) (oauth.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record, nil
}

func (s *tokenShelf) Claim(_ context.Context, _ string, epoch int64, _, _ time.Time) (int64, error) {
	return epoch, nil
}

func (s *tokenShelf) Save(ctx context.Context, account string, _ int64, t oauth.Token, now time.Time) error {
	return s.Put(ctx, account, t, now)
}

func (s *tokenShelf) Failed(context.Context, string, int64, string, time.Time) error { return nil }

func (s *tokenShelf) Put(_ context.Context, _ string, t oauth.Token, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record = oauth.Record{Token: t, Refreshed: now, Epoch: s.record.Epoch + 1}
	return nil
}

func newProvider(t *testing.T) *testmail.OAuth {
	t.Helper()
	p, err := testmail.NewOAuth("desk", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// loggedIn is an account of a user that has logged in at p.
func loggedIn(t *testing.T, p *testmail.OAuth, user string) *oauth.Account {
	t.Helper()
	account, _ := loggedInWith(t, p, user)
	return account
}

// loggedInWith returns the vault, too.
func loggedInWith(t *testing.T, p *testmail.OAuth, user string) (*oauth.Account, *tokenShelf) {
	t.Helper()
	shelf := &tokenShelf{}
	access, refresh := p.Grant(user, "mail")
	_ = shelf.Put(t.Context(), user, oauth.Token{Access: access, Refresh: refresh, Expires: time.Now().Add(time.Hour)}, time.Now())
	return oauth.NewAccount(oauth.Options{Name: user, Vault: shelf, App: oauth.App{
		Key: "oauth.mail", Provider: "example", Grant: oauth.GrantCode, ClientID: "desk", TokenURL: p.URL("token"), Scopes: []string{"mail"}}}), shelf
}

// TestTokensOnDovecot: both mechanisms log in to a real server. A token that it
// does not know any more is renewed once; what it says of one that it never
// takes is told with what to do.
func TestTokensOnDovecot(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	r := testmail.StartOAuthRig(t, p)
	const user = "support@baleyo.test"
	for _, mechanism := range []string{oauth.XOAUTH2, oauth.OAuthBearer} {
		for _, port := range []struct {
			tls  string
			port int
		}{{"implicit", r.IMAPSPort()}, {"starttls", r.IMAPPort()}} {
			t.Run(mechanism+" "+port.tls, func(t *testing.T) {
				account := loggedIn(t, p, user)
				m := NewMailbox(MailboxOptions{
					Brand: "baleyo", Address: user, Host: "localhost", Port: port.port, TLS: port.tls, CAFile: r.CAFile(),
					Username: user, Mechanism: mechanism, Tokens: account, DB: storetest.SQLite(t), Command: 10 * time.Second,
				})
				if _, err := m.Poll(t.Context()); err != nil {
					t.Fatalf("%v\n%s", err, r.Log(10))
				}
				fetched := p.Count("refresh_token")
				p.Expire(user)
				if _, err := m.Poll(t.Context()); err != nil || p.Count("refresh_token") != fetched+1 {
					t.Fatalf("after the token was forgotten: %v, %d fetches\n%s", err, p.Count("refresh_token")-fetched, r.Log(10))
				}
				p.Expire(user)
				_, err := m.Poll(t.Context())
				var e *oauth.Error
				if !errors.As(err, &e) || e.Kind != oauth.KindRefused || !strings.Contains(err.Error(), "frontdesk mailbox login "+user) || !strings.Contains(err.Error(), `status "`) {
					t.Errorf("a token that is refused again: %v", err)
				}
				t.Log(err)
			})
		}
	}
	t.Run("wrong scope", func(t *testing.T) {
		p.SetScope("profile")
		defer p.SetScope("")
		m := NewMailbox(MailboxOptions{
			Brand: "baleyo", Address: user, Host: "localhost", Port: r.IMAPSPort(), TLS: "implicit", CAFile: r.CAFile(),
			Username: user, Mechanism: oauth.XOAUTH2, Tokens: loggedIn(t, p, user), DB: storetest.SQLite(t), Command: 10 * time.Second,
		})
		_, err := m.Poll(t.Context())
		var e *oauth.Error
		if !errors.As(err, &e) || e.Kind != oauth.KindScope || !strings.Contains(err.Error(), "grant it the scope mail") {
			t.Errorf("got %v\n%s", err, r.Log(10))
		}
		t.Log(err)
	})
	t.Run("not offered", func(t *testing.T) {
		m := NewMailbox(MailboxOptions{
			Brand: "baleyo", Address: user, Host: "localhost", Port: r.IMAPSPort(), TLS: "implicit", CAFile: r.CAFile(),
			Username: user, Mechanism: "GSSAPI", Tokens: loggedIn(t, p, user), DB: storetest.SQLite(t), Command: 10 * time.Second,
		})
		if _, err := m.Poll(t.Context()); err == nil || !strings.Contains(err.Error(), "localhost does not offer GSSAPI") {
			t.Errorf("got %v", err)
		}
	})
}

// TestTokenErrorIsKept: what mailbox list shows says what to do, and goes away
// when somebody has done it, without a restart.
func TestTokenErrorIsKept(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const user = "support@example.com"
	server, err := testmail.NewIMAP(testmail.IMAPOptions{Users: map[string]string{user: "not-this-way"}, Tokens: p})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	account, shelf := loggedInWith(t, p, user)
	db := storetest.SQLite(t)
	p.Revoke(user)
	m := NewMailbox(MailboxOptions{Brand: "example", Address: user, Host: "127.0.0.1", Port: server.Port(), TLS: "none",
		Username: user, Mechanism: oauth.OAuthBearer, Tokens: account, DB: db, Poll: time.Second})
	m.backoff = func(int) time.Duration { return 20 * time.Millisecond }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	defer func() { cancel(); <-done }()
	kept := func(want string) {
		t.Helper()
		deadline := time.Now().Add(20 * time.Second)
		for {
			c, err := db.Cursor(t.Context(), user, "INBOX")
			if err == nil && (want == "" && c.Error == "" && !c.Polled.IsZero() || want != "" && strings.Contains(c.Error, want)) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("kept: %q, %v, want %q", c.Error, err, want)
			}
			<-time.After(20 * time.Millisecond)
		}
	}
	kept("log in again: frontdesk mailbox login " + user)
	access, refresh := p.Grant(user, "mail")
	_ = shelf.Put(t.Context(), user, oauth.Token{Access: access, Refresh: refresh, Expires: time.Now().Add(time.Hour)}, time.Now())
	kept("")
}
