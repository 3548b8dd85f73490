package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/internal/twiliosim"
	"frontdesk/parser"
)

// promisesConfig is a desk with a ladder: Asha, then Bikram and Jana, then Devi.
func promisesConfig(r *testmail.Rig, x *exchange) string {
	return fmt.Sprintf(`data_dir: data
database: sqlite
secret_file: secret
http: {listen: %[4]q, public_url: "http://%[4]s", admin_listen: ""}
twilio: {account_sid: %[5]s, auth_token_file: twilio.token, api_base_url: "http://%[6]s", allow: ["+977"]}
morning_mail: "off"
brands:
  baleyo:
    name: Baleyo
    language: en
    timezone: Asia/Kathmandu
    hours: {mon-fri: "10:00-17:40", sat: "09:30-13:30"}
    mailboxes:
      - address: support@baleyo.test
        queue: support
        imap: {host: localhost, port: %[1]d, tls: implicit, ca_file: %[2]s, username: support@baleyo.test, password_file: support.pw}
        smtp: {host: 127.0.0.1, port: %[3]d, tls: none}
        trusted_authserv_ids: [%[7]s]
    phones:
      - {number: %[8]q}
queues:
  support: {team: first-line, tiers: [first-line, senior, head], ack_within: 10 hours}
teams:
  first-line: {members: [asha@baleyo.test]}
  senior: {members: [bikram@baleyo.test, jana@sahara.test]}
  head: {members: [devi@baleyo.test]}
agents:
  - {name: Asha, email: asha@baleyo.test}
  - {name: Bikram, email: bikram@baleyo.test, role: senior, phone: "+9779800000002"}
  - {name: Jana, email: jana@sahara.test, role: senior, phone: "+9779800000003"}
  - {name: Devi, email: devi@baleyo.test, role: manager}
categories:
  technical: {title: Technical Issues, respond_within: 2 business hours, keywords: [printer, server, offline, error]}
severities:
  critical: {resolve_within: 24 hours, update_every: 2 hours, escalate: immediately, call: true}
  high: {resolve_within: 48 hours, update_every: 8 hours, escalate: immediately}
  medium: {resolve_within: 72 hours}
  low: {resolve_within: 5 working days}
`, r.IMAPSPort(), r.CAFile(), r.SMTPPort(), x.desk, demoAccount, x.api.Addr(), testmail.RigHost, demoLine)
}

// promises is the story of one critical request.
type promises struct {
	t     *testing.T
	r     *testmail.Rig
	d     *realDesk
	x     *exchange
	clock *testClock
	pokes int
}

// TestCriticalMailOnSaturdayEvening plays a critical request on real mail
// servers, a telephone company and a clock that the test sets: acknowledged with
// its times, escalated with its history and rung until somebody presses a key
// within the minute, updates at their beat, warned, missed, reported, closed;
// every step once, across three kills of the daemon.
func TestCriticalMailOnSaturdayEvening(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "dovecot", "postfix", "mutt")
	x, err := newExchange()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.close)
	r := testmail.StartRig(t)
	zone, err := time.LoadLocation("Asia/Kathmandu")
	if err != nil {
		t.Fatal(err)
	}
	saturday := time.Date(2026, 3, 7, 20, 0, 0, 0, zone)
	p := &promises{t: t, r: r, x: x, clock: newTestClock(t, saturday)}
	p.d = newRealDesk(t, promisesConfig(r, x), r)
	if err := os.WriteFile(filepath.Join(p.d.Dir, "twilio.token"), []byte(demoToken), 0o600); err != nil {
		t.Fatal(err)
	}
	p.d.Env = []string{"FRONTDESK_TESTING=1", "FRONTDESK_TEST_CLOCK=" + p.clock.file}
	x.sim.SetCallee("+9779800000002", twiliosim.Callee{Answer: "machine"})
	x.sim.SetCallee("+9779800000003", twiliosim.Callee{Script: []twiliosim.Step{{Press: "1"}}})
	p.d.mustStart()

	p.customer("Server down", "Our server is down since half past seven. Nobody in the company can work, and there is no workaround.\r\n\r\nAnna\r\n")
	ack := p.wait("anna@cust.test", "[Baleyo #1]")
	for _, promise := range []string{"2 business hours", "Monday", "24 hours", "Sunday, 8 March 2026, 20:00"} {
		if !strings.Contains(flat(ack.Text), promise) {
			t.Errorf("the acknowledgement does not say %q:\n%s", promise, ack.Text)
		}
	}
	p.escalated()
	p.again() // killed at 20:00

	p.at(saturday.Add(91 * time.Minute)) // half an hour before the update is due
	p.wait("jana@sahara.test", "#update")
	p.at(saturday.Add(2*time.Hour + time.Minute))
	p.wait("anna@cust.test", "still working on your request")
	testmail.MUA(t, r, "mutt", "jana@sahara.test", "#update We have found the broken disk and wait for a new one.", testmail.MUAOptions{Subject: "Server down"})
	p.wait("jana@sahara.test", "We have found the broken disk")
	p.at(saturday.Add(4*time.Hour + time.Minute))
	p.wait("anna@cust.test", "We have found the broken disk and wait for a new one.")
	p.again() // killed at midnight

	p.at(saturday.Add(18*time.Hour + time.Minute)) // three quarters of the day
	p.wait("devi@baleyo.test", "Due soon: ")
	p.again() // killed on Sunday afternoon

	p.at(saturday.Add(24*time.Hour + time.Minute))
	p.wait("devi@baleyo.test", "Missed: ")
	testmail.MUA(t, r, "mutt", "jana@sahara.test", "#close\nSolution: the disk is replaced, and the server runs again.", testmail.MUAOptions{Subject: "Server down"})
	p.wait("anna@cust.test", "the disk is replaced")

	p.log("opened", "sorted", "severity critical", "escalated", "rings Bikram", "rings Jana", "Jana pressed the key", "updated", "updated", "warned", "breached", "open → resolved")
	p.once()
}

func (p *promises) customer(subject, text string) {
	p.r.Send("anna@cust.test", []string{"support@baleyo.test"}, fmt.Appendf(nil,
		"From: Anna Keller <anna@cust.test>\r\nTo: support@baleyo.test\r\nSubject: %s\r\nMessage-ID: <%d@cust.test>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s", subject, time.Now().UnixNano(), text))
}

// wait returns the first mail to user whose subject or text has the words.
func (p *promises) wait(user, words string) *parser.Mail {
	p.t.Helper()
	raw := p.r.Wait(user, 40*time.Second, fmt.Sprintf("mail with %q", words), func(raw []byte) bool {
		m := parser.Parse(raw, parser.Options{})
		return strings.Contains(m.Subject+"\n"+flat(m.Text), words)
	})
	return parser.Parse(raw, parser.Options{})
}

// at sets the clock. The desk reads it again within half a minute; a mail that
// is decided has it look at once.
func (p *promises) at(at time.Time) {
	p.clock.set(at)
	p.pokes++
	p.r.Send("news@lists.test", []string{"support@baleyo.test"}, fmt.Appendf(nil,
		"From: news@lists.test\r\nTo: support@baleyo.test\r\nSubject: news %d\r\nList-Id: <news.lists.test>\r\nPrecedence: bulk\r\nMessage-ID: <news%d@lists.test>\r\n\r\nnews\r\n", p.pokes, p.pokes))
}

// again is a power cut, and a start after it.
func (p *promises) again() {
	p.t.Helper()
	p.d.kill()
	p.d.mustStart()
}

// escalated: within the minute of the contact, by the test's clock, which stands
// still, the senior tier has the history and is rung until a key is pressed.
func (p *promises) escalated() {
	p.t.Helper()
	for _, senior := range []string{"bikram@baleyo.test", "jana@sahara.test"} {
		m := p.wait(senior, "Nobody in the company can work")
		attached := false
		for _, a := range m.Attachments {
			attached = attached || a.ContentType == "message/rfc822" && strings.Contains(string(a.Data), "Our server is down")
		}
		if !attached || m.Get("X-Frontdesk-Severity") != "critical" {
			p.t.Errorf("%s has the ticket as %q, severity %q, customer's mail attached: %v", senior, m.Subject, m.Get("X-Frontdesk-Severity"), attached)
		}
	}
	p.wait("anna@cust.test", "senior")
	if !waitUntil(func() bool { return strings.Contains(p.events(), "Jana pressed the key") }) {
		p.t.Fatalf("nobody acknowledged:\n%s", p.events())
	}
	var rung []string
	for _, c := range p.x.sim.Calls() {
		rung = append(rung, c.To)
	}
	if got := strings.Join(rung, " "); got != "+9779800000002 +9779800000003" {
		p.t.Errorf("rung %s, want Bikram, then Jana, and nobody after", got)
	}
}

func (p *promises) events() string {
	out, err := p.d.run("tickets", "show", "1", "--events")
	if err != nil {
		p.t.Error(err)
	}
	return out
}

// log wants the steps in the ticket's log, in this order.
func (p *promises) log(steps ...string) {
	p.t.Helper()
	all, at := p.events(), 0
	for _, step := range steps {
		n := strings.Index(all[at:], step)
		if n < 0 {
			p.t.Errorf("%q is not in the log, or not in its place:\n%s", step, all)
			return
		}
		at += n + len(step)
	}
}

// once wants no letter twice, and of those that tell of a step one for each reader.
func (p *promises) once() {
	p.t.Helper()
	count := map[string]int{}
	for _, user := range []string{"anna@cust.test", "asha@baleyo.test", "bikram@baleyo.test", "jana@sahara.test", "devi@baleyo.test"} {
		seen := map[string]bool{}
		for _, raw := range p.r.Mails(user) {
			m := parser.Parse(raw, parser.Options{})
			if seen[m.MessageID] {
				p.t.Errorf("%s has %q twice", user, m.Subject)
			}
			seen[m.MessageID] = true
			local, _, _ := strings.Cut(user, "@")
			for _, words := range []string{"its number is", "still working on your request", "found the broken disk and wait for a new one", "senior colleagues", "Due soon: resolution", "Missed: resolution", "the disk is replaced"} {
				if strings.Contains(flat(m.Text), words) {
					count[local+": "+words]++
				}
			}
		}
	}
	// The customer was told of both steps up, at once and on the breach. Of the
	// updates due between midnight and the afternoon one was sent.
	for what, want := range map[string]int{
		"anna: its number is": 1, "anna: found the broken disk and wait for a new one": 1, "anna: senior colleagues": 2, "anna: the disk is replaced": 1,
		"anna: still working on your request": 3, "devi: Due soon: resolution": 1, "devi: Missed: resolution": 1,
	} {
		if count[what] != want {
			p.t.Errorf("%q: %d letters, want %d; all: %v", what, count[what], want, count)
		}
	}
	if n := len(p.x.sim.Outbox()); n != 2 {
		p.t.Errorf("%d texts to the people rung, want one for each of the two", n)
	}
}
