package tickets

import (
	"fmt"
	"slices"
	"time"
)

// After a ticket was closed the customer is asked how it was, and some time
// later whether it still works. What is due stands in a row that the closure
// writes; here is what becomes of it when its time has come.

const (
	// surveyLate is how long after its time a survey still makes sense: after a
	// longer standstill nobody remembers.
	surveyLate = 7 * 24 * time.Hour
	// SurveyOpen is how long a survey can be answered.
	SurveyOpen = 60 * 24 * time.Hour
	// SurveyEdit is how long an answer can be changed.
	SurveyEdit = 24 * time.Hour
	// SurveyText is how long a bare number that is texted counts as an answer.
	SurveyText = 7 * 24 * time.Hour
)

// Customer is what is known of somebody to whom the desk may write of its own
// accord.
type Customer struct {
	Person *Person    // nil: gone
	Last   SurveyKind // what the brand asked last, "" nothing yet
	// Recent is when this customer was asked last, by any address or number of
	// theirs and any brand; zero never.
	Recent time.Time
}

// aftercare notes what is due after a closure: a survey and, when the customer
// confirmed, the question whether it still works.
func (d *decision) aftercare(tc *TicketChange, confirmed bool) {
	r, t := d.rules.Surveys, &tc.Ticket
	s := Survey{Brand: t.Brand, Ticket: t.ID, Person: t.Requester}
	if len(r.Kinds) > 0 && (confirmed || r.Silence) {
		s.Due = d.now.Add(r.After)
	}
	if confirmed && r.FollowUp > 0 {
		s.FollowUp = d.now.Add(r.FollowUp)
	}
	if t.ID != 0 && !(s.Due.IsZero() && s.FollowUp.IsZero()) {
		d.c.Surveys = append(d.c.Surveys, s)
	}
}

// AskSurvey says what becomes of a survey that is due: a letter, a later time,
// or nothing and why. It returns false when it is not yet time. found is what
// the store knows of the requester's address and the ticket's history.
func AskSurvey(s Survey, t Ticket, who Customer, found Found, rules Rules, now time.Time) (Change, bool) {
	d := unasked(t, found, rules, now)
	if s.Due.IsZero() || now.Before(s.Due) {
		return d.c, false
	}
	why, later := d.unwelcome(t, who)
	switch {
	case why != "":
	case !s.Asked.IsZero():
		why = s.Why
	case len(rules.Surveys.Kinds) == 0:
		why = "surveys are off"
	case now.Sub(s.Due) > surveyLate:
		why = "it was due too long ago"
	case who.Person.Prefs.NoSurveys:
		why = "wants no surveys"
	case rules.Surveys.recent(who.Recent, now):
		why = "was asked " + who.Recent.UTC().Format(time.DateOnly)
	case !later.IsZero():
		s.Due = later
		d.c.Surveys = []Survey{s}
		return d.c, true
	default:
		why = d.survey(&s, t, who)
	}
	s.Due, s.Why = time.Time{}, why
	d.c.Surveys = []Survey{s}
	return d.done(), true
}

// FollowUp asks once, some time after the closure, whether it still works. It
// returns false when it is not yet time. Whoever was asked in a survey within
// the window is left alone.
func FollowUp(s Survey, t Ticket, who Customer, found Found, rules Rules, now time.Time) (Change, bool) {
	d := unasked(t, found, rules, now)
	if s.FollowUp.IsZero() || now.Before(s.FollowUp) {
		return d.c, false
	}
	why, later := d.unwelcome(t, who)
	switch {
	case why != "", rules.Surveys.FollowUp <= 0, now.Sub(s.FollowUp) > surveyLate, rules.Surveys.recent(who.Recent, now):
	case !later.IsZero():
		s.FollowUp = later
		d.c.Surveys = []Survey{s}
		return d.c, true
	default:
		tc, to := d.ticket(&t), d.wayTo(t, who)
		if d.tell(tc, to, LetterFollowUp, fmt.Sprintf("follow-up:%d", s.ID), LetterData{}) {
			tc.event(now, "desk", "follow-up", "asked %s whether it still works", to.Address)
		}
	}
	s.FollowUp = time.Time{}
	d.c.Surveys = []Survey{s}
	return d.done(), true
}

// unasked begins a decision that no contact caused.
func unasked(t Ticket, found Found, rules Rules, now time.Time) *decision {
	d := &decision{found: found, rules: rules, brand: rules.Brands[t.Brand], now: now}
	d.in = Inbound{Brand: t.Brand, Mailbox: t.Mailbox, From: requester(&t)}
	d.c.Brand = t.Brand
	return d
}

// recent reports whether a customer was asked within the window. What lies in
// the future of a clock that was set back is within it.
func (r SurveyRules) recent(asked, now time.Time) bool {
	return !asked.IsZero() && now.Sub(asked) < r.Window
}

// unwelcome says why the desk may not write to a customer of its own accord, ""
// when it may; later is until when they want no letters at this hour, zero now.
func (d *decision) unwelcome(t Ticket, who Customer) (why string, later time.Time) {
	p := who.Person
	switch {
	case t.Status != StatusClosed:
		return fmt.Sprintf("the ticket is %s", t.Status), later
	case p == nil:
		return "the customer is gone", later
	case p.Blocked:
		return "was blocked", later
	case p.Prefs.DoNotContact:
		return "wants no letters but answers", later
	}
	return "", p.Prefs.quietUntil(d.now, p.Zone(d.brand))
}

// wayTo is the address for a letter of the desk's own accord: of the way that
// the customer prefers when there is one, else the ticket's.
func (d *decision) wayTo(t Ticket, who Customer) Address {
	to, p := requester(&t), who.Person
	var address string
	switch p.Prefs.Channel {
	case ChannelMail:
		if i := slices.IndexFunc(p.Addresses, func(a string) bool { return Number(a) == "" }); i >= 0 && Number(to.Address) != "" {
			address = p.Addresses[i]
		}
	case ChannelSMS:
		if len(p.Phones) > 0 && ChannelOf(to.Address) != ChannelSMS {
			address = TelAddress(p.Phones[0])
		}
	}
	if address == "" || Number(address) != "" && d.lineTo(&t, address) == "" {
		return to
	}
	return Address{Name: to.Name, Address: address}
}

// survey writes the letter of a survey, or returns why not.
func (d *decision) survey(s *Survey, t Ticket, who Customer) (why string) {
	tc, to := d.ticket(&t), d.wayTo(t, who)
	if why := d.silent(tc, to, LetterSurvey); why != "" {
		d.c.Tickets = nil
		return why
	}
	s.Kind, s.Category, s.Agent = d.rules.Surveys.next(who.Last), t.Category, d.solver(t)
	s.Address, s.Asked = NormalAddress(to.Address), d.now
	shown := Survey{ID: s.ID, Kind: s.Kind}
	d.tell(tc, to, LetterSurvey, fmt.Sprintf("survey:%d", s.ID), LetterData{Survey: &shown})
	tc.event(d.now, "desk", "survey", "%s to %s", s.Kind, to.Address)
	return ""
}

// tell writes one letter of the desk's own accord, as automatic ones are, but
// after everything else; key names it for ever.
func (d *decision) tell(tc *TicketChange, to Address, kind LetterKind, key string, data LetterData) bool {
	n := len(tc.Letters)
	d.automaticTo(tc, to, kind, data)
	if len(tc.Letters) == n {
		return false
	}
	l := &tc.Letters[n]
	l.Key, l.Auto, l.NullSender, l.Priority, l.NotAfter = key, AutoGenerated, false, 2, d.now.Add(3*24*time.Hour)
	return true
}

// next is the kind after the last one, in turn.
func (r SurveyRules) next(last SurveyKind) SurveyKind {
	return r.Kinds[(slices.Index(r.Kinds, last)+1)%len(r.Kinds)]
}

// solver is who a survey is about: the assignee, else who answered last.
func (d *decision) solver(t Ticket) string {
	if t.Assignee != "" {
		return t.Assignee
	}
	for _, m := range slices.Backward(d.found.History) {
		if m.Direction == DirectionOut && m.Author.Kind == AuthorAgent {
			return NormalAddress(m.Author.Address.Address)
		}
	}
	return ""
}
