package tickets

import "time"

// promise looks at what a ticket's clocks say after this decision.
func (d *decision) promise(tc *TicketChange) {}

// Watch says what is to be done about a ticket because time has passed: warn,
// report a breach, escalate, keep the customer informed. It returns false when
// nothing is due. found has the ticket's Log, History, Desk and Alarm.
func Watch(t Ticket, found Found, rules Rules, now time.Time) (Change, bool) { return Change{}, false }
