package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

func TestLedgerKeysOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		a, b := open(), open()
		var wg sync.WaitGroup
		added := make([]int, 8)
		for i := range added {
			db := []*store.DB{a, b}[i%2]
			wg.Go(func() {
				n, err := db.Append(t.Context(), items(1, 40), nil)
				if err != nil {
					t.Error(err)
				}
				added[i] = n
			})
		}
		wg.Wait()
		sum := 0
		for _, n := range added {
			sum += n
		}
		if tally := must(a.Tally(t.Context(), ""))(t); sum != 40 || tally.Total != 40 {
			t.Errorf("added %v, total %d, want 40 in all", added, tally.Total)
		}
	})
}

func TestAppendKeepsRowAndCursorTogether(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		bad := items(1, 3)
		bad[2].Channel = "carrier pigeon" // refused by the schema
		if _, err := db.Append(t.Context(), bad, &store.Cursor{Mailbox: "support@example.org", Folder: "INBOX", UIDValidity: 7, UID: 3}); err == nil {
			t.Fatal("a row that the schema refuses was taken")
		}
		if tally := must(db.Tally(t.Context(), ""))(t); tally.Total != 0 {
			t.Errorf("%d rows are left of a failed append", tally.Total)
		}
		if c := must(db.Cursor(t.Context(), "support@example.org", "INBOX"))(t); c.UID != 0 {
			t.Errorf("the cursor moved to %d without its rows", c.UID)
		}
	})
}

func TestNullAndUnknownSender(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		list := items(1, 2)
		list[0].Sender = new(string)
		if _, err := db.Append(t.Context(), list, nil); err != nil {
			t.Fatal(err)
		}
		rows := claim(t, db, 2, noon)
		if rows[0].Sender == nil || *rows[0].Sender != "" || rows[1].Sender != nil {
			t.Errorf("senders %v and %v, want \"\" and nil", rows[0].Sender, rows[1].Sender)
		}
	})
}

func TestKnownAndUIDs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		list := items(1, 5)
		list = append(list, list[0])
		list[5].Key = "imap:support@example.org:INBOX:8:1" // the same mail under another UIDVALIDITY
		other := item(9)
		other.Key, other.Folder = "lmtp:01J", ""
		if _, err := db.Append(t.Context(), append(list, other), nil); err != nil {
			t.Fatal(err)
		}
		known := must(db.Known(t.Context(), "Support@example.org", "INBOX", [][32]byte{item(1).SHA256, item(2).SHA256, item(77).SHA256, item(9).SHA256}))(t)
		diff(t, "known", known, map[[32]byte]int{item(1).SHA256: 2, item(2).SHA256: 1})
		uids := must(db.LedgerUIDs(t.Context(), "support@example.org", "INBOX", 7, 3))(t)
		diff(t, "uids", uids, map[uint32]bool{3: true, 4: true, 5: true})
	})
}

func TestClaimRace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		const total = 200
		if _, err := db.Append(t.Context(), items(1, total), nil); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		seen := make(map[int64]int)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for {
					rows, err := db.ClaimLedger(t.Context(), "acme", 7, noon, noon.Add(time.Minute))
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for _, r := range rows {
						seen[r.ID]++
					}
					done := len(seen) >= total
					mu.Unlock()
					if len(rows) == 0 && done {
						return
					}
				}
			})
		}
		wg.Wait()
		for id, n := range seen {
			if n != 1 {
				t.Errorf("row %d was handed out %d times", id, n)
			}
		}
		if len(seen) != total {
			t.Errorf("%d rows were handed out, want %d", len(seen), total)
		}
	})
}

// TestReturned: rows that are given back can be claimed at once, together, and
// no attempt is counted; what somebody else has taken over stays his.
func TestReturned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		if _, err := db.Append(t.Context(), items(1, 3), nil); err != nil {
			t.Fatal(err)
		}
		old := claim(t, db, 3, noon)
		taken := claim(t, db, 1, noon.Add(time.Minute))
		if err := db.ReturnLedger(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		again := claim(t, db, 3, noon.Add(time.Minute))
		if len(again) != 2 || again[0].ID != old[1].ID || again[0].Attempts != 0 || again[1].Attempts != 0 {
			t.Errorf("claimed again: %+v, want the last two at attempt 0", again)
		}
		if len(taken) != 1 || taken[0].ID != old[0].ID {
			t.Errorf("taken over: %+v", taken)
		}
	})
}

func TestClaimRunsOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		if _, err := db.Append(t.Context(), items(1, 2), nil); err != nil {
			t.Fatal(err)
		}
		first := claim(t, db, 2, noon)
		if got := claim(t, db, 2, noon.Add(59*time.Second)); len(got) != 0 {
			t.Fatalf("%d claimed rows were handed out again", len(got))
		}
		// Suspects are handed out one by one, at attempt 1 and the next epoch.
		again := slices.Concat(claim(t, db, 2, noon.Add(time.Minute)), claim(t, db, 2, noon.Add(time.Minute)))
		if len(again) != 2 || again[0].ID != first[0].ID || again[1].ID != first[1].ID || again[0].Attempts != 1 || again[0].Epoch != first[0].Epoch+1 {
			t.Fatalf("claimed again: %+v, want the same rows, each alone, at attempt 1 and the next epoch", again)
		}
		// The late worker and the new one both decide: once.
		c := newTicket("anna@customer.example", "printer", "a@x")
		save(t, db, again[0].ID, c)
		err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
			_, err := tx.Save(t.Context(), first[0].ID, "", "", c, noon)
			return err
		})
		if !errors.Is(err, store.ErrLost) {
			t.Errorf("second decision: %v, want ErrLost", err)
		}
		if list := must(db.Tickets(t.Context(), store.TicketQuery{}))(t); len(list) != 1 {
			t.Errorf("%d tickets, want 1", len(list))
		}
	})
}

func TestQuarantine(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		if _, err := db.Append(t.Context(), items(1, 4), nil); err != nil {
			t.Fatal(err)
		}
		rows := claim(t, db, 4, noon)
		held := tickets.Change{Brand: "acme", Disposition: tickets.DisposeQuarantined, Reason: "loop", Detail: "31 Received fields"}
		for _, r := range rows[:3] {
			save(t, db, r.ID, held)
		}
		list := must(db.Quarantine(t.Context()))(t)
		if len(list) != 3 || list[0].Reason != "loop" || list[0].From != "anna@customer.example" {
			t.Fatalf("quarantine: %+v", list)
		}
		ids := []int64{rows[0].ID, rows[3].ID, 999}
		if n, err := db.ReleaseQuarantined(t.Context(), ids, "boss@example.org", noon); n != 1 || err != nil {
			t.Errorf("released %d, %v, want 1", n, err)
		}
		if n, err := db.DropQuarantined(t.Context(), []int64{rows[1].ID, rows[0].ID}, "boss@example.org", noon); n != 1 || err != nil {
			t.Errorf("dropped %d, %v, want 1", n, err)
		}
		got := claim(t, db, 4, noon)
		if len(got) != 1 || got[0].ID != rows[0].ID || got[0].Released != "boss@example.org" || got[0].Attempts != 0 {
			t.Errorf("claimed after release: %+v", got)
		}
		// Held again for something else: both reasons are answered then.
		held.Reason = "blocked"
		save(t, db, rows[0].ID, held)
		if _, err := db.ReleaseQuarantined(t.Context(), []int64{rows[0].ID}, "Bo Ss", noon); err != nil {
			t.Fatal(err)
		}
		got = claim(t, db, 4, noon)
		if len(got) != 1 || got[0].Released != "Bo_Ss" || fmt.Sprint(got[0].Answered) != "[loop blocked]" {
			t.Errorf("claimed after two releases: %+v", got)
		}
		// A decision can release and drop too.
		save(t, db, 0, tickets.Change{Brand: "acme", Release: []int64{rows[2].ID}, ReleaseBy: "anna@example.org"})
		tally := must(db.Tally(t.Context(), "support@example.org"))(t)
		diff(t, "tally", tally, store.Tally{Total: 4, Undecided: 3, ByDisposition: map[tickets.Disposition]int{tickets.DisposeDiscarded: 1}, ByChannel: map[tickets.Channel]int{tickets.ChannelMail: 4}})
	})
}

func TestCommandsAreClaimedLikeMail(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		var list []store.Item
		for i, ch := range []tickets.Channel{tickets.ChannelWeb, tickets.ChannelShell} {
			list = append(list, store.Item{Key: fmt.Sprintf("%s:%d", ch, i), Brand: "acme", Channel: ch, Received: noon, Data: []byte(`{"do":"confirm"}`)})
		}
		if _, err := db.Append(t.Context(), list, nil); err != nil {
			t.Fatal(err)
		}
		if rows := claim(t, db, 9, noon); len(rows) != 2 || rows[0].Channel != tickets.ChannelWeb || string(rows[1].Data) != `{"do":"confirm"}` {
			t.Errorf("claimed: %+v", rows)
		}
	})
}

// What was told to anybody is on disk; claims end with the process anyway.
func TestOnlyClaimsAreNotSynced(t *testing.T) {
	t.Parallel()
	db := must(store.Open(t.Context(), store.Options{Database: filepath.Join(t.TempDir(), "desk.db"), Daemon: true}))(t)
	t.Cleanup(func() { db.Close() })
	synced := func(what string, want int) {
		t.Helper()
		if got := must(store.Synchronous(t.Context(), db))(t); got != want {
			t.Errorf("after %s: synchronous is %d, want %d", what, got, want)
		}
	}
	synced("start", 2)
	for n := range 2 {
		if _, err := db.Append(t.Context(), items(n+1, n+1), nil); err != nil {
			t.Fatal(err)
		}
		synced("an append", 2)
		row := claim(t, db, 1, noon)[0]
		synced("a claim", 1)
		c := newTicket("anna@customer.example", "printer", "a@x")
		c.Tickets[0].Letters = append(c.Tickets[0].Letters, ack("anna@customer.example", fmt.Sprint(n)))
		save(t, db, row.ID, c)
		synced("a decision", 2)
		claimed := claimLetters(t, db, noon)
		synced("a claim of letters", 1)
		for _, o := range claimed {
			if err := db.MarkDot(t.Context(), o.Letter.ID, o.Epoch, &store.Rendering{MessageID: fmt.Sprint(n, "@x")}, noon); err != nil {
				t.Fatal(err)
			}
			synced("a dot", 2)
		}
	}
}
