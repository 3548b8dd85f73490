package phone

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- Twilio signs with HMAC-SHA-1, which is not broken
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// MaxWebhook is the most that is read of a webhook's body, in bytes. The longest
// one seen, a WhatsApp message with ten files, has less than 8 KB.
const MaxWebhook = 256 << 10

// Errors of [Verifier.Read]. Their texts name parameters, never values.
var (
	// ErrUnsigned: the request is not proven to come from our account. Answer
	// 403 and keep nothing of its body.
	ErrUnsigned = errors.New("webhook without a valid signature")
	// ErrWebhookSize: the body is longer than MaxWebhook. Answer 413.
	ErrWebhookSize = errors.New("webhook above the size limit")
	// ErrNoToken: NewVerifier was given no token. An empty key would verify
	// whatever an attacker signs with an empty key.
	ErrNoToken = errors.New("no auth token: webhooks cannot be verified")
)

// Webhook is a request that was proven to come from Twilio.
type Webhook struct {
	// URI is the request line's target, byte for byte: path and query.
	URI string
	// Form holds the parameters that were signed: of the body for a form, of
	// the query for a GET, none for JSON.
	Form url.Values
	// Body is the raw body: what belongs in the ledger.
	Body []byte
	// Retry is the I-Twilio-Idempotency-Token, the same on each retry of one
	// webhook. It is a second key; the SIDs in Form are the first.
	Retry string
	// Next tells that the next token signed it: the change-over has begun.
	Next bool
}

// Verifier proves webhooks. It may be used by several goroutines.
type Verifier struct {
	// bases are the beginnings of the public URL that Twilio may have signed,
	// without the path.
	bases []string
	// prefix is the path of the public URL, "" or "/desk".
	prefix string
	tokens []string
}

// NewVerifier returns a Verifier for the desk's public URL, the address that is
// configured at Twilio up to the path ("https://desk.example"), and the
// account's auth token. Next is the secondary token while one replaces the
// other, else "". Only the token of the account that owns the number signs;
// API keys do not.
//
// The error is ErrNoToken for an empty token; another one says what is wrong
// with the URL.
func NewVerifier(publicURL, token, next string) (*Verifier, error) {
	if strings.TrimSpace(token) == "" {
		return nil, ErrNoToken
	}
	u, err := url.Parse(publicURL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("public URL %q: %w", publicURL, err)
	case u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "":
		return nil, fmt.Errorf("public URL %q: want https://host", publicURL)
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return nil, fmt.Errorf("public URL %q: only scheme, host and path belong in it", publicURL)
	}
	v := &Verifier{bases: signedBases(u), prefix: strings.TrimRight(u.EscapedPath(), "/"), tokens: []string{token}}
	if strings.TrimSpace(next) != "" {
		v.tokens = append(v.tokens, next)
	}
	return v, nil
}

// signedBases returns scheme and host as Twilio may sign them. Over https it
// drops the port before it signs, over http it keeps it; libraries of Twilio's
// own try both, because that was not always so.
func signedBases(u *url.URL) []string {
	bare := u.Hostname()
	if strings.Contains(bare, ":") {
		bare = "[" + bare + "]"
	}
	port := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	bases := []string{u.Scheme + "://" + u.Host}
	for _, host := range []string{bare, bare + ":" + port} {
		if base := u.Scheme + "://" + host; !slices.Contains(bases, base) && (host == bare || u.Port() == "") {
			bases = append(bases, base)
		}
	}
	return bases
}

// Read reads the request's body, at most MaxWebhook, and proves the whole. It
// reads no header about hosts or protocols: a proxy writes those, or a stranger.
//
// Errors are ErrUnsigned and ErrWebhookSize, wrapped with what was missing, or
// the error of reading the body.
func (v *Verifier) Read(r *http.Request) (Webhook, error) {
	body, err := readBody(r.Body)
	if err != nil {
		return Webhook{}, err
	}
	return v.Verify(r, body)
}

func readBody(body io.Reader) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	b, err := io.ReadAll(io.LimitReader(body, MaxWebhook+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read webhook: %w", err)
	case len(b) > MaxWebhook:
		return nil, ErrWebhookSize
	}
	return b, nil
}

// Verify proves a request whose body was read before. It does not read r.Body.
func (v *Verifier) Verify(r *http.Request, body []byte) (Webhook, error) {
	signature, err := signatureOf(r.Header)
	if err != nil {
		return Webhook{}, err
	}
	w := Webhook{URI: rawURI(r), Body: body, Retry: r.Header.Get("I-Twilio-Idempotency-Token")}
	signed, err := v.signedForm(r, &w)
	if err != nil {
		return Webhook{}, err
	}
	for n, token := range v.tokens {
		if v.matches(token, w.URI, signed, signature) {
			w.Next = n > 0
			return w, nil
		}
	}
	return Webhook{}, fmt.Errorf("%w: none of ours over %d parameters %s", ErrUnsigned, len(signed), names(signed))
}

// signatureOf returns the one signature of the request. Two headers are
// refused: a proxy might look at the other one.
func signatureOf(h http.Header) ([]byte, error) {
	values := h.Values("X-Twilio-Signature")
	if len(values) != 1 {
		return nil, fmt.Errorf("%w: %d signature headers", ErrUnsigned, len(values))
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(values[0])
	if err != nil || len(signature) != sha1.Size {
		return nil, fmt.Errorf("%w: not the base64 of %d bytes", ErrUnsigned, sha1.Size)
	}
	return signature, nil
}

// rawURI returns the request target byte for byte. A query that was decoded and
// encoded again has another order and other escapes, and fails every Gather.
func rawURI(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI() // absolute form, or a request that a test made
}

// signedForm returns the parameters that go into the signature and puts those
// that a reader may believe into w.
func (v *Verifier) signedForm(r *http.Request, w *Webhook) (url.Values, error) {
	_, query, _ := strings.Cut(w.URI, "?")
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method == http.MethodGet && len(w.Body) == 0:
		form, err := url.ParseQuery(query)
		if err != nil {
			return nil, fmt.Errorf("%w: query cannot be read", ErrUnsigned)
		}
		w.Form = form
		return nil, nil // a GET is signed by its URL alone
	case r.Method != http.MethodPost:
		return nil, fmt.Errorf("%w: method %q", ErrUnsigned, r.Method)
	case kind == "application/x-www-form-urlencoded", kind == "" && len(w.Body) == 0:
		form, err := url.ParseQuery(string(w.Body))
		if err != nil {
			return nil, fmt.Errorf("%w: form cannot be read", ErrUnsigned)
		}
		w.Form = form
		return form, nil
	}
	w.Form = url.Values{}
	return nil, checkBodyHash(query, w.Body)
}

// checkBodyHash compares a body that is not a form with the bodySHA256 of the
// signed query.
func checkBodyHash(query string, body []byte) error {
	values, err := url.ParseQuery(query)
	if err != nil || len(values["bodySHA256"]) != 1 {
		return fmt.Errorf("%w: a body that is no form, without one bodySHA256", ErrUnsigned)
	}
	want, err := hex.DecodeString(values.Get("bodySHA256"))
	sum := sha256.Sum256(body)
	if err != nil || !hmac.Equal(want, sum[:]) {
		return fmt.Errorf("%w: bodySHA256 is of another body", ErrUnsigned)
	}
	return nil
}

// matches tries the URLs and the two ways in which repeated parameters are
// signed. Each candidate covers every byte of URL and parameters.
func (v *Verifier) matches(token, uri string, form url.Values, signature []byte) bool {
	ok := false
	for _, base := range v.bases {
		for _, target := range v.targets(uri) {
			for _, text := range signedTexts(base+target, form) {
				mac := hmac.New(sha1.New, []byte(token))
				_, _ = io.WriteString(mac, text)
				ok = hmac.Equal(mac.Sum(nil), signature) || ok
			}
		}
	}
	return ok
}

// targets returns what may follow the host in the signed URL: a proxy in front
// of a public URL with a path either keeps that path or takes it off.
func (v *Verifier) targets(uri string) []string {
	if v.prefix == "" || strings.HasPrefix(uri, v.prefix+"/") {
		return []string{uri}
	}
	return []string{v.prefix + uri}
}

// signedTexts returns the text under the signature: the URL, then name and value
// of each parameter in the order of the names. Where a name is repeated Twilio's
// own libraries differ: all values in their order, or each value once, sorted.
func signedTexts(target string, form url.Values) []string {
	var given, once strings.Builder
	given.WriteString(target)
	once.WriteString(target)
	for _, name := range sortedNames(form) {
		values := slices.Clone(form[name])
		for _, value := range values {
			given.WriteString(name + value)
		}
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			once.WriteString(name + value)
		}
	}
	if given.String() == once.String() {
		return []string{given.String()}
	}
	return []string{given.String(), once.String()}
}

func sortedNames(form url.Values) []string {
	out := make([]string, 0, len(form))
	for name := range form {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// names shows which parameters came, for the log: values are private.
func names(form url.Values) string {
	all := sortedNames(form)
	if len(all) > 60 {
		all = append(all[:60], "…")
	}
	text := strings.Join(all, " ")
	if len(text) > 1000 {
		text = text[:1000] + "…"
	}
	return fmt.Sprintf("%q", text)
}
