package intake

import (
	"slices"
	"strings"

	"frontdesk/parser"
)

// onlyOthersWords reports that the visible reply is somebody else's text: below
// a client's mark for a quoted or forwarded message nothing is quoted by ">",
// and above it nothing is written. The parser shows such a text, for a mail
// must not look empty; but an agent has not said it. It is a forwarded mail, or
// an answer sent too early, whose quote may hold notes and known facts; and
// "#close" on its first line is the customer's.
func onlyOthersWords(m *parser.Mail) bool {
	lines := strings.Split(m.Text, "\n")
	at := 0 // first line that no cut has covered
	for _, c := range m.Cuts {
		from, to := min(max(c.From-1, at), len(lines)), min(c.To, len(lines))
		if slices.ContainsFunc(lines[at:from], func(s string) bool { return strings.TrimSpace(s) != "" }) {
			return false
		}
		quoted := slices.ContainsFunc(lines[from:max(from, to)], func(s string) bool { return strings.HasPrefix(strings.TrimSpace(s), ">") })
		switch c.Rule {
		case "forwarded-message", "original-message", "outlook-header", "on-wrote":
			if !quoted {
				return true
			}
		}
		at = max(at, to)
	}
	return false
}
