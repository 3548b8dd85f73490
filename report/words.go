package report

import (
	"strings"

	"frontdesk/tickets"
)

// words are what a report says in one language.
type words struct {
	decimal  string
	months   [12]string
	days     [7]string // short
	date     string    // day, month name, year
	nth      string    // a day of a month that is named later
	titles   map[string]string
	channels map[tickets.Channel]string
	clocks   map[string]string
	narrow   map[string]string // the same below a bar
	statuses map[tickets.Status]string
	texts    map[string]string
}

// spoken returns the words for an ISO 639-1 code, English for one that is not
// spoken.
func spoken(code string) *words {
	if w, ok := languages[strings.ToLower(code)]; ok {
		return w
	}
	return languages["en"]
}

// say returns a text by its name.
func (w *words) say(name string) string {
	if s, ok := w.texts[name]; ok {
		return s
	}
	panic("report: no words for " + name) // each is in both languages: a test looks
}

var languages = map[string]*words{
	"en": {
		decimal:  ".",
		months:   [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		days:     [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
		date:     "%d %s %d",
		nth:      "%d",
		titles:   map[string]string{"": "Report", "weekly": "Weekly report", "monthly": "Monthly report"},
		channels: map[tickets.Channel]string{"email": "mail", "shell": "walk-in", "web": "web page", "voice": "telephone", "sms": "SMS", "whatsapp": "WhatsApp"},
		clocks:   map[string]string{"first response": "First response", "next response": "Next response", "next update": "Status updates", "resolution": "Resolution"},
		narrow:   map[string]string{"first response": "First\nresponse", "next response": "Next\nresponse", "next update": "Status\nupdates", "resolution": "Resolution", "csat": "Satisfied\ncustomers"},
		statuses: map[tickets.Status]string{"new": "new", "open": "open", "pending": "waits for the customer", "on_hold": "on hold", "resolved": "resolved", "closed": "closed"},
		texts: map[string]string{
			"compared": "compared with", "this": "Period", "before": "Before", "change": "Change",
			"first": "This is the first report: there is nothing from before to compare with.",
			"empty": "Nothing came in, nothing was done and nothing is open.",
			"more":  "more", "less": "less", "longer": "longer", "shorter": "shorter", "higher": "higher", "lower": "lower", "same": "as before", "new": "new", "points": "points",
			"summary": "In short", "opened": "Opened", "resolved": "Resolved", "closed": "Closed", "reopened": "Reopened", "reopen rate": "Reopened of resolved", "backlog": "Open at the end",
			"response rate": "Answered of opened", "first response": "First response, median", "first response p90": "First response, 9 of 10 within", "first response business": "… in business hours, median",
			"resolution": "Resolution, median", "resolution p90": "Resolution, 9 of 10 within", "resolution business": "… in business hours, median",
			"kept": "Promises kept", "answers": "Answers written", "worked": "Time worked", "csat": "Satisfied customers (CSAT)", "ces": "Effort (CES, 1 to 7, 7 is easy)", "nps": "Net promoter score (NPS)",
			"promises": "Promises", "promise": "Promise", "kept of": "Kept", "broken": "Broken", "share": "Share",
			"by brand": "By brand", "by queue": "By queue", "by category": "By category", "by channel": "By channel", "by agent": "Agents",
			"name": "", "col opened": "Opened", "col rate": "An-swered", "col first": "First response", "col resolution": "Resolu-tion", "col open": "Open now",
			"col answers": "Answers", "col resolved": "Re-solved", "col worked": "Worked", "col csat": "CSAT",
			"nobody": "(nobody)", "none": "(none)",
			"ages": "Open tickets by age", "age": "Age", "tickets": "Tickets", "under": "under %s", "over": "over %s", "from to": "%s to %s",
			"satisfaction": "Satisfaction", "question": "Question", "asked": "Asked", "answered": "Answered", "result": "Result", "of": "of",
			"breaches": "Broken promises", "ticket": "Ticket", "subject": "Subject", "when": "When", "breaches more": "The newest %d are listed.",
			"again": "Came up again", "what": "What", "customers": "%d customers", "articles": "Articles that helped", "article": "Article", "shown": "Shown", "inserted": "Inserted", "solved": "Solved",
			"incidents": "Major incidents", "status": "Status", "letters": "Letters, texts and calls",
			"mails": "Mails sent", "bounced": "Came back", "failed": "Could not be sent", "texts out": "Texts sent", "texts in": "Texts received", "calls out": "Calls made", "calls in": "Calls and voicemails received", "quarantined": "Held in quarantine",
			"chart volume": "New requests a day, by channel", "chart backlog": "Open tickets at the end of each day", "chart answers": "First responses by time taken", "chart kept": "Promises kept and customers satisfied, in percent",
			"chart period": "period", "chart before": "before", "week of": "week of %s", "good csat": "Satisfied customers",
			"alt volume": "Bar chart. %d new requests: %s. Most on %s: %d.", "alt backlog": "Line chart. Open tickets: %d at the beginning, %d at the end, at most %d.", "alt answers": "Bar chart of first responses: %s.", "alt kept": "Bar chart: %s.",
		},
	},
	"de": {
		decimal:  ",",
		months:   [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
		days:     [7]string{"So", "Mo", "Di", "Mi", "Do", "Fr", "Sa"},
		date:     "%d. %s %d",
		nth:      "%d.",
		titles:   map[string]string{"": "Bericht", "weekly": "Wochenbericht", "monthly": "Monatsbericht"},
		channels: map[tickets.Channel]string{"email": "Mail", "shell": "persönlich", "web": "Webseite", "voice": "Telefon", "sms": "SMS", "whatsapp": "WhatsApp"},
		clocks:   map[string]string{"first response": "Erste Antwort", "next response": "Weitere Antworten", "next update": "Zwischenstände", "resolution": "Lösung"},
		narrow:   map[string]string{"first response": "Erste\nAntwort", "next response": "Weitere\nAntworten", "next update": "Zwischen-\nstände", "resolution": "Lösung", "csat": "Zufriedene\nKunden"},
		statuses: map[tickets.Status]string{"new": "neu", "open": "offen", "pending": "wartet auf den Kunden", "on_hold": "zurückgestellt", "resolved": "gelöst", "closed": "geschlossen"},
		texts: map[string]string{
			"compared": "verglichen mit", "this": "Zeitraum", "before": "Davor", "change": "Änderung",
			"first": "Dies ist der erste Bericht: Aus der Zeit davor gibt es nichts zu vergleichen.",
			"empty": "Es kam nichts an, nichts wurde erledigt, und nichts ist offen.",
			"more":  "mehr", "less": "weniger", "longer": "länger", "shorter": "kürzer", "higher": "höher", "lower": "niedriger", "same": "wie davor", "new": "neu", "points": "Punkte",
			"summary": "Kurz gesagt", "opened": "Eröffnet", "resolved": "Gelöst", "closed": "Geschlossen", "reopened": "Wieder geöffnet", "reopen rate": "Wieder geöffnet von gelösten", "backlog": "Offen am Ende",
			"response rate": "Beantwortet von eröffneten", "first response": "Erste Antwort, Median", "first response p90": "Erste Antwort, 9 von 10 binnen", "first response business": "… in Geschäftszeit, Median",
			"resolution": "Lösung, Median", "resolution p90": "Lösung, 9 von 10 binnen", "resolution business": "… in Geschäftszeit, Median",
			"kept": "Zusagen gehalten", "answers": "Geschriebene Antworten", "worked": "Arbeitszeit", "csat": "Zufriedene Kunden (CSAT)", "ces": "Aufwand (CES, 1 bis 7, 7 ist leicht)", "nps": "Weiterempfehlung (NPS)",
			"promises": "Zusagen", "promise": "Zusage", "kept of": "Gehalten", "broken": "Gebrochen", "share": "Anteil",
			"by brand": "Nach Marke", "by queue": "Nach Warteschlange", "by category": "Nach Kategorie", "by channel": "Nach Kanal", "by agent": "Mitarbeiter",
			"name": "", "col opened": "Er-öffnet", "col rate": "Beant-wortet", "col first": "Erste Antwort", "col resolution": "Lösung", "col open": "Jetzt offen",
			"col answers": "Ant-worten", "col resolved": "Gelöst", "col worked": "Arbeits-zeit", "col csat": "CSAT",
			"nobody": "(niemand)", "none": "(keine)",
			"ages": "Offene Tickets nach Alter", "age": "Alter", "tickets": "Tickets", "under": "unter %s", "over": "über %s", "from to": "%s bis %s",
			"satisfaction": "Zufriedenheit", "question": "Frage", "asked": "Gefragt", "answered": "Antworten", "result": "Ergebnis", "of": "von",
			"breaches": "Gebrochene Zusagen", "ticket": "Ticket", "subject": "Betreff", "when": "Wann", "breaches more": "Aufgeführt sind die neuesten %d.",
			"again": "Kam wieder vor", "what": "Was", "customers": "%d Kunden", "articles": "Artikel, die halfen", "article": "Artikel", "shown": "Gezeigt", "inserted": "Eingefügt", "solved": "Gelöst",
			"incidents": "Große Störungen", "status": "Status", "letters": "Briefe, Textnachrichten und Anrufe",
			"mails": "Mails gesendet", "bounced": "Zurückgekommen", "failed": "Nicht zustellbar", "texts out": "Textnachrichten gesendet", "texts in": "Textnachrichten empfangen", "calls out": "Anrufe getätigt", "calls in": "Anrufe und Sprachnachrichten", "quarantined": "In Quarantäne",
			"chart volume": "Neue Anfragen je Tag, nach Kanal", "chart backlog": "Offene Tickets am Ende jedes Tages", "chart answers": "Erste Antworten nach Dauer", "chart kept": "Gehaltene Zusagen und zufriedene Kunden, in Prozent",
			"chart period": "Zeitraum", "chart before": "davor", "week of": "Woche ab %s", "good csat": "Zufriedene Kunden",
			"alt volume": "Balkendiagramm. %d neue Anfragen: %s. Die meisten am %s: %d.", "alt backlog": "Liniendiagramm. Offene Tickets: %d am Anfang, %d am Ende, höchstens %d.", "alt answers": "Balkendiagramm der ersten Antworten: %s.", "alt kept": "Balkendiagramm: %s.",
		},
	},
}
