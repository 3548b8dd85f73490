package tickets

import (
	"regexp"
	"strconv"
	"strings"
)

// Scale is what a survey of a kind may be answered with.
func (k SurveyKind) Scale() (least, most int) {
	switch k {
	case SurveyCES:
		return 1, 7
	case SurveyNPS:
		return 0, 10
	}
	return 1, 5
}

// Takes reports whether a score is on the scale.
func (k SurveyKind) Takes(score int) bool {
	least, most := k.Scale()
	return score >= least && score <= most
}

// The forms of a vote at the beginning of a line: "9 great service", "8, fast",
// "5/5", "8 von 10", "Score: 9", "I give you a 9", "eine 4 von mir", "★★★★".
var (
	votePattern = regexp.MustCompile(`(?i)^(?:(?:my |meine |unsere |our )?(?:score|rating|vote|answer|bewertung|antwort|wertung|punktzahl)\s*(?:is|ist|:|=|-)?\s*|` +
		`(?:i(?:'d| would)? (?:give|say|rate)(?: you| it| this| them)?|we give(?: you)?|ich (?:gebe|vergebe|würde)(?: ihnen| euch| dafür| sagen)?|wir geben(?: ihnen)?|von mir|klare|eine klare|eine glatte|definitely|a clear)\s*,?\s*)?` +
		`(?:an? |eine? |the )?[*_"'(]*(\d{1,2}|` + spelledNumbers + `)[*_"')]*(?:\s*(/|von|of|out of|aus|auf)\s*(?:max\.?\s*)?(\d{1,2}))?(.*)$`)
	starPattern = regexp.MustCompile(`^((?:[★⭐🌟]\x{FE0F}?\s*)+)[☆✩]*(.*)$`)
	unitPattern = regexp.MustCompile(`(?i)^\s*(?:points?|punkten?|stars?|sterne?n?)\b`)
)

const spelledNumbers = `zero|one|two|three|four|five|six|seven|eight|nine|ten|null|eins|zwei|drei|vier|fünf|fuenf|sechs|sieben|acht|neun|zehn`

var spelledNumber = func() map[string]int {
	m := map[string]int{}
	for i, w := range strings.Split(spelledNumbers, "|")[:11] {
		m[w] = i
	}
	for i, w := range []string{"null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"} {
		m[w] = i
	}
	m["fuenf"] = 5
	return m
}()

var (
	// countedWords after a number say that it counts something: "2 pages are
	// missing" is no vote.
	countedWords = words(`page pages sheet sheets printer printers device devices question questions problem problems issue issues error errors
		time times day days week weeks month months year years hour hours minute minutes pm am o'clock more other others new further people users person
		colleagues files emails mails invoices orders items pieces copies tickets things computers laptops cartridges of and or to percent euro euros
		eur usd dollar dollars kg mb gb th nd rd st x years-old
		seite seiten blatt drucker gerät geräte frage fragen fehler mal tag tage tagen woche wochen monat monate jahr jahre stunde stunden minute minuten uhr
		weitere weiteren andere anderen neue neuen leute personen kollegen dateien rechnungen bestellungen stück kopien dinge sachen rechner laptops
		patronen und oder bis prozent`)
	greetingWords = words(`hi hello hey dear good morning day evening afternoon all team support sir madam there everyone
		hallo guten tag morgen abend liebe lieber liebes sehr geehrte geehrter damen herren moin servus grüß gott grüezi zusammen`)
)

// ReadScore reads a vote out of the visible reply to a survey: the score, and
// what else was said. In doubt it is none: a message that is taken for a vote
// is a customer who was not heard.
func ReadScore(reply string, kind SurveyKind) (score int, comment string, ok bool) {
	lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(reply, "’", "'"), "\u00a0", " "), "\n")
	for len(lines) > 0 && greeting(lines[0]) {
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return 0, "", false
	}
	score, rest, ok := voteLine(strings.TrimSpace(lines[0]), kind)
	if !ok || numbered(rest, lines[1:]) {
		return 0, "", false
	}
	lines[0] = rest
	return score, strings.TrimSpace(strings.Join(lines, "\n")), true
}

// greeting reports whether a line is empty or nothing but a salutation with a
// name: "Hello Kaya,".
func greeting(line string) bool {
	list := tokens(line)
	if len(list) == 0 {
		return !strings.ContainsFunc(line, func(r rune) bool { return r > 0x2000 }) // stars are words, too
	}
	if !greetingWords[list[0]] || len(list) > 6 {
		return false
	}
	return !strings.ContainsAny(line, "0123456789")
}

// voteLine reads the line that begins with the vote.
func voteLine(line string, kind SurveyKind) (score int, rest string, ok bool) {
	if m := starPattern.FindStringSubmatch(line); m != nil {
		n := 0
		for _, r := range m[1] {
			if strings.ContainsRune("★⭐🌟", r) {
				n++
			}
		}
		return n, trimComment(m[2]), kind == SurveyCSAT && kind.Takes(n)
	}
	m := votePattern.FindStringSubmatch(line)
	if m == nil {
		return 0, "", false
	}
	score, err := strconv.Atoi(m[1])
	if err != nil {
		score = spelledNumber[strings.ToLower(m[1])]
	}
	if _, most := kind.Scale(); m[3] != "" && m[3] != strconv.Itoa(most) || !kind.Takes(score) {
		return 0, "", false
	}
	rest = m[4]
	if unit := unitPattern.FindString(rest); unit != "" {
		rest = rest[len(unit):]
	} else if m[3] == "" && !alone(rest) {
		return 0, "", false
	}
	return score, trimComment(rest), true
}

// alone reports whether what follows a number leaves it a vote: not a decimal, a
// date, a part of a word, and not something that is counted.
func alone(rest string) bool {
	if rest == "" {
		return true
	}
	if len(rest) > 1 && strings.ContainsRune(".,:/-", rune(rest[0])) && rest[1] >= '0' && rest[1] <= '9' {
		return false
	}
	switch r := []rune(rest)[0]; {
	case r >= '0' && r <= '9', r == '%', r == '€', r == '$', r == '°', r == '@', r == '#', r == '_':
		return false
	case r != ' ' && r != '\t' && len(tokens(string(r))) > 0: // "9am"
		return false
	case r == ' ' || r == '\t':
		next := strings.ToLower(strings.TrimSpace(rest))
		list := tokens(next)
		return len(list) == 0 || !strings.HasPrefix(next, list[0]) || !countedWords[list[0]] && !strings.ContainsAny(list[0], "0123456789")
	}
	return true
}

// numbered reports whether the first line begins a list: "1. The tray … 2. The fan …".
func numbered(first string, more []string) bool {
	for _, line := range more {
		line = strings.TrimSpace(line)
		if len(line) > 2 && line[0] >= '0' && line[0] <= '9' && (line[1] == '.' || line[1] == ')') && first != "" {
			return true
		}
	}
	return false
}

func trimComment(s string) string {
	return strings.TrimLeft(strings.TrimSpace(s), " \t,;:.!-–—=)")
}
