package phone

import (
	"regexp"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// PartyKind says what the other end of a call or text is.
type PartyKind string

// The kinds. Only PartyNumber may belong to a customer's profile.
const (
	PartyNumber    PartyKind = "number"    // a telephone number, in Party.Number
	PartyWithheld  PartyKind = "withheld"  // the caller hides it, or the network does not know it
	PartyShortCode PartyKind = "shortcode" // five or six digits: a machine
	PartySIP       PartyKind = "sip"       // sip:user@host; the user part proves nothing
	PartyClient    PartyKind = "client"    // client:name, an application of the account
	PartyName      PartyKind = "name"      // an alphanumeric sender: cannot be answered
)

// Party is one end of a call or message.
type Party struct {
	Raw      string // as Twilio sent it
	Kind     PartyKind
	Number   string // E.164 with "+"; "" unless Kind is PartyNumber
	WhatsApp bool   // Raw began with "whatsapp:"
}

// Known reports whether the party has a number by which a customer may be
// looked up. A withheld number must never make or find a profile: everybody who
// hides a number would become one customer.
func (p Party) Known() bool { return p.Kind == PartyNumber }

// Address is what the REST API takes as To or From: the number, with the
// prefix of its channel. It is "" for a party that cannot be written to.
func (p Party) Address() string {
	switch {
	case p.Kind != PartyNumber:
		return ""
	case p.WhatsApp:
		return whatsApp + p.Number
	}
	return p.Number
}

const whatsApp = "whatsapp:"

// withheld are what networks put in place of a number. The digits spell words
// on a telephone's keys and look like E.164: +266696687 is ANONYMOUS, and not
// somebody in Lesotho.
var withheld = map[string]bool{
	"":             true,
	"+266696687":   true, // ANONYMOUS
	"+86282452253": true, // UNAVAILABLE, cut to eleven digits
	"+8656696":     true, // UNKNOWN
	"+2562533":     true, // BLOCKED
	"+7378742833":  true, // RESTRICTED
	"anonymous":    true,
	"unavailable":  true,
	"unknown":      true,
	"blocked":      true,
	"restricted":   true,
	"private":      true,
	"withheld":     true,
	"asserted":     true,
	"none":         true,
}

var (
	e164      = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	shortCode = regexp.MustCompile(`^\+?[0-9]{3,6}$`)
)

// ParseParty reads a From or To of a webhook. Country is the ISO 3166 code of
// the brand ("DE"), by which a number without country code is read; "" reads
// only numbers with one. Twilio writes E.164, forwarding exchanges do not always.
func ParseParty(raw, country string) Party {
	p := Party{Raw: raw, Kind: PartyName}
	text := strings.TrimSpace(raw)
	if rest, ok := cutFold(text, whatsApp); ok {
		p.WhatsApp, text = true, strings.TrimSpace(rest)
	}
	lower := strings.ToLower(text)
	switch {
	case isWithheld(lower):
		p.Kind = PartyWithheld
	case strings.HasPrefix(lower, "sip:"), strings.HasPrefix(lower, "sips:"):
		p.Kind = PartySIP
	case strings.HasPrefix(lower, "client:"):
		p.Kind = PartyClient
	case shortCode.MatchString(text):
		p.Kind = PartyShortCode
	default:
		if number, ok := Normalize(text, country); ok && !withheld[number] {
			p.Kind, p.Number = PartyNumber, number
		}
	}
	return p
}

// isWithheld also knows the words as the user of a SIP address: a trunk writes
// sip:anonymous@anonymous.invalid (RFC 3323 section 4.1).
func isWithheld(lower string) bool {
	if rest, ok := strings.CutPrefix(lower, "sip:"); ok {
		user, host, _ := strings.Cut(rest, "@")
		return withheld[user] || strings.HasSuffix(host, "anonymous.invalid")
	}
	return withheld[lower]
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// Normalize returns a telephone number as E.164. It takes what people and
// exchanges write: blanks, brackets, hyphens, "tel:", "00" in front, and numbers
// of Country ("DE", may be "") without country code. False means that it is no
// number that could be called.
//
// A number that is already E.164 is taken although today's numbering plan does
// not know it: new ranges are opened faster than tables are updated, and Twilio
// has just carried a call from it.
func Normalize(number, country string) (string, bool) {
	number, _ = cutFold(strings.TrimSpace(number), "tel:")
	if len(number) > 40 {
		return "", false
	}
	parsed, err := phonenumbers.Parse(number, strings.ToUpper(country))
	if err == nil && parsed.GetExtension() == "" && phonenumbers.IsPossibleNumber(parsed) {
		if out := phonenumbers.Format(parsed, phonenumbers.E164); e164.MatchString(out) {
			return out, true
		}
	}
	if e164.MatchString(number) {
		return number, true
	}
	return "", false
}

// Mask shortens a number for logs: enough to tell two customers apart, not
// enough to call one.
func Mask(number string) string {
	digits := []rune(number)
	if len(digits) <= 6 {
		return "…"
	}
	return string(digits[:3]) + "…" + string(digits[len(digits)-3:])
}
