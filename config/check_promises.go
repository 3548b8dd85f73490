package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// sorting checks categories, severities and what chooses between them.
func (c *checker) sorting() {
	facts := append(slices.Clone(FactNames), slices.Sorted(maps.Keys(c.cfg.Facts))...)
	for _, q := range c.cfg.Queues {
		c.notAtOnce("queues."+q.ID+".ack_within", q.AckWithin)
	}
	for _, k := range c.cfg.Categories {
		key := "categories." + k.ID
		c.promise(key+".respond_within", k.RespondWithin)
		c.severity(key+".severity", k.Severity)
		for i, fact := range k.Required {
			c.reference(fmt.Sprintf("%s.required[%d]", key, i), fact, "fact", facts)
		}
	}
	for _, s := range c.cfg.Severities {
		key := "severities." + s.ID
		c.promise(key+".resolve_within", s.ResolveWithin)
		c.notAtOnce(key+".update_every", s.UpdateEvery)
	}
	for impact, row := range c.cfg.Matrix {
		for _, severity := range row {
			c.severity(fmt.Sprintf("severity_matrix.%d", impact+1), severity)
		}
	}
	for i, s := range c.cfg.Signs {
		key := fmt.Sprintf("signs[%d]", i)
		switch {
		case s.Phrase != "" && utf8.RuneCountInString(strings.TrimSpace(s.Phrase)) < 3:
			c.at(key+".phrase", "%q is in too many texts: at least 3 characters", s.Phrase)
		case s.Impact == 0 && s.Urgency == 0 && !c.faulty(key):
			c.at(key, "says neither impact nor urgency")
		}
	}
	p := c.cfg.Promises
	c.notAtOnce("promises.next_response_within", p.NextResponseWithin)
	c.notAtOnce("promises.never_later_than", p.NeverLaterThan)
	if c.cfg.Incidents.Customers == 1 {
		c.at("incidents.customers", "1 would make every ticket a major incident (allowed: 0 for off, 2 or more)")
	}
	u := c.cfg.Updates
	c.notAtOnce("updates.remind_before", u.RemindBefore)
	c.notAtOnce("updates.delay_before", u.DelayBefore)
}

func (c *checker) severity(key, name string) {
	c.reference(key, name, "severity", ids(c.cfg.Severities, func(s Severity) string { return s.ID }))
}

// promise checks a time that every customer is told.
func (c *checker) promise(key string, d Duration) {
	if d.Unit == UnitNever {
		c.at(key, "never cannot be promised to a customer (%s)", durationForms)
	}
	c.notAtOnce(key, d)
}

func (c *checker) notAtOnce(key string, d Duration) {
	if d.Unit == UnitNow {
		c.at(key, "immediately is no time to do it in (%s)", durationForms)
	}
}

func (c *checker) contracts() {
	for _, k := range c.cfg.Contracts {
		key := "contracts." + k.ID
		c.notAtOnce(key+".respond_within", k.RespondWithin)
		c.notAtOnce(key+".resolve_within", k.ResolveWithin.All)
		c.notAtOnce(key+".update_every", k.UpdateEvery)
		for severity, d := range k.ResolveWithin.Of {
			c.severity(key+".resolve_within."+severity, severity)
			c.notAtOnce(key+".resolve_within."+severity, d)
		}
	}
	taken := map[string]string{}
	contracts := ids(c.cfg.Contracts, func(k Contract) string { return k.ID })
	for _, o := range c.cfg.Organisations {
		key := "organisations." + o.ID
		if o.Contract != "" && len(contracts) == 0 {
			c.at(key+".contract", "no contract %q: there are no contracts in the file", o.Contract)
		}
		c.reference(key+".contract", o.Contract, "contract", contracts)
		for i, domain := range o.Domains {
			at := fmt.Sprintf("%s.domains[%d]", key, i)
			switch other := taken[domain]; {
			case !hostName.MatchString(domain) || !strings.Contains(domain, "."):
				c.at(at, "%q is not a domain name (example: acme.example)", domain)
			case other != "":
				c.at(at, "%q is %s already", domain, other)
			}
			taken[domain] = at
		}
	}
}

// roles checks the names of roles; what commands there are is not known here.
func (c *checker) roles() {
	known := []string{string(RoleAgent), string(RoleSenior), string(RoleSupervisor), string(RoleManager), string(RoleAdmin)}
	for _, r := range c.cfg.Roles {
		c.reference("roles."+r.ID, r.ID, "role", known)
		for i, word := range r.Deny {
			if !commandWord.MatchString(word) {
				c.at(fmt.Sprintf("roles.%s.deny[%d]", r.ID, i), "%q is not a command (example: merge)", word)
			}
		}
	}
}
