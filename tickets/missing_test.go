package tickets

import (
	"slices"
	"testing"
)

func requiring(facts ...string) Rules {
	r := rulesForTest()
	c := r.Categories["technical"]
	c.Required = facts
	r.Categories["technical"] = c
	return r
}

// TestMissingFactsAreAsked asks in the acknowledgement, waits, and goes on when
// the answer comes.
func TestMissingFactsAreAsked(t *testing.T) {
	t.Parallel()
	rules := requiring("serial", "error")
	c := Receive(foundWith(), mail(func(in *Inbound) { in.Facts = map[string]string{"error": "E05"} }), rules, noon)
	tc := c.Tickets[0]
	want(t, "status", tc.Ticket.Status, StatusPending)
	if ack := letter(t, c, LetterAcknowledgement); !slices.Equal(ack.Data.Missing, []string{"serial"}) || !slices.Equal(tc.Ticket.Promises.Asked, []string{"serial"}) {
		t.Errorf("asked for %q, noted %q", ack.Data.Missing, tc.Ticket.Promises.Asked)
	}

	asked := stored(func(x *Ticket) {
		x.Status, x.Category, x.Promises = StatusPending, "technical", tc.Ticket.Promises
	})
	for _, say := range []string{"Serial number: LX-4711\nThanks", "- Seriennummer = LX-4711", "LX-4711"} {
		c = Receive(foundWith(asked), mail(func(in *Inbound) { in.Reply = say; in.Recipients = []string{relayOf(asked)} }), rules, noon)
		got := c.Tickets[0].Ticket
		want(t, "fact from "+say, got.Facts["serial"], "LX-4711")
		want(t, "still asked", len(got.Promises.Asked), 0)
		want(t, "status", got.Status, StatusOpen)
		want(t, "the stored ticket's facts", asked.Facts["serial"], "")
	}
	for _, say := range []string{"I do not know, where do I find it?", "Sorry, no idea"} {
		c = Receive(foundWith(asked), mail(func(in *Inbound) { in.Reply = say; in.Recipients = []string{relayOf(asked)} }), rules, noon)
		want(t, "fact from "+say, c.Tickets[0].Ticket.Facts["serial"], "")
		want(t, "letters", letters(c), "agent-message→"+asha.Address)
	}
}

// TestNothingIsAskedInSilence leaves a ticket open whose sender gets no
// acknowledgement: nobody would answer a question nobody got.
func TestNothingIsAskedInSilence(t *testing.T) {
	t.Parallel()
	found := foundWith()
	found.Acks.SenderHour = 99
	c := Receive(found, mail(), requiring("serial"), noon)
	want(t, "status", c.Tickets[0].Ticket.Status, StatusNew)
	want(t, "asked", len(c.Tickets[0].Ticket.Promises.Asked), 0)
}

// relayOf is the address by which Maria answers on a ticket.
func relayOf(t *Ticket) string {
	return Keyring{Current: secret}.RelayAddress("support@baleyo.test", "+", Relay{t.ID, 7, RelayCustomer, t.Version})
}
