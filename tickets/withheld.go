package tickets

import (
	"regexp"
	"strings"
	"sync"
)

// Withheld keeps addresses out of words that a customer is shown which are not
// for customers: those of agents, which a mail client's signature or a quoted
// heading brings in, and signed relay addresses, which would speak for somebody
// else. ours, the brand's mailbox with the subaddressing sep, stands in their
// place. The customer's own address, to, stays.
func Withheld(s string, agents map[string]Agent, ours, sep, to string) string {
	if !strings.Contains(s, "@") {
		return s
	}
	if r := relayPattern(ours, sep); r != nil {
		s = r.ReplaceAllLiteralString(s, ours)
	}
	low := strings.ToLower(s)
	for a := range agents {
		if !strings.Contains(low, a) || SameAddress(a, to) || SameAddress(a, ours) {
			continue
		}
		whole := regexp.MustCompile(`(?i)(^|[^a-z0-9._%+\-])` + regexp.QuoteMeta(a) + `($|[^a-z0-9\-])`)
		s = whole.ReplaceAllString(s, "${1}"+strings.ReplaceAll(ours, "$", "$$")+"${2}")
	}
	return s
}

// relayPatterns are kept for the mailboxes that letters leave from.
var relayPatterns sync.Map // of *regexp.Regexp, by mailbox with its separator

// relayPattern finds signed relay addresses of the mailbox (Keyring.RelayAddress).
func relayPattern(mailbox, sep string) *regexp.Regexp {
	local, domain, ok := strings.Cut(mailbox, "@")
	if sep == "" || !ok {
		return nil
	}
	at := [2]string{mailbox, sep}
	if r, ok := relayPatterns.Load(at); ok {
		return r.(*regexp.Regexp)
	}
	r := regexp.MustCompile(`(?i)` + regexp.QuoteMeta(local+sep) + `[ac][0-9a-z]+(-[0-9a-z]+){3}@` + regexp.QuoteMeta(domain))
	relayPatterns.Store(at, r)
	return r
}
