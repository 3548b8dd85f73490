package main

import (
	"net"
	"net/http/httptest"
	"net/textproto"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"frontdesk/config"
	"frontdesk/store"
)

// The disk is low below the mark, and well again a quarter above it.
func TestLowWaterMark(t *testing.T) {
	t.Parallel()
	low := false
	for _, c := range []struct {
		free uint64
		want bool
	}{{1000, false}, {500, false}, {499, true}, {500, true}, {624, true}, {625, false}, {500, false}, {0, true}} {
		if low = isLow(low, c.free, 500); low != c.want {
			t.Errorf("%d free of a mark of 500: low %v, want %v", c.free, low, c.want)
		}
	}
	cfg := &config.Config{}
	for size, want := range map[uint64]uint64{1 << 40: 500 << 20, 8 << 20: 8 << 20 / 20, 0: 0} {
		if got := markOf(cfg, size); got != want {
			t.Errorf("mark of a disk of %d bytes: %d, want %d", size, got, want)
		}
	}
	cfg.Alerts.DiskFree = 1 << 30
	if got := markOf(cfg, 8<<20); got != 1<<30 {
		t.Errorf("mark %d, want what was configured", got)
	}
}

// TestFullDiskPausesIntake: while the disk is low, mail stays on the IMAP server,
// LMTP answers 452, presses 503, readiness says why; health does not change, and
// what is in goes on. Room again, and all of it comes in by itself.
func TestFullDiskPausesIntake(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test")
	port := freePort(t)
	d := openDeskAt(t, o, strings.Replace(oneBrand(o, "One", "one.test", "lmtp: {listen: \""+port+"\"}\n"), "trusted_authserv_ids", "poll_every: 1s\n        trusted_authserv_ids", 1))
	var free atomic.Uint64
	r := d.daemon.room
	r.mu.Lock()
	r.asked, r.size = time.Time{}, func(string) (uint64, uint64, bool) { return free.Load(), 1 << 40, true }
	r.mu.Unlock()
	ask := func() (int, string) {
		w := httptest.NewRecorder()
		q := httptest.NewRequest("GET", "http://localhost/readyz", nil)
		q.Header.Set("Accept", "application/json")
		d.admin.ServeHTTP(w, q)
		return w.Code, w.Body.String()
	}
	if code, body := ask(); code != 503 || !strings.Contains(body, `"ready":false`) || !strings.Contains(body, "disk: ") || !strings.Contains(body, "alerts.disk_free") {
		t.Errorf("readyz on a full disk: %d %s", code, body)
	}
	w := httptest.NewRecorder()
	d.admin.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/healthz", nil))
	if w.Code != 200 {
		t.Errorf("healthz: %d", w.Code)
	}
	w = httptest.NewRecorder()
	d.pages.ServeHTTP(w, httptest.NewRequest("POST", "/t/abc", strings.NewReader("action=confirm")))
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("a press: %d %v", w.Code, w.Header())
	}
	if got := lmtpMail(t, port); !strings.HasPrefix(got, "452 4.3.1 ") {
		t.Errorf("LMTP answers %q, want 452 4.3.1", got)
	}
	post(t, o, "maria@example.test", "Maria <maria@example.test>", "support@one.test", mailText("Help.", "Subject: Help", "Message-ID: <h@example.test>"))
	if n, err := d.daemon.boxes.pollForTest(t, "support@one.test"); n != 0 || err != nil {
		t.Errorf("polled %d mails on a full disk, %v", n, err)
	}
	if c := d.daemon.disk(t.Context(), time.Now()); len(c) != 1 || !strings.Contains(c[0].Text, "500 MB") {
		t.Errorf("conditions %+v", c)
	}
	cfgFull := newRoom(d.daemon.cfg)
	cfgFull.size = r.size
	if err := cfgFull.full(); err == nil || !strings.Contains(err.Error(), filepath.Base(d.cfg.DataDir)) {
		t.Errorf("what deliver is told: %v", err)
	}

	free.Store(1 << 39)
	wait(t, "the mail that waited is a ticket", func() bool {
		list, err := d.db.Tickets(t.Context(), store.TicketQuery{Limit: 10})
		return err == nil && len(list) == 1
	})
	if code, body := ask(); code != 200 || !strings.Contains(body, `"ready":true`) {
		t.Errorf("readyz with room: %d %s", code, body)
	}
	if got := lmtpMail(t, port); !strings.HasPrefix(got, "250 ") {
		t.Errorf("LMTP answers %q, want 250", got)
	}
}

// lmtpMail hands one mail over and returns the first answer that is no success,
// or the last.
func lmtpMail(t *testing.T, address string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	c := textproto.NewConn(conn)
	line, err := c.ReadLine()
	for _, command := range []string{"LHLO mta.test", "MAIL FROM:<maria@example.test>", "RCPT TO:<support@one.test>", "DATA", "From: maria@example.test\r\nSubject: By LMTP\r\nMessage-ID: <lmtp@example.test>\r\n\r\nHelp.\r\n."} {
		if err != nil {
			t.Fatal(err)
		}
		if err = c.PrintfLine("%s", command); err != nil {
			t.Fatal(err)
		}
		for line, err = c.ReadLine(); err == nil && len(line) > 3 && line[3] == '-'; {
			line, err = c.ReadLine()
		}
		if line == "" || line[0] > '3' {
			return line
		}
	}
	return line
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// wait waits until ok.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if !waitUntil(ok) {
		t.Fatalf("never: %s", what)
	}
}

func (m *mailboxes) pollForTest(t *testing.T, address string) (int, error) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.running {
		if r.opt.Address == address {
			return r.box.Poll(t.Context())
		}
	}
	t.Fatalf("no mailbox %s", address)
	return 0, nil
}
