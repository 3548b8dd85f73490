package tickets

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What an article did on a ticket.
const (
	ArticleShown    = "shown"    // the acknowledgement named it
	ArticleInserted = "inserted" // an agent sent it with #kb
	ArticleSolved   = "solved"   // the customer pressed "this solved it"
)

// ArticleUse is one thing that an article did on a ticket. The store keeps each
// of them once.
type ArticleUse struct {
	Article string
	What    string
}

// Most articles in one letter: more is a search result, not a suggestion.
const (
	articlesToCustomers = 3
	articlesToAgents    = 5
)

// suggestions are the articles that fit a new request, those for agents alone
// among them. The language is the one the customer wrote, else that of the
// ticket's letters.
func (d *decision) suggestions(tc *TicketChange, carry int) []Article {
	if d.rules.Suggest == nil || carry == 0 {
		return nil
	}
	if d.suggested != nil {
		return *d.suggested
	}
	language := d.in.Language
	if language == "" {
		language = d.ticketLanguage(&tc.Ticket)
	}
	list := d.rules.Suggest(tc.Ticket.Brand, language, tc.Ticket.Subject+"\n"+tc.Messages[carry-1].Text)
	d.suggested = &list
	var ids []string
	for _, a := range list {
		ids = append(ids, fmt.Sprintf("%s %.2f", a.ID, a.Score))
	}
	d.trace("articles", language, "%s", orNone(strings.Join(ids, ", ")))
	return list
}

// forCustomers are the suggestions that a mail to the customer may name. A
// telephone gets none: a text has no room for them.
func (d *decision) forCustomers(tc *TicketChange, carry int) []Article {
	if Number(requester(&tc.Ticket).Address) != "" {
		return nil
	}
	list := slices.DeleteFunc(slices.Clone(d.suggestions(tc, carry)), func(a Article) bool { return a.Internal })
	return briefly(list, articlesToCustomers)
}

// forAgents are the suggestions that the letter about a new ticket names.
func (d *decision) forAgents(tc *TicketChange, carry int) []Article {
	return briefly(d.suggestions(tc, carry), articlesToAgents)
}

// briefly is what a letter stores of articles: the rest stands in their files.
func briefly(list []Article, n int) []Article {
	var out []Article
	for _, a := range list[:min(n, len(list))] {
		out = append(out, Article{ID: a.ID, Title: a.Title, Summary: a.Summary, Link: a.Link, Internal: a.Internal, Score: a.Score})
	}
	return out
}

// countShown notes the articles of an acknowledgement that was written.
func (tc *TicketChange) countShown() {
	for _, l := range tc.Letters {
		if l.Kind != LetterAcknowledgement {
			continue
		}
		for _, a := range l.Data.Articles {
			tc.Articles = append(tc.Articles, ArticleUse{a.ID, ArticleShown})
		}
	}
}

// article checks the id of #kb.
func article(c *Command, r Rules, _ time.Time) string {
	id := strings.ToLower(strings.Trim(c.Arg, "#<>"))
	switch {
	case r.Article == nil:
		return "there is no knowledge base here"
	case id == "":
		return "which article? its id stands in the letter of a new ticket, or in frontdesk articles search"
	}
	if a, ok := r.Article(id); ok {
		c.Arg = a.ID
		return ""
	}
	if r.ArticleIDs != nil {
		if near := Nearest(id, r.ArticleIDs()); near != "" {
			return fmt.Sprintf("there is no article %q; did you mean %s?", id, near)
		}
	}
	return fmt.Sprintf("there is no article %q", id)
}

// articleProblems says which articles must not go to this customer.
func (d *decision) articleProblems(tc *TicketChange, commands []Command, sends bool) []string {
	var out []string
	for _, a := range d.articlesOf(commands) {
		switch {
		case len(a.Brands) > 0 && !slices.Contains(a.Brands, tc.Ticket.Brand):
			out = append(out, fmt.Sprintf("#kb: the article %s is not for %s", a.ID, d.brand.Name))
		case a.Internal && (sends || has(commands, "update")):
			out = append(out, fmt.Sprintf("#kb: the article %s is for agents alone; with #note it stays inside", a.ID))
		}
	}
	return out
}

// articlesOf are the articles that commands name.
func (d *decision) articlesOf(commands []Command) []Article {
	var out []Article
	for _, c := range commands {
		if c.Name != "kb" || d.rules.Article == nil {
			continue
		}
		if a, ok := d.rules.Article(c.Arg); ok {
			out = append(out, a)
		}
	}
	return out
}

// withArticles puts the articles of #kb below an agent's words; without words
// they are the answer.
func (d *decision) withArticles(commands []Command, text string) string {
	parts := []string{text}
	for _, a := range d.articlesOf(commands) {
		parts = append(parts, a.Title, strings.TrimSpace(a.Body), a.Link)
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "\n\n")
}

// insertedArticles notes the articles that left with an answer.
func (d *decision) insertedArticles(tc *TicketChange, agent Agent, commands []Command) []string {
	var done []string
	for _, a := range d.articlesOf(commands) {
		tc.Articles = append(tc.Articles, ArticleUse{a.ID, ArticleInserted})
		tc.event(d.now, agent.Address, "article", "%s sent", a.ID)
		done = append(done, "article "+a.ID+" is in the answer")
	}
	return done
}

// solvedBy closes a ticket because the customer says that an article solved it.
// Whoever works on it is told: a letter about it lies in their inbox.
func (d *decision) solvedBy(tc *TicketChange, who, id string) {
	t := &tc.Ticket
	switch {
	case t.Status == StatusClosed:
		tc.event(d.now, who, "confirmed", "again; it is closed already")
		return
	case !t.Status.Open() || id == "":
		tc.event(d.now, who, "button", "solved has no effect on a ticket that is %s", t.Status)
		return
	}
	told := d.audience(t)
	tc.Articles = append(tc.Articles, ArticleUse{id, ArticleSolved})
	tc.status(d.now, who, StatusClosed)
	tc.event(d.now, who, "confirmed", "the customer says that the article %s solved it", id)
	d.automatic(tc, LetterConfirmed, LetterData{})
	for _, a := range told {
		data := d.view(tc, 0)
		data.Done = []string{"closed: the customer says that the article " + id + " solved it"}
		d.toAgent(tc, a, LetterReceipt, 0, data)
	}
}
