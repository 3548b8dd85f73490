package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/internal/twiliosim"
	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

const (
	simAccount = "AC0123456789abcdef0123456789abcdef"
	simToken   = "0123456789abcdef0123456789abcdef"
	deskURL    = "https://desk.example"
	ourNumber  = "+49301234567"
	annaNumber = "+4915112345678"
	agentPhone = "+9779800000001"
)

// phoneDesk is the telephone's way in on a real store, with a telephone company
// at the other end.
type phoneDesk struct {
	t      testing.TB
	db     *store.DB
	rules  tickets.Rules
	plans  map[string]phone.Plan
	twilio *Twilio
	sim    *twiliosim.Sim
	client *phone.Client
	worker *Worker

	mu    sync.Mutex
	clock time.Duration
	open  bool
}

func newPhoneDesk(t testing.TB, c twiliosim.Config) *phoneDesk {
	t.Helper()
	return newPhoneDeskIn(t, c, filepath.Join(t.TempDir(), "desk.db"))
}

func newPhoneDeskIn(t testing.TB, c twiliosim.Config, database string) *phoneDesk {
	t.Helper()
	db, err := store.Open(context.Background(), store.Options{Database: database, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	verifier, err := phone.NewVerifier(deskURL, simToken, "")
	if err != nil {
		t.Fatal(err)
	}
	d := &phoneDesk{t: t, db: db, rules: phoneRules()}
	d.plans = map[string]phone.Plan{ourNumber: {
		Brand: "Baleyo", Transcribe: true,
		Menu: []phone.Choice{{Key: "1", Queue: "sales", Label: "sales"}, {Key: "2", Queue: "support", Label: "support"}, {Key: "3", Want: phone.PurposeTicket}, {Key: "4", Want: phone.PurposeMeter}, {Key: "9", Want: phone.PurposeCallback}},
	}}
	d.twilio = NewTwilio(TwilioOptions{
		DB: db, Rules: func() tickets.Rules { return d.rules }, Verifier: func() *phone.Verifier { return verifier },
		Account: func() string { return simAccount }, PublicURL: func() string { return deskURL },
		Plans: func() map[string]phone.Plan { return d.plans }, Now: d.now,
		OnDuty: func(brand, number string, at time.Time) []string {
			if d.open {
				return []string{agentPhone}
			}
			return nil
		},
	})
	c.AccountSID, c.AuthToken, c.Transport, c.APIBase, c.Now = simAccount, simToken, twiliosim.Direct(d.twilio), "https://api.twilio.test", d.now
	d.sim = twiliosim.New(c)
	d.sim.AddNumber(twiliosim.Number{E164: ourNumber, VoiceURL: deskURL + phone.PathVoice, VoiceFallbackURL: deskURL + phone.PathVoice + "/fallback", StatusCallback: deskURL + phone.PathVoice + "/status", SMSURL: deskURL + phone.PathSMS + phone.Retries, SMSFallbackURL: deskURL + phone.PathSMS + "/fallback"})
	d.sim.AddNumber(twiliosim.Number{E164: "whatsapp:" + ourNumber, SMSURL: deskURL + phone.PathWhatsApp})
	d.client, err = phone.NewClient(phone.Options{AccountSID: simAccount, AuthToken: simToken, BaseURL: d.sim.APIBase, Transport: twiliosim.Direct(d.sim), Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	d.worker = NewWorker(WorkerOptions{Brand: "baleyo", DB: db, Now: d.now, Rules: func() tickets.Rules { return d.rules }, Plans: func() map[string]phone.Plan { return d.plans },
		Transcript: func(phone.Recording) bool { return true }})
	t.Cleanup(d.sim.Wait)
	return d
}

func phoneRules() tickets.Rules {
	return tickets.Rules{
		Keys: tickets.Keyring{Current: tickets.Key{ID: 'k', Secret: make([]byte, 32)}},
		Brands: map[string]tickets.Brand{"baleyo": {Key: "baleyo", Name: "Baleyo", Domain: "baleyo.test", Country: "DE", Language: "en",
			Mailboxes: []tickets.Mailbox{{Address: "sales@baleyo.test", Queue: "sales"}, {Address: "support@baleyo.test", Queue: "support"}},
			Phones:    []tickets.Phone{{Number: ourNumber, Queue: "support", Mailbox: "support@baleyo.test", Texts: true, WhatsApp: true}}}},
		Agents:          map[string]tickets.Agent{"asha@baleyo.test": {Name: "Asha", Address: "asha@baleyo.test", Phone: agentPhone, Role: "agent"}},
		Queues:          map[string]tickets.Queue{"support": {Key: "support", Tiers: [][]string{{"asha@baleyo.test"}}}, "sales": {Key: "sales", Tiers: [][]string{{"asha@baleyo.test"}}}},
		AttachmentTypes: []string{"image/*", "audio/*"}, MessageSize: 10 << 20,
		Texting: tickets.Texting{Segments: 3, Join: 14 * 24 * time.Hour, Missed: 30 * time.Minute},
	}
}

func (d *phoneDesk) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Date(2026, 3, 4, 21, 0, 0, 0, time.UTC).Add(d.clock)
}

func (d *phoneDesk) advance(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.clock += by
}

// hook is a signed request of Twilio's.
func hook(path string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", twiliosim.Sign(simToken, deskURL+path, form))
	return r
}

func (d *phoneDesk) post(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.twilio.ServeHTTP(w, r)
	return w
}

func (d *phoneDesk) rows() int {
	d.t.Helper()
	tally, err := d.db.Tally(context.Background(), "")
	if err != nil {
		d.t.Fatal(err)
	}
	return tally.Total
}

func form(kv ...string) url.Values {
	v := url.Values{"AccountSid": {simAccount}}
	for i := 0; i+1 < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	return v
}

func press(keys string) twiliosim.Step { return twiliosim.Step{Press: keys} }

func leaves(seconds int) twiliosim.Step {
	return twiliosim.Step{Leave: &twiliosim.Leave{Seconds: seconds, Text: "My printer is on fire.", Key: "#"}}
}

// F01: what is not proven is refused, and leaves neither its body nor a flood of
// rows.
func TestWebhooksThatAreNotProven(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	body := form("MessageSid", twiliosim.SID("SM"), "From", annaNumber, "To", ourNumber, "Body", "secret words")
	for name, change := range map[string]func(*http.Request){
		"no signature": func(r *http.Request) { r.Header.Del("X-Twilio-Signature") },
		"wrong token": func(r *http.Request) {
			r.Header.Set("X-Twilio-Signature", twiliosim.Sign("another", deskURL+phone.PathSMS, body))
		},
		"empty token": func(r *http.Request) {
			r.Header.Set("X-Twilio-Signature", twiliosim.Sign("", deskURL+phone.PathSMS, body))
		},
		"another path":   func(r *http.Request) { r.RequestURI = phone.PathWhatsApp },
		"two signatures": func(r *http.Request) { r.Header.Add("X-Twilio-Signature", r.Header.Get("X-Twilio-Signature")) },
		"JSON, wrong sum": func(r *http.Request) {
			r.Header.Set("Content-Type", "application/json")
			r.RequestURI += "?bodySHA256=00"
		},
	} {
		r := hook(phone.PathSMS, body)
		change(r)
		if w := d.post(r); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if w := d.post(hook(phone.PathSMS, form("Body", strings.Repeat("x", phone.MaxWebhook)))); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("oversize: %d", w.Code)
	}
	get := httptest.NewRequest(http.MethodGet, phone.PathSMS, nil)
	if w := d.post(get); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", w.Code)
	}
	if w := d.post(hook("/twilio/other", body)); w.Code != http.StatusNotFound {
		t.Errorf("no such path: %d", w.Code)
	}
	if w := d.post(hook(phone.PathSMS, url.Values{"AccountSid": {"AC" + strings.Repeat("f", 32)}, "MessageSid": {twiliosim.SID("SM")}, "To": {ourNumber}})); w.Code != http.StatusForbidden {
		t.Errorf("another account: %d", w.Code)
	}
	if n := d.rows(); n != 1 {
		t.Errorf("%d rows, want one of all that were refused from one source in a minute", n)
	}
	raw, err := d.db.Raw(t.Context(), 1)
	if err != nil || strings.Contains(string(raw), "secret") || !strings.Contains(string(raw), `"refused"`) {
		t.Errorf("%s, %v", raw, err)
	}
	if got := d.twilio.Counts(); got[webhookRefused] != 7 || got[webhookOversize] != 1 || got[webhookUnknown] != 2 || got[webhookTaken] != 0 {
		t.Errorf("%v", got)
	}
	for n := range 200 { // a flood from everywhere
		r := hook(phone.PathSMS, body)
		r.Header.Del("X-Twilio-Signature")
		r.RemoteAddr = fmt.Sprintf("198.51.100.%d:1", n)
		d.post(r)
	}
	if n := d.rows(); n != refusedAnHour {
		t.Errorf("%d rows after a flood, want %d", n, refusedAnHour)
	}
}

// Without a telephone in the configuration nothing is believed, not even what is
// signed with the empty key.
func TestNoTokenNoWebhooks(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	d.twilio.opt.Verifier = func() *phone.Verifier { return nil }
	r := hook(phone.PathSMS, form())
	r.Header.Set("X-Twilio-Signature", twiliosim.Sign("", deskURL+phone.PathSMS, form()))
	if w := d.post(r); w.Code != http.StatusForbidden || d.rows() != 0 {
		t.Errorf("%d, %d rows", w.Code, d.rows())
	}
}

// F02: signatures that are good, and what a proxy makes of the path.
func TestProvenWebhooks(t *testing.T) {
	t.Parallel()
	many := form("MessageSid", "", "To", ourNumber, "Body", "Grüße 🔥 & + %", "From", "whatsapp:"+annaNumber, "FromCity", "")
	for n := range 40 {
		many.Set(fmt.Sprintf("Added%d", n), "x")
	}
	for name, c := range map[string]struct{ public, signed, requested string }{
		"plain":               {"https://desk.example", "https://desk.example/twilio/sms", "/twilio/sms"},
		"port is not signed":  {"https://desk.example:8443", "https://desk.example/twilio/sms", "/twilio/sms"},
		"port is signed":      {"https://desk.example:8443", "https://desk.example:8443/twilio/sms", "/twilio/sms"},
		"query":               {"https://desk.example", "https://desk.example/twilio/sms?b=2&a=%C3%BC", "/twilio/sms?b=2&a=%C3%BC"},
		"path of the proxy":   {"https://desk.example/desk", "https://desk.example/desk/twilio/sms", "/desk/twilio/sms"},
		"path is taken off":   {"https://desk.example/desk", "https://desk.example/desk/twilio/sms", "/twilio/sms"},
		"fallback of texts":   {"https://desk.example", "https://desk.example/twilio/sms/fallback", "/twilio/sms/fallback"},
		"WhatsApp's fallback": {"https://desk.example", "https://desk.example/twilio/whatsapp/fallback", "/twilio/whatsapp/fallback"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newPhoneDesk(t, twiliosim.Config{})
			v, err := phone.NewVerifier(c.public, simToken, "")
			if err != nil {
				t.Fatal(err)
			}
			d.twilio.opt.Verifier, d.twilio.opt.PublicURL = func() *phone.Verifier { return v }, func() string { return c.public }
			f := maps.Clone(many)
			f.Set("MessageSid", twiliosim.SID("SM"))
			r := httptest.NewRequest(http.MethodPost, c.requested, strings.NewReader(f.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
			r.Header.Set("X-Twilio-Signature", twiliosim.Sign(simToken, c.signed, f))
			if w := d.post(r); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<Response></Response>") || w.Header().Get("Content-Type") != phone.ContentType {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			raw, err := d.db.Raw(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			var h Hook
			if err := json.Unmarshal(raw, &h); err != nil || h.Form.Get("Body") != "Grüße 🔥 & + %" || !h.At.Equal(d.now()) {
				t.Errorf("%s, %v", raw, err)
			}
		})
	}
}

// F10: what comes from outside is spoken, never obeyed.
func TestWordsFromOutsideAreSpoken(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	call, err := d.sim.Dial(twiliosim.Inbound{From: annaNumber, To: ourNumber, CallerName: "</Say><Dial>+49900123</Dial>", Script: []twiliosim.Step{press("2"), leaves(5)}})
	if err != nil || len(d.sim.Find("note", "dial")) != 0 || call.Status != "completed" {
		t.Error(call, err)
	}
	p := phone.AlarmPath{Brand: "baleyo", Letter: 1, Ticket: 1042, Language: "en", Customer: "</Say><Dial>+49900123</Dial>"}
	w := d.post(hook(p.String(), form("CallSid", twiliosim.SID("CA"), "From", ourNumber, "To", agentPhone)))
	if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<Dial>") || !strings.Contains(w.Body.String(), "&lt;Dial&gt;") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Each webhook of a call and of a text is delivered fifty times in parallel,
// shuffled, and a day later again: one row each, and always the same answer.
func TestWebhooksAgainAndAgain(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); againAndAgain(t, newPhoneDesk(t, twiliosim.Config{})) })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		againAndAgain(t, newPhoneDeskIn(t, twiliosim.Config{}, storetest.Postgres(t)))
	})
}

func againAndAgain(t *testing.T, d *phoneDesk) {
	d.open = true
	d.sim.SetCallee(agentPhone, twiliosim.Callee{Answer: "machine"})
	if _, err := d.sim.Dial(twiliosim.Inbound{From: annaNumber, To: ourNumber, Script: []twiliosim.Step{press("2"), leaves(12)}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.sim.Text(twiliosim.Text{From: annaNumber, To: ourNumber, Body: "hello"}); err != nil {
		t.Fatal(err)
	}
	d.sim.Wait()
	hooks := d.sim.Find("webhook", "")
	before := d.rows()
	if before != len(hooks) || before < 8 {
		t.Fatalf("%d rows of %d webhooks", before, len(hooks))
	}
	for range 2 {
		var all []twiliosim.Event
		for range 50 {
			all = append(all, hooks...)
		}
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		var wg sync.WaitGroup
		for part := range slices.Chunk(all, 20) {
			wg.Go(func() {
				for _, e := range part {
					w := d.post(hook(strings.TrimPrefix(e.URL, deskURL), e.Params))
					if w.Code != e.Status || w.Body.String() != e.Body {
						t.Errorf("%s: %d %s, at first %d %s", e.URL, w.Code, w.Body, e.Status, e.Body)
					}
				}
			})
		}
		wg.Wait()
		if n := d.rows(); n != before {
			t.Errorf("%d rows, want %d", n, before)
		}
		d.advance(24 * time.Hour) // the desk is closed then, and others are on duty
		d.open = false
		d.twilio.opt.Open = func(string, time.Time) bool { return false }
		d.twilio.opt.OnDuty = func(_, _ string, at time.Time) []string {
			if at.Before(d.now().Add(-time.Hour)) {
				return []string{agentPhone}
			}
			return nil
		}
	}
	if got := d.twilio.Counts()[webhookTaken]; got != int64(before) {
		t.Errorf("%d taken, want %d", got, before)
	}
}

// A database that is gone: 503 at once, so that the fallback URL takes the call.
func TestDatabaseDown(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	d.db.Close()
	began := time.Now()
	for _, path := range []string{phone.PathVoice, phone.PathSMS, phone.PathVoice + "/status"} {
		w := d.post(hook(path, form("CallSid", twiliosim.SID("CA"), "MessageSid", twiliosim.SID("SM"), "From", annaNumber, "To", ourNumber, "CallStatus", "completed")))
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if d.twilio.Counts()[webhookDown] != 3 || time.Since(began) > 5*time.Second {
		t.Error(d.twilio.Counts(), time.Since(began))
	}
}

// stuck is a ledger whose disk does not answer, or that cannot write one row.
type stuck struct {
	webhookLedger
	poison string
	hang   chan struct{}
}

func (s stuck) Append(ctx context.Context, items []store.Item, c *store.Cursor) (int, error) {
	if s.hang != nil {
		<-s.hang
	}
	for _, it := range items {
		if it.Key == s.poison {
			return 0, fmt.Errorf("cannot write %q", it.Key)
		}
	}
	return s.webhookLedger.Append(ctx, items, c)
}

// A disk that hangs: 503 in time for the fallback URL. When the row is written
// after all, the retry finds it.
func TestCommitTooLate(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	hang := make(chan struct{})
	opt := d.twilio.opt
	opt.Within = 20 * time.Millisecond
	d.twilio = newTwilio(opt, stuck{webhookLedger: d.db, hang: hang})
	f := form("MessageSid", twiliosim.SID("SM"), "From", annaNumber, "To", ourNumber, "Body", "hello")
	if w := d.post(hook(phone.PathSMS, f)); w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d", w.Code)
	}
	close(hang)
	d.twilio = NewTwilio(d.twilio.opt)
	if w := d.post(hook(phone.PathSMS, f)); w.Code != http.StatusOK {
		t.Errorf("%d", w.Code)
	}
}

// One row that cannot be written does not keep out those that came with it.
func TestOneBadRowInABatch(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	c := &committer{db: stuck{webhookLedger: d.db, poison: "b"}, within: time.Second}
	var batch []*pending
	for _, key := range []string{"a", "b", "c", "a"} {
		batch = append(batch, &pending{item: store.Item{Key: key, Brand: "baleyo", Channel: tickets.ChannelSMS, Received: d.now(), Data: []byte(key)}, done: make(chan struct{})})
	}
	c.commit(batch)
	if batch[0].err != nil || batch[1].err == nil || batch[2].err != nil || batch[3].err != nil || d.rows() != 2 {
		t.Errorf("%v %v %v, %d rows", batch[0].err, batch[1].err, batch[2].err, d.rows())
	}
}

// What is proven and says nothing to us is kept for a person.
func TestWebhookThatCannotBeRead(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	f := form("MessageSid", "SMnew-form", "From", annaNumber, "To", ourNumber, "Body", "hello")
	for range 2 {
		if w := d.post(hook(phone.PathSMS, f)); w.Code != http.StatusBadRequest {
			t.Errorf("%d", w.Code)
		}
	}
	if raw, err := d.db.Raw(t.Context(), 1); err != nil || d.rows() != 1 || !strings.Contains(string(raw), "hello") {
		t.Errorf("%d rows, %s, %v", d.rows(), raw, err)
	}
}

// A number of the account that nobody configured: a call goes to the fallback
// URL, a text waits in quarantine.
func TestNumberThatIsNotConfigured(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	if w := d.post(hook(phone.PathVoice, form("CallSid", twiliosim.SID("CA"), "From", annaNumber, "To", "+49305550000"))); w.Code != http.StatusNotFound {
		t.Errorf("call: %d", w.Code)
	}
	if w := d.post(hook(phone.PathSMS, form("MessageSid", twiliosim.SID("SM"), "From", annaNumber, "To", "+49305550000", "Body", "x"))); w.Code != http.StatusOK {
		t.Errorf("text: %d", w.Code)
	}
	if d.rows() != 2 || d.twilio.Counts()[webhookUnknown] != 2 {
		t.Error(d.rows(), d.twilio.Counts())
	}
}

// Calls that the desk places: the path says all that is spoken.
func TestCallsOfOurs(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	alarm := phone.AlarmPath{Brand: "baleyo", Letter: 7, Ticket: 1042, Language: "de", Customer: "Anna"}.String()
	bridge := phone.BridgePath{Brand: "baleyo", Letter: 8, Ticket: 1042, Language: "en", Customer: annaNumber, Line: ourNumber, Name: "Anna"}.String()
	alarmed, bridged := twiliosim.SID("CA"), twiliosim.SID("CA")
	for _, c := range []struct {
		path, digits string
		code         int
		want         string
	}{
		{alarm, "", 200, `action="` + deskURL + alarm + `/pressed/1"`},
		{alarm + "/pressed/1", "", 200, alarm + "/pressed/2"},
		{alarm + "/pressed/2", "1", 200, "<Hangup"},
		{alarm + "/status", "", 204, ""},
		{alarm + "/elsewhere", "", 404, ""},
		{"/twilio/alarm/nobrand/1/2/en/-", "", 404, ""},
		{bridge, "", 200, bridge + "/pressed/1"},
		{bridge + "/pressed/1", "1", 200, annaNumber},
		{bridge + "/dialed", "", 200, "<Hangup"},
		{phone.StatusPath{Brand: "baleyo", Letter: 9}.String(), "", 204, ""},
		{phone.StatusPath{Brand: "baleyo", Letter: 9, WhatsApp: true}.String(), "", 204, ""},
	} {
		sid := alarmed
		if strings.HasPrefix(c.path, bridge) {
			sid = bridged
		}
		w := d.post(hook(c.path, form("CallSid", sid, "MessageSid", "SM"+sid[2:], "MessageStatus", "delivered", "From", ourNumber, "To", agentPhone, "CallStatus", "completed", "Digits", c.digits)))
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.path, w.Code, w.Body)
		}
	}
}

// BenchmarkTwilioBurst delivers 2,000 signed texts at once, as a telephone
// company does after an outage, to a database that waits for its disk, over
// real connections.
func BenchmarkTwilioBurst(b *testing.B) {
	const burst, connections = 2000, 100
	db, err := store.Open(context.Background(), store.Options{Database: filepath.Join(b.TempDir(), "desk.db")})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	verifier, err := phone.NewVerifier(deskURL, simToken, "")
	if err != nil {
		b.Fatal(err)
	}
	rules := phoneRules()
	twilio := NewTwilio(TwilioOptions{DB: db, Rules: func() tickets.Rules { return rules }, Verifier: func() *phone.Verifier { return verifier },
		PublicURL: func() string { return deskURL }, Plans: func() map[string]phone.Plan { return nil }})
	srv := httptest.NewServer(twilio)
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	for b.Loop() {
		took := make([]time.Duration, burst)
		work := make(chan int)
		var wg sync.WaitGroup
		began := time.Now()
		for range connections {
			wg.Go(func() {
				for n := range work {
					r := hook(phone.PathSMS, form("MessageSid", twiliosim.SID("SM"), "From", fmt.Sprintf("+49151%08d", n), "To", ourNumber, "Body", fmt.Sprint("Where is my order ", n, "?"), "NumMedia", "0"))
					r.URL, r.RequestURI = mustURL(b, srv.URL+phone.PathSMS), ""
					start := time.Now()
					res, err := client.Do(r)
					if err != nil || res.StatusCode != http.StatusOK {
						b.Error(res, err)
						continue
					}
					_ = res.Body.Close()
					took[n] = time.Since(start)
				}
			})
		}
		for n := range burst {
			work <- n
		}
		close(work)
		wg.Wait()
		all := time.Since(began)
		slices.Sort(took)
		b.ReportMetric(float64(took[burst/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[burst*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(burst/all.Seconds(), "webhooks/s")
	}
	worker := NewWorker(WorkerOptions{Brand: "baleyo", DB: db, Rules: func() tickets.Rules { return rules }})
	began, decided := time.Now(), 0
	for n := 1; n > 0; decided += n {
		if n, err = worker.Pass(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(decided)/time.Since(began).Seconds(), "decided/s")
	tally, err := db.Tally(context.Background(), "")
	if err != nil || tally.Total == 0 || tally.ByDisposition[tickets.DisposeMessage] != tally.Total {
		b.Fatalf("%+v, %v", tally, err)
	}
}

func mustURL(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
