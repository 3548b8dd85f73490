package notify

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/yuin/goldmark/text"

	"frontdesk/store"
	"frontdesk/tickets"
)

// Material is all that a rendering needs besides the letter itself. The same
// letter and material give the same bytes.
type Material struct {
	Templates *Templates
	Brand     Brand
	Keys      tickets.Keyring
	Separator string                   // subaddressing of the mailbox, "" where its provider has none
	Ticket    *tickets.Ticket          // nil for a letter about none
	Earlier   []string                 // Message-IDs of earlier letters about the ticket to this agent, oldest first
	Files     []File                   // of the message that the letter carries
	Agents    map[string]tickets.Agent // by normal address: kept out of customers' letters
	PublicURL string                   // of customers' pages, "" none
	Now       time.Time                // Date of the letter
	Report    WriteReport              // nil: reports have no tables

	// Of letters to telephones.
	Line     Line   // our number that it leaves from
	Email    string // the brand's mail address
	Segments int    // most segments of a text, 0 three
	Attached int    // files of the message that the letter carries: they are on the customer's page
}

// File is one attachment of a letter.
type File struct {
	Name        string
	ContentType string
	Data        []byte
	Stored      *store.PlacedFile // a large one, in place of Data: it is read while it is sent
}

// Parts are a letter as a person reads it, before it becomes a mail.
type Parts struct {
	Subject string // as shown, with tag
	Plain   string // LF line ends
	HTML    string
	Source  string // template used

	Pictures []Picture // that HTML shows
}

// Render makes the mail of a letter, ready for SMTP's DATA: CRLF line ends
// throughout, no line over 998 octets, all bodies in a 7-bit transfer encoding.
// messageID is without brackets. The error says which value or template is at
// fault; trying again does not help.
//
// A letter to a telephone becomes what is posted to Twilio, as JSON (see
// [ShowPosted]), without an id: Twilio gives it one.
func Render(l tickets.Letter, m Material) (raw []byte, messageID string, err error) {
	r, err := render(l, m)
	if err != nil {
		return nil, "", err
	}
	return r.Raw, r.MessageID, nil
}

// render is Render for a letter whose large files are read while it is sent.
func render(l tickets.Letter, m Material) (*store.Rendering, error) {
	if tickets.Number(l.To.Address) != "" {
		raw, err := renderPhone(l, m)
		return &store.Rendering{Raw: raw}, err
	}
	parts, err := Compose(l, m)
	if err != nil {
		return nil, err
	}
	messageID := m.messageID(l)
	h, err := header(l, m, parts.Subject, messageID)
	if err != nil {
		return nil, err
	}
	raw, stored, err := mime(h, parts, m.Files, messageID)
	if err != nil {
		return nil, err
	}
	if err := checkWire(raw); err != nil {
		return nil, err
	}
	return &store.Rendering{MessageID: messageID, Raw: raw, Files: stored}, nil
}

// Compose writes the texts of a letter from its template. An operator's
// template that fails on this letter gives way to the embedded one: a typing
// mistake in an override must not stop the mail.
func Compose(l tickets.Letter, m Material) (Parts, error) {
	code := letterLanguage(l, m.Brand)
	t, ok := m.Templates.Find(l.Brand, code, l.Kind)
	if !ok {
		return Parts{}, fmt.Errorf("letter %q: no template", l.Kind)
	}
	p, err := t.compose(l, m)
	if err == nil {
		return p, nil
	}
	if t, ok = m.Templates.builtin(code, l.Kind); !ok {
		return Parts{}, err
	}
	return t.compose(l, m)
}

// letterLanguage is the language a letter is asked for: the customer's, or the
// brand's for an agent, whose team reads one language whoever writes.
func letterLanguage(l tickets.Letter, b Brand) string {
	code := l.Language
	if l.Agent || code == "" {
		code = b.Language
	}
	if code == "" {
		code = "en"
	}
	return strings.ToLower(code)
}

func (t *Template) compose(l tickets.Letter, m Material) (Parts, error) {
	w := &words{}
	in, err := m.insert(l, t.Language)
	if err != nil {
		return Parts{}, err
	}
	v := newView(l, m, spoken(t.Language), w)
	v.report(in, w)
	subject, body, err := t.run(v)
	if err != nil {
		return Parts{}, err
	}
	source := []byte(body)
	doc := markdown.Parser().Parse(text.NewReader(source))
	p := Parts{
		Subject: tagged(oneLine(w.expand(subject, verbatim), 300), l, m.Brand),
		Plain:   plainText(doc, source, w),
		Source:  t.Source,

		Pictures: in.Pictures,
	}
	p.HTML, err = htmlPage(doc, source, w, t.Language, p.Subject, m.Brand.Color)
	return p, err
}

// tagged puts the ticket's tag before a subject: "Re: [Baleyo #1234] Printer
// offline". The same ticket always gets the same, for the mail clients that
// thread by subject.
func tagged(subject string, l tickets.Letter, b Brand) string {
	if l.Ticket != 0 {
		subject = "[" + noBrackets.Replace(oneLine(b.name(), 60)) + " #" + strconv.FormatInt(l.Ticket, 10) + "] " + subject
	}
	if l.Reply {
		subject = "Re: " + subject
	}
	return subject
}

var noBrackets = strings.NewReplacer("[", "(", "]", ")")

// messageID names the letter. All copies of one message to customers share an
// id, so that their answers to each other thread; any other letter has its own.
func (m Material) messageID(l tickets.Letter) string {
	name := fmt.Sprintf("l%d", l.ID)
	if l.Message != 0 && !l.Agent {
		name = fmt.Sprintf("m%d", l.Message)
	}
	return m.Keys.MessageID(l.Ticket, name, m.Brand.Domain)
}

// checkWire refuses what SMTP does not carry: a line over 998 octets, a CR or
// LF alone (RFC 5321 section 2.3.8, 4.5.3.1.6), NUL.
func checkWire(raw []byte) error {
	for n, rest := 1, raw; len(rest) > 0; n++ {
		line, after, ok := bytes.Cut(rest, []byte("\r\n"))
		switch {
		case !ok:
			return fmt.Errorf("line %d: no line end", n)
		case len(line) > 998:
			return fmt.Errorf("line %d: %d octets", n, len(line))
		case bytes.ContainsAny(line, "\r\n\x00"):
			return fmt.Errorf("line %d: CR, LF or NUL alone", n)
		}
		rest = after
	}
	return nil
}
