package tickets

import (
	"slices"
	"strings"
	"time"

	"frontdesk/sla"
)

// Product is something that was sold to a customer, or a contract about it.
type Product struct {
	ID     int64 // 0 until stored
	Brand  string
	Person int64   // who has it, 0 not known
	Owner  Address // of Person, as the store knows; when Person is 0 it names who gets it

	Serial string // upper case, without blanks; unique in the brand
	Model  string
	Kind   ProductKind

	Bought        sla.Date
	WarrantyUntil sla.Date // last day
	ContractUntil sla.Date // last day of a contract or subscription that can be renewed
	Contract      string   // what it is called: "Care Pack Plus"

	Readings   []Reading // oldest first, as many as are known
	ServicedAt int       // pages at the last service
	ServicedOn sla.Date

	Retired bool // not in use any more: no reminders
	Notes   string
}

// NormalSerial is the form in which serial numbers are compared: upper case,
// without blanks.
func NormalSerial(s string) string { return strings.ToUpper(strings.Join(strings.Fields(s), "")) }

// With is p with what is given of news: a field that news leaves empty stays,
// and readings that p does not have are added.
func (p Product) With(news Product) Product {
	out := p
	for _, f := range []struct {
		to   *string
		from string
	}{{&out.Model, news.Model}, {&out.Contract, news.Contract}, {&out.Notes, news.Notes}} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	for _, f := range []struct {
		to   *sla.Date
		from sla.Date
	}{{&out.Bought, news.Bought}, {&out.WarrantyUntil, news.WarrantyUntil}, {&out.ContractUntil, news.ContractUntil}, {&out.ServicedOn, news.ServicedOn}} {
		if !f.from.IsZero() {
			*f.to = f.from
		}
	}
	if news.Kind != "" && news.Kind != KindOther {
		out.Kind = news.Kind
	}
	if news.Person != 0 || news.Owner.Address != "" {
		out.Person, out.Owner = news.Person, news.Owner
	}
	if news.ServicedAt > 0 {
		out.ServicedAt = news.ServicedAt
	}
	out.Retired = p.Retired || news.Retired
	for _, r := range news.Readings {
		out.Readings = out.withReading(r)
	}
	return out
}

// withReading adds a reading in its place, once.
func (p Product) withReading(r Reading) []Reading {
	i := len(p.Readings)
	for i > 0 && p.Readings[i-1].At.After(r.At) {
		i--
	}
	if slices.ContainsFunc(p.Readings, func(have Reading) bool { return have.At.Equal(r.At) && have.Pages == r.Pages }) {
		return p.Readings
	}
	return slices.Insert(slices.Clone(p.Readings), i, r)
}

// LastReading is the newest reading; ok when there is one.
func (p Product) LastReading() (r Reading, ok bool) {
	if n := len(p.Readings); n > 0 {
		return p.Readings[n-1], true
	}
	return Reading{}, false
}

// ProductKind says how a product is serviced.
type ProductKind string

// The kinds.
const (
	KindLaser  ProductKind = "laser"
	KindInkjet ProductKind = "inkjet"
	KindOther  ProductKind = "other"
)

// Reading is a meter reading that somebody reported; none is ever guessed.
type Reading struct {
	At    time.Time `json:"at"`
	Pages int       `json:"pages"`
	By    string    `json:"by"` // address, tel:…, "import", an agent
}

// Due is one thing that a schedule found to be due. The three of Schedule,
// Occurrence and Subject are unique for ever: it happens once.
type Due struct {
	ID         int64
	Brand      string
	Schedule   string   // "warranty_reminder"
	Occurrence string   // what it is about: the date "2026-12-01", or "10000" pages
	Subject    string   // "product:17:30"
	Person     int64    // who is told
	Product    int64    // 0 none
	Date       sla.Date // of the event: the last day of the warranty
	Days       int      // before Date; 0 after
	Pages      int      // since the last service, of a service
	Day        sla.Date // from which on the customer may be told, in the customer's zone
	Found      time.Time
	State      DueState
	Why        string    // of what was stopped or expired
	Next       time.Time // when a waiting one is looked at again
	Told       sla.Date  // day of its letter, in the customer's zone
	Letter     string    // key of its letter
}

// DueState says what became of something due.
type DueState string

// The states.
const (
	DueWaiting DueState = "waiting" // its customer is to be told
	DueSent    DueState = "sent"    // in Letter
	DueStopped DueState = "stopped" // by a preference or an answer
	DueExpired DueState = "expired" // too late to be told
)

// ReminderItem is one thing that a reminder letter says.
type ReminderItem struct {
	Schedule string   `json:"schedule"`
	Product  int64    `json:"product,omitempty"`
	Model    string   `json:"model,omitempty"`
	Serial   string   `json:"serial,omitempty"`
	Contract string   `json:"contract,omitempty"`
	Date     sla.Date `json:"date,omitzero"`
	Days     int      `json:"days,omitempty"`
	Pages    int      `json:"pages,omitempty"` // since the last service
	Link     string   `json:"link,omitempty"`  // to accept an offer
}

// ReminderRules say what is reminded of.
type ReminderRules struct {
	Schedules   []Schedule
	LaserPages  int    // between services; 0: 10,000
	InkjetPages int    // 0: 7,000
	Sales       string // queue of accepted offers, "" that of the mailbox
}

// Schedule is one reminder or report.
type Schedule struct {
	Key        string // "warranty_reminder", "weekly_report", …
	Cron       string // five fields, with "TZ=Zone " before them or not
	DaysBefore []int
	To         []string
	CatchUp    string // "latest", "all" or "none"
}

// Survey is one question to a customer, and the answer.
type Survey struct {
	ID       int64      `json:"id,omitempty"`
	Brand    string     `json:"brand,omitempty"`
	Ticket   int64      `json:"ticket,omitempty"`
	Person   int64      `json:"person,omitempty"`
	Agent    string     `json:"agent,omitempty"` // who resolved it
	Kind     SurveyKind `json:"kind"`
	Asked    time.Time  `json:"asked,omitzero"`
	Answered time.Time  `json:"answered,omitzero"`
	Score    int        `json:"score,omitempty"` // csat 1–5, ces 1–7, nps 0–10; counts when Answered is set
	Comment  string     `json:"comment,omitempty"`

	Address  string    `json:"address,omitempty"`  // that was asked, normal form; "" nobody yet
	Category string    `json:"category,omitempty"` // of the ticket, when it was asked
	Due      time.Time `json:"due,omitzero"`       // when the customer is to be asked; zero: it was seen to
	FollowUp time.Time `json:"follow_up,omitzero"` // when they are asked whether it still works; zero: never, or it was seen to
	Why      string    `json:"why,omitempty"`      // why they were not asked
}

// SurveyKind is the question asked.
type SurveyKind string

// The kinds.
const (
	SurveyCSAT SurveyKind = "csat" // customer satisfaction, 1 to 5
	SurveyCES  SurveyKind = "ces"  // customer effort, 1 to 7
	SurveyNPS  SurveyKind = "nps"  // net promoter, 0 to 10
)

// SurveyRules say when customers are asked.
type SurveyRules struct {
	Kinds    []SurveyKind       // asked in turn; none: nobody is asked
	After    time.Duration      // from the closure
	Window   time.Duration      // never the same customer twice within it
	Low      map[SurveyKind]int // scores up to this alert the supervisor
	FollowUp time.Duration      // after the closure "does it still work?" is asked; 0 never
	Silence  bool               // also those who are silent about the resolution are asked
}

// PointEntry is one line of a customer's ledger of points.
type PointEntry struct {
	Brand  string
	Person int64
	Points int
	Why    string // "feedback", "referral", …
	Key    string // unique: given once
	At     time.Time
}

// Referral is one customer who came by another one's word.
type Referral struct {
	Person int64  // who came; of a new one, the store takes the requester of Ticket
	By     int64  // whose word it was
	Ticket int64  // they came with; 0: the first of Change.Tickets
	Code   string // that was given
	State  string // "open" until Ticket is resolved, then "accepted" or "refused"
}

// ReferralCode is the word by which a customer recommends us.
type ReferralCode struct {
	Person int64
	Code   string // "KAYA-7Q2F"
}

// RewardRules say what feedback and referrals earn.
type RewardRules struct {
	Feedback int // points for an answered survey
	Referral int // points for a new customer who came by one's code
	Levels   []Level
}

// Level is reached with Points.
type Level struct {
	Key, Title, Reward string
	Points             int
}

// Article is an entry of the knowledge base.
type Article struct {
	ID      string  `json:"id"`
	Title   string  `json:"title"`
	Summary string  `json:"summary,omitempty"`
	Link    string  `json:"link,omitempty"`
	Body    string  `json:"-"` // as text
	Score   float64 `json:"score,omitempty"`

	Internal bool     `json:"internal,omitempty"` // for agents alone
	Brands   []string `json:"brands,omitempty"`   // whose customers it is for; nil all
}

// Return is goods that a customer sends back (row D6).
type Return struct {
	Number  string       `json:"number"` // "RMA-1234"
	Product string       `json:"product,omitempty"`
	Serial  string       `json:"serial,omitempty"`
	Status  ReturnStatus `json:"status"`
	Until   sla.Date     `json:"until,omitzero"` // last day on which it may be sent
	Address string       `json:"address,omitempty"`
	Note    string       `json:"note,omitempty"`
	At      time.Time    `json:"at,omitzero"` // of Status
}

// ReturnStatus is how far a return is.
type ReturnStatus string

// The steps.
const (
	ReturnOpen      ReturnStatus = "open" // waits for the goods
	ReturnReceived  ReturnStatus = "received"
	ReturnInspected ReturnStatus = "inspected"
	ReturnReplaced  ReturnStatus = "replaced"
	ReturnRefunded  ReturnStatus = "refunded"
	ReturnRefused   ReturnStatus = "refused"
)

// ReturnRules say what may go back, where and how long.
type ReturnRules struct {
	Days     int               // after the purchase; 0: returns are not offered
	SendDays int               // to send it after the return was opened
	Address  map[string]string // by brand
}

// PasscodeRules say when a customer has to prove who he is.
type PasscodeRules struct {
	Categories []string // requests of these, from an address that is not proven, get a passcode first
	Valid      time.Duration
	Tries      int
}
