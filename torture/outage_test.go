package torture

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testmail"
)

// bombs are mails that cost whoever reads them: nested, in pieces, of endless
// fields, packed. Each is a request with a number all the same.
var bombs = []func(head string) []byte{
	func(head string) []byte { // nested mails
		var b strings.Builder
		b.WriteString(head)
		for i := range 2_000 {
			fmt.Fprintf(&b, "Content-Type: message/rfc822\r\n\r\nSubject: inner %d\r\n", i)
		}
		return []byte(b.String() + "\r\nend\r\n")
	},
	func(head string) []byte { // empty parts
		return []byte(head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\n", 50_000) + "--b--\r\n")
	},
	func(head string) []byte { // nested multiparts
		var b strings.Builder
		b.WriteString(head)
		for i := range 2_000 {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		return []byte(b.String() + "\r\nend\r\n")
	},
	func(head string) []byte { // a header of megabytes
		return []byte(head + "X-Long: " + strings.Repeat("x ", 1<<20) + "\r\nTo: " + strings.Repeat("a@b.test, ", 100_000) + "c@d.test\r\n\r\nend\r\n")
	},
	func(head string) []byte { // encoded words without end
		return []byte(head + "Comments: " + strings.Repeat("=?utf-8?q?=C3=A4?=\r\n ", 50_000) + "\r\n\r\nend\r\n")
	},
	func(head string) []byte { // HTML without end, and a file that is an archive of nothing
		zip := base64.StdEncoding.EncodeToString(append([]byte("PK\x03\x04"), make([]byte, 2<<20)...))
		return []byte(head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n" + strings.Repeat("<div><table><tr><td>", 50_000) +
			"\r\n--b\r\nContent-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n" + zip + "\r\n--b--\r\n")
	},
}

// TestTenDaysOutage: a desk that stood still for ten days finds thousands of
// mails, bombs among them. All come in, oldest first; nobody is thanked for a
// mail of last week; and who writes now is answered within half a minute,
// whatever waits. It runs alone, for this half minute is the desk's own.
func TestTenDaysOutage(t *testing.T) {
	waiting, bombed, live := pick(300, 5000), pick(5, 50), pick(4, 20)
	const outage, policy = 10 * 24 * time.Hour, 24 * time.Hour
	rig := testmail.StartRig(t)
	b := newBench(t, benchOptions{rig: rig})
	now := time.Now()
	at := func(i int) time.Time { return now.Add(-outage + outage*time.Duration(i)/time.Duration(waiting)) }
	isBomb := func(i int) bool { return i%(waiting/bombed) == 7 }
	rig.FillAt(imapBox, waiting, func(i int) ([]byte, time.Time) {
		from, raw := request(i, imapBox)
		if isBomb(i) {
			head := fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: request %d\r\nMessage-ID: <bomb%d@flood.test>\r\n", from, imapBox, i, i)
			raw = bombs[i/(waiting/bombed)%len(bombs)](head)
		}
		return raw, at(i)
	})
	b.mails = waiting
	b.d.MustStart()
	began := time.Now()
	var slowest time.Duration
	for i := range live {
		n := waiting + i
		from, raw := request(n, imapBox)
		rig.Send(from, []string{imapBox}, raw)
		sent := time.Now()
		b.mails++
		waitUntil(t, 30*time.Second, fmt.Sprintf("live mail %d is acknowledged", i), func() bool {
			return len(b.thanked()[from]) > 0
		})
		slowest = max(slowest, time.Since(sent))
	}
	behind := b.reconcile().undecided
	limit := 2*time.Minute + time.Duration(waiting)*100*time.Millisecond
	waitUntil(t, limit, "all is decided", func() bool { s := b.reconcile(); return s.undecided == 0 && s.rows >= b.mails && b.waiting() == 0 })
	t.Logf("%d live mails during the backlog: slowest acknowledgement %s; %d of the backlog were undecided after the last one; the whole took %s",
		live, slowest.Round(time.Millisecond), behind, time.Since(began).Round(time.Millisecond))
	b.tenDays(waiting, at, now.Add(-policy))
}

// thanked returns the acknowledgements alone: promises that were missed meanwhile
// have letters of their own.
func (b *bench) thanked() map[string][][]byte {
	got := b.acknowledged()
	for to, letters := range got {
		letters = slices.DeleteFunc(letters, func(raw []byte) bool { return !bytes.Contains(raw, []byte("Auto-Submitted: auto-replied")) })
		if got[to] = letters; len(letters) == 0 {
			delete(got, to)
		}
	}
	return got
}

// tenDays settles the account of an outage.
func (b *bench) tenDays(waiting int, at func(int) time.Time, policy time.Time) {
	b.t.Helper()
	s := b.reconcile()
	r := row{name: "ten days of outage, with bombs", faults: 1, in: b.mails}
	if len(s.wrong) > 0 || s.by["message"] != b.mails {
		b.t.Errorf("%d mails became %+v", b.mails, s)
	}
	type opened struct{ id, request int }
	var order []opened
	for _, tk := range b.d.JSON("tickets", "list", "--limit", "1000000") {
		var o opened
		if _, err := fmt.Sscanf(fmt.Sprint(tk["subject"]), "request %d", &o.request); err != nil {
			continue
		}
		o.id = int(tk["id"].(float64))
		order = append(order, o)
	}
	slices.SortFunc(order, func(a, b opened) int { return a.id - b.id })
	seen, last := map[int]int{}, -1
	for _, o := range order {
		seen[o.request]++
		if o.request >= waiting || at(o.request).After(time.Now().Add(-time.Hour)) { // live, or of just before
			continue
		}
		if o.request < last {
			b.t.Errorf("ticket %d is of request %d, after one of request %d: not oldest first", o.id, o.request, last)
		}
		last = o.request
	}
	acked := b.thanked()
	for n := range b.mails {
		letters := acked[fmt.Sprintf("customer%d@flood.test", n)]
		switch {
		case seen[n] == 0:
			r.lost++
		default:
			r.out++
		}
		if seen[n] > 1 || len(letters) > 1 && !bytes.Equal(letters[0], letters[1]) {
			r.doubled++
		}
		old := n < waiting && at(n).Before(policy.Add(-time.Minute))
		young := n >= waiting || at(n).After(policy.Add(10*time.Minute))
		if old && len(letters) > 0 {
			b.t.Errorf("request %d of %s is acknowledged: too late for that", n, at(n).Format(time.RFC3339))
		}
		if young && len(letters) == 0 {
			b.t.Errorf("request %d is not acknowledged", n)
		}
	}
	record(b.t, r)
}
