package tickets

import "slices"

// maxLessonText is how much of a request is kept to learn from, in bytes.
const maxLessonText = 8 << 10

// lesson notes how people see a ticket, for the classifier to learn from: when
// an agent corrects how it was sorted, and when one answers for the first time
// or closes and leaves it as it is, which confirms it.
func (d *decision) lesson(tc *TicketChange, commands []Command, sends bool) {
	t := &tc.Ticket
	corrected := slices.ContainsFunc(commands, func(c Command) bool {
		return slices.Contains([]string{"category", "severity", "impact", "urgency"}, c.Name)
	})
	confirmed := sends && t.Answered.Equal(d.now) || has(commands, "close")
	if !corrected && !confirmed || t.Category == "" && t.Severity == "" || t.Status == StatusSpam || t.Status == StatusMerged {
		return
	}
	text, ok := d.openingWords(tc)
	if !ok {
		return
	}
	d.c.Lessons = append(d.c.Lessons, Lesson{
		Ticket: t.ID, Text: cutTo(t.Subject+"\n"+text, maxLessonText), Language: t.Language,
		Category: t.Category, Severity: t.Severity, At: d.now,
	})
}

// openingWords are the customer's words that a ticket began with, as far as
// they are at hand.
func (d *decision) openingWords(tc *TicketChange) (string, bool) {
	for _, m := range slices.Concat(d.found.History, tc.Messages) {
		if m.Direction == DirectionIn && (m.Ticket == tc.Ticket.ID || m.Ticket == 0) {
			return m.Text, true
		}
	}
	return "", false
}
