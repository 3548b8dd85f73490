package testmail

import (
	"bytes"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// XOAUTH2 is Google's and Microsoft's mechanism, which go-sasl leaves out.
const XOAUTH2 = "XOAUTH2"

// who returns whose token it is, "" nobody's.
func (o *OAuth) who(token string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	a, ok := o.access[token]
	if !ok || !a.good() {
		return ""
	}
	return a.user
}

// bearer is the server's side of XOAUTH2 and OAUTHBEARER. in is called with
// the user once the token was found to be good.
func (o *OAuth) bearer(mechanism string, in func(user string) error) sasl.Server {
	if mechanism == sasl.OAuthBearer {
		return sasl.NewOAuthBearerServer(func(opts sasl.OAuthBearerOptions) *sasl.OAuthBearerError {
			if user := o.who(opts.Token); user == "" || user != opts.Username || in(user) != nil {
				return &sasl.OAuthBearerError{Status: "invalid_token", Schemes: "bearer", Scope: "mail"}
			}
			return nil
		})
	}
	return &xoauth2{o: o, in: in}
}

type xoauth2 struct {
	o       *OAuth
	in      func(user string) error
	refused bool
}

func (x *xoauth2) Next(response []byte) (challenge []byte, done bool, err error) {
	if x.refused {
		return nil, true, &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "Username and token not accepted"}
	}
	if response == nil {
		return []byte{}, false, nil
	}
	user, rest, _ := bytes.Cut(bytes.TrimPrefix(response, []byte("user=")), []byte{1})
	token := strings.Trim(strings.TrimPrefix(string(rest), "auth=Bearer "), "\x01")
	if who := x.o.who(token); who == "" || who != string(user) {
		x.refused = true
		return []byte(`{"status":"400","schemes":"Bearer","scope":"mail"}`), false, nil
	}
	return nil, true, x.in(string(user))
}

// AuthenticateMechanisms makes imapSession an imapserver.SessionSASL.
func (t *imapSession) AuthenticateMechanisms() []string {
	if t.s.opt.Tokens == nil {
		return []string{sasl.Plain}
	}
	return []string{sasl.Plain, XOAUTH2, sasl.OAuthBearer}
}

// Authenticate is described at AuthenticateMechanisms.
func (t *imapSession) Authenticate(mechanism string) (sasl.Server, error) {
	switch {
	case mechanism == sasl.Plain:
		return sasl.NewPlainServer(func(_, user, password string) error { return t.Login(user, password) }), nil
	case t.s.opt.Tokens != nil && (mechanism == XOAUTH2 || mechanism == sasl.OAuthBearer):
		return no{t.s.opt.Tokens.bearer(mechanism, func(user string) error {
			t.s.mu.Lock()
			password := t.s.passwords[user]
			t.s.mu.Unlock()
			return t.Login(user, password)
		})}, nil
	}
	return nil, &imap.Error{Type: imap.StatusResponseTypeNo, Text: "SASL mechanism not supported"}
}

// no turns every error into a NO of IMAP.
type no struct{ sasl.Server }

func (n no) Next(response []byte) (challenge []byte, done bool, err error) {
	challenge, done, err = n.Server.Next(response)
	if err != nil {
		err = imapserver.ErrAuthFailed
	}
	return challenge, done, err
}
