package tickets

import "testing"

// TestKin: who is not on a ticket, and where their mail goes all the same. In
// no case do they become participants.
func TestKin(t *testing.T) {
	t.Parallel()
	tagged := func(name, address, subject string) func(*Inbound) {
		return func(in *Inbound) {
			in.MessageID, in.Content = "other@elsewhere.test", [32]byte{7}
			in.From, in.Sender = Address{name, address}, &address
			in.Subject, in.SubjectCore, in.ReplyPrefix = "Re: [Baleyo #42] "+subject, subject, true
		}
	}
	listed := func(in *Inbound) {
		in.Kind, in.Signals = KindBulk, []string{"list-id=<users.lists.test>"}
		in.To = []Address{{Address: "users@lists.test"}}
		in.InReplyTo = []string{"first@example.org"}
	}
	company := func(t *Ticket) { t.Participants[0].Address = Address{"Maria Lopez", "maria@lopez-gmbh.test"} }
	overList := func(t *Ticket) {
		t.Participants = append(t.Participants, Participant{9, Address{Address: "users@lists.test"}, PartyProposed})
	}
	for _, c := range []struct {
		name   string
		mail   func(*Inbound)
		more   func(*Inbound)
		ticket func(*Ticket)
		joins  bool
		rule   string
	}{
		{name: "tag and subject", mail: tagged("Mallory", "m@elsewhere.test", "Printer is offline"), rule: "T8"},
		{name: "of the organisation", mail: tagged("Boss", "boss@lopez-gmbh.test", "Printer is offline"), ticket: company, joins: true, rule: "T6"},
		{name: "of the organisation, other subject", mail: tagged("Boss", "boss@lopez-gmbh.test", "Holidays"), ticket: company, rule: "T8"},
		{name: "of a provider for everybody", mail: tagged("Boss", "boss@gmail.com", "Printer is offline"),
			ticket: func(t *Ticket) { t.Participants[0].Address = Address{"Maria Lopez", "maria@gmail.com"} }, rule: "T8"},
		{name: "from another address", mail: tagged("maria  LOPEZ", "ml77@gmail.com", "printer is  offline"), joins: true, rule: "T6"},
		{name: "of the same name, no subject", mail: tagged("Maria Lopez", "ml77@gmail.com", ""), rule: "T8"},
		{name: "on the same list", mail: tagged("Jan", "jan@ship.test", "Printer is offline"), more: listed, ticket: overList, joins: true, rule: "T3"},
		{name: "cites the list's mail in private", mail: tagged("Jan", "jan@ship.test", "Printer is offline"),
			more: func(in *Inbound) { in.InReplyTo = []string{"first@example.org"} }, ticket: overList, rule: "T8"},
		{name: "on another list", mail: tagged("Jan", "jan@ship.test", "Printer is offline"), more: listed, rule: "T8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := mail(c.mail)
			if c.more != nil {
				c.more(&in)
			}
			ticket := stored()
			if c.ticket != nil {
				c.ticket(ticket)
			}
			found := foundWith(ticket)
			found.ByMessageID["first@example.org"] = []Hit{{Ticket: 42, Message: 1}}
			rules := rulesForTest()
			rules.Ack.Bulk = true
			change := Receive(found, in, rules, noon)
			joined := len(change.Tickets) > 0 && change.Tickets[0].Ticket.ID == 42
			want(t, "joined", joined, c.joins)
			want(t, "rule", ruleOf(change), c.rule)
			if joined {
				p, _ := change.Tickets[0].Ticket.Participant(in.From.Address)
				want(t, "role", p.Role, PartyThird)
				want(t, "verified", change.Tickets[0].Ticket.Verified(in.From.Address), false)
			}
		})
	}
}

// TestServerGivenID: whoever cites the id that our letter got on its way has
// the letter; a stranger is heard, and no more.
func TestServerGivenID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from     string
		verified bool
	}{{"maria@example.org", true}, {"maria@home.test", false}} {
		in := mail(func(in *Inbound) {
			in.From, in.MessageID, in.Content = Address{"Maria", c.from}, "again@home.test", [32]byte{8}
			in.InReplyTo = []string{"0100abc@ses.test"}
		})
		found := foundWith(stored())
		found.ByMessageID["0100abc@ses.test"] = []Hit{{Ticket: 42, Letter: 5, To: "maria@example.org"}}
		change := Receive(found, in, rulesForTest(), noon)
		want(t, c.from+": ticket", change.Tickets[0].Ticket.ID, int64(42))
		want(t, c.from+": rule", ruleOf(change), "T2")
		want(t, c.from+": verified", change.Tickets[0].Ticket.Verified(c.from), c.verified)
	}
}

// TestTwin: one mail to two of our addresses has one Message-ID but not the
// same content; scanners have one Message-ID for everything.
func TestTwin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		mail  func(*Inbound)
		joins bool
	}{
		{"to another address", func(in *Inbound) { in.To = []Address{{Address: "info@baleyo.test"}} }, true},
		{"another text", func(in *Inbound) { in.Reply = "Page 2." }, false},
		{"another sender", func(in *Inbound) { in.From.Address = "mallory@elsewhere.test" }, false},
		{"no text", func(in *Inbound) { in.Reply = "" }, false},
	} {
		in := mail(func(in *Inbound) { in.Content = [32]byte{5} }, c.mail)
		found := foundWith(stored())
		first := history()[0]
		found.SameID = &first
		change := Receive(found, in, rulesForTest(), noon)
		want(t, c.name+": joins", change.Tickets[0].Ticket.ID == 42, c.joins)
		want(t, c.name+": flag", change.Tickets[0].Messages[0].Flags[0], "duplicate-id")
	}
}

// TestWritesForOthers: a market place sends all its customers' mail from one
// address under one subject.
func TestWritesForOthers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		replyTo string
		ticket  func(*Ticket)
		joins   bool
	}{
		{"for himself", "", nil, true},
		{"to himself", "MARIA@example.org", nil, true},
		{"for another", "buyer2@relay.test", nil, false},
		{"for one who is on it", "buyer1@relay.test", func(t *Ticket) {
			t.Participants = append(t.Participants, Participant{8, Address{Address: "buyer1@relay.test"}, PartyFollower})
		}, true},
	} {
		in := mail(func(in *Inbound) {
			in.MessageID, in.Content, in.Subject, in.ReplyPrefix = "x@relay.test", [32]byte{6}, "Re: Printer is offline", true
			if c.replyTo != "" {
				in.ReplyTo = []Address{{Address: c.replyTo}}
			}
		})
		ticket := stored()
		if c.ticket != nil {
			c.ticket(ticket)
		}
		found := foundWith(ticket)
		found.BySubject = []int64{42}
		change := Receive(found, in, rulesForTest(), noon)
		want(t, c.name+": joins", change.Tickets[0].Ticket.ID == 42, c.joins)
		if !c.joins {
			want(t, c.name+": links", len(change.Tickets[0].Ticket.Links), 0)
		}
	}
}
