package sla

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What is the kind of a Piece.
type What string

// The kinds of pieces.
const (
	WhatStarted  What = "started"
	WhatCounted  What = "counted"  // the clock ran, and will until it is due
	WhatClosed   What = "closed"   // the desk is closed: no open time
	WhatPaused   What = "paused"   // by the ticket's status
	WhatDone     What = "done"     // between a resolution and the reopening
	WhatChanged  What = "promised" // another promise
	WhatWarning  What = "warning"
	WhatDue      What = "due"
	WhatBreached What = "breached" // the due time that was not kept
	WhatStopped  What = "stopped"
)

// Piece is one part of the way to a due time.
type Piece struct {
	What    What      `json:"what"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to,omitzero"`       // zero for an instant
	Counted Amount    `json:"counted,omitempty"` // seconds of the promise that WhatCounted took
	Note    string    `json:"note,omitempty"`    // the status; the promises
}

// Amount is a length of time; in JSON a number of whole seconds.
type Amount time.Duration

// MarshalJSON returns whole seconds.
func (a Amount) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, int64(time.Duration(a)/time.Second), 10), nil
}

// String returns "1h20m", "45s", "0m"; "-20m" when negative. Seconds are shown
// below an hour only.
func (a Amount) String() string {
	d, sign := time.Duration(a), ""
	if d < 0 {
		d, sign = -d, "-"
	}
	h, m, s := int64(d/time.Hour), int64(d/time.Minute%60), int64(d/time.Second%60)
	out := ""
	if h > 0 {
		out = fmt.Sprintf("%dh", h)
	}
	if m > 0 || h == 0 && s == 0 {
		out += fmt.Sprintf("%dm", m)
	}
	if h == 0 && s > 0 {
		out += fmt.Sprintf("%ds", s)
	}
	return sign + out
}

// Explanation is how a due time comes about, for people (String) and for JSON.
// Its times are in the calendar's zone.
type Explanation struct {
	Clock     Clock     `json:"clock"`
	State     State     `json:"state"`
	Promise   string    `json:"promise,omitempty"` // "2 business hours"
	Rule      string    `json:"rule,omitempty"`
	Counts    Counts    `json:"counts,omitempty"`
	Remaining Amount    `json:"remaining"` // seconds
	Due       time.Time `json:"due,omitzero"`
	Pieces    []Piece   `json:"pieces,omitempty"`

	stopped bool
}

// Explain tells how the clock came to stand as it does. The calendar is the one
// it was read with.
func (r Reading) Explain(c *Calendar) Explanation {
	return r.Run.explain(r.Clock, c)
}

// ExplainAll explains the runs of a clock, the oldest first.
func (r Reading) ExplainAll(c *Calendar) []Explanation {
	var out []Explanation
	for _, run := range r.Earlier {
		out = append(out, run.explain(r.Clock, c))
	}
	return append(out, r.Explain(c))
}

func (r Run) explain(clock Clock, c *Calendar) Explanation {
	e := Explanation{
		Clock: clock, State: r.State, Promise: r.Target.promise(), Rule: r.Rule, Counts: r.Counts,
		Remaining: Amount(r.Remaining), stopped: !r.Stopped.IsZero(),
	}
	if r.State == StateNotSet {
		return e
	}
	e.Pieces = r.pieces(c)
	if !r.Due.IsZero() {
		e.Due = r.Due.In(c.Location())
	}
	for i := range e.Pieces {
		p := &e.Pieces[i]
		if p.From = p.From.In(c.Location()); !p.To.IsZero() {
			p.To = p.To.In(c.Location())
		}
	}
	return e
}

// promise writes the target as people say it.
func (t Target) promise() string {
	switch {
	case !t.AtMost.Set():
		return t.Within.String()
	case !t.Within.Set():
		return t.AtMost.String()
	}
	return fmt.Sprintf("%s, never later than %s", t.Within, t.AtMost)
}

// pieces lists the stretches and the marks of the run, by time.
func (r Run) pieces(c *Calendar) []Piece {
	out := []Piece{{What: WhatStarted, From: r.Started}}
	for _, s := range r.ahead() {
		switch {
		case s.Done:
			out = append(out, Piece{What: WhatDone, From: s.From, To: s.To, Note: s.Status})
		case s.Paused:
			out = append(out, Piece{What: WhatPaused, From: s.From, To: s.To, Note: s.Status})
		case r.Counts == CountsOpen:
			out = append(out, c.split(s.From, s.To)...)
		default:
			out = append(out, Piece{What: WhatCounted, From: s.From, To: s.To, Counted: Amount(s.To.Sub(s.From))})
		}
	}
	for _, ch := range r.Changes {
		out = append(out, Piece{What: WhatChanged, From: ch.At, Note: ch.note()})
	}
	out = append(out, r.marks()...)
	slices.SortStableFunc(out, func(a, b Piece) int { return a.From.Compare(b.From) })
	return out
}

// ahead returns the segments with what is to come until the due time.
func (r Run) ahead() []Segment {
	out := slices.Clone(r.Segments)
	if r.State != StateRunning || r.Due.IsZero() {
		return out
	}
	from := r.Started
	if n := len(out); n > 0 {
		if from = out[n-1].To; !out[n-1].Paused {
			out[n-1].To = later(from, r.Due)
			return out
		}
	}
	if r.Due.After(from) {
		out = append(out, Segment{From: from, To: r.Due})
	}
	return out
}

// marks are the instants that matter at the end.
func (r Run) marks() []Piece {
	var out []Piece
	add := func(what What, at time.Time, note string) {
		if !at.IsZero() {
			out = append(out, Piece{What: what, From: at, Note: note})
		}
	}
	add(WhatWarning, r.WarnAt, "")
	if r.Breached.IsZero() {
		add(WhatDue, r.Due, "")
	}
	add(WhatBreached, r.Breached, "")
	add(WhatStopped, r.Stopped, string(r.State))
	return out
}

func (c Changed) note() string {
	name := func(d Duration) string {
		if !d.Set() {
			return "nothing"
		}
		return d.String()
	}
	return name(c.To) + " instead of " + name(c.From)
}

// maxSplit is how many openings are listed of one stretch; the rest is one piece.
const maxSplit = 30

// split lists the open and the closed times of a stretch.
func (c *Calendar) split(from, to time.Time) []Piece {
	var out []Piece
	closed := func(until time.Time) {
		if until.After(from) {
			out = append(out, Piece{What: WhatClosed, From: from, To: until})
		}
	}
	for n := 0; from.Before(to); n++ {
		opens, ok := c.NextOpening(from)
		if !ok || !opens.Before(to) {
			closed(to)
			break
		}
		closed(opens)
		closes, ok := c.NextClosing(opens)
		if !ok || n == maxSplit || closes.After(to) {
			closes = to
		}
		out = append(out, Piece{What: WhatCounted, From: opens, To: closes, Counted: Amount(c.Between(opens, closes))})
		from = closes
	}
	return out
}

// String returns a headline and a line for each piece:
//
//	first response within 2 business hours: running, 1h20m left
//	  started Friday 2 January 2026 17:00
//	  counted Friday 17:00–17:40, 40m
//	  closed Friday 17:40–Saturday 09:30
//	  counted Saturday 09:30–10:50, 1h20m
//	  due Saturday 10:50
func (e Explanation) String() string {
	var b strings.Builder
	b.WriteString(e.headline())
	var first time.Time
	for i, p := range e.Pieces {
		if i == 0 {
			first = p.From
		}
		fmt.Fprintf(&b, "\n  %s %s", p.What, p.when(first, i == 0))
		if p.Counted != 0 {
			fmt.Fprintf(&b, ", %s", p.Counted)
		}
		if p.Note != "" {
			fmt.Fprintf(&b, " (%s)", p.Note)
		}
	}
	return b.String()
}

func (e Explanation) headline() string {
	text := string(e.Clock)
	if e.Promise != "" {
		text += " within " + e.Promise
	}
	text += ": " + string(e.State)
	switch {
	case e.State == StateRunning:
		return fmt.Sprintf("%s, %s left", text, e.Remaining)
	case e.State == StatePaused:
		return fmt.Sprintf("%s, %s left when it resumes", text, e.Remaining)
	case e.State == StateMet:
		return fmt.Sprintf("%s with %s to spare", text, e.Remaining)
	case e.State == StateBreached && e.stopped:
		return fmt.Sprintf("%s by %s", text, -e.Remaining)
	case e.State == StateBreached:
		return fmt.Sprintf("%s, late by %s so far", text, -e.Remaining)
	}
	return text
}

// when writes the time of a piece. Within six days of the start the weekday
// says which day it is.
func (p Piece) when(first time.Time, full bool) string {
	from := stamp(p.From, first, full)
	switch {
	case p.To.IsZero():
		return from
	case dayOf(p.From) == dayOf(p.To):
		return from + "–" + clockTime(p.To)
	}
	return from + "–" + stamp(p.To, first, false)
}

func stamp(t, first time.Time, full bool) string {
	switch far := dayOf(t) - dayOf(first); {
	case full || t.Year() != first.Year() && (far < 0 || far > 6):
		return t.Format("Monday 2 January 2006 ") + clockTime(t)
	case far < 0 || far > 6:
		return t.Format("Monday 2 January ") + clockTime(t)
	}
	return t.Format("Monday ") + clockTime(t)
}

// clockTime writes seconds only when there are any.
func clockTime(t time.Time) string {
	if t.Second() != 0 {
		return t.Format("15:04:05")
	}
	return t.Format("15:04")
}
