package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"frontdesk/report"
	"frontdesk/tickets"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got), -update to accept:\n%s", name, d)
	}
}

// cid is how a mail names a chart.
func cid(id string) string { return "cid:" + id }

func charts(t *testing.T, f tickets.Figures, language string) []report.Image {
	t.Helper()
	list, err := report.Charts(f, language, "#1f4e79")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// The same small desk in each form and language.
func TestEachForm(t *testing.T) {
	t.Parallel()
	f := desk()
	for _, language := range []string{"en", "de"} {
		golden(t, "desk."+language+".txt", report.Text(f, language))
		golden(t, "desk."+language+".html", report.HTMLBody(f, charts(t, f, language), language, cid))
	}
	data, err := report.JSON(f)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "desk.json", string(data))
	data, err = report.CSV(f)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "desk.csv", string(data))
}

// What is written as JSON reads back as it was: a letter carries it so.
func TestJSONReadsBack(t *testing.T) {
	t.Parallel()
	data, err := report.JSON(desk())
	if err != nil {
		t.Fatal(err)
	}
	var back tickets.Figures
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	again, err := report.JSON(back)
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("read back (%v):\n%s", err, cmp.Diff(string(data), string(again)))
	}
	if report.Text(back, "en") != report.Text(desk(), "en") {
		t.Error("the text of what was read back differs")
	}
}

// The first report of a desk compares with nothing: no column for it, and no
// division by it.
func TestFirstReport(t *testing.T) {
	t.Parallel()
	f := desk()
	f.New, f.Total.Before = true, tickets.Tally{}
	for language, first := range map[string]string{"en": "This is the first report", "de": "Dies ist der erste Bericht"} {
		for _, got := range []string{report.Text(f, language), report.HTMLBody(f, nil, language, cid)} {
			if !strings.Contains(got, first) || strings.Contains(got, "▲") || strings.Contains(got, "Inf") || strings.Contains(got, "NaN") {
				t.Errorf("%s:\n%s", language, got)
			}
		}
	}
}

// Nothing is said of an empty desk but that.
func TestEmptyDesk(t *testing.T) {
	t.Parallel()
	f := tickets.Figures{Zone: "UTC", From: time.Unix(0, 0), To: time.Unix(86400*7, 0), Before: time.Unix(-86400*7, 0), New: true}
	if got := report.Text(f, "en"); !strings.Contains(got, "nothing is open") || strings.Count(got, "\n") != 5 {
		t.Errorf("text:\n%s", got)
	}
	if list := charts(t, f, "en"); len(list) != 0 {
		t.Errorf("%d charts of nothing", len(list))
	}
	if page, err := report.HTML(f, "en", ""); err != nil || strings.Contains(page, "<table") {
		t.Errorf("%v\n%s", err, page)
	}
	if _, err := report.CSV(f); err != nil {
		t.Error(err)
	}
}

// No line of the text is wider than a terminal, whatever people wrote.
func TestTextFits(t *testing.T) {
	t.Parallel()
	f := hostile()
	for _, language := range []string{"en", "de"} {
		for line := range strings.Lines(report.Text(f, language)) {
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > 80 {
				t.Errorf("%d columns: %s", n, line)
			}
			if strings.ContainsAny(line, "\r\x1b\x00\u202e") {
				t.Errorf("control characters: %q", line)
			}
		}
	}
}

// hostile is a desk on which people wrote what they should not.
func hostile() tickets.Figures {
	f := desk()
	bad := "<script>alert(1)</script>\x1b[31m\u202e\r\n\x00=cmd|' /C calc'!A0 " + strings.Repeat("W", 300)
	for i := range f.Queues {
		f.Queues[i].Key = bad
	}
	f.Agents[0].Title, f.Categories[0].Title, f.Name = bad, "=1+1", bad
	f.Breaches[0].Subject, f.Again[0].What, f.Again[1].Requester, f.Articles[0].Title, f.Incidents[0].Subject = bad, bad, bad, bad, bad
	return f
}

// Words of people are words in HTML and cells in a spreadsheet, never more.
func TestHostileWords(t *testing.T) {
	t.Parallel()
	f := hostile()
	page, err := report.HTML(f, "en", `"><script>`)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "\x1b") || strings.Contains(page, "\u202e") {
		t.Error("the page has words of people as they are")
	}
	data, err := report.CSV(f)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for i, cell := range row {
			if i != 7 && cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("a formula: %q", row)
			}
		}
	}
}

// The HTML is what mail programs take: whole, nothing loaded from anywhere, no
// colour of text or ground, each picture with words in its place, headings of
// tables named as such.
func TestMailSafe(t *testing.T) {
	t.Parallel()
	f := desk()
	body := report.HTMLBody(f, charts(t, f, "en"), "en", cid)
	open := map[string]int{}
	z := html.NewTokenizer(strings.NewReader(body))
	for tt := z.Next(); tt != html.ErrorToken; tt = z.Next() {
		tok := z.Token()
		switch tt {
		case html.StartTagToken:
			if tok.Data != "img" {
				open[tok.Data]++
			}
		case html.EndTagToken:
			open[tok.Data]--
		}
		for _, a := range tok.Attr {
			if a.Key == "style" && regexp.MustCompile(`(^|;)(color|background)`).MatchString(a.Val) {
				t.Errorf("<%s> sets a colour: %s", tok.Data, a.Val)
			}
			if a.Key == "src" && !strings.HasPrefix(a.Val, "cid:") {
				t.Errorf("<%s> loads %q", tok.Data, a.Val)
			}
			if a.Key == "alt" && len(a.Val) < 20 {
				t.Errorf("picture without words: %q", a.Val)
			}
		}
	}
	for tag, n := range open {
		if n != 0 {
			t.Errorf("%d <%s> not closed", n, tag)
		}
	}
	if n := strings.Count(body, "<img "); n != 4 {
		t.Errorf("%d pictures", n)
	}
	if n := strings.Count(body, "<th "); n != strings.Count(body, `<th scope="col"`) || n == 0 {
		t.Errorf("headings of columns: %d", n)
	}
}

// Charts are PNGs of twice the size they are shown at, the same each time, and
// there are some of any length of time.
func TestCharts(t *testing.T) {
	t.Parallel()
	f := desk()
	first, again := charts(t, f, "de"), charts(t, f, "de")
	for i, c := range first {
		img, err := png.Decode(bytes.NewReader(c.PNG))
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		if b := img.Bounds(); b.Dx() != 2*c.Width || b.Dy() != 2*c.Height {
			t.Errorf("%s: %v for %d×%d", c.ID, b, c.Width, c.Height)
		}
		if !bytes.Equal(c.PNG, again[i].PNG) {
			t.Errorf("%s: differs from one time to the next", c.ID)
		}
		if len(c.PNG) > 80<<10 {
			t.Errorf("%s: %d bytes", c.ID, len(c.PNG))
		}
		if r, g, b, _ := img.At(1, 1).RGBA(); r+g+b != 3*0xffff {
			t.Errorf("%s: no ground of its own", c.ID)
		}
	}
	for _, days := range []int{1, 28, 31, 62, 63, 366} {
		long := f
		long.Days = nil
		for i := range days {
			long.Days = append(long.Days, f.Days[i%7])
			long.Days[i].Date = f.Days[0].Date.Add(i)
		}
		want := 4
		if days == 1 {
			want = 3 // a line needs two days
		}
		if list := charts(t, long, "en"); len(list) != want {
			t.Errorf("%d charts of %d days", len(list), days)
		}
	}
}

// Both languages say the same, and say it without looking it up in vain.
func TestLanguages(t *testing.T) {
	t.Parallel()
	missing, extra := report.WordsMissing("de")
	if len(missing)+len(extra) > 0 {
		t.Errorf("German lacks %q and has %q of its own", missing, extra)
	}
	if report.Text(desk(), "fr") != report.Text(desk(), "en") {
		t.Error("a language that is not spoken is not English")
	}
}
