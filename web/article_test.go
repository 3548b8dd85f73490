package web

import (
	"net/http/httptest"
	"strings"
	"testing"

	"frontdesk/store"
	"frontdesk/tickets"
)

// withArticles is the site of a desk that has two articles, one of which the
// acknowledgement of the returned ticket named.
func (s *site) withArticles() tickets.Ticket {
	s.t.Helper()
	all := map[string]tickets.Article{
		"paper-jam": {ID: "paper-jam", Title: "Clear a paper <jam>", Body: "1. Open the door.\n2. Pull & look.", Link: "https://help.example.com/jam"},
		"inside":    {ID: "inside", Title: "For agents", Body: "SECRET", Internal: true},
	}
	r := rules
	r.Article = func(id string) (tickets.Article, bool) { a, ok := all[id]; return a, ok }
	s.handler = s.with(func(o *Options) { o.Rules = func() tickets.Rules { return r } })
	t := s.ticket(open)
	s.save(tickets.TicketChange{Ticket: t, Articles: []tickets.ArticleUse{{Article: "paper-jam", What: tickets.ArticleShown}}})
	return t
}

func (s *site) save(tc tickets.TicketChange) {
	s.t.Helper()
	err := s.db.Decide(s.t.Context(), "baleyo", func(tx *store.Tx) error {
		_, err := tx.Save(s.t.Context(), 0, "", "", tickets.Change{Brand: "baleyo", Tickets: []tickets.TicketChange{tc}}, s.now)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// The page that a button of the acknowledgement opens: the article, and the
// press. Whoever opens it, and how often, changes nothing.
func TestArticleOnThePage(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	tk := s.withArticles()
	path := "/t/" + token(tk, 0)
	for _, method := range []string{"GET", "HEAD", "GET"} {
		w := s.do(httptest.NewRequest(method, path+"?article=paper-jam", nil))
		wantCode(t, w, 200)
		if body := w.Body.String(); method == "GET" {
			for _, want := range []string{"Clear a paper &lt;jam&gt;", "2. Pull &amp; look.", `href="https://help.example.com/jam"`, `value="solved"`, `value="paper-jam"`, "Yes, this solved it"} {
				if !strings.Contains(body, want) {
					t.Errorf("no %q in\n%s", want, body)
				}
			}
		}
	}
	if rows := s.rows(); len(rows) != 0 {
		t.Fatalf("opening the page made rows: %+v", rows)
	}
	for _, other := range []string{"inside", "nothing", strings.Repeat("x", 500), "paper-jam'--"} {
		body := s.get(path + "?article=" + other).Body.String()
		if strings.Contains(body, "SECRET") || strings.Contains(body, `value="solved"`) {
			t.Errorf("%q is shown:\n%s", other, body)
		}
	}
}

func TestArticleSolvedIt(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	tk := s.withArticles()
	page := token(tk, 0)
	press := func(article, nonce string) int {
		form := filled(page, "solved", "words that nobody typed")
		form.Set("article", article)
		form.Set("state", "open.1.0.0")
		if nonce != "" {
			form.Set("nonce", nonce)
		}
		return s.do(post("/t/"+page, form)).Code
	}
	for name, code := range map[string]int{"another article": press("inside", ""), "none": press("", "")} {
		if code != 409 {
			t.Errorf("%s: %d, want 409", name, code)
		}
	}
	if code := press("paper-jam", rules.Keys.Nonce(page, "confirm")); code != 403 {
		t.Errorf("another form's nonce: %d, want 403", code)
	}
	for range 3 {
		if code := press("paper-jam", ""); code != 303 {
			t.Fatalf("press: %d, want 303", code)
		}
	}
	rows := s.rows()
	want := tickets.Button{Ticket: tk.ID, Person: tk.Participants[0].Person, Address: maria, Action: "solved", Article: "paper-jam"}
	if len(rows) != 1 || rows[0] != want {
		t.Errorf("rows %+v, want one %+v", rows, want)
	}
}

func TestReturnOnThePage(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	r := tickets.Return{Number: "RMA-7", Status: tickets.ReturnOpen, Product: "LX <300>", Serial: "SN1", Address: "Baleyo Returns\nDock 4", Note: "a word for agents"}
	if err := r.Until.UnmarshalText([]byte("2026-12-07")); err != nil {
		t.Fatal(err)
	}
	tk := s.ticket(func(t *tickets.Ticket) { t.Return = &r })
	body := s.get("/t/" + token(tk, 0)).Body.String()
	for _, want := range []string{"Your return RMA-7", "We are waiting for your parcel", "until 7 December 2026", "LX &lt;300&gt; SN1", "Baleyo Returns<br>Dock 4"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	if strings.Contains(body, "a word for agents") {
		t.Error("the note is shown")
	}
	r.Status = tickets.ReturnRefunded
	tk.Return = &r
	s.save(tickets.TicketChange{Ticket: tk})
	body = s.get("/t/" + token(tk, 0)).Body.String()
	if !strings.Contains(body, "Refunded") || strings.Contains(body, "Dock 4") {
		t.Errorf("after the refund:\n%s", body)
	}
}
