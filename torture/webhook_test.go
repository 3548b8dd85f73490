package torture

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"frontdesk/internal/twiliosim"
	"frontdesk/store/storetest"
)

// answers keeps what the desk answered to webhooks.
type answers struct {
	desk string
	mu   sync.Mutex
	by   map[int]int // status → how often
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", a.desk
	answer, err := http.DefaultTransport.RoundTrip(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		a.by[answer.StatusCode]++
	} else {
		a.by[0]++
	}
	return answer, err
}

func (a *answers) count(status int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.by[status]
}

func (a *answers) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return fmt.Sprint(a.by)
}

// TestWebhooksWhileTheDatabaseIsAway: A06. The disk of the database is full, or
// PostgreSQL is not to be reached, while texts and a call come in: each webhook is
// answered 503, and the daemon stays up. When it is over, what was told in vain is
// fetched from the telephone company: each text is one message with one answer.
func TestWebhooksWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	t.Run("disk full", func(t *testing.T) {
		t.Parallel()
		disk := smallVolume(t, "24m")
		free := func() {}
		webhooksInVain(t, "A06 webhooks while the disk is full", benchOptions{dataDir: filepath.Join(disk, "data"), more: "alerts: {disk_free: 1KB}\n"}, "sqlite",
			func() { free = fill(t, disk, 0) }, func() { free() })
	})
	t.Run("PostgreSQL away", func(t *testing.T) {
		t.Parallel()
		u, err := url.Parse(storetest.Postgres(t))
		if err != nil {
			t.Fatal(err)
		}
		way := newToxic(t, newLine(t, u).l.Addr().String())
		webhooksInVain(t, "A06 webhooks while PostgreSQL is away", benchOptions{}, fmt.Sprintf("postgres://postgres@%s%s?sslmode=disable", way.addr(), u.Path),
			way.sever, way.heal)
	})
}

func webhooksInVain(t *testing.T, name string, opt benchOptions, database string, away, back func()) {
	clock := newClock(t)
	opt.clock = clock
	var sim *twiliosim.Sim
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sim.ServeHTTP(w, r) }))
	t.Cleanup(api.Close)
	listen := freeAddress(t)
	webhooks := &answers{desk: listen, by: map[int]int{}}
	sim = twiliosim.New(twiliosim.Config{AccountSID: phoneAccount, AuthToken: phoneToken, APIBase: api.URL, Transport: webhooks, Now: clock.now})
	t.Cleanup(sim.Wait)
	sim.AddNumber(twiliosim.Number{E164: phoneNumber, SMSURL: phonePublic + "/twilio/sms#rc=1&rp=5xx", VoiceURL: phonePublic + "/twilio/voice"})
	b := newBench(t, opt)
	text, err := os.ReadFile(b.d.Config())
	if err != nil {
		t.Fatal(err)
	}
	edited := replaced(t, string(text), "database: sqlite", "database: "+database,
		`http: {public_url: "", admin_listen: ""}`, fmt.Sprintf("http: {public_url: %q, listen: %q, admin_listen: \"\"}\ntwilio: {account_sid: %s, auth_token_file: token, api_base_url: %q, reconcile_every: 1 second}", phonePublic, listen, phoneAccount, api.URL),
		"    mailboxes:\n", fmt.Sprintf("    hours: {mon-sun: \"00:00-24:00\"}\n    phones: [{number: %q}]\n    mailboxes:\n", phoneNumber))
	for file, text := range map[string]string{b.d.Config(): edited, filepath.Join(b.d.Dir, "token"): phoneToken} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.d.MustStart()
	texts := 0
	caller := func(i int) string { return fmt.Sprintf("+4917655%06d", i) }
	come := func(n int) {
		for range n {
			if _, err := sim.Text(twiliosim.Text{From: caller(texts), To: phoneNumber, Body: fmt.Sprintf("request %d: my printer is offline", texts)}); err != nil {
				t.Errorf("text %d: %v", texts, err)
			}
			texts++
		}
	}
	sent := func() map[string]int {
		got := map[string]int{}
		for _, m := range sim.Outbox() {
			got[m.To]++
		}
		return got
	}
	come(2)
	waitUntil(t, time.Minute, "texts are answered", func() bool { return len(sent()) >= texts })
	faults, per := 0, pick(2, 10)
	for range pick(1, 3) {
		away()
		faults++
		ok, down := webhooks.count(200), webhooks.count(503)
		come(per)
		if _, err := sim.Dial(twiliosim.Inbound{From: caller(9999), To: phoneNumber}); err != nil {
			t.Logf("the call: %v", err)
		}
		if got := webhooks.count(503) - down; got < per {
			t.Errorf("%d webhooks were answered 503 of %d: %v", got, per, webhooks)
		}
		if got := webhooks.count(200) - ok; got > 0 {
			t.Errorf("%d webhooks were answered 200 that nobody could store", got)
		}
		if how, ended := b.d.Ends(300 * time.Millisecond); ended {
			t.Fatalf("the daemon ended: %v\n%s", how, b.d.Log(20))
		}
		back()
		come(1) // this one finds the desk
		clock.step(2 * time.Minute)
		began := time.Now()
		waitUntil(t, 3*time.Minute, "what was told in vain is answered", func() bool { return len(sent()) >= texts })
		t.Logf("all are answered %s after it was over; webhooks: %v", time.Since(began).Round(time.Millisecond), webhooks)
	}
	b.settleLetters(time.Minute)
	<-time.After(2 * time.Second) // what the desk asks the company, it asks each second
	r := row{name: name, faults: faults, in: texts}
	letters, from := sent(), map[string]int{}
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
		case from[who] == 0 || letters[who] == 0:
			r.lost++
		default:
			r.out++
			r.doubled += from[who] - 1 + letters[who] - 1
		}
	}
	if err := b.d.Stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	record(t, r)
}
