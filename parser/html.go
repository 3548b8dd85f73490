package parser

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// textLine is one line of text with what the markup around it says.
type textLine struct {
	text  string
	quote string // rule of the client marker that makes the line a quote, "" for none
	sign  string // rule of the client marker that makes it a signature
	start string // rule of a marker before this line after which all is quoted
	note  int    // number of the link footnote that the line is, 0 for none
	marks int    // levels of quote by client marks, while HTML is rendered
	soft  int    // levels of blockquote that nothing marks as a quote, while HTML is rendered
	box   int    // number of the quote element that wraps blockquotes, 0 for none, while HTML is rendered
}

// htmlText renders HTML as text that reads well: paragraphs, lists and tables
// as lines, links as footnotes, quotes with "> ". It works on the token stream
// with a stack of its own, so no nesting makes it slow or fail; limit bounds
// the octets of the result.
func htmlText(doc string, limit int) []textLine {
	r := htmlRenderer{limit: limit, counts: map[atom.Atom]int{}, links: map[string]int{}}
	z := html.NewTokenizer(strings.NewReader(doc))
	z.SetMaxBuf(1 << 20)
	for {
		switch z.Next() {
		case html.ErrorToken:
			return r.finish()
		case html.TextToken:
			r.textToken(z)
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			r.start(atom.Lookup(name), string(name), z, more)
		case html.EndTagToken:
			name, _ := z.TagName()
			r.end(atom.Lookup(name))
		}
		if r.size > r.limit {
			return r.finish()
		}
	}
}

// element is one open element.
type element struct {
	tag         atom.Atom
	quote, sign string // marker rules, in force inside
	box         int    // see textLine.box
	levels      int    // of "> " that it adds
	soft        int    // 1 for a blockquote that may be the writer's own
	href        string
	linkAt      int // length of the line where the link text started
	linkLine    int
	ordered     int // next number of an ol, 0 for others
	hidden      bool
	pre         bool
	list        bool
}

type htmlRenderer struct {
	lines  []textLine
	line   strings.Builder
	size   int
	limit  int
	stack  []element
	counts map[atom.Atom]int
	hidden int // open elements whose content is not shown
	quotes int // levels of "> "
	soft   int // levels of blockquote without marks
	boxes  int // quote elements that wrap blockquotes so far
	pre    int
	space  bool // a blank is due before the next word
	gap    bool // a blank line is due before the next line
	begun  string
	links  map[string]int
	notes  []string
	prefix string // "- " of a list item before its first word
	depth  int    // of lists
}

const maxHTMLStack = 2000

func (r *htmlRenderer) textToken(z *html.Tokenizer) {
	if r.hidden > 0 {
		return
	}
	r.text(string(z.Text()))
}

// text adds words; white space is collapsed outside pre.
func (r *htmlRenderer) text(s string) {
	if strings.IndexByte(s, '&') >= 0 {
		s = html.UnescapeString(s)
	}
	if r.pre > 0 {
		for i, l := range strings.Split(s, "\n") {
			if i > 0 {
				r.breakLine(true)
			}
			r.write(strings.TrimRight(l, "\r"))
		}
		return
	}
	start := 0
	for i, c := range s {
		if c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' {
			if i > start {
				r.write(s[start:i])
			}
			start = i + 1
			r.space = true
		}
	}
	if start < len(s) {
		r.write(s[start:])
	}
}

// write adds text without white space of its own.
func (r *htmlRenderer) write(s string) {
	if s == "" {
		return
	}
	if r.line.Len() == 0 {
		if r.gap && len(r.lines) > 0 {
			r.lines = append(r.lines, r.blank())
		}
		r.gap = false
		r.line.WriteString(r.prefix)
		r.prefix = ""
	} else if r.space && r.pre == 0 {
		r.line.WriteByte(' ')
		r.size++
	}
	r.space = false
	r.size += len(s)
	r.line.WriteString(s)
}

// blank makes an empty line of the current quote level.
func (r *htmlRenderer) blank() textLine {
	l := textLine{}
	l.quote, l.sign = r.marks()
	if n := len(r.lines); n > 0 && (r.lines[n-1].quote != l.quote || r.lines[n-1].sign != l.sign) {
		l.quote, l.sign = "", ""
	}
	return l
}

// marks returns the innermost marker rules in force.
func (r *htmlRenderer) marks() (quote, sign string) {
	for i := len(r.stack) - 1; i >= 0 && (quote == "" || sign == ""); i-- {
		if quote == "" {
			quote = r.stack[i].quote
		}
		if sign == "" {
			sign = r.stack[i].sign
		}
	}
	return quote, sign
}

// box returns the innermost open quote element that wraps blockquotes.
func (r *htmlRenderer) box() int {
	if r.boxes == 0 {
		return 0
	}
	for i := len(r.stack) - 1; i >= 0; i-- {
		if r.stack[i].box > 0 {
			return r.stack[i].box
		}
	}
	return 0
}

// breakLine ends the line being written; an empty one only when force is set.
func (r *htmlRenderer) breakLine(force bool) {
	r.space = false
	if r.line.Len() == 0 && !force {
		return
	}
	if r.gap && r.line.Len() == 0 && len(r.lines) > 0 {
		r.gap = false
	}
	text := strings.TrimRightFunc(r.line.String(), unicode.IsSpace)
	r.line.Reset()
	l := textLine{text: text, start: r.begun}
	r.begun = ""
	l.quote, l.sign = r.marks()
	l.marks, l.soft, l.box = r.quotes, r.soft, r.box()
	r.size += 1 + 2*min(r.quotes+r.soft, 20)
	r.lines = append(r.lines, l)
}

// paragraph ends the line and asks for a blank one before the next.
func (r *htmlRenderer) paragraph() {
	r.breakLine(false)
	r.gap = true
}

// start handles a start tag.
func (r *htmlRenderer) start(tag atom.Atom, name string, z *html.Tokenizer, more bool) {
	attrs := attributes(z, more)
	if isVoid(tag) {
		r.void(tag, attrs)
		return
	}
	e := element{tag: tag}
	switch tag {
	case atom.Script, atom.Style, atom.Head, atom.Title, atom.Noscript, atom.Template, atom.Object, atom.Svg, atom.Select, atom.Textarea, atom.Iframe:
		e.hidden = true
	case atom.Body:
		r.hidden = 0 // a head that was never closed
	case atom.Pre:
		r.paragraph()
		e.pre = true
	case atom.Blockquote:
		r.paragraph()
		if marked := clientMarker(tag, attrs); marked.quote != "" || r.afterAttribution() {
			e.levels = 1
		} else {
			e.soft = 1
		}
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table, atom.Dl, atom.Fieldset, atom.Figure:
		r.paragraph()
	case atom.Ul, atom.Ol:
		r.list(&e)
	case atom.Li:
		r.item()
	case atom.Td, atom.Th:
		r.cell()
	case atom.Div, atom.Tr, atom.Dt, atom.Dd, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Center, atom.Form, atom.Address, atom.Nav, atom.Main, atom.Aside, atom.Caption, atom.Figcaption, atom.Option:
		r.breakLine(false)
	case atom.A:
		e.href, e.linkAt, e.linkLine = attrs["href"], r.line.Len(), len(r.lines)
	}
	if hiddenByStyle(attrs) {
		e.hidden = true
	}
	m := clientMarker(tag, attrs)
	e.quote, e.sign = m.quote, m.sign
	if tag == atom.Div && (e.quote == "html-gmail" || e.quote == "html-proton") {
		r.boxes++
		e.box = r.boxes
	}
	if e.levels > 0 && e.quote == "" {
		e.quote = "html-blockquote"
	}
	if m.quote != "" || m.sign != "" || m.start != "" {
		r.breakLine(false)
	}
	if m.start != "" {
		r.begun = m.start
	}
	r.push(e)
}

// afterAttribution reports whether the last line says who wrote what follows.
func (r *htmlRenderer) afterAttribution() bool {
	for i := len(r.lines) - 1; i >= 0; i-- {
		if r.lines[i].text != "" {
			return attribution([]string{r.lines[i].text}, 0, true) == 0
		}
	}
	return false
}

func (r *htmlRenderer) list(e *element) {
	if r.depth == 0 {
		r.paragraph()
	} else {
		r.breakLine(false)
	}
	e.list = true
	r.depth++
	if e.tag == atom.Ol {
		e.ordered = 1
	}
}

// item starts a list item: "- " or its number, indented by depth.
func (r *htmlRenderer) item() {
	r.breakLine(false)
	mark := "- "
	for i := len(r.stack) - 1; i >= 0; i-- {
		if r.stack[i].list {
			if n := r.stack[i].ordered; n > 0 {
				mark = strconv.Itoa(n) + ". "
				r.stack[i].ordered++
			}
			break
		}
	}
	r.prefix = strings.Repeat("  ", max(0, min(r.depth, 20)-1)) + mark
}

// cell separates table cells that stand on one line.
func (r *htmlRenderer) cell() {
	if r.line.Len() > 0 {
		r.space = false
		if !strings.HasSuffix(r.line.String(), "\t") {
			r.line.WriteByte('\t')
		}
	}
}

// push opens an element within the stack's limit.
func (r *htmlRenderer) push(e element) {
	if len(r.stack) >= maxHTMLStack {
		return
	}
	r.stack = append(r.stack, e)
	r.counts[e.tag]++
	r.quotes += e.levels
	r.soft += e.soft
	if e.hidden {
		r.hidden++
	}
	if e.pre {
		r.pre++
	}
}

// end closes the innermost element of that tag and all in it; an end tag that
// nothing opened is ignored.
func (r *htmlRenderer) end(tag atom.Atom) {
	if tag == atom.P && r.counts[tag] == 0 {
		r.paragraph()
		return
	}
	if tag == 0 || r.counts[tag] == 0 {
		return
	}
	for n := len(r.stack) - 1; n >= 0; n-- {
		e := r.stack[n]
		if e.tag != tag && isCell(e.tag) && !isTable(tag) {
			return // a stray end tag does not close the table around it
		}
		r.close(e)
		r.stack = r.stack[:n]
		if e.tag == tag {
			return
		}
	}
}

func isCell(t atom.Atom) bool { return t == atom.Td || t == atom.Th }
func isTable(t atom.Atom) bool {
	return t == atom.Table || t == atom.Tr || t == atom.Tbody || t == atom.Body || t == atom.Html || t == atom.Td || t == atom.Th
}

// close undoes what push did, with the element still on the stack.
func (r *htmlRenderer) close(e element) {
	switch e.tag {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table, atom.Dl, atom.Pre, atom.Blockquote, atom.Fieldset, atom.Figure:
		r.paragraph()
	case atom.Ul, atom.Ol:
		r.depth--
		if r.depth == 0 {
			r.paragraph()
		}
	case atom.Div, atom.Tr, atom.Li, atom.Dt, atom.Dd, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Center, atom.Form, atom.Address, atom.Nav, atom.Main, atom.Aside, atom.Caption, atom.Option:
		r.breakLine(false)
	case atom.A:
		r.footnote(e)
	}
	if e.quote != "" || e.sign != "" {
		r.breakLine(false)
	}
	r.counts[e.tag]--
	r.quotes -= e.levels
	r.soft -= e.soft
	if e.hidden && r.hidden > 0 {
		r.hidden--
	}
	if e.pre {
		r.pre--
	}
}

// footnote puts "[n]" after a link whose text does not say where it goes.
func (r *htmlRenderer) footnote(e element) {
	href := strings.TrimSpace(e.href)
	low := strings.ToLower(href)
	if r.hidden > 0 || !strings.HasPrefix(low, "http://") && !strings.HasPrefix(low, "https://") && !strings.HasPrefix(low, "ftp://") || len(href) > 2000 || strings.ContainsAny(href, " \n\r\t") {
		return
	}
	if e.linkLine != len(r.lines) || e.linkAt >= r.line.Len() {
		return // no text, or text over several lines: a picture or a button
	}
	label := strings.TrimSpace(r.line.String()[e.linkAt:])
	bare := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(low, "https://"), "http://"), "/")
	if l := strings.ToLower(label); l == "" || strings.Contains(l, bare) || strings.HasPrefix(l, "http") || strings.Contains(bare, strings.TrimPrefix(l, "www.")) && strings.ContainsAny(l, "./") {
		return
	}
	n, ok := r.links[href]
	if !ok {
		r.notes = append(r.notes, href)
		n = len(r.notes)
		r.links[href] = n
	}
	r.size += len(href)
	r.line.WriteString(" [" + strconv.Itoa(n) + "]")
}

// void handles elements without content.
func (r *htmlRenderer) void(tag atom.Atom, attrs map[string]string) {
	switch tag {
	case atom.Br:
		r.breakLine(true)
	case atom.Hr:
		r.breakLine(false)
		if m := clientMarker(tag, attrs); m.start != "" {
			r.begun = m.start
			return
		}
		if r.hidden == 0 {
			r.write("---")
			r.breakLine(false)
		}
	case atom.Img:
		if alt := strings.TrimSpace(attrs["alt"]); alt != "" && r.hidden == 0 && len(alt) < 200 && !tinyImage(attrs) {
			r.space = true
			r.write("[" + collapse(alt) + "]")
			r.space = true
		}
	}
}

// tinyImage reports tracking pixels.
func tinyImage(a map[string]string) bool {
	return a["width"] == "1" || a["height"] == "1" || a["width"] == "0" || a["height"] == "0"
}

// finish ends the text: last line, no blank lines at either end, footnotes.
func (r *htmlRenderer) finish() []textLine {
	r.breakLine(false)
	lines := markQuotes(r.lines)
	for len(lines) > 0 && strings.TrimSpace(lines[0].text) == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1].text) == "" {
		lines = lines[:len(lines)-1]
	}
	lines = squeeze(lines)
	if len(r.notes) > 0 {
		lines = append(lines, textLine{note: -1})
		for i, href := range r.notes {
			lines = append(lines, textLine{text: "[" + strconv.Itoa(i+1) + "] " + href, note: i + 1})
		}
	}
	for i := range lines {
		lines[i].text = toValid(lines[i].text)
	}
	return lines
}

// showAnswers takes the quote's mark off the answers that Gmail and Proton keep
// within their quote element, between its blockquotes: what stands there below
// the first blockquote and in none was typed by the sender.
func showAnswers(lines []textLine) {
	quoted := map[int]bool{}
	for i := range lines {
		l := &lines[i]
		switch {
		case l.box == 0:
		case l.marks > 0:
			quoted[l.box] = true
		case quoted[l.box]:
			l.quote = ""
		}
	}
}

// markQuotes puts "> " before quoted lines. Blockquotes without a client's
// mark are the writer's own, and indented, when the mail shows elsewhere how
// its client quotes; else they are quotes.
func markQuotes(lines []textLine) []textLine {
	showAnswers(lines)
	evidence := false
	for i := range lines {
		if lines[i].soft == 0 && (lines[i].quote != "" || lines[i].start != "" || attribution([]string{lines[i].text}, 0, false) == 0) {
			evidence = true
			break
		}
	}
	for i := range lines {
		l := &lines[i]
		marks, indent := l.marks, 0
		if evidence {
			indent = l.soft
		} else if marks += l.soft; l.soft > 0 && l.quote == "" {
			l.quote = "html-blockquote"
		}
		if indent > 0 && l.text != "" {
			l.text = strings.Repeat("    ", min(indent, 10)) + l.text
		}
		if marks > 0 {
			l.text = strings.TrimRight(strings.Repeat("> ", min(marks, 20))+l.text, " ")
		}
	}
	return lines
}

// squeeze leaves at most two blank lines in a row.
func squeeze(lines []textLine) []textLine {
	out := lines[:0]
	blank := 0
	for _, l := range lines {
		if strings.TrimSpace(l.text) == "" && l.start == "" {
			if blank++; blank > 2 {
				continue
			}
		} else {
			blank = 0
		}
		out = append(out, l)
	}
	return out
}

// joinLines returns the text of lines.
func joinLines(lines []textLine) string {
	size := 0
	for _, l := range lines {
		size += len(l.text) + 1
	}
	var b strings.Builder
	b.Grow(size)
	for i, l := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(l.text)
	}
	return b.String()
}

// attributes reads the attributes that rules look at.
func attributes(z *html.Tokenizer, more bool) map[string]string {
	var m map[string]string
	for n := 0; more && n < 100; n++ {
		var k, v []byte
		k, v, more = z.TagAttr()
		switch key := string(k); key {
		case "id", "class", "style", "href", "type", "cite", "alt", "width", "height", "size", "tabindex", "name", "align", "hidden", "data-marker", "title":
			if m == nil {
				m = make(map[string]string, 4)
			}
			if _, dup := m[key]; !dup {
				m[key] = string(v)
			}
		}
	}
	return m
}

func isVoid(t atom.Atom) bool {
	switch t {
	case atom.Br, atom.Hr, atom.Img, atom.Input, atom.Meta, atom.Link, atom.Area, atom.Base, atom.Col, atom.Embed, atom.Source, atom.Track, atom.Wbr, atom.Param:
		return true
	}
	return false
}

// hiddenByStyle reports elements that no client shows: preview texts.
func hiddenByStyle(attrs map[string]string) bool {
	s := attrs["style"]
	if s == "" {
		return false
	}
	s = strings.ToLower(strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' || r == '\t' {
			return -1
		}
		return r
	}, clip(s, 2000)))
	return strings.Contains(s, "display:none") || strings.Contains(s, "mso-hide:all") && strings.Contains(s, "max-height:0")
}
