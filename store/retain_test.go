package store_test

import (
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// What is older than it is kept goes, of each kind; an open ticket loses nothing,
// and what is not named stays.
func TestRetain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db, ctx := open(), t.Context()
		later := noon.AddDate(1, 0, 0)
		must(db.Append(ctx, items(1, 4), nil))(t)
		rows := claim(t, db, 4, noon)
		closed := func(at time.Time) func(*tickets.Ticket) {
			return func(t *tickets.Ticket) { t.Status, t.Closed = tickets.StatusClosed, at }
		}
		var ids []int64
		for i, change := range []func(*tickets.Ticket){closed(noon), closed(later), func(*tickets.Ticket) {}} {
			c := newTicket("anna@customer.example", "printer", string(rune('a'+i))+"@x")
			change(&c.Tickets[0].Ticket)
			c.Trace = []tickets.Step{{Rule: "T9"}}
			ids = append(ids, save(t, db, rows[i].ID, c).Tickets[0])
		}
		save(t, db, rows[3].ID, tickets.Change{Brand: "acme", Disposition: tickets.DisposeQuarantined, Reason: "blocked"})
		before := noon.AddDate(0, 1, 0)
		has := func(i int) bool { _, err := db.Raw(ctx, rows[i].ID); return err == nil }
		retain := func(k store.Kept) int { return must(db.Retain(ctx, k, 10, later))(t) }

		if n := retain(store.Kept{}); n != 0 || !has(0) {
			t.Fatalf("nothing is to go, and %d went", n)
		}
		if n := retain(store.Kept{LedgerDetails: before}); n != 2 { // not of the open ticket, nor of what is held
			t.Errorf("details of %d rows", n)
		}
		if n := retain(store.Kept{RawMail: before}); n != 1 || has(0) || !has(1) || !has(2) || !has(3) {
			t.Errorf("%d mails", n)
		}
		if m := must(db.Messages(ctx, ids[0]))(t); m[0].Text == "" {
			t.Error("the words went with the mail")
		}
		if n := retain(store.Kept{Quarantine: before}); n != 1 || has(3) {
			t.Errorf("%d held", n)
		}
		if n := retain(store.Kept{ClosedTickets: before}); n != 1 {
			t.Errorf("%d tickets", n)
		}
		if m := must(db.Messages(ctx, ids[0]))(t); len(m) != 1 || m[0].Text != "" {
			t.Errorf("%+v", m)
		}
		for _, id := range ids[1:] {
			if m := must(db.Messages(ctx, id))(t); m[0].Text == "" {
				t.Errorf("ticket %d lost its words", id)
			}
		}
		if n := retain(store.Kept{ClosedTickets: before, RawMail: before, Quarantine: before, LedgerDetails: before, SurveyComments: before, Recordings: before}); n != 0 {
			t.Errorf("a second time %d", n)
		}
		if err := db.CheckRaw(ctx, func() {}); err != nil {
			t.Error(err)
		}
		// The mailbox still has it: under a new UIDVALIDITY it stays out.
		again := items(1, 1)[0]
		again.Key = "imap:support@example.org:INBOX:99:1"
		must(db.Append(ctx, []store.Item{again}, nil))(t)
		if tally := must(db.Tally(ctx, ""))(t); tally.Undecided != 0 {
			t.Errorf("%+v", tally)
		}
	})
}
