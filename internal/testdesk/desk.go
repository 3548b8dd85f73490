// Package testdesk runs the real binary for tests: built once for a checkout,
// with a configuration and a process of its own, started, killed and asked from
// outside as an operator would. It knows nothing of what is inside.
package testdesk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Binary builds frontdesk, once for all tests of a package, and returns its
// path. It stays behind for the next run, one for each checkout.
var Binary = sync.OnceValues(func() (string, error) {
	root, err := checkout()
	if err != nil {
		return "", err
	}
	if err := lookAtSources(root); err != nil {
		return "", err
	}
	bin := filepath.Join(os.TempDir(), fmt.Sprintf("frontdesk-test-%x", sha256.Sum256([]byte(root)))[:30])
	fresh := fmt.Sprintf("%s.%d", bin, os.Getpid())
	cmd := exec.Command("go", "build", "-o", fresh, "./cmd/frontdesk")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build frontdesk: %w\n%s", err, out)
	}
	return bin, os.Rename(fresh, bin) // in one step: another run may use it now
})

// lookAtSources looks at every file that the binary may be made of: "go test"
// keeps the result of a test for as long as the files that it looked at are the
// same, and does not know what another program is made of.
func lookAtSources(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if err == nil && path != root && strings.HasPrefix(entry.Name(), ".") {
				return fs.SkipDir
			}
			return err
		}
		_, err = os.Stat(path)
		return err
	})
}

// checkout is the folder of go.mod, seen from the folder that a test runs in.
func checkout() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the folder of the test")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// Desk is the daemon as an operator runs it: the binary, a configuration
// file, a process of its own.
type Desk struct {
	Dir string   // of the configuration, the log, and whatever the tests write there
	Env []string // beside ours, of the daemon and of commands

	t    testing.TB
	bin  string
	cmd  *exec.Cmd
	done chan error // gets how the daemon ended, once
}

// New writes files into a folder, among them frontdesk.yaml; it starts nothing.
// The test ends the daemon with itself, and shows the end of its log when it failed.
func New(t testing.TB, files map[string]string) *Desk {
	t.Helper()
	bin, err := Binary()
	if err != nil {
		t.Fatal(err)
	}
	d := &Desk{t: t, bin: bin, Dir: t.TempDir()}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(d.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		d.Kill()
		if t.Failed() {
			t.Logf("log of the daemon:\n%s", d.Log(60))
		}
	})
	return d
}

// For runs commands of the same desk in a subtest: what fails, fails that.
func (d *Desk) For(t testing.TB) *Desk { return &Desk{t: t, bin: d.bin, Dir: d.Dir, Env: d.Env} }

// Config is the path of the configuration.
func (d *Desk) Config() string { return filepath.Join(d.Dir, "frontdesk.yaml") }

// Log returns the last lines of the daemon's log.
func (d *Desk) Log(n int) string {
	text, _ := os.ReadFile(filepath.Join(d.Dir, "log"))
	lines := strings.Split(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// Ends waits for the daemon to end by itself, and reports how; ended is false
// when it still runs after the time.
func (d *Desk) Ends(within time.Duration) (how error, ended bool) {
	select {
	case how = <-d.done:
		d.done <- how // for Kill and Stop
		return how, true
	case <-time.After(within):
		return nil, false
	}
}

// PID is the process that Start started: the daemon, or what it is wrapped in.
func (d *Desk) PID() int { return d.cmd.Process.Pid }

// Start runs the daemon under the program and arguments of wrap, if any, and
// returns when it has said READY, or that it ended before.
func (d *Desk) Start(wrap ...string) error {
	log, err := os.OpenFile(filepath.Join(d.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	socket := filepath.Join(d.Dir, "notify")
	_ = os.Remove(socket)
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer notify.Close()
	args := append(wrap, d.bin, "run", "--config", d.Config())
	d.cmd = exec.Command(args[0], args[1:]...)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.Env = append(append(os.Environ(), d.Env...), "NOTIFY_SOCKET="+socket)
	d.cmd.SysProcAttr = ownGroup()
	if err := d.cmd.Start(); err != nil {
		return err
	}
	d.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan<- error) { done <- cmd.Wait() }(d.cmd, d.done)
	return d.waitReady(notify)
}

// ErrEndedEarly is what Start returns of a daemon that ended by itself.
var ErrEndedEarly = errors.New("the daemon ended before it was ready")

func (d *Desk) waitReady(notify *net.UnixConn) error {
	ready := make(chan bool, 1)
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := notify.Read(b)
			if err != nil || bytes.Contains(b[:n], []byte("READY=1")) {
				ready <- err == nil
				return
			}
		}
	}()
	select {
	case <-ready:
		return nil
	case err := <-d.done:
		d.done <- err
		return ErrEndedEarly
	case <-time.After(30 * time.Second):
		return errors.New("the daemon was not ready within 30 s")
	}
}

// MustStart is Start for tests in which it must succeed.
func (d *Desk) MustStart() {
	d.t.Helper()
	if err := d.Start(); err != nil {
		d.t.Fatalf("%v; its log:\n%s", err, d.Log(20))
	}
}

// Stop ends the daemon as systemd does, and reports how it went.
func (d *Desk) Stop() error {
	if d.cmd == nil {
		return nil
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-d.done:
		d.cmd = nil
		return err
	case <-time.After(40 * time.Second):
		d.Kill()
		return errors.New("the daemon did not end within 40 s")
	}
}

// Kill ends the daemon as a power cut does, with what it was wrapped in.
func (d *Desk) Kill() {
	if d.cmd == nil {
		return
	}
	_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
	<-d.done
	d.cmd = nil
	d.awaitUnlocked()
}

// awaitUnlocked waits until the lock on the data folder is free. The end of what
// the daemon was wrapped in is seen before the daemon's own.
func (d *Desk) awaitUnlocked() {
	f, err := os.Open(filepath.Join(d.Dir, "data", "frontdesk.db.lock"))
	if err != nil {
		return // it never got so far, or works on PostgreSQL
	}
	defer f.Close()
	for limit := time.Now().Add(10 * time.Second); time.Now().Before(limit); <-time.After(5 * time.Millisecond) {
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return // and free again when f is closed
		}
	}
}

// Run runs a command of the desk and returns what it printed.
func (d *Desk) Run(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, d.bin, append(args, "--config", d.Config())...)
	cmd.Env = append(os.Environ(), d.Env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("frontdesk %s: %w: %s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out), nil
}

// JSON runs a command with --json and reads the documents it prints. That it
// exits with a finding (reconcile does) is no failure here.
func (d *Desk) JSON(args ...string) (docs []map[string]any) {
	d.t.Helper()
	out, err := d.Run(append(args, "--json")...)
	if err != nil && out == "" {
		d.t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(out))
	for dec.More() {
		var doc map[string]any
		if err := dec.Decode(&doc); err != nil {
			d.t.Fatalf("frontdesk %v --json: %v in %s", args, err, out)
		}
		docs = append(docs, doc)
	}
	return docs
}
