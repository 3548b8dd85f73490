package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// survey stores a closed ticket whose requester was asked, and returns the row.
func (s *site) survey(kind tickets.SurveyKind, edit func(*tickets.Survey)) tickets.Survey {
	s.t.Helper()
	tk := s.ticket(s.closed(time.Hour))
	s.keep(tickets.Change{Surveys: []tickets.Survey{{Ticket: tk.ID, Person: tk.Requester, Due: s.now}}})
	v, err := s.db.SurveyOfTicket(s.t.Context(), tk.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	v.Kind, v.Asked, v.Due, v.Address = kind, s.now, time.Time{}, maria
	edit(&v)
	s.keep(tickets.Change{Surveys: []tickets.Survey{v}})
	return v
}

func (s *site) keep(c tickets.Change) {
	s.t.Helper()
	c.Brand = "baleyo"
	err := s.db.Decide(s.t.Context(), "baleyo", func(tx *store.Tx) error {
		_, err := tx.Save(s.t.Context(), 0, "", "", c, s.now)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func asIs(*tickets.Survey) {}

func surveyPath(v tickets.Survey) string { return "/s/" + rules.Keys.SurveyToken(v.ID) }

// shownForm returns the hidden fields of a survey's form.
func shownForm(t testing.TB, page string) url.Values {
	t.Helper()
	out := url.Values{}
	for _, m := range regexp.MustCompile(`type="hidden" name="([a-z]+)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		out.Set(m[1], m[2])
	}
	if !out.Has("nonce") {
		t.Fatalf("no form in %s", page)
	}
	return out
}

func (s *site) votes(v tickets.Survey, score, text string) *httptest.ResponseRecorder {
	s.t.Helper()
	form := shownForm(s.t, s.get(surveyPath(v)).Body.String())
	form.Set("score", score)
	form.Set("text", text)
	return s.do(post(surveyPath(v), form))
}

func TestSurveyPage(t *testing.T) {
	s := openSite(t)
	for _, c := range []struct {
		kind    tickets.SurveyKind
		choices int
		want    string
	}{
		{tickets.SurveyCSAT, 5, "How content are you with our help?"},
		{tickets.SurveyCES, 7, "How easy was it"},
		{tickets.SurveyNPS, 11, "How likely are you to recommend Baleyo &amp; Söhne to a friend"},
	} {
		v := s.survey(c.kind, asIs)
		w := s.get(surveyPath(v))
		wantCode(t, w, 200)
		wantText(t, w, c.want, "Printer offline", "Send answer", `<label for="comment">`)
		body := w.Body.String()
		if n := strings.Count(body, `type="radio"`); n != c.choices || n != strings.Count(body, "<label><input") {
			t.Errorf("%s: %d choices, want %d, each in its label", c.kind, n, c.choices)
		}
		if strings.Contains(body, " checked") || strings.Contains(body, "<script") || strings.Contains(body, " src=") {
			t.Errorf("%s: something is chosen, or loaded: %s", c.kind, body)
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("policy %q", csp)
		}
	}
	s.wantRows()
}

// A link of the letter chooses a score on the page, and does nothing else:
// whoever follows it.
func TestSurveyLinkOnlyChooses(t *testing.T) {
	s := openSite(t)
	v := s.survey(tickets.SurveyNPS, asIs)
	for _, method := range []string{"GET", "HEAD"} {
		for n := 0; n <= 10; n++ {
			form := url.Values{"score": {fmt.Sprint(n)}, "nonce": {rules.Keys.Nonce(surveyPath(v), actionVote)}, "text": {"x"}}
			r := httptest.NewRequest(method, surveyPath(v)+"?"+form.Encode(), strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := s.do(r)
			wantCode(t, w, 200)
			if method == "GET" {
				wantText(t, w, fmt.Sprintf(`value="%d" required checked`, n))
			}
		}
	}
	for _, bad := range []string{"11", "-1", "x", "", "1e1"} {
		w := s.get(surveyPath(v) + "?score=" + bad)
		wantCode(t, w, 200)
		if strings.Contains(w.Body.String(), " checked") {
			t.Errorf("score=%s chooses something", bad)
		}
	}
	s.wantRows()
	after, err := s.db.Survey(t.Context(), v.ID)
	if err != nil || !after.Answered.IsZero() {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestVoteBecomesARow(t *testing.T) {
	s := openSite(t)
	v := s.survey(tickets.SurveyCSAT, asIs)
	w := s.votes(v, "4", " nice\r\nwork ")
	wantCode(t, w, http.StatusSeeOther)
	wantText(t, s.get(w.Header().Get("Location")), "Thank you, noted", "read by people")
	s.wantRows(tickets.Button{Ticket: v.Ticket, Person: v.Person, Address: maria, Action: "vote", Text: "nice\nwork", Survey: v.ID, Score: 4})
}

func TestVotesInParallelAreOne(t *testing.T) {
	s := openSite(t)
	v := s.survey(tickets.SurveyCSAT, asIs)
	form := shownForm(t, s.get(surveyPath(v)).Body.String())
	form.Set("score", "5")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if w := s.do(post(surveyPath(v), form)); w.Code != http.StatusSeeOther {
				t.Errorf("answered %d", w.Code)
			}
		})
	}
	wg.Wait()
	if n := len(s.rows()); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestVotesThatAreRefused(t *testing.T) {
	s := openSite(t)
	v, other := s.survey(tickets.SurveyCSAT, asIs), s.survey(tickets.SurveyCSAT, asIs)
	over := s.survey(tickets.SurveyCSAT, func(v *tickets.Survey) { v.Asked = s.now.Add(-tickets.SurveyOpen) })
	fixed := s.survey(tickets.SurveyCSAT, func(v *tickets.Survey) {
		v.Asked, v.Answered, v.Score = s.now.Add(-48*time.Hour), s.now.Add(-tickets.SurveyEdit), 4
	})
	unasked := s.survey(tickets.SurveyCSAT, func(v *tickets.Survey) { v.Asked, v.Kind = time.Time{}, "" })
	form := func(v tickets.Survey, score string) url.Values {
		return url.Values{"score": {score}, "nonce": {rules.Keys.Nonce(surveyPath(v), actionVote)}}
	}
	good := rules.Keys.SurveyToken(v.ID)
	tampered := good[:len(good)-1] + string('a'+(good[len(good)-1]-'a'+1)%16)
	for name, c := range map[string]struct {
		path string
		form url.Values
		code int
	}{
		"no score":             {surveyPath(v), form(v, ""), 422},
		"off the scale":        {surveyPath(v), form(v, "6"), 422},
		"below the scale":      {surveyPath(v), form(v, "0"), 422},
		"no number":            {surveyPath(v), form(v, "four"), 422},
		"without nonce":        {surveyPath(v), url.Values{"score": {"4"}}, 403},
		"other survey's nonce": {surveyPath(v), form(other, "4"), 403},
		"over":                 {surveyPath(over), form(over, "4"), 410},
		"answered long ago":    {surveyPath(fixed), form(fixed, "4"), 410},
		"never asked":          {surveyPath(unasked), form(unasked, "4"), 404},
		"tampered":             {"/s/" + tampered, form(v, "4"), 404},
		"a ticket's token":     {"/s/" + rules.Keys.PageToken(v.Ticket, v.Person), form(v, "4"), 404},
		"no such survey":       {"/s/" + rules.Keys.SurveyToken(9999), form(v, "4"), 404},
		"nothing":              {"/s/x", form(v, "4"), 404},
		"too long":             {surveyPath(v), url.Values{"score": {"4"}, "text": {strings.Repeat("x", maxBody)}}, 413},
	} {
		if w := s.do(post(c.path, c.form)); w.Code != c.code {
			t.Errorf("%s: answered %d, want %d", name, w.Code, c.code)
		}
	}
	for path, code := range map[string]int{surveyPath(over): 410, surveyPath(fixed): 200, surveyPath(unasked): 404, "/s/" + tampered: 404} {
		wantCode(t, s.get(path), code)
	}
	wantCode(t, s.do(httptest.NewRequest("PUT", surveyPath(v), nil)), 405)
	r := post(surveyPath(v), form(v, "4"))
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	wantCode(t, s.do(r), 403)
	s.wantRows()
}

func TestSurveyOfABlockedCustomer(t *testing.T) {
	s := openSite(t)
	v := s.survey(tickets.SurveyCSAT, asIs)
	s.keep(tickets.Change{Block: []int64{v.Person}})
	wantCode(t, s.get(surveyPath(v)), 404)
}

// Within a day an answer can be changed: the page shows it, and the change is
// another row, also back to what it was.
func TestAnswerIsChanged(t *testing.T) {
	s := openSite(t)
	v := s.survey(tickets.SurveyCSAT, func(v *tickets.Survey) {
		v.Asked, v.Answered, v.Score, v.Comment = s.now.Add(-48*time.Hour), s.now.Add(-time.Hour), 2, "slow <b>"
	})
	w := s.get(surveyPath(v))
	wantText(t, w, `value="2" required checked`, "slow &lt;b&gt;", "Change my answer", "within a day")
	wantText(t, s.get(surveyPath(v)+"?score=5"), `value="5" required checked`)
	wantCode(t, s.votes(v, "5", "quick"), http.StatusSeeOther)
	v.Score, v.Comment = 5, "quick"
	s.keep(tickets.Change{Surveys: []tickets.Survey{v}})
	wantCode(t, s.votes(v, "2", "slow <b>"), http.StatusSeeOther)
	v.Score, v.Comment = 2, "slow <b>"
	s.keep(tickets.Change{Surveys: []tickets.Survey{v}})
	wantCode(t, s.votes(v, "5", ""), http.StatusSeeOther)
	if rows := s.rows(); len(rows) != 3 {
		t.Errorf("%d rows, want 3: %+v", len(rows), rows)
	}
}

func TestSurveyInGerman(t *testing.T) {
	s := openSite(t)
	v := s.survey(tickets.SurveyNPS, asIs)
	s.decide(v.Ticket, func(t *tickets.Ticket) { t.Language = "de" })
	wantText(t, s.get(surveyPath(v)), `lang="de"`, "Wie wahrscheinlich ist es, dass Sie Baleyo &amp; Söhne Freunden", "Antwort senden")
}

func TestReferralPage(t *testing.T) {
	s := openSite(t)
	tk := s.ticket(open)
	s.keep(tickets.Change{Codes: []tickets.ReferralCode{{Person: tk.Requester, Code: "MARIA-7Q2F"}}})
	for _, path := range []string{"/r/MARIA-7Q2F", "/r/maria-7q2f"} {
		w := s.get(path)
		wantCode(t, w, 200)
		wantText(t, w, "MARIA-7Q2F", "support@baleyo.example", "Baleyo &amp; Söhne")
		if body := w.Body.String(); strings.Contains(body, maria) || strings.Contains(body, "Keller") {
			t.Errorf("tells who it is: %s", body)
		}
	}
	wantCode(t, s.get("/r/NOBODY-7Q2F"), 404)
	wantCode(t, s.do(post("/r/MARIA-7Q2F", nil)), 405)
	s.keep(tickets.Change{Block: []int64{tk.Requester}})
	wantCode(t, s.get("/r/MARIA-7Q2F"), 404)
	s.wantRows()
}
