package oauth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// loginFor is how long a person has to log in.
const loginFor = 15 * time.Minute

// CodeLogin is a login with a browser that has begun (RFC 8252): the provider
// sends the browser back to a listener on this machine.
type CodeLogin struct {
	URL  string // what the person opens
	Port int    // of the listener on localhost

	a         *Account
	config    *oauth2.Config
	verifier  string
	state     string
	listeners []net.Listener
	answers   chan answer
}

// answer is what a browser brought back.
type answer struct {
	code string
	err  error
}

// BeginCode opens the listener, on port or on a free one when that is 0.
func (a *Account) BeginCode(port int) (*CodeLogin, error) {
	l := &CodeLogin{a: a, config: a.app.config(), verifier: oauth2.GenerateVerifier(), state: rand.Text(), answers: make(chan answer, 1)}
	if err := l.listen(port); err != nil {
		return nil, fmt.Errorf("listen for the browser on localhost: %w", err)
	}
	// Microsoft knows "localhost" on any port, and no other name of this machine.
	l.config.RedirectURL = fmt.Sprintf("http://localhost:%d", l.Port)
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(l.verifier), oauth2.SetAuthURLParam("login_hint", a.name)}
	for name, value := range a.app.Params {
		options = append(options, oauth2.SetAuthURLParam(name, value))
	}
	l.URL = l.config.AuthCodeURL(l.state, options...)
	return l, nil
}

// listen takes one port on both loopback addresses: which of them a browser
// tries for "localhost" is its own affair. The second may be missing.
func (l *CodeLogin) listen(port int) error {
	four, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	l.Port = four.Addr().(*net.TCPAddr).Port
	l.listeners = []net.Listener{four}
	if six, err := net.Listen("tcp", fmt.Sprintf("[::1]:%d", l.Port)); err == nil {
		l.listeners = append(l.listeners, six)
	}
	return nil
}

// Paste takes the address that the browser ended at, for who has the browser on
// another machine. It may be called while Wait waits.
func (l *CodeLogin) Paste(address string) error {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Query().Get("state") == "" {
		return fmt.Errorf("not the address that the browser ended at: it begins with http://localhost:%d", l.Port)
	}
	return l.take(u.Query())
}

// take checks what came back. An error says why it is not an answer to this
// login; the login goes on waiting.
func (l *CodeLogin) take(q url.Values) error {
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(l.state)) != 1 {
		return errors.New("this answer belongs to another login")
	}
	var got answer
	switch code := q.Get("code"); {
	case q.Get("error") != "":
		got.err = l.a.app.classify(l.a.name, &oauth2.RetrieveError{
			ErrorCode: q.Get("error"), ErrorDescription: q.Get("error_description"), Response: &http.Response{StatusCode: http.StatusBadRequest}})
	case code == "":
		return errors.New("the answer holds no code")
	default:
		got.code = code
	}
	select {
	case l.answers <- got:
	default: // a browser that reloads
	}
	return nil
}

// ServeHTTP answers the browser.
func (l *CodeLogin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the code is in the address
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	if r.Method != http.MethodGet || r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	title, text := "Logged in", "You can close this page and go back to the terminal."
	if err := l.take(r.URL.Query()); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		title, text = "Not logged in", err.Error()
	} else if r.URL.Query().Get("error") != "" {
		title, text = "Not logged in", "The terminal says why."
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, "<!doctype html><html lang=en><title>%[1]s</title><h1>%[1]s</h1><p>%[2]s</p></html>\n", html.EscapeString(title), html.EscapeString(text))
}

// Wait waits for the browser, exchanges the code, and stores the token.
func (l *CodeLogin) Wait(ctx context.Context) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, loginFor)
	defer cancel()
	s := &http.Server{Handler: l, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 32 << 10}
	for _, listener := range l.listeners {
		go func() { _ = s.Serve(listener) }()
	}
	defer l.end(s)
	select {
	case <-ctx.Done():
		return Token{}, fmt.Errorf("nobody logged in within %s", loginFor)
	case got := <-l.answers:
		if got.err != nil {
			return Token{}, got.err
		}
		return l.a.finish(ctx, func(ctx context.Context) (*oauth2.Token, error) {
			return l.config.Exchange(ctx, got.code, oauth2.VerifierOption(l.verifier))
		})
	}
}

// end lets the browser have its page before the listener goes.
func (l *CodeLogin) end(s *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		_ = s.Close()
	}
}

// DeviceLogin is a login on another machine that has begun (RFC 8628).
type DeviceLogin struct {
	Address string // where the person goes
	Code    string // what the person types there
	Until   time.Time

	a    *Account
	auth *oauth2.DeviceAuthResponse
}

// The bounds of what a provider asks for (RFC 8628 section 3.5).
const (
	leastInterval = 1
	usualInterval = 5
	mostInterval  = 60
)

// BeginDevice asks the provider for a code.
func (a *Account) BeginDevice(ctx context.Context) (*DeviceLogin, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, a.http)
	if a.app.DeviceURL == "" {
		return nil, fmt.Errorf("%s has no device_url: log in with a browser", a.app.Key)
	}
	auth, err := a.app.deviceAuth(ctx)
	if err != nil {
		return nil, a.app.classify(a.name, err)
	}
	if auth.DeviceCode == "" || auth.UserCode == "" || auth.VerificationURI == "" {
		return nil, a.app.classify(a.name, errors.New("the answer holds no code for a device"))
	}
	if auth.Interval <= 0 { // 0 not said; below it the library's timer would panic
		auth.Interval = usualInterval
	}
	auth.Interval = min(max(auth.Interval, leastInterval), mostInterval)
	if most := time.Now().Add(loginFor); auth.Expiry.IsZero() || auth.Expiry.After(most) {
		auth.Expiry = most
	}
	return &DeviceLogin{Address: oneLine(auth.VerificationURI, 300), Code: oneLine(auth.UserCode, 60), Until: auth.Expiry, a: a, auth: auth}, nil
}

// deviceAuth is the library's, which panics when the answer is "null".
func (a *App) deviceAuth(ctx context.Context) (auth *oauth2.DeviceAuthResponse, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("the answer holds no code for a device")
		}
	}()
	return a.config().DeviceAuth(ctx)
}

// Wait asks the provider, as often as it lets us, whether the person has
// finished, and stores the token. Of a connection that fails we come back later
// (RFC 8628 section 3.5).
func (d *DeviceLogin) Wait(ctx context.Context) (Token, error) {
	ctx, cancel := context.WithDeadline(ctx, d.Until)
	defer cancel()
	for {
		t, err := d.a.finish(ctx, func(ctx context.Context) (*oauth2.Token, error) {
			return d.a.app.config().DeviceAccessToken(ctx, d.auth)
		})
		var e *Error
		if errors.As(err, &e) && e.Temporary() && ctx.Err() == nil {
			d.auth.Interval = min(2*d.auth.Interval, mostInterval)
			continue
		}
		if err != nil && ctx.Err() != nil {
			return Token{}, errors.New("nobody logged in before the code expired")
		}
		return t, err
	}
}

// Credentials logs in with the app's own right, without a person.
func (a *Account) Credentials(ctx context.Context) (Token, error) {
	c := a.app
	c.Grant = GrantCredentials
	now := a.now()
	t, err := c.fetch(context.WithValue(ctx, oauth2.HTTPClient, a.http), "", now)
	if err != nil {
		return Token{}, a.app.classify(a.name, err)
	}
	return t, a.vault.Put(context.WithoutCancel(ctx), a.name, t, now)
}

// finish gets a person's token and stores it.
func (a *Account) finish(ctx context.Context, get func(context.Context) (*oauth2.Token, error)) (Token, error) {
	got, err := get(context.WithValue(ctx, oauth2.HTTPClient, a.http))
	now := a.now()
	var t Token
	if err == nil {
		t, err = tokenOf(got, now)
	}
	if err != nil {
		return Token{}, a.app.classify(a.name, err)
	}
	if t.Refresh == "" {
		return Token{}, &Error{Kind: KindScope, Account: a.name, App: &a.app,
			Detail: "the provider gave no refresh token: the login would end within the hour"}
	}
	return t, a.vault.Put(context.WithoutCancel(ctx), a.name, t, now)
}
