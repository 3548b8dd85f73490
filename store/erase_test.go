package store_test

import (
	"bytes"
	"crypto/sha256"
	"os"
	"strings"
	"testing"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// What a customer left is gone, figures stay, and nothing that was marked is
// taken in again; another customer's data is as it was.
func TestErase(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		append3 := items(1, 3)
		append3[1].Data = []byte("From: anna@customer.example\r\n\r\nsecretword")
		append3[1].SHA256 = sha256.Sum256(append3[1].Data)
		must(db.Append(ctx, append3, nil))(t)
		rows := claim(t, db, 3, noon)
		c := newTicket("anna@customer.example", "my secretword printer", "a@x")
		c.Tickets[0].Events = []tickets.Event{{At: noon, Who: "anna@customer.example", What: "opened", Detail: "by email"}, {At: noon, Who: "desk", What: "status", Detail: "new → open"}}
		c.Products = []tickets.Product{{Brand: "acme", Serial: "SN1", Kind: tickets.KindLaser, Owner: tickets.Address{Address: "anna@customer.example"}, Readings: []tickets.Reading{{At: noon, Pages: 5, By: "import"}}, Bought: sla.Date{Year: 2025, Month: 1, Day: 1}}}
		mine := save(t, db, rows[0].ID, c)
		other := save(t, db, rows[1].ID, newTicket("bert@customer.example", "his secretword", "b@x"))
		if err := db.Decide(ctx, "acme", func(tx *store.Tx) error {
			_, err := tx.Save(ctx, rows[2].ID, "Anna@Customer.example", "held", tickets.Change{Brand: "acme", Disposition: tickets.DisposeQuarantined, Reason: "blocked"}, noon)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		must(db.Index(ctx, 100))(t)
		anna := must(db.PersonByAddress(ctx, "acme", "anna@customer.example"))(t)

		traces := must(db.Traces(ctx, anna.ID))(t)
		if len(traces.Own) != 1 || len(traces.Rows) != 2 || traces.Messages != 1 || traces.Products != 1 || len(traces.Marks) == 0 {
			t.Errorf("%+v", traces)
		}
		e := store.Erasure{ID: "one", At: noon, Marks: traces.Marks}
		if err := db.Entomb(ctx, e); err != nil {
			t.Fatal(err)
		}
		for range 2 { // a second time finds nothing to do
			if err := db.Erase(ctx, traces, noon, func() {}); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Erased(ctx, "one"); err != nil {
			t.Fatal(err)
		}
		if err := db.Scrub(ctx); err != nil {
			t.Fatal(err)
		}

		ticket := must(db.Ticket(ctx, mine.Tickets[0]))(t)
		if ticket.Subject != "" || len(ticket.Participants) != 0 || ticket.Status != tickets.StatusClosed || ticket.Opened.IsZero() {
			t.Errorf("%+v", ticket)
		}
		for _, m := range must(db.Messages(ctx, ticket.ID))(t) {
			if m.Text != "" || m.Subject != "" || m.MessageID != "" || m.Author.Address.Address != "" {
				t.Errorf("%+v", m)
			}
		}
		status := 0
		for _, ev := range must(db.Events(ctx, ticket.ID))(t) {
			if strings.Contains(ev.Who+ev.Detail, "anna") || strings.Contains(ev.Detail, "email") {
				t.Errorf("%+v", ev)
			}
			if ev.What == "status" && ev.Detail == "new → open" {
				status++
			}
		}
		if status != 1 {
			t.Error("what figures are made of is gone")
		}
		if found := must(db.Tickets(ctx, store.TicketQuery{Search: "secretword", Statuses: []tickets.Status{"new", "open", "closed"}}))(t); len(found) != 1 || found[0].ID != other.Tickets[0] {
			t.Errorf("found %v", found)
		}
		if list := must(db.People(ctx, "acme", "", 0))(t); len(list) != 1 || list[0].Addresses[0] != "bert@customer.example" {
			t.Errorf("%+v", list)
		}
		if list := must(db.Products(ctx, store.ProductQuery{Brand: "acme"}))(t); len(list) != 0 {
			t.Errorf("%+v", list)
		}
		for _, id := range []int64{rows[0].ID, rows[2].ID} {
			row := must(db.Entry(ctx, id))(t)
			if _, err := db.Raw(ctx, id); err == nil || row.From != "" || row.Subject != "" || row.Key == "" || row.Disposition == "quarantined" {
				t.Errorf("%+v", row)
			}
		}
		if len(must(db.Raw(ctx, rows[1].ID))(t)) == 0 {
			t.Error("another's mail is gone")
		}
		if err := db.CheckRaw(ctx, func() {}); err != nil {
			t.Error(err)
		}

		again := items(1, 1)[0] // the same bytes under a new UIDVALIDITY
		again.Key = "imap:support@example.org:INBOX:99:1"
		again.SHA256 = append3[0].SHA256
		again.Data = append3[0].Data
		must(db.Append(ctx, []store.Item{again, append3[0]}, nil))(t)
		if tally := must(db.Tally(ctx, ""))(t); tally.Undecided != 0 || tally.Total != 4 {
			t.Errorf("%+v", tally)
		}
		if found := find(t, db, tickets.Keys{Tickets: []int64{ticket.ID}, MessageID: "a@x"}); !found.Erased || len(found.Tickets) != 0 {
			t.Errorf("erased %v, tickets %v", found.Erased, found.Tickets)
		}
		if found := find(t, db, tickets.Keys{MessageID: "new@x", Sender: "anna@customer.example"}); found.Erased || found.Person != nil {
			t.Errorf("%+v", found)
		}
	})
}

// No byte of an erased mail is left in SQLite's files.
func TestErasedBytesAreOverwritten(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	path := t.TempDir() + "/desk.db"
	keys := tickets.Keyring{Current: tickets.Key{ID: 'k', Secret: []byte("0123456789abcdef0123456789abcdef")}}
	db, err := store.Open(ctx, store.Options{Database: path, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const word = "Xylophonquartett"
	must(db.Append(ctx, items(1, 1), nil))(t)
	rows := claim(t, db, 1, noon)
	c := newTicket("anna@customer.example", word, "a@x")
	c.Tickets[0].Messages[0].Text = word
	save(t, db, rows[0].ID, c)
	must(db.Index(ctx, 10))(t)
	has := func() (found bool) {
		for _, suffix := range []string{"", "-wal"} {
			data, err := os.ReadFile(path + suffix)
			if err != nil && suffix == "" {
				t.Fatal(err)
			}
			found = found || bytes.Contains(bytes.ToLower(data), []byte(strings.ToLower(word)))
		}
		return found
	}
	if !has() {
		t.Fatal("the word was never there")
	}
	anna := must(db.PersonByAddress(ctx, "acme", "anna@customer.example"))(t)
	if err := db.Erase(ctx, must(db.Traces(ctx, anna.ID))(t), noon, func() {}); err != nil {
		t.Fatal(err)
	}
	if err := db.Scrub(ctx); err != nil {
		t.Fatal(err)
	}
	if has() {
		t.Error("the word is still in the file")
	}
}
