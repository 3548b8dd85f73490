package intake

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"frontdesk/parser"
	"frontdesk/tickets"
)

// Authenticator says whether a mail's From is proven.
//
// Two proofs count. First, an Authentication-Results field (RFC 8601) of an
// authserv-id in TrustedIDs, compared without case, that stands above our
// border: see trusted for what "above" means. It proves From when it says
//
//   - dmarc=pass for exactly From's domain; or, where there is no DMARC verdict
//     (no dmarc result, or none, temperror, permerror),
//   - dkim=pass by a domain aligned with From's, or
//   - spf=pass for an envelope sender of a domain aligned with From's.
//
// Aligned is relaxed (RFC 7489 section 3.1): same organisational domain by the
// public suffix list. dmarc=fail is final. More than one dmarc result, or a
// field that does not keep to the grammar, voids all of them.
//
// Second, where no such field says anything, a DKIM signature (RFC 6376) that
// verifies here and is aligned with From's domain. A signature with l= does not
// count.
//
// A mail with more or fewer than one From field or address is never proven.
//
// Microsoft 365 leaves the authserv-id out; such fields belong to nobody and are
// not believed. Gmail writes its field below the Received field of its border,
// where a sender could have put it. The DKIM signatures of both verify here.
type Authenticator struct {
	TrustedIDs     []string // authserv-ids whose Authentication-Results are believed
	InternalRelays []string // host names whose Received fields stand above the border
	// LookupTXT is the resolver for DKIM keys; nil: the system's.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
	// Passed is parser.Options.Passed; nil: nobody is told.
	Passed func()
}

// Authenticate never fails: what cannot be proven is not. Detail says in words
// what was seen.
func (a Authenticator) Authenticate(ctx context.Context, m *parser.Mail, raw []byte) tickets.Auth {
	domain, why := soleAuthor(m)
	if why != "" {
		return tickets.Auth{Method: "none", Detail: why}
	}
	auth, found := a.byResults(m, domain)
	if found {
		return auth
	}
	byKey := a.byDKIM(ctx, m, raw, domain)
	byKey.Detail = auth.Detail + "; " + byKey.Detail
	return byKey
}

// soleAuthor returns the domain of From, or why nothing can be proven about it.
// It reads the field itself, and strictly: what stands in a comment or a quoted
// string is no address, and a mail that two readers could read in two ways is
// proven for neither.
func soleAuthor(m *parser.Mail) (domain, why string) {
	var froms []string
	for _, f := range m.Header {
		if strings.EqualFold(strings.TrimSpace(f.Name), "From") {
			froms = append(froms, f.Value)
		}
	}
	if len(froms) != 1 {
		return "", fmt.Sprintf("%d From fields", len(froms))
	}
	bare, ok := bareText(froms[0])
	if !ok {
		return "", "From with an open comment or quote"
	}
	if strings.Count(bare, "@") != 1 || strings.ContainsAny(bare, ",;:") {
		return "", "From with several addresses or none"
	}
	_, after, _ := strings.Cut(bare, "@")
	after, _, _ = strings.Cut(after, ">")
	domain = normalDomain(after)
	if i := strings.LastIndexByte(m.From.Address, '@'); domain == "" || i < 0 || normalDomain(m.From.Address[i+1:]) != domain {
		return "", "From that can be read in two ways"
	}
	return domain, ""
}

// bareText returns s without comments (RFC 5322 section 3.2.2, nested) and
// quoted strings; false when one does not end.
func bareText(s string) (string, bool) {
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && (depth > 0 || quoted):
			i++
		case quoted:
			quoted = c != '"'
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 {
				return "", false
			}
		case depth > 0:
		case c == '"':
			quoted = true
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), depth == 0 && !quoted
}

// normalDomain returns a domain name in lower-case ASCII, "" when it is none.
func normalDomain(s string) string {
	s = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), "."))
	ascii, err := idna.Lookup.ToASCII(s)
	if err != nil || !strings.Contains(ascii, ".") {
		return ""
	}
	return ascii
}

// aligned reports whether two domains are the same or have one organisational
// domain (RFC 7489 section 3.2).
func aligned(a, b string) bool {
	a, b = normalDomain(a), normalDomain(b)
	if a == "" || b == "" {
		return false
	}
	if a == b {
		return true
	}
	orgA, errA := publicsuffix.EffectiveTLDPlusOne(a)
	orgB, errB := publicsuffix.EffectiveTLDPlusOne(b)
	return errA == nil && errB == nil && orgA == orgB
}

// byResults looks for a proof in Authentication-Results. found says that the
// fields decide; else Detail says why they do not.
func (a Authenticator) byResults(m *parser.Mail, from string) (auth tickets.Auth, found bool) {
	if len(a.TrustedIDs) == 0 {
		return tickets.Auth{Detail: "no trusted authserv-id is configured"}, false
	}
	var all []result
	for _, value := range a.trusted(m.Header) {
		rs, err := parseResults(value)
		if err != nil {
			return tickets.Auth{Detail: "Authentication-Results not believed: " + err.Error()}, false
		}
		all = append(all, rs...)
	}
	if len(all) == 0 {
		return tickets.Auth{Detail: "no Authentication-Results of a trusted server above the border"}, false
	}
	return judge(all, from)
}

// judge applies the rules of Authenticator.
func judge(rs []result, from string) (tickets.Auth, bool) {
	auth := tickets.Auth{Method: "authentication-results"}
	var dmarc *result
	for i := range rs {
		if rs[i].method != "dmarc" {
			continue
		}
		if dmarc != nil {
			return tickets.Auth{Detail: "Authentication-Results not believed: two dmarc results"}, false
		}
		dmarc = &rs[i]
	}
	switch {
	case dmarc == nil, dmarc.value == "none", dmarc.value == "temperror", dmarc.value == "permerror":
	case dmarc.value == "pass":
		if d := dmarc.props["header.from"]; len(d) == 1 && normalDomain(d[0]) == from {
			auth.Pass, auth.Detail = true, "dmarc=pass for "+from
			return auth, true
		}
		auth.Detail = "dmarc=pass, but not for " + from
		return auth, true
	default:
		auth.Detail = "dmarc=" + dmarc.value
		return auth, true
	}
	for _, r := range rs {
		if d := r.alignedWith(from); d != "" {
			auth.Pass, auth.Detail = true, fmt.Sprintf("%s=pass for %s, aligned with %s", r.method, d, from)
			return auth, true
		}
	}
	return tickets.Auth{Detail: "Authentication-Results without a pass aligned with " + from}, false
}

// alignedWith returns the domain for which a dkim or spf result says pass, when
// it is aligned with from.
func (r result) alignedWith(from string) string {
	var names []string
	switch {
	case r.value != "pass":
	case r.method == "dkim":
		names = r.props["header.d"]
		if len(names) == 0 {
			names = r.props["header.i"] // Gmail writes only this one
		}
	case r.method == "spf":
		names = r.props["smtp.mailfrom"]
	}
	if len(names) != 1 { // two values: which one passed?
		return ""
	}
	d := names[0][strings.LastIndexByte(names[0], '@')+1:]
	if !aligned(d, from) {
		return ""
	}
	return d
}

// trusted returns the Authentication-Results fields that our own servers wrote:
// those of a trusted authserv-id above the border. Fields are added on top (RFC
// 8601 section 4), so the border is the Received field of the first server of
// ours that took the mail from a stranger, and whatever stands below it may be
// the stranger's. From the top, a Received field is the border unless
//
//   - it names LMTP as its protocol: final delivery within our house; or
//   - its by-host is in InternalRelays.
//
// The by-host of a trusted authserv-id is the border even when it is no other.
// "from localhost" says nothing: behind a proxy, a tunnel or fetchmail, strangers
// come from there. A mail without Received fields was put into the mailbox by
// somebody who may write there; its fields count.
func (a Authenticator) trusted(header []parser.Field) (values []string) {
	for _, f := range header {
		switch name := strings.TrimSpace(f.Name); {
		case strings.EqualFold(name, "Authentication-Results"):
			if a.trusts(f.Value) {
				values = append(values, f.Value)
			}
		case strings.EqualFold(name, "Received"):
			if !a.internal(f.Value) {
				return values
			}
		}
	}
	return values
}

// trusts reports whether the field claims a trusted authserv-id.
func (a Authenticator) trusts(value string) bool {
	bare, ok := bareText(value)
	if !ok {
		bare = value // rejected later, when it is parsed
	}
	id, _, _ := strings.Cut(bare, ";")
	fields := strings.Fields(id)
	return len(fields) > 0 && contains(a.TrustedIDs, fields[0])
}

// internal reports whether a Received field was written by a hop within our
// own house.
func (a Authenticator) internal(value string) bool {
	by, with, ok := parseReceived(value)
	if !ok {
		return false
	}
	switch strings.ToUpper(with) {
	case "LMTP", "LMTPS", "LMTPA", "LMTPSA", "UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA": // RFC 6531 section 4.3
		return true
	case "ESMTPA", "ESMTPSA": // RFC 3848: a person submitted it here, with any field he liked
		return false
	}
	return contains(a.InternalRelays, by)
}

// parseReceived returns the by-host and the protocol of a Received field (RFC
// 5321 section 4.4). Each clause may be there once and in its order: a client
// whose HELO holds spaces must not be able to add one.
func parseReceived(value string) (by, with string, ok bool) {
	bare, ok := bareText(value)
	if !ok {
		return "", "", false
	}
	bare, _, _ = strings.Cut(bare, ";") // the date
	order := map[string]int{"from": 1, "by": 2, "via": 3, "with": 4, "id": 5, "for": 6}
	words, last := strings.Fields(bare), 0
	for i := 0; i < len(words); i++ {
		n := order[strings.ToLower(words[i])]
		if n == 0 {
			continue
		}
		if n <= last || i+1 == len(words) {
			return "", "", false
		}
		last = n
		i++
		switch n {
		case 2:
			by = words[i]
		case 4:
			with = words[i]
		}
	}
	return by, with, by != ""
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(strings.TrimSuffix(x, "."), strings.TrimSuffix(s, ".")) {
			return true
		}
	}
	return false
}
