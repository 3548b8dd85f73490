package tickets

// assign gives a new ticket to an agent.
func (d *decision) assign(tc *TicketChange) {}
