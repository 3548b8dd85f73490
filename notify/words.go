package notify

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Words is something a person wrote or an operator configured: a name, a
// subject, a whole mail. A template never sees it, only a mark in its place,
// so that it is neither Markdown nor template to anybody: the mark is replaced
// after the Markdown is rendered, raw in the text part and escaped in the HTML
// part. It is "" when nothing was said, which {{if}} understands.
type Words string

// The marks stand in the private use area, which Markdown treats as letters.
const (
	markOpen  = '\ue000'
	markClose = '\ue001'
	markHeld  = '\ue002' // a space that is not broken, see heldSpace
)

// words are the said things of one letter, in the order of their marks.
type words struct {
	said   []string
	blocks [][2]string // paragraphs that are a mark alone, and the HTML that takes their place
}

// put returns the mark for s, "" for nothing but space.
func (w *words) put(s string) Words {
	s = tidy(s)
	if s == "" {
		return ""
	}
	w.said = append(w.said, s)
	return Words(string(markOpen) + strconv.Itoa(len(w.said)-1) + string(markClose))
}

func (w *words) puts(list []string) []Words {
	var out []Words
	for _, s := range list {
		if m := w.put(s); m != "" {
			out = append(out, m)
		}
	}
	return out
}

// expand replaces each mark in s by what show makes of the words behind it.
func (w *words) expand(s string, show func(string) string) string {
	if !strings.ContainsRune(s, markOpen) {
		return s
	}
	var b strings.Builder
	w.expandTo(&b, s, show)
	return b.String()
}

func (w *words) expandTo(b *strings.Builder, s string, show func(string) string) {
	for {
		i := strings.IndexRune(s, markOpen)
		if i < 0 {
			break
		}
		j := strings.IndexRune(s[i:], markClose)
		if j < 0 {
			break
		}
		b.WriteString(s[:i])
		n, err := strconv.Atoi(s[i+utf8.RuneLen(markOpen) : i+j])
		if err == nil && n >= 0 && n < len(w.said) {
			b.WriteString(show(w.said[n]))
		}
		s = s[i+j+utf8.RuneLen(markClose):]
	}
	b.WriteString(s)
}

func verbatim(s string) string { return s }

// lone reports whether s is a single mark, and returns its words.
func (w *words) lone(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, string(markOpen)) || !strings.HasSuffix(s, string(markClose)) ||
		strings.Count(s, string(markOpen)) != 1 {
		return "", false
	}
	return w.expand(s, verbatim), true
}

// tidy makes text safe to stand in a mail body without changing what it says:
// valid UTF-8, LF line ends, no control characters, none of our marks.
func tidy(s string) string {
	if !untidy(s) {
		return strings.Trim(strings.TrimRight(s, " \t\n"), "\n")
	}
	s = strings.ToValidUTF8(s, "\ufffd")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r == 0x7f:
			return -1
		case r >= markOpen && r <= markHeld:
			return '\ufffd'
		}
		return r
	}, s)
	return strings.Trim(strings.TrimRight(s, " \t\n"), "\n")
}

// untidy reports whether tidy may change more of s than its ends.
func untidy(s string) bool {
	wide := false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= ' ' && c < 0x7f || c == '\n' || c == '\t':
		case c < utf8.RuneSelf || c == 0xee: // our marks begin with 0xee, as many others do
			return true
		default:
			wide = true
		}
	}
	return wide && !utf8.ValidString(s)
}

// oneLine is tidy for what must stand in a header field or a heading: line
// ends and tabs become spaces, and at most limit runes are kept.
func oneLine(s string, limit int) string {
	if s = tidy(s); !lined(s) {
		s = strings.Join(strings.Fields(stripBidi(s)), " ")
	}
	if len(s) <= limit { // octets: so are its runes
		return s
	}
	if r := []rune(s); len(r) > limit {
		s = strings.TrimSpace(string(r[:limit-1])) + "…"
	}
	return s
}

// lined reports whether s is ASCII words with one space between them.
func lined(s string) bool {
	before := byte(' ')
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= utf8.RuneSelf || c == ' ' && before == ' ' {
			return false
		}
		before = c
	}
	return s == "" || before != ' '
}

// stripBidi removes the characters that can turn the shown order of a name or
// subject around, so that "gpj.exe" is not read as "exe.jpg".
func stripBidi(s string) string {
	return strings.Map(func(r rune) rune {
		if (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return -1
		}
		return r
	}, s)
}

// properName returns a display name as a letter may use it, "" when it is not
// the name of a person but a message in its place: the greeting of an
// acknowledgement to a forged sender would otherwise carry an advertisement.
func properName(s string) string {
	s = oneLine(s, 80)
	low := strings.ToLower(s)
	for _, bad := range []string{"://", "www.", "@", "<", ">", "http", ".com", ".net", ".org", ".ru"} {
		if strings.Contains(low, bad) {
			return ""
		}
	}
	if len([]rune(s)) > 60 || strings.Count(s, " ") > 6 {
		return ""
	}
	return s
}

// webAddress finds http(s) addresses in words. What stands before and behind
// decides what is cut off again in link.
var webAddress = regexp.MustCompile(`https?://[^\s<>"'` + "`" + `\\^{}|]+`)

// htmlWords shows words in HTML: escaped, line ends kept, indents kept, web
// addresses made into links that show where they lead.
func htmlWords(s string) string {
	if !strings.Contains(s, "://") {
		return htmlText(s)
	}
	var b strings.Builder
	at := 0
	for _, m := range webAddress.FindAllStringIndex(s, -1) {
		end := m[0] + len(trimAddress(s[m[0]:m[1]]))
		b.WriteString(htmlText(s[at:m[0]]))
		u := html.EscapeString(s[m[0]:end])
		fmt.Fprintf(&b, `<a href="%s" rel="noopener noreferrer">%s</a>`, u, u)
		at = end
	}
	b.WriteString(htmlText(s[at:]))
	return b.String()
}

func htmlText(s string) string {
	s = html.EscapeString(s)
	s = strings.ReplaceAll(s, "\t", "    ")
	s = strings.ReplaceAll(s, "  ", "&nbsp; ")
	return strings.ReplaceAll(s, "\n", "<br>\n")
}

// trimAddress cuts the punctuation that ends the sentence rather than the address.
func trimAddress(u string) string {
	for u != "" {
		last := u[len(u)-1]
		switch {
		case strings.IndexByte(".,;:!?*_~", last) >= 0:
		case last == ')' && strings.Count(u, ")") > strings.Count(u, "("):
		case last == ']' && strings.Count(u, "]") > strings.Count(u, "["):
		default:
			return u
		}
		u = u[:len(u)-1]
	}
	return u
}
