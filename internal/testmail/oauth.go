package testmail

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// OAuth is a provider of tokens within this process: authorization, device,
// token (RFC 6749, 7636, 8628) and introspection endpoints (RFC 7662). It is
// strict where providers are: codes are good once and for their PKCE challenge
// and redirection, a refresh token that was rotated ends its whole family when
// it is used again.
type OAuth struct {
	ClientID, Secret string // what an app must show

	listener net.Listener
	server   *http.Server

	mu       sync.Mutex
	mode     OAuthMode
	ttl      time.Duration
	rotate   bool
	scope    string           // granted instead of what was asked for; "" as asked
	user     string           // who logs in: overrides login_hint
	onDevice string           // who approves each device at once; "" nobody
	codes    map[string]grant // authorization codes
	devices  map[string]*device
	refresh  map[string]*family // live refresh tokens
	old      map[string]*family // refresh tokens that were rotated
	access   map[string]*access
	counts   map[string]int
	released chan struct{} // closed when slow ends
}

// OAuthMode is how the token endpoint answers.
type OAuthMode string

// The modes.
const (
	OAuthWell          OAuthMode = ""
	OAuth500           OAuthMode = "500"            // 500 with a page that is no JSON
	OAuthSlow          OAuthMode = "slow"           // no answer until the mode changes
	OAuthInvalidClient OAuthMode = "invalid_client" // the secret has expired
	OAuthInvalidScope  OAuthMode = "invalid_scope"  // the app may not ask for that
	OAuthGarbage       OAuthMode = "garbage"        // 200 with no JSON
)

type grant struct {
	user, challenge, redirect, scope string
}

type family struct {
	user, scope string
	dead        bool
}

type access struct {
	user, scope string
	until       time.Time
	family      *family
}

type device struct {
	scope    string
	user     string // "" until somebody approved it
	denied   bool
	slow     int // how often it still says slow_down
	expired  bool
	userCode string
}

// NewOAuth starts a provider on loopback.
func NewOAuth(clientID, secret string) (*OAuth, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o := &OAuth{
		ClientID: clientID, Secret: secret, listener: l, ttl: time.Hour, rotate: true,
		codes: map[string]grant{}, devices: map[string]*device{}, refresh: map[string]*family{}, old: map[string]*family{},
		access: map[string]*access{}, counts: map[string]int{}, released: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", o.authorize)
	mux.HandleFunc("POST /device", o.beginDevice)
	mux.HandleFunc("POST /token", o.token)
	mux.HandleFunc("POST /introspect", o.introspect)
	o.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = o.server.Serve(l) }()
	return o, nil
}

// Close ends the provider.
func (o *OAuth) Close() error {
	o.SetMode(OAuthWell)
	return o.server.Close()
}

// URL is the address of an endpoint: "authorize", "device", "token",
// "introspect".
func (o *OAuth) URL(endpoint string) string {
	return "http://" + o.listener.Addr().String() + "/" + endpoint
}

// SetMode changes how the token endpoint answers; it ends OAuthSlow.
func (o *OAuth) SetMode(m OAuthMode) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mode = m
	close(o.released)
	o.released = make(chan struct{})
}

// SetTTL says how long access tokens last from now on.
func (o *OAuth) SetTTL(d time.Duration) { o.set(func() { o.ttl = d }) }

// SetRotate says whether a refresh token is good once.
func (o *OAuth) SetRotate(on bool) { o.set(func() { o.rotate = on }) }

// SetScope grants that scope, whatever is asked for; "" as asked.
func (o *OAuth) SetScope(scope string) { o.set(func() { o.scope = scope }) }

// SetUser says who logs in with a browser; "" whom the app hints at.
func (o *OAuth) SetUser(user string) { o.set(func() { o.user = user }) }

// SetDeviceUser lets every device in at once, as that user.
func (o *OAuth) SetDeviceUser(user string) { o.set(func() { o.onDevice = user }) }

// SetSecret changes the app's secret.
func (o *OAuth) SetSecret(secret string) { o.set(func() { o.Secret = secret }) }

func (o *OAuth) set(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
}

// Revoke ends all logins of a user, as the user, or an administrator, does.
func (o *OAuth) Revoke(user string) {
	o.set(func() {
		for _, f := range o.refresh {
			f.dead = f.dead || f.user == user
		}
		o.expire(user)
	})
}

// Expire ends the access tokens of a user before their time; what renews them
// stays good.
func (o *OAuth) Expire(user string) { o.set(func() { o.expire(user) }) }

func (o *OAuth) expire(user string) {
	for t, a := range o.access {
		if a.user == user {
			delete(o.access, t)
		}
	}
}

// Approve lets a user in at a device that shows the code; slow is how often it
// is told before to ask more slowly.
func (o *OAuth) Approve(userCode, user string, slow int) {
	o.eachDevice(userCode, func(d *device) { d.user, d.slow = user, slow })
}

// Deny refuses the device that shows the code.
func (o *OAuth) Deny(userCode string) { o.eachDevice(userCode, func(d *device) { d.denied = true }) }

// Forget lets the code of a device expire.
func (o *OAuth) Forget(userCode string) { o.eachDevice(userCode, func(d *device) { d.expired = true }) }

func (o *OAuth) eachDevice(userCode string, f func(*device)) {
	o.set(func() {
		for _, d := range o.devices {
			if d.userCode == userCode {
				f(d)
			}
		}
	})
}

// Count returns how often something happened: "authorize", "device",
// "introspect", each grant_type, "slow" for requests that waited, and "reused" for rotated refresh tokens.
func (o *OAuth) Count(what string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.counts[what]
}

// Grant gives a user tokens, as a login would that nobody has to click through.
func (o *OAuth) Grant(user, scope string) (accessToken, refreshToken string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	answer := o.issue(&family{user: user, scope: scope}, true)
	return answer["access_token"].(string), answer["refresh_token"].(string)
}

// authorize is the page on which a person would log in and consent: whoever
// comes does both.
func (o *OAuth) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counts["authorize"]++
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Hostname() != "localhost" || q.Get("client_id") != o.ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" {
		http.Error(w, "bad request: "+r.URL.RawQuery, http.StatusBadRequest)
		return
	}
	user := cmp.Or(o.user, q.Get("login_hint"))
	code := "code." + rand.Text()
	o.codes[code] = grant{user, q.Get("code_challenge"), q.Get("redirect_uri"), q.Get("scope")}
	answer := url.Values{"state": {q.Get("state")}, "code": {code}}
	if user == "nobody" {
		answer = url.Values{"state": {q.Get("state")}, "error": {"access_denied"}, "error_description": {"The user said no."}}
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (o *OAuth) beginDevice(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counts["device"]++
	if r.FormValue("client_id") != o.ClientID {
		refuse(w, 401, "invalid_client", "no such app")
		return
	}
	code := "device." + rand.Text()
	d := &device{scope: r.FormValue("scope"), userCode: rand.Text()[:8], user: o.onDevice}
	o.devices[code] = d
	answerJSON(w, 200, map[string]any{
		"device_code": code, "user_code": d.userCode, "verification_uri": o.URL("activate"), "expires_in": 600, "interval": 1})
}

func (o *OAuth) token(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	mode, released := o.mode, o.released
	o.mu.Unlock()
	if mode == OAuthSlow {
		o.set(func() { o.counts["slow"]++ })
		select {
		case <-released:
		case <-r.Context().Done():
			return
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	mode = o.mode
	kind := r.FormValue("grant_type")
	kind = kind[strings.LastIndexByte(kind, ':')+1:]
	o.counts[kind]++
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	switch {
	case mode == OAuth500:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, "<html>We are sorry</html>")
	case mode == OAuthGarbage:
		answerJSON(w, 200, "not an object")
	case mode == OAuthInvalidClient, id != o.ClientID, secret != o.Secret:
		refuse(w, 401, "invalid_client", "AADSTS7000222: The provided client secret keys are expired. Trace ID: "+rand.Text())
	case mode == OAuthInvalidScope:
		refuse(w, 400, "invalid_scope", "The app may not ask for that.")
	default:
		o.grant(w, r, kind)
	}
}

func (o *OAuth) grant(w http.ResponseWriter, r *http.Request, kind string) {
	switch kind {
	case "authorization_code":
		g, ok := o.codes[r.FormValue("code")]
		delete(o.codes, r.FormValue("code"))
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if !ok || g.redirect != r.FormValue("redirect_uri") || g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
			refuse(w, 400, "invalid_grant", "Bad code, verifier or redirection.")
			return
		}
		answerJSON(w, 200, o.issue(&family{user: g.user, scope: g.scope}, true))
	case "refresh_token":
		o.renew(w, r.FormValue("refresh_token"))
	case "client_credentials":
		answerJSON(w, 200, o.issue(&family{user: o.user, scope: r.FormValue("scope")}, false))
	case "device_code":
		o.pollDevice(w, r.FormValue("device_code"))
	default:
		refuse(w, 400, "unsupported_grant_type", kind)
	}
}

func (o *OAuth) renew(w http.ResponseWriter, token string) {
	f, ok := o.refresh[token]
	if was, again := o.old[token]; again {
		o.counts["reused"]++
		was.dead = true
	}
	if !ok || f.dead {
		refuse(w, 400, "invalid_grant", "Token has been expired or revoked.")
		return
	}
	if o.rotate {
		delete(o.refresh, token)
		o.old[token] = f
	}
	answer := o.issue(f, o.rotate)
	answerJSON(w, 200, answer)
}

func (o *OAuth) pollDevice(w http.ResponseWriter, code string) {
	d, ok := o.devices[code]
	switch {
	case !ok || d.expired:
		refuse(w, 400, "expired_token", "The code has expired.")
	case d.denied:
		refuse(w, 400, "access_denied", "The user said no.")
	case d.slow > 0:
		d.slow--
		refuse(w, 400, "slow_down", "")
	case d.user == "":
		refuse(w, 400, "authorization_pending", "")
	default:
		delete(o.devices, code)
		answerJSON(w, 200, o.issue(&family{user: d.user, scope: d.scope}, true))
	}
}

// issue makes an access token, and a refresh token where one is due.
func (o *OAuth) issue(f *family, withRefresh bool) map[string]any {
	scope := f.scope
	if o.scope != "" {
		scope = o.scope
	}
	token := "at." + rand.Text()
	o.access[token] = &access{f.user, scope, time.Now().Add(o.ttl), f}
	answer := map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(o.ttl.Seconds()), "scope": scope}
	if withRefresh {
		refresh := "rt." + rand.Text()
		o.refresh[refresh] = f
		answer["refresh_token"] = refresh
	}
	return answer
}

// introspect tells a mail server whose token it is.
func (o *OAuth) introspect(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counts["introspect"]++
	a, ok := o.access[r.FormValue("token")]
	if !ok || !a.good() {
		answerJSON(w, 200, map[string]any{"active": false})
		return
	}
	answerJSON(w, 200, map[string]any{"active": true, "username": a.user, "scope": a.scope, "exp": a.until.Unix()})
}

// good is called with the lock held.
func (a *access) good() bool { return !a.family.dead && time.Now().Before(a.until) }

func refuse(w http.ResponseWriter, status int, code, description string) {
	answerJSON(w, status, map[string]any{"error": code, "error_description": description})
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
