package phone

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
)

// MaxText is the longest text that Twilio takes, in UTF-16 units (error 21617
// above it).
const MaxText = 1600

// Encoding is how a text travels.
type Encoding string

// The encodings. One character outside GSM-7 makes the whole text UCS-2 and
// more than halves what fits.
const (
	GSM7 Encoding = "GSM-7"
	UCS2 Encoding = "UCS-2"
)

// Count says what a text costs.
type Count struct {
	Encoding Encoding
	// Units are septets (GSM-7, those of the extension table count twice) or
	// 16-bit units (UCS-2, characters beyond the first plane count twice).
	Units    int
	Segments int // 0 for an empty text
}

// Units that fit into one segment alone, and into each of several, where a
// header of six octets joins them (3GPP TS 23.040 section 9.2.3.24.1).
const (
	gsmAlone, gsmJoined = 160, 153
	ucsAlone, ucsJoined = 70, 67
)

// gsmBasic and gsmExtension are the alphabet of 3GPP TS 23.038 section 6.2.1;
// the escape itself is not a character.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "\f^{}\\[~]|€"
)

var septets = func() map[rune]int {
	m := map[rune]int{}
	for _, r := range gsmBasic {
		m[r] = 1
	}
	for _, r := range gsmExtension {
		m[r] = 2
	}
	return m
}()

// Segments counts what a text costs. A character of two units is never cut in
// two by the end of a segment, so the last unit of one may stay empty.
func Segments(text string) Count {
	c := Count{Encoding: encodingOf(text)}
	alone, joined := gsmAlone, gsmJoined
	if c.Encoding == UCS2 {
		alone, joined = ucsAlone, ucsJoined
	}
	room := 0
	for _, r := range text {
		width := unitsOf(r, c.Encoding)
		c.Units += width
		if width > room {
			c.Segments++
			room = joined
		}
		room -= width
	}
	if c.Units > 0 && c.Units <= alone {
		c.Segments = 1
	}
	return c
}

func encodingOf(text string) Encoding {
	for _, r := range text {
		if septets[r] == 0 {
			return UCS2
		}
	}
	return GSM7
}

func unitsOf(r rune, e Encoding) int {
	if e == GSM7 {
		return septets[r]
	}
	return max(1, utf16.RuneLen(r)) // what is no character travels as one that says so
}

// plainer are the characters that mail programs put in by themselves and a
// telephone does not need: each would make the text UCS-2.
var plainer = strings.NewReplacer(
	"‘", "'", "’", "'", "‚", "'", "‛", "'", "′", "'", "´", "'", "`", "'",
	"“", `"`, "”", `"`, "„", `"`, "‟", `"`, "″", `"`, "«", `"`, "»", `"`, "‹", "'", "›", "'",
	"–", "-", "—", "-", "‐", "-", "‑", "-", "‒", "-", "−", "-", "\u00ad", "",
	"…", "...", "•", "*", "·", "*", "\u00a0", " ", "\u202f", " ", "\u2009", " ", "\u2007", " ",
	"\u200b", "", "\u200c", "", "\ufeff", "", "\r\n", "\n", "\t", " ",
)

// Plain puts a text into the form it should be sent in: typographic quotes,
// dashes and blanks become those of GSM-7, runs of empty lines one, blanks at
// the ends of lines nothing. Letters are kept: an "ł" is somebody's name.
func Plain(text string) string {
	lines := strings.Split(clean(plainer.Replace(text), 100_000), "\n")
	out := make([]string, 0, len(lines))
	for _, line := range lines {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		if line == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, line)
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

// Shorten makes a text fit into at most limit segments and MaxText units. A text
// that is too long is cut between words, and "... " and the link to the whole of
// it follow; the dots alone when link is "". True means that it was cut.
//
// The link is never cut: where not even it fits, it stands alone.
func Shorten(text string, limit int, link string) (string, bool) {
	return ShortenIn("", text, "", limit, link)
}

// ShortenIn is Shorten for words that stand between others: before and after are
// never cut, so that a question behind a long text is still asked.
func ShortenIn(before, text, after string, limit int, link string) (string, bool) {
	limit = max(limit, 1)
	if whole := before + text + after; fits(whole, limit) {
		return whole, false
	}
	tail := "..."
	if link != "" {
		tail = "... " + link
	}
	runes := []rune(text)
	low, high := 0, len(runes) // the longest beginning that fits with the tail; fitting is monotonic
	for low < high {
		middle := (low + high + 1) / 2
		if fits(before+string(runes[:middle])+tail+after, limit) {
			low = middle
		} else {
			high = middle - 1
		}
	}
	head := cutWords(runes, low)
	if head == "" {
		return before + or(link, "...") + after, true
	}
	return before + head + tail + after, true
}

func fits(text string, limit int) bool {
	return Segments(text).Segments <= limit && units16(text) <= MaxText
}

func units16(text string) int {
	n := 0
	for _, r := range text {
		n += unitsOf(r, UCS2)
	}
	return n
}

// cutWords returns at most n runes, cut at the last blank when it is not too far
// back: a language without blanks is cut anywhere, but not before a mark that
// belongs to the character in front of it.
func cutWords(runes []rune, n int) string {
	if n >= len(runes) {
		return string(runes)
	}
	for cut := n; cut > n-40 && cut > 0; cut-- {
		if unicode.IsSpace(runes[cut]) {
			return strings.TrimSpace(string(runes[:cut]))
		}
	}
	for n > 0 && joins(runes, n) {
		n--
	}
	return strings.TrimSpace(string(runes[:n]))
}

// joins reports whether what begins at n belongs to what ends there: a combining
// mark, a variation selector, a skin colour, or a half of an emoji.
func joins(runes []rune, n int) bool {
	r, before := runes[n], runes[n-1]
	return unicode.Is(unicode.M, r) || r == '\u200d' || before == '\u200d' || r >= 0x1f3fb && r <= 0x1f3ff
}

// Split cuts a text into parts of at most MaxText units for channels where a
// long answer is wanted whole, and numbers them "(2/3)". At most limit parts are
// made; a text that needs more is shortened, with the link, first. One part
// carries no number.
func Split(text string, limit int, link string) []string {
	const mark = len(" (99/99)")
	limit = min(max(limit, 1), 99)
	if units16(text) <= MaxText {
		return []string{text}
	}
	var parts []string
	rest := []rune(text)
	for len(rest) > 0 && len(parts) < limit {
		n := prefix(rest, MaxText-mark)
		head := cutWords(rest, n)
		if len(parts) == limit-1 && n < len(rest) {
			tail := "... " + link
			head = strings.TrimSpace(cutWords(rest, prefix(rest, MaxText-mark-units16(tail))) + tail)
		}
		parts = append(parts, head)
		if n < len(rest) {
			n = consumed(rest, head, n)
		}
		rest = []rune(strings.TrimSpace(string(rest[n:])))
	}
	if len(parts) > 1 {
		for n := range parts {
			parts[n] += fmt.Sprintf(" (%d/%d)", n+1, len(parts))
		}
	}
	return parts
}

// prefix returns how many runes fit into so many 16-bit units.
func prefix(runes []rune, units int) int {
	for n, r := range runes {
		if units -= unitsOf(r, UCS2); units < 0 {
			return n
		}
	}
	return len(runes)
}

// consumed returns how far into rest the cut part head reaches. Always at least
// one rune, so that cutting ends.
func consumed(rest []rune, head string, n int) int {
	lead := len(rest) - len([]rune(strings.TrimLeftFunc(string(rest), unicode.IsSpace)))
	return max(1, min(n, lead+len([]rune(head))))
}
