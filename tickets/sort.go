package tickets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// This file guesses what a new request is about and how bad it is, so that it
// need not wait for somebody to look. A guess says what it rests on, and people
// correct it with #category, #severity, #impact and #urgency.

// Request is what sorting looks at.
type Request struct {
	Subject  string
	Text     string // the customer's own words
	Category string // known already: kept; "" to be guessed
	Favoured string // why the customer is to be served first: "VIP", "contract gold"; "" like everybody
}

// Sort guesses category, impact, urgency and severity of a request. It looks at
// the first 64 KB and 2000 words. The same request always gives the same guess,
// whatever the case of its letters and wherever its lines end. A desk without
// the four standard severities and without a matrix gets no severity.
func Sort(r Request, rules Rules) Guess { return sortWords(r, rules).favoured(r, rules) }

// Sorted is what the words of a request say by themselves, whoever asks.
type Sorted struct {
	request Request // Subject, Text, Category
	learned *Model
	guess   Guess
	grave   bool
}

// SortAhead sorts the words of a mail that is likely to open a ticket, nil for
// others. Decisions of a brand wait for each other; sorting, which is a third of
// a decision's work, need not, and Inbound.Sorted hands it on. A decision that
// is about other words sorts those.
func SortAhead(in Inbound, rules Rules) *Sorted {
	if _, agent := rules.Agent(in.From.Address); agent || in.Kind != KindMessage || len(in.InReplyTo)+len(in.References) > 0 {
		return nil
	}
	return sortWords(Request{Subject: titleOf(in), Text: in.Reply}, rules)
}

// about reports whether the request was sorted by its words, with what the desk
// has learned since.
func (s *Sorted) about(r Request, rules Rules) bool {
	return s != nil && s.request == Request{Subject: r.Subject, Text: r.Text, Category: r.Category} && s.learned == rules.Learned
}

func sortWords(r Request, rules Rules) *Sorted {
	w := readWords(r.Subject, r.Text)
	b := weigh(w, rules.Signs)
	g := Guess{By: "rules", Category: r.Category}
	if g.Category == "" {
		g.Category, g.Why = sortCategory(w, b, rules.Categories)
	}
	g.Impact, g.Urgency = b.impact(), b.urgency()
	matrix := rules.matrix()
	if matrix == nil {
		g.Impact, g.Urgency = 0, 0
	} else {
		g.weighSeverity(b, rules, matrix)
	}
	rules.Learned.advise(&g, w, r.Category != "", rules, matrix)
	return &Sorted{Request{Subject: r.Subject, Text: r.Text, Category: r.Category}, rules.Learned, g, b.grave}
}

// favoured is the guess for who asks.
func (s *Sorted) favoured(r Request, rules Rules) Guess {
	g := s.guess
	g.Why = slices.Clip(g.Why)
	if matrix := rules.matrix(); r.Favoured != "" && matrix != nil {
		favour(&g, r.Favoured, matrix, s.grave)
	}
	return g
}

// weighSeverity is the severity of what the signs weigh together; where there
// is none, the category's own.
func (g *Guess) weighSeverity(b balance, rules Rules, matrix Matrix) {
	g.Why = append(g.Why, b.why...)
	if s := rules.Categories[g.Category].Severity; s != "" && !b.spoken {
		g.Severity, g.Impact, g.Urgency = s, 0, 0
		g.Why = append(g.Why, fmt.Sprintf("severity %s: what category %s has when nothing else is known", s, g.Category))
		return
	}
	g.Severity = matrix[[2]int{g.Impact, g.Urgency}]
}

// favour raises the urgency of a request by one, but not to the worst severity
// on the customer's name alone.
func favour(g *Guess, why string, matrix Matrix, grave bool) {
	if g.Impact == 0 {
		return
	}
	up := min(4, g.Urgency+1)
	to := matrix[[2]int{g.Impact, up}]
	if up == g.Urgency || to == matrix.worst() && g.Severity != to && !grave {
		return
	}
	g.Urgency, g.Severity = up, to
	g.Why = append(g.Why, fmt.Sprintf("urgency %d: %s", up, why))
}

// DefaultMatrix is impact × urgency of a desk with the severities critical,
// high, medium and low that says nothing else. Critical wants both: harm now
// and more than one person hit, or everybody stopped.
func DefaultMatrix() Matrix {
	rows := [4][4]string{ // urgency 1 … 4
		{"low", "medium", "high", "high"},
		{"low", "medium", "high", "critical"},
		{"medium", "high", "high", "critical"},
		{"medium", "high", "critical", "critical"},
	}
	m := Matrix{}
	for i, row := range rows {
		for u, s := range row {
			m[[2]int{i + 1, u + 1}] = s
		}
	}
	return m
}

// worst is the severity of the highest impact and urgency.
func (m Matrix) worst() string { return m[[2]int{4, 4}] }

// matrix is the configured one, the default for a desk with the standard
// severities, else nil.
func (r Rules) matrix() Matrix {
	if r.Matrix != nil {
		return r.Matrix
	}
	m := DefaultMatrix()
	for _, s := range m {
		if _, ok := r.Severities[s]; !ok {
			return nil
		}
	}
	return m
}

// sort gives a new ticket its category, impact, urgency and severity. What is
// set already stays.
func (d *decision) sort(tc *TicketChange) {
	for _, m := range tc.Messages {
		if m.Direction == DirectionIn {
			d.sortBy(tc, m.Text)
			return
		}
	}
	d.sortBy(tc, "")
}

// sortBy sorts a ticket by its subject and a text, and says so on the ticket.
func (d *decision) sortBy(tc *TicketChange, text string) {
	t := &tc.Ticket
	g := d.guessFor(t, text)
	if g.Category == "" && g.Severity == "" {
		d.trace("sort", "", "nothing speaks for a category or a severity")
		return
	}
	for _, why := range g.Why {
		d.trace("sort", "", "%s", why)
	}
	d.trace("sort", g.By, "%s", g.result())
	tc.event(d.now, "desk", "sorted", "%s", g.describe())
	t.Guess, t.Category = &g, g.Category
	if t.Severity == "" {
		t.Severity, t.Impact, t.Urgency = g.Severity, g.Impact, g.Urgency
	}
}

// result is what was guessed, in one line.
func (g Guess) result() string {
	out := "category " + orNone(g.Category) + ", severity " + orNone(g.Severity)
	if g.Impact > 0 {
		out += fmt.Sprintf(" (impact %d, urgency %d)", g.Impact, g.Urgency)
	}
	if g.By == "learned" {
		out += fmt.Sprintf(", learned, %.0f %% sure", 100*g.Confidence)
	}
	return out
}

// describe is the result and what it rests on.
func (g Guess) describe() string {
	if len(g.Why) == 0 {
		return g.result()
	}
	return g.result() + ": " + strings.Join(g.Why, "; ")
}

// favoured says why the requester is to be served first, "" like everybody.
func (d *decision) favoured(t *Ticket) string {
	vip, contract := t.Profile.VIP, t.Profile.Contract
	if p := d.found.Person; p != nil && t.ID == 0 && d.in.Channel != ChannelShell {
		vip, contract = vip || p.VIP, cmp.Or(contract, p.Contract)
	}
	domain := Domain(requester(t).Address)
	for _, o := range d.rules.Organisations {
		if domain != "" && slices.ContainsFunc(o.Domains, func(d string) bool { return strings.EqualFold(d, domain) }) {
			vip, contract = vip || o.VIP, cmp.Or(contract, o.Contract)
		}
	}
	switch {
	case vip:
		return "the customer is a VIP"
	case d.rules.Contracts[contract].VIP:
		return "contract " + contract
	}
	return ""
}

// guessFor sorts a ticket by its subject and the words that opened it.
func (d *decision) guessFor(t *Ticket, text string) Guess {
	r := Request{Subject: t.Subject, Text: text, Category: t.Category, Favoured: d.favoured(t)}
	if d.in.Sorted.about(r, d.rules) {
		return d.in.Sorted.favoured(r, d.rules)
	}
	return Sort(r, d.rules)
}
