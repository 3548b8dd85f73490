package tickets

import (
	"encoding/json"
	"time"
)

// LetterKind names a letter: it is the template's name, the word in the outbox
// and in `frontdesk letters list`.
type LetterKind string

// The letters to customers.
const (
	LetterAcknowledgement LetterKind = "acknowledgement" // number, what was understood, times, how to add
	LetterRefused         LetterKind = "refused"         // attachments not taken: which, why, another way
	LetterAnswer          LetterKind = "answer"          // an agent's words
	LetterMissing         LetterKind = "missing"         // facts we need
	LetterResolution      LetterKind = "resolution"      // five parts; asks for confirmation
	LetterConfirmed       LetterKind = "confirmed"       // closure confirmed
	LetterSilence         LetterKind = "silence"         // resolved, not heard from you: is it solved?
	LetterClosed          LetterKind = "closed"          // closed after silence
	LetterReopened        LetterKind = "reopened"        // open again
	LetterPriority        LetterKind = "priority"        // the priority changed
	LetterEscalated       LetterKind = "escalated"       // a senior colleague or specialist has it now
	LetterUpdate          LetterKind = "update"          // how it stands, at the promised beat
	LetterDelay           LetterKind = "delay"           // a promise may not be kept
	LetterIncident        LetterKind = "incident"        // known, concerns others too; we are on it
	LetterReminder        LetterKind = "reminder"        // warranties, renewals, service: all that is due, gathered
	LetterSurvey          LetterKind = "survey"          // how was it?
	LetterReward          LetterKind = "reward"          // a level was reached
	LetterFollowUp        LetterKind = "follow-up"       // some time after: does it still work?
	LetterReturn          LetterKind = "return"          // a return: number, address, window, each step
	LetterPasscode        LetterKind = "passcode"        // a code that proves who asks
)

// The letters to customers that exist as texts only.
const (
	LetterMissedCall LetterKind = "missed-call"   // we missed your call, and its number
	LetterHelp       LetterKind = "text-help"     // who we are; answer to HELP
	LetterTemplate   LetterKind = "text-template" // WhatsApp: an answer is waiting, write to get it
)

// The letters to agents.
const (
	LetterNewTicket  LetterKind = "agent-new"        // a new ticket
	LetterMessage    LetterKind = "agent-message"    // a customer's (or third party's) message
	LetterReceipt    LetterKind = "agent-receipt"    // what a mail with commands did
	LetterHeld       LetterKind = "agent-held"       // a reply that was not sent, and why
	LetterHistory    LetterKind = "agent-history"    // #history
	LetterList       LetterKind = "agent-list"       // #list
	LetterGuide      LetterKind = "agent-guide"      // #help; sent to each new agent
	LetterBounced    LetterKind = "agent-bounced"    // a letter to the customer came back
	LetterQuarantine LetterKind = "agent-quarantine" // daily: what is held
	LetterRefusal    LetterKind = "agent-refusal"    // a mail in an agent's name that was not trusted
	LetterEscalation LetterKind = "agent-escalation" // a ticket came up to this tier: history and messages attached
	LetterWarning    LetterKind = "agent-warning"    // a promise is about to be missed
	LetterBreach     LetterKind = "agent-breach"     // a promise was missed
	LetterAskUpdate  LetterKind = "agent-ask-update" // the customer waits for news: #update
	LetterOutbreak   LetterKind = "agent-incident"   // like tickets of several customers: one incident
	LetterMorning    LetterKind = "agent-morning"    // one's own queue, what is due today
	LetterTeam       LetterKind = "agent-team"       // the team's: unassigned, at risk
	LetterLowScore   LetterKind = "agent-low-score"  // a customer is not content
	LetterReport     LetterKind = "agent-report"     // weekly, monthly: figures and charts
	LetterAlert      LetterKind = "agent-alert"      // the desk itself is sick, or well again: to operators
)

// The letters to agents' telephones.
const (
	LetterRing     LetterKind = "ring"      // a call about a critical ticket: press 1
	LetterRingText LetterKind = "ring-text" // the text beside it
	LetterBridge   LetterKind = "bridge"    // #call: rings the agent, then the customer
	LetterHangUp   LetterKind = "hang-up"   // ends the call of another letter (Data.HangUp)
)

// Call reports whether a letter of the kind is a telephone call, or ends one.
func (k LetterKind) Call() bool { return k == LetterRing || k == LetterBridge || k == LetterHangUp }

// Letter is one mail to one envelope recipient, decided but not yet rendered.
// The first rendering is stored with it; a retry sends the same bytes.
type Letter struct {
	ID       int64 // 0 until stored
	Ticket   int64
	Brand    string // whose name, sender, colours and templates
	Mailbox  string // configured address it leaves from; for texts and calls the line: tel:+…, whatsapp:+…
	Kind     LetterKind
	Language string
	To       Address // the envelope recipient
	Person   int64   // who To is; the store resolves 0 by address
	Agent    bool    // To is an agent: From is the relay address
	Key      string  // unique: one letter per event and recipient, for ever

	// Carry is the index + 1, in TicketChange.Messages, of the message whose
	// words it carries; 0 none. The store turns it into Message.
	Carry   int
	Message int64

	HeaderTo, HeaderCc []Address // as shown; empty: To
	InReplyTo          string    // msg-id it answers, without brackets
	References         []string  // oldest first, without brackets
	Subject            string    // of the ticket at the time, without tag and prefix
	Reply              bool      // Subject is shown with "Re: "

	Auto       AutoSubmitted
	NullSender bool      // envelope sender <>; else VERP
	Version    int       // the ticket's Version that an agent's letter shows; signed into its relay address
	Priority   int       // smaller leaves earlier: 0 answers, 1 acknowledgements and notices, 2 the rest
	NotAfter   time.Time // given up after this time; zero: the outbox's own limit
	Held       string    // stored in state held, for this reason; "" leaves at once
	Data       LetterData
}

// AutoSubmitted is the value of the Auto-Submitted field (RFC 3834 section 5).
type AutoSubmitted string

// The values. A person's words carry none.
const (
	AutoNone      AutoSubmitted = ""
	AutoReplied   AutoSubmitted = "auto-replied"
	AutoGenerated AutoSubmitted = "auto-generated"
)

// LetterData is what a letter says beyond its ticket. It is stored as JSON:
// adding fields is safe, renaming is not.
type LetterData struct {
	Text   string    `json:"text,omitempty"`   // the words of a person
	Author string    `json:"author,omitempty"` // display name of who wrote Text
	At     time.Time `json:"at,omitzero"`      // when Text came

	// Acknowledgement.
	Summary       string   `json:"summary,omitempty"`        // what was understood; "" for an unproven sender
	RespondWithin string   `json:"respond_within,omitempty"` // as configured: "2 business hours"
	ResolveWithin string   `json:"resolve_within,omitempty"`
	SizeLimit     int64    `json:"size_limit,omitempty"` // bytes
	Category      string   `json:"category,omitempty"`   // title of the category it was sorted into
	Files         int      `json:"files,omitempty"`      // attachments that were taken
	Types         []string `json:"types,omitempty"`
	Missing       []string `json:"missing,omitempty"` // facts asked for, keys of Ticket.Facts

	Severity string `json:"severity,omitempty"` // priority: the new one

	Refused []Refusal `json:"refused,omitempty"`

	// Resolution.
	Problem    string `json:"problem,omitempty"`
	Solution   string `json:"solution,omitempty"`
	Workaround string `json:"workaround,omitempty"`
	CloseDays  int    `json:"close_days,omitempty"` // days of silence until it is closed

	// To agents.
	From       string        `json:"from,omitempty"`       // the customer's address and name
	Names      []string      `json:"names,omitempty"`      // file names of Text's attachments
	Known      []string      `json:"known,omitempty"`      // lines about ticket and customer: "queue: support"
	Unverified bool          `json:"unverified,omitempty"` // the author is not on the ticket
	Proposed   []string      `json:"proposed,omitempty"`   // addresses in Cc that get nothing until accepted
	Done       []string      `json:"done,omitempty"`       // receipt: what was done, a line each
	Problems   []string      `json:"problems,omitempty"`   // receipt, held: what was not, a line each
	Commands   []string      `json:"commands,omitempty"`   // held: the command lines of the mail
	Newer      []MessageView `json:"newer,omitempty"`      // held: what has come since; history: all
	Tickets    []TicketView  `json:"tickets,omitempty"`    // list
	Quarantine []HeldMail    `json:"quarantine,omitempty"`
	Bounce     string        `json:"bounce,omitempty"` // who did not get it and why
	Dead       bool          `json:"dead,omitempty"`   // bounced: the address gets no further automatic letters

	// Promises.
	Due      time.Time   `json:"due,omitzero"`       // the due time it is about; X-Frontdesk-Due
	SolveBy  time.Time   `json:"solve_by,omitzero"`  // acknowledgement: when the resolution is due; Due is the first response's
	Opens    time.Time   `json:"opens,omitzero"`     // acknowledgement: when the desk opens; zero while it is open
	Clock    string      `json:"clock,omitempty"`    // "first response", … of sla
	Promise  string      `json:"promise,omitempty"`  // "24 hours"
	Left     string      `json:"left,omitempty"`     // "1h20m" left; "" overdue
	Why      string      `json:"why,omitempty"`      // of an escalation, an incident: a line
	Team     string      `json:"team,omitempty"`     // who has it now
	Queues   []QueueView `json:"queues,omitempty"`   // morning letters: parts of the list
	Attach   []int64     `json:"attach,omitempty"`   // ledger rows whose mails are attached whole
	Incident int64       `json:"incident,omitempty"` // number of the incident's ticket
	Count    int         `json:"count,omitempty"`    // tickets of the incident

	// What the desk remembers.
	Items    []ReminderItem  `json:"items,omitempty"`    // reminder: what is due
	Articles []Article       `json:"articles,omitempty"` // acknowledgement, new ticket: what may help
	Survey   *Survey         `json:"survey,omitempty"`   // survey, low score
	Return   *Return         `json:"return,omitempty"`   // return
	Code     string          `json:"code,omitempty"`     // passcode
	Points   int             `json:"points,omitempty"`   // reward: in all
	Level    string          `json:"level,omitempty"`    // reward: the level's title
	Reward   string          `json:"reward,omitempty"`   // reward: what it brings
	Figures  json.RawMessage `json:"figures,omitempty"`  // report: tickets.Figures

	// To operators.
	Conditions []AlertView `json:"conditions,omitempty"`

	// Texts and calls.
	Number   string `json:"number,omitempty"`   // of the customer, E.164
	Alarm    int64  `json:"alarm,omitempty"`    // ring: the alarm
	Attempt  int    `json:"attempt,omitempty"`  // ring: which attempt of it
	HangUp   int64  `json:"hang_up,omitempty"`  // letter whose call is to end
	Recorded int    `json:"recorded,omitempty"` // seconds of the voicemail
}

// QueueView is one part of a morning letter.
type QueueView struct {
	Title   string       `json:"title"` // "overdue", "due today", "unassigned", "at risk", …: a constant word
	Tickets []TicketView `json:"tickets"`
}

// Refusal is one attachment that was not taken.
type Refusal struct {
	Filename string `json:"filename"`
	Size     int    `json:"size"`
	Why      string `json:"why"` // "size" or "type"
}

// MessageView is a message as a letter shows it.
type MessageView struct {
	At        time.Time `json:"at"`
	Author    string    `json:"author"`
	Direction Direction `json:"direction"`
	Text      string    `json:"text"`
	Names     []string  `json:"names,omitempty"`
}

// TicketView is a ticket as #list shows it.
type TicketView struct {
	ID       int64     `json:"id"`
	Status   Status    `json:"status"`
	Severity string    `json:"severity,omitempty"`
	Subject  string    `json:"subject"`
	From     string    `json:"from"`
	Updated  time.Time `json:"updated"`
	Assignee string    `json:"assignee,omitempty"`
	Due      time.Time `json:"due,omitzero"` // the next due time of its clocks
}

// HeldMail is a quarantined mail as the daily letter shows it.
type HeldMail struct {
	ID      int64     `json:"id"` // ledger row: #release takes it
	At      time.Time `json:"at"`
	From    string    `json:"from"`
	Subject string    `json:"subject"`
	Reason  string    `json:"reason"`
	Detail  string    `json:"detail"`
}
