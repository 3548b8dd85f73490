package config

import "slices"

// Passcodes says when a customer has to prove who asks.
type Passcodes struct {
	// Categories are IDs of Config.Categories; none: nobody is asked.
	Categories []string `yaml:"categories" says:"account where there is such a category" example:"[technical]" doc:"Requests of these categories, and questions about a warranty, from an address that is not proven or from a telephone are answered with a passcode: the reply with it proves who asks. Agents see how it stands, and may answer all the same. [] = nobody is asked."`
	Valid      Duration `yaml:"valid" default:"24 hours" doc:"How long a code counts."`
	Tries      int      `yaml:"tries" default:"5" min:"1" max:"20" doc:"Wrong codes after which a new one is needed."`
}

// Keeping says how long what came is kept. Each is never, or a time; a ticket
// that is open keeps all of its content.
type Keeping struct {
	RawMail        Duration `yaml:"raw_mail" default:"never" doc:"Mails as they came, with their files, counted from the closure. What was written stays readable. never = they are kept."`
	Recordings     Duration `yaml:"recordings" default:"never" doc:"Voicemails and files of texts, counted from the closure. never = they are kept."`
	ClosedTickets  Duration `yaml:"closed_tickets" default:"never" doc:"All content of closed tickets: what stays is number, dates, status and agents, for the figures. never = it is kept."`
	Quarantine     Duration `yaml:"quarantine" default:"never" doc:"Held mail that nobody released, counted from its arrival. never = it is kept."`
	LedgerDetails  Duration `yaml:"ledger_details" default:"never" doc:"Why each mail was decided as it was (explain), and its sender and subject, counted from the decision, and not of open tickets. never = they are kept."`
	SurveyComments Duration `yaml:"survey_comments" default:"never" doc:"Comments of surveys, counted from the answer; scores stay. never = they are kept."`
}

func fillLaw(cfg *Config, given func(string) bool) {
	if !given("passcodes.categories") && slices.ContainsFunc(cfg.Categories, func(c Category) bool { return c.ID == "account" }) {
		cfg.Passcodes.Categories = []string{"account"}
	}
}

func (c *checker) law() {
	p := c.cfg.Passcodes
	for _, id := range p.Categories {
		if !slices.ContainsFunc(c.cfg.Categories, func(k Category) bool { return k.ID == id }) {
			c.at("passcodes.categories", "there is no category %q", id)
		}
	}
	if v, ok := p.Valid.Elapsed(); !ok || v <= 0 {
		c.at("passcodes.valid", "%s is no time that a code can count (allowed: 30 minutes, 24 hours)", p.Valid)
	}
	r := c.cfg.Retention
	for _, k := range []struct {
		key string
		d   Duration
	}{
		{"raw_mail", r.RawMail}, {"recordings", r.Recordings}, {"closed_tickets", r.ClosedTickets},
		{"quarantine", r.Quarantine}, {"ledger_details", r.LedgerDetails}, {"survey_comments", r.SurveyComments},
	} {
		if _, elapsed := k.d.Elapsed(); !elapsed && k.d.Unit != UnitNever {
			c.at("retention."+k.key, "%s is counted in business hours (allowed: 365 days, never)", k.d)
		}
	}
}
