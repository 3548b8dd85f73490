package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"frontdesk/internal/testmail"
	"frontdesk/parser"
	"frontdesk/tickets"
)

// TestTwoDesksThatAnswerEachOther: D04. A mail forged in the name of the other
// desk must not start an exchange that goes on.
func TestTwoDesksThatAnswerEachOther(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "support@two.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "asha@two.test", "bikram@two.test", "chandra@two.test")
	one := openDeskAt(t, o, oneBrand(o, "One", "one.test", ""))
	two := openDeskAt(t, o, oneBrand(o, "Two", "two.test", ""))
	post(t, o, "support@two.test", "Two <support@two.test>", "support@one.test", mailText("Hello?", "Subject: Hello", "Message-ID: <first@two.test>"))
	waitMail(t, o, "support@two.test", "the acknowledgement", subject("[One #1]"))
	settle(t, nil, one, two)
	if a, b := len(inboxOf(t, o, "support@one.test")), len(inboxOf(t, o, "support@two.test")); a > 1 || b > 1 {
		t.Errorf("the desks wrote on: %d mails to one, %d to two, want 1 and 1", a, b)
	}
}

// TestResponderThatIgnoresEveryConvention: D11, a help desk in Cc or as sender
// that answers each mail with a fresh one, without a header that says so. The
// limits end it.
func TestResponderThatIgnoresEveryConvention(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "desk@rude.test")
	one := openDeskAt(t, o, oneBrand(o, "One", "one.test", ""))
	var answered atomic.Int64
	done := make(chan struct{})
	go func() { // the rude desk: a new ticket number in each answer
		defer close(done)
		for {
			n := int(answered.Load())
			_, err := o.IMAP.Wait(t.Context(), "desk@rude.test", "INBOX", func(testmail.Mail) bool {
				mails, err := o.IMAP.Mails("desk@rude.test", "INBOX")
				return err == nil && len(mails) > n
			})
			if err != nil {
				return
			}
			raw := mailText(fmt.Sprintf("We got your mail. Your number is %d.", 7000+n),
				"From: Rude Desk <desk@rude.test>", "To: support@one.test", fmt.Sprintf("Subject: Your request %d", 7000+n), fmt.Sprintf("Message-ID: <r%d@rude.test>", n))
			if err := o.Send("desk@rude.test", demoPassword, []string{"support@one.test"}, raw); err != nil {
				return
			}
			answered.Add(1)
		}
	}()
	post(t, o, "desk@rude.test", "Rude Desk <desk@rude.test>", "support@one.test", mailText("Hello.", "Subject: Hello", "Message-ID: <hello@rude.test>"))
	settle(t, func() bool { return int(answered.Load()) < len(inboxOf(t, o, "desk@rude.test")) }, one)
	if n := len(inboxOf(t, o, "desk@rude.test")); n == 0 || n > 5 {
		t.Errorf("the desk wrote %d letters to a responder, want 1 to 5 (the limit of an hour)", n)
	}
}

// TestFirstAcknowledgementBounces: D12.
func TestFirstAcknowledgementBounces(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test")
	one := openDeskAt(t, o, oneBrand(o, "One", "one.test", ""))
	send := func(n int) {
		post(t, o, "maria@example.test", "Gone <gone@example.test>", "support@one.test", mailText("Help.", fmt.Sprintf("Subject: Problem %d", n), fmt.Sprintf("Message-ID: <%d@example.test>", n)))
	}
	send(1) // the provider does not know gone@: 550 5.1.1 at once
	waitMail(t, o, "asha@one.test", "the ticket", subject("[One #1]"))
	settle(t, nil, one)
	if err := runSweep(t, one); err != nil {
		t.Fatal(err)
	}
	waitMail(t, o, "asha@one.test", "the notice that it did not arrive", text("gone@example.test (acknowledgement)"))
	send(2)
	waitMail(t, o, "asha@one.test", "the second ticket", subject("[One #2]"))
	settle(t, nil, one)
	letters, err := one.db.LettersWhere(t.Context(), []string{"failed", "sent", "queued", "bounced"}, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, l := range letters {
		if l.To == "gone@example.test" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d letters to a dead address, want the first one alone", n)
	}
}

// TestForgedRequesters: D09, mail in the names of victims. What reaches them is
// capped and holds no word of the attacker.
func TestForgedRequesters(t *testing.T) {
	t.Parallel()
	const victims = 40
	users := []string{"support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "attacker@evil.test"}
	for i := range victims {
		users = append(users, fmt.Sprintf("victim%d@example.test", i))
	}
	o := openOffice(t, users...)
	one := openDeskAt(t, o, oneBrand(o, "One", "one.test", "acknowledge: {per_domain_hour: 15}\n"))
	for i := range victims {
		for range 2 {
			who := fmt.Sprintf("victim%d@example.test", i)
			raw := mailText("Buy http://evil.test now", "From: Click http://evil.test <"+who+">", "To: support@one.test", "Subject: WIN http://evil.test", fmt.Sprintf("Message-ID: <%d@mta.test>", i)) // RFC 3834 section 3.1.5 wants it cited
			if err := o.SendFrom(who, "attacker@evil.test", demoPassword, []string{"support@one.test"}, raw); err != nil {
				t.Fatal(err)
			}
		}
	}
	waitMail(t, o, "asha@one.test", "the last ticket", subject(fmt.Sprintf("[One #%d]", victims)))
	settle(t, nil, one)
	reached := 0
	for i := range victims {
		for _, m := range inboxOf(t, o, fmt.Sprintf("victim%d@example.test", i)) {
			reached++
			if all := fmt.Sprint(m.Subject, m.To, m.Text, m.HTML, m.Header); strings.Contains(all, "evil") || strings.Contains(all, "WIN") {
				t.Errorf("a victim was sent the attacker's words: %s", all)
			}
		}
	}
	if reached == 0 || reached > 15 {
		t.Errorf("%d acknowledgements reached victims, want at most the 15 of the domain's hour", reached)
	}
	tally, err := one.db.Tally(t.Context(), "")
	if err != nil || tally.ByDisposition[tickets.DisposeMessage]+tally.ByDisposition[tickets.DisposeDuplicate] != 2*victims {
		t.Errorf("the tickets were not all made: %+v, %v", tally, err)
	}
}

// TestOrdinaryMailIsAcknowledged: D02, people get their acknowledgement whatever
// their client writes, Auto-Submitted: no and list leftovers included.
func TestOrdinaryMailIsAcknowledged(t *testing.T) {
	t.Parallel()
	people := 60
	if os.Getenv("TORTURE") == "1" {
		people = 500
	}
	users := []string{"support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test"}
	for i := range people {
		users = append(users, fmt.Sprintf("p%d@example.test", i))
	}
	o := openOffice(t, users...)
	one := openDeskAt(t, o, oneBrand(o, "One", "one.test", ""))
	extra := []string{"X-Mailer: Any", "Auto-Submitted: no", "X-Priority: 1", "References: <newsletter-77@shop.test>", "Importance: high", "X-Spam-Status: No"}
	for i := range people {
		who := fmt.Sprintf("p%d@example.test", i)
		post(t, o, who, "Person <"+who+">", "support@one.test", mailText(fmt.Sprintf("Question %d", i), fmt.Sprintf("Subject: Question %d", i), fmt.Sprintf("Message-ID: <q%d@example.test>", i), extra[i%len(extra)]))
	}
	for i := range people {
		waitMail(t, o, fmt.Sprintf("p%d@example.test", i), "the acknowledgement", subject("[One #"))
	}
	settle(t, nil, one)
	for i := range people {
		if n := len(inboxOf(t, o, fmt.Sprintf("p%d@example.test", i))); n != 1 {
			t.Errorf("p%d has %d letters, want exactly one", i, n)
		}
	}
}

// TestOneMessageIDTwoBodies: A10, a Message-ID that was sent in advance
// suppresses nothing.
func TestOneMessageIDTwoBodies(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test", "eve@evil.test")
	one := openDeskAt(t, o, oneBrand(o, "One", "one.test", ""))
	post(t, o, "eve@evil.test", "Eve <eve@evil.test>", "support@one.test", mailText("First.", "Subject: Early", "Message-ID: <same@example.test>"))
	waitMail(t, o, "asha@one.test", "the first", subject("[One #1]"))
	post(t, o, "maria@example.test", "Maria <maria@example.test>", "support@one.test", mailText("The real one.", "Subject: Help", "Message-ID: <same@example.test>"))
	waitMail(t, o, "asha@one.test", "the second", text("The real one."))
	settle(t, nil, one)
	messages, err := one.db.Messages(t.Context(), 2)
	if err != nil || len(messages) != 1 || !slices.Contains(messages[0].Flags, "duplicate-id") {
		t.Errorf("the second mail: %+v, %v; want a message of its own, flagged", messages, err)
	}
	tally, err := one.db.Tally(t.Context(), "")
	if err != nil || tally.ByDisposition[tickets.DisposeMessage] != 2 {
		t.Errorf("sums: %+v, %v, want two messages", tally, err)
	}
}

// TestOwnLetterComesBack: D10.
func TestOwnLetterComesBack(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test")
	one := openDeskAt(t, o, oneBrand(o, "One", "one.test", ""))
	post(t, o, "maria@example.test", "Maria <maria@example.test>", "support@one.test", mailText("Help.", "Subject: Help", "Message-ID: <h@example.test>"))
	waitMail(t, o, "maria@example.test", "the acknowledgement", subject("[One #1]"))
	mails, err := o.IMAP.Mails("maria@example.test", "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	// An alias that leads back: the letter as it was, and a mail with 31 hops.
	if err := o.Send("maria@example.test", demoPassword, []string{"support@one.test"}, mails[0].Raw); err != nil {
		t.Fatal(err)
	}
	hops := strings.Repeat("Received: from a by b; Mon, 2 Mar 2026 12:00:00 +0000\r\n", 31)
	post(t, o, "maria@example.test", "Maria <maria@example.test>", "support@one.test", append([]byte(hops), mailText("Round and round.", "Subject: Loop", "Message-ID: <loop@example.test>")...))
	settle(t, nil, one)
	held, err := one.db.Quarantine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(held) != 2 || held[0].Reason != "loop" || held[1].Reason != "loop" {
		t.Errorf("quarantine: %+v, want two loops", held)
	}
	if n := len(inboxOf(t, o, "maria@example.test")); n != 1 {
		t.Errorf("%d letters to maria, want the acknowledgement alone", n)
	}
}

// TestVacationNoteChangesNothing: D05, an out-of-office answer to the
// resolution letter neither confirms nor reopens.
func TestVacationNoteChangesNothing(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test")
	one := openDeskAt(t, o, oneBrand(o, "One", "one.test", ""))
	post(t, o, "maria@example.test", "Maria <maria@example.test>", "support@one.test", mailText("Help.", "Subject: Help", "Message-ID: <h@example.test>"))
	answerAs(t, o, "asha@one.test", "[One #1]", "#close\nSwitched it on.")
	letter := waitMail(t, o, "maria@example.test", "the resolution", text("Switched it on."))
	post(t, o, "maria@example.test", "Maria <maria@example.test>", letter.ReplyTo[0].Address, mailText("Yes, thanks! I am on holiday.", "Subject: Out of office: Re: Help", "Message-ID: <ooo@example.test>",
		"In-Reply-To: <"+letter.MessageID+">", "Auto-Submitted: auto-replied (vacation)"))
	settle(t, nil, one)
	ticket, err := one.db.Ticket(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if ticket.Status != tickets.StatusResolved {
		t.Errorf("status %s, want resolved", ticket.Status)
	}
}

// answerAs replies as an agent to the newest mail about a ticket, by its
// Reply-To, as a mail client does.
func answerAs(t *testing.T, o *testmail.Office, agent, about, body string) {
	t.Helper()
	waitMail(t, o, agent, "a mail about "+about, subject(about))
	var last *parser.Mail
	for _, m := range inboxOf(t, o, agent) {
		if strings.Contains(m.Subject, about) {
			last = m
		}
	}
	post(t, o, agent, agent, last.ReplyTo[0].Address, mailText(body, "Subject: Re: "+last.Subject, fmt.Sprintf("Message-ID: <%x@agents.test>", sha256.Sum224([]byte(body+last.MessageID))), "In-Reply-To: <"+last.MessageID+">"))
}

// runSweep makes the daemon's clockwork look now instead of at its next tick.
func runSweep(t *testing.T, d *liveDesk) error {
	t.Helper()
	return d.sweepNow(t.Context())
}

// TestFactsOfTheConfiguration: what a brand looks for in its mail reaches the
// agent, numbers in the form of the brand's country.
func TestFactsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test")
	yaml := strings.Replace(oneBrand(o, "One", "one.test", "facts: {order: 'PO-([0-9]{6})'}\n"), "    name: One\n", "    name: One\n    country: DE\n", 1)
	openDeskAt(t, o, yaml)
	post(t, o, "maria@example.test", "Maria <maria@example.test>", "support@one.test", mailText("Where is PO-123456? Call me at 030 901820.", "Subject: Order", "Message-ID: <o@example.test>"))
	got := waitMail(t, o, "asha@one.test", "the ticket", subject("[One #1]"))
	for _, want := range []string{"order: 123456", "phone: +4930901820"} {
		if !strings.Contains(got.Text, want) {
			t.Errorf("the agent does not see %q:\n%s", want, got.Text)
		}
	}
}
