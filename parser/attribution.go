package parser

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// wroteVerbs are the words by which clients say who wrote the quoted text, in
// lower case. Those with a leading blank must stand as words of their own.
var wroteVerbs = newPhrases([]string{
	"wrote", " sent:", " writes", " said", "sent the following", "responded", // English
	"schrieb", "geschrieben", // German
	"a écrit", "a ecrit", "ont écrit", "écrivait", "écrit", // French
	"escribió", "escribio", " ha escrito", " va escriure", "escrigué", // Spanish, Catalan
	"escreveu", " escribiu", // Portuguese, Galician
	"ha scritto", " scrisse", " scritto", "scrive", // Italian
	"schreef", "geschreven", // Dutch
	"skrev", "skrifaði", "skreiv", // Danish, Norwegian, Swedish, Icelandic
	"kirjoitti", "kirjutas", // Finnish, Estonian
	"napisał", "napisal", "napisana przez", "missatge de", "napísal", "napsal", "pisze", // Polish, Slovak, Czech
	"написа", "пишет", "писал", "пише", "напісаў", // Russian, Ukrainian, Bulgarian, Serbian, Belarusian
	" je napisao", "je napisala", " napisao", "je pisal", "piše", "je napísal", // Croatian, Slovenian
	"yazdı", "yazmış", "yazdi", // Turkish
	" írta", " ezt írta", "következőt írta", // Hungarian
	"a scris", " scris", // Romanian
	"έγραψε",                     // Greek
	"rašė", "parašė", "rakstīja", // Lithuanian, Latvian
	"menulis", "đã viết", "viết", "เขียน", // Indonesian, Vietnamese, Thai
	"写道", "寫道", "写到", "のメッセージ", "さんからのメール", "さんは書きました", "さんが書きました", "のメール", "作成", "님이 작성", "작성", "썼습니다", "寫了", "写：", // Chinese, Japanese, Korean
	"كتب", "כתב", "نوشت", // Arabic, Hebrew, Persian
	"idatzi zuen", "shkroi", "skrives", "ysgrifennodd", "scríobh", // Basque, Albanian, Welsh, Irish
})

// leads are the words that open an attribution, in lower case.
var leads = words(`on am le el em il op den på w dnia dne dňa в у a at ngày vào pada tanggal στις dana ден la na în data kl ar
	lør fre man tir ons tor søn lun mar mer gio ven sab dom jue vie zo vr do wo di ma za mo mi fr sa so mon tue wed thu fri sat sun í þann ons. 在 於 于`)

// maxAttribution bounds the lines and octets that one attribution spans.
const (
	maxAttributionLines = 6
	maxAttribution      = 600
)

// attributionEnds are verbs that attributions end in without a colon, lower case.
var attributionEnds = newPhrases([]string{"wrote", "writes", "написал", "написала", "написал(а)", "пишет", "写道", "寫道", "escribió", "escreveu", "schrieb", "a écrit", "ha scritto", "yazdı", "skrev", "schreef"})

// attributionEnd reports whether the line may be the last of an attribution.
func attributionEnd(s string) bool {
	s = strings.TrimRightFunc(s, func(r rune) bool { return isBlankRune(r) || r == '*' || r == '_' })
	if s == "" || len(s) > maxAttribution {
		return false
	}
	if strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：") {
		return true
	}
	if attributionEnds.closes(s) {
		low := strings.ToLower(s)
		for _, v := range attributionEnds.list {
			if strings.HasSuffix(low, v) && (len(low) > len(v) || v == "wrote") {
				return true
			}
		}
	}
	// Old Gmail: "2011/4/7 Name <user@example.net>", without a colon.
	return strings.HasSuffix(s, ">") && isDigit(s[0]) && strings.Contains(s, "@")
}

// attribution looks for one that ends at lines[end] and returns the line where
// it starts, -1 for none. quoteFollows says that a quote stands below it,
// which is needed to believe the shortest forms.
func attribution(lines []string, end int, quoteFollows bool) int {
	if !attributionEnd(lines[end]) {
		return -1
	}
	joined, best := "", -1
	for start := end; start >= 0 && end-start < maxAttributionLines; start-- {
		l := bareLine(lines[start])
		if l == "" || start < end && endsSentence(l) {
			break
		}
		if joined = strings.TrimSpace(l + " " + joined); len(joined) > maxAttribution {
			break
		}
		switch judge(joined, quoteFollows) {
		case whole:
			return firstLine(lines, start, joined)
		case partly:
			if best < 0 {
				best = start
			}
		}
	}
	return best
}

// endsSentence reports a line that is somebody's own text above an attribution.
func endsSentence(l string) bool {
	switch l[len(l)-1] {
	case '!', '?':
		return true
	case '.':
		return !hasDate(l) && !strings.Contains(l, "@") && !hasVerb(strings.ToLower(l))
	}
	return false
}

// firstLine takes in one more line above when the attribution started there:
// "On Monday," alone on its line.
func firstLine(lines []string, start int, joined string) int {
	if start == 0 || startsWithLead(joined) {
		return start
	}
	above := bareLine(lines[start-1])
	if w := utf8.RuneCountInString(above); w > 0 && w < 120 && startsWithLead(above) && (hasDate(above) || len(strings.Fields(above)) <= 3) && !strings.ContainsAny(above[len(above)-1:], ".!?:") {
		return start - 1
	}
	return start
}

type verdict int

const (
	no verdict = iota
	partly
	whole
)

// judge says whether s, lines joined, reads as an attribution.
func judge(s string, quoteFollows bool) verdict {
	low := strings.ToLower(s)
	verb := hasVerb(low)
	date := hasDate(s)
	mail := strings.Contains(s, "@") || strings.Contains(low, "mailto:")
	ends := strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：") || strings.HasSuffix(strings.TrimRight(s, "*_ "), ":")
	balanced := strings.Count(s, "<") == strings.Count(s, ">") || !strings.Contains(s, "<") && !strings.HasPrefix(s, "<")
	lead := startsWithLead(s)
	switch {
	case !balanced:
		return no
	case verb && date && (mail || lead || ends):
		return whole
	case verb && lead && ends && (mail || hasWeekday(low)):
		return whole
	case verb && mail && ends:
		return partly
	case date && mail && ends && quotedName(s): // Gmail and Yandex without a verb
		return whole
	case mail && quotedName(s) && numericDate(s): // old Gmail without a colon
		return whole
	case date && ends && lead && quoteFollows && len(s) < 200:
		return partly
	case verb && ends && quoteFollows && len(s) < 120:
		return partly
	}
	return no
}

// numericDate reports a text that starts with a date in figures.
func numericDate(s string) bool {
	word, _, _ := strings.Cut(s, " ")
	return len(word) >= 6 && word[0] >= '0' && word[0] <= '9' && strings.ContainsAny(word, "/-.") && hasDate(word)
}

// quotedName reports "… Name <user@example.net>:" or "… (user@example.net):".
func quotedName(s string) bool {
	s = strings.TrimRight(s, " :：*_")
	return strings.HasSuffix(s, ">") || strings.HasSuffix(s, ")") || strings.HasSuffix(s, "]")
}

func hasVerb(low string) bool {
	low = " " + strings.TrimLeft(low, "*_ ")
	return wroteVerbs.in(low)
}

// startsWithLead reports whether the first word may open an attribution.
func startsWithLead(s string) bool {
	s = strings.ToLower(strings.TrimLeft(s, "*_- "))
	word, _, _ := strings.Cut(s, " ")
	word = strings.TrimRight(word, ".,")
	if leads[word] || hasWeekday(word) {
		return true
	}
	r, _ := utf8.DecodeRuneInString(s)
	return r == '在' || r == '於' || r == '于' || unicode.IsDigit(r) && hasDate(s)
}

// weekdays are day names and their short forms in the languages of leads.
var weekdays = newPhrases([]string{
	"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag",
	"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo",
	"lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica", "segunda", "terça", "quarta", "quinta", "sexta",
	"maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag", "mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag",
	"måndag", "tisdag", "lördag", "söndag", "poniedziałek", "wtorek", "środa", "czwartek", "piątek", "sobota", "niedziela",
	"понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье", "pondělí", "úterý", "středa", "čtvrtek", "pátek", "neděle",
})

func hasWeekday(low string) bool { return weekdays.in(low) }

// hasDate reports a year, a time or a numeric date in s.
func hasDate(s string) bool {
	run, runs, sep := 0, 0, false
	for i := 0; i <= len(s); i++ {
		var c byte
		if i < len(s) {
			c = s[i]
		}
		if c >= '0' && c <= '9' {
			run++
			continue
		}
		if run > 0 {
			digits := s[i-run : i]
			switch {
			case run == 4 && (digits[:2] == "19" || digits[:2] == "20"):
				return true
			case run <= 2 && sep && runs >= 1: // 10:35, 3.4., 1/2
				return true
			}
			runs++
		}
		sep = run > 0 && run <= 4 && (c == ':' || c == '.' || c == '/' || c == '-' || c == 'h')
		if run == 0 {
			sep = false
		}
		run = 0
	}
	return strings.ContainsRune(s, '年')
}

// bareLine strips what editors put around a line: blanks, emphasis marks.
func bareLine(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return isBlankRune(r) || r == '*' })
}
