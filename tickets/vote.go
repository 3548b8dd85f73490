package tickets

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// votedByMail takes a reply to a survey letter that holds a score. It returns
// false when the mail is (also) a message like any other. What a machine
// answered never votes.
func (d *decision) votedByMail() bool {
	s := d.found.Survey
	if s == nil || d.in.Kind != KindMessage || !d.answersSurvey() {
		return false
	}
	t := d.followed(d.found.Tickets[s.Ticket])
	if t == nil || !d.on(t) || !SameAddress(d.in.From.Address, s.Address) && !d.is(s.Person) {
		d.trace("survey", fmt.Sprint(s.ID), "%s is not who was asked", d.in.From.Address)
		return false
	}
	return d.votedInWords(t, *s)
}

// answersSurvey reports whether the letter that the mail answers is a survey.
func (d *decision) answersSurvey() bool {
	l := AnsweredLetter(d.ev.cites, d.found.Letters)
	return l != nil && l.Kind == LetterSurvey
}

// AnsweredLetter is the letter that a mail answers: of those it cites, the first
// that is ours; nil when none is.
func AnsweredLetter(cites []string, letters map[string]*SentLetter) *SentLetter {
	i := slices.IndexFunc(cites, func(id string) bool { return letters[id] != nil })
	if i < 0 {
		return nil
	}
	return letters[cites[i]]
}

// votedByText takes a texted number as the answer to the newest survey of that
// number, unless the conversation went on after it was asked.
func (d *decision) votedByText() bool {
	s := d.found.Survey
	if s == nil || d.in.From.Address == "" {
		return false
	}
	t := d.followed(d.found.Tickets[s.Ticket])
	if t == nil || d.now.Sub(s.Asked) >= SurveyText {
		return false
	}
	if open := d.newestText(); open != nil && open.Updated.After(s.Asked) {
		d.trace("survey", fmt.Sprint(s.ID), "#%d is talked about since", open.ID)
		return false
	}
	return d.votedInWords(t, *s)
}

// votedInWords reads a vote out of a reply. One that also asks something, or
// brings files, is noted and stays a message.
func (d *decision) votedInWords(t *Ticket, s Survey) bool {
	score, comment, ok := ReadScore(d.in.Reply, s.Kind)
	if !ok || !s.Open(d.now) {
		d.trace("survey", excerpt(d.in.Reply, 60), "no vote")
		return false
	}
	tc := d.ticket(t)
	d.trace("survey", excerpt(d.in.Reply, 60), "%s %d", s.Kind, score)
	d.vote(tc, s, score, comment)
	if strings.Contains(comment, "?") || len(d.in.Attachments) > 0 {
		return false
	}
	tc.add(d.message(DirectionIn, d.customer(), d.in.Reply), false)
	d.end(DisposeMessage, "", "answer to the survey about #%d", t.ID)
	return true
}

// votedByButton takes a vote from a survey's page.
func (d *decision) votedByButton() {
	b, s := d.in.Button, d.found.Survey
	var t *Ticket
	if s != nil {
		t = d.followed(d.found.Tickets[s.Ticket])
	}
	switch {
	case s == nil || s.ID != b.Survey || t == nil:
		d.end(DisposeDiscarded, "no-survey", "no survey %d", b.Survey)
	case !s.Kind.Takes(b.Score):
		d.end(DisposeDiscarded, "no-score", "%d is not on the scale of %s", b.Score, s.Kind)
	case !s.Open(d.now):
		d.end(DisposeRecorded, "survey-over", "too late to answer survey %d", b.Survey)
	default:
		d.found.Acks = AckCounts{} // a person pressed; the limits are about answering mail
		d.trace("survey", fmt.Sprint(s.ID), "%s %d by %s", s.Kind, b.Score, b.Address)
		d.vote(d.ticket(t), *s, b.Score, strings.TrimSpace(b.Text))
		d.end(DisposeRecorded, "vote", "answer to the survey about #%d", s.Ticket)
	}
}

// Open reports whether a survey may be answered, or its answer changed, now.
func (s Survey) Open(now time.Time) bool {
	if s.Asked.IsZero() || now.Sub(s.Asked) >= SurveyOpen {
		return false
	}
	return s.Answered.IsZero() || now.Sub(s.Answered) < SurveyEdit
}

// mostComment bounds what is kept of a comment, in runes.
const mostComment = 4000

// vote notes an answer, or a change of it. It neither moves the ticket nor tells
// agents, but for a low score.
func (d *decision) vote(tc *TicketChange, s Survey, score int, comment string) {
	if r := []rune(comment); len(r) > mostComment {
		comment = string(r[:mostComment])
	}
	before, first := s, s.Answered.IsZero()
	if !first && s.Score == score && s.Comment == comment {
		d.trace("survey", fmt.Sprint(s.ID), "the same again")
		return
	}
	s.Score, s.Comment = score, comment
	_, most := s.Kind.Scale()
	who := NormalAddress(d.in.From.Address)
	if first {
		s.Answered = d.now
		tc.event(d.now, who, "survey answered", "%s %d of %d by %s", s.Kind, score, most, d.in.Channel)
		d.earn(tc, s)
	} else {
		tc.event(d.now, who, "survey answer changed", "%s %d → %d of %d by %s", s.Kind, before.Score, score, most, d.in.Channel)
	}
	d.c.Surveys = append(d.c.Surveys, s)
	if d.rules.Surveys.low(s) && (first || !d.rules.Surveys.low(before)) {
		d.lowScore(tc, s)
	}
}

// low reports whether an answer alerts the supervisor.
func (r SurveyRules) low(s Survey) bool {
	limit, ok := r.Low[s.Kind]
	return ok && s.Score <= limit
}

// lowScore tells the supervisors of the brand, who may reopen the ticket.
func (d *decision) lowScore(tc *TicketChange, s Survey) {
	tc.event(d.now, "desk", "low score", "%s %d", s.Kind, s.Score)
	for _, a := range d.supervisors() {
		data := d.view(tc, 0)
		data.Survey = &Survey{ID: s.ID, Kind: s.Kind, Score: s.Score, Agent: s.Agent, Comment: s.Comment}
		data.Text, data.Author, data.At = s.Comment, data.From, d.now
		d.toAgent(tc, a, LetterLowScore, 0, data)
	}
}

// earn gives points for feedback, once for each survey.
func (d *decision) earn(tc *TicketChange, s Survey) {
	if d.rules.Rewards.Feedback <= 0 || s.Person == 0 {
		return
	}
	p := PointEntry{Brand: s.Brand, Person: s.Person, Points: d.rules.Rewards.Feedback, Why: "feedback", Key: fmt.Sprintf("survey:%d", s.ID), At: d.now}
	d.c.Points = append(d.c.Points, p)
	d.reward(tc, Address{Name: requester(&tc.Ticket).Name, Address: s.Address}, p)
}

// Reached is the highest level of so many points; false: none.
func (r RewardRules) Reached(points int) (best Level, ok bool) {
	for _, l := range r.Levels {
		if points >= l.Points && (!ok || l.Points >= best.Points) {
			best, ok = l, true
		}
	}
	return best, ok
}

// reward tells a customer of a level that new points reach: once for ever for
// each level. With the first points they have a word by which to recommend us.
func (d *decision) reward(tc *TicketChange, to Address, p PointEntry) {
	total := d.found.Points + p.Points
	after, ok := d.rules.Rewards.Reached(total)
	before, had := d.rules.Rewards.Reached(d.found.Points)
	code := d.found.Code
	if code == "" {
		code = NewReferralCode(to.Name, p.Person)
		d.c.Codes = append(d.c.Codes, ReferralCode{Person: p.Person, Code: code})
	}
	if !ok || had && before.Key == after.Key {
		return
	}
	tc.event(d.now, "desk", "level reached", "%s with %d points", after.Title, total)
	if who := d.found.Person; who != nil && who.Prefs.DoNotContact {
		return
	}
	d.tell(tc, to, LetterReward, fmt.Sprintf("%s:%d:%s", LetterReward, p.Person, after.Key),
		LetterData{Points: total, Level: after.Title, Reward: after.Reward, Code: code})
}
