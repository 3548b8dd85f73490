package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// about is a ticket of a customer.
type about struct {
	from, subject, product, category string
}

func TestRecurring(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what string
		list []about
		want []string // requester, words, product, category, customers, tickets by place
	}{
		{"one customer, the same words", []about{
			{"anna@x", "Printer offline again", "", "technical"},
			{"bob@x", "Invoice of May", "", "billing"},
			{"anna@x", "My printer is OFFLINE", "", "technical"},
		}, []string{"anna@x: offline printer, technical, 1 customers, [1 3]"}},
		{"one customer, the same product", []about{
			{"anna@x", "Paper jam", "LaserJet 4", "technical"},
			{"anna@x", "Toner low", "laserjet 4", "technical"},
			{"anna@x", "Price of it", "LaserJet 4", "billing"},
		}, []string{"anna@x: laserjet 4, technical, 1 customers, [1 2]"}},
		{"three customers, two words", []about{
			{"anna@x", "VPN login fails", "", "technical"},
			{"bob@x", "login to VPN", "", ""},
			{"carl@x", "cannot login by vpn since today", "", "technical"},
			{"dora@x", "login page is blank", "", "technical"},
		}, []string{": login vpn, 3 customers, [1 2 3]"}},
		{"two customers are not several", []about{
			{"anna@x", "VPN login fails", "", ""}, {"bob@x", "VPN login fails", "", ""},
		}, nil},
		{"one customer often is not several", []about{
			{"anna@x", "VPN login", "", ""}, {"anna@x", "VPN login", "", ""}, {"bob@x", "VPN login", "", ""},
		}, []string{"anna@x: login vpn, 1 customers, [1 2]"}},
		{"the only word", []about{
			{"anna@x", "Toner", "", ""}, {"bob@x", "Toner?", "", ""}, {"carl@x", "Question: toner", "", ""}, {"dora@x", "Toner for room nine", "", ""},
		}, []string{": toner, 3 customers, [1 2 3]"}},
		{"words that say nothing", []about{
			{"anna@x", "Urgent help please", "", ""}, {"bob@x", "Urgent: please help", "", ""}, {"carl@x", "please help, urgent", "", ""},
			{"anna@x", "Re 2026 10 05", "", ""}, {"anna@x", "", "", ""},
		}, nil},
		{"the largest first, each ticket once", []about{
			{"a@x", "router red light", "", ""}, {"b@x", "router red light", "", ""}, {"c@x", "router red light", "", ""},
			{"d@x", "router red lamp", "", ""},
			{"e@x", "blue lamp", "", ""}, {"f@x", "blue lamp", "", ""}, {"g@x", "blue lamp", "", ""},
		}, []string{": red router, 4 customers, [1 2 3 4]", ": blue lamp, 3 customers, [5 6 7]"}},
		{"accents and German", []about{
			{"a@x", "Drucker: Störung", "", ""}, {"b@x", "STÖRUNG Drucker Halle 3", "", ""}, {"c@x", "Der Drucker hat wieder eine Störung", "", ""},
		}, []string{": drucker storung, 3 customers, [1 2 3]"}},
		{"a script without spaces", []about{
			{"a@x", "打印机故障", "", ""}, {"b@x", "我的打印机坏了", "", ""}, {"c@x", "打印机不能用", "", ""},
		}, []string{": 印机 打印, 3 customers, [1 2 3]"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			db := storetest.SQLite(t)
			report(t, db, "acme", c.list, noon)
			diff(t, "recurring", recurring(t, db, 10), c.want)
		})
	}
}

func report(t *testing.T, db *store.DB, brand string, list []about, when time.Time) {
	t.Helper()
	for i, a := range list {
		c := ofBrand(brand, opened(a.from, a.subject, "", when.Add(time.Duration(i)*time.Minute)))
		ticket := &c.Tickets[0].Ticket
		ticket.Category, ticket.SubjectCore = a.category, strings.ToLower(a.subject)
		if a.product != "" {
			ticket.Facts = map[string]string{"product": a.product}
		}
		save(t, db, 0, c)
	}
}

func recurring(t *testing.T, db *store.DB, n int) (list []string) {
	t.Helper()
	for _, r := range must(db.Recurring(t.Context(), "acme", noon, n))(t) {
		what := []string{strings.TrimSpace(r.Words + " " + r.Product)}
		if r.Category != "" {
			what = append(what, r.Category)
		}
		list = append(list, fmt.Sprintf("%s: %s, %d customers, %v", r.Requester, strings.ToLower(strings.Join(what, ", ")), r.Customers, r.Tickets))
	}
	return list
}

// What is merged, spam, of before or of another brand does not recur; the list
// is as long as was asked for, on both databases.
func TestRecurringLeavesOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		printer := []about{{"anna@x", "printer offline", "", ""}}
		report(t, db, "acme", printer, noon.Add(-time.Hour))
		report(t, db, "zenith", printer, noon)
		report(t, db, "acme", append(printer, printer...), noon)
		merged := must(db.Ticket(t.Context(), 3))(t)
		merged.Status, merged.MergedInto = tickets.StatusMerged, 4
		save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: merged}}})
		diff(t, "one is left", recurring(t, db, 10), []string(nil))

		report(t, db, "acme", append(printer, about{"bob@x", "vpn login", "", ""}, about{"bob@x", "vpn login", "", ""}), noon.Add(time.Hour))
		diff(t, "all", recurring(t, db, 10), []string{"bob@x: login vpn, 1 customers, [6 7]", "anna@x: offline printer, 1 customers, [4 5]"})
		diff(t, "one", recurring(t, db, 1), []string{"bob@x: login vpn, 1 customers, [6 7]"})
	})
}
