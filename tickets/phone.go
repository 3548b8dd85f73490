package tickets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// phone decides about a contact by telephone.
func (d *decision) phone() {
	d.pickUp()
	switch p := d.in.Phone; {
	case p.Delivery != nil:
		d.delivered(*p.Delivery)
	case p.Pressed != nil:
		d.pressed(*p.Pressed)
	case p.File != nil:
		d.file(*p.File)
	case p.Call != nil:
		d.called(*p.Call)
	case p.Text != nil:
		d.texted(*p.Text)
	default:
		d.quarantine("phone", "a contact by telephone with nothing in it")
	}
}

// pickUp reads who is at the other end and on which line. A number is no proof
// of anybody (it can be forged): it may open and join, and discloses nothing.
func (d *decision) pickUp() {
	p := d.in.Phone
	d.in.Kind, d.in.Content = KindMessage, [32]byte{} // two texts "ok" are two messages
	d.line = d.brand.conversation(p.Line)
	d.lineDefaults(p)
	d.in.From.Address = d.in.phoneAddress()
	if d.in.Channel != ChannelWhatsApp {
		d.in.From.Name = "" // what a network shows as a name, anybody can order
	}
	if d.in.From.Address == "" {
		d.found.Person = nil
	}
	switch callers := d.callers(); len(callers) {
	case 0:
		d.trace("caller", p.Kind, "no profile")
	case 1:
		d.person, d.found.Person = callers[0].ID, &callers[0]
		d.in.From.Name = cmp.Or(callers[0].Name, d.in.From.Name)
		d.trace("caller", p.Kind, "person %d", d.person)
	default:
		d.found.Person, d.in.From.Name = nil, ""
		d.trace("caller", p.Kind, "%d profiles have the number: none is linked", len(callers))
	}
	d.about = d.aboutCaller()
}

// lineDefaults fills in what the line says: its queue, and the mailbox that the
// agents' letters come from.
func (d *decision) lineDefaults(p *PhoneContact) {
	line, _ := d.brand.phone(Number(p.Line))
	if _, ok := d.brand.Mailbox(d.in.Mailbox); !ok {
		d.in.Mailbox = line.Mailbox
		if d.in.Mailbox == "" && len(d.brand.Mailboxes) > 0 {
			d.in.Mailbox = d.brand.Mailboxes[0].Address
		}
	}
	m, _ := d.brand.Mailbox(d.in.Mailbox)
	d.in.Queue = cmp.Or(d.in.Queue, line.Queue, m.Queue)
	if p.Call != nil {
		d.in.Queue = cmp.Or(p.Call.Queue, d.in.Queue)
	}
}

// phoneAddress is the address of who called or texted; "" when the number is
// withheld, none, or false by the word of the network.
func (in Inbound) phoneAddress() string {
	p := in.Phone
	switch {
	case p.Kind != "" && p.Kind != "number", p.Call != nil && p.Call.Spam:
		return ""
	case in.Channel == ChannelWhatsApp || ChannelOf(p.Line) == ChannelWhatsApp:
		return WhatsAppAddress(p.Number)
	}
	return TelAddress(p.Number)
}

// callers are the profiles that have the number. The bare one that an earlier
// contact made of it counts only when there is no other.
func (d *decision) callers() []Person {
	if d.in.From.Address == "" {
		return nil
	}
	known := slices.DeleteFunc(slices.Clone(d.found.Callers), Person.bare)
	switch {
	case len(known) > 0:
		return known
	case d.found.Person != nil:
		return []Person{*d.found.Person}
	case len(d.found.Callers) == 1:
		return d.found.Callers
	}
	return nil
}

// bare reports whether nothing is known of somebody but a number.
func (p Person) bare() bool {
	return p.Org == "" && !slices.ContainsFunc(p.Addresses, func(a string) bool { return ChannelOf(a) == ChannelMail })
}

// is reports whether the contact comes from a person: by the address, or by a
// number that the person's profile has.
func (d *decision) is(person int64) bool {
	if person == 0 {
		return false
	}
	if p := d.found.Person; p != nil && p.ID == person {
		return true
	}
	return d.in.Phone != nil && d.in.From.Address != "" &&
		slices.ContainsFunc(d.found.Callers, func(p Person) bool { return p.ID == person })
}

// customer is the author of a contact.
func (d *decision) customer() Author {
	return Author{Kind: AuthorCustomer, Person: d.person, Address: d.in.From}
}

// aboutCaller are the lines that tell agents who may be calling.
func (d *decision) aboutCaller() []string {
	p := d.in.Phone
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	switch callers := d.callers(); {
	case len(callers) == 1 && !callers[0].bare():
		add("profile: %s", profileLine(callers[0]))
	case len(callers) > 1:
		for _, c := range callers {
			add("may be: %s", profileLine(c))
		}
	}
	if p.Caller != "" {
		add("caller: gives the name %s, which proves nothing", excerpt(p.Caller, 60))
	}
	switch {
	case p.Call != nil && p.Call.Spam:
		add("number: %s is shown, and the network says that it is false", cmp.Or(p.Number, "none"))
	case p.Kind != "" && p.Kind != "number":
		add("number: %s; there is no way to call or text back", numberKinds[p.Kind])
	}
	if Number(p.Line) != "" {
		add("line: %s", Number(p.Line))
	}
	if open := d.openTexts(); len(open) > 0 {
		add("open tickets of this number: %s", strings.Join(open, " "))
	}
	return out
}

var numberKinds = map[string]string{
	"withheld": "withheld", "shortcode": "a short code", "sip": "a SIP address", "client": "an application", "name": "a sender's name instead of a number",
}

// profileLine is a profile in one line: name, address, organisation.
func profileLine(p Person) string {
	a := Address{Name: p.Name}
	for _, address := range p.Addresses {
		if ChannelOf(address) == ChannelMail {
			a.Address = address
			break
		}
	}
	line := show(a)
	if p.Org != "" {
		line += ", " + p.Org
	}
	if p.VIP {
		line += ", VIP"
	}
	return line
}

func (d *decision) openTexts() []string {
	var out []string
	for _, n := range d.found.Texts {
		if t := d.found.Tickets[n]; t != nil && t.Status.Open() {
			out = append(out, fmt.Sprintf("#%d", n))
		}
	}
	return out
}

// unwanted ends a contact that comes from the desk itself or from somebody
// whose mail is blocked.
func (d *decision) unwanted() bool {
	from := d.in.From.Address
	switch p := d.found.Person; {
	case from != "" && d.rules.ourLine(from):
		d.trace("own", from, "one of the desk's own lines")
		return d.quarantine("loop", "from the desk's own line %s", Number(from))
	case p != nil && p.Blocked && !d.letThrough("blocked"):
		return d.quarantine("blocked", "%s was blocked", Number(from))
	}
	return false
}

// unwantedCall is the same for a call. Its rows are many, and there is nothing
// in them to be released: they are recorded.
func (d *decision) unwantedCall() bool {
	if !d.unwanted() {
		return false
	}
	return d.end(DisposeRecorded, d.c.Reason, "%s", d.c.Detail)
}

// takesPart puts a number on a ticket that its person joined by another way, so
// that the next text is known. It gets no letters by itself: the ticket's
// participants have theirs.
func (d *decision) takesPart(tc *TicketChange, a Address) {
	t := &tc.Ticket
	if a.Address == "" {
		return
	}
	if t.Line == "" {
		t.Line = d.lineTo(t, a.Address)
	}
	if _, listed := t.Participant(a.Address); !listed {
		t.Participants = append(t.Participants, Participant{Person: d.person, Address: a, Role: PartyProposed})
	}
}

// lineTo is the line that a text to an address leaves from; "" when the brand
// has none that takes texts.
func (d *decision) lineTo(t *Ticket, address string) string {
	way := ChannelOf(address)
	if t.Line != "" && ChannelOf(t.Line) == way && d.brand.texts(t.Line) {
		return t.Line
	}
	for _, p := range d.brand.Phones {
		if line := (map[Channel]string{ChannelSMS: TelAddress(p.Number), ChannelWhatsApp: WhatsAppAddress(p.Number)})[way]; d.brand.texts(line) {
			return line
		}
	}
	return ""
}

// voiceLine is the line that a call about a ticket leaves from.
func (d *decision) voiceLine(t *Ticket) string {
	if ChannelOf(t.Line) == ChannelSMS {
		return t.Line
	}
	if len(d.brand.Phones) > 0 {
		return TelAddress(d.brand.Phones[0].Number)
	}
	return ""
}

// phone returns the brand's line with that number.
func (b Brand) phone(number string) (Phone, bool) {
	i := slices.IndexFunc(b.Phones, func(p Phone) bool { return number != "" && p.Number == number })
	if i < 0 {
		return Phone{}, false
	}
	return b.Phones[i], true
}

// texts reports whether texts leave from a line.
func (b Brand) texts(line string) bool {
	p, ok := b.phone(Number(line))
	switch ChannelOf(line) {
	case ChannelWhatsApp:
		return ok && p.WhatsApp
	case ChannelSMS:
		return ok && p.Texts
	}
	return false
}

// conversation is the line on which a contact by a line goes on: that line, or,
// of one that takes no texts, the brand's first that does. So a call to it and
// the text that answers belong together.
func (b Brand) conversation(line string) string {
	line = NormalAddress(line)
	if ChannelOf(line) != ChannelSMS || b.texts(line) {
		return line
	}
	for _, p := range b.Phones {
		if p.Texts {
			return TelAddress(p.Number)
		}
	}
	return line
}

// ourLine reports whether an address is a number of the desk's own.
func (r Rules) ourLine(address string) bool {
	for _, b := range r.Brands {
		if _, ours := b.phone(Number(address)); ours {
			return true
		}
	}
	return false
}

// agentByPhone returns who in the team has a number.
func (r Rules) agentByPhone(number string) (Agent, bool) {
	for _, k := range sortedKeys(r.Agents) {
		if a := r.Agents[k]; number != "" && a.Phone == number {
			return a, true
		}
	}
	return Agent{}, false
}

// phoneKeys says what has to be looked up for a contact by telephone.
func (in Inbound) phoneKeys(k *Keys, rules Rules) {
	p, brand := in.Phone, rules.Brands[in.Brand]
	address := in.phoneAddress()
	k.Sender, k.Number, k.Line, k.Content = address, Number(address), brand.conversation(p.Line), [32]byte{}
	if within := rules.Incident.Within; within > 0 && (p.Call != nil || p.Text != nil) {
		k.LikeSince = in.Received.Add(-within)
	}
	switch {
	case p.Call != nil:
		k.Contact = callContact(p.Call.Sid)
		if n := ticketNumber(p.Call.Ref); p.Call.Want == WantTicket && n > 0 {
			k.Tickets = append(k.Tickets, n)
		}
		k.Opens, k.Words = true, p.Call.Transcript
	case p.Text != nil:
		k.Tickets = append(k.Tickets, textTokens(in.Reply, brand.Name)...)
		k.Opens, k.Words, k.Asked = true, in.Reply, address
	case p.Delivery != nil:
		k.Letter = p.Delivery.Letter
		k.Cites = append(k.Cites, p.Delivery.Sid)
	case p.Pressed != nil:
		k.Letter, k.Contact = p.Pressed.Letter, callContact(p.Pressed.Sid)
	case p.File != nil:
		k.Contact = p.File.Contact
	}
}

// callContact is Item.Contact of a call's rows.
func callContact(sid string) string {
	if sid == "" {
		return ""
	}
	return "call:" + sid
}
