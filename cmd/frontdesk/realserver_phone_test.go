package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/internal/twiliosim"
	"frontdesk/parser"
	"frontdesk/phone"
)

// TestRealServersTellTheTelephonesStory plays a call out of hours to its
// resolution: a real Dovecot and Postfix, an agent at mutt, the daemon in a
// process of its own, and a telephone company that signs and is logged in to,
// over loopback.
func TestRealServersTellTheTelephonesStory(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "dovecot", "postfix", "mutt", "soxi")
	r := testmail.StartRig(t)
	p := &phonePlay{play: &play{t: t, r: r, cast: cast{brand: "Baleyo", mailbox: "support@baleyo.test", agent: "asha@baleyo.test", customer: "anna@cust.test", agentClient: "mutt"}}}
	p.open()
	p.customerIsKnown()
	p.voicemail()
	p.answerByMail()
	p.customerTextsBack()
	p.closes()
	if rec := p.d.json("reconcile"); !settled(p.d) {
		t.Errorf("reconcile: %v", rec)
	}
	if err := p.d.stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
}

// phonePlay is a story with a telephone in it.
type phonePlay struct {
	*play
	sim   *twiliosim.Sim
	first *parser.Mail // to the agent
}

// open starts the company and the desk.
func (p *phonePlay) open() {
	t := p.t
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.sim.ServeHTTP(w, r) }))
	t.Cleanup(api.Close)
	p.sim = twiliosim.New(twiliosim.Config{AccountSID: testAccount, AuthToken: testToken, APIBase: api.URL})
	t.Cleanup(p.sim.Wait)
	desk := freeAddress(t)
	at := "http://" + desk + "/twilio"
	p.sim.AddNumber(twiliosim.Number{E164: testNumber, VoiceURL: at + "/voice", StatusCallback: at + "/voice/status", SMSURL: at + "/sms"})
	config := strings.NewReplacer(
		`http: {public_url: "", admin_listen: ""}`, fmt.Sprintf(`http: {public_url: "http://%[1]s", listen: "%[1]s", admin_listen: ""}
twilio: {account_sid: %[2]s, auth_token_file: token, api_base_url: %[3]q}`, desk, testAccount, api.URL),
		"    signature: The Baleyo support team\n", fmt.Sprintf("    signature: The Baleyo support team\n    hours: {%s: \"10:00-17:40\"}\n    phones: [{number: %q, menu: {\"1\": sales, \"2\": support}}]\n",
			strings.ToLower(time.Now().AddDate(0, 0, 3).Format("Mon")), testNumber),
		"  support: {team: first-line}\n", "  support: {team: first-line}\n  sales: {team: hilfe}\n",
	).Replace(storyConfig(p.r, p.r.SMTPPort()))
	p.d = newRealDesk(t, config, p.r)
	if err := os.WriteFile(filepath.Join(p.d.Dir, "token"), []byte(testToken), 0o600); err != nil {
		t.Fatal(err)
	}
	p.d.mustStart()
}

// customerIsKnown: Anna wrote once, and an operator put her number on her
// profile.
func (p *phonePlay) customerIsKnown() {
	p.mail("Anna Keller <"+p.customer+">", "An offer", "Please send us an offer for two trays.")
	p.wait(p.agent, "An offer", 10*time.Second)
	if _, err := p.d.run("customers", "set", p.customer, "--org", "Keller Ltd", "--add-phone", testCaller); err != nil {
		p.t.Fatal(err)
	}
}

// voicemail: out of hours she presses 2 and speaks; the agent's mail carries a
// recording that plays, and who is calling.
func (p *phonePlay) voicemail() {
	t := p.t
	call, err := p.sim.Dial(twiliosim.Inbound{From: testCaller, To: testNumber, Script: []twiliosim.Step{pressing("2"), leaving(12)}})
	if err != nil {
		t.Fatal(err)
	}
	heard := strings.Join(call.Heard, " ")
	for _, want := range []string{"Thank you for calling Baleyo. Our office is closed at the moment.", "press 2", "Your message will be recorded", "Thank you for your message"} {
		at := strings.Index(heard, want)
		if at < 0 {
			t.Fatalf("%q was not said, or not in its place: %q", want, call.Heard)
		}
		heard = heard[at:]
	}
	p.first, _ = p.wait(p.agent, "Left a voicemail.", 15*time.Second)
	if !strings.Contains(p.first.Subject, "[Baleyo #2] Voicemail from Anna Keller") || !strings.Contains(flat(p.first.Text), "profile: Anna Keller <anna@cust.test>, Keller Ltd") {
		t.Errorf("%q:\n%s", p.first.Subject, p.first.Text)
	}
	if len(p.first.Attachments) != 1 || p.first.Attachments[0].ContentType != "audio/mpeg" || !strings.HasSuffix(p.first.Attachments[0].Filename, ".mp3") {
		t.Fatalf("attached: %+v", p.first.Attachments)
	}
	file := filepath.Join(t.TempDir(), p.first.Attachments[0].Filename)
	if err := os.WriteFile(file, p.first.Attachments[0].Data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "soxi", "-D", file).CombinedOutput() // its length in seconds
	if seconds, bad := strconv.ParseFloat(strings.TrimSpace(string(out)), 64); err != nil || bad != nil || seconds < 11.5 || seconds > 12.5 {
		t.Errorf("soxi says %q, %v: want 12 seconds (libsox-fmt-mp3 is there? make deps)", out, err)
	}
	ack := waitText(t, p.sim, func(m twiliosim.Message) bool { return m.To == testCaller })
	if !strings.Contains(ack.Body, "ticket #2") || phone.Segments(ack.Body).Segments != 1 {
		t.Errorf("acknowledgement %q", ack.Body)
	}
}

// answerByMail: she answers from mutt, quoting everything and with a signature;
// the customer reads her words alone.
func (p *phonePlay) answerByMail() {
	testmail.MUA(p.t, p.r, "mutt", p.agent, "Please open the left flap, Anna: a sheet is stuck there.\n\n-- \nAsha, first line, Baleyo", testmail.MUAOptions{})
	text := waitText(p.t, p.sim, func(m twiliosim.Message) bool { return strings.Contains(m.Body, "left flap") })
	if want := "Please open the left flap, Anna: a sheet is stuck there."; text.Body != want || text.To != testCaller || text.From != testNumber || phone.Segments(text.Body).Segments != 1 {
		p.t.Errorf("%+v, want %q", text, want)
	}
}

// customerTextsBack: the same ticket, and in the agent's client the same thread.
func (p *phonePlay) customerTextsBack() {
	if _, err := p.sim.Text(twiliosim.Text{From: testCaller, To: testNumber, Body: "Out it came. It prints!"}); err != nil {
		p.t.Fatal(err)
	}
	m, _ := p.wait(p.agent, "Out it came. It prints!", 15*time.Second)
	if m.Subject != p.first.Subject || !inThread(m, p.first) {
		p.t.Errorf("%q, References %v: not in the thread of %q, %s", m.Subject, m.References, p.first.Subject, p.first.MessageID)
	}
}

// closes: the short form by text, the whole letter by mail, because an address
// is known.
func (p *phonePlay) closes() {
	t := p.t
	testmail.MUA(t, p.r, "mutt", p.agent, "#close\nProblem: a sheet was stuck behind the left flap\nSolution: you took it out", testmail.MUAOptions{})
	text := waitText(t, p.sim, func(m twiliosim.Message) bool { return strings.Contains(m.Body, "you took it out") })
	if want := "Baleyo, #2: you took it out\nIs it solved for you, too? Please reply YES or NO."; text.Body != want {
		t.Errorf("%q, want %q", text.Body, want)
	}
	letter, _ := p.wait(p.customer, "you took it out", 15*time.Second)
	for _, want := range []string{"Dear Anna Keller,", "a sheet was stuck behind the left flap", "How we solved it", "The Baleyo support team"} {
		if !strings.Contains(letter.Text, want) {
			t.Errorf("the letter does not say %q:\n%s", want, letter.Text)
		}
	}
	p.number = "#2"
	if tk := p.ticket(); tk["status"] != "resolved" || tk["channel"] != "voice" {
		t.Errorf("the ticket: %v", tk)
	}
	if n := len(p.d.json("tickets", "list", "--status", "all")); n != 2 {
		t.Errorf("%d tickets, want her offer and her call", n)
	}
}
