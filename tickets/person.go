package tickets

import (
	"slices"
	"strings"

	"frontdesk/sla"
)

// Address is one mailbox with its display name.
type Address struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address"`
}

// NormalAddress is the form in which addresses are compared and stored as
// keys: lower case, spaces trimmed. RFC 5321 allows case to matter in the
// local part; no provider a desk meets does.
func NormalAddress(a string) string { return strings.ToLower(strings.TrimSpace(a)) }

// SameAddress compares two addresses by their normal form.
func SameAddress(a, b string) bool { return NormalAddress(a) == NormalAddress(b) }

// Domain is the part after the last @ of an address, in lower case, or "".
func Domain(address string) string {
	if i := strings.LastIndexByte(address, '@'); i >= 0 {
		return strings.ToLower(address[i+1:])
	}
	return ""
}

// Person is a customer of one brand, or an agent (Brand ""). One person may
// have several addresses and numbers.
type Person struct {
	ID        int64
	Brand     string // "" for an agent
	Name      string
	Addresses []string // normal form; the first is where letters go
	Phones    []string // E.164
	Language  string   // preferred, "" the brand's
	Org       string
	Blocked   bool // #block: mail from this person goes to quarantine
	Notes     string
	VIP       bool
	Contract  string // key of Rules.Contracts, "" none of their own
	Prefs     Preferences
}

// With returns the person with what p says beyond it.
func (have Person) With(p Person) Person {
	for _, f := range []struct {
		to   *string
		from string
	}{{&have.Name, p.Name}, {&have.Language, p.Language}, {&have.Org, p.Org}, {&have.Notes, p.Notes}, {&have.Contract, p.Contract}} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	have.Blocked = have.Blocked || p.Blocked
	have.VIP = have.VIP || p.VIP
	have.Addresses = withTexts(have.Addresses, p.Addresses)
	have.Phones = withTexts(have.Phones, p.Phones)
	return have
}

func withTexts(list, more []string) []string {
	list = slices.Clip(list)
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// Preferences are what a customer wants of the letters that the desk sends of
// its own accord. Answers to what they asked are not concerned. It is stored as
// JSON: adding fields is safe, renaming is not.
type Preferences struct {
	Channel      Channel `json:"channel,omitempty"`    // preferred: email, sms, whatsapp; "" email where there is an address
	QuietFrom    int     `json:"quiet_from,omitempty"` // minutes since midnight; with QuietTo, no letter in between; equal: none
	QuietTo      int     `json:"quiet_to,omitempty"`
	Timezone     string  `json:"timezone,omitempty"`     // IANA name; "" the brand's
	NoReminders  bool    `json:"no_reminders,omitempty"` // unsubscribed
	NoSurveys    bool    `json:"no_surveys,omitempty"`
	DoNotContact bool    `json:"do_not_contact,omitempty"` // nothing but answers
}

// Profile is what a decision about a ticket needs of its requester's profile.
type Profile struct {
	Name     string
	Address  string // the first one that takes mail, "" none
	Phone    string // the first number, E.164, "" none
	Org      string
	VIP      bool
	Contract string
}

// Role is what an agent may do; each includes the ones before it.
type Role string

// The roles.
const (
	RoleAgent      Role = "agent"
	RoleSenior     Role = "senior"
	RoleSupervisor Role = "supervisor"
	RoleManager    Role = "manager"
	RoleAdmin      Role = "admin"
)

var roleRank = map[Role]int{RoleAgent: 1, RoleSenior: 2, RoleSupervisor: 3, RoleManager: 4, RoleAdmin: 5}

// AtLeast reports whether r includes what min may do.
func (r Role) AtLeast(min Role) bool { return roleRank[r] >= roleRank[min] && roleRank[r] > 0 }

// Agent is a member of the team, from the configuration.
type Agent struct {
	ID      int64 // person id, given by the store at start
	Name    string
	Address string // normal form
	Phone   string
	Role    Role
	Skills  []string
	MaxOpen int // 0 no limit

	Brands   []string      // keys of the brands the agent works for; nil all
	Calendar *sla.Calendar // when the agent works; nil: always
}

// WorksFor reports whether the agent may see tickets of the brand.
func (a Agent) WorksFor(brand string) bool {
	return len(a.Brands) == 0 || slices.Contains(a.Brands, brand)
}

// AuthorKind says whose words a message is.
type AuthorKind string

// The kinds of author.
const (
	AuthorCustomer AuthorKind = "customer"
	AuthorAgent    AuthorKind = "agent"
	AuthorThird    AuthorKind = "third_party" // unverified
	AuthorDesk     AuthorKind = "desk"        // the desk itself
)

// Author is who wrote a message.
type Author struct {
	Kind    AuthorKind
	Person  int64 // 0 until stored
	Address Address
}
