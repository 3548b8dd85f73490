package store

import (
	"context"
	"time"

	"frontdesk/tickets"
)

// The states of a letter. queued → (claimed) → dot → sent; queued again with a
// later time when it was deferred; failed when refused for good or too old.
const (
	LetterQueued  = "queued"
	LetterDot     = "dot"     // the final dot may have gone out: in doubt until an answer is stored
	LetterSent    = "sent"    // accepted by the SMTP server
	LetterFailed  = "failed"  // refused, or given up
	LetterHeld    = "held"    // in doubt with outbox.in_doubt: hold, or held by an operator
	LetterDropped = "dropped" // by an operator
	LetterBounced = "bounced" // sent, and came back
)

// Outgoing is a claimed letter.
type Outgoing struct {
	Letter    tickets.Letter
	State     string // LetterQueued, or LetterDot when its last attempt is in doubt
	Attempts  int    // SMTP attempts before this one
	Epoch     int64
	Queued    time.Time
	Raw       []byte // the first rendering, nil before it
	MessageID string
}

// LetterClaim selects what ClaimLetters hands out.
type LetterClaim struct {
	Now, Until time.Time // the claim lasts until Until
	Mailboxes  []string  // letters that leave from these; nil all
	Limit      int
}

// ClaimLetters hands out due letters, smallest Priority first, then oldest. A
// letter in doubt is handed out when its claim has run out.
func (db *DB) ClaimLetters(ctx context.Context, c LetterClaim) ([]Outgoing, error) {
	return nil, errUnbuilt
}

// NextLetter returns when the next letter is due, zero when the outbox is empty.
func (db *DB) NextLetter(ctx context.Context) (time.Time, error) { return time.Time{}, errUnbuilt }

// Rendering is what the first attempt stores: a retry sends the same bytes.
type Rendering struct {
	MessageID string
	Raw       []byte
}

// MarkDot commits, just before the final dot, that the letter may have been
// handed over, with its rendering (nil: stored before). ErrLost when the claim
// is not ours any more: then nothing may be sent.
func (db *DB) MarkDot(ctx context.Context, id, epoch int64, r *Rendering, now time.Time) error {
	return errUnbuilt
}

// Result is how an attempt ended.
type Result struct {
	ID, Epoch int64
	State     string     // LetterSent, LetterQueued (deferred), LetterFailed, LetterHeld
	Next      time.Time  // for LetterQueued: not before
	Code      string     // SMTP reply code and enhanced status, "550 5.1.1"
	Detail    string     // what the server said, or what went wrong
	ServerIDs []string   // ids the server gave the mail (its rewritten Message-ID)
	Render    *Rendering // kept for the next attempt, when it was not stored before
	At        time.Time
}

// Mark stores results in one transaction, with an event on the ticket for a
// failed letter. A result whose epoch is old is skipped and counted in lost.
func (db *DB) Mark(ctx context.Context, results []Result) (lost int, err error) {
	return 0, errUnbuilt
}

// LetterInfo is a letter as operators see it.
type LetterInfo struct {
	ID        int64              `json:"id"`
	Ticket    int64              `json:"ticket"`
	Brand     string             `json:"brand"`
	Mailbox   string             `json:"mailbox"`
	Kind      tickets.LetterKind `json:"kind"`
	To        string             `json:"to"`
	State     string             `json:"state"`
	Attempts  int                `json:"attempts"`
	Queued    time.Time          `json:"queued"`
	Next      time.Time          `json:"next,omitzero"`
	Sent      time.Time          `json:"sent,omitzero"`
	MessageID string             `json:"message_id,omitempty"`
	Code      string             `json:"code,omitempty"`
	Detail    string             `json:"detail,omitempty"`
	Doubts    int                `json:"doubts"` // times it was sent again after doubt
}

// LettersWhere lists letters: in the states given (nil: queued, dot, held,
// failed), of one ticket (0: all), oldest first, at most limit (0: 100).
func (db *DB) LettersWhere(ctx context.Context, states []string, ticket int64, limit int) ([]LetterInfo, error) {
	return nil, errUnbuilt
}

// LetterByID returns a letter, its state and its rendering (nil before the first attempt).
func (db *DB) LetterByID(ctx context.Context, id int64) (tickets.Letter, LetterInfo, []byte, error) {
	return tickets.Letter{}, LetterInfo{}, nil, errUnbuilt
}

// SetLetter lets an operator retry (LetterQueued), hold or drop a letter that
// is not sent; ErrNotFound when there is none in such a state.
func (db *DB) SetLetter(ctx context.Context, id int64, state, by string, now time.Time) error {
	return errUnbuilt
}

// LetterIDs returns the msg-ids of the letters about a ticket that were
// rendered for the addressee (normal form), oldest first: what the next one
// to them cites in References.
func (db *DB) LetterIDs(ctx context.Context, ticket int64, to string) ([]string, error) {
	return nil, errUnbuilt
}

// OutboxTally counts letters by state.
func (db *DB) OutboxTally(ctx context.Context) (map[string]int, error) { return nil, errUnbuilt }
