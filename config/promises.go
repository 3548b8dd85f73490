package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Promises is what holds for the times of categories, severities and contracts
// alike.
type Promises struct {
	// NextResponseWithin is zero when it is that of the category.
	NextResponseWithin Duration `yaml:"next_response_within" says:"as the first answer: by category and contract" example:"4 business hours" doc:"Answer to each later message of a customer. never = none is promised."`
	// NeverLaterThan has Unit Never when there is none.
	NeverLaterThan Duration `yaml:"never_later_than" default:"never" example:"24 hours" doc:"Second bound on every answer, nights and weekends counted; whichever ends first holds. never = none."`
	Warn           Warn     `yaml:"warn" default:"75%" doc:"When the managers are warned: after so much of the time, or so long before its end (2 hours). never = not at all."`
	Pause          []string `yaml:"pause" default:"pending, on_hold" allowed:"new|open|pending|on_hold" doc:"Statuses in which the clocks stand still, all but that of the first answer: it is the customer's turn, or a third party's. Status updates to the customer go on while on_hold."`
	Reopen         Reopen   `yaml:"reopen" default:"restart" allowed:"restart|resume" doc:"A reopened ticket: restart gives the whole time for the solution again, resume what was left of it."`
	Change         Change   `yaml:"change" default:"from_start" allowed:"from_start|anew" doc:"Another severity or category: from_start counts its time from when the ticket came, anew from the change."`
}

// Reopen says what a reopened ticket has left.
type Reopen string

const (
	ReopenRestart Reopen = "restart" // the whole time again
	ReopenResume  Reopen = "resume"  // what was left
)

// Change says from when on a changed promise counts.
type Change string

const (
	ChangeFromStart Change = "from_start" // from when the ticket came
	ChangeAnew      Change = "anew"       // from the change
)

// Warn is when to warn of the end of a time. The zero value is never.
type Warn struct {
	Percent int           // of the time, 1 to 99; 0 not set
	Before  time.Duration // before its end; 0 not set
}

// String returns what decode reads: "75%", "2h0m0s", "never".
func (w Warn) String() string {
	switch {
	case w.Percent > 0:
		return strconv.Itoa(w.Percent) + "%"
	case w.Before > 0:
		return w.Before.String()
	}
	return string(UnitNever)
}

func (w *Warn) decode(l *loader, path string, n *node) {
	text, ok := l.scalar(path, n)
	if !ok {
		return
	}
	if number, isPercent := strings.CutSuffix(text, "%"); isPercent {
		percent, err := strconv.Atoi(strings.TrimSpace(number))
		if err != nil || percent < 1 || percent > 99 {
			l.add(path, "%q is no share of the time (allowed: 1%% to 99%%)", n.text)
			return
		}
		w.Percent = percent
		return
	}
	d, err := ParseDuration(text)
	span, elapsed := d.Elapsed()
	switch {
	case d.Unit == UnitNever:
	case err != nil || !elapsed || span <= 0 || span > maxElapsed:
		l.add(path, "%q is no time of a warning (allowed: 75%%, 2 hours, never)", n.text)
	default:
		w.Before = span
	}
}

// Levels is how many impacts and urgencies there are.
const Levels = 4

// Matrix holds the ID of a severity for each impact and urgency, both from 0
// (their 1) to 3 (their 4). The zero value is no matrix.
type Matrix [Levels][Levels]string

// IsSet reports whether there is a matrix.
func (m Matrix) IsSet() bool { return m != Matrix{} }

func (m *Matrix) decode(l *loader, path string, n *node) {
	if n.kind != kindMapping {
		l.wrongShape(path, n, kindMapping)
		return
	}
	var seen [Levels]bool
	for _, e := range n.entries {
		key := join(path, e.key)
		l.lines[key] = e.line
		impact, err := strconv.Atoi(e.key)
		if err != nil || impact < 1 || impact > Levels {
			l.add(key, "%q is no impact (allowed: 1 to %d)", e.key, Levels)
			continue
		}
		seen[impact-1] = true
		m.row(l, key, e.value, impact-1)
	}
	for i, ok := range seen {
		if !ok {
			l.add(path, "impact %d is missing: each has a row of %d severities", i+1, Levels)
			return
		}
	}
}

// row reads the severities of one impact, by urgency.
func (m *Matrix) row(l *loader, key string, n *node, impact int) {
	if n.kind != kindSequence {
		l.wrongShape(key, n, kindSequence)
		return
	}
	if len(n.items) != Levels {
		l.add(key, "%d severities: want one for each urgency, 1 to %d", len(n.items), Levels)
		return
	}
	for i, item := range n.items {
		text, ok := l.scalar(fmt.Sprintf("%s[%d]", key, i), item)
		if ok && text == "" {
			l.add(key, "urgency %d has no severity", i+1)
		}
		m[impact][i] = text
	}
}

// defaultMatrix goes with the severities critical, high, medium and low. It is
// tickets.DefaultMatrix in the words of this room.
func defaultMatrix() Matrix {
	return Matrix{
		{"low", "medium", "high", "high"},
		{"low", "medium", "high", "critical"},
		{"medium", "high", "high", "critical"},
		{"medium", "high", "critical", "critical"},
	}
}

// Sign is a phrase that speaks for an impact or an urgency.
type Sign struct {
	Phrase string `yaml:"phrase" required:"true" example:"production is down" doc:"Whole words, in any case."`
	// Impact and Urgency are 0 when it says nothing of them.
	Impact  int `yaml:"impact" says:"it says nothing of it" example:"4" min:"1" max:"4" doc:"From 1 (one person) to 4 (everybody)."`
	Urgency int `yaml:"urgency" says:"it says nothing of it" example:"4" min:"1" max:"4" doc:"From 1 (can wait) to 4 (now)."`
}

// Contract is what some customers were promised.
type Contract struct {
	// ID is the name of the block: what customers and organisations refer to.
	ID            string      `yaml:"-"`
	Title         string      `yaml:"title" says:"the name of the block" example:"Gold" doc:"Name in letters and reports."`
	VIP           bool        `yaml:"vip" default:"false" doc:"true = its customers are very important: their tickets count as more urgent."`
	RespondWithin Duration    `yaml:"respond_within" says:"as everybody" example:"1 hour" doc:"Each answer, whatever the category."`
	ResolveWithin PerSeverity `yaml:"resolve_within" says:"as everybody" example:"{critical: 4 hours, high: 1 working day}" doc:"Solution: one time, or one for each severity."`
	UpdateEvery   Duration    `yaml:"update_every" says:"as everybody" example:"4 hours" doc:"How often its customers hear from the desk meanwhile, whatever the severity."`
}

// PerSeverity is one time for all severities, or one for each of some.
type PerSeverity struct {
	All Duration            // zero when Of is set
	Of  map[string]Duration // by ID of Config.Severities
}

func (p *PerSeverity) decode(l *loader, path string, n *node) {
	if n.kind != kindMapping {
		p.All.decode(l, path, n)
		return
	}
	p.Of = map[string]Duration{}
	for _, e := range n.entries {
		key := join(path, e.key)
		l.lines[key], l.given[key] = e.line, true
		var d Duration
		if e.value.kind == kindNull {
			l.add(key, "empty: a span of time (%s)", durationForms)
			continue
		}
		d.decode(l, key, e.value)
		p.Of[e.key] = d
	}
}

// Organisation is a customer that is more than one person.
type Organisation struct {
	// ID is the name of the block.
	ID       string   `yaml:"-"`
	Name     string   `yaml:"name" says:"the name of the block" example:"Acme Ltd" doc:"Name in letters and reports."`
	Domains  []string `yaml:"domains" required:"true" example:"[acme.example]" doc:"Mail domains of its people."`
	Contract string   `yaml:"contract" says:"none" example:"gold" doc:"Contract of its people, unless their profile has one of their own."`
	VIP      bool     `yaml:"vip" default:"false" doc:"true = its people are very important, whatever the contract."`
}

// Assignment weighs who gets a new ticket.
type Assignment struct {
	Skill bool `yaml:"skill" default:"true" doc:"true = the category is asked for as a skill where anybody of the tier has it."`
	Stick bool `yaml:"stick" default:"true" doc:"true = who knows the customer is preferred."`
}

// Updates says how customers are kept informed.
type Updates struct {
	RemindBefore Duration `yaml:"remind_before" default:"30 minutes" doc:"So long before a status update is due the agent is asked to write one (#update); otherwise the customer is told that work goes on."`
	// DelayBefore has Unit Never when no notice is sent.
	DelayBefore Duration `yaml:"delay_before" default:"30 minutes" doc:"So long before a promise is missed the customer is told that it may take longer. never = not at all."`
}

// Incidents says when like tickets are one incident.
type Incidents struct {
	Customers int           `yaml:"customers" default:"5" min:"0" doc:"So many different customers. 0 = incidents are not looked for."`
	Within    time.Duration `yaml:"within" default:"30 minutes" doc:"In so much time."`
	Alike     float64       `yaml:"alike" default:"0.5" doc:"How alike their words must be: 0 not at all, 1 the same words."`
}

// Rights are what a role may not do and see.
type Rights struct {
	// ID is a Role.
	ID   string   `yaml:"-"`
	Deny []string `yaml:"deny" default:"" example:"[merge, block]" doc:"Commands that the role may not use, without #."`
	Hide []string `yaml:"hide" default:"" allowed:"email|phone|organisation|products|notes" example:"[phone, notes]" doc:"What of a customer the role is not shown."`
}

// FactNames are the facts that the desk knows by itself; Config.Facts adds others.
var FactNames = []string{"name", "phone", "organisation", "room", "occurred", "product", "error", "screenshot", "tried", "expected", "first_time"}

// fillPromises completes titles, weights and the matrix.
func fillPromises(cfg *Config, given func(string) bool) {
	for i := range cfg.Severities {
		if s := &cfg.Severities[i]; s.Weight == 0 {
			s.Weight = len(cfg.Severities) - i
		}
	}
	for i := range cfg.Queues {
		q := &cfg.Queues[i]
		q.Title = cmp.Or(q.Title, q.ID)
	}
	for i := range cfg.Contracts {
		c := &cfg.Contracts[i]
		c.Title = cmp.Or(c.Title, c.ID)
	}
	for i := range cfg.Organisations {
		o := &cfg.Organisations[i]
		o.Name = cmp.Or(o.Name, o.ID)
		for j := range o.Domains {
			o.Domains[j] = strings.ToLower(strings.TrimPrefix(o.Domains[j], "@"))
		}
	}
	names := ids(cfg.Severities, func(s Severity) string { return s.ID })
	slices.Sort(names)
	if !given("severity_matrix") && slices.Equal(names, []string{"critical", "high", "low", "medium"}) {
		cfg.Matrix = defaultMatrix()
	}
}

// fillAgentHours completes the time zone of those who have hours.
func fillAgentHours(cfg *Config) {
	for i := range cfg.Agents {
		a := &cfg.Agents[i]
		if a.Hours == nil || a.Timezone != nil {
			continue
		}
		if b := cfg.HomeBrand(*a); b != nil {
			a.Timezone = b.Timezone
		}
	}
}

// HomeBrand is the brand whose time zone and holidays an agent has: the first of
// the agent's own list, else of the file; nil when there is no such brand.
func (c *Config) HomeBrand(a Agent) *Brand {
	for i := range c.Brands {
		if len(a.Brands) == 0 || c.Brands[i].ID == a.Brands[0] {
			return &c.Brands[i]
		}
	}
	return nil
}
