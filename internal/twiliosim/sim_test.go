package twiliosim

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const (
	testSID, testToken = "AC0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"
	us, wa             = "+15550100001", "whatsapp:+15550100001"
	anna               = "+15550100042"
)

func rig(t *testing.T, c Config) (*Sim, *desk, string) {
	t.Helper()
	c.AccountSID, c.AuthToken = testSID, testToken
	d := &desk{token: testToken, sid: testSID, seen: map[string]bool{}}
	app := httptest.NewServer(d)
	d.base = app.URL
	s := New(c)
	api := httptest.NewServer(s)
	s.APIBase = api.URL
	s.AddNumber(Number{E164: us, VoiceURL: app.URL + "/voice", StatusCallback: app.URL + "/status", SMSURL: app.URL + "/sms"})
	s.AddNumber(Number{E164: wa, SMSURL: app.URL + "/sms"})
	t.Cleanup(func() { s.Wait(); app.Close(); api.Close() })
	return s, d, app.URL
}

func post(t *testing.T, s *Sim, path string, kv ...string) (int, map[string]any) {
	t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(kv); i += 2 {
		v.Add(kv[i], kv[i+1])
	}
	q, _ := http.NewRequest("POST", s.APIBase+"/2010-04-01/Accounts/"+testSID+path, strings.NewReader(v.Encode()))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.SetBasicAuth(testSID, testToken)
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var m map[string]any
	json.NewDecoder(res.Body).Decode(&m)
	return res.StatusCode, m
}

func names(es []Event) (out []string) {
	for _, e := range es {
		out = append(out, e.Name)
	}
	return
}

// The example in Twilio's security documentation.
func TestSign(t *testing.T) {
	t.Parallel()
	p := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+12349013030"}, "Digits": {"1234"}, "From": {"+12349013030"}, "To": {"+18005551212"}}
	if got := Sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", p); got != "0/KCTR6DLpKmkAf8muzZqo1nDgQ=" {
		t.Fatal(got)
	}
	if got := Sign("12345", "https://mycompany.com/myapp", p); got != "3KI2uRuYyAdhZIJXcpU0izDUzWI=" {
		t.Fatal(got)
	}
}

func TestVoicemail(t *testing.T) {
	t.Parallel()
	s, d, _ := rig(t, Config{})
	c, err := s.Dial(Inbound{From: anna, To: us, Stir: "TN-Validation-Passed-A", Script: []Step{{Press: "2"}, {Leave: &Leave{Seconds: 12, Text: "My printer is on fire.", Key: "#"}}}})
	if err != nil || c.Status != "completed" {
		t.Fatal(c, err)
	}
	got := strings.Join(names(s.Find("webhook", "")), " ")
	if got != "voice gather record-action recording-status transcription call-status" {
		t.Fatal(got)
	}
	if w := strings.Join(d.tickets, "|"); !strings.HasPrefix(w, "voicemail 200 audio/mpeg ") || !strings.Contains(w, "transcript My printer is on fire.|call completed ") || d.bad != 0 {
		t.Fatal(w, d.bad)
	}
	if w := s.Find("webhook", "recording-status")[0].Params; w.Has("From") || w.Get("CallSid") != c.SID {
		t.Fatal("recordingStatusCallback has no From", w)
	}
	t.Log(c.Heard)
}

func TestHangupSilenceAndNoInput(t *testing.T) {
	t.Parallel()
	s, d, _ := rig(t, Config{})
	// hangs up while recording: the action request still arrives, with Digits=hangup
	s.Dial(Inbound{From: anna, To: us, Script: []Step{{Press: "1"}, {Leave: &Leave{Seconds: 3, Text: "call me", Hangup: true}}}})
	if p := s.Find("webhook", "record-action")[0].Params; p.Get("Digits") != "hangup" || p.Get("CallStatus") != "completed" {
		t.Fatal(p)
	}
	// presses nothing, says nothing: <Redirect> after <Gather>, the verb after <Record>, no recording
	s.Reset()
	c, _ := s.Dial(Inbound{From: "+266696687", To: us, Script: []Step{{Silent: true}, {Leave: &Leave{}}}})
	if got := strings.Join(names(s.Find("webhook", "")), " "); got != "voice redirect call-status" || c.Heard[len(c.Heard)-1] != "We heard nothing. Goodbye." {
		t.Fatal(got, c.Heard)
	}
	// gone before the greeting
	s.Reset()
	c, _ = s.Dial(Inbound{From: anna, To: us, HangupAtRing: true})
	if c.Status != "no-answer" || len(c.Heard) != 0 || d.bad != 0 {
		t.Fatal(c)
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	s, d, _ := rig(t, Config{AdvancedOptOut: true})
	s.Text(Text{From: anna, To: us, Body: "it still burns 🔥"})
	s.Text(Text{From: anna, To: us, Body: "look", Media: []TextMedia{{Type: "image/png", Data: []byte("\x89PNG\r\n")}}})
	s.Text(Text{From: "whatsapp:" + anna, To: wa, Body: "on WhatsApp", ProfileName: "Anna"})
	s.Text(Text{From: anna, To: us, Body: "Stop"})
	s.Wait()
	want := "+15550100042: it still burns 🔥|+15550100042: look 200 image/png 6 bytes|whatsapp:+15550100042: on WhatsApp|+15550100042: StopSTOP"
	if got := strings.Join(d.tickets, "|"); got != want || d.bad != 0 {
		t.Fatalf("%s\n%s\nbad %d", got, want, d.bad)
	}
	if o := s.Outbox(); len(o) != 3 || o[0].Direction != "outbound-reply" || o[2].Status != "read" {
		t.Fatal(o)
	}
	if c, m := post(t, s, "/Messages.json", "To", anna, "From", us, "Body", "hello?"); c != 400 || m["code"] != 21610.0 {
		t.Fatal(c, m)
	}
	s.Text(Text{From: anna, To: us, Body: "START"})
	if c, m := post(t, s, "/Messages.json", "To", anna, "From", us, "Body", "hello again"); c != 201 || m["status"] != "queued" {
		t.Fatal(c, m)
	}
	// WhatsApp: free text inside 24 hours, a template after
	s.Advance(25 * time.Hour)
	post(t, s, "/Messages.json", "To", "whatsapp:"+anna, "From", wa, "Body", "too late")
	post(t, s, "/Messages.json", "To", "whatsapp:"+anna, "From", wa, "ContentSid", "HX0123456789abcdef0123456789abcdef")
	s.Wait()
	o := s.Outbox()
	if o[len(o)-2].ErrorCode != 63016 || o[len(o)-1].Status != "read" {
		t.Fatal(o)
	}
}

func TestOutboundCallPress1(t *testing.T) {
	t.Parallel()
	s, d, app := rig(t, Config{})
	s.SetCallee("+15550100099", Callee{Script: []Step{{Press: "2"}, {Leave: &Leave{Seconds: 5, Text: "acknowledged", Key: "#"}}}})
	s.SetCallee("+15550100098", Callee{Answer: "busy"})
	ev := []string{"StatusCallback", app + "/status", "StatusCallbackEvent", "initiated", "StatusCallbackEvent", "ringing", "StatusCallbackEvent", "answered", "StatusCallbackEvent", "completed"}
	for _, to := range []string{"+15550100099", "+15550100098"} {
		if c, m := post(t, s, "/Calls.json", append([]string{"To", to, "From", us, "Url", app + "/voice"}, ev...)...); c != 201 || m["status"] != "queued" {
			t.Fatal(c, m)
		}
		s.Wait()
	}
	got := ""
	for _, e := range s.Find("webhook", "call-status") {
		got += e.Params.Get("CallStatus") + e.Params.Get("SequenceNumber") + e.Params.Get("SipResponseCode") + " "
	}
	if got != "initiated0 ringing1 in-progress2 completed3 initiated0 ringing1486 busy2486 " && got != "initiated0 ringing1 in-progress2 completed3 initiated0 ringing1 busy2486 " || d.bad != 0 {
		t.Fatal(got)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s, d, app := rig(t, Config{Duplicate: true, RecordingLag: 1, Timeout: 200 * time.Millisecond})
	s.AddFault(Fault{Match: "/Messages", N: 1, Status: 429, Code: 20429})
	s.AddFault(Fault{Match: "/Messages", N: 1, Status: 503, Code: 20503, After: true})
	for _, want := range []int{429, 503, 201} {
		if c, _ := post(t, s, "/Messages.json", "To", anna, "From", us, "Body", "x"); c != want {
			t.Fatal(c, want)
		}
	}
	if len(s.Outbox()) != 2 { // the 503 came after the message had been sent: a blind retry doubles it
		t.Fatal(s.Outbox())
	}
	s.Text(Text{From: anna, To: us, Body: "twice"})
	if len(d.tickets) != 1 {
		t.Fatal(d.tickets)
	}
	s.Dial(Inbound{From: anna, To: us, Script: []Step{{Press: "2"}, {Leave: &Leave{Seconds: 12, Text: "hello there", Key: "#"}}}})
	if d.tickets[1] != "voicemail 404 application/json 142 bytes" && !strings.HasPrefix(d.tickets[1], "voicemail 404") {
		t.Fatal("the recording lags", d.tickets)
	}
	// errors and retries: 5xx is retried only when the URL's fragment asks for it, with the same token
	n := 0
	flaky := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n < 3 {
			w.WriteHeader(500)
		}
	}))
	defer flaky.Close()
	s.Reset()
	s.Duplicate = false
	s.AddNumber(Number{E164: "+15550100002", SMSURL: flaky.URL + "/x#rc=3&rp=5xx,rt", VoiceURL: flaky.URL, VoiceFallbackURL: app + "/voice"})
	s.Text(Text{From: anna, To: "+15550100002", Body: "retry me"})
	es := s.Find("webhook", "sms")
	if len(es) != 3 || es[0].Token != es[2].Token || es[2].Status != 200 || strings.Contains(es[0].URL, "#") {
		t.Fatal(es)
	}
	n = 0
	if c, _ := s.Dial(Inbound{From: anna, To: "+15550100002", Script: []Step{{Press: "1"}}}); len(s.Find("webhook", "fallback")) != 1 || c.Heard[0] != "Press 1 for sales, 2 for support." {
		t.Fatal(c.Heard, names(s.Events()))
	}
}

// A query string that is not in alphabetical order fails validation when Twilio re-sorts it (twilio-php#790).
func TestSortQueryQuirk(t *testing.T) {
	t.Parallel()
	s, d, app := rig(t, Config{SortQuery: true})
	s.AddNumber(Number{E164: "+15550100003", SMSURL: app + "/sms?t=1&b=2"})
	s.Text(Text{From: anna, To: "+15550100003", Body: "x"})
	s.AddNumber(Number{E164: "+15550100003", SMSURL: app + "/sms?b=2&t=1"})
	s.Text(Text{From: anna, To: "+15550100003", Body: "y"})
	if d.bad != 1 || len(d.tickets) != 1 {
		t.Fatal(d.bad, d.tickets)
	}
}

// <Dial> rings the agent first; the agent must press 1 (the whisper) or the caller goes on to the voicemail box.
func TestDialWhisper(t *testing.T) {
	t.Parallel()
	s, _, _ := rig(t, Config{})
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		w.Header().Set("Content-Type", "text/xml")
		switch r.URL.Path {
		case "/voice":
			w.Write([]byte(`<Response><Dial action="/after" timeout="15"><Number url="/whisper">+15550100099</Number></Dial></Response>`))
		case "/whisper":
			w.Write([]byte(`<Response><Gather numDigits="1" action="/accept"><Say>Support call. Press 1 to accept.</Say></Gather><Hangup/></Response>`))
		case "/accept":
			if r.Form.Get("Digits") == "1" {
				w.Write([]byte(`<Response/>`)) // nothing left to do: the two are connected
			} else {
				w.Write([]byte(`<Response><Hangup/></Response>`))
			}
		case "/after":
			w.Write([]byte(`<Response><Say>` + r.Form.Get("DialCallStatus") + `</Say></Response>`))
		}
	}))
	defer app.Close()
	s.AddNumber(Number{E164: "+15550100005", VoiceURL: app.URL + "/voice"})
	for press, want := range map[string]string{"1": "completed", "3": "no-answer", "": "no-answer"} {
		s.SetCallee("+15550100099", Callee{Script: []Step{{Press: press, Silent: press == ""}}})
		if c, _ := s.Dial(Inbound{From: anna, To: "+15550100005"}); c.Heard[len(c.Heard)-1] != want {
			t.Fatal(press, c.Heard)
		}
	}
}
