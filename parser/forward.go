package parser

import "strings"

// forwardedMessage describes what the mail forwards: an attached message, or
// one that a client copied below its header block. Bounces carry the returned
// mail in the same way and forward nothing.
func (p *parse) forwardedMessage() *Forwarded {
	if p.root.is("multipart/report") {
		return nil
	}
	if f := p.forwardedPart(); f != nil {
		return f
	}
	return forwardedInline(p.lines, p.m.ForwardPref)
}

// forwardedPart reads the first message/rfc822 of the mail.
func (p *parse) forwardedPart() *Forwarded {
	var inner *part
	p.root.each(false, func(q *part) bool {
		if inner == nil && isMessage(q.ctype.value) && len(q.children) == 1 {
			inner = q.children[0]
		}
		return inner == nil
	})
	if inner == nil {
		return nil
	}
	sub := &parse{opt: p.opt, lim: p.lim, m: &Mail{}, head: inner.head, root: inner, charset: headerCharset(inner.head, inner.body)}
	f := &Forwarded{Subject: decodeHeader(inner.head.filled("Subject"), sub.charset), Date: parseDate(inner.head.filled("Date")), To: sub.addresses("To")}
	if from := sub.addresses("From"); len(from) > 0 {
		f.From = from[0]
	}
	f.Text = strings.TrimSpace(sub.plainText())
	return f
}

// plainText returns the body text alone.
func (p *parse) plainText() string {
	b := bodyReader{p: p, textOnly: true}
	for _, s := range b.read(p.root) {
		p.lines = append(p.lines, p.linesOf(s)...)
	}
	return p.cap(joinLines(p.lines))
}

// forwardedInline finds a forwarded message in the text: a client's forward
// mark, or, when the subject says forward, a header block.
func forwardedInline(lines []textLine, subjectSays bool) *Forwarded {
	if len(lines) > maxLines {
		lines = lines[:maxLines]
	}
	text := make([]string, len(lines))
	for i, l := range lines {
		text[i] = strings.TrimLeft(l.text, "> ")
	}
	for i := range text {
		mark := separator(text[i])
		if mark == "forward" || mark == "original" && subjectSays {
			return readForwarded(text, i+1)
		}
		if subjectSays && headerBlock(text, i) > 0 {
			return readForwarded(text, i)
		}
	}
	return nil
}

// readForwarded reads the header block at or after lines[i] and the text under
// it; nil when there is no block.
func readForwarded(lines []string, i int) *Forwarded {
	for i < len(lines) && strings.TrimFunc(lines[i], isBlankRune) == "" {
		i++
	}
	if i >= len(lines) {
		return nil
	}
	n := headerBlock(lines, i)
	if n == 0 {
		return nil
	}
	f := &Forwarded{}
	for _, l := range lines[i : i+n] {
		label, _ := labelOf(l)
		colon := strings.IndexAny(l, ":：")
		if label == "" || colon < 0 {
			continue
		}
		value := strings.Trim(strings.TrimLeft(l[colon:], ":：*"), " \t\u00a0*")
		f.set(label, value)
	}
	f.Text = trimBlankLines(strings.Join(lines[i+n:], "\n"))
	return f
}

// set fills the field that label stands for, once.
func (f *Forwarded) set(label, value string) {
	switch label {
	case "from":
		if f.From == (Address{}) {
			if list, _ := parseAddresses(value, "utf-8", 1); len(list) == 1 {
				f.From = list[0]
			}
		}
	case "to":
		if f.To == nil {
			f.To, _ = parseAddresses(value, "utf-8", 50)
		}
	case "date":
		if f.Date.IsZero() {
			f.Date = parseDate(value)
		}
	case "subject":
		if f.Subject == "" {
			f.Subject = cleanValue(value)
		}
	}
}
