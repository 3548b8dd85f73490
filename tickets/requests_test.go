package tickets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
)

// labelled is one request of testdata/requests with what a lead of a service
// desk calls it.
type labelled struct {
	ID, Lang, Category, Severity, Subject, Text string
}

func mustRequests(t testing.TB, name string) []labelled {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "requests", name))
	if err != nil {
		t.Fatal(err)
	}
	var out []labelled
	for line := range bytes.Lines(raw) {
		var r labelled
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%s: %v in %q", name, err, line)
		}
		out = append(out, r)
	}
	return out
}

var (
	standardCategories = []string{"technical", "product", "account", "billing", "returns"}
	standardSeverities = []string{"critical", "high", "medium", "low"}
)

// rulesOfStandardDesk are the categories and severities of the sample
// configuration, without keywords or signs of its own.
func rulesOfStandardDesk() Rules {
	r := Rules{Categories: map[string]Category{}, Severities: map[string]Severity{}, Order: standardSeverities}
	for _, c := range standardCategories {
		r.Categories[c] = Category{Key: c, Title: c}
	}
	for _, s := range standardSeverities {
		r.Severities[s] = Severity{Key: s}
	}
	return r
}

// score counts what was guessed against what is meant.
type score struct {
	n, category, severity int
	severities            map[[2]string]int // meant, guessed
	categories            map[[2]string]int
}

func newScore() *score {
	return &score{severities: map[[2]string]int{}, categories: map[[2]string]int{}}
}

func (s *score) add(r labelled, g Guess) {
	s.n++
	if g.Category == r.Category {
		s.category++
	}
	if g.Severity == r.Severity {
		s.severity++
	}
	s.categories[[2]string{r.Category, g.Category}]++
	s.severities[[2]string{r.Severity, g.Severity}]++
}

func part1(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}

// critical returns how many of those that are critical were found, and how many
// of those called critical are.
func (s *score) critical() (recall, precision float64) {
	meant, called := 0, 0
	for k, n := range s.severities {
		if k[0] == "critical" {
			meant += n
		}
		if k[1] == "critical" {
			called += n
		}
	}
	both := s.severities[[2]string{"critical", "critical"}]
	return part1(both, meant), part1(both, called)
}

func (s *score) String() string {
	recall, precision := s.critical()
	return fmt.Sprintf("%d requests: category %.1f %%, severity %.1f %%, critical recall %.1f %%, precision %.1f %%",
		s.n, part1(s.category, s.n), part1(s.severity, s.n), recall, precision)
}

// table shows what was meant (rows) against what was guessed (columns).
func table(counts map[[2]string]int, names []string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "meant \\ guessed\t"+strings.Join(names, "\t")+"\tnone\t")
	for _, meant := range names {
		fmt.Fprint(w, meant)
		for _, guessed := range append(names[:len(names):len(names)], "") {
			fmt.Fprintf(w, "\t%d", counts[[2]string{meant, guessed}])
		}
		fmt.Fprintln(w, "\t")
	}
	w.Flush()
	return b.String()
}

// evaluate sorts requests and logs the figures per language and in all.
func evaluate(t *testing.T, name string, rules Rules) *score {
	t.Helper()
	all, by := newScore(), map[string]*score{"en": newScore(), "de": newScore()}
	for _, r := range mustRequests(t, name) {
		g := Sort(Request{Subject: r.Subject, Text: r.Text}, rules)
		all.add(r, g)
		by[r.Lang].add(r, g)
		if testing.Verbose() && os.Getenv("EVAL_MISSED") == name && (g.Category != r.Category || g.Severity != r.Severity) {
			t.Logf("MISSED %s meant %s %s, guessed %s %s\n  %s | %s\n    %s", r.ID, r.Category, r.Severity, g.Category, g.Severity, r.Subject, r.Text, strings.Join(g.Why, "\n    "))
		}
	}
	t.Logf("%s, en: %s", name, by["en"])
	t.Logf("%s, de: %s", name, by["de"])
	t.Logf("%s: %s\n%s\n%s", name, all, table(all.severities, standardSeverities), table(all.categories, standardCategories))
	return all
}
