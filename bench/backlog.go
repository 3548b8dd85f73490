package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"frontdesk/internal/testmail"
)

// queue is a mailbox on the real server with mails that wait.
type queue struct {
	rig   *testmail.Rig
	user  string
	mails int
}

// newQueue fills a new mailbox.
func newQueue(t *section, name string, mails [][]byte) queue {
	r := t.dovecot()
	user := strings.ReplaceAll(name, " ", "-") + "@perf.test"
	r.AddUser(user, mailPw)
	r.Fill(user, mails)
	return queue{r, user, len(mails)}
}

// drained starts a desk on the queue and returns how many seconds went by from
// READY until each customer had an acknowledgement. It ends the desk.
func (q queue) drained(d *desk, s *sink) float64 {
	s.reset(q.mails)
	_, ready := d.start()
	last, err := s.wait(2 * time.Minute)
	if err != nil {
		d.t.Fatalf("%v; log of the desk:\n%s", err, d.log(20))
	}
	if list := s.doubled(); len(list) > 0 {
		d.t.Fatalf("%d customers have two letters, %s among them", len(list), list[0])
	}
	d.stop()
	return last.Sub(ready).Seconds()
}

// ideal lets an ideal pipe do the same, on a new database.
func (q queue) ideal(t *section, s *sink, database string) idealRun {
	s.reset(q.mails)
	if database == "" {
		dir, err := os.MkdirTemp(t.b.dir, "i")
		if err != nil {
			t.Fatalf("ideal: %v", err)
		}
		defer os.RemoveAll(dir)
		database = filepath.Join(dir, "ideal.db")
	}
	run := startIdeal(t, idealJob{IMAP: fmt.Sprintf("127.0.0.1:%d", q.rig.IMAPPort()), User: q.user, Password: mailPw, Sink: s.port, Database: database})
	if _, err := s.wait(time.Second); err != nil || run.Mails != q.mails {
		t.Fatalf("ideal: %d of %d mails; %v", run.Mails, q.mails, err)
	}
	return run
}

func (q queue) desk(t *section, s *sink, c deskConfig) *desk {
	c.imap, c.users, c.smtp = q.rig.IMAPPort(), []string{q.user}, s.port
	return newDesk(t, c)
}

// measureBacklog is about plain mails that wait: fetched, stored, decided and
// acknowledged.
func measureBacklog(t *section) { backlog(t, plainMail, t.size(3000, 60)) }

// measureMix is the same with 20 of 100 mails in HTML, and a file of 200 KB in 10.
func measureMix(t *section) { backlog(t, "mix", t.size(2000, 20)) }

func backlog(t *section, kind string, n int) {
	q, s := newQueue(t, kind, corpus(kind, n)), newSink(t)
	race := newRace(n)
	t.rounds(func(count bool) {
		ideal := q.ideal(t, s, "")
		race.ideal(ideal, count)
		for _, agents := range []bool{false, true} {
			d := q.desk(t, s, deskConfig{agents: agents})
			race.desk(d, q.drained(d, s), agents, count)
			d.remove()
		}
	})
	race.print(t, "ideal pipe", 0.40, 0.70)
}

// race is what rounds of an ideal pipe and of desks on the same mails took.
type race struct {
	mails             int
	rate, cpu         []float64 // of the ideal pipe: mails a second, milliseconds of CPU a mail
	deskRate, deskCPU [2][]float64
	deskDisk          [2][]float64 // KB a mail
}

func newRace(mails int) *race { return &race{mails: mails} }

func (r *race) ideal(run idealRun, count bool) {
	if count {
		r.rate = append(r.rate, float64(r.mails)/run.Acked)
		r.cpu = append(r.cpu, run.cpu.Seconds()*1000/float64(r.mails))
	}
}

// desk takes the seconds of a desk; agents says that it wrote to an agent, too.
func (r *race) desk(d *desk, seconds float64, agents, count bool) {
	i := 0
	if agents {
		i = 1
	}
	if count {
		r.deskRate[i] = append(r.deskRate[i], float64(r.mails)/seconds)
		r.deskCPU[i] = append(r.deskCPU[i], d.cpu.Seconds()*1000/float64(r.mails))
		if size := d.diskSize(); size > 0 {
			r.deskDisk[i] = append(r.deskDisk[i], float64(size)/1024/float64(r.mails))
		}
	}
}

// print adds the figures; the ratio of a round is of its own ideal.
func (r *race) print(t *section, ideal string, must, aim float64) {
	t.add(fmt.Sprintf("%s, %d mails", ideal, r.mails), "mails/s", r.rate)
	t.add("… CPU of a mail", "ms", r.cpu)
	for i, what := range []string{"desk: stored, decided, acknowledged", "desk that also writes to an agent"} {
		if len(r.deskRate[i]) == 0 {
			continue
		}
		t.add(what, "mails/s", r.deskRate[i])
		t.add("… CPU of a mail", "ms", r.deskCPU[i])
		if len(r.deskDisk[i]) > 0 {
			t.add("… its database, of a mail with its letters", "KB", r.deskDisk[i])
		}
		f := t.add("… ratio to the "+ideal, "×", ratios(r.deskRate[i], r.rate))
		if i == 0 {
			f.atLeast(must, aim)
		}
	}
}

// ratios divides round by round.
func ratios(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] / b[i]
	}
	return out
}
