package tickets

import "testing"

// TestConfirmationInDoubt: words that say yes and then ask for something. Each
// of these once closed the ticket, and no agent was told.
func TestConfirmationInDoubt(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]Confirmation{
		"Thanks! Printer broken":                    ConfirmNew,
		"Thanks. Please call back":                  ConfirmNew,
		"Thanks, send invoice":                      ConfirmNew,
		"Yes, please open again":                    ConfirmNew,
		"Yes the problem is again":                  ConfirmNew,
		"Thanks. I have a problem":                  ConfirmNew,
		"Thanks, can you help me with my ticket":    ConfirmNew,
		"Thanks, please help me with this issue":    ConfirmNew,
		"Danke, das Problem ist wieder da":          ConfirmNew,
		"Danke, bitte anrufen":                      ConfirmNew,
		"Danke, ich habe das Problem wieder":        ConfirmNew,
		"ok?":                                       ConfirmNew,
		"Thanks\nRefund":                            ConfirmNew,
		"Thanks.\n\nStefan Raab wants it too":       ConfirmNew,
		"ok":                                        ConfirmYes,
		"Thanks,\nMaria":                            ConfirmYes,
		"Thanks, Maria":                             ConfirmYes,
		"Yes, solved. You can close the ticket.":    ConfirmYes,
		"Yes, please close it.":                     ConfirmYes,
		"Thanks for your quick help with my issue!": ConfirmYes,
		"Works again, thank you":                    ConfirmYes,
		"Thanks again!":                             ConfirmYes,
		"The problem is solved, many thanks":        ConfirmYes,
		"Das Problem ist behoben, danke":            ConfirmYes,
		"Alles wieder gut, danke":                   ConfirmYes,
		"Ja, Ticket kann geschlossen werden":        ConfirmYes,
		"Danke für die Unterstützung\nM. Lopez":     ConfirmYes,
	} {
		if got := ReadConfirmation(reply, Address{"Maria Lopez", "m.lopez@example.org"}); got != want {
			t.Errorf("%q: got %s, want %s", reply, got, want)
		}
	}
}
