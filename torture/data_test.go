package torture

import (
	"bytes"
	"crypto/rand"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// served is a desk that has taken some mail in, and was killed.
func served(t *testing.T, mails int) *bench {
	t.Helper()
	b := newBench(t, benchOptions{})
	b.d.MustStart()
	b.queue.deliver(t.Context(), 0, mails, 2)
	b.settle()
	return b
}

// TestDamagedDatabase: A22, and what G12 says of it. Damage is found before the
// desk serves, and the error says what to do; what the WAL and -shm lose is not
// missed; a second daemon on the same data does not start.
func TestDamagedDatabase(t *testing.T) {
	t.Parallel()
	t.Run("4 KB overwritten", func(t *testing.T) {
		t.Parallel()
		b := served(t, 15)
		backup := filepath.Join(b.d.Dir, "backup.db")
		if out, err := b.d.Run("backup", backup, "--verify"); err != nil {
			t.Fatal(err, out)
		}
		if err := b.d.Stop(); err != nil {
			t.Fatal(err)
		}
		overwrite(t, b.database())
		b.faults++
		if err := b.d.Start(); err == nil {
			t.Fatal("the desk serves a damaged database")
		}
		b.d.Kill()
		if log := b.d.Log(10); !strings.Contains(log, "damaged") || !strings.Contains(log, "frontdesk restore") {
			t.Errorf("the error does not say what to do:\n%s", log)
		}
		if out, err := b.d.Run("restore", backup, "--force"); err != nil {
			t.Fatal(err, out)
		}
		b.finish("A22 page overwritten, restored")
	})
	t.Run("shm deleted", func(t *testing.T) {
		t.Parallel()
		b := served(t, 10)
		b.d.Kill()
		if err := os.Remove(b.database() + "-shm"); err != nil {
			t.Fatal(err)
		}
		b.faults++
		b.finish("A22 -shm deleted")
	})
	t.Run("end of the WAL gone", func(t *testing.T) {
		t.Parallel()
		b := served(t, 10)
		b.d.Kill()
		wal := b.database() + "-wal"
		info, err := os.Stat(wal)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(wal, info.Size()-info.Size()/10); err != nil {
			t.Fatal(err)
		}
		b.d.MustStart() // what was in it is gone; the rest is whole
		if s := b.reconcile(); s.rows == 0 {
			t.Errorf("reconcile: %+v, want most of the rows", s)
		}
		b.queue.deliver(t.Context(), 10, 12, 1)
		waitUntil(t, 30*time.Second, "it works", func() bool { return len(b.acknowledged()) >= 12 })
	})
	t.Run("second daemon", func(t *testing.T) {
		t.Parallel()
		b := served(t, 5)
		second := b.d.For(t)
		b.faults++
		if err := second.Start(); err == nil {
			t.Fatal("a second daemon serves the same data")
		}
		second.Kill()
		if log := b.d.Log(5); !strings.Contains(log, "another frontdesk daemon") {
			t.Errorf("the error does not say why:\n%s", log)
		}
		b.d.Kill()
		b.finish("A22 second daemon refused")
	})
}

// overwrite writes noise over a page in the middle of the file.
func overwrite(t *testing.T, file string) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	if _, err := rand.Read(page); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(page, info.Size()/4096/2*4096); err != nil {
		t.Fatal(err)
	}
}

// TestClientDropsBeforeThe250: A21. The mail server's connection breaks after
// the final dot; it brings the mail again. One message, one acknowledgement.
func TestClientDropsBeforeThe250(t *testing.T) {
	t.Parallel()
	mails := pick(10, 100)
	b := newBench(t, benchOptions{})
	b.d.MustStart()
	for n := range mails {
		from, raw := b.queue.mail(n)
		dropBeforeAnswer(t, b.lmtp, from, raw)
		b.queue.unsure++
		b.faults++
	}
	b.queue.deliver(t.Context(), 0, mails, 2)
	b.settle()
	b.d.Kill()
	b.finish("A21 connection lost before the 250")
}

// dropBeforeAnswer sends a mail and its final dot, and goes without reading.
func dropBeforeAnswer(t *testing.T, addr, from string, raw []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := smtp.NewClientLMTP(conn)
	if err := c.Mail(from, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt(lmtpBox, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("DATA\r\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 512)); err != nil { // 354
		t.Fatal(err)
	}
	if _, err := conn.Write(append(bytes.Clone(raw), ".\r\n"...)); err != nil {
		t.Fatal(err)
	}
}

// TestStopUnderLoad: H08. SIGTERM while mail comes in and letters leave: the
// desk ends by itself within half a minute, and nothing is lost.
func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	rounds := pick(2, 10)
	b := newBench(t, benchOptions{})
	for n := range rounds {
		sent := make(chan struct{})
		go func() { defer close(sent); b.queue.deliver(t.Context(), n*60, n*60+60, 4) }()
		b.d.MustStart()
		waitUntil(t, 30*time.Second, "mail comes in", func() bool { return b.queue.accepted() > n*60+10 })
		began := time.Now()
		if err := b.d.Stop(); err != nil {
			t.Errorf("round %d: the daemon ended with %v", n, err)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("round %d: it took %s to stop", n, took)
		}
		b.faults++
		b.d.MustStart()
		<-sent
		b.d.Kill()
	}
	b.finish("H08 stopped under load")
}

// TestStopSendsNothingTwice: H08. A daemon that is stopped, and not killed,
// leaves nobody in doubt: what the mail server took is stored as sent, what was
// not begun waits for the next start.
func TestStopSendsNothingTwice(t *testing.T) {
	t.Parallel()
	rounds, mails := pick(3, 10), 30
	b := newBench(t, benchOptions{})
	for n := range rounds {
		sent := make(chan struct{})
		low := n * mails
		go func() { defer close(sent); b.queue.deliver(t.Context(), low, low+mails, 4) }()
		b.d.MustStart()
		waitUntil(t, 30*time.Second, "letters leave", func() bool { return len(b.acknowledged()) > low+n })
		if err := b.d.Stop(); err != nil {
			t.Errorf("round %d: the daemon ended with %v:\n%s", n, err, b.d.Log(12))
		}
		b.faults++
		for _, l := range b.d.JSON("outbox", "list", "--limit", "100000") {
			if l["state"] == "dot" {
				t.Errorf("round %d: letter %v is in doubt", n, l["id"])
			}
		}
		b.d.MustStart()
		<-sent
		if err := b.d.Stop(); err != nil {
			t.Errorf("round %d: the daemon ended with %v:\n%s", n, err, b.d.Log(12))
		}
		b.faults++
	}
	b.finish("H08 stopped, nothing twice")
	for to, letters := range b.acknowledged() {
		if len(letters) > 1 {
			t.Errorf("%s has %d letters", to, len(letters))
		}
	}
}
