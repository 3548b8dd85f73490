package parser

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// rtfDictionary is what the compression's window starts with (MS-OXRTFCP
// section 2.1.2.1).
const rtfDictionary = "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"

// inflateRTF undoes the compression of PR_RTF_COMPRESSED (MS-OXRTFCP), up to
// limit octets; nil when it is damaged at the start.
func inflateRTF(data []byte, limit int) []byte {
	if len(data) < 16 {
		return nil
	}
	kind, body := string(data[8:12]), data[16:]
	if kind == "MELA" { // not compressed
		return body[:min(len(body), limit)]
	}
	if kind != "LZFu" {
		return nil
	}
	var window [4096]byte
	copy(window[:], rtfDictionary)
	at := len(rtfDictionary)
	size := int(binary.LittleEndian.Uint32(data[4:]))
	out := make([]byte, 0, max(0, min(size, limit, 8*len(body))))
	put := func(c byte) {
		out = append(out, c)
		window[at] = c
		at = (at + 1) & 4095
	}
	for i := 0; i < len(body) && len(out) < limit; {
		flags := body[i]
		i++
		for bit := 0; bit < 8 && i < len(body); bit++ {
			if flags>>bit&1 == 0 {
				put(body[i])
				i++
				continue
			}
			if i+1 >= len(body) {
				return out
			}
			ref := int(body[i])<<8 | int(body[i+1])
			i += 2
			from, n := ref>>4, ref&15+2
			if from == at {
				return out // the end
			}
			for range n {
				put(window[from])
				from = (from + 1) & 4095
			}
		}
	}
	return out
}

// rtfSkipped are the groups of an RTF document that hold no text.
var rtfSkipped = words("fonttbl colortbl stylesheet info pict object themedata listtable listoverridetable generator datastore latentstyles header footer xmlnstbl rsidtbl")

// rtfText returns the text of an RTF document: paragraphs, tabs, characters by
// code page or Unicode. Groups marked as ignorable and tables of fonts, styles
// and colours are skipped. It takes one pass.
func rtfText(doc []byte) string {
	r := rtfReader{src: string(doc), codepage: "windows-1252", unicodeSkip: 1}
	for r.pos < len(r.src) {
		c := r.src[r.pos]
		r.pos++
		switch c {
		case '{':
			r.depth++
		case '}':
			r.depth--
			if r.depth < r.skipFrom {
				r.skipFrom = 0
			}
		case '\\':
			r.control()
		case '\r', '\n':
		default:
			r.octet(c)
		}
	}
	r.flush()
	return strings.TrimSpace(toValid(r.out.String()))
}

type rtfReader struct {
	src         string
	pos         int
	depth       int
	skipFrom    int // depth of the group being skipped, 0 for none
	codepage    string
	bytes       []byte // characters of the code page, not yet decoded
	out         strings.Builder
	unicodeSkip int // characters that stand in for a \u for old readers
	pending     int // of them still to come
}

// octet adds a character of the code page.
func (r *rtfReader) octet(c byte) {
	switch {
	case r.skipFrom > 0:
	case r.pending > 0:
		r.pending--
	default:
		r.bytes = append(r.bytes, c)
	}
}

// flush decodes what was gathered.
func (r *rtfReader) flush() {
	if len(r.bytes) > 0 {
		s, _ := decodeText(r.bytes, r.codepage)
		r.out.WriteString(s)
		r.bytes = r.bytes[:0]
	}
}

// control reads a control word or symbol; the backslash is behind.
func (r *rtfReader) control() {
	if r.pos >= len(r.src) {
		return
	}
	c := r.src[r.pos]
	if c < 'a' || c > 'z' {
		r.pos++
		r.symbol(c)
		return
	}
	start := r.pos
	for r.pos < len(r.src) && (r.src[r.pos] >= 'a' && r.src[r.pos] <= 'z' || r.src[r.pos] >= 'A' && r.src[r.pos] <= 'Z') {
		r.pos++
	}
	word, digits := r.src[start:r.pos], r.pos
	if r.pos < len(r.src) && r.src[r.pos] == '-' {
		r.pos++
	}
	for r.pos < len(r.src) && r.src[r.pos] >= '0' && r.src[r.pos] <= '9' {
		r.pos++
	}
	n, _ := strconv.Atoi(r.src[digits:r.pos])
	if r.pos < len(r.src) && r.src[r.pos] == ' ' {
		r.pos++
	}
	r.word(word, n)
}

// symbol handles a control symbol.
func (r *rtfReader) symbol(c byte) {
	switch c {
	case '\'':
		if r.pos+1 < len(r.src) && isHex(r.src[r.pos]) && isHex(r.src[r.pos+1]) {
			r.octet(unhex(r.src[r.pos])<<4 | unhex(r.src[r.pos+1]))
			r.pos += 2
		}
	case '*':
		if r.skipFrom == 0 {
			r.skipFrom = r.depth
		}
	case '~':
		r.octet(' ')
	case '\\', '{', '}':
		r.octet(c)
	}
}

// word handles a control word with its number.
func (r *rtfReader) word(word string, n int) {
	switch {
	case word == "bin":
		r.pos = min(len(r.src), r.pos+max(n, 0))
	case rtfSkipped[word] && r.skipFrom == 0:
		r.skipFrom = max(r.depth, 1)
	case r.skipFrom > 0:
	case word == "ansicpg" && n > 0:
		if name := codepageName(uint32(n)); name != "" { // #nosec G115 -- a wrong number names no codepage
			r.codepage = name
		}
	case word == "uc":
		r.unicodeSkip = max(n, 0)
	case word == "u":
		r.flush()
		if n < 0 {
			n += 65536
		}
		r.out.WriteRune(rune(n)) // #nosec G115 -- WriteRune writes U+FFFD for what is no rune
		r.pending = r.unicodeSkip
	case word == "par" || word == "line" || word == "row" || word == "sect":
		r.flush()
		r.out.WriteByte('\n')
	case word == "tab" || word == "cell":
		r.flush()
		r.out.WriteByte('\t')
	default:
		if s := rtfQuotes[word]; s != "" {
			r.flush()
			r.out.WriteString(s)
		}
	}
}

var rtfQuotes = map[string]string{"lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•", "endash": "–", "emdash": "—"}
