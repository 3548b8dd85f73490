package tickets

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A meter reading is taken when it is clear which product it is of: the one
// whose serial number the contact names, the one the ticket is about, or the
// only printer of the customer. In every case it must be the customer's own.
// What is not clear is kept on the ticket and agents are asked: service is
// reminded of by readings, and a wrong one would stop or cause reminders.

// meterPattern finds a reading in a text, where words are few.
var meterPattern = regexp.MustCompile(`(?i)(?:^|[^\pL])(?:meter(?:\s+reading)?|reading|counter|zählerstand|zaehlerstand|zähler)\s*(?:is|ist|:|=)?\s*([0-9][0-9.,'’]{0,14})(?:$|[^0-9\pL])`)

// mailMeterPattern finds one in a mail. A mail is long, and about other things:
// it wants three digits and no word that stands in other sentences.
var mailMeterPattern = regexp.MustCompile(`(?i)(?:^|[^\pL])(?:(?:page\s+)?meter(?:\s+reading|\s+count|\s+reads)?|(?:page\s+)?counter(?:\s+reading|\s+reads)?|page\s+count|total\s+pages|pages\s+printed|(?:seiten)?zählerstand|(?:seiten)?zaehlerstand|seitenzähler|zähler)\s*(?:is\s+at|is|steht\s+bei|ist|beträgt|of|:|=)?\s*([0-9][0-9.,'’]{2,14})(?:$|[^0-9\pL])`)

// wholeNumber is a number of pages as people write it: digits, or groups of
// three.
var wholeNumber = regexp.MustCompile(`^(\d{1,9}|\d{1,3}(\.\d{3}){1,2}|\d{1,3}(,\d{3}){1,2}|\d{1,3}(['’]\d{3}){1,2})$`)

// ParsePages reads a meter reading: "12345", "12.345", "12,345", "12'345". A
// number with decimals is none.
func ParsePages(s string) (pages int, ok bool) {
	s = strings.TrimSpace(s)
	if !wholeNumber.MatchString(s) {
		return 0, false
	}
	n, err := strconv.Atoi(strings.NewReplacer(".", "", ",", "", "'", "", "’", "").Replace(s))
	return n, err == nil
}

// day is the day of a reading, as it is shown.
func (r Reading) day() string { return r.At.UTC().Format(time.DateOnly) }

// reported is the reading that the words of a contact report, "" none.
func (in Inbound) reported() string {
	pattern := mailMeterPattern
	switch {
	case in.Phone != nil && in.Phone.Text != nil:
		pattern = meterPattern
	case in.Channel != ChannelMail && in.Channel != ChannelShell || in.Kind != KindMessage:
		return ""
	}
	return readingIn(pattern, in.Reply)
}

// readingIn is the first reading that a pattern finds, "" none.
func readingIn(pattern *regexp.Regexp, text string) string {
	if !mayRead(text) {
		return ""
	}
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return strings.TrimRight(m[1], ".,'’")
}

// mayRead reports whether a number of the text stands behind a word for a
// meter. Where none does no pattern finds a reading, and the patterns are slow;
// they decide about the rest.
func mayRead(text string) bool {
	for i := 1; i < len(text); i++ {
		if !isDigit(text[i]) || isDigit(text[i-1]) {
			continue
		}
		before := strings.TrimRight(text[:i], blanks)
		if endsLike(before, meterEnds) || slices.ContainsFunc(meterLinks, func(link []string) bool { return linked(before, link) }) {
			return true
		}
	}
	return false
}

// What the patterns know before a number: ends of words for a meter, and what
// may stand between, its last word first.
var (
	meterEnds  = []string{"meter", "reading", "reads", "count", "counter", "pages", "printed", "stand", "hler"}
	meterLinks = [][]string{{"is"}, {"at", "is"}, {"ist"}, {"bei", "steht"}, {"beträgt"}, {"of"}, {":"}, {"="}}
)

// linked reports whether s may end with a word for a meter and the words of link.
func linked(s string, link []string) bool {
	for _, word := range link {
		if !endsLike(s, []string{word}) {
			return longS(s)
		}
		s = strings.TrimRight(s[:len(s)-len(word)], blanks)
	}
	return endsLike(s, meterEnds) || longS(s)
}

// longS reports a long s near the end of s: the patterns read it as an s.
func longS(s string) bool { return strings.Contains(s[max(0, len(s)-longestMeterEnd):], "ſ") }

func endsLike(s string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return len(w) <= len(s) && strings.EqualFold(s[len(s)-len(w):], w)
	})
}

// longestMeterEnd is in octets, with room for each s written long.
const longestMeterEnd = 16

// readMeter takes a meter reading out of a customer's words.
func (d *decision) readMeter(tc *TicketChange) {
	if value := d.in.reported(); value != "" && d.in.From.Address != "" {
		d.reading(tc, value)
	}
}

// reading notes a meter reading that the customer reports, and gives it to the
// product it is of.
func (d *decision) reading(tc *TicketChange, value string) { d.readingBy(tc, value, d.who()) }

func (d *decision) readingBy(tc *TicketChange, value, by string) {
	t := &tc.Ticket
	pages, ok := ParsePages(value)
	if ok {
		value = strconv.Itoa(pages)
	}
	t.Facts = clone(t.Facts)
	t.Facts[meterFact] = value
	tc.event(d.now, by, "meter reading", "%s", value)
	if !ok {
		d.refuseReading(tc, value, "it is not a number of pages")
		return
	}
	p, why := d.metered(t)
	if p != nil {
		why = d.take(tc, *p, pages, by)
	}
	if why != "" {
		d.refuseReading(tc, value, why)
	}
}

// metered is the product that a reading on the ticket is of, or why that is not
// known.
func (d *decision) metered(t *Ticket) (p *Product, why string) {
	if p := d.productOf(t); p != nil {
		if !d.owns(t, *p) {
			return nil, "the ticket is about a product that is not this customer's"
		}
		return p, ""
	}
	var own []*Product
	for i := range d.found.Products {
		if p := &d.found.Products[i]; d.owns(t, *p) && (p.Kind == KindLaser || p.Kind == KindInkjet) {
			own = append(own, p)
		}
	}
	switch len(own) {
	case 0:
		return nil, "no printer of this customer is known"
	case 1:
		return own[0], ""
	}
	return nil, fmt.Sprintf("the customer has %d printers; please ask which one it is", len(own))
}

// take adds a reading to a product, or says why not.
func (d *decision) take(tc *TicketChange, p Product, pages int, by string) (wrong string) {
	at := d.in.Received
	if at.IsZero() {
		at = d.now
	}
	if wrong := p.Implausible(Reading{At: at, Pages: pages}); wrong != "" {
		return wrong + "; please ask the customer"
	}
	p.Readings = p.withReading(Reading{At: at, Pages: pages, By: by})
	d.c.Products = slices.DeleteFunc(d.c.Products, func(have Product) bool { return have.ID == p.ID })
	d.c.Products = append(d.c.Products, p)
	tc.event(d.now, by, "reading", "%d pages of %s", pages, productName(p))
	d.trace("reading", strconv.Itoa(pages), "taken for product %d", p.ID)
	return ""
}

// Implausible says what speaks against a new reading, in words for people:
// meters do not run backwards. "" when nothing does.
func (p Product) Implausible(r Reading) string {
	for _, have := range slices.Backward(p.Readings) {
		if !have.At.After(r.At) && have.Pages > r.Pages {
			return fmt.Sprintf("it is less than %d of %s", have.Pages, have.day())
		}
	}
	for _, have := range p.Readings {
		if have.At.After(r.At) && have.Pages < r.Pages {
			return fmt.Sprintf("it is more than %d of %s, which is later", have.Pages, have.day())
		}
	}
	return ""
}

// refuseReading keeps a reading that was not taken as a note, and tells agents.
func (d *decision) refuseReading(tc *TicketChange, value, why string) {
	line := fmt.Sprintf("meter reading: %s was not taken: %s", value, why)
	d.about = append(d.about, line)
	m := d.message(DirectionNote, Author{Kind: AuthorDesk, Address: Address{Name: d.brand.Name}}, line)
	m.MessageID, m.InReplyTo, m.Cites, m.Attachments, m.Content = "", nil, nil, nil, [32]byte{}
	tc.add(m, false)
	tc.event(d.now, "desk", "reading refused", "%s: %s", value, why)
	d.trace("reading", value, "not taken: %s", why)
}

// logProduct is aboutProduct for what an agent logs in a customer's name.
func (d *decision) logProduct(tc *TicketChange, agent Agent) {
	d.recognise(tc)
	if value := d.in.reported(); value != "" {
		d.readingBy(tc, value, agent.Address)
	}
}

// notedReading takes a meter reading out of an agent's note on a ticket about a
// product: who stood before the printer writes it down like this. It returns what
// became of it, for the receipt.
func (d *decision) notedReading(tc *TicketChange, agent Agent, text string) []string {
	value := readingIn(mailMeterPattern, unquoted(text))
	if value == "" || d.productOf(&tc.Ticket) == nil {
		return nil
	}
	before := len(d.about)
	d.readingBy(tc, value, agent.Address)
	if refused := slices.Clone(d.about[before:]); len(refused) > 0 {
		d.about = d.about[:before] // the receipt says it
		return refused
	}
	return []string{"meter reading: " + tc.Ticket.Facts[meterFact]}
}
