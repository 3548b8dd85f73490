package config

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// Twilio is the phone account.
type Twilio struct {
	AccountSID string `yaml:"account_sid" required:"true" example:"${TWILIO_ACCOUNT_SID}" doc:"Account SID, begins with AC."`
	AuthToken  Secret `yaml:"auth_token_file" required:"true" example:"twilio.token" doc:"File with the auth token, chmod 600. It proves that webhooks come from Twilio."`
	// NextToken is a second token that is believed, too.
	NextToken    Secret `yaml:"auth_token_next_file" says:"none" example:"twilio.next" doc:"File with the secondary auth token while it takes the place of the first: webhooks signed with either are believed."`
	APIKeySID    string `yaml:"api_key_sid" says:"none: the auth token logs in" example:"SK0123456789abcdef0123456789abcdef" doc:"API key to log in with in place of the auth token; begins with SK."`
	APIKeySecret Secret `yaml:"api_key_secret_file" says:"none" example:"twilio.key" doc:"File with the secret of the API key, chmod 600."`
	// APIBaseURL has no trailing slash.
	APIBaseURL string `yaml:"api_base_url" default:"https://api.twilio.com" doc:"Where the API is; tests point it elsewhere."`

	// Allow and Deny are beginnings of E.164 numbers, with +.
	Allow          []string `yaml:"allow" says:"the countries of the brands' numbers" example:"[\"+49\", \"+43\"]" doc:"Beginnings of the numbers that may be called and texted. Agents' own numbers always may. Whoever steals the account calls far away."`
	Deny           []string `yaml:"deny" says:"none; numbers that cost more than a call are never called" example:"[\"+49900\", \"+49137\"]" doc:"Beginnings that may not, within those."`
	SegmentsPerDay int      `yaml:"segments_per_day" default:"1000" min:"0" doc:"Most segments of texts in a day, all together: what a mistake or a thief can cost. What is over waits for the next day."`
	CallsPerDay    int      `yaml:"calls_per_day" default:"200" min:"0" doc:"Most calls in a day, all together."`

	ReconcileEvery time.Duration `yaml:"reconcile_every" default:"15 minutes" doc:"How often Twilio is asked for texts, calls and recordings that no webhook brought."`
	ReconcileDays  int           `yaml:"reconcile_days" default:"3" min:"1" max:"30" doc:"Of how many days."`
	Retention      Retention     `yaml:"retention" default:"keep" allowed:"keep|delete" doc:"Recordings and media at Twilio once they are stored here: keep them, or delete them."`

	Transcribe        Transcribe    `yaml:"transcribe" default:"none" allowed:"none|twilio|command" doc:"Who writes down voicemails. twilio is paid for, deprecated there, and takes 2 to 120 seconds. The ticket waits for nobody: what comes later is a note."`
	TranscribeCommand []string      `yaml:"transcribe_command" default:"" example:"[/usr/local/bin/transcribe, --language, auto]" doc:"Program and arguments of transcribe: command. The recording comes on its standard input, the text is read from its standard output."`
	TranscribeTimeout time.Duration `yaml:"transcribe_timeout" default:"5 minutes" doc:"Time the program has for one recording."`
}

// Retention says what becomes of recordings and media at Twilio.
type Retention string

const (
	RetentionKeep   Retention = "keep"
	RetentionDelete Retention = "delete" // after they are stored here
)

// Transcribe says who writes voicemails down.
type Transcribe string

const (
	TranscribeNone    Transcribe = "none"
	TranscribeTwilio  Transcribe = "twilio"  // Twilio's own, by webhook
	TranscribeCommand Transcribe = "command" // Twilio.TranscribeCommand
)

// NoConsent is the Consent of a phone that announces no recording.
const NoConsent = "none"

// Phone is one number that customers call and text.
type Phone struct {
	// Number is E.164.
	Number   string `yaml:"number" required:"true" example:"\"+4930123456\"" doc:"The number, international form with +."`
	Greeting string `yaml:"greeting" says:"built in" example:"Thank you for calling Example." doc:"First words a caller hears while the brand is open."`
	Closed   string `yaml:"closed_greeting" says:"built in" example:"Example is closed. We are back on the next working day." doc:"First words out of hours and on holidays."`
	Consent  string `yaml:"consent" says:"built in" example:"We record your message to answer it." doc:"Said before the tone: that the message is recorded. none = nothing; ask what the law where you are says of that."`
	Voice    string `yaml:"voice" says:"Twilio's own of the language" example:"Polly.Vicki" doc:"Twilio's name of a voice."`
	// Menu is in the order in which it is read out.
	Menu Menu `yaml:"menu" says:"none" example:"{\"1\": support, \"3\": existing, \"9\": callback}" doc:"Key to press → queue, or one of the words existing (key in a ticket number), callback (call me back), meter (key in a reading). Who presses nothing goes on as if there were no menu."`
	// Queue is the ID of one of Config.Queues; Mailbox an address of the brand.
	Queue   string `yaml:"queue" says:"the queue of its mailbox" example:"support" doc:"Queue of tickets whose caller chose none."`
	Mailbox string `yaml:"mailbox" says:"the first of the brand" example:"support@example.com" doc:"Mailbox whose address letters about its tickets come from."`

	Ring       bool          `yaml:"ring" default:"false" doc:"true = in hours the agents of the queue's first tier who work now are rung, before the voicemail box. Who answers presses 1 to take the call."`
	RingFor    time.Duration `yaml:"ring_for" default:"20 seconds" doc:"How long they are rung."`
	Voicemail  bool          `yaml:"voicemail" default:"true" doc:"false = no message is taken: the call is noted as missed."`
	MaxMessage time.Duration `yaml:"max_message" default:"3 minutes" doc:"Longest message."`

	Texts    bool `yaml:"texts" default:"true" doc:"false = the number takes and sends no SMS."`
	WhatsApp bool `yaml:"whatsapp" default:"false" example:"true" doc:"true = the number is a WhatsApp sender, too."`
	// WhatsAppTemplate is a ContentSid, "" none.
	WhatsAppTemplate string `yaml:"whatsapp_template" says:"none: such an answer waits until the customer writes" example:"HX0123456789abcdef0123456789abcdef" doc:"Approved template (ContentSid) that says that there is an answer, for customers who wrote last more than 24 hours ago."`
}

// Line is where a menu's key leads.
type Line string

const (
	LineQueue    Line = ""         // to MenuKey.Queue
	LineExisting Line = "existing" // a ticket's number is asked
	LineCallback Line = "callback" // to be called back
	LineMeter    Line = "meter"    // a meter reading is asked
)

// menuWords are the destinations that are no queue.
var menuWords = []string{string(LineExisting), string(LineCallback), string(LineMeter)}

// MenuKey is one key of a menu.
type MenuKey struct {
	Key   string // 0 to 9, *, #
	Line  Line
	Queue string // ID of one of Config.Queues, for LineQueue
}

// Menu is the keys of a phone, in file order.
type Menu []MenuKey

func (m *Menu) decode(l *loader, path string, n *node) {
	if n.kind != kindMapping {
		l.wrongShape(path, n, kindMapping)
		return
	}
	for _, e := range n.entries {
		key := join(path, e.key)
		l.lines[key] = e.line
		text, ok := l.scalar(key, e.value)
		switch {
		case !ok:
		case slices.Contains(menuWords, text):
			*m = append(*m, MenuKey{Key: e.key, Line: Line(text)})
		default:
			*m = append(*m, MenuKey{Key: e.key, Queue: text})
		}
	}
}

// Texting bounds texts, and says to which ticket one belongs.
type Texting struct {
	Segments    int           `yaml:"segments" default:"3" min:"1" max:"10" doc:"Most segments (about 150 characters each, 67 with letters that SMS does not know) of one answer by SMS. A longer one is cut and carries a link."`
	JoinWithin  time.Duration `yaml:"join_within" default:"14 days" doc:"A text joins the open ticket of the same two numbers when that moved within this time; later it opens a new one."`
	MissedAgain time.Duration `yaml:"missed_again" default:"30 minutes" doc:"A call that is missed again within this time joins the ticket of the first, and no second text is sent."`
}

// Alarms says how people are rung.
type Alarms struct {
	Attempts int           `yaml:"attempts" default:"3" min:"1" max:"20" doc:"Calls to each person."`
	Every    time.Duration `yaml:"every" default:"2 minutes" doc:"From the beginning of one call to the next, whoever is rung then."`
}

// prefixOf returns the beginning that numbers of the same country have: "+49".
// Of the countries that share +1 it has the area code, but for the United States
// and Canada: calls to the others cost what makes stolen accounts worth stealing.
func prefixOf(number string) string {
	parsed, err := phonenumbers.Parse(number, "")
	if err != nil {
		return ""
	}
	code := "+" + strconv.Itoa(int(parsed.GetCountryCode()))
	if code == "+1" && !northAmerican(parsed) && len(number) >= 5 {
		return number[:5]
	}
	return code
}

// countryOf returns the country of a number, "" when it has none.
func countryOf(number string) string {
	parsed, err := phonenumbers.Parse(number, "")
	if err != nil {
		return ""
	}
	if region := phonenumbers.GetRegionCodeForNumber(parsed); countryCode.MatchString(region) && region != "ZZ" {
		return region
	}
	return ""
}

func northAmerican(number *phonenumbers.PhoneNumber) bool {
	region := phonenumbers.GetRegionCodeForNumber(number)
	return region == "US" || region == "CA" || region == "" // "" a range newer than the tables
}

// shared are the beginnings under +1 that are neither the United States nor
// Canada: islands whose calls are dear.
var shared = []string{
	"+1242", "+1246", "+1264", "+1268", "+1284", "+1345", "+1441", "+1473", "+1649", "+1658", "+1664",
	"+1721", "+1758", "+1767", "+1784", "+1809", "+1829", "+1849", "+1868", "+1869", "+1876",
}

// fillTwilio completes whom the desk may call.
func fillTwilio(cfg *Config, given func(string) bool) {
	t := cfg.Twilio
	t.APIBaseURL = strings.TrimRight(t.APIBaseURL, "/")
	if given("twilio.allow") {
		return
	}
	for _, b := range cfg.Brands {
		for _, p := range b.Phones {
			if prefix := prefixOf(p.Number); prefix != "" && !slices.Contains(t.Allow, prefix) {
				t.Allow = append(t.Allow, prefix)
			}
		}
	}
	if slices.Contains(t.Allow, "+1") && !given("twilio.deny") {
		for _, island := range shared {
			if !slices.Contains(t.Allow, island) {
				t.Deny = append(t.Deny, island)
			}
		}
	}
}

func fillPhone(b *Brand, p *Phone) {
	if p.Mailbox == "" && len(b.Mailboxes) > 0 {
		p.Mailbox = b.Mailboxes[0].Address
	}
	p.Mailbox = strings.ToLower(p.Mailbox)
	if p.Queue != "" {
		return
	}
	for _, m := range b.Mailboxes {
		if m.Address == p.Mailbox {
			p.Queue = m.Queue
		}
	}
}
