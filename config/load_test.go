package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// sound is the smallest configuration without a mistake.
const sound = `
secret_file: secret
brands:
  example:
    name: Example
    mailboxes:
      - address: support@example.com
        smtp: {host: 127.0.0.1, tls: none}
agents:
  - email: Asha@example.com
`

// openFolder returns a folder with the secret files that configurations of the
// tests name.
func openFolder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	mustWrite(t, filepath.Join(dir, "secret"), strings.Repeat("0123456789abcdef", 2)+"\n", 0o600)
	mustWrite(t, filepath.Join(dir, "mail.pw"), "hunter2\n", 0o600)
	mustWrite(t, filepath.Join(dir, "twilio.token"), "token-of-twilio\n", 0o600)
	mustWrite(t, filepath.Join(dir, "twilio.next"), "next-token-of-twilio\n", 0o600)
	mustWrite(t, filepath.Join(dir, "twilio.key"), "key-of-twilio\n", 0o600)
	return dir
}

func mustWrite(t testing.TB, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

// loadText loads text as frontdesk.yaml of dir, with the variables of env.
func loadText(t testing.TB, dir, text string, env map[string]string) (*Config, Findings) {
	t.Helper()
	file := filepath.Join(dir, "frontdesk.yaml")
	mustWrite(t, file, text, 0o644)
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	l := &loader{file: file, env: lookup, stat: os.Stat, readFile: os.ReadFile}
	cfg := l.load()
	return cfg, l.findings.sorted()
}

func mustLoad(t testing.TB, dir, text string, env map[string]string) *Config {
	t.Helper()
	cfg, findings := loadText(t, dir, text, env)
	if len(findings) > 0 {
		t.Fatalf("findings in a sound file:\n%v", findings)
	}
	return cfg
}

func TestContractExampleLoads(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/contract.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := openFolder(t)
	for _, folder := range []string{"letters", "knowledge"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	here := strings.NewReplacer("/etc/frontdesk/", dir+"/", "/var/lib/frontdesk", dir+"/data").Replace(string(text))
	cfg := mustLoad(t, dir, here, map[string]string{"TWILIO_ACCOUNT_SID": "AC0123"})

	b := cfg.Brands[0]
	m := b.Mailboxes[0]
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"data_dir", cfg.DataDir, dir + "/data"},
		{"database", string(cfg.Database), "sqlite"},
		{"listen", cfg.HTTP.Listen, "127.0.0.1:8025"},
		{"message_size", cfg.Limits.MessageSize, Size(25 << 20)},
		{"account_sid", cfg.Twilio.AccountSID, "AC0123"},
		{"auth_token", cfg.Twilio.AuthToken.Reveal(), "token-of-twilio"},
		{"brand", b.ID + " " + b.Name + " " + b.Timezone.String(), "baleyo Baleyo Asia/Kathmandu"},
		{"hours", fmt.Sprint(b.Hours), "[[] [10:00-17:40] [10:00-17:40] [10:00-17:40] [10:00-17:40] [10:00-17:40] [09:30-13:30]]"},
		{"holidays", fmt.Sprint(b.Holidays.Dates), "[2026-12-25]"},
		{"sender", b.Sender, "Baleyo"},
		{"domain", b.Domain, "baleyo.test"},
		{"color", b.Color, "#1f4e79"},
		{"intake", m.Intake, IntakeIMAP},
		{"imap", fmt.Sprint(m.IMAP.Host, m.IMAP.Port, m.IMAP.TLS, m.IMAP.Folder, m.IMAP.Auth), "127.0.0.11143noneINBOXpassword"},
		{"password", m.SMTP.Password.Reveal(), "hunter2"},
		{"poll_every", m.PollEvery, time.Minute},
		{"subaddressing", m.Subaddressing, "+"},
		{"menu", fmt.Sprint(b.Phones[0].Menu), "[{1  sales} {2  support}]"},
		{"phone", b.Phones[0].Queue + " " + b.Phones[0].Mailbox, "support support@baleyo.test"},
		{"country", b.Country, "NP"},
		{"allow", fmt.Sprint(cfg.Twilio.Allow, cfg.Twilio.Deny), "[+977] []"},
		{"matrix", fmt.Sprint(cfg.Matrix), "[[low medium high high] [low medium high critical] [medium high high critical] [medium high critical critical]]"},
		{"weights", fmt.Sprint(cfg.Severities[0].Weight, cfg.Severities[3].Weight), "4 1"},
		{"morning_mail", cfg.MorningMail.String(), "08:00"},
		{"promises", fmt.Sprint(cfg.Promises), "{ never 75% [pending on_hold] restart from_start}"},
		{"texting", cfg.Texting, Texting{3, 14 * 24 * time.Hour, 30 * time.Minute}},
		{"alarms", cfg.Alarms, Alarms{3, 2 * time.Minute}},
		{"incidents", cfg.Incidents, Incidents{5, 30 * time.Minute, 0.5}},
		{"assignment", cfg.Assignment, Assignment{true, true}},
		{"updates", fmt.Sprint(cfg.Updates), "{30 minutes 30 minutes}"},
		{"queue", fmt.Sprint(cfg.Queues[1]), "{sales sales [sales head] sales true false 30 minutes}"},
		{"tiers", fmt.Sprint(cfg.Queues[0].Tiers), "[first-line senior head]"},
		{"role", cfg.Agents[3].Role, RoleManager},
		{"max_open", cfg.Agents[0].MaxOpen, 20},
		{"category", cfg.Categories[0].RespondWithin.String(), "2 business hours"},
		{"keywords", cfg.Categories[0].Keywords[2], "not working"},
		{"severity order", cfg.Severities[0].ID + cfg.Severities[3].ID, "criticallow"},
		{"escalate", cfg.Severities[0].Escalate.String(), "immediately"},
		{"working days", cfg.Severities[3].ResolveWithin, Duration{5, UnitWorkingDay}},
		{"schedule", fmt.Sprint(cfg.Schedules[3].DaysBefore), "[30 7 1]"},
		{"report to", cfg.Schedules[4].To[0], "devi@baleyo.test"},
		{"supervisor_mail", cfg.SupervisorMail.String(), "08:00"},
		{"closing", cfg.Closing, Closing{3 * 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour}},
		{"acknowledge", cfg.Acknowledge, Acknowledge{5, 20, 2, 1000, 5000, 24 * time.Hour, false}},
		{"outbox", cfg.Outbox, Outbox{InDoubtResend, 5 * 24 * time.Hour, 2}},
		{"log", cfg.Log, Log{"logfmt", "info"}},
		{"agent_auth", cfg.AgentAuth, AgentAuthenticated},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, c.got, c.want)
		}
	}
}

func TestSmallestConfigurationIsComplete(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, openFolder(t), sound, nil)
	m := cfg.Brands[0].Mailboxes[0]
	got := fmt.Sprintln(cfg.Agents[0].Email, cfg.Agents[0].Name, cfg.Teams, cfg.Queues, m.Queue, m.Intake, m.SMTP.Port,
		len(cfg.Categories), len(cfg.Severities), cfg.HTTP.Listen, cfg.HTTP.AdminListen)
	want := "asha@example.com asha [{everyone [asha@example.com]}] [{support everyone [everyone] support true false 30 minutes}] support pipe 25 5 4  127.0.0.1:8026\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEnvironmentIsPutIn(t *testing.T) {
	t.Parallel()
	text := strings.Replace(sound, "name: Example", "name: ${BRAND} & $${BRAND}", 1)
	cfg := mustLoad(t, openFolder(t), text, map[string]string{"BRAND": "Ex # {ample}"})
	if got, want := cfg.Brands[0].Name, "Ex # {ample} & ${BRAND}"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSystemdCredential(t *testing.T) {
	t.Parallel()
	dir, credentials := openFolder(t), t.TempDir()
	// systemd's own copies look group-readable because of their access list.
	mustWrite(t, filepath.Join(credentials, "desk-secret"), strings.Repeat("s", 40), 0o440)
	text := strings.Replace(sound, "secret_file: secret", "secret_file: credential:desk-secret", 1)
	cfg := mustLoad(t, dir, text, map[string]string{"CREDENTIALS_DIRECTORY": credentials})
	if got := cfg.Secret.Reveal(); got != strings.Repeat("s", 40) {
		t.Errorf("secret of %d bytes, want 40", len(got))
	}
	if _, findings := loadText(t, dir, text, nil); len(findings) != 1 || !strings.Contains(findings[0].Reason, "LoadCredential=") {
		t.Errorf("without $CREDENTIALS_DIRECTORY: %v", findings)
	}
	for _, bad := range []string{"../desk-secret", "..", "", "a/b"} {
		text := strings.Replace(sound, "secret_file: secret", "secret_file: 'credential:"+bad+"'", 1)
		if _, findings := loadText(t, dir, text, map[string]string{"CREDENTIALS_DIRECTORY": credentials}); len(findings) != 1 {
			t.Errorf("credential %q: %v", bad, findings)
		}
	}
}

func TestSecretNeverPrintsItself(t *testing.T) {
	t.Parallel()
	s := NewSecret("hunter2")
	holder := struct{ Password Secret }{s}
	unexported := struct{ password Secret }{s}
	asJSON, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "secret", s, "holder", holder)
	all := fmt.Sprintf("%v %+v %#v %s %q %x %d %v %+v %#v %x", s, s, s, s, s, s, s, holder, holder, &holder, holder) +
		fmt.Sprintf("%v %+v %#v", unexported, unexported, unexported) +
		s.String() + string(asJSON) + string(asYAML) + logged.String()
	for _, leak := range []string{"hunter2", "68756e74657232", "104 117"} {
		if strings.Contains(all, leak) {
			t.Errorf("leaks %q: %s", leak, all)
		}
	}
	if !strings.Contains(all, redacted) {
		t.Errorf("no %s in %s", redacted, all)
	}
}

func TestDatabasePasswordNeverPrintsItself(t *testing.T) {
	t.Parallel()
	for _, d := range []DSN{"postgres://u:hunter2@h/db", "postgres://h/db?password=hunter2&user=u", "postgres://u:hunter2@h:port%/db"} {
		all := fmt.Sprintf("%v %s %q %#v", d, d, d, d)
		if strings.Contains(all, "hunter2") {
			t.Errorf("leaks: %s", all)
		}
	}
	_, findings := loadText(t, openFolder(t), sound+"database: 'postgres://u:hunter2@h:port%/db'\n", nil)
	if len(findings) != 1 || strings.Contains(findings.Error(), "hunter2") {
		t.Errorf("findings: %v", findings)
	}
}

// TestOneLineBreakEndsASecret: editors and echo write one. Of a password blanks
// within it count, of a secret of the desk every byte but line breaks at its end.
func TestOneLineBreakEndsASecret(t *testing.T) {
	t.Parallel()
	text := strings.Replace(sound, "tls: none}", "tls: none, username: desk, password_file: pw}", 1) + "old_secret_files: raw\n"
	raw := " \t\x00\xff" + strings.Repeat("r", 40) + " "
	for written, want := range map[string]string{
		"hunter2": "hunter2", "hunter2\n": "hunter2", "hunter2\r\n": "hunter2", "abcd efgh ijkl\n": "abcd efgh ijkl",
	} {
		dir := openFolder(t)
		mustWrite(t, filepath.Join(dir, "pw"), written, 0o600)
		mustWrite(t, filepath.Join(dir, "raw"), raw+"\n", 0o600)
		cfg := mustLoad(t, dir, text, nil)
		if got := cfg.Brands[0].Mailboxes[0].SMTP.Password.Reveal(); got != want {
			t.Errorf("password written as %q: got %q, want %q", written, got, want)
		}
		if len(cfg.OldSecrets) != 1 || cfg.OldSecrets[0].Reveal() != raw {
			t.Errorf("old secrets: %d, want the bytes as they were written", len(cfg.OldSecrets))
		}
	}
}

func TestVariableOfASecretIsNotQuoted(t *testing.T) {
	t.Parallel()
	text := strings.Replace(sound, "secret_file: secret", "secret_file: ${PASSWORD}", 1)
	_, findings := loadText(t, openFolder(t), text, map[string]string{"PASSWORD": "hunter2"})
	if len(findings) != 1 || strings.Contains(findings.Error(), "hunter2") {
		t.Errorf("findings: %v", findings)
	}
}

func TestLoadReportsAMissingFile(t *testing.T) {
	t.Parallel()
	cfg, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	var findings Findings
	if cfg != nil || !errors.As(err, &findings) || len(findings) != 1 || findings[0].Line != 0 {
		t.Errorf("got %v, %v", cfg, err)
	}
}
