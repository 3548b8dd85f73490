package torture

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testdesk"
	"frontdesk/internal/testmail"
	"frontdesk/parser"
)

// letter is what the outbox says of one.
type letter struct{ kind, to, id string }

// letters lists those of a kind, whatever became of them.
func (b *bench) letters(kind string) (list []letter) {
	b.t.Helper()
	for _, l := range b.d.JSON("outbox", "list", "--all", "--limit", "1000000") {
		if l["kind"] == kind {
			list = append(list, letter{kind, fmt.Sprint(l["to"]), fmt.Sprint(l["message_id"])})
		}
	}
	return list
}

// TestKilledWithinSchedules: G05. A warranty ends, resolved tickets are silent: a
// reminder, a question, a notice. The daemon is killed at its first sync, its
// second, and so on, while it sees to each of them, and started again. Each leaves
// once.
func TestKilledWithinSchedules(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "strace")
	const day = 24 * time.Hour
	customers := pick(2, 12)
	clock := newClock(t)
	clock.step(time.Until(time.Now().UTC().Truncate(day).Add(day + 4*time.Hour))) // 09:45 where the brand is
	b := newBench(t, benchOptions{clock: clock, wait: time.Minute,
		more: "schedules:\n  warranty_reminder: {cron: \"0 8 * * *\", days_before: [30]}\nclosing: {remind_after: 3 days, close_after: 7 days}\n"})
	b.d.MustStart()
	b.queue.deliver(t.Context(), 0, customers, 2)
	b.settle()
	sold := "serial,customer,warranty_until\n"
	for n := range customers {
		who, _ := request(n, lmtpBox)
		sold += fmt.Sprintf("LJ-%d,%s,%s\n", n, who, clock.now().Add(32*day).Format(time.DateOnly))
	}
	file := filepath.Join(b.d.Dir, "sold.csv")
	if err := os.WriteFile(file, []byte(sold), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := b.d.Run("products", "import", file); err != nil {
		t.Fatal(err, out)
	}
	for _, tk := range b.d.JSON("tickets", "list", "--limit", "1000") {
		if _, err := b.d.Run("tickets", "set", fmt.Sprint(tk["id"]), "status=resolved"); err != nil {
			t.Fatal(err)
		}
	}
	b.settleLetters(time.Minute)
	b.d.Kill()
	resolved := clock.now()
	phases := []struct {
		kind  string
		after time.Duration // of the resolution
	}{{"reminder", 2 * day}, {"silence", 3*day + time.Hour}, {"closed", 7*day + 2*time.Hour}}
	for _, p := range phases {
		clock.step(resolved.Add(p.after).Sub(clock.now()))
		done := func() bool { return b.arrived(p.kind) >= customers }
		had := b.faults
		for n := 1; !done(); n += pick(3, 1) {
			if n > 100 {
				t.Fatalf("%s: killed at its 100th sync, and %d of %d letters arrived", p.kind, b.arrived(p.kind), customers)
			}
			b.killedWhen(n, done)
		}
		t.Logf("%s: %d kills until %d letters had arrived", p.kind, b.faults-had, customers)
		if b.faults == had {
			t.Errorf("%s: no kill fell into the work", p.kind)
		}
	}
	b.d.MustStart()
	<-time.After(pick(time.Second, 35*time.Second)) // whoever would do it again
	b.settleLetters(time.Minute)
	if err := b.d.Stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	r := row{name: "G05 killed within schedules", faults: b.faults, in: len(phases) * customers}
	for _, p := range phases {
		written := map[string]int{} // by customer
		for _, l := range b.letters(p.kind) {
			written[l.to]++
		}
		for n := range customers {
			who, _ := request(n, lmtpBox)
			copies := b.copies(p.kind, who)
			switch {
			case written[who] == 0 || len(copies) == 0:
				r.lost++
			default:
				r.out++
				r.doubled += written[who] - 1
			}
			for _, again := range copies[min(1, len(copies)):] {
				r.doubt++
				if !bytes.Equal(again, copies[0]) {
					t.Errorf("%s has two different letters of kind %s", who, p.kind)
				}
			}
		}
	}
	if doubts := b.doubts(); r.doubt > doubts {
		t.Errorf("%d second copies, but only %d letters were in doubt", r.doubt, doubts)
		r.doubled += r.doubt - doubts
	}
	for _, tk := range b.d.JSON("tickets", "list", "--status", "all", "--limit", "1000") {
		if tk["status"] != "closed" {
			t.Errorf("ticket %v is %v", tk["id"], tk["status"])
		}
	}
	record(t, r)
}

// copies are the letters of a kind that arrived at a customer's.
func (b *bench) copies(kind, who string) (raw [][]byte) {
	ids := map[string]bool{}
	for _, l := range b.letters(kind) {
		ids[l.to+" "+strings.Trim(l.id, "<>")] = true
	}
	for _, m := range b.sink.Mails() {
		if m.To[0] == who && ids[who+" "+strings.Trim(parser.Parse(m.Raw, parser.Options{}).MessageID, "<>")] {
			raw = append(raw, m.Raw)
		}
	}
	return raw
}

// arrived counts the letters of a kind that arrived, each once.
func (b *bench) arrived(kind string) (n int) {
	came := map[string]bool{}
	for _, m := range b.sink.Mails() {
		came[m.To[0]+" "+strings.Trim(parser.Parse(m.Raw, parser.Options{}).MessageID, "<>")] = true
	}
	for _, l := range b.letters(kind) {
		if came[l.to+" "+strings.Trim(l.id, "<>")] {
			n++
		}
	}
	return n
}

// killedWhen runs the daemon until its n-th sync, which kills it, or until done.
func (b *bench) killedWhen(n int, done func() bool) {
	b.t.Helper()
	err := b.d.Start(straced(b, "-e", "trace=fdatasync,fsync", "-e", fmt.Sprintf("inject=fdatasync,fsync:signal=KILL:when=%d", n))...)
	if err != nil && !errors.Is(err, testdesk.ErrEndedEarly) {
		b.t.Fatal(err)
	}
	for limit := time.Now().Add(time.Minute); ; {
		if _, ended := b.d.Ends(500 * time.Millisecond); ended {
			b.faults++
			break
		}
		if done() {
			break
		}
		if time.Now().After(limit) {
			b.t.Fatalf("neither killed at sync %d nor done within a minute; its log:\n%s", n, b.d.Log(20))
		}
	}
	b.d.Kill()
}
