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
	for _, key := range sortedKeys(categories) {
		score, words := w.speaksFor(categories[key], b.asksOnly() && !b.howTo)
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

// speaksFor weighs the words that speak for a category.
func (w written) speaksFor(c Category, asks bool) (score int, words []string) {
	speaks := c.standard()
	also := ""
	if speaks == "technical" && !asks || speaks == "product" && asks {
		also = things
	}
	times := map[string]int{}
	for _, s := range w {
		all := s.topics(speaks, also)
		for _, k := range c.Keywords {
			all = append(all, findKeyword(s, k)...)
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

// topics finds what speaks for a standard category, but not what the sentence
// says it is not about.
func (s sentence) topics(category, also string) []said {
	var out []said
	k := lexicons()
	for _, f := range k.byTopic.find(s) {
		if t := k.topics[f.group]; category != "" && (t.category == category || t.category == also) && !denied(s.words, f.at) {
			out = append(out, said{f.at, f.n, t.weight, strings.Join(s.words[f.at:f.at+f.n], " ")})
		}
	}
	return out
}

// strongest takes the phrases that weigh most and share no words.
func strongest(all []said) []said {
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
func denied(words []string, at int) bool {
	if at > 0 && (words[at-1] == "no" || words[at-1] == "without" || words[at-1] == "ohne") {
		return at > 1 || words[at-1] == "without" || words[at-1] == "ohne"
	}
	for i := max(0, at-4); i+1 < at; i++ {
		if negates(words[i]) && slices.Contains([]string{"about", "um", "wegen"}, words[i+1]) {
			return true
		}
	}
	return false
}

// findKeyword finds a keyword of the configuration: a word, in any of its usual
// endings and as part of a German compound, or a row of words.
func findKeyword(s sentence, keyword string) []said {
	var want []string
	for _, part := range sentencesOf(keyword) {
		want = append(want, part.words...)
	}
	var out []said
	for at := range s.words {
		if len(want) == 0 || at+len(want) > len(s.words) || denied(s.words, at) {
			continue
		}
		last := len(want) - 1
		if slices.Equal(s.words[at:at+last], want[:last]) && (s.words[at+last] == want[last] || inflected(s.words[at+last], want[last])) {
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
