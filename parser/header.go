package parser

import (
	"bytes"
	"strings"
)

// header is one header block: fields in order, names as sent, values unfolded
// but otherwise the raw octets, which may be no valid UTF-8.
type header []Field

// get returns the first value of the named field, "" when absent.
func (h header) get(name string) string {
	for i := range h {
		if len(h[i].Name) == len(name) && strings.EqualFold(h[i].Name, name) {
			return h[i].Value
		}
	}
	return ""
}

// has reports whether the named field is there, even when empty.
func (h header) has(name string) bool {
	for i := range h {
		if len(h[i].Name) == len(name) && strings.EqualFold(h[i].Name, name) {
			return true
		}
	}
	return false
}

// all returns the values of the named field in order.
func (h header) all(name string) []string {
	var vs []string
	for i := range h {
		if len(h[i].Name) == len(name) && strings.EqualFold(h[i].Name, name) {
			vs = append(vs, h[i].Value)
		}
	}
	return vs
}

// filled returns the first value of the named field that is not blank: mails
// with an empty field before the real one are common (RFC 5322 section 3.6
// allows each only once).
func (h header) filled(name string) string {
	for i := range h {
		if len(h[i].Name) == len(name) && strings.EqualFold(h[i].Name, name) && strings.TrimSpace(h[i].Value) != "" {
			return h[i].Value
		}
	}
	return ""
}

// nextLine returns the line that starts at pos without its line end, and where
// the next one starts.
func nextLine(raw []byte, pos int) (line []byte, next int) {
	i := bytes.IndexByte(raw[pos:], '\n')
	if i < 0 {
		return raw[pos:], len(raw)
	}
	line = raw[pos : pos+i]
	if i > 0 && line[i-1] == '\r' {
		line = line[:i-1]
	}
	return line, pos + i + 1
}

// fieldName returns the field name that opens line and the offset of its
// value, or "" when the line is no field. Spaces before the colon are obsolete
// syntax that old gateways still send (RFC 5322 section 4.5).
func fieldName(line []byte) (name string, value int) {
	i := bytes.IndexByte(line, ':')
	if i <= 0 || i > 200 {
		return "", 0
	}
	n := bytes.TrimRight(line[:i], " \t")
	if len(n) == 0 {
		return "", 0
	}
	for _, c := range n {
		if c <= ' ' || c >= 127 {
			return "", 0
		}
	}
	return string(n), i + 1
}

// headerReader collects one header block within limits.
type headerReader struct {
	fields  header
	value   []byte // of the field being read
	size    int
	lim     Limits
	defects []string
}

func (r *headerReader) defect(s string) {
	for _, d := range r.defects {
		if d == s {
			return
		}
	}
	r.defects = append(r.defects, s)
}

// flush ends the field being read.
func (r *headerReader) flush() {
	if n := len(r.fields); n > 0 && r.value != nil {
		r.fields[n-1].Value = strings.Trim(string(r.value), " \t\r")
	}
	r.value = nil
}

// start opens a field; false when limits say it is dropped.
func (r *headerReader) start(name string, value []byte) {
	r.flush()
	if len(r.fields) >= r.lim.Fields {
		r.defect("too many header fields, rest ignored")
		return
	}
	r.fields = append(r.fields, Field{Name: name})
	r.value = make([]byte, 0, len(value)+32)
	r.add(value)
}

// add appends to the field being read, within the limit of the block.
func (r *headerReader) add(b []byte) {
	if r.value == nil {
		return
	}
	if room := r.lim.Header - r.size; len(b) > room {
		r.defect("header too long, rest ignored")
		b = b[:max(room, 0)]
	}
	r.size += len(b)
	r.value = append(r.value, b...)
}

// splitHeader reads the header block that starts at pos and returns its fields
// and where the body starts. isBoundary says whether a line ends the part
// (a part may end within its header); nil for none.
//
// What is repaired: mbox "From " lines, blank lines at the very top, lines
// that lost their folding space, a missing blank line before the body.
func splitHeader(raw []byte, pos int, lim Limits, isBoundary func([]byte) bool) (header, int, []string) {
	r := headerReader{lim: lim}
	top := pos == 0
	for pos < len(raw) {
		line, next := nextLine(raw, pos)
		if isBoundary != nil && len(line) > 2 && line[0] == '-' && line[1] == '-' && isBoundary(line) {
			break
		}
		if len(bytes.TrimRight(line, " \t\r")) == 0 {
			// A folded line of blanks only is obsolete syntax (RFC 5322
			// section 4.2): it ends the block unless a field's rest follows.
			if top && len(r.fields) == 0 {
				pos = next
				continue
			}
			if len(line) > 0 && (continues(raw, next) || surelyField(raw, next)) {
				pos = next
				continue
			}
			pos = next
			break
		}
		if !r.line(raw, line, next, top) {
			break
		}
		pos = next
	}
	r.flush()
	return r.fields, pos, r.defects
}

// line takes one line; false when the line is the body's already.
func (r *headerReader) line(raw, line []byte, next int, top bool) bool {
	if (line[0] == ' ' || line[0] == '\t') && len(r.fields) > 0 {
		r.add(line)
		return true
	}
	if name, v := fieldName(line); name != "" {
		r.start(name, line[v:])
		return true
	}
	if top && len(r.fields) == 0 && (bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))) {
		return true // mbox separator line, kept by exports and some MDAs
	}
	if len(r.fields) == 0 && top {
		if name, v := fieldName(bytes.TrimLeft(line, " \t")); name != "" {
			r.start(name, bytes.TrimLeft(line, " \t")[v:])
			r.defect("header starts with a blank")
			return true
		}
	}
	if headerGoesOn(raw, next) {
		r.defect("header line without a colon, read as folded")
		r.add([]byte(" "))
		r.add(line)
		return true
	}
	r.defect("no blank line before the body")
	return false
}

// continues reports whether the line at pos is a folded one.
func continues(raw []byte, pos int) bool {
	if pos >= len(raw) || (raw[pos] != ' ' && raw[pos] != '\t') {
		return false
	}
	line, next := nextLine(raw, pos)
	return len(bytes.TrimSpace(line)) > 0 && headerGoesOn(raw, next)
}

// surelyField reports whether the line at pos is a field that no body starts
// with.
func surelyField(raw []byte, pos int) bool {
	line, _ := nextLine(raw, min(pos, len(raw)))
	name, _ := fieldName(line)
	name = strings.ToLower(name)
	return wellKnown[name] || strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "content-") || strings.HasPrefix(name, "list-")
}

// headerGoesOn reports whether the next lines still read as a header: a field
// among the next few, or one of the well-known fields a little later (a long
// signature whose lines lost their folding).
func headerGoesOn(raw []byte, pos int) bool {
	for i := range 25 {
		if pos >= len(raw) {
			return false
		}
		line, next := nextLine(raw, pos)
		if len(bytes.TrimSpace(line)) == 0 {
			return false
		}
		if name, _ := fieldName(line); name != "" && (i < 5 || wellKnown[strings.ToLower(name)]) {
			return true
		}
		pos = next
	}
	return false
}

// wellKnown are fields that no body text looks like.
var wellKnown = words("from to cc subject date message-id mime-version content-type content-transfer-encoding received return-path reply-to references in-reply-to user-agent x-mailer")
