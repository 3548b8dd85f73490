package parser

import (
	"net/textproto"
	"time"
)

// Mail is what one message says, decoded to valid UTF-8 throughout (NUL and
// invalid bytes become U+FFFD). Slices are nil when the field is absent.
type Mail struct {
	// Header holds the top-level fields in order of appearance, unfolded,
	// names as sent, values undecoded (encoded words as they stand).
	Header []Field

	MessageID  string    // without angle brackets; "" when absent or empty
	InReplyTo  []string  // msg-ids without brackets, in order (RFC 5322 section 3.6.4)
	References []string  // msg-ids without brackets, oldest first
	From       Address   // the first author; zero when there is none
	Sender     Address   // Sender field, zero when absent
	ReplyTo    []Address // only where to answer; never an identity
	To, Cc     []Address
	ReturnPath *string // envelope sender as recorded on delivery: nil unknown, "" null reverse-path

	// DeliveredTo holds the addresses of Delivered-To, X-Original-To,
	// Envelope-To and X-Envelope-To, in order: where a relay address survives.
	DeliveredTo []string

	Subject     string    // decoded, unfolded
	SubjectCore string    // Subject without reply prefixes, list tags and ticket tags, spaces collapsed
	ReplyPrefix bool      // Subject carried a reply prefix (Re, AW, SV, RV, Antw, 回复, …)
	ForwardPref bool      // Subject carried a forward prefix (Fwd, WG, TR, …)
	Date        time.Time // Date field; zero when missing or beyond repair. Shown only, never trusted

	ThreadTopic string // Outlook's Thread-Topic, decoded
	ThreadRoot  string // hex of the 22 bytes that open Outlook's Thread-Index; "" when absent

	Text      string // whole text body (from HTML where there is no plain part)
	HTML      string // sanitised HTML body, "" when there is none
	ReplyText string // what the sender wrote, without quotes and signature; hides, never deletes
	Cuts      []Cut  // what ReplyText leaves out of Text, and why

	// Forwarded describes the message that this one forwards (inline with a
	// client's header block, or as message/rfc822), nil when it forwards none.
	Forwarded *Forwarded

	Attachments []Attachment
	Kind        Kind
	Signals     []Signal // every signal about Kind that matched, in the order tried
	Bounce      *Bounce  // for KindBounce and KindDelayed

	Language string    // ISO 639-1, "" when unsure
	Commands []string  // the command lines at the very top of ReplyText, as written ("#close")
	Body     string    // ReplyText without those command lines, "##" unescaped to "#"
	Phones   []string  // phone numbers found in ReplyText: E.164 where the country is known
	Facts    []Fact    // error texts, serials, order numbers … found in ReplyText
	Defects  []string  // what was broken and how it was read, constant phrases with details after ": "
	Content  [32]byte  // SHA-256 of the content, blind to trace fields: equal for one mail seen by two ways
	Received []Trace   // Received fields, newest first
	Size     int       // bytes of the raw message
	Calendar *Calendar // a text/calendar part, summarised

	Protection *Protection // how the mail is signed or encrypted, nil when it is not
}

// Field is one header field. Name as sent; Value unfolded, undecoded.
type Field struct{ Name, Value string }

// Get returns the decoded first value of the named field, "" when absent.
func (m *Mail) Get(name string) string { return m.get(name) }

// Values returns the undecoded values of the named field, in order.
func (m *Mail) Values(name string) []string {
	var vs []string
	name = textproto.CanonicalMIMEHeaderKey(name)
	for _, f := range m.Header {
		if textproto.CanonicalMIMEHeaderKey(f.Name) == name {
			vs = append(vs, f.Value)
		}
	}
	return vs
}

// Address is one mailbox. Address is addr-spec, domain in lower case, local
// part as written; Name is the decoded display name.
type Address struct {
	Address string `json:"address"`
	Name    string `json:"name"`
}

// Attachment is one part that is not the body. Data is decoded; of a large one
// it may be left out (see [Options.Large]).
type Attachment struct {
	Filename    string // base name, NFC, no controls or bidi overrides, at most 200 bytes
	ContentType string // type/subtype in lower case
	Inline      bool   // shown within the body (Content-Disposition inline or cited by Content-ID)
	ContentID   string // without angle brackets
	Size        int    // of the content in bytes
	SHA256      [32]byte
	Data        []byte

	body transferred // when Data was left out
}

// Kind is the class of a mail (RFC 3464, 3798, 3834, 5965, 5546).
type Kind string

// The kinds, first match decides.
const (
	KindMessage     Kind = "message"         // a person wrote it
	KindBounce      Kind = "bounce"          // delivery failed
	KindDelayed     Kind = "delayed"         // delivery is late, still tried
	KindAutoReply   Kind = "auto_reply"      // a machine answers for a person
	KindReadReceipt Kind = "read_receipt"    // MDN, or a DSN that reports success
	KindComplaint   Kind = "complaint"       // ARF: somebody pressed "this is spam" (abuse, fraud, virus, opt-out)
	KindFeedback    Kind = "feedback_report" // ARF that is no complaint: auth-failure, not-spam
	KindBulk        Kind = "bulk"            // list or bulk mail
	KindCalendar    Kind = "calendar"        // an answer to an invitation
)

// Signal is one rule about the kind of a mail: its name, what it saw, and the
// kind it votes for.
type Signal struct {
	Rule  string `json:"rule"`
	Value string `json:"value"`
	Kind  Kind   `json:"kind"`
}

// Bounce is what a delivery report says of the first failing recipient.
type Bounce struct {
	Recipient  string   `json:"recipient"`
	Recipients []string `json:"recipients,omitempty"` // all of them, when several
	Status     string   `json:"status"`               // enhanced status code (RFC 3463), "" when unknown
	Hard       bool     `json:"hard"`                 // permanent: 5.x.x or an address that is gone
	Reason     string   `json:"reason,omitempty"`     // the field's word: userunknown, mailboxfull, …
	Diagnostic string   `json:"diagnostic"`
	MessageID  string   `json:"original_message_id"` // of the mail that bounced, without brackets
}

// Cut is one stretch of Text that ReplyText leaves out. Lines count from 1.
type Cut struct {
	Rule string `json:"rule"` // e.g. "on-wrote", "outlook-header", "signature-delimiter", "quote"
	From int    `json:"from"` // first line
	To   int    `json:"to"`   // last line, inclusive
}

// Forwarded is the head of the message that a mail forwards.
type Forwarded struct {
	From    Address
	To      []Address
	Date    time.Time
	Subject string
	Text    string // its body text
}

// Fact is one thing found in the text that a desk wants to know.
type Fact struct {
	Kind  string `json:"kind"` // phone, error, order, serial, ticket, …
	Value string `json:"value"`
	Line  int    `json:"line"` // in ReplyText, from 1; 0 for the subject or a file name
}

// Trace is one Received field (RFC 5321 section 4.4).
type Trace struct {
	From, By, With string
	Time           time.Time
}

// Calendar summarises an invitation or an answer to one (RFC 5545, 5546).
type Calendar struct {
	Method, Summary, Location, Organizer string
	Start, End                           time.Time
}
