package tickets

import (
	"regexp"
	"slices"
	"time"

	"frontdesk/sla"
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
	Texting Texting
	Policy  sla.Policy // what is promised
	Matrix  Matrix     // impact × urgency → severity
	Signs   []Sign     // words that speak for an impact or an urgency
	Learned *Model     // nil until there is history enough

	Contracts     map[string]Contract
	Organisations []Organisation
	Incident      IncidentRules
	Assign        AssignRules
	Update        UpdateRules
	Roles         map[Role]Rights
	Order         []string // severities, worst first: the queue's order

	// Suggest finds articles of the knowledge base for a text, best first, none
	// below the threshold; nil: there is no knowledge base. Its answer depends on
	// its arguments and the articles alone.
	Suggest func(brand, language, text string) []Article
	Article func(id string) (Article, bool) // by its id, in lower case
	// ArticleIDs lists the ids of all articles, to say which was meant.
	ArticleIDs func() []string

	Reminders ReminderRules
	Surveys   SurveyRules
	Rewards   RewardRules
	Returns   ReturnRules
	Passcodes PasscodeRules

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
	Phones    []Phone
	Country   string        // ISO 3166: whose numbers are written without country code
	Calendar  *sla.Calendar // when the desk is open; nil: never closed
}

// Phone is one number of a brand.
type Phone struct {
	Number   string // E.164
	Queue    string // of tickets whose caller chose none
	Mailbox  string // whose address the agents' letters about its tickets come from
	Texts    bool   // takes and sends SMS
	WhatsApp bool   // is a WhatsApp sender
}

// Mailbox is one address of a brand.
type Mailbox struct {
	Address       string
	Queue         string
	Subaddressing string // "+", "-", … or "" where the provider has none
}

// Queue is a kind of work and the teams that do it.
type Queue struct {
	Key       string
	Tiers     [][]string   // addresses of the agents of each tier, first tier first
	Teams     []string     // name of each tier
	Quiet     bool         // a new ticket is told to its assignee alone, not to the tier
	Assign    bool         // new tickets are given to an agent
	AckWithin sla.Duration // after a step up without acknowledgement for so long it goes on to the next tier; zero never
}

// Category sorts tickets.
type Category struct {
	Key           string
	Title         string
	RespondWithin string // as configured: "2 business hours"
	Keywords      []string
	Required      []string // facts that are asked for, keys of Ticket.Facts
	Severity      string   // of a ticket of which nothing else is known, "" none
}

// Severity is how bad it is.
type Severity struct {
	Key           string
	ResolveWithin string
	UpdateEvery   sla.Duration
	Escalate      sla.Duration // after so long, Immediately at once; zero never by itself
	Call          bool         // an escalation rings the people of the tier
	Weight        int          // of one open ticket in the balance of work, default 1
}

// Matrix gives the severity of an impact and an urgency, each 1 (least) to 4.
type Matrix map[[2]int]string

// Sign is a phrase that speaks for an impact or an urgency.
type Sign struct {
	Phrase  string // lower case, compared with whole words of the text
	Impact  int    // 0: says nothing about it
	Urgency int
}

// Contract is what was promised to a customer beyond what everybody has.
type Contract struct {
	Key   string
	Title string
	VIP   bool
}

// Organisation is a customer that is more than one person.
type Organisation struct {
	Key      string
	Name     string
	Domains  []string // mail domains of its people
	Contract string
	VIP      bool
}

// Texting says how texts and calls leave.
type Texting struct {
	Segments  int           // most segments of one text; longer answers carry a link
	Join      time.Duration // a text within it joins the ticket of the same number and line
	Missed    time.Duration // a call missed again within it joins the ticket, and is not acknowledged again
	RingAgain int           // attempts of an alarm for each person
	RingFor   time.Duration // from the beginning of one attempt to the next
	Template  bool          // there is a WhatsApp template for answers outside the 24 hours
}

// IncidentRules say when like tickets are one incident.
type IncidentRules struct {
	Customers int           // so many different customers, 0: never looked for
	Within    time.Duration // in this time
	Alike     float64       // how alike, 0 to 1
}

// AssignRules weigh who gets a new ticket.
type AssignRules struct {
	Skill bool // the category is asked for as a skill where anybody of the tier has it
	Stick bool // who knows the customer is preferred
}

// UpdateRules say how customers are kept informed.
type UpdateRules struct {
	RemindBefore sla.Duration // the agent is asked to write an update so long before it is due
	DelayBefore  sla.Duration // a customer is told so long before a promise is missed that it may be
}

// Rights say what a role may do and see beyond the table of commands.
type Rights struct {
	Denied []string // commands that the role may not use
	Hidden []string // of customers: "email", "phone", "organisation", "products", "notes"
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
