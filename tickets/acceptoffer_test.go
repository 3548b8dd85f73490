package tickets

import (
	"slices"
	"strings"
	"testing"
)

// A press of "I would like a longer warranty" is a ticket for sales, about the
// product, with the customer's words; who pressed gets an answer whatever the
// limits of answering mail say.
func TestAnAcceptedOfferIsASalesTicket(t *testing.T) {
	t.Parallel()
	printer := Product{ID: 4, Brand: "baleyo", Person: 5, Serial: "LJ-1", Model: "LaserJet 400", WarrantyUntil: endOfCare}
	for _, c := range []struct {
		name     string
		products []Product
		change   func(*Rules, *Found)
		subject  string
		queue    string
		event    string
	}{
		{"to sales", []Product{printer}, func(*Rules, *Found) {}, "Longer warranty: LaserJet 400 (LJ-1)", "sales",
			"wants a longer warranty for LaserJet 400 (LJ-1), now until 2026-04-01"},
		{"one of several", []Product{{ID: 3, Brand: "baleyo", Person: 5, Serial: "RX-5", Model: "Router X"}, printer}, func(*Rules, *Found) {},
			"Longer warranty: LaserJet 400 (LJ-1)", "sales", "LaserJet 400 (LJ-1)"},
		{"nobody sells", []Product{printer}, func(r *Rules, _ *Found) { r.Reminders.Sales = "" }, "Longer warranty: LaserJet 400 (LJ-1)", "support", "wants a longer warranty"},
		{"a product without a serial number", []Product{{ID: 4, Brand: "baleyo", Person: 5, Model: "LaserJet 400"}}, func(*Rules, *Found) {},
			"Longer warranty: LaserJet 400", "sales", "wants a longer warranty for LaserJet 400"},
		{"after many letters", []Product{printer}, func(_ *Rules, f *Found) { f.Acks = AckCounts{SenderHour: 1000, SenderDay: 1000, GlobalHour: 100_000} },
			"Longer warranty: LaserJet 400 (LJ-1)", "sales", "wants a longer warranty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rules := rulesForTest()
			rules.Reminders.Sales = "sales"
			found := foundWith()
			found.Person = &Person{ID: 5, Brand: "baleyo", Name: "Maria Lopez", Addresses: []string{"maria@example.org"}}
			found.Products = c.products
			c.change(&rules, &found)
			in := Inbound{Ledger: 502, Channel: ChannelWeb, Brand: "baleyo", Mailbox: "support@baleyo.test", Queue: "support", Received: noon,
				From: Address{Address: "maria@example.org"}, Kind: KindMessage,
				Button: &Button{Person: 5, Address: "maria@example.org", Action: "accept", Product: 4, Text: "I would like a longer warranty."}}
			if k := in.Keys(rules); !k.Opens || k.Sender != "maria@example.org" {
				t.Fatalf("keys %+v: its customer's products are not looked up", k)
			}
			got := Receive(found, in, rules, noon)
			if got.Disposition != DisposeMessage || len(got.Tickets) != 1 || len(got.Products) != 0 {
				t.Fatalf("%s, %d tickets, products %+v", got.Disposition, len(got.Tickets), got.Products)
			}
			tc := got.Tickets[0]
			want(t, "subject", tc.Ticket.Subject, c.subject)
			want(t, "queue", tc.Ticket.Queue, c.queue)
			want(t, "product", tc.Ticket.Product, int64(4))
			want(t, "status", tc.Ticket.Status, StatusNew)
			if p := tc.Ticket.Participants; len(p) != 1 || p[0].Role != PartyRequester || p[0].Person != 5 || p[0].Address.Name != "Maria Lopez" {
				t.Errorf("participants %+v", p)
			}
			if m := tc.Messages; len(m) != 1 || m[0].Text != "I would like a longer warranty." || m[0].Author.Kind != AuthorCustomer || m[0].Direction != DirectionIn {
				t.Errorf("messages %+v", m)
			}
			if !slices.ContainsFunc(tc.Events, func(e Event) bool { return e.What == "accepted offer" && strings.Contains(e.Detail, c.event) }) {
				t.Errorf("events %+v, want %q", tc.Events, c.event)
			}
			contains(t, "letters", letters(got), "acknowledgement→maria@example.org")
			contains(t, "letters", letters(got), "agent-new→")
			for _, l := range tc.Letters {
				if l.Agent && !strings.Contains(strings.Join(l.Data.Known, "\n"), c.event) {
					t.Errorf("%s is told %q, want %q", l.To.Address, l.Data.Known, c.event)
				}
			}
		})
	}
}
