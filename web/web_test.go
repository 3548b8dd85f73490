package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

const (
	maria = "maria@keller.example"
	tom   = "tom@keller.example"
)

// site is the pages over a store with tickets in it.
type site struct {
	t       testing.TB
	db      *store.DB
	handler http.Handler
	now     time.Time
	woken   []string
	wokenMu sync.Mutex
}

var rules = tickets.Rules{
	Keys: tickets.Keyring{Current: tickets.Key{ID: 'a', Secret: []byte("0123456789abcdef0123456789abcdef")}},
	Brands: map[string]tickets.Brand{"baleyo": {Key: "baleyo", Name: "Baleyo", Domain: "baleyo.example", Language: "en",
		Mailboxes: []tickets.Mailbox{{Address: "support@baleyo.example", Queue: "support", Subaddressing: "+"}}}},
	Agents:  map[string]tickets.Agent{},
	Closing: tickets.Closing{RemindAfter: 72 * time.Hour, CloseAfter: 168 * time.Hour, ReopenWindow: 30 * 24 * time.Hour},
}

func openSite(t testing.TB) *site {
	t.Helper()
	s := &site{t: t, db: storetest.SQLite(t), now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	s.handler = New(Options{
		DB: s.db, Rules: func() tickets.Rules { return rules }, Now: func() time.Time { return s.now },
		Brands: func() map[string]Brand {
			return map[string]Brand{"baleyo": {Name: "Baleyo & Söhne", Color: "#b4253c", Language: "en", Location: time.UTC}}
		},
		Wake: func(brand string) { s.wokenMu.Lock(); s.woken = append(s.woken, brand); s.wokenMu.Unlock() },
	})
	return s
}

// ticket stores one with a requester and somebody who was taken off it, and
// returns it as stored.
func (s *site) ticket(edit func(*tickets.Ticket)) tickets.Ticket {
	s.t.Helper()
	t := tickets.Ticket{
		Brand: "baleyo", Mailbox: "support@baleyo.example", Queue: "support", Channel: tickets.ChannelMail,
		Status: tickets.StatusOpen, Subject: "Printer offline", SubjectCore: "Printer offline", Language: "en", Version: 1,
		Participants: []tickets.Participant{
			{Address: tickets.Address{Name: "Maria Keller", Address: maria}, Role: tickets.PartyRequester},
			{Address: tickets.Address{Address: tom}, Role: tickets.PartyRemoved},
		},
		Opened: s.now, Updated: s.now,
	}
	edit(&t)
	var saved store.Saved
	err := s.db.Decide(s.t.Context(), "baleyo", func(tx *store.Tx) (err error) {
		saved, err = tx.Save(s.t.Context(), 0, "", "", tickets.Change{Brand: "baleyo", Tickets: []tickets.TicketChange{{Ticket: t}}}, s.now)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	t, err = s.db.Ticket(s.t.Context(), saved.Tickets[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return t
}

func open(*tickets.Ticket) {}

func (s *site) resolved(t *tickets.Ticket) { t.Status, t.Resolved = tickets.StatusResolved, s.now }

func (s *site) closed(ago time.Duration) func(*tickets.Ticket) {
	return func(t *tickets.Ticket) { t.Status, t.Closed = tickets.StatusClosed, s.now.Add(-ago) }
}

func token(t tickets.Ticket, participant int) string {
	return rules.Keys.PageToken(t.ID, t.Participants[participant].Person)
}

func (s *site) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

func (s *site) get(path string) *httptest.ResponseRecorder {
	return s.do(httptest.NewRequest("GET", path, nil))
}

func post(path string, form url.Values) *http.Request {
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func filled(token, action, text string) url.Values {
	return url.Values{"action": {action}, "nonce": {rules.Keys.Nonce(token, action)}, "text": {text}}
}

func (s *site) press(token, action, text string) *httptest.ResponseRecorder {
	return s.do(post("/t/"+token, filled(token, action, text)))
}

// rows reads the undecided rows of the ledger. Their claims are given back: a row
// whose claim came to nothing is handed out alone.
func (s *site) rows() []tickets.Button {
	s.t.Helper()
	rows, err := s.db.ClaimLedger(s.t.Context(), "baleyo", 100, s.now, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []tickets.Button
	for _, r := range rows {
		var b tickets.Button
		if err := json.Unmarshal(r.Data, &b); err != nil {
			s.t.Fatal(err)
		}
		if r.Channel != tickets.ChannelWeb || r.Mailbox != "support@baleyo.example" || r.Queue != "support" {
			s.t.Errorf("row %+v", r.Item)
		}
		out = append(out, b)
	}
	if err := s.db.ReturnLedger(s.t.Context(), rows); err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *site) wantRows(want ...tickets.Button) {
	s.t.Helper()
	if got := s.rows(); fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Errorf("ledger holds %+v, want %+v", got, want)
	}
}

func wantCode(t *testing.T, w *httptest.ResponseRecorder, code int) {
	t.Helper()
	if w.Code != code {
		t.Fatalf("answered %d, want %d: %s", w.Code, code, w.Body)
	}
}

func wantText(t *testing.T, w *httptest.ResponseRecorder, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(w.Body.String(), text) {
			t.Errorf("page lacks %q:\n%s", text, w.Body)
		}
	}
}

func TestPageShowsStatusAndFormsInWords(t *testing.T) {
	s := openSite(t)
	for _, c := range []struct {
		name  string
		edit  func(*tickets.Ticket)
		want  []string
		forms []string
	}{
		{"new", func(t *tickets.Ticket) { t.Status = tickets.StatusNew }, []string{"Received"}, []string{"add"}},
		{"open", open, []string{"In progress", "Baleyo &amp; Söhne", "Printer offline", "#b4253c"}, []string{"add"}},
		{"pending", func(t *tickets.Ticket) { t.Status = tickets.StatusPending }, []string{"Waiting for you"}, []string{"add"}},
		{"on hold", func(t *tickets.Ticket) { t.Status = tickets.StatusHold }, []string{"On hold"}, []string{"add"}},
		{"resolved", s.resolved, []string{"Yes, it is solved", "No, please reopen"}, []string{"confirm", "reopen"}},
		{"closed", s.closed(29 * 24 * time.Hour), []string{"Closed", "Please reopen"}, []string{"reopen"}},
		{"closed long ago", s.closed(30 * 24 * time.Hour), []string{"Closed", "write us a mail"}, nil},
		{"spam", func(t *tickets.Ticket) { t.Status = tickets.StatusSpam }, []string{"Closed", "write us a mail"}, nil},
		{"German", func(t *tickets.Ticket) { s.resolved(t); t.Language = "de" }, []string{`lang="de"`, "Ja, es ist gelöst", "Nein, bitte wieder öffnen", "Anfrage #"}, []string{"confirm", "reopen"}},
		{"language unknown: the brand's", func(t *tickets.Ticket) { t.Language = "fr" }, []string{`lang="en"`}, []string{"add"}},
		{"no subject", func(t *tickets.Ticket) { t.Subject = " " }, []string{"(no subject)"}, []string{"add"}},
		{"markup in the subject", func(t *tickets.Ticket) { t.Subject = "<script>alert(1)</script>\u202egpj" }, []string{"&lt;script&gt;alert(1)&lt;/script&gt;gpj"}, []string{"add"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tk := s.ticket(c.edit)
			w := s.get("/t/" + token(tk, 0))
			wantCode(t, w, 200)
			wantText(t, w, append(c.want, fmt.Sprintf("#%d", tk.ID))...)
			var forms []string
			for _, m := range regexp.MustCompile(`name="action" value="([a-z]+)"`).FindAllStringSubmatch(w.Body.String(), -1) {
				forms = append(forms, m[1])
			}
			if fmt.Sprint(forms) != fmt.Sprint(c.forms) {
				t.Errorf("forms %v, want %v", forms, c.forms)
			}
		})
	}
}

func TestGetAndHeadChangeNothing(t *testing.T) {
	s := openSite(t)
	tk := s.ticket(s.resolved)
	tok := token(tk, 0)
	query := filled(tok, "confirm", "x").Encode()
	for _, method := range []string{"GET", "HEAD"} {
		for _, path := range []string{"/t/" + tok, "/t/" + tok + "?done=1", "/t/" + tok + "?" + query} {
			r := httptest.NewRequest(method, path, strings.NewReader(query))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			wantCode(t, s.do(r), 200)
		}
	}
	s.wantRows()
	after, err := s.db.Ticket(t.Context(), tk.ID)
	if err != nil || after.Status != tickets.StatusResolved || after.Version != tk.Version {
		t.Errorf("ticket after GETs: %+v, %v", after, err)
	}
	if len(s.woken) != 0 {
		t.Errorf("woken %v", s.woken)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	s := openSite(t)
	server := httptest.NewServer(s.handler)
	defer server.Close()
	resp, err := http.Head(server.URL + "/t/" + token(s.ticket(open), 0))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || len(body) != 0 || resp.StatusCode != 200 || resp.ContentLength <= 0 {
		t.Errorf("HEAD: %d, %d bytes of %d, %v", resp.StatusCode, len(body), resp.ContentLength, err)
	}
}

func TestPressBecomesARowAndThanks(t *testing.T) {
	for _, c := range []struct{ name, action, text, want string }{
		{"yes", "confirm", "", ""},
		{"no, without a word", "reopen", "", ""},
		{"no, with words", "reopen", "  Still\r\noffline\x00\x1b[2J.  ", "Still\noffline[2J."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openSite(t)
			tk := s.ticket(s.resolved)
			tok := token(tk, 0)
			w := s.press(tok, c.action, c.text)
			wantCode(t, w, http.StatusSeeOther)
			if got, want := w.Header().Get("Location"), "/t/"+tok+"?done=1"; got != want {
				t.Errorf("Location %q, want %q", got, want)
			}
			wantText(t, s.get(w.Header().Get("Location")), "Thank you, noted")
			s.wantRows(tickets.Button{Ticket: tk.ID, Person: tk.Participants[0].Person, Address: maria, Action: c.action, Text: c.want})
			if fmt.Sprint(s.woken) != "[baleyo]" {
				t.Errorf("woken %v", s.woken)
			}
		})
	}
}

// hidden returns the hidden fields of the form of an action, as a browser
// would send them.
func hidden(t *testing.T, page, action string) url.Values {
	t.Helper()
	_, rest, ok := strings.Cut(page, `name="action" value="`+action+`"`)
	if !ok {
		t.Fatalf("no form %q in %s", action, page)
	}
	out := url.Values{"action": {action}}
	for _, m := range regexp.MustCompile(`name="([a-z]+)" value="([^"]*)"`).FindAllStringSubmatch(rest[:strings.Index(rest, "</form>")], -1) {
		out.Set(m[1], m[2])
	}
	return out
}

func TestDoublePressIsOneRow(t *testing.T) {
	s := openSite(t)
	tk := s.ticket(s.resolved)
	path := "/t/" + token(tk, 0)
	values := hidden(t, s.get(path).Body.String(), "reopen")
	values.Set("text", "still offline")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if w := s.do(post(path, values)); w.Code != http.StatusSeeOther {
				t.Errorf("answered %d", w.Code)
			}
		})
	}
	wg.Wait()
	button := tickets.Button{Ticket: tk.ID, Person: tk.Participants[0].Person, Address: maria, Action: "reopen", Text: "still offline"}
	s.wantRows(button)

	// The same page once more, after the decision: still the same press.
	s.decide(tk.ID, func(t *tickets.Ticket) { t.Status, t.Resolved, t.Version = tickets.StatusOpen, time.Time{}, 2 })
	wantCode(t, s.do(post(path, values)), http.StatusSeeOther)
	s.wantRows(button)

	// Solved a second time, and still wrong in the same words: a new press.
	s.decide(tk.ID, func(t *tickets.Ticket) {
		t.Status, t.Resolved, t.Version = tickets.StatusResolved, s.now.Add(time.Hour), 3
	})
	again := hidden(t, s.get(path).Body.String(), "reopen")
	again.Set("text", "still offline")
	wantCode(t, s.do(post(path, again)), http.StatusSeeOther)
	s.wantRows(button, button)
}

// decide changes a stored ticket.
func (s *site) decide(id int64, edit func(*tickets.Ticket)) {
	s.t.Helper()
	err := s.db.Decide(s.t.Context(), "baleyo", func(tx *store.Tx) error {
		tk, err := tx.Ticket(s.t.Context(), id)
		if err != nil {
			return err
		}
		edit(tk)
		_, err = tx.Save(s.t.Context(), 0, "", "", tickets.Change{Brand: "baleyo", Tickets: []tickets.TicketChange{{Ticket: *tk}}}, s.now)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestPressOnATicketThatMovedOn(t *testing.T) {
	for _, c := range []struct {
		name   string
		edit   func(*site) func(*tickets.Ticket)
		action string
		text   string
		code   int
	}{
		{"confirm what is closed already", func(s *site) func(*tickets.Ticket) { return s.closed(time.Hour) }, "confirm", "", 303},
		{"confirm what was reopened", func(*site) func(*tickets.Ticket) { return open }, "confirm", "", 409},
		{"words on what is open again", func(*site) func(*tickets.Ticket) { return open }, "reopen", "one more thing", 303},
		{"words on what was resolved meanwhile", func(s *site) func(*tickets.Ticket) { return s.resolved }, "add", "one more thing", 303},
		{"reopen after the window", func(s *site) func(*tickets.Ticket) { return s.closed(31 * 24 * time.Hour) }, "reopen", "kept <words>", 409},
		{"add nothing", func(*site) func(*tickets.Ticket) { return open }, "add", " \n ", 422},
		{"an action that is none", func(*site) func(*tickets.Ticket) { return open }, "delete", "", 409},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openSite(t)
			tok := token(s.ticket(c.edit(s)), 0)
			wantCode(t, s.press(tok, c.action, c.text), c.code)
			if n := len(s.rows()); (n == 1) != (c.code == 303) {
				t.Errorf("%d rows after %d", n, c.code)
			}
		})
	}
}

func TestTypedWordsComeBackWithTheNotice(t *testing.T) {
	s := openSite(t)
	tok := token(s.ticket(open), 0)
	w := s.press(tok, "confirm", "kept </textarea><b>words</b>")
	wantCode(t, w, 409)
	wantText(t, w, `role="alert"`, "kept &lt;/textarea&gt;&lt;b&gt;words&lt;/b&gt;</textarea>")
}

func TestLinksThatLeadNowhere(t *testing.T) {
	s := openSite(t)
	tk, other := s.ticket(s.resolved), s.ticket(open)
	good := token(tk, 0)
	flipped := []byte(good)
	flipped[len(flipped)-1] ^= 1
	expired := tickets.Keyring{Current: tickets.Key{ID: 'b', Secret: []byte("another secret, another secret..")}}
	stranger := s.ticket(func(t *tickets.Ticket) { t.Participants[0].Address.Address = "eve@x.example" })
	for name, tok := range map[string]string{
		"no token":                   "nonsense",
		"empty":                      "",
		"altered":                    string(flipped),
		"other ticket, our MAC":      strings.Replace(good, fmt.Sprint(tk.ID), fmt.Sprint(other.ID), 1),
		"old key":                    expired.PageToken(tk.ID, tk.Participants[0].Person),
		"no such ticket":             rules.Keys.PageToken(9999, tk.Participants[0].Person),
		"taken off the ticket":       token(tk, 1),
		"another ticket's customer":  rules.Keys.PageToken(tk.ID, stranger.Participants[0].Person),
		"nobody":                     rules.Keys.PageToken(tk.ID, 0),
		"relay token":                strings.SplitN(rules.Keys.RelayAddress("s@x.example", "+", tickets.Relay{Ticket: tk.ID, Person: 1, Role: tickets.RelayCustomer}), "+", 2)[1],
		"path traversal":             "..%2f..%2fetc%2fpasswd",
		"line break":                 good + "%0d%0aX-Evil:%201",
		"with something after it":    good + "/more",
		"longer than any we wrote":   strings.Repeat("a", 8000),
		"a NUL":                      good + "%00",
		"a ticket number that wraps": rules.Keys.PageToken(-1, 1),
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []*http.Request{httptest.NewRequest("GET", "/t/"+tok, nil), post("/t/"+tok, filled(tok, "confirm", ""))} {
				w := s.do(r)
				wantCode(t, w, 404)
				if strings.Contains(w.Body.String(), "Printer") || w.Header().Get("X-Evil") != "" {
					t.Errorf("%s leaks: %v %s", r.Method, w.Header(), w.Body)
				}
			}
		})
	}
	s.wantRows()
}

func TestBlockedPersonHasNoPage(t *testing.T) {
	s := openSite(t)
	tk := s.ticket(open)
	wantCode(t, s.get("/t/"+token(tk, 0)), 200)
	err := s.db.Decide(t.Context(), "baleyo", func(tx *store.Tx) error {
		_, err := tx.Save(t.Context(), 0, "", "", tickets.Change{Brand: "baleyo", Block: []int64{tk.Participants[0].Person}}, s.now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.db.Person(t.Context(), tk.Participants[0].Person)
	if err != nil {
		t.Fatal(err)
	}
	p.Blocked = true
	if _, err := s.db.SavePerson(t.Context(), p, s.now); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.get("/t/"+token(tk, 0)), 404)
}

func TestMergedTicketLeadsToTheOneItLivesOnIn(t *testing.T) {
	s := openSite(t)
	into := s.ticket(s.resolved)
	old := s.ticket(func(t *tickets.Ticket) { t.Status, t.MergedInto = tickets.StatusMerged, into.ID })
	tok := token(old, 0)
	wantText(t, s.get("/t/"+tok), fmt.Sprintf("#%d", into.ID), "Yes, it is solved")
	wantCode(t, s.press(tok, "confirm", ""), 303)
	s.wantRows(tickets.Button{Ticket: into.ID, Person: into.Participants[0].Person, Address: maria, Action: "confirm"})
}

func TestNonceOfAnotherFormOrPageIsRefused(t *testing.T) {
	s := openSite(t)
	tok, other := token(s.ticket(s.resolved), 0), token(s.ticket(s.resolved), 0)
	for name, nonce := range map[string]string{
		"none": "", "another action's": rules.Keys.Nonce(tok, "reopen"), "another ticket's": rules.Keys.Nonce(other, "confirm"),
		"line break": "a\r\nSet-Cookie: x=1", "long": strings.Repeat("a", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			w := s.do(post("/t/"+tok, url.Values{"action": {"confirm"}, "nonce": {nonce}}))
			wantCode(t, w, 403)
			if w.Header().Get("Set-Cookie") != "" {
				t.Error("a header was injected")
			}
		})
	}
	s.wantRows()
}

func TestNonceInTheAddressIsNotAForm(t *testing.T) {
	s := openSite(t)
	tok := token(s.ticket(s.resolved), 0)
	r := post("/t/"+tok+"?"+filled(tok, "confirm", "").Encode(), nil)
	wantCode(t, s.do(r), 403)
	s.wantRows()
}

func TestPostsFromOtherSitesAreRefused(t *testing.T) {
	s := openSite(t)
	tok := token(s.ticket(s.resolved), 0)
	for _, c := range []struct {
		name   string
		header map[string]string
		code   int
	}{
		{"another site, new browser", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403},
		{"another site, old browser", map[string]string{"Origin": "https://evil.example"}, 403},
		{"our page, new browser", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303},
		{"our page, old browser that hides its origin", map[string]string{"Origin": "null"}, 303},
		{"our page, old browser", map[string]string{"Origin": "http://example.com"}, 303}, // httptest's host
	} {
		t.Run(c.name, func(t *testing.T) {
			r := post("/t/"+tok, filled(tok, "confirm", ""))
			for k, v := range c.header {
				r.Header.Set(k, v)
			}
			wantCode(t, s.do(r), c.code)
		})
	}
}

func TestOversizedBodyIsRefused(t *testing.T) {
	s := openSite(t)
	tok := token(s.ticket(open), 0)
	w := s.press(tok, "add", strings.Repeat("x", 70<<10))
	wantCode(t, w, http.StatusRequestEntityTooLarge)
	// What the field lets in fits, in any script.
	wantCode(t, s.press(tok, "add", strings.Repeat("語", 7000)), 303)
	if got := s.rows(); len(got) != 1 || len([]rune(got[0].Text)) != 7000 {
		t.Errorf("%d rows", len(got))
	}
}

func TestOtherMethodsAndPathsAreRefused(t *testing.T) {
	s := openSite(t)
	tok := token(s.ticket(open), 0)
	for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
		w := s.do(httptest.NewRequest(method, "/t/"+tok, nil))
		wantCode(t, w, 405)
		if w.Header().Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("%s: Allow %q", method, w.Header().Get("Allow"))
		}
	}
	for _, path := range []string{"/", "/t", "/t/", "/favicon.ico", "/healthz"} {
		wantCode(t, s.get(path), 404)
	}
}

func TestEveryAnswerHasStrictHeaders(t *testing.T) {
	s := openSite(t)
	tok := token(s.ticket(s.resolved), 0)
	for name, w := range map[string]*httptest.ResponseRecorder{
		"page": s.get("/t/" + tok), "done": s.get("/t/" + tok + "?done=1"), "nothing": s.get("/t/x"),
		"method": s.do(httptest.NewRequest("PUT", "/t/"+tok, nil)), "redirect": s.press(tok, "confirm", ""),
		"forbidden": s.do(post("/t/"+tok, nil)),
	} {
		for key, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex",
			"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; style-src 'nonce-",
		} {
			if got := w.Header().Get(key); !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q, want %q", name, key, got, want)
			}
		}
		for _, part := range []string{"form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(w.Header().Get("Content-Security-Policy"), part) {
				t.Errorf("%s: no %s", name, part)
			}
		}
		if strings.Contains(w.Header().Get("Content-Security-Policy"), "unsafe") || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%s: scripts", name)
		}
	}
	one, two := s.get("/t/"+tok), s.get("/t/"+tok)
	if one.Header().Get("Content-Security-Policy") == two.Header().Get("Content-Security-Policy") {
		t.Error("the nonce of the style is the same twice")
	}
}

func TestDatabaseThatFailsIsTryAgainLater(t *testing.T) {
	s := openSite(t)
	tok := token(s.ticket(s.resolved), 0)
	path := "/t/" + tok
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range []*http.Request{httptest.NewRequest("GET", path, nil), post(path, filled(tok, "confirm", ""))} {
		w := s.do(r.WithContext(ctx))
		wantCode(t, w, 503)
		if w.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	s.wantRows()
}

func TestProblemPagesSpeakTheBrowsersLanguage(t *testing.T) {
	s := openSite(t)
	for accept, want := range map[string]string{
		"de-AT,de;q=0.9,en;q=0.8": `lang="de"`, "fr, en-GB;q=0.7": `lang="en"`, "": `lang="en"`, "fr,es": `lang="en"`, "x;;,,de": `lang="de"`,
	} {
		r := httptest.NewRequest("GET", "/t/x", nil)
		r.Header.Set("Accept-Language", accept)
		if w := s.do(r); !strings.Contains(w.Body.String(), want) {
			t.Errorf("Accept-Language %q: want %s in\n%s", accept, want, w.Body)
		}
	}
}

// work decides what is in the ledger, as the worker does.
func (s *site) work() {
	s.t.Helper()
	rows, err := s.db.ClaimLedger(s.t.Context(), "baleyo", 100, s.now, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	err = s.db.Decide(s.t.Context(), "baleyo", func(tx *store.Tx) error {
		for _, r := range rows {
			var b tickets.Button
			if err := json.Unmarshal(r.Data, &b); err != nil {
				return err
			}
			in := tickets.Inbound{Ledger: r.ID, Channel: r.Channel, Brand: r.Brand, Mailbox: r.Mailbox, Queue: r.Queue, Received: r.Received,
				From: tickets.Address{Address: b.Address}, Kind: tickets.KindMessage, Content: r.SHA256, Button: &b}
			found, err := tx.Find(s.t.Context(), in.Keys(rules))
			if err != nil {
				return err
			}
			if _, err := tx.Save(s.t.Context(), r.ID, b.Address, "", tickets.Receive(found, in, rules, s.now), s.now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// The whole way: pressed, decided, shown.
func TestPressesCloseAndReopen(t *testing.T) {
	s := openSite(t)
	tk := s.ticket(s.resolved)
	path := "/t/" + token(tk, 0)
	press := func(action, text string) {
		t.Helper()
		values := hidden(t, s.get(path).Body.String(), action)
		values.Set("text", text)
		wantCode(t, s.do(post(path, values)), http.StatusSeeOther)
		wantCode(t, s.do(post(path, values)), http.StatusSeeOther) // and once more, by mistake
		s.work()
	}
	want := func(status tickets.Status, messages int, shown string) {
		t.Helper()
		got, err := s.db.Ticket(t.Context(), tk.ID)
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.db.Messages(t.Context(), tk.ID)
		if err != nil || got.Status != status || len(list) != messages {
			t.Errorf("ticket is %s with %d messages, want %s with %d; %v", got.Status, len(list), status, messages, err)
		}
		wantText(t, s.get(path), shown)
	}
	press("confirm", "")
	want(tickets.StatusClosed, 0, "Please reopen")
	press("reopen", "It is off again.")
	want(tickets.StatusOpen, 1, "In progress")
	press("add", "Since noon.")
	want(tickets.StatusOpen, 2, "In progress")
	s.decide(tk.ID, func(t *tickets.Ticket) { s.now = s.now.Add(time.Hour); s.resolved(t) })
	press("reopen", "It is off again.")
	want(tickets.StatusOpen, 3, "In progress")
}
