package tickets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// whatsAppWindow is how long after a customer's message WhatsApp takes free
// words, less what a letter may need to leave.
const whatsAppWindow = 24*time.Hour - 5*time.Minute

// customerNumber is the number at which the customer of a ticket is called or
// texted: the requester's, one that takes part, else the profile's first.
func customerNumber(t *Ticket) string {
	if n := Number(requester(t).Address); n != "" {
		return n
	}
	for _, p := range t.Participants {
		if n := Number(p.Address.Address); n != "" && t.Verified(p.Address.Address) && (p.Person == 0 || p.Person == t.Requester) {
			return n
		}
	}
	return t.Profile.Phone
}

// stopped reports whether a number wants no texts on a ticket.
func (d *decision) stopped(t *Ticket, address string) bool {
	n := NormalAddress(address)
	return slices.Contains(t.Stopped, n) || d.found.Stopped && n == NormalAddress(d.in.From.Address)
}

// windowOpen reports whether WhatsApp takes free words to an address now. What
// is not WhatsApp is always open.
func (d *decision) windowOpen(address string) bool {
	if ChannelOf(address) != ChannelWhatsApp || d.in.Phone != nil && d.in.Phone.Text != nil && SameAddress(address, d.in.From.Address) {
		return true
	}
	return slices.ContainsFunc(d.found.History, func(m Message) bool {
		return m.Direction == DirectionIn && SameAddress(m.Author.Address.Address, address) && d.now.Sub(m.At) < whatsAppWindow
	})
}

// templateOut reports whether the customer was asked to write already: an
// answer waits since the last message.
func (d *decision) templateOut(address string) bool {
	for _, m := range slices.Backward(d.found.History) {
		switch {
		case m.Direction == DirectionIn && SameAddress(m.Author.Address.Address, address):
			return false
		case m.Direction == DirectionOut && slices.Contains(m.Flags, flagWindow):
			return d.now.Sub(m.At) < 24*time.Hour
		}
	}
	return false
}

// unsendable says why words cannot be sent to an address, in words for an
// agent; "" when they can. A mail address can always be tried.
func (d *decision) unsendable(t *Ticket, address string) string {
	n := Number(address)
	byMail := "#from ADDRESS"
	if a := t.Profile.Address; a != "" && ChannelOf(a) == ChannelMail {
		byMail = "#from " + a
	}
	switch {
	case n == "":
		return ""
	case d.stopped(t, address):
		return fmt.Sprintf("%s wants no texts from us (STOP): answer by mail with %s, or #call", n, byMail)
	case slices.Contains(t.Dead, NormalAddress(address)):
		return fmt.Sprintf("%s takes no texts: answer by mail with %s, or #call", n, byMail)
	}
	if why := d.noText(address, d.lineTo(t, address)); why != "" {
		return fmt.Sprintf("nothing can be texted to %s: %s; answer by mail with %s, or #call", n, why, byMail)
	}
	if !d.windowOpen(address) && !d.rules.Texting.Template {
		return fmt.Sprintf("WhatsApp takes an answer to %s only within 24 hours of the customer's last message, and no template is configured: #sms, #call, or %s", n, byMail)
	}
	return ""
}

// unreachable names what makes it impossible to reach the customer as the mail
// asks, before anything is done.
func (d *decision) unreachable(tc *TicketChange, agent Agent, commands []Command, sends bool) (out []string) {
	t := &tc.Ticket
	no := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	number := customerNumber(t)
	if has(commands, "call") {
		switch {
		case agent.Phone == "":
			no("#call: your telephone number is not known; it stands at your name in the configuration")
		case number == "":
			no("#call: no telephone number of the customer is known")
		case d.voiceLine(t) == "":
			no("#call: %s has no telephone line", d.brand.Name)
		}
	}
	if has(commands, "sms") {
		switch {
		case !sends:
			no("#sms: write the text below it, after an empty line")
		case number == "":
			no("#sms: no telephone number of the customer is known")
		default:
			if why := d.unsendable(t, TelAddress(number)); why != "" {
				no("#sms: %s", why)
			}
		}
		return out
	}
	close := find(commands, "close")
	if !sends && (close == nil || close.Arg == "silently") && !has(commands, "letter") {
		return out
	}
	if c := find(commands, "from"); c != nil {
		return out
	}
	switch to := requester(t).Address; {
	case to != "":
		if why := d.unsendable(t, to); why != "" {
			no("%s", why)
		}
	case !slices.ContainsFunc(t.Participants, func(p Participant) bool { return p.Role == PartyFollower }):
		no("nobody can be answered on this ticket, as the number was withheld; #from ADDRESS names somebody, #note keeps the words inside")
	}
	return out
}

// textTo writes an agent's words, or a resolution, to one number.
func (d *decision) textTo(tc *TicketChange, to Address, kind LetterKind, carry int, data LetterData) {
	data.Text, data.Problem = unquoted(data.Text), unquoted(data.Problem)
	data.Solution, data.Workaround = unquoted(data.Solution), unquoted(data.Workaround)
	data.Number = Number(to.Address)
	if carry > 0 {
		for _, a := range tc.Messages[carry-1].Attachments {
			if !a.Inline {
				data.Names = append(data.Names, fileLine(a))
			}
		}
		if data.Files = len(data.Names); data.Files > 0 {
			d.remarks = append(d.remarks, fmt.Sprintf("%s: files do not go by text; the text carries a link to the page that has them", data.Number))
		}
	}
	l := d.customerLetter(tc, to, kind, data)
	l.Carry = carry
	if !d.windowOpen(to.Address) {
		l.Held = flagWindow
		d.knock(tc, to)
		if carry > 0 {
			tc.Messages[carry-1].Flags = append(tc.Messages[carry-1].Flags, flagWindow)
		}
		d.remarks = append(d.remarks, fmt.Sprintf("%s last wrote more than 24 hours ago: WhatsApp takes the answer when they write again, and they are asked to", data.Number))
	}
	tc.Letters = append(tc.Letters, l)
}

// knock sends the template that asks a WhatsApp customer to write, unless it
// went already.
func (d *decision) knock(tc *TicketChange, to Address) {
	if d.templateOut(to.Address) {
		return
	}
	l := d.customerLetter(tc, to, LetterTemplate, LetterData{Number: Number(to.Address)})
	l.Auto = AutoGenerated
	tc.Letters = append(tc.Letters, l)
	tc.event(d.now, "desk", "template", "an answer waits until %s writes", Number(to.Address))
}

// unquoted leaves the quotes of an answer out: in a text they cost, and the
// customer has them before their eyes.
func unquoted(text string) string {
	var keep []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimRight(line, " ") == "--" {
			break
		}
		if !strings.HasPrefix(strings.TrimSpace(line), ">") {
			keep = append(keep, line)
		}
	}
	return cmp.Or(strings.TrimSpace(strings.Join(keep, "\n")), text)
}

// textCustomer is #sms: the words go to the customer's number and not by mail.
// The full resolution letter goes by mail all the same.
func (d *decision) textCustomer(tc *TicketChange, kind LetterKind, carry int, data LetterData) []string {
	t := &tc.Ticket
	r := requester(t)
	to := Address{Name: r.Name, Address: TelAddress(customerNumber(t))}
	if t.Line == "" {
		t.Line = d.lineTo(t, to.Address)
	}
	if _, listed := t.Participant(to.Address); !listed { // what they text back belongs here
		t.Participants = append(t.Participants, Participant{Person: t.Requester, Address: to, Role: PartyProposed})
	}
	d.textTo(tc, to, kind, carry, data)
	names := []string{reached(to)}
	if kind == LetterResolution && ChannelOf(r.Address) == ChannelMail && r.Address != "" {
		l := d.customerLetter(tc, r, kind, data)
		l.Carry = carry
		tc.Letters = append(tc.Letters, l)
		names = append(names, r.Address)
	}
	return names
}

// reached names a recipient in receipts and in the log.
func reached(a Address) string {
	switch ChannelOf(a.Address) {
	case ChannelSMS:
		return Number(a.Address) + " by text"
	case ChannelWhatsApp:
		return Number(a.Address) + " by WhatsApp"
	}
	return a.Address
}

// inFull is the mail address that a resolution goes to beside the short text,
// "" when there is none.
func inFull(t *Ticket) Address {
	a := t.Profile.Address
	if Number(requester(t).Address) == "" || a == "" || ChannelOf(a) != ChannelMail {
		return Address{}
	}
	if p, listed := t.Participant(a); listed && (p.Role == PartyFollower || p.Role == PartyRemoved) {
		return Address{}
	}
	return Address{Name: t.Profile.Name, Address: a}
}

// wayOut is the channel by which an agent's words leave.
func (d *decision) wayOut(t *Ticket, commands []Command) Channel {
	if has(commands, "sms") {
		return ChannelSMS
	}
	if to := requester(t).Address; Number(to) != "" {
		return ChannelOf(to)
	}
	return d.in.Channel
}

// personOf is who on the ticket has the address; 0 leaves it to the store.
func (d *decision) personOf(t *Ticket, to Address) int64 {
	if p, ok := t.Participant(to.Address); ok {
		return p.Person
	}
	return 0
}

// bridge is #call: the agent's telephone rings, and the customer's when the
// agent presses a key.
func (d *decision) bridge(tc *TicketChange, agent Agent) string {
	t, number := &tc.Ticket, customerNumber(&tc.Ticket)
	tc.Letters = append(tc.Letters, d.agentCall(tc, agent, LetterBridge, fmt.Sprintf("%s:%s:%s", LetterBridge, d.occasion(tc), agent.Address),
		LetterData{Number: number, From: show(Address{Name: cmp.Or(requester(t).Name, t.Profile.Name), Address: TelAddress(number)})}))
	tc.event(d.now, agent.Address, "calling", "rings %s, then %s", agent.Name, number)
	return fmt.Sprintf("your telephone rings now; press 1 and %s is called", number)
}

// agentCall begins a letter to an agent's telephone.
func (d *decision) agentCall(tc *TicketChange, agent Agent, kind LetterKind, key string, data LetterData) Letter {
	t := &tc.Ticket
	return Letter{
		Ticket: t.ID, Brand: t.Brand, Mailbox: d.voiceLine(t), Kind: kind, Language: d.deskLanguage(),
		To: Address{Name: agent.Name, Address: TelAddress(agent.Phone)}, Person: agent.ID, Agent: true,
		Key: key, Subject: t.Subject, Auto: AutoGenerated, Version: t.Version, Data: data,
	}
}
