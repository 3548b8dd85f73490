package web

import (
	"net/http"
	"strings"

	"frontdesk/tickets"
)

// words is everything that the pages say in one language.
type words struct {
	Language string

	Request   string
	Subject   string
	Status    string
	NoSubject string
	Statuses  map[tickets.Status]said

	Forms        map[string]form // by action; labels only
	ReopenClosed form            // the same form where the ticket is closed already

	You      string // who wrote a message of the visitor's own
	Earlier  string // heading of the messages that are folded up
	Messages string // heading of the messages
	File     string // name of a file without one
	When     string // day, month, year, hour, minute
	Day      string // day, month, year
	Months   [12]string
	Read     string // link to an article

	Return      string // heading of a return; the number
	ReturnUntil string // until when it may be sent; the day
	ReturnTo    string // before the address
	Returns     map[tickets.ReturnStatus]said

	Surveys     map[tickets.SurveyKind]survey
	Comment     string // label of what else is to be said
	Send        string // button of a survey
	Change      string // the same, and the link, once it was answered
	Answered    string // it was answered, and can be changed
	Voted       string // thanks for an answer
	Choose      string // a vote without a score
	Recommended string // heading of a referral's page; the brand
	HowCode     string // what to do with the code
	WhyCode     string // what comes of it

	Done, DoneText string
	Back           string
	ByMail         string // nothing can be done here any more
	Moved          string // the form was for an older state
	Empty          string // a form without words
	Private        string // the last line of a page

	Problems map[int]said // by HTTP status
}

// survey is the question of a kind, and what the ends of its scale mean. That of
// nps has the brand's name in it.
type survey struct{ Question, Least, Most string }

// said is a short name and a sentence or two.
type said struct{ Name, Means string }

// wordsOf returns the first of the languages that there is, else English.
func wordsOf(languages ...string) *words {
	for _, l := range languages {
		if w, ok := spoken[l]; ok {
			return w
		}
	}
	return spoken["en"]
}

// acceptedWords goes by the browser, for pages that belong to no ticket. The
// order of Accept-Language is believed, its weights are not read: browsers
// write the first choice first.
func acceptedWords(r *http.Request) *words {
	for _, part := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if w, ok := spoken[primary]; ok {
			return w
		}
	}
	return spoken["en"]
}

var spoken = map[string]*words{"en": english, "de": german}

var english = &words{
	Language: "en", Request: "Request", Subject: "Subject", Status: "Status", NoSubject: "(no subject)",
	Statuses: map[tickets.Status]said{
		tickets.StatusNew:      {"Received", "Your request has reached us. Nobody has answered it yet."},
		tickets.StatusOpen:     {"In progress", "We are working on it."},
		tickets.StatusPending:  {"Waiting for you", "We have asked you something and go on when we hear from you."},
		tickets.StatusHold:     {"On hold", "We are waiting for somebody else, or for a date, and come back to you."},
		tickets.StatusResolved: {"Solved, as far as we can see", "Is it solved for you, too? Only you can say."},
		tickets.StatusClosed:   {"Closed", "Is something still not right? You can open the request again."},
		tickets.StatusSpam:     {"Closed", ""},
	},
	Forms: map[string]form{
		actionConfirm: {Heading: "It is solved", Note: "We then close the request.", Button: "Yes, it is solved", Main: true},
		actionReopen: {Heading: "It is not solved", Note: "We then go on with it.",
			Field: "What is still wrong? A word helps us. (optional)", Button: "No, please reopen"},
		actionAdd: {Heading: "Add something", Note: "It goes to the people who work on your request.",
			Field: "Your message", Required: true, Button: "Send", Main: true},
		actionSolved: {Heading: "Did this solve it?", Note: "We then close the request.", Button: "Yes, this solved it", Main: true},
	},
	ReopenClosed: form{Heading: "Open it again", Button: "Please reopen"},
	You:          "You",
	Earlier:      "Earlier messages",
	Messages:     "Messages",
	File:         "File",
	When:         "%d %s %d, %02d:%02d",
	Day:          "%d %s %d",
	Read:         "Open the article",
	Return:       "Your return %s",
	ReturnUntil:  "Please send it until %s, with the return number on the outside of the parcel.",
	ReturnTo:     "To this address:",
	Returns: map[tickets.ReturnStatus]said{
		tickets.ReturnOpen:      {"We are waiting for your parcel", "As soon as it is here we look at it and tell you."},
		tickets.ReturnReceived:  {"Your parcel is here", "We look at it next, and tell you the result."},
		tickets.ReturnInspected: {"We have looked at it", "You will hear from us what happens now."},
		tickets.ReturnReplaced:  {"Replaced", "The replacement is on its way, or with you already."},
		tickets.ReturnRefunded:  {"Refunded", "The money goes back the way in which you paid."},
		tickets.ReturnRefused:   {"Not accepted", "We have told you why. If you see it differently, just write to us."},
	},
	Months: [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	Surveys: map[tickets.SurveyKind]survey{
		tickets.SurveyCSAT: {"How content are you with our help?", "not at all", "very content"},
		tickets.SurveyCES:  {"How easy was it to get your request solved with us?", "very hard", "very easy"},
		tickets.SurveyNPS:  {"How likely are you to recommend %s to a friend or colleague?", "not at all", "very likely"},
	},
	Comment:     "What is the reason? A word helps us. (optional)",
	Send:        "Send answer",
	Change:      "Change my answer",
	Answered:    "This is what you answered. You can change it within a day.",
	Voted:       "Your answer has reached us and is read by people. You need do nothing more here, and can close this page.",
	Choose:      "Please choose a number first.",
	Recommended: "Recommended: %s",
	HowCode:     "Somebody who knows us has given you this code. Name it in your first mail to us, in the subject or the text:",
	WhyCode:     "You get help like everybody else; whoever recommended us gets a thank-you once your request is solved.",
	Done:        "Thank you, noted",
	DoneText:    "What you told us has reached us. You need do nothing more here, and can close this page.",
	Back:        "To your request",
	ByMail:      "Nothing can be done about it on this page any more. If there is anything else, just write us a mail.",
	Moved:       "Meanwhile something has changed, so we did not take this. Below is how it stands now.",
	Empty:       "Please write something first.",
	Private:     "This page is for you alone. Please do not pass its address on.",
	Problems: map[int]said{
		http.StatusBadRequest:            {"That did not work", "The form arrived incomplete. Please go back and try again."},
		http.StatusForbidden:             {"Please try again", "This form is out of date, or was not sent from our page. Nothing was changed. Open the link in our letter once more."},
		http.StatusNotFound:              {"Nothing here", "This link is incomplete or no longer valid. Just reply to our letter instead: that always reaches us."},
		http.StatusGone:                  {"This survey is over", "It can no longer be answered. If you have something to tell us, just reply to one of our letters."},
		http.StatusMethodNotAllowed:      {"That does not work here", "Open the link in our letter once more."},
		http.StatusRequestEntityTooLarge: {"Too long", "The text is longer than this page takes. Please send it to us by mail."},
		http.StatusServiceUnavailable:    {"Not at the moment", "We could not note this just now. Please try again in a minute, or reply to our letter: that always reaches us."},
	},
}

var german = &words{
	Language: "de", Request: "Anfrage", Subject: "Betreff", Status: "Stand", NoSubject: "(ohne Betreff)",
	Statuses: map[tickets.Status]said{
		tickets.StatusNew:      {"Eingegangen", "Ihre Anfrage hat uns erreicht. Noch hat niemand geantwortet."},
		tickets.StatusOpen:     {"In Arbeit", "Wir arbeiten daran."},
		tickets.StatusPending:  {"Wartet auf Sie", "Wir haben Sie etwas gefragt und machen weiter, sobald wir von Ihnen hören."},
		tickets.StatusHold:     {"Zurückgestellt", "Wir warten auf jemand anderen oder auf einen Termin und kommen auf Sie zu."},
		tickets.StatusResolved: {"Aus unserer Sicht gelöst", "Ist es auch für Sie gelöst? Das können nur Sie sagen."},
		tickets.StatusClosed:   {"Abgeschlossen", "Stimmt noch etwas nicht? Sie können die Anfrage wieder öffnen."},
		tickets.StatusSpam:     {"Abgeschlossen", ""},
	},
	Forms: map[string]form{
		actionConfirm: {Heading: "Es ist gelöst", Note: "Wir schließen die Anfrage dann ab.", Button: "Ja, es ist gelöst", Main: true},
		actionReopen: {Heading: "Es ist nicht gelöst", Note: "Wir machen dann gleich weiter.",
			Field: "Was stimmt noch nicht? Ein Wort hilft uns. (freiwillig)", Button: "Nein, bitte wieder öffnen"},
		actionAdd: {Heading: "Etwas hinzufügen", Note: "Es geht an die, die an Ihrer Anfrage arbeiten.",
			Field: "Ihre Nachricht", Required: true, Button: "Senden", Main: true},
		actionSolved: {Heading: "Hat das geholfen?", Note: "Wir schließen die Anfrage dann ab.", Button: "Ja, damit ist es gelöst", Main: true},
	},
	ReopenClosed: form{Heading: "Wieder öffnen", Button: "Bitte wieder öffnen"},
	You:          "Sie",
	Earlier:      "Frühere Nachrichten",
	Messages:     "Nachrichten",
	File:         "Datei",
	When:         "%d. %s %d, %02d:%02d Uhr",
	Day:          "%d. %s %d",
	Read:         "Artikel öffnen",
	Return:       "Ihre Rücksendung %s",
	ReturnUntil:  "Bitte senden Sie sie bis zum %s ab, mit der Rücksendenummer außen auf dem Paket.",
	ReturnTo:     "An diese Adresse:",
	Returns: map[tickets.ReturnStatus]said{
		tickets.ReturnOpen:      {"Wir warten auf Ihr Paket", "Sobald es hier ist, prüfen wir den Inhalt und melden uns."},
		tickets.ReturnReceived:  {"Ihr Paket ist da", "Wir prüfen den Inhalt und sagen Ihnen das Ergebnis."},
		tickets.ReturnInspected: {"Geprüft", "Sie hören von uns, wie es weitergeht."},
		tickets.ReturnReplaced:  {"Ersetzt", "Der Ersatz ist unterwegs oder schon bei Ihnen."},
		tickets.ReturnRefunded:  {"Erstattet", "Das Geld geht auf dem Weg zurück, auf dem Sie gezahlt haben."},
		tickets.ReturnRefused:   {"Nicht angenommen", "Wir haben Ihnen geschrieben, warum. Wenn Sie es anders sehen, schreiben Sie uns einfach."},
	},
	Months: [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
	Surveys: map[tickets.SurveyKind]survey{
		tickets.SurveyCSAT: {"Wie zufrieden sind Sie mit unserer Hilfe?", "gar nicht", "sehr zufrieden"},
		tickets.SurveyCES:  {"Wie einfach war es, Ihre Anfrage mit uns zu lösen?", "sehr schwer", "sehr einfach"},
		tickets.SurveyNPS:  {"Wie wahrscheinlich ist es, dass Sie %s Freunden oder Kollegen empfehlen?", "gar nicht", "sehr wahrscheinlich"},
	},
	Comment:     "Was ist der Grund? Ein Wort hilft uns. (freiwillig)",
	Send:        "Antwort senden",
	Change:      "Meine Antwort ändern",
	Answered:    "Das haben Sie geantwortet. Sie können es einen Tag lang ändern.",
	Voted:       "Ihre Antwort hat uns erreicht und wird von Menschen gelesen. Mehr ist hier nicht zu tun; Sie können diese Seite schließen.",
	Choose:      "Bitte wählen Sie erst eine Zahl.",
	Recommended: "Empfohlen: %s",
	HowCode:     "Jemand, der uns kennt, hat Ihnen diesen Code gegeben. Nennen Sie ihn in Ihrer ersten Mail an uns, im Betreff oder im Text:",
	WhyCode:     "Ihnen helfen wir wie allen; wer uns empfohlen hat, bekommt ein Dankeschön, sobald Ihre Anfrage gelöst ist.",
	Done:        "Danke, notiert",
	DoneText:    "Ihre Antwort hat uns erreicht. Mehr ist hier nicht zu tun; Sie können diese Seite schließen.",
	Back:        "Zu Ihrer Anfrage",
	ByMail:      "Auf dieser Seite ist dazu nichts mehr zu tun. Wenn noch etwas ist, schreiben Sie uns einfach eine Mail.",
	Moved:       "Inzwischen hat sich etwas geändert, deshalb haben wir das nicht übernommen. Unten steht, wie es jetzt aussieht.",
	Empty:       "Bitte schreiben Sie erst etwas.",
	Private:     "Diese Seite ist nur für Sie. Bitte geben Sie ihre Adresse nicht weiter.",
	Problems: map[int]said{
		http.StatusBadRequest:            {"Das hat nicht geklappt", "Das Formular kam unvollständig an. Bitte gehen Sie zurück und versuchen Sie es noch einmal."},
		http.StatusForbidden:             {"Bitte noch einmal", "Dieses Formular ist veraltet oder kam nicht von unserer Seite. Es wurde nichts geändert. Öffnen Sie bitte den Link in unserem Brief noch einmal."},
		http.StatusNotFound:              {"Hier ist nichts", "Dieser Link ist unvollständig oder gilt nicht mehr. Antworten Sie einfach auf unseren Brief: Das erreicht uns immer."},
		http.StatusGone:                  {"Diese Umfrage ist vorbei", "Sie kann nicht mehr beantwortet werden. Wenn Sie uns etwas sagen möchten, antworten Sie einfach auf einen unserer Briefe."},
		http.StatusMethodNotAllowed:      {"Das geht hier nicht", "Öffnen Sie bitte den Link in unserem Brief noch einmal."},
		http.StatusRequestEntityTooLarge: {"Zu lang", "Der Text ist länger, als diese Seite annimmt. Bitte schicken Sie ihn uns per Mail."},
		http.StatusServiceUnavailable:    {"Im Moment nicht", "Wir konnten das gerade nicht notieren. Bitte versuchen Sie es in einer Minute noch einmal, oder antworten Sie auf unseren Brief: Das erreicht uns immer."},
	},
}
