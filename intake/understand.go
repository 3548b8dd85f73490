package intake

import (
	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

// Understand puts a parsed mail into the words of the decision, as the worker
// does: what "frontdesk explain" and "frontdesk thread" ask the rules about. Of
// the row, brand, mailbox, queue, channel and time of receipt are needed.
func Understand(row store.Claimed, m *parser.Mail, auth tickets.Auth, rules tickets.Rules) tickets.Inbound {
	return inbound(row, m, auth, rules)
}
