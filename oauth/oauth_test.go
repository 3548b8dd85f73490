package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/internal/testmail"
)

// shelf is a vault in memory with the rules of the real one.
type shelf struct {
	mu      sync.Mutex
	records map[string]Record
	why     map[string]string
	broken  error // what Save returns
}

func newShelf() *shelf { return &shelf{records: map[string]Record{}, why: map[string]string{}} }

func (s *shelf) Load(_ context.Context, account string) (Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records[account], nil
}

func (s *shelf) Claim(_ context.Context, account string, epoch int64, now, until time.Time) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[account]
	if r.Epoch != epoch || r.ClaimedUntil.After(now) {
		return 0, ErrLost
	}
	r.Epoch, r.ClaimedUntil = r.Epoch+1, until
	s.records[account] = r
	return r.Epoch, nil
}

func (s *shelf) Save(_ context.Context, account string, claimed int64, t Token, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	if s.records[account].Epoch != claimed {
		return ErrLost
	}
	s.records[account] = Record{Token: t, Refreshed: now, Epoch: claimed + 1}
	delete(s.why, account)
	return nil
}

func (s *shelf) Failed(_ context.Context, account string, claimed int64, why string, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[account]
	if r.Epoch != claimed {
		return ErrLost
	}
	r.Epoch, r.ClaimedUntil = claimed+1, time.Time{}
	s.records[account], s.why[account] = r, why
	return nil
}

func (s *shelf) Put(_ context.Context, account string, t Token, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[account] = Record{Token: t, Refreshed: now, Epoch: s.records[account].Epoch + 1}
	return nil
}

const box = "support@example.org"

// bench is a provider, a vault, a clock, and an account that has logged in.
type bench struct {
	t     *testing.T
	p     *testmail.OAuth
	shelf *shelf
	mu    sync.Mutex
	clock time.Time
	*Account
}

func newBench(t *testing.T) *bench {
	t.Helper()
	p, err := testmail.NewOAuth("desk", "s3cret-of-the-app")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	b := &bench{t: t, p: p, shelf: newShelf(), clock: time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)}
	b.Account = b.node()
	access, refresh := p.Grant(box, "mail")
	_ = b.shelf.Put(t.Context(), box, Token{Access: access, Refresh: refresh, Expires: b.now().Add(time.Hour)}, b.now())
	return b
}

// node is one more process that uses the same database.
func (b *bench) node() *Account {
	return NewAccount(Options{Name: box, App: b.app(), Vault: b.shelf, Now: b.now})
}

func (b *bench) app() App {
	return App{Key: "oauth.mail", Provider: "example", Grant: GrantCode, ClientID: "desk", Secret: "s3cret-of-the-app", SecretFile: "app.secret",
		AuthURL: b.p.URL("authorize"), TokenURL: b.p.URL("token"), DeviceURL: b.p.URL("device"), Scopes: []string{"mail"}}
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(d)
}

func (b *bench) mustToken() string {
	b.t.Helper()
	token, err := b.Token(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return token
}

// mustFail returns the error of a token that must not be had, of a kind.
func (b *bench) mustFail(k Kind) *Error {
	b.t.Helper()
	token, err := b.Token(b.t.Context())
	var e *Error
	if !errors.As(err, &e) || e.Kind != k {
		b.t.Fatalf("got %q, %v, want an error of kind %s", token, err, k)
	}
	if secret.MatchString(e.Error()) {
		b.t.Errorf("the error holds a secret: %s", e)
	}
	return e
}

var secret = regexp.MustCompile(`s3cret|\b[ar]t\.[A-Z2-7]{20}`)

func TestTokenIsKeptUntilItsLastMinutes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.mustToken()
	b.pass(54 * time.Minute)
	if b.mustToken() != first || b.p.Count("refresh_token") != 0 {
		t.Fatal("renewed too early")
	}
	b.pass(2 * time.Minute)
	if second := b.mustToken(); second == first || b.p.Count("refresh_token") != 1 {
		t.Fatal("not renewed")
	}
	if r, _ := b.shelf.Load(t.Context(), box); r.Expires.Sub(b.now()) != time.Hour {
		t.Errorf("expires in %s", r.Expires.Sub(b.now()))
	}
}

// A token that lasts for two minutes is not renewed at each use.
func TestShortTokenIsUsedForHalfItsTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.p.SetTTL(2 * time.Minute)
	b.pass(time.Hour)
	b.mustToken()
	b.pass(50 * time.Second)
	b.mustToken()
	if n := b.p.Count("refresh_token"); n != 1 {
		t.Errorf("%d fetches", n)
	}
	b.pass(20 * time.Second)
	b.mustToken()
	if n := b.p.Count("refresh_token"); n != 2 {
		t.Errorf("%d fetches", n)
	}
}

// Forty goroutines on four nodes: each expiry costs one fetch, no refresh token
// is shown twice.
func TestOneFetchForAllNodes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	nodes := []*Account{b.Account, b.node(), b.node(), b.node()}
	for round := 1; round <= 3; round++ {
		b.pass(time.Hour)
		var wait sync.WaitGroup
		seen := make([]string, 40)
		for i := range seen {
			wait.Go(func() {
				var err error
				if seen[i], err = nodes[i%len(nodes)].Token(t.Context()); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		wait.Wait()
		for _, s := range seen {
			if s != seen[0] {
				t.Fatalf("round %d: two tokens", round)
			}
		}
		if n := b.p.Count("refresh_token"); n != round {
			t.Errorf("round %d: %d fetches", round, n)
		}
	}
	if n := b.p.Count("reused"); n != 0 {
		t.Errorf("%d refresh tokens were used again", n)
	}
}

// Whoever wanted the token goes away; the provider has rotated by then, so the
// fetch is seen through and stored.
func TestFetchIsSeenThrough(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pass(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	b.http.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		cancel() // while the provider is asked
		return http.DefaultTransport.RoundTrip(r)
	})
	_, err := b.Token(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	b.mustToken()
	if b.p.Count("refresh_token") != 1 || b.p.Count("reused") != 0 {
		t.Errorf("fetches %d, reused %d", b.p.Count("refresh_token"), b.p.Count("reused"))
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A new refresh token that the database does not take is not used, and not
// lost: it is stored when the database is back.
func TestTokenIsStoredBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.pass(time.Hour)
	b.shelf.broken = errors.New("disk full")
	if token, err := b.Token(t.Context()); err == nil || token != "" {
		t.Fatalf("used: %q, %v", token, err)
	}
	b.shelf.mu.Lock()
	b.shelf.broken = nil
	b.shelf.mu.Unlock()
	b.mustToken()
	if n := b.p.Count("refresh_token"); n != 1 {
		t.Errorf("%d fetches", n)
	}
	b.pass(time.Hour)
	b.mustToken()
	if n := b.p.Count("reused"); n != 0 {
		t.Errorf("%d refresh tokens were used again", n)
	}
}

// A provider that is away is asked more and more seldom, and answers again
// without anybody doing anything; a token that still lasts is used meanwhile.
func TestProviderAway(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.mustToken()
	b.p.SetMode(testmail.OAuth500)
	b.pass(56 * time.Minute)
	if b.mustToken() != first {
		t.Fatal("a token that lasts is not used")
	}
	b.pass(10 * time.Minute)
	e := b.mustFail(KindTemporary)
	if !strings.Contains(e.Error(), "500") || !strings.Contains(e.Error(), "tried again by itself") {
		t.Errorf("error: %v", e)
	}
	n := b.p.Count("refresh_token")
	for range 30 {
		b.pass(10 * time.Second)
		b.mustFail(KindTemporary)
	}
	if asked := b.p.Count("refresh_token") - n; asked < 3 || asked > 9 {
		t.Errorf("asked %d times in five minutes", asked)
	}
	b.p.SetMode(testmail.OAuthWell)
	b.pass(backoffMost)
	b.mustToken()
}

func TestWhatToDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		breaks func(*bench)
		kind   Kind
		says   []string
	}{
		"revoked":        {func(b *bench) { b.p.Revoke(box) }, KindLogin, []string{"invalid_grant: Token has been expired or revoked.", "frontdesk mailbox login " + box}},
		"secret expired": {func(b *bench) { b.p.SetMode(testmail.OAuthInvalidClient) }, KindClient, []string{"AADSTS7000222", "secret is wrong or has expired", `"app.secret"`, "oauth.mail", "systemctl reload frontdesk"}},
		"wrong scope":    {func(b *bench) { b.p.SetMode(testmail.OAuthInvalidScope) }, KindScope, []string{"invalid_scope", "scope mail", "frontdesk mailbox login " + box}},
		"500":            {func(b *bench) { b.p.SetMode(testmail.OAuth500) }, KindTemporary, []string{"500 Internal Server Error", "tried again by itself"}},
		"no JSON":        {func(b *bench) { b.p.SetMode(testmail.OAuthGarbage) }, KindTemporary, []string{"cannot parse json", "tried again by itself"}},
		"slow":           {func(b *bench) { b.p.SetMode(testmail.OAuthSlow); b.http.Timeout = 50 * time.Millisecond }, KindTemporary, []string{"Client.Timeout", "tried again by itself"}},
		"gone":           {func(b *bench) { _ = b.p.Close() }, KindTemporary, []string{"connect", "tried again by itself"}},
		"never":          {func(b *bench) { delete(b.shelf.records, box) }, KindMissing, []string{"nobody has logged in", "frontdesk mailbox login " + box}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.t = t
			b.pass(2 * time.Hour)
			c.breaks(b)
			e := b.mustFail(c.kind)
			for _, want := range c.says {
				if !strings.Contains(e.Error(), want) {
					t.Errorf("%q is not said in: %s", want, e)
				}
			}
			if strings.Contains(e.Error(), "Trace ID") || strings.Count(e.Error(), "\n") != 1 || !strings.Contains(e.Error(), "\nhint: ") {
				t.Errorf("not the same each time, or not one line and a hint: %s", e)
			}
			if c.kind != KindMissing && b.shelf.why[box] != e.Error() {
				t.Errorf("kept: %q", b.shelf.why[box])
			}
		})
	}
}

// A person's login ends a failure at once, whatever was remembered of it.
func TestLoginEndsAFailure(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.p.Revoke(box)
	b.pass(time.Hour)
	b.mustFail(KindLogin)
	n := b.p.Count("refresh_token")
	b.pass(time.Minute)
	if b.mustFail(KindLogin); b.p.Count("refresh_token") != n {
		t.Error("a revoked login is asked for each minute")
	}
	access, refresh := b.p.Grant(box, "mail")
	_ = b.shelf.Put(t.Context(), box, Token{Access: access, Refresh: refresh, Expires: b.now().Add(time.Hour)}, b.now())
	if b.mustToken() != access {
		t.Error("the new login is not used")
	}
}

// A mail server that refuses a token gets a new one once; then it is said, and
// the provider is left alone for a while.
func TestRefusedToken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bad, tries := b.mustToken(), 0
	login := func(token string) error {
		tries++
		if token == bad {
			return (&Bearer{Mechanism: XOAUTH2, Username: box}).Refused(errors.New("NO"))
		}
		return nil
	}
	if err := b.LogIn(t.Context(), login); err != nil || tries != 2 || b.p.Count("refresh_token") != 1 {
		t.Fatalf("%v after %d tries and %d fetches", err, tries, b.p.Count("refresh_token"))
	}
	refuse := func(string) error {
		tries++
		r := (&Bearer{Mechanism: XOAUTH2, Username: box}).Refused(errors.New("NO [AUTHENTICATIONFAILED] Invalid credentials"))
		r.Status = "400"
		return r
	}
	b.pass(renewEvery)
	for range 3 {
		tries = 0
		err := b.LogIn(t.Context(), refuse)
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindRefused || !strings.Contains(err.Error(), "Invalid credentials") || !strings.Contains(err.Error(), `status "400"`) || !strings.Contains(err.Error(), "frontdesk mailbox login "+box) {
			t.Fatalf("got %v", err)
		}
	}
	if n := b.p.Count("refresh_token"); n != 2 || tries != 1 {
		t.Errorf("%d fetches, %d tries at the end", n, tries)
	}
	other := errors.New("connection reset")
	if err := b.LogIn(t.Context(), func(string) error { return other }); err != other {
		t.Errorf("got %v", err)
	}
}

// A token is refused while the provider is away: it is renewed when the provider
// is back, not minutes later.
func TestRefusedWhileTheProviderIsAway(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bad := b.mustToken()
	login := func(token string) error {
		if token == bad {
			return (&Bearer{Mechanism: XOAUTH2, Username: box}).Refused(errors.New("NO"))
		}
		return nil
	}
	b.p.SetMode(testmail.OAuth500)
	for range 3 {
		var e *Error
		if err := b.LogIn(t.Context(), login); !errors.As(err, &e) || e.Kind != KindTemporary {
			t.Fatalf("got %v", err)
		}
		b.pass(10 * time.Second)
	}
	b.p.SetMode(testmail.OAuthWell)
	if err := b.LogIn(t.Context(), login); err != nil {
		t.Errorf("got %v", err)
	}
}

// What the provider granted is less than what was asked for: the missing scope
// is named.
func TestMissingScopeIsNamed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Account.app.Scopes = []string{"https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send", "offline_access"}
	b.p.SetScope("https://outlook.office.com/SMTP.Send openid")
	b.pass(time.Hour)
	err := b.LogIn(t.Context(), func(string) error {
		return (&Bearer{Mechanism: XOAUTH2, Username: box}).Refused(errors.New("NO AUTHENTICATE failed."))
	})
	if err == nil || !strings.Contains(err.Error(), "grant it the scope https://outlook.office.com/IMAP.AccessAsUser.All") || !strings.Contains(err.Error(), "granted were https://outlook.office.com/SMTP.Send openid") {
		t.Errorf("got %v", err)
	}
}

// An app with a right of its own needs no person, and no refresh token.
func TestClientCredentials(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	delete(b.shelf.records, box)
	b.Account.app.Grant = GrantCredentials
	first := b.mustToken()
	b.pass(time.Hour)
	if b.mustToken() == first || b.p.Count("client_credentials") != 2 || b.p.Count("refresh_token") != 0 {
		t.Errorf("fetches: %d", b.p.Count("client_credentials"))
	}
	if _, err := b.Credentials(t.Context()); err != nil {
		t.Error(err)
	}
}

// browse follows the address of a login as a browser does, and returns the last
// page.
func browse(t *testing.T, address string) string {
	t.Helper()
	r, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body := make([]byte, 4096)
	n, _ := r.Body.Read(body)
	return fmt.Sprint(r.StatusCode, " ", string(body[:n]))
}

func TestLoginWithABrowser(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	delete(b.shelf.records, box)
	l, err := b.BeginCode(0)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { _, err := l.Wait(t.Context()); done <- err }()
	home := fmt.Sprintf("http://localhost:%d/", l.Port)
	for _, forged := range []string{home, home + "?code=x&state=guessed", home + "other?state=" + l.state} {
		if page := browse(t, forged); !strings.HasPrefix(page, "40") {
			t.Errorf("%s: %s", forged, page)
		}
	}
	if page := browse(t, l.URL); !strings.Contains(page, "Logged in") {
		t.Errorf("page: %s", page)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.mustToken()
	if u, _ := url.Parse(l.URL); u.Query().Get("code_challenge_method") != "S256" || len(u.Query().Get("state")) < 20 {
		t.Errorf("address: %s", l.URL)
	}
}

// A browser on another machine: the person brings back the address it ended at.
func TestLoginByPastedAddress(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l, err := b.BeginCode(0)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { _, err := l.Wait(t.Context()); done <- err }()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := c.Get(l.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	for _, wrong := range []string{"", "hello", "http://localhost/?code=1&state=2"} {
		if l.Paste(wrong) == nil {
			t.Errorf("took %q", wrong)
		}
	}
	if err := l.Paste(" " + r.Header.Get("Location") + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestLoginThatIsDenied(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.p.SetUser("nobody")
	l, err := b.BeginCode(0)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { _, err := l.Wait(t.Context()); done <- err }()
	if page := browse(t, l.URL); !strings.Contains(page, "Not logged in") {
		t.Errorf("page: %s", page)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "access_denied: The user said no.") {
		t.Errorf("got %v", err)
	}
}

func TestLoginOnADevice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		does func(p *testmail.OAuth, code string)
		says string // "" it works
	}{
		"approved": {func(p *testmail.OAuth, code string) { p.Approve(code, box, 0) }, ""},
		"denied":   {func(p *testmail.OAuth, code string) { p.Deny(code) }, "access_denied"},
		"expired":  {func(p *testmail.OAuth, code string) { p.Forget(code) }, "expired_token"},
		"away first": {func(p *testmail.OAuth, code string) {
			p.Approve(code, box, 0)
			p.SetMode(testmail.OAuth500)
			time.AfterFunc(1500*time.Millisecond, func() { p.SetMode(testmail.OAuthWell) })
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.t = t
			d, err := b.BeginDevice(t.Context())
			if err != nil || d.Address != b.p.URL("activate") || len(d.Code) != 8 {
				t.Fatalf("%+v, %v", d, err)
			}
			c.does(b.p, d.Code)
			_, err = d.Wait(t.Context())
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A provider whose numbers make no sense neither stops the program nor makes it
// ask without a pause.
func TestDeviceAnswersThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		`{}`, `[]`, `null`, `"x"`, ``,
		`{"device_code":"d","user_code":"u","verification_uri":"http://x","interval":-5,"expires_in":-1}`,
		`{"device_code":"d","user_code":"u\r\n\u001b[2J","verification_uri":"http://x","interval":99999999999,"expires_in":999999999999}`,
	} {
		b := newBench(t)
		b.http.Transport = roundTrip(func(*http.Request) (*http.Response, error) { return answerOf(200, "application/json", answer), nil })
		d, err := b.BeginDevice(t.Context())
		if err != nil {
			continue
		}
		if d.auth.Interval < leastInterval || d.auth.Interval > mostInterval || time.Until(d.Until) > loginFor || strings.ContainsAny(d.Code, "\r\n\x1b") {
			t.Errorf("%s: %+v", answer, d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		if _, err := d.Wait(ctx); err == nil {
			t.Errorf("%s: logged in", answer)
		}
		cancel()
	}
}
