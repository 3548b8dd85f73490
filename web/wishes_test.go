package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"frontdesk/store"
	"frontdesk/tickets"
)

// owner stores a customer with a product under warranty.
func (s *site) owner() (tickets.Person, tickets.Product) {
	s.t.Helper()
	sold := tickets.Product{Brand: "baleyo", Owner: tickets.Address{Name: "Maria", Address: maria}, Serial: "LJ-1", Model: "LaserJet <400>"}
	sold.WarrantyUntil.Year, sold.WarrantyUntil.Month, sold.WarrantyUntil.Day = 2026, 12, 23
	err := s.db.Decide(s.t.Context(), "baleyo", func(tx *store.Tx) error {
		_, err := tx.Save(s.t.Context(), 0, "", "", tickets.Change{Brand: "baleyo", Products: []tickets.Product{sold}}, s.now)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	who, err := s.db.PersonByAddress(s.t.Context(), "baleyo", maria)
	if err != nil {
		s.t.Fatal(err)
	}
	product, err := s.db.ProductBySerial(s.t.Context(), "baleyo", "LJ-1")
	if err != nil {
		s.t.Fatal(err)
	}
	return who, product
}

func (s *site) prefs(id int64) tickets.Preferences {
	s.t.Helper()
	p, err := s.db.Person(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return p.Prefs
}

func wishForm(path string, wish tickets.Wish) url.Values {
	return url.Values{"action": {string(wish)}, "nonce": {rules.Keys.Nonce(path, string(wish))}}
}

func TestFollowingAnUnsubscribeLinkChangesNothing(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	who, product := s.owner()
	offer := "/o/" + rules.Keys.OfferToken(tickets.Offer{Person: who.ID, Product: product.ID, Until: product.WarrantyUntil})
	for _, path := range []string{"/u/" + rules.Keys.WishToken(who.ID), offer} {
		for _, query := range []string{"", "?done=1", "?List-Unsubscribe=One-Click", "?action=nothing&action=accept"} {
			for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT"} {
				s.do(httptest.NewRequest(method, path+query, nil))
			}
		}
		if w := s.get(path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<form method=\"post\"") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if p := s.prefs(who.ID); p != (tickets.Preferences{}) {
		t.Errorf("preferences %+v", p)
	}
	if rows := s.rows(); len(rows) != 0 {
		t.Errorf("rows %+v", rows)
	}
}

func TestUnsubscribingAndSubscribingAgain(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	who, _ := s.owner()
	path := "/u/" + rules.Keys.WishToken(who.ID)
	for _, step := range []struct {
		wish tickets.Wish
		want tickets.Preferences
		says string
	}{
		{tickets.WishNoReminders, tickets.Preferences{NoReminders: true}, "no reminders about your products"},
		{tickets.WishNothing, tickets.Preferences{NoReminders: true, NoSurveys: true}, "no reminders and no questions"},
		{tickets.WishEverything, tickets.Preferences{}, "You get reminders"},
	} {
		if w := s.do(post(path, wishForm(path, step.wish))); w.Code != http.StatusSeeOther || w.Header().Get("Location") != path+"?done=1" {
			t.Fatalf("%s: %d %s", step.wish, w.Code, w.Header())
		}
		if got := s.prefs(who.ID); got != step.want {
			t.Errorf("%s: %+v, want %+v", step.wish, got, step.want)
		}
		if w := s.get(path + "?done=1"); !strings.Contains(w.Body.String(), step.says) {
			t.Errorf("%s: the page says %s", step.wish, w.Body)
		}
	}
}

// RFC 8058: the post of a mail client, of either encoding, without the page.
func TestOneClickUnsubscribesAtOnce(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	who, _ := s.owner()
	path := "/u/" + rules.Keys.WishToken(who.ID)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("List-Unsubscribe", "One-Click"); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	whole := httptest.NewRequest("POST", path, &body)
	whole.Header.Set("Content-Type", form.FormDataContentType())
	for name, r := range map[string]*http.Request{"urlencoded": post(path, url.Values{"List-Unsubscribe": {"One-Click"}}), "form-data": whole} {
		if _, err := s.db.SavePerson(t.Context(), who, s.now); err != nil {
			t.Fatal(err)
		}
		if w := s.do(r); w.Code != http.StatusOK {
			t.Errorf("%s: %d", name, w.Code)
		}
		if p := s.prefs(who.ID); !p.NoReminders || !p.NoSurveys {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestWishesThatAreNotTheCustomers(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	who, product := s.owner()
	path := "/u/" + rules.Keys.WishToken(who.ID)
	offer := "/o/" + rules.Keys.OfferToken(tickets.Offer{Person: who.ID, Product: product.ID, Until: product.WarrantyUntil})
	foreign := post(path, wishForm(path, tickets.WishNothing))
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	for name, c := range map[string]struct {
		r    *http.Request
		want int
	}{
		"no nonce":             {post(path, url.Values{"action": {"nothing"}}), 403},
		"nonce of another":     {post(path, url.Values{"action": {"nothing"}, "nonce": {rules.Keys.Nonce(path, "everything")}}), 403},
		"unknown wish":         {post(path, wishForm(path, "block")), 403},
		"altered token":        {post(path+"a", wishForm(path, tickets.WishNothing)), 404},
		"a ticket's token":     {post("/u/"+rules.Keys.PageToken(1, who.ID), url.Values{"List-Unsubscribe": {"One-Click"}}), 404},
		"another site's form":  {foreign, 403},
		"offer without nonce":  {post(offer, url.Values{"action": {"accept"}}), 403},
		"offer by one click":   {post(offer, url.Values{"List-Unsubscribe": {"One-Click"}}), 403},
		"offer, altered token": {post("/o/"+rules.Keys.WishToken(who.ID), nil), 404},
	} {
		if w := s.do(c.r); w.Code != c.want {
			t.Errorf("%s: %d, want %d", name, w.Code, c.want)
		}
	}
	if p := s.prefs(who.ID); p != (tickets.Preferences{}) {
		t.Errorf("preferences %+v", p)
	}
	if rows := s.rows(); len(rows) != 0 {
		t.Errorf("rows %+v", rows)
	}
}

func TestAnOfferIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	who, product := s.owner()
	path := "/o/" + rules.Keys.OfferToken(tickets.Offer{Person: who.ID, Product: product.ID, Until: product.WarrantyUntil})
	if w := s.get(path); !strings.Contains(w.Body.String(), "LaserJet &lt;400&gt; (LJ-1)") {
		t.Errorf("the page says %s", w.Body)
	}
	for range 3 {
		w := s.do(post(path, url.Values{"nonce": {rules.Keys.Nonce(path, "accept")}}))
		if w.Code != http.StatusSeeOther || s.get(w.Header().Get("Location")).Code != http.StatusOK {
			t.Fatalf("%d %v", w.Code, w.Header())
		}
	}
	rows := s.rows()
	if len(rows) != 1 || rows[0].Action != "accept" || rows[0].Product != product.ID || rows[0].Address != maria || !strings.Contains(rows[0].Text, "LJ-1") {
		t.Errorf("rows %+v", rows)
	}
	s.now = s.now.AddDate(0, 2, 0)
	if w := s.get(path); w.Code != http.StatusGone {
		t.Errorf("after its end: %d", w.Code)
	}
}
