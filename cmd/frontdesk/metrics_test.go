package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// metricsOf returns what /metrics says, and the names that it explains.
func metricsOf(t *testing.T, d *liveDesk) (text string, names []string) {
	t.Helper()
	w := httptest.NewRecorder()
	d.admin.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/metrics", nil))
	text = w.Body.String()
	for _, m := range regexp.MustCompile(`(?m)^# HELP (frontdesk_\S+) \S.*\.$`).FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return text, names
}

// TestMetrics: what a desk says after one mail, each metric with a sentence
// that explains it.
func TestMetrics(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test")
	d := openDeskAt(t, o, oneBrand(o, "One", "one.test", ""))
	post(t, o, "maria@example.test", "Maria <maria@example.test>", "support@one.test", mailText("Help.", "Subject: Help", "Message-ID: <h@example.test>"))
	settle(t, nil, d)
	text, names := metricsOf(t, d)
	for _, want := range []string{
		`frontdesk_ready 1`, `frontdesk_build_info\{go="go1[^"]*",version="[^"]+"\} 1`,
		`frontdesk_intake_decision_seconds_count\{brand="[^"]+"\} 1`, `frontdesk_intake_undecided_age_seconds 0`, `frontdesk_intake_undecided_rows 0`,
		`frontdesk_tickets_open\{brand="[^"]+"\} 1`, `frontdesk_tickets_overdue\{brand="[^"]+"\} 0`,
		`frontdesk_letters_total\{outcome="sent"\} [1-9]`, `frontdesk_notify_connections_total [1-9]`,
		`frontdesk_outbox_waiting_letters 0`, `frontdesk_outbox_age_seconds 0`, `frontdesk_outbox_trouble_letters\{state="held"\} 0`,
		`frontdesk_quarantine_mails 0`, `frontdesk_store_database_bytes [1-9]`, `frontdesk_disk_free_bytes [1-9]`,
		`frontdesk_backup_timestamp_seconds 0`,
	} {
		if !regexp.MustCompile(`(?m)^` + want).MatchString(text) {
			t.Errorf("no %s in:\n%s", want, text)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (frontdesk_\S+) `).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, m[1]) {
			t.Errorf("%s has no help that ends in a full stop", m[1])
		}
	}
	if strings.Contains(text, "maria@") || strings.Contains(text, "asha@") {
		t.Error("somebody's address is a label")
	}
}

// named are the metrics of ours that a text speaks of; those of a histogram by
// its own name.
func named(text string) []string {
	var out []string
	for _, name := range regexp.MustCompile(`frontdesk_[a-z_]+`).FindAllString(text, -1) {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, suffix)
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// described by name.
func metricNames() []string {
	out := []string{"frontdesk_intake_decision_seconds"}
	for _, d := range described {
		out = append(out, regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String())[1])
	}
	return out
}

// TestWatchingSpeaksOfWhatThereIs: the dashboard, the alert rules and the manual
// name metrics that there are, and the manual names all of them.
func TestWatchingSpeaksOfWhatThereIs(t *testing.T) {
	t.Parallel()
	there := metricNames()
	docs := filepath.Join("..", "..", "docs")
	var manual string
	for _, file := range []string{"grafana-dashboard.json", "prometheus-alerts.yaml", "operate.md"} {
		text, err := os.ReadFile(filepath.Join(docs, file))
		if err != nil {
			t.Fatal(err)
		}
		manual = string(text)
		names := named(manual)
		if len(names) < 10 {
			t.Errorf("%s names %d metrics", file, len(names))
		}
		for _, name := range names {
			if !slices.Contains(there, name) {
				t.Errorf("%s names %s, which there is not", file, name)
			}
		}
	}
	for _, name := range there {
		if !strings.Contains(manual, "`"+name+"`") {
			t.Errorf("operate.md does not explain %s", name)
		}
	}
	rules, err := os.ReadFile(filepath.Join(docs, "prometheus-alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range regexp.MustCompile(`- alert: (\S+)`).FindAllStringSubmatch(string(rules), -1) {
		if !strings.Contains(manual, "`"+alert[1]+"`") {
			t.Errorf("operate.md does not say what to do about %s", alert[1])
		}
	}
}

// TestDashboardIsWhole: it is JSON, no panel lies on another, each has a query.
func TestDashboardIsWhole(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "grafana-dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			ID          int
			Type, Title string
			GridPos     struct{ X, Y, W, H int }
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] {
			t.Errorf("%s: number %d twice", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Type != "row" && (len(p.Targets) == 0 || p.Targets[0].Expr == "") {
			t.Errorf("%s asks nothing", p.Title)
		}
		g := p.GridPos
		if g.X+g.W > 24 {
			t.Errorf("%s is too wide", p.Title)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%s lies on %s", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	if len(board.Panels) < 15 {
		t.Errorf("%d panels", len(board.Panels))
	}
}

// TestAlertRulesAreRules asks Prometheus itself.
func TestAlertRulesAreRules(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("REQUIRE_REAL") != "" {
			t.Fatal("promtool not found: make deps")
		}
		t.Skip("SKIP real-server: promtool not found: make deps installs prometheus")
	}
	out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", filepath.Join("..", "..", "docs", "prometheus-alerts.yaml")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "SUCCESS") {
		t.Errorf("%v\n%s", err, out)
	}
	w := httptest.NewRecorder()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test")
	d := openDeskAt(t, o, oneBrand(o, "One", "one.test", ""))
	d.admin.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/metrics", nil))
	check := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	check.Stdin = strings.NewReader(w.Body.String())
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
