package tickets

import (
	"strings"
	"testing"
	"time"
)

// sortedTicket is a stored ticket as the rules sorted it.
func sortedTicket(change ...func(*Ticket)) *Ticket {
	return stored(append([]func(*Ticket){func(t *Ticket) {
		t.Category, t.Severity, t.Impact, t.Urgency = "technical", "medium", 1, 2
	}}, change...)...)
}

func TestCorrectionsTeach(t *testing.T) {
	t.Parallel()
	unanswered := func(t *Ticket) { t.Answered = time.Time{} }
	for _, c := range []struct {
		name     string
		ticket   *Ticket
		commands []string
		text     string
		want     string // category severity; "" no lesson
	}{
		{"a category is corrected", sortedTicket(), []string{"#category billing"}, "", "billing medium"},
		{"a severity is corrected", sortedTicket(), []string{"#severity high"}, "", "technical high"},
		{"an urgency gives another severity", sortedTicket(), []string{"#urgency 3"}, "", "technical high"},
		{"an impact gives another severity", sortedTicket(), []string{"#impact 4", "#urgency 4"}, "", "technical critical"},
		{"the first answer confirms", sortedTicket(unanswered), nil, "Please switch it off and on.", "technical medium"},
		{"a later answer says nothing new", sortedTicket(), nil, "And again.", ""},
		{"closing confirms", sortedTicket(), []string{"#close"}, "Solved.", "technical medium"},
		{"closing without words confirms", sortedTicket(), []string{"#close silently"}, "", "technical medium"},
		{"a note says nothing", sortedTicket(unanswered), []string{"#note"}, "Looks odd.", ""},
		{"spam is no request", sortedTicket(), []string{"#category billing", "#spam"}, "", ""},
		{"nothing was sorted", stored(unanswered), nil, "Hello.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			change := Receive(foundWith(c.ticket), fromAgent(asha, 2, c.commands, c.text), rulesWithSorting(), noon)
			got := ""
			for _, l := range change.Lessons {
				got += strings.TrimSpace(l.Category + " " + l.Severity)
				want(t, "ticket", l.Ticket, int64(42))
				want(t, "the customer's words", l.Text, "Printer is offline\nIt will not print.")
				want(t, "when", l.At, noon)
			}
			if got != c.want {
				t.Errorf("lessons %q, want %q (%s)", got, c.want, change.Detail)
			}
		})
	}
}

func TestLoggedRequestsTeach(t *testing.T) {
	t.Parallel()
	op := Operation{By: asha, Brand: "baleyo", New: &NewRequest{From: Address{"Maria", "maria@example.org"}, Subject: "Printer error"}, Commands: []string{"#severity high"}, Text: "It shows an error."}
	c, _, problems := Operate(foundWith(), op, rulesWithSorting(), noon)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if len(c.Lessons) != 1 || c.Lessons[0].Severity != "high" || c.Lessons[0].Ticket != 0 || !strings.Contains(c.Lessons[0].Text, "It shows an error.") {
		t.Errorf("lessons %+v", c.Lessons)
	}
}

func TestLessonsAreBounded(t *testing.T) {
	t.Parallel()
	found := foundWith(sortedTicket())
	found.History[0].Text = strings.Repeat("ü", maxLessonText)
	c := Receive(found, fromAgent(asha, 2, []string{"#severity high"}, ""), rulesWithSorting(), noon)
	if n := len(c.Lessons[0].Text); n > maxLessonText || n < maxLessonText-1 {
		t.Errorf("%d bytes kept, want %d", n, maxLessonText)
	}
}
