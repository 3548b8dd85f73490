package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Record is what a Vault keeps of an account.
type Record struct {
	Token
	Refreshed    time.Time // when Access was fetched
	ClaimedUntil time.Time // somebody fetches a token meanwhile
	Epoch        int64     // changes with every change; 0: there is none
}

// Vault keeps records. ErrLost of Save and Failed says that the record has
// moved on: somebody else fetched, or a person logged in.
type Vault interface {
	Load(ctx context.Context, account string) (Record, error)
	// Claim is ErrLost when the record is not as it was at epoch, or is claimed.
	Claim(ctx context.Context, account string, epoch int64, now, until time.Time) (claimed int64, err error)
	Save(ctx context.Context, account string, claimed int64, t Token, now time.Time) error
	Failed(ctx context.Context, account string, claimed int64, why string, now time.Time) error
	// Put stores what a person got; it never loses.
	Put(ctx context.Context, account string, t Token, now time.Time) error
}

// ErrLost is described at Vault.
var ErrLost = errors.New("somebody else has it")

const (
	early       = 5 * time.Minute  // a token is renewed so long before its end
	askTimeout  = 20 * time.Second // for one answer of a provider; a stop waits longer than that
	claimFor    = time.Minute      // above askTimeout and the store's time
	storeFor    = 10 * time.Second // for one call of the vault after the provider has answered
	storeTries  = 3
	lookAgain   = 200 * time.Millisecond // while another node fetches
	renewEvery  = 5 * time.Minute        // a refusing mail server makes us fetch at most so often
	backoffMost = 5 * time.Minute
)

// Options of NewAccount.
type Options struct {
	Name  string // address of the mailbox: its key in the vault
	App   App
	Vault Vault
	Now   func() time.Time // nil: time.Now
}

// Account hands out access tokens of one mailbox. It is safe for many
// goroutines.
type Account struct {
	name  string
	app   App
	vault Vault
	now   func() time.Time
	http  *http.Client

	turn chan struct{} // holds one token when nobody is at work; guards what follows

	fails   int       // fetches that failed in a row
	failed  *Error    // the last one, nil none
	at      int64     // epoch of the record then: another one is tried at once
	next    time.Time // not before
	forced  time.Time // when a refused token was renewed last
	unsaved *unsaved  // fetched, and the vault did not take it yet
}

type unsaved struct {
	token   Token
	claimed int64
	at      time.Time
}

// NewAccount prepares an account; it asks nobody.
func NewAccount(opt Options) *Account {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	a := &Account{name: opt.Name, app: opt.App, vault: opt.Vault, now: opt.Now, http: client(askTimeout), turn: make(chan struct{}, 1)}
	a.turn <- struct{}{}
	return a
}

// App returns the app that the account asks with.
func (a *Account) App() App { return a.app }

// Token returns an access token that lasts, fetching one when need be. The
// error is an *Error, one of the vault's, or ctx's.
func (a *Account) Token(ctx context.Context) (string, error) { return a.get(ctx, "") }

// LogIn calls login with a token, and when the server refuses it although it
// has not expired (login then returns a *Refused), once more with a new one.
// Each call must make a connection of its own.
func (a *Account) LogIn(ctx context.Context, login func(token string) error) error {
	token, err := a.get(ctx, "")
	if err != nil {
		return err
	}
	err = login(token)
	var refused *Refused
	if !errors.As(err, &refused) {
		return err
	}
	again, renewErr := a.get(ctx, token)
	switch {
	case errors.Is(renewErr, errRenewed):
		return a.explain(ctx, refused)
	case renewErr != nil:
		return renewErr
	}
	err = login(again)
	if errors.As(err, &refused) {
		return a.explain(ctx, refused)
	}
	return err
}

// errRenewed says that a refused token was renewed a short while ago: another
// new one would be refused as well.
var errRenewed = errors.New("renewed just now")

// explain says what to do about a server that refuses tokens that are fresh.
func (a *Account) explain(ctx context.Context, r *Refused) error {
	e := &Error{Kind: KindRefused, Account: a.name, App: &a.app}
	login := "frontdesk mailbox login " + a.name
	record, _ := a.vault.Load(ctx, a.name) // without it the text says less
	missing := a.app.Missing(record.Scopes)
	switch {
	case len(missing) > 0:
		e.Kind, e.Detail = KindScope, fmt.Sprintf("granted were %s; %v", strings.Join(record.Scopes, " "), r)
	case r.Scope != "" && len(a.app.Missing(strings.Fields(r.Scope))) > 0:
		e.Detail = r.Error()
		e.todo = fmt.Sprintf("the server wants the scope %s: add it to scopes of %s and grant it at %s, then: %s", r.Scope, a.app.Key, a.app.Provider, login)
	case a.app.Grant == GrantCredentials:
		e.Detail = fmt.Sprintf("%v, although %s gave it just now", r, a.app.Provider)
		e.todo = fmt.Sprintf("let the app of %s into the mailbox (at Microsoft: New-ServicePrincipal and Add-MailboxPermission, application permissions IMAP.AccessAsApp and SMTP.SendAsApp with the administrator's consent), then: frontdesk check --connect", a.app.Key)
	default:
		e.Detail = fmt.Sprintf("%v, although %s gave it just now", r, a.app.Provider)
		e.todo = fmt.Sprintf("is IMAP (for letters: authenticated SMTP) switched on for the mailbox, and is %s the account that logged in? Else log in again: %s", r.Username, login)
	}
	return e
}

// get returns a token that is not refused.
func (a *Account) get(ctx context.Context, refused string) (string, error) {
	select {
	case <-a.turn:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { a.turn <- struct{}{} }()
	if err := a.saveUnsaved(ctx); err != nil {
		return "", err
	}
	for {
		record, err := a.vault.Load(ctx, a.name)
		if err != nil {
			return "", err
		}
		now := a.now()
		switch a.todo(record, refused, now) {
		case use:
			return record.Access, nil
		case fail:
			return "", a.failed
		case login:
			return "", &Error{Kind: KindMissing, Account: a.name, App: &a.app}
		case renewed:
			return "", errRenewed
		case wait:
			if err := pause(ctx, lookAgain); err != nil {
				return "", err
			}
			continue
		}
		err = a.fetch(ctx, record, now)
		if err == nil && refused != "" && record.Access == refused {
			a.forced = now
		}
		if err != nil && !errors.Is(err, ErrLost) {
			if usable(record, refused, now) {
				return record.Access, nil // it lasts for some minutes yet
			}
			return "", err
		}
	}
}

// The steps of get.
type step int

const (
	fetch   step = iota // a new token
	use                 // the one there is
	wait                // another node fetches one
	fail                // as it did before: it is too early to ask again
	login               // a person has to
	renewed             // the refused one was new
)

// todo decides what to do. It is pure but for what Account remembers.
func (a *Account) todo(r Record, refused string, now time.Time) step {
	switch {
	case usable(r, refused, now) && !now.Before(renewAt(r)) && a.holdsOff(r, now):
		return use
	case usable(r, refused, now) && now.Before(renewAt(r)):
		return use
	case a.app.Grant != GrantCredentials && r.Refresh == "":
		return login
	case r.ClaimedUntil.After(now) && !r.ClaimedUntil.After(now.Add(2*claimFor)): // else the clock went back
		if usable(r, refused, now) {
			return use
		}
		return wait
	case a.holdsOff(r, now):
		return fail
	case refused != "" && r.Access == refused && now.Sub(a.forced).Abs() < renewEvery:
		return renewed
	}
	return fetch
}

// holdsOff reports that the last fetch failed a short while ago, and nothing
// has changed since.
func (a *Account) holdsOff(r Record, now time.Time) bool {
	return a.failed != nil && a.at == r.Epoch && now.Before(a.next) && !now.Before(a.next.Add(-2*backoffMost))
}

// usable reports whether the token may be shown to a server.
func usable(r Record, refused string, now time.Time) bool {
	return r.Access != "" && r.Access != refused && (r.Expires.IsZero() || now.Before(r.Expires))
}

// renewAt is when a token is renewed: five minutes before its end, and of one
// that lasts shorter than ten minutes after half its time. Zero expiry: never.
func renewAt(r Record) time.Time {
	if r.Expires.IsZero() {
		return time.Unix(1<<40, 0)
	}
	return r.Expires.Add(-min(early, r.Expires.Sub(r.Refreshed)/2))
}

// fetch gets a token from the provider and stores it. ErrLost: look again.
func (a *Account) fetch(ctx context.Context, r Record, now time.Time) error {
	claimed, err := a.vault.Claim(ctx, a.name, r.Epoch, now, now.Add(claimFor))
	if err != nil {
		return err
	}
	// From here on whoever waits may go: the provider may have taken the
	// refresh token back by the time its answer would be thrown away.
	ctx = context.WithoutCancel(ctx)
	t, err := a.app.fetch(context.WithValue(ctx, oauth2.HTTPClient, a.http), r.Refresh, now)
	if err != nil {
		return a.fetchFailed(ctx, claimed, err)
	}
	if t.Scopes == nil {
		t.Scopes = r.Scopes // RFC 6749 section 5.1: as before
	}
	if t.Ends.IsZero() && t.Refresh == r.Refresh {
		t.Ends = r.Ends
	}
	a.fails, a.failed = 0, nil
	a.unsaved = &unsaved{t, claimed, now}
	return a.saveUnsaved(ctx)
}

// fetchFailed notes why, and when it is tried again.
func (a *Account) fetchFailed(ctx context.Context, claimed int64, err error) error {
	e := a.app.classify(a.name, err)
	ctx, cancel := context.WithTimeout(ctx, storeFor)
	defer cancel()
	if err := a.vault.Failed(ctx, a.name, claimed, e.Error(), a.now()); errors.Is(err, ErrLost) {
		return err // another node, or a person, was faster
	}
	a.fails++
	a.failed, a.at, a.next = e, claimed+1, a.now().Add(backoff(a.fails, e.Kind))
	return e
}

// backoff is 1 s doubling to five minutes. What only a person can mend is asked
// for less often from the start: the person's login is seen at once anyway.
func backoff(fails int, k Kind) time.Duration {
	if k != KindTemporary {
		return backoffMost
	}
	return min(backoffMost, time.Second<<min(fails-1, 12))
}

// saveUnsaved stores a token that was fetched. Until that is done it is not
// used: a crash would lose the new refresh token after the old one has ended.
func (a *Account) saveUnsaved(ctx context.Context) error {
	if a.unsaved == nil {
		return nil
	}
	var err error
	for try := range storeTries {
		if try > 0 {
			if err := pause(ctx, lookAgain<<try); err != nil {
				return err
			}
		}
		saving, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeFor)
		err = a.vault.Save(saving, a.name, a.unsaved.claimed, a.unsaved.token, a.unsaved.at)
		cancel()
		if err == nil || errors.Is(err, ErrLost) {
			a.unsaved = nil
			return nil // get looks at what is there now
		}
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
