package oauth

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func answerOf(status int, mediaType, body string) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {mediaType}}, Body: io.NopCloser(strings.NewReader(body))}
}

// FuzzTokenAnswer feeds an account whatever a token endpoint may say: it gets a
// token that can be sent, or an error of one line, and the vault agrees.
func FuzzTokenAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"access_token":"at","token_type":"Bearer","expires_in":3600,"refresh_token":"rt2","scope":"a b"}`,
		`{"access_token":"at","expires_in":"3599","refresh_token_expires_in":604799}`,
		`{"access_token":"a\u0001auth=Bearer b","expires_in":-1}`,
		`{"error":"invalid_grant","error_description":"AADSTS70000\r\nTrace ID: 1"}`,
		`{"error":"invalid_client"}`, `access_token=at&expires_in=60&refresh_token=rt3`, `{"access_token":{}}`, `{`, ``, "\xff\xfe", `null`,
		`{"access_token":"at","expires_in":1e400}`,
	} {
		f.Add(200, "application/json", seed)
		f.Add(400, "application/json", seed)
		f.Add(200, "application/x-www-form-urlencoded", seed)
	}
	now := time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, status int, mediaType, body string) {
		vault := newShelf()
		_ = vault.Put(t.Context(), box, Token{Refresh: "rt1"}, now)
		a := NewAccount(Options{Name: box, Vault: vault, Now: func() time.Time { return now },
			App: App{Key: "oauth.mail", Provider: "example", Grant: GrantCode, TokenURL: "http://token.invalid/", Scopes: []string{"a"}}})
		a.http.Transport = roundTrip(func(*http.Request) (*http.Response, error) { return answerOf(status, mediaType, body), nil })
		token, err := a.Token(t.Context())
		if (err == nil) != (token != "") {
			t.Fatalf("token %q and error %v", token, err)
		}
		if err != nil {
			if strings.ContainsAny(strings.Replace(err.Error(), "\nhint: ", "", 1), "\r\n\x00") || !utf8.ValidString(err.Error()) || len(err.Error()) > 1500 {
				t.Errorf("error: %q", err)
			}
			return
		}
		if !sendable(token) {
			t.Errorf("token %q", token)
		}
		r, _ := vault.Load(t.Context(), box)
		if r.Access != token || r.Refresh == "" || !r.Expires.IsZero() && !r.Expires.After(now) {
			t.Errorf("kept: %+v", r)
		}
	})
}

// FuzzChallenge feeds a login whatever a mail server may say of a token.
func FuzzChallenge(f *testing.F) {
	for _, seed := range []string{
		`{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`, `{"status":401,"scope":"mail"}`,
		`{"status":"invalid_token"}`, `{"status":{"a":1}}`, `no`, "\x00\xff", ``, `{"scope":7}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, challenge []byte) {
		b := Bearer{Mechanism: XOAUTH2, Username: box, Token: "t"}
		answer, err := b.Next(challenge)
		if err != nil || !bytes.Equal(answer, []byte{1}) {
			t.Fatalf("answer %q, %v", answer, err)
		}
		text := b.Refused(io.EOF).Error()
		if strings.ContainsAny(text, "\r\n\x00") || !utf8.ValidString(text) || len(text) > 1200 {
			t.Errorf("%q", text)
		}
	})
}

func TestFirstWordsOfALogin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		b    Bearer
		want string
	}{
		{Bearer{Mechanism: XOAUTH2, Username: "a@b", Token: "tok"}, "user=a@b\x01auth=Bearer tok\x01\x01"},
		{Bearer{Mechanism: OAuthBearer, Username: "a,b=c@d", Token: "tok", Host: "imap.example.com", Port: 993},
			"n,a=a=2Cb=3Dc@d,\x01host=imap.example.com\x01port=993\x01auth=Bearer tok\x01\x01"},
	} {
		mechanism, got, err := c.b.Start()
		if mechanism != c.b.Mechanism || string(got) != c.want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", mechanism, got, err, c.want)
		}
	}
	if _, _, err := (&Bearer{Mechanism: XOAUTH2, Username: "a\x01b"}).Start(); err == nil {
		t.Error("a username with a separator in it is sent")
	}
}
