package tickets

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// codeLetters are those of a code: none is taken for another when it is read
// aloud or written by hand.
const codeLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// NewReferralCode makes the code of a person: the beginning of the name, and
// the person's number in other words. Two persons never have the same.
func NewReferralCode(name string, person int64) string {
	word := ""
	for _, r := range strings.ToUpper(firstWord(name)) {
		if r >= 'A' && r <= 'Z' && len(word) < 8 {
			word += string(r)
		}
	}
	if len(word) < 2 {
		word = "FRIEND"
	}
	return word + "-" + scattered(uint64(person)) // #nosec G115 -- ids are positive
}

func firstWord(name string) string {
	list := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) })
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// scattered writes a number so that neighbours look nothing alike: four
// characters, more from a million on. Every step can be turned back, so that no
// two numbers give the same.
func scattered(n uint64) string {
	bits := uint(20)
	for n>>bits != 0 {
		bits += 10
	}
	half := bits / 2
	mask := uint64(1)<<half - 1
	left, right := n>>half, n&mask
	for round := uint64(1); round <= 4; round++ { // a Feistel network
		left, right = right, left^(right*0x9E3779B1+round*0x85EBCA6B+(right*right)>>3)&mask
	}
	n = left<<half | right
	out := make([]byte, 0, 12)
	for range bits / 5 {
		out = append(out, codeLetters[n&31])
		n >>= 5
	}
	return string(out)
}

// mostCodeLike bounds the words that are looked at of one text.
const mostCodeLike = 64

// codeLike lists the words of a text that have the form of a code: two to eight
// letters, a hyphen, four to fourteen of codeLetters in either case. It goes
// by the hyphens, which are few.
func codeLike(text string) []string {
	var out []string
	from := 0 // what stands before is taken
	for at := 0; len(out) < mostCodeLike; at++ {
		i := strings.IndexByte(text[at:], '-')
		if i < 0 {
			break
		}
		at += i
		begin, end := at, at+1
		for begin > from && isLatin(text[begin-1]) {
			begin--
		}
		for end < len(text) && isCodeLetter(text[end]) {
			end++
		}
		word, tail := at-begin, end-at-1
		if word < 2 || word > 8 || tail < 4 || tail > 14 || begin > 0 && isWordByte(text[begin-1]) || end < len(text) && isWordByte(text[end]) {
			continue
		}
		out = append(out, text[begin:end])
		from, at = end, end-1
	}
	return out
}

func isLatin(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isWordByte reports what stands within a word of ASCII.
func isWordByte(c byte) bool { return isLatin(c) || isDigit(c) || c == '_' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isCodeLetter reports what is read as a letter of a code: none of 0, 1, i, o.
func isCodeLetter(c byte) bool {
	return '2' <= c && c <= '9' || isLatin(c) && c|0x20 != 'i' && c|0x20 != 'o'
}

// NormalCode is the form in which codes are stored: upper case, no blanks.
func NormalCode(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

// mostReferrals bounds what is looked up of one mail.
const mostReferrals = 8

// referralCodes lists words that look like referral codes, in upper case.
func referralCodes(texts ...string) []string {
	var out []string
	for _, text := range texts {
		if len(text) > 20_000 {
			text = text[:20_000]
		}
		for _, c := range codeLike(text) {
			if c = NormalCode(c); len(out) < mostReferrals && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// refer notes by whose word a new customer came. Nobody refers himself.
func (d *decision) refer(tc *TicketChange) {
	r := d.found.Referral
	from := d.in.From.Address
	switch {
	case r == nil || from == "" || d.in.Kind != KindMessage:
		return
	case d.found.Person != nil || len(d.found.Callers) > 0:
		d.trace("referral", r.Code, "%s is no new customer", from)
		return
	}
	d.c.Referrals = append(d.c.Referrals, Referral{By: r.Person, Code: r.Code, State: "open"})
	tc.event(d.now, NormalAddress(from), "referral", "came with the code %s", r.Code)
	d.trace("referral", r.Code, "by customer %d", r.Person)
}

// AcceptReferral gives points to whoever recommended us, once the ticket that
// the new customer came with is resolved. t is that ticket, or the one it lives
// on in; last the referrer's newest, on which a letter about a level leaves.
// found has the points and the code of the referrer. It returns false when it is
// not yet time.
func AcceptReferral(r Referral, t Ticket, by, who *Person, last *Ticket, found Found, rules Rules, now time.Time) (Change, bool) {
	d := unasked(t, found, rules, now)
	switch {
	case t.Status == StatusSpam:
		r.State = "refused"
	case t.Status != StatusResolved && t.Status != StatusClosed:
		return d.c, false
	case by == nil, who == nil, by.Blocked, samePeople(*by, *who):
		r.State = "refused"
	default:
		r.State = "accepted"
	}
	d.c.Referrals = []Referral{r}
	d.ticket(&t).event(now, "desk", "referral "+r.State, "customer %d by customer %d", r.Person, r.By)
	if r.State == "accepted" && rules.Rewards.Referral > 0 {
		p := PointEntry{Brand: t.Brand, Person: by.ID, Points: rules.Rewards.Referral, Why: "referral", Key: fmt.Sprintf("referral:%d", r.Person), At: now}
		d.c.Points = []PointEntry{p}
		if last != nil {
			d.found.Person = by
			d.in.From, d.in.Mailbox = requester(last), last.Mailbox
			d.reward(d.ticket(last), requester(last), p)
		}
	}
	return d.done(), true
}

// samePeople reports whether two profiles are of one person: the same, or with
// an address or number in common.
func samePeople(a, b Person) bool {
	return a.ID == b.ID || slices.ContainsFunc(a.Ways(), func(w string) bool { return slices.Contains(b.Ways(), w) })
}

// Ways are all addresses and numbers of a person, sorted and in one form: a
// number is one, whether it is texted or called by WhatsApp.
func (p Person) Ways() []string {
	var out []string
	add := func(w string) {
		if w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	for _, a := range p.Addresses {
		if n := Number(a); n != "" {
			add(TelAddress(n))
		} else {
			add(NormalAddress(a))
		}
	}
	for _, n := range p.Phones {
		add(TelAddress(n))
	}
	slices.Sort(out)
	return out
}
