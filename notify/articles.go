package notify

import (
	"net/url"
	"strings"

	"frontdesk/tickets"
)

// shownArticle is an article of the knowledge base as a letter names it.
type shownArticle struct {
	ID       string // of #kb
	Title    Words
	Summary  Words
	Link     string // where it can be read
	Solved   string // to customers: the page with the button "this solved it", "" without pages
	Internal bool   // for agents alone
}

// articles names what may help. One that the customer could read nowhere is left
// out: without a link of its own it is read on the customer's page.
func (v *view) articles(l tickets.Letter, m Material, w *words) {
	for _, a := range l.Data.Articles {
		s := shownArticle{ID: oneLine(a.ID, 64), Title: w.put(oneLine(a.Title, 200)), Summary: w.put(oneLine(a.Summary, 600)), Link: safeLink(a.Link), Internal: a.Internal}
		if !l.Agent {
			if page := m.pageLink(l); page != "" {
				s.Solved = page + "?article=" + url.QueryEscape(a.ID) + "#article"
			}
			if s.Link == "" {
				s.Link = s.Solved
			}
			if s.Link == "" || a.Internal {
				continue
			}
		}
		v.Articles = append(v.Articles, s)
	}
}

// safeLink is a link that can stand in Markdown, "" for any other.
func safeLink(link string) string {
	if u, err := url.Parse(link); err != nil || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsAny(link, " \t\r\n<>()\"'`\\") {
		return ""
	}
	return link
}
