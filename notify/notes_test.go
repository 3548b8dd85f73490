package notify

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"frontdesk/internal/testmail"
	"frontdesk/store"
	"frontdesk/tickets"
)

// noting is a store that notes what was sent, and counts its transactions.
type noting struct {
	*store.DB
	marks, noted atomic.Int64
	full         bool
}

func (n *noting) NoteSent(store.Result) bool {
	if n.full {
		return false
	}
	n.noted.Add(1)
	return true
}

func (n *noting) Mark(ctx context.Context, results []store.Result) (int, error) {
	n.marks.Add(1)
	return n.DB.Mark(ctx, results)
}

// Letters that are noted share the transaction of their results; the last one
// does not wait for another. Where nothing can be noted, each is stored before
// the next one's dot.
func TestNotedLettersShareATransaction(t *testing.T) {
	for _, full := range []bool{false, true} {
		inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
			box := &noting{DB: b.db, full: full}
			b.box, b.opt.Connections = box, 1
			var letters []tickets.Letter
			for i := range 30 {
				letters = append(letters, letterTo(fmt.Sprintf("c%d@keller.example", i)))
			}
			ids := b.queue(letters...)
			b.start()
			synctest.Wait()
			b.wantMails(supportBox, len(ids))
			for _, id := range ids {
				b.wantState(id, store.LetterSent, 1)
			}
			switch marks := box.marks.Load(); {
			case full && marks < 29:
				t.Errorf("%d letters that are not noted stored by %d transactions: more than one is in doubt in between", len(ids), marks)
			case !full && (marks > 10 || box.noted.Load() != 30):
				t.Errorf("%d letters noted, stored by %d transactions", box.noted.Load(), marks)
			}
		})
	}
}
