package main

import (
	"encoding/hex"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// The forms in which "tickets --json" prints records. Their keys are a
// contract; the domain's own structs may change.

type ticketJSON struct {
	ID           int64             `json:"id"`
	Brand        string            `json:"brand"`
	Mailbox      string            `json:"mailbox"`
	Queue        string            `json:"queue"`
	Channel      tickets.Channel   `json:"channel"`
	Status       tickets.Status    `json:"status"`
	Subject      string            `json:"subject"`
	Language     string            `json:"language"`
	Requester    tickets.Address   `json:"requester"`
	Participants []participantJSON `json:"participants"`
	Assignee     string            `json:"assignee"`
	Severity     string            `json:"severity"`
	Category     string            `json:"category"`
	Impact       int               `json:"impact"`
	Urgency      int               `json:"urgency"`
	Tags         []string          `json:"tags"`
	Facts        map[string]string `json:"facts"`
	Links        []linkJSON        `json:"links"`
	MergedInto   int64             `json:"merged_into,omitempty"`
	Opened       string            `json:"opened"`
	Updated      string            `json:"updated"`
	Answered     string            `json:"answered"`
	Resolved     string            `json:"resolved"`
	Closed       string            `json:"closed"`
	PendingUntil string            `json:"pending_until"`
	Due          string            `json:"due"`
	WorkedMin    int               `json:"worked_minutes"`
	Acked        string            `json:"acknowledged,omitempty"` // that somebody has it in hand: a key, #ack
	AckedBy      string            `json:"acknowledged_by,omitempty"`
	Line         string            `json:"line,omitempty"` // our number that it is about
	Tier         int               `json:"tier"`           // 0 the first
	Incident     int64             `json:"incident,omitempty"`
	NextDue      string            `json:"next_due"` // of its clocks
	Clocks       []clockJSON       `json:"clocks,omitempty"`
	AssignedWhy  string            `json:"assigned_why,omitempty"`
	Unassigned   string            `json:"unassigned_why,omitempty"`
	Asked        []string          `json:"asked,omitempty"` // facts that the customer was asked for
	Guess        *tickets.Guess    `json:"guess,omitempty"`

	updated time.Time
}

type participantJSON struct {
	Person  int64             `json:"person"`
	Address string            `json:"address"`
	Name    string            `json:"name"`
	Role    tickets.PartyRole `json:"role"`
}

// clockJSON is one clock as of the desk's last look; sla explain computes it anew.
type clockJSON struct {
	Clock    string `json:"clock"`
	State    string `json:"state"`
	Promise  string `json:"promise"`
	Due      string `json:"due"`
	Breached string `json:"breached"`
}

type linkJSON struct {
	Kind string `json:"kind"`
	To   int64  `json:"to"`
}

func ticketToJSON(t *tickets.Ticket) ticketJSON {
	j := ticketJSON{
		ID: t.ID, Brand: t.Brand, Mailbox: t.Mailbox, Queue: t.Queue, Channel: t.Channel, Status: t.Status,
		Subject: t.Subject, Language: t.Language, Requester: requesterOf(t), Participants: []participantJSON{},
		Assignee: t.Assignee, Severity: t.Severity, Category: t.Category, Impact: t.Impact, Urgency: t.Urgency,
		Tags: list(t.Tags), Facts: t.Facts, Links: []linkJSON{}, MergedInto: t.MergedInto,
		Opened: stamp(t.Opened), Updated: stamp(t.Updated), Answered: stamp(t.Answered), Resolved: stamp(t.Resolved),
		Closed: stamp(t.Closed), PendingUntil: stamp(t.PendingUntil), Due: stamp(t.Due), WorkedMin: t.WorkedMin, updated: t.Updated,
		Acked: stamp(t.Promises.Acknowledged), AckedBy: t.Promises.AckedBy,
	}
	j.Line, j.Tier, j.Incident, j.NextDue, j.Guess = t.Line, t.Tier, t.Incident, stamp(t.Promises.NextDue()), t.Guess
	j.AssignedWhy, j.Unassigned, j.Asked = t.Promises.Assigned, t.Promises.Unassigned, t.Promises.Asked
	for _, v := range t.Promises.Clocks {
		if v.Within != "" {
			j.Clocks = append(j.Clocks, clockJSON{string(v.Clock), string(v.State), v.Within, stamp(v.Due), stamp(v.Breached)})
		}
	}
	if j.Facts == nil {
		j.Facts = map[string]string{}
	}
	for _, p := range t.Participants {
		j.Participants = append(j.Participants, participantJSON{p.Person, p.Address.Address, p.Address.Name, p.Role})
	}
	for _, l := range t.Links {
		j.Links = append(j.Links, linkJSON{l.Kind, l.To})
	}
	return j
}

// requesterOf is who has the problem.
func requesterOf(t *tickets.Ticket) tickets.Address {
	for _, p := range t.Participants {
		if p.Role == tickets.PartyRequester {
			return p.Address
		}
	}
	return tickets.Address{}
}

type messageJSON struct {
	ID          int64             `json:"id"`
	Seq         int               `json:"seq"`
	Direction   tickets.Direction `json:"direction"`
	Channel     tickets.Channel   `json:"channel"`
	Kind        tickets.Kind      `json:"kind"`
	Author      authorJSON        `json:"author"`
	MessageID   string            `json:"message_id"`
	InReplyTo   []string          `json:"in_reply_to"`
	Subject     string            `json:"subject"`
	Text        string            `json:"text"`
	Attachments []fileJSON        `json:"attachments"`
	Received    string            `json:"received"`
	Date        string            `json:"date"`
	Flags       []string          `json:"flags"`
	Ledger      int64             `json:"ledger"`
	Raw         string            `json:"raw,omitempty"` // with --raw: the mail as it came, invalid bytes replaced
}

type authorJSON struct {
	Kind    tickets.AuthorKind `json:"kind"`
	Address string             `json:"address"`
	Name    string             `json:"name"`
}

type fileJSON struct {
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	Size        int    `json:"size"`
	SHA256      string `json:"sha256"`
	Inline      bool   `json:"inline"`
	Refused     string `json:"refused,omitempty"`
}

func messageToJSON(m *tickets.Message) messageJSON {
	j := messageJSON{
		ID: m.ID, Seq: m.Seq, Direction: m.Direction, Channel: m.Channel, Kind: m.Kind,
		Author:    authorJSON{m.Author.Kind, m.Author.Address.Address, m.Author.Address.Name},
		MessageID: m.MessageID, InReplyTo: list(m.InReplyTo), Subject: m.Subject, Text: m.Text, Attachments: []fileJSON{},
		Received: stamp(m.At), Date: stamp(m.Date), Flags: list(m.Flags), Ledger: m.Ledger,
	}
	for _, a := range m.Attachments {
		j.Attachments = append(j.Attachments, fileJSON{a.Filename, a.ContentType, a.Size, hex.EncodeToString(a.SHA256[:]), a.Inline, a.Refused})
	}
	return j
}

type eventJSON struct {
	ID      int64  `json:"id"`
	At      string `json:"at"`
	Who     string `json:"who"`
	What    string `json:"what"`
	Detail  string `json:"detail"`
	Outcome string `json:"outcome,omitempty"`
}

func eventToJSON(e tickets.Event) eventJSON {
	return eventJSON{e.ID, stamp(e.At), e.Who, e.What, e.Detail, e.Outcome}
}

// wholeTicket is what "tickets show --json" prints.
type wholeTicket struct {
	ticketJSON
	Messages []messageJSON      `json:"messages"`
	Events   []eventJSON        `json:"events"`
	Letters  []store.LetterInfo `json:"letters"`
	Survey   *surveyJSON        `json:"survey,omitempty"`
}
