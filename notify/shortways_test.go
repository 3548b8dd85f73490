package notify

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"frontdesk/tickets"
)

// What has nothing to change is passed on untouched: as the long way would.
func TestShortWays(t *testing.T) {
	for _, s := range []string{
		"", " ", "plain words", " lead", "trail ", "two  spaces", "tab\there", "line\nend", "cr\r\nlf\rcr", "\n", "a\n",
		"Grüße", "印刷機 🖨", "a\u202eb", "a\ue000b\ue001", "\uefff", "ctrl\x07", "del\x7f", "bad\xff", "bad\xc3", "nbsp\u00a0x\u2003y",
		strings.Repeat("word ", 20), strings.Repeat("ü", 30), strings.Repeat("x", 80), strings.Repeat("x", 30) + " " + strings.Repeat("y", 9),
	} {
		long := strings.ToValidUTF8(s, "\ufffd")
		long = strings.Map(func(r rune) rune {
			switch {
			case r == '\r':
				return '\n'
			case r < ' ' && r != '\n' && r != '\t' || r == 0x7f:
				return -1
			case r >= markOpen && r <= markHeld:
				return '\ufffd'
			}
			return r
		}, strings.ReplaceAll(long, "\r\n", "\n"))
		long = strings.Trim(strings.TrimRight(long, " \t\n"), "\n")
		if got := tidy(s); got != long {
			t.Errorf("tidy %q: %q, want %q", s, got, long)
		}
		long = strings.Join(strings.Fields(stripBidi(long)), " ")
		if r := []rune(long); len(r) > 40 {
			long = strings.TrimSpace(string(r[:39])) + "…"
		}
		if got := oneLine(s, 40); got != long {
			t.Errorf("one line of %q: %q, want %q", s, got, long)
		}
		lines := []string{}
		current := ""
		for _, word := range strings.Fields(s) {
			if current != "" && len([]rune(current))+1+len([]rune(word)) > 40 {
				lines, current = append(lines, current), ""
			}
			current = strings.TrimPrefix(current+" "+word, " ")
		}
		if d := cmp.Diff(append(lines, current), wrap(s, 40)); d != "" {
			t.Errorf("wrapped %q (-want +got):\n%s", s, d)
		}
	}
}

// A letter without files is written by a shorter way than one with them, and
// reads the same.
func TestAlternativesAsLibraryWritesThem(t *testing.T) {
	m := testMaterial(t, "de")
	for _, kind := range mailed() {
		l := testLetter(kind, "de")
		p, err := Compose(l, m)
		if err != nil {
			t.Fatal(err)
		}
		h, err := header(l, m, p.Subject, "l1@baleyo.example")
		if err != nil {
			t.Fatal(err)
		}
		short, _, err := mime(h, p, nil, "l1@baleyo.example")
		if err != nil {
			t.Fatal(err)
		}
		var long bytes.Buffer
		if _, err := mixed(&long, h, p, nil, "l1@baleyo.example"); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(short, long.Bytes()) {
			t.Errorf("%s: written otherwise", kind)
		}
	}
	h, err := header(testLetter(tickets.LetterAnswer, "de"), m, "x", "l1@baleyo.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, odd := range []string{"", "\n", "a \n", ".\n", "=\n", strings.Repeat("ü", 200), strings.Repeat("x", 75) + " \n" + strings.Repeat("x", 76)} {
		p := Parts{Plain: odd, HTML: odd}
		short, _, err := mime(h, p, nil, "l1@baleyo.example")
		if err != nil {
			t.Fatal(err)
		}
		var long bytes.Buffer
		if _, err := mixed(&long, h, p, nil, "l1@baleyo.example"); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(short, long.Bytes()) {
			t.Errorf("%q: written otherwise", odd)
		}
	}
}
