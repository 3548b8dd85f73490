package phone

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSegments(t *testing.T) {
	t.Parallel()
	x := strings.Repeat
	for _, c := range []struct {
		name, text string
		want       Count
	}{
		{"empty", "", Count{GSM7, 0, 0}},
		{"one character", "a", Count{GSM7, 1, 1}},
		{"160 fit into one", x("a", 160), Count{GSM7, 160, 1}},
		{"161 do not", x("a", 161), Count{GSM7, 161, 2}},
		{"306 fit into two", x("a", 306), Count{GSM7, 306, 2}},
		{"307 do not", x("a", 307), Count{GSM7, 307, 3}},
		{"umlauts are GSM", x("äöüÄÖÜß", 20), Count{GSM7, 140, 1}},
		{"the euro sign counts twice", x("€", 80), Count{GSM7, 160, 1}},
		{"81 of them do not fit", x("€", 81), Count{GSM7, 162, 2}},
		{"brackets count twice", "[x]{y}", Count{GSM7, 10, 1}},
		{"an escape is not cut: 152 and a half", x("a", 152) + "€" + x("a", 152), Count{GSM7, 306, 3}},
		{"70 of UCS-2 fit", x("ł", 70), Count{UCS2, 70, 1}},
		{"71 do not", x("ł", 71), Count{UCS2, 71, 2}},
		{"134 fit into two", x("ł", 134), Count{UCS2, 134, 2}},
		{"one character makes all of it UCS-2", x("a", 70) + "’", Count{UCS2, 71, 2}},
		{"35 emoji are 70 units", x("🔥", 35), Count{UCS2, 70, 1}},
		{"a pair is not cut: 33 in 67 units", x("🔥", 36), Count{UCS2, 72, 2}},
		{"66 of them fit into two", x("🔥", 66), Count{UCS2, 132, 2}},
		{"67 do not", x("🔥", 67), Count{UCS2, 134, 3}},
		{"invalid UTF-8", "\xff", Count{UCS2, 1, 1}},
		{"Nepali", "नमस्ते", Count{UCS2, 6, 1}},
		{"line feeds", "a\nb\r\n", Count{GSM7, 5, 1}},
		{"a tab is not GSM", "a\tb", Count{UCS2, 3, 1}},
	} {
		if got := Segments(c.text); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"It’s “done” – see…":            `It's "done" - see...`,
		"a\r\n\r\n\r\n\r\nb  \n":        "a\n\nb",
		"\n\n\u00a0a\u200b b\u202fc\t.": "a b c .",
		"Paweł":                         "Paweł",
		"a\x00b\x1b[0m":                 "ab[0m",
		"":                              "",
	} {
		got := Plain(in)
		if got != want || Plain(got) != got {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	t.Parallel()
	link := "https://desk.example/t/abc"
	long := strings.Repeat("A sentence of seven words is here. ", 30)
	for _, c := range []struct {
		name, text, link string
		limit            int
		cut              bool
	}{
		{"fits", "short", link, 1, false},
		{"one segment", long, link, 1, true},
		{"three segments", long, link, 3, true},
		{"no link", long, "", 2, true},
		{"emoji", strings.Repeat("👩‍🔧", 100), link, 2, true},
		{"no blanks", strings.Repeat("a", 2000), link, 3, true},
		{"limit of none is one", long, link, 0, true},
		{"above the limit of a text", strings.Repeat("word ", 400), link, 99, true},
		{"a link that fills it", long, "https://desk.example/" + strings.Repeat("x", 130), 1, true},
	} {
		got, cut := Shorten(c.text, c.limit, c.link)
		n := Segments(got)
		if cut != c.cut || n.Segments > max(c.limit, 1) || !utf8.ValidString(got) || cut && !strings.HasSuffix(got, c.link) || units16(got) > MaxText {
			t.Errorf("%s: cut %v, %+v, %q", c.name, cut, n, got)
		}
		if strings.HasSuffix(strings.TrimSuffix(got, "... "+c.link), "\u200d") {
			t.Errorf("%s: an emoji was cut in two: %q", c.name, got)
		}
	}
	if got, _ := Shorten("The printer on the second floor is repaired; please try to print again and tell us whether it works now, thank you very much for your patience and your help with it.", 1, link); got != "The printer on the second floor is repaired; please try to print again and tell us whether it works now, thank you very much for... "+link {
		t.Errorf("got %q", got)
	}
	huge := "https://desk.example/" + strings.Repeat("x", 500)
	if got, cut := Shorten(long, 1, huge); got != huge || !cut {
		t.Errorf("got %q", got)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	if got := Split("short", 3, "x"); len(got) != 1 || got[0] != "short" {
		t.Error(got)
	}
	words := strings.Fields(strings.Repeat("alpha beta gamma delta ", 200)) // 4,600 characters
	parts := Split(strings.Join(words, " "), 9, "https://desk.example/t/abc")
	var joined []string
	for n, part := range parts {
		mark := fmt.Sprintf(" (%d/%d)", n+1, len(parts))
		if !strings.HasSuffix(part, mark) || units16(part) > MaxText {
			t.Errorf("part %d: %d units, %q", n, units16(part), part)
		}
		joined = append(joined, strings.Fields(strings.TrimSuffix(part, mark))...)
	}
	if len(parts) != 3 || strings.Join(joined, " ") != strings.Join(words, " ") {
		t.Errorf("%d parts, %d of %d words", len(parts), len(joined), len(words))
	}
	cut := Split(strings.Join(words, " "), 2, "https://desk.example/t/abc")
	if len(cut) != 2 || !strings.HasSuffix(cut[1], "... https://desk.example/t/abc (2/2)") || units16(cut[1]) > MaxText {
		t.Errorf("%d parts, %q", len(cut), cut[len(cut)-1])
	}
}

func FuzzText(f *testing.F) {
	f.Add("It’s “done” – see…", 1, "https://desk.example/t/abc")
	f.Add(strings.Repeat("🔥€a ", 600), 3, "")
	f.Add("\xff\x00\u200d", 0, "x")
	f.Fuzz(func(t *testing.T, text string, limit int, link string) {
		if len(text) > 20000 || len(link) > 60 || limit > 50 {
			return
		}
		text = clean(text, 20000)
		link = strings.Join(strings.Fields(Plain(link)), "-")
		if Segments(link).Segments > 1 {
			return
		}
		n := Segments(text)
		if joined := map[Encoding]int{GSM7: gsmJoined, UCS2: ucsJoined}[n.Encoding]; n.Segments*joined < n.Units && n.Segments > 1 {
			t.Fatalf("%q: %+v", text, n)
		}
		short, cut := Shorten(text, limit, link)
		if got := Segments(short); got.Segments > max(limit, 1) || cut && link != "" && !strings.HasSuffix(short, link) || !cut && short != text {
			t.Fatalf("%q to %d: %+v %q", text, limit, got, short)
		}
		for _, part := range Split(text, limit, link) {
			if units16(part) > MaxText {
				t.Fatalf("%d units in a part of %q", units16(part), text)
			}
		}
		if p := Plain(text); Plain(p) != p {
			t.Fatalf("%q: %q becomes %q", text, p, Plain(p))
		}
		_ = Keyword(text)
	})
}

// What stands around somebody's words is never cut.
func TestShortenIn(t *testing.T) {
	t.Parallel()
	const before, after, link = "Baleyo, #7: ", "\nIs it solved? Reply YES or NO.", "https://d.example/t/abc"
	for _, c := range []struct {
		name, text, link string
		limit            int
		cut              bool
	}{
		{"short", "A new cable.", link, 1, false},
		{"long", strings.Repeat("word ", 100), link, 1, true},
		{"long, no link", strings.Repeat("word ", 100), "", 2, true},
		{"long, UCS-2", strings.Repeat("ключ ", 100), link, 3, true},
		{"no room at all", strings.Repeat("ключ ", 100), link, 1, true},
	} {
		got, cut := ShortenIn(before, c.text, after, c.limit, c.link)
		if cut != c.cut || !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) {
			t.Errorf("%s: %v %q", c.name, cut, got)
		}
		if cut && !strings.Contains(got, c.link+after) {
			t.Errorf("%s: no link in %q", c.name, got)
		}
		if n := Segments(got).Segments; n > c.limit && c.name != "no room at all" {
			t.Errorf("%s: %d segments, limit %d: %q", c.name, n, c.limit, got)
		}
	}
}
