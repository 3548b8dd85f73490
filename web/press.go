package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"frontdesk/store"
	"frontdesk/tickets"
)

// press takes a posted form. Everything that could refuse it is asked before
// the row is written; after the row it is accepted, and the answer is a
// redirection, so that a reload posts nothing.
func (p *pages) press(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		p.problem(w, r, badForm(err), nil)
		return
	}
	v, err := p.visit(r)
	if err != nil {
		p.lost(w, r, err)
		return
	}
	action := r.PostForm.Get("action")
	text := cleanText(r.PostForm.Get("text"))
	switch {
	case !v.rules.Keys.VerifyNonce(r.PostForm.Get("nonce"), v.token, action):
		p.problem(w, r, http.StatusForbidden, v)
		return
	case !v.takes(action):
		p.render(w, r, http.StatusConflict, v.page(v.words.Moved, text))
		return
	case action == actionAdd && text == "":
		p.render(w, r, http.StatusUnprocessableEntity, v.page(v.words.Empty, text))
		return
	}
	if err := p.accept(r, v, action, text); err != nil {
		p.lost(w, r, err)
		return
	}
	http.Redirect(w, r, v.path+"?done=1", http.StatusSeeOther)
}

func badForm(err error) int {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// accept writes the press to the ledger. It returns nil only after the commit.
func (p *pages) accept(r *http.Request, v *visit, action, text string) error {
	t := &v.ticket
	b := tickets.Button{
		Ticket: t.ID, Person: v.person.Person, Address: tickets.NormalAddress(v.person.Address.Address), Action: action, Text: text,
	}
	said := text
	if action == actionSolved {
		b.Text, b.Article, said = "", v.article.ID, v.article.ID
	}
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	item := store.Item{
		Key: v.key(action, r.PostForm.Get("state"), said), Brand: t.Brand, Mailbox: t.Mailbox, Queue: t.Queue,
		Channel: tickets.ChannelWeb, Received: v.now, SHA256: sha256.Sum256(data), Data: data,
	}
	added, err := p.opt.DB.Append(r.Context(), []store.Item{item}, nil)
	if err != nil {
		return err
	}
	if added > 0 {
		p.opt.Log.Info("pressed", "ticket", t.ID, "brand", t.Brand, "kind", action)
	}
	p.opt.Wake(t.Brand)
	return nil
}

// key names a press. It is made of who pressed what with which words on a page
// that showed which state, so that a double press, a repeated request of an
// impatient browser and a retry after a lost answer are one row; the same
// press on a later state of the ticket is a new one. A form without the state
// counts for the state that is.
//
// The state needs no signature: who alters it has made a press that he could
// have made anyway, by other words.
func (v *visit) key(action, state, text string) string {
	if state == "" {
		state = v.state()
	}
	h := sha256.New()
	for _, part := range []string{fmt.Sprint(v.ticket.ID), fmt.Sprint(v.person.Person), action, state, text} {
		fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	return "web:" + hex.EncodeToString(h.Sum(nil)[:16])
}

// cleanText is what a person typed: LF line ends, valid UTF-8, no control
// characters.
func cleanText(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (r < ' ' || r >= 0x7f && r < 0xa0) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}
