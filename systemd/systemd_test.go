package systemd

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// openSocket stands for the service manager; it returns what it is told.
func openSocket(t *testing.T) func() string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	return func() string {
		t.Helper()
		buffer := make([]byte, 4096)
		if err := socket.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := socket.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		return string(buffer[:n])
	}
}

func TestNotifications(t *testing.T) {
	told := openSocket(t)
	for _, c := range []struct {
		name string
		say  func() error
		want string
	}{
		{"ready", Ready, `^READY=1$`},
		{"reloading", Reloading, `^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]*$`},
		{"stopping", Stopping, `^STOPPING=1$`},
		{"status", func() error { return Status("two\nlines") }, `^STATUS=two lines$`},
	} {
		if err := c.say(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := told(); !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("%s: got %q, want %s", c.name, got, c.want)
		}
	}
}

func TestWatchTellsTheManager(t *testing.T) {
	told := openSocket(t)
	t.Setenv("WATCHDOG_USEC", "60000000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Watch(ctx, func() error { return nil }) }()
	if got := told(); got != "WATCHDOG=1" {
		t.Errorf("got %q", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestOutsideOfSystemdNothingHappens(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	asked := false
	err := errors.Join(Ready(), Reloading(), Stopping(), Status("x"), Watch(t.Context(), func() error { asked = true; return nil }))
	if err != nil || asked {
		t.Errorf("error %v, asked=%v", err, asked)
	}
}

func TestWatchdogOfAnotherProcess(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "60000000")
	t.Setenv("WATCHDOG_PID", "1")
	if interval, err := Watchdog(); interval != 0 || err != nil {
		t.Errorf("got %v, %v", interval, err)
	}
}

func TestWatchFallsSilentWithTheLoops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var sent []string
		sick := errors.New("worker: no progress\nfor 90s")
		alive := func() error {
			if passed := time.Since(start); passed >= 40*time.Second && passed < 80*time.Second {
				return sick
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 119*time.Second)
		defer cancel()
		if err := watch(ctx, time.Minute, alive, func(s string) error { sent = append(sent, s); return nil }); err != nil {
			t.Error(err)
		}
		want := []string{
			"WATCHDOG=1", "WATCHDOG=1", // 0 s, 20 s
			"STATUS=not alive: worker: no progress for 90s", "STATUS=not alive: worker: no progress for 90s",
			"WATCHDOG=1\nSTATUS=alive again", "WATCHDOG=1", // 80 s, 100 s
		}
		if !slices.Equal(sent, want) {
			t.Errorf("got  %q\nwant %q", sent, want)
		}
	})
}

// TestUnitIsExplained: a comment stands above each group of settings.
func TestUnitIsExplained(t *testing.T) {
	t.Parallel()
	unit, err := Files.ReadFile("frontdesk.service")
	if err != nil {
		t.Fatal(err)
	}
	section, explained, hardening := "", false, 0
	scan := bufio.NewScanner(strings.NewReader(string(unit)))
	for scan.Scan() {
		line := scan.Text()
		switch {
		case strings.HasPrefix(line, "["):
			section, explained = line, false
		case strings.HasPrefix(line, "# "):
			explained = true
		case line == "":
			explained = false
		case section == "[Service]" && strings.Contains(line, "="):
			hardening++
			if !explained {
				t.Errorf("no comment above %q", line)
			}
		}
	}
	if hardening < 30 {
		t.Errorf("%d settings seen", hardening)
	}
}

// TestUnitIsHardened asks systemd itself, of each unit. 1.5 is "OK" on its scale of 0 (safe) to 10.
func TestUnitIsHardened(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("REQUIRE_REAL") != "" {
			t.Fatal("systemd-analyze not found: make deps")
		}
		t.Skip("SKIP real-server: systemd-analyze not found: make deps installs it")
	}
	for _, unit := range []string{"frontdesk.service", "frontdesk-backup.service"} {
		out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--threshold=15", "--no-pager", unit).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
		if !strings.Contains(string(out), "Overall exposure level") {
			t.Errorf("no score of %s in:\n%s", unit, out)
		}
	}
}
