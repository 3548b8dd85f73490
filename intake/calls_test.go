package intake

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/twiliosim"
	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"

	"github.com/google/go-cmp/cmp"
)

const (
	callSid      = "CA00000000000000000000000000000001"
	recordingSid = "RE00000000000000000000000000000001"
	messageSid   = "SM00000000000000000000000000000001"
)

var evening = time.Date(2026, 3, 4, 21, 0, 0, 0, time.UTC)

// callRow is a row of a call that came n seconds after its beginning.
func callRow(n int, state phone.State, kv ...string) store.ContactRow {
	at := evening.Add(time.Duration(n) * time.Second)
	f := form("CallSid", callSid, "From", annaNumber, "To", ourNumber)
	for i := 0; i+1 < len(kv); i += 2 {
		f.Set(kv[i], kv[i+1])
	}
	h := Hook{URI: phone.LinePath(ourNumber) + state.Path(), Form: f, At: at}
	return store.ContactRow{ID: int64(n + 1), Key: "x", Received: at, Data: h.data()}
}

const menuNumber = "+49301239999"

// atMenu is a row of a call to the number that has a menu.
func atMenu(row store.ContactRow) store.ContactRow {
	row.Data = []byte(strings.NewReplacer(ourNumber, menuNumber, strings.TrimPrefix(ourNumber, "+"), strings.TrimPrefix(menuNumber, "+")).Replace(string(row.Data)))
	return row
}

// A call is waited for as long as something is to come, and no longer.
func TestHowLongACallWaits(t *testing.T) {
	t.Parallel()
	rules := phoneRules()
	plans := map[string]phone.Plan{ourNumber: {}}
	begin := callRow(0, phone.State{})
	plans[menuNumber] = phone.Plan{Menu: []phone.Choice{{Key: "1", Queue: "support"}}}
	b := rules.Brands["baleyo"]
	b.Phones = append(b.Phones, tickets.Phone{Number: menuNumber})
	rules.Brands["baleyo"] = b
	toMenu, endedMenu := atMenu(callRow(0, phone.State{})), atMenu(callRow(25, phone.State{Step: phone.StepStatus}, "CallStatus", "completed", "SequenceNumber", "0"))
	recorded := callRow(20, phone.State{Step: phone.StepRecorded}, "RecordingSid", recordingSid, "Digits", "#")
	ended := callRow(25, phone.State{Step: phone.StepStatus}, "CallStatus", "completed", "SequenceNumber", "0")
	ready := callRow(30, phone.State{Step: phone.StepRecording}, "RecordingSid", recordingSid, "RecordingStatus", "completed", "RecordingDuration", "12")
	transcript := callRow(40, phone.State{Step: phone.StepTranscript}, "RecordingSid", recordingSid, "TranscriptionSid", recordingSid, "TranscriptionStatus", "failed")
	waiting := ready
	waiting.Waiting = true
	sound := store.ContactRow{ID: 90, Key: recordingFileKey(recordingSid), Received: evening.Add(35 * time.Second), Size: 1234}
	yes, no := func(phone.Recording) bool { return true }, func(phone.Recording) bool { return false }
	for name, c := range map[string]struct {
		rows        []store.ContactRow
		transcribed func(phone.Recording) bool
		want        int // seconds after the beginning, -1 not at all
	}{
		"came to the tone":                    {[]store.ContactRow{begin, ended}, yes, 25 + 15},
		"said nothing there":                  {[]store.ContactRow{begin, callRow(22, phone.State{Step: phone.StepSilent}), ended}, yes, -1},
		"an agent took it":                    {[]store.ContactRow{begin, callRow(22, phone.State{Step: phone.StepDialed}, "DialCallStatus", "completed", "DialBridged", "true", "DialCallDuration", "9"), ended}, yes, -1},
		"came no further than the menu":       {[]store.ContactRow{toMenu, endedMenu}, yes, 25 + 15},
		"announced, the call lasts":           {[]store.ContactRow{begin, recorded}, yes, 20 + 60},
		"announced, the call is over":         {[]store.ContactRow{begin, recorded, ended}, yes, 25 + 60},
		"ready, being fetched":                {[]store.ContactRow{begin, recorded, ended, waiting}, no, 30 + 60},
		"ready, given up":                     {[]store.ContactRow{begin, recorded, ended, ready}, no, -1},
		"fetched, a transcript may come":      {[]store.ContactRow{begin, recorded, ended, ready, sound}, yes, 30 + 30},
		"fetched, no transcript comes":        {[]store.ContactRow{begin, recorded, ended, ready, sound}, no, -1},
		"fetched, the transcript failed":      {[]store.ContactRow{begin, recorded, ended, ready, sound, transcript}, yes, -1},
		"being fetched, a transcript is here": {[]store.ContactRow{begin, ended, waiting, transcript}, yes, 30 + 60},
		"absent":                              {[]store.ContactRow{begin, recorded, ended, callRow(30, phone.State{Step: phone.StepRecording}, "RecordingSid", recordingSid, "RecordingStatus", "absent")}, yes, -1},
	} {
		for range 2 { // the order of the rows is of no account
			slices.Reverse(c.rows)
			got := viewCall(c.rows, rules, plans).awaits(c.transcribed)
			want := evening.Add(time.Duration(c.want) * time.Second)
			if c.want < 0 {
				want = time.Time{}
			}
			if !got.Equal(want) {
				t.Errorf("%s: until %v, want %v", name, got, want)
			}
		}
	}
}

// What a call is told of: the whole of it, whatever rows there are beside.
func TestCallInTheWordsOfTheDecision(t *testing.T) {
	t.Parallel()
	rules := phoneRules()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	b := rules.Brands["baleyo"]
	b.Location = berlin
	rules.Brands["baleyo"] = b
	state := phone.State{Step: phone.StepRecording, Open: true, Queue: "support"}
	agents := callRow(12, phone.State{Step: phone.StepAccept, Open: true, Queue: "support"}, "CallSid", "CA00000000000000000000000000000002", "ParentCallSid", callSid, "From", ourNumber, "To", agentPhone, "Digits", "1")
	rows := []store.ContactRow{
		callRow(0, phone.State{}, "CallerName", "ANNA", "StirVerstat", "TN-Validation-Passed-A"),
		{ID: 50, Key: "call:broken", Data: []byte("no JSON")},
		agents,
		callRow(20, phone.State{Step: phone.StepDialed, Open: true, Queue: "support"}, "DialCallStatus", "completed", "DialBridged", "true", "DialCallDuration", "30"),
		callRow(60, phone.State{Step: phone.StepStatus}, "CallStatus", "completed", "SequenceNumber", "0", "CallDuration", "58"),
		callRow(70, state, "RecordingSid", recordingSid, "RecordingStatus", "completed"),
		{ID: 80, Key: recordingFileKey(recordingSid), SHA256: [32]byte{7}, Size: 1234, Received: evening.Add(80 * time.Second)},
		callRow(81, phone.State{Step: phone.StepTranscript}, "RecordingSid", recordingSid, "TranscriptionSid", recordingSid, "TranscriptionStatus", "completed", "TranscriptionText", " hello "),
	}
	got := contactCall(viewCall(rows, rules, map[string]phone.Plan{ourNumber: {}}), rules, func(phone.Recording) bool { return true })
	want := &tickets.PhoneContact{Line: "tel:" + ourNumber, Number: annaNumber, Kind: "number", Caller: "ANNA", Call: &tickets.Call{
		Sid: callSid, Open: true, Queue: "support", Began: evening, Ended: evening.Add(time.Minute), Duration: 58 * time.Second,
		Answered: true, Agent: "asha@baleyo.test", Voicemail: true, Transcript: "hello",
		Recordings: []tickets.Attachment{{Filename: "voicemail-2026-03-04-2200.mp3", ContentType: "audio/mpeg", Size: 1234, SHA256: [32]byte{7}, Part: tickets.WholeRow, Ledger: 80}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAgentOfANumber(t *testing.T) {
	t.Parallel()
	rules := phoneRules()
	if got := agentOf(rules, agentPhone); got != "asha@baleyo.test" {
		t.Error(got)
	}
	rules.Agents["bikram@baleyo.test"] = tickets.Agent{Phone: agentPhone} // one telephone on a table
	for _, number := range []string{agentPhone, "", "+49301111111"} {
		if got := agentOf(rules, number); got != "" {
			t.Errorf("%q is %s's", number, got)
		}
	}
}

// What the desk's own calls and texts report.
func TestReportsInTheWordsOfTheDecision(t *testing.T) {
	t.Parallel()
	rules := phoneRules()
	alarm := phone.AlarmPath{Brand: "baleyo", Letter: 7, Ticket: 1042, Language: "en"}.String()
	bridge := phone.BridgePath{Brand: "baleyo", Letter: 8, Ticket: 1042, Language: "en", Customer: annaNumber, Line: ourNumber}.String()
	pressed := func(p tickets.Pressed) *tickets.PhoneContact {
		p.Sid = callSid
		return &tickets.PhoneContact{Line: "tel:" + ourNumber, Number: agentPhone, Kind: "number", Pressed: &p}
	}
	delivery := func(line string, d tickets.Delivery) *tickets.PhoneContact {
		d.Sid = messageSid
		return &tickets.PhoneContact{Line: line + ourNumber, Number: annaNumber, Kind: "number", Delivery: &d}
	}
	for _, c := range []struct {
		path string
		form url.Values
		want *tickets.PhoneContact
	}{
		{alarm, form("CallStatus", "in-progress"), pressed(tickets.Pressed{Letter: 7, Status: "in-progress"})},
		{alarm + "/pressed/1", form("Digits", "1", "CallStatus", "in-progress"), pressed(tickets.Pressed{Letter: 7, Verdict: "acknowledged", Status: "in-progress"})},
		{alarm + "/pressed/1", form("Digits", "2"), pressed(tickets.Pressed{Letter: 7, Verdict: "passed"})},
		{alarm + "/pressed/1", form("CallStatus", "in-progress"), pressed(tickets.Pressed{Letter: 7, Status: "in-progress"})},
		{alarm + "/pressed/2", form("CallStatus", "completed"), pressed(tickets.Pressed{Letter: 7, Verdict: "passed", Status: "completed"})},
		{alarm + "/status", form("CallStatus", "completed", "CallDuration", "31", "AnsweredBy", "machine_start"), pressed(tickets.Pressed{Letter: 7, Status: "completed", Ended: true, Duration: 31 * time.Second})},
		{alarm + "/status", form("CallStatus", "ringing"), pressed(tickets.Pressed{Letter: 7, Status: "ringing"})},
		{bridge + "/pressed/1", form("Digits", "1"), pressed(tickets.Pressed{Letter: 8})},
		{bridge + "/pressed/1", form(), pressed(tickets.Pressed{Letter: 8, Verdict: "passed"})},
		{bridge + "/dialed", form("DialCallStatus", "completed", "DialBridged", "true"), pressed(tickets.Pressed{Letter: 8, Verdict: "connected"})},
		{bridge + "/dialed", form("DialCallStatus", "no-answer"), pressed(tickets.Pressed{Letter: 8, Verdict: "unanswered"})},
		{phone.StatusPath{Brand: "baleyo", Letter: 9}.String(), form("MessageStatus", "undelivered", "ErrorCode", "30006"), delivery("tel:", tickets.Delivery{Letter: 9, Status: "undelivered", Failed: true, Code: 30006, Reason: "landline"})},
		{phone.StatusPath{Brand: "baleyo", Letter: 9, WhatsApp: true}.String(), form("MessageStatus", "read"), delivery("whatsapp:", tickets.Delivery{Letter: 9, Status: "read"})},
	} {
		from, to := ourNumber, agentPhone
		if strings.Contains(c.path, "/status/baleyo") {
			to = annaNumber
			if strings.HasPrefix(c.path, phone.PathWhatsApp) {
				from, to = "whatsapp:"+from, "whatsapp:"+to
			}
		}
		for name, value := range map[string]string{"CallSid": callSid, "MessageSid": messageSid, "From": from, "To": to} {
			c.form.Set(name, value)
		}
		e, err := readEvent(Hook{URI: c.path, Form: c.form}, rules)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		got := (*tickets.PhoneContact)(nil)
		if e.status != nil {
			got = contactDelivery(e)
		} else {
			got = contactPressed(e)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || e.line.brand.Key != "baleyo" {
			t.Errorf("%s %v: %s", c.path, c.form, diff)
		}
	}
}

// What people send beside words.
func TestTextInTheWordsOfTheDecision(t *testing.T) {
	t.Parallel()
	rules := phoneRules()
	f := form("MessageSid", messageSid, "From", "whatsapp:"+annaNumber, "To", "whatsapp:"+ourNumber, "ProfileName", "Anna", "Body", "", "NumMedia", "2",
		"MediaUrl0", "https://a/0", "MediaContentType0", "image/jpeg; x=1", "MediaUrl1", "https://a/1", "MediaContentType1", "application/x-../../etc",
		"Latitude", "27.7", "Longitude", "85.3", "Label", "Our office")
	e, err := readEvent(Hook{URI: phone.PathWhatsApp, Form: f}, rules)
	if err != nil || e.channel != tickets.ChannelWhatsApp {
		t.Fatal(e, err)
	}
	p, files := contactText(e, []store.ContactRow{{ID: 5, Key: "media:" + messageSid + ":0", Size: 3}})
	if p.Line != "whatsapp:"+ourNumber || p.Number != annaNumber || p.Caller != "Anna" || p.Text.Lost != 1 || len(files) != 1 || files[0].Filename != "image-1.jpg" || files[0].Ledger != 5 {
		t.Errorf("%+v %+v", p, files)
	}
	if got := wordsOf(e.text); got != "Our office\n27.700000, 85.300000" {
		t.Errorf("%q", got)
	}
	for _, x := range e.files() {
		if strings.ContainsAny(x.Filename, "/\\") || strings.Contains(x.Filename, "..") {
			t.Errorf("%q", x.Filename)
		}
	}
	if hold := e.hold(evening); !hold.Equal(evening.Add(mediaHold)) {
		t.Errorf("%v", hold)
	}
}

// The ledger's form is for ever: rows of old versions are read by new ones.
func TestHookInTheLedger(t *testing.T) {
	t.Parallel()
	h := Hook{URI: "/twilio/sms?a=1", Form: url.Values{"Body": {"Grüße", "x"}, "Empty": {""}}, At: evening, Open: true}
	const want = `{"uri":"/twilio/sms?a=1","form":{"Body":["Grüße","x"],"Empty":[""]},"at":"2026-03-04T21:00:00Z","open":true}`
	if string(h.data()) != want {
		t.Errorf("%s", h.data())
	}
	got, err := readHook([]byte(want))
	if diff := cmp.Diff(h, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, bad := range []string{"", "x", "[]", `{"at":"yesterday"}`} {
		if _, err := readHook([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// FuzzReadEvent: whatever a verified webhook says, reading it does not fail
// badly, and what is read has a key and a brand.
func FuzzReadEvent(f *testing.F) {
	sid := twiliosim.SID("CA")
	for _, path := range []string{phone.PathVoice, phone.PathSMS, phone.PathWhatsApp, phone.PathVoice + "/status", phone.LinePath(ourNumber) + "/recording/closed/0/-/-/-",
		phone.AlarmPath{Brand: "baleyo", Letter: 1, Ticket: 2}.String() + "/pressed/1", phone.StatusPath{Brand: "baleyo"}.String()} {
		f.Add(path, "CallSid="+sid+"&MessageSid=SM"+sid[2:]+"&RecordingSid=RE"+sid[2:]+"&RecordingStatus=completed&MessageStatus=sent&CallStatus=completed&From=%2B49&To="+url.QueryEscape(ourNumber)+"&NumMedia=3&MediaUrl0=x")
	}
	rules := phoneRules()
	f.Fuzz(func(t *testing.T, path, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		h := Hook{URI: path, Form: values, At: evening}
		e, err := readEvent(h, rules)
		if err != nil {
			return
		}
		it := item(e, h, evening)
		if it.Key == "" || it.Brand != "baleyo" || it.Channel == "" || !json.Valid(it.Data) || len(it.Fetch) > 10 {
			t.Errorf("%+v", it)
		}
	})
}
