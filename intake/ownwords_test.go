package intake

import (
	"strings"
	"testing"
	"time"

	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

// TestAgentsOwnWords: what stands in a forwarded or quoted mail is not the
// agent's, neither its words nor its commands.
func TestAgentsOwnWords(t *testing.T) {
	t.Parallel()
	rules := tickets.Rules{Agents: map[string]tickets.Agent{"asha@baleyo.test": {Address: "asha@baleyo.test"}}}
	const head = "From: Asha <asha@baleyo.test>\nTo: support@baleyo.test\nMessage-ID: <1@baleyo.test>\nSubject: "
	const outlook = "From: Maria <support+a1@baleyo.test>\nSent: Monday, 2 March 2026 10:00\nTo: Asha\nSubject: [Baleyo #42] help\n\n"
	const gmail = "---------- Forwarded message ---------\nFrom: Eve <eve@evil.test>\nDate: Mon, 2 Mar 2026\nSubject: help\nTo: asha@baleyo.test\n\n"
	for name, c := range map[string]struct{ mail, reply, commands string }{
		"forwarded without a word":          {"Fwd: help\n\n" + gmail + "#close\n#from victim@example.org\n\nplease help\n", "", ""},
		"forwarded with a command":          {"Fwd: help\n\n#from lee@example.org\n\n" + gmail + "#close\nplease help\n", "", "#from lee@example.org"},
		"forwarded with words":              {"Fwd: help\n\nAn old friend.\n\n" + gmail + "#close\nplease help\n", "An old friend.", ""},
		"Outlook's answer sent too early":   {"Re: help\n\n\n-----Original Message-----\n" + outlook + "#close\nnote: he lies\nseverity: high\n", "", ""},
		"Outlook's answer without a mark":   {"Re: help\n\n\n" + outlook + "note: he lies\n", "", ""},
		"an unmarked quote":                 {"Re: help\n\nOn Mon, 2 Mar 2026 at 10:00, Maria <support+a1@baleyo.test> wrote:\n\nnote: he lies\n", "", ""},
		"Outlook's answer":                  {"Re: help\n\nTry now.\n\n-----Original Message-----\n" + outlook + "note: he lies\n", "Try now.", ""},
		"Outlook's command":                 {"Re: help\n\n#close\n\n-----Original Message-----\n" + outlook + "note: he lies\n", "", "#close"},
		"an answer below the quote":         {"Re: help\n\nOn Mon, 2 Mar 2026 at 10:00, Maria <support+a1@baleyo.test> wrote:\n> It will not print.\n\nTry now.\n", "Try now.", ""},
		"a command below the quote":         {"Re: help\n\nOn Mon, 2 Mar 2026 at 10:00, Maria <support+a1@baleyo.test> wrote:\n> It will not print.\n\n#close\nTry now.\n", "Try now.", "#close"},
		"words that begin with a signature": {"Re: help\n\nTry now.\n-- \nAsha\n", "Try now.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := []byte(strings.ReplaceAll(head+c.mail, "\n", "\r\n"))
			in := Understand(store.Claimed{Item: store.Item{Brand: "baleyo", Received: time.Now(), Data: raw}}, parser.Parse(raw, parser.Options{}), tickets.Auth{}, rules)
			if got := strings.TrimSpace(in.Reply); got != c.reply {
				t.Errorf("words %q, want %q", got, c.reply)
			}
			if got := strings.Join(in.Commands, " "); got != c.commands {
				t.Errorf("commands %q, want %q", got, c.commands)
			}
		})
	}
}
