package tickets

import "fmt"

// leave notes that an agent goes away or is back. What he has in hand is given
// to others by the watch over his tickets, each with its reason.
func (d *decision) leave(agent Agent, c Command) string {
	a := Absence{Agent: agent.Address, Since: d.now}
	if c.Name == "away" {
		a.Until = c.Until.UTC()
	}
	d.c.Away = append(d.c.Away, a)
	if c.Name == "back" {
		d.trace("away", agent.Address, "back")
		return "you are back: new tickets come to you again"
	}
	until := c.Until.In(d.localNow().Location()).Format("2006-01-02 15:04")
	d.trace("away", agent.Address, "until %s", until)
	return fmt.Sprintf("you are away until %s: nothing new comes to you, and what you have in hand is given to colleagues; #back ends it", until)
}

// reassign takes an open ticket from an agent who is away and gives it to
// another of the tier, or to the tier as a whole.
func (d *decision) reassign(tc *TicketChange) {
	t := &tc.Ticket
	if d.found.Desk == nil || t.Assignee == "" || (t.Status != StatusNew && t.Status != StatusOpen) {
		return
	}
	until := d.found.Desk.Away[t.Assignee]
	if !until.After(d.now) {
		return
	}
	gone := t.Assignee
	t.Assignee = ""
	tc.event(d.now, "desk", "assigned to", "%s → none: away until %s", gone, until.In(d.localNow().Location()).Format("2006-01-02"))
	d.assign(tc)
	for _, a := range d.audience(t) {
		data := d.view(tc, 0)
		for _, m := range d.found.History {
			if m.Direction == DirectionIn && m.Ticket == t.ID {
				data.Text, data.Author, data.At = m.Text, show(m.Author.Address), m.At
			}
		}
		data.Newer = views(d.found.History)
		data.Done = []string{gone + " is away"}
		d.toAgent(tc, a, LetterNewTicket, 0, data)
	}
}
