package notify

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"frontdesk/tickets"
)

// shownItem is one thing that a reminder says.
type shownItem struct {
	Kind     string // key of the schedule: "warranty_reminder", …
	Product  Words  // "LaserJet 400 (serial LJ400-1)"
	Model    Words  // "LaserJet 400"
	Contract Words  // what it is called, "" not known
	Date     string // "1 December 2026"
	Days     int    // until then, 0 today or past
	Pages    string // since the last service: "10,240"
	Link     string // to accept an offer, "" without pages
}

// reminders says the parts of a letter that reminds.
func (v *view) reminders(l tickets.Letter, m Material, lang *language, w *words) {
	for _, i := range l.Data.Items {
		v.Items = append(v.Items, shownItem{
			Kind: i.Schedule, Product: w.put(productName(i, lang)), Model: w.put(oneLine(cmp.Or(i.Model, i.Serial), 40)), Contract: w.put(oneLine(i.Contract, 100)),
			Date: lang.day(i.Date.Year, i.Date.Month, i.Date.Day), Days: i.Days, Pages: lang.number(i.Pages), Link: m.offerLink(l, i),
		})
	}
	v.Wishes = m.wishesLink(l)
}

// productName is what people call their product.
func productName(i tickets.ReminderItem, lang *language) string {
	model, serial := oneLine(i.Model, 80), oneLine(i.Serial, 60)
	switch {
	case model == "":
		return serial
	case serial == "":
		return model
	}
	return fmt.Sprintf(lang.calendar().product, model, serial)
}

// calendarWords are how a language writes what only reminders say.
type calendarWords struct {
	day       string // day, month name, year
	thousands string
	product   string // model, serial number
}

func (l *language) calendar() calendarWords {
	if l.code == "de" {
		return calendarWords{"%d. %s %d", ".", "%s (Seriennummer %s)"}
	}
	return calendarWords{"%d %s %d", ",", "%s (serial number %s)"}
}

// day is a day of the calendar: "1 December 2026"; "" for none.
func (l *language) day(year int, month time.Month, day int) string {
	if month < time.January || month > time.December {
		return ""
	}
	return fmt.Sprintf(l.calendar().day, day, l.months[month-1], year)
}

// number is a number with its thousands parted; "" for 0.
func (l *language) number(n int) string {
	if n == 0 {
		return ""
	}
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + l.calendar().thousands + s[i:]
	}
	return s
}

// offerLink opens the page on which an offer is accepted; following it accepts
// nothing.
func (m Material) offerLink(l tickets.Letter, i tickets.ReminderItem) string {
	if m.PublicURL == "" || l.Agent || l.Person == 0 || i.Schedule != tickets.WarrantyExtension || i.Product == 0 {
		return ""
	}
	return m.publicURL() + "/o/" + m.Keys.OfferToken(tickets.Offer{Person: l.Person, Product: i.Product, Until: i.Date})
}

// wishesLink opens the page on which customers say what letters they want.
func (m Material) wishesLink(l tickets.Letter) string {
	if m.PublicURL == "" || l.Agent || l.Person == 0 {
		return ""
	}
	return m.publicURL() + "/u/" + m.Keys.WishToken(l.Person)
}

// unasked reports whether nobody asked for a letter: those can be unsubscribed.
func unasked(kind tickets.LetterKind) bool {
	switch kind {
	case tickets.LetterReminder, tickets.LetterSurvey, tickets.LetterFollowUp, tickets.LetterReward:
		return true
	}
	return false
}

// unsubscribe adds the fields by which mail clients show a button (RFC 2369
// section 3.2, RFC 8058): the page, whose POST acts at once, and a mail that says
// so.
func (f *fields) unsubscribe(l tickets.Letter, m Material) {
	if l.Agent || !unasked(l.Kind) || l.Person == 0 {
		return
	}
	// A plus sign would be a space to some mail clients (RFC 6068 section 5).
	value := "<mailto:" + strings.ReplaceAll(url.PathEscape(m.relay(l)), "+", "%2B") + "?subject=unsubscribe>"
	if page := m.wishesLink(l); page != "" {
		f.add("List-Unsubscribe", "<"+page+">, "+value)
		f.add("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
		return
	}
	f.add("List-Unsubscribe", value)
}

// sampleItems are one of each.
func sampleItems() []tickets.ReminderItem {
	on := func(i tickets.ReminderItem, month time.Month, day int) tickets.ReminderItem {
		i.Date.Year, i.Date.Month, i.Date.Day = 2026, month, day
		return i
	}
	return []tickets.ReminderItem{
		on(tickets.ReminderItem{Schedule: tickets.WarrantyExpired, Product: 31, Model: "OfficeJet 90", Serial: "OJ90-77"}, 11, 22),
		on(tickets.ReminderItem{Schedule: tickets.WarrantyReminder, Product: 32, Model: "LaserJet 400", Serial: "LJ400-1", Days: 30}, 12, 23),
		on(tickets.ReminderItem{Schedule: tickets.WarrantyExtension, Product: 32, Model: "LaserJet 400", Serial: "LJ400-1", Days: 30}, 12, 23),
		on(tickets.ReminderItem{Schedule: tickets.RenewalReminder, Product: 33, Model: "Router X", Serial: "RX-5", Contract: "Care Pack Plus", Days: 1}, 11, 24),
		{Schedule: tickets.ServiceReminder, Product: 34, Model: "LaserJet 400", Serial: "LJ400-2", Pages: 10240},
		{Schedule: tickets.MeterReminder, Product: 35, Model: "InkPro", Serial: "IP-9"},
	}
}
