package phone

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Step is what a webhook of a call is about. It is the first segment of the
// path after the voice webhook's own.
type Step string

// The steps. Those that ask for TwiML come first; the others are told something
// and answered 204.
const (
	StepStart     Step = ""          // the number's voice webhook: a call begins
	StepMenu      Step = "menu"      // a key of the menu was pressed, or none
	StepNumber    Step = "number"    // a ticket number or a meter reading was keyed
	StepDialed    Step = "dialed"    // <Dial> to the agents has ended
	StepWhisper   Step = "whisper"   // an agent's telephone was answered, by whomever
	StepAccept    Step = "accept"    // a key was pressed there
	StepVoicemail Step = "voicemail" // goes to the voicemail box
	StepRecorded  Step = "recorded"  // a message was left
	StepSilent    Step = "silent"    // nothing was said after the tone
	StepFallback  Step = "fallback"  // Twilio could not use an answer of ours

	StepRecording  Step = "recording"  // a recording is ready, or there is none
	StepTranscript Step = "transcript" // Twilio's transcription came, or failed
	StepStatus     Step = "status"     // the call's status changed
)

var steps = map[Step]bool{
	StepStart: true, StepMenu: true, StepNumber: true, StepDialed: true, StepWhisper: true, StepAccept: true,
	StepVoicemail: true, StepRecorded: true, StepSilent: true, StepFallback: true,
	StepRecording: false, StepTranscript: false, StepStatus: false,
}

// Answers reports whether a webhook of this step is answered with TwiML; the
// others are answered 204.
func (s Step) Answers() bool { return steps[s] }

// Purpose is what a caller wants.
type Purpose string

// The purposes.
const (
	PurposeQueue    Purpose = ""         // to talk or leave a message; State.Queue says to whom
	PurposeTicket   Purpose = "ticket"   // about a ticket whose number is keyed
	PurposeCallback Purpose = "callback" // to be called back at the number shown
	PurposeMeter    Purpose = "meter"    // to report a meter reading
)

// State is what a call has come to. It travels in the path of the URLs that we
// hand to Twilio: Twilio signs the path and leaves it alone, whereas it may sort
// a query after signing it. So a webhook explains itself, whatever was lost
// before it, and a caller cannot change it.
type State struct {
	Step Step
	// Open says whether the desk was open when the call began. Set it on
	// StepStart from the brand's hours; later it comes from the path.
	Open bool
	// Try counts the questions asked at this step, from 1; 0 where none is.
	Try int
	// Queue is the queue chosen by key, "" none yet.
	Queue string
	Want  Purpose
	// Ref is what was keyed: a ticket's number or a meter reading, digits only.
	// Whether there is such a ticket, and whether it is the caller's, is not
	// known here.
	Ref string
}

// maxPath bounds a state in a path, in bytes.
const maxPath = 300

// Path returns the state as path segments below the voice webhook, beginning
// with "/": "/menu/open/1/support/-/-". It is "" for StepStart.
func (s State) Path() string {
	if s.Step == StepStart {
		return ""
	}
	hours := "closed"
	if s.Open {
		hours = "open"
	}
	return "/" + strings.Join([]string{string(s.Step), hours, strconv.Itoa(s.Try),
		segment(s.Queue), segment(string(s.Want)), segment(s.Ref)}, "/")
}

// segment writes one value; "-" stands for none.
func segment(value string) string {
	switch value {
	case "":
		return "-"
	case "-":
		return "%2D"
	case ".", "..": // some proxies resolve these
		return strings.ReplaceAll(value, ".", "%2E")
	}
	return url.PathEscape(value)
}

// ParseState reads what Path wrote. Below the voice webhook stand either the
// state's segments or a step alone, as an operator configures it at Twilio
// ("/status", "/fallback"). The path is the escaped one of the request.
func ParseState(path string) (State, error) {
	path = strings.Trim(path, "/")
	parts := strings.Split(path, "/")
	s := State{Step: Step(parts[0])}
	if _, known := steps[s.Step]; !known || len(path) > maxPath {
		return State{}, fmt.Errorf("path %q: no step of a call", shorten(path, 40))
	}
	if len(parts) == 1 {
		return s, nil
	}
	if err := s.read(parts[1:]); err != nil {
		return State{}, fmt.Errorf("path %q: %w", shorten(path, 40), err)
	}
	return s, nil
}

func (s *State) read(parts []string) error {
	if len(parts) != 5 {
		return fmt.Errorf("%d segments after the step, want 5", len(parts))
	}
	var err error
	switch parts[0] {
	case "open", "closed":
		s.Open = parts[0] == "open"
	default:
		return fmt.Errorf("hours %q", parts[0])
	}
	if s.Try, err = strconv.Atoi(parts[1]); err != nil || s.Try < 0 || s.Try > 9 {
		return fmt.Errorf("try %q", parts[1])
	}
	want := ""
	for n, field := range []*string{&s.Queue, &want, &s.Ref} {
		if *field, err = value(parts[2+n]); err != nil {
			return err
		}
	}
	switch s.Want = Purpose(want); s.Want {
	case PurposeQueue, PurposeTicket, PurposeCallback, PurposeMeter:
	default:
		return fmt.Errorf("purpose %q", want)
	}
	if s.Ref != digitsOf(s.Ref) {
		return fmt.Errorf("number %q", s.Ref)
	}
	return nil
}

func value(segment string) (string, error) {
	if segment == "-" {
		return "", nil
	}
	return url.PathUnescape(segment)
}

// digitsOf keeps the digits of what was keyed: "#" ends it, "*" slips in.
func digitsOf(keys string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, keys)
}

// shorten cuts s after n runes, for error texts.
func shorten(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n]) + "…"
	}
	return s
}
