package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// noon is when the tests happen.
var noon = time.Date(2026, 10, 5, 12, 0, 0, 0, time.UTC)

func item(n int) store.Item {
	data := fmt.Appendf(nil, "Subject: %d\r\n\r\nbody %d\r\n", n, n)
	return store.Item{
		Key: fmt.Sprintf("imap:support@example.org:INBOX:7:%d", n), Brand: "acme", Mailbox: "support@example.org", Folder: "INBOX",
		Queue: "support", Channel: tickets.ChannelMail, Recipients: []string{"support@example.org"},
		Received: noon, SHA256: sha256.Sum256(data), Data: data,
	}
}

func items(from, to int) (list []store.Item) {
	for n := from; n <= to; n++ {
		list = append(list, item(n))
	}
	return list
}

// newTicket is the decision on an ordinary first mail.
func newTicket(from, subject, msgid string) tickets.Change {
	who := tickets.Address{Name: "Anna", Address: from}
	return tickets.Change{
		Brand: "acme", Disposition: tickets.DisposeMessage, Trace: []tickets.Step{{Rule: "T8", Verdict: "new ticket"}},
		Tickets: []tickets.TicketChange{{
			Ticket: tickets.Ticket{
				Brand: "acme", Mailbox: "support@example.org", Queue: "support", Channel: tickets.ChannelMail, Status: tickets.StatusNew,
				Subject: subject, SubjectCore: subject, Language: "en", Version: 1, Opened: noon, Updated: noon,
				Participants: []tickets.Participant{{Address: who, Role: tickets.PartyRequester}},
				Tags:         []string{"vip"}, Facts: map[string]string{"room": "12"},
			},
			Messages: []tickets.Message{message(from, subject, msgid)},
			Events:   []tickets.Event{{At: noon, Who: from, What: "opened"}},
			Letters:  []tickets.Letter{ack(from, "ack:"+msgid)},
		}},
	}
}

func message(from, subject, msgid string) tickets.Message {
	return tickets.Message{
		Direction: tickets.DirectionIn, Channel: tickets.ChannelMail, Kind: tickets.KindMessage, MessageID: msgid,
		Author:  tickets.Author{Kind: tickets.AuthorCustomer, Address: tickets.Address{Name: "Anna", Address: from}},
		Subject: subject, Text: "my printer is on fire", Content: sha256.Sum256([]byte(msgid + subject)), At: noon, Date: noon,
	}
}

func ack(to, key string) tickets.Letter {
	return tickets.Letter{
		Brand: "acme", Mailbox: "support@example.org", Kind: tickets.LetterAcknowledgement, Language: "en",
		To: tickets.Address{Name: "Anna", Address: to}, Key: key, Subject: "printer", Auto: tickets.AutoReplied, Priority: 1,
		NullSender: true, Data: tickets.LetterData{RespondWithin: "2 business hours"},
	}
}

// save decides one change on its own.
func save(t testing.TB, db *store.DB, ledger int64, c tickets.Change) store.Saved {
	t.Helper()
	var saved store.Saved
	err := db.Decide(t.Context(), c.Brand, func(tx *store.Tx) error {
		var err error
		saved, err = tx.Save(t.Context(), ledger, "anna@customer.example", "printer", c, noon)
		return err
	})
	if err != nil {
		t.Fatalf("save: %v", err)
	}
	return saved
}

func find(t testing.TB, db *store.DB, keys tickets.Keys) tickets.Found {
	t.Helper()
	if keys.Brand == "" {
		keys.Brand = "acme"
	}
	if keys.Now.IsZero() {
		keys.Now = noon
	}
	var found tickets.Found
	err := db.Decide(t.Context(), keys.Brand, func(tx *store.Tx) error {
		var err error
		found, err = tx.Find(t.Context(), keys)
		return err
	})
	if err != nil {
		t.Fatalf("find: %v", err)
	}
	return found
}

func claim(t testing.TB, db *store.DB, n int, now time.Time) []store.Claimed {
	t.Helper()
	rows, err := db.ClaimLedger(t.Context(), "acme", n, now, now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// must returns v, or ends the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func diff(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		if n, err := db.Append(ctx, items(1, 3), &store.Cursor{Mailbox: "support@example.org", Folder: "INBOX", UIDValidity: 7, UID: 3, Polled: noon}); n != 3 || err != nil {
			t.Fatalf("append: %d, %v", n, err)
		}
		if n, err := db.Append(ctx, items(2, 4), nil); n != 1 || err != nil {
			t.Fatalf("append again: %d new, %v, want 1", n, err)
		}
		rows := claim(t, db, 10, noon)
		if len(rows) != 4 {
			t.Fatalf("claimed %d rows, want 4", len(rows))
		}
		want := item(1)
		diff(t, "claimed item", rows[0].Item, want)
		saved := save(t, db, rows[0].ID, newTicket("anna@customer.example", "printer", "a@x"))

		ticket := must(db.Ticket(ctx, saved.Tickets[0]))(t)
		wantTicket := newTicket("anna@customer.example", "printer", "a@x").Tickets[0].Ticket
		wantTicket.ID, wantTicket.Requester = ticket.ID, ticket.Requester
		wantTicket.Participants[0].Person = ticket.Requester
		wantTicket.Profile = tickets.Profile{Name: "Anna", Address: "anna@customer.example"}
		diff(t, "ticket", ticket, wantTicket)

		messages := must(db.Messages(ctx, ticket.ID))(t)
		wantMessage := message("anna@customer.example", "printer", "a@x")
		wantMessage.ID, wantMessage.Ticket, wantMessage.Seq, wantMessage.Version = saved.Messages[0], ticket.ID, 1, 1
		wantMessage.Ledger, wantMessage.Author.Person = rows[0].ID, ticket.Requester
		diff(t, "messages", messages, []tickets.Message{wantMessage})
		diff(t, "message", must(db.Message(ctx, saved.Messages[0]))(t), wantMessage)

		events := must(db.Events(ctx, ticket.ID))(t)
		if len(events) != 1 || events[0].What != "opened" || events[0].Change != saved.Change {
			t.Errorf("events: %+v, want one, opened, change %d", events, saved.Change)
		}
		entry := must(db.Entry(ctx, rows[0].ID))(t)
		if entry.Disposition != tickets.DisposeMessage || entry.Ticket != ticket.ID || entry.Message != saved.Messages[0] || len(entry.Trace) != 1 || entry.From != "anna@customer.example" {
			t.Errorf("entry: %+v", entry)
		}
		diff(t, "entries of the ticket", must(db.EntriesOfTicket(ctx, ticket.ID))(t), []store.Entry{entry})
		diff(t, "raw", must(db.Raw(ctx, rows[1].ID))(t), item(2).Data)

		letter, info, raw, err := db.LetterByID(ctx, saved.Letters[0])
		if err != nil || raw != nil || info.State != store.LetterQueued {
			t.Fatalf("letter: %+v, raw %q, %v", info, raw, err)
		}
		wantLetter := ack("anna@customer.example", "ack:a@x")
		wantLetter.ID, wantLetter.Ticket, wantLetter.Person = saved.Letters[0], ticket.ID, ticket.Requester
		diff(t, "letter", letter, wantLetter)

		tally := must(db.Tally(ctx, ""))(t)
		diff(t, "tally", tally, store.Tally{Total: 4, Undecided: 3, Messages: 1, ByDisposition: map[tickets.Disposition]int{tickets.DisposeMessage: 1},
			ByChannel: map[tickets.Channel]int{tickets.ChannelMail: 4}})
		diff(t, "cursor", must(db.Cursor(ctx, "support@example.org", "INBOX"))(t), must(db.Cursors(ctx))(t)[0])
		if p := must(db.PersonByAddress(ctx, "acme", "Anna@Customer.example"))(t); p.ID != ticket.Requester || p.Name != "Anna" {
			t.Errorf("person: %+v", p)
		}
		if _, err := db.Ticket(ctx, 999); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown ticket: %v, want ErrNotFound", err)
		}
		if err := db.Ping(ctx); err != nil {
			t.Error(err)
		}
	})
}
