package config

import (
	"slices"
	"strings"
)

// Service says after how many pages customers are reminded of a service.
type Service struct {
	LaserPages  int `yaml:"laser_pages" default:"10000" min:"1" doc:"Pages of a laser printer from one service to the next."`
	InkjetPages int `yaml:"inkjet_pages" default:"7000" min:"1" doc:"The same of an inkjet printer."`
}

// CatchUp says what is done about times that passed while the desk stood still.
type CatchUp string

const (
	CatchUpLatest CatchUp = "latest" // once, for all of them
	CatchUpAll    CatchUp = "all"    // each of them
	CatchUpNone   CatchUp = "none"   // nothing
)

// The schedules that there are. Reminders go to customers, reports to Schedule.To.
var (
	reminders = []string{"warranty_reminder", "warranty_expired", "warranty_extension", "renewal_reminder", "service_reminder", "meter_reminder"}
	reports   = []string{"weekly_report", "monthly_report"}
)

// defaultDays are the days before the date of schedules that name none.
var defaultDays = map[string][]int{
	"warranty_reminder":  {30, 7},
	"warranty_extension": {14},
	"renewal_reminder":   {30, 7, 1},
}

// defaultSchedules are the reminders of a file that names no schedules. Offers
// and questions for readings are sent by nobody who did not ask for it.
func defaultSchedules() []Schedule {
	var out []Schedule
	for _, id := range []string{"warranty_reminder", "warranty_expired", "renewal_reminder", "service_reminder"} {
		out = append(out, Schedule{ID: id, Cron: "0 8 * * *", CatchUp: CatchUpLatest})
	}
	return out
}

func fillSchedules(cfg *Config, given func(string) bool) {
	if !given("schedules") {
		cfg.Schedules = defaultSchedules()
	}
	for i := range cfg.Schedules {
		s := &cfg.Schedules[i]
		if len(s.DaysBefore) == 0 {
			s.DaysBefore = slices.Clone(defaultDays[s.ID])
		}
	}
	if cfg.SalesQueue == "" && slices.ContainsFunc(cfg.Queues, func(q Queue) bool { return q.ID == "sales" }) {
		cfg.SalesQueue = "sales"
	}
}

func (c *checker) reminders() {
	known := slices.Concat(reminders, reports)
	for _, s := range c.cfg.Schedules {
		key := "schedules." + s.ID
		switch {
		case !slices.Contains(known, s.ID):
			c.at(key, "there is no such schedule (allowed: %s)", strings.Join(known, ", "))
		case len(s.DaysBefore) > 0 && slices.Contains(reminders, s.ID) && defaultDays[s.ID] == nil:
			c.at(key+".days_before", "%s goes by no days before a date", s.ID)
		case len(s.To) > 0 && slices.Contains(reminders, s.ID):
			c.at(key+".to", "%s goes to the customers that it concerns", s.ID)
		}
		for i, n := range s.DaysBefore {
			if n > 366 || slices.Contains(s.DaysBefore[:i], n) {
				c.at(key+".days_before", "%d is given twice or is more than a year", n)
			}
		}
	}
	if q := c.cfg.SalesQueue; q != "" && !slices.ContainsFunc(c.cfg.Queues, func(x Queue) bool { return x.ID == q }) {
		c.at("sales_queue", "there is no queue %q", q)
	}
}
