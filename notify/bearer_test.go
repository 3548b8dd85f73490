package notify

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/oauth"
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

func loggedIn(t *testing.T, p *testmail.OAuth, user string) *oauth.Account {
	t.Helper()
	shelf := &tokenShelf{}
	access, refresh := p.Grant(user, "mail")
	_ = shelf.Put(t.Context(), user, oauth.Token{Access: access, Refresh: refresh, Expires: time.Now().Add(time.Hour)}, time.Now())
	return oauth.NewAccount(oauth.Options{Name: user, Vault: shelf, App: oauth.App{
		Key: "oauth.mail", Provider: "example", Grant: oauth.GrantCode, ClientID: "desk", TokenURL: p.URL("token"), Scopes: []string{"mail"}}})
}

// TestTokensOnPostfix: both mechanisms log in to a real submission server and
// send. A token that it does not know any more is renewed once; of one that it
// never takes it is said what to do, and the letter waits.
func TestTokensOnPostfix(t *testing.T) {
	t.Parallel()
	p, err := testmail.NewOAuth("desk", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	r := testmail.StartOAuthRig(t, p)
	const user = "support@baleyo.test"
	dial := (&net.Dialer{}).DialContext
	for _, mechanism := range []string{oauth.XOAUTH2, oauth.OAuthBearer} {
		t.Run(mechanism, func(t *testing.T) {
			route := Route{Host: "localhost", Port: r.SubmissionPort(), TLS: "starttls", CAFile: r.CAFile(), Username: user,
				Mechanism: mechanism, Tokens: loggedIn(t, p, user), Timeout: 10 * time.Second}
			warn := func(text string) { t.Errorf("warned: %s", text) }
			s, err := open(t.Context(), dial, route, warn)
			if err != nil {
				t.Fatalf("%v\n%s", err, r.Log(10))
			}
			raw := []byte("From: support@baleyo.test\r\nTo: anna@cust.test\r\nSubject: by " + mechanism + "\r\nMessage-ID: <" + mechanism + "@baleyo.test>\r\n\r\nHello.\r\n")
			if _, err := s.send(envelope{from: user, to: "anna@cust.test"}, raw, time.Time{}, func() error { return nil }); err != nil {
				t.Fatal(err)
			}
			s.quit()
			r.Wait("anna@cust.test", 10*time.Second, "the letter", func(raw []byte) bool { return strings.Contains(string(raw), "Subject: by "+mechanism) })

			fetched := p.Count("refresh_token")
			p.Expire(user)
			if s, err = open(t.Context(), dial, route, warn); err != nil || p.Count("refresh_token") != fetched+1 {
				t.Fatalf("after the token was forgotten: %v, %d fetches\n%s", err, p.Count("refresh_token")-fetched, r.Log(10))
			}
			s.quit()
			p.Expire(user)
			_, err = open(t.Context(), dial, route, warn)
			var e *oauth.Error
			if !errors.As(err, &e) || e.Kind != oauth.KindRefused || !strings.Contains(err.Error(), "frontdesk mailbox login "+user) || !strings.Contains(err.Error(), `status "`) {
				t.Errorf("a token that is refused again: %v", err)
			}
			t.Log(err)
			route.Mechanism = "GSSAPI"
			if _, err = open(t.Context(), dial, route, warn); err == nil || !strings.Contains(err.Error(), "and not GSSAPI: set auth to what it offers") {
				t.Errorf("a mechanism that is not offered: %v", err)
			}
		})
	}
}
