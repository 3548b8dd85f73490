package twiliosim

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config is fixed for a Sim. AccountSID and AuthToken are required.
type Config struct {
	AccountSID, AuthToken string

	APIBase   string            // how the application reaches this Sim ("http://127.0.0.1:4010"): begins media and recording URLs
	Transport http.RoundTripper // carries the webhooks; nil: http.DefaultTransport. See Direct.
	Now       func() time.Time  // nil: time.Now
	Speed     float64           // 0: no waiting at all; 1: real time; 60: a simulated minute lasts a second
	Timeout   time.Duration     // a webhook's time limit; 0: 15 s, as Twilio's
	Logf      func(string, ...any)

	OpenMedia      bool // media and recordings need no Basic authentication (old accounts)
	AdvancedOptOut bool // STOP/START/HELP webhooks carry OptOutType
	Duplicate      bool // every webhook is delivered twice, with the same I-Twilio-Idempotency-Token
	SortQuery      bool // the query is sorted in the request, unsorted under the signature (twilio-php issue 790)
	ShuffleStatus  bool // status callbacks of messages and calls arrive in random order
	CompletedFirst bool // the call's end is told before its recording
	RecordingLag   int  // the first n downloads of a recording answer 404
}

// Number is a phone number (or "whatsapp:+…" sender) of the account, with the
// webhooks configured on it. An empty URL is not asked.
type Number struct {
	E164                       string
	VoiceURL, VoiceFallbackURL string
	StatusCallback             string // a call's end
	SMSURL, SMSFallbackURL     string
	MessagingServiceSID        string
}

// Event is one thing that happened.
type Event struct {
	Seq     int        `json:"seq"`
	Kind    string     `json:"kind"` // webhook, lost, rest, heard, error, note
	Name    string     `json:"name"` // voice, gather, record-action, recording-status, transcription, call-status, sms, message-status, …
	Method  string     `json:"method,omitempty"`
	URL     string     `json:"url,omitempty"`
	Params  url.Values `json:"params,omitempty"`
	Status  int        `json:"status,omitempty"`
	Body    string     `json:"body,omitempty"`
	Token   string     `json:"token,omitempty"`
	Attempt int        `json:"attempt,omitempty"`
	Millis  int64      `json:"ms"`
}

// Sim is one account. Its methods may be called from several goroutines; call
// Wait before the test ends.
type Sim struct {
	Config
	client *http.Client

	mu      sync.Mutex
	idle    *sync.Cond // running became 0
	running int        // callbacks and outbound calls
	numbers map[string]Number
	callees map[string]Callee
	msgs    map[string]*Message
	calls   map[string]*Call
	recs    map[string]*recording
	media   map[string]medium
	order   []string             // SIDs of messages, calls and recordings in order of creation
	optout  map[string]bool      // "our number their number" that may not be texted
	window  map[string]time.Time // "their sender our sender" of WhatsApp: last inbound message
	faults  []Fault
	losses  []loss
	events  []Event
	clock   time.Duration
}

// loss drops webhooks.
type loss struct {
	name string
	n    int // -1 for ever
}

// New makes a Sim.
func New(c Config) *Sim {
	if c.Timeout == 0 {
		c.Timeout = 15 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Sim{Config: c, numbers: map[string]Number{}, callees: map[string]Callee{}, client: &http.Client{Transport: c.Transport}}
	s.idle = sync.NewCond(&s.mu)
	s.forget()
	return s
}

func (s *Sim) forget() {
	s.msgs, s.calls, s.recs, s.media = map[string]*Message{}, map[string]*Call{}, map[string]*recording{}, map[string]medium{}
	s.optout, s.window = map[string]bool{}, map[string]time.Time{}
	s.events, s.order, s.faults, s.losses = nil, nil, nil, nil
}

// Reset empties the log and forgets messages, calls, recordings, opt-outs,
// faults and losses; numbers and callees stay.
func (s *Sim) Reset() {
	s.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
}

// AddNumber configures a number of the account.
func (s *Sim) AddNumber(n Number) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.numbers[n.E164] = n
}

// SetCallee scripts a number for outbound calls and <Dial>.
func (s *Sim) SetCallee(e164 string, c Callee) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callees[e164] = c
}

// AddFault queues a fault of the REST API.
func (s *Sim) AddFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// Lose drops the next n webhooks of a name ("" any), retries included: the
// application is down, or the network is. A negative n drops them until Reset or
// Found.
func (s *Sim) Lose(name string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.losses = append(s.losses, loss{name, n})
}

// Found ends what Lose began.
func (s *Sim) Found() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.losses = nil
}

func (s *Sim) lost(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.losses {
		if l := &s.losses[i]; l.n != 0 && (l.name == "" || l.name == name) {
			l.n = max(l.n-1, -1)
			return true
		}
	}
	return false
}

// Advance moves the Sim's clock: the WhatsApp window, time stamps.
func (s *Sim) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock += d
}

// Time is the simulated time.
func (s *Sim) Time() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.time()
}

func (s *Sim) time() time.Time { return s.Now().Add(s.clock) }

// Wait returns when all callbacks and outbound calls have ended. Others may begin
// meanwhile.
func (s *Sim) Wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.running > 0 {
		s.idle.Wait()
	}
}

// Events returns a copy of the log.
func (s *Sim) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Find returns the logged events of one kind and name ("" matches any).
func (s *Sim) Find(kind, name string) (found []Event) {
	for _, e := range s.Events() {
		if (kind == "" || e.Kind == kind) && (name == "" || e.Name == name) {
			found = append(found, e)
		}
	}
	return found
}

func (s *Sim) log(e Event) {
	s.mu.Lock()
	e.Seq = len(s.events) + 1
	s.events = append(s.events, e)
	s.mu.Unlock()
	if s.Logf != nil {
		s.Logf("%3d %-7s %-16s %s %s -> %d %s", e.Seq, e.Kind, e.Name, e.Method, e.URL, e.Status, oneline(e.Body, 300))
	}
}

func oneline(t string, n int) string {
	t = strings.Join(strings.Fields(t), " ")
	if len(t) > n {
		t = t[:n] + "…"
	}
	return t
}

func (s *Sim) pause(d time.Duration) {
	if s.Speed > 0 {
		time.Sleep(time.Duration(float64(d) / s.Speed))
	}
}

func (s *Sim) async(f func()) {
	s.mu.Lock()
	s.running++
	s.mu.Unlock()
	go func() {
		f()
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.running--; s.running == 0 {
			s.idle.Broadcast()
		}
	}()
}

// SID makes an identifier such as CA5f….
func SID(prefix string) string {
	b := make([]byte, 16)
	rand.Read(b)
	return prefix + hex.EncodeToString(b)
}

func clone(v url.Values) url.Values {
	c := make(url.Values, len(v))
	for k, x := range v {
		c[k] = slices.Clone(x)
	}
	return c
}

func set(v url.Values, kv ...string) url.Values {
	for i := 0; i+1 < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	return v
}

func or(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}

func rfc2822(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000") }
