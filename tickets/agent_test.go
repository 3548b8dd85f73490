package tickets

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAgentAnswers(t *testing.T) {
	t.Parallel()
	ticket := stored(func(t *Ticket) {
		t.Participants = append(t.Participants, Participant{8, Address{"", "boss@example.org"}, PartyFollower},
			Participant{9, Address{"", "new@example.org"}, PartyProposed}, Participant{10, Address{"", "eve@evil.test"}, PartyThird})
	})
	c := Receive(foundWith(ticket), fromAgent(asha, 2, nil, "Please replace the cable."), rulesForTest(), noon)
	want(t, "disposition", c.Disposition, DisposeMessage)
	want(t, "letters", letters(c), "answer→maria@example.org answer→boss@example.org")
	l := letter(t, c, LetterAnswer)
	want(t, "auto", l.Auto, AutoNone)
	want(t, "null sender", l.NullSender, false)
	want(t, "answers", l.InReplyTo, "first@example.org")
	want(t, "text", l.Data.Text, "Please replace the cable.")
	want(t, "carry", l.Carry, 1)
	want(t, "version", c.Tickets[0].Ticket.Version, 3)
	want(t, "direction", c.Tickets[0].Messages[0].Direction, DirectionOut)
}

// TestAgentSaidNothing: a mail that was sent too early has a quote or a
// signature and no words; the customer must not get those as an answer.
func TestAgentSaidNothing(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]string{
		"signature": "-- \nAsha\nDirect line 123", "signature, space lost": "--\nAsha", "quote of what the customer wrote": "> It will not print.\n>\n\n",
		"quote, then a signature": "> It will not print.\n\n-- \nAsha",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := Receive(foundWith(stored()), fromAgent(asha, 2, nil, reply), rulesForTest(), noon)
			want(t, "letters", letters(c), "agent-held→asha@baleyo.test")
			want(t, "problem", strings.Join(letter(t, c, LetterHeld).Data.Problems, ""), errNothing.Error())
		})
	}
	c := Receive(foundWith(stored()), fromAgent(asha, 2, nil, "> It will not print.\n\nWhich paper?"), rulesForTest(), noon)
	want(t, "text", letter(t, c, LetterAnswer).Data.Text, "> It will not print.\n\nWhich paper?")
}

// TestAgentIsNotTrusted: the identity cases; either half of the power alone is
// quarantined, and nothing reaches the customer.
func TestAgentIsNotTrusted(t *testing.T) {
	t.Parallel()
	keys := Keyring{Current: secret}
	altered := []byte(keys.RelayAddress("support@baleyo.test", "+", Relay{42, asha.ID, RelayAgent, 2}))
	altered[len("support+a16")] ^= 1
	old := Keyring{Current: Key{'o', []byte("another secret, of thirty-two byt")}}.RelayAddress("support@baleyo.test", "+", Relay{42, asha.ID, RelayAgent, 2})
	to := func(a string) func(*Inbound) { return func(in *Inbound) { in.Recipients = []string{a} } }
	for _, tc := range []struct {
		name   string
		agent  Agent
		change func(*Inbound)
		reason string
		told   string
	}{
		{"unproven From", asha, func(in *Inbound) { in.Auth = Auth{Method: "none"} }, "agent-unproven", "asha"},
		{"proven From, relay address of a colleague", asha, to(keys.RelayAddress("support@baleyo.test", "+", Relay{42, bikram.ID, RelayAgent, 2})), "relay-person", "asha"},
		{"E05 altered by one character", asha, to(string(altered)), "relay-forged", "asha"},
		{"E05 old key", asha, to(old), "relay-forged", "asha"},
		{"E04 removed from the team", Agent{ID: 14, Name: "Gone", Address: "gone@baleyo.test"}, func(*Inbound) {}, "not-an-agent", ""},
		{"relay address leaked to a customer", Agent{ID: asha.ID, Name: "Maria", Address: "maria@example.org"}, func(*Inbound) {}, "not-an-agent", ""},
		{"proven From, no relay address", asha, func(in *Inbound) {
			in.Recipients, in.To = []string{"support@baleyo.test"}, nil
		}, "agent-no-relay", "asha"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := Receive(foundWith(stored()), fromAgent(tc.agent, 2, []string{"#close"}, "Solved.", tc.change), rulesForTest(), noon)
			want(t, "disposition", c.Disposition, DisposeQuarantined)
			want(t, "reason", c.Reason, tc.reason)
			want(t, "tickets", len(c.Tickets), 0)
			if strings.Contains(letters(c), "maria@") {
				t.Errorf("the customer got something: %s", letters(c))
			}
			if !strings.Contains(letters(c), "agent-refusal→chandra") || tc.told != "" && !strings.Contains(letters(c), "agent-refusal→"+tc.told) {
				t.Errorf("who was told: %s", letters(c))
			}
		})
	}
}

func TestAddressOnlyTrustsTheAddress(t *testing.T) {
	t.Parallel()
	rules := rulesForTest()
	rules.AddressOnly = true
	c := Receive(foundWith(stored()), fromAgent(asha, 2, nil, "Hello", func(in *Inbound) { in.Auth = Auth{Method: "none"} }), rules, noon)
	want(t, "letters", letters(c), "answer→maria@example.org")
}

// TestWithoutSubaddressing: where the provider has no relay addresses, our
// Message-ID of a letter to that agent stands for it.
func TestWithoutSubaddressing(t *testing.T) {
	t.Parallel()
	id := Keyring{Current: secret}.MessageID(42, "l9", "baleyo.test")
	plain := func(in *Inbound) {
		in.Recipients, in.InReplyTo = []string{"support@baleyo.test"}, []string{id}
	}
	found := foundWith(stored())
	found.ByMessageID[id] = []Hit{{Ticket: 42, Letter: 9, To: asha.Address, Version: 2, Agent: true}}
	want(t, "hers", letters(Receive(found, fromAgent(asha, 2, nil, "Hello", plain), rulesForTest(), noon)), "answer→maria@example.org")
	c := Receive(found, fromAgent(bikram, 2, nil, "Hello", plain), rulesForTest(), noon)
	want(t, "a colleague's", c.Reason, "agent-no-relay")
}

// TestOutOfOfficeOfAnAgent: E09.
func TestOutOfOfficeOfAnAgent(t *testing.T) {
	t.Parallel()
	c := Receive(foundWith(stored()), fromAgent(asha, 2, nil, "I am away.", func(in *Inbound) { in.Kind = KindAutoReply }), rulesForTest(), noon)
	want(t, "disposition", c.Disposition, DisposeDiscarded)
	want(t, "letters", letters(c), "")
}

// TestCommandsFailClosed: a mistyped command harms nobody.
func TestCommandsFailClosed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ commands, problem string }{
		{"#closs", "did you mean #close?"},
		{"#close|#closs", "did you mean #close?"},
		{"#asign bikram", "did you mean #assign?"},
		{"#assign bikra", "did you mean bikram?"},
		{"#severity hihg", "did you mean high?"},
		{"#pending until someday", "is not a date"},
		{"#pending until 2020-01-01", "is not a date"},
		{"#merge 7", "there is no ticket 7"},
		{"#merge 42", "that is this ticket"},
		{"#merge x", "is not a ticket number"},
		{"#sms", "no telephone number of the customer is known"},
		{"#sms|#note", "which is meant?"},
		{"#call", "your telephone number is not known"},
		{"#cc boss@example.org", "begin each with + or -"},
		{"#cc +boss", "is not an address"},
		{"#close|#pending", "which is meant?"},
		{"#release 5", "only for a supervisor"},
		{"#close now please", "is not known here"},
		{"#reopen", "it is open"},
		{"#send anyway please", "is not known here"},
		{"#zzz", "#help lists all commands"},
	} {
		t.Run(tc.commands, func(t *testing.T) {
			t.Parallel()
			c := Receive(foundWith(stored()), fromAgent(asha, 2, strings.Split(tc.commands, "|"), "My words."), rulesForTest(), noon)
			want(t, "letters", letters(c), "agent-held→asha@baleyo.test")
			l := letter(t, c, LetterHeld)
			if p := strings.Join(l.Data.Problems, "; "); !strings.Contains(p, tc.problem) {
				t.Errorf("problem: got %q, want %q in it", p, tc.problem)
			}
			want(t, "her words are kept", l.Data.Text, "My words.")
			want(t, "status", c.Tickets[0].Ticket.Status, StatusOpen)
			want(t, "version", c.Tickets[0].Ticket.Version, 2)
			want(t, "direction", c.Tickets[0].Messages[0].Direction, DirectionHeld)
		})
	}
}

func TestCommandsDo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		commands, text string
		letters        string
		check          func(Ticket) any
		want           any
	}{
		{"#take", "", "agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.Assignee }, bikram.Address},
		{"#assign asha", "", "agent-new→asha@baleyo.test agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.Assignee }, asha.Address},
		{"#assign none", "", "agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.Assignee }, ""},
		{"#note", "He was rude.", "agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.Version }, 2},
		{"#severity high", "", "agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.Severity }, "high"},
		{"#impact 3", "", "agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.Impact }, 3},
		{"#category billing", "", "agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.Category }, "billing"},
		{"#tag +vip -old", "", "agent-receipt→bikram@baleyo.test", func(t Ticket) any { return fmt.Sprint(t.Tags) }, "[vip]"},
		{"#cc +boss@example.org", "Copy to your boss.", "answer→maria@example.org answer→boss@example.org agent-receipt→bikram@baleyo.test", func(t Ticket) any { return len(t.Participants) }, 2},
		{"#pending until 2026-03-09", "Which model is it?", "answer→maria@example.org agent-receipt→bikram@baleyo.test", func(t Ticket) any { return fmt.Sprint(t.Status, t.PendingUntil.Format(" 2006-01-02")) }, "pending 2026-03-09"},
		{"#hold", "", "agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.Status }, StatusHold},
		{"#time 1h30m", "", "agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.WorkedMin }, 90},
		{"#due friday", "", "agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.Due.Format("2006-01-02") }, "2026-03-06"},
		{"#spam", "", "agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.Status }, StatusSpam},
		{"#letter missing", "", "missing→maria@example.org agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.Status }, StatusPending},
		{"#close", "", "resolution→maria@example.org agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.Status }, StatusResolved},
		{"#close silently", "", "agent-receipt→bikram@baleyo.test", func(t Ticket) any { return t.Status }, StatusClosed},
		{"#history", "", "agent-history→bikram@baleyo.test", func(t Ticket) any { return t.Status }, StatusOpen},
		{"#help", "", "agent-guide→bikram@baleyo.test", func(t Ticket) any { return t.Status }, StatusOpen},
		{"#list", "", "agent-list→bikram@baleyo.test", func(t Ticket) any { return t.Status }, StatusOpen},
		{"#from new@example.org", "", "agent-receipt→bikram@baleyo.test", func(t Ticket) any { return requester(&t).Address }, "new@example.org"},
	} {
		t.Run(tc.commands, func(t *testing.T) {
			t.Parallel()
			c := Receive(foundWith(stored()), fromAgent(bikram, 2, strings.Split(tc.commands, "|"), tc.text), rulesForTest(), noon)
			want(t, "letters", letters(c), tc.letters)
			want(t, "effect", tc.check(c.Tickets[0].Ticket), tc.want)
		})
	}
}

func TestResolutionHasItsParts(t *testing.T) {
	t.Parallel()
	text := "Problem: the cable was loose\nSolution: we replaced it,\nand tested it.\nWorkaround: print from the kiosk"
	c := Receive(foundWith(stored()), fromAgent(asha, 2, []string{"#close"}, text), rulesForTest(), noon)
	d := letter(t, c, LetterResolution).Data
	want(t, "problem", d.Problem, "the cable was loose")
	want(t, "solution", d.Solution, "we replaced it,\nand tested it.")
	want(t, "workaround", d.Workaround, "print from the kiosk")
	want(t, "days", d.CloseDays, 7)
	d = letter(t, Receive(foundWith(stored()), fromAgent(asha, 2, []string{"#close"}, "A new cable."), rulesForTest(), noon), LetterResolution).Data
	want(t, "problem, unsaid", d.Problem, "Printer is offline")
	want(t, "solution, unnamed", d.Solution, "A new cable.")
}

// TestTwoAgentsAnswerTheSameVersion: one letter leaves, the second is held with
// the colleague's text, and "#send anyway" sends it.
func TestTwoAgentsAnswerTheSameVersion(t *testing.T) {
	t.Parallel()
	found := foundWith(stored())
	c := Receive(found, fromAgent(bikram, 1, nil, "Buy a new one."), rulesForTest(), noon)
	want(t, "letters", letters(c), "agent-held→bikram@baleyo.test")
	held := letter(t, c, LetterHeld).Data
	want(t, "the colleague's words", held.Newer[0].Text, "Please switch it off and on.")
	want(t, "his own", held.Text, "Buy a new one.")
	want(t, "her own answer holds nothing", letters(Receive(found, fromAgent(asha, 1, nil, "And?"), rulesForTest(), noon)), "answer→maria@example.org")

	found.History = append(found.History, Message{ID: 3, Ticket: 42, Seq: 3, Version: 2, Ledger: 403, Direction: DirectionHeld, Commands: []string{"#severity low", "#closs"},
		Author: Author{AuthorAgent, bikram.ID, Address{"Bikram", bikram.Address}}, Text: "Buy a new one.", Attachments: []Attachment{{Filename: "offer.pdf"}}})
	c = Receive(found, fromAgent(bikram, 1, []string{"#send anyway"}, ""), rulesForTest(), noon)
	want(t, "letters", letters(c), "answer→maria@example.org agent-receipt→bikram@baleyo.test")
	want(t, "text", letter(t, c, LetterAnswer).Data.Text, "Buy a new one.")
	want(t, "his command", c.Tickets[0].Ticket.Severity, "low")
	want(t, "his file", c.Tickets[0].Messages[0].Attachments[0].Ledger, int64(403))
}

// TestOnlyTheAnswerLeaves: E08, quoted notes and the desk's own help stay inside.
func TestOnlyTheAnswerLeaves(t *testing.T) {
	t.Parallel()
	relay := Keyring{Current: secret}.RelayAddress("support@baleyo.test", "+", Relay{42, asha.ID, RelayAgent, 2})
	reply := strings.Join([]string{
		"On Monday, Maria Lopez (Baleyo #42) <" + relay + "> wrote:",
		"> It will not print.",
		"Which model?",
		"> note: customer is difficult",
		"> Reply = answer to the customer. #help",
		"Write to asha@baleyo.test or " + relay,
	}, "\n")
	c := Receive(foundWith(stored()), fromAgent(asha, 2, nil, reply), rulesForTest(), noon)
	want(t, "text", letter(t, c, LetterAnswer).Data.Text, "> It will not print.\nWhich model?\nWrite to support@baleyo.test or support@baleyo.test")
}

// TestNewAddressInCc gets nothing until an agent says so once.
func TestNewAddressInCc(t *testing.T) {
	t.Parallel()
	in := fromAgent(asha, 2, nil, "Hello", func(in *Inbound) { in.Cc = []Address{{"", "expert@partner.test"}} })
	c := Receive(foundWith(stored()), in, rulesForTest(), noon)
	want(t, "letters", letters(c), "answer→maria@example.org agent-receipt→asha@baleyo.test")
	want(t, "asked", strings.Join(letter(t, c, LetterReceipt).Data.Proposed, " "), "expert@partner.test")
}

func TestMergeAndSplit(t *testing.T) {
	t.Parallel()
	target := stored(func(t *Ticket) { t.ID, t.Participants[0].Address.Address = 43, "other@example.org" })
	target.Participants = []Participant{{20, Address{"", "other@example.org"}, PartyRequester}}
	c := Receive(foundWith(stored(), target), fromAgent(asha, 2, []string{"#merge 43"}, ""), rulesForTest(), noon)
	want(t, "letters", letters(c), "agent-receipt→asha@baleyo.test")
	want(t, "old", c.Tickets[0].Ticket.Status, StatusMerged)
	want(t, "into", c.Tickets[0].Ticket.MergedInto, int64(43))
	want(t, "moves", fmt.Sprint(c.Tickets[1].MoveFrom), "[{42 []}]")
	if p, _ := c.Tickets[1].Ticket.Participant("maria@example.org"); p.Role != PartyFollower {
		t.Errorf("the old requester is %q on the target", p.Role)
	}

	found := foundWith(stored(func(t *Ticket) { t.Version, t.Category = 3, "hardware" }))
	found.History = append(found.History, Message{ID: 3, Ticket: 42, Seq: 3, Version: 3, Direction: DirectionIn, Subject: "Re: [Baleyo #42] AW: Invoice 77", Author: Author{AuthorCustomer, 7, Address{"", "maria@example.org"}}, Text: "And the invoice?"})
	c = Receive(found, fromAgent(asha, 3, []string{"#split"}, ""), rulesForTest(), noon)
	want(t, "moves", fmt.Sprint(c.Tickets[1].MoveFrom), "[{42 [3]}]")
	want(t, "subject", c.Tickets[1].Ticket.Subject, "Invoice 77")
	if g := c.Tickets[1].Ticket.Guess; g == nil || g.Category != "billing" || c.Tickets[1].Ticket.Category != "billing" {
		t.Errorf("the new ticket is not sorted: %+v in category %q", g, c.Tickets[1].Ticket.Category)
	}
	c = Receive(foundWith(stored()), fromAgent(asha, 2, []string{"#split"}, ""), rulesForTest(), noon)
	want(t, "nothing to split", letters(c), "agent-held→asha@baleyo.test")
}

func TestLogForSomebodyElse(t *testing.T) {
	t.Parallel()
	plain := func(in *Inbound) {
		in.Recipients, in.To, in.Subject, in.SubjectCore, in.ReplyPrefix = []string{"support@baleyo.test"}, nil, "Walk-in: toner", "Walk-in: toner", false
	}
	c := Receive(foundWith(), fromAgent(asha, 0, []string{"#from lee@example.org", "#severity low"}, "She needs toner.", plain), rulesForTest(), noon)
	want(t, "letters", letters(c), "acknowledgement→lee@example.org agent-new→asha@baleyo.test agent-new→bikram@baleyo.test")
	want(t, "requester", requester(&c.Tickets[0].Ticket).Address, "lee@example.org")
	want(t, "severity", c.Tickets[0].Ticket.Severity, "low")
	want(t, "text", c.Tickets[0].Messages[0].Text, "She needs toner.")

	c = Receive(foundWith(), fromAgent(bikram, 0, nil, "FYI, an old friend", plain, func(in *Inbound) {
		in.Forwarded = &Forwarded{From: Address{"Lee", "lee@example.org"}, Subject: "Toner", Text: "We need toner."}
	}), rulesForTest(), noon)
	want(t, "forwarded", c.Tickets[0].Messages[0].Text, "We need toner.")
	want(t, "subject", c.Tickets[0].Ticket.Subject, "Toner")
	want(t, "the agent's words are a note", c.Tickets[0].Messages[1].Direction, DirectionNote)
	c = Receive(foundWith(), fromAgent(asha, 0, []string{"#from"}, "x", plain), rulesForTest(), noon)
	want(t, "without an address", letters(c), "agent-held→asha@baleyo.test")
}

// TestAgentsOwnClient: T10.
func TestAgentsOwnClient(t *testing.T) {
	t.Parallel()
	in := fromAgent(asha, 2, nil, "I called you.", func(in *Inbound) {
		in.To, in.Cc = []Address{{"", "maria@example.org"}}, []Address{{"", "support@baleyo.test"}}
		in.Recipients = []string{"support@baleyo.test"}
	})
	c := Receive(foundWith(stored()), in, rulesForTest(), noon)
	want(t, "disposition", c.Disposition, DisposeMessage)
	want(t, "letters", letters(c), "")
	want(t, "direction", c.Tickets[0].Messages[0].Direction, DirectionOut)
}

func TestReleaseByMail(t *testing.T) {
	t.Parallel()
	relay := Keyring{Current: secret}.RelayAddress("support@baleyo.test", "+", Relay{0, chandra.ID, RelayAgent, 0})
	in := fromAgent(chandra, 0, []string{"#release 5 #7 010"}, "", func(in *Inbound) { in.Recipients = []string{relay} })
	c := Receive(foundWith(), in, rulesForTest(), noon)
	want(t, "released", fmt.Sprint(c.Release), "[5 7 10]")
	want(t, "letters", letters(c), "agent-receipt→chandra@baleyo.test")
}

func TestReadConfirmation(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]Confirmation{
		"Yes": ConfirmYes, "yes, thanks!": ConfirmYes, "Thanks": ConfirmYes, "Thank you very much, it works now.": ConfirmYes,
		"Yes, solved.\n\nBest regards\nMaria Lopez": ConfirmYes, "Ja": ConfirmYes, "Ja, danke!": ConfirmYes, "Vielen Dank für die schnelle Hilfe, alles funktioniert.": ConfirmYes,
		"Danke, läuft wieder.\nViele Grüße\nJürgen": ConfirmYes, "Great, works perfectly. Thanks a lot for your help!": ConfirmYes,
		"No": ConfirmNo, "Nein, leider nicht.": ConfirmNo, "Not solved": ConfirmNo, "Thanks, but it still does not print": ConfirmNo, "Danke, aber es geht nicht": ConfirmNo,
		"It doesn’t work": ConfirmNo, "Yes, thanks. One more question: where is the manual?": ConfirmNew, "Thanks. Please also send the invoice 4711.": ConfirmNew,
		"": ConfirmNew, "???": ConfirmNew, "The printer makes noise": ConfirmNew, "thanks for calling me yesterday about the contract renewal offer": ConfirmNew,
	} {
		if got := ReadConfirmation(reply, Address{"Maria Lopez", "jürgen@example.org"}); got != want {
			t.Errorf("%q: got %s, want %s", reply, got, want)
		}
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	resolved := stored(func(t *Ticket) { t.Status, t.Resolved = StatusResolved, noon })
	for _, tc := range []struct {
		name    string
		ticket  Ticket
		after   time.Duration
		letters string
		status  Status
	}{
		{"too early", *resolved, 2 * day, "", StatusResolved},
		{"asked once", *resolved, 3 * day, "silence→maria@example.org", StatusResolved},
		{"asked already", *stored(func(t *Ticket) { t.Status, t.Resolved, t.FollowedUp = StatusResolved, noon, noon.Add(3*day) }), 5 * day, "", StatusResolved},
		{"closed", *stored(func(t *Ticket) { t.Status, t.Resolved, t.FollowedUp = StatusResolved, noon, noon.Add(3*day) }), 7 * day, "closed→maria@example.org", StatusClosed},
		{"the desk was down for ten days: asked first", *resolved, 10 * day, "silence→maria@example.org", StatusResolved},
		{"and not closed the day after", *stored(func(t *Ticket) { t.Status, t.Resolved, t.FollowedUp = StatusResolved, noon, noon.Add(10*day) }), 11 * day, "", StatusResolved},
		{"open", *stored(), 30 * day, "", StatusOpen},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, ok := Silence(tc.ticket, foundWith(), rulesForTest(), noon.Add(tc.after))
			want(t, "letters", letters(c), tc.letters)
			if !ok {
				want(t, "status", tc.ticket.Status, tc.status)
				return
			}
			want(t, "status", c.Tickets[0].Ticket.Status, tc.status)
		})
	}
}

func TestButtons(t *testing.T) {
	t.Parallel()
	press := func(address, action, text string, status Status) Change {
		in := Inbound{Channel: ChannelWeb, Brand: "baleyo", Ledger: 9, Received: noon, Button: &Button{Ticket: 42, Person: 7, Address: address, Action: action, Text: text}}
		return Receive(foundWith(stored(func(t *Ticket) { t.Status, t.Resolved = status, noon })), in, rulesForTest(), noon)
	}
	want(t, "confirm", letters(press("maria@example.org", "confirm", "", StatusResolved)), "confirmed→maria@example.org")
	want(t, "reopen", letters(press("maria@example.org", "reopen", "", StatusResolved)), "reopened→maria@example.org agent-message→asha@baleyo.test")
	want(t, "words", letters(press("maria@example.org", "confirm", "but the scanner", StatusResolved)), "reopened→maria@example.org agent-message→asha@baleyo.test")
	want(t, "stranger", press("eve@evil.test", "confirm", "", StatusResolved).Disposition, DisposeDiscarded)
	want(t, "twice", letters(press("maria@example.org", "confirm", "", StatusClosed)), "")
}

func FuzzCommands(f *testing.F) {
	for _, s := range []string{"#close", "#pending until 3 days", "#assign asha", "#cc +a@b.test -c@d.test", "#merge #7", "#time 15m", "#closs"} {
		f.Add(s)
	}
	rules := rulesForTest()
	f.Fuzz(func(t *testing.T, line string) {
		commands, problems := ParseCommands([]string{line}, asha, rules, noon)
		if len(commands)+len(problems) != 1 {
			t.Errorf("%q: %d commands, %d problems", line, len(commands), len(problems))
		}
	})
}

// TestWelcomeIsTheirBrands: the guide names the mailbox that the agent works
// with, in its language, not whichever brand comes first.
func TestWelcomeIsTheirBrands(t *testing.T) {
	t.Parallel()
	rules := rulesForTest()
	rules.Queues["haus"] = Queue{Key: "haus", Tiers: [][]string{{"gerda@zephyr.test"}}}
	zephyr := rules.Brands["zephyr"]
	zephyr.Mailboxes = []Mailbox{{"hilfe@zephyr.test", "haus", ""}}
	rules.Brands["zephyr"] = zephyr
	gerda := Agent{ID: 15, Name: "Gerda", Address: "gerda@zephyr.test", Role: RoleAgent}
	want(t, "gerda's", Welcome(gerda, rules).Brand, "zephyr")
	want(t, "language", Welcome(gerda, rules).Letters[0].Language, "de")
	want(t, "asha's", Welcome(asha, rules).Brand, "baleyo")
	want(t, "nobody's", Welcome(Agent{Address: "new@x.test"}, rules).Brand, "baleyo")
}

// An agent's mail whose key cannot be asked for waits, the longer the longer it
// lasts, and for half an hour at most; a customer's does not wait at all.
func TestAgentWaitsForProof(t *testing.T) {
	t.Parallel()
	asha := rulesForTest().Agents["asha@baleyo.test"]
	decide := func(after time.Duration) Change {
		return Receive(foundWith(stored()), fromAgent(asha, 2, []string{"#close"}, "Solved.", func(in *Inbound) {
			in.Auth, in.Tried = Auth{Method: "none", Detail: "no key", Later: true}, noon
		}), rulesForTest(), noon.Add(after))
	}
	for after, next := range map[time.Duration]time.Duration{
		0: 30 * time.Second, 30 * time.Second: time.Minute, 8 * time.Minute: 16 * time.Minute, 20 * time.Minute: 30 * time.Minute,
	} {
		c := decide(after)
		if got := c.Defer.Sub(noon); got != next || len(c.Letters) > 0 || len(c.Tickets) > 0 {
			t.Errorf("after %s: tried again after %s, want %s; %+v", after, got, next, c)
		}
	}
	c := decide(30 * time.Minute)
	want(t, "at the end", c.Reason, "agent-unproven")
	want(t, "waits", c.Defer.IsZero(), true)
	c = Receive(Found{}, mail(func(in *Inbound) { in.Auth = Auth{Method: "none", Later: true} }), rulesForTest(), noon)
	want(t, "a customer's", c.Disposition, DisposeMessage)
}
