package web

import (
	"net/http"
	"slices"

	"frontdesk/tickets"
)

// An acknowledgement names articles of the knowledge base, and its button beside
// each leads here: to the ticket's page with that article on it and one more
// form, "this solved it". Only articles that the acknowledgement of this very
// ticket named are taken: what is counted is what was suggested.

// article is the one that a link or a press names.
type article struct {
	ID, Title, Text, Link string
}

// maxArticleID bounds what is looked for.
const maxArticleID = 64

// named returns the article that the request names, nil for none.
func (p *pages) named(r *http.Request, v *visit) (*article, error) {
	id := r.URL.Query().Get("article")
	if r.Method == http.MethodPost {
		id = r.PostForm.Get("article")
	}
	if id == "" || len(id) > maxArticleID || v.person.Role != tickets.PartyRequester && v.person.Role != tickets.PartyFollower {
		return nil, nil
	}
	shown, err := p.opt.DB.ArticlesShown(r.Context(), v.asked)
	if err != nil || !slices.Contains(shown, id) {
		return nil, err
	}
	out := &article{ID: id, Title: id}
	if v.rules.Article == nil {
		return out, nil
	}
	if a, ok := v.rules.Article(id); ok && !a.Internal { // else it was taken away meanwhile, and solved it all the same
		out.Title, out.Text, out.Link = a.Title, a.Body, a.Link
	}
	return out, nil
}

// takesSolved reports whether the press "this solved it" is accepted now. The
// second of two finds the ticket closed.
func (v *visit) takesSolved() bool {
	return v.article != nil && (v.ticket.Status.Open() || v.ticket.Status == tickets.StatusClosed)
}
