package sla

import (
	"slices"
	"time"
)

// Clock names one of the four clocks of a ticket.
type Clock string

// The clocks.
const (
	FirstResponse Clock = "first response" // from the opening to the first answer by a person
	NextResponse  Clock = "next response"  // from a customer's later message to the answer
	NextUpdate    Clock = "next update"    // from one news for the customer to the next
	Resolution    Clock = "resolution"     // from the opening to the solution
)

// Clocks are the four, in the order in which they are read and shown.
var Clocks = [...]Clock{FirstResponse, NextResponse, NextUpdate, Resolution}

// Facts are what the choice of targets depends on. In a Rule, an empty one
// matches everything; elsewhere it is not known.
type Facts struct {
	Customer string // contract, organisation or person that has terms of its own
	Severity string
	Category string
	Brand    string
}

// matches reports whether the ticket's facts are all that the rule asks for.
func (f Facts) matches(ticket Facts) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	return is(f.Customer, ticket.Customer) && is(f.Severity, ticket.Severity) &&
		is(f.Category, ticket.Category) && is(f.Brand, ticket.Brand)
}

// rank orders rules: what the customer was promised comes before the severity,
// that before the category, that before the brand.
func (f Facts) rank() int {
	rank := 0
	for _, fact := range []string{f.Customer, f.Severity, f.Category, f.Brand} {
		rank *= 2
		if fact != "" {
			rank++
		}
	}
	return rank
}

// Target is what is promised for one clock.
type Target struct {
	// Within is the promise. Zero: a rule leaves it to those behind it; and
	// nothing is promised when none sets it. Never: nothing is promised.
	Within Duration

	// AtMost is a second promise for the same clock, "4 business hours, but
	// never later than 24 hours": whichever is due first counts.
	AtMost Duration

	Warn Warn

	// Pause are the statuses in which the clock stands still; nil leaves it to
	// the rules behind, an empty list is none.
	Pause []string

	// Change says from when on a changed promise counts.
	Change Change
}

// Set reports whether anything is promised.
func (t Target) Set() bool { return t.Within.Set() || t.AtMost.Set() }

func (t Target) equal(o Target) bool {
	return t.Within == o.Within && t.AtMost == o.AtMost && t.Warn == o.Warn &&
		t.Change == o.Change && slices.Equal(t.Pause, o.Pause)
}

// Warn is when to warn of a due time, in whichever way is earlier. The zero
// value does not warn.
type Warn struct {
	// Percent of the time allowed has passed: 1 to 99, 0 not set.
	Percent int
	// Before is what is left, in the time that the target counts: of a target
	// in business hours or working days, open time. 0 is not set. At least the
	// time allowed: the warning comes at the start.
	Before time.Duration
}

// IsZero reports whether there is no warning.
func (w Warn) IsZero() bool { return w == Warn{} }

// after returns how much of the time allowed passes before the warning.
func (w Warn) after(allowed time.Duration) (time.Duration, bool) {
	at := allowed
	if w.Percent > 0 {
		percent := time.Duration(min(w.Percent, 100))
		at = min(at, allowed/100*percent+allowed%100*percent/100)
	}
	if w.Before > 0 {
		at = min(at, max(allowed-w.Before, 0))
	}
	return at, !w.IsZero()
}

// Change says from when on a promise counts that changes while its clock runs,
// because the severity or the category did.
type Change string

// The ways to take a changed promise.
const (
	// ChangeFromStart counts the new promise from the start, so that time that
	// was used stays used. A due time that this puts into the past is moved to
	// the change (where open time counts, to the next opening from there): a
	// promise cannot be broken before it was made.
	ChangeFromStart Change = ""
	// ChangeAnew counts the new promise from the change.
	ChangeAnew Change = "anew"
)

// Reopen says what the resolution clock does when a ticket is reopened.
type Reopen string

// The ways to reopen.
const (
	// ReopenRestart gives the whole time again from the reopening; what became
	// of the first promise stays on record.
	ReopenRestart Reopen = ""
	// ReopenResume goes on with what was left, as if the clock had been paused
	// since the resolution.
	ReopenResume Reopen = "resume"
)

// Rule sets targets for the tickets whose facts it asks for.
type Rule struct {
	Name    string // for people: "severity critical"
	If      Facts
	Targets map[Clock]Target
}

// Policy is what a desk promises. The zero value promises nothing.
type Policy struct {
	// Rules are tried by precedence: those that ask for a customer first, then
	// those for a severity, a category, a brand, and those for nothing at all
	// last. Of two that ask for a severity the one that asks for a category,
	// too, comes first, and so on; among equals the one that stands first. Each
	// field of a Target comes from the first rule that sets it.
	Rules []Rule

	Done   []string // statuses that end a ticket's clocks: resolved, closed
	Void   []string // statuses that end them without a verdict: merged, spam
	Reopen Reopen
}

// Choice is a target and the name of the rule that its promise comes from.
type Choice struct {
	Target
	Rule string // "" when nothing is promised
}

// Choose returns the target of a clock for a ticket's facts.
func (p Policy) Choose(clock Clock, f Facts) Choice {
	var out Choice
	for _, r := range p.byPrecedence(f) {
		t, ok := r.Targets[clock]
		if !ok {
			continue
		}
		if out.Within.IsZero() && !t.Within.IsZero() {
			out.Within, out.Rule = t.Within, r.Name
		}
		if out.AtMost.IsZero() {
			out.AtMost = t.AtMost
		}
		if out.Warn.IsZero() {
			out.Warn = t.Warn
		}
		if out.Pause == nil {
			out.Pause = t.Pause
		}
		if out.Change == "" {
			out.Change = t.Change
		}
	}
	if out.Within.Unit == Never {
		return Choice{Rule: out.Rule, Target: Target{Within: out.Within}}
	}
	return out
}

// byPrecedence returns the rules that match, the strongest first.
func (p Policy) byPrecedence(f Facts) []Rule {
	var out []Rule
	for _, r := range p.Rules {
		if r.If.matches(f) {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b Rule) int { return b.If.rank() - a.If.rank() })
	return out
}
