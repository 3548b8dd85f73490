package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

// Kind says who has to do something about an Error.
type Kind string

const (
	KindMissing   Kind = "missing"   // nobody has logged in yet
	KindLogin     Kind = "login"     // the login has ended: a person has to log in again
	KindClient    Kind = "client"    // the provider does not know the app, or its secret is wrong or has expired
	KindScope     Kind = "scope"     // the app may not do what is asked for
	KindRefused   Kind = "refused"   // the mail server refuses tokens that the provider just gave
	KindTemporary Kind = "temporary" // the provider does not answer well: it is tried again by itself
)

// Error is why there is no token, in words that say what to do.
type Error struct {
	Kind    Kind
	Account string // address of the mailbox
	App     *App
	Code    string // the provider's word for it, as in RFC 6749 section 5.2; "" none
	Detail  string // the provider's description, or what was wrong with the connection

	todo string // of KindRefused
}

// Error returns what is wrong and, on a line of its own that begins with
// "hint: ", what to do next.
func (e *Error) Error() string { return e.What() + "\nhint: " + e.Todo() }

// What returns one line: what is wrong.
func (e *Error) What() string {
	said := e.Detail
	if e.Code != "" {
		said = strings.TrimSuffix(e.Code+": "+e.Detail, ": ")
	}
	switch e.Kind {
	case KindMissing:
		return fmt.Sprintf("nobody has logged in to %s for %s yet", e.App.Provider, e.Account)
	case KindLogin:
		return fmt.Sprintf("the login of %s at %s has ended (%s)", e.Account, e.App.Provider, said)
	case KindClient:
		return fmt.Sprintf("%s refuses the app (%s)", e.App.Provider, said)
	case KindScope:
		return fmt.Sprintf("%s does not let the app of %s read and send mail (%s)", e.App.Provider, e.App.Key, said)
	case KindRefused:
		return said
	}
	return fmt.Sprintf("%s gives no token now (%s)", e.App.Provider, said)
}

// Todo returns one line: what to do next.
func (e *Error) Todo() string {
	login := "frontdesk mailbox login " + e.Account
	switch e.Kind {
	case KindMissing:
		return "run: " + login
	case KindLogin:
		return "log in again: " + login
	case KindClient:
		return e.mendApp() + ", then: systemctl reload frontdesk"
	case KindScope:
		return fmt.Sprintf("grant it the scope %s there, then: %s", strings.Join(e.App.Scopes, " "), login)
	case KindRefused:
		return e.todo
	}
	return "it is tried again by itself, and no mail is lost; when it lasts: frontdesk check --connect"
}

// mendApp says what may be wrong with the registration.
func (e *Error) mendApp() string {
	switch {
	case strings.Contains(e.Detail, "AADSTS700025"): // Microsoft: the app is public
		return fmt.Sprintf("the app is a public one and has no secret: take client_secret_file out of %s", e.App.Key)
	case e.Code == "invalid_client" && e.App.Secret != "":
		return fmt.Sprintf("its client secret is wrong or has expired: make a new one at %s and write it into %q (client_secret_file of %s)", e.App.Provider, e.App.SecretFile, e.App.Key)
	case e.Code == "invalid_client":
		return fmt.Sprintf("check client_id of %s, and whether the app wants a client_secret_file", e.App.Key)
	}
	return fmt.Sprintf("check client_id, tenant, grant and scopes of %s", e.App.Key)
}

// Temporary reports that the same may work later without anybody doing anything.
func (e *Error) Temporary() bool { return e.Kind == KindTemporary }

// kinds are the words of RFC 6749 section 5.2, RFC 8628 section 3.5 and
// providers' own; all others are about the app (invalid_client,
// unauthorized_client, Google's deleted_client and org_internal).
var kinds = map[string]Kind{
	"invalid_grant":         KindLogin,
	"interaction_required":  KindLogin, // Microsoft: a new condition, a second factor
	"login_required":        KindLogin,
	"consent_required":      KindLogin,
	"expired_token":         KindLogin,
	"access_denied":         KindLogin,
	"invalid_scope":         KindScope,
	"insufficient_scope":    KindScope,
	"admin_policy_enforced": KindScope, // Google Workspace: the administrator blocks the app
}

// classify says what an error of a provider means.
func (a *App) classify(account string, err error) *Error {
	e := &Error{Kind: KindTemporary, Account: account, App: a}
	var known *Error
	var answer *oauth2.RetrieveError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &answer):
		e.Code, e.Detail = oneLine(answer.ErrorCode, 60), describe(answer.ErrorDescription)
		if e.Code == "" && e.Detail == "" && answer.Response != nil {
			e.Detail = oneLine(answer.Response.Status, 60)
		}
		if passing(answer.Response) {
			break
		}
		e.Kind = KindClient // an error that nobody described: waiting alone mends nothing
		if k, ok := kinds[e.Code]; ok {
			e.Kind = k
		}
	default:
		var u *url.Error
		if errors.As(err, &u) { // "Post \"https://…\": …": the address says nothing new
			err = u.Err
		}
		e.Detail = oneLine(strings.TrimPrefix(err.Error(), "oauth2: "), 200)
	}
	return e
}

// passing reports an answer that says something of the provider's state, not
// of the request.
func passing(r *http.Response) bool {
	if r == nil {
		return true
	}
	switch r.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	}
	return r.StatusCode >= 500
}

// describe shortens a provider's description to what does not change from one
// time to the next: Microsoft adds ids and the time.
func describe(text string) string {
	for _, mark := range []string{"Trace ID:", "Correlation ID:", "Timestamp:"} {
		text, _, _ = strings.Cut(text, mark)
	}
	return oneLine(text, 300)
}

// oneLine makes text from outside fit for a line of at most n bytes or so.
func oneLine(text string, n int) string {
	text = strings.ToValidUTF8(text, "?")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == 127 }), " ")
	if len(text) > n {
		text = strings.ToValidUTF8(text[:n], "") + "…"
	}
	return text
}
