package parser

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// addFixtures seeds a fuzz target with the mails of testdata.
func addFixtures(f *testing.F) {
	f.Helper()
	names, _ := filepath.Glob("testdata/*.eml")
	for _, n := range names {
		raw, err := os.ReadFile(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
}

// checkMail holds what is true of every Mail, whatever it was made of.
func checkMail(t *testing.T, raw []byte, m *Mail) {
	t.Helper()
	out, err := json.Marshal(m)
	if err != nil || !json.Valid(out) {
		t.Fatalf("no JSON: %v", err)
	}
	for name, s := range map[string]string{"Subject": m.Subject, "SubjectCore": m.SubjectCore, "Text": m.Text, "HTML": m.HTML, "ReplyText": m.ReplyText, "Body": m.Body, "From": m.From.Address + m.From.Name} {
		if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
			t.Errorf("%s is not clean UTF-8: %q", name, clip(s, 200))
		}
	}
	for name, s := range map[string]string{"Subject": m.Subject, "SubjectCore": m.SubjectCore, "From": m.From.Address + m.From.Name, "MessageID": m.MessageID} {
		if strings.ContainsAny(s, "\r\n") {
			t.Errorf("%s has a line end: %q", name, s)
		}
	}
	for _, d := range m.Defects {
		if strings.HasPrefix(d, "internal error") {
			t.Errorf("panic within: %s", d)
		}
	}
	for _, a := range m.Attachments {
		if len(a.Filename) > maxFilename || strings.ContainsAny(a.Filename, "/\\\x00\r\n") || a.Size != len(a.Data) {
			t.Errorf("attachment %q of %d bytes, size %d", a.Filename, len(a.Data), a.Size)
		}
	}
	if strings.TrimSpace(m.Text) == "" && strings.TrimFunc(m.ReplyText, isBlankOrNewline) != "" {
		t.Errorf("ReplyText %q without Text", clip(m.ReplyText, 200))
	}
	if strings.TrimFunc(m.Text, isBlankOrNewline) != "" && m.ReplyText == "" {
		t.Errorf("no ReplyText of %q, cuts %v", clip(m.Text, 300), m.Cuts)
	}
	if m.Kind == "" || m.Size != len(raw) {
		t.Errorf("kind %q, size %d of %d", m.Kind, m.Size, len(raw))
	}
}

func FuzzParse(f *testing.F) {
	addFixtures(f)
	f.Add([]byte(""))
	f.Add([]byte("\r\n"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--a--\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := Parse(raw, Options{Country: "DE"})
		checkMail(t, raw, m)
		checkSpared(t, raw)
		if again := Parse(raw, Options{Country: "DE"}); again.Content != m.Content || again.ReplyText != m.ReplyText || again.Kind != m.Kind {
			t.Error("two readings of one mail differ")
		}
	})
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a@example.net", `"B, A" <a@example.net>, Group: x@example.net;`, "=?utf-8?q?A_=3Ca=40example.net=3E?=", "a@example.net (Ada (x))", "<a@example.net", `"a`, "@r,@s:a@example.net", "a@[192.0.2.1]", ";;,,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, _ := parseAddresses(s, "", 500)
		for _, a := range list {
			if !utf8.ValidString(a.Address+a.Name) || strings.ContainsAny(a.Address+a.Name, "\r\n\x00") {
				t.Errorf("%q from %q", a, s)
			}
		}
		if len(list) > 500 {
			t.Errorf("%d addresses", len(list))
		}
	})
}

func FuzzMsgID(f *testing.F) {
	for _, s := range []string{"<a@b>", "<a@b> <c@d>", "a@b", "<a@b", "<<a@b>>", "<a\r\n b@c>", "Message of Monday <a@b>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, id := range parseMessageIDs(s) {
			if id == "" || strings.ContainsAny(id, "<> \r\n\t") || !utf8.ValidString(id) {
				t.Errorf("%q from %q", id, s)
			}
		}
	})
}

func FuzzEncodedWord(f *testing.F) {
	for _, s := range []string{"=?utf-8?q?a_b?=", "=?utf-8?b?w6Q=?= =?utf-8?b?w6Q=?=", "=?x?b?", "=?utf-8?q?=?=?=", "=?iso-2022-jp?B?GyRC?=", "=?utf-7?q?+AOQ-?="} {
		f.Add(s, "windows-1252")
	}
	f.Fuzz(func(t *testing.T, s, charset string) {
		if out := decodeHeader(s, charset); !utf8.ValidString(out) || strings.ContainsAny(out, "\r\n\x00") {
			t.Errorf("%q from %q", out, s)
		}
	})
}

func FuzzBodyText(f *testing.F) {
	for _, s := range []string{"<p>a</p>", "<blockquote><blockquote>", "<table><td>a<td>b", "<a href=https://example.org>x</a>", "<ul><li>a<ol><li>b</ul>", "<pre>\n a</pre>", "<!--", "<div style='display:none'>x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		lines := htmlText(s, 1<<20)
		if !utf8.ValidString(joinLines(lines)) {
			t.Errorf("invalid text from %q", s)
		}
		low := strings.ToLower(sanitize(s))
		if strings.Contains(low, "<script") || strings.Contains(low, "<iframe") {
			t.Errorf("active content %q from %q", low, s)
		}
		unflow(s, true)
		takeEmbedded([]byte(s), func() {})
		enrichedText(s)
	})
}

func FuzzQuote(f *testing.F) {
	for _, a := range attributions {
		f.Add("Thanks.\n\n" + a.lines + "\n> x\n")
	}
	for _, h := range headerBlocks {
		f.Add("Thanks.\n\n" + h.lines + "\n\nx\n")
	}
	f.Fuzz(func(t *testing.T, s string) {
		lines := plainLines(s)
		reply, cuts := findReply(lines)
		if !utf8.ValidString(reply) {
			t.Errorf("invalid reply from %q", s)
		}
		last := 0
		for _, c := range cuts {
			if c.From <= last || c.To < c.From || c.To > len(lines) || c.Rule == "" {
				t.Errorf("cut %+v of %d lines", c, len(lines))
			}
			last = c.To
		}
	})
}

func FuzzReport(f *testing.F) {
	f.Add("Final-Recipient: rfc822;a@example.net\nAction: failed\nStatus: 5.1.1\n\n")
	f.Add("<a@example.net>:\n550 5.1.1 unknown\n\n--- Below this line is a copy of the message.\n\nMessage-ID: <x@y>\n")
	f.Fuzz(func(t *testing.T, s string) {
		readStatus([]byte(s))
		own, copied := splitReport(s)
		if len(own)+len(copied) > len(s) {
			t.Error("text grew")
		}
		m := Parse([]byte("From: MAILER-DAEMON@example.net\nReturn-Path: <>\nSubject: failure notice\n\n"+s), Options{})
		if m.Kind != KindBounce && m.Kind != KindDelayed {
			t.Errorf("kind %s", m.Kind)
		}
		checkMail(t, []byte("From: MAILER-DAEMON@example.net\nReturn-Path: <>\nSubject: failure notice\n\n"+s), m)
	})
}

func FuzzTNEF(f *testing.F) {
	f.Add(makeTNEF("a.txt", []byte("content")))
	f.Fuzz(func(t *testing.T, data []byte) {
		tn, _ := readTNEF(data)
		for _, file := range tn.files {
			if len(file.data) > len(data) {
				t.Error("file larger than its TNEF")
			}
		}
		opaqueContent(data)
		if out := inflateRTF(data, 1<<16); len(out) > 1<<16+200 {
			t.Errorf("RTF of %d bytes", len(out))
		}
		rtfText(data)
		readCalendar(toValid(string(data)))
	})
}

func FuzzCommands(f *testing.F) {
	for _, s := range []string{"#close\nthanks", "\n\n#a\n\n#b\n\nx", "##x", "/close now", "@note x\n!spam", "#", "# x", "#1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		commands, body := cutCommands(s)
		for _, c := range commands {
			if len(c) < 2 || c[0] != '#' || strings.Contains(c, "\n") {
				t.Errorf("command %q from %q", c, s)
			}
		}
		if len(body) > len(s) {
			t.Errorf("body grew: %q from %q", body, s)
		}
	})
}
