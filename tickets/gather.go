package tickets

import (
	"fmt"
	"slices"
	"time"

	"frontdesk/sla"
)

// Reminded is a customer with all that waits to be told.
type Reminded struct {
	Person     Person
	Dues       []Due             // waiting
	Products   map[int64]Product // of Dues, those that are there
	Told       []sla.Date        // days of late on which a reminder left, in the customer's zone
	Suppressed []string          // of Person's addresses: mail to them bounced
	Stopped    []LineConsent     // of Person's numbers: they want no texts from these lines
}

// polite is when a letter that was put off to another day leaves, in minutes
// since midnight of the customer's clock.
const polite = 8 * 60

// Gather decides what a customer is told now of all that waits: one letter a
// day at most, with everything in it, at an hour and by a way that the customer
// likes, or none. Change.Dues are those whose state or time changed; false:
// nothing is to be saved.
func Gather(r Reminded, rules Rules, now time.Time) (Change, bool) {
	g := gathering{Reminded: r, rules: rules, brand: rules.Brands[r.Person.Brand], now: now}
	g.zone = g.Person.Zone(g.brand)
	g.today = sla.DateOf(now.In(g.zone))
	g.c.Brand = r.Person.Brand
	ready := g.sort()
	if len(ready) > 0 {
		g.tell(ready)
	}
	return g.c, len(g.c.Dues) > 0
}

// Zone is where the person's clock hangs: their own zone, else the brand's.
func (p Person) Zone(b Brand) *time.Location {
	if p.Prefs.Timezone != "" && p.Prefs.Timezone != "Local" {
		if zone, err := time.LoadLocation(p.Prefs.Timezone); err == nil {
			return zone
		}
	}
	if b.Location != nil {
		return b.Location
	}
	return time.UTC
}

// gathering is a decision about one customer's reminders.
type gathering struct {
	Reminded
	rules Rules
	brand Brand
	zone  *time.Location
	today sla.Date
	now   time.Time
	c     Change
}

// sort ends what is not to be told any more and returns what may be told today.
func (g *gathering) sort() (ready []Due) {
	unwanted := g.unwanted()
	for _, d := range g.Dues {
		p, known := g.Products[d.Product]
		state, why := d.stale(p, known, g.today)
		switch {
		case state != "":
			g.settle(d, state, why)
		case unwanted != "":
			g.settle(d, DueStopped, unwanted)
		case d.Day.After(g.today):
			if !d.Next.After(g.now) {
				g.again(d, g.morning(d.Day))
			}
		default:
			ready = append(ready, d)
		}
	}
	return g.newest(ready)
}

// newest keeps, of several days before one date that came together after a
// standstill, the last: the others would say the same.
func (g *gathering) newest(ready []Due) []Due {
	return slices.DeleteFunc(ready, func(d Due) bool {
		later := slices.ContainsFunc(ready, func(o Due) bool {
			return o.Schedule == d.Schedule && o.Product == d.Product && (o.Day.After(d.Day) || o.Day == d.Day && o.ID > d.ID)
		})
		if later {
			g.settle(d, DueExpired, "a later reminder says the same")
		}
		return later
	})
}

// unwanted says why the customer gets no reminders at all, "" when they may.
func (g *gathering) unwanted() string {
	switch p := g.Person; {
	case p.Blocked:
		return "the customer is blocked"
	case p.Prefs.DoNotContact:
		return "the customer wants answers only"
	case p.Prefs.NoReminders:
		return "the customer unsubscribed"
	}
	return ""
}

// settle ends something due without a letter.
func (g *gathering) settle(d Due, state DueState, why string) {
	d.State, d.Why, d.Next = state, why, time.Time{}
	g.c.Dues = append(g.c.Dues, d)
}

// again puts something due off.
func (g *gathering) again(d Due, next time.Time) {
	if d.Next.Equal(next) {
		return
	}
	d.Next = next
	g.c.Dues = append(g.c.Dues, d)
}

// tell writes the letter, or says when to look again.
func (g *gathering) tell(ready []Due) {
	to, line, why := g.way()
	later := g.later(ready)
	for _, d := range ready {
		switch {
		case why != "":
			g.settle(d, DueStopped, why)
		case !later.IsZero():
			g.again(d, later)
		}
	}
	if why != "" || !later.IsZero() {
		return
	}
	l := g.letter(to, line, ready)
	for _, d := range ready {
		d.State, d.Told, d.Letter, d.Next = DueSent, g.today, l.Key, time.Time{}
		g.c.Dues = append(g.c.Dues, d)
	}
	g.c.Letters = append(g.c.Letters, l)
}

// later says when the customer may be written to, zero now.
func (g *gathering) later(ready []Due) time.Time {
	if slices.Contains(g.Told, g.today) {
		return g.morning(g.today.Add(1))
	}
	var first time.Time
	for _, d := range ready {
		at := d.Next
		if d.Day.Before(g.today) { // late by days: the hour is no hurry
			at = g.today.At(polite, g.zone)
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	if first.After(g.now) {
		return first
	}
	return g.Person.Prefs.quietUntil(g.now, g.zone)
}

// morning is when the customer is written to on a day for which nothing else is
// said.
func (g *gathering) morning(day sla.Date) time.Time {
	start := day.At(polite, g.zone)
	if end := g.Person.Prefs.quietUntil(start, g.zone); !end.IsZero() {
		return end
	}
	return start
}

// quietUntil is when the hours end in which the customer wants no letters; zero
// when t is not in them.
func (p Preferences) quietUntil(t time.Time, zone *time.Location) time.Time {
	from, to := p.QuietFrom, p.QuietTo
	if from == to {
		return time.Time{}
	}
	local := t.In(zone)
	clock, day := local.Hour()*60+local.Minute(), sla.DateOf(local)
	switch {
	case from < to && clock >= from && clock < to, from > to && clock < to:
	case from > to && clock >= from:
		day = day.Add(1)
	default:
		return time.Time{}
	}
	end := day.At(to, zone)
	if !end.After(t) { // clocks were put back within the hours
		return t.Add(time.Hour)
	}
	return end
}

// way is how the customer is written to: to which address, from which line ""
// for mail, or why not at all.
func (g *gathering) way() (to Address, line, why string) {
	mail, noMail := g.mail()
	text, line, noText := g.text()
	prefers := g.Person.Prefs.Channel == ChannelSMS || g.Person.Prefs.Channel == ChannelWhatsApp
	switch {
	case prefers && noText == "":
		return text, line, ""
	case noMail == "":
		return mail, "", ""
	case noText == "" && len(g.mails()) == 0: // has no other way
		return text, line, ""
	}
	return Address{}, "", noMail
}

// mails are the person's mail addresses.
func (g *gathering) mails() []string {
	return slices.DeleteFunc(slices.Clone(g.Person.Addresses), func(a string) bool { return Number(a) != "" })
}

func (g *gathering) mail() (Address, string) {
	why := "the customer has no mail address"
	for _, a := range g.mails() {
		switch {
		case slices.Contains(g.Suppressed, NormalAddress(a)):
			why = "mail to it bounced"
		case g.rules.Ours(a):
			why = "it is one of the desk's own addresses"
		case robot(NormalAddress(a)):
			why = "nobody reads that address"
		case len(g.brand.Mailboxes) == 0:
			why = "the brand has no mailbox"
		default:
			return Address{Name: g.Person.Name, Address: a}, ""
		}
	}
	return Address{}, why
}

// text is the first number that takes texts. WhatsApp takes none that nobody
// asked for: whoever prefers it gets an SMS.
func (g *gathering) text() (Address, string, string) {
	line := ""
	for _, p := range g.brand.Phones {
		if p.Texts {
			line = TelAddress(p.Number)
			break
		}
	}
	if line == "" {
		return Address{}, "", "no line of the brand sends texts"
	}
	why := "the customer has no number"
	for _, number := range g.Person.Phones {
		to := TelAddress(number)
		switch _, agent := g.rules.agentByPhone(number); {
		case slices.Contains(g.Stopped, LineConsent{Number: to, Line: line}):
			why = "it wants no texts"
		case agent, g.rules.ourLine(to):
			why = "it is not a customer's number"
		default:
			return Address{Name: g.Person.Name, Address: to}, line, ""
		}
	}
	return Address{}, "", why
}

// letter writes the one letter of the day.
func (g *gathering) letter(to Address, line string, ready []Due) Letter {
	l := Letter{
		Brand: g.brand.Key, Mailbox: line, Kind: LetterReminder, Language: g.language(), To: to, Person: g.Person.ID,
		Key: fmt.Sprintf("%s:%d:%s", LetterReminder, g.Person.ID, g.today), Auto: AutoGenerated, Priority: 2,
	}
	if line == "" {
		l.Mailbox = g.brand.Mailboxes[0].Address
	}
	for _, d := range ready {
		l.Data.Items = append(l.Data.Items, d.item(g.Products[d.Product], g.today))
	}
	slices.SortStableFunc(l.Data.Items, itemOrder)
	return l
}

func (g *gathering) language() string {
	if supported(g.Person.Language) {
		return g.Person.Language
	}
	if supported(g.brand.Language) {
		return g.brand.Language
	}
	return "en"
}
