package knowledge

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
)

// BM25 with fields (Robertson, Zaragoza: The Probabilistic Relevance Framework,
// 2009, section 3.6): a word counts by the field it stands in, less each further
// time, and less in a long field.
const (
	saturation = 1.2 // k1
	shortness  = 0.6 // b of summary and body; titles and tags are short anyway

	weightTitle   = 2.5
	weightTag     = 2.5
	weightSummary = 1.0
	weightBody    = 0.6
)

// prior is how many articles the desk supposes to exist beside those it has: in
// a folder of five every word would be rare or in all of them.
const prior = 100

// index finds the articles of one language.
type index struct {
	language string
	docs     []doc
	posts    map[string][]post // by stem
	vocab    map[string]bool   // stems that a compound may be made of
}

// doc is an article as it is searched.
type doc struct {
	article *Article
	key     map[string]bool // stems of title and tags: what it is about
	phrases [][]string      // stems of each tag, and of the title
}

// post says how much a word counts in an article: the fields' weights and its
// number in each, before saturation.
type post struct {
	doc    int
	weight float64
}

// fields of an article, with their weights.
func fields(a *Article) []struct {
	text   string
	weight float64
} {
	return []struct {
		text   string
		weight float64
	}{
		{a.Title, weightTitle},
		{strings.Join(a.Tags, "\n"), weightTag},
		{a.Summary, weightSummary},
		{a.Body, weightBody},
	}
}

func newIndex(language string, articles []*Article) *index {
	x := &index{language: language, posts: map[string][]post{}, vocab: map[string]bool{}}
	for _, a := range articles {
		for _, f := range fields(a) {
			for _, w := range wordsOf(f.text) {
				if !stopWords[w] && len(w) >= shortestPart {
					x.vocab[stem(w, language)] = true
				}
			}
		}
	}
	lengths := make([][4]float64, len(articles))
	var mean [4]float64
	stems := make([][4][]string, len(articles))
	for i, a := range articles {
		for k, f := range fields(a) {
			stems[i][k] = x.stems(f.text)
			lengths[i][k] = float64(len(stems[i][k]))
			mean[k] += lengths[i][k] / float64(len(articles))
		}
	}
	for i, a := range articles {
		d := doc{article: a, key: map[string]bool{}}
		weights := map[string]float64{}
		for k, f := range fields(a) {
			norm := 1.0
			if f.weight <= weightSummary && mean[k] > 0 {
				norm = 1 - shortness + shortness*lengths[i][k]/mean[k]
			}
			for _, s := range stems[i][k] {
				weights[s] += f.weight / norm
				if k < 2 {
					d.key[s] = true
				}
			}
		}
		for _, phrase := range append([]string{a.Title}, a.Tags...) {
			if p := x.stems(phrase); len(p) > 0 {
				d.phrases = append(d.phrases, unique(p))
			}
		}
		x.docs = append(x.docs, d)
		for _, s := range sorted(weights) {
			x.posts[s] = append(x.posts[s], post{i, weights[s]})
		}
	}
	return x
}

// shortestPart is of how many letters a part of a compound is made at least.
const shortestPart = 4

// stems are the words of a text as they are compared, in their order. A compound
// of German brings the two words that it is made of, where articles know both:
// "Druckerpatrone" is about a Drucker and about a Patrone.
func (x *index) stems(text string) []string {
	var out []string
	for _, w := range wordsOf(text) {
		out = append(out, x.stemsOf(w)...)
	}
	return out
}

// stemsOf is a word as it is compared, and the parts of a compound.
func (x *index) stemsOf(w string) []string {
	switch {
	case stopWords[w] || len(w) < 2 && !isDigit(w):
		return nil
	case x.language == "de":
		return append([]string{stem(w, x.language)}, x.parts(w)...)
	}
	return []string{stem(w, x.language)}
}

func isDigit(w string) bool { return w[0] >= '0' && w[0] <= '9' }

func (x *index) parts(w string) []string {
	for i := len(w) - shortestPart; i >= shortestPart; i-- {
		right := stem(w[i:], x.language)
		if !x.vocab[right] {
			continue
		}
		for _, joint := range []string{"", "s", "n", "en", "es"} {
			left, ok := strings.CutSuffix(w[:i], joint)
			if !ok || len(left) < shortestPart {
				continue
			}
			if left = stem(left, x.language); x.vocab[left] {
				return []string{left, right}
			}
		}
	}
	return nil
}

func sorted(m map[string]float64) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// idf is how much a word tells: 0 for one that stands everywhere.
func (x *index) idf(s string) float64 {
	n, df := float64(len(x.docs)+prior), float64(len(x.posts[s]))
	return math.Log(1 + (n-df+0.5)/(df+0.5))
}

// hit is an article that has words of a request.
type hit struct {
	doc   *doc
	score float64 // BM25
	key   int     // different words of its title and tags in the request
	near  float64 // idf of the words of the best phrase, title or tag of two words or more, that stands in it whole and close together
	code  bool    // it names an error or a model that the title or a tag names
}

// most words of a request that are looked up: who writes more repeats it.
const mostWords = 200

// find returns every article of which the request has a word, by score.
func (x *index) find(text string) []hit {
	places, words := x.places(text)
	scores := map[int]float64{}
	for _, w := range words { // in the order of the text: the sums are the same each time
		idf := x.idf(w)
		for _, p := range x.posts[w] {
			scores[p.doc] += idf * p.weight / (saturation + p.weight)
		}
	}
	out := make([]hit, 0, len(scores))
	for i, score := range scores {
		out = append(out, x.weigh(&x.docs[i], score, places))
	}
	slices.SortFunc(out, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.doc.article.ID, b.doc.article.ID))
	})
	return out
}

// names reports whether a word is the code of an error or a model: letters and
// digits. One of these says as much as two words of language.
func names(w string) bool {
	return strings.ContainsAny(w, "0123456789") && strings.ContainsFunc(w, unicode.IsLetter)
}

// weigh looks at what of an article's title and tags the request says.
func (x *index) weigh(d *doc, score float64, places map[string][]int) hit {
	h := hit{doc: d, score: score}
	for k := range d.key {
		if places[k] != nil {
			h.key++
			h.code = h.code || names(k)
		}
	}
	for _, phrase := range d.phrases {
		if len(phrase) < 2 || !together(phrase, places) {
			continue
		}
		all := 0.0
		for _, w := range phrase {
			all += x.idf(w)
		}
		h.near = max(h.near, all)
	}
	return h
}

// Words are together when no more than so many others stand among them. The end
// of a sentence counts for as many: what is said in two sentences is seldom one
// thing.
const (
	apart       = 3
	sentenceEnd = apart
)

// together reports whether all words of a phrase stand close to one another
// somewhere in the text, in any order.
func together(phrase []string, places map[string][]int) bool {
	for _, at := range places[phrase[0]] {
		low, high := at, at
		for _, w := range phrase[1:] {
			nearest, found := 0, false
			for _, p := range places[w] {
				if d := abs(p - at); !found || d < abs(nearest-at) {
					nearest, found = p, true
				}
			}
			if !found {
				return false
			}
			low, high = min(low, nearest), max(high, nearest)
		}
		if high-low < len(phrase)+apart {
			return true
		}
	}
	return false
}

func abs(n int) int { return max(n, -n) }

// places says where each word of a text stands, counted in words that say
// something, and lists the words in their order.
func (x *index) places(text string) (at map[string][]int, words []string) {
	at = map[string][]int{}
	n := 0
	for _, sentence := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".!?;:\n", r) }) {
		for _, w := range wordsOf(sentence) {
			for _, s := range x.stemsOf(w) {
				if at[s] == nil {
					words = append(words, s)
				}
				at[s] = append(at[s], n)
			}
			if !stopWords[w] {
				n++
			}
			if len(words) >= mostWords {
				return at, words
			}
		}
		n += sentenceEnd
	}
	return at, words
}
