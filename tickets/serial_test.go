package tickets

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"frontdesk/sla"
)

// mariasProfile is who writes the mails of these tests, lx300 her laser printer.
var mariasProfile = Person{ID: 7, Brand: "baleyo", Name: "Maria Lopez", Addresses: []string{"maria@example.org"}}

func lx300(change ...func(*Product)) *Product {
	p := &Product{ID: 17, Brand: "baleyo", Person: 7, Owner: Address{"Maria Lopez", "maria@example.org"}, Serial: "LX-4711", Model: "LX-300", Kind: KindLaser,
		Bought: sla.Date{Year: 2025, Month: 1, Day: 2}, WarrantyUntil: sla.Date{Year: 2027, Month: 1, Day: 1}, Contract: "Care Pack", ContractUntil: sla.Date{Year: 2026, Month: 3, Day: 1},
		Readings: []Reading{{At: noon.AddDate(0, -1, 0), Pages: 12_000, By: "import"}}}
	for _, f := range change {
		f(p)
	}
	return p
}

func proven(in *Inbound) { in.Auth = Auth{Pass: true, Method: "dkim"} }

func naming(serial string) func(*Inbound) {
	return func(in *Inbound) { in.Facts = map[string]string{"serial": serial} }
}

func saying(text string) func(*Inbound) {
	return func(in *Inbound) { in.Reply, in.Text = text, text }
}

func knownLines(t *testing.T, c Change, kind LetterKind) string {
	t.Helper()
	return strings.Join(letter(t, c, kind).Data.Known, "\n")
}

// A new ticket about a known serial number knows its product, and agents see
// what was promised, with as much warning as the proof of the sender asks for.
func TestSerialNumberNamesTheProduct(t *testing.T) {
	t.Parallel()
	const whole = "product: LX-300, serial LX-4711, bought 2025-01-02, under warranty until 2027-01-01, contract Care Pack ended 2026-03-01, 12000 pages on 2026-02-02"
	for name, c := range map[string]struct {
		in      Inbound
		serial  *Product
		line    string
		product int64
		model   string
	}{
		"proven":         {mail(proven, naming("lx-4711")), lx300(), whole, 17, "LX-300"},
		"behind a name":  {mail(proven, saying("It is broken.\nSerial number: LX-47 11\nThanks")), lx300(), whole, 17, "LX-300"},
		"not proven":     {mail(naming("LX-4711")), lx300(), whole + ", not verified: do not disclose", 17, "LX-300"},
		"of another":     {mail(proven, naming("LX-4711")), lx300(func(p *Product) { p.Person, p.Owner = 8, Address{"Otto", "otto@example.org"} }), "product: LX-300, serial LX-4711, of another customer: do not disclose", 17, ""},
		"of nobody":      {mail(proven, naming("LX-4711")), lx300(func(p *Product) { p.Person, p.Owner = 0, Address{} }), whole + ", nobody is known to have it: do not disclose", 17, ""},
		"unknown serial": {mail(proven, naming("LX-0000")), nil, "", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want(t, "key", c.in.Keys(rulesForTest()).Serial, NormalSerial(c.in.serial()))
			found := Found{Person: &mariasProfile, Serial: c.serial}
			got := Receive(found, c.in, rulesForTest(), noon)
			lines := knownLines(t, got, LetterNewTicket)
			line, _, _ := strings.Cut(lines, "\n")
			if !strings.HasPrefix(line, "product: ") {
				line = ""
			}
			want(t, "line", line, c.line)
			ticket := got.Tickets[0].Ticket
			want(t, "product", ticket.Product, c.product)
			want(t, "model told", ticket.Facts["product"], c.model)
			want(t, "serial told", NormalSerial(ticket.Facts["serial"]), c.in.serial())
			wantIdentity := map[bool]string{true: "mail"}[c.in.Auth.Pass]
			want(t, "identity", ticket.Identity, wantIdentity)
			if strings.Contains(lines, "otto@") || strings.Contains(lines, "Otto") {
				t.Errorf("agents see whose it is before their role is asked:\n%s", lines)
			}
		})
	}
}

// Nothing of a product stands in what leaves by itself for a customer: a serial
// number proves nothing.
func TestCustomersAreToldNothingOfProducts(t *testing.T) {
	t.Parallel()
	secrets := []string{"LX-300", "2025-01-02", "2027-01-01", "Care Pack", "12000", "Otto"}
	for _, change := range []func(*Product){func(*Product) {}, func(p *Product) { p.Person, p.Owner = 8, Address{"Otto", "otto@example.org"} }} {
		for _, in := range []Inbound{mail(proven, naming("LX-4711")), mail(naming("LX-4711")), mail(naming("LX-4711"), saying("Counter: 5000"))} {
			p := lx300(change)
			c := Receive(Found{Person: &mariasProfile, Serial: p, Products: []Product{*p}}, in, rulesForTest(), noon)
			for _, l := range c.Tickets[0].Letters {
				if l.Agent {
					continue
				}
				text := fmt.Sprintf("%s %+v", l.Subject, l.Data)
				for _, s := range secrets {
					if strings.Contains(text, s) {
						t.Errorf("%s to %s tells %q", l.Kind, l.To.Address, s)
					}
				}
			}
			letter(t, c, LetterAcknowledgement)
		}
	}
}

// A later mail may name the product, and one that names another one changes
// nothing; agents are told.
func TestSerialNumberLater(t *testing.T) {
	t.Parallel()
	found := foundWith(stored())
	found.Person, found.Serial = &mariasProfile, lx300()
	in := mail(proven, naming("LX-4711"), func(in *Inbound) {
		in.MessageID, in.InReplyTo = "second@example.org", []string{"first@example.org"}
	})
	found.ByMessageID["first@example.org"] = []Hit{{Ticket: 42, Message: 1}}
	c := Receive(found, in, rulesForTest(), noon)
	want(t, "product", c.Tickets[0].Ticket.Product, int64(17))
	want(t, "identity", c.Tickets[0].Ticket.Identity, "mail")
	if lines := knownLines(t, c, LetterMessage); !strings.Contains(lines, "product: LX-300, serial LX-4711, bought") || strings.Contains(lines, "disclose") {
		t.Errorf("agents see:\n%s", lines)
	}

	found = foundWith(stored(func(t *Ticket) { t.Product, t.Identity = 9, "mail" }))
	found.Person, found.Serial = &mariasProfile, lx300()
	found.About = map[int64]*Product{9: lx300(func(p *Product) { p.ID, p.Serial, p.Model = 9, "IJ-1", "IJ-20" })}
	found.ByMessageID["first@example.org"] = []Hit{{Ticket: 42, Message: 1}}
	c = Receive(found, in, rulesForTest(), noon)
	want(t, "product stays", c.Tickets[0].Ticket.Product, int64(9))
	lines := knownLines(t, c, LetterMessage)
	for _, s := range []string{"products: serial LX-4711 is named now, another one than the ticket's", "product: IJ-20, serial IJ-1, bought"} {
		if !strings.Contains(lines, s) {
			t.Errorf("%q is not among\n%s", s, lines)
		}
	}
}

// Without a serial number agents see what the customer has, a few of them.
func TestWhatTheCustomerHas(t *testing.T) {
	t.Parallel()
	var own []Product
	for range 5 {
		own = append(own, *lx300())
	}
	own[0].Person = 8 // never another's
	c := Receive(Found{Person: &mariasProfile, Products: own}, mail(proven), rulesForTest(), noon)
	want(t, "product", c.Tickets[0].Ticket.Product, int64(0))
	lines := knownLines(t, c, LetterNewTicket)
	want(t, "lines", strings.Count(lines, "products: LX-300, serial LX-4711"), 3)
	want(t, "more", strings.Count(lines, "products: and more"), 1)
}

// A role that may not see products sees none of these lines.
func TestProductsAreHiddenFromRoles(t *testing.T) {
	t.Parallel()
	rules := rulesForTest()
	rules.Roles = map[Role]Rights{RoleAgent: {Hidden: []string{"products"}}}
	for _, found := range []Found{{Person: &mariasProfile, Serial: lx300()}, {Person: &mariasProfile, Products: []Product{*lx300()}}} {
		c := Receive(found, mail(proven, naming("LX-4711")), rules, noon)
		for _, l := range c.Tickets[0].Letters {
			if lines := strings.Join(l.Data.Known, "\n"); l.Agent && strings.Contains(lines, "LX-") {
				t.Errorf("%s sees:\n%s", l.To.Address, lines)
			}
		}
	}
}

func TestParsePages(t *testing.T) {
	t.Parallel()
	for text, pages := range map[string]int{"12345": 12345, "12.345": 12345, "12,345": 12345, "12'345": 12345, "12’345": 12345, "1.234.567": 1234567, "0": 0, " 7 ": 7,
		"12.34": -1, "12,3456": -1, "1.234,567": -1, "12345.": -1, "": -1, "-5": -1, "1234567890": -1, "1.2345": -1, "1e9": -1} {
		got, ok := ParsePages(text)
		if ok != (pages >= 0) || ok && got != pages {
			t.Errorf("%q: got %d, %v, want %d", text, got, ok, pages)
		}
	}
}

// A reading goes to the product that is certain to be meant, and to no other.
func TestMeterReading(t *testing.T) {
	t.Parallel()
	inkjet := func(p *Product) { p.ID, p.Serial, p.Kind = 18, "IJ-1", KindInkjet }
	scanner := func(p *Product) { p.ID, p.Serial, p.Kind = 19, "SC-1", KindOther }
	others := func(p *Product) { p.Person = 8 }
	for name, c := range map[string]struct {
		in      Inbound
		found   Found
		product int64 // 0: refused
		pages   int
		fact    string
		why     string
	}{
		"the only printer":     {mail(saying("Meter 12345")), Found{Products: []Product{*lx300(), *lx300(scanner)}}, 17, 12345, "12345", ""},
		"German":               {mail(saying("Guten Tag,\nZählerstand: 12.345\nGruß")), Found{Products: []Product{*lx300()}}, 17, 12345, "12345", ""},
		"counter":              {mail(saying("The counter reads 12,345 now.")), Found{Products: []Product{*lx300()}}, 17, 12345, "12345", ""},
		"by serial":            {mail(naming("LX-4711"), saying("page count = 13000")), Found{Serial: lx300(), Products: []Product{*lx300(inkjet), *lx300()}}, 17, 13000, "13000", ""},
		"the same as the last": {mail(saying("meter 12000")), Found{Products: []Product{*lx300()}}, 17, 12000, "12000", ""},
		"by text":              {sms("+4930123", "reading 12345"), Found{Callers: []Person{mariasProfile}, Products: []Product{*lx300()}}, 17, 12345, "12345", ""},
		"by keypad":            {call("+4930123", func(c *Call) { c.Want, c.Ref = WantMeter, "12345" }), Found{Callers: []Person{mariasProfile}, Products: []Product{*lx300()}}, 17, 12345, "12345", ""},

		"backwards":       {mail(saying("Meter 11999")), Found{Products: []Product{*lx300()}}, 0, 0, "11999", "it is less than 12000 of 2026-02-02; please ask the customer"},
		"of which one":    {mail(saying("Meter 12345")), Found{Products: []Product{*lx300(), *lx300(inkjet)}}, 0, 0, "12345", "the customer has 2 printers; please ask which one it is"},
		"of another's":    {mail(naming("LX-4711"), saying("Meter 12345")), Found{Serial: lx300(others), Products: []Product{*lx300(inkjet)}}, 0, 0, "12345", "the ticket is about a product that is not this customer's"},
		"of no printer":   {mail(saying("Meter 12345")), Found{Products: []Product{*lx300(scanner)}}, 0, 0, "12345", "no printer of this customer is known"},
		"with decimals":   {mail(saying("Meter: 12345,5")), Found{Products: []Product{*lx300()}}, 0, 0, "12345,5", "it is not a number of pages"},
		"nobody's number": {sms("+4930123", "Zähler 12345"), Found{Products: []Product{*lx300()}}, 0, 0, "12345", "no printer of this customer is known"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.in.Brand, c.in.Received = "baleyo", noon
			if c.in.Channel == ChannelMail {
				c.found.Person = &mariasProfile
			}
			got := Receive(c.found, c.in, phoneRules(), noon)
			tc := got.Tickets[0]
			want(t, "fact", tc.Ticket.Facts["meter_reading"], c.fact)
			lines := knownLines(t, got, LetterNewTicket)
			notes := 0
			for _, m := range tc.Messages {
				if m.Direction == DirectionNote && strings.Contains(m.Text, "was not taken") {
					notes++
				}
			}
			if c.product == 0 {
				want(t, "products saved", len(got.Products), 0)
				want(t, "notes", notes, 1)
				if line := "meter reading: " + c.fact + " was not taken: " + c.why; !strings.Contains(lines, line) {
					t.Errorf("agents are not asked: %q is not among\n%s", line, lines)
				}
				return
			}
			want(t, "products saved", len(got.Products), 1)
			want(t, "notes", notes, 0)
			p := got.Products[0]
			last, _ := p.LastReading()
			want(t, "product", p.ID, c.product)
			want(t, "readings", len(p.Readings), 2)
			want(t, "pages", last.Pages, c.pages)
			want(t, "by", last.By, NormalAddress(c.in.phoneOrMail()))
			want(t, "the rest stays", p.Contract, "Care Pack")
		})
	}
	for _, words := range []string{"I was reading 300 pages.", "At counter 12 they said no.", "parameter 12345", "The meter is broken since 2024-01-01", "encounter 12345"} {
		c := Receive(Found{Person: &mariasProfile, Products: []Product{*lx300()}}, mail(saying(words)), rulesForTest(), noon)
		want(t, words, c.Tickets[0].Ticket.Facts["meter_reading"], "")
	}
}

func (in Inbound) phoneOrMail() string {
	if in.Phone != nil {
		return in.phoneAddress()
	}
	return in.From.Address
}

// A reading that comes late is put in its place, or refused when it does not
// fit between the two around it.
func TestReadingsInOrder(t *testing.T) {
	t.Parallel()
	at := func(days int) time.Time { return noon.AddDate(0, 0, days) }
	p := Product{Readings: []Reading{{At: at(0), Pages: 100}, {At: at(10), Pages: 500}}}
	for _, c := range []struct {
		days, pages int
		ok          bool
	}{{5, 300, true}, {5, 100, true}, {5, 500, true}, {5, 501, false}, {5, 99, false}, {-1, 100, true}, {-1, 101, false}, {11, 499, false}, {11, 500, true}, {10, 500, true}} {
		if wrong := p.Implausible(Reading{At: at(c.days), Pages: c.pages}); (wrong == "") != c.ok {
			t.Errorf("day %d, %d pages: %q", c.days, c.pages, wrong)
		}
	}
	want(t, "in its place", p.withReading(Reading{At: at(5), Pages: 300})[1].Pages, 300)
	want(t, "once", len(p.withReading(Reading{At: at(10), Pages: 500, By: "again"})), 2)
	want(t, "the product is not changed", len(p.Readings), 2)
}

// What an agent logs in a customer's name counts as the customer's.
func TestAgentLogsAReading(t *testing.T) {
	t.Parallel()
	c, _, problems := Operate(Found{Serial: lx300()}, Operation{By: asha, Brand: "baleyo", Text: "Meter: 12345",
		New: &NewRequest{From: Address{"Maria Lopez", "maria@example.org"}, Subject: "Meter", Facts: map[string]string{"serial": "LX-4711"}}}, rulesForTest(), noon)
	if len(problems) > 0 || len(c.Products) != 1 {
		t.Fatalf("products %v, problems %v", c.Products, problems)
	}
	last, _ := c.Products[0].LastReading()
	want(t, "pages", last.Pages, 12345)
	want(t, "by", last.By, asha.Address)
	want(t, "product", c.Tickets[0].Ticket.Product, int64(17))
}

// What an agent notes on a ticket about a product is read like a customer's
// words; the receipt says what became of it. Words for the customer are not.
func TestAnAgentsNoteIsAReading(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, command, text string
		product             int64
		pages               int // 0: none is taken
		receipt             string
	}{
		{"a note", "#note", "meter 12345", 17, 12345, "meter reading: 12345"},
		{"in a sentence", "#note", "Was there today.\nPage counter: 12.345, drum changed.", 17, 12345, "meter reading: 12345"},
		{"in German", "#note", "Zählerstand 12345", 17, 12345, "meter reading: 12345"},
		{"runs backwards", "#note", "meter 100", 17, 0, "meter reading: 100 was not taken: it is less than 500"},
		{"what it quotes", "#note", "Call her.\n> meter 12345", 17, 0, "note added"},
		{"a note about no product", "#note", "meter 12345", 0, 0, "note added"},
		{"a note without a reading", "#note", "The parking meter costs 5", 17, 0, "note added"},
		{"an answer", "", "meter 12345", 17, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := *lx300()
			p.Readings = []Reading{{At: noon.AddDate(0, -1, 0), Pages: 500}}
			about := stored(func(x *Ticket) { x.Product = c.product })
			about.Requester = p.Person
			found := foundWith(about)
			found.About = map[int64]*Product{17: &p}
			var commands []string
			if c.command != "" {
				commands = []string{c.command}
			}
			got := Receive(found, fromAgent(asha, 2, commands, c.text), rulesForTest(), noon)
			pages := 0
			if len(got.Products) > 0 {
				last, _ := got.Products[0].LastReading()
				pages = last.Pages
				want(t, "by", last.By, asha.Address)
			}
			want(t, "pages", pages, c.pages)
			receipt := ""
			for _, l := range got.Tickets[0].Letters {
				if l.Kind == LetterReceipt {
					receipt = strings.Join(l.Data.Done, "\n")
				}
			}
			if c.receipt == "" {
				want(t, "receipt", receipt, "")
			}
			contains(t, "receipt", receipt, c.receipt)
			if strings.Contains(letters(got), "answer→") != (c.command == "") {
				t.Errorf("letters %s", letters(got))
			}
		})
	}
}
