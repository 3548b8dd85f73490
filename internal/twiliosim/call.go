package twiliosim

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Step is what the scripted person at the other end does next. Exactly one field is set.
// Press/Speak answer the next <Gather>, Leave the next <Record>, Dial the next <Dial>; Hangup ends the call at the next verb that waits.
// When the script has run out the person stays silent in a <Gather> and hangs up in a <Record>.
type Step struct {
	Press  string  `json:"press,omitempty"` // keys, "#" included: "1042#"
	Silent bool    `json:"silent,omitempty"`
	Speak  string  `json:"speak,omitempty"`
	Sure   float64 `json:"sure,omitempty"` // the recogniser's confidence; default 0.9
	Leave  *Leave  `json:"leave,omitempty"`
	Dial   *Dialed `json:"dial,omitempty"`
	Hangup bool    `json:"hangup,omitempty"`
}

// Leave is a message left on a <Record>. Seconds 0 is silence: Twilio then calls no action URL and goes on with the next verb.
type Leave struct {
	Seconds int    `json:"seconds"`
	Text    string `json:"text"` // what a transcription will say
	Key     string `json:"key"`  // the key that ended it; "" and Hangup false: silence ended it
	Hangup  bool   `json:"hangup"`
}

// Dialed is the outcome of a <Dial>: completed, busy, no-answer, failed or canceled.
type Dialed struct {
	Status  string `json:"status"`
	Seconds int    `json:"seconds"`
}

// Callee is how a number behaves when the application calls it.
type Callee struct {
	Answer string `json:"answer"` // "" or "human", "machine", "busy", "no-answer", "failed"
	Script []Step `json:"script"`
}

// Call is one call, finished or not.
type Call struct {
	SID, From, To, Direction, Status string
	Seconds                          int
	Heard                            []string // what the person heard, verb by verb
	Recordings                       []string
	Created                          time.Time
}

func (c *Call) snapshot() Call {
	copied := *c
	copied.Heard, copied.Recordings = slices.Clone(c.Heard), slices.Clone(c.Recordings)
	return copied
}

// Inbound describes a call to one of the account's numbers.
type Inbound struct {
	From         string `json:"from"`
	To           string `json:"to"`
	CallerName   string `json:"caller_name,omitempty"`
	ForwardedBy  string `json:"forwarded_from,omitempty"`
	Stir         string `json:"stir,omitempty"` // StirVerstat, such as TN-Validation-Passed-A
	HangupAtRing bool   `json:"hangup_at_ring,omitempty"`
	Script       []Step `json:"script"`
}

type leg struct {
	s       *Sim
	c       *Call
	std     url.Values
	script  []Step
	base    *url.URL
	elapsed time.Duration
	over    bool
	later   []func() // asynchronous callbacks, sent around the end of the call
	docs    int
}

// Dial plays an inbound call from beginning to end and returns when the application has seen all of it.
func (s *Sim) Dial(in Inbound) (*Call, error) {
	s.mu.Lock()
	n, known := s.numbers[in.To]
	s.mu.Unlock()
	if !known || n.VoiceURL == "" {
		return nil, fmt.Errorf("no voice URL on %s", in.To)
	}
	c := s.newCall(in.From, in.To, "inbound")
	l := &leg{s: s, c: c, script: in.Script}
	l.std = s.stdVoice(c)
	if in.CallerName != "" {
		l.std.Set("CallerName", in.CallerName)
	}
	if in.ForwardedBy != "" {
		set(l.std, "ForwardedFrom", in.ForwardedBy, "CalledVia", in.ForwardedBy)
	}
	if in.Stir != "" {
		l.std.Set("StirVerstat", in.Stir)
	}
	first := clone(l.std)
	first.Set("CallToken", `{"parentCallInfoToken":"sim","identityHeaderTokens":[]}`)
	s.setStatus(c, "in-progress")
	if in.HangupAtRing {
		// the caller is gone before the application's answer is executed: the document is fetched, nothing of it is played
		l.over = true
		s.deliver("voice", n.VoiceURL, "POST", set(first, "CallStatus", "ringing"))
		s.setStatus(c, "ringing")
		l.finish(n.StatusCallback, "POST", nil, "no-answer")
		return s.seen(c), nil
	}
	l.run("voice", n.VoiceURL, "POST", set(first, "CallStatus", "ringing"), n.VoiceFallbackURL)
	l.finish(n.StatusCallback, "POST", nil, "completed")
	return s.seen(c), nil
}

// seen returns the call as it is now.
func (s *Sim) seen(c *Call) *Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := c.snapshot()
	return &now
}

func (s *Sim) setStatus(c *Call, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Status = status
}

func (s *Sim) newCall(from, to, dir string) *Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &Call{SID: SID("CA"), From: from, To: to, Direction: dir, Status: "queued", Created: s.time()}
	s.calls[c.SID] = c
	s.order = append(s.order, c.SID)
	return c
}

func (s *Sim) stdVoice(c *Call) url.Values {
	p := set(url.Values{}, "CallSid", c.SID, "AccountSid", s.AccountSID, "From", c.From, "To", c.To, "Caller", c.From, "Called", c.To,
		"Direction", c.Direction, "ApiVersion", "2010-04-01", "CallStatus", "in-progress")
	geo(p, "From", c.From)
	geo(p, "Caller", c.From)
	geo(p, "To", c.To)
	geo(p, "Called", c.To)
	return p
}

func geo(p url.Values, who, num string) {
	city, state, zip, country := "", "", "", ""
	switch {
	case strings.HasPrefix(num, "+1"):
		city, state, zip, country = "SAN FRANCISCO", "CA", "94105", "US"
	case strings.HasPrefix(num, "+44"):
		country = "GB"
	case strings.HasPrefix(num, "+49"):
		country = "DE"
	}
	set(p, who+"City", city, who+"State", state, who+"Zip", zip, who+"Country", country)
}

// finish ends the call: status callbacks, then (or before) what is still to come about recordings.
func (l *leg) finish(cb, method string, events []url.Values, status string) {
	s := l.s
	s.mu.Lock()
	if !finals[l.c.Status] {
		l.c.Status = status
	}
	l.c.Seconds = int(l.elapsed / time.Second)
	st, secs, recs := l.c.Status, l.c.Seconds, slices.Clone(l.c.Recordings)
	s.mu.Unlock()
	p := set(clone(l.std), "CallStatus", st, "CallDuration", strconv.Itoa(secs), "Duration", strconv.Itoa((secs+59)/60),
		"Timestamp", rfc2822(s.Time()), "CallbackSource", "call-progress-events", "SequenceNumber", strconv.Itoa(len(events)))
	if len(recs) > 0 && l.c.Direction != "inbound" {
		set(p, "RecordingSid", recs[0], "RecordingUrl", s.recURL(recs[0]))
	}
	end := func() { s.statuses("call-status", cb, method, append(events, p)) }
	if s.CompletedFirst {
		end()
	}
	for _, f := range l.later {
		f()
	}
	if !s.CompletedFirst {
		end()
	}
}

type node struct {
	name string
	attr map[string]string
	text string
	kids []*node
}

func parseXML(b []byte) (*node, error) {
	d := xml.NewDecoder(strings.NewReader(string(b)))
	root := &node{}
	stack := []*node{root}
	for {
		t, err := d.Token()
		if err != nil {
			if len(stack) == 1 && len(root.kids) == 1 {
				return root.kids[0], nil
			}
			return nil, fmt.Errorf("12100 document parse failure: %v", err)
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			n := &node{name: t.Name.Local, attr: map[string]string{}}
			for _, a := range t.Attr {
				n.attr[a.Name.Local] = a.Value
			}
			top.kids = append(top.kids, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
}

// run fetches TwiML and executes it until the call ends or no verb is left.
func (l *leg) run(name, rawURL, method string, p url.Values, fallback string) {
	for rawURL != "" && !l.over && !l.ended() {
		if l.docs++; l.docs > 40 {
			l.s.log(Event{Kind: "error", Name: name, Body: "the call loops: 40 documents"})
			return
		}
		r := l.s.deliver(name, rawURL, method, p)
		root, err := document(r)
		if err != nil {
			l.s.log(Event{Kind: "error", Name: name, URL: rawURL, Status: r.status, Body: err.Error()})
			if fallback == "" || name == "fallback" {
				l.hear("An application error has occurred. Goodbye.")
				return
			}
			p = set(clone(p), "ErrorCode", strings.Fields(err.Error())[0], "ErrorUrl", rawURL)
			name, rawURL, method = "fallback", fallback, "POST"
			continue
		}
		l.base, _ = url.Parse(rawURL)
		name, rawURL, method, p = l.exec(root.kids)
	}
}

// ended reports whether the application has ended the call by the REST API.
func (l *leg) ended() bool {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	return finals[l.c.Status]
}

// document reads the TwiML of an answer.
func document(r *reply) (*node, error) {
	if r.err != nil {
		return nil, fmt.Errorf("11200 HTTP retrieval failure: %v", r.err)
	}
	if !r.ok() {
		return nil, fmt.Errorf("11200 HTTP retrieval failure: status %d", r.status)
	}
	ct := strings.ToLower(strings.TrimSpace(strings.Split(r.ctype, ";")[0]))
	if len(strings.TrimSpace(string(r.body))) == 0 {
		return &node{name: "Response"}, nil // 204, or 200 with nothing in it
	}
	switch ct {
	case "text/xml", "application/xml", "text/html":
	case "text/plain":
		return &node{name: "Response", kids: []*node{{name: "Say", text: string(r.body)}}}, nil
	default:
		return nil, fmt.Errorf("12300 invalid Content-Type %q", r.ctype)
	}
	root, err := parseXML(r.body)
	if err != nil {
		return nil, err
	}
	if root.name != "Response" {
		return nil, fmt.Errorf("12102 no <Response> but <%s>", root.name)
	}
	return root, nil
}

func (l *leg) hear(t string) {
	if t = strings.Join(strings.Fields(t), " "); t == "" {
		return
	}
	l.s.mu.Lock()
	l.c.Heard = append(l.c.Heard, t)
	l.s.mu.Unlock()
	l.s.log(Event{Kind: "heard", Name: l.c.SID[:6], Body: t})
	l.spend(time.Duration(len(t)) * 60 * time.Millisecond)
}
func (l *leg) spend(d time.Duration) { l.elapsed += d; l.s.pause(d) }
func (l *leg) abs(ref string) string {
	if ref == "" {
		return l.base.String()
	}
	u, err := l.base.Parse(ref)
	if err != nil {
		return ref
	}
	return u.String()
}
func (l *leg) peek() *Step {
	if len(l.script) == 0 {
		return nil
	}
	return &l.script[0]
}
func (l *leg) next() *Step {
	st := l.peek()
	if st != nil {
		l.script = l.script[1:]
	}
	return st
}
func atoi(v string, def int) int {
	if n, err := strconv.Atoi(v); err == nil {
		return n
	}
	return def
}

// exec executes verbs; a non-empty URL is where the call goes on.
func (l *leg) exec(verbs []*node) (name, rawURL, method string, p url.Values) {
	for _, v := range verbs {
		if l.over {
			return
		}
		if st := l.peek(); st != nil && st.Hangup && (v.name == "Gather" || v.name == "Pause" || v.name == "Record" || v.name == "Dial" || v.name == "Enqueue") {
			l.next()
			l.over = true
			return
		}
		switch v.name {
		case "Say":
			l.hear(v.text)
		case "Play":
			l.hear("[plays " + l.abs(strings.TrimSpace(v.text)) + "]")
		case "Pause":
			l.spend(time.Duration(atoi(v.attr["length"], 1)) * time.Second)
		case "Hangup":
			l.over = true
		case "Reject":
			l.over = true
			l.s.mu.Lock()
			l.c.Status = map[bool]string{true: "busy", false: "no-answer"}[v.attr["reason"] == "busy"]
			l.s.mu.Unlock()
		case "Redirect":
			return "redirect", l.abs(strings.TrimSpace(v.text)), or(v.attr["method"], "POST"), clone(l.std)
		case "Gather":
			if q := l.gather(v); q != nil {
				return "gather", l.abs(v.attr["action"]), or(v.attr["method"], "POST"), q
			}
		case "Record":
			if q := l.record(v); q != nil {
				return "record-action", l.abs(v.attr["action"]), or(v.attr["method"], "POST"), q
			}
		case "Dial":
			q := l.dial(v)
			if v.attr["action"] != "" {
				return "dial-action", l.abs(v.attr["action"]), or(v.attr["method"], "POST"), q
			}
		default:
			l.s.log(Event{Kind: "error", Name: "twiml", Body: "verb not simulated: <" + v.name + ">"})
		}
	}
	return
}

func (l *leg) gather(v *node) url.Values {
	for _, k := range v.kids {
		switch k.name {
		case "Say":
			l.hear(k.text)
		case "Play":
			l.hear("[plays " + l.abs(strings.TrimSpace(k.text)) + "]")
		case "Pause":
			l.spend(time.Duration(atoi(k.attr["length"], 1)) * time.Second)
		default:
			l.s.log(Event{Kind: "error", Name: "twiml", Body: "13321 not allowed in <Gather>: <" + k.name + ">"})
		}
	}
	st := &Step{Silent: true}
	if n := l.peek(); n != nil && (n.Press != "" || n.Speak != "" || n.Silent) {
		st = l.next()
	}
	input := or(v.attr["input"], "dtmf")
	finish, has := v.attr["finishOnKey"]
	if !has {
		finish = "#"
	}
	num := atoi(v.attr["numDigits"], 1<<30)
	digits, ended := "", ""
	if strings.Contains(input, "dtmf") {
		for _, k := range st.Press {
			if finish != "" && strings.ContainsRune(finish, k) {
				ended = string(k)
				break
			}
			if digits += string(k); len(digits) >= num {
				break
			}
		}
	}
	speech := st.Speak != "" && strings.Contains(input, "speech")
	l.spend(time.Duration(len(digits)) * 400 * time.Millisecond)
	if ended == "" && len(digits) < num {
		l.spend(time.Duration(atoi(v.attr["timeout"], 5)) * time.Second)
	}
	if digits == "" && !speech && ended == "" && v.attr["actionOnEmptyResult"] != "true" {
		return nil // falls through to the verb after <Gather>
	}
	p := set(clone(l.std), "msg", "Gather End", "FinishedOnKey", ended)
	if speech {
		sure := st.Sure
		if sure == 0 {
			sure = 0.9
		}
		set(p, "SpeechResult", st.Speak, "Confidence", strconv.FormatFloat(sure, 'f', -1, 64), "Language", or(v.attr["language"], "en-US"))
	} else {
		p.Set("Digits", digits)
	}
	return p
}

func (l *leg) record(v *node) url.Values {
	s := l.s
	m := &Leave{Hangup: true}
	if st := l.peek(); st != nil && st.Leave != nil {
		m = l.next().Leave
	}
	secs := min(m.Seconds, atoi(v.attr["maxLength"], 3600))
	l.spend(time.Duration(secs) * time.Second)
	if m.Hangup {
		l.over = true
	}
	if secs == 0 { // an empty recording: no action request, no recording
		return nil
	}
	rec := s.newRecording(l.c, secs, m.Text)
	p := set(clone(l.std), "RecordingUrl", s.recURL(rec.SID), "RecordingSid", rec.SID, "RecordingDuration", strconv.Itoa(secs))
	switch {
	case m.Hangup:
		set(p, "Digits", "hangup", "CallStatus", "completed")
	case m.Key != "" && strings.Contains(or(v.attr["finishOnKey"], "1234567890*#"), m.Key):
		p.Set("Digits", m.Key)
	default:
		p.Set("Digits", "")
		l.spend(time.Duration(atoi(v.attr["timeout"], 5)) * time.Second)
	}
	if cb := v.attr["recordingStatusCallback"]; cb != "" {
		events := strings.Fields(or(v.attr["recordingStatusCallbackEvent"], "completed"))
		u, meth, start := l.abs(cb), v.attr["recordingStatusCallbackMethod"], rfc2822(s.Time())
		l.later = append(l.later, func() {
			for _, e := range events {
				if e == "absent" {
					continue
				}
				q := set(url.Values{}, "AccountSid", s.AccountSID, "CallSid", l.c.SID, "RecordingSid", rec.SID, "RecordingUrl", s.recURL(rec.SID), "RecordingStatus", e,
					"RecordingChannels", "1", "RecordingSource", "RecordVerb", "RecordingStartTime", start, "ErrorCode", "0", "RecordingTrack", "both")
				if e == "completed" {
					q.Set("RecordingDuration", strconv.Itoa(secs)) // no From, no To: the application must know the call by its CallSid
				}
				s.deliver("recording-status", u, meth, q)
			}
		})
	}
	if v.attr["transcribe"] == "true" || v.attr["transcribeCallback"] != "" {
		cb := v.attr["transcribeCallback"]
		if cb != "" {
			u := l.abs(cb)
			l.later = append(l.later, func() {
				q := set(clone(l.std), "TranscriptionSid", SID("TR"), "TranscriptionType", "fast", "RecordingSid", rec.SID, "RecordingUrl", s.recURL(rec.SID),
					"CallStatus", "completed", "url", u)
				q.Set("TranscriptionUrl", s.recURL(rec.SID)+"/Transcriptions/"+q.Get("TranscriptionSid"))
				if secs <= 2 || secs >= 120 || m.Text == "" { // 13617: only 2 to 120 s are transcribed
					q.Set("TranscriptionStatus", "failed")
				} else {
					set(q, "TranscriptionStatus", "completed", "TranscriptionText", m.Text)
				}
				s.pause(20 * time.Second)
				s.deliver("transcription", u, "POST", q)
			})
		}
	}
	if m.Hangup { // the action request still goes out; its answer is ignored
		s.deliver("record-action", l.abs(v.attr["action"]), v.attr["method"], p)
		return nil
	}
	return p
}

// dial plays <Dial>: the outcome comes from the caller's script or from the callee's, whose <Number url> document is played too.
func (l *leg) dial(v *node) url.Values {
	s := l.s
	out := Dialed{Status: "no-answer"}
	child := SID("CA")
	scripted := false
	if st := l.peek(); st != nil && st.Dial != nil {
		out, scripted = *l.next().Dial, true
	}
	targets := v.kids
	if len(targets) == 0 {
		targets = []*node{{name: "Number", text: v.text, attr: map[string]string{}}}
	}
	for _, t := range targets {
		num := strings.TrimSpace(t.text)
		s.log(Event{Kind: "note", Name: "dial", Body: t.name + " " + num})
		s.mu.Lock()
		callee, known := s.callees[num]
		s.mu.Unlock()
		if scripted || !known {
			continue
		}
		out.Status = callee.Answer
		if callee.Answer == "" || callee.Answer == "human" {
			out = Dialed{Status: "completed", Seconds: 30}
			if w := t.attr["url"]; w != "" { // the whisper: played to the person called, before the two are connected
				k := &leg{s: s, c: &Call{SID: child, From: l.c.From, To: num, Direction: "outbound-dial"}, script: callee.Script, base: l.base}
				k.std = s.stdVoice(k.c)
				k.std.Set("ParentCallSid", l.c.SID)
				k.run("whisper", l.abs(w), or(t.attr["method"], "POST"), clone(k.std), "")
				if k.over {
					out = Dialed{Status: "no-answer"}
				}
			}
		}
		if out.Status == "completed" {
			break
		}
	}
	if out.Status == "completed" {
		l.spend(time.Duration(out.Seconds) * time.Second)
	} else {
		l.spend(time.Duration(atoi(v.attr["timeout"], 30)) * time.Second)
	}
	p := set(clone(l.std), "DialCallStatus", out.Status, "DialCallSid", child)
	if out.Status == "completed" {
		set(p, "DialCallDuration", strconv.Itoa(out.Seconds), "DialBridged", "true")
	}
	return p
}
