package main

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"frontdesk/config"
	"frontdesk/notify"
	"frontdesk/phone"
	"frontdesk/tickets"
)

// This file translates the telephone: numbers, what callers hear, who is rung,
// and the account at Twilio. Without a twilio block all of it is empty.

// phonesOf are a brand's numbers as decisions see them.
func phonesOf(b config.Brand) []tickets.Phone {
	var out []tickets.Phone
	for _, p := range b.Phones {
		out = append(out, tickets.Phone{Number: p.Number, Queue: p.Queue, Mailbox: p.Mailbox, Texts: p.Texts, WhatsApp: p.WhatsApp})
	}
	return out
}

// textingOf says how texts and calls leave. The template counts when every
// WhatsApp number has one: an answer is held for it before it is known which
// number it leaves from.
func textingOf(cfg *config.Config) tickets.Texting {
	out := tickets.Texting{
		Segments: cfg.Texting.Segments, Join: cfg.Texting.JoinWithin, Missed: cfg.Texting.MissedAgain,
		RingAgain: cfg.Alarms.Attempts, RingFor: cfg.Alarms.Every,
	}
	with, without := 0, 0
	for _, b := range cfg.Brands {
		for _, p := range b.Phones {
			switch {
			case p.WhatsApp && p.WhatsAppTemplate != "":
				with++
			case p.WhatsApp:
				without++
			}
		}
	}
	out.Template = with > 0 && without == 0
	return out
}

// plansOf says what callers of each number hear, by the number in E.164. Ring
// holds everybody who may be rung; [onDuty] says who works at the time.
func plansOf(cfg *config.Config) map[string]phone.Plan {
	out := map[string]phone.Plan{}
	if cfg.Twilio == nil {
		return out
	}
	for _, b := range cfg.Brands {
		for _, p := range b.Phones {
			out[p.Number] = planOf(cfg, b, p)
		}
	}
	return out
}

func planOf(cfg *config.Config, b config.Brand, p config.Phone) phone.Plan {
	plan := phone.Plan{
		Base: cfg.HTTP.PublicURL + phone.LinePath(p.Number), Language: b.Language, Voice: p.Voice, Brand: b.Name, Number: p.Number,
		Greeting: p.Greeting, Closed: p.Closed, Consent: p.Consent, Menu: menuOf(cfg, p.Menu),
		RingFor: p.RingFor, NoVoicemail: !p.Voicemail, MaxMessage: p.MaxMessage,
		Transcribe: cfg.Twilio.Transcribe == config.TranscribeTwilio,
	}
	if p.Consent == config.NoConsent {
		plan.Consent, plan.NoConsent = "", true
	}
	if p.Ring {
		for _, a := range cfg.Ringing(b, p) {
			plan.Ring = append(plan.Ring, a.Phone)
		}
	}
	return plan
}

func menuOf(cfg *config.Config, menu config.Menu) []phone.Choice {
	want := map[config.Line]phone.Purpose{
		config.LineQueue: phone.PurposeQueue, config.LineExisting: phone.PurposeTicket,
		config.LineCallback: phone.PurposeCallback, config.LineMeter: phone.PurposeMeter,
	}
	var out []phone.Choice
	for _, k := range menu {
		choice := phone.Choice{Key: k.Key, Want: want[k.Line], Queue: k.Queue}
		if i := slices.IndexFunc(cfg.Queues, func(q config.Queue) bool { return q.ID == k.Queue }); i >= 0 {
			choice.Label = cfg.Queues[i].Title
		}
		out = append(out, choice)
	}
	return out
}

// mostRung is how many numbers one <Dial> takes.
const mostRung = 10

// onDuty returns who is rung by a call to one of our numbers at a time: of those
// whom the number's plan names, whoever works then and is not away, in the
// team's order. It needs the configuration alone, so that a call is answered
// while the database is down.
func onDuty(cfg *config.Config, rules tickets.Rules, number string, at time.Time) []string {
	var out []string
	for _, b := range cfg.Brands {
		for _, p := range b.Phones {
			if p.Number != number || !p.Ring {
				continue
			}
			for _, a := range cfg.Ringing(b, p) {
				agent, ok := rules.Agent(a.Email)
				if ok && (agent.Calendar == nil || agent.Calendar.Open(at)) && !slices.Contains(out, a.Phone) && len(out) < mostRung {
					out = append(out, a.Phone)
				}
			}
		}
	}
	return out
}

// phoneClientOf logs in at the telephone company when it is first used. It is
// nil when the desk has no telephone, or an Account SID that can be none: what
// is wrong with the telephone keeps no mail from being answered. "check" says so.
func phoneClientOf(cfg *config.Config) (*phone.Client, error) {
	if cfg.Twilio == nil || notAccount(cfg) != nil {
		return nil, nil
	}
	return newPhoneClient(cfg)
}

func newPhoneClient(cfg *config.Config) (*phone.Client, error) {
	t := cfg.Twilio
	return phone.NewClient(phone.Options{
		AccountSID: t.AccountSID, AuthToken: t.AuthToken.Reveal(),
		KeySID: t.APIKeySID, KeySecret: t.APIKeySecret.Reveal(), BaseURL: t.APIBaseURL,
	})
}

var accountSID = regexp.MustCompile(`^AC[0-9a-f]{32}$`)

// notAccount says why the Account SID can be none.
func notAccount(cfg *config.Config) error {
	if sid := cfg.Twilio.AccountSID; !accountSID.MatchString(sid) {
		return fmt.Errorf("%d characters, want AC and 32 hexadecimal digits as Twilio's console shows them: until then no text and no call leaves", len(sid))
	}
	return nil
}

// verifierOf proves webhooks. It is nil when the desk has no telephone: then
// none is believed.
func verifierOf(cfg *config.Config) (*phone.Verifier, error) {
	t := cfg.Twilio
	if t == nil {
		return nil, nil
	}
	return phone.NewVerifier(cfg.HTTP.PublicURL, t.AuthToken.Reveal(), t.NextToken.Reveal())
}

// limitsOf say whom the desk may call and text. The agents' own numbers may
// always be called: each allows itself and nothing else.
func limitsOf(cfg *config.Config) phone.Limits {
	t := cfg.Twilio
	if t == nil {
		return phone.Limits{}
	}
	out := phone.Limits{Prefixes: slices.Clone(t.Allow), Denied: t.Deny, Segments: t.SegmentsPerDay, Calls: t.CallsPerDay}
	for _, a := range cfg.Agents {
		if a.Phone != "" {
			out.Prefixes = append(out.Prefixes, a.Phone)
		}
	}
	out.Prefixes = append(out.Prefixes, cfg.Alerts.TextTo...)
	return out
}

// phoneRoutesOf are the lines that texts and calls leave from, by their address:
// tel:+…, whatsapp:+….
func phoneRoutesOf(cfg *config.Config) map[string]notify.Line {
	out := map[string]notify.Line{}
	if cfg.Twilio == nil {
		return out
	}
	for _, b := range cfg.Brands {
		for _, p := range b.Phones {
			out[tickets.TelAddress(p.Number)] = notify.Line{}
			if p.WhatsApp {
				out[tickets.WhatsAppAddress(p.Number)] = notify.Line{Template: p.WhatsAppTemplate}
			}
		}
	}
	return out
}
