package notify

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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

// claims counts claims.
type claims struct {
	*store.DB
	n atomic.Int64
}

func (c *claims) ClaimLetters(ctx context.Context, claim store.LetterClaim) ([]store.Outgoing, error) {
	c.n.Add(1)
	return c.DB.ClaimLetters(ctx, claim)
}

// While letters come in bursts, those of several bursts are claimed together,
// and none waits long for others.
func TestBurstsAreClaimedTogether(t *testing.T) {
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, b *bench) {
		box := &claims{DB: b.db}
		b.box = box
		b.start()
		synctest.Wait()
		before, n := box.n.Load(), 0
		for range 40 { // bursts, 5 ms apart
			var letters []tickets.Letter
			for range 5 {
				letters = append(letters, letterTo(fmt.Sprintf("c%d@keller.example", n)))
				n++
			}
			b.queue(letters...)
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(claimRest)
		synctest.Wait()
		b.wantMails(supportBox, n)
		if got := box.n.Load() - before; got > 20 { // fewer than half
			t.Errorf("%d claims of %d letters that came in 40 bursts", got, n)
		}
	})
}
