package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/internal/twiliosim"
	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

// known makes a customer with a mail address and a number, on ticket 1.
func (s *phoneStage) known(d *liveDesk, address, number string) {
	s.t.Helper()
	s.mails("Anna Keller <"+address+">", "Printer", "Our printer is offline.")
	s.mailTo("asha@one.test", "Our printer is offline.")
	mustRun(s.t, exitDone, "customers", "set", address, "--add-phone", number, "--config", d.cfg.Path)
}

// TestKeyedTicketNumber: a keyed number joins a ticket only of the profile that
// the caller's number belongs to. Anybody can key any number.
func TestKeyedTicketNumber(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{users: []string{"anna@cust.test"}, phones: fmt.Sprintf(`[{number: %q, menu: {"2": support, "3": existing}}]`, testNumber)})
	d := s.open()
	s.known(d, "anna@cust.test", testCaller)
	s.call(testCaller, pressing("3"), pressing("1#"), leaving(5))
	m := s.mailTo("asha@one.test", "Keyed the ticket number #1.")
	if !strings.Contains(m.Subject, "[One #1]") || len(m.Attachments) != 1 {
		t.Errorf("the owner's call is %q with %d files, want #1 with the recording", m.Subject, len(m.Attachments))
	}
	const stranger = "+4917655500001"
	call := s.call(stranger, pressing("3"), pressing("1#"), leaving(5))
	m = s.mailTo("asha@one.test", "Voicemail from "+stranger)
	if !strings.Contains(m.Subject, "[One #2]") || !strings.Contains(flat(m.Text), "the caller keyed #1, but it is not this number's") {
		t.Errorf("a stranger's call is %q:\n%s", m.Subject, m.Text)
	}
	if heard := strings.Join(call.Heard, " "); strings.Contains(heard, "Printer") || strings.Contains(heard, "Anna") {
		t.Errorf("a stranger hears of the ticket: %s", heard)
	}
	s.call(stranger, pressing("3"), pressing("4711#"), leaving(5))
	s.call("+266696687", pressing("3"), pressing("1#"), leaving(5)) // withheld
	d.rest(s)
	if m = s.mailTo("asha@one.test", "the caller keyed #4711, but there is no such ticket in One"); strings.Contains(m.Subject, "#1]") {
		t.Errorf("a number that is none led to %q", m.Subject)
	}
	if _, messages := d.ticket(1); len(messages) != 2 {
		t.Errorf("#1 has %d messages: %q", len(messages), says(messages))
	}
}

// oneMenu is a number with a menu: who hangs up there left no message, and nobody
// waits for one.
var oneMenu = fmt.Sprintf(`[{number: %q, menu: {"2": support}}]`, testNumber)

var hangsUp = twiliosim.Step{Hangup: true}

// TestWithheldCallerIsAnsweredNowhere: a withheld number opens a ticket, is
// nobody's profile, and gets no text.
func TestWithheldCallerIsAnsweredNowhere(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{phones: oneMenu})
	d := s.open()
	for _, from := range []string{"+266696687", "anonymous"} {
		s.call(from, pressing("2"), leaving(5))
	}
	s.call("+266696687", hangsUp)
	d.rest(s)
	if n := d.count(); n != 3 {
		t.Errorf("%d tickets, want one for each call", n)
	}
	if sent := s.sim.Outbox(); len(sent) != 0 {
		t.Errorf("texts to nobody: %+v", sent)
	}
	m := s.mailTo("asha@one.test", "Voicemail from withheld number")
	if !strings.Contains(flat(m.Text), "there is no way to call or text back") {
		t.Errorf("the agent is not told:\n%s", m.Text)
	}
	s.reply("asha@one.test", "Asha", m, "Hello, who are you?")
	if m = s.mailTo("asha@one.test", "nobody can be answered on this ticket"); !strings.Contains(m.Text, "#from ADDRESS") {
		t.Errorf("the receipt names no way out:\n%s", m.Text)
	}
}

// TestMissedCall: who hangs up gets a ticket and one text, also who does it
// twice; to a landline goes no second one, and its ticket says so.
func TestMissedCall(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{phones: oneMenu})
	d := s.open()
	const landline = "+4930999999"
	s.sim.SetCallee(landline, twiliosim.Callee{Answer: "landline"})
	s.call(landline, pressing("2"), leaving(5))
	if m := s.mailTo("asha@one.test", "takes no texts: a landline"); !strings.Contains(m.Subject, "[One #1] Voicemail") {
		t.Errorf("the report is in %q", m.Subject)
	}
	s.call(landline, hangsUp)
	s.call(testCaller, hangsUp)
	s.call(testCaller, hangsUp)
	d.rest(s)
	s.sent(testCaller, "sorry that we missed your call. It is noted as #2")
	if n := d.count(); n != 2 {
		t.Errorf("%d tickets, want one of each caller", n)
	}
	if one, two := s.textsTo(testCaller), s.textsTo(landline); len(one) != 1 || len(two) != 1 {
		t.Errorf("texts: %+v, %+v", one, two)
	}
}

// TestTwoBrandsTwoNumbers: each number greets, sorts and answers as its brand.
func TestTwoBrandsTwoNumbers(t *testing.T) {
	t.Parallel()
	const german = "+4940123456"
	s := newPhoneStage(t, phoneParts{users: []string{"hilfe@zwei.test"}, edit: func(yaml string) string {
		at := strings.Index(yaml, "  one:\n")
		end := strings.Index(yaml, "queues:\n")
		second := strings.NewReplacer("  one:", "  two:", "name: One", "name: Zwei\n    language: de", "support@one.test", "hilfe@zwei.test", testNumber, german).Replace(yaml[at:end])
		return yaml[:end] + second + yaml[end:]
	}})
	s.number(german)
	d := s.open()
	first := s.call(testCaller, leaving(5))
	second, err := s.sim.Dial(twiliosim.Inbound{From: testCaller, To: german, Script: []twiliosim.Step{leaving(5)}})
	if err != nil {
		t.Fatal(err)
	}
	if one, two := strings.Join(first.Heard, " "), strings.Join(second.Heard, " "); !strings.Contains(one, "Thank you for calling One.") || !strings.Contains(two, "Zwei") || strings.Contains(two, "Thank you") {
		t.Errorf("heard %q and %q", one, two)
	}
	d.rest(s)
	for n, want := range map[string]string{testNumber: "One: we have your message", german: "Zwei"} {
		text := waitText(t, s.sim, func(m twiliosim.Message) bool { return m.From == n })
		if !strings.Contains(text.Body, want) || strings.Contains(text.Body, "One") != (n == testNumber) {
			t.Errorf("from %s: %q", n, text.Body)
		}
	}
	s.text(testCaller, "for One")
	s.write(twiliosim.Text{From: testCaller, To: german, Body: "für Zwei"})
	d.rest(s)
	if n := d.count(); n != 2 {
		t.Errorf("%d tickets, want one of each brand", n)
	}
	for n := int64(1); n <= 2; n++ {
		tk, messages := d.ticket(n)
		want := map[string]string{"one": "for One", "two": "für Zwei"}[tk.Brand]
		if got := says(messages); got[len(got)-1] != want {
			t.Errorf("ticket %d of %s says %q", n, tk.Brand, got)
		}
	}
}

// TestAgentsAreRungInHours: in hours the agents' telephones ring before the box,
// and who presses 1 has the ticket.
func TestAgentsAreRungInHours(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{phones: fmt.Sprintf(`[{number: %q, ring: true}]`, testNumber)})
	d := s.open()
	s.sim.SetCallee(ashaPhone, twiliosim.Callee{Script: []twiliosim.Step{{Press: "1"}}})
	s.call(testCaller)
	m := s.mailTo("asha@one.test", "Spoke with Asha")
	d.rest(s)
	if tk, _ := d.ticket(1); tk.Assignee != "asha@one.test" || !strings.Contains(m.Subject, "Call from") {
		t.Errorf("%q, assigned to %q", m.Subject, tk.Assignee)
	}
	if sent := s.textsTo(testCaller); len(sent) != 0 {
		t.Errorf("who spoke to somebody is texted: %+v", sent)
	}
	const second = "+4917655500002"
	s.sim.SetCallee(ashaPhone, twiliosim.Callee{Answer: "machine", Script: []twiliosim.Step{{Silent: true}}})
	call := s.call(second, leaving(5))
	if heard := strings.Join(call.Heard, " "); !strings.Contains(heard, "leave a message") {
		t.Errorf("a voicemail box took the caller: %s", heard)
	}
	s.mailTo("asha@one.test", "Voicemail from "+second)
}

// delivery is a webhook as it was delivered, with what the desk answered.
type delivery struct {
	uri  string
	form url.Values
	body string
}

// deliveries are the webhooks so far. What the desk itself caused is left out:
// another desk sent other letters.
func (s *phoneStage) deliveries() (all []delivery) {
	for _, e := range s.sim.Find("webhook", "") {
		if e.Name != "message-status" {
			all = append(all, delivery{e.URL, e.Params, e.Body})
		}
	}
	return all
}

// flood delivers each webhook n times, in parallel and in any order, and checks
// that each answer is the first one.
func (s *phoneStage) flood(all []delivery, n int) {
	s.t.Helper()
	var list []delivery
	for range n {
		list = append(list, all...)
	}
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	var wg sync.WaitGroup
	slots := make(chan struct{}, 50)
	for _, x := range list {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			status, body := s.post(x.uri, x.form)
			if status/100 != 2 || body != x.body {
				s.t.Errorf("%s: %d %q, at first %q", x.uri, status, body, x.body)
			}
		})
	}
	wg.Wait()
}

// TestWebhooksAgainAndAgain: each webhook of a call and of a text comes fifty
// times at once, in any order, and a day later again. That is one ticket for the
// call, one message for the text, and the same answers.
func TestWebhooksAgainAndAgain(t *testing.T) {
	t.Parallel()
	clock := newTestClock(t, time.Date(2026, 3, 6, 16, 59, 0, 0, time.UTC)) // Friday, open for a minute
	parts := phoneParts{
		clock: clock, twilio: ", transcribe: twilio, reconcile_every: 1 hour", phones: fmt.Sprintf(`[{number: %q, menu: {"2": support, "9": callback}}]`, testNumber),
		edit: func(yaml string) string {
			return strings.Replace(yaml, `{mon-sun: "00:00-24:00"}`, `{mon-fri: "09:00-17:00"}`, 1)
		},
	}
	s := newPhoneStage(t, parts)
	first := s.process()
	first.mustStart()
	s.call(testCaller, pressing("2"), twiliosim.Step{Leave: &twiliosim.Leave{Seconds: 12, Text: "My printer is on fire.", Key: "#"}})
	s.call("+4917655500003", pressing("7"), pressing("9")) // a wrong key, then: call me back
	s.text("+4917655500004", "Where is my order?")
	s.sim.Wait()
	all := s.deliveries()
	if len(all) < 10 {
		t.Fatalf("%d webhooks", len(all))
	}
	check := func(t *testing.T, d *realDesk, when string) {
		t.Helper()
		if !waitUntil(func() bool { return len(d.json("tickets", "list")) == 3 && settled(d) }) {
			t.Fatalf("%s: %d tickets, want 3; %v", when, len(d.json("tickets", "list")), d.json("reconcile"))
		}
		text, files := "", 0
		for n := range 3 {
			tk := d.json("tickets", "show", fmt.Sprint(n+1))[0]
			for _, x := range tk["messages"].([]any) {
				m := x.(map[string]any)
				text += m["text"].(string) + "\n"
				files += len(m["attachments"].([]any))
			}
		}
		for _, once := range []string{"Left a voicemail.", "My printer is on fire.", "Asks to be called back.", "Where is my order?"} {
			if strings.Count(text, once) != 1 {
				t.Errorf("%s: %q stands %d times in:\n%s", when, once, strings.Count(text, once), text)
			}
		}
		if strings.Contains(text, "left no message") {
			t.Errorf("%s: told as missed:\n%s", when, text)
		}
		if files != 1 {
			t.Errorf("%s: %d recordings, want one", when, files)
		}
	}
	s.flood(all, 50)
	clock.advance(20 * time.Second) // no more news comes of the calls
	check(t, first, "at once")
	clock.advance(24 * time.Hour)
	s.flood(all, 3)
	check(t, first, "a day later")
	if err := first.stop(); err != nil {
		t.Error(err)
	}
	if sent := s.textsTo(testCaller); len(sent) != 1 {
		t.Errorf("the caller was texted %d times: %+v", len(sent), sent)
	}
	// A desk that never saw them gets them shuffled from the first on.
	clock.advance(-24 * time.Hour)
	other := s.process()
	other.mustStart()
	s.flood(all, 5)
	clock.advance(2 * time.Minute) // nobody waits for the recording any more
	check(t, other, "shuffled")
}

// settled reports that nothing is undecided.
func settled(d *realDesk) bool {
	for _, rec := range d.json("reconcile") {
		if n, ok := rec["undecided"]; ok && n != 0.0 {
			return false
		}
	}
	return true
}

// TestNothingSaidIsObeyed: names that are TwiML, and addresses of files that are
// not our account's, are words.
func TestNothingSaidIsObeyed(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{users: []string{"eve@cust.test"}, more: alarmsAtOnce, phones: fmt.Sprintf(`[{number: %q, whatsapp: true}]`, testNumber)})
	d := s.open()
	elsewhere, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer elsewhere.Close()
	asked := make(chan string, 10)
	go func() {
		for {
			c, err := elsewhere.Accept()
			if err != nil {
				return
			}
			asked <- c.RemoteAddr().String()
			c.Close()
		}
	}()
	const evil = `</Say><Dial>+4990012345</Dial>`
	if _, err := s.sim.Dial(twiliosim.Inbound{From: testCaller, To: testNumber, CallerName: evil, Script: []twiliosim.Step{leaving(5)}}); err != nil {
		t.Fatal(err)
	}
	m := s.mailTo("asha@one.test", "Voicemail from")
	if !strings.Contains(flat(m.Text), evil) {
		t.Errorf("the agent does not see the name that was given:\n%s", m.Text)
	}
	// The name of who has the problem is read to the person on duty.
	s.sim.SetCallee(bikramPhone, twiliosim.Callee{Script: []twiliosim.Step{{Press: "1"}}})
	s.write(twiliosim.Text{From: "whatsapp:+4917655500006", To: "whatsapp:" + testNumber, Body: "Everything is down!", ProfileName: "Eve " + evil})
	s.mails(`"Eve </Say><Dial>+4990012345</Dial>" <eve@cust.test>`, "Down", "#critical")
	m = s.mailTo("asha@one.test", "[One #3] Down")
	s.reply("asha@one.test", "Asha", m, "#severity critical\n")
	if !waitUntil(func() bool { return strings.Contains(d.log(3), "Bikram pressed the key") }) {
		t.Fatalf("nobody was rung: %s", d.log(3))
	}
	spoken := ""
	for _, c := range s.sim.Calls() {
		spoken += strings.Join(c.Heard, " ")
	}
	if !strings.Contains(spoken, "Critical ticket 3 of One, from Eve.") {
		t.Errorf("what was said: %s", spoken)
	}
	// Whatever stands in the place of a name is words to the telephone company.
	path := phone.AlarmPath{Brand: "one", Letter: 1, Ticket: 3, Language: "en", Customer: evil}
	if status, body := s.post(phonePublic+path.String(), url.Values{"AccountSid": {testAccount}, "CallSid": {twiliosim.SID("CA")}, "From": {testNumber}, "To": {bikramPhone}, "CallStatus": {"in-progress"}}); status != 200 || !strings.Contains(body, "&lt;Dial&gt;") || strings.Contains(body, "<Dial") {
		t.Errorf("%d %s", status, body)
	}
	for _, e := range s.sim.Find("webhook", "") {
		if strings.Contains(e.Body, "<Dial") {
			t.Errorf("%s was answered with %s", e.URL, e.Body)
		}
	}
	for _, e := range s.sim.Find("note", "dial") {
		t.Errorf("it was obeyed: dialled %s", e.Body)
	}
	for _, e := range s.sim.Find("error", "") {
		t.Errorf("TwiML that cannot be read: %s", e.Body)
	}

	at := "http://" + elsewhere.Addr().String() + "/secret"
	sid := twiliosim.SID("CA")
	form := url.Values{"AccountSid": {testAccount}, "CallSid": {sid}, "RecordingSid": {twiliosim.SID("RE")}, "RecordingStatus": {"completed"}, "RecordingUrl": {at}, "RecordingDuration": {"5"}}
	state := phone.State{Step: phone.StepRecording}
	if status, _ := s.post(phonePublic+phone.LinePath(testNumber)+state.Path(), form); status != 204 {
		t.Errorf("recording elsewhere: %d", status)
	}
	s.write(twiliosim.Text{From: "+4917655500007", To: testNumber, Body: "look", Extra: map[string]string{"NumMedia": "1", "MediaUrl0": at, "MediaContentType0": "image/png"}})
	m = s.mailTo("asha@one.test", "files that could not be fetched: 1")
	if len(m.Attachments) != 0 {
		t.Errorf("%d files", len(m.Attachments))
	}
	select {
	case from := <-asked:
		t.Errorf("somebody's address was asked for a file, from %s", from)
	default:
	}
}

// TestMailWithoutATelephone: no twilio block, no telephone: whoever posts to it is
// refused, nothing asks for an account, mail is answered.
func TestMailWithoutATelephone(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "anna@cust.test")
	d := openDeskAt(t, o, strings.Replace(oneBrand(o, "One", "one.test", ""), `http: {public_url: "", admin_listen: ""}`, fmt.Sprintf(`http: {public_url: %q, listen: %q, admin_listen: ""}`, phonePublic, address), 1))
	s := &phoneStage{t: t, office: o, address: address}
	for _, path := range []string{"/twilio/voice", "/twilio/sms", "/twilio/whatsapp", "/twilio/alarm/one/1/1/en/-", "/twilio/"} {
		if status, body := s.post(phonePublic+path, url.Values{"AccountSid": {testAccount}, "MessageSid": {twiliosim.SID("SM")}, "From": {testCaller}, "To": {testNumber}, "Body": {"x"}}); status != 403 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	s.mails("Anna <anna@cust.test>", "Printer", "It is offline.")
	m := s.mailTo("asha@one.test", "It is offline.")
	s.reply("asha@one.test", "Asha", m, "#call\n")
	s.mailTo("asha@one.test", "#call: your telephone number is not known")
	s.reply("asha@one.test", "Asha", m, "Switch it on, please.")
	s.mailTo("anna@cust.test", "Switch it on, please.")
	tally, err := d.db.Tally(t.Context(), "")
	if err != nil || tally.Total != tally.ByChannel[tickets.ChannelMail] {
		t.Errorf("%+v, %v", tally, err)
	}
}

// TestReloadTakesANumber: a number that the configuration gets while the desk
// runs is answered; what came for it before is released.
func TestReloadTakesANumber(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{})
	const fresh = "+4940777777"
	s.number(fresh)
	d := s.open()
	call, err := s.sim.Dial(twiliosim.Inbound{From: testCaller, To: fresh, Script: []twiliosim.Step{leaving(5)}})
	if err != nil || !strings.Contains(strings.Join(call.Heard, " "), "application error") { // its fallback URL would answer
		t.Errorf("a number that nobody configured was answered: %v %v", call.Heard, err)
	}
	s.write(twiliosim.Text{From: testCaller, To: fresh, Body: "hello"})
	d.rest(s)
	held, err := d.db.Quarantine(t.Context())
	if err != nil || !slices.ContainsFunc(held, func(e store.Entry) bool { return e.Reason == "unknown-number" }) {
		t.Fatalf("%+v, %v", held, err)
	}
	yaml := strings.Replace(s.yaml(), fmt.Sprintf(`[{number: %q}]`, testNumber), fmt.Sprintf(`[{number: %q}, {number: %q, greeting: Welcome to the new line.}]`, testNumber, fresh), 1)
	if err := d.reload(yaml); err != nil {
		t.Fatal(err)
	}
	if call, err = s.sim.Dial(twiliosim.Inbound{From: testCaller, To: fresh, Script: []twiliosim.Step{leaving(5)}}); err != nil || !strings.Contains(strings.Join(call.Heard, " "), "Welcome to the new line.") {
		t.Errorf("after the reload: %v %v", call.Heard, err)
	}
	s.mailTo("asha@one.test", "Left a voicemail.")
	text := waitText(t, s.sim, func(m twiliosim.Message) bool { return m.From == fresh })
	if !strings.Contains(text.Body, "we have your message") {
		t.Errorf("%+v", text)
	}
}
