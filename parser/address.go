package parser

import (
	"strings"

	"golang.org/x/net/idna"
)

// parseAddresses reads an address list (RFC 5322 section 3.4) as it comes:
// encoded words in names, groups, comments as names (section 3.4's note on the
// old style), missing brackets and quotes, semicolons between mailboxes as
// Outlook writes them, raw 8-bit names. At most limit addresses; more is a
// defect, reported by over. It takes time linear in the value.
func parseAddresses(raw, fallback string, limit int) (list []Address, over bool) {
	if strings.Contains(raw, "=?") && !strings.Contains(raw, "@") {
		raw = decodeHeader(raw, fallback) // the whole field is one encoded word
	}
	c := newAddressCutter(raw)
	for !c.done() {
		one := c.next()
		if strings.Trim(one, " \t\r\n,;:\x00") == "" {
			continue
		}
		if len(list) >= limit {
			return list, true
		}
		if a, ok := parseMailbox(one, fallback); ok {
			list = append(list, a)
		}
	}
	return list, false
}

// addressCutter splits an address list in one pass. What is never closed (a
// quote, a comment, a bracket) does not count as opened.
type addressCutter struct {
	s                               string
	pos                             int
	lastQuote, lastParen, lastAngle int
}

func newAddressCutter(s string) *addressCutter {
	return &addressCutter{s: s, lastQuote: strings.LastIndexByte(s, '"'), lastParen: strings.LastIndexByte(s, ')'), lastAngle: strings.LastIndexByte(s, '>')}
}

func (a *addressCutter) done() bool { return a.pos >= len(a.s) }

// next returns the next mailbox: up to a comma, a semicolon or a group's colon
// outside quotes, comments and brackets; "" for a group's name.
func (a *addressCutter) next() string {
	s, start := a.s, a.pos
	quoted, depth, closes := false, 0, -1 // closes: where the open bracket ends
	for i := start; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && (quoted || depth > 0):
			i++
		case c == '"' && depth == 0:
			quoted = !quoted && i < a.lastQuote
		case quoted:
		case c == '(' && i < a.lastParen:
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0:
		case c == '<' && i < a.lastAngle && closes < i:
			closes = bracketEnd(s, i)
		case c == '=' && strings.HasPrefix(s[i:], "=?"):
			if _, n, ok := cutWord(s[i:min(len(s), i+2000)]); ok && i+n < len(s) {
				i += n - 1 // commas inside an encoded word are text
			}
		case (c == ',' || c == ';') && i > closes:
			a.pos = i + 1
			return s[start:i]
		case c == ':' && i > closes && i < start+1000 && isGroupName(s[start:i]):
			a.pos = i + 1
			return "" // group name (RFC 5322 section 3.4)
		}
	}
	a.pos = len(s)
	return s[start:]
}

// bracketEnd returns where the bracket at s[i] ends: at the next ">", unless
// another "<" comes first.
func bracketEnd(s string, i int) int {
	end := strings.IndexAny(s[i+1:], "<>")
	if end < 0 || s[i+1+end] == '<' {
		return i
	}
	return i + 1 + end
}

// untilAngle returns the text up to the next ">".
func untilAngle(s string) string {
	if i := strings.IndexByte(s, '>'); i >= 0 {
		return s[:i]
	}
	return ""
}

// isGroupName reports whether s, the text before a colon, is a phrase and not
// an address or a URL scheme.
func isGroupName(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	return s != "mailto" && s != "smtp" && !strings.ContainsAny(s, "@<[")
}

// parseMailbox reads one mailbox: name-addr, addr-spec, or what passes for it.
func parseMailbox(s, fallback string) (Address, bool) {
	s = strings.Trim(s, " \t\r\n,;")
	name, addr, comment := splitMailbox(s)
	if addr == "" && !strings.Contains(s, "<") && !strings.Contains(s, "@") && strings.Contains(s, "=?") {
		name, addr, comment = splitMailbox(decodeHeader(s, fallback)) // name and address in one word
	}
	if addr == "" && strings.Trim(name, " \t") == "" {
		return Address{}, false // nothing but a comment, as after a group
	}
	a := Address{Address: cleanAddress(addr, fallback), Name: phrase(name, fallback)}
	if a.Name == "" && comment != "" {
		a.Name = phrase(comment, fallback) // user@example.net (Name)
	}
	if a.Address == "" && strings.Contains(a.Name, "@") && strings.Contains(a.Name, "<") {
		// "=?utf-8?q?Name_=3Cuser=40example.net=3E?="
		if n, ad, _ := splitMailbox(a.Name); ad != "" {
			a = Address{Address: cleanAddress(ad, fallback), Name: phrase(n, fallback)}
		}
	}
	if a.Address == "" && isAddress(a.Name) {
		a = Address{Address: cleanAddress(a.Name, fallback)}
	}
	return a, a.Address != "" || a.Name != ""
}

// splitMailbox takes one mailbox apart; addr is "" when there is none.
func splitMailbox(s string) (name, addr, comment string) {
	lt := lastAngle(s)
	if lt >= 0 {
		end := strings.IndexByte(s[lt:], '>')
		if end < 0 {
			return s[:lt], strings.TrimSpace(s[lt+1:]), ""
		}
		addr = s[lt+1 : lt+end]
		name, comment = cutComment(s[:lt])
		if tail := strings.TrimSpace(s[lt+end+1:]); name == "" && comment == "" && tail != "" {
			name, comment = cutComment(tail) // "<user@example.net> Name"
		}
		return name, addr, comment
	}
	body, comment := cutComment(s)
	body = strings.TrimSpace(body)
	if isAddress(body) || strings.Contains(body, "@") && !strings.ContainsAny(body, " \t") {
		return "", body, comment
	}
	if i := strings.IndexByte(body, '@'); i > 0 { // "Name user@example.net"
		if strings.HasPrefix(body, `"`) && strings.Count(body, `"`) == 2 && strings.HasSuffix(body[:i], `"`) {
			return "", body, comment
		}
		start := strings.LastIndexAny(body[:i], " \t\"'") + 1
		end := i + strings.IndexAny(body[i:]+" ", " \t\"'")
		if start > 0 && isAddress(body[start:end]) {
			return body[:start], body[start:end], comment
		}
		return "", body, comment
	}
	if body != "" && !strings.ContainsAny(body, " \t\"=<") {
		return "", body, comment // a bare local name: root, MAILER-DAEMON
	}
	return body, "", comment
}

// lastAngle returns the "<" that opens the address, the last one outside
// quotes, or -1.
func lastAngle(s string) int {
	quoted, at := false, -1
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"' && (quoted || strings.IndexByte(s[i+1:], '"') >= 0):
			quoted = !quoted
		case s[i] == '<' && !quoted:
			at = i
		}
	}
	if at < 0 && strings.HasSuffix(s, ">") {
		at = strings.LastIndexByte(s, '<') // the quotes are in the wrong place
	}
	return at
}

// cutComment takes the comments out of s and returns the last one.
func cutComment(s string) (rest, comment string) {
	if strings.IndexByte(s, '(') < 0 {
		return s, ""
	}
	var b, c strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		ch := s[i]
		switch {
		case ch == '\\' && i+1 < len(s):
			i++
			if depth > 0 {
				c.WriteByte(s[i])
			} else {
				b.WriteByte(ch)
				b.WriteByte(s[i])
			}
			continue
		case ch == '"' && depth == 0:
			quoted = !quoted
		case ch == '(' && !quoted:
			if depth++; depth == 1 {
				c.Reset()
				continue
			}
		case ch == ')' && depth > 0:
			if depth--; depth == 0 {
				continue
			}
		}
		if depth > 0 {
			c.WriteByte(ch)
		} else {
			b.WriteByte(ch)
		}
	}
	return b.String(), c.String()
}

// phrase decodes a display name: quotes, escapes and encoded words undone.
func phrase(s, fallback string) string {
	s = unquote(strings.TrimSpace(s))
	s = decodeHeader(s, fallback)
	if len(s) >= 2 && (s[0] == '"' && s[len(s)-1] == '"' || s[0] == '\'' && s[len(s)-1] == '\'') {
		s = s[1 : len(s)-1] // Outlook and some scripts quote within the encoded word
	}
	return collapse(s)
}

// unquote removes quotes and their escapes (RFC 5322 section 3.2.4).
func unquote(s string) string {
	if strings.IndexByte(s, '"') < 0 {
		return s
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			quoted = !quoted
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// cleanAddress brings an addr-spec to its usual form: no route, no comment, no
// stray quotes and blanks, domain in lower case.
func cleanAddress(s, fallback string) string {
	s = strings.TrimSpace(stripComments(s))
	if strings.Contains(s, "=?") {
		s = decodeHeader(s, fallback)
	}
	if !isASCII(s) {
		s = decodeOctets(s, fallback)
	}
	s = strings.Trim(cleanValue(s), "<>'`,;: ")
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	if strings.HasPrefix(s, "@") { // source route (RFC 5322 section 4.4)
		if _, after, ok := strings.Cut(s, ":"); ok {
			s = after
		}
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return strings.Join(strings.Fields(strings.Trim(s, `"`)), "")
	}
	local, domain := strings.TrimSpace(s[:at]), strings.ToLower(strings.TrimSpace(s[at+1:]))
	if !strings.HasPrefix(local, `"`) || !strings.HasSuffix(local, `"`) {
		local = strings.Join(strings.Fields(local), "")
	}
	domain = strings.TrimRight(strings.Join(strings.Fields(domain), ""), ".\"'>)")
	if strings.Count(local, `"`) == 1 {
		local = strings.Trim(local, `"`)
	}
	return strings.TrimLeft(unquoteLocal(local), "'") + "@" + domain
}

// unquoteLocal drops quotes around a local part that needs none.
func unquoteLocal(s string) string {
	if len(s) < 3 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	in := s[1 : len(s)-1]
	for i := 0; i < len(in); i++ {
		if c := in[i]; c <= ' ' || strings.IndexByte("()<>[]:;@\\,\"", c) >= 0 {
			return s
		}
	}
	if strings.HasPrefix(in, ".") || strings.HasSuffix(in, ".") || strings.Contains(in, "..") {
		return in // DoCoMo and au hand out such addresses; the quotes are no part of the identity
	}
	return in
}

// isAddress reports whether s has the shape local@domain.
func isAddress(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 || len(s) > 320 {
		return false
	}
	if s[0] != '"' && strings.ContainsAny(s, " \t<>,;\"()") {
		return false
	}
	return !strings.ContainsAny(s[at+1:], " \t<>,;\"()")
}

// asciiDomain returns the address with its domain in A-labels (RFC 5891), the
// form in which it is compared.
func asciiDomain(addr string) string {
	at := strings.LastIndexByte(addr, '@')
	if at < 0 || isASCII(addr[at:]) {
		return addr
	}
	d, err := idna.Lookup.ToASCII(addr[at+1:])
	if err != nil {
		return addr
	}
	return addr[:at+1] + d
}

// Same reports whether two addresses name one mailbox: local parts compared
// without case, domains in their ASCII form.
func (a Address) Same(b Address) bool {
	return a.Address != "" && strings.EqualFold(asciiDomain(a.Address), asciiDomain(b.Address))
}

// collapse joins runs of white space into one blank and trims.
func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }
