package intake

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// TestLongNames: a subject, a msg-id or an address that no index takes made a
// mail poison on PostgreSQL.
func TestLongNames(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		_, rules := workerDesk(t, 1)
		var b strings.Builder
		for b.Len() < 20000 {
			b.WriteString(rand.Text())
		}
		long := b.String()
		for i, f := range []string{"Subject: " + long, "Message-ID: <" + long + "@x>", "References: <" + long + "@x> <" + long + "2@x>", "Cc: " + long + "@x.example"} {
			raw := fmt.Appendf(nil, "From: maria@example.org\r\nDate: Mon, 2 Mar 2026 10:00:0%d +0000\r\n%s\r\n\r\nHello.\r\n", i, f)
			item := newItem("test:", Address{Brand: "baleyo", Mailbox: "support@baleyo.test"}, nil, raw, time.Now())
			if _, err := db.Append(t.Context(), []store.Item{item}, nil); err != nil {
				t.Fatal(err)
			}
		}
		w := NewWorker(WorkerOptions{Brand: "baleyo", DB: db, Rules: func() tickets.Rules { return rules }})
		if _, err := w.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		tally, err := db.Tally(t.Context(), "")
		if err != nil || tally.ByDisposition[tickets.DisposeMessage] != 4 {
			t.Errorf("%+v, %v", tally, err)
		}
		if n, err := db.Index(t.Context(), 100); err != nil || n != 4 {
			t.Errorf("indexed %d, %v", n, err)
		}
	})
	if a, b := short(strings.Repeat("ä", 1000)+"1"), short(strings.Repeat("ä", 1000)+"2"); a == b || len(a) > longest || short("x") != "x" {
		t.Errorf("%d bytes, the same: %v", len(a), a == b)
	}
}
