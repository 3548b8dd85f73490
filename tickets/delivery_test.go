package tickets

import (
	"testing"
)

// texted begins a ticket by text, which Asha answers. The answer is the letter.
func textedDesk(t *testing.T, in Inbound) (*desk, int64) {
	t.Helper()
	s := newDesk()
	s.receive(in)
	s.receive(s.answerOn(s.only(t), asha, nil, "Switch it off and on."))
	l := s.letters[len(s.letters)-1]
	want(t, "letter", l.Kind, LetterAnswer)
	return s, l.ID
}

func report(letter int64, status string, change ...func(*Delivery)) Inbound {
	x := &Delivery{Letter: letter, Sid: "SM9", Status: status, Failed: status == "failed" || status == "undelivered"}
	for _, f := range change {
		f(x)
	}
	return Inbound{Channel: ChannelSMS, Phone: &PhoneContact{Line: TelAddress(ours), Number: marias, Kind: "number", Delivery: x}}
}

func because(reason string, code int) func(*Delivery) {
	return func(x *Delivery) { x.Reason, x.Code = reason, code }
}

// TestDelivery: what became of a text stands on its ticket; the agents hear of
// what did not arrive, in words of people.
func TestDelivery(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, status string
		why          func(*Delivery)
		letters      string
		report       string
		event        string
		check        func(*testing.T, Change)
	}{
		{"on its way", "sent", nil, "", "", "", nil},
		{"delivered", "delivered", nil, "", "delivered", "delivered answer to " + marias, nil},
		{"read", "read", nil, "", "read", "read answer to " + marias, nil},
		{"landline", "undelivered", because("landline", 30006), "agent-bounced→asha@baleyo.test", "bounced", "bounced answer to " + marias, func(t *testing.T, c Change) {
			want(t, "suppressed", c.Suppress[0], "tel:"+marias)
			l := letter(t, c, LetterBounced)
			want(t, "words", l.Data.Bounce, marias+" (answer): the customer's telephone takes no texts: a landline (undelivered, 30006)")
			want(t, "dead", l.Data.Dead, true)
			want(t, "what it said", l.Data.Text, "Switch it off and on.")
		}},
		{"nobody's number", "undelivered", because("no-such", 30005), "agent-bounced→asha@baleyo.test", "bounced", "nobody has this number", func(t *testing.T, c Change) {
			want(t, "suppressed", len(c.Suppress), 1)
		}},
		{"switched off", "undelivered", because("unreachable", 30003), "agent-bounced→asha@baleyo.test", "bounced", "switched off or out of reach", func(t *testing.T, c Change) {
			want(t, "suppressed", len(c.Suppress), 0)
		}},
		{"stopped at the network", "failed", because("stopped", 21610), "agent-bounced→asha@baleyo.test", "bounced", "wants no texts from us (STOP)", func(t *testing.T, c Change) {
			want(t, "stop", c.Stop[0], LineConsent{"tel:" + marias, "tel:" + ours})
		}},
		{"nobody says why", "failed", because("", 30008), "agent-bounced→asha@baleyo.test", "bounced", "the network does not say why (failed, 30008)", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s, id := textedDesk(t, sms(marias, "My printer is offline."))
			in := report(id, tc.status)
			if tc.why != nil {
				in = report(id, tc.status, tc.why)
			}
			c := s.receive(in)
			want(t, "disposition", c.Disposition, DisposeRecorded)
			want(t, "letters", letters(c), tc.letters)
			want(t, "report", s.reports[id], tc.report)
			contains(t, "log", s.log(), tc.event)
			if tc.check != nil {
				tc.check(t, c)
			}
		})
	}
}

// TestDeliveryOutOfOrder: what has arrived does not fail any more (F05).
func TestDeliveryOutOfOrder(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"delivered", "read"} {
		s, id := textedDesk(t, sms(marias, "My printer is offline."))
		s.receive(report(id, first))
		c := s.receive(report(id, "undelivered", because("landline", 30006)))
		want(t, "letters", letters(c), "")
		want(t, "report", s.reports[id], first)
		want(t, "suppressed", len(c.Suppress), 0)
		c = s.receive(report(id, "sent"))
		want(t, "sent", len(c.Bounces), 0)
	}
	s, id := textedDesk(t, sms(marias, "My printer is offline."))
	s.receive(report(id, "undelivered", because("unreachable", 30003)))
	want(t, "told once", letters(s.receive(report(id, "failed", because("unreachable", 30003)))), "")
	s.receive(report(id, "read"))
	want(t, "read is the end", s.reports[id], "read")
	want(t, "delivered after read", len(s.receive(report(id, "delivered")).Bounces), 0)
}

func TestDeliveryOfWhat(t *testing.T) {
	t.Parallel()
	s, id := textedDesk(t, sms(marias, "My printer is offline."))
	c := s.receive(report(4711, "delivered"))
	want(t, "unknown", string(c.Disposition)+" "+c.Reason, "discarded unknown-text")

	in := report(0, "undelivered", because("unreachable", 30003))
	in.Ledger, in.Brand, in.Received = 9, "baleyo", noon
	f := s.find(in.Keys(s.rules))
	l := s.letters[id-1]
	f.Letters["SM9"] = &SentLetter{ID: l.ID, Ticket: l.Ticket, Kind: l.Kind, To: l.To.Address}
	want(t, "keys", in.Keys(s.rules).Cites[0], "SM9")
	want(t, "by its Sid", letters(Receive(f, in, s.rules, noon)), "agent-bounced→asha@baleyo.test")
}

// TestDeliveryOutsideTheWindow: WhatsApp refused the answer after it had left:
// it waits, and the template asks the customer to write (63016).
func TestDeliveryOutsideTheWindow(t *testing.T) {
	t.Parallel()
	s, id := textedDesk(t, whatsApp(marias, "My printer is offline."))
	in := report(id, "failed", because("window", 63016))
	in.Channel, in.Phone.Line = ChannelWhatsApp, WhatsAppAddress(ours)
	c := s.receive(in)
	want(t, "letters", letters(c), "answer→whatsapp:"+marias+" text-template→whatsapp:"+marias+" agent-bounced→asha@baleyo.test")
	l := letter(t, c, LetterAnswer)
	want(t, "held", l.Held, "window")
	want(t, "words", l.Data.Text, "Switch it off and on.")
	want(t, "told once", letters(s.receive(in)), "")
	c = s.receive(whatsApp(marias, "yes?"))
	want(t, "unhold", c.Unhold[0].To, "whatsapp:"+marias)
}
