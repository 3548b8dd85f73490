package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The desk of all measurements: one brand, one mailbox (but where mailboxes are
// counted), whose mail another server has proven.
const (
	deskBrand   = "perf"
	deskAddress = "support@perf.example"
	authservID  = "mx1.perf.example"
	deskAgent   = "asha@perf.example"
	mailPw      = "perf"
)

// buildDesk builds the binary as make build does, once. With a folder for
// profiles it holds one file more, profileSource.
func (b *bench) buildDesk() error {
	args := []string{"build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(b.dir, "frontdesk")}
	if b.opt.profile != "" {
		file, overlay := filepath.Join(b.dir, "profile.go"), filepath.Join(b.dir, "overlay.json")
		text, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(b.root, "cmd/frontdesk/benchprofile.go"): file}})
		if err := errors.Join(err, os.WriteFile(file, []byte(profileSource), 0o644), os.WriteFile(overlay, text, 0o644)); err != nil {
			return err
		}
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.Command("go", append(args, "./cmd/frontdesk")...)
	cmd.Dir, cmd.Env = b.root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build frontdesk: %w\n%s", err, out)
	}
	b.bin = filepath.Join(b.dir, "frontdesk")
	return nil
}

// profileSource keeps a CPU profile from the start until SIGUSR1. It is linked
// into the binary that is measured with PROFILE=, and into no other.
const profileSource = `package main

import (
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

func init() {
	name := os.Getenv("FRONTDESK_BENCH_PROFILE")
	if name == "" {
		return
	}
	f, err := os.Create(name + ".part")
	if err != nil {
		panic(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		panic(err)
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGUSR1)
	go func() {
		<-end
		pprof.StopCPUProfile()
		_ = f.Close()
		_ = os.Rename(name+".part", name)
	}()
}
`

// deskConfig is what differs between desks.
type deskConfig struct {
	imap      int      // port
	users     []string // a mailbox for each; the first one is deskAddress's
	smtp      int      // port
	smtpLogin bool
	database  string // "" SQLite
	agents    bool   // an agent gets a letter about each ticket, too
	brand     string // YAML of the brand
	more      string // YAML
}

func (c deskConfig) yaml() string {
	var b strings.Builder
	database := c.database
	if database == "" {
		database = "sqlite"
	}
	fmt.Fprintf(&b, "data_dir: data\ndatabase: %q\nsecret_file: secret\n", database)
	if !strings.Contains(c.more, "http:") {
		b.WriteString("http: {public_url: \"\", admin_listen: \"\"}\n")
	}
	// The limits are for loops, and each customer here is another one.
	b.WriteString("acknowledge: {per_domain_hour: 100000000, global_hour: 100000000}\nincidents: {customers: 0}\n")
	// One severity is none that climbs: the desk would read alarms from texts that
	// were thrown together, and escalate half of the mails. That is no intake.
	b.WriteString("severities: {normal: {resolve_within: 72 hours}}\n")
	fmt.Fprintf(&b, "brands:\n  %s:\n    name: Perf\n%s    mailboxes:\n", deskBrand, c.brand)
	login := ""
	for i, user := range c.users {
		address := deskAddress
		if i > 0 {
			address = fmt.Sprintf("support%d@perf.example", i)
		}
		if c.smtpLogin {
			login = fmt.Sprintf(", username: %s, password_file: password", user)
		}
		fmt.Fprintf(&b, "      - address: %s\n        queue: support\n        imap: {host: 127.0.0.1, port: %d, tls: none, username: %s, password_file: password}\n        smtp: {host: 127.0.0.1, port: %d, tls: none%s}\n        trusted_authserv_ids: [%s]\n",
			address, c.imap, user, c.smtp, login, authservID)
	}
	// Nobody is told of tickets of a brand that no agent works for.
	works := deskBrand
	if !c.agents {
		works = "other"
	}
	fmt.Fprintf(&b, "  other: {name: Other, mailboxes: [{address: other@perf.example, queue: support, smtp: {host: 127.0.0.1, port: %[3]d, tls: none%[4]s}}]}\nqueues:\n  support: {team: first}\nteams:\n  first: {members: [%[1]s]}\nagents:\n  - {name: Asha, email: %[1]s, brands: [%[2]s]}\n", deskAgent, works, c.smtp, login)
	return b.String() + c.more
}

// desk is the installed desk in a folder and, started, a process of its own.
type desk struct {
	t       *section
	dir     string
	manager *net.UnixConn // stands for systemd
	cmd     *exec.Cmd
	profile string
	done    chan error
	cpu     time.Duration // that the last process used
}

// newDesk makes the folder; it starts nothing.
func newDesk(t *section, c deskConfig) *desk {
	dir, err := os.MkdirTemp(t.b.dir, "d")
	if err != nil {
		t.Fatalf("desk: %v", err)
	}
	d := &desk{t: t, dir: dir}
	for name, text := range map[string]string{"frontdesk.yaml": c.yaml(), "secret": "a secret of figures, long enough for a key", "password": mailPw} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatalf("desk: %v", err)
		}
	}
	if d.manager, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"}); err != nil {
		t.Fatalf("desk: %v", err)
	}
	t.Cleanup(d.remove)
	return d
}

func (d *desk) remove() {
	if d.cmd != nil {
		_ = d.cmd.Process.Kill()
		<-d.done
		d.cmd = nil
	}
	_ = d.manager.Close()
	_ = os.RemoveAll(d.dir)
}

// diskSize is that of the database's files in bytes; 0 where it is a server's.
func (d *desk) diskSize() (size int64) {
	for _, end := range []string{"", "-wal"} {
		if info, err := os.Stat(d.database() + end); err == nil {
			size += info.Size()
		}
	}
	return size
}

func (d *desk) config() string   { return filepath.Join(d.dir, "frontdesk.yaml") }
func (d *desk) database() string { return filepath.Join(d.dir, "data", "frontdesk.db") }

// start runs the daemon and returns when it was called and when it said READY.
func (d *desk) start() (began, ready time.Time) {
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatalf("desk: %v", err)
	}
	defer log.Close()
	d.cmd = exec.Command(d.t.b.bin, "run", "--config", d.config())
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+filepath.Join(d.dir, "notify"))
	if d.profile = d.t.b.profileFile(d.t.name); d.profile != "" {
		d.cmd.Env = append(d.cmd.Env, "FRONTDESK_BENCH_PROFILE="+d.profile)
	}
	began = time.Now()
	if err := d.cmd.Start(); err != nil {
		d.t.Fatalf("desk: %v", err)
	}
	d.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan<- error) { done <- cmd.Wait() }(d.cmd, d.done)
	d.told("READY=1")
	return began, time.Now()
}

// told waits until the daemon has said what to its manager.
func (d *desk) told(what string) {
	_ = d.manager.SetReadDeadline(time.Now().Add(20 * time.Second))
	for buffer := make([]byte, 4096); ; {
		n, err := d.manager.Read(buffer)
		if err != nil {
			d.t.Fatalf("the daemon does not say %s: %v; its log:\n%s", what, err, d.log(20))
		}
		if strings.HasPrefix(string(buffer[:n]), what) {
			return
		}
	}
}

// stop ends the daemon as systemd does.
func (d *desk) stop() {
	if d.profile != "" {
		_ = d.cmd.Process.Signal(syscall.SIGUSR1)
		for range 500 {
			if _, err := os.Stat(d.profile); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-d.done:
		if err != nil {
			d.t.Fatalf("the daemon ended with %v; its log:\n%s", err, d.log(20))
		}
	case <-time.After(40 * time.Second):
		d.t.Fatalf("the daemon did not end within 40 s; its log:\n%s", d.log(20))
	}
	d.cpu = d.cmd.ProcessState.UserTime() + d.cmd.ProcessState.SystemTime()
	d.cmd = nil
}

// log returns the last lines of the daemon's log.
func (d *desk) log(n int) string {
	text, _ := os.ReadFile(filepath.Join(d.dir, "log"))
	lines := strings.Split(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func (d *desk) logSize() int64 {
	info, err := os.Stat(filepath.Join(d.dir, "log"))
	if err != nil {
		return 0 // not started yet
	}
	return info.Size()
}

// decided returns when the log, from an offset on, had told of n decisions.
func (d *desk) decided(from int64, n int, limit time.Duration) time.Time {
	f, err := os.Open(filepath.Join(d.dir, "log"))
	if err != nil {
		d.t.Fatalf("desk: %v", err)
	}
	defer f.Close()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		d.t.Fatalf("desk: %v", err)
	}
	seen, began, buffer := 0, time.Now(), make([]byte, 1<<20)
	for left := ""; ; {
		k, _ := f.Read(buffer)
		text := left + string(buffer[:k])
		whole := strings.LastIndexByte(text, '\n') + 1
		seen, left = seen+strings.Count(text[:whole], "msg=decided "), text[whole:]
		switch {
		case seen >= n:
			return time.Now()
		case time.Since(began) > limit:
			d.t.Fatalf("%d of %d mails decided after %v; log of the desk:\n%s", seen, n, limit, d.log(20))
		case k == 0:
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// run runs a command of the desk.
func (d *desk) run(args ...string) []byte {
	cmd := exec.CommandContext(d.t.ctx, d.t.b.bin, append(args, "--config", d.config())...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		d.t.Fatalf("frontdesk %s: %v: %s", strings.Join(args, " "), err, errs.Bytes())
	}
	return out.Bytes()
}

// memory returns a line of /proc/PID/status in MB: VmRSS is what is resident
// now, VmHWM what was at most.
func (d *desk) memory(line string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		d.t.Skipf("memory is read from /proc, which Linux has: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), line+":")
	var kilobytes int64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		d.t.Fatalf("memory: %v", err)
	}
	return float64(kilobytes) / 1024
}

// left alone for so long a desk counts as idle: it gives back what a busy time
// took between three and six seconds after it.
const left = 8 * time.Second

// idleMemory is the resident memory after the desk was left alone.
func (d *desk) idleMemory() float64 {
	if d.t.b.opt.quick {
		return d.memory("VmRSS")
	}
	time.Sleep(left)
	return d.memory("VmRSS")
}
