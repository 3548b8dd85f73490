package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"frontdesk/config"
	"frontdesk/phone"
	"frontdesk/sla"
	"frontdesk/tickets"
)

const exampleSID = "AC0123456789abcdef0123456789abcdef"

// exampleConfig loads the documented configuration, changed by edit.
func exampleConfig(t testing.TB, edit func(text string) string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile("../../config/testdata/contract.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{"secret": strings.Repeat("s", 40), "mail.pw": "hunter2", "twilio.token": "tokenoftwilio"} {
		mustWrite(t, filepath.Join(dir, name), secret, 0o600)
	}
	for _, folder := range []string{"letters", "knowledge"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	here := strings.NewReplacer("/etc/frontdesk/", dir+"/", "/var/lib/frontdesk", dir+"/data", "${TWILIO_ACCOUNT_SID}", exampleSID).Replace(string(text))
	if edit != nil {
		here = edit(here)
	}
	mustWrite(t, filepath.Join(dir, "frontdesk.yaml"), here, 0o644)
	cfg, err := config.Load(filepath.Join(dir, "frontdesk.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func mustWrite(t testing.TB, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func mustRules(t testing.TB, cfg *config.Config) tickets.Rules {
	t.Helper()
	rules, err := rulesOf(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// replacing returns an edit that replaces old, which must be there.
func replacing(t testing.TB, pairs ...string) func(string) string {
	return func(text string) string {
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(text, pairs[i]) {
				t.Fatalf("the example holds no %q", pairs[i])
			}
			text = strings.Replace(text, pairs[i], pairs[i+1], 1)
		}
		return text
	}
}

// kathmandu reads a time on the clock of the example's brand.
func kathmandu(t testing.TB, text string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Kathmandu")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestExampleIsOpenWhenItSays: row C1, the hours of the example in its zone.
func TestExampleIsOpenWhenItSays(t *testing.T) {
	t.Parallel()
	cfg := exampleConfig(t, nil)
	c := mustRules(t, cfg).Brands["baleyo"].Calendar
	for at, open := range map[string]bool{
		"2026-03-06 09:59": false, "2026-03-06 10:00": true, "2026-03-06 17:39": true, "2026-03-06 17:40": false, // Friday
		"2026-03-07 09:29": false, "2026-03-07 09:30": true, "2026-03-07 13:29": true, "2026-03-07 13:30": false, // Saturday
		"2026-03-08 12:00": false, // Sunday
		"2026-12-25 12:00": false, // a Friday, holiday
		"2026-12-24 12:00": true,
	} {
		if got := c.Open(kathmandu(t, at)); got != open {
			t.Errorf("%s: open %v, want %v", at, got, open)
		}
	}
	if got, want := c.Location().String(), "Asia/Kathmandu"; got != want {
		t.Errorf("zone %s, want %s", got, want)
	}
}

// dueAt returns when a clock of a ticket that came at a time is due, on the
// clock of the brand.
func dueAt(t testing.TB, rules tickets.Rules, clock sla.Clock, facts sla.Facts, came string) string {
	t.Helper()
	at := kathmandu(t, came)
	for _, r := range sla.Read([]sla.Event{{At: at, Kind: sla.Opened, Status: "new", Facts: facts}}, rules.Brands["baleyo"].Calendar, rules.Policy, at) {
		if r.Clock == clock && !r.Due.IsZero() {
			return r.Due.In(at.Location()).Format("Mon 2006-01-02 15:04")
		}
	}
	return "none"
}

// TestExampleKeepsThePromisesOfItsBook: rows C2 and C3.
func TestExampleKeepsThePromisesOfItsBook(t *testing.T) {
	t.Parallel()
	rules := mustRules(t, exampleConfig(t, nil))
	technical, billing := sla.Facts{Category: "technical", Brand: "baleyo"}, sla.Facts{Category: "billing"}
	severity := func(s string) sla.Facts { return sla.Facts{Category: "technical", Severity: s, Brand: "baleyo"} }
	for _, c := range []struct {
		clock sla.Clock
		facts sla.Facts
		came  string // Fridays and a Saturday of March 2026
		want  string
	}{
		{sla.FirstResponse, technical, "2026-03-06 10:30", "Fri 2026-03-06 12:30"},
		{sla.FirstResponse, billing, "2026-03-06 10:30", "Fri 2026-03-06 14:30"},
		{sla.FirstResponse, sla.Facts{}, "2026-03-06 10:30", "Fri 2026-03-06 14:30"},
		{sla.FirstResponse, technical, "2026-03-06 17:00", "Sat 2026-03-07 10:50"},
		{sla.FirstResponse, billing, "2026-03-06 17:00", "Sat 2026-03-07 12:50"},
		{sla.FirstResponse, technical, "2026-03-07 13:29", "Mon 2026-03-09 11:59"}, // the desk opens on Monday at 10:00
		{sla.FirstResponse, billing, "2026-12-24 16:40", "Sat 2026-12-26 12:30"},   // over the holiday
		{sla.Resolution, severity("critical"), "2026-03-07 20:00", "Sun 2026-03-08 20:00"},
		{sla.Resolution, severity("high"), "2026-03-07 20:00", "Mon 2026-03-09 20:00"},
		{sla.Resolution, severity("medium"), "2026-03-07 20:00", "Tue 2026-03-10 20:00"},
		{sla.Resolution, severity("low"), "2026-03-06 11:00", "Thu 2026-03-12 11:00"}, // Sunday is no working day
		{sla.Resolution, sla.Facts{}, "2026-03-06 11:00", "Mon 2026-03-09 11:00"},     // as medium, which is what it is told
		{sla.NextUpdate, severity("critical"), "2026-03-07 20:00", "Sat 2026-03-07 22:00"},
		{sla.NextUpdate, severity("high"), "2026-03-07 20:00", "Sun 2026-03-08 04:00"},
		{sla.NextUpdate, severity("medium"), "2026-03-07 20:00", "none"},
	} {
		if got := dueAt(t, rules, c.clock, c.facts, c.came); got != c.want {
			t.Errorf("%s of %+v, %s: due %s, want %s", c.clock, c.facts, c.came, got, c.want)
		}
	}
	if rules.Respond != "4 business hours" || rules.Resolve != "72 hours" {
		t.Errorf("told before sorting: %q, %q", rules.Respond, rules.Resolve)
	}
}

func TestHowTheExampleCounts(t *testing.T) {
	t.Parallel()
	p := mustRules(t, exampleConfig(t, nil)).Policy
	facts := sla.Facts{Category: "technical", Severity: "critical"}
	for clock, want := range map[sla.Clock]string{
		sla.FirstResponse: "2 business hours, at most , warn {75 0s}, pause [], category technical",
		sla.NextResponse:  "2 business hours, at most , warn {75 0s}, pause [pending on_hold], category technical",
		sla.NextUpdate:    "2 hours, at most , warn {0 0s}, pause [pending], severity critical",
		sla.Resolution:    "24 hours, at most , warn {75 0s}, pause [pending on_hold], severity critical",
	} {
		c := p.Choose(clock, facts)
		if got := fmt.Sprintf("%s, at most %s, warn %v, pause %v, %s", c.Within, c.AtMost, c.Warn, c.Pause, c.Rule); got != want {
			t.Errorf("%s: got  %s\nwant %s", clock, got, want)
		}
	}
	if got := fmt.Sprint(p.Done, p.Void, p.Reopen == sla.ReopenRestart); got != "[resolved closed] [merged spam] true" {
		t.Errorf("ends: %s", got)
	}
}

func TestPromisesCanBeChanged(t *testing.T) {
	t.Parallel()
	cfg := exampleConfig(t, func(text string) string {
		return text + `
promises: {next_response_within: 8 hours, never_later_than: 24 hours, warn: 1 hour, pause: [], reopen: resume, change: anew}
contracts:
  gold: {respond_within: 1 hour, resolve_within: {critical: 4 hours}, update_every: 30 minutes}
  iron: {resolve_within: never}
`
	})
	p := mustRules(t, cfg).Policy
	for _, c := range []struct {
		clock sla.Clock
		facts sla.Facts
		want  string
	}{
		{sla.FirstResponse, sla.Facts{Category: "technical"}, "2 business hours by category technical"},
		{sla.NextResponse, sla.Facts{Category: "technical"}, "8 hours by category technical"},
		{sla.NextResponse, sla.Facts{}, "8 hours by every ticket"},
		{sla.FirstResponse, sla.Facts{Category: "technical", Customer: "gold"}, "1 hour by contract gold"},
		{sla.NextResponse, sla.Facts{Category: "technical", Customer: "gold"}, "1 hour by contract gold"},
		{sla.Resolution, sla.Facts{Severity: "critical", Customer: "gold"}, "4 hours by contract gold, severity critical"},
		{sla.Resolution, sla.Facts{Severity: "high", Customer: "gold"}, "48 hours by severity high"},
		{sla.NextUpdate, sla.Facts{Severity: "low", Customer: "gold"}, "30 minutes by contract gold"},
		{sla.Resolution, sla.Facts{Severity: "critical", Customer: "iron"}, "never by contract iron"},
	} {
		if most := p.Choose(c.clock, c.facts).AtMost.String(); (c.clock == sla.FirstResponse || c.clock == sla.NextResponse) && most != "24 hours" {
			t.Errorf("%s of %+v: at most %q, want 24 hours", c.clock, c.facts, most)
		}
		choice := p.Choose(c.clock, c.facts)
		if got := choice.Within.String() + " by " + choice.Rule; got != c.want {
			t.Errorf("%s of %+v: got %s, want %s", c.clock, c.facts, got, c.want)
		}
	}
	first := p.Choose(sla.FirstResponse, sla.Facts{})
	if first.AtMost.String() != "24 hours" || first.Warn != (sla.Warn{Before: time.Hour}) || first.Pause == nil || len(first.Pause) != 0 || first.Change != sla.ChangeAnew {
		t.Errorf("first response: %+v", first)
	}
	if p.Reopen != sla.ReopenResume {
		t.Errorf("reopen %q", p.Reopen)
	}
}

func TestExampleInTheWordsOfTheDomain(t *testing.T) {
	t.Parallel()
	r := mustRules(t, exampleConfig(t, nil))
	b := r.Brands["baleyo"]
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"tiers", fmt.Sprint(r.Queues["support"].Tiers), "[[asha@baleyo.test bikram@baleyo.test] [chandra@baleyo.test] [devi@baleyo.test]]"},
		{"teams", fmt.Sprint(r.Queues["support"].Teams), "[first-line senior head]"},
		{"queue", fmt.Sprint(r.Queues["sales"].Assign, r.Queues["sales"].AckWithin), "true 30 minutes"},
		{"order", fmt.Sprint(r.Order), "[critical high medium low]"},
		{"critical", fmt.Sprint(r.Severities["critical"]), "{critical 24 hours 2 hours immediately true 4}"},
		{"medium", fmt.Sprint(r.Severities["medium"]), "{medium 72 hours   false 2}"},
		{"matrix", r.Matrix[[2]int{4, 4}] + r.Matrix[[2]int{1, 1}] + r.Matrix[[2]int{1, 4}] + r.Matrix[[2]int{4, 1}], "criticallowhighmedium"},
		{"matrix size", len(r.Matrix), 16},
		{"phones", fmt.Sprint(b.Phones), "[{+97714000000 support support@baleyo.test true false}]"},
		{"country", b.Country, "NP"},
		{"texting", r.Texting, tickets.Texting{Segments: 3, Join: 14 * 24 * time.Hour, Missed: 30 * time.Minute, RingAgain: 3, RingFor: 2 * time.Minute}},
		{"incident", r.Incident, tickets.IncidentRules{Customers: 5, Within: 30 * time.Minute, Alike: 0.5}},
		{"assign", r.Assign, tickets.AssignRules{Skill: true, Stick: true}},
		{"update", fmt.Sprint(r.Update), "{30 minutes 30 minutes}"},
		{"agent", r.Agents["asha@baleyo.test"].Calendar == nil, true},
		{"findings", len(deskFindings(exampleConfig(t, nil))), 0},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, c.got, c.want)
		}
	}
}

func TestContractsRolesAndSigns(t *testing.T) {
	t.Parallel()
	r := mustRules(t, exampleConfig(t, func(text string) string {
		return text + `
contracts: {gold: {title: Gold, vip: true}}
organisations: {acme: {name: Acme Ltd, domains: ["@ACME.example"], contract: gold}}
roles: {agent: {deny: ["#merge", block], hide: [phone]}}
signs: [{phrase: "Production  is DOWN", impact: 4}]
facts: {serial: 'SN[0-9]+'}
`
	}))
	got := fmt.Sprint(r.Contracts["gold"], r.Organisations, r.Roles[tickets.RoleAgent], r.Signs)
	if want := "{gold Gold true} [{acme Acme Ltd [acme.example] gold false}] {[merge block] [phone]} [{production is down 4 0}]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestHolidaysFromAFile: an .ics file closes the brand, and frees its agents who
// have hours.
func TestHolidaysFromAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "holidays.ics")
	mustWrite(t, file, strings.ReplaceAll(`BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260102
RRULE:FREQ=YEARLY
SUMMARY:A day off
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n"), 0o644)
	cfg := exampleConfig(t, replacing(t, "holidays: [2026-12-25]", "holidays: [2026-12-25, "+file+"]",
		`email: asha@baleyo.test,`, `email: asha@baleyo.test, hours: {mon-sun: "00:00-24:00"},`))
	r := mustRules(t, cfg)
	for _, c := range []*sla.Calendar{r.Brands["baleyo"].Calendar, r.Agents["asha@baleyo.test"].Calendar} {
		for at, open := range map[string]bool{"2026-01-02 12:00": false, "2031-01-02 12:00": false, "2026-12-25 12:00": false, "2026-01-05 12:00": true} {
			if got := c.Open(kathmandu(t, at)); got != open {
				t.Errorf("%s: open %v, want %v", at, got, open)
			}
		}
	}
}

// TestWhatOnlyTheRoomsFindWrong: the desk does not start with any of it.
func TestWhatOnlyTheRoomsFindWrong(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "holidays.ics")
	mustWrite(t, file, "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:yesterday\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", 0o644)
	cfg := exampleConfig(t, func(text string) string {
		return replacing(t, "holidays: [2026-12-25]", "holidays: "+file)(text) + "\nroles: {agent: {deny: [merg, xyzzy, close]}}\n"
	})
	got := ""
	for _, f := range deskFindings(cfg) {
		got += f.Key + ": " + f.Reason + "\n"
	}
	for _, want := range []string{
		"brands.baleyo.holidays: \"" + file + "\": ", "yesterday",
		`roles.agent.deny[0]: no command "merg", did you mean merge? (allowed: `,
		`roles.agent.deny[1]: no command "xyzzy" (allowed: `,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if n := strings.Count(got, "\n"); n != 3 {
		t.Errorf("%d findings, want 3:\n%s", n, got)
	}
	if _, err := deskOf(t.Context(), cfg, false); err == nil || !strings.Contains(err.Error(), "no command") {
		t.Errorf("the desk started: %v", err)
	}
}

func TestWhatCallersHear(t *testing.T) {
	t.Parallel()
	cfg := exampleConfig(t, replacing(t, `menu: {"1": sales, "2": support}`,
		`menu: {"2": support, "1": sales, "3": existing, "9": callback, "8": meter}
        ring: true
        ring_for: 15s
        max_message: 1 minute
        consent: none
        closed_greeting: "We are closed."`, "sales:   {", "sales:   {title: our shop, "))
	got := plansOf(cfg)["+97714000000"]
	want := phone.Plan{
		Base: "https://desk.example.com/twilio/voice/to/97714000000", Language: "en", Brand: "Baleyo", Number: "+97714000000",
		Greeting: "Thank you for calling Baleyo.", Closed: "We are closed.", NoConsent: true, RingFor: 15 * time.Second, MaxMessage: time.Minute,
		Menu: []phone.Choice{
			{Key: "2", Queue: "support", Label: "support"}, {Key: "1", Queue: "sales", Label: "our shop"},
			{Key: "3", Want: phone.PurposeTicket}, {Key: "9", Want: phone.PurposeCallback}, {Key: "8", Want: phone.PurposeMeter},
		},
		Ring: []string{"+9779800000001", "+9779800000002"},
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestWhoIsRung: of the first tier, who works for the brand, has a phone and
// works now.
func TestWhoIsRung(t *testing.T) {
	t.Parallel()
	const asha, bikram = "+9779800000001", "+9779800000002"
	cfg := exampleConfig(t, replacing(t, `greeting: "Thank you for calling Baleyo."`, "ring: true",
		`email: asha@baleyo.test,`, `email: asha@baleyo.test, hours: {mon-fri: "10:00-14:00"},`,
		`email: bikram@baleyo.test,`, `email: bikram@baleyo.test, hours: {mon-fri: "12:00-18:00"}, timezone: Asia/Kathmandu, brands: [baleyo],`))
	rules := mustRules(t, cfg)
	for at, want := range map[string]string{
		"2026-03-06 09:59": "[]", "2026-03-06 10:00": "[" + asha + "]", "2026-03-06 12:00": "[" + asha + " " + bikram + "]",
		"2026-03-06 14:00": "[" + bikram + "]", "2026-03-07 12:00": "[]",
	} {
		if got := fmt.Sprint(onDuty(cfg, rules, "+97714000000", kathmandu(t, at))); got != want {
			t.Errorf("%s: got %s, want %s", at, got, want)
		}
	}
	if got := onDuty(cfg, rules, "+4930123456", kathmandu(t, "2026-03-06 12:00")); got != nil {
		t.Errorf("a number that is not ours rings %v", got)
	}
	quiet := exampleConfig(t, nil)
	if got := onDuty(quiet, mustRules(t, quiet), "+97714000000", kathmandu(t, "2026-03-06 12:00")); got != nil {
		t.Errorf("without ring: %v", got)
	}
}

func TestWhomTheDeskMayCall(t *testing.T) {
	t.Parallel()
	l := limitsOf(exampleConfig(t, replacing(t, "+9779800000004", "+4917012345678")))
	for number, want := range map[string]phone.Refusal{
		"+9779812345678": phone.Allowed, // the brand's country
		"+4917012345678": phone.Allowed, // an agent abroad
		"+4917012345679": phone.RefusedPrefix,
		"+12025550123":   phone.RefusedPrefix,
	} {
		if got := l.Call(phone.ParseParty(number, ""), phone.Spent{}); got != want {
			t.Errorf("%s: got %q, want %q", number, got, want)
		}
	}
	if l.Segments != 1000 || l.Calls != 200 {
		t.Errorf("budget: %+v", l)
	}
}

func TestLinesThatTextsLeaveFrom(t *testing.T) {
	t.Parallel()
	const sid = "HX0123456789abcdef0123456789abcdef"
	cfg := exampleConfig(t, replacing(t, `greeting: "Thank you for calling Baleyo."`, "whatsapp: true\n        whatsapp_template: "+sid))
	got := phoneRoutesOf(cfg)
	if len(got) != 2 || got["whatsapp:+97714000000"].Template != sid || got["tel:+97714000000"].Template != "" {
		t.Errorf("lines: %+v", got)
	}
	if r := mustRules(t, cfg); !r.Texting.Template || !r.Brands["baleyo"].Phones[0].WhatsApp {
		t.Errorf("texting: %+v, phones: %+v", r.Texting, r.Brands["baleyo"].Phones)
	}
}

// TestAnAccountThatCanBeNoneStopsNoMail: nothing is called or texted, and the
// desk starts.
func TestAnAccountThatCanBeNoneStopsNoMail(t *testing.T) {
	t.Parallel()
	cfg := exampleConfig(t, replacing(t, exampleSID, "AC1"))
	if client, err := phoneClientOf(cfg); client != nil || err != nil {
		t.Errorf("got %v, %v", client, err)
	}
	if f := deskFindings(cfg); len(f) != 0 {
		t.Errorf("findings: %v", f)
	}
	if n := deskNotes(cfg); len(n) != 2 || n[0].Key != "twilio.account_sid" || n[1].Key != "alerts" {
		t.Errorf("notes: %v", n)
	}
	if n := deskNotes(exampleConfig(t, nil)); len(n) != 1 || n[0].Key != "alerts" { // it names nobody to be told
		t.Errorf("notes of the example: %v", n)
	}
}

// TestDeskWithoutTelephone: nothing of it is needed, and nothing is believed.
func TestDeskWithoutTelephone(t *testing.T) {
	t.Parallel()
	cfg := mustConfig(t, 1143, 1025, "INBOX")
	client, err := phoneClientOf(cfg)
	verifier, err2 := verifierOf(cfg)
	if client != nil || verifier != nil || err != nil || err2 != nil {
		t.Errorf("got %v %v, %v %v", client, verifier, err, err2)
	}
	if len(plansOf(cfg))+len(phoneRoutesOf(cfg))+len(limitsOf(cfg).Prefixes) != 0 {
		t.Error("there are plans, lines or numbers to call")
	}
	if len(deskFindings(cfg)) != 0 {
		t.Error(deskFindings(cfg))
	}
	r := mustRules(t, cfg)
	if !r.Queues["support"].Assign || r.Brands["example"].Calendar == nil || len(r.Matrix) != 16 {
		t.Errorf("defaults: %+v", r.Queues)
	}
}
