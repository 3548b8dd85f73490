package torture

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"frontdesk/internal/testdesk"
	"frontdesk/internal/testmail"
)

// TestSyncFailsOnce: A05. One fdatasync answers EIO, the n-th. The mail in hand
// gets no 250; nothing is written after it, for the kernel takes pages that it
// could not write for written; the daemon says why and ends with an error, and
// systemd starts it again. The mail server brings again what was not accepted.
func TestSyncFailsOnce(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "strace")
	b := newBench(t, benchOptions{})
	for n, survived := 1, false; !survived; n += pick(5, 1) {
		if n > 200 {
			t.Fatal("no daemon survived: its 200th sync failed, too")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		sent := make(chan struct{})
		low := b.queue.accepted()
		go func() { defer close(sent); b.queue.deliver(ctx, low, low+3, 2) }()
		survived = b.failsAt(n, sent)
		b.d.MustStart()
		<-sent
		cancel()
		b.d.Kill()
	}
	b.finish("A05 a sync fails once")
}

// failsAt runs the daemon until its n-th sync fails, and looks at how it ends,
// or until its work is done.
func (b *bench) failsAt(n int, sent <-chan struct{}) (survived bool) {
	b.t.Helper()
	err := b.d.Start(straced(b, "-e", "trace=fdatasync,fsync", "-e", fmt.Sprintf("inject=fdatasync,fsync:error=EIO:when=%d", n))...)
	defer b.d.Kill()
	if err != nil && !errors.Is(err, testdesk.ErrEndedEarly) {
		b.t.Fatal(err)
	}
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); {
		if how, ended := b.d.Ends(50 * time.Millisecond); ended {
			b.faults++
			if how == nil {
				b.t.Errorf("sync %d failed, and the daemon ended without an error", n)
			}
			if err == nil && !b.logged("level=ERROR", "database not trusted") {
				b.t.Errorf("sync %d failed, and the log does not say why the daemon ended:\n%s", n, b.d.Log(20))
			}
			return false
		}
		select {
		case <-sent:
			if len(b.acknowledged()) >= b.accepted() && b.waiting() == 0 {
				return true
			}
		default:
		}
	}
	b.t.Fatalf("sync %d failed, and the daemon went on; its log:\n%s", n, b.d.Log(20))
	return false
}
