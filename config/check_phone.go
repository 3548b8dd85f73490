package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// twilio checks the phone account.
func (c *checker) twilio() {
	t := c.cfg.Twilio
	if t == nil {
		c.phonesWithoutAccount()
		return
	}
	if !strings.HasPrefix(t.AccountSID, "AC") {
		c.at("twilio.account_sid", "does not begin with AC: it is not an Account SID")
	}
	if !t.AuthToken.IsSet() && c.has("twilio.auth_token_file") {
		c.at("twilio.auth_token_file", "names no file: without the auth token nobody knows whether a webhook comes from Twilio (it is in Twilio's console, beside the Account SID)")
	}
	switch {
	case t.APIKeySID != "" && !strings.HasPrefix(t.APIKeySID, "SK"):
		c.at("twilio.api_key_sid", "does not begin with SK: it is not an API key")
	case t.APIKeySID != "" && !t.APIKeySecret.IsSet():
		c.at("twilio.api_key_secret_file", "missing: file with the secret of %s", t.APIKeySID)
	case t.APIKeySID == "" && t.APIKeySecret.IsSet():
		c.at("twilio.api_key_sid", "missing: there is a secret and no key")
	}
	c.url("twilio.api_base_url", t.APIBaseURL)
	c.signedURL()
	c.prefixes("twilio.allow", t.Allow)
	c.prefixes("twilio.deny", t.Deny)
	c.transcriber(t)
}

func (c *checker) phonesWithoutAccount() {
	for _, b := range c.cfg.Brands {
		if len(b.Phones) > 0 {
			c.at("brands."+b.ID+".phones", "nobody answers them without a twilio block (example: twilio: {account_sid: AC…, auth_token_file: twilio.token})")
		}
	}
}

// signedURL checks the address that Twilio signs its webhooks with.
func (c *checker) signedURL() {
	const key = "http.public_url"
	public := c.cfg.HTTP.PublicURL
	if public == "" {
		c.at(key, "missing: Twilio calls the desk there, and the signatures of its webhooks are checked against it (example: https://desk.example.com)")
		return
	}
	u, err := url.Parse(public)
	switch {
	case err != nil || u.Host == "":
	case u.User != nil:
		c.at(key, "holds a user name: Twilio leaves it out of what it signs, and every webhook would be refused (example: https://desk.example.com)")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		c.at(key, "holds a query: only scheme, host and path belong here, or the signatures of webhooks never match (example: https://desk.example.com)")
	}
}

var numberPrefix = regexp.MustCompile(`^\+[1-9][0-9]{0,14}$`)

func (c *checker) prefixes(key string, list []string) {
	for i, prefix := range list {
		if !numberPrefix.MatchString(prefix) {
			c.at(fmt.Sprintf("%s[%d]", key, i), "%q is not the beginning of an international number (example: \"+49\")", prefix)
		}
	}
}

func (c *checker) transcriber(t *Twilio) {
	const key = "twilio.transcribe_command"
	switch {
	case t.Transcribe != TranscribeCommand:
	case len(t.TranscribeCommand) == 0:
		c.at(key, "missing: the program that transcribe: command runs (example: [/usr/local/bin/transcribe])")
	case !filepath.IsAbs(t.TranscribeCommand[0]):
		c.at(key, "%q is not an absolute path (example: /usr/local/bin/transcribe)", t.TranscribeCommand[0])
	default:
		if info, err := c.stat(t.TranscribeCommand[0]); err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
			c.at(key, "%q: no such program", t.TranscribeCommand[0])
		}
	}
}

// Twilio ends longer ones itself, and a caller has hung up long before.
const (
	maxRing    = 2 * time.Minute
	maxMessage = time.Hour
)

var contentSid = regexp.MustCompile(`^HX[0-9a-fA-F]{32}$`)

// line checks one number of a brand.
func (c *checker) line(key string, b *Brand, p *Phone) {
	c.phone(key+".number", p.Number)
	c.menu(key+".menu", p.Menu)
	if c.has(key + ".queue") { // else it is the mailbox's, which is checked there
		c.reference(key+".queue", p.Queue, "queue", c.queueIDs())
	}
	c.reference(key+".mailbox", p.Mailbox, "mailbox", ids(b.Mailboxes, func(m Mailbox) string { return m.Address }))
	if p.RingFor > maxRing {
		c.at(key+".ring_for", "longer than 2 minutes: no caller waits for that")
	}
	if p.MaxMessage > maxMessage {
		c.at(key+".max_message", "longer than an hour: no message is")
	}
	if p.Ring && slices.Contains(c.queueIDs(), p.Queue) && len(c.cfg.Ringing(*b, *p)) == 0 {
		c.at(key+".ring", "true, and no agent of the first tier of queue %s who works for %s has a phone", p.Queue, b.ID)
	}
	switch {
	case p.WhatsAppTemplate != "" && !p.WhatsApp:
		c.at(key+".whatsapp_template", "is not used: set whatsapp: true, too")
	case p.WhatsAppTemplate != "" && !contentSid.MatchString(p.WhatsAppTemplate):
		c.at(key+".whatsapp_template", "%q is not a ContentSid: HX and 32 hexadecimal digits", p.WhatsAppTemplate)
	}
}

func (c *checker) queueIDs() []string {
	return ids(c.cfg.Queues, func(q Queue) string { return q.ID })
}

func (c *checker) menu(key string, menu Menu) {
	for _, m := range menu {
		at := join(key, m.Key)
		if len(m.Key) != 1 || !strings.Contains("0123456789*#", m.Key) {
			c.at(at, "not one key of a phone (allowed: 0 to 9, *, #)")
		}
		if m.Line == LineQueue && !slices.Contains(c.queueIDs(), m.Queue) {
			c.at(at, "neither a queue nor a word of menus: %q%s", m.Queue, didYouMean(m.Queue, append(c.queueIDs(), menuWords...)))
		}
		if m.Line != LineQueue && slices.Contains(c.queueIDs(), string(m.Line)) {
			c.at(at, "%q is a queue and a word of menus: give the queue another name", m.Line)
		}
	}
}

// Ringing returns the agents with a phone who may take calls of a number: those
// of the first tier of its queue who work for the brand, in the order of the
// team. Who of them works now is another question.
func (c *Config) Ringing(b Brand, p Phone) []Agent {
	var out []Agent
	for _, email := range c.firstTier(p.Queue) {
		for _, a := range c.Agents {
			if a.Email == email && a.Phone != "" && (len(a.Brands) == 0 || slices.Contains(a.Brands, b.ID)) {
				out = append(out, a)
			}
		}
	}
	return out
}

// firstTier returns the members of the first team of a queue.
func (c *Config) firstTier(queue string) []string {
	for _, q := range c.Queues {
		if q.ID != queue || len(q.Tiers) == 0 {
			continue
		}
		for _, t := range c.Teams {
			if t.ID == q.Tiers[0] {
				return t.Members
			}
		}
	}
	return nil
}
