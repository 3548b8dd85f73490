package phone

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ErrNotOurs: the webhook names another account than the one asked for.
var ErrNotOurs = errors.New("webhook of another account")

// CallEvent is one webhook of a call, read. Fields that this kind of webhook
// does not carry are zero: a recording has neither From nor To.
type CallEvent struct {
	State   State // from the path
	CallSid string
	// ParentCallSid is set on the leg to an agent: the caller's call.
	ParentCallSid string
	AccountSid    string
	From, To      Party
	Direction     string // "inbound", "outbound-api", "outbound-dial"
	Status        CallStatus
	// Sequence orders status callbacks, which come in any order; -1 none.
	Sequence int
	At       time.Time     // as Twilio says; zero when it does not
	Duration time.Duration // of the call, on its last status

	Keys     string // digits pressed, without the finishing key
	Finished string // the finishing key, "" when time ended it
	HungUp   bool   // the caller hung up while recording

	Recording  *Recording  // StepRecorded, StepRecording, StepTranscript
	Transcript *Transcript // StepTranscript
	Dialed     *Dialed     // StepDialed

	CallerName    string // from the network: said by whoever calls, proves nothing
	ForwardedFrom Party
	Stir          string // StirVerstat: "TN-Validation-Passed-A", …
	AnsweredBy    string // "human", "machine_start", …: a guess, never an acknowledgement
	SIPCode       int    // of a call that failed
	ErrorCode     int    // StepFallback: why Twilio did not use our answer
	ErrorURL      string
}

// CallStatus is Twilio's word for how far a call is.
type CallStatus string

// The statuses.
const (
	CallQueued     CallStatus = "queued"
	CallInitiated  CallStatus = "initiated"
	CallRinging    CallStatus = "ringing"
	CallInProgress CallStatus = "in-progress"
	CallCompleted  CallStatus = "completed"
	CallBusy       CallStatus = "busy"
	CallNoAnswer   CallStatus = "no-answer"
	CallFailed     CallStatus = "failed"
	CallCanceled   CallStatus = "canceled"
)

var callRank = map[CallStatus]int{
	"": 0, CallQueued: 1, CallInitiated: 2, CallRinging: 3, CallInProgress: 4,
	CallCanceled: 5, CallFailed: 5, CallNoAnswer: 5, CallBusy: 5, CallCompleted: 5,
}

// Final reports whether no other status follows.
func (s CallStatus) Final() bool { return callRank[s] == 5 }

// Recording is a voicemail as a webhook announces it. Fetch it by its Sid
// ([Client.Recording]); the address that came with it is not kept, so that it
// cannot be followed.
type Recording struct {
	Sid      string
	Status   string // "completed", "in-progress", "absent"; "" on StepRecorded, where it may not be ready
	Duration time.Duration
	Started  time.Time
}

// Transcript is what a machine understood. It is not what the caller said:
// names and numbers are often wrong, and its text is a stranger's.
type Transcript struct {
	Sid    string
	Status string // "completed" or "failed"
	Text   string
}

// Dialed is how <Dial> ended.
type Dialed struct {
	Status CallStatus
	// Bridged tells that caller and agent were connected.
	Bridged  bool
	CallSid  string // of the leg to the agent
	Duration time.Duration
}

// Call returns the Sid of the caller's call, on an agent's leg too.
func (e CallEvent) Call() string {
	if e.ParentCallSid != "" {
		return e.ParentCallSid
	}
	return e.CallSid
}

// Key is the same for each delivery of one event, and unique among all events
// of the account. The desk's ledger holds it unique.
func (e CallEvent) Key() string {
	switch e.State.Step {
	case StepRecording:
		return RecordingKey(e.Recording.Sid, e.Recording.Status)
	case StepTranscript:
		return "transcript:" + e.Transcript.Sid
	case StepStatus:
		return statusKey(e.CallSid, e.Status, e.Sequence)
	case StepStart:
		return CallKey(e.CallSid)
	}
	return "call:" + e.CallSid + e.State.Path()
}

// CallKey is the key of the first webhook of a call.
func CallKey(callSid string) string { return "call:" + callSid }

func statusKey(callSid string, status CallStatus, sequence int) string {
	return fmt.Sprintf("call:%s/status/%s/%d", callSid, status, sequence)
}

// RecordingKey is the key of a recording's status callback.
func RecordingKey(recordingSid, status string) string {
	return "recording:" + recordingSid + ":" + status
}

// sid is Twilio's form of identifiers: two letters and 32 hexadecimal digits.
var sid = regexp.MustCompile(`^[A-Z]{2}[0-9a-f]{32}$`)

// ParseCall reads a webhook of a call: the state of its path and its verified
// parameters. Country reads numbers without country code, see [ParseParty].
// Unknown parameters are ignored, for Twilio adds some without notice. An error
// means that the parameter that makes the event unique is missing or malformed.
func ParseCall(state State, form url.Values, country string) (CallEvent, error) {
	e := CallEvent{
		State: state, CallSid: form.Get("CallSid"), ParentCallSid: form.Get("ParentCallSid"), AccountSid: form.Get("AccountSid"),
		From: ParseParty(form.Get("From"), country), To: ParseParty(form.Get("To"), country),
		Direction: form.Get("Direction"), Status: CallStatus(form.Get("CallStatus")),
		Sequence: number(form.Get("SequenceNumber"), -1), At: parseTime(form.Get("Timestamp")), Duration: seconds(form.Get("CallDuration")),
		Finished: form.Get("FinishedOnKey"), CallerName: clean(form.Get("CallerName"), 100),
		ForwardedFrom: ParseParty(form.Get("ForwardedFrom"), country), Stir: clean(form.Get("StirVerstat"), 40),
		AnsweredBy: clean(form.Get("AnsweredBy"), 40), SIPCode: number(form.Get("SipResponseCode"), 0),
		ErrorCode: number(form.Get("ErrorCode"), 0), ErrorURL: shorten(form.Get("ErrorUrl"), 300),
	}
	if !sid.MatchString(e.CallSid) {
		return CallEvent{}, fmt.Errorf("webhook of a call: CallSid %q", shorten(e.CallSid, 40))
	}
	if e.ParentCallSid != "" && !sid.MatchString(e.ParentCallSid) {
		return CallEvent{}, fmt.Errorf("webhook of a call: ParentCallSid %q", shorten(e.ParentCallSid, 40))
	}
	e.HungUp = form.Get("Digits") == "hangup" // what <Record> says instead of a key
	if !e.HungUp {
		e.Keys = keysOf(form.Get("Digits"))
	}
	return e.withDetails(form)
}

func (e CallEvent) withDetails(form url.Values) (CallEvent, error) {
	switch e.State.Step {
	case StepRecorded, StepRecording, StepTranscript:
		e.Recording = &Recording{Sid: form.Get("RecordingSid"), Status: form.Get("RecordingStatus"),
			Duration: seconds(form.Get("RecordingDuration")), Started: parseTime(form.Get("RecordingStartTime"))}
		if !sid.MatchString(e.Recording.Sid) {
			return CallEvent{}, fmt.Errorf("webhook of a recording: RecordingSid %q", shorten(e.Recording.Sid, 40))
		}
	case StepDialed:
		e.Dialed = dialed(form)
	}
	if e.State.Step == StepRecording && !oneOf(e.Recording.Status, "completed", "in-progress", "absent", "failed") {
		return CallEvent{}, fmt.Errorf("webhook of a recording: RecordingStatus %q", shorten(e.Recording.Status, 40))
	}
	if e.State.Step == StepTranscript {
		e.Transcript = &Transcript{Sid: form.Get("TranscriptionSid"), Status: form.Get("TranscriptionStatus"), Text: clean(form.Get("TranscriptionText"), 20000)}
		if !sid.MatchString(e.Transcript.Sid) {
			return CallEvent{}, fmt.Errorf("webhook of a transcription: TranscriptionSid %q", shorten(e.Transcript.Sid, 40))
		}
	}
	if e.State.Step == StepStatus && !e.Status.known() {
		return CallEvent{}, fmt.Errorf("webhook of a call: CallStatus %q", shorten(string(e.Status), 40))
	}
	return e, nil
}

func (s CallStatus) known() bool { return s != "" && callRank[s] > 0 }

func dialed(form url.Values) *Dialed {
	d := &Dialed{Status: CallStatus(form.Get("DialCallStatus")), CallSid: form.Get("DialCallSid"), Duration: seconds(form.Get("DialCallDuration"))}
	switch bridged := form.Get("DialBridged"); bridged {
	case "":
		// Older payloads do not say it. "completed" alone may be an agent's
		// voicemail box whose leg our whisper ended, but that lasts no time.
		d.Bridged = d.Status == CallCompleted && d.Duration > 0
	default:
		d.Bridged = bridged == "true"
	}
	return d
}

// Owned returns ErrNotOurs unless the event is of this account. A sub-account
// signs with its own token, so this only fails when two accounts share one.
func (e CallEvent) Owned(accountSid string) error { return owned(e.AccountSid, accountSid) }

func owned(got, want string) error {
	if got != want {
		return fmt.Errorf("%w: %q", ErrNotOurs, shorten(got, 40))
	}
	return nil
}

func oneOf(s string, all ...string) bool {
	for _, a := range all {
		if s == a {
			return true
		}
	}
	return false
}

// keysOf keeps what a telephone can press.
func keysOf(digits string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '*' || r == '#' {
			return r
		}
		return -1
	}, shorten(digits, 64))
}

func number(text string, none int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return none
	}
	return n
}

// seconds reads a whole number of seconds, at most a day.
func seconds(text string) time.Duration {
	return time.Duration(min(number(text, 0), 86400)) * time.Second
}

// parseTime reads the RFC 2822 times of webhooks and of the REST API.
func parseTime(text string) time.Time {
	t, err := time.Parse(time.RFC1123Z, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// clean makes valid UTF-8 of at most limit runes, without control characters
// but line feeds.
func clean(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f {
			return -1
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit])
	}
	return text
}
