package tickets

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// evidence is everything in a mail that names a ticket or letter of ours, read
// once: what is looked up (Keys) and what decides (thread) are the same.
type evidence struct {
	relays  []relayHit
	letter  int64 // from a VERP address
	verp    string
	verpErr error
	ours    []ownID // our Message-IDs among the cited ones, in citing order
	tags    []int64 // tickets named by subject tags of this brand
	foreign []int64 // tickets named by another desk's addresses or tags
	cites   []string
	self    error // nil when the mail's own Message-ID or loop mark is ours
}

type relayHit struct {
	address string
	relay   Relay
	err     error // nil, ErrForged or ErrUnknown
}

type ownID struct {
	id      string
	ticket  int64
	message string
}

// read collects the evidence of a mail.
func read(in Inbound, rules Rules) evidence {
	brand := rules.Brands[in.Brand]
	e := evidence{cites: cites(in), self: ownSelf(in, rules.Keys)}
	e.relays = relays(in.Recipients, brand, rules.Keys)
	e.letter, e.verp, e.verpErr = verp(in.Recipients, brand, rules.Keys)
	for _, id := range e.cites {
		if t, m, err := rules.Keys.ParseMessageID(id); err == nil {
			e.ours = append(e.ours, ownID{id, t, m})
		}
	}
	e.tags = subjectTags(in.Subject, brand.Name)
	e.foreign = foreignTickets(in, rules.Foreign)
	return e
}

// ownSelf returns nil when the mail is one of our own letters coming back.
func ownSelf(in Inbound, keys Keyring) error {
	if _, _, err := keys.ParseMessageID(in.MessageID); err == nil {
		return nil
	}
	if keys.VerifyLoopMark(in.Loop, in.MessageID) {
		return nil
	}
	return ErrNoToken
}

// cites lists In-Reply-To, then References from right to left, then the
// original's id of a bounce; each once. An empty id is never a key.
func cites(in Inbound) []string {
	var out []string
	seen := map[string]bool{"": true}
	add := func(id string) {
		id = strings.TrimSpace(id)
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	for _, id := range in.InReplyTo {
		add(id)
	}
	for i := len(in.References) - 1; i >= 0; i-- {
		add(in.References[i])
	}
	if in.Bounce != nil {
		add(in.Bounce.MessageID)
	}
	return out
}

// relays reads the relay addresses. The envelope sender of a letter is none,
// although it looks like one that was altered: vacation notes come to it (RFC
// 3834 section 4).
func relays(recipients []string, brand Brand, keys Keyring) []relayHit {
	var out []relayHit
	seen := map[string]bool{}
	for _, a := range recipients {
		a = NormalAddress(a)
		if seen[a] {
			continue
		}
		seen[a] = true
		for _, m := range brand.Mailboxes {
			if _, err := keys.ParseEnvelopeSender(a, m.Address, m.Subaddressing); err == nil {
				break
			}
			r, err := keys.ParseRelay(a, m.Address, m.Subaddressing)
			if err == nil || errors.Is(err, ErrForged) || errors.Is(err, ErrUnknown) {
				out = append(out, relayHit{a, r, err})
				break
			}
		}
	}
	return out
}

func verp(recipients []string, brand Brand, keys Keyring) (int64, string, error) {
	for _, a := range recipients {
		for _, m := range brand.Mailboxes {
			if _, err := keys.ParseRelay(a, m.Address, m.Subaddressing); err == nil {
				break
			}
			letter, err := keys.ParseEnvelopeSender(a, m.Address, m.Subaddressing)
			if err == nil || errors.Is(err, ErrForged) || errors.Is(err, ErrUnknown) {
				return letter, NormalAddress(a), err
			}
		}
	}
	return 0, "", ErrNoToken
}

var tagPattern = regexp.MustCompile(`\[\s*([^\[\]#]*?)\s*#\s*(\d{1,15})\s*\]`)

// subjectTags returns the tickets that tags such as [Baleyo #1234] name.
func subjectTags(subject, brand string) []int64 {
	var out []int64
	for _, m := range tagPattern.FindAllStringSubmatch(subject, 5) {
		if !strings.EqualFold(m[1], brand) {
			continue
		}
		if n, err := strconv.ParseInt(m[2], 10, 64); err == nil && n > 0 {
			out = append(out, n)
		}
	}
	return out
}

func foreignTickets(in Inbound, f *Foreign) []int64 {
	if f == nil {
		return nil
	}
	var out []int64
	add := func(re *regexp.Regexp, text string) {
		if re == nil {
			return
		}
		for _, m := range re.FindAllStringSubmatch(text, 5) {
			if t := f.Tickets[strings.ToLower(m[1])]; t != 0 {
				out = append(out, t)
			}
		}
	}
	for _, a := range in.Recipients {
		add(f.Relay, a)
	}
	add(f.Tag, in.Subject)
	return out
}

// sameList returns the address of a mailing list that the mail came over and
// that is on the ticket; "" when there is none. Only mail with a List-Id field
// (RFC 2919) came over a list.
func (d *decision) sameList(t *Ticket) string {
	if !slices.ContainsFunc(d.in.Signals, func(s string) bool { return strings.HasPrefix(strings.ToLower(s), "list-id=") }) {
		return ""
	}
	for _, a := range slices.Concat(d.in.To, d.in.Cc) {
		if n := NormalAddress(a.Address); n != "" && !d.rules.Ours(n) && t.Verified(n) {
			return n
		}
	}
	return ""
}

// sameCore compares core subjects as people would.
func sameCore(a, b string) bool { return a != "" && squash(a) == squash(b) }

// kinship says what ties a sender to the requester of a ticket, "" for nothing:
// the domain of an organisation, or the name.
func kinship(from, requester Address) string {
	domain := Domain(from.Address)
	switch {
	case domain != "" && domain == Domain(requester.Address) && !everybodys(domain):
		return "the sender is of the requester's organisation, " + domain
	case squash(from.Name) != "" && squash(from.Name) == squash(requester.Name):
		return "the sender has the requester's name"
	}
	return ""
}

// everybodys reports whether anybody can have an address in a domain: sharing
// one says nothing.
func everybodys(domain string) bool {
	label, _, _ := strings.Cut(domain, ".")
	switch label {
	case "gmail", "googlemail", "outlook", "hotmail", "live", "msn", "yahoo", "ymail", "rocketmail", "aol", "icloud", "me", "mac",
		"gmx", "web", "t-online", "freenet", "arcor", "mail", "email", "yandex", "rambler", "bk", "inbox", "list", "ukr", "qq", "163", "126",
		"sina", "foxmail", "proton", "protonmail", "pm", "tutanota", "tuta", "posteo", "mailbox", "fastmail", "hey", "zoho",
		"orange", "wanadoo", "free", "laposte", "sfr", "libero", "virgilio", "alice", "tin", "seznam", "centrum", "wp", "o2",
		"onet", "interia", "op", "naver", "daum", "hanmail", "bluewin", "comcast", "verizon", "att", "btinternet", "sky",
		"telenet", "skynet", "ziggo", "kpnmail", "rediffmail", "uol", "bol", "terra":
		return true
	}
	return false
}

// Keys says what has to be looked up before Receive decides about in.
func (in Inbound) Keys(rules Rules) Keys {
	e := read(in, rules)
	k := Keys{
		Brand: in.Brand, Cites: e.cites, MessageID: in.MessageID, ThreadRoot: in.ThreadRoot,
		Subject: in.SubjectCore, Sender: NormalAddress(in.From.Address), Content: in.Content,
		Letter: e.letter, Now: in.Received,
	}
	for _, r := range e.relays {
		if r.err == nil && r.relay.Ticket != 0 {
			k.Tickets = append(k.Tickets, r.relay.Ticket)
			k.History = r.relay.Ticket
		}
	}
	for _, o := range e.ours {
		if n, isLetter := strings.CutPrefix(o.message, "l"); isLetter && o.ticket == 0 && k.Letter == 0 {
			k.Letter, _ = strconv.ParseInt(n, 10, 64) // a letter about no ticket: what it said is wanted
		}
		if o.ticket != 0 {
			k.Tickets = append(k.Tickets, o.ticket)
			if k.History == 0 {
				k.History = o.ticket
			}
		}
	}
	k.Tickets = append(k.Tickets, e.tags...)
	k.Tickets = append(k.Tickets, e.foreign...)
	k.Tickets = append(k.Tickets, commandTickets(in.Commands)...)
	if in.Button != nil {
		k.Tickets = append(k.Tickets, in.Button.Ticket)
		k.Survey = in.Button.Survey
		k.Opens = in.Button.Action == "accept"
	}
	k.Codes = referralCodes(in.Subject, in.Reply)
	if in.Phone != nil {
		in.phoneKeys(&k, rules)
	} else {
		in.mailKeys(&k, rules)
	}
	k.Serial = in.serial()
	k.Foreign = ForeignNumbers(in.Subject)
	// What was delivered just now is found by its content.
	age := in.Received.Sub(in.Date)
	k.Old = in.Channel == ChannelMail && in.Button == nil && in.Phone == nil && (in.Kind != KindMessage || age > oldMail || age < -oldMail)
	return k
}

// oldMail is from what age on a mail may be one that was imported: younger ones
// are found among the messages of the week.
const oldMail = 24 * time.Hour

// mailKeys says what a mail that may open a ticket wants beyond: a report about
// one of our letters opens none.
func (in Inbound) mailKeys(k *Keys, rules Rules) {
	switch in.Kind {
	case KindMessage, KindBulk, KindAutoReply, KindCalendar:
	default:
		return
	}
	if in.Button != nil {
		return
	}
	k.Opens, k.Words = true, in.Subject+"\n"+in.Reply
	if within := rules.Incident.Within; within > 0 {
		k.LikeSince = in.Received.Add(-within)
	}
}

func (h relayHit) String() string {
	if h.err != nil {
		return fmt.Sprintf("%s: %v", h.address, h.err)
	}
	return fmt.Sprintf("ticket %d, person %d, role %c, version %d", h.relay.Ticket, h.relay.Person, h.relay.Role, h.relay.Version)
}
