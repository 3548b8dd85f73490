package parser

import (
	"bytes"
	"strconv"
	"strings"
)

// embedded is one file found inside a text body.
type embedded struct {
	name string
	data []byte
}

// takeEmbedded takes uuencoded and yEnc files out of a text body, in one pass,
// and returns them with the text that is left.
func takeEmbedded(text []byte, passed func()) (files []embedded, rest []byte) {
	if indexIn(text, []byte("begin "), passed) < 0 { // "=ybegin " has it, too
		return nil, text
	}
	from := 0
	for len(files) < maxEmbedded {
		f, start, end, ok := findUU(text, from)
		if y, ys, ye, yok := findYEnc(text, from); yok && (!ok || ys < start) {
			f, start, end, ok = y, ys, ye, true
		}
		if !ok {
			break
		}
		files = append(files, f)
		rest = append(rest, text[from:start]...)
		from = end
	}
	if len(files) == 0 {
		return nil, text
	}
	return files, append(rest, text[from:]...)
}

// findUU finds the first uuencoded file at or after from: a begin line and at
// least one line of data.
func findUU(text []byte, from int) (f embedded, start, end int, ok bool) {
	for at := from; ; {
		i := bytes.Index(text[at:], []byte("begin "))
		if i < 0 {
			return f, 0, 0, false
		}
		i += at
		at = i + 6
		if i > 0 && text[i-1] != '\n' {
			continue
		}
		line, next := nextLine(text, i)
		name, good := uuName(string(line))
		if !good {
			continue
		}
		if data, stop, good := uuData(text, next); good {
			return embedded{name, data}, i, stop, true
		}
	}
}

// uuName reads "begin 644 name".
func uuName(line string) (string, bool) {
	p := strings.SplitN(line, " ", 3)
	if len(p) != 3 || len(p[1]) < 3 || len(p[1]) > 4 {
		return "", false
	}
	if _, err := strconv.ParseUint(p[1], 8, 32); err != nil {
		return "", false
	}
	return strings.TrimSpace(p[2]), true
}

// uuData decodes lines up to "end".
func uuData(text []byte, pos int) (data []byte, end int, ok bool) {
	lines := 0
	for pos < len(text) {
		line, next := nextLine(text, pos)
		if bytes.Equal(bytes.TrimSpace(line), []byte("end")) {
			return data, next, lines > 0
		}
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 || line[0] == '`' && len(line) == 1 || len(bytes.TrimSpace(line)) == 0 {
			pos = next
			continue
		}
		out, good := uuLine(line)
		if !good {
			return data, pos, lines > 0 // lost its "end"
		}
		data = append(data, out...)
		lines++
		pos = next
	}
	return data, pos, lines > 0
}

// uuLine decodes one line: its length and groups of four. Mailers that strip
// trailing blanks are forgiven.
func uuLine(line []byte) ([]byte, bool) {
	n := int(line[0]-' ') & 0x3f
	if line[0] < ' ' || line[0] > '`' {
		return nil, false
	}
	need := (n + 2) / 3 * 4
	body := line[1:]
	if len(body) > need+2 || len(body)+4 < need {
		return nil, false
	}
	out := make([]byte, 0, need)
	var q [4]byte
	for i := 0; i < need; i += 4 {
		for j := range q {
			c := byte(' ')
			if i+j < len(body) {
				c = body[i+j]
			}
			if c < ' ' || c > '`' {
				return nil, false
			}
			q[j] = (c - ' ') & 0x3f
		}
		out = append(out, q[0]<<2|q[1]>>4, q[1]<<4|q[2]>>2, q[2]<<6|q[3])
	}
	return out[:min(n, len(out))], true
}

// findYEnc finds the first yEnc block (yenc.org, version 1.3) at or after from.
func findYEnc(text []byte, from int) (f embedded, start, end int, ok bool) {
	i := bytes.Index(text[from:], []byte("=ybegin "))
	if i < 0 || from+i > 0 && text[from+i-1] != '\n' {
		return f, 0, 0, false
	}
	start = from + i
	line, pos := nextLine(text, start)
	_, name, found := strings.Cut(string(line), " name=")
	if !found {
		return f, 0, 0, false
	}
	var data []byte
	for pos < len(text) {
		line, next := nextLine(text, pos)
		pos = next
		switch {
		case bytes.HasPrefix(line, []byte("=yend")):
			return embedded{strings.TrimSpace(name), data}, start, pos, true
		case bytes.HasPrefix(line, []byte("=ypart")):
		default:
			data = appendYEnc(data, line)
		}
	}
	return f, 0, 0, false
}

// appendYEnc decodes one line: octets shifted by 42, "=" escapes one more.
func appendYEnc(dst, line []byte) []byte {
	for i := 0; i < len(line); i++ {
		c := line[i]
		if c == '=' && i+1 < len(line) {
			i++
			c = line[i] - 64
		}
		dst = append(dst, c-42)
	}
	return dst
}
