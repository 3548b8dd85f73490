package parser

import (
	"bytes"
	"strings"
)

var dropDashes = strings.NewReplacer("-", "", "_", "")

// transferEncoding brings a Content-Transfer-Encoding to one of "", "base64",
// "quoted-printable", "uuencode" (RFC 2045 section 6). known is false for a
// word nobody knows; the octets are then taken as they are.
func transferEncoding(v string) (enc string, known bool) {
	v = strings.ToLower(strings.Trim(v, " \t\"';,."))
	if i := strings.IndexAny(v, ";( \t,"); i > 0 {
		v = v[:i]
	}
	v = strings.Trim(v, "\"'")
	switch dropDashes.Replace(v) {
	case "", "7bit", "8bit", "binary", "7bits", "8bits", "none", "utf8", "bit7", "bit8", "7bti", "plain", "ascii", "usascii":
		return "", true
	case "base64", "b64", "b", "basde64", "mimebase64":
		return "base64", true
	case "quotedprintable", "quotedprintible", "qp", "q", "quoteprintable", "xqp":
		return "quoted-printable", true
	case "uuencode", "xuuencode", "xuue", "uue", "uu":
		return "uuencode", true
	}
	return "", false
}

// decodeTransfer undoes the transfer encoding of one part.
func decodeTransfer(data []byte, enc string) (out []byte, defect string) {
	switch enc {
	case "base64":
		out, ok := decodeBase64(data)
		if !ok {
			return out, "damaged base64"
		}
		return out, ""
	case "quoted-printable":
		return decodeQP(data), ""
	case "uuencode":
		if f, _, _, ok := findUU(data, 0); ok {
			return f.data, ""
		}
		return data, "damaged uuencode"
	}
	return data, ""
}

// base64Values maps octets to their value, 0xff for none, 0xfe for padding,
// 0xfd for white space.
var base64Values = func() (t [256]byte) {
	const abc = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range t {
		t[i] = 0xff
	}
	for i := range len(abc) {
		t[abc[i]] = byte(i)
	}
	t['-'], t['_'] = 62, 63 // RFC 4648 section 5, seen from web mailers
	t['='] = 0xfe
	t[' '], t['\t'], t['\r'], t['\n'] = 0xfd, 0xfd, 0xfd, 0xfd
	return t
}()

// decodeBase64 decodes what it can: foreign octets are skipped (RFC 2045
// section 6.8), padding in the middle ends one run and starts the next,
// missing padding at the end is supplied. ok is false when something had to
// be skipped that is no white space.
func decodeBase64(src []byte) (out []byte, ok bool) {
	var run base64Run
	out = run.flush(run.add(make([]byte, 0, len(src)/4*3+3), src))
	return out, !run.foreign
}

// base64Run is where a decoder of base64 stands: up to three digits of a group.
type base64Run struct {
	acc     uint32
	n       int
	foreign bool // octets were skipped that are no white space
}

// add decodes what comes next, and appends it to out.
func (r *base64Run) add(out, src []byte) []byte {
	acc, n := r.acc, r.n
	for _, c := range src {
		v := base64Values[c]
		switch {
		case v < 64:
			acc = acc<<6 | uint32(v)
			if n++; n == 4 {
				out = append(out, byte(acc>>16), byte(acc>>8), byte(acc)) // #nosec G115 -- octets of a group
				acc, n = 0, 0
			}
		case v == 0xfe:
			r.acc, r.n = acc, n
			out = r.flush(out)
			acc, n = 0, 0
		case v == 0xff:
			r.foreign = true
		}
	}
	r.acc, r.n = acc, n
	return out
}

// flush ends a run.
func (r *base64Run) flush(out []byte) []byte {
	switch r.n {
	case 2:
		out = append(out, byte(r.acc>>4)) // #nosec G115 -- octets of a group
	case 3:
		out = append(out, byte(r.acc>>10), byte(r.acc>>2)) // #nosec G115 -- octets of a group
	}
	r.acc, r.n = 0, 0
	return out
}

// notBase64 reports plain text under a base64 label: blanks between words,
// which no encoder writes, on most of the first lines.
func notBase64(data []byte) bool {
	lines, spaced := 0, 0
	for pos := 0; pos < len(data) && lines < 20; {
		line, next := nextLine(data, pos)
		pos = next
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		lines++
		if bytes.IndexByte(line, ' ') > 0 {
			spaced++
		}
	}
	return lines > 0 && spaced*2 > lines
}

// decodeQP undoes quoted-printable (RFC 2045 section 6.7): soft line breaks,
// blanks at line ends, and "=" that stands for itself because the client did
// not encode it.
func decodeQP(src []byte) []byte {
	if bytes.IndexByte(src, '=') < 0 {
		return src
	}
	out := make([]byte, 0, len(src))
	for pos := 0; pos < len(src); {
		out, pos = appendQP(out, src, pos)
	}
	return out
}

// appendQP decodes the line at pos and returns where the next one starts.
func appendQP(out, src []byte, pos int) ([]byte, int) {
	line, next := nextLine(src, pos)
	hard := src[pos+len(line) : next]
	line = bytes.TrimRight(line, " \t")
	soft := false
	for i := 0; i < len(line); i++ {
		if line[i] != '=' {
			out = append(out, line[i])
			continue
		}
		switch {
		case i == len(line)-1:
			soft = true
		case i+2 < len(line) && isHex(line[i+1]) && isHex(line[i+2]):
			out = append(out, unhex(line[i+1])<<4|unhex(line[i+2]))
			i += 2
		default:
			out = append(out, '=')
		}
	}
	if !soft {
		out = append(out, hard...)
	}
	return out, next
}
