package tickets

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// ringing is a desk that rings Asha and Bikram for ticket 1000.
func ringing(t *testing.T) *desk {
	t.Helper()
	s := newDesk()
	x := stored(func(x *Ticket) {
		x.ID, x.Assignee, x.Status, x.Severity = 1000, "", StatusNew, "high"
	})
	s.tickets[1000] = x
	d := s.decision()
	d.ring(d.ticket(x), 0, "a server is down")
	s.save(d.c, 0)
	want(t, "alarms", len(s.alarms), 1)
	return s
}

func (s *desk) decision() *decision {
	d := &decision{rules: s.rules, brand: s.rules.Brands["baleyo"], now: s.now, found: s.find(Keys{History: 1000})}
	d.in = Inbound{Brand: "baleyo", Mailbox: "support@baleyo.test"}
	d.c.Brand = "baleyo"
	d.c.Tickets = make([]TicketChange, 0, maxTickets)
	return d
}

// sweep does what the sweep does about the alarm, at a time.
func (s *desk) sweep(after time.Duration) (Change, bool) {
	s.now = s.now.Add(after)
	a := s.alarms[0]
	c, due := Ring(a, *s.loaded(s.tickets[a.Ticket]), s.find(Keys{History: a.Ticket}), s.rules, s.now)
	if due {
		s.save(c, 0)
	}
	return c, due
}

// rang is the newest call to a number.
func (s *desk) rang(number string) int64 {
	id := int64(0)
	for _, l := range s.letters {
		if l.Kind == LetterRing && Number(l.To.Address) == number {
			id = l.ID
		}
	}
	return id
}

// TestRingUntilAKey: the first person's voicemail box "answers" and nobody
// presses a key; the second presses 1. The log tells it, the ringing stops, and
// the ticket shows who has it.
func TestRingUntilAKey(t *testing.T) {
	t.Parallel()
	s := ringing(t)
	c, due := s.sweep(0)
	want(t, "due", due, true)
	want(t, "first", letters(c), "ring→tel:+491709001 ring-text→tel:+491709001")
	l := letter(t, c, LetterRing)
	want(t, "line", l.Mailbox, "tel:"+ours)
	want(t, "attempt", fmt.Sprint(l.Data.Alarm, l.Data.Attempt), "1 1")
	want(t, "not after the next", l.NotAfter, noon.Add(time.Minute))
	_, due = s.sweep(30 * time.Second)
	want(t, "goes on ringing", due, false)

	first := s.rang("+491709001")
	s.receive(pressed(first, "", "in-progress", false))
	want(t, "answered is nothing", s.alarms[0].Attempt, 1)
	_, due = s.sweep(0)
	want(t, "still", due, false)
	s.receive(pressed(first, "", "completed", true))
	contains(t, "log", s.log(), "rang Asha: no key (a voicemail box, or nobody)")
	c, due = s.sweep(0)
	want(t, "the next at once", fmt.Sprint(due, " ", letters(c)), "true ring→tel:+491709002 ring-text→tel:+491709002")

	s.receive(pressed(first, "", "completed", true))
	_, due = s.sweep(0)
	want(t, "a status of an older attempt changes nothing", due, false)

	c = s.receive(pressed(s.rang("+491709002"), "acknowledged", "in-progress", false))
	want(t, "who pressed is not hung up on", letters(c), "")
	a := s.alarms[0]
	want(t, "state", string(a.State)+" "+a.By, "acknowledged "+bikram.Address)
	x := s.only(t)
	want(t, "assignee", x.Assignee, bikram.Address)
	want(t, "status", x.Status, StatusOpen)
	want(t, "promises", x.Promises.AckedBy, bikram.Address)
	contains(t, "log", s.log(), "acknowledged Bikram pressed the key")
	_, due = s.sweep(time.Hour)
	want(t, "over", due, false)
	s.receive(pressed(s.rang("+491709002"), "", "completed", true))
	want(t, "the end of that call", s.alarms[0].State, AlarmAcknowledged)
}

// TestWhoTakesAnAlarmHasTheTicket: the desk's own choice among the tier has not
// taken it while it rings. An attempt has one outcome in the log.
func TestWhoTakesAnAlarmHasTheTicket(t *testing.T) {
	t.Parallel()
	s := ringing(t)
	s.tickets[1000].Assignee = asha.Address // of the same tier
	s.sweep(0)
	first := s.rang("+491709001")
	s.receive(pressed(first, "passed", "in-progress", false))
	s.sweep(0)
	s.receive(pressed(first, "", "completed", true))
	want(t, "outcomes", strings.Count(s.log(), "rang Asha: "), 1)
	s.receive(pressed(s.rang("+491709002"), "acknowledged", "in-progress", false))
	want(t, "assignee", s.only(t).Assignee, bikram.Address)
}

// TestAKeyLate: the key of a call whose attempt is over counts all the same;
// the other call is hung up, and what waits is dropped.
func TestAKeyLate(t *testing.T) {
	t.Parallel()
	s := ringing(t)
	s.sweep(0)
	s.sweep(2 * time.Minute) // Bikram rings by now
	in := pressed(s.rang("+491709001"), "acknowledged", "in-progress", false)
	in.Ledger, in.Brand, in.Received = 9, "baleyo", s.now
	f := s.find(in.Keys(s.rules))
	for i := range f.Rings {
		if f.Rings[i].Kind == LetterRingText {
			f.Rings[i].State = "queued"
		}
	}
	c := Receive(f, in, s.rules, s.now)
	want(t, "letters", letters(c), "hang-up→tel:+491709002")
	want(t, "which call", letter(t, c, LetterHangUp).Data.HangUp, s.rang("+491709002"))
	want(t, "dropped", len(c.Cancel), 2)
	want(t, "assignee", c.Tickets[0].Ticket.Assignee, asha.Address)
}

// TestPassedOn: 2, busy and no answer go on at once.
func TestPassedOn(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		verdict, status string
		ended           bool
		said            string
	}{
		{"passed", "in-progress", false, "passed it on, or pressed no key"}, {"", "busy", true, "busy"}, {"", "no-answer", true, "no answer"}, {"", "failed", true, "the call failed"},
	} {
		s := ringing(t)
		s.sweep(0)
		s.receive(pressed(s.rang("+491709001"), tc.verdict, tc.status, tc.ended))
		contains(t, "log", s.log(), "rang Asha: "+tc.said)
		c, _ := s.sweep(0)
		contains(t, "next", letters(c), "ring→tel:+491709002")
	}
}

// TestNobodyTakesIt: everybody so often, then the supervisors.
func TestNobodyTakesIt(t *testing.T) {
	t.Parallel()
	s := ringing(t)
	var order []string
	for range 4 {
		c, due := s.sweep(time.Minute)
		want(t, "due", due, true)
		order = append(order, letter(t, c, LetterRing).To.Name)
	}
	want(t, "order", strings.Join(order, " "), "Asha Bikram Asha Bikram")
	c, _ := s.sweep(time.Minute)
	want(t, "letters", letters(c), "agent-escalation→chandra@baleyo.test")
	want(t, "state", s.alarms[0].State, AlarmExhausted)
	contains(t, "why", letter(t, c, LetterEscalation).Data.Why, "nobody pressed a key")
	contains(t, "log", s.log(), "ringing ended nobody pressed a key")
	s.receive(pressed(s.rang("+491709002"), "acknowledged", "in-progress", false))
	want(t, "a key after the end", s.only(t).Assignee, bikram.Address)
}

// TestAckFromAnyChannel: #ack by mail and a ticket taken by a command stop it;
// so does the end of the ticket.
func TestAckFromAnyChannel(t *testing.T) {
	t.Parallel()
	t.Run("#ack", func(t *testing.T) {
		t.Parallel()
		s := ringing(t)
		s.sweep(0)
		c := s.receive(s.answerOn(s.only(t), chandra, []string{"#ack"}, ""))
		want(t, "letters", letters(c), "hang-up→tel:+491709001 agent-receipt→chandra@baleyo.test")
		want(t, "state", string(s.alarms[0].State)+" "+s.alarms[0].By, "acknowledged "+chandra.Address)
		contains(t, "receipt", strings.Join(letter(t, c, LetterReceipt).Data.Done, " "), "acknowledged: the telephones stop ringing")
	})
	t.Run("#ack and nothing rings", func(t *testing.T) {
		t.Parallel()
		s := newDesk()
		s.tickets[1000] = stored(func(x *Ticket) { x.ID = 1000 })
		s.receive(s.answerOn(s.only(t), bikram, []string{"#ack"}, ""))
		want(t, "promises", s.only(t).Promises.Acknowledged, noon)
		want(t, "assignee", s.only(t).Assignee, asha.Address)
	})
	t.Run("#take", func(t *testing.T) {
		t.Parallel()
		s := ringing(t)
		s.sweep(0)
		x := s.only(t)
		x.Promises.Acknowledged, x.Promises.AckedBy = s.now, asha.Address
		c, _ := s.sweep(time.Minute)
		lacks(t, "letters", letters(c), "ring→")
		want(t, "state", s.alarms[0].State, AlarmAcknowledged)
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		s := ringing(t)
		s.sweep(0)
		s.only(t).Status = StatusClosed
		c, _ := s.sweep(time.Minute)
		want(t, "letters", letters(c), "hang-up→tel:+491709001")
		want(t, "state", s.alarms[0].State, AlarmStopped)
	})
}

// TestWhoIsRung: people of the tier with a telephone, one alarm at a time.
func TestWhoIsRung(t *testing.T) {
	t.Parallel()
	s := ringing(t)
	want(t, "people", strings.Join(s.alarms[0].People, " "), asha.Address+" "+bikram.Address)
	want(t, "most", s.alarms[0].Most, 4)
	d := s.decision()
	d.ring(d.ticket(s.only(t)), 0, "again")
	want(t, "no second alarm", len(d.c.Alarms), 0)
	d = s.decision()
	d.found.Alarm = nil
	tc := d.ticket(s.only(t))
	d.ring(tc, 1, "the supervisor has no telephone")
	want(t, "nobody to ring", fmt.Sprint(len(d.c.Alarms), " ", tc.Events[0].What), "0 nobody to ring")
	d.ring(tc, 0, "once")
	d.ring(tc, 0, "twice")
	want(t, "once in one decision", len(d.c.Alarms), 1)
}

func TestNewsOfAnUnknownCall(t *testing.T) {
	t.Parallel()
	c := newDesk().receive(pressed(99, "acknowledged", "in-progress", false))
	want(t, "decision", string(c.Disposition)+" "+c.Reason, "discarded unknown-call")
}

// TestHigherTierTakesOver: who acknowledges on a higher tier becomes assignee.
func TestHigherTierTakesOver(t *testing.T) {
	t.Parallel()
	s := ringing(t)
	a := s.rules.Agents[chandra.Address]
	a.Phone = "+491709003"
	s.rules.Agents[chandra.Address] = a
	s.only(t).Assignee, s.only(t).Status = asha.Address, StatusOpen
	s.alarms[0].People, s.alarms[0].Tier = []string{chandra.Address}, 1
	s.sweep(0)
	s.receive(pressed(s.rang("+491709003"), "acknowledged", "in-progress", false))
	want(t, "assignee", s.only(t).Assignee, chandra.Address)
}
