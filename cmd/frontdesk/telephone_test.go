package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/internal/twiliosim"
	"frontdesk/parser"
)

const (
	testAccount = "AC0123456789abcdef0123456789abcdef"
	testToken   = "0123456789abcdef0123456789abcdef"
	testNumber  = "+49301234567"
	testCaller  = "+4915112345678"
)

// viaProxy carries webhooks as the TLS proxy of a desk does: to the port on which
// the desk listens.
type viaProxy struct{ address string }

func (v viaProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", v.address
	return http.DefaultTransport.RoundTrip(r)
}

// openPhoneDesk is a running desk with a telephone company at the other end.
func openPhoneDesk(t *testing.T, o *testmail.Office) (*liveDesk, *twiliosim.Sim) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close() // the desk takes it over
	var sim *twiliosim.Sim
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sim.ServeHTTP(w, r) }))
	t.Cleanup(api.Close)
	sim = twiliosim.New(twiliosim.Config{AccountSID: testAccount, AuthToken: testToken, APIBase: api.URL, Transport: viaProxy{address}})
	t.Cleanup(sim.Wait)
	const public = "https://desk.example/help"
	sim.AddNumber(twiliosim.Number{E164: testNumber, VoiceURL: public + "/twilio/voice", StatusCallback: public + "/twilio/voice/status", SMSURL: public + "/twilio/sms"})
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(testToken), 0o600); err != nil {
		t.Fatal(err)
	}
	yaml := oneBrand(o, "One", "one.test", fmt.Sprintf("twilio: {account_sid: %s, auth_token_file: %s, api_base_url: %q, retention: delete}\n", testAccount, token, api.URL))
	yaml = strings.Replace(yaml, `http: {public_url: "", admin_listen: ""}`, fmt.Sprintf(`http: {public_url: %q, listen: %q, admin_listen: ""}`, public, address), 1)
	yaml = strings.Replace(yaml, "    mailboxes:", fmt.Sprintf("    phones:\n      - {number: %q, menu: {\"2\": support}}\n    mailboxes:", testNumber), 1)
	yaml = strings.Replace(yaml, "[asha@one.test, bikram@one.test]", "[asha@one.test]", 1) // who gets the tickets
	return openDeskAt(t, o, yaml), sim
}

// TestTelephone: a voicemail becomes a ticket whose recording agents hear in
// their mail; the agent's answer by mail is a text; the customer's text joins
// the ticket. Over real connections, with real signatures.
func TestTelephone(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test")
	desk, sim := openPhoneDesk(t, o)
	call, err := sim.Dial(twiliosim.Inbound{From: testCaller, To: testNumber, Script: []twiliosim.Step{{Press: "2"}, {Leave: &twiliosim.Leave{Seconds: 8, Key: "#"}}}})
	if err != nil || !strings.Contains(strings.Join(call.Heard, " "), "Thank you for your message") {
		t.Fatal(call, err)
	}
	var sound []byte
	m := waitMail(t, o, "asha@one.test", "the voicemail", func(m *parser.Mail) bool {
		for _, a := range m.Attachments {
			if strings.HasPrefix(a.Filename, "voicemail-") && a.ContentType == "audio/mpeg" {
				sound = a.Data
			}
		}
		return sound != nil
	})
	if string(sound) != string(twiliosim.MP3(8)) || !strings.Contains(m.Subject, "[One #1]") {
		t.Errorf("%q with %d bytes of sound", m.Subject, len(sound))
	}
	post(t, o, "asha@one.test", "Asha <asha@one.test>", m.ReplyTo[0].Address, mailText("A new toner is on its way.\n\n-- \nAsha", "Subject: Re: "+m.Subject, "Message-ID: <reply@one.test>", "In-Reply-To: <"+m.MessageID+">"))
	text := waitText(t, sim, func(m twiliosim.Message) bool { return strings.Contains(m.Body, "toner") })
	if text.To != testCaller || text.From != testNumber || strings.Contains(text.Body, "Asha <") {
		t.Errorf("%+v", text)
	}
	if _, err := sim.Text(twiliosim.Text{From: testCaller, To: testNumber, Body: "Thank you, it works."}); err != nil {
		t.Fatal(err)
	}
	back := waitMail(t, o, "asha@one.test", "the customer's text", func(m *parser.Mail) bool { return strings.Contains(m.Text, "Thank you, it works.") })
	if !strings.Contains(back.Subject, "[One #1]") {
		t.Errorf("the text is on another ticket: %q", back.Subject)
	}
	if !waitUntil(func() bool { return len(sim.Recordings()) == 0 }) {
		t.Errorf("%v are left at the telephone company", sim.Recordings())
	}
	figures := metrics(t, desk.admin)
	for _, want := range []string{`frontdesk_fetches_total{outcome="stored"} 1`, `frontdesk_webhooks_total{outcome="refused"} 0`} {
		if !strings.Contains(figures, want) {
			t.Errorf("%q is not in the metrics", want)
		}
	}
}

// waitText returns the first text of the desk that ok accepts.
func waitText(t *testing.T, sim *twiliosim.Sim, ok func(twiliosim.Message) bool) twiliosim.Message {
	t.Helper()
	var found twiliosim.Message
	if !waitUntil(func() bool {
		i := slices.IndexFunc(sim.Outbox(), ok)
		if i >= 0 {
			found = sim.Outbox()[i]
		}
		return i >= 0
	}) {
		t.Fatalf("no such text; there are %+v", sim.Outbox())
	}
	return found
}

// waitUntil reports whether something becomes true in time.
func waitUntil(ok func() bool) bool {
	limit := time.Now().Add(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(limit) {
			return false
		}
		<-tick.C
	}
	return true
}

// TestReconcileTellsLostTexts: a text whose webhook was lost is missing, by its
// key, and fails the command.
func TestReconcileTellsLostTexts(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test")
	desk, sim := openPhoneDesk(t, o)
	// The desk looks at its start, and then again in a quarter of an hour.
	if !waitUntil(func() bool {
		return slices.ContainsFunc(sim.Find("rest", ""), func(e twiliosim.Event) bool { return strings.HasSuffix(e.URL, "/Recordings.json") })
	}) {
		t.Fatal("the desk does not look for what it missed")
	}
	sim.Advance(-time.Hour) // what came just now may still be on its way
	if _, err := sim.Text(twiliosim.Text{From: testCaller, To: testNumber, Body: "one"}); err != nil {
		t.Fatal(err)
	}
	if !waitUntil(func() bool {
		return strings.Contains(mustRun(t, exitDone, "reconcile", "--config", desk.cfg.Path), "twilio listed=1 ledger=1 missing=0\n")
	}) {
		t.Error("the text that came is missing")
	}
	sim.Lose("", -1)
	sid, err := sim.Text(twiliosim.Text{From: testCaller, To: testNumber, Body: "two"})
	if err != nil {
		t.Fatal(err)
	}
	if got := mustRun(t, exitFailed, "reconcile", "--config", desk.cfg.Path); !strings.Contains(got, "twilio listed=2 ledger=1 missing=1\n  message:"+sid+"\n") {
		t.Error(got)
	}
	if got := mustRun(t, exitFailed, "reconcile", "--config", desk.cfg.Path, "--json"); !strings.Contains(got, `{"source":"twilio","listed":2,"ledger":1,"missing":["message:`+sid+`"]}`) {
		t.Error(got)
	}
}

func metrics(t *testing.T, admin http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	admin.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/metrics", nil))
	return w.Body.String()
}
