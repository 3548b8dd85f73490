package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

func contact(t testing.TB, db *store.DB, name string) (rows []store.ContactRow) {
	t.Helper()
	err := db.Decide(t.Context(), "acme", func(tx *store.Tx) (err error) {
		rows, err = tx.Contact(t.Context(), name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestContactHasAllItsRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		add(t, db, webhook("call:CA1/0", "call:CA1", tickets.ChannelVoice), webhook("call:CA2/0", "call:CA2", tickets.ChannelVoice), item(1))
		recording := webhook("media:RE1", "call:CA1", tickets.ChannelVoice)
		recording.Data = bytes.Repeat([]byte("sound"), 60_000)
		add(t, db, recording, webhook("call:CA1/end", "call:CA1", tickets.ChannelVoice, media(0)))
		save(t, db, claim(t, db, 1, noon)[0].ID, tickets.Change{Brand: "acme", Disposition: tickets.DisposeRecorded})

		var got []string
		for _, r := range contact(t, db, "call:CA1") {
			got = append(got, fmt.Sprintf("%s %q size=%d decided=%v waiting=%v", r.Key, r.Data, r.Size, r.Decided, r.Waiting))
		}
		diff(t, "rows", got, []string{
			`call:CA1/0 "webhook call:CA1/0" size=18 decided=true waiting=false`,
			`media:RE1 "" size=300000 decided=false waiting=false`,
			`call:CA1/end "webhook call:CA1/end" size=20 decided=false waiting=true`,
		})
		if rows := contact(t, db, ""); len(rows) != 0 {
			t.Errorf("rows of no contact: %+v", rows)
		}
	})
}

// A decision that is put off saves nothing, and is no failed attempt.
func TestDeferredDecision(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		add(t, db, webhook("call:CA1/0", "call:CA1", tickets.ChannelVoice))
		put := func(row store.Claimed, until time.Time) error {
			c := newTicket("tel:+4930123", "call", "")
			c.Defer = until
			return db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
				_, err := tx.SaveClaimed(t.Context(), row, "", "", c, noon)
				return err
			})
		}
		now := noon
		for i := range 5 {
			rows := claim(t, db, 9, now)
			if len(rows) != 1 || rows[0].Attempts != 0 {
				t.Fatalf("claim %d: %+v, want the row at attempt 0", i, rows)
			}
			until := now.Add(time.Hour)
			if err := put(rows[0], until); err != nil {
				t.Fatal(err)
			}
			if early := claim(t, db, 9, until.Add(-time.Second)); len(early) != 0 {
				t.Fatalf("claimed %+v before its time", early)
			}
			now = until
		}
		if list := must(db.Tickets(t.Context(), store.TicketQuery{}))(t); len(list) != 0 {
			t.Errorf("a decision that was put off made %d tickets", len(list))
		}
		// Of two workers the late one puts nothing off.
		first := claim(t, db, 1, now)[0]
		second := claim(t, db, 1, now.Add(time.Minute))[0]
		if err := put(first, now.Add(24*time.Hour)); !errors.Is(err, store.ErrLost) {
			t.Errorf("the late worker: %v, want ErrLost", err)
		}
		save(t, db, second.ID, tickets.Change{Brand: "acme", Disposition: tickets.DisposeRecorded})
		if err := put(second, now); !errors.Is(err, store.ErrLost) {
			t.Errorf("putting a decided row off: %v, want ErrLost", err)
		}
	})
}

// What a contact waited for has come: its rows may be decided at once, and a
// worker that looked before loses what it found.
func TestLetGo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for i, c := range []string{"call:CA1", "call:CA1", "call:CA2", ""} {
			row := webhook(fmt.Sprint("row", i), c, tickets.ChannelVoice)
			row.Hold = noon.Add(time.Hour)
			add(t, db, row)
		}
		for _, c := range []string{"call:CA1", "", "call:CA9"} {
			if err := db.LetGo(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		rows := claim(t, db, 9, noon)
		diff(t, "let go", keysOf(rows), []string{"row0", "row1"})
		save(t, db, rows[0].ID, tickets.Change{Brand: "acme", Disposition: tickets.DisposeRecorded})
		if err := db.LetGo(t.Context(), "call:CA1"); err != nil {
			t.Fatal(err)
		}
		err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
			_, err := tx.SaveClaimed(t.Context(), rows[1], "", "", tickets.Change{Brand: "acme", Disposition: tickets.DisposeRecorded}, noon)
			return err
		})
		if !errors.Is(err, store.ErrLost) {
			t.Errorf("decision made before the rest came: %v, want ErrLost", err)
		}
		diff(t, "let go again", keysOf(claim(t, db, 9, noon)), []string{"row1"})
	})
}
