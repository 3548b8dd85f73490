package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/schedules"
	"frontdesk/tickets"
)

func scheduleCommand() *cobra.Command {
	return group("schedule", "what is sent by the calendar: reminders and reports",
		`What the configuration's schedules do, and when. All of it is looked up; only
"run --send" changes anything.`,
		"  frontdesk schedule list\n  frontdesk schedule preview --days 90",
		scheduleListCommand(), schedulePreviewCommand(), scheduleRunCommand())
}

// timedRecord is one schedule of one brand as "schedule list --json" prints it.
type timedRecord struct {
	Brand      string    `json:"brand"`
	Schedule   string    `json:"schedule"`
	Cron       string    `json:"cron"`
	DaysBefore []int     `json:"days_before,omitempty"`
	CatchUp    string    `json:"catch_up"`
	Last       time.Time `json:"last,omitzero"`
	Next       time.Time `json:"next,omitzero"`
	next       string
	last       string
}

func scheduleListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [--json]",
		Short: "each schedule with its last and its next time",
		Long: `List prints the schedules of each brand: the cron line, when it ran last and when
it runs next, on the schedule's own clock. --json prints one object a line.`,
		Example: "  frontdesk schedule list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			var list []timedRecord
			for _, b := range d.cfg.Brands {
				timed, err := schedules.List(cmd.Context(), d.db, d.rules, b.ID, now())
				if err != nil {
					return failed(err)
				}
				for _, t := range timed {
					zone := t.Next.Location()
					list = append(list, timedRecord{
						Brand: b.ID, Schedule: t.Schedule.Key, Cron: t.Schedule.Cron, DaysBefore: t.Schedule.DaysBefore, CatchUp: t.Schedule.CatchUp,
						Last: t.Last, Next: t.Next, next: clockTime(t.Next, zone), last: clockTime(t.Last, zone),
					})
				}
			}
			return printList(cmd, asJSON, list,
				column[timedRecord]{"BRAND", func(r timedRecord) string { return r.Brand }},
				column[timedRecord]{"SCHEDULE", func(r timedRecord) string { return r.Schedule }},
				column[timedRecord]{"CRON", func(r timedRecord) string { return r.Cron }},
				column[timedRecord]{"DAYS BEFORE", func(r timedRecord) string { return strings.Trim(fmt.Sprint(r.DaysBefore), "[]") }},
				column[timedRecord]{"LAST", func(r timedRecord) string { return r.last }},
				column[timedRecord]{"NEXT", func(r timedRecord) string { return r.next }})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// clockTime shows a time with its zone, "" for none.
func clockTime(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02 15:04 MST")
}

// plannedRecord is one reminder as "schedule preview --json" prints it.
type plannedRecord struct {
	At     time.Time              `json:"at"`
	Brand  string                 `json:"brand"`
	Person int64                  `json:"person"`
	To     string                 `json:"to"`
	Items  []tickets.ReminderItem `json:"items"`
	when   string
}

func schedulePreviewCommand() *cobra.Command {
	var asJSON bool
	var days int
	cmd := &cobra.Command{
		Use:   "preview [--days N] [--json]",
		Short: "the reminders that will be sent: when, to whom, why",
		Long: `Preview plays the schedules of the coming days with what is known now, and prints
each letter that will be sent: when (on the customer's clock), to whom, and what
it tells. It asks the same questions as the running desk and changes nothing.`,
		Example: "  frontdesk schedule preview --days 90",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if days < 1 || days > 1000 {
				return fmt.Errorf("--days %d (1 to 1000)", days)
			}
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			list, err := d.remindersAhead(cmd.Context(), days)
			if err != nil {
				return failed(err)
			}
			return printList(cmd, asJSON, list,
				column[plannedRecord]{"WHEN", func(r plannedRecord) string { return r.when }},
				column[plannedRecord]{"BRAND", func(r plannedRecord) string { return r.Brand }},
				column[plannedRecord]{"TO", func(r plannedRecord) string { return r.To }},
				column[plannedRecord]{"WHY", func(r plannedRecord) string { return whyOf(r.Items) }})
		},
	}
	cmd.Flags().IntVar(&days, "days", 30, "how many days to look ahead")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// remindersAhead lists the letters of all brands in order of time.
func (d *desk) remindersAhead(ctx context.Context, days int) ([]plannedRecord, error) {
	var out []plannedRecord
	at := now()
	for _, b := range d.cfg.Brands {
		plan, err := schedules.Preview(ctx, d.db, d.rules, b.ID, at, at.AddDate(0, 0, days))
		if err != nil {
			return nil, err
		}
		for _, p := range plan {
			who, err := d.db.Person(ctx, p.Letter.Person)
			if err != nil {
				return nil, err
			}
			out = append(out, plannedRecord{
				At: p.At, Brand: b.ID, Person: p.Letter.Person, To: p.Letter.To.Address, Items: p.Letter.Data.Items,
				when: clockTime(p.At, who.Zone(d.rules.Brands[b.ID])),
			})
		}
	}
	slices.SortStableFunc(out, func(a, b plannedRecord) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.To, b.To)) })
	return out, nil
}

// whyOf says what a letter tells, in a line.
func whyOf(items []tickets.ReminderItem) string {
	var out []string
	for _, i := range items {
		why := strings.ReplaceAll(i.Schedule, "_", " ") + " " + cmp.Or(i.Serial, i.Model)
		switch {
		case !i.Date.IsZero():
			why += " " + i.Date.String()
		case i.Pages > 0:
			why += fmt.Sprintf(" %d pages", i.Pages)
		}
		out = append(out, why)
	}
	return strings.Join(out, "; ")
}

// dueRecord is one thing that "schedule run --json" found.
type dueRecord struct {
	Brand      string `json:"brand"`
	Schedule   string `json:"schedule"`
	Occurrence string `json:"occurrence"`
	Person     int64  `json:"person"`
	Product    int64  `json:"product"`
	Day        string `json:"day"` // on which the customer is told
	Sent       bool   `json:"noted"`
}

func scheduleRunCommand() *cobra.Command {
	var asJSON, send bool
	var at string
	cmd := &cobra.Command{
		Use:   "run NAME [--now TIME] [--send] [--json]",
		Short: "what a schedule finds due, now or at a time",
		Long: `Run does what a reminder schedule does when its time comes: it looks for what is
due since it last ran, and prints it. With --send that is noted, and the running
desk writes the letters, at an hour that each customer likes; what was noted once
is never found again. Without --send nothing changes.

--now takes 2026-12-01, "2026-12-01 08:00" (the brand's clock) or RFC 3339.`,
		Example: "  frontdesk schedule run warranty_reminder --now 2026-12-01\n  frontdesk schedule run service_reminder --send",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			if !slices.ContainsFunc(d.rules.Reminders.Schedules, func(s tickets.Schedule) bool { return s.Key == args[0] }) {
				return fmt.Errorf("no schedule %q in %s (frontdesk schedule list)", args[0], d.cfg.Path)
			}
			var list []dueRecord
			for _, b := range d.cfg.Brands {
				when, err := momentOf(at, b.Timezone)
				if err != nil {
					return err
				}
				dues, err := schedules.RunNow(cmd.Context(), d.db, d.rules, b.ID, args[0], when, send)
				if err != nil {
					return failed(err)
				}
				for _, due := range dues {
					list = append(list, dueRecord{b.ID, due.Schedule, due.Occurrence, due.Person, due.Product, due.Day.String(), send})
				}
			}
			err = printList(cmd, asJSON, list,
				column[dueRecord]{"BRAND", func(r dueRecord) string { return r.Brand }},
				column[dueRecord]{"SCHEDULE", func(r dueRecord) string { return r.Schedule }},
				column[dueRecord]{"OF", func(r dueRecord) string { return r.Occurrence }},
				column[dueRecord]{"PRODUCT", func(r dueRecord) string { return fmt.Sprint(r.Product) }},
				column[dueRecord]{"CUSTOMER", func(r dueRecord) string { return fmt.Sprint(r.Person) }},
				column[dueRecord]{"ON", func(r dueRecord) string { return r.Day }})
			if err == nil && !send && len(list) > 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "nothing was noted or sent; --send does it")
			}
			return err
		},
	}
	cmd.Flags().StringVar(&at, "now", "", "take this for the time it is")
	cmd.Flags().BoolVar(&send, "send", false, "note what is found, so that it is sent")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// momentOf reads a time on a brand's clock; "" is now.
func momentOf(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return now(), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("--now %q is no time (2026-12-01, \"2026-12-01 08:00\", RFC 3339)", text)
}
