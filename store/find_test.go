package store_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

func TestFind(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		const anna = "anna@customer.example"
		c := newTicket(anna, "printer", "a@x")
		c.Tickets[0].Ticket.ThreadRoot = "cafe"
		c.Tickets[0].Messages[0].Cites = []string{"lost@y"}
		first := save(t, db, 0, c)
		id := first.Tickets[0]

		foreign := newTicket(anna, "printer", "a@x")
		foreign.Brand, foreign.Tickets[0].Ticket.Brand, foreign.Tickets[0].Ticket.ThreadRoot = "zenith", "zenith", "cafe"
		foreign.Tickets[0].Letters[0].Brand, foreign.Tickets[0].Letters[0].Key = "zenith", "ack:zenith"
		other := save(t, db, 0, foreign)

		content := sha256.Sum256([]byte("a@x" + "printer"))
		found := find(t, db, tickets.Keys{
			Tickets: []int64{id, other.Tickets[0], 999}, Cites: []string{"a@x", "", "lost@y"}, MessageID: "a@x",
			ThreadRoot: "cafe", Subject: "printer", Sender: "Anna@Customer.example", Content: content,
			Letter: first.Letters[0], History: id, Now: noon.Add(time.Hour),
		})
		if len(found.Tickets) != 1 || found.Tickets[id] == nil || len(found.Tickets[id].Participants) != 1 {
			t.Errorf("tickets: %+v, want only %d with its participant", found.Tickets, id)
		}
		diff(t, "by msg-id", found.ByMessageID, map[string][]tickets.Hit{"a@x": {{Ticket: id, Message: first.Messages[0]}}})
		diff(t, "by cited", found.ByCited, map[string][]int64{"lost@y": {id}})
		diff(t, "by thread", found.ByThread, []int64{id})
		diff(t, "by subject", found.BySubject, []int64{id})
		if found.Person == nil || found.Person.Brand != "acme" || found.Person.Addresses[0] != anna {
			t.Errorf("person: %+v", found.Person)
		}
		if found.Duplicate == nil || found.Duplicate.ID != first.Messages[0] || found.SameID != nil {
			t.Errorf("duplicate %+v, same id %+v", found.Duplicate, found.SameID)
		}
		if found.Letter == nil || found.Letter.Ticket != id || found.Letter.To != anna || found.Letter.Kind != tickets.LetterAcknowledgement {
			t.Errorf("letter: %+v", found.Letter)
		}
		if len(found.History) != 1 {
			t.Errorf("history: %+v", found.History)
		}

		// The same msg-id with other content, and content too old.
		found = find(t, db, tickets.Keys{MessageID: "a@x", Content: sha256.Sum256([]byte("other"))})
		if found.SameID == nil || found.SameID.ID != first.Messages[0] || found.Duplicate != nil {
			t.Errorf("duplicate %+v, same id %+v", found.Duplicate, found.SameID)
		}
		if found = find(t, db, tickets.Keys{Content: content, Now: noon.Add(7*24*time.Hour + time.Minute)}); found.Duplicate != nil {
			t.Error("a duplicate was found after the week")
		}
		if found = find(t, db, tickets.Keys{Content: content, Now: noon.Add(7*24*time.Hour - time.Minute)}); found.Duplicate == nil {
			t.Error("no duplicate was found within the week")
		}
		if dead := find(t, db, tickets.Keys{Tickets: []int64{id}, Now: noon}).Tickets[id].Dead; dead != nil {
			t.Errorf("addresses that bounced: %q", dead)
		}
		save(t, db, 0, tickets.Change{Brand: "acme", Suppress: []string{anna}})
		if dead := find(t, db, tickets.Keys{Tickets: []int64{id}, Now: noon}).Tickets[id].Dead; len(dead) != 1 || dead[0] != anna {
			t.Errorf("addresses that bounced: %q, want %q", dead, anna)
		}
		if found = find(t, db, tickets.Keys{Content: content, Now: noon.Add(-time.Second)}); found.Duplicate == nil {
			t.Error("no duplicate was found of one that was received a second later and decided before")
		}

		// Nothing named: nothing found.
		found = find(t, db, tickets.Keys{Cites: []string{""}})
		diff(t, "empty keys", found, tickets.Found{})
	})
}

func TestFindMissingMessageIDIsNoKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		save(t, db, 0, newTicket("anna@customer.example", "printer", ""))
		save(t, db, 0, newTicket("bert@customer.example", "screen", ""))
		found := find(t, db, tickets.Keys{MessageID: "", Cites: []string{"", ""}})
		diff(t, "found", found, tickets.Found{})
	})
}

func TestFindFollowsMerged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		var ids []int64
		for i := range 4 {
			ids = append(ids, save(t, db, 0, newTicket("anna@customer.example", "printer", fmt.Sprint(i, "@x"))).Tickets[0])
		}
		for i := range 3 {
			ticket := must(db.Ticket(t.Context(), ids[i]))(t)
			ticket.Status, ticket.MergedInto = tickets.StatusMerged, ids[i+1]
			save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: ticket}}})
		}
		found := find(t, db, tickets.Keys{Cites: []string{"0@x"}})
		if len(found.Tickets) != 4 || found.Tickets[ids[3]] == nil {
			t.Errorf("%d tickets, want the chain of 4", len(found.Tickets))
		}
	})
}

func TestAckCounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		const anna = "anna@customer.example"
		saveAt := func(to, subject, key string, at time.Time, agent bool) int64 {
			c := newTicket(to, subject, key)
			c.Tickets[0].Letters[0].Agent = agent
			var saved store.Saved
			err := db.Decide(t.Context(), "acme", func(tx *store.Tx) (err error) {
				saved, err = tx.Save(t.Context(), 0, "", "", c, at)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return saved.Tickets[0]
		}
		saveAt(anna, "printer", "1", noon.Add(-25*time.Hour), false)
		saveAt(anna, "printer", "2", noon.Add(-23*time.Hour), false)
		saveAt(anna, "printer", "3", noon.Add(-2*time.Hour), false)
		saveAt(anna, "screen", "4", noon.Add(-30*time.Minute), false)
		last := saveAt(anna, "printer", "5", noon.Add(-5*time.Minute), false)
		saveAt("bert@customer.example", "printer", "6", noon.Add(-5*time.Minute), false)
		saveAt("carl@else.example", "printer", "7", noon.Add(-5*time.Minute), false)
		saveAt("dora@customer.example", "printer", "8", noon.Add(-5*time.Minute), true)

		keys := tickets.Keys{Sender: anna, Subject: "printer"}
		want := tickets.AckCounts{SenderHour: 2, SenderDay: 4, Subject3h: 2, DomainHour: 3, GlobalHour: 4, Ticket10min: map[int64]int{last: 1}}
		diff(t, "acks", find(t, db, keys).Acks, want)

		// Within one transaction what it saved itself counts, what it undid does not.
		keys.Brand, keys.Now = "acme", noon
		err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
			for i, fail := range []bool{false, true, false} {
				_ = tx.Try(t.Context(), func() error {
					if _, err := tx.Find(t.Context(), keys); err != nil {
						return err
					}
					if _, err := tx.Save(t.Context(), 0, "", "", newTicket("x@customer.example", "printer", fmt.Sprint("in", i)), noon); err != nil {
						return err
					}
					if fail {
						return fmt.Errorf("undo")
					}
					return nil
				})
			}
			found, err := tx.Find(t.Context(), keys)
			want.DomainHour, want.GlobalHour = 5, 6
			diff(t, "acks in the transaction", found.Acks, want)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestSuppressedAndBounces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		const anna = "anna@customer.example"
		saved := save(t, db, 0, newTicket(anna, "printer", "a@x"))
		out := must(db.ClaimLetters(t.Context(), store.LetterClaim{Now: noon, Until: noon.Add(time.Minute), Limit: 5}))(t)
		if len(out) != 1 {
			t.Fatalf("claimed %d letters", len(out))
		}
		r := store.Result{ID: out[0].Letter.ID, Epoch: out[0].Epoch, State: store.LetterSent, At: noon, ServerIDs: []string{"server@m365"}, Render: &store.Rendering{MessageID: "ours@acme", Raw: []byte("letter")}}
		if lost, err := db.Mark(t.Context(), []store.Result{r}); lost != 0 || err != nil {
			t.Fatalf("mark: %d lost, %v", lost, err)
		}
		diff(t, "msg-ids of letters", must(db.LetterIDs(t.Context(), saved.Tickets[0], "Anna@customer.example"))(t), []string{"ours@acme", "server@m365"})
		found := find(t, db, tickets.Keys{Cites: []string{"server@m365", "ours@acme"}, Sender: anna})
		hit := []tickets.Hit{{Ticket: saved.Tickets[0], Letter: saved.Letters[0], To: anna}}
		diff(t, "hits", found.ByMessageID, map[string][]tickets.Hit{"server@m365": hit, "ours@acme": hit})
		if found.Suppressed || found.Letters["server@m365"] == nil || found.Letters["ours@acme"].State != store.LetterSent {
			t.Errorf("suppressed %v, letters %+v", found.Suppressed, found.Letters)
		}

		save(t, db, 0, tickets.Change{Brand: "acme", Disposition: tickets.DisposeRecorded, Suppress: []string{"Anna@customer.example", ""},
			Bounces: []tickets.LetterBounce{{Letter: saved.Letters[0], State: "bounced", Status: "5.1.1", Detail: "no such user", At: noon}, {Letter: 999, State: "bounced"}}})
		if found = find(t, db, tickets.Keys{Sender: anna}); !found.Suppressed {
			t.Error("the address is not suppressed")
		}
		save(t, db, 0, tickets.Change{Brand: "acme", Restore: []string{"Anna@Customer.example"}})
		if found = find(t, db, tickets.Keys{Sender: anna}); found.Suppressed {
			t.Error("the address is still suppressed")
		}
		_, info, raw, err := db.LetterByID(t.Context(), saved.Letters[0])
		if err != nil || info.State != store.LetterBounced || info.Code != "5.1.1" || string(raw) != "letter" {
			t.Errorf("letter: %+v, %q, %v", info, raw, err)
		}
		events := must(db.Events(t.Context(), saved.Tickets[0]))(t)
		if last := events[len(events)-1]; last.What != "letter bounced" || last.Outcome != "bounced: 5.1.1 no such user" {
			t.Errorf("last event: %+v", last)
		}
		// A delay reported later does not undo it.
		save(t, db, 0, tickets.Change{Brand: "acme", Bounces: []tickets.LetterBounce{{Letter: saved.Letters[0], State: "delayed"}}})
		if _, info, _, _ = db.LetterByID(t.Context(), saved.Letters[0]); info.State != store.LetterBounced || info.Code != "5.1.1" {
			t.Errorf("letter after a delay report: %+v", info)
		}
	})
}
