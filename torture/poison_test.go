package torture

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

const deadly = "THE WORDS OF DEATH"

// TestPoisonMailAmongOthers: A19. A mail that ends the process whenever it is
// looked at, among a hundred: started again and again, as systemd does, the desk
// puts it into quarantine with its bytes, and the others become tickets.
func TestPoisonMailAmongOthers(t *testing.T) {
	t.Parallel()
	mails, poisoned := pick(40, 100), 17
	b := newBench(t, benchOptions{})
	b.d.Env = []string{"FRONTDESK_TESTING=1", "FRONTDESK_TEST_POISON=" + deadly}
	b.held = map[int]bool{poisoned: true}
	b.queue.body = map[int]string{poisoned: deadly}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	sent := make(chan struct{})
	go func() { defer close(sent); b.queue.deliver(ctx, 0, mails, 2) }()
	held := func() bool { return len(b.d.JSON("quarantine", "list")) == 1 }
	for all := false; !all; {
		if err := b.d.Start(); err == nil {
			for ended := false; !ended && !all; {
				if _, ended = b.d.Ends(200 * time.Millisecond); !ended {
					all = held()
				}
			}
		}
		if all {
			<-sent // nothing ends the desk any more: all are accepted
			b.settle()
		} else {
			b.faults++
		}
		b.d.Kill()
		if b.faults > 8 {
			t.Fatalf("the daemon ended %d times; its log:\n%s", b.faults, b.d.Log(20))
		}
	}
	list := b.d.JSON("quarantine", "list")
	if list[0]["reason"] != "poison" {
		t.Errorf("quarantine: %v", list)
	}
	raw, err := b.d.Run("quarantine", "show", fmt.Sprint(list[0]["id"]), "--raw")
	if err != nil || !strings.Contains(raw, deadly) {
		t.Errorf("the bytes are not whole: %v\n%s", err, raw)
	}
	if !b.logged("level=WARN", "outcome=quarantined", "reason=poison") {
		t.Errorf("the log does not tell:\n%s", b.d.Log(20))
	}
	b.finish("A19 poison among others")
}
