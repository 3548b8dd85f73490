package schedules

import (
	"testing"
	"testing/synctest"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// TestAgentsLearnOnceOfALetterThatFailed: over restarts and however many passes.
func TestAgentsLearnOnceOfALetterThatFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		id := d.ticket(func(*tickets.Ticket) {})
		ticket, err := d.db.Ticket(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		d.save(tickets.Change{Brand: "baleyo", Tickets: []tickets.TicketChange{{Ticket: ticket, Letters: []tickets.Letter{{
			Ticket: id, Brand: "baleyo", Mailbox: ticket.Mailbox, Kind: tickets.LetterAnswer, To: tickets.Address{Address: customer}, Key: "answer",
		}}}}})
		d.run(time.Hour)
		d.want(id, tickets.StatusOpen, "answer")
		out, err := d.db.ClaimLetters(t.Context(), store.LetterClaim{Now: d.now(), Until: d.now().Add(time.Minute), Limit: 1})
		if err != nil || len(out) != 1 {
			t.Fatalf("claim: %d letters, %v", len(out), err)
		}
		if _, err := d.db.Mark(t.Context(), []store.Result{{ID: out[0].Letter.ID, Epoch: out[0].Epoch, State: store.LetterFailed, Code: "550 5.1.1", Detail: "no such user", At: d.now()}}); err != nil {
			t.Fatal(err)
		}
		d.run(time.Hour)
		d.restart()
		d.run(day)
		d.want(id, tickets.StatusOpen, "agent-bounced", "answer")
		var found tickets.Found
		if err := d.db.Decide(t.Context(), "baleyo", func(tx *store.Tx) (err error) {
			found, err = tx.Find(t.Context(), tickets.Keys{Brand: "baleyo", Sender: customer, Now: d.now()})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if !found.Suppressed {
			t.Error("the dead address may still get automatic letters")
		}
	})
}
