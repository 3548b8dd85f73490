package web

import (
	"fmt"
	"strings"

	"frontdesk/tickets"
)

// returned is a return as the customer's page shows it.
type returned struct {
	Number, Status, Says string
	Product              string
	Until                string   // while it waits for the goods
	Address              []string // the same
}

// returned is nil where nothing goes back.
func (v *visit) returned() *returned {
	r := v.ticket.Return
	if r == nil || v.person.Role != tickets.PartyRequester && v.person.Role != tickets.PartyFollower {
		return nil
	}
	said := v.words.Returns[r.Status]
	out := &returned{Number: r.Number, Status: said.Name, Says: said.Means, Product: strings.TrimSpace(r.Product + " " + r.Serial)}
	if r.Status == tickets.ReturnOpen {
		out.Until, out.Address = v.words.day(r.Until.Year, int(r.Until.Month), r.Until.Day), strings.Split(strings.TrimSpace(r.Address), "\n")
	}
	return out
}

// day is a day of the calendar: "2 December 2026".
func (w *words) day(year, month, day int) string {
	if year == 0 || month < 1 || month > 12 {
		return ""
	}
	return fmt.Sprintf(w.Day, day, w.Months[month-1], year)
}
