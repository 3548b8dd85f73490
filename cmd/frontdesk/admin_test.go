package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAdminTellsHowItIs: what a monitor asks, over a working store and over one
// that is gone.
func TestAdminTellsHowItIs(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test")
	d := openDeskAt(t, o, oneBrand(o, "One", "one.test", ""))
	post(t, o, "maria@example.test", "Maria <maria@example.test>", "support@one.test", mailText("Help.", "Subject: Help", "Message-ID: <h@example.test>"))
	settle(t, nil, d)

	ask := func(method, path string) (int, string) {
		w := httptest.NewRecorder()
		d.admin.ServeHTTP(w, httptest.NewRequest(method, "http://localhost:8026"+path, nil))
		return w.Code, w.Body.String()
	}
	for _, c := range []struct {
		method, path string
		code         int
		says         string
	}{
		{"GET", "/healthz", 200, "ok\n"},
		{"GET", "/readyz", 200, "ready\n"},
		{"GET", "/metrics", 200, `frontdesk_store_ledger_rows{disposition="message"} 1`},
		{"GET", "/metrics", 200, `frontdesk_store_outbox_letters{state="sent"} `},
		{"GET", "/metrics", 200, `frontdesk_intake_mailbox_error{mailbox="support@one.test"} 0`},
		{"GET", "/metrics", 200, `frontdesk_store_scrape_error 0`},
		{"POST", "/metrics", 405, ""},
		{"GET", "/debug/pprof/", 404, ""},
	} {
		if code, body := ask(c.method, c.path); code != c.code || !strings.Contains(body, c.says) {
			t.Errorf("%s %s: %d\n%s\nwant %d with %q", c.method, c.path, code, body, c.code, c.says)
		}
	}
	d.stop() // and with it the store
	d.stop = func() {}
	if code, body := ask("GET", "/readyz"); code != 503 || !strings.Contains(body, "database") {
		t.Errorf("without a store: %d %s, want 503 that names the database", code, body)
	}
	if code, body := ask("GET", "/metrics"); code != 200 || !strings.Contains(body, "frontdesk_store_scrape_error 1") {
		t.Errorf("without a store: %d\n%s\nwant the metrics to say so", code, body)
	}
}

// TestAdminRefusesHostsOfOthers: a page whose name was pointed to 127.0.0.1 (DNS
// rebinding) reads nothing of the admin listener.
func TestAdminRefusesHostsOfOthers(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test")
	d := openDeskAt(t, o, oneBrand(o, "One", "one.test", ""))
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/none"} {
		for host, want := range map[string]bool{"127.0.0.1:8026": true, "rebound.example:8026": false} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest("GET", path, nil)
			r.Host = host
			d.admin.ServeHTTP(w, r)
			if refused := w.Code == http.StatusMisdirectedRequest; refused == want || refused && strings.Contains(w.Body.String(), "frontdesk_") {
				t.Errorf("%s asked as %s: %d %.80q", path, host, w.Code, w.Body)
			}
		}
	}
}

func TestAdminHost(t *testing.T) {
	t.Parallel()
	configured := []string{"metrics.example.com"}
	for host, want := range map[string]bool{
		"": true, "localhost": true, "LOCALHOST:8026": true, "localhost.:8026": true, "127.0.0.1": true, "127.8.9.1:8026": true, "[::1]:8026": true, "[::1]": true, "::1": true,
		"[::ffff:127.0.0.1]:8026": true, "metrics.example.com": true, "Metrics.Example.com:443": true, "metrics.example.com.": true,
		"0.0.0.0:8026": false, "[::]:8026": false, "192.0.2.1:8026": false, "localhost.evil.example": false, "127.0.0.1.evil.example:8026": false,
		"evil.example": false, "xmetrics.example.com": false, "2130706433": false, "127.1": false, " localhost": false,
	} {
		if got := adminHost(host, configured); got != want {
			t.Errorf("adminHost(%q) = %v, want %v", host, got, want)
		}
	}
}
