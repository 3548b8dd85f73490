package main

import (
	"strings"
	"testing"
	"time"

	"frontdesk/tickets"
)

// TestSurveyByText: who wrote by SMS is asked by SMS and answers with a digit.
// It is one vote, it opens nothing, and no agent is bothered.
func TestSurveyByText(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{more: "surveys: {kinds: [csat], after: 1 second, window: 90 days}\n"})
	d := s.open()
	s.text(testCaller, "Where is my order?")
	s.sent(testCaller, "ticket #1")
	m := s.mailTo("asha@one.test", "Where is my order?")
	s.reply("asha@one.test", "Asha", m, "#close\nIt came back to us; a new one is on its way.")
	s.sent(testCaller, "a new one is on its way")
	s.text(testCaller, "Yes, thanks!")
	d.closes(1)
	asked := d.sweepUntil(s, testCaller, "5 (very)")
	d.rest(s)
	before := map[string]int{}
	for _, agent := range []string{"asha@one.test", "bikram@one.test", "chandra@one.test"} {
		before[agent] = letterCount(t, s.office, agent)
	}
	texts := len(s.textsTo(testCaller))
	s.text(testCaller, "5")
	if !waitUntil(func() bool {
		survey, err := d.db.SurveyOfTicket(t.Context(), 1)
		return err == nil && !survey.Answered.IsZero()
	}) {
		t.Fatalf("the answer to %q is no vote; ticket 1:\n%s", asked, d.log(1))
	}
	s.text(testCaller, "5") // once more, in doubt whether it went
	d.rest(s)
	survey, err := d.db.SurveyOfTicket(t.Context(), 1)
	if err != nil || survey.Score != 5 || survey.Kind != tickets.SurveyCSAT || survey.Comment != "" {
		t.Errorf("%+v, %v", survey, err)
	}
	if n := strings.Count(d.log(1), "survey answered"); n != 1 {
		t.Errorf("%d votes:\n%s", n, d.log(1))
	}
	if ticket, _ := d.ticket(1); ticket.Status != tickets.StatusClosed || d.count() != 1 {
		t.Errorf("ticket 1 is %s, %d tickets; a vote opens nothing", ticket.Status, d.count())
	}
	for agent, n := range before {
		if got := letterCount(t, s.office, agent); got != n {
			t.Errorf("%s got %d letters about a vote", agent, got-n)
		}
	}
	if got := len(s.textsTo(testCaller)); got != texts {
		t.Errorf("%d texts answer a vote", got-texts)
	}
}

// closes waits until a ticket is closed.
func (d *liveDesk) closes(n int64) {
	d.t.Helper()
	if !waitUntil(func() bool {
		ticket, err := d.db.Ticket(d.t.Context(), n)
		return err == nil && ticket.Status == tickets.StatusClosed
	}) {
		d.t.Fatalf("ticket %d is not closed:\n%s", n, d.log(n))
	}
}

// sweepUntil looks every moment whether time has caused a text with the words,
// and returns it.
func (d *liveDesk) sweepUntil(s *phoneStage, to, words string) string {
	d.t.Helper()
	tick, limit := time.NewTicker(100*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for {
		for _, m := range s.textsTo(to) {
			if strings.Contains(m.Body, words) {
				return m.Body
			}
		}
		select {
		case <-limit:
			d.t.Fatalf("no text with %q; there are %+v", words, s.textsTo(to))
		case <-tick.C:
			if err := runSweep(d.t, d); err != nil {
				d.t.Fatal(err)
			}
		}
	}
}
