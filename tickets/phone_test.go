package tickets

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/sla"
)

// The telephone of the desk in these tests, and who calls.
const (
	ours    = "+4930100"   // takes calls, texts and WhatsApp
	deaf    = "+4930200"   // takes calls alone
	marias  = "+491701111" // on Maria's profile
	unknown = "+491702222" // on nobody's
	shared  = "+491703333" // on two profiles
)

var (
	maria = Person{ID: 7, Brand: "baleyo", Name: "Maria Lopez", Org: "Lopez KG", Addresses: []string{"maria@example.org"}, Phones: []string{marias, shared}}
	pablo = Person{ID: 8, Brand: "baleyo", Name: "Pablo Lopez", Addresses: []string{"pablo@example.org"}, Phones: []string{shared}}
)

func phoneRules() Rules {
	r := rulesForTest()
	b := r.Brands["baleyo"]
	b.Phones = []Phone{{Number: ours, Queue: "support", Mailbox: "support@baleyo.test", Texts: true, WhatsApp: true}, {Number: deaf, Queue: "sales", Mailbox: "support@baleyo.test"}}
	r.Brands["baleyo"] = b
	for address, number := range map[string]string{asha.Address: "+491709001", bikram.Address: "+491709002"} {
		a := r.Agents[address]
		a.Phone = number
		r.Agents[address] = a
	}
	r.Texting = Texting{Segments: 4, Join: 72 * time.Hour, Missed: time.Hour, RingAgain: 2, RingFor: time.Minute, Template: true}
	return r
}

// desk is a desk in memory: what the store keeps of decisions, as far as the
// telephone needs it.
type desk struct {
	rules    Rules
	now      time.Time
	tickets  map[int64]*Ticket
	messages []Message
	contacts map[int64]string // ledger row → contact
	letters  []Letter
	reports  map[int64]string
	stopped  map[LineConsent]bool
	alarms   []Alarm
	events   []Event
	people   []Person
	row      int64
}

func newDesk() *desk {
	return &desk{rules: phoneRules(), now: noon, tickets: map[int64]*Ticket{}, contacts: map[int64]string{}, reports: map[int64]string{},
		stopped: map[LineConsent]bool{}, people: []Person{maria, pablo}, row: 500}
}

// receive decides about a contact and saves the decision.
func (s *desk) receive(in Inbound) Change {
	s.row++
	in.Ledger, in.Received, in.Brand = s.row, s.now, "baleyo"
	keys := in.Keys(s.rules)
	s.contacts[in.Ledger] = keys.Contact
	c := Receive(s.find(keys), in, s.rules, s.now)
	s.save(c, in.Ledger)
	return c
}

func (s *desk) find(k Keys) Found {
	f := foundWith()
	f.History = nil
	for id, t := range s.tickets {
		f.Tickets[id] = s.loaded(t)
		if p, ok := t.Participant(k.Sender); ok && p.Role != PartyRemoved && t.Line == k.Line && k.Number != "" {
			f.Texts = append(f.Texts, id)
		}
	}
	slices.Sort(f.Texts)
	slices.Reverse(f.Texts)
	for i, p := range s.people {
		if k.Number != "" && slices.Contains(p.Phones, k.Number) {
			f.Callers = append(f.Callers, p)
			f.Person = &s.people[i]
		}
	}
	if len(f.Callers) > 1 {
		f.Person = nil
	}
	for _, m := range s.messages {
		if k.Contact != "" && s.contacts[m.Ledger] == k.Contact {
			f.Contact = append(f.Contact, m)
		}
		if m.Ticket == k.History {
			f.History = append(f.History, m)
		}
	}
	f.Stopped = s.stopped[LineConsent{k.Sender, k.Line}]
	for i := range s.letters {
		l := s.letters[i]
		sent := SentLetter{ID: l.ID, Ticket: l.Ticket, Kind: l.Kind, To: l.To.Address, State: "sent", Report: s.reports[l.ID], Agent: l.Agent, Data: l.Data}
		if l.ID == k.Letter {
			f.Letter = &sent
			k.History = max(k.History, l.Ticket)
		}
		if l.Kind == LetterRing || l.Kind == LetterRingText {
			f.Rings = append(f.Rings, sent)
		}
	}
	for i := range s.alarms {
		if a := s.alarms[i]; a.State == AlarmRinging && a.Ticket == k.History {
			f.Alarm = &a
		}
	}
	f.Log = map[int64][]sla.Event{}
	return f
}

// loaded is a ticket with what the store adds to it.
func (s *desk) loaded(t *Ticket) *Ticket {
	c := *t
	for _, p := range c.Participants {
		if s.stopped[LineConsent{p.Address.Address, c.Line}] {
			c.Stopped = append(c.Stopped, p.Address.Address)
		}
	}
	for _, p := range s.people {
		if p.ID == t.Requester {
			c.Profile = Profile{Name: p.Name, Address: p.Addresses[0], Org: p.Org}
			if len(p.Phones) > 0 {
				c.Profile.Phone = p.Phones[0]
			}
		}
	}
	return &c
}

func (s *desk) save(c Change, ledger int64) {
	if !c.Defer.IsZero() {
		return
	}
	for i := range c.Tickets {
		tc := &c.Tickets[i]
		t := tc.Ticket
		t.Participants = slices.Clone(t.Participants)
		if t.ID == 0 {
			t.ID = 1000 + int64(len(s.tickets))
		}
		for j := range t.Participants {
			if p := &t.Participants[j]; p.Person == 0 {
				p.Person = 9000
			}
			if t.Requester == 0 && t.Participants[j].Role == PartyRequester {
				t.Requester = t.Participants[j].Person
			}
		}
		s.tickets[t.ID] = &t
		for _, m := range tc.Messages {
			m.ID, m.Ticket, m.Ledger = int64(len(s.messages)+1), t.ID, ledger
			s.messages = append(s.messages, m)
		}
		for _, e := range tc.Events {
			e.Ticket = t.ID
			s.events = append(s.events, e)
		}
		for _, l := range tc.Letters {
			s.post(l, t.ID)
		}
	}
	for _, l := range c.Letters {
		s.post(l, 0)
	}
	for _, b := range c.Bounces {
		s.reports[b.Letter] = b.State
	}
	for _, x := range c.Stop {
		s.stopped[x] = true
	}
	for _, x := range c.Start {
		delete(s.stopped, x)
	}
	for _, a := range c.Alarms {
		if a.Ticket == 0 {
			a.Ticket = 1000 + int64(len(s.tickets)) - 1
		}
		if a.ID == 0 {
			a.ID = int64(len(s.alarms) + 1)
			s.alarms = append(s.alarms, a)
		} else {
			s.alarms[a.ID-1] = a
		}
	}
}

func (s *desk) post(l Letter, ticket int64) {
	if slices.ContainsFunc(s.letters, func(x Letter) bool { return x.Key == l.Key }) {
		return
	}
	l.ID, l.Ticket = int64(len(s.letters)+1), ticket
	s.letters = append(s.letters, l)
}

// only is the one ticket there is.
func (s *desk) only(t *testing.T) *Ticket {
	t.Helper()
	if len(s.tickets) != 1 {
		t.Fatalf("got %d tickets, want one", len(s.tickets))
	}
	return s.tickets[1000]
}

func (s *desk) log() string {
	var out []string
	for _, e := range s.events {
		out = append(out, e.What+" "+e.Detail)
	}
	return strings.Join(out, "\n")
}

// sms is a text from a number.
func sms(from, words string, change ...func(*Inbound)) Inbound {
	in := Inbound{Channel: ChannelSMS, Reply: words, Text: words, Content: [32]byte{3},
		Phone: &PhoneContact{Line: TelAddress(ours), Number: from, Kind: "number", Text: &Text{Sid: "SM" + words}}}
	for _, f := range change {
		f(&in)
	}
	return in
}

func whatsApp(from, words string) Inbound {
	return sms(from, words, func(in *Inbound) { in.Channel, in.Phone.Line = ChannelWhatsApp, WhatsAppAddress(ours) })
}

func consent(c Consent) func(*Inbound) { return func(in *Inbound) { in.Phone.Text.Consent = c } }

// call is a row of a call that is over.
func call(from string, change ...func(*Call)) Inbound {
	c := &Call{Sid: "CA1", Began: noon.Add(-time.Minute), Ended: noon}
	for _, f := range change {
		f(c)
	}
	kind := "number"
	if from == "" {
		kind = "withheld"
	}
	return Inbound{Channel: ChannelVoice, Phone: &PhoneContact{Line: TelAddress(ours), Number: from, Kind: kind, Call: c}}
}

func recording(ledger int64) Attachment {
	return Attachment{Filename: fmt.Sprintf("voicemail-%d.mp3", ledger), ContentType: "audio/mpeg", Size: 1000, Part: WholeRow, Ledger: ledger}
}

func voicemail(c *Call) { c.Voicemail, c.Recordings = true, []Attachment{recording(900)} }

// answerOn is a proven answer of an agent on a ticket.
func (s *desk) answerOn(t *Ticket, a Agent, commands []string, text string, change ...func(*Inbound)) Inbound {
	relay := Keyring{Current: secret}.RelayAddress("support@baleyo.test", "+", Relay{t.ID, a.ID, RelayAgent, s.tickets[t.ID].Version})
	return fromAgent(a, 0, commands, text, append([]func(*Inbound){func(in *Inbound) {
		in.To, in.Recipients = []Address{{Address: relay}}, []string{relay}
	}}, change...)...)
}

func known1(t *testing.T, c Change, kind LetterKind) string {
	t.Helper()
	return strings.Join(letter(t, c, kind).Data.Known, "\n")
}

func contains(t *testing.T, what, got, part string) {
	t.Helper()
	if !strings.Contains(got, part) {
		t.Errorf("%s: got %q, want %q in it", what, got, part)
	}
}

func lacks(t *testing.T, what, got, part string) {
	t.Helper()
	if strings.Contains(got, part) {
		t.Errorf("%s: got %q, want it without %q", what, got, part)
	}
}

// TestWhoCalls: a number is matched by profile, several profiles are only
// listed, and what is no number is nobody.
func TestWhoCalls(t *testing.T) {
	t.Parallel()
	t.Run("one profile", func(t *testing.T) {
		t.Parallel()
		c := newDesk().receive(sms(marias, "My printer is offline."))
		p := c.Tickets[0].Ticket.Participants[0]
		want(t, "person", p.Person, maria.ID)
		want(t, "name", p.Address.Name, "Maria Lopez")
		want(t, "address", p.Address.Address, "tel:"+marias)
		contains(t, "known", known1(t, c, LetterNewTicket), "profile: Maria Lopez <maria@example.org>, Lopez KG")
		l := letter(t, c, LetterAcknowledgement)
		want(t, "what the text says of the profile", l.To.Name+l.Subject+l.Data.Summary, "")
		want(t, "line", l.Mailbox, "tel:"+ours)
	})
	t.Run("two profiles", func(t *testing.T) {
		t.Parallel()
		c := newDesk().receive(sms(shared, "My printer is offline."))
		want(t, "person", c.Tickets[0].Ticket.Participants[0].Person, int64(0))
		want(t, "name", c.Tickets[0].Ticket.Participants[0].Address.Name, "")
		k := known1(t, c, LetterNewTicket)
		contains(t, "known", k, "may be: Maria Lopez <maria@example.org>")
		contains(t, "known", k, "may be: Pablo Lopez <pablo@example.org>")
	})
	t.Run("no profile", func(t *testing.T) {
		t.Parallel()
		c := newDesk().receive(sms(unknown, "My printer is offline."))
		want(t, "letters", letters(c), "acknowledgement→tel:+491702222 agent-new→asha@baleyo.test agent-new→bikram@baleyo.test")
		want(t, "from", letter(t, c, LetterNewTicket).Data.From, unknown)
	})
	for _, kind := range []string{"withheld", "shortcode", "sip", "client", "name"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			in := call("", voicemail)
			in.Phone.Kind, in.Phone.Number = kind, "+266696687"
			c := newDesk().receive(in)
			want(t, "participants", len(c.Tickets[0].Ticket.Participants), 0)
			lacks(t, "letters", letters(c), "tel:")
			want(t, "from", letter(t, c, LetterNewTicket).Data.From, "withheld number")
			contains(t, "known", known1(t, c, LetterNewTicket), "number: ")
		})
	}
	t.Run("a network's name is no name", func(t *testing.T) {
		t.Parallel()
		in := call(unknown)
		in.From.Name, in.Phone.Caller = "The Bank", "The Bank"
		c := newDesk().receive(in)
		want(t, "subject", c.Tickets[0].Ticket.Subject, "Missed call from "+unknown)
		contains(t, "known", known1(t, c, LetterNewTicket), "caller: gives the name The Bank, which proves nothing")
	})
}

// TestNeverTexted: whom the desk itself must not text.
func TestNeverTexted(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		in     Inbound
		change func(*desk)
	}{
		{"the telephone of an agent", call("+491709001"), nil},
		{"withheld", call(""), nil},
		{"opted out", call(unknown), func(s *desk) { s.stopped[LineConsent{"tel:" + unknown, "tel:" + ours}] = true }},
		{"no line that sends texts", call(unknown), func(s *desk) {
			b := s.rules.Brands["baleyo"]
			b.Phones = []Phone{{Number: ours}}
			s.rules.Brands["baleyo"] = b
		}},
		{"a call of the day before yesterday", call(unknown, func(*Call) {}), func(s *desk) { s.rules.Ack.MaxAge = -1 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newDesk()
			if tc.change != nil {
				tc.change(s)
			}
			if s.rules.Ack.MaxAge < 0 {
				s.rules.Ack.MaxAge = 24 * time.Hour
				in := tc.in
				in.Ledger, in.Brand, in.Received = 1, "baleyo", noon.Add(-48*time.Hour)
				c := Receive(s.find(in.Keys(s.rules)), in, s.rules, noon)
				want(t, "letters", letters(c), "agent-new→asha@baleyo.test agent-new→bikram@baleyo.test")
				return
			}
			c := s.receive(tc.in)
			want(t, "letters", letters(c), "agent-new→asha@baleyo.test agent-new→bikram@baleyo.test")
			contains(t, "log", s.log(), "no letter")
		})
	}
	t.Run("landline", func(t *testing.T) {
		t.Parallel()
		s := newDesk()
		in := call(unknown)
		in.Ledger, in.Brand, in.Received = 1, "baleyo", noon
		f := s.find(in.Keys(s.rules))
		f.Suppressed = true
		lacks(t, "letters", letters(Receive(f, in, s.rules, noon)), "missed-call")
	})
	t.Run("our own line", func(t *testing.T) {
		t.Parallel()
		c := newDesk().receive(sms(deaf, "hello"))
		want(t, "reason", string(c.Disposition)+" "+c.Reason, "quarantined loop")
		c = newDesk().receive(call(ours))
		want(t, "reason", string(c.Disposition)+" "+c.Reason, "recorded loop")
	})
}

// TestKeysOfTheTelephone: what is looked up.
func TestKeysOfTheTelephone(t *testing.T) {
	t.Parallel()
	rules := phoneRules()
	in := call(unknown, func(c *Call) { c.Want, c.Ref = WantTicket, "0042" })
	in.Brand, in.Phone.Line = "baleyo", TelAddress(deaf)
	k := in.Keys(rules)
	want(t, "number", k.Number, unknown)
	want(t, "sender", k.Sender, "tel:"+unknown)
	want(t, "line: texts go on where texts are taken", k.Line, "tel:"+ours)
	want(t, "contact", k.Contact, "call:CA1")
	want(t, "tickets", fmt.Sprint(k.Tickets), "[42]")
	in = sms(unknown, "about #42 and [Baleyo #43], not [Zephyr #44] or room#45")
	in.Brand = "baleyo"
	k = in.Keys(rules)
	want(t, "tickets", fmt.Sprint(k.Tickets), "[43 42]")
	want(t, "content is no key", k.Content, [32]byte{})
	in = call("")
	in.Brand = "baleyo"
	want(t, "nobody", in.Keys(rules).Sender, "")
}
