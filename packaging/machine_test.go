package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// machine is a Debian 12 in a folder: commands run in it by chroot until it is
// booted, then beside its systemd.
type machine struct {
	t      *testing.T
	dir    string
	leader int // pid of its systemd as we see it, 0 while it is not booted
}

// openMachine unpacks a fresh minimal Debian. The first one is made by
// debootstrap and kept packed in the cache folder of the user, with the packages
// beside it that ours wants, so that later runs need no network.
func openMachine(t *testing.T) *machine {
	t.Helper()
	packed := baseSystem(t)
	m := &machine{t: t, dir: filepath.Join(t.TempDir(), "debian")}
	if err := os.Mkdir(m.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "tar", "-xf", packed, "-C", m.dir)
	return m
}

// needs skips the test, or fails it where everything is required.
func needs(t *testing.T, program, pack string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		missing(t, program+" not found: make deps installs "+pack)
	}
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("REQUIRE_REAL") != "" {
		t.Fatal(what)
	}
	t.Skip("SKIP real-server: " + what)
}

// baseSystem returns a packed minimal Debian 12 with the lists of apt.
func baseSystem(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, "frontdesk-test")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	packed := filepath.Join(cache, "bookworm-"+runtime.GOARCH+"-2.tar")
	if _, err := os.Stat(packed); err == nil {
		return packed
	}
	began := time.Now()
	dir, err := os.MkdirTemp(cache, "making-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	mirror := os.Getenv("DEBIAN_MIRROR")
	if mirror == "" {
		mirror = "http://deb.debian.org/debian"
	}
	system := filepath.Join(dir, "system")
	if out, err := exec.CommandContext(t.Context(), "debootstrap", "--variant=minbase", "bookworm", system, mirror).CombinedOutput(); err != nil {
		missing(t, fmt.Sprintf("no Debian from %s: %v\n%s\nDEBIAN_MIRROR names another", mirror, err, out))
	}
	m := &machine{t: t, dir: system}
	m.write("/etc/dpkg/dpkg.cfg.d/test", "force-unsafe-io\n", 0o644) // it is thrown away
	m.must("apt-get", "update", "-q")
	m.must("apt-get", "install", "-y", "-q", "--download-only", "ca-certificates", "systemd")
	half := packed + ".half"
	mustRun(t, "tar", "-cf", half, "-C", system, ".")
	if err := os.Rename(half, packed); err != nil {
		t.Fatal(err)
	}
	t.Logf("made %s in %s", packed, time.Since(began).Round(time.Second))
	return packed
}

func mustRun(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// command is one that runs in the machine.
func (m *machine) command(ctx context.Context, args ...string) *exec.Cmd {
	all := append([]string{"chroot", m.dir}, args...)
	if m.leader > 0 {
		all = append([]string{"nsenter", "--target", strconv.Itoa(m.leader), "--all", "--"}, args...)
	}
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "HOME=/root"}
	return cmd
}

// run returns what a command printed and its exit code.
func (m *machine) run(args ...string) (string, int) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 2*time.Minute)
	defer cancel()
	out, err := m.command(ctx, args...).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return string(out), 0
	case errors.As(err, &exit) && ctx.Err() == nil:
		return string(out), exit.ExitCode()
	}
	m.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	return "", -1
}

func (m *machine) must(args ...string) string {
	m.t.Helper()
	out, code := m.run(args...)
	if code != 0 {
		if m.leader > 0 {
			log, _ := m.run("journalctl", "--no-pager", "--lines=40")
			out += log
		}
		m.t.Fatalf("%s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// asDesk runs a command as the service's user.
func (m *machine) asDesk(stdin string, args ...string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	cmd := m.command(ctx, append([]string{"setpriv", "--reuid", "frontdesk", "--regid", "frontdesk", "--init-groups"}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (m *machine) path(name string) string { return filepath.Join(m.dir, filepath.FromSlash(name)) }

func (m *machine) exists(name string) bool {
	_, err := os.Lstat(m.path(name))
	return err == nil
}

func (m *machine) read(name string) string {
	m.t.Helper()
	text, err := os.ReadFile(m.path(name))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(text)
}

func (m *machine) write(name, text string, mode os.FileMode) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Dir(m.path(name)), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(m.path(name), []byte(text), mode); err != nil {
		m.t.Fatal(err)
	}
}

// take puts a file of ours into the machine's /root and returns its name there.
func (m *machine) take(file string) string {
	m.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		m.t.Fatal(err)
	}
	name := "/root/" + filepath.Base(file)
	m.write(name, string(text), 0o644)
	return name
}

// modeOf is "0640 root frontdesk".
func (m *machine) modeOf(name string) string {
	m.t.Helper()
	return strings.TrimSpace(m.must("stat", "--format=%#a %U %G", name))
}

// boot starts the machine's own systemd, in namespaces of its own and without a
// network but loopback.
func (m *machine) boot() {
	m.t.Helper()
	var said bytes.Buffer
	cmd := exec.Command("systemd-nspawn", "--directory", m.dir, "--boot", "--private-network", "--register=no", "--keep-unit", "--console=pipe", "--quiet",
		"--machine", fmt.Sprintf("frontdesk-%d", os.Getpid()))
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	m.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	waitFor(m.t, "systemd in the machine", func() (string, bool) {
		select {
		case <-ended:
			missing(m.t, "systemd-nspawn does not boot here: "+said.String())
		default:
		}
		pid := strconv.Itoa(cmd.Process.Pid)
		children, err := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
		if err != nil {
			return err.Error(), false
		}
		fields := strings.Fields(string(children))
		if len(fields) != 1 {
			return string(children), false
		}
		m.leader, _ = strconv.Atoi(fields[0])
		name, _ := os.ReadFile(filepath.Join("/proc", fields[0], "comm"))
		return string(name), strings.TrimSpace(string(name)) == "systemd"
	})
	waitFor(m.t, "the machine's start", func() (string, bool) {
		out, _ := m.run("systemctl", "is-system-running")
		state := strings.TrimSpace(out)
		return state, state == "running" || state == "degraded"
	})
}

// property is one that systemctl shows of the service.
func (m *machine) property(name string) string {
	m.t.Helper()
	out, _ := m.run("systemctl", "show", "--value", "--property", name, "frontdesk.service")
	return strings.TrimSpace(out)
}

func (m *machine) journal() string {
	out, _ := m.run("journalctl", "--no-pager", "--output=cat", "--unit=frontdesk.service")
	return out
}

// waitFor asks until it is so.
func waitFor(t *testing.T, what string, so func() (string, bool)) {
	t.Helper()
	last := ""
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var ok bool
		if last, ok = so(); ok {
			return
		}
	}
	t.Fatalf("%s: still %s", what, last)
}
