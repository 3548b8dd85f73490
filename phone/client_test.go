package phone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// answers is a Twilio that answers what the test says, one function a request.
type answers struct {
	t    testing.TB
	all  []func(*http.Request) (*http.Response, error)
	seen []*http.Request
	form []url.Values
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	v, err := url.ParseQuery(string(body))
	if err != nil {
		a.t.Errorf("form %q: %v", body, err)
	}
	a.seen, a.form = append(a.seen, r), append(a.form, v)
	if len(a.seen) > len(a.all) {
		a.t.Errorf("request %d, %s %s: none was expected", len(a.seen), r.Method, r.URL)
		return nil, errors.New("not expected")
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return a.all[len(a.seen)-1](r)
}

func reply(status int, body string, headers ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		res := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
		for n := 0; n+1 < len(headers); n += 2 {
			res.Header.Set(headers[n], headers[n+1])
		}
		return res, nil
	}
}

func breaks(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

func sent(sid string) func(*http.Request) (*http.Response, error) {
	return reply(201, fmt.Sprintf(`{"sid":%q,"status":"queued"}`, sid))
}

func newClient(t testing.TB, all ...func(*http.Request) (*http.Response, error)) (*Client, *answers) {
	t.Helper()
	a := &answers{t: t, all: all}
	c, err := NewClient(Options{AccountSID: account, AuthToken: testToken, Transport: a})
	if err != nil {
		t.Fatal(err)
	}
	return c, a
}

func TestSendMessage(t *testing.T) {
	t.Parallel()
	c, a := newClient(t, sent(smsSid), sent(smsSid))
	got, err := c.SendMessage(t.Context(), Outgoing{From: "+49301234567", To: "+4915112345678", Text: "Grüße & mehr", Callback: "https://desk.example/s" + Retries, Expires: time.Hour, MediaURL: []string{"https://a", "https://b"}})
	if err != nil || got != smsSid {
		t.Fatal(got, err)
	}
	r, f := a.seen[0], a.form[0]
	if r.URL.String() != "https://api.twilio.com/2010-04-01/Accounts/"+account+"/Messages.json" || r.Method != "POST" {
		t.Error(r.Method, r.URL)
	}
	if user, password, ok := r.BasicAuth(); !ok || user != account || password != testToken {
		t.Error(user, ok)
	}
	for name, want := range map[string]string{"From": "+49301234567", "To": "+4915112345678", "Body": "Grüße & mehr", "StatusCallback": "https://desk.example/s" + Retries, "ValidityPeriod": "3600"} {
		if f.Get(name) != want {
			t.Errorf("%s: got %q, want %q", name, f.Get(name), want)
		}
	}
	if len(f["MediaUrl"]) != 2 {
		t.Error(f)
	}
	if _, err := c.SendMessage(t.Context(), Outgoing{From: "whatsapp:+1", To: "whatsapp:+2", Text: "no", Template: "HX1", Variables: `{"1":"x"}`}); err != nil {
		t.Fatal(err)
	}
	if f := a.form[1]; f.Get("ContentSid") != "HX1" || f.Get("ContentVariables") != `{"1":"x"}` || f.Has("Body") {
		t.Error(f)
	}
}

// The environment may not change where credentials go.
func TestEnvironmentChangesNothing(t *testing.T) {
	t.Setenv("TWILIO_REGION", "evil")
	t.Setenv("TWILIO_EDGE", "evil")
	t.Setenv("TWILIO_ACCOUNT_SID", "AC0")
	t.Setenv("TWILIO_AUTH_TOKEN", "x")
	a := &answers{t: t, all: []func(*http.Request) (*http.Response, error){sent(smsSid)}}
	c, err := NewClient(Options{AccountSID: account, AuthToken: testToken, Transport: a, BaseURL: "https://127.0.0.1:4010/prefix/"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendMessage(t.Context(), Outgoing{From: "+1", To: "+2", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	if got := a.seen[0].URL.String(); got != "https://127.0.0.1:4010/prefix/2010-04-01/Accounts/"+account+"/Messages.json" {
		t.Error(got)
	}
	if user, _, _ := a.seen[0].BasicAuth(); user != account {
		t.Error(user)
	}
}

func TestSendErrors(t *testing.T) {
	t.Parallel()
	fault := func(status, code int, text string) func(*http.Request) (*http.Response, error) {
		b, _ := json.Marshal(map[string]any{"code": code, "message": text, "status": status})
		return reply(status, string(b))
	}
	refused := &url.Error{Op: "Post", URL: "https://api.twilio.com/secret?To=%2B4915112345678", Err: syscall.ECONNREFUSED}
	type answer = func(*http.Request) (*http.Response, error)
	for _, c := range []struct {
		name               string
		all                []answer
		temporary, unknown bool
		reason             Reason
		requests           int
	}{
		{"stopped", []answer{fault(400, 21610, "Attempt to send to unsubscribed recipient")}, false, false, ReasonStopped, 1},
		{"bad number", []answer{fault(400, 21211, "Invalid 'To' Phone Number: +4915112345678")}, false, false, ReasonBadNumber, 1},
		{"too long", []answer{fault(400, 21617, "x")}, false, false, ReasonTooLong, 1},
		{"login", []answer{fault(401, 20003, "Authenticate")}, true, false, ReasonAuth, 1},
		{"too many, then taken", []answer{fault(429, 20429, "x"), sent(smsSid)}, false, false, "", 2},
		{"too many, three times", []answer{fault(429, 20429, "x"), fault(429, 20429, "x"), fault(429, 20429, "x")}, true, false, ReasonSlowDown, 3},
		{"too many, for an hour", []answer{reply(429, `{"code":20429}`, "Retry-After", "3600")}, true, false, ReasonSlowDown, 1},
		{"no connection, then taken", []answer{breaks(refused), sent(smsSid)}, false, false, "", 2},
		{"503: it may have been sent", []answer{fault(503, 20503, "x")}, true, true, "", 1},
		{"502 of a proxy", []answer{reply(502, "<html>Bad Gateway")}, true, true, "", 1},
		{"connection lost", []answer{breaks(io.ErrUnexpectedEOF)}, true, true, "", 1},
		{"half an answer", []answer{reply(201, `{"sid":"SM`)}, true, true, "", 1},
		{"an answer without a SID", []answer{reply(200, `{}`)}, true, true, "", 1},
		{"redirected", []answer{reply(302, ``, "Location", "https://evil.example/")}, true, true, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, a := newClient(t, c.all...)
				got, err := client.SendMessage(t.Context(), Outgoing{From: "+49301234567", To: "+4915112345678", Text: "secret words"})
				if len(a.seen) != c.requests {
					t.Errorf("%d requests, want %d", len(a.seen), c.requests)
				}
				if c.requests > 1 && !c.temporary {
					if err != nil || got != smsSid {
						t.Error(got, err)
					}
					return
				}
				var e *Error
				if !errors.As(err, &e) || e.Temporary != c.temporary || e.Unknown != c.unknown || e.Reason != c.reason || Temporary(err) != c.temporary {
					t.Fatalf("got %+v", e)
				}
				for _, secret := range []string{testToken, "4915112345678", "secret words"} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("%q in %q", secret, err)
					}
				}
			})
		})
	}
}

func TestContextEndsARequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hangs := func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }
		c, a := newClient(t, hangs, hangs, hangs, hangs)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		_, err := c.SendMessage(ctx, Outgoing{From: "+1", To: "+2", Text: "x"})
		var e *Error
		if !errors.As(err, &e) || !e.Unknown || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second || len(a.seen) != 1 {
			t.Errorf("after %v, %d requests: %v", time.Since(start), len(a.seen), err)
		}
		// The client's own limit: 10 s, a reading request three times.
		start = time.Now()
		if err := c.Check(t.Context()); !Temporary(err) || time.Since(start) != 31500*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestPlaceAndEndCall(t *testing.T) {
	t.Parallel()
	c, a := newClient(t, sent(callSid), reply(200, `{"sid":"`+callSid+`"}`), reply(400, `{"code":21220}`), reply(404, `{"code":20404}`), reply(400, `{"code":20001}`))
	got, err := c.PlaceCall(t.Context(), Outcall{From: "+49301234567", To: "+9779800000001", URL: "https://desk.example/a", Callback: "https://desk.example/a/status", RingFor: 20 * time.Second})
	f := a.form[0]
	if err != nil || got != callSid || f.Get("Url") != "https://desk.example/a" || f.Get("Timeout") != "20" || strings.Join(f["StatusCallbackEvent"], " ") != "initiated ringing answered completed" {
		t.Error(got, err, f)
	}
	for range 3 {
		if err := c.EndCall(t.Context(), callSid); err != nil {
			t.Error(err)
		}
	}
	if err := c.EndCall(t.Context(), callSid); err == nil {
		t.Error("an error was lost")
	}
	if err := c.EndCall(t.Context(), "../Accounts"); err == nil {
		t.Error("no Sid was taken")
	}
	if f := a.form[1]; f.Get("Status") != "completed" {
		t.Error(f)
	}
}

func TestRecording(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, a := newClient(t, reply(200, "ID3", "Content-Type", "audio/mpeg"), reply(404, `{"code":20404}`), reply(200, "too long"), reply(503, "x"), reply(200, "x"))
		got, err := c.Recording(t.Context(), recSid, MP3, 100)
		if err != nil || string(got.Data) != "ID3" || got.ContentType != "audio/mpeg" || a.seen[0].URL.String() != "https://api.twilio.com/2010-04-01/Accounts/"+account+"/Recordings/"+recSid+".mp3" {
			t.Error(got, err, a.seen[0].URL)
		}
		var e *Error
		if _, err := c.Recording(t.Context(), recSid, MP3, 100); !errors.As(err, &e) || e.Reason != ReasonNotFound || !e.Temporary {
			t.Error(err)
		}
		if _, err := c.Recording(t.Context(), recSid, WAV, 7); !errors.As(err, &e) || e.Temporary || e.Reason != ReasonTooLong {
			t.Error(err)
		}
		if _, err := c.Recording(t.Context(), recSid, WAV, 7); err != nil {
			t.Error(err)
		}
		for _, bad := range []string{"", callSid, "RE1/../../x", "https://evil.example/" + recSid} {
			if _, err := c.Recording(t.Context(), bad, MP3, 100); err == nil {
				t.Errorf("%q was fetched", bad)
			}
		}
	})
}

// A forged webhook names any address; none but ours is fetched.
func TestMediaOnlyFromOurAccount(t *testing.T) {
	t.Parallel()
	media := "/2010-04-01/Accounts/" + account + "/Messages/" + smsSid + "/Media/ME0123456789abcdef0123456789abcdef"
	c, _ := newClient(t)
	for _, at := range []string{
		"https://evil.example" + media, "http://api.twilio.com" + media, "https://api.twilio.com:444" + media, "https://api.twilio.com.evil.example" + media, "https://u:p@api.twilio.com" + media,
		"https://api.twilio.com@evil.example" + media, "https://api.twilio.com" + strings.Replace(media, account, "AC11111111111111111111111111111111", 1),
		"https://api.twilio.com" + media + "/../../x", "https://api.twilio.com" + media + "?x=1", "https://api.twilio.com" + media + "#x", "https://api.twilio.com/", "//api.twilio.com" + media,
		"https://api.twilio.com/2010-04-01/Accounts/" + account + "/Messages/%2e%2e/Media/x", "file:///etc/passwd", "http://169.254.169.254/latest/meta-data", "", "::",
	} {
		if f, err := c.Media(t.Context(), at, 100); err == nil {
			t.Errorf("%q was fetched: %v", at, f)
		}
	}
}

func TestMediaIsRedirectedWithoutCredentials(t *testing.T) {
	t.Parallel()
	at := "https://api.twilio.com/2010-04-01/Accounts/" + account + "/Messages/" + smsSid + "/Media/ME0123456789abcdef0123456789abcdef"
	c, a := newClient(t, reply(307, "", "Location", "https://mms.twiliocdn.com/x?Signature=y"), reply(200, "png", "Content-Type", "image/png"))
	got, err := c.Media(t.Context(), at, 100)
	if err != nil || string(got.Data) != "png" || got.ContentType != "image/png" {
		t.Fatal(got, err)
	}
	if _, _, ok := a.seen[0].BasicAuth(); !ok {
		t.Error("no credentials for our account")
	}
	if a.seen[1].Header.Get("Authorization") != "" || a.seen[1].URL.Host != "mms.twiliocdn.com" {
		t.Error("credentials went along to", a.seen[1].URL)
	}
	loop := reply(307, "", "Location", at)
	for _, bad := range [][]func(*http.Request) (*http.Response, error){
		{reply(307, "", "Location", "http://169.254.169.254/")}, {reply(307, "", "Location", "file:///etc/passwd")}, {reply(307, "")}, {loop, loop, loop, loop},
	} {
		c, _ := newClient(t, bad...)
		if f, err := c.Media(t.Context(), at, 100); err == nil {
			t.Errorf("fetched %v", f)
		}
	}
}

func TestDeleteAndRedact(t *testing.T) {
	t.Parallel()
	c, a := newClient(t, reply(204, ""), reply(404, `{"code":20404}`), reply(200, `{"sid":"`+smsSid+`","body":""}`))
	for range 2 {
		if err := c.DeleteRecording(t.Context(), recSid); err != nil {
			t.Error(err)
		}
	}
	if err := c.RedactMessage(t.Context(), smsSid); err != nil {
		t.Error(err)
	}
	if a.seen[0].Method != "DELETE" || !strings.HasSuffix(a.seen[0].URL.Path, "/Recordings/"+recSid+".json") || !a.form[2].Has("Body") || a.form[2].Get("Body") != "" {
		t.Error(a.seen[0].URL, a.form[2])
	}
	if c.DeleteRecording(t.Context(), "x") == nil || c.RedactMessage(t.Context(), "x") == nil {
		t.Error("no Sid was taken")
	}
}

const listedMessages = `{"messages":[
 {"sid":"SM00000000000000000000000000000003","account_sid":"` + account + `","direction":"outbound-api","from":"+49301234567","to":"+4915112345678","body":"answer ","date_created":"Sun, 29 Mar 2026 12:03:00 +0000"},
 {"sid":"SM00000000000000000000000000000002","account_sid":"` + account + `","direction":"inbound","from":"+4915112345678","to":"+49301234567","body":"still","num_media":"1","num_segments":"1","date_created":"Sun, 29 Mar 2026 12:02:00 +0000"}],
 "next_page_uri":"/2010-04-01/Accounts/` + account + `/Messages.json?PageSize=200&Page=1&PageToken=PAx"}`

const olderMessages = `{"messages":[
 {"sid":"SM00000000000000000000000000000001","account_sid":"` + account + `","direction":"inbound","from":"+4915112345678","to":"+49301234567","body":"burns","num_media":"0","date_created":"Sun, 29 Mar 2026 12:01:00 +0000"},
 {"sid":"SM00000000000000000000000000000000","account_sid":"` + account + `","direction":"inbound","from":"+4915112345678","to":"+49301234567","body":"older","num_media":"0","date_created":"Sun, 29 Mar 2026 11:00:00 +0000"}],"next_page_uri":null}`

func TestMessagesForTheReconciler(t *testing.T) {
	t.Parallel()
	c, a := newClient(t, reply(200, listedMessages), reply(200, olderMessages), reply(200, `{"media_list":[{"sid":"ME0123456789abcdef0123456789abcdef","content_type":"image/png"}]}`))
	since := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	got, err := c.Messages(t.Context(), since)
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	if q := a.seen[0].URL.Query(); q.Get("DateSent>") != "2026-03-28T12:00:00Z" || q.Get("PageSize") != "200" {
		t.Error(q)
	}
	if q := a.seen[1].URL.Query(); q.Get("PageToken") != "PAx" || q.Get("Page") != "1" {
		t.Error(q)
	}
	m, err := ParseMessage(got[0].Form, "")
	if err != nil || m.Text != "burns" || m.Key() != got[0].Key || !m.At.Equal(since.Add(time.Minute)) || m.From.Number != "+4915112345678" || m.Owned(account) != nil {
		t.Error(m, err)
	}
	media, err := c.MessageMedia(t.Context(), got[1].Sid)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range media {
		got[1].Form[name] = value
	}
	m, err = ParseMessage(got[1].Form, "")
	if err != nil || len(m.Media) != 1 || m.Media[0].ContentType != "image/png" {
		t.Fatal(m, err)
	}
	if _, err := c.ours(m.Media[0].URL); err != nil {
		t.Error(err)
	}
}

func TestCallsAndRecordingsForTheReconciler(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, reply(200, `{"calls":[
		{"sid":"`+callSid+`","account_sid":"`+account+`","direction":"inbound","from":"+4915112345678","to":"+49301234567","status":"completed","duration":"31","date_created":"Sun, 29 Mar 2026 12:01:00 +0000"},
		{"sid":"`+childSid+`","direction":"outbound-dial","status":"completed","date_created":"Sun, 29 Mar 2026 12:01:00 +0000"},
		{"sid":"`+childSid+`","direction":"inbound","status":"in-progress","date_created":"Sun, 29 Mar 2026 12:01:00 +0000"}]}`),
		reply(200, `{"recordings":[
		{"sid":"`+recSid+`","call_sid":"`+callSid+`","account_sid":"`+account+`","status":"completed","duration":"12","date_created":"Sun, 29 Mar 2026 12:01:30 +0000"},
		{"sid":"`+recSid+`","call_sid":"`+callSid+`","status":"processing","date_created":"Sun, 29 Mar 2026 12:01:30 +0000"}]}`))
	since := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	calls, err := c.Calls(t.Context(), since)
	if err != nil || len(calls) != 1 {
		t.Fatal(calls, err)
	}
	recordings, err := c.Recordings(t.Context(), since)
	if err != nil || len(recordings) != 1 {
		t.Fatal(recordings, err)
	}
	var events []CallEvent
	for _, l := range append(calls, recordings...) {
		e := mustCall(t, l.State, l.Form)
		if e.Key() != l.Key {
			t.Errorf("key %q, of the event %q", l.Key, e.Key())
		}
		events = append(events, e)
	}
	if recordings[0].Key != RecordingKey(recSid, "completed") {
		t.Error(recordings[0].Key)
	}
	// Every webhook of the call was lost: the listing alone makes it a voicemail.
	call := Plan{}.Fold(events)
	if !call.Voicemail() || !call.Ended() || call.From.Number != "+4915112345678" || call.Duration != 31*time.Second {
		t.Errorf("%+v", call)
	}
}

func TestFindMessage(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 3, 29, 12, 2, 30, 0, time.UTC)
	m := Outgoing{From: "+49301234567", To: "+4915112345678", Text: "answer"}
	for _, c := range []struct {
		name, want string
		m          Outgoing
		since      time.Time
		known      []string
	}{
		{"it was sent", "SM00000000000000000000000000000003", m, since, nil},
		{"another one", "", Outgoing{From: m.From, To: m.To, Text: "other"}, since, nil},
		{"later than it", "", m, since.Add(time.Hour), nil},
		{"known already", "", m, since, []string{"SM00000000000000000000000000000003"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, a := newClient(t, reply(200, listedMessages), reply(200, olderMessages))
			got, err := client.FindMessage(t.Context(), c.m, c.since, c.known...)
			if err != nil || got != c.want {
				t.Error(got, err)
			}
			if q := a.seen[0].URL.Query(); q.Get("From") != m.From || q.Get("To") != m.To {
				t.Error(q)
			}
		})
	}
	client, _ := newClient(t, reply(400, `{"code":20001}`))
	if _, err := client.FindMessage(t.Context(), m, since); err == nil {
		t.Error("an error was lost: the text would be sent again")
	}
}

func TestFindCall(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, reply(200, `{"calls":[{"sid":"`+callSid+`","direction":"outbound-api","date_created":"Sun, 29 Mar 2026 12:01:00 +0000"}]}`))
	got, err := c.FindCall(t.Context(), Outcall{From: "+1", To: "+2"}, time.Date(2026, 3, 29, 12, 1, 20, 0, time.UTC))
	if err != nil || got != callSid {
		t.Error(got, err)
	}
}

func TestNewClient(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{
		{}, {AccountSID: account}, {AccountSID: "AC1", AuthToken: "x"}, {AccountSID: strings.Replace(account, "AC", "SK", 1), AuthToken: "x"},
		{AccountSID: account, KeySID: "SK1"}, {AccountSID: account, AuthToken: "x", BaseURL: "api.twilio.com"}, {AccountSID: account, AuthToken: "x", BaseURL: "ftp://x"},
	} {
		if _, err := NewClient(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	a := &answers{t: t, all: []func(*http.Request) (*http.Response, error){reply(200, `{"sid":"`+account+`","status":"suspended"}`)}}
	c, err := NewClient(Options{AccountSID: account, KeySID: "SK0123", KeySecret: "secret", Transport: a})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "suspended") {
		t.Error(err)
	}
	if user, password, _ := a.seen[0].BasicAuth(); user != "SK0123" || password != "secret" {
		t.Error(user)
	}
}
