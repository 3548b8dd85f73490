package tickets

import (
	"fmt"
	"slices"
	"time"

	"frontdesk/sla"
)

// The reminders, by the keys of their schedules.
const (
	WarrantyReminder  = "warranty_reminder"  // so many days before the end
	WarrantyExpired   = "warranty_expired"   // the day after it
	WarrantyExtension = "warranty_extension" // an offer, so many days before the end
	RenewalReminder   = "renewal_reminder"   // of contracts and subscriptions, so many days before
	ServiceReminder   = "service_reminder"   // by the meter
	MeterReminder     = "meter_reminder"     // asks for a reading
)

// ReminderKeys lists them in the order in which a letter says them.
var ReminderKeys = []string{WarrantyExpired, WarrantyReminder, WarrantyExtension, RenewalReminder, ServiceReminder, MeterReminder}

// IsReminder reports whether what the schedule sends are reminders.
func (s Schedule) IsReminder() bool { return slices.Contains(ReminderKeys, s.Key) }

// What is used where the configuration says nothing.
const (
	laserPages  = 10000
	inkjetPages = 7000

	// An answer to a notice that comes a month late is confusing, one that comes
	// a week late is not.
	lateNotice = 30
	lateAsking = 14
	// A reading that is younger is not asked for again.
	freshReading = 25 * 24 * time.Hour
)

// Span is how many pages a product prints between two services, 0 for one that
// is not serviced by its meter.
func (r ReminderRules) Span(kind ProductKind) int {
	orElse := func(n, other int) int {
		if n > 0 {
			return n
		}
		return other
	}
	switch kind {
	case KindLaser:
		return orElse(r.LaserPages, laserPages)
	case KindInkjet:
		return orElse(r.InkjetPages, inkjetPages)
	}
	return 0
}

// Reminders lists what a schedule finds due of products on the days from to to,
// both counted: nothing of a product that is retired or whose customer is not
// known. Services go by readings that somebody reported; nothing is guessed. at
// is the time of the occurrence, in the zone of the schedule. When on its day
// each customer is told, is for the caller to say.
func Reminders(s Schedule, products []Product, from, to sla.Date, at time.Time, rules ReminderRules) []Due {
	var out []Due
	for _, p := range products {
		if p.Retired || p.Person == 0 {
			continue
		}
		for _, d := range dueOf(s, p, from, to, at, rules) {
			d.Brand, d.Schedule, d.Person, d.Product, d.Found, d.State = p.Brand, s.Key, p.Person, p.ID, at, DueWaiting
			d.Subject = fmt.Sprintf("%s:%s", DueSubject(p.ID), d.Subject)
			out = append(out, d)
		}
	}
	return out
}

// DueSubject names a product in what is due: alone, all that is due of it.
func DueSubject(product int64) string { return fmt.Sprintf("product:%d", product) }

// dueOf is what is due of one product. Subject is what follows the product.
func dueOf(s Schedule, p Product, from, to sla.Date, at time.Time, rules ReminderRules) []Due {
	switch s.Key {
	case WarrantyReminder, WarrantyExtension:
		return daysBefore(p.WarrantyUntil, s.DaysBefore, from, to)
	case RenewalReminder:
		return daysBefore(p.ContractUntil, s.DaysBefore, from, to)
	case WarrantyExpired:
		return daysBefore(p.WarrantyUntil, []int{-1}, from, to)
	case ServiceReminder:
		return service(p, sla.DateOf(at), rules)
	case MeterReminder:
		return asksForReading(p, sla.DateOf(at), at, rules)
	}
	return nil
}

// daysBefore are the days of a date that lie in from to to; -1 is the day after it.
func daysBefore(date sla.Date, days []int, from, to sla.Date) []Due {
	if date.IsZero() {
		return nil
	}
	var out []Due
	for _, n := range days {
		if day := date.Add(-n); !day.Before(from) && !day.After(to) {
			out = append(out, Due{Occurrence: date.String(), Subject: fmt.Sprint(max(n, 0)), Date: date, Days: max(n, 0), Day: day})
		}
	}
	return out
}

// service is due once the newest reading is a span above the last service, and
// again with every further span: what was missed comes once.
func service(p Product, today sla.Date, rules ReminderRules) []Due {
	span, worn := rules.Span(p.Kind), p.Worn()
	if span == 0 || worn < span {
		return nil
	}
	return []Due{{
		Occurrence: fmt.Sprint(p.ServicedAt + worn/span*span), Subject: fmt.Sprintf("service:%d", p.ServicedAt),
		Pages: worn, Day: today,
	}}
}

// Worn is how many pages the newest reading is above the last service. A reading
// from before the service says nothing.
func (p Product) Worn() int {
	if len(p.Readings) == 0 {
		return 0
	}
	newest := p.Readings[len(p.Readings)-1]
	if !p.ServicedOn.IsZero() && sla.DateOf(newest.At).Before(p.ServicedOn) {
		return 0
	}
	return max(0, newest.Pages-p.ServicedAt)
}

// asksForReading is due once a month at most, when nobody reported one of late.
func asksForReading(p Product, today sla.Date, at time.Time, rules ReminderRules) []Due {
	if rules.Span(p.Kind) == 0 {
		return nil
	}
	if n := len(p.Readings); n > 0 && at.Sub(p.Readings[n-1].At) < freshReading {
		return nil
	}
	return []Due{{Occurrence: fmt.Sprintf("%04d-%02d", today.Year, today.Month), Subject: "meter", Day: today}}
}

// stale says why something due is not told any more on a day; "" when it is
// still worth telling.
func (d Due) stale(p Product, known bool, today sla.Date) (DueState, string) {
	switch {
	case !known || p.Retired:
		return DueStopped, "the product is not in use any more"
	case p.Person != d.Person:
		return DueStopped, "somebody else has the product"
	}
	switch d.Schedule {
	case WarrantyReminder, WarrantyExtension, WarrantyExpired:
		if p.WarrantyUntil != d.Date {
			return DueStopped, "the warranty ends on another day"
		}
	case RenewalReminder:
		if p.ContractUntil != d.Date {
			return DueStopped, "the contract ends on another day"
		}
	case ServiceReminder:
		if fmt.Sprintf("%s:service:%d", DueSubject(p.ID), p.ServicedAt) != d.Subject {
			return DueStopped, "it was serviced"
		}
		return "", ""
	case MeterReminder:
		if today.Since(d.Day) > lateAsking {
			return DueExpired, fmt.Sprintf("it was to be asked on %s", d.Day)
		}
		return "", ""
	}
	if d.Schedule == WarrantyExpired {
		if today.Since(d.Day) > lateNotice {
			return DueExpired, fmt.Sprintf("it was to be said on %s", d.Day)
		}
		return "", ""
	}
	if today.After(d.Date) {
		return DueExpired, fmt.Sprintf("%s has passed", d.Date)
	}
	return "", ""
}

// item says something due in a letter of the day.
func (d Due) item(p Product, today sla.Date) ReminderItem {
	i := ReminderItem{Schedule: d.Schedule, Product: p.ID, Model: p.Model, Serial: p.Serial, Date: d.Date, Pages: d.Pages}
	if !d.Date.IsZero() && !d.Date.Before(today) {
		i.Days = d.Date.Since(today)
	}
	if d.Schedule == RenewalReminder {
		i.Contract = p.Contract
	}
	if d.Schedule == ServiceReminder {
		i.Pages = p.Worn() // a later reading may have come
	}
	return i
}

// itemOrder is the order of the items in a letter: by kind, then by date.
func itemOrder(a, b ReminderItem) int {
	if n := slices.Index(ReminderKeys, a.Schedule) - slices.Index(ReminderKeys, b.Schedule); n != 0 {
		return n
	}
	if a.Date != b.Date && !a.Date.IsZero() && !b.Date.IsZero() {
		return a.Date.Since(b.Date)
	}
	return int(a.Product - b.Product)
}
