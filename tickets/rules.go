package tickets

import (
	"regexp"
	"slices"
	"time"
)

// Rules is everything a decision depends on besides the mail and what is
// stored: the configuration in the words of the domain. It is read-only.
type Rules struct {
	Keys       Keyring
	Brands     map[string]Brand
	Agents     map[string]Agent // by normal address
	Queues     map[string]Queue
	Categories map[string]Category
	Severities map[string]Severity

	// Respond and Resolve are the times told to a customer whose category or
	// severity is not known, as configured.
	Respond string
	Resolve string

	// Foreign makes relay addresses and subject tags of another desk count
	// (frontdesk thread, import); nil in a running desk.
	Foreign *Foreign

	MessageSize     int64    // bytes; told to customers
	AttachmentTypes []string // "image/*", "application/pdf"

	Ack     AckLimits
	Closing Closing

	// AddressOnly trusts an agent's From without proof (agent_auth:
	// address-only). The relay address is still needed.
	AddressOnly bool
}

// Brand is one business the desk answers for.
type Brand struct {
	Key       string
	Name      string
	Domain    string // right-hand side of our Message-IDs
	Language  string
	Location  *time.Location
	Signature string
	Mailboxes []Mailbox
}

// Mailbox is one address of a brand.
type Mailbox struct {
	Address       string
	Queue         string
	Subaddressing string // "+", "-", … or "" where the provider has none
}

// Queue is a kind of work and the teams that do it.
type Queue struct {
	Key   string
	Tiers [][]string // addresses of the agents of each tier, first tier first
}

// Category sorts tickets.
type Category struct {
	Key           string
	Title         string
	RespondWithin string // as configured: "2 business hours"
	Keywords      []string
}

// Severity is how bad it is.
type Severity struct {
	Key           string
	ResolveWithin string
}

// AckLimits are the limits on automatic letters (docs/mail-rules.md section 3).
// Zero means none are sent, but for MaxAge (zero: no limit).
type AckLimits struct {
	SenderHour, SenderDay, Subject3h, DomainHour, GlobalHour int
	Ticket10min                                              int
	MaxAge                                                   time.Duration // older mail is not acknowledged (catch-up after an outage)
	Bulk                                                     bool          // list and bulk mail opens tickets, too (never acknowledged); else it is quarantined
}

// Closing says how silence after a resolution ends.
type Closing struct {
	RemindAfter  time.Duration // then the customer is asked once more
	CloseAfter   time.Duration // then the ticket is closed with a notice; counted from the resolution
	ReopenWindow time.Duration // a reply to a closed ticket within it reopens, later makes a new linked one
}

// Mailbox returns the brand's mailbox with that address.
func (b Brand) Mailbox(address string) (Mailbox, bool) {
	for _, m := range b.Mailboxes {
		if SameAddress(m.Address, address) {
			return m, true
		}
	}
	return Mailbox{}, false
}

// Agent returns who in the team has the address.
func (r Rules) Agent(address string) (Agent, bool) {
	a, ok := r.Agents[NormalAddress(address)]
	return a, ok
}

// worksFor reports whether mail of the brand can come to the agent, on any tier.
func (r Rules) worksFor(a Agent, b Brand) bool {
	return slices.ContainsFunc(b.Mailboxes, func(m Mailbox) bool {
		return slices.ContainsFunc(r.Queues[m.Queue].Tiers, func(tier []string) bool { return slices.Contains(tier, a.Address) })
	})
}

// Ours reports whether the address is one of the desk's own mailboxes, with or
// without a subaddress.
func (r Rules) Ours(address string) bool {
	for _, b := range r.Brands {
		for _, m := range b.Mailboxes {
			if SameAddress(m.Address, address) || SameAddress(m.Address, StripSubaddress(address, m.Subaddressing)) {
				return true
			}
			if _, ok := subaddress(address, m.Address, m.Subaddressing); ok { // its name may hold the separator
				return true
			}
		}
	}
	return false
}

// Foreign says which addresses and subject tags of another desk name which
// ticket. They are unsigned: a hit counts like a subject tag, for participants
// only.
type Foreign struct {
	Relay, Tag *regexp.Regexp   // first group: the other desk's id; nil none
	Tickets    map[string]int64 // the other desk's id → our ticket
}
