package knowledge

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Parallel()
	a, err := Parse("deep/Paper-Jam.md", []byte("\ufeff---\r\n# a comment\r\ntitle: \"Clear: a paper jam\"\r\nbrand: baleyo\r\nlanguage: EN\r\ntags:\r\n  - paper jam\r\n  - E-52\r\n  - 404\r\nsummary: >\r\n  Two\r\n  lines.\r\nlink: https://x.example/a?b=1\r\n---\r\n# Head\r\n\r\nOpen *the* [door](https://x.example/door).\r\n\r\n- one\r\n- two\r\n\r\n```\r\ncode  here\r\n```\r\n<script>no</script>\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%q", []any{a.ID, a.Title, a.Brands, a.Language, a.Tags, a.Summary, a.Link, a.Audience, a.Body})
	want := fmt.Sprintf("%q", []any{"paper-jam", "Clear: a paper jam", []string{"baleyo"}, "en", []string{"paper jam", "E-52", "404"}, "Two lines.", "https://x.example/a?b=1", Customers,
		"Head\n\nOpen the door (https://x.example/door).\n\n- one\n- two\n\n    code  here"})
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Every mistake of a file is named, with its line.
func TestParseNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct{ text, want string }{
		"nothing":           {"", "a.md:1: no front matter: the file begins with a line ---, the keys, and a second line ---"},
		"no second line":    {"---\ntitle: x\n", "a.md:1: no front matter: the file begins with a line ---, the keys, and a second line ---"},
		"empty":             {"---\n---\n", "a.md:1: title: missing\na.md:1: no text below the front matter, and no link"},
		"not YAML":          {"---\ntitle: x\ntags: [a\n---\ntext\n", "a.md:3: front matter is not readable as YAML"},
		"a list":            {"---\n- a\n---\ntext\n", "a.md:2: front matter: expected keys with values"},
		"unknown key":       {"---\ntitle: x\ntittle: y\n---\ntext\n", "a.md:3: tittle: unknown key (allowed: audience, brand, brands, id, language, link, summary, tags, title)"},
		"key twice":         {"---\ntitle: x\nid: a\ntitle: y\n---\ntext\n", "a.md:4: title: given twice, first on line 2"},
		"several":           {"---\nid: not an id\ntitle: x\nlanguage: english\naudience: all\nlink: ftp://x\n---\ntext\n", "a.md:2: id: \"not an id\" (allowed: up to 64 of a-z, 0-9, dot, hyphen, underscore)\na.md:4: language: \"english\" (allowed: two letters, such as en or de)\na.md:5: audience: \"all\" (allowed: customers, agents)\na.md:6: link: \"ftp://x\" (allowed: https://…)"},
		"link in Markdown":  {"---\ntitle: x\nlink: https://x.example/a)b\n---\ntext\n", "a.md:3: link: \"https://x.example/a)b\" holds a character that a link in a letter cannot (write it as %XX)"},
		"block for a title": {"---\ntitle: {a: b}\n---\ntext\n", "a.md:2: title: expected a text"},
		"long title":        {"---\ntitle: " + strings.Repeat("x", 201) + "\n---\ntext\n", "a.md:2: title: 201 characters, at most 200"},
		"not UTF-8":         {"---\ntitle: x\n---\nline\n\xff\n", "a.md:5: not UTF-8"},
		"too large":         {"---\ntitle: x\n---\n" + strings.Repeat("x", MaxFile), "above limit 131072"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse("a.md", []byte(x.text)); err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("got %v\nwant %s", err, x.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add("---\ntitle: x\ntags: [a, b]\n---\n# text\n")
	f.Add("---\n? [a]\n: b\n---\n> - 1. ```\n")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := Parse("a.md", []byte(text))
		if err == nil {
			New([]Article{a}).Suggest("", "", text)
		}
	})
}

// folder is a folder whose files can be changed; each change has another time.
type folder struct {
	t   *testing.T
	dir string
	n   int
}

func (f *folder) write(name, text string) {
	f.t.Helper()
	p := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
	f.n++
	at := time.Date(2026, 3, 2, 12, 0, f.n, 0, time.UTC)
	if err := os.Chtimes(p, at, at); err != nil {
		f.t.Fatal(err)
	}
}

func (f *folder) remove(name string) {
	f.t.Helper()
	if err := os.Remove(filepath.Join(f.dir, name)); err != nil {
		f.t.Fatal(err)
	}
}

func plain(id, title string) string {
	return "---\nid: " + id + "\ntitle: " + title + "\n---\ntext\n"
}

// What changes in the folder is read; what is broken keeps what it said, and is
// named once.
func TestFolderFollowsItsFiles(t *testing.T) {
	t.Parallel()
	d := &folder{t: t, dir: t.TempDir()}
	d.write("a.md", plain("a", "One"))
	d.write("deep/b.md", plain("b", "Two"))
	d.write("README.md", "for people")
	d.write("_draft.md", "not yet")
	d.write(".git/x.md", "not one")
	d.write("picture.png", "none")
	d.write("broken.md", "none")
	f, err := Open(d.dir)
	if err == nil || err.Error() != "broken.md:1: no front matter: the file begins with a line ---, the keys, and a second line ---" {
		t.Fatalf("open: %v", err)
	}
	look := func(what string, wantChanged bool, wantErr string, titles ...string) {
		t.Helper()
		changed, err := f.Look()
		if changed != wantChanged || (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("%s: changed %v, %v; want %v, %q", what, changed, err, wantChanged, wantErr)
		}
		var got []string
		for _, a := range f.Base().Articles() {
			got = append(got, a.Title)
		}
		if strings.Join(got, ",") != strings.Join(titles, ",") {
			t.Errorf("%s: %v, want %v", what, got, titles)
		}
	}
	look("nothing changed", false, "", "One", "Two")
	d.write("a.md", plain("a", "Uno"))
	look("changed", true, "", "Uno", "Two")
	d.write("a.md", "broken now")
	look("broken", false, "a.md:1: no front matter", "Uno", "Two")
	look("said once", false, "", "Uno", "Two")
	d.write("a.md", plain("a", "Eins"))
	look("well again", true, "", "Eins", "Two")
	d.write("c.md", plain("A", "Copy"))
	look("an id twice", true, `c.md:1: id: "a" is that of a.md already`, "Eins", "Two")
	d.remove("a.md")
	look("gone, and the id free", true, "", "Copy", "Two")
	d.remove("deep/b.md")
	look("gone", true, "", "Copy")
	if err := os.RemoveAll(d.dir); err != nil {
		t.Fatal(err)
	}
	look("no folder", false, "no such file", "Copy")
}

// Brand, language and audience leave out what is for others.
func TestSuggestLeavesOut(t *testing.T) {
	t.Parallel()
	article := func(id, language string, brands ...string) Article {
		return Article{ID: id, Title: "Clear a paper jam", Tags: []string{"paper jam", "paper stuck"}, Summary: "How to clear a paper jam in the printer.", Language: language, Brands: brands, Audience: Customers}
	}
	b := New([]Article{article("all", ""), article("en", "en"), article("de", "de"), article("other", "en", "zephyr")})
	for _, x := range []struct{ brand, language, want string }{
		{"baleyo", "en", "all en"}, {"zephyr", "en", "all en other"}, {"baleyo", "de", "all de"}, {"baleyo", "fr", "all"}, {"", "", "all de en other"},
	} {
		var got []string
		for _, h := range b.Suggest(x.brand, x.language, "paper jam\nThe printer has a paper jam, paper stuck, I cannot clear it.") {
			got = append(got, h.ID)
		}
		if strings.Join(got, " ") != x.want {
			t.Errorf("%s %s: %v, want %s", x.brand, x.language, got, x.want)
		}
	}
}

// The same articles and text give the same answer, in whatever order the
// articles were read.
func TestSuggestIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	b := openBase(t)
	list := b.Articles()
	for i := range 5 {
		list = append(list[7:], list[:7]...)
		other := New(list)
		for _, r := range requests(t) {
			if x, y := fmt.Sprint(b.Suggest("baleyo", r.language, r.text)), fmt.Sprint(other.Suggest("baleyo", r.language, r.text)); x != y {
				t.Fatalf("%d: %q:\n%s\n%s", i, r.text, x, y)
			}
		}
	}
}

func TestStems(t *testing.T) {
	t.Parallel()
	for language, groups := range map[string][]string{
		"en": {"print printing printed prints printer", "stop stopped stopping", "invoice invoices", "company companies", "cancel cancels canceling", "jam jams jammed"},
		"de": {"drucker druckern druckers", "rechnung rechnungen", "kündigen kuendigen", "streifen streife", "gerät geräte geräten geraete", "zahlung zahlungen"},
	} {
		for _, g := range groups {
			words := wordsOf(g)
			for _, w := range words[1:] {
				if stem(w, language) != stem(words[0], language) {
					t.Errorf("%s: %s → %s, %s → %s", language, words[0], stem(words[0], language), w, stem(w, language))
				}
			}
		}
	}
	for text, want := range map[string]string{"Error E-52, LX–300 & wi-fi": "error e52 lx 300 wi fi", "don’t Straße naïve": "dont strasse naive", "": ""} {
		if got := strings.Join(wordsOf(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// many is a folder of articles that nobody reads.
func many(n int) []Article {
	out := make([]Article, n)
	body := strings.Repeat("Switch the printer off, wait a minute, open the rear door and look for torn pieces of paper with a torch. ", 20)
	for i := range out {
		out[i] = Article{ID: fmt.Sprint("a", i), Title: fmt.Sprintf("Device %d shows fault F-%d", i%97, i), Language: "en",
			Tags: []string{fmt.Sprintf("fault F-%d", i), "device fault"}, Summary: "What to do when it shows a fault.", Body: body, Audience: Customers}
	}
	return out
}

func BenchmarkIndex5000(b *testing.B) {
	list := many(MaxArticles)
	for b.Loop() {
		New(list)
	}
}

func BenchmarkSuggest5000(b *testing.B) {
	base := New(many(MaxArticles))
	text := "fault F-4711\n" + strings.Repeat("Since yesterday our device shows the fault, and the printer does not print. ", 10)
	for b.Loop() {
		base.Suggest("baleyo", "en", text)
	}
}
