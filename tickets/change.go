package tickets

import "time"

// Disposition says what became of a ledger row. Every row ends in exactly one.
type Disposition string

// The dispositions.
const (
	DisposeMessage     Disposition = "message"     // a message of a ticket
	DisposeRecorded    Disposition = "recorded"    // noted on a letter or ticket (bounce, receipt)
	DisposeQuarantined Disposition = "quarantined" // with a reason
	DisposeDiscarded   Disposition = "discarded"   // by a named rule
	DisposeDuplicate   Disposition = "duplicate"   // the same mail by another way: a second delivery record
)

// Step is one rule tried: its name, what it saw, what it found.
type Step struct {
	Rule    string `json:"rule"`
	Value   string `json:"value,omitempty"`
	Verdict string `json:"verdict"`
}

// Change is a decision: everything that one transaction saves.
type Change struct {
	Brand       string
	Disposition Disposition
	Reason      string // for quarantined and discarded: the rule or reason, a constant word
	Detail      string // for people
	Trace       []Step

	Tickets   []TicketChange
	People    []Person       // to create (ID 0, matched by their first address) or update
	Letters   []Letter       // letters that belong to no ticket
	Bounces   []LetterBounce // states of sent letters
	Suppress  []string       // addresses that bounced hard
	Restore   []string       // addresses that bounced once and are proven to live
	Block     []int64        // persons whose mail goes to quarantine from now on
	Duplicate int64          // message this row is a second delivery of
	Release   []int64        // quarantined ledger rows to decide again
	Drop      []int64        // quarantined ledger rows to drop
	ReleaseBy string         // who released or dropped

	// Alerts are limits that were met and concern the operator, constant phrases.
	Alerts []string

	// Defer leaves the ledger row undecided until then; nothing else of the
	// change is saved. A call is not told of before its recording had the time to
	// come. Zero: the row is decided.
	Defer time.Time

	// Alarms are to begin (ID 0) or update. A new one's Ticket of 0 is the first
	// of Tickets; a letter's Data.Alarm of -n is the n-th of Alarms. One that has
	// ended is not changed any more.
	Alarms   []Alarm
	Stop     []LineConsent // numbers that want no texts from a line
	Start    []LineConsent // numbers that want them again
	Unhold   []HeldLetters // letters held for a conversation that may leave now
	Cancel   []int64       // letters that wait and are not wanted any more: ring letters of an alarm that ended
	Away     []Absence     // agents that go away or come back
	Lessons  []Lesson      // for the classifier
	Products []Product     // to create (ID 0, matched by brand and serial) or update
	Dues     []Due         // found (ID 0; one that is known stays as it is) or looked at again
	StopDues []Due         // occurrences of a product that nothing more is to be told of, for Why
	Surveys  []Survey      // that become due (ID 0), or were asked, skipped or answered
	Points   []PointEntry

	Passcodes []Passcode // that were sent or answered

	Referrals []Referral     // of new customers (State "open"), or that have ended
	Codes     []ReferralCode // given to customers who had none
	Join      []IncidentJoin // stored tickets that become part of a major incident, or leave it

	Numbers  []ForeignNumber // what another desk called Tickets
	Reclosed []Reclosed      // imported tickets whose end was later than thought
}

// LineConsent is what a number wants of texts from one of our lines. Both are
// addresses: tel:+…, whatsapp:+….
type LineConsent struct {
	Number, Line string
}

// HeldLetters names letters in state held: those of a ticket to an address.
type HeldLetters struct {
	Ticket int64
	To     string
}

// Absence is an agent's leave. Until zero: the agent is back.
type Absence struct {
	Agent string
	Since time.Time
	Until time.Time
}

// Lesson is one ticket as people sorted it: what the classifier learns from.
type Lesson struct {
	Ticket   int64
	Text     string
	Language string
	Category string
	Severity string
	At       time.Time
}

// TicketChange is what happens to one ticket. The store numbers a new ticket
// (Ticket.ID 0) and gives messages, events and letters their ids.
//
// An address that is not yet a person becomes one of the ticket's brand: the
// store resolves Participants, Requester and message Authors by address.
type TicketChange struct {
	Ticket   Ticket
	Messages []Message
	Events   []Event
	Letters  []Letter
	// LinkNew lists indexes in Change.Tickets of tickets created by the same
	// change that this one links to, with the kind of link.
	LinkNew map[int]string
	// MoveFrom moves stored messages here from other tickets (merge, split).
	MoveFrom []Move
	// Articles are what articles of the knowledge base did on it.
	Articles []ArticleUse
}

// Move takes messages from a ticket: all of them, or those listed.
type Move struct {
	Ticket   int64
	Messages []int64 // nil all
}

// LetterBounce records a delivery report on the letter it answers.
type LetterBounce struct {
	Letter int64
	State  string // "bounced", "delayed", "complained"
	Status string // enhanced status
	Detail string
	At     time.Time
	Sid    string // of a text: kept when the answer to its POST was lost
}

// IncidentJoin makes a stored ticket part of an incident. The store sets
// Ticket.Incident, adds an event, and lets the watch look at the ticket at once,
// which tells its customer.
type IncidentJoin struct {
	Ticket   int64
	Incident int64 // number of the incident's first ticket; 0 leaves
	By       string
	Why      string
}
