package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"frontdesk/config"
	"frontdesk/store"
)

// loginJSON is how a mailbox that logs in with tokens does, as "mailbox list
// --json" prints it.
type loginJSON struct {
	App           string `json:"app"` // block under oauth
	Provider      string `json:"provider"`
	Grant         string `json:"grant"`
	Since         string `json:"since"`          // "" nobody has logged in
	Refreshed     string `json:"refreshed"`      // when the access token was fetched
	Expires       string `json:"expires"`        // end of the access token; it is renewed by itself
	Ends          string `json:"ends,omitempty"` // end of the login, where the provider said so
	Error         string `json:"error"`          // of the last fetch, "" when well
	Failed        string `json:"failed,omitempty"`
	SecretExpires string `json:"secret_expires,omitempty"` // last day of the app's secret

	app   config.OAuthApp
	login store.Login
}

// loginOf looks up the login of a mailbox, nil when it has passwords only.
func (d *desk) loginOf(ctx context.Context, m config.Mailbox) (*loginJSON, error) {
	app := d.cfg.OAuthOf(m)
	if app == nil {
		return nil, nil
	}
	l, err := d.db.Login(ctx, m.Address)
	if err != nil && !errors.Is(err, store.ErrSealed) {
		return nil, err
	}
	if err != nil {
		l.Error = fmt.Sprintf("the stored login is %v\nhint: frontdesk mailbox login %s", store.ErrSealed, m.Address)
	}
	out := &loginJSON{
		App: app.ID, Provider: string(app.Provider), Grant: string(app.Grant),
		Since: stamp(l.Since), Refreshed: stamp(l.Refreshed), Expires: stamp(l.Expires), Ends: stamp(l.Ends),
		Error: l.Error, Failed: stamp(l.Failed), app: *app, login: l,
	}
	if app.SecretExpires != nil {
		out.SecretExpires = app.SecretExpires.String()
	}
	return out, nil
}

// String is the state in a few words: since when, and what will end soon.
func (l *loginJSON) String() string {
	if l == nil {
		return ""
	}
	words := []string{"nobody yet"}
	if l.app.Grant == config.GrantCredentials {
		words = []string{"by client secret"}
	}
	if !l.login.Since.IsZero() {
		words = []string{l.Provider + " since " + minute(l.login.Since)}
	}
	if l.Error != "" {
		words = append(words, "failing since "+minute(l.login.Failed))
	}
	return strings.Join(append(words, l.soon(now())...), "; ")
}

// foretold is from how many days before its end a secret is warned of.
const foretold = 30

// soon says what will end within the next days.
func (l *loginJSON) soon(now time.Time) []string {
	var out []string
	if text := secretEnds(l.app, now); text != "" {
		out = append(out, text)
	}
	if left := l.login.Ends.Sub(now); !l.login.Ends.IsZero() && left < foretold*24*time.Hour {
		out = append(out, "the login ends "+inDays(int(left.Hours()/24)))
	}
	return out
}

// secretEnds says when the secret of an app expires, "" when that is far.
func secretEnds(app config.OAuthApp, now time.Time) string {
	if app.SecretExpires == nil {
		return ""
	}
	days := int(app.SecretExpires.AddDate(0, 0, 1).Sub(now).Hours() / 24) // good until the end of its day
	if app.SecretExpires.AddDate(0, 0, 1).Before(now) {
		return "the client secret has expired on " + app.SecretExpires.String()
	}
	if days > foretold {
		return ""
	}
	return "the client secret expires " + inDays(days)
}

// newSecret says what to do about a secret that expires.
func newSecret(app config.OAuthApp) string {
	at := map[config.OAuthProvider]string{config.ProviderGoogle: "console.cloud.google.com", config.ProviderMicrosoft: "entra.microsoft.com"}[app.Provider]
	if at == "" {
		at = "the provider"
	}
	return fmt.Sprintf("make a new one at %s, write it into %q (client_secret_file of oauth.%s), set secret_expires of oauth.%s to its last day, then: systemctl reload frontdesk",
		at, app.ClientSecret.Source(), app.ID, app.ID)
}

func inDays(n int) string {
	switch {
	case n < 0:
		return "now"
	case n == 0:
		return "today"
	case n == 1:
		return "in 1 day"
	}
	return fmt.Sprintf("in %d days", n)
}

// examineLogins looks at logins with tokens: those that failed, and what will
// end within thirty days.
func (d *desk) examineLogins(ctx context.Context, now time.Time, found func(hint, format string, args ...any)) error {
	for _, app := range d.cfg.OAuth {
		if text := secretEnds(app, now); text != "" {
			found(newSecret(app), "oauth.%s: %s", app.ID, text)
		}
	}
	for _, b := range d.cfg.Brands {
		for _, m := range b.Mailboxes {
			l, err := d.loginOf(ctx, m)
			if err != nil {
				return err
			}
			if l != nil {
				l.examine(m.Address, now, found)
			}
		}
	}
	return nil
}

func (l *loginJSON) examine(address string, now time.Time, found func(hint, format string, args ...any)) {
	again := "frontdesk mailbox login " + address
	left := l.login.Ends.Sub(now)
	switch {
	case l.Error != "":
		why, todo, _ := strings.Cut(l.Error, "\nhint: ")
		found(todo, "%s: %s", address, why)
	case l.login.Since.IsZero() && l.app.Grant != config.GrantCredentials:
		found(again, "%s: nobody has logged in yet", address)
	case !l.login.Ends.IsZero() && left < foretold*24*time.Hour:
		found(again+" (a provider ends logins of apps that are not published after some days)", "%s: the login ends %s", address, inDays(int(left.Hours()/24)))
	}
}
