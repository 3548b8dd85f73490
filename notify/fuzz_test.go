package notify

import (
	"bytes"
	"io"
	stdmime "mime"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message"

	"frontdesk/tickets"
)

// fieldsOfLetters are all that a letter's header ever has.
var fieldsOfLetters = []string{
	"Date", "From", "Reply-To", "To", "Cc", "Subject", "Message-Id", "In-Reply-To", "References", "Auto-Submitted",
	"X-Auto-Response-Suppress", "X-Frontdesk-Loop", "List-Unsubscribe", "List-Unsubscribe-Post", "X-Frontdesk-Brand", "X-Frontdesk-Ticket",
	"X-Frontdesk-Queue", "X-Frontdesk-Severity", "X-Frontdesk-Due", "Mime-Version", "Content-Type", "Content-Transfer-Encoding",
}

// FuzzRender: whatever people wrote, a letter is refused, or has the fields that
// letters have, each once, goes to nobody else, fits the wire, carries words and
// file as they were, and is the same when it is rendered again.
func FuzzRender(f *testing.F) {
	f.Add("Printer", "Maria", "maria@keller.example", "a@b.example", "hello\r\n.\r\n", "report.pdf", "application/pdf", false)
	f.Add("x\r\nBcc: v@e.example", "\"x\" <y@z.example>,", "a>\r\nRCPT TO:<c@b.example", "a@b> <c@d", "--=_x\n\x00", "../../etc/\u202egpj.exe", "text/html; name=\"\r\nX: y\"", true)
	f.Add(strings.Repeat("ü", 500), "=?utf-8?q?=0ABcc:_x?=", "ü@bücher.example", strings.Repeat("a", 990)+"@b.example", strings.Repeat("x", 2000), strings.Repeat("é", 300)+".txt", "message/rfc822", false)
	f.Add("x", "y", "a@b.example", "a@.xabNmple", "z", "f", "", false) // Cc: <a@.xabNmple>, which no reader takes
	f.Add("x", "y", "a@b.example", "a@b..example", "z", "f", "", false)
	m := testMaterial(f, "en")
	f.Fuzz(func(t *testing.T, subject, name, address, replied, text, file, kind string, agent bool) {
		l := testLetter(tickets.LetterAnswer, "en")
		if agent {
			l = testLetter(tickets.LetterMessage, "en")
			l.Data.Author = name
		}
		l.Subject, l.To, l.InReplyTo, l.References = subject, tickets.Address{Name: name, Address: address}, replied, []string{replied, subject}
		l.HeaderTo, l.HeaderCc = []tickets.Address{l.To}, []tickets.Address{{Name: name, Address: replied}}
		l.Data.Text = text
		m := m
		m.Files = []File{{Name: file, ContentType: kind, Data: []byte(text)}}
		raw, _, err := Render(l, m)
		if err != nil {
			return
		}
		if again, _, err := Render(l, m); err != nil || !bytes.Equal(raw, again) {
			t.Fatalf("rendered again it is another, %v", err)
		}
		if err := checkWire(raw); err != nil {
			t.Fatal(err)
		}
		msg, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%v in %q", err, raw)
		}
		for field, values := range msg.Header {
			if !slices.Contains(fieldsOfLetters, field) || len(values) != 1 {
				t.Errorf("%s: %q", field, values)
			}
		}
		for field, most := range map[string]int{"From": 1, "Reply-To": 1, "To": 1, "Cc": 1} {
			list, err := msg.Header.AddressList(field)
			if msg.Header.Get(field) != "" && (err != nil || len(list) > most) {
				t.Errorf("%s %q: %v", field, msg.Header.Get(field), err)
			}
		}
		if s, err := new(stdmime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r >= 0x202a && r <= 0x202e }) {
			t.Errorf("subject %q, %v", s, err)
		}
		sent(t, raw, file, []byte(text))
	})
}

// sent finds the file in a letter, under a name that is a name and nothing else.
func sent(t *testing.T, raw []byte, file string, data []byte) {
	t.Helper()
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	parts, found := 0, 0
	err = e.Walk(func(_ []int, e *message.Entity, err error) error {
		if err != nil {
			return err
		}
		parts++
		disp, params, _ := e.Header.ContentDisposition()
		if disp != "attachment" {
			return nil
		}
		found++
		if n := params["filename"]; !utf8.ValidString(n) || strings.ContainsAny(n, "\r\n\x00\u202e") || (strings.TrimSpace(n) == "") != (oneLine(file, 200) == "") {
			t.Errorf("file %q is sent as %q", file, n)
		}
		got, err := io.ReadAll(e.Body)
		if kind, _, _ := e.Header.ContentType(); !strings.HasPrefix(kind, "message/") && !bytes.Equal(got, data) {
			t.Errorf("%q was sent as %q", data, got)
		}
		return err
	})
	if err != nil || found != 1 || parts > 20 {
		t.Errorf("%d parts, %d files, %v", parts, found, err)
	}
}
