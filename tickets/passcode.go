package tickets

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The ways in which a requester proved who he is: values of Ticket.Identity.
const (
	IdentityMail     = "mail"
	IdentityPasscode = "passcode"
)

// Passcode is the code by which the requester of a ticket is to prove who he is.
// The code itself stands in its letter alone.
type Passcode struct {
	Ticket int64 // 0: the first of Change.Tickets
	Hash   string
	To     string // address or number that the code went to
	Issued time.Time
	Count  int       // codes sent on the ticket, this one counted
	Tries  int       // wrong codes since this one was sent
	Proven time.Time // zero until it was answered
}

// mostPasscodes bounds the codes of one ticket: after them agents ask in their own way.
const mostPasscodes = 5

// Passcode makes a code of six digits out of what it is sent for; nobody without
// the desk's key can.
func (r Keyring) Passcode(seed string) string {
	n, err := base32Lower.DecodeString(r.Current.mac("passcode", seed)[:8]) // 40 bits
	if err != nil {
		panic(err) // our own alphabet
	}
	var v uint64
	for _, b := range n {
		v = v<<8 | uint64(b)
	}
	return fmt.Sprintf("%06d", v%1_000_000)
}

// PasscodeHash is how a code is stored: keyed, and bound to its addressee and time.
func (r Keyring) PasscodeHash(to string, issued time.Time, code string) string {
	return r.Current.mac("passcode hash", fmt.Sprintf("%s %d %s", NormalAddress(to), issued.UnixMilli(), code))
}

// Matches reports whether the code is the one that was sent.
func (p Passcode) Matches(keys Keyring, code string) bool {
	for _, k := range append([]Key{keys.Current}, keys.Old...) {
		if len(k.Secret) > 0 && same(Keyring{Current: k}.PasscodeHash(p.To, p.Issued, code), p.Hash) {
			return true
		}
	}
	return false
}

// valid reports whether the code may still be answered.
func (p Passcode) valid(r PasscodeRules, now time.Time) bool {
	return p.Proven.IsZero() && p.Tries < r.Tries && now.Sub(p.Issued) < r.Valid
}

var (
	// guarded are words of a question that asks for what only the customer may know.
	guarded       = regexp.MustCompile(`(?i)(?:^|[^\pL])(warranty|guarantee|garantie|gewährleistung)(?:$|[^\pL])`)
	guardedBegins = []string{"warranty", "guarantee", "garantie", "gew"}
	// sixDigits are codes as people type them: 123456, 123 456, 123-456.
	sixDigits = regexp.MustCompile(`(?:^|[^\d])(\d{3})[ \-]?(\d{3})(?:$|[^\d])`)
)

// asksForProof reports whether a ticket is about what is disclosed to the
// customer alone.
func (d *decision) asksForProof(t *Ticket) bool {
	r := d.rules.Passcodes
	if len(r.Categories) == 0 {
		return false
	}
	if _, sent := d.passcodeOf(t); sent || slices.Contains(r.Categories, t.Category) {
		return true
	}
	return asksGuarded(d.in.Reply)
}

// asksGuarded reports a question with one of the guarded words. The pattern is
// slow, and few texts have the beginning of such a word.
func asksGuarded(text string) bool {
	if !strings.Contains(text, "?") {
		return false
	}
	for i := range len(text) {
		if c := text[i] | 0x20; c != 'w' && c != 'g' {
			continue
		}
		for _, begin := range guardedBegins {
			if len(text)-i >= len(begin) && strings.EqualFold(text[i:i+len(begin)], begin) {
				return guarded.MatchString(text)
			}
		}
	}
	return false
}

func (d *decision) passcodeOf(t *Ticket) (Passcode, bool) {
	for _, p := range d.c.Passcodes {
		if p.Ticket == t.ID {
			return p, true
		}
	}
	p, ok := d.found.Passcodes[t.ID]
	return p, ok
}

// checkIdentity notes how the requester proved who he is, takes a code that the words
// hold, and sends one where proof is wanted and there is none. It keeps nobody
// waiting: agents see how it stands, and may answer.
func (d *decision) checkIdentity(tc *TicketChange) {
	t := &tc.Ticket
	if len(d.rules.Passcodes.Categories) == 0 || d.in.Kind != KindMessage && d.in.Phone == nil || !d.asks(t) {
		return
	}
	switch p, sent := d.passcodeOf(t); {
	case t.Identity != "":
	case d.provenMail():
		t.Identity = IdentityMail
		if d.asksForProof(t) {
			tc.event(d.now, d.who(), "identity proven", "by mail: %s", d.in.Auth.Method)
		}
	case sent && d.proves(tc, p, d.in.Reply):
	case d.asksForProof(t):
		d.sendPasscode(tc)
	}
}

// provenMail reports whether From of the mail in hand is proven, not merely
// trusted.
func (d *decision) provenMail() bool {
	return d.in.Channel == ChannelMail && d.in.Auth.Pass && d.in.Auth.Method != "address-only"
}

// asks reports whether it is the requester who writes, texts or calls.
func (d *decision) asks(t *Ticket) bool {
	return SameAddress(requester(t).Address, d.in.From.Address) || t.Requester != 0 && d.is(t.Requester)
}

// proves takes the code out of somebody's words. What is no code changes
// nothing; a wrong one counts.
func (d *decision) proves(tc *TicketChange, p Passcode, words string) bool {
	if !p.valid(d.rules.Passcodes, d.now) {
		return false
	}
	said := sixDigits.FindAllStringSubmatch(words, 3)
	for _, m := range said {
		if p.Tries >= d.rules.Passcodes.Tries {
			break
		}
		if p.Matches(d.rules.Keys, m[1]+m[2]) {
			p.Proven = d.now
			tc.Ticket.Identity = IdentityPasscode
			tc.event(d.now, d.who(), "identity proven", "by a passcode to %s", p.To)
			d.trace("passcode", "", "right")
			d.keepPasscode(tc, p)
			return true
		}
		p.Tries++
		tc.event(d.now, d.who(), "wrong passcode", "%d of %d", p.Tries, d.rules.Passcodes.Tries)
		d.trace("passcode", "", "wrong")
	}
	d.keepPasscode(tc, p)
	return false
}

func (d *decision) keepPasscode(tc *TicketChange, p Passcode) {
	p.Ticket = tc.Ticket.ID
	d.c.Passcodes = slices.DeleteFunc(d.c.Passcodes, func(have Passcode) bool { return have.Ticket == p.Ticket })
	d.c.Passcodes = append(d.c.Passcodes, p)
}

// sendPasscode sends a code to who asks, unless one is on its way. An address in
// From may be forged and a number shown may be false: whoever has the code reads
// what goes to it.
func (d *decision) sendPasscode(tc *TicketChange) {
	p, sent := d.passcodeOf(&tc.Ticket)
	if sent && p.valid(d.rules.Passcodes, d.now) || p.Count >= mostPasscodes {
		return
	}
	to := d.passcodeTo(tc)
	if to.Address == "" {
		tc.event(d.now, "desk", "no passcode", "there is no address or number that it could go to")
		return
	}
	issued := d.now.Truncate(time.Millisecond) // as it is stored
	code := d.rules.Keys.Passcode(fmt.Sprintf("%s %d %s %d", d.occasion(tc), p.Count, NormalAddress(to.Address), issued.UnixMilli()))
	n := len(tc.Letters)
	d.automaticTo(tc, to, LetterPasscode, LetterData{Code: code, Due: issued.Add(d.rules.Passcodes.Valid)})
	if len(tc.Letters) == n {
		return // an event says why
	}
	if l := &tc.Letters[n]; !d.provenMail() {
		l.Subject, l.To.Name = "", "" // as of an acknowledgement
	}
	tc.event(d.now, "desk", "passcode sent", "to %s", to.Address)
	d.keepPasscode(tc, Passcode{Hash: d.rules.Keys.PasscodeHash(to.Address, issued, code), To: NormalAddress(to.Address), Issued: issued, Count: p.Count + 1})
}

// passcodeTo is where a code goes: to the address or the number that asks, which
// is the profile's own or makes the profile; of one that takes no texts to the
// profile's mail address.
func (d *decision) passcodeTo(tc *TicketChange) Address {
	from := d.in.From
	if p, sent := d.passcodeOf(&tc.Ticket); sent {
		from = Address{Address: p.To}
	}
	if from.Address != "" && (Number(from.Address) == "" || d.noText(NormalAddress(from.Address), d.lineTo(&tc.Ticket, from.Address)) == "") {
		return from
	}
	if callers := d.callers(); len(callers) == 1 {
		for _, a := range callers[0].Addresses {
			if ChannelOf(a) == ChannelMail {
				return Address{Address: a}
			}
		}
	}
	return Address{}
}

// identityLines tell agents what may be disclosed.
func (d *decision) identityLines(t *Ticket) []string {
	switch {
	case !d.asksForProof(t):
		return nil
	case t.Identity == "":
		return []string{"identity: not proven; do not disclose account or warranty details"}
	}
	return []string{"identity: proven by " + t.Identity}
}

// provedOnPage takes a code out of words that were typed on the ticket's page by
// whom it was sent to.
func (d *decision) provedOnPage(tc *TicketChange, who, text string) {
	p, sent := d.passcodeOf(&tc.Ticket)
	if sent && tc.Ticket.Identity == "" && SameAddress(p.To, who) && !d.proves(tc, p, text) {
		d.sendPasscode(tc)
	}
}
