package parser

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSubjectCore(t *testing.T) {
	t.Parallel()
	check := func(subject, core string, reply, forward bool) {
		t.Helper()
		if c, r, f := subjectCore(subject); c != core || r != reply || f != forward {
			t.Errorf("subjectCore(%q) = %q, %t, %t; want %q, %t, %t", subject, c, r, f, core, reply, forward)
		}
	}
	check("lamp", "lamp", false, false)
	check("Re: lamp", "lamp", true, false)
	check("RE:lamp", "lamp", true, false)
	check("re : lamp", "lamp", true, false)
	check("Re[2]: lamp", "lamp", true, false)
	check("Re (3): lamp", "lamp", true, false)
	check("Re^2: lamp", "lamp", true, false)
	check("AW4: lamp", "lamp", true, false)
	check("Re: AW: SV: Antw: VS: Odp: YNT: lamp", "lamp", true, false)
	check("回复：lamp", "lamp", true, false)
	check("答复: lamp", "lamp", true, false)
	check("转发: lamp", "lamp", false, true)
	check("Отв: lamp", "lamp", true, false)
	check("ΑΠ: lamp", "lamp", true, false)
	check("İLT: lamp", "lamp", false, true)
	check("Trả lời: lamp", "lamp", true, false)
	check("WG: lamp", "lamp", false, true)
	check("Fwd: Re: lamp", "lamp", true, true)
	check("RV: lamp", "lamp", true, true)
	check("TR : lampe", "lampe", false, true)
	check("I: lampada", "lampada", false, true)
	check("R: lampada", "lampada", true, false)
	check("[Fwd: lamp]", "lamp", false, true)
	check("lamp (fwd)", "lamp", false, true)
	check("[list] Re: [list] lamp", "lamp", true, false)
	check("Re: [Baleyo #1234] lamp", "lamp", true, false)
	check("lamp [Ticket#12]", "lamp", false, false)
	check("lamp [Case: 00012] dark", "lamp dark", false, false)
	check("lamp [blue] dark", "lamp [blue] dark", false, false)
	check("[Ticket#12]", "", false, false)
	check("[blue]", "[blue]", false, false)
	check("  many   blanks ", "many blanks", false, false)
	check("Re: Re: Re:", "", true, false)
	check("Reference: lamp", "Reference: lamp", false, false)
	check("Recall: lamp", "Recall: lamp", false, false)
	check("Lamp: dark", "Lamp: dark", false, false)
	check("\u200eRe: lamp", "lamp", true, false)
}

func TestParseAddresses(t *testing.T) {
	t.Parallel()
	check := func(raw string, want ...Address) {
		t.Helper()
		got, _ := parseAddresses(raw, "", 500)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("parseAddresses(%q) (-want +got):\n%s", raw, d)
		}
	}
	ada := Address{"ada@example.net", "Ada"}
	check("Ada <ada@example.net>", ada)
	check("Ada <ADA@EXAMPLE.NET>", Address{"ADA@example.net", "Ada"})
	check(`"Ada" <ada@example.net>`, ada)
	check("ada@example.net (Ada)", ada)
	check("<ada@example.net> Ada", ada)
	check("Ada ada@example.net", ada)
	check("Ada <ada@example.net", ada)
	check(`"Byron, Ada" <ada@example.net>`, Address{"ada@example.net", "Byron, Ada"})
	check(`"Ada \"Countess\" B." <ada@example.net>`, Address{"ada@example.net", `Ada "Countess" B.`})
	check("a@example.net, b@example.net; c@example.net", Address{"a@example.net", ""}, Address{"b@example.net", ""}, Address{"c@example.net", ""})
	check("Group: a@example.net, b@example.net;, c@example.net", Address{"a@example.net", ""}, Address{"b@example.net", ""}, Address{"c@example.net", ""})
	check("undisclosed-recipients:;")
	check("=?utf-8?q?Ad=C3=A4?= <ada@example.net>", Address{"ada@example.net", "Adä"})
	check("=?utf-8?q?Byron=2C_Ada?= <ada@example.net>, b@example.net", Address{"ada@example.net", "Byron, Ada"}, Address{"b@example.net", ""})
	check("<@a.example,@b.example:ada@example.net>", Address{"ada@example.net", ""})
	check("mailto:ada@example.net", Address{"ada@example.net", ""})
	check("ada @ example . net", Address{"ada@example.net", ""})
	check("'Ada' <ada@example.net>", ada)
	check("MAILER-DAEMON", Address{"MAILER-DAEMON", ""})
	check("Ada <>", Address{"", "Ada"})
	check("", []Address(nil)...)
	check(`"a b"@example.net`, Address{`"a b"@example.net`, ""})
	check("Ada (x) <ada@example.net> (y)", ada)
}

func TestAddressSame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"Ada@example.net", "ada@EXAMPLE.net", true},
		{"ada@exämple.example", "ada@xn--exmple-cua.example", true},
		{"ada@example.net", "bob@example.net", false},
		{"", "", false},
	} {
		if got := (Address{Address: c.a}).Same(Address{Address: c.b}); got != c.want {
			t.Errorf("%q same as %q = %t, want %t", c.a, c.b, got, c.want)
		}
	}
}

func TestParseMessageIDs(t *testing.T) {
	t.Parallel()
	check := func(raw string, want ...string) {
		t.Helper()
		if d := cmp.Diff(want, parseMessageIDs(raw)); d != "" {
			t.Errorf("parseMessageIDs(%q) (-want +got):\n%s", raw, d)
		}
	}
	check("<a@b> <c@d>", "a@b", "c@d")
	check("<a@b><c@d>", "a@b", "c@d")
	check("<a@b>,<a@b>", "a@b")
	check("a@b", "a@b")
	check("<a@b", "a@b")
	check("<<a@b>>", "a@b")
	check("<a@ b>", "a@b")
	check("Your message of Monday <a@b>", "a@b")
	check("", []string(nil)...)
	check("<>", []string(nil)...)
	check("<no-at-sign>", "no-at-sign")
}

// TestParseDate has dates as mail has them; guarantee C11 for the unreadable.
func TestParseDate(t *testing.T) {
	t.Parallel()
	check := func(raw, want string) {
		t.Helper()
		got := ""
		if d := parseDate(raw); !d.IsZero() {
			got = d.Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("parseDate(%q) = %s, want %s", raw, got, want)
		}
	}
	check("Mon, 2 Mar 2026 09:14:05 +0100", "2026-03-02T09:14:05+01:00")
	check("2 Mar 2026 09:14 GMT", "2026-03-02T09:14:00Z")
	check("Mon, 2 Mar 26 09:14:05 EST", "2026-03-02T09:14:05-05:00")
	check("Mon, 02 Mar 126 09:14:05 +0000", "2026-03-02T09:14:05Z")
	check("Mon Mar  2 09:14:05 2026", "2026-03-02T09:14:05Z")
	check("Mon Mar  2 09:14:05 CET 2026", "2026-03-02T09:14:05+01:00")
	check("2026-03-02T09:14:05Z", "2026-03-02T09:14:05Z")
	check("2026-03-02 09:14:05 +0200", "2026-03-02T09:14:05+02:00")
	check("Mon, 2 Mar 2026 09:14:05 +0100 (CET)", "2026-03-02T09:14:05+01:00")
	check("Mon, 2 Mar 2026 09:14:05 GMT+01:00", "2026-03-02T09:14:05+01:00")
	check("Montag, 2. März 2026 09:14", "2026-03-02T09:14:00Z")
	check("lundi 2 mars 2026 09:14", "2026-03-02T09:14:00Z")
	check("mardi 3 mars 2026 09:14", "2026-03-03T09:14:00Z")
	check("02.03.2026 09:14", "2026-03-02T09:14:00Z")
	check("3/2/2026 9:14:05 PM", "2026-03-02T21:14:05Z")
	check("2-Mar-2026 09:14:05 -0330", "2026-03-02T09:14:05-03:30")
	check("Mon, 2 Mar 2026 09:14:05 +9900", "2026-03-02T09:14:05Z")
	check("Thu, 01 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00Z")
	check("Fri, 31 Dec 2099 23:59:59 +0000", "2099-12-31T23:59:59Z")
	check("", "")
	check("yesterday", "")
	check("\x00\xff", "")
	check("99 99 9999", "")
}

func TestDecodeHeader(t *testing.T) {
	t.Parallel()
	check := func(raw, want string) {
		t.Helper()
		if got := decodeHeader(raw, "windows-1252"); got != want {
			t.Errorf("decodeHeader(%q) = %q, want %q", raw, got, want)
		}
	}
	check("plain", "plain")
	check("=?utf-8?q?a_b?=", "a b")
	check("=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab")
	check("=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab")
	check("=?utf-8?q?a?= b", "a b")
	check("=?utf-8?b?w6Q=?=", "ä")
	check("=?utf-8?b?w6Q?=", "ä")
	check("=?utf-8?b?w6?= =?utf-8?q?=A4?=", "ä")
	check("=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä")
	check("=?iso-8859-1*de?q?=E4?=", "ä")
	check("=?utf-8?q?open", "open")
	check("=?utf-8?q?a b?=", "a b")
	check("(=?utf-8?q?a?=)", "(a)")
	check("=?utf-8?x?a?=", "=?utf-8?x?a?=")
	check("=?x-unknown?q?=E4?=", "ä")
	check("=?utf-8?q?really=3F?=", "really?")
	check("gr\xf6\xdfe", "größe")
	check("größe", "größe")
	check("a\x00b", "a\uFFFDb")
	check("=?utf-8?q?a=0Ab?=", "a b")
	check("=?", "=?")
	check("=?utf-8?q??=", "")
}

// TestDecodeText is guarantee C06: whatever the label, the text is valid UTF-8
// and never empty.
func TestDecodeText(t *testing.T) {
	t.Parallel()
	check := func(data, label, want string) {
		t.Helper()
		if got, _ := decodeText([]byte(data), label); got != want {
			t.Errorf("decodeText(%q, %q) = %q, want %q", data, label, got, want)
		}
	}
	check("abc", "", "abc")
	check("gr\xf6\xdfe", "iso-8859-1", "größe")
	check("gr\xf6\xdfe", `"ISO-8859-1"`, "größe")
	check("gr\xf6\xdfe", "iso8859_1", "größe")
	check("größe", "UTF8", "größe")
	check("größe", "us-ascii", "größe")
	check("gr\xf6\xdfe", "us-ascii", "größe")
	check("gr\xf6\xdfe", "unknown-8bit", "größe")
	check("gr\xf6\xdfe", "no-such-charset", "größe")
	check("\x80", "cp1252", "€")
	check("+AOQ-", "utf-7", "ä")
	check("a+-b", "utf-7", "a+b")
	check("\xff\xfea\x00", "utf-16", "a")
	check("\x00a\x00b", "utf-16be", "ab")
	check("a\x00b\x00", "utf-16", "ab")
	check("\x00\xd8", "utf-16le", "\uFFFD")
	check("a\x00\x00\x00", "utf-32le", "a")
	check("\x00\x00\x00a", "utf-32be", "a")
	check("\xc4\xe3\xba\xc3", "gb2312", "你好")
	check("\x93\xfa\x96{", "cp932", "日本")
	check("\x1b$B$\"\x1b(B", "iso-2022-jp", "あ")
	check("\xb0\xa1", "ks_c_5601-1987", "가")
	check("\xd4\xc5\xd3\xd4", "koi8-r", "тест")
	check("a\x00b", "utf-8", "a\uFFFDb")
	check("ab\xffcdäöü", "utf-8", "ab\uFFFDcdäöü")
	check("\xef\xbb\xbfabc", "utf-8", "abc")
	check("a", "macintosh", "a")
}

func TestParseParams(t *testing.T) {
	t.Parallel()
	check := func(raw, value, key, want string) {
		t.Helper()
		p := parseParams(raw, "")
		if p.value != value || p.params[key] != want {
			t.Errorf("parseParams(%q) = %q, %s=%q; want %q, %q", raw, p.value, key, p.params[key], value, want)
		}
	}
	check("text/plain; charset=utf-8", "text/plain", "charset", "utf-8")
	check("TEXT/PLAIN; CHARSET = \"utf-8\"", "text/plain", "charset", "utf-8")
	check("text/plain charset=utf-8", "text/plain", "charset", "utf-8")
	check("text/plain; charset=utf-8 (comment)", "text/plain", "charset", "utf-8")
	check("attachment; filename=a b.txt", "attachment", "filename", "a b.txt")
	check(`attachment; filename="a;b.txt"`, "attachment", "filename", "a;b.txt")
	check(`attachment; filename="a\"b.txt"`, "attachment", "filename", `a"b.txt`)
	check(`attachment; filename="never closed; size=3`, "attachment", "filename", "never closed")
	check("attachment; filename*=utf-8''%C3%A4.txt", "attachment", "filename", "ä.txt")
	check("attachment; filename*=utf-8''%C3%A4.txt; filename=a.txt", "attachment", "filename", "ä.txt")
	check("attachment; filename*1=b.txt; filename*0=a", "attachment", "filename", "ab.txt")
	check("attachment; filename*0*=utf-8''%C3; filename*1*=%A4", "attachment", "filename", "ä")
	check(`attachment; filename="=?utf-8?q?=C3=A4.txt?="`, "attachment", "filename", "ä.txt")
	check("multipart/mixed; boundary=\"a b\" ; x=y", "multipart/mixed", "boundary", "a b")
	check(";;;", "", "a", "")
	check("charset=utf-8", "", "charset", "utf-8")
}

func TestCutCommands(t *testing.T) {
	t.Parallel()
	check := func(reply, body string, commands ...string) {
		t.Helper()
		c, b := cutCommands(reply)
		if d := cmp.Diff(commands, c); d != "" || b != body {
			t.Errorf("cutCommands(%q): body %q, want %q; commands (-want +got):\n%s", reply, b, body, d)
		}
	}
	check("#close", "", "#close")
	check("#close\nthanks", "thanks", "#close")
	check("\n\n#close\n\n#tag +a\n\nthanks", "thanks", "#close", "#tag +a")
	check("thanks\n#close", "thanks\n#close")
	check("/close\n@note x\n!spam\n", "", "#close", "#note x", "#spam")
	check("/close!\n!close!\n@close;\nx", "x", "#close!", "#close!", "#close;")
	check("/usr/bin is full", "/usr/bin is full")
	check("@ada please look", "@ada please look")
	check("!important", "!important")
	check("#1 is dark", "#1 is dark")
	check("# heading", "# heading")
	check("##close is a word", "#close is a word")
	check("#unknown word", "", "#unknown word")
	check("#note a\n##b", "#b", "#note a")
	check("\u00a0#close\u00a0now", "", "#close now")
	check("", "")
}

func TestContentHash(t *testing.T) {
	t.Parallel()
	hash := func(s string) [32]byte { return Parse([]byte(s), Options{}).Content }
	mail := "From: ada@example.net\nTo: desk@example.org\nSubject: lamp\nDate: Mon, 2 Mar 2026 09:14:05 +0100\nMessage-ID: <1@example.net>\n\nIt is dark.\n"
	for name, same := range map[string]string{
		"CRLF":                 strings.ReplaceAll(mail, "\n", "\r\n"),
		"other trace fields":   "Return-Path: <x@example.net>\nReceived: by a\nReceived: by b\nDelivered-To: y@example.org\nX-Spam: no\n" + mail,
		"trailing blank lines": mail + "\n\n  \n",
		"folded":               strings.Replace(mail, "Subject: lamp", "Subject:\n  lamp", 1),
		"no final line end":    strings.TrimRight(mail, "\n"),
	} {
		if hash(same) != hash(mail) {
			t.Errorf("%s: hash differs", name)
		}
	}
	for name, other := range map[string]string{
		"body":       strings.Replace(mail, "dark", "light", 1),
		"subject":    strings.Replace(mail, "lamp", "lamps", 1),
		"message-id": strings.Replace(mail, "<1@", "<2@", 1),
		"recipient":  strings.Replace(mail, "desk@", "desks@", 1),
		"blank line": strings.Replace(mail, "It is", "It\n\nis", 1),
	} {
		if hash(other) == hash(mail) {
			t.Errorf("%s: hash is the same", name)
		}
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for want, text := range map[string]string{
		"en": "Hello, the lamp that you sent me is dark and I have not been able to repair it. What can we do?",
		"de": "Guten Tag, die Lampe ist dunkel und ich kann sie nicht mit dem Schalter einschalten. Bitte helfen Sie mir.",
		"fr": "Bonjour, la lampe que vous avez envoyée ne fonctionne pas et je ne sais pas ce que je dois faire avec elle.",
		"es": "Hola, la lámpara que me han enviado no funciona y no sé lo que tengo que hacer con ella. Gracias por su ayuda.",
		"it": "Buongiorno, la lampada che mi avete mandato non funziona e non so come posso fare. Grazie per il vostro aiuto.",
		"nl": "Hallo, de lamp die u hebt gestuurd werkt niet en ik weet niet wat ik moet doen. Kunt u mij helpen met het probleem?",
		"pl": "Dzień dobry, lampa nie działa i nie wiem, co mam z tym zrobić. Proszę o pomoc, czy to jest na gwarancji?",
		"ru": "Здравствуйте, лампа не работает и я не знаю, что с ней делать. Пожалуйста, помогите мне.",
		"ja": "ランプが点きません。どうすればいいですか。",
		"zh": "灯不亮了，请问我应该怎么办？",
		"ko": "램프가 켜지지 않습니다. 어떻게 해야 하나요?",
		"el": "Η λάμπα δεν ανάβει. Τι πρέπει να κάνω;",
		"ar": "المصباح لا يعمل، ماذا أفعل؟",
		"he": "המנורה לא נדלקת. מה לעשות?",
		"":   "ok 4711",
	} {
		if got := detectLanguage(text); got != want {
			t.Errorf("detectLanguage(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestEnhancedCode(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"550 5.1.1 unknown": "5.1.1", "5.1.1 (comment)": "5.1.1", "#5.1.0 rejected": "5.1.0", "host 5.1.2.3 said": "", "[192.0.5.1.1]": "", "version 4.95": "",
		"550-5.7.26 x": "5.7.26", "(#4.4.1)": "4.4.1", "2.0.0": "2.0.0", "v5.1.1": "", "5.1.": "", "": "", "4.0.0.5": "",
	} {
		if got := enhancedCode(s); got != want {
			t.Errorf("enhancedCode(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestFactsByPattern(t *testing.T) {
	t.Parallel()
	m := Parse([]byte("Subject: lamp\n\nMy order AB-1234 has serial SN 99-X.\nOrder AB-1234 again.\n"), Options{Patterns: map[string]string{"order": `\b([A-Z]{2}-\d{4})\b`, "serial": `SN (\S+)\.`, "broken": `(`}})
	want := []Fact{{"order", "AB-1234", 1}, {"serial", "99-X", 1}}
	if d := cmp.Diff(want, m.Facts); d != "" {
		t.Errorf("facts (-want +got):\n%s", d)
	}
}

// TestOneMessage is guarantee C14: dots that look like the end of SMTP data
// are text.
func TestOneMessage(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n.\n", "\r\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r"} {
		m := Parse([]byte("From: ada@example.net\r\nSubject: one\r\n\r\nfirst"+end+"MAIL FROM:<x@example.net>\r\n\r\nSubject: two\r\n\r\nlast\r\n"), Options{})
		if m.Subject != "one" || !strings.Contains(m.Text, "last") || strings.Contains(m.Text, "\r") {
			t.Errorf("end %q: subject %q, text %q", end, m.Subject, m.Text)
		}
	}
}

// TestMobileSignature has the lines that phones and apps append.
func TestMobileSignature(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"Sent from my iPhone", "Sent from my Samsung Galaxy smartphone.", "Get Outlook for iOS", "Get [Outlook for Android](https://aka.ms/x)", "Sent from Mail for Windows 10", "Sent with Proton Mail secure email.", "Sent via the Example app",
		"Von meinem iPhone gesendet", "Gesendet von Mail für Windows", "Holen Sie sich Outlook für iOS", "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.", "Envoyé de mon iPhone", "Envoyé depuis mon mobile", "Télécharger Outlook pour Android",
		"Enviado desde mi iPhone", "Enviado do meu iPhone", "Inviato da iPhone", "Verstuurd vanaf mijn iPhone", "Skickat från min iPhone", "Sendt fra min iPhone", "Lähetetty iPhonesta", "Wysłane z iPhone'a", "Odesláno z iPhonu", "Отправлено с iPhone", "Надіслано з iPhone", "iPhone'umdan gönderildi", "Στάλθηκε από το iPhone μου", "iPhoneから送信", "从我的iPhone发送", "발신: 나의 iPhone에서 보냄", "Dikirim dari iPhone saya", "Trimis de pe iPhone-ul meu", "Poslano s iPhonea",
		"<<sent by phone>>", "(Sent from mobile)", "*Sent from my phone*",
	} {
		if !mobileSignature(s) {
			t.Errorf("%q is a phone's signature", s)
		}
	}
	for _, s := range []string{"It was sent from Berlin.", "Sent by mistake, please ignore", "Samsung washing machine model 7", "Enviado", "Get well soon", "Have you sent from there?"} {
		if mobileSignature(s) {
			t.Errorf("%q is no phone's signature", s)
		}
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	m := Parse([]byte("From: Ada <ada@example.net>\nSubject: lamp\n\nThe lamp of order AB-1 is dark since Monday. I tried another socket.\nError: 12\n"), Options{Patterns: map[string]string{"order": `[A-Z]{2}-\d`}})
	if d := cmp.Diff([]string{"phone", "screenshot", "expected", "first_time"}, m.Missing(nil)); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"serial"}, m.Missing([]string{"order", "serial"})); d != "" {
		t.Errorf("missing of two (-want +got):\n%s", d)
	}
}
