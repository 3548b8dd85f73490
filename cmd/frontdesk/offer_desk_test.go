package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/parser"
	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/tickets"
)

// reminderDesk has pages, and sales beside support.
func reminderDesk(t *testing.T, o *testmail.Office) *liveDesk {
	t.Helper()
	yaml := strings.NewReplacer(
		`public_url: ""`, `public_url: "https://desk.one.test", listen: "127.0.0.1:0"`,
		"tiers: [first]}", "tiers: [first]}\n  sales: {team: sales, tiers: [sales]}",
		"teams:\n", "teams:\n  sales: {members: [chandra@one.test]}\n",
	).Replace(oneBrand(o, "One", "one.test", ""))
	return openDeskAt(t, o, yaml)
}

// offers notes that a customer is to be offered a longer warranty now.
func (d *liveDesk) offers(t *testing.T, who tickets.Address, serial string) tickets.Product {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	until := sla.DateOf(now).Add(14)
	save := func(c tickets.Change) {
		t.Helper()
		c.Brand = "one"
		if err := d.db.Decide(ctx, "one", func(tx *store.Tx) error {
			_, err := tx.Save(ctx, 0, "", "", c, now)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	save(tickets.Change{Products: []tickets.Product{{Owner: who, Serial: serial, Model: "LaserJet 400", Kind: tickets.KindLaser, WarrantyUntil: until}}})
	p, err := d.db.ProductBySerial(ctx, "one", serial)
	if err != nil {
		t.Fatal(err)
	}
	s := tickets.Schedule{Key: tickets.WarrantyExtension, DaysBefore: []int{14}}
	dues := tickets.Reminders(s, []tickets.Product{p}, until.Add(-14), until.Add(-14), now, tickets.ReminderRules{})
	for i := range dues {
		dues[i].Next = now.Add(-time.Minute)
	}
	if len(dues) != 1 {
		t.Fatalf("due %+v", dues)
	}
	save(tickets.Change{Dues: dues})
	return p
}

// E3: from the link of the letter over a post to a ticket of sales; another post
// is not another ticket.
func TestOfferOfALetterBecomesASalesTicket(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test")
	d := reminderDesk(t, o)
	product := d.offers(t, tickets.Address{Name: "Maria Keller", Address: "maria@example.test"}, "LJ-1")
	letter := d.awaits(t, "maria@example.test", "the offer", text("LaserJet 400"))
	path := ""
	for _, found := range deskLink.FindAllStringSubmatch(letter.Text, -1) {
		if strings.HasPrefix(found[1], "/o/") {
			path = found[1]
		}
	}
	if path == "" {
		t.Fatalf("no link to the offer in\n%s", letter.Text)
	}
	shown := func(method, path string, form url.Values) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, "https://desk.one.test"+path, strings.NewReader(form.Encode()))
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		d.pages.ServeHTTP(w, r)
		return w
	}
	page := shown(http.MethodGet, path, nil)
	settle(t, nil, d)
	if n := d.count(); n != 0 || page.Code != http.StatusOK {
		t.Fatalf("the page alone: %d, %d tickets", page.Code, n)
	}
	guides := map[string]int{"asha@one.test": letterCount(t, o, "asha@one.test"), "bikram@one.test": letterCount(t, o, "bikram@one.test")}
	form := url.Values{}
	for _, m := range regexp.MustCompile(`type="hidden" name="([a-z]+)" value="([^"]*)"`).FindAllStringSubmatch(page.Body.String(), -1) {
		form.Set(m[1], m[2])
	}
	for range 2 {
		if w := shown(http.MethodPost, path, form); w.Code != http.StatusSeeOther {
			t.Fatalf("post answered %d: %s", w.Code, w.Body)
		}
	}
	waitMail(t, o, "maria@example.test", "the acknowledgement", subject("Longer warranty: LaserJet 400 (LJ-1)"))
	told := waitMail(t, o, "chandra@one.test", "the ticket", subject("Longer warranty: LaserJet 400 (LJ-1)"))
	if !waitUntil(func() bool { return d.stays() }) { // a press is no mail of the mailbox
		t.Fatal("the desk does not come to rest")
	}
	if !strings.Contains(flat(told.Text), "wants a longer warranty for LaserJet 400 (LJ-1), now until "+product.WarrantyUntil.String()) {
		t.Errorf("sales is told\n%s", told.Text)
	}
	if n := d.count(); n != 1 {
		t.Errorf("%d tickets, want one", n)
	}
	ticket, messages := d.ticket(1)
	if ticket.Queue != "sales" || ticket.Product != product.ID || ticket.Requester != product.Person || len(messages) != 1 || !strings.Contains(messages[0].Text, "longer warranty") {
		t.Errorf("%+v %q", ticket, says(messages))
	}
	for agent, before := range guides {
		if n := letterCount(t, o, agent); n != before {
			t.Errorf("%s, who does not sell, got %d letters", agent, n-before)
		}
	}
	// What sales answers reaches the customer.
	answerAs(t, o, "chandra@one.test", "[One #1]", "Two more years are 90 euros.")
	waitMail(t, o, "maria@example.test", "the terms", func(m *parser.Mail) bool { return strings.Contains(m.Text, "90 euros") })
}
