package tickets

import (
	"strings"
	"testing"
)

func TestUndeliveredIsTold(t *testing.T) {
	t.Parallel()
	l := SentLetter{ID: 77, Ticket: 42, Kind: LetterAnswer, To: "Maria@example.org"}
	c := Undelivered(*stored(), l, "550 5.1.1", "no such user", rulesForTest(), noon)
	want(t, "letters", letters(c), "agent-bounced→asha@baleyo.test")
	want(t, "suppressed", strings.Join(c.Suppress, " "), "maria@example.org")
	want(t, "told", letter(t, c, LetterBounced).Data.Dead, true)
	want(t, "key", letter(t, c, LetterBounced).Key, "undelivered:77:asha@baleyo.test")
	c = Undelivered(*stored(), l, "554 5.7.1", "content refused", rulesForTest(), noon)
	want(t, "refused content is no dead address", len(c.Suppress), 0)
	want(t, "told", letter(t, c, LetterBounced).Data.Dead, false)
}

// A text that the telephone company refused: the agents are told in words, and
// what the refusal means is kept.
func TestRefusedText(t *testing.T) {
	t.Parallel()
	const number, line = "tel:+4915112345678", "tel:+49301234567"
	for _, c := range []struct {
		code, detail, bounce string
		stop, dead           bool
	}{
		{"twilio 21610 stopped", "x", "+4915112345678 (answer): the customer wants no texts from us (STOP) (failed, 21610)", true, false},
		{"twilio 21614 bad-number", "x", "+4915112345678 (answer): this number cannot be texted (failed, 21614)", false, true},
		{"twilio 20999", "x", "+4915112345678 (answer): the text did not arrive, and the network does not say why (failed, 20999)", false, false},
		{CodeStopped, "x", "+4915112345678 (answer): the customer wants no texts from us (STOP) (not sent)", false, false}, // START may have come since
		{"limit premium", "costs more than a call", "tel:+4915112345678 (answer): limit premium costs more than a call", false, false},
	} {
		ticket := *stored()
		ticket.Line = line
		got := Undelivered(ticket, SentLetter{ID: 77, Ticket: 42, Kind: LetterAnswer, To: number}, c.code, c.detail, rulesForTest(), noon)
		data := letter(t, got, LetterBounced).Data
		want(t, c.code, data.Bounce, c.bounce)
		want(t, c.code+" dead", data.Dead, c.dead)
		want(t, c.code+" suppressed", len(got.Suppress) == 1, c.dead)
		want(t, c.code+" stopped", len(got.Stop) == 1 && got.Stop[0] == LineConsent{Number: number, Line: line}, c.stop)
	}
	// A survey that waited is nobody's loss: the log says it, agents get no mail.
	ticket := *stored()
	ticket.Line = line
	got := Undelivered(ticket, SentLetter{ID: 78, Ticket: 42, Kind: LetterSurvey, To: number}, CodeStopped, "x", rulesForTest(), noon)
	want(t, "letters about a survey", letters(got), "")
	if e := got.Tickets[0].Events; len(e) != 1 || e[0].What != "not sent" || e[0].Detail != "survey to +4915112345678: stopped" {
		t.Errorf("events %+v", e)
	}
}
