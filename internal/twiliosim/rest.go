package twiliosim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault makes the next N REST requests whose path contains Match, and whose
// method is Method ("" any), fail.
type Fault struct {
	Match  string `json:"match"`
	Method string `json:"method"`
	N      int    `json:"n"`
	Status int    `json:"status"`
	Code   int    `json:"code"`
	After  bool   `json:"after"` // the request takes effect and then fails
	Cut    bool   `json:"cut"`   // no answer comes: the connection is closed
	Plain  bool   `json:"plain"` // the answer is HTML, as of a proxy in between
}

type recording struct {
	SID, CallSID, Text string
	Seconds            int
	misses             int
	Created            time.Time
}

func (s *Sim) newRecording(c *Call, seconds int, text string) *recording {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &recording{SID: SID("RE"), CallSID: c.SID, Text: text, Seconds: seconds, misses: s.RecordingLag, Created: s.time()}
	s.recs[r.SID] = r
	s.order = append(s.order, r.SID)
	c.Recordings = append(c.Recordings, r.SID)
	return r
}

func (s *Sim) account() string { return "/2010-04-01/Accounts/" + s.AccountSID }

func (s *Sim) recURL(sid string) string { return s.APIBase + s.account() + "/Recordings/" + sid }

// Calls returns all calls, oldest first.
func (s *Sim) Calls() (all []Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sid := range s.order {
		if c := s.calls[sid]; c != nil {
			all = append(all, c.snapshot())
		}
	}
	return all
}

// Recordings returns the SIDs of the recordings that were not deleted.
func (s *Sim) Recordings() (sids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sid := range s.order {
		if s.recs[sid] != nil {
			sids = append(sids, sid)
		}
	}
	return sids
}

var e164 = regexp.MustCompile(`^(whatsapp:)?\+[1-9][0-9]{6,14}$`)

func fail(w http.ResponseWriter, status, code int, msg string) {
	out(w, status, map[string]any{"code": code, "message": msg, "more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code), "status": status})
}

func missing(w http.ResponseWriter) {
	fail(w, 404, 20404, "The requested resource was not found")
}

func out(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// ServeHTTP is the account's REST API (the part this package knows), the media
// store and, below /sim/, the Sim's own controls.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/sim/") {
		s.control(w, r)
		return
	}
	if key, ok := strings.CutPrefix(r.URL.Path, "/cdn"); ok { // where a media URL redirects to: signed, no authentication
		s.serveStored(w, r, key)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		fail(w, 400, 20001, err.Error())
		return
	}
	e := Event{Kind: "rest", Name: "api", Method: r.Method, URL: r.URL.Path, Params: r.Form}
	rec := &recorder{ResponseWriter: w}
	defer func() {
		e.Status, e.Body = rec.status, oneline(rec.body.String(), 2000)
		s.log(e)
	}()
	s.api(rec, r)
}

func (s *Sim) serveStored(w http.ResponseWriter, r *http.Request, key string) {
	s.mu.Lock()
	m, ok := s.media[key]
	s.mu.Unlock()
	if !ok || r.URL.Query().Get("Signature") == "" {
		http.Error(w, "AccessDenied", http.StatusForbidden)
		return
	}
	if r.Header.Get("Authorization") != "" { // the real one is on another host, to which clients send none
		s.log(Event{Kind: "note", Name: "credentials-at-store", URL: r.URL.Path})
	}
	w.Header().Set("Content-Type", m.ctype)
	w.Write(m.data)
}

// recorder notes an answer for the log.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (w *recorder) WriteHeader(c int) { w.status = c; w.ResponseWriter.WriteHeader(c) }

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = 200
	}
	if strings.Contains(w.Header().Get("Content-Type"), "json") {
		w.body.Write(b)
	}
	return w.ResponseWriter.Write(b)
}

func (s *Sim) api(w http.ResponseWriter, r *http.Request) {
	path, ours := strings.CutPrefix(r.URL.Path, s.account())
	if !s.authenticated(r, path) {
		w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
		fail(w, 401, 20003, "Authenticate")
		return
	}
	if !ours {
		missing(w)
		return
	}
	if f := s.takeFault(r.Method, path); f != nil {
		s.failWith(w, r, path, *f)
		return
	}
	s.route(w, r, path)
}

func (s *Sim) authenticated(r *http.Request, path string) bool {
	user, pass, has := r.BasicAuth()
	if has && pass == s.AuthToken && (user == s.AccountSID || strings.HasPrefix(user, "SK")) {
		return true
	}
	file := r.Method == http.MethodGet && !strings.HasSuffix(path, ".json") && (strings.HasPrefix(path, "/Recordings/") || strings.Contains(path, "/Media/"))
	return file && s.OpenMedia
}

func (s *Sim) takeFault(method, path string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		if f := &s.faults[i]; f.N > 0 && strings.Contains(path, f.Match) && (f.Method == "" || f.Method == method) {
			f.N--
			hit := *f
			return &hit
		}
	}
	return nil
}

func (s *Sim) failWith(w http.ResponseWriter, r *http.Request, path string, f Fault) {
	if f.After {
		s.route(&nowhere{http.Header{}}, r, path)
	}
	switch {
	case f.Cut:
		panic(http.ErrAbortHandler)
	case f.Plain:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.Status)
		fmt.Fprint(w, "<html><body><h1>Bad Gateway</h1></body></html>")
		return
	case f.Status == http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
	}
	fail(w, f.Status, f.Code, "simulated fault")
}

type nowhere struct{ h http.Header }

func (n *nowhere) Header() http.Header         { return n.h }
func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n *nowhere) WriteHeader(int)             {}

func (s *Sim) route(w http.ResponseWriter, r *http.Request, path string) {
	seg := strings.Split(strings.Trim(path, "/"), "/")
	post := r.Method == http.MethodPost
	switch {
	case path == ".json":
		out(w, 200, map[string]any{"sid": s.AccountSID, "status": "active", "friendly_name": "simulated", "type": "Full"})
	case path == "/Messages.json" && post:
		s.createMessage(w, r)
	case path == "/Messages.json":
		s.list(w, r, "messages", "DateSent")
	case path == "/Calls.json" && post:
		s.createCall(w, r)
	case path == "/Calls.json":
		s.list(w, r, "calls", "StartTime")
	case path == "/Recordings.json":
		s.list(w, r, "recordings", "DateCreated")
	case len(seg) == 2 && seg[0] == "Messages":
		s.oneMessage(w, r, strings.TrimSuffix(seg[1], ".json"))
	case len(seg) == 3 && seg[0] == "Messages" && seg[2] == "Media.json":
		s.listMedia(w, seg[1])
	case len(seg) == 4 && seg[0] == "Messages" && seg[2] == "Media":
		s.oneMedia(w, r, path, seg)
	case len(seg) == 2 && seg[0] == "Calls":
		s.oneCall(w, r, strings.TrimSuffix(seg[1], ".json"))
	case len(seg) == 2 && seg[0] == "Recordings":
		s.oneRecording(w, r, seg[1])
	default:
		missing(w)
	}
}

// list answers with a page of messages, calls or recordings, newest first,
// filtered as Twilio filters: To, From, CallSid, and a date by day.
func (s *Sim) list(w http.ResponseWriter, r *http.Request, what, date string) {
	f := r.Form
	var rows []map[string]any
	s.mu.Lock()
	for _, sid := range slices.Backward(s.order) {
		row, at := s.row(what, sid)
		if row == nil || !s.wanted(row, at, f, date) {
			continue
		}
		rows = append(rows, row)
	}
	s.mu.Unlock()
	size, page := atoi(f.Get("PageSize"), 50), atoi(f.Get("Page"), 0)
	size = max(1, min(size, 1000))
	from, to := min(page*size, len(rows)), min((page+1)*size, len(rows))
	var next any
	if to < len(rows) {
		q := clone(f)
		set(q, "Page", strconv.Itoa(page+1), "PageToken", "PA"+strconv.Itoa(to), "PageSize", strconv.Itoa(size))
		next = r.URL.Path + "?" + q.Encode()
	}
	shown := append([]map[string]any{}, rows[from:to]...)
	out(w, 200, map[string]any{what: shown, "page": page, "page_size": size, "start": from, "end": max(0, to-1), "uri": r.URL.Path, "first_page_uri": r.URL.Path, "next_page_uri": next})
}

// row returns the JSON of one resource of a kind, nil for another kind.
func (s *Sim) row(what, sid string) (map[string]any, time.Time) {
	switch {
	case what == "messages" && s.msgs[sid] != nil:
		return s.msgJSON(s.msgs[sid]), s.msgs[sid].Created
	case what == "calls" && s.calls[sid] != nil:
		return s.callJSON(s.calls[sid]), s.calls[sid].Created
	case what == "recordings" && s.recs[sid] != nil:
		return s.recJSON(s.recs[sid]), s.recs[sid].Created
	}
	return nil, time.Time{}
}

func (s *Sim) wanted(row map[string]any, at time.Time, f url.Values, date string) bool {
	for param, field := range map[string]string{"To": "to", "From": "from", "CallSid": "call_sid"} {
		if v := f.Get(param); v != "" && row[field] != v {
			return false
		}
	}
	day := at.UTC().Format(time.DateOnly)
	after, before := f.Get(date+">"), f.Get(date+"<")
	return (len(after) < 10 || day >= after[:10]) && (len(before) < 10 || day <= before[:10])
}

func (s *Sim) oneMessage(w http.ResponseWriter, r *http.Request, sid string) {
	s.mu.Lock()
	m := s.msgs[sid]
	var row map[string]any
	if m != nil {
		if r.Method == http.MethodPost && r.Form.Has("Body") {
			m.Body = r.Form.Get("Body") // redaction
		}
		if row = s.msgJSON(m); r.Method == http.MethodDelete {
			delete(s.msgs, sid)
		}
	}
	s.mu.Unlock()
	found(w, r, row)
}

func found(w http.ResponseWriter, r *http.Request, row map[string]any) {
	switch {
	case row == nil:
		missing(w)
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	default:
		out(w, 200, row)
	}
}

func (s *Sim) listMedia(w http.ResponseWriter, message string) {
	s.mu.Lock()
	m := s.msgs[message]
	rows := []any{}
	if m != nil {
		for _, u := range m.Media {
			path := strings.TrimPrefix(u, s.APIBase)
			if md, ok := s.media[path]; ok {
				rows = append(rows, map[string]any{"sid": path[strings.LastIndex(path, "/")+1:], "content_type": md.ctype, "parent_sid": message, "account_sid": s.AccountSID})
			}
		}
	}
	s.mu.Unlock()
	if m == nil {
		missing(w)
		return
	}
	out(w, 200, map[string]any{"media_list": rows, "page": 0, "page_size": 50, "next_page_uri": nil})
}

func (s *Sim) oneMedia(w http.ResponseWriter, r *http.Request, path string, seg []string) {
	key := s.account() + strings.TrimSuffix(path, ".json")
	s.mu.Lock()
	m, ok := s.media[key]
	if ok && r.Method == http.MethodDelete {
		delete(s.media, key)
	}
	s.mu.Unlock()
	switch {
	case !ok:
		missing(w)
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case strings.HasSuffix(path, ".json"):
		out(w, 200, map[string]any{"sid": strings.TrimSuffix(seg[3], ".json"), "content_type": m.ctype, "parent_sid": seg[1], "account_sid": s.AccountSID})
	default: // Twilio answers with a redirection to a short-lived URL on another host
		http.Redirect(w, r, s.APIBase+"/cdn"+key+"?Expires=14400&Signature=sim", http.StatusTemporaryRedirect)
	}
}

func (s *Sim) oneCall(w http.ResponseWriter, r *http.Request, sid string) {
	s.mu.Lock()
	c := s.calls[sid]
	var row map[string]any
	over := false
	if c != nil {
		if st := r.Form.Get("Status"); r.Method == http.MethodPost && st != "" {
			if over = finals[c.Status]; !over {
				c.Status = st
			}
		}
		row = s.callJSON(c)
	}
	s.mu.Unlock()
	if over {
		fail(w, 400, 21220, "Call is not in-progress. Cannot redirect.")
		return
	}
	found(w, r, row)
}

var finals = map[string]bool{"completed": true, "busy": true, "no-answer": true, "failed": true, "canceled": true}

func (s *Sim) oneRecording(w http.ResponseWriter, r *http.Request, name string) {
	sid, ext, _ := strings.Cut(name, ".")
	s.mu.Lock()
	x := s.recs[sid]
	var row map[string]any
	lag, seconds := false, 0
	if x != nil {
		row, seconds = s.recJSON(x), x.Seconds
		if lag = ext != "json" && r.Method == http.MethodGet && x.misses > 0; lag {
			x.misses--
		}
		if r.Method == http.MethodDelete {
			delete(s.recs, sid)
		}
	}
	s.mu.Unlock()
	switch {
	case row == nil || lag:
		missing(w)
	case r.Method == http.MethodDelete || ext == "json":
		found(w, r, row)
	case ext == "mp3":
		w.Header().Set("Content-Type", "audio/mpeg")
		w.Write(MP3(seconds))
	default:
		w.Header().Set("Content-Type", "audio/x-wav")
		w.Write(WAV(seconds))
	}
}

func (s *Sim) createMessage(w http.ResponseWriter, r *http.Request) {
	f := r.Form
	m := &Message{From: f.Get("From"), To: f.Get("To"), Body: f.Get("Body"), Media: f["MediaUrl"], MessagingServiceSID: f.Get("MessagingServiceSid"), StatusCallback: f.Get("StatusCallback"),
		ContentSID: f.Get("ContentSid"), ContentVariables: f.Get("ContentVariables"), Direction: "outbound-api"}
	s.mu.Lock()
	if m.From == "" && m.MessagingServiceSID != "" {
		for _, n := range s.numbers {
			if n.MessagingServiceSID == m.MessagingServiceSID {
				m.From = n.E164
			}
		}
	}
	_, mine := s.numbers[m.From]
	stopped := s.optout[m.From+" "+m.To]
	s.mu.Unlock()
	if code, text := refuseMessage(m, mine, stopped); code != 0 {
		fail(w, 400, code, text)
		return
	}
	taken := s.outgoing(m)
	out(w, 201, s.msgJSON(&taken))
}

// refuseMessage knows Twilio's test numbers too.
func refuseMessage(m *Message, mine, stopped bool) (int, string) {
	switch {
	case m.To == "":
		return 21604, "A 'To' phone number is required."
	case m.From == "":
		return 21603, "A 'From' phone number is required."
	case m.Body == "" && len(m.Media) == 0 && m.ContentSID == "":
		return 21602, "Message body is required."
	case m.ContentVariables != "" && m.ContentSID == "":
		return 21654, "ContentSid Required"
	case !e164.MatchString(m.To), m.To == "+15005550001":
		return 21211, "Invalid 'To' Phone Number: " + m.To
	case m.To == "+15005550009":
		return 21614, "'To' number is not a valid mobile number"
	case m.To == "+15005550003":
		return 21408, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number"
	case !mine && m.From != "+15005550006":
		return 21606, "The 'From' phone number " + m.From + " is not a valid, message-capable Twilio phone number for this account."
	case stopped, m.To == "+15005550004":
		return 21610, "Attempt to send to unsubscribed recipient"
	case len([]rune(m.Body)) > 1600:
		return 21617, "The concatenated message body exceeds the 1600 character limit"
	}
	return 0, ""
}

func (s *Sim) msgJSON(m *Message) map[string]any {
	d := rfc2822(m.Created)
	var code, service any
	if m.ErrorCode != 0 {
		code = m.ErrorCode
	}
	if m.MessagingServiceSID != "" {
		service = m.MessagingServiceSID
	}
	return map[string]any{"sid": m.SID, "account_sid": s.AccountSID, "api_version": "2010-04-01", "from": m.From, "to": m.To, "body": m.Body, "status": m.Status, "direction": m.Direction,
		"num_segments": strconv.Itoa(segments(m.Body)), "num_media": strconv.Itoa(len(m.Media)), "error_code": code, "error_message": nil, "messaging_service_sid": service, "price": nil, "price_unit": "USD",
		"date_created": d, "date_updated": d, "date_sent": nil, "uri": s.account() + "/Messages/" + m.SID + ".json", "subresource_uris": map[string]string{"media": s.account() + "/Messages/" + m.SID + "/Media.json"}}
}

func (s *Sim) callJSON(c *Call) map[string]any {
	d := rfc2822(c.Created)
	return map[string]any{"sid": c.SID, "account_sid": s.AccountSID, "api_version": "2010-04-01", "from": c.From, "to": c.To, "status": c.Status, "direction": c.Direction, "duration": strconv.Itoa(c.Seconds),
		"date_created": d, "date_updated": d, "start_time": d, "end_time": nil, "price": nil, "price_unit": "USD", "answered_by": nil, "uri": s.account() + "/Calls/" + c.SID + ".json"}
}

func (s *Sim) recJSON(x *recording) map[string]any {
	d := rfc2822(x.Created)
	return map[string]any{"sid": x.SID, "account_sid": s.AccountSID, "call_sid": x.CallSID, "api_version": "2010-04-01", "duration": strconv.Itoa(x.Seconds), "channels": 1, "source": "RecordVerb", "status": "completed",
		"date_created": d, "date_updated": d, "start_time": d, "price": nil, "price_unit": "USD", "error_code": nil, "uri": s.account() + "/Recordings/" + x.SID + ".json", "media_url": s.recURL(x.SID)}
}
