package parser

import (
	"bytes"
	"strings"
)

// part is one MIME entity (RFC 2045 section 2.4).
type part struct {
	head     header
	ctype    paramValue // Content-Type
	disp     paramValue // Content-Disposition
	encoding string     // transfer encoding, "" for none
	body     []byte     // as transferred
	decoded  []byte     // content, transfer encoding undone; nil until content is called
	children []*part    // of a multipart, or the one message of a message/rfc822
	parent   *part
	depth    int
	tree     *walker // limits and defects of the whole mail
	bare     bool    // the header declares no Content-Type
}

// walker splits one mail into parts in one pass: every octet is looked at
// once, whatever the nesting, because all open boundaries are known while a
// line is read (RFC 2046 section 5.1.2 lets an outer boundary end inner parts).
type walker struct {
	raw     []byte
	lim     Limits
	open    map[string][]int // delimiter text to the levels where it is open, innermost last
	level   int
	parts   int
	recoded int // levels of messages inside transfer-encoded messages
	defects *[]string
	charset string // fallback for 8-bit header values
	hit     hit    // of the line that isBoundary accepted last
	passed  func() // Options.Passed, or nothing
}

// hit is a delimiter line: the level of its multipart, 0 for the end of the
// mail.
type hit struct {
	level int
	close bool
	next  int // where the line after it starts
}

func (w *walker) defect(s string) { addDefect(w.defects, s) }

// addDefect notes a defect once, up to a limit.
func addDefect(list *[]string, s string) {
	if s == "" || len(*list) >= maxDefects {
		return
	}
	for _, d := range *list {
		if d == s {
			return
		}
	}
	*list = append(*list, s)
}

// walk splits raw, whose top-level header h ends at pos.
func (w *walker) walk(h header, pos int) *part {
	p := w.newPart(h, nil)
	w.fill(p, pos)
	return p
}

// newPart makes a part of a header; its body is not set yet.
func (w *walker) newPart(h header, parent *part) *part {
	w.parts++
	p := &part{head: h, parent: parent, tree: w}
	if parent != nil {
		p.depth = parent.depth + 1
	}
	ct := h.filled("Content-Type")
	p.bare = ct == ""
	p.ctype = parseParams(ct, w.charset)
	if d := h.filled("Content-Disposition"); d != "" {
		p.disp = parseParams(d, w.charset)
	}
	cte := h.filled("Content-Transfer-Encoding")
	enc, known := transferEncoding(cte)
	if !known {
		w.defect("unknown transfer encoding: " + clip(toValid(cte), 40))
	}
	p.encoding = enc
	p.ctype.value = fixType(p.ctype.value, parent)
	return p
}

// fixType completes a media type: the default is text/plain, inside a digest
// message/rfc822 (RFC 2046 section 5.1.5), and "text" alone is text/plain
// (RFC 2045 section 5.2).
func fixType(t string, parent *part) string {
	t = strings.TrimSpace(t)
	switch {
	case t == "" && parent != nil && parent.ctype.value == "multipart/digest":
		return "message/rfc822"
	case t == "", t == "text", t == "plain":
		return "text/plain"
	case t == "html":
		return "text/html"
	case !strings.Contains(t, "/"):
		return "application/octet-stream"
	}
	return strings.TrimRight(strings.ReplaceAll(t, " ", ""), "/;,")
}

// fill reads the body of p from pos and returns the delimiter that ended it.
func (w *walker) fill(p *part, pos int) hit {
	switch {
	case strings.HasPrefix(p.ctype.value, "multipart/") && p.encoding != "base64":
		return w.fillMultipart(p, pos)
	case isMessage(p.ctype.value) && p.encoding == "":
		return w.fillMessage(p, pos)
	}
	h := w.scan(pos)
	p.body = w.cut(pos, h)
	w.openOpaque(p)
	if p.encoding != "" && w.recoded < maxReencoded && p.depth < w.lim.Depth &&
		(isMessage(p.ctype.value) || strings.HasPrefix(p.ctype.value, "multipart/")) {
		w.fillEncoded(p)
	}
	return h
}

// isMessage reports the types whose content is a whole message or its header.
func isMessage(t string) bool {
	return t == "message/rfc822" || t == "message/global" || t == "message/news"
}

// fillMessage reads a message/rfc822: its header follows at once.
func (w *walker) fillMessage(p *part, pos int) hit {
	if p.depth >= w.lim.Depth || w.parts >= w.lim.Parts {
		w.defect("nested too deep or too many parts, rest kept as it is")
		h := w.scan(pos)
		p.body = w.cut(pos, h)
		return h
	}
	for pos < len(w.raw) && (w.raw[pos] == '\n' || w.raw[pos] == '\r') { // blank lines before the inner header
		pos++
	}
	head, at, defects := splitHeader(w.raw, pos, w.lim, w.isBoundary)
	for _, d := range defects {
		w.defect(d)
	}
	child := w.newPart(head, p)
	p.children = []*part{child}
	h := w.fill(child, at)
	p.body = w.cut(pos, h)
	return h
}

// fillMultipart reads the parts of a multipart up to its close delimiter, and
// its epilogue up to a delimiter further out.
func (w *walker) fillMultipart(p *part, pos int) hit {
	boundary := strings.TrimRight(rawBoundary(p), " \t")
	if guess := w.guessBoundary(pos, boundary); guess != boundary {
		w.defect("multipart without its boundary, read by what looks like one")
		boundary = guess
	}
	if boundary == "" || p.depth >= w.lim.Depth || w.parts >= w.lim.Parts {
		if boundary == "" {
			w.defect("multipart without a boundary")
		} else {
			w.defect("nested too deep or too many parts, rest kept as it is")
		}
		h := w.scan(pos)
		p.body = w.cut(pos, h)
		return h
	}
	w.level++
	level := w.level
	w.open[boundary] = append(w.open[boundary], level)
	h := w.scan(pos) // preamble
	p.body = w.cut(pos, h)
	for h.level == level && !h.close {
		if w.parts >= w.lim.Parts {
			w.defect("nested too deep or too many parts, rest kept as it is")
			h = w.scan(h.next)
			continue
		}
		head, at, defects := splitHeader(w.raw, h.next, w.lim, w.isBoundary)
		for _, d := range defects {
			w.defect(d)
		}
		if len(defects) > 0 && len(head) == 0 {
			at = h.next
		}
		child := w.newPart(head, p)
		p.children = append(p.children, child)
		h = w.fill(child, at)
	}
	levels := w.open[boundary]
	if levels = levels[:len(levels)-1]; len(levels) == 0 {
		delete(w.open, boundary)
	} else {
		w.open[boundary] = levels
	}
	w.level--
	if h.level == level { // closed: the epilogue belongs to nobody
		return w.scan(h.next)
	}
	w.defect("multipart not closed")
	return h
}

// rawBoundary returns the boundary parameter of p.
func rawBoundary(p *part) string { return p.ctype.params["boundary"] }

// guessBoundary returns the declared boundary, or, when its delimiter is not
// among the next lines, the first line there that looks like one: "--" and a
// header line under it.
func (w *walker) guessBoundary(pos int, declared string) string {
	guess := ""
	end := min(len(w.raw), pos+32<<10)
	for pos < end {
		line, next := nextLine(w.raw, pos)
		pos = next
		if len(line) < 3 || line[0] != '-' || line[1] != '-' {
			continue
		}
		text := string(bytes.TrimRight(line[2:], " \t"))
		if declared != "" && (text == declared || text == declared+"--") {
			return declared
		}
		if _, ok := w.open[strings.TrimSuffix(text, "--")]; ok {
			break
		}
		if guess == "" && len(text) > 3 && next < len(w.raw) {
			if follow, _ := nextLine(w.raw, next); len(follow) > 8 && strings.EqualFold(string(follow[:8]), "content-") {
				guess = text
			}
		}
	}
	if declared != "" && (guess == "" || end < len(w.raw)) {
		return declared
	}
	return guess
}

// isBoundary reports whether line is a delimiter of an open multipart and
// remembers which.
func (w *walker) isBoundary(line []byte) bool {
	if len(w.open) == 0 || len(line) < 3 || len(line) > 300 || line[0] != '-' || line[1] != '-' {
		return false
	}
	text := bytes.TrimRight(line[2:], " \t\r")
	if levels, ok := w.open[string(text)]; ok {
		w.hit = hit{level: levels[len(levels)-1]}
		return true
	}
	if t, ok := bytes.CutSuffix(text, []byte("--")); ok {
		if levels, ok := w.open[string(t)]; ok {
			w.hit = hit{level: levels[len(levels)-1], close: true}
			return true
		}
	}
	return false
}

// scan looks for the next delimiter line at or after pos.
func (w *walker) scan(pos int) hit {
	if len(w.open) == 0 {
		return hit{next: len(w.raw)}
	}
	for from := pos; pos < len(w.raw); {
		if pos-from > stretch {
			w.passed()
			from = pos
		}
		if w.raw[pos] == '-' && pos+1 < len(w.raw) && w.raw[pos+1] == '-' {
			line, next := nextLine(w.raw, pos)
			if w.isBoundary(line) {
				h := w.hit
				h.next = next
				return h
			}
			pos = next
			continue
		}
		i := indexIn(w.raw[pos:], newlineDashes, w.passed)
		if i < 0 {
			break
		}
		pos += i + 1
	}
	return hit{next: len(w.raw)}
}

var newlineDashes = []byte("\n--")

// cut returns the octets between pos and the delimiter line that h stands
// for, without the line end that belongs to it (RFC 2046 section 5.1.1).
func (w *walker) cut(pos int, h hit) []byte {
	if h.level == 0 {
		return w.raw[min(pos, len(w.raw)):]
	}
	end := bytes.LastIndexByte(w.raw[:h.next-1], '\n') + 1 // start of the delimiter line
	if end <= pos {
		return nil
	}
	b := w.raw[pos:end]
	b = bytes.TrimSuffix(b, []byte("\n"))
	return bytes.TrimSuffix(b, []byte("\r"))
}

// fillEncoded reads a message or multipart inside base64 or quoted-printable,
// which RFC 2045 section 6.4 forbids and gateways send.
func (w *walker) fillEncoded(p *part) {
	data := p.content()
	sub := &walker{raw: data, lim: w.lim, open: map[string][]int{}, parts: w.parts, recoded: w.recoded + 1, defects: w.defects, charset: w.charset, passed: w.passed}
	w.defect("message or multipart inside a transfer encoding")
	if strings.HasPrefix(p.ctype.value, "multipart/") {
		sub.fillMultipart(p, 0)
	} else {
		sub.fillMessage(p, 0)
	}
	w.parts = sub.parts
}

// transfer returns the transfer encoding that p is in, whatever it says.
func (p *part) transfer() string {
	if p.encoding == "base64" && strings.HasPrefix(p.ctype.value, "text/") && notBase64(p.body) {
		p.tree.defect("text labelled base64 is not")
		return ""
	}
	return p.encoding
}

// content returns the octets of p, transfer encoding undone.
func (p *part) content() []byte {
	if p.decoded == nil {
		out, defect := decodeTransfer(p.body, p.transfer())
		if defect != "" {
			p.tree.defect(defect)
		}
		p.decoded = out
	}
	return p.decoded
}

// is reports whether p has the media type t.
func (p *part) is(t string) bool { return p.ctype.value == t }

// isMultipart reports whether p holds parts and not content.
func (p *part) isMultipart() bool { return strings.HasPrefix(p.ctype.value, "multipart/") }

// each calls f for p and all parts in it, in order; a message/rfc822's inside
// only when into is set. f returns false to leave a part's children out.
func (p *part) each(into bool, f func(*part) bool) {
	if !f(p) || (!into && isMessage(p.ctype.value)) {
		return
	}
	for _, c := range p.children {
		c.each(into, f)
	}
}
