package twiliosim

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// createCall starts a call to a scripted callee and plays it in the background.
func (s *Sim) createCall(w http.ResponseWriter, r *http.Request) {
	f := r.Form
	s.mu.Lock()
	callee := s.callees[f.Get("To")]
	_, mine := s.numbers[f.Get("From")]
	s.mu.Unlock()
	switch {
	case f.Get("To") == "":
		fail(w, 400, 21201, "No 'To' number is specified")
		return
	case f.Get("From") == "":
		fail(w, 400, 21213, "No 'From' number is specified")
		return
	case !e164.MatchString(f.Get("To")):
		fail(w, 400, 21211, "Invalid 'To' Phone Number: "+f.Get("To"))
		return
	case f.Get("Url") == "" && f.Get("Twiml") == "" && f.Get("ApplicationSid") == "":
		fail(w, 400, 21205, "Url parameter is required")
		return
	case !mine && f.Get("From") != "+15005550006":
		fail(w, 400, 21210, "'From' phone number not verified")
		return
	}
	c := s.newCall(f.Get("From"), f.Get("To"), "outbound-api")
	s.mu.Lock()
	answer := s.callJSON(c)
	s.mu.Unlock()
	s.async(func() { s.playOutbound(c, callee, f) })
	out(w, 201, answer)
}

func (s *Sim) playOutbound(c *Call, callee Callee, f url.Values) {
	l := &leg{s: s, c: c, script: append([]Step(nil), callee.Script...)}
	l.std = s.stdVoice(c)
	want := map[string]bool{}
	for _, e := range f["StatusCallbackEvent"] {
		for _, x := range strings.Fields(e) {
			want[x] = true
		}
	}
	var evs []url.Values
	ev := func(event, status string) {
		if want[event] {
			evs = append(evs, set(clone(l.std), "CallStatus", status, "Timestamp", rfc2822(s.Time()), "CallbackSource", "call-progress-events", "SequenceNumber", strconv.Itoa(len(evs))))
		}
	}
	ev("initiated", "initiated")
	ev("ringing", "ringing")
	s.pause(4 * time.Second)
	if l.ended() { // by the application, while it rang
		l.finish(f.Get("StatusCallback"), f.Get("StatusCallbackMethod"), evs, "completed")
		return
	}
	status := "completed"
	switch callee.Answer {
	case "busy", "no-answer", "failed", "canceled":
		status = callee.Answer
		l.std.Set("SipResponseCode", map[string]string{"busy": "486", "no-answer": "487", "failed": "404", "canceled": "487"}[status])
	default:
		if f.Get("MachineDetection") != "" {
			l.std.Set("AnsweredBy", map[bool]string{true: "machine_start", false: "human"}[callee.Answer == "machine"])
		}
		ev("answered", "in-progress")
		s.setStatus(c, "in-progress")
		if t := f.Get("Twiml"); t != "" {
			l.base, _ = url.Parse(s.APIBase)
			if root, err := parseXML([]byte(t)); err == nil {
				n, u, m, p := l.exec(root.kids)
				l.run(n, u, m, p, "")
			} else {
				s.log(Event{Kind: "error", Name: "twiml", Body: err.Error()})
			}
		} else {
			l.run("outbound-voice", f.Get("Url"), or(f.Get("Method"), "POST"), clone(l.std), f.Get("FallbackUrl"))
		}
	}
	l.finish(f.Get("StatusCallback"), f.Get("StatusCallbackMethod"), evs, status)
}
