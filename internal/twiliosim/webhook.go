package twiliosim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Sign is Twilio's request signature: base64(HMAC-SHA1(token, URL + each POST
// parameter's name and value, sorted by name)). Over https Twilio drops the port
// and, always, user:password; the fragment never leaves Twilio.
func Sign(token, rawURL string, post url.Values) string {
	names := make([]string, 0, len(post))
	for k := range post {
		names = append(names, k)
	}
	sort.Strings(names)
	mac := hmac.New(sha1.New, []byte(token))
	io.WriteString(mac, rawURL)
	for _, k := range names {
		for _, v := range post[k] {
			io.WriteString(mac, k+v)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Direct carries requests to a handler in this process, without a socket: for
// synctest bubbles and for tests of many webhooks.
func Direct(h http.Handler) http.RoundTripper { return direct{h} }

type direct struct{ h http.Handler }

func (d direct) RoundTrip(r *http.Request) (res *http.Response, err error) {
	in := r.Clone(r.Context())
	in.RequestURI, in.Host, in.RemoteAddr = r.URL.RequestURI(), r.URL.Host, "127.0.0.1:1"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	rec := &kept{header: http.Header{}, status: http.StatusOK}
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			res, err = nil, io.ErrUnexpectedEOF
		} else if p != nil {
			panic(p)
		}
	}()
	d.h.ServeHTTP(rec, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: rec.status, Status: http.StatusText(rec.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: rec.header, Body: io.NopCloser(&rec.body), ContentLength: int64(rec.body.Len()), Request: r}, nil
}

// kept is an answer in memory. net/http/httptest has one, and a flag that a
// program with a demo in it would show.
type kept struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

func (k *kept) Header() http.Header { return k.header }

func (k *kept) WriteHeader(status int) {
	if !k.wrote {
		k.status, k.wrote = status, true
	}
}

func (k *kept) Write(b []byte) (int, error) {
	k.WriteHeader(http.StatusOK)
	return k.body.Write(b)
}

type reply struct {
	status int
	ctype  string
	body   []byte
	err    error
}

func (r *reply) ok() bool { return r.err == nil && r.status >= 200 && r.status < 300 }

// overrides are Twilio's connection overrides in the URL's fragment:
// #rc=3&rp=5xx,rt&rt=2000. The documented defaults are one retry, after a
// failure to connect only.
func overrides(fragment string) (retries int, on string, timeout time.Duration) {
	q, _ := url.ParseQuery(fragment)
	retries, on = 1, or(q.Get("rp"), "ct")
	if v, err := strconv.Atoi(q.Get("rc")); err == nil {
		retries = min(v, 5)
	}
	if v, err := strconv.Atoi(q.Get("rt")); err == nil {
		timeout = time.Duration(v) * time.Millisecond
	}
	return retries, on, timeout
}

func retryable(r *reply, on string) bool {
	var ne net.Error
	slow := errors.As(r.err, &ne) && ne.Timeout()
	for policy := range strings.SplitSeq(on, ",") {
		switch {
		case policy == "all" && !r.ok(), policy == "4xx" && r.status/100 == 4, policy == "5xx" && r.status/100 == 5,
			policy == "rt" && slow, policy == "ct" && r.err != nil && !slow:
			return true
		}
	}
	return false
}

// deliver sends one webhook, with Twilio's retries, and logs every attempt.
func (s *Sim) deliver(name, rawURL, method string, p url.Values) *reply {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		s.log(Event{Kind: "error", Name: name, URL: rawURL, Body: "11100 invalid URL"})
		return &reply{err: fmt.Errorf("invalid URL %q", rawURL)}
	}
	if s.lost(name) {
		s.log(Event{Kind: "lost", Name: name, URL: rawURL, Params: p})
		return &reply{err: errors.New("lost on the way")}
	}
	if method = strings.ToUpper(method); method != http.MethodGet {
		method = http.MethodPost
	}
	retries, on, timeout := overrides(u.Fragment)
	if timeout == 0 || timeout > s.Timeout {
		timeout = s.Timeout
	}
	w := webhook{name: name, u: *u, method: method, params: p, token: uuid(), limit: timeout}
	var r *reply
	for try := 0; try <= retries; try++ {
		if r = s.send(w, try); r.ok() || !retryable(r, on) {
			break
		}
	}
	if s.Duplicate && r.ok() {
		w.name += "-duplicate"
		s.send(w, 0)
	}
	return r
}

type webhook struct {
	name, method, token string
	u                   url.URL
	params              url.Values
	limit               time.Duration
}

func (s *Sim) send(w webhook, try int) *reply {
	ctx, cancel := context.WithTimeout(context.Background(), w.limit)
	defer cancel()
	req, err := s.request(ctx, w)
	if err != nil {
		return &reply{err: err}
	}
	start := time.Now()
	e := Event{Kind: "webhook", Name: w.name, Method: w.method, URL: req.URL.String(), Params: w.params, Token: w.token, Attempt: try + 1}
	res, err := s.client.Do(req)
	r := &reply{err: err}
	if err == nil {
		r.body, r.err = io.ReadAll(io.LimitReader(res.Body, 1<<20))
		res.Body.Close()
		r.status, r.ctype = res.StatusCode, res.Header.Get("Content-Type")
	}
	e.Status, e.Body, e.Millis = r.status, string(r.body), time.Since(start).Milliseconds()
	if r.err != nil {
		e.Body = r.err.Error()
	}
	s.log(e)
	return r
}

// request makes the signed request of a webhook.
func (s *Sim) request(ctx context.Context, w webhook) (*http.Request, error) {
	u, user := w.u, w.u.User
	u.Fragment, u.RawFragment, u.User = "", "", nil
	var body io.Reader
	post := w.params
	if w.method == http.MethodGet {
		q := u.RawQuery
		if q != "" {
			q += "&"
		}
		u.RawQuery, post = q+w.params.Encode(), nil
	} else {
		body = strings.NewReader(w.params.Encode())
	}
	signed := u
	if signed.Scheme == "https" {
		signed.Host = signed.Hostname()
	}
	signature := Sign(s.AuthToken, signed.String(), post)
	if s.SortQuery {
		u.RawQuery = u.Query().Encode()
	}
	req, err := http.NewRequestWithContext(ctx, w.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	if w.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	}
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("Accept", "*/*")
	req.Header.Set("X-Home-Region", "us1")
	req.Header.Set("X-Twilio-Signature", signature)
	req.Header.Set("I-Twilio-Idempotency-Token", w.token)
	if user != nil {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	return req, nil
}

func uuid() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// statuses delivers a series of status callbacks, in order or (ShuffleStatus)
// not.
func (s *Sim) statuses(name, rawURL, method string, all []url.Values) {
	if rawURL == "" {
		return
	}
	if s.ShuffleStatus {
		mrand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	for _, p := range all {
		s.pause(time.Second)
		s.deliver(name, rawURL, method, p)
	}
}
