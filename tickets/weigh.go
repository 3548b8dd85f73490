package tickets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// balance is what the signs in a request weigh together.
type balance struct {
	forces     map[force]int // how many different phrases of each force, each sign at most twice
	hits       int           // strongest impact that was said, 1 … 4
	set        [2]int        // impact and urgency that the configuration's signs say, 0 nothing
	sales      bool          // an offer, not a request
	spoken     bool          // anything at all was found
	onlyThings bool          // what harm there is, is a thing that stands
	few        bool          // a handful of people was counted
	howTo      bool          // asks how to do something
	intruded   bool          // somebody got in who should not
	cosmetic   bool          // only how it looks
	grave      bool          // harm, a standstill or no way around it
	why        []string
	counts     map[string]int // how often each sign was counted
}

// weigh looks for signs of how many are hit and how long it can wait.
func weigh(w written, configured []Sign) balance {
	b := balance{forces: map[force]int{}, hits: 1, sales: w.sales(), counts: map[string]int{}}
	var told []bool // sentences in which something is wrong
	for _, s := range w {
		told = append(told, b.readSigns(s))
	}
	for _, s := range configured {
		b.readConfigured(w, s)
	}
	for i, s := range w {
		if told[i] && !s.asks || b.wrong() && !s.asks && s.weight == 1 {
			b.readNumbers(s)
		}
	}
	b.settle()
	return b
}

// readSigns notes the signs of one sentence and reports whether it tells of
// something that does not work.
func (b *balance) readSigns(s sentence) (broken bool) {
	wrong := false
	k := lexicons()
	own := len(inPrivate.find(s)) > 0
	var seen []signHeard
	for _, f := range inSigns.find(s) {
		x := k.signs[f.group]
		words := strings.Join(s.words[f.at:f.at+f.n], " ")
		if x.force == forceWeak && b.counts[x.says] > 0 || saidAlready(seen, x.says, words) || !x.counts(s, f.at, f.n, b.sales) {
			continue
		}
		seen = append(seen, signHeard{x.says, words})
		b.note(x, words, own, s.hedged(f.at))
		wrong = wrong || x.wrong()
		broken = broken || x.wrong() && x.force != forceStrong
	}
	b.howTo = b.howTo || len(inHowto.find(s)) > 0
	if s.asks && !wrong {
		b.forces[forceAsk]++
		b.spoken = true
	}
	return broken
}

// wrong reports whether the sign tells of something that is not as it should be.
func (x sign) wrong() bool {
	switch x.force {
	case forceNow, forceStrong, forceDead, forceFault:
		return true
	}
	return false
}

// signHeard is what a sign said, and the words for it.
type signHeard struct{ says, words string }

// saidAlready reports whether a sign was heard twice, or once in words that say
// again what these say.
func saidAlready(seen []signHeard, says, words string) bool {
	times := 0
	for _, h := range seen {
		if h.says != says {
			continue
		}
		if times++; times == 2 || strings.Contains(h.words, words) || strings.Contains(words, h.words) {
			return true
		}
	}
	return false
}

// counts reports whether the words at a place mean what they say.
func (x sign) counts(s sentence, at, n int, sales bool) bool {
	switch x.force {
	case forceNow, forceStrong, forceWeak:
		return !sales && !s.supposed(at) && !s.negated(at, at+n)
	case forceAsk:
		return s.asks || at < 3
	case forceAct:
		return x.says != asksUs || len(inInform.find(s)) == 0
	case forceFault, forceDead:
		return !s.imagined(at) && !s.negated(at, at+n)
	case forceNone:
		return !sales && !s.supposed(at)
	}
	return true
}

// note counts a sign. A thing that nobody else waits for stops nobody else.
func (b *balance) note(x sign, words string, own, hedged bool) {
	f, impact := x.force, x.impact
	if own && f == forceNow && x.spares() {
		f, impact = forceStrong, 1
	}
	if hedged && f == forceNow {
		f = forceStrong // what may come is not what is
	}
	if f == forceNow {
		b.onlyThings = x.spares() && (b.onlyThings || b.forces[forceNow] == 0)
	}
	b.forces[f]++
	b.counts[x.says]++
	b.hits = max(b.hits, impact)
	b.spoken = true
	b.cosmetic = b.cosmetic || x.says == looks
	b.intruded = b.intruded || x.says == breaksIn
	b.grave = b.grave || f == forceNow || x.says == noWayAround
	b.why = append(b.why, x.says+": "+strconv.Quote(words))
}

// spares reports whether the sign is about a thing being stopped, as against
// data or people being harmed.
func (x sign) spares() bool { return x.says == nothingGoes }

// readConfigured notes a sign of the configuration.
func (b *balance) readConfigured(w written, s Sign) {
	want := plainWords(s.Phrase)
	for _, sent := range w {
		at, n := indexOf(sent.words, want), len(want)
		if at < 0 {
			continue
		}
		if sent.negated(at, at+n) || s.Urgency > 2 && (b.sales || sent.supposed(at)) {
			continue
		}
		b.set[0], b.set[1] = max(b.set[0], s.Impact), max(b.set[1], s.Urgency)
		b.spoken = true
		b.grave = b.grave || s.Urgency == 4
		b.why = append(b.why, fmt.Sprintf("configured sign: %q", s.Phrase))
		return
	}
}

// plainWords are the words of a phrase as somebody writes it in a configuration.
func plainWords(phrase string) []string {
	var out []string
	for _, s := range sentencesOf(phrase) {
		out = append(out, s.words...)
	}
	return out
}

// indexOf is where the words want stand first among words, -1 nowhere.
func indexOf(words, want []string) int {
	if len(want) == 0 {
		return -1
	}
	for at := range len(words) - len(want) + 1 {
		if words[at] == want[0] && slices.Equal(words[at:at+len(want)], want) {
			return at
		}
	}
	return -1
}

// readNumbers notes how many people or places a sentence says are hit: the
// number before them, "15 of our 30 scanners" are fifteen.
func (b *balance) readNumbers(s sentence) {
	people, places := inPeople.find(s), inPlaces.find(s)
	for i := 0; i < len(s.words); i++ {
		n := numberAt(s, i)
		if n < 3 || unit(s, i+1) {
			continue
		}
		end := min(len(s.words), i+2+maxGap)
		if p := slices.Index(s.words[i+1:end], pause); p >= 0 {
			end = i + 1 + p
		}
		within := func(end int) func(place) bool {
			return func(f place) bool { return f.at > i && f.at < end }
		}
		who := slices.ContainsFunc(people, within(end))
		where := slices.ContainsFunc(places, within(min(end, i+3)))
		if !who && !where && !manyThings(s.words, i) {
			continue
		}
		b.few = b.few || who && n < 10
		if impact := sizeOf(n); impact > b.hits {
			b.hits = impact
			b.why = append(b.why, fmt.Sprintf("how many are hit: %q", strings.Join(s.words[i:end], " ")))
		}
		if slices.Contains(s.words[i+1:min(i+2, len(s.words))], "of") || slices.Contains(s.words[i+1:min(i+2, len(s.words))], "von") {
			i = end - 1
		}
	}
}

// sizeOf is the impact of a number of people or places.
func sizeOf(n int) int {
	switch {
	case n >= 50:
		return 4
	case n >= 10:
		return 3
	}
	return 2
}

// manyThings reports whether a large number counts things, as against money,
// time or a size: "4,000 bags". Only a number with its thousands parted counts
// something; the others are names of invoices and machines.
func manyThings(words []string, i int) bool {
	return strings.ContainsRune(words[i], thousands) && i+1 < len(words) && len(words[i+1]) > 3 &&
		!money(words, i-1)
}

// unit reports whether the word is one of money, time or size.
func unit(s sentence, i int) bool {
	return i < len(s.words) && slices.ContainsFunc(s.known[i].begins(inUnits), func(r row) bool { return len(r.rest) == 0 })
}

func money(words []string, i int) bool { return i >= 0 && words[i] == currency }

// numberAt reads a number in digits or words.
func numberAt(s sentence, i int) int {
	if w := s.words[i]; '0' <= w[0] && w[0] <= '9' && len(w) < 9 {
		if n, err := strconv.Atoi(strings.ReplaceAll(w, string(thousands), "")); err == nil {
			return n
		}
	}
	if w := s.known[i]; w != nil {
		return w.count
	}
	return 0
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
	f := b.forces
	return f[forceFault]+f[forceDead]+f[forceNow]+f[forceStrong] > 0
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
		if b.few && b.hits < 4 && b.onlyThings {
			return 3 // five people without internet are five people
		}
		return 4
	}
	press := 2*f[forceStrong] + f[forceWeak] + min(1, f[forceDead]) - 2*min(1, f[forceCalm]) - min(1, f[forceAround])
	if b.wrong() && !over {
		press += max(0, b.hits-2) // what hits everybody cannot wait
	}
	if f[forceFault]+f[forceAct]+f[forceNow]+f[forceDead] == 0 {
		press /= 2
	}
	if press >= 2 && !over {
		return 3
	}
	need := 4*min(2, f[forceFault]+f[forceDead]+f[forceAround]) + 3*min(2, f[forceAct]) + 2*max(0, press) + 4*f[forceNow]
	rest := 2*min(3, f[forceAsk]) + 3*f[forceCalm] + 5*f[forceTrifle]
	if rest > need {
		return 1
	}
	return 2
}

// sales reports whether the mail offers something: two different things that
// offers say of themselves.
func (w written) sales() bool {
	said := map[string]bool{}
	for _, s := range w {
		for _, f := range inSales.find(s) {
			said[s.words[f.at]] = true
		}
	}
	return len(said) > 1
}
