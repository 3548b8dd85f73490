package phone

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	callSid  = "CA0123456789abcdef0123456789abcdef"
	childSid = "CA11111111111111111111111111111111"
	recSid   = "RE0123456789abcdef0123456789abcdef"
	trSid    = "TR0123456789abcdef0123456789abcdef"
	smsSid   = "SM0123456789abcdef0123456789abcdef"
	account  = "AC0123456789abcdef0123456789abcdef"
)

func form(kv ...string) url.Values {
	v := url.Values{}
	for n := 0; n+1 < len(kv); n += 2 {
		v.Set(kv[n], kv[n+1])
	}
	return v
}

// voice returns the parameters that every request of a call has, and more.
func voice(kv ...string) url.Values {
	v := form("CallSid", callSid, "AccountSid", account, "From", "+4915112345678", "To", "+49301234567", "Caller", "+4915112345678", "Called", "+49301234567",
		"Direction", "inbound", "ApiVersion", "2010-04-01", "CallStatus", "in-progress", "FromCity", "", "FromCountry", "DE")
	for name, value := range form(kv...) {
		v[name] = value
	}
	return v
}

func mustCall(t testing.TB, s State, v url.Values) CallEvent {
	t.Helper()
	e, err := ParseCall(s, v, "DE")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestParseCall(t *testing.T) {
	t.Parallel()
	open := State{Step: StepMenu, Open: true, Try: 1}
	for _, c := range []struct {
		name  string
		state State
		form  url.Values
		key   string
		check func(CallEvent) bool
	}{
		{"first request", State{}, voice("CallStatus", "ringing", "StirVerstat", "TN-Validation-Passed-A", "CallToken", "{}", "CallerName", "ANNA\x00"),
			"call:" + callSid, func(e CallEvent) bool {
				return e.From.Number == "+4915112345678" && e.To.Number == "+49301234567" && e.Status == CallRinging && e.Stir == "TN-Validation-Passed-A" && e.CallerName == "ANNA" && e.Sequence == -1
			}},
		{"forwarded from a national number", State{}, voice("ForwardedFrom", "030 7654321"), "call:" + callSid, func(e CallEvent) bool { return e.ForwardedFrom.Number == "+49307654321" }},
		{"key of the menu", open, voice("msg", "Gather End", "Digits", "2", "FinishedOnKey", ""), "call:" + callSid + "/menu/open/1/-/-/-", func(e CallEvent) bool { return e.Keys == "2" }},
		{"number and #", State{Step: StepNumber, Try: 1, Want: PurposeTicket}, voice("Digits", "1042", "FinishedOnKey", "#"),
			"call:" + callSid + "/number/closed/1/-/ticket/-", func(e CallEvent) bool { return e.Keys == "1042" && e.Finished == "#" }},
		{"message left", State{Step: StepRecorded}, voice("RecordingUrl", "https://evil.example/x", "RecordingSid", recSid, "RecordingDuration", "12", "Digits", "#"),
			"call:" + callSid + "/recorded/closed/0/-/-/-", func(e CallEvent) bool {
				return e.Recording.Sid == recSid && e.Recording.Duration == 12*time.Second && !e.HungUp
			}},
		{"hung up while recording", State{Step: StepRecorded}, voice("RecordingSid", recSid, "RecordingDuration", "3", "Digits", "hangup", "CallStatus", "completed"),
			"call:" + callSid + "/recorded/closed/0/-/-/-", func(e CallEvent) bool { return e.HungUp && e.Keys == "" && e.Status == CallCompleted }},
		{"recording ready, without From and To", State{Step: StepRecording, Queue: "support"}, form("AccountSid", account, "CallSid", callSid, "RecordingSid", recSid, "RecordingUrl", "https://api.twilio.com/x",
			"RecordingStatus", "completed", "RecordingDuration", "12", "RecordingChannels", "1", "RecordingSource", "RecordVerb", "RecordingStartTime", "Sun, 29 Mar 2026 01:30:00 +0000", "ErrorCode", "0"),
			"recording:" + recSid + ":completed", func(e CallEvent) bool {
				return e.From.Kind == PartyWithheld && e.Recording.Started.Equal(time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)) && e.State.Queue == "support"
			}},
		{"transcript", State{Step: StepTranscript}, voice("TranscriptionSid", trSid, "TranscriptionText", "My printer is on fire.", "TranscriptionStatus", "completed", "TranscriptionType", "fast", "RecordingSid", recSid),
			"transcript:" + trSid, func(e CallEvent) bool {
				return e.Transcript.Text == "My printer is on fire." && e.Recording.Sid == recSid
			}},
		{"transcript failed", State{Step: StepTranscript}, voice("TranscriptionSid", trSid, "TranscriptionStatus", "failed", "RecordingSid", recSid),
			"transcript:" + trSid, func(e CallEvent) bool { return e.Transcript.Status == "failed" && e.Transcript.Text == "" }},
		{"end of the call", State{Step: StepStatus}, voice("CallStatus", "completed", "CallDuration", "42", "Duration", "1", "Timestamp", "Thu, 01 Jan 2026 10:00:00 +0000", "SequenceNumber", "3", "CallbackSource", "call-progress-events"),
			"call:" + callSid + "/status/completed/3", func(e CallEvent) bool {
				return e.Sequence == 3 && e.Duration == 42*time.Second && e.At.Equal(time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC))
			}},
		{"busy", State{Step: StepStatus}, voice("CallStatus", "busy", "SipResponseCode", "486", "SequenceNumber", "2"), "call:" + callSid + "/status/busy/2", func(e CallEvent) bool { return e.SIPCode == 486 && e.Status.Final() }},
		{"agent answered", State{Step: StepDialed, Open: true}, voice("DialCallStatus", "completed", "DialCallSid", childSid, "DialCallDuration", "30", "DialBridged", "true"),
			"call:" + callSid + "/dialed/open/0/-/-/-", func(e CallEvent) bool { return e.Dialed.Bridged && e.Dialed.CallSid == childSid }},
		{"voicemail box of an agent", State{Step: StepDialed}, voice("DialCallStatus", "completed", "DialBridged", "false"), "call:" + callSid + "/dialed/closed/0/-/-/-", func(e CallEvent) bool { return !e.Dialed.Bridged }},
		{"older payload", State{Step: StepDialed}, voice("DialCallStatus", "completed", "DialCallDuration", "9"), "call:" + callSid + "/dialed/closed/0/-/-/-", func(e CallEvent) bool { return e.Dialed.Bridged }},
		{"agent's leg", State{Step: StepAccept}, voice("CallSid", childSid, "ParentCallSid", callSid, "Digits", "1"), "call:" + childSid + "/accept/closed/0/-/-/-", func(e CallEvent) bool { return e.Call() == callSid }},
		{"fallback", State{Step: StepFallback}, voice("ErrorCode", "11200", "ErrorUrl", "https://desk.example/twilio/voice"), "call:" + callSid + "/fallback/closed/0/-/-/-", func(e CallEvent) bool { return e.ErrorCode == 11200 }},
		{"odd values", State{}, voice("SequenceNumber", "-4", "CallDuration", "99999999999", "Digits", "1a<2>"), "call:" + callSid, func(e CallEvent) bool {
			return e.Sequence == -1 && e.Duration == 24*time.Hour && e.Keys == "12"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := mustCall(t, c.state, c.form)
			if e.Key() != c.key {
				t.Errorf("key %q, want %q", e.Key(), c.key)
			}
			if !c.check(e) {
				t.Errorf("got %+v", e)
			}
			if err := e.Owned(account); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParseCallRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		state State
		form  url.Values
	}{
		{"nothing", State{}, url.Values{}},
		{"CallSid", State{}, voice("CallSid", "CA/../x")},
		{"ParentCallSid", State{}, voice("ParentCallSid", "x")},
		{"recording without Sid", State{Step: StepRecording}, voice("RecordingStatus", "completed")},
		{"recording without status", State{Step: StepRecording}, voice("RecordingSid", recSid)},
		{"transcript without Sid", State{Step: StepTranscript}, voice("RecordingSid", recSid)},
		{"status", State{Step: StepStatus}, voice("CallStatus", "melted")},
	} {
		if e, err := ParseCall(c.state, c.form, "DE"); err == nil {
			t.Errorf("%s: taken as %+v", c.name, e)
		}
	}
	e := mustCall(t, State{}, voice())
	if err := e.Owned("AC00000000000000000000000000000000"); !errors.Is(err, ErrNotOurs) {
		t.Error(err)
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	for path, s := range map[string]State{
		"":                                     {},
		"/menu/open/1/-/-/-":                   {Step: StepMenu, Open: true, Try: 1},
		"/recording/closed/0/support/-/-":      {Step: StepRecording, Queue: "support"},
		"/number/closed/2/-/ticket/1042":       {Step: StepNumber, Try: 2, Want: PurposeTicket, Ref: "1042"},
		"/voicemail/open/0/a%2Fb%20%C3%BC/-/-": {Step: StepVoicemail, Open: true, Queue: "a/b ü"},
		"/voicemail/open/0/%2D/-/-":            {Step: StepVoicemail, Open: true, Queue: "-"},
		"/voicemail/open/0/%2E%2E/-/-":         {Step: StepVoicemail, Open: true, Queue: ".."},
	} {
		if got := s.Path(); got != path {
			t.Errorf("%+v: path %q, want %q", s, got, path)
		}
		got, err := ParseState(path)
		if diff := cmp.Diff(s, got); diff != "" || err != nil {
			t.Errorf("%q: %v %s", path, err, diff)
		}
	}
	if s, err := ParseState("/status"); err != nil || s != (State{Step: StepStatus}) {
		t.Error(s, err)
	}
	for _, path := range []string{"/nowhere", "/menu/open", "/menu/ajar/1/-/-/-", "/menu/open/x/-/-/-", "/menu/open/10/-/-/-", "/menu/open/-1/-/-/-", "/menu/open/1/-/steal/-",
		"/menu/open/1/-/-/12a", "/menu/open/1/%zz/-/-", "/menu/open/1/-/-/-/more", "/menu/open/1/" + strings.Repeat("a", maxPath) + "/-/-"} {
		if s, err := ParseState(path); err == nil {
			t.Errorf("%q: taken as %+v", path, s)
		}
	}
}

func TestStepAnswers(t *testing.T) {
	t.Parallel()
	for _, s := range []Step{StepRecording, StepTranscript, StepStatus, "nowhere"} {
		if s.Answers() {
			t.Error(s)
		}
	}
	for _, s := range []Step{StepStart, StepMenu, StepFallback, StepAccept} {
		if !s.Answers() {
			t.Error(s)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("/menu/open/1/-/-/-", voice("Digits", "2").Encode())
	f.Add("/recording", form("CallSid", callSid, "RecordingSid", recSid, "RecordingStatus", "completed").Encode())
	f.Add("/transcript", voice("TranscriptionSid", trSid, "RecordingSid", recSid).Encode())
	f.Add("", form("MessageSid", smsSid, "From", "whatsapp:+4915112345678", "NumMedia", "3", "MediaUrl0", "x").Encode())
	f.Fuzz(func(t *testing.T, path, body string) {
		v, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		if m, err := ParseMessage(v, "DE"); err == nil && (m.Key() == "" || len(m.Media) > maxMedia) {
			t.Error(m)
		}
		if _, err := ParseMessageStatus(v, "DE"); err == nil && !v.Has("MessageStatus") && !v.Has("SmsStatus") {
			t.Error("a status out of nothing")
		}
		s, err := ParseState(path)
		if err != nil {
			return
		}
		if again, err := ParseState(s.Path()); err != nil || again != s {
			t.Fatalf("%q: %+v became %+v, %v", path, s, again, err)
		}
		e, err := ParseCall(s, v, "DE")
		if err != nil {
			return
		}
		p := fullPlan()
		wellFormed(t, p.Answer(s, e))
		_ = e.Key()
		_ = p.Fold([]CallEvent{e, e})
	})
}
