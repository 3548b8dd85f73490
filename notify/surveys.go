package notify

import (
	"strconv"

	"frontdesk/tickets"
)

// scoreLink is one of a survey's scores with the link that chooses it on the
// page. Following it votes for nothing.
type scoreLink struct {
	Score string
	Link  string
}

// surveys says what a letter asks, what was answered, and what it earned.
func (v *view) surveys(l tickets.Letter, m Material, w *words) {
	d := l.Data
	v.Points, v.Level, v.Reward = d.Points, w.put(oneLine(d.Level, 80)), w.put(oneLine(d.Reward, 300))
	if l.Kind == tickets.LetterReward {
		v.Code = w.put(oneLine(d.Code, 40))
		if m.PublicURL != "" && d.Code != "" {
			v.CodePage = m.publicURL() + "/r/" + d.Code
		}
	}
	if l.Kind == tickets.LetterPasscode {
		v.Code = w.put(oneLine(d.Code, 10))
	}
	s := d.Survey
	if s == nil {
		return
	}
	least, most := s.Kind.Scale()
	v.Survey, v.Least, v.Most, v.Score = string(s.Kind), strconv.Itoa(least), strconv.Itoa(most), strconv.Itoa(s.Score)
	v.Solver = w.put(oneLine(s.Agent, 120))
	if m.PublicURL == "" || s.ID == 0 || l.Agent {
		return
	}
	v.SurveyPage = m.publicURL() + "/s/" + m.Keys.SurveyToken(s.ID)
	for n := least; n <= most; n++ {
		v.Scores = append(v.Scores, scoreLink{strconv.Itoa(n), v.SurveyPage + "?score=" + strconv.Itoa(n)})
	}
}
