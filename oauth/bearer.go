package oauth

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The SASL mechanisms.
const (
	XOAUTH2     = "XOAUTH2"     // Google's and Microsoft's own
	OAuthBearer = "OAUTHBEARER" // RFC 7628
)

// Bearer is the client's side of one login with a token. It is a sasl.Client;
// it is used once.
type Bearer struct {
	Mechanism string // XOAUTH2 or OAUTHBEARER
	Username  string
	Token     string
	Host      string // of the server, for OAUTHBEARER
	Port      int

	challenge []byte // what the server said of the token before it refused it
}

// Start returns the mechanism and its first words.
func (b *Bearer) Start() (mechanism string, first []byte, err error) {
	if strings.ContainsAny(b.Username, "\x00\x01\r\n") {
		return "", nil, fmt.Errorf("username %q cannot be sent", b.Username)
	}
	if b.Mechanism == XOAUTH2 {
		return XOAUTH2, []byte("user=" + b.Username + "\x01auth=Bearer " + b.Token + "\x01\x01"), nil
	}
	var s strings.Builder
	// RFC 5801 section 4: these stand for themselves in an authzid nowhere.
	s.WriteString("n,a=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(b.Username) + ",")
	if b.Host != "" {
		s.WriteString("\x01host=" + b.Host)
	}
	if b.Port != 0 {
		s.WriteString("\x01port=" + strconv.Itoa(b.Port))
	}
	s.WriteString("\x01auth=Bearer " + b.Token + "\x01\x01")
	return OAuthBearer, []byte(s.String()), nil
}

// Next takes what a server says of a token that it refuses. The answer is one
// octet, as RFC 7628 section 3.2.3 has it: an empty one, which XOAUTH2 would
// take too, is written as "=" by go-imap, Dovecot calls that a syntax error, and
// why the token was refused is never said.
func (b *Bearer) Next(challenge []byte) ([]byte, error) {
	b.challenge = append(b.challenge[:0], challenge[:min(len(challenge), 4096)]...)
	return []byte{1}, nil
}

// Challenged reports that the server has said why it refuses the token.
func (b *Bearer) Challenged() bool { return len(b.challenge) > 0 }

// Refused makes an error of what the server answered in the end.
func (b *Bearer) Refused(err error) *Refused {
	r := &Refused{Mechanism: b.Mechanism, Username: b.Username, Answer: oneLine(err.Error(), 200)}
	r.Status, r.Scope = parseChallenge(b.challenge)
	return r
}

// parseChallenge reads the server's JSON (RFC 7628 section 3.2.2). What is not
// JSON is the status.
func parseChallenge(challenge []byte) (status, scope string) {
	var said struct {
		Status any    `json:"status"` // Google: "400", others: "invalid_token", or a number
		Scope  string `json:"scope"`
	}
	if len(challenge) == 0 {
		return "", ""
	}
	if err := json.Unmarshal(challenge, &said); err != nil {
		return oneLine(string(challenge), 120), ""
	}
	if said.Status != nil {
		status = oneLine(fmt.Sprint(said.Status), 60)
	}
	return status, oneLine(said.Scope, 200)
}

// Refused says that a mail server did not take a token. The connection must be
// dropped: servers and libraries disagree about its state.
type Refused struct {
	Mechanism, Username string
	Answer              string // what the server ended the login with
	Status, Scope       string // of its JSON; Scope is what the server would have wanted
}

// Error says what the server said.
func (r *Refused) Error() string {
	s := r.Answer
	if r.Status != "" {
		s += fmt.Sprintf("; status %q", r.Status)
	}
	if r.Scope != "" {
		s += fmt.Sprintf("; wants scope %q", r.Scope)
	}
	return fmt.Sprintf("%s as %s: the token is refused (%s)", r.Mechanism, r.Username, s)
}
