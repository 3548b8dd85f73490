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
}
