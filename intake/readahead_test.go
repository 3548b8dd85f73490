package intake

import (
	"context"
	"fmt"
	"testing"
	"time"

	"frontdesk/parser"
	"frontdesk/tickets"
)

// While one group is decided the next is read; it is decided after it, in order
// of arrival, and given back when the worker stops before.
func TestReadAhead(t *testing.T) {
	t.Parallel()
	db, rules := workerDesk(t, 12)
	parsed := make(chan string, 100)
	w := NewWorker(WorkerOptions{
		Brand: "baleyo", DB: db, Group: 4, Rules: func() tickets.Rules { return rules },
		Parse: func(raw []byte, opt parser.Options) *parser.Mail {
			m := parser.Parse(raw, opt)
			parsed <- m.Subject
			return m
		},
	})
	if n, err := w.Pass(t.Context()); n != 4 || err != nil {
		t.Fatalf("first pass: %d, %v", n, err)
	}
	for range 8 { // the second group, too, without a second pass
		<-parsed
	}
	w.leave(context.WithoutCancel(t.Context()))
	rows, err := db.ClaimLedger(t.Context(), "baleyo", 100, time.Now(), time.Now())
	if err != nil || len(rows) != 8 || rows[0].ID != 5 || rows[0].Attempts != 0 {
		t.Fatalf("after the stop: %d rows, %v; want the 8 that were not decided, as if never claimed", len(rows), err)
	}
	if err := db.ReturnLedger(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if n, err := w.Pass(t.Context()); n != 4 || err != nil {
			t.Fatalf("pass: %d, %v", n, err)
		}
	}
	for id := int64(1); id <= 12; id++ {
		e, err := db.Entry(t.Context(), id)
		if err != nil || e.Disposition != tickets.DisposeMessage || e.Subject != fmt.Sprint(id-1) {
			t.Errorf("row %d: %+v, %v", id, e, err)
		}
		if id > 1 && e.Message != 0 {
			before, err := db.Entry(t.Context(), id-1)
			if err != nil || before.Message >= e.Message {
				t.Errorf("row %d became message %d, the one before it %d (%v)", id, e.Message, before.Message, err)
			}
		}
	}
}
