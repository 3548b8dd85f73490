package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/parser"
)

// storyConfig serves two brands on a rig: one over IMAP with TLS, one with
// STARTTLS. Letters go to smtpPort.
func storyConfig(r *testmail.Rig, smtpPort int) string {
	return fmt.Sprintf(`data_dir: data
database: sqlite
secret_file: secret
http: {public_url: "", admin_listen: ""}
brands:
  baleyo:
    name: Baleyo
    language: en
    timezone: Asia/Kathmandu
    signature: The Baleyo support team
    mailboxes:
      - address: support@baleyo.test
        queue: support
        imap: {host: localhost, port: %[1]d, tls: implicit, ca_file: %[3]s, username: support@baleyo.test, password_file: support.pw}
        smtp: {host: 127.0.0.1, port: %[4]d, tls: none}
        trusted_authserv_ids: [%[5]s]
  sahara:
    name: Sahara
    language: de
    timezone: Europe/Berlin
    signature: Ihr Sahara-Team
    mailboxes:
      - address: hilfe@sahara.test
        queue: hilfe
        imap: {host: localhost, port: %[2]d, tls: starttls, ca_file: %[3]s, username: hilfe@sahara.test, password_file: hilfe.pw}
        smtp: {host: 127.0.0.1, port: %[4]d, tls: none}
        trusted_authserv_ids: [%[5]s]
queues:
  support: {team: first-line}
  hilfe: {team: hilfe}
teams:
  first-line: {members: [asha@baleyo.test]}
  hilfe: {members: [jana@sahara.test]}
agents:
  - {name: Asha, email: asha@baleyo.test}
  - {name: Jana, email: jana@sahara.test}
categories:
  technical: {title: Technical Issues, respond_within: 2 business hours, keywords: [printer, offline, error]}
`, r.IMAPSPort(), r.IMAPPort(), r.CAFile(), smtpPort, testmail.RigHost)
}

// cast is who plays in one brand's story, and what they write.
type cast struct {
	brand, mailbox, agent, customer string
	agentClient, customerClient     string
	problem, answer, more, stripes  string
	solution, thanks                string
	closed                          string // a word in the letter that confirms the closure
	other                           string // the brand that must not show
}

var casts = []cast{
	{
		brand: "Baleyo", mailbox: "support@baleyo.test", agent: "asha@baleyo.test", customer: "anna@cust.test",
		agentClient: "mutt", customerClient: "s-nail",
		problem: "Our printer shows an error and is offline.", answer: "Please check the grey cable at the back.",
		more: "It was loose, but now it prints stripes.", stripes: "The stripes are on every page.",
		solution: "Our technician replaced the drum.", thanks: "Yes, thanks!", closed: "closed", other: "Sahara",
	},
	{
		brand: "Sahara", mailbox: "hilfe@sahara.test", agent: "jana@sahara.test", customer: "bernd@cust.test",
		agentClient: "s-nail", customerClient: "mutt",
		problem: "Unser Drucker zeigt seit heute früh einen Fehler und druckt nicht mehr.", answer: "Bitte prüfen Sie das graue Kabel an der Rückseite.",
		more: "Es war lose, aber jetzt druckt er Streifen.", stripes: "Die Streifen sind auf jeder Seite.",
		solution: "Unser Techniker hat die Trommel ersetzt.", thanks: "Ja, danke!", closed: "geschlossen", other: "Baleyo",
	},
}

// TestRealServersTellTheStory plays a request from the first mail to its
// confirmed resolution, for two brands in two languages at the same time, on a
// real Dovecot and Postfix, with the daemon in a process of its own and real
// mail clients on both sides.
func TestRealServersTellTheStory(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "dovecot", "postfix", "mutt", "s-nail")
	r := testmail.StartRig(t)
	d := newRealDesk(t, storyConfig(r, r.SMTPPort()), r)
	d.mustStart()
	t.Run("brands", func(t *testing.T) {
		for _, c := range casts {
			t.Run(c.brand, func(t *testing.T) {
				t.Parallel()
				(&play{t: t, r: r.For(t), d: d.commandsFor(t), cast: c}).tell()
			})
		}
	})
	for _, rec := range d.json("reconcile") {
		if rec["server"] != rec["ledger"] || rec["undecided"] != 0.0 {
			t.Errorf("reconcile: %v", rec)
		}
	}
	if err := d.stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
}

// play is one brand's story.
type play struct {
	t *testing.T
	r *testmail.Rig
	d *realDesk
	cast
	number string // "#1"
	ack    string // text of the acknowledgement
	relay  string // where the agent's answers go
}

func (p *play) tell() {
	p.firstMail()
	p.agentAnswers()
	p.customerAnswersKeepingReferences()
	p.customerAnswersDroppingThem()
	p.resolution()
	p.confirmed()
	p.strangerPlaysTheAgent()
	p.nothingCrossed()
}

// mail writes from a client that keeps no thread.
func (p *play) mail(from, subject, text string) {
	p.t.Helper()
	raw := fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%d@cust.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s\r\n",
		from, p.mailbox, subject, time.Now().Format(time.RFC1123Z), time.Now().UnixNano(), text)
	p.r.Send(from, []string{p.mailbox}, []byte(raw))
}

// wait returns the first mail to user whose text has what.
func (p *play) wait(user, what string, limit time.Duration) (*parser.Mail, []byte) {
	p.t.Helper()
	raw := p.r.Wait(user, limit, fmt.Sprintf("mail with %q", what), func(raw []byte) bool {
		m := parser.Parse(raw, parser.Options{})
		return strings.Contains(m.Subject+"\n"+flat(m.Text), what)
	})
	return parser.Parse(raw, parser.Options{}), raw
}

// flat undoes the folding of lines.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

func (p *play) firstMail() {
	p.mail(p.customer, "Printer", p.problem)
	ack, _ := p.wait(p.customer, "["+p.brand+" #", 5*time.Second) // from delivery to acknowledgement
	p.ack = ack.Text
	p.number = regexp.MustCompile(`#\d+`).FindString(ack.Subject)
	if ack.Get("Auto-Submitted") != "auto-replied" || ack.From.Address != p.mailbox && !strings.HasPrefix(ack.From.Address, strings.Split(p.mailbox, "@")[0]+"+") {
		p.t.Errorf("acknowledgement From %s, Auto-Submitted %q", ack.From.Address, ack.Get("Auto-Submitted"))
	}
	notice, _ := p.wait(p.agent, p.problem, 10*time.Second)
	p.relay = notice.From.Address
	if len(notice.ReplyTo) > 0 {
		p.relay = notice.ReplyTo[0].Address
	}
	if !strings.Contains(notice.Subject, p.number) || strings.Contains(notice.From.Address, "cust.test") {
		p.t.Errorf("notification %q From %s", notice.Subject, notice.From.Address)
	}
}

// strangerPlaysTheAgent knows everything: the agent's address, the relay address
// of the ticket, what our server writes when somebody has logged in. He has not.
func (p *play) strangerPlaysTheAgent() {
	raw := fmt.Sprintf("Authentication-Results: %s; dmarc=pass header.from=%s\r\nReceived: from x by %s with LMTP\r\nFrom: %s\r\nTo: %s\r\nSubject: Re: %s\r\nMessage-ID: <%d@evil.test>\r\n\r\nforged words\r\n",
		testmail.RigHost, p.agent[strings.IndexByte(p.agent, '@')+1:], testmail.RigHost, p.agent, p.relay, p.number, time.Now().UnixNano())
	p.r.Send(p.agent, []string{p.relay}, []byte(raw))
	for limit := time.Now().Add(15 * time.Second); ; <-time.After(50 * time.Millisecond) {
		for _, e := range p.d.json("quarantine", "list") {
			if e["from"] == p.agent {
				return
			}
		}
		if time.Now().After(limit) {
			p.t.Fatalf("a forged answer of %s is not in quarantine: %v", p.agent, p.d.json("quarantine", "list"))
		}
	}
}

func (p *play) agentAnswers() {
	testmail.MUA(p.t, p.r, p.agentClient, p.agent, p.answer, testmail.MUAOptions{})
	m, raw := p.wait(p.customer, p.answer, 15*time.Second)
	if m.From.Name == "" || !strings.Contains(m.From.Name, p.brand) {
		p.t.Errorf("the answer comes From %+v, not from the brand", m.From)
	}
	if m.Get("Auto-Submitted") != "" {
		p.t.Errorf("a person's words say Auto-Submitted: %s", m.Get("Auto-Submitted"))
	}
	if bytes.Contains(bytes.ToLower(raw), []byte(p.agent)) || strings.Contains(m.Text, p.agent) {
		p.t.Errorf("the agent's address shows:\n%s", raw)
	}
}

func (p *play) customerAnswersKeepingReferences() {
	testmail.MUA(p.t, p.r, p.customerClient, p.customer, p.more, testmail.MUAOptions{})
	m, _ := p.wait(p.agent, p.more, 15*time.Second)
	if !strings.Contains(m.Subject, p.number) {
		p.t.Errorf("the customer's answer became %q, want %s", m.Subject, p.number)
	}
}

func (p *play) customerAnswersDroppingThem() {
	p.mail(p.customer, "Re: ["+p.brand+" "+p.number+"] Printer", p.stripes)
	m, _ := p.wait(p.agent, p.stripes, 15*time.Second)
	if !strings.Contains(m.Subject, p.number) {
		p.t.Errorf("an answer without References became %q, want %s", m.Subject, p.number)
	}
}

func (p *play) resolution() {
	testmail.MUA(p.t, p.r, p.agentClient, p.agent, "#close\n"+p.solution, testmail.MUAOptions{})
	m, raw := p.wait(p.customer, p.solution, 15*time.Second)
	if !strings.Contains(m.Subject, p.number) || bytes.Contains(bytes.ToLower(raw), []byte(p.agent)) {
		p.t.Errorf("resolution letter %q:\n%s", m.Subject, raw)
	}
	if status := p.ticket()["status"]; status != "resolved" {
		p.t.Errorf("after #close the ticket is %v", status)
	}
}

func (p *play) confirmed() {
	testmail.MUA(p.t, p.r, p.customerClient, p.customer, p.thanks, testmail.MUAOptions{})
	p.wait(p.customer, p.closed, 15*time.Second)
	if status := p.ticket()["status"]; status != "closed" {
		p.t.Errorf("after %q the ticket is %v", p.thanks, status)
	}
}

func (p *play) ticket() map[string]any {
	p.t.Helper()
	docs := p.d.json("tickets", "show", strings.TrimPrefix(p.number, "#"))
	if len(docs) != 1 {
		p.t.Fatalf("tickets show %s: %v", p.number, docs)
	}
	return docs[0]
}

// nothingCrossed checks all mail that the people of this brand have had.
func (p *play) nothingCrossed() {
	acks := 0
	for _, user := range []string{p.customer, p.agent} {
		for _, raw := range p.r.Mails(user) {
			m := parser.Parse(raw, parser.Options{})
			if user == p.customer && strings.Contains(m.Subject+m.Text+m.HTML+m.From.Name, p.other) {
				p.t.Errorf("%s shows in a mail to %s:\n%s", p.other, user, raw)
			}
			if user == p.agent && strings.Contains(m.Subject, "["+p.other) {
				p.t.Errorf("the agent of %s has %q", p.brand, m.Subject)
			}
			if user == p.customer && strings.Contains(m.Text, "forged words") {
				p.t.Errorf("a forged answer reached %s:\n%s", user, raw)
			}
			if user == p.customer && m.Text == p.ack {
				acks++
			}
		}
	}
	if acks != 1 {
		p.t.Errorf("%d acknowledgements, want one", acks)
	}
}
