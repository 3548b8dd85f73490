package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"frontdesk/internal/testmail"
)

// measureMemory is the resident memory of an idle desk, and what one mail of
// 25 MB adds at most.
func measureMemory(t *section) {
	many := t.size(100, 5)
	users := []string{deskAddress, stockAddress(1), deskAgent}
	for i := len(users); i < many; i++ {
		users = append(users, fmt.Sprintf("box%d@perf.test", i))
	}
	o := newOffice(t, users...)
	limits := map[int][2]float64{2: {40, 25}, many: {120, 60}}
	for _, n := range []int{2, many} {
		var rss []float64
		for range t.b.opt.rounds {
			d := officeDesk(t, o, users[:n], deskConfig{})
			d.start()
			rss = append(rss, d.idleMemory())
			d.stop()
			d.remove()
		}
		t.add(fmt.Sprintf("idle, %d mailboxes", n), "MB resident", rss).atMost(limits[n][0], limits[n][1])
	}
	size := t.size(25<<20, 1<<20)
	from := stockAddress(1)
	file := make([]byte, size*57/78)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(file) // does not compress
	raw := []byte(strings.Replace(string(requestOf(from, 1)), "Content-Type: text/plain; charset=utf-8\r\n\r\n",
		"Content-Type: multipart/mixed; boundary=file\r\n\r\n--file\r\n\r\n", 1) +
		"\r\n--file\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; filename=log.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		string(crlf([]byte(lines64(file)))) + "\r\n--file--\r\n")
	var more []float64
	for range t.b.opt.rounds {
		o := newOffice(t, users[:3]...) // the mail of the round before is in no mailbox
		d := officeDesk(t, o, users[:1], deskConfig{agents: true, more: "limits: {message_size: 100MB}\n"})
		d.start()
		before := d.idleMemory()
		seen := len(o.SMTP.Mails())
		acknowledged(t, o, d, from, raw)
		relayed(t, o, seen, size/2)
		more = append(more, d.memory("VmHWM")-before)
		d.stop()
		d.remove()
	}
	t.add(fmt.Sprintf("a mail of %d MB, its file on to an agent, highest above idle", size>>20), "MB more", more).atMost(64, 16)
}

// relayed waits until the agent has a letter of at least so many bytes, among
// those after the first seen.
func relayed(t *section, o *testmail.Office, seen, least int) {
	for n := seen + 1; ; n++ {
		mails, err := o.SMTP.Wait(n, time.Minute)
		if err != nil {
			t.Fatalf("no letter with a file: %v", err)
		}
		if slices.ContainsFunc(mails[seen:], func(m testmail.Accepted) bool { return slices.Contains(m.To, deskAgent) && len(m.Raw) > least }) {
			return
		}
	}
}

// measureStart is the time from the start of the process until READY.
func measureStart(t *section) {
	o := newOffice(t, deskAddress)
	must := map[int]float64{1_000_000: 1000}
	for _, n := range t.stocks(0, 10_000, 1_000_000) {
		d := officeDesk(t, o, []string{deskAddress}, deskConfig{})
		t.stocked(d, n)
		var took []float64
		t.rounds(func(count bool) {
			began, ready := d.start()
			if d.stop(); count {
				took = append(took, float64(ready.Sub(began))/float64(time.Millisecond))
			}
		})
		t.keep(d, n)
		d.remove()
		f := t.add(fmt.Sprintf("start → READY, %d messages stored", n), "ms", took)
		if must[n] > 0 {
			f.atMost(must[n], 200)
		}
	}
}

// stocks are numbers of stored messages: small ones in a quick run.
func (s *section) stocks(list ...int) []int {
	if !s.b.opt.quick {
		return list
	}
	for i := range list {
		list[i] = 10 * (i + 1)
	}
	return list
}

// stocked gives the desk a database with n messages.
func (s *section) stocked(d *desk, n int) {
	d.run("migrate")
	if n == 0 {
		return
	}
	if kept := s.kept(n); os.Rename(kept, d.database()) == nil {
		return
	}
	began := time.Now()
	fillStock(s, d.database(), n)
	if took := time.Since(began); took > 10*time.Second {
		s.Logf("%d messages filled in within %v", n, took.Round(time.Second))
	}
}

// keep leaves the database of a stopped desk, which took nothing in, to the
// section that comes next: to fill in a million messages takes minutes.
func (s *section) keep(d *desk, n int) {
	if err := os.Rename(d.database(), s.kept(n)); err != nil {
		s.Fatalf("keep the stock of %d messages: %v", n, err)
	}
}

func (s *section) kept(n int) string { return filepath.Join(s.b.dir, fmt.Sprintf("stock%d.db", n)) }
