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
	asks   bool // ends with a question mark
	weight int  // 2 for the subject, 1 for the text
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
			part.words = part.words[:min(left, len(part.words))]
			left -= len(part.words)
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
	var out []sentence
	var words []string
	end := func(asks bool) bool {
		if len(words) == 0 {
			if asks && len(out) > 0 {
				out[len(out)-1].asks = true // "down!?"
			}
			return true
		}
		s := sentence{words: words, asks: asks}
		words = nil
		if len(lexicons().disclaimers.find(s)) > 0 {
			return false
		}
		out = append(out, s)
		return true
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
		if isWordRune(rest, i) {
			if word.Len() < maxWord {
				foldRune(&word, r)
			}
			continue
		}
		if word.Len() > 0 && !apostrophe(r) && !groups(rest, i) {
			words = appendWord(words, word.String())
			word.Reset()
		}
		switch {
		case r == '\n':
			breaks++
		case groups(rest, i):
			word.WriteRune(thousands) // 18,000 and 18.000 are one number
		case strings.ContainsRune("€$£", r):
			words = append(words, currency)
		case strings.ContainsRune(",:()", r):
			if len(words) > 0 && words[len(words)-1] != pause {
				words = append(words, pause)
			}
		case strings.ContainsRune(".!?;…", r) && !(r == '.' && i > 0 && i+1 < len(rest) && unicode.IsDigit(rest[i-1]) && unicode.IsDigit(rest[i+1])):
			if !end(r == '?') {
				return out
			}
		}
	}
	if word.Len() > 0 {
		words = appendWord(words, word.String())
	}
	end(false)
	return out
}

func isWordRune(text []rune, i int) bool {
	r := text[i]
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

// groups reports whether the sign at i parts the thousands of a number.
func groups(text []rune, i int) bool {
	if text[i] != ',' && text[i] != '.' || i == 0 || i+3 >= len(text) || !unicode.IsDigit(text[i-1]) {
		return false
	}
	for _, r := range text[i+1 : i+4] {
		if !unicode.IsDigit(r) {
			return false
		}
	}
	return i+4 == len(text) || !unicode.IsDigit(text[i+4])
}

func apostrophe(r rune) bool { return r == '\'' || r == '’' || r == '‘' || r == '`' || r == '´' }

// foldRune writes a letter as it is compared: lower case, German ones as they
// are written where a keyboard lacks them. Upper before lower: some letters
// have two lower cases.
func foldRune(b *strings.Builder, r rune) {
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

func appendWord(words []string, w string) []string {
	if verb, ok := contractions[w]; ok {
		return append(words, verb, "not")
	}
	return append(words, w)
}

func negates(w string) bool {
	switch w {
	case "not", "no", "never", "without", "nicht", "kein", "keine", "keinen", "keinem", "keiner", "nie", "niemals", "ohne", "weder", "neither", "nor":
		return true
	}
	return false
}

// negated reports whether the words around those from i to end turn them into
// their opposite: "not urgent", "kein echter Notfall", "dringend ist es nicht".
func negated(words []string, i, end int) bool {
	back := i - 1
	if back > 0 && words[back] != pause && slices.Contains(fillers, words[back]) {
		back--
	}
	if back >= 0 && negates(words[back]) {
		return true
	}
	after := words[end:min(len(words), end+3)]
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
	return s.imagined(at) || s.asks && len(s.words) > 0 && slices.Contains(asking, s.words[0])
}

// imagined reports whether what stands at a place is only thought of.
func (s sentence) imagined(at int) bool {
	return slices.ContainsFunc(s.words[:at], func(w string) bool {
		return slices.Contains([]string{"if", "wenn", "falls", "whether", "ob", "suppose", "angenommen"}, w)
	})
}

// hedged reports whether what stands at a place may come, or nearly came.
func (s sentence) hedged(at int) bool {
	return slices.ContainsFunc(s.words[:at], func(w string) bool { return slices.Contains(hedges, w) })
}

var hedges = []string{"could", "might", "may", "would", "nearly", "almost", "soon", "risk", "otherwise", "before", "afraid",
	"koennte", "koennten", "wuerde", "wuerden", "waere", "waeren", "beinahe", "fast", "bald", "sonst", "bevor", "fuerchte", "ernstfall"}

// asking are words that begin a question about what may be. "Why is the server
// down?" knows that it is.
var asking = []string{"is", "are", "was", "were", "do", "does", "did", "has", "have", "what", "which", "how", "can", "may",
	"ist", "sind", "war", "waren", "hat", "haben", "habt", "gibt", "laeuft", "was", "welche", "welcher", "welches", "wie", "darf"}
