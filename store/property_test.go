package store_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"

	"pgregory.net/rapid"
)

// Whatever is appended, claimed, decided, undone, released and dropped, in
// whatever order: every ledger row is undecided or has one disposition, and
// every row that became a message has it.
func TestTallyAddsUp(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		m := &desk{db: db, t: t, mailbox: fmt.Sprintf("box%d@example.org", run), brand: fmt.Sprint("brand", run), now: noon}
		rt.Repeat(map[string]func(*rapid.T){
			"append":  m.append,
			"decide":  m.decide,
			"release": m.release,
			"drop":    m.drop,
			"":        m.check,
		})
	})
}

// desk is the model: what the tally must say.
type desk struct {
	db             *store.DB
	t              *testing.T
	mailbox, brand string
	now            time.Time
	appended       int
	decided        map[int64]tickets.Disposition
	messages       []int64
}

func (m *desk) append(rt *rapid.T) {
	var list []store.Item
	for range rapid.IntRange(1, 5).Draw(rt, "items") {
		it := item(rapid.IntRange(1, 30).Draw(rt, "uid"))
		it.Key, it.Mailbox, it.Brand = fmt.Sprintf("imap:%s:INBOX:7:%d", m.mailbox, rapid.IntRange(1, 30).Draw(rt, "key")), m.mailbox, m.brand
		list = append(list, it)
	}
	n, err := m.db.Append(m.t.Context(), list, nil)
	if err != nil {
		rt.Fatal(err)
	}
	m.appended += n
}

func (m *desk) decide(rt *rapid.T) {
	m.now = m.now.Add(time.Hour)
	rows, err := m.db.ClaimLedger(m.t.Context(), m.brand, rapid.IntRange(1, 4).Draw(rt, "rows"), m.now, m.now.Add(time.Minute))
	if err != nil {
		rt.Fatal(err)
	}
	if m.decided == nil {
		m.decided = make(map[int64]tickets.Disposition)
	}
	saved := make(map[int64]store.Saved)
	made := make(map[int64]tickets.Disposition)
	err = m.db.Decide(m.t.Context(), m.brand, func(tx *store.Tx) error {
		clear(saved) // it may run again, from its start
		clear(made)
		for _, row := range rows {
			c := m.change(rt)
			undo := rapid.Bool().Draw(rt, "undo")
			_ = tx.Try(m.t.Context(), func() error {
				s, err := tx.Save(m.t.Context(), row.ID, "", "", c, m.now)
				if err != nil || undo {
					return fmt.Errorf("undone: %v", err)
				}
				saved[row.ID], made[row.ID] = s, c.Disposition
				return nil
			})
		}
		if rapid.IntRange(0, 4).Draw(rt, "fail") == 0 {
			clear(made)
			return fmt.Errorf("all undone")
		}
		return nil
	})
	if err != nil && len(made) > 0 {
		rt.Fatal(err)
	}
	for id, d := range made {
		m.decided[id] = d
		m.messages = append(m.messages, saved[id].Messages...)
	}
}

func (m *desk) change(rt *rapid.T) tickets.Change {
	d := rapid.SampledFrom([]tickets.Disposition{tickets.DisposeMessage, tickets.DisposeRecorded, tickets.DisposeQuarantined,
		tickets.DisposeDiscarded, tickets.DisposeDuplicate}).Draw(rt, "disposition")
	c := tickets.Change{Brand: m.brand, Disposition: d}
	switch d {
	case tickets.DisposeMessage:
		c = newTicket(fmt.Sprintf("c%d@customer.example", rapid.IntRange(1, 9).Draw(rt, "customer")), "printer", fmt.Sprint(rapid.Int64().Draw(rt, "msgid"), "@x"))
		c.Brand, c.Tickets[0].Ticket.Brand, c.Tickets[0].Letters = m.brand, m.brand, nil
	case tickets.DisposeDuplicate:
		if len(m.messages) == 0 {
			c.Disposition = tickets.DisposeRecorded
			break
		}
		c.Duplicate = rapid.SampledFrom(m.messages).Draw(rt, "of")
	}
	return c
}

// quarantined are some of the rows in quarantine, and one that is not.
func (m *desk) quarantined(rt *rapid.T) (ids []int64, want int) {
	for _, id := range slices.Sorted(maps.Keys(m.decided)) {
		d := m.decided[id]
		if rapid.Bool().Draw(rt, "take") {
			ids = append(ids, id)
			if d == tickets.DisposeQuarantined {
				want++
			}
		}
	}
	return ids, want
}

func (m *desk) release(rt *rapid.T) {
	ids, want := m.quarantined(rt)
	n, err := m.db.ReleaseQuarantined(m.t.Context(), ids, "boss", m.now)
	if err != nil || n != want {
		rt.Fatalf("released %d of %v, %v, want %d", n, ids, err, want)
	}
	for _, id := range ids {
		if m.decided[id] == tickets.DisposeQuarantined {
			delete(m.decided, id)
		}
	}
}

func (m *desk) drop(rt *rapid.T) {
	ids, want := m.quarantined(rt)
	n, err := m.db.DropQuarantined(m.t.Context(), ids, "boss", m.now)
	if err != nil || n != want {
		rt.Fatalf("dropped %d of %v, %v, want %d", n, ids, err, want)
	}
	for _, id := range ids {
		if m.decided[id] == tickets.DisposeQuarantined {
			m.decided[id] = tickets.DisposeDiscarded
		}
	}
}

func (m *desk) check(rt *rapid.T) {
	tally, err := m.db.Tally(m.t.Context(), m.mailbox)
	if err != nil {
		rt.Fatal(err)
	}
	want := make(map[tickets.Disposition]int)
	for _, d := range m.decided {
		want[d]++
	}
	sum := tally.Undecided
	for d, n := range tally.ByDisposition {
		sum += n
		if n != want[d] {
			rt.Fatalf("%d rows %s, want %d", n, d, want[d])
		}
	}
	if tally.Total != m.appended || sum != m.appended || tally.Undecided != m.appended-len(m.decided) {
		rt.Fatalf("tally %+v, want %d in all, %d decided", tally, m.appended, len(m.decided))
	}
	if tally.Messages != want[tickets.DisposeMessage] {
		rt.Fatalf("%d rows have messages, want %d", tally.Messages, want[tickets.DisposeMessage])
	}
}
