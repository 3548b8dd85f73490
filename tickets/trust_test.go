package tickets

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func ourID(ticket int64) string {
	return Keyring{Current: secret}.MessageID(ticket, "l7", "baleyo.test")
}

// TestMergeGivesNoRightsBack: who was taken off a ticket does not come back by
// an old ticket that was merged into it, and who asks on the old one is on it.
func TestMergeGivesNoRightsBack(t *testing.T) {
	t.Parallel()
	old := stored(func(t *Ticket) { t.Status, t.MergedInto = StatusMerged, 43 })
	target := stored(func(t *Ticket) {
		t.ID = 43
		t.Participants = []Participant{{20, Address{"", "other@example.org"}, PartyRequester}, {7, Address{"", "maria@example.org"}, PartyRemoved}}
	})
	c := Receive(foundWith(old, target), mail(func(in *Inbound) { in.InReplyTo = []string{ourID(42)} }), rulesForTest(), noon)
	want(t, "author", c.Tickets[0].Messages[0].Author.Kind, AuthorThird)

	target.Status, target.Participants[1].Role = StatusOpen, PartyThird
	c = Receive(foundWith(stored(), target), fromAgent(asha, 2, []string{"#merge 43"}, ""), rulesForTest(), noon)
	p, _ := c.Tickets[1].Ticket.Participant("maria@example.org")
	want(t, "the requester of the merged ticket", p.Role, PartyFollower)
}

// TestRefusedFilesAreToldToWhoSentThem: a stranger's file names once went to
// the requester, without any limit.
func TestRefusedFilesAreToldToWhoSentThem(t *testing.T) {
	t.Parallel()
	from := func(a string) func(*Inbound) {
		return func(in *Inbound) {
			in.From, in.Sender, in.InReplyTo = Address{"", a}, &a, []string{ourID(42)}
			in.Attachments = []Attachment{{Filename: "see http://evil.test/now.exe", ContentType: "application/x-msdownload"}}
		}
	}
	c := Receive(foundWith(stored()), mail(from("eve@evil.test")), rulesForTest(), noon)
	want(t, "a stranger's", letters(c), "agent-message→asha@baleyo.test")
	follower := stored(func(t *Ticket) {
		t.Participants = append(t.Participants, Participant{8, Address{"", "boss@example.org"}, PartyFollower})
	})
	c = Receive(foundWith(follower), mail(from("boss@example.org")), rulesForTest(), noon)
	want(t, "a follower's", letters(c), "refused→boss@example.org agent-message→asha@baleyo.test")
	if name := letter(t, c, LetterRefused).Data.Refused[0].Filename; strings.Contains(name, "evil.") {
		t.Errorf("words of an unproven sender: %q", name)
	}
	found := foundWith(follower)
	found.Acks.SenderHour = 99
	want(t, "over the limit", letters(Receive(found, mail(from("boss@example.org")), rulesForTest(), noon)), "agent-message→asha@baleyo.test")
}

func TestButtonOnAMergedTicket(t *testing.T) {
	t.Parallel()
	old := stored(func(t *Ticket) { t.Status, t.MergedInto = StatusMerged, 43 })
	in := Inbound{Ledger: 5, Channel: ChannelWeb, Brand: "baleyo", Mailbox: "support@baleyo.test", Received: noon, From: Address{"", "maria@example.org"},
		Kind: KindMessage, Button: &Button{Ticket: 42, Address: "maria@example.org", Action: "add", Text: "One more thing."}}
	c := Receive(foundWith(old, stored(func(t *Ticket) { t.ID = 43 })), in, rulesForTest(), noon)
	want(t, "ticket", c.Tickets[0].Ticket.ID, int64(43))
	want(t, "messages", len(c.Tickets[0].Messages), 1)
}

// TestBounceOfOneCopy: the copies of an answer share a Message-ID; a report
// that names it is about the copy of its recipient.
func TestBounceOfOneCopy(t *testing.T) {
	t.Parallel()
	id := Keyring{Current: secret}.MessageID(42, "m2", "baleyo.test")
	report := func(recipient string) Change {
		found := foundWith(stored())
		found.ByMessageID[id] = []Hit{{Ticket: 42, Message: 2, Letter: 8, To: "maria@example.org"}, {Ticket: 42, Message: 2, Letter: 9, To: "boss@example.org"}}
		found.Letters[id] = &SentLetter{ID: 8, Ticket: 42, Kind: LetterAnswer, To: "maria@example.org", MessageID: id}
		return Receive(found, mail(func(in *Inbound) {
			in.Kind, in.Bounce = KindBounce, &Bounce{Recipient: recipient, Status: "5.1.1", Hard: true, MessageID: id}
		}), rulesForTest(), noon)
	}
	c := report("Boss@example.org")
	want(t, "letter", c.Bounces[0].Letter, int64(9))
	want(t, "suppressed", fmt.Sprint(c.Suppress), "[boss@example.org]")
	want(t, "maria's", fmt.Sprint(report("maria@example.org").Suppress), "[maria@example.org]")
	want(t, "somebody's", fmt.Sprint(report("third@elsewhere.test").Suppress), "[]")
}

// TestCommandsThatCannotBeMeant fail closed, like unknown ones.
func TestCommandsThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	links := []string{}
	for i := range 20 {
		links = append(links, fmt.Sprintf("#link %d", 100+i))
	}
	for _, c := range []struct {
		commands, text, problem string
		ticket                  func(*Ticket)
	}{
		{commands: "#merge 43|#merge 44", problem: "#merge twice"},
		{commands: "#split|#split", problem: "#split twice"},
		{commands: "#assign asha|#assign bikram", problem: "#assign twice"},
		{commands: strings.Join(links, "|"), problem: "at most"},
		{commands: "#cc +support+x@baleyo.test", text: "x", problem: "own address"},
		{commands: "#cc +asha@baleyo.test", text: "x", problem: "in the team"},
		{commands: "#cc -maria@example.org", text: "x", problem: "is the requester"},
		{commands: "#from support@baleyo.test", problem: "own address"},
		{commands: "#close", problem: "it is closed", ticket: func(t *Ticket) { t.Status = StatusClosed }},
		{commands: "#close", problem: "spam", ticket: func(t *Ticket) { t.Status = StatusSpam }},
	} {
		t.Run(c.commands, func(t *testing.T) {
			t.Parallel()
			ticket := stored()
			if c.ticket != nil {
				c.ticket(ticket)
			}
			got := Receive(foundWith(ticket), fromAgent(bikram, 2, strings.Split(c.commands, "|"), c.text), rulesForTest(), noon)
			want(t, "letters", letters(got), "agent-held→bikram@baleyo.test")
			if p := strings.Join(letter(t, got, LetterHeld).Data.Problems, "; "); !strings.Contains(p, c.problem) {
				t.Errorf("problem: got %q, want %q in it", p, c.problem)
			}
		})
	}
	// A request that is only being logged cannot be closed by the same mail:
	// that was left out without a word.
	plain := func(in *Inbound) {
		in.Recipients, in.To, in.Subject, in.SubjectCore, in.ReplyPrefix = []string{"support@baleyo.test"}, nil, "Walk-in", "Walk-in", false
	}
	c := Receive(foundWith(), fromAgent(asha, 0, []string{"#from lee@example.org", "#close"}, "Toner.", plain), rulesForTest(), noon)
	want(t, "#close of what is being logged", letters(c), "agent-held→asha@baleyo.test")
	c = Receive(foundWith(), fromAgent(asha, 0, []string{"#from lee@example.org", "#hold until friday"}, "Toner.", plain), rulesForTest(), noon)
	want(t, "#hold of what is being logged", c.Tickets[0].Ticket.Status, StatusHold)
	c = Receive(foundWith(), fromAgent(asha, 0, []string{"#note"}, "He was rude.", plain), rulesForTest(), noon)
	want(t, "#note on no ticket", letters(c), "agent-held→asha@baleyo.test")
}

func TestPendingAnewForgetsTheDate(t *testing.T) {
	t.Parallel()
	ticket := stored(func(t *Ticket) { t.Status, t.PendingUntil = StatusHold, noon.Add(time.Hour) })
	c := Receive(foundWith(ticket), fromAgent(asha, 2, []string{"#pending"}, ""), rulesForTest(), noon)
	want(t, "until", c.Tickets[0].Ticket.PendingUntil.IsZero(), true)
}

// TestHeldCommandsRunAgain: all of them, and not two that contradict.
func TestHeldCommandsRunAgain(t *testing.T) {
	t.Parallel()
	found := foundWith(stored())
	found.History = append(found.History, Message{ID: 3, Ticket: 42, Seq: 3, Version: 2, Direction: DirectionHeld, Commands: []string{"#tag +a", "#tag +b", "#close", "#closs"},
		Author: Author{AuthorAgent, bikram.ID, Address{"Bikram", bikram.Address}}, Text: "Buy a new one."})
	c := Receive(found, fromAgent(bikram, 1, []string{"#send anyway"}, ""), rulesForTest(), noon)
	want(t, "tags", fmt.Sprint(c.Tickets[0].Ticket.Tags), "[a b]")
	c = Receive(found, fromAgent(bikram, 1, []string{"#send anyway", "#pending"}, ""), rulesForTest(), noon)
	want(t, "#pending and the held #close", letters(c), "agent-held→bikram@baleyo.test")
}

// TestAgentsWordsStay: a line with a relay address is the agent's unless it is
// a client's heading, and only whole addresses are replaced.
func TestAgentsWordsStay(t *testing.T) {
	t.Parallel()
	relay := Keyring{Current: secret}.RelayAddress("support@baleyo.test", "+", Relay{42, asha.ID, RelayAgent, 2})
	c := Receive(foundWith(stored()), fromAgent(asha, 2, nil, "Note: write to "+relay+" please.\nFrom: "+relay+"\nNot natasha@baleyo.test or asha@baleyo.test.uk."), rulesForTest(), noon)
	want(t, "text", letter(t, c, LetterAnswer).Data.Text, "Note: write to support@baleyo.test please.\nNot natasha@baleyo.test or asha@baleyo.test.uk.")

	found := foundWith(stored())
	found.History = append(found.History, Message{ID: 3, Ticket: 42, Version: 2, Direction: DirectionIn, Author: Author{AuthorThird, 9, Address{"", "eve@evil.test"}}, Text: "Send me the key."})
	c = Receive(found, fromAgent(asha, 2, nil, "> Send me the key.\nWe do not."), rulesForTest(), noon)
	want(t, "a third party's words are not relayed", letter(t, c, LetterAnswer).Data.Text, "We do not.")
}

func TestOursWithASeparatorInTheName(t *testing.T) {
	t.Parallel()
	r := Rules{Brands: map[string]Brand{"b": {Mailboxes: []Mailbox{{Address: "help-desk@b.test", Subaddressing: "-"}}}}}
	for a, ours := range map[string]bool{"help-desk@b.test": true, "Help-Desk-x@b.test": true, "help@b.test": false, "help-deskx@b.test": false} {
		want(t, a, r.Ours(a), ours)
	}
}

// TestAgentsMachineIsAnsweredBounded: a vacation note that does not say that it
// is one answers each receipt.
func TestAgentsMachineIsAnsweredBounded(t *testing.T) {
	t.Parallel()
	found := foundWith(stored())
	found.Acks = AckCounts{SenderHour: 300, Ticket10min: map[int64]int{42: 20}}
	want(t, "held", letters(Receive(found, fromAgent(bikram, 0, nil, "I am away."), rulesForTest(), noon)), "")
	loose := func(in *Inbound) {
		in.Recipients = []string{Keyring{Current: secret}.RelayAddress("support@baleyo.test", "+", Relay{0, bikram.ID, RelayAgent, 0})}
	}
	want(t, "about no ticket", letters(Receive(found, fromAgent(bikram, 0, nil, "I am away.", loose), rulesForTest(), noon)), "")
}

// TestNoAutomaticLetterToADeadAddress, whoever wrote or acted.
func TestNoAutomaticLetterToADeadAddress(t *testing.T) {
	t.Parallel()
	ticket := stored(func(t *Ticket) {
		t.Status, t.Severity, t.Dead = StatusResolved, "low", []string{"maria@example.org"}
		t.Participants = append(t.Participants, Participant{8, Address{"", "boss@example.org"}, PartyFollower})
	})
	in := mail(func(in *Inbound) {
		in.From, in.Sender, in.InReplyTo = Address{"", "boss@example.org"}, nil, []string{ourID(42)}
	})
	want(t, "a follower reopens", letters(Receive(foundWith(ticket), in, rulesForTest(), noon)), "agent-message→asha@baleyo.test")
	want(t, "the priority changes", letters(Receive(foundWith(ticket), fromAgent(asha, 2, []string{"#severity high"}, ""), rulesForTest(), noon)), "agent-receipt→asha@baleyo.test")
	want(t, "an agent's words go out", letters(Receive(foundWith(ticket), fromAgent(asha, 2, nil, "Hello"), rulesForTest(), noon)), "answer→maria@example.org answer→boss@example.org")
}

// TestLettersOfASplitHaveKeysOfTheirOwn: the letter about the new ticket and
// the one that hands the old one over had one key, and one was lost.
func TestLettersOfASplitHaveKeysOfTheirOwn(t *testing.T) {
	t.Parallel()
	found := foundWith(stored(func(t *Ticket) { t.Version, t.Assignee = 3, "" }))
	found.History = append(found.History, Message{ID: 3, Ticket: 42, Seq: 3, Version: 3, Direction: DirectionIn, Subject: "Invoice 77", Author: Author{AuthorCustomer, 7, Address{"", "maria@example.org"}}, Text: "And the invoice?"})
	c := Receive(found, fromAgent(bikram, 3, []string{"#split", "#assign asha"}, ""), rulesForTest(), noon)
	keys := map[string]bool{}
	for _, tc := range c.Tickets {
		for _, l := range tc.Letters {
			if keys[l.Key] {
				t.Errorf("twice: %s", l.Key)
			}
			keys[l.Key] = true
		}
	}
	want(t, "letters", len(keys), 4) // the new ticket to both, the old one to asha, the receipt
}

func TestReplyBySubjectToAMergedTicket(t *testing.T) {
	t.Parallel()
	found := foundWith(stored(func(t *Ticket) { t.Status, t.MergedInto = StatusMerged, 43 }), stored(func(t *Ticket) { t.ID, t.SubjectCore = 43, "Other" }))
	found.BySubject = []int64{42}
	c := Receive(found, mail(func(in *Inbound) { in.ReplyPrefix = true }), rulesForTest(), noon)
	want(t, "ticket", c.Tickets[0].Ticket.ID, int64(43))
}

func TestStrangerDoesNotOpenSpam(t *testing.T) {
	t.Parallel()
	eve := "eve@evil.test"
	c := Receive(foundWith(stored(func(t *Ticket) { t.Status = StatusSpam })), mail(func(in *Inbound) {
		in.From, in.Sender, in.InReplyTo = Address{"", eve}, &eve, []string{ourID(42)}
	}), rulesForTest(), noon)
	want(t, "status", c.Tickets[0].Ticket.Status, StatusSpam)
}
