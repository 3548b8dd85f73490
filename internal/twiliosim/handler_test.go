package twiliosim

import (
	"fmt"
	"io"
	"net/http"
	"sync"
)

// desk is the smallest application a call and a text can be played against: a
// menu, a voicemail box, an answer to a text.
type desk struct {
	base, token, sid string
	mu               sync.Mutex
	seen             map[string]bool // idempotency: token or SID+status
	tickets          []string
	bad              int
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	post := r.PostForm
	if r.Header.Get("X-Twilio-Signature") != Sign(d.token, d.base+r.URL.RequestURI(), post) {
		d.mu.Lock()
		d.bad++
		d.mu.Unlock()
		http.Error(w, "bad signature", http.StatusForbidden)
		return
	}
	f := r.Form.Get
	once := func(key, what string) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if !d.seen[key] {
			d.seen[key] = true
			d.tickets = append(d.tickets, what)
		}
	}
	w.Header().Set("Content-Type", "text/xml")
	switch r.URL.Path {
	case "/voice":
		fmt.Fprint(w, `<Response><Gather numDigits="1" action="menu" timeout="4"><Say>Press 1 for sales, 2 for support.</Say></Gather><Redirect>menu/none</Redirect></Response>`)
	case "/menu", "/menu/none":
		fmt.Fprintf(w, `<Response><Say>Queue %s. Leave a message after the tone.</Say><Record action="/recorded" maxLength="90" finishOnKey="#" transcribeCallback="/transcript" recordingStatusCallback="/recording"/><Say>We heard nothing. Goodbye.</Say></Response>`, f("Digits"))
	case "/recorded":
		fmt.Fprint(w, `<Response><Say>Thank you.</Say><Hangup/></Response>`)
	case "/recording":
		once("rec"+f("RecordingSid"), "voicemail "+d.fetch(f("RecordingUrl")+".mp3"))
	case "/transcript":
		once("tr"+f("TranscriptionSid"), "transcript "+f("TranscriptionText"))
	case "/status":
		once("call"+f("CallSid"), "call "+f("CallStatus")+" "+f("CallDuration")+"s")
	case "/sms":
		what := f("From") + ": " + f("Body")
		for i := range int(f("NumMedia")[0] - '0') {
			what += " " + d.fetch(f(fmt.Sprintf("MediaUrl%d", i)))
		}
		once("sms"+f("MessageSid"), what+f("OptOutType"))
		if f("OptOutType") == "" {
			fmt.Fprint(w, `<Response><Message>Ticket 1042 opened.</Message></Response>`)
		}
	}
}

func (d *desk) fetch(u string) string {
	q, _ := http.NewRequest("GET", u, nil)
	q.SetBasicAuth(d.sid, d.token)
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return fmt.Sprintf("%d %s %d bytes", res.StatusCode, res.Header.Get("Content-Type"), len(b))
}
