package notify

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"frontdesk/phone"
	"frontdesk/tickets"
)

const (
	ourLine = "tel:+49301234567"
	ourApp  = "whatsapp:+49301234567"
	anna    = "tel:+4915112345678"
)

// texted are the kinds of letter that go to telephones as texts.
func texted() (out []tickets.LetterKind) {
	for _, kind := range Kinds {
		if TextOnly(kind) || !strings.HasPrefix(string(kind), "agent-") {
			out = append(out, kind)
		}
	}
	return out
}

// testText is the sample letter of a kind as a text.
func testText(kind tickets.LetterKind, lang string) tickets.Letter {
	l := testLetter(kind, lang)
	l.Mailbox, l.To.Address = ourLine, anna
	if kind == tickets.LetterRingText {
		l.Agent, l.Person, l.Data.Severity = true, 8, "critical"
		l.To.Name = "Asha"
	}
	return l
}

// plainText of a kind: what most of them are, without anybody's words.
func testShortText(kind tickets.LetterKind, lang string) tickets.Letter {
	l := testText(kind, lang)
	l.Data = tickets.LetterData{RespondWithin: l.Data.RespondWithin, ResolveWithin: l.Data.ResolveWithin, CloseDays: l.Data.CloseDays, Severity: l.Data.Severity, From: "Maria Keller"}
	switch kind {
	case tickets.LetterAnswer:
		l.Data.Text = "Please try the other port; it is the one with the blue edge."
	case tickets.LetterMissing:
		l.Data.Missing = []string{"product"}
	case tickets.LetterRefused:
		l.Data.Refused = []tickets.Refusal{{Filename: "film.mov", Why: "size"}}
	}
	return l
}

func textMaterial(t testing.TB, lang string) Material {
	m := testMaterial(t, lang)
	m.Line, m.Email, m.Segments = Line{Template: "HX0123456789abcdef0123456789abcdef"}, "support@baleyo.example", 3
	m.Ticket.Mailbox = m.Email
	return m
}

// Each letter to a customer's telephone, with everything said and with what is
// usual, and what it costs. Whoever adds a letter adds its short form.
func TestEachTextInEachLanguage(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "de"} {
		m := textMaterial(t, lang)
		for _, kind := range texted() {
			var b strings.Builder
			for _, l := range []tickets.Letter{testShortText(kind, lang), testText(kind, lang)} {
				got, err := ComposeText(l, m)
				if err != nil {
					t.Errorf("%s/%s: %v (template.go says how a letter gets its short form)", lang, kind, err)
					continue
				}
				fmt.Fprintf(&b, "== %s, cut %v\n%s\n", ShowCount(got.Count), got.Cut, got.Text)
				if got.Count.Segments > 3 {
					t.Errorf("%s/%s: %d segments: %q", lang, kind, got.Count.Segments, got.Text)
				}
			}
			if got, err := ComposeText(testShortText(kind, lang), m); err == nil && (got.Count.Segments != 1 || got.Count.Encoding != phone.GSM7) {
				t.Errorf("%s/%s: %s: %q", lang, kind, ShowCount(got.Count), got.Text)
			}
			golden := filepath.Join("testdata", "texts", lang, string(kind)+".txt")
			if *update {
				if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
					t.Fatal(err)
				}
				mustWrite(t, golden, []byte(b.String()))
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Error(err)
			}
			if d := cmp.Diff(string(want), b.String()); d != "" {
				t.Errorf("%s/%s differs (-want +got), -update to accept:\n%s", lang, kind, d)
			}
		}
	}
}

// A text with nothing to say but its kind must still read as one.
func TestTextsWithLittleToSay(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "de"} {
		m := textMaterial(t, lang)
		m.PublicURL, m.Ticket = "", nil
		for _, kind := range texted() {
			l := testText(kind, lang)
			l.Data, l.Subject = tickets.LetterData{}, ""
			if kind == tickets.LetterAnswer {
				l.Data.Text = "Yes."
			}
			got, err := ComposeText(l, m)
			if err != nil {
				t.Errorf("%s/%s: %v", lang, kind, err)
				continue
			}
			for _, bad := range []string{"\n\n", " .", " ,", "<no value>", "()", "{{", "}}", "**", "\ue000", "  "} {
				if strings.Contains(got.Text, bad) {
					t.Errorf("%s/%s: %q in %q", lang, kind, bad, got.Text)
				}
			}
		}
	}
}

// An answer that is too long ends with the way to the rest of it.
func TestLongAnswerLinks(t *testing.T) {
	t.Parallel()
	m := textMaterial(t, "en")
	link := "https://desk.baleyo.example/t/" + testKeys.PageToken(1234, 3)
	long := strings.Repeat("Please unplug it and wait. ", 40)
	for _, c := range []struct {
		name, text, to string
		attached       int
		want           []string // at the end
		segments       int
		cut            bool
	}{
		{"short", "Please unplug it.", anna, 0, []string{"Please unplug it."}, 1, false},
		{"typographic", "It’s “done” – really…", anna, 0, []string{`It's "done" - really...`}, 1, false},
		{"long", long, anna, 0, []string{"... " + link}, 3, true},
		{"long and Cyrillic", strings.Repeat("пожалуйста ", 40), anna, 0, []string{"... " + link}, 3, true},
		{"a file", "See the picture.", anna, 1, []string{"See the picture.\nWith a file: " + link}, 1, false},
		{"long with files", long, anna, 2, []string{"...\nWith 2 files: " + link}, 3, true},
		{"WhatsApp takes it whole", long, "whatsapp:+4915112345678", 0, []string{strings.TrimSpace(long)}, 8, false},
		{"a mark in the words", "\ue0000\ue001 {{.Brand}}", anna, 0, []string{"{{.Brand}}"}, 1, false},
	} {
		l := testText(tickets.LetterAnswer, "en")
		l.Data.Text, l.To.Address, m.Attached = c.text, c.to, c.attached
		got, err := ComposeText(l, m)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !strings.HasSuffix(got.Text, c.want[0]) || got.Cut != c.cut || got.Count.Segments > c.segments || len(got.Text) > phone.MaxText {
			t.Errorf("%s: cut %v, %s: %q", c.name, got.Cut, ShowCount(got.Count), got.Text)
		}
	}
	m.PublicURL, m.Attached = "", 0
	l := testText(tickets.LetterAnswer, "en")
	l.Data.Text = long
	if got, err := ComposeText(l, m); err == nil {
		t.Errorf("an answer lost its end: %q", got.Text)
	}
}

// The question behind a long solution is asked all the same.
func TestResolutionKeepsItsQuestion(t *testing.T) {
	t.Parallel()
	l := testText(tickets.LetterResolution, "en")
	l.Data.Solution, l.Data.Workaround = strings.Repeat("We have renewed the licence. ", 50), ""
	got, err := ComposeText(l, textMaterial(t, "en"))
	if err != nil || !got.Cut || !strings.HasSuffix(got.Text, "\nIs it solved for you, too? Please reply YES or NO.") || !strings.Contains(got.Text, "/t/") || got.Count.Segments > 3 {
		t.Errorf("%v: %s %q", err, ShowCount(got.Count), got.Text)
	}
}

// Nobody's address but the desk's leaves in a text, and no agent's.
func TestTextWithholdsAgents(t *testing.T) {
	t.Parallel()
	l := testText(tickets.LetterAnswer, "en")
	l.Data.Text = "Write to asha@baleyo.example please."
	got, err := ComposeText(l, textMaterial(t, "en"))
	if err != nil || got.Text != "Write to support@baleyo.example please." {
		t.Errorf("%q %v", got.Text, err)
	}
}

// An operator's template without a short form, or with a broken one, does not
// stop the texts.
func TestOwnTemplateWithoutShortForm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ own, want string }{
		"none":  {"Subject: x\n\nClosed.\n", "Baleyo: as we have"},
		"own":   {"{{define \"text\"}}{{.Brand}} says: closed, {{.Number}}{{end}}Subject: x\n\nClosed.\n", "Baleyo says: closed, 1234"},
		"fails": {"{{define \"text\"}}{{if eq .Number \"1234\"}}{{index .Known 99}}{{end}}{{end}}Subject: x\n\nClosed.\n", "Baleyo: as we have"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, "en"), 0o755); err != nil {
				t.Fatal(err)
			}
			mustWrite(t, filepath.Join(dir, "en", "closed.md"), []byte(c.own))
			m := textMaterial(t, "en")
			ts, err := LoadTemplates(dir)
			if err != nil && name != "fails" {
				t.Fatal(err)
			}
			if name != "fails" {
				m.Templates = ts
			}
			got, err := ComposeText(testText(tickets.LetterClosed, "en"), m)
			if err != nil || !strings.HasPrefix(got.Text, c.want) {
				t.Errorf("%q %v", got.Text, err)
			}
		})
	}
}

// A recording without a name gets one that says what it is and when it came.
func TestFileNames(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 14, 5, 0, 0, time.UTC)
	for _, c := range []struct {
		a       tickets.Attachment
		channel tickets.Channel
		want    string
	}{
		{tickets.Attachment{ContentType: "audio/mpeg", Part: tickets.WholeRow}, tickets.ChannelVoice, "voicemail-2026-11-22-1405.mp3"},
		{tickets.Attachment{ContentType: "audio/ogg; codecs=opus", Part: tickets.WholeRow}, tickets.ChannelWhatsApp, "recording-2026-11-22-1405.ogg"},
		{tickets.Attachment{ContentType: "image/jpeg", Part: tickets.WholeRow}, tickets.ChannelSMS, "picture-2026-11-22-1405.jpeg"},
		{tickets.Attachment{ContentType: "application/../../x", Part: tickets.WholeRow}, tickets.ChannelSMS, "file-2026-11-22-1405"},
		{tickets.Attachment{ContentType: "", Part: tickets.WholeRow}, tickets.ChannelSMS, "file-2026-11-22-1405"},
		{tickets.Attachment{Filename: "a.png", ContentType: "image/png", Part: tickets.WholeRow}, tickets.ChannelSMS, "a.png"},
		{tickets.Attachment{ContentType: "image/png", Part: 2}, tickets.ChannelMail, ""},
	} {
		if got := fileName(c.a, tickets.Message{At: at, Channel: c.channel}); got != c.want {
			t.Errorf("%q: %q, want %q", c.a.ContentType, got, c.want)
		}
	}
}

// An agent's list shows a caller by name, else by number as people write it, and
// nobody's number is put into To or Cc.
func TestCallersInAgentsMail(t *testing.T) {
	t.Parallel()
	m := testMaterial(t, "en")
	l := testLetter(tickets.LetterNewTicket, "en")
	l.Data.Author, l.Data.From = "", "tel:+4915112345678"
	l.HeaderCc = []tickets.Address{{Address: "whatsapp:+4915112345678"}, {Address: anna}}
	for _, c := range []struct{ name, address, want string }{
		{"Maria Lopez", anna, "Maria Lopez (Baleyo #1234)"},
		{"", anna, "+4915112345678 (Baleyo #1234)"},
		{"", "whatsapp:+4915112345678", "WhatsApp +4915112345678 (Baleyo #1234)"},
	} {
		m.Ticket.Participants[0].Address = tickets.Address{Name: c.name, Address: c.address}
		raw, h := mustRender(t, l, m)
		from, err := h.AddressList("From")
		if err != nil || from[0].Name != c.want {
			t.Errorf("From %v, want %q: %v", from, c.want, err)
		}
		if h.Get("Cc") != "" || strings.Contains(string(raw), "tel:") {
			t.Errorf("Cc %q in\n%s", h.Get("Cc"), raw)
		}
	}
}

// X-Frontdesk-Due is what the letter is about, then what is promised next, then
// what somebody set.
func TestDueOfALetter(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC) }
	l, tk := tickets.Letter{}, &tickets.Ticket{}
	for _, want := range []time.Time{{}, day(1), day(2), day(3)} {
		switch want {
		case day(1):
			tk.Due = day(1)
		case day(2):
			tk.Promises.Clocks = []tickets.ClockView{{State: "running", Due: day(2)}, {State: "running", Due: day(9)}}
		case day(3):
			l.Data.Due = day(3)
		}
		if got := dueOf(l, tk); !got.Equal(want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
}
