package parser

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Parse understands raw, one message with CRLF or LF line ends. It always
// returns a Mail, whatever raw holds; nil and empty input give an empty one
// of KindMessage. raw is not changed and not kept, except that attachments
// that needed no decoding share its memory.
func Parse(raw []byte, opt Options) *Mail {
	if opt.Passed == nil {
		opt.Passed = func() {}
	}
	p := &parse{opt: opt, lim: opt.Limits.withDefaults(), m: &Mail{Kind: KindMessage, Size: len(raw)}}
	p.safely(func() { p.run(raw) })
	return p.m
}

// parse is the state of one Parse call.
type parse struct {
	opt     Options
	lim     Limits
	m       *Mail
	head    header // raw octets
	charset string // for 8-bit header values
	root    *part
	lines   []textLine // body with markup hints
}

func (p *parse) defect(s string) { addDefect(&p.m.Defects, s) }

// safely keeps a mistake of ours from taking the daemon down: the panic is
// reported as a defect, what was understood so far stands.
func (p *parse) safely(f func()) {
	defer func() {
		if r := recover(); r != nil {
			p.defect("internal error: " + fmt.Sprint(r))
		}
	}()
	f()
}

// run does everything in order.
func (p *parse) run(raw []byte) {
	raw = unixLines(raw)
	head, body, defects := splitHeader(raw, 0, p.lim, nil)
	for _, d := range defects {
		p.defect(d)
	}
	p.head = head
	p.m.Content = contentHash(head, raw[body:], p.opt.Passed)
	w := &walker{raw: raw, lim: p.lim, open: map[string][]int{}, defects: &p.m.Defects, passed: p.opt.Passed}
	p.charset = headerCharset(head, raw[body:])
	w.charset = p.charset
	p.root = w.walk(head, body)
	p.readHeader()
	p.readBody()
	p.m.Calendar = p.calendar()
	p.m.Protection = p.protection()
	p.m.Forwarded = p.forwardedMessage()
	p.classify()
	p.readReply()
}

// unixLines gives lone CRs (old Macintosh) the meaning they had; anything with
// a LF in it is left as it is.
func unixLines(raw []byte) []byte {
	if bytes.IndexByte(raw, '\n') >= 0 || bytes.IndexByte(raw, '\r') < 0 {
		return raw
	}
	return bytes.ReplaceAll(raw, []byte("\r"), []byte("\n"))
}

// headerCharset is the charset that 8-bit header values are most likely in:
// the one of the body.
func headerCharset(h header, body []byte) string {
	ct := h.filled("Content-Type")
	if strings.Contains(strings.ToLower(ct), "charset") {
		return parseParams(ct, "").params["charset"]
	}
	for _, f := range h {
		if !utf8.ValidString(f.Value) {
			if body = body[:min(len(body), 8<<10)]; !utf8.Valid(body) {
				_, guess := guessText(body)
				return guess
			}
			break
		}
	}
	return ""
}

// readHeader fills the fields that come from the top-level header.
func (p *parse) readHeader() {
	m, h := p.m, p.head
	m.Header = make([]Field, len(h))
	for i, f := range h {
		m.Header[i] = Field{f.Name, toValid(decodeOctets(f.Value, p.charset))}
	}
	m.MessageID = parseMessageID(h.filled("Message-ID"))
	m.InReplyTo = parseMessageIDs(strings.Join(h.all("In-Reply-To"), " "))
	m.References = parseMessageIDs(strings.Join(h.all("References"), " "))
	if from := p.addresses("From"); len(from) > 0 {
		m.From = from[0]
	}
	if s := p.addresses("Sender"); len(s) > 0 {
		m.Sender = s[0]
	}
	m.ReplyTo, m.To, m.Cc = p.addresses("Reply-To"), p.addresses("To"), p.addresses("Cc")
	m.Subject = decodeHeader(h.filled("Subject"), p.charset)
	m.SubjectCore, m.ReplyPrefix, m.ForwardPref = subjectCore(m.Subject)
	m.Date = parseDate(h.filled("Date"))
	if m.Date.IsZero() && h.filled("Date") != "" {
		p.defect("unreadable date: " + clip(toValid(h.filled("Date")), 60))
	}
	m.ThreadTopic = decodeHeader(h.get("Thread-Topic"), p.charset)
	m.ThreadRoot = threadRoot(h.get("Thread-Index"))
	p.readEnvelope()
}

// readEnvelope fills what delivery recorded.
func (p *parse) readEnvelope() {
	m, h := p.m, p.head
	if h.has("Return-Path") {
		rp := cleanAddress(h.get("Return-Path"), p.charset)
		m.ReturnPath = &rp
	}
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"} {
		for _, a := range p.addresses(name) {
			if a.Address != "" {
				m.DeliveredTo = append(m.DeliveredTo, a.Address)
			}
		}
	}
	for _, v := range h.all("Received") {
		if len(m.Received) == maxTrace {
			break
		}
		m.Received = append(m.Received, parseReceived(v))
	}
}

// addresses reads all fields of that name as one list; RFC 5322 section 3.6
// allows one, mail has several.
func (p *parse) addresses(name string) []Address {
	var list []Address
	for _, v := range p.head.all(name) {
		l, over := parseAddresses(v, p.charset, p.lim.Addresses-len(list))
		list = append(list, l...)
		if over {
			p.defect("too many addresses, rest ignored: " + name)
			break
		}
	}
	return list
}

// readBody fills Text, HTML and Attachments.
func (p *parse) readBody() {
	b := bodyReader{p: p}
	patches := b.read(p.root)
	if len(patches) == 0 && len(b.named) > 0 {
		patches = b.text(b.named[0]) // Netscape and Thunderbird show a named text that stands alone
	}
	if emptyBody(patches) && b.wrapped != nil {
		patches = b.wrapped
	}
	p.m.Attachments = b.attachments
	var html []string
	for _, s := range patches {
		if len(patches) > 1 && !s.hasHTML && strings.TrimSpace(s.plain) == "" {
			continue // empty parts between others
		}
		if s.hasHTML {
			html = append(html, s.html)
		}
		p.lines = append(p.lines, p.linesOf(s)...)
	}
	p.m.Text = p.cap(joinLines(p.lines))
	if len(html) > 0 {
		p.m.HTML = p.cap(sanitize(clip(strings.Join(html, "\n"), p.lim.Text)))
	}
}

// emptyBody reports a body without a visible character.
func emptyBody(patches []shown) bool {
	for _, s := range patches {
		if strings.TrimSpace(s.plain) != "" || s.hasHTML {
			return false
		}
	}
	return true
}

// linesOf returns the text of one stretch of the body: its plain form, or its
// HTML rendered where there is none.
func (p *parse) linesOf(s shown) []textLine {
	if s.hasPlain && (strings.TrimSpace(s.plain) != "" || !s.hasHTML) {
		return plainLines(clip(s.plain, p.lim.Text))
	}
	return htmlText(clip(s.html, 2*p.lim.Text), p.lim.Text)
}

// plainLines makes lines of plain text.
func plainLines(s string) []textLine {
	s = toValid(s)
	parts := strings.Split(strings.TrimRight(s, "\n"), "\n")
	lines := make([]textLine, len(parts))
	for i := range parts {
		lines[i].text = parts[i]
	}
	return lines
}

// cap bounds a text.
func (p *parse) cap(s string) string {
	if len(s) > p.lim.Text {
		p.defect("text too long, rest left out")
		s = clip(s, p.lim.Text)
	}
	return s
}

// readReply fills what is found in the visible text.
func (p *parse) readReply() {
	m := p.m
	m.ReplyText, m.Cuts = findReply(p.lines)
	m.ReplyText = p.cap(m.ReplyText)
	m.Commands, m.Body = cutCommands(m.ReplyText)
	m.Language = detectLanguage(m.Text)
	p.findFacts()
}

func (m *Mail) get(name string) string {
	for _, f := range m.Header {
		if strings.EqualFold(f.Name, name) {
			return decodeHeader(f.Value, "")
		}
	}
	return ""
}
