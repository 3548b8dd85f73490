package tickets

import (
	"slices"
	"strings"
	"unicode"
)

// Confirmation is what a reply to a resolution letter says.
type Confirmation string

// The readings of a reply. In doubt it is something new: a ticket that is
// opened once too often costs a look, one closed by mistake costs a customer.
const (
	ConfirmYes Confirmation = "yes"
	ConfirmNo  Confirmation = "no"
	ConfirmNew Confirmation = "something new"
)

// The words of a confirmation. A reply confirms when it has at least one of
// the first and nothing but both, and the sender's name.
var (
	yesWords = words(`yes yep yeah yup ok okay thanks thank thx ty confirmed confirm solved resolved fixed works working perfect great
		excellent super wonderful fine done good appreciated cheers awesome
		ja jawohl jep danke dank dankeschön vielen gelöst erledigt behoben bestätigt bestätige funktioniert läuft klappt perfekt prima
		bestens wunderbar passt toll gut geklappt spitze`)
	fillWords = words(`you very much so a lot many it is it's its all that this now again everything the my i can we for your help support
		quick fast answer reply response problem issue request ticket has have been was and indeed perfectly well dear hi hello team sir madam
		kind best regards sincerely greetings to of me us just correct right closed close please may really with
		ihr ihre ihnen sie es ist jetzt wieder alles das die der problem anfrage wurde und sehr für schnelle hilfe antwort herzlichen
		hallo liebe lieber guten tag morgen mit freundlichen grüßen gruß grüße viele beste freundliche team damit wie bin zufrieden so
		unterstützung mir uns hat haben kann bitte schließen geschlossen werden nun auch super freundlich schnell`)
	noWords = words(`no not nope never still isn't doesn't don't didn't won't can't cannot unfortunately but however unsolved wrong again?
		nein nicht kein keine leider immer noch aber jedoch trotzdem weiterhin erneut ungelöst falsch`)
)

// Of the words above, those that also ask for something or complain, and the
// words that make them harmless when they stand anywhere in the reply.
var (
	askWords     = words(`please can may kann bitte`)
	closeWords   = words(`close closed schließen geschlossen`)
	troubleWords = words(`problem issue request anfrage`)
	solvedWords  = words(`solved resolved fixed works working closed gelöst erledigt behoben funktioniert läuft klappt geklappt geschlossen`)
	helpWords    = words(`help support hilfe unterstützung`)
	againWords   = words(`again wieder`)
)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// ReadConfirmation reads the visible reply of from to a resolution letter.
func ReadConfirmation(reply string, from Address) Confirmation {
	reply = strings.ReplaceAll(reply, "’", "'")
	list, names := tokens(reply), tokens(from.Name+" "+localPart(from.Address))
	yes, other := false, strings.ContainsRune(reply, '?') || len(list) > 40
	for i, w := range list {
		switch {
		case noWords[w]:
			return ConfirmNo
		case yesWords[w]:
			yes = true
		case fillWords[w] && harmless(list, i):
		case yes && slices.Contains(names, w): // the sender's name below the thanks
		default:
			other = true
		}
	}
	if yes && !other {
		return ConfirmYes
	}
	return ConfirmNew
}

// harmless reports that the filling word list[i] asks for nothing: "thanks for
// your help" does not, "please help" does.
func harmless(list []string, i int) bool {
	anywhere := func(m map[string]bool) bool {
		return slices.ContainsFunc(list, func(w string) bool { return m[w] })
	}
	near := func(n int, known ...string) bool {
		return slices.ContainsFunc(list[max(0, i-n):i], func(w string) bool { return slices.Contains(known, w) })
	}
	switch w := list[i]; {
	case askWords[w]:
		return anywhere(closeWords)
	case troubleWords[w]:
		return anywhere(solvedWords) || near(2, "with") && slices.Contains(list[:i], "for")
	case helpWords[w]:
		return near(4, "for", "für")
	case againWords[w]:
		return near(1, "thanks", "thank", "you", "works", "working", "danke", "läuft", "funktioniert", "klappt", "geht", "alles") ||
			i+1 < len(list) && solvedWords[list[i+1]]
	}
	return true
}

func localPart(address string) string {
	local, _, _ := strings.Cut(address, "@")
	return local
}

func tokens(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' })
}
