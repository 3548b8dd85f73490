package tickets

import (
	"strings"
	"testing"
	"time"
)

// The desk that these tests work at: two brands, three agents.
var (
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) // a Monday

	asha    = Agent{ID: 11, Name: "Asha", Address: "asha@baleyo.test", Role: RoleAgent}
	bikram  = Agent{ID: 12, Name: "Bikram", Address: "bikram@baleyo.test", Role: RoleAgent}
	chandra = Agent{ID: 13, Name: "Chandra", Address: "chandra@baleyo.test", Role: RoleSupervisor}

	secret = Key{ID: 'k', Secret: []byte("0123456789abcdef0123456789abcdef")}
)

func rulesForTest() Rules {
	return Rules{
		Keys: Keyring{Current: secret},
		Brands: map[string]Brand{
			"baleyo": {Key: "baleyo", Name: "Baleyo", Domain: "baleyo.test", Language: "en", Location: time.UTC,
				Mailboxes: []Mailbox{{"support@baleyo.test", "support", "+"}}},
			"zephyr": {Key: "zephyr", Name: "Zephyr", Domain: "zephyr.test", Language: "de", Location: time.UTC,
				Mailboxes: []Mailbox{{"hilfe@zephyr.test", "support", ""}}},
		},
		Agents:          map[string]Agent{asha.Address: asha, bikram.Address: bikram, chandra.Address: chandra},
		Queues:          map[string]Queue{"support": {Key: "support", Tiers: [][]string{{asha.Address, bikram.Address}, {chandra.Address}}}, "sales": {Key: "sales", Tiers: [][]string{{bikram.Address}}}},
		Categories:      map[string]Category{"technical": {Key: "technical", Title: "Technical Issues", RespondWithin: "2 business hours", Keywords: []string{"printer", "error"}}, "billing": {Key: "billing", Title: "Billing", RespondWithin: "4 business hours", Keywords: []string{"invoice"}}},
		Severities:      map[string]Severity{"high": {Key: "high", ResolveWithin: "48 hours"}, "low": {Key: "low", ResolveWithin: "5 working days"}},
		MessageSize:     25 << 20,
		AttachmentTypes: []string{"image/*", "application/pdf"},
		Respond:         "4 business hours",
		Resolve:         "72 hours",
		Ack:             AckLimits{SenderHour: 5, SenderDay: 20, Subject3h: 2, DomainHour: 100, GlobalHour: 1000, Ticket10min: 10, MaxAge: 24 * time.Hour},
		Closing:         Closing{3 * 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour},
	}
}

// mail is a customer's mail to Baleyo, altered by each of the functions.
func mail(change ...func(*Inbound)) Inbound {
	sender := "maria@example.org"
	in := Inbound{
		Ledger: 501, Channel: ChannelMail, Brand: "baleyo", Mailbox: "support@baleyo.test", Queue: "support", Received: noon,
		MessageID: "first@example.org", From: Address{"Maria Lopez", "maria@example.org"}, To: []Address{{Address: "support@baleyo.test"}},
		Sender: &sender, Recipients: []string{"support@baleyo.test"},
		Subject: "Printer is offline", SubjectCore: "Printer is offline", Date: noon, Kind: KindMessage,
		Text: "It will not print.", Reply: "It will not print.", Content: [32]byte{1}, Auth: Auth{Method: "none"},
	}
	for _, f := range change {
		f(&in)
	}
	return in
}

// stored is ticket 42 of Maria's, with two messages: hers, and Asha's answer.
func stored(change ...func(*Ticket)) *Ticket {
	t := &Ticket{
		ID: 42, Brand: "baleyo", Mailbox: "support@baleyo.test", Queue: "support", Channel: ChannelMail, Status: StatusOpen,
		Subject: "Printer is offline", SubjectCore: "Printer is offline", Language: "en", Requester: 7, Assignee: asha.Address,
		Participants: []Participant{{7, Address{"Maria Lopez", "maria@example.org"}, PartyRequester}},
		Version:      2, Opened: noon.Add(-time.Hour), Updated: noon.Add(-time.Minute), Answered: noon.Add(-time.Minute),
	}
	for _, f := range change {
		f(t)
	}
	return t
}

func history() []Message {
	return []Message{
		{ID: 1, Ticket: 42, Seq: 1, Version: 1, Ledger: 401, Direction: DirectionIn, Kind: KindMessage, Author: Author{AuthorCustomer, 7, Address{"Maria Lopez", "maria@example.org"}},
			MessageID: "first@example.org", Text: "It will not print.", Subject: "Printer is offline", At: noon.Add(-time.Hour)},
		{ID: 2, Ticket: 42, Seq: 2, Version: 2, Ledger: 402, Direction: DirectionOut, Kind: KindMessage, Author: Author{AuthorAgent, asha.ID, Address{"Asha", asha.Address}},
			MessageID: "a1@baleyo.test", Text: "Please switch it off and on.", At: noon.Add(-time.Minute)},
	}
}

func foundWith(list ...*Ticket) Found {
	f := Found{Tickets: map[int64]*Ticket{}, ByMessageID: map[string][]Hit{}, ByCited: map[string][]int64{}, Letters: map[string]*SentLetter{}}
	for _, t := range list {
		f.Tickets[t.ID] = t
	}
	f.History = history()
	return f
}

// fromAgent is a proven reply of an agent to the relay address of ticket 42.
func fromAgent(a Agent, version int, commands []string, text string, change ...func(*Inbound)) Inbound {
	relay := Keyring{Current: secret}.RelayAddress("support@baleyo.test", "+", Relay{42, a.ID, RelayAgent, version})
	return mail(append([]func(*Inbound){func(in *Inbound) {
		in.MessageID, in.Content = "agent@"+a.Name, [32]byte{9}
		in.From, in.Sender = Address{a.Name, a.Address}, &a.Address
		in.To, in.Recipients = []Address{{Address: relay}}, []string{relay}
		in.Subject, in.SubjectCore, in.ReplyPrefix = "Re: [Baleyo #42] Printer is offline", "Printer is offline", true
		in.Commands, in.Reply = commands, text
		in.Auth = Auth{Pass: true, Method: "dkim"}
	}}, change...)...)
}

// letters lists every letter of a change as "kind→address".
func letters(c Change) string {
	var out []string
	for _, tc := range c.Tickets {
		for _, l := range tc.Letters {
			out = append(out, string(l.Kind)+"→"+l.To.Address)
		}
	}
	for _, l := range c.Letters {
		out = append(out, string(l.Kind)+"→"+l.To.Address)
	}
	return strings.Join(out, " ")
}

func letter(t *testing.T, c Change, kind LetterKind) Letter {
	t.Helper()
	for _, tc := range c.Tickets {
		for _, l := range tc.Letters {
			if l.Kind == kind {
				return l
			}
		}
	}
	for _, l := range c.Letters {
		if l.Kind == kind {
			return l
		}
	}
	t.Fatalf("no letter %s among %q", kind, letters(c))
	return Letter{}
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// ruleOf is the rule whose verdict begins with "accepted".
func ruleOf(c Change) string {
	for _, s := range c.Trace {
		if strings.HasPrefix(s.Verdict, "accepted") {
			return s.Rule
		}
	}
	return "T8"
}
