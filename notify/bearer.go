package notify

import (
	"errors"
	"fmt"
	"net/textproto"
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"

	"frontdesk/oauth"
)

// bearer logs in with a token.
func (s *submission) bearer(r Route, token string, offers []string) error {
	if !slices.Contains(offers, r.Mechanism) {
		return fmt.Errorf("%s offers AUTH %s and not %s: set auth to what it offers", r.Host, strings.Join(offers, " "), r.Mechanism)
	}
	auth := &bearerAuth{oauth.Bearer{Mechanism: r.Mechanism, Username: r.Username, Token: token, Host: r.Host, Port: r.Port}}
	if err := s.client.Auth(auth); err != nil {
		return fmt.Errorf("AUTH at %s: %w", r.Host, auth.explain(err))
	}
	return nil
}

// Bearer returns a login with a token for go-mail, and what makes an
// *oauth.Refused of its error where it is one.
func Bearer(b oauth.Bearer) (auth smtp.Auth, explain func(error) error) {
	a := &bearerAuth{b}
	return a, a.explain
}

// bearerAuth is oauth.Bearer in the words of go-mail.
type bearerAuth struct{ oauth.Bearer }

func (a *bearerAuth) Start(*smtp.ServerInfo) (mechanism string, first []byte, err error) {
	return a.Bearer.Start()
}

func (a *bearerAuth) Next(challenge []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	return a.Bearer.Next(challenge)
}

// explain tells a refused token from a server that is not well (4xx: RFC 4954
// section 6; some say 454 of a token all the same, after they said why).
func (a *bearerAuth) explain(err error) error {
	var reply *textproto.Error
	if errors.As(err, &reply) && (reply.Code/100 == 5 || a.Challenged()) {
		return a.Refused(err)
	}
	return err
}
