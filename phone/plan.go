package phone

import (
	"slices"
	"time"
)

// Plan says what callers of one number hear. It is made of the configuration
// alone, so that a call is answered while everything else waits or is down.
type Plan struct {
	// Base is where the voice webhook is, without trailing slash:
	// "https://desk.example/twilio/voice". The states stand below it.
	Base     string
	Language string // of the words built in: "en" or "de"; others speak English
	Voice    string // Twilio's name of a voice; "" its default of the language
	Brand    string // spoken name
	Number   string // ours, E.164: what agents' telephones show

	Greeting string // first words when open; "" built in
	Closed   string // first words when closed; "" built in
	// Consent is said before the tone: that the message is recorded. "" is the
	// built-in text; it is left out only with NoConsent.
	Consent   string
	NoConsent bool

	Menu []Choice // in the order they are read; none: no menu

	// Ring are the numbers of the agents on duty, E.164, rung at once when the
	// desk is open; none: straight to the voicemail box.
	Ring    []string
	RingFor time.Duration // 0: 20 s

	// NoVoicemail leaves the box out: the call is noted, no message taken.
	NoVoicemail bool
	MaxMessage  time.Duration // longest message; 0: 3 minutes
	// Transcribe asks for Twilio's own transcription, which is deprecated, paid,
	// and only of 2 to 120 seconds.
	Transcribe bool
}

// Choice is one key of the menu.
type Choice struct {
	Key   string // "1" … "9", "0", "*", "#"
	Want  Purpose
	Queue string // for PurposeQueue
	// Label is spoken for PurposeQueue: "sales". The others have built-in words.
	Label string
}

// Scene is what a caller hears next.
type Scene string

// The scenes.
const (
	SceneMenu      Scene = "menu"      // greeting, and which key for what
	SceneNumber    Scene = "number"    // key in a number, then #
	SceneRing      Scene = "ring"      // agents' telephones ring
	SceneVoicemail Scene = "voicemail" // consent, tone, recording
	SceneNoted     Scene = "noted"     // thank you, call back or reading noted; ends
	SceneThanks    Scene = "thanks"    // message taken; ends
	SceneNothing   Scene = "nothing"   // nothing was heard, the call is noted; ends
	SceneWhisper   Scene = "whisper"   // to the agent: press 1 to accept
	SceneConnect   Scene = "connect"   // to the agent: nothing more, the two are connected
	SceneEnd       Scene = "end"       // hangs up
)

const (
	acceptKey = "1"
	passKey   = "2"
	// tries is how often a question is asked. A caller who pressed nothing twice
	// has no keys, or is a machine: the voicemail box takes both.
	tries = 2
	// longestRef is the most digits of a ticket's number or a meter reading.
	longestRef = 9
)

// Next returns what is heard after a webhook and the state that goes with it.
// The same webhook has the same answer, however often it is delivered.
func (p Plan) Next(s State, e CallEvent) (Scene, State) {
	switch s.Step {
	case StepStart:
		s = State{Open: s.Open}
		if len(p.Menu) > 0 {
			s.Try = 1
			return SceneMenu, s
		}
		return p.enter(s)
	case StepMenu:
		return p.afterMenu(s, e)
	case StepNumber:
		return p.afterNumber(s, e)
	case StepWhisper:
		return SceneWhisper, s
	case StepAccept:
		if e.Keys == acceptKey {
			return SceneConnect, s
		}
		return SceneEnd, s
	case StepDialed:
		if e.Dialed != nil && e.Dialed.Bridged {
			return SceneEnd, s
		}
		return p.voicemail(s)
	case StepVoicemail, StepFallback:
		return p.voicemail(s)
	case StepRecorded:
		return SceneThanks, s
	case StepSilent:
		return SceneNothing, s
	}
	return SceneEnd, s
}

func (p Plan) afterMenu(s State, e CallEvent) (Scene, State) {
	n := slices.IndexFunc(p.Menu, func(c Choice) bool { return c.Key == pressed(e) && c.Key != "" })
	if n < 0 {
		if s.Try >= tries {
			return p.enter(s)
		}
		s.Try++
		return SceneMenu, s
	}
	choice := p.Menu[n]
	s.Want, s.Queue, s.Try = choice.Want, choice.Queue, 1
	switch choice.Want {
	case PurposeTicket, PurposeMeter:
		return SceneNumber, s
	case PurposeCallback:
		if !e.From.Known() {
			s.Want = PurposeQueue // there is no number to call: take a message
			return p.enter(s)
		}
		return SceneNoted, s
	}
	return p.enter(s)
}

// pressed returns the one key of a menu. The key that ends a <Gather> is not
// among the digits.
func pressed(e CallEvent) string {
	if e.Keys == "" {
		return e.Finished
	}
	return e.Keys
}

func (p Plan) afterNumber(s State, e CallEvent) (Scene, State) {
	s.Ref = digitsOf(e.Keys)
	if len(s.Ref) > longestRef {
		s.Ref = ""
	}
	switch {
	case s.Ref == "" && s.Try < tries:
		s.Try++
		return SceneNumber, s
	case s.Ref == "":
		return p.enter(s) // the box takes what keys could not say
	case s.Want == PurposeMeter:
		return SceneNoted, s
	}
	return p.enter(s)
}

// enter goes to the agents, or where there are none to ring, to the box.
func (p Plan) enter(s State) (Scene, State) {
	s.Try = 0
	if s.Open && len(p.Ring) > 0 {
		return SceneRing, s
	}
	return p.voicemail(s)
}

func (p Plan) voicemail(s State) (Scene, State) {
	s.Try = 0
	if p.NoVoicemail {
		return SceneNothing, s
	}
	return SceneVoicemail, s
}

// Answer returns the TwiML for a webhook whose step [Step.Answers].
func (p Plan) Answer(s State, e CallEvent) []byte {
	scene, next := p.Next(s, e)
	return p.TwiML(scene, next, e)
}

// TwiML returns what is heard in a scene. E is the webhook that led to it: its
// number, and what kind of caller it is.
func (p Plan) TwiML(scene Scene, s State, e CallEvent) []byte {
	w := wordsOf(p.Language)
	switch scene {
	case SceneMenu:
		return p.menu(w, s)
	case SceneNumber:
		return p.number(w, s)
	case SceneRing:
		return p.ring(w, s)
	case SceneVoicemail:
		return p.box(w, s, e.State.Step)
	case SceneNoted:
		return document(p.say(noted(w, s)), hangup{})
	case SceneThanks:
		return document(p.say(w.thanks), hangup{})
	case SceneNothing:
		return document(p.say(p.opening(w, s, e.State.Step), p.heardNothing(w)), hangup{})
	case SceneWhisper:
		return p.whisper(w, s)
	case SceneConnect:
		return document()
	}
	return document(hangup{})
}

func (p Plan) menu(w words, s State) []byte {
	first := w.again
	if s.Try <= 1 {
		first = p.greeting(w, s)
	}
	asked := s
	asked.Step = StepMenu
	at := p.Base + asked.Path()
	lines := []any{p.say(first)}
	for _, c := range p.Menu {
		lines = append(lines, p.say(w.choice(c)))
	}
	// Without a key <Gather> falls through to <Redirect>, which comes to the same
	// place with no digits.
	return document(gather{Action: at, Method: "POST", NumDigits: 1, Timeout: 6, FinishOnKey: new(string), Says: lines}, redirect{Method: "POST", URL: at})
}

func (p Plan) number(w words, s State) []byte {
	ask := w.askTicket
	if s.Want == PurposeMeter {
		ask = w.askMeter
	}
	if s.Try > 1 {
		ask = w.again + " " + ask
	}
	asked := s
	asked.Step, asked.Ref = StepNumber, ""
	at, key := p.Base+asked.Path(), "#"
	return document(gather{Action: at, Method: "POST", NumDigits: longestRef, Timeout: 8, FinishOnKey: &key, Says: []any{p.say(ask)}}, redirect{Method: "POST", URL: at})
}

func (p Plan) ring(w words, s State) []byte {
	after, whisper := s, s
	after.Step, whisper.Step = StepDialed, StepWhisper
	d := dial{Action: p.Base + after.Path(), Method: "POST", Timeout: wholeSeconds(p.RingFor, 20), CallerID: p.Number}
	for _, to := range p.Ring {
		d.Numbers = append(d.Numbers, dialNumber{URL: p.Base + whisper.Path(), Method: "POST", Number: to})
	}
	text := w.ringing
	if len(p.Menu) == 0 {
		text = p.greeting(w, s) + " " + text
	}
	return document(p.say(text), d)
}

// whisper is said to the agent alone. Only the key connects: a voicemail box
// would take the caller otherwise.
func (p Plan) whisper(w words, s State) []byte {
	accept := s
	accept.Step = StepAccept
	return document(gather{Action: p.Base + accept.Path(), Method: "POST", NumDigits: 1, Timeout: 8, FinishOnKey: new(string),
		Says: []any{p.say(w.whisper(p.Brand, s.Queue, s.Ref))}}, hangup{})
}

func (p Plan) box(w words, s State, from Step) []byte {
	recorded, ready, text, silent := s, s, s, s
	recorded.Step, ready.Step, text.Step, silent.Step = StepRecorded, StepRecording, StepTranscript, StepSilent
	consent := p.Consent
	switch {
	case p.NoConsent:
		consent = ""
	case consent == "":
		consent = w.consent
	}
	r := record{Action: p.Base + recorded.Path(), Method: "POST", MaxLength: wholeSeconds(p.MaxMessage, 180), Timeout: 5, FinishOnKey: "#", PlayBeep: true,
		StatusCallback: p.Base + ready.Path() + Retries, StatusMethod: "POST", StatusEvents: "completed absent"}
	if p.Transcribe {
		r.Transcribe, r.TranscribeCallback = true, p.Base+text.Path()+Retries
	}
	// An empty recording makes no request: the verb after it runs.
	return document(p.say(p.opening(w, s, from), consent, w.leave), r, redirect{Method: "POST", URL: p.Base + silent.Path()})
}

// opening is what is said before a message is taken: the greeting when nothing
// else greeted, why no agent answered, or nothing.
func (p Plan) opening(w words, s State, from Step) string {
	switch {
	case from == StepStart:
		return p.greeting(w, s)
	case from == StepDialed:
		return w.busy
	case from == StepFallback:
		return w.trouble
	}
	return ""
}

func (p Plan) greeting(w words, s State) string {
	switch {
	case s.Open && p.Greeting != "":
		return p.Greeting
	case s.Open:
		return w.welcome(p.Brand)
	case p.Closed != "":
		return p.Closed
	}
	return w.closed(p.Brand)
}

func (p Plan) heardNothing(w words) string {
	if p.NoVoicemail {
		return w.missed
	}
	return w.nothing
}

func noted(w words, s State) string {
	if s.Want == PurposeMeter {
		return w.reading(s.Ref)
	}
	return w.callback
}

func (p Plan) say(lines ...string) say {
	return said(p.Language, p.Voice, lines...)
}

func wholeSeconds(d time.Duration, standard int) int {
	if d <= 0 {
		return standard
	}
	return max(1, int(d/time.Second))
}
