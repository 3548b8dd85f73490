package tickets

import (
	"embed"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// What the desk knows of language without being told stands in words/*.txt: it
// knows English and German, not a trade. A desk adds its own words in its
// configuration.
//
//go:embed words/*.txt
var wordFiles embed.FS

// wordset is words that stand for one another. Matching costs a few look-ups,
// however many words there are.
type wordset struct {
	exact, heads, tails map[string]bool
	inner               []string
	gap                 bool // "_": up to maxGap words, none of them a negation

	fewExact, fewHeads, fewTails []string // the same words, looked through while they are few
}

// few words are compared faster than they are looked up.
const few = 8

// lengths says of which lengths there are beginnings that start with a byte, or
// endings that end with it: bit n for n bytes, the last bit for all that are
// longer. Nearly every look-up that could be made need not be.
type lengths [256]uint64

const longest = 63

func (l *lengths) add(of byte, text string) { l[of] |= 1 << min(len(text), longest) }

// each calls f with the lengths to look up, up to most.
func (l *lengths) each(of byte, most int, f func(n int)) {
	for mask := l[of]; mask != 0; mask &= mask - 1 {
		n := bits.TrailingZeros64(mask)
		if n > most {
			return
		}
		f(n)
		if n == longest {
			for n++; n <= most; n++ {
				f(n)
			}
		}
	}
}

func (w *wordset) add(pattern string) {
	head, tail := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*")
	text := fold(strings.Trim(pattern, "*"))
	switch {
	case head && tail:
		w.inner = append(w.inner, text)
	case head:
		put(&w.tails, text)
		w.fewTails = append(w.fewTails, text)
	case tail:
		put(&w.heads, text)
		w.fewHeads = append(w.fewHeads, text)
	default:
		put(&w.exact, text)
		w.fewExact = append(w.fewExact, text)
	}
}

func put(m *map[string]bool, text string) {
	if *m == nil {
		*m = map[string]bool{}
	}
	(*m)[text] = true
}

// begins reports whether a word has one of the ends: a few are compared, more are
// looked up by each length that the word allows.
func begins(list []string, set map[string]bool, word string, has func(word, end string) bool, end func(n int) string) bool {
	if len(list) <= few {
		return slices.ContainsFunc(list, func(e string) bool { return has(word, e) })
	}
	for n := 1; n <= len(word); n++ {
		if set[end(n)] {
			return true
		}
	}
	return false
}

// firstByte of a text, 0 of an empty one; lastByte likewise.
func firstByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}

func lastByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}

func (w *wordset) has(word string) bool {
	if len(w.fewExact) <= few && slices.Contains(w.fewExact, word) || len(w.fewExact) > few && w.exact[word] {
		return true
	}
	if begins(w.fewHeads, w.heads, word, strings.HasPrefix, func(n int) string { return word[:n] }) ||
		begins(w.fewTails, w.tails, word, strings.HasSuffix, func(n int) string { return word[len(word)-n:] }) {
		return true
	}
	return slices.ContainsFunc(w.inner, func(in string) bool { return strings.Contains(word, in) })
}

// phrase is a row of words to look for; each may be one of several.
type phrase struct {
	group int // which sign or topic it belongs to
	words [][]*wordset
}

const maxGap = 3

// at returns how many words of the sentence the phrase takes from i on, 0 none.
func (p phrase) at(words []string, i int) int { return matchWords(p.words, words, i) }

// after is at where the first word is known to match: it was found by it.
func (p phrase) after(words []string, i int) int {
	if len(p.words) == 1 {
		return 1
	}
	if n := matchWords(p.words[1:], words, i+1); n > 0 {
		return 1 + n
	}
	return 0
}

func matchWords(want [][]*wordset, words []string, i int) int {
	if len(want) > 1 && want[0][0].gap {
		for skip := 0; skip <= maxGap && i+skip < len(words); skip++ {
			if n := matchWords(want[1:], words, i+skip); n > 0 {
				return skip + n
			}
			if negates(words[i+skip]) {
				return 0 // "the server is not down"
			}
		}
		return 0
	}
	if i >= len(words) || !slices.ContainsFunc(want[0], func(w *wordset) bool { return w.has(words[i]) }) {
		return 0
	}
	if len(want) == 1 {
		return 1
	}
	if n := matchWords(want[1:], words, i+1); n > 0 {
		return 1 + n
	}
	return 0
}

// lexicon is many phrases, found by the words they can begin with.
type lexicon struct {
	exact, heads, tails map[string][]phrase
	headsOf, tailsOf    lengths
	inner               []phrase
}

// place is where a phrase of a group stands in a sentence.
type place struct{ group, at, n int }

func (l *lexicon) add(p phrase) {
	for _, w := range p.words[0] {
		index(&l.exact, w.exact, p)
		index(&l.heads, w.heads, p)
		index(&l.tails, w.tails, p)
		for text := range w.heads {
			l.headsOf.add(firstByte(text), text)
		}
		for text := range w.tails {
			l.tailsOf.add(lastByte(text), text)
		}
		if len(w.inner) > 0 {
			l.inner = append(l.inner, p)
		}
	}
}

func index(m *map[string][]phrase, words map[string]bool, p phrase) {
	if *m == nil {
		*m = map[string][]phrase{}
	}
	for w := range words {
		(*m)[w] = append((*m)[w], p)
	}
}

// find returns every place of every phrase, by where they begin, the longest
// first.
func (l *lexicon) find(s sentence) []place {
	var out []place
	try := func(list []phrase, i int) {
		for _, p := range list {
			if n := p.after(s.words, i); n > 0 {
				out = append(out, place{p.group, i, n})
			}
		}
	}
	for i, word := range s.words {
		from := len(out)
		try(l.exact[word], i)
		l.headsOf.each(firstByte(word), len(word), func(n int) {
			try(l.heads[word[:n]], i)
		})
		l.tailsOf.each(lastByte(word), len(word), func(n int) {
			try(l.tails[word[len(word)-n:]], i)
		})
		for _, p := range l.inner {
			if n := p.at(s.words, i); n > 0 {
				out = append(out, place{p.group, i, n})
			}
		}
		if len(out) == from {
			continue
		}
		slices.SortFunc(out[from:], func(a, b place) int {
			if a.n != b.n {
				return b.n - a.n
			}
			return a.group - b.group
		})
	}
	return out
}

// knowledge is all of words/*.txt.
type knowledge struct {
	signs                                []sign
	topics                               []topic
	bySign, byTopic                      lexicon
	disclaimers, sales, private          lexicon
	people, places, howto, inform, units lexicon
}

// lexicons reads the word files once.
var lexicons = sync.OnceValue(func() *knowledge {
	k, err := readLexicons()
	if err != nil {
		panic(err) // built in, and tested
	}
	return k
})

func readLexicons() (*knowledge, error) {
	r := wordReader{classes: map[string]*wordset{}}
	k := &knowledge{}
	files := []struct {
		name string
		take func(head string, p phrase) error
	}{
		{"classes", nil},
		{"signs", k.takeSign},
		{"topics", k.takeTopic},
		{"others", k.takeOther},
	}
	for _, f := range files {
		raw, err := wordFiles.ReadFile("words/" + f.name + ".txt")
		if err != nil {
			return nil, err
		}
		if err := r.read(string(raw), f.take); err != nil {
			return nil, fmt.Errorf("read %s.txt: %w", f.name, err)
		}
	}
	return k, nil
}

// wordReader reads a word file: # begins a comment, [head] a group, @name a
// class; the other lines are phrases between commas.
type wordReader struct {
	classes map[string]*wordset
}

func (r *wordReader) read(text string, take func(head string, p phrase) error) error {
	head := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			head = line
		case take == nil && strings.HasPrefix(line, "@"):
			head = line[1:]
			r.classes[head] = &wordset{}
		default:
			if err := r.readLine(line, head, take); err != nil {
				return fmt.Errorf("line %d: %w", i+1, err)
			}
		}
	}
	return nil
}

func (r *wordReader) readLine(line, head string, take func(head string, p phrase) error) error {
	for _, s := range strings.Split(line, ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		if take == nil {
			r.classes[head].add(s)
			continue
		}
		p, err := r.phrase(s)
		if err == nil {
			err = take(head, p)
		}
		if err != nil {
			return fmt.Errorf("%q: %w", s, err)
		}
	}
	return nil
}

// phrase reads one phrase: words with alternatives (a|b), "_" for a gap, * for
// more of the word, @name for a class.
func (r *wordReader) phrase(s string) (phrase, error) {
	var p phrase
	for i, w := range strings.Fields(s) {
		set := &wordset{gap: w == "_"}
		sets := []*wordset{set}
		for _, a := range strings.Split(w, "|") {
			if name, ok := strings.CutPrefix(a, "@"); ok {
				c := r.classes[name]
				if c == nil {
					return p, fmt.Errorf("no class %q", name)
				}
				sets = append(sets, c)
			} else if !set.gap {
				set.add(a)
			}
		}
		if set.gap && (i == 0 || i == len(strings.Fields(s))-1) {
			return p, fmt.Errorf("a gap at an end")
		}
		p.words = append(p.words, sets)
	}
	return p, nil
}

// plainPhrase is a phrase as somebody writes it in a configuration: plain words.
func plainPhrase(s string) phrase {
	var p phrase
	for _, sent := range sentencesOf(s) {
		for _, w := range sent.words {
			set := &wordset{}
			set.add(w)
			p.words = append(p.words, []*wordset{set})
		}
	}
	return p
}

func (k *knowledge) takeSign(head string, p phrase) error {
	name, rest, ok := strings.Cut(strings.TrimPrefix(head, "["), "]")
	if !ok {
		return fmt.Errorf("no [sign] before it")
	}
	if n := len(k.signs); n == 0 || k.signs[n-1].says != name {
		x := sign{says: name}
		for f := strings.Fields(rest); len(f) > 1; f = f[2:] {
			switch f[0] {
			case "impact":
				x.impact, _ = strconv.Atoi(f[1])
			case "force":
				x.force = force(f[1])
			}
		}
		k.signs = append(k.signs, x)
	}
	p.group = len(k.signs) - 1
	k.bySign.add(p)
	return nil
}

func (k *knowledge) takeTopic(head string, p phrase) error {
	name, rest, ok := strings.Cut(strings.TrimPrefix(head, "["), "] weight ")
	weight, err := strconv.Atoi(rest)
	if !ok || err != nil {
		return fmt.Errorf("no [category] weight N before it")
	}
	if n := len(k.topics); n == 0 || k.topics[n-1] != (topic{name, weight}) {
		k.topics = append(k.topics, topic{name, weight})
	}
	p.group = len(k.topics) - 1
	k.byTopic.add(p)
	return nil
}

func (k *knowledge) takeOther(head string, p phrase) error {
	into := map[string]*lexicon{"[disclaimers]": &k.disclaimers, "[sales]": &k.sales, "[private]": &k.private, "[people]": &k.people, "[places]": &k.places, "[howto]": &k.howto, "[inform]": &k.inform, "[units]": &k.units}[head]
	if into == nil {
		return fmt.Errorf("unknown group %q", head)
	}
	into.add(p)
	return nil
}
