package main

import (
	"fmt"
	"strings"
	"testing"

	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

// TestThirtyReportOneOutage: thirty customers write within minutes, in a few
// ways, that the line is down: one incident, one letter to the supervisor, thirty
// linked tickets; and what is written once reaches each of them in the thread
// that is theirs.
func TestThirtyReportOneOutage(t *testing.T) {
	t.Parallel()
	const customers = 30
	ways := []string{
		"Our internet connection is gone, the router's light is red.", "No internet here since ten, router red.",
		"We have no internet connection, the router shows a red light.", "internet down router red, please help",
		"The internet connection was lost, red light on the router.", "We are offline: no internet, red router.",
	}
	users := []string{"support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test"}
	for i := range customers {
		users = append(users, fmt.Sprintf("c%d@cust%d.test", i, i))
	}
	o := openOffice(t, users...)
	d := openDeskAt(t, o, oneBrand(o, "One", "one.test", "incidents: {customers: 5, within: 10 minutes}\nmorning_mail: \"off\"\n"))
	for i := range customers {
		who := fmt.Sprintf("c%d@cust%d.test", i, i)
		post(t, o, who, fmt.Sprintf("Customer %d <%s>", i, who), "support@one.test", mailText(ways[i%len(ways)],
			"Subject: "+[]string{"no internet", "Internet down", "connection lost"}[i%3], fmt.Sprintf("Message-ID: <report%d@cust.test>", i)))
	}
	settle(t, nil, d)
	list, err := d.db.Tickets(t.Context(), store.TicketQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != customers {
		t.Fatalf("%d tickets, want %d", len(list), customers)
	}
	first := list[0].Incident
	for _, tk := range list {
		if tk.Incident != first || tk.Incident == 0 {
			t.Errorf("#%d, %q, is part of incident #%d, want #%d", tk.ID, tk.Subject, tk.Incident, first)
		}
	}
	raised := 0
	var letter *parser.Mail
	for _, m := range inboxOf(t, o, "chandra@one.test") {
		if strings.Contains(m.Text, "major incident") {
			raised++
			letter = m
		}
	}
	if raised != 1 {
		t.Fatalf("%d letters about the incident to the supervisor, want 1: %v", raised, subjects(t, o, "chandra@one.test"))
	}

	to := letter.From.Address
	if len(letter.ReplyTo) > 0 {
		to = letter.ReplyTo[0].Address
	}
	post(t, o, "chandra@one.test", "Chandra <chandra@one.test>", to, mailText("#incident all\nThe line is being repaired; we expect it back at noon.",
		"Subject: Re: "+letter.Subject, "Message-ID: <all@one.test>", "In-Reply-To: <"+letter.MessageID+">"))
	settle(t, nil, d)
	for i := range customers {
		who := fmt.Sprintf("c%d@cust%d.test", i, i)
		got := 0
		for _, m := range inboxOf(t, o, who) {
			if !strings.Contains(flat(m.Text), "we expect it back at noon") {
				continue
			}
			got++
			if want := fmt.Sprintf("report%d@cust.test", i); len(m.InReplyTo) != 1 || m.InReplyTo[0] != want {
				t.Errorf("the answer to %s is in reply to %v, want %s", who, m.InReplyTo, want)
			}
			if strings.Contains(m.Text, "chandra@") || len(m.Cc) > 0 {
				t.Errorf("the answer to %s shows more than it should:\n%s", who, m.Text)
			}
		}
		if got != 1 {
			t.Errorf("%s has the answer %d times: %v", who, got, subjects(t, o, who))
		}
	}
	for _, tk := range list {
		messages, err := d.db.Messages(t.Context(), tk.ID)
		if err != nil {
			t.Fatal(err)
		}
		if last := messages[len(messages)-1]; last.Direction != tickets.DirectionOut || !strings.Contains(last.Text, "back at noon") {
			t.Errorf("#%d ends with %+v", tk.ID, last)
		}
	}
}
