package parser

import (
	"sort"
	"strconv"
	"strings"
)

// paramValue is a structured field: a value in lower case and its parameters,
// names in lower case (RFC 2045 section 5.1, RFC 2183).
type paramValue struct {
	value  string
	params map[string]string
}

// parseParams reads Content-Type, Content-Disposition and the like. Accepted
// beyond the RFCs: missing quotes, quotes never closed, blanks around "=",
// missing or doubled semicolons, encoded words in values, a value missing.
func parseParams(raw, fallback string) paramValue {
	p := paramValue{}
	v, rest := cutAny(raw, ";")
	v = stripComments(v)
	// "text/plain charset=utf-8": the semicolon is missing.
	if i := strings.IndexAny(strings.TrimSpace(v), " \t"); i > 0 && strings.Contains(v, "=") {
		v = strings.TrimSpace(v)
		rest = v[i+1:] + ";" + rest
		v = v[:i]
	}
	if strings.Contains(v, "=") && !strings.Contains(v, "/") { // the value itself is missing
		rest, v = v+";"+rest, ""
	}
	p.value = strings.ToLower(strings.Trim(strings.TrimSpace(v), "\"'` "))
	if rest == "" {
		return p
	}
	raws := map[string]string{}
	for n := 0; rest != "" && n < 200; n++ {
		var name, val string
		name, val, rest = cutParam(rest)
		if name == "" {
			continue
		}
		if _, dup := raws[name]; !dup || raws[name] == "" {
			raws[name] = val
		}
	}
	p.params = joinParams(raws, fallback)
	return p
}

// cutParam reads one "name=value" up to the next semicolon outside quotes.
func cutParam(s string) (name, value, rest string) {
	s = strings.TrimLeft(s, "; \t\r\n,")
	i := strings.IndexAny(s, "=;")
	if i < 0 {
		return "", "", ""
	}
	if s[i] == ';' {
		return "", "", s[i+1:]
	}
	name = strings.ToLower(strings.TrimSpace(stripComments(s[:i])))
	if j := strings.LastIndexAny(name, " \t"); j >= 0 {
		name = name[j+1:]
	}
	s = strings.TrimLeft(s[i+1:], " \t\r\n")
	if strings.HasPrefix(s, `"`) {
		value, rest = cutQuoted(s)
		return name, value, rest
	}
	value, rest = cutAny(s, ";")
	value = strings.TrimSpace(value)
	// "name=a.txt size=3": another parameter follows without a semicolon.
	if j := strings.IndexAny(value, " \t"); j > 0 && looksLikeParam(value[j+1:]) {
		rest = value[j+1:] + ";" + rest
		value = value[:j]
	}
	if name == "charset" || name == "boundary" {
		value = strings.TrimSpace(stripComments(value))
	}
	return name, strings.Trim(value, "'"), rest
}

// looksLikeParam reports whether s starts with one of the names that follow
// each other in real fields.
func looksLikeParam(s string) bool {
	s = strings.ToLower(strings.TrimLeft(s, " \t"))
	for _, n := range []string{"name=", "filename=", "charset=", "boundary=", "size=", "format=", "type=", "name*", "filename*"} {
		if strings.HasPrefix(s, n) {
			return true
		}
	}
	return false
}

// cutQuoted reads the quoted string that s starts with. A quote that is not
// followed by a semicolon or the end is part of the value (`name="a "b".txt"`).
// Backslashes are kept before letters: clients send Windows paths.
func cutQuoted(s string) (value, rest string) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			after := strings.TrimLeft(s[i+1:], " \t\r\n")
			if after == "" || after[0] == ';' || after[0] == ',' || after[0] == '(' || looksLikeParam(after) {
				return b.String(), after
			}
			if strings.IndexByte(s[i+1:], '"') < 0 {
				return b.String(), after
			}
			b.WriteByte('"')
		default:
			b.WriteByte(s[i])
		}
	}
	// Never closed: the value ends at the first semicolon.
	v, rest := cutAny(s[1:], ";")
	return strings.TrimSpace(v), rest
}

// cutAny splits at the first octet of chars that stands outside quotes.
func cutAny(s, chars string) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && strings.IndexByte(chars, s[i]) >= 0:
			return s[:i], s[i+1:]
		}
	}
	if quoted { // the quote is a stray one
		if i := strings.IndexAny(s, chars); i >= 0 {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// stripComments drops RFC 5322 comments outside quotes.
func stripComments(s string) string {
	if strings.IndexByte(s, '(') < 0 {
		return s
	}
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			if depth == 0 {
				b.WriteByte(c)
				b.WriteByte(s[i+1])
			}
			i++
			continue
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(' && !quoted:
			depth++
			continue
		case c == ')' && !quoted && depth > 0:
			depth--
			continue
		}
		if depth == 0 {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// segment is one piece of a continued parameter.
type segment struct {
	n       int
	encoded bool
	value   string
}

// joinParams applies RFC 2231: "name*0*", "name*1", "name*" become "name". An
// extended value wins over a plain one of the same name (RFC 6266 section 4.3).
func joinParams(raws map[string]string, fallback string) map[string]string {
	out := make(map[string]string, len(raws))
	pieces := map[string][]segment{}
	for name, v := range raws {
		base, star, ok := strings.Cut(name, "*")
		if !ok {
			if _, taken := out[name]; !taken {
				out[name] = paramText(v, fallback)
			}
			continue
		}
		n, err := strconv.Atoi(strings.TrimSuffix(star, "*"))
		if err != nil {
			n = 0
		}
		pieces[base] = append(pieces[base], segment{n, star == "" || strings.HasSuffix(star, "*"), v})
	}
	for base, segs := range pieces {
		sort.Slice(segs, func(i, j int) bool { return segs[i].n < segs[j].n })
		if v := joinSegments(segs, fallback); v != "" {
			out[base] = v
		}
	}
	return out
}

// joinSegments decodes one continued value (RFC 2231 sections 3 and 4).
func joinSegments(segs []segment, fallback string) string {
	charset := ""
	var data []byte
	encoded := false
	for i, s := range segs {
		v := s.value
		if s.encoded {
			if i == 0 {
				if parts := strings.SplitN(v, "'", 3); len(parts) == 3 {
					charset, v = parts[0], parts[2]
				}
			}
			encoded = true
			data = append(data, unpercent(v)...)
			continue
		}
		data = append(data, v...)
	}
	if !encoded {
		return paramText(string(data), fallback)
	}
	if charset == "" {
		charset = fallback
	}
	if strings.Contains(string(data), "=?") { // an encoded word inside RFC 2231
		return decodeHeader(string(data), charset)
	}
	s, _ := decodeText(data, charset)
	return cleanValue(s)
}

// paramText decodes a plain parameter value, encoded words and all.
func paramText(v, fallback string) string { return decodeHeader(v, fallback) }

// unpercent undoes percent encoding; a lone "%" stands for itself.
func unpercent(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}
