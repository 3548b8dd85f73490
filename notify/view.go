package notify

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"frontdesk/tickets"
)

// view is what a template sees: everything is already in the letter's language
// and zone, and all that people wrote is a mark (see Words). The fields each
// letter has are listed at the top of its template.
type view struct {
	// Of every letter.
	Name      Words  // the addressee's name, "" when unknown
	Brand     Words  // "Baleyo"
	Signature Words  // of the brand
	Mailbox   Words  // the address the letter comes from
	Number    string // of the ticket: "1234", "" for a letter about none
	Subject   string // of the ticket; only for the Subject line
	Title     Words  // the subject again, for the body

	// Of short forms: texts.
	Page     string // link to the customer's page, "" without pages
	Attached int    // files of an answer, which are on that page

	// Of letters that carry words.
	Text   Words
	Author Words
	When   string // when Text came
	Files  []Words

	// To customers.
	Summary       Words
	Category      Words // title it was sorted under
	FilesTaken    int   // attachments that arrived and were taken
	RespondWithin Words
	ResolveWithin Words
	SizeLimit     string // "25 MB"
	Types         Words  // "pictures, PDF files and videos"
	Questions     []Words
	Refused       []refusedFile
	Problem       Words
	Solution      Words
	Workaround    Words
	CloseIn       string // "5 days"
	Severity      Words
	Confirm       string // link to the page with the two buttons, "" without pages

	// Of reminders.
	Items  []shownItem
	Wishes string // page on which the customer unsubscribes, "" without pages

	// Of promises, to both.
	Due       string // when it is due: of an acknowledgement, the first answer
	SolveBy   string // acknowledgement: when the solution is due
	Opens     string // acknowledgement: when the desk opens, "" while it is open
	Clock     string // which promise: "first response", "next response", "next update" or "resolution"
	ClockName string // the same in the letter's language
	Promise   Words  // "24 hours"
	Left      Words  // "1h20m", "" when it is overdue

	// Of surveys and rewards.
	Survey      string // "csat", "ces" or "nps"
	Least, Most string // of the scale
	Scores      []scoreLink
	SurveyPage  string // "" without pages
	Score       string // that was given
	Solver      Words  // who resolved the ticket
	Points      int
	Level       Words
	Reward      Words
	Code        Words  // by which the customer recommends us
	CodePage    string // "" without pages

	// Of what may help, and of goods that go back.
	Articles []shownArticle
	Return   *shownReturn

	// To agents.
	From       Words
	Known      []Words
	Commands   []Words
	Unverified bool
	Proposed   []Words
	Done       []Words
	Problems   []Words
	Newer      []shownMessage
	Tickets    []shownTicket
	Held       []shownMail
	Bounce     Words
	Dead       bool
	Incident   int64
	Count      int
	Why        Words
	Team       Words
	Parts      []shownPart

	// To operators.
	Wrong []shownCondition // what is wrong
	Over  []shownCondition // what is over

	// Of reports.
	ReportTitle Words // "Baleyo: Weekly report"
	ReportDays  Words // "16–22 November 2026"
	Report      Words // tables and pictures; a paragraph of its own
}

// shownPart is one part of a morning letter.
type shownPart struct {
	Title   string
	Tickets []shownTicket
}

// shownCondition is one thing about the desk itself.
type shownCondition struct {
	Text, Hint Words
	Since      string
	Again      bool // it was told before
}

// conditions says what operators are told of.
func (v *view) conditions(d tickets.LetterData, lang *language, zone *time.Location, w *words) {
	for _, c := range d.Conditions {
		s := shownCondition{w.put(oneLine(c.Text, 600)), w.put(oneLine(c.Hint, 600)), lang.moment(c.Since, zone), c.Event == tickets.AlertRepeated}
		if c.Event == tickets.AlertRecovered {
			v.Over = append(v.Over, s)
		} else {
			v.Wrong = append(v.Wrong, s)
		}
	}
}

type refusedFile struct {
	Name Words
	Size string
	Why  string // "size" or "type"
}

type shownMessage struct {
	When      string
	Author    Words
	Direction string // "in", "out", "note" or "held"
	Text      Words
	Files     []Words
}

type shownTicket struct {
	Number   int64
	Status   string
	Severity string
	Title    Words
	From     Words
	Updated  string
	Assignee Words
	Due      string
}

type shownMail struct {
	ID     int64
	When   string
	From   Words
	Title  Words
	Reason Words
	Detail Words
}

// newView says a letter's data in a language.
func newView(l tickets.Letter, m Material, lang *language, w *words) *view {
	zone := m.zone()
	d := l.Data
	say := func(s string) Words { return w.put(m.withheld(l, s)) }
	v := &view{
		Name:      w.put(properName(l.To.Name)),
		Brand:     w.put(oneLine(m.Brand.name(), 80)),
		Signature: w.put(m.Brand.signature()),
		Mailbox:   w.put(m.mailbox(l)),
		Page:      m.pageLink(l),
		Attached:  m.Attached,
		Subject:   shownSubject(l, lang),
		Text:      say(d.Text),
		Author:    say(shownNumbers(oneLine(d.Author, 200))),
		When:      lang.moment(d.At, zone),
		Files:     w.puts(oneLines(d.Names)),

		Summary:       say(d.Summary),
		RespondWithin: w.put(lang.span(d.RespondWithin)),
		ResolveWithin: w.put(lang.span(d.ResolveWithin)),
		SizeLimit:     lang.size(d.SizeLimit),
		Types:         w.put(lang.kinds(d.Types)),
		Category:      w.put(oneLine(d.Category, 100)),
		FilesTaken:    d.Files,
		Problem:       say(d.Problem),
		Solution:      say(d.Solution),
		Workaround:    say(d.Workaround),
		Confirm:       m.page(l),

		From:       w.put(shownNumbers(oneLine(d.From, 200))),
		Unverified: d.Unverified,
		Proposed:   w.puts(oneLines(d.Proposed)),
		Done:       w.puts(d.Done),
		Problems:   w.puts(d.Problems),
		Commands:   w.puts(oneLines(d.Commands)),
		Bounce:     w.put(shownNumbers(d.Bounce)),
		Dead:       d.Dead,
		Incident:   d.Incident,
		Count:      d.Count,
		Why:        w.put(oneLine(d.Why, 300)),
		Team:       w.put(oneLine(d.Team, 80)),
	}
	v.Title = say(v.Subject)
	if d.CloseDays > 0 {
		v.CloseIn = lang.span(strconv.Itoa(d.CloseDays) + " days")
	}
	if l.Ticket != 0 {
		v.Number = strconv.FormatInt(l.Ticket, 10)
	}
	switch {
	case d.Severity != "":
		v.Severity = w.put(lang.severity(d.Severity))
	case m.Ticket != nil && m.Ticket.Severity != "":
		v.Severity = w.put(lang.severity(m.Ticket.Severity))
	}
	for _, k := range d.Missing {
		v.Questions = append(v.Questions, w.put(lang.question(k)))
	}
	for _, line := range d.Known {
		v.Known = append(v.Known, w.put(lang.knownLine(line)))
	}
	for _, r := range d.Refused {
		v.Refused = append(v.Refused, refusedFile{w.put(oneLine(r.Filename, 120)), lang.size(int64(r.Size)), r.Why})
	}
	v.promises(d, lang, zone, w)
	v.reminders(l, m, lang, w)
	v.lists(d, lang, zone, w)
	v.articles(l, m, w)
	v.returned(d, say, lang, w)
	v.surveys(l, m, w)
	v.conditions(d, lang, zone, w)
	return v
}

// lists says the parts of a letter to an agent that list messages, tickets and mails.
func (v *view) lists(d tickets.LetterData, lang *language, zone *time.Location, w *words) {
	for _, m := range d.Newer {
		v.Newer = append(v.Newer, shownMessage{lang.moment(m.At, zone), w.put(shownNumbers(oneLine(m.Author, 200))),
			string(m.Direction), w.put(m.Text), w.puts(oneLines(m.Names))})
	}
	v.Tickets = shownTickets(d.Tickets, lang, zone, w)
	for _, part := range d.Queues {
		v.Parts = append(v.Parts, shownPart{lang.part(part.Title), shownTickets(part.Tickets, lang, zone, w)})
	}
	for _, q := range d.Quarantine {
		v.Held = append(v.Held, shownMail{q.ID, lang.moment(q.At, zone), w.put(oneLine(q.From, 120)),
			w.put(oneLine(q.Subject, 120)), w.put(q.Reason), w.put(oneLine(q.Detail, 300))})
	}
}

func shownTickets(list []tickets.TicketView, lang *language, zone *time.Location, w *words) []shownTicket {
	var out []shownTicket
	for _, t := range list {
		out = append(out, shownTicket{
			Number: t.ID, Status: lang.status(t.Status), Severity: lang.severity(t.Severity), Title: w.put(oneLine(t.Subject, 120)),
			From: w.put(shownNumbers(oneLine(t.From, 120))), Updated: lang.moment(t.Updated, zone),
			Assignee: w.put(oneLine(t.Assignee, 80)), Due: lang.moment(t.Due, zone),
		})
	}
	return out
}

func oneLines(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = oneLine(s, 200)
	}
	return out
}

// shownSubject is the subject a letter's Subject line starts from.
func shownSubject(l tickets.Letter, lang *language) string {
	switch s := oneLine(l.Subject, 200); {
	case s != "":
		return s
	case l.Agent:
		return lang.noSubject
	default:
		// Nothing of an unproven sender is repeated, not even a subject.
		return lang.request
	}
}

// page is the link of the buttons in a letter that asks whether it is solved.
// It only opens a page: following it changes nothing.
func (m Material) page(l tickets.Letter) string {
	link := m.pageLink(l)
	if link == "" {
		return ""
	}
	return link + "#confirm"
}

// pageLink is the customer's page of a letter's ticket, "" where there is none.
func (m Material) pageLink(l tickets.Letter) string {
	if m.PublicURL == "" || l.Agent || l.Ticket == 0 || l.Person == 0 {
		return ""
	}
	return m.publicURL() + "/t/" + m.Keys.PageToken(l.Ticket, l.Person)
}

func (m Material) publicURL() string { return strings.TrimRight(m.PublicURL, "/") }

// mailbox is the mail address of a letter: its own, or the brand's for one that
// leaves from a telephone number.
func (m Material) mailbox(l tickets.Letter) string {
	switch {
	case tickets.Number(l.Mailbox) == "":
		return l.Mailbox
	case m.Ticket != nil && m.Ticket.Mailbox != "":
		return m.Ticket.Mailbox
	}
	return m.Email
}

// schemes stand before numbers in addresses; people know them without.
var schemes = regexp.MustCompile(`\b(tel|whatsapp):\+`)

// shownNumbers shows addresses that are numbers as people write them.
func shownNumbers(s string) string {
	if !strings.Contains(s, ":+") {
		return s
	}
	return schemes.ReplaceAllStringFunc(s, func(scheme string) string {
		if strings.HasPrefix(scheme, "whatsapp") {
			return "WhatsApp +"
		}
		return "+"
	})
}

// withheld keeps out of a customer's letter what is not for customers.
func (m Material) withheld(l tickets.Letter, s string) string {
	if l.Agent {
		return s
	}
	return tickets.Withheld(s, m.Agents, m.mailbox(l), m.Separator, l.To.Address)
}

func (b Brand) name() string {
	if b.Name != "" {
		return b.Name
	}
	return b.Key
}

func (b Brand) signature() string {
	if b.Signature != "" {
		return b.Signature
	}
	return b.name()
}

func (b Brand) sender() string {
	if b.Sender != "" {
		return b.Sender
	}
	return b.name()
}

// zone is where the letter's times are shown; UTC without one.
func (m Material) zone() *time.Location {
	if m.Brand.Location == nil {
		return time.UTC
	}
	return m.Brand.Location
}
