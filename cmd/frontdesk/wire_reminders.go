package main

import (
	"frontdesk/config"
	"frontdesk/tickets"
)

// remindersOf says what is sent by the calendar.
func remindersOf(cfg *config.Config) tickets.ReminderRules {
	r := tickets.ReminderRules{LaserPages: cfg.Service.LaserPages, InkjetPages: cfg.Service.InkjetPages, Sales: cfg.SalesQueue}
	for _, s := range cfg.Schedules {
		r.Schedules = append(r.Schedules, tickets.Schedule{
			Key: s.ID, Cron: s.Cron, DaysBefore: s.DaysBefore, To: s.To, CatchUp: string(s.CatchUp),
		})
	}
	return r
}
