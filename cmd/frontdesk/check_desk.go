package main

import (
	"fmt"
	"slices"
	"strings"

	"frontdesk/config"
	"frontdesk/tickets"
)

// deskFindings are the mistakes that only the rooms know: holidays that cannot
// be read, commands that there are not, an account that cannot be used. The desk
// does not start with one of them.
func deskFindings(cfg *config.Config) config.Findings {
	var out config.Findings
	add := func(key string, err error) {
		for _, one := range leaves(err) {
			out = append(out, cfg.Finding(key, one.Error()))
		}
	}
	for _, b := range cfg.Brands {
		if _, err := holidaysOf(b.Holidays); err != nil {
			add("brands."+b.ID+".holidays", err)
		} else if _, err := calendarOf(b); err != nil {
			add("brands."+b.ID+".hours", err)
		}
	}
	if len(out) == 0 { // an agent's holidays are those of a brand
		for i, a := range cfg.Agents {
			if _, err := agentCalendar(cfg, a); err != nil {
				add(fmt.Sprintf("agents[%d].hours", i), err)
			}
		}
	}
	if _, err := verifierOf(cfg); err != nil {
		add("http.public_url", err)
	}
	return append(out, commandFindings(cfg)...)
}

// commandFindings are commands denied to a role that there are not: whoever
// misspells one denies nothing.
func commandFindings(cfg *config.Config) config.Findings {
	var out config.Findings
	known := tickets.CommandNames()
	for _, r := range cfg.Roles {
		for i, word := range r.Deny {
			word = strings.TrimPrefix(word, "#")
			if slices.Contains(known, word) {
				continue
			}
			hint := ""
			if near := tickets.Nearest(word, known); near != "" {
				hint = fmt.Sprintf(", did you mean %s?", near)
			}
			out = append(out, cfg.Finding(fmt.Sprintf("roles.%s.deny[%d]", r.ID, i),
				fmt.Sprintf("no command %q%s (allowed: %s)", word, hint, strings.Join(known, ", "))))
		}
	}
	return out
}

// deskNotes are what an operator may not have meant, and what keeps nothing from
// working that does not depend on it.
func deskNotes(cfg *config.Config) config.Findings {
	var out config.Findings
	if cfg.Twilio != nil {
		if err := notAccount(cfg); err != nil {
			out = append(out, cfg.Finding("twilio.account_sid", err.Error()))
		}
	}
	out = append(out, alertNotes(cfg)...)
	out = append(out, articleNotes(cfg)...)
	for _, app := range cfg.OAuth {
		if text := secretEnds(app, now()); text != "" {
			out = append(out, cfg.Finding("oauth."+app.ID+".secret_expires", text))
		}
	}
	for _, s := range cfg.Severities {
		if s.Call && !rings(cfg) {
			out = append(out, cfg.Finding("severities."+s.ID+".call", "rings nobody: it takes a twilio block, a number of a brand, and agents with a phone"))
		}
	}
	return out
}

// rings reports whether there is anything to ring with and anybody to ring.
func rings(cfg *config.Config) bool {
	return cfg.Twilio != nil &&
		slices.ContainsFunc(cfg.Brands, func(b config.Brand) bool { return len(b.Phones) > 0 }) &&
		slices.ContainsFunc(cfg.Agents, func(a config.Agent) bool { return a.Phone != "" })
}
