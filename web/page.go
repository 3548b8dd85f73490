package web

import (
	"bytes"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"frontdesk/tickets"
)

//go:embed pages
var files embed.FS

// parsed are the pages, each with the layout around it.
var parsed = func() map[string]*template.Template {
	out := map[string]*template.Template{}
	for _, name := range []string{"ticket", "done", "problem", "survey", "voted", "wishes", "referral"} {
		out[name] = template.Must(template.ParseFS(files, "pages/layout.html", "pages/"+name+".html"))
	}
	return out
}()

// page is what a template shows.
type page struct {
	name  string // of the template
	Words *words
	Look  look
	Style string // nonce of the style element

	Brand  string // "" on a page of no brand
	Title  string // of the window, and the heading of done and problem pages
	Number int64
	Topic  string // the ticket's subject
	Status string // in words
	Says   string // what the status means for the customer
	Notice string // what was wrong with a posted form
	Typed  string // the words in it
	Text   string // paragraph of a done or problem page
	Link   string // back to the ticket, "" none

	State string
	Forms []form

	Open, Folded []message // newest first

	Article *article
	Solved  *form // beside the article
	Return  *returned

	Choices               []choice // of a survey
	LeastMeans, MostMeans string   // what the ends of its scale mean
	Nonce, Button         string   // of its form
	Code, Mailbox         string   // of a referral, and where to write
}

// form is one of the things that the customer can do.
type form struct {
	Action, Nonce string
	Heading, Note string
	Field         string // label of the text field, "" without one
	Required      bool
	Button        string
	Main          bool // the one most people come for
}

// show answers GET and HEAD. It reads, and nothing else.
func (p *pages) show(w http.ResponseWriter, r *http.Request) {
	v, err := p.visit(r)
	switch {
	case err != nil:
		p.lost(w, r, err)
	case r.URL.Query().Get("done") == "1":
		p.render(w, r, http.StatusOK, v.done())
	default:
		p.render(w, r, http.StatusOK, v.page("", ""))
	}
}

func (v *visit) base(name, title string) page {
	return page{
		name: name, Words: v.words, Look: lookOf(v.brand.Color), Brand: v.name(),
		Title: title, Number: v.ticket.ID, Link: v.path,
	}
}

func (v *visit) name() string {
	if v.brand.Name != "" {
		return v.brand.Name
	}
	return v.ticket.Brand
}

// page shows the ticket; notice says what was wrong with a posted form, typed
// are the words in it, which nobody should have to type again.
func (v *visit) page(notice, typed string) page {
	pg := v.base("ticket", fmt.Sprintf("%s #%d", v.words.Request, v.ticket.ID))
	pg.Topic, pg.Notice, pg.Typed, pg.State = topic(v.ticket.Subject, v.words), notice, typed, v.state()
	said := v.words.Statuses[v.ticket.Status]
	pg.Status, pg.Says = said.Name, said.Means
	actions := v.actions()
	if len(actions) == 0 {
		pg.Says = v.words.ByMail
	}
	pg.Open, pg.Folded = newest(v.messages)
	pg.Article, pg.Return = v.article, v.returned()
	if v.article != nil && v.ticket.Status.Open() {
		f := v.form(actionSolved)
		pg.Solved = &f
	}
	for _, a := range actions {
		pg.Forms = append(pg.Forms, v.form(a))
	}
	return pg
}

func (v *visit) form(action string) form {
	f := v.words.Forms[action]
	f.Action, f.Nonce = action, v.rules.Keys.Nonce(v.token, action)
	if action == actionReopen && v.ticket.Status == tickets.StatusClosed {
		f.Heading, f.Button = v.words.ReopenClosed.Heading, v.words.ReopenClosed.Button
	}
	return f
}

func (v *visit) done() page {
	pg := v.base("done", v.words.Done)
	pg.Text = v.words.DoneText
	return pg
}

// lost answers a request whose ticket could not be shown.
func (p *pages) lost(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNoPage) {
		p.problem(w, r, http.StatusNotFound, nil)
		return
	}
	if r.Context().Err() == nil { // else the client went away, and waits for nothing
		p.opt.Log.Error("customer's page", "err", err)
	}
	w.Header().Set("Retry-After", "30")
	p.problem(w, r, http.StatusServiceUnavailable, nil)
}

// problem shows why there is nothing to show; v is nil where no ticket is known.
func (p *pages) problem(w http.ResponseWriter, r *http.Request, status int, v *visit) {
	pg := page{Words: acceptedWords(r), Look: lookOf("")}
	if v != nil {
		pg = v.base("", "")
	}
	said, ok := pg.Words.Problems[status]
	if !ok {
		said = pg.Words.Problems[http.StatusBadRequest]
	}
	pg.name, pg.Title, pg.Text = "problem", said.Name, said.Means
	p.render(w, r, status, pg)
}

// render writes a page with the headers that all of them have. A HEAD gets the
// same headers and no body, which net/http sees to.
func (p *pages) render(w http.ResponseWriter, r *http.Request, status int, pg page) {
	pg.Style = rand.Text()
	var b bytes.Buffer
	if err := parsed[pg.name].ExecuteTemplate(&b, "layout.html", pg); err != nil {
		p.opt.Log.Error("customer's page", "err", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	strict(h, pg.Style)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", pg.Words.Language)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that went away needs no page
}

// strict sets headers that leave a page nothing but its words and its forms.
func strict(h http.Header, style string) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+style+"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer") // the address is the key
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers older than frame-ancestors
	h.Set("X-Robots-Tag", "noindex, nofollow")
}

// normalToken is the token as it was signed: what is compared and linked to.
func normalToken(r *http.Request) string { return strings.ToLower(r.PathValue("token")) }

// topic is the subject as one line, without characters that turn its order around.
func topic(subject string, w *words) string {
	s := strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f:
			return ' '
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, strings.ToValidUTF8(subject, "\ufffd"))
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return w.NoSubject
	}
	if r := []rune(s); len(r) > 300 {
		s = string(r[:299]) + "…"
	}
	return s
}
