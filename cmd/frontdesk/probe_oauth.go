package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/wneessen/go-mail/smtp"

	"frontdesk/config"
	"frontdesk/notify"
	"frontdesk/oauth"
	"frontdesk/store"
)

// probeTokens fetches tokens for probes. It opens the store only when one is
// wanted and somebody has logged in: a check makes no database.
type probeTokens struct {
	cfg *config.Config

	mu       sync.Mutex
	accounts *accounts
	users    int
}

// run tries a login: with a token where the configuration says so.
func (p *probeTokens) run(ctx context.Context, m config.Mailbox, auth config.AuthMethod, try func(token string) (string, error)) (found string, err error) {
	if !auth.Token() {
		return try("")
	}
	accounts, done, err := p.open(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	if accounts == nil {
		app := appOf(*p.cfg.OAuthOf(m))
		return "", onOneLine(&oauth.Error{Kind: oauth.KindMissing, Account: m.Address, App: &app})
	}
	err = accounts.of(p.cfg, m).LogIn(ctx, func(token string) error {
		found, err = try(token)
		return err
	})
	return found, onOneLine(err)
}

// onOneLine puts what to do behind what is wrong: a finding is one line.
func onOneLine(err error) error {
	var e *oauth.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%s: %s", e.What(), e.Todo())
	}
	return err
}

// open returns the accounts, nil when there is no database to keep them in yet.
func (p *probeTokens) open(ctx context.Context) (*accounts, func(), error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.accounts == nil {
		if ok, err := hasLogins(ctx, p.cfg); !ok || err != nil {
			return nil, func() {}, err
		}
		db, err := store.Open(ctx, store.Options{Database: databaseOf(p.cfg), Keys: keyringOf(p.cfg)})
		if err != nil {
			return nil, func() {}, err
		}
		p.accounts = newAccounts(db)
	}
	p.users++
	return p.accounts, p.done, nil
}

// done closes the store behind the last that used it.
func (p *probeTokens) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users--; p.users == 0 {
		_ = p.accounts.db.Close()
		p.accounts = nil
	}
}

// hasLogins reports whether the database has a place for logins. It asks the
// driver, not the store: opening that would migrate the database, perhaps under
// a daemon of an older version.
func hasLogins(ctx context.Context, cfg *config.Config) (bool, error) {
	driver, name := "sqlite", "file:"+uriPath(databaseOf(cfg))+"?mode=rw" // ro cannot open what no daemon has open: the WAL wants its files
	if cfg.Database.IsPostgres() {
		driver, name = "pgx", databaseOf(cfg)
	} else if _, err := os.Stat(databaseOf(cfg)); err != nil {
		return false, nil
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		return false, errors.New("the database cannot be opened: see its own line")
	}
	defer db.Close()
	var n int
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM logins").Scan(&n); err != nil {
		return false, nil // none, or the probe of the database says what is wrong with it
	}
	return n > 0 || tokensOfApps(cfg), nil
}

// tokensOfApps reports whether an app needs nobody to log in.
func tokensOfApps(cfg *config.Config) bool {
	for _, a := range cfg.OAuth {
		if a.Grant == config.GrantCredentials {
			return true
		}
	}
	return false
}

// mechanismOf is the word of the protocol.
func mechanismOf(auth config.AuthMethod) string {
	if auth == config.AuthOAuthBearer {
		return oauth.OAuthBearer
	}
	return oauth.XOAUTH2
}

func bearerIMAP(client *imapclient.Client, server config.IMAP, token string) error {
	b := &oauth.Bearer{Mechanism: mechanismOf(server.Auth), Username: server.Username, Token: token, Host: server.Host, Port: server.Port}
	if !client.Caps().Has(imap.AuthCap(b.Mechanism)) {
		return fmt.Errorf("the server does not offer %s: check auth", b.Mechanism)
	}
	err := client.Authenticate(b)
	var no *imap.Error
	if errors.As(err, &no) {
		return b.Refused(err)
	}
	return err
}

func bearerSMTP(server config.SMTP, token string) (smtp.Auth, func(error) error) {
	mechanism := mechanismOf(server.Auth)
	auth, explain := notify.Bearer(oauth.Bearer{Mechanism: mechanism, Username: server.Username, Token: token, Host: server.Host, Port: server.Port})
	return auth, func(err error) error {
		err = explain(err)
		var refused *oauth.Refused
		switch {
		case errors.As(err, &refused):
			return err
		case strings.Contains(err.Error(), "AUTH"):
			return fmt.Errorf("login: %s: does the server offer %s? check auth", oneLine(err), mechanism)
		}
		return connectHint(err)
	}
}
