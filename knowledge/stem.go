package knowledge

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxWord bounds a word: longer ones are encoded data, not language.
const maxWord = 40

// wordsOf splits a text into words in lower case without accents. Numbers and
// what holds them ("E-52", "0x8007") are words: they name errors and models, and
// people write them with a hyphen or without.
func wordsOf(text string) []string {
	var out []string
	var b strings.Builder
	end := func() {
		if w := b.String(); w != "" && len(w) <= maxWord {
			out = append(out, w)
		}
		b.Reset()
	}
	runes := []rune(norm.NFKD.String(strings.ToLower(text)))
	digit := func(i int) bool { return i < len(runes) && unicode.IsDigit(runes[i]) }
	for i, r := range runes {
		switch {
		case r == '-' && b.Len() > 0 && digit(i+1):
		case unicode.Is(unicode.Mn, r): // the accent of the letter before it
		case r == 'ß':
			b.WriteString("ss")
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(r)
		case r == '\'' || r == '’': // don't → dont
		default:
			end()
		}
	}
	end()
	return out
}

// stem takes the endings off a word, in the language's way: light, so that it
// joins the forms of one word and seldom two words. It need give no word of the
// language; both sides are stemmed alike.
func stem(word, language string) string {
	if len(word) < 4 || strings.ContainsFunc(word, unicode.IsDigit) {
		return word
	}
	switch language {
	case "de":
		return stemGerman(word)
	case "en", "":
		return stemEnglish(word)
	}
	return word
}

// stemEnglish follows the first steps of Porter's stemmer (1980): plurals, -ed,
// -ing, -er of doers, -ly, a doubled consonant and a final e.
func stemEnglish(w string) string {
	switch {
	case strings.HasSuffix(w, "sses"):
		w = w[:len(w)-2]
	case strings.HasSuffix(w, "ies") && len(w) > 4:
		w = w[:len(w)-3] + "y"
	case strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us") && !strings.HasSuffix(w, "is"):
		w = w[:len(w)-1]
	}
	for _, ending := range []string{"ation", "ment", "ing", "ed", "er", "ly"} {
		rest, ok := strings.CutSuffix(w, ending)
		if ok && len(rest) >= 3 && strings.ContainsAny(rest, "aeiouy") {
			w = undoubled(rest)
			break
		}
	}
	if len(w) > 3 {
		w = strings.TrimSuffix(w, "e")
	}
	if rest, ok := strings.CutSuffix(w, "i"); ok && len(rest) > 2 {
		w = rest + "y"
	}
	return w
}

// undoubled is "stop" for "stopp".
func undoubled(w string) string {
	if n := len(w); n > 2 && w[n-1] == w[n-2] && !strings.ContainsRune("lsz", rune(w[n-1])) {
		return w[:n-1]
	}
	return w
}

// germanSpelling joins the two ways to write an umlaut; accents are gone already.
var germanSpelling = strings.NewReplacer("ae", "a", "oe", "o", "ue", "u")

// stemGerman follows Savoy's light stemmer (2006), with the endings of verbs and
// of nouns made from them.
func stemGerman(w string) string {
	w = germanSpelling.Replace(w)
	for _, ending := range []string{"ungen", "ung", "lich", "isch"} {
		if rest, ok := strings.CutSuffix(w, ending); ok && len(rest) >= 4 {
			return rest
		}
	}
	for _, ending := range []string{"ern", "ers", "em", "en", "er", "es", "et", "e", "n", "s"} {
		if rest, ok := strings.CutSuffix(w, ending); ok && len(rest) >= 4 {
			w = rest
			break
		}
	}
	if rest, ok := strings.CutSuffix(w, "st"); ok && len(rest) >= 4 {
		return rest
	}
	return w
}
