package tickets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// balance is what the signs in a request weigh together.
type balance struct {
	forces map[force]int // how many different phrases of each force, each sign at most twice
	hits   int           // strongest impact that was said, 1 … 4
	set    [2]int        // impact and urgency that the configuration's signs say, 0 nothing
	sales  bool          // an offer, not a request
	spoken bool          // anything at all was found
	grave  bool          // harm, a standstill or no way around it
	why    []string
}

// weigh looks for signs of how many are hit and how long it can wait.
func weigh(w written, configured []Sign) balance {
	b := balance{forces: map[force]int{}, hits: 1, sales: w.sales()}
	var told []bool // sentences in which something is wrong
	for _, s := range w {
		told = append(told, b.readSigns(s))
	}
	for _, s := range configured {
		b.readConfigured(w, s)
	}
	for i, s := range w {
		if told[i] {
			b.readNumbers(s)
		}
	}
	b.settle()
	return b
}

// readSigns notes the signs of one sentence and reports whether it tells of
// something wrong.
func (b *balance) readSigns(s sentence) (wrong bool) {
	own := slices.ContainsFunc(private(), func(p phrase) bool { return p.in(s) })
	for _, sign := range signs() {
		seen := map[string]bool{}
		for _, p := range sign.phrases {
			at, n := p.find(s, 0)
			if n == 0 || len(seen) == 2 || !sign.counts(s, at, n, b.sales) {
				continue
			}
			words := strings.Join(s.words[at:at+n], " ")
			if overlaps(seen, words) {
				continue
			}
			seen[words] = true
			b.note(sign, words, own)
			wrong = wrong || sign.force == forceFault || sign.force == forceNow || sign.force == forceStrong
		}
	}
	return wrong
}

// overlaps reports whether the words say again what one of seen says.
func overlaps(seen map[string]bool, words string) bool {
	for s := range seen {
		if strings.Contains(s, words) || strings.Contains(words, s) {
			return true
		}
	}
	return false
}

// counts reports whether the words at a place mean what they say.
func (x sign) counts(s sentence, at, n int, sales bool) bool {
	switch x.force {
	case forceNow, forceStrong, forceWeak:
		return !sales && !s.supposed(at) && !negated(s.words, at, at+n)
	case forceFault:
		return !negated(s.words, at, at+n)
	case forceNone:
		return !sales && !s.supposed(at)
	}
	return true
}

// note counts a sign. A thing that nobody else waits for stops nobody else.
func (b *balance) note(x sign, words string, own bool) {
	f, impact := x.force, x.impact
	if own && f == forceNow && x.spares() {
		f, impact = forceStrong, 1
	}
	b.forces[f]++
	b.hits = max(b.hits, impact)
	b.spoken = true
	b.grave = b.grave || f == forceNow || x.says == noWayAround
	b.why = append(b.why, fmt.Sprintf("%s: %q", x.says, words))
}

// spares reports whether the sign is about a thing being stopped, as against
// data or people being harmed.
func (x sign) spares() bool { return x.says == nothingGoes }

// readConfigured notes a sign of the configuration.
func (b *balance) readConfigured(w written, s Sign) {
	p := plainPhrase(s.Phrase)
	for _, sent := range w {
		at, n := p.find(sent, 0)
		if n == 0 || negated(sent.words, at, at+n) || s.Urgency > 2 && (b.sales || sent.supposed(at)) {
			continue
		}
		b.set[0], b.set[1] = max(b.set[0], s.Impact), max(b.set[1], s.Urgency)
		b.spoken = true
		b.grave = b.grave || s.Urgency == 4
		b.why = append(b.why, fmt.Sprintf("configured sign: %q", s.Phrase))
		return
	}
}

// readNumbers notes how many people or places a sentence says are hit.
func (b *balance) readNumbers(s sentence) {
	for i, w := range s.words {
		n := numberWords[w]
		if v, err := strconv.Atoi(w); err == nil && len(w) < 6 {
			n = v
		}
		if n < 3 || !slices.ContainsFunc(peopleWords(), func(p phrase) bool {
			return p.at(s.words, i+1) > 0 || p.at(s.words, i+2) > 0 && s.words[i+1] != pause
		}) {
			continue
		}
		impact := 2
		if n >= 10 {
			impact = 3
		}
		if n >= 30 {
			impact = 4
		}
		if impact > b.hits {
			b.hits = impact
			b.why = append(b.why, fmt.Sprintf("how many are hit: %q", strings.Join(s.words[i:min(len(s.words), i+3)], " ")))
		}
	}
}

// settle notes what the sum means.
func (b *balance) settle() {
	if b.sales {
		b.why = append(b.why, "an offer, not a request: its urgency is not ours")
	}
	if b.hits > 1 && !b.wrong() {
		b.why = append(b.why, "nothing is said to be wrong: how many it concerns does not count")
	}
	b.why = append(b.why, fmt.Sprintf("impact %d, urgency %d", b.impact(), b.urgency()))
}

func (b *balance) wrong() bool {
	return b.forces[forceFault]+b.forces[forceNow]+b.forces[forceStrong] > 0
}

// impact is how many are hit, 1 (one person) to 4 (everybody).
func (b *balance) impact() int {
	if b.set[0] > 0 {
		return max(b.set[0], b.reach())
	}
	return b.reach()
}

func (b *balance) reach() int {
	if b.wrong() {
		return b.hits
	}
	return 1
}

// urgency is how long it can wait, 1 (it can) to 4 (not at all).
func (b *balance) urgency() int {
	n := b.pressed()
	if s := b.set[1]; s == 1 && n < 3 {
		return 1
	} else if s > 0 {
		return max(n, s)
	}
	return n
}

// pressed weighs what presses against what can wait. Pressure without anything
// to do is a question of somebody in a hurry.
func (b *balance) pressed() int {
	f := b.forces
	if b.sales {
		return 1
	}
	over := f[forceOver] > 0
	if f[forceNow] > 0 && !over {
		return 4
	}
	press := 2*f[forceStrong] + f[forceWeak] - 2*f[forceCalm]
	if f[forceFault]+f[forceAct]+f[forceNow] == 0 {
		press /= 3
	}
	if press >= 2 && !over {
		return 3
	}
	need := 4*min(2, f[forceFault]) + 3*min(2, f[forceAct]) + 2*max(0, press) + 4*f[forceNow]
	rest := 2*min(2, f[forceAsk]) + 3*f[forceCalm] + 5*f[forceTrifle]
	if rest > 0 && rest >= need {
		return 1
	}
	return 2
}

// sales reports whether the mail offers something: two different things that
// offers say of themselves.
func (w written) sales() bool {
	n := 0
	for _, p := range salesWords() {
		if slices.ContainsFunc(w, p.in) {
			n++
		}
	}
	return n >= 2
}
