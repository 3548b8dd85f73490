package notify

import (
	"time"

	"frontdesk/tickets"
)

// Sample is an invented letter of the kind in which everything is said: what
// templates are tried on, and what a preview shows without a ticket.
func Sample(kind tickets.LetterKind) tickets.Letter {
	at := time.Date(2026, 11, 23, 8, 20, 0, 0, time.UTC)
	return tickets.Letter{
		ID: 7, Ticket: 1234, Brand: "baleyo", Mailbox: "support@baleyo.example", Kind: kind, Language: "en",
		To: tickets.Address{Name: "Maria Keller", Address: "maria@keller.example"}, Person: 3, Subject: "Printer offline",
		Data: tickets.LetterData{
			Text: "The printer is offline since this morning.", Author: "Maria Keller <maria@keller.example>", At: at,
			Summary: "The printer is offline since this morning.", RespondWithin: "2 business hours", ResolveWithin: "48 hours",
			Category: "Technical Issues", Files: 2, Commands: []string{"#closs"}, Severity: "high", SizeLimit: 25 << 20, Types: []string{"image/*", "application/pdf"}, Missing: []string{"product", "error"},
			Refused: []tickets.Refusal{{Filename: "film.mov", Size: 90 << 20, Why: "size"}, {Filename: "setup.exe", Size: 9 << 10, Why: "type"}},
			Problem: "The print server had lost its licence.", Solution: "The licence is renewed.", Workaround: "Print from a USB stick.", CloseDays: 5,
			From: "Maria Keller <maria@keller.example>", Names: []string{"error.png (120 KB)"}, Known: []string{"queue: support", "severity: high"},
			Unverified: true, Proposed: []string{"boss@keller.example"}, Done: []string{"status: new → open"}, Problems: []string{"#closs: no such command; did you mean #close?"},
			Newer:      []tickets.MessageView{{At: at, Author: "Bikram", Direction: tickets.DirectionOut, Text: "Have you tried the other port?", Names: []string{"ports.pdf"}}},
			Tickets:    []tickets.TicketView{{ID: 1234, Status: tickets.StatusOpen, Severity: "high", Subject: "Printer offline", From: "Maria Keller", Updated: at}},
			Quarantine: []tickets.HeldMail{{ID: 42, At: at, From: "unknown@elsewhere.example", Subject: "Invoice", Reason: "loop", Detail: "31 Received fields"}},
			Incident:   1200, Count: 5, Why: "5 customers since 14:05: internet, offline", Team: "first-line",
			Queues: []tickets.QueueView{
				{Title: "overdue", Tickets: []tickets.TicketView{{ID: 1210, Status: tickets.StatusOpen, Severity: "critical", Subject: "No phones at all", From: "Jon Berg", Updated: at, Due: at.Add(-time.Hour), Assignee: "asha@baleyo.example"}}},
				{Title: "due today", Tickets: []tickets.TicketView{{ID: 1234, Status: tickets.StatusNew, Severity: "high", Subject: "Printer offline", From: "Maria Keller", Updated: at, Due: at.Add(4 * time.Hour)}}},
			},
			Articles: []tickets.Article{
				{ID: "printer-offline", Title: "The printer is shown as offline", Summary: "Why the computer says offline although the printer is on.", Link: "https://help.example.com/printer-offline"},
				{ID: "network-page", Title: "Print the network page"},
			},
			Return: sampleReturn(at),
			Bounce: "maria@keller.example: 550 5.1.1 no such user", Dead: true,
			Number: "+4915112345678",
			Items:  sampleItems(),
			Due:    time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC), SolveBy: at.Add(48 * time.Hour), Opens: time.Date(2026, 11, 24, 4, 15, 0, 0, time.UTC),
			Clock: "resolution", Promise: "48 hours", Left: "1h20m",
			Survey:     &tickets.Survey{ID: 21, Kind: tickets.SurveyCSAT, Score: 2, Agent: "asha@baleyo.example", Comment: "It took three days."},
			Conditions: sampleConditions(at),
			Points:     120, Level: "Silver", Reward: "Free cleaning at the next service", Code: sampleCode(kind),
		},
	}
}

func sampleCode(kind tickets.LetterKind) string {
	if kind == tickets.LetterPasscode {
		return "482913"
	}
	return "MARIA-7Q2F"
}

func sampleConditions(at time.Time) []tickets.AlertView {
	return []tickets.AlertView{
		{Event: tickets.AlertRaised, Since: at, Text: "Mailbox support@baleyo.example was last read at 2026-11-23 08:03 UTC: mail to it waits on its server, none is lost. The error: log in as support@baleyo.example: NO [AUTHENTICATIONFAILED] Authentication failed.", Hint: "Put the right password into password_file, then: systemctl reload frontdesk"},
		{Event: tickets.AlertRecovered, Since: at.Add(-3 * time.Hour), Text: "Less than 500 MB are free for /var/lib/frontdesk: nothing is taken in until there is room.", Hint: "Make room, or move data_dir"},
	}
}
