package tickets

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// lessonsOf makes lessons of labelled requests, as agents would have sorted them.
func lessonsOf(list []labelled) []Lesson {
	var out []Lesson
	for i, r := range list {
		out = append(out, Lesson{Ticket: int64(i + 1), Text: r.Subject + "\n" + r.Text, Language: r.Lang, Category: r.Category, Severity: r.Severity, At: noon.Add(time.Duration(i) * time.Minute)})
	}
	return out
}

// twoKinds is n lessons of a trade that the rules know nothing of.
func twoKinds(n int) []Lesson {
	var out []Lesson
	for i := range n {
		l := Lesson{Ticket: int64(i), At: noon.Add(time.Duration(i) * time.Hour), Category: "billing", Severity: "high", Text: fmt.Sprintf("Zampano %d\nThe zampano number %d again.", i, i*7)}
		if i%2 == 0 {
			l.Category, l.Severity, l.Text = "account", "low", fmt.Sprintf("Quibble %d\nThe quibble number %d again.", i, i*7)
		}
		out = append(out, l)
	}
	return out
}

func TestLearnedSorting(t *testing.T) {
	t.Parallel()
	rules := rulesOfStandardDesk()
	rules.Learned = Learn(lessonsOf(mustRequests(t, "dev.jsonl")))
	t.Log("rules, and what was learned of dev.jsonl:")
	s := evaluate(t, "test.jsonl", rules)
	if got := part1(s.category, s.n); got < minCategory {
		t.Errorf("category right in %.1f %%, want %d", got, minCategory)
	}
	if got := part1(s.severity, s.n); got < minSeverity {
		t.Errorf("severity right in %.1f %%, want %d", got, minSeverity)
	}
	if recall, _ := s.critical(); recall < minRecall {
		t.Errorf("%.1f %% of the critical ones found, want %d", recall, minRecall)
	}
}

func TestNothingIsLearnedOfLittle(t *testing.T) {
	t.Parallel()
	if m := Learn(twoKinds(minLessons - 1)); m != nil {
		t.Errorf("a model of %d lessons", m.Lessons)
	}
	if m := Learn(nil); m != nil {
		t.Error("a model of nothing")
	}
	few := twoKinds(minLessons)
	for i := range few {
		if i >= minOfClass-1 {
			few[i].Category = "account"
		} else {
			few[i].Category = "billing"
		}
	}
	m := Learn(few)
	if m == nil || m.category != nil {
		t.Errorf("a category with %d lessons is guessed: %+v", minOfClass-1, m)
	}
	same := twoKinds(minLessons)
	for i := range same {
		same[i].Text = "the same words for all"
	}
	m = Learn(same)
	if o := m.category.opinion(featuresOf(readWords("the same words", "for all"))); o.sure {
		t.Errorf("sure of what cannot be told apart: %+v", o)
	}
}

func TestLearnedGuess(t *testing.T) {
	t.Parallel()
	rules := rulesOfStandardDesk()
	rules.Learned = Learn(twoKinds(200))
	g := Sort(Request{Subject: "My zampano", Text: "The zampano again"}, rules)
	want(t, "category", g.Category, "billing")
	want(t, "one step from medium", g.Severity, "high")
	want(t, "by", g.By, "learned")
	want(t, "impact and urgency give the severity", DefaultMatrix()[[2]int{g.Impact, g.Urgency}], g.Severity)
	if g.Confidence < 0.5 || g.Confidence > 1 {
		t.Errorf("confidence %v", g.Confidence)
	}
	if why := strings.Join(g.Why, "\n"); !strings.Contains(why, "learned category billing") || !strings.Contains(why, `"zampano"`) {
		t.Errorf("why does not name the word:\n%s", why)
	}

	g = Sort(Request{Subject: "Quibble", Text: "Everybody: the server is down. Quibble quibble!"}, rules)
	want(t, "Critical of the rules stays", g.Severity, "critical")
	g = Sort(Request{Subject: "Quibble", Text: "The quibble shows an error, the deadline is today"}, rules)
	want(t, "one step down from high", g.Severity, "medium")
	g = Sort(Request{Subject: "Zampano", Category: "returns"}, rules)
	want(t, "a category that is known stays", g.Category, "returns")

	delete(rules.Categories, "billing")
	g = Sort(Request{Subject: "My zampano again"}, rules)
	if g.Category == "billing" {
		t.Error("a category that the configuration does not have any more")
	}
}

func TestLearningIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	lessons := lessonsOf(mustRequests(t, "dev.jsonl"))[:200]
	turned := slices.Clone(lessons)
	slices.Reverse(turned)
	a, b := rulesOfStandardDesk(), rulesOfStandardDesk()
	a.Learned, b.Learned = Learn(lessons), Learn(turned)
	for _, r := range mustRequests(t, "test.jsonl") {
		x, y := Sort(Request{Subject: r.Subject, Text: r.Text}, a), Sort(Request{Subject: r.Subject, Text: r.Text}, b)
		if x.describe() != y.describe() {
			t.Fatalf("%s: got %s\nthen %s", r.ID, x.describe(), y.describe())
		}
	}
	if got := turned[0].Ticket; got != 200 {
		t.Errorf("the caller's lessons were moved: first is %d", got)
	}
}

func BenchmarkSort(b *testing.B) {
	rules := rulesOfStandardDesk()
	text := strings.Repeat("Hello, since this morning nobody in our office can reach the file server. Please call back, the statements are due today.\n", 5)
	for b.Loop() {
		Sort(Request{Subject: "File server", Text: text}, rules)
	}
}
