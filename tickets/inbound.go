package tickets

import "time"

// Kind is the class of a mail (docs/mail-rules.md section 1).
type Kind string

// The classes.
const (
	KindMessage     Kind = "message"
	KindOwn         Kind = "own" // one of ours came back
	KindBounce      Kind = "bounce"
	KindDelayed     Kind = "delayed"
	KindAutoReply   Kind = "auto_reply"
	KindReadReceipt Kind = "read_receipt"
	KindComplaint   Kind = "complaint"       // a recipient called a letter spam (ARF)
	KindFeedback    Kind = "feedback_report" // an ARF report that is no complaint
	KindBulk        Kind = "bulk"
	KindCalendar    Kind = "calendar"
)

// Inbound is one contact, as the decision sees it: decoded, classified,
// authenticated. Intake makes it from a ledger row.
type Inbound struct {
	Ledger   int64 // ledger row
	Channel  Channel
	Brand    string
	Mailbox  string // configured address it came to
	Queue    string
	Received time.Time // when the desk took it
	Released string    // who released it from quarantine last, "" otherwise
	Answered []string  // the reasons it was held for and released: those checks, and no others, are skipped

	MessageID  string
	InReplyTo  []string
	References []string // oldest first
	From       Address
	ReplyTo    []Address
	To, Cc     []Address
	Sender     *string  // envelope sender; nil unknown, "" null reverse-path
	Recipients []string // every place a relay address may stand: envelope, Delivered-To, X-Original-To, To, Cc

	Subject     string
	SubjectCore string
	ReplyPrefix bool
	Date        time.Time
	ThreadRoot  string

	Kind     Kind
	Signals  []string // "rule=value" of each signal about Kind
	Bounce   *Bounce
	Text     string   // whole text
	Reply    string   // visible reply, commands removed
	Commands []string // command lines at the top, "#close"
	Language string
	Phones   []string
	Facts    map[string]string

	Attachments []Attachment
	Forwarded   *Forwarded
	Content     [32]byte
	Hops        int    // Received fields
	Loop        string // X-Frontdesk-Loop as received
	Auth        Auth
	Tried       time.Time // when it was tried first to be proven; zero: now
	Defects     []string
	Sorted      *Sorted // by SortAhead; nil: not yet

	// Button is set for ChannelWeb: what a customer pressed on a page.
	Button *Button
	// Phone is set for ChannelVoice, ChannelSMS and ChannelWhatsApp.
	Phone *PhoneContact
}

// Button is one press on a customer's page. The page's token is verified by
// whoever made the ledger row.
type Button struct {
	Ticket  int64  `json:"ticket"`
	Person  int64  `json:"person"`
	Address string `json:"address"` // of the person, as the page's token said
	Action  string `json:"action"`  // "confirm", "reopen", "add" (with Text), "solved" (Article) or "vote" (Survey, Score, Text)
	Text    string `json:"text,omitempty"`
	Article string `json:"article,omitempty"` // of "solved": which one did
	Product int64  `json:"product,omitempty"` // of "accept": whose longer warranty is wanted
	Survey  int64  `json:"survey,omitempty"`
	Score   int    `json:"score,omitempty"`
}

// Bounce is what a delivery report says.
type Bounce struct {
	Recipient  string
	Status     string
	Hard       bool
	Diagnostic string
	MessageID  string // of the letter that bounced
	Text       string // report's text, to find our ids in
}

// Forwarded is the head of a forwarded message.
type Forwarded struct {
	From    Address
	Subject string
	Text    string
	Date    time.Time
}

// Auth says whether From is proven.
type Auth struct {
	Pass   bool   // From's domain is proven (DMARC-aligned)
	Method string // "authentication-results", "dkim", "address-only", "none"
	Detail string // for the trace
	// Later says that the proof could not be had now: a name server did not answer.
	Later bool
}
