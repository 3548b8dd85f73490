// Package config turns the configuration file into checked, typed values.
//
// It is for the operator who wrote the file: every mistake is reported at
// once, each with its file, line and key, and nothing starts with half a
// configuration. A *Config that Load returned is complete: references point at
// something, defaults are filled in, secrets are read, paths are absolute.
//
// The struct below is the reference. Its tags hold what each key means, and the
// sample that "frontdesk init" writes is made from them:
//
//	yaml      the key; ",named" marks a mapping NAME → block, kept in file order
//	doc       the meaning, with the unit
//	default   what an absent key means (the value itself, it is used by Load)
//	says      the default in words, where it depends on other keys
//	example   a value to show
//	more      further blocks to show beside the first, separated by |
//	allowed   the only values, separated by |
//	min, max  bounds of a number
//	kind      path: relative to the folder of the file
//	required  the block makes no sense without this key
//
// The package does no network input or output, logs nothing, and knows nothing
// of the other packages: cmd/frontdesk translates the values for them.
package config

import (
	"fmt"
	"net/netip"
	"time"
	_ "time/tzdata" // zones must load on a machine without zoneinfo
)

// Config is one whole configuration file.
type Config struct {
	// Path is the absolute name of the file itself.
	Path string `yaml:"-"`

	file  string // as given to Load
	lines places

	DataDir  string `yaml:"data_dir" kind:"path" default:"/var/lib/frontdesk" doc:"Folder of the database, the lock and what is waiting to be sent. Created when missing."`
	Database DSN    `yaml:"database" default:"sqlite" doc:"Where everything is kept: sqlite (data_dir/frontdesk.db), or postgres://user@host:5432/name for several nodes." example:"postgres://frontdesk@127.0.0.1:5432/frontdesk"`
	Blobs    Blobs  `yaml:"blobs" doc:"Where the bytes of large mails, recordings and files are kept. In the database unless you say otherwise; what is small always is."`
	Secret   Secret `yaml:"secret_file" kind:"bytes" required:"true" example:"secret" doc:"File of 32 or more random bytes, chmod 600. Signs relay addresses, links and Message-IDs. Before you change it, add the old file to old_secret_files, or the links in letters already sent end. credential:NAME reads a systemd credential."`
	// OldSecrets are believed, and sign nothing.
	OldSecrets []Secret `yaml:"old_secret_files" kind:"bytes" example:"[secret.2026]" says:"none" doc:"Files of earlier secrets: what they signed is still believed, and logins that they enciphered still open; nothing new is signed with them. Leave one out when its letters are answered no more, at once when somebody else has it. On several nodes add the new secret here first, everywhere, then change places."`

	AgentAuth AgentAuth `yaml:"agent_auth" default:"authenticated" allowed:"authenticated|address-only" doc:"What an agent's mail must show before it acts. authenticated: a DMARC-aligned pass of a trusted server, or a DKIM signature verified here. address-only: the From address alone, which anybody can forge."`

	HTTP        HTTP        `yaml:"http" doc:"Web listeners. Mail alone needs none of them."`
	Nodes       Nodes       `yaml:"nodes" doc:"Several daemons on one PostgreSQL, each with this file and the same secret: they share the work. Nothing to set for one."`
	LMTP        LMTP        `yaml:"lmtp" doc:"Mail handed over by a mail server beside the desk."`
	Limits      Limits      `yaml:"limits" doc:"What a customer may send."`
	Acknowledge Acknowledge `yaml:"acknowledge" doc:"How many acknowledgements are sent before the desk falls silent (tickets are still made). A loop or a mail bomb ends here."`
	Closing     Closing     `yaml:"closing" doc:"What happens after a resolution letter that nobody answers."`
	Outbox      Outbox      `yaml:"outbox" doc:"How letters leave."`
	Alerts      Alerts      `yaml:"alerts" doc:"Who is told when the desk itself is sick: a mailbox that cannot be read, letters that do not leave, mail that could not be handled, a full disk, a database that is down, a clock that jumped. Once, again while it lasts, and once when it is over. The log has it in any case."`
	Log         Log         `yaml:"log" doc:"The log goes to standard error."`

	SupervisorMail *TimeOfDay `yaml:"supervisor_mail" default:"08:00" doc:"When the daily letter about quarantined mail goes to supervisors, in the time zone of the first brand. off = never."`
	MorningMail    *TimeOfDay `yaml:"morning_mail" default:"08:00" doc:"When each agent is sent the own queue, and each team what is unassigned or at risk: on the days on which the brand opens, in its time zone. off = never."`

	Twilio  *Twilio `yaml:"twilio" doc:"The phone account. Leave it out when the desk has no phone."`
	Texting Texting `yaml:"texting" doc:"Texts (SMS, WhatsApp) and missed calls."`
	Alarms  Alarms  `yaml:"alarms" doc:"How the people of a tier are rung for an escalation of a severity with call: true, one after the other, until one of them presses 1."`

	OAuth []OAuthApp `yaml:"oauth,named" key:"mail" says:"none" doc:"Providers where mailboxes log in with tokens instead of passwords (auth: xoauth2 or oauthbearer), once for all mailboxes there. Google and Microsoft 365 are known by name."`

	Brands     []Brand    `yaml:"brands,named" required:"true" key:"example" doc:"Who the customers write to. Each brand has its own mailboxes, hours, language and look; one team can answer for all."`
	Queues     []Queue    `yaml:"queues,named" key:"support" says:"one queue, support, answered by the first team" doc:"Where tickets wait. Each mailbox fills one."`
	Teams      []Team     `yaml:"teams,named" key:"everyone" says:"one team, everyone, of all agents" doc:"Who answers a queue."`
	Agents     []Agent    `yaml:"agents" required:"true" doc:"The people who answer, from their own mail clients."`
	Categories []Category `yaml:"categories,named" key:"technical" says:"technical (2 business hours), product, account, billing, returns (4 business hours each)" doc:"What a ticket is about; the first whose keyword occurs is suggested. Naming one replaces the default ones."`
	Severities []Severity `yaml:"severities,named" key:"critical" more:"high: {resolve_within: 48 hours, update_every: 8 hours, escalate: immediately}|medium: {resolve_within: 72 hours}|low: {resolve_within: 5 working days}" says:"critical 24 hours, high 48 hours, medium 72 hours, low 5 working days" doc:"How bad it is, worst first: the order of the queue, too. Naming one replaces the default ones."`

	Matrix Matrix `yaml:"severity_matrix" example:"{1: [low, medium, high, high], 2: [low, medium, high, critical], 3: [medium, high, high, critical], 4: [medium, high, critical, critical]}" says:"the example, when the severities are called critical, high, medium and low; else none" doc:"Impact (1 one person, 4 everybody) → the severities of urgency 1 (can wait) to 4 (now). Without it #impact and #urgency change no severity."`
	Signs  []Sign `yaml:"signs" says:"the built-in phrases alone" doc:"Phrases in customers' words that speak for an impact or an urgency, beside the built-in ones."`

	Promises      Promises       `yaml:"promises" doc:"What holds for the times of categories, severities and contracts alike."`
	Contracts     []Contract     `yaml:"contracts,named" key:"gold" says:"none" doc:"What some customers were promised beyond what everybody has."`
	Organisations []Organisation `yaml:"organisations,named" key:"acme" says:"none" doc:"Customers that are more than one person."`
	Assignment    Assignment     `yaml:"assignment" doc:"Who gets a new ticket: of the first tier, whoever works now, is below max_open and has the least to do."`
	Updates       Updates        `yaml:"updates" doc:"How customers are kept informed."`
	Incidents     Incidents      `yaml:"incidents" doc:"When like tickets of several customers are taken for one major incident."`
	Roles         []Rights       `yaml:"roles,named" key:"agent" says:"every role has the commands of its rank and sees the whole customer" doc:"What a role may not do and see. The block's name is the role: agent, senior, supervisor, manager, admin."`

	Surveys  Surveys  `yaml:"surveys" doc:"One question to customers whose request was closed. It is answered by a reply with a number, by a text, or on a page."`
	FollowUp FollowUp `yaml:"follow_up" doc:"Does it still work? Asked some time after the closure."`
	Rewards  Rewards  `yaml:"rewards" doc:"Points for feedback and recommendations."`

	Returns Returns `yaml:"returns" doc:"Goods that customers send back: #rma."`

	Passcodes Passcodes `yaml:"passcodes" doc:"When a customer has to prove who asks, before account or warranty details are disclosed."`
	Retention Keeping   `yaml:"retention" doc:"How long what came is kept; a job looks each night at 03:00. Everything is kept unless you say otherwise."`

	Schedules []Schedule `yaml:"schedules,named" key:"weekly_report" says:"warranty_reminder, warranty_expired, renewal_reminder and service_reminder each day at 08:00" doc:"What is sent by the calendar. Naming one replaces the default ones. Reminders to customers: warranty_reminder, warranty_expired, warranty_extension (an offer), renewal_reminder, service_reminder (by the meter), meter_reminder (asks for a reading). Reports: weekly_report, monthly_report."`

	Service    Service `yaml:"service" doc:"When customers are reminded of a service: by readings that were reported."`
	SalesQueue string  `yaml:"sales_queue" says:"sales where there is such a queue, else that of the mailbox" example:"support" doc:"Queue of tickets about accepted offers."`

	Facts map[string]string `yaml:"facts" example:"{order: 'PO-[0-9]{6}', serial: 'SN ?([0-9A-Z]{8})'}" says:"only phones, error texts and ticket numbers" doc:"What to look for in a customer's words: a name and a regular expression (Go's syntax; its first group, if any, is the value). Agents see what was found."`

	LettersDir   string `yaml:"letters_dir" kind:"path" example:"letters" says:"the built-in letters" doc:"Folder of letters that replace built-in ones, per brand and language."`
	KnowledgeDir string `yaml:"knowledge_dir" kind:"path" example:"knowledge" says:"none" doc:"Folder of Markdown articles that are suggested to customers and agents: front matter with id, title, brand, language, tags, summary, link and audience (customers or agents), then the text. Read again when a file changes."`
}

// AgentAuth says what an agent's mail must show before it acts.
type AgentAuth string

const (
	AgentAuthenticated AgentAuth = "authenticated" // DMARC-aligned pass or DKIM verified here
	AgentAddressOnly   AgentAuth = "address-only"  // the From address alone
)

// HTTP names the web listeners.
type HTTP struct {
	// Listen is "" when there are no customers' pages.
	Listen string `yaml:"listen" example:"127.0.0.1:8025" says:"127.0.0.1:8025 when public_url is set, else none" doc:"host:port of the customers' pages and the phone webhooks, behind your TLS proxy."`
	// PublicURL has no trailing slash; "" means that letters carry no links.
	PublicURL string `yaml:"public_url" example:"https://desk.example.com" says:"none: letters carry no links" doc:"What the world calls the listener above: links and webhook signatures are made from it."`
	// AdminListen is "" when metrics and health are not served.
	AdminListen string `yaml:"admin_listen" default:"127.0.0.1:8026" doc:"host:port of /metrics, /healthz and /readyz. Loopback only: it is not protected. \"\" = none."`

	AdminHosts []string `yaml:"admin_hosts" example:"[metrics.example.com]" says:"none" doc:"Names by which the admin listener may be asked, beside localhost and loopback addresses: of a proxy before it. A request under any other name gets 421, so that no page in a browser on this machine reads it by a name that its owner points here."`

	// TrustedProxies are addresses or networks; see Proxies.
	TrustedProxies    []string `yaml:"trusted_proxies" default:"127.0.0.0/8, ::1/128" example:"[10.0.0.5, \"2001:db8::/64\"]" doc:"Proxies whose X-Forwarded-For says who asks: the limits below are of that address. They have to write it anew or add to it. From anybody else the field is not read."`
	Connections       int      `yaml:"connections" default:"1000" min:"10" max:"10000" doc:"Connections of all browsers and proxies at a time. Above it the one that has been silent longest makes room."`
	RequestsPerMinute int      `yaml:"requests_per_minute" default:"300" min:"0" doc:"Pages that one address may ask for in a minute, a third of them at once; then it is answered 429. Of IPv6 a whole /64 counts as one. 0 = no limit."`
	PostsPerMinute    int      `yaml:"posts_per_minute" default:"60" min:"0" doc:"Forms that one address may post in a minute. 0 = no limit."`
	ForgedPerMinute   int      `yaml:"forged_per_minute" default:"30" min:"0" doc:"Phone webhooks with a wrong signature that are looked at in a minute, from one address. Those that are signed have no limit. 0 = no limit."`
}

// Proxies are the networks of TrustedProxies; an address is a network of one.
func (h HTTP) Proxies() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range h.TrustedProxies {
		if p, err := network(text); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// network reads an address or a network.
func network(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() || p.Bits() == 0 {
		return netip.Prefix{}, fmt.Errorf("%q is not a network of proxies (example: 10.0.0.5 or 10.0.0.0/24)", text)
	}
	return p.Masked(), nil
}

// LMTP names the listener for a mail server beside the desk.
type LMTP struct {
	// Listen is "" when there is no LMTP listener.
	Listen string `yaml:"listen" default:"" example:"127.0.0.1:8024" doc:"host:port where a mail server hands mail over; it is answered after the mail is safe. \"\" = none."`
	// Connections bounds what one mail server can hold.
	Connections int `yaml:"connections" default:"100" min:"1" max:"5000" doc:"Connections at a time; more are answered 421, and the mail server comes again."`
}

// Nodes say how several daemons share the work.
type Nodes struct {
	Name  string        `yaml:"name" example:"desk-a" says:"the name of the host" doc:"What this node is called in frontdesk nodes, in the log and in the database."`
	Lease time.Duration `yaml:"lease" default:"30s" doc:"How long a node that does not reach the database keeps its work; then another takes it. 3s to 5m."`
}

// Limits are what a customer may send; the acknowledgement tells them.
type Limits struct {
	MessageSize     Size     `yaml:"message_size" default:"25MB" doc:"Largest mail with its attachments (KB, MB, GB; 1 MB = 1024 KB). Told to the customer in the acknowledgement."`
	AttachmentTypes []string `yaml:"attachment_types" default:"image/*, application/pdf, text/*, audio/*, video/*, application/vnd.*, application/msword, application/zip" doc:"Media types that are accepted; * stands for any part of the second half."`
}

// Acknowledge bounds the acknowledgements; all counts are kept in the database.
type Acknowledge struct {
	PerSenderHour int           `yaml:"per_sender_hour" default:"5" min:"0" doc:"Acknowledgements to one address in an hour."`
	PerSenderDay  int           `yaml:"per_sender_day" default:"20" min:"0" doc:"Acknowledgements to one address in a day."`
	SameSubject3h int           `yaml:"same_subject_3h" default:"2" min:"0" doc:"Acknowledgements of one subject to one address in three hours."`
	PerDomainHour int           `yaml:"per_domain_hour" default:"1000" min:"0" doc:"Acknowledgements to one domain in an hour."`
	GlobalHour    int           `yaml:"global_hour" default:"5000" min:"0" doc:"Acknowledgements in an hour, all together."`
	MaxAge        time.Duration `yaml:"max_age" default:"24 hours" doc:"Mail older than this is not acknowledged any more: after an outage nobody wants yesterday's receipt."`
	Bulk          bool          `yaml:"bulk" default:"false" doc:"true = mail of lists and newsletters opens tickets too (never acknowledged)."`
}

// Closing says what follows a resolution letter that nobody answers. All are elapsed time.
type Closing struct {
	RemindAfter  time.Duration `yaml:"remind_after" default:"3 days" doc:"Silence after the resolution letter before the customer is asked again."`
	CloseAfter   time.Duration `yaml:"close_after" default:"7 days" doc:"Silence after the resolution letter before the ticket is closed with a notice. Longer than remind_after."`
	ReopenWindow time.Duration `yaml:"reopen_window" default:"30 days" doc:"How long an answer reopens a closed ticket; later it opens a new one, linked."`
}

// InDoubt says what to do with a letter whose delivery is unknown.
type InDoubt string

const (
	InDoubtResend InDoubt = "resend" // once more, same bytes, same Message-ID
	InDoubtHold   InDoubt = "hold"   // wait for a person
)

// Outbox says how letters leave.
type Outbox struct {
	InDoubt     InDoubt       `yaml:"in_doubt" default:"resend" allowed:"resend|hold" doc:"A letter whose connection broke after the last byte: resend it once with the same Message-ID, or hold it for a person."`
	ExpireAfter time.Duration `yaml:"expire_after" default:"5 days" doc:"How long a letter is tried before it is reported as failed."`
	Connections int           `yaml:"connections" default:"2" min:"1" max:"50" doc:"Connections to one mail server at a time."`
}

// Log says how the log looks.
type Log struct {
	Format string `yaml:"format" default:"logfmt" allowed:"logfmt|json" doc:"logfmt for people, json for collectors."`
	Level  string `yaml:"level" default:"info" allowed:"debug|info|warn" doc:"The least that is written. Only debug shows whole addresses."`
}

// Brand is one face of the desk.
type Brand struct {
	// ID is the name of the block: one word, used in commands and reports.
	ID string `yaml:"-"`

	Name      string         `yaml:"name" required:"true" example:"Example" doc:"Name in letters and subjects."`
	Sender    string         `yaml:"sender" says:"name" example:"Example Support" doc:"Display name of letters to customers."`
	Language  string         `yaml:"language" default:"en" allowed:"en|de" doc:"Language of letters, unless the customer writes another one of these."`
	Timezone  *time.Location `yaml:"timezone" default:"UTC" example:"Europe/Berlin" doc:"Time zone of hours, holidays and dates in letters."`
	Country   string         `yaml:"country" says:"that of the brand's first phone; without phones only numbers with + are understood" example:"DE" doc:"Two letters (ISO 3166-1): whose phone numbers customers write without +."`
	Hours     Hours          `yaml:"hours" default:"mon-fri 09:00-17:00" example:"{mon-fri: \"09:00-12:00, 13:00-17:00\", sat: \"09:30-13:30\"}" doc:"When the desk is open. Days or ranges of days; several spans are separated by commas."`
	Holidays  Holidays       `yaml:"holidays" default:"" example:"[2026-12-25, holidays.ics]" doc:"Days on which the desk is closed: dates, or .ics files."`
	Signature string         `yaml:"signature" says:"name" example:"The Example support team" doc:"Last line of letters."`
	Color     string         `yaml:"color" default:"#1f4e79" doc:"Colour of HTML letters and pages, #rrggbb."`
	Domain    string         `yaml:"domain" says:"the domain of the first mailbox" example:"example.com" doc:"Right half of the Message-IDs that the desk writes."`

	Mailboxes []Mailbox `yaml:"mailboxes" required:"true" doc:"Addresses that customers write to."`
	Phones    []Phone   `yaml:"phones" doc:"Numbers that customers call and text."`
}

// Intake says how mail reaches a mailbox of the desk.
type Intake string

const (
	IntakeIMAP Intake = "imap" // the desk fetches
	IntakeLMTP Intake = "lmtp" // a mail server hands over, lmtp.listen
	IntakePipe Intake = "pipe" // "frontdesk deliver"
)

// Mailbox is one address that customers write to.
type Mailbox struct {
	// Address is lower case.
	Address string `yaml:"address" required:"true" example:"support@example.com" doc:"The address."`
	// Queue is the ID of one of Config.Queues.
	Queue  string `yaml:"queue" says:"the first queue" example:"support" doc:"Queue that its tickets wait in."`
	Intake Intake `yaml:"intake" allowed:"imap|lmtp|pipe" says:"imap with an imap block, else lmtp with lmtp.listen, else pipe" example:"imap" doc:"How mail gets here: fetched by imap, handed over by lmtp, or piped into frontdesk deliver."`
	// IMAP is nil unless Intake is IntakeIMAP.
	IMAP *IMAP `yaml:"imap" doc:"Where mail is fetched."`
	SMTP SMTP  `yaml:"smtp" required:"true" doc:"Where letters of this address are handed in."`
	// OAuth is "" or the ID of one of Config.OAuth.
	OAuth string `yaml:"oauth" says:"the only block under oauth at the top" example:"mail" doc:"Where its tokens come from, when auth below imap or smtp is xoauth2 or oauthbearer: a block under oauth at the top. Log in once: frontdesk mailbox login ADDRESS."`

	TrustedAuthservIDs []string `yaml:"trusted_authserv_ids" default:"" example:"[mx.example.com]" doc:"Servers whose Authentication-Results are believed: your own, as they name themselves there."`
	InternalRelays     []string `yaml:"internal_relays" default:"" example:"[mailhub.example.com]" doc:"Host names of your own servers behind the border: their Received lines are passed over when the border is looked for."`
	// Subaddressing is "" or one character.
	Subaddressing   string        `yaml:"subaddressing" default:"+" doc:"Character between address and token in relay addresses (support+token@), or \"\" where the provider has none."`
	ProcessedFolder string        `yaml:"processed_folder" default:"" example:"Processed" doc:"Folder that mail is moved to once it is safe here. \"\" = leave it."`
	MarkSeen        bool          `yaml:"mark_seen" default:"false" doc:"true = mark mail as read once it is safe here."`
	PollEvery       time.Duration `yaml:"poll_every" default:"60s" doc:"How often the mailbox is looked at beside the server's own notices."`
}

// TLSMode says how a connection is protected.
type TLSMode string

const (
	TLSNone     TLSMode = "none"     // clear text, loopback only
	TLSStartTLS TLSMode = "starttls" // upgraded, and refused when the server cannot
	TLSImplicit TLSMode = "implicit" // TLS from the first byte
)

// AuthMethod says how the desk logs in.
type AuthMethod string

const (
	AuthPassword    AuthMethod = "password"    // LOGIN or PLAIN
	AuthXOAuth2     AuthMethod = "xoauth2"     // a token, Google's and Microsoft's way
	AuthOAuthBearer AuthMethod = "oauthbearer" // a token, RFC 7628
)

// Token reports whether the login takes a token.
func (a AuthMethod) Token() bool { return a == AuthXOAuth2 || a == AuthOAuthBearer }

// IMAP is where mail is fetched.
type IMAP struct {
	Host     string     `yaml:"host" required:"true" example:"imap.example.com" doc:"Server name; it must be in the certificate."`
	Port     int        `yaml:"port" says:"993 with tls implicit, else 143" example:"993" min:"1" max:"65535" doc:"TCP port."`
	TLS      TLSMode    `yaml:"tls" default:"implicit" allowed:"none|starttls|implicit" doc:"Protection of the connection. none only on this machine."`
	Insecure bool       `yaml:"insecure" default:"false" doc:"true = tls none is meant, although the password then crosses the network for all to read."`
	CAFile   string     `yaml:"ca_file" kind:"path" says:"the system's authorities" example:"ca.pem" doc:"PEM file of the authority that signed the server's certificate."`
	Username string     `yaml:"username" says:"the address" example:"support@example.com" doc:"Login name."`
	Password Secret     `yaml:"password_file" kind:"password" example:"mail.password" says:"none" doc:"File with the password, chmod 600, or credential:NAME."`
	Auth     AuthMethod `yaml:"auth" default:"password" allowed:"password|xoauth2|oauthbearer" doc:"How the desk logs in. password also means an app password. xoauth2 (Google, Microsoft 365) and oauthbearer (RFC 7628) send a token: see oauth."`
	Folder   string     `yaml:"folder" default:"INBOX" doc:"Folder that is read."`
}

// SMTP is where letters are handed in.
type SMTP struct {
	Host     string     `yaml:"host" required:"true" example:"smtp.example.com" doc:"Server name; it must be in the certificate."`
	Port     int        `yaml:"port" says:"465 with tls implicit, 587 with starttls, 25 with none" example:"465" min:"1" max:"65535" doc:"TCP port."`
	TLS      TLSMode    `yaml:"tls" default:"implicit" allowed:"none|starttls|implicit" doc:"Protection of the connection. none only on this machine."`
	Insecure bool       `yaml:"insecure" default:"false" doc:"true = tls none is meant, although the password then crosses the network for all to read."`
	CAFile   string     `yaml:"ca_file" kind:"path" says:"the system's authorities" example:"ca.pem" doc:"PEM file of the authority that signed the server's certificate."`
	Username string     `yaml:"username" says:"none: no login; with a token the address" example:"support@example.com" doc:"Login name; \"\" = the server takes mail without a login."`
	Password Secret     `yaml:"password_file" kind:"password" example:"mail.password" says:"none" doc:"File with the password, chmod 600, or credential:NAME."`
	Auth     AuthMethod `yaml:"auth" default:"password" allowed:"password|xoauth2|oauthbearer" doc:"How the desk logs in. password also means an app password. xoauth2 (Google, Microsoft 365) and oauthbearer (RFC 7628) send a token: see oauth."`
}

// Queue is where tickets wait.
type Queue struct {
	// ID is the name of the block.
	ID string `yaml:"-"`
	// Team and Tiers are IDs of Config.Teams.
	Team  string   `yaml:"team" says:"the first team" example:"everyone" doc:"Team that answers."`
	Tiers []string `yaml:"tiers" says:"the team alone" example:"[everyone]" doc:"Teams that a ticket climbs, lowest first."`
	Title string   `yaml:"title" says:"the name of the block" example:"Support" doc:"Name that callers hear in the menu."`
	// Assign is false where agents take tickets themselves.
	Assign bool `yaml:"assign" default:"true" doc:"true = a new ticket is given to an agent at once. false = agents #take it."`
	Quiet  bool `yaml:"quiet" default:"false" doc:"true = a new ticket is told to its assignee alone. false = the team hears of it too, until somebody takes it up: whoever is quicker may answer."`
	// AckWithin has Unit Never when a ticket stays on its tier.
	AckWithin Duration `yaml:"ack_within" default:"30 minutes" doc:"Time after a step up in which somebody has to #ack, #take or answer the ticket, or it goes on to the next tier. never = it stays."`
}

// Team is who answers.
type Team struct {
	// ID is the name of the block.
	ID string `yaml:"-"`
	// Members are Email values of Config.Agents.
	Members []string `yaml:"members" required:"true" example:"[asha@example.com]" doc:"Agents by mail address."`
}

// Role says what a person may do, least first.
type Role string

const (
	RoleAgent      Role = "agent"      // answers
	RoleSenior     Role = "senior"     // takes what was escalated
	RoleSupervisor Role = "supervisor" // sees quarantine and held letters
	RoleManager    Role = "manager"    // is warned of breaches, has reports
	RoleAdmin      Role = "admin"      // everything
)

// Agent is one person who answers.
type Agent struct {
	// Email is lower case.
	Email   string   `yaml:"email" required:"true" example:"asha@example.com" doc:"The agent's own mail address; customers never see it."`
	Name    string   `yaml:"name" says:"the part before @" example:"Asha" doc:"Name that colleagues see."`
	Phone   string   `yaml:"phone" default:"" example:"\"+4917012345678\"" doc:"Number that is rung for emergencies, for #call and by phones with ring: true; international form with +."`
	Role    Role     `yaml:"role" default:"agent" allowed:"agent|senior|supervisor|manager|admin" doc:"What the person may do; each role may do what those before it may."`
	Skills  []string `yaml:"skills" default:"" example:"[technical, en]" doc:"Categories, brands and languages that suit."`
	MaxOpen int      `yaml:"max_open" default:"0" min:"0" doc:"Open tickets above which nothing is assigned by itself. 0 = no bound."`
	// Brands are IDs of Config.Brands; none means all.
	Brands []string `yaml:"brands" says:"all" example:"[example]" doc:"Brands that the agent works for and whose tickets the agent sees."`
	// Hours is nil when the agent always works.
	Hours *Hours `yaml:"hours" says:"always" example:"{mon-thu: \"08:00-16:00\"}" doc:"When the agent works: outside of it nothing is assigned to and no phone rings at the agent. The holidays of the agent's first brand are free."`
	// Timezone is nil when Hours is.
	Timezone *time.Location `yaml:"timezone" says:"that of the agent's first brand" example:"Europe/Berlin" doc:"Time zone of the agent's hours."`
}

// Category is what a ticket is about.
type Category struct {
	// ID is the name of the block: the word of #category.
	ID            string   `yaml:"-"`
	Title         string   `yaml:"title" says:"the name of the block" example:"Technical Issues" doc:"Name in letters and reports."`
	RespondWithin Duration `yaml:"respond_within" default:"4 business hours" doc:"First answer; told to the customer. Hours count always, business hours only when open."`
	Keywords      []string `yaml:"keywords" default:"" example:"[error, crash, \"not working\"]" doc:"Words in subject or text that suggest the category."`
	// Required are names of FactNames or keys of Config.Facts.
	Required []string `yaml:"required" default:"" example:"[product, error]" doc:"Facts that are asked of the customer when missing: name, phone, organisation, room, occurred, product, error, screenshot, tried, expected, first_time, and names of facts below."`
	// Severity is "" or the ID of one of Config.Severities.
	Severity string `yaml:"severity" says:"none" example:"medium" doc:"Severity of a ticket of which nothing else is known."`
}

// Severity is how bad it is.
type Severity struct {
	// ID is the name of the block: the word of #severity.
	ID            string   `yaml:"-"`
	ResolveWithin Duration `yaml:"resolve_within" required:"true" example:"24 hours" doc:"Solution; told to the customer."`
	// UpdateEvery is zero when no updates are due.
	UpdateEvery Duration `yaml:"update_every" says:"no updates" example:"2 hours" doc:"How often the customer hears from the desk meanwhile."`
	// Escalate is zero for never, Unit Immediately for at once.
	Escalate Duration `yaml:"escalate" says:"never by itself" example:"immediately" doc:"When a ticket climbs a tier by itself: immediately, or after a time."`
	Call     bool     `yaml:"call" default:"false" doc:"true = an escalation rings and texts the people of the tier until somebody acknowledges. Needs a phone."`
	Weight   int      `yaml:"weight" says:"1 for the last severity, one more for each worse one" example:"4" min:"1" max:"100" doc:"How much work an open ticket stands for when new ones are given out."`
}

// Schedule is one thing that is sent by the calendar.
type Schedule struct {
	// ID is the name of the block: which reminder or report.
	ID string `yaml:"-"`
	// Cron is a checked line of five fields, with "TZ=Zone " before them or not.
	Cron       string   `yaml:"cron" required:"true" example:"0 8 * * mon" doc:"Five fields: minute hour day month weekday, in the brand's time zone unless TZ=Area/City and a space stand before them."`
	DaysBefore []int    `yaml:"days_before" min:"0" says:"warranty_reminder 30 and 7, warranty_extension 14, renewal_reminder 30, 7 and 1" example:"[30, 7]" doc:"Days before the date on which the reminder goes out."`
	To         []string `yaml:"to" default:"" example:"[asha@example.com]" doc:"Who gets the report; when it is not set, the managers of the brand."`
	CatchUp    CatchUp  `yaml:"catch_up" default:"latest" allowed:"latest|all|none" doc:"Times that passed while the desk stood still: latest runs once for all of them, all runs each, none waits for the next."`
}
