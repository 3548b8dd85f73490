package parser

import (
	"crypto/sha256"
	"mime"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// attach records p as an attachment, opens it when it is a TNEF, and returns
// the body text that came out of that.
func (b *bodyReader) attach(p *part) []shown {
	if b.textOnly {
		return nil
	}
	var a Attachment
	if body, ok := p.spared(b.p.opt); ok {
		a.body = body
		a.Size, a.SHA256 = p.measure(body)
	} else {
		a.Data = p.content()
		if isMessage(p.ctype.value) && p.encoding == "" {
			a.Data = p.body
		}
		if isTNEF(p, a.Data) {
			if t, ok := readTNEF(a.Data); ok {
				return b.attachTNEF(t)
			}
			b.p.defect("damaged TNEF")
		}
		a.measure()
	}
	if a.Size == 0 && fileName(p) == "" && p.bare {
		return nil // an empty part without a header is no file
	}
	a.Filename = cleanFilename(attachmentName(p))
	a.ContentType = p.ctype.value
	a.ContentID = strings.Trim(strings.TrimSpace(decodeHeader(p.head.filled("Content-ID"), "")), "<> ")
	a.Inline = p.disp.value == "inline" || p.disp.value != "attachment" && a.ContentID != "" && underRelated(p)
	b.attachments = append(b.attachments, a)
	return nil
}

// underRelated reports whether p is a piece of a multipart/related, shown by
// its Content-ID (RFC 2387).
func underRelated(p *part) bool {
	for q := p.parent; q != nil; q = q.parent {
		if q.is("multipart/related") {
			return true
		}
	}
	return false
}

// add completes and stores an attachment.
func (b *bodyReader) add(a Attachment) {
	a.measure()
	b.attachments = append(b.attachments, a)
}

func (a *Attachment) measure() {
	a.Size = len(a.Data)
	a.SHA256 = sha256.Sum256(a.Data)
}

// fileName returns the name a part gives itself, "" for none.
func fileName(p *part) string {
	disp, name := p.disp.params["filename"], p.ctype.params["name"]
	if disp != "" && strings.Contains(disp, "??") && name != "" && !strings.Contains(name, "??") {
		return name // the charset of one could not hold what the other says
	}
	if disp != "" {
		return disp
	}
	if name != "" {
		return name
	}
	if n := p.disp.params["name"]; n != "" { // seen from old Eudoras
		return n
	}
	return p.ctype.params["filename"]
}

// attachmentName names a part: its file name, else its description, else the
// subject of an attached message.
func attachmentName(p *part) string {
	if n := fileName(p); n != "" {
		return n
	}
	if isMessage(p.ctype.value) && len(p.children) == 1 {
		if s := decodeHeader(p.children[0].head.get("Subject"), ""); s != "" {
			return strings.NewReplacer("/", "-", "\\", "-").Replace(s) + ".eml"
		}
		return "message.eml"
	}
	if loc := p.head.get("Content-Location"); loc != "" && !strings.Contains(loc, "?") {
		if n := path.Base(strings.TrimSpace(loc)); strings.Contains(n, ".") {
			return n
		}
	}
	return ""
}

// embeddedAttachment makes an attachment of a file found in a text body.
func embeddedAttachment(f embedded) Attachment {
	name := cleanFilename(toValid(f.name))
	return Attachment{Filename: name, ContentType: typeByName(name), Data: f.data}
}

// typeByName guesses a media type by the extension.
func typeByName(name string) string {
	t, _, _ := strings.Cut(mime.TypeByExtension(strings.ToLower(path.Ext(name))), ";")
	if t == "" {
		return "application/octet-stream"
	}
	return t
}

const maxFilename = 200

// cleanFilename makes a name safe to store and show: base name, NFC, no
// controls, no bidi overrides, at most 200 bytes with its extension kept.
func cleanFilename(name string) string {
	name = norm.NFC.String(toValid(name))
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200d' && r != '\u200c':
			return -1 // U+202E turns "gpj.exe" around
		case r == '\u2028' || r == '\u2029':
			return ' '
		}
		return r
	}, name)
	name = strings.TrimSpace(strings.Trim(name, "\"' "))
	if name == "." || name == ".." {
		return ""
	}
	if len(name) > maxFilename {
		ext := path.Ext(name)
		if len(ext) > 20 || !utf8.ValidString(ext) {
			ext = ""
		}
		name = clip(name[:len(name)-len(ext)], maxFilename-len(ext)) + ext
	}
	return name
}
