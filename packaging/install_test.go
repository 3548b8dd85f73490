package main

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // driver "sqlite"
)

// filledIn is what an operator makes of the packaged configuration. Mail comes
// by the pipe: the machine has no network.
const filledIn = `data_dir: /var/lib/frontdesk
secret_file: secret
brands:
  support:
    name: Example
    timezone: UTC
    mailboxes:
      - address: support@example.com
        smtp: {host: 127.0.0.1, port: 2525, tls: none}
agents:
  - {email: asha@example.com, name: Asha, role: admin}
`

// openPackages makes a deb of the sources, once as an older and once as a newer
// version.
func openPackages(t *testing.T) (older, newer string) {
	t.Helper()
	out := t.TempDir()
	keptTool(t, out)
	for _, version := range []string{"1.0.0", "1.1.0"} {
		j := job{version: version, arches: []string{runtime.GOARCH}, formats: []string{"deb"}, out: out}
		if err := j.run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	name := func(version string) string {
		return filepath.Join(out, "frontdesk_"+version+"_"+runtime.GOARCH+".deb")
	}
	return name("1.0.0"), name("1.1.0")
}

// keptTool puts nfpm where a job looks for it: it is built once for all tests.
func keptTool(t *testing.T, out string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	_, version, _ := strings.Cut(nfpm, "@")
	kept := filepath.Join(cache, "frontdesk-test", "nfpm-"+version, "nfpm")
	if err := os.MkdirAll(filepath.Dir(kept), 0o700); err != nil {
		t.Fatal(err)
	}
	j := job{root: mustAbs(t, "..")}
	if err := j.tool(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	tool := filepath.Join(out, "stage", "nfpm")
	if err := os.MkdirAll(filepath.Dir(tool), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tool, text, 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestPackage installs the package into a fresh minimal Debian, boots it with
// its own systemd, does to the service what happens to services, upgrades,
// removes and purges.
func TestPackage(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole Debian")
	}
	needs(t, "debootstrap", "debootstrap")
	needs(t, "systemd-nspawn", "systemd-container")
	needs(t, "nsenter", "util-linux")
	if os.Getuid() != 0 {
		missing(t, "not root: a Debian in a folder needs chroot")
	}
	older, newer := openPackages(t)
	m := openMachine(t)
	older, newer = m.take(older), m.take(newer)

	said := m.must("apt-get", "install", "-y", "-q", older)
	if !strings.Contains(said, "not configured yet") {
		t.Errorf("the installation does not say what is next:\n%s", said)
	}
	installed(t, m)
	explained(t, m)
	secret := m.read("/etc/frontdesk/secret")

	m.write("/etc/frontdesk/frontdesk.yaml", filledIn, 0o640)
	m.must("frontdesk", "check")
	m.boot()
	lives(t, m)
	backedUp(t, m)
	upgraded(t, m, older, newer)
	if m.read("/etc/frontdesk/secret") != secret {
		t.Error("the upgrade made another secret")
	}
	removed(t, m, newer, secret)
}

// installed looks at what is there after apt install.
func installed(t *testing.T, m *machine) {
	t.Helper()
	if user := m.must("getent", "passwd", "frontdesk"); !strings.Contains(user, ":/var/lib/frontdesk:") || !strings.Contains(user, "/nologin") {
		t.Errorf("user: %s", user)
	}
	for name, want := range map[string]string{
		"/usr/bin/frontdesk":                                  "0755 root root",
		"/etc/frontdesk":                                      "0750 root frontdesk",
		"/etc/frontdesk/credentials":                          "0700 root root",
		"/etc/frontdesk/frontdesk.yaml":                       "0640 root frontdesk",
		"/etc/frontdesk/secret":                               "0600 frontdesk frontdesk",
		"/var/lib/frontdesk":                                  "0750 frontdesk frontdesk",
		"/var/backups/frontdesk":                              "0700 frontdesk frontdesk",
		"/usr/lib/systemd/system/frontdesk.service":           "0644 root root",
		"/usr/lib/systemd/system/frontdesk-backup.timer":      "0644 root root",
		"/usr/lib/sysusers.d/frontdesk.conf":                  "0644 root root",
		"/usr/lib/tmpfiles.d/frontdesk.conf":                  "0644 root root",
		"/usr/share/man/man1/frontdesk.1.gz":                  "0644 root root",
		"/usr/share/man/man1/frontdesk-tickets-list.1.gz":     "0644 root root",
		"/usr/share/bash-completion/completions/frontdesk":    "0644 root root",
		"/usr/share/zsh/vendor-completions/_frontdesk":        "0644 root root",
		"/usr/share/fish/vendor_completions.d/frontdesk.fish": "0644 root root",
		"/usr/share/doc/frontdesk/copyright":                  "0644 root root",
		"/usr/share/doc/frontdesk/changelog.gz":               "0644 root root",
		"/usr/share/doc/frontdesk/operate.md":                 "0644 root root",
		"/usr/share/doc/frontdesk/sbom.cdx.json":              "0644 root root",
	} {
		if got := m.modeOf(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if s := m.read("/etc/frontdesk/secret"); !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(s) {
		t.Errorf("the secret is not 32 random bytes in hex: %d characters", len(s))
	}
	if state, _ := m.run("systemctl", "is-enabled", "frontdesk.service"); strings.TrimSpace(state) != "enabled" {
		t.Errorf("the service is %s", state)
	}
	if conffiles := m.read("/var/lib/dpkg/info/frontdesk.conffiles"); strings.TrimSpace(conffiles) != "/etc/frontdesk/frontdesk.yaml" {
		t.Errorf("conffiles: %s", conffiles)
	}
}

// explained: check says of each empty value what belongs there.
func explained(t *testing.T, m *machine) {
	t.Helper()
	out, code := m.run("frontdesk", "check")
	if code != 1 {
		t.Errorf("check: exit code %d, want 1", code)
	}
	for _, want := range []string{
		`brands.support.name: missing`, `mailboxes\[0\].address: missing`, `imap.host: missing`,
		`imap.password_file: "mail.password": no such file`, `smtp.host: missing`, `agents\[0\].email: missing`,
	} {
		if !regexp.MustCompile(`(?m)^/etc/frontdesk/frontdesk\.yaml:[0-9]+: .*` + want).MatchString(out) {
			t.Errorf("check does not say %s:\n%s", want, out)
		}
	}
}

// lives: the service starts, reloads, is restarted when it dies and when it
// hangs, and ends in order.
func lives(t *testing.T, m *machine) {
	t.Helper()
	waitFor(t, "the enabled service", func() (string, bool) {
		state := m.property("ActiveState")
		return state + "\n" + m.journal(), state == "active"
	})
	m.asDesk("From: Maria <maria@example.org>\nTo: support@example.com\nSubject: Printer\nMessage-ID: <1@example.org>\n\nIt is offline.\n",
		"frontdesk", "deliver", "--mailbox", "support@example.com")
	waitFor(t, "the ticket of a mail", func() (string, bool) {
		out := m.asDesk("", "frontdesk", "tickets", "list")
		return out, strings.Contains(out, "Printer")
	})
	if out, code := m.run("systemd-analyze", "security", "--threshold=15", "--no-pager", "frontdesk.service"); code != 0 {
		t.Errorf("systemd-analyze security:\n%s", out)
	} else {
		lines := strings.Split(strings.TrimSpace(out), "\n")
		t.Log(lines[len(lines)-1])
	}

	// A reload keeps the process.
	pid := m.property("MainPID")
	m.must("systemctl", "reload", "frontdesk")
	waitFor(t, "the reload", func() (string, bool) { out := m.journal(); return out, strings.Contains(out, "msg=reloaded") })
	m.write("/etc/frontdesk/frontdesk.yaml", filledIn+"nonsense: 1\n", 0o640)
	m.must("systemctl", "reload", "frontdesk")
	waitFor(t, "the refusal of a broken file", func() (string, bool) { out := m.journal(); return out, strings.Contains(out, "reload refused") })
	m.write("/etc/frontdesk/frontdesk.yaml", filledIn, 0o640)
	if now := m.property("MainPID"); now != pid || m.property("ActiveState") != "active" {
		t.Errorf("after two reloads: pid %s, was %s", now, pid)
	}

	// Death.
	m.must("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "frontdesk")
	another(t, m, pid)
	if out := m.asDesk("", "frontdesk", "tickets", "list"); !strings.Contains(out, "Printer") {
		t.Errorf("after kill -9:\n%s", out)
	}

	// Hanging: the watchdog, with a shorter patience than the packaged minute.
	m.write("/etc/systemd/system/frontdesk.service.d/test.conf", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nWatchdogSec=5\n", 0o644)
	m.must("systemctl", "daemon-reload")
	m.must("systemctl", "restart", "frontdesk")
	pid = m.property("MainPID")
	m.must("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "frontdesk")
	another(t, m, pid)
	if out, _ := m.run("journalctl", "--no-pager", "--output=cat", "--unit=frontdesk.service"); !strings.Contains(out, "Watchdog timeout") {
		t.Errorf("nothing of the watchdog in:\n%s", out)
	}
	// The packaged patience again; the limit of starts stays away: there are many here.
	m.write("/etc/systemd/system/frontdesk.service.d/test.conf", "[Unit]\nStartLimitIntervalSec=0\n", 0o644)
	m.must("systemctl", "daemon-reload")

	// The end.
	m.must("systemctl", "stop", "frontdesk")
	if got := m.property("Result") + " " + m.property("ActiveState"); got != "success inactive" {
		t.Errorf("after stop: %s\n%s", got, m.journal())
	}
	if out := m.journal(); !strings.Contains(out, "msg=stopped") {
		t.Errorf("it did not drain:\n%s", out)
	}
	m.must("systemctl", "start", "frontdesk")
}

// another waits for a process that took the place of pid.
func another(t *testing.T, m *machine, pid string) {
	t.Helper()
	waitFor(t, "a restart after "+pid, func() (string, bool) {
		now, state := m.property("MainPID"), m.property("ActiveState")
		return now + " " + state + "\n" + m.journal(), now != pid && now != "0" && state == "active"
	})
}

// backedUp: the packaged backup job works in its own sandbox.
func backedUp(t *testing.T, m *machine) {
	t.Helper()
	if out, code := m.run("systemctl", "start", "frontdesk-backup.service"); code != 0 {
		log, _ := m.run("journalctl", "--no-pager", "--unit=frontdesk-backup.service")
		t.Fatalf("backup: %s%s", out, log)
	}
	if out := m.must("ls", "/var/backups/frontdesk"); !regexp.MustCompile(`^frontdesk-[0-9]{8}-[0-9]{6}\.db\n$`).MatchString(out) {
		t.Errorf("backups: %s", out)
	}
	m.must("systemctl", "enable", "--now", "frontdesk-backup.timer")
}

// upgraded: the newer package restarts the service and keeps what is the
// operator's; a database from the future is refused in words.
func upgraded(t *testing.T, m *machine, older, newer string) {
	t.Helper()
	pid := m.property("MainPID")
	m.must("apt-get", "install", "-y", "-q", newer)
	another(t, m, pid)
	if out := m.must("frontdesk", "version"); !strings.HasPrefix(out, "frontdesk 1.1.0") {
		t.Errorf("after the upgrade: %s", out)
	}
	if m.read("/etc/frontdesk/frontdesk.yaml") != filledIn {
		t.Error("the upgrade changed the configuration")
	}

	m.must("systemctl", "stop", "frontdesk")
	fromTheFuture(t, m.path("/var/lib/frontdesk/frontdesk.db"), 1)
	out := m.must("apt-get", "install", "-y", "-q", "--allow-downgrades", older)
	if !strings.Contains(out, "frontdesk did not start") {
		t.Errorf("the downgrade says nothing of the refusal:\n%s", out)
	}
	waitFor(t, "the refusal of a newer database", func() (string, bool) {
		out := m.journal()
		return out, strings.Contains(out, "written by a newer frontdesk")
	})
	m.run("systemctl", "stop", "frontdesk")
	fromTheFuture(t, m.path("/var/lib/frontdesk/frontdesk.db"), -1)
	m.must("apt-get", "install", "-y", "-q", newer)
	m.must("systemctl", "restart", "frontdesk")
}

// fromTheFuture adds versions to the schema of a database at rest.
func fromTheFuture(t *testing.T, file string, by int) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	text := `INSERT INTO goose_db_version (version_id, is_applied) SELECT MAX(version_id) + 1, 1 FROM goose_db_version`
	if by < 0 {
		text = `DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)`
	}
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// removed: removal leaves data, purging takes them.
func removed(t *testing.T, m *machine, deb, secret string) {
	t.Helper()
	m.must("apt-get", "remove", "-y", "-q", "frontdesk")
	if got := m.property("ActiveState"); got != "inactive" {
		t.Errorf("after removal the service is %s", got)
	}
	for _, name := range []string{"/etc/frontdesk/frontdesk.yaml", "/etc/frontdesk/secret", "/var/lib/frontdesk/frontdesk.db"} {
		if !m.exists(name) {
			t.Errorf("removal took %s", name)
		}
	}
	if m.exists("/usr/bin/frontdesk") {
		t.Error("removal left the program")
	}
	m.must("apt-get", "install", "-y", "-q", deb)
	if m.read("/etc/frontdesk/secret") != secret {
		t.Error("installing again made another secret")
	}
	waitFor(t, "the service after installing again", func() (string, bool) {
		state := m.property("ActiveState")
		return state + m.journal(), state == "active"
	})
	m.must("apt-get", "purge", "-y", "-q", "frontdesk")
	for _, name := range []string{"/etc/frontdesk", "/var/lib/frontdesk", "/usr/lib/systemd/system/frontdesk.service"} {
		if m.exists(name) {
			t.Errorf("purging left %s", name)
		}
	}
	if out, code := m.run("getent", "passwd", "frontdesk"); code == 0 {
		t.Errorf("purging left the user: %s", out)
	}
	if out := m.must("ls", "/var/backups/frontdesk"); !strings.Contains(out, "frontdesk-") {
		t.Error("purging took the backups")
	}
}

// TestPackageIsTidy asks lintian, and rpm of its own package.
func TestPackageIsTidy(t *testing.T) {
	needs(t, "lintian", "lintian")
	needs(t, "rpm", "rpm")
	out := t.TempDir()
	keptTool(t, out)
	j := job{version: "1.0.0", arches: []string{runtime.GOARCH}, formats: []string{"deb", "rpm"}, out: out}
	if err := j.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	deb := filepath.Join(out, "frontdesk_1.0.0_"+runtime.GOARCH+".deb")
	if said, err := exec.CommandContext(t.Context(), "lintian", "--allow-root", "--fail-on", "error,warning", deb).CombinedOutput(); err != nil {
		t.Errorf("lintian: %v\n%s", err, said)
	}
	rpms, err := filepath.Glob(filepath.Join(out, "*.rpm"))
	if err != nil || len(rpms) != 1 {
		t.Fatalf("rpms: %v %v", rpms, err)
	}
	list, err := exec.CommandContext(t.Context(), "rpm", "-qp", "--nosignature", "-l", rpms[0]).CombinedOutput()
	if err != nil {
		t.Fatalf("rpm: %v\n%s", err, list)
	}
	for _, want := range []string{"/usr/bin/frontdesk", "/usr/lib/systemd/system/frontdesk.service", "/usr/share/zsh/site-functions/_frontdesk", "/usr/share/man/man1/frontdesk.1.gz"} {
		if !strings.Contains(string(list), want+"\n") {
			t.Errorf("the rpm lacks %s", want)
		}
	}
	config, err := exec.CommandContext(t.Context(), "rpm", "-qp", "--nosignature", "--configfiles", rpms[0]).CombinedOutput()
	if err != nil || strings.TrimSpace(string(config)) != "/etc/frontdesk/frontdesk.yaml" {
		t.Errorf("configuration files of the rpm: %v %s", err, config)
	}
}
