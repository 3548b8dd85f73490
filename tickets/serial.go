package tickets

import (
	"fmt"
	"slices"
	"strings"

	"frontdesk/sla"
)

// A ticket is about a product (Ticket.Product) when its customer names a serial
// number that the brand knows. Agents see what is known of it; no automatic
// letter to a customer says anything of it, for a serial number stands on every
// box and proves nothing.

// serialFact is the key in Ticket.Facts of a serial number.
const serialFact = "serial"

// longestSerial is in bytes: what is longer is no serial number.
const longestSerial = 100

// serial is the serial number that a contact names, by the configured pattern
// or behind its name; "" none.
func (in Inbound) serial() string {
	s := in.Facts[serialFact]
	if s == "" {
		s = named(in.Reply, []string{serialFact})[serialFact]
	}
	if s = NormalSerial(s); len(s) > longestSerial {
		return ""
	}
	return s
}

// aboutProduct ties the ticket to the product that the contact names, and takes
// the meter reading that it reports. It comes before the letters to agents.
func (d *decision) aboutProduct(tc *TicketChange) {
	d.recognise(tc)
	d.identify(tc)
	d.readMeter(tc)
}

// recognise ties a ticket to the product with the serial number in the contact.
func (d *decision) recognise(tc *TicketChange) {
	t, p := &tc.Ticket, d.found.Serial
	serial := d.in.serial()
	switch {
	case serial == "":
		return
	case p == nil:
		d.trace("product", serial, "no such serial number")
	case t.Product == p.ID:
	case t.Product != 0:
		d.trace("product", serial, "the ticket is about another one")
		d.about = append(d.about, fmt.Sprintf("products: serial %s is named now, another one than the ticket's", p.Serial))
	default:
		t.Product = p.ID
		tc.event(d.now, "desk", "product", "%s", productName(*p))
		d.trace("product", p.Serial, "product %d", p.ID)
		if d.owns(t, *p) { // of another customer's not even the model
			t.tell("product", p.Model)
		}
	}
	t.tell(serialFact, serial)
}

// tell fills in a fact that nobody told.
func (t *Ticket) tell(name, value string) {
	if value == "" || t.Facts[name] != "" {
		return
	}
	t.Facts = clone(t.Facts) // the stored ticket's map is not ours
	t.Facts[name] = value
}

// identify notes that the requester proved who he is: the From of a profile's
// address was proven.
func (d *decision) identify(tc *TicketChange) {
	t := &tc.Ticket
	if t.Identity != "" || d.in.Channel != ChannelMail || d.in.Kind != KindMessage || !d.in.Auth.Pass || d.found.Person == nil {
		return
	}
	if SameAddress(requester(t).Address, d.in.From.Address) {
		t.Identity = "mail"
	}
}

// Owns reports whether the requester of a ticket has the product, as far as the
// profile says: whether it is the requester who writes, Identity says.
func (t *Ticket) Owns(p Product) bool { return p.Person != 0 && p.Person == t.Requester }

// owns is Ticket.Owns, also of a ticket that is not stored yet.
func (d *decision) owns(t *Ticket, p Product) bool {
	if t.Requester != 0 || p.Person == 0 {
		return t.Owns(p)
	}
	r := requester(t).Address
	if SameAddress(r, d.in.From.Address) {
		return d.is(p.Person)
	}
	return SameAddress(r, p.Owner.Address) // an agent logs it for somebody
}

// doubt says what makes it doubtful that the product is the requester's, in
// words for an agent; "" when nothing does.
func (d *decision) doubt(t *Ticket, p Product) string {
	switch {
	case p.Person == 0:
		return "nobody is known to have it: do not disclose"
	case !d.owns(t, p):
		return "of another customer: do not disclose"
	case t.Identity == "":
		return "not verified: do not disclose"
	}
	return ""
}

// productOf is what the ticket is about; nil when that is not known.
func (d *decision) productOf(t *Ticket) *Product {
	if t.Product == 0 {
		return nil
	}
	if p := d.found.About[t.Product]; p != nil {
		return p
	}
	if p := d.found.Serial; p != nil && p.ID == t.Product {
		return p
	}
	if i := slices.IndexFunc(d.found.Products, func(p Product) bool { return p.ID == t.Product }); i >= 0 {
		return &d.found.Products[i]
	}
	return nil
}

// maxProductLines bounds what agents are told of a customer's products.
const maxProductLines = 3

// productLines are the lines that tell agents what is known of the product, or,
// while it is not clear which, of what the customer has.
func (d *decision) productLines(t *Ticket) []string {
	if p := d.productOf(t); p != nil {
		return []string{"product: " + d.productLine(t, *p)}
	}
	var out []string
	for _, p := range d.found.Products {
		if !d.owns(t, p) {
			continue
		}
		if len(out) == maxProductLines {
			return append(out, "products: and more")
		}
		out = append(out, "products: "+d.productLine(t, p))
	}
	return out
}

// beside leaves out the facts that the line about the product says, too.
func (d *decision) beside(t *Ticket, lines []string) []string {
	p := d.productOf(t)
	if p == nil {
		return lines
	}
	return slices.DeleteFunc(lines, func(line string) bool {
		name, value, _ := strings.Cut(line, ": ")
		return name == "product" && value == p.Model || name == serialFact && NormalSerial(value) == p.Serial
	})
}

// productLine is a product in one line: "LX-300, serial SN1, bought 2026-01-02,
// under warranty until 2028-01-02". Of another customer's it says no more than
// what it is.
func (d *decision) productLine(t *Ticket, p Product) string {
	parts := []string{productName(p)}
	if d.owns(t, p) || p.Person == 0 {
		parts = append(parts, p.terms(sla.DateOf(d.localNow()))...)
	}
	if doubt := d.doubt(t, p); doubt != "" {
		parts = append(parts, doubt)
	}
	return strings.Join(parts, ", ")
}

func productName(p Product) string {
	if p.Model == "" {
		return "serial " + p.Serial
	}
	return p.Model + ", serial " + p.Serial
}

// terms say what was promised with a product, as of a day.
func (p Product) terms(today sla.Date) []string {
	var out []string
	day := func(format string, d sla.Date) {
		if !d.IsZero() {
			out = append(out, fmt.Sprintf(format, d))
		}
	}
	day("bought %s", p.Bought)
	if p.WarrantyUntil.Before(today) {
		day("warranty ended %s", p.WarrantyUntil)
	} else {
		day("under warranty until %s", p.WarrantyUntil)
	}
	contract := strings.TrimSpace("contract " + p.Contract)
	switch {
	case p.ContractUntil.IsZero() && p.Contract == "":
	case p.ContractUntil.IsZero():
		out = append(out, contract)
	case p.ContractUntil.Before(today):
		out = append(out, fmt.Sprintf("%s ended %s", contract, p.ContractUntil))
	default:
		out = append(out, fmt.Sprintf("%s until %s", contract, p.ContractUntil))
	}
	if r, ok := p.LastReading(); ok {
		out = append(out, fmt.Sprintf("%d pages on %s", r.Pages, r.day()))
	}
	if p.Retired {
		out = append(out, "retired")
	}
	return out
}

// setProduct is an operator's word on what a ticket is about; it returns what
// was done.
func (d *decision) setProduct(tc *TicketChange, by Agent, p Product) string {
	t := &tc.Ticket
	line := "about no product"
	if p.ID != 0 {
		line = "about " + productName(p)
	}
	if t.Product != p.ID {
		t.Product, t.Updated = p.ID, d.now
		tc.event(d.now, by.Address, "product", "%s", line)
	}
	return line
}
