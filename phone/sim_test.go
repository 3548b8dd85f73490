package phone_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/internal/twiliosim"
	"frontdesk/phone"

	"github.com/google/go-cmp/cmp"
)

const (
	simAccount = "AC0123456789abcdef0123456789abcdef"
	simToken   = "0123456789abcdef0123456789abcdef"
	desk       = "https://desk.example"
	ours       = "+49301234567"
	oursWA     = "whatsapp:+49301234567"
	anna       = "+4915112345678"
)

// handler is the smallest intake: it proves, reads, remembers and answers.
type handler struct {
	t        *testing.T
	verifier *phone.Verifier
	plan     phone.Plan
	open     bool
	alarm    phone.Alarm

	mu       sync.Mutex
	refused  int
	calls    map[string]phone.CallEvent // by key
	texts    map[string]phone.Message
	statuses map[string]phone.DeliveryStatus
	verdicts []phone.Verdict
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hook, err := h.verifier.Read(r)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.refused++
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	}
	path := strings.SplitN(hook.URI, "?", 2)[0]
	switch {
	case strings.HasPrefix(path, "/twilio/voice"):
		h.call(w, hook, strings.TrimPrefix(path, "/twilio/voice"))
	case strings.HasPrefix(path, "/twilio/alarm"):
		h.ring(w, hook, strings.TrimPrefix(path, "/twilio/alarm"))
	case path == "/twilio/sms/status":
		s, err := phone.ParseMessageStatus(hook.Form, "DE")
		if err != nil {
			h.t.Error(err)
		}
		h.statuses[s.Sid] = phone.Later(h.statuses[s.Sid], s.Status)
		w.WriteHeader(http.StatusNoContent)
	default:
		m, err := phone.ParseMessage(hook.Form, "DE")
		if err != nil {
			h.t.Error(err)
		}
		h.texts[m.Key()] = m
		w.Header().Set("Content-Type", phone.ContentType)
		w.Write(phone.Nothing())
	}
}

func (h *handler) call(w http.ResponseWriter, hook phone.Webhook, path string) {
	state, err := phone.ParseState(path)
	if err != nil {
		h.t.Error(err)
	}
	if state.Step == phone.StepStart {
		state.Open = h.open
	}
	e, err := phone.ParseCall(state, hook.Form, "DE")
	if err != nil {
		h.t.Error(err)
	}
	h.calls[e.Key()] = e
	if !state.Step.Answers() {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", phone.ContentType)
	w.Write(h.plan.Answer(state, e))
}

func (h *handler) ring(w http.ResponseWriter, hook phone.Webhook, path string) {
	step, try, err := phone.ParseAlarmPath(path)
	if err != nil {
		h.t.Error(err)
	}
	w.Header().Set("Content-Type", phone.ContentType)
	switch step {
	case phone.AlarmAnswered:
		w.Write(h.alarm.Ask(1))
	case phone.AlarmPressed:
		v, doc := h.alarm.Pressed(try, hook.Form)
		h.verdicts = append(h.verdicts, v)
		w.Write(doc)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (h *handler) fold() phone.Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []phone.CallEvent
	for _, e := range h.calls {
		all = append(all, e)
	}
	return h.plan.Fold(all)
}

func newDesk(t *testing.T, c twiliosim.Config) (*handler, *twiliosim.Sim, *phone.Client) {
	t.Helper()
	verifier, err := phone.NewVerifier(desk, simToken, "")
	if err != nil {
		t.Fatal(err)
	}
	h := &handler{t: t, verifier: verifier, calls: map[string]phone.CallEvent{}, texts: map[string]phone.Message{}, statuses: map[string]phone.DeliveryStatus{},
		alarm: phone.Alarm{Base: desk + "/twilio/alarm", Ticket: 1042, Brand: "Baleyo", Customer: "Anna"},
		plan: phone.Plan{Base: desk + "/twilio/voice", Brand: "Baleyo", Number: ours, Transcribe: true,
			Menu: []phone.Choice{{Key: "1", Queue: "sales", Label: "sales"}, {Key: "2", Queue: "support", Label: "support"}, {Key: "3", Want: phone.PurposeTicket}, {Key: "4", Want: phone.PurposeMeter}, {Key: "9", Want: phone.PurposeCallback}},
			Ring: []string{"+9779800000001", "+9779800000002"}}}
	c.AccountSID, c.AuthToken, c.Transport, c.APIBase = simAccount, simToken, twiliosim.Direct(h), "https://api.twilio.test"
	sim := twiliosim.New(c)
	sim.AddNumber(twiliosim.Number{E164: ours, VoiceURL: desk + "/twilio/voice", VoiceFallbackURL: desk + "/twilio/voice/fallback", StatusCallback: desk + "/twilio/voice/status", SMSURL: desk + "/twilio/sms" + phone.Retries})
	sim.AddNumber(twiliosim.Number{E164: oursWA, SMSURL: desk + "/twilio/whatsapp"})
	client, err := phone.NewClient(phone.Options{AccountSID: simAccount, AuthToken: simToken, BaseURL: sim.APIBase, Transport: twiliosim.Direct(sim)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sim.Wait()
		if h.refused > 0 {
			t.Errorf("%d webhooks refused", h.refused)
		}
	})
	return h, sim, client
}

func press(keys string) twiliosim.Step { return twiliosim.Step{Press: keys} }

var leave = twiliosim.Step{Leave: &twiliosim.Leave{Seconds: 12, Text: "My printer is on fire.", Key: "#"}}

func TestCallsOnTheSimulator(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config twiliosim.Config
		open   bool
		from   string
		script []twiliosim.Step
		agents map[string]twiliosim.Callee
		check  func(phone.Call) bool
		heard  string // in the last words
	}{
		{"voicemail out of hours", twiliosim.Config{}, false, anna, []twiliosim.Step{press("2"), leave}, nil,
			func(c phone.Call) bool {
				return c.Voicemail() && c.Queue == "support" && len(c.Transcripts) == 1 && c.Transcripts[0].Text == "My printer is on fire." && c.Ended() && !c.Open
			}, "Thank you for your message"},
		{"every webhook twice, shuffled, the end first", twiliosim.Config{Duplicate: true, ShuffleStatus: true, CompletedFirst: true}, false, anna, []twiliosim.Step{press("2"), leave}, nil,
			func(c phone.Call) bool {
				return c.Voicemail() && len(c.Recordings) == 1 && len(c.Transcripts) == 1 && c.Queue == "support"
			}, "Thank you for your message"},
		{"hung up while recording", twiliosim.Config{}, false, anna, []twiliosim.Step{press("1"), {Leave: &twiliosim.Leave{Seconds: 3, Hangup: true}}}, nil,
			func(c phone.Call) bool { return c.Voicemail() && c.Queue == "sales" }, "after the tone"},
		{"two wrong keys, then a message", twiliosim.Config{}, false, anna, []twiliosim.Step{press("7"), {Silent: true}, leave}, nil,
			func(c phone.Call) bool { return c.Voicemail() && c.Queue == "" }, "Thank you for your message"},
		{"silence", twiliosim.Config{}, false, "+266696687", []twiliosim.Step{{Silent: true}, {Silent: true}, {Leave: &twiliosim.Leave{}}}, nil,
			func(c phone.Call) bool { return c.Missed() && !c.From.Known() }, "We heard nothing"},
		{"ticket number", twiliosim.Config{}, false, anna, []twiliosim.Step{press("3"), press("1042#"), leave}, nil,
			func(c phone.Call) bool { return c.Want == phone.PurposeTicket && c.Ref == "1042" && c.Voicemail() }, "Thank you for your message"},
		{"meter reading", twiliosim.Config{}, true, anna, []twiliosim.Step{press("4"), press("12345#")}, nil,
			func(c phone.Call) bool {
				return c.Want == phone.PurposeMeter && c.Ref == "12345" && !c.Missed() && c.Ended()
			}, "1 2 3 4 5"},
		{"call back", twiliosim.Config{}, false, anna, []twiliosim.Step{press("9")}, nil, func(c phone.Call) bool { return c.Want == phone.PurposeCallback && !c.Missed() }, "call you back"},
		{"call back a withheld number", twiliosim.Config{}, false, "+266696687", []twiliosim.Step{press("9"), leave}, nil,
			func(c phone.Call) bool { return c.Want == "" && c.Voicemail() }, "Thank you for your message"},
		{"the second agent accepts", twiliosim.Config{}, true, anna, []twiliosim.Step{press("2")},
			map[string]twiliosim.Callee{"+9779800000001": {Answer: "machine"}, "+9779800000002": {Script: []twiliosim.Step{press("1")}}},
			func(c phone.Call) bool { return c.Answered && c.Agent == "+9779800000002" && !c.Missed() && c.Open }, "hold while we connect"},
		{"no agent presses 1", twiliosim.Config{}, true, anna, []twiliosim.Step{press("2"), leave},
			map[string]twiliosim.Callee{"+9779800000001": {Script: []twiliosim.Step{{Silent: true}}}, "+9779800000002": {Answer: "busy"}},
			func(c phone.Call) bool { return !c.Answered && c.Agent == "" && c.Voicemail() && c.Queue == "support" }, "Thank you for your message"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h, sim, _ := newDesk(t, c.config)
			h.open = c.open
			for number, callee := range c.agents {
				sim.SetCallee(number, callee)
			}
			call, err := sim.Dial(twiliosim.Inbound{From: c.from, To: ours, CallerName: "<Dial>", Script: c.script})
			sim.Wait()
			if err != nil || !strings.Contains(call.Heard[len(call.Heard)-1], c.heard) {
				t.Error(call.Heard, err)
			}
			if got := h.fold(); !c.check(got) || got.Sid != call.SID {
				t.Errorf("got %+v", got)
			}
			for _, e := range sim.Find("error", "") {
				t.Error(e)
			}
		})
	}
}

func TestCallAbandonedAtTheRing(t *testing.T) {
	t.Parallel()
	h, sim, _ := newDesk(t, twiliosim.Config{})
	if _, err := sim.Dial(twiliosim.Inbound{From: anna, To: ours, HangupAtRing: true}); err != nil {
		t.Fatal(err)
	}
	if got := h.fold(); !got.Missed() || got.Status != phone.CallNoAnswer {
		t.Errorf("%+v", got)
	}
}

// A fault of ours: the fallback takes the message.
func TestFallback(t *testing.T) {
	t.Parallel()
	h, sim, _ := newDesk(t, twiliosim.Config{})
	sim.Lose("voice", 1)
	call, err := sim.Dial(twiliosim.Inbound{From: anna, To: ours, Script: []twiliosim.Step{leave}})
	if err != nil || !strings.Contains(call.Heard[0], "went wrong on our side") || !h.fold().Voicemail() {
		t.Error(call.Heard, err)
	}
}

// F05: the recording is not ready at first, then it plays.
func TestRecordingIsFetchedAndDeleted(t *testing.T) {
	t.Parallel()
	h, sim, client := newDesk(t, twiliosim.Config{RecordingLag: 2})
	if _, err := sim.Dial(twiliosim.Inbound{From: anna, To: ours, Script: []twiliosim.Step{press("2"), leave}}); err != nil {
		t.Fatal(err)
	}
	sid := h.fold().Recordings[0].Sid
	for range 2 {
		if _, err := client.Recording(t.Context(), sid, phone.MP3, 1<<20); !phone.Temporary(err) {
			t.Fatal(err)
		}
	}
	f, err := client.Recording(t.Context(), sid, phone.MP3, 1<<20)
	if err != nil || f.ContentType != "audio/mpeg" || len(f.Data) < 40000 || f.Data[0] != 0xff {
		t.Fatal(f.ContentType, len(f.Data), err)
	}
	if err := client.DeleteRecording(t.Context(), sid); err != nil || len(sim.Recordings()) != 0 {
		t.Error(err)
	}
	if err := client.DeleteRecording(t.Context(), sid); err != nil {
		t.Error(err)
	}
}

func TestTextsBothWays(t *testing.T) {
	t.Parallel()
	h, sim, client := newDesk(t, twiliosim.Config{ShuffleStatus: true})
	sid, err := sim.Text(twiliosim.Text{From: anna, To: ours, Body: " Grüße 🔥 & + ", Media: []twiliosim.TextMedia{{Type: "image/png", Data: []byte("png")}}})
	if err != nil {
		t.Fatal(err)
	}
	m := h.texts[phone.MessageKey(sid)]
	if m.Text != " Grüße 🔥 & + " || len(m.Media) != 1 {
		t.Fatalf("%+v", m)
	}
	f, err := client.Media(t.Context(), m.Media[0].URL, 100)
	if err != nil || string(f.Data) != "png" || len(sim.Find("note", "credentials-at-store")) != 0 {
		t.Fatal(f, err)
	}
	out, err := client.SendMessage(t.Context(), phone.Outgoing{From: ours, To: anna, Text: "Your ticket is solved.", Callback: desk + "/twilio/sms/status" + phone.Retries})
	if err != nil {
		t.Fatal(err)
	}
	sim.Wait()
	if h.statuses[out] != phone.DeliveryDelivered {
		t.Error(h.statuses)
	}
	if _, err := sim.Text(twiliosim.Text{From: "whatsapp:" + anna, To: oursWA, Body: "hi", ProfileName: "Anna"}); err != nil {
		t.Fatal(err)
	}
	if _, err := sim.Text(twiliosim.Text{From: anna, To: ours, Body: "Stop"}); err != nil {
		t.Fatal(err)
	}
	_, err = client.SendMessage(t.Context(), phone.Outgoing{From: ours, To: anna, Text: "more"})
	if e, ok := err.(*phone.Error); !ok || e.Reason != phone.ReasonStopped || e.Temporary {
		t.Error(err)
	}
}

// F08, G5: accepted, and the answer is lost. The look-up finds it.
func TestSentButTheAnswerWasLost(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]twiliosim.Fault{
		"connection cut": {Match: "/Messages.json", Method: "POST", N: 1, After: true, Cut: true},
		"503 afterwards": {Match: "/Messages.json", Method: "POST", N: 1, After: true, Status: 503, Code: 20503},
		"502 of a proxy": {Match: "/Messages.json", Method: "POST", N: 1, After: true, Status: 502, Plain: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, sim, client := newDesk(t, twiliosim.Config{})
			sim.AddFault(f)
			m := phone.Outgoing{From: ours, To: anna, Text: "once"}
			began := time.Now()
			_, err := client.SendMessage(t.Context(), m)
			if e, ok := err.(*phone.Error); !ok || !e.Unknown {
				t.Fatal(err)
			}
			sid, err := client.FindMessage(t.Context(), m, began)
			if sent := sim.Outbox(); err != nil || len(sent) != 1 || sent[0].SID != sid {
				t.Error(sid, err, sent)
			}
			if sid, err := client.FindMessage(t.Context(), phone.Outgoing{From: ours, To: anna, Text: "never sent"}, began); sid != "" || err != nil {
				t.Error(sid, err)
			}
		})
	}
}

// G14: every webhook was lost; the lists bring each message and voicemail, under
// the keys that the webhooks would have had.
func TestReconcile(t *testing.T) {
	t.Parallel()
	h, sim, client := newDesk(t, twiliosim.Config{})
	since := time.Now().Add(-time.Minute)
	sim.Lose("sms", -1)
	sim.Lose("recording-status", -1)
	sim.Lose("call-status", -1)
	sim.Lose("transcription", -1)
	var want []string
	for range 450 { // more than two pages
		sid, err := sim.Text(twiliosim.Text{From: anna, To: ours, Body: "x"})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, phone.MessageKey(sid))
	}
	if _, err := sim.Dial(twiliosim.Inbound{From: anna, To: ours, Script: []twiliosim.Step{press("2"), leave}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.SendMessage(t.Context(), phone.Outgoing{From: ours, To: anna, Text: "ours"}); err != nil {
		t.Fatal(err)
	}
	listed, err := client.Messages(t.Context(), since)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range listed {
		got = append(got, l.Key)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if c := h.fold(); c.Ended() || c.Voicemail() {
		t.Fatal("the webhooks were not lost", c)
	}
	calls, err := client.Calls(t.Context(), since)
	if err != nil {
		t.Fatal(err)
	}
	recordings, err := client.Recordings(t.Context(), since)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range append(calls, recordings...) {
		e, err := phone.ParseCall(l.State, l.Form, "DE")
		if err != nil || e.Key() != l.Key {
			t.Error(e.Key(), l.Key, err)
		}
		h.calls[e.Key()] = e
	}
	if c := h.fold(); !c.Ended() || !c.Voicemail() || c.Queue != "support" {
		t.Errorf("%+v", c)
	}
}

// The first person's voicemail box answers and presses nothing; the second
// passes on; the third presses 1.
func TestRingingForACriticalTicket(t *testing.T) {
	t.Parallel()
	h, sim, client := newDesk(t, twiliosim.Config{})
	people := []string{"+9779800000001", "+9779800000002", "+9779800000003"}
	sim.SetCallee(people[0], twiliosim.Callee{Answer: "machine"})
	sim.SetCallee(people[1], twiliosim.Callee{Script: []twiliosim.Step{press("5"), press("2")}})
	sim.SetCallee(people[2], twiliosim.Callee{Script: []twiliosim.Step{{Silent: true}, press("1")}})
	for _, to := range people {
		sid, err := client.PlaceCall(t.Context(), phone.Outcall{From: ours, To: to, URL: desk + "/twilio/alarm", Callback: desk + "/twilio/alarm/status"})
		if err != nil || sid == "" {
			t.Fatal(sid, err)
		}
		sim.Wait()
		if err := client.EndCall(t.Context(), sid); err != nil { // over already
			t.Error(err)
		}
		if found, err := client.FindCall(t.Context(), phone.Outcall{From: ours, To: to}, time.Now().Add(-time.Second)); found != sid || err != nil {
			t.Error(found, err)
		}
	}
	want := []phone.Verdict{"", phone.VerdictPassed, "", phone.VerdictPassed, "", phone.VerdictAcknowledged}
	if diff := cmp.Diff(want, h.verdicts); diff != "" {
		t.Error(diff)
	}
	if n := len(sim.Find("webhook", "call-status")); n != 12 {
		t.Errorf("%d statuses", n)
	}
}

func TestCheckConnects(t *testing.T) {
	t.Parallel()
	_, sim, client := newDesk(t, twiliosim.Config{})
	if err := client.Check(t.Context()); err != nil {
		t.Error(err)
	}
	wrong, err := phone.NewClient(phone.Options{AccountSID: simAccount, AuthToken: "wrong", Transport: twiliosim.Direct(sim)})
	if err != nil {
		t.Fatal(err)
	}
	if err := wrong.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "auth") {
		t.Error(err)
	}
}
