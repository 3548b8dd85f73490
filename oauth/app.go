package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Grant is how an app comes by tokens.
type Grant string

const (
	GrantCode        Grant = "authorization_code" // a person logs in with a browser; RFC 6749 section 4.1
	GrantDevice      Grant = "device_code"        // a person logs in on another machine; RFC 8628
	GrantCredentials Grant = "client_credentials" // the app itself has the right; RFC 6749 section 4.4
)

// App is the desk's registration at a provider.
type App struct {
	Key        string // block of the configuration, for people: "oauth.mail"
	Provider   string // its name, for people: "google"
	Grant      Grant
	ClientID   string
	Secret     string // "" for a public client
	SecretFile string // where Secret was read, for people

	AuthURL, TokenURL, DeviceURL string
	Scopes                       []string
	Params                       map[string]string // further parameters of the authorization request
}

// Google returns what is the same for every app registered there.
//
// Offline access and consent are asked for each time: without them Google hands
// out a refresh token at the very first login only.
func Google() App {
	return App{ // #nosec G101 -- public addresses
		Provider:  "google",
		AuthURL:   "https://accounts.google.com/o/oauth2/v2/auth",
		TokenURL:  "https://oauth2.googleapis.com/token",
		DeviceURL: "https://oauth2.googleapis.com/device/code",
		Scopes:    []string{"https://mail.google.com/"},
		Params:    map[string]string{"access_type": "offline", "prompt": "consent"},
	}
}

// Microsoft returns what is the same for every app registered in a tenant: its
// id or domain, or "common". An app that acts for itself has its rights from
// the tenant's administrator, not by scopes.
func Microsoft(tenant string, grant Grant) App {
	base := "https://login.microsoftonline.com/" + url.PathEscape(tenant) + "/oauth2/v2.0/"
	a := App{
		Provider: "microsoft",
		AuthURL:  base + "authorize", TokenURL: base + "token", DeviceURL: base + "devicecode",
		Scopes: []string{"https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send", "offline_access"},
	}
	if grant == GrantCredentials {
		a.Scopes = []string{"https://outlook.office365.com/.default"}
	}
	return a
}

// Token is what a provider handed out.
type Token struct {
	Access  string
	Refresh string    // "" where the grant has none
	Expires time.Time // end of Access; zero: not said
	Ends    time.Time // end of Refresh; zero: not said
	Scopes  []string  // granted; none: not said
}

// client is what talks to providers. A redirection of a request that carries a
// secret is not followed, and a provider that does not answer holds nobody up.
func client(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// config is the app in the words of the library. The secret goes into the body
// of a request: Google takes it nowhere else, and guessing would ask twice.
func (a *App) config() *oauth2.Config {
	return &oauth2.Config{
		ClientID: a.ClientID, ClientSecret: a.Secret, Scopes: a.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: a.AuthURL, TokenURL: a.TokenURL, DeviceAuthURL: a.DeviceURL, AuthStyle: oauth2.AuthStyleInParams},
	}
}

// fetch gets an access token without a person. refresh is not used where the
// grant has none.
func (a *App) fetch(ctx context.Context, refresh string, now time.Time) (Token, error) {
	var t *oauth2.Token
	var err error
	if a.Grant == GrantCredentials {
		c := clientcredentials.Config{ClientID: a.ClientID, ClientSecret: a.Secret, TokenURL: a.TokenURL, Scopes: a.Scopes, AuthStyle: oauth2.AuthStyleInParams}
		t, err = c.Token(ctx)
	} else {
		t, err = a.config().TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
	}
	if err != nil {
		return Token{}, err
	}
	return tokenOf(t, now)
}

// tokenOf takes over what the library read of a provider's answer.
func tokenOf(t *oauth2.Token, now time.Time) (Token, error) {
	out := Token{Access: t.AccessToken, Refresh: t.RefreshToken}
	if !sendable(out.Access) || out.Refresh != "" && !sendable(out.Refresh) {
		return Token{}, errUnusable
	}
	if t.ExpiresIn > 0 {
		out.Expires = now.Add(time.Duration(t.ExpiresIn) * time.Second)
	} else if left := time.Until(t.Expiry); !t.Expiry.IsZero() && left > 0 {
		out.Expires = now.Add(left)
	}
	// Google says it of apps that are not published: seven days.
	if seconds, ok := t.Extra("refresh_token_expires_in").(float64); ok && seconds > 0 && seconds < 1e9 {
		out.Ends = now.Add(time.Duration(seconds) * time.Second)
	}
	if scope, ok := t.Extra("scope").(string); ok && len(scope) < 4096 {
		out.Scopes = strings.Fields(scope)
	}
	return out, nil
}

var errUnusable = errors.New("the answer holds no token that can be sent")

// maxToken is above what providers hand out (4 KB), and below what mail servers
// take in one line.
const maxToken = 16 << 10

// sendable reports whether a token can be put into a login: a control
// character in it would begin another field there (RFC 7628 section 3.1).
func sendable(token string) bool {
	if token == "" || len(token) > maxToken {
		return false
	}
	return !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 127 })
}

// Missing returns the scopes that were asked for and not granted, nil when the
// provider did not say what it granted. Providers write scopes in more than one
// way: the last part is compared.
func (a *App) Missing(granted []string) []string {
	if len(granted) == 0 {
		return nil
	}
	var out []string
	for _, want := range a.Scopes {
		switch want {
		case "offline_access", "openid", "email", "profile":
			continue // they ask for a refresh token, or for nothing that mail needs
		}
		if strings.HasSuffix(want, "/.default") {
			continue
		}
		if !slices.ContainsFunc(granted, func(g string) bool { return strings.EqualFold(lastPart(g), lastPart(want)) }) {
			out = append(out, want)
		}
	}
	return out
}

func lastPart(scope string) string {
	scope = strings.TrimRight(scope, "/")
	return scope[strings.LastIndexByte(scope, '/')+1:]
}

// String names the app for people.
func (a *App) String() string { return fmt.Sprintf("%s (%s)", a.Key, a.Provider) }
