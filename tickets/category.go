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
func sortCategory(w written, categories map[string]Category) (string, []string) {
	best, most, why := "", 0, []string(nil)
	for _, key := range sortedKeys(categories) {
		score, words := w.speaksFor(categories[key])
		if score > most {
			best, most, why = key, score, words
		}
	}
	if best == "" {
		return "", nil
	}
	return best, []string{fmt.Sprintf("category %s: %s", best, strings.Join(why, ", "))}
}

// said is one phrase found: which words it took, and what it weighs.
type said struct {
	at, n, weight int
	text          string
}

// speaksFor weighs the words that speak for a category.
func (w written) speaksFor(c Category) (score int, words []string) {
	topic := c.standard()
	times := map[string]int{}
	for _, s := range w {
		var all []said
		for _, t := range topics() {
			if t.category == topic {
				all = append(all, findAll(s, t.phrases, t.weight)...)
			}
		}
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

// findAll finds each place of each phrase, but those that the sentence says it
// is not about.
func findAll(s sentence, list []phrase, weight int) []said {
	var out []said
	for _, p := range list {
		for at, n := p.find(s, 0); n > 0; at, n = p.find(s, at+n) {
			if !denied(s.words, at) {
				out = append(out, said{at, n, weight, strings.Join(s.words[at:at+n], " ")})
			}
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
	want := plainPhrase(keyword).words
	var out []said
	for at := range s.words {
		if at+len(want) > len(s.words) || len(want) == 0 || denied(s.words, at) {
			continue
		}
		ok := true
		for i, alternatives := range want {
			last := i == len(want)-1
			ok = ok && (s.words[at+i] == alternatives[0].text || last && inflected(s.words[at+i], alternatives[0].text))
		}
		if ok {
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
