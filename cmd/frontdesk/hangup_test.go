package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestReloadBySignal: SIGHUP is a reload from the first moment on, and a file
// with mistakes changes nothing.
func TestReloadBySignal(t *testing.T) {
	t.Parallel()
	bin, err := exec.LookPath("frontdesk") // what scripts run; it knows no SIGTERM, the end of the test kills it
	if err != nil {
		t.Fatal(err)
	}
	s := openService(t, bin)
	hangup := func() {
		t.Helper()
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		s.told("RELOADING=1")
		s.told("READY=1")
	}
	s.start()
	hangup()
	if err := os.WriteFile(filepath.Join(s.dir, "frontdesk.yaml"), []byte("no: such key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hangup()
}
