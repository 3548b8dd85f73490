package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/tickets"
)

// preferencesJSON is what a customer prefers as "customers --json" prints it.
type preferencesJSON struct {
	Channel      string `json:"channel,omitempty"`
	Quiet        string `json:"quiet,omitempty"` // "22:00-07:00"
	Timezone     string `json:"timezone,omitempty"`
	Reminders    bool   `json:"reminders"`
	Surveys      bool   `json:"surveys"`
	DoNotContact bool   `json:"do_not_contact"`
}

func preferencesToJSON(p tickets.Preferences) preferencesJSON {
	return preferencesJSON{string(p.Channel), quietText(p), p.Timezone, !p.NoReminders, !p.NoSurveys, p.DoNotContact}
}

func showPreferences(f facts, p tickets.Preferences) {
	f.line("channel", string(p.Channel))
	f.line("quiet", quietText(p))
	f.line("timezone", p.Timezone)
	for _, no := range []struct {
		name string
		is   bool
	}{{"reminders", p.NoReminders}, {"surveys", p.NoSurveys}, {"contact", p.DoNotContact}} {
		if no.is {
			f.line(no.name, "no")
		}
	}
}

// quietText is "22:00-07:00", or "" for none.
func quietText(p tickets.Preferences) string {
	if p.QuietFrom == p.QuietTo {
		return ""
	}
	clock := func(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
	return clock(p.QuietFrom) + "-" + clock(p.QuietTo)
}

// wishes are the flags of "customers set" about preferences and terms.
type wishes struct {
	channel, quiet, timezone, contract, reminders, surveys, contact, vip string
}

func (w *wishes) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&w.channel, "channel", "", "where reminders and surveys go: email, sms, whatsapp, or \"\" for mail where there is an address")
	f.StringVar(&w.quiet, "quiet", "", "hours without such letters, as in 22:00-07:00, or \"\" for the brand's")
	f.StringVar(&w.timezone, "timezone", "", "zone of those hours, as in Europe/Lisbon, or \"\" for the brand's")
	f.StringVar(&w.reminders, "reminders", "", "yes or no: is reminded of warranties, contracts and service")
	f.StringVar(&w.surveys, "surveys", "", "yes or no: is asked how it was")
	f.StringVar(&w.contact, "contact", "", "yes or no: with no, nothing but answers")
	f.StringVar(&w.vip, "vip", "", "yes or no")
	f.StringVar(&w.contract, "contract", "", "contract that promises more than everybody has, a name in the configuration, or \"\"")
}

// apply changes preferences and terms; given tells which flags were given.
func (w wishes) apply(p *tickets.Person, given func(string) bool, rules tickets.Rules) error {
	for _, f := range []struct {
		name, value string
		to          *bool
		no          bool // the flag says the opposite of what is stored
	}{
		{"reminders", w.reminders, &p.Prefs.NoReminders, true}, {"surveys", w.surveys, &p.Prefs.NoSurveys, true},
		{"contact", w.contact, &p.Prefs.DoNotContact, true}, {"vip", w.vip, &p.VIP, false},
	} {
		if !given(f.name) {
			continue
		}
		is, err := yesNo(f.value)
		if err != nil {
			return fmt.Errorf("--%s %w", f.name, err)
		}
		*f.to = is != f.no
	}
	if given("contract") {
		if _, ok := rules.Contracts[w.contract]; w.contract != "" && !ok {
			return fmt.Errorf("--contract %q: no such contract in the configuration%s", w.contract, among(sortedKeys(rules.Contracts)))
		}
		p.Contract = w.contract
	}
	if given("channel") {
		switch c := tickets.Channel(w.channel); c {
		case "", tickets.ChannelMail, tickets.ChannelSMS, tickets.ChannelWhatsApp:
			p.Prefs.Channel = c
		default:
			return fmt.Errorf("--channel %q: email, sms or whatsapp", w.channel)
		}
	}
	if given("timezone") {
		if w.timezone == "Local" {
			return fmt.Errorf("--timezone %q: a zone as in Europe/Lisbon", w.timezone)
		}
		if _, err := time.LoadLocation(w.timezone); err != nil {
			return fmt.Errorf("--timezone %q: no such zone (as in Europe/Lisbon)", w.timezone)
		}
		p.Prefs.Timezone = w.timezone
	}
	if given("quiet") {
		from, to, err := quietHours(w.quiet)
		if err != nil {
			return fmt.Errorf("--quiet %w", err)
		}
		p.Prefs.QuietFrom, p.Prefs.QuietTo = from, to
	}
	return nil
}

func among(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (one of " + strings.Join(names, ", ") + ")"
}

// quietHours reads "22:00-07:00" as minutes since midnight; "" is none.
func quietHours(s string) (from, to int, err error) {
	if s == "" {
		return 0, 0, nil
	}
	first, last, ok := strings.Cut(s, "-")
	a, err1 := time.Parse("15:04", strings.TrimSpace(first))
	b, err2 := time.Parse("15:04", strings.TrimSpace(last))
	if !ok || err1 != nil || err2 != nil || a.Equal(b) {
		return 0, 0, fmt.Errorf("%q: two times of day, as in 22:00-07:00", s)
	}
	return a.Hour()*60 + a.Minute(), b.Hour()*60 + b.Minute(), nil
}

// joinedWishes are the preferences of two profiles that become one: what either
// does not want is not wanted.
func joinedWishes(from, into tickets.Preferences) tickets.Preferences {
	into.NoReminders = into.NoReminders || from.NoReminders
	into.NoSurveys = into.NoSurveys || from.NoSurveys
	into.DoNotContact = into.DoNotContact || from.DoNotContact
	into.Channel = cmp.Or(into.Channel, from.Channel)
	into.Timezone = cmp.Or(into.Timezone, from.Timezone)
	if into.QuietFrom == into.QuietTo {
		into.QuietFrom, into.QuietTo = from.QuietFrom, from.QuietTo
	}
	return into
}
