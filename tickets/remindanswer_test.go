package tickets

import (
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/sla"
)

func TestWhatARenewalReplySays(t *testing.T) {
	t.Parallel()
	today := sla.Date{Year: 2026, Month: 11, Day: 22}
	next := sla.Date{Year: 2027, Month: 12, Day: 31}
	for reply, want := range map[string]RenewalAnswer{
		"Renewed":                          {Renewed: true},
		"Already renewed, thanks.":         {Renewed: true},
		"Verlängert.":                      {Renewed: true},
		"Ist verlängert bis 31.12.2027":    {true, next},
		"renewed until 2027-12-31":         {true, next},
		"31 December 2027":                 {true, next},
		"neu: 31. Dezember 2027":           {true, next},
		"It runs until 2027-12-31 now.":    {true, next},
		"not renewed":                      {},
		"Wir haben noch nicht verlängert":  {},
		"Can it be renewed?":               {},
		"The printer broke on 2026-11-01.": {},
		"Please call me.":                  {},
		"renewed until 2026-01-01":         {Renewed: true}, // a day that has passed is no new one
		"Could we meet on 2027-01-10 please to go through all the papers that you sent us?": {},
	} {
		if got := ReadRenewal(reply, today); got != want {
			t.Errorf("%q: %+v, want %+v", reply, got, want)
		}
	}
}

// replied is a reply of Maria's to a reminder that said the items, decided.
func replied(reply string, items ...ReminderItem) Change {
	rules := rulesForTest()
	rules.Reminders.Sales = "sales"
	in := mail(func(in *Inbound) {
		in.Subject, in.SubjectCore, in.ReplyPrefix = "Re: A reminder about your products", "A reminder about your products", true
		in.Reply, in.Text = reply, reply
		in.InReplyTo = []string{rules.Keys.MessageID(0, "l7", "baleyo.test")}
	})
	if n := in.Keys(rules).Letter; n != 7 {
		panic("the letter is not asked for")
	}
	found := Found{
		Letter: &SentLetter{ID: 7, Kind: LetterReminder, To: in.From.Address, Data: LetterData{Items: items}},
		Person: &Person{ID: 5, Brand: "baleyo", Name: "Maria", Addresses: []string{in.From.Address}},
		Products: []Product{
			{ID: 3, Brand: "baleyo", Person: 5, Serial: "RX-5", Model: "Router X", Contract: "Care Pack", ContractUntil: endOfCare},
			{ID: 4, Brand: "baleyo", Person: 5, Serial: "LJ-1", Model: "LaserJet 400", WarrantyUntil: endOfCare},
		},
	}
	return Receive(found, in, rules, noon)
}

var (
	endOfCare = sla.Date{Year: 2026, Month: 4, Day: 1}
	careEnds  = ReminderItem{Schedule: RenewalReminder, Product: 3, Model: "Router X", Serial: "RX-5", Contract: "Care Pack", Date: endOfCare}
	otherEnds = ReminderItem{Schedule: RenewalReminder, Product: 9, Model: "Switch Y", Serial: "SY-9", Date: endOfCare}
	longer    = ReminderItem{Schedule: WarrantyExtension, Product: 4, Model: "LaserJet 400", Serial: "LJ-1", Date: endOfCare}
)

func TestAnswersToAReminder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, reply string
		items       []ReminderItem
		stopped     []int64 // products
		until       string  // new end of the contract
		queue       string
		told        string // agents
	}{
		{"renewed", "Renewed, thank you!", []ReminderItem{careEnds}, []int64{3}, "", "support", "renewed: Care Pack of Router X (RX-5)"},
		{"renewed until a day", "Ist verlängert bis 1.4.2027", []ReminderItem{careEnds, longer}, []int64{3}, "2027-04-01", "support", "it now ends 2027-04-01"},
		{"not renewed", "Not renewed yet, what does it cost?", []ReminderItem{careEnds}, nil, "", "support", "answers our reminder: renewal reminder, Router X (RX-5), 2026-04-01"},
		{"which of two", "Renewed.", []ReminderItem{careEnds, otherEnds}, nil, "", "support", "Switch Y (SY-9)"},
		{"one of two by name", "The router x is renewed.", []ReminderItem{careEnds, otherEnds}, []int64{3}, "", "support", "renewed: Care Pack"},
		{"yes to an offer", "Yes", []ReminderItem{longer}, nil, "", "sales", "wants a longer warranty for LaserJet 400 (LJ-1), now until 2026-04-01"},
		{"yes, in German", "Ja, bitte!", []ReminderItem{longer, careEnds}, nil, "", "sales", "wants a longer warranty"},
		{"accepted", "We accept the offer.", []ReminderItem{longer}, nil, "", "sales", "wants a longer warranty"},
		{"no to an offer", "No, thank you", []ReminderItem{longer}, nil, "", "support", "answers our reminder"},
		{"something else", "The printer leaks toner.", []ReminderItem{longer}, nil, "", "support", "answers our reminder: warranty extension"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := replied(c.reply, c.items...)
			var stopped []int64
			for _, d := range got.StopDues {
				stopped = append(stopped, d.Product)
			}
			until := ""
			for _, p := range got.Products {
				if p.ID == 3 && p.ContractUntil != endOfCare {
					until = p.ContractUntil.String()
				}
			}
			if !slices.Equal(stopped, c.stopped) || until != c.until {
				t.Errorf("stopped %v, until %q, want %v, %q", stopped, until, c.stopped, c.until)
			}
			if len(got.Tickets) != 1 || got.Tickets[0].Ticket.Queue != c.queue {
				t.Fatalf("tickets %+v, want one in %s", got.Tickets, c.queue)
			}
			known := ""
			for _, l := range got.Tickets[0].Letters {
				if l.Agent {
					known += strings.Join(l.Data.Known, "\n") + "\n"
				}
			}
			if !strings.Contains(known, c.told) {
				t.Errorf("agents are told %q, want %q in it", known, c.told)
			}
		})
	}
}

// A mail that only says "unsubscribe" to the address that we signed is obeyed
// and opens nothing; from anywhere else it is a mail like others.
func TestUnsubscribingByMail(t *testing.T) {
	t.Parallel()
	rules := rulesForTest()
	maria := &Person{ID: 5, Brand: "baleyo", Addresses: []string{"maria@example.org"}}
	signed := func(person int64) func(*Inbound) {
		return func(in *Inbound) {
			in.Recipients = []string{rules.Keys.RelayAddress("support@baleyo.test", "+", Relay{Person: person, Role: RelayCustomer})}
		}
	}
	says := func(subject, reply string) func(*Inbound) {
		return func(in *Inbound) { in.Subject, in.SubjectCore, in.Reply, in.Text = subject, subject, reply, reply }
	}
	for _, c := range []struct {
		name string
		in   Inbound
		want bool
	}{
		{"by the mail client's button", mail(signed(5), says("unsubscribe", "")), true},
		{"by a reply", mail(signed(5), says("A reminder about your products", "Abbestellen.")), true},
		{"another person's address", mail(signed(6), says("unsubscribe", "")), false},
		{"to the plain address, not proven", mail(says("unsubscribe", "")), false},
		{"to the plain address, proven", mail(says("unsubscribe", ""), func(in *Inbound) { in.Auth.Pass = true }), true},
		{"with a matter", mail(signed(5), says("unsubscribe from the backup service?", "How?")), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := Receive(Found{Person: maria}, c.in, rules, noon)
			is := len(got.People) == 1 && got.People[0].Prefs.NoReminders && got.People[0].Prefs.NoSurveys
			if is != c.want || is == (len(got.Tickets) == 1) {
				t.Errorf("people %+v, %d tickets, want %t", got.People, len(got.Tickets), c.want)
			}
		})
	}
}

func TestRenewedByAnAgent(t *testing.T) {
	t.Parallel()
	rules := rulesForTest()
	about := stored(func(t *Ticket) { t.Product = 3 })
	found := Found{
		Tickets: map[int64]*Ticket{42: about}, History: history(),
		About: map[int64]*Product{3: {ID: 3, Brand: "baleyo", Serial: "RX-5", Model: "Router X", ContractUntil: endOfCare}},
	}
	got := Receive(found, fromAgent(asha, 2, []string{"#renewed 2027-04-01"}, ""), rules, noon)
	if len(got.StopDues) != 1 || got.StopDues[0].Occurrence != "2026-04-01" || len(got.Products) != 1 || got.Products[0].ContractUntil.String() != "2027-04-01" {
		t.Errorf("stops %+v, products %+v", got.StopDues, got.Products)
	}
	found.About = nil
	if got := Receive(found, fromAgent(asha, 2, []string{"#renewed"}, ""), rules, noon); len(got.StopDues) != 0 || len(got.Tickets[0].Letters) != 1 || got.Tickets[0].Letters[0].Kind != LetterHeld {
		t.Errorf("without a product: stops %+v, letters %+v", got.StopDues, got.Tickets)
	}
}

// A text that says "yes" or "renewed" answers the newest reminder that its
// number was texted, as a mail does; any other text stays a text.
func TestTextedAnswersToAReminder(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	onPhone := func(updated time.Time) *Ticket {
		return stored(func(x *Ticket) {
			x.Channel, x.Line, x.Updated = ChannelSMS, TelAddress(ours), updated
			x.Participants = []Participant{{5, Address{"", TelAddress(marias)}, PartyRequester}}
		})
	}
	for _, c := range []struct {
		name, words string
		items       []ReminderItem
		ago         time.Duration // when it was texted
		open        *Ticket       // of the same number
		answers     bool
		stopped     []int64
		until       string
		queue       string // of the new ticket; "" it joins the open one
	}{
		{"yes to an offer", "YES", []ReminderItem{longer}, day, nil, true, nil, "", "sales"},
		{"yes, in German", "Ja, gerne!", []ReminderItem{longer, careEnds}, day, nil, true, nil, "", "sales"},
		{"renewed", "renewed", []ReminderItem{careEnds}, day, nil, true, []int64{3}, "", "support"},
		{"renewed, in German", "Verlängert bis 1.4.2027", []ReminderItem{careEnds}, day, nil, true, []int64{3}, "2027-04-01", "support"},
		{"a day alone", "1.4.2027", []ReminderItem{careEnds}, day, nil, true, []int64{3}, "2027-04-01", "support"},
		{"the last moment", "renewed", []ReminderItem{careEnds}, ReminderText - time.Second, nil, true, []int64{3}, "", "support"},
		{"beside an older matter", "renewed", []ReminderItem{careEnds}, time.Hour, onPhone(noon.Add(-2 * time.Hour)), true, []int64{3}, "", "support"},
		{"too late", "renewed", []ReminderItem{careEnds}, ReminderText, nil, false, nil, "", "support"},
		{"talked about something since", "YES", []ReminderItem{longer}, 2 * time.Hour, onPhone(noon.Add(-time.Hour)), false, nil, "", ""},
		{"names a ticket", "#42 renewed", []ReminderItem{careEnds}, time.Hour, onPhone(noon.Add(-2 * time.Hour)), false, nil, "", ""},
		{"yes, but nothing was offered", "YES", []ReminderItem{careEnds}, day, nil, false, nil, "", "support"},
		{"renewed, but no contract ends", "renewed", []ReminderItem{longer}, day, nil, false, nil, "", "support"},
		{"a question", "Can it be renewed?", []ReminderItem{careEnds}, day, nil, false, nil, "", "support"},
		{"no", "No thanks", []ReminderItem{longer}, day, nil, false, nil, "", "support"},
		{"another matter", "The printer leaks toner", []ReminderItem{longer, careEnds}, day, nil, false, nil, "", "support"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rules := phoneRules()
			rules.Reminders.Sales = "sales"
			in := sms(marias, c.words)
			in.Ledger, in.Received, in.Brand = 501, noon, "baleyo"
			if k := in.Keys(rules); k.Asked != TelAddress(marias) || k.Line != TelAddress(ours) {
				t.Fatalf("keys %+v", k)
			}
			found := foundWith()
			if c.open != nil {
				found = foundWith(c.open)
				found.Texts = []int64{c.open.ID}
			}
			found.Person = &Person{ID: 5, Brand: "baleyo", Name: "Maria", Addresses: []string{TelAddress(marias)}, Phones: []string{marias}}
			found.Callers = []Person{*found.Person}
			found.Reminder = &SentLetter{ID: 7, Kind: LetterReminder, To: TelAddress(marias), Queued: noon.Add(-c.ago), Data: LetterData{Items: c.items}}
			found.Products = []Product{
				{ID: 3, Brand: "baleyo", Person: 5, Serial: "RX-5", Model: "Router X", Contract: "Care Pack", ContractUntil: endOfCare},
				{ID: 4, Brand: "baleyo", Person: 5, Serial: "LJ-1", Model: "LaserJet 400", WarrantyUntil: endOfCare},
			}
			got := Receive(found, in, rules, noon)
			if len(got.Tickets) != 1 {
				t.Fatalf("%d tickets: %s", len(got.Tickets), got.Detail)
			}
			tc := got.Tickets[0]
			if joined := tc.Ticket.ID != 0; joined != (c.queue == "") || !joined && tc.Ticket.Queue != c.queue {
				t.Errorf("ticket #%d in %q, want %q", tc.Ticket.ID, tc.Ticket.Queue, c.queue)
			}
			answers := slices.ContainsFunc(tc.Events, func(e Event) bool { return e.What == "answers reminder" && e.Detail == "letter 7" })
			if answers != c.answers {
				t.Errorf("answers %t, want %t: %+v", answers, c.answers, tc.Events)
			}
			var stopped []int64
			for _, d := range got.StopDues {
				stopped = append(stopped, d.Product)
			}
			until := ""
			for _, p := range got.Products {
				if p.ContractUntil != endOfCare && p.ID == 3 {
					until = p.ContractUntil.String()
				}
			}
			if !slices.Equal(stopped, c.stopped) || until != c.until {
				t.Errorf("stopped %v until %q, want %v until %q", stopped, until, c.stopped, c.until)
			}
		})
	}
}
