package web

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"

	"frontdesk/store"
	"frontdesk/tickets"
)

// Under /u/ customers say which letters they want, under /o/ they accept an
// offer. A GET shows the page and changes nothing; a post with the page's nonce
// does, and so does the one-click post of a mail client (RFC 8058), which cannot
// have one: the address itself is signed and known to the customer alone.

// wishWords are what these pages say.
type wishWords struct {
	Title, All, None, Reminders string // heading, and how it stands
	Noted                       string
	Forms                       map[tickets.Wish]form

	Offer, OfferText string
	Accept           form
	Accepted, Thanks string
	Gone             string
	Message          string // the customer's words to sales: product
}

var spokenWishes = map[string]wishWords{
	"en": {
		Title:     "Letters from us",
		All:       "You get reminders about your products, and now and then a question how content you are.",
		Reminders: "You get no reminders about your products. Now and then we ask how content you are.",
		None:      "You get no reminders and no questions from us. Answers to your own requests reach you as always.",
		Noted:     "Noted. You need do nothing more.",
		Forms: map[tickets.Wish]form{
			tickets.WishNoReminders: {Heading: "No reminders", Note: "Nothing more about warranties, contracts and services.", Button: "Unsubscribe from reminders", Main: true},
			tickets.WishNothing:     {Heading: "Nothing unasked", Note: "No reminders, and no questions how content you are.", Button: "Unsubscribe from both"},
			tickets.WishEverything:  {Heading: "On second thoughts", Note: "Reminders and questions come again.", Button: "Subscribe again"},
		},
		Offer: "A longer warranty", OfferText: "For your %s. Nothing is ordered yet: our sales team writes to you with the terms, and you decide.",
		Accept:   form{Heading: "I am interested", Note: "We then write to you.", Button: "I would like a longer warranty", Main: true},
		Accepted: "Thank you, noted", Thanks: "Our sales team has your request and writes to you. You can close this page.",
		Gone:    "The warranty has ended, or has been extended already. Just reply to our letter if you have questions.",
		Message: "I would like a longer warranty for my %s.",
	},
	"de": {
		Title:     "Briefe von uns",
		All:       "Sie bekommen Erinnerungen zu Ihren Geräten, und ab und zu eine Frage, wie zufrieden Sie sind.",
		Reminders: "Sie bekommen keine Erinnerungen zu Ihren Geräten. Ab und zu fragen wir, wie zufrieden Sie sind.",
		None:      "Sie bekommen keine Erinnerungen und keine Fragen von uns. Antworten auf Ihre Anfragen erreichen Sie wie immer.",
		Noted:     "Notiert. Mehr ist nicht zu tun.",
		Forms: map[tickets.Wish]form{
			tickets.WishNoReminders: {Heading: "Keine Erinnerungen", Note: "Nichts mehr zu Garantien, Verträgen und Wartungen.", Button: "Erinnerungen abbestellen", Main: true},
			tickets.WishNothing:     {Heading: "Nichts ungefragt", Note: "Keine Erinnerungen und keine Fragen, wie zufrieden Sie sind.", Button: "Beides abbestellen"},
			tickets.WishEverything:  {Heading: "Doch lieber wieder", Note: "Erinnerungen und Fragen kommen wieder.", Button: "Wieder bestellen"},
		},
		Offer: "Eine längere Garantie", OfferText: "Für Ihr Gerät %s. Bestellt ist damit noch nichts: Unser Verkauf schreibt Ihnen die Bedingungen, und Sie entscheiden.",
		Accept:   form{Heading: "Ich habe Interesse", Note: "Wir schreiben Ihnen dann.", Button: "Ich möchte eine längere Garantie", Main: true},
		Accepted: "Danke, notiert", Thanks: "Unser Verkauf hat Ihre Anfrage und schreibt Ihnen. Sie können diese Seite schließen.",
		Gone:    "Die Garantie ist abgelaufen oder schon verlängert. Antworten Sie einfach auf unseren Brief, wenn Sie Fragen haben.",
		Message: "Ich möchte eine längere Garantie für mein Gerät %s.",
	},
}

// customer is whose page it is.
type customer struct {
	person tickets.Person
	rules  tickets.Rules
	brand  Brand
	words  *words
	says   wishWords
	path   string // "/u/TOKEN"
}

// customerOf loads whose page it is.
func (p *pages) customerOf(r *http.Request, rules tickets.Rules, person int64, path string) (*customer, error) {
	who, err := p.opt.DB.Person(r.Context(), person)
	if errors.Is(err, store.ErrNotFound) || err == nil && who.Blocked {
		return nil, fmt.Errorf("%w: person %d", errNoPage, person)
	}
	if err != nil {
		return nil, err
	}
	brand, known := p.opt.Brands()[who.Brand]
	if _, decides := rules.Brands[who.Brand]; !known || !decides {
		return nil, fmt.Errorf("%w: person %d", errNoPage, person)
	}
	w := wordsOf(who.Language, brand.Language)
	return &customer{who, rules, brand, w, spokenWishes[w.Language], path}, nil
}

func (c *customer) page(title, text string) page {
	return page{name: "wishes", Words: c.words, Look: lookOf(c.brand.Color), Brand: c.brand.Name, Title: title, Text: text, Link: c.path}
}

func (c *customer) form(action string, f form) form {
	f.Action, f.Nonce = action, c.rules.Keys.Nonce(c.path, action)
	return f
}

// wishes serves the page about letters.
func (p *pages) wishes(w http.ResponseWriter, r *http.Request) {
	rules := p.opt.Rules()
	person, err := rules.Keys.ParseWishToken(r.PathValue("token"))
	if err != nil {
		p.lost(w, r, fmt.Errorf("%w: %w", errNoPage, err))
		return
	}
	c, err := p.customerOf(r, rules, person, "/u/"+normalToken(r))
	switch {
	case err != nil:
		p.lost(w, r, err)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		p.render(w, r, http.StatusOK, c.wishes(r.URL.Query().Get("done") == "1"))
	case r.Method == http.MethodPost:
		p.wish(w, r, c)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		p.problem(w, r, http.StatusMethodNotAllowed, nil)
	}
}

// wishes shows how it stands and what can be wished for.
func (c *customer) wishes(done bool) page {
	prefs := c.person.Prefs
	text, offered := c.says.All, []tickets.Wish{tickets.WishNoReminders, tickets.WishNothing}
	switch {
	case prefs.DoNotContact, prefs.NoReminders && prefs.NoSurveys:
		text, offered = c.says.None, []tickets.Wish{tickets.WishEverything}
	case prefs.NoReminders:
		text, offered = c.says.Reminders, []tickets.Wish{tickets.WishNothing, tickets.WishEverything}
	}
	pg := c.page(c.says.Title, text)
	if done {
		pg.Notice = c.says.Noted
	}
	for _, wish := range offered {
		pg.Forms = append(pg.Forms, c.form(string(wish), c.says.Forms[wish]))
	}
	return pg
}

// wish takes a posted wish. A mail client's one-click post is answered with the
// page itself: nobody reads it, and it must not be a redirection (RFC 8058
// section 3.1).
func (p *pages) wish(w http.ResponseWriter, r *http.Request, c *customer) {
	if status := readForm(w, r); status != 0 {
		p.problem(w, r, status, nil)
		return
	}
	oneClick := r.PostForm.Get("List-Unsubscribe") == "One-Click"
	wish := tickets.Wish(r.PostForm.Get("action"))
	if oneClick {
		wish = tickets.WishNothing
	}
	if _, known := c.says.Forms[wish]; !known || !oneClick && !c.rules.Keys.VerifyNonce(r.PostForm.Get("nonce"), c.path, string(wish)) {
		p.problem(w, r, http.StatusForbidden, nil)
		return
	}
	if _, err := p.opt.DB.SavePerson(r.Context(), c.person.Wishing(wish), p.opt.Now()); err != nil {
		p.lost(w, r, err)
		return
	}
	p.opt.Log.Info("wished", "brand", c.person.Brand, "person", c.person.ID, "kind", string(wish))
	if oneClick {
		c.person = c.person.Wishing(wish)
		p.render(w, r, http.StatusOK, c.wishes(true))
		return
	}
	http.Redirect(w, r, c.path+"?done=1", http.StatusSeeOther) // #nosec G710 -- the path of this very page, whose token verified
}

// readForm reads a form of either encoding: mail clients may use both (RFC 8058
// section 3.2). It returns the status to refuse it with, 0 for none.
func readForm(w http.ResponseWriter, r *http.Request) int {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	var err error
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" {
		err = r.ParseMultipartForm(maxBody) // #nosec G120 -- the body is limited above
	} else {
		err = r.ParseForm()
	}
	if err != nil {
		return badForm(err)
	}
	return 0
}

// actionAccept accepts an offer.
const actionAccept = "accept"

// offer serves the page of an offer.
func (p *pages) offer(w http.ResponseWriter, r *http.Request) {
	rules := p.opt.Rules()
	o, err := rules.Keys.ParseOfferToken(r.PathValue("token"))
	if err != nil {
		p.lost(w, r, fmt.Errorf("%w: %w", errNoPage, err))
		return
	}
	c, err := p.customerOf(r, rules, o.Person, "/o/"+normalToken(r))
	if err != nil {
		p.lost(w, r, err)
		return
	}
	product, err := p.opt.DB.Product(r.Context(), o.Product)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%w: product %d", errNoPage, o.Product)
	}
	today := p.opt.Now().In(c.person.Zone(rules.Brands[c.person.Brand]))
	switch open := product.Person == o.Person && !product.Retired && product.WarrantyUntil == o.Until && today.Format("2006-01-02") <= o.Until.String(); {
	case err != nil:
		p.lost(w, r, err)
	case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost:
		w.Header().Set("Allow", "GET, HEAD, POST")
		p.problem(w, r, http.StatusMethodNotAllowed, nil)
	case r.Method != http.MethodPost && r.URL.Query().Get("done") == "1":
		p.render(w, r, http.StatusOK, c.page(c.says.Accepted, c.says.Thanks))
	case !open:
		p.render(w, r, http.StatusGone, c.page(c.says.Offer, c.says.Gone))
	case r.Method == http.MethodPost:
		p.acceptOffer(w, r, c, product)
	default:
		pg := c.page(c.says.Offer, fmt.Sprintf(c.says.OfferText, topic(nameOf(product), c.words)))
		pg.Forms = []form{c.form(actionAccept, c.says.Accept)}
		p.render(w, r, http.StatusOK, pg)
	}
}

func nameOf(p tickets.Product) string {
	if p.Model == "" {
		return p.Serial
	}
	return p.Model + " (" + p.Serial + ")"
}

// acceptOffer writes the press to the ledger, once for each offer.
func (p *pages) acceptOffer(w http.ResponseWriter, r *http.Request, c *customer, product tickets.Product) {
	if status := readForm(w, r); status != 0 {
		p.problem(w, r, status, nil)
		return
	}
	boxes := c.rules.Brands[c.person.Brand].Mailboxes
	if !c.rules.Keys.VerifyNonce(r.PostForm.Get("nonce"), c.path, actionAccept) || len(boxes) == 0 || len(c.person.Addresses) == 0 {
		p.problem(w, r, http.StatusForbidden, nil)
		return
	}
	data, err := json.Marshal(tickets.Button{
		Person: c.person.ID, Address: c.person.Addresses[0], Action: actionAccept, Product: product.ID, Text: fmt.Sprintf(c.says.Message, nameOf(product)),
	})
	if err == nil {
		_, err = p.opt.DB.Append(r.Context(), []store.Item{{
			Key: "web:" + c.path, Brand: c.person.Brand, Mailbox: boxes[0].Address, Queue: boxes[0].Queue,
			Channel: tickets.ChannelWeb, Received: p.opt.Now(), SHA256: sha256.Sum256(data), Data: data,
		}}, nil)
	}
	if err != nil {
		p.lost(w, r, err)
		return
	}
	p.opt.Log.Info("pressed", "brand", c.person.Brand, "kind", actionAccept)
	p.opt.Wake(c.person.Brand)
	http.Redirect(w, r, c.path+"?done=1", http.StatusSeeOther) // #nosec G710 -- the path of this very page, whose token verified
}
