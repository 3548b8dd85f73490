package notify

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"frontdesk/tickets"
)

// language is what the code itself says in a letter: dates, spans of time,
// sizes, the questions behind missing facts. All else stands in the templates.
type language struct {
	code       string
	months     [12]string
	days       [7]string
	when       string // day name, day, month name, year, hour, minute
	decimal    string
	and        string
	spans      map[string][2]string // singular and plural by English unit
	questions  map[string]string    // by key of Ticket.Facts
	types      map[string]string    // by configured MIME type
	severities map[string]string
	statuses   map[tickets.Status]string
	parts      map[string]string // of morning letters, by tickets.QueueView.Title
	known      map[string]string // by the name before the colon of a line about the ticket
	noSubject  string
	clocks     map[string]string // by the clock's name
	oclock     string            // behind a time of day
	request    string            // subject of a letter about a ticket whose subject is not shown
	desk       string            // who writes a letter about no ticket
}

// spoken returns the language for an ISO 639-1 code, English for one that the
// code does not speak (a translation in letters_dir then shows English dates).
func spoken(code string) *language {
	if l, ok := languages[strings.ToLower(code)]; ok {
		return l
	}
	return languages["en"]
}

// moment shows a time in the zone: "Monday, 23 November 2026, 14:05".
func (l *language) moment(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(zone)
	return fmt.Sprintf(l.when, l.days[t.Weekday()], t.Day(), l.months[t.Month()-1], t.Year(), t.Hour(), t.Minute())
}

var spanForm = regexp.MustCompile(`^(\d+)\s+([a-z ]+)$`)

// span translates a configured span of time: "2 business hours". What it does
// not know it returns as it is: an operator may write it in the brand's words.
func (l *language) span(s string) string {
	m := spanForm.FindStringSubmatch(strings.ToLower(strings.TrimSpace(s)))
	if m == nil {
		return strings.TrimSpace(s)
	}
	unit, ok := l.spans[strings.TrimSuffix(m[2], "s")]
	if !ok {
		return strings.TrimSpace(s)
	}
	if m[1] == "1" {
		return "1 " + unit[0]
	}
	return m[1] + " " + unit[1]
}

// size shows bytes as people say them: "25 MB", "1.5 MB", "12 KB".
func (l *language) size(n int64) string {
	show := func(unit int64, name string) string {
		tenths := (n*10 + unit/2) / unit
		if tenths%10 == 0 || tenths >= 100 {
			return strconv.FormatInt((n+unit/2)/unit, 10) + " " + name
		}
		return fmt.Sprintf("%d%s%d %s", tenths/10, l.decimal, tenths%10, name)
	}
	switch {
	case n <= 0:
		return ""
	case n%1000000 == 0: // configured in powers of ten: 25MB is 25 MB, not 23.8
		return show(1000000, "MB")
	case n >= 1<<20:
		return show(1<<20, "MB")
	case n >= 1<<10:
		return show(1<<10, "KB")
	}
	return strconv.FormatInt(n, 10) + " bytes"
}

// kinds says which files are taken: "pictures, PDF and videos". Types that
// people call by the same name are named once.
func (l *language) kinds(types []string) string {
	var names []string
	seen := map[string]bool{}
	for _, t := range types {
		name, ok := l.types[strings.ToLower(t)]
		if !ok {
			name = t
		}
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return l.list(names)
}

// list joins names: "a, b and c".
func (l *language) list(names []string) string {
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " " + l.and + " " + names[n-1]
	}
}

func (l *language) question(fact string) string { return lookup(l.questions, fact) }

func (l *language) part(title string) string   { return lookup(l.parts, title) }
func (l *language) severity(key string) string { return lookup(l.severities, key) }

func (l *language) status(s tickets.Status) string { return lookup(l.statuses, s) }

// knownLine says a line about a ticket, "queue: support", in the language:
// the name before the colon; what stands behind it is the operator's own word.
func (l *language) knownLine(line string) string {
	name, value, ok := strings.Cut(line, ":")
	if translated, known := l.known[name]; ok && known {
		if name == "status" {
			value = " " + l.status(tickets.Status(strings.TrimSpace(value)))
		}
		return translated + ":" + value
	}
	return line
}

func lookup[K ~string](m map[K]string, k K) string {
	if v, ok := m[k]; ok {
		return v
	}
	return string(k)
}

var languages = map[string]*language{
	"en": {
		code: "en",
		months: [12]string{"January", "February", "March", "April", "May", "June",
			"July", "August", "September", "October", "November", "December"},
		days:    [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		when:    "%s, %d %s %d, %02d:%02d",
		decimal: ".",
		and:     "and",
		spans: map[string][2]string{
			"minute": {"minute", "minutes"}, "hour": {"hour", "hours"}, "day": {"day", "days"}, "week": {"week", "weeks"},
			"business hour": {"business hour", "business hours"}, "working hour": {"working hour", "working hours"},
			"business minute": {"business minute", "business minutes"},
			"working day":     {"working day", "working days"}, "business day": {"business day", "business days"},
		},
		questions: map[string]string{
			"occurred":     "When did it happen (date and time)?",
			"organisation": "Which organisation or site do you belong to?",
			"room":         "In which building and room is it?",
			"product":      "Which product or part is affected (name, model, serial number)?",
			"phone":        "On which phone number may we call you?",
			"tried":        "What have you tried so far?",
			"error":        "What exactly does the error message say? A screenshot is welcome.",
			"expected":     "What did you expect to happen?",
			"first_time":   "Is this the first time, or has it happened before?",
		},
		types: map[string]string{
			"image/*": "pictures", "application/pdf": "PDF files", "text/*": "text files", "audio/*": "sound recordings",
			"video/*": "videos", "application/vnd.*": "office documents", "application/msword": "office documents",
			"application/zip": "ZIP archives",
		},
		severities: map[string]string{"critical": "critical", "high": "high", "medium": "medium", "low": "low"},
		parts: map[string]string{
			"overdue": "Overdue", "due today": "Due today", "open": "Open", "waiting": "Waiting for the customer",
			"unassigned": "Unassigned", "at risk": "At risk",
		},
		statuses: map[tickets.Status]string{
			tickets.StatusNew: "new", tickets.StatusOpen: "open", tickets.StatusPending: "pending",
			tickets.StatusHold: "on hold", tickets.StatusResolved: "resolved", tickets.StatusClosed: "closed",
			tickets.StatusMerged: "merged", tickets.StatusSpam: "spam",
		},
		known: map[string]string{"status": "status"},
		clocks: map[string]string{"first response": "first response", "next response": "next response",
			"next update": "status update", "resolution": "resolution"},
		noSubject: "(no subject)", request: "Your request", desk: "desk",
	},
	"de": {
		code: "de",
		months: [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni",
			"Juli", "August", "September", "Oktober", "November", "Dezember"},
		days:    [7]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"},
		when:    "%s, %d. %s %d, %02d:%02d Uhr",
		decimal: ",",
		and:     "und",
		spans: map[string][2]string{
			"minute": {"Minute", "Minuten"}, "hour": {"Stunde", "Stunden"}, "day": {"Tag", "Tage"}, "week": {"Woche", "Wochen"},
			"business hour": {"Geschäftsstunde", "Geschäftsstunden"}, "working hour": {"Arbeitsstunde", "Arbeitsstunden"},
			"business minute": {"Minute der Geschäftszeit", "Minuten der Geschäftszeit"},
			"working day":     {"Werktag", "Werktage"}, "business day": {"Werktag", "Werktage"},
		},
		questions: map[string]string{
			"occurred":     "Wann ist es passiert (Datum und Uhrzeit)?",
			"organisation": "Zu welcher Organisation oder welchem Standort gehören Sie?",
			"room":         "In welchem Gebäude und Raum ist es?",
			"product":      "Welches Produkt oder Teil ist betroffen (Name, Modell, Seriennummer)?",
			"phone":        "Unter welcher Telefonnummer dürfen wir Sie anrufen?",
			"tried":        "Was haben Sie bisher versucht?",
			"error":        "Wie lautet die Fehlermeldung genau? Gern mit Bildschirmfoto.",
			"expected":     "Was hätten Sie erwartet?",
			"first_time":   "Ist es das erste Mal, oder ist es schon früher vorgekommen?",
		},
		types: map[string]string{
			"image/*": "Bilder", "application/pdf": "PDF-Dateien", "text/*": "Textdateien", "audio/*": "Tonaufnahmen",
			"video/*": "Videos", "application/vnd.*": "Office-Dokumente", "application/msword": "Office-Dokumente",
			"application/zip": "ZIP-Archive",
		},
		severities: map[string]string{"critical": "kritisch", "high": "hoch", "medium": "mittel", "low": "niedrig"},
		parts: map[string]string{
			"overdue": "Überfällig", "due today": "Heute fällig", "open": "Offen", "waiting": "Warten auf den Kunden",
			"unassigned": "Nicht zugewiesen", "at risk": "Gefährdet",
		},
		statuses: map[tickets.Status]string{
			tickets.StatusNew: "neu", tickets.StatusOpen: "offen", tickets.StatusPending: "wartet auf Kunden",
			tickets.StatusHold: "zurückgestellt", tickets.StatusResolved: "gelöst", tickets.StatusClosed: "geschlossen",
			tickets.StatusMerged: "zusammengeführt", tickets.StatusSpam: "Spam",
		},
		known: map[string]string{
			"queue": "Warteschlange", "status": "Status", "severity": "Schweregrad", "category": "Kategorie",
			"assigned to": "Bearbeitung", "tags": "Schlagwörter", "occurred": "passiert", "organisation": "Organisation",
			"room": "Raum", "product": "Produkt", "phone": "Telefon", "tried": "versucht", "error": "Fehlermeldung",
			"expected": "erwartet", "first_time": "zum ersten Mal",
		},
		clocks: map[string]string{"first response": "erste Antwort", "next response": "nächste Antwort",
			"next update": "Zwischenstand", "resolution": "Lösung"},
		oclock:    " Uhr",
		noSubject: "(kein Betreff)", request: "Ihre Anfrage", desk: "Servicedesk",
	},
}
