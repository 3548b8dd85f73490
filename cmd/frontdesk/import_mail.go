package main

import (
	"bytes"
	"mime"
	"mime/quotedprintable"
	"net/mail"
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
	at             time.Time
	text           string
	html           bool
	files          []string // names of files that could not be taken
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
	field("MIME-Version", "1.0")
	kind := "text/plain"
	if p.html {
		kind = "text/html"
	}
	field("Content-Type", kind+"; charset=utf-8")
	field("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	text := p.text
	for _, name := range p.files {
		if p.html {
			text += "<p>[" + strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(name) + "]</p>"
		} else {
			text += "\n[" + name + "]"
		}
	}
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // to memory
	_ = w.Close()
	b.WriteString("\r\n")
	return b.Bytes()
}

func bracketed(id string) string {
	if id = strings.Trim(strings.TrimSpace(id), "<>"); id == "" || strings.ContainsAny(id, " \r\n") {
		return ""
	}
	return "<" + id + ">"
}
