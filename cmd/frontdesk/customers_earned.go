package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"frontdesk/tickets"
)

// earned is what a customer was asked and what that earned, as "customers show"
// prints it.
type earned struct {
	Points  int          `json:"points"`
	Level   string       `json:"level,omitempty"`
	Code    string       `json:"referral_code,omitempty"`
	Brought int          `json:"brought"` // new customers who came by the code
	CameBy  int64        `json:"came_by,omitempty"`
	Surveys []surveyJSON `json:"surveys"`
	Entries []pointJSON  `json:"points_ledger"`
}

// surveyJSON is a survey as commands print it.
type surveyJSON struct {
	Ticket   int64  `json:"ticket"`
	Kind     string `json:"kind,omitempty"`
	Due      string `json:"due,omitempty"`
	Asked    string `json:"asked,omitempty"`
	Answered string `json:"answered,omitempty"`
	Score    *int   `json:"score,omitempty"` // when it was answered
	Most     int    `json:"of,omitempty"`
	Comment  string `json:"comment,omitempty"`
	Agent    string `json:"agent,omitempty"`
	Why      string `json:"not_asked,omitempty"` // why nobody was asked
}

type pointJSON struct {
	At     string `json:"at"`
	Points int    `json:"points"`
	Why    string `json:"why"`
}

func surveyToJSON(s tickets.Survey) surveyJSON {
	out := surveyJSON{Ticket: s.Ticket, Kind: string(s.Kind), Due: minute(s.Due), Asked: minute(s.Asked), Answered: minute(s.Answered), Comment: s.Comment, Agent: s.Agent, Why: s.Why}
	if !s.Answered.IsZero() {
		out.Score = &s.Score
	}
	if s.Kind != "" {
		_, out.Most = s.Kind.Scale()
	}
	return out
}

// line is a survey in one line: "csat 4 of 5, 2026-11-23 …: fast and friendly".
func (s surveyJSON) line() string {
	switch {
	case s.Score != nil:
		return fmt.Sprintf("%s %d of %d, %s%s", s.Kind, *s.Score, s.Most, s.Answered, after(": ", shown(s.Comment)))
	case s.Asked != "":
		return fmt.Sprintf("%s asked %s, no answer", s.Kind, s.Asked)
	case s.Due != "":
		return "due " + s.Due
	case s.Why != "":
		return "not asked: " + s.Why
	}
	return ""
}

// earnedBy loads what a customer was asked and has earned.
func (d *desk) earnedBy(ctx context.Context, p tickets.Person) (e earned, err error) {
	if e.Points, e.Code, err = d.db.Earned(ctx, p.ID); err != nil {
		return e, err
	}
	if e.CameBy, e.Brought, err = d.db.Came(ctx, p.ID); err != nil {
		return e, err
	}
	if l, ok := d.rules.Rewards.Reached(e.Points); ok {
		e.Level = l.Title
	}
	asked, err := d.db.SurveysOf(ctx, p.ID)
	if err != nil {
		return e, err
	}
	entries, err := d.db.Points(ctx, p.ID)
	if err != nil {
		return e, err
	}
	e.Surveys, e.Entries = []surveyJSON{}, []pointJSON{}
	for _, s := range asked {
		e.Surveys = append(e.Surveys, surveyToJSON(s))
	}
	for _, x := range entries {
		e.Entries = append(e.Entries, pointJSON{minute(x.At), x.Points, x.Why})
	}
	return e, nil
}

// show prints it; nothing of somebody who was never asked.
func (e earned) show(w io.Writer) {
	f := facts{w}
	if len(e.Entries) > 0 {
		f.line("points", fmt.Sprint(e.Points)+after(", ", e.Level))
	}
	for _, p := range e.Entries {
		f.line("earned", fmt.Sprintf("%+d  %s  %s", p.Points, p.At, p.Why))
	}
	f.line("code", e.Code)
	f.line("brought", orZero(int64(e.Brought)))
	if e.CameBy != 0 {
		f.line("came by", fmt.Sprintf("customer %d", e.CameBy))
	}
	for _, s := range e.Surveys {
		f.line("survey", strings.TrimSpace(fmt.Sprintf("#%d %s", s.Ticket, s.line())))
	}
}
