package parser

import (
	"strings"
)

// reportResult is what a mail says about other mail.
type reportResult struct {
	feedback, mdn bool
	feedbackType  string // RFC 5965 section 3.1, lower case; "" when it has none
	bounce        *Bounce
	rule, value   string
	kind          Kind
}

// dsnRecipient is one group of per-recipient fields (RFC 3464 section 2.3).
type dsnRecipient struct {
	final, original, action, status, diagnostic, remote string
}

// report looks for a report: by its parts, then by its text.
func (p *parse) report() reportResult {
	var r reportResult
	var groups []dsnRecipient
	p.root.each(false, func(q *part) bool {
		switch q.ctype.value {
		case "message/feedback-report": // RFC 5965
			r.feedback, r.feedbackType = true, feedbackType(q.content())
		case "message/disposition-notification": // RFC 8098
			r.mdn = true
		case "message/delivery-status", "message/global-delivery-status":
			groups = append(groups, readStatus(q.content())...)
		}
		return true
	})
	r.feedback = r.feedback || p.complaint()
	own, copied := splitReport(p.m.Text)
	from := p.fromMachine()
	if len(groups) == 0 && from != "" && strings.Contains(p.m.Text, "inal-Recipient:") || p.root.is("multipart/report") && len(groups) == 0 {
		groups = readStatus([]byte(statusLines(p.m.Text))) // the fields stand in the text: Amazon WorkMail, gateways that flatten MIME
	}
	switch {
	case r.feedback || r.mdn:
	case len(groups) > 0:
		r.fromStatus(groups)
		r.bounce.completeFrom(own, p)
	default:
		r.fromForm(p, own, from)
	}
	if r.bounce != nil {
		if r.bounce.Recipient == "" && len(groups) == 0 {
			r.bounce.takeInner(p, r.kind)
		}
		r.bounce.finish(p, r.kind, own, copied)
	}
	return r
}

// takeInner reads the status fields of a report that a gateway wrapped into
// another one.
func (b *Bounce) takeInner(p *parse, kind Kind) {
	var inner reportResult
	p.root.each(true, func(q *part) bool {
		if inner.bounce == nil && q.is("message/delivery-status") {
			if groups := readStatus(q.content()); len(groups) > 0 {
				inner.fromStatus(groups)
			}
		}
		return inner.bounce == nil
	})
	if inner.bounce != nil && inner.kind == kind {
		*b = *inner.bounce
		b.completeFrom("", p)
	}
}

// complaint reports the spam complaints of providers that do not send
// feedback reports: Hotmail's junk mail reporting program attaches the mail.
func (p *parse) complaint() bool {
	if strings.HasPrefix(strings.ToLower(p.m.Subject), "complaint about message from") {
		return true
	}
	if len(p.root.children) == 0 {
		return false
	}
	for _, c := range p.root.children {
		if isMessage(c.ctype.value) && len(c.children) == 1 && c.children[0].head.has("X-HmXmrOriginalRecipient") && !p.root.is("multipart/report") {
			return true
		}
	}
	return false
}

// statusLines returns the text from its first status field on.
func statusLines(text string) string {
	for _, name := range []string{"\nReporting-MTA:", "\nFinal-Recipient:", "\nOriginal-Recipient:"} {
		if i := strings.Index(text, name); i >= 0 {
			return text[i+1:]
		}
	}
	return ""
}

// readStatus reads the groups of a message/delivery-status. Groups that ran
// together because a blank line is missing are told apart by their repeated
// Final-Recipient.
func readStatus(data []byte) []dsnRecipient {
	var out []dsnRecipient
	lim := Limits{}.withDefaults()
	for pos := 0; pos < len(data) && len(out) < 1000; {
		h, next, _ := splitHeader(data, pos, lim, nil)
		if next <= pos {
			next = pos + 1
			if _, after := nextLine(data, pos); after > pos {
				next = after
			}
		}
		pos = next
		out = append(out, statusGroups(h)...)
	}
	return out
}

// statusGroups makes recipients of one block of fields.
func statusGroups(h header) []dsnRecipient {
	var out []dsnRecipient
	var g dsnRecipient
	for _, f := range h {
		switch strings.ToLower(f.Name) {
		case "final-recipient":
			if g.final != "" {
				out = append(out, g)
				g = dsnRecipient{}
			}
			g.final = dsnAddress(f.Value)
		case "original-recipient":
			g.original = dsnAddress(f.Value)
		case "action", "ction":
			g.action = strings.ToLower(strings.TrimSpace(stripComments(f.Value)))
		case "status":
			g.status = enhancedCode(f.Value)
		case "diagnostic-code":
			if g.diagnostic == "" {
				g.diagnostic = f.Value
			}
		case "remote-mta":
			g.remote = f.Value
		}
	}
	if g.final != "" || g.original != "" || g.action != "" && g.status != "" {
		out = append(out, g)
	}
	return out
}

// dsnAddress reads "rfc822;user@example.net" (RFC 3464 section 2.3.1). What
// is no address (a pipe, a file, a mailbox of a local system) is "".
func dsnAddress(v string) string {
	if kind, a, ok := strings.Cut(v, ";"); ok && len(kind) < 20 {
		v = a
	}
	v = strings.TrimSpace(v)
	if strings.HasPrefix(v, "|") || strings.HasPrefix(v, "/") || strings.HasPrefix(v, "@") && !strings.Contains(v, ":") {
		return ""
	}
	return reportAddress(v)
}

// reportAddress cleans an address as reports have it: quotes around a local
// part that is not a valid dot-atom stay, because they are needed to mail it.
func reportAddress(v string) string {
	v = strings.Trim(strings.TrimSpace(v), "<>' ,;")
	if strings.Count(v, `"`)%2 == 1 {
		v = strings.Trim(v, `"`)
	}
	a := cleanAddress(v, "")
	at := strings.LastIndexByte(a, '@')
	if at > 0 && !strings.HasPrefix(a, `"`) && (strings.Contains(a[:at], "..") || strings.HasSuffix(a[:at], ".") || strings.HasPrefix(a, ".")) {
		a = `"` + a[:at] + `"` + a[at:]
	}
	return a
}

// fromStatus fills the result from status fields: the first recipient that
// failed, else the first that is late, else the first.
func (r *reportResult) fromStatus(groups []dsnRecipient) {
	best := groups[0]
	r.kind = actionKind(best)
	for _, g := range groups {
		k := actionKind(g)
		if k == KindBounce {
			best, r.kind = g, k
			break
		}
		if k == KindDelayed && r.kind != KindDelayed {
			best, r.kind = g, k
		}
	}
	r.rule, r.value = "delivery-status", best.action
	b := &Bounce{Recipient: pickRecipient(best), Status: best.status, Diagnostic: cleanValue(decodeOctets(best.diagnostic, ""))}
	for _, g := range groups {
		if a := pickRecipient(g); a != "" && actionKind(g) == r.kind {
			b.addRecipient(a)
		}
	}
	r.bounce = b
}

// actionKind says what a group reports (RFC 3464 section 2.3.3). Expired mail
// has Action: failed with a 4.x.x status and has failed all the same.
func actionKind(g dsnRecipient) Kind {
	switch {
	case strings.HasPrefix(g.action, "fail"):
		return KindBounce
	case strings.HasPrefix(g.action, "delayed"):
		return KindDelayed
	case strings.HasPrefix(g.action, "delivered"), strings.HasPrefix(g.action, "relayed"), strings.HasPrefix(g.action, "expanded"), strings.HasPrefix(g.status, "2"):
		return KindReadReceipt
	}
	return KindBounce
}

// pickRecipient prefers the final recipient, unless it is an internal one of
// the last server that nobody outside knows.
func pickRecipient(g dsnRecipient) string {
	at := strings.LastIndexByte(g.final, '@')
	if g.final == "" || at >= 0 && !strings.Contains(g.final[at:], ".") && strings.Contains(g.original, "@") {
		return g.original
	}
	return g.final
}

// addRecipient notes one of several recipients, each once.
func (b *Bounce) addRecipient(a string) {
	for _, have := range b.Recipients {
		if strings.EqualFold(have, a) {
			return
		}
	}
	if len(b.Recipients) < 1000 {
		b.Recipients = append(b.Recipients, a)
	}
}

// enhancedCode finds an enhanced status code (RFC 3463 section 2) in s: not a
// piece of an IP address, a version or a date.
func enhancedCode(s string) string {
	code, _ := findCode(s)
	return code
}

// findCode returns the first enhanced status code of s and the text after it.
func findCode(s string) (code, rest string) {
	for i := 0; i+4 < len(s); i++ {
		if c := s[i]; c != '2' && c != '4' && c != '5' || s[i+1] != '.' {
			continue
		}
		if i > 0 && (s[i-1] == '.' || s[i-1] >= '0' && s[i-1] <= '9' || s[i-1] >= 'a' && s[i-1] <= 'z' || s[i-1] >= 'A' && s[i-1] <= 'Z' || s[i-1] == '/') {
			continue
		}
		if n := codeLength(s[i:]); n > 0 {
			return s[i : i+n], s[i+n:]
		}
	}
	return "", ""
}

// codeLength returns the length of the code that s starts with, 0 for none.
func codeLength(s string) int {
	n := 2
	for part := range 2 {
		d := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' && d < 4 {
			n++
			d++
		}
		if d == 0 || d > 3 {
			return 0
		}
		if part == 0 {
			if n >= len(s) || s[n] != '.' {
				return 0
			}
			n++
		}
	}
	if n < len(s) && (s[n] == '.' && n+1 < len(s) && s[n+1] >= '0' && s[n+1] <= '9' || s[n] == '-' && n+1 < len(s) && s[n+1] >= '0' && s[n+1] <= '9' && n > 6) {
		return 0
	}
	return n
}

// vague reports codes that say less than what a diagnostic may say: x.0.0,
// and x.4.7, "delivery time expired", which hides why.
func vague(code string) bool {
	return code == "" || strings.HasSuffix(code, ".0.0") || strings.HasSuffix(code, ".4.7")
}

// replyClass returns the class digit of the SMTP reply code that stands in s,
// 0 for none: a code of three digits at its start or after white space.
func replyClass(s string) byte {
	for i := 0; i+3 <= len(s); i++ {
		if (s[i] == '4' || s[i] == '5') && s[i+1] >= '0' && s[i+1] <= '7' && s[i+2] >= '0' && s[i+2] <= '9' &&
			(i == 0 || strings.IndexByte(" :;\t<>(\"'=\n", s[i-1]) >= 0) && (i+3 == len(s) || strings.IndexByte(" -:,.#\n\t<>", s[i+3]) >= 0) {
			return s[i]
		}
	}
	return 0
}

// feedbackType reads the Feedback-Type field of a report.
func feedbackType(fields []byte) string {
	for line := range strings.Lines(string(fields[:min(len(fields), 4096)])) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(name), "Feedback-Type") {
			return strings.ToLower(strings.TrimSpace(value))
		}
	}
	return ""
}

// complains reports whether a person spoke, by a button of his mail client, as
// against a report on how mail was authenticated (RFC 6591) or on a mail that
// was taken out of the junk folder.
func (r reportResult) complains() bool {
	switch r.feedbackType {
	case "auth-failure", "not-spam", "dmarc", "miscategorized":
		return false
	}
	return true
}
