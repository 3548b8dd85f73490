package phone

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

const testToken = "0123456789abcdef0123456789abcdef"

// sign is written down a second time on purpose: the text that is signed is
// given, not computed.
func sign(token, text string) string {
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signedForm is the text of a form whose names are not repeated.
func signedText(at string, form url.Values) string {
	names := make([]string, 0, len(form))
	for n := range form {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		at += n + form.Get(n)
	}
	return at
}

func newRequest(t testing.TB, method, uri, body, signature string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, "http://proxy.internal:8025"+uri, strings.NewReader(body))
	r.RequestURI = uri
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	}
	r.Header.Set("X-Twilio-Signature", signature)
	r.Header.Set("X-Forwarded-Host", "evil.example")
	r.Header.Set("X-Forwarded-Proto", "http")
	return r
}

func mustVerifier(t testing.TB, publicURL, token, next string) *Verifier {
	t.Helper()
	v, err := NewVerifier(publicURL, token, next)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The example of Twilio's page on webhook security.
func TestVerifyPublishedVector(t *testing.T) {
	t.Parallel()
	v := mustVerifier(t, "https://mycompany.com", "12345", "")
	body := "Digits=1234&To=%2B18005551212&From=%2B12349013030&Caller=%2B12349013030&CallSid=CA1234567890ABCDE"
	w, err := v.Read(newRequest(t, "POST", "/myapp.php?foo=1&bar=2", body, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="))
	if err != nil || w.Form.Get("Digits") != "1234" || w.Form.Has("foo") || string(w.Body) != body {
		t.Fatal(w, err)
	}
	if _, err := v.Read(newRequest(t, "POST", "/myapp", body, "3KI2uRuYyAdhZIJXcpU0izDUzWI=")); err != nil {
		t.Fatal(err)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	form := url.Values{"From": {"whatsapp:+4915112345678"}, "FromCity": {"KÖLN"}, "Body": {" Grüße & mehr + 100% = 🔥 \n"}, "Empty": {""}}
	many := url.Values{}
	for n := range 40 {
		many.Set(fmt.Sprintf("Param%02d", n), strings.Repeat("x", n))
	}
	for _, c := range []struct {
		name, public, uri string
		signed            string // text under the signature
		body              string
		fine              bool
	}{
		{"utf-8, plus, ampersand, trailing blanks", "https://desk.example", "/twilio/sms", signedText("https://desk.example/twilio/sms", form), form.Encode(), true},
		{"From and FromCity are sorted by name, not as text", "https://desk.example", "/s", "https://desk.example/sFrom2FromCity1", "FromCity=1&From=2", true},
		{"forty parameters", "https://desk.example", "/s", signedText("https://desk.example/s", many), many.Encode(), true},
		{"no parameters", "https://desk.example", "/s", "https://desk.example/s", "", true},
		{"port of https dropped", "https://desk.example:8443", "/s", "https://desk.example/sA1", "A=1", true},
		{"port of https kept", "https://desk.example:8443", "/s", "https://desk.example:8443/sA1", "A=1", true},
		{"standard port added", "https://desk.example", "/s", "https://desk.example:443/sA1", "A=1", true},
		{"port of http kept", "http://desk.example:8080", "/s", "http://desk.example:8080/sA1", "A=1", true},
		{"other port", "https://desk.example", "/s", "https://desk.example:8443/sA1", "A=1", false},
		{"IPv6", "https://[2001:db8::1]:8443", "/s", "https://[2001:db8::1]/sA1", "A=1", true},
		{"query byte for byte", "https://desk.example", "/s?b=2&a=%7E1&c", "https://desk.example/s?b=2&a=%7E1&cA1", "A=1", true},
		{"query sorted on the way", "https://desk.example", "/s?a=1&b=2", "https://desk.example/s?b=2&a=1A1", "A=1", false},
		{"query decoded and encoded", "https://desk.example", "/s?a=~", "https://desk.example/s?a=%7EA1", "A=1", false},
		{"escaped path byte for byte", "https://desk.example", "/s/a%2Fb", "https://desk.example/s/a%2FbA1", "A=1", true},
		{"public path that the proxy takes off", "https://desk.example/desk/", "/s", "https://desk.example/desk/sA1", "A=1", true},
		{"public path that the proxy keeps", "https://desk.example/desk", "/desk/s", "https://desk.example/desk/sA1", "A=1", true},
		{"repeated name, all values", "https://desk.example", "/s", "https://desk.example/sM2M1M1", "M=2&M=1&M=1", true},
		{"repeated name, each value once, sorted", "https://desk.example", "/s", "https://desk.example/sM1M2", "M=2&M=1&M=1", true},
		{"repeated name, the first alone is signed", "https://desk.example", "/s", "https://desk.example/sM2", "M=2&M=1", false},
		{"parameter added", "https://desk.example", "/s", "https://desk.example/sA1", "A=1&B=2", false},
		{"parameter removed", "https://desk.example", "/s", "https://desk.example/sA1B2", "A=1", false},
		{"value changed", "https://desk.example", "/s", "https://desk.example/sA1", "A=2", false},
		{"blank trimmed", "https://desk.example", "/s", "https://desk.example/sA1", "A=1+", false},
		{"other path", "https://desk.example", "/t", "https://desk.example/sA1", "A=1", false},
		{"other host", "https://desk.example", "/s", "https://evil.example/sA1", "A=1", false},
		{"http in place of https", "https://desk.example", "/s", "http://desk.example/sA1", "A=1", false},
		{"the internal address", "https://desk.example", "/s", "http://proxy.internal:8025/sA1", "A=1", false},
		{"a form that cannot be read", "https://desk.example", "/s", "https://desk.example/sA%", "A=%zz", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := mustVerifier(t, c.public, testToken, "")
			w, err := v.Read(newRequest(t, "POST", c.uri, c.body, sign(testToken, c.signed)))
			if (err == nil) != c.fine || err != nil && !errors.Is(err, ErrUnsigned) {
				t.Fatalf("fine=%v wanted, got %v", c.fine, err)
			}
			if err == nil && (w.URI != c.uri || string(w.Body) != c.body) {
				t.Errorf("got %q %q", w.URI, w.Body)
			}
		})
	}
}

func TestVerifyTokens(t *testing.T) {
	t.Parallel()
	text := "https://desk.example/sA1"
	next := "ffffffffffffffffffffffffffffffff"
	for _, c := range []struct {
		name, signature string
		next            string
		fine, isNext    bool
	}{
		{"current", sign(testToken, text), next, true, false},
		{"next", sign(next, text), next, true, true},
		{"next that is not configured", sign(next, text), "", false, false},
		{"wrong", sign("wrong", text), next, false, false},
		{"empty key", sign("", text), "", false, false},
		{"none", "", next, false, false},
		{"not base64", "!!!!", next, false, false},
		{"cut", sign(testToken, text)[:20], next, false, false},
		{"hex", hex.EncodeToString([]byte("12345678901234567890")), next, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, err := mustVerifier(t, "https://desk.example", testToken, c.next).Read(newRequest(t, "POST", "/s", "A=1", c.signature))
			if (err == nil) != c.fine || w.Next != c.isNext {
				t.Errorf("got next=%v, %v", w.Next, err)
			}
		})
	}
}

func TestVerifyTwoSignatures(t *testing.T) {
	t.Parallel()
	r := newRequest(t, "POST", "/s", "A=1", sign(testToken, "https://desk.example/sA1"))
	r.Header.Add("X-Twilio-Signature", "x")
	if _, err := mustVerifier(t, "https://desk.example", testToken, "").Read(r); !errors.Is(err, ErrUnsigned) {
		t.Error(err)
	}
	r.Header.Del("X-Twilio-Signature")
	if _, err := mustVerifier(t, "https://desk.example", testToken, "").Read(r); !errors.Is(err, ErrUnsigned) {
		t.Error(err)
	}
}

func TestVerifyJSON(t *testing.T) {
	t.Parallel()
	body := `{"TranscriptionSid":"GT0"}`
	sum := sha256.Sum256([]byte(body))
	good := "/j?x=1&bodySHA256=" + hex.EncodeToString(sum[:])
	other := "/j?bodySHA256=" + strings.Repeat("00", 32)
	for _, c := range []struct {
		name, uri, body, kind string
		fine                  bool
	}{
		{"json", good, body, "application/json", true},
		{"body changed", good, body + " ", "application/json", false},
		{"hash of another body", other, body, "application/json", false},
		{"no hash", "/j", body, "application/json", false},
		{"hash twice", good + "&bodySHA256=00", body, "application/json", false},
		{"no content type", "/j", body, "", false},
		{"multipart", "/j", body, "multipart/form-data; boundary=x", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRequest(t, "POST", c.uri, c.body, sign(testToken, "https://desk.example"+c.uri))
			r.Header.Set("Content-Type", c.kind)
			w, err := mustVerifier(t, "https://desk.example", testToken, "").Read(r)
			if (err == nil) != c.fine {
				t.Errorf("fine=%v wanted, got %v", c.fine, err)
			}
			if len(w.Form) != 0 {
				t.Errorf("parameters out of a body that is no form: %v", w.Form)
			}
		})
	}
}

func TestVerifyMethods(t *testing.T) {
	t.Parallel()
	v := mustVerifier(t, "https://desk.example", testToken, "")
	uri := "/v?CallSid=CA1&From=%2B1"
	w, err := v.Read(newRequest(t, "GET", uri, "", sign(testToken, "https://desk.example"+uri)))
	if err != nil || w.Form.Get("From") != "+1" {
		t.Error(w, err)
	}
	for _, method := range []string{"PUT", "DELETE", "HEAD"} {
		if _, err := v.Read(newRequest(t, method, uri, "", sign(testToken, "https://desk.example"+uri))); !errors.Is(err, ErrUnsigned) {
			t.Error(method, err)
		}
	}
	if _, err := v.Read(newRequest(t, "GET", uri, "A=1", sign(testToken, "https://desk.example"+uri))); !errors.Is(err, ErrUnsigned) {
		t.Error("GET with a body", err)
	}
	if _, err := v.Read(newRequest(t, "POST", "/s", strings.Repeat("a", MaxWebhook+1), "x")); !errors.Is(err, ErrWebhookSize) {
		t.Error(err)
	}
}

func TestVerifyKeepsTheRetryToken(t *testing.T) {
	t.Parallel()
	r := newRequest(t, "POST", "/s", "A=1", sign(testToken, "https://desk.example/sA1"))
	r.Header.Set("I-Twilio-Idempotency-Token", "d8b8")
	if w, err := mustVerifier(t, "https://desk.example", testToken, "").Read(r); err != nil || w.Retry != "d8b8" {
		t.Error(w, err)
	}
}

func TestNewVerifierFailsClosed(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", " ", "\n"} {
		if _, err := NewVerifier("https://desk.example", token, "next"); !errors.Is(err, ErrNoToken) {
			t.Errorf("token %q: %v", token, err)
		}
	}
	for _, at := range []string{"", "desk.example", "ftp://desk.example", "https://", "https://u:p@desk.example", "https://desk.example?x", "https://desk.example#x", "https://desk.example/?", "https://desk example"} {
		if _, err := NewVerifier(at, testToken, ""); err == nil {
			t.Errorf("public URL %q was taken", at)
		}
	}
}

// The text of a refusal goes to the log: no value of a parameter is in it.
func TestUnsignedErrorKeepsSecrets(t *testing.T) {
	t.Parallel()
	_, err := mustVerifier(t, "https://desk.example", testToken, "").Read(newRequest(t, "POST", "/s", "From=%2B4915112345678&Body=secret", sign("x", "y")))
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "4915112345678") || strings.Contains(err.Error(), testToken) || !strings.Contains(err.Error(), "Body From") {
		t.Error(err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("/twilio/sms?a=1", "From=%2B1&Body=x", "application/x-www-form-urlencoded")
	f.Add("/j?bodySHA256=00", "{}", "application/json")
	f.Add("/", "A=1&A=1&%", "")
	f.Fuzz(func(t *testing.T, uri, body, kind string) {
		if !strings.HasPrefix(uri, "/") {
			uri = "/" + uri
		}
		r := newRequest(t, "POST", "/", body, sign("another token", "https://desk.example"+uri+body))
		r.RequestURI = uri
		r.Header.Set("Content-Type", kind)
		v := mustVerifier(t, "https://desk.example", testToken, "")
		if w, err := v.Read(r); err == nil {
			t.Fatalf("%q %q %q verified: %v", uri, body, kind, w)
		}
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		r = newRequest(t, "POST", "/", body, sign(testToken, signedTexts("https://desk.example"+uri, form)[0]))
		r.RequestURI = uri
		if _, err := v.Read(r); err != nil {
			t.Fatalf("%q %q: %v", uri, body, err)
		}
	})
}
