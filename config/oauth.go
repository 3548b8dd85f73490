package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// OAuthProvider says whose endpoints and scopes are meant.
type OAuthProvider string

const (
	ProviderGoogle    OAuthProvider = "google"
	ProviderMicrosoft OAuthProvider = "microsoft"
	ProviderCustom    OAuthProvider = "custom" // the addresses and scopes are in the file
)

// OAuthGrant says how the desk comes by tokens.
type OAuthGrant string

const (
	GrantCode        OAuthGrant = "authorization_code" // a person with a browser
	GrantDevice      OAuthGrant = "device_code"        // a person with another machine
	GrantCredentials OAuthGrant = "client_credentials" // nobody: the app has the right itself
)

// OAuthApp is the desk's registration at a provider.
type OAuthApp struct {
	// ID is the name of the block.
	ID           string        `yaml:"-"`
	Provider     OAuthProvider `yaml:"provider" required:"true" allowed:"google|microsoft|custom" example:"microsoft" doc:"Whose addresses and scopes are meant; custom: those below."`
	ClientID     string        `yaml:"client_id" required:"true" example:"00000000-0000-0000-0000-000000000000" doc:"What the provider calls the app that you registered there."`
	ClientSecret Secret        `yaml:"client_secret_file" kind:"password" example:"oauth.secret" says:"none: a public client" doc:"File with the app's secret, chmod 600, or credential:NAME. Google wants one always."`
	// SecretExpires is nil when nobody said.
	SecretExpires *Day       `yaml:"secret_expires" example:"2027-06-30" says:"never" doc:"Last day of the secret, as the provider said when it was made. From 30 days before, doctor and mailbox list warn; 30, 7 and 1 days before, alerts tell."`
	Grant         OAuthGrant `yaml:"grant" default:"authorization_code" allowed:"authorization_code|device_code|client_credentials" doc:"How the desk gets in: a person logs in with a browser, or on another machine with a code, or (Microsoft) the app has the right itself."`
	Tenant        string     `yaml:"tenant" example:"example.onmicrosoft.com" says:"common" doc:"Microsoft's directory: its id or domain. client_credentials needs it."`
	Scopes        []string   `yaml:"scopes" says:"those for IMAP and SMTP at Google and Microsoft" example:"[\"https://outlook.office.com/IMAP.AccessAsUser.All\", \"https://outlook.office.com/SMTP.Send\", offline_access]" doc:"What is asked for."`
	AuthURL       string     `yaml:"auth_url" says:"the provider's" example:"https://login.example.com/authorize" doc:"Authorization endpoint, which a browser opens."`
	TokenURL      string     `yaml:"token_url" says:"the provider's" example:"https://login.example.com/token" doc:"Token endpoint."`
	DeviceURL     string     `yaml:"device_url" says:"the provider's" example:"https://login.example.com/device" doc:"Device authorization endpoint."`
}

// Day is a date of the calendar.
type Day struct {
	time.Time // 00:00 UTC
}

// String returns "2027-06-30".
func (d Day) String() string { return d.Format(time.DateOnly) }

// MarshalText returns String.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d *Day) decode(l *loader, path string, n *node) {
	text, ok := l.scalar(path, n)
	if !ok {
		return
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		l.add(path, "%q is not a date (example: 2027-06-30)", n.text)
		return
	}
	d.Time = t
}

// OAuthOf returns the app that a mailbox gets tokens from, nil when it logs in
// with passwords alone.
func (c *Config) OAuthOf(m Mailbox) *OAuthApp {
	if !m.Token() {
		return nil
	}
	if i := slices.IndexFunc(c.OAuth, func(a OAuthApp) bool { return a.ID == m.OAuth }); i >= 0 {
		return &c.OAuth[i]
	}
	return nil
}

// Token reports whether one of the mailbox's logins takes a token.
func (m Mailbox) Token() bool {
	return m.SMTP.Auth.Token() || m.IMAP != nil && m.IMAP.Auth.Token()
}

// fillOAuth completes what the logins with tokens leave out.
func fillOAuth(cfg *Config, m *Mailbox) {
	if m.OAuth == "" && len(cfg.OAuth) == 1 && m.Token() {
		m.OAuth = cfg.OAuth[0].ID
	}
	if m.SMTP.Auth.Token() && m.SMTP.Username == "" {
		m.SMTP.Username = m.Address
	}
}

func (c *checker) oauth() {
	for i := range c.cfg.OAuth {
		a := &c.cfg.OAuth[i]
		c.app("oauth."+a.ID, a)
	}
}

func (c *checker) app(key string, a *OAuthApp) {
	for name, address := range map[string]string{"auth_url": a.AuthURL, "token_url": a.TokenURL, "device_url": a.DeviceURL} {
		if address != "" {
			c.endpoint(key+"."+name, address)
		}
	}
	for i, s := range a.Scopes {
		if s == "" || strings.ContainsAny(s, " \t\"\\") {
			c.at(fmt.Sprintf("%s.scopes[%d]", key, i), "%q is not one scope: write a list", s)
		}
	}
	if strings.ContainsAny(a.Tenant, "/?# ") {
		c.at(key+".tenant", "%q is not a directory's id or domain", a.Tenant)
	}
	if !a.ClientSecret.IsSet() && a.Grant == GrantCredentials {
		c.at(key+".client_secret_file", "missing: without it anybody could be the app, and client_credentials asks for nothing else")
	}
	switch a.Provider {
	case ProviderGoogle:
		c.google(key, a)
	case ProviderMicrosoft:
		if own := a.Tenant != "" && a.Tenant != "common" && a.Tenant != "organizations" && a.Tenant != "consumers"; a.Grant == GrantCredentials && !own && a.TokenURL == "" {
			c.at(key+".tenant", "missing: client_credentials needs the directory's own id or domain (example: example.onmicrosoft.com)")
		}
	case ProviderCustom:
		c.custom(key, a)
	}
}

// google checks what Google does not do for mail.
func (c *checker) google(key string, a *OAuthApp) {
	switch {
	case a.Grant == GrantDevice && len(a.Scopes) == 0:
		c.at(key+".grant", "device_code: Google gives devices no access to mail (allowed: authorization_code)")
	case a.Grant == GrantCredentials:
		c.at(key+".grant", "client_credentials: Google has no such grant (allowed: authorization_code; or an app password, with auth: password)")
	case !a.ClientSecret.IsSet():
		c.at(key+".client_secret_file", "missing: Google wants the secret of every app, also of one for the desktop")
	}
}

// custom checks that the file says what no name of a provider does.
func (c *checker) custom(key string, a *OAuthApp) {
	need := map[OAuthGrant]string{GrantCode: "auth_url", GrantDevice: "device_url"}
	for _, name := range []string{"token_url", need[a.Grant]} {
		if name != "" && !c.has(key+"."+name) {
			c.at(key+"."+name, "missing: provider custom has no address of its own (example: https://login.example.com/%s)", strings.TrimSuffix(name, "_url"))
		}
	}
	if len(a.Scopes) == 0 {
		c.at(key+".scopes", "missing: provider custom has none of its own (example: [openid, email, offline_access])")
	}
}

// endpoint checks an address that secrets are sent to.
func (c *checker) endpoint(key, address string) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Fragment != "" || u.User != nil:
		c.at(key, "not a web address (example: https://login.example.com/token)")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		c.at(key, "http would show secrets to the network (allowed: https)")
	}
}

// tokens checks a mailbox that logs in with tokens.
func (c *checker) tokens(key string, m *Mailbox) {
	all := ids(c.cfg.OAuth, func(a OAuthApp) string { return a.ID })
	if m.OAuth != "" && !slices.Contains(all, m.OAuth) {
		if len(all) == 0 {
			c.at(key+".oauth", "no block %q: there is no oauth at the top of the file", m.OAuth)
		} else {
			c.at(key+".oauth", "no block oauth.%s at the top of the file%s", m.OAuth, didYouMean(m.OAuth, all))
		}
		return
	}
	if m.OAuth != "" || !m.Token() {
		return
	}
	where := key + ".smtp.auth"
	if m.IMAP != nil && m.IMAP.Auth.Token() {
		where = key + ".imap.auth"
	}
	if len(all) > 1 {
		c.at(key+".oauth", "missing: which of %s do its tokens come from?", strings.Join(all, ", "))
		return
	}
	c.at(where, "needs an app at the provider: add oauth at the top of the file (example: oauth: {mail: {provider: google, client_id: …, client_secret_file: oauth.secret}})")
}
