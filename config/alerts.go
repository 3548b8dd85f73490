package config

import (
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Alerts say who is told when the desk itself is sick: a mailbox that cannot be
// read, letters that do not leave, a disk that is nearly full.
type Alerts struct {
	MailTo []string `yaml:"mail_to" says:"nobody" example:"[ops@example.com]" doc:"Mail addresses. The letter leaves by a mailbox that is well; where none is, sms_to, webhook or command have to do."`
	// TextTo are E.164.
	TextTo  []string `yaml:"sms_to" says:"nobody" example:"[\"+4917012345678\"]" doc:"Numbers that are texted, too, from the first number of a brand that has texts. Needs a twilio block."`
	Webhook string   `yaml:"webhook" says:"none" example:"https://alerts.example.com/frontdesk" doc:"Address that each alert is posted to as JSON: event (raised, repeated, recovered), condition, text, hint, node, since, at. Posted also when the database is down. ${NAME} keeps a secret in it out of this file."`
	Command []string `yaml:"command" default:"" example:"[/usr/bin/logger, -p, user.crit]" doc:"Program and arguments that get the same JSON on standard input, in 30 seconds. Run also when the database is down."`

	MailboxSilentFor time.Duration `yaml:"mailbox_silent_for" default:"15 minutes" doc:"How long a mailbox may go without a successful look at it, and at least three times its poll_every."`
	RepeatEvery      time.Duration `yaml:"repeat_every" default:"6 hours" doc:"How often you are told again of what lasts."`
	DiskFree         Size          `yaml:"disk_free" says:"500MB, or 5 % of a small disk" example:"1GB" doc:"Low-water mark of the disk of data_dir. Below it nothing is taken in (LMTP 452, webhooks and pages 503, IMAP left alone, deliver 75) until a quarter more is free again; letters still leave."`
}

// minRepeat keeps a condition that lasts from being a flood.
const minRepeat = 15 * time.Minute

func (c *checker) alerts() {
	a := c.cfg.Alerts
	for i, address := range a.MailTo {
		key := "alerts.mail_to[" + strconv.Itoa(i) + "]"
		c.address(key, address)
		for _, b := range c.cfg.Brands {
			if slices.ContainsFunc(b.Mailboxes, func(m Mailbox) bool { return strings.EqualFold(m.Address, address) }) {
				c.at(key, "%q is a mailbox of the desk: an alert about it would open a ticket in it", address)
			}
		}
	}
	for i, n := range a.TextTo {
		c.phone("alerts.sms_to["+strconv.Itoa(i)+"]", n)
	}
	if len(a.TextTo) > 0 && c.cfg.AlertLine() == "" {
		c.at("alerts.sms_to", "there is nothing to text from: it takes a twilio block and a number of a brand with texts: true")
	}
	if a.Webhook != "" {
		u, err := url.Parse(a.Webhook)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
			c.at("alerts.webhook", "not an address (example: https://alerts.example.com/frontdesk)")
		case u.Scheme == "http" && !isLoopback(u.Hostname()):
			c.at("alerts.webhook", "http to another machine can be read and forged on the way (allowed: https://…, http://127.0.0.1/…)")
		}
	}
	if len(a.Command) > 0 {
		c.program("alerts.command", a.Command[0])
	}
	if a.MailboxSilentFor < time.Minute {
		c.at("alerts.mailbox_silent_for", "less than a minute is no silence (example: 15 minutes)")
	}
	if a.RepeatEvery < minRepeat {
		c.at("alerts.repeat_every", "less than 15 minutes would be a flood (example: 6 hours)")
	}
}

// program checks a program that the desk is to run.
func (c *checker) program(key, name string) {
	if !filepath.IsAbs(name) {
		c.at(key, "%q is not an absolute path (example: /usr/local/bin/page-me)", name)
		return
	}
	if info, err := c.stat(name); err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		c.at(key, "%q: no such program", name)
	}
}

// AlertLine is the number that operators' texts leave from, "" none.
func (cfg *Config) AlertLine() string {
	if cfg.Twilio == nil {
		return ""
	}
	for _, b := range cfg.Brands {
		for _, p := range b.Phones {
			if p.Texts {
				return p.Number
			}
		}
	}
	return ""
}
