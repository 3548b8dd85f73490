package tickets

// outbreak looks whether a new ticket is one of many like it.
func (d *decision) outbreak(tc *TicketChange) {}
