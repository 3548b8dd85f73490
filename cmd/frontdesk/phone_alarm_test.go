package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/twiliosim"
	"frontdesk/tickets"
)

// alarmsAtOnce rings the second tier, Bikram and then Chandra, for what is critical.
const alarmsAtOnce = `alarms: {attempts: 2, every: 2 minutes}
severities:
  critical: {resolve_within: 24 hours, escalate: immediately, call: true}
  low: {resolve_within: 5 working days}
`

// critical is a customer's mail that an agent finds critical: the second tier is
// rung at once.
func (s *phoneStage) critical() {
	s.t.Helper()
	s.mails("Anna Keller <anna@cust.test>", "All printers stand still", "Nobody can print.")
	s.reply("asha@one.test", "Asha", s.mailTo("asha@one.test", "Nobody can print."), "#severity critical\n")
}

// rung are the numbers that the desk called, in order.
func (s *phoneStage) rung() (all []string) {
	for _, c := range s.sim.Calls() {
		if c.Direction == "outbound-api" {
			all = append(all, c.To)
		}
	}
	return all
}

func (d *liveDesk) logHas(n int64, words string) bool {
	d.t.Helper()
	ok := waitUntil(func() bool { return strings.Contains(d.log(n), words) })
	if !ok {
		d.t.Errorf("the log of #%d does not say %q:\n%s", n, words, d.log(n))
	}
	return ok
}

// TestVoicemailBoxTakesNoAlarm: the first person's voicemail box answers, nobody
// presses a key, the second person presses 1. The log tells it, the ringing
// stops, and the ticket shows who has it.
func TestVoicemailBoxTakesNoAlarm(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{users: []string{"anna@cust.test"}, more: alarmsAtOnce})
	d := s.open()
	s.sim.SetCallee(bikramPhone, twiliosim.Callee{Answer: "machine"})
	s.sim.SetCallee(chandraPhone, twiliosim.Callee{Script: []twiliosim.Step{pressing("1")}})
	s.critical()
	d.logHas(1, "chandra@one.test acknowledged: Chandra pressed the key")
	d.rest(s)
	if got := s.rung(); !slices.Equal(got, []string{bikramPhone, chandraPhone}) {
		t.Errorf("rung %v, want Bikram, then Chandra, and nobody after", got)
	}
	shown := mustRun(t, exitDone, "tickets", "show", "1", "--events", "--config", d.cfg.Path)
	at := 0
	for _, want := range []string{"rings Bikram, attempt 1 of 4", "rang: Bikram: passed it on, or pressed no key", "rings Chandra, attempt 2 of 4", "Chandra pressed the key"} {
		n := strings.Index(shown[at:], want)
		if n < 0 {
			t.Errorf("%q is not told, or not in its place:\n%s", want, shown)
			continue
		}
		at += n
	}
	tk, _ := d.ticket(1)
	if tk.Assignee != "chandra@one.test" || tk.Promises.AckedBy != "chandra@one.test" || !strings.Contains(shown, " by chandra@one.test\nseverity") {
		t.Errorf("assigned to %q, acknowledged by %q:\n%s", tk.Assignee, tk.Promises.AckedBy, shown)
	}
	for _, number := range []string{bikramPhone, chandraPhone} { // a text beside each call
		if text := s.sent(number, "critical ticket #1"); !strings.Contains(text.Body, "press 1 to take it") || text.To == testNumber {
			t.Errorf("%+v", text)
		}
	}
}

// TestAckByMailStopsTheRinging: the telephone that rings is hung up, and nobody
// else's rings.
func TestAckByMailStopsTheRinging(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{users: []string{"anna@cust.test"}, more: alarmsAtOnce, sim: twiliosim.Config{Speed: 1}}) // a call rings for 4 s
	d := s.open()
	s.sim.SetCallee(bikramPhone, twiliosim.Callee{Script: []twiliosim.Step{pressing("2")}})
	s.critical()
	d.logHas(1, "rings Bikram")
	m := s.mailTo("chandra@one.test", "All printers stand still")
	s.reply("chandra@one.test", "Chandra", m, "#ack\n")
	s.mailTo("chandra@one.test", "acknowledged: the telephones stop ringing")
	if !waitUntil(func() bool {
		return slices.ContainsFunc(s.sim.Find("rest", ""), func(e twiliosim.Event) bool {
			return e.Method == http.MethodPost && strings.Contains(e.URL, "/Calls/CA") && e.Params.Get("Status") == "completed"
		})
	}) {
		t.Error("Bikram's telephone rings on")
	}
	d.rest(s)
	calls := s.sim.Calls()
	if len(calls) != 1 || len(calls[0].Heard) != 0 {
		t.Errorf("calls: %+v", calls)
	}
	if tk, _ := d.ticket(1); tk.Promises.AckedBy != "chandra@one.test" {
		t.Errorf("acknowledged by %q:\n%s", tk.Promises.AckedBy, d.log(1))
	}
}

// TestWhoIsAwayIsNotRung: by #away, and nobody who is there pressing a key ends
// with the supervisors.
func TestWhoIsAwayIsNotRung(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{users: []string{"anna@cust.test"}, more: alarmsAtOnce})
	d := s.open()
	post(t, s.office, "bikram@one.test", "Bikram <bikram@one.test>", "support@one.test", mailText("#away until "+time.Now().AddDate(0, 0, 5).Format(time.DateOnly), "Subject: away", "Message-ID: <away@one.test>"))
	s.mailTo("bikram@one.test", "you are away until")
	s.sim.SetCallee(chandraPhone, twiliosim.Callee{Answer: "no-answer"})
	s.critical()
	d.logHas(1, "nobody pressed a key: rang chandra@one.test, 2 attempts")
	d.rest(s)
	if got := s.rung(); !slices.Equal(got, []string{chandraPhone, chandraPhone}) {
		t.Errorf("rung %v, want Chandra twice", got)
	}
	s.mailTo("chandra@one.test", "nobody pressed a key")
	if len(s.textsTo(bikramPhone)) != 0 {
		t.Error("who is away was texted")
	}
}

// TestCallAndSMSByMail: #call rings the agent and then the customer; #sms texts.
// Both are on the ticket.
func TestCallAndSMSByMail(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{users: []string{"anna@cust.test"}})
	d := s.open()
	s.known(d, "anna@cust.test", testCaller)
	s.sim.SetCallee(ashaPhone, twiliosim.Callee{Script: []twiliosim.Step{pressing("1")}})
	s.sim.SetCallee(testCaller, twiliosim.Callee{})
	m := s.mailTo("asha@one.test", "Our printer is offline.")
	s.reply("asha@one.test", "Asha", m, "#call\n")
	d.logHas(1, "asha@one.test answered: by telephone with "+testCaller)
	if got := s.rung(); !slices.Equal(got, []string{ashaPhone}) {
		t.Errorf("called %v, want the agent, who is connected", got)
	}
	if dialled := s.sim.Find("note", "dial"); len(dialled) != 1 || !strings.Contains(dialled[0].Body, testCaller) {
		t.Errorf("%+v", dialled)
	}
	s.reply("asha@one.test", "Asha", m, "#sms\n\nAs we said: the grey cable.")
	if text := s.sent(testCaller, "the grey cable"); text.Body != "As we said: the grey cable." {
		t.Errorf("%q", text.Body)
	}
	s.text(testCaller, "The cable it was.")
	back := s.mailTo("asha@one.test", "The cable it was.")
	if !strings.Contains(back.Subject, "[One #1]") {
		t.Errorf("the answer is on %q", back.Subject)
	}
	d.rest(s)
	_, messages := d.ticket(1)
	var ways []string
	for _, m := range messages {
		ways = append(ways, fmt.Sprintf("%s %s", m.Direction, m.Channel))
	}
	if want := "in email, out voice, out sms, in sms"; strings.Join(ways, ", ") != want {
		t.Errorf("messages: %s, want %s", strings.Join(ways, ", "), want)
	}
	for _, m := range s.office.SMTP.Mails() {
		if m.To[0] == "anna@cust.test" && strings.Contains(string(m.Raw), "grey cable") {
			t.Error("#sms went by mail, too")
		}
	}
	if tk, _ := d.ticket(1); tk.Status != tickets.StatusOpen {
		t.Errorf("status %s", tk.Status)
	}
}
