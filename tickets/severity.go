package tickets

// setSeverity gives the ticket a severity and tells the customer when it had
// another. why is "" when the agent named it.
func (d *decision) setSeverity(tc *TicketChange, agent Agent, to, why string) string {
	t := &tc.Ticket
	from, because := t.Severity, ""
	if why != "" {
		because = " (" + why + ")"
	}
	tc.event(d.now, agent.Address, "severity", "%s → %s%s", orNone(from), to, because)
	t.Severity = to
	d.priorityLetter(tc, from, to)
	return "severity: " + to + because
}
