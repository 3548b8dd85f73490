package tickets

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"time"

	"frontdesk/sla"
)

// Figures are what the desk did in a period, beside the period before it. They
// are what a report says, in whatever form. The names of the JSON fields are a
// contract; docs/reports.md says what each figure counts.
//
// Tickets that were merged away or are spam count nowhere: the first live on in
// another one, the second were no request. A ticket counts under what it is now
// (its queue, its category), not under what it was.
type Figures struct {
	Title  string    `json:"title,omitempty"` // "weekly", "monthly", "" of dates that somebody gave
	Brand  string    `json:"brand,omitempty"` // "" all
	Name   string    `json:"name,omitempty"`  // of the brand
	Zone   string    `json:"zone"`            // IANA name: of days and dates
	Made   time.Time `json:"made"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`     // the first instant behind the period
	Before time.Time `json:"before"` // where the period before begins; it ends at From
	New    bool      `json:"new"`    // the desk has nothing from before From: nothing to compare with

	Total      Group   `json:"total"`
	Brands     []Group `json:"brands"`
	Queues     []Group `json:"queues"`
	Categories []Group `json:"categories"`
	Channels   []Group `json:"channels"`
	Agents     []Group `json:"agents"` // answered, resolved, worked, scores: of their own work

	Days       []DayFigures    `json:"days"`        // each day of the period, in the zone
	Answers    []Share         `json:"answers"`     // first responses, by how long they took
	Ages       []Share         `json:"ages"`        // backlog, by how old it is
	Breaches   []BreachFigures `json:"breaches"`    // newest first, at most MostBreaches
	Again      []MatterFigures `json:"again"`       // matters that came up again, most tickets first
	Articles   []ArticleFigure `json:"articles"`    // of the knowledge base, most solved first
	Incidents  []IncidentView  `json:"incidents"`   // major incidents of the period
	OpenByTime int             `json:"open_by_now"` // backlog when the report was made
}

// MostBreaches bounds the list of broken promises: nobody reads more.
const MostBreaches = 50

// Group is the figures of one brand, queue, category, channel or agent.
type Group struct {
	Key    string `json:"key"`
	Title  string `json:"title,omitempty"`
	Period Tally  `json:"period"`
	Before Tally  `json:"before"`
}

// Tally counts a period. Tickets are counted once, however often it happened.
type Tally struct {
	Opened    int `json:"opened"`
	Responded int `json:"responded"` // of Opened, those that a person has answered by now
	Resolved  int `json:"resolved"`  // left the desk's hands: resolved, or closed at once
	Closed    int `json:"closed"`
	Reopened  int `json:"reopened"` // were resolved or closed, and are open again
	Backlog   int `json:"backlog"`  // new, open, pending or on hold at the end of the period; of groups, when the report was made

	FirstResponse         Spread `json:"first_response"` // of tickets first answered in the period
	FirstResponseBusiness Spread `json:"first_response_business"`
	Resolution            Spread `json:"resolution"` // of Resolved, from the opening to the last time
	ResolutionBusiness    Spread `json:"resolution_business"`

	Promises []PromiseFigures `json:"promises"` // of the clocks of which anything is known
	Surveys  []SurveyFigures  `json:"surveys"`  // of the kinds of which anything is known

	Answered int `json:"answered"`       // answers written by people; of an agent, by that one
	Worked   int `json:"worked_minutes"` // logged with #time

	Letters Outgoing `json:"letters"` // of all, and of a brand; else zero
}

// Spread says how long something took.
type Spread struct {
	Count  int           `json:"count"`
	Median time.Duration `json:"-"`
	P90    time.Duration `json:"-"` // nine of ten took no longer
}

type spreadJSON struct {
	Count  int     `json:"count"`
	Median float64 `json:"median_seconds"`
	P90    float64 `json:"p90_seconds"`
}

// MarshalJSON gives durations in seconds.
func (s Spread) MarshalJSON() ([]byte, error) {
	return json.Marshal(spreadJSON{s.Count, s.Median.Seconds(), s.P90.Seconds()})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Spread) UnmarshalJSON(data []byte) error {
	var j spreadJSON
	err := json.Unmarshal(data, &j)
	*s = Spread{j.Count, seconds(j.Median), seconds(j.P90)}
	return err
}

func seconds(n float64) time.Duration {
	return time.Duration(math.Round(n*1000)) * time.Millisecond
}

// SpreadOf is the exact spread of values, which it puts in order. The median of
// an even number is the mean of the two in the middle; the ninth tenth is the
// smallest value that nine of ten do not exceed (nearest rank).
func SpreadOf(values []time.Duration) Spread {
	n := len(values)
	if n == 0 {
		return Spread{}
	}
	slices.Sort(values)
	median := values[n/2]
	if n%2 == 0 {
		median = values[n/2-1] + (values[n/2]-values[n/2-1])/2
	}
	return Spread{n, median.Truncate(time.Millisecond), values[(n*9+9)/10-1]}
}

// PromiseFigures are the tickets on which the fate of a promise was decided in
// the period, by clock: kept, or broken. A ticket counts once for each clock;
// broken when any of its promises of that clock was.
type PromiseFigures struct {
	Clock  sla.Clock `json:"clock"`
	Kept   int       `json:"kept"`
	Broken int       `json:"broken"`
}

// Share is the kept part, 0 to 1; ok when any was decided.
func (p PromiseFigures) Share() (share float64, ok bool) { return part(p.Kept, p.Kept+p.Broken) }

func part(n, of int) (float64, bool) {
	if of == 0 {
		return 0, false
	}
	return float64(n) / float64(of), true
}

// Promise returns the figures of a clock.
func (t Tally) Promise(clock sla.Clock) PromiseFigures {
	for _, p := range t.Promises {
		if p.Clock == clock {
			return p
		}
	}
	return PromiseFigures{Clock: clock}
}

// Survey returns the figures of a kind.
func (t Tally) Survey(kind SurveyKind) SurveyFigures {
	for _, s := range t.Surveys {
		if s.Kind == kind {
			return s
		}
	}
	return SurveyFigures{Kind: kind}
}

// ResponseRate is the part of the opened tickets that a person has answered, 0
// to 1; ok when any was opened.
func (t Tally) ResponseRate() (rate float64, ok bool) { return part(t.Responded, t.Opened) }

// ReopenRate is the tickets reopened for each one resolved; ok when any was.
func (t Tally) ReopenRate() (rate float64, ok bool) { return part(t.Reopened, t.Resolved) }

// SurveyFigures are the answers of a period to one kind of survey.
type SurveyFigures struct {
	Kind     SurveyKind  `json:"kind"`
	Asked    int         `json:"asked"`
	Answered int         `json:"answered"`
	Mean     float64     `json:"mean"`
	Good     float64     `json:"good"` // part of Answered, 0 to 1: csat 4 and 5, ces 5 to 7, nps 9 and 10
	Bad      float64     `json:"bad"`  // csat 1 and 2, ces 1 to 3, nps 0 to 6
	Scores   map[int]int `json:"scores"`
}

// NPS is the net promoter score, -100 to 100.
func (s SurveyFigures) NPS() float64 { return 100 * (s.Good - s.Bad) }

// Outgoing counts letters and what came in beside tickets.
type Outgoing struct {
	Mails       int `json:"mails"` // sent
	Texts       int `json:"texts"` // sent by SMS and WhatsApp
	Calls       int `json:"calls"` // made
	Failed      int `json:"failed"`
	Bounced     int `json:"bounced"`
	TextsIn     int `json:"texts_in"`
	CallsIn     int `json:"calls_in"`
	Quarantined int `json:"quarantined"` // came in the period and are held still
}

// Count adds letters of one kind and state: phone those that go to a telephone,
// report what a mail server said of them later.
func (o *Outgoing) Count(phone bool, kind LetterKind, state, report string, n int) {
	if report == "bounced" || state == "bounced" {
		o.Bounced += n
	}
	switch {
	case state == "failed":
		o.Failed += n
	case state != "sent" && state != "bounced" || kind == LetterHangUp:
	case phone && kind.Call():
		o.Calls += n
	case phone:
		o.Texts += n
	default:
		o.Mails += n
	}
}

// DayFigures are one day.
type DayFigures struct {
	Date     sla.Date        `json:"date"`
	Opened   map[Channel]int `json:"opened"` // by channel; none for a channel of which nothing came
	Resolved int             `json:"resolved"`
	Backlog  int             `json:"backlog"` // at its end, or when the report was made
}

// Share is one part of a whole.
type Share struct {
	UpTo  time.Duration `json:"-"` // below it; 0: all above the one before
	Count int           `json:"count"`
}

type shareJSON struct {
	Below float64 `json:"below_seconds,omitempty"`
	Count int     `json:"count"`
}

// MarshalJSON gives the bound in seconds; the last share has none.
func (s Share) MarshalJSON() ([]byte, error) {
	return json.Marshal(shareJSON{s.UpTo.Seconds(), s.Count})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Share) UnmarshalJSON(data []byte) error {
	var j shareJSON
	err := json.Unmarshal(data, &j)
	*s = Share{seconds(j.Below), j.Count}
	return err
}

const aDay = 24 * time.Hour

// AnswerBounds and AgeBounds part first responses and the backlog.
var (
	AnswerBounds = []time.Duration{time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, aDay, 3 * aDay}
	AgeBounds    = []time.Duration{aDay, 3 * aDay, 7 * aDay, 30 * aDay}
)

// SharesOf counts values between bounds, which grow; a value at a bound belongs
// above it.
func SharesOf(values []time.Duration, bounds []time.Duration) []Share {
	out := make([]Share, len(bounds)+1)
	for i, b := range bounds {
		out[i].UpTo = b
	}
	for _, v := range values {
		i, at := slices.BinarySearch(bounds, v)
		if at {
			i++
		}
		out[i].Count++
	}
	return out
}

// BreachFigures is one broken promise.
type BreachFigures struct {
	Ticket   int64     `json:"ticket"`
	Clock    sla.Clock `json:"clock"`
	At       time.Time `json:"at"` // noticed
	Severity string    `json:"severity,omitempty"`
	Subject  string    `json:"subject"`
	Assignee string    `json:"assignee,omitempty"`
	Detail   string    `json:"detail,omitempty"` // "resolution within 48 hours was due …"
}

// MatterFigures is a matter that came up again.
type MatterFigures struct {
	What      string  `json:"what"`
	Requester string  `json:"requester,omitempty"` // "" of several customers
	Category  string  `json:"category,omitempty"`
	Customers int     `json:"customers"`
	Tickets   []int64 `json:"tickets"`
}

// ArticleFigure is what an article of the knowledge base did.
type ArticleFigure struct {
	Article  string `json:"article"`
	Title    string `json:"title,omitempty"`
	Shown    int    `json:"shown"`
	Inserted int    `json:"inserted"`
	Solved   int    `json:"solved"`
}

// IncidentView is one major incident.
type IncidentView struct {
	Ticket  int64     `json:"ticket"`
	Subject string    `json:"subject"`
	Opened  time.Time `json:"opened"`
	Tickets int       `json:"tickets"` // that belong to it
	Status  Status    `json:"status"`
}

// Groups are all groups with the name of what they group by: "total", "brand",
// "queue", "category", "channel", "agent".
func (f Figures) Groups() (list []NamedGroups) {
	return []NamedGroups{{"total", []Group{f.Total}}, {"brand", f.Brands}, {"queue", f.Queues}, {"category", f.Categories}, {"channel", f.Channels}, {"agent", f.Agents}}
}

// NamedGroups are groups of one kind.
type NamedGroups struct {
	By   string
	List []Group
}

// Empty reports whether nothing happened in the period or the one before, and
// nothing is open.
func (f Figures) Empty() bool {
	idle := func(t Tally) bool { return t.Opened+t.Resolved+t.Closed+t.Reopened+t.Answered == 0 }
	return idle(f.Total.Period) && idle(f.Total.Before) && f.Total.Period.Backlog == 0
}

// Named fills titles from the rules: what brands, categories and agents are called.
func (f Figures) Named(r Rules) Figures {
	title := func(list []Group, of func(key string) string) []Group {
		list = slices.Clone(list)
		for i := range list {
			list[i].Title = of(list[i].Key)
		}
		return list
	}
	if b, ok := r.Brands[f.Brand]; ok {
		f.Name = b.Name
	}
	f.Brands = title(f.Brands, func(k string) string { return r.Brands[k].Name })
	f.Categories = title(f.Categories, func(k string) string { return r.Categories[k].Title })
	f.Agents = title(f.Agents, func(k string) string { return r.Agents[k].Name })
	f.Articles = slices.Clone(f.Articles)
	for i := range f.Articles {
		if r.Article == nil {
			break
		}
		if a, ok := r.Article(f.Articles[i].Article); ok {
			f.Articles[i].Title = a.Title
		}
	}
	return f
}

// SortGroups puts the busiest first.
func SortGroups(list []Group) {
	weight := func(g Group) int {
		return max(g.Period.Opened, g.Period.Resolved, g.Period.Answered)*1000 + g.Period.Backlog
	}
	slices.SortFunc(list, func(a, b Group) int {
		return cmp.Or(cmp.Compare(weight(b), weight(a)), cmp.Compare(a.Key, b.Key))
	})
}

// A ReportPeriod names a period that a report is made of by the calendar.
type ReportPeriod string

// The periods.
const (
	Weekly  ReportPeriod = "weekly"  // Monday to Sunday
	Monthly ReportPeriod = "monthly" // a month of the calendar
)

var someMonday = sla.Date{Year: 2024, Month: time.January, Day: 1}

// Last returns the newest whole period at a time, [from, to), and where the one
// before it begins, each at midnight in the zone: a week in which the clocks
// change has 167 or 169 hours.
func (p ReportPeriod) Last(now time.Time, zone *time.Location) (before, from, to time.Time) {
	today := sla.DateOf(now.In(zone))
	if p == Monthly {
		month := func(back int) time.Time {
			y, m := today.Year, today.Month-time.Month(back)
			first := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
			return sla.DateOf(first).At(0, zone)
		}
		return month(2), month(1), month(0)
	}
	monday := today.Add(-((today.Since(someMonday)%7 + 7) % 7))
	return monday.Add(-14).At(0, zone), monday.Add(-7).At(0, zone), monday.At(0, zone)
}
