package tickets

// sort gives a new ticket its category, impact, urgency and severity.
func (d *decision) sort(tc *TicketChange) {}
