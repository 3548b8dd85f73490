package phone

import (
	"bytes"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden TwiML")

// fullPlan has everything that a configuration can say.
func fullPlan() Plan {
	return Plan{
		Base: "https://desk.example/twilio/voice", Language: "en", Brand: "Baleyo", Number: "+49301234567",
		Menu: []Choice{{Key: "1", Queue: "sales", Label: "sales"}, {Key: "2", Queue: "support", Label: "support"}, {Key: "3", Want: PurposeTicket}, {Key: "4", Want: PurposeMeter}, {Key: "9", Want: PurposeCallback}},
		Ring: []string{"+9779800000001", "+9779800000002"}, RingFor: 15 * time.Second, MaxMessage: 2 * time.Minute, Transcribe: true,
	}
}

// event is a webhook with keys, or without.
func event(keys string) CallEvent {
	return CallEvent{From: ParseParty("+4915112345678", ""), To: ParseParty("+49301234567", ""), Keys: keys}
}

func TestNext(t *testing.T) {
	t.Parallel()
	bridged := event("")
	bridged.Dialed = &Dialed{Status: CallCompleted, Bridged: true}
	unanswered := event("")
	unanswered.Dialed = &Dialed{Status: CallNoAnswer}
	withheld := event("9")
	withheld.From = ParseParty("+266696687", "")
	hash := event("")
	hash.Finished = "#"
	full, plain, silent, noRing := fullPlan(), Plan{Brand: "Baleyo"}, Plan{NoVoicemail: true}, fullPlan()
	noRing.Ring = nil
	withHash := fullPlan()
	withHash.Menu = append(withHash.Menu, Choice{Key: "#", Queue: "head"})
	for _, c := range []struct {
		name  string
		plan  Plan
		state State
		event CallEvent
		scene Scene
		want  State
	}{
		{"menu", full, State{Open: true}, event(""), SceneMenu, State{Open: true, Try: 1}},
		{"no menu, open", Plan{Ring: full.Ring}, State{Open: true}, event(""), SceneRing, State{Open: true}},
		{"no menu, closed", Plan{Ring: full.Ring}, State{}, event(""), SceneVoicemail, State{}},
		{"nothing configured", plain, State{Open: true}, event(""), SceneVoicemail, State{Open: true}},
		{"calls are only noted", silent, State{Open: true}, event(""), SceneNothing, State{Open: true}},
		{"first key missing", full, State{Step: StepMenu, Try: 1}, event(""), SceneMenu, State{Step: StepMenu, Try: 2}},
		{"first key wrong", full, State{Step: StepMenu, Try: 1}, event("7"), SceneMenu, State{Step: StepMenu, Try: 2}},
		{"second key missing, closed", full, State{Step: StepMenu, Try: 2}, event(""), SceneVoicemail, State{Step: StepMenu}},
		{"second key missing, open", full, State{Step: StepMenu, Open: true, Try: 2}, event("*"), SceneRing, State{Step: StepMenu, Open: true}},
		{"queue, closed", full, State{Step: StepMenu, Try: 1}, event("2"), SceneVoicemail, State{Step: StepMenu, Queue: "support"}},
		{"queue, open", full, State{Step: StepMenu, Open: true, Try: 1}, event("1"), SceneRing, State{Step: StepMenu, Open: true, Queue: "sales"}},
		{"queue, open, nobody to ring", noRing, State{Step: StepMenu, Open: true, Try: 1}, event("1"), SceneVoicemail, State{Step: StepMenu, Open: true, Queue: "sales"}},
		{"the key #", withHash, State{Step: StepMenu, Try: 1}, hash, SceneVoicemail, State{Step: StepMenu, Queue: "head"}},
		{"ticket", full, State{Step: StepMenu, Try: 2}, event("3"), SceneNumber, State{Step: StepMenu, Try: 1, Want: PurposeTicket}},
		{"ticket number", full, State{Step: StepNumber, Try: 1, Want: PurposeTicket}, event("1042"), SceneVoicemail, State{Step: StepNumber, Want: PurposeTicket, Ref: "1042"}},
		{"ticket number, open", full, State{Step: StepNumber, Open: true, Try: 1, Want: PurposeTicket}, event("1042"), SceneRing, State{Step: StepNumber, Open: true, Want: PurposeTicket, Ref: "1042"}},
		{"no ticket number", full, State{Step: StepNumber, Try: 1, Want: PurposeTicket}, event(""), SceneNumber, State{Step: StepNumber, Try: 2, Want: PurposeTicket}},
		{"no ticket number twice", full, State{Step: StepNumber, Try: 2, Want: PurposeTicket}, event("**"), SceneVoicemail, State{Step: StepNumber, Want: PurposeTicket}},
		{"meter", full, State{Step: StepMenu, Try: 1}, event("4"), SceneNumber, State{Step: StepMenu, Try: 1, Want: PurposeMeter}},
		{"meter reading", full, State{Step: StepNumber, Open: true, Try: 1, Want: PurposeMeter}, event("12345"), SceneNoted, State{Step: StepNumber, Open: true, Try: 1, Want: PurposeMeter, Ref: "12345"}},
		{"reading too long", full, State{Step: StepNumber, Try: 2, Want: PurposeMeter}, event("1234567890"), SceneVoicemail, State{Step: StepNumber, Want: PurposeMeter}},
		{"call back", full, State{Step: StepMenu, Try: 1}, event("9"), SceneNoted, State{Step: StepMenu, Try: 1, Want: PurposeCallback}},
		{"call back a withheld number", full, State{Step: StepMenu, Try: 1}, withheld, SceneVoicemail, State{Step: StepMenu}},
		{"agent answered", full, State{Step: StepDialed, Open: true}, bridged, SceneEnd, State{Step: StepDialed, Open: true}},
		{"no agent answered", full, State{Step: StepDialed, Open: true, Queue: "sales"}, unanswered, SceneVoicemail, State{Step: StepDialed, Open: true, Queue: "sales"}},
		{"whisper", full, State{Step: StepWhisper}, event(""), SceneWhisper, State{Step: StepWhisper}},
		{"accepted", full, State{Step: StepAccept}, event("1"), SceneConnect, State{Step: StepAccept}},
		{"not accepted", full, State{Step: StepAccept}, event("2"), SceneEnd, State{Step: StepAccept}},
		{"message left", full, State{Step: StepRecorded}, event(""), SceneThanks, State{Step: StepRecorded}},
		{"nothing said", full, State{Step: StepSilent}, event(""), SceneNothing, State{Step: StepSilent}},
		{"fault of ours", full, State{Step: StepFallback}, event(""), SceneVoicemail, State{Step: StepFallback}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.event.State = c.state
			scene, got := c.plan.Next(c.state, c.event)
			if scene != c.scene || got != c.want {
				t.Errorf("got %s %+v, want %s %+v", scene, got, c.scene, c.want)
			}
			wellFormed(t, c.plan.Answer(c.state, c.event))
		})
	}
}

func TestGoldenTwiML(t *testing.T) {
	t.Parallel()
	support := State{Queue: "support"}
	closed := func(p Plan) Plan { p.Greeting, p.Closed = "Hello from Baleyo.", "Baleyo is closed."; return p }
	german := fullPlan()
	german.Language, german.Voice = "de", "Polly.Vicki"
	plain := Plan{Base: "/twilio/voice", Brand: "Baleyo"}
	noted := plain
	noted.NoVoicemail = true
	quiet := plain
	quiet.NoConsent = true
	from := func(step Step) CallEvent { e := event(""); e.State.Step = step; return e }
	alarm := Alarm{Base: "https://desk.example/twilio/alarm/t0k3n", Ticket: 1042, Brand: "Baleyo", Customer: "Anna <Dial>"}
	bridge := Bridge{Base: "https://desk.example/twilio/bridge/t0k3n", Brand: "Baleyo", Ticket: 1042, Name: "Anna", Customer: "+4915112345678", CallerID: "+49301234567"}
	_, acknowledged := alarm.Pressed(1, form("Digits", "1"))
	_, passed := alarm.Pressed(1, form("Digits", "2"))
	_, unheard := alarm.Pressed(2, form())
	_, connecting := bridge.Pressed(form("Digits", "1"))
	alarmGerman := alarm
	alarmGerman.Language = "de"
	for name, got := range map[string][]byte{
		"menu-open":          fullPlan().TwiML(SceneMenu, State{Open: true, Try: 1}, event("")),
		"menu-closed":        closed(fullPlan()).TwiML(SceneMenu, State{Try: 1}, event("")),
		"menu-again":         fullPlan().TwiML(SceneMenu, State{Open: true, Try: 2}, event("")),
		"menu-german":        german.TwiML(SceneMenu, State{Try: 1}, event("")),
		"number-ticket":      fullPlan().TwiML(SceneNumber, State{Try: 1, Want: PurposeTicket}, event("")),
		"number-meter-again": german.TwiML(SceneNumber, State{Try: 2, Want: PurposeMeter}, event("")),
		"ring":               fullPlan().TwiML(SceneRing, State{Open: true, Queue: "support"}, event("")),
		"whisper":            fullPlan().TwiML(SceneWhisper, State{Open: true, Queue: "support", Want: PurposeTicket, Ref: "1042"}, event("")),
		"whisper-german":     german.TwiML(SceneWhisper, State{Open: true, Queue: "support", Want: PurposeTicket, Ref: "1042"}, event("")),
		"connect":            fullPlan().TwiML(SceneConnect, State{}, event("")),
		"voicemail":          fullPlan().TwiML(SceneVoicemail, support, from(StepMenu)),
		"voicemail-german":   german.TwiML(SceneVoicemail, support, from(StepMenu)),
		"voicemail-busy":     fullPlan().TwiML(SceneVoicemail, support, from(StepDialed)),
		"voicemail-fallback": plain.TwiML(SceneVoicemail, State{}, from(StepFallback)),
		"voicemail-at-once":  quiet.TwiML(SceneVoicemail, State{}, from(StepStart)),
		"thanks":             fullPlan().TwiML(SceneThanks, support, event("")),
		"nothing":            fullPlan().TwiML(SceneNothing, support, from(StepSilent)),
		"missed":             noted.TwiML(SceneNothing, State{}, from(StepStart)),
		"noted-callback":     fullPlan().TwiML(SceneNoted, State{Want: PurposeCallback}, event("")),
		"noted-meter":        german.TwiML(SceneNoted, State{Want: PurposeMeter, Ref: "12345"}, event("")),
		"end":                fullPlan().TwiML(SceneEnd, State{}, event("")),
		"alarm":              alarm.Ask(1),
		"alarm-german":       alarmGerman.Ask(1),
		"alarm-acknowledged": acknowledged,
		"alarm-passed":       passed,
		"alarm-unheard":      unheard,
		"bridge":             bridge.Ask(),
		"bridge-connecting":  connecting,
		"text":               Nothing(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("testdata", name+".xml")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if g, w := wellFormed(t, got), wellFormed(t, want); !slices.Equal(g, w) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if _, doc, _ := strings.Cut(string(got), "?>"); strings.Contains(doc, "?") {
				t.Error("state in a query")
			}
		})
	}
}

// wellFormed returns the tokens of a TwiML document, attributes sorted, blanks
// between elements left out.
func wellFormed(t testing.TB, doc []byte) (tokens []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(doc))
	for depth := 0; ; {
		tok, err := d.Token()
		if err == io.EOF {
			if depth != 0 || len(tokens) == 0 || !strings.HasPrefix(tokens[0], "<Response") {
				t.Fatalf("no <Response>: %s", doc)
			}
			return tokens
		}
		if err != nil {
			t.Fatalf("%v in %s", err, doc)
		}
		switch x := tok.(type) {
		case xml.StartElement:
			depth++
			attrs := []string{}
			for _, a := range x.Attr {
				attrs = append(attrs, a.Name.Local+"="+a.Value)
			}
			slices.Sort(attrs)
			tokens = append(tokens, "<"+x.Name.Local+" "+strings.Join(attrs, " "))
		case xml.EndElement:
			depth--
			tokens = append(tokens, "</"+x.Name.Local)
		case xml.CharData:
			if text := strings.TrimSpace(string(x)); text != "" {
				tokens = append(tokens, "says "+text)
			}
		}
	}
}

// verbs returns the names of a document's elements.
func verbs(t testing.TB, doc []byte) string {
	t.Helper()
	var all []string
	for _, token := range wellFormed(t, doc) {
		if name, ok := strings.CutPrefix(token, "<"); ok && name[0] != '/' {
			name, _, _ = strings.Cut(name, " ")
			all = append(all, name)
		}
	}
	return strings.Join(all, " ")
}

// F10: what a stranger wrote is spoken, never obeyed.
func TestWordsFromOutsideAreSpoken(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{"<Dial>+19005550000</Dial>", "</Say><Dial>+1</Dial><Say>", "]]><Hangup/>", "a & b \"c\" 'd'", "\x00\x1b\uFFFE\xff", strings.Repeat("x", 100000)} {
		a := Alarm{Base: "https://desk.example/a", Ticket: 1, Customer: evil, Brand: evil}
		if got := verbs(t, a.Ask(1)); got != "Response Gather Say Redirect" {
			t.Errorf("%.40q: %s", evil, got)
		}
		b := Bridge{Base: "https://desk.example/b", Name: evil}
		if got := verbs(t, b.Ask()); got != "Response Gather Say Hangup" {
			t.Errorf("%.40q: %s", evil, got)
		}
		p := fullPlan()
		p.Brand, p.Greeting, p.Menu = evil, evil, []Choice{{Key: "1", Queue: evil, Label: evil}}
		if got := verbs(t, p.TwiML(SceneMenu, State{Open: true, Try: 1}, event(""))); got != "Response Gather Say Say Redirect" {
			t.Errorf("%.40q: %s", evil, got)
		}
		if got := verbs(t, p.TwiML(SceneVoicemail, State{Queue: evil}, event(""))); got != "Response Say Record Redirect" {
			t.Errorf("%.40q: %s", evil, got)
		}
	}
}

func FuzzTwiML(f *testing.F) {
	f.Add("<Dial>", "support", "1042")
	f.Add("]]>\x00", "a/b", "")
	f.Fuzz(func(t *testing.T, name, queue, ref string) {
		p := fullPlan()
		p.Brand, p.Closed = name, name
		s := State{Queue: queue, Ref: digitsOf(ref)}
		for _, c := range []struct {
			doc  []byte
			want string
		}{
			{Alarm{Base: "/a", Customer: name, Ticket: 7}.Ask(1), "Response Gather Say Redirect"},
			{p.TwiML(SceneVoicemail, s, CallEvent{}), "Response Say Record Redirect"},
			{p.TwiML(SceneWhisper, s, CallEvent{}), "Response Gather Say Hangup"},
		} {
			if got := verbs(t, c.doc); got != c.want {
				t.Fatalf("%q %q: %s", name, queue, got)
			}
		}
		s.Step = StepVoicemail
		if len(s.Path()) < maxPath {
			if got, err := ParseState(s.Path()); err != nil || got != s {
				t.Fatalf("%+v became %+v, %v", s, got, err)
			}
		}
	})
}

func TestAlarm(t *testing.T) {
	t.Parallel()
	a := Alarm{Base: "https://desk.example/twilio/alarm/x", Ticket: 1042}
	for _, c := range []struct {
		try  int
		keys string
		want Verdict
		next string
	}{
		{1, "1", VerdictAcknowledged, "Response Say Hangup"},
		{2, "1", VerdictAcknowledged, "Response Say Hangup"},
		{1, "2", VerdictPassed, "Response Say Hangup"},
		{1, "", VerdictNone, "Response Gather Say Redirect"}, // a voicemail box presses nothing
		{1, "5", VerdictNone, "Response Gather Say Redirect"},
		{2, "", VerdictPassed, "Response Say Hangup"},
	} {
		v, doc := a.Pressed(c.try, form("Digits", c.keys))
		if got := verbs(t, doc); v != c.want || got != c.next {
			t.Errorf("try %d, keys %q: got %q %s", c.try, c.keys, v, got)
		}
	}
}

func TestBridge(t *testing.T) {
	t.Parallel()
	b := Bridge{Base: "https://desk.example/b", Customer: "+4915112345678", CallerID: "+49301234567"}
	for keys, want := range map[string]string{"1": "Response Say Dial Number", "": "Response Hangup", "2": "Response Hangup"} {
		rings, doc := b.Pressed(form("Digits", keys))
		if got := verbs(t, doc); got != want || rings != (keys == "1") {
			t.Errorf("keys %q: %v %s", keys, rings, got)
		}
	}
	b.Customer = "sip:evil"
	if rings, doc := b.Pressed(form("Digits", "1")); rings || verbs(t, doc) != "Response Hangup" {
		t.Error("dialled what is no number")
	}
	if d, doc := b.Dialed(form("DialCallStatus", "no-answer")); d.Bridged || verbs(t, doc) != "Response Say Hangup" {
		t.Error(d)
	}
	if d, doc := b.Dialed(form("DialCallStatus", "completed", "DialBridged", "true", "DialCallDuration", "61")); !d.Bridged || d.Duration != 61*time.Second || verbs(t, doc) != "Response Hangup" {
		t.Error(d)
	}
}

func TestParseAlarmPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]struct {
		step AlarmStep
		try  int
	}{"": {AlarmAnswered, 0}, "/": {AlarmAnswered, 0}, "/pressed/2": {AlarmPressed, 2}, "/status": {AlarmStatus, 0}, "/dialed": {AlarmDialed, 0}} {
		if step, try, err := ParseAlarmPath(path); step != want.step || try != want.try || err != nil {
			t.Errorf("%q: %q %d %v", path, step, try, err)
		}
	}
	for _, path := range []string{"/pressed", "/pressed/0", "/pressed/10", "/pressed/x", "/status/1", "/other"} {
		if step, try, err := ParseAlarmPath(path); err == nil {
			t.Errorf("%q: taken as %q %d", path, step, try)
		}
	}
}
