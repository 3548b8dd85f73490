package parser

import "strings"

// reportResult is what a mail says about other mail.
type reportResult struct {
	feedback, mdn bool
	bounce        *Bounce
	rule, value   string
	kind          Kind
}

// dsnRecipient is one group of per-recipient fields (RFC 3464 section 2.3).
type dsnRecipient struct {
	final, original, action, status, diagnostic, remote string
}

// report looks for a report in the parts of the mail.
func (p *parse) report() reportResult {
	var r reportResult
	var groups []dsnRecipient
	p.root.each(false, func(q *part) bool {
		switch q.ctype.value {
		case "message/feedback-report":
			r.feedback = true
		case "message/disposition-notification":
			r.mdn = true
		case "message/delivery-status", "message/global-delivery-status":
			groups = append(groups, readStatus(q.content())...)
		}
		return true
	})
	if len(groups) > 0 {
		r.fromStatus(groups)
	}
	return r
}

// readStatus reads the groups of a message/delivery-status.
func readStatus(data []byte) []dsnRecipient {
	var out []dsnRecipient
	lim := Limits{}.withDefaults()
	for pos := 0; pos < len(data) && len(out) < 1000; {
		h, next, _ := splitHeader(data, pos, lim, nil)
		if next <= pos {
			break
		}
		pos = next
		if h.has("Final-Recipient") || h.has("Original-Recipient") || h.has("Action") {
			out = append(out, dsnRecipient{
				final: dsnAddress(h.get("Final-Recipient")), original: dsnAddress(h.get("Original-Recipient")), action: strings.ToLower(h.get("Action")),
				status: h.get("Status"), diagnostic: h.get("Diagnostic-Code"), remote: h.get("Remote-MTA"),
			})
		}
	}
	return out
}

// dsnAddress reads "rfc822;user@example.net" (RFC 3464 section 2.3.1).
func dsnAddress(v string) string {
	if _, a, ok := strings.Cut(v, ";"); ok {
		v = a
	}
	return cleanAddress(v, "")
}

// fromStatus fills the result from status fields.
func (r *reportResult) fromStatus(groups []dsnRecipient) {
	best := groups[0]
	r.kind = KindReadReceipt
	for _, g := range groups {
		if strings.HasPrefix(g.action, "failed") {
			best, r.kind = g, KindBounce
			break
		}
		if strings.HasPrefix(g.action, "delayed") {
			best, r.kind = g, KindDelayed
		}
	}
	r.rule, r.value = "delivery-status", best.action
	r.bounce = &Bounce{Recipient: best.final, Status: best.status, Diagnostic: best.diagnostic, Hard: strings.HasPrefix(best.status, "5")}
}
