package parser

import (
	"bytes"
	"strings"
)

// shown is one stretch of the visible body: a text part, or the forms of it
// that a multipart/alternative offers.
type shown struct {
	plain    string
	hasPlain bool
	html     string // unsanitised
	hasHTML  bool
}

// bodyReader gathers the visible body and the attachments of one mail.
type bodyReader struct {
	p           *parse
	attachments []Attachment
	texts       int     // octets of text so far
	count       int     // text parts so far
	named       []*part // text parts that are files but not marked as attachments
	wrapped     []shown // body inside a TNEF
	textOnly    bool    // leave attachments out
}

// read walks p in order. inAlternative is set within a multipart/alternative.
func (b *bodyReader) read(p *part) []shown {
	switch {
	case p.isMultipart():
		return b.multipart(p)
	case isMessage(p.ctype.value):
		b.attach(p)
		return nil
	case len(p.children) == 1: // an opaque S/MIME signature
		return b.read(p.children[0])
	case b.isBody(p):
		return b.text(p)
	}
	if p.is("text/plain") && p.disp.value != "attachment" {
		b.named = append(b.named, p)
	}
	return b.attach(p)
}

// multipart reads the children of p by its subtype (RFC 2046 section 5.1).
func (b *bodyReader) multipart(p *part) []shown {
	if len(p.children) == 0 {
		return b.emptyMultipart(p)
	}
	switch p.ctype.value {
	case "multipart/alternative":
		return b.alternative(p)
	case "multipart/appledouble":
		return b.appleDouble(p)
	}
	var out []shown
	for _, c := range p.children {
		out = append(out, b.read(c)...)
	}
	return out
}

// emptyMultipart shows what stands in a multipart whose delimiters never
// came: most often plain text that a gateway mislabelled.
func (b *bodyReader) emptyMultipart(p *part) []shown {
	if len(bytes.TrimSpace(p.body)) == 0 {
		return nil
	}
	t, _ := decodeText(p.body[:min(len(p.body), b.p.lim.Text)], p.ctype.params["charset"])
	return []shown{{plain: newlines(t), hasPlain: true}}
}

// alternative picks one form of each type. Clients put the forms in order of
// worth (RFC 2046 section 5.1.4); some put attachments among them.
func (b *bodyReader) alternative(p *part) []shown {
	var all shown
	for _, c := range p.children {
		for _, s := range b.read(c) {
			if s.hasPlain && (!all.hasPlain || strings.TrimSpace(all.plain) == "") {
				all.plain, all.hasPlain = s.plain, true
			} else if s.hasPlain && strings.TrimSpace(s.plain) != "" && s.plain != all.plain && !s.hasHTML {
				all.plain += "\n" + s.plain
			}
			if s.hasHTML && !all.hasHTML {
				all.html, all.hasHTML = s.html, true
			} else if s.hasHTML && s.html != all.html {
				all.html += "\n" + s.html
			}
		}
	}
	if !all.hasPlain && !all.hasHTML {
		return nil
	}
	return []shown{all}
}

// appleDouble keeps the data fork and drops the resource fork (RFC 1740),
// which means nothing outside a Macintosh.
func (b *bodyReader) appleDouble(p *part) []shown {
	var out []shown
	for _, c := range p.children {
		if !c.is("application/applefile") {
			out = append(out, b.read(c)...)
		}
	}
	return out
}

// isBody reports whether a leaf is text to be shown and not a file.
func (b *bodyReader) isBody(p *part) bool {
	switch p.ctype.value {
	case "text/plain", "text/html", "text/enriched", "text/richtext", "application/xhtml+xml":
	default:
		return strings.HasPrefix(p.ctype.value, "text/") && p.parent == nil && p.disp.value != "attachment" && fileName(p) == "" && !p.is("text/calendar")
	}
	if p.disp.value == "attachment" {
		return false
	}
	name := fileName(p)
	if name == "" {
		return true
	}
	if p.parent == nil {
		return p.disp.value != "attachment"
	}
	// A name alone makes no attachment of the only text: Notes and some web
	// forms name their bodies.
	return p.disp.value == "" && p.disp.params["filename"] == "" && p.parent.is("multipart/alternative") ||
		p.parent.is("multipart/related") && p.parent.children[0] == p
}

// text decodes a text part and takes files out of it.
func (b *bodyReader) text(p *part) []shown {
	if b.texts > 2*b.p.lim.Text || b.count > maxTextPatches {
		b.p.defect("text too long, rest left out")
		return nil
	}
	b.count++
	data := p.content()
	label := p.ctype.params["charset"]
	html := p.is("text/html") || p.is("application/xhtml+xml")
	if html && unlabelled[cleanLabel(label)] {
		if m := metaCharset(data); m != "" {
			label = m
		}
	}
	if !html {
		var files []embedded
		files, data = takeEmbedded(data, b.p.opt.Passed)
		for _, f := range files {
			b.add(embeddedAttachment(f))
		}
	}
	if len(data) > 2*b.p.lim.Text {
		data = data[:2*b.p.lim.Text]
		b.p.defect("text too long, rest left out")
	}
	t, defect := decodeText(data, label)
	b.p.defect(defect)
	t = newlines(t)
	b.texts += len(t)
	switch {
	case html:
		return []shown{{html: t, hasHTML: true}}
	case p.is("text/enriched") || p.is("text/richtext"):
		return []shown{{plain: enrichedText(t), hasPlain: true}}
	case strings.EqualFold(p.ctype.params["format"], "flowed"):
		t = unflow(t, strings.EqualFold(p.ctype.params["delsp"], "yes"))
	}
	return []shown{{plain: t, hasPlain: true}}
}

// newlines makes every line end a LF.
func newlines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// metaCharset finds the charset that an HTML document declares for itself in
// its first octets.
func metaCharset(doc []byte) string {
	head := bytes.ToLower(doc[:min(len(doc), 2048)])
	i := bytes.Index(head, []byte("charset="))
	if i < 0 {
		return ""
	}
	v := bytes.TrimLeft(head[i+8:], "\"' ")
	end := bytes.IndexAny(v, "\"' ;/>")
	if end < 0 || end > 40 {
		return ""
	}
	return string(v[:end])
}

// enrichedText drops the commands of text/enriched (RFC 1896).
func enrichedText(s string) string {
	var b strings.Builder
	for s != "" {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		if strings.HasPrefix(s, "<") { // "<<" stands for one
			b.WriteByte('<')
			s = s[1:]
			continue
		}
		j := strings.IndexByte(s, '>')
		if j < 0 {
			b.WriteByte('<')
			break
		}
		cmd := strings.ToLower(s[:j])
		s = s[j+1:]
		if cmd == "param" {
			if k := strings.Index(strings.ToLower(s), "</param>"); k >= 0 {
				s = s[k+8:]
			}
		}
	}
	b.WriteString(s)
	return b.String()
}
