package parser

import (
	"strings"
	"unicode/utf8"
)

// failedAddress is an address in the text of a report that its place shows to
// be the one that failed.
type failedAddress struct {
	addr string
	at   int // offset of its line
	rank int // of its place: lower is surer
}

// failedIn finds the failing addresses in the text of a report, the surest
// kind of place only, in order.
func failedIn(own string, p *parse) []failedAddress {
	var all []failedAddress
	best := 99
	pos := 0
	prev := ""
	for pos < len(own) && len(all) < 1000 {
		line, _, _ := strings.Cut(own[pos:], "\n")
		if addr, rank := failedOnLine(line, prev); addr != "" && rank <= best && p.mayFail(addr, rank) {
			if rank < best {
				best = rank
			}
			all = append(all, failedAddress{addr, pos, rank})
		}
		if strings.TrimSpace(line) != "" {
			prev = line
		}
		pos += len(line) + 1
	}
	out := all[:0]
	for _, f := range all {
		if f.rank == best {
			out = append(out, f)
		}
	}
	return out
}

// mayFail keeps out the addresses that reports mention besides: the sender
// who gets the report, and the MTA's own.
func (p *parse) mayFail(addr string, rank int) bool {
	l := localPart(addr)
	if rank > 2 && (isDaemon(addr) || l == "support" || l == "help" || l == "abuse") {
		return false
	}
	if rank > 3 {
		for _, to := range p.m.To {
			if strings.EqualFold(to.Address, addr) {
				return false
			}
		}
	}
	return !strings.EqualFold(p.m.From.Address, addr) || rank <= 2
}

// recipientLabels stand before the failing address on its line, lower case.
var recipientLabels = []string{
	"recipient address:", "original address:", "recipient:", "final-recipient:", "original-recipient:", "rcpt to:", "failed recipient:", "intended recipient:", "unknown user:", "delivery failed", "unable to deliver message to", "could not be delivered to",
	"delivering your mail to", "wasn't delivered to", "was not delivered to", "couldn't be delivered to", "cannot be delivered to", "to:",
}

// failedOnLine reads one line of a report; rank says how sure its form is.
func failedOnLine(line, prev string) (addr string, rank int) {
	if strings.IndexByte(line, '@') < 0 || len(line) > 1000 {
		return "", 0
	}
	t := strings.TrimSpace(line)
	low := strings.ToLower(t)
	switch {
	case saysOne(low, []string{"mail from:", "envelope-from", "generated from", "message-id:", "http://", "https://", "mailto:support", "please contact", "contact the"}) != "" && !strings.HasPrefix(t, "<"):
		if a := leadingAddress(t); a != "" && !strings.HasPrefix(low, "mail from") {
			return a, 2
		}
		return "", 0
	case strings.HasPrefix(low, "from:"), strings.HasPrefix(low, "sender:"), strings.HasPrefix(low, "reply-to:"), strings.HasPrefix(low, "return-path:"), strings.HasPrefix(low, "cc:"), strings.HasPrefix(low, "subject:"):
		return "", 0
	case strings.HasPrefix(t, ">>> RCPT"), strings.HasPrefix(low, "rcpt to:"):
		return anyAddress(t), 3
	case strings.HasPrefix(t, ">>> ") || strings.HasPrefix(t, "<<< "):
		if strings.HasPrefix(t, ">>> ") {
			if a := leadingAddress(t[4:]); a != "" {
				return a, 1
			}
		}
		return anyAddress(t), 5
	}
	if a := leadingAddress(strings.TrimLeft(t, "*-•> \t")); a != "" {
		rest := strings.TrimSpace(t[min(len(t), strings.Index(t, "@")+1):])
		if strings.Contains(rest, ":") || strings.HasSuffix(t, ">") || !strings.Contains(rest, " ") || strings.Contains(rest, "(") || strings.Contains(rest, " on ") || strings.Contains(rest, ",") {
			return a, 1
		}
		return a, 2
	}
	for _, l := range recipientLabels {
		if i := strings.Index(low, l); i >= 0 && i < len(t) {
			if a := anyAddress(t[min(len(t), i+len(l)):]); a != "" {
				if l == "to:" {
					return a, 4
				}
				return a, 2
			}
		}
	}
	if len(t) > 4 && replyClass(t) != 0 {
		return anyAddress(t), 3
	}
	if saysOne(low, []string{"address", "recipient", "user", "deliver", "mailbox", "account", "group"}) != "" || prev != "" && strings.HasSuffix(prev, ":") {
		return anyAddress(t), 4
	}
	return anyAddress(t), 6
}

// leadingAddress returns the address that a line starts with: bare, in
// brackets or in quotes.
func leadingAddress(t string) string {
	if t == "" {
		return ""
	}
	end := strings.IndexAny(t, " \t(,;")
	if t[0] == '<' {
		if end = strings.IndexByte(t, '>'); end < 0 {
			return ""
		}
	} else if t[0] == '"' && strings.Count(t, `"`) >= 2 && strings.IndexByte(t, '@') > strings.IndexByte(t[1:], '"') {
		end = strings.IndexByte(t[1:], '"') + 2 // "local part"@domain
		for end < len(t) && strings.IndexByte(" \t(,;:>", t[end]) < 0 {
			end++
		}
	}
	if end < 0 {
		end = len(t)
	}
	a := strings.Trim(t[:end], "<>:,;.()[]")
	if !strings.HasPrefix(a, `"`) || strings.HasSuffix(a, `"`) {
		a = strings.Trim(a, `"'`)
	}
	a = strings.TrimRight(a, ":")
	if !isAddress(a) || !strings.Contains(a[strings.LastIndexByte(a, '@'):], ".") {
		return ""
	}
	return reportAddress(a)
}

// anyAddress returns the first address of s, "" for none.
func anyAddress(s string) string {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '@')
		if i < 0 {
			return ""
		}
		at := from + i
		start := at
		for start > 0 && isLocalByte(s[start-1]) {
			start--
		}
		end := at + 1
		for end < len(s) && (isAlnum(s[end]) || s[end] == '-' || s[end] == '.' || s[end] >= utf8.RuneSelf) {
			end++
		}
		if a := strings.Trim(s[start:end], ".'"); isAddress(a) && strings.Contains(a[strings.LastIndexByte(a, '@'):], ".") {
			return reportAddress(a)
		}
		from = at + 1
	}
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// isLocalByte reports octets of a local part without quotes (RFC 5321 section
// 4.1.2, atext and dots, and RFC 6531's non-ASCII).
func isLocalByte(c byte) bool {
	return isAlnum(c) || strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) >= 0 || c >= utf8.RuneSelf
}

// diagnosticIn returns what a report says about the recipient: the text from
// its line to the next blank line, else the first line with a reply code.
func diagnosticIn(text, recipient string) string {
	para, _, _ := strings.Cut(strings.TrimLeft(text, "\n \t"), "\n\n")
	para = collapse(strings.ReplaceAll(para, "\n", " "))
	if i := strings.Index(para, "@"); recipient != "" && i >= 0 && strings.Contains(para, recipient) {
		rest := para[strings.Index(para, recipient)+len(recipient):]
		rest = strings.TrimLeft(rest, ">\"':, ")
		if len(rest) > 8 {
			return clip(rest, 1000)
		}
	}
	for _, line := range strings.Split(text, "\n") {
		if t := strings.TrimSpace(line); replyClass(t) != 0 && len(t) > 8 {
			return clip(collapse(t), 1000)
		}
	}
	for _, line := range strings.Split(text, "\n") {
		t := strings.ToLower(line)
		if saysOne(t, []string{"unknown", "not found", "full", "quota", "disabled", "rejected", "refused", "timed out", "no such", "does not exist", "denied", "expired", "exceeded"}) != "" {
			return clip(collapse(line), 1000)
		}
	}
	return ""
}
