package knowledge

import (
	"cmp"
	"slices"
	"strings"
)

// Base is a set of articles. It does not change and may be used by many.
type Base struct {
	articles []*Article // by id
	indexes  map[string]*index
}

// Hit is an article that was found, and how well it fits: 1 is the least that is
// suggested; scores of different requests can be compared.
type Hit struct {
	Article
	Score float64
}

// New makes a base. Of two articles with one id the first is taken; who reads
// files says so before.
func New(articles []Article) *Base {
	b := &Base{indexes: map[string]*index{}}
	by := map[string][]*Article{}
	for i := range articles {
		a := articles[i]
		if _, there := b.find(a.ID); there {
			continue
		}
		b.articles = append(b.articles, &a)
		slices.SortFunc(b.articles, func(x, y *Article) int { return strings.Compare(x.ID, y.ID) })
	}
	for _, a := range b.articles {
		by[a.Language] = append(by[a.Language], a)
	}
	for language, list := range by {
		b.indexes[language] = newIndex(language, list)
	}
	return b
}

func (b *Base) find(id string) (*Article, bool) {
	i, ok := slices.BinarySearchFunc(b.articles, id, func(a *Article, id string) int { return strings.Compare(a.ID, id) })
	if !ok {
		return nil, false
	}
	return b.articles[i], true
}

// Article returns the article with an id, in lower case.
func (b *Base) Article(id string) (Article, bool) {
	a, ok := b.find(id)
	if !ok {
		return Article{}, false
	}
	return *a, true
}

// Articles lists all, by id.
func (b *Base) Articles() []Article {
	out := make([]Article, len(b.articles))
	for i, a := range b.articles {
		out[i] = *a
	}
	return out
}

// IDs lists the ids of all articles, sorted.
func (b *Base) IDs() []string {
	out := make([]string, len(b.articles))
	for i, a := range b.articles {
		out[i] = a.ID
	}
	return out
}

// mostSuggested bounds a suggestion.
const mostSuggested = 5

// Suggest returns the articles that fit a request, best first; none is the usual
// answer to a request that no article is about. brand and language leave out
// those of others; the first line of text is the subject. The answer depends on
// the arguments and the articles alone.
func (b *Base) Suggest(brand, language, text string) []Hit {
	var out []Hit
	for _, x := range b.of(language) {
		for _, h := range x.find(text) {
			if h.doc.article.For(brand, language) {
				if score := h.fits(); score >= 1 {
					out = append(out, Hit{*h.doc.article, score})
				}
			}
		}
	}
	order(out)
	for i := range out {
		if i == mostSuggested || out[i].Score < out[0].Score*nearBest {
			return out[:i]
		}
	}
	return out
}

// Search returns the n articles of a brand that have most of some words,
// whatever their language, best first.
func (b *Base) Search(brand, words string, n int) []Hit {
	var out []Hit
	for _, x := range b.of("") {
		for _, h := range x.find(words) {
			if h.doc.article.For(brand, "") {
				out = append(out, Hit{*h.doc.article, h.score})
			}
		}
	}
	order(out)
	return out[:min(n, len(out))]
}

// of are the indexes that a language is looked for in; "" all.
func (b *Base) of(language string) []*index {
	var out []*index
	for _, l := range sortedLanguages(b.indexes) {
		if language == "" || l == "" || l == language {
			out = append(out, b.indexes[l])
		}
	}
	return out
}

func sortedLanguages(m map[string]*index) []string {
	var out []string
	for l := range m {
		out = append(out, l)
	}
	slices.Sort(out)
	return out
}

func order(list []Hit) {
	slices.SortFunc(list, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.ID, b.ID))
	})
}

// What decides whether an article is suggested. The figures were found on
// testdata/requests.txt; TestSuggestions holds what they reach.
const (
	enough   = 12   // score that is enough
	nearHelp = 0.5  // how much of a phrase that stands together is added
	loose    = 0.55 // of the score where no phrase does
	nearBest = 0.7  // of the best one's score: what is further away is another matter
)

// fits is 1 or more for an article to be suggested. Words of its title and tags
// that stand far from each other in the request are seldom about it: "they
// delete our projects" and "an admin account" are not about how to delete an
// account.
func (h hit) fits() float64 {
	switch {
	case h.code || h.near > 0:
		return (h.score + nearHelp*h.near) / enough
	case h.key < 2:
		return 0
	}
	return loose * h.score / enough
}
