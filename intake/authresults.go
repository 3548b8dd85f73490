package intake

import (
	"errors"
	"fmt"
	"strings"
)

// result is one resinfo of an Authentication-Results field (RFC 8601 section
// 2.2): method=value with the properties that it is about.
type result struct {
	method, value string              // lower case
	props         map[string][]string // "ptype.property" in lower case → values
}

// parseResults reads one field. It is strict: what does not keep to the grammar
// is an error, not half a result, for the text comes in part from strangers
// (smtp.mailfrom, comments) and a lenient reader finds in it what they put
// there. A value in quotes keeps its quotes and so equals no domain.
func parseResults(s string) ([]result, error) {
	var parts [][]string
	cur := []string{}
	toks, err := resultTokens(s)
	if err != nil {
		return nil, err
	}
	for _, t := range toks {
		if t == ";" {
			parts, cur = append(parts, cur), []string{}
			continue
		}
		cur = append(cur, t)
	}
	parts = append(parts, cur)
	if err := checkID(parts[0]); err != nil {
		return nil, err
	}
	var rs []result
	for i, part := range parts[1:] {
		if len(part) == 0 && i == len(parts)-2 && i > 0 {
			break // a ";" at the end, which many write
		}
		if len(part) == 1 && strings.EqualFold(part[0], "none") && len(parts) == 2 {
			return nil, nil // no-result
		}
		r, err := parseResult(part)
		if err != nil {
			return nil, err
		}
		rs = append(rs, r)
	}
	return rs, nil
}

// checkID checks what stands before the first ";": authserv-id [ version ].
func checkID(words []string) error {
	if len(words) == 0 || len(words) > 2 {
		return errors.New("no authserv-id")
	}
	for _, w := range words {
		if strings.ContainsAny(w, `="`) {
			return fmt.Errorf("%q is no authserv-id", w)
		}
	}
	if len(words) == 2 && words[1] != "1" {
		return fmt.Errorf("version %q", words[1])
	}
	return nil
}

// parseResult reads method "=" value and any number of "name=value".
func parseResult(words []string) (result, error) {
	r := result{props: map[string][]string{}}
	if len(words) < 3 || len(words)%3 != 0 {
		return r, fmt.Errorf("result %q", strings.Join(words, " "))
	}
	for i := 0; i < len(words); i += 3 {
		name, eq, value := strings.ToLower(words[i]), words[i+1], words[i+2]
		if eq != "=" || name == "=" || value == "=" || strings.ContainsRune(name, '"') {
			return r, fmt.Errorf("result %q", strings.Join(words, " "))
		}
		if i == 0 {
			method, version, _ := strings.Cut(name, "/")
			if version != "" && version != "1" {
				return r, fmt.Errorf("version of method %q", name)
			}
			r.method, r.value = method, strings.ToLower(value)
			continue
		}
		r.props[name] = append(r.props[name], value)
	}
	if strings.Contains(r.method, ".") {
		return r, fmt.Errorf("result without a method: %q", strings.Join(words, " "))
	}
	return r, nil
}

// resultTokens splits a field into ";", "=" and words; comments are dropped. A
// quoted string is part of its word, quotes and all. Within a value "=" and "/"
// may stand (header.b is base64 and seldom quoted): only the first "=" after a
// name parts them.
func resultTokens(s string) (toks []string, err error) {
	l := resultLexer{s: s}
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		if t == "" {
			return toks, nil
		}
		toks = append(toks, t)
	}
}

type resultLexer struct {
	s     string
	i     int
	value bool // the next word is a value
}

func (l *resultLexer) next() (string, error) {
	if err := l.skip(); err != nil || l.i == len(l.s) {
		return "", err
	}
	switch l.s[l.i] {
	case ';':
		l.i++
		l.value = false
		return ";", nil
	case '=':
		if l.value {
			return "", errors.New("two = in a row")
		}
		l.i++
		l.value = true
		return "=", nil
	}
	return l.word()
}

// skip passes white space and comments.
func (l *resultLexer) skip() error {
	depth := 0
	for ; l.i < len(l.s); l.i++ {
		switch c := l.s[l.i]; {
		case depth > 0 && c == '\\':
			l.i++
		case c == '(':
			depth++
		case depth > 0 && c == ')':
			depth--
		case depth > 0, c == ' ', c == '\t', c == '\r', c == '\n':
		default:
			return nil
		}
	}
	l.i = min(l.i, len(l.s))
	if depth > 0 {
		return errors.New("a comment does not end")
	}
	return nil
}

// word reads a name up to "=", or a value.
func (l *resultLexer) word() (string, error) {
	start := l.i
	for ; l.i < len(l.s); l.i++ {
		c := l.s[l.i]
		switch {
		case c == '"':
			if !l.value {
				return "", errors.New("a quoted name")
			}
			if err := l.quoted(); err != nil {
				return "", err
			}
		case c == ';', c == '(', c == ' ', c == '\t', c == '\r', c == '\n', c == '=' && !l.value:
			l.value = false
			return l.s[start:l.i], nil
		case c == ')', c < ' ', c == 127:
			return "", fmt.Errorf("%q out of place", c)
		}
	}
	l.value = false
	return l.s[start:l.i], nil
}

// quoted passes a quoted string; l.i ends on its closing quote.
func (l *resultLexer) quoted() error {
	for l.i++; l.i < len(l.s); l.i++ {
		switch l.s[l.i] {
		case '\\':
			l.i++
		case '"':
			return nil
		}
	}
	return errors.New("a quoted string does not end")
}
