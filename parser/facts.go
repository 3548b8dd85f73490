package parser

import (
	"regexp"
	"sort"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// Limits of what is searched for facts.
const (
	maxFactText = 64 << 10 // bytes of ReplyText
	maxFacts    = 100
	maxPhones   = 20
)

// findFacts looks for phone numbers, error texts, ticket numbers and the
// configured patterns in the visible reply.
func (p *parse) findFacts() {
	m := p.m
	text := clip(m.ReplyText, maxFactText)
	if m.Kind == KindBounce || m.Kind == KindDelayed || text == "" {
		return
	}
	m.Phones = findPhones(text, p.opt.Country)
	lines := strings.Split(text, "\n")
	for _, n := range m.Phones {
		p.fact("phone", n, lineOfDigits(lines, n))
	}
	for i, l := range lines {
		if e := errorText(l); e != "" {
			p.fact("error", e, i+1)
		}
	}
	for _, t := range findTickets(m.Subject) {
		p.fact("ticket", t, 0)
	}
	p.findPatterns(lines)
	for _, a := range m.Attachments {
		if screenshot(a.Filename) {
			p.fact("screenshot", a.Filename, 0)
		}
	}
}

// fact notes a fact once.
func (p *parse) fact(kind, value string, line int) {
	value = clip(strings.TrimSpace(value), 300)
	if value == "" || len(p.m.Facts) >= maxFacts {
		return
	}
	for _, f := range p.m.Facts {
		if f.Kind == kind && f.Value == value {
			return
		}
	}
	p.m.Facts = append(p.m.Facts, Fact{Kind: kind, Value: value, Line: line})
}

// findPhones returns the phone numbers of text in E.164 where they are
// international or country is known, each once. Dates, order numbers and
// amounts are left out by asking for a valid number, not a possible one.
func findPhones(text, country string) []string {
	var out []string
	seen := map[string]bool{}
	for _, c := range phoneLike(text, 200) {
		if len(out) >= maxPhones {
			break
		}
		c = strings.TrimSpace(c)
		if n := e164(c, country); n != "" && !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// phoneLike returns the first candidates in text, limit at most: a plus sign,
// a parenthesis or a digit that begins a word, then digits with the usual
// separators. The library decides; this keeps it off the rest of the text.
func phoneLike(text string, limit int) []string {
	var out []string
	for i := 0; i < len(text) && len(out) < limit; i++ {
		c := text[i]
		if c > '9' || c != '+' && c != '(' && !isDigit(c) || isDigit(c) && i > 0 && isWordByte(text[i-1]) {
			continue
		}
		if n := phoneLength(text[i:]); n > 0 {
			out = append(out, text[i:i+n])
			i += n - 1
		}
	}
	return out
}

// phoneLength is the length of the candidate that s begins with, in octets, 0
// for none: its first character, a digit or parenthesis, 5 to 22 digits and
// separators, a digit.
func phoneLength(s string) int {
	if len(s) < 2 || !isDigit(s[1]) && s[1] != '(' && s[1] != ')' {
		return 0
	}
	end := 0
	for i, n := 2, 0; i < len(s); n++ {
		if n >= 5 && isDigit(s[i]) {
			end = i + 1
		}
		w := phoneRune(s[i:])
		if w == 0 || n == 22 {
			break
		}
		i += w
	}
	return end
}

// phoneRune is the length of the digit or separator that s begins with, 0 for
// none.
func phoneRune(s string) int {
	switch c := s[0]; {
	case isDigit(c), c == ' ', c == '(', c == ')', c == '.', c == '/', c == '-':
		return 1
	case strings.HasPrefix(s, "\u00a0"):
		return len("\u00a0")
	case strings.HasPrefix(s, "\u2011"):
		return len("\u2011")
	}
	return 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isWordByte reports what stands within a word of ASCII.
func isWordByte(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
}

// e164 brings one candidate to E.164, "" when it is no valid number.
func e164(s, country string) string {
	if strings.HasPrefix(s, "00") {
		s = "+" + s[2:]
	}
	if !strings.HasPrefix(s, "+") && (country == "" || strings.HasPrefix(s, "20") && strings.Count(s, "-") == 2 || strings.Count(s, ".") == 2 && len(s) <= 10) {
		return "" // without a country a national number is any number; dates
	}
	n, err := phonenumbers.Parse(s, strings.ToUpper(country))
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return ""
	}
	return phonenumbers.Format(n, phonenumbers.E164)
}

// lineOfDigits returns the line where the last digits of a number stand.
func lineOfDigits(lines []string, number string) int {
	tail := number[max(0, len(number)-6):]
	for i, l := range lines {
		if strings.Contains(digitsOf(l), tail) {
			return i + 1
		}
	}
	return 0
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// errorWords stand in lines that say what went wrong, lower case.
var errorWords = newPhrases([]string{"error:", "error code", "fehler:", "fehlercode", "erreur :", "erreur:", "code d'erreur", "código de error", "errore:", "codice errore", "exception:", "panic:", "fatal:", "traceback", "segmentation fault", "0x8", "err_", "errno", "http 4", "http 5", "stack trace"})

// errorText returns the error that a line of the text holds: a code, an
// exception, a line that says so.
func errorText(line string) string {
	t := strings.TrimSpace(line)
	if len(t) < 4 || len(t) > 300 {
		return ""
	}
	if !errorWords.in(t) {
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

// findTickets returns the numbers in the ticket tags of a subject.
func findTickets(subject string) []string {
	var out []string
	for rest := subject; len(out) < 10; {
		i := strings.IndexByte(rest, '[')
		j := strings.IndexByte(rest, ']')
		if i < 0 || j < i {
			return out
		}
		if in := rest[i+1 : j]; isTicketTag(in) {
			out = append(out, ticketNumber(in))
		}
		rest = rest[j+1:]
	}
	return out
}

// screenshot reports the names that systems give to pictures of the screen.
func screenshot(name string) bool {
	low := strings.ToLower(name)
	for _, w := range []string{"screenshot", "screen shot", "bildschirmfoto", "bildschirmaufnahme", "capture d", "captura de pantalla", "captura de ecr", "schermata", "schermafbeelding", "skärmavbild", "skærmbillede", "skjermbilde", "zrzut ekranu", "снимок экрана", "スクリーンショット", "截屏", "截图", "螢幕截圖", "스크린샷", "snimek obrazovky", "ekran görüntüsü", "näyttökuva"} {
		if strings.HasPrefix(low, w) {
			return true
		}
	}
	return false
}

// compiled caches the configured patterns: they are the same for every mail.
var compiled sync.Map // pattern string to *regexp.Regexp, nil for a broken one

// findPatterns looks for the configured facts, kinds in order of their name.
func (p *parse) findPatterns(lines []string) {
	kinds := make([]string, 0, len(p.opt.Patterns))
	for k := range p.opt.Patterns {
		kinds = append(kinds, k)
	}
	sort.Strings(kinds)
	for _, kind := range kinds {
		re := compilePattern(p.opt.Patterns[kind])
		if re == nil {
			continue // the configuration's check tells the operator
		}
		for i, l := range lines {
			for _, g := range re.FindAllStringSubmatch(l, 10) {
				p.fact(kind, g[min(1, len(g)-1)], i+1)
			}
		}
	}
}

// compilePattern compiles a pattern once; nil when it is broken.
func compilePattern(pattern string) *regexp.Regexp {
	if re, ok := compiled.Load(pattern); ok {
		return re.(*regexp.Regexp)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		re = nil
	}
	compiled.Store(pattern, re)
	return re
}

// ticketNumber returns the digits that end the text of a ticket tag.
func ticketNumber(in string) string {
	in = strings.TrimSpace(in)
	i := len(in)
	for i > 0 && in[i-1] >= '0' && in[i-1] <= '9' {
		i--
	}
	return in[i:]
}
