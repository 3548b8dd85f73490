package tickets

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// keywordWeight is what one of the configuration's own keywords weighs: as much
// as the clearest built-in words.
const keywordWeight = 5

// sortCategory takes the category that most words speak for; those of the
// subject count twice. Ties go to the first by name, so that the same request
// always gives the same guess. It says why, "" when nothing speaks for any.
func sortCategory(w written, b balance, categories map[string]Category) (string, []string) {
	best, most, why := "", 0, []string(nil)
	topics := w.topics()
	for _, key := range sortedKeys(categories) {
		score, words := w.speaksFor(categories[key], topics, b.asksOnly() && !b.howTo)
		if n, says := b.speaksFor(categories[key].standard()); n > 0 {
			score, words = score+n, append(words, says)
		}
		if score > most {
			best, most, why = key, score, words
		}
	}
	if best == "" {
		return "", nil
	}
	return best, []string{fmt.Sprintf("category %s: %s", best, strings.Join(why, ", "))}
}

// speaksFor is what the kind of request says about a category: where something
// is wrong it is rather the technicians', where somebody asks or wishes it is
// rather about what there is to buy.
func (b balance) speaksFor(category string) (weight int, says string) {
	f := b.forces
	switch {
	case category == "technical" && b.cosmetic:
		return 12, "how it looks"
	case category == "technical" && f[forceNow] > 0 && b.onlyThings:
		return 8, nothingGoes
	case category == "technical" && b.wrong():
		return 3, "something is wrong"
	case category == "account" && b.intruded:
		return 6, breaksIn
	case category == "product" && b.sales:
		return 20, "an offer"
	case category == "product" && !b.wrong() && f[forceTrifle] > 0:
		return 7, "a wish or a remark"
	case category == "technical" && b.asksOnly() && b.howTo:
		return 4, "how to do something"
	case category == "product" && b.asksOnly() && !b.howTo:
		return 4, "a question"
	}
	return 0, ""
}

// asksOnly reports a question where nothing is wrong and nothing is to be done.
func (b balance) asksOnly() bool {
	return !b.wrong() && b.forces[forceAct] == 0 && b.forces[forceAsk] > 0
}

// said is one phrase found: which words it took, and what it weighs.
type said struct {
	at, n, weight int
	text          string
}

// things are the topic of what a technician is asked about when something is
// wrong with it, and a seller otherwise.
const things = "device"

// speaksFor weighs the words that speak for a category, among them the topics of
// each sentence.
func (w written) speaksFor(c Category, topics [][]about, asks bool) (score int, words []string) {
	speaks := c.standard()
	also := ""
	if speaks == "technical" && !asks || speaks == "product" && asks {
		also = things
	}
	keywords := make([][]string, len(c.Keywords))
	for i, k := range c.Keywords {
		keywords[i] = plainWords(k)
	}
	times := map[string]int{}
	var all []said
	for i, s := range w {
		all = all[:0]
		for _, t := range topics[i] {
			if speaks != "" && (t.category == speaks || t.category == also) {
				all = append(all, t.said)
			}
		}
		for _, want := range keywords {
			all = findKeyword(all, s, want)
		}
		for _, hit := range strongest(all) {
			if times[hit.text]++; times[hit.text] > 2 {
				continue // a word said ten times is one matter
			}
			score += hit.weight * s.weight
			if times[hit.text] == 1 {
				words = append(words, strconv.Quote(hit.text))
			}
		}
	}
	return score, words[:min(len(words), maxWords)]
}

const maxWords = 8

// about is a phrase that speaks for a standard category.
type about struct {
	said
	category string
}

// topics finds in each sentence what speaks for the standard categories, but not
// what the sentence says it is not about.
func (w written) topics() [][]about {
	out := make([][]about, len(w))
	k := lexicons()
	for i, s := range w {
		for _, f := range inTopics.find(s) {
			if t := k.topics[f.group]; !s.denied(f.at) {
				out[i] = append(out[i], about{said{f.at, f.n, t.weight, strings.Join(s.words[f.at:f.at+f.n], " ")}, t.category})
			}
		}
	}
	return out
}

// strongest takes the phrases that weigh most and share no words.
func strongest(all []said) []said {
	if len(all) < 2 {
		return all
	}
	slices.SortStableFunc(all, func(a, b said) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(b.n, a.n), cmp.Compare(a.at, b.at))
	})
	var out []said
	for _, h := range all {
		if !slices.ContainsFunc(out, func(o said) bool { return h.at < o.at+o.n && o.at < h.at+h.n }) {
			out = append(out, h)
		}
	}
	return out
}

// denied reports whether the sentence says that it is not about what follows:
// "this is not about the invoice", "es geht nicht um die Rechnung", "no error".
func (s sentence) denied(at int) bool {
	words := s.words
	if at > 0 && (words[at-1] == "no" || words[at-1] == "without" || words[at-1] == "ohne") {
		return at > 1 || words[at-1] == "without" || words[at-1] == "ohne"
	}
	for i := max(0, at-4); i+1 < at; i++ {
		if s.known[i].is(doesNegate) && slices.Contains([]string{"about", "um", "wegen"}, words[i+1]) {
			return true
		}
	}
	return false
}

// findKeyword adds where a keyword of the configuration stands: a word, in any of
// its usual endings and as part of a German compound, or a row of words.
func findKeyword(out []said, s sentence, want []string) []said {
	last := len(want) - 1
	if last < 0 {
		return out
	}
	for at := range len(s.words) - last {
		end := s.words[at+last]
		if len(end)+1 < len(want[last]) {
			continue // too short for it with any ending
		}
		if (end == want[last] || inflected(end, want[last])) && slices.Equal(s.words[at:at+last], want[:last]) && !s.denied(at) {
			out = append(out, said{at, len(want), keywordWeight, strings.Join(s.words[at:at+len(want)], " ")})
		}
	}
	return out
}

// Lengths below which a keyword takes no endings and is no part of compounds:
// "port" is not in "report", "bug" not in "Bugatti".
const (
	endingFrom   = 4
	compoundFrom = 6
)

var endings = []string{"s", "es", "e", "n", "en", "er", "ern", "em", "d", "ed", "ing", "ung", "ungen", "t", "te"}

// inflected reports whether the word is the keyword with an ending ("Rechnungen",
// "returned"), or a compound that begins or ends with it ("Stromrechnung").
func inflected(word, keyword string) bool {
	if len(keyword) >= compoundFrom && (strings.HasPrefix(word, keyword) || strings.HasSuffix(word, keyword)) {
		return true
	}
	rest, ok := strings.CutPrefix(word, keyword)
	if !ok {
		rest, ok = strings.CutPrefix(word, strings.TrimSuffix(keyword, "e")) // charge, charging
		ok = ok && strings.HasSuffix(keyword, "e")
	}
	return ok && len(keyword) >= endingFrom && slices.Contains(endings, rest)
}

// standard says which of the five categories that a desk begins with this is,
// by its key or title; "" none.
func (c Category) standard() string {
	for _, name := range []string{c.Key, c.Title} {
		name = strings.ToLower(name)
		for _, s := range standardNames {
			if slices.ContainsFunc(s.parts, func(p string) bool { return strings.Contains(name, p) }) {
				return s.category
			}
		}
	}
	return ""
}

var standardNames = []struct {
	category string
	parts    []string
}{
	{"technical", []string{"technical", "technik", "technisch"}},
	{"billing", []string{"billing", "payment", "invoice", "rechnung", "zahlung", "abrechnung"}},
	{"returns", []string{"return", "exchange", "retoure", "rückgabe", "rueckgabe", "umtausch"}},
	{"account", []string{"account", "konto", "zugang"}},
	{"product", []string{"product", "produkt"}},
}
