package tickets

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// What the classifier needs before it says anything.
const (
	minLessons  = 100  // in all
	minOfClass  = 10   // of a category or severity; others are not guessed
	maxLessons  = 5000 // the newest; older habits of a desk are no guide
	minRight    = 0.85 // of the held-out lessons above the threshold
	minHeldOut  = 8    // held-out lessons above the threshold, else none is set
	features    = 1 << 15
	rounds      = 12
	learnRate   = 0.25
	shrink      = 1e-4
	maxSpokenOf = 3 // words named in an explanation
)

// Model is a classifier that learned from the desk's own corrected tickets: one
// logistic regression for the category, one for the severity, over words,
// parts of words and the signs of words/signs.txt. It is read-only.
type Model struct {
	Lessons  int
	category *classifier
	severity *classifier
}

// Learn makes a model of lessons, in any order. The same lessons always give
// the same model. It is nil while there are fewer than 100; a category or
// severity with fewer than 10 is never guessed. What a guess needs to be
// trusted is found on every fifth lesson, which is held out for that.
func Learn(lessons []Lesson) *Model {
	lessons = slices.Clone(lessons)
	slices.SortFunc(lessons, func(a, b Lesson) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Ticket, a.Ticket), cmp.Compare(a.Text, b.Text))
	})
	lessons = lessons[:min(len(lessons), maxLessons)]
	if len(lessons) < minLessons {
		return nil
	}
	m := &Model{Lessons: len(lessons)}
	read := make([][]feature, len(lessons))
	for i, l := range lessons {
		subject, text, _ := strings.Cut(l.Text, "\n")
		read[i] = featuresOf(readWords(subject, text))
	}
	m.category = learnClass(read, lessons, func(l Lesson) string { return l.Category })
	m.severity = learnClass(read, lessons, func(l Lesson) string { return l.Severity })
	return m
}

// feature is one thing found in a request: where its weight stands, how much of
// it there is, and the word that people know it by.
type feature struct {
	at    uint32
	value float64
	word  string
}

// featuresOf are the words of a request, their first letters (for endings and
// compounds), and what they are signs of. Each counts once, and all together
// one, so that long mails weigh as much as short ones.
func featuresOf(w written) []feature {
	seen := map[string]bool{}
	var out []feature
	add := func(kind, name, word string) {
		if key := kind + name; !seen[key] {
			seen[key] = true
			out = append(out, feature{hashOf(key), 1, word})
		}
	}
	k := lexicons()
	for _, s := range w {
		for _, word := range s.words {
			if word == pause {
				continue
			}
			add("w:", word, word)
			for _, part := range partsOf(word) {
				add("p:", part, word)
			}
		}
		for _, f := range inSigns.find(s) {
			if x := k.signs[f.group]; x.counts(s, f.at, f.n, false) {
				add("s:", x.says, x.says)
			}
		}
		if s.asks {
			add("s:", "?", "?")
		}
	}
	norm := 1 / math.Sqrt(float64(max(1, len(out))))
	for i := range out {
		out[i].value = norm
	}
	return out
}

// partsOf are the runs of five letters of a long word.
func partsOf(word string) []string {
	const n = 5
	if len(word) <= n {
		return nil
	}
	var out []string
	for i := 0; i+n <= min(len(word), 40); i++ {
		out = append(out, word[i:i+n])
	}
	return out
}

// hashOf is FNV-1a: where a feature's weight stands.
func hashOf(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h % features
}

// classifier tells classes apart. weights has one row of features for each.
type classifier struct {
	classes   []string // sorted
	weights   [][]float32
	bias      []float64
	sharpness float64 // by which scores are multiplied so that confidence is what it says
	threshold float64 // confidence from which a guess counts; above 1 never
}

// learnClass trains on four fifths, finds sharpness and threshold on the rest,
// and trains on all. It is nil when there are not two classes to tell apart.
func learnClass(read [][]feature, lessons []Lesson, of func(Lesson) string) *classifier {
	count := map[string]int{}
	for _, l := range lessons {
		count[of(l)]++
	}
	var classes []string
	for _, c := range sortedKeys(count) {
		if c != "" && count[c] >= minOfClass {
			classes = append(classes, c)
		}
	}
	if len(classes) < 2 {
		return nil
	}
	var all, train, held []example
	for i, l := range lessons {
		class := slices.Index(classes, of(l))
		if class < 0 {
			continue
		}
		e := example{read[i], class}
		all = append(all, e)
		if len(all)%5 == 0 {
			held = append(held, e)
		} else {
			train = append(train, e)
		}
	}
	trial := fit(classes, train)
	trial.calibrate(held)
	c := fit(classes, all)
	c.sharpness, c.threshold = trial.sharpness, trial.threshold
	return c
}

type example struct {
	features []feature
	class    int
}

// fit descends the gradient of the logistic loss, always over the examples in
// the same order.
func fit(classes []string, examples []example) *classifier {
	c := &classifier{classes: classes, bias: make([]float64, len(classes)), sharpness: 1, threshold: 2}
	for range classes {
		c.weights = append(c.weights, make([]float32, features))
	}
	for round := range rounds {
		rate := 10 * learnRate / (1 + float64(round)/2)
		for i := range examples {
			// A stride that shares no factor with the number mixes classes that
			// came in runs.
			e := examples[(i*stride(len(examples)))%len(examples)]
			p := c.predict(e.features)
			for k := range classes {
				g := p[k]
				if k == e.class {
					g--
				}
				c.bias[k] -= 0.1 * rate * g
				row := c.weights[k]
				for _, f := range e.features {
					row[f.at] -= float32(rate * (g*f.value + shrink*float64(row[f.at])))
				}
			}
		}
	}
	return c
}

// stride is a number near the golden section of n without a factor of n.
func stride(n int) int {
	s := max(1, int(float64(n)*0.618))
	for gcd(s, n) != 1 {
		s++
	}
	return s
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// predict returns the probability of each class.
func (c *classifier) predict(fs []feature) []float64 {
	scores := make([]float64, len(c.classes))
	top := math.Inf(-1)
	for k := range scores {
		s := c.bias[k]
		for _, f := range fs {
			s += f.value * float64(c.weights[k][f.at])
		}
		scores[k] = s * c.sharpness
		top = max(top, scores[k])
	}
	sum := 0.0
	for k := range scores {
		scores[k] = math.Exp(scores[k] - top)
		sum += scores[k]
	}
	for k := range scores {
		scores[k] /= sum
	}
	return scores
}

// best returns the likeliest class.
func best(p []float64) (class int, confidence float64) {
	for k, v := range p {
		if v > confidence {
			class, confidence = k, v
		}
	}
	return class, confidence
}

// calibrate sets the sharpness that makes held-out lessons likeliest, and the
// lowest threshold above which enough of them are right.
func (c *classifier) calibrate(held []example) {
	likeliest, at := math.Inf(-1), 1.0
	for s := 0.25; s <= 4; s *= 1.1 {
		c.sharpness = s
		sum := 0.0
		for _, e := range held {
			sum += math.Log(max(1e-9, c.predict(e.features)[e.class]))
		}
		if sum > likeliest {
			likeliest, at = sum, s
		}
	}
	c.sharpness = at
	for t := 50; t <= 95; t += 5 {
		n, right := 0, 0
		for _, e := range held {
			if k, p := best(c.predict(e.features)); p >= float64(t)/100 {
				n++
				if k == e.class {
					right++
				}
			}
		}
		if n >= minHeldOut && float64(right) >= minRight*float64(n) {
			c.threshold = float64(t) / 100
			return
		}
	}
}

// opinion is what a classifier thinks of a request.
type opinion struct {
	class      string
	confidence float64
	sure       bool     // confident enough to count
	words      []string // that spoke most for it
}

func (c *classifier) opinion(fs []feature) opinion {
	if c == nil {
		return opinion{}
	}
	p := c.predict(fs)
	k, confidence := best(p)
	return opinion{c.classes[k], confidence, confidence >= c.threshold, c.spoke(k, fs)}
}

// spoke names the words that speak most for a class, as against the others.
func (c *classifier) spoke(class int, fs []feature) []string {
	sum := map[string]float64{}
	for _, f := range fs {
		mean := 0.0
		for k := range c.classes {
			mean += float64(c.weights[k][f.at]) / float64(len(c.classes))
		}
		sum[f.word] += f.value * (float64(c.weights[class][f.at]) - mean)
	}
	words := sortedKeys(sum)
	slices.SortStableFunc(words, func(a, b string) int { return cmp.Compare(sum[b], sum[a]) })
	return words[:min(len(words), maxSpokenOf)]
}

func (o opinion) describe(what string) string {
	verdict := "not sure enough to count"
	if o.sure {
		verdict = "sure"
	}
	return fmt.Sprintf("learned %s %s, %.0f %%, %s: %q", what, o.class, 100*o.confidence, verdict, o.words)
}

// advise lets what was learned change what the rules guessed: another category,
// or a severity one step away. The worst severity that rules found stays. What
// it thinks is noted in any case.
func (m *Model) advise(g *Guess, w written, keepCategory bool, rules Rules, matrix Matrix) {
	if m == nil {
		return
	}
	fs := featuresOf(w)
	if o := m.category.opinion(fs); o.class != "" && !keepCategory {
		g.Why = append(g.Why, o.describe("category"))
		if _, known := rules.Categories[o.class]; known && o.sure && o.class != g.Category {
			g.Category, g.By, g.Confidence = o.class, "learned", o.confidence
		}
	}
	o := m.severity.opinion(fs)
	if o.class == "" || matrix == nil {
		return
	}
	g.Why = append(g.Why, o.describe("severity"))
	to, ok := oneStep(rules.severities(), g.Severity, o.class)
	if !ok || !o.sure || g.Severity == matrix.worst() {
		return
	}
	g.Severity, g.By, g.Confidence = to, "learned", o.confidence
	g.fitUrgency(matrix)
}

// oneStep goes from one severity towards another, by one.
func oneStep(order []string, from, to string) (string, bool) {
	i, j := slices.Index(order, from), slices.Index(order, to)
	if i < 0 || j < 0 || i == j {
		return "", false
	}
	return order[i+cmp.Compare(j, i)], true
}

// severities are the keys of the severities, worst first.
func (r Rules) severities() []string {
	if len(r.Order) > 0 {
		return r.Order
	}
	return []string{"critical", "high", "medium", "low"}
}

// fitUrgency makes the urgency one that gives the severity, where there is one.
func (g *Guess) fitUrgency(matrix Matrix) {
	for off := range 4 {
		for _, u := range []int{g.Urgency + off, g.Urgency - off} {
			if u >= 1 && u <= 4 && matrix[[2]int{g.Impact, u}] == g.Severity {
				g.Urgency = u
				return
			}
		}
	}
}
