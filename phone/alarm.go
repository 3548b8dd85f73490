package phone

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Alarm is one call to a person on duty about a critical ticket. The call is
// placed with the URL Base; what is pressed comes to Base + "/pressed/N".
type Alarm struct {
	// Base names this one attempt: "https://desk.example/twilio/alarm/TOKEN".
	Base     string
	Language string // of the person who is rung
	Voice    string
	Ticket   int64
	Brand    string
	Customer string // name of who has the problem: a stranger's words, spoken only
}

// Verdict is what a person who was rung decided.
type Verdict string

// The verdicts. Silence is no acknowledgement: a voicemail box "answers" too,
// and detection of machines is slow and unsure.
const (
	VerdictNone         Verdict = ""             // not yet, or no key at all
	VerdictAcknowledged Verdict = "acknowledged" // pressed 1
	VerdictPassed       Verdict = "passed"       // pressed 2, or nothing twice
)

// Ask is the TwiML when the call is answered, and again when no key came: try
// counts from 1.
func (a Alarm) Ask(try int) []byte {
	w := wordsOf(a.Language)
	text := w.alarm(a.Brand, strconv.FormatInt(a.Ticket, 10), a.Customer)
	at := fmt.Sprintf("%s/pressed/%d", a.Base, try)
	return document(gather{Action: at, Method: "POST", NumDigits: 1, Timeout: 8, FinishOnKey: new(string),
		Says: []any{said(a.Language, a.Voice, text, w.alarmKeys)}}, redirect{Method: "POST", URL: at})
}

// Pressed returns what the webhook of Base + "/pressed/N" decides and the TwiML
// that answers it. The same webhook decides the same.
func (a Alarm) Pressed(try int, form url.Values) (Verdict, []byte) {
	w := wordsOf(a.Language)
	switch keysOf(form.Get("Digits")) {
	case acceptKey:
		return VerdictAcknowledged, document(said(a.Language, a.Voice, w.acknowledged(strconv.FormatInt(a.Ticket, 10))), hangup{})
	case passKey:
		return VerdictPassed, document(said(a.Language, a.Voice, w.passed), hangup{})
	}
	if try < tries {
		return VerdictNone, a.Ask(try + 1)
	}
	return VerdictPassed, document(said(a.Language, a.Voice, w.unheard), hangup{})
}

// AlarmStep is which webhook of an alarm or bridge a path is, below Base.
type AlarmStep string

// The webhooks.
const (
	AlarmAnswered AlarmStep = ""        // the call was answered
	AlarmPressed  AlarmStep = "pressed" // a key, or none
	AlarmDialed   AlarmStep = "dialed"  // Bridge: the customer's leg ended
	AlarmStatus   AlarmStep = "status"  // the call's status; see ParseCall with StepStatus
)

// ParseAlarmPath reads what follows Base: "", "/pressed/1", "/status".
func ParseAlarmPath(path string) (step AlarmStep, try int, err error) {
	name, rest, _ := strings.Cut(strings.Trim(path, "/"), "/")
	step = AlarmStep(name)
	switch step {
	case AlarmAnswered, AlarmStatus, AlarmDialed:
		if rest == "" {
			return step, 0, nil
		}
	case AlarmPressed:
		if try, err = strconv.Atoi(rest); err == nil && try >= 1 && try <= 9 {
			return step, try, nil
		}
	}
	return "", 0, fmt.Errorf("path %q: no step of an outgoing call", shorten(path, 40))
}

// Bridge calls an agent first and the customer then: the agent asked for it by
// mail. The call is placed to the agent with the URL Base.
type Bridge struct {
	Base     string // names this one call
	Language string // of the agent
	Voice    string
	Brand    string
	Ticket   int64  // 0: none is named
	Name     string // of the customer, spoken only
	Customer string // E.164
	CallerID string // ours, E.164: what the customer sees
}

// Ask is the TwiML when the agent's telephone is answered.
func (b Bridge) Ask() []byte {
	w, ticket := wordsOf(b.Language), ""
	if b.Ticket != 0 {
		ticket = strconv.FormatInt(b.Ticket, 10)
	}
	return document(gather{Action: b.Base + "/pressed/1", Method: "POST", NumDigits: 1, Timeout: 8, FinishOnKey: new(string),
		Says: []any{said(b.Language, b.Voice, w.connectAsk(b.Brand, b.Name, ticket))}}, hangup{})
}

// Pressed dials the customer when the agent pressed 1, and hangs up otherwise:
// nobody is connected with a voicemail box. True means that the customer's
// telephone rings now.
func (b Bridge) Pressed(form url.Values) (bool, []byte) {
	if keysOf(form.Get("Digits")) != acceptKey || !e164.MatchString(b.Customer) {
		return false, document(hangup{})
	}
	return true, document(said(b.Language, b.Voice, wordsOf(b.Language).connecting),
		dial{Action: b.Base + "/dialed", Method: "POST", Timeout: 30, CallerID: b.CallerID, Numbers: []dialNumber{{Number: b.Customer}}})
}

// Dialed returns how the customer's leg ended, and the TwiML that tells the
// agent.
func (b Bridge) Dialed(form url.Values) (Dialed, []byte) {
	d := dialed(form)
	if d.Bridged {
		return *d, document(hangup{})
	}
	return *d, document(said(b.Language, b.Voice, wordsOf(b.Language).noAnswer), hangup{})
}
