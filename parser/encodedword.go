package parser

import (
	"strings"
)

// decodeHeader decodes an unstructured header value: encoded words wherever
// they stand (RFC 2047 forbids them in quoted strings, clients put them
// there), raw UTF-8 (RFC 6532), and other octets by the message's own charset.
// The result is valid UTF-8 without line ends.
func decodeHeader(raw, fallback string) string {
	if len(raw) > maxSubject {
		raw = raw[:maxSubject]
	}
	if !strings.Contains(raw, "=?") {
		return cleanValue(decodeOctets(raw, fallback))
	}
	var b strings.Builder
	var run wordRun
	rest := raw
	for rest != "" {
		i := strings.Index(rest, "=?")
		if i < 0 {
			break
		}
		w, n, ok := cutWord(rest[i:])
		if !ok {
			run.flush(&b)
			b.WriteString(decodeOctets(rest[:i+2], fallback))
			rest = rest[i+2:]
			continue
		}
		// White space between encoded words is not part of the text
		// (RFC 2047 section 6.2).
		if gap := rest[:i]; !run.open || strings.Trim(gap, " \t\r\n") != "" {
			run.flush(&b)
			b.WriteString(decodeOctets(gap, fallback))
		}
		run.add(&b, w)
		rest = rest[i+n:]
	}
	run.flush(&b)
	b.WriteString(decodeOctets(rest, fallback))
	return cleanValue(b.String())
}

// word is one encoded word, transfer encoding undone.
type word struct {
	charset string
	data    []byte
}

// wordRun joins adjacent words of one charset, because clients split
// characters between words (RFC 2047 section 5 forbids it).
type wordRun struct {
	open    bool
	charset string
	data    []byte
}

func (r *wordRun) add(b *strings.Builder, w word) {
	if r.open && r.charset != w.charset {
		r.flush(b)
	}
	r.open, r.charset = true, w.charset
	r.data = append(r.data, w.data...)
}

func (r *wordRun) flush(b *strings.Builder) {
	if r.open {
		s, _ := decodeText(r.data, r.charset)
		b.WriteString(s)
	}
	*r = wordRun{data: r.data[:0]}
}

// cutWord reads the encoded word that s starts with: "=?charset?q?text?=".
// Accepted beyond RFC 2047 section 2: blanks in the text, a missing "?=" at
// the end of the value, a missing encoded text.
func cutWord(s string) (w word, n int, ok bool) {
	rest := s[2:]
	i := strings.IndexByte(rest, '?')
	if i < 1 || i > 60 || strings.ContainsAny(rest[:i], " \t<>\"") {
		return w, 0, false
	}
	w.charset = cleanLabel(rest[:i])
	rest = rest[i+1:]
	if len(rest) < 2 || rest[1] != '?' {
		return w, 0, false
	}
	enc := rest[0] | 0x20
	if enc != 'q' && enc != 'b' {
		return w, 0, false
	}
	rest = rest[2:]
	end := wordEnd(rest, enc)
	n = len(s) - len(rest) + end
	text := rest[:end]
	if end+2 <= len(rest) {
		n += 2
	} else {
		n = len(s)
		text = strings.TrimRight(text, "?= ")
	}
	if enc == 'b' {
		w.data, _ = decodeBase64([]byte(text))
	} else {
		w.data = decodeQ(text)
	}
	return w, n, true
}

// wordEnd returns where the encoded text that s starts with ends: at "?=".
// In Q text "?==41" can only be a question mark that the client did not
// encode, followed by an encoded octet.
func wordEnd(s string, enc byte) int {
	off := 0
	for {
		i := strings.Index(s[off:], "?=")
		if i < 0 {
			return len(s)
		}
		i += off
		if enc == 'q' && i+4 <= len(s) && isHex(s[i+2]) && isHex(s[i+3]) && (i+4 < len(s) && wordGoesOn(s[i+4:])) {
			off = i + 1
			continue
		}
		return i
	}
}

// wordGoesOn reports whether the text after a doubtful "?=" still has an end
// of its own before the next word starts.
func wordGoesOn(s string) bool {
	end := strings.Index(s, "?=")
	if end < 0 {
		return false
	}
	next := strings.Index(s, "=?")
	blank := strings.IndexAny(s, " \t")
	return (next < 0 || end < next) && (blank < 0 || end < blank)
}

// decodeQ undoes the Q encoding (RFC 2047 section 4.2).
func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '_':
			out = append(out, ' ')
		case s[i] == '=' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return out
}

// decodeOctets decodes the part of a header value that is no encoded word.
func decodeOctets(s, fallback string) string {
	if isASCII(s) && strings.IndexByte(s, 0x1b) < 0 {
		return s
	}
	out, _ := decodeText([]byte(s), fallback)
	return out
}

// cleanValue drops line ends and controls that decoding brought to light.
func cleanValue(s string) string {
	s = toValid(s)
	clean := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			clean = false
			break
		}
	}
	if !clean {
		s = strings.Map(func(r rune) rune {
			switch {
			case r == '\t' || r == '\n' || r == '\r':
				return ' '
			case r < ' ' || r == 0x7f:
				return -1
			}
			return r
		}, s)
	}
	return strings.TrimSpace(s)
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	}
	return c - 'A' + 10
}
