package store_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// scans are statements that may read a whole table: what they read is small,
// or it is people who ask.
var scans = map[string]string{
	"FROM cursors":                 "one row per folder",
	"FROM unindexed":               "what waits for the index",
	"FROM letters GROUP BY state":  "the operator's tally",
	"SELECT disposition, COUNT(*)": "the operator's tally",
	"LEFT JOIN addresses a ON a.person = p.id\n\t\tWHERE p.id IN (\n\t\t\tSELECT p.id FROM people p": "people like a name",
	"MIN(CASE WHEN claimed_until": "the index of what is not sent yet",
}

// Every statement that the desk runs for a mail, a letter or a sweep is served
// by an index, whatever the tables hold.
func TestStatementsUseIndexes(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	ctx := t.Context()
	if _, err := db.Append(ctx, items(1, 3), &store.Cursor{Mailbox: "support@example.org", Folder: "INBOX"}); err != nil {
		t.Fatal(err)
	}
	rows := claim(t, db, 3, noon)
	c := newTicket("anna@customer.example", "printer", "a@x")
	c.Tickets[0].Messages[0].Cites = []string{"b@x", "c@x"}
	first := save(t, db, rows[0].ID, c)
	c = newTicket("anna@customer.example", "printer", "b@x")
	c.Tickets[0].MoveFrom = []tickets.Move{{Ticket: first.Tickets[0]}}
	c.Suppress, c.Release, c.Drop, c.Block = []string{"x@y"}, []int64{1}, []int64{2}, []int64{1}
	c.Bounces = []tickets.LetterBounce{{Letter: first.Letters[0], State: "delayed"}}
	second := save(t, db, rows[1].ID, c)
	ticket := must(db.Ticket(ctx, second.Tickets[0]))(t)
	save(t, db, rows[2].ID, tickets.Change{Brand: "acme", Disposition: tickets.DisposeDuplicate, Duplicate: second.Messages[0],
		Tickets: []tickets.TicketChange{{Ticket: ticket, Messages: []tickets.Message{message("anna@customer.example", "printer", "d@x")}}}})
	find(t, db, tickets.Keys{
		Tickets: []int64{1, 2, 3}, Cites: []string{"b@x", "c@x", "zz@x"}, MessageID: "q@x", ThreadRoot: "cafe", Subject: "printer",
		Sender: "anna@customer.example", Content: [32]byte{1}, Letter: 1, History: 1,
	})
	for _, o := range claimLetters(t, db, noon) {
		if err := db.MarkDot(ctx, o.Letter.ID, o.Epoch, &store.Rendering{MessageID: "m@x"}, noon); err != nil {
			t.Fatal(err)
		}
		mark(t, db, store.Result{ID: o.Letter.ID, Epoch: o.Epoch, State: store.LetterFailed, ServerIDs: []string{"s@x"}})
	}
	must(db.ClaimLetters(ctx, store.LetterClaim{Now: noon, Until: noon, Mailboxes: []string{"a@b", "c@d"}, Limit: 5}))(t)
	if err := db.SetLetter(ctx, 1, store.LetterQueued, "boss", noon); err != nil {
		t.Fatal(err)
	}
	must(db.NextLetter(ctx))(t)
	must(db.LetterIDs(ctx, 1, "anna@customer.example"))(t)
	must(db.LettersWhere(ctx, nil, 1, 0))(t)
	must(db.Known(ctx, "support@example.org", "INBOX", [][32]byte{{1}, {2}}))(t)
	must(db.LedgerUIDs(ctx, "support@example.org", "INBOX", 7, 1))(t)
	must(db.Quarantine(ctx))(t)
	must(db.Entry(ctx, 1))(t)
	must(db.EntriesOfTicket(ctx, 1))(t)
	must(db.Tickets(ctx, store.TicketQuery{Brand: "acme"}))(t)
	must(db.Tickets(ctx, store.TicketQuery{Brand: "acme", Customer: "anna@customer.example", Statuses: []tickets.Status{"closed"}}))(t)
	must(db.Tickets(ctx, store.TicketQuery{Search: "fire"}))(t)
	must(db.Messages(ctx, 1))(t)
	must(db.Events(ctx, 1))(t)
	must(db.Silent(ctx, "acme", noon, false, 1))(t)
	must(db.Due(ctx, "acme", noon, 1))(t)
	must(db.PersonByAddress(ctx, "acme", "anna@customer.example"))(t)
	must(db.Lease(ctx, "x", noon, noon.Add(time.Minute)))(t)

	plans, err := store.Plans(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	if len(plans) < 60 {
		t.Errorf("only %d statements were looked at", len(plans))
	}
	if testing.Verbose() {
		for text, plan := range plans {
			t.Logf("%s\n%s", text, plan)
		}
	}
	whole := regexp.MustCompile(`(?m)^SCAN \w+( USING (COVERING )?INDEX \w+)?$`)
	for text, plan := range plans {
		// The plan of an INSERT names the tables that refer to the new row; they
		// are not read.
		allowed := strings.Contains(text, "INSERT INTO")
		for part := range scans {
			allowed = allowed || strings.Contains(text, part)
		}
		for _, line := range whole.FindAllString(plan, -1) {
			// Partial indexes of what is waiting, and the search index, are small or asked well.
			if allowed || strings.Contains(line, "letters_waiting") || strings.Contains(line, "ledger_quarantined") || strings.HasPrefix(line, "SCAN search VIRTUAL") {
				continue
			}
			t.Errorf("%s\n%s", text, plan)
		}
	}
}
