package parser

import (
	"slices"
	"strings"
)

// lineClass is what one line of a body is to the reply finder.
type lineClass byte

const (
	lineText   lineClass = 't'
	lineEmpty  lineClass = 'e'
	lineQuote  lineClass = 'q' // "> …", or inside a client's quote element
	lineWrote  lineClass = 'w' // attribution: "On … wrote:"
	lineHead   lineClass = 'h' // header block of a quoted message
	lineOrig   lineClass = 'o' // "-----Original Message-----"
	lineFwd    lineClass = 'f' // "---- Forwarded message ----"
	lineSign   lineClass = 's' // signature
	lineMobile lineClass = 'm' // "Sent from my …"
	lineMark   lineClass = 'd' // a dividing line: "-- ", "____"
	lineNote   lineClass = 'n' // link footnote
)

// finder looks for the visible reply in one body.
type finder struct {
	lines   []textLine
	text    []string // lines without ">" marks where the client quotes by markup
	class   []lineClass
	rule    []string // why a line is no text
	cut     []string // rule by which a line is left out, "" for kept
	forward bool
	before  map[int]string // what is kept of a line that is cut
}

// findReply returns the visible reply of a body and what it leaves out. The
// order of the steps is the documentation: each one only hides, and none hides
// the last line of text unless the mail has nothing but quotes.
func findReply(lines []textLine) (reply string, cuts []Cut) {
	if len(lines) > maxLines {
		lines = lines[:maxLines]
	}
	f := &finder{lines: lines, class: make([]lineClass, len(lines)), rule: make([]string, len(lines)), cut: make([]string, len(lines))}
	f.text = make([]string, len(lines))
	for i := range lines {
		f.text[i] = lines[i].text
	}
	f.classify()
	f.cutHistory()
	f.cutSignature()
	f.cutSignOff()
	f.cutTail()
	if !f.anyKept() {
		f.restore()
	}
	f.cutNotes()
	return f.result()
}

// classify names each line.
func (f *finder) classify() {
	for i := range f.lines {
		f.class[i] = f.classOf(i)
	}
	f.markArmor()
	f.joinBrokenLinks()
	for i := range f.lines {
		if f.class[i] == lineText || f.class[i] == lineWrote {
			f.markSpans(i)
		}
	}
	f.markPipes()
}

// markArmor makes signatures of the lines that inline PGP puts around a text
// (RFC 9580 section 7).
func (f *finder) markArmor() {
	for i := 0; i < len(f.text); i++ {
		switch strings.TrimSpace(f.text[i]) {
		case "-----BEGIN PGP SIGNED MESSAGE-----":
			for ; i < len(f.text) && strings.TrimSpace(f.text[i]) != ""; i++ {
				f.class[i], f.rule[i] = lineSign, "pgp-armor"
			}
		case "-----BEGIN PGP SIGNATURE-----":
			for ; i < len(f.text); i++ {
				f.class[i], f.rule[i] = lineSign, "pgp-armor"
				if strings.TrimSpace(f.text[i]) == "-----END PGP SIGNATURE-----" {
					break
				}
			}
		}
	}
}

// joinBrokenLinks makes a quote of one line between two quoted ones when it is
// a link, or the line above ends within one: gateways wrap them.
func (f *finder) joinBrokenLinks() {
	for i := 1; i+1 < len(f.lines); i++ {
		if f.class[i] != lineText || f.class[i-1] != lineQuote || f.class[i+1] != lineQuote {
			continue
		}
		above, t := f.text[i-1], strings.TrimLeft(strings.TrimSpace(f.text[i]), "(<[")
		if strings.HasPrefix(t, "http") && !strings.Contains(t, " ") || strings.HasPrefix(t, "http") && strings.HasSuffix(t, ">") {
			f.class[i], f.rule[i] = lineQuote, "quote"
			continue
		}
		if open := strings.LastIndexAny(above, "(<["); open >= 0 && !strings.ContainsAny(above[open:], ")>]") && strings.Contains(above[open:], "http") {
			f.class[i], f.rule[i] = lineQuote, "quote"
		}
	}
}

// markPipes makes quotes of the lines that some clients mark with "|", when an
// attribution stands above them (else they are a table).
func (f *finder) markPipes() {
	for i := 0; i < len(f.lines); i++ {
		if f.class[i] != lineWrote {
			continue
		}
		i = f.skip(i, "we")
		for j := i; j < len(f.lines) && (f.class[j] == lineText || f.class[j] == lineEmpty) && (f.class[j] == lineEmpty || strings.HasPrefix(strings.TrimSpace(f.text[j]), "|")); j++ {
			if f.class[j] == lineText {
				f.class[j], f.rule[j] = lineQuote, "quote"
			}
		}
	}
}

// classOf names a line by itself.
func (f *finder) classOf(i int) lineClass {
	l, s := f.lines[i], f.text[i]
	t := strings.TrimFunc(s, isBlankRune)
	switch {
	case l.note != 0:
		return lineNote
	case t == "":
		return lineEmpty
	case l.quote != "" && separator(t) == "forward" && !f.quotedAbove(i):
		f.rule[i] = "forwarded-message" // Gmail marks what it forwards as a quote
		return lineFwd
	case l.quote != "":
		f.rule[i] = l.quote
		return lineQuote
	case l.sign != "":
		f.rule[i] = l.sign
		return lineSign
	case t[0] == '>' && !strings.HasPrefix(t, ">From "):
		f.rule[i] = "quote"
		return lineQuote
	case signatureMark(t):
		f.rule[i] = "signature-delimiter"
		return lineMark
	case mobileSignature(t):
		f.rule[i] = "mobile-signature"
		return lineMobile
	}
	switch separator(t) {
	case "original":
		f.rule[i] = "original-message"
		return lineOrig
	case "forward":
		f.rule[i] = "forwarded-message"
		return lineFwd
	}
	return lineText
}

// quotedAbove reports whether the nearest line above i that is not blank is in
// a quote element, too.
func (f *finder) quotedAbove(i int) bool {
	for i--; i >= 0; i-- {
		if strings.TrimFunc(f.text[i], isBlankRune) != "" {
			return f.lines[i].quote != ""
		}
	}
	return false
}

// markSpans marks attributions and header blocks, which span lines.
func (f *finder) markSpans(i int) {
	if f.class[i] == lineText {
		if n := headerBlock(f.text, i); n > 0 {
			for j := i; j < i+n; j++ {
				f.class[j], f.rule[j] = lineHead, "outlook-header"
			}
			return
		}
	}
	if start := attribution(f.text, i, f.quoteBelow(i)); start >= 0 {
		if start == i {
			f.keepBefore(i)
		}
		for j := start; j <= i; j++ {
			if f.class[j] == lineText || f.class[j] == lineMark {
				f.class[j], f.rule[j] = lineWrote, "on-wrote"
			}
		}
	}
}

// keepBefore handles an answer that shares its last line with the attribution,
// as Yahoo's old web client made them: "answer--- On … wrote:".
func (f *finder) keepBefore(i int) {
	s := f.text[i]
	at := strings.Index(s, "--- On ")
	if at > 0 && strings.TrimSpace(s[:at]) != "" {
		if f.before == nil {
			f.before = map[int]string{}
		}
		f.before[i] = strings.TrimRight(s[:at], " -")
	}
}

// quoteBelow reports whether the next line that is not blank is a quote.
func (f *finder) quoteBelow(i int) bool {
	for j := i + 1; j < len(f.lines) && j < i+6; j++ {
		switch f.class[j] {
		case lineEmpty:
		case lineQuote:
			return true
		default:
			return false
		}
	}
	return false
}

// next returns the first line at or after i of none of the given classes.
func (f *finder) skip(i int, classes string) int {
	for i < len(f.class) && strings.IndexByte(classes, byte(f.class[i])) >= 0 {
		i++
	}
	return i
}

// textIn reports whether lines[from:to] hold text that is not cut.
func (f *finder) textIn(from, to int) bool {
	for i := from; i < to && i < len(f.class); i++ {
		if f.class[i] == lineText && f.cut[i] == "" || f.before[i] != "" {
			return true
		}
	}
	return false
}

// countText counts the text lines in lines[from:to].
func (f *finder) countText(from, to int) int {
	n := 0
	for i := from; i < to && i < len(f.class); i++ {
		if f.class[i] == lineText && f.cut[i] == "" {
			n++
		}
	}
	return n
}

// hide leaves lines[from:to] out.
func (f *finder) hide(from, to int, rule string) {
	for i := max(from, 0); i < to && i < len(f.cut); i++ {
		if f.cut[i] == "" {
			f.cut[i] = rule
		}
	}
}

// cutHistory leaves quoted messages out.
func (f *finder) cutHistory() {
	for i := 0; i < len(f.lines); i++ {
		if f.cut[i] != "" {
			continue
		}
		if r := f.lines[i].start; r != "" && f.textIn(0, i) && !f.forward {
			f.hide(i, len(f.lines), r)
			return
		}
		switch f.class[i] {
		case lineQuote:
			if f.rule[i] == "html-blockquote" && (i == 0 || f.class[i-1] != lineQuote || f.rule[i-1] != f.rule[i]) {
				f.softQuote(i)
			}
		case lineFwd:
			if f.forwarded(i) {
				return
			}
		case lineOrig, lineHead:
			if f.original(i) {
				return
			}
		case lineWrote:
			if f.wrote(i) {
				return
			}
		}
	}
}

// forwarded handles "---- Forwarded message ----": what follows is the message
// of this mail and stays; with nothing above it, its header block goes.
func (f *finder) forwarded(i int) bool {
	f.forward = true
	if f.textIn(0, i) {
		return true
	}
	end := f.skip(i+1, "e")
	end = f.skip(end, "h")
	f.hide(i, end, "forwarded-message")
	return true
}

// original handles the marks after which all is the quoted message.
func (f *finder) original(i int) bool {
	if f.textIn(0, i) || f.class[i] == lineOrig && i > 0 && f.textAbove(i) {
		f.hide(i, len(f.lines), f.rule[i])
		return true
	}
	// Nothing above: the mail is the message below, forwarded without a word.
	end := f.skip(i, "oeh")
	f.hide(i, end, f.rule[i])
	return false
}

func (f *finder) textAbove(i int) bool { return f.textIn(0, i) }

// wrote handles an attribution at line i.
func (f *finder) wrote(i int) bool {
	body := f.skip(i, "w")
	quote := f.skip(body, "e")
	if quote >= len(f.class) {
		f.hide(i, len(f.class), f.rule[i])
		return true
	}
	if f.class[quote] != lineQuote {
		return f.unmarked(i, quote)
	}
	end := f.skip(quote, "qew")
	switch {
	case !f.textIn(end, len(f.class)): // the usual mail: answer above, quote below
		f.hide(i, len(f.class), f.rule[i])
		return true
	case !f.textIn(0, i+1) && !f.quotesAfter(end): // answer below
		f.hide(0, end, f.rule[i])
		return false
	case !f.quotesAfter(end):
		f.hide(i, end, f.rule[i])
		return false
	}
	return true // answers between quotes: kept whole
}

// unmarked handles an attribution whose quote carries no marks.
func (f *finder) unmarked(i, body int) bool {
	if f.textIn(0, i+1) {
		f.hide(i, len(f.class), f.rule[i])
		return true
	}
	f.hide(i, body, f.rule[i])
	return false
}

// softQuote handles a blockquote without an attribution between texts: one is
// left out, several are answers between quotes.
func (f *finder) softQuote(i int) {
	end := f.skip(i, "qe")
	if f.textIn(0, i) && f.textIn(end, len(f.class)) && !f.quotesAfter(end) && !f.quoteIn(0, i) {
		f.hide(i, end, f.rule[i])
	}
}

// quoteIn reports whether quotes that are shown stand in lines[from:to].
func (f *finder) quoteIn(from, to int) bool {
	for i := from; i < to; i++ {
		if f.class[i] == lineQuote && f.cut[i] == "" {
			return true
		}
	}
	return false
}

// quotesAfter reports whether quotes with text after them follow.
func (f *finder) quotesAfter(i int) bool {
	for ; i < len(f.class); i++ {
		if f.class[i] == lineQuote && f.cut[i] == "" {
			return f.textIn(i, len(f.class))
		}
	}
	return false
}

// cutSignature leaves signatures out: from the mark to the end, or to the
// quote below it.
func (f *finder) cutSignature() {
	for i := range f.lines {
		if f.cut[i] != "" {
			continue
		}
		switch f.class[i] {
		case lineSign:
			f.hide(i, i+1, f.rule[i])
		case lineMobile:
			if f.textIn(0, i) {
				f.hide(i, len(f.lines), f.rule[i])
				return
			}
		case lineMark:
			if f.textIn(0, i) && f.isSignature(i) {
				f.hide(i, len(f.lines), f.rule[i])
				return
			}
		}
	}
}

// cutSignOff leaves out a signature without a mark: a name behind a dash on
// the last line, or a closing with several short lines under it.
func (f *finder) cutSignOff() {
	last := len(f.lines) - 1
	for last >= 0 && (f.class[last] != lineText || f.cut[last] != "") {
		last--
	}
	if last <= 0 || !f.textIn(0, last) {
		return
	}
	if dashName(f.text[last]) && !dashName(f.text[last-1]) {
		f.hide(last, last+1, "signature-dash")
		return
	}
	lines := 0
	for i := last; i > 0 && lines <= 8; i-- {
		switch {
		case f.cut[i] != "" || f.class[i] == lineEmpty:
		case f.class[i] != lineText:
			return
		case closing(f.text[i]):
			if lines >= 2 && f.textIn(0, i) {
				f.hide(i, last+1, "signature-closing")
			}
			return
		case len(f.text[i]) > 80 || strings.HasSuffix(strings.TrimSpace(f.text[i]), "?"):
			return
		default:
			lines++
		}
	}
}

// isSignature reports whether what follows the dividing line i is one.
func (f *finder) isSignature(i int) bool {
	t := strings.TrimFunc(f.text[i], isBlankRune)
	n := f.countText(i+1, len(f.lines))
	switch {
	case strings.Trim(t, "_") == "", t == "--", t == "—", t == "–":
		return n <= 40
	}
	return n <= 8
}

// cutTail leaves out what trails: quotes below the last text, dividing lines,
// blank lines.
func (f *finder) cutTail() {
	if !f.anyKept() {
		return
	}
	for i := len(f.class) - 1; i >= 0; i-- {
		if f.cut[i] != "" || f.class[i] == lineEmpty || f.class[i] == lineNote {
			continue
		}
		switch f.class[i] {
		case lineQuote, lineMark, lineWrote:
			if f.forward {
				return
			}
			f.hide(i, i+1, f.rule[i])
		default:
			return
		}
	}
}

// anyKept reports whether text is left.
func (f *finder) anyKept() bool { return f.textIn(0, len(f.class)) }

// restore shows everything again that is not a mark: the mail has no text of
// its own.
func (f *finder) restore() {
	for i := range f.cut {
		f.cut[i] = ""
	}
}

// cutNotes leaves out the footnotes of links that are not in the reply.
func (f *finder) cutNotes() {
	if !slices.Contains(f.class, lineNote) {
		return
	}
	var kept strings.Builder
	for i := range f.lines {
		if f.class[i] != lineNote && f.cut[i] == "" {
			kept.WriteString(f.text[i])
			kept.WriteByte('\n')
		}
	}
	all := kept.String()
	for i, l := range f.lines {
		if l.note > 0 && f.cut[i] == "" {
			mark, _, _ := strings.Cut(l.text, " ")
			if !strings.Contains(all, " "+mark) {
				f.hide(i, i+1, "footnote")
			}
		}
	}
}

// result joins what is kept and lists what is not.
func (f *finder) result() (string, []Cut) {
	size := 0
	for i, rule := range f.cut {
		if rule == "" {
			size += len(f.text[i]) + 1
		}
	}
	var b strings.Builder
	b.Grow(size)
	var cuts []Cut
	for i, rule := range f.cut {
		if keep := f.before[i]; keep != "" && rule != "" {
			b.WriteString(keep)
			b.WriteByte('\n')
		}
		if rule == "" {
			b.WriteString(f.text[i])
			b.WriteByte('\n')
			continue
		}
		if n := len(cuts); n > 0 && cuts[n-1].Rule == rule && cuts[n-1].To == i {
			cuts[n-1].To = i + 1
			continue
		}
		cuts = append(cuts, Cut{Rule: rule, From: i + 1, To: i + 1})
	}
	return trimBlankLines(b.String()), cuts
}

// trimBlankLines drops blank lines at both ends and blanks at the very end.
func trimBlankLines(s string) string {
	s = skipBlank(s)
	return strings.TrimRightFunc(s, isBlankOrNewline)
}

func isBlankOrNewline(r rune) bool { return r == '\n' || isBlankRune(r) }
