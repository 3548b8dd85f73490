package tickets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// This file is what all the words of words/*.txt say of one word, so that every
// word of a request is looked up once, however many phrases are looked for.

// lexicon is a list of phrases: which file or group of words/*.txt they stand in.
type lexicon uint8

const (
	inSigns lexicon = iota
	inTopics
	inDisclaimers
	inSales
	inPrivate
	inPeople
	inPlaces
	inHowto
	inInform
	inUnits
	lexiconCount
)

// phrase is a row of words to look for; each may be one of several.
type phrase struct {
	group int // which sign or topic it belongs to
	words []choice
}

// choice is what may stand at a place of a phrase: the patterns of "is|are*|@who",
// which is its text. The text of a gap is "_".
type choice struct {
	text     string
	patterns []string
}

// gap stands for up to maxGap words, none of them a negation.
const (
	gap    = "_"
	maxGap = 3
)

// slot numbers the choices that stand behind the first word of phrases.
type slot uint16

const gapSlot slot = 0

// row is a phrase behind its first word.
type row struct {
	in    lexicon
	group int
	rest  []slot
}

// lore is what is known of a word; nil of one that stands nowhere.
type lore struct {
	fits  []uint64                 // a bit for each slot it may stand in
	rows  []row                    // the phrases it may begin, by lexicon
	from  [lexiconCount + 1]uint16 // where in rows those of a lexicon begin
	may   uint16                   // a bit for each lexicon of which there are rows
	does  doing
	count int    // the number that it names, 0 none
	verb  string // what it writes together with "not"
}

// doing is what a word does to those around it.
type doing uint8

const (
	doesNegate  doing = 1 << iota // "not"
	doesFill                      // "very": may stand between a negation and what it negates
	doesImagine                   // "if": what follows is only thought of
	doesHedge                     // "might": what follows may come, or nearly came
	doesAsk                       // begins a question about what may be
)

func (w *lore) fit(s slot) bool {
	return w != nil && int(s>>6) < len(w.fits) && w.fits[s>>6]>>(s&63)&1 != 0
}

func (w *lore) is(d doing) bool { return w != nil && w.does&d != 0 }

// begins are the phrases of a lexicon that the word may begin.
func (w *lore) begins(l lexicon) []row {
	if w == nil {
		return nil
	}
	return w.rows[w.from[l]:w.from[l+1]]
}

// beginnings are a bit for each lexicon of which one of the words may begin a
// phrase: most sentences have nothing to do with most lexicons.
func beginnings(words []*lore) (lexicons uint16) {
	for _, w := range words {
		if w != nil {
			lexicons |= w.may
		}
	}
	return lexicons
}

// place is where a phrase of a group stands in a sentence.
type place struct{ group, at, n int }

// find returns every place of every phrase once, by where they begin, the
// longest first.
func (l lexicon) find(s sentence) []place {
	if s.begins>>l&1 == 0 {
		return nil
	}
	var out []place
	for i, w := range s.known {
		rows := w.begins(l)
		if len(rows) == 0 {
			continue
		}
		from := len(out)
		for _, r := range rows {
			if n := follow(r.rest, s.known, i+1); n >= 0 {
				out = append(out, place{r.group, i, 1 + n})
			}
		}
		if len(out) < from+2 {
			continue
		}
		slices.SortFunc(out[from:], func(a, b place) int {
			return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.group, b.group))
		})
		out = out[:from+len(slices.Compact(out[from:]))]
	}
	return out
}

// follow returns how many words the rest of a phrase takes from i on, -1 when
// others stand there.
func follow(rest []slot, words []*lore, i int) int {
	if len(rest) == 0 {
		return 0
	}
	if rest[0] != gapSlot {
		if i >= len(words) || !words[i].fit(rest[0]) {
			return -1
		}
		if n := follow(rest[1:], words, i+1); n >= 0 {
			return 1 + n
		}
		return -1
	}
	for skip := 0; skip <= maxGap && i+skip < len(words); skip++ {
		if n := follow(rest[1:], words, i+skip); n >= 0 {
			return skip + n
		}
		if words[i+skip].is(doesNegate) {
			return -1 // "the server is not down"
		}
	}
	return -1
}

// vocabulary finds what is known of a word: as a whole, by how it begins, by how
// it ends, and by what it contains. It is read-only.
type vocabulary struct {
	exact        map[string]*lore
	heads, tails trie
	inner        []string
	innerLore    []*lore
}

func (v *vocabulary) look(word string) *lore {
	if w, ok := v.exact[word]; ok {
		return w
	}
	w := both(v.heads.longestHead(word), v.tails.longestTail(word))
	for i, text := range v.inner {
		if strings.Contains(word, text) {
			w = both(w, v.innerLore[i])
		}
	}
	return w
}

// both is what is known of a word that two patterns fit.
func both(a, b *lore) *lore {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	var d draft
	d.add(draft{a.fits, a.rows, a.does, a.count, a.verb})
	d.add(draft{b.fits, b.rows, b.does, b.count, b.verb})
	return d.lore()
}

// draft is lore that is being gathered.
type draft struct {
	fits  []uint64
	rows  []row
	does  doing
	count int
	verb  string
}

func (d *draft) fit(s slot) {
	for int(s>>6) >= len(d.fits) {
		d.fits = append(d.fits, 0)
	}
	d.fits[s>>6] |= 1 << (s & 63)
}

func (d *draft) add(other draft) {
	for len(d.fits) < len(other.fits) {
		d.fits = append(d.fits, 0)
	}
	for i, bits := range other.fits {
		d.fits[i] |= bits
	}
	d.rows = append(d.rows, other.rows...)
	d.does |= other.does
	d.count, d.verb = cmp.Or(d.count, other.count), cmp.Or(d.verb, other.verb)
}

func (d *draft) lore() *lore {
	w := &lore{fits: d.fits, rows: slices.Clone(d.rows), does: d.does, count: d.count, verb: d.verb}
	slices.SortFunc(w.rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.in, b.in), cmp.Compare(a.group, b.group), slices.Compare(a.rest, b.rest))
	})
	w.rows = slices.CompactFunc(w.rows, func(a, b row) bool {
		return a.in == b.in && a.group == b.group && slices.Equal(a.rest, b.rest)
	})
	for i, l := 0, lexicon(0); l <= lexiconCount; l++ {
		for i < len(w.rows) && w.rows[i].in < l {
			i++
		}
		w.from[l] = uint16(i)
		if l > 0 && w.from[l] > w.from[l-1] {
			w.may |= 1 << (l - 1)
		}
	}
	return w
}

// drafting gathers what the patterns of all phrases say.
type drafting struct {
	exact, heads, tails, inner map[string]*draft
	slots                      map[string]slot // by the text of a choice
}

func newDrafting() *drafting {
	return &drafting{map[string]*draft{}, map[string]*draft{}, map[string]*draft{}, map[string]*draft{}, map[string]slot{gap: gapSlot}}
}

// of is the draft for a pattern: a word, with * at an end where it may go on.
func (d *drafting) of(pattern string) *draft {
	head, tail := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*")
	in := d.exact
	switch {
	case head && tail:
		in = d.inner
	case head:
		in = d.tails
	case tail:
		in = d.heads
	}
	text := fold(strings.Trim(pattern, "*"))
	if in[text] == nil {
		in[text] = &draft{}
	}
	return in[text]
}

func (d *drafting) slot(c choice) slot {
	if s, ok := d.slots[c.text]; ok {
		return s
	}
	s := slot(len(d.slots)) // #nosec G115 -- our own phrases: some hundred choices
	d.slots[c.text] = s
	for _, pattern := range c.patterns {
		d.of(pattern).fit(s)
	}
	return s
}

func (d *drafting) phrase(in lexicon, p phrase) {
	r := row{in: in, group: p.group}
	for _, c := range p.words[1:] {
		r.rest = append(r.rest, d.slot(c))
	}
	for _, pattern := range p.words[0].patterns {
		to := d.of(pattern)
		to.rows = append(to.rows, r)
	}
}

// words notes what the words that the code itself knows do.
func (d *drafting) words() {
	for does, list := range map[doing][]string{doesNegate: negations, doesFill: fillers, doesImagine: imagining, doesHedge: hedges, doesAsk: asking} {
		for _, w := range list {
			d.of(w).does |= does
		}
	}
	for w, n := range countWords {
		d.of(w).count = n
	}
	for w, verb := range contractions {
		d.of(w).verb = verb
		d.of(verb)
	}
}

// done makes the vocabulary. What is known of a whole word, or of a beginning,
// holds all that its shorter beginnings, its endings and its parts say: the
// longest that is found says everything.
func (d *drafting) done() (vocabulary, error) {
	v := vocabulary{exact: map[string]*lore{}}
	for text, own := range d.heads {
		all := draft{}
		all.add(*own)
		for n := range len(text) {
			all.addFrom(d.heads, text[:n])
		}
		v.heads.put(text, all.lore(), false)
	}
	for text, own := range d.tails {
		all := draft{}
		all.add(*own)
		for n := range len(text) {
			all.addFrom(d.tails, text[n+1:])
		}
		v.tails.put(text, all.lore(), true)
	}
	for _, text := range sortedKeys(d.inner) {
		v.inner, v.innerLore = append(v.inner, text), append(v.innerLore, d.inner[text].lore())
	}
	for text, own := range d.exact {
		all := draft{}
		all.add(*own)
		for n := range len(text) + 1 {
			all.addFrom(d.heads, text[:n])
			all.addFrom(d.tails, text[n:])
		}
		for _, in := range v.inner {
			if strings.Contains(text, in) {
				all.addFrom(d.inner, in)
			}
		}
		v.exact[text] = all.lore()
	}
	if nodes := max(len(v.heads.nodes), len(v.tails.nodes)); nodes > 1<<16 || len(d.slots) > 1<<16 {
		return v, fmt.Errorf("%d beginnings or endings and %d choices are too many", nodes, len(d.slots))
	}
	return v, nil
}

func (d *draft) addFrom(m map[string]*draft, text string) {
	if other := m[text]; other != nil {
		d.add(*other)
	}
}

// trie finds the longest beginning or ending of a word, byte by byte.
type trie struct {
	nodes []node // the first is where words begin
}

// latin is how many bytes that a node tells apart at once: a to z. Others lead on
// by a list, for they are few.
const latin = 26

type node struct {
	next  [latin]uint16 // 0 is nowhere
	other []edge
	known *lore
}

type edge struct {
	by byte
	to uint16
}

func (n *node) step(by byte) uint16 {
	if by -= 'a'; by < latin {
		return n.next[by]
	}
	for _, e := range n.other {
		if e.by == by+'a' {
			return e.to
		}
	}
	return 0
}

func (t *trie) put(text string, w *lore, backwards bool) {
	if len(t.nodes) == 0 {
		t.nodes = append(t.nodes, node{})
	}
	at := uint16(0)
	for i := range len(text) {
		by := text[i]
		if backwards {
			by = text[len(text)-1-i]
		}
		to := t.nodes[at].step(by)
		if to == 0 {
			to = uint16(len(t.nodes)) // #nosec G115 -- our own phrases: some thousand nodes
			t.nodes = append(t.nodes, node{})
			if l := by - 'a'; l < latin {
				t.nodes[at].next[l] = to
			} else {
				t.nodes[at].other = append(t.nodes[at].other, edge{by, to})
			}
		}
		at = to
	}
	t.nodes[at].known = w
}

func (t *trie) longestHead(word string) (longest *lore) {
	for i, at := 0, uint16(0); i < len(word); i++ {
		if at = t.nodes[at].step(word[i]); at == 0 {
			break
		}
		if w := t.nodes[at].known; w != nil {
			longest = w
		}
	}
	return longest
}

func (t *trie) longestTail(word string) (longest *lore) {
	for i, at := len(word)-1, uint16(0); i >= 0; i-- {
		if at = t.nodes[at].step(word[i]); at == 0 {
			break
		}
		if w := t.nodes[at].known; w != nil {
			longest = w
		}
	}
	return longest
}
