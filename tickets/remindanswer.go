package tickets

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"frontdesk/sla"
)

// The words of an answer to a reminder.
var (
	renewedWords = words(`renewed extended verlängert erneuert prolonged`)
	acceptWords  = words(`accept accepted agree angenommen annehmen zustimmen einverstanden`)
	offerWords   = words(`yes yep yeah yup ok okay ja jawohl jep gern gerne`) // at the beginning
	unwantWords  = words(`unsubscribe abbestellen abmelden austragen`)
)

// RenewalAnswer is what a reply says about a renewal.
type RenewalAnswer struct {
	Renewed bool
	Until   sla.Date // zero when no new date is given
}

// dayForms are days as people write them in figures or with the month's name.
var dayForms = regexp.MustCompile(`(?i)\b(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}\.\s?\d{1,2}\.\s?\d{4}|\d{1,2}\.?\s+[a-zä]{3,9}\.?\s+\d{4})\b`)

var monthNames = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

var germanMonths = strings.NewReplacer("mär", "mar", "mrz", "mar", "mai", "may", "okt", "oct", "dez", "dec")

// ReadRenewal reads the reply to a letter that reminds of a renewal. A new date
// alone says so, too; a question or a "not" says nothing.
func ReadRenewal(reply string, today sla.Date) RenewalAnswer {
	list := tokens(strings.ReplaceAll(reply, "’", "'"))
	has := func(m map[string]bool) bool {
		return slices.ContainsFunc(list, func(w string) bool { return m[w] })
	}
	until := newestDay(reply, today)
	if strings.ContainsRune(reply, '?') || has(noWords) || len(list) > 60 {
		return RenewalAnswer{}
	}
	if !has(renewedWords) && (until.IsZero() || len(list) > 12) {
		return RenewalAnswer{}
	}
	return RenewalAnswer{Renewed: true, Until: until}
}

// newestDay is the latest day after today that a text names, zero none.
func newestDay(text string, today sla.Date) (newest sla.Date) {
	for _, found := range dayForms.FindAllString(text, 10) {
		if d, ok := readDay(found); ok && d.After(today) && (newest.IsZero() || d.After(newest)) {
			newest = d
		}
	}
	return newest
}

func readDay(text string) (sla.Date, bool) {
	text = strings.ToLower(text)
	for i, name := range monthNames {
		// "3. december 2027" becomes "3. 12. 2027".
		f := strings.Fields(germanMonths.Replace(text))
		if len(f) == 3 && strings.HasPrefix(f[1], name) {
			text = fmt.Sprintf("%s.%d.%s", strings.Trim(f[0], "."), i+1, f[2])
		}
	}
	for _, layout := range []string{"2006-1-2", "2.1.2006"} {
		if t, err := time.Parse(layout, strings.ReplaceAll(text, " ", "")); err == nil {
			return sla.DateOf(t), true
		}
	}
	return sla.Date{}, false
}

// ReminderText is how long a text counts as the answer to a reminder that was
// texted: nothing but the number ties them.
const ReminderText = 14 * 24 * time.Hour

// answersTextedReminder reports whether a text answers the newest reminder that
// its number was texted: it says that something of it was renewed, or takes its
// offer. Anything else is a text like others, and so is one that names a ticket
// or whose conversation went on since.
func (d *decision) answersTextedReminder() bool {
	l := d.found.Reminder
	if l == nil || d.in.Phone == nil || d.in.From.Address == "" || d.now.Sub(l.Queued) >= ReminderText || len(textTokens(d.in.Reply, d.brand.Name)) > 0 {
		return false
	}
	if open := d.newestText(); open != nil && open.Updated.After(l.Queued) {
		return false
	}
	about := func(kind string) bool {
		return slices.ContainsFunc(l.Data.Items, func(i ReminderItem) bool { return i.Schedule == kind })
	}
	renewed := ReadRenewal(d.in.Reply, sla.DateOf(d.now.In(d.zone()))).Renewed
	return renewed && about(RenewalReminder) || d.accepts() && about(WarrantyExtension)
}

// reminder is the reminder that the contact in hand answers; nil when it answers
// none, or the letter was another's.
func (d *decision) reminder() *SentLetter {
	if d.answersTextedReminder() {
		return d.found.Reminder
	}
	l := d.found.Letter
	if l == nil || l.Kind != LetterReminder || l.Agent {
		return nil
	}
	from := NormalAddress(d.in.From.Address)
	if SameAddress(l.To, from) || d.found.Person != nil && slices.Contains(d.found.Person.Addresses, NormalAddress(l.To)) {
		return l
	}
	return nil
}

// answersReminder reads what a mail or a text says to a reminder, before the ticket that
// it opens is sorted: a contract that was renewed needs no further reminders, an
// offer that is accepted goes to sales, and agents see what was answered.
func (d *decision) answersReminder(tc *TicketChange) {
	l := d.reminder()
	if l == nil {
		return
	}
	who := NormalAddress(d.in.From.Address)
	tc.event(d.now, who, "answers reminder", "letter %d", l.ID)
	d.trace("reminder", fmt.Sprintf("letter %d", l.ID), "answered")
	for _, i := range l.Data.Items {
		d.about = append(d.about, "answers our reminder: "+i.line())
	}
	if tc.Ticket.Product == 0 && len(l.Data.Items) == 1 {
		tc.Ticket.Product = l.Data.Items[0].Product
	}
	if d.in.Kind != KindMessage {
		return
	}
	if r := ReadRenewal(d.in.Reply, sla.DateOf(d.now.In(d.zone()))); r.Renewed {
		for _, i := range meant(l.Data.Items, RenewalReminder, d.in.Reply) {
			d.about = append(d.about, d.renewed(tc, who, i, r.Until))
		}
	}
	if d.accepts() {
		for _, i := range meant(l.Data.Items, WarrantyExtension, d.in.Reply) {
			d.sell(tc, who, i)
		}
	}
}

func (d *decision) zone() *time.Location {
	if d.brand.Location == nil {
		return time.UTC
	}
	return d.brand.Location
}

// accepts reports whether the reply takes an offer: it begins with yes, or says
// that it is accepted, without a "not" or a question beside it. Nothing is
// ordered by it: sales writes back.
func (d *decision) accepts() bool {
	list := tokens(strings.ReplaceAll(d.in.Reply, "’", "'"))
	if len(list) == 0 || len(list) > 40 || strings.ContainsRune(d.in.Reply, '?') {
		return false
	}
	has := func(m map[string]bool) bool {
		return slices.ContainsFunc(list, func(w string) bool { return m[w] })
	}
	return !has(noWords) && (offerWords[list[0]] || has(acceptWords))
}

// meant are the items of a kind that a reply is about: the only one, or those
// whose serial number or model it names. Where it names none of several, nobody
// guesses.
func meant(items []ReminderItem, kind, reply string) []ReminderItem {
	list := slices.DeleteFunc(slices.Clone(items), func(i ReminderItem) bool { return i.Schedule != kind })
	if len(list) <= 1 {
		return list
	}
	reply = strings.ToLower(reply)
	return slices.DeleteFunc(list, func(i ReminderItem) bool {
		named := i.Serial != "" && strings.Contains(reply, strings.ToLower(i.Serial))
		return !named && (i.Model == "" || !strings.Contains(reply, strings.ToLower(i.Model)))
	})
}

// renewed stops the reminders of a contract's end and notes its new one; it
// returns a line for agents.
func (d *decision) renewed(tc *TicketChange, who string, i ReminderItem, until sla.Date) string {
	why := "renewed, as " + who + " says"
	d.c.StopDues = append(d.c.StopDues, Due{Schedule: RenewalReminder, Occurrence: i.Date.String(), Product: i.Product, Date: i.Date, Why: why})
	line := "renewed: " + cmp.Or(i.Contract, "the contract") + " of " + i.name() + "; no further reminders of " + i.Date.String()
	if p := d.known(i.Product); p != nil && until.After(i.Date) {
		changed := *p
		changed.ContractUntil, changed.Readings = until, nil
		d.c.Products = append(d.c.Products, changed)
		line += ", it now ends " + until.String()
	}
	tc.event(d.now, who, "renewed", "%s", line)
	return line
}

// known finds a product among those that were looked up.
func (d *decision) known(id int64) *Product {
	for k := range d.found.Products {
		if d.found.Products[k].ID == id {
			return &d.found.Products[k]
		}
	}
	return d.found.About[id]
}

// sell puts a ticket about an accepted offer where offers are sold.
func (d *decision) sell(tc *TicketChange, who string, i ReminderItem) {
	if q := d.rules.Reminders.Sales; q != "" {
		tc.Ticket.Queue = q
	}
	tc.Ticket.Product = i.Product
	line := "wants a longer warranty for " + i.name() + ", now until " + i.Date.String()
	tc.event(d.now, who, "accepted offer", "%s", line)
	d.about = append(d.about, line)
}

// name is what people call the product of an item.
func (i ReminderItem) name() string {
	if i.Serial == "" {
		return i.Model
	}
	return strings.TrimSpace(i.Model + " (" + i.Serial + ")")
}

// line says an item to agents.
func (i ReminderItem) line() string {
	what := strings.ReplaceAll(i.Schedule, "_", " ")
	if !i.Date.IsZero() {
		return fmt.Sprintf("%s, %s, %s", what, i.name(), i.Date)
	}
	return what + ", " + i.name()
}

// unwants obeys a mail that only asks for no more reminders: the mail client's
// own button writes it (RFC 2369 section 3.2), to the address that we signed.
func (d *decision) unwants() bool {
	p := d.found.Person
	said := strings.ToLower(strings.TrimSpace(d.in.SubjectCore))
	if !unwantWords[said] {
		said = strings.ToLower(strings.Trim(strings.TrimSpace(d.in.Reply), ".!„“”\"'"))
	}
	if p == nil || !unwantWords[said] {
		return false
	}
	signed := slices.ContainsFunc(d.ev.relays, func(h relayHit) bool {
		return h.err == nil && h.relay.Ticket == 0 && h.relay.Role == RelayCustomer && h.relay.Person == p.ID
	})
	if !signed && d.reminder() == nil && !d.in.Auth.Pass {
		d.trace("unsubscribe", said, "not proven: a mail like others")
		return false
	}
	d.c.People = append(d.c.People, p.Wishing(WishNothing))
	d.trace("unsubscribe", said, "%s gets no reminders and no surveys", d.in.From.Address)
	return d.end(DisposeRecorded, "unsubscribed", "%s wants no reminders and no surveys", d.in.From.Address)
}

// acceptOffer opens a ticket for an offer that was accepted on its page.
func (d *decision) acceptOffer() {
	b := d.in.Button
	i := ReminderItem{Schedule: WarrantyExtension, Product: b.Product}
	if p := d.known(b.Product); p != nil {
		i.Model, i.Serial, i.Date = p.Model, p.Serial, p.WarrantyUntil
	}
	if d.found.Person != nil {
		d.in.From.Name, d.person = d.found.Person.Name, d.found.Person.ID
	}
	d.found.Acks, d.in.Auth.Pass = AckCounts{}, true // the page's link was signed, and a person pressed
	subject := strings.TrimSpace("Longer warranty: " + i.name())
	tc := d.newTicket(d.in.From, subject, subject)
	carry := tc.add(d.message(DirectionIn, Author{Kind: AuthorCustomer, Person: d.person, Address: d.in.From}, b.Text), true)
	who := NormalAddress(d.in.From.Address)
	tc.event(d.now, who, "opened", "by %s", d.in.Channel)
	d.wrote(&tc.Events[len(tc.Events)-1])
	d.sell(tc, who, i)
	d.assign(tc)
	d.acknowledge(tc, carry)
	d.tellAgents(tc, LetterNewTicket, carry, false)
	d.trace("button", b.Action, "by %s", who)
	d.end(DisposeMessage, "", "accepted an offer")
}

// Wish is what a customer says on the page about letters.
type Wish string

// The wishes.
const (
	WishNoReminders Wish = "no-reminders"
	WishNothing     Wish = "nothing"    // neither reminders nor surveys
	WishEverything  Wish = "everything" // both again
)

// Wishing returns the person with the wish noted.
func (p Person) Wishing(w Wish) Person {
	switch w {
	case WishNoReminders:
		p.Prefs.NoReminders = true
	case WishNothing:
		p.Prefs.NoReminders, p.Prefs.NoSurveys = true, true
	case WishEverything:
		p.Prefs.NoReminders, p.Prefs.NoSurveys = false, false
	}
	return p
}

// renewedBy is #renewed: the contract of the ticket's product was renewed, until
// a day or nobody says until when.
func (d *decision) renewedBy(tc *TicketChange, agent Agent, c Command) string {
	p := d.known(tc.Ticket.Product)
	i := ReminderItem{Product: p.ID, Model: p.Model, Serial: p.Serial, Contract: p.Contract, Date: p.ContractUntil}
	var until sla.Date
	if !c.Until.IsZero() {
		until = sla.DateOf(c.Until.In(d.zone()))
	}
	return d.renewed(tc, agent.Address, i, until)
}

// notRenewable says why #renewed cannot be done on a ticket, "" when it can.
func (d *decision) notRenewable(t *Ticket) string {
	switch p := d.known(t.Product); {
	case p == nil:
		return "#renewed: the ticket is about no product that we know"
	case p.ContractUntil.IsZero():
		return fmt.Sprintf("#renewed: no contract is known for %s", p.Serial)
	}
	return ""
}
