package parser

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// What follows, up to the tests, is how lines were read phrase by phrase: the
// reference for what is faster now.

var phoneLikePattern = regexp.MustCompile(`(?:\+|\b0|\(|\b[1-9])[0-9()][0-9 ()./\x{00a0}\x{2011}-]{5,22}[0-9]`)

func separatorByPhrase(line string) string {
	s := strings.TrimFunc(line, isBlankRune)
	if len(s) < 6 || len(s) > 200 {
		return ""
	}
	in := strings.TrimFunc(s, func(r rune) bool {
		return r == '-' || r == '_' || r == '=' || r == '*' || r == '>' || r == '—' || r == '–' || r == '─' || r == '~' || r == '#' || unicode.IsSpace(r)
	})
	low := strings.ToLower(in)
	dashed := len(s)-len(in) >= 4 && strings.ContainsAny(s[:1]+s[len(s)-1:], "-_=*—–")
	if low == "" {
		return ""
	}
	if saysOne(low, replyAbove.list) != "" {
		return "original"
	}
	if dashed || strings.HasSuffix(low, ":") || strings.HasPrefix(s, "--") {
		for _, w := range forwardWords.list {
			if strings.HasPrefix(low, w) {
				return "forward"
			}
		}
	}
	if !dashed && !strings.HasPrefix(s, "-") {
		if low == "original message" || low == "original message:" {
			return "original"
		}
		return ""
	}
	for _, w := range originalWords.list {
		if strings.Contains(low, w) {
			return "original"
		}
	}
	if dashed && strings.HasSuffix(s, "--") && hasVerbByPhrase(low) {
		return "original" // old Android, Zoho: "---- Ada wrote ----"
	}
	if len(s)-len(in) >= 8 && len(strings.Fields(low)) <= 4 && strings.HasPrefix(s, "--") {
		for _, w := range messageWords { // "-----Antwort Nachricht-----"
			if strings.Contains(low, w) {
				return "original"
			}
		}
	}
	return ""
}

func mobileSignatureByPhrase(line string) bool {
	s := strings.TrimFunc(line, func(r rune) bool { return isBlankRune(r) || strings.ContainsRune("<>()[]*_-—–~.\"'", r) })
	if s == "" || utf8.RuneCountInString(s) > 160 || strings.HasSuffix(s, "?") || strings.HasSuffix(s, ":") {
		return false
	}
	low := strings.ToLower(dropBrackets.Replace(s))
	for _, p := range sentFrom.list {
		if strings.HasPrefix(low, p) {
			return !ordinarySent(low, p)
		}
	}
	for _, p := range sentEnds.list {
		if strings.HasSuffix(low, p) {
			return true
		}
	}
	return false
}

func attributionEndByPhrase(s string) bool {
	s = strings.TrimRightFunc(s, func(r rune) bool { return isBlankRune(r) || r == '*' || r == '_' })
	if s == "" || len(s) > maxAttribution {
		return false
	}
	if strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：") {
		return true
	}
	low := strings.ToLower(s)
	for _, v := range attributionEnds.list {
		if strings.HasSuffix(low, v) && (len(low) > len(v) || v == "wrote") {
			return true
		}
	}
	// Old Gmail: "2011/4/7 Name <user@example.net>", without a colon.
	return strings.HasSuffix(low, ">") && low[0] >= '0' && low[0] <= '9' && strings.Contains(low, "@")
}

func hasVerbByPhrase(low string) bool {
	low = " " + strings.TrimLeft(low, "*_ ")
	for _, v := range wroteVerbs.list {
		if strings.Contains(low, v) {
			return true
		}
	}
	return false
}

func hasWeekdayByPhrase(low string) bool {
	for _, d := range weekdays.list {
		if strings.Contains(low, d) {
			return true
		}
	}
	return false
}

func errorTextByPhrase(line string) string {
	t := strings.TrimSpace(line)
	if len(t) < 4 || len(t) > 300 {
		return ""
	}
	low := strings.ToLower(t)
	for _, w := range errorWords.list {
		if i := strings.Index(low, w); i >= 0 && (i == 0 || len(t)-i < 200) {
			return t
		}
	}
	return ""
}

func splitReportByPhrase(text string) (own, copied string) {
	for pos := 0; pos < len(text); {
		line, _, more := strings.Cut(text[pos:], "\n")
		low := strings.ToLower(strings.TrimSpace(line))
		for _, f := range copyFields.list {
			if strings.HasPrefix(low, f) && pos > 0 && !strings.HasPrefix(line, "  ") {
				return text[:pos], text[pos:]
			}
		}
		if pos > 0 && len(low) < 120 && (strings.HasPrefix(low, "-") || strings.HasSuffix(low, ":") || strings.HasSuffix(low, ".")) && saysOne(strings.Trim(low, "-=*_ "), copyMarks.list) != "" && !strings.Contains(low, "will be") && !strings.Contains(low, "received at") && !strings.Contains(low, " your ") && opensCopy(low) {
			return text[:pos], text[pos+len(line):]
		}
		if !more {
			break
		}
		pos += len(line) + 1
	}
	return text, ""
}

func languageWords(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' })
}

func labelColon(s string) int { return strings.IndexAny(s, ":：") }

// sameAsByPhrase compares both readings of a text and of each of its lines.
func sameAsByPhrase(t *testing.T, text string) {
	t.Helper()
	own, copied := splitReport(text)
	if o, c := splitReportByPhrase(text); o != own || c != copied {
		t.Errorf("splitReport(%q) = %q, %q; by phrase %q, %q", text, own, copied, o, c)
	}
	if got, want := phoneLike(text, 200), phoneLikePattern.FindAllString(text, 200); !slices.Equal(got, want) {
		t.Errorf("phoneLike(%q) = %q, the pattern finds %q", text, got, want)
	}
	var words []string
	for w := range lowerWords(text) {
		words = append(words, string(w))
	}
	if want := languageWords(text); !slices.Equal(words, want) {
		t.Errorf("lowerWords(%q) = %q, want %q", text, words, want)
	}
	for line := range strings.SplitSeq(text, "\n") {
		low := strings.ToLower(line)
		for _, c := range []struct {
			name      string
			got, want any
		}{
			{"separator", separator(line), separatorByPhrase(line)},
			{"mobileSignature", mobileSignature(line), mobileSignatureByPhrase(line)},
			{"attributionEnd", attributionEnd(line), attributionEndByPhrase(line)},
			{"hasVerb", hasVerb(low), hasVerbByPhrase(low)},
			{"hasWeekday", hasWeekday(low), hasWeekdayByPhrase(low)},
			{"errorText", errorText(line), errorTextByPhrase(line)},
			{"colon", colon(line), labelColon(line)},
		} {
			if c.got != c.want {
				t.Errorf("%s(%q) = %v, phrase by phrase %v", c.name, line, c.got, c.want)
			}
		}
	}
}

// phraseSets are all that are sought together.
var phraseSets = []*phrases{replyAbove, forwardWords, originalWords, sentFrom, sentEnds, attributionEnds, wroteVerbs, weekdays, errorWords, copyMarks, copyFields}

// TestPhrasesAreReadAsOneByOne reads lines made of every phrase, in small and
// capital letters, between what may stand around them, and random ones.
func TestPhrasesAreReadAsOneByOne(t *testing.T) {
	t.Parallel()
	around := []string{"", "-", "--", "----", "-----", "> ", "*", "_", " ", "[", "]", ":", ".", "...", "<", ">", "?", "x", "ü", "\u00a0", "\u200b", "\u2011", "\u212a", "\u0130", "\u017f", "\xff", "\xe2\x80", "：",
		" wrote", " is ", " mistake", "+49 30 901820", "030/901820-17", "(0)30", "4711", " 12.03.2026", "user@example.net", "  received:", " will be ", " your ", " follows.", " message", "Ada "}
	var all []string
	for _, set := range phraseSets {
		for _, w := range set.list {
			if w != strings.ToLower(w) || len(w) < 2 {
				t.Errorf("phrase %q: lower case and two octets at least", w)
			}
			all = append(all, w)
			sameAsByPhrase(t, w)
			sameAsByPhrase(t, strings.ToUpper(w))
			sameAsByPhrase(t, w[:len(w)-1])
			sameAsByPhrase(t, w[1:])
		}
	}
	rng := rand.New(rand.NewPCG(3, 5))
	some := func(list []string) string { return list[rng.IntN(len(list))] }
	for range 4000 {
		var b strings.Builder
		for range 1 + rng.IntN(8) {
			switch rng.IntN(6) {
			case 0:
				b.WriteString(strings.ToUpper(some(all)))
			case 1, 2:
				b.WriteString(some(all))
			case 3:
				b.WriteString("\n")
			}
			b.WriteString(some(around))
		}
		sameAsByPhrase(t, b.String())
	}
}

// TestPhoneCandidates reads random strings of what numbers are written with.
func TestPhoneCandidates(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 13))
	letters := []rune("00123456789+ ().-/\u00a0\u2011a_ü\n")
	for range 20_000 {
		s := make([]rune, rng.IntN(60))
		for i := range s {
			s[i] = letters[rng.IntN(len(letters))]
		}
		text := string(s)
		if got, want := phoneLike(text, 3), phoneLikePattern.FindAllString(text, 3); !slices.Equal(got, want) {
			t.Fatalf("phoneLike(%q) = %q, the pattern finds %q", text, got, want)
		}
	}
}

// FuzzPhrases compares the two readings on any text.
func FuzzPhrases(f *testing.F) {
	addFixtures(f)
	f.Fuzz(func(t *testing.T, raw []byte) { sameAsByPhrase(t, string(raw)) })
}
