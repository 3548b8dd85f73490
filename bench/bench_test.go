package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if idealMain() {
		return
	}
	os.Exit(m.Run())
}

// TestEverythingIsMeasured runs all sections with a few mails: each figure of
// the table is there, whatever it says. It is also the test that the stock
// fits the schema, and that a desk answers it.
func TestEverythingIsMeasured(t *testing.T) {
	dir := "" // without a disk it is quicker, and nothing is asserted
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		dir = "/dev/shm"
	}
	var log bytes.Buffer
	b, err := run(t.Context(), options{quick: true, dir: dir}, &log)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.broken) > 0 {
		t.Fatalf("not measured:\n%s\n%s", strings.Join(b.broken, "\n"), log.String())
	}
	measured := map[string]bool{}
	for _, f := range b.figures {
		measured[f.Section] = true
		if f.Median <= 0 || f.Min > f.Median || f.Median > f.Max {
			t.Errorf("%s: %s: %v", f.Section, f.What, f.Rounds)
		}
	}
	if len(b.skipped) > 0 {
		say := t.Skipf
		if os.Getenv("REQUIRE_REAL") == "1" {
			say = t.Fatalf
		}
		say("skipped:\n%s", strings.Join(b.skipped, "\n"))
	}
	for _, s := range sections {
		if !measured[s.name] {
			t.Errorf("no figure of section %s", s.name)
		}
	}
}

// TestCorpusIsTheSameEachTime: figures of two days are about the same mails.
func TestCorpusIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	a, b := corpus("mix", 100), corpus("mix", 100)
	files, html := 0, 0
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			t.Fatalf("mail %d differs", i)
		}
		if bytes.Contains(a[i], []byte("filename=")) {
			files++
		}
		if bytes.Contains(a[i], []byte("text/html")) {
			html++
		}
	}
	if files != 10 || html != 20 {
		t.Errorf("%d mails with a file, %d in HTML, want 10 and 20 of 100", files, html)
	}
	total := 0
	for _, m := range corpus(plainMail, 200) {
		total += len(m)
	}
	if mean := total / 200; mean < 4000 || mean > 6500 {
		t.Errorf("a plain mail has %d bytes, want about 5 KB", mean)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	slow := newFigure("backlog", "ratio", "×", []float64{0.5, 0.3, 0.2, 0.4})
	slow.atLeast(0.4, 0.7)
	small := newFigure("binary", "size", "MB", []float64{39.5})
	small.atMost(40, 0)
	var out bytes.Buffer
	if err := printTable(&out, []*figure{slow, small}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`BACKLOG +min +median +max +unit +must +aim +kept`,
		`ratio +0\.20 +0\.35 +0\.50 +× +≥ 0\.40 +≥ 0\.70 +NO`,
		`size +39\.5 +39\.5 +39\.5 +MB +≤ 40\.0 +yes`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("no line %s in\n%s", want, out.String())
		}
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	for _, c := range []struct{ p, want float64 }{{50, 50}, {99, 99}, {100, 100}, {0, 1}} {
		if got := percentile(hundred, c.p); got != c.want {
			t.Errorf("percentile %v: %v, want %v", c.p, got, c.want)
		}
	}
	if got := percentile([]float64{7}, 99); got != 7 {
		t.Errorf("percentile of one: %v", got)
	}
}
