package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"frontdesk/internal/testmail"
)

// buildDesk builds the real binary, once for all tests of the package. It stays
// behind for the next run, one for each checkout.
var buildDesk = sync.OnceValues(func() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(os.TempDir(), fmt.Sprintf("frontdesk-test-%x", sha256.Sum256([]byte(here)))[:30])
	fresh := fmt.Sprintf("%s.%d", bin, os.Getpid())
	cmd := exec.Command("go", "build", "-o", fresh, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build frontdesk: %w\n%s", err, out)
	}
	return bin, os.Rename(fresh, bin) // in one step: another run may use it now
})

// realDesk is the daemon as an operator runs it: the binary, a configuration
// file, a process of its own.
type realDesk struct {
	t   *testing.T
	bin string
	dir string
	env []string // beside ours, of the daemon and of commands

	cmd  *exec.Cmd
	done chan error // gets how the daemon ended, once
}

// newRealDesk writes the configuration and the files it names; it starts
// nothing.
func newRealDesk(t *testing.T, config string, r *testmail.Rig) *realDesk {
	t.Helper()
	return newDeskProcess(t, map[string]string{
		"frontdesk.yaml": config,
		"secret":         "a secret of tests, forty characters long",
		"support.pw":     r.Password("support@baleyo.test"),
		"hilfe.pw":       r.Password("hilfe@sahara.test"),
	})
}

// newDeskProcess is newRealDesk for any files, among them frontdesk.yaml.
func newDeskProcess(t *testing.T, files map[string]string) *realDesk {
	t.Helper()
	bin, err := buildDesk()
	if err != nil {
		t.Fatal(err)
	}
	d := &realDesk{t: t, bin: bin, dir: t.TempDir()}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		d.kill()
		if t.Failed() {
			t.Logf("log of the daemon:\n%s", d.log(60))
		}
	})
	return d
}

// commandsFor runs commands of the same desk in a subtest: what fails, fails
// that.
func (d *realDesk) commandsFor(t *testing.T) *realDesk {
	return &realDesk{t: t, bin: d.bin, dir: d.dir, env: d.env}
}

func (d *realDesk) config() string { return filepath.Join(d.dir, "frontdesk.yaml") }

// log returns the last lines of the daemon's log.
func (d *realDesk) log(n int) string {
	text, _ := os.ReadFile(filepath.Join(d.dir, "log"))
	lines := strings.Split(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// start runs the daemon under the program and arguments of wrap, if any, and
// returns when it has said READY, or that it ended before.
func (d *realDesk) start(wrap ...string) error {
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	socket := filepath.Join(d.dir, "notify")
	_ = os.Remove(socket)
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer notify.Close()
	args := append(wrap, d.bin, "run", "--config", d.config())
	d.cmd = exec.Command(args[0], args[1:]...)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.Env = append(append(os.Environ(), d.env...), "NOTIFY_SOCKET="+socket)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.cmd.Start(); err != nil {
		return err
	}
	d.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan<- error) { done <- cmd.Wait() }(d.cmd, d.done)
	return d.waitReady(notify)
}

var errEndedEarly = errors.New("the daemon ended before it was ready")

func (d *realDesk) waitReady(notify *net.UnixConn) error {
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
		return errEndedEarly
	case <-time.After(30 * time.Second):
		return errors.New("the daemon was not ready within 30 s")
	}
}

// mustStart is start for tests in which it must succeed.
func (d *realDesk) mustStart() {
	d.t.Helper()
	if err := d.start(); err != nil {
		d.t.Fatalf("%v; its log:\n%s", err, d.log(20))
	}
}

// stop ends the daemon as systemd does, and reports how it went.
func (d *realDesk) stop() error {
	if d.cmd == nil {
		return nil
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-d.done:
		d.cmd = nil
		return err
	case <-time.After(40 * time.Second):
		d.kill()
		return errors.New("the daemon did not end within 40 s")
	}
}

// kill ends the daemon as a power cut does, with what it was wrapped in.
func (d *realDesk) kill() {
	if d.cmd == nil {
		return
	}
	_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
	<-d.done
	d.cmd = nil
}

// run runs a command of the desk and returns what it printed.
func (d *realDesk) run(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, d.bin, append(args, "--config", d.config())...)
	cmd.Env = append(os.Environ(), d.env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("frontdesk %s: %w: %s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out), nil
}

// json runs a command with --json and reads the documents it prints. That it
// exits with a finding (reconcile does) is no failure here.
func (d *realDesk) json(args ...string) (docs []map[string]any) {
	d.t.Helper()
	out, err := d.run(append(args, "--json")...)
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
