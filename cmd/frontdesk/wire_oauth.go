package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"frontdesk/config"
	"frontdesk/oauth"
	"frontdesk/store"
)

// accounts are the mailboxes that log in with tokens: one account for each,
// which IMAP, SMTP and commands share. A reload that changes an app makes a new
// one; the others stay, and what is waited for with them.
type accounts struct {
	db *store.DB

	mu sync.Mutex
	by map[string]*oauth.Account // by address
}

func newAccounts(db *store.DB) *accounts {
	return &accounts{db: db, by: map[string]*oauth.Account{}}
}

// of returns the account of a mailbox, nil when it has passwords only.
func (a *accounts) of(cfg *config.Config, m config.Mailbox) *oauth.Account {
	c := cfg.OAuthOf(m)
	if c == nil {
		return nil
	}
	app := appOf(*c)
	a.mu.Lock()
	defer a.mu.Unlock()
	if known := a.by[m.Address]; known != nil && reflect.DeepEqual(known.App(), app) {
		return known
	}
	a.by[m.Address] = oauth.NewAccount(oauth.Options{Name: m.Address, App: app, Vault: vault{a.db, app}, Now: now})
	return a.by[m.Address]
}

// imap and smtp say how a mailbox logs in: "" and nil with a password.
func (a *accounts) imap(cfg *config.Config, m config.Mailbox) (mechanism string, tokens *oauth.Account) {
	return a.login(cfg, m, m.IMAP.Auth)
}

func (a *accounts) smtp(cfg *config.Config, m config.Mailbox) (mechanism string, tokens *oauth.Account) {
	return a.login(cfg, m, m.SMTP.Auth)
}

func (a *accounts) login(cfg *config.Config, m config.Mailbox, auth config.AuthMethod) (string, *oauth.Account) {
	switch auth {
	case config.AuthXOAuth2:
		return oauth.XOAUTH2, a.of(cfg, m)
	case config.AuthOAuthBearer:
		return oauth.OAuthBearer, a.of(cfg, m)
	}
	return "", nil
}

// appOf puts an app of the configuration into the words of package oauth.
func appOf(c config.OAuthApp) oauth.App {
	app := oauth.App{Provider: "the provider"}
	grant := oauth.Grant(c.Grant)
	switch c.Provider {
	case config.ProviderGoogle:
		app = oauth.Google()
	case config.ProviderMicrosoft:
		tenant := c.Tenant
		if tenant == "" {
			tenant = "common"
		}
		app = oauth.Microsoft(tenant, grant)
	}
	app.Key, app.Grant, app.ClientID = "oauth."+c.ID, grant, c.ClientID
	app.Secret, app.SecretFile = c.ClientSecret.Reveal(), c.ClientSecret.Source()
	if len(c.Scopes) > 0 {
		app.Scopes = c.Scopes
	}
	for url, own := range map[*string]string{&app.AuthURL: c.AuthURL, &app.TokenURL: c.TokenURL, &app.DeviceURL: c.DeviceURL} {
		if own != "" {
			*url = own
		}
	}
	return app
}

// vault keeps the tokens of one app's mailboxes in the store.
type vault struct {
	db  *store.DB
	app oauth.App
}

// keptToken is what the store enciphers.
type keptToken struct {
	Access  string   `json:"access"`
	Refresh string   `json:"refresh,omitempty"`
	Scopes  []string `json:"scopes,omitempty"`
}

func (v vault) Load(ctx context.Context, account string) (oauth.Record, error) {
	l, err := v.db.Login(ctx, account)
	r := oauth.Record{
		Token:     oauth.Token{Expires: l.Expires, Ends: l.Ends},
		Refreshed: l.Refreshed, ClaimedUntil: l.ClaimedUntil, Epoch: l.Epoch,
	}
	switch {
	case errors.Is(err, store.ErrSealed) && v.app.Grant == oauth.GrantCredentials:
		return r, nil // it gets a new one
	case errors.Is(err, store.ErrSealed):
		return r, &oauth.Error{Kind: oauth.KindLogin, Account: account, App: &v.app, Detail: "what was stored of it is " + store.ErrSealed.Error()}
	case err != nil:
		return r, err
	case len(l.Token) == 0:
		return r, nil
	}
	var kept keptToken
	if err := json.Unmarshal(l.Token, &kept); err != nil {
		return r, fmt.Errorf("read login of %s: %w", account, err)
	}
	r.Access, r.Refresh, r.Scopes = kept.Access, kept.Refresh, kept.Scopes
	return r, nil
}

func (v vault) Claim(ctx context.Context, account string, epoch int64, now, until time.Time) (int64, error) {
	claimed, err := v.db.ClaimLogin(ctx, account, epoch, now, until)
	return claimed, lostOf(err)
}

func (v vault) Save(ctx context.Context, account string, claimed int64, t oauth.Token, now time.Time) error {
	l, err := loginOf(account, t, now)
	if err != nil {
		return err
	}
	l.Epoch = claimed
	return lostOf(v.db.SaveLogin(ctx, l))
}

func (v vault) Failed(ctx context.Context, account string, claimed int64, why string, now time.Time) error {
	return lostOf(v.db.LoginFailed(ctx, account, claimed, why, now))
}

func (v vault) Put(ctx context.Context, account string, t oauth.Token, now time.Time) error {
	l, err := loginOf(account, t, now)
	if err != nil {
		return err
	}
	return v.db.PutLogin(ctx, l)
}

func loginOf(account string, t oauth.Token, now time.Time) (store.Login, error) {
	text, err := json.Marshal(keptToken{t.Access, t.Refresh, t.Scopes})
	return store.Login{Account: account, Token: text, Expires: t.Expires, Ends: t.Ends, Since: now, Refreshed: now}, err
}

func lostOf(err error) error {
	if errors.Is(err, store.ErrLost) {
		return fmt.Errorf("%w: %w", oauth.ErrLost, err)
	}
	return err
}
