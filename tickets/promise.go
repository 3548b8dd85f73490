package tickets

import (
	"time"

	"frontdesk/sla"
)

// Promises is how a ticket stands to what was promised. It is stored with the
// ticket as JSON: adding fields is safe, renaming is not. Nothing in it is
// counted: all follows from the events, and what was done about it is noted so
// that it is done once.
type Promises struct {
	// Watch is when the clocks want to be looked at next, zero never.
	Watch  time.Time   `json:"watch,omitzero"`
	Clocks []ClockView `json:"clocks,omitempty"` // as of the last look
	Told   []string    `json:"told,omitempty"`   // what was told once: "warned:resolution:2026-01-02T10:00:00Z"

	Escalated    time.Time `json:"escalated,omitzero"`    // last step up
	Acknowledged time.Time `json:"acknowledged,omitzero"` // somebody has the escalation in hand (#ack, a key)
	AckedBy      string    `json:"acked_by,omitempty"`
	StepTold     time.Time `json:"step_told,omitzero"` // when the requester was told of a step up last

	UpdateNote  string    `json:"update_note,omitempty"`  // what the next status update says (#update)
	UpdateAsked time.Time `json:"update_asked,omitzero"`  // when the agent was reminded to write one
	Delayed     time.Time `json:"delayed,omitzero"`       // due time of which the customer was told that it may not be kept
	Unproven    bool      `json:"unproven,omitempty"`     // the requester's address was never proven, and nobody has answered
	Asked       []string  `json:"asked,omitempty"`        // facts that the customer was asked for
	AskedAt     time.Time `json:"asked_at,omitzero"`      // when
	Unassigned  string    `json:"unassigned,omitempty"`   // why nobody was assigned
	Assigned    string    `json:"assigned_why,omitempty"` // why the assignee was chosen
}

// ClockView is one clock of a ticket as of the last look.
type ClockView struct {
	Clock    sla.Clock `json:"clock"`
	State    sla.State `json:"state"`
	Within   string    `json:"within,omitempty"` // the promise: "2 business hours"
	Due      time.Time `json:"due,omitzero"`
	Warned   bool      `json:"warned,omitempty"`
	Breached time.Time `json:"breached,omitzero"`
	Stopped  time.Time `json:"stopped,omitzero"` // in time, late or without a verdict
}

// Late reports whether the promise was missed and is not kept yet.
func (v ClockView) Late() bool { return v.State == sla.StateBreached && v.Stopped.IsZero() }

// Waits reports whether the clock has begun and not ended: it runs, stands
// still, or is late.
func (v ClockView) Waits() bool {
	return v.State == sla.StateRunning || v.State == sla.StatePaused || v.Late()
}

// Clock returns the view of a clock, the zero view when there is none.
func (p Promises) Clock(c sla.Clock) ClockView {
	for _, v := range p.Clocks {
		if v.Clock == c {
			return v
		}
	}
	return ClockView{}
}

// NextDue is the earliest due time of a running clock, zero when none runs.
func (p Promises) NextDue() time.Time {
	var next time.Time
	for _, v := range p.Clocks {
		if v.State == sla.StateRunning && !v.Due.IsZero() && (next.IsZero() || v.Due.Before(next)) {
			next = v.Due
		}
	}
	return next
}

// Guess is how category and severity of a ticket were guessed, with what it
// rests on. It is kept beside what people said later: corrections teach the
// classifier.
type Guess struct {
	Category   string   `json:"category,omitempty"`
	Severity   string   `json:"severity,omitempty"`
	Impact     int      `json:"impact,omitempty"`
	Urgency    int      `json:"urgency,omitempty"`
	By         string   `json:"by"`                   // "rules" or "learned"
	Confidence float64  `json:"confidence,omitempty"` // of "learned", 0 to 1
	Why        []string `json:"why,omitempty"`        // a line each: "no workaround", "keyword printer"
}
