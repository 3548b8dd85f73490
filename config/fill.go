package config

import (
	"strings"
)

// fill completes what depends on other keys; given reports whether the file has
// a key. Plain defaults are in the tags and are there already.
func fill(cfg *Config, given func(key string) bool) {
	if cfg.HTTP.PublicURL != "" && !given("http.listen") {
		cfg.HTTP.Listen = "127.0.0.1:8025"
	}
	cfg.HTTP.PublicURL = strings.TrimRight(cfg.HTTP.PublicURL, "/")
	fillBlobs(cfg)
	fillAgents(cfg)
	fillTeams(cfg, given)
	if !given("categories") {
		cfg.Categories = defaultCategories()
	}
	if !given("severities") {
		cfg.Severities = defaultSeverities()
	}
	for i := range cfg.Categories {
		if c := &cfg.Categories[i]; c.Title == "" {
			c.Title = c.ID
		}
	}
	for i := range cfg.Brands {
		fillBrand(cfg, &cfg.Brands[i])
	}
	fillAgentHours(cfg)
	fillPromises(cfg, given)
	fillSchedules(cfg, given)
	fillRewards(cfg)
	fillLaw(cfg, given)
	if cfg.Twilio != nil {
		fillTwilio(cfg, given)
	}
}

func fillAgents(cfg *Config) {
	for i := range cfg.Agents {
		a := &cfg.Agents[i]
		a.Email = strings.ToLower(a.Email)
		if a.Name == "" {
			a.Name, _, _ = strings.Cut(a.Email, "@")
		}
	}
}

// fillTeams makes a desk of one team and one queue when the file names none.
func fillTeams(cfg *Config, given func(string) bool) {
	for i := range cfg.Teams {
		for j, member := range cfg.Teams[i].Members {
			cfg.Teams[i].Members[j] = strings.ToLower(member)
		}
	}
	if !given("teams") {
		team := Team{ID: "everyone"}
		for _, a := range cfg.Agents {
			team.Members = append(team.Members, a.Email)
		}
		cfg.Teams = []Team{team}
	}
	if !given("queues") {
		cfg.Queues = []Queue{defaultQueue()}
	}
	for i := range cfg.Queues {
		q := &cfg.Queues[i]
		if q.Team == "" && len(q.Tiers) > 0 {
			q.Team = q.Tiers[0]
		}
		if q.Team == "" && len(cfg.Teams) > 0 {
			q.Team = cfg.Teams[0].ID
		}
		if len(q.Tiers) == 0 && q.Team != "" {
			q.Tiers = []string{q.Team}
		}
	}
}

func fillBrand(cfg *Config, b *Brand) {
	if b.Sender == "" {
		b.Sender = b.Name
	}
	if b.Signature == "" {
		b.Signature = b.Name
	}
	for i := range b.Mailboxes {
		fillMailbox(cfg, &b.Mailboxes[i])
	}
	for i := range b.Phones {
		fillPhone(b, &b.Phones[i])
	}
	if b.Country == "" && len(b.Phones) > 0 {
		b.Country = countryOf(b.Phones[0].Number)
	}
	if b.Domain == "" && len(b.Mailboxes) > 0 {
		_, b.Domain, _ = strings.Cut(b.Mailboxes[0].Address, "@")
	}
	b.Domain = strings.ToLower(b.Domain)
}

func fillMailbox(cfg *Config, m *Mailbox) {
	m.Address = strings.ToLower(m.Address)
	if m.Queue == "" && len(cfg.Queues) > 0 {
		m.Queue = cfg.Queues[0].ID
	}
	if m.Intake == "" {
		m.Intake = defaultIntake(m.IMAP != nil, cfg.LMTP.Listen)
	}
	if m.IMAP != nil {
		if m.IMAP.Port == 0 {
			m.IMAP.Port = map[TLSMode]int{TLSImplicit: 993}[m.IMAP.TLS]
		}
		if m.IMAP.Port == 0 {
			m.IMAP.Port = 143
		}
		if m.IMAP.Username == "" {
			m.IMAP.Username = m.Address
		}
	}
	fillOAuth(cfg, m)
	if m.SMTP.Port == 0 {
		m.SMTP.Port = map[TLSMode]int{TLSImplicit: 465, TLSStartTLS: 587, TLSNone: 25}[m.SMTP.TLS]
	}
}

func defaultIntake(hasIMAP bool, lmtpListen string) Intake {
	switch {
	case hasIMAP:
		return IntakeIMAP
	case lmtpListen != "":
		return IntakeLMTP
	}
	return IntakePipe
}

// defaultQueue is what a file without queues means.
func defaultQueue() Queue {
	return Queue{ID: "support", Assign: true, AckWithin: Duration{30, UnitMinute}}
}

// defaultCategories is what a file without categories means.
func defaultCategories() []Category {
	four := Duration{4, UnitBusinessHour}
	return []Category{
		{ID: "technical", Title: "Technical Issues", RespondWithin: Duration{2, UnitBusinessHour}},
		{ID: "product", Title: "Product Inquiries", RespondWithin: four},
		{ID: "account", Title: "Account Management", RespondWithin: four},
		{ID: "billing", Title: "Billing and Payments", RespondWithin: four},
		{ID: "returns", Title: "Returns and Exchanges", RespondWithin: four},
	}
}

// defaultSeverities is what a file without severities means.
func defaultSeverities() []Severity {
	now := Duration{0, UnitNow}
	return []Severity{
		{ID: "critical", ResolveWithin: Duration{24, UnitHour}, UpdateEvery: Duration{2, UnitHour}, Escalate: now},
		{ID: "high", ResolveWithin: Duration{48, UnitHour}, UpdateEvery: Duration{8, UnitHour}, Escalate: now},
		{ID: "medium", ResolveWithin: Duration{72, UnitHour}},
		{ID: "low", ResolveWithin: Duration{5, UnitWorkingDay}},
	}
}
