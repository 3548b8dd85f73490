package main

import (
	"context"
	"encoding/json"
	"time"

	"frontdesk/notify"
	"frontdesk/report"
	"frontdesk/schedules"
	"frontdesk/store"
	"frontdesk/tickets"
)

// mostListed bounds the matters, articles and incidents of a report.
const mostListed = 10

// reportJobs are what the schedules of reports do, by their keys.
func reportJobs(db *store.DB) map[string]schedules.Job {
	out := map[string]schedules.Job{}
	for key, period := range tickets.ReportKeys {
		out[key] = reportJob(db, period)
	}
	return out
}

// reportJob counts a brand's newest whole period and writes the letters about it.
//
// Of the largest desks it takes seconds. It counts on connections of its own, in
// no transaction: mail is decided meanwhile, which a period that is over has
// nothing to do with.
func reportJob(db *store.DB, period tickets.ReportPeriod) schedules.Job {
	return func(ctx context.Context, o schedules.Occurrence, rules tickets.Rules, now time.Time) (tickets.Change, error) {
		zone := zoneOfBrand(rules, o.Brand)
		q := store.FiguresQuery{Brand: o.Brand, Zone: zone, Now: now}
		q.Before, q.From, q.To = period.Last(o.At, zone)
		f, err := figuresOf(ctx, db, q, rules)
		if err != nil {
			return tickets.Change{}, err
		}
		f.Title = string(period)
		return tickets.Reports(f, o.Schedule, o.Brand, rules, o.At)
	}
}

// figuresOf counts, with the words of the rules.
func figuresOf(ctx context.Context, db *store.DB, q store.FiguresQuery, rules tickets.Rules) (tickets.Figures, error) {
	q.Most, q.Agents = mostListed, map[string]bool{}
	for address := range rules.Agents {
		q.Agents[address] = true
	}
	q.Business = func(brand string, a, b time.Time) time.Duration {
		calendar := rules.Brands[brand].Calendar
		if calendar == nil { // never closed
			return b.Sub(a)
		}
		return calendar.Between(a, b)
	}
	f, err := db.Figures(ctx, q)
	return f.Named(rules), err
}

// zoneOfBrand is where a brand's days begin; of all brands, where the first's do.
func zoneOfBrand(rules tickets.Rules, brand string) *time.Location {
	if brand == "" && len(rules.Brands) > 0 {
		brand = sortedKeys(rules.Brands)[0]
	}
	if zone := rules.Brands[brand].Location; zone != nil {
		return zone
	}
	return time.UTC
}

// writeReport makes the tables and charts of a report for its letter.
func writeReport(figures json.RawMessage, language, color string, cid func(string) string) (notify.Insert, error) {
	var f tickets.Figures
	if err := json.Unmarshal(figures, &f); err != nil {
		return notify.Insert{}, err
	}
	charts, err := report.Charts(f, language, color)
	if err != nil {
		return notify.Insert{}, err
	}
	in := notify.Insert{Plain: report.TextBody(f, language)}
	in.Title, in.Days = report.Title(f, language)
	in.HTML = report.HTMLBody(f, charts, language, func(id string) string { return "cid:" + cid(id) })
	for _, c := range charts {
		in.Pictures = append(in.Pictures, notify.Picture{ID: cid(c.ID), PNG: c.PNG})
	}
	return in, nil
}
