package notify

import (
	"bytes"
	"errors"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-message"
	"github.com/google/go-cmp/cmp"

	"frontdesk/tickets"
)

func mustRender(t *testing.T, l tickets.Letter, m Material) (raw []byte, h mail.Header) {
	t.Helper()
	raw, _, err := Render(l, m)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return raw, msg.Header
}

// B15: a megabyte on one line, lines that begin with dots, bare LF and CR.
func TestBodiesFitTheWire(t *testing.T) {
	m := testMaterial(t, "en")
	for name, text := range map[string]string{
		"a megabyte on one line": strings.Repeat("x", 1<<20),
		"a megabyte of umlauts":  strings.Repeat("ü", 1<<19),
		"dots":                   ".\n..\n.leading\r\n.\r\n",
		"bare LF and CR":         "one\ntwo\rthree\r\nfour\n\r",
		"controls":               "a\x00b\x07c\x1b[31m",
		"not UTF-8":              "gr\xfc\xdfe",
	} {
		l := testLetter(tickets.LetterAnswer, "en")
		l.Data.Text = text
		raw, _ := mustRender(t, l, m) // Render refuses what does not fit
		if err := checkWire(raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !ascii(string(raw)) {
			t.Errorf("%s: not all in 7 bits", name)
		}
		want := tidy(text)
		if got := readable(t, raw); !strings.Contains(got, want) {
			t.Errorf("%s: words changed", name)
		}
	}
}

func TestCheckWire(t *testing.T) {
	for _, bad := range []string{"a\n", "a\rb\r\n", "a\x00\r\n", strings.Repeat("a", 999) + "\r\n", "no end"} {
		if checkWire([]byte(bad)) == nil {
			t.Errorf("%.20q passed", bad)
		}
	}
	if err := checkWire([]byte(strings.Repeat("a", 998) + "\r\n\r\n")); err != nil {
		t.Error(err)
	}
}

// B16: non-ASCII subject, a name with comma, quote and emoji, an IDN address:
// they come back as they were from Go's parser and from Python's.
func TestNamesAndSubjectsRoundTrip(t *testing.T) {
	m := testMaterial(t, "de")
	l := testLetter(tickets.LetterAnswer, "de")
	l.Subject = "Größe falsch: „Drucker“ 印刷機 🖨 und noch viel mehr, damit die Zeile umbrochen werden muss"
	l.To = tickets.Address{Name: `Keller, "Maria" 🎈`, Address: "maria@bücher.example"}
	m.Brand.Sender = "Müller, Söhne & Co"
	raw, h := mustRender(t, l, m)
	wantSubject := "Re: [Baleyo #1234] " + l.Subject
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := e.Header.Text("Subject"); err != nil || got != wantSubject {
		t.Errorf("subject %q, %v; want %q", got, err, wantSubject)
	}
	to, err := h.AddressList("To")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]*mail.Address{{Name: l.To.Name, Address: "maria@xn--bcher-kva.example"}}, to); d != "" {
		t.Errorf("To (-want +got):\n%s", d)
	}
	from, err := h.AddressList("From")
	if err != nil || from[0].Name != m.Brand.Sender {
		t.Errorf("From %v, %v", from, err)
	}
	if python, err := exec.LookPath("python3"); err == nil {
		file := filepath.Join(t.TempDir(), "letter.eml")
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(python, "-c", `
import email, email.policy, sys
m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
sys.stdout.reconfigure(encoding="utf-8")
print(m["subject"]); print(m["to"].addresses[0].display_name); print(m["from"].addresses[0].display_name)
print(m.get_body(("plain",)).get_content().splitlines()[0]); print(len(m.defects))`, file).CombinedOutput()
		want := wantSubject + "\n" + l.To.Name + "\n" + m.Brand.Sender + "\n" + l.Data.Text + "\n0\n"
		if err != nil || string(out) != want {
			t.Errorf("python reads (%v):\n%swant:\n%s", err, out, want)
		}
	}
}

// Nothing that came from outside begins a line of the header.
func TestHeaderInjection(t *testing.T) {
	m := testMaterial(t, "en")
	evil := "x\r\nBcc: victim@elsewhere.example\r\nX: \x00"
	for name, change := range map[string]func(*tickets.Letter, *Material){
		"subject":    func(l *tickets.Letter, _ *Material) { l.Subject = evil },
		"to name":    func(l *tickets.Letter, _ *Material) { l.To.Name = evil },
		"to":         func(l *tickets.Letter, _ *Material) { l.To.Address = "a@b.example" + evil },
		"to bracket": func(l *tickets.Letter, _ *Material) { l.To.Address = "a>\r\nRCPT TO:<c@b.example" },
		"cc":         func(l *tickets.Letter, _ *Material) { l.HeaderCc = []tickets.Address{{Address: "a@b.example" + evil}} },
		"cc name": func(l *tickets.Letter, _ *Material) {
			l.HeaderCc = []tickets.Address{{Name: evil, Address: "a@b.example"}}
		},
		"in-reply-to": func(l *tickets.Letter, _ *Material) { l.InReplyTo = "a@b>" + evil },
		"references":  func(l *tickets.Letter, _ *Material) { l.References = []string{evil, "<a@b>", "a b@c", "ok@c"} },
		"sender":      func(_ *tickets.Letter, m *Material) { m.Brand.Sender = evil },
		"brand":       func(_ *tickets.Letter, m *Material) { m.Brand.Name = evil },
		"domain":      func(_ *tickets.Letter, m *Material) { m.Brand.Domain = "b.example" + evil },
		"file":        func(_ *tickets.Letter, m *Material) { m.Files = []File{{Name: evil, ContentType: "text/plain" + evil}} },
		"queue": func(l *tickets.Letter, m *Material) {
			l.Agent = true
			tk := *m.Ticket
			tk.Queue = evil
			m.Ticket = &tk
		},
		"author": func(l *tickets.Letter, _ *Material) {
			l.Agent, l.Kind = true, tickets.LetterMessage
			l.Data.Author = evil
		},
		"language": func(l *tickets.Letter, _ *Material) { l.Language = "../../" + evil },
	} {
		t.Run(name, func(t *testing.T) {
			l, m := testLetter(tickets.LetterAnswer, "en"), m
			change(&l, &m)
			raw, _, err := Render(l, m)
			if err != nil {
				return // refused
			}
			head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
			for line := range strings.Lines(string(head)) {
				if low := strings.ToLower(line); strings.HasPrefix(low, "bcc:") || strings.HasPrefix(low, "x:") || strings.HasPrefix(low, "rcpt") {
					t.Errorf("injected %q", line)
				}
			}
			if err := checkWire(raw); err != nil {
				t.Error(err)
			}
		})
	}
}

// A name of any length keeps its extension and can be read; what is no address for
// its length is not folded into another one.
func TestLongNames(t *testing.T) {
	m := testMaterial(t, "en")
	for _, name := range []string{strings.Repeat("é", 300) + ".pdf", strings.Repeat("印", 70) + "." + strings.Repeat("x", 30), strings.Repeat("a", 5000) + ".txt"} {
		l := testLetter(tickets.LetterAnswer, "en")
		m.Files = []File{{Name: name, ContentType: "text/plain", Data: []byte("x")}}
		raw, _ := mustRender(t, l, m)
		sent(t, raw, name, []byte("x"))
		if got := sentName(name); len(got) > 200 || filepath.Ext(name)[1:] != strings.Repeat("x", 30) && filepath.Ext(got) != filepath.Ext(name) {
			t.Errorf("%q is sent as %q", name, got)
		}
	}
	m.Files = nil
	l := testLetter(tickets.LetterAnswer, "en")
	long := strings.Repeat("a", 990) + "@b.example"
	l.HeaderCc = []tickets.Address{{Name: "x", Address: long}, {Name: "y", Address: "y@b.example"}}
	_, h := mustRender(t, l, m)
	if cc, err := h.AddressList("Cc"); err != nil || len(cc) != 1 || cc[0].Address != "y@b.example" {
		t.Errorf("Cc %v, %v", cc, err)
	}
	if _, _, err := wireAddress(long); err == nil {
		t.Error("a letter leaves for an address of 1000 octets")
	}
}

// The words of people are neither Markdown nor template nor HTML.
func TestWordsAreVerbatim(t *testing.T) {
	m := testMaterial(t, "en")
	words := "**bold** {{.Name}} [click](http://evil.example) <script>alert(1)</script>\n  indented & \"quoted\"\n# heading\nsee https://good.example/a?b=1&c=(2)."
	l := testLetter(tickets.LetterAnswer, "en")
	l.Data.Text = words
	p, err := Compose(l, m)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(p.Plain, words+"\n") {
		t.Errorf("text part:\n%s", p.Plain)
	}
	for _, want := range []string{"**bold** {{.Name}} [click](", "&lt;script&gt;alert(1)&lt;/script&gt;", "&nbsp; indented &amp; &#34;quoted&#34;", "# heading",
		`<a href="https://good.example/a?b=1&amp;c=(2)" rel="noopener noreferrer">https://good.example/a?b=1&amp;c=(2)</a>.`} {
		if !strings.Contains(p.HTML, want) {
			t.Errorf("HTML part lacks %s:\n%s", want, p.HTML)
		}
	}
	if strings.Contains(p.HTML, "<script") {
		t.Error("script in the HTML part")
	}
	l = testLetter(tickets.LetterAcknowledgement, "en")
	l.To.Name, l.Subject, l.Data.Summary = "*Maria*", "_x_ `y` <b>", "> quote\n\ue0000\ue001 1. list"
	p, err = Compose(l, m)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.Plain, "Dear *Maria*,") || strings.Contains(p.HTML, "<em>") || strings.Contains(p.Plain, "\ue000") {
		t.Errorf("words interpreted:\n%s\n%s", p.Plain, p.HTML)
	}
}

// An agent's address is nowhere in a letter to a customer: not in the fields,
// nor in the words, where signatures and quoted headings bring it; nor is a
// relay address of an agent, which a quoted heading has too.
func TestAgentsAddressIsNowhere(t *testing.T) {
	m := testMaterial(t, "en")
	relay := m.Keys.RelayAddress("support@baleyo.example", "+", tickets.Relay{Ticket: 1234, Person: 8, Role: tickets.RelayAgent, Version: 4})
	for _, kind := range mailed() {
		l := testLetter(kind, "en")
		if l.Agent {
			continue
		}
		text := "Hello, Asha here <Asha@Baleyo.example>, or bikram@baleyo.example.\nOn Monday Maria <" + relay + "> wrote:\nnatasha@baleyo.example is somebody else."
		l.Data.Text, l.Data.Problem, l.Data.Solution, l.Data.Workaround = text, text, text, text
		l.HeaderTo = []tickets.Address{l.To, {Name: "Bikram", Address: "bikram@baleyo.example"}}
		l.HeaderCc = []tickets.Address{{Address: "ASHA@baleyo.example"}, {Address: "boss@keller.example"}}
		raw, h := mustRender(t, l, m)
		got := strings.ToLower(readable(t, raw))
		for _, secret := range []string{"asha@", "bikram@", relay} {
			if strings.Contains(strings.ReplaceAll(got, "natasha@", ""), strings.ToLower(secret)) {
				t.Errorf("%s: %q in\n%s", kind, secret, got)
			}
		}
		if kind == tickets.LetterAnswer && !strings.Contains(got, "natasha@baleyo.example") {
			t.Errorf("somebody else's address was changed:\n%s", got)
		}
		if h.Get("Cc") != "<boss@keller.example>" {
			t.Errorf("Cc: %s", h.Get("Cc"))
		}
	}
}

func TestFieldsOfALetter(t *testing.T) {
	m := testMaterial(t, "en")
	answer := testLetter(tickets.LetterAnswer, "en")
	_, h := mustRender(t, answer, m)
	id := strings.Trim(h.Get("Message-ID"), "<>")
	if tk, msg, err := m.Keys.ParseMessageID(id); err != nil || tk != 1234 || msg != "m99" {
		t.Errorf("Message-ID %s: %d, %q, %v", id, tk, msg, err)
	}
	if !m.Keys.VerifyLoopMark(h.Get("X-Frontdesk-Loop"), id) {
		t.Error("loop mark does not verify")
	}
	if h.Get("Auto-Submitted") != "" || h.Get("X-Auto-Response-Suppress") != "" || h.Get("X-Frontdesk-Ticket") != "" {
		t.Errorf("a person's answer has fields of a machine's: %v", h)
	}
	reply, err := h.AddressList("Reply-To")
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.Keys.ParseRelay(reply[0].Address, answer.Mailbox, "+")
	if d := cmp.Diff(tickets.Relay{Ticket: 1234, Person: 3, Role: tickets.RelayCustomer}, r); err != nil || d != "" {
		t.Errorf("Reply-To: %v\n%s", err, d)
	}
	copyTo := answer
	copyTo.ID, copyTo.Person, copyTo.To = 8, 5, tickets.Address{Address: "boss@keller.example"}
	if _, c := mustRender(t, copyTo, m); c.Get("Message-ID") != h.Get("Message-ID") {
		t.Error("copies of one message have different ids")
	}
	ack := testLetter(tickets.LetterAcknowledgement, "en")
	if _, h = mustRender(t, ack, m); h.Get("Auto-Submitted") != "auto-replied" || h.Get("X-Auto-Response-Suppress") != "All" || h.Get("Precedence") != "" {
		t.Errorf("acknowledgement: %v", h)
	}
	m.Separator = ""
	if _, h = mustRender(t, answer, m); h.Get("Reply-To") != "" || !strings.Contains(h.Get("From"), "<support@baleyo.example>") {
		t.Errorf("without subaddressing: %v", h)
	}
}

func TestAgentsThread(t *testing.T) {
	m := testMaterial(t, "en")
	l := testLetter(tickets.LetterNewTicket, "en")
	_, first := mustRender(t, l, m)
	root := strings.Trim(first.Get("References"), "<>")
	if tk, msg, err := m.Keys.ParseMessageID(root); err != nil || tk != 1234 || msg != "r8" {
		t.Errorf("root %s: %d, %q, %v", root, tk, msg, err)
	}
	from, err := first.AddressList("From")
	if err != nil || from[0].Name != "Maria Keller (Baleyo #1234)" {
		t.Errorf("From %v, %v", from, err)
	}
	if r, err := m.Keys.ParseRelay(from[0].Address, l.Mailbox, "+"); err != nil || r != (tickets.Relay{Ticket: 1234, Person: 8, Role: tickets.RelayAgent, Version: 4}) {
		t.Errorf("relay %+v, %v", r, err)
	}
	m.Earlier = []string{strings.Trim(first.Get("Message-ID"), "<>")}
	l.ID, l.Kind = 9, tickets.LetterMessage
	_, second := mustRender(t, l, m)
	if want := "<" + root + "> " + first.Get("Message-ID"); second.Get("References") != want || second.Get("In-Reply-To") != first.Get("Message-ID") {
		t.Errorf("References %s, In-Reply-To %s", second.Get("References"), second.Get("In-Reply-To"))
	}
	for name, want := range map[string]string{"Ticket": "1234", "Brand": "baleyo", "Severity": "high", "Queue": "support", "Due": "2026-11-25T09:00:00Z"} {
		if got := second.Get("X-Frontdesk-" + name); got != want {
			t.Errorf("X-Frontdesk-%s: %q, want %q", name, got, want)
		}
	}
}

func TestReferences(t *testing.T) {
	var long []string
	for i := range 50 {
		long = append(long, string(rune('a'+i%26))+strings.Repeat("x", i)+"@c")
	}
	got := references(long, "parent@c")
	if len(got) != keptReferences || got[0] != long[0] || got[keptReferences-1] != "parent@c" || got[1] != long[32] {
		t.Errorf("%d ids: %v", len(got), got)
	}
	if d := cmp.Diff([]string{"a@b", "p@b"}, references([]string{"a@b", "p@b", "a@b", "a b", "", "<x@y>", "ü@x"}, "p@b")); d != "" {
		t.Error(d)
	}
	if references(nil, "") != nil {
		t.Error("ids from nothing")
	}
}

// TestHeldCommandsAreShownAsTyped: commands without words once ended in the
// backslash that breaks the line before the words.
func TestHeldCommandsAreShownAsTyped(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		l := testLetter(tickets.LetterHeld, language)
		l.Data = tickets.LetterData{Problems: []string{"no"}, Commands: []string{"#tag +a", "#assign x."}}
		raw, _ := mustRender(t, l, testMaterial(t, language))
		if !bytes.Contains(raw, []byte("> #tag +a\r\n> #assign x.\r\n\r\n")) {
			t.Errorf("%s: not as typed:\n%s", language, raw)
		}
	}
}

func TestFilesTravel(t *testing.T) {
	m := testMaterial(t, "en")
	m.Files = []File{
		{Name: "Größe 印刷.pdf", ContentType: "application/pdf", Data: bytes.Repeat([]byte{0, 1, 2, 0xff}, 300)},
		{Name: "forwarded.eml", ContentType: "message/rfc822", Data: []byte("Subject: x\n\nbody\n")},
		{Name: "binary.eml", ContentType: "message/rfc822", Data: []byte("Subject: \xff\n\nbody\n")},
		{Name: "odd", ContentType: "no type at all", Data: []byte("x")},
		{Name: `Größe "x".pdf`, ContentType: "application/pdf", Data: []byte("x")},
	}
	raw, _ := mustRender(t, testLetter(tickets.LetterAnswer, "en"), m)
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	type seen struct{ Name, Type, Disposition, Encoding string }
	var got []seen
	err = e.Walk(func(path []int, e *message.Entity, err error) error {
		if err != nil {
			return err
		}
		ct, _, _ := e.Header.ContentType()
		if d, p, _ := e.Header.ContentDisposition(); d != "" {
			got = append(got, seen{p["filename"], ct, d, e.Header.Get("Content-Transfer-Encoding")})
		}
		return nil
	})
	want := []seen{{"Größe 印刷.pdf", "application/pdf", "attachment", "base64"}, {"forwarded.eml", "message/rfc822", "attachment", "7bit"},
		{"binary.eml", "application/octet-stream", "attachment", "base64"}, {"odd", "application/octet-stream", "attachment", "base64"},
		{`Größe "x".pdf`, "application/pdf", "attachment", "base64"}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if bytes.Contains(raw, []byte(`="=?`)) {
		t.Error("an encoded-word between quotation marks")
	}
}

func TestWireAddress(t *testing.T) {
	for _, c := range []struct {
		in, want string
		utf8     bool
	}{
		{"a@b.example", "a@b.example", false},
		{" a@Bücher.example ", "a@xn--bcher-kva.example", false},
		{"jürgen@b.example", "jürgen@b.example", true},
		{"a@[192.0.2.1]", "a@[192.0.2.1]", false},
		{"a@under_score.example", "a@under_score.example", false},
		{"", "", false}, {"a", "", false}, {"@b", "", false}, {"a@", "", false}, {"a b@c", "", false}, {"a\r@c", "", false},
		{"a>@c", "", false}, {"a@c>", "", false}, {"a@c\n", "a@c", false}, {"<a@c>", "", false}, {"a@c d", "", false}, {"a@\x00", "", false},
	} {
		got, utf8, err := wireAddress(c.in)
		if got != c.want || utf8 != c.utf8 || (err == nil) != (c.want != "") {
			t.Errorf("wireAddress(%q) = %q, %v, %v; want %q", c.in, got, utf8, err, c.want)
		}
	}
}

func TestOverrides(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("fr/closed.md", "Subject: {{.Subject}}\n\nBonjour.\n")
	write("en/closed.md", "Subject: {{.Subject}}\n\nOurs.\n")
	write("acme/en/closed.md", "Subject: {{.Subject}}\n\nAcme's.\n")
	ts := mustTemplates(t, dir)
	for _, c := range []struct{ brand, lang, want string }{
		{"baleyo", "en", "en/closed.md"}, {"acme", "en", "acme/en/closed.md"}, {"acme", "fr", "fr/closed.md"},
		{"baleyo", "de", "de/closed.md (built in)"}, {"baleyo", "ne", "en/closed.md (built in)"},
	} {
		tm, ok := ts.Find(c.brand, c.lang, tickets.LetterClosed)
		if !ok || !strings.HasSuffix(tm.Source, c.want) {
			t.Errorf("%s/%s: %v, want %s", c.brand, c.lang, tm, c.want)
		}
	}
	write("en/closd.md", "Subject: x\n\ny\n")
	write("en/answer.md", "Subject: x\n\n{{.Nmae}}\n")
	write("en/missing.md", "No subject line\n")
	_, err := LoadTemplates(dir)
	for _, want := range []string{"closd.md", "Nmae", "missing.md", "no letter has this name"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
	if _, err := LoadTemplates(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent folder: %v", err)
	}
}
