package tickets

import (
	"time"

	"frontdesk/sla"
)

// Direction says which way a message went.
type Direction string

// The directions.
const (
	DirectionIn   Direction = "in"   // to the desk
	DirectionOut  Direction = "out"  // an agent's words to the customer
	DirectionNote Direction = "note" // internal; never leaves
	DirectionHeld Direction = "held" // an agent's words that were not sent; internal
)

// Message is one contact on a ticket. It refers to the raw mail in the ledger;
// Text is derived and can be derived again.
type Message struct {
	ID        int64 // 0 until stored
	Ticket    int64
	Seq       int // 1, 2, … on its ticket, over all directions
	Version   int // the ticket's Version after this message
	Ledger    int64
	Direction Direction
	Channel   Channel
	Author    Author
	Kind      Kind // what kind of mail it was

	MessageID string // without brackets, "" when it had none
	InReplyTo []string
	Cites     []string // In-Reply-To then References right to left, without brackets, each once

	Subject     string
	Text        string // what the person wrote, commands removed
	Attachments []Attachment
	Content     [32]byte
	ThreadRoot  string

	At   time.Time // received
	Date time.Time // as the sender says; zero when unknown
	// Commands are the command lines of a held message: "#send anyway" runs
	// them again.
	Commands []string

	Flags []string // "duplicate-id" (same Message-ID, other content), "late", "unverified"
}

// Attachment is one file of a message. The bytes stay in the raw mail.
type Attachment struct {
	Filename    string
	ContentType string
	ContentID   string
	Inline      bool
	Size        int
	SHA256      [32]byte
	Part        int    // index in the parsed mail's attachments; WholeRow: the row's bytes are the file
	Ledger      int64  // row that holds the bytes; 0 the message's own
	Refused     string // "" taken; "type" or "size": why it goes no further
}

// WholeRow is the Part of an attachment that is a ledger row of its own: a
// recording or a picture that was fetched from the telephone company.
const WholeRow = -1

// Event is one line of a ticket's append-only log.
type Event struct {
	ID      int64
	Ticket  int64
	Change  int64 // brand-wide change number: orders the audit trail
	At      time.Time
	Who     string // agent's or customer's address, or "desk"
	What    string // constant phrase: "opened", "answered", "status", "held", …
	Detail  string // facts: "new → open", "merged into #12"
	Outcome string // "" done, else what became of it: "refused: …", "bounced: …"

	// Clock is what the event means for the ticket's clocks, nil nothing. Its At
	// is the event's. The clocks are a function of these entries alone.
	Clock *sla.Event
}
