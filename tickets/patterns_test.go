package tickets

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The patterns by which codes and named facts were found: the reference for
// what reads them faster.
var (
	codePattern      = regexp.MustCompile(`\b[A-Za-z]{2,8}-[2-9A-HJ-NP-Za-hj-np-z]{4,14}\b`)
	namedLinePattern = regexp.MustCompile(`^[\s>*•\-–\d.)]*([\pL][\pL\pN /_.\-]{0,30}?)\s*[:=]\s*(\S.{0,300})$`)
)

// sameAsPatterns compares what is found in a text with what the patterns find.
func sameAsPatterns(t *testing.T, text string) {
	t.Helper()
	if got, want := codeLike(text), codePattern.FindAllString(text, mostCodeLike); !slices.Equal(got, want) {
		t.Errorf("codeLike(%q) = %q, the pattern finds %q", text, got, want)
	}
	if got, want := asksGuarded(text), guarded.MatchString(text) && strings.Contains(text, "?"); got != want {
		t.Errorf("asksGuarded(%q) = %v, the pattern says %v", text, got, want)
	}
	for _, p := range []*regexp.Regexp{meterPattern, mailMeterPattern} {
		want := ""
		if m := p.FindStringSubmatch(text); m != nil {
			want = strings.TrimRight(m[1], ".,'’")
		}
		if got := readingIn(p, text); got != want {
			t.Errorf("readingIn(%q) = %q, the pattern alone finds %q", text, got, want)
		}
	}
	for line := range strings.Lines(text) {
		for _, l := range []string{line, strings.TrimSpace(line)} {
			name, value, ok := namedLine(l)
			m := namedLinePattern.FindStringSubmatch(l)
			if ok != (m != nil) || ok && (name != m[1] || value != m[2]) {
				t.Errorf("namedLine(%q) = %q, %q, %v; the pattern finds %q", l, name, value, ok, m)
			}
		}
	}
}

// patternWords are what the patterns look for, and what comes close to it.
var patternWords = []string{
	"meter", "Meter reading", "meter count", "METER READS", "counter", "counter reading", "page count", "total pages", "pages printed", "pageſ printed", "Zählerstand", "ZÄHLER", "zaehlerſtand", "Seitenzähler", "reading", "page meter",
	"is", "is at", "ist", "iſt", "steht bei", "beträgt", "of", ":", "=", " ", "  ", "\t", "\n", "\u00a0", "\r\n", ".", ",", "-", "–", "•", "> ", "* ", ")", "_", "/", "?", "\xff", "\u212a",
	"12345", "12.345", "12'345", "7", "x", "é", "1234567890123456", "AB", "KAYA-7Q2F", "ab-2345", "a-2345", "HP-4257", "abcdefghi-2345", "-O123", "-2I34", "2345", "AB-CDEF-GHJK", "-CDEFGHJKLMNPQRS",
	"Serial number", "S/N", "Größe", "٣", "2. Fehler", strings.Repeat("n", 30), strings.Repeat("v", 299), "warranty", "WARRANTY", "Guarantee", "garantie", "Gewährleiſtung", "GEWÄHRLEISTUNG", "gewohnt", "warrant",
}

func TestPatternsAreReadAlike(t *testing.T) {
	t.Parallel()
	sameAsPatterns(t, strings.Repeat("KAYA-7Q2F ", mostCodeLike+3))
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var b strings.Builder
		for range 1 + rng.IntN(9) {
			b.WriteString(patternWords[rng.IntN(len(patternWords))])
			if rng.IntN(3) == 0 {
				b.WriteByte(' ')
			}
		}
		sameAsPatterns(t, b.String())
	}
	for _, r := range mustRequests(t, "dev.jsonl") {
		sameAsPatterns(t, r.Subject+"\n"+r.Text)
	}
}

// FuzzPatterns compares the two on any text.
func FuzzPatterns(f *testing.F) {
	for _, w := range patternWords {
		f.Add(w + " 123?")
	}
	f.Fuzz(sameAsPatterns)
}

// BenchmarkPatterns is what the desk looks for in each mail, in one of 5 KB.
func BenchmarkPatterns(b *testing.B) {
	text := strings.Repeat("The page about delivery says three to five days - and I would like to know,\nplease: does order 4711 of 12 March count? We have two well-known printers.\n\n", 34)
	in := Inbound{Channel: ChannelMail, Kind: KindMessage, Subject: "Invoice 4711", Reply: text}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		in.serial()
		in.serial()
		in.reported()
		asksGuarded(in.Reply)
		referralCodes(in.Subject, in.Reply)
	}
}
