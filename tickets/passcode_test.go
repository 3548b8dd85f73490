package tickets

import (
	"strings"
	"testing"
	"time"
)

func guardedRules() Rules {
	r := rulesForTest()
	r.Passcodes = PasscodeRules{Categories: []string{"billing"}, Valid: time.Hour, Tries: 3}
	return r
}

func billing(in *Inbound) {
	in.Subject, in.SubjectCore = "Invoice", "Invoice"
	in.Text, in.Reply = "My invoice is wrong.", "My invoice is wrong."
}

func isProven(in *Inbound) { in.Auth = Auth{Pass: true, Method: "dkim"} }

// lettersOf are the letters of a kind that a change writes.
func lettersOf(c Change, kind LetterKind) (out []Letter) {
	for _, tc := range c.Tickets {
		for _, l := range tc.Letters {
			if l.Kind == kind {
				out = append(out, l)
			}
		}
	}
	return out
}

func knows(c Change, line string) bool {
	for _, l := range append(lettersOf(c, LetterNewTicket), lettersOf(c, LetterMessage)...) {
		for _, k := range l.Data.Known {
			if strings.Contains(k, line) {
				return true
			}
		}
	}
	return false
}

// Who asks about what is the customer's alone gets a code unless the mail is
// proven; agents see how it stands.
func TestWhoIsAskedForAPasscode(t *testing.T) {
	t.Parallel()
	warranty := func(in *Inbound) { in.Reply = "Is my printer still under warranty?" }
	off := func(r *Rules) { r.Passcodes.Categories = nil }
	for _, c := range []struct {
		name     string
		mail     []func(*Inbound)
		rules    func(*Rules)
		code     bool
		identity string
		line     string
	}{
		{"an unproven mail about an account", []func(*Inbound){billing}, nil, true, "", "not proven; do not disclose"},
		{"a proven mail about an account", []func(*Inbound){billing, isProven}, nil, false, "mail", "proven by mail"},
		{"an unproven mail about something else", nil, nil, false, "", ""},
		{"a proven mail about something else", []func(*Inbound){isProven}, nil, false, "mail", ""},
		{"an unproven question about a warranty", []func(*Inbound){warranty}, nil, true, "", "not proven"},
		{"an address that is trusted and not proven", []func(*Inbound){billing, func(in *Inbound) { in.Auth = Auth{Pass: true, Method: "address-only"} }}, nil, true, "", "not proven"},
		{"a machine", []func(*Inbound){billing, func(in *Inbound) { in.Kind = KindAutoReply }}, nil, false, "", "not proven"},
		{"nobody is asked", []func(*Inbound){billing}, off, false, "", ""},
	} {
		rules := guardedRules()
		if c.rules != nil {
			c.rules(&rules)
		}
		got := Receive(Found{}, mail(c.mail...), rules, noon)
		codes := lettersOf(got, LetterPasscode)
		if len(codes) > 0 != c.code || len(got.Passcodes) > 0 != c.code {
			t.Errorf("%s: %d codes", c.name, len(codes))
		}
		for _, l := range codes {
			if l.To.Address != "maria@example.org" || len(l.Data.Code) != 6 || l.Subject != "" || got.Passcodes[0].Hash == l.Data.Code {
				t.Errorf("%s: %+v", c.name, l)
			}
		}
		if len(got.Tickets) == 1 && got.Tickets[0].Ticket.Identity != c.identity {
			t.Errorf("%s: identity %q", c.name, got.Tickets[0].Ticket.Identity)
		}
		if c.line != "" && !knows(got, c.line) || c.line == "" && knows(got, "identity:") {
			t.Errorf("%s: agents see %v", c.name, lettersOf(got, LetterNewTicket)[0].Data.Known)
		}
	}
}

// A right answer proves; wrong ones count until a new code is needed; a code is
// good for its time alone.
func TestPasscodeIsAnswered(t *testing.T) {
	t.Parallel()
	rules := guardedRules()
	asked := Receive(Found{}, mail(billing), rules, noon)
	code, p := lettersOf(asked, LetterPasscode)[0].Data.Code, asked.Passcodes[0]
	p.Ticket = 42
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	for _, c := range []struct {
		name, reply string
		pass        Passcode
		after       time.Duration
		from        string
		identity    string
		tries       int
		again       bool // another code is sent
	}{
		{"the code", code, p, time.Minute, "", "passcode", 0, false},
		{"in a sentence", "Here it is: " + code[:3] + " " + code[3:] + ".", p, time.Minute, "", "passcode", 0, false},
		{"a wrong one", wrong, p, time.Minute, "", "", 1, false},
		{"no code", "When will you answer?", p, time.Minute, "", "", 0, false},
		{"a longer number", "My order is " + code + "7", p, time.Minute, "", "", 0, false},
		{"the last wrong one", wrong, tried(p, 2), time.Minute, "", "", 0, true},
		{"right but too late", code, p, time.Hour, "", "", 0, true},
		{"right after too many", code, tried(p, 3), time.Minute, "", "", 0, true},
		{"too many codes", wrong, counted(tried(p, 2), mostPasscodes), time.Minute, "", "", 3, false},
		{"somebody who only follows", code, p, time.Minute, "eve@example.org", "", 0, false},
	} {
		found := Found{Tickets: map[int64]*Ticket{42: stored(func(t *Ticket) {
			t.Category = "billing"
			t.Participants = append(t.Participants, Participant{8, Address{"", "eve@example.org"}, PartyFollower})
		})}, Passcodes: map[int64]Passcode{42: c.pass}, BySubject: []int64{42}, History: history()}
		got := Receive(found, mail(func(in *Inbound) {
			in.Subject, in.SubjectCore, in.ReplyPrefix = "Re: [Baleyo #42] Printer is offline", "Printer is offline", true
			in.MessageID, in.Ledger, in.Reply, in.Text, in.Content = "again@example.org", 502, c.reply, c.reply, [32]byte{2}
			if c.from != "" {
				in.From.Address = c.from
			}
		}), rules, noon.Add(c.after))
		if len(got.Tickets) != 1 || got.Tickets[0].Ticket.ID != 42 {
			t.Errorf("%s: %+v", c.name, got)
			continue
		}
		last := c.pass
		for _, s := range got.Passcodes {
			last = s
		}
		if tc := got.Tickets[0]; tc.Ticket.Identity != c.identity || last.Tries != c.tries || (len(lettersOf(got, LetterPasscode)) > 0) != c.again {
			t.Errorf("%s: identity %q, tries %d, letters %d", c.name, tc.Ticket.Identity, last.Tries, len(lettersOf(got, LetterPasscode)))
		}
		if len(lettersOf(got, LetterMessage)) == 0 {
			t.Errorf("%s: agents were not told", c.name)
		}
		if c.identity != "" && !knows(got, "proven by passcode") {
			t.Errorf("%s: agents do not see it", c.name)
		}
	}
}

func tried(p Passcode, n int) Passcode   { p.Tries = n; return p }
func counted(p Passcode, n int) Passcode { p.Count = n; return p }

// A code that is typed on the ticket's page proves, too, when it is typed by whom
// it was sent to.
func TestPasscodeOnThePage(t *testing.T) {
	t.Parallel()
	rules := guardedRules()
	asked := Receive(Found{}, mail(billing), rules, noon)
	code, p := lettersOf(asked, LetterPasscode)[0].Data.Code, asked.Passcodes[0]
	p.Ticket = 42
	for who, want := range map[string]string{"maria@example.org": IdentityPasscode, "eve@example.org": ""} {
		found := Found{Tickets: map[int64]*Ticket{42: stored(func(t *Ticket) {
			t.Category = "billing"
			t.Participants = append(t.Participants, Participant{8, Address{"", "eve@example.org"}, PartyFollower})
		})}, Passcodes: map[int64]Passcode{42: p}}
		in := Inbound{Ledger: 502, Channel: ChannelWeb, Brand: "baleyo", Mailbox: "support@baleyo.test", Received: noon, From: Address{Address: who},
			Button: &Button{Ticket: 42, Person: 7, Address: who, Action: "add", Text: "Code: " + code}}
		got := Receive(found, in, rules, noon.Add(time.Minute))
		if len(got.Tickets) != 1 || got.Tickets[0].Ticket.Identity != want {
			t.Errorf("%s: %+v", who, got.Tickets)
		}
	}
}

// A tombstone tells nothing without the key, and differs by kind.
func TestMarks(t *testing.T) {
	t.Parallel()
	ring := Keyring{Current: secret}
	other := Keyring{Current: Key{ID: 'k', Secret: []byte("another secret of at least 32 bytes")}}
	a := ring.Mark(MarkAddress, "maria@example.org")
	if a == "" || a == other.Mark(MarkAddress, "maria@example.org") || a == ring.Mark(MarkMail, "maria@example.org") || strings.Contains(a, "maria") {
		t.Error(a)
	}
	rotated := Keyring{Current: Key{ID: 'z', Secret: other.Current.Secret}, Old: []Key{secret}}
	if m := rotated.Marks(MarkAddress, "maria@example.org"); len(m) != 2 || m[1] != a {
		t.Error(m)
	}
}
