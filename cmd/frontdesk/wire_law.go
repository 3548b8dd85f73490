package main

import (
	"time"

	"frontdesk/config"
	"frontdesk/schedules"
	"frontdesk/store"
	"frontdesk/tickets"
)

// passcodesOf say when a customer has to prove who asks.
func passcodesOf(cfg *config.Config) tickets.PasscodeRules {
	valid, _ := cfg.Passcodes.Valid.Elapsed()
	return tickets.PasscodeRules{Categories: cfg.Passcodes.Categories, Valid: valid, Tries: cfg.Passcodes.Tries}
}

// keptOf are the times before which what came goes.
func keptOf(cfg *config.Config, now time.Time) store.Kept {
	before := func(d config.Duration) time.Time {
		if span, ok := d.Elapsed(); ok && span > 0 {
			return now.Add(-span)
		}
		return time.Time{}
	}
	r := cfg.Retention
	return store.Kept{
		RawMail: before(r.RawMail), Recordings: before(r.Recordings), ClosedTickets: before(r.ClosedTickets),
		Quarantine: before(r.Quarantine), LedgerDetails: before(r.LedgerDetails), SurveyComments: before(r.SurveyComments),
	}
}

// keepTime is when the desk looks what is kept no longer.
func (dm *daemon) keepTime(now time.Time) (*schedules.TimeOfDay, store.Kept) {
	cfg := dm.cfg()
	if len(cfg.Brands) == 0 {
		return nil, store.Kept{}
	}
	return &schedules.TimeOfDay{Hour: 3, Location: cfg.Brands[0].Timezone}, keptOf(cfg, now)
}
