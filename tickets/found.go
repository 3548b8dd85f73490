package tickets

import (
	"time"

	"frontdesk/sla"
)

// Keys is what a decision wants looked up before it is taken.
type Keys struct {
	Brand      string
	Tickets    []int64  // named by relay addresses, our Message-IDs, subject tags
	Cites      []string // msg-ids the mail cites: In-Reply-To, then References right to left
	MessageID  string   // of the mail itself, "" when absent (an empty id is never a key)
	ThreadRoot string
	Subject    string // core subject
	Sender     string // From, normal form
	Content    [32]byte
	Letter     int64 // letter named by a VERP address, 0 none
	History    int64 // ticket whose newest messages are wanted (an agent writes about it), 0 none
	Now        time.Time

	Number  string // E.164, of who calls or texts; "" none
	Line    string // our line that was called or texted: tel:…, whatsapp:…
	Contact string // Item.Contact of the row: the call it belongs to
	Opens   bool   // a ticket may be opened: what assignment and incidents need is wanted
	Serial  string // fact of the mail: a serial number in upper case; "" none
	Words   string // subject and text of what may open a ticket: like tickets are looked for

	// Foreign are numbers in the subject by which another desk may have known the
	// conversation. Old: the mail may be one that was imported from a file.
	Foreign []string
	Old     bool

	Survey int64    // whose page was answered; 0 none
	Asked  string   // address of who texted what may be the answer to a survey or a reminder; "" none
	Codes  []string // words of a first mail that look like referral codes

	// LikeSince is Now less Rules.Incident.Within: tickets opened since then may
	// be like this one. Zero: not wanted.
	LikeSince time.Time
}

// Hit is a stored message or letter that carries a msg-id.
type Hit struct {
	Ticket  int64
	Message int64  // 0 when only a letter
	Letter  int64  // 0 when only a message
	To      string // addressee of the letter, normal form
	Version int    // version the letter showed
	Agent   bool   // the letter went to an agent
}

// Found is what the store knows of Keys. Tickets of other brands are never in it.
type Found struct {
	Tickets map[int64]*Ticket // every ticket named anywhere below, and the targets of merged ones

	ByMessageID map[string][]Hit       // cited id → what carries it (messages by Message-ID; letters by theirs or the one the SMTP server gave)
	ByCited     map[string][]int64     // cited id nobody has → tickets with a message that cites it too
	ByThread    []int64                // tickets with ThreadRoot, newest first, at most 10
	BySubject   []int64                // tickets with the core subject on which Sender takes part, newest first, at most 10
	Person      *Person                // who Sender is in this brand
	Duplicate   *Message               // the same content in this brand within 7 days before Now
	SameID      *Message               // the same Message-ID with other content
	Known       *Known                 // what became of the mail when it was imported
	Foreign     []int64                // tickets that another desk called by Keys.Foreign, newest first, at most 10
	Letter      *SentLetter            // the letter of Keys.Letter
	Letters     map[string]*SentLetter // letters by cited Message-ID (a bounce's original)
	History     []Message              // newest messages of Keys.History, oldest first, at most 50
	Open        []Ticket               // for #list: open tickets, in queue order; filled by the worker
	Acks        AckCounts
	Suppressed  bool               // Sender's address bounced hard
	Passcodes   map[int64]Passcode // codes that were sent, by ticket
	Erased      bool               // a mail with the Message-ID was erased: it comes from an old copy

	// Of Keys.Number and Keys.Line. Person is then who has the number: the only
	// profile with it, or the bare profile that an earlier call made.
	Callers  []Person              // profiles that have the number, at most 10: none is to be linked when there are several
	Texts    []int64               // tickets of this number on this line, newest first, at most 10
	Stopped  bool                  // the number wants no texts from the line
	LastIn   time.Time             // newest message of the number on the line
	Contact  []Message             // messages made of rows with Keys.Contact, oldest first
	Alarm    *Alarm                // the ringing alarm of the ticket of Keys.History or of Letter
	Rings    []SentLetter          // letters that ring for Alarm, oldest first: what is cancelled or hung up when it ends
	Log      map[int64][]sla.Event // clock events of Tickets, oldest first
	Desk     *Desk                 // how busy everybody is; when Keys.Opens, or an agent's mail moves a ticket
	Like     []LikeTicket          // tickets of the brand opened within Rules.Incident.Within before Now, newest first, at most 500; when Keys.Opens
	Products []Product             // of Person or the requester of Keys.History, those in use, newest first, at most 20; when Keys.Opens or Keys.History
	About    map[int64]*Product    // what Tickets are about (Ticket.Product), whoever has it
	Serial   *Product              // the product of the brand with Keys.Serial, whoever has it
	Reminder *SentLetter           // the newest reminder that Keys.Line texted to Keys.Asked within ReminderText before Now
	Survey   *Survey               // the survey whose letter, text or page is answered
	Points   int                   // that the person of Survey has
	Code     string                // referral code of the person of Survey, "" none yet
	Referral *ReferralCode         // of Keys.Codes, the first that somebody has
	Parent   []IncidentTicket      // open tickets of the incident that Keys.History is part of, itself not among them
}

// Desk is how busy the agents are, over all brands.
type Desk struct {
	Load  map[string]Load      // by agent's address
	Away  map[string]time.Time // by agent's address: until when
	Knows map[string]int       // by agent's address: tickets of this requester the agent answered in the last 180 days
}

// Load is the open work of one agent.
type Load struct {
	Open     int            // tickets that are new or open
	Severity map[string]int // of them, by severity; "" for those without
}

// LikeTicket is a ticket opened lately, as the watch for incidents sees it.
type LikeTicket struct {
	ID        int64
	Requester string // address
	Words     string // subject and the beginning of the first message
	Product   string // fact
	Incident  int64
	Status    Status
	Opened    time.Time
}

// IncidentTicket is one ticket of a major incident.
type IncidentTicket struct {
	Ticket Ticket
	Last   Message // newest message of a customer: what a letter answers
}

// SentLetter is a letter as a bounce sees it.
type SentLetter struct {
	ID        int64
	Ticket    int64
	Kind      LetterKind
	To        string
	State     string
	Report    string // what was reported of it: "", "bounced", "delivered", "read", …
	MessageID string
	Agent     bool
	Data      LetterData // of a letter found by its number, or that rings or reminds
	Queued    time.Time  // of a reminder that was texted
}

// AckCounts are the automatic letters already written: how the limits of
// section 3 of the mail rules are held across restarts.
type AckCounts struct {
	SenderHour  int
	SenderDay   int
	Subject3h   int // same sender and core subject in 3 hours
	DomainHour  int
	GlobalHour  int
	Ticket10min map[int64]int // automatic letters to Sender per ticket in 10 minutes
}
