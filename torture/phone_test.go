package torture

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"frontdesk/internal/twiliosim"
)

const (
	phoneAccount = "AC00000000000000000000000000000001"
	phoneToken   = "0123456789abcdef0123456789abcdef"
	phonePublic  = "https://desk.example/help"
	phoneNumber  = "+4930901820"
)

// byLine carries webhooks to the desk over a line of its own.
type byLine struct {
	line *toxic
	one  *http.Transport
}

func (b byLine) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", b.line.addr()
	return b.one.RoundTrip(r)
}

// TestBadLineToTheTelephoneCompany: F08, G14. The lines of webhooks to the desk
// and of the desk to the company's API are slow, cut before and after the
// question, reset, or away. Each text is one message and is answered once.
func TestBadLineToTheTelephoneCompany(t *testing.T) {
	t.Parallel()
	clock := newClock(t)
	var sim *twiliosim.Sim
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sim.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	listen := freeAddress(t)
	out, in := newToxic(t, server.Listener.Addr().String()), newToxic(t, listen)
	transport := byLine{in, &http.Transport{DisableKeepAlives: true}}
	sim = twiliosim.New(twiliosim.Config{AccountSID: phoneAccount, AuthToken: phoneToken, APIBase: "http://" + out.addr(), Transport: transport, Now: clock.now})
	t.Cleanup(sim.Wait)
	sim.AddNumber(twiliosim.Number{E164: phoneNumber, SMSURL: phonePublic + "/twilio/sms#rc=3&rp=5xx,ct,rt"})

	b := newBench(t, benchOptions{clock: clock})
	text, err := os.ReadFile(b.d.Config())
	if err != nil {
		t.Fatal(err)
	}
	edited := replaced(t, string(text),
		`http: {public_url: "", admin_listen: ""}`, fmt.Sprintf("http: {public_url: %q, listen: %q, admin_listen: \"\"}\ntwilio: {account_sid: %s, auth_token_file: token, api_base_url: \"http://%s\", reconcile_every: 1 second}", phonePublic, listen, phoneAccount, out.addr()),
		"    mailboxes:\n", fmt.Sprintf("    hours: {mon-sun: \"00:00-24:00\"}\n    phones: [{number: %q}]\n    mailboxes:\n", phoneNumber))
	for name, text := range map[string]string{b.d.Config(): edited, filepath.Join(b.d.Dir, "token"): phoneToken} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.d.MustStart()
	n, texts, faults := pick(2, 10), 0, 0
	caller := func(i int) string { return fmt.Sprintf("+4917655%06d", i) }
	answered := func() (n int) {
		got := map[string]bool{}
		for _, m := range sim.Outbox() {
			got[m.To] = true
		}
		return len(got)
	}
	for _, f := range []struct {
		what string
		do   func()
	}{
		{"slow webhooks", func() { in.add("latency", "downstream", fmt.Sprintf(`"latency": %d`, pick(300, 3000))) }},
		{"webhooks without an answer", func() { in.add("limit_data", "downstream", `"bytes": 10`) }},
		{"webhooks cut short", func() { in.add("limit_data", "upstream", `"bytes": 300`) }},
		{"no way for webhooks", in.sever},
		{"a slow API", func() { out.add("latency", "downstream", fmt.Sprintf(`"latency": %d`, pick(300, 3000))) }},
		{"an API without an answer", func() { out.add("limit_data", "downstream", `"bytes": 10`) }},
		{"requests to the API cut short", func() { out.add("limit_data", "upstream", `"bytes": 300`) }},
		{"an API that resets", func() { out.add("reset_peer", "downstream", `"timeout": 50`) }},
		{"no API", out.sever},
	} {
		f.do()
		faults++
		for range n {
			if _, err := sim.Text(twiliosim.Text{From: caller(texts), To: phoneNumber, Body: fmt.Sprintf("request %d: my printer is offline", texts)}); err != nil {
				t.Logf("%s: text %d: %v", f.what, texts, err)
			}
			texts++
		}
		<-time.After(pick(500*time.Millisecond, 3*time.Second))
		for _, x := range []*toxic{in, out} {
			x.clear()
			x.heal()
		}
		clock.step(2 * time.Minute) // what may be on its way is left alone for a minute
		began := time.Now()
		waitUntil(t, 4*time.Minute, fmt.Sprintf("%d texts are answered: %s", texts, f.what), func() bool { return answered() >= texts })
		t.Logf("%s: answered %s after it was over", f.what, time.Since(began).Round(time.Millisecond))
	}
	b.settleLetters(2 * time.Minute)
	<-time.After(2 * time.Second) // what the desk asks the company, it asks each second
	r := row{name: "F08, G14 a bad line to the telephone company", faults: faults, in: texts}
	sent := map[string]int{}
	for _, m := range sim.Outbox() {
		sent[m.To]++
	}
	from := map[string]int{}
	for _, tk := range b.d.JSON("tickets", "list", "--status", "all", "--limit", "100000") {
		messages, _ := b.d.JSON("tickets", "show", fmt.Sprint(tk["id"]))[0]["messages"].([]any)
		for _, m := range messages {
			var i int
			if _, err := fmt.Sscanf(fmt.Sprint(m.(map[string]any)["text"]), "request %d:", &i); err == nil {
				from[caller(i)]++
			}
		}
	}
	for i := range texts {
		switch who := caller(i); {
		case from[who] == 0 || sent[who] == 0:
			r.lost++
		default:
			r.out++
			r.doubled += from[who] - 1 + sent[who] - 1
		}
	}
	if r.doubled > 0 {
		t.Logf("messages %v, texts %v", from, sent)
	}
	record(t, r)
	if err := b.d.Stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
}
