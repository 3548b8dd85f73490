package phone

import "strings"

// Consent is what somebody wants of further texts.
type Consent string

// The wishes.
const (
	ConsentNone  Consent = ""      // the text is an ordinary one
	ConsentStop  Consent = "stop"  // no further texts to this number from ours
	ConsentStart Consent = "start" // texts are welcome again
	ConsentHelp  Consent = "help"  // who are you? Twilio answers by itself
)

// consentWords are the words which, alone in a text, are a wish. The English
// ones are Twilio's: it obeys them by itself, answers them, blocks the pair of
// numbers, and still tells us. The German ones it does not know: there our own
// flag is all that keeps the desk quiet.
var consentWords = map[string]Consent{
	"STOP": ConsentStop, "STOPALL": ConsentStop, "UNSUBSCRIBE": ConsentStop, "CANCEL": ConsentStop,
	"END": ConsentStop, "QUIT": ConsentStop, "REVOKE": ConsentStop, "OPTOUT": ConsentStop,
	"START": ConsentStart, "YES": ConsentStart, "UNSTOP": ConsentStart,
	"HELP": ConsentHelp, "INFO": ConsentHelp,

	"STOPP": ConsentStop, "ABMELDEN": ConsentStop, "ABBESTELLEN": ConsentStop,
	"ANMELDEN": ConsentStart,
	"HILFE":    ConsentHelp,
}

// Keyword reads a text as a wish: the whole of it is one word, in any case,
// with blanks around it. "Stop please" is a sentence and goes to an agent.
//
// "YES" may answer a question just as well. Twilio takes it for START whatever
// was asked, so the flag is taken back; a text that is ConsentStart from a
// number that never stopped is an ordinary message too.
func Keyword(text string) Consent {
	return consentWords[strings.ToUpper(strings.TrimSpace(text))]
}

// consentOf prefers what Twilio says: with Advanced Opt-Out the words are
// configured there. By WhatsApp only STOP counts: nothing is blocked there, so
// "YES" and "INFO" are answers like others.
func consentOf(optOutType, text string, whatsApp bool) Consent {
	switch c := Consent(strings.ToLower(strings.TrimSpace(optOutType))); c {
	case ConsentStop, ConsentStart, ConsentHelp:
		return c
	}
	if c := Keyword(text); c == ConsentStop || !whatsApp {
		return c
	}
	return ConsentNone
}
