package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"frontdesk/tickets"
)

var styleNonce = regexp.MustCompile(`nonce[-=]"?[A-Z2-7]{26}`)

// FuzzPages: whatever is asked for and posted, nobody without a link sees anything
// of a ticket, only a POST with the nonce of its page is kept, no answer leads to
// another site or is one of ours that is not strict, and what is asked again has
// the same answer.
func FuzzPages(f *testing.F) {
	const secret, form = "Secretive printer", "application/x-www-form-urlencoded"
	for _, s := range []struct {
		method, path, kind, body string
		link                     bool
	}{
		{"GET", "", "", "", true},
		{"POST", "", form, "action=add&nonce=NONCE&text=hello", true},
		{"POST", "?x=%zz", form, "action=add&nonce=NONCE&text=a%00b%0d%0a.%0d%0a%3Cscript%3E", true},
		{"POST", "", form, "action=confirm&nonce=NONCE", true},
		{"POST", "", form, "action=add&nonce=x&text=a", true},
		{"POST", "", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\nadd\r\n--b--\r\n", true},
		{"PUT", "/files/1/../../x", "", "", true},
		{"POST", "/s/1-abc", "text/plain", "score=5", false},
		{"GET", "/t/1-0000?nonce=x&action=add", "", "", false},
		{"POST", "/u/1-x", form, "List-Unsubscribe=One-Click", false},
		{"HEAD", "//evil.example/%2e%2e", "", "", false},
		{"GET", "/t/%0d%0aSet-Cookie:x", "", "", false},
		{"POST", "/o/1-x/2", form, "a=%zz;b&", false},
		{"GET", "/r/ABC-1%2f..", "", "", false},
	} {
		f.Add(s.method, s.path, s.kind, s.body, "de-DE,de;q=0.5", s.link)
	}
	s := openSite(f)
	one := s.ticket(func(t *tickets.Ticket) { t.Subject, t.SubjectCore = secret, secret })
	tok := token(one, 0)
	nonce := rules.Keys.Nonce(tok, actionAdd)
	f.Fuzz(func(t *testing.T, method, path, kind, body, languages string, link bool) {
		s.t = t
		known := strings.Contains(strings.ToLower(path), tok)
		if link {
			path, body, known = "/t/"+tok+path, strings.ReplaceAll(body, "NONCE", nonce), true
		}
		ask := func() (*httptest.ResponseRecorder, bool) {
			r, err := http.NewRequest(method, "http://desk.example"+path, strings.NewReader(body))
			if err != nil || r.URL.Host != "desk.example" || r.URL.Path != "" && r.URL.Path[0] != '/' {
				return nil, false // a server refuses it
			}
			r.Header.Set("Content-Type", kind)
			r.Header.Set("Accept-Language", languages)
			return s.do(r), true
		}
		before := s.kept()
		w, ok := ask()
		if !ok {
			return
		}
		switch w.Code {
		case 200, 301, 303, 307, 308, 400, 403, 404, 405, 409, 413, 422:
		default:
			t.Errorf("answered %d", w.Code)
		}
		shown := w.Body.String()
		if !known && strings.Contains(shown, secret) {
			t.Errorf("%s %q shows the ticket", method, path)
		}
		if low := strings.ToLower(shown); strings.Contains(low, "<script") || strings.Contains(low, "<img") || strings.Contains(low, "javascript:") {
			t.Errorf("a page with a script or a picture:\n%s", shown)
		}
		for name, values := range w.Header() {
			if strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
				t.Errorf("header %q: %q", name, values)
			}
		}
		if w.Header().Get("Cache-Control") != "no-store" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("not strict: %v", w.Header())
		}
		if to := w.Header().Get("Location"); to != "" {
			if u, err := url.Parse(to); err != nil || u.Host != "" && u.Host != "desk.example" || strings.HasPrefix(to, "//") {
				t.Errorf("leads to %q", to)
			}
		}
		added := s.kept() - before
		if added != 0 && (method != "POST" || !known || w.Code != http.StatusSeeOther || !strings.Contains(body, nonce)) || added > 1 {
			t.Errorf("%s %q with %q: %d rows, answered %d", method, path, body, added, w.Code)
		}
		again, _ := ask()
		if method != "POST" && (again.Code != w.Code || styleNonce.ReplaceAllString(again.Body.String(), "") != styleNonce.ReplaceAllString(shown, "")) {
			t.Errorf("%s %q: answered %d, then %d", method, path, w.Code, again.Code)
		}
		if s.kept()-before > 1 {
			t.Errorf("%s %q: one press is two rows", method, path)
		}
	})
}

// kept is how many rows the ledger has.
func (s *site) kept() int {
	s.t.Helper()
	tally, err := s.db.Tally(s.t.Context(), "")
	if err != nil {
		s.t.Fatal(err)
	}
	return tally.Total
}
