package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"frontdesk/config"
	"frontdesk/sla"
	"frontdesk/tickets"
)

// This file translates what is promised: hours, times, severities, contracts,
// who does the work and what each role may do.

// promisesOf adds to the rules all that time and sorting need.
func promisesOf(r *tickets.Rules, cfg *config.Config) {
	for _, q := range cfg.Queues {
		r.Queues[q.ID] = tickets.Queue{Key: q.ID, Tiers: tiersOf(cfg, q), Teams: q.Tiers, Assign: q.Assign, Quiet: q.Quiet, AckWithin: ifEver(q.AckWithin)}
	}
	for _, c := range cfg.Categories {
		r.Categories[c.ID] = tickets.Category{
			Key: c.ID, Title: c.Title, RespondWithin: c.RespondWithin.String(), Keywords: c.Keywords,
			Required: c.Required, Severity: c.Severity,
		}
	}
	for _, s := range cfg.Severities {
		r.Severities[s.ID] = tickets.Severity{
			Key: s.ID, ResolveWithin: s.ResolveWithin.String(), UpdateEvery: ifEver(s.UpdateEvery),
			Escalate: ifEver(s.Escalate), Call: s.Call, Weight: s.Weight,
		}
		r.Order = append(r.Order, s.ID)
	}
	r.Respond, r.Resolve = respondOf(cfg).String(), resolveOf(cfg).String()
	r.Policy = policyOf(cfg)
	r.Matrix, r.Signs = matrixOf(cfg.Matrix), signsOf(cfg.Signs)
	r.Contracts, r.Organisations = contractsOf(cfg), organisationsOf(cfg)
	r.Incident = tickets.IncidentRules{Customers: cfg.Incidents.Customers, Within: cfg.Incidents.Within, Alike: cfg.Incidents.Alike}
	r.Assign = tickets.AssignRules{Skill: cfg.Assignment.Skill, Stick: cfg.Assignment.Stick}
	r.Update = tickets.UpdateRules{RemindBefore: ifEver(cfg.Updates.RemindBefore), DelayBefore: ifEver(cfg.Updates.DelayBefore)}
	r.Roles = rolesOf(cfg)
}

// spanOf is a span in the words of package sla.
func spanOf(d config.Duration) sla.Duration {
	return sla.Duration{Count: d.Count, Unit: sla.Unit(d.Unit)}
}

// ifEver is spanOf, and zero for never.
func ifEver(d config.Duration) sla.Duration {
	if d.Unit == config.UnitNever {
		return sla.Duration{}
	}
	return spanOf(d)
}

// respondOf is the time for a first answer that is told before anybody sorted a
// ticket: the longest of the categories.
func respondOf(cfg *config.Config) config.Duration {
	var longest config.Duration
	for _, c := range cfg.Categories {
		if longest.IsZero() || roughly(c.RespondWithin) > roughly(longest) {
			longest = c.RespondWithin
		}
	}
	return longest
}

// resolveOf is the time for a solution that is told then: that of medium, or
// where there is none, that of the least bad severity.
func resolveOf(cfg *config.Config) config.Duration {
	for _, s := range cfg.Severities {
		if s.ID == "medium" {
			return s.ResolveWithin
		}
	}
	if n := len(cfg.Severities); n > 0 {
		return cfg.Severities[n-1].ResolveWithin
	}
	return config.Duration{}
}

// roughly compares spans of different units: a business hour is taken for a
// third of a day's share of the clock, a working day for a day.
func roughly(d config.Duration) time.Duration {
	switch d.Unit {
	case config.UnitBusinessHour:
		return time.Duration(d.Count) * 3 * time.Hour
	case config.UnitWorkingDay:
		return time.Duration(d.Count) * 24 * time.Hour
	}
	span, _ := d.Elapsed()
	return span
}

// policyOf is what the desk promises: one rule for every ticket, which also says
// how all times are counted, then those of categories, severities and contracts.
func policyOf(cfg *config.Config) sla.Policy {
	p := sla.Policy{
		Rules:  []sla.Rule{everyTicket(cfg)},
		Done:   []string{string(tickets.StatusResolved), string(tickets.StatusClosed)},
		Void:   []string{string(tickets.StatusMerged), string(tickets.StatusSpam)},
		Reopen: map[config.Reopen]sla.Reopen{config.ReopenResume: sla.ReopenResume}[cfg.Promises.Reopen],
	}
	for _, c := range cfg.Categories {
		p.Rules = append(p.Rules, sla.Rule{
			Name: "category " + c.ID, If: sla.Facts{Category: c.ID},
			Targets: answers(spanOf(c.RespondWithin), spanOf(cfg.Promises.NextResponseWithin)),
		})
	}
	for _, s := range cfg.Severities {
		p.Rules = append(p.Rules, sla.Rule{
			Name: "severity " + s.ID, If: sla.Facts{Severity: s.ID},
			Targets: solution(spanOf(s.ResolveWithin), spanOf(s.UpdateEvery)),
		})
	}
	for _, c := range cfg.Contracts {
		p.Rules = append(p.Rules, contractRules(cfg, c)...)
	}
	return p
}

// everyTicket holds what is promised before a ticket is sorted. Status updates
// are not warned of, the agent is asked for one instead; and they go on while a
// ticket waits for a third party, because the customer waits, too.
func everyTicket(cfg *config.Config) sla.Rule {
	c := cfg.Promises
	as := func(within sla.Duration) sla.Target {
		return sla.Target{
			Within: within, Warn: sla.Warn{Percent: c.Warn.Percent, Before: c.Warn.Before}, Pause: append([]string{}, c.Pause...),
			Change: map[config.Change]sla.Change{config.ChangeAnew: sla.ChangeAnew}[c.Change],
		}
	}
	first := as(spanOf(respondOf(cfg)))
	first.AtMost = ifEver(c.NeverLaterThan)
	next := first
	first.Pause = []string{} // it is owed whatever the status: a question that the desk asks by itself is no answer
	if !c.NextResponseWithin.IsZero() {
		next.Within = spanOf(c.NextResponseWithin)
	}
	update := as(sla.Duration{})
	update.Warn = sla.Warn{}
	update.Pause = slices.DeleteFunc(update.Pause, func(s string) bool { return s == string(tickets.StatusHold) })
	return sla.Rule{Name: "every ticket", Targets: map[sla.Clock]sla.Target{
		sla.FirstResponse: first, sla.NextResponse: next, sla.NextUpdate: update, sla.Resolution: as(spanOf(resolveOf(cfg))),
	}}
}

// answers are the targets of the first answer and of the later ones, which are
// promised the same unless next says otherwise.
func answers(first, next sla.Duration) map[sla.Clock]sla.Target {
	if next.IsZero() {
		next = first
	}
	return map[sla.Clock]sla.Target{sla.FirstResponse: {Within: first}, sla.NextResponse: {Within: next}}
}

func solution(within, update sla.Duration) map[sla.Clock]sla.Target {
	return map[sla.Clock]sla.Target{sla.Resolution: {Within: within}, sla.NextUpdate: {Within: update}}
}

// contractRules are the promises of one contract. Its time for answers holds for
// each of them, also where all others are given a longer time for later ones.
func contractRules(cfg *config.Config, c config.Contract) []sla.Rule {
	all := solution(spanOf(c.ResolveWithin.All), spanOf(c.UpdateEvery))
	respond := spanOf(c.RespondWithin)
	all[sla.FirstResponse], all[sla.NextResponse] = sla.Target{Within: respond}, sla.Target{Within: respond}
	name := "contract " + c.ID
	out := []sla.Rule{{Name: name, If: sla.Facts{Customer: c.ID}, Targets: all}}
	for _, s := range cfg.Severities {
		if within, ok := c.ResolveWithin.Of[s.ID]; ok {
			out = append(out, sla.Rule{
				Name: name + ", severity " + s.ID, If: sla.Facts{Customer: c.ID, Severity: s.ID},
				Targets: map[sla.Clock]sla.Target{sla.Resolution: {Within: spanOf(within)}},
			})
		}
	}
	return out
}

func matrixOf(m config.Matrix) tickets.Matrix {
	if !m.IsSet() {
		return nil
	}
	out := tickets.Matrix{}
	for impact, row := range m {
		for urgency, severity := range row {
			out[[2]int{impact + 1, urgency + 1}] = severity
		}
	}
	return out
}

func signsOf(signs []config.Sign) []tickets.Sign {
	var out []tickets.Sign
	for _, s := range signs {
		phrase := strings.ToLower(strings.Join(strings.Fields(s.Phrase), " "))
		out = append(out, tickets.Sign{Phrase: phrase, Impact: s.Impact, Urgency: s.Urgency})
	}
	return out
}

func contractsOf(cfg *config.Config) map[string]tickets.Contract {
	out := map[string]tickets.Contract{}
	for _, c := range cfg.Contracts {
		out[c.ID] = tickets.Contract{Key: c.ID, Title: c.Title, VIP: c.VIP}
	}
	return out
}

func organisationsOf(cfg *config.Config) []tickets.Organisation {
	var out []tickets.Organisation
	for _, o := range cfg.Organisations {
		out = append(out, tickets.Organisation{Key: o.ID, Name: o.Name, Domains: o.Domains, Contract: o.Contract, VIP: o.VIP})
	}
	return out
}

func rolesOf(cfg *config.Config) map[tickets.Role]tickets.Rights {
	out := map[tickets.Role]tickets.Rights{}
	for _, r := range cfg.Roles {
		rights := tickets.Rights{Hidden: r.Hide}
		for _, word := range r.Deny {
			rights.Denied = append(rights.Denied, strings.TrimPrefix(word, "#"))
		}
		out[tickets.Role(r.ID)] = rights
	}
	return out
}

// calendarOf is when a brand is open.
func calendarOf(b config.Brand) (*sla.Calendar, error) {
	closed, err := holidaysOf(b.Holidays)
	if err != nil {
		return nil, err
	}
	return sla.NewCalendar(hoursOf(b.Hours, b.Timezone, closed))
}

// agentCalendar is when an agent works, nil for always. The holidays of the
// agent's first brand are free.
func agentCalendar(cfg *config.Config, a config.Agent) (*sla.Calendar, error) {
	if a.Hours == nil {
		return nil, nil
	}
	var closed sla.Holidays
	if b := cfg.HomeBrand(a); b != nil {
		var err error
		if closed, err = holidaysOf(b.Holidays); err != nil {
			return nil, err
		}
	}
	return sla.NewCalendar(hoursOf(*a.Hours, a.Timezone, closed))
}

func hoursOf(h config.Hours, zone *time.Location, closed sla.Holidays) sla.Hours {
	out := sla.Hours{Location: zone, Holidays: closed}
	for day, spans := range h {
		for _, s := range spans {
			out.Week[day] = append(out.Week[day], sla.Span(s))
		}
	}
	return out
}

// maxICS bounds a file of holidays.
const maxICS = 4 << 20

// holidaysOf reads the dates and the .ics files of a brand. Each file that is
// wrong is an error that names it.
func holidaysOf(h config.Holidays) (sla.Holidays, error) {
	var out sla.Holidays
	for _, d := range h.Dates {
		out.Dates = append(out.Dates, sla.Date(d))
	}
	var wrong []error
	for _, file := range h.Files {
		more, err := readICS(file)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%q: %w", file, err))
			continue
		}
		out = out.With(more)
	}
	return out, errors.Join(wrong...)
}

func readICS(file string) (sla.Holidays, error) {
	info, err := os.Stat(file)
	if err != nil {
		return sla.Holidays{}, err
	}
	if info.Size() > maxICS {
		return sla.Holidays{}, fmt.Errorf("size %d above limit %d", info.Size(), maxICS)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return sla.Holidays{}, err
	}
	return sla.ParseICS(text)
}
