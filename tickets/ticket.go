package tickets

import "time"

// Status is where a ticket stands.
type Status string

// The statuses of a ticket.
const (
	StatusNew      Status = "new"      // nobody has answered or taken it
	StatusOpen     Status = "open"     // the desk's turn
	StatusPending  Status = "pending"  // the customer's turn
	StatusHold     Status = "on_hold"  // waits for a third party or a date
	StatusResolved Status = "resolved" // answered; waits for the customer's confirmation
	StatusClosed   Status = "closed"   // confirmed, or silence after the notice
	StatusMerged   Status = "merged"   // lives on in MergedInto
	StatusSpam     Status = "spam"     // not a request
)

// Open reports whether the ticket still expects work from anybody.
func (s Status) Open() bool {
	switch s {
	case StatusNew, StatusOpen, StatusPending, StatusHold, StatusResolved:
		return true
	}
	return false
}

// Channel is the way a contact came.
type Channel string

// The channels.
const (
	ChannelMail     Channel = "email"
	ChannelShell    Channel = "shell"    // an operator's command line; walk-ins
	ChannelWeb      Channel = "web"      // a button on a customer's page
	ChannelVoice    Channel = "voice"    // a telephone call: a voicemail, a missed call, keys pressed
	ChannelSMS      Channel = "sms"      // SMS and MMS
	ChannelWhatsApp Channel = "whatsapp" // WhatsApp
)

// Ticket is one request and its state. Messages, events and letters refer to
// it; they are not held in it.
type Ticket struct {
	ID      int64  // the number people see; 0 until stored
	Brand   string // key of Rules.Brands
	Mailbox string // address the brand's letters of this ticket come from
	Line    string // our number that the customer texts and calls on this ticket: tel:+… or whatsapp:+…; "" none yet
	Queue   string // key of Rules.Queues
	Channel Channel
	Status  Status

	Subject     string
	SubjectCore string
	Language    string // ISO 639-1 of the letters to the customer
	ThreadRoot  string // Outlook's thread root (hex), "" when unknown

	Requester    int64         // person who has the problem
	Participants []Participant // the requester first, then everybody else on the ticket
	Dead         []string      // those of their addresses that bounced hard, as the store knows; not saved
	Stopped      []string      // those of their numbers that want no texts from Line (from any line while it is ""), tel:… and whatsapp:…; as the store knows; not saved
	Profile      Profile       // of the requester, as the store knows; not saved

	Assignee string // agent's address, "" nobody
	Severity string // key of Rules.Severities, "" not set
	Category string // key of Rules.Categories, "" not set
	Impact   int    // 1 (one person) … 4 (everybody), 0 not set
	Urgency  int    // 1 (can wait) … 4 (now), 0 not set
	Tags     []string
	Facts    map[string]string // what row B1 asks: occurred, organisation, room, product, phone, tried, error, expected, first_time
	Links    []Link

	MergedInto int64 // for StatusMerged
	Incident   int64 // the ticket of the major incident it belongs to; its own number on that ticket; 0 none

	Tier     int      // index in the queue's tiers of those it is with now
	Promises Promises // what the desk promised on it, and what it has done about that
	Guess    *Guess   // how category and severity were guessed; nil when nobody guessed

	Product int64   // the product it is about, 0 not known
	Return  *Return // what goes back, nil nothing
	// Identity is how the requester proved who he is on this ticket: "mail" (the
	// From of a profile's address was proven), "passcode", "" not.
	Identity string

	// Version counts the messages on the ticket that a customer or an agent
	// can see; a relay address carries the version its reader saw.
	Version int

	Opened       time.Time // UTC, as all times here
	Updated      time.Time
	Answered     time.Time // first answer by a person of the desk
	Resolved     time.Time // zero unless StatusResolved or after
	Closed       time.Time
	PendingUntil time.Time
	Due          time.Time
	FollowedUp   time.Time // when silence after the resolution was followed up
	WorkedMin    int       // minutes logged with #time
}

// PartyRole says what somebody is to a ticket.
type PartyRole string

// The roles on a ticket.
const (
	PartyRequester PartyRole = "requester"   // has the problem; gets every letter
	PartyFollower  PartyRole = "follower"    // in Cc; gets answers
	PartyProposed  PartyRole = "proposed"    // put in Cc by a customer; gets nothing until an agent accepts (#cc +x)
	PartyThird     PartyRole = "third_party" // wrote without being on the ticket; unverified; gets nothing until accepted
	PartyRemoved   PartyRole = "removed"     // taken off by an agent
)

// Participant is one address on a ticket.
type Participant struct {
	Person  int64 // 0 until stored
	Address Address
	Role    PartyRole
}

// Link ties two tickets.
type Link struct {
	Kind string // "related", "duplicate?", "split from", "follows", "merged"
	To   int64
}

// Participant returns who on the ticket has the address, compared without case.
func (t *Ticket) Participant(address string) (Participant, bool) {
	for _, p := range t.Participants {
		if SameAddress(p.Address.Address, address) {
			return p, true
		}
	}
	return Participant{}, false
}

// Verified reports whether the address may join and read the ticket: it is on
// it and is not an unverified third party nor removed.
func (t *Ticket) Verified(address string) bool {
	p, ok := t.Participant(address)
	return ok && (p.Role == PartyRequester || p.Role == PartyFollower || p.Role == PartyProposed)
}
