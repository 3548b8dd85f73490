package tickets

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestFirstMailOpensATicket(t *testing.T) {
	t.Parallel()
	in := mail(func(in *Inbound) {
		in.Cc = []Address{{"", "boss@example.org"}, {"", "asha@baleyo.test"}, {"", "support+x@baleyo.test"}}
		in.Auth = Auth{Pass: true}
	})
	c := Receive(foundWith(), in, rulesForTest(), noon)
	want(t, "disposition", c.Disposition, DisposeMessage)
	want(t, "letters", letters(c), "acknowledgement→maria@example.org agent-new→asha@baleyo.test agent-new→bikram@baleyo.test")
	tc := c.Tickets[0]
	want(t, "status", tc.Ticket.Status, StatusNew)
	want(t, "category", tc.Ticket.Category, "technical")
	want(t, "participants", fmt.Sprint(tc.Ticket.Participants), "[{0 {Maria Lopez maria@example.org} requester} {0 { boss@example.org} proposed}]")
	ack := letter(t, c, LetterAcknowledgement)
	want(t, "null sender", ack.NullSender, true)
	want(t, "auto", ack.Auto, AutoReplied)
	want(t, "answers", ack.InReplyTo, "first@example.org")
	want(t, "respond", ack.Data.RespondWithin, "2 business hours")
	want(t, "resolve", ack.Data.ResolveWithin, "72 hours")
	want(t, "understood", ack.Data.Summary, "It will not print.")
	want(t, "proposed", strings.Join(letter(t, c, LetterNewTicket).Data.Proposed, " "), "boss@example.org")
}

// TestStrangerIsNotEchoed: D09, the words of an unproven sender never reach the
// address he gave.
func TestStrangerIsNotEchoed(t *testing.T) {
	t.Parallel()
	in := mail(func(in *Inbound) {
		in.Subject, in.SubjectCore, in.From.Name, in.Reply = "BUY NOW", "BUY NOW", "Click http://evil", "http://evil"
		in.Attachments = []Attachment{{Filename: "see http://www.evil.test/now.exe", ContentType: "application/x-msdownload"}}
	})
	ack := letter(t, Receive(foundWith(), in, rulesForTest(), noon), LetterAcknowledgement)
	if s := fmt.Sprintf("%q %q %q %+v", ack.Subject, ack.To.Name, ack.HeaderTo, ack.Data); strings.Contains(s, "evil.") || strings.Contains(s, "//") || strings.Contains(s, "BUY") {
		t.Errorf("the acknowledgement repeats a stranger: %s", s)
	}
	want(t, "the file is still told", ack.Data.Refused[0].Filename, "seehttpwww_evil_testnow.exe")
}

func TestAcknowledgementIsNotWritten(t *testing.T) {
	t.Parallel()
	other, null := "spammer@elsewhere.test", ""
	for name, tc := range map[string]struct {
		in    func(*Inbound)
		found func(*Found)
	}{
		"to a list":                      {func(in *Inbound) { in.Kind = KindBulk }, nil},
		"to a robot":                     {func(in *Inbound) { in.From.Address, in.Sender = "no-reply@example.org", nil }, nil},
		"with a null reverse-path":       {func(in *Inbound) { in.Sender = &null }, nil},
		"to a forged From":               {func(in *Inbound) { in.Sender = &other }, nil},
		"for mail of the day before":     {func(in *Inbound) { in.Received = noon.Add(-25 * time.Hour) }, nil},
		"to an address that bounced":     {nil, func(f *Found) { f.Suppressed = true }},
		"for the sixth in an hour":       {nil, func(f *Found) { f.Acks.SenderHour = 5 }},
		"for the twenty-first in a day":  {nil, func(f *Found) { f.Acks.SenderDay = 20 }},
		"for one subject thrice":         {nil, func(f *Found) { f.Acks.Subject3h = 2 }},
		"for a domain that had too many": {nil, func(f *Found) { f.Acks.DomainHour = 100 }},
		"when the desk wrote too many":   {nil, func(f *Found) { f.Acks.GlobalHour = 1000 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, in := foundWith(), mail()
			if tc.in != nil {
				tc.in(&in)
			}
			if tc.found != nil {
				tc.found(&found)
			}
			rules := rulesForTest()
			rules.Ack.Bulk = true
			c := Receive(found, in, rules, noon)
			want(t, "disposition", c.Disposition, DisposeMessage)
			if strings.Contains(letters(c), "acknowledgement") {
				t.Errorf("it was written: %s", letters(c))
			}
			shared := found.Acks.DomainHour > 0 || found.Acks.GlobalHour > 0
			want(t, "the operator is alerted", len(c.Alerts) == 1, shared)
			if !strings.Contains(letters(c), "agent-new→asha") {
				t.Errorf("the agents were not told: %s", letters(c))
			}
		})
	}
}

// TestAddressThatBouncedLivesAgain: proven mail lifts it, any other does not.
func TestAddressThatBouncedLivesAgain(t *testing.T) {
	t.Parallel()
	found := foundWith()
	found.Suppressed = true
	c := Receive(found, mail(func(in *Inbound) { in.Auth.Pass = true }), rulesForTest(), noon)
	want(t, "restored", strings.Join(c.Restore, " "), "maria@example.org")
	want(t, "acknowledged", letter(t, c, LetterAcknowledgement).To.Address, "maria@example.org")
	c = Receive(found, mail(), rulesForTest(), noon)
	want(t, "unproven", len(c.Restore), 0)
}

// TestAbsurdDate: C11, whatever the sender's clock says, the request is
// acknowledged and its times count from when it was received.
func TestAbsurdDate(t *testing.T) {
	t.Parallel()
	for _, date := range []time.Time{{}, time.Unix(0, 0), noon.AddDate(73, 0, 0)} {
		c := Receive(foundWith(), mail(func(in *Inbound) { in.Date = date }), rulesForTest(), noon)
		letter(t, c, LetterAcknowledgement)
		want(t, "opened", c.Tickets[0].Ticket.Opened, noon)
	}
}

// TestThreadingRules: which rule finds ticket 42, if any, and as whom.
func TestThreadingRules(t *testing.T) {
	t.Parallel()
	keys := Keyring{Current: secret}
	ours := keys.MessageID(42, "l7", "baleyo.test")
	relay := keys.RelayAddress("support@baleyo.test", "+", Relay{42, 7, RelayCustomer, 0})
	stranger := func(in *Inbound) {
		s := "eve@evil.test"
		in.From, in.Sender = Address{"Eve", s}, &s
	}
	closed := func(ago time.Duration) func(*Ticket) {
		return func(t *Ticket) { t.Status, t.Closed, t.Opened = StatusClosed, noon.Add(-ago), noon.Add(-ago-time.Hour) }
	}
	for _, tc := range []struct {
		name   string
		ticket func(*Ticket)
		found  func(*Found)
		in     func(*Inbound)
		rule   string // "T8": a new ticket
		author AuthorKind
		link   string
	}{
		{name: "relay address", in: func(in *Inbound) { in.Recipients = []string{relay} }, rule: "T1", author: AuthorCustomer},
		{name: "relay address, stranger", in: func(in *Inbound) { stranger(in); in.Recipients = []string{relay} }, rule: "T1", author: AuthorThird},
		{name: "our Message-ID", in: func(in *Inbound) { in.InReplyTo = []string{ours} }, rule: "T2", author: AuthorCustomer},
		{name: "our Message-ID deep in References", in: func(in *Inbound) { in.References = []string{ours, "x@y", "z@y"} }, rule: "T2", author: AuthorCustomer},
		{name: "our Message-ID leaked to a stranger", in: func(in *Inbound) { stranger(in); in.InReplyTo = []string{ours} }, rule: "T2", author: AuthorThird},
		{name: "our Message-ID with a wrong signature", in: func(in *Inbound) { in.InReplyTo = []string{strings.Replace(ours, "42.l7", "42.l8", 1)} }, rule: "T8"},
		{name: "id that the server gave our letter", found: func(f *Found) { f.ByMessageID["ses-1@relay"] = []Hit{{Ticket: 42, Letter: 7}} }, in: func(in *Inbound) { in.InReplyTo = []string{"ses-1@relay"} }, rule: "T2", author: AuthorCustomer},
		{name: "foreign Message-ID", found: func(f *Found) { f.ByMessageID["first@example.org"] = []Hit{{Ticket: 42, Message: 1}} }, in: func(in *Inbound) { in.References = []string{"first@example.org"} }, rule: "T3", author: AuthorCustomer},
		{name: "foreign Message-ID, stranger", found: func(f *Found) { f.ByMessageID["first@example.org"] = []Hit{{Ticket: 42, Message: 1}} }, in: func(in *Inbound) { stranger(in); in.References = []string{"first@example.org"} }, rule: "T8", link: "related"},
		{name: "both cite an id nobody saw", found: func(f *Found) { f.ByCited["lost@example.org"] = []int64{42} }, in: func(in *Inbound) { in.References = []string{"lost@example.org"} }, rule: "T4", author: AuthorCustomer},
		{name: "Thread-Index", found: func(f *Found) { f.ByThread = []int64{42} }, in: func(in *Inbound) { in.ThreadRoot = "01ab" }, rule: "T5", author: AuthorCustomer},
		{name: "Thread-Index, stranger", found: func(f *Found) { f.ByThread = []int64{42} }, in: func(in *Inbound) { stranger(in); in.ThreadRoot = "01ab" }, rule: "T8"},
		{name: "tag", in: func(in *Inbound) { in.Subject = "AW: [Baleyo #42] Printer is offline" }, rule: "T6", author: AuthorCustomer},
		{name: "tag, stranger", in: func(in *Inbound) { stranger(in); in.Subject = "Re: [Baleyo #42] Printer is offline" }, rule: "T8"},
		{name: "tag of another desk", in: func(in *Inbound) { in.Subject = "[Zephyr #42] hello" }, rule: "T8"},
		{name: "reply by subject", found: func(f *Found) { f.BySubject = []int64{42} }, in: func(in *Inbound) { in.ReplyPrefix = true }, rule: "T7", author: AuthorCustomer},
		{name: "same subject, no prefix", found: func(f *Found) { f.BySubject = []int64{42} }, in: func(*Inbound) {}, rule: "T8", link: "duplicate?"},
		{name: "reply by subject, closed long ago", ticket: closed(40 * 24 * time.Hour), found: func(f *Found) { f.BySubject = []int64{42} }, in: func(in *Inbound) { in.ReplyPrefix = true }, rule: "T8"},
		{name: "closed, within the window", ticket: closed(time.Hour), in: func(in *Inbound) { in.InReplyTo = []string{ours} }, rule: "T2", author: AuthorCustomer},
		{name: "closed, after the window", ticket: closed(31 * 24 * time.Hour), in: func(in *Inbound) { in.InReplyTo = []string{ours} }, rule: "T8", link: "follows"},
		{name: "closed, new matter", ticket: closed(time.Hour), in: func(in *Inbound) { in.InReplyTo = []string{ours}; in.SubjectCore = "Invoice 77" }, rule: "T8", link: "follows"},
		{name: "tag, another address of the requester", found: func(f *Found) { f.Person = &Person{ID: 7} }, in: func(in *Inbound) { stranger(in); in.Subject = "[Baleyo #42] x" }, rule: "T6", author: AuthorCustomer},
		{name: "tag, an address that was taken off", found: func(f *Found) { f.Person = &Person{ID: 7} }, ticket: func(t *Ticket) {
			t.Participants = append(t.Participants, Participant{7, Address{"", "eve@evil.test"}, PartyRemoved})
		}, in: func(in *Inbound) { stranger(in); in.Subject = "[Baleyo #42] x" }, rule: "T8"},
		{name: "nothing", in: func(*Inbound) {}, rule: "T8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ticket := stored()
			if tc.ticket != nil {
				tc.ticket(ticket)
			}
			found, in := foundWith(ticket), mail()
			in.MessageID = "second@example.org"
			if tc.found != nil {
				tc.found(&found)
			}
			tc.in(&in)
			c := Receive(found, in, rulesForTest(), noon)
			want(t, "disposition", c.Disposition, DisposeMessage)
			got := c.Tickets[0]
			if tc.rule == "T8" {
				want(t, "ticket", got.Ticket.ID, int64(0))
				links := ""
				for _, l := range got.Ticket.Links {
					links = l.Kind
				}
				want(t, "link", links, tc.link)
				return
			}
			want(t, "ticket", got.Ticket.ID, int64(42))
			want(t, "rule", ruleOf(c), tc.rule)
			want(t, "author", got.Messages[0].Author.Kind, tc.author)
			if p, _ := got.Ticket.Participant("eve@evil.test"); p.Role != "" && p.Role != PartyThird {
				t.Errorf("the stranger became %s", p.Role)
			}
			if strings.Contains(letters(c), "eve@evil.test") {
				t.Errorf("a letter went to the stranger: %s", letters(c))
			}
		})
	}
}

func TestMergedTicketLeadsOn(t *testing.T) {
	t.Parallel()
	old := stored(func(t *Ticket) { t.Status, t.MergedInto = StatusMerged, 43 })
	target := stored(func(t *Ticket) { t.ID = 43 })
	in := mail(func(in *Inbound) {
		in.InReplyTo = []string{Keyring{Current: secret}.MessageID(42, "l7", "baleyo.test")}
	})
	c := Receive(foundWith(old, target), in, rulesForTest(), noon)
	want(t, "ticket", c.Tickets[0].Ticket.ID, int64(43))
}

func TestForgedRelayIsQuarantined(t *testing.T) {
	t.Parallel()
	relay := []byte(Keyring{Current: secret}.RelayAddress("support@baleyo.test", "+", Relay{42, 7, RelayCustomer, 0}))
	relay[len("support+c16")] ^= 1
	c := Receive(foundWith(stored()), mail(func(in *Inbound) { in.Recipients = []string{string(relay)} }), rulesForTest(), noon)
	want(t, "disposition", c.Disposition, DisposeQuarantined)
	want(t, "reason", c.Reason, "relay-forged")
	want(t, "tickets", len(c.Tickets), 0)
}

func TestStatusAfterACustomersMail(t *testing.T) {
	t.Parallel()
	ours := Keyring{Current: secret}.MessageID(42, "l7", "baleyo.test")
	for _, tc := range []struct {
		name    string
		before  Status
		reply   string
		kind    Kind
		after   Status
		letters string
	}{
		{"new stays new", StatusNew, "One more thing.", KindMessage, StatusNew, "agent-message→asha@baleyo.test"},
		{"pending opens", StatusPending, "Here is the number.", KindMessage, StatusOpen, "agent-message→asha@baleyo.test"},
		{"hold opens", StatusHold, "Any news?", KindMessage, StatusOpen, "agent-message→asha@baleyo.test"},
		{"yes closes", StatusResolved, "Yes, thanks!", KindMessage, StatusClosed, "confirmed→maria@example.org"},
		{"ja closes", StatusResolved, "Ja, danke. Alles bestens!", KindMessage, StatusClosed, "confirmed→maria@example.org"},
		{"no reopens", StatusResolved, "No, it still does not print.", KindMessage, StatusOpen, "reopened→maria@example.org agent-message→asha@baleyo.test"},
		{"anything new reopens", StatusResolved, "And what about the scanner?", KindMessage, StatusOpen, "reopened→maria@example.org agent-message→asha@baleyo.test"},
		{"out of office changes nothing", StatusResolved, "Yes, thanks! I am away.", KindAutoReply, StatusResolved, ""},
		{"thanks after the end", StatusClosed, "Thank you very much", KindMessage, StatusClosed, ""},
		{"problem after the end", StatusClosed, "It is broken again", KindMessage, StatusOpen, "reopened→maria@example.org agent-message→asha@baleyo.test"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ticket := stored(func(t *Ticket) {
				t.Status = tc.before
				t.Resolved, t.Closed = noon.Add(-time.Hour), noon.Add(-time.Hour)
			})
			in := mail(func(in *Inbound) {
				in.MessageID, in.InReplyTo, in.Reply, in.Kind = "2@example.org", []string{ours}, tc.reply, tc.kind
			})
			c := Receive(foundWith(ticket), in, rulesForTest(), noon)
			want(t, "status", c.Tickets[0].Ticket.Status, tc.after)
			want(t, "letters", letters(c), tc.letters)
			want(t, "messages", len(c.Tickets[0].Messages), 1)
		})
	}
}

// TestThirdPartyNeverConfirms: a stranger's yes closes nothing.
func TestThirdPartyNeverConfirms(t *testing.T) {
	t.Parallel()
	ticket := stored(func(t *Ticket) { t.Status, t.Resolved = StatusResolved, noon.Add(-time.Hour) })
	in := mail(func(in *Inbound) {
		s := "eve@evil.test"
		in.From, in.Sender, in.Reply = Address{"", s}, &s, "Yes, thanks"
		in.InReplyTo = []string{Keyring{Current: secret}.MessageID(42, "l7", "baleyo.test")}
	})
	c := Receive(foundWith(ticket), in, rulesForTest(), noon)
	want(t, "status", c.Tickets[0].Ticket.Status, StatusResolved)
	want(t, "letters", letters(c), "agent-message→asha@baleyo.test")
	want(t, "unverified", letter(t, c, LetterMessage).Data.Unverified, true)
}

func TestRefusedAttachments(t *testing.T) {
	t.Parallel()
	files := []Attachment{{Filename: "a.png", ContentType: "image/png", Size: 10}, {Filename: "run.exe", ContentType: "application/x-msdownload", Size: 10}, {Filename: "big.pdf", ContentType: "application/pdf", Size: 26 << 20}}
	c := Receive(foundWith(), mail(func(in *Inbound) { in.Attachments = files }), rulesForTest(), noon)
	want(t, "in the acknowledgement", fmt.Sprint(letter(t, c, LetterAcknowledgement).Data.Refused), fmt.Sprintf("[{run.exe 10 type} {big.pdf %d size}]", 26<<20))
	c = Receive(foundWith(stored()), mail(func(in *Inbound) {
		in.Attachments, in.InReplyTo = files, []string{Keyring{Current: secret}.MessageID(42, "l7", "baleyo.test")}
	}), rulesForTest(), noon)
	want(t, "letter of its own", len(letter(t, c, LetterRefused).Data.Refused), 2)
	want(t, "files of the mail are left as they are", files[1].Refused, "")
}

func TestLoops(t *testing.T) {
	t.Parallel()
	keys := Keyring{Current: secret}
	id := keys.MessageID(42, "l7", "baleyo.test")
	for name, f := range map[string]func(*Inbound){
		"own Message-ID":     func(in *Inbound) { in.MessageID = id },
		"own loop mark":      func(in *Inbound) { in.MessageID, in.Loop = "x@y", keys.LoopMark("x@y") },
		"31 Received fields": func(in *Inbound) { in.Hops = 31 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := Receive(foundWith(stored()), mail(f), rulesForTest(), noon)
			want(t, "disposition", c.Disposition, DisposeQuarantined)
			want(t, "reason", c.Reason, "loop")
		})
	}
	// E10: somebody else's control field has no effect.
	c := Receive(foundWith(), mail(func(in *Inbound) { in.Loop = "k" + strings.Repeat("a", 26) }), rulesForTest(), noon)
	want(t, "forged mark", c.Disposition, DisposeMessage)
}

// TestLoopBreaker: the eleventh automatic letter on a ticket in ten minutes is not written.
func TestLoopBreaker(t *testing.T) {
	t.Parallel()
	ticket := stored(func(t *Ticket) { t.Status, t.Resolved = StatusResolved, noon })
	found := foundWith(ticket)
	found.Acks = AckCounts{SenderHour: 1, Ticket10min: map[int64]int{42: 10}}
	in := mail(func(in *Inbound) {
		in.InReplyTo = []string{Keyring{Current: secret}.MessageID(42, "l7", "baleyo.test")}
	})
	want(t, "letters", letters(Receive(found, in, rulesForTest(), noon)), "agent-message→asha@baleyo.test")
}

func TestSameMailByTwoWays(t *testing.T) {
	t.Parallel()
	found := foundWith(stored())
	found.Duplicate = &history()[0]
	c := Receive(found, mail(), rulesForTest(), noon)
	want(t, "disposition", c.Disposition, DisposeDuplicate)
	want(t, "message", c.Duplicate, int64(1))
}

// TestSameIDOtherContent: A10.
func TestSameIDOtherContent(t *testing.T) {
	t.Parallel()
	found := foundWith(stored())
	found.SameID = &history()[0]
	c := Receive(found, mail(), rulesForTest(), noon)
	want(t, "flags", fmt.Sprint(c.Tickets[0].Messages[0].Flags), "[duplicate-id]")
}

func TestReports(t *testing.T) {
	t.Parallel()
	keys := Keyring{Current: secret}
	sent := &SentLetter{ID: 77, Ticket: 42, Kind: LetterAnswer, To: "maria@example.org", State: "sent"}
	id := keys.MessageID(42, "m2", "baleyo.test")
	bounce := func(hard bool) func(*Inbound) {
		return func(in *Inbound) {
			null := ""
			in.Kind, in.Sender, in.From = KindBounce, &null, Address{"", "mailer-daemon@mx.test"}
			in.Bounce = &Bounce{Recipient: "maria@example.org", Status: "5.1.1", Hard: hard, Diagnostic: "user unknown"}
		}
	}
	to := func(a string) func(*Inbound) { return func(in *Inbound) { in.Recipients = []string{a} } }
	verp := keys.EnvelopeSender("support@baleyo.test", "+", 77)
	forged := strings.Replace(verp, "+b", "+b1", 1)
	for _, tc := range []struct {
		name, disposition, reason, bounces, suppress, letters string
		change                                                []func(*Inbound)
	}{
		{"hard, to its envelope sender", "recorded", "bounce", "bounced", "maria@example.org", "agent-bounced→asha@baleyo.test", []func(*Inbound){bounce(true), to(verp)}},
		{"full mailbox", "recorded", "bounce", "bounced", "", "agent-bounced→asha@baleyo.test", []func(*Inbound){bounce(true), to(verp), func(in *Inbound) { in.Bounce.Status = "5.2.2" }}},
		{"soft", "recorded", "bounce", "bounced", "", "agent-bounced→asha@baleyo.test", []func(*Inbound){bounce(false), to(verp)}},
		{"delayed", "recorded", "delayed", "delayed", "", "", []func(*Inbound){bounce(false), to(verp), func(in *Inbound) { in.Kind = KindDelayed }}},
		{"by the original's Message-ID", "recorded", "bounce", "bounced", "maria@example.org", "agent-bounced→asha@baleyo.test", []func(*Inbound){bounce(true), func(in *Inbound) { in.Bounce.MessageID = id }}},
		{"altered envelope sender", "quarantined", "verp-forged", "", "", "", []func(*Inbound){bounce(true), to(forged)}},
		{"about nothing of ours", "quarantined", "report-unmatched", "", "", "", []func(*Inbound){bounce(true)}},
		{"read receipt about nothing", "discarded", "receipt-unmatched", "", "", "", []func(*Inbound){func(in *Inbound) { in.Kind = KindReadReceipt }}},
		{"complaint", "recorded", "complaint", "complained", "", "", []func(*Inbound){to(verp), func(in *Inbound) { in.Kind = KindComplaint }}},
		{"report that is no complaint", "recorded", "feedback_report", "", "", "", []func(*Inbound){to(verp), func(in *Inbound) { in.Kind = KindFeedback }}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			found := foundWith(stored())
			found.Letter, found.Letters = sent, map[string]*SentLetter{id: sent}
			in := mail(tc.change...)
			if in.Recipients[0] != verp {
				found.Letter = nil
			}
			c := Receive(found, in, rulesForTest(), noon)
			want(t, "disposition", string(c.Disposition), tc.disposition)
			want(t, "reason", c.Reason, tc.reason)
			state := ""
			for _, b := range c.Bounces {
				state = b.State
			}
			want(t, "letter state", state, tc.bounces)
			want(t, "suppressed", strings.Join(c.Suppress, " "), tc.suppress)
			want(t, "letters", letters(c), tc.letters)
			if tc.letters != "" {
				want(t, "told", letter(t, c, LetterBounced).Data.Dead, tc.suppress != "")
			}
		})
	}
}

// TestEveryMailEndsOnce: whatever comes, there is one disposition, it has a
// reason where it must, and nobody but the people of the ticket gets a letter.
func TestEveryMailEndsOnce(t *testing.T) {
	t.Parallel()
	keys := Keyring{Current: secret}
	addresses := []string{"maria@example.org", "eve@evil.test", "asha@baleyo.test", "bikram@baleyo.test", "", "mailer-daemon@x.test"}
	recipients := []string{
		"support@baleyo.test", "support+junk@baleyo.test",
		keys.RelayAddress("support@baleyo.test", "+", Relay{42, 7, RelayCustomer, 0}),
		keys.RelayAddress("support@baleyo.test", "+", Relay{42, asha.ID, RelayAgent, 2}),
		keys.RelayAddress("support@baleyo.test", "+", Relay{99, asha.ID, RelayAgent, 2}),
		keys.RelayAddress("support@baleyo.test", "+", Relay{0, asha.ID, RelayAgent, 0}),
		keys.EnvelopeSender("support@baleyo.test", "+", 77) + "x",
	}
	kinds := []Kind{KindMessage, KindAutoReply, KindBounce, KindDelayed, KindBulk, KindCalendar, KindReadReceipt, KindFeedback, KindComplaint}
	statuses := []Status{StatusNew, StatusOpen, StatusPending, StatusHold, StatusResolved, StatusClosed, StatusSpam, StatusMerged}
	lines := []string{"#close", "#closs", "#take", "#merge 42", "#split", "#note", "#spam", "#cc +a@b.test", "#help", "#release 5", "#send anyway", "#from x@y.test", "#pending until monday"}
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SampledFrom(addresses).Draw(t, "from")
		in := mail(func(in *Inbound) {
			in.From.Address = from
			in.Recipients = rapid.SliceOfN(rapid.SampledFrom(recipients), 1, 3).Draw(t, "recipients")
			in.Kind = rapid.SampledFrom(kinds).Draw(t, "kind")
			in.Auth.Pass = rapid.Bool().Draw(t, "proven")
			in.Reply = rapid.SampledFrom([]string{"", "yes", "no", "hello\n> quoted"}).Draw(t, "reply")
			if in.From.Address == asha.Address || in.From.Address == bikram.Address {
				in.Commands = rapid.SliceOfN(rapid.SampledFrom(lines), 0, 3).Draw(t, "commands")
			}
			if rapid.Bool().Draw(t, "cites") {
				in.InReplyTo = []string{keys.MessageID(42, "l7", "baleyo.test")}
			}
			if in.Kind == KindBounce {
				in.Bounce = &Bounce{}
			}
		})
		found := foundWith(stored(func(tk *Ticket) { tk.Status = rapid.SampledFrom(statuses).Draw(t, "status") }))
		c := Receive(found, in, rulesForTest(), noon)
		switch c.Disposition {
		case DisposeMessage, DisposeRecorded, DisposeDuplicate:
		case DisposeQuarantined, DisposeDiscarded:
			if c.Reason == "" {
				t.Fatalf("%s without a reason", c.Disposition)
			}
		default:
			t.Fatalf("disposition %q", c.Disposition)
		}
		seen := map[string]bool{}
		for _, tc := range c.Tickets {
			for _, l := range tc.Letters {
				if seen[l.Key] {
					t.Fatalf("two letters with the key %s", l.Key)
				}
				seen[l.Key] = true
				if SameAddress(l.To.Address, "eve@evil.test") && tc.Ticket.ID != 0 {
					t.Fatalf("%s to the stranger", l.Kind)
				}
			}
		}
	})
}

// TestVacationNoteToTheEnvelopeSender: RFC 3834 sends automatic replies to the
// envelope sender, whose signed form is not a relay address that somebody
// altered.
func TestVacationNoteToTheEnvelopeSender(t *testing.T) {
	t.Parallel()
	keys := Keyring{Current: secret}
	verp := keys.EnvelopeSender("support@baleyo.test", "+", 77)
	resolved := func() *Ticket { return stored(func(t *Ticket) { t.Status, t.Resolved = StatusResolved, noon }) }
	found := func() Found {
		f := foundWith(resolved())
		f.Letter = &SentLetter{ID: 77, Ticket: 42, Kind: LetterResolution, To: "maria@example.org", State: "sent"}
		return f
	}
	note := func(change ...func(*Inbound)) Inbound {
		return mail(append([]func(*Inbound){func(in *Inbound) {
			in.MessageID, in.Subject, in.SubjectCore, in.Reply = "away@example.org", "Out of office", "Out of office", "Yes, thanks. I am away."
			in.Recipients, in.To, in.Kind, in.Signals = []string{verp}, []Address{{Address: verp}}, KindAutoReply, []string{"auto-submitted=auto-replied"}
		}}, change...)...)
	}
	for name, in := range map[string]Inbound{
		"cites the letter": note(func(in *Inbound) { in.InReplyTo = []string{keys.MessageID(42, "l77", "baleyo.test")} }),
		"cites nothing":    note(),
		"relay address, too": note(func(in *Inbound) {
			in.Recipients = append(in.Recipients, keys.RelayAddress("support@baleyo.test", "+", Relay{42, 7, RelayCustomer, 0}))
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := Receive(found(), in, rulesForTest(), noon)
			want(t, "disposition", c.Disposition, DisposeMessage)
			want(t, "reason", c.Reason, "")
			want(t, "letters", letters(c), "")
			want(t, "status", c.Tickets[0].Ticket.Status, StatusResolved)
		})
	}
	agents := Receive(found(), note(func(in *Inbound) { in.From, in.Sender = Address{"Asha", asha.Address}, &asha.Address }), rulesForTest(), noon)
	want(t, "an agent's", agents.Reason, "agent-auto-reply")
	want(t, "an agent's", letters(agents), "")
	altered := Receive(found(), note(func(in *Inbound) { in.Recipients = []string{strings.Replace(verp, "+b", "+c", 1)} }), rulesForTest(), noon)
	want(t, "altered", altered.Reason, "relay-forged")
}
