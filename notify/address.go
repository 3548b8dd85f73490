package notify

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"frontdesk/tickets"
)

// checked is the one choke point of everything that is written into a header
// field or an SMTP command: it refuses what could end the line and begin
// another (RFC 5322 section 2.2, RFC 5321 section 4.1.1).
func checked(what, value string) (string, error) {
	if strings.ContainsAny(value, "\r\n\x00") {
		return "", fmt.Errorf("%s %q: line end or NUL in it", what, value)
	}
	if !utf8.ValidString(value) {
		return "", fmt.Errorf("%s %q: not UTF-8", what, value)
	}
	return value, nil
}

// longestAddress is RFC 5321 section 4.5.3.1.3 without the brackets. A longer one
// would be folded in its middle, and be another one.
const longestAddress = 254

// wireAddress returns an address as SMTP takes it: the domain in punycode
// (RFC 5891), the local part as it is. utf8 says that the local part needs a
// server with SMTPUTF8 (RFC 6531).
func wireAddress(address string) (wire string, utf8 bool, err error) {
	address, err = checked("address", strings.TrimSpace(address))
	if err != nil {
		return "", false, err
	}
	if len(address) > longestAddress {
		return "", false, fmt.Errorf("address %.80q…: longer than %d octets", address, longestAddress)
	}
	at := strings.LastIndexByte(address, '@')
	if at <= 0 || at == len(address)-1 {
		return "", false, fmt.Errorf("address %q: no local part or no domain", address)
	}
	local, domain := address[:at], address[at+1:]
	// A quoted local part is legal and unheard of; refusing spaces, brackets
	// and controls here keeps one address one address in every command.
	if strings.ContainsAny(local, " \t<>()[],;:\"\\") || hasControl(local) {
		return "", false, fmt.Errorf("address %q: character that needs quoting in the local part", address)
	}
	if !ascii(domain) {
		if domain, err = idna.Lookup.ToASCII(domain); err != nil {
			return "", false, fmt.Errorf("address %q: %w", address, err)
		}
	}
	if domain[0] == '.' || strings.Contains(domain, "..") || strings.ContainsAny(domain, " \t<>()@,;\"\\") || hasControl(domain) {
		return "", false, fmt.Errorf("address %q: bad domain", address)
	}
	return local + "@" + domain, !ascii(local), nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// headerAddress returns an address as a header field shows it.
func headerAddress(a tickets.Address) (*mail.Address, error) {
	wire, _, err := wireAddress(a.Address)
	if err != nil {
		return nil, err
	}
	name, err := checked("display name", oneLine(a.Name, 120))
	if err != nil {
		return nil, err
	}
	return &mail.Address{Name: name, Address: wire}, nil
}

// headerAddresses returns those of list that can be shown in a letter to the
// addressee. One that cannot be written is left out, as is one that only a
// server with SMTPUTF8 would carry: a copy's odd address must not keep a
// letter from its addressee.
func headerAddresses(list []tickets.Address, addressee string) []*mail.Address {
	var out []*mail.Address
	for _, a := range list {
		h, err := headerAddress(a)
		if err != nil || (!ascii(h.Address) && !tickets.SameAddress(a.Address, addressee)) {
			continue
		}
		out = append(out, h)
	}
	return out
}

// msgID reports whether s can stand as a msg-id in a header field: printable
// ASCII without brackets and spaces, short enough for its line. It need not
// have an @: half of the phones' mail clients that forget it are answered too.
func msgID(s string) bool {
	if s == "" || len(s) > 900 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '<' || c == '>' || c == ',' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// keptReferences is how many msg-ids a References field keeps.
const keptReferences = 20

// references joins the ids a letter cites, oldest first and the parent last,
// each once, the invalid ones left out. Of a long thread the first id and the
// newest are kept (RFC 5322 section 3.6.4 names no limit; servers refuse long
// fields).
func references(ids []string, parent string) []string {
	var out []string
	seen := map[string]bool{parent: true}
	for _, id := range ids {
		if msgID(id) && !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	if msgID(parent) {
		out = append(out, parent)
	}
	if len(out) > keptReferences {
		out = append(out[:1:1], out[len(out)-keptReferences+1:]...)
	}
	return out
}
