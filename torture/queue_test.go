package torture

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/parser"
)

// TestMailServerDownForTwoDays: B09. The outgoing mail server is away for two
// days while thousands of letters queue up. When it is back answers of agents
// leave first, then acknowledgements and notices; a ticket that was closed
// meanwhile is not acknowledged any more; and after an outage of six days what
// is older than expire_after is given up, and says so.
func TestMailServerDownForTwoDays(t *testing.T) {
	t.Parallel()
	mails, closed, answered, late := pick(150, 5000), 5, 5, pick(10, 200) // two letters each
	const day = 24 * time.Hour
	sink, err := testmail.NewSMTP(testmail.SMTPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	addr := sink.Addr()
	clock := newClock(t)
	b := newBench(t, benchOptions{sink: sink, clock: clock, wait: 5 * time.Minute, more: "outbox: {expire_after: 5 days}\n"})
	b.d.MustStart()
	waitUntil(t, 30*time.Second, "the guide", func() bool { return len(sink.Mails()) == 1 })
	b.before = sink.Mails()
	_ = sink.Close()
	b.queue.deliver(t.Context(), 0, mails, 4)
	b.faults++
	b.taken(2*time.Minute + time.Duration(mails)*20*time.Millisecond)
	began := time.Now()
	var first, last int // tickets
	for _, tk := range b.d.JSON("tickets", "list", "--limit", "1000000") {
		id := int(tk["id"].(float64))
		if first == 0 || id < first {
			first = id
		}
		last = max(last, id)
	}
	silent := map[string]bool{} // customers of tickets that are closed
	for id := first; id < first+closed; id++ {
		if _, err := b.d.Run("tickets", "set", fmt.Sprint(id), "status=closed"); err != nil {
			t.Fatal(err)
		}
		silent[b.customer(id)] = true
	}
	for id := last; id > last-answered; id-- {
		if _, err := b.d.Run("tickets", "reply", fmt.Sprint(id), "Please switch it on.", "--as", "asha@baleyo.test"); err != nil {
			t.Fatal(err)
		}
	}
	clock.step(2*day - time.Since(began))
	b.sink, err = testmail.NewSMTP(testmail.SMTPOptions{Addr: addr})
	if err != nil {
		t.Fatal(err)
	}
	up := time.Now()
	limit := 3*time.Minute + time.Duration(mails)*40*time.Millisecond
	waitUntil(t, limit, "all letters left", func() bool { return b.waiting() == 0 })
	t.Logf("%d letters left within %s", len(b.sink.Mails()), time.Since(up).Round(time.Second))
	b.inOrder(answered)

	// Six days: what was queued at their beginning is given up.
	second := b.sink
	b.before = append(b.before, second.Mails()...)
	_ = second.Close()
	b.queue.deliver(t.Context(), mails, mails+late, 2)
	b.faults++
	b.taken(time.Minute)
	for n := mails; n < mails+late; n++ {
		silent[fmt.Sprintf("customer%d@flood.test", n)] = true
	}
	clock.step(6 * day)
	b.sink, err = testmail.NewSMTP(testmail.SMTPOptions{Addr: addr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.sink.Close() })
	waitUntil(t, limit, "all letters left or were given up", func() bool { return b.waiting() == 0 })
	given := map[string]string{}
	for _, l := range b.d.JSON("outbox", "list", "--all", "--limit", "1000000") {
		if l["kind"] == "acknowledgement" && l["state"] != "sent" {
			given[fmt.Sprint(l["to"])] = fmt.Sprintf("%s: %s", l["state"], l["detail"])
		}
	}
	thanked := b.thanked()
	s := b.reconcile()
	r := row{name: "B09 thousands of letters, no mail server for days", faults: b.faults, in: b.accepted()}
	if s.by["message"] != b.accepted() || s.undecided != 0 {
		t.Errorf("%d mails became %+v", b.accepted(), s)
	}
	for n := range b.accepted() {
		who := fmt.Sprintf("customer%d@flood.test", n)
		letters := len(thanked[who])
		switch {
		case silent[who] && letters > 0:
			t.Errorf("request %d is acknowledged: it was closed, or is too old", n)
			fallthrough
		case silent[who]:
			if given[who] == "" {
				t.Errorf("request %d has no acknowledgement, and no letter says why", n)
			}
			r.out++
		case letters == 0:
			r.lost++
		default:
			r.out++
			r.doubled += letters - 1
		}
	}
	t.Logf("given up: %d, one of them %q", len(given), given[b.customer(first)])
	if len(given) != len(silent) {
		t.Errorf("%d acknowledgements were given up, want %d", len(given), len(silent))
	}
	record(t, r)
	if err := b.d.Stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
}

// customer is who a ticket is of.
func (b *bench) customer(id int) string {
	b.t.Helper()
	var n int
	if _, err := fmt.Sscanf(fmt.Sprint(b.d.JSON("tickets", "show", fmt.Sprint(id))[0]["subject"]), "request %d", &n); err != nil {
		b.t.Fatalf("ticket %d: %v", id, err)
	}
	return fmt.Sprintf("customer%d@flood.test", n)
}

// inOrder looks at what the server got since it is back: the answers are among
// the first. What the desk had in hand when the server went away may come
// between.
func (b *bench) inOrder(answers int) {
	b.t.Helper()
	const hand = 64 // letters of a mailbox that wait for its connections
	kinds := map[string]string{}
	for _, l := range b.d.JSON("outbox", "list", "--all", "--limit", "1000000") {
		kinds[fmt.Sprint(l["message_id"])] = fmt.Sprint(l["kind"])
	}
	at := map[string][]int{}
	for i, m := range b.sink.Mails() {
		k := kinds[parser.Parse(m.Raw, parser.Options{}).MessageID]
		at[k] = append(at[k], i)
	}
	for k, places := range at {
		b.t.Logf("%s: %d letters, places %d to %d", k, len(places), slices.Min(places), slices.Max(places))
	}
	if got := at["answer"]; len(got) != answers || slices.Max(got) > hand+answers {
		b.t.Errorf("answers at %v, want %d before all else", got, answers)
	}
}
