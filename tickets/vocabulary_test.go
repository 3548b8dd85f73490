package tickets

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// The plain way to do what vocabulary.go and sentencesOf do quickly: every
// phrase is tried at every word, every pattern compared. The quick way must find
// the same.

type plainPhrases [lexiconCount][]phrase

func mustPlainPhrases(t testing.TB) *plainPhrases {
	t.Helper()
	var all plainPhrases
	k := &knowledge{draft: newDrafting()}
	r := wordReader{classes: map[string][]string{}}
	keep := func(take func(head string, p phrase) error, in func(head string) (lexicon, int)) func(string, phrase) error {
		return func(head string, p phrase) error {
			err := take(head, p)
			l, group := in(head)
			p.group = group
			all[l] = append(all[l], p)
			return err
		}
	}
	for _, f := range []struct {
		name string
		take func(head string, p phrase) error
	}{
		{"classes", nil},
		{"signs", keep(k.takeSign, func(string) (lexicon, int) { return inSigns, len(k.signs) - 1 })},
		{"topics", keep(k.takeTopic, func(string) (lexicon, int) { return inTopics, len(k.topics) - 1 })},
		{"others", keep(k.takeOther, func(head string) (lexicon, int) { return otherHeads[head], 0 })},
	} {
		raw, err := wordFiles.ReadFile("words/" + f.name + ".txt")
		if err == nil {
			err = r.read(string(raw), f.take)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return &all
}

// plainFits reports whether a word fits one of a choice's patterns.
func plainFits(c choice, word string) bool {
	return slices.ContainsFunc(c.patterns, func(pattern string) bool {
		head, tail, text := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*"), fold(strings.Trim(pattern, "*"))
		switch {
		case head && tail:
			return strings.Contains(word, text)
		case head:
			return strings.HasSuffix(word, text)
		case tail:
			return strings.HasPrefix(word, text)
		}
		return word == text
	})
}

func plainMatch(want []choice, words []string, i int) int {
	if want[0].text == gap {
		for skip := 0; skip <= maxGap && i+skip < len(words); skip++ {
			if n := plainMatch(want[1:], words, i+skip); n > 0 {
				return skip + n
			}
			if slices.Contains(negations, words[i+skip]) {
				return 0
			}
		}
		return 0
	}
	if i >= len(words) || !plainFits(want[0], words[i]) {
		return 0
	}
	if len(want) == 1 {
		return 1
	}
	if n := plainMatch(want[1:], words, i+1); n > 0 {
		return 1 + n
	}
	return 0
}

func (all *plainPhrases) find(l lexicon, words []string) []place {
	var out []place
	for i := range words {
		for _, p := range all[l] {
			if n := plainMatch(p.words, words, i); n > 0 {
				out = append(out, place{p.group, i, n})
			}
		}
	}
	slices.SortFunc(out, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.n, a.n), cmp.Compare(a.group, b.group))
	})
	return slices.Compact(out)
}

// plainSentences cuts a text over its runes, word by word, with what is known of
// words left out.
func plainSentences(text string) []sentence {
	var out []sentence
	var words []string
	end := func(asks bool) bool {
		if len(words) == 0 {
			if asks && len(out) > 0 {
				out[len(out)-1].asks = true
			}
			return true
		}
		s := sentence{words: words, asks: asks}
		for _, w := range words {
			s.known = append(s.known, lexicons().words.look(w))
		}
		s.begins = beginnings(s.known)
		words = nil
		if len(inDisclaimers.find(s)) > 0 {
			return false
		}
		out = append(out, s)
		return true
	}
	add := func(w string) {
		if verb, ok := contractions[w]; ok {
			words = append(words, verb, "not")
			return
		}
		words = append(words, w)
	}
	digit := func(text []rune, i int) bool { return i >= 0 && i < len(text) && unicode.IsDigit(text[i]) }
	groups := func(text []rune, i int) bool {
		return (text[i] == ',' || text[i] == '.') && digit(text, i-1) && digit(text, i+1) && digit(text, i+2) && digit(text, i+3) && !digit(text, i+4)
	}
	var word strings.Builder
	breaks := 0
	rest := []rune(text)
	for i, r := range rest {
		if !unicode.IsSpace(r) {
			if breaks > 1 && len(words) > 0 && !end(false) {
				return out
			}
			breaks = 0
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) {
			if word.Len() < maxWord {
				plainFold(&word, r)
			}
			continue
		}
		if word.Len() > 0 && !apostrophe(r) && !groups(rest, i) {
			add(word.String())
			word.Reset()
		}
		switch {
		case r == '\n':
			breaks++
		case groups(rest, i):
			word.WriteRune(thousands)
		case strings.ContainsRune("€$£", r):
			words = append(words, currency)
		case strings.ContainsRune(",:()", r):
			if len(words) > 0 && words[len(words)-1] != pause {
				words = append(words, pause)
			}
		case strings.ContainsRune(".!?;…", r) && !(r == '.' && digit(rest, i-1) && digit(rest, i+1)):
			if !end(r == '?') {
				return out
			}
		}
	}
	if word.Len() > 0 {
		add(word.String())
	}
	end(false)
	return out
}

func plainFold(b *strings.Builder, r rune) {
	switch r = unicode.ToLower(unicode.ToUpper(r)); r {
	case 'ä':
		b.WriteString("ae")
	case 'ö':
		b.WriteString("oe")
	case 'ü':
		b.WriteString("ue")
	case 'ß':
		b.WriteString("ss")
	case '\u0308':
		b.WriteByte('e')
	case 'é', 'è', 'ê':
		b.WriteByte('e')
	default:
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
}

// checkAgainstPlain cuts a text and looks for everything in it, both ways.
func checkAgainstPlain(t interface{ Fatalf(string, ...any) }, all *plainPhrases, text string) {
	got, want := sentencesOf(text), plainSentences(text)
	if len(got) != len(want) {
		t.Fatalf("%q: %d sentences, want %d", text, len(got), len(want))
	}
	for i, s := range got {
		if !slices.Equal(s.words, want[i].words) || s.asks != want[i].asks {
			t.Fatalf("%q: sentence %d is %q (asks %v), want %q (asks %v)", text, i, s.words, s.asks, want[i].words, want[i].asks)
		}
		for j, w := range s.known {
			if w != want[i].known[j] && (w == nil || want[i].known[j] == nil || !slices.Equal(w.fits, want[i].known[j].fits)) {
				t.Fatalf("%q: what is known of %q is not what is known of it alone", text, s.words[j])
			}
		}
		for l := range lexiconCount {
			if found, want := l.find(s), all.find(l, s.words); !slices.Equal(found, want) {
				t.Fatalf("%q: lexicon %d finds %v, want %v", s.words, l, found, want)
			}
		}
	}
}

// Trying every phrase is slow: of the labelled requests every fiftieth is
// looked through.
func TestPhrasesAreFoundAsThePlainWay(t *testing.T) {
	t.Parallel()
	all := mustPlainPhrases(t)
	for l, list := range all {
		if len(list) == 0 {
			t.Errorf("lexicon %d is empty", l)
		}
	}
	for i, r := range slices.Concat(mustRequests(t, "dev.jsonl"), mustRequests(t, "test.jsonl")) {
		if i%50 == 0 {
			checkAgainstPlain(t, all, r.Subject+"\n\n"+r.Text)
		}
	}
}

// Words made of pieces of the patterns, so that beginnings, endings and parts
// overlap, in sentences with gaps and negations.
func TestDrawnPhrasesAreFoundAsThePlainWay(t *testing.T) {
	t.Parallel()
	all := mustPlainPhrases(t)
	var phrases []phrase
	for _, list := range all {
		phrases = append(phrases, list...)
	}
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(1, 4).Draw(t, "phrases") {
			for _, c := range rapid.SampledFrom(phrases).Draw(t, "phrase").words {
				if c.text == gap {
					b.WriteString(strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"the", "not", "very", ",", "18.000"}), 0, 4).Draw(t, "gap"), " ") + " ")
					continue
				}
				pattern := rapid.SampledFrom(c.patterns).Draw(t, "pattern")
				more := rapid.SampledFrom([]string{"", "", "s", "en", "ü", "server", "Kunden"})
				if strings.HasPrefix(pattern, "*") {
					b.WriteString(more.Draw(t, "before"))
				}
				b.WriteString(strings.Trim(pattern, "*"))
				if strings.HasSuffix(pattern, "*") || rapid.IntRange(0, 9).Draw(t, "longer") == 0 {
					b.WriteString(more.Draw(t, "behind"))
				}
				b.WriteString(rapid.SampledFrom([]string{" ", " ", " ", " ", "\n", ", ", "? ", ". ", "\n\n", "'"}).Draw(t, "between"))
			}
		}
		checkAgainstPlain(t, all, b.String())
	})
}

func FuzzSentences(f *testing.F) {
	f.Add("Server's down!? 18,000 of 3.5 users (all).\n\n\xff\u0308Ärger… €5: can't, isn't 1,2345 1.234 İ ǅ ß ﬁ K \u0663,\u0663\u0663\u0663")
	f.Add("'1,000' a\r\n\r\n? 1.. 1.000.000,00 " + strings.Repeat("ü", 70) + ",123 x")
	all := mustPlainPhrases(f)
	f.Fuzz(func(t *testing.T, text string) { checkAgainstPlain(t, all, cutTo(text, 300)) })
}

// requestOf5KB is as long as a long mail.
func requestOf5KB(b *testing.B) Request {
	b.Helper()
	list := mustRequests(b, "dev.jsonl")
	r := Request{Subject: list[0].Subject}
	for i := 0; len(r.Text) < 5000; i++ {
		r.Text += list[i*7].Text + "\n\n"
	}
	return r
}

func BenchmarkSortLong(b *testing.B) {
	r, rules := requestOf5KB(b), rulesOfStandardDesk()
	Sort(r, rules)
	b.SetBytes(int64(len(r.Text)))
	b.ReportAllocs()
	for b.Loop() {
		Sort(r, rules)
	}
}

func BenchmarkReadWords(b *testing.B) {
	r := requestOf5KB(b)
	readWords(r.Subject, r.Text)
	b.SetBytes(int64(len(r.Text)))
	b.ReportAllocs()
	for b.Loop() {
		readWords(r.Subject, r.Text)
	}
}

func BenchmarkFindSigns(b *testing.B) {
	r := requestOf5KB(b)
	w := readWords(r.Subject, r.Text)
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range w {
			inSigns.find(s)
		}
	}
}

func BenchmarkReadLexicons(b *testing.B) {
	for b.Loop() {
		if _, err := readLexicons(); err != nil {
			b.Fatal(err)
		}
	}
}
