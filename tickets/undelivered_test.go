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
