package store_test

import (
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// TestWhatMayHaveLeftBeforeARestore: letters that waited are held, and so are
// those that are decided about what came, or was due, before the restore.
func TestWhatMayHaveLeftBeforeARestore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		letter := func(key string) tickets.Letter {
			return tickets.Letter{Key: key, Mailbox: "m@b.test", Kind: tickets.LetterAcknowledgement, To: tickets.Address{Address: key + "@c.test"}}
		}
		save(t, db, 0, tickets.Change{Brand: "acme", Letters: []tickets.Letter{letter("waited")}})
		restored := noon.Add(time.Hour)
		if held, err := db.NoteRestore(t.Context(), restored); held != 1 || err != nil {
			t.Fatalf("%d letters held, want 1: %v", held, err)
		}
		db = open() // as the daemon does that starts then
		if !db.Restored().Equal(restored) {
			t.Fatalf("restored at %s, want %s", db.Restored(), restored)
		}
		items := []store.Item{
			{Key: "old", Received: restored, Brand: "acme", Mailbox: "m@b.test", Channel: tickets.ChannelMail, Data: []byte("a")},
			{Key: "new", Received: restored.Add(time.Second), Brand: "acme", Mailbox: "m@b.test", Channel: tickets.ChannelMail, Data: []byte("b")},
		}
		if _, err := db.Append(t.Context(), items, nil); err != nil {
			t.Fatal(err)
		}
		later := restored.Add(time.Hour)
		rows, err := db.ClaimLedger(t.Context(), "acme", 10, later, later.Add(time.Minute))
		if err != nil || len(rows) != 2 {
			t.Fatal(rows, err)
		}
		err = db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
			ctx := t.Context()
			for _, r := range rows {
				l := letter(r.Key)
				l.Held = map[string]string{"old": "until the customer writes"}[r.Key]
				if _, err := tx.SaveClaimed(ctx, r, "", "", tickets.Change{Brand: "acme", Disposition: tickets.DisposeMessage, Letters: []tickets.Letter{l}}, later); err != nil {
					return err
				}
			}
			for _, c := range []struct {
				key string
				at  time.Time
			}{{"was due", restored.Add(-time.Hour)}, {"due now", later}, {"", time.Time{}}} {
				if _, err := tx.Save(store.Caused(ctx, c.at), 0, "", "", tickets.Change{Brand: "acme", Letters: []tickets.Letter{letter(c.key)}}, later); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, l := range must(db.LettersWhere(t.Context(), nil, 0, 0))(t) {
			got[l.To] = l.State + " " + l.Code
		}
		diff(t, "letters", got, map[string]string{
			"waited@c.test": "held restored", "old@c.test": "held restored", "new@c.test": "queued ",
			"was due@c.test": "held restored", "due now@c.test": "queued ", "@c.test": "queued ",
		})
		for _, l := range must(db.LettersWhere(t.Context(), []string{store.LetterHeld}, 0, 0))(t) {
			if err := db.SetLetter(t.Context(), l.ID, store.LetterQueued, "boss", later); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(claimLetters(t, db, later)); n != 6 {
			t.Errorf("%d letters leave once the operator has let them go, want 6", n)
		}
	})
}
