package tickets

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file reads words as people write them: in any case, on lines of any
// length, with umlauts or without, and looks for phrases among them.

// Bounds of what is looked at: a request says what it wants in its first
// thousand words; the rest is log files and threads.
const (
	maxReadBytes = 64 << 10
	maxReadWords = 2000
	maxWord      = 60 // bytes: the rest of a longer one is no word
)

// pause stands among the words of a sentence for a comma, a colon, a bracket: a
// "not" before it says nothing about what follows.
const pause = ","

// currency stands among the words for the sign of one, thousands in a number
// for what parts its digits.
const (
	currency  = "euro"
	thousands = '\''
)

// sentence is the folded words of one sentence of a text.
type sentence struct {
	words  []string
	known  []*lore // of each word
	begins uint16  // the lexicons whose phrases may begin in it
	asks   bool    // ends with a question mark
	weight int     // 2 for the subject, 1 for the text
}

// written is a request cut into sentences: the subject is the first.
type written []sentence

// readWords cuts a request. Quoted lines, what stands below the signature's
// "-- " and what lawyers put below mails are left out: nobody asks for anything
// there.
func readWords(subject, text string) written {
	var out written
	left := maxReadWords
	take := func(s string, weight int) {
		for _, part := range sentencesOf(cutText(s)) {
			n := min(left, len(part.words))
			part.words, part.known = part.words[:n], part.known[:n]
			left -= n
			if part.weight = weight; len(part.words) > 0 {
				out = append(out, part)
			}
		}
	}
	take(subject, 2)
	take(ownWords(cutText(text)), 1)
	return out
}

func cutText(s string) string { return cutTo(s, maxReadBytes) }

// cutTo cuts a text at the last letter that is whole within n bytes.
func cutTo(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// ownWords drops quoted lines and all below a signature.
func ownWords(text string) string {
	var b strings.Builder
	b.Grow(len(text) + 1)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "--" {
			break
		}
		if !strings.HasPrefix(line, ">") {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// sentencesOf cuts text at full stops, question and exclamation marks, and at
// empty lines; the end of a line means nothing, for mail clients break them.
func sentencesOf(text string) []sentence {
	c := cutter{vocabulary: &lexicons().words}
	c.folded.Grow(len(text) + len(text)/16)
	guess := len(text)/5 + 4
	c.words, c.known = make([]string, 0, guess), make([]*lore, 0, guess)
	var before rune
	for at, r := range text {
		if !c.read(text, at, before, r) {
			return c.out
		}
		before = r
	}
	c.endWord()
	c.endSentence(false)
	return c.out
}

// cutter cuts a text into folded words and sentences.
type cutter struct {
	vocabulary *vocabulary
	out        []sentence
	folded     strings.Builder // all words, one behind the other
	word       int             // where in folded the one that is read begins
	words      []string        // of all sentences
	known      []*lore
	begin      int // where in words the sentence that is read begins
	breaks     int // ends of lines since the last sign
}

// read takes one letter or sign, r at a place of the text; false when nothing
// is to be read from here on.
func (c *cutter) read(text string, at int, before, r rune) bool {
	if r == ' ' {
		c.endWord()
		return true
	}
	if !unicode.IsSpace(r) {
		if c.breaks > 1 && len(c.words) > c.begin && !c.endSentence(false) {
			return false
		}
		c.breaks = 0
	}
	if isWordRune(r) {
		if c.folded.Len()-c.word < maxWord {
			foldRune(&c.folded, r)
		}
		return true
	}
	if groups(text, at, before, r) {
		c.folded.WriteRune(thousands) // 18,000 and 18.000 are one number
		return true
	}
	if !apostrophe(r) {
		c.endWord()
	}
	switch r {
	case '\n':
		c.breaks++
	case '€', '$', '£':
		c.add(currency)
	case ',', ':', '(', ')':
		if n := len(c.words); n > c.begin && c.words[n-1] != pause {
			c.add(pause)
		}
	case '.', '!', '?', ';', '…':
		if r == '.' && unicode.IsDigit(before) && unicode.IsDigit(runeAt(text, at+1)) {
			return true
		}
		return c.endSentence(r == '?')
	}
	return true
}

// endWord adds the word that was read, contractions written out.
func (c *cutter) endWord() {
	if c.folded.Len() == c.word {
		return
	}
	word := c.folded.String()[c.word:]
	c.word = c.folded.Len()
	w := c.vocabulary.look(word)
	if w != nil && w.verb != "" {
		c.add(w.verb)
		c.add("not")
		return
	}
	c.words, c.known = append(c.words, word), append(c.known, w)
}

func (c *cutter) add(word string) {
	c.words, c.known = append(c.words, word), append(c.known, c.vocabulary.look(word))
}

// endSentence adds the sentence that was read; false when it begins what lawyers
// put below mails.
func (c *cutter) endSentence(asks bool) bool {
	from, to := c.begin, len(c.words)
	if from == to {
		if asks && len(c.out) > 0 {
			c.out[len(c.out)-1].asks = true // "down!?"
		}
		return true
	}
	s := sentence{words: c.words[from:to:to], known: c.known[from:to:to], asks: asks}
	s.begins = beginnings(s.known)
	c.begin = to
	if len(inDisclaimers.find(s)) > 0 {
		return false
	}
	c.out = append(c.out, s)
	return true
}

func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

// groups reports whether the sign at a place parts the thousands of a number.
func groups(text string, at int, before, r rune) bool {
	if r != ',' && r != '.' || !unicode.IsDigit(before) {
		return false
	}
	at++ // both signs are one byte
	for range 3 {
		r, n := utf8.DecodeRuneInString(text[at:])
		if !unicode.IsDigit(r) {
			return false
		}
		at += n
	}
	return !unicode.IsDigit(runeAt(text, at))
}

// runeAt is the letter or sign at a place of the text, no digit at its end.
func runeAt(text string, at int) rune {
	r, _ := utf8.DecodeRuneInString(text[at:])
	return r
}

func apostrophe(r rune) bool { return r == '\'' || r == '’' || r == '‘' || r == '`' || r == '´' }

// foldRune writes a letter as it is compared: lower case, German ones as they
// are written where a keyboard lacks them. Upper before lower: some letters
// have two lower cases.
func foldRune(b *strings.Builder, r rune) {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		b.WriteByte(byte(r)) // #nosec G115 -- below RuneSelf
		return
	}
	switch r = unicode.ToLower(unicode.ToUpper(r)); r {
	case 'ä':
		b.WriteString("ae")
	case 'ö':
		b.WriteString("oe")
	case 'ü':
		b.WriteString("ue")
	case 'ß':
		b.WriteString("ss")
	case '\u0308': // combining diaeresis: Apple's mail writes a and two dots
		b.WriteByte('e')
	case 'é', 'è', 'ê':
		b.WriteByte('e')
	default:
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
}

func fold(s string) string {
	var b strings.Builder
	for _, r := range s {
		if !apostrophe(r) {
			foldRune(&b, r)
		}
	}
	return b.String()
}

// contractions are written out, so that "isn't", "isnt" and "is not" are one.
var contractions = map[string]string{
	"cannot": "can", "cant": "can", "dont": "do", "doesnt": "does", "didnt": "did", "isnt": "is", "arent": "are", "wasnt": "was", "werent": "were",
	"wont": "will", "wouldnt": "would", "couldnt": "could", "shouldnt": "should", "hasnt": "has", "havent": "have", "hadnt": "had",
}

var negations = []string{"not", "no", "never", "without", "nicht", "kein", "keine", "keinen", "keinem", "keiner", "nie", "niemals", "ohne", "weder", "neither", "nor"}

// negated reports whether the words around those from i to end turn them into
// their opposite: "not urgent", "kein echter Notfall", "dringend ist es nicht".
func (s sentence) negated(at, end int) bool {
	back := at - 1
	if back > 0 && s.known[back].is(doesFill) {
		back--
	}
	if back >= 0 && s.known[back].is(doesNegate) {
		return true
	}
	after := s.words[end:min(len(s.words), end+3)]
	if len(after) == 3 && slices.Contains([]string{"ist", "waere", "is"}, after[0]) {
		after = after[2:]
	}
	return len(after) > 0 && after[0] == "nicht" && !slices.Contains(after, pause)
}

// fillers may stand between a negation and what it negates.
var fillers = []string{"very", "really", "so", "that", "too", "particularly", "terribly", "super", "overly", "exactly", "a", "an", "any", "at", "yet", "necessarily",
	"sehr", "wirklich", "besonders", "furchtbar", "zu", "ganz", "unbedingt", "ein", "eine", "einen", "echter", "echten", "der", "die", "das", "real", "actual"}

// supposed reports whether the sentence asks or imagines instead of telling:
// "is the server down for you?", "what do we do if the database is down?".
func (s sentence) supposed(at int) bool {
	return s.imagined(at) || s.asks && len(s.words) > 0 && s.known[0].is(doesAsk)
}

// imagined reports whether what stands at a place is only thought of.
func (s sentence) imagined(at int) bool {
	return slices.ContainsFunc(s.known[:at], func(w *lore) bool { return w.is(doesImagine) })
}

var imagining = []string{"if", "wenn", "falls", "whether", "ob", "suppose", "angenommen"}

// hedged reports whether what stands at a place may come, or nearly came.
func (s sentence) hedged(at int) bool {
	return slices.ContainsFunc(s.known[:at], func(w *lore) bool { return w.is(doesHedge) })
}

var hedges = []string{"could", "might", "may", "would", "nearly", "almost", "soon", "risk", "otherwise", "before", "afraid",
	"koennte", "koennten", "wuerde", "wuerden", "waere", "waeren", "beinahe", "fast", "bald", "sonst", "bevor", "fuerchte", "ernstfall"}

// asking are words that begin a question about what may be. "Why is the server
// down?" knows that it is.
var asking = []string{"is", "are", "was", "were", "do", "does", "did", "has", "have", "what", "which", "how", "can", "may",
	"ist", "sind", "war", "waren", "hat", "haben", "habt", "gibt", "laeuft", "was", "welche", "welcher", "welches", "wie", "darf"}
