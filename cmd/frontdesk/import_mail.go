package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"time"
)

// pastMail is a contact of which another desk kept the parts.
type pastMail struct {
	from, fromName string
	to, cc         string // as other desks write them: a list of addresses
	subject        string
	messageID      string
	inReplyTo      string
	references     string
	at             time.Time
	text           string
	html           bool   // text is HTML
	also           string // the same as HTML; "" none
	files          []pastFile
	lost           []string // names of files that could not be taken
}

// pastFile is an attachment that another desk kept.
type pastFile struct {
	name, mime string
	contentID  string // of a picture that the HTML shows; "" none
	data       []byte
}

// bytes makes a mail of it, so that it is kept and read as all others are.
func (p pastMail) bytes() []byte {
	var b bytes.Buffer
	field := func(name, value string) {
		if value = strings.Join(strings.Fields(value), " "); value != "" {
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
	from := p.from
	if p.fromName != "" {
		from = (&mail.Address{Name: p.fromName, Address: p.from}).String()
	}
	field("From", from)
	field("To", p.to)
	field("Cc", p.cc)
	field("Subject", mime.QEncoding.Encode("utf-8", strings.Join(strings.Fields(p.subject), " ")))
	field("Date", p.at.UTC().Format(time.RFC1123Z))
	field("Message-ID", bracketed(p.messageID))
	field("In-Reply-To", bracketed(p.inReplyTo))
	field("References", bracketed(p.references))
	field("MIME-Version", "1.0")
	head, body := p.words()
	if len(p.files) > 0 {
		head, body = p.withFiles(head, body)
	}
	for _, name := range []string{"Content-Type", "Content-Transfer-Encoding"} {
		field(name, head.Get(name))
	}
	b.WriteString("\r\n")
	b.Write(body)
	b.WriteString("\r\n")
	return b.Bytes()
}

// words is the part that says something.
func (p pastMail) words() (textproto.MIMEHeader, []byte) {
	text := p.text
	for _, name := range p.lost {
		if p.html {
			text += "<p>[" + strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(name) + "]</p>"
		} else {
			text += "\n[" + name + "]"
		}
	}
	kind := "text/plain"
	if p.html {
		kind = "text/html"
	}
	head, body := quoted(kind, text)
	if p.also == "" {
		return head, body
	}
	return p.parts("alternative", func(w *multipart.Writer) {
		part(w, head, body)
		head, body := quoted("text/html", p.also)
		part(w, head, body)
	})
}

func (p pastMail) withFiles(head textproto.MIMEHeader, body []byte) (textproto.MIMEHeader, []byte) {
	return p.parts("mixed", func(w *multipart.Writer) {
		part(w, head, body)
		for _, f := range p.files {
			part(w, f.head(), lines76(f.data))
		}
	})
}

// parts writes parts between lines that are the same each time.
func (p pastMail) parts(kind string, write func(w *multipart.Writer)) (textproto.MIMEHeader, []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	// Neither quoted-printable nor base64 can write "=_" (RFC 2045 section 6.7).
	_ = w.SetBoundary(fmt.Sprintf("=_%s_%x", kind, sha256.Sum256([]byte(p.messageID+p.text)))[:40]) // valid: letters and digits
	write(w)
	_ = w.Close() // to memory
	return textproto.MIMEHeader{"Content-Type": {mime.FormatMediaType("multipart/"+kind, map[string]string{"boundary": w.Boundary()})}}, b.Bytes()
}

func part(w *multipart.Writer, head textproto.MIMEHeader, body []byte) {
	if to, err := w.CreatePart(head); err == nil { // to memory
		_, _ = to.Write(body)
	}
}

func quoted(kind, text string) (textproto.MIMEHeader, []byte) {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // to memory
	_ = w.Close()
	return textproto.MIMEHeader{"Content-Type": {kind + "; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"}}, b.Bytes()
}

// head is the header of a file's part. What the other desk says of its type
// counts unless it would make the part a tree of its own.
func (f pastFile) head() textproto.MIMEHeader {
	kind, params, err := mime.ParseMediaType(f.mime)
	if err != nil || strings.HasPrefix(kind, "multipart/") || strings.HasPrefix(kind, "message/") {
		kind, params = "application/octet-stream", nil
	}
	how := "attachment"
	h := textproto.MIMEHeader{"Content-Transfer-Encoding": {"base64"}}
	if id := bracketed(f.contentID); id != "" {
		how = "inline"
		h.Set("Content-Id", id)
	}
	delete(params, "name")
	h.Set("Content-Type", cmp.Or(mime.FormatMediaType(kind, params), "application/octet-stream"))
	h.Set("Content-Disposition", mime.FormatMediaType(how, map[string]string{"filename": strings.Join(strings.Fields(f.name), " ")}))
	return h
}

// lines76 is base64 in lines of the length that RFC 2045 section 6.8 allows.
func lines76(data []byte) []byte {
	text := base64.StdEncoding.AppendEncode(make([]byte, 0, len(data)*7/5+4), data)
	out := make([]byte, 0, len(text)+len(text)/38+2)
	for len(text) > 76 {
		out = append(append(out, text[:76]...), "\r\n"...)
		text = text[76:]
	}
	return append(out, text...)
}

func bracketed(id string) string {
	if id = strings.Trim(strings.TrimSpace(id), "<>"); id == "" || strings.ContainsAny(id, " \r\n") {
		return ""
	}
	return "<" + id + ">"
}
