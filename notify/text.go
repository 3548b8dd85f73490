package notify

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"frontdesk/phone"
	"frontdesk/tickets"
)

// Line is one of our numbers, from which texts and calls leave.
type Line struct {
	// Template is the ContentSid of the WhatsApp template that tells that an
	// answer waits, "" none.
	Template string
}

// Text is a letter as a telephone shows it.
type Text struct {
	phone.Outgoing
	Count  phone.Count // of Outgoing.Text
	Cut    bool        // the words were shortened
	Source string      // template used
}

// Lengths of a text. WhatsApp counts messages, not segments: there a text may be
// as long as Twilio takes one, whatever its characters.
const (
	segmentsDefault  = 3
	segmentsWhatsApp = 24
)

// ComposeText writes a letter as a text. It is the same for the same letter and
// material.
func ComposeText(l tickets.Letter, m Material) (Text, error) {
	form, w, source, err := m.shortForm(l)
	if err != nil {
		return Text{}, err
	}
	t := Text{Source: source, Outgoing: phone.Outgoing{From: carried(l.Mailbox), To: carried(l.To.Address), Callback: m.callback(l)}}
	if t.From == "" || t.To == "" {
		return t, fmt.Errorf("text from %q to %q: no number", l.Mailbox, l.To.Address)
	}
	link := m.pageLink(l)
	t.Text, t.Cut = shortened(form, w, m.segments(l), link)
	t.Count = phone.Segments(t.Text)
	switch {
	case t.Text == "":
		return t, fmt.Errorf("letter %q: nothing to say in a text", l.Kind)
	case t.Cut && link == "" && l.Kind == tickets.LetterAnswer:
		return t, fmt.Errorf("the answer is too long for a text of %d segments, and there are no customers' pages (http.public_url) to link to", m.segments(l))
	case m.Attached > 0 && link == "" && l.Kind == tickets.LetterAnswer:
		return t, fmt.Errorf("the answer has %d files, and there are no customers' pages (http.public_url) to link to", m.Attached)
	case l.Kind == tickets.LetterTemplate && m.Line.Template == "":
		return t, fmt.Errorf("no WhatsApp template is configured for %s", t.From)
	case l.Kind == tickets.LetterTemplate:
		t.Template, t.Variables = m.Line.Template, phone.TemplateVariables(m.Brand.name(), strconv.FormatInt(l.Ticket, 10))
	}
	return t, nil
}

// carried is an address as Twilio takes it: +49…, whatsapp:+49…; "" for a mail
// address.
func carried(address string) string {
	number := tickets.Number(address)
	if number != "" && tickets.ChannelOf(address) == tickets.ChannelWhatsApp {
		return tickets.WhatsAppAddress(number)
	}
	return number
}

func (m Material) callback(l tickets.Letter) string {
	if m.PublicURL == "" {
		return ""
	}
	path := phone.StatusPath{WhatsApp: tickets.ChannelOf(l.Mailbox) == tickets.ChannelWhatsApp, Brand: l.Brand, Letter: l.ID}
	return m.publicURL() + path.String() + phone.Retries
}

// segments is how many a text may have. An alarm's text is read while the
// telephone rings.
func (m Material) segments(l tickets.Letter) int {
	switch {
	case tickets.ChannelOf(l.To.Address) == tickets.ChannelWhatsApp:
		return segmentsWhatsApp
	case l.Kind == tickets.LetterRingText:
		return 1
	case m.Segments > 0:
		return m.Segments
	}
	return segmentsDefault
}

// shortForm executes a letter's short form. An operator's template that has none,
// or fails, gives way to the embedded one.
func (m Material) shortForm(l tickets.Letter) (form string, w *words, source string, err error) {
	code := letterLanguage(l, m.Brand)
	own, _ := m.Templates.Find(l.Brand, code, l.Kind)
	builtin, _ := m.Templates.builtin(code, l.Kind)
	err = fmt.Errorf("letter %q: no short form for a text", l.Kind)
	for _, t := range []*Template{own, builtin} {
		if t == nil {
			continue
		}
		w = &words{}
		text, has, failed := t.short(newView(l, m, spoken(t.Language), w))
		switch {
		case failed != nil:
			err = failed
		case has:
			return text, w, t.Source, nil
		}
	}
	return "", nil, "", err
}

// shortened puts the words into their places and makes the whole fit: the
// longest of what people said is cut, never the sentences around it, and the
// link leads to the rest.
func shortened(form string, w *words, limit int, link string) (string, bool) {
	mark, said := w.longest(form)
	before, after, _ := strings.Cut(form, mark)
	if mark == "" {
		before, after = form, ""
	}
	before = strings.TrimSuffix(phone.Plain(w.expand(before, verbatim)+heldEnd), heldEnd)
	after = strings.TrimPrefix(phone.Plain(heldEnd+w.expand(after, verbatim)), heldEnd)
	if link != "" && strings.Contains(after, link) {
		link = ""
	}
	text, cut := phone.ShortenIn(before, phone.Plain(said), after, limit, link)
	if phone.Segments(text).Segments > limit { // what stands around the words is too long by itself
		text, cut = phone.Shorten(text, limit, link)
	}
	return strings.TrimSpace(text), cut
}

// heldEnd keeps the blank at the end of a piece of text from being trimmed.
const heldEnd = "\x7e"

// longest finds the longest said thing in a text, and its mark.
func (w *words) longest(text string) (mark, said string) {
	for i, s := range w.said {
		m := string(markOpen) + strconv.Itoa(i) + string(markClose)
		if strings.Contains(text, m) && utf8.RuneCountInString(s) > utf8.RuneCountInString(said) {
			mark, said = m, s
		}
	}
	return mark, said
}

// posted is what the first attempt stores of a letter to a telephone: a retry
// asks Twilio for the same. Exactly one is set.
type posted struct {
	Text *phone.Outgoing `json:"text,omitempty"`
	Call *phone.Outcall  `json:"call,omitempty"`
}

// renderPhone is Render for a letter to a telephone. It has no id before Twilio
// gives it one.
func renderPhone(l tickets.Letter, m Material) ([]byte, error) {
	var p posted
	if l.Kind.Call() {
		call, err := composeCall(l, m)
		if err != nil {
			return nil, err
		}
		p.Call = &call
	} else {
		text, err := ComposeText(l, m)
		if err != nil {
			return nil, err
		}
		p.Text = &text.Outgoing
	}
	return json.Marshal(p)
}

func readPosted(raw []byte) (p posted, err error) {
	if err = json.Unmarshal(raw, &p); err == nil && (p.Text == nil) == (p.Call == nil) {
		err = fmt.Errorf("neither a text nor a call")
	}
	return p, err
}

// ShowPosted shows the rendering of a letter to a telephone to an operator: what
// is said, and what it costs.
func ShowPosted(raw []byte) (string, error) {
	p, err := readPosted(raw)
	switch {
	case err != nil:
		return "", fmt.Errorf("read the rendering: %w", err)
	case p.Call != nil:
		return fmt.Sprintf("call: %s → %s\n", p.Call.From, p.Call.To), nil
	case p.Text.Template != "":
		return fmt.Sprintf("text: %s → %s, template %s %s\n\n%s\n", p.Text.From, p.Text.To, p.Text.Template, p.Text.Variables, p.Text.Text), nil
	}
	return fmt.Sprintf("text: %s → %s, %s\n\n%s\n", p.Text.From, p.Text.To, ShowCount(phone.Segments(p.Text.Text)), p.Text.Text), nil
}

// ShowCount says what a text costs: "1 segment (GSM-7, 131 of 160)".
func ShowCount(c phone.Count) string {
	room, plural := 160, "s"
	switch {
	case c.Segments > 1 && c.Encoding == phone.GSM7:
		room = 153 * c.Segments
	case c.Segments > 1:
		room = 67 * c.Segments
	case c.Encoding == phone.UCS2:
		room = 70
	}
	if c.Segments == 1 {
		plural = ""
	}
	return fmt.Sprintf("%d segment%s (%s, %d of %d)", c.Segments, plural, c.Encoding, c.Units, room)
}
