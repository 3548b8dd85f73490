package store_test

import (
	"errors"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

func ringing(ticket int64) tickets.Alarm {
	return tickets.Alarm{
		Ticket: ticket, Brand: "acme", Tier: 1, Why: "critical", People: []string{"bo@desk.example", "cy@desk.example"},
		State: tickets.AlarmRinging, Attempt: 1, Most: 4, Due: noon.Add(time.Minute), Started: noon,
	}
}

func ring(alarm int64, key string) tickets.Letter {
	return tickets.Letter{
		Kind: tickets.LetterRing, To: tickets.Address{Name: "Bo", Address: "tel:+4917000"}, Agent: true, Mailbox: "tel:+4930900",
		Key: key, Data: tickets.LetterData{Alarm: alarm, Attempt: 1},
	}
}

func alarm(t testing.TB, db *store.DB, id int64) (a tickets.Alarm) {
	t.Helper()
	err := db.Decide(t.Context(), "acme", func(tx *store.Tx) (err error) {
		a, err = tx.Alarm(t.Context(), id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// An alarm that begins with the ticket it is about knows its number, and the
// letters that ring know the alarm's.
func TestAlarmOfANewTicket(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		c := newTicket("anna@customer.example", "server down", "a@x")
		other := save(t, db, 0, tickets.Change{Brand: "acme", Alarms: []tickets.Alarm{ringing(save(t, db, 0, newTicket("b@x", "other", "o@x")).Tickets[0])}}).Alarms[0]
		c.Alarms = []tickets.Alarm{ringing(0)}
		c.Tickets[0].Letters = append(c.Tickets[0].Letters, ring(-1, "ring:1"), ring(other, "ring:2"), ring(-7, "ring:3"))
		saved := save(t, db, 0, c)
		want := ringing(saved.Tickets[0])
		want.ID = saved.Alarms[0]
		diff(t, "alarm", alarm(t, db, want.ID), want)
		for i, id := range []int64{want.ID, other, -7} {
			l, _, _, err := db.LetterByID(t.Context(), saved.Letters[i+1])
			if err != nil || l.Data.Alarm != id || l.Person != 0 {
				t.Errorf("letter %d rings for alarm %d, person %d, %v, want %d and no profile", i, l.Data.Alarm, l.Person, err, id)
			}
		}
		err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
			_, err := tx.Save(t.Context(), 0, "", "", tickets.Change{Brand: "acme", Alarms: []tickets.Alarm{ringing(0)}}, noon)
			return err
		})
		if err == nil {
			t.Error("an alarm about no ticket was saved")
		}
		err = db.Decide(t.Context(), "acme", func(tx *store.Tx) error { _, err := tx.Alarm(t.Context(), 999); return err })
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown alarm: %v, want ErrNotFound", err)
		}
	})
}

func TestAlarmLife(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ticket := save(t, db, 0, newTicket("anna@customer.example", "server down", "a@x")).Tickets[0]
		late, early, foreign := ringing(ticket), ringing(ticket), ringing(ticket)
		late.Due, early.Due, foreign.Due, foreign.Brand = noon.Add(2*time.Minute), noon.Add(time.Minute), noon, "zenith"
		ids := save(t, db, 0, tickets.Change{Brand: "acme", Alarms: []tickets.Alarm{late, early, foreign}}).Alarms
		due := func(at time.Time, n int) []int64 { return must(db.Alarms(t.Context(), "acme", at, n))(t) }
		diff(t, "due too early", due(noon.Add(time.Minute-1), 9), []int64(nil))
		diff(t, "due", due(noon.Add(time.Hour), 9), []int64{ids[1], ids[0]})
		diff(t, "due, the first", due(noon.Add(time.Hour), 1), []int64{ids[1]})

		a := alarm(t, db, ids[1])
		a.Attempt, a.Due, a.Ticket = 2, noon.Add(3*time.Minute), 0 // the ticket is not changed
		save(t, db, 0, tickets.Change{Brand: "acme", Alarms: []tickets.Alarm{a}})
		a.Ticket = ticket
		diff(t, "updated", alarm(t, db, ids[1]), a)
		a.State, a.By, a.Ended = tickets.AlarmAcknowledged, "cy@desk.example", noon.Add(time.Minute)
		save(t, db, 0, tickets.Change{Brand: "acme", Alarms: []tickets.Alarm{a}})
		diff(t, "acknowledged", alarm(t, db, ids[1]), a)
		diff(t, "due after it", due(noon.Add(time.Hour), 9), []int64{ids[0]})

		// Who rings on is late.
		on := a
		on.State, on.Attempt, on.By, on.Ended = tickets.AlarmRinging, 3, "", time.Time{}
		save(t, db, 0, tickets.Change{Brand: "acme", Alarms: []tickets.Alarm{on}})
		diff(t, "rung after its end", alarm(t, db, ids[1]), a)
	})
}

// The alarm is found by the ticket an agent writes about and by the letter of
// the call on which a key was pressed, also after the ticket was merged.
func TestFindAlarm(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		c := newTicket("anna@customer.example", "server down", "a@x")
		ended := ringing(0)
		ended.State = tickets.AlarmStopped
		c.Alarms = []tickets.Alarm{ringing(0), ended}
		text := ring(-1, "ring:2")
		text.Kind = tickets.LetterRingText
		c.Tickets[0].Letters = append(c.Tickets[0].Letters, ring(-1, "ring:1"), ring(-2, "ring:0"), text)
		saved := save(t, db, 0, c)
		ticket, id, letter := saved.Tickets[0], saved.Alarms[0], saved.Letters[1]
		quiet := save(t, db, 0, newTicket("b@x.example", "quiet", "q@x"))

		check := func(what string, keys tickets.Keys, want int64) {
			t.Helper()
			found := find(t, db, keys)
			var got int64
			if found.Alarm != nil {
				got = found.Alarm.ID
			}
			var rings []int64
			for _, l := range found.Rings {
				rings = append(rings, l.ID)
			}
			if got != want {
				t.Errorf("%s: alarm %d, want %d", what, got, want)
			}
			if want != 0 {
				diff(t, what+": letters that ring", rings, []int64{letter, saved.Letters[3]})
			}
		}
		check("by ticket", tickets.Keys{History: ticket}, id)
		check("by letter", tickets.Keys{Letter: letter}, id)
		check("another ticket", tickets.Keys{History: quiet.Tickets[0]}, 0)
		check("another letter", tickets.Keys{Letter: quiet.Letters[0]}, 0)
		check("another brand", tickets.Keys{Brand: "zenith", History: ticket, Letter: letter}, 0)

		merged := must(db.Ticket(t.Context(), ticket))(t)
		merged.Status, merged.MergedInto = tickets.StatusMerged, quiet.Tickets[0]
		into := must(db.Ticket(t.Context(), quiet.Tickets[0]))(t)
		save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: merged}, {Ticket: into, MoveFrom: []tickets.Move{{Ticket: ticket}}}}})
		if a := alarm(t, db, id); a.Ticket != into.ID {
			t.Errorf("alarm is about ticket %d, want %d where it was merged into", a.Ticket, into.ID)
		}
		check("by the merged ticket", tickets.Keys{History: ticket}, id)
		check("by the letter of the merged ticket", tickets.Keys{Letter: letter}, id)
		// Letters of before the merge are found with the ticket they name.
		if found := find(t, db, tickets.Keys{History: into.ID}); found.Alarm == nil || found.Alarm.ID != id {
			t.Errorf("by the target: %+v", found.Alarm)
		}
	})
}
