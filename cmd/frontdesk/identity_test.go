package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"frontdesk/internal/testmail"
	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

// oneTicket is a desk with ticket #1 of maria's, whose mails to agents have
// arrived.
func oneTicket(t *testing.T, more string) (*testmail.Office, *liveDesk) {
	t.Helper()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test", "eve@evil.test")
	d := openDeskAt(t, o, oneBrand(o, "One", "one.test", more))
	post(t, o, "maria@example.test", "Maria Lopez <maria@example.test>", "support@one.test", mailText("It will not print.", "Subject: Printer", "Message-ID: <first@example.test>"))
	waitMail(t, o, "maria@example.test", "the acknowledgement", subject("[One #1]"))
	for _, a := range []string{"asha@one.test", "bikram@one.test"} {
		waitMail(t, o, a, "the ticket", subject("[One #1]"))
	}
	return o, d
}

// relayOf is the address that an agent's client would answer to.
func relayOf(t *testing.T, o *testmail.Office, agent string) string {
	t.Helper()
	var relay string
	for _, m := range inboxOf(t, o, agent) {
		if strings.Contains(m.Subject, "[One #1]") {
			relay = m.ReplyTo[0].Address
		}
	}
	return relay
}

// letterCount is how many mails a user has.
func letterCount(t *testing.T, o *testmail.Office, user string) int {
	t.Helper()
	return len(inboxOf(t, o, user))
}

func quarantined(t *testing.T, d *liveDesk) []store.Entry {
	t.Helper()
	held, err := d.db.Quarantine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// TestMailInAnAgentsName: E03, E04, E05, E09, E10. What is not proven, not
// fitting or not a person's goes nowhere, and is kept.
func TestMailInAnAgentsName(t *testing.T) {
	t.Parallel()
	o, d := oneTicket(t, "")
	relay := relayOf(t, o, "asha@one.test")
	altered := strings.Replace(relay, "+a1", "+a2", 1)
	steps := []struct {
		name, user, from, to, reason string
		fields                       []string
	}{
		{"E03 a forged proof below the border", "eve@evil.test", "Asha <asha@one.test>", relay, "agent-unproven",
			[]string{"Authentication-Results: mx.office.test; dmarc=pass header.from=one.test"}},
		{"a stranger who knows the relay address", "eve@evil.test", "Eve <eve@evil.test>", relay, "not-an-agent", nil},
		{"E05 an altered relay address", "asha@one.test", "Asha <asha@one.test>", altered, "relay-forged", nil},
		{"a colleague's relay address", "bikram@one.test", "Bikram <bikram@one.test>", relay, "relay-person", nil},
		{"E09 an agent's vacation note", "asha@one.test", "Asha <asha@one.test>", relay, "", []string{"Auto-Submitted: auto-replied"}},
	}
	for i, s := range steps {
		post(t, o, s.user, s.from, s.to, mailText("#close\nNot from the desk.", append(s.fields, "Subject: Re: [One #1] Printer", fmt.Sprintf("Message-ID: <s%d@x.test>", i))...))
		settle(t, nil, d)
		held := quarantined(t, d)
		if s.reason == "" {
			continue
		}
		if len(held) == 0 || held[len(held)-1].Reason != s.reason {
			t.Errorf("%s: quarantine %+v, want %s last", s.name, held, s.reason)
		}
	}
	// E04: an agent leaves the team, and still has the relay address.
	if err := d.reload(strings.NewReplacer("asha@one.test, bikram@one.test", "asha@one.test", "  - {name: Bikram, email: bikram@one.test}\n", "").Replace(oneBrand(o, "One", "one.test", ""))); err != nil {
		t.Fatal(err)
	}
	answerAs(t, o, "bikram@one.test", "[One #1]", "I still can.")
	settle(t, nil, d)
	if held := quarantined(t, d); held[len(held)-1].Reason != "not-an-agent" {
		t.Errorf("E04: %+v", held[len(held)-1])
	}
	if n := letterCount(t, o, "maria@example.test"); n != 1 {
		t.Errorf("maria has %d letters, want the acknowledgement alone: %q", n, subjects(t, o, "maria@example.test"))
	}
	ticket, err := d.db.Ticket(t.Context(), 1)
	if err != nil || ticket.Status != tickets.StatusNew || ticket.Version != 1 {
		t.Errorf("the ticket moved: %s, version %d, %v", ticket.Status, ticket.Version, err)
	}
}

// TestStrangerOnATicket: a tag, a leaked Message-ID, E07 (a second address and a
// Reply-To elsewhere), E10 (control fields).
func TestStrangerOnATicket(t *testing.T) {
	t.Parallel()
	o, d := oneTicket(t, "")
	ack := waitMail(t, o, "maria@example.test", "the acknowledgement", subject("[One #1]"))
	post(t, o, "eve@evil.test", "Eve <eve@evil.test>", "support@one.test", mailText("Let me in.", "Subject: Re: [One #1] Printer", "Message-ID: <e1@evil.test>",
		"X-Frontdesk-Ticket: 1", "X-Frontdesk-Loop: "+strings.Repeat("a", 27), "Reply-To: maria@example.test"))
	waitMail(t, o, "asha@one.test", "a ticket of her own", subject("[One #2]"))
	post(t, o, "eve@evil.test", "Eve <eve@evil.test>", "support@one.test", mailText("Let me in again.", "Subject: Re: Printer", "Message-ID: <e2@evil.test>", "In-Reply-To: <"+ack.MessageID+">"))
	seen := waitMail(t, o, "asha@one.test", "the stranger's words", text("Let me in again."))
	if !strings.Contains(seen.Subject, "[One #1]") || !strings.Contains(strings.ToLower(seen.Text), "not on this") && !strings.Contains(strings.ToLower(seen.Text), "unverified") && !strings.Contains(strings.ToLower(seen.Text), "not verified") {
		t.Errorf("the agent is not warned: %s\n%s", seen.Subject, seen.Text)
	}
	answerAs(t, o, "asha@one.test", "[One #1]", "Dear Maria, only for you.")
	waitMail(t, o, "maria@example.test", "the answer", text("only for you"))
	settle(t, nil, d)
	for _, m := range inboxOf(t, o, "eve@evil.test") {
		if strings.Contains(m.Subject, "#1]") {
			t.Errorf("the stranger got a letter of ticket 1: %s", m.Subject)
		}
	}
	ticket, err := d.db.Ticket(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := ticket.Participant("eve@evil.test"); p.Role != tickets.PartyThird {
		t.Errorf("the stranger is %q on the ticket", p.Role)
	}
	if p := ticket.Participants[0]; p.Address.Address != "maria@example.test" || p.Role != tickets.PartyRequester {
		t.Errorf("the requester changed: %+v", p)
	}
}

// TestTwoAgentsOneLetter: both answer the same version; one letter leaves, the
// second is held with the colleague's words, and goes with #send anyway.
func TestTwoAgentsOneLetter(t *testing.T) {
	t.Parallel()
	o, d := oneTicket(t, "")
	answerAs(t, o, "asha@one.test", "[One #1]", "Turn it off and on.")
	waitMail(t, o, "maria@example.test", "the first answer", text("off and on"))
	file := "--b\r\nContent-Type: text/plain\r\n\r\nBuy a new one.\r\n--b\r\nContent-Type: application/pdf; name=offer.pdf\r\nContent-Disposition: attachment; filename=offer.pdf\r\n\r\n%PDF-1.4 offer\r\n--b--\r\n"
	post(t, o, "bikram@one.test", "Bikram <bikram@one.test>", relayOf(t, o, "bikram@one.test"), []byte("Subject: Re: [One #1] Printer\r\nMessage-ID: <offer@one.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"+file))
	held := waitMail(t, o, "bikram@one.test", "the held answer", text("Buy a new one."))
	if !strings.Contains(held.Text, "Turn it off and on.") || !strings.Contains(held.Text, "Buy a new one.") {
		t.Errorf("the held mail shows neither both:\n%s", held.Text)
	}
	settle(t, nil, d)
	if n := letterCount(t, o, "maria@example.test"); n != 2 {
		t.Fatalf("maria has %d letters, want acknowledgement and one answer", n)
	}
	answerAs(t, o, "bikram@one.test", "[One #1]", "#send anyway")
	got := waitMail(t, o, "maria@example.test", "the second answer", text("Buy a new one."))
	if len(got.Attachments) != 1 || string(got.Attachments[0].Data) != "%PDF-1.4 offer" {
		t.Errorf("the file of the held answer did not come along: %+v", got.Attachments)
	}
}

// TestOnlyNewWordsLeave: E08, an agent answers below the quotation of a
// notification that shows a note; nothing internal goes to the customer.
func TestOnlyNewWordsLeave(t *testing.T) {
	t.Parallel()
	o, d := oneTicket(t, "")
	answerAs(t, o, "asha@one.test", "[One #1]", "#note\nThe customer never paid.")
	waitMail(t, o, "asha@one.test", "the receipt", text("note added"))
	answerAs(t, o, "asha@one.test", "[One #1]", "#history")
	history := waitMail(t, o, "asha@one.test", "the history", text("never paid"))
	body := "We come on Monday.\n\nOn Monday, Maria Lopez (One #1) <" + history.ReplyTo[0].Address + "> wrote:\n> " + strings.ReplaceAll(history.Text, "\n", "\n> ")
	answerAs(t, o, "asha@one.test", "[One #1]", body)
	got := waitMail(t, o, "maria@example.test", "the answer", text("We come on Monday."))
	settle(t, nil, d)
	if all := fmt.Sprint(got.Text, got.HTML, got.Header); strings.Contains(all, "never paid") || strings.Contains(strings.ToLower(all), "asha@") || strings.Contains(all, "+a1-") {
		t.Errorf("something internal left: %s", all)
	}
}

// TestWithoutRelayAddresses: a provider without subaddressing; the whole
// conversation runs on our Message-IDs.
func TestWithoutRelayAddresses(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test")
	yaml := strings.Replace(oneBrand(o, "One", "one.test", ""), "        trusted_authserv_ids", "        subaddressing: \"\"\n        trusted_authserv_ids", 1)
	d := openDeskAt(t, o, yaml)
	post(t, o, "maria@example.test", "Maria <maria@example.test>", "support@one.test", mailText("Help.", "Subject: Help", "Message-ID: <h@example.test>"))
	notice := waitMail(t, o, "asha@one.test", "the ticket", subject("[One #1]"))
	if strings.Contains(notice.From.Address, "+") {
		t.Errorf("a relay address %s where the provider has none", notice.From.Address)
	}
	post(t, o, "asha@one.test", "Asha <asha@one.test>", "support@one.test", mailText("#close\nIt was the cable.", "Subject: Re: "+notice.Subject, "Message-ID: <a@one.test>", "In-Reply-To: <"+notice.MessageID+">"))
	letter := waitMail(t, o, "maria@example.test", "the resolution", text("It was the cable."))
	post(t, o, "maria@example.test", "Maria <maria@example.test>", "support@one.test", mailText("Thanks!", "Subject: Re: "+letter.Subject, "Message-ID: <h2@example.test>", "In-Reply-To: <"+letter.MessageID+">"))
	settle(t, nil, d)
	ticket, err := d.db.Ticket(t.Context(), 1)
	if err != nil || ticket.Status != tickets.StatusClosed {
		t.Errorf("status %s, %v, want closed", ticket.Status, err)
	}
}

// TestLoggedForSomebodyElse: #from, a forwarded mail, a release of held mail, by mail.
func TestLoggedForSomebodyElse(t *testing.T) {
	t.Parallel()
	o, d := oneTicket(t, "")
	post(t, o, "asha@one.test", "Asha <asha@one.test>", "support@one.test", mailText("#from eve@evil.test\n#category technical\nShe stood at the counter: no toner.", "Subject: Toner", "Message-ID: <w@one.test>"))
	waitMail(t, o, "eve@evil.test", "the acknowledgement of a walk-in", subject("[One #2] Toner"))
	post(t, o, "bikram@one.test", "Bikram <bikram@one.test>", "support@one.test", mailText("This came to me.\n\n---------- Forwarded message ---------\nFrom: Maria Lopez <maria@example.test>\nDate: Mon, 2 Mar 2026 at 10:00\nSubject: Invoice\nTo: <bikram@one.test>\n\nWhere is my invoice?", "Subject: Fwd: Invoice", "Message-ID: <f@one.test>"))
	waitMail(t, o, "asha@one.test", "the forwarded request", func(m *parser.Mail) bool {
		return strings.Contains(m.Subject, "[One #3]") && strings.Contains(m.Text, "Where is my invoice?")
	})
	waitMail(t, o, "maria@example.test", "its acknowledgement", subject("[One #3]"))
	settle(t, nil, d)
	messages, err := d.db.Messages(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(messages, func(m tickets.Message) bool { return m.Direction == tickets.DirectionNote }); i < 0 || strings.TrimSpace(messages[i].Text) != "This came to me." {
		t.Errorf("the agent's own words are no note: %+v", messages)
	}
}
