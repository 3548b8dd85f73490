package notify

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An alert is handed to a web address and to a program; what they refuse is an
// error that repeats no secret of the address.
func TestHookHandsAlertsOver(t *testing.T) {
	t.Parallel()
	var got, contentType string
	answer := 204
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, contentType = string(b), r.Method+" "+r.Header.Get("Content-Type")
		if answer == 302 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(answer)
	}))
	defer server.Close()
	dir := t.TempDir()
	program, out := filepath.Join(dir, "page"), filepath.Join(dir, "out")
	if err := os.WriteFile(program, []byte("#!/bin/sh\ncat > "+out+"\n[ \"$1\" = ok ] || { echo pager is broken >&2; exit 3; }\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := HookSettings{URL: server.URL + "/hook?key=hunter2", Command: []string{program, "ok"}}
	h := NewHook(func() HookSettings { return s })
	if targets := strings.Join(h.Targets(), " "); targets != "webhook command" {
		t.Errorf("targets %q", targets)
	}
	const body = `{"event":"raised"}`
	for _, target := range []string{"webhook", "command"} {
		if err := h.Post(t.Context(), target, []byte(body)); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
	if got != body || contentType != "POST application/json" {
		t.Errorf("posted %q as %q", got, contentType)
	}
	if b, err := os.ReadFile(out); err != nil || string(b) != body {
		t.Errorf("the program got %q, %v", b, err)
	}
	for _, answer = range []int{302, 500} {
		if err := h.Post(t.Context(), "webhook", []byte(body)); err == nil || !strings.Contains(err.Error(), "HTTP ") {
			t.Errorf("HTTP %d: %v", answer, err)
		}
	}
	server.Close()
	err := h.Post(t.Context(), "webhook", []byte(body))
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a server that is away: %v", err)
	}
	s.Command = []string{program, "broken"}
	if err := h.Post(t.Context(), "command", []byte(body)); err == nil || !strings.Contains(err.Error(), "pager is broken") {
		t.Errorf("a program that fails: %v", err)
	}
	s = HookSettings{}
	if err := h.Post(t.Context(), "webhook", []byte(body)); err != nil || len(h.Targets()) != 0 {
		t.Errorf("configured no more: %v", err)
	}
}
